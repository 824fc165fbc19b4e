/* Records are chained: each names the one that it replaced, and has a salt of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static const uint8_t zeros[RECORD_HASH_SIZE];

static struct record read_entry(const struct model *model, size_t at)
{
        struct record record;

        assert_int_equal(record_decode(model->feed[at].record.at, model->feed[at].record.len, &record), 0);
        return record;
}

/* Go through the feed from entry FROM on; BEFORE is the one before it (-1: none), which is what the first names. */
static int assert_chained(const struct model *model, size_t from, int before)
{
        for (size_t i = from; i < model->feed_count; i++) {
                uint8_t expected[RECORD_HASH_SIZE] = { 0 };
                struct record record;

                if (model->feed[i].kind != CORE_FEED_ALERT)
                        continue;
                record = read_entry(model, i);
                if (before >= 0)
                        model->options.hash(
                                model->options.user,
                                (struct cbor_span){ model->feed[before].record.at, model->feed[before].record.len },
                                expected);
                assert_memory_equal(record.before, expected, RECORD_HASH_SIZE);
                assert_memory_not_equal(record.salt, zeros, RECORD_SALT_SIZE);
                for (size_t j = 0; j < i; j++)
                        if (model->feed[j].kind == CORE_FEED_ALERT)
                                assert_memory_not_equal(record.salt, read_entry(model, j).salt, RECORD_SALT_SIZE);
                before = (int)i;
        }
        return before;
}

static void test_from_raise_to_closure(void **state)
{
        struct model *model = model_new(2, NULL);
        struct alert alert = model_alert_default(model, 1);
        struct command command;
        uint8_t id[ALERT_ID_SIZE];
        uint64_t anna;
        int last;

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_put_supervisor(model, "anna", "", false);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        model_on_duty(model, "anna", 45.751, 4.85);
        anna = model_login(model, 1, 11);
        model_alert_id(1, 1, id);
        model_press(model, model_login(model, 0, 1), 1, &alert);
        model_pass(model, 31000); /* deadlines, by the first dispatcher */
        command = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE); /* by the second */
        command = model_command(COMMAND_CLOSE, id);
        assert_int_equal(model_ask(model, anna, &command), ANSWER_DONE);
        last = assert_chained(model, 0, -1);
        assert_true(last >= 0);
        assert_int_equal(read_entry(model, (size_t)last).state, ALERT_CLOSED);
        assert_true(read_entry(model, (size_t)last).version >= 4);
        model_free(model);
}

/* A failover loses an alert's last version; what is committed then names what is there.  One that it lost whole is brought back, and
 * names the last one known. */
static void test_failover(void **state)
{
        struct model *model = model_new(1, NULL);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE], known[RECORD_HASH_SIZE];
        size_t entries;
        int first;
        struct record record;
        uint64_t carrier;

        model_begin(model);
        model_enrol(model, 1, HANDSET_CARRIER, "carl");
        model_alert_id(1, 1, id);
        carrier = model_login(model, 0, 1);
        model_press(model, carrier, 1, &alert);
        first = (int)model->feed_count - 1;
        alert.revision++;
        alert.marks = 0;
        model_press(model, carrier, 1, &alert);
        entries = model->feed_count;
        model_store(model, false);
        model_lose(model, id, first);
        model_store(model, true);
        assert_true(model->feed_count > entries);
        (void)assert_chained(model, entries, first);

        entries = model->feed_count;
        record = model_record(model, id);
        model->options.hash(
                NULL, (struct cbor_span){ model_stored(model, id)->record.at, model_stored(model, id)->record.len },
                known);
        model_store(model, false);
        model_lose(model, id, -1);
        model_store(model, true);
        assert_true(model_record(model, id).version > record.version);
        assert_memory_equal(read_entry(model, entries).before, known, RECORD_HASH_SIZE);
        model_free(model);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_from_raise_to_closure),
                cmocka_unit_test(test_failover),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
