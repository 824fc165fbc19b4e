/* A fixed heap for libcrypto, so that a door's memory has a bound and nothing that is shown to it asks the system's
 * heap.
 *
 * Checking one signature makes and frees some hundreds of libcrypto's objects, and the same ones each time.  Pieces of
 * 2^n octets, a list of free ones for each n, none ever joined or cut again: after the first check the lists hold all
 * that any later one needs. When it is full libcrypto gets no memory: the signature does not verify, and the door
 * stays shut.
 *
 * For programs of one thread.  Holds file-scope state: libcrypto's hooks carry no pointer of ours. */
#ifndef DEVICE_DOOR_ARENA_H
#define DEVICE_DOOR_ARENA_H
#include <stddef.h>

/* tests/bench/door_bench.c says what is used: a fifth of it. */
#define ARENA_SIZE (4 * 1024 * 1024)

/* arena_install: from now on libcrypto's memory is the arena.  Before anything else of libcrypto is called.
 * Returns 0, -EBUSY (libcrypto has allocated already). */
int arena_install(void);

/* arena_used: octets that were ever taken from it: rises no more after the first pass. */
size_t arena_used(void);
#endif
