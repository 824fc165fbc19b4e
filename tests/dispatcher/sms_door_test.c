/* The SMS door over real sockets: answers, deferred ones, places, limits, terms. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/loop.h"
#include "dispatcher/sms_door.h"

#define SECRET "0123456789abcdef"
#define HEAD   "POST /sms/in?secret=" SECRET " HTTP/1.1\r\n"
#define OBJECT HEAD "X-Kannel-From: +33600000001\r\nX-Kannel-Coding: 1\r\nContent-Length: 2\r\n\r\n\x84\x43"

struct bench {
        struct loop *loop;
        struct sms_door *door;
        uint64_t refs[SMS_DOOR_PENDING_MAX + 1];
        size_t arrived;
        bool take; /* at once */
        struct sms_request last;
};

static bool knows(void *user, const char *number)
{
        return strcmp(number, "+33600000001") == 0;
}

static void on_arrived(void *user, const struct sms_request *request, uint64_t ref)
{
        struct bench *b = user;

        b->last = *request;
        if (b->arrived < sizeof(b->refs) / sizeof(b->refs[0]))
                b->refs[b->arrived] = ref;
        b->arrived++;
        if (b->take)
                sms_door_taken(b->door, ref);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(sms_door_open(&(struct sms_door_options){ .loop = b->loop,
                                                                   .secret = SECRET,
                                                                   .seed = 7,
                                                                   .user = b,
                                                                   .knows = knows,
                                                                   .arrived = on_arrived },
                                       &b->door),
                         0);
        assert_int_equal(sms_door_start(b->door), 0);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        sms_door_close(b->door);
        assert_int_equal(loop_close(b->loop), 0);
        free(b);
        return 0;
}

static int dial(struct bench *b)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)sms_door_port(b->door)) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        return fd;
}

