/* What the store makes of a Redis that is full, read-only, alone, slow, loading, that does not let it in, or has lost its data. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"
#include "dispatcher/reply.h"
#include "dispatcher/store.h"
#include "tests/dispatcher/support/place.h"

#define PATIENCE_MS 20000
#define WORDS       11

struct bench {
        struct place place;
        struct config config;
        struct loop *loop;
        struct store *store;
        redisContext *redis; /* for looking from outside */
        bool up;
        bool on[WORDS];
        int begun[WORDS], answers;
        enum core_result result;
};

static const char *const words[] = STORE_TROUBLES;

static size_t word(const char *what)
{
        size_t i = 0;

        while (strcmp(words[i], what) != 0)
                i++;
        assert_true(i < WORDS);
        return i;
}

static void on_alerts(void *user, bool up, const char *why)
{
        ((struct bench *)user)->up = up;
}

static void on_positions(void *user, bool up, const char *why)
{
}

static void on_answered(void *user, const struct store_answer *answer)
{
        struct bench *b = user;

        b->answers++;
        b->result = answer->result;
}

static void on_trouble(void *user, const char *what, bool on)
{
        struct bench *b = user;
        size_t i = word(what);

        assert_int_equal(b->on[i], !on); /* changes alone are told */
        b->on[i] = on;
        b->begun[i] += on;
}

static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
}

static void say(struct bench *b, const char *command)
{
        redisReply *reply = redisCommand(b->redis, command);

        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
}

