/* The dispatcher as a process among others: crowds, rights in Redis, metrics, signals, checks, a shared port. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/play.h"
#include "wire/desk.h"

static int plain(int port)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? fd : -1;
}

static void test_ten_thousand_that_say_nothing_do_not_hurt(void **state)
{
        struct region *region = *state;
        struct rlimit limit;
        static struct record record;
        static int silent[10000];
        int count = 0;

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 10100) {
                printf("skip: only %llu files may be open\n", (unsigned long long)limit.rlim_cur);
                return;
        }
        region_start(region, 0, NULL);
        for (int i = 0; i < 10000; i++)
                count += (silent[i] = plain(region->port[0])) >= 0;
        assert_int_equal(count, 10000);
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        for (int i = 0; i < 10000; i++)
                close(silent[i]);
}

/* set_users: the users of ops/redis/users.acl, for this region. */
static bool set_users(struct region *region, redisContext *redis)
{
        FILE *f = fopen("ops/redis/users.acl", "r");
        char line[512];

        if (f == NULL)
                return false;
        while (fgets(line, sizeof(line), f) != NULL) {
                const char *argv[64] = { "ACL", "SETUSER" };
                int argc = 2;

                for (char *save, *word = strtok_r(line, " \n", &save); word != NULL;
                     word = strtok_r(NULL, " \n", &save)) {
                        char *name = strstr(word, "{lyon}");

                        if (name != NULL) {
                                memmove(name + 2, name + 5, strlen(name + 5) + 1);
                                name[1] = 'r';
                        }
                        if (strcmp(word, "user") != 0 && strcmp(word, "default") != 0)
                                argv[argc++] = word;
                }
                if (strcmp(argv[2], "off") != 0) { /* the test itself is the default user */
                        redisReply *reply = redisCommandArgv(redis, argc, argv, NULL);

                        assert_true(reply != NULL && reply->type == REDIS_REPLY_STATUS);
                        freeReplyObject(reply);
                }
        }
        fclose(f);
        return true;
}

static void test_the_rights_we_ship_are_enough(void **state)
{
        struct region *region = *state;
        redisContext *positions = redisConnectUnix(place_path(&region->positions, "positions.sock"));
        static struct record record;
        redisReply *log;
        struct phone supervisor;

        if (!set_users(region, region->redis) || !set_users(region, positions)) {
                printf("skip: not run from the top of the tree\n");
                redisFree(positions);
                return;
        }
        region_start_with(region, 0,
                          (const char *const[]){ "-o", "alerts.user=dispatcher", "-o", "alerts.password=CHANGE-ME",
                                                 "-o", "positions.user=dispatcher", "-o",
                                                 "positions.password=CHANGE-ME", NULL });
        assert_int_equal(region_dial(region, 0, 2, &supervisor), 0);
        play_on_duty(&supervisor, "s1");
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        phone_hang_up(&supervisor);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
        log = region_ask(region, "ACL LOG");
        assert_int_equal(log->elements, 0);
        freeReplyObject(log);
        log = redisCommand(positions, "ACL LOG");
        assert_int_equal(log->elements, 0);
        freeReplyObject(log);
        redisFree(positions);
}

static int free_port(void)
{
        struct sockaddr_in at = { .sin_family = AF_INET };
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        getsockname(fd, (struct sockaddr *)&at, &len);
        close(fd);
        return ntohs(at.sin_port);
}

static void get(int port, const char *path, char *text, size_t size)
{
        int fd = plain(port);
        size_t len = 0;
        ssize_t n;

        assert_true(fd >= 0);
        dprintf(fd, "GET %s HTTP/1.0\r\n\r\n", path);
        while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
                len += (size_t)n;
        text[len] = '\0';
        close(fd);
}

static void test_metrics_and_health(void **state)
{
        struct region *region = *state;
        static struct record record;
        static char text[200000];
        char extra[64];
        int port = free_port();

        snprintf(extra, sizeof(extra), "metrics.port=%d", port);
        region_start(region, 0, extra);
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        get(port, "/health", text, sizeof(text));
        assert_non_null(strstr(text, " 200 "));
        get(port, "/metrics", text, sizeof(text));
        assert_non_null(strstr(text, "\nvigie_alerts_raised_total 1\n"));
        assert_non_null(strstr(text, "\nvigie_press_to_receipt_seconds_count 1\n"));
        assert_non_null(strstr(text, "\nvigie_serving 1\n"));
        place_redis_stop(&region->place);
        for (int i = 0; i < 200 && strstr(text, " 503 ") == NULL; i++) {
                usleep(50000);
                get(port, "/health", text, sizeof(text));
        }
        assert_non_null(strstr(text, "store away"));
}

