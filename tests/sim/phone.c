/* A handset as its host makes it: journal, key, clocks, modem, battery. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/state.h"
#include "tests/sim/sim.h"

const char *phone_name(unsigned number)
{
        static const char *const names[SIM_PHONES] = { "carl", "cora", "cyd",  "cleo", "sam",  "sue",  "sol",
                                                       "mia",  "cal",  "cass", "chad", "cid",  "clay", "coy",
                                                       "cruz", "curt", "chip", "cam",  "cher", "ciro" };

        return names[number];
}

/* ---- What comes of actions --------------------------------------------------------------------------------------------------- */

static bool is_same_run(const struct sim *sim, const struct happening *it)
{
        return sim->phones[it->who].alive && sim->phones[it->who].run == it->b;
}

static void ticked(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_TICK };
        const struct phone *phone = &sim->phones[it->who];
        struct happening *later;

        if (!is_same_run(sim, it) || phone->timer_order != it->a)
                return;
        if (phone->asleep_until_ms <= sim->now_ms) {
                phone_tell(sim, it->who, &event);
                return;
        }
        later = sim_at(sim, phone->asleep_until_ms - sim->now_ms, ticked, it->who);
        later->a = it->a;
        later->b = it->b;
}

static void signed_now(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_SIGNED };

        if (!is_same_run(sim, it))
                return;
        event.u.signature.ticket = (uint32_t)it->a;
        event.u.signature.ok = sim->phones[it->who].signs;
        if (!event.u.signature.ok && sim_permille(&sim->chance, 500))
                return; /* the key store hangs */
        sign_octets(sim->phones[it->who].of, (struct cbor_span){ it->octets, it->len }, event.u.signature.octets);
        phone_tell(sim, it->who, &event);
}

static void sealed_now(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_SEALED,
                                     .u.sealed = { (uint32_t)it->a, (const uint8_t *)"AS", 2 } };

        if (is_same_run(sim, it))
                phone_tell(sim, it->who, &event);
}

static void begin_sync(struct sim *sim, unsigned number);

static void synced(struct sim *sim, struct happening *it)
{
        struct phone *phone = &sim->phones[it->who];
        struct vigie_event event = { .type = VIGIE_ON_SYNCED, .u.synced = { 0, true } };

        if (!phone->alive || phone->syncs != it->b)
                return;
        phone->syncing = false;
        if (phone->fsync_fails) { /* and is not trusted again before a restart */
                phone->fsync_fails = false;
                phone->journal_bad = true;
                sim_mark(sim, MARK_SYNC_FAILED);
                event.u.synced.ok = false;
                event.u.synced.seq = phone->last_seq;
                phone_tell(sim, it->who, &event);
                return;
        }
        disk_sync(&phone->disk, it->a);
        for (size_t i = 0; i < sim->press_count; i++)
                if (sim->presses[i].phone == it->who && sim->presses[i].entries <= phone->disk.durable_entries)
                        sim->presses[i].durable = true;
        event.u.synced.seq = phone->seqs[phone->disk.durable_entries - phone->base - 1];
        if (phone->disk.durable_entries == phone->disk.entries) {
                phone->base = phone->disk.entries;
                phone->appended = 0;
        }
        phone_tell(sim, it->who, &event);
        if (phone->alive && phone->syncs == it->b)
                begin_sync(sim, it->who);
}

static void begin_sync(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct happening *it;

        if (phone->syncing || phone->disk.entries == phone->disk.durable_entries || phone->journal_bad)
                return;
        phone->syncing = true;
        it = sim_at(sim, sim_between(&sim->chance, 1, 2 * sim->plan->rates[RATE_DISK_MS]) + phone->disk_ms, synced,
                    number);
        it->a = phone->disk.entries;
        it->b = ++phone->syncs;
}

static bool keep(void *user, const struct entry *entry)
{
        return vigie_keep(user, entry->payload, entry->payload_len);
}

