#include <errno.h>

#include "tests/device/handset/phone.h"
#include "wire/record.h"

static struct phone *supervisor(void)
{
        struct phone *p = phone_new();

        p->options.role = VIGIE_SUPERVISOR;
        phone_start(p);
        return p;
}

static struct record record_of(uint8_t id, uint32_t version, enum alert_state state)
{
        struct record r = { .version = version, .state = state, .pressed_at_s = 1000 + id, .battery = 40 };

        r.id[0] = id;
        r.has_position = true;
        r.at = (struct track_point){ .at_s = 999, .lat_e7 = 457600000, .lon_e7 = 48300000, .accuracy_m = 7 };
        strcpy(r.carrier_name, "Léa <b>");
        strcpy(r.carrier_number, "+33612345678");
        r.asked_count = 1;
        strcpy(r.asked[0].id, "zoe");
        if (state != ALERT_CLOSED)
                r.due_ms = 1;
        if (state == ALERT_TAKEN || state == ALERT_EN_ROUTE || state == ALERT_ON_SCENE)
                strcpy(r.owner_id, "zoe");
        return r;
}

static void ring(struct phone *p, const struct record *record, uint8_t level)
{
        uint8_t octets[RECORD_MAX];
        int len = record_encode(record, octets, sizeof(octets));
        struct frame frame = { .type = FRAME_RING };

        assert_true(len > 0);
        frame.u.ring.record = (struct cbor_span){ octets, (size_t)len };
        frame.u.ring.ring = level;
        phone_frame(p, &frame);
}

static int ask(struct phone *p, uint8_t verb, uint8_t id)
{
        struct vigie_event e = { .type = VIGIE_ON_SUPERVISE, .u.supervise = { .verb = verb, .reason = VIGIE_HELPED } };

        e.u.supervise.alert[0] = id;
        strcpy(e.u.supervise.note, "tombé à vélo");
        return phone_event(p, e);
}

static void answer(struct phone *p, uint32_t request, uint8_t code, uint8_t id)
{
        struct frame frame = { .type = FRAME_ANSWER, .u.answer = { .request = request, .code = code, .who = "Bob" } };

        frame.u.answer.alert[0] = id;
        phone_frame(p, &frame);
}

/* It rings, shows who, where and how far; taken it rings no more; closed it goes. */
static void rings_and_is_taken(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED);
        const struct vigie_ring *shown = &p->status.rings[0];
        struct frame frame;

        ring(p, &r, RING_RING);
        assert_int_equal(p->status.ring, 1);
        assert_int_equal(phone_did(p, VIGIE_DO_RING, 0)->action.level, 1);
        assert_int_equal(p->status.ring_count, 1);
        assert_string_equal(shown->carrier_name, "Léa <b>");
        assert_int_equal(shown->distance_m, UINT32_MAX);
        phone_fix(p, 45.77, 4.83, 5);
        assert_in_range(shown->distance_m, 1105, 1119);
        ask(p, VIGIE_TAKE, 1);
        assert_int_equal(shown->asking, VIGIE_TAKE);
        assert_false(shown->mine);
        assert_int_equal(shown->state, ALERT_ASKED); /* nothing is done before the region says so */
        assert_int_equal(p->status.ring, 0);
        assert_non_null(phone_sent(p, FRAME_COMMAND, 0, &frame));
        assert_int_equal(frame.u.command.command.verb, COMMAND_TAKE);
        assert_int_equal(frame.u.command.command.alert[0], 1);
        assert_int_equal(frame.u.command.command.owner_seen[0], 0);
        r = record_of(1, 2, ALERT_TAKEN);
        ring(p, &r, RING_SHOW);
        assert_true(shown->mine);
        assert_int_equal(shown->asking, 0);
        ask(p, VIGIE_ON_MY_WAY, 1);
        r = record_of(1, 3, ALERT_EN_ROUTE);
        ring(p, &r, RING_SHOW);
        assert_int_equal(shown->asking, 0);
        ask(p, VIGIE_WITH_THEM, 1);
        answer(p, p->vigie == NULL ? 0 : 3, ANSWER_DONE, 1);
        assert_int_equal(shown->asking, 0);
        assert_int_equal(shown->refused, 0);
        ask(p, VIGIE_CLOSE, 1);
        phone_sent(p, FRAME_COMMAND, 3, &frame);
        assert_int_equal(frame.u.command.command.reason, CLOSE_HELPED);
        assert_string_equal(frame.u.command.command.note, "tombé à vélo");
        assert_string_equal(frame.u.command.command.owner_seen, "zoe");
        r = record_of(1, 5, ALERT_CLOSED);
        r.close_reason = CLOSE_HELPED;
        strcpy(r.closed_by_name, "Zoe");
        ring(p, &r, RING_RING); /* whatever it says: closed does not ring */
        assert_int_equal(p->status.ring, 0);
        assert_int_equal(shown->asking, 0);
        assert_string_equal(shown->closed_by, "Zoe");
        phone_run(p, 600000);
        assert_int_equal(p->status.ring_count, 0);
        phone_free(p);
}

