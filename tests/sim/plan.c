/* What a seed draws: which faults there are at all, how often, and when.  A run has few kinds of faults, and those often. */
#include "tests/sim/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

static const char *const rate_names[RATE_END] = {
        [RATE_LENGTH_S] = "length_s",
        [RATE_LATENCY_MS] = "latency_ms",
        [RATE_STORE_MS] = "store_ms",
        [RATE_LAG_MS] = "lag_ms",
        [RATE_DISK_MS] = "disk_ms",
        [RATE_CUT_PERMILLE] = "cut_permille",
        [RATE_SMS_LOSS] = "sms_loss",
        [RATE_SMS_TWICE] = "sms_twice",
        [RATE_SMS_MS] = "sms_ms",
        [RATE_DRAIN] = "no_modem",
        [RATE_SLOW_PEOPLE] = "absent",
        [RATE_SKEW_MS] = "skew_ms",
        [RATE_STORE_SKEW_MS] = "store_skew_ms",
        [RATE_TORN] = "torn",
        [RATE_FOES] = "foes",
        [RATE_MORE_CARRIERS] = "more_carriers",
        [RATE_ALERT_PORT] = "alert_port",
        [RATE_HASTE] = "haste",
        [RATE_COPIES] = "copies",
        [RATE_MAN_DOWN_S] = "man_down_s",
        [RATE_DRILL_PEOPLE] = "drill_people",
        [RATE_WAITS] = "waits",
        [RATE_PORT_ROOM] = "port_room",
        [RATE_DAWDLE] = "dawdle",
};

static const char *const order_names[ORDER_END] = {
        [ORDER_PRESS] = "press",
        [ORDER_TOUCH_UP] = "touch_up",
        [ORDER_PIN] = "pin",
        [ORDER_CATEGORY] = "category",
        [ORDER_STILL] = "still",
        [ORDER_DISMISS] = "dismiss",
        [ORDER_FINE] = "fine",
        [ORDER_DUTY] = "duty",
        [ORDER_NET] = "net",
        [ORDER_PHONE_KILL] = "phone_kill",
        [ORDER_PHONE_OFF] = "phone_off",
        [ORDER_PHONE_DISK] = "phone_disk",
        [ORDER_PHONE_KEY] = "phone_key",
        [ORDER_BACKUP] = "backup",
        [ORDER_RESTORE] = "restore",
        [ORDER_CLOCK] = "clock",
        [ORDER_KILL] = "kill",
        [ORDER_PAUSE] = "pause",
        [ORDER_DISK] = "disk",
        [ORDER_COMPACT] = "compact",
        [ORDER_STORE_CUT] = "store_cut",
        [ORDER_STORE_AWAY] = "store_away",
        [ORDER_FAILOVER] = "failover",
        [ORDER_STORE_SICK] = "store_sick",
        [ORDER_POSITIONS] = "positions",
        [ORDER_CLOSE] = "close",
        [ORDER_TAKE] = "take",
        [ORDER_COMPACT_PHONE] = "compact_phone",
        [ORDER_SUSPEND] = "suspend",
        [ORDER_CLOSE_OF] = "close_of",
        [ORDER_FLOOD] = "flood",
        [ORDER_DRAIN] = "drain",
        [ORDER_MAN_DOWN] = "man_down",
        [ORDER_CHECK_IN] = "check_in",
        [ORDER_COPY] = "copy",
        [ORDER_STANDING] = "standing",
        [ORDER_NO_FIX] = "no_fix",
        [ORDER_ACK] = "ack",
};

const char *plan_order_name(uint8_t kind)
{
        return kind < ORDER_END ? order_names[kind] : NULL;
}

/* ---- Drawing ---------------------------------------------------------------------------------------------------------- */

static struct plan_order *put(struct plan *plan, int64_t at_ms, uint8_t kind, unsigned who)
{
        static struct plan_order none;

        if (plan->count == PLAN_ORDERS_MAX)
                return &none;
        plan->orders[plan->count] = (struct plan_order){ .at_ms = at_ms, .kind = kind, .who = who };
        return &plan->orders[plan->count++];
}

