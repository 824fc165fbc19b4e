#include "wire/id.h"

#include <string.h>

#include "base/hex.h"

struct alert_id alert_id_make(const struct handset_id *handset, const uint8_t nonce[ALERT_NONCE_SIZE])
{
        struct alert_id id;

        memcpy(id.octets, handset->octets, HANDSET_ID_SIZE);
        memcpy(id.octets + HANDSET_ID_SIZE, nonce, ALERT_NONCE_SIZE);
        return id;
}

struct handset_id alert_id_handset(const struct alert_id *id)
{
        struct handset_id handset;

        memcpy(handset.octets, id->octets, HANDSET_ID_SIZE);
        return handset;
}

bool handset_id_equal(const struct handset_id *a, const struct handset_id *b)
{
        return memcmp(a->octets, b->octets, HANDSET_ID_SIZE) == 0;
}

bool alert_id_equal(const struct alert_id *a, const struct alert_id *b)
{
        return memcmp(a->octets, b->octets, ALERT_ID_SIZE) == 0;
}

void handset_id_to_text(const struct handset_id *id, char text[HANDSET_ID_TEXT])
{
        hex_encode(id->octets, HANDSET_ID_SIZE, text);
}

void alert_id_to_text(const struct alert_id *id, char text[ALERT_ID_TEXT])
{
        hex_encode(id->octets, ALERT_ID_SIZE, text);
}

int handset_id_from_text(const char *text, struct handset_id *ret_id)
{
        struct handset_id id;
        int r = hex_decode(text, id.octets, HANDSET_ID_SIZE);

        if (r == 0)
                *ret_id = id;
        return r;
}

int alert_id_from_text(const char *text, struct alert_id *ret_id)
{
        struct alert_id id;
        int r = hex_decode(text, id.octets, ALERT_ID_SIZE);

        if (r == 0)
                *ret_id = id;
        return r;
}
