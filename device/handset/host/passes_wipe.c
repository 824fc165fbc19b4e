#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/feel.h"
#include "device/handset/host/link.h"
#include "device/handset/host/outbox.h"
#include "device/handset/host/passes_state.h"
#include "device/handset/host/wiping.h"

static void forget_key(struct host *host)
{
        key_free(host->identity.key);
        host->identity.key = NULL;
        host->identity.pkey = NULL;
}

void wipe_begin(struct passes *p, const struct vigie_action *a)
{
        struct cbor_span confirmation = { a->data, a->len };
        struct host *host = p->host;
        struct wiping *w = NULL;

        if (safe_is_wiping(p->safe))
                return; /* on a disk that hangs: the core has waited long enough, and the region has said it again */
        if (p->wiped)   /* the disk failed: the key is gone, what it signed may be written down */
                wiping_read(&host->config, p->folder, &w);
        if (w == NULL)
                w = wiping_new(&host->config, p->folder, host->identity.enrolment, confirmation);
        if (w == NULL) {
                passes_ordered(p, a->number, VIGIE_ORDER_COULD_NOT);
                return;
        }
        log_warn("order", "%u: wipe", a->number);
        p->wiped = true;
        shown_end(p);
        if (p->card != NULL)
                card_away(p->card);
        memset(&p->door, 0, sizeof(p->door));
        outbox_close(host->outbox); /* nothing is journaled from here on */
        host->outbox = NULL;
        forget_key(host);
        safe_order_take_wipe(p->safe, a->number, w);
        passes_show(p);
}

int wipe_resume(struct host *host)
{
        char folder[CONFIG_PATH_MAX];
        struct wiping *w = NULL;
        int r;

        passes_folder(&host->config, folder);
        r = wiping_read(&host->config, folder, &w);
        if (r < 0) {
                if (r != -ENOENT && r != -ENOTDIR)
                        log_error("order", "what is left of a wipe cannot be read: %s", strerror(-r));
                return r == -ENOMEM ? r : 0;
        }
        if (host->identity.enrolled && memcmp(w->enrolment, host->identity.enrolment, VIGIE_ENROLMENT_SIZE) != 0) {
                wiping_told(folder); /* enrolled anew: what was before is nobody's */
                free(w);
                return 0;
        }
        if (!w->erased || host->identity.enrolled) {
                log_warn("order", "a wipe was cut short: it goes on");
                forget_key(host);
                r = wiping_do(folder, w, (uint32_t)(clock_utc_ms() / 1000));
                if (r < 0)
                        log_error("order", "wiped, but not all: %s", strerror(-r));
        }
        host->wiped = w;
        if (r < 0)
                w->confirmation_len = 0; /* not to be said */
        return 0;
}

void passes_wipe_told(struct passes *p)
{
        int r = wiping_told(p->folder);

        if (r < 0)
                log_warn("order", "the wipe was told, and will be again after a restart: %s", strerror(-r));
}

/* The confirmation has had its time: the key that TLS still has goes with the links. */
void wipe_links(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct passes *p = timer->user;

        p->host->cut = true;
        for (unsigned i = 0; i < p->host->config.addresses.count + p->host->config.alert_addresses.count; i++)
                if (p->host->links != NULL)
                        link_end(p->host->links, i);
}
