#include "wire/frame.h"

#include "tests/wire/codec.h"
#include "tests/wire/example.h"
#include "tests/wire/held.h"

CODEC(held, struct held, FRAME_REGION_MAX)

static const uint8_t types[] = { FRAME_HELLO,   FRAME_ALERT,  FRAME_DUTY,     FRAME_HEARTBEAT, FRAME_PRESENCE,
                                 FRAME_COMMAND, FRAME_SAFE,   FRAME_WELCOME,  FRAME_RECEIPT,   FRAME_DUTY_ANSWER,
                                 FRAME_RING,    FRAME_ANSWER, FRAME_QUESTION, FRAME_TRUST,     FRAME_ERROR,
                                 FRAME_VAULT,   FRAME_DONE,   FRAME_ASK_PASS, FRAME_TIMER,     FRAME_ORDER,
                                 FRAME_PART,    FRAME_LIST,   FRAME_ASKED,    FRAME_OPENED };
enum { TYPES = sizeof(types) };

static void draw_span(uint64_t *seed, struct held *h, struct cbor_span *span, size_t max)
{
        span->len = (size_t)draw_to(seed, max);
        draw_octets(seed, h->octets, span->len);
}

static void draw_vault(uint64_t *seed, struct frame *f)
{
        f->u.vault.state = (uint8_t)draw_to(seed, VAULT_STATES - 1);
        if ((f->u.vault.has_key = draw_bool(seed)))
                draw_octets(seed, f->u.vault.key, sizeof(f->u.vault.key));
        if ((f->u.vault.has_challenge = draw_bool(seed)))
                draw_octets(seed, f->u.vault.challenge, sizeof(f->u.vault.challenge));
        f->u.vault.list_s = (uint32_t)draw_to(seed, UINT32_MAX);
}

/* What travels for passes, either way. */
static void draw_for_passes(uint64_t *seed, struct held *h)
{
        struct frame *f = &h->frame;

        switch (f->type) {
        case FRAME_VAULT:
                draw_vault(seed, f);
                break;
        case FRAME_ASK_PASS:
                f->u.ask_pass.request = (uint32_t)draw_to(seed, UINT32_MAX);
                draw_id(seed, f->u.ask_pass.round, sizeof(f->u.ask_pass.round));
                f->u.ask_pass.until_s = (uint32_t)draw_to(seed, UINT32_MAX);
                break;
        case FRAME_TIMER:
                f->u.timer.due_s = (uint32_t)draw_to(seed, UINT32_MAX);
                draw_span(seed, h, &f->u.timer.place, SEALED_POSITION_MAX);
                break;
        case FRAME_ORDER:
                draw_span(seed, h, &f->u.order.cose, FRAME_COSE_MAX - 1);
                f->u.order.cose.len++;
                f->u.order.beside = (uint32_t)draw_to(seed, ORDER_BESIDE_MAX);
                break;
        case FRAME_PART:
                f->u.part.number = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.part.offset = (uint32_t)draw_to(seed, ORDER_BESIDE_MAX - 1);
                draw_span(seed, h, &f->u.part.octets, FRAME_PART_MAX - 1);
                f->u.part.octets.len++;
                break;
        case FRAME_LIST:
                f->u.list.issued_s = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.list.total = 1 + (uint32_t)draw_to(seed, COSE_MAX - 1);
                f->u.list.offset = (uint32_t)draw_to(seed, COSE_MAX - 1);
                draw_span(seed, h, &f->u.list.octets, FRAME_PART_MAX - 1);
                f->u.list.octets.len++;
                break;
        case FRAME_OPENED:
                f->u.opened.at_ms = (int64_t)draw_to(seed, INT64_MAX);
                f->u.opened.why = (uint8_t)draw_to(seed, 255);
                break;
        default:
                f->u.asked.request = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.asked.code = (uint8_t)draw_to(seed, 255);
        }
}

