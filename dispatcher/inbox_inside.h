/* Inside the inbox of the run: for inbox_run.c and the files beside it (inbox_call.c, inbox_confirm.c, inbox_list.c, inbox_opened.c,
 * inbox_text.c). */
#ifndef DISPATCHER_INBOX_INSIDE_H
#define DISPATCHER_INBOX_INSIDE_H

#include "dispatcher/inbox.h"
#include "dispatcher/run_inside.h"
#include "dispatcher/script.h"
#include "dispatcher/table.h"

/* While something is to be sent: so often one frame to each session whose last one is on its way. */
#define INBOX_STEP_MS     50
/* {r}:people:changes, as the operator's tool keeps it. */
#define INBOX_CHANGES_MAX "100000"
/* Entries of one inbox: the console adds no more. */
#define INBOX_ENTRIES_MAX "16"
/* Handsets with orders that go by SMS.  One more gets its order by data alone. */
#define INBOX_TEXTED_MAX  256

/* Openings that are not written yet: as many as places are asked for.  One more is in the keeper's audit alone, and in our log. */
#define INBOX_UNTOLD_MAX  1024

/* The keeper opened a place, and the store does not have that yet. */
struct inbox_untold {
        uint8_t handset[HANDSET_ID_SIZE];
        struct opened_entry entry;
        bool asked; /* it is being written */
};

/* A handset whose orders go by SMS. */
struct inbox_texted {
        uint8_t handset[HANDSET_ID_SIZE];
        char number[NUMBER_MAX + 1];
        unsigned times; /* said */
        int64_t due_mono_ms;
};

struct inbox {
        struct run *run;
        struct scripts scripts;
        struct table peers, newest; /* of inbox_peer, by session; each handset's newest session */
        struct inbox_peer *work, **work_end;
        struct inbox_list list;
        size_t held;          /* orders in hand */
        bool up;              /* the alerts' Redis is loaded */
        int64_t step_mono_ms; /* 0: none is due */
        struct wheel_timer step;
        struct inbox_texted texted[INBOX_TEXTED_MAX];
        size_t texted_count;
        struct inbox_untold untold[INBOX_UNTOLD_MAX];
        size_t untold_count;
        struct log_limit log;
};

/* A command under way, and what it is about; freed by the callback of its last answer. */
struct inbox_call {
        struct inbox *inbox;
        uint64_t session, ref; /* ref: of the SMS that brought it; 0 none */
        uint8_t handset[HANDSET_ID_SIZE];
        struct confirm confirm;
        uint32_t request;
        int64_t opened_ms; /* of the opening that is written */
        size_t pending; /* commands of it whose answers are to come */
        bool bad;       /* one of its answers was an error, or the link broke */
};

/* ---- inbox_call.c.  What gives a command returns 0, or a negative errno of redis_command: DONE will not be called, CALL is the caller's still. */

/* inbox_call_new: a call about HANDSET.  Returns NULL: no memory. */
struct inbox_call *inbox_call_new(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE]);

/* inbox_call_came: an answer of CALL is in.  Returns whether it, and all before it, are good and the run goes on. */
bool inbox_call_came(struct inbox_call *call, const struct redisReply *reply);

/* inbox_call_give: give the alerts' Redis ARGS; DONE gets CALL. */
int inbox_call_give(struct inbox_call *call, struct redis_args *args, redis_fn *done);

/* inbox_call_entries: read the oldest COUNT entries of the handset's inbox. */
int inbox_call_entries(struct inbox_call *call, const char *count, redis_fn *done);

/* inbox_call_key: "{region}:NAME<handset>" into KEY, NAME at most 7 octets. */
void inbox_call_key(const struct inbox_call *call, const char *name, char key[STORE_KEY_SIZE]);

/* inbox_call_field: read the handset's field of {r}:HASH. */
int inbox_call_field(struct inbox_call *call, const char *hash, redis_fn *done);

/* inbox_call_write: VALUE into the handset's field of {r}:HASH, and the entry of {r}:people:changes that says so, in one.
 *   was   only if this (empty: nothing) is what is there: DONE's reply is 0 where it is not, as another process wrote; NULL: whatever is */
int inbox_call_write(struct inbox_call *call, const char *hash, struct cbor_span value, const struct cbor_span *was,
                     redis_fn *done);

/* inbox_say: a warning in the log about HANDSET; limited. */
void inbox_say(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE], const char *what);

/* ---- inbox_run.c */

/* inbox_arm: a step in MS at the latest, once the store is there. */
void inbox_arm(struct inbox *inbox, int64_t ms);

/* inbox_work: look at PEER in the next step. */
void inbox_work(struct inbox *inbox, struct inbox_peer *peer);

/* inbox_let_go: PEER's order is no longer in hand. */
void inbox_let_go(struct inbox *inbox, struct inbox_peer *peer);

/* inbox_peer_of: HANDSET's newest session that may be given orders; NULL: none here. */
struct inbox_peer *inbox_peer_of(const struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE]);

/* ---- inbox_list.c */

/* inbox_read_list: read {r}:lists' status; where it is newer than what is known all sessions are looked at. */
void inbox_read_list(struct inbox *inbox);

/* ---- inbox_opened.c */

/* inbox_opened_due: write what is not written yet.  AGAIN: all of it, the link was away. */
void inbox_opened_due(struct inbox *inbox, bool again);

/* inbox_opened_read: read {r}:opened of CALL's handset, and tell its session all of it.  Returns as inbox_call_give. */
int inbox_opened_read(struct inbox_call *call);

/* ---- inbox_text.c */

/* inbox_text_due: send the orders by SMS whose time has come. */
void inbox_text_due(struct inbox *inbox, int64_t now_mono_ms);

#endif
