/* Reading what a page sent, strictly: each field is taken once, and what is left over, missing, of another type or out of its bounds
 * makes the whole bad.  Pure. */
#ifndef CONSOLE_TAKE_H
#define CONSOLE_TAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Times from a page: 2020 to 2100. */
#define TAKE_MIN_S INT64_C(1577836800)
#define TAKE_MAX_S INT64_C(4102444800)

/* An object being read: how many of its fields were understood, so that an unknown one is noticed. */
struct take {
        json_t *object; /* borrowed; NULL or no object: every field is missing */
        size_t used;
        bool bad;
};

/* take_any: the field NAME, borrowed; NULL when absent. */
json_t *take_any(struct take *t, const char *name);

/* take_text: the field NAME, at most SIZE - 1 octets; "" when absent and not REQUIRED. */
void take_text(struct take *t, const char *name, bool required, char *to, size_t size);

/* take_hex: 2 * LEN hex digits, lower case, LEN at most 16. */
void take_hex(struct take *t, const char *name, uint8_t *to, size_t len);

/* take_seconds: a time in ms, kept as s; absent: 0, and bad where REQUIRED. */
uint32_t take_seconds(struct take *t, const char *name, bool required);

/* take_number: MIN..MAX, required. */
double take_number(struct take *t, const char *name, double min, double max);

/* take_bool: required. */
bool take_bool(struct take *t, const char *name);

/* take_end: say whether all was well and nothing is left over. */
bool take_end(const struct take *t);

#endif
