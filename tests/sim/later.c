/* What plans got after seeds were known by their numbers: each kind in a share of them, by chance of its own, so that the rest of a plan
 * stays as it was. */
#include "tests/sim/sim.h"

#define STRANGERS_PERMILLE 120
#define WAITS_PERMILLE     500
#define DRAIN_PERMILLE     150
#define WATCHED_PERMILLE   200
#define COPIES_PERMILLE    150
#define DAWDLE_PERMILLE    100
#define GONE_PERMILLE      80
#define FULL_PERMILLE      80
#define NARROW_PERMILLE    80
#define INDOORS_PERMILLE   80
#define LET_GO_PERMILLE    80
#define ACK_PERMILLE       80
#define GONE_S             320 /* of a run */
#define ACK_S              400 /* likewise */

static void put(struct plan *plan, struct plan_order order)
{
        if (plan->count < PLAN_ORDERS_MAX)
                plan->orders[plan->count++] = order;
}

static unsigned draw_carrier(const struct plan *plan, uint64_t *c)
{
        unsigned who = (unsigned)sim_below(c, SIM_CARRIERS + (uint64_t)plan->rates[RATE_MORE_CARRIERS]);

        return who < SIM_CARRIERS ? who : who + SIM_SUPERVISORS;
}

static int64_t draw_time(const struct plan *plan, uint64_t *c)
{
        return sim_between(c, 5000, plan->rates[RATE_LENGTH_S] * 1000 - 15000);
}

static void press(struct plan *plan, int64_t at_ms, unsigned who)
{
        put(plan,
            (struct plan_order){
                    .at_ms = at_ms, .kind = ORDER_PRESS, .who = who, .a = VIGIE_PRESS_LOUD, .b = VIGIE_PRESS_AT_ONCE });
}

/* A handset is revoked, expired or unknown for a while, and presses; perhaps also just before. */
static void strangers(struct plan *plan, uint64_t *c)
{
        for (uint64_t i = 1 + sim_below(c, 2); i > 0; i--) {
                int64_t at_ms = draw_time(plan, c);
                struct plan_order o = { .at_ms = at_ms, .kind = ORDER_STANDING, .who = draw_carrier(plan, c) };

                o.a = sim_between(c, STANDING_REVOKED, STANDING_UNKNOWN);
                o.b = sim_between(c, 5000, 200000);
                put(plan, o);
                if (sim_permille(c, 300))
                        press(plan, at_ms - sim_between(c, 50, 4000), o.who);
                if (sim_permille(c, 200))
                        put(plan, (struct plan_order){ .at_ms = draw_time(plan, c),
                                                       .kind = ORDER_FLOOD,
                                                       .who = o.who,
                                                       .a = 100,
                                                       .b = 120 });
                for (uint64_t j = sim_below(c, 4); j > 0; j--)
                        press(plan, at_ms + sim_between(c, 0, o.b), o.who);
        }
}

/* An upgrade: one is told to end, sometimes the others after it; with a press just then. */
static void drain(struct plan *plan, uint64_t *c)
{
        int64_t at_ms = draw_time(plan, c), pause_ms = sim_between(c, 50, 1000);
        unsigned first = (unsigned)sim_below(c, SIM_PROCESSES);

        for (unsigned i = 0; i < SIM_PROCESSES && (i == 0 || sim_permille(c, 600)); i++) {
                struct plan_order o = { .at_ms = at_ms, .kind = ORDER_DRAIN, .who = first + i, .a = pause_ms };

                put(plan, o);
                if (sim_permille(c, 600)) {
                        unsigned who =
                                draw_carrier(plan, c); /* a draw at a time: the order of arguments is the compiler's */

                        press(plan, at_ms + sim_between(c, -500, 3000), who);
                }
                at_ms += sim_between(c, 4000, 30000);
        }
}

