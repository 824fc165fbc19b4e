/* Whom Sentinels name: the judgement, and links that follow a real primary, two replicas and three Sentinels of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "base/redis.h"
#include "base/sentinel.h"
#include "tests/base/folder.h"

/* Bound for waiting: far more than it takes; reached only by a bug. */
#define PATIENCE_MS 60000
#define NODES       3

/* ---- The judgement. */

/* votes_of: one letter a Sentinel: a..z it names a host of that letter, '-' it does not know, '.' it is silent. */
static struct sentinel_votes votes_of(const char *said)
{
        struct sentinel_votes votes = { 0 };

        for (size_t i = 0; said[i] != '\0'; i++) {
                votes.said[i] = said[i] == '.'   ? SENTINEL_SILENT
                                : said[i] == '-' ? SENTINEL_KNOWS_NONE
                                                 : SENTINEL_NAMED;
                votes.place[i].host[0] = said[i];
                votes.place[i].port = 6379;
        }
        return votes;
}

static void most_of_those_configured_decide(void **state)
{
        static const struct {
                const char *said;
                int before, over; /* with more to come, and without */
        } rows[] = {
                { "a", 0, 0 },
                { ".", -EAGAIN, -ENOENT },
                { "-", -EAGAIN, -ENOENT },
                { "a..", -EAGAIN, 0 },
                { ".a.", -EAGAIN, 1 },
                { "aa.", 0, 0 },
                { "aab", 0, 0 },
                { "baa", 1, 1 }, /* one that was asleep with the old primary */
                { "ab.", -EAGAIN, -EEXIST },
                { "abc", -EAGAIN, -EEXIST },
                { "a--", -EAGAIN, 0 },
                { "---", -EAGAIN, -ENOENT },
                { "ab", -EAGAIN, -EEXIST },
                { "aa", 0, 0 },
                { "aabb.", -EAGAIN, -EEXIST },
                { "babaa", 1, 1 },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct sentinel_votes votes = votes_of(rows[i].said);

                assert_int_equal(sentinel_decide(&votes, strlen(rows[i].said), false), rows[i].before);
                assert_int_equal(sentinel_decide(&votes, strlen(rows[i].said), true), rows[i].over);
        }
}

static void another_port_is_another_place(void **state)
{
        struct sentinel_votes votes = votes_of("aa");

        votes.place[1].port = 6380;
        assert_int_equal(sentinel_decide(&votes, 2, true), -EEXIST);
}

static void answers_are_read(void **state)
{
        static const char *const bad[] = { "0", "65536", "", "1x", "-1" };
        struct redisReply host = { .type = REDIS_REPLY_STRING, .str = "10.0.0.1" };
        struct redisReply port = { .type = REDIS_REPLY_STRING, .str = "6379" };
        struct redisReply *both[] = { &host, &port };
        struct redisReply reply = { .type = REDIS_REPLY_ARRAY, .elements = 2, .element = both };
        struct sentinel_votes votes = { 0 };
        char text[REDIS_HOST_SIZE + 1];

        sentinel_read(&votes, 0, &reply);
        assert_int_equal(votes.said[0], SENTINEL_NAMED);
        assert_string_equal(votes.place[0].host, "10.0.0.1");
        assert_int_equal(votes.place[0].port, 6379);
        sentinel_read(&votes, 1, &(struct redisReply){ .type = REDIS_REPLY_NIL });
        assert_int_equal(votes.said[1], SENTINEL_KNOWS_NONE);
        sentinel_read(&votes, 2, NULL);
        sentinel_read(&votes, 2, &(struct redisReply){ .type = REDIS_REPLY_ERROR, .str = "NOAUTH" });
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                port.str = (char *)bad[i];
                sentinel_read(&votes, 2, &reply);
        }
        port.str = "1";
        memset(text, 'a', sizeof(text));
        text[REDIS_HOST_SIZE] = '\0';
        host.str = text;
        sentinel_read(&votes, 2, &reply);
        assert_int_equal(votes.said[2], SENTINEL_SILENT);
        text[REDIS_HOST_SIZE - 1] = '\0';
        sentinel_read(&votes, 2, &reply);
        assert_int_equal(votes.said[2], SENTINEL_NAMED);
}