static void draw_rates(struct plan *plan, uint64_t *c)
{
        static const int64_t lengths[] = { 60, 120, 180, 300, 600, 1500 };
        static const int64_t most[RATE_END] = {
                [RATE_LATENCY_MS] = 400,  [RATE_STORE_MS] = 30,   [RATE_LAG_MS] = 1500,    [RATE_DISK_MS] = 60,
                [RATE_CUT_PERMILLE] = 30, [RATE_SMS_LOSS] = 300,  [RATE_SMS_TWICE] = 200,  [RATE_SMS_MS] = 60000,
                [RATE_DRAIN] = 10,        [RATE_SLOW_PEOPLE] = 8, [RATE_SKEW_MS] = 300000, [RATE_STORE_SKEW_MS] = 1500,
                [RATE_TORN] = 1000,       [RATE_FOES] = 500,
        };

        for (unsigned i = 0; i < RATE_MORE_CARRIERS; i++)
                plan->rates[i] = sim_permille(c, 500) ? sim_between(c, 0, most[i]) : 0;
        plan->rates[RATE_LENGTH_S] = lengths[sim_below(c, 1000) < 30 ? 5 : sim_below(c, 5)];
        plan->rates[RATE_LATENCY_MS] += 20;
        plan->rates[RATE_STORE_MS] += 2;
        plan->rates[RATE_DISK_MS] += 2;
        plan->rates[RATE_SMS_MS] += 2500;
}

static unsigned draw_carrier(const struct plan *plan, uint64_t *c)
{
        unsigned who = (unsigned)sim_below(c, SIM_CARRIERS + (uint64_t)plan->rates[RATE_MORE_CARRIERS]);

        return who < SIM_CARRIERS ? who : who + SIM_SUPERVISORS;
}

/* A carrier presses, and what comes of it. */
static void draw_press(struct plan *plan, uint64_t *c, int64_t at_ms)
{
        unsigned who = draw_carrier(plan, c);
        struct plan_order *o = put(plan, at_ms, ORDER_PRESS, who);

        o->a = sim_permille(c, 700) ? VIGIE_PRESS_LOUD : sim_permille(c, 600) ? VIGIE_PRESS_SILENT : VIGIE_PRESS_DRILL;
        o->b = sim_permille(c, 600) ? VIGIE_PRESS_AT_ONCE : VIGIE_TOUCH_DOWN;
        if (o->b == VIGIE_TOUCH_DOWN && sim_permille(c, 400))
                put(plan, at_ms + sim_between(c, 100, 2000), ORDER_TOUCH_UP, who);
        if (sim_permille(c, 300)) {
                o = put(plan, at_ms + sim_between(c, 1000, 30000), ORDER_CATEGORY, who);
                o->a = sim_between(c, 1, 5);
        }
        if (sim_permille(c, 300)) {
                o = put(plan, at_ms + sim_between(c, 500, 40000), ORDER_PIN, who);
                o->a = sim_between(c, 0, 2);
        }
        if (sim_permille(c, 300)) {
                o = put(plan, at_ms + sim_between(c, 5000, 120000), ORDER_CLOSE, 0);
                o->a = sim_between(c, 0, 3);
        }
        if (sim_permille(c, 200)) {
                o = put(plan, at_ms + sim_between(c, 3000, 60000), ORDER_TAKE, 0);
                o->a = sim_between(c, 0, 3);
        }
        if (sim_permille(c, 200))
                put(plan, at_ms + sim_between(c, 10000, 130000), ORDER_STILL, who);
        if (sim_permille(c, 200))
                put(plan, at_ms + sim_between(c, 10000, 130000), ORDER_DISMISS, who);
        if (sim_permille(c, 300)) { /* and again */
                o = put(plan, at_ms + sim_between(c, 200, 90000), ORDER_PRESS, who);
                o->a = sim_between(c, 0, 2);
        }
}

