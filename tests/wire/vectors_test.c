/* Published vectors and our own, each named with what happens to it: accepted, refused as published, or refused by our
 * profile although it is good CBOR or COSE for others. */
#include "tests/wire/octets.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/example.h"
#include "wire/inspect.h"
#include "wire/signing.h"

#define SHARED "../shared/data/vectors/"
#define OWN    "tests/wire/vectors/"

/* ---- RFC 8949 appendix A */

static bool value_equal(struct cbor_reader *r, const json_t *expected);

static bool map_equal(struct cbor_reader *r, const json_t *expected)
{
        bool equal = json_is_object(expected) && cbor_enter_map(r) == json_object_size(expected);
        char name[64];

        while (equal && cbor_more(r)) {
                if (cbor_peek(r) == CBOR_UINT)
                        snprintf(name, sizeof(name), "%llu", (unsigned long long)cbor_read_uint(r, UINT64_MAX));
                else
                        cbor_read_string(r, name, sizeof(name));
                equal = value_equal(r, json_object_get(expected, name));
        }
        cbor_leave(r);
        return equal;
}

static bool array_equal(struct cbor_reader *r, const json_t *expected)
{
        bool equal = json_is_array(expected) && cbor_enter_array(r) == json_array_size(expected);

        for (size_t i = 0; equal && i < json_array_size(expected); i++)
                equal = value_equal(r, json_array_get(expected, i));
        cbor_leave(r);
        return equal;
}

static bool text_equal(struct cbor_span text, const json_t *expected)
{
        return json_is_string(expected) &&
               cbor_equal(text, (struct cbor_span){ (const uint8_t *)json_string_value(expected),
                                                    json_string_length(expected) });
}

static double bignum_value(struct cbor_span octets)
{
        double value = 0;

        for (size_t i = 0; i < octets.len; i++)
                value = value * 256 + octets.at[i];
        return value;
}

/* The next item against JSON read with every number as a double. */
static bool value_equal(struct cbor_reader *r, const json_t *expected)
{
        uint64_t tag;
        double value;

        switch (cbor_peek(r)) {
        case CBOR_UINT:
                return json_is_number(expected) && (double)cbor_read_uint(r, UINT64_MAX) == json_number_value(expected);
        case CBOR_NINT:
                return json_is_number(expected) && -1.0 - (double)cbor_read_nint(r) == json_number_value(expected);
        case CBOR_FLOAT:
                return json_is_number(expected) && cbor_read_float(r) == json_number_value(expected);
        case CBOR_TEXT:
                return text_equal(cbor_read_text(r, SIZE_MAX), expected);
        case CBOR_ARRAY:
                return array_equal(r, expected);
        case CBOR_MAP:
                return map_equal(r, expected);
        case CBOR_BOOL:
                return json_is_boolean(expected) && cbor_read_bool(r) == json_is_true(expected);
        case CBOR_NULL:
                return cbor_read_null(r) && json_is_null(expected);
        case CBOR_TAG:
                tag = cbor_read_tag(r); /* bignums */
                value = bignum_value(cbor_read_bytes(r, 0, 16));
                return json_number_value(expected) == (tag == 2 ? value : -1 - value);
        default:
                return false;
        }
}

static void check_appendix_a(const json_t *vector)
{
        struct octets o = octets_from(json_string_value(json_object_get(vector, "hex")));
        const json_t *decoded = json_object_get(vector, "decoded"), *diagnostic = json_object_get(vector, "diagnostic");
        struct inspect_text text;
        struct cbor_reader r;
        const char *why = NULL;
        char hex[256], to[256];

        hex_encode(o.at, o.len, hex);
        if (cbor_validate(octets_span(&o), &why) < 0) {
                print_message("refused by our profile: %s: %s\n", hex, why);
                /* The appendix says which are not in preferred form; one other has a form that RFC 8949 took back. */
                assert_true(json_is_false(json_object_get(vector, "roundtrip")) || strcmp(hex, "f818") == 0);
                return;
        }
        print_message("accepted: %s\n", hex);
        assert_true(json_is_true(json_object_get(vector, "roundtrip")));
        cbor_reader_init(&r, octets_span(&o));
        if (decoded != NULL && (!value_equal(&r, decoded) || cbor_end(&r) < 0))
                fail_msg("%s: another value", hex);
        inspect_text_init(&text, to, sizeof(to));
        assert_int_equal(inspect_diagnostic(octets_span(&o), &text, NULL), 0);
        if (diagnostic != NULL && strcmp(to, json_string_value(diagnostic)) != 0)
                fail_msg("%s: %s, not %s", hex, to, json_string_value(diagnostic));
}

static void appendix_a(void **state)
{
        json_t *vectors = json_load_file(SHARED "cbor/appendix_a.json", JSON_DECODE_INT_AS_REAL, NULL);
        size_t i;
        json_t *vector;

        if (vectors == NULL) {
                print_message("skip: no " SHARED "cbor/appendix_a.json\n");
                skip();
        }
        assert_true(json_array_size(vectors) > 80);
        json_array_foreach(vectors, i, vector) check_appendix_a(vector);
        json_decref(vectors);
}

/* ---- published COSE_Sign1 */

