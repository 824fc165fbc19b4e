/* The link against a real redis-server of its own on a unix socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "base/redis.h"
#include "tests/base/folder.h"

/* Bound for waiting: far more than it takes; reached only by a bug. */
#define PATIENCE_MS 30000

struct fixture {
        struct folder folder;
        char socket[128];
        pid_t server;
        struct loop *loop;
        struct redis_link *link;
        struct wheel_timer patience, pulse;
        bool (*until)(struct fixture *f);
        int ups, downs, replies, unknown;
        char why[200], reply[64];
        int reply_type;
};

static void start_server(struct fixture *f)
{
        if ((f->server = fork()) == 0) {
                int null = open("/dev/null", O_RDWR);

                prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
                dup2(null, STDOUT_FILENO);
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", f->socket, "--save", "", "--dir",
                       f->folder.path, NULL);
                _exit(127);
        }
}

static void kill_server(struct fixture *f)
{
        kill(f->server, SIGKILL);
        waitpid(f->server, NULL, 0);
}

static void state_changed(void *user, bool up, const char *why)
{
        struct fixture *f = user;

        assert_int_equal(up, redis_is_up(f->link));
        if (up)
                f->ups++;
        else
                f->downs++;
        assert_int_equal(why == NULL, up);
        snprintf(f->why, sizeof(f->why), "%s", up ? "" : why);
}

static void replied(void *user, struct redisReply *reply)
{
        struct fixture *f = user;

        f->replies++;
        if (reply == NULL) {
                f->unknown++;
                assert_false(redis_is_up(f->link));
                return;
        }
        f->reply_type = reply->type;
        if (reply->type == REDIS_REPLY_INTEGER)
                snprintf(f->reply, sizeof(f->reply), "%lld", reply->integer);
        else
                snprintf(f->reply, sizeof(f->reply), "%s", reply->str != NULL ? reply->str : "");
}

static void out_of_patience(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        kill_server(f);
        fail_msg("waited for nothing");
}

static void pulse(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct fixture *f = timer->user;

        if (f->until(f))
                loop_stop(f->loop);
        else
                loop_timer_arm(f->loop, timer, now_mono_ms + 1);
}

static void run_until(struct fixture *f, bool (*until)(struct fixture *f))
{
        f->until = until;
        loop_timer_arm(f->loop, &f->patience, clock_mono_ms() + PATIENCE_MS);
        loop_timer_arm(f->loop, &f->pulse, clock_mono_ms());
        loop_run(f->loop);
        loop_timer_cancel(f->loop, &f->patience);
}

static bool is_up(struct fixture *f)
{
        return redis_is_up(f->link);
}

static bool is_down(struct fixture *f)
{
        return f->downs > 0 && !redis_is_up(f->link);
}

static bool has_reply(struct fixture *f)
{
        return f->replies > 0;
}

static void open_link(struct fixture *f, const struct redis_options *more)
{
        struct redis_options options = *more;

        if (options.address == NULL)
                options.address = f->socket;
        options.state = state_changed;
        options.user_data = f;
        assert_int_equal(redis_open(f->loop, &options, &f->link), 0);
        assert_false(redis_is_up(f->link));
}

static void setup(struct fixture *f)
{
        memset(f, 0, sizeof(*f));
        folder_make(&f->folder);
        folder_file(&f->folder, "redis.sock", f->socket);
        assert_int_equal(loop_open(&f->loop), 0);
        wheel_timer_init(&f->patience, out_of_patience, f);
        wheel_timer_init(&f->pulse, pulse, f);
}

static void teardown(struct fixture *f)
{
        redis_close(f->link);
        assert_int_equal(loop_close(f->loop), 0);
        if (f->server > 0)
                kill_server(f);
        folder_remove(&f->folder);
}

static void start(struct fixture *f)
{
        setup(f);
        start_server(f);
        open_link(f, &(struct redis_options){ 0 });
        run_until(f, is_up);
        f->ups = f->downs = 0;
}

/* Give a command of words and wait for its answer. */
static void command(struct fixture *f, const char *const *words)
{
        struct redis_args args;

        redis_args_init(&args, words[0]);
        for (int i = 1; words[i] != NULL; i++)
                redis_arg(&args, words[i]);
        f->replies = 0;
        assert_int_equal(redis_command(f->link, &args, replied, f), 0);
        assert_int_equal(f->replies, 0);
        run_until(f, has_reply);
}

#define COMMAND(f, ...) command(f, (const char *const[]){ __VA_ARGS__, NULL })

