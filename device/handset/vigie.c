#include "device/handset/vigie.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "device/handset/core.h"

/* The limits that the contract writes as numbers are those of wire/. */
_Static_assert(VIGIE_ALERT_ID_SIZE == ALERT_ID_SIZE && VIGIE_HANDSET_ID_SIZE == HANDSET_ID_SIZE, "ids");
_Static_assert(VIGIE_PERSON_SIZE == PERSON_ID_MAX + 1 && VIGIE_NAME_SIZE == NAME_MAX_OCTETS + 1, "texts");
_Static_assert(VIGIE_NOTE_SIZE == NOTE_MAX + 1 && VIGIE_NUMBER_SIZE == NUMBER_MAX + 1, "texts");
_Static_assert(VIGIE_WHO_SIZE == RECEIPT_WHO_MAX + 1 && VIGIE_SIGNATURE_SIZE == KEY_SIGNATURE_SIZE, "receipt");
_Static_assert(VIGIE_SEND_MAX == FRAME_HANDSET_MAX && VIGIE_FRAME_MAX == FRAME_REGION_MAX, "frames");
_Static_assert(VIGIE_SMS_MAX == COSE_SMS_MAX && ALERT_MAX <= VIGIE_SMS_MAX && RECEIPT_MAX <= VIGIE_SMS_MAX, "SMS");
_Static_assert((int)VIGIE_SEEN == COMMAND_SEEN && (int)VIGIE_ON_MY_WAY == COMMAND_EN_ROUTE, "verbs");
_Static_assert((int)VIGIE_WITH_THEM == COMMAND_ON_SCENE && (int)VIGIE_CLOSE == COMMAND_CLOSE, "verbs");
_Static_assert((int)VIGIE_HELPED == CLOSE_HELPED && (int)VIGIE_OTHER == CLOSE_OTHER, "reasons");
_Static_assert((int)VIGIE_ORDER_WIPE == ORDER_WIPE && (int)VIGIE_ORDER_PASS == ORDER_PASS, "orders");
_Static_assert((int)VIGIE_ORDER_NOT_UNDERSTOOD == ORDER_NOT_UNDERSTOOD, "results");
_Static_assert((int)VIGIE_VAULT_DESTROYED == VAULT_DESTROYED && VIGIE_ENROLMENT_SIZE == ENROLMENT_SIZE, "vault");
_Static_assert(VIGIE_PASS_KEY_SIZE == PASS_KEY_SIZE && VIGIE_CHALLENGE_SIZE == ORDER_CHALLENGE_SIZE, "vault");
_Static_assert(VIGIE_ARGUMENT_SIZE == ORDER_DIGEST_SIZE && CONFIRM_MAX <= VIGIE_SMS_MAX, "orders");
_Static_assert((int)VIGIE_OPENED_TIMER == OPENED_TIMER && VIGIE_OPENED_MAX == OPENED_MAX, "openings");
_Static_assert(sizeof(((struct vigie_options *)0)->app) == FRAME_APP_MAX + 1, "app");

uint32_t vigie_abi(void)
{
        return VIGIE_ABI;
}

size_t vigie_size(void)
{
        return sizeof(struct vigie);
}

static bool text_ends(const char *text, size_t size)
{
        return memchr(text, 0, size) != NULL;
}

static int options_check(const struct vigie_options *o)
{
        const struct vigie_options ours = VIGIE_OPTIONS;

        if (o->abi != VIGIE_ABI || memcmp(o->sizes, ours.sizes, sizeof(ours.sizes)) != 0)
                return -EPROTO;
        if (o->address_count > VIGIE_ADDRESSES_MAX)
                return -E2BIG;
        if (o->verify == NULL || o->role > VIGIE_SUPERVISOR || o->root_len > sizeof(o->root) ||
            (o->trust == NULL && o->trust_len != 0) || !text_ends(o->person, sizeof(o->person)) ||
            !text_ends(o->app, sizeof(o->app)) || (o->man_down_s != 0 && (o->man_down_s < 30 || o->man_down_s > 3600)))
                return -EINVAL;
        if (o->wiped_len > VIGIE_SMS_MAX || (o->wiped == NULL && o->wiped_len != 0))
                return -EINVAL;
        return 0;
}

