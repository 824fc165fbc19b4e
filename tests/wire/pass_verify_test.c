#include "tests/wire/forged.h"

#include <errno.h>
#include <stdio.h>

#include "wire/status.h"

/* ---- one refusal for each reason, in the order of the design */

static void good(void **state)
{
        for (uint8_t class = DOOR_NFC; class < DOOR_CLASS_END; class ++) {
                struct door d;

                door_open(&d, BUILDINGS, class);
                assert_int_equal(door_ask(&d), PASS_GOOD);
                assert_false(d.verdict.degraded);
                assert_int_equal(d.verdict.counter, 5);
                assert_memory_equal(d.verdict.marker, "marked\0", PASS_MARKER_SIZE);
                assert_memory_equal(d.verdict.pass.id, d.pass.id, PASS_ID_SIZE);
                door_close(&d);
        }
}

static void length_and_cbor(void **state)
{
        static uint8_t large[PROOF_MAX + 1];
        struct door d;

        door_open(&d, 1, DOOR_NFC);
        d.question.pass.len = PASS_MAX + 1;
        assert_int_equal(door_ask(&d), PASS_TOO_LONG);
        door_proof(&d);
        d.question.proof = CBOR_OCTETS(large);
        assert_int_equal(door_ask(&d), PASS_TOO_LONG);
        door_proof(&d);
        for (d.question.pass.len = 0; d.question.pass.len < d.signed_pass.len; d.question.pass.len++)
                assert_int_equal(door_ask(&d), PASS_MALFORMED);
        door_proof(&d);
        for (d.question.proof.len = 0; d.question.proof.len < d.signed_proof.len; d.question.proof.len++)
                assert_int_equal(door_ask(&d), PASS_MALFORMED);
        door_proof(&d);
        d.question.pass = span_of(&d.signed_proof);
        assert_int_equal(door_ask(&d), PASS_MALFORMED);
        door_close(&d);
}

static void keys(void **state)
{
        struct door d;

        door_open(&d, 1, DOOR_NFC);
        d.trust.keys[0].use = TRUST_RECEIPT;
        assert_int_equal(door_ask(&d), PASS_WRONG_USE);
        d.trust.keys[0].use = TRUST_PASS;
        d.trust.keys[0].not_after_s = NOW_S - 1;
        assert_int_equal(door_ask(&d), PASS_UNKNOWN_KEY);
        d.trust.keys[0].not_after_s = NOW_S;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.trust.keys[0].kid[0] ^= 1;
        assert_int_equal(door_ask(&d), PASS_UNKNOWN_KEY);
        d.trust.keys[0].kid[0] ^= 1;
        strcpy(d.trust.region, "nice");
        assert_int_equal(door_ask(&d), PASS_UNKNOWN_KEY);
        strcpy(d.trust.region, "lyon");
        d.trust.keys[0].public[5] ^= 1;
        assert_int_equal(door_ask(&d), PASS_FORGED);
        door_close(&d);
}

/* Algorithm, key and kind swapped in all pairs: an object is nothing but its own kind, signed by the key for that. */
static void swapped(void **state)
{
        struct door d;
        struct key *signers[4];
        const char *const aads[] = {
                PASS_AAD, MANDATE_AAD, HELLO_AAD, "vigie proof", "vigie trust", "vigie receipt", ""
        };
        uint8_t payload[PASS_PAYLOAD_MAX];
        struct cbor_writer p;

        door_open(&d, 1, DOOR_NFC);
        signers[0] = d.keeper, signers[1] = d.doors, signers[2] = d.phone, signers[3] = d.lock;
        cbor_writer_init(&p, payload, sizeof(payload));
        assert_int_equal(pass_write_payload(&d.pass, &p), 0);
        for (int k = 0; k < 4; k++)
                for (size_t a = 0; a < sizeof(aads) / sizeof(*aads); a++)
                        for (size_t kid = 0; kid < 2; kid++) {
                                struct cose_parts parts = { .alg = key_alg(signers[k]),
                                                            .kid = kid == 0 ? d.keeper_kid : d.doors_kid,
                                                            .payload = cbor_written(&p),
                                                            .aad = { (const uint8_t *)aads[a], strlen(aads[a]) } };
                                bool is_right = k == 0 && a == 0 && kid == 0;

                                SIGNED(&d.signed_pass, cose_sign1_sign(&parts, signers[k], &w));
                                door_proof(&d);
                                assert_int_equal(door_ask(&d), is_right   ? PASS_GOOD
                                                               : kid == 1 ? PASS_WRONG_USE
                                                                          : PASS_FORGED);
                        }
        door_close(&d);
}

