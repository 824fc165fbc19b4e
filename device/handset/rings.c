/* Others' alerts, for a supervisor: what rings here, and what this person does about it.  Nothing asked for counts as
 * done before the region says so: by an answer, or by the record of a later ring. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "device/handset/core.h"

#define NO_ANSWER 255 /* struct vigie_ring, `answer` */

static struct my_ring *ring_find(struct vigie *vigie, const uint8_t id[ALERT_ID_SIZE])
{
        for (int i = 0; i < vigie->ring_count; i++)
                if (memcmp(vigie->ring[i].shown.id, id, ALERT_ID_SIZE) == 0)
                        return &vigie->ring[i];
        return NULL;
}

/* Most urgent first: open before closed, ringing before shown, then as the record says. */
static bool goes_before(const struct my_ring *a, const struct my_ring *b)
{
        bool a_closed = a->shown.state == ALERT_CLOSED, b_closed = b->shown.state == ALERT_CLOSED;

        if (a_closed != b_closed)
                return b_closed;
        if ((a->shown.level > 0) != (b->shown.level > 0))
                return a->shown.level > 0;
        return a->urgency > b->urgency;
}

static void sort(struct vigie *vigie)
{
        for (int i = 1; i < vigie->ring_count; i++) {
                struct my_ring moved = vigie->ring[i];
                int at = i;

                for (; at > 0 && goes_before(&moved, &vigie->ring[at - 1]); at--)
                        vigie->ring[at] = vigie->ring[at - 1];
                vigie->ring[at] = moved;
        }
}

static void ring_remove(struct vigie *vigie, int at)
{
        vigie->ring_count--;
        memmove(&vigie->ring[at], &vigie->ring[at + 1], (vigie->ring_count - at) * sizeof(vigie->ring[0]));
}

/* ---- what the region says ---------------------------------------------------------------------------------------- */

static void shown_fill(struct vigie_ring *s, const struct record *record)
{
        memcpy(s->id, record->id, ALERT_ID_SIZE);
        s->version = record->version;
        s->state = (uint8_t)record->state;
        s->kind = record->kind;
        s->category = record->category;
        s->marks = record->marks;
        s->battery = record->battery;
        s->pressed_at_s = record->pressed_at_s;
        s->raised_at_ms = record->raised_at_ms;
        s->changed_at_ms = record->changed_at_ms;
        s->heard_at_ms = record->heard_at_ms;
        s->has_place = record->has_position;
        s->place.lat_e7 = record->at.lat_e7;
        s->place.lon_e7 = record->at.lon_e7;
        s->place.accuracy_m = record->at.accuracy_m;
        s->place.at_s = record->at.at_s;
        s->reason = record->close_reason;
        my_name_copy(s->carrier_name, sizeof(s->carrier_name), record->carrier_name);
        my_name_copy(s->carrier_number, sizeof(s->carrier_number), record->carrier_number);
        my_name_copy(s->round, sizeof(s->round), record->round);
        my_name_copy(s->zone_name, sizeof(s->zone_name), record->zone_name);
        my_name_copy(s->owner_name, sizeof(s->owner_name), record->owner_name);
        my_name_copy(s->closed_by, sizeof(s->closed_by), record->closed_by_name);
        my_name_copy(s->note, sizeof(s->note), record->note);
}

/* What was asked for is there in the record: no other answer is needed. */
static bool is_done(const struct my_ring *ring)
{
        const struct vigie_ring *s = &ring->shown;

        switch (s->asking) {
        case COMMAND_TAKE:
                return s->mine;
        case COMMAND_RELEASE:
                return !s->mine;
        case COMMAND_JOIN:
                return s->joined;
        case COMMAND_EN_ROUTE:
                return s->mine && s->state == ALERT_EN_ROUTE;
        case COMMAND_ON_SCENE:
                return s->mine && s->state == ALERT_ON_SCENE;
        case COMMAND_CLOSE:
                return s->state == ALERT_CLOSED;
        default:
                return false;
        }
}

static void asking_end(struct my_ring *ring)
{
        ring->shown.asking = 0;
        memset(&ring->command, 0, sizeof(ring->command));
}

static void ring_fill(struct vigie *vigie, struct my_ring *ring, const struct record *record)
{
        const char *me = my_duty_person(vigie);
        int asked = record_asked_find(record, me);

        shown_fill(&ring->shown, record);
        my_name_copy(ring->owner_id, sizeof(ring->owner_id), record->owner_id);
        ring->urgency = record_urgency(record);
        ring->shown.mine = me[0] != 0 && strcmp(record->owner_id, me) == 0;
        ring->shown.joined = asked >= 0 && record->asked[asked].flags & ASKED_JOINED;
        ring->shown.seen |= asked >= 0 && record->asked[asked].seen_at_ms != 0;
        if (is_done(ring))
                asking_end(ring);
        if (ring->shown.state == ALERT_CLOSED)
                asking_end(ring);
}

