/* A pass and what goes with it, in words. */
#include "tests/wire/door.h"

#include <stdio.h>

#include "wire/door_log.h"
#include "wire/inspect.h"
#include "wire/status.h"

static char to[16384];

static void expect(struct cbor_span in, const char *const *words)
{
        struct inspect_text text;

        inspect_text_init(&text, to, sizeof(to));
        assert_int_equal(inspect_print(in, &text, NULL), 0);
        for (; *words != NULL; words++)
                if (strstr(to, *words) == NULL)
                        fail_msg("\"%s\" is not in:\n%s", *words, to);
        assert_null(strstr(to, "\nalert\n"));
}

#define EXPECT(in, ...) expect(in, (const char *const[]){ __VA_ARGS__, NULL })

static void all(void **state)
{
        struct door_log_entry e = {
                .number = 7, .refusal = PASS_REVOKED, .class = DOOR_SCANNER, .degraded = true, .has_pass = true
        };
        struct cose_parts parts = { KEY_ES256, (const uint8_t *)"door id.", .aad = CBOR_LITERAL(DOOR_LOG_AAD) };
        struct status_list list = { .region = "lyon", .issued_at_s = NOW_S, .expires_s = NOW_S + 1, .count = 64 };
        uint8_t payload[DOOR_LOG_PAYLOAD_MAX], octets[PRESENTATION_MAX];
        char text[PASS_TEXT_SIZE];
        struct bytes b;
        struct cbor_writer p;
        struct door d;
        size_t len;

        door_open(&d, BUILDINGS, DOOR_NFC);
        EXPECT(span_of(&d.signed_pass), "\npass\n", "region: \"lyon\"", "status: bit 11",
               "policy: 0x3, one way, caretaker's page");
        EXPECT(span_of(&d.signed_mandate), "\nmandate of a door\n", "class: NFC (1)");
        EXPECT(span_of(&d.signed_hello), "\nhello of a door\n", "\nmandate of a door\n", "head of its log: 00");
        EXPECT(span_of(&d.signed_proof), "\nproof\n", "leaf: 39", "counter: 5");
        SIGNED(&b, status_sign(&list, d.bits, d.keeper_kid, d.keeper, &w));
        EXPECT(span_of(&b), "\nstatus list\n", "passes: 64");
        cbor_writer_init(&p, payload, sizeof(payload));
        door_log_write_payload(&e, &p);
        parts.payload = cbor_written(&p);
        SIGNED(&b, cose_sign1_sign(&parts, d.lock, &w));
        EXPECT(span_of(&b), "\nentry of a door's log\n", "number: 7", "answer: revoked (8), degraded",
               "class: scanner (2)");

        SIGNED(&b, presentation_write(span_of(&d.signed_pass), span_of(&d.signed_proof), &w));
        EXPECT(span_of(&b), "presentation\n", "pass\n", "proof\n");
        assert_int_equal(pass_text_write(span_of(&b), text, sizeof(text)), 0);
        assert_int_equal(inspect_decode((struct cbor_span){ (const uint8_t *)text, strlen(text) }, (uint8_t *)to, &len),
                         INSPECT_BASE45);
        assert_int_equal(len, b.len);
        memcpy(octets, to, len);
        assert_memory_equal(octets, b.at, b.len);
        door_close(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(all) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
