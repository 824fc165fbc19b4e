/* A machine's clock that is wrong: the dispatcher sees Redis through a proxy that shifts the answers to TIME. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "dispatcher/run.h"
#include "tests/dispatcher/support/play.h"

#define PAIRS_MAX 32

struct proxy {
        struct sockaddr_un from, to;
        pthread_t thread;
        atomic_int shift_s;
        atomic_bool stop;
        struct pollfd fd[1 + 2 * PAIRS_MAX]; /* the listener, then client and server by turns */
        size_t count;
};

static int dial_unix(const struct sockaddr_un *to)
{
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        return connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 ? fd : -1;
}

/* shift: an answer to TIME is "*2\r\n$10\r\n", ten digits ... */
static void shift(char *data, size_t len, int by_s)
{
        static const char head[] = "*2\r\n$10\r\n1";
        char *at = memmem(data, len, head, sizeof(head) - 1);
        char digits[12];

        if (at == NULL || by_s == 0 || (size_t)(data + len - at) < sizeof(head) + 9)
                return;
        snprintf(digits, sizeof(digits), "%.10s", at + 9);
        snprintf(digits, sizeof(digits), "%010ld", strtol(digits, NULL, 10) + by_s);
        memcpy(at + 9, digits, 10);
}

static void forward(struct proxy *proxy, size_t i)
{
        char data[65536];
        size_t other = i % 2 == 1 ? i + 1 : i - 1;
        ssize_t n = read(proxy->fd[i].fd, data, sizeof(data));

        if (n > 0 && i % 2 == 0)
                shift(data, (size_t)n, atomic_load(&proxy->shift_s));
        if (n > 0 && send(proxy->fd[other].fd, data, (size_t)n, MSG_NOSIGNAL) == n)
                return;
        close(proxy->fd[i].fd);
        close(proxy->fd[other].fd);
        proxy->fd[i].fd = proxy->fd[other].fd = -1;
}

static void add_pair(struct proxy *proxy)
{
        int client = accept(proxy->fd[0].fd, NULL, NULL), server = dial_unix(&proxy->to);

        if (client < 0 || server < 0 || proxy->count + 2 > 1 + 2 * PAIRS_MAX)
                abort();
        proxy->fd[proxy->count++] = (struct pollfd){ .fd = client, .events = POLLIN };
        proxy->fd[proxy->count++] = (struct pollfd){ .fd = server, .events = POLLIN };
}

static void *run_proxy(void *user)
{
        struct proxy *proxy = user;

        while (!atomic_load(&proxy->stop)) {
                if (poll(proxy->fd, proxy->count, 50) <= 0)
                        continue;
                if ((proxy->fd[0].revents & POLLIN) != 0)
                        add_pair(proxy);
                for (size_t i = 1; i < proxy->count; i++)
                        if (proxy->fd[i].fd >= 0 && proxy->fd[i].revents != 0)
                                forward(proxy, i);
        }
        for (size_t i = 0; i < proxy->count; i++)
                close(proxy->fd[i].fd);
        return NULL;
}

static void open_proxy(struct proxy *proxy, const struct place *place)
{
        memset(proxy, 0, sizeof(*proxy));
        proxy->from.sun_family = proxy->to.sun_family = AF_UNIX;
        snprintf(proxy->from.sun_path, sizeof(proxy->from.sun_path), "%s", place_path(place, "proxy.sock"));
        snprintf(proxy->to.sun_path, sizeof(proxy->to.sun_path), "%s", place_path(place, "alerts.sock"));
        proxy->fd[0] = (struct pollfd){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .events = POLLIN };
        proxy->count = 1;
        assert_int_equal(bind(proxy->fd[0].fd, (struct sockaddr *)&proxy->from, sizeof(proxy->from)), 0);
        assert_int_equal(listen(proxy->fd[0].fd, 16), 0);
        assert_int_equal(pthread_create(&proxy->thread, NULL, run_proxy, proxy), 0);
}

static void close_proxy(struct proxy *proxy)
{
        atomic_store(&proxy->stop, true);
        pthread_join(proxy->thread, NULL);
}

static bool notice_stands(struct region *region, int i)
{
        redisReply *reply =
                region_ask(region, i == 0 ? "HEXISTS {r}:notices tech:d0:clock" : "HEXISTS {r}:notices tech:d1:clock");
        bool stands = reply->integer == 1;

        freeReplyObject(reply);
        return stands;
}

static void until_notice_of(struct region *region, int i, bool wanted)
{
        for (int tries = 0; tries < 400 && notice_stands(region, i) != wanted; tries++)
                usleep(50000);
        assert_int_equal(notice_stands(region, i), wanted);
}

static void until_notice(struct region *region, bool wanted)
{
        until_notice_of(region, 0, wanted);
}

/* Where all are as far from Redis's clock, it is Redis's: nobody leaves. */
static void test_the_stores_own_clock_sends_nobody_away(void **state)
{
        struct region *region = *state;
        static struct proxy proxy;
        struct phone phones[2];
        struct record record;
        char address[200];

        open_proxy(&proxy, &region->place);
        snprintf(address, sizeof(address), "alerts.address=%s", proxy.from.sun_path);
        for (int i = 0; i < 2; i++) {
                region_start(region, i, address);
                assert_int_equal(region_dial(region, i, 1 + (unsigned)i, &phones[i]), 0);
                assert_int_equal(region_hello(&phones[i], HANDSET_CARRIER), 0);
        }
        atomic_store(&proxy.shift_s, -60);
        until_notice_of(region, 0, true);
        until_notice_of(region, 1, true);
        sleep(RUN_CLOCK_READINGS + 2); /* it would have left by then */
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        for (int i = 0; i < 2; i++) {
                struct phone other;

                phone_hang_up(&phones[i]);
                assert_int_equal(region_dial(region, i, 1 + (unsigned)i, &other), 0);
                phone_hang_up(&other);
                region_signal(region, i, SIGTERM);
        }
        for (int i = 0; i < 2; i++)
                assert_int_equal(region_wait(region, i), 0);
        close_proxy(&proxy);
}

static void test_two_seconds_are_told_thirty_leave_duty(void **state)
{
        struct region *region = *state;
        static struct proxy proxy;
        static struct record record;
        static uint8_t buf[FRAME_REGION_MAX];
        struct phone phone;
        char address[200];
        int r = 0;

        open_proxy(&proxy, &region->place);
        snprintf(address, sizeof(address), "alerts.address=%s", proxy.from.sun_path);
        region_start(region, 0, address);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        atomic_store(&proxy.shift_s, 5);
        until_notice(region, true);
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record); /* it serves all the same */
        atomic_store(&proxy.shift_s, -60);
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_equal(phone.close_code, 1001);
        phone_hang_up(&phone);
        assert_int_equal(region_dial(region, 0, 1, &phone), -1); /* nobody listens */
        phone_hang_up(&phone);
        atomic_store(&proxy.shift_s, 0);
        until_notice(region, false);
        for (int i = 0; i < 100 && (r = region_dial(region, 0, 1, &phone)) != 0; i++) {
                phone_hang_up(&phone);
                usleep(50000);
        }
        assert_int_equal(r, 0);
        phone_hang_up(&phone);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
        close_proxy(&proxy);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_two_seconds_are_told_thirty_leave_duty, play_set_up,
                                                play_tear_down),
                cmocka_unit_test_setup_teardown(test_the_stores_own_clock_sends_nobody_away, play_set_up,
                                                play_tear_down),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
