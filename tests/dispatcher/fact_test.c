#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core.h"
#include "dispatcher/fact.h"

static struct fact *alert_fact(size_t size)
{
        uint8_t bytes[FACT_BYTES_MAX];
        struct fact *fact;

        memset(bytes, 0x5a, sizeof(bytes));
        fact = fact_new(FACT_ALERT, (struct cbor_span){ bytes, size });
        memset(fact->event_id, 1, EVENT_ID_SIZE);
        memset(fact->id, 2, ALERT_ID_SIZE);
        memset(fact->handset, 3, HANDSET_ID_SIZE);
        fact->at_ms = INT64_C(1800000000123);
        fact->path = 3;
        fact->why = UNVERIFIED_MALFORMED;
        return fact;
}

static struct fact *command_fact(bool by_handset)
{
        struct command command = { .verb = COMMAND_CLOSE, .role = ROLE_CONTROL, .reason = CLOSE_HELPED };
        uint8_t buf[COMMAND_MAX];
        struct fact *fact;
        int n;

        memset(command.note, 'n', NOTE_MAX);
        n = command_encode(&command, buf, sizeof(buf));
        assert_true(n > 0);
        fact = fact_new(FACT_COMMAND, (struct cbor_span){ buf, (size_t)n });
        fact->verb = COMMAND_CLOSE;
        fact->by_handset = by_handset;
        memset(fact->id, 2, ALERT_ID_SIZE);
        return fact;
}

static void round_trip(struct fact *fact)
{
        uint8_t buf[FACT_MAX], id[ALERT_ID_SIZE];
        size_t size = fact_encode(fact, buf);
        struct fact_read read;

        assert_true(size <= CORE_APPEND_MAX);
        assert_int_equal(fact_peek_id((struct cbor_span){ buf, size }, id), 0);
        assert_memory_equal(id, fact->id, ALERT_ID_SIZE);
        assert_int_equal(fact_decode((struct cbor_span){ buf, size }, &read), 0);
        assert_int_equal(read.type, fact->type);
        assert_memory_equal(read.fact->event_id, fact->event_id, EVENT_ID_SIZE);
        assert_memory_equal(read.fact->id, fact->id, ALERT_ID_SIZE);
        assert_memory_equal(read.fact->handset, fact->handset, HANDSET_ID_SIZE);
        assert_int_equal(read.fact->at_ms, fact->at_ms);
        assert_int_equal(read.fact->path, fact->path);
        assert_int_equal(read.fact->why, fact->why);
        assert_int_equal(read.fact->verb, fact->verb);
        assert_int_equal(read.fact->by_handset, fact->by_handset);
        assert_int_equal(read.fact->state, FACT_READY);
        assert_true(read.fact->replayed);
        assert_int_equal(read.fact->size, fact->size);
        assert_memory_equal(read.fact->bytes, fact->bytes, fact->size);
        free(read.fact);
        for (size_t cut = 0; cut < size; cut++) /* torn anywhere: nothing, and nothing leaks */
                assert_int_equal(fact_decode((struct cbor_span){ buf, cut }, &read), -EBADMSG);
        free(fact);
}

static void test_alert(void **state)
{
        round_trip(alert_fact(133));
        round_trip(alert_fact(0));
        round_trip(alert_fact(FACT_BYTES_MAX));
}

static void test_command(void **state)
{
        struct fact *fact;

        round_trip(command_fact(true));
        round_trip(command_fact(false));
        fact = command_fact(false);
        fact->path = PATH_SMS;
        round_trip(fact);
}

static void test_not_a_command(void **state)
{
        struct fact *fact = fact_new(FACT_COMMAND, CBOR_LITERAL("\x01\x02"));
        uint8_t buf[FACT_MAX];
        struct fact_read read;
        size_t size = fact_encode(fact, buf);

        assert_int_equal(fact_decode((struct cbor_span){ buf, size }, &read), -EBADMSG);
        free(fact);
}

static void test_gone(void **state)
{
        uint8_t ids[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE], buf[FACT_MAX], id[ALERT_ID_SIZE];
        struct fact_read read;
        size_t size;

        for (uint8_t i = 0; i <= RECORD_ALIASES_MAX; i++)
                memset(ids[i], i, ALERT_ID_SIZE);
        size = fact_encode_gone(ids, 1 + RECORD_ALIASES_MAX, buf);
        assert_int_equal(fact_decode((struct cbor_span){ buf, size }, &read), 0);
        assert_int_equal(read.type, FACT_GONE);
        assert_int_equal(read.gone_count, 1 + RECORD_ALIASES_MAX);
        assert_memory_equal(read.gone, ids, sizeof(ids));
        assert_int_equal(fact_peek_id((struct cbor_span){ buf, size }, id), 0);
        assert_memory_equal(id, ids[0], ALERT_ID_SIZE);
}

static void test_newer_formats(void **state)
{
        struct fact *fact = alert_fact(10);
        uint8_t buf[FACT_MAX];
        struct fact_read read;
        size_t size = fact_encode(fact, buf);

        buf[0]++; /* one more part at the end: a newer format's, stepped over */
        buf[size] = 0x07;
        assert_int_equal(fact_decode((struct cbor_span){ buf, size + 1 }, &read), 0);
        free(read.fact);
        buf[1] = FACT_FORMAT + 1;
        assert_int_equal(fact_decode((struct cbor_span){ buf, size + 1 }, &read), -EPROTONOSUPPORT);
        buf[1] = FACT_FORMAT;
        buf[2] = FACT_GONE + 1;
        assert_int_equal(fact_decode((struct cbor_span){ buf, size + 1 }, &read), -EPROTONOSUPPORT);
        free(fact);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alert),         cmocka_unit_test(test_command),
                cmocka_unit_test(test_not_a_command), cmocka_unit_test(test_gone),
                cmocka_unit_test(test_newer_formats),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
