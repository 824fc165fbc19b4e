/* The link to handsets: libwebsockets on our loop, TLS by dispatcher/tls.h, sockets from base/listener.h.  It
 * translates: sessions, frames and closures go up, frames and close codes come down.  It holds no rule of the alert's
 * life.
 *
 * A session is named by a number: slot in its low half, generation in its high half, never 0.  A number outlives its
 * session harmlessly: it names nobody any more.  Loop's thread only. */
#ifndef DISPATCHER_LINK_H
#define DISPATCHER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/listener.h"
#include "dispatcher/tls.h"

struct link;

/* TLS and the upgrade must be over so long after the first octet; else the connection is closed. */
#define LINK_HANDSHAKE_MS   10000
/* So long after it, a peer that makes others wait while it sends nothing for LINK_STALLED_MS itself gives way. */
#define LINK_HURRY_MS       4000
#define LINK_STALLED_MS     3000
/* A session must send its first frame so soon. */
#define LINK_FIRST_FRAME_MS 30000
/* Silent so long: it is asked by a WebSocket ping whether it is there.  A handset off duty has nothing else to say. */
#define LINK_PING_MS        110000
/* Neither frame nor pong for so long: closed.  Two heartbeats of a minute and a half. */
#define LINK_SILENT_MS      150000
/* Frames and octets that may wait for one session.  An alert makes some ten frames of at most 10 KiB in its life; three
 * alerts' worth.  Beyond, the session is closed (1013): the handset comes back and is told anew. */
#define LINK_QUEUE_FRAMES   32
#define LINK_QUEUE_OCTETS   65536
/* A session that was told to close and whose peer does not answer is cut after so long. */
#define LINK_CLOSE_MS       5000

/* WebSocket close codes used here (RFC 6455 section 7.4.1). */
enum {
        LINK_GOING_AWAY = 1001,
        LINK_PROTOCOL_ERROR = 1002,
        LINK_TOO_BIG = 1009,
        LINK_SERVICE_RESTART = 1012,
        LINK_TRY_LATER = 1013
};

struct link_options {
        struct loop *loop;
        struct tls_files files;
        const char *address; /* as the listener takes it */
        int port;
        size_t connections_max, handshakes_max;
        int64_t ping_ms, silent_ms; /* LINK_PING_MS and LINK_SILENT_MS; tests have less time */
        size_t frame_max; /* octets of one frame from a handset; a larger one closes the session with 1009 */
        const char *subprotocol;
        void *user;
        /* A session is open.  PEER is borrowed.  A close from within takes effect. */
        void (*opened)(void *user, uint64_t session, const struct tls_peer *peer);
        /* One whole binary frame, borrowed. */
        void (*frame)(void *user, uint64_t session, const uint8_t *data, size_t len);
        /* It has ended; its number names nobody from here on. */
        void (*closed)(void *user, uint64_t session);
};

struct link_counts {
        uint64_t established, refused; /* upgrades done; handshakes or upgrades that came to nothing */
        uint64_t resumed;              /* of the established ones, TLS sessions resumed */
        uint64_t frames_in, frames_out;
        uint64_t too_big, overrun, silent; /* closed for: a frame too large, its queue full, saying nothing */
        int64_t sessions;                  /* now */
};

/* link_open: TLS, the port (bound, not yet accepting) and the WebSocket service.
 *   options  copied; its texts are borrowed until link_close
 *   ret_why  static text or a file's name, on failure
 * Returns 0 or a negative errno of tls_setup, listener_open, -ENOMEM, -EIO (libwebsockets). */
int link_open(const struct link_options *options, struct link **ret_link, const char **ret_why);

/* link_close: end all; closed() is called for no session any more.  libwebsockets finishes in the loop's next turns,
 * so the memory is given back by link_free, after loop_close.  NULL does nothing in either. */
void link_close(struct link *link);
void link_free(struct link *link);

/* link_start: accept.  link_stop: accept no more, and close every session with CODE once its queue is sent.  0 or as
 * listener. */
int link_start(struct link *link);
void link_stop(struct link *link, unsigned code);

/* link_leave: accept no more; sessions, and who is on the way to be one, stay.  For draining:
 *      link_leave; then, again and again: link_spare those that must stay for now, link_drain some; at the end link_stop. */
void link_leave(struct link *link);

/* link_spare: SESSION is not closed by the next link_drain; no such session: nothing. */
void link_spare(struct link *link, uint64_t session);

/* link_drain: close up to COUNT sessions with CODE once their queues are sent; forgets who was spared.  Returns how many. */
size_t link_drain(struct link *link, size_t count, unsigned code);

/* link_reload: read certificates, CA and ticket key again (SIGHUP), for new connections.  All are tried first: on failure what was
 * stays, and WHY says what the matter is.  Returns as tls_setup. */
int link_reload(struct link *link, const char **ret_why);

/* link_send: queue one frame for SESSION; copied.
 * Returns 0, -ENOENT (no such session, or closing), -ENOBUFS (its queue is full: it is being closed), -ENOMEM. */
int link_send(struct link *link, uint64_t session, const uint8_t *data, size_t len);

/* link_waiting: frames of SESSION that are not on their way yet; 0 too where there is no such session. */
size_t link_waiting(const struct link *link, uint64_t session);

/* link_end: close SESSION with CODE once its queue is sent.  Returns 0 or -ENOENT. */
int link_end(struct link *link, uint64_t session, unsigned code);

int link_port(const struct link *link);
const struct link_counts *link_counts(const struct link *link);
const struct listener_counts *link_listener_counts(const struct link *link);

#endif