static void commands_are_answered(void **state)
{
        struct fixture f;
        struct redis_args args;

        start(&f);
        redis_args_init(&args, "SET");
        redis_arg_data(&args, "a\0b", 3);
        redis_arg_int(&args, INT64_MIN);
        assert_int_equal(redis_command(f.link, &args, NULL, NULL), 0);
        assert_int_equal(redis_pending(f.link), 1);
        redis_args_init(&args, "GET");
        redis_arg_data(&args, "a\0b", 3);
        assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        run_until(&f, has_reply);
        assert_string_equal(f.reply, "-9223372036854775808");
        assert_int_equal(redis_pending(f.link), 0);
        COMMAND(&f, "NOSUCH");
        assert_int_equal(f.reply_type, REDIS_REPLY_ERROR);
        assert_int_equal(f.downs, 0);
        teardown(&f);
}

static void refused_and_then_there(void **state)
{
        struct fixture f;
        struct redis_args args;

        setup(&f);
        open_link(&f, &(struct redis_options){ 0 });
        run_until(&f, is_down);
        assert_string_equal(f.why, "No such file or directory");
        redis_args_init(&args, "PING");
        assert_int_equal(redis_command(f.link, &args, replied, &f), -ENOTCONN);
        start_server(&f);
        run_until(&f, is_up);
        assert_int_equal(f.ups, 1);
        assert_int_equal(f.replies, 0);
        teardown(&f);
}

/* A TCP port nobody listens on: the case in which hiredis's own adapter waits for ever. */
static void tcp_refused(void **state)
{
        struct fixture f;
        int64_t begin;

        setup(&f);
        open_link(&f, &(struct redis_options){ .address = "127.0.0.1:1" });
        begin = clock_mono_ms();
        run_until(&f, is_down);
        assert_non_null(strstr(f.why, "refused"));
        assert_true(clock_mono_ms() - begin < REDIS_WATCHDOG_MS); /* not by the watchdog */
        assert_int_equal(f.downs, 1);
        teardown(&f);
}

static void killed_and_restarted(void **state)
{
        struct fixture f;

        start(&f);
        for (int i = 1; i <= 3; i++) {
                kill_server(&f);
                run_until(&f, is_down);
                start_server(&f);
                run_until(&f, is_up);
                assert_int_equal(f.ups, i);
                COMMAND(&f, "ECHO", "again");
                assert_string_equal(f.reply, "again");
        }
        teardown(&f);
}

static bool all_unknown(struct fixture *f)
{
        return f->unknown == 3;
}

/* Commands that wait when the server stops for ever: the watchdog ends the link, each is answered NULL, once. */
static void a_stopped_server_is_noticed(void **state)
{
        struct fixture f;
        struct redis_args args;
        int64_t begin;

        start(&f);
        assert_int_equal(kill(f.server, SIGSTOP), 0);
        begin = clock_mono_ms();
        redis_args_init(&args, "INCR");
        redis_arg(&args, "n");
        for (int i = 0; i < 3; i++)
                assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        run_until(&f, all_unknown);
        run_until(&f, is_down);
        assert_string_equal(f.why, "no answer in 2000 ms");
        assert_true(clock_mono_ms() - begin >= REDIS_WATCHDOG_MS - REDIS_PING_MS);
        assert_int_equal(f.replies, 3);
        assert_int_equal(redis_pending(f.link), 0);
        assert_int_equal(kill(f.server, SIGCONT), 0);
        run_until(&f, is_up);
        COMMAND(&f, "ECHO", "back");
        assert_string_equal(f.reply, "back");
        teardown(&f);
}

/* A server that accepts and says nothing is not up. */
static void stopped_from_the_start(void **state)
{
        struct fixture f;

        start(&f);
        assert_int_equal(kill(f.server, SIGSTOP), 0);
        redis_close(f.link);
        f.ups = f.downs = 0;
        open_link(&f, &(struct redis_options){ 0 });
        run_until(&f, is_down);
        assert_string_equal(f.why, "no answer in 2000 ms");
        assert_int_equal(f.ups, 0);
        teardown(&f);
}

static void the_queue_is_bounded(void **state)
{
        struct fixture f;
        struct redis_args args;

        setup(&f);
        start_server(&f);
        open_link(&f, &(struct redis_options){ .pending_max = 10 });
        run_until(&f, is_up);
        redis_args_init(&args, "ECHO");
        redis_arg(&args, "x");
        for (int i = 0; i < 10; i++)
                assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        assert_int_equal(redis_command(f.link, &args, replied, &f), -ENOBUFS);
        run_until(&f, has_reply);
        assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        teardown(&f);
        assert_int_equal(f.replies, 11);
}