int vigie_init(struct vigie *vigie, const struct vigie_options *options)
{
        int r = options_check(options);

        if (r < 0)
                return r;
        memset(vigie, 0, sizeof(*vigie));
        vigie->options = *options;
        vigie->options.trust = vigie->options.wiped = NULL;
        memcpy(vigie->handset.octets, options->handset, HANDSET_ID_SIZE);
        vigie->timer_mono_ms = vigie->asked_mono_ms = NEVER;
        vigie->duty.until_mono_ms = NEVER;
        vigie->watch.battery = ALERT_BATTERY_UNKNOWN;
        vigie->watch.moved_mono_ms = vigie->watch.man_down_mono_ms = NEVER;
        vigie->watch.check_in_mono_ms = vigie->watch.missed_mono_ms = NEVER;
        for (int i = 0; i < VIGIE_KEY_PRESSES; i++)
                vigie->key_mono_ms[i] = INT64_MIN / 2;
        vigie->touch.raised_mono_ms = INT64_MIN / 2;
        if (options->wiped_len > 0)
                my_order_wiped(vigie, (struct cbor_span){ options->wiped, options->wiped_len });
        if (options->trust_len > 0)
                my_trust_take(vigie, (struct cbor_span){ options->trust, options->trust_len });
        return 0;
}

/* ---- for the other files ----------------------------------------------------------------------------------------- */

struct vigie_action *my_act(struct vigie *vigie, enum vigie_action_type type)
{
        struct vigie_action *action;

        assert(vigie->out != NULL && vigie->out->count < VIGIE_ACTIONS_MAX);
        action = &vigie->out->action[vigie->out->count++];
        memset(action, 0, sizeof(*action));
        action->type = type;
        return action;
}

uint8_t *my_room(struct vigie *vigie, size_t size)
{
        uint8_t *room;

        assert(size <= VIGIE_OCTETS_MAX - vigie->out->octets_len);
        room = vigie->out->octets + vigie->out->octets_len;
        vigie->out->octets_len += size;
        return room;
}

void my_send_frame(struct vigie *vigie, enum my_lane lane, const struct frame *frame)
{
        uint8_t octets[FRAME_HANDSET_MAX];
        int len = frame_encode(frame, octets, sizeof(octets));
        struct vigie_action *send;

        if (len <= 0)
                return; /* a text from the host that is no id: the region would refuse it as well */
        send = my_act(vigie, VIGIE_DO_SEND);
        send->address = vigie->link[lane].address;
        send->data = memcpy(my_room(vigie, len), octets, len);
        send->len = len;
}

void my_vibrate(struct vigie *vigie, enum vigie_pattern pattern)
{
        const struct my_alert *real = &vigie->alert[MY_REAL];

        if (real->state == MY_OPEN && real->mute && pattern != VIGIE_VIBRATE_MESSAGE &&
            pattern != VIGIE_VIBRATE_RISING && pattern != VIGIE_VIBRATE_STOP)
                return;
        my_act(vigie, VIGIE_DO_VIBRATE)->pattern = pattern;
}

int64_t my_jitter(const struct vigie *vigie, int64_t below)
{
        uint64_t drawn;

        memcpy(&drawn, vigie->random + 8, sizeof(drawn));
        return below > 0 ? (int64_t)(drawn % (uint64_t)below) : 0;
}

uint32_t my_seconds(int64_t ms)
{
        return ms < 0 || ms / 1000 > UINT32_MAX ? 0 : (uint32_t)(ms / 1000);
}

void my_name_copy(char *to, size_t size, const char *text)
{
        const char *end = memchr(text, 0, size - 1);
        size_t len = end != NULL ? (size_t)(end - text) : size - 1;

        memcpy(to, text, len);
        memset(to + len, 0, size - len);
}

/* ---- events in --------------------------------------------------------------------------------------------------- */

static int on_start(struct vigie *vigie, const struct vigie_event *e)
{
        if (vigie->started)
                return 0;
        vigie->started = true;
        vigie->order.wiped_mono_ms = vigie->order.sms_retry_mono_ms = vigie->now_mono_ms;
        my_watch_start(vigie);
        my_duty_start(vigie);
        my_alert_start(vigie);
        my_link_start(vigie);
        return 0;
}

static int on_tick(struct vigie *vigie, const struct vigie_event *e)
{
        return 0;
}

static int on_press(struct vigie *vigie, const struct vigie_event *e)
{
        my_alert_on_press(vigie, e->u.press.how, e->u.press.press);
        return 0;
}

static int on_key(struct vigie *vigie, const struct vigie_event *e)
{
        my_alert_on_key(vigie);
        return 0;
}

static int on_category(struct vigie *vigie, const struct vigie_event *e)
{
        if (e->u.category < ALERT_FALL || e->u.category > ALERT_OTHER)
                return -EINVAL;
        my_alert_on_category(vigie, e->u.category);
        return 0;
}

static int on_pin(struct vigie *vigie, const struct vigie_event *e)
{
        if (e->u.pin > VIGIE_PIN_WRONG)
                return -EINVAL;
        my_alert_on_pin(vigie, e->u.pin);
        return 0;
}

