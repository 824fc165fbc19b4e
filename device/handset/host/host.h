/* host: the daemon around libvigie-handset: clocks, journal, key, links, gpsd, button, page and socket.  It decides
 * nothing: events go in, actions are done. */
#ifndef DEVICE_HANDSET_HOST_HOST_H
#define DEVICE_HANDSET_HOST_HOST_H

#include <jansson.h>
#include <stdbool.h>

#include "device/handset/host/config.h"

struct host;

/* host_open: read key and trust, replay the journal, open page and socket; nothing runs before host_run.
 *   ready_fd  -1, or where the page's port and a newline are written when all is up; closed after
 *   ret_host  written in any case, and to be closed
 *
 * A phone that is not enrolled, or whose journal cannot be written, opens too: its page says so, and offers 112.
 * Returns 0, or a negative errno after logging why: another daemon has the journal, the page's port or the socket
 * is taken. */
int host_open(const struct config *config, int ready_fd, struct host **ret_host);

/* host_run: until SIGTERM or SIGINT.  Returns 0. */
int host_run(struct host *host);

/* host_close: end all, write what is queued.  NULL and half-open are fine. */
void host_close(struct host *host);

/* host_ask: a request in words, as page and socket give it: `{"words": ["press", "--silent"]}`; NULL is a malformed
 * one. Gives a new reference: `{"ok": true}`, with "alert": the id of a press that shows, or "status": {...}; or
 * `{"ok": false, "why": "..."}`.  Never NULL but for want of memory. */
json_t *host_ask(struct host *host, const json_t *request);

/* host_settled: say whether all that was asked is in the journal, or known not to get there. */
bool host_settled(const struct host *host);

/* host_status: the status as JSON, a new reference; NULL for want of memory. */
json_t *host_status(const struct host *host);

#endif
