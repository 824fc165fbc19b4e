/* A dispatcher as its shell makes it: comes up, acts, and dies. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/process_inside.h"
#include "wire/frame.h"

int64_t process_now_ms(const struct sim *sim, unsigned number)
{
        const struct process *p = &sim->processes[number];

        return store_now_ms(sim, p->store >= 0 ? (unsigned)p->store : sim->store.primary) + (number ? 7 : -4);
}

/* ---- Actions ------------------------------------------------------------------------------------------------------------ */

static struct core_found *carrier_duty(struct sim *sim, const uint8_t id[HANDSET_ID_SIZE], bool make)
{
        for (size_t i = 0; i < sim->duty_count; i++)
                if (memcmp(sim->duty[i].handset, id, HANDSET_ID_SIZE) == 0)
                        return &sim->duty[i];
        if (!make)
                return NULL;
        assert(sim->duty_count < SIM_PHONES);
        memcpy(sim->duty[sim->duty_count].handset, id, HANDSET_ID_SIZE);
        return &sim->duty[sim->duty_count++];
}

static void found(struct sim *sim, struct happening *it)
{
        struct core_event event = { .kind = CORE_DUTY_FOUND };
        const struct core_found *duty = carrier_duty(sim, it->octets, false);

        if (sim->processes[it->who].core == NULL || sim->processes[it->who].run != it->b || !sim->positions_up)
                return;
        if (duty != NULL)
                event.u.found = *duty;
        memcpy(event.u.found.handset, it->octets, HANDSET_ID_SIZE);
        process_tell(sim, it->who, &event);
}

static void presence_told(struct sim *sim, struct happening *it)
{
        struct core_event event = { .kind = CORE_PRESENCE };

        if (sim->processes[it->who].core == NULL || !sim->positions_up)
                return;
        event.u.presence.person = sim->phones[SIM_CARRIERS + it->a].person;
        event.u.presence.presence = sim->presence[it->a];
        process_tell(sim, it->who, &event);
}

static void positions_do(struct sim *sim, unsigned number, const struct core_action *a)
{
        struct core_found *duty;
        struct happening *it;

        if (!sim->positions_up)
                return;
        switch (a->kind) {
        case DO_PRESENCE:
                for (unsigned i = 0; i < SIM_SUPERVISORS; i++) {
                        if (strcmp(sim->phones[SIM_CARRIERS + i].person, a->u.presence.person) != 0)
                                continue;
                        sim->presence[i] = a->u.presence.presence;
                        for (unsigned j = 0; j < sim->process_count; j++)
                                sim_at(sim, 2, presence_told, j)->a = i;
                }
                break;
        case DO_CARRIER_DUTY:
                duty = carrier_duty(sim, a->u.carrier_duty.handset, true);
                if (a->u.carrier_duty.asked_ms != 0) { /* noted where it is what was found */
                        if (duty->on_duty && duty->heard_at_ms == a->u.carrier_duty.heard_at_ms)
                                duty->duty.asked_ms = a->u.carrier_duty.asked_ms;
                        break;
                }
                duty->on_duty = a->u.carrier_duty.duty != NULL;
                if (duty->on_duty)
                        duty->duty = *a->u.carrier_duty.duty;
                duty->heard_at_ms = a->u.carrier_duty.heard_at_ms;
                break;
        case DO_HEARD:
                duty = carrier_duty(sim, a->u.heard.handset, false);
                if (duty != NULL && a->u.heard.heard_at_ms > duty->heard_at_ms)
                        duty->heard_at_ms = a->u.heard.heard_at_ms;
                break;
        default:
                it = sim_at(sim, 3, found, number);
                it->b = sim->processes[number].run;
                sim_octets(it, a->u.find_duty.handset, HANDSET_ID_SIZE);
        }
}

static void send_receipt(struct sim *sim, unsigned number, const struct core_action *action)
{
        uint8_t cose[RECEIPT_MAX], bytes[FRAME_REGION_MAX];
        struct frame frame = { .type = FRAME_RECEIPT };
        int len;

        frame.u.cose.cose = (struct cbor_span){ cose, sign_receipt(&action->u.receipt.receipt, cose) };
        len = frame_encode(&frame, bytes, sizeof(bytes));
        assert(len > 0);
        net_send_down(sim, action->u.receipt.session, bytes, (size_t)len);
}

static void note(struct sim *sim, unsigned number, const struct core_action *a)
{
        unsigned who = 100 + number;

        switch (a->kind) {
        case DO_APPEND:
                sim_note(sim, who, a->kind, a->u.append.bytes.at, a->u.append.bytes.len);
                break;
        case DO_COMMIT:
                sim_note(sim, who, a->kind, a->u.commit.record.at, a->u.commit.record.len);
                break;
        case DO_SEND:
                sim_note(sim, who, a->kind, a->u.send.frame.at, a->u.send.frame.len);
                break;
        case DO_RECEIPT:
                sim_note(sim, who, a->kind, a->u.receipt.receipt.alert.octets, ALERT_ID_SIZE);
                sim_note(sim, who, a->u.receipt.receipt.state, &a->u.receipt.receipt.version, 4);
                break;
        default:
                sim_note(sim, who, a->kind, NULL, 0);
        }
}

