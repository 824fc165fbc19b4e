/* What a page shows.  Nothing of a silent alert, nothing that tells duress from a mistake. */
#include <math.h>
#include <string.h>

#include "device/handset/core.h"

static enum vigie_word receipt_word(uint8_t state)
{
        static const uint8_t words[] = {
                [RECEIPT_KEPT] = VIGIE_KEPT,         [RECEIPT_RAISED] = VIGIE_RECEIVED,
                [RECEIPT_ASKED] = VIGIE_ASKED,       [RECEIPT_SEEN] = VIGIE_SEEN_BY,
                [RECEIPT_TAKEN] = VIGIE_TAKEN,       [RECEIPT_EN_ROUTE] = VIGIE_EN_ROUTE,
                [RECEIPT_ON_SCENE] = VIGIE_ON_SCENE, [RECEIPT_CLOSED] = VIGIE_CLOSED,
                [RECEIPT_COMING] = VIGIE_COMING,
        };

        if (receipt_is_closed(state))
                return VIGIE_CLOSED;
        return state < sizeof(words) ? words[state] : VIGIE_RECEIVED; /* a newer region's: durable, all we know */
}

static enum vigie_word alert_word(const struct my_alert *a)
{
        if (a->has_receipt)
                return receipt_word(a->receipt.state);
        return a->sent_at_ms != 0 ? VIGIE_SENT : VIGIE_NOT_SENT;
}

/* The alert to show; NULL if there is none, or a silent one. */
static const struct my_alert *alert_shown(const struct vigie *vigie)
{
        static const enum my_state states[] = { MY_OPEN, MY_CLOSED };

        for (size_t s = 0; s < 2; s++) {
                for (int i = MY_REAL; i <= MY_DRILL; i++) {
                        const struct my_alert *a = &vigie->alert[i];

                        if (a->state == states[s] && !a->hidden)
                                return a;
                }
        }
        return NULL;
}

static void alert_status(const struct vigie *vigie, struct vigie_alert_status *to)
{
        const struct my_alert *a = alert_shown(vigie);
        struct alert_id id;

        if (a == NULL)
                return;
        id = alert_id_make(&vigie->handset, a->alert.nonce);
        memcpy(to->id, id.octets, ALERT_ID_SIZE);
        to->word = (uint8_t)alert_word(a);
        to->kind = (uint8_t)a->alert.kind;
        to->category = (uint8_t)alert_category(a->alert.marks);
        to->revision = a->made ? a->alert.revision : 0;
        to->presses = a->presses;
        to->trying = a->state == MY_OPEN && !a->received;
        to->still = a->alert.marks & ALERT_STILL;
        to->mistake = a->alert.marks & (ALERT_MISTAKE | ALERT_DURESS);
        to->pressed_at_s = a->alert.pressed_at_s;
        to->sent_at_ms = a->sent_at_ms;
        to->sent_data_at_ms = a->sent_data_at_ms;
        to->sent_sms_at_ms = a->sent_sms_at_ms;
        to->received_at_ms = a->received_at_ms;
        to->received_path = a->received_path;
        if (!a->has_receipt)
                return;
        to->state_at_s = a->receipt.time_s;
        my_name_copy(to->who, sizeof(to->who), a->receipt.who);
        if (receipt_is_closed(a->receipt.state) && a->receipt.state != RECEIPT_CLOSED)
                to->reason = a->receipt.state;
}

static uint32_t trouble(const struct vigie *vigie)
{
        return (vigie->options.enrolled ? 0 : VIGIE_TROUBLE_NOT_ENROLLED) |
               (vigie->journal_bad || vigie->journal_hangs ? VIGIE_TROUBLE_JOURNAL : 0) |
               (vigie->no_path ? VIGIE_TROUBLE_NO_PATH : 0) | (vigie->not_known ? VIGIE_TROUBLE_NOT_KNOWN : 0) |
               (vigie->key_bad ? VIGIE_TROUBLE_KEY : 0) | (vigie->trusted ? 0 : VIGIE_TROUBLE_TRUST) |
               (vigie->fix.has ? 0 : VIGIE_TROUBLE_NO_FIX) | (vigie->watch.battery_low ? VIGIE_TROUBLE_BATTERY : 0);
}

static void sms_status(const struct vigie *vigie, struct vigie_status *to)
{
        const struct my_sms *s = &vigie->sms;

        to->sms.modem = s->modem;
        to->sms.sending = s->ticket != 0 && !s->hidden;
        to->sms.code = s->code;
        to->sms.good_at_ms = to->proof.sms_at_ms = s->good_at_ms;
        to->sms.failed_at_ms = s->failed_at_ms;
}

