/* Sockets: what is sent arrives, in order and late, or the connection ends; or nothing arrives and nobody is told. */
#include <assert.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "wire/frame.h"

#define PING_MS    8000   /* LINK_ANSWER_MS of the host: what is sent is heard of, or the link is down */
#define SILENT_MS  150000 /* LINK_SILENT_MS of the dispatcher */
#define CONNECT_MS 8000   /* LINK_CONNECT_MS of the host */

enum { UP, DOWN };

static int64_t latency_ms(struct sim *sim, const struct conn *conn)
{
        return sim_between(&sim->chance, 5, sim->plan->rates[RATE_LATENCY_MS]) + sim->phones[conn->phone].drip_ms;
}

/* When what is sent now on CONN arrives, after all before it. */
static int64_t arrival_ms(struct sim *sim, struct conn *conn, int way)
{
        int64_t at_ms = sim->now_ms + latency_ms(sim, conn);

        if (at_ms > conn->last_ms[way])
                conn->last_ms[way] = at_ms;
        return conn->last_ms[way] - sim->now_ms;
}

/* ---- Endings ---------------------------------------------------------------------------------------------------------------- */

static void phone_end(struct sim *sim, size_t id)
{
        struct conn *conn = &sim->conns[id];
        struct vigie_event event = { .type = VIGIE_ON_LINK, .u.link = { conn->address, false } };

        if (!conn->phone_open)
                return;
        conn->phone_open = false;
        sim->phones[conn->phone].conns[conn->address] = -1;
        phone_tell(sim, conn->phone, &event);
}

static void phone_hears_end(struct sim *sim, struct happening *it)
{
        phone_end(sim, it->a);
}

static void process_hears_end(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        struct process *p = &sim->processes[conn->process];
        struct core_event event = { .kind = CORE_CLOSED, .u.closed.session = it->a + 1 };

        if (!conn->process_open)
                return;
        if (p->paused_until_ms > sim->now_ms) {
                sim_at(sim, p->paused_until_ms - sim->now_ms, process_hears_end, 0)->a = it->a;
                return;
        }
        conn->process_open = false;
        process_tell(sim, conn->process, &event);
}

static void ping(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        const struct phone *phone = &sim->phones[conn->phone];

        if (conn->half_open || !conn->process_open || phone->out_cut || phone->in_cut ||
            sim->processes[conn->process].paused_until_ms > sim->now_ms)
                phone_end(sim, it->a);
}

static void breaks(struct sim *sim, size_t id)
{
        struct conn *conn = &sim->conns[id];

        conn->half_open = true;
        sim_at(sim, latency_ms(sim, conn), phone_hears_end, 0)->a = id;
        sim_at(sim, latency_ms(sim, conn), process_hears_end, 0)->a = id;
}

void net_cut(struct sim *sim, unsigned phone, bool silent)
{
        for (unsigned a = 0; a < SIM_ADDRESSES; a++) {
                int id = sim->phones[phone].conns[a];

                if (id < 0)
                        continue;
                sim_mark(sim, MARK_HALF_OPEN);
                sim->conns[id].half_open = true;
                sim_at(sim, SILENT_MS, process_hears_end, 0)->a = (uint64_t)id;
                sim_at(sim, silent ? 63000 : 30, phone_hears_end, 0)->a = (uint64_t)id;
        }
}

void net_process_died(struct sim *sim, unsigned process)
{
        for (size_t i = 0; i < sim->conn_count; i++) {
                struct conn *conn = &sim->conns[i];

                if (conn->process != process || !conn->process_open)
                        continue;
                conn->process_open = false;
                if (!conn->half_open) {
                        conn->half_open = true;
                        sim_at(sim, latency_ms(sim, conn), phone_hears_end, 0)->a = i;
                }
        }
}

void net_phone_died(struct sim *sim, unsigned phone)
{
        for (unsigned a = 0; a < SIM_ADDRESSES; a++) {
                int id = sim->phones[phone].conns[a];

                sim->phones[phone].conns[a] = -1;
                if (id < 0)
                        continue;
                sim->conns[id].phone_open = false;
                sim->conns[id].half_open = true;
                sim_at(sim, sim_permille(&sim->chance, 500) ? 50 : SILENT_MS, process_hears_end, 0)->a = (uint64_t)id;
        }
}

