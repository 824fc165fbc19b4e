/* gps against a gpsd of our own: what it says is written here, line by line. */
#include "tests/device/handset/host/support.h"

#include <arpa/inet.h>
#include <math.h>
#include <sys/socket.h>

#include "device/handset/host/gps.h"

#define PLACES_MAX 64

struct world {
        struct loop *loop;
        struct gps *gps;
        int listener, peer; /* -1: none */
        unsigned short port;
        bool fixed, moved;
        unsigned count, moves;
        struct gps_place place[PLACES_MAX];
};

static void on_fix(void *user, const struct gps_place *place)
{
        struct world *w = user;

        assert_true(w->count < PLACES_MAX);
        w->place[w->count++] = *place;
        w->fixed = true;
}

static void on_moved(void *user)
{
        struct world *w = user;

        w->moves++;
}

static void listen_again(struct world *w)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(w->port),
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t len = sizeof(address);
        int yes = 1;

        w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(w->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        assert_int_equal(bind(w->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(w->listener, 4), 0);
        assert_int_equal(getsockname(w->listener, (struct sockaddr *)&address, &len), 0);
        w->port = ntohs(address.sin_port);
}

/* Wait for gps to come, and for its ?WATCH. */
static void meet(struct world *w)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;
        char asked[256] = "";

        while ((w->peer = accept(w->listener, NULL, NULL)) < 0 && clock_mono_ms() < until_mono_ms)
                turn(w->loop, 1);
        assert_true(w->peer >= 0);
        while (strstr(asked, "?WATCH={\"enable\":true,\"json\":true") == NULL && clock_mono_ms() < until_mono_ms) {
                recv(w->peer, asked, sizeof(asked) - 1, MSG_DONTWAIT);
                turn(w->loop, 1);
        }
        assert_non_null(strstr(asked, "?WATCH"));
}

static void open_world(struct world *w)
{
        memset(w, 0, sizeof(*w));
        listen_again(w);
        assert_int_equal(loop_open(&w->loop), 0);
        struct gps_options options = { w->loop, "127.0.0.1", w->port, w, on_fix, on_moved };
        assert_int_equal(gps_start(&options, &w->gps), 0);
        meet(w);
}

static void close_world(struct world *w)
{
        gps_stop(w->gps);
        assert_int_equal(loop_close(w->loop), 0);
        if (w->peer >= 0)
                close(w->peer);
        if (w->listener >= 0)
                close(w->listener);
}

static void say(struct world *w, const char *text)
{
        assert_int_equal(send(w->peer, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

#define TPV(time, lat) "{\"class\":\"TPV\",\"mode\":3," time "\"lat\":" lat ",\"lon\":4.8}\r\n"
#define AT(s)          "\"time\":\"2026-05-04T10:00:" s "Z\","

/* A last fix that is sure to be taken, so that what was said before it is known to have been read. */
static void say_and_read(struct world *w, const char *text)
{
        say(w, text);
        say(w, "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2030-01-01T00:00:00.000Z\",\"lat\":89,\"lon\":1}\n");
        do {
                w->fixed = false;
                assert_true(spin(w->loop, &w->fixed));
        } while (w->place[w->count - 1].lat_deg != 89);
        w->count--;
}

static void a_fix(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w, "{\"class\":\"VERSION\",\"release\":\"3.22\",\"proto_major\":3,\"proto_minor\":14}\r\n"
                         "{\"class\":\"TPV\",\"device\":\"/dev/"
                         "x\",\"mode\":3,\"time\":\"2026-05-04T10:00:00.250Z\",\"lat\":45.758,"
                         "\"lon\":4.835,\"eph\":19.0,\"speed\":1.4}\r\n");
        assert_int_equal(w.count, 1);
        assert_true(w.place[0].lat_deg == 45.758 && w.place[0].lon_deg == 4.835 && w.place[0].accuracy_m == 19);
        assert_int_equal(w.place[0].at_ms, INT64_C(1777888800250));
        assert_int_equal(w.place[0].age_ms, 0);
        assert_int_equal(w.moves, 1);
        close_world(&w);
}

static void no_fix(void **state)
{
        static const char *const texts[] = {
                "{\"class\":\"TPV\",\"mode\":0}\r\n",
                "{\"class\":\"TPV\",\"mode\":1," AT("01") "\"lat\":45,\"lon\":4}\r\n",
                "{\"class\":\"TPV\",\"mode\":3}\r\n",
                "{\"class\":\"TPV\",\"mode\":3,\"lat\":45}\r\n",
                "{\"class\":\"TPV\",\"mode\":3,\"lat\":1e999,\"lon\":4}\r\n",
                "{\"class\":\"TPV\",\"mode\":3,\"lat\":\"45\",\"lon\":4}\r\n",
                "{\"class\":\"SKY\",\"lat\":45,\"lon\":4}\r\n",
                "garbage\r\n",
                "\r\n\r\n{}\r\n{\"class\":\"TPV\"\r\n",
                "{\"class\":\"TPVX\",\"mode\":3,\"lat\":45,\"lon\":4}\r\n",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct world w;

                open_world(&w);
                say_and_read(&w, texts[i]);
                if (w.count != 0)
                        fail_msg("case %zu gave a fix", i);
                close_world(&w);
        }
}

static void without_time_or_accuracy(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w, TPV("", "45.1") TPV("\"time\":\"yesterday\",", "45.2"));
        assert_int_equal(w.count, 2);
        assert_int_equal(w.place[0].at_ms, 0);
        assert_true(isnan(w.place[0].accuracy_m));
        assert_int_equal(w.place[1].at_ms, 0);
        assert_int_equal(w.moves, 0);
        close_world(&w);
}

/* A recorded log is years old, and is what comes now; a time that goes back is an old fix, told again. */
static void its_own_time_only_compares(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w, TPV("\"time\":\"1999-08-27T04:09:30.000Z\",", "1")
                                 TPV("\"time\":\"1999-08-27T04:09:31.000Z\",", "2") TPV(AT("00"), "3")
                                         TPV("\"time\":\"1999-08-27T04:09:31.000Z\",", "4") TPV(AT("01"), "5"));
        assert_int_equal(w.count, 4);
        assert_true(w.place[2].lat_deg == 3 && w.place[3].lat_deg == 5);
        for (unsigned i = 0; i < w.count; i++)
                assert_int_equal(w.place[i].age_ms, 0);
        close_world(&w);
}

