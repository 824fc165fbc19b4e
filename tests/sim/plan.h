/* plan: what a run is made of.  A seed draws one; a tape is one as text, so that a failing run stays as it was when the
 * drawing changes. */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_ORDERS_MAX 4096
/* Seeds from here on are storms: sixteen carriers at most, who press and are answered as fast as people can, under the same faults: most
 * alerts for the time that they take. */
#define PLAN_STORM_FROM UINT64_C(1000000000)

/* Numbers that hold for the whole run. */
enum plan_rate {
        RATE_LENGTH_S,     /* faults end then */
        RATE_LATENCY_MS,   /* of the network, one way, at most */
        RATE_STORE_MS,     /* of the store */
        RATE_LAG_MS,       /* of its replica */
        RATE_DISK_MS,      /* of an fdatasync, at most */
        RATE_CUT_PERMILLE, /* of messages that end their connection */
        RATE_SMS_LOSS,     /* permille */
        RATE_SMS_TWICE,
        RATE_SMS_MS,      /* at most */
        RATE_DRAIN,       /* phones without modem, of ten */
        RATE_SLOW_PEOPLE, /* of ten supervisors, absent ones */
        RATE_SKEW_MS,     /* of phones' clocks, at most, either way */
        RATE_STORE_SKEW_MS,
        RATE_TORN,          /* permille of unsynced sectors lost or torn at a power cut */
        RATE_FOES,          /* permille of supervisors' looks that take what another has */
        RATE_MORE_CARRIERS, /* beyond the four */
        RATE_ALERT_PORT,    /* 1: two processes of its own */
        RATE_HASTE,         /* people are so many times quicker, less one */
        RATE_COPIES,        /* so many phones more that are nobody's until ORDER_COPY */
        RATE_MAN_DOWN_S,    /* of the phones; 0: they do not look */
        RATE_DRILL_PEOPLE,  /* so many supervisors alone are rung by drills; 0: the nearest */
        RATE_WAITS,         /* 1: takes and closures are told once a replica has them, or STORE_WAIT_MS later */
        RATE_PORT_ROOM,     /* sessions of an alert port; 0: as many as come */
        RATE_DAWDLE,        /* 1: who has an alert says how it goes on minutes later */
        RATE_END
};

enum plan_order_kind {
        ORDER_PRESS = 1, /* who; a: enum vigie_press; b: enum vigie_how */
        ORDER_TOUCH_UP,
        ORDER_PIN,      /* a: enum vigie_pin */
        ORDER_CATEGORY, /* a */
        ORDER_STILL,
        ORDER_DISMISS,
        ORDER_FINE,
        ORDER_DUTY,       /* a: on; b: for so many s, 0: 8 h */
        ORDER_NET,        /* who's network goes for a ms; b: 0 told, 1 silently, 2 only out, 3 only in, 4 drips */
        ORDER_PHONE_KILL, /* at its a-th action from now; b: 1 power */
        ORDER_PHONE_OFF,  /* battery empty: last words, then power gone for a ms */
        ORDER_PHONE_DISK, /* a ms: b 0 full, 1 slow, 2 one fsync fails */
        ORDER_PHONE_KEY,  /* does not sign for a ms */
        ORDER_BACKUP,     /* keep a copy of the phone's disk */
        ORDER_RESTORE,    /* put it back, and start */
        ORDER_CLOCK,      /* the phone's clock steps by a - b ms */
        ORDER_KILL,       /* dispatcher who, at its a-th action; b: 1 power, 0 process */
        ORDER_PAUSE,      /* dispatcher who for a ms */
        ORDER_DISK,       /* dispatcher's disk for a ms: b 0 full, 1 slow, 2 one fdatasync fails */
        ORDER_COMPACT,    /* dispatcher's journal */
        ORDER_STORE_CUT,  /* dispatcher from store, a ms */
        ORDER_STORE_AWAY, /* the store for all, a ms (restart and loading) */
        ORDER_FAILOVER,   /* a: ms that dispatchers stay with the old one, at most; b: 1 only another epoch */
        ORDER_STORE_SICK, /* a ms: writes get an error */
        ORDER_POSITIONS,  /* the positions' Redis away, a ms */
        ORDER_CLOSE,      /* the control room closes the a-th open alert */
        ORDER_TAKE,       /* the control room takes it */
        ORDER_COMPACT_PHONE,
        ORDER_SUSPEND,  /* the phone sleeps a ms: neither timers nor frames */
        ORDER_CLOSE_OF, /* the control room closes what phone who has open */
        ORDER_FLOOD,    /* somebody sends a forged SMS in the name of who, again and again: b of them, each a ms */
        ORDER_DRAIN,    /* any process (who) is told to end: a session each a ms, those that wait for a receipt last */
        ORDER_MAN_DOWN, /* who's phone says that nobody moves; a 1: it moves */
        ORDER_CHECK_IN, /* who is to check in: a: enum vigie_deadline; b s */
        ORDER_COPY,     /* another phone starts with what who's has written down, its id and key too; both live on */
        ORDER_STANDING, /* carrier who's handset is (a: enum standing) for b ms */
        ORDER_NO_FIX,   /* who's phone hears no satellite for a ms */
        ORDER_ACK,      /* the control room has read all that is said of silent carriers */
        ORDER_END
};

struct plan_order {
        int64_t at_ms; /* from the start */
        uint8_t kind;
        unsigned who;
        int64_t a, b;
        bool left_out; /* by shrinking */
};

struct plan {
        uint64_t seed;
        int64_t rates[RATE_END];
        FILE *trace;     /* where the store's questions and answers go; NULL: nowhere; not on tapes */
        bool every_tick; /* dispatchers get also the ticks that find nothing to do; not on tapes */
        size_t count;
        struct plan_order orders[PLAN_ORDERS_MAX];
};

/* plan_draw: the plan of SEED. */
void plan_draw(struct plan *plan, uint64_t seed);

/* recipes_draw: add a rare situation to PLAN, or none. */
void recipes_draw(struct plan *plan, uint64_t *chance);

/* later_draw: add to the plan of a seed what the simulator learnt to do later, by chance of its own: the rest of the plan stays as it was. */
void later_draw(struct plan *plan);

/* plan_write: as a tape.  plan_read: a tape.  Returns 0, -EBADMSG (*ret_line says which). */
void plan_write(const struct plan *plan, FILE *to);
int plan_read(FILE *from, struct plan *ret_plan, unsigned *ret_line);

const char *plan_order_name(uint8_t kind);

#endif
