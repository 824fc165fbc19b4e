#include "tests/fleet/phone.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "wire/frame.h"
#include "wire/signing.h"

#define DUTY_S      (8 * 3600)
#define JOURNAL_MAX (4 * 1024 * 1024) /* a phone raises some hundred alerts in a run, 2 KiB each */
#define PATH_SIZE   512

/* A link to an address, from CONNECT until its peer is gone; `current` until the core lets go of it. */
struct phone_link {
        struct phone *phone;
        unsigned address;
        bool current;
        struct peer *peer;
        struct peer_options options;
};

static void phone_event(struct phone *phone, const struct vigie_event *event);

/* ---- what is written down ---------------------------------------------------------------------------------------- */

static void tell(const struct phones *phones, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct phones *phones, const char *format, ...)
{
        char line[256];
        int n = snprintf(line, sizeof(line), "%lld ", (long long)clock_mono_us());
        va_list args;

        va_start(args, format);
        n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
        va_end(args);
        line[n++] = '\n';
        if (write(phones->told_fd, line, (size_t)n) != n) {
                perror("fleet: the list of what was told");
                abort(); /* what is not written down would count as never told */
        }
}

static void away_path(const struct phone *phone, char path[PATH_SIZE])
{
        char id[ALERT_ID_TEXT];

        alert_id_to_text(&phone->alert, id);
        snprintf(path, PATH_SIZE, "%s/away/%s", phone->phones->folder, id);
}

/* ---- the journal: records, each after its length; a torn last one is cut off ------------------------------------- */

static void journal_path(const struct phone *phone, char path[PATH_SIZE])
{
        snprintf(path, PATH_SIZE, "%s/%u.journal", phone->phones->folder, phone->number);
}

static bool journal_append(struct phone *phone, const struct vigie_action *action)
{
        uint8_t buf[2 + VIGIE_RECORD_MAX] = { (uint8_t)(action->len >> 8), (uint8_t)action->len };

        memcpy(buf + 2, action->data, action->len);
        return write(phone->journal_fd, buf, action->len + 2) == (ssize_t)action->len + 2 &&
               (!action->sync || fdatasync(phone->journal_fd) == 0);
}

