/* A keeper with its keys, a journal in memory, a handset with its certificate; for the tests of what it answers. */
#ifndef TESTS_CONSOLE_KEEPER_SCENE_H
#define TESTS_CONSOLE_KEEPER_SCENE_H

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

static inline int write_entry(void *user, struct cbor_span entry)
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

static inline int draw(void *user, void *to, size_t size)
{
        struct scene *s = user;

        for (size_t i = 0; i < size; i++)
                ((uint8_t *)to)[i] = (uint8_t)(++s->drawn * 2654435761u >> 24);
        return 0;
}

static inline X509 *certificate(const struct key *key, const char *name, const struct key *by)
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

static inline void scene_open(struct scene *s)
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
                                              .limits = { 10, 15, 3, 5, 4, 6, 900, 40, 120, 12, 14 },
                                              .write = write_entry,
                                              .random = draw,
                                              .user = s };
        assert_int_equal(keeper_new(&s->options, &s->keeper), 0);
        memcpy(s->buildings, "buildAbuildBbuild", 17);
}

static inline void scene_close(struct scene *s)
{
        keeper_free(s->keeper);
        X509_free(s->ca_certificate);
        for (int i = 0; i < 4; i++)
                key_free(s->keys[i]);
        key_free(s->ca);
        key_free(s->phone);
}

/* again: the keeper is killed, and started from its journal. */
static inline void again(struct scene *s)
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
static inline void keep_only(struct scene *s, uint32_t now_s)
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

static inline unsigned ask_as(struct scene *s, enum keeper_peer peer, const struct keeper_request *request,
                              uint32_t now_s)
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

static inline unsigned ask(struct scene *s, const struct keeper_request *request, uint32_t now_s)
{
        return ask_as(s, PEER_CONSOLE, request, now_s);
}

static inline struct keeper_request a_pass(struct scene *s)
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

#endif
