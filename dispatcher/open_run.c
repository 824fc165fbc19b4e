/* Sealed places in the run: the keeper is asked to open them; quiet timers past their end are looked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/redis.h"
#include "base/seqpacket.h"
#include "dispatcher/run_inside.h"
#include "wire/keeper.h"

/* Timers looked at in one scan, from the ones due longest on; where there are more the next scan goes on behind these, and then all begins
 * anew: some stay for hours, as their carriers stay silent. */
#define TIMERS_MAX 1000

struct openings {
        struct run *run;
        struct seqpacket *keeper; /* NULL: none is configured */
        size_t timers_from;       /* how many the scan steps over */
        struct log_limit log;
};

/* One place that is to be opened, or one timer that is looked at. */
struct opening {
        struct run *run;
        uint8_t alert[ALERT_ID_SIZE], handset[HANDSET_ID_SIZE];
        uint8_t sealed[SEALED_POSITION_MAX], press[FRAME_COSE_MAX], certificate[KEEPER_CERTIFICATE_MAX];
        size_t sealed_len, press_len, certificate_len;
        uint8_t why;
        struct core_found found;
        int64_t due_ms;
};

static void say(struct openings *openings, const uint8_t handset[HANDSET_ID_SIZE], const char *what)
{
        char text[2 * HANDSET_ID_SIZE + 1];
        uint32_t hidden;

        hex_encode(handset, HANDSET_ID_SIZE, text);
        if (log_limit_pass(&openings->log, clock_mono_ms(), &hidden))
                log_warn("keeper", "handset %s: its place is not opened: %s", text, what);
}

static int read_field(struct opening *opening, struct redis_link *link, const char *hash, redis_fn *done)
{
        char key[STORE_KEY_SIZE], field[2 * HANDSET_ID_SIZE + 1];
        struct redis_args args;

        store_key(opening->run->options.config, hash, key);
        hex_encode(opening->handset, HANDSET_ID_SIZE, field);
        redis_args_init(&args, strcmp(hash, "duty") == 0 ? "ZSCORE" : "HGET");
        redis_arg(&args, key);
        redis_arg(&args, field);
        return redis_command(link, &args, done, opening);
}

/* ---- The keeper. */

static void on_opened_place(void *user, const uint8_t *answer, size_t len)
{
        struct opening *opening = user;
        struct run *run = opening->run;
        struct core_event event = { .kind = CORE_PLACE };
        struct keeper_answer in;
        bool readable = answer != NULL && keeper_answer_decode((struct cbor_span){ answer, len }, &in) == 0;

        if (!run->closing && readable && in.kind == KEEPER_OPEN && in.code == KEEPER_DONE) {
                memcpy(event.u.place.alert, opening->alert, ALERT_ID_SIZE);
                memcpy(event.u.place.handset, opening->handset, HANDSET_ID_SIZE);
                event.u.place.at = (struct track_point){ .at_s = in.position.fix_at_s,
                                                         .lat_e7 = in.position.lat_e7,
                                                         .lon_e7 = in.position.lon_e7,
                                                         .accuracy_m = in.position.accuracy_m };
                inbox_opened(run, opening->handset, opening->why);
                run_tell(run, &event);
        } else if (!run->closing) {
                say(run->openings, opening->handset,
                    answer == NULL ? "no answer"
                    : readable     ? keeper_code_name(in.code)
                                   : "an answer that cannot be read");
        }
        free(opening);
}

static void ask_keeper(struct opening *opening)
{
        struct openings *openings = opening->run->openings;
        uint8_t buf[SEALED_POSITION_MAX + FRAME_COSE_MAX + KEEPER_CERTIFICATE_MAX + 256];
        struct keeper_request ask = { .kind = KEEPER_OPEN };
        int n;

        memcpy(ask.handset, opening->handset, HANDSET_ID_SIZE);
        memcpy(ask.by, opening->run->options.config->name, strnlen(opening->run->options.config->name, PERSON_ID_MAX));
        ask.sealed = (struct cbor_span){ opening->sealed, opening->sealed_len };
        ask.alert = (struct cbor_span){ opening->press, opening->press_len };
        ask.certificate = (struct cbor_span){ opening->certificate, opening->certificate_len };
        n = keeper_request_encode(&ask, buf, sizeof(buf));
        if (n <= 0 || seqpacket_ask(openings->keeper, buf, (size_t)n, on_opened_place, opening) < 0) {
                say(openings, opening->handset, n <= 0 ? "it cannot be asked so" : "the keeper is away");
                free(opening);
        }
}

static void on_certificate(void *user, struct redisReply *reply)
{
        struct opening *opening = user;
        struct cbor_span bytes = reply_bytes(reply);

        if (opening->run->closing || bytes.len == 0 || bytes.len > sizeof(opening->certificate)) {
                if (!opening->run->closing)
                        say(opening->run->openings, opening->handset, "no certificate of it is kept");
                free(opening);
                return;
        }
        memcpy(opening->certificate, bytes.at, bytes.len);
        opening->certificate_len = bytes.len;
        ask_keeper(opening);
}

/* The last place that the phone sealed. */
static void on_last_place(void *user, struct redisReply *reply)
{
        struct opening *opening = user;
        struct cbor_span bytes = reply_bytes(reply);
        struct carrier_duty duty;

        if (opening->run->closing || bytes.len == 0 || carrier_duty_decode(bytes.at, bytes.len, &duty) < 0 ||
            duty.sealed_size == 0) {
                free(opening); /* off duty, or without a fix: there is none */
                return;
        }
        memcpy(opening->sealed, duty.sealed, duty.sealed_size);
        opening->sealed_len = duty.sealed_size;
        if (read_field(opening, store_alerts(opening->run->store), "certificates", on_certificate) < 0)
                free(opening);
}

