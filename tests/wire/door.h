/* For the tests of passes: a region with its keys, a round of buildings, a phone and a door, all drawn by libcrypto. */
#ifndef TESTS_WIRE_DOOR_H
#define TESTS_WIRE_DOOR_H
#include "tests/wire/octets.h"

#include "wire/pass_signing.h"
#include "wire/signing.h"

#define NOW_S     1800000000u
#define BUILDINGS 40

struct bytes {
        uint8_t at[PRESENTATION_MAX];
        size_t len;
};

struct door {
        struct key *keeper, *doors, *phone, *lock; /* lock: the door's own */
        uint8_t keeper_kid[KEY_KID_SIZE], doors_kid[KEY_KID_SIZE];
        struct trust trust;
        struct pass_crypto crypto;
        struct scope_leaf leaves[SCOPE_BUILDINGS_MAX];
        uint8_t nodes[SCOPE_BUILDINGS_MAX][SCOPE_HASH_SIZE], path[SCOPE_PATH_MAX];
        size_t buildings, here; /* the door is at the building `here` */
        struct pass pass;
        struct mandate mandate;
        struct hello hello;
        struct proof proof;
        uint8_t bits[8];
        struct status_bits status;
        struct bytes signed_pass, signed_mandate, signed_hello, signed_proof;
        struct pass_question question;
        struct pass_verdict verdict;
};

static inline struct cbor_span span_of(const struct bytes *b)
{
        return (struct cbor_span){ b->at, b->len };
}

static inline void door_list_key(struct door *d, enum trust_use use, const struct key *key,
                                 uint8_t ret_kid[KEY_KID_SIZE])
{
        struct trust_key *listed = &d->trust.keys[d->trust.count++];

        *listed = (struct trust_key){ .use = use, .alg = key_alg(key), .not_after_s = UINT32_MAX };
        listed->public_len = (uint8_t)key_public(key, listed->public);
        assert_int_equal(key_kid(key, listed->kid), 0);
        memcpy(ret_kid, listed->kid, KEY_KID_SIZE);
}

static inline void door_p256(struct key **ret_key, uint8_t to[PASS_KEY_SIZE])
{
        uint8_t public[KEY_PUBLIC_MAX];

        assert_int_equal(key_generate(KEY_ES256, ret_key), 0);
        assert_int_equal(key_public(*ret_key, public), 1 + PASS_KEY_SIZE);
        memcpy(to, public + 1, PASS_KEY_SIZE);
}

#define SIGNED(to, call)                                          \
        do {                                                      \
                struct cbor_writer w;                             \
                cbor_writer_init(&w, (to)->at, sizeof((to)->at)); \
                assert_int_equal(call, 0);                        \
                (to)->len = w.len;                                \
        } while (0)

/* door_pass: sign the pass anew, as `pass` and `leaves` are now. */
static inline void door_pass(struct door *d)
{
        assert_int_equal(scope_build(&d->crypto.sha, d->leaves, d->buildings, d->nodes, d->pass.scope), 0);
        SIGNED(&d->signed_pass, pass_sign(&d->pass, d->keeper_kid, d->keeper, &w));
}

/* door_proof: the phone answers this door, for the building `here`; by hello, or one way where the class says so. */
static inline void door_proof(struct door *d)
{
        uint8_t aad[PROOF_AAD_SIZE];
        struct cbor_span hello = { NULL, 0 };

        d->mandate.class = d->question.class;
        SIGNED(&d->signed_mandate, mandate_sign(&d->mandate, d->doors_kid, d->doors, &w));
        d->hello.mandate = span_of(&d->signed_mandate);
        SIGNED(&d->signed_hello, hello_sign(&d->hello, d->mandate.door, d->lock, &w));
        if (d->question.class == DOOR_NFC)
                hello = span_of(&d->signed_hello);
        pass_digest(&d->crypto.sha, span_of(&d->signed_pass), d->proof.digest);
        memcpy(d->proof.salt, d->leaves[d->here].salt, SCOPE_SALT_SIZE);
        d->proof.index = (uint16_t)d->here;
        d->proof.path.at = d->path;
        assert_int_equal(
                scope_path(&d->crypto.sha, d->leaves, d->buildings, d->here, d->nodes, d->path, &d->proof.path.len), 0);
        proof_aad(&d->crypto.sha, hello, d->question.class, d->proof.time_s, aad);
        SIGNED(&d->signed_proof, proof_sign(&d->proof, d->pass.id, aad, d->phone, &w));
        d->question.pass = span_of(&d->signed_pass);
        d->question.proof = span_of(&d->signed_proof);
        d->question.hello = hello;
        memcpy(d->question.building, d->mandate.building, BUILDING_ID_SIZE);
}

static inline unsigned door_ask(struct door *d)
{
        pass_verify(&d->crypto, &d->question, &d->verdict);
        return d->verdict.refusal;
}

/* door_open: a good pass of COUNT buildings in front of the door of the last of them, by CLASS. */
static inline void door_open(struct door *d, size_t count, uint8_t class)
{
        memset(d, 0, sizeof(*d));
        pass_crypto_init(&d->crypto);
        assert_int_equal(key_generate(KEY_EDDSA, &d->keeper), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &d->doors), 0);
        strcpy(d->trust.region, "lyon");
        door_list_key(d, TRUST_PASS, d->keeper, d->keeper_kid);
        door_list_key(d, TRUST_DOOR, d->doors, d->doors_kid);
        d->buildings = count;
        d->here = count - 1;
        for (size_t i = 0; i < count; i++) {
                memcpy(d->leaves[i].building, &i, sizeof(i));
                memset(d->leaves[i].salt, (int)(i * 7 + 1), SCOPE_SALT_SIZE);
        }
        d->pass = (struct pass){ .region = "lyon",
                                 .subject = "subject",
                                 .id = "pass id",
                                 .not_before_s = NOW_S - 3600,
                                 .not_after_s = NOW_S + 7 * 3600,
                                 .issued_at_s = NOW_S - 4000,
                                 .status = 11,
                                 .policy = PASS_ONE_WAY | PASS_CARETAKER };
        door_p256(&d->phone, d->pass.key);
        d->mandate = (struct mandate){ .region = "lyon", .door = "door id", .not_after_s = UINT32_MAX };
        memcpy(d->mandate.building, d->leaves[d->here].building, BUILDING_ID_SIZE);
        door_p256(&d->lock, d->mandate.key);
        d->hello = (struct hello){ .nonce = "a nonce of 16", .time_s = NOW_S };
        d->proof = (struct proof){ .time_s = NOW_S, .counter = 5, .marker = "marked" };
        d->status = (struct status_bits){ NOW_S - 60, NOW_S + 3600, 64, d->bits };
        d->question =
                (struct pass_question){ .trust = &d->trust, .status = &d->status, .now_s = NOW_S, .class = class };
        door_pass(d);
        door_proof(d);
}

static inline void door_close(struct door *d)
{
        key_free(d->keeper);
        key_free(d->doors);
        key_free(d->phone);
        key_free(d->lock);
}
#endif
