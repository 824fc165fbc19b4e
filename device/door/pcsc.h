/* An NFC reader through PC/SC: a phone that is put on it, and APDUs to it.
 *
 * What goes away and comes back: pcscd (restarted, not started yet), the reader (unplugged), the phone (pulled in the
 * middle).  Each is an error of the call that meets it; the next pcsc_wait() begins anew.  One insertion is one
 * contact, however long the phone lies there.  A pcscd that hangs holds the caller: systemd's watchdog ends the
 * process (ops/systemd/vigie-door.service). */
#ifndef DEVICE_DOOR_PCSC_H
#define DEVICE_DOOR_PCSC_H
#include "wire/cbor.h"

struct pcsc;

/* pcsc_open: READER: part of the reader's name, borrowed; empty: the first one.  Asks nothing of pcscd yet.  Returns
 * 0, -ENOMEM. */
int pcsc_open(const char *reader, struct pcsc **ret_pcsc);

/* pcsc_wait: wait for a phone, at most TIMEOUT_MS.
 * Returns 1 (there and connected: pcsc_release() when done), 0 (none), -EHOSTDOWN (no pcscd), -ENODEV (no such
 * reader).  The last two return at once: wait before the next call. */
int pcsc_wait(struct pcsc *pcsc, unsigned timeout_ms);

/* pcsc_transmit: one APDU and its answer, SIZE octets at most.  Returns the answer's length, -EIO (the phone is gone),
 * -EHOSTDOWN. */
int pcsc_transmit(struct pcsc *pcsc, struct cbor_span command, uint8_t *answer, size_t size);

/* pcsc_release: let go of the phone. */
void pcsc_release(struct pcsc *pcsc);

/* pcsc_reader: the reader's name, for the log; "" before one was found. */
const char *pcsc_reader(const struct pcsc *pcsc);

/* pcsc_close: NULL does nothing. */
void pcsc_close(struct pcsc *pcsc);
#endif
