/* host_state: what host.c, which runs, and host_open.c, which opens and closes, share.  Nobody else's. */
#ifndef DEVICE_HANDSET_HOST_HOST_STATE_H
#define DEVICE_HANDSET_HOST_HOST_STATE_H

#include <stdbool.h>

#include "base/wheel.h"
#include "device/handset/host/config.h"
#include "device/handset/host/gps.h"
#include "device/handset/host/identity.h"
#include "device/handset/host/pin.h"

/* Events that wait while another is being done: what follows from actions.  One event gives at most
 * VIGIE_ACTIONS_MAX of them, and what follows from those (a signature, a record not written) gives no more.  Over
 * it is a bug: assert. */
#define PENDING_MAX (2 * VIGIE_ACTIONS_MAX)
/* A sealed position is 118 octets at most (vigie_seal). */
#define SEALED_MAX  160

struct pending {
        struct vigie_event event;
        uint8_t octets[SEALED_MAX];
};

struct host {
        struct config config;
        struct loop *loop;
        struct lws_context *lws;
        struct vigie *vigie;
        struct identity identity;
        struct outbox *outbox;
        struct links *links;
        const char *addresses[VIGIE_ADDRESSES_MAX];
        struct gps *gps;
        struct button *button;
        struct page *page;
        struct socket_server *socket;
        struct pin *pin;
        struct feel *feel;
        struct wake *wake;
        struct modem *modem;
        struct passes *passes;
        struct wiping *wiped; /* by an earlier run, and not told; NULL */
        struct wheel_timer battery;
        bool busy, show, closing;
        bool cut; /* wiped, and told: no link any more */
        size_t first, count;
        struct pending pending[PENDING_MAX];
        struct vigie_actions actions;
};

/* host_run_event: an event to the core, and all that follows from it; its times and random octets are written here.
 * Called from within itself (a callback inside an action), the event waits.
 * Returns 0, -EINVAL as vigie_event, -ESHUTDOWN. */
int host_run_event(struct host *host, struct vigie_event event);

/* What the parts call: an event each. */
void host_on_due(void *user);
void host_on_battery(struct wheel_timer *timer, int64_t now_mono_ms);
void host_on_link(void *user, unsigned address, bool up);
void host_on_frame(void *user, unsigned address, const uint8_t *data, size_t len);
void host_on_fix(void *user, const struct gps_place *place);
void host_on_moved(void *user);
void host_on_key(void *user);
void host_on_pin(void *user, enum vigie_pin verdict);
void host_on_synced(void *user, uint32_t seq, bool ok);
void host_on_modem(void *user, enum vigie_modem state);
void host_on_sms(void *user, const uint8_t *data, size_t len);
void host_on_sent(void *user, uint32_t ticket, bool ok, uint16_t code);

#endif