/* 32 octets of base64url without padding. */
static void read_base64url(const char *text, uint8_t to[32])
{
        char padded[45];
        uint8_t octets[33];

        snprintf(padded, sizeof(padded), "%s=", text);
        for (char *c = padded; *c != '\0'; c++)
                *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
        assert_int_equal(EVP_DecodeBlock(octets, (const unsigned char *)padded, 44), 33);
        memcpy(to, octets, 32);
}

static struct key *jwk(const json_t *key)
{
        uint8_t point[65] = { 4 };
        struct key *made;

        assert_string_equal(json_string_value(json_object_get(key, "crv")), "P-256");
        read_base64url(json_string_value(json_object_get(key, "x")), point + 1);
        read_base64url(json_string_value(json_object_get(key, "y")), point + 33);
        assert_int_equal(key_from_public(KEY_ES256, CBOR_OCTETS(point), &made), 0);
        return made;
}

static void check_published(const char *name, const json_t *vector)
{
        const json_t *input = json_object_get(json_object_get(vector, "input"), "sign0");
        const char *external = json_string_value(json_object_get(input, "external"));
        struct octets o = octets_from(json_string_value(json_object_get(json_object_get(vector, "output"), "cbor")));
        struct octets aad = octets_from(external != NULL ? external : "");
        struct key *key = jwk(json_object_get(input, "key"));
        struct cose_sign1 m;
        const char *why = "the signature";
        int r = cose_sign1_parse(octets_span(&o), COSE_ANY, &m, &why);

        if (r == 0)
                r = cose_sign1_verify(&m, key, octets_span(&aad));
        print_message("%s: %s", name, r == 0 ? "accepted" : "refused as published");
        print_message(r == 0 ? "\n" : r == -EOPNOTSUPP ? ": algorithm\n" : ": %s\n", why);
        assert_int_equal(r == 0, !json_is_true(json_object_get(vector, "fail")));
        /* by our profile none of them, for their kid has 2 octets */
        assert_int_equal(cose_sign1_parse(octets_span(&o), COSE_OURS, &m, NULL), -EBADMSG);
        key_free(key);
}

static void published_cose(void **state)
{
        static const char *const names[] = { "sign-pass-01", "sign-pass-02", "sign-pass-03",
                                             "sign-fail-01", "sign-fail-02", "sign-fail-03",
                                             "sign-fail-04", "sign-fail-06", "sign-fail-07" };
        unsigned seen = 0;
        char path[128];
        json_t *vector;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), SHARED "cose-sign1/%s.json", names[i]);
                if ((vector = json_load_file(path, 0, NULL)) == NULL)
                        continue;
                check_published(names[i], vector);
                json_decref(vector);
                seen++;
        }
        if (seen == 0) {
                print_message("skip: no " SHARED "cose-sign1\n");
                skip();
        }
        assert_int_equal(seen, sizeof(names) / sizeof(names[0]));
}

/* ---- our own, made by another implementation: tests/wire/vectors/make.py */

struct own {
        char name[64], any[16], ours[16], key[64], aad[128], octets[4096];
};

static const char *verdict(const struct own *v, enum cose_profile profile, const struct key *key)
{
        struct octets o = octets_from(v->octets), aad = octets_from(strcmp(v->aad, "-") != 0 ? v->aad : "");
        struct cose_sign1 m;

        if (cose_sign1_parse(octets_span(&o), profile, &m, NULL) < 0)
                return "malformed";
        return cose_sign1_verify(&m, key, octets_span(&aad)) == 0 ? "valid" : "not-valid";
}

static void own_cose(void **state)
{
        FILE *file = fopen(OWN "cose.txt", "r");
        char line[8192], path[128];
        unsigned seen = 0;
        struct own v;
        struct key *key;
        const char *any, *ours;

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (line[0] == '#')
                        continue;
                assert_int_equal(
                        sscanf(line, "%63s %15s %15s %63s %127s %4095s", v.name, v.any, v.ours, v.key, v.aad, v.octets),
                        6);
                snprintf(path, sizeof(path), OWN "%s", v.key);
                assert_int_equal(key_from_file(path, &key), 0);
                any = verdict(&v, COSE_ANY, key);
                ours = verdict(&v, COSE_OURS, key);
                print_message("%s: %s%s\n", v.name, any, strcmp(ours, any) != 0 ? ", refused by our profile" : "");
                assert_string_equal(any, v.any);
                assert_string_equal(ours, strcmp(v.ours, "refused") == 0 ? "malformed" : v.any);
                key_free(key);
                seen++;
        }
        fclose(file);
        assert_int_equal(seen, 40);
}

/* The examples in PROTOCOL.md are these vectors, octet for octet. */
static void protocol_examples(void **state)
{
        static const char *const names[] = { "alert", "alert-largest", "receipt", "trust" };
        FILE *file = fopen(OWN "cose.txt", "r");
        char line[8192], *hex;
        unsigned seen = 0;
        struct octets page, vector;

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                hex = strrchr(line, ' ') + 1;
                line[strcspn(line, " ")] = '\0';
                for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                        if (strcmp(line, names[i]) != 0)
                                continue;
                        vector = octets_from(hex);
                        page.len = example(names[i], page.at, sizeof(page.at));
                        assert_true(cbor_equal(octets_span(&page), octets_span(&vector)));
                        seen++;
                }
        }
        fclose(file);
        assert_int_equal(seen, sizeof(names) / sizeof(names[0]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(appendix_a),
                cmocka_unit_test(published_cose),
                cmocka_unit_test(own_cose),
                cmocka_unit_test(protocol_examples),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
