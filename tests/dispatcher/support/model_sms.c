#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dispatcher/support/model_inside.h"

/* ---- Out ------------------------------------------------------------------------------------------------------------ */

void model_sms_report(struct model *model, unsigned dispatcher, const struct sms_ref *about, uint8_t what)
{
        struct core_event event = { .kind = CORE_SMS_REPORT };

        event.u.sms_report.about = *about;
        event.u.sms_report.what = what;
        model_mail(model, dispatcher, &event, (struct model_bytes){ 0 });
}

void model_sms(struct model *model, unsigned dispatcher, const struct core_action *action)
{
        struct model_sms sms = { .kind = action->kind, .dispatcher = dispatcher };

        if (action->kind == DO_SMS_TAKEN) {
                model->sms_taken++;
                model->sms_ref = action->u.sms_taken.ref;
                if (model->sms_ref < sizeof(model->taken))
                        model->taken[model->sms_ref] = true;
                return;
        }
        if (action->kind == DO_SMS_SAY) {
                memcpy(sms.to, action->u.sms_say.to, sizeof(sms.to));
                sms.say = action->u.sms_say.say;
                sms.about = action->u.sms_say.about;
                assert(sms.say.kind > 0 && sms.say.kind < SMS_KIND_END);
        } else {
                memcpy(sms.to, action->u.sms_receipt.to, sizeof(sms.to));
                sms.receipt = action->u.sms_receipt.receipt;
                sms.about = action->u.sms_receipt.about;
        }
        assert(number_valid(sms.to) && sms.about.what > 0 && sms.about.what < SMS_WHAT_END);
        model->sms_sent++;
        if (model->sms_count < sizeof(model->sms) / sizeof(model->sms[0]))
                model->sms[model->sms_count++] = sms;
        if (model->gateway != SMS_NONE)
                model_sms_report(model, dispatcher, &sms.about, model->gateway);
}

static bool is_one(const struct model_sms *sms, enum core_action_kind kind, uint8_t say, const char *to)
{
        return sms->kind == kind && (say == 0 || sms->say.kind == say) && (to == NULL || strcmp(sms->to, to) == 0);
}

static size_t count(const struct model *model, enum core_action_kind kind, uint8_t say, const char *to)
{
        size_t found = 0;

        for (size_t i = 0; i < model->sms_count; i++)
                found += is_one(&model->sms[i], kind, say, to);
        return found;
}

static const struct model_sms *last(const struct model *model, enum core_action_kind kind, uint8_t say, const char *to)
{
        for (size_t i = model->sms_count; i-- > 0;)
                if (is_one(&model->sms[i], kind, say, to))
                        return &model->sms[i];
        return NULL;
}

size_t model_said(const struct model *model, uint8_t kind, const char *to)
{
        return count(model, DO_SMS_SAY, kind, to);
}

const struct model_sms *model_last_said(const struct model *model, uint8_t kind, const char *to)
{
        return last(model, DO_SMS_SAY, kind, to);
}

size_t model_sms_receipts(const struct model *model, const char *to)
{
        return count(model, DO_SMS_RECEIPT, 0, to);
}

const struct model_sms *model_last_receipt(const struct model *model, const char *to)
{
        return last(model, DO_SMS_RECEIPT, 0, to);
}

/* ---- In ------------------------------------------------------------------------------------------------------------- */

void model_number(unsigned handset, char ret_number[NUMBER_MAX + 1])
{
        snprintf(ret_number, NUMBER_MAX + 1, "+336000%05u", handset);
}

void model_person_number(const struct model *model, const char *person, char ret_number[NUMBER_MAX + 1])
{
        for (size_t i = 0; i < model->people_count; i++)
                if (strcmp(model->people[i].id, person) == 0) {
                        record_set_text(ret_number, NUMBER_MAX + 1, model->people[i].entry.number);
                        return;
                }
        abort();
}

void model_sms_event(struct model *model, unsigned dispatcher, struct core_event *event)
{
        model_event(model, dispatcher, event);
        model_pump(model);
}

bool model_sms_bytes(struct model *model, unsigned dispatcher, const char *from, struct cbor_span bytes)
{
        struct core_event event = { .kind = CORE_SMS_OBJECT };
        size_t taken = model->sms_taken;

        event.u.sms_object.from = from;
        event.u.sms_object.bytes = bytes;
        event.u.sms_object.ref = 1000 + model->sms_taken;
        model_event(model, dispatcher, &event);
        model_pump(model);
        return model->sms_taken > taken;
}

bool model_sms_press(struct model *model, unsigned dispatcher, const char *from, unsigned handset,
                     const struct alert *alert)
{
        uint8_t cose[ALERT_MAX];
        size_t size = model_sign(alert, handset, cose);

        return model_sms_bytes(model, dispatcher, from, (struct cbor_span){ cose, size });
}

bool model_sms_text(struct model *model, unsigned dispatcher, const char *from, const char *text)
{
        struct core_event event = { .kind = CORE_SMS_TEXT };
        size_t taken = model->sms_taken;
        uint64_t id = 0x5a5a000000000000 + (uint64_t)model->now_ms + model->sms_sent * 7919 + model->commits * 104729;

        event.u.sms_text.from = from;
        event.u.sms_text.text = text;
        event.u.sms_text.ref = 1000 + model->sms_taken;
        memcpy(event.u.sms_text.id, &id, sizeof(id));
        model_event(model, dispatcher, &event);
        model_pump(model);
        return model->sms_taken > taken;
}