static bool is_for_passes(uint8_t type)
{
        return (type >= FRAME_VAULT && type <= FRAME_TIMER && type != FRAME_DONE) || type >= FRAME_ORDER;
}

static void draw_from_handset(uint64_t *seed, struct held *h)
{
        struct frame *f = &h->frame;
        struct command *c = &f->u.command.command;

        switch (f->type) {
        case FRAME_HELLO:
                f->u.hello.version = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.hello.trust_number = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.hello.role = (uint8_t)draw_to(seed, 255);
                draw_text(seed, f->u.hello.app, sizeof(f->u.hello.app));
                break;
        case FRAME_ALERT:
                f->u.cose.held_version = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.cose.held_state = (uint8_t)draw_to(seed, UINT8_MAX);
                /* fall through */
        case FRAME_DONE:
                draw_span(seed, h, &f->u.cose.cose, FRAME_COSE_MAX - 1);
                f->u.cose.cose.len++;
                break;
        case FRAME_DUTY:
                f->u.duty.request = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.duty.on = draw_bool(seed);
                draw_id(seed, f->u.duty.person, sizeof(f->u.duty.person));
                draw_id(seed, f->u.duty.round, sizeof(f->u.duty.round));
                f->u.duty.until_s = (uint32_t)draw_to(seed, UINT32_MAX);
                break;
        case FRAME_HEARTBEAT:
                f->u.heartbeat.battery = draw_battery(seed);
                draw_span(seed, h, &f->u.heartbeat.sealed, SEALED_POSITION_MAX);
                f->u.heartbeat.cause = (uint8_t)draw_to(seed, HEARTBEAT_CAUSES - 1);
                break;
        case FRAME_PRESENCE:
                f->u.presence.battery = draw_battery(seed);
                if ((f->u.presence.has_position = draw_bool(seed)))
                        f->u.presence.at = draw_point(seed);
                break;
        case FRAME_COMMAND:
                f->u.command.request = (uint32_t)draw_to(seed, UINT32_MAX);
                draw_octets(seed, c->id, sizeof(c->id));
                c->verb = (uint8_t)(1 + draw_to(seed, COMMAND_END - 2));
                draw_octets(seed, c->alert, sizeof(c->alert));
                draw_id(seed, c->owner_seen, sizeof(c->owner_seen));
                c->reason = draw_bool(seed) ? 0 : CLOSE_OTHER;
                draw_text(seed, c->note, sizeof(c->note));
                break;
        default:
                f->u.request.request = (uint32_t)draw_to(seed, UINT32_MAX);
        }
}

static void draw_from_dispatcher(uint64_t *seed, struct held *h)
{
        struct frame *f = &h->frame;

        switch (f->type) {
        case FRAME_WELCOME:
                f->u.welcome.version = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.welcome.time_ms = draw_ms(seed);
                draw_text(seed, f->u.welcome.region, sizeof(f->u.welcome.region));
                f->u.welcome.trust_number = (uint32_t)draw_to(seed, UINT32_MAX);
                draw_text(seed, f->u.welcome.name, sizeof(f->u.welcome.name));
                break;
        case FRAME_RECEIPT:
        case FRAME_TRUST:
                draw_span(seed, h, &f->u.cose.cose, (f->type == FRAME_TRUST ? TRUST_MAX : FRAME_COSE_MAX) - 1);
                f->u.cose.cose.len++;
                break;
        case FRAME_DUTY_ANSWER:
                f->u.duty_answer.request = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.duty_answer.code = (uint8_t)draw_to(seed, 255);
                draw_text(seed, f->u.duty_answer.name, sizeof(f->u.duty_answer.name));
                f->u.duty_answer.since_ms = draw_ms(seed);
                f->u.duty_answer.until_s = (uint32_t)draw_to(seed, UINT32_MAX);
                break;
        case FRAME_RING:
                draw_span(seed, h, &f->u.ring.record, RECORD_MAX - 1);
                f->u.ring.record.len++;
                f->u.ring.ring = (uint8_t)draw_to(seed, RING_LOUDEST);
                break;
        case FRAME_ANSWER:
                f->u.answer.request = (uint32_t)draw_to(seed, UINT32_MAX);
                f->u.answer.code = (uint8_t)draw_to(seed, 255);
                draw_octets(seed, f->u.answer.alert, sizeof(f->u.answer.alert));
                draw_text(seed, f->u.answer.who, sizeof(f->u.answer.who));
                break;
        case FRAME_QUESTION:
                f->u.request.request = (uint32_t)draw_to(seed, UINT32_MAX);
                break;
        default:
                f->u.error.code = (uint8_t)draw_to(seed, 255);
                draw_text(seed, f->u.error.text, sizeof(f->u.error.text));
        }
}

