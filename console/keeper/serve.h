/* The keeper's socket: who calls is known by their system user; each datagram is a request, each is answered by one. */
#ifndef KEEPER_SERVE_H
#define KEEPER_SERVE_H
#include <sys/types.h>

#include "console/keeper/audit.h"

/* Processes that are connected: two consoles and some ten dispatchers, twice that for each of the two kinds, so that consoles gone
 * wild keep no dispatcher out.  One more is closed at once. */
#define SERVE_PEERS_EACH 24
#define SERVE_PEERS_MAX  (2 * SERVE_PEERS_EACH)

struct serve_peer {
        int fd;
        enum keeper_peer who;
};

struct serve {
        struct keeper *keeper;
        struct audit *audit;
        uid_t console, dispatcher; /* dispatcher (uid_t)-1: none */
        int listener;
        struct serve_peer peers[SERVE_PEERS_MAX];
        size_t count;
        bool clock_is_off; /* was said */
        uint8_t request[KEEPER_MESSAGE_MAX], answer[KEEPER_MESSAGE_MAX];
};

/* serve_time: what the clocks say: UTC, and the time since the machine began, its sleep included. */
struct keeper_time serve_time(void);

/* serve_open: listen at PATH, mode 0660; what was left there by a process that died goes.  Returns 0 or a negative errno
 * (-EADDRINUSE: somebody answers there). */
int serve_open(struct serve *serve, const char *path);

/* serve_run: until SIGTERM or SIGINT.  Returns 0 or a negative errno. */
int serve_run(struct serve *serve);

void serve_close(struct serve *serve);
#endif
