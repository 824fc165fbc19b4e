#include "console/keeper/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "console/keeper/judge.h"
#include "wire/parcel.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

struct keeper {
        struct keeper_options options;
        char region[TRUST_REGION_MAX + 1];
        uint8_t pass_kid[KEY_KID_SIZE], status_kid[KEY_KID_SIZE], order_kid[KEY_KID_SIZE];
        uint8_t marker_master[KEEPER_SECRET_SIZE]; /* of which each pass's marker key is made: none has to be kept */
        struct ledger *ledger;
        struct pass_crypto crypto;
        uint32_t judged_s;                 /* the time that this request is judged by */
        uint32_t refused_since_s, refused; /* this hour, in the audit */
        uint8_t object[COSE_MAX], bits[STATUS_OCTETS_MAX];
        struct scope_leaf leaves[SCOPE_BUILDINGS_MAX];
        uint8_t nodes[SCOPE_BUILDINGS_MAX][SCOPE_HASH_SIZE];
};

/* ---- its life */

static int key_check(const struct key *key, enum key_alg alg, uint8_t *ret_kid)
{
        if (key == NULL || key_alg(key) != alg || !key_is_private(key))
                return -EINVAL;
        return ret_kid != NULL ? key_kid(key, ret_kid) : 0;
}

/* The master of markers is made of the private key for passes: with another key the markers of its passes are strange. */
static int make_master(struct keeper *k, const struct key *pass)
{
        static const char label[] = "vigie marker master";
        uint8_t secret[KEY_PRIVATE_SIZE];
        size_t len = sizeof(secret);
        int r = EVP_PKEY_get_raw_private_key(key_pkey(pass), secret, &len) == 1 && len == sizeof(secret) &&
                                HMAC(EVP_sha256(), secret, sizeof(secret), (const uint8_t *)label, sizeof(label) - 1,
                                     k->marker_master, NULL) != NULL
                        ? 0
                        : -EIO;

        OPENSSL_cleanse(secret, sizeof(secret));
        return r;
}

int keeper_new(const struct keeper_options *options, struct keeper **ret_keeper)
{
        struct keeper *k = calloc(1, sizeof(*k));
        int r = k != NULL ? ledger_new(&k->ledger) : -ENOMEM;

        if (r == 0 && strlen(options->region) > TRUST_REGION_MAX)
                r = -EINVAL;
        if (r < 0 || (r = key_check(options->pass, KEY_EDDSA, k->pass_kid)) < 0 ||
            (r = key_check(options->status, KEY_EDDSA, k->status_kid)) < 0 ||
            (r = key_check(options->order, KEY_EDDSA, k->order_kid)) < 0 ||
            (r = key_check(options->position, KEY_ECDH_ES, NULL)) < 0 || (r = make_master(k, options->pass)) < 0) {
                keeper_free(k);
                return r;
        }
        k->options = *options;
        strcpy(k->region, options->region);
        pass_crypto_init(&k->crypto);
        *ret_keeper = k;
        return 0;
}

void keeper_free(struct keeper *k)
{
        if (k == NULL)
                return;
        ledger_free(k->ledger);
        OPENSSL_cleanse(k, sizeof(*k));
        free(k);
}

int keeper_replay(struct keeper *k, struct cbor_span octets)
{
        struct ledger_entry entry;
        int r = ledger_entry_decode(octets, &entry);

        return r < 0 ? r : ledger_apply(k->ledger, &entry);
}

bool keeper_keeps(const struct keeper *k, struct cbor_span octets, uint32_t now_s)
{
        struct ledger_entry entry;

        return ledger_entry_decode(octets, &entry) < 0 || ledger_keep(k->ledger, &entry, now_s);
}

/* note: ENTRY is written down before anything else happens. */
static enum keeper_code note(struct keeper *k, const struct ledger_entry *entry)
{
        uint8_t octets[LEDGER_ENTRY_MAX];
        int len = ledger_entry_encode(entry, octets, sizeof(octets));
        int r = len < 0 ? len : k->options.write(k->options.user, (struct cbor_span){ octets, (size_t)len });