static void act(struct sim *sim, unsigned number, const struct core_action *a)
{
        note(sim, number, a);
        check_did(sim, number, a);
        switch (a->kind) {
        case DO_APPEND:
                process_append(sim, number, a);
                break;
        case DO_COMMIT:
                store_do(sim, number, a);
                break;
        case DO_LOOK:
        case DO_PROVE:
        case DO_ACKNOWLEDGE:
        case DO_ANSWER:
        case DO_NOTICE:
        case DO_DUTY:
                if (sim->processes[number].store >= 0)
                        store_do(sim, number, a);
                break;
        case DO_SEND:
                net_send_down(sim, a->u.send.session, a->u.send.frame.at, a->u.send.frame.len);
                break;
        case DO_RECEIPT:
                send_receipt(sim, number, a);
                break;
        case DO_CLOSE_SESSION:
                net_close_down(sim, a->u.close_session.session);
                break;
        case DO_PRESENCE:
        case DO_CARRIER_DUTY:
        case DO_HEARD:
        case DO_FIND_DUTY:
                positions_do(sim, number, a);
                break;
        case DO_SMS_TAKEN:
        case DO_SMS_RECEIPT:
        case DO_SMS_SAY:
                sms_do(sim, number, a);
                break;
        case DO_VAULT:
        case DO_DONE:
        case DO_ASK_PASS:
        case DO_TIMER:
        case DO_OPEN:
        case DO_ORDER:
                break; /* of passes nothing is simulated */
        }
}

void process_tell(struct sim *sim, unsigned number, struct core_event *event)
{
        struct process *p = &sim->processes[number];
        unsigned run = p->run;
        struct core_action action;

        if (p->core == NULL)
                return;
        event->now_ms = process_now_ms(sim, number);
        event->now_mono_ms = sim->now_ms - SIM_START_MS + 5000;
        check_came(sim, number, event);
        check_text_came(sim, number, event);
        core_handle(p->core, event);
        check_handled(sim, number);
        sim->happened += event->kind != CORE_TICK;
        while (p->core != NULL && p->run == run && core_next(p->core, &action)) {
                if (p->kill_in > 0 && --p->kill_in == 0) {
                        sim_mark(sim, MARK_PROCESS_DIED_IN_ACTIONS);
                        process_stop(sim, number, p->kill_power);
                        return;
                }
                act(sim, number, &action);
        }
        if (p->run == run && event->kind != CORE_TICK)
                process_arm(sim, number);
}

/* ---- Life --------------------------------------------------------------------------------------------------------------- */

static void tick(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_TICK };

        if (p->core == NULL || p->run != it->b || p->tick_ms != sim->now_ms)
                return;
        p->tick_ms = INT64_MAX;
        if (p->paused_until_ms <= sim->now_ms) {
                if (p->disk_away && !p->disk_full)
                        sim_at(sim, 0, process_look_at_disk, it->who)->b = p->run;
                process_tell(sim, it->who, &event);
        }
        process_arm(sim, it->who);
}

void process_arm(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        int64_t at_ms;

        if (p->core == NULL)
                return;
        at_ms = core_due_ms(p->core);
        if (at_ms != INT64_MAX)
                at_ms -= process_now_ms(sim, number) - sim->now_ms;
        if (sim->plan->every_tick || at_ms <= sim->now_ms || p->disk_away)
                at_ms = sim->now_ms + 1;
        if (at_ms < p->paused_until_ms)
                at_ms = p->paused_until_ms;
        if (at_ms == INT64_MAX)
                return;
        at_ms += CORE_TICK_MS - 1;
        at_ms -= (at_ms - p->began_ms) % CORE_TICK_MS;
        if (at_ms >= p->tick_ms)
                return;
        p->tick_ms = at_ms;
        sim_at_first(sim, at_ms - sim->now_ms, tick, number)->b = p->run;
}

static void scan(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_found late[SIM_PHONES];
        struct core_event event = { .kind = CORE_SCAN, .u.scan.late = late };

        if (p->core == NULL || p->run != it->b)
                return;
        sim_at(sim, CORE_SCAN_MS, scan, it->who)->b = it->b;
        if (!sim->positions_up || p->paused_until_ms > sim->now_ms || !p->replayed)
                return;
        for (size_t i = 0; i < sim->duty_count; i++) {
                event.u.scan.total += sim->duty[i].on_duty;
                if (sim->duty[i].on_duty && sim->duty[i].heard_at_ms <= process_now_ms(sim, it->who) - SIM_OVERDUE_MS)
                        late[event.u.scan.count++] = sim->duty[i];
        }
        event.u.scan.late_total = event.u.scan.count;
        process_tell(sim, it->who, &event);
}

