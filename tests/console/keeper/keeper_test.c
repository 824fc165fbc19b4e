#include "tests/wire/octets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "console/keeper/keeper.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

#define NOW_S 1800000000u
#define HOUR  3600u

/* ---- a keeper with its keys, a journal in memory, a handset with its certificate */

struct scene {
        struct key *keys[4], *ca, *phone; /* pass, status, order, position */
        X509 *ca_certificate;
        struct trust trust;
        struct keeper_options options;
        struct keeper *keeper;
        uint8_t journal[200000];
        size_t journal_len, entries;
        int refuses; /* what writing answers */
        uint64_t drawn;
        int64_t jumped_s; /* how far the clock was set ahead since the keeper began */
        uint8_t message[KEEPER_MESSAGE_MAX], answered[KEEPER_MESSAGE_MAX];
        struct keeper_answer answer;
        uint8_t buildings[3 * BUILDING_ID_SIZE];
};

static int write_entry(void *user, struct cbor_span entry)
{
        struct scene *s = user;

        if (s->refuses < 0)
                return s->refuses;
        assert_true(s->journal_len + 2 + entry.len < sizeof(s->journal));
        s->journal[s->journal_len++] = (uint8_t)(entry.len >> 8);
        s->journal[s->journal_len++] = (uint8_t)entry.len;
        memcpy(s->journal + s->journal_len, entry.at, entry.len);
        s->journal_len += entry.len;
        s->entries++;
        return 0;
}

static int draw(void *user, void *to, size_t size)
{
        struct scene *s = user;

        for (size_t i = 0; i < size; i++)
                ((uint8_t *)to)[i] = (uint8_t)(++s->drawn * 2654435761u >> 24);
        return 0;
}

static X509 *certificate(const struct key *key, const char *name, const struct key *by)
{
        X509 *x509 = X509_new();
        X509_NAME *subject = X509_get_subject_name(x509);

        assert_int_equal(
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
        assert_int_equal(X509_set_issuer_name(x509, subject), 1);
        assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -7200));
        assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), -3600)); /* over: it still says whose it was */
        assert_int_equal(X509_set_pubkey(x509, key_pkey(key)), 1);
        assert_true(X509_sign(x509, key_pkey(by), EVP_sha256()) > 0);
        return x509;
}

static void scene_open(struct scene *s)
{
        static const struct {
                enum key_alg alg;
                enum trust_use use;
        } kinds[] = { { KEY_EDDSA, TRUST_PASS },
                      { KEY_EDDSA, TRUST_STATUS },
                      { KEY_EDDSA, TRUST_ORDER },
                      { KEY_ECDH_ES, TRUST_POSITION } };

        memset(s, 0, sizeof(*s));
        strcpy(s->trust.region, "lyon");
        for (int i = 0; i < 4; i++) {
                struct trust_key *listed = &s->trust.keys[s->trust.count++];

                assert_int_equal(key_generate(kinds[i].alg, &s->keys[i]), 0);
                *listed = (struct trust_key){ .use = kinds[i].use, .alg = kinds[i].alg, .not_after_s = UINT32_MAX };
                listed->public_len = (uint8_t)key_public(s->keys[i], listed->public);
                assert_int_equal(key_kid(s->keys[i], listed->kid), 0);
        }
        assert_int_equal(key_generate(KEY_ES256, &s->ca), 0);
        assert_int_equal(key_generate(KEY_ES256, &s->phone), 0);
        s->ca_certificate = certificate(s->ca, "ca", s->ca);
        s->options = (struct keeper_options){ .region = "lyon",
                                              .start = { NOW_S, 0 },
                                              .pass = s->keys[0],
                                              .status = s->keys[1],
                                              .order = s->keys[2],
                                              .position = s->keys[3],
                                              .handset_ca = s->ca_certificate,
                                              .limits = { 10, 15, 3, 5, 4, 6, 900, 40, 120 },
                                              .write = write_entry,
                                              .random = draw,
                                              .user = s };
        assert_int_equal(keeper_new(&s->options, &s->keeper), 0);
        memcpy(s->buildings, "buildAbuildBbuild", 17);
}

