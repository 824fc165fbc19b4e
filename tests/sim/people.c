/* People: carriers who press, supervisors who look, take, go there and close - late, twice or not at all - and the control
 * room.  And the orders of the plan that are about people or their phones. */
#include <assert.h>
#include <string.h>

#include "device/handset/core.h"
#include "tests/sim/sim.h"

enum stage { STAGE_SEEN, STAGE_TAKE, STAGE_EN_ROUTE, STAGE_ON_SCENE, STAGE_CLOSE, STAGE_DONE };

static void decides(struct sim *sim, struct happening *it);

/* ---- Supervisors ---------------------------------------------------------------------------------------------------------------- */

static bool is_absent(const struct sim *sim, unsigned phone)
{
        return !sim->calm && (int64_t)((phone * 7 + sim->plan->seed) % 10) < sim->plan->rates[RATE_SLOW_PEOPLE];
}

static const struct vigie_ring *ring_of(const struct phone *phone, const uint8_t id[ALERT_ID_SIZE])
{
        for (unsigned i = 0; i < phone->status.ring_count; i++)
                if (memcmp(phone->status.rings[i].id, id, ALERT_ID_SIZE) == 0)
                        return &phone->status.rings[i];
        return NULL;
}

static void later(struct sim *sim, unsigned phone, size_t habit, int64_t from_ms, int64_t to_ms)
{
        struct happening *it;

        if (sim->calm) /* everybody is quick by then */
                from_ms /= 4, to_ms /= 4;
        from_ms /= 1 + sim->plan->rates[RATE_HASTE];
        to_ms /= 1 + sim->plan->rates[RATE_HASTE];
        it = sim_at(sim, sim_between(&sim->chance, from_ms, to_ms), decides, phone);
        it->a = habit;
        it->b = sim->calm;
}

void people_look(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];

        if (!phone->supervisor || is_absent(sim, number))
                return;
        for (unsigned i = 0; i < phone->status.ring_count; i++) {
                const struct vigie_ring *ring = &phone->status.rings[i];
                size_t j = sim->newest_habit[number];

                while (j > 0 && memcmp(sim->habits[j - 1].alert, ring->id, ALERT_ID_SIZE) != 0)
                        j = sim->habits[j - 1].before;
                if (j > 0 || sim->habit_count == sizeof(sim->habits) / sizeof(sim->habits[0]))
                        continue;
                j = sim->habit_count;
                memcpy(sim->habits[j].alert, ring->id, ALERT_ID_SIZE);
                sim->habits[j].stage = STAGE_SEEN;
                sim->habits[j].before = sim->newest_habit[number];
                sim->newest_habit[number] = (unsigned)++sim->habit_count;
                later(sim, number, j, 300, 9000);
        }
}

static void supervise(struct sim *sim, unsigned number, uint8_t verb, const struct habit *habit)
{
        struct vigie_event event = { .type = VIGIE_ON_SUPERVISE };

        event.u.supervise.verb = verb;
        memcpy(event.u.supervise.alert, habit->alert, ALERT_ID_SIZE);
        if (verb == VIGIE_CLOSE)
                event.u.supervise.reason = VIGIE_HELPED;
        chart_note(sim, CHART_PHONE + number, "%s",
                   verb == VIGIE_SEEN      ? "sees"
                   : verb == VIGIE_TAKE    ? "takes"
                   : verb == VIGIE_RELEASE ? "gives back"
                   : verb == VIGIE_CLOSE   ? "closes"
                                           : "goes on");
        phone_tell(sim, number, &event);
}

static void mark_two(struct sim *sim, unsigned number, const struct habit *habit)
{
        for (unsigned i = SIM_CARRIERS; i < SIM_PHONES; i++) {
                const struct vigie_ring *ring = ring_of(&sim->phones[i], habit->alert);

                if (i != number && ring != NULL && ring->asking == VIGIE_TAKE)
                        sim_mark(sim, MARK_TAKEN_BY_TWO);
        }
}