        if (r == 0)
                r = ledger_apply(k->ledger, entry);
        return r == 0 ? KEEPER_DONE : r == -ENOSPC ? KEEPER_NO_PLACE : KEEPER_FAILED;
}

static int draw(struct keeper *k, void *to, size_t size)
{
        return k->options.random(k->options.user, to, size);
}

/* ---- a pass */

/* salt: the salt of each building under the salt key (PROTOCOL.md 14.1). */
static void salt(struct keeper *k, const struct keeper_request *q, const uint8_t key[KEEPER_SECRET_SIZE])
{
        size_t count = q->buildings.len / BUILDING_ID_SIZE;

        for (size_t i = 0; i < count; i++) {
                memcpy(k->leaves[i].building, q->buildings.at + i * BUILDING_ID_SIZE, BUILDING_ID_SIZE);
                parcel_salt(&k->crypto.sha, key, k->leaves[i].building, k->leaves[i].salt);
        }
}

static int marker_key(const struct keeper *k, const uint8_t pass_id[PASS_ID_SIZE], uint8_t ret_key[KEEPER_SECRET_SIZE])
{
        return HMAC(EVP_sha256(), k->marker_master, sizeof(k->marker_master), pass_id, PASS_ID_SIZE, ret_key, NULL) !=
                               NULL
                       ? 0
                       : -EIO;
}

/* draft: everything of the pass but its signature, and its entry. */
static enum keeper_code draft(struct keeper *k, const struct keeper_request *q, struct pass *pass,
                              struct ledger_entry *entry, struct keeper_answer *answer)
{
        int64_t place = ledger_place(k->ledger, entry->at_s);

        if (place < 0)
                return KEEPER_NO_PLACE;
        *pass = (struct pass){ .not_before_s = q->not_before_s,
                               .not_after_s = q->not_after_s,
                               .issued_at_s = entry->at_s,
                               .status = (uint32_t)place,
                               .window_count = q->window_count,
                               .policy = q->policy };
        strcpy(pass->region, k->region);
        memcpy(pass->key, q->key, PASS_KEY_SIZE);
        memcpy(pass->windows, q->windows, sizeof(pass->windows));
        if (draw(k, pass->id, sizeof(pass->id)) < 0 || draw(k, pass->subject, sizeof(pass->subject)) < 0 ||
            draw(k, answer->salt_key, sizeof(answer->salt_key)) < 0 || marker_key(k, pass->id, answer->marker_key) < 0)
                return KEEPER_FAILED;
        salt(k, q, answer->salt_key);
        if (scope_build(&k->crypto.sha, k->leaves, q->buildings.len / BUILDING_ID_SIZE, k->nodes, pass->scope) < 0)
                return KEEPER_FAILED;
        memcpy(entry->carrier, q->carrier, sizeof(entry->carrier));
        memcpy(entry->pass_id, pass->id, sizeof(entry->pass_id));
        memcpy(entry->subject, pass->subject, sizeof(entry->subject));
        entry->status = pass->status;
        entry->not_before_s = pass->not_before_s;
        entry->not_after_s = pass->not_after_s;
        entry->policy = pass->policy;
        entry->buildings = (uint32_t)(q->buildings.len / BUILDING_ID_SIZE);
        return KEEPER_DONE;
}

static enum keeper_code do_pass(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                struct keeper_answer *answer)
{
        struct pass pass;
        struct cbor_writer w;
        enum keeper_code code = draft(k, q, &pass, entry, answer);

        if (code != KEEPER_DONE || (code = note(k, entry)) != KEEPER_DONE)
                return code;
        cbor_writer_init(&w, k->object, sizeof(k->object));
        if (pass_sign(&pass, k->pass_kid, k->options.pass, &w) < 0)
                return KEEPER_FAILED;
        answer->object = cbor_written(&w);
        answer->status = pass.status;
        return KEEPER_DONE;
}

