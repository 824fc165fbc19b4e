/* Who is told that an alert is closed whose record this dispatcher never saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/hex.h"
#include "tests/dispatcher/support/model.h"

static void close_it(struct model *model, unsigned dispatcher, const uint8_t id[ALERT_ID_SIZE])
{
        struct command close = model_command(COMMAND_CLOSE, id);

        assert_int_equal(model_order(model, dispatcher, "control", &close), -1);
        assert_non_null(model_tombstone(model, id));
}

/* What SESSION was told last of the press ID; -1 nothing. */
static int told(struct model *model, uint64_t session, const uint8_t id[ALERT_ID_SIZE])
{
        const struct model_session *s = model_session(model, session);

        for (size_t i = s->receipt_count; i-- > 0;)
                if (memcmp(s->receipts[i].alert.octets, id, ALERT_ID_SIZE) == 0)
                        return s->receipts[i].state;
        return -1;
}

/* Pressed at a dispatcher that the store is away for, and at another that has it; closed there.  The phone has come back by a new
 * connection since, where it offers nothing that is received: it hears of the closure all the same. */
static void test_another_session(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t first = model_login(model, 0, 1), elsewhere = model_login(model, 1, 1), second;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_store_of(model, 0, false);
        model_press(model, first, 1, &alert);
        model_press(model, elsewhere, 1, &alert);
        assert_int_equal(model_session(model, elsewhere)->receipt.state, RECEIPT_ASKED);
        close_it(model, 1, id);
        model_close(model, first);
        second = model_login(model, 0, 1);
        assert_int_equal(model_session(model, second)->receipt_count, 0);
        model_store_of(model, 0, true);
        assert_int_equal(model_session(model, second)->receipt_count, 1);
        assert_int_equal(model_session(model, second)->receipt.state, RECEIPT_CLOSED_HELPED);
        assert_memory_equal(model_session(model, second)->receipt.alert.octets, id, ALERT_ID_SIZE);
        model_free(model);
}

/* A drill behind an alert of the same phone: likewise, under its own id; and the alert that goes on is not closed by that. */
static void test_another_press(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert drill = model_alert_default(model, 2), alert = model_alert_default(model, 1);
        uint64_t first = model_login(model, 0, 1), elsewhere = model_login(model, 1, 1), second;
        uint8_t id[ALERT_ID_SIZE], drill_id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, drill_id);
        drill.kind = ALERT_DRILL;
        model_press(model, elsewhere, 1, &drill);
        model_store_of(model, 0, false);
        close_it(model, 1, drill_id);
        model_press(model, first, 1, &drill);
        model_press(model, first, 1, &alert);
        model_close(model, first);
        second = model_login(model, 0, 1);
        model_store_of(model, 0, true);
        assert_int_equal(model_record(model, id).state, ALERT_ASKED);
        assert_int_equal(told(model, second, id), RECEIPT_ASKED);
        assert_int_equal(told(model, second, drill_id), RECEIPT_CLOSED_HELPED);
        model_free(model);
}

/* ALERT's queue is full of what Anna, on SESSION, did. */
static void fill(struct model *model, uint64_t session, const uint8_t alert[ALERT_ID_SIZE])
{
        struct command seen = model_command(COMMAND_SEEN, alert);

        for (unsigned i = 0; i < CORE_QUEUE_MAX; i++) {
                seen.id[0] = (uint8_t)(i + 1);
                seen.id[1] = alert[HANDSET_ID_SIZE];
                (void)model_ask(model, session, &seen);
        }
}

/* A press that waits in an alert which is closed elsewhere goes on, though the alert that it would become part of has no room: it is told, and
 * is an alert of its own. */
static void test_no_room_to_move_on(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2),
                     three = model_alert_default(model, 3);
        uint64_t carrier = model_login(model, 0, 1), elsewhere = model_login(model, 1, 1),
                 anna = model_login(model, 0, 11);
        uint8_t id[ALERT_ID_SIZE], second[ALERT_ID_SIZE], third[ALERT_ID_SIZE];
        uint64_t full;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, second);
        model_alert_id(1, 3, third);
        model_press(model, elsewhere, 1, &one);
        model_store_of(model, 0, false);
        model_press(model, carrier, 1, &two); /* in the first's queue */
        fill(model, anna, id);
        model_press(model, carrier, 1, &three); /* which has no room for this */
        model_pass(model, 20000);               /* people are asked */
        full = model_counters(model, 0)->queue_full;
        fill(model, anna, third);
        assert_true(model_counters(model, 0)->queue_full > full);
        close_it(model, 1, id);
        model_store_of(model, 0, true);
        model_pass(model, 1000);
        assert_true(model_stored(model, second) != NULL || model_record(model, third).alias_count == 1);
        assert_true(receipt_is_received((uint8_t)told(model, carrier, second)));
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

