/* What revisions of an alert do to its record. */
#include "tests/dispatcher/scene.h"

static void test_verified_after_all(void **state)
{
        struct scene *scene = *state;
        struct record record = { 0 };

        scene->press.why = UNVERIFIED_UNKNOWN;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        scene->press.why = UNVERIFIED_NOT;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.marks & RECORD_UNVERIFIED, 0);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(record.asked_count, 3);
}

static void test_marks_add_up_and_position_is_the_newest(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_ASKED);

        scene->press.alert.revision = 2;
        scene->press.alert.lat_e7 = 457600000;
        scene->press.alert.battery_percent = 40;
        scene->now_ms += 10000;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.at.lat_e7, 457600000);
        assert_int_equal(record.track_count, 1);
        assert_int_equal(record.revision, 2);
        scene->press.alert.revision = 1; /* older: its marks count, nothing else */
        scene->press.alert.lat_e7 = 450000000;
        scene->press.alert.battery_percent = 45;
        scene->press.alert.marks = ALERT_MISTAKE | ALERT_DOG << ALERT_CATEGORY_SHIFT;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.marks & RECORD_MISTAKE, RECORD_MISTAKE);
        assert_int_equal(record.at.lat_e7, 457600000);
        assert_int_equal(record.battery, 40);
        assert_int_equal(record.revision, 2);
        assert_int_equal(record.category, ALERT_DOG);
        assert_int_equal(record.state, ALERT_ASKED); /* a mistake never closes */
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 0);
        scene->press.alert.revision = 3;
        scene->press.alert.marks = ALERT_PRESSED_AGAIN;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.presses, 2);
        assert_int_equal(record.category, ALERT_DOG);
}

static void test_duress_hides_the_mistake(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN), mistake = record;
        double before = record_urgency(&record);

        scene->press.alert.revision = 1;
        scene->press.alert.marks = ALERT_DURESS | ALERT_MISTAKE;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.marks & RECORD_MISTAKE, 0);
        assert_int_equal(record.marks & RECORD_DURESS, RECORD_DURESS);
        assert_true(record_urgency(&record) > before);
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 0);
        scene->press.alert.marks = ALERT_MISTAKE;
        assert_int_equal(apply(scene, &mistake, EVENT_UPDATE), 1);
        assert_int_equal(record_receipt_state(&record),
                         record_receipt_state(&mistake)); /* the phone is told the same */
}

static void test_impossible_parts_are_left_out(void **state)
{
        struct scene *scene = *state;
        struct record record = { 0 };

        scene->press.alert.pressed_at_s = NOW / 1000 + ALERT_AHEAD_MAX_S + 1;
        scene->press.alert.has_fix = false;
        scene->press.odd = ALERT_ODD_POSITION;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.marks & RECORD_BAD_TIME, RECORD_BAD_TIME);
        assert_int_equal(record.marks & RECORD_BAD_POSITION, RECORD_BAD_POSITION);
        assert_int_equal(record.pressed_at_s, NOW / 1000);
        assert_false(record.has_position);
        assert_int_equal(record.asked_count, 3); /* without distance */
        assert_int_equal(record.asked[0].distance_m, UINT32_MAX);
}

static void test_time_at_the_edge_is_taken(void **state)
{
        struct scene *scene = *state;
        struct record record = { 0 };

        scene->press.alert.pressed_at_s = NOW / 1000 + ALERT_AHEAD_MAX_S;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.marks & RECORD_BAD_TIME, 0);
        memset(&record, 0, sizeof(record));
        scene->press.alert.pressed_at_s = NOW / 1000 - ALERT_AGE_MAX_S;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.marks & RECORD_BAD_TIME, 0);
        assert_int_equal(record.at.at_s, NOW / 1000 - ALERT_AGE_MAX_S - 2); /* the fix is as old as the press */
        memset(&record, 0, sizeof(record));
        scene->press.alert.pressed_at_s--;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.marks & RECORD_BAD_TIME, RECORD_BAD_TIME);
}

static void test_another_phone_is_an_alias(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_ASKED);
        uint8_t first[ALERT_ID_SIZE];

        memcpy(first, record.id, ALERT_ID_SIZE);
        for (uint8_t i = 1; i <= RECORD_ALIASES_MAX + 1; i++) {
                scene->press.id[ALERT_ID_SIZE - 1] = i;
                scene->press.alert.revision = 0;
                assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
                assert_int_equal(record.presses, 1 + i);
        }
        assert_memory_equal(record.id, first, ALERT_ID_SIZE);
        assert_int_equal(record.alias_count, RECORD_ALIASES_MAX);
        assert_int_equal(alert_alias_find(&record, scene->press.id + HANDSET_ID_SIZE), RECORD_ALIASES_MAX - 1);
        assert_int_equal(record.marks & RECORD_PRESSED_AGAIN, RECORD_PRESSED_AGAIN);
        assert_int_equal(record.revision, 0);
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 0); /* a copy */
        scene->press.alert.revision = 4;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.presses, 2 + RECORD_ALIASES_MAX); /* the same press, a better fix */
        assert_int_equal(record.aliases[RECORD_ALIASES_MAX - 1].revision, 4);
}

static void test_older_fix_of_another_phone(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_ASKED);

        scene->press.id[ALERT_ID_SIZE - 1] = 1;
        scene->press.alert.fix_age_s = 100;
        scene->press.alert.lat_e7 = 0x1234;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.at.lat_e7, 457500000);
        scene->press.alert.fix_age_s = 1;
        scene->press.alert.revision = 1;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.at.lat_e7, 0x1234);
}

static void test_track_thins(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_ASKED);

        for (uint16_t i = 1; i <= 3 * RECORD_TRACK_MAX; i++) {
                scene->now_ms += 10000;
                scene->press.alert.revision = i;
                scene->press.alert.lat_e7++;
                assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        }
        assert_in_range(record.track_count, RECORD_TRACK_MAX / 2, RECORD_TRACK_MAX);
        assert_int_equal(record.track[0].lat_e7, 457500000); /* where it began */
        for (size_t i = 1; i < record.track_count; i++)
                assert_true(record.track[i - 1].at_s < record.track[i].at_s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_verified_after_all),         TEST(test_marks_add_up_and_position_is_the_newest),
                TEST(test_duress_hides_the_mistake),   TEST(test_impossible_parts_are_left_out),
                TEST(test_time_at_the_edge_is_taken),  TEST(test_another_phone_is_an_alias),
                TEST(test_older_fix_of_another_phone), TEST(test_track_thins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
