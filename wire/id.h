/* Ids (PROTOCOL.md 2).  They come from the phone, never from a counter of the server's. */
#ifndef WIRE_ID_H
#define WIRE_ID_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDSET_ID_SIZE   8
#define ALERT_NONCE_SIZE  8
#define ALERT_ID_SIZE     (HANDSET_ID_SIZE + ALERT_NONCE_SIZE)
#define HANDSET_ID_TEXT   (2 * HANDSET_ID_SIZE + 1)     /* lower-case hex and the closing NUL */
#define ALERT_ID_TEXT     (2 * ALERT_ID_SIZE + 1)

/* A handset: given at enrolment, unchanged by key renewal; the kid of what it signs, the CN of its certificate in
 * hex. */
struct handset_id {
        uint8_t octets[HANDSET_ID_SIZE];
};

/* An alert: its handset's id, then the nonce drawn at the press. */
struct alert_id {
        uint8_t octets[ALERT_ID_SIZE];
};

/* alert_id_make: the id of the alert that HANDSET raised with NONCE. */
struct alert_id alert_id_make(const struct handset_id *handset, const uint8_t nonce[ALERT_NONCE_SIZE]);

/* alert_id_handset: the handset that raised it. */
struct handset_id alert_id_handset(const struct alert_id *id);

/* handset_id_equal, alert_id_equal: say whether both are the same. */
bool handset_id_equal(const struct handset_id *a, const struct handset_id *b);
bool alert_id_equal(const struct alert_id *a, const struct alert_id *b);

/* handset_id_to_text, alert_id_to_text: lower-case hex with a closing NUL. */
void handset_id_to_text(const struct handset_id *id, char text[HANDSET_ID_TEXT]);
void alert_id_to_text(const struct alert_id *id, char text[ALERT_ID_TEXT]);

/* handset_id_from_text, alert_id_from_text: read the hex form, either case, exactly 16 or 32 digits and nothing else.
 * Returns 0, -EINVAL. */
int handset_id_from_text(const char *text, struct handset_id *ret_id);
int alert_id_from_text(const char *text, struct alert_id *ret_id);
#endif