/* ---- The real thing. */

struct fixture {
        struct folder folder;
        char sub[2 * NODES][128], address[160];
        int port[2 * NODES]; /* redis 0..2, their Sentinels 3..5 */
        pid_t pid[2 * NODES];
        struct loop *loop;
        struct redis_link *link;
        struct wheel_timer patience, pulse;
        bool (*until)(struct fixture *f);
        int ups, downs, written, refused, unknown;
        bool under_way;
        int64_t value; /* the next to write */
        int64_t acked; /* the last that was acknowledged */
        char why[200], refusal[200];
};

static int free_port(void)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
        close(fd);
        return ntohs(at.sin_port);
}

static void start_one(struct fixture *f, int i)
{
        char file[200];

        snprintf(file, sizeof(file), "%s/conf", f->sub[i]);
        if ((f->pid[i] = fork()) == 0) {
                int null = open("/dev/null", O_RDWR);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(null, STDOUT_FILENO);
                execlp("redis-server", "redis-server", file, i < NODES ? NULL : "--sentinel", NULL);
                _exit(127);
        }
        assert_true(f->pid[i] > 0);
}

static void kill_one(struct fixture *f, int i)
{
        if (f->pid[i] == 0)
                return;
        kill(f->pid[i], SIGKILL);
        waitpid(f->pid[i], NULL, 0);
        f->pid[i] = 0;
}

static void write_conf(struct fixture *f, int i)
{
        char file[200], sub[128];
        FILE *to;

        strcpy(f->sub[i], folder_file(&f->folder, (const char[]){ (char)('0' + i), '\0' }, sub));
        assert_int_equal(mkdir(f->sub[i], 0700), 0);
        snprintf(file, sizeof(file), "%s/conf", f->sub[i]);
        to = fopen(file, "w");
        fprintf(to, "bind 127.0.0.1\nport %d\ndir %s\n", f->port[i], f->sub[i]);
        if (i < NODES)
                fprintf(to,
                        "save \"\"\nmin-replicas-to-write 1\nmin-replicas-max-lag 2\nrepl-diskless-sync-delay 0\n"
                        "user default on nopass ~* &* +@all\nuser app on >secret ~* +@all -@admin -@dangerous +role\n");
        else
                fprintf(to,
                        "sentinel monitor m 127.0.0.1 %d 2\nsentinel down-after-milliseconds m 1000\n"
                        "sentinel failover-timeout m 3000\nsentinel parallel-syncs m 1\n",
                        f->port[0]);
        if (i > 0 && i < NODES)
                fprintf(to, "replicaof 127.0.0.1 %d\n", f->port[0]);
        assert_int_equal(fclose(to), 0);
}

/* ask: a command to server I on a connection of its own; its answer, which the caller frees, or NULL. */
static redisReply *ask(struct fixture *f, int i, const char *command)
{
        redisContext *c = redisConnectWithTimeout("127.0.0.1", f->port[i], (struct timeval){ .tv_usec = 300000 });
        redisReply *reply = NULL;

        if (c != NULL && c->err == 0) {
                redisSetTimeout(c, (struct timeval){ .tv_usec = 300000 });
                reply = redisCommand(c, command);
        }
        if (c != NULL)
                redisFree(c);
        return reply;
}

/* says: the answer's element AT is TEXT. */
static bool says(struct fixture *f, int i, const char *command, size_t at, const char *text)
{
        redisReply *reply = ask(f, i, command);
        bool is = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > at &&
                  reply->element[at]->type == REDIS_REPLY_STRING && strcmp(reply->element[at]->str, text) == 0;

        freeReplyObject(reply);
        return is;
}

static bool replicas_are_there(struct fixture *f)
{
        redisReply *reply = ask(f, 0, "ROLE");
        bool there = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
                     reply->element[2]->elements == NODES - 1;

        freeReplyObject(reply);
        return there;
}

