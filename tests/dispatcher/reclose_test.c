/* Closed stays closed, also where a failover lost the whole of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

struct scene {
        struct model *model;
        uint8_t id[ALERT_ID_SIZE];
        struct alert alert;
        uint64_t carrier;
};

static struct scene raised_one(unsigned dispatchers)
{
        struct scene s = { .model = model_region(dispatchers, 2) };

        s.alert = model_alert_default(s.model, 1);
        model_alert_id(1, 1, s.id);
        s.carrier = model_login(s.model, 0, 1);
        model_press(s.model, s.carrier, 1, &s.alert);
        return s;
}

/* Raised, and closed by the control room. */
static struct scene scene(unsigned dispatchers)
{
        struct scene s = raised_one(dispatchers);
        struct command close;

        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        assert_non_null(model_tombstone(s.model, s.id));
        return s;
}

static void lose_all(struct scene *s)
{
        model_store(s->model, false);
        model_lose(s->model, s->id, -1);
}

static void assert_closed(struct scene *s, unsigned dispatchers)
{
        struct record record = model_record(s->model, s->id);

        assert_int_equal(record.state, ALERT_CLOSED);
        assert_int_equal(record.close_reason, CLOSE_HELPED);
        assert_non_null(model_tombstone(s->model, s->id));
        assert_int_equal(model_open(s->model), 0);
        for (unsigned d = 0; d < dispatchers; d++) {
                assert_int_equal(model_counters(s->model, d)->open_alerts, 0);
                assert_int_equal(model_counters(s->model, d)->waiting, 0);
        }
}

static void test_lost_whole(void **state)
{
        for (unsigned dispatchers = 1; dispatchers <= 2; dispatchers++) {
                struct scene s = scene(dispatchers);
                struct record before = model_record(s.model, s.id), after;
                uint8_t hash[RECORD_HASH_SIZE];

                s.model->options.hash(NULL,
                                      (struct cbor_span){ model_stored(s.model, s.id)->record.at,
                                                          model_stored(s.model, s.id)->record.len },
                                      hash);
                lose_all(&s);
                model_pass(s.model, 10 * CORE_CLOSED_KEPT_MS); /* however long it is away */
                model_store(s.model, true);
                assert_closed(&s, dispatchers);
                after = model_record(s.model, s.id);
                assert_true(after.version > before.version);
                assert_int_equal(after.closed_at_ms, before.closed_at_ms);
                assert_string_equal(after.closed_by_id, before.closed_by_id);
                assert_int_equal(after.asked_count, before.asked_count);
                assert_memory_equal(after.before, hash, RECORD_HASH_SIZE);
                model_free(s.model);
        }
}

/* Who closed it is dead; the one that saw it in the feed knows. */
static void test_seen_by_another(void **state)
{
        struct scene s = scene(2);

        model_kill(s.model, 0);
        lose_all(&s);
        model_store(s.model, true);
        assert_closed(&s, 0);
        model_free(s.model);
}

/* Known by the feed's entry of the closure alone. */
static void test_heard_of_the_closure_alone(void **state)
{
        struct scene s = scene(2);
        struct core_event event = { .kind = CORE_FEED_ALERT, .u.feed_alert.event = EVENT_CLOSE };
        struct model_bytes last = s.model->feed[s.model->feed_count - 1].record;

        model_kill(s.model, 0);
        model_kill(s.model, 1);
        model_start(s.model, 1);
        event.u.feed_alert.record = (struct cbor_span){ last.at, last.len };
        model_event(s.model, 1, &event);
        lose_all(&s);
        model_store(s.model, true);
        assert_closed(&s, 0);
        model_free(s.model);
}

