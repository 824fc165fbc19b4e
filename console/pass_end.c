/* The ends of passes: revoked, the phone lost, a forgotten PIN. */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_inside.h"
#include "console/pass_view_inside.h"
#include "console/session.h"

/* Sessions looked at in one step of SCAN. */
#define SESSIONS_SCAN 1000

/* revoked_at: a list of this second may have been made before; one of later says it for certain. */
static uint32_t revoked_at(const struct pass_desk *desk)
{
        uint32_t now = now_s(), list = list_issued(desk);

        return list >= now ? list + 1 : now;
}

bool put_revoked(const struct job *job, const struct book_item *item)
{
        struct pass_entry pass;
        uint8_t buf[DESK_LONG_MAX];
        int n;

        if (item->revoked_s != 0 || item->until_s + (uint64_t)PASS_GRACE_S < now_s() ||
            pass_entry_decode(item->data, item->size, &pass) < 0)
                return false;
        pass.revoked_at_s = revoked_at(job->desk);
        strcpy(pass.revoked_by, job->viewer.login);
        if ((n = pass_entry_encode(&pass, buf, sizeof(buf))) < 0)
                return false;
        pass_write_put(job->desk->store, BOOK_PASSES, item->key, buf, (size_t)n);
        return true;
}

/* ---- one pass */

static void on_revoke_listed(void *user, enum pass_code code, uint32_t issued_s)
{
        struct job *job = user;

        job->more = json_pack("{s:o}", "list", json_s(issued_s));
        job_end(job, CODE_DONE);
}

static void on_revoke_stored(void *user, int written)
{
        struct job *job = user;

        if (written == 1)
                list_renew(job->desk, on_revoke_listed, job);
        else
                job_end(job, CODE_AWAY);
}

static void on_revoked(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_PASSES, job->key);

        if (code != CODE_DONE || item == NULL) {
                job_end(job, code != CODE_DONE ? code : CODE_OVER);
                return;
        }
        pass_write_begin(job->desk->store);
        (void)put_revoked(job, item);
        if (pass_write_end(job->desk->store, on_revoke_stored, job) < 0)
                job_end(job, CODE_AWAY);
}

void end_revoke(struct job *job, const struct pass_ask *ask)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_PASSES, ask->id);
        struct keeper_request request = { .kind = KEEPER_REVOKE };
        uint8_t id[PASS_ID_SIZE];

        if (item == NULL || hex_decode(ask->id, id, sizeof(id)) < 0) {
                job_end(job, CODE_UNKNOWN);
        } else if (item->revoked_s != 0 || item->until_s + (uint64_t)PASS_GRACE_S < now_s()) {
                job_end(job, CODE_OVER);
        } else {
                strcpy(job->key, ask->id);
                strcpy(request.by, job->viewer.login);
                memcpy(request.handset, item->phone.octets, HANDSET_ID_SIZE);
                request.pass_id = CBOR_OCTETS(id);
                keeper_ask(job, &request, on_revoked);
        }
}

/* ---- a lost phone: each step is tried whatever became of the ones before */

static void step(struct job *job, const char *name, enum pass_code code, int n)
{
        json_t *one = json_pack("{s:s, s:b, s:s?}", "step", name, "ok", code == CODE_DONE, "why",
                                code == CODE_DONE ? NULL : pass_code_name(code));

        json_object_set_new(one, "n", n >= 0 ? json_integer(n) : json_null());
        json_array_append_new(json_object_get(job->more, "steps"), one);
        job->failed |= code != CODE_DONE;
}

static void lost_sms(struct job *job)
{
        const struct pass_desk_hooks *hooks = &job->desk->options.hooks;
        struct command command = { .verb = COMMAND_ORDER, .role = job->viewer.role };
        int r;

        memcpy(command.id, job->command, sizeof(command.id));
        hex_decode(job->handset, command.alert, HANDSET_ID_SIZE);
        strcpy(command.person, job->viewer.person);
        strcpy(command.login, job->viewer.login);
        r = hooks->command(hooks->user, &command);
        if (job->order == ORDER_UNLOCK) {
                job_end(job, CODE_DONE); /* in the inbox; the SMS is the second way */
                return;
        }
        step(job, "sms", r == 0 ? CODE_DONE : CODE_AWAY, -1);
        job_end(job, job->failed ? CODE_PART : CODE_DONE);
}

static void on_order_stored(void *user, int written)
{
        struct job *job = user;

        if (job->order == ORDER_UNLOCK && written != 1) {
                job_end(job, CODE_AWAY);
                return;
        }
        if (job->order == ORDER_WIPE)
                step(job, "wipe", written == 1 ? CODE_DONE : CODE_AWAY, -1);
        lost_sms(job);
}

