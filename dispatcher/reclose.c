/* Closed stays closed: what was closed shortly before the store went away is looked up when it is back, and committed again, closed, where
 * a failover lost all of it, or (somebody has raised it anew) the closure. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core_parts.h"

void reclose_forget(struct core *core, struct closed_alert *closed)
{
        free(closed->record);
        closed->record = NULL;
        closed->record_size = 0;
}

/* What was learnt before cannot be lost by a failover of today. */
static int64_t kept_since_ms(const struct core *core)
{
        return (core->store_up ? core->now_ms : core->store_away_ms) - CORE_CLOSED_KEPT_MS;
}

bool reclose_is_kept(const struct core *core, const struct closed_alert *closed)
{
        return closed->record != NULL && closed->learnt_ms >= kept_since_ms(core);
}

/* Each is passed once: none in front of closed_kept has a record. */
static void forget_old(struct core *core)
{
        int64_t since_ms = kept_since_ms(core);

        for (; core->closed_kept != NULL && core->closed_kept->learnt_ms < since_ms;
             core->closed_kept = core->closed_kept->newer)
                reclose_forget(core, core->closed_kept);
}

void reclose_keep(struct core *core, const struct record *closed, bool seen)
{
        struct closed_alert *to = table_find(&core->closed, closed->id);
        uint8_t *buf;
        int n;

        forget_old(core);
        if (to == NULL || to->record != NULL || to->learnt_ms < kept_since_ms(core))
                return;
        buf = malloc(RECORD_MAX);
        n = buf != NULL ? record_encode(closed, buf, RECORD_MAX) : -1;
        assert(n > 0);
        to->record = realloc(buf, (size_t)n);
        assert(to->record != NULL);
        to->record_size = (size_t)n;
        to->raised_at_ms = closed->raised_at_ms;
        to->seen = seen;
}

bool reclose_is_needed(const struct core *core, const struct record *record)
{
        const struct closed_alert *closed = hold_closed(core, record->id);

        return closed != NULL && (record->version > closed->tombstone.version ||
                                  (closed->raised_at_ms != 0 && record->raised_at_ms != closed->raised_at_ms));
}

void reclose_fill(const struct closed_alert *closed, struct record *record)
{
        struct record kept;

        if (closed->record == NULL || !closed->seen || record_decode(closed->record, closed->record_size, &kept) < 0)
                return;
        record->alias_count = kept.alias_count;
        memcpy(record->aliases, kept.aliases, sizeof(kept.aliases));
}

void reclose_look(struct core *core, const uint8_t id[ALERT_ID_SIZE])
{
        struct open_alert *alert = hold_need(core, id);

        if (alert == NULL || alert->version != 0)
                return; /* the store has it open: hold_load closes it again */
        alert->look = alert->recloses = true;
        flow_ready(core, alert);
}

void reclose_all(struct core *core)
{
        for (struct closed_alert *at = core->closed_kept; at != NULL; at = at->newer)
                if (at->record != NULL && at->learnt_ms >= core->store_away_ms - CORE_CLOSED_KEPT_MS)
                        reclose_look(core, at->id);
}

void reclose_found(struct core *core, struct open_alert *alert, struct cbor_span bytes)
{
        const struct closed_alert *closed = hold_closed(core, alert->id);
        struct record record;

        alert->look = alert->recloses = false;
        if (closed == NULL)
                return;
        if (bytes.len > 0 && record_decode(bytes.at, bytes.len, &record) == 0 && record.state != ALERT_CLOSED) {
                hold_set(core, alert, &record, bytes);
                alert->close_again = hold_closed(core, alert->id) != NULL;
        } else if (bytes.len == 0 && closed->record != NULL) {
                alert->record = malloc(closed->record_size);
                assert(alert->record != NULL);
                memcpy(alert->record, closed->record, closed->record_size);
                alert->record_size = closed->record_size;
                alert->version = closed->tombstone.version;
                alert->highest = closed->tombstone.version;
                alert->close_again = true;
        }
}
