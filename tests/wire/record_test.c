#include "wire/record.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"
#include "tests/wire/records.h"
#include "wire/cbor.h"
#include "wire/receipt.h"

CODEC(record, struct record, RECORD_MAX)

static void test_round_trip(void **state)
{
        static struct record r;
        uint8_t buf[RECORD_MAX];
        uint64_t seed = 20;

        for (int i = 0; i < 1000; i++) {
                draw_record(&seed, &r);
                codec_round(&record_codec, &r, buf);
        }
}

/* The figure of wire/record.h: nothing has to be dropped to stay under RECORD_MAX. */
static void test_largest(void **state)
{
        static struct record r, read;
        uint8_t buf[RECORD_MAX];
        int len;

        fill_record(&r);
        len = record_encode(&r, buf, sizeof(buf));
        assert_in_range(len, 8000, RECORD_MAX - 32);
        assert_int_equal(record_decode(buf, (size_t)len, &read), 0);
        assert_memory_equal(read.asked, r.asked, sizeof(r.asked));
        codec_round(&record_codec, &read, buf);
}

static void test_hostile(void **state)
{
        static struct record r;
        uint8_t buf[RECORD_MAX];
        uint64_t seed = 21;

        for (int i = 0; i < 8; i++) {
                draw_record(&seed, &r);
                r.asked_count = r.asked_count > 2 ? 2 : r.asked_count;
                r.sms_checked = 0;
                r.track_count = r.track_count > 2 ? 2 : r.track_count;
                r.passed_count = r.passed_count > 2 ? 2 : r.passed_count;
                memset(r.asked + r.asked_count, 0, (RECORD_ASKED_MAX - r.asked_count) * sizeof(r.asked[0]));
                memset(r.track + r.track_count, 0, (RECORD_TRACK_MAX - r.track_count) * sizeof(r.track[0]));
                memset(r.passed + r.passed_count, 0, (RECORD_PASSED_MAX - r.passed_count) * sizeof(r.passed[0]));
                codec_hostile(&record_codec, buf, codec_round(&record_codec, &r, buf));
        }
}

/* A text never stops an alert: it is cut where it is bad. */
static void test_bad_text_is_cut(void **state)
{
        static struct record read;
        struct record r = small_record();
        uint8_t buf[RECORD_MAX];
        int len;

        memcpy(r.carrier_name,
               "L\xc3\xa9"
               "a\xe9\xe9",
               6);
        memset(r.zone_name, 'z', sizeof(r.zone_name));
        memcpy(r.owner_id, "marie curie", 12);
        memcpy(r.round, "\xff", 1);
        len = record_encode(&r, buf, sizeof(buf));
        assert_int_equal(record_decode(buf, (size_t)len, &read), 0);
        assert_string_equal(read.carrier_name, "L\xc3\xa9"
                                               "a");
        assert_int_equal(strlen(read.zone_name), NAME_MAX_OCTETS);
        assert_string_equal(read.owner_id, "marie");
        assert_string_equal(read.round, "");
}

/* Hostile names go through as they are: the page copes. */
static void test_hostile_names(void **state)
{
        struct record r = small_record();
        uint8_t buf[RECORD_MAX];

        strcpy(r.carrier_name, "<script>alert(1)</script>\x1b[2J\n");
        strcpy(r.owner_name, "\xe2\x80\xaeniamoR \xf0\x9f\x98\x80\x01");
        codec_round(&record_codec, &r, buf);
}

/* One change each to a record that is fine. */
static void test_encode_refuses(void **state)
{
        static struct record r;
        uint8_t buf[RECORD_MAX];

#define REFUSED(change)                                                         \
        do {                                                                    \
                r = small_record();                                             \
                assert_in_range(record_encode(&r, buf, sizeof(buf)), 1, 200);   \
                change;                                                         \
                assert_int_equal(record_encode(&r, buf, sizeof(buf)), -EINVAL); \
        } while (0)
        REFUSED(r.version = 0);
        REFUSED(r.state = 0);
        REFUSED(r.state = ALERT_STATE_END);
        REFUSED(r.category = 8);
        REFUSED(r.battery = 101);
        REFUSED(r.step = 5);
        REFUSED(r.close_reason = 15);
        REFUSED(r.close_reason = 24);
        REFUSED(r.due_ms = -1);
        REFUSED(r.sms_checked = 1);
        REFUSED(r.asked_count = RECORD_ASKED_MAX + 1);
        REFUSED(r.track_count = RECORD_TRACK_MAX + 1);
        REFUSED(r.passed_count = RECORD_PASSED_MAX + 1);
        REFUSED(r.alias_count = RECORD_ALIASES_MAX + 1);
        REFUSED(r.applied_count = RECORD_APPLIED_MAX + 1);
        REFUSED(r.unknown_size = RECORD_UNKNOWN_MAX + 1);
        REFUSED(r.has_position = true; r.at.lat_e7 = 900000001);
        REFUSED(r.has_position = true; r.at.lon_e7 = -1800000001);
#undef REFUSED
}

