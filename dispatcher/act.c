/* The core's actions, done. */
#include <assert.h>
#include <string.h>

#include "dispatcher/run_inside.h"
#include "wire/signing.h"

static void send_receipt(struct run *run, const struct core_action *action)
{
        uint8_t cose[RECEIPT_MAX], bytes[FRAME_REGION_MAX];
        struct cbor_writer to;
        struct frame frame = { .type = FRAME_RECEIPT };
        int len;

        cbor_writer_init(&to, cose, sizeof(cose));
        if (receipt_sign(&action->u.receipt.receipt, run->options.files->receipt_kid, run->options.files->receipt_key,
                         &to) < 0) {
                log_error(NULL, "a receipt cannot be signed");
                return;
        }
        frame.u.cose.cose = (struct cbor_span){ cose, to.len };
        len = frame_encode(&frame, bytes, sizeof(bytes));
        if (len > 0 && link_send(run->link, action->u.receipt.session, bytes, (size_t)len) == 0 &&
            action->u.receipt.stamp != 0)
                histogram_add(&run->press, clock_mono_us() - (int64_t)action->u.receipt.stamp);
}

/* People on duty, in the positions' Redis. */
static void act_on_people(struct run *run, const struct core_action *action)
{
        switch (action->kind) {
        case DO_DUTY:
                store_duty(run->store, action);
                return;
        case DO_PRESENCE:
                store_presence(run->store, action);
                return;
        case DO_CARRIER_DUTY:
                store_carrier_duty(run->store, action);
                return;
        case DO_HEARD:
                store_heard(run->store, action);
                return;
        case DO_FIND_DUTY:
                store_find_duty(run->store, action);
                return;
        case DO_TIMER:
                store_timer(run->store, action);
                return;
        default:
                assert(false);
        }
}

/* Vaults, orders, places. */
static void act_on_pass(struct run *run, const struct core_action *action)
{
        switch (action->kind) {
        case DO_VAULT:
                inbox_vault(run, action);
                return;
        case DO_DONE:
                inbox_done(run, action);
                return;
        case DO_ASK_PASS:
                inbox_ask_pass(run, action);
                return;
        case DO_OPEN:
                open_place(run, action);
                return;
        case DO_ORDER:
                inbox_order(run, action);
                return;
        default:
                assert(false);
        }
}

static void act(struct run *run, const struct core_action *action)
{
        switch (action->kind) {
        case DO_APPEND:
                keep_append(run, action->u.append.number, action->u.append.bytes);
                return;
        case DO_COMMIT:
                store_commit(run->store, action);
                return;
        case DO_LOOK:
                store_look(run->store, action);
                return;
        case DO_PROVE:
                store_prove(run->store, action);
                return;
        case DO_SEND:
                link_send(run->link, action->u.send.session, action->u.send.frame.at, action->u.send.frame.len);
                return;
        case DO_RECEIPT:
                send_receipt(run, action);
                return;
        case DO_CLOSE_SESSION:
                link_end(run->link, action->u.close_session.session, action->u.close_session.code);
                return;
        case DO_ACKNOWLEDGE:
                commands_acknowledge(run->commands, action->u.acknowledge.ref);
                return;
        case DO_ANSWER:
                store_answer(run->store, action, run_now_ms(run));
                return;
        case DO_NOTICE:
                store_notice(run->store, action->u.notice.key, action->u.notice.notice);
                return;
        case DO_SMS_TAKEN:
                sms_do_taken(run, action);
                return;
        case DO_SMS_RECEIPT:
                sms_do_receipt(run, action);
                return;
        case DO_SMS_SAY:
                sms_do_say(run, action);
                return;
        case DO_DUTY:
        case DO_PRESENCE:
        case DO_CARRIER_DUTY:
        case DO_HEARD:
        case DO_FIND_DUTY:
        case DO_TIMER:
                act_on_people(run, action);
                return;
        case DO_VAULT:
        case DO_DONE:
        case DO_ASK_PASS:
        case DO_OPEN:
        case DO_ORDER:
                act_on_pass(run, action);
                return;
        }
}

void run_act(struct run *run)
{
        struct core_action action;

        if (run->acting)
                return;
        run->acting = true;
        while (core_next(run->core, &action))
                act(run, &action);
        run->acting = false;
}

void run_tell(struct run *run, struct core_event *event)
{
        event->now_ms = run_now_ms(run);
        event->now_mono_ms = clock_mono_ms();
        run_act(run);
        core_handle(run->core, event);
        run_act(run);
}
