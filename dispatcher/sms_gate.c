#include "dispatcher/sms_gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "dispatcher/http.h"
#include "dispatcher/sms_request.h"
#include "wire/sms.h"

/* Octets of a sendsms URL: a text is three times as long when escaped, the report's URL and its reference twice. */
#define URL_MAX    4096
#define PRIORITIES (SMS_THIRD + 1)

struct item {
        struct sms_gate *gate;
        struct item *next;
        char to[NUMBER_MAX + 1];
        enum sms_priority priority;
        bool gsm, is_text, in_flight, failed;
        struct sms_ref about;
        int64_t until_mono_ms;
        size_t len;
        uint8_t body[SMS_GATE_TEXT_MAX];
};

struct sms_gate {
        struct sms_gate_options options;
        struct http *http;
        struct wheel_timer timer;
        struct item *first[PRIORITIES]; /* by priority, the oldest first; those in flight stay where they are */
        struct item *lost;              /* to be reported as failed */
        unsigned tries;                 /* that came to nothing since the last that was taken; 0: all is well */
        int64_t rest_until_mono_ms, trouble_mono_ms;
        bool away;
        struct sms_gate_counts counts;
};

/* ---- The URL of one SMS. */

struct url {
        char at[URL_MAX];
        size_t len;
        bool full;
};

static void put(struct url *url, const char *text)
{
        size_t len = strlen(text);

        url->full = url->full || len >= sizeof(url->at) - url->len;
        if (url->full)
                return;
        memcpy(url->at + url->len, text, len + 1);
        url->len += len;
}

static bool is_plain(uint8_t c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.';
}

static void put_escaped(struct url *url, const void *data, size_t len)
{
        const uint8_t *octets = data;

        for (size_t i = 0; i < len; i++) {
                char text[4];

                snprintf(text, sizeof(text), is_plain(octets[i]) ? "%c" : "%%%02X", octets[i]);
                put(url, text);
        }
}

static void put_value(struct url *url, const char *name, const char *value)
{
        put(url, name);
        put_escaped(url, value, strlen(value));
}

/* The report comes to any dispatcher of this port.  %d is for the gateway to fill in. */
static void put_report(struct url *url, const struct sms_gate *gate, const struct item *item)
{
        char about[SMS_ABOUT_SIZE], report[512];

        sms_about_write(&item->about, about);
        snprintf(report, sizeof(report), "http://127.0.0.1:%d/sms/report?secret=%s&about=%s&status=%%d",
                 gate->options.report_port, gate->options.report_secret, about);
        put_value(url, "&dlr-mask=19&dlr-url=", report); /* 1 delivered, 2 not, 16 refused by the network */
}

static int write_url(const struct sms_gate *gate, const struct item *item, struct url *url)
{
        uint8_t udh[SMS_UDH_SIZE];

        put(url, gate->options.url);
        put_value(url, strchr(gate->options.url, '?') != NULL ? "&username=" : "?username=", gate->options.user);
        put_value(url, "&password=", gate->options.password);
        put_value(url, "&from=", gate->options.from);
        put_value(url, "&to=", item->to);
        if (item->is_text) {
                put(url, item->gsm ? "&coding=0&charset=UTF-8&text=" : "&coding=2&charset=UTF-8&text=");
        } else {
                sms_udh_write(SMS_PORT, udh);
                put(url, "&coding=1&udh=");
                put_escaped(url, udh, sizeof(udh));
                put(url, "&text=");
        }
        put_escaped(url, item->body, item->len);
        put_report(url, gate, item);
        return url->full ? -EMSGSIZE : 0;
}

/* ---- The queue. */

static void arm(struct sms_gate *gate, int64_t in_ms)
{
        loop_timer_arm(gate->options.loop, &gate->timer, clock_mono_ms() + in_ms);
}

/* remove_item: out of its queue; the caller frees it. */
static void remove_item(struct sms_gate *gate, struct item *item)
{
        struct item **at = &gate->first[item->priority];

        while (*at != item)
                at = &(*at)->next;
        *at = item->next;
        gate->counts.waiting--;
}

