#include "ops/vigie/restore_alerts.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct restored_alerts {
        void *tree;
        struct restored **all; /* in the order met */
        size_t count, room;
};

struct restored_alerts *restored_new(void)
{
        return calloc(1, sizeof(struct restored_alerts));
}

static void keep(void *node)
{
}

void restored_free(struct restored_alerts *alerts)
{
        if (alerts == NULL)
                return;
        tdestroy(alerts->tree, keep);
        for (size_t i = 0; i < alerts->count; i++) {
                free(alerts->all[i]->extra);
                free(alerts->all[i]);
        }
        free(alerts->all);
        free(alerts);
}

static int compare(const void *a, const void *b)
{
        return memcmp(((const struct restored *)a)->id, ((const struct restored *)b)->id, ALERT_ID_SIZE);
}

/* The alert with this id, new if it was not there; NULL without memory. */
static struct restored *need(struct restored_alerts *alerts, const uint8_t id[ALERT_ID_SIZE])
{
        struct restored *alert = calloc(1, sizeof(*alert)), **more;
        void *found;

        if (alert == NULL)
                return NULL;
        memcpy(alert->id, id, ALERT_ID_SIZE);
        if ((found = tfind(alert, &alerts->tree, compare)) != NULL) {
                free(alert);
                return *(struct restored **)found;
        }
        if (alerts->count == alerts->room) {
                alerts->room = alerts->room == 0 ? 256 : 2 * alerts->room;
                more = realloc(alerts->all, alerts->room * sizeof(*more));
                if (more == NULL) {
                        free(alert);
                        return NULL;
                }
                alerts->all = more;
        }
        if (tsearch(alert, &alerts->tree, compare) == NULL) {
                free(alert);
                return NULL;
        }
        alerts->all[alerts->count++] = alert;
        return alert;
}

int restored_add(struct restored_alerts *alerts, struct cbor_span bytes)
{
        struct restored *alert;
        struct record record;
        bool was_closed;
        int r = record_decode(bytes.at, bytes.len, &record);

        if (r < 0)
                return r;
        if ((alert = need(alerts, record.id)) == NULL)
                return -ENOMEM;
        was_closed = alert->record.state == ALERT_CLOSED;
        if (was_closed ? record.state != ALERT_CLOSED || record.version < alert->record.version
                       : record.state != ALERT_CLOSED && record.version < alert->record.version)
                return 0;
        alert->record = record;
        return archive_hash(&bytes, 1, alert->hash);
}

int restored_sign(struct restored_alerts *alerts, const uint8_t id[ALERT_ID_SIZE], struct cbor_span bytes)
{
        struct restored *alert = need(alerts, id);

        if (alert == NULL || (alert->extra = realloc(alert->extra, bytes.len + 1)) == NULL)
                return -ENOMEM;
        memcpy(alert->extra, bytes.at, bytes.len);
        alert->extra_len = bytes.len;
        return 0;
}

int restored_bury(struct restored_alerts *alerts, const uint8_t id[ALERT_ID_SIZE])
{
        struct restored *alert = need(alerts, id);

        if (alert == NULL)
                return -ENOMEM;
        alert->buried = true;
        return 0;
}

struct restored *restored_next(struct restored_alerts *alerts, size_t *at)
{
        return *at < alerts->count ? alerts->all[(*at)++] : NULL;
}

void restored_mark(struct restored *alert, int64_t now_ms, const uint8_t salt[16])
{
        struct record *record = &alert->record;

        record->version += record->version < UINT32_MAX - RESTORE_VERSION_STEP ? RESTORE_VERSION_STEP : 1;
        record->marks |= RECORD_RESTORED;
        record->changed_at_ms = now_ms;
        record->due_ms = now_ms;
        memcpy(record->before, alert->hash, sizeof(record->before));
        memcpy(record->salt, salt, sizeof(record->salt));
}

void restored_tombstone(const struct restored *alert, struct tombstone *ret_tombstone)
{
        const struct record *record = &alert->record;

        memset(ret_tombstone, 0, sizeof(*ret_tombstone));
        ret_tombstone->version = record->version;
        ret_tombstone->state = record_receipt_state(record);
        ret_tombstone->closed_at_ms = record->closed_at_ms;
        ret_tombstone->revision = record->revision;
        ret_tombstone->marks = record->marks;
        record_set_text(ret_tombstone->who, sizeof(ret_tombstone->who), record->closed_by_name);
        for (size_t i = 0; i < record->alias_count; i++)
                if (record->aliases[i].revision > ret_tombstone->revision)
                        ret_tombstone->revision = record->aliases[i].revision;
}
