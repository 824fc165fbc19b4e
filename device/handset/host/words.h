/* words: what a person or a program asks of the daemon, as words: `press --silent`, `close helped`.  The command
 * line, the unix socket and the page all say the same words; here they become an event of libvigie-handset.  Pure. */
#ifndef DEVICE_HANDSET_HOST_WORDS_H
#define DEVICE_HANDSET_HOST_WORDS_H

#include <stddef.h>

#include "device/handset/vigie.h"

/* Words of one request, and octets of one with its NUL: a note is the longest. */
#define WORDS_MAX     8
#define WORD_SIZE_MAX 256

enum words_kind {
        WORDS_EVENT,  /* give `event` to the core */
        WORDS_PIN,    /* check `pin`, then VIGIE_ON_PIN with the verdict */
        WORDS_STATUS, /* answer with the status */
};

struct words_request {
        enum words_kind kind;
        struct vigie_event event; /* without times and random */
        char pin[16];
};

/* Why a request was refused, with its NUL: one sentence. */
#define WORDS_WHY_SIZE 160

/* What words are read against.
 *   status   the status now: a supervisor's words without an alert's id mean the one that is open here
 *   now_ms   UTC, for `--until 17:30` (local time, today or tomorrow) and `--for 8h`
 *   why      WORDS_WHY_SIZE octets: written on failure */
struct words_context {
        const struct vigie_status *status;
        int64_t now_ms;
        char *why;
};

/* words_read: read COUNT words.
 * Returns 0, -EINVAL (a word is wrong), -ENOENT (no such alert here), -E2BIG (several alerts are open: which?). */
int words_read(const struct words_context *context, const char *const *words, size_t count,
               struct words_request *ret_request);

/* words_clock: "17:30", local time: the next one after NOW_MS, as UTC s.  Returns 0, -EINVAL. */
int words_clock(const char *word, int64_t now_ms, uint32_t *ret_s);

/* words_help: the words, a line each, for --help and for mistakes. */
extern const char words_help[];

#endif