static void scene_close(struct scene *s)
{
        keeper_free(s->keeper);
        X509_free(s->ca_certificate);
        for (int i = 0; i < 4; i++)
                key_free(s->keys[i]);
        key_free(s->ca);
        key_free(s->phone);
}

/* again: the keeper is killed, and started from its journal. */
static void again(struct scene *s)
{
        keeper_free(s->keeper);
        assert_int_equal(keeper_new(&s->options, &s->keeper), 0);
        for (size_t at = 0; at < s->journal_len;) {
                size_t len = (size_t)s->journal[at] << 8 | s->journal[at + 1];

                assert_int_equal(keeper_replay(s->keeper, (struct cbor_span){ s->journal + at + 2, len }), 0);
                at += 2 + len;
        }
}

/* keep_only: the journal is rewritten with what is still needed at NOW_S. */
static void keep_only(struct scene *s, uint32_t now_s)
{
        size_t to = 0;

        for (size_t at = 0, len; at < s->journal_len; at += 2 + len) {
                len = (size_t)s->journal[at] << 8 | s->journal[at + 1];
                if (!keeper_keeps(s->keeper, (struct cbor_span){ s->journal + at + 2, len }, now_s))
                        continue;
                memmove(s->journal + to, s->journal + at, 2 + len);
                to += 2 + len;
        }
        assert_true(to < s->journal_len);
        s->journal_len = to;
}

static unsigned ask_as(struct scene *s, enum keeper_peer peer, const struct keeper_request *request, uint32_t now_s)
{
        int len = keeper_request_encode(request, s->message, sizeof(s->message));
        size_t answered;

        assert_true(len > 0);
        answered = keeper_answer(s->keeper, peer, (struct cbor_span){ s->message, (size_t)len },
                                 &(struct keeper_time){ now_s, (int64_t)now_s - NOW_S - s->jumped_s }, s->answered);
        assert_true(answered > 0);
        assert_int_equal(keeper_answer_decode((struct cbor_span){ s->answered, answered }, &s->answer), 0);
        assert_int_equal(s->answer.kind, request->kind);
        assert_int_equal(s->answer.ref, request->ref);
        return s->answer.code;
}

static unsigned ask(struct scene *s, const struct keeper_request *request, uint32_t now_s)
{
        return ask_as(s, PEER_CONSOLE, request, now_s);
}

static struct keeper_request a_pass(struct scene *s)
{
        return (struct keeper_request){ .kind = KEEPER_PASS,
                                        .ref = 7,
                                        .by = "benali",
                                        .handset = "phone 1",
                                        .carrier = "martin.l",
                                        .key = "a key",
                                        .not_before_s = NOW_S,
                                        .not_after_s = NOW_S + 8 * HOUR,
                                        .policy = PASS_ONE_WAY,
                                        .buildings = CBOR_OCTETS(s->buildings) };
}

/* ---- passes */

/* What it signs is a pass of the region for those buildings, and its salts are those of the salt key. */
static void issues(void **state)
{
        struct scene s;
        struct keeper_request q;
        struct pass_signed pass;
        uint8_t id[PASS_ID_SIZE];

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        assert_int_equal(cose_sign1_verify_trusted(&pass.cose, &s.trust, TRUST_PASS, NOW_S, CBOR_LITERAL(PASS_AAD)), 0);
        assert_string_equal(pass.pass.region, "lyon");
        assert_int_equal(pass.pass.not_before_s, NOW_S);
        assert_int_equal(pass.pass.not_after_s, NOW_S + 8 * HOUR);
        assert_int_equal(pass.pass.policy, PASS_ONE_WAY);
        assert_memory_equal(pass.pass.key, q.key, PASS_KEY_SIZE);
        assert_int_equal(pass.pass.status, s.answer.status);
        assert_int_equal(s.entries, 1);
        memcpy(id, pass.pass.id, sizeof(id));
        again(&s); /* the next one has another id and another bit */
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        assert_memory_not_equal(pass.pass.id, id, sizeof(id));
        assert_int_equal(pass.pass.status, 1);
        scene_close(&s);
}

