/* The desk: the open pages, and what each of them is told.  It hands the board's texts to those who may see them, and
 * takes what pages ask to the store.  No socket and no Redis in it: both are called through hooks, so that tests are
 * plain calls. */
#ifndef CONSOLE_DESK_H
#define CONSOLE_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "console/board.h"
#include "console/view.h"

struct zones;

/* A page is told the time so often; it calls itself blind after 5 s without a word. */
#define DESK_TICK_MS      2000
/* Open alerts in one snapshot, the most urgent ones; the page is told how many more there are. */
#define PAGE_ALERTS_MAX   300
/* Texts waiting for one page, and their octets: a snapshot and some minutes of changes.  A page that reads slower than
 * that is closed (DESK_SLOW): it comes back for a new snapshot. */
#define PAGE_QUEUE_MAX    2048
#define PAGE_QUEUE_OCTETS (8 * 1024 * 1024)
/* Commands a page may give at once, and per second after that: a person's clicks, and `seen` of a screenful.  Further
 * ones are answered `busy`. */
#define PAGE_BURST        60
#define PAGE_RATE         10
/* Commands of one page whose answer is still looked for; of more, the oldest is not told. */
#define PAGE_COMMANDS_MAX 64

/* WebSocket close codes (PROTOCOL.md section 2). */
enum desk_close {
        DESK_GOING_AWAY = 1001, /* the console stops: come back soon */
        DESK_MALFORMED = 1008,
        DESK_TRY_LATER = 1013,  /* the store is away: who you are cannot be checked */
        DESK_NO_SESSION = 4401, /* log in */
        DESK_NO_ROLE = 4403,    /* nothing here for this role */
        DESK_SLOW = 4408,
};

struct desk;
struct page;

/* What the desk asks of the rest. */
struct desk_hooks {
        void *user;
        /* Send COMMAND (signed) to the store.  Returns 0, or a negative errno: the page is answered `busy`. */
        int (*command)(void *user, const struct command *command);
        /* The store's clock now, UTC ms. */
        int64_t (*now_ms)(void *user);
};
struct desk_options {
        struct board *board;                              /* borrowed */
        const struct zones *zones;                        /* borrowed; NULL: none */
        const char *region, *tile_url, *tile_attribution; /* borrowed */
        struct desk_hooks hooks;
};

/* desk_new: no pages yet, blind.  Returns 0 or -ENOMEM.  desk_free: every page must be closed. */
int desk_new(const struct desk_options *options, struct desk **ret_desk);
void desk_free(struct desk *desk);

/* What a page's socket does for it. */
struct page_hooks {
        void *user;
        void (*wake)(void *user); /* there is something in page_next */
        /* Close with this code; not called again, and desk_page_close follows in time. */
        void (*close)(void *user, int code);
};

/* desk_open: a page of VIEWER (copied), who is logged in: hello, tick, and where the store is up the snapshot.
 * Returns 0 or -ENOMEM. */
int desk_open(struct desk *desk, const struct viewer *viewer, const struct page_hooks *hooks, struct page **ret_page);
/* desk_open_quiet: the same for a page of the pass desk: hello and tick, and nothing of alerts. */
int desk_open_quiet(struct desk *desk, const struct viewer *viewer, const struct page_hooks *hooks,
                    struct page **ret_page);
/* desk_page_close: forget PAGE; NULL does nothing. */
void desk_page_close(struct page *page);

/* page_viewer: who looks.  page_set_viewer: the store says otherwise now (a new name; with another team the page is closed to come back:
 * it is told by team what it may see). */
const struct viewer *page_viewer(const struct page *page);
void page_set_viewer(struct page *page, const struct viewer *viewer);

/* page_next: the next text to send, whose reference is the caller's now; NULL when there is none. */
struct outbound *page_next(struct page *page);

/* page_said: the page sent TEXT.
 *   now_mono_ms  for the bound on commands
 * Returns 0, or the close code for a text that no page of ours sends. */
int page_said(struct page *page, const char *text, size_t len, int64_t now_mono_ms);

/* desk_store: the store is known whole (up: pages get the snapshot, anew if they had one) or lost (pages are told that
 * they are blind).  Telling the same again does nothing. */
void desk_store(struct desk *desk, bool up);
/* desk_trouble: why it is lost, a word that lives for ever (base/redis_trouble.h); NULL: nothing is known to be wrong. */
void desk_trouble(struct desk *desk, const char *word);
bool desk_is_blind(const struct desk *desk);

/* desk_alert, desk_notice: it changed.  desk_person: a supervisor changed; the control room is told with the next
 * tick. */
void desk_alert(struct desk *desk, const struct alert_item *item);
void desk_notice(struct desk *desk, const struct notice_item *item);
void desk_person(struct desk *desk, struct person *person);

/* desk_supervisor: what the board knows of the supervisor called ID, or NULL. */
const struct person *desk_supervisor(const struct desk *desk, const char *id);

/* desk_answer: an answer entry: tell the page that gave command COMMAND (hex), if it is one of ours. */
void desk_answer(struct desk *desk, const char *command, const char *code, const char *who);

/* desk_tick: every DESK_TICK_MS: time, counts, changed supervisors.
 *   carriers  handsets on duty and quiet; the rest is counted here */
void desk_tick(struct desk *desk, const struct counts *carriers);

/* desk_page_count: open pages. */
size_t desk_page_count(const struct desk *desk);

#endif
