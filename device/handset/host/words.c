#include "device/handset/host/words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "wire/record.h"

#define FOR_MAX_S VIGIE_DUTY_MAX_S

const char words_help[] =
        "  press [--silent|--drill]      raise an alert, at once\n"
        "  touch down|up                 the page's button: held one second it is a press\n"
        "  key                           the button without looking: four in three seconds are a silent press\n"
        "  category fall|aggression|dog|illness|other\n"
        "  cancel PIN                    \"it was a mistake\": tells everyone, closes nothing\n"
        "  still                         \"I still need help\", after somebody closed\n"
        "  fine                          \"I am fine\"\n"
        "  dismiss                       put away what is over\n"
        "  duty on [--person ID] [--round ID] [--until HH:MM | --for 8h]\n"
        "  duty off\n"
        "  take|release|join|on-my-way|with-them|seen [ALERT]\n"
        "  close [ALERT] helped|mistake|112|drill-over|no-danger|other [NOTE]\n"
        "  moved | man-down              what a motion sensor says\n"
        "  check-in in SECONDS | done    the timed check-in\n"
        "  battery PERCENT | power-off\n"
        "  opened-read MS                the carrier has read when the position was opened, up to then\n"
        "  status [--json]\n";

struct reader {
        const struct words_context *context;
        const char *const *words;
        size_t count;
        struct words_request *request;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct words_context *context, int error, const char *fmt,
                                                        ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(context->why, WORDS_WHY_SIZE, fmt, ap);
        va_end(ap);
        return error;
}

static int want(const struct reader *r, size_t least, size_t most)
{
        if (r->count - 1 >= least && r->count - 1 <= most)
                return 0;
        return refuse(r->context, -EINVAL, "%s: %zu to %zu words are expected after it", r->words[0], least, most);
}

/* The rank of WORD in LIST (count names), or -EINVAL. */
static int choose(const struct reader *r, const char *word, const char *const *list, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(word, list[i]) == 0)
                        return (int)i;
        return refuse(r->context, -EINVAL, "%s: '%.40s' is not known", r->words[0], word);
}

static int read_number(const struct reader *r, const char *word, int64_t min, int64_t max, int64_t *ret)
{
        char *end;

        errno = 0;
        *ret = strtoll(word, &end, 10);
        if (errno != 0 || end == word || *end != 0 || *ret < min || *ret > max)
                return refuse(r->context, -EINVAL, "%s: '%.40s' is not a number from %" PRId64 " to %" PRId64,
                              r->words[0], word, min, max);
        return 0;
}

static int read_press(struct reader *r)
{
        struct vigie_event *e = &r->request->event;
        int n = want(r, 0, 1);

        e->type = VIGIE_ON_PRESS;
        e->u.press.how = VIGIE_PRESS_AT_ONCE;
        if (n < 0 || r->count == 1)
                return n;
        n = choose(r, r->words[1], (const char *const[]){ "", "--silent", "--drill" }, 3);
        if (n >= 0)
                e->u.press.press = (uint8_t)n;
        return n < 0 ? n : 0;
}

static int read_touch(struct reader *r)
{
        struct vigie_event *e = &r->request->event;
        int n = want(r, 1, 1);

        if (n < 0 || (n = choose(r, r->words[1], (const char *const[]){ "down", "up" }, 2)) < 0)
                return n;
        e->type = VIGIE_ON_PRESS;
        e->u.press.how = n == 0 ? VIGIE_TOUCH_DOWN : VIGIE_TOUCH_UP;
        return 0;
}

static int read_category(struct reader *r)
{
        int n = want(r, 1, 1);

        if (n < 0 || (n = choose(r, r->words[1],
                                 (const char *const[]){ "fall", "aggression", "dog", "illness", "other" }, 5)) < 0)
                return n;
        r->request->event.type = VIGIE_ON_CATEGORY;
        r->request->event.u.category = (uint8_t)(n + 1);
        return 0;
}

static int read_cancel(struct reader *r)
{
        int n = want(r, 1, 1);

        if (n < 0)
                return n;
        if (strlen(r->words[1]) >= sizeof(r->request->pin))
                return refuse(r->context, -EINVAL, "cancel: a PIN has at most %zu digits", sizeof(r->request->pin) - 1);
        r->request->kind = WORDS_PIN;
        strcpy(r->request->pin, r->words[1]);
        return 0;
}

int words_clock(const char *word, int64_t now_ms, uint32_t *ret_s)
{
        time_t now = now_ms / 1000, at;
        unsigned hour, minute;
        struct tm tm;
        char rest;

        if (sscanf(word, "%2u:%2u%c", &hour, &minute, &rest) != 2 || hour > 23 || minute > 59)
                return -EINVAL;
        localtime_r(&now, &tm);
        tm.tm_hour = (int)hour;
        tm.tm_min = (int)minute;
        tm.tm_sec = 0;
        tm.tm_isdst = -1;
        at = mktime(&tm);
        if (at <= now) {
                tm.tm_mday++;
                tm.tm_isdst = -1;
                at = mktime(&tm);
        }
        *ret_s = (uint32_t)at;
        return 0;
}

