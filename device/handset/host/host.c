#include "device/handset/host/host.h"

#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/ready.h"
#include "device/handset/host/battery.h"
#include "device/handset/host/button.h"
#include "device/handset/host/feel.h"
#include "device/handset/host/gps.h"
#include "device/handset/host/identity.h"
#include "device/handset/host/link.h"
#include "device/handset/host/outbox.h"
#include "device/handset/host/page.h"
#include "device/handset/host/pin.h"
#include "device/handset/host/socket.h"
#include "device/handset/host/view.h"
#include "device/handset/host/wake.h"
#include "device/handset/host/words.h"

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
        struct wheel_timer battery;
        bool busy, show, closing;
        size_t first, count;
        struct pending pending[PENDING_MAX];
        struct vigie_actions actions;
};

/* ---- actions ----------------------------------------------------------------------------------------------------- */

static void follow(struct host *host, const struct vigie_event *event, const void *octets, size_t len)
{
        struct pending *p = &host->pending[(host->first + host->count) % PENDING_MAX];

        assert(host->count < PENDING_MAX && len <= SEALED_MAX);
        host->count++;
        p->event = *event;
        if (len > 0)
                memcpy(p->octets, octets, len);
}

static void do_append(struct host *host, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SYNCED, .u.synced = { .seq = action->seq } };

        if (outbox_append(host->outbox, action) < 0)
                follow(host, &event, NULL, 0);
}

static void do_sign(struct host *host, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SIGNED, .u.signature.ticket = action->ticket };

        event.u.signature.ok =
                vigie_sign(host->identity.pkey, action->data, action->len, event.u.signature.octets) == 0;
        follow(host, &event, NULL, 0);
}

static void do_seal(struct host *host, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SEALED, .u.sealed.ticket = action->ticket };
        uint8_t random[VIGIE_SEAL_RANDOM_SIZE], sealed[SEALED_MAX];
        size_t len = sizeof(sealed);

        if (getrandom(random, sizeof(random), 0) != sizeof(random) ||
            vigie_seal(action, host->identity.handset, random, sealed, &len) < 0)
                len = 0;
        event.u.sealed.len = len;
        follow(host, &event, sealed, len);
}

static void do_action(struct host *host, const struct vigie_action *action)
{
        switch (action->type) {
        case VIGIE_DO_APPEND:
                do_append(host, action);
                break;
        case VIGIE_DO_SIGN:
                do_sign(host, action);
                break;
        case VIGIE_DO_SEAL:
                do_seal(host, action);
                break;
        case VIGIE_DO_SEND:
                link_send(host->links, action->address, action->data, action->len); /* down is told by the link */
                break;
        case VIGIE_DO_CONNECT:
                link_connect(host->links, action->address);
                break;
        case VIGIE_DO_DISCONNECT:
                link_end(host->links, action->address);
                break;
        case VIGIE_DO_TIMER:
                wake_at(host->wake, action->due_mono_ms);
                break;
        case VIGIE_DO_SHOW:
                host->show = true;
                break;
        case VIGIE_DO_VIBRATE:
                page_feel(host->page, view_pattern_name(action->pattern));
                feel_vibrate(host->feel, view_pattern_name(action->pattern));
                break;
        case VIGIE_DO_RING:
                host->show = true;
                feel_ring(host->feel, action->level);
                break;
        default: /* VIGIE_DO_SEND_SMS has its place here */
                break;
        }
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static int run_one(struct host *host, struct vigie_event *event)
{
        int r;

        event->now_ms = clock_utc_ms();
        event->now_mono_ms = clock_boot_ms();
        if (getrandom(event->random, sizeof(event->random), 0) != sizeof(event->random))
                abort(); /* no randomness, no ids: nothing here can be right */
        r = vigie_event(host->vigie, event, &host->actions);
        for (uint32_t i = 0; i < host->actions.count; i++)
                do_action(host, &host->actions.action[i]);
        return r;
}

/* run: an event, and all that follows from it.  Called from within itself (a callback inside an action), the event
 * waits. */
static int run(struct host *host, struct vigie_event event)
{
        int r;

        if (host->closing)
                return -ESHUTDOWN;
        if (host->busy) {
                assert(event.type != VIGIE_ON_FRAME); /* its octets are borrowed; frames come from the loop alone */
                follow(host, &event, NULL, 0);
                return 0;
        }
        host->busy = true;
        r = run_one(host, &event);
        while (host->count > 0) {
                struct pending next = host->pending[host->first];

                host->first = (host->first + 1) % PENDING_MAX;
                host->count--;
                if (next.event.type == VIGIE_ON_SEALED && next.event.u.sealed.len > 0)
                        next.event.u.sealed.data = next.octets;
                run_one(host, &next.event);
        }
        host->busy = false;
        if (host->show)
                page_show(host->page);
        host->show = false;
        outbox_tidy(host->outbox);
        return r;
}

static void on_due(void *user)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_TICK });
}