/* The small record as octets, and what of it may be otherwise. */
static void test_decode_refuses(void **state)
{
        static const uint8_t good[] = "\xa5\x00\x01\x01\x50handset.pressed!\x02\x01\x03\x01\x12\x48handset.";
        static struct record read;
        const size_t len = sizeof(good) - 1;
        struct record r = small_record();
        uint8_t buf[RECORD_MAX];
        const struct {
                const char *from;
                size_t from_len;
                const char *to;
                size_t to_len;
                int result;
        } cases[] = {
                { "\xa5\x00\x01", 3, "\xa5\x00\x02", 3, -EPROTONOSUPPORT },
                { "\xa5\x00\x01", 3, "\xa6\x00\x02", 3, -EBADMSG }, /* newer, and malformed */
                { "\xa5\x00\x01", 3, "\xa5\x00\x00", 3, -EBADMSG },
                { "\xa5\x00\x01", 3, "\xa4", 1, -EBADMSG },                                  /* no format */
                { "\xa5\x00\x01", 3, "\xa5\x00\x20", 3, -EBADMSG },                          /* -1 */
                { "\xa5\x00\x01\x01\x50handset.pressed!", 21, "\xa4\x00\x01", 3, -EBADMSG }, /* no id */
                { "\x01\x50handset.pressed!", 18, "\x01\x4fhandset.pressed", 17, -EBADMSG }, /* short id */
                { "\x02\x01\x03\x01", 4, "\x02\x00\x03\x01", 4, -EBADMSG },                  /* version 0 */
                { "\x02\x01\x03\x01", 4, "\x02\x01\x03\x08", 4, -EBADMSG },                  /* state 8 */
                { "\x02\x01\x03\x01", 4, "\x02\x01\x03\x07", 4, 0 },
                { "\x02\x01\x03\x01", 4, "\x03\x01\x02\x01", 4, -EBADMSG },     /* not sorted */
                { "\x02\x01\x03\x01", 4, "\x02\x01\x02\x01", 4, -EBADMSG },     /* twice */
                { "\x02\x01\x03\x01", 4, "\x02\x01\x03\xf5", 4, -EBADMSG },     /* a bool */
                { "\x02\x01\x03\x01", 4, "\x02\x18\x01\x03\x01", 5, -EBADMSG }, /* not shortest */
                { "\xa5\x00\x01", 3, "\xbf\x00\x01", 3, -EBADMSG },             /* indefinite */
                { "\xa5\x00\x01", 3, "\xc1\xa5\x00\x01", 4, -EBADMSG },         /* tagged */
        };

        assert_int_equal(record_encode(&r, buf, sizeof(buf)), len);
        assert_memory_equal(buf, good, len);
        assert_int_equal(record_decode(good, len, &read), 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(codec_replaced(&record_codec, good, len, cases[i].from, cases[i].from_len, cases[i].to,
                                                cases[i].to_len),
                                 cases[i].result);
}

/* Put one more entry, KEY and VALUE encoded, into the small record; gives what decoding says. */
static int with_entry(const char *entry, size_t entry_len, struct record *ret_record)
{
        static const char good[] = "\x00\x01\x01\x50handset.pressed!\x02\x01\x03\x01\x12\x48handset.";
        uint8_t buf[RECORD_MAX + 64];

        buf[0] = 0xa6;
        memcpy(buf + 1, good, sizeof(good) - 1);
        memcpy(buf + sizeof(good), entry, entry_len);
        return codec_decode(&record_codec, buf, sizeof(good) + entry_len, ret_record);
}

#define ENTRY(text) with_entry(text, sizeof(text) - 1, &r)
static void test_decode_entries(void **state)
{
        static struct record r;

        /* 20 carrier name, 21 number, 34 sms checked, 36 stepped, 38 close reason, 44 applied */
        assert_int_equal(ENTRY("\x14\x63"
                               "L\xc3\xa9"),
                         0);
        assert_string_equal(r.carrier_name, "L\xc3\xa9");
        assert_int_equal(ENTRY("\x14\x60"), -EBADMSG);      /* empty: has to be left out */
        assert_int_equal(ENTRY("\x14\x62L\xc3"), -EBADMSG); /* not UTF-8 */
        assert_int_equal(ENTRY("\x14\x62L\x00"), -EBADMSG); /* NUL */
        assert_int_equal(ENTRY("\x14\x42La"), -EBADMSG);    /* octets */
        assert_int_equal(ENTRY("\x15\x62+ "), -EBADMSG);    /* a number with a space */
        assert_int_equal(ENTRY("\x18\x22\x01"), -EBADMSG);  /* one checked, none asked */
        assert_int_equal(ENTRY("\x18\x24\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"), 0);
        assert_true(r.stepped_at_ms == INT64_MAX);
        assert_int_equal(ENTRY("\x18\x24\x1b\x80\x00\x00\x00\x00\x00\x00\x00"), -EBADMSG);
        assert_int_equal(ENTRY("\x18\x24\x20"), -EBADMSG);
        assert_int_equal(ENTRY("\x18\x26\x17"), 0); /* 23: a newer reason */
        assert_int_equal(r.close_reason, 23);
        assert_int_equal(ENTRY("\x18\x26\x0f"), -EBADMSG);
        assert_int_equal(ENTRY("\x18\x2c\x48"
                               "12345678"),
                         0);
        assert_int_equal(r.applied_count, 1);
        assert_int_equal(ENTRY("\x18\x2c\x49"
                               "123456789"),
                         -EBADMSG);
        assert_int_equal(ENTRY("\x18\x2c\x40"), -EBADMSG);
        assert_int_equal(ENTRY("\x18\x2c\xf6"), -EBADMSG);
}

/* What a newer format adds is kept, and stands behind ours again in the order of keys. */
static void test_unknown_kept(void **state)
{
        static const char entries[] = "\x18\x40\x82\x01\xa1\x01\x02" /* 64: [1, {1: 2}] */
                                      "\x20\xf6"                     /* -1: null */
                                      "\x61z\xc1\x00";               /* "z": 1(0) */
        static struct record r;
        const struct record small = small_record();
        uint8_t buf[RECORD_MAX], again[RECORD_MAX];
        int len = record_encode(&small, buf, sizeof(buf));

        buf[0] = (uint8_t)(buf[0] + 3);
        memcpy(buf + len, entries, sizeof(entries) - 1);
        len += (int)sizeof(entries) - 1;
        assert_int_equal(record_decode(buf, (size_t)len, &r), 0);
        assert_int_equal(r.unknown_count, 3);
        assert_int_equal(r.unknown_size, sizeof(entries) - 1);
        assert_int_equal(record_encode(&r, again, sizeof(again)), len);
        assert_memory_equal(again, buf, (size_t)len);
        codec_hostile(&record_codec, buf, (size_t)len);
        /* a change of ours does not lose them */
        r.version = 2;
        strcpy(r.owner_name, "K");
        len = record_encode(&r, again, sizeof(again));
        assert_int_equal(record_decode(again, (size_t)len, &r), 0);
        assert_int_equal(r.unknown_count, 3);
}

/* Parts of one asked that came later: a record without them is read, and what is behind them is stepped over. */
static void test_asked_of_before(void **state)
{
        static const struct {
                const char *entry;
                size_t len;
                int64_t sms_at_ms;
                uint8_t sms_state, answer_path;
        } cases[] = {
#define ASKED(text) "\x18\x1e\x81" text, sizeof("\x18\x1e\x81" text) - 1
                { ASKED("\x87\x61p\x60\x00\x00\x05\x00\x09"), 0, SMS_NONE, BY_NONE },
                { ASKED("\x88\x61p\x60\x00\x00\x05\x00\x09\x07"), 7, SMS_NONE, BY_NONE },
                { ASKED("\x8a\x61p\x60\x00\x00\x05\x00\x09\x07\x02\x03"), 7, SMS_HANDED, BY_SMS },
                { ASKED("\x8b\x61p\x60\x00\x00\x05\x00\x09\x07\x02\x03\xf6"), 7, SMS_HANDED, BY_SMS },
#undef ASKED
        };
        static struct record r;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                assert_int_equal(with_entry(cases[i].entry, cases[i].len, &r), 0);
                assert_int_equal(r.asked_count, 1);
                assert_int_equal(r.asked[0].distance_m, 9);
                assert_int_equal(r.asked[0].sms_at_ms, cases[i].sms_at_ms);
                assert_int_equal(r.asked[0].sms_state, cases[i].sms_state);
                assert_int_equal(r.asked[0].answer_path, cases[i].answer_path);
        }
}