/* A bad day: all carriers press again and again, most for a short time - a mistake, a drill, the control room that closes. */
static void draw_busy(struct plan *plan, uint64_t *c, int64_t length_ms)
{
        unsigned carriers = SIM_CARRIERS + (unsigned)plan->rates[RATE_MORE_CARRIERS];
        bool storm = plan->seed >= PLAN_STORM_FROM;
        int64_t pause_ms = storm ? sim_between(c, 300, 2000) : sim_between(c, 1000, 8000);
        int64_t soon_ms = storm ? sim_between(c, 300, 1200) : sim_between(c, 500, 8000);
        struct plan_order *o;

        for (unsigned i = SIM_CARRIERS; i < SIM_CARRIERS + SIM_SUPERVISORS; i++) /* they put away what is over */
                for (int64_t at_ms = sim_between(c, 9000, 20000); at_ms < length_ms;
                     at_ms += sim_between(c, 5000, 15000))
                        put(plan, at_ms, ORDER_DISMISS, i);
        for (unsigned i = 0; i < carriers; i++) {
                unsigned who = i < SIM_CARRIERS ? i : i + SIM_SUPERVISORS;

                for (int64_t at_ms = sim_between(c, 4000, 4000 + 2 * pause_ms); at_ms < length_ms - 5000;) {
                        int64_t open_ms =
                                sim_permille(c, 850) ? sim_between(c, 200, soon_ms) : sim_between(c, 300, 60000);

                        o = put(plan, at_ms, ORDER_PRESS, who);
                        o->a = sim_permille(c, 800)   ? VIGIE_PRESS_LOUD
                               : sim_permille(c, 600) ? VIGIE_PRESS_SILENT
                                                      : VIGIE_PRESS_DRILL;
                        o->b = VIGIE_PRESS_AT_ONCE;
                        if (sim_permille(c, 150)) {
                                o = put(plan, at_ms + sim_between(c, 200, 2000), ORDER_PIN, who);
                                o->a = sim_between(c, 0, 2);
                        }
                        put(plan, at_ms + open_ms, ORDER_CLOSE_OF, who);
                        at_ms += open_ms + sim_between(c, pause_ms / 2, pause_ms * 3 / 2);
                }
        }
}

static void draw_fault(struct plan *plan, uint64_t *c, int64_t at_ms, uint8_t kind)
{
        bool of_phone = kind <= ORDER_CLOCK || kind == ORDER_COMPACT_PHONE || kind == ORDER_SUSPEND;
        struct plan_order *o = put(plan, at_ms, kind, 0);

        o->who = (unsigned)(of_phone ? sim_below(c, SIM_CARRIERS + SIM_SUPERVISORS)
                                     : sim_below(c, plan->rates[RATE_ALERT_PORT] ? SIM_PROCESSES : SIM_ORDINARY));
        if (of_phone && sim_permille(c, 600))
                o->who = draw_carrier(plan, c);
        o->a = sim_between(c, 500, sim_permille(c, 300) ? 60000 : 8000);
        switch (kind) {
        case ORDER_NET:
                o->b = sim_between(c, 0, 4);
                break;
        case ORDER_PHONE_KILL:
        case ORDER_KILL:
                o->a = sim_between(c, 1, 25);
                o->b = sim_between(c, 0, 1);
                break;
        case ORDER_PHONE_OFF:
                o->a *= plan->rates[RATE_LENGTH_S] > 1000 ? 100 : 5;
                break;
        case ORDER_PHONE_DISK:
        case ORDER_DISK:
                o->b = sim_between(c, 0, 2);
                break;
        case ORDER_CLOCK:
                o->a = sim_between(c, 0, 7200000);
                o->b = sim_between(c, 0, 7200000);
                break;
        case ORDER_FAILOVER:
                o->b = sim_between(c, 0, 3) == 0;
                if (sim_permille(c, 500)) { /* the machine with the primary had a dispatcher too */
                        struct plan_order *kill = put(plan, at_ms, ORDER_KILL, o->who);

                        kill->a = sim_between(c, 1, 3);
                        kill->b = 1;
                }
                break;
        case ORDER_BACKUP:
                put(plan, at_ms + sim_between(c, 5000, 100000), ORDER_RESTORE, o->who);
                break;
        case ORDER_DUTY:
                o->who = (unsigned)sim_below(c, SIM_CARRIERS + SIM_SUPERVISORS);
                o->a = sim_between(c, 0, 1);
                break;
        default:
                break;
        }
}

