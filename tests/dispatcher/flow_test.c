/* Several dispatchers on one store; the store away, the disk full, queues full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/ladder.h"
#include "tests/dispatcher/support/model.h"

/* Pressed here, rung and taken there, told here. */
static void test_two_dispatchers(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 1, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_session(model, anna)->ring, RING_RING);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Anna");
        assert_int_equal(model_session(model, carrier)->receipt_count, 2); /* once each, not by commit and feed */
        take = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        assert_int_equal(model_counters(model, 0)->open_alerts, 0);
        assert_int_equal(model_counters(model, 1)->open_alerts, 0);
        model_free(model);
}

/* A deadline is acted upon once; when the first dispatcher is dead the next one does it a little later. */
static void test_deadlines(void **state)
{
        struct model *model = model_region(3, 2);
        uint64_t carrier = model_login(model, 2, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        size_t commits;

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        commits = model->commits;
        model_pass(model, 5000);
        assert_int_equal(model_record(model, id).version, 2);
        assert_int_equal(model_counters(model, 0)->climbed, 1);
        model_pass(model, 2000);
        assert_int_equal(model->commits, commits + 1); /* the others see that it is done */
        model_kill(model, 0);
        model_pass(model, 23200);
        assert_int_equal(model_record(model, id).step, 0);
        model_pass(model, 100); /* rank 1 */
        assert_int_equal(model->now_ms - model_record(model, id).raised_at_ms, 30300);
        assert_int_equal(model_record(model, id).step, 1);
        assert_int_equal(model_counters(model, 1)->climbed, 1);
        assert_int_equal(model_record(model, id).due_ms - model_record(model, id).raised_at_ms, 60000); /* no drift */
        model_free(model);
}

static void test_store_away(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct receipt *receipt = &model_session(model, carrier)->receipt;
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, CORE_KEPT_MS - 100);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model_pass(model, 100);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        assert_int_equal(receipt->state, RECEIPT_KEPT);
        assert_int_equal(receipt->version, 0);
        assert_memory_equal(receipt->alert.octets, id, ALERT_ID_SIZE);
        alert = model_alert_default(model, 2); /* away for long already: at once */
        model_press(model, model_login(model, 0, 2), 2, &alert);
        model_pass(model, 100);
        assert_int_equal(model_session(model, model->session_count)->receipt_count, 1);
        assert_int_equal(model_session(model, model->session_count)->receipt.state, RECEIPT_KEPT);
        model_pass(model, 60000);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1); /* told once */
        model_store(model, true);
        assert_int_equal(receipt->state, RECEIPT_ASKED);
        assert_true(receipt->version > 1); /* above what rang meanwhile */
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).raised_at_ms, model->now_ms); /* the ladder begins now */
        model_free(model);
}

/* Kept by the journal across a death while the store is away. */
static void test_store_away_and_death(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_kill(model, 0);
        model_start(model, 0);
        assert_int_equal(model_open(model), 0);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        model_free(model);
}

static void test_take_while_the_store_is_away(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), -1);
        model_pass(model, CORE_KEPT_MS);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_COMING);
        assert_string_equal(model_session(model, carrier)->receipt.who, "Anna");
        assert_int_equal(model_session(model, carrier)->receipt.version, 1);
        model_press(model, carrier, 1, &alert); /* what is known is told, store or not */
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        model_store(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        assert_int_equal(model_session(model, anna)->frame.u.answer.code, ANSWER_DONE);
        model_free(model);
}

static void test_disk_full(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        size_t appends = model->appends;
        uint64_t anna = model_login(model, 0, 11);
        const struct notice *notice;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_disk(model, false);
        notice = model_notice(model, "tech:a:disk_full");
        assert_non_null(notice);
        assert_true(notice->rings);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model->appends, appends);
        assert_int_equal(model_record(model, id).state, ALERT_ASKED);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT); /* on the store's disk alone */
        assert_int_equal(model_session(model, carrier)->receipt.version, 0);
        model->hold_sync = true;
        model_disk(model, true);
        assert_null(model_notice(model, "tech:a:disk_full"));
        assert_int_equal(model->appends, appends + 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED); /* now it is received */
        assert_int_equal(model_session(model, carrier)->receipt.version, 1);
        assert_int_equal(model_session(model, anna)->ring_count, 1);
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

