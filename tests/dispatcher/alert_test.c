/* The state table: every cell; and what each act does to a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/ladder.h"

#define NOW INT64_C(1800000000000)

struct scene {
        struct directory people;
        struct alert_ground ground;
        struct alert_press press;
        struct alert_actor actor;
        struct command command;
        uint8_t event_id[EVENT_ID_SIZE];
        int64_t now_ms;
};

static void put_person(struct scene *scene, const char *id, bool on_duty, double lat_deg)
{
        struct supervisor_entry entry = { .number = "+33600000001" };
        struct duty_entry duty = { .since_ms = NOW };
        struct presence presence = { .at_ms = NOW, .by = PRESENCE_HANDSET, .has_position = true };
        struct person *person;

        record_set_text(entry.name, sizeof(entry.name), id);
        assert_int_equal(directory_put_person(&scene->people, id, &entry), 0);
        person = directory_person(&scene->people, id);
        if (!on_duty)
                return;
        presence.at =
                (struct track_point){ .at_s = NOW / 1000, .lat_e7 = (int32_t)(lat_deg * 1e7), .lon_e7 = 48500000 };
        person_set_duty(&scene->people, person, &duty);
        person_set_presence(&scene->people, person, &presence);
}

static int set_up(void **state)
{
        static struct scene scene;

        memset(&scene, 0, sizeof(scene));
        assert_int_equal(directory_init(&scene.people, 1), 0);
        scene.now_ms = NOW;
        scene.ground = (struct alert_ground){ .people = &scene.people, .hearing_since_ms = NOW };
        put_person(&scene, "anna", true, 45.751);
        put_person(&scene, "bob", true, 45.752);
        put_person(&scene, "cleo", true, 45.753);
        put_person(&scene, "zoe", true, 46.9);
        memset(scene.press.id, 7, ALERT_ID_SIZE);
        memset(scene.press.handset, 7, HANDSET_ID_SIZE);
        scene.press.alert = (struct alert){ .pressed_at_s = NOW / 1000,
                                            .has_fix = true,
                                            .lat_e7 = 457500000,
                                            .lon_e7 = 48500000,
                                            .fix_age_s = 2,
                                            .battery_percent = 50 };
        scene.press.paths = PATH_DATA;
        *state = &scene;
        return 0;
}

static int tear_down(void **state)
{
        struct scene *scene = *state;

        directory_free(&scene->people);
        return 0;
}

static void act_as(struct scene *scene, const char *person, bool control)
{
        scene->actor = (struct alert_actor){ .control = control };
        record_set_text(scene->actor.person, sizeof(scene->actor.person), person);
        record_set_text(scene->actor.name, sizeof(scene->actor.name), person);
}

/* Apply EVENT; every call is another event. */
static int apply(struct scene *scene, struct record *record, enum alert_event event)
{
        struct alert_change change = { .event = event,
                                       .now_ms = scene->now_ms,
                                       .at_ms = scene->now_ms,
                                       .event_id = scene->event_id,
                                       .press = &scene->press,
                                       .actor = &scene->actor,
                                       .command = &scene->command };

        scene->event_id[0]++;
        return alert_apply(record, &change, &scene->ground);
}

static int command(struct scene *scene, struct record *record, uint8_t verb)
{
        scene->command.verb = verb;
        if (verb == COMMAND_CLOSE)
                scene->command.reason = CLOSE_HELPED;
        return apply(scene, record, alert_event_of(verb));
}

/* A record in STATE, taken by anna where somebody has it. */
static struct record record_in(struct scene *scene, enum alert_state state)
{
        struct record record = { 0 };

        if (state == 0)
                return record;
        if (state == ALERT_RAISED) { /* nobody can be asked: all off duty */
                scene->press.why = UNVERIFIED_UNKNOWN;
                assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
                scene->press.why = UNVERIFIED_NOT;
                record.marks = 0;
                record.why_unverified = 0;
                return record;
        }
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        act_as(scene, "anna", false);
        if (state == ALERT_SEEN)
                assert_int_equal(command(scene, &record, COMMAND_SEEN), 1);
        if (state >= ALERT_TAKEN)
                assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        if (state == ALERT_EN_ROUTE)
                assert_int_equal(command(scene, &record, COMMAND_EN_ROUTE), 1);
        if (state == ALERT_ON_SCENE)
                assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), 1);
        if (state == ALERT_CLOSED)
                assert_int_equal(command(scene, &record, COMMAND_CLOSE), 1);
        return record;
}

#define R  ALERT_RAISED
#define A  ALERT_ASKED
#define S  ALERT_SEEN
#define T  ALERT_TAKEN
#define E  ALERT_EN_ROUTE
#define O  ALERT_ON_SCENE
#define C  ALERT_CLOSED
#define NO -ANSWER_NOT_OWNER
#define UN -ANSWER_UNKNOWN_ALERT
#define CL -ANSWER_CLOSED
#define TB -ANSWER_TAKEN_BY_OTHER
/* The same state, and nothing to commit. */
#define __ 0

struct expected {
        int by_owner, by_other; /* the state after, or a refusal, or __ */
};

