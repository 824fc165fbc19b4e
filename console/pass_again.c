/* After an unlock the phone has a new PIN and a new pass key: the passes that it had are worth nothing and come again, on the consent
 * that they had; not on a shared phone.  {r}:lists `again:HANDSET` holds the number of the unlock's order; of several consoles the one that takes it out acts. */
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
        const struct book_item *item;
        struct handset_id id;
        size_t place = 0;

        if (code != CODE_DONE || handset_id_from_text(job->handset, &id) < 0) {
                job_end(job, code);
                return;
        }
        pass_write_begin(job->desk->store);
        while ((item = books_next(job->desk->books, BOOK_PASSES, &place)) != NULL && job->n < PASS_AGAIN_MAX)
                if (handset_id_equal(&item->phone, &id) && item->until_s > now_s() && put_revoked(job, item))
                        strcpy(job->again[job->n++], item->key);
        if (pass_write_end(job->desk->store, on_stored, job) < 0)
                job_end(job, CODE_AWAY);
}

static void on_taken(void *user, struct redisReply *reply)
{
        struct job *job = user;
        struct keeper_request request = { .kind = KEEPER_REVOKE };

        if (reply == NULL || reply->type != REDIS_REPLY_INTEGER || reply->integer != 1) {
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
        const struct book_item *told = books_get(desk->books, BOOK_VAULTS, handset), *item;
        char field[8 + HANDSET_ID_TEXT], number[16] = "", key[PASS_STORE_KEY_SIZE];
        struct vault_entry vault;
        struct redis_args args;
        struct job *job;

        snprintf(field, sizeof(field), "again:%s", handset);
        if (told == NULL || (item = books_get(desk->books, BOOK_LISTS, field)) == NULL ||
            item->size >= sizeof(number) || vault_entry_decode(told->data, told->size, &vault) < 0 ||
            store_away(desk) || (job = job_new(desk, NULL, NULL)) == NULL)
                return;
        memcpy(number, item->data, item->size);
        strcpy(job->handset, handset);
        pass_store_key(desk->store, "lists", "", key);
        redis_args_init(&args, "HDEL");
        redis_arg(&args, key);
        redis_arg(&args, field);
        /* The confirmation may be here before the phone's next word of its vault: where the challenge still stands the key is the
         * old one, for which the phone could keep no pass. */
        if (!vault.has_key || vault.has_challenge || vault.taken < strtoul(number, NULL, 10) ||
            redis_command(pass_store_link(desk->store), &args, on_taken, job) < 0)
                job_end(job, CODE_OVER);
}