/* The disk full: another dispatcher that gets a copy has it in its journal before it says received; somebody who has taken it is
 * told in any case. */
static void test_disk_full_and_another_dispatcher(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), again;
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_event(model, 0, &(struct core_event){ .kind = CORE_DISK });
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        again = model_login(model, 1, 1);
        model->hold_sync = true;
        model_press(model, again, 1, &alert);
        assert_int_equal(model_session(model, again)->receipt_count, 0);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_record(model, id).version, 1);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_order(model, 0, "anna", &take), -1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        model_free(model);
}

/* Both disks full: a copy at the other is on no disk of ours either, and nobody says received before it is. */
static void test_two_disks_full(void **state)
{
        struct model *model = model_region(2, 2);
        uint64_t carrier = model_login(model, 0, 1), again;
        struct alert alert = model_alert_default(model, 1);
        struct command take;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_disk(model, false);
        model_press(model, carrier, 1, &alert);
        again = model_login(model, 1, 1);
        model_press(model, again, 1, &alert);
        assert_int_equal(model_session(model, again)->receipt_count, 1);
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_KEPT);
        model_press(model, again, 1, &alert); /* once more */
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_KEPT);
        assert_int_equal(model_record(model, id).version, 1);
        model_event(model, 1, &(struct core_event){ .kind = CORE_DISK, .u.state.up = true });
        model_pump(model);
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_order(model, 0, "anna", &take), -1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_TAKEN);
        model_free(model);
}

/* The store away: a copy of what is there needs our journal, and no more than that. */
static void test_copy_while_the_store_is_away(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t again;

        model_press(model, model_login(model, 0, 1), 1, &alert);
        again = model_login(model, 1, 1);
        model_store(model, false);
        model->hold_sync = true;
        model_press(model, again, 1, &alert);
        assert_int_equal(model_session(model, again)->receipt_count, 0);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, again)->receipt_count, 1);
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_counters(model, 1)->waiting, 0);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model->alerts[0].version, 1);
        model_free(model);
}

/* The other one has committed it before our journal has it: a second copy does not get a receipt earlier either. */
static void test_copy_before_the_journal(void **state)
{
        struct model *model = model_region(2, 2);
        struct alert alert = model_alert_default(model, 1);
        uint64_t here = model_login(model, 0, 1), there = model_login(model, 1, 1);

        model->hold_sync = true;
        model_press(model, here, 1, &alert);
        model_press(model, there, 1, &alert);
        model_event(model, 0, &(struct core_event){ .kind = CORE_SYNCED, .u.synced.up_to = 1 });
        model_pump(model);
        assert_int_equal(model_open(model), 1);
        model_close(model, there); /* what it is told by the feed is of the other's journal */
        there = model_login(model, 1, 1);
        model_press(model, there, 1, &alert);
        assert_int_equal(model_session(model, there)->receipt_count, 0);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, there)->receipt_count, 1);
        model_free(model);
}

/* The disk becomes full while a press is on its way to the journal: it may not be there. */
static void test_disk_full_under_way(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model->hold_sync = true;
        model_press(model, carrier, 1, &alert);
        model_disk(model, false);
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_open(model), 1);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        model_disk(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* One more than the queue holds, while the store is away: the newest revision stays, a command is told to come again. */
static void test_queue_bound(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command seen;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        for (uint16_t i = 1; i <= 3 * CORE_QUEUE_MAX; i++) {
                alert.revision = i;
                model_press(model, carrier, 1, &alert);
        }
        seen = model_command(COMMAND_SEEN, id);
        assert_int_equal(model_ask(model, anna, &seen), ANSWER_BUSY);
        assert_int_equal(model_counters(model, 0)->queue_full, 1);
        model_store(model, true);
        assert_int_equal(model_record(model, id).revision, 3 * CORE_QUEUE_MAX);
        assert_int_equal(model_session(model, carrier)->receipt.revision, 3 * CORE_QUEUE_MAX);
        assert_int_equal(model_ask(model, anna, &seen), ANSWER_DONE);
        model_free(model);
}

/* A phone set back to its backup has forgotten that it pressed again: what it says since leaves that in the queue, and an older copy leaves
 * the newest. */
static void test_queue_of_a_phone_set_back(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        struct record record;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        alert.revision = 1;
        alert.marks |= ALERT_PRESSED_AGAIN;
        model_press(model, carrier, 1, &alert);
        alert.marks &= (uint16_t)~ALERT_PRESSED_AGAIN;
        for (uint16_t i = 2; i <= 3 * CORE_QUEUE_MAX; i++) {
                alert.revision = 64 + i;
                model_press(model, carrier, 1, &alert);
        }
        alert.revision = 65; /* by SMS */
        model_press(model, carrier, 1, &alert);
        model_store(model, true);
        record = model_record(model, id);
        assert_int_equal(record.revision, 64 + 3 * CORE_QUEUE_MAX);
        assert_true((record.marks & RECORD_PRESSED_AGAIN) != 0);
        model_free(model);
}

/* A press is durable before it is told, and in the journal before it is in the store. */
static void test_order(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model->hold_sync = true;
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model->appends, 1);
        assert_int_equal(model->commits, 0);
        model->hold_commits = true;
        model->hold_sync = false;
        model_sync(model);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_session(model, carrier)->receipt_count, 1);
        model_free(model);
}

