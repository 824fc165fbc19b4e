#include "console/origin.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME "https://"

static const char *skip_host(const char *p)
{
        const char *begin = p;

        if (*p == '[') {
                for (p++; isxdigit((unsigned char)*p) || *p == ':'; p++)
                        if (isupper((unsigned char)*p))
                                return NULL;
                return *p == ']' && p > begin + 2 ? p + 1 : NULL;
        }
        while (islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '-' || *p == '.')
                p++;
        return p > begin ? p : NULL;
}

/* skip_origin: the end of the origin that TEXT begins with, or NULL. */
static const char *skip_origin(const char *text)
{
        const char *p;
        char *end;

        if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 || (p = skip_host(text + strlen(SCHEME))) == NULL)
                return NULL;
        if (*p != ':')
                return p;
        if (!isdigit((unsigned char)p[1]) || (p[1] == '0' && isdigit((unsigned char)p[2])))
                return NULL;
        return strtol(p + 1, &end, 10) <= 65535 ? end : NULL;
}

bool origin_is_valid(const char *text)
{
        const char *end = skip_origin(text);

        return end != NULL && *end == '\0' && (size_t)(end - text) < ORIGIN_SIZE - 6;
}

void origins_init(const struct conf_list *list, int port, struct origins *ret_origins)
{
        assert(list->count <= ORIGINS_MAX);
        ret_origins->count = list->count;
        for (size_t i = 0; i < list->count; i++) {
                const char *text = list->item[i], *host_end = skip_host(text + strlen(SCHEME));
                int own = host_end != NULL && *host_end == ':' ? atoi(host_end + 1) : 443;

                if (own == 0)
                        own = port;
                snprintf(ret_origins->item[i], ORIGIN_SIZE, "%.*s:%d", (int)(host_end - text), text, own);
                if (own == 443)
                        ret_origins->item[i][host_end - text] = '\0';
        }
}

bool origins_has(const struct origins *origins, const char *origin)
{
        for (size_t i = 0; origin != NULL && i < origins->count; i++)
                if (strcmp(origins->item[i], origin) == 0)
                        return true;
        return false;
}

bool origins_has_host(const struct origins *origins, const char *host)
{
        for (size_t i = 0; host != NULL && i < origins->count; i++)
                if (strcasecmp(origins->item[i] + strlen(SCHEME), host) == 0)
                        return true;
        return false;
}

int origin_of_tiles(const char *url, char *ret_origin)
{
        const char *end = skip_origin(url);

        if (end == NULL || *end != '/' || (size_t)(end - url) >= ORIGIN_SIZE || strstr(end, "{z}") == NULL ||
            strstr(end, "{x}") == NULL || strstr(end, "{y}") == NULL)
                return -EINVAL;
        memcpy(ret_origin, url, (size_t)(end - url));
        ret_origin[end - url] = '\0';
        return 0;
}

struct text {
        char *at;
        size_t len;
        bool full;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(text->at + text->len, POLICY_SIZE - text->len, fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= POLICY_SIZE - text->len)
                text->full = true;
        else
                text->len += (size_t)n;
}

int origin_policy(const struct origins *origins, const char *tile_url, const struct conf_list *ancestors, char *out)
{
        struct text text = { .at = out };
        char tiles[ORIGIN_SIZE] = "";

        if (tile_url[0] != '\0')
                (void)origin_of_tiles(tile_url, tiles);
        add(&text,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:%s%s; connect-src 'self'",
            tiles[0] != '\0' ? " " : "", tiles);
        for (size_t i = 0; i < origins->count; i++) /* older Safari does not count wss: among 'self' */
                add(&text, " wss://%s", origins->item[i] + strlen(SCHEME));
        add(&text, "; base-uri 'none'; form-action 'self'; frame-ancestors");
        for (size_t i = 0; i < ancestors->count; i++)
                add(&text, " %s", ancestors->item[i]);
        add(&text, "%s", ancestors->count == 0 ? " 'none'" : "");
        return text.full ? -ENOBUFS : 0;
}
