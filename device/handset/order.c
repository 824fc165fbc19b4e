/* What the region orders this phone to do, by data or SMS (PROTOCOL.md 14): believed by its signature, its enrolment and its number alone,
 * done once, confirmed by our own signature; a copy, or an older one, is answered by the confirmation of the last one.  And what the
 * region is told of the vault. */
#include <errno.h>
#include <string.h>

#include "device/handset/core.h"

/* ---- the confirmation -------------------------------------------------------------------------------------------- */

static void confirm_sign(struct vigie *vigie, const struct confirm *what)
{
        struct my_order *o = &vigie->order;
        struct vigie_action *sign = my_act(vigie, VIGIE_DO_SIGN);
        struct cbor_writer w;

        o->confirming = *what;
        o->octets_len = 0;
        o->ticket = ++vigie->tickets;
        o->sign_mono_ms = vigie->now_mono_ms;
        cbor_writer_init(&w, my_room(vigie, CONFIRM_TBS_MAX), CONFIRM_TBS_MAX);
        confirm_tbs(what, &w);
        sign->ticket = o->ticket;
        sign->data = cbor_written(&w).at;
        sign->len = w.len;
}

static struct confirm confirm_of(const struct vigie *vigie, const struct order *order, uint8_t result)
{
        struct confirm confirm = { .handset = vigie->handset,
                                   .number = order->number,
                                   .kind = (uint8_t)order->kind,
                                   .result = result,
                                   .at_s = my_seconds(vigie->now_ms) };

        memcpy(confirm.enrolment, vigie->options.enrolment, sizeof(confirm.enrolment));
        return confirm;
}

/* The last one taken, said again; not too often, whoever repeats the order. */
static void confirm_again(struct vigie *vigie, bool by_sms)
{
        struct my_order *o = &vigie->order;

        if (o->taken.number == 0 || o->ticket != 0 || o->step != MY_ORDER_NONE)
                return;
        if (o->confirmed_mono_ms != 0 &&
            vigie->now_mono_ms - o->confirmed_mono_ms < (by_sms ? MY_CONFIRM_SMS_MS : MY_CONFIRM_MS))
                return;
        o->by_sms |= by_sms;
        o->sms_tries = 0;
        confirm_sign(vigie, &o->taken);
}

/* Not the welcome: a phone that the region knows no more is wiped all the same, and says so. */
static bool link_stands(const struct vigie *vigie)
{
        return vigie->link[MY_ORDINARY].state == MY_UP && vigie->link[MY_ORDINARY].hello;
}

static bool confirm_ready(const struct vigie *vigie)
{
        const struct my_order *o = &vigie->order;
        const struct my_written *w = &vigie->written[MY_ORDER];

        return o->octets_len > 0 && o->step == MY_ORDER_NONE && (o->wiped || w->durable == w->serial);
}

static void confirm_left(struct vigie *vigie, bool by_sms)
{
        struct my_order *o = &vigie->order;

        o->unsure_len = o->wiped && !by_sms ? o->octets_len : 0; /* any other order comes again */
        o->forget = o->wiped && by_sms;
        o->octets_len = 0;
        o->by_sms = false;
        o->confirmed_mono_ms = vigie->now_mono_ms;
}

/* By data; where that is down, what came by SMS, and a wipe, by SMS too: while no alert needs the modem. */
static int64_t sms_due(const struct vigie *vigie)
{
        const struct my_order *o = &vigie->order;

        if (!confirm_ready(vigie) || !(o->by_sms || o->wiped) || link_stands(vigie) ||
            vigie->sms.modem != VIGIE_MODEM_READY || vigie->sms.ticket != 0 || my_alert_waits(vigie) ||
            (o->sms_tries >= MY_CONFIRM_SMS_TRIES && !o->wiped))
                return NEVER;
        return o->sms_retry_mono_ms;
}

static void confirm_send(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;
        struct frame frame = { .type = FRAME_DONE, .u.cose.cose = { o->octets, o->octets_len } };

        if (confirm_ready(vigie) && link_stands(vigie)) {
                my_send_frame(vigie, MY_ORDINARY, &frame);
                confirm_left(vigie, false);
        } else if (sms_due(vigie) <= vigie->now_mono_ms) {
                my_sms_give(vigie, MY_ORDER, (struct cbor_span){ o->octets, o->octets_len });
        }
}