static int journal_restore(struct phone *phone)
{
        char path[PATH_SIZE], *data = NULL;
        size_t len = 0, at = 0;
        int r;

        journal_path(phone, path);
        r = file_read(path, JOURNAL_MAX, &data, &len);
        if (r < 0 && r != -ENOENT)
                return r;
        while (at + 2 <= len) {
                size_t size = (size_t)(uint8_t)data[at] << 8 | (uint8_t)data[at + 1];

                if (at + 2 + size > len)
                        break;
                vigie_restore(phone->vigie, (uint8_t *)data + at + 2, size);
                at += 2 + size;
        }
        free(data);
        phone->journal_fd = open(path, O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        return phone->journal_fd < 0 || ftruncate(phone->journal_fd, (off_t)at) < 0 ? -errno : 0;
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

static void on_link(struct phone_link *link, bool up)
{
        struct vigie_event event = { .type = VIGIE_ON_LINK, .u.link = { (uint8_t)link->address, up } };

        if (link->current)
                phone_event(link->phone, &event);
}

static void on_opened(void *user)
{
        on_link(user, true);
}

static void on_closed(void *user)
{
        struct phone_link *link = user;

        if (link->current) {
                link->phone->link[link->address] = NULL;
                on_link(link, false);
        }
        free(link);
}

static void let_go(struct phone *phone, unsigned address)
{
        struct phone_link *link = phone->link[address];

        if (link == NULL)
                return;
        link->current = false;
        phone->link[address] = NULL;
        peer_close(link->peer);
}

/* The battery dies at this very instant: nothing more is written, nothing more is sent. */
static void die(struct phone *phone)
{
        char path[PATH_SIZE], id[ALERT_ID_TEXT];
        int fd;

        away_path(phone, path);
        alert_id_to_text(&phone->alert, id);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
                return; /* it lives on, then */
        close(fd);
        tell(phone->phones, "away %s", id);
        phone->on = false;
        loop_timer_cancel(phone->phones->loop, &phone->timer);
        for (unsigned i = 0; i < PHONE_ADDRESSES; i++)
                let_go(phone, i);
        close(phone->journal_fd);
}

/* A receipt, believed only if the region's key signed it.  Every second phone dies with the first word that its alert is received, half
 * of those before they could write that down: from then on nobody but the region knows of that press. */
static void hear(struct phone *phone, struct cbor_span cose)
{
        struct receipt_signed in;
        char id[ALERT_ID_TEXT];

        if (receipt_read(cose, &in, NULL) < 0 || receipt_verify_trusted(&in, phone->phones->trust) != 0 ||
            in.receipt.state == RECEIPT_PROVED)
                return;
        alert_id_to_text(&in.receipt.alert, id);
        tell(phone->phones, "told %s %u %u %u %s", id, in.receipt.version, in.receipt.revision, in.receipt.state,
             in.receipt.who[0] != 0 ? in.receipt.who : "-");
        if (!phone->pressed || !alert_id_equal(&in.receipt.alert, &phone->alert))
                return;
        if (receipt_is_closed(in.receipt.state)) {
                phone->pressed = false;
        } else if (receipt_is_received(in.receipt.state) && !phone->received) {
                phone->received = true;
                if ((phone->alert.octets[ALERT_ID_SIZE - 1] & 3) == 0)
                        die(phone);
        }
}

static void on_message(void *user, const uint8_t *data, size_t len)
{
        struct phone_link *link = user;
        struct phone *phone = link->phone;
        struct vigie_event event = { .type = VIGIE_ON_FRAME, .u.frame = { (uint8_t)link->address, data, len } };
        bool was_received = phone->received;
        struct frame frame;

        if (!link->current)
                return;
        if (frame_decode(data, len, &frame) == 0 && frame.type == FRAME_RECEIPT)
                hear(phone, frame.u.cose.cose);
        phone_event(phone, &event);
        if (phone->on && phone->received && !was_received && (phone->alert.octets[ALERT_ID_SIZE - 1] & 3) == 1)
                die(phone);
}

static void connect_to(struct phone *phone, unsigned address)
{
        struct phones *phones = phone->phones;
        struct phone_link *link = calloc(1, sizeof(*link));
        struct vigie_event event = { .type = VIGIE_ON_LINK, .u.link = { (uint8_t)address, false } };
        uint16_t port = phones->port[address];

        if (address == 0 && phones->via != 0 && phone->number % 2 == 1)
                port = phones->via;
        let_go(phone, address);
        assert(link != NULL);
        *link = (struct phone_link){ phone,
                                     address,
                                     true,
                                     NULL,
                                     { .loop = phones->loop,
                                       .ctx = phones->ctx,
                                       .certificate = phone->member->certificate,
                                       .key = key_pkey(phone->member->key),
                                       .port = port,
                                       .path = "/",
                                       .subprotocol = FRAME_SUBPROTOCOL,
                                       .headers = "",
                                       .user = link,
                                       .opened = on_opened,
                                       .message = on_message,
                                       .closed = on_closed } };
        if (peer_open(&link->options, &link->peer) == 0) {
                phone->link[address] = link;
        } else {
                free(link);
                phone_event(phone, &event);
        }
}

/* ---- the core ---------------------------------------------------------------------------------------------------- */

static void seal(struct phone *phone, const struct vigie_action *action)
{
        struct vigie_event event = { .type = VIGIE_ON_SEALED, .u.sealed.ticket = action->ticket };
        uint8_t random[VIGIE_SEAL_RANDOM_SIZE];
        size_t len = sizeof(phone->sealed);

        if (getrandom(random, sizeof(random), 0) == sizeof(random) &&
            vigie_seal(action, phone->member->handset.octets, random, phone->sealed, &len) == 0) {
                event.u.sealed.data = phone->sealed;
                event.u.sealed.len = len;
        }
        phone_event(phone, &event);
}

static void do_action(struct phone *phone, const struct vigie_action *action)
{
        struct vigie_event event = { 0 };

        switch (action->type) {
        case VIGIE_DO_APPEND:
                event.type = VIGIE_ON_SYNCED;
                event.u.synced.seq = action->seq;
                event.u.synced.ok = journal_append(phone, action);
                phone_event(phone, &event);
                break;
        case VIGIE_DO_SIGN:
                event.type = VIGIE_ON_SIGNED;
                event.u.signature.ticket = action->ticket;
                event.u.signature.ok = vigie_sign(key_pkey(phone->member->key), action->data, action->len,
                                                  event.u.signature.octets) == 0;
                phone_event(phone, &event);
                break;
        case VIGIE_DO_SEAL:
                seal(phone, action);
                break;
        case VIGIE_DO_SEND:
                if (phone->link[action->address] != NULL)
                        peer_send(phone->link[action->address]->peer, action->data, action->len, false);
                break;
        case VIGIE_DO_CONNECT:
                connect_to(phone, action->address);
                break;
        case VIGIE_DO_DISCONNECT:
                let_go(phone, action->address);
                break;
        case VIGIE_DO_TIMER:
                if (action->due_mono_ms == INT64_MAX)
                        loop_timer_cancel(phone->phones->loop, &phone->timer);
                else
                        loop_timer_arm(phone->phones->loop, &phone->timer, action->due_mono_ms);
                break;
        case VIGIE_DO_SHOW:
        case VIGIE_DO_RING:
                phone->shown = true;
                break;
        default:
                break;
        }
}

static void run_one(struct phone *phone, struct vigie_event event)
{
        struct vigie_actions *actions = &phone->phones->actions;

        event.now_ms = clock_utc_ms();
        event.now_mono_ms = clock_mono_ms();
        if (getrandom(event.random, sizeof(event.random), 0) != sizeof(event.random))
                abort();
        vigie_event(phone->vigie, &event, actions);
        if (event.type == VIGIE_ON_PRESS) { /* before anything of it leaves */
                char id[ALERT_ID_TEXT];

                vigie_status(phone->vigie, &phone->phones->status);
                memcpy(phone->alert.octets, phone->phones->status.alert.id, ALERT_ID_SIZE);
                alert_id_to_text(&phone->alert, id);
                tell(phone->phones, "press %s %lld", id, (long long)phone->planned_us);
        }
        for (uint32_t i = 0; i < actions->count && phone->on; i++)
                do_action(phone, &actions->action[i]);
}

static void look_at_rings(struct phone *phone);

/* An event, and those that follow from it, as the host of vigie.h does it. */
static void phone_event(struct phone *phone, const struct vigie_event *event)
{
        if (!phone->on)
                return;
        assert(phone->count < PHONE_PENDING);
        phone->pending[(phone->first + phone->count++) % PHONE_PENDING] = *event;
        if (phone->busy)
                return;
        phone->busy = true;
        while (phone->count > 0 && phone->on) {
                struct vigie_event next = phone->pending[phone->first];

                phone->first = (phone->first + 1) % PHONE_PENDING;
                phone->count--;
                run_one(phone, next);
        }
        phone->busy = false;
        if (phone->on && phone->shown && phone->member->supervisor)
                look_at_rings(phone);
        phone->shown = false;
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        phone_event(timer->user, &(struct vigie_event){ .type = VIGIE_ON_TICK });
}

/* ---- a supervisor: looks, takes every third, and writes down whose it is ------------------------------------------ */

static struct phone_ring *ring_of(struct phone *phone, const uint8_t id[ALERT_ID_SIZE])
{
        struct phone_ring *ring;

        for (unsigned i = 0; i < PHONE_RINGS; i++)
                if (memcmp(phone->rings[i].id, id, ALERT_ID_SIZE) == 0)
                        return &phone->rings[i];
        ring = &phone->rings[phone->next_ring++ % PHONE_RINGS];
        *ring = (struct phone_ring){ 0 };
        memcpy(ring->id, id, ALERT_ID_SIZE);
        return ring;
}

static void supervise(struct phone *phone, const struct vigie_ring *shown, struct phone_ring *ring)
{
        struct vigie_event event = { .type = VIGIE_ON_SUPERVISE };
        struct alert_id id;
        char text[ALERT_ID_TEXT];

        memcpy(id.octets, shown->id, ALERT_ID_SIZE);
        if (shown->version != ring->version || shown->mine != ring->mine) {
                alert_id_to_text(&id, text);
                tell(phone->phones, "ring %s %s %u %u %d", phone->member->person, text, shown->version, shown->state,
                     shown->mine);
                ring->version = shown->version;
                ring->mine = shown->mine;
        }
        if (ring->tried || shown->level == 0 || shown->state >= 4)
                return;
        ring->tried = true;
        memcpy(event.u.supervise.alert, shown->id, ALERT_ID_SIZE);
        event.u.supervise.verb =
                shown->id[ALERT_ID_SIZE - 2] % 3 == 0 ? VIGIE_TAKE : VIGIE_SEEN; /* all who are asked take that one */
        phone_event(phone, &event);
}

static void look_at_rings(struct phone *phone)
{
        struct vigie_status *status = malloc(sizeof(*status));

        assert(status != NULL);
        vigie_status(phone->vigie, status);
        for (unsigned i = 0; i < status->ring_count && phone->on; i++)
                supervise(phone, &status->rings[i], ring_of(phone, status->rings[i].id));
        free(status);
}

/* ---- on, press, dead ---------------------------------------------------------------------------------------------- */

static int init_core(struct phone *phone)
{
        struct vigie_options options = VIGIE_OPTIONS;
        const struct phones *phones = phone->phones;

        options.enrolled = true;
        memcpy(options.handset, phone->member->handset.octets, HANDSET_ID_SIZE);
        options.role = phone->member->supervisor ? VIGIE_SUPERVISOR : VIGIE_CARRIER;
        strcpy(options.person, phone->member->person);
        options.root_alg = key_alg(phones->root);
        options.root_len = (uint8_t)key_public(phones->root, options.root);
        options.trust = phones->trust_list.at;
        options.trust_len = phones->trust_list.len;
        options.verify = vigie_verify;
        options.address_count = phones->port[1] != 0 ? 2 : 1;
        options.address_alert = phones->port[1] != 0 ? 2 : 0;
        strcpy(options.app, "fleet");
        return vigie_init(phone->vigie, &options);
}

/* What it knew before: the alert that is open on it, if there is one; -> it is dead still. */
static bool recall(struct phone *phone)
{
        struct vigie_status *status = &phone->phones->status;
        char path[PATH_SIZE];

        vigie_status(phone->vigie, status);
        memcpy(phone->alert.octets, status->alert.id, ALERT_ID_SIZE);
        phone->pressed = status->alert.word != VIGIE_NOTHING && status->alert.word != VIGIE_CLOSED;
        phone->received = phone->pressed && status->alert.word >= VIGIE_RECEIVED;
        away_path(phone, path);
        return phone->pressed && access(path, F_OK) == 0;
}

static void begin_duty(struct phone *phone)
{
        struct vigie_event event = { .type = VIGIE_ON_DUTY,
                                     .u.duty = { .on = true, .until_s = (uint32_t)time(NULL) + DUTY_S } };

        if (!phone->member->supervisor)
                strcpy(event.u.duty.round, "bellecour-3");
        phone_event(phone, &event);
        event = (struct vigie_event){ .type = VIGIE_ON_FIX };
        event.u.fix.lat_deg = 45.755 + phone->number % 20 * 0.0005;
        event.u.fix.lon_deg = 4.832 + phone->number % 31 * 0.0003;
        event.u.fix.accuracy_m = 12;
        phone_event(phone, &event);
}

int phone_start(struct phone *phone)
{
        int r;

        if (phone->vigie == NULL) {
                wheel_timer_init(&phone->timer, on_timer, phone);
                phone->vigie = malloc(vigie_size());
                if (phone->vigie == NULL)
                        return -ENOMEM;
        }
        phone->first = phone->count = 0;
        memset(phone->rings, 0, sizeof(phone->rings));
        if ((r = init_core(phone)) < 0 || (r = journal_restore(phone)) < 0) {
                fprintf(stderr, "fleet: phone %u: %s\n", phone->number, strerror(-r));
                return r;
        }
        if (recall(phone)) {
                close(phone->journal_fd);
                return 0;
        }
        phone->on = true;
        phone_event(phone, &(struct vigie_event){ .type = VIGIE_ON_START });
        begin_duty(phone);
        return 0;
}

void phone_press(struct phone *phone, int64_t planned_us)
{
        phone->pressed = true;
        phone->received = false;
        phone->planned_us = planned_us;
        phone_event(phone, &(struct vigie_event){ .type = VIGIE_ON_DISMISS });
        phone_event(phone, &(struct vigie_event){ .type = VIGIE_ON_PRESS });
}

bool phone_is_idle(const struct phone *phone)
{
        return phone->on && !phone->pressed && !phone->member->supervisor;
}

void phone_look(struct phone *phone)
{
        char path[PATH_SIZE], id[ALERT_ID_TEXT];

        if (phone->on)
                return;
        away_path(phone, path);
        if (access(path, F_OK) == 0)
                return;
        alert_id_to_text(&phone->alert, id);
        tell(phone->phones, "back %s", id);
        phone_start(phone);
}
