/* The SMS centre and what stands on both sides of it: late, twice, in any order, or never. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define MODEM_MS    3000  /* a modem takes that for one */
#define GATEWAY_MS  10000 /* not taken: the gateway comes again */
#define REPEATS_MAX 60

static int64_t way_ms(struct sim *sim)
{
        return sim_between(&sim->chance, 800, sim->plan->rates[RATE_SMS_MS]);
}

static bool is_lost(struct sim *sim)
{
        return !sim->calm && sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_SMS_LOSS]);
}

static unsigned copies(struct sim *sim)
{
        return is_lost(sim) ? 0 : 1 + sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_SMS_TWICE]);
}

/* ---- Up ------------------------------------------------------------------------------------------------------------------------- */

static void sent(struct sim *sim, struct happening *it)
{
        struct phone *phone = &sim->phones[it->who];
        struct vigie_event event = { .type = VIGIE_ON_SMS_SENT };

        if (!phone->alive || phone->run != it->b)
                return;
        event.u.sms_sent.ticket = (uint32_t)it->a;
        event.u.sms_sent.ok = phone->modem;
        event.u.sms_sent.code = phone->modem ? 0 : 331; /* no network service */
        phone_tell(sim, it->who, &event);
}

/* At the gateway: A how often it was tried, and the number of the last time; B the text's code. */
static void door(struct sim *sim, struct happening *it)
{
        unsigned process = (unsigned)sim_below(&sim->chance, sim->process_count);
        struct core_event event = { 0 };
        uint64_t ref;
        char from[NUMBER_MAX + 1], text[16];

        if (it->a != 0 && sim->sms_taken[(uint32_t)it->a % SIM_SMS_MAX])
                return;
        ref = ++sim->sms_count % SIM_SMS_MAX;
        sim->sms_taken[ref] = false;
        if (!sim->processes[process].serving)
                process = (process + 1) % sim->process_count;
        snprintf(from, sizeof(from), "+3360000%04u", it->who);
        if (sim->processes[process].serving && sim->processes[process].paused_until_ms <= sim->now_ms) {
                if (it->b == 0) {
                        event.kind = CORE_SMS_OBJECT;
                        event.u.sms_object.from = from;
                        event.u.sms_object.bytes = (struct cbor_span){ it->octets, it->len };
                        event.u.sms_object.ref = ref;
                } else {
                        event.kind = CORE_SMS_TEXT;
                        snprintf(text, sizeof(text), "%s %04u", it->b >> 32 ? "NON" : "OUI", (unsigned)it->b & 0xffff);
                        event.u.sms_text.from = from;
                        event.u.sms_text.text = text;
                        memcpy(event.u.sms_text.id, &it->b, 8);
                        event.u.sms_text.id[7] = (uint8_t)it->who;
                        event.u.sms_text.ref = ref;
                }
                chart_arrow(sim, CHART_PHONE + it->who, CHART_PROCESS + process, "SMS");
                sim->phones[it->who].arrived_ms = sim->now_ms;
                process_tell(sim, process, &event);
        }
        if (it->a >> 32 < REPEATS_MAX) {
                struct happening *again = sim_at(sim, GATEWAY_MS, door, it->who);

                again->a = (it->a >> 32 << 32) + (UINT64_C(1) << 32) + ref;
                again->b = it->b;
                sim_octets(again, it->octets, it->len);
        }
}

void sms_send(struct sim *sim, unsigned number, const struct vigie_action *a)
{
        struct phone *phone = &sim->phones[number];
        struct happening *it = sim_at(sim, MODEM_MS, sent, number);

        it->a = a->ticket;
        it->b = phone->run;
        chart_note(sim, CHART_PHONE + number, "SMS to the modem");
        for (unsigned i = phone->modem ? copies(sim) : 0; i > 0; i--) {
                it = sim_at(sim, MODEM_MS + way_ms(sim), door, number);
                sim_octets(it, a->data, a->len);
        }
}

/* ---- Down ----------------------------------------------------------------------------------------------------------------------- */

static void reported(struct sim *sim, struct happening *it)
{
        struct core_event event = { .kind = CORE_SMS_REPORT };

        if (sim->processes[it->who].core == NULL || sim->processes[it->who].run != it->b)
                return;
        memcpy(&event.u.sms_report.about, it->octets, sizeof(event.u.sms_report.about));
        event.u.sms_report.what = (uint8_t)it->a;
        process_tell(sim, it->who, &event);
}

static void phone_gets(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_SMS, .u.sms = { it->octets, it->len } };
        struct happening *later;

        if (sim->phones[it->who].alive && sim->phones[it->who].modem && sim->phones[it->who].has_modem) {
                chart_arrow(sim, CHART_PROCESS, CHART_PHONE + it->who, "SMS receipt");
                phone_tell(sim, it->who, &event);
        } else if (it->a < REPEATS_MAX) {
                later = sim_at(sim, 15000, phone_gets, it->who);
                later->a = it->a + 1;
                sim_octets(later, it->octets, it->len);
        }
}

static unsigned phone_of(const char *number)
{
        return strncmp(number, "+3360000", 8) == 0 ? (unsigned)atoi(number + 8) : SIM_PHONES;
}

static void report(struct sim *sim, unsigned process, const struct sms_ref *about)
{
        struct happening *it = sim_at(sim, sim_between(&sim->chance, 20, 900), reported, process);

        it->a = !sim->calm && sim_permille(&sim->chance, 50) ? SMS_FAILED : SMS_HANDED;
        it->b = sim->processes[process].run;
        sim_octets(it, about, sizeof(*about));
}

static void say(struct sim *sim, const struct core_action *action)
{
        unsigned phone = phone_of(action->u.sms_say.to);
        struct happening *it;
        int64_t ms;

        if (action->u.sms_say.say.kind != SMS_ALERT || phone >= SIM_PHONES || !sim_permille(&sim->chance, 300))
                return;
        ms = way_ms(sim);
        ms += sim_between(&sim->chance, 4000, 30000);
        it = sim_at(sim, ms, door, phone);
        it->b = (uint64_t)atoi(action->u.sms_say.say.code) | (uint64_t)sim_permille(&sim->chance, 300) << 32;
        sim_octets(it, "", 0);
}

void sms_do(struct sim *sim, unsigned process, const struct core_action *action)
{
        uint8_t cose[RECEIPT_MAX];
        size_t len;
        unsigned phone;

        if (action->kind == DO_SMS_TAKEN) {
                sim->sms_taken[action->u.sms_taken.ref % SIM_SMS_MAX] = true;
        } else if (action->kind == DO_SMS_SAY) {
                report(sim, process, &action->u.sms_say.about);
                say(sim, action);
        } else {
                report(sim, process, &action->u.sms_receipt.about);
                phone = phone_of(action->u.sms_receipt.to);
                len = sign_receipt(&action->u.sms_receipt.receipt, cose);
                for (unsigned i = phone < SIM_PHONES ? copies(sim) : 0; i > 0; i--)
                        sim_octets(sim_at(sim, way_ms(sim), phone_gets, phone), cose, len);
        }
}
