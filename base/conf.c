#include "base/conf.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_value.h"

/* Kept back in the errors' text for the last line. */
#define MORE_SIZE 64

struct parser {
        const struct conf_table *table;
        const struct conf_source *source;
        char *config; /* a new one, handed over when all is good */
        size_t at;    /* how far the text is read */
        int line;
        int wrong_line;                 /* the last one with an error */
        int given_in[CONF_OPTIONS_MAX]; /* line that gave the option, -1 for an override, 0 = not given */
        char *errors;
        size_t errors_len;
        unsigned more; /* errors that did not fit */
        bool wrong;
};

/* Add "file:line: message" to the errors; line 0 = the file as a whole, -1 = an override. */
__attribute__((format(printf, 3, 4))) static void complain(struct parser *p, int line, const char *fmt, ...)
{
        char text[512], where[16] = "";
        va_list args;
        int len;

        p->wrong = true;
        p->wrong_line = line;
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        if (line > 0)
                snprintf(where, sizeof(where), ":%d", line);
        if (p->more == 0) {
                size_t room = CONF_ERRORS_SIZE - MORE_SIZE - p->errors_len;

                len = snprintf(p->errors + p->errors_len, room, "%.200s%s: %s\n", line < 0 ? "-o" : p->source->file,
                               where, text);
                if (len >= 0 && (size_t)len < room) {
                        p->errors_len += (size_t)len;
                        return;
                }
        }
        snprintf(p->errors + p->errors_len, MORE_SIZE, "and %u more\n", ++p->more);
}

static const struct conf_option *find_option(const struct conf_table *table, const char *key)
{
        for (size_t i = 0; i < table->count; i++)
                if (strcmp(table->options[i].key, key) == 0)
                        return &table->options[i];
        return NULL;
}

/* Take `key = text`, said in LINE (-1: an override, which replaces). */
static void take(struct parser *p, int line, const char *key, const char *text)
{
        const struct conf_option *option = find_option(p->table, key);
        char rule[CONF_RULE_SIZE];
        int *given_in;

        if (option == NULL) {
                complain(p, line, "%.100s: there is no such key", key);
                return;
        }
        given_in = &p->given_in[option - p->table->options];
        if (line > 0 && *given_in != 0) {
                complain(p, line, "%s: given already in line %d", key, *given_in);
                return;
        }
        *given_in = line;
        if (conf_value_set(option, text, p->config, rule) < 0)
                complain(p, line, "%s: must be %s", key, rule);
}

static int take_from_file(void *user, const char *section, const char *name, const char *text)
{
        struct parser *p = user;
        char key[CONF_LINE_MAX + 1];

        snprintf(key, sizeof(key), "%s%s%s", section, section[0] != '\0' ? "." : "", name);
        take(p, p->line, key, text);
        return 1;
}

/* What is wrong with a line before libinih sees it; it would cut, join or skip such lines without a word.  NULL =
 * nothing. */
static const char *line_rule(const char *line, size_t len)
{
        const char *first = line + strspn(line, " \t"), *end;

        if (len > CONF_LINE_MAX)
                return "the line is too long: at most 197 octets";
        if (!conf_text_is_clean(line, len))
                return "must be UTF-8 without control characters";
        if (*first == '\0' || *first == ';' || *first == '#')
                return NULL;
        if (first != line)
                return "a line may not begin with a blank";
        if (*first != '[')
                return strpbrk(line, "=:") == NULL ? "neither [section] nor key = value" : NULL;
        if ((end = strchr(line, ']')) == NULL)
                return "[ without ]";
        end += 1 + strspn(end + 1, " \t");
        return *end == '\0' || *end == ';' || *end == '#' ? NULL : "only a comment may follow [section]";
}

/* libinih's reader: give the next line, or an empty one in place of a wrong one. */
static char *next_line(char *out, int size, void *user)
{
        struct parser *p = user;
        size_t left = p->source->len - p->at, len, keep;
        const char *begin, *end, *rule;

        assert(size > CONF_LINE_MAX);
        if (left == 0)
                return NULL;
        begin = p->source->text + p->at;
        end = memchr(begin, '\n', left);
        len = end != NULL ? (size_t)(end - begin) : left;
        p->at += end != NULL ? len + 1 : len;
        p->line++;
        if (len > 0 && begin[len - 1] == '\r')
                len--;
        if (p->line == 1 && len >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0) {
                begin += 3; /* a byte order mark */
                len -= 3;
        }
        keep = len <= CONF_LINE_MAX ? len : 0;
        memcpy(out, begin, keep);
        out[keep] = '\0';
        if ((rule = line_rule(out, len)) != NULL) {
                complain(p, p->line, "%s", rule);
                out[0] = '\0';
        }
        return out;
}

static void take_override(struct parser *p, const char *text)
{
        const char *equals = strchr(text, '=');
        char key[CONF_LINE_MAX + 1];

        if (equals == NULL || equals - text > CONF_LINE_MAX) {
                complain(p, -1, "%.100s: must be section.key=value", text);
        } else if (!conf_text_is_clean(text, strlen(text))) {
                complain(p, -1, "must be UTF-8 without control characters");
        } else {
                memcpy(key, text, (size_t)(equals - text));
                key[equals - text] = '\0';
                take(p, -1, key, equals + 1);
        }
}

static void take_defaults(struct parser *p)
{
        char rule[CONF_RULE_SIZE];

        for (size_t i = 0; i < p->table->count; i++) {
                const struct conf_option *option = &p->table->options[i];
                int r = 0;

                if (p->given_in[i] != 0)
                        continue;
                if (option->fallback == NULL)
                        complain(p, 0, "%s: must be given: %s", option->key, option->help);
                else
                        r = conf_value_set(option, option->fallback, p->config, rule);
                assert(r == 0); /* our own table */
        }
}

static int parse(struct parser *p)
{
        char why[256] = "";
        int r;

        if (p->source->len > CONF_FILE_MAX) {
                complain(p, 0, "the file is too large: at most %d octets", CONF_FILE_MAX);
                return -EINVAL;
        }
        r = ini_parse_stream(next_line, p, take_from_file, p);
        if (r < 0)
                return -ENOMEM;
        if (r > 0 && !p->wrong)
                complain(p, r, "neither [section] nor key = value");
        for (size_t i = 0; i < p->source->override_count; i++)
                take_override(p, p->source->overrides[i]);
        take_defaults(p);
        if (!p->wrong && p->table->check != NULL && p->table->check(p->config, why, sizeof(why)) < 0)
                complain(p, 0, "%s", why);
        return p->wrong ? -EINVAL : 0;
}

int conf_parse(const struct conf_table *table, const struct conf_source *source, void *config, char *errors)
{
        struct parser *p = calloc(1, sizeof(*p));
        int r = -ENOMEM;

        assert(table->count <= CONF_OPTIONS_MAX);
        errors[0] = '\0';
        if (p != NULL && (p->config = calloc(1, table->config_size)) != NULL) {
                p->table = table;
                p->source = source;
                p->errors = errors;
                r = parse(p);
        }
        if (r == -ENOMEM)
                snprintf(errors, CONF_ERRORS_SIZE, "%.200s: out of memory\n", source->file);
        if (r == 0)
                memcpy(config, p->config, table->config_size);
        if (p != NULL)
                free(p->config);
        free(p);
        return r;
}