void my_order_on_sms_sent(struct vigie *vigie, bool ok)
{
        struct my_order *o = &vigie->order;

        if (ok && o->octets_len > 0) {
                confirm_left(vigie, true);
                return;
        }
        o->sms_tries += o->sms_tries < UINT8_MAX;
        o->sms_retry_mono_ms = vigie->now_mono_ms + MY_CONFIRM_SMS_MS;
}

/* ---- doing it ---------------------------------------------------------------------------------------------------- */

static void host_do(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;
        struct vigie_action *action = my_act(vigie, VIGIE_DO_ORDER);

        action->kind = (uint8_t)o->now.kind;
        action->number = o->now.number;
        if (o->now.kind == ORDER_WIPE && o->octets_len > 0) {
                action->data = memcpy(my_room(vigie, o->octets_len), o->octets, o->octets_len);
                action->len = o->octets_len;
        }
        if (o->now.kind == ORDER_UNLOCK)
                memcpy(action->argument, o->now.challenge, ORDER_CHALLENGE_SIZE);
        else if (o->now.kind == ORDER_PASS)
                memcpy(action->argument, o->now.digest, ORDER_DIGEST_SIZE);
        o->step = MY_ORDER_HOST;
        o->step_mono_ms = vigie->now_mono_ms;
}

/* Done, or not to be done: that is in the journal before it is said. */
static void over(struct vigie *vigie, uint8_t result)
{
        struct my_order *o = &vigie->order;

        o->step = MY_ORDER_NONE;
        o->taken = confirm_of(vigie, &o->now, result);
        my_diary_write(vigie, MY_ORDER, true);
        o->sms_tries = 0;
        o->sms_retry_mono_ms = vigie->now_mono_ms;
        confirm_sign(vigie, &o->taken);
}

static void wiped(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;

        o->step = MY_ORDER_NONE;
        o->wiped = true;
        o->wiped_mono_ms = o->sms_retry_mono_ms = vigie->now_mono_ms;
        o->sms_tries = 0;
}

void my_order_wiped(struct vigie *vigie, struct cbor_span confirmation)
{
        struct my_order *o = &vigie->order;

        o->wiped = true;
        o->octets_len = (uint8_t)(confirmation.len <= sizeof(o->octets) ? confirmation.len : 0);
        memcpy(o->octets, confirmation.at, o->octets_len);
}

int my_order_on_ordered(struct vigie *vigie, const struct vigie_event *event)
{
        struct my_order *o = &vigie->order;

        if (event->u.ordered.result > VIGIE_ORDER_NOT_UNDERSTOOD)
                return -EINVAL;
        if (o->step != MY_ORDER_HOST || event->u.ordered.number != o->now.number)
                return 0;
        if (o->now.kind == ORDER_WIPE && event->u.ordered.result == VIGIE_ORDER_DONE)
                wiped(vigie);
        else
                over(vigie, event->u.ordered.result);
        return 0;
}

void my_order_on_signed(struct vigie *vigie, const struct vigie_event *event)
{
        struct my_order *o = &vigie->order;
        struct cbor_writer w;

        if (o->ticket == 0 || event->u.signature.ticket != o->ticket)
                return;
        o->ticket = 0;
        if (event->u.signature.ok) {
                cbor_writer_init(&w, o->octets, sizeof(o->octets));
                confirm_finish(&o->confirming, event->u.signature.octets, &w);
                o->octets_len = (uint8_t)w.len;
        }
        if (o->step == MY_ORDER_SIGN)
                host_do(vigie); /* a key that does not sign saves no phone from being wiped */
}

static void trust_whole(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;
        struct cbor_span list = { o->trust, o->beside };

        if (my_trust_take(vigie, list) == 1)
                my_diary_trust(vigie, list);
        over(vigie, vigie->trust.number >= o->now.trust_number ? ORDER_DONE : ORDER_COULD_NOT);
}

static void whole(struct vigie *vigie)
{
        if (vigie->order.now.kind == ORDER_TRUST)
                trust_whole(vigie);
        else
                host_do(vigie);
}

