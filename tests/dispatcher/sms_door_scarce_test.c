/* The SMS door where memory is refused as the gateway connects: the gateway waits, and is not shut out for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/scarce.h"

#include "dispatcher/sms_door.c"

#define SECRET  "0123456789abcdef"
#define HEAD    "POST /sms/in?secret=" SECRET " HTTP/1.1\r\n"
#define MESSAGE HEAD "X-Kannel-From: +33600000001\r\nX-Kannel-Coding: 1\r\nContent-Length: 2\r\n\r\n\x84\x43"

struct bench {
        struct loop *loop;
        struct sms_door *door;
};

static void on_arrived(void *user, const struct sms_request *request, uint64_t ref)
{
        struct bench *b = user;

        sms_door_taken(b->door, ref);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(
                sms_door_open(
                        &(struct sms_door_options){ .loop = b->loop, .secret = SECRET, .user = b, .arrived = on_arrived },
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

static int dial(const struct bench *b)
{
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)sms_door_port(b->door)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(write(fd, MESSAGE, sizeof(MESSAGE) - 1), sizeof(MESSAGE) - 1);
        return fd;
}

static void taken(struct bench *b, int fd)
{
        char text[16] = "";
        int64_t end = clock_mono_ms() + 20000;

        while (recv(fd, text, 12, MSG_DONTWAIT) <= 0) {
                if (clock_mono_ms() > end)
                        fail_msg("no answer in 20 s; %zu connections", b->door->counts.connections);
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
                usleep(1000);
        }
        assert_string_equal(text, "HTTP/1.1 200");
        close(fd);
}

static void refused_and_taken_later(void **state)
{
        struct bench *b = *state;
        int one, two;

        scarce = 2;
        one = dial(b);
        two = dial(b);
        taken(b, one);
        taken(b, two);
        assert_int_equal(scarce, 0);
        taken(b, dial(b));
}

/* The door stops while somebody waits, and the loop lets go of it; it starts anew. */
static void stopped_while_somebody_waits(void **state)
{
        struct bench *b = *state;
        int fd = dial(b);

        for (scarce = 1; scarce > 0;)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        sms_door_stop(b->door);
        close(fd);
        for (int64_t end = clock_mono_ms() + 2 * AGAIN_MS; clock_mono_ms() < end;)
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        assert_int_equal(sms_door_start(b->door), 0);
        taken(b, dial(b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(refused_and_taken_later, set_up, tear_down),
                cmocka_unit_test_setup_teardown(stopped_while_somebody_waits, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
