/* host: the daemon around libvigie-handset: clocks, journal, key, links, gpsd, button, page and socket.  It decides nothing: events go in,
 * actions are done. */
#ifndef DEVICE_HANDSET_HOST_HOST_H
#define DEVICE_HANDSET_HOST_HOST_H

#include <jansson.h>

#include "device/handset/host/config.h"

struct host;

/* host_open: read key and trust, replay the journal, open page and socket; nothing runs before host_run.
 *   ready_fd  -1, or where the page's port and a newline are written when all is up; closed after
 * A phone that is not enrolled opens too: its page says so, and offers 112.
 * Returns 0, or a negative errno after logging why. */
int host_open(const struct config *config, int ready_fd, struct host **ret_host);

/* host_run: until SIGTERM or SIGINT.  host_close: NULL and half-open are fine. */
int host_run(struct host *host);
void host_close(struct host *host);

/* host_ask: a request in words, as page and socket give it: `{"words": ["press", "--silent"]}`.
 * Gives a new reference: `{"ok": true}`, `{"ok": true, "status": {...}}` or `{"ok": false, "why": "..."}`.  Never NULL but for want
 * of memory. */
json_t *host_ask(struct host *host, const json_t *request);

/* host_status: the status as JSON, a new reference. */
json_t *host_status(const struct host *host);

#endif