static void refused_rings_on(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED);
        struct frame frame;

        ring(p, &r, RING_LOUDEST);
        ask(p, VIGIE_TAKE, 1);
        phone_sent(p, FRAME_COMMAND, 0, &frame);
        answer(p, frame.u.command.request + 9, ANSWER_DONE, 1); /* of something else */
        assert_int_equal(p->status.rings[0].asking, VIGIE_TAKE);
        answer(p, frame.u.command.request, ANSWER_TAKEN_BY_OTHER, 1);
        assert_int_equal(p->status.rings[0].asking, 0);
        assert_int_equal(p->status.rings[0].refused, VIGIE_TAKE);
        assert_int_equal(p->status.rings[0].answer, ANSWER_TAKEN_BY_OTHER);
        assert_string_equal(p->status.rings[0].answer_who, "Bob");
        assert_int_equal(p->status.ring, 2);
        phone_just(p, VIGIE_ON_DISMISS);
        assert_int_equal(p->status.rings[0].refused, 0);
        assert_int_equal(p->status.ring_count, 1);
        phone_free(p);
}

/* The same command again each 3 s and on a new link; after 30 s it is given up and said so. */
static void no_answer(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED);
        struct frame one, two;

        ring(p, &r, RING_RING);
        phone_network(p, false);
        phone_mark(p);
        ask(p, VIGIE_TAKE, 1);
        assert_int_equal(phone_sent_count(p, FRAME_COMMAND), 0);
        p->network = true;
        phone_run(p, 29999);
        assert_in_range(phone_sent_count(p, FRAME_COMMAND), 8, 10);
        phone_sent(p, FRAME_COMMAND, 0, &one);
        phone_sent(p, FRAME_COMMAND, 5, &two);
        assert_memory_equal(one.u.command.command.id, two.u.command.command.id, EVENT_ID_SIZE);
        assert_int_equal(one.u.command.request, two.u.command.request);
        assert_int_equal(p->status.rings[0].asking, VIGIE_TAKE);
        phone_run(p, 1);
        assert_int_equal(p->status.rings[0].asking, 0);
        assert_int_equal(p->status.rings[0].refused, VIGIE_TAKE);
        assert_int_equal(p->status.rings[0].answer, 255);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_sent_count(p, FRAME_COMMAND), 0);
        phone_free(p);
}

static void seen_is_said_once(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED);
        struct frame frame;

        ring(p, &r, RING_RING);
        phone_network(p, false);
        ask(p, VIGIE_SEEN, 1);
        ask(p, VIGIE_SEEN, 1);
        phone_mark(p);
        p->network = true;
        phone_run(p, 130000);
        assert_int_equal(phone_sent_count(p, FRAME_COMMAND), 1);
        phone_sent(p, FRAME_COMMAND, 0, &frame);
        assert_int_equal(frame.u.command.command.verb, COMMAND_SEEN);
        assert_false(p->status.rings[0].seen);
        r.version = 2;
        r.asked[0].seen_at_ms = 5;
        ring(p, &r, RING_RING);
        assert_true(p->status.rings[0].seen);
        phone_network(p, false);
        p->network = true;
        phone_run(p, 130000);
        assert_int_equal(phone_sent_count(p, FRAME_COMMAND), 1);
        phone_free(p);
}

