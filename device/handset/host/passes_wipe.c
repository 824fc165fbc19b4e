#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/feel.h"
#include "device/handset/host/link.h"
#include "device/handset/host/outbox.h"
#include "device/handset/host/passes_state.h"

/* Only what lies in the phone's own folder, where its key is: a file that several phones of one machine share is not its own. */
static bool is_own(const struct passes *p, const char *path)
{
        const char *key = p->host->config.key, *end = strrchr(key, '/');
        size_t len = end != NULL ? (size_t)(end - key + 1) : 0;

        return path[0] != 0 && strncmp(path, key, len) == 0 && strchr(path + len, '/') == NULL;
}

static void name_files(struct passes *p)
{
        static const char *const suffixes[] = { "", ".new", ".torn", ".bad", ".lock" };
        const struct config *c = &p->host->config;
        const char *const others[] = { c->certificate, c->trust, c->ca, c->root, c->file };
        size_t n = 0;

        p->erase_keys[0] = c->key;
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
                snprintf(p->erase_names[i], sizeof(p->erase_names[i]), "%s%s", c->journal, suffixes[i]);
                p->erase_rest[n++] = p->erase_names[i];
        }
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (is_own(p, others[i]))
                        p->erase_rest[n++] = others[i];
}

void wipe_begin(struct passes *p, uint32_t number)
{
        struct host *host = p->host;

        log_warn("order", "%u: wipe", number);
        p->wiped = true;
        shown_end(p);
        if (p->card != NULL)
                card_away(p->card);
        memset(&p->door, 0, sizeof(p->door));
        outbox_close(host->outbox); /* nothing is journaled from here on */
        host->outbox = NULL;
        name_files(p);
        key_free(host->identity.key);
        host->identity.key = NULL;
        host->identity.pkey = NULL;
        safe_order_wipe(p->safe, number, p->erase_keys, p->erase_rest);
        passes_show(p);
}

void wipe_leave_page(struct passes *p)
{
        const struct config *c = &p->host->config;
        char text[4 * CONFIG_PATH_MAX + 128];
        int n = snprintf(text, sizeof(text),
                         "[journal]\npath = %s\n[command]\nsocket = %s\n[page]\nport = %d\npath = %s\n[vault]\npath = %s\n",
                         c->journal, c->socket, (int)c->page_port, c->page_path, p->folder);

        if (is_own(p, c->file) && file_write(c->file, text, (size_t)n, 0600) < 0)
                log_warn("order", "wiped; the page will not come up again after a restart");
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
