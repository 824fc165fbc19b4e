/* The state table: every cell; and who may do what. */
#include "tests/dispatcher/scene.h"

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
#define NA -ANSWER_NOT_ALLOWED
/* The same state, and nothing to commit. */
#define __ 0

struct expected {
        int by_owner, by_other; /* the state after, or a refusal, or __ */
};

/* Rows: the states; columns: raise, update, seen, take, release, join, en route, on scene, close, due in time,
 * decline, SMS. */
static const struct expected cells[ALERT_STATE_END][12] = {
        [0] = { { A, A },
                { A, A },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { UN, UN },
                { __, __ },
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
                { A, A },
                { NA, NA },
                { R, R } },
        [A] = { { A, A },
                { A, A },
                { S, S },
                { T, T },
                { NO, NO },
                { S, S },
                { NO, NO },
                { NO, NO },
                { NO, NO },
                { A, A },
                { S, S },
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
                { S, S },
                { S, S },
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
                { T, T },
                { A, T },
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
                { E, E },
                { A, E },
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
                { O, O },
                { A, O },
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
                { __, __ },
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
        if (column < 9 || column == 10)
                return command(scene, record, column == 10 ? COMMAND_DECLINE : verbs[column - 2]);
        if (column == 11)
                return apply(scene, record, EVENT_SMS);
        scene->now_ms = record->due_ms;
        return apply(scene, record, EVENT_DUE);
}

static void test_every_cell(void **unused)
{
        for (int state = 0; state < ALERT_STATE_END; state++)
                for (size_t column = 0; column < 12; column++)
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
        scene->actor.path = BY_HANDSET; /* whoever asks with the very phone that raised it */
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

/* What was done at NOW, read from a journal a minute later; Anna acts. */
static struct alert_change from_journal(struct scene *scene, enum alert_event event)
{
        act_as(scene, "anna", false);
        scene->now_ms = NOW + 60000;
        return (struct alert_change){ .event = event,
                                      .at_ms = NOW,
                                      .now_ms = scene->now_ms,
                                      .event_id = scene->event_id,
                                      .replayed = true,
                                      .actor = &scene->actor,
                                      .command = &scene->command };
}

/* A command of the journal whose id has gone from `applied` changes nothing when the owner has done something since. */
static void test_stale_replay_changes_nothing(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        struct alert_change change = from_journal(scene, EVENT_RELEASE);

        assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), 1);
        memset(record.applied, 0, sizeof(record.applied));
        scene->event_id[0]++;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 0);
        change.at_ms = NOW + 60000;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 1);
}

/* Likewise a take that was given back since. */
static void test_stale_take_after_release(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        struct alert_change change = from_journal(scene, EVENT_TAKE);

        assert_int_equal(command(scene, &record, COMMAND_RELEASE), 1);
        memset(record.applied, 0, sizeof(record.applied));
        scene->event_id[0]++;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 0);
        assert_string_equal(record.owner_id, "");
}

/* That somebody else does not come undoes nothing of what the owner did since, and they were told that it is noted; the owner's own would. */
static void test_stale_decline(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        struct alert_change change = from_journal(scene, EVENT_DECLINE);

        assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), 1);
        scene->event_id[0]++;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 0);
        act_as(scene, "bob", false);
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 1);
        assert_int_equal(record.asked[record_asked_find(&record, "bob")].flags & ASKED_DECLINED, ASKED_DECLINED);
        assert_string_equal(record.owner_id, "anna");
        assert_int_equal(record.state, ALERT_ON_SCENE);
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

/* Closed while the store was away, and pressed again before it was back: whoever closed it has not seen that. */
static void test_closed_before_the_last_press(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        int64_t closed_ms = scene->now_ms;

        act_as(scene, "anna", false);
        for (uint16_t i = 1; i <= 2; i++) { /* the second is one more press, or a new fix: marks do not tell */
                scene->now_ms += 1000;
                scene->press.alert.revision = i;
                scene->press.alert.marks = ALERT_PRESSED_AGAIN;
                assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        }
        for (int64_t late_ms = 0; late_ms < 2000; late_ms += 1000) {
                struct alert_change change = { .event = EVENT_CLOSE,
                                               .now_ms = scene->now_ms + 1,
                                               .at_ms = closed_ms + late_ms,
                                               .actor = &scene->actor,
                                               .command = &scene->command };

                assert_int_equal(alert_apply(&record, &change, &scene->ground), -ANSWER_EXPIRED);
        }
        assert_int_equal(command(scene, &record, COMMAND_CLOSE), 1);
        record = (struct record){ 0 }; /* lost by a failover meanwhile, and raised by what was pressed again */
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        assert_int_equal(record.again_at_ms, scene->now_ms);
}

/* A new fix alone is no reason; a press on another phone goes its own way. */
static void test_closed_before_a_press_elsewhere(void **state)
{
        struct scene *scene = *state;
        struct record record = record_in(scene, ALERT_TAKEN);
        struct alert_change change = {
                .event = EVENT_CLOSE, .at_ms = scene->now_ms, .actor = &scene->actor, .command = &scene->command
        };

        act_as(scene, "anna", false);
        scene->press.id[ALERT_ID_SIZE - 1] = 1;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        scene->now_ms += 1000;
        scene->press.id[ALERT_ID_SIZE - 1] = 2;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        memcpy(scene->press.id, record.id, ALERT_ID_SIZE);
        scene->press.alert.revision = 1;
        assert_int_equal(apply(scene, &record, EVENT_UPDATE), 1);
        assert_int_equal(record.alias_count, 2);
        scene->command.verb = COMMAND_CLOSE;
        change.now_ms = scene->now_ms;
        assert_int_equal(alert_apply(&record, &change, &scene->ground), 1);
        assert_int_equal(record.closed_at_ms, change.at_ms);
        assert_int_equal(record.alias_count, 1);
        assert_int_equal(record.aliases[0].nonce[ALERT_NONCE_SIZE - 1], 1);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_cell),
                TEST(test_control_may_all),
                TEST(test_informed_supervisor_may_not_take_over),
                TEST(test_owner_again_is_news),
                TEST(test_nobody_takes_their_own),
                TEST(test_unverified_is_for_the_control_room),
                TEST(test_event_twice_is_once),
                TEST(test_stale_replay_changes_nothing),
                TEST(test_stale_take_after_release),
                TEST(test_stale_decline),
                TEST(test_who_is_not_asked_joins),
                TEST(test_closed_before_the_last_press),
                TEST(test_closed_before_a_press_elsewhere),
                TEST(test_close_bounds_its_note),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