static void older_versions_change_nothing(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 5, ALERT_TAKEN);

        ring(p, &r, RING_SHOW);
        r = record_of(1, 4, ALERT_ASKED);
        ring(p, &r, RING_RING);
        assert_int_equal(p->status.rings[0].state, ALERT_TAKEN);
        assert_int_equal(p->status.ring, 0);
        r = record_of(1, 5, ALERT_TAKEN); /* the same version again, to ring for no news */
        ring(p, &r, RING_RING);
        assert_int_equal(p->status.ring, 1);
        phone_free(p);
}

/* Shown by a dispatcher that had more of it than the store, and closed there. */
static void closed_is_of_any_version(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 5, ALERT_ASKED);

        ring(p, &r, RING_RING);
        assert_int_equal(p->status.ring, 1);
        r = record_of(1, 4, ALERT_CLOSED);
        ring(p, &r, 0);
        assert_int_equal(p->status.rings[0].state, ALERT_CLOSED);
        assert_int_equal(p->status.ring, 0);
        r = record_of(1, 3, ALERT_ASKED);
        ring(p, &r, RING_RING);
        assert_int_equal(p->status.rings[0].state, ALERT_CLOSED);
        phone_free(p);
}

/* What was shown may be of a failover's lost part, or of a dispatcher whose store is away: a new session says how it is. */
static void a_new_session_says_how_it_is(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 5, ALERT_SEEN), closed = record_of(2, 5, ALERT_CLOSED);

        ring(p, &r, RING_RING);
        ring(p, &closed, 0);
        phone_network(p, false);
        phone_mark(p);
        p->network = true;
        while (phone_sent_count(p, FRAME_HELLO) == 0)
                phone_run(p, 100);
        phone_run(p, 1000);
        r = record_of(1, 3, ALERT_TAKEN);
        ring(p, &r, RING_SHOW);
        closed = record_of(2, 4, ALERT_ASKED);
        ring(p, &closed, RING_RING);
        assert_int_equal(p->status.ring_count, 2);
        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(p->status.rings[i].state, p->status.rings[i].id[0] == 1 ? ALERT_TAKEN : ALERT_CLOSED);
        r = record_of(1, 2, ALERT_ASKED); /* and from then on no older one */
        ring(p, &r, RING_RING);
        assert_int_equal(p->status.rings[0].state, ALERT_TAKEN);
        phone_free(p);
}

/* Seventeen at once: the least urgent is let go and counted; a closed one gives way first. */
static void bounded(void **state)
{
        struct phone *p = supervisor();
        struct record r;

        for (uint8_t i = 1; i <= 16; i++) {
                r = record_of(i, 1, ALERT_ASKED);
                ring(p, &r, i == 5 ? RING_SHOW : RING_RING);
        }
        assert_int_equal(p->status.ring_count, 16);
        assert_int_equal(p->status.rings[0].id[0], 1); /* the oldest press */
        assert_int_equal(p->status.rings[15].id[0], 5);
        r = record_of(17, 1, ALERT_ASKED);
        ring(p, &r, RING_RING);
        assert_int_equal(p->status.ring_count, 16);
        assert_int_equal(p->status.rings_more, 1);
        assert_int_equal(p->status.rings[15].id[0], 17);
        r = record_of(18, 1, ALERT_ASKED);
        ring(p, &r, RING_SHOW);
        assert_int_equal(p->status.rings_more, 2);
        assert_int_equal(p->status.rings[15].id[0], 17);
        r = record_of(2, 2, ALERT_CLOSED);
        ring(p, &r, RING_SHOW);
        assert_int_equal(p->status.rings[15].id[0], 2);
        r = record_of(18, 1, ALERT_ASKED);
        ring(p, &r, RING_SHOW);
        assert_int_equal(p->status.rings[15].id[0], 18);
        phone_free(p);
}