/* lose: it has failed; told by the timer, not from within what the core does. */
static void lose(struct sms_gate *gate, struct item *item)
{
        gate->counts.failed++;
        item->next = gate->lost;
        gate->lost = item;
        arm(gate, 0);
}

static void tell_lost(struct sms_gate *gate)
{
        struct item *item;

        while ((item = gate->lost) != NULL) {
                gate->lost = item->next;
                gate->options.report(gate->options.told, &item->about, SMS_FAILED);
                free(item);
        }
}

static void end_terms(struct sms_gate *gate, int64_t now)
{
        for (int p = 0; p < PRIORITIES; p++)
                for (struct item *item = gate->first[p], *next; item != NULL; item = next) {
                        next = item->next;
                        if (item->in_flight || item->until_mono_ms > now)
                                continue;
                        remove_item(gate, item);
                        lose(gate, item);
                }
}

static struct item *next_item(const struct sms_gate *gate)
{
        for (int p = 0; p < PRIORITIES; p++)
                for (struct item *item = gate->first[p]; item != NULL; item = item->next)
                        if (!item->in_flight)
                                return item;
        return NULL;
}

/* ---- Asking the gateway. */

static void go(struct sms_gate *gate);

static void say_state(struct sms_gate *gate, bool up, const char *why)
{
        if (gate->away == !up)
                return;
        gate->away = !up;
        gate->options.state(gate->options.told, up, why);
}

static void in_trouble(struct sms_gate *gate, const char *why)
{
        int64_t now = clock_mono_ms(), rest;

        gate->counts.retried++;
        if (now < gate->rest_until_mono_ms)
                return; /* one of several that were under way: the trouble is the same */
        if (gate->tries == 0)
                gate->trouble_mono_ms = now;
        rest = gate->tries >= 3 ? SMS_GATE_RETRY_MAX_MS : SMS_GATE_RETRY_MS << gate->tries;
        gate->tries += gate->tries < 3;
        gate->rest_until_mono_ms = now + rest;
        if (now - gate->trouble_mono_ms >= SMS_GATE_AWAY_MS)
                say_state(gate, false, why);
        arm(gate, rest);
}

/* A 4xx is the SMS's own fault but for these: whom the gateway does not let in, or asks to wait. */
static bool is_refused(int status)
{
        return status >= 400 && status < 500 && status != 401 && status != 403 && status != 408 && status != 429;
}

static void on_answered(void *user, int status, const char *why)
{
        struct item *item = user;
        struct sms_gate *gate = item->gate;
        char text[32];

        item->in_flight = false;
        if (status >= 200 && status < 300) {
                gate->tries = 0;
                gate->rest_until_mono_ms = 0;
                say_state(gate, true, NULL);
                gate->counts.handed++;
                remove_item(gate, item);
                gate->options.report(gate->options.told, &item->about, SMS_HANDED);
                free(item);
        } else if (is_refused(status)) {
                remove_item(gate, item);
                lose(gate, item);
        } else {
                snprintf(text, sizeof(text), "it answers %d", status);
                in_trouble(gate, status == 0 ? why : text);
        }
        go(gate);
}

static void fly(struct sms_gate *gate, struct item *item)
{
        struct url url = { .len = 0 };
        int r = write_url(gate, item, &url);

        if (r < 0 || (r = http_get(gate->http, url.at, on_answered, item)) == -EMSGSIZE) {
                remove_item(gate, item);
                lose(gate, item);
        } else if (r < 0) {
                in_trouble(gate, strerror(-r));
        } else {
                item->in_flight = true;
        }
}