static int on_still(struct vigie *vigie, const struct vigie_event *e)
{
        my_alert_on_still(vigie);
        return 0;
}

static int on_dismiss(struct vigie *vigie, const struct vigie_event *e)
{
        my_alert_on_dismiss(vigie);
        my_ring_on_dismiss(vigie);
        return 0;
}

static int on_fine(struct vigie *vigie, const struct vigie_event *e)
{
        my_duty_on_fine(vigie);
        my_watch_on_fine(vigie);
        return 0;
}

static int on_fix(struct vigie *vigie, const struct vigie_event *e)
{
        my_fix_on_fix(vigie, e);
        return 0;
}

static int on_motion(struct vigie *vigie, const struct vigie_event *e)
{
        my_watch_on_motion(vigie, e->u.motion.moved);
        return 0;
}

static int on_deadline(struct vigie *vigie, const struct vigie_event *e)
{
        return my_watch_on_deadline(vigie, e->u.deadline.what, e->u.deadline.in_s);
}

static int on_battery(struct vigie *vigie, const struct vigie_event *e)
{
        if (e->u.battery > 100 && e->u.battery != ALERT_BATTERY_UNKNOWN)
                return -EINVAL;
        my_watch_on_battery(vigie, e->u.battery);
        return 0;
}

static int on_power_off(struct vigie *vigie, const struct vigie_event *e)
{
        my_watch_on_power_off(vigie);
        return 0;
}

static int on_duty(struct vigie *vigie, const struct vigie_event *e)
{
        if (!e->u.duty.on) {
                my_duty_off(vigie);
                return 0;
        }
        if (!text_ends(e->u.duty.person, VIGIE_PERSON_SIZE) || !text_ends(e->u.duty.round, VIGIE_PERSON_SIZE))
                return -EINVAL;
        return my_duty_set(vigie, e->u.duty.person, e->u.duty.round, e->u.duty.until_s);
}

static int on_link(struct vigie *vigie, const struct vigie_event *e)
{
        if (e->u.link.address >= vigie->options.address_count)
                return -EINVAL;
        my_link_on_link(vigie, e->u.link.address, e->u.link.up);
        return 0;
}

static int on_modem(struct vigie *vigie, const struct vigie_event *e)
{
        if (e->u.modem >= VIGIE_MODEM_END)
                return -EINVAL;
        my_sms_on_modem(vigie, e->u.modem);
        return 0;
}

static int on_sms_sent(struct vigie *vigie, const struct vigie_event *e)
{
        my_sms_on_sent(vigie, e);
        return 0;
}

static int on_synced(struct vigie *vigie, const struct vigie_event *e)
{
        my_diary_on_synced(vigie, e->u.synced.seq, e->u.synced.ok);
        return 0;
}

static int on_signed(struct vigie *vigie, const struct vigie_event *e)
{
        my_send_on_signed(vigie, e);
        my_order_on_signed(vigie, e);
        return 0;
}

static int on_sealed(struct vigie *vigie, const struct vigie_event *e)
{
        struct cbor_span sealed = { e->u.sealed.data, e->u.sealed.len };

        my_duty_on_sealed(vigie, e->u.sealed.ticket, sealed);
        my_watch_on_sealed(vigie, e->u.sealed.ticket, sealed);
        return 0;
}

static int (*const on[VIGIE_ON_END])(struct vigie *vigie, const struct vigie_event *e) = {
        [VIGIE_ON_START] = on_start,
        [VIGIE_ON_TICK] = on_tick,
        [VIGIE_ON_PRESS] = on_press,
        [VIGIE_ON_KEY] = on_key,
        [VIGIE_ON_CATEGORY] = on_category,
        [VIGIE_ON_PIN] = on_pin,
        [VIGIE_ON_STILL] = on_still,
        [VIGIE_ON_DISMISS] = on_dismiss,
        [VIGIE_ON_FINE] = on_fine,
        [VIGIE_ON_FIX] = on_fix,
        [VIGIE_ON_MOTION] = on_motion,
        [VIGIE_ON_DEADLINE] = on_deadline,
        [VIGIE_ON_BATTERY] = on_battery,
        [VIGIE_ON_POWER_OFF] = on_power_off,
        [VIGIE_ON_DUTY] = on_duty,
        [VIGIE_ON_LINK] = on_link,
        [VIGIE_ON_FRAME] = my_take_frame,
        [VIGIE_ON_SMS] = my_take_sms,
        [VIGIE_ON_SYNCED] = on_synced,
        [VIGIE_ON_SIGNED] = on_signed,
        [VIGIE_ON_SEALED] = on_sealed,
        [VIGIE_ON_SUPERVISE] = my_ring_on_supervise,
        [VIGIE_ON_MODEM] = on_modem,
        [VIGIE_ON_SMS_SENT] = on_sms_sent,
        [VIGIE_ON_ORDERED] = my_order_on_ordered,
        [VIGIE_ON_VAULT] = my_order_on_vault,
        [VIGIE_ON_ASK_PASS] = my_order_on_ask_pass,
        [VIGIE_ON_ENTERED] = my_watch_on_entered,
        [VIGIE_ON_OPENED_READ] = my_opened_on_read,
};