static void decides(struct sim *sim, struct happening *it)
{
        struct phone *phone = &sim->phones[it->who];
        struct habit *habit = &sim->habits[it->a];
        const struct vigie_ring *ring = phone->alive ? ring_of(phone, habit->alert) : NULL;
        bool taken = ring != NULL && ring->owner_name[0] != '\0' && !ring->mine;
        bool foe = sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_FOES]);

        if (sim->calm != it->b || ring == NULL || ring->state == ALERT_CLOSED)
                return; /* when it rings here again, or the phone is back: from the start */
        switch (habit->stage) {
        case STAGE_SEEN:
                supervise(sim, it->who, VIGIE_SEEN, habit);
                habit->stage = STAGE_TAKE;
                later(sim, it->who, it->a, 200, 15000);
                return;
        case STAGE_TAKE:
                if (taken && !foe) {
                        supervise(sim, it->who, VIGIE_JOIN, habit);
                        later(sim, it->who, it->a, 30000, 60000);
                        return;
                }
                mark_two(sim, it->who, habit);
                supervise(sim, it->who, VIGIE_TAKE, habit);
                break;
        case STAGE_EN_ROUTE:
                if (!ring->mine) { /* somebody else has it, or the answer is not here yet */
                        habit->stage = STAGE_TAKE;
                        later(sim, it->who, it->a, 8000, 20000);
                        return;
                }
                supervise(sim, it->who, foe ? VIGIE_RELEASE : VIGIE_ON_MY_WAY, habit);
                break;
        case STAGE_ON_SCENE:
                supervise(sim, it->who, VIGIE_WITH_THEM, habit);
                break;
        case STAGE_CLOSE:
                if (ring->mine)
                        supervise(sim, it->who, VIGIE_CLOSE, habit);
                habit->stage = STAGE_TAKE; /* refused, or lost: again */
                later(sim, it->who, it->a, 20000, 40000);
                return;
        default:
                return;
        }
        habit->stage++;
        if (habit->stage > STAGE_EN_ROUTE && sim->plan->rates[RATE_DAWDLE] != 0)
                later(sim, it->who, it->a, 100000, 400000);
        else
                later(sim, it->who, it->a, 2000, 40000);
}

/* ---- The control room ----------------------------------------------------------------------------------------------------------- */

static struct op *command_op(struct sim *sim, uint8_t verb)
{
        struct op *op = store_op(sim, OP_COMMAND, (struct cbor_span){ 0 }, (struct cbor_span){ 0 });
        uint64_t id = sim_chance(&sim->chance);

        sim->commands++;
        op->ref = ++sim->store.refs;
        memcpy(op->command.id, &id, sizeof(op->command.id));
        op->command.expires_ms = store_now_ms(sim, sim->store.primary) + COMMAND_TERM_MS;
        op->command.verb = verb;
        op->command.role = ROLE_CONTROL;
        record_set_text(op->command.person, sizeof(op->command.person), "control");
        record_set_text(op->command.login, sizeof(op->command.login), "control");
        return op;
}

static void command(struct sim *sim, uint8_t verb, struct stored *alert)
{
        struct op *op = command_op(sim, verb);

        memcpy(op->command.alert, alert->id, ALERT_ID_SIZE);
        record_set_text(op->command.owner_seen, sizeof(op->command.owner_seen), store_record(alert)->owner_id);
        if (verb == COMMAND_CLOSE)
                op->command.reason = CLOSE_OTHER;
        check_asked(sim, &op->command);
        chart_note(sim, CHART_STORE, "control: %s", command_verb_name(verb));
        store_write(sim, sim->store.primary, op);
}

static void command_for(struct sim *sim, uint8_t verb, size_t which)
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        size_t open = 0;

        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed && open++ == which && !sim->store.away && !sim->store.sick) {
                        command(sim, verb, &in->alerts[i]);
                        return;
                }
}

