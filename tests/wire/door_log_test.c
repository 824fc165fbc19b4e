/* An entry of a door's log: there and back, and what is refused. */
#include "tests/wire/octets.h"

#include <errno.h>

#include "wire/door_log.h"
#include "wire/signing.h"

static struct octets signed_of(const struct door_log_entry *e, const struct key *key)
{
        uint8_t payload[DOOR_LOG_PAYLOAD_MAX + 1];
        struct cose_parts parts = { KEY_ES256, (const uint8_t *)"door id.", .aad = CBOR_LITERAL(DOOR_LOG_AAD) };
        struct octets o;
        struct cbor_writer w;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(door_log_write_payload(e, &w), 0);
        parts.payload = cbor_written(&w);
        cbor_writer_init(&w, o.at, sizeof(o.at));
        assert_int_equal(cose_sign1_sign(&parts, key, &w), 0);
        o.len = w.len;
        return o;
}

static void there_and_back(void **state)
{
        struct door_log_entry e = { .number = UINT64_MAX,
                                    .previous = "previous sixteen",
                                    .time_s = UINT32_MAX,
                                    .floor_s = UINT32_MAX - 1,
                                    .list_issued_at_s = UINT32_MAX - 2,
                                    .refusal = PASS_REPLAYED,
                                    .class = DOOR_PAGE,
                                    .degraded = true,
                                    .has_pass = true,
                                    .has_proof = true,
                                    .subject = "subject",
                                    .pass = "pass id",
                                    .counter = UINT32_MAX - 3,
                                    .marker = "marked",
                                    .unwritten = UINT32_MAX - 4 };
        struct door_log_signed back;
        struct octets o;
        struct key *key;
        const char *why;

        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        o = signed_of(&e, key);
        assert_int_equal(o.len, DOOR_LOG_MAX); /* the largest there is */
        assert_int_equal(door_log_read(octets_span(&o), &back, &why), 0);
        assert_memory_equal(&back.entry, &e, sizeof(e));
        assert_int_equal(door_log_read((struct cbor_span){ o.at, DOOR_LOG_MAX + 1 }, &back, &why), -EMSGSIZE);
        for (size_t len = 0; len < o.len; len++)
                assert_int_equal(door_log_read((struct cbor_span){ o.at, len }, &back, &why), -EBADMSG);

        e.has_pass = e.has_proof = false;
        o = signed_of(&e, key);
        assert_int_equal(door_log_read(octets_span(&o), &back, &why), 0);
        assert_false(back.entry.has_pass || back.entry.has_proof);
        assert_int_equal(back.entry.counter, 0);
        e.number = 0;
        o = signed_of(&e, key);
        assert_int_equal(door_log_read(octets_span(&o), &back, &why), -EBADMSG);
        assert_string_equal(why, "an entry number of 0");
        key_free(key);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(there_and_back) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
