/* The store and its scripts against a private Redis. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <uv.h>

#include "base/hex.h"
#include "base/loop.h"
#include "base/redis.h"
#include "dispatcher/reply.h"
#include "dispatcher/store.h"
#include "tests/dispatcher/support/place.h"

#define ANSWERS_MAX 32

struct bench {
        struct place place;
        struct config config;
        struct loop *loop;
        struct store *store;
        redisContext *redis; /* for looking from outside */
        bool up;
        char why[64];
        int downs;
        size_t answers;
        struct store_answer answer[ANSWERS_MAX];
        uint8_t record[ANSWERS_MAX][64];
        size_t record_len[ANSWERS_MAX];
        struct core_found found;
        int founds;
        struct store_scan scan;
        struct core_found late[8];
        int scans;
        int64_t redis_ms, mono_ms;
        int unread; /* times that store_unread began */
};

static void on_alerts(void *user, bool up, const char *why)
{
        struct bench *b = user;

        b->up = up;
        b->downs += !up;
        snprintf(b->why, sizeof(b->why), "%s", why != NULL ? why : "");
}

static void on_positions(void *user, bool up, const char *why)
{
}

static void on_answered(void *user, const struct store_answer *answer)
{
        struct bench *b = user;

        assert_true(b->answers < ANSWERS_MAX);
        b->answer[b->answers] = *answer;
        b->record_len[b->answers] = answer->record.len;
        if (answer->record.len > 0)
                memcpy(b->record[b->answers], answer->record.at, answer->record.len < 64 ? answer->record.len : 64);
        b->answers++;
}

static void on_found(void *user, const struct core_found *found)
{
        struct bench *b = user;

        b->found = *found;
        b->founds++;
}

static void on_scanned(void *user, const struct store_scan *scan)
{
        struct bench *b = user;

        b->scan = *scan;
        assert_true(scan->count <= 8);
        memcpy(b->late, scan->late, scan->count * sizeof(scan->late[0]));
        b->scans++;
}

static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
        struct bench *b = user;

        b->redis_ms = redis_ms;
        b->mono_ms = mono_ms;
}

static void on_trouble(void *user, const char *what, bool on)
{
        struct bench *b = user;

        b->unread += on && strcmp(what, "store_unread") == 0;
}

static redisReply *ask(struct bench *b, const char *format, ...)
{
        redisReply *reply;
        va_list words;

        va_start(words, format);
        reply = redisvCommand(b->redis, format, words);
        va_end(words);
        assert_non_null(reply);
        return reply;
}

static void tell(struct bench *b, const char *format, const char *word)
{
        redisReply *reply = redisCommand(b->redis, format, word);

        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
}

static char *text_of(struct bench *b, const char *command)
{
        static char text[256];
        redisReply *reply = ask(b, command);

        if (reply->type == REDIS_REPLY_INTEGER)
                snprintf(text, sizeof(text), "%lld", reply->integer);
        else
                snprintf(text, sizeof(text), "%s", reply->type == REDIS_REPLY_NIL ? "(nil)" : reply->str);
        freeReplyObject(reply);
        return text;
}