static void times(void **state)
{
        static const struct {
                int64_t now_s;
                unsigned refusal;
        } cases[] = {
                { 0, PASS_NOT_YET }, /* a clock that begins at 1970 */
                { (int64_t)NOW_S - 3600 - PASS_LEEWAY_S - 1, PASS_NOT_YET },
                { (int64_t)NOW_S - 3600 - PASS_LEEWAY_S, PASS_GOOD },
                { (int64_t)NOW_S - 3599, PASS_GOOD },
                { (int64_t)NOW_S + 7 * 3600 + PASS_LEEWAY_S, PASS_GOOD },
                { (int64_t)NOW_S + 7 * 3600 + PASS_LEEWAY_S + 1, PASS_OVER },
                { (int64_t)NOW_S + 86400, PASS_OVER },
                { INT64_C(2145916800), PASS_OVER }, /* 2038 */
                { UINT32_MAX, PASS_OVER },
        };
        struct door d;

        door_open(&d, 1, DOOR_NFC);
        d.status.expires_s = UINT32_MAX;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                d.question.now_s = (uint32_t)cases[i].now_s;
                assert_int_equal(door_ask(&d), cases[i].refusal);
        }
        door_close(&d);
}

static void status(void **state)
{
        struct door d;

        door_open(&d, 1, DOOR_NFC);
        d.bits[1] = 0xff & ~(1 << 3);
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.bits[1] = 1 << 3;
        assert_int_equal(door_ask(&d), PASS_REVOKED);
        d.question.degraded_ok = true; /* an old list that says so is believed */
        d.question.now_s = d.status.expires_s + 1;
        assert_int_equal(door_ask(&d), PASS_REVOKED);
        d.bits[1] = 0;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        assert_true(d.verdict.degraded);
        d.question.degraded_ok = false;
        assert_int_equal(door_ask(&d), PASS_LIST_TOO_OLD);
        d.question.now_s = d.status.expires_s;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.question.status = NULL; /* withheld from the first day */
        assert_int_equal(door_ask(&d), PASS_LIST_TOO_OLD);
        d.question.degraded_ok = true;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.question.status = &d.status;
        d.status.count = 11; /* a list from before this pass had its bit */
        d.bits[1] = 1 << 3;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        door_close(&d);
}

static void scope(void **state)
{
        struct door d;

        door_open(&d, BUILDINGS, DOOR_NFC);
        d.question.building[0] ^= 1;
        assert_int_equal(door_ask(&d), PASS_OTHER_BUILDING);
        memcpy(d.question.building, d.leaves[3].building, BUILDING_ID_SIZE); /* on the round, with another's path */
        assert_int_equal(door_ask(&d), PASS_OTHER_BUILDING);
        door_close(&d);
}