static void load_people(struct sim *sim, unsigned number)
{
        struct core *core = sim->processes[number].core;
        struct user_entry control = { .role = ROLE_CONTROL, .person = "control", .name = "Control" };

        for (unsigned i = 0; i < sim->phone_count; i++) {
                const struct phone *phone = &sim->phones[i];
                struct carrier_entry carrier = { 0 };
                struct supervisor_entry supervisor = { .manager = i == SIM_CARRIERS + SIM_SUPERVISORS - 1 };
                struct user_entry user = { .role = ROLE_SUPERVISOR };

                if (!sim_is_enrolled(sim, i))
                        continue;
                standing_load(sim, number, i, false);
                memcpy(carrier.name, phone->person, sizeof(phone->person));
                memcpy(supervisor.name, phone->person, sizeof(phone->person));
                snprintf(supervisor.number, sizeof(supervisor.number), "+3360000%04u", i);
                memcpy(user.person, phone->person, sizeof(phone->person));
                memcpy(user.name, phone->person, sizeof(phone->person));
                if (phone->supervisor) {
                        assert(core_load_supervisor(core, phone->person, &supervisor) == 0);
                        assert(core_load_user(core, phone->person, &user) == 0);
                } else {
                        assert(core_load_carrier(core, phone->person, &carrier) == 0);
                }
        }
        assert(core_load_user(core, "control", &control) == 0);
}

static void without_store(struct sim *sim, struct happening *it)
{
        if (sim->processes[it->who].core != NULL && sim->processes[it->who].run == it->b)
                process_serve(sim, it->who);
}

void process_start(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        const char *drill_people[] = { phone_name(SIM_CARRIERS + 1), phone_name(SIM_CARRIERS + 2),
                                       phone_name(SIM_CARRIERS + 5) };
        struct core_options options = { .region = "sim",
                                        .name = p->name,
                                        .rank = number,
                                        .alerts_only = number >= SIM_ORDINARY,
                                        .seed = 42,
                                        .overdue_ms = SIM_OVERDUE_MS,
                                        .question_ms = SIM_QUESTION_MS,
                                        .zones = sim->zones,
                                        .sms = true,
                                        .drill_people = drill_people,
                                        .drill_people_count = (size_t)sim->plan->rates[RATE_DRILL_PEOPLE] % 4,
                                        .control_number = "+33690000000",
                                        .verify = sign_verify_alert,
                                        .hash = sign_hash };

        if (p->core != NULL)
                return;
        if (options.alerts_only)
                options.sessions_max = (uint32_t)sim->plan->rates[RATE_PORT_ROOM];
        assert(core_new(&options, &p->core) == 0);
        load_people(sim, number);
        p->replayed = p->serving = p->draining = p->store_up = p->feeding = p->syncing = p->disk_away = false;
        p->refused = p->durable_number = 0;
        p->store = -1;
        p->flight_count = 0;
        chart_note(sim, CHART_PROCESS + number, "starts");
        process_join_store(sim, number, 20);
        sim_at(sim, 5000, without_store, number)->b = p->run;
        p->began_ms = sim->now_ms;
        p->tick_ms = INT64_MAX;
        process_arm(sim, number);
        sim_at(sim, CORE_SCAN_MS, scan, number)->b = p->run;
}

static void starts_again(struct sim *sim, struct happening *it)
{
        process_start(sim, it->who);
}

void process_stop(struct sim *sim, unsigned number, bool power)
{
        struct process *p = &sim->processes[number];

        if (p->core == NULL)
                return;
        chart_note(sim, CHART_PROCESS + number, power ? "loses power" : "dies");
        check_died(sim, number);
        core_free(p->core);
        p->core = NULL;
        p->run++;
        p->syncs++;
        p->store_run++;
        p->store = -1;
        p->store_up = p->serving = false;
        p->kill_in = 0;
        p->paused_until_ms = 0;
        if (power)
                disk_power_cut(&p->disk, &sim->chance, (unsigned)sim->plan->rates[RATE_TORN]);
        net_process_died(sim, number);
        sim_at(sim, sim_between(&sim->chance, 300, sim->calm ? 1000 : 6000), starts_again, number);
}

void process_begin(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];

        snprintf(p->name, sizeof(p->name), "d%u", number);
        p->store = -1;
        process_start(sim, number);
}

void process_free(struct process *p)
{
        core_free(p->core);
        for (size_t i = 0; i < p->appended_count; i++)
                free(p->appended[i].octets);
        disk_free(&p->disk);
}