/* Nobody moves; a check-in is not kept, or is; "I am fine", sometimes. */
static void watched(struct plan *plan, uint64_t *c)
{
        for (uint64_t i = 1 + sim_below(c, 4); i > 0; i--) {
                struct plan_order o = { .at_ms = draw_time(plan, c) };

                o.who = draw_carrier(plan, c);
                o.kind = sim_permille(c, 500) ? ORDER_MAN_DOWN : ORDER_CHECK_IN;
                if (o.kind == ORDER_CHECK_IN) {
                        o.a = sim_permille(c, 800) ? VIGIE_DEADLINE_SET : VIGIE_DEADLINE_EXPIRED;
                        o.b = sim_between(c, 60, 90);
                }
                put(plan, o);
                if (sim_permille(c, 400))
                        put(plan, (struct plan_order){ .at_ms = o.at_ms + sim_between(c, 2000, 100000),
                                                       .kind = ORDER_FINE,
                                                       .who = o.who });
        }
        plan->rates[RATE_MAN_DOWN_S] = 3600; /* that a sensor says so comes sooner */
        plan->rates[RATE_DRILL_PEOPLE] = sim_between(c, 0, 3);
}

/* The old phone lives on when its backup is in another one; both press. */
static void copies(struct plan *plan, uint64_t *c)
{
        struct plan_order o = { .at_ms = draw_time(plan, c), .kind = ORDER_COPY };
        unsigned to = SIM_CARRIERS + SIM_SUPERVISORS + (unsigned)plan->rates[RATE_MORE_CARRIERS];

        if (to >= SIM_PHONES)
                return;
        o.who = draw_carrier(plan, c);
        plan->rates[RATE_COPIES] = 1;
        if (sim_permille(c, 500))
                press(plan, o.at_ms - sim_between(c, 100, 20000), o.who);
        put(plan, o);
        for (uint64_t i = sim_below(c, 4); i > 0; i--) {
                unsigned who = sim_permille(c, 500) ? o.who : to;

                press(plan, o.at_ms + sim_between(c, 1000, 60000), who);
        }
}

static void waits(struct plan *plan, uint64_t *c)
{
        plan->rates[RATE_WAITS] = 1;
}

static void dawdle(struct plan *plan, uint64_t *c)
{
        plan->rates[RATE_DAWDLE] = 1;
}

/* Whoever takes it is gone for longer than an owner may be, and then comes back. */
static void gone(struct plan *plan, uint64_t *c)
{
        struct plan_order o = { .kind = ORDER_NET };
        int64_t at_ms;

        if (plan->rates[RATE_LENGTH_S] < GONE_S + 60)
                plan->rates[RATE_LENGTH_S] = GONE_S + 60;
        at_ms = sim_between(c, 15000, (plan->rates[RATE_LENGTH_S] - GONE_S) * 1000);
        press(plan, at_ms, draw_carrier(plan, c));
        for (unsigned i = 0; i < SIM_SUPERVISORS; i++) {
                o.who = SIM_CARRIERS + i;
                o.at_ms = at_ms + sim_between(c, 12000, 40000);
                o.a = sim_between(c, 235000, 265000);
                o.b = sim_between(c, 0, 1);
                put(plan, o);
        }
}

/* No dispatcher has room on its disk, and the press comes by SMS: those that found that out have let their sessions go. */
static void full(struct plan *plan, uint64_t *c)
{
        int64_t at_ms = draw_time(plan, c);
        unsigned who = draw_carrier(plan, c);
        struct plan_order o = { .at_ms = at_ms - 2000, .kind = ORDER_NET, .who = who };

        o.a = sim_between(c, 20000, 40000);
        put(plan, o);
        o = (struct plan_order){ .at_ms = at_ms - 300, .kind = ORDER_DISK };
        for (o.who = 0; o.who < SIM_PROCESSES; o.who++) {
                o.a = sim_between(c, 15000, 40000);
                put(plan, o);
        }
        press(plan, at_ms, who);
}

