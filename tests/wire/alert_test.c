#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/signing.h"

static const struct handset_id handset = { { 0x5a, 0x17, 0xc0, 0xde, 0, 0, 0, 1 } };

static struct alert lyon(void)
{
        return (struct alert){
                .nonce = { 1, 2, 3, 4, 5, 6, 7, 8 },
                .revision = 2,
                .pressed_at_s = 1760000000,
                .kind = ALERT_SILENT,
                .marks = 0x0204,
                .has_fix = true,
                .lat_e7 = 457640430,
                .lon_e7 = 48356590,
                .accuracy_m = 12,
                .fix_age_s = 3,
                .battery_percent = 71,
        };
}

static struct alert largest(void)
{
        struct alert a = { .revision = 65535,
                           .pressed_at_s = UINT32_MAX,
                           .kind = ALERT_TEST,
                           .marks = 0xFFFF,
                           .has_fix = true,
                           .lat_e7 = -900000000,
                           .lon_e7 = -1800000000,
                           .accuracy_m = 65535,
                           .fix_age_s = 65535,
                           .battery_percent = 100 };

        memset(a.nonce, 0xff, sizeof(a.nonce));
        return a;
}

static struct key *new_key(enum key_alg alg)
{
        struct key *key;

        assert_int_equal(key_generate(alg, &key), 0);
        return key;
}

static void same(const struct alert *a, const struct alert *b)
{
        assert_memory_equal(a->nonce, b->nonce, sizeof(a->nonce));
        assert_int_equal(a->revision, b->revision);
        assert_int_equal(a->pressed_at_s, b->pressed_at_s);
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->marks, b->marks);
        assert_int_equal(a->has_fix, b->has_fix);
        assert_int_equal(a->lat_e7, b->lat_e7);
        assert_int_equal(a->lon_e7, b->lon_e7);
        assert_int_equal(a->accuracy_m, b->accuracy_m);
        assert_int_equal(a->fix_age_s, b->fix_age_s);
        assert_int_equal(a->battery_percent, b->battery_percent);
}

/* Signed, read back, verified; the worst case keeps to one SMS. */
static void there_and_back(void **state)
{
        struct alert cases[] = { lyon(), largest(), { .battery_percent = ALERT_BATTERY_UNKNOWN } };
        struct key *key = new_key(KEY_ES256), *other = new_key(KEY_ES256), *region = new_key(KEY_EDDSA);

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                uint8_t bytes[ALERT_MAX];
                struct cbor_writer w;
                struct alert_signed back;

                cbor_writer_init(&w, bytes, sizeof(bytes));
                assert_int_equal(alert_sign(&cases[i], &handset, key, &w), 0);
                assert_true(w.len <= ALERT_MAX && ALERT_MAX <= COSE_SMS_MAX);
                assert_int_equal(alert_read(cbor_written(&w), &back, NULL), 0);
                same(&back.alert, &cases[i]);
                assert_true(handset_id_equal(&back.handset, &handset));
                assert_int_equal(back.odd, 0);
                assert_int_equal(back.unknown_parts, 0);
                assert_int_equal(alert_verify(&back, key), 0);
                assert_int_equal(alert_verify(&back, other), -EKEYREJECTED);
                assert_int_equal(alert_verify(&back, region), -EOPNOTSUPP);
                assert_int_equal(cose_sign1_verify(&back.cose, key, CBOR_LITERAL(RECEIPT_AAD)), -EKEYREJECTED);
                assert_int_equal(i == 1 ? w.len : ALERT_MAX, ALERT_MAX);
                cbor_writer_init(&w, bytes, w.len - 1);
                assert_int_equal(alert_sign(&cases[i], &handset, key, &w), -ENOBUFS);
        }
        key_free(region);
        key_free(other);
        key_free(key);
}

/* A key in phone hardware: the bytes go out, the signature comes back. */
static void in_two_steps(void **state)
{
        struct alert a = largest();
        struct key *key = new_key(KEY_ES256);
        uint8_t tbs[ALERT_TBS_MAX], whole[ALERT_MAX], signature[KEY_SIGNATURE_SIZE];
        struct cbor_writer t, w;
        struct alert_signed back;

        cbor_writer_init(&t, tbs, sizeof(tbs));
        cbor_writer_init(&w, whole, sizeof(whole));
        assert_int_equal(alert_tbs(&a, &handset, &t), 0);
        assert_int_equal(t.len, ALERT_TBS_MAX);
        assert_int_equal(key_sign(key, cbor_written(&t), signature), 0);
        assert_int_equal(alert_finish(&a, &handset, signature, &w), 0);
        assert_int_equal(alert_read(cbor_written(&w), &back, NULL), 0);
        assert_int_equal(alert_verify(&back, key), 0);
        key_free(key);
}

