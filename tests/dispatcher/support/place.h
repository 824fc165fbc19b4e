/* A folder of its own for one test, with certificates, and private servers in it. */
#ifndef TESTS_DISPATCHER_SUPPORT_PLACE_H
#define TESTS_DISPATCHER_SUPPORT_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct place {
        char dir[64];
        pid_t redis; /* 0: none */
};

/* place_open: make the folder.  place_close: end what runs in it (by its pid) and remove it.  Failures end the test
 * program. */
void place_open(struct place *place);
void place_close(struct place *place);

/* place_path: DIR/NAME, in a static ring of 8 texts. */
const char *place_path(const struct place *place, const char *name);

/* place_redis: start redis-server on DIR/NAME.sock and wait until it answers; place_redis_stop: kill it. */
void place_redis(struct place *place, const char *name);
void place_redis_stop(struct place *place);

/* place_authority: a CA of its own: NAME.pem and NAME.key.  P-256. */
void place_authority(const struct place *place, const char *name);

/* place_certificate: NAME.pem and NAME.key, signed by AUTHORITY; valid from DAYS_FROM to DAYS_TO days from now. 
 * SERIAL: the subject's serialNumber; NULL: none.  URI: a name of that kind; NULL: none. */
struct place_subject {
        const char *cn, *serial, *uri;
        int days_from, days_to;
};
void place_certificate(const struct place *place, const char *authority, const char *name,
                       const struct place_subject *subject);

/* place_write: a file. */
void place_write(const struct place *place, const char *name, const void *data, size_t len);

#endif
