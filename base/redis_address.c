#include "base/redis_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SENTINEL   "sentinel:"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* parse_place: "host:port" or "[IPv6]:port" of LEN octets. */
static int parse_place(const char *text, size_t len, struct redis_place *to)
{
        const char *colon = memrchr(text, ':', len);
        size_t host = colon != NULL ? (size_t)(colon - text) : 0, digits = len - host - 1;
        bool bracketed = host > 2 && text[0] == '[' && text[host - 1] == ']';
        long port = 0;

        if (colon == NULL || digits < 1 || digits > 5 || strspn(colon + 1, "0123456789") < digits)
                return -EINVAL;
        for (size_t i = 1; i <= digits; i++)
                port = port * 10 + (colon[i] - '0');
        if (!bracketed && memchr(text, ':', host) != NULL)
                return -EINVAL;
        text += bracketed;
        host -= 2 * bracketed;
        if (port < 1 || port > 65535 || host == 0)
                return -EINVAL;
        if (host >= sizeof(to->host))
                return -E2BIG;
        memcpy(to->host, text, host);
        to->host[host] = '\0';
        to->port = (int)port;
        return strpbrk(to->host, " /[]@,") == NULL ? 0 : -EINVAL;
}

/* is_new: nobody before the last place is the same: a Sentinel listed twice would have two votes. */
static bool is_new(const struct redis_address *address)
{
        const struct redis_place *last = &address->place[address->count - 1];

        for (size_t i = 0; i + 1 < address->count; i++)
                if (address->place[i].port == last->port && strcmp(address->place[i].host, last->host) == 0)
                        return false;
        return true;
}

/* parse_sentinels: "NAME@host:port,host:port". */
static int parse_sentinels(const char *text, struct redis_address *to)
{
        size_t len = strspn(text, NAME_CHARS);

        if (len == 0 || text[len] != '@')
                return -EINVAL;
        if (len > REDIS_NAME_MAX)
                return -E2BIG;
        memcpy(to->name, text, len);
        for (text += len; *text != '\0'; text += len) {
                int r;

                len = strcspn(++text, ",");
                if (to->count == REDIS_SENTINELS_MAX)
                        return -E2BIG;
                if ((r = parse_place(text, len, &to->place[to->count++])) < 0)
                        return r;
                if (!is_new(to))
                        return -EINVAL;
        }
        return 0;
}

int redis_address_parse(const char *text, struct redis_address *ret_address)
{
        struct redis_address address = { .count = 0 };
        int r;

        if (strncmp(text, SENTINEL, strlen(SENTINEL)) == 0) {
                r = parse_sentinels(text + strlen(SENTINEL), &address);
        } else if (text[0] == '/') {
                r = strlen(text) <= REDIS_SOCKET_MAX ? 0 : -E2BIG;
                strncpy(address.place[0].host, text, REDIS_SOCKET_MAX);
                address.count = 1;
        } else {
                r = parse_place(text, strlen(text), &address.place[0]);
                address.count = 1;
        }
        if (r == 0)
                *ret_address = address;
        return r;
}