static void draw_frame(uint64_t *seed, struct held *h, uint8_t type)
{
        memset(h, 0, sizeof(*h));
        h->frame.type = type;
        if (is_for_passes(type))
                draw_for_passes(seed, h);
        else if (type < FRAME_WELCOME)
                draw_from_handset(seed, h);
        else
                draw_from_dispatcher(seed, h);
}

static void test_round_trip(void **state)
{
        static struct held h;
        uint8_t buf[FRAME_REGION_MAX];
        uint64_t seed = 50;
        size_t len;

        for (int i = 0; i < 200; i++)
                for (size_t t = 0; t < TYPES; t++) {
                        draw_frame(&seed, &h, types[t]);
                        len = codec_round(&held_codec, &h, buf);
                        if (types[t] < FRAME_WELCOME)
                                assert_in_range(len, 2, FRAME_HANDSET_MAX);
                }
}

/* The largest of the larger ones fit into what their sender may send; a span one octet too long is refused. */
static void test_largest(void **state)
{
        static struct held h;
        uint8_t buf[FRAME_REGION_MAX];
        struct command *c = &h.frame.u.command.command;
        const struct {
                uint8_t type;
                struct cbor_span *span;
                size_t max, frame_max;
        } cases[] = {
                { FRAME_ALERT, &h.frame.u.cose.cose, FRAME_COSE_MAX, FRAME_HANDSET_MAX },
                { FRAME_HEARTBEAT, &h.frame.u.heartbeat.sealed, SEALED_POSITION_MAX, FRAME_HANDSET_MAX },
                { FRAME_RECEIPT, &h.frame.u.cose.cose, FRAME_COSE_MAX, FRAME_REGION_MAX },
                { FRAME_TRUST, &h.frame.u.cose.cose, TRUST_MAX, FRAME_REGION_MAX },
                { FRAME_RING, &h.frame.u.ring.record, RECORD_MAX, FRAME_REGION_MAX },
                { FRAME_TIMER, &h.frame.u.timer.place, SEALED_POSITION_MAX, FRAME_HANDSET_MAX },
                { FRAME_ORDER, &h.frame.u.order.cose, FRAME_COSE_MAX, FRAME_REGION_MAX },
                { FRAME_PART, &h.frame.u.part.octets, FRAME_PART_MAX, FRAME_REGION_MAX },
                { FRAME_LIST, &h.frame.u.list.octets, FRAME_PART_MAX, FRAME_REGION_MAX },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                memset(&h, 0, sizeof(h));
                h.frame.type = cases[i].type;
                if (cases[i].type == FRAME_LIST)
                        h.frame.u.list.total = COSE_MAX;
                cases[i].span->len = cases[i].max;
                assert_in_range(codec_round(&held_codec, &h, buf), cases[i].max + 3, cases[i].frame_max);
                cases[i].span->len++;
                assert_int_equal(held_encode(&h, buf, sizeof(buf)), -EINVAL);
                cases[i].span->len = 0;
                if (cases[i].type == FRAME_HEARTBEAT || cases[i].type == FRAME_TIMER)
                        codec_round(&held_codec, &h, buf);
                else
                        assert_int_equal(held_encode(&h, buf, sizeof(buf)), -EINVAL);
        }
        memset(&h, 0, sizeof(h));
        h.frame.type = FRAME_COMMAND;
        h.frame.u.command.request = UINT32_MAX;
        c->verb = COMMAND_CLOSE;
        c->reason = CLOSE_REASON_MAX;
        fill_id(c->owner_seen, sizeof(c->owner_seen));
        fill_text(c->note, sizeof(c->note));
        assert_in_range(codec_round(&held_codec, &h, buf), 256, FRAME_HANDSET_MAX);
}

