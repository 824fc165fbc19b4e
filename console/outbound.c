#include "console/outbound.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct outbound *outbound_new(const char *text, size_t len)
{
        struct outbound *out = malloc(sizeof(*out) + OUTBOUND_PRE + len);

        if (out == NULL)
                return NULL;
        out->refs = 1;
        out->len = len;
        memcpy(out->data + OUTBOUND_PRE, text, len);
        return out;
}

struct outbound *outbound_ref(struct outbound *out)
{
        out->refs++;
        return out;
}

void outbound_unref(struct outbound *out)
{
        if (out == NULL)
                return;
        assert(out->refs > 0);
        if (--out->refs == 0)
                free(out);
}