/* Two entries of 300 octets: the second does not fit and goes, whole; a small one behind it stays. */
static void test_unknown_bound(void **state)
{
        static struct record r;
        const struct record small = small_record();
        uint8_t buf[RECORD_MAX], filler[298] = { 0 };
        struct cbor_writer w;
        int len = record_encode(&small, buf, sizeof(buf));

        cbor_writer_init(&w, buf + len, sizeof(buf) - (size_t)len);
        for (uint64_t key = 100; key < 102; key++) {
                cbor_write_uint(&w, key);
                cbor_write_bytes(&w, CBOR_OCTETS(filler));
        }
        cbor_write_uint(&w, 102);
        cbor_write_bool(&w, true);
        buf[0] = (uint8_t)(buf[0] + 3);
        assert_int_equal(record_decode(buf, (size_t)len + w.len, &r), 0);
        assert_int_equal(r.unknown_count, 2);
        assert_int_equal(r.unknown_size, 2 + 3 + 298 + 3);
        codec_round(&record_codec, &r, buf);
}

/* RECORD_MAX octets are read, one more is not. */
static void test_too_large(void **state)
{
        static struct record r;
        static uint8_t buf[RECORD_MAX + 1], filler[RECORD_MAX];
        const struct record small = small_record();
        struct cbor_writer w;
        int len = record_encode(&small, buf, sizeof(buf));

        for (size_t over = 0; over < 2; over++) {
                cbor_writer_init(&w, buf + len, sizeof(buf) - (size_t)len);
                cbor_write_uint(&w, 100);
                cbor_write_bytes(&w, (struct cbor_span){ filler, RECORD_MAX - (size_t)len - 5 + over });
                assert_int_equal((size_t)len + w.len, RECORD_MAX + over);
                buf[0] = 0xa6;
                assert_int_equal(record_decode(buf, (size_t)len + w.len, &r), over == 0 ? 0 : -EBADMSG);
        }
}

