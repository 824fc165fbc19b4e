/* Who waits for a receipt, for whoever must choose whom to send away. */
#include "dispatcher/core_parts.h"

void core_each_waiting(const struct core *core, void (*fn)(void *user, uint64_t session), void *user)
{
        const struct open_alert *alert;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                for (size_t w = 0; w < alert->waiting_count; w++)
                        if (alert->waiting[w].session != 0)
                                fn(user, alert->waiting[w].session);
}
