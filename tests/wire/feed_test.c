#include "wire/feed.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"
#include "wire/receipt.h"

CODEC(notice, struct notice, NOTICE_MAX)
CODEC(duty_entry, struct duty_entry, DUTY_ENTRY_MAX)
CODEC(presence, struct presence, PRESENCE_MAX)
CODEC(carrier_duty, struct carrier_duty, CARRIER_DUTY_MAX)
CODEC(tombstone, struct tombstone, TOMBSTONE_MAX)

static void draw_notice(uint64_t *seed, struct notice *n)
{
        memset(n, 0, sizeof(*n));
        n->kind = (uint8_t)(1 + draw_to(seed, NOTICE_END - 2));
        n->rings = draw_bool(seed);
        n->since_ms = draw_ms(seed);
        n->count = (uint32_t)draw_to(seed, UINT32_MAX);
        draw_text(seed, n->zone_id, sizeof(n->zone_id));
        draw_text(seed, n->zone_name, sizeof(n->zone_name));
        draw_id(seed, n->cause, sizeof(n->cause));
        draw_id(seed, n->acked_by, sizeof(n->acked_by));
        n->name_count = (uint8_t)draw_to(seed, NOTICE_NAMES_MAX);
        for (size_t i = 0; i < n->name_count; i++) {
                draw_id(seed, n->names[i].carrier_id, sizeof(n->names[i].carrier_id));
                draw_text(seed, n->names[i].carrier_name, sizeof(n->names[i].carrier_name));
                draw_id(seed, n->names[i].number, sizeof(n->names[i].number));
                draw_id(seed, n->names[i].round, sizeof(n->names[i].round));
                n->names[i].heard_at_ms = draw_ms(seed);
                if ((n->names[i].has_place = draw_bool(seed)))
                        n->names[i].at = draw_point(seed);
        }
}

static void draw_carrier_duty(uint64_t *seed, struct carrier_duty *d)
{
        memset(d, 0, sizeof(*d));
        draw_id(seed, d->carrier_id, sizeof(d->carrier_id));
        draw_id(seed, d->round, sizeof(d->round));
        draw_text(seed, d->zone_id, sizeof(d->zone_id));
        d->since_ms = draw_ms(seed);
        d->until_s = (uint32_t)draw_to(seed, UINT32_MAX);
        d->battery = draw_battery(seed);
        d->sealed_size = (uint16_t)draw_to(seed, SEALED_POSITION_MAX);
        draw_octets(seed, d->sealed, d->sealed_size);
        d->cause = (uint8_t)draw_to(seed, UINT8_MAX);
        d->asked_ms = draw_ms(seed);
}

static void draw_small(uint64_t *seed, struct duty_entry *d, struct presence *p, struct tombstone *t)
{
        memset(d, 0, sizeof(*d));
        d->since_ms = draw_ms(seed);
        d->until_s = (uint32_t)draw_to(seed, UINT32_MAX);
        draw_octets(seed, d->handset, sizeof(d->handset));
        memset(p, 0, sizeof(*p));
        p->at_ms = draw_ms(seed);
        p->by = (uint8_t)draw_to(seed, PRESENCE_CONSOLE);
        if ((p->has_position = draw_bool(seed)))
                p->at = draw_point(seed);
        memset(t, 0, sizeof(*t));
        t->version = 1 + (uint32_t)draw_to(seed, UINT32_MAX - 1);
        t->state = draw_bool(seed) ? RECEIPT_CLOSED : (uint8_t)(16 + draw_to(seed, 7));
        t->closed_at_ms = draw_ms(seed);
        draw_text(seed, t->who, sizeof(t->who));
}

static void test_round_trip(void **state)
{
        uint8_t buf[NOTICE_MAX];
        struct notice n;
        struct carrier_duty c;
        struct duty_entry d;
        struct presence p;
        struct tombstone t;
        uint64_t seed = 40;

        for (int i = 0; i < 1000; i++) {
                draw_notice(&seed, &n);
                codec_round(&notice_codec, &n, buf);
                draw_carrier_duty(&seed, &c);
                codec_round(&carrier_duty_codec, &c, buf);
                draw_small(&seed, &d, &p, &t);
                codec_round(&duty_entry_codec, &d, buf);
                codec_round(&presence_codec, &p, buf);
                codec_round(&tombstone_codec, &t, buf);
        }
}

