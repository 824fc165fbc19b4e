#include "device/handset/host/at.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/cms.h"

#define CTRL_Z      "\x1a"
#define ESCAPE      "\x1b"
#define MEMORY_SIZE 8

/* TS 27.007 9.2 */
#define CME_NO_SIM   10
#define CME_SIM_PIN  11
#define CME_SIM_PUK  12
#define CME_SIM_BUSY 14

/* A command that waits for its final answer.  Up to STEP_LTE they make a look, in this order. */
enum step {
        STEP_WAKE,
        STEP_QUIET,  /* what it still says to others before us is not for us */
        STEP_ERRORS, /* with numbers */
        STEP_PIN,
        STEP_FORMAT, /* PDU mode */
        STEP_NEWS,   /* tell us of messages that come in, and keep them */
        STEP_NEWS_OLD,
        STEP_TELL, /* tell us of the network's coming and going */
        STEP_NETWORK,
        STEP_LTE,
        STEP_LIST,
        STEP_MEMORY,
        STEP_READ,
        STEP_DELETE,
        STEP_PROMPT, /* a message announced */
        STEP_PDU,    /* and given */
        STEP_NONE
};

/* A message in the modem. */
struct place {
        char memory[MEMORY_SIZE]; /* "SM", "ME" ... */
        unsigned index;
};

struct places {
        size_t count;
        struct place place[AT_PLACES_MAX];
};

struct at {
        struct at_options options;
        int64_t now_mono_ms;
        enum vigie_modem state;
        bool talking, lost;

        enum step step;                       /* under way */
        int64_t due_mono_ms;                  /* its answer */
        enum step stage;                      /* of the look; STEP_NONE: over */
        int64_t look_mono_ms, looked_mono_ms; /* the next one; the end of the last */
        unsigned wakes;
        bool looked;              /* once to its end since at_begin: we know what it can do */
        bool sim, puk_or_pin;     /* of the look */
        bool registered;          /* of the look */
        bool deaf;                /* it tells nothing of what comes in: list at each look */
        bool list_new, list_all;  /* the unread ones, or all, are to be listed */
        bool sweep;               /* all after the next look: some may be ours, read and not deleted */
        char memory[MEMORY_SIZE]; /* the modem looks into; "" not known */
        struct places read, drop;
        bool in_message; /* the next line is the PDU of `shown` */
        struct place shown;

        bool sending; /* a message is here, under way or not */
        uint32_t ticket;
        int length; /* for AT+CMGS */
        char pdu[PDU_HEX_SIZE];

        size_t len;
        bool too_long;
        char line[AT_LINE_SIZE];
};

struct answer {
        bool ok;
        unsigned cme, cms; /* numbers of +CME ERROR, +CMS ERROR; 0: none */
};

static void next(struct at *at);

static void set_state(struct at *at, enum vigie_modem state)
{
        if (at->state == state)
                return;
        at->state = state;
        at->options.state(at->options.user, state);
}

static void finish_send(struct at *at, bool ok, unsigned code)
{
        if (!at->sending)
                return;
        at->sending = false;
        at->options.sent(at->options.user, at->ticket, ok, (uint16_t)code);
}

static void lose(struct at *at)
{
        at->lost = true;
        at->step = STEP_NONE;
        set_state(at, VIGIE_MODEM_SILENT);
        finish_send(at, false, 0);
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

/* Something has changed: look soon, and not over and over at one that tells all the time. */
static void look_soon(struct at *at)
{
        int64_t soonest_mono_ms = at->looked_mono_ms + AT_LOOK_SOON_MS;

        if (at->looked && at->stage == STEP_NONE)
                at->look_mono_ms = at->now_mono_ms > soonest_mono_ms ? at->now_mono_ms : soonest_mono_ms;
}

static bool may_read(enum vigie_modem state)
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
        if (may_read(state)) {
                at->list_new |= first || at->deaf || !may_read(at->state);
                at->list_all |= at->sweep && !first; /* that may take long: not before a press that waits */
                at->sweep &= first;
        }
        set_state(at, state);
}

static void over_step(struct at *at, const struct answer *answer)
{
        at->stage++;
}

static void over_wake(struct at *at, const struct answer *answer)
{
        at->stage = at->looked ? STEP_ERRORS : STEP_QUIET;
}

static void over_pin(struct at *at, const struct answer *answer)
{
        if (answer->ok && at->sim)
                at->stage++;
        else if (answer->ok ? at->puk_or_pin : answer->cme == CME_SIM_PIN || answer->cme == CME_SIM_PUK)
                end_look(at, VIGIE_MODEM_SIM_LOCKED);
        else if (answer->cme == CME_SIM_BUSY) /* just plugged in: it will say more soon */
                end_look(at, at->state == VIGIE_MODEM_READY ? VIGIE_MODEM_NO_NETWORK : at->state);
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
        finish_send(at, false, cms_of(answer));
        look_soon(at);
}

static void over_pdu(struct at *at, const struct answer *answer)
{
        finish_send(at, answer->ok, answer->ok ? 0 : cms_of(answer));
        if (!answer->ok) /* what is the matter? */
                look_soon(at);
}

