/* Duty: who holds the phone and on which round; the heartbeat or presence that goes with it; the region's question; the
 * proof of the button.  Off duty no heartbeat leaves. */
#include <errno.h>
#include <string.h>

#include "device/handset/core.h"
#include "wire/people.h"
#include "wire/sealed.h"

_Static_assert(VIGIE_SEAL_RANDOM_SIZE == SEALED_RANDOM_SIZE, "seal");

/* An announcement without answer is repeated after 3 s, 6 s ... up to this. */
#define TELL_WAIT_MAX_MS 60000

const char *my_duty_person(const struct vigie *vigie)
{
        return vigie->duty.on ? vigie->duty.person : vigie->options.person;
}

static void announce(struct my_duty *d)
{
        d->announce = true;
        d->told_tries = 0;
        d->request = 0;
}

static void until_set(struct vigie *vigie, uint32_t until_s)
{
        struct my_duty *d = &vigie->duty;

        d->until_s = until_s;
        d->until_mono_ms = vigie->now_mono_ms + (int64_t)until_s * 1000 - vigie->now_ms;
        d->ends = false;
}

static void begin(struct vigie *vigie, const char *person, const char *round)
{
        struct my_duty *d = &vigie->duty;

        memset(d, 0, sizeof(*d));
        d->on = true;
        my_name_copy(d->person, sizeof(d->person), person);
        my_name_copy(d->round, sizeof(d->round), round);
        d->since_ms = vigie->now_ms;
        d->beat_mono_ms = vigie->now_mono_ms;
        d->proof.running = true;
        vigie->watch.moved_mono_ms = vigie->watch.man_down_mono_ms = NEVER;
        my_alert_raise(vigie, ALERT_TEST, 0);
        my_sms_on_duty(vigie);
}

int my_duty_set(struct vigie *vigie, const char *person, const char *round, uint32_t until_s)
{
        int64_t left_ms = (int64_t)until_s * 1000 - vigie->now_ms;

        if (person[0] == 0)
                person = vigie->options.person;
        if (!person_id_valid(person) || (round[0] != 0 && !person_id_valid(round)) || left_ms <= 0)
                return -EINVAL;
        if (left_ms > VIGIE_DUTY_MAX_S * 1000)
                until_s = my_seconds(vigie->now_ms) + VIGIE_DUTY_MAX_S;
        if (!vigie->duty.on || strcmp(vigie->duty.person, person) != 0 || strcmp(vigie->duty.round, round) != 0) {
                begin(vigie, person, round);
                my_opened_on_duty(vigie);
        }
        until_set(vigie, until_s);
        announce(&vigie->duty);
        my_diary_write(vigie, MY_DUTY, true);
        return 0;
}

void my_duty_off(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;

        d->refused = false;
        if (!d->on)
                return;
        d->on = d->confirmed = d->ends = d->question = d->safe = false;
        d->seal = 0;
        d->until_mono_ms = NEVER;
        memset(&d->proof, 0, sizeof(d->proof));
        vigie->alert[MY_TEST].state = MY_NONE;
        vigie->watch.moved_mono_ms = vigie->watch.man_down_mono_ms = NEVER;
        announce(d);
        my_diary_write(vigie, MY_DUTY, true);
}

void my_duty_start(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;

        if (!d->on)
                return;
        until_set(vigie, d->until_s);
        d->until_mono_ms = my_earlier(d->until_mono_ms, vigie->now_mono_ms + VIGIE_DUTY_MAX_S * 1000);
        announce(d);
}

/* ---- the region -------------------------------------------------------------------------------------------------- */

void my_duty_on_welcome(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;

        if (d->on || d->announce)
                announce(d);
        if (d->on)
                d->beat_mono_ms = vigie->now_mono_ms + my_jitter(vigie, MY_BEAT_SPREAD_MS);
}

void my_duty_on_disbelief(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;
        bool again = d->disbelief_mono_ms != 0 && vigie->now_mono_ms - d->disbelief_mono_ms < 2 * MY_DISBELIEF_MS;

        d->confirmed = false;
        if (!d->on || d->announce)
                return;
        announce(d);
        d->beat_from_mono_ms = again ? vigie->now_mono_ms + MY_DISBELIEF_MS : vigie->now_mono_ms;
        d->disbelief_mono_ms = vigie->now_mono_ms;
}