static int read_until(const struct reader *r, const char *word, uint32_t *ret_s)
{
        if (words_clock(word, r->context->now_ms, ret_s) < 0)
                return refuse(r->context, -EINVAL, "duty: --until '%.40s' is not HH:MM", word);
        return 0;
}

/* "8h", "90min" or "45s" from now. */
static int read_for(const struct reader *r, const char *word, uint32_t *ret_s)
{
        char *unit;
        long n = strtol(word, &unit, 10);
        long s = strcmp(unit, "h") == 0 ? 3600 : strcmp(unit, "min") == 0 ? 60 : strcmp(unit, "s") == 0 ? 1 : 0;

        if (unit == word || s == 0 || n < 1 || n > FOR_MAX_S / s)
                return refuse(r->context, -EINVAL, "duty: --for '%.40s' is not like 8h or 90min, at most %d h", word,
                              FOR_MAX_S / 3600);
        *ret_s = (uint32_t)(r->context->now_ms / 1000 + n * s);
        return 0;
}

static int put_id(const struct reader *r, const char *word, char *to)
{
        if (strlen(word) >= VIGIE_PERSON_SIZE)
                return refuse(r->context, -EINVAL, "duty: an id has at most %d characters", VIGIE_PERSON_SIZE - 1);
        strcpy(to, word);
        return 0;
}

static int read_duty(struct reader *r)
{
        static const char *const names[] = { "--person", "--round", "--until", "--for" };
        struct vigie_event *e = &r->request->event;
        int n = want(r, 1, 7), on;

        if (n < 0 || (on = choose(r, r->words[1], (const char *const[]){ "off", "on" }, 2)) < 0)
                return n < 0 ? n : on;
        e->type = VIGIE_ON_DUTY;
        e->u.duty.on = on == 1;
        e->u.duty.until_s = (uint32_t)(r->context->now_ms / 1000 + 8 * 3600);
        for (size_t i = 2; i < r->count; i += 2) {
                if (i + 1 == r->count)
                        return refuse(r->context, -EINVAL, "duty: %s needs a value", r->words[i]);
                n = choose(r, r->words[i], names, 4);
                if (n == 0)
                        n = put_id(r, r->words[i + 1], e->u.duty.person);
                else if (n == 1)
                        n = put_id(r, r->words[i + 1], e->u.duty.round);
                else if (n == 2)
                        n = read_until(r, r->words[i + 1], &e->u.duty.until_s);
                else if (n == 3)
                        n = read_for(r, r->words[i + 1], &e->u.duty.until_s);
                if (n < 0)
                        return n;
        }
        return 0;
}

/* The alert that a supervisor's words are about: the id in WORD, or the only open one. */
static int find_alert(const struct reader *r, const char *word, uint8_t *to)
{
        const struct vigie_status *status = r->context->status;
        const struct vigie_ring *only = NULL;
        size_t open = 0;

        if (word != NULL && hex_decode(word, to, VIGIE_ALERT_ID_SIZE) == 0)
                return 0;
        if (word != NULL)
                return refuse(r->context, -EINVAL, "%s: '%.40s' is no alert's id (32 hex digits)", r->words[0], word);
        for (size_t i = 0; i < status->ring_count; i++)
                if (status->rings[i].state != ALERT_CLOSED) {
                        only = &status->rings[i];
                        open++;
                }
        if (open == 0)
                return refuse(r->context, -ENOENT, "%s: no alert is here", r->words[0]);
        if (open > 1)
                return refuse(r->context, -E2BIG, "%s: %zu alerts are here: give the id of one", r->words[0], open);
        memcpy(to, only->id, VIGIE_ALERT_ID_SIZE);
        return 0;
}

static int read_supervise(struct reader *r, enum vigie_verb verb)
{
        struct vigie_event *e = &r->request->event;
        int n = want(r, 0, 1);

        e->type = VIGIE_ON_SUPERVISE;
        e->u.supervise.verb = (uint8_t)verb;
        return n < 0 ? n : find_alert(r, r->count > 1 ? r->words[1] : NULL, e->u.supervise.alert);
}