/* A phone's marker, as wire/PROTOCOL.md 13.8 has it. */
static void put_mark(uint8_t *to, const uint8_t id[PASS_ID_SIZE], const uint8_t key[KEEPER_SECRET_SIZE], uint8_t duress)
{
        uint8_t said[13] = { 0 }, whole[EVP_MAX_MD_SIZE];

        memcpy(said, id, PASS_ID_SIZE);
        said[11] = 7; /* the counter */
        said[12] = duress;
        assert_non_null(HMAC(EVP_sha256(), key, KEEPER_SECRET_SIZE, said, sizeof(said), whole, NULL));
        memcpy(to, said, 12);
        memcpy(to + 12, whole, PASS_MARKER_SIZE);
}

/* What a door wrote down is told to two people, by a keeper that kept no key of any pass, and it is in the audit. */
static void tells_marks(void **state)
{
        struct scene s;
        struct keeper_request q, mark;
        struct pass_signed pass;
        uint8_t marks[4 * KEEPER_MARK_SIZE], many[(KEEPER_MARKS_MAX + 1) * KEEPER_MARK_SIZE] = { 0 };

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        put_mark(marks, pass.pass.id, s.answer.marker_key, 0);
        put_mark(marks + KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 1);
        put_mark(marks + 2 * KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 2);
        put_mark(marks + 3 * KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 1);
        marks[3 * KEEPER_MARK_SIZE + 11] = 8; /* of another counter */
        mark = (struct keeper_request){ .kind = KEEPER_MARK, .ref = 9, .by = "benali", .marks = CBOR_OCTETS(marks) };
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(mark.second, "benali");
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(mark.second, "vidal");
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &mark, NOW_S), KEEPER_NOT_YOURS);
        again(&s);
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_DONE);
        assert_int_equal(s.entries, 5);
        assert_int_equal(s.answer.object.len, 4);
        assert_memory_equal(s.answer.object.at, "\x00\x01\x02\x02", 4);
        for (int i = 1; i < s.options.limits.opens; i++)
                assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_TOO_MANY);
        mark.marks = (struct cbor_span){ many, KEEPER_MARKS_MAX * KEEPER_MARK_SIZE };
        assert_int_equal(ask(&s, &mark, NOW_S + HOUR), KEEPER_DONE);
        mark.marks = (struct cbor_span){ many, sizeof(many) };
        assert_true(keeper_request_encode(&mark, s.message, sizeof(s.message)) < 0);
        mark.marks = (struct cbor_span){ many, KEEPER_MARK_SIZE + 1 };
        assert_int_equal(
                keeper_request_decode((struct cbor_span){ s.message, (size_t)keeper_request_encode(&mark, s.message,
                                                                                                   sizeof(s.message)) },
                                      &q),
                -EBADMSG);
        scene_close(&s);
}

static void refuses_passes(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        q.by[0] = '\0';
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_MALFORMED);
        q = a_pass(&s);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &q, NOW_S), KEEPER_NOT_YOURS);
        q.not_after_s = q.not_before_s + PASS_SECONDS_MAX + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_LONG);
        q.not_after_s = q.not_before_s + 12 * HOUR + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(q.second, q.by);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(q.second, "chef");
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        q = a_pass(&s);
        q.policy = PASS_SENSITIVE;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S + HOUR + 1), KEEPER_NOT_NOW);
        q.not_before_s += 48 * HOUR + 1;
        q.not_after_s += 48 * HOUR + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        q = a_pass(&s);
        q.not_after_s = q.not_before_s - 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        q = a_pass(&s);
        q.window_count = 1;
        q.windows[0] = (struct pass_window){ 2, 1 };
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        scene_close(&s);
}

/* How many an hour, of one and of all; a restart forgets nothing; the next hour is a new one. */
static void so_many_an_hour(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        for (int i = 0; i < 10; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        again(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        strcpy(q.by, "other");
        for (int i = 0; i < 5; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY); /* all of them */
        q.not_before_s += HOUR;
        assert_int_equal(ask(&s, &q, NOW_S + HOUR), KEEPER_DONE);
        scene_close(&s);
}

/* Nothing is signed that is not written down first. */
static void writes_first(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        s.refuses = -EIO;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_FAILED);
        assert_int_equal(s.answer.object.len, 0);
        s.refuses = -ENOSPC;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NO_PLACE);
        s.refuses = 0;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.status, 0);
        scene_close(&s);
}