/* The failover lost it whole, and who raised and closed it died with it: the journal has both. */
static void test_by_the_journal(void **state)
{
        for (int lost = 0; lost < 2; lost++) {
                struct scene s = scene(1);
                size_t feed = s.model->feed_count;

                model_kill(s.model, 0);
                if (lost)
                        model_lose(s.model, s.id, -1);
                model_start(s.model, 0);
                model_pump(s.model);
                assert_closed(&s, 1);
                if (!lost)
                        assert_int_equal(s.model->feed_count, feed);
                model_free(s.model);
        }
}

/* The only one that lives learnt of the closure by what the store answered to something else, before the feed came. */
static void test_told_by_the_store(void **state)
{
        struct scene s = raised_one(2);
        struct command close;

        model_store_of(s.model, 0, false);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 1, "control", &close), -1);
        model_store_of(s.model, 0, true); /* it was open here, is not among the open ones, and is looked up */
        assert_int_equal(model_session(s.model, s.carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_kill(s.model, 1);
        lose_all(&s);
        model_store(s.model, true);
        assert_closed(&s, 1);
        model_free(s.model);
}

/* Who lives has the press in its journal alone, and learnt of the closure by what the store answered to that. */
static void test_told_by_the_store_at_the_start(void **state)
{
        struct scene s = raised_one(2);
        struct command close;

        model_kill(s.model, 0);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 1, "control", &close), -1);
        model_start(s.model, 0);
        assert_int_equal(model_counters(s.model, 0)->replayed, 1);
        model_kill(s.model, 1);
        lose_all(&s);
        model_store(s.model, true);
        assert_int_equal(model_record(s.model, s.id).state, ALERT_CLOSED);
        assert_int_equal(model_record(s.model, s.id).asked_count, 0);
        assert_int_equal(model_record(s.model, s.id).pressed_at_s, s.alert.pressed_at_s);
        assert_closed(&s, 1);
        model_free(s.model);
}

/* Nothing lost: it is looked up, and that is all. */
static void test_nothing_lost(void **state)
{
        struct scene s = scene(2);
        size_t feed = s.model->feed_count, looks = s.model->looks;

        model_store(s.model, false);
        model_store(s.model, true);
        assert_int_equal(s.model->looks, looks + 2);
        assert_int_equal(s.model->feed_count, feed);
        assert_closed(&s, 2);
        model_pass(s.model, CORE_CLOSED_KEPT_MS + 1000); /* and not for ever */
        model_store(s.model, false);
        looks = s.model->looks;
        model_store(s.model, true);
        assert_int_equal(s.model->looks, looks);
        model_free(s.model);
}

