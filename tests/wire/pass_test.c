#include "tests/wire/door.h"

#include <errno.h>

/* ---- what is written is read */

static void there_and_back(void **state)
{
        struct door d;
        struct pass_signed pass;
        struct proof_signed proof;
        struct hello_signed hello;
        struct mandate_signed mandate;

        door_open(&d, BUILDINGS, DOOR_NFC);
        d.pass.window_count = 2;
        d.pass.windows[0] = (struct pass_window){ NOW_S, NOW_S + 60 };
        d.pass.windows[1] = (struct pass_window){ NOW_S + 90, NOW_S + 99 };
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(pass_read(span_of(&d.signed_pass), &pass, NULL), 0);
        assert_memory_equal(&pass.pass, &d.pass, sizeof(d.pass));
        assert_int_equal(mandate_read(span_of(&d.signed_mandate), &mandate, NULL), 0);
        assert_memory_equal(&mandate.mandate, &d.mandate, sizeof(d.mandate));
        assert_int_equal(hello_read(span_of(&d.signed_hello), &hello, NULL), 0);
        assert_true(cbor_equal(hello.hello.mandate, d.hello.mandate));
        assert_memory_equal(hello.hello.nonce, d.hello.nonce, HELLO_NONCE_SIZE);
        assert_int_equal(hello.hello.time_s, NOW_S);
        assert_int_equal(proof_read(span_of(&d.signed_proof), &proof, NULL), 0);
        assert_true(cbor_equal(proof.proof.path, d.proof.path));
        assert_int_equal(proof.proof.index, BUILDINGS - 1);
        assert_int_equal(proof.proof.counter, 5);
        assert_memory_equal(proof.proof.marker, d.proof.marker, PASS_MARKER_SIZE);
        door_close(&d);
}

/* Everything full is as large as the bounds say, and as text it is read back. */
static void the_largest(void **state)
{
        static char text[PASS_TEXT_SIZE];
        struct door d;
        struct bytes whole, back;
        struct cbor_span pass, proof;

        door_open(&d, SCOPE_BUILDINGS_MAX, DOOR_NFC);
        memset(d.pass.region, 'r', TRUST_REGION_MAX);
        strcpy(d.mandate.region, d.pass.region);
        d.pass.window_count = PASS_WINDOWS_MAX;
        for (int i = 0; i < PASS_WINDOWS_MAX; i++)
                d.pass.windows[i] = (struct pass_window){ NOW_S, UINT32_MAX };
        d.pass.status = d.pass.policy = d.proof.counter = UINT32_MAX;
        d.mandate.not_before_s = d.hello.list_issued_at_s = NOW_S;
        door_pass(&d);
        door_proof(&d);
        assert_int_equal(d.signed_pass.len, PASS_MAX);
        assert_int_equal(d.signed_proof.len, PROOF_MAX);
        assert_int_equal(d.signed_mandate.len, MANDATE_MAX);
        assert_int_equal(d.signed_hello.len, HELLO_MAX);
        SIGNED(&whole, presentation_write(span_of(&d.signed_pass), span_of(&d.signed_proof), &w));
        assert_int_equal(whole.len, PRESENTATION_MAX);
        assert_int_equal(pass_text_write(span_of(&whole), text, sizeof(text)), 0);
        assert_int_equal(pass_text_read(text, strlen(text), back.at, sizeof(back.at), &back.len), 0);
        assert_int_equal(presentation_read(span_of(&back), &pass, &proof), 0);
        assert_true(cbor_equal(pass, span_of(&d.signed_pass)));
        assert_true(cbor_equal(proof, span_of(&d.signed_proof)));
        assert_int_equal(pass_text_write(span_of(&whole), text, strlen(text)), -ENOBUFS);
        door_close(&d);
}

static void texts_refused(void **state)
{
        static char text[PASS_TEXT_SIZE + 3];
        uint8_t to[PRESENTATION_MAX];
        size_t len;

        assert_int_equal(pass_text_read("", 0, to, sizeof(to), &len), -EINVAL);
        assert_int_equal(pass_text_read("VG1", 3, to, sizeof(to), &len), -EINVAL);
        assert_int_equal(pass_text_read("VG2:BB8", 7, to, sizeof(to), &len), -EINVAL);
        assert_int_equal(pass_text_read("VG1:bb8", 7, to, sizeof(to), &len), -EINVAL);
        assert_int_equal(pass_text_read(" \tVG1:BB8\r\n", 11, to, sizeof(to), &len), 0);
        assert_int_equal(len, 2);
        memset(text, '0', sizeof(text));
        memcpy(text, "VG1:", 4);
        assert_int_equal(pass_text_read(text, PASS_TEXT_SIZE, to, sizeof(to), &len), -EMSGSIZE);
}

/* What could not be meant is not signed, and not read. */
static void out_of_range(void **state)
{
        struct door d;
        struct cbor_writer w;
        struct pass_signed pass;
        const char *why = NULL;
        uint8_t to[PRESENTATION_MAX];

        door_open(&d, 1, DOOR_NFC);
        cbor_writer_init(&w, to, sizeof(to));
        d.pass.window_count = PASS_WINDOWS_MAX + 1;
        assert_int_equal(pass_write_payload(&d.pass, &w), -EINVAL);
        d.pass.window_count = 1;
        d.pass.windows[0] = (struct pass_window){ 2, 1 };
        assert_int_equal(pass_write_payload(&d.pass, &w), -EINVAL);
        d.pass.window_count = 0;
        d.pass.not_before_s = d.pass.not_after_s + 1;
        assert_int_equal(pass_write_payload(&d.pass, &w), -EINVAL);
        d.pass.not_before_s = d.pass.not_after_s - PASS_SECONDS_MAX - 1;
        door_pass(&d);
        assert_int_equal(pass_read(span_of(&d.signed_pass), &pass, &why), -EBADMSG);
        assert_string_equal(why, "a pass of more than 24 hours");
        d.mandate.class = DOOR_CLASS_END;
        assert_int_equal(mandate_write_payload(&d.mandate, &w), -EINVAL);
        d.proof.path.len = SCOPE_HASH_SIZE + 1;
        assert_int_equal(proof_write_payload(&d.proof, &w), -EINVAL);
        door_close(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back),
                cmocka_unit_test(the_largest),
                cmocka_unit_test(texts_refused),
                cmocka_unit_test(out_of_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