/* Rows: the states; columns: raise, update, seen, take, release, join, en route, on scene, close, due in time. */
static const struct expected cells[ALERT_STATE_END][10] = {
        [0] = { { A, A },
                { A, A },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { __, __ } },
        [R] = { { R, R },
                { R, R },
                { S, S },
                { T, T },
                { NO, NO },
                { S, S },
                { NO, NO },
                { NO, NO },
                { NO, NO },
                { A, A } },
        [A] = { { A, A },
                { A, A },
                { S, S },
                { T, T },
                { NO, NO },
                { S, S },
                { NO, NO },
                { NO, NO },
                { NO, NO },
                { A, A } },
        [S] = { { S, S },
                { S, S },
                { __, S },
                { T, T },
                { NO, NO },
                { S, S },
                { NO, NO },
                { NO, NO },
                { NO, NO },
                { S, S } },
        [T] = { { T, T },
                { T, T },
                { __, T },
                { __, TB },
                { A, NO },
                { __, T },
                { E, NO },
                { O, NO },
                { C, NO },
                { T, T } },
        [E] = { { E, E },
                { E, E },
                { __, E },
                { __, TB },
                { A, NO },
                { __, E },
                { E, NO },
                { O, NO },
                { C, NO },
                { E, E } },
        [O] = { { O, O },
                { O, O },
                { __, O },
                { __, TB },
                { A, NO },
                { __, O },
                { O, NO },
                { O, NO },
                { C, NO },
                { O, O } },
        [C] = { { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { CL, CL },
                { __, __ } },
};

static int walk(struct scene *scene, struct record *record, size_t column)
{
        static const uint8_t verbs[] = { COMMAND_SEEN,     COMMAND_TAKE,     COMMAND_RELEASE, COMMAND_JOIN,
                                         COMMAND_EN_ROUTE, COMMAND_ON_SCENE, COMMAND_CLOSE };

        if (column == 0 || column == 1) {
                scene->press.alert.revision++;
                return apply(scene, record, column == 0 ? EVENT_RAISE : EVENT_UPDATE);
        }
        if (column < 9)
                return command(scene, record, verbs[column - 2]);
        scene->now_ms = record->due_ms;
        return apply(scene, record, EVENT_DUE);
}

static void test_every_cell(void **unused)
{
        for (int state = 0; state < ALERT_STATE_END; state++)
                for (size_t column = 0; column < 10; column++)
                        for (int other = 0; other < 2; other++) {
                                struct scene *scene;
                                struct record record, before;
                                int expected = other ? cells[state][column].by_other : cells[state][column].by_owner, r;
                                void *made;

                                set_up(&made);
                                scene = made;
                                record = before = record_in(scene, (enum alert_state)state);
                                assert_int_equal(record.state, state);
                                act_as(scene, other ? "bob" : "anna", false);
                                r = walk(scene, &record, column);
                                if ((expected > 0 ? r != 1 || record.state != (enum alert_state)expected
                                                  : r != expected))
                                        fail_msg("state %d column %zu by %s: %d, state %d", state, column,
                                                 other ? "bob" : "anna", r, record.state);
                                if (r == 1)
                                        assert_int_equal(record.version, before.version + 1);
                                else
                                        assert_memory_equal(&record, &before, sizeof(record));
                                assert_true((record.due_ms == 0) ==
                                            (record.state == 0 || record.state == ALERT_CLOSED));
                                tear_down(&made);
                        }
}

static void test_control_may_all(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);

        act_as(scene, "desk", true);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_TAKEN_BY_OTHER); /* saw nobody on it */
        strcpy(scene->command.owner_seen, "bob");
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_TAKEN_BY_OTHER); /* saw another */
        strcpy(scene->command.owner_seen, "anna");
        assert_int_equal(command(scene, &record, COMMAND_EN_ROUTE), 1);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        assert_string_equal(record.owner_id, "desk");
        assert_int_equal(record.state, ALERT_TAKEN);
        assert_int_equal(record.asked[record_asked_find(&record, "anna")].flags & ASKED_OWNED, ASKED_OWNED);
        assert_int_equal(record_asked_find(&record, "desk"), -2); /* the control room is not somebody asked */
        assert_int_equal(command(scene, &record, COMMAND_JOIN), 0);
        assert_int_equal(command(scene, &record, COMMAND_RELEASE), 1);
        assert_int_equal(record.state, ALERT_ASKED);
        assert_int_equal(command(scene, &record, COMMAND_CLOSE), 1);
        assert_string_equal(record.closed_by_id, "desk");
        assert_int_equal(record.close_reason, CLOSE_HELPED);
}

static void test_informed_supervisor_may_not_take_over(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);

        act_as(scene, "bob", false);
        strcpy(scene->command.owner_seen, "anna");
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_TAKEN_BY_OTHER);
        record.marks |= RECORD_NO_NEWS;
        scene->command.owner_seen[0] = '\0';
        assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        assert_string_equal(record.owner_id, "bob");
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        act_as(scene, "anna", false); /* too late */
        assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), -ANSWER_NOT_OWNER);
}

