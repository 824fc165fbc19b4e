/* Rare situations on purpose: a few orders that belong together, so that what needs three things at once is met in some hundred seeds
 * and not in some million. */
#include "tests/sim/sim.h"

#define BEFORE_MS 20000  /* the part of a run that a recipe leaves to its end, and its beginning */
#define LONG_MS   280000 /* some need that much */

struct cook {
        struct plan *plan;
        uint64_t *chance;
        int64_t at_ms;
        unsigned who; /* a carrier */
};

static void put(const struct cook *cook, int64_t after_ms, uint8_t kind, unsigned who, int64_t a, int64_t b)
{
        struct plan *plan = cook->plan;
        int64_t at_ms = cook->at_ms + after_ms;

        if (plan->count < PLAN_ORDERS_MAX)
                plan->orders[plan->count++] =
                        (struct plan_order){ .at_ms = at_ms > 0 ? at_ms : 0, .kind = kind, .who = who, .a = a, .b = b };
}

static void press(const struct cook *cook, int64_t after_ms)
{
        put(cook, after_ms, ORDER_PRESS, cook->who, VIGIE_PRESS_LOUD, VIGIE_PRESS_AT_ONCE);
}

/* The phone is smashed between two of the things that a press makes it do. */
static void smashed(struct cook *cook)
{
        int64_t action;

        if (cook->plan->rates[RATE_TORN] == 0)
                cook->plan->rates[RATE_TORN] = 500;
        press(cook, 0);
        action = sim_between(cook->chance, 1, 12); /* a draw at a time: the order of arguments is the compiler's */
        put(cook, sim_between(cook->chance, 0, 300), ORDER_PHONE_KILL, cook->who, action, 1);
}

/* And with the finger still down. */
static void finger_down(struct cook *cook)
{
        put(cook, 0, ORDER_PRESS, cook->who, VIGIE_PRESS_LOUD, VIGIE_TOUCH_DOWN);
        put(cook, sim_between(cook->chance, 200, 900), ORDER_PHONE_OFF, cook->who, 4000, 0);
        put(cook, sim_between(cook->chance, 200, 900), ORDER_PHONE_KILL, cook->who, 1, 1);
}

/* Set back to its backup it does not know of its alert, and presses again. */
static void set_back(struct cook *cook)
{
        put(cook, -5000, ORDER_BACKUP, cook->who, 0, 0);
        press(cook, 0);
        put(cook, 6000, ORDER_RESTORE, cook->who, 0, 0);
        press(cook, 8000);
        press(cook, 11000);
}

/* A PIN or another press, while nobody hears and the control room closes. */
static void closed_meanwhile(struct cook *cook)
{
        int64_t how;

        press(cook, 0);
        how = sim_between(cook->chance, 0, 1);
        put(cook, 6500, ORDER_NET, cook->who, sim_between(cook->chance, 8000, 40000), how);
        put(cook, 7500, ORDER_CLOSE, 0, 0, 0);
        if (sim_permille(cook->chance, 500))
                put(cook, sim_between(cook->chance, 6600, 12000), ORDER_PIN, cook->who, VIGIE_PIN_DURESS, 0);
        else
                press(cook, sim_between(cook->chance, 6600, 12000));
}

static void store_away(struct cook *cook)
{
        int64_t away_ms;

        for (unsigned i = 0; i < SIM_ORDINARY && sim_permille(cook->chance, 300); i++)
                put(cook, -500, ORDER_DISK, i, 20000, 1);
        away_ms = sim_between(cook->chance, 4000, 70000);
        put(cook, sim_between(cook->chance, -4000, 500), ORDER_STORE_AWAY, 0, away_ms, 0);
        press(cook, 0);
}

/* Whoever takes it is not heard of any more. */
static void owners_vanish(struct cook *cook)
{
        press(cook, 0);
        for (unsigned i = 0; i < SIM_SUPERVISORS; i++)
                put(cook, sim_between(cook->chance, 12000, 40000), ORDER_PHONE_OFF, SIM_CARRIERS + i, 60000, 0);
}

