/* After an unlock the phone has a new PIN and a new pass key: the passes that it had are worth nothing and come again, on the
 * consent that they had; not on a shared phone.  They are revoked first; when the books have that, others are given.  {r}:lists
 * `again:HANDSET` holds the number of the unlock's order until both is done: what keeper or store could not do is tried again
 * each minute.  Of several consoles the one that has the lease acts. */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_inside.h"

/* Who revokes what a new PIN made useless; console/web/passes/live.js says it in words. */
#define BY_ITSELF "console"

/* ---- others are given */

static bool is_shared(const struct job *job)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_HANDSETS, job->handset);

        return item == NULL || item->group[0] == '\0';
}

/* owes: say whether the pass ITEM was revoked for the new PIN, and no later order brought another one of its round to the same hour. */
static bool owes(const struct books *books, const struct book_item *item, struct pass_entry *ret_pass)
{
        const struct book_item *other;
        struct pass_entry later;

        if (item->revoked_s == 0 || item->until_s <= now_s() ||
            pass_entry_decode(item->data, item->size, ret_pass) < 0 || strcmp(ret_pass->revoked_by, BY_ITSELF) != 0)
                return false;
        for (other = books_passes(books, &item->phone); other != NULL; other = other->next)
                if (other != item && other->until_s == item->until_s && strcmp(other->group, item->group) == 0 &&
                    pass_entry_decode(other->data, other->size, &later) == 0 && later.order > ret_pass->order)
                        return false;
        return true;
}

static void on_forgotten(void *user, int written)
{
        job_end(user, CODE_DONE); /* not written: it is looked at again, and nothing is owed */
}

void again_ended(struct job *job, enum pass_code code)
{
        struct pass_store *store = job->desk->store;
        char field[8 + HANDSET_ID_TEXT];

        job->failed |= code != CODE_DONE;
        if (--job->waiting > 0)
                return;
        if (job->failed) {
                job_end(job, CODE_AWAY); /* again in a minute */
                return;
        }
        snprintf(field, sizeof(field), "again:%s", job->handset);
        pass_write_begin(store);
        pass_write_put(store, BOOK_LISTS, field, NULL, 0);
        if (pass_write_end(store, on_forgotten, job) < 0)
                job_end(job, CODE_AWAY);
}

/* issue_one: PASS anew, for JOB; what cannot be any more (its round is gone, say) never comes. */
static void issue_one(struct job *job, const struct pass_entry *pass)
{
        struct pass_plan *plan = malloc(sizeof(*plan));
        struct job *one;

        if (plan != NULL && pass_plan_renewal(job->desk->books, pass, pass->not_after_s, now_s(), plan) != CODE_DONE) {
                free(plan);
                return;
        }
        one = plan != NULL ? job_new(job->desk, NULL, NULL) : NULL;
        if (one == NULL) {
                free(plan);
                job->failed = true;
                return;
        }
        one->plan = plan;
        one->parent = job;
        job->waiting++;
        issue_begin(one);
}

/* issue_owed: of a shared phone nothing: who set the PIN may be another carrier than whose passes these were. */
static void issue_owed(struct job *job)
{
        const struct book_item *item;
        struct handset_id id;
        struct pass_entry pass;

        job->waiting = 1; /* ours: until all are asked */
        (void)handset_id_from_text(job->handset, &id);
        for (item = is_shared(job) ? NULL : books_passes(job->desk->books, &id); item != NULL; item = item->next)
                if (job->n < PASS_AGAIN_MAX && owes(job->desk->books, item, &pass)) {
                        job->n++;
                        issue_one(job, &pass);
                }
        again_ended(job, CODE_DONE);
}

/* ---- those there were are revoked */

static void on_stored(void *user, int written)
{
        job_end(user, written == 1 ? CODE_DONE : CODE_AWAY);
}

static void on_revoked(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        struct pass_store *store = job->desk->store;
        const struct book_item *item;
        struct handset_id id;

        if (code != CODE_DONE || handset_id_from_text(job->handset, &id) < 0) {
                job_end(job, code);
                return;
        }
        pass_write_begin(store);
        for (item = books_passes(job->desk->books, &id); item != NULL; item = item->next)
                (void)put_revoked(job, item);
        if (pass_write_end(store, on_stored, job) < 0)
                job_end(job, CODE_AWAY);
}

/* has_old: say whether PHONE has a live pass that an order up to NUMBER brought: one for the key before. */
static bool has_old(const struct books *books, const struct handset_id *phone, uint32_t number)
{
        const struct book_item *item;
        struct pass_entry pass;

        for (item = books_passes(books, phone); item != NULL; item = item->next)
                if (item->revoked_s == 0 && item->until_s + (uint64_t)PASS_GRACE_S >= now_s() &&
                    pass_entry_decode(item->data, item->size, &pass) == 0 && pass.order <= number)
                        return true;
        return false;
}

static void on_lease(void *user, struct redisReply *reply)
{
        struct job *job = user;
        struct keeper_request request = { .kind = KEEPER_REVOKE };

        if (reply == NULL || reply->type != REDIS_REPLY_STATUS) {
                job_end(job, CODE_OVER); /* another console does it */
                return;
        }
        if (!job->revokes) {
                issue_owed(job);
                return;
        }
        strcpy(job->viewer.login, BY_ITSELF);
        strcpy(request.by, job->viewer.login);
        hex_decode(job->handset, request.handset, HANDSET_ID_SIZE);
        keeper_ask(job, &request, on_revoked);
}

void again_on_vault(struct pass_desk *desk, const char *handset)
{
        const struct book_item *told = books_get(desk->books, BOOK_VAULTS, handset);
        uint32_t number = books_order(desk->books, "again", handset);
        char name[24 + HANDSET_ID_TEXT];
        struct vault_entry vault;
        struct handset_id id;
        struct job *job;

        /* The confirmation may be here before the phone's next word of its vault: where the challenge still stands the key is the
         * old one, for which the phone could keep no pass. */
        if (number == 0 || told == NULL || vault_entry_decode(told->data, told->size, &vault) < 0 || !vault.has_key ||
            vault.has_challenge || vault.taken < number || store_away(desk) || desk->keeper == NULL ||
            !seqpacket_is_up(desk->keeper) || handset_id_from_text(handset, &id) < 0 ||
            (job = job_new(desk, NULL, NULL)) == NULL)
                return;
        strcpy(job->handset, handset);
        job->revokes = has_old(desk->books, &id, number);
        snprintf(name, sizeof(name), "%s:%s:%u", job->revokes ? "again" : "given", handset, (unsigned)number);
        if (lease_ask(desk, name, PASS_AGAIN_MS, on_lease, job) < 0)
                job_end(job, CODE_AWAY);
}

void again_on_pass(struct pass_desk *desk, const char *key)
{
        const struct book_item *item = books_get(desk->books, BOOK_PASSES, key);
        char handset[HANDSET_ID_TEXT];

        if (item == NULL || item->revoked_s == 0)
                return;
        handset_id_to_text(&item->phone, handset);
        again_on_vault(desk, handset);
}

void again_on_minute(struct pass_desk *desk)
{
        const struct book_item *item;
        size_t place = 0;

        while ((item = books_next(desk->books, BOOK_LISTS, &place)) != NULL)
                if (strncmp(item->key, "again:", 6) == 0)
                        again_on_vault(desk, item->key + 6);
}