void my_duty_on_answer(struct vigie *vigie, const struct frame *frame)
{
        struct my_duty *d = &vigie->duty;

        if (!d->announce || d->request == 0 || frame->u.duty_answer.request != d->request)
                return;
        d->announce = false;
        if (!d->on)
                return;
        if (frame->u.duty_answer.code == DUTY_OK) {
                if (!d->confirmed)
                        d->beat_mono_ms =
                                d->beat_from_mono_ms > vigie->now_mono_ms ? d->beat_from_mono_ms : vigie->now_mono_ms;
                d->confirmed = true;
                my_name_copy(d->name, sizeof(d->name), frame->u.duty_answer.name);
                my_diary_write(vigie, MY_DUTY, false);
                return;
        }
        my_duty_off(vigie);
        d->announce = false; /* the region knows */
        d->refused = true;
        d->code = frame->u.duty_answer.code;
}

static void tell(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;
        struct frame frame = { .type = FRAME_DUTY };

        if (d->request == 0)
                d->request = ++vigie->requests;
        frame.u.duty.request = d->request;
        frame.u.duty.on = d->on;
        memcpy(frame.u.duty.person, d->person, sizeof(frame.u.duty.person));
        memcpy(frame.u.duty.round, d->round, sizeof(frame.u.duty.round));
        frame.u.duty.until_s = d->until_s;
        my_send_frame(vigie, MY_ORDINARY, &frame);
        d->told_mono_ms = vigie->now_mono_ms;
        d->told_tries += d->told_tries < 8;
}

static int64_t tell_due(const struct vigie *vigie)
{
        const struct my_duty *d = &vigie->duty;

        if (!d->announce || !my_link_ready(vigie))
                return NEVER;
        if (d->told_tries == 0)
                return vigie->now_mono_ms;
        return d->told_mono_ms + my_earlier((int64_t)MY_ANSWER_WAIT_MS << (d->told_tries - 1), TELL_WAIT_MAX_MS);
}

void my_duty_on_question(struct vigie *vigie, uint32_t request)
{
        if (!vigie->duty.on) { /* an old word of ours came late, to a dispatcher that had been stopped: it was overtaken */
                announce(&vigie->duty);
                return;
        }
        vigie->duty.question_request = request;
        if (!vigie->duty.question)
                my_vibrate(vigie, VIGIE_VIBRATE_ASK);
        vigie->duty.question = true;
}

void my_duty_on_fine(struct vigie *vigie)
{
        vigie->duty.safe |= vigie->duty.question;
        vigie->duty.question = false;
}

static void safe_send(struct vigie *vigie)
{
        struct frame frame = { .type = FRAME_SAFE };

        frame.u.request.request = vigie->duty.question_request;
        my_send_frame(vigie, MY_ORDINARY, &frame);
        vigie->duty.safe = false;
}

/* ---- heartbeat and presence -------------------------------------------------------------------------------------- */

static uint8_t last_words(const struct vigie *vigie)
{
        int64_t off_mono_ms = vigie->duty.off_mono_ms;

        if (off_mono_ms != 0 && vigie->now_mono_ms - off_mono_ms < MY_OFF_MS)
                return HEARTBEAT_POWER_OFF;
        return vigie->watch.battery_low ? HEARTBEAT_BATTERY_LOW : HEARTBEAT_ORDINARY;
}

static void heartbeat(struct vigie *vigie, struct cbor_span sealed)
{
        struct frame frame = { .type = FRAME_HEARTBEAT };

        frame.u.heartbeat.cause = last_words(vigie);
        frame.u.heartbeat.battery = vigie->watch.battery;
        frame.u.heartbeat.sealed = sealed.len <= SEALED_POSITION_MAX ? sealed : (struct cbor_span){ 0 };
        my_send_frame(vigie, MY_ORDINARY, &frame);
}

static void presence(struct vigie *vigie)
{
        struct frame frame = { .type = FRAME_PRESENCE };

        frame.u.presence.battery = vigie->watch.battery;
        frame.u.presence.has_position = vigie->fix.has;
        if (vigie->fix.has) {
                struct vigie_place place = my_fix_place(vigie);

                frame.u.presence.at = (struct track_point){ place.at_s, place.lat_e7, place.lon_e7, place.accuracy_m };
        }
        my_send_frame(vigie, MY_ORDINARY, &frame);
}

