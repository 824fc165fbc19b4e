/* From "issue" to the phone's inbox: the keeper signs the pass, then the order that brings it, and both are written in one transaction.
 * What the keeper signed and nobody stored (a crash between) is harmless: no phone has it; its bit of the status list is used up until
 * a day after its end. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/pass_inside.h"
#include "wire/parcel.h"

static void on_stored(void *user, int written)
{
        struct job *job = user;

        job_end(job, written == 1 ? CODE_DONE : CODE_AWAY);
}

static void on_put_back(void *user, int written)
{
}

/* give_up: nothing was written; the consent or request that was taken is there again, so that it can be answered again. */
static void give_up(struct job *job, enum pass_code code)
{
        enum book book = job->consent ? BOOK_CONSENTS : BOOK_ASKED;
        const struct book_item *item = job->taken ? books_get(job->desk->books, book, job->key) : NULL;

        if (item != NULL && !store_away(job->desk)) {
                pass_write_begin(job->desk->store);
                pass_write_put(job->desk->store, book, job->key, item->data, item->size);
                (void)pass_write_end(job->desk->store, on_put_back,
                                     job->desk); /* lost with the store: it is asked anew */
        }
        job_end(job, code);
}

static void store(struct job *job, struct cbor_span order, uint32_t number)
{
        const struct consent_entry *what = &job->plan->what;
        struct pass_store *to = job->desk->store;
        struct pass_entry pass = { .handset = what->handset,
                                   .not_before_s = what->not_before_s,
                                   .not_after_s = what->not_after_s,
                                   .status = job->status,
                                   .issued_at_s = job->plan->issued_s,
                                   .order = number,
                                   .policy = what->policy,
                                   .count = what->count };
        uint8_t buf[DESK_LONG_MAX];
        char key[2 * PASS_ID_SIZE + 1];
        int n;

        strcpy(pass.carrier, what->carrier);
        strcpy(pass.round, what->round);
        strcpy(pass.by, what->by);
        strcpy(pass.second, job->plan->second);
        memcpy(pass.subject, job->subject, sizeof(pass.subject));
        memcpy(pass.buildings, what->buildings, sizeof(pass.buildings));
        hex_encode(job->pass, sizeof(job->pass), key);
        if ((n = pass_entry_encode(&pass, buf, sizeof(buf))) < 0) {
                give_up(job, CODE_KEEPER_FAILED);
                return;
        }
        job->more = json_pack("{s:s}", "pass", key);
        pass_write_begin(to);
        pass_write_put(to, BOOK_PASSES, key, buf, (size_t)n);
        pass_write_order(to, job->handset, order, (struct cbor_span){ job->parcel, job->parcel_len });
        if (job->key[0] != '\0')
                pass_write_put(to, job->consent ? BOOK_CONSENTS : BOOK_ASKED, job->key, NULL, 0);
        if (store_away(job->desk) || pass_write_end(to, on_stored, job) < 0)
                give_up(job, CODE_AWAY);
}

static void on_ordered(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        struct order_signed order;

        if (code == CODE_DONE && order_read(answer->object, &order, NULL) == 0)
                store(job, answer->object, order.order.number);
        else
                give_up(job, code != CODE_DONE ? code : CODE_KEEPER_FAILED);
}

static void fill_buildings(const struct job *job, struct parcel_building *to)
{
        const struct consent_entry *what = &job->plan->what;

        for (unsigned i = 0; i < what->count; i++) {
                char key[2 * BUILDING_ID_SIZE + 1];
                const struct book_item *item;
                struct building_entry b = { 0 };

                memcpy(to[i].id, what->buildings[i], BUILDING_ID_SIZE);
                hex_encode(what->buildings[i], BUILDING_ID_SIZE, key);
                if ((item = books_get(job->desk->books, BOOK_BUILDINGS, key)) != NULL)
                        (void)building_entry_decode(item->data, item->size, &b);
                strcpy(to[i].name, b.name);
                to[i].has_place = b.has_place;
                to[i].lat_e7 = b.place.lat_e7;
                to[i].lon_e7 = b.place.lon_e7;
        }
}

/* make_parcel: what goes beside the order.  Returns 0 or a negative errno. */
static int make_parcel(struct job *job, const struct keeper_answer *answer)
{
        struct parcel parcel = { .pass = answer->object, .count = job->plan->what.count };
        struct cbor_writer w;
        int r = -ENOMEM;

        memcpy(parcel.salt_key, answer->salt_key, sizeof(parcel.salt_key));
        memcpy(parcel.marker_key, answer->marker_key, sizeof(parcel.marker_key));
        parcel.buildings = calloc(parcel.count, sizeof(*parcel.buildings));
        job->parcel = malloc(PARCEL_MAX);
        if (parcel.buildings != NULL && job->parcel != NULL) {
                fill_buildings(job, parcel.buildings);
                cbor_writer_init(&w, job->parcel, PARCEL_MAX);
                r = parcel_write(&parcel, &w);
                job->parcel_len = w.len;
        }
        free(parcel.buildings);
        return r;
}