/* codec_round() fails where a MAX is too small. */
static void test_largest(void **state)
{
        uint8_t buf[NOTICE_MAX];
        static struct notice n = { .kind = NOTICE_OVERDUE, .since_ms = INT64_MAX, .count = UINT32_MAX };
        static struct carrier_duty c = { .since_ms = INT64_MAX,
                                         .until_s = UINT32_MAX,
                                         .battery = 255,
                                         .sealed_size = 256,
                                         .cause = 255,
                                         .asked_ms = INT64_MAX };
        static struct duty_entry d = { INT64_MAX, UINT32_MAX, { 0 } };
        static struct presence p = { .at_ms = INT64_MAX, .has_position = true };
        static struct tombstone t = { .version = UINT32_MAX,
                                      .state = RECEIPT_STATE_MAX,
                                      .closed_at_ms = INT64_MAX,
                                      .revision = UINT16_MAX,
                                      .marks = UINT32_MAX };

        fill_text(n.zone_id, sizeof(n.zone_id));
        fill_text(n.zone_name, sizeof(n.zone_name));
        fill_id(n.cause, sizeof(n.cause));
        fill_id(n.acked_by, sizeof(n.acked_by));
        n.name_count = NOTICE_NAMES_MAX;
        for (size_t i = 0; i < NOTICE_NAMES_MAX; i++) {
                fill_id(n.names[i].carrier_id, sizeof(n.names[i].carrier_id));
                fill_text(n.names[i].carrier_name, sizeof(n.names[i].carrier_name));
                fill_id(n.names[i].number, sizeof(n.names[i].number));
                fill_id(n.names[i].round, sizeof(n.names[i].round));
                n.names[i].heard_at_ms = INT64_MAX;
                n.names[i].has_place = true;
                n.names[i].at = (struct track_point){ UINT32_MAX, -900000000, -1800000000, UINT16_MAX };
        }
        codec_round(&notice_codec, &n, buf);
        fill_id(c.carrier_id, sizeof(c.carrier_id));
        fill_id(c.round, sizeof(c.round));
        fill_text(c.zone_id, sizeof(c.zone_id));
        codec_round(&carrier_duty_codec, &c, buf);
        codec_round(&duty_entry_codec, &d, buf);
        p.at = full_point();
        codec_round(&presence_codec, &p, buf);
        fill_text(t.who, sizeof(t.who));
        codec_round(&tombstone_codec, &t, buf);
}

static void test_hostile(void **state)
{
        uint8_t buf[NOTICE_MAX];
        struct notice n;
        struct carrier_duty c;
        struct duty_entry d;
        struct presence p;
        struct tombstone t;
        uint64_t seed = 41;

        for (int i = 0; i < 4; i++) {
                draw_notice(&seed, &n);
                n.name_count = n.name_count > 2 ? 2 : n.name_count;
                memset(n.names + n.name_count, 0, (NOTICE_NAMES_MAX - n.name_count) * sizeof(n.names[0]));
                codec_hostile(&notice_codec, buf, codec_round(&notice_codec, &n, buf));
                draw_carrier_duty(&seed, &c);
                codec_hostile(&carrier_duty_codec, buf, codec_round(&carrier_duty_codec, &c, buf));
                draw_small(&seed, &d, &p, &t);
                codec_hostile(&duty_entry_codec, buf, codec_round(&duty_entry_codec, &d, buf));
                codec_hostile(&presence_codec, buf, codec_round(&presence_codec, &p, buf));
                codec_hostile(&tombstone_codec, buf, codec_round(&tombstone_codec, &t, buf));
        }
}

static void test_examples(void **state)
{
        static const struct notice notice = { .kind = NOTICE_OVERDUE,
                                              .rings = true,
                                              .since_ms = 1767226500000,
                                              .count = 1,
                                              .zone_id = "lyon-3",
                                              .zone_name = "Lyon 3e",
                                              .cause = "silent",
                                              .name_count = 1,
                                              .names = { { .carrier_id = "martin.l",
                                                           .carrier_name = "Léa Martin",
                                                           .number = "+33612345678",
                                                           .round = "tournee-12",
                                                           .heard_at_ms = 1767225600000 } } };
        static const struct duty_entry duty = { 1767222000000, 1767250800, { 0x10, 1, 2, 3, 4, 5, 6, 7 } };
        static const struct presence presence = {
                1767225600000, PRESENCE_HANDSET, true, { 1767225590, 457578137, 48320114, 12 }
        };
        static const struct presence gone = { .at_ms = 1767225600000, .by = PRESENCE_GONE };
        static const struct carrier_duty carrier = {
                "martin.l", "tournee-12", "lyon-3", 1767222000000, 1767240000, 64, 0, { 0 }, 0, 0
        };
        static const struct tombstone tombstone = { 9, RECEIPT_CLOSED_HELPED, 1767226200000, "Karim Benali", 2, 4 };
        const struct {
                const char *name;
                const struct codec *codec;
                const void *object;
        } cases[] = {
                { "notice", &notice_codec, &notice },
                { "duty", &duty_entry_codec, &duty },
                { "presence", &presence_codec, &presence },
                { "presence-gone", &presence_codec, &gone },
                { "carrier-duty", &carrier_duty_codec, &carrier },
                { "tombstone", &tombstone_codec, &tombstone },
        };
        uint8_t fixture[NOTICE_MAX], buf[NOTICE_MAX];
        size_t len;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                len = example(cases[i].name, fixture, sizeof(fixture));
                assert_int_equal(codec_round(cases[i].codec, cases[i].object, buf), len);
                assert_memory_equal(buf, fixture, len);
        }
}