static void on_battery(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct host *host = timer->user;
        uint8_t percent = battery_read("/sys/class/power_supply");

        if (percent != 255)
                run(host, (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = percent });
        loop_timer_arm(host->loop, timer, now_mono_ms + BATTERY_POLL_MS);
}

static void on_link(void *user, unsigned address, bool up)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_LINK, .u.link = { .address = (uint8_t)address, .up = up } });
}

static void on_frame(void *user, unsigned address, const uint8_t *data, size_t len)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_FRAME, .u.frame = { (uint8_t)address, data, len } });
}

static void on_fix(void *user, const struct gps_place *p)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_FIX,
                                        .u.fix = { p->lat_deg, p->lon_deg, p->accuracy_m, p->at_ms, p->age_ms } });
}

static void on_moved(void *user)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_MOTION, .u.motion.moved = true });
}

static void on_key(void *user)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_KEY });
}

static void on_pin(void *user, enum vigie_pin verdict)
{
        run(user, (struct vigie_event){ .type = VIGIE_ON_PIN, .u.pin = (uint8_t)verdict });
}

static void on_synced(void *user, uint32_t seq, bool ok)
{
        struct host *host = user;

        run(host, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { .seq = seq, .ok = ok } });
        if (host_settled(host))
                socket_settled(host->socket);
}

bool host_settled(const struct host *host)
{
        return outbox_settled(host->outbox);
}

/* ---- what people ask --------------------------------------------------------------------------------------------- */

static json_t *refusal(const char *why)
{
        return json_pack("{s:b, s:s}", "ok", 0, "why", why);
}

static size_t words_of(const json_t *request, const char *words[WORDS_MAX])
{
        const json_t *list = json_object_get(request, "words");
        size_t count = json_array_size(list);

        if (count > WORDS_MAX)
                return 0;
        for (size_t i = 0; i < count; i++) {
                words[i] = json_string_value(json_array_get(list, i));
                if (words[i] == NULL || strlen(words[i]) >= WORD_SIZE_MAX)
                        return 0;
        }
        return count;
}

json_t *host_status(const struct host *host)
{
        struct vigie_status *status = malloc(sizeof(*status));
        json_t *json = NULL;
        unsigned resumed = 0, all = 0;

        if (status == NULL)
                return NULL;
        vigie_status(host->vigie, status);
        json = view_status(status, clock_utc_ms());
        free(status);
        if (host->links != NULL)
                links_resumed(host->links, &resumed, &all);
        json_object_set_new(json, "handshakes", json_integer(all));
        json_object_set_new(json, "resumed", json_integer(resumed));
        return json;
}

static int read_words(const struct host *host, const json_t *request, struct words_request *ret_asked, char *why)
{
        struct vigie_status *status = malloc(sizeof(*status));
        const char *words[WORDS_MAX];
        int r = -ENOMEM;

        if (status != NULL) {
                vigie_status(host->vigie, status);
                r = words_read(&(struct words_context){ status, clock_utc_ms(), why }, words, words_of(request, words),
                               ret_asked);
        }
        free(status);
        return r;
}