static void test_owner_again_is_news(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_EN_ROUTE);

        act_as(scene, "anna", false);
        record.marks |= RECORD_NO_NEWS;
        scene->now_ms += 1000;
        assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        assert_int_equal(record.state, ALERT_EN_ROUTE);
        assert_int_equal(record.marks & RECORD_NO_NEWS, 0);
        assert_int_equal(record.progress_at_ms, scene->now_ms);
}

static void test_nobody_takes_their_own(void **state)
{
        struct scene *scene = *state;
        struct handset_entry entry = { .role = HANDSET_SUPERVISOR, .person = "cleo", .not_after_s = UINT32_MAX };
        struct record record = { 0 };

        assert_int_equal(directory_put_handset(&scene->people, scene->press.handset, &entry), 0);
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_string_equal(record.carrier_id, "cleo");
        assert_int_equal(record_asked_find(&record, "cleo"), -2);
        act_as(scene, "cleo", false);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_OWN_ALERT);
        assert_int_equal(command(scene, &record, COMMAND_JOIN), -ANSWER_OWN_ALERT);
        act_as(scene, "bob", false);
        scene->actor.by_handset = true; /* whoever asks with the very phone that raised it */
        memcpy(scene->actor.handset, scene->press.handset, HANDSET_ID_SIZE);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_OWN_ALERT);
}

static void test_unverified_is_for_the_control_room(void **state)
{
        struct scene *scene = *state;
        struct record record = { 0 };

        scene->press.why = UNVERIFIED_REVOKED;
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.state, ALERT_RAISED);
        assert_int_equal(record.asked_count, 0);
        assert_int_equal(record.marks & RECORD_UNVERIFIED, RECORD_UNVERIFIED);
        assert_int_equal(record.why_unverified, UNVERIFIED_REVOKED);
        act_as(scene, "anna", false);
        assert_int_equal(command(scene, &record, COMMAND_SEEN), -ANSWER_NOT_ALLOWED);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), -ANSWER_NOT_ALLOWED);
        act_as(scene, "desk", true);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
}

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

static void test_event_twice_is_once(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN), before = record;

        act_as(scene, "anna", false);
        assert_int_equal(command(scene, &record, COMMAND_RELEASE), 1);
        act_as(scene, "bob", false);
        assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        before = record;
        act_as(scene, "anna", false);
        scene->event_id[0] -= 2; /* the release once more */
        assert_int_equal(command(scene, &record, COMMAND_RELEASE), 0);
        assert_memory_equal(&record, &before, sizeof(record));
}

/* A command of the journal whose id has gone from `applied` changes nothing when the owner has done something since. */
static void test_stale_replay_changes_nothing(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        struct alert_change change = { .event = EVENT_RELEASE,
                                       .at_ms = NOW,
                                       .event_id = scene->event_id,
                                       .replayed = true,
                                       .actor = &scene->actor,
                                       .command = &scene->command };

        act_as(scene, "anna", false);
        scene->now_ms = change.now_ms = NOW + 60000;
        assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), 1);
        memset(record.applied, 0, sizeof(record.applied));
        scene->event_id[0]++;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 0);
        change.at_ms = NOW + 60000;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 1);
}

static void test_who_is_not_asked_joins(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);

        act_as(scene, "zoe", false);
        assert_int_equal(record_asked_find(&record, "zoe"), -2);
        assert_int_equal(command(scene, &record, COMMAND_JOIN), 1);
        assert_int_equal(record.asked[record_asked_find(&record, "zoe")].flags, ASKED_JOINED);
        assert_int_equal(command(scene, &record, COMMAND_JOIN), 0);
        assert_string_equal(record.owner_id, "anna");
        assert_int_equal(command(scene, &record, COMMAND_CLOSE), -ANSWER_NOT_OWNER); /* who joined does not close */
}

static void test_close_bounds_its_note(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);

        memset(scene->command.note, 'x', NOTE_MAX);
        act_as(scene, "anna", false);
        scene->command.verb = COMMAND_CLOSE;
        scene->command.reason = 3; /* no reason at all */
        assert_int_equal(apply(scene, &record, EVENT_CLOSE), 1);
        assert_int_equal(record.close_reason, CLOSE_OTHER);
        assert_int_equal(strlen(record.note), NOTE_MAX);
        assert_int_equal(record_receipt_state(&record), CLOSE_OTHER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_cell),
                TEST(test_control_may_all),
                TEST(test_informed_supervisor_may_not_take_over),
                TEST(test_owner_again_is_news),
                TEST(test_nobody_takes_their_own),
                TEST(test_unverified_is_for_the_control_room),
                TEST(test_verified_after_all),
                TEST(test_marks_add_up_and_position_is_the_newest),
                TEST(test_duress_hides_the_mistake),
                TEST(test_impossible_parts_are_left_out),
                TEST(test_time_at_the_edge_is_taken),
                TEST(test_another_phone_is_an_alias),
                TEST(test_track_thins),
                TEST(test_event_twice_is_once),
                TEST(test_stale_replay_changes_nothing),
                TEST(test_who_is_not_asked_joins),
                TEST(test_close_bounds_its_note),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