void phone_compact(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct vigie_event event = { .type = VIGIE_ON_SYNCED };

        if (!phone->alive || phone->last_seq == 0 || phone->journal_bad)
                return;
        disk_rewrite(&phone->disk, keep, phone->vigie);
        event.u.synced.seq = phone->last_seq;
        event.u.synced.ok = true;
        for (size_t i = 0; i < sim->press_count; i++)
                if (sim->presses[i].phone == number && sim->presses[i].entries != SIZE_MAX) /* it: gone with the power */
                        sim->presses[i].durable = true;
        phone->base = phone->disk.entries;
        phone->appended = 0;
        phone->syncing = false;
        phone->syncs++;
        phone_tell(sim, number, &event);
}

static void not_written(struct sim *sim, struct happening *it)
{
        struct vigie_event event = { .type = VIGIE_ON_SYNCED, .u.synced = { (uint32_t)it->a, false } };

        if (is_same_run(sim, it))
                phone_tell(sim, it->who, &event);
}

static void append(struct sim *sim, unsigned number, const struct vigie_action *a)
{
        struct phone *phone = &sim->phones[number];
        struct happening *it;

        if (phone->disk_full || phone->journal_bad) {
                it = sim_at(sim, 1, not_written, number);
                it->a = a->seq;
                it->b = phone->run;
                return;
        }
        assert(phone->appended < 4096);
        phone->seqs[phone->appended++] = phone->last_seq = a->seq;
        disk_append(&phone->disk, a->data, a->len);
        if (a->sync)
                begin_sync(sim, number);
}

static void later(struct sim *sim, unsigned number, const struct vigie_action *a,
                  void (*fn)(struct sim *, struct happening *), int64_t ms)
{
        struct happening *it = sim_at(sim, ms, fn, number);

        it->a = a->ticket;
        it->b = sim->phones[number].run;
        sim_octets(it, a->data, a->len);
}

static void set_timer(struct sim *sim, unsigned number, int64_t due_mono_ms)
{
        struct phone *phone = &sim->phones[number];
        struct happening *it;

        phone->timer_order++;
        if (due_mono_ms == INT64_MAX)
                return;
        it = sim_at(sim, due_mono_ms - (sim->now_ms - phone->booted_ms), ticked, number);
        it->a = phone->timer_order;
        it->b = phone->run;
}

static void act(struct sim *sim, unsigned number, const struct vigie_action *a)
{
        sim_note(sim, number, a->type, a->data, a->len);
        check_action(sim, number, a);
        switch (a->type) {
        case VIGIE_DO_APPEND:
                append(sim, number, a);
                break;
        case VIGIE_DO_SIGN:
                later(sim, number, a, signed_now, sim_between(&sim->chance, 2, 60));
                break;
        case VIGIE_DO_SEAL:
                later(sim, number, a, sealed_now, 2);
                break;
        case VIGIE_DO_SEND:
                net_send_up(sim, number, a->address, a->data, a->len);
                break;
        case VIGIE_DO_SEND_SMS:
                sms_send(sim, number, a);
                break;
        case VIGIE_DO_CONNECT:
                net_connect(sim, number, a->address);
                break;
        case VIGIE_DO_DISCONNECT:
                net_disconnect(sim, number, a->address);
                break;
        case VIGIE_DO_TIMER:
                set_timer(sim, number, a->due_mono_ms);
                break;
        default:
                break;
        }
}

static void starts_again(struct sim *sim, struct happening *it)
{
        phone_start(sim, it->who);
}