/* ---- the others */

static enum keeper_code do_revoke(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                  struct keeper_answer *answer)
{
        if (q->pass_id.len > 0)
                memcpy(entry->pass_id, q->pass_id.at, PASS_ID_SIZE);
        answer->count = ledger_count(k->ledger, q->handset, q->pass_id.len > 0 ? q->pass_id.at : NULL, k->judged_s);
        return note(k, entry);
}

static enum keeper_code do_list(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                struct keeper_answer *answer)
{
        struct status_list list = { .issued_at_s = entry->at_s, .expires_s = q->expires_s };
        struct cbor_writer w;
        enum keeper_code code;

        entry->expires_s = q->expires_s;
        if ((code = note(k, entry)) != KEEPER_DONE)
                return code;
        strcpy(list.region, k->region);
        list.count = ledger_bits(k->ledger, k->bits);
        cbor_writer_init(&w, k->object, sizeof(k->object));
        if (status_sign(&list, k->bits, k->status_kid, k->options.status, &w) < 0)
                return KEEPER_FAILED;
        answer->object = cbor_written(&w);
        return KEEPER_DONE;
}

static enum keeper_code do_order(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                 struct keeper_answer *answer)
{
        struct order order = { .number = ledger_order(k->ledger) + 1,
                               .kind = (enum order_kind)q->what,
                               .issued_at_s = entry->at_s,
                               .trust_number = q->trust_number };
        struct cbor_writer w;
        enum keeper_code code;

        memcpy(order.handset.octets, q->handset, HANDSET_ID_SIZE);
        memcpy(order.enrolment, q->enrolment, sizeof(order.enrolment));
        memcpy(order.challenge, q->challenge, sizeof(order.challenge));
        memcpy(order.digest, q->digest, sizeof(order.digest));
        entry->what = q->what;
        entry->number = order.number;
        if ((code = note(k, entry)) != KEEPER_DONE)
                return code;
        cbor_writer_init(&w, k->object, sizeof(k->object));
        if (order_sign(&order, k->order_kid, k->options.order, &w) < 0)
                return KEEPER_FAILED;
        answer->object = cbor_written(&w);
        return KEEPER_DONE;
}

/* ---- a position */

/* handset_key: the key of a certificate that the region's authority made for HANDSET; out of its dates it still says whose it was. */
static int handset_key(const struct keeper *k, const struct keeper_request *q, struct key **ret_key)
{
        const unsigned char *at = q->certificate.at;
        X509 *x509 = d2i_X509(NULL, &at, (long)q->certificate.len);
        char name[64] = "", expected[2 * HANDSET_ID_SIZE + 1];
        int r = -EKEYREJECTED;

        hex_encode(q->handset, HANDSET_ID_SIZE, expected);
        if (x509 != NULL && at == q->certificate.at + q->certificate.len &&
            X509_verify(x509, X509_get0_pubkey(k->options.handset_ca)) == 1 &&
            X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof(name)) > 0 &&
            strcmp(name, expected) == 0)
                r = key_from_pkey(X509_get0_pubkey(x509), ret_key);
        X509_free(x509);
        return r;
}

/* has_alert: say whether the request brings an alert of that handset, signed by it and pressed not long ago. */
static bool has_alert(const struct keeper *k, const struct keeper_request *q, uint32_t now_s,
                      uint8_t ret_alert[ALERT_ID_SIZE])
{
        struct alert_signed alert;
        struct key *key;
        bool good;

        if (q->alert.len == 0 || alert_read(q->alert, &alert, NULL) < 0 || handset_key(k, q, &key) < 0)
                return false;
        good = alert_verify(&alert, key) == 0 && alert.alert.kind != ALERT_DRILL && alert.alert.kind != ALERT_TEST &&
               memcmp(alert.handset.octets, q->handset, HANDSET_ID_SIZE) == 0 &&
               alert.alert.pressed_at_s <= (uint64_t)now_s + KEEPER_PAST_S &&
               (uint64_t)alert.alert.pressed_at_s + KEEPER_ALERT_S >= now_s;
        key_free(key);
        memcpy(ret_alert, q->handset, HANDSET_ID_SIZE);
        memcpy(ret_alert + HANDSET_ID_SIZE, alert.alert.nonce, ALERT_NONCE_SIZE);
        return good;
}