static void words_are_bounded(void **state)
{
        struct fixture f;
        struct redis_args args;
        char *large = calloc(1, REDIS_COMMAND_SIZE_MAX);

        start(&f);
        redis_args_init(&args, "DEL");
        for (int i = 1; i < REDIS_ARGS_MAX; i++)
                redis_arg(&args, "k");
        assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        redis_arg(&args, "k");
        redis_arg(&args, "k");
        assert_int_equal(redis_command(f.link, &args, replied, &f), -E2BIG);
        redis_args_init(&args, "ECHO");
        redis_arg_data(&args, large, REDIS_COMMAND_SIZE_MAX - 4);
        assert_int_equal(redis_command(f.link, &args, replied, &f), 0);
        redis_args_init(&args, "ECHO");
        redis_arg_data(&args, large, REDIS_COMMAND_SIZE_MAX - 3);
        assert_int_equal(redis_command(f.link, &args, replied, &f), -E2BIG);
        redis_args_init(&args, "DEL");
        for (int i = 0; i < 33; i++)
                redis_arg_int(&args, i);
        assert_int_equal(redis_command(f.link, &args, replied, &f), -E2BIG);
        teardown(&f);
        free(large);
}

static void eval(struct fixture *f, const struct redis_script *script)
{
        struct redis_args args;

        redis_args_init(&args, "EVALSHA");
        redis_arg(&args, script->sha1);
        redis_arg_int(&args, 1);
        redis_arg(&args, "key");
        redis_arg(&args, "argument");
        f->replies = 0;
        assert_int_equal(redis_eval(f->link, script, &args, replied, f), 0);
        run_until(f, has_reply);
}

static void a_script_that_was_flushed_runs(void **state)
{
        struct redis_script script, other;
        struct fixture f;

        start(&f);
        assert_int_equal(redis_script_init(&script, "return KEYS[1] .. '+' .. ARGV[1]"), 0);
        assert_int_equal(redis_script_init(&other, "return redis.error_reply('ERR no')"), 0);
        COMMAND(&f, "SCRIPT", "LOAD", script.text);
        assert_string_equal(f.reply, script.sha1); /* Redis computes the same */
        for (int i = 0; i < 3; i++) {
                eval(&f, &script);
                assert_string_equal(f.reply, "key+argument");
                COMMAND(&f, "SCRIPT", "FLUSH");
        }
        eval(&f, &other); /* unknown, then an error of its own: not tried again */
        assert_int_equal(f.reply_type, REDIS_REPLY_ERROR);
        assert_string_equal(f.reply, "ERR no");
        assert_int_equal(f.replies, 1);
        assert_int_equal(redis_pending(f.link), 0);
        teardown(&f);
}

static void passwords_are_sent(void **state)
{
        struct fixture f;

        start(&f);
        COMMAND(&f, "ACL", "SETUSER", "console", "on", ">secret", "+ping", "+echo");
        redis_close(f.link);
        open_link(&f, &(struct redis_options){ .user = "console", .password = "secret" });
        run_until(&f, is_up);
        COMMAND(&f, "SET", "a", "b");
        assert_memory_equal(f.reply, "NOPERM", 6);
        redis_close(f.link);
        f.ups = f.downs = 0;
        open_link(&f, &(struct redis_options){ .user = "console", .password = "wrong" });
        run_until(&f, is_down);
        assert_memory_equal(f.why, "WRONGPASS", 9);
        assert_int_equal(f.ups, 0);
        redis_close(f.link);
        open_link(&f, &(struct redis_options){ 0 });
        run_until(&f, is_up);
        COMMAND(&f, "CONFIG", "SET", "requirepass", "old");
        redis_close(f.link);
        open_link(&f, &(struct redis_options){ .password = "old" });
        run_until(&f, is_up);
        redis_close(f.link);
        f.downs = 0;
        open_link(&f, &(struct redis_options){ 0 });
        run_until(&f, is_down);
        assert_memory_equal(f.why, "NOAUTH", 6);
        teardown(&f);
}

static void blocked(void *user, struct redisReply *reply)
{
        struct fixture *f = user;
        struct redis_args args;

        f->replies++;
        if (reply == NULL)
                return;
        redis_args_init(&args, "XREAD");
        redis_arg(&args, "BLOCK");
        redis_arg_int(&args, REDIS_BLOCK_MS);
        redis_arg(&args, "STREAMS");
        redis_arg(&args, "feed");
        redis_arg(&args, "$");
        assert_int_equal(redis_command(f->link, &args, blocked, f), 0);
}

static bool four_replies(struct fixture *f)
{
        return f->replies >= 4;
}