void my_order_on_part(struct vigie *vigie, const struct frame *frame)
{
        struct my_order *o = &vigie->order;
        struct cbor_span in = frame->u.part.octets;
        struct vigie_action *beside;

        if (o->step != MY_ORDER_COLLECT || frame->u.part.number != o->now.number || frame->u.part.offset != o->got ||
            in.len > o->beside - o->got)
                return;
        if (o->now.kind == ORDER_TRUST) {
                memcpy(o->trust + o->got, in.at, in.len);
        } else {
                beside = my_act(vigie, VIGIE_DO_BESIDE);
                beside->data = memcpy(my_room(vigie, in.len), in.at, in.len);
                beside->len = in.len;
                beside->number = o->now.number;
                beside->offset = o->got;
                beside->total = o->beside;
        }
        o->got += (uint32_t)in.len;
        o->step_mono_ms = vigie->now_mono_ms;
        if (o->got == o->beside)
                whole(vigie);
}

/* Something else is being done: the region gives this one again.  A kind of a newer region: said so, and not done; what comes beside it is
 * let go by. */
static void begin(struct vigie *vigie, const struct order *order, uint32_t beside)
{
        struct my_order *o = &vigie->order;
        bool known = order->kind >= ORDER_WIPE && order->kind < ORDER_KIND_END;
        bool carries = order->kind == ORDER_PASS || order->kind == ORDER_TRUST;

        if (o->step == MY_ORDER_HOST || o->step == MY_ORDER_SIGN || o->ticket != 0 ||
            (known && carries != (beside > 0)) || (order->kind == ORDER_TRUST && beside > TRUST_MAX))
                return;
        o->now = *order;
        o->beside = beside;
        o->got = 0;
        o->octets_len = 0;
        if (!known) {
                over(vigie, ORDER_NOT_UNDERSTOOD);
                return;
        }
        o->step = carries ? MY_ORDER_COLLECT : MY_ORDER_SIGN;
        o->step_mono_ms = vigie->now_mono_ms;
        if (order->kind == ORDER_WIPE) {
                struct confirm done = confirm_of(vigie, order, ORDER_DONE);

                confirm_sign(vigie, &done);
        } else if (!carries) {
                host_do(vigie);
        }
}

void my_order_take(struct vigie *vigie, struct cbor_span cose, uint32_t beside, enum vigie_path path)
{
        struct my_order *o = &vigie->order;
        struct order_signed in;

        if (!vigie->options.enrolled || o->wiped)
                return;
        if (order_read(cose, &in, NULL) < 0 || !my_trust_order(vigie, &in)) {
                vigie->refused++;
                return;
        }
        if (!handset_id_equal(&in.order.handset, &vigie->handset) ||
            memcmp(in.order.enrolment, vigie->options.enrolment, sizeof(in.order.enrolment)) != 0)
                return;
        if (in.order.number <= o->taken.number) {
                confirm_again(vigie, path == VIGIE_PATH_SMS);
                return;
        }
        o->by_sms |= path == VIGIE_PATH_SMS;
        begin(vigie, &in.order, beside);
}

void my_order_on_list(struct vigie *vigie, const struct frame *frame)
{
        struct vigie_action *list = my_act(vigie, VIGIE_DO_LIST);
        struct cbor_span in = frame->u.list.octets;

        list->data = memcpy(my_room(vigie, in.len), in.at, in.len);
        list->len = in.len;
        list->number = frame->u.list.issued_s;
        list->offset = frame->u.list.offset;
        list->total = frame->u.list.total;
}

/* ---- what the region is told ------------------------------------------------------------------------------------- */

int my_order_on_vault(struct vigie *vigie, const struct vigie_event *event)
{
        if (event->u.vault.state > VIGIE_VAULT_DESTROYED)
                return -EINVAL;
        vigie->vault.has = true;
        vigie->vault.told_link = 0;
        vigie->vault.frame = (struct frame){ .type = FRAME_VAULT };
        vigie->vault.frame.u.vault.state = event->u.vault.state;
        vigie->vault.frame.u.vault.has_key = event->u.vault.has_key;
        vigie->vault.frame.u.vault.has_challenge = event->u.vault.has_challenge;
        memcpy(vigie->vault.frame.u.vault.key, event->u.vault.key, PASS_KEY_SIZE);
        memcpy(vigie->vault.frame.u.vault.challenge, event->u.vault.challenge, ORDER_CHALLENGE_SIZE);
        vigie->vault.frame.u.vault.list_s = event->u.vault.list_s;
        return 0;
}