static void test_sigterm_says_goodbye(void **state)
{
        struct region *region = *state;
        struct phone phone;
        uint8_t buf[1024];

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_signal(region, 0, SIGHUP); /* reads its files again, and goes on */
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_signal(region, 0, SIGTERM);
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_equal(phone.close_code, 1012);
        assert_int_equal(region_wait(region, 0), 0);
        phone_hang_up(&phone);
}

/* What {r}:people:changes told, and Redis would not let us read: it is read later, when it does. */
static void test_a_revocation_is_not_lost_with_an_error(void **state)
{
        struct region *region = *state;
        struct region_handset one = { .number = 3, .person = "c1", .role = HANDSET_CARRIER, .days_to = 30 };
        struct phone phone;
        uint8_t buf[1024];

        region_handset(region, &one);
        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 3, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        freeReplyObject(region_ask(region, "ACL SETUSER default -hget"));
        one.revoked = true;
        region_handset(region, &one);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0); /* not known yet */
        usleep(800000);
        freeReplyObject(region_ask(region, "ACL SETUSER default +hget"));
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_not_equal(phone.close_code, 0);
        phone_hang_up(&phone);
}

/* A quiet timer that nobody needs any more is erased, though a thousand are due longer, and stay. */
static void test_a_timer_behind_a_thousand_is_looked_at(void **state)
{
        struct region *region = *state;
        redisContext *positions = redisConnectUnix(place_path(&region->positions, "positions.sock"));
        struct timer_entry timer = { .due_s = 2000 };
        uint8_t value[DESK_SMALL_MAX];
        int len = timer_entry_encode(&timer, value, sizeof(value));
        redisReply *reply;
        bool there = true;

        assert_true(len > 0);
        freeReplyObject(redisCommand(positions, "EVAL %s 0",
                                     "for i = 1, 1000 do "
                                     "redis.call('ZADD', '{r}:timers:due', i, string.format('%016x', 100 + i)) end"));
        freeReplyObject(redisCommand(positions, "ZADD {r}:timers:due 2000 0000000000000005"));
        freeReplyObject(redisCommand(positions, "HSET {r}:timers 0000000000000005 %b", value, (size_t)len));
        region_start(region, 0, "silence.overdue=1s");
        for (int i = 0; i < 400 && there; i++) {
                usleep(50000);
                reply = redisCommand(positions, "HEXISTS {r}:timers 0000000000000005");
                assert_true(reply != NULL && reply->type == REDIS_REPLY_INTEGER);
                there = reply->integer != 0;
                freeReplyObject(reply);
        }
        assert_false(there);
        redisFree(positions);
}

static void test_check_says_what_is_wrong(void **state)
{
        struct region *region = *state;

        assert_int_equal(region_run(region, (const char *const[]){ "-n", NULL }), 0);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "tls.key=/nonexistent", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "dispatcher.rank=64", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "zones.path=/nonexistent", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "--help", NULL }), 0);
        place_write(&region->place, "zones/bad.geojson", "{}", 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", NULL }), 2);
}

static void test_two_share_a_port_and_one_journal_is_one_process_s(void **state)
{
        struct region *region = *state;
        char port[64], journal[200];

        region_start(region, 0, NULL);
        snprintf(port, sizeof(port), "listen.port=%d", region->port[0]);
        region_start(region, 1, port);
        assert_int_equal(region->port[1], region->port[0]);
        snprintf(journal, sizeof(journal), "journal.path=%s/d0.journal", region->place.dir);
        assert_int_equal(region_run(region, (const char *const[]){ "-o", journal, NULL }), 69);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_ten_thousand_that_say_nothing_do_not_hurt),
                CASE(test_the_rights_we_ship_are_enough),
                CASE(test_metrics_and_health),
                CASE(test_sigterm_says_goodbye),
                CASE(test_a_revocation_is_not_lost_with_an_error),
                CASE(test_a_timer_behind_a_thousand_is_looked_at),
                CASE(test_check_says_what_is_wrong),
                CASE(test_two_share_a_port_and_one_journal_is_one_process_s),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
