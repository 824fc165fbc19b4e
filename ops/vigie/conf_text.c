#include "ops/vigie/conf_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/conf_value.h"
#include "ops/vigie/say.h"

static void add(struct conf_text *text, const char *line)
{
        size_t len = strlen(line);

        if (text->error == 0 && text->len + len + 2 > sizeof(text->text))
                text->error = -ENOBUFS;
        if (text->error < 0)
                return;
        memcpy(text->text + text->len, line, len);
        text->len += len;
        text->text[text->len++] = '\n';
        text->text[text->len] = 0;
}

void conf_text_init(struct conf_text *text, const char *comment)
{
        text->len = 0;
        text->error = 0;
        text->text[0] = 0;
        if (comment[0] != 0)
                add(text, comment);
}

void conf_text_section(struct conf_text *text, const char *name)
{
        char line[64];

        snprintf(line, sizeof(line), "[%s]", name);
        add(text, line);
}

/* What of VALUE would not come back as it is; NULL = nothing. */
static const char *rule(const char *value, size_t line_len)
{
        size_t len = strlen(value);

        if (line_len > CONF_LINE_MAX)
                return "too long: a line of a configuration has at most 197 octets, its key with them";
        if (!conf_text_is_clean(value, len))
                return "a configuration is UTF-8 without control characters";
        if (strstr(value, " ;") != NULL || strstr(value, "\t;") != NULL || value[0] == ';')
                return "';' after a blank begins a comment in a configuration";
        if (len > 0 && (strchr(" \t", value[0]) != NULL || strchr(" \t", value[len - 1]) != NULL))
                return "a configuration drops blanks around a value";
        return NULL;
}

void conf_text_line(struct conf_text *text, const char *line)
{
        add(text, line);
}

void conf_text_key(struct conf_text *text, const char *key, const char *format, ...)
{
        char value[1024], line[1100];
        const char *why;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(value, sizeof(value), format, ap);
        va_end(ap);
        if (text->error == 0 && (why = rule(value, strlen(key) + 3 + (size_t)n)) != NULL)
                text->error = say_wrong("%s = %.300s: %s", key, value, why);
        snprintf(line, sizeof(line), "%s = %s", key, value);
        add(text, line);
        explicit_bzero(value, sizeof(value));
        explicit_bzero(line, sizeof(line));
}