static bool sentinels_know(struct fixture *f)
{
        for (int i = NODES; i < 2 * NODES; i++) {
                redisReply *reply = ask(f, i, "SENTINEL SENTINELS m"), *slaves = ask(f, i, "SENTINEL REPLICAS m");
                bool known = reply != NULL && slaves != NULL && reply->elements == NODES - 1 &&
                             slaves->elements == NODES - 1;

                freeReplyObject(reply);
                freeReplyObject(slaves);
                if (!known)
                        return false;
        }
        return true;
}

static void out_of_patience(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        for (int i = 0; i < 2 * NODES; i++)
                kill_one(f, i);
        fail_msg("waited for nothing; %s %s", f->why, f->refusal);
}

static void written(void *user, struct redisReply *reply)
{
        struct fixture *f = user;

        f->under_way = false;
        if (reply == NULL) {
                f->unknown++;
        } else if (reply->type == REDIS_REPLY_ERROR) {
                f->refused++;
                snprintf(f->refusal, sizeof(f->refusal), "%s", reply->str);
        } else {
                f->written++;
                f->acked = f->value;
        }
}

/* Each pulse writes the next number, as long as the link takes it. */
static void pulse(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;
        struct redis_args args;

        if (f->until(f)) {
                loop_stop(f->loop);
                return;
        }
        redis_args_init(&args, "SET");
        redis_arg(&args, "n");
        redis_arg_int(&args, f->value + 1);
        if (!f->under_way && f->link != NULL && redis_command(f->link, &args, written, f) == 0) {
                f->under_way = true;
                f->value++;
        }
        loop_timer_arm(f->loop, timer, now_mono_ms + 10);
}

static void run_until(struct fixture *f, bool (*until)(struct fixture *f))
{
        f->until = until;
        loop_timer_arm(f->loop, &f->patience, clock_mono_ms() + PATIENCE_MS);
        loop_timer_arm(f->loop, &f->pulse, clock_mono_ms());
        loop_run(f->loop);
        loop_timer_cancel(f->loop, &f->patience);
}

static void state_changed(void *user, bool up, const char *why)
{
        struct fixture *f = user;

        if (up)
                f->ups++;
        else
                f->downs++;
        snprintf(f->why, sizeof(f->why), "%s", up ? "" : why);
}

static void open_link(struct fixture *f, const char *user)
{
        snprintf(f->address, sizeof(f->address), "sentinel:m@127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d", f->port[3],
                 f->port[4], f->port[5]);
        assert_int_equal(redis_open(f->loop,
                                    &(struct redis_options){ .address = f->address,
                                                             .user = user,
                                                             .password = user != NULL ? "secret" : NULL,
                                                             .state = state_changed,
                                                             .user_data = f },
                                    &f->link),
                         0);
}

static bool one_was_written(struct fixture *f)
{
        return f->written > 0;
}

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        folder_make(&f->folder);
        assert_int_equal(loop_open(&f->loop), 0);
        wheel_timer_init(&f->patience, out_of_patience, f);
        wheel_timer_init(&f->pulse, pulse, f);
        for (int i = 0; i < 2 * NODES; i++)
                f->port[i] = free_port();
        for (int i = 0; i < 2 * NODES; i++)
                write_conf(f, i);
        for (int i = 0; i < NODES; i++)
                start_one(f, i);
        run_until(f, replicas_are_there);
        for (int i = NODES; i < 2 * NODES; i++)
                start_one(f, i);
        run_until(f, sentinels_know);
        open_link(f, "app"); /* the Sentinels know no such user, and answer */
        run_until(f, one_was_written);
        f->downs = f->written = 0;
        *state = f;
        return 0;
}

static void remove_folder(const char *path)
{
        struct folder folder;

        snprintf(folder.path, sizeof(folder.path), "%s", path);
        folder_remove(&folder);
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        redis_close(f->link);
        f->link = NULL;
        assert_int_equal(loop_close(f->loop), 0);
        for (int i = 0; i < 2 * NODES; i++) {
                kill_one(f, i);
                remove_folder(f->sub[i]);
        }
        remove_folder(f->folder.path);
        free(f);
        return 0;
}

static bool another_serves(struct fixture *f)
{
        return f->downs > 0 && redis_is_up(f->link) && f->written > 0;
}