static void acknowledge(struct sim *sim)
{
        const struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->notice_count && !sim->store.away && !sim->store.sick; i++) {
                struct op *op;

                if (!in->notices[i]->on || strncmp(in->notices[i]->key, "overdue:", 8) != 0)
                        continue;
                op = command_op(sim, COMMAND_ACK);
                record_set_text(op->command.notice, sizeof(op->command.notice), in->notices[i]->key);
                chart_note(sim, CHART_STORE, "control has read %s", in->notices[i]->key);
                store_write(sim, sim->store.primary, op);
        }
}

static void close_of(struct sim *sim, unsigned phone)
{
        struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->alert_count && !sim->store.away && !sim->store.sick; i++)
                if (!in->alerts[i].closed && in->alerts[i].id[HANDSET_ID_SIZE - 1] == phone)
                        command(sim, COMMAND_CLOSE, &in->alerts[i]);
}

/* When faults are over it closes what is still open after a while. */
void people_control(struct sim *sim)
{
        struct instance *in = &sim->store.instances[sim->store.primary];

        for (size_t i = 0; i < in->alert_count; i++)
                if (!in->alerts[i].closed)
                        command(sim, COMMAND_CLOSE, &in->alerts[i]);
}

/* ---- Foes ------------------------------------------------------------------------------------------------------------------------- */

/* Somebody writes to the phone IT->who that all is well: a receipt that no dispatcher signed. */
static void forges(struct sim *sim, struct happening *it)
{
        const struct phone *phone = &sim->phones[it->who];
        const struct my_alert *a = &phone->vigie->alert[MY_REAL];
        struct receipt receipt = { .version = 900, .revision = 900, .time_s = (uint32_t)(sim->now_ms / 1000) };
        struct vigie_event event = { .type = VIGIE_ON_SMS };
        uint8_t cose[RECEIPT_MAX];

        if (!phone->alive || a->state != MY_OPEN)
                return;
        receipt.state = it->a % 2 == 0 ? RECEIPT_CLOSED_HELPED : RECEIPT_TAKEN;
        receipt_set_who(&receipt, "foe");
        receipt.alert = alert_id_make(&phone->vigie->handset, a->alert.nonce);
        event.u.sms.len = sign_receipt(&receipt, cose);
        cose[event.u.sms.len - 1] ^= 1;
        event.u.sms.data = cose;
        chart_note(sim, CHART_PHONE + it->who, "a forged receipt");
        phone_tell(sim, it->who, &event);
}

/* Somebody writes to the region in the name of the handset IT->who: an alert that it did not sign; again and again. */
static void pretends(struct sim *sim, struct happening *it)
{
        const struct phone *phone = &sim->phones[it->who];
        struct alert alert = { .kind = ALERT_PANIC, .battery_percent = 50, .revision = (uint16_t)it->a };
        static const uint8_t none[KEY_SIGNATURE_SIZE];
        struct core_event event = { .kind = CORE_SMS_OBJECT };
        unsigned process = (unsigned)sim_below(&sim->chance, SIM_ORDINARY);
        uint8_t cose[ALERT_MAX];
        struct cbor_writer w;
        struct happening *next;

        if (it->a > (it->b & 0xff) || sim->calm)
                return;
        next = sim_at(sim, (int64_t)(it->b >> 8), pretends, it->who);
        next->a = it->a + 1;
        next->b = it->b;
        if (!sim->processes[process].serving || sim->processes[process].core == NULL)
                return;
        alert.pressed_at_s = (uint32_t)(sim->now_ms / 1000);
        alert.nonce[0] = (uint8_t)it->a;
        if (it->a % 3 == 0) /* of the alert that is open */
                memcpy(alert.nonce, phone->vigie->alert[MY_REAL].alert.nonce, ALERT_NONCE_SIZE);
        cbor_writer_init(&w, cose, sizeof(cose));
        alert_finish(&alert, &phone->vigie->handset, none, &w);
        event.u.sms_object.from = "+33799999999";
        event.u.sms_object.bytes = cbor_written(&w);
        event.u.sms_object.ref = ++sim->sms_count % SIM_SMS_MAX;
        sim->sms_taken[event.u.sms_object.ref] = false;
        process_tell(sim, process, &event);
}

