/* The other end is a child process: it answers with what it was asked; "hang up" ends it, "long" is answered with too much, "late" not
 * at all. */
#include "base/seqpacket.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/base/folder.h"

#define ANSWER_MAX 64

struct scene {
        struct folder folder;
        char path[128];
        struct loop *loop;
        struct seqpacket *link;
        pid_t server;
        struct wheel_timer limit;
        unsigned ups, downs, answers, unknown, ask_at_up;
        unsigned stop_answers; /* the loop ends at so many answers of both kinds, */
        unsigned stop_downs;   /* or ends of the link */
        char last[ANSWER_MAX + 1], order[1024];
};

static void serve(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), fd;
        char text[256];
        ssize_t n;

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        strcpy(address.sun_path, path);
        if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 4) < 0)
                _exit(1);
        for (;;) {
                fd = accept(listener, NULL, NULL);
                while ((n = recv(fd, text, sizeof(text), 0)) > 0) {
                        if (n == 7 && memcmp(text, "hang up", 7) == 0)
                                break;
                        if (n == 4 && memcmp(text, "late", 4) == 0)
                                continue;
                        if (n == 4 && memcmp(text, "long", 4) == 0)
                                n = ANSWER_MAX + 1;
                        if (send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
                                break;
                }
                close(fd);
        }
}

static void begin_server(struct scene *s)
{
        s->server = fork();
        if (s->server == 0)
                serve(s->path);
        assert_true(s->server > 0);
}

static void end_server(struct scene *s)
{
        kill(s->server, SIGKILL);
        waitpid(s->server, NULL, 0);
        unlink(s->path);
}

static void on_answer(void *user, const uint8_t *answer, size_t len)
{
        struct scene *s = user;

        if (answer != NULL) {
                s->answers++;
                memcpy(s->last, answer, len);
                s->last[len] = '\0';
                if (strlen(s->order) + len < sizeof(s->order))
                        strcat(s->order, s->last);
        } else {
                s->unknown++;
        }
        if (s->answers + s->unknown == s->stop_answers)
                loop_stop(s->loop);
}

static void ask(struct scene *s, const char *text)
{
        unsigned before = s->answers + s->unknown;

        assert_int_equal(seqpacket_ask(s->link, text, strlen(text), on_answer, s), 0);
        assert_int_equal(s->answers + s->unknown, before); /* never from within the call */
}

static void on_state(void *user, bool up, const char *why)
{
        struct scene *s = user;

        assert_int_equal(up, why == NULL);
        if (up)
                s->ups++;
        else
                s->downs++;
        for (; up && s->ask_at_up > 0; s->ask_at_up--)
                ask(s, s->ask_at_up % 2 == 0 ? "a" : "b");
        if ((up && s->stop_answers == 0 && s->stop_downs == 0) || (!up && s->downs == s->stop_downs))
                loop_stop(s->loop);
}

static void on_limit(struct wheel_timer *timer, int64_t now_mono_ms)
{
        fail_msg("nothing came in 60 s");
}

static void run(struct scene *s)
{
        wheel_timer_init(&s->limit, on_limit, s);
        loop_timer_arm(s->loop, &s->limit, clock_mono_ms() + 60000);
        loop_run(s->loop);
        loop_timer_cancel(s->loop, &s->limit);
}

static void begin(struct scene *s)
{
        struct seqpacket_options options = { s->path, ANSWER_MAX, on_state, s };

        folder_make(&s->folder);
        folder_file(&s->folder, "socket", s->path);
        assert_int_equal(loop_open(&s->loop), 0);
        assert_int_equal(seqpacket_open(s->loop, &options, &s->link), 0);
        assert_false(seqpacket_is_up(s->link));
}

static void end(struct scene *s)
{
        seqpacket_close(s->link);
        assert_int_equal(loop_close(s->loop), 0);
        end_server(s);
        rmdir(s->folder.path);
}

static void test_answers_in_order(void **state)
{
        struct scene s = { .stop_answers = 4, .ask_at_up = 4 };

        begin(&s);
        begin_server(&s);
        run(&s);
        assert_string_equal(s.order, "abab");
        assert_int_equal(s.ups, 1);
        assert_int_equal(seqpacket_ask(s.link, "", 0, on_answer, &s), -EINVAL);
        end(&s);
}

static void test_comes_when_the_server_does(void **state)
{
        struct scene s = { .stop_downs = 1 };

        begin(&s);
        assert_int_equal(seqpacket_ask(s.link, "x", 1, on_answer, &s), -ENOTCONN);
        run(&s); /* nobody there: told once */
        s.stop_downs = 0;
        begin_server(&s);
        run(&s);
        assert_int_equal(s.ups, 1);
        assert_int_equal(s.downs, 1);
        end(&s);
}

/* Whoever waits when it hangs up, or says too much, is told that nobody knows; and then it is there again. */
static void test_hangs_up(void **state)
{
        static const char *const spoiled[] = { "hang up", "long", "late" };

        for (size_t i = 0; i < 3; i++) {
                struct scene s = { 0 };

                begin(&s);
                begin_server(&s);
                run(&s);
                s.stop_downs = s.downs + 1;
                ask(&s, "one");
                ask(&s, spoiled[i]);
                if (i ==
                    1) /* behind "hang up" it would be unread at the close, which takes the answers before it along */
                        ask(&s, "two");
                run(&s); /* "late": after SEQPACKET_TIMEOUT_MS */
                assert_int_equal(s.answers, 1);
                assert_string_equal(s.last, "one");
                assert_int_equal(s.unknown, i == 1 ? 2 : 1);
                assert_false(seqpacket_is_up(s.link));
                s.stop_downs = 0;
                run(&s);
                s.stop_answers = s.answers + s.unknown + 1;
                ask(&s, "again");
                run(&s);
                assert_string_equal(s.last, "again");
                end(&s);
        }
}

static void test_bound(void **state)
{
        struct scene s = { 0 };

        begin(&s);
        begin_server(&s);
        run(&s);
        for (unsigned i = 0; i < SEQPACKET_PENDING_MAX; i++)
                ask(&s, "late");
        assert_int_equal(seqpacket_ask(s.link, "x", 1, on_answer, &s), -ENOBUFS);
        seqpacket_close(s.link);
        s.link = NULL;
        assert_int_equal(s.unknown, SEQPACKET_PENDING_MAX);
        end(&s);
}

static void test_path(void **state)
{
        struct seqpacket_options options = { "/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"
                                             "0123456789/0123456789/0123456789/0123456789/",
                                             1, NULL, NULL };
        struct seqpacket *link;

        assert_int_equal(seqpacket_open(NULL, &options, &link), -ENAMETOOLONG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers_in_order),
                cmocka_unit_test(test_comes_when_the_server_does),
                cmocka_unit_test(test_hangs_up),
                cmocka_unit_test(test_bound),
                cmocka_unit_test(test_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
