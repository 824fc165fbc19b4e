/* Loading from the alerts' Redis into the core, step by step on the store's link:
 *
 *      positions of feed and changes - people, supervisors first - open alerts - notices - duty
 *
 * in that order, so that what changes meanwhile is read again from the feed and nothing falls between (DESIGN
 * section 6). */
#ifndef DISPATCHER_LOAD_H
#define DISPATCHER_LOAD_H

#include "dispatcher/config.h"
#include "dispatcher/core.h"
#include "dispatcher/people.h"
#include "dispatcher/reply.h"

struct load;
struct redis_link;

/* Entries of a hash asked for at once: some 200 KB of answer, 2 ms of work between two turns of the loop. */
#define LOAD_PAGE    1000
/* Records asked for at once; each is at most 8 KiB. */
#define LOAD_RECORDS 100

struct load_result {
        struct stream_id feed, changes; /* read the streams behind these */
        size_t people, records, bad;    /* entries loaded; entries that could not be read */
};

struct load_options {
        struct redis_link *link;
        const struct config *config;
        struct core *core;
        /* The core knows the people as of `since`, a position of {r}:people:changes: while that entry is still there,
         * the changes behind it tell the rest, and the supervisors alone are read again (duty needs their ids). */
        bool loaded;
        struct stream_id since;
        void *user;
        /* All people are going to be loaded, and then each of them, for the snapshot; may be NULL. */
        void (*people)(void *user);
        void (*person)(void *user, enum people_kind kind, const char *field, struct cbor_span value);
        /* Each supervisor's duty, NULL: off.  May be NULL. */
        void (*duty)(void *user, const char *person, const struct duty_entry *duty);
        /* All is loaded (0), or it came to nothing: a negative errno (-EIO Redis's error or a lost link).  LOAD is
         * freed after this returns. */
        void (*done)(void *user, int error, const struct load_result *result);
        /* load_person alone: what {r}:people:changes said behind BEFORE could not be read. */
        struct stream_id before;
        void (*lost)(void *user, struct stream_id before);
};

/* load_begin: begin; done() tells the end, never from within this call... unless load_cancel came first.  Options
 * are copied. Returns 0, -ENOMEM, or what redis_command gave. */
int load_begin(const struct load_options *options, struct load **ret_load);

/* load_cancel: forget it: done() is not called.  NULL does nothing. */
void load_cancel(struct load *load);

/* load_person: read one entry of a people hash again and tell the core: it was changed.  Where that cannot be asked, or the answer is an
 * error or none, lost() is told, maybe from within this call. */
void load_person(const struct load_options *options, enum people_kind kind, const char *field);

#endif