static void most_urgent_first(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED);

        r.marks = RECORD_DRILL;
        ring(p, &r, RING_RING);
        r = record_of(2, 1, ALERT_ASKED);
        ring(p, &r, RING_RING);
        r = record_of(3, 1, ALERT_ASKED);
        r.marks = RECORD_DURESS;
        ring(p, &r, RING_LOUDEST);
        assert_int_equal(p->status.rings[0].id[0], 3);
        assert_int_equal(p->status.rings[1].id[0], 2);
        assert_int_equal(p->status.rings[2].id[0], 1);
        assert_int_equal(p->status.ring, 2);
        phone_free(p);
}

/* After a new link the region names again what still asks for this person; what it does not name goes. */
static void unconfirmed_goes(void **state)
{
        struct phone *p = supervisor();
        struct record r = record_of(1, 1, ALERT_ASKED), s = record_of(2, 1, ALERT_ASKED);

        ring(p, &r, RING_LOUDEST);
        ring(p, &s, RING_RING);
        phone_network(p, false);
        assert_int_equal(p->status.ring, 2);
        p->network = true;
        while (p->status.link != VIGIE_LINK_WELCOME)
                phone_run(p, 100);
        ring(p, &s, RING_RING);
        phone_run(p, 9000);
        assert_int_equal(p->status.ring, 2);
        phone_network(p, false); /* again, before the time was over: it begins anew */
        phone_run(p, 60000);
        assert_int_equal(p->status.ring_count, 2);
        p->network = true;
        while (p->status.link != VIGIE_LINK_WELCOME)
                phone_run(p, 100);
        ring(p, &s, RING_RING);
        phone_run(p, 10000);
        assert_int_equal(p->status.ring, 1);
        assert_int_equal(p->status.ring_count, 1);
        phone_run(p, 7200000); /* nor is it kept for ever without a word */
        assert_int_equal(p->status.ring_count, 0);
        phone_free(p);
}

static void out_of_range(void **state)
{
        struct phone *p = supervisor(), *carrier = phone_started();
        struct record r = record_of(1, 1, ALERT_ASKED);
        struct frame junk = { .type = FRAME_RING, .u.ring = { { (const uint8_t *)"\xa0", 1 }, 1 } };
        struct vigie_event e = { .type = VIGIE_ON_SUPERVISE, .u.supervise = { .verb = VIGIE_CLOSE, .reason = 15 } };

        ring(p, &r, RING_SHOW);
        assert_int_equal(ask(p, 0, 1), -EINVAL);
        assert_int_equal(ask(p, VIGIE_CLOSE + 1, 1), -EINVAL);
        assert_int_equal(phone_event(p, e), -EINVAL);
        e.u.supervise.reason = VIGIE_OTHER;
        memset(e.u.supervise.note, 'x', sizeof(e.u.supervise.note));
        assert_int_equal(phone_event(p, e), -EINVAL);
        assert_int_equal(ask(p, VIGIE_TAKE, 99), 0); /* an alert that is not here */
        phone_frame(p, &junk);
        assert_int_equal(p->status.refused, 1);
        ring(carrier, &r, RING_RING); /* a carrier's phone never rings for others */
        assert_int_equal(carrier->status.ring_count, 0);
        phone_free(p);
        phone_free(carrier);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rings_and_is_taken),
                cmocka_unit_test(refused_rings_on),
                cmocka_unit_test(no_answer),
                cmocka_unit_test(seen_is_said_once),
                cmocka_unit_test(older_versions_change_nothing),
                cmocka_unit_test(closed_is_of_any_version),
                cmocka_unit_test(a_new_session_says_how_it_is),
                cmocka_unit_test(bounded),
                cmocka_unit_test(most_urgent_first),
                cmocka_unit_test(unconfirmed_goes),
                cmocka_unit_test(out_of_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