/* A log that is played over and over: the first fix of each round is passed over, no more. */
static void a_log_that_begins_anew(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w,
                     TPV(AT("50"), "1") TPV(AT("51"), "2") TPV(AT("10"), "3") TPV(AT("11"), "4") TPV(AT("12"), "5"));
        assert_int_equal(w.count, 4);
        assert_true(w.place[2].lat_deg == 4 && w.place[2].age_ms == 0);
        close_world(&w);
}

/* The same fix again, 30 ms later: it is 30 ms old; also by a gpsd that was restarted. */
static void the_same_fix_ages(void **state)
{
        struct world w;
        int64_t began_mono_ms;

        open_world(&w);
        began_mono_ms = clock_mono_ms();
        say(&w, TPV(AT("01"), "45"));
        assert_true(spin(w.loop, &w.fixed));
        turn(w.loop, 30);
        w.fixed = false;
        say(&w, TPV(AT("01"), "45"));
        assert_true(spin(w.loop, &w.fixed));
        assert_in_range(w.place[1].age_ms, 30, clock_mono_ms() - began_mono_ms + 1);
        close(w.peer);
        meet(&w);
        w.fixed = false;
        say(&w, TPV(AT("01"), "45"));
        assert_true(spin(w.loop, &w.fixed));
        assert_true(w.place[2].age_ms > w.place[1].age_ms);
        assert_in_range(w.place[2].age_ms, 30, clock_mono_ms() - began_mono_ms + 1);
        close_world(&w);
}

/* What libgps still holds of the last TPV is no news when something else comes. */
static void other_reports_are_no_fix(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w, TPV(AT("01"), "45") "{\"class\":\"SKY\",\"hdop\":1.1,\"satellites\":[]}\r\n"
                                             "{\"class\":\"GST\",\"time\":\"2026-05-04T10:00:01.000Z\"}\r\n");
        assert_int_equal(w.count, 1);
        close_world(&w);
}

/* A report in pieces, and many in one. */
static void pieces_and_bursts(void **state)
{
        static const char report[] = TPV(AT("02"), "45");
        char burst[PLACES_MAX * 128] = "";
        struct world w;

        open_world(&w);
        for (size_t i = 0; i < sizeof(report) - 1; i++) {
                send(w.peer, report + i, 1, 0);
                turn(w.loop, 0);
        }
        assert_true(spin(w.loop, &w.fixed));
        assert_int_equal(w.count, 1);
        for (int i = 10; i < 50; i++)
                snprintf(burst + strlen(burst), sizeof(burst) - strlen(burst),
                         "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-05-04T10:00:%dZ\",\"lat\":45,\"lon\":4}\n", i);
        say_and_read(&w, burst);
        assert_int_equal(w.count, 41);
        close_world(&w);
}

static void gpsd_dies_and_comes_back(void **state)
{
        struct world w;

        open_world(&w);
        say_and_read(&w, TPV(AT("01"), "45"));
        close(w.peer);
        close(w.listener);
        turn(w.loop, 30); /* it sees the end, and finds nobody */
        listen_again(&w);
        meet(&w);
        w.fixed = false;
        say(&w, TPV("\"time\":\"2031-01-01T00:00:00Z\",", "46"));
        assert_true(spin(w.loop, &w.fixed));
        assert_true(w.place[w.count - 1].lat_deg == 46);
        close_world(&w);
}

/* A line that no report of gpsd's reaches: the connection is given up, and another one begins. */
static void an_endless_line(void **state)
{
        static char line[64 * 1024];
        struct world w;

        open_world(&w);
        memset(line, 'x', sizeof(line));
        for (int i = 0; i < 4; i++) {
                send(w.peer, line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT);
                turn(w.loop, 5);
        }
        close(w.peer);
        meet(&w);
        say_and_read(&w, TPV(AT("01"), "45"));
        assert_int_equal(w.count, 1);
        close_world(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_fix),
                cmocka_unit_test(no_fix),
                cmocka_unit_test(without_time_or_accuracy),
                cmocka_unit_test(its_own_time_only_compares),
                cmocka_unit_test(a_log_that_begins_anew),
                cmocka_unit_test(the_same_fix_ages),
                cmocka_unit_test(other_reports_are_no_fix),
                cmocka_unit_test(pieces_and_bursts),
                cmocka_unit_test(gpsd_dies_and_comes_back),
                cmocka_unit_test(an_endless_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