/* until: run the loop until *VALUE is at least WANTED; 10 s at most. */
static void until(struct bench *b, const int *value, int wanted)
{
        int64_t end = clock_mono_ms() + 10000;

        while (*value < wanted) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static void until_answers(struct bench *b, size_t wanted)
{
        int64_t end = clock_mono_ms() + 10000;

        while (b->answers < wanted) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static void until_up(struct bench *b, bool up)
{
        int64_t end = clock_mono_ms() + 10000;

        while (b->up != up) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        place_open(&b->place);
        place_redis(&b->place, "redis");
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.name, sizeof(b->config.name), "d1");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        b->config.positions = b->config.alerts;
        b->redis = redisConnectUnix(b->config.alerts.address);
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(store_open(&(struct store_options){ .loop = b->loop,
                                                             .config = &b->config,
                                                             .user = b,
                                                             .alerts = on_alerts,
                                                             .positions = on_positions,
                                                             .answered = on_answered,
                                                             .found = on_found,
                                                             .scanned = on_scanned,
                                                             .clock = on_clock,
                                                             .trouble = on_trouble },
                                    &b->store),
                         0);
        until_up(b, true);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        store_close(b->store);
        assert_int_equal(loop_close(b->loop), 0);
        redisFree(b->redis);
        place_close(&b->place);
        free(b);
        return 0;
}

static struct core_action commit_of(uint64_t token, uint32_t expected, const char *record)
{
        struct core_action a = { .kind = DO_COMMIT };

        a.u.commit.token = token;
        memset(a.u.commit.id, 0xab, ALERT_ID_SIZE);
        a.u.commit.expected = expected;
        a.u.commit.version = expected + 1;
        a.u.commit.event = expected == 0 ? EVENT_RAISE : EVENT_TAKE;
        a.u.commit.state = expected == 0 ? ALERT_RAISED : ALERT_TAKEN;
        a.u.commit.by = expected == 0 ? "" : "paul";
        a.u.commit.due_in_ms = 5000;
        a.u.commit.urgency = 1000 + expected;
        a.u.commit.record = (struct cbor_span){ (const uint8_t *)record, strlen(record) };
        if (expected == 0)
                a.u.commit.alert = CBOR_LITERAL("signed\0octets");
        memcpy(a.u.commit.gone[0], a.u.commit.id, ALERT_ID_SIZE);
        a.u.commit.gone_count = 1;
        return a;
}

#define ID "abababababababababababababababab"

static void test_a_commit_writes_record_sets_and_feed_together(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), second = commit_of(2, 1, "two");
        const uint8_t command[EVENT_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        redisReply *feed;
        int64_t due;

        second.u.commit.command = command;
        store_commit(b->store, &first);
        assert_int_equal(b->answers, 0); /* never from within */
        until_answers(b, 1);
        assert_int_equal(b->answer[0].token, 1);
        assert_int_equal(b->answer[0].result, CORE_OK);
        assert_int_equal(b->answer[0].version, 1);
        assert_string_equal(text_of(b, "HGET {r}:alert:" ID " r"), "one");
        assert_string_equal(text_of(b, "HGET {r}:alert:" ID " s"), "1");
        assert_string_equal(text_of(b, "HSTRLEN {r}:alert:" ID " signed"), "13");
        assert_string_equal(text_of(b, "ZSCORE {r}:open " ID), "1000");
        due = strtoll(text_of(b, "ZSCORE {r}:due " ID), NULL, 10);
        assert_int_equal(due, b->answer[0].time_ms + 5000);
        store_commit(b->store, &second);
        until_answers(b, 2);
        assert_int_equal(b->answer[1].result, CORE_OK);
        assert_string_equal(text_of(b, "HGET {r}:alert:" ID " v"), "2");
        assert_string_equal(text_of(b, "HSTRLEN {r}:alert:" ID " signed"), "13"); /* left as it was */
        feed = ask(b, "XRANGE {r}:feed - +");
        assert_int_equal(feed->elements, 2);
        assert_string_equal(reply_field(reply_at(reply_at(feed, 0), 1), "e")->str, "raise");
        assert_string_equal(reply_field(reply_at(reply_at(feed, 1), 1), "by")->str, "paul");
        assert_string_equal(reply_field(reply_at(reply_at(feed, 1), 1), "c")->str, "0102030405060708");
        assert_string_equal(reply_field(reply_at(reply_at(feed, 1), 1), "r")->str, "two");
        assert_string_equal(reply_field(reply_at(reply_at(feed, 1), 1), "v")->str, "2");
        freeReplyObject(feed);
}

static void test_another_version_answers_with_its_record(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), late = commit_of(2, 4, "late"),
                           again = commit_of(3, 0, "again");

        store_commit(b->store, &first);
        store_commit(b->store, &late);
        store_commit(b->store, &again);
        until_answers(b, 3);
        for (int i = 1; i < 3; i++) {
                assert_int_equal(b->answer[i].result, CORE_CONFLICT);
                assert_int_equal(b->answer[i].version, 1);
                assert_int_equal(b->record_len[i], 3);
                assert_memory_equal(b->record[i], "one", 3);
        }
        assert_string_equal(text_of(b, "XLEN {r}:feed"), "1");
}