static void test_example(void **state)
{
        static struct record r;
        uint8_t fixture[RECORD_MAX], buf[RECORD_MAX];
        size_t len = example("record", fixture, sizeof(fixture));

        assert_int_equal(record_decode(fixture, len, &r), 0);
        assert_int_equal(codec_round(&record_codec, &r, buf), len);
        assert_memory_equal(buf, fixture, len);
        assert_int_equal(r.version, 4);
        assert_int_equal(r.state, ALERT_TAKEN);
        assert_int_equal(r.marks, RECORD_SILENT);
        assert_int_equal(r.at.lat_e7, 457578137);
        assert_string_equal(r.carrier_name, "Léa Martin");
        assert_string_equal(r.owner_name, "Karim Benali");
        assert_int_equal(r.asked_count, 2);
        assert_string_equal(r.asked[1].id, "petit");
        assert_int_equal(r.asked[1].seen_at_ms, 0);
        assert_int_equal(r.asked[1].sms_state, SMS_HANDED);
        assert_int_equal(r.asked[0].answer_path, BY_HANDSET);
        assert_int_equal(r.owner_path, BY_HANDSET);
        assert_int_equal(r.passed[0].reason, 6);
        assert_int_equal(r.track_count, 1);
        assert_int_equal(r.applied_count, 3);
        assert_int_equal(r.presses, 1);
        assert_int_equal(r.battery, 64);
        assert_int_equal(r.before[31], 0xdf);
        assert_int_equal(r.salt[15], 0xef);
}