static void test_hostile(void **state)
{
        static struct held h;
        uint8_t buf[FRAME_REGION_MAX];
        uint64_t seed = 51;

        for (size_t t = 0; t < TYPES; t++) {
                draw_frame(&seed, &h, types[t]);
                if (held_span(&h.frame) != NULL) { /* short, for time's sake */
                        held_span(&h.frame)->len = 40;
                        memset(h.octets + 40, 0, sizeof(h.octets) - 40);
                }
                codec_hostile(&held_codec, buf, codec_round(&held_codec, &h, buf));
        }
}

/* Each example of PROTOCOL.md 7, read; then written, octet by octet. */
static void test_examples(void **state)
{
        static struct held h;
        uint8_t fixture[FRAME_REGION_MAX], buf[FRAME_REGION_MAX];
        char name[64];
        size_t len;

        for (size_t t = 0; t < TYPES; t++) {
                snprintf(name, sizeof(name), "frame-%s", frame_type_name(types[t]));
                len = example(name, fixture, sizeof(fixture));
                assert_int_equal(held_decode(fixture, len, &h), 0);
                assert_int_equal(h.frame.type, types[t]);
                assert_int_equal(codec_round(&held_codec, &h, buf), len);
                assert_memory_equal(buf, fixture, len);
        }
}

/* What the examples say, field by field. */
static void test_example_fields(void **state)
{
        static struct frame f;
        uint8_t in[FRAME_REGION_MAX];

#define EXAMPLE(name) assert_int_equal(frame_decode(in, example(name, in, sizeof(in)), &f), 0)
        EXAMPLE("frame-hello");
        assert_int_equal(f.u.hello.version, FRAME_VERSION);
        assert_int_equal(f.u.hello.trust_number, 3);
        assert_int_equal(f.u.hello.role, HANDSET_SUPERVISOR);
        assert_string_equal(f.u.hello.app, "vigie-handset 0.1");
        EXAMPLE("frame-duty");
        assert_true(f.u.duty.on);
        assert_string_equal(f.u.duty.person, "martin.l");
        assert_string_equal(f.u.duty.round, "tournee-12");
        EXAMPLE("frame-heartbeat");
        assert_int_equal(f.u.heartbeat.battery, 255);
        assert_null(f.u.heartbeat.sealed.at);
        assert_int_equal(f.u.heartbeat.cause, HEARTBEAT_POWER_OFF);
        EXAMPLE("frame-presence");
        assert_true(f.u.presence.has_position);
        assert_int_equal(f.u.presence.at.lon_e7, 48320114);
        assert_int_equal(f.u.presence.at.accuracy_m, 12);
        EXAMPLE("frame-command");
        assert_int_equal(f.u.command.request, 7);
        assert_int_equal(f.u.command.command.verb, COMMAND_CLOSE);
        assert_int_equal(f.u.command.command.reason, CLOSE_HELPED);
        assert_int_equal(f.u.command.command.alert[15], 0xaf);
        assert_string_equal(f.u.command.command.note, "ramenée chez elle");
        EXAMPLE("frame-welcome");
        assert_string_equal(f.u.welcome.region, "lyon");
        assert_string_equal(f.u.welcome.name, "Karim Benali");
        EXAMPLE("frame-ring");
        assert_int_equal(f.u.ring.ring, RING_RING);
        assert_int_equal(f.u.ring.record.len, 35);
        EXAMPLE("frame-answer");
        assert_int_equal(f.u.answer.code, ANSWER_TAKEN_BY_OTHER);
        assert_string_equal(f.u.answer.who, "Karim Benali");
        EXAMPLE("frame-error");
        assert_int_equal(f.u.error.code, FRAME_ERROR_MALFORMED);
        assert_string_equal(f.u.error.text, "a number out of its range");
#undef EXAMPLE
}

