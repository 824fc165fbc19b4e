/* Our own listening socket: accepts, bounds how many connections are held, and hands each to whoever speaks TLS on it.
 * At the bound it stops accepting: the kernel's backlog waits, and nothing spins. */
#ifndef CONSOLE_LISTENER_H
#define CONSOLE_LISTENER_H

#include <stddef.h>

struct loop;
struct listener;

/* Connections waiting in the kernel; SOMAXCONN cuts it. */
#define LISTENER_BACKLOG 1024
/* Accepted in one turn, so that others get theirs. */
#define LISTENER_BATCH   16
/* A peer that acknowledges nothing for so long is gone: pages are written to every 2 s. */
#define LISTENER_DEAD_MS 20000
/* After running out of files accepting rests so long. */
#define LISTENER_REST_MS 200

struct listener_options {
        struct loop *loop;
        const char *address; /* IPv4 or IPv6; "::" takes both.  Borrowed for the call */
        int port;            /* 0: the system chooses */
        size_t held_max;
        void *user;
        void (*accepted)(void *user, int fd); /* FD is its own now; listener_gone when it is closed */
};

/* listener_open: bind and listen.  Returns 0, -EINVAL (address), -EADDRINUSE, -EACCES, -ENOMEM or another errno. */
int listener_open(const struct listener_options *options, struct listener **ret_listener);
/* listener_start: begin to accept.  Returns 0 or a negative errno. */
int listener_start(struct listener *listener);
/* listener_port: the port it listens on. */
int listener_port(const struct listener *listener);
/* listener_gone: a connection has ended: there is room for another. */
void listener_gone(struct listener *listener);
/* listener_held: connections held. */
size_t listener_held(const struct listener *listener);
/* listener_close: NULL does nothing.  Memory goes in the loop's next turns. */
void listener_close(struct listener *listener);

#endif
