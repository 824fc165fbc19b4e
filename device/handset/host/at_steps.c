#include "device/handset/host/at_state.h"
#include "device/handset/host/cms.h"

/* TS 27.007 9.2 */
#define CME_NO_SIM   10
#define CME_SIM_PIN  11
#define CME_SIM_PUK  12
#define CME_SIM_BUSY 14

void at_set_state(struct at *at, enum vigie_modem state)
{
        if (at->state == state)
                return;
        at->state = state;
        at->options.state(at->options.user, state);
}

void at_finish_send(struct at *at, bool ok, unsigned code)
{
        if (!at->sending)
                return;
        at->sending = false;
        at->options.sent(at->options.user, at->ticket, ok, (uint16_t)code);
}

void at_look_soon(struct at *at)
{
        int64_t soonest_mono_ms = at->looked_mono_ms + AT_LOOK_SOON_MS;

        if (at->looked && at->stage == STEP_NONE)
                at->look_mono_ms = at->now_mono_ms > soonest_mono_ms ? at->now_mono_ms : soonest_mono_ms;
}

bool at_may_read(enum vigie_modem state)
{
        return state == VIGIE_MODEM_READY || state == VIGIE_MODEM_NO_NETWORK;
}

/* ---- a look ------------------------------------------------------------------------------------------------------ */

static void end_look(struct at *at, enum vigie_modem state)
{
        bool first = !at->looked;

        at->stage = STEP_NONE;
        at->looked = true;
        at->looked_mono_ms = at->now_mono_ms;
        at->look_mono_ms = at->now_mono_ms + (state == VIGIE_MODEM_READY ? AT_LOOK_MS : AT_LOOK_BAD_MS);
        if (at_may_read(state)) {
                at->list_new |= first || at->deaf || !at_may_read(at->state);
                at->list_all |= at->sweep && !first; /* that may take long: not before a press that waits */
                at->sweep &= first;
        }
        at_set_state(at, state);
}

static void over_step(struct at *at, const struct answer *answer)
{
        at->stage++;
}

static void over_wake(struct at *at, const struct answer *answer)
{
        at->stage = at->looked && at->wakes == 0 ? STEP_ERRORS : STEP_QUIET;
}

static void over_pin(struct at *at, const struct answer *answer)
{
        bool unclear = answer->ok ? !at->pin_told : answer->cme == CME_SIM_BUSY; /* just plugged in: more soon */

        if (answer->ok && at->sim)
                at->stage++;
        else if (unclear)
                end_look(at, at->state == VIGIE_MODEM_READY ? VIGIE_MODEM_NO_NETWORK : at->state);
        else if (answer->ok ? at->locked : answer->cme == CME_SIM_PIN || answer->cme == CME_SIM_PUK)
                end_look(at, VIGIE_MODEM_SIM_LOCKED);
        else
                end_look(at, VIGIE_MODEM_NO_SIM);
}

static void over_format(struct at *at, const struct answer *answer)
{
        if (answer->ok)
                at->stage++;
        else
                end_look(at, VIGIE_MODEM_SILENT); /* not in a way that we understand */
}

static void over_news(struct at *at, const struct answer *answer)
{
        at->deaf = !answer->ok;
        at->stage = answer->ok ? STEP_TELL : STEP_NEWS_OLD;
}

static void over_news_old(struct at *at, const struct answer *answer)
{
        at->deaf = !answer->ok;
        at->stage++;
}

/* One that cannot say whether it is registered is tried. */
static void over_network(struct at *at, const struct answer *answer)
{
        if (!answer->ok || at->registered)
                end_look(at, VIGIE_MODEM_READY);
        else
                at->stage++;
}

static void over_lte(struct at *at, const struct answer *answer)
{
        end_look(at, at->registered ? VIGIE_MODEM_READY : VIGIE_MODEM_NO_NETWORK);
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

/* Whatever it said: what cannot be listed, read or deleted stays, and the region repeats what matters. */
static void over_message(struct at *at, const struct answer *answer)
{
}

static void over_memory(struct at *at, const struct answer *answer)
{
        if (!answer->ok) {
                at->memory[0] = 0;
                at->read.count = at->drop.count = 0;
        }
}

static unsigned cms_of(const struct answer *answer)
{
        return answer->cme != 0 ? cms_from_cme(answer->cme) : answer->cms;
}

static void over_prompt(struct at *at, const struct answer *answer)
{
        at_finish_send(at, false, cms_of(answer));
        at_look_soon(at);
}

static void over_pdu(struct at *at, const struct answer *answer)
{
        at_finish_send(at, answer->ok, answer->ok ? 0 : cms_of(answer));
        if (!answer->ok) /* what is the matter? */
                at_look_soon(at);
}

const struct at_step at_steps[STEP_NONE] = {
        [STEP_WAKE] = { AT_ESCAPE "ATE0V1", AT_WAKE_MS, over_wake }, /* ends a message that was begun before us */
        [STEP_QUIET] = { "", AT_QUIET_MS, over_step },
        [STEP_ERRORS] = { "AT+CMEE=1", AT_ANSWER_MS, over_step },
        [STEP_PIN] = { "AT+CPIN?", AT_ANSWER_MS, over_pin },
        [STEP_FORMAT] = { "AT+CMGF=0", AT_ANSWER_MS, over_format },
        [STEP_NEWS] = { "AT+CNMI=2,1,0,0,0", AT_ANSWER_MS, over_news },
        [STEP_NEWS_OLD] = { "AT+CNMI=1,1", AT_ANSWER_MS, over_news_old },
        [STEP_TELL] = { "AT+CREG=1", AT_ANSWER_MS, over_step },
        [STEP_NETWORK] = { "AT+CREG?", AT_ANSWER_MS, over_network },
        [STEP_LTE] = { "AT+CEREG?", AT_ANSWER_MS, over_lte },
        [STEP_LIST] = { NULL, AT_ANSWER_MS, over_message }, /* since the last line */
        [STEP_MEMORY] = { NULL, AT_ANSWER_MS, over_memory },
        [STEP_READ] = { NULL, AT_ANSWER_MS, over_message },
        [STEP_DELETE] = { NULL, AT_ANSWER_MS, over_message },
        [STEP_PROMPT] = { NULL, AT_ANSWER_MS, over_prompt },
        [STEP_PDU] = { NULL, AT_SEND_MS, over_pdu },
};
