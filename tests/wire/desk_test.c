#include "wire/desk.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"

CODEC(building_entry, struct building_entry, DESK_SMALL_MAX)
CODEC(stops_entry, struct stops_entry, DESK_LONG_MAX)
CODEC(door_entry, struct door_entry, DESK_SMALL_MAX)
CODEC(pass_entry, struct pass_entry, DESK_LONG_MAX)
CODEC(consent_entry, struct consent_entry, DESK_LONG_MAX)
CODEC(vault_entry, struct vault_entry, DESK_SMALL_MAX)
CODEC(asked_entry, struct asked_entry, DESK_SMALL_MAX)
CODEC(opened_entry, struct opened_entry, DESK_SMALL_MAX)

static const struct {
        const char *name;
        const struct codec *codec;
} kinds[] = {
        { "desk-building", &building_entry_codec }, { "desk-stops", &stops_entry_codec },
        { "desk-door", &door_entry_codec },         { "desk-pass", &pass_entry_codec },
        { "desk-consent", &consent_entry_codec },   { "desk-vault", &vault_entry_codec },
        { "desk-asked", &asked_entry_codec },       { "desk-opened", &opened_entry_codec },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static union {
        struct building_entry building;
        struct stops_entry stops;
        struct door_entry door;
        struct pass_entry pass;
        struct consent_entry consent;
        struct vault_entry vault;
        struct asked_entry asked;
        struct opened_entry opened;
} entry;

/* Each example of PROTOCOL.md 10.1 is read, and written again octet by octet; spoiled anywhere it is refused or read as something. */
static void test_examples(void **state)
{
        uint8_t fixture[DESK_LONG_MAX], buf[DESK_LONG_MAX];

        for (size_t i = 0; i < KINDS; i++) {
                size_t len = example(kinds[i].name, fixture, sizeof(fixture));

                assert_int_equal(codec_decode(kinds[i].codec, fixture, len, &entry), 0);
                assert_int_equal(codec_round(kinds[i].codec, &entry, buf), len);
                assert_memory_equal(buf, fixture, len);
                codec_hostile(kinds[i].codec, buf, len);
        }
}

#define READ(kind, name)                                                              \
        do {                                                                          \
                size_t len_ = example(name, fixture, sizeof(fixture));                \
                assert_int_equal(kind##_entry_decode(fixture, len_, &entry.kind), 0); \
        } while (0)

static void test_fields(void **state)
{
        static const uint8_t second[BUILDING_ID_SIZE] = { 0xb0, 0, 0, 0, 0, 0, 0, 2 };
        uint8_t fixture[DESK_LONG_MAX];

        READ(building, "desk-building");
        assert_true(entry.building.has_place);
        assert_int_equal(entry.building.place.lat_e7, 457640430);
        assert_int_equal(entry.building.flags, BUILDING_SENSITIVE);
        READ(door, "desk-door");
        assert_true(entry.door.has_key);
        assert_int_equal(entry.door.class, DOOR_NFC);
        READ(pass, "desk-pass");
        assert_int_equal(entry.pass.status, 17);
        assert_int_equal(entry.pass.order, 7);
        assert_int_equal(entry.pass.count, 2);
        assert_memory_equal(entry.pass.buildings[1], second, sizeof(second));
        READ(consent, "desk-consent");
        assert_int_equal(entry.consent.window_count, 1);
        assert_int_equal(entry.consent.windows[0].to_s, entry.consent.not_after_s);
        READ(vault, "desk-vault");
        assert_int_equal(entry.vault.state, VAULT_LOCKED);
        assert_int_equal(entry.vault.taken, 7);
        assert_false(entry.vault.has_challenge);
        READ(asked, "desk-asked");
        assert_string_equal(entry.asked.round, "tournee-12");
}

/* Full lists fit; one building more, or an octet of half a building, does not. */
static void test_bounds(void **state)
{
        static uint8_t buf[DESK_LONG_MAX + 16];
        struct consent_entry *c = &entry.consent;
        uint8_t half[] = { 0x82, 0x01, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

        memset(&entry, 0, sizeof(entry));
        fill_id(c->by, sizeof(c->by));
        fill_id(c->carrier, sizeof(c->carrier));
        fill_id(c->round, sizeof(c->round));
        c->at_s = c->not_before_s = c->not_after_s = c->policy = UINT32_MAX;
        c->window_count = PASS_WINDOWS_MAX;
        c->count = SCOPE_BUILDINGS_MAX;
        codec_round(&consent_entry_codec, c, buf);
        c->count++;
        assert_int_equal(consent_entry_encode(c, buf, sizeof(buf)), -EINVAL);
        c->count = 0;
        c->window_count++;
        assert_int_equal(consent_entry_encode(c, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(stops_entry_decode(half, sizeof(half), &entry.stops), -EBADMSG);
        half[2] = 0x48;
        assert_int_equal(stops_entry_decode(half, sizeof(half) - 1, &entry.stops), 0);
        assert_int_equal(entry.stops.count, 1);
}

/* A timer's place is borrowed. */
static void test_timer(void **state)
{
        static const uint8_t sealed[SEALED_POSITION_MAX + 1] = { 1, 2, 3 };
        struct timer_entry timer = { .due_s = 9, .place = { sealed, SEALED_POSITION_MAX } }, back;
        uint8_t buf[DESK_SMALL_MAX], fixture[DESK_SMALL_MAX];
        int len = timer_entry_encode(&timer, buf, sizeof(buf));

        assert_true(len > 0);
        assert_int_equal(timer_entry_decode(buf, (size_t)len, &back), 0);
        assert_int_equal(back.due_s, 9);
        assert_int_equal(back.place.len, SEALED_POSITION_MAX);
        assert_memory_equal(back.place.at, sealed, SEALED_POSITION_MAX);
        timer.place.len++;
        assert_int_equal(timer_entry_encode(&timer, buf, sizeof(buf)), -EINVAL);
        assert_int_equal(timer_entry_decode(fixture, example("desk-timer", fixture, sizeof(fixture)), &back), 0);
        assert_int_equal(back.place.len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_examples),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_timer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
