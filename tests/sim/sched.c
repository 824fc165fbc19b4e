/* What happens next, chance, and the hash of all that was decided. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define FIRST_MAX 64 /* orders below are sim_at_first's */

static bool is_before(const struct happening *a, const struct happening *b)
{
        return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static struct happening *put(struct sim *sim, struct happening it)
{
        size_t i = sim->heap_count++;

        if (i == sim->heap_room) {
                sim->heap_room = sim->heap_room * 2 + 1024;
                sim->heap = realloc(sim->heap, sim->heap_room * sizeof(*sim->heap));
                assert(sim->heap != NULL);
        }
        for (; i > 0 && is_before(&it, &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
                sim->heap[i] = sim->heap[(i - 1) / 2];
        sim->heap[i] = it;
        return &sim->heap[i];
}

struct happening *sim_at(struct sim *sim, int64_t ms, void (*fn)(struct sim *, struct happening *), unsigned who)
{
        return put(sim, (struct happening){ .at_ms = sim->now_ms + (ms > 0 ? ms : 0),
                                            .order = FIRST_MAX + ++sim->orders,
                                            .fn = fn,
                                            .who = who });
}

void sim_put_off(struct sim *sim, struct happening *it, int64_t ms)
{
        struct happening later = *it;

        later.at_ms = sim->now_ms + ms;
        it->octets = NULL;
        (void)put(sim, later);
}

struct happening *sim_at_first(struct sim *sim, int64_t ms, void (*fn)(struct sim *, struct happening *), unsigned who)
{
        assert(ms > 0 && who < FIRST_MAX);
        return put(sim, (struct happening){ .at_ms = sim->now_ms + ms, .order = who, .fn = fn, .who = who });
}

void sim_octets(struct happening *it, const void *data, size_t len)
{
        it->octets = malloc(len + 1);
        assert(it->octets != NULL);
        if (len > 0)
                memcpy(it->octets, data, len);
        it->len = len;
}

bool sim_step(struct sim *sim)
{
        struct happening it, last;
        size_t i = 0, child;

        if (sim->heap_count == 0)
                return false;
        it = sim->heap[0];
        last = sim->heap[--sim->heap_count];
        while ((child = 2 * i + 1) < sim->heap_count) {
                child += child + 1 < sim->heap_count && is_before(&sim->heap[child + 1], &sim->heap[child]);
                if (!is_before(&sim->heap[child], &last))
                        break;
                sim->heap[i] = sim->heap[child];
                i = child;
        }
        sim->heap[i] = last;
        sim->now_ms = it.at_ms;
        sim->happened++;
        it.fn(sim, &it);
        free(it.octets);
        return true;
}

uint64_t sim_chance(uint64_t *state) /* splitmix64 */
{
        uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

uint64_t sim_below(uint64_t *state, uint64_t limit)
{
        return limit > 0 ? sim_chance(state) % limit : 0;
}

bool sim_permille(uint64_t *state, unsigned n)
{
        return sim_below(state, 1000) < n;
}

int64_t sim_between(uint64_t *state, int64_t from, int64_t to)
{
        return to > from ? from + (int64_t)sim_below(state, (uint64_t)(to - from + 1)) : from;
}

static void fold(struct sim *sim, const void *data, size_t len)
{
        uint64_t word;

        for (size_t at = 0; at < len; at += sizeof(word)) {
                word = 0;
                memcpy(&word, (const uint8_t *)data + at, len - at < sizeof(word) ? len - at : sizeof(word));
                sim->hash = (sim->hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
                sim->hash ^= sim->hash >> 32;
        }
}

void sim_note(struct sim *sim, unsigned who, unsigned what, const void *data, size_t len)
{
        uint64_t head[3] = { (uint64_t)sim->now_ms, (uint64_t)who << 32 | what, len };

        fold(sim, head, sizeof(head));
        fold(sim, data, len);
}

void sim_fail(struct sim *sim, const char *which, const char *format, ...)
{
        va_list args;
        int n;

        if (sim->failed[0] != '\0')
                return;
        snprintf(sim->failure, sizeof(sim->failure), "%s", which);
        n = snprintf(sim->failed, sizeof(sim->failed), "%.3f s: ", (double)(sim->now_ms - SIM_START_MS) / 1000);
        va_start(args, format);
        vsnprintf(sim->failed + n, sizeof(sim->failed) - (size_t)n, format, args);
        va_end(args);
}

void sim_mark(struct sim *sim, enum sim_mark mark)
{
        sim->marks[mark]++;
}

const char *sim_mark_name(enum sim_mark mark)
{
        static const char *const names[MARK_END] = {
                [MARK_RECEIVED] = "an alert was shown as received",
                [MARK_TAKEN_BY_TWO] = "two took at once",
                [MARK_FAILOVER_LOST_COMMIT] = "failover lost a commit",
                [MARK_STALE_PRIMARY_WROTE] = "a stale primary took a commit",
                [MARK_COMMIT_REPLY_LOST] = "a commit landed and its reply was lost",
                [MARK_CONFLICT] = "a commit met another version",
                [MARK_TOMBSTONE_ANSWERED] = "a late copy met a tombstone",
                [MARK_TORN_TAIL] = "a journal's tail was torn",
                [MARK_PHONE_DIED_IN_ACTIONS] = "a phone died between two actions",
                [MARK_PROCESS_DIED_IN_ACTIONS] = "a dispatcher died between two actions",
                [MARK_SYNC_FAILED] = "an fdatasync failed",
                [MARK_DISK_FULL] = "a dispatcher's disk was full at a press",
                [MARK_KEPT_SHOWN] = "sent, being confirmed, was shown",
                [MARK_EXHAUSTED] = "a ladder was exhausted",
                [MARK_ALIAS] = "a press of a restored phone joined its alert",
                [MARK_PRESSED_AGAIN] = "a press joined an open alert",
                [MARK_UNSIGNED] = "an alert left unsigned",
                [MARK_RESTORED_PHONE_PRESSED] = "a restored phone pressed",
                [MARK_HALF_OPEN] = "a connection stood half open",
                [MARK_ALERT_PORT] = "the alert port was used",
                [MARK_FENCED] = "a commit met another epoch",
                [MARK_SMS_RECEIVED] = "a receipt by SMS was the first",
                [MARK_SMS_BEAT_SOCKET] = "an SMS beat the socket",
                [MARK_OVERDUE] = "a silent carrier was reported",
                [MARK_DURESS] = "the duress PIN was given",
                [MARK_CLOSED_SHOWN] = "a closure was shown",
                [MARK_TOUCH_CUT] = "power went with the finger down",
                [MARK_COMPACTED] = "a journal was rewritten with alerts open",
                [MARK_RAISED_TWICE] = "two dispatchers raised the same alert",
                [MARK_BROUGHT_BACK] = "a lost alert was brought back",
                [MARK_QUEUE_FULL] = "an alert had more commands waiting than it keeps",
                [MARK_WAITED] = "a take or closure waited for its replica",
                [MARK_NO_REPLICA] = "none had it in time",
                [MARK_DRAINED] = "a dispatcher gave its sessions away and ended",
                [MARK_SPARED] = "one that waited for its receipt was kept longer",
                [MARK_COPIED] = "two phones with one id pressed",
                [MARK_MAN_DOWN] = "an alert left because nobody moved",
                [MARK_NOT_CHECKED_IN] = "one because nobody checked in",
                [MARK_STRANGER_RAISED] = "a revoked, expired or unknown handset's alert was raised unverified",
                [MARK_LIMITED] = "an unverified alert was kept back by its sender's limit",
        };

        return names[mark];
}
