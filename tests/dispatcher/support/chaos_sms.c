/* The SMS network of the chaos: it loses, doubles and reorders; the gateway brings again what was not taken. */
#include <stdio.h>
#include <string.h>

#include "tests/dispatcher/support/chaos_inside.h"

static struct chaos_letter *post(struct chaos *chaos)
{
        struct chaos_letter *letter =
                &chaos->letters[chaos->letter_count < LETTERS ? chaos->letter_count++ : LETTERS - 1];

        *letter = (struct chaos_letter){ 0 };
        return letter;
}

static void twice(struct chaos *chaos, const struct chaos_letter *letter)
{
        if (chaos->letter_count < LETTERS)
                chaos->letters[chaos->letter_count++] = *letter;
}

static void press(struct chaos *chaos)
{
        unsigned handset = chaos_next(chaos, HANDSETS + 2) + 1; /* the last two are not enrolled */
        struct alert alert = model_alert_default(chaos->model, chaos_next(chaos, 4) + 1);
        struct chaos_letter *letter = post(chaos);

        alert.revision = chaos_next(chaos, 8);
        alert.kind = (enum alert_kind)(chaos_next(chaos, 8) % ALERT_KIND_COUNT);
        alert.marks = chaos_next(chaos, 64);
        letter->size = model_sign(&alert, handset, letter->cose);
        model_number(chaos_next(chaos, 4) == 0 ? 99 : handset, letter->from);
        if (chaos_next(chaos, 8) == 0)
                letter->cose[chaos_next(chaos, (unsigned)letter->size)] ^= 0x10;
        else if (alert.kind != ALERT_TEST && handset <= HANDSETS)
                model_alert_id(handset, 0, letter->alert);
        if (letter->alert[0] != 0)
                memcpy(letter->alert + HANDSET_ID_SIZE, alert.nonce, ALERT_NONCE_SIZE);
        if (chaos_next(chaos, 3) == 0)
                twice(chaos, letter);
}

static void write_text(struct chaos *chaos)
{
        static const char *const words[] = { "oui", "OUI", "non", "ok", "?", "o" };
        static const char *const people[SUPERVISORS] = { "anna", "bob", "cleo", "boss" };
        struct chaos_letter *letter = post(chaos);
        unsigned who = chaos_next(chaos, SUPERVISORS + 1), word = chaos_next(chaos, 6);
        size_t count = chaos->model->alert_count;
        char code[SMS_CODE_SIZE] = "";

        letter->is_text = true;
        letter->number = chaos->ids++;
        memset(letter->id, 0x55, EVENT_ID_SIZE);
        memcpy(letter->id, &chaos->ids, sizeof(chaos->ids));
        if (count > 0 && chaos_next(chaos, 3) != 0)
                sms_code(chaos->model->alerts[chaos_next(chaos, count < 250 ? (unsigned)count : 250)].id, code);
        snprintf(letter->text, sizeof(letter->text), "%s %s", words[word], code);
        if (who < SUPERVISORS)
                model_person_number(chaos->model, people[who], letter->from);
        else
                model_number(chaos_next(chaos, HANDSETS + 2), letter->from);
        letter->is_answer = who < SUPERVISORS && code[0] != '\0' && word != 3 && word != 4;
        if (chaos_next(chaos, 3) == 0)
                twice(chaos, letter);
}

/* LETTER was taken: from now on it is the region's to keep. */
static void taken(struct chaos *chaos, const struct chaos_letter *letter)
{
        bool first = letter->is_answer && letter->number < sizeof(chaos->seen) && !chaos->seen[letter->number];

        if (!letter->is_text && letter->alert[0] != 0 && chaos->promise_count < PROMISES)
                memcpy(chaos->promised[chaos->promise_count++], letter->alert, ALERT_ID_SIZE);
        if (first)
                chaos->seen[letter->number] = true;
        for (unsigned i = 0; first && i < SUPERVISORS; i++) {
                char number[NUMBER_MAX + 1];

                model_person_number(chaos->model, chaos->model->people[i].id, number);
                chaos->answers_owed[i] += strcmp(number, letter->from) == 0;
        }
}

/* Those taken meanwhile leave the gateway. */
static void clear(struct chaos *chaos)
{
        size_t kept = 0;

        for (size_t i = 0; i < chaos->letter_count; i++) {
                struct chaos_letter *letter = &chaos->letters[i];

                if (letter->has_ref && chaos->model->taken[letter->ref])
                        taken(chaos, letter);
                else
                        chaos->letters[kept++] = *letter;
        }
        chaos->letter_count = kept;
}