/* follow: what was done to the primary, and how long until a write is taken again. */
static void follow(struct fixture *f, const char *what, int64_t since_mono_ms, int64_t most_ms)
{
        int64_t took;

        f->written = 0;
        run_until(f, another_serves);
        took = clock_mono_ms() - since_mono_ms;
        print_message("%s: writes again after %d ms\n", what, (int)took);
        assert_true(took < most_ms);
        f->downs = 0;
}

/* The primary is killed, with one Sentinel dead before. */
static void a_killed_primary(void **state)
{
        struct fixture *f = *state;
        int64_t at;

        kill_one(f, 5);
        at = clock_mono_ms();
        kill_one(f, 0);
        follow(f, "killed, with a Sentinel dead", at, 20000);
        assert_true(says(f, 1, "ROLE", 0, "master") || says(f, 2, "ROLE", 0, "master"));
}

static bool a_paused_one_was_left(struct fixture *f)
{
        return f->downs > 0;
}

static bool it_is_a_replica(struct fixture *f)
{
        return says(f, 0, "ROLE", 0, "slave");
}

/* The primary is paused, with its Sentinel; both wake when another was chosen: stale, and for some seconds sure of itself. */
static void a_paused_primary_wakes(void **state)
{
        struct fixture *f = *state;
        int64_t at = clock_mono_ms();
        redisReply *reply;

        kill(f->pid[0], SIGSTOP);
        kill(f->pid[3], SIGSTOP);
        run_until(f, a_paused_one_was_left);
        assert_string_equal(f->why, "no answer in 2000 ms");
        follow(f, "paused, with its Sentinel", at, 20000);
        kill(f->pid[3], SIGCONT);
        kill(f->pid[0], SIGCONT);
        reply = ask(f, 0, "SET n stale");
        assert_non_null(reply);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR); /* fenced: NOREPLICAS, or READONLY when it was told already */
        freeReplyObject(reply);
        run_until(f, it_is_a_replica);
        assert_int_equal(f->downs, 0); /* it was not taken for a moment */
}

static bool it_has_what_was_acknowledged(struct fixture *f)
{
        return f->written > 20;
}

static void a_failover_by_hand(void **state)
{
        struct fixture *f = *state;
        int64_t at = clock_mono_ms();
        redisReply *reply = ask(f, 4, "SENTINEL FAILOVER m");

        assert_non_null(reply);
        assert_string_equal(reply->str, "OK");
        freeReplyObject(reply);
        follow(f, "by hand", at, 20000);
        run_until(f, it_has_what_was_acknowledged);
}

static bool it_is_down(struct fixture *f)
{
        return f->downs > 0 && !redis_is_up(f->link);
}

/* All that is left is a Sentinel that knows nothing of the name, or none at all. */
static void nobody_to_ask(void **state)
{
        struct fixture *f = *state;

        redis_close(f->link);
        f->under_way = false;
        assert_int_equal(redis_open(f->loop,
                                    &(struct redis_options){ .address = strcpy(f->address, "sentinel:m@127.0.0.1:1"),
                                                             .state = state_changed,
                                                             .user_data = f },
                                    &f->link),
                         0);
        run_until(f, it_is_down);
        assert_non_null(strstr(f->why, "Sentinel 127.0.0.1:1: "));
        redis_close(f->link);
        f->downs = 0;
        snprintf(f->address, sizeof(f->address), "sentinel:other@127.0.0.1:%d", f->port[3]);
        assert_int_equal(
                redis_open(f->loop,
                           &(struct redis_options){ .address = f->address, .state = state_changed, .user_data = f },
                           &f->link),
                0);
        run_until(f, it_is_down);
        assert_string_equal(f->why, "the Sentinels do not know 'other'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(most_of_those_configured_decide),
                cmocka_unit_test(another_port_is_another_place),
                cmocka_unit_test(answers_are_read),
                cmocka_unit_test_setup_teardown(a_killed_primary, setup, teardown),
                cmocka_unit_test_setup_teardown(a_paused_primary_wakes, setup, teardown),
                cmocka_unit_test_setup_teardown(a_failover_by_hand, setup, teardown),
                cmocka_unit_test_setup_teardown(nobody_to_ask, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