/* ---- revocation and the list */

static bool is_revoked(struct scene *s, uint32_t status, uint32_t now_s)
{
        static uint8_t room[STATUS_ROOM], bits[STATUS_OCTETS_MAX];
        struct keeper_request q = { .kind = KEEPER_LIST, .by = "console", .expires_s = now_s + HOUR };
        struct status_signed list;
        struct status_bits unpacked;

        assert_int_equal(ask(s, &q, now_s), KEEPER_DONE);
        assert_int_equal(status_read(s->answer.object, &list, NULL), 0);
        assert_int_equal(status_verify(&list, &s->trust, now_s), 0);
        assert_int_equal(list.list.issued_at_s, now_s);
        assert_int_equal(status_unpack(&list.list, room, bits, &unpacked), 0);
        assert_true(status < unpacked.count);
        return bits[status / 8] >> (status % 8) & 1;
}

static void revokes(void **state)
{
        struct scene s;
        struct keeper_request q, revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        struct pass_signed pass;
        uint8_t id[PASS_ID_SIZE];

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_NOT_FOUND);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
                assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
                if (i == 1)
                        memcpy(id, pass.pass.id, sizeof(id));
        }
        strcpy((char *)q.handset, "phone 2");
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_false(is_revoked(&s, 1, NOW_S));
        revoke.pass_id = CBOR_OCTETS(id);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.count, 1);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_NOT_FOUND);
        assert_true(is_revoked(&s, 1, NOW_S + 1));
        assert_false(is_revoked(&s, 0, NOW_S + 2));
        revoke.pass_id.len = 0; /* phone lost */
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.count, 2);
        again(&s);
        for (uint32_t i = 0; i < 4; i++)
                assert_int_equal(is_revoked(&s, i, NOW_S + 3 + i), i < 3);
        scene_close(&s);
}

/* A list's time only rises, and it is not good for ever. */
static void lists(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_LIST, .by = "console", .expires_s = NOW_S + KEEPER_LIST_S };

        scene_open(&s);
        assert_int_equal(ask(&s, &q, NOW_S - 1), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        again(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &q, NOW_S + 1), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, q.expires_s), KEEPER_NOT_NOW);
        scene_close(&s);
}

/* A bit is used again a day after its pass is over, and is then not revoked any more. */
static void bits_come_again(void **state)
{
        struct scene s;
        struct keeper_request q, revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        uint32_t later = NOW_S + 8 * HOUR + LEDGER_REST_S;

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        q.not_before_s = later;
        q.not_after_s = later + HOUR;
        assert_int_equal(ask(&s, &q, later), KEEPER_DONE);
        assert_int_equal(s.answer.status, 1);
        assert_int_equal(ask(&s, &q, later + 1), KEEPER_DONE);
        assert_int_equal(s.answer.status, 0);
        assert_false(is_revoked(&s, 0, later + 2));
        again(&s);
        assert_false(is_revoked(&s, 0, later + 3));
        scene_close(&s);
}

/* ---- orders */

static void orders(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_ORDER,
                                    .by = "chef",
                                    .handset = "phone 1",
                                    .enrolment = "enrol",
                                    .what = ORDER_UNLOCK,
                                    .challenge = "1234567" };
        struct order_signed order;

        scene_open(&s);
        for (uint32_t i = 1; i <= 3; i++) {
                if (i == 2)
                        again(&s);
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
                assert_int_equal(order_read(s.answer.object, &order, NULL), 0);
                assert_int_equal(order_verify_trusted(&order, &s.trust, NOW_S), 0);
                assert_int_equal(order.order.number, i);
                assert_int_equal(order.order.kind, ORDER_UNLOCK);
                assert_memory_equal(order.order.challenge, q.challenge, ORDER_CHALLENGE_SIZE);
                assert_memory_equal(order.order.handset.octets, q.handset, HANDSET_ID_SIZE);
        }
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &q, NOW_S), KEEPER_NOT_YOURS);
        scene_close(&s);
}