/* ---- Beginnings ------------------------------------------------------------------------------------------------------------- */

static void established(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        struct vigie_event event = { .type = VIGIE_ON_LINK, .u.link = { conn->address, true } };

        if (!conn->phone_open || conn->half_open)
                return;
        if (conn->address == SIM_ADDRESSES - 1)
                sim_mark(sim, MARK_ALERT_PORT);
        phone_tell(sim, conn->phone, &event);
}

static void reaches(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        struct process *p = &sim->processes[conn->process];
        struct core_event event = { .kind = CORE_OPENED };

        if (!conn->phone_open || conn->half_open || p->paused_until_ms > sim->now_ms)
                return; /* the phone's own patience ends it */
        if (p->core == NULL || !p->serving) {
                sim_at(sim, latency_ms(sim, conn), phone_hears_end, 0)->a = it->a;
                return;
        }
        conn->process_open = true;
        event.u.opened.session = it->a + 1;
        event.u.opened.certificate = sim->phones[sim->phones[conn->phone].of].standing == STANDING_EXPIRED
                                             ? CERTIFICATE_EXPIRED
                                             : CERTIFICATE_OK;
        memcpy(event.u.opened.handset, sim->phones[conn->phone].id, HANDSET_ID_SIZE);
        event.u.opened.fingerprint[0] = (uint8_t)sim->phones[conn->phone].of;
        event.u.opened.fingerprint[1] = 0x77;
        process_tell(sim, conn->process, &event);
        sim_at(sim, arrival_ms(sim, conn, DOWN), established, 0)->a = it->a;
}

/* Who takes a connection to ADDRESS: the kernel says, among those that share the port and listen. */
static unsigned process_at(struct sim *sim, uint8_t address)
{
        unsigned first = sim->process_count > SIM_ORDINARY && address == SIM_ADDRESSES - 1 ? SIM_ORDINARY : 0;
        unsigned which = (unsigned)sim_below(&sim->chance, SIM_ORDINARY);

        if (!sim->processes[first + which].serving)
                which = (which + 1) % SIM_ORDINARY;
        return first + which;
}

void net_connect(struct sim *sim, unsigned number, uint8_t address)
{
        struct phone *phone = &sim->phones[number];
        struct conn *conn = &sim->conns[sim->conn_count];
        size_t id = sim->conn_count++;
        unsigned process = process_at(sim, address);

        assert(sim->conn_count < SIM_CONNS_MAX && phone->conns[address] < 0);
        *conn = (struct conn){
                .phone = number, .process = process, .run = phone->run, .address = address, .phone_open = true
        };
        phone->conns[address] = (int)id;
        if (!phone->network)
                sim_at(sim, 20, phone_hears_end, 0)->a = id;
        else if (phone->out_cut || phone->in_cut)
                sim_at(sim, CONNECT_MS, phone_hears_end, 0)->a = id;
        else {
                sim_at(sim, 3 * latency_ms(sim, conn), reaches, 0)->a = id; /* TCP, TLS, the upgrade */
                conn->last_ms[UP] = conn->last_ms[DOWN] = sim->now_ms;
        }
}

void net_disconnect(struct sim *sim, unsigned phone, uint8_t address)
{
        int id = sim->phones[phone].conns[address];

        if (id < 0)
                return;
        sim->phones[phone].conns[address] = -1;
        sim->conns[id].phone_open = false;
        if (!sim->conns[id].half_open)
                sim_at(sim, arrival_ms(sim, &sim->conns[id], UP), process_hears_end, 0)->a = (uint64_t)id;
}

/* ---- Messages --------------------------------------------------------------------------------------------------------------- */

static void draw(struct sim *sim, const struct conn *conn, int way, const uint8_t *data, size_t len)
{
        unsigned phone = CHART_PHONE + conn->phone, process = CHART_PROCESS + conn->process;
        struct frame frame;
        struct receipt_signed receipt;

        if (sim->chart == NULL || frame_decode(data, len, &frame) < 0 || frame.type == FRAME_HEARTBEAT ||
            frame.type == FRAME_PRESENCE)
                return;
        if (frame.type == FRAME_RECEIPT && receipt_read(frame.u.cose.cose, &receipt, NULL) == 0)
                chart_arrow(sim, process, phone, "%s v%u", receipt_state_name(receipt.receipt.state),
                            receipt.receipt.version);
        else
                chart_arrow(sim, way == UP ? phone : process, way == UP ? process : phone, "%s",
                            frame_type_name(frame.type));
}

