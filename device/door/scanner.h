/* A QR scanner: lines of text, on standard input or a serial line. */
#ifndef DEVICE_DOOR_SCANNER_H
#define DEVICE_DOOR_SCANNER_H
#include "wire/pass.h"

/* Longest line looked at: a pass's text, and what a scanner may put around it.  A longer one is given as too long,
 * once. */
#define SCANNER_LINE_MAX (PASS_TEXT_SIZE + 64)
/* A line that stops in its middle is dropped after this: the scanner lost power. */
#define SCANNER_LINE_MS  2000

struct scanner {
        const char *path; /* borrowed; "-": standard input */
        int64_t baud;
        int fd; /* -1: not open */
        char line[SCANNER_LINE_MAX];
        size_t len;
        bool too_long;
        int64_t last_mono_ms;             /* when the last octet came */
        uint8_t octets[SCANNER_LINE_MAX]; /* what a line holds */
};

/* scanner_init: opens nothing yet. */
void scanner_init(struct scanner *scanner, const char *path, int64_t baud);

/* scanner_can_baud: say whether a serial line can have this speed. */
bool scanner_can_baud(int64_t baud);

/* scanner_wait: wait for a line, at most TIMEOUT_MS.
 *   ret_presentation  what it holds; empty where it is no pass's text, longer than PRESENTATION_MAX where it is too
 *                     long.  Lives until the next call
 * Returns 1 (a line), 0 (none yet), -EPIPE (the end of standard input), another negative errno: the serial line is not
 * there; the next call opens it again. */
int scanner_wait(struct scanner *scanner, int timeout_ms, struct cbor_span *ret_presentation);

/* scanner_close: copes with one that is not open. */
void scanner_close(struct scanner *scanner);
#endif