static void hours_and_policy(void **state)
{
        struct door d;

        door_open(&d, 1, DOOR_SCANNER);
        d.pass.window_count = 2;
        d.pass.windows[0] = (struct pass_window){ NOW_S - 60, NOW_S - 1 };
        d.pass.windows[1] = (struct pass_window){ NOW_S + 1, NOW_S + 60 };
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(door_ask(&d), PASS_OUTSIDE_HOURS);
        d.question.now_s = NOW_S + 1;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.question.now_s = NOW_S - 1;
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.question.sensitive = true;
        assert_int_equal(door_ask(&d), PASS_NOT_SO);
        d.pass.policy |= PASS_SENSITIVE;
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(door_ask(&d), PASS_GOOD);
        d.pass.policy = PASS_SENSITIVE;
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(door_ask(&d), PASS_NOT_SO);
        d.question.class = DOOR_PAGE;
        d.pass.policy = PASS_SENSITIVE | PASS_ONE_WAY;
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(door_ask(&d), PASS_NOT_SO);
        d.question.class = DOOR_NFC; /* a door that asks by hello is not given what needs none */
        assert_int_equal(door_ask(&d), PASS_NOT_SO);
        door_close(&d);
}

static void proofs(void **state)
{
        struct door d, other;

        door_open(&d, 1, DOOR_NFC);
        door_open(&other, 1, DOOR_NFC);
        d.question.proof = span_of(&other.signed_proof); /* another phone's */
        assert_int_equal(door_ask(&d), PASS_OTHER_PROOF);
        door_proof(&d);
        d.hello.nonce[0] ^= 1; /* the answer to yesterday's hello, at today's */
        {
                struct bytes yesterday = d.signed_proof;

                door_proof(&d);
                d.question.proof = span_of(&yesterday);
                assert_int_equal(door_ask(&d), PASS_UNPROVED);
        }
        key_free(d.phone);
        assert_int_equal(key_generate(KEY_ES256, &d.phone), 0); /* a copied phone folder: pass, but another key */
        door_proof(&d);
        assert_int_equal(door_ask(&d), PASS_UNPROVED);
        door_close(&other);
        door_close(&d);
}

/* One way: a picture of a screen is worth nothing after its slot and the neighbours, and at no door of another class. */
static void one_way(void **state)
{
        struct door d;

        door_open(&d, BUILDINGS, DOOR_SCANNER);
        for (int64_t off_s = -PASS_ONE_WAY_S; off_s <= PASS_ONE_WAY_S; off_s++) {
                d.question.now_s = (uint32_t)(NOW_S + off_s);
                assert_int_equal(door_ask(&d), PASS_GOOD);
        }
        d.question.now_s = NOW_S + PASS_ONE_WAY_S + 1;
        assert_int_equal(door_ask(&d), PASS_STALE);
        d.question.now_s = NOW_S - PASS_ONE_WAY_S - 1;
        assert_int_equal(door_ask(&d), PASS_STALE);
        d.question.now_s = NOW_S;
        d.question.class = DOOR_PAGE;
        assert_int_equal(door_ask(&d), PASS_UNPROVED);
        door_close(&d);
}

/* ---- every bit of 20 passes and their proofs flipped: none is accepted */
static void every_bit(void **state)
{
        for (unsigned i = 0; i < 20; i++) {
                struct door d;

                door_open(&d, 1 + i * 20, (uint8_t)(DOOR_NFC + i % 3));
                assert_int_equal(door_ask(&d), PASS_GOOD);
                for (size_t bit = 0; bit < 8 * d.signed_pass.len; bit++) {
                        d.signed_pass.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                        assert_int_not_equal(door_ask(&d), PASS_GOOD);
                        d.signed_pass.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                }
                for (size_t bit = 0; bit < 8 * d.signed_proof.len; bit++) {
                        d.signed_proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                        assert_int_not_equal(door_ask(&d), PASS_GOOD);
                        d.signed_proof.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                }
                assert_int_equal(door_ask(&d), PASS_GOOD);
                door_close(&d);
        }
}

