/* The pass desk: its pages, what they ask, and what becomes of it by the keeper and the store.  The rules are in pass_rule.h, the texts
 * in pass_view.h.  Loop's thread only.  PROTOCOL.md section 7. */
#ifndef CONSOLE_PASS_DESK_H
#define CONSOLE_PASS_DESK_H

#include "console/desk.h"
#include "console/pass_store.h"
#include "wire/command.h"

struct pass_desk;
struct pass_page;

/* So often passes that end are looked for, and the status list is renewed after PASS_LIST_EVERY_S; one console at a time does it. */
#define PASS_MINUTE_MS      60000
#define PASS_LIST_EVERY_S   (6 * 3600)
/* What may be under way where one more pass that ends is looked at: the keeper syncs two entries for each that is renewed, and people's
 * own asking goes first. */
#define PASS_RENEW_JOBS     64
/* So often, and so many times a minute, it goes on from where it was: 32,000 a minute at most; the others come with the next. */
#define PASS_RENEW_EVERY_MS 100
#define PASS_RENEW_TIMES    500
/* What is asked of keeper and store and not yet answered; of more the page is told `busy`. */
#define PASS_JOBS_MAX       512

struct pass_desk_hooks {
        void *user;
        bool (*may_write)(void *user);                             /* the store is the region's, and takes writes */
        int (*command)(void *user, const struct command *command); /* to the dispatchers; 0 or a negative errno */
        void (*end_session)(void *user, const uint8_t hash[32]);   /* close the pages of one session */
};

struct pass_desk_options {
        struct loop *loop;
        const struct config *config; /* borrowed */
        struct pass_desk_hooks hooks;
};

/* pass_desk_open: begin to connect to keeper and store; reads caretaker.root.
 * Returns 0, -EINVAL (caretaker.root is no Ed25519 key; told in the log), -ENAMETOOLONG, -ENOMEM, -EIO. */
int pass_desk_open(const struct pass_desk_options *options, struct pass_desk **ret_desk);
/* pass_desk_leave: let go of keeper and store, before loop_close; what is under way ends.  pass_desk_free: after it, when every page is
 * closed.  NULL does nothing. */
void pass_desk_leave(struct pass_desk *desk);
void pass_desk_free(struct pass_desk *desk);

/* pass_desk_page: PAGE (opened by desk_open_quiet, borrowed until pass_page_close) is one of the pass desk.  Returns 0 or -ENOMEM. */
int pass_desk_page(struct pass_desk *desk, struct page *page, struct pass_page **ret_page);
/* pass_page_close: NULL does nothing.  What it asked for goes on; nobody is told. */
void pass_page_close(struct pass_page *page);

/* pass_page_said: as page_said. */
int pass_page_said(struct pass_page *page, const char *text, size_t len, int64_t now_mono_ms);

/* pass_desk_list: the newest signed list, "status" or "trust", borrowed for this turn of the loop.
 * Returns 0, -ENOENT, -EAGAIN (the books are not loaded). */
int pass_desk_list(const struct pass_desk *desk, const char *name, struct cbor_span *ret_list);

/* pass_desk_edit: POST /desk/edit by VIEWER (7.6).
 *   body    borrowed until DONE
 *   done    called once, perhaps from within the call, with a status and a JSON text (owned by who is called: free())
 * PROTOCOL.md section 7.6. */
typedef void pass_edit_fn(void *user, int status, char *text);
void pass_desk_edit(struct pass_desk *desk, const struct viewer *viewer, const char *body, size_t len,
                    pass_edit_fn *done, void *user);

#endif