/* The cause came later: a heartbeat without one, or with one we do not know, is an ordinary one. */
static void test_heartbeat_cause(void **state)
{
        static const struct {
                const char *in;
                size_t len;
                int result;
                uint8_t cause;
        } cases[] = {
                { "\x83\x04\x05\xf6", 4, 0, HEARTBEAT_ORDINARY },
                { "\x84\x04\x05\xf6\x01", 5, 0, HEARTBEAT_BATTERY_LOW },
                { "\x84\x04\x05\xf6\x02", 5, 0, HEARTBEAT_POWER_OFF },
                { "\x84\x04\x05\xf6\x03", 5, 0, HEARTBEAT_ORDINARY },
                { "\x84\x04\x05\xf6\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 13, 0, HEARTBEAT_ORDINARY },
                { "\x85\x04\x05\xf6\x02\xf6", 6, 0, HEARTBEAT_POWER_OFF },
                { "\x84\x04\x05\xf6\x20", 5, -EBADMSG, 0 },
                { "\x84\x04\x05\xf6\xf6", 5, -EBADMSG, 0 },
                { "\x84\x04\x05\xf6", 4, -EBADMSG, 0 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct frame f;

                assert_int_equal(frame_decode((const uint8_t *)cases[i].in, cases[i].len, &f), cases[i].result);
                assert_int_equal(f.u.heartbeat.cause, cases[i].cause);
        }
}

static void test_refused(void **state)
{
        static const struct {
                const char *text, *in;
                size_t len;
                int result;
        } cases[] = {
                { "safe", "\x82\x07\x01", 3, 0 },
                { "a newer version's element", "\x83\x07\x01\xa1\x01\x02", 6, 0 },
                { "an unknown type", "\x82\x0c\x01", 3, -EPROTONOSUPPORT },
                { "an unknown type of 64 bits", "\x81\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 10, -EPROTONOSUPPORT },
                { "an unknown type, malformed", "\x82\x0c", 2, -EBADMSG },
                { "an unknown type, octets behind it", "\x82\x0c\x01\x00", 4, -EBADMSG },
                { "type 263, which is 7 in 8 bits", "\x82\x19\x01\x07\x01", 5, -EPROTONOSUPPORT },
                { "nothing", "", 0, -EBADMSG },
                { "an empty array", "\x80", 1, -EBADMSG },
                { "no array", "\x07", 1, -EBADMSG },
                { "a map", "\xa1\x07\x01", 3, -EBADMSG },
                { "a negative type", "\x82\x26\x01", 3, -EBADMSG },
                { "too few elements", "\x81\x07", 2, -EBADMSG },
                { "octets behind it", "\x82\x07\x01\x00", 4, -EBADMSG },
                { "indefinite", "\x9f\x07\x01\xff", 4, -EBADMSG },
                { "a request over 32 bits", "\x82\x07\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 11, -EBADMSG },
                { "a request not in its shortest form", "\x82\x07\x18\x01", 4, -EBADMSG },
                { "a battery of 101", "\x83\x04\x18\x65\xf6", 5, -EBADMSG },
                { "a battery of 100", "\x83\x04\x18\x64\xf6", 5, 0 },
                { "a sealed position of no octets", "\x83\x04\x18\x64\x40", 5, -EBADMSG },
                { "no sealed position, but a number", "\x83\x04\x18\x64\x00", 5, -EBADMSG },
                { "an empty alert", "\x82\x02\x40", 3, -EBADMSG },
                { "an alert of null", "\x82\x02\xf6", 3, -EBADMSG },
                { "half a position", "\x83\x05\x18\x64\x82\x00\x00", 7, -EBADMSG },
                { "a latitude over 90", "\x83\x05\x00\x84\x1a\x35\xa4\xe9\x01\x00\x00\x00", 12, -EBADMSG },
                { "a latitude of 90", "\x83\x05\x00\x84\x1a\x35\xa4\xe9\x00\x00\x00\x00", 12, 0 },
                { "ring 3", "\x83\x18\x43\x41\x01\x03", 6, -EBADMSG },
                { "ring 2", "\x83\x18\x43\x41\x01\x02", 6, 0 },
                { "an answer code we do not know",
                  "\x85\x18\x44\x01\x18\xff\x50"
                  "0123456789abcdef\x60",
                  24, 0 },
                { "a vault of state 4", "\x85\x08\x04\xf6\xf6\x00", 6, -EBADMSG },
                { "a vault of state 3", "\x85\x08\x03\xf6\xf6\x00", 6, 0 },
                { "a list of nothing", "\x85\x18\x4a\x00\x00\x00\x41\x01", 8, -EBADMSG },
                { "more beside an order than may be", "\x83\x18\x48\x41\x01\x1a\x00\x01\x80\x01", 10, -EBADMSG },
                { "as much beside an order as may be", "\x83\x18\x48\x41\x01\x1a\x00\x01\x80\x00", 10, 0 },
                { "deeper than 8", "\x83\x07\x01\x81\x81\x81\x81\x81\x81\x81\x81\x01", 12, -EBADMSG },
        };
        static struct held h;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int r = codec_decode(&held_codec, (const uint8_t *)cases[i].in, cases[i].len, &h);

                if (r != cases[i].result)
                        fail_msg("%s: %d", cases[i].text, r);
                if (r < 0)
                        assert_all_zero(&h, sizeof(h));
        }
        for (int type = 0; type < 256; type++) {
                memset(&h, 0, sizeof(h));
                h.frame.type = (uint8_t)type;
                if (memchr(types, type, TYPES) == NULL)
                        assert_int_equal(held_encode(&h, h.octets, sizeof(h.octets)), -EINVAL);
        }
}

/* Larger than its sender may send: by elements of a newer version. */
static void test_too_large(void **state)
{
        static uint8_t in[FRAME_REGION_MAX + 1];
        static struct frame f;
        const struct {
                const char *head;
                size_t head_len, max;
        } cases[] = {
                { "\x83\x07\x01\x59", 4, FRAME_HANDSET_MAX },
                { "\x83\x18\x45\x01\x59", 5, FRAME_REGION_MAX },
        };

        for (size_t i = 0; i < 2; i++)
                for (size_t over = 0; over < 2; over++) {
                        size_t rest = cases[i].max + over - cases[i].head_len - 2;

                        memset(in, 0, sizeof(in));
                        memcpy(in, cases[i].head, cases[i].head_len);
                        in[cases[i].head_len] = (uint8_t)(rest >> 8);
                        in[cases[i].head_len + 1] = (uint8_t)rest;
                        assert_int_equal(frame_decode(in, cases[i].max + over, &f), over == 0 ? 0 : -EBADMSG);
                }
}

static void test_words(void **state)
{
        assert_string_equal(frame_type_name(FRAME_HELLO), "hello");
        assert_string_equal(frame_type_name(FRAME_DUTY_ANSWER), "duty_answer");
        assert_null(frame_type_name(0));
        assert_null(frame_type_name(12));
        assert_null(frame_type_name(255));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_largest),
                cmocka_unit_test(test_hostile),        cmocka_unit_test(test_examples),
                cmocka_unit_test(test_example_fields), cmocka_unit_test(test_heartbeat_cause),
                cmocka_unit_test(test_refused),        cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
