#include "tests/sim/everywhere.h"

#include <stdlib.h>
#include <string.h>

void everywhere_plan(struct plan *plan)
{
        static const struct plan_order orders[] = {
                { .at_ms = 4000, .kind = ORDER_PRESS, .who = 0, .a = VIGIE_PRESS_LOUD, .b = VIGIE_PRESS_AT_ONCE },
                { .at_ms = 9000, .kind = ORDER_CATEGORY, .who = 0, .a = 2 },
                { .at_ms = 12000, .kind = ORDER_PRESS, .who = 1, .a = VIGIE_PRESS_LOUD, .b = VIGIE_TOUCH_DOWN },
                { .at_ms = 15000, .kind = ORDER_PIN, .who = 1, .a = VIGIE_PIN_RIGHT },
                { .at_ms = 18000, .kind = ORDER_COMPACT, .who = 0 },
                { .at_ms = 20000, .kind = ORDER_PRESS, .who = 0, .a = VIGIE_PRESS_LOUD, .b = VIGIE_PRESS_AT_ONCE },
                { .at_ms = 22000, .kind = ORDER_PRESS, .who = 2, .a = VIGIE_PRESS_DRILL, .b = VIGIE_PRESS_AT_ONCE },
                { .at_ms = 26000, .kind = ORDER_CLOSE_OF, .who = 2 },
                { .at_ms = 32000, .kind = ORDER_COMPACT_PHONE, .who = 0 },
        };

        *plan = (struct plan){ .seed = 1, .count = sizeof(orders) / sizeof(orders[0]) };
        memcpy(plan->orders, orders, sizeof(orders));
        plan->rates[RATE_LENGTH_S] = 40;
        plan->rates[RATE_LATENCY_MS] = 20;
        plan->rates[RATE_STORE_MS] = plan->rates[RATE_DISK_MS] = 2;
        plan->rates[RATE_SMS_MS] = 2500;
        plan->rates[RATE_TORN] = 500;
        plan->rates[RATE_HASTE] = 2;
}

/* One victim, at one action after the other.  Returns how many runs failed. */
static size_t one_victim(const struct plan *plan, struct plan_order kill, const struct everywhere *how, size_t *runs)
{
        enum sim_mark died = kill.kind == ORDER_KILL ? MARK_PROCESS_DIED_IN_ACTIONS : MARK_PHONE_DIED_IN_ACTIONS;
        struct plan *now = malloc(sizeof(*now));
        struct outcome outcome;
        size_t failed = 0;

        for (kill.a = how->first;; kill.a += how->stride) {
                *now = *plan;
                now->orders[now->count++] = kill;
                outcome_of(now, NULL, &outcome);
                if (!outcome.failed && outcome.marks[died] == 0)
                        break; /* it has no so many actions */
                failed += outcome.failed;
                ++*runs;
                if (how->fn != NULL)
                        how->fn(how->user, now, &outcome);
        }
        free(now);
        return failed;
}

size_t everywhere_run(const struct plan *plan, const struct everywhere *how, size_t *ret_runs)
{
        static const struct plan_order victims[] = {
                { .kind = ORDER_KILL, .who = 0 },       { .kind = ORDER_KILL, .who = 1 },
                { .kind = ORDER_PHONE_KILL, .who = 0 }, { .kind = ORDER_PHONE_KILL, .who = 1 },
                { .kind = ORDER_PHONE_KILL, .who = 2 }, { .kind = ORDER_PHONE_KILL, .who = SIM_CARRIERS },
        };
        size_t failed = 0;

        *ret_runs = 0;
        for (size_t i = 0; i < 2 * sizeof(victims) / sizeof(victims[0]) && plan->count < PLAN_ORDERS_MAX; i++) {
                struct plan_order kill = victims[i / 2];

                kill.b = (int64_t)(i % 2);
                failed += one_victim(plan, kill, how, ret_runs);
        }
        return failed;
}
