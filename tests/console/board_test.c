#include "tests/console/support.h"

#include "console/board.h"

static const struct change none;
static struct board *board;

static int setup(void **state)
{
        return board_new(7, &board);
}

static int teardown(void **state)
{
        board_free(board);
        return 0;
}

static int put(const struct record *r, const struct alert_item **ret_item)
{
        static uint8_t buf[RECORD_MAX];
        int n = record_encode(r, buf, sizeof(buf));

        assert_true(n > 0);
        return board_alert(board, buf, (size_t)n, &none, ret_item);
}

static size_t open_for(const struct viewer *v, const struct alert_item **items, size_t max, size_t *rest)
{
        return board_most_urgent(board, v, items, max, rest);
}

static void test_versions_only_rise(void **state)
{
        const struct alert_item *item;
        struct record *r = test_record(1);

        assert_int_equal(put(r, &item), 1);
        assert_true(item->open);
        assert_int_equal(put(r, &item), 0);
        r->version = 3;
        assert_int_equal(put(r, &item), 1);
        r->version = 2;
        assert_int_equal(put(r, &item), 0);
        assert_int_equal(board_open_count(board), 1);
        r->version = 4;
        r->state = ALERT_CLOSED;
        r->close_reason = CLOSE_HELPED;
        r->due_ms = 0;
        assert_int_equal(put(r, &item), 1);
        assert_false(item->open);
        assert_int_equal(board_open_count(board), 0);
}

static void test_malformed_changes_nothing(void **state)
{
        const struct alert_item *item;

        assert_int_equal(board_alert(board, (const uint8_t *)"\xa0", 1, &none, &item), -EBADMSG);
        assert_int_equal(board_alert(board, NULL, 0, &none, &item), -EBADMSG);
        assert_int_equal(board_open_count(board), 0);
}

static void test_most_urgent_first_and_only_ones_own(void **state)
{
        struct viewer control = test_viewer(ROLE_CONTROL, "ctl"), paul = test_viewer(ROLE_SUPERVISOR, "paul");
        struct viewer admin = test_viewer(ROLE_ADMIN, "adm");
        const struct alert_item *item, *items[10];
        size_t rest;

        for (uint8_t i = 1; i <= 5; i++) {
                struct record *r = test_record(i);

                r->pressed_at_s += i;
                if (i == 2) { /* a drill, asked of paul */
                        r->marks = RECORD_DRILL;
                        test_ask(r, "paul", "Paul");
                }
                if (i == 4)
                        test_ask(r, "paul", "Paul");
                if (i == 5) {
                        r->marks = RECORD_UNVERIFIED;
                        test_ask(r, "paul", "Paul");
                }
                assert_int_equal(put(r, &item), 1);
        }
        assert_int_equal(open_for(&control, items, 10, &rest), 5);
        assert_int_equal(rest, 0);
        assert_int_equal(items[0]->id[0], 1);
        assert_int_equal(items[1]->id[0], 3);
        assert_int_equal(items[2]->id[0], 4);
        assert_int_equal(items[3]->id[0], 5);
        assert_int_equal(items[4]->id[0], 2);
        assert_int_equal(open_for(&control, items, 2, &rest), 2);
        assert_int_equal(rest, 3);
        assert_int_equal(items[1]->id[0], 3);
        assert_int_equal(open_for(&paul, items, 10, &rest), 2);
        assert_int_equal(items[0]->id[0], 4);
        assert_int_equal(items[1]->id[0], 2);
        assert_int_equal(open_for(&paul, items, 1, &rest), 1); /* their own, however many more urgent ones there are */
        assert_int_equal(items[0]->id[0], 4);
        assert_int_equal(rest, 1);
        assert_int_equal(open_for(&admin, items, 10, &rest), 0);
}

static void test_full_board_keeps_the_urgent(void **state)
{
        const struct alert_item *item;
        struct record *r = test_record(0);

        r->marks = RECORD_DRILL;
        for (uint32_t i = 0; i < BOARD_ALERTS_MAX; i++) {
                memcpy(r->id, &i, sizeof(i));
                assert_int_equal(put(r, &item), 1);
        }
        memset(r->id, 0xff, sizeof(r->id));
        assert_int_equal(put(r, &item), -ENOBUFS); /* as urgent as the least: those that are there stay */
        r->pressed_at_s += 1000;                   /* later: less urgent than all */
        assert_int_equal(put(r, &item), -ENOBUFS);
        r->marks = 0; /* a real one */
        assert_int_equal(put(r, &item), 1);
        assert_int_equal(board_open_count(board), BOARD_ALERTS_MAX);
        r->version++; /* a change of one we hold needs no room */
        assert_int_equal(put(r, &item), 1);
}