static bool is_revoked(const struct chaos *chaos, const struct chaos_letter *letter)
{
        for (size_t i = 0; i < chaos->model->handset_count; i++)
                if (memcmp(chaos->model->handsets[i].id, letter->alert, HANDSET_ID_SIZE) == 0)
                        return chaos->model->handsets[i].entry.revoked_at_s != 0;
        return true;
}

/* Codes of what is closed are answered too, but not for ever. */
static bool names_open(const struct chaos *chaos, const struct chaos_letter *letter)
{
        char code[SMS_CODE_SIZE];

        for (size_t i = 0; i < chaos->model->alert_count; i++) {
                sms_code(chaos->model->alerts[i].id, code);
                if (!chaos->model->alerts[i].closed && strcmp(code, sms_read(letter->text).code) == 0)
                        return true;
        }
        return false;
}

static void deliver(struct chaos *chaos)
{
        unsigned dispatcher = chaos_next(chaos, 2);
        struct core_event event = { .kind = CORE_SMS_OBJECT };
        struct chaos_letter *letter, copy;

        clear(chaos);
        if (chaos->letter_count == 0 || chaos->model->dispatchers[dispatcher].core == NULL ||
            chaos->refs + 1 >= sizeof(chaos->model->taken))
                return;
        letter = &chaos->letters[chaos_next(chaos, (unsigned)chaos->letter_count)];
        letter->has_ref = true;
        letter->ref = ++chaos->refs;
        if (is_revoked(chaos, letter))
                memset(letter->alert, 0, sizeof(letter->alert)); /* limited, perhaps */
        letter->is_answer = letter->is_answer && names_open(chaos, letter);
        copy = *letter;
        if (copy.is_text) {
                event.kind = CORE_SMS_TEXT;
                event.u.sms_text.from = copy.from;
                event.u.sms_text.text = copy.text;
                event.u.sms_text.ref = copy.ref;
                memcpy(event.u.sms_text.id, copy.id, EVENT_ID_SIZE);
        } else {
                event.u.sms_object.from = copy.from;
                event.u.sms_object.bytes = (struct cbor_span){ copy.cose, copy.size };
                event.u.sms_object.ref = copy.ref;
        }
        model_sms_event(chaos->model, dispatcher, &event);
        clear(chaos);
}

static void lose(struct chaos *chaos)
{
        size_t at = chaos->letter_count > 0 ? chaos_next(chaos, (unsigned)chaos->letter_count) : 0;

        if (chaos->letter_count > 0 && !chaos->letters[at].has_ref)
                chaos->letters[at] = chaos->letters[--chaos->letter_count];
}

/* A report that comes late, or to another dispatcher than the one that sent it. */
static void report(struct chaos *chaos)
{
        const struct model *model = chaos->model;

        if (model->sms_count > 0)
                model_sms_report(
                        chaos->model, chaos_next(chaos, 2),
                        &model->sms[chaos_next(chaos, model->sms_count < 250 ? (unsigned)model->sms_count : 250)].about,
                        (uint8_t)(SMS_HANDED + chaos_next(chaos, 3)));
        model_pump(chaos->model);
}

void chaos_sms(struct chaos *chaos)
{
        switch (chaos_next(chaos, 12)) {
        case 0:
        case 1:
        case 2:
                press(chaos);
                break;
        case 3:
        case 4:
                write_text(chaos);
                break;
        case 5:
                lose(chaos);
                break;
        case 6:
                report(chaos);
                break;
        case 7:
                chaos->model->gateway =
                        (uint8_t[]){ SMS_NONE, SMS_HANDED, SMS_HANDED, SMS_FAILED }[chaos_next(chaos, 4)];
                break;
        default:
                deliver(chaos);
        }
}

/* ---- What must hold -------------------------------------------------------------------------------------------------- */

void chaos_check_sms(struct chaos *chaos)
{
        struct model *model = chaos->model;
        char number[NUMBER_MAX + 1];

        clear(chaos);
        for (size_t i = 0; i < chaos->promise_count; i++)
                if (!chaos_is_in_store(model, chaos->promised[i]))
                        chaos_wrong("taken by SMS, and nowhere");
        for (unsigned i = 0; i < SUPERVISORS && chaos->calm && model->sms_sent == model->sms_count; i++) {
                size_t answers = 0;

                model_person_number(model, model->people[i].id, number);
                for (uint8_t kind = 1; kind < SMS_KIND_END; kind++)
                        answers += kind != SMS_ALERT && kind != SMS_BUSY ? model_said(model, kind, number) : 0;
                if (answers < chaos->answers_owed[i])
                        chaos_wrong("an answer that nobody answered");
        }
}
