#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/cose.h"

/* Taking apart.  Whole messages with real signatures are in vectors_test.c; here each rule alone. */
/* clang-format off */
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define SIG "5840" ZERO ZERO
#define KID "a104480102030405060708"
/* clang-format on */

static void rules(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex, *any, *ours; /* the rule broken; NULL: accepted */
        } cases[] = {
                { "8443a10126" KID "40" SIG, NULL, NULL },
                { "8443a10127" KID "4101" SIG, NULL, NULL },
                { "d28443a10126" KID "40" SIG, NULL, "tagged; ours are not" },
                { "d18443a10126" KID "40" SIG, "a tag other than 18, COSE_Sign1", "a tag other than 18, COSE_Sign1" },
                { "d2d28443a10126" KID "40" SIG, "not an array", "not an array" },
                { "d83dd28443a10126" KID "40" SIG, NULL, "a tag other than 18, COSE_Sign1" },
                { "d83d8443a10126" KID "40" SIG, "a tag other than 18, COSE_Sign1", "a tag other than 18, COSE_Sign1" },
                { "d83dd18443a10126" KID "40" SIG, "a tag other than 18, COSE_Sign1", "a tag other than 18, COSE_Sign1" },
                { "d83dd83dd28443a10126" KID "40" SIG, "a tag other than 18, COSE_Sign1",
                  "a tag other than 18, COSE_Sign1" },
                { "d2d83d8443a10126" KID "40" SIG, "not an array", "not an array" },
                { "8343a10126" KID "40", "not an array of four", "not an array of four" },
                { "8543a10126" KID "40" SIG "00", "not an array of four", "not an array of four" },
                { "a0", "not an array", "not an array" },
                { "84a10126" KID "40" SIG, "not a byte string", "not a byte string" },
                { "8440" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8441a0" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8444a1012600" KID "40" SIG, "bytes after the item", "bytes after the item" },
                { "8442a101" KID "40" SIG, "truncated", "truncated" },
                { "844180" KID "40" SIG, "not a map", "not a map" },
                { "8444a1013807" KID "40" SIG, "an integer or length not in its shortest form",
                  "an integer or length not in its shortest form" },
                { "8443a10100" KID "40" SIG, "algorithm 0 is reserved", "algorithm 0 is reserved" },
                { "8443a101f6" KID "40" SIG, "not an integer", "not an integer" },
                { "8444a1016161" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8445a201260300" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8445a203000126" KID "40" SIG, NULL, "map keys not sorted" },
                { "8445a201260126" KID "40" SIG, "a map key stands twice", "a map key stands twice" },
                { "8443a10126a0" "40" SIG, NULL, "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a10441aa" "40" SIG, NULL, "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a1046161" "40" SIG, NULL, "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a10401" "40" SIG, "not a byte string", "not a byte string" },
                { "8443a10126a1f600" "40" SIG, "a header label that is neither integer nor text",
                  "a header label that is neither integer nor text" },
                { "8443a10126a1616100" "40" SIG, NULL, "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a12000" "40" SIG, NULL, "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a10126" "40" SIG, "a header both protected and unprotected",
                  "unprotected headers other than {4: kid of 8}" },
                { "844da2012604480102030405060708" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8443a10126a2012604480102030405060708" "40" SIG, "a header both protected and unprotected",
                  "unprotected headers other than {4: kid of 8}" },
                { "8443a10126a10281" "0440" SIG, "crit among the unprotected headers",
                  "unprotected headers other than {4: kid of 8}" },
                { "8445a201260280" KID "40" SIG, "crit is empty", "protected headers other than {1: alg}" },
                { "8445a2012602f6" KID "40" SIG, "crit is not an array", "crit is not an array" },
                { "8446a20126028104" KID "40" SIG, "crit lists a header that is not protected here",
                  "protected headers other than {1: alg}" },
                { "8446a20126028101" KID "40" SIG, NULL, "protected headers other than {1: alg}" },
                { "8443a10126a205400640" "40" SIG, "both an IV and a partial IV",
                  "unprotected headers other than {4: kid of 8}" },
                { "8445a201260540" "a10640" "40" SIG, "both an IV and a partial IV",
                  "protected headers other than {1: alg}" },
                { "8443a10126" KID "f6" SIG, NULL, "no payload" },
                { "8443a10126" KID "a0" SIG, "not a byte string", "not a byte string" },
                { "8443a10126" KID "40" "40", NULL, "signature not of 64 octets" },
                { "8443a10126" KID "40" "f6", "not a byte string", "not a byte string" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                const char *expected[] = { [COSE_OURS] = cases[i].ours, [COSE_ANY] = cases[i].any };

                for (int profile = COSE_OURS; profile <= COSE_ANY; profile++) {
                        struct cose_sign1 m;
                        const char *why = NULL;
                        int r = cose_sign1_parse(octets_span(&o), (enum cose_profile)profile, &m, &why);

                        if (r != (expected[profile] != NULL ? -EBADMSG : 0) ||
                            (r < 0 && strcmp(why, expected[profile]) != 0))
                                fail_msg("%s, profile %d: %d %s", cases[i].hex, profile, r, why != NULL ? why : "");
                }
        }
}