static void test_notices(void **state)
{
        struct notice n = { .kind = NOTICE_OVERDUE, .count = 2, .since_ms = 5, .cause = "silent", .zone_id = "z" };
        const struct notice_item *item;
        uint8_t buf[NOTICE_MAX];
        int len = notice_encode(&n, buf, sizeof(buf));
        size_t place = 0;

        assert_int_equal(board_notice(board, "overdue:z", NULL, 0, &item), 0);
        assert_int_equal(board_notice(board, "overdue:z", buf, (size_t)len, &item), 1);
        assert_false(item->over);
        assert_non_null(board_next_notice(board, &place));
        assert_int_equal(board_notice(board, "", buf, (size_t)len, &item), -EINVAL);
        assert_int_equal(board_notice(board, "x", (const uint8_t *)"\x80", 1, &item), -EBADMSG);
        assert_int_equal(board_notice(board, "overdue:z", NULL, 0, &item), 1);
        assert_true(item->over);
        assert_string_equal(item->notice.zone_id, "z"); /* who may hear that it is over is who might see it */
        place = 0;
        assert_null(board_next_notice(board, &place));
}

static void put_duty(const char *id, bool on)
{
        struct duty_entry duty = { .since_ms = 5, .until_s = 1700000000 };
        uint8_t buf[DUTY_ENTRY_MAX];
        struct person *person;
        int n = on ? duty_entry_encode(&duty, buf, sizeof(buf)) : 0;

        assert_int_equal(board_duty(board, id, buf, (size_t)n, &person), 0);
        assert_int_equal(person->on_duty, on);
}

static int put_presence(const char *id, const struct presence *presence, struct person **person)
{
        uint8_t buf[PRESENCE_MAX];
        int n = presence_encode(presence, buf, sizeof(buf));

        return board_presence(board, id, buf, (size_t)n, person);
}

static void test_people(void **state)
{
        struct presence presence = {
                .at_ms = 100000, .by = PRESENCE_HANDSET, .has_position = true, .at = { 99, 1, 2, 3 }
        };
        struct person *person;
        struct counts counts;

        put_duty("paul", true);
        put_duty("ines", true);
        put_duty("ines", false);
        assert_int_equal(put_presence("paul", &presence, &person), 0);
        presence.has_position = false;
        presence.at = (struct track_point){ 0 };
        presence.at_ms = 110000;
        assert_int_equal(put_presence("paul", &presence, &person), 0);
        assert_true(person->presence.has_position); /* the last fix stays */
        assert_int_equal(person->presence.at.at_s, 99);
        assert_int_equal(put_presence("bad id", &presence, &person), -EINVAL);
        board_counts(board, 110000 + 29999, &counts);
        assert_int_equal(counts.supervisors, 1);
        assert_int_equal(counts.reachable, 1);
        board_counts(board, 110000 + 30000, &counts);
        assert_int_equal(counts.reachable, 0);
        board_clear(board); /* duty is loaded anew; presence has its own store */
        assert_false(board_person(board, "paul")->on_duty);
        assert_int_equal(board_person(board, "paul")->presence.at_ms, 110000);
}

/* Loaded anew, as after each change of any people: nobody is told of who is as before. */
static void test_same_supervisor(void **state)
{
        struct supervisor_entry entry = { .name = "Paul", .team = "nord" };
        uint8_t buf[PEOPLE_MAX];
        struct person *person;

        for (int i = 0; i < 3; i++) {
                strcpy(entry.team, i < 2 ? "nord" : "sud");
                assert_int_equal(board_supervisor(board, "paul", buf,
                                                  (size_t)supervisor_entry_encode(&entry, buf, sizeof(buf)), &person),
                                 0);
                assert_int_equal(person->changed, i != 1);
                person->changed = false;
        }
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(test_versions_only_rise),
                WITH(test_malformed_changes_nothing),
                WITH(test_most_urgent_first_and_only_ones_own),
                WITH(test_full_board_keeps_the_urgent),
                WITH(test_notices),
                WITH(test_people),
                WITH(test_same_supervisor),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