static const struct {
        const char *command; /* NULL: made up */
        int wait_ms;
        void (*over)(struct at *at, const struct answer *answer);
} steps[STEP_NONE] = {
        [STEP_WAKE] = { ESCAPE "ATE0V1", AT_WAKE_MS, over_wake }, /* ends a message that was begun before us */
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

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void begin(struct at *at, enum step step, const char *command)
{
        char text[PDU_HEX_SIZE + 2];
        int len = snprintf(text, sizeof(text), "%s%s", command, step == STEP_PDU ? CTRL_Z : "\r");

        at->step = step;
        at->due_mono_ms = at->now_mono_ms + steps[step].wait_ms;
        at->options.write(at->options.user, text, (size_t)len);
}

static void begin_about(struct at *at, enum step step, const char *format, unsigned number)
{
        char command[32];

        snprintf(command, sizeof(command), "%s%u", format, number);
        begin(at, step, command);
}

static void begin_look_step(struct at *at)
{
        if (at->stage == STEP_WAKE)
                at->memory[0] = 0; /* it may have been reset */
        if (at->stage == STEP_PIN)
                at->sim = at->puk_or_pin = false;
        if (at->stage == STEP_NETWORK || at->stage == STEP_LTE)
                at->registered = false;
        if (at->stage != STEP_QUIET) {
                begin(at, at->stage, steps[at->stage].command);
                return;
        }
        at->step = STEP_QUIET;
        at->due_mono_ms = at->now_mono_ms + AT_QUIET_MS;
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
        if (may_read(at->state))
                begin_about(at, STEP_PROMPT, "AT+CMGS=", (unsigned)at->length);
        else
                finish_send(at, false,
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
        else if (at->step == STEP_NONE && may_read(at->state))
                begin_message_step(at);
}

static void answer(struct at *at, struct answer answer)
{
        enum step step = at->step;

        if (step == STEP_NONE || step == STEP_QUIET)
                return;
        at->step = STEP_NONE;
        at->in_message = false;
        steps[step].over(at, &answer);
        next(at);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static const char *after(const char *line, const char *head)
{
        size_t n = strlen(head);

        return strncmp(line, head, n) == 0 ? line + n : NULL;
}

static unsigned number_of(const char *text)
{
        return (unsigned)strtoul(text, NULL, 10) & 0xffff;
}

/* Registered at home, roaming, or for SMS alone at home or roaming: TS 27.007 7.2. */
static bool is_registered(unsigned stat)
{
        return stat == 1 || stat == 5 || stat == 6 || stat == 7;
}

/* "+CREG: n,stat" is an answer, "+CREG: stat" is news: look again. */
static void take_network(struct at *at, const char *value)
{
        unsigned mode, stat;

        if ((at->step == STEP_NETWORK || at->step == STEP_LTE) && sscanf(value, " %u , %u", &mode, &stat) == 2)
                at->registered = is_registered(stat);
        else
                look_soon(at);
}

static void take_pin(struct at *at, const char *value)
{
        value += strspn(value, " ");
        if (at->step != STEP_PIN) {
                look_soon(at);
                return;
        }
        at->sim = strcmp(value, "READY") == 0;
        at->puk_or_pin = strstr(value, "PIN") != NULL || strstr(value, "PUK") != NULL;
}

/* +CMTI: "SM",3 */
static void take_news(struct at *at, const char *value)
{
        struct place place = { { 0 }, 0 };

        if (sscanf(value, " \"%7[A-Z]\" , %u", place.memory, &place.index) == 2)
                remember(at, &at->read, &place);
}

/* +CMGL: 3,0,,25 and +CMGR: 0,,25: the PDU is the next line. */
static void take_head(struct at *at, const char *value, bool listed)
{
        if (at->step != (listed ? STEP_LIST : STEP_READ))
                return;
        if (listed) {
                at->due_mono_ms = at->now_mono_ms + AT_ANSWER_MS;
                at->shown.memory[0] = 0;
                if (sscanf(value, " %u", &at->shown.index) != 1)
                        return;
        }
        at->in_message = true;
}

static void take_message(struct at *at, const char *hex)
{
        uint8_t data[SMS_DATA_MAX];
        size_t len;

        at->in_message = false;
        if (pdu_deliver(hex, data, &len) == 0 && remember(at, &at->drop, &at->shown))
                at->options.sms(at->options.user, data, len);
}

static void take_line(struct at *at, const char *line)
{
        const char *value;

        if (at->in_message && line[strspn(line, "0123456789ABCDEFabcdef")] == 0)
                take_message(at, line);
        else if (strcmp(line, "OK") == 0)
                answer(at, (struct answer){ .ok = at->step != STEP_PROMPT }); /* where a prompt should be: not taken */
        else if (strcmp(line, "ERROR") == 0)
                answer(at, (struct answer){ 0 });
        else if ((value = after(line, "+CME ERROR:")) != NULL)
                answer(at, (struct answer){ .cme = number_of(value) });
        else if ((value = after(line, "+CMS ERROR:")) != NULL)
                answer(at, (struct answer){ .cms = number_of(value) });
        else if ((value = after(line, "+CREG:")) != NULL || (value = after(line, "+CEREG:")) != NULL)
                take_network(at, value);
        else if ((value = after(line, "+CPIN:")) != NULL)
                take_pin(at, value);
        else if ((value = after(line, "+CMTI:")) != NULL)
                take_news(at, value);
        else if ((value = after(line, "+CMGL:")) != NULL)
                take_head(at, value, true);
        else if ((value = after(line, "+CMGR:")) != NULL)
                take_head(at, value, false);
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
                        take_line(at, at->line);
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
        at->len = at->read.count = at->drop.count = 0;
        next(at);
}

void at_end(struct at *at)
{
        at->talking = false;
        at->step = STEP_NONE;
        finish_send(at, false, 0);
        set_state(at, VIGIE_MODEM_ABSENT);
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
                at->options.write(at->options.user, ESCAPE, 1);
        if (at->step == STEP_QUIET) {
                at->step = STEP_NONE;
                over_step(at, NULL);
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
                finish_send(at, false, 0);
        next(at);
}
