#include "tests/device/handset/host/support.h"

#include <time.h>

#include "device/handset/host/words.h"

/* 2026-05-04 10:00 UTC, a Monday in Paris' summer time: 12:00 there. */
#define NOW_S  1777888800
#define NOW_MS (NOW_S * INT64_C(1000))

static const char id_text[] = "000102030405060708090a0b0c0d0e0f";

/* Read words separated by blanks ('_' stands for one) with these alerts ringing. */
static int read_with(const struct vigie_status *status, const char *line, struct words_request *ret, char *why)
{
        char copy[1024], *save = NULL;
        const char *words[WORDS_MAX + 4];
        struct words_context context = { status, NOW_MS, why };
        size_t count = 0;

        snprintf(copy, sizeof(copy), "%s", line);
        for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
                for (char *at = word; (at = strchr(at, '_')) != NULL;)
                        *at = ' ';
                words[count++] = word;
        }
        why[0] = 0;
        return words_read(&context, words, count, ret);
}

static struct words_request read_one(const char *line)
{
        static const struct vigie_status none;
        struct words_request request;
        char why[WORDS_WHY_SIZE];
        int r = read_with(&none, line, &request, why);

        if (r != 0)
                fail_msg("%s: %d %s", line, r, why);
        return request;
}

static void presses(void **state)
{
        static const struct {
                const char *line;
                uint8_t how, press;
        } cases[] = {
                { "press", VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD },
                { "press --silent", VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_SILENT },
                { "press --drill", VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL },
                { "touch down", VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD },
                { "touch up", VIGIE_TOUCH_UP, VIGIE_PRESS_LOUD },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct words_request r = read_one(cases[i].line);

                assert_int_equal(r.kind, WORDS_EVENT);
                assert_int_equal(r.event.type, VIGIE_ON_PRESS);
                assert_int_equal(r.event.u.press.how, cases[i].how);
                assert_int_equal(r.event.u.press.press, cases[i].press);
        }
}

static void one_word_events(void **state)
{
        static const struct {
                const char *line;
                uint32_t type;
        } cases[] = {
                { "key", VIGIE_ON_KEY },           { "still", VIGIE_ON_STILL },
                { "dismiss", VIGIE_ON_DISMISS },   { "fine", VIGIE_ON_FINE },
                { "moved", VIGIE_ON_MOTION },      { "man-down", VIGIE_ON_MOTION },
                { "duty off", VIGIE_ON_DUTY },     { "power-off", VIGIE_ON_POWER_OFF },
                { "battery 4", VIGIE_ON_BATTERY }, { "category dog", VIGIE_ON_CATEGORY },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(read_one(cases[i].line).event.type, cases[i].type);
        assert_true(read_one("moved").event.u.motion.moved);
        assert_false(read_one("man-down").event.u.motion.moved);
        assert_int_equal(read_one("category fall").event.u.category, 1);
        assert_int_equal(read_one("category other").event.u.category, 5);
        assert_int_equal(read_one("battery 100").event.u.battery, 100);
        assert_int_equal(read_one("opened-read 1767225600123").event.type, VIGIE_ON_OPENED_READ);
        assert_int_equal(read_one("opened-read 1767225600123").event.u.opened_until_ms, 1767225600123);
        assert_false(read_one("duty off").event.u.duty.on);
        assert_int_equal(read_one("status").kind, WORDS_STATUS);
        assert_int_equal(read_one("status --json").kind, WORDS_STATUS);
}

static void pins(void **state)
{
        struct words_request r = read_one("cancel 123456789012345");

        assert_int_equal(r.kind, WORDS_PIN);
        assert_string_equal(r.pin, "123456789012345");
        assert_string_equal(read_one("cancel 0042").pin, "0042");
}

static void duty(void **state)
{
        struct words_request r = read_one("duty on --person c.roux --round bellecour-3 --for 90min");

        assert_int_equal(r.event.type, VIGIE_ON_DUTY);
        assert_true(r.event.u.duty.on);
        assert_string_equal(r.event.u.duty.person, "c.roux");
        assert_string_equal(r.event.u.duty.round, "bellecour-3");
        assert_int_equal(r.event.u.duty.until_s, NOW_S + 90 * 60);
        assert_int_equal(read_one("duty on").event.u.duty.until_s, NOW_S + 8 * 3600);
        assert_string_equal(read_one("duty on").event.u.duty.person, "");
        assert_int_equal(read_one("duty on --for 24h").event.u.duty.until_s, NOW_S + 24 * 3600);
        assert_int_equal(read_one("duty on --for 1s").event.u.duty.until_s, NOW_S + 1);
}

/* The next time that the phone's clock shows it. */
static void until_is_local_time(void **state)
{
        setenv("TZ", "Europe/Paris", 1);
        tzset();
        assert_int_equal(read_one("duty on --until 17:30").event.u.duty.until_s, NOW_S + 5 * 3600 + 1800);
        assert_int_equal(read_one("duty on --until 12:01").event.u.duty.until_s, NOW_S + 60);
        assert_int_equal(read_one("duty on --until 12:00").event.u.duty.until_s, NOW_S + 86400);
        assert_int_equal(read_one("duty on --until 6:05").event.u.duty.until_s, NOW_S + 18 * 3600 + 300);
        setenv("TZ", "UTC", 1);
        tzset();
        assert_int_equal(read_one("duty on --until 17:30").event.u.duty.until_s, NOW_S + 7 * 3600 + 1800);
}

static void check_in(void **state)
{
        struct words_request r = read_one("check-in in 60");

        assert_int_equal(r.event.type, VIGIE_ON_DEADLINE);
        assert_int_equal(r.event.u.deadline.what, VIGIE_DEADLINE_SET);
        assert_int_equal(r.event.u.deadline.in_s, 60);
        assert_int_equal(read_one("check-in done").event.u.deadline.what, VIGIE_DEADLINE_CLEAR);
}

static struct vigie_status ringing(unsigned open, unsigned closed)
{
        struct vigie_status status = { .ring_count = (uint8_t)(open + closed) };

        for (unsigned i = 0; i < open + closed; i++) {
                memset(status.rings[i].id, (int)(0xa0 + i), VIGIE_ALERT_ID_SIZE);
                status.rings[i].state = i < open ? 2 : 7;
        }
        return status;
}

static void a_supervisor_means_the_one_that_is_open(void **state)
{
        static const char *const verbs[] = { "seen", "take", "release", "join", "on-my-way", "with-them" };
        struct vigie_status one = ringing(1, 1), two = ringing(2, 0), none = ringing(0, 2);
        struct words_request r;
        char why[WORDS_WHY_SIZE];

        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
                assert_int_equal(read_with(&one, verbs[i], &r, why), 0);
                assert_int_equal(r.event.type, VIGIE_ON_SUPERVISE);
                assert_int_equal(r.event.u.supervise.verb, VIGIE_SEEN + i);
                assert_memory_equal(r.event.u.supervise.alert, one.rings[0].id, VIGIE_ALERT_ID_SIZE);
                assert_int_equal(read_with(&two, verbs[i], &r, why), -E2BIG);
                assert_int_equal(read_with(&none, verbs[i], &r, why), -ENOENT);
        }
        assert_int_equal(read_with(&two, "take 000102030405060708090a0b0c0d0e0f", &r, why), 0);
        assert_int_equal(r.event.u.supervise.alert[15], 0x0f);
}

