/* modem: SMS by a modem on a tty.  The talk is at.h's; here is the line: it is opened, tried again for as long as it is not
 * there, and read and written, all in a thread of its own, because the kernel may hold whoever opens, sets or closes the
 * tty of a USB modem that hangs, for seconds.  What happens is told from the loop. */
#ifndef DEVICE_HANDSET_HOST_MODEM_H
#define DEVICE_HANDSET_HOST_MODEM_H

#include <stdint.h>

#include "device/handset/vigie.h"
#include "wire/sms.h"

struct loop;
struct modem;

/* A tty that is not there, or whose modem did not answer, is tried again after so long. */
#define MODEM_RETRY_MS 1000
/* Messages that came in and that the loop has not taken.  When full the next is dropped: the region repeats a receipt. */
#define MODEM_SMS_MAX  16
/* modem_close waits so long for the thread; then it is left to the process's end. */
#define MODEM_CLOSE_MS 1000

struct modem_options {
        struct loop *loop;
        const char *device, *number; /* borrowed; at.h */
        int64_t baud;                /* modem_can_baud */
        void *user;
        /* As in at.h, from the loop. */
        void (*state)(void *user, enum vigie_modem state);
        void (*sms)(void *user, const uint8_t *data, size_t len);
        void (*sent)(void *user, uint32_t ticket, bool ok, uint16_t code);
};

/* modem_can_baud: say whether a tty can be set to so many baud. */
bool modem_can_baud(int64_t baud);

/* modem_open: begin to reach the modem.  Returns 0 or a negative errno (no thread, no memory). */
int modem_open(const struct modem_options *options, struct modem **ret_modem);

/* modem_send: send DATA (1..SMS_DATA_MAX octets; copied) as TICKET; `sent` says what came of it.
 * Returns 0, -EBUSY (the last is still under way). */
int modem_send(struct modem *modem, uint32_t ticket, struct cbor_span data);

/* modem_close: end; nothing more is told.  Before the loop is closed.  NULL does nothing. */
void modem_close(struct modem *modem);

#endif