static void duty_status(const struct vigie *vigie, struct vigie_status *to)
{
        const struct my_duty *d = &vigie->duty;

        to->duty.state = d->on ? (d->confirmed ? VIGIE_DUTY_ON : VIGIE_DUTY_ASKED)
                               : (d->refused ? VIGIE_DUTY_REFUSED : VIGIE_DUTY_OFF);
        to->duty.code = d->refused ? d->code : 0;
        to->question = d->question;
        if (!d->on && !d->refused)
                return;
        to->duty.ends = d->ends;
        my_name_copy(to->duty.person, VIGIE_PERSON_SIZE, d->person);
        my_name_copy(to->duty.round, VIGIE_PERSON_SIZE, d->round);
        my_name_copy(to->duty.name, VIGIE_NAME_SIZE, d->name);
        to->duty.since_ms = d->since_ms;
        to->duty.until_s = d->until_s;
        to->proof.running = d->proof.running &&
                            (d->proof.recorded_at_ms == 0 || d->proof.sent_at_ms == 0 || d->proof.proved_at_ms == 0);
        to->proof.recorded_at_ms = d->proof.recorded_at_ms;
        to->proof.sent_at_ms = d->proof.sent_at_ms;
        to->proof.proved_at_ms = d->proof.proved_at_ms;
        if (d->proof.running && vigie->fix.has)
                to->proof.fix_at_ms = vigie->fix.at_ms;
}

static void watch_status(const struct vigie *vigie, struct vigie_status *to)
{
        const struct my_watch *w = &vigie->watch;

        to->battery = w->battery;
        to->man_down_at_ms = w->man_down_mono_ms == NEVER ? 0 : w->man_down_at_ms;
        to->check_in_at_ms = w->check_in_at_ms;
        to->missed_at_ms = w->missed_mono_ms == NEVER ? 0 : w->missed_at_ms;
}

static void link_status(const struct vigie *vigie, struct vigie_status *to)
{
        static const uint8_t states[] = {
                [MY_IDLE] = VIGIE_LINK_DOWN, [MY_CONNECTING] = VIGIE_LINK_CONNECTING, [MY_UP] = VIGIE_LINK_UP
        };
        const struct my_link *l = &vigie->link[MY_ORDINARY];

        to->link = l->welcome ? VIGIE_LINK_WELCOME : states[l->state];
        to->link_at_ms = l->since_ms;
        my_name_copy(to->region, VIGIE_PERSON_SIZE, vigie->region);
        my_name_copy(to->name, VIGIE_NAME_SIZE, vigie->name);
}

static uint32_t distance_m(const struct vigie *vigie, const struct vigie_ring *ring)
{
        if (!ring->has_place || !vigie->fix.has)
                return UINT32_MAX;
        return (uint32_t)lround(my_fix_distance_m(vigie->fix.lat_deg, vigie->fix.lon_deg, ring->place.lat_e7 / 1e7,
                                                  ring->place.lon_e7 / 1e7));
}

void my_status_head(const struct vigie *vigie, struct vigie_status *ret_status)
{
        struct vigie_status *to = ret_status;

        memset(to, 0, offsetof(struct vigie_status, rings));
        to->enrolled = vigie->options.enrolled && !vigie->order.wiped;
        to->asked_pass = vigie->asking.state;
        my_opened_status(vigie, to);
        to->entered_at_ms = vigie->watch.quiet == MY_QUIET_ON ? vigie->watch.quiet_place.at_s * INT64_C(1000) : 0;
        to->trouble = trouble(vigie);
        to->button = (to->trouble & VIGIE_TROUBLE_BUTTON) == 0;
        to->role = vigie->options.role;
        to->touching = vigie->touch.down && vigie->touch.press != VIGIE_PRESS_SILENT;
        alert_status(vigie, &to->alert);
        link_status(vigie, to);
        to->has_fix = vigie->fix.has;
        if (vigie->fix.has)
                to->fix = my_fix_place(vigie);
        sms_status(vigie, to);
        duty_status(vigie, to);
        watch_status(vigie, to);
        to->wrong_pins = vigie->wrong_pins;
        to->refused = vigie->refused;
        to->ring = vigie->ring_level;
        to->rings_more = vigie->rings_more;
        to->ring_count = vigie->ring_count;
}

void vigie_status(const struct vigie *vigie, struct vigie_status *ret_status)
{
        struct vigie_status *to = ret_status;

        my_status_head(vigie, to);
        memset(to->rings, 0, sizeof(*to) - offsetof(struct vigie_status, rings));
        for (int i = 0; i < vigie->ring_count; i++) {
                memcpy(&to->rings[i], &vigie->ring[i].shown, sizeof(to->rings[i]));
                to->rings[i].distance_m = distance_m(vigie, &to->rings[i]);
        }
}

const char *vigie_word_name(unsigned word)
{
        static const char *const names[VIGIE_WORD_END] = {
                "none", "not_sent", "sent",  "kept",     "received", "asked",
                "seen", "coming",   "taken", "en_route", "on_scene", "closed"
        };

        return word < VIGIE_WORD_END ? names[word] : NULL;
}

const char *vigie_modem_name(unsigned modem)
{
        static const char *const names[VIGIE_MODEM_END] = { "none",       "absent",     "silent", "no_sim",
                                                            "sim_locked", "no_network", "ready" };

        return modem < VIGIE_MODEM_END ? names[modem] : NULL;
}

const char *vigie_trouble_name(uint32_t bit)
{
        static const char *const names[] = { "not_enrolled", "journal", "no_path", "key",
                                             "trust",        "no_fix",  "battery", "not_known" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (bit == UINT32_C(1) << i)
                        return names[i];
        return NULL;
}