/* Who listens to the length alone cannot tell a duress cancel from a normal one. */
static void cancels_have_one_length(void **state)
{
        struct alert a = lyon();
        uint8_t bytes[2][ALERT_PAYLOAD_MAX];
        struct cbor_writer mistake, duress;

        for (unsigned others = 0; others <= UINT16_MAX; others++) {
                if ((others & (ALERT_MISTAKE | ALERT_DURESS)) != 0)
                        continue;
                cbor_writer_init(&mistake, bytes[0], sizeof(bytes[0]));
                cbor_writer_init(&duress, bytes[1], sizeof(bytes[1]));
                a.marks = (uint16_t)(others | ALERT_MISTAKE);
                assert_int_equal(alert_write_payload(&a, &mistake), 0);
                a.marks = (uint16_t)(others | ALERT_DURESS);
                assert_int_equal(alert_write_payload(&a, &duress), 0);
                assert_int_equal(mistake.len, duress.len);
        }
}

static void impossible_is_not_signed(void **state)
{
        struct alert cases[] = { lyon(), lyon(), lyon(), lyon(), lyon(), lyon() };
        struct key *key = new_key(KEY_ES256), *region = new_key(KEY_EDDSA);
        uint8_t bytes[ALERT_MAX];
        struct cbor_writer w;

        cases[0].lat_e7 = 900000001;
        cases[1].lat_e7 = -900000001;
        cases[2].lon_e7 = 1800000001;
        cases[3].lon_e7 = -1800000001;
        cases[4].battery_percent = 101;
        cases[5].kind = ALERT_KIND_COUNT;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                cbor_writer_init(&w, bytes, sizeof(bytes));
                assert_int_equal(alert_sign(&cases[i], &handset, key, &w), -EINVAL);
        }
        cases[0] = lyon();
        assert_int_equal(alert_sign(&cases[0], &handset, region, &w), -EINVAL);
        key_free(region);
        key_free(key);
}

/* clang-format off */
#define N "48" "0102030405060708"
#define P "1a1b4709ee" "1a02e1dcee" "0c" "03"
#define UP_TO_MARKS "8b01" N "02" "1a68e77800" "01" "190204"
/* clang-format on */