/* A morning full of passes, each with its order, leaves a lost phone's wipe what it has; and the other way round. */
static void wipes_are_counted_apart(void **state)
{
        struct keeper_request pass = {
                .kind = KEEPER_ORDER, .by = "chef", .handset = "phone 1", .enrolment = "enrol", .what = ORDER_PASS
        };
        struct keeper_request wipe = pass;
        struct scene s;

        scene_open(&s);
        wipe.what = ORDER_WIPE;
        for (int i = 0; i < 10; i++)
                assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_TOO_MANY);
        again(&s);
        for (int i = 0; i < 3; i++)
                assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_TOO_MANY);
        wipe.what = ORDER_UNLOCK;
        assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_TOO_MANY);
        scene_close(&s);
}

/* ---- positions */

struct sealed_scene {
        uint8_t sealed[SEALED_MAX], alert[ALERT_MAX], certificate[KEEPER_CERTIFICATE_MAX];
        struct keeper_request q;
};

static void seal(struct scene *s, struct sealed_scene *p, uint32_t fix_at_s)
{
        const struct trust_key *to = trust_current(&s->trust, TRUST_POSITION, NOW_S);
        struct sealed_position at = { 457640430, 48356590, 12, fix_at_s };
        struct handset_id handset = { "phone 1" };
        uint8_t random[SEALED_RANDOM_SIZE];
        struct cbor_writer w;

        draw(s, random, sizeof(random));
        cbor_writer_init(&w, p->sealed, sizeof(p->sealed));
        assert_int_equal(sealed_seal(&at, &(struct sealed_to){ to->kid, to->public, &handset }, random, &w), 0);
        p->q = (struct keeper_request){
                .kind = KEEPER_OPEN, .by = "dispatcher-1", .handset = "phone 1", .sealed = cbor_written(&w)
        };
}

/* evidence: an alert of that handset by the phone's KEY, and a certificate by BY for NAME. */
static void evidence(struct scene *s, struct sealed_scene *p, enum alert_kind kind, uint32_t pressed_at_s,
                     const struct key *key, const struct key *by, const char *name)
{
        struct alert alert = { .pressed_at_s = pressed_at_s, .kind = kind, .nonce = "a nonce" };
        struct handset_id handset = { "phone 1" };
        X509 *x509 = certificate(s->phone, name, by);
        unsigned char *at = p->certificate;
        struct cbor_writer w;

        cbor_writer_init(&w, p->alert, sizeof(p->alert));
        assert_int_equal(alert_sign(&alert, &handset, key, &w), 0);
        p->q.alert = cbor_written(&w);
        p->q.certificate = (struct cbor_span){ p->certificate, (size_t)i2d_X509(x509, &at) };
        X509_free(x509);
}

#define PHONE_1 "70686f6e65203100"

static void opens(void **state)
{
        struct scene s;
        struct sealed_scene p;
        struct key *other;

        scene_open(&s);
        assert_int_equal(key_generate(KEY_ES256, &other), 0);
        s.options.limits.opens = s.options.limits.opens_all = 100;
        again(&s);
        seal(&s, &p, NOW_S - 60); /* heard of a minute ago, and no alert */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        assert_int_equal(s.answer.position.lat_e7, 0);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.position.lat_e7, 457640430);
        assert_int_equal(s.answer.position.fix_at_s, NOW_S - 60);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + KEEPER_ALERT_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_DRILL, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, other, s.ca, PHONE_1); /* signed by somebody else */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, other, PHONE_1); /* a certificate of nobody's */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, "70686f6e65203200"); /* of another handset */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - 900); /* overdue */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        seal(&s, &p, NOW_S - 899);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - KEEPER_FIX_S); /* kept for long by somebody */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + 1), KEEPER_NO_REASON);
        assert_int_equal(s.answer.position.lat_e7, 0);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + 1), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - 900);
        p.sealed[60] ^= 1;
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_MALFORMED);
        key_free(other);
        scene_close(&s);
}

/* Each use is in the audit before it: also those that came to nothing once the position was open. */
static void openings_are_written_down(void **state)
{
        struct scene s;
        struct sealed_scene p;

        scene_open(&s);
        seal(&s, &p, NOW_S - 60);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        assert_int_equal(s.entries, 2);
        s.refuses = -EIO;
        seal(&s, &p, NOW_S - 900);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_FAILED);
        assert_int_equal(s.answer.position.lat_e7, 0);
        s.refuses = 0;
        for (int i = 0; i < 3; i++)
                assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_TOO_MANY);
        scene_close(&s);
}