void plan_draw(struct plan *plan, uint64_t seed)
{
        static const uint8_t faults[] = { ORDER_NET,        ORDER_NET,       ORDER_PHONE_KILL, ORDER_PHONE_OFF,
                                          ORDER_PHONE_DISK, ORDER_PHONE_KEY, ORDER_BACKUP,     ORDER_CLOCK,
                                          ORDER_KILL,       ORDER_KILL,      ORDER_PAUSE,      ORDER_DISK,
                                          ORDER_COMPACT,    ORDER_STORE_CUT, ORDER_STORE_AWAY, ORDER_FAILOVER,
                                          ORDER_STORE_SICK, ORDER_POSITIONS, ORDER_DUTY,       ORDER_COMPACT_PHONE,
                                          ORDER_SUSPEND };
        uint64_t chance = seed * 7919 + 17, *c = &chance;
        uint8_t mine[8];
        int64_t length_ms;
        size_t kinds, count;
        bool busy;

        *plan = (struct plan){ .seed = seed };
        draw_rates(plan, c);
        length_ms = plan->rates[RATE_LENGTH_S] * 1000;
        busy = sim_permille(c, 500) || seed >= PLAN_STORM_FROM;
        plan->rates[RATE_ALERT_PORT] = sim_permille(c, 300);
        if (busy) {
                plan->rates[RATE_MORE_CARRIERS] = sim_between(c, 0, SIM_PHONES - SIM_CARRIERS - SIM_SUPERVISORS);
                plan->rates[RATE_HASTE] = sim_between(c, 0, 9);
        }
        count = 1 + sim_below(c, 10);
        for (size_t i = 0; i < count; i++)
                draw_press(plan, c, sim_between(c, 5000, length_ms - 5000));
        if (busy)
                draw_busy(plan, c, length_ms);
        kinds = sim_below(c, 6);
        for (size_t i = 0; i < kinds; i++)
                mine[i] = faults[sim_below(c, sizeof(faults))];
        count = kinds > 0 ? sim_below(c, busy ? 24 + (uint64_t)length_ms / 3000 : 24) : 0;
        for (size_t i = 0; i < count; i++) {
                int64_t at_ms = sim_between(c, 3000, length_ms - 1000);

                if (sim_permille(c, 600)) { /* close to a press: there it hurts */
                        at_ms = plan->orders[sim_below(c, plan->count)].at_ms;
                        at_ms += sim_between(c, -300, 4000);
                }
                draw_fault(plan, c, at_ms < 0 ? 0 : at_ms, mine[sim_below(c, kinds)]);
        }
        recipes_draw(plan, c);
        later_draw(plan);
}

/* ---- Tapes ------------------------------------------------------------------------------------------------------------ */

void plan_write(const struct plan *plan, FILE *to)
{
        fprintf(to, "seed %" PRIu64 "\n", plan->seed);
        for (unsigned i = 0; i < RATE_END; i++)
                fprintf(to, "rate %s %" PRId64 "\n", rate_names[i], plan->rates[i]);
        for (size_t i = 0; i < plan->count; i++)
                if (!plan->orders[i].left_out)
                        fprintf(to, "at %" PRId64 " %s %u %" PRId64 " %" PRId64 "\n", plan->orders[i].at_ms,
                                order_names[plan->orders[i].kind], plan->orders[i].who, plan->orders[i].a,
                                plan->orders[i].b);
}

static unsigned find(const char *const *names, unsigned count, const char *name)
{
        unsigned i = 0;

        while (i < count && (names[i] == NULL || strcmp(names[i], name) != 0))
                i++;
        return i;
}

static int read_line(struct plan *plan, const char *line)
{
        char name[32];
        int64_t value;
        struct plan_order o = { 0 };

        if (line[0] == '#' || line[0] == '\n')
                return 0;
        if (sscanf(line, "seed %" SCNu64, &plan->seed) == 1)
                return 0;
        if (sscanf(line, "rate %31s %" SCNd64, name, &value) == 2 && find(rate_names, RATE_END, name) < RATE_END) {
                plan->rates[find(rate_names, RATE_END, name)] = value;
                return 0;
        }
        if (sscanf(line, "at %" SCNd64 " %31s %u %" SCNd64 " %" SCNd64, &o.at_ms, name, &o.who, &o.a, &o.b) != 5)
                return -EBADMSG;
        o.kind = (uint8_t)find(order_names, ORDER_END, name);
        if (o.kind == ORDER_END || o.who >= SIM_PHONES || plan->count == PLAN_ORDERS_MAX)
                return -EBADMSG;
        plan->orders[plan->count++] = o;
        return 0;
}

int plan_read(FILE *from, struct plan *ret_plan, unsigned *ret_line)
{
        char line[256];

        *ret_plan = (struct plan){ 0 };
        for (*ret_line = 1; fgets(line, sizeof(line), from) != NULL; (*ret_line)++)
                if (read_line(ret_plan, line) < 0)
                        return -EBADMSG;
        return ret_plan->rates[RATE_LENGTH_S] > 0 ? 0 : -EBADMSG;
}
