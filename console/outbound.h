/* One text on its way to pages: made once, counted, sent to many.  (wire/frame.h has the handset's frames.) */
#ifndef CONSOLE_OUTBOUND_H
#define CONSOLE_OUTBOUND_H

#include <stddef.h>

/* Room in front of the text for the WebSocket's own header; at least LWS_PRE, which socket.c asserts. */
#define OUTBOUND_PRE 32

struct outbound {
        unsigned refs;
        size_t len;
        unsigned char data[]; /* OUTBOUND_PRE octets of room, then the text */
};

/* outbound_new: a counted copy of TEXT, with one reference: the caller's.  NULL when memory is short. */
struct outbound *outbound_new(const char *text, size_t len);

/* outbound_ref: one more reference; gives OUT back.  outbound_unref: one less; the last frees.  NULL does nothing. */
struct outbound *outbound_ref(struct outbound *out);
void outbound_unref(struct outbound *out);

/* outbound_text: the text, LEN octets, no NUL. */
static inline const char *outbound_text(const struct outbound *out)
{
        return (const char *)out->data + OUTBOUND_PRE;
}

#endif
