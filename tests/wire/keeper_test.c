#include "wire/keeper.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"

#define EXAMPLE_MAX 1024

static const char *const words[KEEPER_KIND_END] = { NULL, "pass", "revoke", "list", "order", "open", "mark" };

static size_t read_example(const char *way, const char *word, uint8_t to[EXAMPLE_MAX])
{
        char name[64];

        snprintf(name, sizeof(name), "keeper-%s-%s", way, word);
        return example(name, to, EXAMPLE_MAX);
}

static struct cbor_span copy(const uint8_t *at, size_t len)
{
        uint8_t *octets = malloc(len > 0 ? len : 1);

        assert_non_null(octets);
        memcpy(octets, at, len);
        return (struct cbor_span){ octets, len };
}

static int decode(bool asked, struct cbor_span in)
{
        struct keeper_request request;
        struct keeper_answer answer;

        return asked ? keeper_request_decode(in, &request) : keeper_answer_decode(in, &answer);
}

/* Cut anywhere it is refused; with any octet changed it is refused or read, and never past its end (a copy of its own size). */
static void hostile(bool asked, const uint8_t *octets, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                struct cbor_span cut = copy(octets, i), changed = copy(octets, len);

                assert_true(decode(asked, cut) < 0);
                for (unsigned bit = 0; bit < 8; bit++) {
                        ((uint8_t *)changed.at)[i] = octets[i] ^ (uint8_t)(1u << bit);
                        decode(asked, changed);
                }
                free((void *)cut.at);
                free((void *)changed.at);
        }
}

/* Each example of PROTOCOL.md 15 is read, and written again octet by octet. */
static void test_requests(void **state)
{
        uint8_t fixture[EXAMPLE_MAX], buf[EXAMPLE_MAX];
        struct keeper_request r;

        for (unsigned kind = KEEPER_PASS; kind < KEEPER_KIND_END; kind++) {
                size_t len = read_example("ask", words[kind], fixture);

                assert_string_equal(keeper_kind_name(kind), words[kind]);
                assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), 0);
                assert_int_equal(r.kind, kind);
                assert_int_equal(r.ref, 7);
                assert_int_equal(keeper_request_encode(&r, buf, sizeof(buf)), len);
                assert_memory_equal(buf, fixture, len);
                assert_int_equal(keeper_request_encode(&r, buf, len - 1), -ENOBUFS);
                hostile(true, fixture, len);
        }
}

static void test_answers(void **state)
{
        uint8_t fixture[EXAMPLE_MAX], buf[EXAMPLE_MAX];
        struct keeper_answer a;

        for (unsigned kind = 0; kind < KEEPER_KIND_END; kind++) {
                size_t len = read_example("say", kind == 0 ? "no" : words[kind], fixture);

                assert_int_equal(keeper_answer_decode((struct cbor_span){ fixture, len }, &a), 0);
                assert_int_equal(a.kind, kind == 0 ? KEEPER_PASS : kind);
                assert_int_equal(a.code, kind == 0 ? KEEPER_NEEDS_TWO : KEEPER_DONE);
                assert_int_equal(keeper_answer_encode(&a, buf, sizeof(buf)), len);
                assert_memory_equal(buf, fixture, len);
                assert_int_equal(keeper_answer_encode(&a, buf, len - 1), -ENOBUFS);
                hostile(false, fixture, len);
        }
}

static void test_fields(void **state)
{
        uint8_t fixture[EXAMPLE_MAX];
        struct keeper_request r;
        struct keeper_answer a;
        size_t len = read_example("ask", "pass", fixture);

        assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), 0);
        assert_string_equal(r.by, "odile");
        assert_string_equal(r.second, "marc");
        assert_string_equal(r.carrier, "c001");
        assert_int_equal(r.window_count, 1);
        assert_int_equal(r.windows[0].to_s, r.windows[0].from_s + 4 * 3600);
        assert_int_equal(r.buildings.len, 2 * BUILDING_ID_SIZE);
        len = read_example("ask", "mark", fixture);
        assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), 0);
        assert_int_equal(r.marks.len, KEEPER_MARK_SIZE);
        len = read_example("say", "open", fixture);
        assert_int_equal(keeper_answer_decode((struct cbor_span){ fixture, len }, &a), 0);
        assert_int_equal(a.position.lat_e7, 457640430);
        assert_int_equal(a.position.accuracy_m, 12);
        len = read_example("say", "mark", fixture);
        assert_int_equal(keeper_answer_decode((struct cbor_span){ fixture, len }, &a), 0);
        assert_int_equal(a.object.len, 1);
        assert_int_equal(a.object.at[0], MARK_DURESS);
}

/* As many proofs and buildings as there may be; one more is refused, and half of one. */
static void test_bounds(void **state)
{
        static uint8_t buf[KEEPER_MESSAGE_MAX], octets[(KEEPER_MARKS_MAX + 1) * KEEPER_MARK_SIZE];
        struct keeper_request r = { .kind = KEEPER_MARK, .by = "a" };
        int len;

        r.marks = (struct cbor_span){ octets, KEEPER_MARKS_MAX * KEEPER_MARK_SIZE };
        assert_true((len = keeper_request_encode(&r, buf, sizeof(buf))) > 0);
        assert_int_equal(keeper_request_decode((struct cbor_span){ buf, (size_t)len }, &r), 0);
        r.marks = (struct cbor_span){ octets, sizeof(octets) };
        assert_int_equal(keeper_request_encode(&r, buf, sizeof(buf)), -EINVAL);
        r.marks = (struct cbor_span){ octets, KEEPER_MARK_SIZE + 1 };
        assert_true((len = keeper_request_encode(&r, buf, sizeof(buf))) > 0);
        assert_int_equal(keeper_request_decode((struct cbor_span){ buf, (size_t)len }, &r), -EBADMSG);
        r = (struct keeper_request){ .kind = KEEPER_PASS, .by = "a", .window_count = PASS_WINDOWS_MAX };
        r.buildings = (struct cbor_span){ octets, SCOPE_BUILDINGS_MAX * BUILDING_ID_SIZE };
        assert_true(keeper_request_encode(&r, buf, sizeof(buf)) > 0);
        r.window_count++;
        assert_int_equal(keeper_request_encode(&r, buf, sizeof(buf)), -EINVAL);
        r.window_count--;
        r.buildings.len += BUILDING_ID_SIZE;
        assert_int_equal(keeper_request_encode(&r, buf, sizeof(buf)), -EINVAL);
        r.kind = KEEPER_KIND_END;
        assert_int_equal(keeper_request_encode(&r, buf, sizeof(buf)), -EINVAL);
}

/* A kind of tomorrow, and a format of tomorrow, are told from what is broken. */
static void test_newer(void **state)
{
        uint8_t fixture[EXAMPLE_MAX];
        size_t len = read_example("ask", "list", fixture);
        struct keeper_request r;

        fixture[2] = KEEPER_KIND_END;
        assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), -EPROTONOSUPPORT);
        fixture[1] = 2;
        assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), -EPROTONOSUPPORT);
        fixture[0] = 0x60;
        assert_int_equal(keeper_request_decode((struct cbor_span){ fixture, len }, &r), -EBADMSG);
        assert_string_equal(keeper_kind_name(KEEPER_KIND_END), "unknown");
        assert_string_equal(keeper_code_name(KEEPER_CODE_END), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests), cmocka_unit_test(test_answers), cmocka_unit_test(test_fields),
                cmocka_unit_test(test_bounds),   cmocka_unit_test(test_newer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
