#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/at_state.h"
#include "device/handset/host/cms.h"

#define CTRL_Z "\x1a"

static void next(struct at *at);

static void lose(struct at *at)
{
        at->lost = true;
        at->step = STEP_NONE;
        at_set_state(at, VIGIE_MODEM_SILENT);
        at_finish_send(at, false, 0);
}

static bool remember(struct at *at, struct places *places, const struct place *place)
{
        if (places->count == AT_PLACES_MAX) {
                at->sweep = true;
                return false;
        }
        places->place[places->count++] = *place;
        return true;
}

static struct place take_last(struct places *places)
{
        return places->place[--places->count];
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void begin(struct at *at, enum step step, const char *command)
{
        char text[PDU_HEX_SIZE + 2];
        int len = snprintf(text, sizeof(text), "%s%s", command, step == STEP_PDU ? CTRL_Z : "\r");

        at->step = step;
        at->due_mono_ms = at->now_mono_ms + at_steps[step].wait_ms;
        at->options.write(at->options.user, text, (size_t)len);
}

static void begin_about(struct at *at, enum step step, const char *format, unsigned number)
{
        char command[32];

        snprintf(command, sizeof(command), "%s%u", format, number);
        begin(at, step, command);
}

/* It may have been reset, and look into another memory now: nothing is deleted there by a number from before. */
static void forget_memory(struct at *at)
{
        at->memory[0] = 0;
        at->sweep |= at->drop.count > 0;
        at->drop.count = 0;
}

static void begin_look_step(struct at *at)
{
        if (at->stage == STEP_WAKE)
                forget_memory(at);
        if (at->stage == STEP_PIN)
                at->pin_told = at->sim = at->locked = false;
        if (at->stage == STEP_NETWORK || at->stage == STEP_LTE)
                at->registered = false;
        if (at->stage != STEP_QUIET) {
                begin(at, at->stage, at_steps[at->stage].command);
                return;
        }
        at->step = STEP_QUIET;
        at->due_mono_ms = at->now_mono_ms + (at->wakes > 0 ? AT_ANSWER_MS : AT_QUIET_MS);
}

/* The message at the end of PLACES is in another memory than the modem looks into. */
static bool turn_to(struct at *at, const struct places *places)
{
        const struct place *place = &places->place[places->count - 1];
        char command[32];

        if (place->memory[0] == 0 || strcmp(place->memory, at->memory) == 0)
                return false;
        strcpy(at->memory, place->memory);
        snprintf(command, sizeof(command), "AT+CPMS=\"%s\"", place->memory);
        begin(at, STEP_MEMORY, command);
        return true;
}

static void begin_message_step(struct at *at)
{
        if (at->drop.count > 0) {
                if (!turn_to(at, &at->drop))
                        begin_about(at, STEP_DELETE, "AT+CMGD=", take_last(&at->drop).index);
        } else if (at->read.count > 0) {
                if (!turn_to(at, &at->read)) {
                        at->shown = take_last(&at->read);
                        begin_about(at, STEP_READ, "AT+CMGR=", at->shown.index);
                }
        } else if (at->list_new || at->list_all) {
                begin_about(at, STEP_LIST, "AT+CMGL=", at->list_all ? 4 : 0);
                at->list_new = at->list_all = false;
        }
}

/* The message is given up where it cannot go; else it is announced. */
static void begin_send(struct at *at)
{
        if (at_may_read(at->state))
                begin_about(at, STEP_PROMPT, "AT+CMGS=", (unsigned)at->length);
        else
                at_finish_send(at, false,
                               at->state == VIGIE_MODEM_NO_SIM       ? CMS_NO_SIM
                               : at->state == VIGIE_MODEM_SIM_LOCKED ? CMS_SIM_PIN
                                                                     : 0);
}

/* What is next, once nothing is under way. */
static void next(struct at *at)
{
        if (!at->talking || at->lost || at->step != STEP_NONE)
                return;
        if (at->sending && at->looked)
                begin_send(at);
        if (at->step == STEP_NONE && at->stage == STEP_NONE && at->now_mono_ms >= at->look_mono_ms) {
                at->stage = STEP_WAKE;
                at->wakes = 0;
        }
        if (at->step == STEP_NONE && at->stage != STEP_NONE)
                begin_look_step(at);
        else if (at->step == STEP_NONE && at_may_read(at->state))
                begin_message_step(at);
}

static void answer(struct at *at, struct answer answer)
{
        enum step step = at->step;

        if (step == STEP_NONE || step == STEP_QUIET)
                return;
        at->step = STEP_NONE;
        at->in_message = false;
        at_steps[step].over(at, &answer);
        next(at);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void take_network(struct at *at, const struct at_line *line)
{
        if (line->answer && (at->step == STEP_NETWORK || at->step == STEP_LTE))
                at->registered = line->yes;
        else
                at_look_soon(at);
}

static void take_pin(struct at *at, const struct at_line *line)
{
        if (at->step == STEP_PIN) {
                at->pin_told = true;
                at->sim = line->yes;
                at->locked = line->locked;
        } else {
                at_look_soon(at);
        }
}

static void take_news(struct at *at, const struct at_line *line)
{
        struct place place = { .index = line->index };

        strcpy(place.memory, line->memory);
        remember(at, &at->read, &place);
}

/* The next line is the message.  A long list takes its time. */
static void take_listed(struct at *at, const struct at_line *line)
{
        if (at->step != STEP_LIST)
                return;
        at->due_mono_ms = at->now_mono_ms + AT_ANSWER_MS;
        at->shown = (struct place){ .index = line->index };
        at->in_message = true;
}

static void take_message(struct at *at, const char *hex)
{
        uint8_t data[SMS_DATA_MAX];
        size_t len;

        if (at->in_message && pdu_deliver(hex, data, &len) == 0 && remember(at, &at->drop, &at->shown))
                at->options.sms(at->options.user, data, len);
        at->in_message = false;
}

static void take_line(struct at *at)
{
        struct at_line line = at_line_read(at->line);

        switch (line.kind) {
        case AT_LINE_OK: /* where a prompt should be it took nothing */
                answer(at, (struct answer){ .ok = at->step != STEP_PROMPT });
                break;
        case AT_LINE_ERROR:
                answer(at, (struct answer){ .cme = line.cme, .cms = line.cms });
                break;
        case AT_LINE_NETWORK:
                take_network(at, &line);
                break;
        case AT_LINE_PIN:
                take_pin(at, &line);
                break;
        case AT_LINE_NEWS:
                take_news(at, &line);
                break;
        case AT_LINE_LISTED:
                take_listed(at, &line);
                break;
        case AT_LINE_READ:
                at->in_message = at->step == STEP_READ;
                break;
        case AT_LINE_HEX:
                take_message(at, at->line);
                break;
        case AT_LINE_OTHER:
                break;
        }
}

static void take_octet(struct at *at, char octet)
{
        if (at->step == STEP_PROMPT && at->len == 0 && octet == '>') {
                begin(at, STEP_PDU, at->pdu);
        } else if (octet != '\r' && octet != '\n') {
                at->too_long |= at->len == AT_LINE_SIZE - 1;
                if (!at->too_long && octet != 0 && (at->len > 0 || octet != ' '))
                        at->line[at->len++] = octet;
        } else {
                at->line[at->too_long ? 0 : at->len] = 0;
                at->len = 0;
                at->too_long = false;
                if (at->line[0] != 0)
                        take_line(at);
        }
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

struct at *at_new(const struct at_options *options)
{
        struct at *at = calloc(1, sizeof(*at));

        if (at == NULL)
                return NULL;
        at->options = *options;
        at->step = STEP_NONE;
        at->stage = STEP_NONE;
        at->sweep = true;
        return at;
}

void at_free(struct at *at)
{
        free(at);
}

void at_begin(struct at *at, int64_t now_mono_ms)
{
        at->now_mono_ms = now_mono_ms;
        at->talking = true;
        at->lost = at->looked = at->deaf = at->list_new = at->list_all = at->in_message = at->too_long = false;
        at->step = STEP_NONE;
        at->stage = STEP_WAKE;
        at->wakes = 0;
        at->len = at->read.count = 0;
        forget_memory(at);
        next(at);
}

void at_end(struct at *at)
{
        at->talking = false;
        at->step = STEP_NONE;
        at_finish_send(at, false, 0);
        at_set_state(at, VIGIE_MODEM_ABSENT);
}

void at_hear(struct at *at, const char *octets, size_t len, int64_t now_mono_ms)
{
        at->now_mono_ms = now_mono_ms;
        for (size_t i = 0; i < len && !at->lost; i++)
                take_octet(at, octets[i]);
        next(at);
}

/* Nothing was answered in time: at the first words once more, else it hangs.  Or it has been quiet. */
static void time_out(struct at *at)
{
        if (at->step == STEP_PROMPT)
                at->options.write(at->options.user, AT_ESCAPE, 1);
        if (at->step == STEP_QUIET) {
                at->step = STEP_NONE;
                at->stage++;
        } else if (at->step == STEP_WAKE && ++at->wakes < AT_WAKES_MAX) {
                begin_look_step(at);
        } else {
                lose(at);
        }
}

void at_tick(struct at *at, int64_t now_mono_ms)
{
        at->now_mono_ms = now_mono_ms;
        if (at->talking && !at->lost && at->step != STEP_NONE && now_mono_ms >= at->due_mono_ms)
                time_out(at);
        next(at);
}

int64_t at_due(const struct at *at)
{
        if (!at->talking || at->lost)
                return INT64_MAX;
        return at->step != STEP_NONE ? at->due_mono_ms : at->look_mono_ms;
}

bool at_is_lost(const struct at *at)
{
        return at->lost;
}

void at_send(struct at *at, uint32_t ticket, struct cbor_span data, int64_t now_mono_ms)
{
        assert(!at->sending);
        at->now_mono_ms = now_mono_ms;
        at->sending = true;
        at->ticket = ticket;
        at->length = pdu_submit(at->options.number, data, at->pdu);
        if (at->length < 0 || !at->talking || at->lost)
                at_finish_send(at, false, 0);
        next(at);
}
