/* What the keeper opened, written for its phone: against a private Redis, and while that is away. */
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

#include "dispatcher/inbox_inside.h"
#include "tests/dispatcher/support/place.h"

#define WAIT_MS 20000
#define DAY_MS  INT64_C(86400000)

static const uint8_t phone[HANDSET_ID_SIZE] = { 0, 0, 0, 0, 0, 0, 0, 1 }, other[HANDSET_ID_SIZE] = { 2 };

struct bench {
        struct place place;
        struct config config;
        struct run *run;
};

/* As hear.c does, once all is loaded. */
static void on_alerts(void *user, bool up, const char *why)
{
        struct bench *b = user;

        b->run->alerts_link = up;
        if (!up)
                inbox_up(b->run, false);
}

static void on_positions(void *user, bool up, const char *why)
{
}

static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
}

static void until(struct bench *b, const char *what, bool (*is_so)(const struct run *run))
{
        int64_t end = clock_mono_ms() + WAIT_MS;

        while (!is_so(b->run)) {
                if (clock_mono_ms() > end)
                        fail_msg("%s: not within %d ms; %zu are not written", what, WAIT_MS,
                                 b->run->inbox->untold_count);
                uv_run(loop_uv(b->run->options.loop), UV_RUN_ONCE);
        }
}

static bool is_linked(const struct run *run)
{
        return run->alerts_link;
}

static bool is_away(const struct run *run)
{
        return !run->alerts_link;
}

static bool is_written(const struct run *run)
{
        return run->inbox->untold_count == 0;
}

static long long number(struct bench *b, const char *command)
{
        redisContext *redis = redisConnectUnix(b->config.alerts.address);
        redisReply *reply = redisCommand(redis, command);
        long long n;

        assert_true(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
        n = reply->integer;
        freeReplyObject(reply);
        redisFree(redis);
        return n;
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        b->run = calloc(1, sizeof(*b->run));
        place_open(&b->place);
        place_redis(&b->place, "redis");
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        b->config.positions = b->config.alerts;
        b->run->options.config = &b->config;
        assert_int_equal(loop_open(&b->run->options.loop), 0);
        assert_int_equal(store_open(&(struct store_options){ .loop = b->run->options.loop,
                                                             .config = &b->config,
                                                             .user = b,
                                                             .alerts = on_alerts,
                                                             .positions = on_positions,
                                                             .clock = on_clock },
                                    &b->run->store),
                         0);
        assert_int_equal(inbox_open(b->run), 0);
        b->run->ahead_ms = INT64_C(1767225600000) - clock_mono_ms();
        until(b, "the store", is_linked);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        b->run->closing = true;
        store_close(b->run->store);
        inbox_close(b->run);
        assert_int_equal(loop_close(b->run->options.loop), 0);
        place_close(&b->place);
        free(b->run);
        free(b);
        return 0;
}

/* Before all is loaded nothing is written, and then everything, each where it belongs, and said. */
static void written_when_the_store_is_there(void **state)
{
        struct bench *b = *state;

        inbox_opened(b->run, phone, OPENED_ALERT);
        inbox_opened(b->run, other, OPENED_OVERDUE);
        for (int i = 0; i < 50; i++)
                uv_run(loop_uv(b->run->options.loop), UV_RUN_NOWAIT);
        assert_int_equal(b->run->inbox->untold_count, 2);
        assert_int_equal(number(b, "XLEN {r}:people:changes"), 0);
        inbox_up(b->run, true);
        until(b, "both are written", is_written);
        assert_int_equal(number(b, "HLEN {r}:opened:0000000000000001"), 1);
        assert_int_equal(number(b, "HLEN {r}:opened:0200000000000000"), 1);
        assert_int_equal(number(b, "XLEN {r}:people:changes"), 2);
}

/* The store goes away in between: written when it is back. */
static void the_store_goes_and_comes(void **state)
{
        struct bench *b = *state;

        inbox_up(b->run, true);
        place_redis_stop(&b->place);
        inbox_opened(b->run, phone, OPENED_ALERT); /* on a link that is dead already */
        until(b, "the store is gone", is_away);
        inbox_opened(b->run, other, OPENED_ALERT);
        assert_int_equal(b->run->inbox->untold_count, 2);
        place_redis(&b->place, "redis");
        until(b, "the store is back", is_linked);
        inbox_up(b->run, true);
        until(b, "both are written", is_written);
        assert_int_equal(number(b, "HLEN {r}:opened:0000000000000001"), 1);
        assert_int_equal(number(b, "HLEN {r}:opened:0200000000000000"), 1);
}

/* Sixteen are kept, and none for longer than thirty days. */
static void the_newest_are_kept(void **state)
{
        struct bench *b = *state;

        inbox_up(b->run, true);
        for (int i = 0; i < OPENED_MAX + 4; i++) {
                b->run->ahead_ms += 1000;
                inbox_opened(b->run, phone, OPENED_TIMER);
        }
        until(b, "all are written", is_written);
        assert_int_equal(number(b, "HLEN {r}:opened:0000000000000001"), OPENED_MAX);
        assert_in_range(number(b, "PTTL {r}:opened:0000000000000001"), 29 * DAY_MS, OPENED_KEPT_MS);
        b->run->ahead_ms += OPENED_KEPT_MS;
        inbox_opened(b->run, phone, OPENED_TIMER);
        until(b, "the last is written", is_written);
        assert_in_range(number(b, "HLEN {r}:opened:0000000000000001"), 1, 2); /* itself, and one of that very moment */
}

/* One more than may wait: in the keeper's audit alone. */
static void too_many_wait(void **state)
{
        struct bench *b = *state;

        for (int i = 0; i < INBOX_UNTOLD_MAX + 1; i++)
                inbox_opened(b->run, phone, OPENED_OVERDUE);
        assert_int_equal(b->run->inbox->untold_count, INBOX_UNTOLD_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(written_when_the_store_is_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_store_goes_and_comes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_newest_are_kept, set_up, tear_down),
                cmocka_unit_test_setup_teardown(too_many_wait, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