void phone_tell(struct sim *sim, unsigned number, struct vigie_event *event)
{
        struct phone *phone = &sim->phones[number];
        unsigned run = phone->run;
        bool shows = false;
        int r;

        if (!phone->alive)
                return;
        event->now_ms = sim->now_ms + phone->skew_ms;
        event->now_mono_ms = sim->now_ms - phone->booted_ms;
        for (int i = 0; i < VIGIE_RANDOM_SIZE; i += 8) {
                uint64_t octets = sim_chance(&phone->chance);

                memcpy(event->random + i, &octets, 8);
        }
        check_before(sim, number, event);
        r = vigie_event(phone->vigie, event, sim->actions);
        assert(r == 0);
        assert(sim->actions->count <= VIGIE_ACTIONS_MAX);
        for (uint32_t i = 0; i < sim->actions->count; i++) {
                shows |= sim->actions->action[i].type == VIGIE_DO_SHOW;
                if (phone->kill_in > 0 && --phone->kill_in == 0) {
                        sim_mark(sim, MARK_PHONE_DIED_IN_ACTIONS);
                        phone_stop(sim, number, phone->kill_power);
                        sim_at(sim, sim_between(&sim->chance, 2000, 20000), starts_again, number);
                        return;
                }
                act(sim, number, &sim->actions->action[i]);
                if (!phone->alive || phone->run != run)
                        return;
        }
        if (shows)
                vigie_status(phone->vigie, &phone->status);
        check_phone(sim, number, event);
        if (shows)
                people_look(sim, number);
}

void phone_press(struct sim *sim, unsigned number, uint8_t how, uint8_t press)
{
        struct vigie_event event = { .type = VIGIE_ON_PRESS, .u.press = { how, press } };
        struct phone *phone = &sim->phones[number];
        struct press *p = &sim->presses[sim->press_count];
        const struct my_alert *own;

        if (!phone->alive)
                return;
        chart_note(sim, CHART_PHONE + number, "%s",
                   how == VIGIE_TOUCH_UP        ? "lets go"
                   : how == VIGIE_TOUCH_DOWN    ? "finger down"
                   : press == VIGIE_PRESS_DRILL ? "presses (drill)"
                                                : "presses");
        if (how == VIGIE_PRESS_AT_ONCE && sim->press_count < SIM_PRESSES_MAX) {
                *p = (struct press){ .phone = number, .at_ms = sim->now_ms, .drill = press == VIGIE_PRESS_DRILL };
                p->entries = SIZE_MAX;
                sim->press_count++;
                phone_tell(sim, number, &event);
                p->entries = phone->disk.entries;
                own = &phone->vigie
                               ->alert[p->drill && phone->vigie->alert[MY_REAL].state != MY_OPEN ? MY_DRILL : MY_REAL];
                p->has_id = phone->alive && own->state == MY_OPEN;
                memcpy(p->id, phone->id, HANDSET_ID_SIZE);
                memcpy(p->id + HANDSET_ID_SIZE, own->alert.nonce, ALERT_NONCE_SIZE);
                p->excused = !phone->alive || phone->disk_full || phone->journal_bad;
                return;
        }
        phone_tell(sim, number, &event);
}

/* ---- Life ----------------------------------------------------------------------------------------------------------------------- */

static void restored(void *user, const struct entry *entry)
{
        struct phone *phone = user;

        (void)vigie_restore(phone->vigie, entry->payload, entry->payload_len);
}

void phone_start(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct vigie_event event = { .type = VIGIE_ON_START };

        if (phone->alive || phone->of == SIM_PHONES)
                return;
        phone->alive = true;
        memset(phone->vigie, 0xa5, vigie_size());
        assert(vigie_init(phone->vigie, &phone->options) == 0);
        if (disk_open(&phone->disk, "HAND", restored, phone))
                sim_mark(sim, MARK_TORN_TAIL);
        phone->base = phone->disk.entries;
        phone->appended = phone->last_seq = 0;
        phone->syncing = phone->journal_bad = false;
        phone->modem_ticket = 0;
        memset(phone->shown, 0, sizeof(phone->shown));
        phone->shown_closed = false;
        chart_note(sim, CHART_PHONE + number, "starts");
        phone_tell(sim, number, &event);
        check_started(sim, number);
        event = (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = (uint8_t)phone->battery };
        phone_tell(sim, number, &event);
        if (!phone->has_modem)
                return;
        event = (struct vigie_event){ .type = VIGIE_ON_MODEM, .u.modem = VIGIE_MODEM_READY };
        phone_tell(sim, number, &event);
}

