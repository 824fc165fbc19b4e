/* A dispatcher's journal: appends, group commits, a full disk, compaction. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/process_inside.h"

void process_forget_appended(struct process *p)
{
        for (size_t i = 0; i < p->appended_count; i++)
                free(p->appended[i].octets);
        p->appended_count = p->appended_durable = 0;
        p->base = p->disk.entries;
}

static void durable_upto(struct sim *sim, unsigned number, size_t entries)
{
        struct process *p = &sim->processes[number];

        disk_sync(&p->disk, entries);
        for (; p->appended_durable < entries - p->base; p->appended_durable++)
                check_durable(sim, number,
                              (struct cbor_span){ p->appended[p->appended_durable].octets,
                                                  p->appended[p->appended_durable].len });
        if (p->appended_durable > 0)
                p->durable_number = p->appended[p->appended_durable - 1].number;
        if (p->appended_durable == p->appended_count)
                process_forget_appended(p);
}

static void begin_sync(struct sim *sim, unsigned number);

static void synced(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_SYNCED };

        if (p->core == NULL || p->syncs != it->b)
                return;
        p->syncing = false;
        if (p->fsync_fails) {
                p->fsync_fails = false;
                sim_mark(sim, MARK_SYNC_FAILED);
                process_stop(sim, it->who, sim_permille(&sim->chance, 500));
                return;
        }
        if (it->a > p->disk.durable_entries)
                durable_upto(sim, it->who, it->a);
        begin_sync(sim, it->who);
        event.u.synced.up_to = p->durable_number;
        process_tell(sim, it->who, &event);
}

static void begin_sync(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        struct happening *it;

        if (p->syncing || p->disk.entries == p->disk.durable_entries)
                return;
        p->syncing = true;
        p->slow = p->disk_ms > 0;
        it = sim_at(sim, sim_between(&sim->chance, 1, sim->plan->rates[RATE_DISK_MS]) + p->disk_ms, synced, number);
        it->a = p->disk.entries;
        it->b = ++p->syncs;
}

static void close_sessions(struct sim *sim, unsigned number)
{
        for (size_t i = 0; i < sim->conn_count; i++)
                if (sim->conns[i].process == number && sim->conns[i].process_open) {
                        struct core_event event = { .kind = CORE_CLOSED, .u.closed.session = i + 1 };

                        net_close_down(sim, i + 1);
                        process_tell(sim, number, &event);
                }
}

/* What became of the disk: told after the actions that found out. */
void process_look_at_disk(struct sim *sim, struct happening *it)
{
        struct process *p = &sim->processes[it->who];
        struct core_event event = { .kind = CORE_DISK };
        bool away = p->refused != 0 || (p->disk_away && p->disk_full); /* it found no room, whatever there is by now */

        if (p->core == NULL || p->run != it->b)
                return;
        if (away != p->disk_away) {
                p->disk_away = away;
                p->serving = !away && !p->draining;
                event.u.state.up = !away;
                process_tell(sim, it->who, &event);
                if (away && p->core != NULL)
                        close_sessions(sim, it->who);
        }
        if (p->core == NULL || p->refused == 0)
                return;
        durable_upto(sim, it->who, p->disk.entries);
        event = (struct core_event){ .kind = CORE_SYNCED, .u.synced.up_to = p->refused };
        p->refused = 0;
        process_tell(sim, it->who, &event);
}

void process_append(struct sim *sim, unsigned number, const struct core_action *action)
{
        struct process *p = &sim->processes[number];
        struct cbor_span bytes = action->u.append.bytes;

        assert(bytes.len > 0 && bytes.len <= CORE_APPEND_MAX);
        if (p->disk_full) {
                sim_mark(sim, MARK_DISK_FULL);
                p->refused = action->u.append.number;
                sim_at(sim, 0, process_look_at_disk, number)->b = p->run;
                return;
        }
        assert(p->appended_count < 4096);
        p->appended[p->appended_count].number = action->u.append.number;
        p->appended[p->appended_count].octets = memcpy(malloc(bytes.len), bytes.at, bytes.len);
        p->appended[p->appended_count++].len = bytes.len;
        disk_append(&p->disk, bytes.at, bytes.len);
        begin_sync(sim, number);
}

static bool keep(void *user, const struct entry *entry)
{
        return core_keep(user, (struct cbor_span){ entry->payload, entry->payload_len });
}

void process_compact(struct sim *sim, unsigned number)
{
        struct process *p = &sim->processes[number];
        struct core_keep *kept;

        if (p->core == NULL || !p->replayed || core_keep_new(p->core, &kept) < 0)
                return;
        durable_upto(sim, number, p->disk.entries); /* what is appended meanwhile is kept unasked */
        disk_rewrite(&p->disk, keep, kept);
        p->syncs++;
        p->syncing = false;
        core_keep_free(kept);
        if (core_counters(p->core)->open_alerts > 0)
                sim_mark(sim, MARK_COMPACTED);
        /* Their numbers stay told: what was not yet is told by the sync that runs. */
        p->base = p->disk.entries;
        if (p->durable_number > 0) {
                struct core_event event = { .kind = CORE_SYNCED, .u.synced.up_to = p->durable_number };

                process_tell(sim, number, &event);
        }
}
