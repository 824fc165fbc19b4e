/* Takes and replicas: a private primary, and a replica that is stopped and goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"
#include "dispatcher/store.h"
#include "tests/dispatcher/support/place.h"

struct bench {
        struct place place;
        struct config config;
        struct loop *loop;
        struct store *store;
        redisContext *primary, *copy; /* for looking from outside */
        pid_t replica;
        bool up, alone;
        int told;
        uint32_t version;    /* of the alert */
        uint64_t tokens;     /* given out */
        uint64_t unknown;    /* the one that is to be answered so */
        uint64_t order[256]; /* tokens as they were answered */
        size_t answers;
};

static void on_alerts(void *user, bool up, const char *why)
{
        ((struct bench *)user)->up = up;
}

static void on_positions(void *user, bool up, const char *why)
{
}

static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
}

static void on_answered(void *user, const struct store_answer *answer)
{
        struct bench *b = user;

        assert_int_equal(answer->result, answer->token == b->unknown ? CORE_UNKNOWN : CORE_OK);
        assert_true(b->answers < 256);
        b->order[b->answers++] = answer->token;
}

static void on_trouble(void *user, const char *what, bool on)
{
        struct bench *b = user;

        if (strcmp(what, "store_away") == 0)
                return;
        assert_string_equal(what, "no_replica");
        assert_true(on != b->alone); /* changes alone are told */
        b->alone = on;
        b->told++;
}

static char *ask(redisContext *c, const char *command)
{
        static char text[256];
        redisReply *reply = redisCommand(c, command);

        assert_non_null(reply);
        if (reply->type == REDIS_REPLY_INTEGER)
                snprintf(text, sizeof(text), "%lld", reply->integer);
        else
                snprintf(text, sizeof(text), "%s", reply->str != NULL ? reply->str : "");
        freeReplyObject(reply);
        return text;
}

static void turn(struct bench *b, int64_t end)
{
        assert_true(clock_mono_ms() < end);
        uv_run(loop_uv(b->loop), UV_RUN_ONCE);
}

static void until_answers(struct bench *b, size_t wanted)
{
        for (int64_t end = clock_mono_ms() + 10000; b->answers < wanted;)
                turn(b, end);
}

/* commit: write the next version of the alert (FIRST: another one) as EVENT; gives its token. */
static uint64_t commit(struct bench *b, enum alert_event event, uint8_t first)
{
        struct core_action a = { .kind = DO_COMMIT };

        a.u.commit.token = ++b->tokens;
        memset(a.u.commit.id, first != 0 ? first : 0xab, ALERT_ID_SIZE);
        a.u.commit.expected = first != 0 ? 0 : b->version++;
        a.u.commit.version = a.u.commit.expected + 1;
        a.u.commit.event = (uint8_t)event;
        a.u.commit.state = ALERT_TAKEN;
        a.u.commit.by = "paul";
        a.u.commit.record = CBOR_LITERAL("record");
        a.u.commit.closed = event == EVENT_CLOSE;
        a.u.commit.tombstone = (struct tombstone){ .version = 2, .state = 16, .closed_at_ms = 77, .who = "Paul" };
        memcpy(a.u.commit.gone[0], a.u.commit.id, ALERT_ID_SIZE);
        a.u.commit.gone_count = 1;
        store_commit(b->store, &a);
        return a.u.commit.token;
}

/* take: a take, and wait for its answer. */
static void take(struct bench *b)
{
        commit(b, EVENT_TAKE, 0);
        until_answers(b, b->answers + 1);
        assert_int_equal(b->order[b->answers - 1], b->tokens);
}

static int free_port(void)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
        close(fd);
        return ntohs(at.sin_port);
}

/* breathe: some time passes, and the store goes on. */
static void breathe(struct bench *b)
{
        usleep(20000);
        uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
}

/* add_replica: a second redis-server, and wait until it copies the first. */
static void add_replica(struct bench *b)
{
        char port[8], set[64];

        snprintf(port, sizeof(port), "%d", free_port());
        snprintf(set, sizeof(set), "CONFIG SET port %s", port);
        assert_string_equal(ask(b->primary, set), "OK");
        assert_string_equal(ask(b->primary, "CONFIG SET repl-diskless-sync-delay 0"), "OK");
        b->replica = fork();
        if (b->replica == 0) {
                dup2(open("/dev/null", O_WRONLY), 1);
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", place_path(&b->place, "copy.sock"),
                       "--dir", place_path(&b->place, "copy"), "--save", "", "--replicaof", "127.0.0.1", port,
                       (char *)NULL);
                _exit(127);
        }
        for (int i = 0; b->copy == NULL || b->copy->err != 0; i++) {
                assert_true(i < 500 && waitpid(b->replica, NULL, WNOHANG) == 0);
                breathe(b);
                redisFree(b->copy);
                b->copy = redisConnectUnix(place_path(&b->place, "copy.sock"));
        }
        for (int i = 0; strstr(ask(b->copy, "INFO replication"), "master_link_status:up") == NULL; i++) {
                assert_true(i < 500);
                breathe(b);
        }
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        place_open(&b->place);
        place_redis(&b->place, "redis");
        assert_int_equal(mkdir(place_path(&b->place, "copy"), 0700), 0);
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.name, sizeof(b->config.name), "d1");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        b->config.positions = b->config.alerts;
        b->primary = redisConnectUnix(b->config.alerts.address);
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(store_open(&(struct store_options){ .loop = b->loop,
                                                             .config = &b->config,
                                                             .user = b,
                                                             .alerts = on_alerts,
                                                             .positions = on_positions,
                                                             .answered = on_answered,
                                                             .clock = on_clock,
                                                             .trouble = on_trouble },
                                    &b->store),
                         0);
        for (int64_t end = clock_mono_ms() + 10000; !b->up;)
                turn(b, end);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        store_close(b->store);
        assert_int_equal(loop_close(b->loop), 0);
        if (b->replica != 0) {
                kill(b->replica, SIGKILL);
                waitpid(b->replica, NULL, 0);
        }
        redisFree(b->primary);
        redisFree(b->copy);
        place_close(&b->place);
        free(b);
        return 0;
}

