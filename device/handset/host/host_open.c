#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/ready.h"
#include "device/handset/host/battery.h"
#include "device/handset/host/button.h"
#include "device/handset/host/feel.h"
#include "device/handset/host/host.h"
#include "device/handset/host/host_state.h"
#include "device/handset/host/link.h"
#include "device/handset/host/modem.h"
#include "device/handset/host/outbox.h"
#include "device/handset/host/page.h"
#include "device/handset/host/passes.h"
#include "device/handset/host/socket.h"
#include "device/handset/host/wake.h"
#include "device/handset/host/wiping.h"

static int open_core(struct host *host)
{
        struct vigie_options options = VIGIE_OPTIONS;
        int r;

        host->vigie = malloc(vigie_size());
        if (host->vigie == NULL)
                return -ENOMEM;
        identity_options(&host->identity, &host->config, &options);
        if (host->wiped != NULL) {
                options.wiped = host->wiped->confirmation;
                options.wiped_len = host->wiped->confirmation_len;
                options.enrolled &= options.wiped_len > 0; /* by the key that its links have yet */
                host->identity.enrolled = false;
        }
        r = vigie_init(host->vigie, &options);
        if (r < 0)
                log_error(NULL, "options: %s", strerror(-r));
        return r;
}

static int open_outbox(struct host *host)
{
        struct outbox_options options = { .loop = host->loop,
                                          .path = host->config.journal,
                                          .vigie = host->vigie,
                                          .user = host,
                                          .synced = host_on_synced };
        int r = outbox_open(&options, &host->outbox);

        if (r < 0)
                log_error("journal", "%s: %s", host->config.journal,
                          r == -EWOULDBLOCK ? "another daemon has it: that one is the phone" : strerror(-r));
        return r;
}

static void say(int level, const char *line)
{
        log_debug("libwebsockets", "%.*s", (int)strcspn(line, "\n"), line);
}

static int open_lws(struct host *host)
{
        struct lws_context_creation_info info = { 0 };
        void *loops[] = { loop_uv(host->loop) };

        lws_set_log_level(LLL_ERR | LLL_WARN, say);
        info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                       LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
        info.foreign_loops = loops;
        info.port = CONTEXT_PORT_NO_LISTEN;
        info.uid = (uid_t)-1;
        info.gid = (gid_t)-1;
        host->lws = lws_create_context(&info);
        if (host->lws == NULL)
                log_error("libwebsockets", "no context; is its libuv plug-in there?");
        return host->lws != NULL ? 0 : -EIO;
}

/* Without links there is no phone: the page says that it is not enrolled, the log why. */
static int open_links(struct host *host)
{
        struct links_options options = { .loop = host->loop,
                                         .context = host->lws,
                                         .certificate = host->config.certificate,
                                         .key = host->config.key,
                                         .ca = host->config.ca,
                                         .addresses = host->addresses,
                                         .count = host->config.addresses.count +
                                                  host->config.alert_addresses.count,
                                         .user = host,
                                         .state = host_on_link,
                                         .frame = host_on_frame };
        int r;

        if (!host->identity.enrolled)
                return 0;
        for (size_t i = 0; i < host->config.addresses.count; i++)
                host->addresses[i] = host->config.addresses.item[i];
        for (size_t i = 0; i < host->config.alert_addresses.count; i++)
                host->addresses[host->config.addresses.count + i] = host->config.alert_addresses.item[i];
        r = links_open(&options, &host->links);
        if (r < 0 && r != -ENOMEM) {
                log_error("link", "certificate, key or CA cannot be used: taken as not enrolled");
                host->identity.enrolled = false;
        }
        return r == -ENOMEM ? r : 0;
}

static int open_page(struct host *host)
{
        struct page_options options = { host->lws, host, (int)host->config.page_port, host->config.page_path,
                                        &host->config.frame_ancestors };
        int r = page_open(&options, &host->page);

        if (r < 0)
                log_error("page", "127.0.0.1:%d cannot be listened on", (int)host->config.page_port);
        return r;
}

