/* socket: the unix socket of the daemon: one JSON line asks (host_ask), one JSON line answers.  And its other end,
 * for the command line.  Whoever may open the socket (0600: the daemon's own user) has the button. */
#ifndef DEVICE_HANDSET_HOST_SOCKET_H
#define DEVICE_HANDSET_HOST_SOCKET_H

#include <stddef.h>

struct host;
struct loop;
struct socket_server;

/* Largest line either way: a status with 16 alerts is some 20 KiB.  A longer request is answered with an error. */
#define SOCKET_LINE_MAX    65536
#define SOCKET_REQUEST_MAX 4096
/* Clients at once; the next one waits to be accepted. */
#define SOCKET_CLIENTS_MAX 16
/* A client has so long to ask and to read its answer; then it is cut off. */
#define SOCKET_TERM_MS     5000

/* socket_open: listen on PATH; a socket that a dead daemon left there is replaced, a live one's is not, nor any
 * other file.
 * Returns 0, -EADDRINUSE (a daemon answers there), -EEXIST (a file), an errno of the file system, -ENOMEM. */
int socket_open(struct loop *loop, struct host *host, const char *path, struct socket_server **ret_server);

/* socket_settled: what was asked so far is in the journal, or is known not to get there: answers leave.  An answer
 * waits for it at most VIGIE_JOURNAL_WAIT_MS, as the press itself does. */
void socket_settled(struct socket_server *server);

/* socket_close: end, remove the file; before the loop is closed, which frees the rest.  NULL does nothing. */
void socket_close(struct socket_server *server);

/* socket_ask: the command line's end: send WORDS to the daemon at PATH and print its answer: an alert's id, a
 * status as text or JSON, nothing, or on stderr why not.  `--wait` or `--wait=SECONDS` after a press waits until it
 * is received.
 * Returns an exit status: 0 done, 1 refused, 2 not to be sent as it is, 3 no daemon, 4 not received in time. */
int socket_ask(const char *path, size_t count, const char *const *words);

#endif