/* ---- the phone's side: a door whose hello does not verify gets no proof */
static void hellos(void **state)
{
        struct door d;
        struct mandate mandate;
        struct cbor_span hello;

        door_open(&d, 1, DOOR_NFC);
        hello = span_of(&d.signed_hello);
        assert_int_equal(hello_verify(&d.crypto, hello, &d.trust, NOW_S, &mandate), 0);
        assert_memory_equal(&mandate, &d.mandate, sizeof(mandate));
        for (size_t bit = 0; bit < 8 * hello.len; bit++) {
                d.signed_hello.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_true(hello_verify(&d.crypto, hello, &d.trust, NOW_S, &mandate) < 0);
                d.signed_hello.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        strcpy(d.trust.region, "nice");
        assert_int_equal(hello_verify(&d.crypto, hello, &d.trust, NOW_S, &mandate), -EXDEV);
        strcpy(d.trust.region, "lyon");
        d.trust.keys[1].use = TRUST_PASS;
        assert_int_equal(hello_verify(&d.crypto, hello, &d.trust, NOW_S, &mandate), -ENOKEY);
        d.trust.keys[1].use = TRUST_DOOR;
        d.mandate.not_after_s = NOW_S - 1;
        door_proof(&d);
        assert_int_equal(hello_verify(&d.crypto, span_of(&d.signed_hello), &d.trust, NOW_S, &mandate), -ESTALE);
        d.mandate.not_after_s = NOW_S;
        key_free(d.lock);
        assert_int_equal(key_generate(KEY_ES256, &d.lock), 0); /* a reader that has copied a mandate */
        door_proof(&d);
        assert_int_equal(hello_verify(&d.crypto, span_of(&d.signed_hello), &d.trust, NOW_S, &mandate), -EKEYREJECTED);
        door_close(&d);
}

/* ---- what another implementation made (tests/wire/vectors/make.py): a whole scene, good in both ways */

static struct octets vector(const char *name)
{
        static char line[8192];
        FILE *file = fopen("tests/wire/vectors/pass.txt", "r");
        size_t len = strlen(name);
        struct octets found = { .len = 0 };

        assert_non_null(file);
        while (found.len == 0 && fgets(line, sizeof(line), file) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, name, len) == 0 && line[len] == ' ')
                        found = octets_from(line + len + 1);
        }
        fclose(file);
        assert_true(found.len > 0);
        return found;
}

static void of_another_implementation(void **state)
{
        static uint8_t bits[STATUS_OCTETS_MAX], room[STATUS_ROOM];
        struct octets list = vector("trust"), pass = vector("pass"), hello = vector("hello"), proof = vector("proof");
        struct octets one_way = vector("proof-one-way"), status = vector("status");
        struct pass_question q = { .now_s = NOW_S, .class = DOOR_NFC };
        struct status_signed revoked;
        struct status_bits unpacked;
        struct pass_crypto crypto;
        struct pass_verdict v;
        struct mandate mandate;
        struct trust trust;
        struct key *root;

        pass_crypto_init(&crypto);
        assert_int_equal(key_from_file("tests/wire/vectors/root.pem", &root), 0);
        assert_int_equal(trust_open(octets_span(&list), root, &trust), 0);
        assert_int_equal(status_read(octets_span(&status), &revoked, NULL), 0);
        assert_int_equal(status_verify(&revoked, &trust, NOW_S), 0);
        assert_int_equal(status_unpack(&revoked.list, room, bits, &unpacked), 0);
        assert_int_equal(hello_verify(&crypto, octets_span(&hello), &trust, NOW_S, &mandate), 0);
        memset(q.building, 0xb3, sizeof(q.building));
        assert_memory_equal(mandate.building, q.building, BUILDING_ID_SIZE);
        q.trust = &trust;
        q.status = &unpacked;
        q.pass = octets_span(&pass);
        q.proof = octets_span(&proof);
        q.hello = octets_span(&hello);
        pass_verify(&crypto, &q, &v);
        assert_int_equal(v.refusal, PASS_GOOD);
        assert_int_equal(v.pass.status, 9);
        assert_int_equal(v.counter, 7);
        bits[1] |= 1 << 1;
        pass_verify(&crypto, &q, &v);
        assert_int_equal(v.refusal, PASS_REVOKED);
        bits[1] = 1;
        q.class = DOOR_SCANNER;
        q.hello.len = 0;
        q.proof = octets_span(&one_way);
        pass_verify(&crypto, &q, &v);
        assert_int_equal(v.refusal, PASS_GOOD);
        key_free(root);
}