static void foes_come(struct sim *sim, unsigned phone)
{
        struct happening *it;

        if (sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_FOES])) {
                it = sim_at(sim, sim_between(&sim->chance, 100, 4000), forges, phone);
                it->a = sim_below(&sim->chance, 2);
        }
        if (sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_FOES] / 8))
                sim_at(sim, sim_between(&sim->chance, 100, 4000), pretends, phone)->b = 400 << 8 | 12;
}

/* ---- Orders ----------------------------------------------------------------------------------------------------------------------- */

static void duty(struct sim *sim, unsigned number, bool on, int64_t for_s)
{
        struct vigie_event event = { .type = VIGIE_ON_DUTY };

        event.u.duty.on = on;
        event.u.duty.until_s = (uint32_t)((sim->now_ms + sim->phones[number].skew_ms) / 1000) +
                               (uint32_t)(for_s != 0 ? for_s : 8 * 3600);
        memcpy(event.u.duty.person, sim->phones[number].person, sizeof(sim->phones[number].person));
        phone_tell(sim, number, &event);
}

static void goes_on_duty(struct sim *sim, struct happening *it)
{
        duty(sim, it->who, true, 0);
}

void people_begin(struct sim *sim)
{
        for (unsigned i = 0; i < SIM_PHONES; i++)
                sim_at(sim, 500 + 130 * i, goes_on_duty, i);
}

void people_order(struct sim *sim, const struct plan_order *o)
{
        struct vigie_event event = { 0 };

        switch (o->kind) {
        case ORDER_PRESS:
                phone_press(sim, o->who, (uint8_t)(o->b & 1), (uint8_t)(o->a % 3));
                foes_come(sim, o->who);
                return;
        case ORDER_TOUCH_UP:
                phone_press(sim, o->who, VIGIE_TOUCH_UP, 0);
                return;
        case ORDER_PIN:
                event.type = VIGIE_ON_PIN;
                event.u.pin = (uint8_t)o->a;
                check_pin(sim, o->who, event.u.pin);
                if (o->a == VIGIE_PIN_DURESS)
                        sim_mark(sim, MARK_DURESS);
                break;
        case ORDER_CATEGORY:
                event.type = VIGIE_ON_CATEGORY;
                event.u.category = (uint8_t)o->a;
                break;
        case ORDER_STILL:
                event.type = VIGIE_ON_STILL;
                break;
        case ORDER_DISMISS:
                event.type = VIGIE_ON_DISMISS;
                break;
        case ORDER_MAN_DOWN:
                event.type = VIGIE_ON_MOTION;
                event.u.motion.moved = o->a != 0;
                break;
        case ORDER_CHECK_IN:
                event.type = VIGIE_ON_DEADLINE;
                event.u.deadline.what = (uint8_t)o->a;
                event.u.deadline.in_s = (uint32_t)o->b;
                break;
        case ORDER_FINE:
                event.type = VIGIE_ON_FINE;
                break;
        case ORDER_DUTY:
                duty(sim, o->who, o->a != 0, o->b);
                return;
        case ORDER_FLOOD:
                chart_note(sim, CHART_PHONE + o->who, "forged SMS in its name");
                sim_at(sim, 0, pretends, o->who)->b = (uint64_t)o->a << 8 | ((uint64_t)o->b & 0xff);
                return;
        case ORDER_CLOSE_OF:
                close_of(sim, o->who);
                return;
        case ORDER_ACK:
                acknowledge(sim);
                return;
        case ORDER_CLOSE:
        case ORDER_TAKE:
                command_for(sim, o->kind == ORDER_TAKE ? COMMAND_TAKE : COMMAND_CLOSE, (size_t)o->a);
                return;
        default:
                return;
        }
        chart_note(sim, CHART_PHONE + o->who, "%s", plan_order_name(o->kind));
        phone_tell(sim, o->who, &event);
}
