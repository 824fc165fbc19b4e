/* The door at work: waits for a phone or a line of text, until it is told to stop. */
#ifndef DEVICE_DOOR_SERVE_H
#define DEVICE_DOOR_SERVE_H
#include "device/door/config.h"
#include "device/door/entrance.h"
#include "device/door/opener.h"
#include "device/door/pcsc.h"
#include "device/door/reader.h"
#include "device/door/scanner.h"

/* The longest that a turn waits: within it signals are heard, commands that ended are logged. */
#define SERVE_TURN_MS  500
/* No reader, no pcscd, no serial line: tried again after this, and said once. */
#define SERVE_RETRY_MS 1000

struct serve {
        const struct config *config;
        struct entrance door;
        struct opener opener;
        struct pcsc *pcsc; /* NULL where the mandate says scanner */
        struct scanner scanner;
        struct reader reader;
        uint8_t list[STATUS_MAX];
        int trouble; /* the error that was said last; 0 none */
};

/* serve_open: read the files, open the log, be ready.  Told in the log.  Returns 0 or a negative errno. */
int serve_open(const struct config *config, struct serve *serve);

/* serve_run: until SIGTERM or SIGINT, or the end of standard input where that is the scanner; SIGHUP reads trust list
 * and status list again.  Returns 0, or a negative errno: the log cannot be written. */
int serve_run(struct serve *serve);

/* serve_close: copes with a half-opened one. */
void serve_close(struct serve *serve);
#endif
