/* pin: checks a PIN against its scrypt text, off the loop's thread (some 80 ms).  Both texts are always tried, so that a right PIN, the
 * duress PIN and a wrong one take the same time. */
#ifndef DEVICE_HANDSET_HOST_PIN_H
#define DEVICE_HANDSET_HOST_PIN_H

#include "device/handset/vigie.h"

struct loop;
struct pin;

/* pin_open: HASH and DURESS are borrowed texts of base/password.h, "" where there is none.  Returns 0, -ENOMEM. */
int pin_open(struct loop *loop, const char *hash, const char *duress, void (*checked)(void *user, enum vigie_pin verdict),
             void *user, struct pin **ret_pin);

/* pin_check: begin to check PIN; CHECKED is called later, in the loop.  Returns 0, -EBUSY (one is being checked). */
int pin_check(struct pin *pin, const char *text);

/* pin_close: end, waiting for a check under way; its verdict is not told.  NULL does nothing. */
void pin_close(struct pin *pin);

#endif