/* store_order: a wipe or unlock into the inbox, and its number, so that its confirmation is known. */
static void store_order(struct job *job, struct cbor_span object)
{
        struct pass_store *to = job->desk->store;
        struct order_signed order;
        char field[8 + HANDSET_ID_TEXT], number[16];

        pass_write_begin(to);
        pass_write_order(to, job->handset, object, (struct cbor_span){ NULL, 0 });
        if (order_read(object, &order, NULL) == 0) {
                snprintf(field, sizeof(field), "%s:%s", job->order == ORDER_WIPE ? "wipe" : "again", job->handset);
                snprintf(number, sizeof(number), "%u", (unsigned)order.order.number);
                pass_write_put(to, BOOK_LISTS, field, (const uint8_t *)number, strlen(number));
        }
        if (store_away(job->desk) || pass_write_end(to, on_order_stored, job) < 0)
                on_order_stored(job, -1);
}

static void on_ordered(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        if (code == CODE_DONE) {
                store_order(job, answer->object);
        } else if (job->order == ORDER_UNLOCK) {
                job_end(job, code);
        } else {
                step(job, "wipe", code, -1);
                step(job, "sms", code, -1);
                job_end(job, CODE_PART);
        }
}

static void order(struct job *job)
{
        struct keeper_request request = { .kind = KEEPER_ORDER, .what = (uint8_t)job->order };

        strcpy(request.by, job->viewer.login);
        hex_decode(job->handset, request.handset, HANDSET_ID_SIZE);
        memcpy(request.enrolment, job->phone.enrolment, sizeof(request.enrolment));
        memcpy(request.challenge, job->challenge, sizeof(request.challenge));
        keeper_ask(job, &request, on_ordered);
}

/* ---- the sessions of its person */

struct look {
        struct job *job;
        uint8_t hash[SESSION_HASH_SIZE];
        char key[PASS_STORE_KEY_SIZE];
};

static void scan_sessions(struct job *job, const char *cursor);

static void sessions_done(struct job *job)
{
        step(job, "sessions", job->until_s == 0 ? CODE_DONE : CODE_AWAY, (int)job->n);
        order(job);
}

/* is_theirs: the session's login is the phone's person, or a user who is. */
static bool is_theirs(const struct job *job, const char *login)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_USERS, login);
        struct user_entry user;

        return strcmp(login, job->phone.person) == 0 ||
               (item != NULL && user_entry_decode(item->data, item->size, &user) == 0 &&
                strcmp(user.person, job->phone.person) == 0);
}

static void on_session(void *user, struct redisReply *reply)
{
        struct look look = *(struct look *)user;
        struct job *job = look.job;
        const struct pass_desk_hooks *hooks = &job->desk->options.hooks;
        struct session session;
        struct redis_args args;

        free(user);
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
                job->until_s = 1; /* not all were looked at */
        if (reply != NULL && reply->type == REDIS_REPLY_STRING &&
            session_decode((const uint8_t *)reply->str, (size_t)reply->len, &session) == 0 &&
            is_theirs(job, session.login)) {
                redis_args_init(&args, "DEL");
                redis_arg(&args, look.key);
                if (redis_command(pass_store_link(job->desk->store), &args, NULL, NULL) == 0)
                        job->n++;
                else
                        job->until_s = 1;
                hooks->end_session(hooks->user, look.hash);
        }
        if (--job->waiting == 0) {
                if (strcmp(job->key, "0") == 0 || reply == NULL)
                        sessions_done(job);
                else
                        scan_sessions(job, job->key);
        }
}

static void look_at(struct job *job, const char *key)
{
        const char *hex = strrchr(key, ':');
        struct look *look = malloc(sizeof(*look));
        struct redis_args args;

        if (look == NULL || hex == NULL || strlen(key) >= sizeof(look->key) ||
            hex_decode(hex + 1, look->hash, sizeof(look->hash)) < 0) {
                job->until_s |= look == NULL; /* else it is none of ours */
                free(look);
                return;
        }
        look->job = job;
        strcpy(look->key, key);
        redis_args_init(&args, "GET");
        redis_arg(&args, look->key);
        if (redis_command(pass_store_link(job->desk->store), &args, on_session, look) == 0) {
                job->waiting++;
                return;
        }
        free(look);
        job->until_s = 1;
}

static void on_keys(void *user, struct redisReply *reply)
{
        struct job *job = user;
        bool good = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                    reply->element[0]->len < sizeof(job->key);

        if (!good) {
                job->until_s = 1;
                sessions_done(job);
                return;
        }
        strcpy(job->key, reply->element[0]->str);
        job->waiting = 1; /* ours: until all are asked */
        for (size_t i = 0; i < reply->element[1]->elements; i++)
                if (reply->element[1]->element[i]->type == REDIS_REPLY_STRING)
                        look_at(job, reply->element[1]->element[i]->str);
        if (--job->waiting > 0)
                return;
        if (strcmp(job->key, "0") == 0)
                sessions_done(job);
        else
                scan_sessions(job, job->key);
}

