#include "console/pass_still.h"

#include "console/pass_rule.h"

const char *still_why_name(enum still_why why)
{
        static const char *const names[] = { "good", "told", "unheard", "opens_old", "over" };

        return names[why];
}

struct still still_at(const struct pass_entry *pass, const struct door_entry *door, uint32_t list_good_s,
                      uint32_t now_s)
{
        uint64_t end = (uint64_t)pass->not_after_s + PASS_GRACE_S;
        uint64_t list_end = (uint64_t)pass->revoked_at_s + list_good_s; /* of the newest list made before it */

        if (end < now_s)
                return (struct still){ 0, STILL_OVER };
        if (pass->revoked_at_s == 0)
                return (struct still){ (uint32_t)end, STILL_GOOD };
        if (door != NULL && door->list_s >= pass->revoked_at_s)
                return (struct still){ 0, STILL_TOLD };
        if (door != NULL && door->opens_degraded)
                return (struct still){ (uint32_t)end, STILL_OPENS_OLD };
        if (list_end < end)
                end = list_end;
        if (end < now_s)
                return (struct still){ 0, STILL_OVER };
        return (struct still){ (uint32_t)end, STILL_UNHEARD };
}
