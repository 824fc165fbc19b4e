/* Origins: which pages may talk to us, and the policy that our own pages get.  Pure.
 * Source: RFC 6454 (serialised form), CSP level 3, WHATWG Fetch. */
#ifndef CONSOLE_ORIGIN_H
#define CONSOLE_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"

/* Origins of one console: its names and a few old ones; the list's own bound.  More is a configuration error. */
#define ORIGINS_MAX CONF_LIST_MAX
/* Octets of one with its NUL. */
#define ORIGIN_SIZE CONF_ITEM_SIZE
/* Octets of the policy's text: 2 x 16 origins with their words.  Longer is -ENOBUFS at the start. */
#define POLICY_SIZE 4096

struct origins {
        size_t count;
        char item[ORIGINS_MAX][ORIGIN_SIZE];
};

/* origin_is_valid: say whether TEXT is https://host or https://host:port, as a browser writes an Origin header: lower
 * case, host of letters, digits, '-' and '.', or [IPv6]; port 0 allowed (see origins_init). */
bool origin_is_valid(const char *text);

/* origins_init: take the configured origins (each valid); port 0 becomes PORT (1..65535), and :443 is left out, as
 * browsers do. */
void origins_init(const struct conf_list *list, int port, struct origins *ret_origins);

/* origins_has: say whether ORIGIN, an Origin header, is exactly one of them.  NULL is not. */
bool origins_has(const struct origins *origins, const char *origin);

/* origins_has_host: say whether HOST, a Host header, is the host[:port] of one of them, whatever the case.  NULL is
 * not. */
bool origins_has_host(const struct origins *origins, const char *host);

/* origin_of_tiles: the origin of a tile URL.
 *   url         https://host[:port]/ then anything that holds {z}, {x} and {y}; none of them in the host
 *   ret_origin  ORIGIN_SIZE octets
 * Returns 0, -EINVAL. */
int origin_of_tiles(const char *url, char *ret_origin);

/* origin_policy: the Content-Security-Policy of every answer: nothing but our own files, no inline script or style.
 *   tile_url   "" or good for origin_of_tiles
 *   ancestors  origins that may frame us
 *   out        POLICY_SIZE octets
 * Returns 0, -ENOBUFS. */
int origin_policy(const struct origins *origins, const char *tile_url, const struct conf_list *ancestors, char *out);

#endif
