/* The line to a modem: a pseudo-terminal that is not there, comes, talks, hangs, goes and comes back; nothing of it holds the
 * loop.  The talk itself is at_test's. */
#include "device/handset/host/modem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "tests/device/handset/host/support.h"

#define OURS               \
        "0044"             \
        "0B913307900009F0" \
        "0004"             \
        "62505001929580"   \
        "0A"               \
        "0605043F130000"   \
        "D28401"

struct line {
        struct folder folder;
        char path[128];
        struct loop *loop;
        struct modem *modem;
        int master; /* -1: unplugged */
        bool hung;
        char heard[512];
        size_t len;
        enum vigie_modem state, wanted;
        unsigned sent, ok, sms;
        bool done; /* what spin() waits for */
};

static void on_state(void *user, enum vigie_modem state)
{
        struct line *l = user;

        l->state = state;
        l->done |= state == l->wanted;
}

static void on_sms(void *user, const uint8_t *data, size_t len)
{
        struct line *l = user;

        l->sms += len == 3 && memcmp(data, "\xd2\x84\x01", 3) == 0;
        l->done = true;
}

static void on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        struct line *l = user;

        l->sent = ticket;
        l->ok = ok;
        l->done = true;
}

static void plug(struct line *l)
{
        l->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
        assert_true(l->master >= 0 && grantpt(l->master) == 0 && unlockpt(l->master) == 0);
        unlink(l->path);
        assert_int_equal(symlink(ptsname(l->master), l->path), 0);
        l->len = 0;
}

static void unplug(struct line *l)
{
        unlink(l->path);
        close(l->master);
        l->master = -1;
}

static void reply(struct line *l, const char *text)
{
        assert_int_equal(write(l->master, text, strlen(text)), strlen(text));
}

/* A modem that is ready, in a few words. */
static void respond(struct line *l)
{
        ssize_t n = l->master >= 0 && !l->hung ? read(l->master, l->heard + l->len, sizeof(l->heard) - 1 - l->len) : -1;
        char *end;

        if (n <= 0)
                return;
        l->len += (size_t)n;
        l->heard[l->len] = 0;
        while ((end = strpbrk(l->heard, "\r\x1a")) != NULL) {
                if (strstr(l->heard, "AT+CMGS=23\r") != NULL)
                        reply(l, "\r\n> ");
                else if (strstr(l->heard, "AT+CPIN?") != NULL)
                        reply(l, "\r\n+CPIN: READY\r\n\r\nOK\r\n");
                else if (strstr(l->heard, "AT+CREG?") != NULL)
                        reply(l, "\r\n+CREG: 1,1\r\n\r\nOK\r\n");
                else if (strstr(l->heard, "AT+CMGR=") != NULL)
                        reply(l, "\r\n+CMGR: 0,,30\r\n" OURS "\r\n\r\nOK\r\n");
                else
                        reply(l, "\r\nOK\r\n");
                l->len = strlen(end + 1);
                memmove(l->heard, end + 1, l->len + 1);
        }
}

/* Run loop and modem until something of `done` has come. */
static bool comes(struct line *l)
{
        int64_t until_mono_ms = clock_mono_ms() + 3 * SPIN_MS; /* one that hangs is found out after 8 s */

        for (l->done = l->wanted != VIGIE_MODEM_END && l->state == l->wanted;
             !l->done && clock_mono_ms() < until_mono_ms;) {
                respond(l);
                uv_run(loop_uv(l->loop), UV_RUN_NOWAIT);
                usleep(500);
        }
        return l->done;
}

static bool becomes(struct line *l, enum vigie_modem state)
{
        bool came;

        l->wanted = state;
        came = comes(l);
        l->wanted = VIGIE_MODEM_END;
        return came;
}

static int make(void **state)
{
        struct line *l = calloc(1, sizeof(*l));
        struct modem_options options = {
                .baud = 115200, .number = "+33700900900", .user = l, .state = on_state, .sms = on_sms, .sent = on_sent
        };

        folder_make(&l->folder);
        folder_file(&l->folder, "tty", l->path);
        l->master = -1;
        l->wanted = VIGIE_MODEM_END;
        assert_int_equal(loop_open(&l->loop), 0);
        options.loop = l->loop;
        options.device = l->path;
        assert_int_equal(modem_open(&options, &l->modem), 0);
        *state = l;
        return 0;
}

static int drop(void **state)
{
        struct line *l = *state;

        modem_close(l->modem);
        assert_int_equal(loop_close(l->loop), 0);
        if (l->master >= 0)
                unplug(l);
        folder_remove(&l->folder);
        free(l);
        return 0;
}

static void send_one(struct line *l, uint32_t ticket, int expected)
{
        assert_int_equal(modem_send(l->modem, ticket, CBOR_LITERAL("\xd2\x84\x01")), expected);
}

static void comes_talks_goes_comes_back(void **state)
{
        struct line *l = *state;

        assert_true(becomes(l, VIGIE_MODEM_ABSENT));
        plug(l);
        assert_true(becomes(l, VIGIE_MODEM_READY));
        send_one(l, 1, 0);
        send_one(l, 2, -EBUSY);
        assert_true(comes(l));
        assert_int_equal(l->sent, 1);
        assert_true(l->ok);
        reply(l, "\r\n+CMTI: \"SM\",1\r\n");
        assert_true(comes(l));
        assert_int_equal(l->sms, 1);
        unplug(l);
        assert_true(becomes(l, VIGIE_MODEM_ABSENT));
        send_one(l, 3, 0);
        assert_true(comes(l));
        assert_int_equal(l->sent, 3);
        assert_false(l->ok);
        plug(l);
        assert_true(becomes(l, VIGIE_MODEM_READY));
}

static void hangs(void **state)
{
        struct line *l = *state;

        l->hung = true;
        plug(l);
        assert_true(becomes(l, VIGIE_MODEM_SILENT));
        send_one(l, 4, 0);
        assert_true(comes(l));
        assert_int_equal(l->sent, 4);
        assert_false(l->ok);
        l->hung = false;
        assert_true(becomes(l, VIGIE_MODEM_READY));
        l->hung = true; /* with one under way when the daemon ends */
        send_one(l, 5, 0);
}

/* A file where a tty should be is no modem, and is left as it is. */
static void no_tty(void **state)
{
        struct line *l = *state;
        char *text;
        size_t len;

        put(&l->folder, "tty", "not a tty");
        assert_true(becomes(l, VIGIE_MODEM_ABSENT));
        send_one(l, 6, 0);
        assert_true(comes(l));
        assert_false(l->ok);
        assert_int_equal(file_read(l->path, 64, &text, &len), 0);
        assert_string_equal(text, "not a tty");
        free(text);
}

static void speeds(void **state)
{
        assert_true(modem_can_baud(9600) && modem_can_baud(921600));
        assert_false(modem_can_baud(0) || modem_can_baud(115201) || modem_can_baud(-1));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(comes_talks_goes_comes_back, make, drop),
                                            cmocka_unit_test_setup_teardown(hangs, make, drop),
                                            cmocka_unit_test_setup_teardown(no_tty, make, drop),
                                            cmocka_unit_test(speeds) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