/* Done; after a press, with the id of the alert that it raised or is news of, unless that one is silent. */
static json_t *done(const struct host *host, const struct vigie_event *event)
{
        json_t *answer = json_pack("{s:b}", "ok", 1), *status;

        if (event->type != VIGIE_ON_PRESS || event->u.press.how != VIGIE_PRESS_AT_ONCE ||
            event->u.press.press == VIGIE_PRESS_SILENT)
                return answer;
        status = host_status(host);
        json_object_set(answer, "alert", json_object_get(json_object_get(status, "alert"), "id"));
        json_decref(status);
        return answer;
}

json_t *host_ask(struct host *host, const json_t *request)
{
        struct words_request asked;
        char why[WORDS_WHY_SIZE] = "";
        int r = read_words(host, request, &asked, why);

        if (r < 0)
                return refusal(why[0] != 0 ? why : strerror(-r));
        if (asked.kind == WORDS_STATUS)
                return json_pack("{s:b, s:o}", "ok", 1, "status", host_status(host));
        if (asked.kind == WORDS_PIN)
                r = pin_check(host->pin, asked.pin);
        else
                r = run(host, asked.event);
        explicit_bzero(asked.pin, sizeof(asked.pin));
        if (r < 0)
                return refusal(r == -EBUSY ? "a PIN is being checked" : "that is not possible now");
        return done(host, &asked.event);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int open_core(struct host *host)
{
        struct vigie_options options = VIGIE_OPTIONS;
        int r;

        host->vigie = malloc(vigie_size());
        if (host->vigie == NULL)
                return -ENOMEM;
        identity_options(&host->identity, &host->config, &options);
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
                                          .synced = on_synced };
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
                                         .count = host->config.addresses.count,
                                         .user = host,
                                         .state = on_link,
                                         .frame = on_frame };
        int r;

        if (!host->identity.enrolled)
                return 0;
        for (size_t i = 0; i < options.count; i++)
                host->addresses[i] = host->config.addresses.item[i];
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

static int open_body(struct host *host)
{
        struct pin_options pin = { host->loop, host->config.pin, host->config.duress, host, on_pin };
        struct gps_options gps = { host->loop, host->config.gps_host, (uint16_t)host->config.gps_port, host, on_fix,
                                   on_moved };
        struct button_options button = { host->loop, host->config.key_device, (unsigned)host->config.key_code, host,
                                         on_key };
        int r;

        if ((r = pin_open(&pin, &host->pin)) < 0 ||
            (r = feel_open(host->loop, host->config.feel_command, &host->feel)) < 0 ||
            (r = wake_open(host->loop, on_due, host, &host->wake)) < 0)
                return r;
        if (host->config.gps_host[0] != 0)
                r = gps_start(&gps, &host->gps);
        if (r == 0 && host->config.key_device[0] != 0)
                r = button_start(&button, &host->button);
        return r;
}

int host_open(const struct config *config, int ready_fd, struct host **ret_host)
{
        struct host *host = calloc(1, sizeof(*host));
        int r;

        *ret_host = host;
        if (host == NULL)
                return -ENOMEM;
        host->config = *config;
        wheel_timer_init(&host->battery, on_battery, host);
        if ((r = loop_open(&host->loop)) < 0)
                return r;
        identity_read(&host->config, &host->identity);
        if ((r = open_lws(host)) < 0 || (r = open_links(host)) < 0 || (r = open_core(host)) < 0 ||
            (r = open_outbox(host)) < 0 || (r = open_page(host)) < 0 || (r = open_socket(host)) < 0 ||
            (r = open_body(host)) < 0)
                return r;
        run(host, (struct vigie_event){ .type = VIGIE_ON_START });
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
        free(host->vigie);
        free(host);
}