static void taken_apart(void **state)
{
        struct octets o = octets_from("d2844aa3012602811863186301a2044401020304613800426869420506");
        struct cose_sign1 m;

        assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_ANY, &m, NULL), 0);
        assert_true(m.tagged && !m.detached && m.critical_unknown);
        assert_int_equal(m.alg, KEY_ES256);
        assert_int_equal(m.protected.len, 10);
        assert_true(cbor_equal(m.kid, CBOR_LITERAL("\1\2\3\4")));
        assert_true(cbor_equal(m.payload, CBOR_LITERAL("hi")));
        assert_true(cbor_equal(m.signature, CBOR_LITERAL("\5\6")));
        assert_int_equal(m.unprotected.len, 10);
        o = octets_from("8448a20126044301020aa10441034040"); /* a kid in both: the protected one */
        assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_ANY, &m, NULL), 0);
        assert_true(cbor_equal(m.kid, CBOR_LITERAL("\1\2\12")));
        o = octets_from("8441a0a1012742686940");
        assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_ANY, &m, NULL), 0);
        assert_int_equal(m.protected.len, 0);
        assert_int_equal(m.alg, KEY_EDDSA);
        assert_int_equal(m.kid.len, 0);
        o = octets_from("8440a042686940");
        assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_ANY, &m, NULL), 0);
        assert_int_equal(m.alg, 0);
}

/* RFC 9052 section 4.4: A0 and nothing both enter as the empty string; what else came enters as it came. */
static void sig_structures(void **state)
{
        /* clang-format off */
        static const struct {
                const char *message, *structure;
        } cases[] = {
                { "8443a10126a04101" "40", "846a5369676e61747572653143a10126427878" "4101" },
                { "8441a0a04101" "40", "846a5369676e617475726531" "40" "427878" "4101" },
                { "8440a04101" "40", "846a5369676e617475726531" "40" "427878" "4101" },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].message), expected = octets_from(cases[i].structure);
                struct cose_sign1 m;
                struct cbor_writer w;
                uint8_t to[64];

                assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_ANY, &m, NULL), 0);
                cbor_writer_init(&w, to, sizeof(to));
                assert_int_equal(cose_sig_structure(&m, CBOR_LITERAL("xx"), &w), 0);
                assert_true(cbor_equal(cbor_written(&w), octets_span(&expected)));
                cbor_writer_init(&w, to, expected.len - 1);
                assert_int_equal(cose_sig_structure(&m, CBOR_LITERAL("xx"), &w), -ENOBUFS);
        }
}

static void put_together(void **state)
{
        static uint8_t aad[COSE_AAD_MAX + 1];
        const uint8_t kid[KEY_KID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        uint8_t signature[KEY_SIGNATURE_SIZE], whole[256], tbs[2048], again[2048];
        struct cose_parts parts = {
                .alg = KEY_EDDSA, .kid = kid, .payload = CBOR_LITERAL("payload"), .aad = CBOR_LITERAL("aad")
        };
        struct cbor_writer w, t, a;
        struct cose_sign1 m;

        memset(signature, 0xab, sizeof(signature));
        cbor_writer_init(&w, whole, sizeof(whole));
        assert_int_equal(cose_sign1_finish(&parts, signature, &w), 0);
        assert_int_equal(cose_sign1_parse(cbor_written(&w), COSE_OURS, &m, NULL), 0);
        assert_int_equal(m.alg, KEY_EDDSA);
        assert_true(cbor_equal(m.kid, CBOR_OCTETS(kid)));
        assert_true(cbor_equal(m.payload, parts.payload));
        assert_true(cbor_equal(m.signature, CBOR_OCTETS(signature)));
        cbor_writer_init(&t, tbs, sizeof(tbs));
        cbor_writer_init(&a, again, sizeof(again));
        assert_int_equal(cose_sign1_tbs(&parts, &t), 0);
        assert_int_equal(cose_sig_structure(&m, parts.aad, &a), 0);
        assert_true(cbor_equal(cbor_written(&t), cbor_written(&a)));
        cbor_writer_init(&w, whole, w.len - 1);
        assert_int_equal(cose_sign1_finish(&parts, signature, &w), -ENOBUFS);
        parts.aad = (struct cbor_span){ aad, COSE_AAD_MAX };
        cbor_writer_init(&t, tbs, parts.payload.len + COSE_TBS_OVERHEAD);
        assert_int_equal(cose_sign1_tbs(&parts, &t), 0);
        parts.aad.len++;
        cbor_writer_init(&t, tbs, sizeof(tbs));
        assert_int_equal(cose_sign1_tbs(&parts, &t), -ENOBUFS);
}

/* At COSE_MAX and one octet past it, reading and writing.  The payload's head has 3 octets instead of 2. */
static void bounds(void **state)
{
        static uint8_t payload[COSE_MAX], whole[COSE_MAX + 1];
        const uint8_t kid[KEY_KID_SIZE] = { 0 }, signature[KEY_SIGNATURE_SIZE] = { 0 };
        struct cose_parts parts = { .alg = KEY_EDDSA,
                                    .kid = kid,
                                    .payload = { payload, COSE_MAX - COSE_OVERHEAD - 1 } };
        struct cbor_writer w;
        struct cose_sign1 m;
        const char *why;

        cbor_writer_init(&w, whole, sizeof(whole));
        assert_int_equal(cose_sign1_finish(&parts, signature, &w), 0);
        assert_int_equal(w.len, COSE_MAX);
        assert_int_equal(cose_sign1_parse(cbor_written(&w), COSE_OURS, &m, &why), 0);
        parts.payload.len++;
        cbor_writer_init(&w, whole, sizeof(whole));
        assert_int_equal(cose_sign1_finish(&parts, signature, &w), -ENOBUFS);
        assert_int_equal(w.len, COSE_MAX + 1);
        assert_int_equal(cose_sign1_parse(cbor_written(&w), COSE_OURS, &m, &why), -EMSGSIZE);
        assert_string_equal(why, "larger than 65536 octets");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rules),        cmocka_unit_test(taken_apart), cmocka_unit_test(sig_structures),
                cmocka_unit_test(put_together), cmocka_unit_test(bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
