#include "console/take.h"

#include <string.h>

#include "base/hex.h"

json_t *take_any(struct take *t, const char *name)
{
        json_t *value = json_object_get(t->object, name);

        if (value != NULL)
                t->used++;
        return value;
}

void take_text(struct take *t, const char *name, bool required, char *to, size_t size)
{
        json_t *value = take_any(t, name);

        to[0] = '\0';
        if (value == NULL) {
                t->bad |= required;
                return;
        }
        if (!json_is_string(value) || json_string_length(value) >= size ||
            strlen(json_string_value(value)) != json_string_length(value)) {
                t->bad = true;
                return;
        }
        strcpy(to, json_string_value(value));
}

void take_hex(struct take *t, const char *name, uint8_t *to, size_t len)
{
        char text[33] = "";

        take_text(t, name, true, text, sizeof(text));
        if (strspn(text, "0123456789abcdef") != strlen(text) || hex_decode(text, to, len) < 0)
                t->bad = true;
}

uint32_t take_seconds(struct take *t, const char *name, bool required)
{
        json_t *value = take_any(t, name);
        json_int_t ms = json_integer_value(value);

        if (value == NULL && !required)
                return 0;
        if (!json_is_integer(value) || ms / 1000 < TAKE_MIN_S || ms / 1000 > TAKE_MAX_S) {
                t->bad = true;
                return 0;
        }
        return (uint32_t)(ms / 1000);
}

double take_number(struct take *t, const char *name, double min, double max)
{
        json_t *value = take_any(t, name);
        double number = json_number_value(value);

        if (!json_is_number(value) || !(number >= min && number <= max)) {
                t->bad = true;
                return 0;
        }
        return number;
}

bool take_bool(struct take *t, const char *name)
{
        json_t *value = take_any(t, name);

        if (!json_is_boolean(value))
                t->bad = true;
        return json_is_true(value);
}

bool take_end(const struct take *t)
{
        return !t->bad && t->used == json_object_size(t->object);
}
