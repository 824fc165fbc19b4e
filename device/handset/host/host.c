#include "device/handset/host/host.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/loop.h"
#include "device/handset/host/battery.h"
#include "device/handset/host/feel.h"
#include "device/handset/host/host_state.h"
#include "device/handset/host/link.h"
#include "device/handset/host/modem.h"
#include "device/handset/host/outbox.h"
#include "device/handset/host/page.h"
#include "device/handset/host/passes.h"
#include "device/handset/host/socket.h"
#include "device/handset/host/view.h"
#include "device/handset/host/wake.h"
#include "device/handset/host/words.h"

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

        event.u.synced.ok = host->outbox == NULL; /* wiped: there is nothing to keep any more */
        if (host->outbox == NULL)
                follow(host, &event, NULL, 0);
        else if (outbox_append(host->outbox, action) < 0)
                follow(host, &event, NULL, 0);
}

static void do_sign(struct host *host, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SIGNED, .u.signature.ticket = action->ticket };

        event.u.signature.ok =
                host->identity.pkey != NULL &&
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

static void do_send_sms(struct host *host, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SMS_SENT, .u.sms_sent.ticket = action->ticket };

        if (host->modem == NULL ||
            modem_send(host->modem, action->ticket, (struct cbor_span){ action->data, action->len }) < 0)
                follow(host, &event, NULL, 0);
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
        case VIGIE_DO_SEND: /* down is told by the link */
                if (!host->cut)
                        link_send(host->links, action->address, action->data, action->len);
                break;
        case VIGIE_DO_CONNECT:
                if (!host->cut)
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
        case VIGIE_DO_SEND_SMS:
                do_send_sms(host, action);
                break;
        case VIGIE_DO_BESIDE:
                passes_beside(host->passes, action);
                break;
        case VIGIE_DO_ORDER:
                passes_order(host->passes, action);
                break;
        case VIGIE_DO_FORGET:
                passes_wipe_told(host->passes);
                break;
        case VIGIE_DO_LIST:
                passes_list(host->passes, action);
                break;
        default:
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

int host_run_event(struct host *host, struct vigie_event event)
{
        int r;

        if (host->closing)
                return -ESHUTDOWN;
        if (host->busy) {
                assert(event.type != VIGIE_ON_FRAME &&
                       event.type != VIGIE_ON_SMS); /* borrowed octets: from the loop alone */
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
        if (host->outbox != NULL)
                outbox_tidy(host->outbox);
        return r;
}

void host_on_due(void *user)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_TICK });
}

void host_on_battery(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct host *host = timer->user;
        uint8_t percent = battery_read("/sys/class/power_supply");

        if (percent != 255)
                host_run_event(host, (struct vigie_event){ .type = VIGIE_ON_BATTERY, .u.battery = percent });
        loop_timer_arm(host->loop, timer, now_mono_ms + BATTERY_POLL_MS);
}

void host_on_link(void *user, unsigned address, bool up)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_LINK,
                                                   .u.link = { .address = (uint8_t)address, .up = up } });
}

void host_on_frame(void *user, unsigned address, const uint8_t *data, size_t len)
{
        host_run_event(user,
                       (struct vigie_event){ .type = VIGIE_ON_FRAME, .u.frame = { (uint8_t)address, data, len } });
}

void host_on_fix(void *user, const struct gps_place *p)
{
        host_run_event(user,
                       (struct vigie_event){ .type = VIGIE_ON_FIX,
                                             .u.fix = { p->lat_deg, p->lon_deg, p->accuracy_m, p->at_ms, p->age_ms } });
}

void host_on_moved(void *user)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_MOTION, .u.motion.moved = true });
}

void host_on_key(void *user)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_KEY });
}

void host_on_pin(void *user, enum vigie_pin verdict)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_PIN, .u.pin = (uint8_t)verdict });
}

void host_on_synced(void *user, uint32_t seq, bool ok)
{
        struct host *host = user;

        host_run_event(host, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { .seq = seq, .ok = ok } });
        if (host_settled(host))
                socket_settled(host->socket);
}

void host_on_modem(void *user, enum vigie_modem state)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_MODEM, .u.modem = (uint8_t)state });
}

void host_on_sms(void *user, const uint8_t *data, size_t len)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_SMS, .u.sms = { data, len } });
}

void host_on_sent(void *user, uint32_t ticket, bool ok, uint16_t code)
{
        host_run_event(user, (struct vigie_event){ .type = VIGIE_ON_SMS_SENT, .u.sms_sent = { ticket, ok, code } });
}

bool host_settled(const struct host *host)
{
        return host->outbox == NULL || outbox_settled(host->outbox);
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
        if (host->passes != NULL)
                passes_status(host->passes, status, json);
        free(status);
        if (host->links != NULL)
                links_resumed(host->links, &resumed, &all);
        json_object_set_new(json, "handshakes", json_integer(all));
        json_object_set_new(json, "resumed", json_integer(resumed));
        return json;
}

static int read_words(const struct host *host, const char *const *words, size_t count,
                      struct words_request *ret_asked, char *why)
{
        struct vigie_status *status = malloc(sizeof(*status));
        int r = -ENOMEM;

        if (status != NULL) {
                vigie_status(host->vigie, status);
                r = words_read(&(struct words_context){ status, clock_utc_ms(), why }, words, count, ret_asked);
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

/* "It was a mistake": by the vault's PIN where one was set, else by that of the enrolment. */
static int check_pin(struct host *host, const char *pin, const char **ret_why)
{
        int r = passes_pin(host->passes, pin, ret_why);

        return r == -ENOENT ? pin_check(host->pin, pin) : r;
}

json_t *host_ask(struct host *host, const json_t *request)
{
        struct words_request asked;
        const char *words[WORDS_MAX], *pin_why = "that is not possible now";
        size_t count = words_of(request, words);
        char why[WORDS_WHY_SIZE] = "";
        json_t *answer;
        int r;

        if (passes_ask(host->passes, words, count, &answer))
                return answer;
        r = read_words(host, words, count, &asked, why);
        if (r < 0)
                return refusal(why[0] != 0 ? why : strerror(-r));
        if (asked.kind == WORDS_STATUS)
                return json_pack("{s:b, s:o}", "ok", 1, "status", host_status(host));
        if (asked.kind == WORDS_PIN)
                r = check_pin(host, asked.pin, &pin_why);
        else
                r = host_run_event(host, asked.event);
        explicit_bzero(asked.pin, sizeof(asked.pin));
        if (r < 0)
                return refusal(r == -EBUSY ? "a PIN is being checked" : pin_why);
        return done(host, &asked.event);
}