static void names(void **state)
{
        for (unsigned i = 0; i < PASS_REFUSAL_END; i++) {
                assert_string_not_equal(pass_refusal_name(i), "unknown");
                for (unsigned j = 0; j < i; j++)
                        assert_string_not_equal(pass_refusal_name(i), pass_refusal_name(j));
        }
        assert_string_equal(pass_refusal_name(PASS_REFUSAL_END), "unknown");
}

/* ask_forged: with pass or proof put together in the ways of WAY, and signed. */
static unsigned ask_forged(struct door *d, bool is_pass, const size_t way[FORGED_PARTS])
{
        struct bytes made, *original = is_pass ? &d->signed_pass : &d->signed_proof;
        uint8_t aad[PROOF_AAD_SIZE];
        struct forged f = { .key = is_pass ? d->keeper : d->phone, .aad = CBOR_LITERAL(PASS_AAD) };

        memcpy(f.way, way, sizeof(f.way));
        if (!is_pass) {
                proof_aad(&d->crypto.sha, d->question.hello, d->question.class, d->proof.time_s, aad);
                f.aad = CBOR_OCTETS(aad);
        }
        forged_make(&f, original, &made);
        d->question.pass = is_pass ? span_of(&made) : span_of(&d->signed_pass);
        d->question.proof = is_pass ? span_of(&d->signed_proof) : span_of(&made);
        if (is_pass) { /* the proof answers this one */
                pass_digest(&d->crypto.sha, span_of(&made), d->proof.digest);
                proof_aad(&d->crypto.sha, d->question.hello, d->question.class, d->proof.time_s, aad);
                SIGNED(&d->signed_proof, proof_sign(&d->proof, d->pass.id, aad, d->phone, &w));
                d->question.proof = span_of(&d->signed_proof);
        }
        return door_ask(d);
}

/* What the right key has signed, and nobody of ours has written so: each part in each way alone, and in pairs. */
static void signed_but_not_so_written(void **state)
{
        for (int is_pass = 0; is_pass < 2; is_pass++) {
                struct door d;
                size_t way[FORGED_PARTS] = { 0 };

                door_open(&d, 1, DOOR_SCANNER);
                assert_int_equal(ask_forged(&d, is_pass, way), PASS_GOOD);
                for (int part = 0; part < FORGED_PARTS; part++) {
                        for (way[part] = 1; way[part] < forged_count((enum forged_part)part); way[part]++) {
                                size_t *other = &way[(part + 1) % FORGED_PARTS];

                                if (ask_forged(&d, is_pass, way) != PASS_MALFORMED)
                                        fail_msg("%s: %s: %u", is_pass ? "pass" : "proof", forged_ways[part][way[part]],
                                                 d.verdict.refusal);
                                for (*other = 1; *other < forged_count((part + 1) % FORGED_PARTS); ++*other)
                                        assert_int_equal(ask_forged(&d, is_pass, way), PASS_MALFORMED);
                                *other = 0;
                        }
                        way[part] = 0;
                }
                door_close(&d);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(good),      cmocka_unit_test(length_and_cbor),
                cmocka_unit_test(keys),      cmocka_unit_test(swapped),
                cmocka_unit_test(times),     cmocka_unit_test(status),
                cmocka_unit_test(scope),     cmocka_unit_test(hours_and_policy),
                cmocka_unit_test(proofs),    cmocka_unit_test(one_way),
                cmocka_unit_test(every_bit), cmocka_unit_test(signed_but_not_so_written),
                cmocka_unit_test(hellos),    cmocka_unit_test(of_another_implementation),
                cmocka_unit_test(names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