/* Disk full and store away: the press is nowhere, and nobody says that it is kept. */
static void test_not_even_kept(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        model_disk(model, false);
        model_store(model, false);
        model_press(model, carrier, 1, &alert);
        model_pass(model, 10000);
        assert_int_equal(model_session(model, carrier)->receipt_count, 0);
        model_store(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_KEPT);
        model_disk(model, true);
        assert_int_equal(model_session(model, carrier)->receipt.state, RECEIPT_ASKED);
        model_free(model);
}

/* One deadline more than commits may be in flight: it waits for its turn. */
static void test_commits_in_flight(void **state)
{
        struct model *model = model_region(1, 2);

        for (size_t i = 0; i <= CORE_COMMITS_MAX; i++) {
                struct record record = { .version = 1, .state = ALERT_RAISED, .marks = RECORD_UNVERIFIED, .due_ms = 1 };
                uint8_t octets[RECORD_MAX];
                int n;

                memset(record.id, 0x77, ALERT_ID_SIZE);
                memcpy(record.id, &i, sizeof(i));
                memcpy(record.handset, record.id, HANDSET_ID_SIZE);
                n = record_encode(&record, octets, sizeof(octets));
                assert_int_equal(core_load_record(model->dispatchers[0].core, (struct cbor_span){ octets, (size_t)n }),
                                 0);
        }
        model->hold_commits = true;
        model_pass(model, 300);
        assert_int_equal(model_counters(model, 0)->commits, CORE_COMMITS_MAX);
        model->hold_commits = false;
        model_release(model);
        assert_int_equal(model_counters(model, 0)->commits, 0);
        assert_int_equal(model_open(model), CORE_COMMITS_MAX + 1);
        model_free(model);
}

/* The same with two phones, and nothing in the store yet: the first press keeps its turn, whatever replaces it. */
static void test_queue_bound_of_two_phones(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_alert_id(1, 1, id);
        model_store(model, false);
        model_press(model, carrier, 1, &one);
        for (uint16_t i = 1; i <= 2 * CORE_QUEUE_MAX; i++) {
                two.revision = i;
                model_press(model, carrier, 1, &two);
        }
        one.revision = 9;
        model_press(model, carrier, 1, &one);
        model_store(model, true);
        assert_int_equal(model_open(model), 1);
        record = model_record(model, id);
        assert_memory_equal(record.id, id, ALERT_ID_SIZE);
        assert_int_equal(record.revision, 9);
        assert_int_equal(record.alias_count, 1);
        assert_int_equal(record.aliases[0].revision, 2 * CORE_QUEUE_MAX);
        model_free(model);
}

/* The store is away, the alert is closed meanwhile, and its queue is full: what is pressed then takes the place of nothing that stood before
 * the closure, which is of what was known when it was said. */
