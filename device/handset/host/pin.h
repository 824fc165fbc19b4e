/* pin: checks a PIN against its scrypt text, off the loop's thread (some 80 ms each).  Both texts are always tried,
 * so that a right PIN, the duress PIN and a wrong one take the same time. */
#ifndef DEVICE_HANDSET_HOST_PIN_H
#define DEVICE_HANDSET_HOST_PIN_H

#include "device/handset/vigie.h"

struct loop;
struct pin;

/* Longest PIN, with its NUL. */
#define PIN_SIZE 16

struct pin_options {
        struct loop *loop;
        const char *hash, *duress;
        void *user;
        void (*checked)(void *user, enum vigie_pin verdict);
};

/* pin_open: HASH and DURESS are borrowed texts of base/password.h, "" where there is none.  Returns 0, -ENOMEM. */
int pin_open(const struct pin_options *options, struct pin **ret_pin);

/* pin_check: begin to check TEXT; CHECKED is called later, in the loop.
 * Returns 0, -EBUSY (one is being checked), -EINVAL (too long). */
int pin_check(struct pin *pin, const char *text);

/* pin_close: end; the verdict of a check under way is not told.  Before the loop is closed, which frees it.  NULL
 * does nothing. */
void pin_close(struct pin *pin);

#endif
