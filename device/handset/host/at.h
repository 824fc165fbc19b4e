/* at: the talk with a modem, in AT commands (3GPP TS 27.007, and TS 27.005 in PDU mode).  Pure: octets, requests and the
 * time go in, octets and what happened come out.
 *
 * It looks at the modem (SIM, network) over and over, so that one that was reset, or that died, is noticed before a press
 * needs it.  Messages that come in are read where the modem stored them; those on our port are given up and deleted, all
 * others stay as they are (that reading marks them as read is the modem's doing, and cannot be helped).  A message to be
 * sent goes before all but the command that is under way. */
#ifndef DEVICE_HANDSET_HOST_AT_H
#define DEVICE_HANDSET_HOST_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/handset/host/pdu.h"
#include "device/handset/vigie.h"

/* A command is answered within so long, or the modem is taken for hung.  Real ones need some ms; a slow one 3 s. */
#define AT_ANSWER_MS    5000
/* What the network makes of a message; TS 24.011 gives it some 40 s.  Under VIGIE_SMS_WAIT_MS. */
#define AT_SEND_MS      60000
/* First words: so often (one that has just been plugged in may not hear the first), so long each. */
#define AT_WAKES_MAX    2
#define AT_WAKE_MS      4000
/* The line belongs to us alone once it was quiet for so long; where first words were said again, for AT_ANSWER_MS: both
 * may be answered. */
#define AT_QUIET_MS     150
/* Between two looks at a modem that is ready, and at one that is not. */
#define AT_LOOK_MS      15000
#define AT_LOOK_BAD_MS  5000
/* Between two when it says that something has changed. */
#define AT_LOOK_SOON_MS 1000
/* Octets of one line; the rest of a longer one is dropped.  A PDU has 350. */
#define AT_LINE_SIZE    512
/* Messages known to wait in the modem, and to be deleted from it.  What has no room
 * is found by listing all after the next look. */
#define AT_PLACES_MAX   16

struct at;

struct at_options {
        const char *number; /* borrowed: where messages go, "+" and digits */
        void *user;
        /* OCTETS for the modem, to be written whole. */
        void (*write)(void *user, const char *octets, size_t len);
        /* What the modem can do, at each change. */
        void (*state)(void *user, enum vigie_modem state);
        /* A message on our port; borrowed. */
        void (*sms)(void *user, const uint8_t *data, size_t len);
        /* What came of the one of at_send; CODE as in VIGIE_ON_SMS_SENT. */
        void (*sent)(void *user, uint32_t ticket, bool ok, uint16_t code);
};

/* at_new: a talk with nobody yet.  NULL for want of memory. */
struct at *at_new(const struct at_options *options);

/* at_free: NULL does nothing. */
void at_free(struct at *at);

/* at_begin: the line is there: begin to talk. */
void at_begin(struct at *at, int64_t now_mono_ms);

/* at_end: the line is gone.  What is being sent has failed. */
void at_end(struct at *at);

/* at_hear: octets from the modem. */
void at_hear(struct at *at, const char *octets, size_t len, int64_t now_mono_ms);

/* at_tick: time has passed; too often is harmless. */
void at_tick(struct at *at, int64_t now_mono_ms);

/* at_due: when at_tick is needed. */
int64_t at_due(const struct at *at);

/* at_is_lost: say whether the modem does not answer: close the line, and begin again some time later. */
bool at_is_lost(const struct at *at);

/* at_send: send DATA (1..SMS_DATA_MAX octets; copied) as TICKET.  The next only after `sent` of the last: assert.
 * Without a line, a SIM or its PIN it has failed at once. */
void at_send(struct at *at, uint32_t ticket, struct cbor_span data, int64_t now_mono_ms);

#endif