/* Room for one more: the last of the list gives way unless the new one is less urgent than it. */
static struct my_ring *ring_add(struct vigie *vigie, const struct my_ring *fresh)
{
        if (vigie->ring_count == VIGIE_RINGS_MAX) {
                vigie->rings_more += vigie->rings_more < UINT16_MAX;
                if (!goes_before(fresh, &vigie->ring[VIGIE_RINGS_MAX - 1]))
                        return NULL;
                vigie->ring_count--;
        }
        vigie->ring[vigie->ring_count] = *fresh;
        return &vigie->ring[vigie->ring_count++];
}

/* Of before what is shown; but what a new session says is how it is now: a failover may have lost what was shown, and another
 * dispatcher may have shown what the store has not yet.  Closed is final, of any version. */
static bool is_older(const struct my_ring *ring, const struct record *record)
{
        if (record->version >= ring->shown.version || record->state == ALERT_CLOSED)
                return false;
        return !ring->unconfirmed || ring->shown.state == ALERT_CLOSED;
}

void my_ring_on_ring(struct vigie *vigie, const struct frame *frame)
{
        struct my_ring fresh = { 0 }, *ring;
        struct record record;

        if (vigie->options.role != VIGIE_SUPERVISOR)
                return;
        if (record_decode(frame->u.ring.record.at, frame->u.ring.record.len, &record) < 0) {
                vigie->refused++;
                return;
        }
        ring = ring_find(vigie, record.id);
        if (ring != NULL && is_older(ring, &record))
                return;
        if (ring == NULL) {
                fresh.shown.level = record.state == ALERT_CLOSED ? 0 : frame->u.ring.ring;
                ring_fill(vigie, &fresh, &record);
                ring = ring_add(vigie, &fresh);
        }
        if (ring == NULL)
                return;
        ring_fill(vigie, ring, &record);
        ring->shown.level = record.state == ALERT_CLOSED ? 0 : frame->u.ring.ring;
        ring->heard_mono_ms = vigie->now_mono_ms;
        ring->unconfirmed = false;
        sort(vigie);
}

void my_ring_on_answer(struct vigie *vigie, const struct frame *frame)
{
        struct my_ring *ring = ring_find(vigie, frame->u.answer.alert);

        if (ring == NULL || ring->shown.asking == 0 || ring->request != frame->u.answer.request)
                return;
        ring->shown.refused = frame->u.answer.code == ANSWER_DONE ? 0 : ring->shown.asking;
        ring->shown.answer = frame->u.answer.code;
        my_name_copy(ring->shown.answer_who, sizeof(ring->shown.answer_who), frame->u.answer.who);
        asking_end(ring);
}

void my_ring_on_welcome(struct vigie *vigie)
{
        for (int i = 0; i < vigie->ring_count; i++)
                vigie->ring[i].unconfirmed = true;
        vigie->ring_confirm_mono_ms = vigie->now_mono_ms + MY_RING_CONFIRM_MS;
}

void my_ring_on_dismiss(struct vigie *vigie)
{
        for (int i = vigie->ring_count - 1; i >= 0; i--) {
                vigie->ring[i].shown.refused = vigie->ring[i].shown.answer = 0;
                memset(vigie->ring[i].shown.answer_who, 0, VIGIE_NAME_SIZE);
                if (vigie->ring[i].shown.state == ALERT_CLOSED)
                        ring_remove(vigie, i);
        }
}

/* ---- what the person does ---------------------------------------------------------------------------------------- */

static void command_fill(struct vigie *vigie, struct my_ring *ring, const struct vigie_event *event)
{
        struct command *c = &ring->command;

        memset(c, 0, sizeof(*c));
        memcpy(c->id, vigie->random + 8, EVENT_ID_SIZE);
        c->verb = event->u.supervise.verb;
        memcpy(c->alert, ring->shown.id, ALERT_ID_SIZE);
        memcpy(c->owner_seen, ring->owner_id, sizeof(c->owner_seen));
        if (c->verb != COMMAND_CLOSE)
                return;
        c->reason = event->u.supervise.reason;
        record_set_text(c->note, sizeof(c->note), event->u.supervise.note);
}

int my_ring_on_supervise(struct vigie *vigie, const struct vigie_event *event)
{
        struct my_ring *ring = ring_find(vigie, event->u.supervise.alert);
        uint8_t verb = event->u.supervise.verb;

        if (verb < VIGIE_SEEN || verb > VIGIE_CLOSE ||
            (verb == VIGIE_CLOSE &&
             (event->u.supervise.reason < VIGIE_HELPED || event->u.supervise.reason > VIGIE_OTHER ||
              memchr(event->u.supervise.note, 0, VIGIE_NOTE_SIZE) == NULL)))
                return -EINVAL;
        if (ring == NULL || ring->shown.state == ALERT_CLOSED)
                return 0;
        if (verb == VIGIE_SEEN) {
                if (!ring->want_seen)
                        memcpy(ring->seen_id, vigie->random + 8, EVENT_ID_SIZE);
                ring->want_seen = true;
                return 0;
        }
        command_fill(vigie, ring, event);
        ring->request = ++vigie->requests;
        ring->told_link = 0;
        ring->asked_mono_ms = vigie->now_mono_ms;
        ring->shown.asking = verb;
        ring->shown.refused = ring->shown.answer = 0;
        memset(ring->shown.answer_who, 0, sizeof(ring->shown.answer_who));
        return 0;
}