static void closing(void **state)
{
        static const char *const reasons[] = { "helped", "mistake", "112", "drill-over", "no-danger", "other" };
        struct vigie_status one = ringing(1, 0);
        struct words_request r;
        char why[WORDS_WHY_SIZE], line[400];

        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
                snprintf(line, sizeof(line), "close %s", reasons[i]);
                assert_int_equal(read_with(&one, line, &r, why), 0);
                assert_int_equal(r.event.u.supervise.verb, VIGIE_CLOSE);
                assert_int_equal(r.event.u.supervise.reason, VIGIE_HELPED + i);
                assert_string_equal(r.event.u.supervise.note, "");
        }
        snprintf(line, sizeof(line), "close %s 112 handed_over", id_text);
        assert_int_equal(read_with(&one, line, &r, why), 0);
        assert_int_equal(r.event.u.supervise.alert[1], 0x01);
        assert_string_equal(r.event.u.supervise.note, "handed over");
        memset(line, 0, sizeof(line));
        strcpy(line, "close other ");
        memset(line + 12, 'x', VIGIE_NOTE_SIZE - 1);
        assert_int_equal(read_with(&one, line, &r, why), 0);
        line[12 + VIGIE_NOTE_SIZE - 1] = 'x';
        assert_int_equal(read_with(&one, line, &r, why), -EINVAL);
}

static void refused(void **state)
{
        static const char *const lines[] = {
                "",
                "pres",
                "press --loud",
                "press --silent --drill",
                "touch",
                "touch left",
                "category",
                "category cat",
                "cancel",
                "cancel 1234567890123456",
                "cancel 1 2",
                "still now",
                "duty",
                "duty maybe",
                "duty on --until",
                "duty on --until 25:00",
                "duty on --until 12:60",
                "duty on --until 12:00x",
                "duty on --until noon",
                "duty on --for 25h",
                "duty on --for 0h",
                "duty on --for -1h",
                "duty on --for 8",
                "duty on --for 8d",
                "duty on --round",
                "duty on --rond x",
                "duty on --person 123456789012345678901234567890123",
                "check-in",
                "check-in in",
                "check-in in 59",
                "check-in in 28801",
                "check-in in x",
                "check-in late",
                "battery",
                "battery 101",
                "battery -1",
                "battery 5%",
                "close",
                "close because",
                "close 000102030405060708090a0b0c0d0e0f",
                "close zz0102030405060708090a0b0c0d0e0f helped",
                "take 1234",
                "take a b",
                "status --xml",
                "a b c d e f g h i",
        };
        struct vigie_status one = ringing(1, 0);
        struct words_request r;
        char why[WORDS_WHY_SIZE];

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                int error = read_with(&one, lines[i], &r, why);

                if (error != -EINVAL || why[0] == 0)
                        fail_msg("'%s': %d '%s'", lines[i], error, why);
        }
}

/* What is refused is told without cutting the sentence off, however long the word. */
static void why_is_bounded(void **state)
{
        struct vigie_status none = { 0 };
        struct words_request r;
        char why[WORDS_WHY_SIZE], word[600];

        memset(word, 'w', sizeof(word) - 1);
        word[sizeof(word) - 1] = 0;
        assert_int_equal(read_with(&none, word, &r, why), -EINVAL);
        assert_non_null(strstr(why, "is not a command"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(presses),
                cmocka_unit_test(one_word_events),
                cmocka_unit_test(pins),
                cmocka_unit_test(duty),
                cmocka_unit_test(until_is_local_time),
                cmocka_unit_test(check_in),
                cmocka_unit_test(a_supervisor_means_the_one_that_is_open),
                cmocka_unit_test(closing),
                cmocka_unit_test(refused),
                cmocka_unit_test(why_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