static void put_off(struct sim *sim, struct happening *it, int64_t ms)
{
        struct conn *conn = &sim->conns[it->a];

        sim_put_off(sim, it, ms);
        conn->held_ms[it->who] = sim->now_ms + ms;
        if (conn->last_ms[it->who] < conn->held_ms[it->who])
                conn->last_ms[it->who] = conn->held_ms[it->who];
}

/* What stands behind something that was put off on its way is put off too: nothing overtakes on one connection. */
static bool is_held(struct sim *sim, struct happening *it)
{
        int64_t ms = sim->conns[it->a].held_ms[it->who] - sim->now_ms;

        if (ms > 0)
                put_off(sim, it, ms);
        return ms > 0;
}

static void process_gets(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        struct process *p = &sim->processes[conn->process];
        struct core_event event = { .kind = CORE_FRAME };

        if (!conn->process_open || conn->half_open || is_held(sim, it))
                return;
        if (sim->phones[conn->phone].out_cut) {
                put_off(sim, it, 200);
                return;
        }
        if (p->paused_until_ms > sim->now_ms) {
                put_off(sim, it, p->paused_until_ms - sim->now_ms);
                return;
        }
        draw(sim, conn, UP, it->octets, it->len);
        sim->phones[conn->phone].arrived_ms = sim->now_ms;
        event.u.frame.session = it->a + 1;
        event.u.frame.bytes = (struct cbor_span){ it->octets, it->len };
        event.u.frame.stamp = it->a + 1;
        process_tell(sim, conn->process, &event);
}

static void phone_gets(struct sim *sim, struct happening *it)
{
        struct conn *conn = &sim->conns[it->a];
        struct vigie_event event = { .type = VIGIE_ON_FRAME, .u.frame = { conn->address, it->octets, it->len } };

        if (!conn->phone_open || conn->half_open || is_held(sim, it))
                return;
        if (sim->phones[conn->phone].in_cut) {
                put_off(sim, it, 200);
                return;
        }
        if (sim->phones[conn->phone].asleep_until_ms > sim->now_ms) {
                put_off(sim, it, sim->phones[conn->phone].asleep_until_ms - sim->now_ms);
                return;
        }
        draw(sim, conn, DOWN, it->octets, it->len);
        phone_tell(sim, conn->phone, &event);
}

static void transmit(struct sim *sim, size_t id, int way, const uint8_t *data, size_t len)
{
        struct conn *conn = &sim->conns[id];
        struct happening *it;

        if (conn->half_open)
                return;
        if (!sim->calm && sim_permille(&sim->chance, (unsigned)sim->plan->rates[RATE_CUT_PERMILLE])) {
                breaks(sim, id);
                return;
        }
        it = sim_at(sim, arrival_ms(sim, conn, way), way == UP ? process_gets : phone_gets, (unsigned)way);
        it->a = id;
        sim_octets(it, data, len);
}

void net_send_up(struct sim *sim, unsigned phone, uint8_t address, const uint8_t *data, size_t len)
{
        int id = sim->phones[phone].conns[address];

        assert(id >= 0 && len > 0 && len <= VIGIE_SEND_MAX);
        sim_at(sim, PING_MS, ping, 0)->a = (uint64_t)id;
        transmit(sim, (size_t)id, UP, data, len);
}

void net_send_down(struct sim *sim, uint64_t session, const uint8_t *data, size_t len)
{
        if (sim->conns[session - 1].process_open)
                transmit(sim, session - 1, DOWN, data, len);
}

void net_close_down(struct sim *sim, uint64_t session)
{
        struct conn *conn = &sim->conns[session - 1];

        if (!conn->process_open)
                return;
        conn->process_open = false;
        sim_at(sim, arrival_ms(sim, conn, DOWN), phone_hears_end, 0)->a = session - 1;
}