/* go: ask for as many as may be under way: one while the gateway is in trouble. */
static void go(struct sms_gate *gate)
{
        struct item *item;

        while (http_room(gate->http) > 0 && (gate->tries == 0 || http_room(gate->http) == HTTP_FLIGHTS_MAX) &&
               clock_mono_ms() >= gate->rest_until_mono_ms && (item = next_item(gate)) != NULL)
                fly(gate, item);
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct sms_gate *gate = timer->user;

        end_terms(gate, clock_mono_ms());
        tell_lost(gate);
        go(gate);
        if (gate->counts.waiting > 0 && !wheel_timer_is_armed(&gate->timer))
                arm(gate, SMS_GATE_RETRY_MS);
}

/* ---- In. */

static struct item *find_same(const struct sms_gate *gate, const struct sms_out *sms)
{
        for (struct item *item = gate->first[sms->priority]; item != NULL; item = item->next)
                if (!item->in_flight && strcmp(item->to, sms->to) == 0 && item->about.what == sms->about.what &&
                    memcmp(item->about.alert, sms->about.alert, ALERT_ID_SIZE) == 0 &&
                    strcmp(item->about.person, sms->about.person) == 0)
                        return item;
        return NULL;
}

/* make_room: the youngest of the lowest priority fails. */
static void make_room(struct sms_gate *gate)
{
        struct item *last = NULL;

        for (int p = PRIORITIES - 1; p >= 0 && last == NULL; p--)
                for (struct item *item = gate->first[p]; item != NULL; item = item->next)
                        if (!item->in_flight)
                                last = item;
        if (last == NULL)
                return;
        remove_item(gate, last);
        gate->counts.dropped++;
        lose(gate, last);
}

static void fill(struct item *item, const struct sms_out *sms, int64_t term_ms)
{
        size_t len = sms->text != NULL ? strlen(sms->text) : sms->data.len;

        snprintf(item->to, sizeof(item->to), "%s", sms->to);
        item->priority = sms->priority;
        item->about = sms->about;
        item->is_text = sms->text != NULL;
        item->gsm = sms->gsm;
        item->len = len < sizeof(item->body) ? len : sizeof(item->body);
        memcpy(item->body, sms->text != NULL ? (const void *)sms->text : sms->data.at, item->len);
        item->until_mono_ms = clock_mono_ms() + term_ms;
}

void sms_gate_send(struct sms_gate *gate, const struct sms_out *sms)
{
        struct item *item = find_same(gate, sms), **at;

        if (item != NULL) {
                gate->counts.replaced++;
                fill(item, sms, gate->options.term_ms);
        } else if ((item = calloc(1, sizeof(*item))) != NULL) {
                item->gate = gate;
                fill(item, sms, gate->options.term_ms);
                for (at = &gate->first[item->priority]; *at != NULL; at = &(*at)->next)
                        ;
                *at = item;
                if (++gate->counts.waiting > SMS_GATE_QUEUE_MAX)
                        make_room(gate);
        } else {
                gate->counts.failed++; /* no memory: still due in the store, and asked for again */
        }
        arm(gate, 0);
}

int sms_gate_open(const struct sms_gate_options *options, struct sms_gate **ret_gate)
{
        struct sms_gate *gate = calloc(1, sizeof(*gate));
        int r = gate != NULL ? http_open(options->loop, &gate->http) : -ENOMEM;

        if (r < 0) {
                free(gate);
                return r;
        }
        gate->options = *options;
        if (options->term_ms == 0)
                gate->options.term_ms = SMS_GATE_TERM_MS;
        wheel_timer_init(&gate->timer, on_timer, gate);
        *ret_gate = gate;
        return 0;
}

static void free_items(struct item *item)
{
        while (item != NULL) {
                struct item *next = item->next;

                free(item);
                item = next;
        }
}

void sms_gate_close(struct sms_gate *gate)
{
        if (gate == NULL)
                return;
        http_close(gate->http);
        loop_timer_cancel(gate->options.loop, &gate->timer);
        for (int p = 0; p < PRIORITIES; p++)
                free_items(gate->first[p]);
        free_items(gate->lost);
        free(gate);
}

const struct sms_gate_counts *sms_gate_counts(const struct sms_gate *gate)
{
        return &gate->counts;
}
