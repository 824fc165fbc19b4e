/* What the login page posts: JSON or a plain form.  Pure. */
#ifndef CONSOLE_FORM_H
#define CONSOLE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/password.h"
#include "wire/record.h"

/* Largest body of a POST: a login and a password of 256 octets, percent-encoded.  More gets 413. */
#define FORM_BODY_MAX 4096

struct form {
        char login[PERSON_ID_MAX + 1];
        char password[PASSWORD_MAX + 1];
        bool is_json; /* answered in JSON; a plain form is answered by a redirect */
};

/* form_read: read `login` and `password`.
 *   content_type  "application/json" or "application/x-www-form-urlencoded", parameters after ';' ignored
 * A login that cannot be one (person_id_valid) is read as "" and fails as an unknown one does, in the same time.
 * Returns 0, -EINVAL (another type, malformed, a field missing, twice or too long). */
int form_read(const char *content_type, const char *body, size_t len, struct form *ret_form);

#endif