/* What is wrong with one part costs that part alone. */
static void read_without_the_odd_part(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex;
                unsigned odd;
                int what;       /* checked below */
        } cases[] = {
                { UP_TO_MARKS P "1847", 0, 0 },
                { "8b01" N "1a00010000" "1a68e77800" "01" "190204" P "1847", ALERT_ODD_REVISION, 'r' },
                { "8b01" N "f6" "1a68e77800" "01" "190204" P "1847", ALERT_ODD_REVISION, 'r' },
                { "8b01" N "02" "1b0000000100000000" "01" "190204" P "1847", ALERT_ODD_TIME, 't' },
                { "8b01" N "02" "20" "01" "190204" P "1847", ALERT_ODD_TIME, 't' },
                { "8b01" N "02" "f93e00" "01" "190204" P "1847", ALERT_ODD_TIME, 't' },
                { "8b01" N "02" "1a68e77800" "06" "190204" P "1847", ALERT_ODD_KIND, 'k' },
                { "8b01" N "02" "1a68e77800" "6570616e6963" "190204" P "1847", ALERT_ODD_KIND, 'k' },
                { "8b01" N "02" "1a68e77800" "01" "1a00010204" P "1847", ALERT_ODD_MARKS, 0 },
                { "8b01" N "02" "1a68e77800" "01" "40" P "1847", ALERT_ODD_MARKS, 'm' },
                { UP_TO_MARKS "1a35a4e901" "1a02e1dcee" "0c03" "1847", ALERT_ODD_POSITION, 'p' },
                { UP_TO_MARKS "1a1b4709ee" "3a6b49d200" "0c03" "1847", ALERT_ODD_POSITION, 'p' },
                { UP_TO_MARKS "f6" "1a02e1dcee" "0c03" "1847", ALERT_ODD_POSITION, 'p' },
                { UP_TO_MARKS "1a1b4709ee" "f6" "0c03" "1847", ALERT_ODD_POSITION, 'p' },
                { UP_TO_MARKS "82182d182e" "1a02e1dcee" "0c03" "1847", ALERT_ODD_POSITION, 'p' },
                { UP_TO_MARKS "f6f6f6f6" "1847", 0, 'p' },
                { UP_TO_MARKS "f6f60c03" "1847", 0, 'p' },
                { UP_TO_MARKS "1a1b4709ee" "1a02e1dcee" "f603" "1847", ALERT_ODD_ACCURACY, 'a' },
                { UP_TO_MARKS "1a1b4709ee" "1a02e1dcee" "2003" "1847", ALERT_ODD_ACCURACY, 'a' },
                { UP_TO_MARKS "1a1b4709ee" "1a02e1dcee" "1a0001000003" "1847", 0, 'a' },
                { UP_TO_MARKS P "1865", ALERT_ODD_BATTERY, 'b' },
                { UP_TO_MARKS P "190100", ALERT_ODD_BATTERY, 'b' },
                { UP_TO_MARKS P "18ff", 0, 'b' },
                { UP_TO_MARKS P "f6", 0, 'b' },
                { "8a01" N "02" "1a68e77800" "01" "190204" P, ALERT_ODD_BATTERY, 'b' },
                { "8201" N, 0x5f, 'e' },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                struct alert expected = lyon(), a;
                unsigned odd;

                assert_int_equal(alert_read_payload(octets_span(&o), &a, &odd), 0);
                if (odd != cases[i].odd)
                        fail_msg("%s: odd %x", cases[i].hex, odd);
                if (cases[i].what == 'e')
                        expected = (struct alert){ .nonce = { 1, 2, 3, 4, 5, 6, 7, 8 } };
                if (cases[i].what == 'r')
                        expected.revision = 0;
                if (cases[i].what == 't')
                        expected.pressed_at_s = 0;
                if (cases[i].what == 'k')
                        expected.kind = ALERT_PANIC;
                if (cases[i].what == 'm')
                        expected.marks = 0;
                if (cases[i].what == 'a')
                        expected.accuracy_m = 65535;
                if (cases[i].what == 'b' || cases[i].what == 'e')
                        expected.battery_percent = ALERT_BATTERY_UNKNOWN;
                if (cases[i].what == 'p') {
                        expected.has_fix = false;
                        expected.lat_e7 = expected.lon_e7 = 0;
                        expected.accuracy_m = expected.fix_age_s = 0;
                }
                same(&a, &expected);
        }
}

static void not_even_an_alert(void **state)
{
        /* clang-format off */
        static const char *const cases[] = {
                "", "00", "80", "8101", "8202" N, "8200" N, "820147" "01020304050607", "8201f6", "a1" "01" N,
                "8201" N "00",                 "8301" N,
                UP_TO_MARKS P "1817",
                "8c01" N "02" "1a68e77800" "01" "190204" P "1847" "61ff",
                "8b01" N "9f02ff" "1a68e77800" "01" "190204" P "1847",
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i]);
                struct alert a;
                unsigned odd;

                if (alert_read_payload(octets_span(&o), &a, &odd) != -EBADMSG)
                        fail_msg("%s was read", cases[i]);
        }
}

/* Parts of a newer format are counted, and the signed bytes still verify. */
static void newer_format(void **state)
{
        struct octets payload = octets_from("8d01" N "02"
                                            "1a68e77800"
                                            "01"
                                            "190204" P "1847"
                                            "636e6577"
                                            "80");
        struct key *key = new_key(KEY_ES256);
        struct cose_parts parts = { .alg = KEY_ES256,
                                    .kid = handset.octets,
                                    .payload = octets_span(&payload),
                                    .aad = CBOR_LITERAL(ALERT_AAD) };
        uint8_t bytes[256];
        struct cbor_writer w;
        struct alert_signed back;
        struct alert expected = lyon();

        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), 0);
        assert_int_equal(alert_read(cbor_written(&w), &back, NULL), 0);
        assert_int_equal(back.unknown_parts, 2);
        same(&back.alert, &expected);
        assert_int_equal(alert_verify(&back, key), 0);
        key_free(key);
}