static void test_queue_bound_and_a_closure(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11);
        struct alert alert = model_alert_default(model, 1);
        struct command seen, take, over;
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        seen = model_command(COMMAND_SEEN, id);
        take = model_command(COMMAND_TAKE, id);
        over = model_command(COMMAND_CLOSE, id);
        model_press(model, carrier, 1, &alert);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        model_store(model, false);
        alert.revision = 1;
        alert.marks = ALERT_PRESSED_AGAIN;
        model_press(model, carrier, 1, &alert);
        (void)model_ask(model, anna, &over);
        for (unsigned i = 0; i < CORE_QUEUE_MAX; i++) {
                seen.id[0] = (uint8_t)(i + 1);
                (void)model_ask(model, anna, &seen);
        }
        assert_true(model_counters(model, 0)->queue_full > 0);
        alert.revision = 2;
        model_press(model, carrier, 1, &alert);
        model_store(model, true);
        model_pass(model, 1000);
        assert_int_equal(model_record(model, id).state, ALERT_CLOSED);
        assert_in_range(model_record(model, id).revision, 0, 1); /* the phone raises a new one for the other */
        assert_in_range(model_session(model, carrier)->receipt.revision, 0, 1);
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

/* An update waits for a slow disk: the deadline does not. */
static void test_deadline_and_a_slow_disk(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_press(model, carrier, 1, &alert);
        model->hold_sync = true;
        alert.revision++;
        alert.marks |= ALERT_PRESSED_AGAIN;
        model_press(model, carrier, 1, &alert);
        model_pass(model, 5000);
        assert_int_equal(model_counters(model, 0)->climbed, 1);
        assert_int_equal(model_record(model, id).version, 2);
        assert_int_equal(model_record(model, id).marks & RECORD_PRESSED_AGAIN, 0); /* it is in no journal yet */
        model->hold_sync = false;
        model_sync(model);
        model_pump(model);
        assert_int_equal(model_record(model, id).marks & RECORD_PRESSED_AGAIN, RECORD_PRESSED_AGAIN);
        model_free(model);
}

/* The store away, the queue full of what people did: a press on another phone is kept all the same, and finds its place. */
static void test_press_at_a_full_queue(void **state)
{
        struct model *model = model_region(1, 2);
        uint64_t carrier = model_login(model, 0, 1), anna = model_login(model, 0, 11), again;
        struct alert alert = model_alert_default(model, 1), other = model_alert_default(model, 2);
        struct command seen;
        uint8_t id[ALERT_ID_SIZE], other_id[ALERT_ID_SIZE];

        model_alert_id(1, 1, id);
        model_alert_id(1, 2, other_id);
        model_press(model, carrier, 1, &alert);
        model_store(model, false);
        seen = model_command(COMMAND_SEEN, id);
        for (unsigned i = 0; i < 2 * CORE_QUEUE_MAX; i++) {
                seen.id[0] = (uint8_t)(i + 1);
                (void)model_ask(model, anna, &seen);
        }
        assert_true(model_counters(model, 0)->queue_full > 0);
        again = model_connect(model, 0, 1, CERTIFICATE_OK);
        model_press(model, again, 1, &other);
        model_pass(model, 2 * CORE_KEPT_MS);
        assert_int_equal(model_session(model, again)->receipt.state, RECEIPT_KEPT);
        assert_memory_equal(model_session(model, again)->receipt.alert.octets, other_id, ALERT_ID_SIZE);
        model_store(model, true);
        model_pass(model, 1000);
        assert_true(model_stored(model, other_id) != NULL || model_record(model, id).alias_count == 1);
        assert_true(receipt_is_received(model_session(model, again)->receipt.state));
        assert_int_equal(model_counters(model, 0)->waiting, 0);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_dispatchers),
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_deadline_and_a_slow_disk),
                cmocka_unit_test(test_store_away),
                cmocka_unit_test(test_store_away_and_death),
                cmocka_unit_test(test_take_while_the_store_is_away),
                cmocka_unit_test(test_disk_full),
                cmocka_unit_test(test_disk_full_and_another_dispatcher),
                cmocka_unit_test(test_two_disks_full),
                cmocka_unit_test(test_copy_while_the_store_is_away),
                cmocka_unit_test(test_copy_before_the_journal),
                cmocka_unit_test(test_disk_full_under_way),
                cmocka_unit_test(test_queue_bound),
                cmocka_unit_test(test_queue_of_a_phone_set_back),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_not_even_kept),
                cmocka_unit_test(test_commits_in_flight),
                cmocka_unit_test(test_queue_bound_of_two_phones),
                cmocka_unit_test(test_queue_bound_and_a_closure),
                cmocka_unit_test(test_press_at_a_full_queue),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
