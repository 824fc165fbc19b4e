/* What the pass desk does without being asked, by one console at a time (a lease in Redis): passes that end while duty runs are renewed,
 * the status list is made anew, and what is over for long goes. */
#include <hiredis/hiredis.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "console/pass_inside.h"
#include "wire/feed.h"

/* Entries dropped in one minute; more go with the next. */
#define DROPPED_MAX 1000

/* is_newest: no other pass of the same phone and round reaches further. */
static bool is_newest(const struct books *books, const struct book_item *item, const struct pass_entry *pass)
{
        const struct book_item *other;
        struct pass_entry entry;

        for (other = books_passes(books, &item->phone); other != NULL; other = other->next)
                if (other != item && other->revoked_s == 0 && other->until_s > item->until_s &&
                    pass_entry_decode(other->data, other->size, &entry) == 0 && strcmp(entry.round, pass->round) == 0)
                        return false;
        return true;
}

static void on_duty(void *user, struct redisReply *reply)
{
        struct job *job = user;
        const struct book_item *item = books_get(job->desk->books, BOOK_PASSES, job->key);
        struct carrier_duty duty;
        struct pass_entry pass;
        uint32_t until_s = 0;

        job->key[0] = '\0';
        job->plan = malloc(sizeof(*job->plan));
        if (job->plan != NULL && item != NULL && reply != NULL && reply->type == REDIS_REPLY_STRING &&
            carrier_duty_decode((const uint8_t *)reply->str, (size_t)reply->len, &duty) == 0 &&
            pass_entry_decode(item->data, item->size, &pass) == 0 && strcmp(duty.carrier_id, pass.carrier) == 0)
                until_s = pass_renewal(&pass, duty.until_s, now_s());
        if (until_s != 0 && pass_plan_renewal(job->desk->books, &pass, until_s, now_s(), job->plan) == CODE_DONE)
                issue_begin(job);
        else
                job_end(job, CODE_OVER);
}

static void look_at(struct pass_desk *desk, const struct book_item *item)
{
        struct job *job = job_new(desk, NULL, NULL);
        char key[PASS_STORE_KEY_SIZE], phone[HANDSET_ID_TEXT];
        struct redis_args args;

        if (job == NULL)
                return;
        strcpy(job->key, item->key);
        handset_id_to_text(&item->phone, phone);
        pass_store_key(desk->store, "duty:info", "", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, phone);
        if (redis_command(pass_store_positions(desk->store), &args, on_duty, job) < 0)
                job_end(job, CODE_AWAY);
}

/* ends: say whether ITEM ends soon, and may be renewed where its carrier is on duty for long enough. */
static bool ends(const struct pass_desk *desk, const struct book_item *item, uint32_t now)
{
        struct pass_entry pass;

        return item->revoked_s == 0 && item->until_s >= now && item->until_s <= now + PASS_RENEW_S &&
               pass_entry_decode(item->data, item->size, &pass) == 0 && pass_renewal(&pass, UINT32_MAX, now) != 0 &&
               is_newest(desk->books, item, &pass);
}

void renew_on(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pass_desk *desk = timer->user;
        const struct book_item *item;
        uint32_t now = now_s();

        if (store_away(desk))
                return;
        for (unsigned count = 0; count < PASS_RENEW_JOBS && desk->jobs < PASS_RENEW_JOBS;) {
                if ((item = books_next(desk->books, BOOK_PASSES, &desk->renew_place)) == NULL) {
                        desk->renew_place = 0;
                        return;
                }
                if (ends(desk, item, now)) {
                        look_at(desk, item);
                        count++;
                }
        }
        if (--desk->renew_left > 0)
                loop_timer_arm(desk->options.loop, timer, now_mono_ms + PASS_RENEW_EVERY_MS);
}

static void on_dropped(void *user, int written)
{
}

static void drop_old(struct pass_desk *desk)
{
        static const struct {
                enum book book;
                uint32_t kept_s;
        } olds[] = { { BOOK_PASSES, PASS_KEPT_S }, { BOOK_CONSENTS, PASS_CONSENT_S }, { BOOK_ASKED, 0 } };
        const struct book_item *item;
        unsigned count = 0;
        uint32_t now = now_s();

        pass_write_begin(desk->store);
        for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
                size_t place = 0;

                while ((item = books_next(desk->books, olds[i].book, &place)) != NULL && count < DROPPED_MAX) {
                        uint32_t end = olds[i].book == BOOK_CONSENTS ? item->issued_s : item->until_s;

                        if (end + (uint64_t)olds[i].kept_s < now) {
                                pass_write_put(desk->store, olds[i].book, item->key, NULL, 0);
                                count++;
                        }
                }
        }
        (void)pass_write_end(desk->store, on_dropped, desk); /* not written: they go with the next minute */
}

static void on_list(void *user, enum pass_code code, uint32_t issued_s)
{
}

static void on_lease(void *user, struct redisReply *reply)
{
        struct pass_desk *desk = user;
        uint32_t issued = list_issued(desk);

        if (desk->closing || reply == NULL || reply->type != REDIS_REPLY_STATUS || !pass_store_is_ready(desk->store))
                return; /* another console has it, or it cannot be asked */
        drop_old(desk);
        if (desk->keeper == NULL)
                return;
        if (issued == 0 || issued + (uint64_t)PASS_LIST_EVERY_S <= now_s())
                list_renew(desk, on_list, NULL);
        desk->renew_left = PASS_RENEW_TIMES;
        renew_on(&desk->renewal, clock_mono_ms());
        again_on_minute(desk);
}

int lease_ask(struct pass_desk *desk, const char *name, int64_t ms, redis_fn *done, void *user)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(desk->store, "lease:", name, key);
        redis_args_init(&args, "SET");
        redis_arg(&args, key);
        redis_arg(&args, "1");
        redis_arg(&args, "NX");
        redis_arg(&args, "PX");
        redis_arg_int(&args, ms);
        return redis_command(pass_store_link(desk->store), &args, done, user);
}

void minute_on(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pass_desk *desk = timer->user;

        loop_timer_arm(desk->options.loop, timer, now_mono_ms + PASS_MINUTE_MS);
        if (store_away(desk) || (desk->keeper != NULL && !seqpacket_is_up(desk->keeper)))
                return; /* another console's keeper may be there */
        (void)lease_ask(desk, "passes", PASS_MINUTE_MS - 5000, on_lease, desk);
}
