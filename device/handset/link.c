/* Which address, and when.  Two lanes: the ordinary one, always wanted; and the alert port, wanted while an alert has
 * had no receipt for a second.  Full-jitter back-off, none while an alert waits. */
#include <string.h>

#include "device/handset/core.h"

#define ATTEMPTS_MAX 16 /* past this the back-off does not grow anyway */

static bool is_port(const struct vigie *vigie, unsigned address)
{
        return vigie->options.address_alert >> address & 1;
}

/* The address of this lane after FROM, in turn; FROM itself if it is the only one; -1 if there is none. */
static int address_next(const struct vigie *vigie, enum my_lane lane, unsigned from)
{
        unsigned count = vigie->options.address_count;

        for (unsigned i = 1; i <= count; i++)
                if (is_port(vigie, (from + i) % count) == (lane == MY_ALERT_PORT))
                        return (int)((from + i) % count);
        return -1;
}

/* Since when the oldest alert waits for its receipt; NEVER if none does. */
static int64_t waiting_since(const struct vigie *vigie)
{
        int64_t since = NEVER;

        for (int i = MY_REAL; i <= MY_DRILL; i++)
                if (vigie->alert[i].state == MY_OPEN && !vigie->alert[i].received)
                        since = my_earlier(since, vigie->alert[i].raised_mono_ms);
        return since;
}

static int64_t port_due(const struct vigie *vigie)
{
        int64_t since = waiting_since(vigie);

        if (since == NEVER || address_next(vigie, MY_ALERT_PORT, 0) < 0)
                return NEVER;
        return since + VIGIE_ALERT_PORT_MS;
}

static bool is_wanted(const struct vigie *vigie, enum my_lane lane)
{
        if (!vigie->started || !vigie->options.enrolled || vigie->options.address_count == 0)
                return false;
        return lane == MY_ORDINARY ? address_next(vigie, lane, 0) >= 0 : port_due(vigie) <= vigie->now_mono_ms;
}

/* When an idle lane tries again. */
static int64_t try_due(const struct vigie *vigie, enum my_lane lane)
{
        const struct my_link *l = &vigie->link[lane];

        if (my_alert_waits(vigie))
                return my_earlier(l->due_mono_ms, l->tried_mono_ms + VIGIE_RECONNECT_ALERT_MS);
        if (my_alert_open(vigie) != MY_TOUCH)
                return my_earlier(l->due_mono_ms, l->tried_mono_ms + MY_BACKOFF_OPEN_MS);
        return l->due_mono_ms;
}

static int64_t connect_wait_ms(const struct vigie *vigie, enum my_lane lane)
{
        unsigned address = vigie->link[lane].address;
        bool other = address_next(vigie, lane, address) != (int)address;

        return other && my_alert_waits(vigie) ? MY_CONNECT_ALERT_MS : MY_CONNECT_WAIT_MS;
}

static void set_state(struct vigie *vigie, enum my_lane lane, enum my_link_state state)
{
        struct my_link *l = &vigie->link[lane];

        l->state = state;
        l->hello = l->welcome = false;
        l->since_mono_ms = vigie->now_mono_ms;
        l->since_ms = vigie->now_ms;
        if (lane == MY_ORDINARY && (state == MY_UP || vigie->down_mono_ms == NEVER))
                vigie->down_mono_ms = state == MY_UP ? NEVER : vigie->now_mono_ms;
}

static void failed(struct vigie *vigie, enum my_lane lane)
{
        struct my_link *l = &vigie->link[lane];
        int64_t span = my_earlier((int64_t)MY_BACKOFF_MS << l->attempts, VIGIE_RECONNECT_MAX_MS);

        set_state(vigie, lane, MY_IDLE);
        l->attempts += l->attempts < ATTEMPTS_MAX;
        l->due_mono_ms = vigie->now_mono_ms + my_jitter(vigie, span + 1);
        l->address = (uint8_t)address_next(vigie, lane, l->address);
}

static void drop(struct vigie *vigie, enum my_lane lane)
{
        my_act(vigie, VIGIE_DO_DISCONNECT)->address = vigie->link[lane].address;
        failed(vigie, lane);
}

static void connect_now(struct vigie *vigie, enum my_lane lane)
{
        struct my_link *l = &vigie->link[lane];

        set_state(vigie, lane, MY_CONNECTING);
        l->tried_mono_ms = vigie->now_mono_ms;
        my_act(vigie, VIGIE_DO_CONNECT)->address = l->address;
}

void my_link_hello(struct vigie *vigie)
{
        struct frame frame = { .type = FRAME_HELLO };

        if (vigie->link[MY_ORDINARY].state != MY_UP || vigie->link[MY_ORDINARY].hello)
                return;
        frame.u.hello.version = FRAME_VERSION;
        frame.u.hello.trust_number = vigie->trusted ? vigie->trust.number : 0;
        frame.u.hello.role = vigie->options.role;
        memcpy(frame.u.hello.app, vigie->options.app, sizeof(frame.u.hello.app));
        my_send_frame(vigie, MY_ORDINARY, &frame);
        vigie->link[MY_ORDINARY].hello = true;
}

void my_link_start(struct vigie *vigie)
{
        for (int lane = 0; lane < MY_LANES; lane++) {
                struct my_link *l = &vigie->link[lane];
                int first = address_next(vigie, lane, vigie->options.address_count - 1u);

                l->address = (uint8_t)(first < 0 ? 0 : first);
                l->tried_mono_ms = INT64_MIN / 2;
                l->due_mono_ms = vigie->now_mono_ms;
        }
        vigie->down_mono_ms = vigie->now_mono_ms;
}