static unsigned overdue(struct scene *s, uint32_t now_s)
{
        struct sealed_scene p;

        seal(s, &p, now_s - 900);
        return ask_as(s, PEER_DISPATCHER, &p.q, now_s);
}

/* A dispatcher that holds positions back until they are old learns a way of four places an hour, twelve a day, of one phone; an alert
 * of it is opened all the same.  What was told to nobody is not counted; a restart, and an audit that was put aside, forget nothing. */
static void a_way_is_not_told(void **state)
{
        struct scene s;
        struct sealed_scene p;
        uint32_t now_s = NOW_S;

        scene_open(&s);
        s.options.limits = (struct keeper_limits){ 10, 15, 3, 5, 100, 100, 900, 4, 12 };
        again(&s);
        for (int hour = 0; hour < 3; hour++) {
                for (int i = 0; i < 4; i++) {
                        seal(&s, &p, now_s - 60);
                        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_NO_REASON);
                        assert_int_equal(overdue(&s, now_s), KEEPER_DONE);
                }
                again(&s);
                assert_int_equal(overdue(&s, now_s), KEEPER_TOO_MANY);
                assert_int_equal(overdue(&s, now_s + HOUR - 1), KEEPER_TOO_MANY);
                now_s += HOUR;
        }
        assert_int_equal(overdue(&s, now_s), KEEPER_TOO_MANY); /* twelve today */
        keep_only(&s, now_s);
        again(&s);
        assert_int_equal(overdue(&s, NOW_S + 24 * HOUR - 1), KEEPER_TOO_MANY);
        seal(&s, &p, now_s - 60);
        evidence(&s, &p, ALERT_PANIC, now_s - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_DONE);
        strcpy((char *)p.q.handset, "phone 2"); /* another phone has its own; this position is not its */
        p.q.alert.len = p.q.certificate.len = 0;
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_MALFORMED);
        assert_int_equal(overdue(&s, NOW_S + 24 * HOUR), KEEPER_DONE);
        scene_close(&s);
}

/* As many as are remembered: the first a day old makes room. */
static void a_day_of_overdue(void **state)
{
        struct ledger_entry entry = { .at_s = NOW_S, .peer = PEER_DISPATCHER, .kind = KEEPER_OPEN };
        struct ledger *ledger;

        assert_int_equal(ledger_new(&ledger), 0);
        for (uint32_t i = 0; i <= LEDGER_OVERDUE_MAX; i++) {
                memcpy(entry.handset, &i, sizeof(i));
                assert_int_equal(ledger_apply(ledger, &entry), 0);
        }
        assert_int_equal(ledger_overdue(ledger, NULL, LEDGER_DAY_S, NOW_S), LEDGER_OVERDUE_MAX);
        memset(entry.handset, 0, sizeof(entry.handset));
        assert_int_equal(ledger_overdue(ledger, entry.handset, LEDGER_DAY_S, NOW_S), 0); /* the first gave way */
        entry.at_s += LEDGER_DAY_S;
        assert_int_equal(ledger_apply(ledger, &entry), 0);
        assert_int_equal(ledger_overdue(ledger, NULL, LEDGER_DAY_S, entry.at_s), 1);
        ledger_free(ledger);
}