/* The phone had not heard of the closure, and offers to a dispatcher that did not see it: open for a moment, closed again. */
static void test_raised_anew(void **state)
{
        struct scene s = scene(2);
        uint64_t again;

        model_store_of(s.model, 1, false);
        model_kill(s.model, 1);
        model_start(s.model, 1); /* knows nothing of it */
        model_store_of(s.model, 0, false);
        model_lose(s.model, s.id, -1);
        again = model_login(s.model, 1, 1);
        model_store_of(s.model, 1, true);
        model_press(s.model, again, 1, &s.alert);
        model_store_of(s.model, 0, true);
        assert_closed(&s, 2);
        assert_int_equal(model_session(s.model, again)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_free(s.model);
}

/* The same, and the one that knows is there all the time: the feed says it. */
static void test_raised_anew_beside_one_that_knows(void **state)
{
        struct scene s = scene(2);
        struct record record = model_record(s.model, s.id);
        uint64_t again;

        model_kill(s.model, 1);
        model_start(s.model, 1);
        model_lose(s.model, s.id, -1); /* without a word to anybody */
        again = model_login(s.model, 1, 1);
        model_pass(s.model, 1000);
        model_press(s.model, again, 1, &s.alert);
        assert_closed(&s, 2);
        assert_true(model_record(s.model, s.id).raised_at_ms > record.raised_at_ms);
        model_free(s.model);
}

/* A late PIN waits for the store with it: closed first, then noted. */
static void test_late_pin(void **state)
{
        struct scene s = scene(1);

        lose_all(&s);
        s.alert.revision++;
        s.alert.marks = ALERT_DURESS;
        model_press(s.model, s.carrier, 1, &s.alert);
        model_store(s.model, true);
        assert_closed(&s, 1);
        assert_int_equal(model_session(s.model, s.carrier)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_free(s.model);
}

/* The failover lost what the press said again, and the closure: closed, with all that it said. */
static void test_marks_stay(void **state)
{
        struct scene s = raised_one(1);
        struct command close;
        int raised;

        raised = (int)s.model->feed_count - 1;
        s.alert.revision++;
        s.alert.marks |= ALERT_PRESSED_AGAIN;
        model_press(s.model, s.carrier, 1, &s.alert);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        model_store(s.model, false);
        model_lose(s.model, s.id, raised);
        assert_int_equal(model_record(s.model, s.id).marks & RECORD_PRESSED_AGAIN, 0);
        model_store(s.model, true);
        assert_closed(&s, 1);
        assert_int_equal(model_record(s.model, s.id).marks & RECORD_PRESSED_AGAIN, RECORD_PRESSED_AGAIN);
        model_free(s.model);
}

/* The phone, reached by SMS alone, is told again: what it was told may have been lost on the way as well. */
static void test_told_by_sms(void **state)
{
        struct scene s = { .model = model_new(1, NULL) };
        char number[NUMBER_MAX + 1];
        struct command close;
        size_t told;
        int raised;

        s.model->options.sms = true;
        model_begin(s.model);
        model_enrol(s.model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(s.model, "anna", "", false);
        model_on_duty(s.model, "anna", 45.751, 4.85);
        model_number(1, number);
        s.alert = model_alert_default(s.model, 1);
        model_alert_id(1, 1, s.id);
        model_sms_press(s.model, 0, number, 1, &s.alert);
        raised = (int)s.model->feed_count - 1;
        model_pass(s.model, 1000);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        told = model_sms_receipts(s.model, number);
        model_store(s.model, false);
        model_lose(s.model, s.id, raised);
        model_store(s.model, true);
        assert_closed(&s, 1);
        assert_int_equal(model_sms_receipts(s.model, number), told + 1);
        assert_int_equal(model_last_receipt(s.model, number)->receipt.state, RECEIPT_CLOSED_HELPED);
        model_free(s.model);
}

/* Handset 1 raises S's alert at dispatcher 0; *RET_NEXT is the id that its next press has.  Returns which entry of the feed that is. */
static int raise_first(struct scene *s, uint8_t ret_next[ALERT_ID_SIZE])
{
        s->alert = model_alert_default(s->model, 1);
        model_alert_id(1, 1, s->id);
        model_alert_id(1, 2, ret_next);
        s->carrier = model_login(s->model, 0, 1);
        model_press(s->model, s->carrier, 1, &s->alert);
        return (int)s->model->feed_count - 1;
}

static void forget_tombstone(struct model *model, const uint8_t id[ALERT_ID_SIZE])
{
        for (size_t i = 0; i < model->tombstone_count; i++)
                if (memcmp(model->tombstones[i].id, id, ALERT_ID_SIZE) == 0)
                        model->tombstones[i] = model->tombstones[--model->tombstone_count];
}

/* A press on another phone became part of it, and the failover lost that too: it is closed with it. */
static void test_a_part_lost(void **state)
{
        struct scene s = { .model = model_region(1, 2) };
        struct alert part = model_alert_default(s.model, 2);
        uint8_t part_id[ALERT_ID_SIZE];
        struct command close;
        int raised;

        raised = raise_first(&s, part_id);
        model_press(s.model, s.carrier, 1, &part);
        assert_int_equal(model_record(s.model, s.id).alias_count, 1);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        assert_non_null(model_tombstone(s.model, part_id));
        model_store(s.model, false);
        model_lose(s.model, s.id, raised);
        forget_tombstone(s.model, part_id);
        model_store(s.model, true);
        assert_closed(&s, 1);
        assert_int_equal(model_record(s.model, s.id).alias_count, 1);
        assert_non_null(model_tombstone(s.model, part_id));
        model_free(s.model);
}

/* Pressed again after it was closed; the failover loses both, and who raised the new one starts again and takes it for a part of the old
 * one, which is open there.  Closed again, that leaves the new one open. */
static void test_pressed_after_the_closure(void **state)
{
        struct scene s = { .model = model_region(2, 2) };
        struct alert later = model_alert_default(s.model, 2);
        uint8_t later_id[ALERT_ID_SIZE];
        struct command close;
        int raised;

        raised = raise_first(&s, later_id);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        model_store_of(s.model, 0, false);
        model_press(s.model, model_login(s.model, 1, 1), 1, &later);
        assert_int_equal(model_record(s.model, later_id).state, ALERT_ASKED);
        model_kill(s.model, 1);
        model_lose(s.model, s.id, raised);
        model_lose(s.model, later_id, -1);
        model_start(s.model, 1);
        model_pump(s.model);
        assert_int_equal(model_record(s.model, s.id).alias_count, 1);
        model_store_of(s.model, 0, true);
        model_pass(s.model, 1000);
        assert_int_equal(model_record(s.model, s.id).state, ALERT_CLOSED);
        assert_null(model_tombstone(s.model, later_id));
        assert_int_equal(model_record(s.model, later_id).state, ALERT_ASKED);
        for (unsigned d = 0; d < 2; d++)
                assert_int_equal(model_counters(s.model, d)->waiting, 0);
        model_free(s.model);
}

/* One of two dispatchers closed it and died.  Pressed again since, on the other; a failover loses both, which dies too, starts again, and takes
 * the new press for a part of the old alert. */
static struct scene reopened(uint8_t later_id[ALERT_ID_SIZE], bool told_by_store)
{
        struct scene s = { .model = model_region(told_by_store ? 3 : 2, 2) };
        struct alert later = model_alert_default(s.model, 2);
        struct command close;
        int raised;

        raised = raise_first(&s, later_id);
        if (told_by_store)
                model_store_of(s.model, 2, false);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        if (told_by_store) {
                model_store_of(s.model, 2, true); /* it was open here, and is looked up */
                model_store_of(s.model, 2, false);
        }
        model_kill(s.model, 0);
        model_pass(s.model, 1000);
        model_press(s.model, model_login(s.model, 1, 1), 1, &later);
        assert_int_equal(model_record(s.model, later_id).state, ALERT_ASKED);
        model_kill(s.model, 1);
        model_lose(s.model, s.id, raised);
        model_lose(s.model, later_id, -1);
        model_start(s.model, 1);
        model_pump(s.model);
        assert_int_equal(model_record(s.model, s.id).alias_count, 1);
        s.carrier = model_login(s.model, 1, 1);
        model_press(s.model, s.carrier, 1, &later);
        return s;
}

static void assert_apart(struct scene *s, const uint8_t later_id[ALERT_ID_SIZE])
{
        const struct model_session *phone = model_session(s->model, s->carrier);

        model_pass(s->model, 1000);
        assert_int_equal(model_record(s->model, s->id).state, ALERT_CLOSED);
        assert_int_equal(model_record(s->model, s->id).alias_count, 0);
        assert_null(model_tombstone(s->model, later_id));
        assert_int_equal(model_record(s->model, later_id).state, ALERT_ASKED);
        assert_memory_equal(phone->receipt.alert.octets, later_id, ALERT_ID_SIZE);
        assert_true(phone->receipt.version >
                    phone->receipts[0].version); /* of when it was a part: its phone sees no news below that */
        model_free(s->model);
}

/* Who closed it starts again, and its journal has that. */
static void test_its_command_comes_again(void **state)
{
        uint8_t later_id[ALERT_ID_SIZE];
        struct scene s = reopened(later_id, false);

        model_start(s.model, 0);
        assert_apart(&s, later_id);
}

/* A third knows it by the tombstone alone. */
static void test_its_tombstone_comes_again(void **state)
{
        uint8_t later_id[ALERT_ID_SIZE];
        struct scene s = reopened(later_id, true);

        model_store_of(s.model, 2, true);
        assert_apart(&s, later_id);
}

/* One of three knows a press as a part of an alert; a failover lost that, and the alert was closed without it.  It is open when who has it in its
 * journal raises it, and not closed for the one that thought so. */
static void test_no_part_of_it_after_all(void **state)
{
        struct scene s = { .model = model_region(3, 2) };
        struct alert part = model_alert_default(s.model, 2);
        uint8_t part_id[ALERT_ID_SIZE];
        struct command close;
        int raised;

        raised = raise_first(&s, part_id);
        model_press(s.model, model_login(s.model, 1, 1), 1, &part);
        assert_int_equal(model_record(s.model, s.id).alias_count, 1);
        model_store_of(s.model, 0, false);
        model_store_of(s.model, 2, false);
        model_kill(s.model, 1);
        model_lose(s.model, s.id, raised);
        model_store_of(s.model, 2, true);
        close = model_command(COMMAND_CLOSE, s.id);
        assert_int_equal(model_order(s.model, 2, "control", &close), -1);
        model_store_of(s.model, 0, true); /* asks for it, and is told that it is closed */
        assert_int_equal(model_counters(s.model, 0)->open_alerts, 0);
        model_pass(s.model, 1000);
        model_start(s.model, 1);
        model_pump(s.model);
        assert_int_equal(model_record(s.model, part_id).state, ALERT_ASKED);
        assert_int_equal(model_counters(s.model, 0)->open_alerts, 1);
        close = model_command(COMMAND_CLOSE, part_id);
        assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        assert_int_equal(model_record(s.model, part_id).state, ALERT_CLOSED);
        assert_int_equal(model_counters(s.model, 0)->open_alerts, 0);
        model_free(s.model);
}

/* What was closed long ago no failover loses: it is not looked up, however many were closed before and since. */
static void test_long_ago(void **state)
{
        struct scene s = scene(1);
        size_t looks;

        for (uint64_t nonce = 2; nonce < 8; nonce++) {
                struct alert alert = model_alert_default(s.model, nonce);
                struct command close;
                uint8_t id[ALERT_ID_SIZE];

                model_pass(s.model, nonce == 5 ? CORE_CLOSED_KEPT_MS + 1000 : 1000);
                model_alert_id(1, nonce, id);
                model_press(s.model, s.carrier, 1, &alert);
                close = model_command(COMMAND_CLOSE, id);
                assert_int_equal(model_order(s.model, 0, "control", &close), -1);
        }
        looks = s.model->looks;
        model_store(s.model, false);
        model_store(s.model, true);
        assert_int_equal(s.model->looks, looks + 3); /* 5, 6 and 7 */
        model_free(s.model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lost_whole),
                cmocka_unit_test(test_seen_by_another),
                cmocka_unit_test(test_heard_of_the_closure_alone),
                cmocka_unit_test(test_by_the_journal),
                cmocka_unit_test(test_told_by_the_store),
                cmocka_unit_test(test_told_by_the_store_at_the_start),
                cmocka_unit_test(test_nothing_lost),
                cmocka_unit_test(test_raised_anew),
                cmocka_unit_test(test_raised_anew_beside_one_that_knows),
                cmocka_unit_test(test_late_pin),
                cmocka_unit_test(test_marks_stay),
                cmocka_unit_test(test_told_by_sms),
                cmocka_unit_test(test_a_part_lost),
                cmocka_unit_test(test_pressed_after_the_closure),
                cmocka_unit_test(test_its_command_comes_again),
                cmocka_unit_test(test_no_part_of_it_after_all),
                cmocka_unit_test(test_its_tombstone_comes_again),
                cmocka_unit_test(test_long_ago),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