static void on_signed(struct job *job, enum pass_code code, const struct keeper_answer *answer)
{
        struct keeper_request order = { .kind = KEEPER_ORDER, .what = ORDER_PASS, .renews = job->plan->renews };
        uint8_t hash[EVP_MAX_MD_SIZE];
        struct pass_signed pass;

        if (code != CODE_DONE) {
                give_up(job, code);
                return;
        }
        if (pass_read(answer->object, &pass, NULL) < 0 || make_parcel(job, answer) < 0 ||
            EVP_Digest(job->parcel, job->parcel_len, hash, NULL, EVP_sha256(), NULL) != 1) {
                give_up(job, CODE_KEEPER_FAILED);
                return;
        }
        memcpy(job->pass, pass.pass.id, sizeof(job->pass));
        memcpy(job->subject, pass.pass.subject, sizeof(job->subject));
        job->status = answer->status;
        strcpy(order.by, job->plan->what.by);
        memcpy(order.handset, job->plan->what.handset.octets, HANDSET_ID_SIZE);
        memcpy(order.enrolment, job->plan->enrolment, sizeof(order.enrolment));
        memcpy(order.digest, hash, sizeof(order.digest));
        keeper_ask(job, &order, on_ordered);
}

static void on_room(void *user, struct redisReply *reply)
{
        struct job *job = user;
        const struct consent_entry *what = &job->plan->what;
        struct keeper_request pass = { .kind = KEEPER_PASS,
                                       .not_before_s = what->not_before_s,
                                       .not_after_s = what->not_after_s,
                                       .window_count = what->window_count,
                                       .policy = what->policy,
                                       .renews = job->plan->renews };

        if (reply == NULL || reply->type != REDIS_REPLY_INTEGER || reply->integer >= PASS_INBOX_MAX) {
                give_up(job, reply != NULL && reply->type == REDIS_REPLY_INTEGER ? CODE_FULL : CODE_AWAY);
                return;
        }
        strcpy(pass.by, what->by);
        strcpy(pass.second, job->plan->second);
        strcpy(pass.carrier, what->carrier);
        memcpy(pass.handset, what->handset.octets, HANDSET_ID_SIZE);
        memcpy(pass.key, job->plan->key, PASS_KEY_SIZE);
        memcpy(pass.windows, what->windows, sizeof(pass.windows));
        pass.buildings = (struct cbor_span){ what->buildings[0], (size_t)what->count * BUILDING_ID_SIZE };
        keeper_ask(job, &pass, on_signed);
}

static void look_for_room(struct job *job)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(job->desk->store, "inbox:", job->handset, key);
        redis_args_init(&args, "XLEN");
        redis_arg(&args, key);
        if (redis_command(pass_store_link(job->desk->store), &args, on_room, job) < 0)
                give_up(job, CODE_AWAY);
}

/* ---- a phone has one carrier's passes at a time, also where two issuers ask before either's is in the books: who claims the phone first
 * goes on, and it is claimed for nobody else until the books have it */

static void claim_key(const struct job *job, char to[PASS_STORE_KEY_SIZE])
{
        char name[8 + HANDSET_ID_TEXT];

        snprintf(name, sizeof(name), "phone:%s", job->handset);
        pass_store_key(job->desk->store, "lease:", name, to);
}

void issue_claim_end(const struct job *job)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        if (!job->claimed)
                return;
        claim_key(job, key);
        redis_args_init(&args, "PEXPIRE");
        redis_arg(&args, key);
        redis_arg_int(&args, PASS_CLAIM_AFTER_MS);
        (void)redis_command(pass_store_link(job->desk->store), &args, NULL, NULL); /* lost: it ends by itself */
}

static void on_claimed(void *user, struct redisReply *reply)
{
        struct job *job = user;
        bool claimed = reply != NULL && reply->type == REDIS_REPLY_STRING;

        if (reply == NULL || (!claimed && reply->type != REDIS_REPLY_NIL)) {
                give_up(job, CODE_AWAY);
        } else if (claimed && strcmp(reply->str, job->plan->what.carrier) != 0) {
                give_up(job, CODE_BUSY);
        } else {
                job->claimed = true;
                look_for_room(job);
        }
}

void issue_begin(struct job *job)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        handset_id_to_text(&job->plan->what.handset, job->handset);
        claim_key(job, key);
        redis_args_init(&args, "SET");
        redis_arg(&args, key);
        redis_arg(&args, job->plan->what.carrier);
        redis_arg(&args, "NX");
        redis_arg(&args, "GET");
        redis_arg(&args, "PX");
        redis_arg_int(&args, PASS_CLAIM_MS);
        if (redis_command(pass_store_link(job->desk->store), &args, on_claimed, job) < 0)
                give_up(job, CODE_AWAY);
}

/* ---- a second person */

static void on_consent_stored(void *user, int written)
{
        job_end(user, written == 1 ? CODE_CONSENT : CODE_AWAY);
}

