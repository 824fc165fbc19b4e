/* Where a Redis is, as configurations say it: "/unix/socket", "host:port", "[IPv6]:port", or
 * "sentinel:NAME@host:port,host:port,host:port": whoever those Sentinels name as the primary of NAME.  Pure. */
#ifndef BASE_REDIS_ADDRESS_H
#define BASE_REDIS_ADDRESS_H

#include <stddef.h>

/* Octets of a unix socket's name, the system's bound; a longer one cannot be connected to. */
#define REDIS_SOCKET_MAX    107
/* Octets of a host's name: DNS allows 253. */
#define REDIS_HOST_SIZE     256
/* Sentinels that one address may list: three are usual, five many.  One more gives -E2BIG. */
#define REDIS_SENTINELS_MAX 9
/* Octets of a primary's name among Sentinels: letters, digits, '.', '-', '_' (Sentinel allows no others). */
#define REDIS_NAME_MAX      63

struct redis_place {
        char host[REDIS_HOST_SIZE]; /* name or number, IPv6 without its brackets; a unix socket's path */
        int port;                   /* 1..65535; 0: a unix socket */
};

struct redis_address {
        char name[REDIS_NAME_MAX + 1]; /* what the Sentinels call it; "": no Sentinels, place[0] is Redis itself */
        size_t count;
        struct redis_place place[REDIS_SENTINELS_MAX];
};

/* redis_address_parse: read TEXT, which must have one of the shapes above.
 * Returns 0, -EINVAL (another shape, a port outside 1..65535, a Sentinel on a unix socket or listed twice), -E2BIG (a
 * bound above).  RET_ADDRESS is written on success only.  Source: docs/DESIGN.md section 6. */
int redis_address_parse(const char *text, struct redis_address *ret_address);

#endif