/* A list of the future would raise every door's clock, and with a clock that is ahead everybody is overdue. */
static void a_clock_that_jumped(void **state)
{
        static struct scene s;
        struct keeper_request pass, list = { .kind = KEEPER_LIST, .by = "console" };
        struct keeper_request revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        struct sealed_scene p;
        uint32_t now_s = NOW_S + KEEPER_CLOCK_S;

        scene_open(&s);
        pass = a_pass(&s);
        s.jumped_s = KEEPER_CLOCK_S;
        assert_int_equal(ask(&s, &pass, now_s), KEEPER_DONE);
        list.expires_s = now_s + 2 * HOUR;
        assert_int_equal(ask(&s, &list, now_s), KEEPER_DONE);
        now_s += ++s.jumped_s;
        assert_int_equal(ask(&s, &pass, now_s), KEEPER_CLOCK);
        assert_int_equal(ask(&s, &list, now_s), KEEPER_CLOCK);
        assert_int_equal(s.answer.object.len, 0);
        assert_int_equal(overdue(&s, now_s), KEEPER_CLOCK);
        seal(&s, &p, now_s - 60);
        evidence(&s, &p, ALERT_PANIC, now_s - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_DONE);
        s.jumped_s += 48 * HOUR; /* passes seem over, and are revoked */
        assert_int_equal(ask(&s, &revoke, now_s + 48 * HOUR), KEEPER_DONE);
        assert_int_equal(s.answer.count, 1);
        s.jumped_s = 0; /* the clock was set right; what was refused under the wrong one keeps nobody from going on */
        assert_int_equal(ask(&s, &list, NOW_S + KEEPER_CLOCK_S + 1), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S + KEEPER_CLOCK_S + 1), KEEPER_DONE);
        scene_close(&s);
}

static void a_clock_that_is_behind(void **state)
{
        static struct scene s;
        struct keeper_request pass, list = { .kind = KEEPER_LIST, .by = "console", .expires_s = NOW_S + HOUR };

        scene_open(&s);
        pass = a_pass(&s);
        assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &list, NOW_S), KEEPER_DONE);
        again(&s);
        assert_int_equal(ask(&s, &list, NOW_S - 1), KEEPER_CLOCK);
        assert_int_equal(ask(&s, &list, NOW_S), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &pass, NOW_S - KEEPER_CLOCK_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S - KEEPER_CLOCK_S - 1), KEEPER_CLOCK);
        assert_int_equal(overdue(&s, NOW_S - KEEPER_CLOCK_S - 1), KEEPER_CLOCK);
        scene_close(&s);
}

/* ---- what is no request, and what refusals cost */

static void no_request(void **state)
{
        static const char *const cases[] = {
                "", "00", "80", "8101", "820106", "8602010060600000", "850101006000", "ff"
        };
        struct scene s;

        scene_open(&s);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct octets in = octets_from(cases[i]);

                assert_int_equal(keeper_answer(s.keeper, PEER_CONSOLE, octets_span(&in), &s.options.start, s.answered), 0);
        }
        assert_int_equal(s.entries, 0);
        scene_close(&s);
}

static void refusals_are_bounded(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_REVOKE, .by = "x" };

        scene_open(&s);
        for (int i = 0; i < KEEPER_REFUSED_MAX + 10; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_FOUND);
        assert_int_equal(s.entries, KEEPER_REFUSED_MAX);
        assert_int_equal(ask(&s, &q, NOW_S + HOUR), KEEPER_NOT_FOUND);
        assert_int_equal(s.entries, KEEPER_REFUSED_MAX + 1);
        scene_close(&s);
}

static void keys_of_the_wrong_kind(void **state)
{
        struct scene s;
        struct keeper *none;
        struct keeper_options options;

        scene_open(&s);
        options = s.options;
        options.pass = s.ca;
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        options = s.options;
        options.position = s.keys[0];
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        options = s.options;
        options.order = NULL;
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        scene_close(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(issues),
                cmocka_unit_test(refuses_passes),
                cmocka_unit_test(so_many_an_hour),
                cmocka_unit_test(writes_first),
                cmocka_unit_test(revokes),
                cmocka_unit_test(lists),
                cmocka_unit_test(bits_come_again),
                cmocka_unit_test(orders),
                cmocka_unit_test(wipes_are_counted_apart),
                cmocka_unit_test(opens),
                cmocka_unit_test(openings_are_written_down),
                cmocka_unit_test(a_way_is_not_told),
                cmocka_unit_test(a_day_of_overdue),
                cmocka_unit_test(a_clock_that_jumped),
                cmocka_unit_test(a_clock_that_is_behind),
                cmocka_unit_test(tells_marks),
                cmocka_unit_test(no_request),
                cmocka_unit_test(refusals_are_bounded),
                cmocka_unit_test(keys_of_the_wrong_kind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