/* A region of two, and an alert with the duress PIN in it. */
struct forced {
        struct model *model;
        uint8_t id[ALERT_ID_SIZE];
        char key[NAME_MAX_OCTETS + 1]; /* of its notice */
        int raised;                    /* its place in the feed, before the PIN */
};

static struct forced forced(void)
{
        struct forced f = { .model = model_region(2, 2), .key = "duress:" };
        struct alert alert = model_alert_default(f.model, 1);
        uint64_t carrier = model_login(f.model, 0, 1);

        model_alert_id(1, 1, f.id);
        hex_encode(f.id, ALERT_ID_SIZE, f.key + strlen(f.key));
        model_press(f.model, carrier, 1, &alert);
        f.raised = (int)f.model->feed_count - 1;
        alert.revision++;
        alert.marks = ALERT_DURESS;
        model_press(f.model, carrier, 1, &alert);
        return f;
}

/* Duress was in the record, and a failover lost that before another dispatcher closed it: it rings in the control room. */
static void test_duress_lost(void **state)
{
        struct forced f = forced();
        struct model *model = f.model;

        assert_int_equal(model_record(model, f.id).marks & RECORD_DURESS, RECORD_DURESS);
        model_store_of(model, 0, false);
        model_kill(model, 1);
        model_lose(model, f.id, f.raised);
        model_start(model, 1);
        close_it(model, 1, f.id);
        assert_null(model_notice(model, f.key));
        model_store_of(model, 0, true);
        assert_non_null(model_notice(model, f.key));
        assert_true(model_notice(model, f.key)->rings);
        model_free(model);
}

/* The same where it was seen closed with that, and is closed again without it: by the store's word at the next look, or by the feed. */
static void duress_lost_and_closed(bool by_feed)
{
        struct forced f = forced();
        struct model *model = f.model;

        close_it(model, 1, f.id);
        if (!by_feed)
                model_store_of(model, 0, false);
        model_kill(model, 1);
        model_lose(model, f.id, f.raised);
        model_start(model, 1); /* its journal has the closure, and no press */
        assert_int_equal(model_record(model, f.id).state, ALERT_CLOSED);
        assert_int_equal(model_record(model, f.id).marks & RECORD_DURESS, 0);
        if (!by_feed)
                model_store_of(model, 0, true);
        assert_non_null(model_notice(model, f.key));
        assert_true(model_notice(model, f.key)->rings);
        model_free(model);
}

static void test_duress_lost_and_closed(void **state)
{
        duress_lost_and_closed(true);
        duress_lost_and_closed(false);
}

/* A press on another phone became part of it, a failover lost that, and it was closed without that by one who did not know: where the
 * press was received it is an alert of its own.  WAS_IN: nothing was lost, and it stays closed. */
static void part_lost(bool was_in)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1), part = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], part_id[ALERT_ID_SIZE];
        struct command close;
        int raised;

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, part_id);
        model_press(model, model_login(model, 1, 1), 1, &alert);
        raised = (int)model->feed_count - 1;
        model_store_of(model, 1, false);
        model_press(model, model_login(model, 0, 1), 1, &part);
        assert_int_equal(model_record(model, id).alias_count, 1);
        model_store_of(model, 0, false);
        if (!was_in)
                model_lose(model, id, raised);
        model_store_of(model, 1, true);
        close = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_order(model, 1, "control", &close), -1);
        assert_int_equal(model_tombstone(model, part_id) != NULL, was_in);
        model_store_of(model, 0, true);
        model_pass(model, 1000);
        assert_int_equal(model_open(model), was_in ? 0 : 1);
        if (!was_in)
                assert_int_equal(model_record(model, part_id).state, ALERT_ASKED);
        for (unsigned d = 0; d < 2; d++)
                assert_int_equal(model_counters(model, d)->waiting, 0);
        model_free(model);
}

/* Both were closed, and all is lost, with the journal of the one that had the first press: the other one rings for its own. */
static void test_part_alone(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1), part = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE], part_id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, part_id);
        model_press(model, model_login(model, 1, 1), 1, &alert);
        model_press(model, model_login(model, 0, 1), 1, &part);
        assert_int_equal(model_record(model, id).alias_count, 1);
        close_it(model, 1, id);
        model_kill(model, 0);
        model_kill(model, 1);
        model_lose(model, id, -1);
        model->tombstone_count = 0;
        model_start(model, 0);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_record(model, part_id).state, ALERT_ASKED);
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

static void test_part_lost(void **state)
{
        part_lost(false);
        part_lost(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_another_session),
                cmocka_unit_test(test_another_press),
                cmocka_unit_test(test_no_room_to_move_on),
                cmocka_unit_test(test_duress_lost),
                cmocka_unit_test(test_duress_lost_and_closed),
                cmocka_unit_test(test_part_lost),
                cmocka_unit_test(test_part_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