static void test_a_closed_alert_stays_closed(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), close = commit_of(2, 1, "two"),
                           again = commit_of(3, 0, "one");
        struct core_action look = { .kind = DO_LOOK };

        close.u.commit.closed = true;
        close.u.commit.tombstone = (struct tombstone){ .version = 2, .state = 16, .closed_at_ms = 77, .who = "Paul" };
        memset(close.u.commit.gone[1], 0xcd, ALERT_ID_SIZE);
        close.u.commit.gone_count = 2;
        store_commit(b->store, &first);
        store_commit(b->store, &close);
        store_commit(b->store, &again);
        look.u.look.token = 4;
        memset(look.u.look.id, 0xcd, ALERT_ID_SIZE); /* the alias */
        store_look(b->store, &look);
        look.u.look.token = 5;
        memset(look.u.look.id, 0xee, ALERT_ID_SIZE); /* nobody's */
        store_look(b->store, &look);
        until_answers(b, 5);
        assert_int_equal(b->answer[1].result, CORE_OK);
        assert_int_equal(b->answer[2].result, CORE_TOMBSTONE);
        assert_int_equal(b->answer[2].tombstone.version, 2);
        assert_string_equal(b->answer[2].tombstone.who, "Paul");
        assert_int_equal(b->answer[3].result, CORE_TOMBSTONE);
        assert_int_equal(b->answer[4].result, CORE_CONFLICT);
        assert_int_equal(b->record_len[4], 0);
        assert_string_equal(text_of(b, "ZCARD {r}:open"), "0");
        assert_string_equal(text_of(b, "ZCARD {r}:due"), "0");
        assert_string_equal(text_of(b, "HLEN {r}:tombstones"), "2");
        assert_string_equal(text_of(b, "XLEN {r}:feed"), "2");
}

/* One closure that nobody can read is that alert's trouble alone: told, and the store goes on. */
static void test_an_unreadable_tombstone_is_told_for_that_alert_alone(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), other = commit_of(3, 0, "two");
        struct core_action look = { .kind = DO_LOOK };

        tell(b, "HSET {r}:tombstones " ID " %s", "garbage");
        store_commit(b->store, &first);
        look.u.look.token = 2;
        memcpy(look.u.look.id, first.u.commit.id, ALERT_ID_SIZE);
        store_look(b->store, &look);
        memset(other.u.commit.id, 0xcd, ALERT_ID_SIZE);
        store_commit(b->store, &other);
        until_answers(b, 3);
        for (int i = 0; i < 2; i++) {
                struct record record;

                assert_int_equal(b->answer[i].token, i + 1);
                assert_int_equal(b->answer[i].result, CORE_CONFLICT);
                assert_true(b->record_len[i] > 0); /* something is there, and it is no record */
                assert_true(record_decode(b->record[i], b->record_len[i], &record) < 0);
        }
        assert_int_equal(b->answer[2].result, CORE_OK);
        assert_true(b->up);
        assert_int_equal(b->downs, 0);
        assert_int_equal(b->unread, 1); /* once */
}

static void test_a_raised_epoch_fences_until_it_is_read_again(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), again = commit_of(2, 0, "one");

        tell(b, "INCR {r}:epoch%s", "");
        store_commit(b->store, &first);
        until_answers(b, 1);
        assert_int_equal(b->answer[0].result, CORE_FENCED);
        assert_false(b->up);
        until_up(b, true);
        store_commit(b->store, &again);
        until_answers(b, 2);
        assert_int_equal(b->answer[1].result, CORE_OK);
}

static void test_an_older_epoch_is_not_written_to(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one");

        tell(b, "SET {r}:epoch 3%s", "");
        store_commit(b->store, &first);
        until_up(b, false);
        until_up(b, true);
        tell(b, "SET {r}:epoch 2%s", "");
        store_commit(b->store, &first);
        until_up(b, false);
        for (int64_t end = clock_mono_ms() + STORE_REST_MS + 300; clock_mono_ms() < end;)
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        assert_false(b->up);
        assert_string_equal(b->why, "another epoch");
        assert_string_equal(text_of(b, "XLEN {r}:feed"), "0");
}

