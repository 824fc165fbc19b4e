/* view: the status as JSON, for the page and for `vigie-handset status --json`.  Pure.
 * device/handset/host/PROTOCOL.md has the members. */
#ifndef DEVICE_HANDSET_HOST_VIEW_H
#define DEVICE_HANDSET_HOST_VIEW_H

#include <jansson.h>

#include "device/handset/vigie.h"

/* view_status: a new reference, NULL when memory is short.
 *   now_ms   UTC by the phone, so that the page need not trust the browser's clock for ages */
json_t *view_status(const struct vigie_status *status, int64_t now_ms);

/* view_pattern_name: "rising", "leaving", "received", "taken", "message", "ask", "stop". */
const char *view_pattern_name(unsigned pattern);

#endif
