/* A full disk: events go on without the journal, and into it when there is room again. */
#include "dispatcher/core_parts.h"

void flow_disk_full(struct core *core)
{
        for (struct fact *fact = core->unsynced; fact != NULL; fact = fact->next)
                fact->bare = true; /* which of them found room is not known */
}

static struct fact *bare_fact(const struct open_alert *alert)
{
        for (size_t i = 0; i < alert->queued; i++)
                if (alert->queue[i]->bare &&
                    (alert->queue[i]->state == FACT_READY || alert->queue[i]->state == FACT_DONE))
                        return alert->queue[i];
        return NULL;
}

bool flow_has_bare(const struct open_alert *alert)
{
        return bare_fact(alert) != NULL;
}

void flow_disk_good(struct core *core)
{
        struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                if (bare_fact(alert) != NULL)
                        flow_ready(core, alert);
}

void flow_write_down_later(struct core *core, struct open_alert *alert)
{
        struct fact *fact;

        while ((fact = bare_fact(alert)) != NULL) {
                core->counters.waiting += fact->state == FACT_DONE;
                fact->state = FACT_WAITS;
                fact->owed = fact->type == FACT_ALERT;
                flow_write_down(core, fact);
        }
        flow_ready(core, alert);
}

bool flow_is_bare(const struct open_alert *alert)
{
        bool bare = false;

        for (size_t i = 0; i < alert->queued; i++) {
                if (alert->queue[i]->type != FACT_ALERT)
                        continue;
                if (!alert->queue[i]->bare)
                        return false;
                bare = true;
        }
        return bare;
}