/* Nobody looks: the ladder runs to its top. */
static void nobody(struct cook *cook)
{
        cook->plan->rates[RATE_SLOW_PEOPLE] = 10;
        put(cook, -3000, ORDER_DUTY, SIM_CARRIERS + SIM_SUPERVISORS - 1, 0, 0); /* the manager */
        press(cook, 0);
}

static void disk_full(struct cook *cook)
{
        for (unsigned i = 0; i < SIM_ORDINARY; i++)
                put(cook, -200, ORDER_DISK, i, sim_between(cook->chance, 3000, 30000), 0);
        press(cook, 0);
}

/* A failover loses what a dispatcher, which dies with the same machine, had committed; and the phone, which has its receipt, is gone
 * too: what is left is the journal. */
static void lost(struct cook *cook)
{
        int64_t after_ms = sim_between(cook->chance, 30, 2500);
        unsigned process = (unsigned)sim_below(cook->chance, SIM_ORDINARY);

        if (cook->plan->rates[RATE_LAG_MS] < 800)
                cook->plan->rates[RATE_LAG_MS] = 1500;
        press(cook, 0);
        if (sim_permille(cook->chance, 500))
                put(cook, after_ms / 2, ORDER_COMPACT, process, 0, 0);
        if (sim_permille(cook->chance, 600))
                put(cook, after_ms - 10, ORDER_PHONE_KILL, cook->who, 1, 1);
        put(cook, after_ms, ORDER_FAILOVER, 0, sim_between(cook->chance, 300, 6000), 0);
        if (sim_permille(cook->chance, 500))
                put(cook, after_ms, ORDER_KILL, process, sim_between(cook->chance, 1, 3), 1);
}

/* Supervisors without data: asked by SMS, and answering so. */
static void by_sms(struct cook *cook)
{
        for (unsigned i = 0; i < SIM_SUPERVISORS; i++)
                put(cook, -40000, ORDER_NET, SIM_CARRIERS + i, 2 * sim_between(cook->chance, 30000, 45000), 0);
        put(cook, -1000, ORDER_NET, cook->who, 2 * sim_between(cook->chance, 10000, 40000), 0);
        press(cook, 0);
}

/* A carrier is not heard any more; without coverage, or with the phone off. */
static void silent(struct cook *cook)
{
        if (sim_permille(cook->chance, 500))
                put(cook, -BEFORE_MS, ORDER_NET, cook->who, 2 * sim_between(cook->chance, 60000, 120000) + 1, 0);
        else
                put(cook, -BEFORE_MS, ORDER_PHONE_OFF, cook->who, 2 * sim_between(cook->chance, 60000, 120000), 0);
}

void recipes_draw(struct plan *plan, uint64_t *chance)
{
        static void (*const any[])(struct cook *) = { smashed,   finger_down,   set_back, closed_meanwhile, store_away,
                                                      disk_full, lost,          lost,     by_sms,           smashed,
                                                      nobody,    owners_vanish, silent };
        int64_t length_ms = plan->rates[RATE_LENGTH_S] * 1000;
        struct cook cook = { .plan = plan, .chance = chance };
        size_t which = (size_t)sim_below(chance, sizeof(any) / sizeof(any[0]));
        bool is_long = any[which] == nobody || any[which] == owners_vanish || any[which] == silent;

        if (sim_permille(chance, 400))
                return;
        if (is_long && length_ms < LONG_MS + 2 * BEFORE_MS)
                length_ms = 1000 * (plan->rates[RATE_LENGTH_S] = LONG_MS / 1000 + 2 * BEFORE_MS / 1000);
        cook.who = (unsigned)sim_below(chance, SIM_CARRIERS);
        cook.at_ms = sim_between(chance, BEFORE_MS, length_ms - (is_long ? LONG_MS : BEFORE_MS));
        any[which](&cook);
}