/* A position is opened for an alert of its handset, or where it is so old that its carrier is overdue: a handset that is heard has
 * a newer one.  Whether it is that old is known once it is open: until then nobody but this function sees it. */
static bool may_be_told(const struct keeper *k, const struct sealed_position *position, bool is_alert, uint32_t now_s)
{
        const uint64_t fix_at_s = position->fix_at_s;

        return fix_at_s + KEEPER_FIX_S >= now_s &&
               (is_alert || fix_at_s + (uint64_t)k->options.limits.overdue_s <= now_s);
}

static enum keeper_code do_open(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                struct keeper_answer *answer)
{
        bool is_alert = has_alert(k, q, entry->at_s, entry->alert);
        struct handset_id handset;
        enum keeper_code code;

        if (q->alert.len > 0 && !is_alert)
                return KEEPER_NO_REASON;
        if (!is_alert)
                memset(entry->alert, 0, sizeof(entry->alert));
        if ((code = note(k, entry)) != KEEPER_DONE)
                return code;
        entry->number = LEDGER_UNTOLD; /* of the entry that refuses it */
        memcpy(handset.octets, q->handset, HANDSET_ID_SIZE);
        if (sealed_open(q->sealed, &handset, k->options.position, &answer->position) < 0)
                return KEEPER_MALFORMED;
        if (!may_be_told(k, &answer->position, is_alert, entry->at_s)) {
                memset(&answer->position, 0, sizeof(answer->position));
                return KEEPER_NO_REASON;
        }
        return KEEPER_DONE;
}

/* ---- what a door wrote down */

/* Which of the two markers of its pass and counter this is (PROTOCOL.md 13.8). */
static int look_at_mark(const struct keeper *k, const uint8_t mark[KEEPER_MARK_SIZE], uint8_t *ret_told)
{
        uint8_t key[KEEPER_SECRET_SIZE], marker[PASS_MARKER_SIZE];
        struct parcel_marked marked = { .pass = mark };
        int r = marker_key(k, mark, key);

        *ret_told = MARK_STRANGE;
        for (size_t i = 0; i < 4; i++)
                marked.counter = marked.counter << 8 | mark[PASS_ID_SIZE + i];
        for (int duress = 0; r == 0 && duress < 2; duress++) {
                marked.duress = duress;
                parcel_marker(&k->crypto.sha, key, &marked, marker);
                if (CRYPTO_memcmp(marker, mark + PASS_ID_SIZE + 4, PASS_MARKER_SIZE) == 0)
                        *ret_told = duress == 0 ? MARK_NORMAL : MARK_DURESS;
        }
        OPENSSL_cleanse(key, sizeof(key));
        return r;
}

static enum keeper_code do_mark(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                struct keeper_answer *answer)
{
        size_t count = q->marks.len / KEEPER_MARK_SIZE;
        enum keeper_code code = note(k, entry);

        for (size_t i = 0; i < count && code == KEEPER_DONE; i++)
                if (look_at_mark(k, q->marks.at + i * KEEPER_MARK_SIZE, &k->object[i]) < 0)
                        code = KEEPER_FAILED;
        answer->object = (struct cbor_span){ k->object, count };
        return code;
}

/* ---- all of them */