static int open_socket(struct host *host)
{
        int r = socket_open(host->loop, host, host->config.socket, &host->socket);

        if (r < 0)
                log_error("socket", "%s: %s", host->config.socket, strerror(-r));
        return r;
}

static int open_modem(struct host *host)
{
        struct modem_options options = { .loop = host->loop,
                                         .device = host->config.modem_device,
                                         .number = host->config.modem_number,
                                         .baud = host->config.modem_baud,
                                         .user = host,
                                         .state = host_on_modem,
                                         .sms = host_on_sms,
                                         .sent = host_on_sent };
        int r = host->config.modem_device[0] != 0 ? modem_open(&options, &host->modem) : 0;

        if (r < 0)
                log_error("modem", "%s", strerror(-r));
        return r;
}

static int open_body(struct host *host)
{
        struct pin_options pin = { host->loop, host->config.pin, host->config.duress, host, host_on_pin };
        struct gps_options gps = { host->loop, host->config.gps_host, (uint16_t)host->config.gps_port,
                                   host,       host_on_fix,           host_on_moved };
        struct button_options button = { host->loop, host->config.key_device, (unsigned)host->config.key_code, host,
                                         host_on_key };
        int r;

        if ((r = passes_open(host, &host->passes)) < 0 || (r = pin_open(&pin, &host->pin)) < 0 ||
            (r = feel_open(host->loop, host->config.feel_command, &host->feel)) < 0 ||
            (r = wake_open(host->loop, host_on_due, host, &host->wake)) < 0)
                return r;
        if (host->config.gps_host[0] != 0)
                r = gps_start(&gps, &host->gps);
        if (r == 0 && host->config.key_device[0] != 0)
                r = button_start(&button, &host->button);
        return r == 0 ? open_modem(host) : r;
}

int host_open(const struct config *config, int ready_fd, struct host **ret_host)
{
        struct host *host = calloc(1, sizeof(*host));
        int r;

        *ret_host = host;
        if (host == NULL)
                return -ENOMEM;
        host->config = *config;
        wheel_timer_init(&host->battery, host_on_battery, host);
        if ((r = loop_open(&host->loop)) < 0)
                return r;
        identity_read(&host->config, &host->identity);
        if ((r = open_lws(host)) < 0 || (r = open_links(host)) < 0 ||
            (r = wipe_resume(host)) < 0 || (r = open_core(host)) < 0 ||
            (r = open_outbox(host)) < 0 || (r = open_page(host)) < 0 || (r = open_socket(host)) < 0 ||
            (r = open_body(host)) < 0)
                return r;
        host_run_event(host, (struct vigie_event){ .type = VIGIE_ON_START });
        passes_start(host->passes);
        loop_timer_arm(host->loop, &host->battery, clock_mono_ms());
        log_info(NULL, "listening on 127.0.0.1:%d", page_port(host->page));
        return ready_tell(ready_fd, page_port(host->page));
}

int host_run(struct host *host)
{
        return loop_run(host->loop);
}

void host_close(struct host *host)
{
        if (host == NULL)
                return;
        host->closing = true;
        if (host->loop != NULL)
                loop_timer_cancel(host->loop, &host->battery);
        modem_close(host->modem);
        passes_close(host->passes);
        button_stop(host->button);
        gps_stop(host->gps);
        wake_close(host->wake);
        feel_close(host->feel);
        pin_close(host->pin);
        socket_close(host->socket);
        links_close(host->links);
        outbox_close(host->outbox);
        if (host->lws != NULL)
                lws_context_destroy(host->lws);
        loop_close(host->loop);
        if (host->lws != NULL)
                lws_context_destroy(host->lws); /* the second call: the loop has let go of it */
        links_free(host->links);
        page_free(host->page);
        identity_clear(&host->identity);
        free(host->wiped);
        free(host->vigie);
        free(host);
}
