/* After an unlock the phone has a new PIN and a new pass key: the passes that it had are worth nothing and come again, on the consent
 * that they had; not on a shared phone.  {r}:lists `again:HANDSET` holds the number of the unlock's order until they are revoked: what keeper
 * or store could not do is tried again each minute.  Of several consoles the one that has the lease acts. */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_inside.h"

/* issue_one: the pass KEY, revoked by now, anew. */
static void issue_one(struct pass_desk *desk, const char *key)
{
        const struct book_item *item = books_get(desk->books, BOOK_PASSES, key);
        struct job *job = item != NULL ? job_new(desk, NULL, NULL) : NULL;
        struct pass_entry pass;

        if (job == NULL)
                return;
        job->plan = malloc(sizeof(*job->plan));
        if (job->plan != NULL && pass_entry_decode(item->data, item->size, &pass) == 0 &&
            pass_plan_renewal(desk->books, &pass, pass.not_after_s, now_s(), job->plan) == CODE_DONE)
                issue_begin(job);
        else
                job_end(job, CODE_OVER);
}

static bool is_shared(const struct job *job)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_HANDSETS, job->handset);
        struct handset_entry phone;

        return item == NULL || handset_entry_decode(item->data, item->size, &phone) < 0 || phone.person[0] == '\0';
}

static void on_stored(void *user, int written)
{
        struct job *job = user;

        /* of a shared phone who set the PIN may be another carrier than whose passes these were */
        for (unsigned i = 0; i < job->n && written == 1 && !is_shared(job); i++)
                issue_one(job->desk, job->again[i]);
        job_end(job, CODE_DONE);
}

static void on_revoked(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        struct pass_store *store = job->desk->store;
        const struct book_item *item;
        char field[8 + HANDSET_ID_TEXT];
        struct handset_id id;

        if (code != CODE_DONE || handset_id_from_text(job->handset, &id) < 0) {
                job_end(job, code);
                return;
        }
        snprintf(field, sizeof(field), "again:%s", job->handset);
        pass_write_begin(store);
        for (item = books_passes(job->desk->books, &id); item != NULL; item = item->next)
                if (put_revoked(job, item) && item->until_s > now_s() && job->n < PASS_AGAIN_MAX &&
                    strlen(item->key) < sizeof(job->again[0]))
                        strcpy(job->again[job->n++], item->key);
        pass_write_put(store, BOOK_LISTS, field, NULL, 0);
        if (pass_write_end(store, on_stored, job) < 0)
                job_end(job, CODE_AWAY);
}

static void on_lease(void *user, struct redisReply *reply)
{
        struct job *job = user;
        struct keeper_request request = { .kind = KEEPER_REVOKE };

        if (reply == NULL || reply->type != REDIS_REPLY_STATUS) {
                job_end(job, CODE_OVER); /* another console does it */
                return;
        }
        strcpy(job->viewer.login, "console");
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
        snprintf(name, sizeof(name), "again:%s:%u", handset, (unsigned)number);
        if (lease_ask(desk, name, PASS_AGAIN_MS, on_lease, job) < 0)
                job_end(job, CODE_AWAY);
}

void again_on_minute(struct pass_desk *desk)
{
        const struct book_item *item;
        size_t place = 0;

        while ((item = books_next(desk->books, BOOK_LISTS, &place)) != NULL)
                if (strncmp(item->key, "again:", 6) == 0)
                        again_on_vault(desk, item->key + 6);
}