static int read_close(struct reader *r)
{
        static const char *const reasons[] = { "helped", "mistake", "112", "drill-over", "no-danger", "other" };
        struct vigie_event *e = &r->request->event;
        size_t at = 1;
        int n = want(r, 1, 3);

        if (n < 0)
                return n;
        if (strlen(r->words[1]) == 2 * VIGIE_ALERT_ID_SIZE)
                at = 2;
        if (at >= r->count)
                return refuse(r->context, -EINVAL, "close: needs a reason");
        if ((n = choose(r, r->words[at], reasons, 6)) < 0)
                return n;
        e->type = VIGIE_ON_SUPERVISE;
        e->u.supervise.verb = VIGIE_CLOSE;
        e->u.supervise.reason = (uint8_t)(VIGIE_HELPED + n);
        if (at + 1 < r->count) {
                if (strlen(r->words[at + 1]) >= VIGIE_NOTE_SIZE)
                        return refuse(r->context, -EINVAL, "close: a note has at most %d octets", VIGIE_NOTE_SIZE - 1);
                strcpy(e->u.supervise.note, r->words[at + 1]);
        }
        return find_alert(r, at == 2 ? r->words[1] : NULL, e->u.supervise.alert);
}

static int read_check_in(struct reader *r)
{
        struct vigie_event *e = &r->request->event;
        int64_t in_s;
        int n = want(r, 1, 2);

        e->type = VIGIE_ON_DEADLINE;
        e->u.deadline.what = VIGIE_DEADLINE_CLEAR;
        if (n < 0 || (n = choose(r, r->words[1], (const char *const[]){ "done", "in" }, 2)) <= 0)
                return n;
        if (r->count != 3)
                return refuse(r->context, -EINVAL, "check-in in: how many seconds?");
        if ((n = read_number(r, r->words[2], 60, 28800, &in_s)) < 0)
                return n;
        e->u.deadline.what = VIGIE_DEADLINE_SET;
        e->u.deadline.in_s = (uint32_t)in_s;
        return 0;
}

static int read_battery(struct reader *r)
{
        int64_t percent;
        int n = want(r, 1, 1);

        if (n < 0 || (n = read_number(r, r->words[1], 0, 100, &percent)) < 0)
                return n;
        r->request->event.type = VIGIE_ON_BATTERY;
        r->request->event.u.battery = (uint8_t)percent;
        return 0;
}

static int read_opened(struct reader *r)
{
        int64_t until_ms;
        int n = want(r, 1, 1);

        if (n < 0 || (n = read_number(r, r->words[1], 0, VIGIE_CLOCK_MAX_MS, &until_ms)) < 0)
                return n;
        r->request->event.type = VIGIE_ON_OPENED_READ;
        r->request->event.u.opened_until_ms = until_ms;
        return 0;
}

static int read_status(struct reader *r)
{
        r->request->kind = WORDS_STATUS;
        if (r->count == 2 && strcmp(r->words[1], "--json") == 0)
                return 0;
        return want(r, 0, 0);
}

/* Words with a reader of their own; those that take no more words and are just an event; those about a ringing
 * alert. */
static const struct {
        const char *word;
        int (*read)(struct reader *r);
        enum vigie_event_type event;
        enum vigie_verb verb;
} table[] = {
        { "press", read_press, 0, 0 },
        { "touch", read_touch, 0, 0 },
        { "category", read_category, 0, 0 },
        { "cancel", read_cancel, 0, 0 },
        { "duty", read_duty, 0, 0 },
        { "close", read_close, 0, 0 },
        { "check-in", read_check_in, 0, 0 },
        { "battery", read_battery, 0, 0 },
        { "opened-read", read_opened, 0, 0 },
        { "status", read_status, 0, 0 },
        { "key", NULL, VIGIE_ON_KEY, 0 },
        { "still", NULL, VIGIE_ON_STILL, 0 },
        { "dismiss", NULL, VIGIE_ON_DISMISS, 0 },
        { "fine", NULL, VIGIE_ON_FINE, 0 },
        { "moved", NULL, VIGIE_ON_MOTION, 0 },
        { "man-down", NULL, VIGIE_ON_MOTION, 0 },
        { "power-off", NULL, VIGIE_ON_POWER_OFF, 0 },
        { "seen", NULL, 0, VIGIE_SEEN },
        { "take", NULL, 0, VIGIE_TAKE },
        { "release", NULL, 0, VIGIE_RELEASE },
        { "join", NULL, 0, VIGIE_JOIN },
        { "on-my-way", NULL, 0, VIGIE_ON_MY_WAY },
        { "with-them", NULL, 0, VIGIE_WITH_THEM },
};

int words_read(const struct words_context *context, const char *const *words, size_t count,
               struct words_request *ret_request)
{
        struct reader r = { context, words, count, ret_request };

        memset(ret_request, 0, sizeof(*ret_request));
        if (count == 0 || count > WORDS_MAX)
                return refuse(context, -EINVAL, "1 to %d words are expected", WORDS_MAX);
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                if (strcmp(words[0], table[i].word) != 0)
                        continue;
                if (table[i].read != NULL)
                        return table[i].read(&r);
                if (table[i].verb != 0)
                        return read_supervise(&r, table[i].verb);
                ret_request->event.type = table[i].event;
                ret_request->event.u.motion.moved = strcmp(words[0], "moved") == 0;
                return want(&r, 0, 0);
        }
        return refuse(context, -EINVAL, "'%.40s' is not a command; see vigie-handset --help", words[0]);
}