/* XREAD BLOCK, one after the other: the watchdog's PING waits behind them and does not bite. */
static void a_blocking_link_stays_up(void **state)
{
        struct fixture f;
        struct redisReply any = { .type = REDIS_REPLY_NIL };

        setup(&f);
        start_server(&f);
        open_link(&f, &(struct redis_options){ .blocking = true });
        run_until(&f, is_up);
        f.downs = 0;
        blocked(&f, &any);
        run_until(&f, four_replies);
        assert_int_equal(f.downs, 0);
        teardown(&f);
}

static void close_inside(void *user, struct redisReply *reply)
{
        struct fixture *f = user;

        assert_int_equal(++f->replies, 1);
        redis_close(f->link);
        f->link = NULL;
}

static void count_unknown(void *user, struct redisReply *reply)
{
        struct fixture *f = user;

        assert_null(reply);
        f->unknown++;
}

static bool two_unknown(struct fixture *f)
{
        return f->unknown == 2;
}

static void may_be_closed_in_a_callback(void **state)
{
        struct fixture f;
        struct redis_args args, wait;

        start(&f);
        redis_args_init(&args, "PING");
        redis_args_init(&wait, "BLPOP");
        redis_arg(&wait, "nothing");
        redis_arg(&wait, "0");
        assert_int_equal(redis_command(f.link, &args, close_inside, &f), 0);
        assert_int_equal(redis_command(f.link, &wait, count_unknown, &f), 0);
        assert_int_equal(redis_command(f.link, &args, count_unknown, &f), 0);
        run_until(&f, two_unknown);
        assert_int_equal(f.ups + f.downs, 0);
        teardown(&f);
}

static void close_when_down(void *user, bool up, const char *why)
{
        struct fixture *f = user;

        if (up)
                return;
        f->downs++;
        redis_close(f->link);
        f->link = NULL;
}

static bool closed(struct fixture *f)
{
        return f->link == NULL;
}

static void may_be_closed_in_the_state_callback(void **state)
{
        struct fixture f;
        struct redis_options options = { .state = close_when_down, .user_data = &f };

        setup(&f);
        options.address = "/nowhere/redis.sock"; /* fails in the attempt itself */
        assert_int_equal(redis_open(f.loop, &options, &f.link), 0);
        run_until(&f, closed);
        options.address = "127.0.0.1:1"; /* fails later */
        assert_int_equal(redis_open(f.loop, &options, &f.link), 0);
        run_until(&f, closed);
        start_server(&f);
        options.address = f.socket;
        options.state = state_changed;
        assert_int_equal(redis_open(f.loop, &options, &f.link), 0);
        run_until(&f, is_up);
        redis_close(f.link);
        f.downs = 2; /* while it started it was down as well */
        options.state = close_when_down;
        assert_int_equal(redis_open(f.loop, &options, &f.link), 0);
        run_until(&f, is_up);
        kill_server(&f);
        f.server = 0;
        run_until(&f, closed);
        assert_int_equal(f.downs, 3);
        teardown(&f);
}

static void addresses_are_read(void **state)
{
        static const char *const wrong[] = { "",      "localhost",      "localhost:", "localhost:0", "localhost:65536",
                                             ":6379", "localhost:6379x", "localhost:-1",   "::1:6379",    "[]:6379",
                                             "a b:6379", "a/b:6379" };
        char path[REDIS_SOCKET_MAX + 2];
        struct fixture f;

        memset(path, '/', sizeof(path));
        path[REDIS_SOCKET_MAX + 1] = '\0';
        assert_false(redis_address_valid(path));
        path[REDIS_SOCKET_MAX] = '\0';
        assert_true(redis_address_valid(path));
        assert_true(redis_address_valid("localhost:65535"));

        setup(&f);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(redis_open(f.loop, &(struct redis_options){ .address = wrong[i] }, &f.link), -EINVAL);
        assert_int_equal(redis_open(f.loop, &(struct redis_options){ .address = "[::1]:1" }, &f.link), 0);
        teardown(&f); /* never ran: closing says and leaks nothing */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(commands_are_answered),
                cmocka_unit_test(refused_and_then_there),
                cmocka_unit_test(tcp_refused),
                cmocka_unit_test(killed_and_restarted),
                cmocka_unit_test(a_stopped_server_is_noticed),
                cmocka_unit_test(stopped_from_the_start),
                cmocka_unit_test(the_queue_is_bounded),
                cmocka_unit_test(words_are_bounded),
                cmocka_unit_test(a_script_that_was_flushed_runs),
                cmocka_unit_test(passwords_are_sent),
                cmocka_unit_test(a_blocking_link_stays_up),
                cmocka_unit_test(may_be_closed_in_a_callback),
                cmocka_unit_test(may_be_closed_in_the_state_callback),
                cmocka_unit_test(addresses_are_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