static void scan_sessions(struct job *job, const char *cursor)
{
        char pattern[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(job->desk->store, "session:", "*", pattern);
        redis_args_init(&args, "SCAN");
        redis_arg(&args, cursor);
        redis_arg(&args, "MATCH");
        redis_arg(&args, pattern);
        redis_arg(&args, "COUNT");
        redis_arg_int(&args, SESSIONS_SCAN);
        if (redis_command(pass_store_link(job->desk->store), &args, on_keys, job) < 0)
                on_keys(job, NULL);
}

/* ---- its passes, the list, its certificate */

static void on_certificate(void *user, int written)
{
        struct job *job = user;

        step(job, "certificate", written == 1 ? CODE_DONE : CODE_AWAY, -1);
        job->n = 0;
        job->until_s = 0;
        if (job->phone.person[0] != '\0')
                scan_sessions(job, "0");
        else
                sessions_done(job); /* shared: nobody's */
}

static void on_listed(void *user, enum pass_code code, uint32_t issued_s)
{
        struct job *job = user;
        struct handset_entry phone = job->phone;
        uint8_t buf[PEOPLE_MAX];
        int n;

        step(job, "list", code, -1);
        if (phone.revoked_at_s == 0)
                phone.revoked_at_s = now_s();
        n = handset_entry_encode(&phone, buf, sizeof(buf));
        pass_write_begin(job->desk->store);
        if (n > 0)
                pass_write_put(job->desk->store, BOOK_HANDSETS, job->handset, buf, (size_t)n);
        if (n < 0 || pass_write_end(job->desk->store, on_certificate, job) < 0)
                on_certificate(job, 0);
}

static void on_lost_stored(void *user, int written)
{
        struct job *job = user;

        step(job, "passes", written == 1 ? CODE_DONE : CODE_AWAY, (int)job->n);
        list_renew(job->desk, on_listed, job);
}

static void on_lost(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        const struct book_item *item;
        struct handset_id id;

        if (code != CODE_DONE) {
                step(job, "passes", code, -1);
                list_renew(job->desk, on_listed, job);
                return;
        }
        job->n = answer->count;
        (void)handset_id_from_text(job->handset, &id);
        pass_write_begin(job->desk->store);
        for (item = books_passes(job->desk->books, &id); item != NULL; item = item->next)
                (void)put_revoked(job, item);
        if (pass_write_end(job->desk->store, on_lost_stored, job) < 0)
                on_lost_stored(job, 0);
}

/* read_phone: into the job.  Says whether there is such a phone, and the viewer may know of it. */
static bool read_phone(struct job *job, const char *handset)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_HANDSETS, handset);

        strcpy(job->handset, handset);
        return item != NULL && handset_entry_decode(item->data, item->size, &job->phone) == 0 &&
               pass_of_carrier(job->desk->books, &job->viewer, job->phone.person);
}

void end_lost(struct job *job, const struct pass_ask *ask)
{
        struct keeper_request request = { .kind = KEEPER_REVOKE };

        if (!read_phone(job, ask->handset)) {
                job_end(job, CODE_UNKNOWN);
                return;
        }
        job->more = json_pack("{s:[]}", "steps");
        job->order = ORDER_WIPE;
        strcpy(request.by, job->viewer.login);
        hex_decode(job->handset, request.handset, HANDSET_ID_SIZE);
        keeper_ask(job, &request, on_lost);
}

/* ---- a forgotten PIN */

void end_unlock(struct job *job, const struct pass_ask *ask)
{
        const struct book_item *told = books_get(job->desk->books, BOOK_VAULTS, ask->handset);
        struct vault_entry vault;

        if (!read_phone(job, ask->handset)) {
                job_end(job, CODE_UNKNOWN);
        } else if (job->phone.revoked_at_s != 0) {
                job_end(job, CODE_REVOKED_PHONE);
        } else if (told == NULL || vault_entry_decode(told->data, told->size, &vault) < 0 || !vault.has_challenge ||
                   memcmp(vault.enrolment, job->phone.enrolment, ENROLMENT_SIZE) != 0 ||
                   memcmp(vault.challenge, ask->challenge, sizeof(ask->challenge)) != 0) {
                job_end(job, CODE_WRONG_CHALLENGE);
        } else {
                job->order = ORDER_UNLOCK;
                memcpy(job->challenge, ask->challenge, sizeof(job->challenge));
                order(job);
        }
}