/* Pressed without data, by a phone that has not found out yet where it is. */
static void indoors(struct plan *plan, uint64_t *c)
{
        struct plan_order o = { .at_ms = 0, .kind = ORDER_NO_FIX, .who = draw_carrier(plan, c) };
        int64_t at_ms = sim_between(c, 5000, 30000);

        o.a = at_ms + sim_between(c, 6000, 14000);
        put(plan, o);
        o = (struct plan_order){ .at_ms = at_ms - 1000, .kind = ORDER_NET, .who = o.who };
        o.a = sim_between(c, 30000, 90000);
        put(plan, o);
        press(plan, at_ms, o.who);
}

/* An alert port with little room, where many come at once: the ordinary dispatchers are slow to answer. */
static void narrow(struct plan *plan, uint64_t *c)
{
        int64_t at_ms = draw_time(plan, c);
        struct plan_order o = { .at_ms = at_ms - 500, .kind = ORDER_PAUSE };

        plan->rates[RATE_ALERT_PORT] = 1;
        plan->rates[RATE_PORT_ROOM] = sim_between(c, 1, 3);
        for (o.who = 0; o.who < SIM_ORDINARY; o.who++) {
                o.a = sim_between(c, 4000, 15000);
                put(plan, o);
        }
        for (uint64_t i = 2 + sim_below(c, 5); i > 0; i--) {
                unsigned who = draw_carrier(plan, c);

                press(plan, at_ms + sim_between(c, 0, 6000), who);
        }
}

/* A finger on the button, and away again; later the phone starts anew. */
static void let_go(struct plan *plan, uint64_t *c)
{
        int64_t at_ms = draw_time(plan, c);
        struct plan_order o = { .at_ms = at_ms, .kind = ORDER_PRESS, .who = draw_carrier(plan, c) };

        o.b = VIGIE_TOUCH_DOWN;
        put(plan, o);
        o.kind = ORDER_TOUCH_UP;
        o.at_ms += sim_between(c, 100, 900);
        o.a = o.b = 0;
        put(plan, o);
        o.kind = ORDER_PHONE_KILL;
        o.at_ms += sim_between(c, 8000, 20000);
        o.a = 1;
        o.b = sim_between(c, 0, 1);
        put(plan, o);
}

/* A silent carrier is reported, and that is read; then another one is. */
static void acks(struct plan *plan, uint64_t *c)
{
        struct plan_order o = { .kind = ORDER_NET, .who = draw_carrier(plan, c), .a = 330000 };
        int64_t at_ms;

        if (plan->rates[RATE_LENGTH_S] < ACK_S + 60)
                plan->rates[RATE_LENGTH_S] = ACK_S + 60;
        at_ms = sim_between(c, 20000, (plan->rates[RATE_LENGTH_S] - ACK_S) * 1000);
        o.at_ms = at_ms;
        put(plan, o);
        o.who = draw_carrier(plan, c);
        o.at_ms = at_ms + sim_between(c, 50000, 80000);
        put(plan, o);
        o = (struct plan_order){ .at_ms = at_ms + sim_between(c, 180000, 200000), .kind = ORDER_ACK };
        put(plan, o);
}

void later_draw(struct plan *plan)
{
        static const struct {
                unsigned permille;
                void (*fn)(struct plan *, uint64_t *);
        } kinds[] = {
                { STRANGERS_PERMILLE, strangers }, { WAITS_PERMILLE, waits },   { DRAIN_PERMILLE, drain },
                { WATCHED_PERMILLE, watched },     { COPIES_PERMILLE, copies }, { DAWDLE_PERMILLE, dawdle },
                { GONE_PERMILLE, gone },           { FULL_PERMILLE, full },     { NARROW_PERMILLE, narrow },
                { INDOORS_PERMILLE, indoors },     { LET_GO_PERMILLE, let_go }, { ACK_PERMILLE, acks },
        };

        for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                uint64_t chance =
                        plan->seed * 6007 + 101 + i; /* one stream each: a new kind moves none of those before */

                if (sim_permille(&chance, kinds[i].permille))
                        kinds[i].fn(plan, &chance);
        }
}
