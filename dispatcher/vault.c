/* What handsets say of their vaults, orders and timers: whose session it is, and what the shell does about it (inbox_run.c). */
#include <string.h>

#include "dispatcher/core_parts.h"

/* Each of these frames is written to the store, and told to all who follow: a phone has some at once, then one now and then.  What is
 * over is refused (FRAME_ERROR_TOO_MANY), and the phone says it again with its next session. */
#define FRAMES_BURST     20
#define FRAMES_REFILL_MS 2000

static bool is_too_many(struct core *core, struct session *session)
{
        if (bucket_take(&session->passes, core->now_mono_ms, FRAMES_BURST, FRAMES_REFILL_MS))
                return false;
        session_refuse(core, session, FRAME_ERROR_TOO_MANY, "too many frames");
        return true;
}

static struct core_action *of_handset(struct core *core, enum core_action_kind kind, const struct session *session)
{
        struct core_action *action = core_do(core, kind);

        action->u.vault.session = session->id;
        memcpy(action->u.vault.handset, session->handset->id, HANDSET_ID_SIZE);
        return action;
}

static void vault_said(struct core *core, const struct session *session, const struct frame *frame)
{
        struct core_action *action = of_handset(core, DO_VAULT, session);
        struct vault_entry *vault = &action->u.vault.vault;

        action->u.vault.told = true;
        memcpy(vault->enrolment, session->handset->entry.enrolment, ENROLMENT_SIZE);
        vault->state = frame->u.vault.state;
        vault->has_key = frame->u.vault.has_key;
        vault->has_challenge = frame->u.vault.has_challenge;
        memcpy(vault->key, frame->u.vault.key, PASS_KEY_SIZE);
        memcpy(vault->challenge, frame->u.vault.challenge, ORDER_CHALLENGE_SIZE);
        vault->list_s = frame->u.vault.list_s;
        vault->told_at_ms = core->now_ms;
}

void vault_done(struct core *core, uint64_t session, uint64_t ref, struct cbor_span confirmation)
{
        struct core_action *action = core_do(core, DO_DONE);

        action->u.done.session = session;
        action->u.done.ref = ref;
        action->u.done.bytes = core_keep_octets(core, confirmation.at, confirmation.len);
}

static void ask_pass(struct core *core, const struct session *session, const struct frame *frame)
{
        const struct handset *handset = session->handset;
        struct core_action *action;
        bool sure;

        if (handset->entry.role != HANDSET_CARRIER || handset_holder(handset, &sure)[0] == '\0') {
                vault_asked(core, session->id, frame->u.ask_pass.request, ASK_NOT_NOW);
                return;
        }
        action = of_handset(core, DO_ASK_PASS, session);
        action->u.vault.request = frame->u.ask_pass.request;
        action->u.vault.asked.until_s = frame->u.ask_pass.until_s;
        action->u.vault.asked.at_ms = core->now_ms;
        record_set_text(action->u.vault.asked.carrier, sizeof(action->u.vault.asked.carrier),
                        handset_holder(handset, &sure));
        record_set_text(action->u.vault.asked.round, sizeof(action->u.vault.asked.round), frame->u.ask_pass.round);
}

void vault_asked(struct core *core, uint64_t session, uint32_t request, uint8_t code)
{
        const struct session *to = session_find(core, session);
        struct frame frame = { .type = FRAME_ASKED, .u.asked = { request, code } };

        if (to != NULL)
                core_send(core, to, &frame);
}

static void timer_said(struct core *core, const struct session *session, const struct frame *frame)
{
        struct core_action *action = of_handset(core, DO_TIMER, session);
        struct cbor_span place = frame->u.timer.place;

        action->u.vault.timer.due_s = frame->u.timer.due_s;
        action->u.vault.timer.place = core_keep_octets(core, place.at, place.len);
}

bool vault_frame(struct core *core, struct session *session, const struct frame *frame)
{
        if (frame->type < FRAME_VAULT || frame->type > FRAME_TIMER)
                return false;
        if (is_too_many(core, session))
                return true;
        switch (frame->type) {
        case FRAME_VAULT:
                vault_said(core, session, frame);
                return true;
        case FRAME_DONE:
                vault_done(core, session->id, 0, frame->u.cose.cose);
                return true;
        case FRAME_ASK_PASS:
                ask_pass(core, session, frame);
                return true;
        case FRAME_TIMER:
                timer_said(core, session, frame);
                return true;
        default:
                return false;
        }
}

/* Revoked or expired: it is told no more, and does no more, than what it is ordered: to be wiped. */
bool vault_of_refused(struct core *core, struct session *session, const struct frame *frame)
{
        if (session->handset == NULL || !session->handset->known)
                return false;
        if (frame->type == FRAME_HELLO) {
                memcpy(of_handset(core, DO_VAULT, session)->u.vault.vault.enrolment, session->handset->entry.enrolment,
                       ENROLMENT_SIZE);
                return false;
        }
        if (frame->type != FRAME_DONE || is_too_many(core, session))
                return false;
        vault_done(core, session->id, 0, frame->u.cose.cose);
        return true;
}

bool vault_by_sms(struct core *core, uint64_t ref, struct cbor_span bytes)
{
        struct confirm_signed confirm;

        if (confirm_read(bytes, &confirm, NULL) < 0)
                return false;
        vault_done(core, 0, ref, bytes);
        return true;
}

/* The keeper signed it: who asks for it to be sent by SMS only has to be somebody of the region. */
int vault_order(struct core *core, const struct command *command)
{
        const struct user *user = directory_user(&core->directory, command->login);
        const struct handset *handset = directory_handset(&core->directory, command->alert);
        struct core_action *action;

        if (user == NULL || user->entry.disabled ||
            (user->entry.role != ROLE_CONTROL && user->entry.role != ROLE_ADMIN && user->entry.role != ROLE_ISSUER &&
             user->entry.role != ROLE_SUPERVISOR))
                return -ANSWER_NOT_ALLOWED;
        if (handset == NULL || !handset->known || handset->entry.number[0] == '\0' || !core->options.sms)
                return -ANSWER_UNKNOWN_ALERT;
        action = core_do(core, DO_ORDER);
        memcpy(action->u.order.handset, handset->id, HANDSET_ID_SIZE);
        record_set_text(action->u.order.number, sizeof(action->u.order.number), handset->entry.number);
        return 0;
}

const struct handset_entry *core_handset(const struct core *core, const uint8_t id[HANDSET_ID_SIZE])
{
        const struct handset *handset = directory_handset(&core->directory, id);

        return handset != NULL && handset->known ? &handset->entry : NULL;
}