void phone_stop(struct sim *sim, unsigned number, bool power)
{
        struct phone *phone = &sim->phones[number];

        if (!phone->alive)
                return;
        if (phone->status.touching)
                sim_mark(sim, MARK_TOUCH_CUT);
        chart_note(sim, CHART_PHONE + number, power ? "loses power" : "dies");
        phone->alive = false;
        phone->run++;
        phone->syncs++;
        phone->kill_in = 0;
        for (size_t i = 0; i < sim->press_count;
             i++) /* what is not durable by now never will be: entries are counted anew */
                if (sim->presses[i].phone == number && !sim->presses[i].durable)
                        sim->presses[i].entries = SIZE_MAX;
        if (power)
                disk_power_cut(&phone->disk, &sim->chance, (unsigned)sim->plan->rates[RATE_TORN]);
        net_phone_died(sim, number);
}

static void walks(struct sim *sim, struct happening *it)
{
        struct phone *phone = &sim->phones[it->who];
        struct vigie_event event = { .type = VIGIE_ON_FIX };

        sim_at(sim, 7000 + 100 * it->who, walks, it->who);
        if (!phone->gps || phone->asleep_until_ms > sim->now_ms)
                return;
        phone->lat_deg += (double)sim_between(&sim->chance, -20, 20) * 1e-5;
        phone->lon_deg += (double)sim_between(&sim->chance, -20, 20) * 1e-5;
        event.u.fix.lat_deg = phone->lat_deg + (sim_permille(&sim->chance, 10) ? 30 : 0); /* a wild jump */
        event.u.fix.lon_deg = phone->lon_deg;
        event.u.fix.accuracy_m = (double)sim_between(&sim->chance, 3, 80);
        event.u.fix.at_ms = sim->now_ms;
        phone_tell(sim, it->who, &event);
}

void phone_begin(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct vigie_options options = VIGIE_OPTIONS;
        uint8_t root[P256_POINT_SIZE];

        phone->vigie = malloc(vigie_size());
        snprintf(phone->person, sizeof(phone->person), "%s", phone_name(number));
        memset(phone->id, 0xa0, sizeof(phone->id));
        phone->id[7] = (uint8_t)number;
        phone->of = number + (unsigned)sim->plan->rates[RATE_COPIES] < sim->phone_count ? number : SIM_PHONES;
        phone->supervisor = sim_is_supervisor(number);
        options.enrolled = true;
        memcpy(options.handset, phone->id, sizeof(phone->id));
        options.role = phone->supervisor ? VIGIE_SUPERVISOR : VIGIE_CARRIER;
        memcpy(options.person, phone->person, sizeof(phone->person));
        options.root_alg = KEY_EDDSA;
        sign_key(SIM_ROOT, root);
        memcpy(options.root, root, 32);
        options.root_len = 32;
        options.trust = sim->trust;
        options.trust_len = sim->trust_len;
        options.verify = sign_verify_handset;
        options.address_count = SIM_ADDRESSES;
        options.address_alert = 1u << (SIM_ADDRESSES - 1);
        options.man_down_s = (uint16_t)sim->plan->rates[RATE_MAN_DOWN_S];
        phone->options = options;
        phone->chance = sim->plan->seed * 1000003 + number;
        phone->booted_ms = sim->now_ms - 100000;
        phone->skew_ms = sim_between(&sim->chance, -sim->plan->rates[RATE_SKEW_MS], sim->plan->rates[RATE_SKEW_MS]);
        phone->has_modem = (int64_t)sim_below(&sim->chance, 10) >= sim->plan->rates[RATE_DRAIN];
        phone->has_modem &= phone->of == number; /* the SIM stays where it was */
        phone->network = phone->gps = phone->signs = phone->modem = true;
        phone->battery = 80;
        phone->lat_deg = 45.75 + 0.004 * (number % 3);
        phone->lon_deg = 4.85 + 0.003 * (number / 3);
        for (unsigned i = 0; i < SIM_ADDRESSES; i++)
                phone->conns[i] = -1;
        phone_start(sim, number);
        sim_at(sim, 50 * number, walks, number);
}

void phone_free(struct phone *phone)
{
        free(phone->vigie);
        disk_free(&phone->disk);
        disk_free(&phone->backup);
}