int my_order_on_ask_pass(struct vigie *vigie, const struct vigie_event *event)
{
        struct frame *f = &vigie->asking.frame;

        if (memchr(event->u.ask_pass.round, 0, VIGIE_PERSON_SIZE) == NULL || !person_id_valid(event->u.ask_pass.round))
                return -EINVAL;
        *f = (struct frame){ .type = FRAME_ASK_PASS };
        f->u.ask_pass.request = ++vigie->requests;
        my_name_copy(f->u.ask_pass.round, sizeof(f->u.ask_pass.round), event->u.ask_pass.round);
        f->u.ask_pass.until_s = event->u.ask_pass.until_s;
        vigie->asking.state = VIGIE_ASKING;
        vigie->asking.told_link = 0;
        return 0;
}

void my_order_on_asked(struct vigie *vigie, const struct frame *frame)
{
        if (vigie->asking.state != VIGIE_ASKING || frame->u.asked.request != vigie->asking.frame.u.ask_pass.request)
                return;
        vigie->asking.state = frame->u.asked.code == ASK_TOLD ? VIGIE_ASKED_TOLD : VIGIE_ASKED_NOT_NOW;
}

static void tell_once(struct vigie *vigie, struct my_telling *telling)
{
        if (telling->told_link == vigie->link[MY_ORDINARY].number)
                return;
        my_send_frame(vigie, MY_ORDINARY, &telling->frame);
        telling->told_link = vigie->link[MY_ORDINARY].number;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static int64_t step_due(const struct my_order *o)
{
        if (o->step == MY_ORDER_SIGN || (o->step == MY_ORDER_NONE && o->ticket != 0))
                return o->sign_mono_ms + VIGIE_SIGN_WAIT_MS;
        return o->step == MY_ORDER_NONE ? NEVER : o->step_mono_ms + MY_ORDER_WAIT_MS;
}

static void step_end(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;
        bool wipe = o->step == MY_ORDER_SIGN;

        o->ticket = 0;
        o->step = MY_ORDER_NONE;
        if (wipe)
                host_do(vigie);
}

/* The link is let go then. */
static int64_t wiped_due(const struct my_order *o)
{
        if (o->octets_len > 0)
                return o->wiped_mono_ms + MY_WIPED_UNTOLD_MS;
        return (o->unsure_len > 0 ? o->confirmed_mono_ms : o->wiped_mono_ms) + MY_WIPED_MS;
}

/* Said by a link that broke at once: perhaps it was not heard. */
static void wiped_run(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;

        if (o->unsure_len > 0 && !link_stands(vigie)) {
                o->octets_len = o->unsure_len;
                o->unsure_len = 0;
        }
        if (vigie->options.enrolled && wiped_due(o) <= vigie->now_mono_ms) {
                o->forget |= o->unsure_len > 0;
                o->unsure_len = 0;
                vigie->options.enrolled = false;
                my_link_run(vigie); /* nothing asks for a link any more */
        }
        if (o->forget)
                my_act(vigie, VIGIE_DO_FORGET);
        o->forget = false;
}

void my_order_run(struct vigie *vigie)
{
        struct my_order *o = &vigie->order;

        if (!vigie->started || (!vigie->options.enrolled && !o->wiped))
                return;
        if (step_due(o) <= vigie->now_mono_ms)
                step_end(vigie);
        confirm_send(vigie);
        if (my_link_ready(vigie)) {
                if (vigie->vault.has)
                        tell_once(vigie, &vigie->vault);
                if (vigie->asking.state == VIGIE_ASKING)
                        tell_once(vigie, &vigie->asking);
        }
        if (o->wiped)
                wiped_run(vigie);
}

int64_t my_order_due(const struct vigie *vigie)
{
        const struct my_order *o = &vigie->order;
        int64_t at;

        if (!vigie->started || (!vigie->options.enrolled && !o->wiped))
                return NEVER;
        at = my_earlier(step_due(o), sms_due(vigie));
        return o->wiped && vigie->options.enrolled ? my_earlier(at, wiped_due(o)) : at;
}