void open_place(struct run *run, const struct core_action *action)
{
        struct opening *opening = run->openings->keeper != NULL ? calloc(1, sizeof(*opening)) : NULL;
        struct cbor_span sealed = action->u.open.sealed, press = action->u.open.press;

        if (opening == NULL)
                return;
        opening->run = run;
        opening->why = action->u.open.why;
        memcpy(opening->alert, action->u.open.alert, ALERT_ID_SIZE);
        memcpy(opening->handset, action->u.open.handset, HANDSET_ID_SIZE);
        if (sealed.len > sizeof(opening->sealed) || press.len > sizeof(opening->press)) {
                free(opening);
                return;
        }
        if (press.len > 0)
                memcpy(opening->press, press.at, press.len);
        opening->press_len = press.len;
        if (sealed.len > 0) {
                memcpy(opening->sealed, sealed.at, sealed.len);
                opening->sealed_len = sealed.len;
                ask_keeper(opening);
        } else if (read_field(opening, store_positions(run->store), "duty:info", on_last_place) < 0) {
                free(opening);
        }
}

/* ---- Quiet timers. */

static void on_timer_heard(void *user, struct redisReply *reply)
{
        struct opening *opening = user;
        struct core_event event = { .kind = CORE_TIMER };

        if (!opening->run->closing && reply_is_good(reply)) {
                opening->found.heard_at_ms = reply_int(reply);
                event.u.timer.found = opening->found;
                event.u.timer.due_ms = opening->due_ms;
                run_tell(opening->run, &event);
        }
        free(opening);
}

static void on_timer_duty(void *user, struct redisReply *reply)
{
        struct opening *opening = user;
        struct core_found *found = &opening->found;
        struct cbor_span bytes = reply_bytes(reply);

        memcpy(found->handset, opening->handset, HANDSET_ID_SIZE);
        found->on_duty = bytes.len > 0 && carrier_duty_decode(bytes.at, bytes.len, &found->duty) == 0;
        if (found->on_duty && opening->sealed_len > 0) {
                memcpy(found->duty.sealed, opening->sealed, opening->sealed_len);
                found->duty.sealed_size = (uint16_t)opening->sealed_len;
        }
        if (opening->run->closing || !reply_is_good(reply) ||
            read_field(opening, store_positions(opening->run->store), "duty", on_timer_heard) < 0)
                free(opening);
}

static void on_timer(void *user, struct redisReply *reply)
{
        struct opening *opening = user;
        struct cbor_span bytes = reply_bytes(reply);
        struct timer_entry timer;

        if (opening->run->closing || bytes.len == 0 || timer_entry_decode(bytes.at, bytes.len, &timer) < 0) {
                free(opening);
                return;
        }
        opening->due_ms = timer.due_s * INT64_C(1000);
        opening->sealed_len = timer.place.len;
        if (timer.place.len > 0)
                memcpy(opening->sealed, timer.place.at, timer.place.len);
        if (read_field(opening, store_positions(opening->run->store), "duty:info", on_timer_duty) < 0)
                free(opening);
}

static void on_timers(void *user, struct redisReply *reply)
{
        struct run *run = user;

        if (run->closing || !reply_is_good(reply))
                return;
        run->openings->timers_from = reply_count(reply) == TIMERS_MAX ? run->openings->timers_from + TIMERS_MAX : 0;
        for (size_t i = 0; i < reply_count(reply); i++) {
                struct opening *opening = calloc(1, sizeof(*opening));
                char field[2 * HANDSET_ID_SIZE + 1];

                if (opening == NULL)
                        return;
                opening->run = run;
                if (!reply_text(reply_at(reply, i), field, sizeof(field)) ||
                    hex_decode(field, opening->handset, HANDSET_ID_SIZE) < 0 ||
                    read_field(opening, store_positions(run->store), "timers", on_timer) < 0)
                        free(opening);
        }
}

void open_timers(struct run *run)
{
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        store_key(run->options.config, "timers:due", key);
        redis_args_init(&args, "ZRANGEBYSCORE");
        redis_arg(&args, key);
        redis_arg(&args, "-inf");
        redis_arg_int(&args, run_now_ms(run) / 1000);
        redis_arg(&args, "LIMIT");
        redis_arg_int(&args, (int64_t)run->openings->timers_from);
        redis_arg_int(&args, TIMERS_MAX);
        redis_command(store_positions(run->store), &args, on_timers, run);
}

/* ---- Beginning and end. */

static void on_keeper(void *user, bool up, const char *why)
{
        if (up)
                log_info("keeper", "connected");
        else
                log_warn("keeper", "away: %s", why);
}

int open_open(struct run *run)
{
        const char *path = run->options.config->keeper_socket;

        run->openings = calloc(1, sizeof(*run->openings));
        if (run->openings == NULL)
                return -ENOMEM;
        run->openings->run = run;
        if (path[0] == '\0')
                return 0;
        return seqpacket_open(
                run->options.loop,
                &(struct seqpacket_options){ .path = path, .answer_max = 1024, .state = on_keeper, .user = run },
                &run->openings->keeper);
}

void open_close(struct run *run)
{
        if (run->openings == NULL)
                return;
        seqpacket_close(run->openings->keeper);
        free(run->openings);
        run->openings = NULL;
}
