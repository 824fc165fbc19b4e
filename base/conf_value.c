#include "base/conf_value.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const struct {
        const char *name;
        int64_t ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 } };
#define UNITS (sizeof(units) / sizeof(units[0]))

bool conf_text_is_clean(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
                        return false;
        return utf8_is_valid(text, len);
}

/* Decimal digits with an optional minus, then whatever follows.  No blanks, no plus, no overflow. */
static int read_number(const char *text, int64_t *ret_number, const char **ret_rest)
{
        const char *digits = text[0] == '-' ? text + 1 : text;
        char *rest;

        if (digits[0] < '0' || digits[0] > '9')
                return -EINVAL;
        errno = 0;
        *ret_number = strtoll(text, &rest, 10);
        *ret_rest = rest;
        return errno == 0 ? 0 : -EINVAL;
}

static int read_int(const char *text, int64_t *ret_number)
{
        const char *rest;
        int r = read_number(text, ret_number, &rest);

        return r < 0 || *rest != '\0' ? -EINVAL : 0;
}

static int read_duration(const char *text, int64_t *ret_ms)
{
        const char *rest;
        int64_t number;

        if (read_number(text, &number, &rest) < 0 || number < 0)
                return -EINVAL;
        if (number == 0 && *rest == '\0') {
                *ret_ms = 0;
                return 0;
        }
        for (size_t i = 0; i < UNITS; i++)
                if (strcmp(rest, units[i].name) == 0)
                        return __builtin_mul_overflow(number, units[i].ms, ret_ms) ? -EINVAL : 0;
        return -EINVAL;
}

static int read_bool(const char *text, bool *ret_value)
{
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(text, words[i]) == 0) {
                        *ret_value = i % 2 == 1;
                        return 0;
                }
        return -EINVAL;
}

static int read_list(const char *text, struct conf_list *list)
{
        static const char between[] = ", \t";

        list->count = 0;
        for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
                size_t len = strcspn(text, between);

                if (list->count == CONF_LIST_MAX || len >= CONF_ITEM_SIZE)
                        return -EINVAL;
                memcpy(list->item[list->count], text, len);
                list->item[list->count++][len] = '\0';
                text += len;
        }
        return 0;
}

static int set_number(const struct conf_option *option, const char *text, void *member)
{
        int64_t value;
        int r;

        assert(option->size == sizeof(value));
        r = option->type == CONF_TYPE_INT ? read_int(text, &value) : read_duration(text, &value);
        if (r < 0 || value < option->min || value > option->max)
                return -EINVAL;
        memcpy(member, &value, sizeof(value));
        return 0;
}

static int set_text(const struct conf_option *option, const char *text, char *member)
{
        size_t len = strlen(text);

        assert(option->max < (int64_t)option->size);
        if ((int64_t)len < option->min || (int64_t)len > option->max)
                return -EINVAL;
        if (option->type == CONF_TYPE_PATH && len == 0 && (option->fallback == NULL || option->fallback[0] != '\0'))
                return -EINVAL;
        memset(member, 0, option->size);
        memcpy(member, text, len);
        return 0;
}

static int set_list(const struct conf_option *option, const char *text, struct conf_list *member)
{
        struct conf_list list = { 0 };

        assert(option->size == sizeof(list));
        if (read_list(text, &list) < 0 || (int64_t)list.count < option->min || (int64_t)list.count > option->max)
                return -EINVAL;
        *member = list;
        return 0;
}

static int set_bool(const struct conf_option *option, const char *text, bool *member)
{
        assert(option->size == sizeof(bool));
        return read_bool(text, member);
}

int conf_value_set(const struct conf_option *option, const char *text, void *config, char *rule)
{
        void *member = (char *)config + option->offset;
        int r = -EINVAL;

        switch (option->type) {
        case CONF_TYPE_INT:
        case CONF_TYPE_DURATION:
                r = set_number(option, text, member);
                break;
        case CONF_TYPE_STRING:
        case CONF_TYPE_PATH:
                r = set_text(option, text, member);
                break;
        case CONF_TYPE_LIST:
                r = set_list(option, text, member);
                break;
        case CONF_TYPE_BOOL:
                r = set_bool(option, text, member);
                break;
        }
        if (r < 0)
                conf_value_rule(option, rule);
        return r;
}

static void print_duration(int64_t ms, char *out, size_t size)
{
        size_t unit = 0;

        while (unit < UNITS - 1 && ms % units[unit].ms != 0)
                unit++;
        if (ms == 0)
                snprintf(out, size, "0");
        else
                snprintf(out, size, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}

void conf_value_rule(const struct conf_option *option, char *rule)
{
        char from[32], to[32];

        switch (option->type) {
        case CONF_TYPE_INT:
                snprintf(rule, CONF_RULE_SIZE, "a whole number, %" PRId64 " to %" PRId64, option->min, option->max);
                break;
        case CONF_TYPE_DURATION:
                print_duration(option->min, from, sizeof(from));
                print_duration(option->max, to, sizeof(to));
                snprintf(rule, CONF_RULE_SIZE, "a duration (ms, s, min, h, d), %s to %s", from, to);
                break;
        case CONF_TYPE_STRING:
                snprintf(rule, CONF_RULE_SIZE, "a text of %" PRId64 " to %" PRId64 " octets", option->min, option->max);
                break;
        case CONF_TYPE_PATH:
                snprintf(rule, CONF_RULE_SIZE, "the name of a file, at most %" PRId64 " octets", option->max);
                break;
        case CONF_TYPE_LIST:
                snprintf(rule, CONF_RULE_SIZE, "a list of %" PRId64 " to %" PRId64 " words of at most %d octets",
                         option->min, option->max, CONF_ITEM_SIZE - 1);
                break;
        case CONF_TYPE_BOOL:
                snprintf(rule, CONF_RULE_SIZE, "yes or no");
                break;
        }
}