/* until_waits: take until it is seen that takes wait for the replica. */
static void until_waits(struct bench *b)
{
        int64_t end = clock_mono_ms() + 10000;

        while (strcmp(ask(b->primary, "HLEN {r}:waits"), "1") != 0) {
                assert_true(clock_mono_ms() < end);
                take(b);
                for (int64_t pause = clock_mono_ms() + 100; clock_mono_ms() < pause;)
                        turn(b, end);
        }
}

/* One Redis alone: nothing is waited for, and nothing is wrong. */
static void test_none(void **state)
{
        struct bench *b = *state;

        for (int i = 0; i < 3; i++)
                take(b);
        assert_string_equal(ask(b->primary, "HLEN {r}:waits"), "0");
        assert_int_equal(b->told, 0);
}

/* Whoever is told has it in the replica. */
static void replica_has_it(struct bench *b)
{
        char version[16];

        for (int i = 0; i < 20; i++) {
                take(b);
                snprintf(version, sizeof(version), "%u", b->version);
                assert_string_equal(ask(b->copy, "HGET {r}:alert:abababababababababababababababab v"), version);
        }
        assert_int_equal(b->told, 0);
}

/* The replica hangs: the first take is told after a second, those after it at once; others never wait. */
static void replica_hangs(struct bench *b)
{
        uint64_t waits, ordinary;
        int64_t began_ms;
        size_t before = b->answers;

        kill(b->replica, SIGSTOP);
        began_ms = clock_mono_ms();
        waits = commit(b, EVENT_TAKE, 0);
        until_answers(b, before); /* it is sent */
        ordinary = commit(b, EVENT_RAISE, 1);
        until_answers(b, before + 2);
        assert_int_equal(b->order[before], ordinary);
        assert_int_equal(b->order[before + 1], waits);
        assert_true(clock_mono_ms() - began_ms >= STORE_WAIT_MS);
        assert_true(b->alone);
        assert_int_equal(b->told, 1);
        waits = commit(b, EVENT_TAKE, 0);
        ordinary = commit(b, EVENT_RAISE, 2);
        until_answers(b, before + 4);
        assert_int_equal(b->order[before + 2], waits); /* as it was sent: it did not wait */
        kill(b->replica, SIGCONT);
        for (int64_t end = clock_mono_ms() + 10000; b->alone;)
                turn(b, end);
        take(b);
        assert_int_equal(b->told, 2);
}

static void test_replica(void **state)
{
        struct bench *b = *state;

        add_replica(b);
        until_waits(b);
        replica_has_it(b);
        replica_hangs(b);
}

/* Many takes share a WAIT; the replica dies while they wait: all are told, once. */
static void test_replica_dies(void **state)
{
        struct bench *b = *state;
        size_t before;

        add_replica(b);
        until_waits(b);
        before = b->answers;
        kill(b->replica, SIGSTOP);
        for (int i = 0; i < 100; i++)
                commit(b, EVENT_TAKE, 0);
        for (int i = 0; i < 20; i++)
                turn(b, clock_mono_ms() + 10000);
        kill(b->replica, SIGKILL);
        until_answers(b, before + 100);
        assert_true(b->alone);
        for (size_t i = before; i < b->answers; i++)
                for (size_t j = before; j < i; j++)
                        assert_int_not_equal(b->order[i], b->order[j]);
}

struct settled {
        int calls;
        bool known;
};

static void on_settled(void *user, bool known)
{
        struct settled *settled = user;

        settled->calls++;
        settled->known = known;
}

static void until_settled(struct bench *b, const struct settled *settled)
{
        for (int64_t end = clock_mono_ms() + 10000; settled->calls == 0;)
                turn(b, end);
        assert_int_equal(settled->calls, 1);
}

/* A closure is told once a replica has it, and so is one that the feed brings; where the primary dies before, nobody knows. */
static void test_closures(void **state)
{
        struct bench *b = *state;
        struct settled first = { 0 }, second = { 0 };
        uint64_t closes, ordinary;
        size_t before;

        assert_false(store_settle(b->store, on_settled, &first)); /* no replica */
        add_replica(b);
        until_waits(b);
        assert_true(store_settle(b->store, on_settled, &first));
        until_settled(b, &first);
        assert_true(first.known);
        before = b->answers;
        kill(b->replica, SIGSTOP);
        closes = commit(b, EVENT_CLOSE, 3);
        ordinary = commit(b, EVENT_RAISE, 4);
        until_answers(b, before + 1);
        assert_int_equal(b->order[before], ordinary);
        assert_true(store_settle(b->store, on_settled, &second));
        b->unknown = closes;
        place_redis_stop(&b->place);
        until_settled(b, &second);
        assert_false(second.known);
        until_answers(b, before + 2);
        assert_int_equal(b->order[before + 1], closes);
}

/* Closed while takes wait: nothing is told any more. */
static void test_closed(void **state)
{
        struct bench *b = *state;

        add_replica(b);
        until_waits(b);
        kill(b->replica, SIGSTOP);
        for (int i = 0; i < 10; i++) {
                commit(b, EVENT_TAKE, 0);
                turn(b, clock_mono_ms() + 10000);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_replica, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_replica_dies, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_closures, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_closed, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
