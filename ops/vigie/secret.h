/* secret: passwords and PINs as an operator gives them: on standard input, one a line, never on the command line, where
 * others of the machine see them. */
#ifndef OPS_VIGIE_SECRET_H
#define OPS_VIGIE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* secret_read: read one line of standard input, no octet more.  On a terminal it is not shown, and asked for twice.
 *   what  names it, for prompt and message: "password"
 *   to    SIZE octets with its NUL; the caller wipes it (on an error it is wiped)
 * Returns its length; -ENODATA (no line), -EMSGSIZE (longer), -EBADMSG (a NUL in it, or two that differ): told on
 * stderr. */
int secret_read(const char *what, char *to, size_t size);

/* pin_is_valid: 4 to 8 digits. */
bool pin_is_valid(const char *pin);

/* pins_too_alike: say whether one slip of the finger makes B of A: one digit another, too many or missing, or two
 * neighbours swapped.  A PIN and a duress PIN may not be: it would happen one day.  (Equal ones are.) */
bool pins_too_alike(const char *a, const char *b);

#endif