uint32_t my_duty_seal(struct vigie *vigie, const struct trust_key *key, const struct vigie_place *place)
{
        struct vigie_action *seal = my_act(vigie, VIGIE_DO_SEAL);
        uint8_t *room = my_room(vigie, KEY_KID_SIZE + key->public_len);

        memcpy(room, key->kid, KEY_KID_SIZE);
        memcpy(room + KEY_KID_SIZE, key->public, key->public_len);
        seal->data = room;
        seal->len = KEY_KID_SIZE + key->public_len;
        seal->place = *place;
        return seal->ticket = ++vigie->tickets;
}

static void seal_ask(struct vigie *vigie, const struct trust_key *key)
{
        struct vigie_place place = my_fix_place(vigie);

        vigie->duty.seal = my_duty_seal(vigie, key, &place);
        vigie->duty.seal_mono_ms = vigie->now_mono_ms;
}

static void beat(struct vigie *vigie)
{
        const struct trust_key *key = NULL;

        if (vigie->options.role == VIGIE_SUPERVISOR) {
                vigie->duty.beat_mono_ms = vigie->now_mono_ms + VIGIE_PRESENCE_MS;
                presence(vigie);
                return;
        }
        vigie->duty.beat_mono_ms = vigie->now_mono_ms + VIGIE_HEARTBEAT_MS;
        if (vigie->fix.has && vigie->trusted)
                key = trust_current(&vigie->trust, TRUST_POSITION, my_seconds(vigie->now_ms));
        if (key != NULL)
                seal_ask(vigie, key);
        else
                heartbeat(vigie, (struct cbor_span){ 0 });
}

void my_duty_on_sealed(struct vigie *vigie, uint32_t ticket, struct cbor_span sealed)
{
        if (vigie->duty.seal == 0 || vigie->duty.seal != ticket)
                return;
        vigie->duty.seal = 0;
        if (vigie->duty.confirmed && my_link_ready(vigie))
                heartbeat(vigie, sealed);
}

void my_duty_last_words(struct vigie *vigie, bool off)
{
        if (off)
                vigie->duty.off_mono_ms = vigie->now_mono_ms;
        my_duty_beat(vigie);
}

void my_duty_beat(struct vigie *vigie)
{
        vigie->duty.beat_mono_ms = vigie->now_mono_ms;
}

static int64_t beat_due(const struct vigie *vigie)
{
        const struct my_duty *d = &vigie->duty;

        return d->confirmed && my_link_ready(vigie) ? d->beat_mono_ms : NEVER;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static int64_t end_due(const struct my_duty *d)
{
        if (!d->on)
                return NEVER;
        return d->ends ? d->until_mono_ms + VIGIE_DUTY_OVERTIME_S * 1000 : d->until_mono_ms;
}

void my_duty_run(struct vigie *vigie)
{
        struct my_duty *d = &vigie->duty;

        if (!vigie->started)
                return;
        if (end_due(d) <= vigie->now_mono_ms && !d->ends) {
                d->ends = true;
                my_vibrate(vigie, VIGIE_VIBRATE_ASK);
        }
        if (end_due(d) <= vigie->now_mono_ms)
                my_duty_off(vigie);
        if (tell_due(vigie) <= vigie->now_mono_ms)
                tell(vigie);
        if (d->safe && my_link_ready(vigie))
                safe_send(vigie);
        if (d->seal != 0 && vigie->now_mono_ms - d->seal_mono_ms >= MY_SEAL_WAIT_MS)
                my_duty_on_sealed(vigie, d->seal, (struct cbor_span){ 0 });
        if (beat_due(vigie) <= vigie->now_mono_ms)
                beat(vigie);
}

int64_t my_duty_due(const struct vigie *vigie)
{
        const struct my_duty *d = &vigie->duty;
        int64_t at;

        if (!vigie->started)
                return NEVER;
        at = my_earlier(end_due(d), my_earlier(tell_due(vigie), beat_due(vigie)));
        return d->seal == 0 ? at : my_earlier(at, d->seal_mono_ms + MY_SEAL_WAIT_MS);
}