int64_t keeper_clock(const struct keeper *k, const struct keeper_time *now)
{
        const struct keeper_time *start = &k->options.start;
        int64_t ahead_s = ((int64_t)now->utc_s - start->utc_s) - (now->up_s - start->up_s);
        int64_t behind_s = (int64_t)ledger_signed_at(k->ledger) - now->utc_s;

        return ahead_s > KEEPER_CLOCK_S ? ahead_s : behind_s > KEEPER_CLOCK_S ? -behind_s : 0;
}

int64_t keeper_rested(const struct keeper *k, uint32_t now_s)
{
        uint32_t signed_at_s = ledger_signed_at(k->ledger);

        return signed_at_s != 0 && now_s > (uint64_t)signed_at_s + KEEPER_RESTED_S ? (int64_t)now_s - signed_at_s : 0;
}

/* needs_clock: say whether Q's answer says when it was made, or goes by how old something is.  To revoke, to wipe and to open for an
 * alert do not wait for a clock. */
static bool needs_clock(const struct keeper_request *q)
{
        return q->kind == KEEPER_PASS || q->kind == KEEPER_LIST || (q->kind == KEEPER_OPEN && q->alert.len == 0);
}

static enum keeper_code answer_one(struct keeper *k, const struct keeper_request *q, struct ledger_entry *entry,
                                   struct keeper_answer *answer)
{
        static enum keeper_code (*const what[KEEPER_KIND_END])(struct keeper *, const struct keeper_request *,
                                                               struct ledger_entry *, struct keeper_answer *) = {
                [KEEPER_PASS] = do_pass,   [KEEPER_REVOKE] = do_revoke, [KEEPER_LIST] = do_list,
                [KEEPER_ORDER] = do_order, [KEEPER_OPEN] = do_open,     [KEEPER_MARK] = do_mark,
        };
        enum keeper_code code = judge(&k->options.limits, k->ledger, entry->peer, q, k->judged_s);

        return code == KEEPER_DONE ? what[q->kind](k, q, entry, answer) : code;
}

/* note_refused: what was refused is in the audit too; of many only so many an hour, so that nobody fills it with them. */
static void note_refused(struct keeper *k, struct ledger_entry *entry, enum keeper_code code)
{
        if (entry->at_s - k->refused_since_s >= LEDGER_HOUR_S) {
                k->refused_since_s = entry->at_s;
                k->refused = 0;
        }
        entry->code = (uint8_t)code;
        if (k->refused++ < KEEPER_REFUSED_MAX)
                (void)note(k, entry);
}

size_t keeper_answer(struct keeper *k, enum keeper_peer peer, struct cbor_span octets, const struct keeper_time *now,
                     uint8_t *to)
{
        struct keeper_request q;
        struct keeper_answer answer;
        struct ledger_entry entry = { .at_s = now->utc_s, .peer = (uint8_t)peer };
        int64_t off_s;
        int len;

        if (keeper_request_decode(octets, &q) < 0)
                return 0;
        answer = (struct keeper_answer){ .kind = q.kind, .ref = q.ref };
        entry.kind = q.kind;
        entry.renews = q.renews;
        memcpy(entry.by, q.by, sizeof(entry.by));
        memcpy(entry.second, q.second, sizeof(entry.second));
        memcpy(entry.handset, q.handset, sizeof(entry.handset));
        off_s = keeper_clock(k, now);
        /* by a clock that is ahead a pass seems over that still opens doors: it is revoked all the same */
        k->judged_s = q.kind == KEEPER_REVOKE && off_s > 0 ? (uint32_t)(now->utc_s - off_s) : now->utc_s;
        answer.code = needs_clock(&q) && off_s != 0 ? KEEPER_CLOCK : (uint8_t)answer_one(k, &q, &entry, &answer);
        if (answer.code != KEEPER_DONE)
                note_refused(k, &entry, (enum keeper_code)answer.code);
        len = keeper_answer_encode(&answer, to, KEEPER_MESSAGE_MAX);
        OPENSSL_cleanse(&answer, sizeof(answer));
        return len < 0 ? 0 : (size_t)len;
}