static void wait_for(struct bench *b, const bool *value, bool wanted)
{
        int64_t end = clock_mono_ms() + PATIENCE_MS;

        while (*value != wanted) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static void commit(struct bench *b)
{
        struct core_action a = { .kind = DO_COMMIT };
        int64_t end = clock_mono_ms() + PATIENCE_MS;
        int before = b->answers;

        memset(a.u.commit.id, 0xab, ALERT_ID_SIZE);
        a.u.commit.version = 1;
        a.u.commit.event = EVENT_RAISE;
        a.u.commit.state = ALERT_RAISED;
        a.u.commit.by = "";
        a.u.commit.due_in_ms = 5000;
        a.u.commit.record = CBOR_LITERAL("record");
        store_commit(b->store, &a);
        while (b->answers == before) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

/* ends: a commit is refused, that is WHAT; over with CURE, the store is up and nothing is left. */
static void ends(struct bench *b, const char *what, const char *cure)
{
        bool *on = &b->on[word(what)];

        commit(b);
        assert_int_equal(b->result, CORE_UNKNOWN);
        assert_false(b->up);
        assert_true(*on);
        for (int64_t until = clock_mono_ms() + 3 * STORE_REST_MS; clock_mono_ms() < until;)
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        assert_false(b->up); /* it is not taken before it takes a write */
        assert_true(*on);
        say(b, cure);
        wait_for(b, &b->up, true);
        for (size_t i = 0; i < WORDS; i++)
                assert_false(b->on[i]);
        assert_int_equal(b->begun[word(what)], 1);
        commit(b);
        assert_int_equal(b->result, CORE_OK);
}

static int open_store(struct bench *b, bool people_seen, int64_t epoch_seen)
{
        return store_open(&(struct store_options){ .loop = b->loop,
                                                   .config = &b->config,
                                                   .user = b,
                                                   .epoch_seen = epoch_seen,
                                                   .people_seen = people_seen,
                                                   .alerts = on_alerts,
                                                   .positions = on_positions,
                                                   .answered = on_answered,
                                                   .clock = on_clock,
                                                   .trouble = on_trouble },
                          &b->store);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        place_open(&b->place);
        place_redis(&b->place, "redis");
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.name, sizeof(b->config.name), "d1");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        strcpy(b->config.alerts.user, "d");
        strcpy(b->config.alerts.password, "secret");
        b->config.positions = b->config.alerts;
        b->redis = redisConnectUnix(b->config.alerts.address);
        say(b, "ACL SETUSER d on >secret ~{r}:* +@all");
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(open_store(b, false, 0), 0);
        wait_for(b, &b->up, true);
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

static void test_full(void **state)
{
        say(*state, "CONFIG SET maxmemory 1");
        ends(*state, "store_full", "CONFIG SET maxmemory 0");
}

/* A notice is refused, while nothing else is written: it is away, so that what stands is read and told anew. */
static void test_notice_refused(void **state)
{
        struct notice notice = { .kind = NOTICE_OVERDUE, .count = 1 };
        struct bench *b = *state;

        say(b, "CONFIG SET maxmemory 1");
        store_notice(b->store, "overdue:none", &notice);
        wait_for(b, &b->up, false);
        assert_true(b->on[word("store_full")]);
        say(b, "CONFIG SET maxmemory 0");
        wait_for(b, &b->up, true);
        assert_false(b->on[word("store_full")]);
}

static void test_alone(void **state)
{
        say(*state, "CONFIG SET min-replicas-to-write 1");
        ends(*state, "store_alone", "CONFIG SET min-replicas-to-write 0");
}

static void test_readonly(void **state)
{
        say(*state, "REPLICAOF 127.0.0.1 1");
        ends(*state, "store_readonly", "REPLICAOF NO ONE");
}

static void test_rights(void **state)
{
        say(*state, "ACL SETUSER d -hset");
        ends(*state, "store_rights", "ACL SETUSER d +hset");
}

/* It takes a write, and does not say whose it is. */
static void test_rights_to_look(void **state)
{
        say(*state, "ACL SETUSER d -get");
        ends(*state, "store_rights", "ACL SETUSER d +get");
}

static void test_login(void **state)
{
        struct bench *b = *state;

        say(b, "ACL SETUSER d resetpass >other");
        say(b, "CLIENT KILL USER d");
        wait_for(b, &b->on[word("store_login")], true);
        assert_false(b->up);
        say(b, "ACL SETUSER d >secret");
        wait_for(b, &b->up, true);
        assert_false(b->on[word("store_login")]);
}

/* A second and a half of silence: the commit is answered, and that it was slow is told. */
static void test_slow(void **state)
{
        struct bench *b = *state;
        pid_t redis = b->place.redis, child;

        say(b, "SET {r}:any 1");
        assert_int_equal(kill(redis, SIGSTOP), 0);
        if ((child = fork()) == 0) {
                usleep(1500000);
                kill(redis, SIGCONT);
                _exit(0);
        }
        commit(b);
        assert_int_equal(b->result, CORE_OK);
        assert_true(b->up);
        assert_true(b->on[word("store_slow")]);
        assert_int_equal(b->begun[word("store_slow")], 1);
        assert_int_equal(waitpid(child, NULL, 0), child);
}

/* restart_slowly: the server again, from its append-only file, a millisecond for each entry. */
static void restart_slowly(struct bench *b)
{
        place_redis_stop(&b->place);
        if ((b->place.redis = fork()) == 0) {
                int null = open("/dev/null", O_WRONLY);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(null, 1);
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", b->config.alerts.address, "--dir",
                       b->place.dir, "--save", "", "--appendonly", "yes", "--key-load-delay", "1000", "--user", "d",
                       "on", ">secret", "~{r}:*", "+@all", (char *)NULL);
                _exit(127);
        }
}

static void test_loading(void **state)
{
        struct bench *b = *state;

        for (int i = 0; i < 3000; i++)
                redisAppendCommand(b->redis, "SET {r}:key:%d 1", i);
        for (int i = 0; i < 3000; i++) {
                redisReply *reply = NULL;

                assert_int_equal(redisGetReply(b->redis, (void **)&reply), REDIS_OK);
                freeReplyObject(reply);
        }
        restart_slowly(b);
        wait_for(b, &b->up, false);
        assert_true(b->on[word("store_away")]);
        wait_for(b, &b->on[word("store_loading")], true);
        assert_false(b->on[word("store_away")]); /* one cause at a time */
        wait_for(b, &b->up, true);
        assert_false(b->on[word("store_loading")]);
        commit(b);
        assert_int_equal(b->result, CORE_OK);
}

/* Everything is gone, as after a crash of a Redis without an append-only file: it is not taken for a region without people. */
static void test_empty(void **state)
{
        struct bench *b = *state;

        say(b, "HSET {r}:carriers c1 x");
        say(b, "CLIENT KILL USER d");
        wait_for(b, &b->up, false);
        wait_for(b, &b->up, true); /* there are people */
        say(b, "FLUSHALL");
        say(b, "CLIENT KILL USER d");
        wait_for(b, &b->on[word("store_older")], true);
        assert_false(b->up);
        say(b, "HSET {r}:carriers c1 x");
        wait_for(b, &b->up, true);
        assert_false(b->on[word("store_older")]);
}

/* What an earlier life of this process saw counts as well. */
static void test_seen_before(void **state)
{
        struct bench *b = *state;

        store_close(b->store);
        b->up = false;
        assert_int_equal(open_store(b, true, 7), 0);
        wait_for(b, &b->on[word("store_older")], true);
        say(b, "SET {r}:epoch 6");
        say(b, "HSET {r}:users u1 x");
        for (int64_t until = clock_mono_ms() + 3 * STORE_REST_MS; clock_mono_ms() < until;)
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        assert_false(b->up);
        say(b, "SET {r}:epoch 7");
        wait_for(b, &b->up, true);
        assert_int_equal(store_epoch(b->store), 7);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_full),  CASE(test_alone), CASE(test_readonly), CASE(test_rights), CASE(test_rights_to_look),
                CASE(test_notice_refused), CASE(test_login), CASE(test_slow),  CASE(test_loading),  CASE(test_empty),  CASE(test_seen_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