/* What chains records: all of it, or nothing. */
static void test_chain_entries(void **state)
{
        static struct record r;
        static const uint8_t zeros[RECORD_HASH_SIZE];

        assert_int_equal(ENTRY("\x18\x32\x58\x20"
                               "0123456789abcdef0123456789abcdef"),
                         0);
        assert_memory_equal(r.before, "0123456789abcdef0123456789abcdef", RECORD_HASH_SIZE);
        assert_memory_equal(r.salt, zeros, RECORD_SALT_SIZE);
        assert_int_equal(ENTRY("\x18\x33\x50"
                               "0123456789abcdef"),
                         0);
        assert_memory_equal(r.salt, "0123456789abcdef", RECORD_SALT_SIZE);
        assert_memory_equal(r.before, zeros, RECORD_HASH_SIZE);
        assert_int_equal(ENTRY("\x18\x32\x58\x1f"
                               "0123456789abcdef0123456789abcde"),
                         -EBADMSG);
        assert_int_equal(ENTRY("\x18\x33\x51"
                               "0123456789abcdefg"),
                         -EBADMSG);
        assert_int_equal(ENTRY("\x18\x33\x70"
                               "0123456789abcdef"),
                         -EBADMSG); /* a text */
        assert_int_equal(ENTRY("\x18\x33\x50\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                         -EBADMSG); /* none: has to be left out */
        assert_int_equal(ENTRY("\x18\x33\xf6"), -EBADMSG);
}

static void test_helpers(void **state)
{
        struct record r = small_record();
        uint8_t id[EVENT_ID_SIZE] = { 0 };
        char text[8];

        assert_int_equal(record_asked_find(&r, "a"), -ENOENT);
        assert_int_equal(record_asked_find(&r, ""), -ENOENT);
        r.asked_count = 2;
        strcpy(r.asked[0].id, "ab");
        strcpy(r.asked[1].id, "a");
        assert_int_equal(record_asked_find(&r, "a"), 1);
        assert_int_equal(record_asked_find(&r, "ab"), 0);
        assert_int_equal(record_asked_find(&r, "abc"), -ENOENT);

        assert_false(record_applied(&r, id));
        for (int i = 0; i < RECORD_APPLIED_MAX + 2; i++) {
                id[0] = (uint8_t)i;
                record_apply_id(&r, id);
                record_apply_id(&r, id);
                assert_true(record_applied(&r, id));
                assert_int_equal(r.applied_count, i < RECORD_APPLIED_MAX ? i + 1 : RECORD_APPLIED_MAX);
        }
        assert_int_equal(r.applied[0][0], 2);
        assert_int_equal(r.applied[RECORD_APPLIED_MAX - 1][0], RECORD_APPLIED_MAX + 1);
        id[0] = 1;
        assert_false(record_applied(&r, id));

        record_set_text(text, sizeof(text), "1234567");
        assert_string_equal(text, "1234567");
        record_set_text(text, sizeof(text), "12345678");
        assert_string_equal(text, "1234567");
        record_set_text(text, sizeof(text), "12345\xf0\x9f\x98\x80");
        assert_string_equal(text, "12345");
        record_set_text(text, sizeof(text),
                        "12\xe9"
                        "3");
        assert_string_equal(text, "12");
        record_set_text(text, sizeof(text), NULL);
        assert_string_equal(text, "");
}

static void test_receipt_state(void **state)
{
        static const struct {
                enum alert_state state;
                uint8_t reason;
                enum receipt_state expected;
        } cases[] = {
                { ALERT_RAISED, 0, RECEIPT_RAISED },
                { ALERT_ASKED, 0, RECEIPT_ASKED },
                { ALERT_SEEN, 0, RECEIPT_SEEN },
                { ALERT_TAKEN, 0, RECEIPT_TAKEN },
                { ALERT_EN_ROUTE, 0, RECEIPT_EN_ROUTE },
                { ALERT_ON_SCENE, 0, RECEIPT_ON_SCENE },
                { ALERT_CLOSED, 0, RECEIPT_CLOSED },
                { ALERT_CLOSED, CLOSE_HELPED, RECEIPT_CLOSED_HELPED },
                { ALERT_CLOSED, CLOSE_MISTAKE, RECEIPT_CLOSED_MISTAKE },
                { ALERT_CLOSED, CLOSE_EMERGENCY_SERVICES, RECEIPT_CLOSED_HANDED_OVER },
                { ALERT_CLOSED, CLOSE_DRILL_OVER, RECEIPT_CLOSED_DRILL_OVER },
                { ALERT_CLOSED, CLOSE_NO_DANGER, RECEIPT_CLOSED_NO_DANGER },
                { ALERT_CLOSED, CLOSE_OTHER, RECEIPT_CLOSED_OTHER },
                { ALERT_CLOSED, CLOSE_REASON_MAX, RECEIPT_STATE_MAX },
                { ALERT_TAKEN, CLOSE_MISTAKE, RECEIPT_TAKEN },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct record r = small_record();

                r.state = cases[i].state;
                r.close_reason = cases[i].reason;
                assert_int_equal(record_receipt_state(&r), cases[i].expected);
        }
}

/* From the most urgent down; each differs from the one above by the rule that its row names. */
static void test_urgency(void **state)
{
        static const struct {
                uint32_t marks;
                const char *owner;
                uint32_t pressed_at_s;
        } rows[] = {
                { RECORD_DURESS | RECORD_EXHAUSTED, "", 1000 },
                { RECORD_DURESS, "", 0 },
                { RECORD_DURESS, "", 2000 },
                { RECORD_DURESS | RECORD_NO_NEWS, "k", 2001 }, /* no news is not taken */
                { RECORD_EXHAUSTED, "", 1000 },                /* no duress */
                { 0, "", 999 },                                /* not exhausted */
                { 0, "", 1000 },                               /* younger */
                { 0, "", UINT32_MAX },
                { RECORD_DURESS | RECORD_EXHAUSTED, "k", 0 }, /* taken */
                { 0, "k", 0 },
                { RECORD_UNVERIFIED | RECORD_DURESS | RECORD_EXHAUSTED, "", 0 }, /* unverified */
                { RECORD_UNVERIFIED, "k", UINT32_MAX },
                { RECORD_DRILL | RECORD_DURESS | RECORD_EXHAUSTED, "", 0 }, /* a drill */
                { RECORD_DRILL | RECORD_UNVERIFIED, "k", 0 },
                { RECORD_DRILL | RECORD_UNVERIFIED, "k", UINT32_MAX },
        };
        double above = (double)(UINT64_C(1) << 37), score;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct record r = small_record();

                r.marks = rows[i].marks;
                strcpy(r.owner_id, rows[i].owner);
                r.pressed_at_s = rows[i].pressed_at_s;
                score = record_urgency(&r);
                assert_true(score < above && score >= 0);
                assert_true(score == (double)(int64_t)score);
                above = score;
        }
        assert_true(above == 0);
}

static void test_words(void **state)
{
        assert_string_equal(alert_state_name(ALERT_RAISED), "raised");
        assert_string_equal(alert_state_name(ALERT_CLOSED), "closed");
        assert_null(alert_state_name(0));
        assert_null(alert_state_name(ALERT_STATE_END));
        for (uint8_t event = 1; event < EVENT_END; event++)
                assert_non_null(alert_event_name(event));
        assert_null(alert_event_name(0));
        assert_null(alert_event_name(EVENT_END));
        assert_string_equal(close_reason_name(CLOSE_HELPED), "helped");
        assert_string_equal(close_reason_name(CLOSE_OTHER), "other");
        assert_null(close_reason_name(15));
        assert_null(close_reason_name(22));
        assert_string_equal(unverified_why_name(UNVERIFIED_NOT), "verified");
        assert_string_equal(unverified_why_name(UNVERIFIED_MALFORMED), "malformed");
        assert_null(unverified_why_name(6));
        assert_null(sms_state_name(SMS_NONE));
        assert_string_equal(sms_state_name(SMS_DUE), "due");
        assert_string_equal(sms_state_name(SMS_FAILED), "failed");
        assert_null(sms_state_name(SMS_STATE_END));
        assert_null(answer_path_name(BY_NONE));
        assert_string_equal(answer_path_name(BY_SMS), "sms");
        assert_null(answer_path_name(BY_END));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_largest),
                cmocka_unit_test(test_hostile),        cmocka_unit_test(test_bad_text_is_cut),
                cmocka_unit_test(test_hostile_names),  cmocka_unit_test(test_encode_refuses),
                cmocka_unit_test(test_decode_refuses), cmocka_unit_test(test_decode_entries),
                cmocka_unit_test(test_unknown_kept),   cmocka_unit_test(test_asked_of_before),
                cmocka_unit_test(test_unknown_bound),  cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_example),        cmocka_unit_test(test_chain_entries),
                cmocka_unit_test(test_helpers),        cmocka_unit_test(test_receipt_state),
                cmocka_unit_test(test_urgency),        cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