static void test_no_answer_is_unknown_and_an_error_is_a_rest(void **state)
{
        struct bench *b = *state;
        struct core_action first = commit_of(1, 0, "one"), second = commit_of(2, 0, "one"),
                           third = commit_of(3, 0, "one");

        tell(b, "CONFIG SET maxmemory %s", "1");
        store_commit(b->store, &first); /* OOM */
        until_answers(b, 1);
        assert_int_equal(b->answer[0].result, CORE_UNKNOWN);
        assert_false(b->up);
        tell(b, "CONFIG SET maxmemory %s", "0");
        until_up(b, true);
        store_commit(b->store, &second);
        place_redis_stop(&b->place);
        until_answers(b, 2);
        assert_true(b->answer[1].result == CORE_UNKNOWN || b->answer[1].result == CORE_OK);
        until_up(b, false);
        store_commit(b->store, &third); /* cannot even be sent */
        assert_int_equal(b->answers, 2);
        until_answers(b, 3);
        assert_int_equal(b->answer[2].result, CORE_UNKNOWN);
        place_redis(&b->place, "redis");
        redisReconnect(b->redis);
        until_up(b, true);
}

static void test_a_fact_is_told_once(void **state)
{
        struct bench *b = *state;
        struct notice notice = { .kind = NOTICE_TECHNICAL, .since_ms = 5, .count = 1, .cause = "disk" };
        struct core_action duty = { .kind = DO_DUTY,
                                    .u.duty = { .person = "paul", .on = true, .duty = { .since_ms = 9 } } };

        store_notice(b->store, "tech:d1:disk", &notice);
        store_notice(b->store, "tech:d1:disk", &notice);
        store_notice(b->store, "tech:d1:clock", NULL);
        store_duty(b->store, &duty);
        duty.u.duty.on = false;
        store_duty(b->store, &duty);
        store_notice(b->store, "tech:d1:disk", NULL);
        for (int64_t end = clock_mono_ms() + 10000; strcmp(text_of(b, "XLEN {r}:feed"), "4") != 0;) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
        assert_string_equal(text_of(b, "HLEN {r}:notices"), "0");
        assert_string_equal(text_of(b, "HLEN {r}:duty:supervisors"), "0");
}

static void put_on_duty(struct bench *b, uint8_t last, int64_t heard_ms, const char *person)
{
        struct carrier_duty duty = { .since_ms = 1, .battery = 80 };
        struct core_action a = { .kind = DO_CARRIER_DUTY };

        snprintf(duty.carrier_id, sizeof(duty.carrier_id), "%s", person);
        a.u.carrier_duty.handset[7] = last;
        a.u.carrier_duty.duty = &duty;
        a.u.carrier_duty.heard_at_ms = heard_ms;
        store_carrier_duty(b->store, &a);
}

static void test_carriers_on_duty_are_found_and_scanned(void **state)
{
        struct bench *b = *state;
        struct core_action heard = { .kind = DO_HEARD }, off = { .kind = DO_CARRIER_DUTY },
                           find = { .kind = DO_FIND_DUTY };

        put_on_duty(b, 1, 1000, "late");
        put_on_duty(b, 2, 1000, "heard");
        put_on_duty(b, 3, 1000, "off");
        put_on_duty(b, 4, 5000, "fresh");
        heard.u.heard.handset[7] = 2;
        heard.u.heard.heard_at_ms = 6000;
        store_heard(b->store, &heard);
        heard.u.heard.handset[7] = 9; /* not on duty: stays so */
        store_heard(b->store, &heard);
        off.u.carrier_duty.handset[7] = 3;
        store_carrier_duty(b->store, &off);
        store_scan(b->store, 4000);
        store_scan(b->store, 4000); /* one at a time */
        until(b, &b->scans, 1);
        assert_int_equal(b->scan.total, 3);
        assert_int_equal(b->scan.late_total, 1);
        assert_int_equal(b->scan.count, 1);
        assert_int_equal(b->late[0].handset[7], 1);
        assert_int_equal(b->late[0].heard_at_ms, 1000);
        assert_true(b->late[0].on_duty);
        assert_string_equal(b->late[0].duty.carrier_id, "late");
        find.u.find_duty.handset[7] = 2;
        store_find_duty(b->store, &find);
        until(b, &b->founds, 1);
        assert_true(b->found.on_duty);
        assert_int_equal(b->found.heard_at_ms, 6000);
        find.u.find_duty.handset[7] = 3;
        store_find_duty(b->store, &find);
        until(b, &b->founds, 2);
        assert_false(b->found.on_duty);
        assert_int_equal(b->scans, 1);
}

