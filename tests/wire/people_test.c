#include "wire/people.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"

CODEC(handset_entry, struct handset_entry, PEOPLE_MAX)
CODEC(carrier_entry, struct carrier_entry, PEOPLE_MAX)
CODEC(supervisor_entry, struct supervisor_entry, PEOPLE_MAX)
CODEC(user_entry, struct user_entry, PEOPLE_MAX)
CODEC(round_entry, struct round_entry, PEOPLE_MAX)

enum { ROUNDS = 2000 };

static void draw_handset(uint64_t *seed, struct handset_entry *e)
{
        memset(e, 0, sizeof(*e));
        draw_octets(seed, e->key, sizeof(e->key));
        if ((e->has_previous = draw_bool(seed)))
                draw_octets(seed, e->previous, sizeof(e->previous));
        draw_octets(seed, e->enrolment, sizeof(e->enrolment));
        e->not_after_s = (uint32_t)draw_to(seed, UINT32_MAX);
        e->revoked_at_s = (uint32_t)draw_to(seed, UINT32_MAX);
        draw_id(seed, e->number, sizeof(e->number));
        draw_id(seed, e->person, sizeof(e->person));
        e->role = (uint8_t)draw_to(seed, HANDSET_SUPERVISOR);
        draw_text(seed, e->site, sizeof(e->site));
}

static void draw_user(uint64_t *seed, struct user_entry *e)
{
        memset(e, 0, sizeof(*e));
        draw_id(seed, e->person, sizeof(e->person));
        draw_text(seed, e->name, sizeof(e->name));
        e->role = (uint8_t)(1 + draw_to(seed, ROLE_END - 2));
        draw_id(seed, e->password, sizeof(e->password));
        draw_id(seed, e->language, sizeof(e->language));
        e->disabled = draw_bool(seed);
}

static void test_round_trip(void **state)
{
        uint8_t buf[PEOPLE_MAX];
        struct handset_entry h;
        struct user_entry u;
        uint64_t seed = 10;

        for (int i = 0; i < ROUNDS; i++) {
                struct carrier_entry c = { 0 };
                struct supervisor_entry s = { 0 };
                struct round_entry r = { 0 };

                draw_handset(&seed, &h);
                codec_round(&handset_entry_codec, &h, buf);
                draw_user(&seed, &u);
                codec_round(&user_entry_codec, &u, buf);
                draw_text(&seed, c.name, sizeof(c.name));
                draw_id(&seed, c.number, sizeof(c.number));
                draw_text(&seed, c.team, sizeof(c.team));
                draw_text(&seed, c.site, sizeof(c.site));
                codec_round(&carrier_entry_codec, &c, buf);
                draw_text(&seed, s.name, sizeof(s.name));
                draw_id(&seed, s.number, sizeof(s.number));
                draw_text(&seed, s.team, sizeof(s.team));
                s.manager = draw_bool(&seed);
                codec_round(&supervisor_entry_codec, &s, buf);
                draw_text(&seed, r.name, sizeof(r.name));
                draw_text(&seed, r.zone_id, sizeof(r.zone_id));
                draw_text(&seed, r.team, sizeof(r.team));
                codec_round(&round_entry_codec, &r, buf);
        }
}

/* The largest two; codec_round() fails when PEOPLE_MAX is too small. */
static void test_largest(void **state)
{
        uint8_t buf[PEOPLE_MAX];
        static struct handset_entry h = { .has_previous = true, .not_after_s = UINT32_MAX, .revoked_at_s = UINT32_MAX };
        struct user_entry u = { .role = ROLE_CARETAKER };

        memset(h.key, 4, sizeof(h.key));
        memset(h.previous, 4, sizeof(h.previous));
        fill_id(h.number, sizeof(h.number));
        fill_id(h.person, sizeof(h.person));
        fill_text(h.site, sizeof(h.site));
        codec_round(&handset_entry_codec, &h, buf);
        fill_id(u.person, sizeof(u.person));
        fill_text(u.name, sizeof(u.name));
        fill_id(u.password, sizeof(u.password));
        fill_id(u.language, sizeof(u.language));
        codec_round(&user_entry_codec, &u, buf);
}

static void test_hostile(void **state)
{
        uint8_t buf[PEOPLE_MAX];
        struct handset_entry h;
        struct user_entry u;
        uint64_t seed = 11;

        for (int i = 0; i < 4; i++) {
                draw_handset(&seed, &h);
                codec_hostile(&handset_entry_codec, buf, codec_round(&handset_entry_codec, &h, buf));
                draw_user(&seed, &u);
                codec_hostile(&user_entry_codec, buf, codec_round(&user_entry_codec, &u, buf));
        }
}

