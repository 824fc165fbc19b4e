/* The pass desk's inside, shared by pass_desk.c (pages), pass_job.c (keeper), pass_issue.c, pass_end.c (revoke, lost, unlock),
 * pass_again.c (after an unlock), pass_list.c (the status list), pass_minute.c (what is done without being asked) and pass_edit.c. */
#ifndef CONSOLE_PASS_INSIDE_H
#define CONSOLE_PASS_INSIDE_H

#include <jansson.h>

#include "base/loop.h"
#include "base/seqpacket.h"
#include "console/pass_desk.h"
#include "console/pass_rule.h"
#include "console/pass_view.h"

struct pass_page {
        struct pass_page *next, *prev;
        struct pass_desk *desk;
        struct page *page;
        uint64_t number;
};

struct pass_waiter;
struct edit;

struct pass_desk {
        struct pass_desk_options options;
        struct books *books;
        struct pass_store *store;
        struct seqpacket *keeper; /* NULL: not configured */
        const char *keeper_told;  /* the word that pages have */
        bool has_root;
        uint8_t root[32];
        uint32_t ref;
        struct pass_page *pages;
        uint64_t page_number;
        unsigned jobs, changed; /* under way; bits of enum pass_what */
        struct wheel_timer tell, minute, renewal, list_again;
        int64_t looked_us; /* in finding, since pages were told last */
        size_t renew_place; /* how far passes that end were looked at */
        unsigned renew_left;
        struct edit *edits;
        struct pass_waiter *list_next, *list_now; /* who waits for the next list, for the one under way */
        bool list_asked, list_retried, closing;
};

/* Consents that wait in a region: a morning's.  One more is answered `busy`: nobody fills the store with them. */
#define PASS_CONSENTS_MAX 500

/* Passes of one phone that come again after an unlock: more than a day has.  Further ones do not. */
#define PASS_AGAIN_MAX 8
/* One console has so long for that, which is longer than the keeper takes; then another may try. */
#define PASS_AGAIN_MS  20000

/* A phone is claimed for one carrier while a pass for it is under way, which is longer than keeper and store take; after that for as
 * long as a change takes to reach the books, and more. */
#define PASS_CLAIM_MS       20000
#define PASS_CLAIM_AFTER_MS 2000

/* A thing under way: who asked, and what came of it so far. */
struct job {
        struct pass_desk *desk;
        uint64_t page; /* 0: nobody waits for an answer */
        uint8_t command[EVENT_ID_SIZE];
        struct viewer viewer;
        struct pass_plan *plan;
        bool consent;                  /* said yes to `key` of BOOK_CONSENTS */
        bool taken, claimed;           /* `key` is out of the store; `handset` is claimed (issue_begin) */
        char key[LOOKUP_NAME_MAX + 1]; /* the consent, request or pass that it is about */
        char handset[HANDSET_ID_TEXT];
        uint8_t pass[PASS_ID_SIZE], subject[PASS_SUBJECT_SIZE];
        uint32_t status, until_s;
        uint8_t *parcel;
        size_t parcel_len;
        json_t *more;
        unsigned n, waiting; /* counted; answers outstanding */
        bool failed;
        enum order_kind order;
        uint8_t challenge[ORDER_CHALLENGE_SIZE];
        struct handset_entry phone;
        bool revokes;       /* after an unlock: the first step */
        struct job *parent; /* hears how it ended: again_ended */
};

/* job_new: for what PAGE (NULL: nobody) asked by COMMAND; NULL: too many, or memory is short. */
struct job *job_new(struct pass_desk *desk, const struct pass_page *page, const uint8_t command[EVENT_ID_SIZE]);
/* job_end: answer, and free.  MORE of the job goes with it. */
void job_end(struct job *job, enum pass_code code);

/* keeper_ask: ask the keeper; the request's `by` is the caller's to set.
 *   done   called once: DONE with ANSWER, else why not and NULL; from within this call where the keeper cannot be asked at all */
typedef void keeper_fn(struct job *job, enum pass_code code, const struct keeper_answer *answer);
void keeper_ask(struct job *job, const struct keeper_request *request, keeper_fn *done);

/* now_s: UTC by our own clock, which is the keeper's: it is on this machine. */
uint32_t now_s(void);

/* issue_begin: PLAN (taken by the job) is to be signed and sent: nobody else has to agree.  issue_asked, issue_consent: what the
 * page's ask of these kinds does. */
void issue_begin(struct job *job);
void issue_ask(struct job *job, const struct pass_ask *ask);
void issue_asked(struct job *job, const struct pass_ask *ask);
void issue_consent(struct job *job, const struct pass_ask *ask);
/* issue_claim_end: the job ends: its claim on the phone ends when the books have what it did. */
void issue_claim_end(const struct job *job);

/* end_revoke, end_lost, end_unlock: what the page's ask does. */
void end_revoke(struct job *job, const struct pass_ask *ask);
void end_lost(struct job *job, const struct pass_ask *ask);
void end_unlock(struct job *job, const struct pass_ask *ask);

/* put_revoked: the pass ITEM is revoked by the job's login, into the transaction that was begun.  Says whether it was one that had to be. */
bool put_revoked(const struct job *job, const struct book_item *item);

/* again_on_vault: the phone HANDSET told of its vault: where it has a new PIN after an unlock, its passes come again, for its new key.
 * again_on_pass: the pass KEY changed: where it was the last one to be revoked for that, others are given.  again_on_minute: those of all
 * phones for which that could not be done then.  again_ended: one that was to come for JOB came, or did not. */
void again_on_vault(struct pass_desk *desk, const char *handset);
void again_on_pass(struct pass_desk *desk, const char *key);
void again_on_minute(struct pass_desk *desk);
void again_ended(struct job *job, enum pass_code code);

/* list_renew: have a status list signed now and stored.  DONE is called once, perhaps from within the call: CODE_DONE and when
 * it was issued; else why not, and 0.  list_close: whoever waits is told AWAY. */
typedef void list_fn(void *user, enum pass_code code, uint32_t issued_s);
void list_renew(struct pass_desk *desk, list_fn *done, void *user);
void list_close(struct pass_desk *desk);
void list_on_again(struct wheel_timer *timer, int64_t now_mono_ms);
/* list_issued: when the newest one was; 0: there is none. */
uint32_t list_issued(const struct pass_desk *desk);

/* edits_close: edits whose rows are being judged are answered `away`. */
void edits_close(struct pass_desk *desk);

/* lease_ask: of several consoles one does what NAME says, for MS: DONE gets a status where it is this one.  Returns redis_command's. */
int lease_ask(struct pass_desk *desk, const char *name, int64_t ms, redis_fn *done, void *user);

/* minute_on, renew_on: the timers'. */
void minute_on(struct wheel_timer *timer, int64_t now_mono_ms);
void renew_on(struct wheel_timer *timer, int64_t now_mono_ms);

/* store_away: say whether nothing can be written now. */
bool store_away(const struct pass_desk *desk);

#endif