static void command_send(struct vigie *vigie, uint32_t request, const struct command *command)
{
        struct frame frame = { .type = FRAME_COMMAND };

        frame.u.command.request = request;
        frame.u.command.command = *command;
        my_send_frame(vigie, MY_ORDINARY, &frame);
}

static void seen_send(struct vigie *vigie, struct my_ring *ring)
{
        struct command command = { .verb = COMMAND_SEEN };

        memcpy(command.id, ring->seen_id, EVENT_ID_SIZE);
        memcpy(command.alert, ring->shown.id, ALERT_ID_SIZE);
        command_send(vigie, ++vigie->requests, &command);
        ring->seen_link = vigie->link[MY_ORDINARY].number;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* Said once on each link until the record shows it. */
static bool seen_waits(const struct vigie *vigie, const struct my_ring *ring)
{
        return ring->want_seen && !ring->shown.seen && my_link_ready(vigie) &&
               ring->seen_link != vigie->link[MY_ORDINARY].number;
}

static int64_t tell_due(const struct vigie *vigie, const struct my_ring *ring)
{
        if (ring->shown.asking == 0 || !my_link_ready(vigie))
                return NEVER;
        return ring->told_link == vigie->link[MY_ORDINARY].number ? ring->told_mono_ms + MY_ANSWER_WAIT_MS
                                                                  : ring->asked_mono_ms;
}

static int64_t end_due(const struct vigie *vigie, const struct my_ring *ring)
{
        if (ring->shown.state == ALERT_CLOSED)
                return ring->heard_mono_ms + MY_RING_CLOSED_MS;
        if (ring->unconfirmed && my_link_ready(vigie) && ring->shown.asking == 0 && ring->shown.refused == 0)
                return my_earlier(vigie->ring_confirm_mono_ms, ring->heard_mono_ms + MY_RING_STALE_MS);
        return ring->heard_mono_ms + MY_RING_STALE_MS;
}

static void one_run(struct vigie *vigie, struct my_ring *ring)
{
        if (ring->unconfirmed && my_link_ready(vigie) && vigie->ring_confirm_mono_ms <= vigie->now_mono_ms)
                ring->shown.level = 0; /* it stays for its answer, or until that was read */
        if (ring->shown.asking != 0 && vigie->now_mono_ms - ring->asked_mono_ms >= MY_COMMAND_TERM_MS) {
                ring->shown.refused = ring->shown.asking;
                ring->shown.answer = NO_ANSWER;
                asking_end(ring);
        }
        if (seen_waits(vigie, ring))
                seen_send(vigie, ring);
        if (tell_due(vigie, ring) > vigie->now_mono_ms)
                return;
        command_send(vigie, ring->request, &ring->command);
        ring->told_link = vigie->link[MY_ORDINARY].number;
        ring->told_mono_ms = vigie->now_mono_ms;
}

/* Who has just asked to take an alert stands at the phone: it need not ring on for the same one meanwhile. */
static uint8_t level(const struct vigie *vigie)
{
        uint8_t loudest = 0;

        for (int i = 0; i < vigie->ring_count; i++)
                if (vigie->ring[i].shown.asking == 0 && vigie->ring[i].shown.level > loudest)
                        loudest = vigie->ring[i].shown.level;
        return loudest;
}

void my_ring_run(struct vigie *vigie)
{
        for (int i = vigie->ring_count - 1; i >= 0; i--) {
                if (end_due(vigie, &vigie->ring[i]) <= vigie->now_mono_ms)
                        ring_remove(vigie, i);
                else
                        one_run(vigie, &vigie->ring[i]);
        }
        if (level(vigie) == vigie->ring_level)
                return;
        vigie->ring_level = level(vigie);
        my_act(vigie, VIGIE_DO_RING)->level = vigie->ring_level;
}

int64_t my_ring_due(const struct vigie *vigie)
{
        int64_t at = NEVER;

        for (int i = 0; i < vigie->ring_count; i++) {
                const struct my_ring *ring = &vigie->ring[i];

                at = my_earlier(at, my_earlier(end_due(vigie, ring), tell_due(vigie, ring)));
                if (ring->shown.asking != 0)
                        at = my_earlier(at, ring->asked_mono_ms + MY_COMMAND_TERM_MS);
        }
        return at;
}