static void test_examples(void **state)
{
        static const struct handset_entry handset = { .enrolment = { 0xe0, 1, 2, 3, 4, 5, 6, 7 },
                                                      .not_after_s = 1830297600,
                                                      .number = "+33612345678",
                                                      .person = "martin.l",
                                                      .role = HANDSET_CARRIER,
                                                      .site = "Lyon 3e" };
        static const struct carrier_entry carrier = { "Léa Martin", "+33612345678", "lyon-3", "Lyon 3e" };
        static const struct supervisor_entry supervisor = { "Karim Benali", "+33698765432", "lyon-3", true };
        static const struct user_entry user = { "benali", "Karim Benali", ROLE_SUPERVISOR, "scrypt$15$8$1$00$11",
                                                "fr",     false };
        static const struct round_entry round = { "Tournée 12", "lyon-3", "lyon-3" };
        struct {
                const char *name;
                const struct codec *codec;
                const void *object;
        } cases[] = {
                { "people-carrier", &carrier_entry_codec, &carrier },
                { "people-supervisor", &supervisor_entry_codec, &supervisor },
                { "people-user", &user_entry_codec, &user },
                { "people-round", &round_entry_codec, &round },
                { "people-handset", &handset_entry_codec, NULL },
        };
        static struct handset_entry h;
        uint8_t fixture[PEOPLE_MAX], buf[PEOPLE_MAX];
        size_t len;

        h = handset;
        h.key[0] = 4;
        for (uint8_t i = 1; i < sizeof(h.key); i++)
                h.key[i] = i;
        cases[4].object = &h;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                len = example(cases[i].name, fixture, sizeof(fixture));
                assert_int_equal(codec_round(cases[i].codec, cases[i].object, buf), len);
                assert_memory_equal(buf, fixture, len);
        }
}

/* What may not be in an entry, written or read. */
static void test_refused(void **state)
{
        struct carrier_entry c = { "L\xc3\xa9"
                                   "a",
                                   "+33612345678", "t", "s" };
        struct user_entry u = { "p", "n", ROLE_END, "x", "fr", false };
        uint8_t buf[PEOPLE_MAX];
        size_t len = codec_round(&carrier_entry_codec, &c, buf);

        /* newer format; format 0; newer and malformed; a text not UTF-8, with a NUL, too long; an id with a space */
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x85\x01", 2, "\x85\x02", 2),
                         -EPROTONOSUPPORT);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x85\x01", 2,
                                        "\x85\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 10),
                         -EPROTONOSUPPORT);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x85\x01", 2, "\x85\x00", 2), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x85\x01", 2, "\x86\x02", 2), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\xc3\xa9", 2, "\xc3\x28", 2), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\xc3\xa9", 2, "\0a", 2), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "+33", 3, "+ 3", 3), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "+33", 3, "+\x7f\x33", 3), -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x61t", 2,
                                        "\x78\x21"
                                        "123456789012345678901234567890123",
                                        35),
                         -EBADMSG);
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x61t", 2,
                                        "\x78\x20"
                                        "12345678901234567890123456789012",
                                        34),
                         0);
        /* an element missing */
        assert_int_equal(codec_replaced(&carrier_entry_codec, buf, len, "\x85\x01", 2, "\x84\x01", 2), -EBADMSG);

        memcpy(c.name,
               "L\xe9"
               "a",
               4);
        assert_int_equal(carrier_entry_encode(&c, buf, sizeof(buf)), -EINVAL);
        memcpy(c.name, "Lea", 4);
        memcpy(c.number, "+33 6", 6);
        assert_int_equal(carrier_entry_encode(&c, buf, sizeof(buf)), -EINVAL);
        memset(c.number, '3', sizeof(c.number));
        assert_int_equal(carrier_entry_encode(&c, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(user_entry_encode(&u, buf, sizeof(buf)), -EINVAL);
        u.role = 0;
        assert_int_equal(user_entry_encode(&u, buf, sizeof(buf)), -EINVAL);
}

static void test_newer_elements(void **state)
{
        struct round_entry r = { "n", "z", "t" }, read;
        uint8_t buf[PEOPLE_MAX + 8];
        int len = round_entry_encode(&r, buf, sizeof(buf));

        buf[0]++;
        memcpy(buf + len, "\x82\x01\x61x", 4);
        assert_int_equal(round_entry_decode(buf, (size_t)len + 4, &read), 0);
        assert_string_equal(read.team, "t");
        /* to the last octet allowed, and one more */
        memcpy(buf + len, "\x59\x01", 2);
        buf[len + 2] = (uint8_t)(PEOPLE_MAX - len - 3);
        memset(buf + len + 3, 0, sizeof(buf) - (size_t)len - 3);
        assert_int_equal(buf[len + 2] + 256, PEOPLE_MAX - len - 3);
        assert_int_equal(round_entry_decode(buf, PEOPLE_MAX, &read), 0);
        buf[len + 2]++;
        assert_int_equal(round_entry_decode(buf, PEOPLE_MAX + 1, &read), -EBADMSG);
}

static void test_words(void **state)
{
        assert_true(person_id_valid("martin.l-2_A"));
        assert_true(person_id_valid("12345678901234567890123456789012"));
        assert_false(person_id_valid("123456789012345678901234567890123"));
        assert_false(person_id_valid(""));
        assert_false(person_id_valid("a b"));
        assert_false(person_id_valid("a:b"));
        assert_false(person_id_valid("l\xc3\xa9"
                                     "a"));
        assert_true(number_valid("+123456"));
        assert_true(number_valid("+123456789012345"));
        assert_false(number_valid("+12345"));
        assert_false(number_valid("+1234567890123456"));
        assert_false(number_valid("0612345678"));
        assert_false(number_valid("+33 612345678"));
        assert_false(number_valid("+33612345678x"));
        assert_false(number_valid("+"));
        assert_false(number_valid(""));
        for (uint8_t role = 1; role < ROLE_END; role++)
                assert_int_equal(user_role_parse(user_role_name(role)), role);
        assert_null(user_role_name(0));
        assert_null(user_role_name(ROLE_END));
        assert_int_equal(user_role_parse("boss"), -EINVAL);
        assert_int_equal(user_role_parse(""), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_largest), cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_examples),       cmocka_unit_test(test_refused), cmocka_unit_test(test_words),
                cmocka_unit_test(test_newer_elements),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