/* Cut anywhere: refused, and salvaged as far as it goes; id and nonce are whole or zero. */
static void salvaged_when_torn(void **state)
{
        struct alert a = lyon();
        struct alert_id whole = alert_id_make(&handset, a.nonce), id;
        uint8_t bytes[ALERT_MAX], zero[ALERT_ID_SIZE] = { 0 };
        const uint8_t signature[KEY_SIGNATURE_SIZE] = { 7 };
        struct cbor_writer w;
        struct alert_signed back;
        unsigned found, most = 0;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        assert_int_equal(alert_finish(&a, &handset, signature, &w), 0);
        for (size_t len = 0; len <= w.len; len++) {
                struct octets o = { .len = len };

                memcpy(o.at, bytes, len);
                assert_int_equal(alert_read(octets_span(&o), &back, NULL), len == w.len ? 0 : -EBADMSG);
                found = alert_salvage(octets_span(&o), &id);
                assert_true(found >= most); /* more octets, never less */
                most = found;
                assert_memory_equal(id.octets, (found & ALERT_SALVAGED_HANDSET) != 0 ? whole.octets : zero,
                                    HANDSET_ID_SIZE);
                assert_memory_equal(id.octets + 8, (found & ALERT_SALVAGED_NONCE) != 0 ? whole.octets + 8 : zero, 8);
                assert_int_equal((found & ALERT_SALVAGED_HANDSET) != 0, len >= 16);
                assert_int_equal((found & ALERT_SALVAGED_NONCE) != 0, len >= 16 + 2 + 2 + 9);
        }
}

static void salvaged_otherwise(void **state)
{
        /* clang-format off */
        static const struct {
                const char *hex;
                unsigned found;
        } cases[] = {
                { "d28443a10126a1044801020304050607085823" "8b01" N, 3 },               /* tagged */
                { "8443a10126a20448010203040506070818636178" "5823" "8b01" N, 3 },      /* another header */
                { "8443a10126a2186361780448010203040506070858" "23" "8b01" N, 3 },      /* in any order */
                { "8543a10126a104480102030405060708" "5823" "8b01" N, 3 },              /* five elements */
                { "8443a10126a104480102030405060708" "5823" "8b02" N, 3 },              /* of a newer format */
                { "8443a10126a104480102030405060708" "4b" "8201" N, 3 },                /* too short a list */
                { "8443a10126a104480102030405060708" "f6", 1 },
                { "8443a10126a104480102030405060708" "42" "8b01", 1 },
                { "8443a10126a10447010203040506075823" "8b01" N, 2 },                   /* a kid of 7 */
                { "8443a10126a05823" "8b01" N, 2 },
                { "8443a1012600", 0 },
                { "a104480102030405060708", 0 },
                { "00", 0 },
                { "ff", 0 },
        };
        /* clang-format on */

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct octets o = octets_from(cases[i].hex);
                struct alert_id id;
                unsigned found = alert_salvage(octets_span(&o), &id);

                if (found != cases[i].found)
                        fail_msg("%s: %x", cases[i].hex, found);
                if ((found & ALERT_SALVAGED_NONCE) != 0)
                        assert_memory_equal(id.octets + 8, "\1\2\3\4\5\6\7\10", 8);
        }
}

static void marks_add_up(void **state)
{
        assert_int_equal(alert_marks_add(ALERT_MISTAKE, ALERT_PRESSED_AGAIN), ALERT_MISTAKE | ALERT_PRESSED_AGAIN);
        assert_int_equal(alert_marks_add(0x0100 | ALERT_STILL, 0x0200),
                         0x0200 | ALERT_STILL); /* fall, no: aggression */
        assert_int_equal(alert_marks_add(0x0300, 0), 0x0300);
        assert_int_equal(alert_marks_add(0, 0x0500), 0x0500);
        assert_int_equal(alert_marks_add(0x8000, 0x4000), 0xC000); /* of a newer format */
        assert_int_equal(alert_category(0xFAFF), ALERT_AGGRESSION);
        assert_string_equal(alert_category_name(alert_category(0x0300)), "dog");
        assert_string_equal(alert_category_name(6), "unknown");
        assert_string_equal(alert_kind_name(ALERT_MISSED_CHECK_IN), "missed check-in");
        assert_string_equal(alert_kind_name(ALERT_KIND_COUNT), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(in_two_steps),
                cmocka_unit_test(cancels_have_one_length),
                cmocka_unit_test(impossible_is_not_signed),
                cmocka_unit_test(read_without_the_odd_part),
                cmocka_unit_test(not_even_an_alert),
                cmocka_unit_test(newer_format),
                cmocka_unit_test(salvaged_when_torn),
                cmocka_unit_test(salvaged_otherwise),
                cmocka_unit_test(marks_add_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