/* ask_second: the plan waits for somebody else, for an hour; a request that it answers is answered by that. */
static void ask_second(struct job *job)
{
        struct pass_store *to = job->desk->store;
        uint8_t buf[DESK_LONG_MAX], id[8];
        char key[2 * sizeof(id) + 1];
        int n = consent_entry_encode(&job->plan->what, buf, sizeof(buf));

        if (n < 0 || RAND_bytes(id, sizeof(id)) != 1 ||
            books_count(job->desk->books, BOOK_CONSENTS) >= PASS_CONSENTS_MAX) {
                give_up(job, CODE_BUSY);
                return;
        }
        hex_encode(id, sizeof(id), key);
        job->more = json_pack("{s:s, s:o}", "consent", key, "why",
                              pass_view_why(job->plan->is_long, job->plan->is_sensitive));
        pass_write_begin(to);
        pass_write_put(to, BOOK_CONSENTS, key, buf, (size_t)n);
        if (job->key[0] != '\0')
                pass_write_put(to, BOOK_ASKED, job->key, NULL, 0);
        if (pass_write_end(to, on_consent_stored, job) < 0)
                give_up(job, CODE_AWAY);
}

/* issue_or_ask: the plan is good. */
static void issue_or_ask(struct job *job)
{
        const struct pass_plan *plan = job->plan;

        if ((plan->is_long || plan->is_sensitive) && plan->second[0] == '\0')
                ask_second(job);
        else
                issue_begin(job);
}

static void on_taken(void *user, struct redisReply *reply)
{
        struct job *job = user;

        if (reply == NULL || reply->type != REDIS_REPLY_INTEGER) {
                job_end(job, CODE_AWAY);
        } else if (reply->integer == 0) {
                job_end(job, CODE_UNKNOWN); /* somebody else was faster */
        } else {
                job->taken = true;
                issue_or_ask(job);
        }
}

/* take: of two who say yes to one consent or request at once one issues. */
static void take(struct job *job)
{
        char key[PASS_STORE_KEY_SIZE];
        struct redis_args args;

        pass_store_key(job->desk->store, books_name(job->consent ? BOOK_CONSENTS : BOOK_ASKED), "", key);
        redis_args_init(&args, "HDEL");
        redis_arg(&args, key);
        redis_arg(&args, job->key);
        if (redis_command(pass_store_link(job->desk->store), &args, on_taken, job) < 0)
                job_end(job, CODE_AWAY);
}

void issue_ask(struct job *job, const struct pass_ask *ask)
{
        struct pass_times times = { now_s(), (uint32_t)(job->desk->options.config->shift_ms / 1000) };
        enum pass_code code;

        if ((job->plan = malloc(sizeof(*job->plan))) == NULL) {
                job_end(job, CODE_BUSY);
                return;
        }
        code = pass_plan(job->desk->books, ask, job->viewer.login, &times, job->plan);
        if (code != CODE_DONE)
                job_end(job, code);
        else if (job->desk->keeper == NULL || !seqpacket_is_up(job->desk->keeper))
                job_end(job, job->desk->keeper == NULL ? CODE_KEEPER_NONE : CODE_KEEPER_AWAY);
        else if (job->key[0] != '\0')
                take(job);
        else
                issue_or_ask(job);
}

/* drop: the request or consent goes; nothing else is done. */
static void drop(struct job *job, enum book book)
{
        pass_write_begin(job->desk->store);
        pass_write_put(job->desk->store, book, job->key, NULL, 0);
        if (pass_write_end(job->desk->store, on_stored, job) < 0)
                job_end(job, CODE_AWAY);
}

void issue_asked(struct job *job, const struct pass_ask *ask)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_ASKED, ask->handset);
        struct pass_ask issue = { .verb = PASS_ISSUE };
        struct asked_entry asked;

        if (item == NULL || asked_entry_decode(item->data, item->size, &asked) < 0) {
                job_end(job, CODE_UNKNOWN);
                return;
        }
        strcpy(job->key, ask->handset);
        if (!ask->yes) {
                drop(job, BOOK_ASKED);
                return;
        }
        strcpy(issue.handset, ask->handset);
        strcpy(issue.carrier, asked.carrier);
        strcpy(issue.round, asked.round);
        issue.until_s = asked.until_s;
        issue_ask(job, &issue);
}

void issue_consent(struct job *job, const struct pass_ask *ask)
{
        const struct book_item *item = books_get(job->desk->books, BOOK_CONSENTS, ask->id);
        struct consent_entry consent;
        enum pass_code code;

        job->plan = malloc(sizeof(*job->plan));
        if (job->plan == NULL || item == NULL || consent_entry_decode(item->data, item->size, &consent) < 0 ||
            !pass_of_round(job->desk->books, &job->viewer, consent.round)) {
                job_end(job, CODE_UNKNOWN);
                return;
        }
        job->consent = true;
        strcpy(job->key, ask->id);
        code = pass_plan_consent(job->desk->books, &consent, &job->viewer, now_s(), job->plan);
        if (!ask->yes)
                drop(job, BOOK_CONSENTS); /* who asked may take it back, too */
        else if (code != CODE_DONE)
                job_end(job, code);
        else if (job->desk->keeper == NULL || !seqpacket_is_up(job->desk->keeper))
                job_end(job, job->desk->keeper == NULL ? CODE_KEEPER_NONE : CODE_KEEPER_AWAY);
        else
                take(job);
}