static void test_refused(void **state)
{
        uint8_t buf[NOTICE_MAX];
        struct notice n = { .kind = NOTICE_END };
        struct presence p = { .by = 3 };
        struct tombstone t = { .version = 1, .state = 15 };
        struct carrier_duty c = { .battery = 254 };

        assert_int_equal(notice_encode(&n, buf, sizeof(buf)), -EINVAL);
        n.kind = NOTICE_TECHNICAL;
        n.name_count = NOTICE_NAMES_MAX + 1;
        assert_int_equal(notice_encode(&n, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(presence_encode(&p, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(tombstone_encode(&t, buf, sizeof(buf)), -EINVAL);
        t.state = RECEIPT_TAKEN;
        assert_int_equal(tombstone_encode(&t, buf, sizeof(buf)), -EINVAL);
        t.state = RECEIPT_CLOSED;
        t.version = 0;
        assert_int_equal(tombstone_encode(&t, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(carrier_duty_encode(&c, buf, sizeof(buf)), -EINVAL);
        c.battery = 100;
        c.sealed_size = SEALED_POSITION_MAX + 1;
        assert_int_equal(carrier_duty_encode(&c, buf, sizeof(buf)), -EINVAL);

        assert_int_equal(presence_decode((const uint8_t *)"\x84\x01\x00\x02\xf6", 5, &p), 0);
        assert_int_equal(presence_decode((const uint8_t *)"\x84\x01\x00\x03\xf6", 5, &p), -EBADMSG);
        assert_int_equal(presence_decode((const uint8_t *)"\x84\x02\x00\x03\xf6", 5, &p), -EPROTONOSUPPORT);
        assert_int_equal(presence_decode((const uint8_t *)"\x84\x01\x00\x02\xf7", 5, &p), -EBADMSG);
        assert_int_equal(presence_decode((const uint8_t *)"\x84\x01\x00\x02\x84\x00\x00\x00\x00", 9, &p), 0);
        assert_true(p.has_position);
        assert_int_equal(presence_decode((const uint8_t *)"\x84\x01\x00\x02\x83\x00\x00\x00", 8, &p), -EBADMSG);
        assert_int_equal(presence_decode(NULL, 0, &p), -EBADMSG);
        /* seventeen names */
        n.name_count = 1;
        t.state = (uint8_t)notice_encode(&n, buf, sizeof(buf));
        assert_int_equal(buf[10], 0x81);
        buf[10] = 0x91;
        for (size_t i = 0; i < 16; i++)
                memcpy(buf + t.state + 6 * i, "\x85\x60\x60\x60\x60\x00", 6);
        assert_int_equal(notice_decode(buf, t.state + 6 * 16u, &n), -EBADMSG);
        buf[10] = 0x90;
        assert_int_equal(notice_decode(buf, t.state + 6 * 15u, &n), 0);
        assert_int_equal(n.name_count, 16);
}

static void test_format(void **state)
{
        assert_int_equal(feed_format_check("1", 1), 0);
        assert_int_equal(feed_format_check("2", 1), -EPROTONOSUPPORT);
        assert_int_equal(feed_format_check("9999", 4), -EPROTONOSUPPORT);
        assert_int_equal(feed_format_check("10000", 5), -EBADMSG);
        assert_int_equal(feed_format_check("0", 1), -EBADMSG);
        assert_int_equal(feed_format_check("01", 2), -EBADMSG);
        assert_int_equal(feed_format_check("", 0), -EBADMSG);
        assert_int_equal(feed_format_check("1 ", 2), -EBADMSG);
        assert_int_equal(feed_format_check("-1", 2), -EBADMSG);
}

static void test_words(void **state)
{
        assert_string_equal(notice_kind_name(NOTICE_OVERDUE), "overdue");
        assert_string_equal(notice_kind_name(NOTICE_UNVERIFIED), "unverified");
        assert_string_equal(notice_kind_name(NOTICE_TECHNICAL), "technical");
        assert_string_equal(notice_kind_name(NOTICE_DURESS), "duress");
        assert_null(notice_kind_name(0));
        assert_null(notice_kind_name(NOTICE_END));
}

/* A notice of before places: nobody has one. */
static void test_notice_of_before(void **state)
{
        uint8_t in[NOTICE_MAX];
        size_t len = example("notice", in, sizeof(in));
        struct notice notice;

        for (size_t i = 0; i < len; i++)
                if (in[i] == 0x86 && in[i + 1] == 0x68)
                        in[i] = 0x85; /* the last element, null, is not there */
        assert_int_equal(in[len - 1], 0xf6);
        assert_int_equal(notice_decode(in, len - 1, &notice), 0);
        assert_int_equal(notice.name_count, 1);
        assert_false(notice.names[0].has_place);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_notice_of_before), cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_largest),          cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_examples),         cmocka_unit_test(test_refused),
                cmocka_unit_test(test_format),           cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
