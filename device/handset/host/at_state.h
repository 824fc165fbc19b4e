/* at_state: what at.c, which talks, and at_steps.c, which knows what answers mean, share.  Nobody else's. */
#ifndef DEVICE_HANDSET_HOST_AT_STATE_H
#define DEVICE_HANDSET_HOST_AT_STATE_H

#include "device/handset/host/at.h"
#include "device/handset/host/at_line.h"

#define AT_ESCAPE "\x1b"

/* A command that waits for its final answer.  Up to STEP_LTE they make a look, in this order. */
enum step {
        STEP_WAKE,
        STEP_QUIET,  /* what it still says to others before us is not for us */
        STEP_ERRORS, /* with numbers */
        STEP_PIN,
        STEP_FORMAT, /* PDU mode */
        STEP_NEWS,   /* tell us of messages that come in, and keep them */
        STEP_NEWS_OLD,
        STEP_TELL, /* tell us of the network's coming and going */
        STEP_NETWORK,
        STEP_LTE,
        STEP_LIST,
        STEP_MEMORY,
        STEP_READ,
        STEP_DELETE,
        STEP_PROMPT, /* a message announced */
        STEP_PDU,    /* and given */
        STEP_NONE
};

/* A message in the modem. */
struct place {
        char memory[AT_MEMORY_SIZE]; /* "SM", "ME" ... */
        unsigned index;
};

struct places {
        size_t count;
        struct place place[AT_PLACES_MAX];
};

struct at {
        struct at_options options;
        int64_t now_mono_ms;
        enum vigie_modem state;
        bool talking, lost;

        enum step step;                       /* under way */
        int64_t due_mono_ms;                  /* its answer */
        enum step stage;                      /* of the look; STEP_NONE: over */
        int64_t look_mono_ms, looked_mono_ms; /* the next one; the end of the last */
        unsigned wakes;
        bool looked;                 /* once to its end since at_begin: we know what it can do */
        bool pin_told, sim, locked;  /* of the look */
        bool registered;             /* of the look */
        bool deaf;                   /* it tells nothing of what comes in: list at each look */
        bool list_new, list_all;     /* the unread ones, or all, are to be listed */
        bool sweep;                  /* all after the next look: some may be ours, read and not deleted */
        char memory[AT_MEMORY_SIZE]; /* the modem looks into; "" not known */
        struct places read, drop;
        bool in_message; /* the next line is the PDU of `shown` */
        struct place shown;

        bool sending; /* a message is here, under way or not */
        uint32_t ticket;
        int length; /* for AT+CMGS */
        char pdu[PDU_HEX_SIZE];

        size_t len;
        bool too_long;
        char line[AT_LINE_SIZE];
};

struct answer {
        bool ok;
        unsigned cme, cms; /* numbers of +CME ERROR, +CMS ERROR; 0: none */
};

/* Each command, how long its answer may take, and what is done with that.  Written once, changed never. */
struct at_step {
        const char *command; /* NULL: made up */
        int wait_ms;
        void (*over)(struct at *at, const struct answer *answer); /* nothing is under way any more */
};
extern const struct at_step at_steps[STEP_NONE];

/* at_set_state: what the modem can do; told if it is news. */
void at_set_state(struct at *at, enum vigie_modem state);

/* at_finish_send: what came of the message, if one is here.  CODE as in VIGIE_ON_SMS_SENT. */
void at_finish_send(struct at *at, bool ok, unsigned code);

/* at_look_soon: something has changed; not over and over at one that tells all the time. */
void at_look_soon(struct at *at);

/* at_may_read: say whether messages can be sent and read in this state. */
bool at_may_read(enum vigie_modem state);

#endif
