#include "console/form.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "wire/people.h"

static int put(const char *value, size_t len, char *to, size_t size)
{
        if (len >= size || memchr(value, '\0', len) != NULL)
                return -EINVAL;
        memcpy(to, value, len);
        to[len] = '\0';
        return 0;
}

static int read_json(const char *body, size_t len, struct form *form)
{
        json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
        json_t *login = json_object_get(json, "login"), *password = json_object_get(json, "password");
        int r = -EINVAL;

        if (json_is_string(login) && json_is_string(password)) {
                (void)put(json_string_value(login), json_string_length(login), form->login, sizeof(form->login));
                r = put(json_string_value(password), json_string_length(password), form->password,
                        sizeof(form->password));
        }
        json_decref(json);
        return r;
}

/* decode: undo the percent-encoding of one value, at most SIZE - 1 octets. */
static int decode(const char *value, size_t len, char *to, size_t size)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                uint8_t c = (uint8_t)value[i];
                char digits[3];

                if (c == '+') {
                        c = ' ';
                } else if (c == '%') {
                        if (len - i < 3)
                                return -EINVAL;
                        snprintf(digits, sizeof(digits), "%.2s", value + i + 1);
                        if (hex_decode(digits, &c, 1) < 0)
                                return -EINVAL;
                        i += 2;
                }
                if (c == '\0' || n + 1 >= size)
                        return -EINVAL;
                to[n++] = (char)c;
        }
        to[n] = '\0';
        return 0;
}

static int read_urlencoded(const char *body, size_t len, struct form *form)
{
        bool has_login = false, has_password = false;

        for (size_t i = 0; i < len;) {
                const char *at = body + i, *end = memchr(at, '&', len - i);
                size_t n = end != NULL ? (size_t)(end - at) : len - i;

                i += n + 1;
                if (n >= 6 && memcmp(at, "login=", 6) == 0) {
                        if (has_login)
                                return -EINVAL;
                        has_login = true;
                        if (decode(at + 6, n - 6, form->login, sizeof(form->login)) < 0)
                                form->login[0] = '\0';
                } else if (n >= 9 && memcmp(at, "password=", 9) == 0) {
                        if (has_password || decode(at + 9, n - 9, form->password, sizeof(form->password)) < 0)
                                return -EINVAL;
                        has_password = true;
                }
        }
        return has_login && has_password ? 0 : -EINVAL;
}

static bool type_is(const char *content_type, const char *type)
{
        size_t n = strlen(type);

        return strncasecmp(content_type, type, n) == 0 &&
               strchr("; ", content_type[n]) != NULL; /* the NUL is found too */
}

int form_read(const char *content_type, const char *body, size_t len, struct form *ret_form)
{
        struct form form = { 0 };
        int r = -EINVAL;

        if (type_is(content_type, "application/json")) {
                form.is_json = true;
                r = read_json(body, len, &form);
        } else if (type_is(content_type, "application/x-www-form-urlencoded")) {
                r = read_urlencoded(body, len, &form);
        }
        if (r < 0)
                return r;
        if (!person_id_valid(form.login))
                form.login[0] = '\0';
        *ret_form = form;
        return 0;
}
