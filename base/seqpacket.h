/* A link to a local server that answers each datagram with one, in their order (SOCK_SEQPACKET on a unix socket): the keeper.  It
 * connects, and tries again for ever.  A question is answered exactly once: with what the server said, or with NULL, which means
 * UNKNOWN: it may or may not have been done.  Loop's thread only. */
#ifndef BASE_SEQPACKET_H
#define BASE_SEQPACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct seqpacket;

/* Between two attempts to connect. */
#define SEQPACKET_RETRY_MS    300
/* Questions that wait for their answer: some seconds of the keeper's work.  One more gives -ENOBUFS. */
#define SEQPACKET_PENDING_MAX 256
/* A question unanswered for so long drops the link: all that wait are answered NULL, so that no answer can go to another's question. */
#define SEQPACKET_TIMEOUT_MS  5000

struct seqpacket_options {
        const char *path;  /* copied; at most 107 octets */
        size_t answer_max; /* largest answer; a longer one drops the link */
        /* The link came up, or went down (or an attempt failed for another reason than the one before): WHY is static text, NULL
         * when up.  May be NULL.  Questions may be asked from it. */
        void (*state)(void *user, bool up, const char *why);
        void *user;
};

/* seqpacket_open: begin to connect, in the loop's next turn.  Returns 0, -ENAMETOOLONG, -ENOMEM. */
int seqpacket_open(struct loop *loop, const struct seqpacket_options *options, struct seqpacket **ret_link);

/* seqpacket_close: end the link; NULL does nothing.  What waits is answered NULL before this returns; no state callback comes.
 * Not from a callback of this link.  Memory goes in the loop's next turns: before loop_close. */
void seqpacket_close(struct seqpacket *link);

/* seqpacket_is_up: say whether questions are taken. */
bool seqpacket_is_up(const struct seqpacket *link);

/* The answer: LEN octets, borrowed for the call; NULL: unknown. */
typedef void seqpacket_fn(void *user, const uint8_t *answer, size_t len);

/* seqpacket_ask: send LEN octets (copied; at least 1).
 *   done  called once, never from within this call
 * Returns 0, -ENOTCONN (not up), -ENOBUFS, -EINVAL (LEN 0), -ENOMEM.  On an error DONE is not called. */
int seqpacket_ask(struct seqpacket *link, const void *data, size_t len, seqpacket_fn *done, void *user);

#endif