/* ---- and what follows -------------------------------------------------------------------------------------------- */

/* Four words at a time, which do not wait for each other. */
static void hash_add(uint64_t lanes[4], const void *data, size_t size)
{
        uint64_t words[4];

        for (size_t at = 0; at < size; at += sizeof(words)) {
                if (size - at < sizeof(words))
                        memset(words, 0, sizeof(words));
                memcpy(words, (const uint8_t *)data + at, size - at < sizeof(words) ? size - at : sizeof(words));
                for (size_t i = 0; i < 4; i++) {
                        lanes[i] ^= words[i];
                        lanes[i] = (lanes[i] << 29 | lanes[i] >> 35) * 0x9e3779b97f4a7c15;
                }
        }
}

/* Over all octets of the status, of which every one is written: the same status has the same hash.  Distances follow from the fix and
 * the rings. */
static uint64_t status_hash(const struct vigie *vigie)
{
        struct vigie_status status;
        uint64_t lanes[4] = { 1, 2, 3, 4 };

        my_status_head(vigie, &status);
        hash_add(lanes, &status, offsetof(struct vigie_status, rings));
        for (int i = 0; i < vigie->ring_count; i++)
                hash_add(lanes, &vigie->ring[i].shown, sizeof(vigie->ring[i].shown));
        for (size_t i = 1; i < 4; i++)
                lanes[0] = ((lanes[0] << 29 | lanes[0] >> 35) ^ lanes[i]) * 0x9e3779b97f4a7c15;
        return lanes[0] ^ lanes[0] >> 29;
}

static int64_t due(const struct vigie *vigie)
{
        int64_t at = my_earlier(my_watch_due(vigie), my_alert_due(vigie));

        at = my_earlier(at, my_earlier(my_diary_due(vigie), my_send_due(vigie)));
        at = my_earlier(at, my_earlier(my_link_due(vigie), my_duty_due(vigie)));
        at = my_earlier(at, my_order_due(vigie));
        return my_earlier(at, my_earlier(my_sms_due(vigie), my_ring_due(vigie)));
}

/* What raises goes before what writes, what writes before what sends, alerts before everything else that is sent; which
 * links stand is settled before, for both legs. */
static void settle(struct vigie *vigie)
{
        uint64_t shown;
        int64_t next;

        my_watch_run(vigie);
        my_alert_run(vigie);
        my_diary_run(vigie);
        my_link_run(vigie);
        my_sms_run(vigie);
        my_send_run(vigie);
        my_sms_send(vigie);
        my_link_hello(vigie);
        my_duty_run(vigie);
        my_watch_tell(vigie);
        my_order_run(vigie);
        my_ring_run(vigie);
        shown = status_hash(vigie);
        if (shown != vigie->shown)
                my_act(vigie, VIGIE_DO_SHOW);
        vigie->shown = shown;
        next = due(vigie);
        if (next != vigie->timer_mono_ms)
                my_act(vigie, VIGIE_DO_TIMER)->due_mono_ms = next;
        vigie->timer_mono_ms = next;
}

int vigie_event(struct vigie *vigie, const struct vigie_event *event, struct vigie_actions *ret_actions)
{
        int r;

        ret_actions->count = ret_actions->octets_len = 0;
        if (event->type == 0 || event->type >= VIGIE_ON_END)
                return -EINVAL;
        vigie->now_ms = event->now_ms < 1 ? 1 : my_earlier(event->now_ms, VIGIE_CLOCK_MAX_MS); /* 0 is "not yet" */
        if (event->now_mono_ms > vigie->now_mono_ms)
                vigie->now_mono_ms = my_earlier(event->now_mono_ms, VIGIE_CLOCK_MAX_MS);
        memcpy(vigie->random, event->random, VIGIE_RANDOM_SIZE);
        vigie->out = ret_actions;
        r = on[event->type](vigie, event);
        if (r == 0)
                settle(vigie);
        vigie->out = NULL;
        return r;
}