static struct my_link *link_find(struct vigie *vigie, uint8_t address)
{
        struct my_link *l = &vigie->link[is_port(vigie, address) ? MY_ALERT_PORT : MY_ORDINARY];

        return l->address == address && l->state != MY_IDLE ? l : NULL;
}

void my_link_on_link(struct vigie *vigie, uint8_t address, bool up)
{
        struct my_link *l = link_find(vigie, address);

        if (l == NULL)
                return;
        if (!up) {
                failed(vigie, l - vigie->link);
        } else if (l->state == MY_CONNECTING) {
                set_state(vigie, l - vigie->link, MY_UP);
                l->number++;
        }
}

void my_link_heard(struct vigie *vigie, uint8_t address)
{
        struct my_link *l = link_find(vigie, address);

        if (l != NULL)
                l->attempts = 0;
}

void my_link_on_welcome(struct vigie *vigie, const struct frame *frame)
{
        if (vigie->link[MY_ORDINARY].state != MY_UP)
                return;
        vigie->link[MY_ORDINARY].welcome = true;
        vigie->not_known = false;
        my_name_copy(vigie->region, sizeof(vigie->region), frame->u.welcome.region);
        my_name_copy(vigie->name, sizeof(vigie->name), frame->u.welcome.name);
}

void my_link_on_refused(struct vigie *vigie, uint8_t address)
{
        const struct my_link *l = link_find(vigie, address);

        if (l == &vigie->link[MY_ORDINARY] && l->hello && !l->welcome)
                vigie->not_known = true;
}

bool my_link_ready(const struct vigie *vigie)
{
        return vigie->link[MY_ORDINARY].state == MY_UP && vigie->link[MY_ORDINARY].welcome;
}

/* When a link that stands without a welcome says that the region does not know us. */
static int64_t welcome_due(const struct vigie *vigie)
{
        const struct my_link *l = &vigie->link[MY_ORDINARY];

        return l->state != MY_UP || l->welcome || vigie->not_known ? NEVER : l->since_mono_ms + VIGIE_WELCOME_WAIT_MS;
}

/* One that is not welcomed is tried anew now and then: the certificate may be another, or the region know us by now.
 * Not while an alert is open: it carries that. */
static int64_t anew_due(const struct vigie *vigie, enum my_lane lane)
{
        const struct my_link *l = &vigie->link[lane];

        if (lane != MY_ORDINARY || l->welcome || my_alert_open(vigie) != MY_TOUCH)
                return NEVER;
        return l->since_mono_ms + VIGIE_RECONNECT_MAX_MS;
}

bool my_link_is_down(const struct vigie *vigie)
{
        const struct my_link *l = &vigie->link[MY_ORDINARY];

        if (l->state == MY_UP || vigie->link[MY_ALERT_PORT].state == MY_UP)
                return false;
        return l->attempts > 0 || address_next(vigie, MY_ORDINARY, 0) < 0;
}

static int64_t drop_due(const struct vigie *vigie, enum my_lane lane)
{
        int64_t since;

        if (vigie->link[lane].state == MY_CONNECTING)
                return vigie->link[lane].since_mono_ms + connect_wait_ms(vigie, lane);
        since = my_send_unanswered(vigie, lane);
        return my_earlier(since == NEVER ? NEVER : since + VIGIE_RECEIPT_WAIT_MS, anew_due(vigie, lane));
}

void my_link_run(struct vigie *vigie)
{
        for (int lane = 0; lane < MY_LANES; lane++) {
                struct my_link *l = &vigie->link[lane];

                if (!is_wanted(vigie, lane)) {
                        if (l->state != MY_IDLE)
                                drop(vigie, lane);
                        continue;
                }
                if (l->state != MY_IDLE && drop_due(vigie, lane) <= vigie->now_mono_ms)
                        drop(vigie, lane);
                if (l->state == MY_IDLE && try_due(vigie, lane) <= vigie->now_mono_ms)
                        connect_now(vigie, lane);
        }
        if (welcome_due(vigie) <= vigie->now_mono_ms)
                vigie->not_known = true;
        vigie->no_path = vigie->started && vigie->down_mono_ms != NEVER &&
                         my_sms_path_due(vigie) > vigie->now_mono_ms && vigie->link[MY_ALERT_PORT].state != MY_UP &&
                         vigie->now_mono_ms - vigie->down_mono_ms >= VIGIE_NO_PATH_MS;
}

int64_t my_link_due(const struct vigie *vigie)
{
        int64_t at = NEVER;

        if (!vigie->started)
                return NEVER;
        if (vigie->down_mono_ms != NEVER && vigie->down_mono_ms + VIGIE_NO_PATH_MS > vigie->now_mono_ms)
                at = vigie->down_mono_ms + VIGIE_NO_PATH_MS;
        at = my_earlier(at, welcome_due(vigie));
        if (vigie->down_mono_ms != NEVER && my_sms_path_due(vigie) > vigie->now_mono_ms)
                at = my_earlier(at, my_sms_path_due(vigie));
        for (int lane = 0; lane < MY_LANES; lane++) {
                if (is_wanted(vigie, lane))
                        at = my_earlier(at, vigie->link[lane].state == MY_IDLE ? try_due(vigie, lane)
                                                                               : drop_due(vigie, lane));
                else if (lane == MY_ALERT_PORT && vigie->options.enrolled)
                        at = my_earlier(at, port_due(vigie));
        }
        return at;
}