static void say(int fd, const char *text, size_t len)
{
        assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

#define SAY(fd, text) say(fd, text, sizeof(text) - 1)

/* turn: let the loop do what there is to do. */
static void turn(struct bench *b)
{
        for (int i = 0; i < 20; i++) {
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
                usleep(200);
        }
}

/* answer: the status of the next answer; 0: hung up; -1: none for now. */
static int answer(struct bench *b, int fd)
{
        char text[512];
        ssize_t len = -1;

        for (int i = 0; i < 100 && len < 0; i++) {
                turn(b);
                len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
                if (i == 5 && len < 0)
                        return -1;
        }
        if (len <= 0)
                return 0;
        text[len] = '\0';
        assert_int_equal(strncmp(text, "HTTP/1.1 ", 9), 0);
        return atoi(text + 9);
}

static void test_taken_later_and_at_once(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        SAY(fd, OBJECT);
        assert_int_equal(answer(b, fd), -1);
        assert_int_equal(b->arrived, 1);
        assert_int_equal(b->last.kind, SMS_REQUEST_OBJECT);
        assert_int_equal(sms_door_counts(b->door)->pending, 1);
        sms_door_taken(b->door, b->refs[0] + 1); /* another's */
        assert_int_equal(answer(b, fd), -1);
        sms_door_taken(b->door, b->refs[0]);
        assert_int_equal(answer(b, fd), 200);
        sms_door_taken(b->door, b->refs[0]); /* twice is once */
        assert_int_equal(answer(b, fd), -1);
        b->take = true;
        SAY(fd, OBJECT OBJECT); /* the same connection, two in one piece */
        assert_int_equal(answer(b, fd), 200);
        turn(b);
        assert_int_equal(b->arrived, 3);
        assert_int_equal(sms_door_counts(b->door)->pending, 0);
        close(fd);
        turn(b);
        assert_int_equal(sms_door_counts(b->door)->connections, 0);
}

static void test_in_pieces_and_hung_up(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        for (size_t i = 0; i < sizeof(OBJECT) - 1; i++) {
                say(fd, &OBJECT[i], 1);
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        }
        assert_int_equal(answer(b, fd), -1);
        assert_int_equal(b->arrived, 1);
        close(fd);
        turn(b);
        assert_int_equal(sms_door_counts(b->door)->pending, 0);
        sms_door_taken(b->door, b->refs[0]); /* nobody to tell */
        turn(b);
}

static void test_refused_and_junk(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        SAY(fd, HEAD "X-Kannel-From: +33600000002\r\nX-Kannel-Coding: 1\r\nContent-Length: 1\r\n\r\nx");
        assert_int_equal(answer(b, fd), 200);
        assert_int_equal(sms_door_counts(b->door)->junk, 1);
        SAY(fd, "POST /sms/in?secret=wrong HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
        assert_int_equal(answer(b, fd), 403);
        SAY(fd, "rubbish\r\n\r\n");
        assert_int_equal(answer(b, fd), 400);
        assert_int_equal(answer(b, fd), 0); /* what follows cannot be told apart */
        assert_int_equal(b->arrived, 0);
        assert_int_equal(sms_door_counts(b->door)->refused, 2);
        close(fd);
}

static void test_reports_need_no_answer(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        SAY(fd, "GET /sms/report?secret=" SECRET "&about=000102030405060708090a0b0c0d0e0f01&status=1 HTTP/1.1\r\n\r\n");
        assert_int_equal(answer(b, fd), 200);
        assert_int_equal(b->last.kind, SMS_REQUEST_REPORT);
        assert_int_equal(b->last.report, SMS_DELIVERED);
        assert_int_equal(b->refs[0], 0);
        close(fd);
}

static void write_from(int fd, unsigned number)
{
        char text[256];
        int len = snprintf(text, sizeof(text), HEAD "X-Kannel-From: +336%08u\r\nContent-Length: 2\r\n\r\nOK", number);

        say(fd, text, (size_t)len);
}

static void test_texts_of_one_number_are_limited(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        b->take = true;
        for (int i = 0; i < SMS_DOOR_TEXT_BURST + 1; i++) {
                write_from(fd, 5);
                assert_int_equal(answer(b, fd), 200); /* the one more as well: taken and forgotten */
        }
        assert_int_equal(b->arrived, SMS_DOOR_TEXT_BURST);
        assert_int_equal(sms_door_counts(b->door)->limited, 1);
        write_from(fd, 6); /* another's are not */
        assert_int_equal(answer(b, fd), 200);
        assert_int_equal(b->arrived, SMS_DOOR_TEXT_BURST + 1);
        SAY(fd, OBJECT); /* nor are objects */
        assert_int_equal(answer(b, fd), 200);
        assert_int_equal(b->arrived, SMS_DOOR_TEXT_BURST + 2);
        close(fd);
}

/* Strangers fill their places, not those of numbers that are known; at the bound all are told to come again. */
static void test_places(void **state)
{
        static int fd[SMS_DOOR_PENDING_MAX + 2];
        struct bench *b = *state;
        unsigned n = 0;

        for (; n < SMS_DOOR_STRANGERS_MAX; n++) {
                fd[n] = dial(b);
                write_from(fd[n], 100 + n);
        }
        assert_int_equal(answer(b, fd[0]), -1);
        assert_int_equal(b->arrived, SMS_DOOR_STRANGERS_MAX);
        fd[n] = dial(b);
        write_from(fd[n], 99);
        assert_int_equal(answer(b, fd[n]), 503);
        close(fd[n]);
        for (; n < SMS_DOOR_PENDING_MAX; n++) {
                fd[n] = dial(b);
                SAY(fd[n], OBJECT);
        }
        assert_int_equal(answer(b, fd[0]), -1);
        assert_int_equal(b->arrived, SMS_DOOR_PENDING_MAX);
        fd[n] = dial(b);
        SAY(fd[n], OBJECT);
        assert_int_equal(answer(b, fd[n]), 503);
        assert_int_equal(sms_door_counts(b->door)->busy, 2);
        sms_door_taken(b->door, b->refs[0]);
        assert_int_equal(answer(b, fd[0]), 200);
        assert_int_equal(answer(b, fd[n]), 0); /* to come again by a new connection */
        close(fd[n]);
        fd[n] = dial(b);
        SAY(fd[n], OBJECT);
        assert_int_equal(answer(b, fd[n]), -1);
        assert_int_equal(b->arrived, SMS_DOOR_PENDING_MAX + 1);
        for (unsigned i = 0; i <= n; i++)
                close(fd[i]);
        turn(b);
        assert_int_equal(sms_door_counts(b->door)->pending, 0);
}

static void test_connections(void **state)
{
        static int fd[SMS_DOOR_CONNECTIONS_MAX + 1];
        struct bench *b = *state;

        for (int i = 0; i < SMS_DOOR_CONNECTIONS_MAX; i++) {
                fd[i] = dial(b);
                say(fd[i], OBJECT,
                    i > 0 ? 10 : sizeof(OBJECT) - 1); /* all but the first are in the middle of a request */
        }
        turn(b);
        assert_int_equal(sms_door_counts(b->door)->connections, SMS_DOOR_CONNECTIONS_MAX);
        fd[SMS_DOOR_CONNECTIONS_MAX] = dial(b); /* nobody is idle */
        assert_int_equal(answer(b, fd[SMS_DOOR_CONNECTIONS_MAX]), 0);
        close(fd[SMS_DOOR_CONNECTIONS_MAX]);
        sms_door_taken(b->door, b->refs[0]);
        assert_int_equal(answer(b, fd[0]), 200);
        fd[SMS_DOOR_CONNECTIONS_MAX] = dial(b); /* the first is, now */
        assert_int_equal(answer(b, fd[SMS_DOOR_CONNECTIONS_MAX]), -1);
        assert_int_equal(answer(b, fd[0]), 0);
        assert_int_equal(sms_door_counts(b->door)->connections, SMS_DOOR_CONNECTIONS_MAX);
        for (int i = 0; i <= SMS_DOOR_CONNECTIONS_MAX; i++)
                close(fd[i]);
}

/* What is not taken in its term is told to come again; a taken that comes later finds nobody. */
static void test_late(void **state)
{
        struct bench *b = *state;
        struct sms_door *hasty;
        int fd, status = -1;

        assert_int_equal(
                sms_door_open(
                        &(struct sms_door_options){
                                .loop = b->loop, .secret = SECRET, .term_ms = 20, .user = b, .arrived = on_arrived },
                        &hasty),
                0);
        assert_int_equal(sms_door_start(hasty), 0);
        sms_door_close(b->door);
        b->door = hasty;
        fd = dial(b);
        SAY(fd, OBJECT);
        while (status == -1)
                status = answer(b, fd);
        assert_int_equal(status, 503);
        assert_int_equal(b->arrived, 1);
        assert_int_equal(sms_door_counts(hasty)->late, 1);
        assert_int_equal(sms_door_counts(hasty)->pending, 0);
        sms_door_taken(hasty, b->refs[0]);
        b->take = true;
        assert_int_equal(answer(b, fd), 0);
        close(fd);
        fd = dial(b);
        SAY(fd, OBJECT); /* the same SMS, by a new connection */
        assert_int_equal(answer(b, fd), 200);
        close(fd);
}

static void test_two_doors_and_one_stops(void **state)
{
        struct bench *b = *state;
        struct sms_door *other;
        int fd = dial(b), port = sms_door_port(b->door);

        assert_int_equal(
                sms_door_open(
                        &(struct sms_door_options){
                                .loop = b->loop, .port = port, .secret = SECRET, .user = b, .arrived = on_arrived },
                        &other),
                0);
        SAY(fd, OBJECT);
        assert_int_equal(answer(b, fd), -1);
        sms_door_stop(b->door);
        assert_int_equal(answer(b, fd), 0); /* not taken: it comes again, to the other */
        close(fd);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd,
                                 (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
                                                                           .sin_port = htons((uint16_t)port),
                                                                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                                 sizeof(struct sockaddr_in)),
                         -1); /* it is bound, and does not listen yet */
        close(fd);
        assert_int_equal(sms_door_start(other), 0);
        fd = dial(b);
        SAY(fd, OBJECT);
        assert_int_equal(answer(b, fd), -1);
        sms_door_taken(other, b->refs[1]);
        assert_int_equal(answer(b, fd), 200);
        close(fd);
        assert_int_equal(sms_door_start(b->door), 0); /* and back */
        sms_door_close(other);
        turn(b);
        fd = dial(b);
        SAY(fd, OBJECT);
        assert_int_equal(answer(b, fd), -1);
        assert_int_equal(b->arrived, 3);
        close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        struct rlimit files;
        const struct CMUnitTest tests[] = {
                CASE(test_taken_later_and_at_once),
                CASE(test_in_pieces_and_hung_up),
                CASE(test_refused_and_junk),
                CASE(test_reports_need_no_answer),
                CASE(test_texts_of_one_number_are_limited),
                CASE(test_places),
                CASE(test_connections),
                CASE(test_two_doors_and_one_stops),
                CASE(test_late),
        };

        getrlimit(RLIMIT_NOFILE, &files); /* both ends of each connection are ours */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
