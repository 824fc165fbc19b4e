/* The listener: one SO_REUSEPORT socket, and the waiting room before TLS.  A connection that was accepted waits here,
 * costing a file and some 300 octets, until its ClientHello is there and one of the handshake places is free; only then
 * is its socket given on.  So connections that send nothing take no place from those that do.  Loop's thread only. */
#ifndef BASE_LISTENER_H
#define BASE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct listener;

/* Connections the kernel keeps for us while the loop is busy (cut to net.core.somaxconn). */
#define LISTENER_BACKLOG 4096
/* Accepted in one turn of the loop, so that sessions are served between. */
#define LISTENER_BATCH   64
/* A connection that has sent nothing, or got no handshake place, for so long is closed. */
#define LISTENER_WAIT_MS 10000
/* A connection that has sent a part of its ClientHello is looked at again after so long, then after twice as long ... */
#define LISTENER_LOOK_MS 20
/* No files left: accepting rests for so long.  Without that the loop would spin. */
#define LISTENER_REST_MS 100

struct listener_options {
        struct loop *loop;
        const char *address;    /* IPv4, or IPv6 ("::" takes IPv4 as well) */
        int port;               /* 0: the system chooses */
        size_t connections_max; /* here and given on; at it the longest silent one gives way, else `full` is asked, else
                                 * the new one is turned away */
        size_t handshakes_max;  /* given on and neither listener_established nor listener_gone yet; the others wait */
        void *user;
        /* A connection with something to read; FD is non-blocking and the callee's from here on.  The callee answers
         * with listener_established when its handshake is over, and with listener_gone when it has ended. */
        void (*ready)(void *user, int fd);
        /* At connections_max with nobody silent: end one that was given on, in this turn of the loop or the next, and say
         * whether one ends.  NULL: none ever does. */
        bool (*full)(void *user);
};

/* What the listener counts, for metrics. */
struct listener_counts {
        uint64_t accepted;                 /* connections */
        uint64_t turned_away;              /* at connections_max, or no file left */
        uint64_t timed_out;                /* silent for LISTENER_WAIT_MS */
        uint64_t refused;                  /* gone, or what came is no TLS */
        int64_t waiting, handshakes, held; /* now: in the waiting room, in a handshake, all given on */
};

/* listener_open: bind and listen; connections queue in the kernel until listener_start.
 * Returns 0, -EINVAL (address), -EADDRINUSE and what else socket, bind and listen give, -ENOMEM. */
int listener_open(const struct listener_options *options, struct listener **ret_listener);

/* listener_raise_files: let this process open as many files as it may: how many connections it holds is a promise.
 *   wanted   connections, and what it opens beside them
 *   ret_max  how many it may open, at -EMFILE
 * Returns 0, -EMFILE (fewer than WANTED), or the errno of getrlimit or setrlimit, negative. */
int listener_raise_files(uint64_t wanted, uint64_t *ret_max);

/* listener_close: stop listening, close who waits; NULL does nothing.  Memory goes in the loop's next turns. */
void listener_close(struct listener *listener);

/* listener_start, listener_stop: accept, or refuse (the socket is closed, so that the kernel sends newcomers to the
 * other processes on the port; who waits is closed too).  Start after stop binds the same port again.  Start returns 0
 * or as open. */
int listener_start(struct listener *listener);
void listener_stop(struct listener *listener);

/* listener_leave: refuse as listener_stop does, but let those go on who are here. */
void listener_leave(struct listener *listener);

/* listener_port: the port bound, for port 0. */
int listener_port(const struct listener *listener);

/* listener_established: a connection given on has finished its handshake.  listener_gone: one has ended;
 * ESTABLISHED says whether it had finished it. */
void listener_established(struct listener *listener);
void listener_gone(struct listener *listener, bool established);

/* listener_is_crowded: say whether connections with something to read wait for a handshake place. */
bool listener_is_crowded(const struct listener *listener);

/* listener_counts: borrowed for the listener's life. */
const struct listener_counts *listener_counts(const struct listener *listener);

#endif