/* until_written: what was given to the positions' Redis is there. */
static void until_written(struct bench *b)
{
        while (redis_pending(store_positions(b->store)) > 0)
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
}

static void ask_by_sms(struct bench *b, const struct carrier_duty *found, int64_t heard_ms, int64_t asked_ms)
{
        struct core_action a = { .kind = DO_CARRIER_DUTY };

        a.u.carrier_duty.handset[7] = 1;
        a.u.carrier_duty.duty = found;
        a.u.carrier_duty.heard_at_ms = heard_ms;
        a.u.carrier_duty.asked_ms = asked_ms;
        store_carrier_duty(b->store, &a);
        until_written(b);
}

/* What was found is of a moment ago: a carrier who was heard since stays so, and who went off duty stays off. */
static void test_who_was_heard_meanwhile_is_not_set_back(void **state)
{
        struct bench *b = *state;
        struct carrier_duty found = { .since_ms = 1, .carrier_id = "late", .battery = 80 };
        struct core_action find = { .kind = DO_FIND_DUTY, .u.find_duty.handset[7] = 1 },
                           off = { .kind = DO_CARRIER_DUTY, .u.carrier_duty.handset[7] = 1 };

        put_on_duty(b, 1, 1000, "late");
        ask_by_sms(b, &found, 1000, 9000); /* it is so: noted */
        store_find_duty(b->store, &find);
        until(b, &b->founds, 1);
        assert_int_equal(b->found.heard_at_ms, 1000);
        assert_int_equal(b->found.duty.asked_ms, 9000);
        put_on_duty(b, 1, 5000, "late"); /* a heartbeat to another dispatcher, which names no question any more */
        put_on_duty(b, 1, 4000, "late"); /* and one that comes later by another way */
        ask_by_sms(b, &b->found.duty, 1000, 9500);
        store_find_duty(b->store, &find);
        until(b, &b->founds, 2);
        assert_int_equal(b->found.heard_at_ms, 5000);
        assert_int_equal(b->found.duty.asked_ms, 0);
        store_carrier_duty(b->store, &off);
        ask_by_sms(b, &found, 1000, 9900);
        assert_string_equal(text_of(b, "ZCARD {r}:duty"), "0");
        assert_string_equal(text_of(b, "HLEN {r}:duty:info"), "0");
}

/* Only a part of a scan's questions finds room on the link: that scan is given up, and the next one runs. */
static void test_a_scan_that_cannot_be_asked_whole_is_given_up(void **state)
{
        struct bench *b = *state;
        struct core_action heard = { .kind = DO_HEARD }, find = { .kind = DO_FIND_DUTY };

        put_on_duty(b, 1, 1000, "late"); /* two commands */
        for (int i = 0; i < REDIS_PENDING_MAX - 4; i++)
                store_heard(b->store, &heard);
        store_scan(b->store, 4000); /* of three, two */
        while (redis_pending(store_positions(b->store)) > 0)
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        assert_int_equal(b->scans, 0);
        store_scan(b->store, 4000);
        store_find_duty(b->store, &find);
        until(b, &b->founds, 1);
        until(b, &b->scans, 1);
        assert_int_equal(b->scan.count, 1);
}

static void test_redis_clock_is_told(void **state)
{
        struct bench *b = *state;
        int64_t end = clock_mono_ms() + 10000;

        while (b->redis_ms == 0) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
        assert_in_range(b->redis_ms - b->mono_ms - (clock_utc_ms() - clock_mono_ms()) + 1000, 0, 2000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_a_commit_writes_record_sets_and_feed_together),
                CASE(test_another_version_answers_with_its_record),
                CASE(test_a_closed_alert_stays_closed),
                CASE(test_an_unreadable_tombstone_is_told_for_that_alert_alone),
                CASE(test_a_raised_epoch_fences_until_it_is_read_again),
                CASE(test_an_older_epoch_is_not_written_to),
                CASE(test_no_answer_is_unknown_and_an_error_is_a_rest),
                CASE(test_a_fact_is_told_once),
                CASE(test_carriers_on_duty_are_found_and_scanned),
                CASE(test_who_was_heard_meanwhile_is_not_set_back),
                CASE(test_a_scan_that_cannot_be_asked_whole_is_given_up),
                CASE(test_redis_clock_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
