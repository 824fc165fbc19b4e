/* The status list: signed by the keeper, stored for doors' phones and caretakers' pages.  One at a time; whoever asks while one is under
 * way waits for the next: that one knows what was revoked meanwhile. */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "console/pass_inside.h"
#include "wire/status.h"

/* Two lists of one second cannot be told apart, so the keeper makes none: again so much later, once. */
#define LIST_AGAIN_MS 1100

struct pass_waiter {
        struct pass_waiter *next;
        list_fn *done;
        void *user;
};

static void begin(struct pass_desk *desk);

/* finish: CODE and ISSUED_S to all who waited for this one; then the next, if somebody waits for it. */
static void finish(struct pass_desk *desk, enum pass_code code, uint32_t issued_s)
{
        struct pass_waiter *w = desk->list_now, *next;

        desk->list_now = NULL;
        desk->list_asked = false;
        for (; w != NULL; w = next) {
                next = w->next;
                w->done(w->user, code, issued_s);
                free(w);
        }
        if (desk->list_next != NULL && !desk->list_asked)
                begin(desk);
}

static void on_stored(void *user, int written)
{
        struct job *job = user;
        struct pass_desk *desk = job->desk;
        uint32_t issued_s = written == 1 ? job->until_s : 0;
        enum pass_code code = written == 1 ? CODE_DONE : CODE_AWAY;

        job_end(job, CODE_DONE);
        finish(desk, code, issued_s);
}

static void on_signed(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        struct pass_desk *desk = job->desk;
        struct status_signed list;

        if (code == CODE_DONE && status_read(answer->object, &list, NULL) < 0) {
                code = CODE_KEEPER_FAILED;
        } else if (code == CODE_DONE) {
                job->until_s = list.list.issued_at_s;
                pass_write_begin(desk->store);
                pass_write_put(desk->store, BOOK_LISTS, "status", answer->object.at, answer->object.len);
                if (!store_away(desk) && pass_write_end(desk->store, on_stored, job) == 0)
                        return;
                code = CODE_AWAY;
        }
        job_end(job, code);
        if (code == CODE_NOT_NOW && !desk->list_retried && !desk->closing) {
                desk->list_retried = true;
                loop_timer_arm(desk->options.loop, &desk->list_again, clock_mono_ms() + LIST_AGAIN_MS);
        } else {
                finish(desk, code, 0);
        }
}

static void ask(struct pass_desk *desk)
{
        struct keeper_request request = { .kind = KEEPER_LIST, .by = "console" };
        struct job *job = job_new(desk, NULL, NULL);

        if (job == NULL) {
                finish(desk, CODE_BUSY, 0);
                return;
        }
        request.expires_s = now_s() + (uint32_t)(desk->options.config->list_good_ms / 1000);
        keeper_ask(job, &request, on_signed);
}

void list_on_again(struct wheel_timer *timer, int64_t now_mono_ms)
{
        ask(timer->user);
}

static void begin(struct pass_desk *desk)
{
        desk->list_now = desk->list_next;
        desk->list_next = NULL;
        desk->list_asked = true;
        desk->list_retried = false;
        ask(desk);
}

void list_renew(struct pass_desk *desk, list_fn *done, void *user)
{
        struct pass_waiter *w = malloc(sizeof(*w));

        if (w == NULL) {
                done(user, CODE_BUSY, 0);
                return;
        }
        *w = (struct pass_waiter){ desk->list_next, done, user };
        desk->list_next = w;
        if (!desk->list_asked)
                begin(desk);
}

void list_close(struct pass_desk *desk)
{
        bool waits = wheel_timer_is_armed(&desk->list_again);

        loop_timer_cancel(desk->options.loop, &desk->list_again);
        if (waits)
                finish(desk, CODE_AWAY, 0);
}

uint32_t list_issued(const struct pass_desk *desk)
{
        const struct book_item *item = books_get(desk->books, BOOK_LISTS, "status");
        struct status_signed list;

        if (item == NULL || status_read((struct cbor_span){ item->data, item->size }, &list, NULL) < 0)
                return 0;
        return list.list.issued_at_s;
}
