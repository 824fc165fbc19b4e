/* What comes in as an alert: good, unknown, expired, revoked, another's, altered, copied, closed, restored, impossible, newer,
 * unreadable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/dispatcher/support/model.h"

static void send_alert(struct model *model, uint64_t session, const uint8_t *cose, size_t size)
{
        struct frame frame = { .type = FRAME_ALERT };

        frame.u.cose.cose = (struct cbor_span){ cose, size };
        model_send(model, session, &frame);
}

/* The one open alert; fails where there is another number of them. */
static struct record only(struct model *model)
{
        struct record none = { 0 };

        assert_int_equal(model_open(model), 1);
        for (size_t i = 0; i < model->alert_count; i++)
                if (!model->alerts[i].closed)
                        return model_record(model, model->alerts[i].id);
        return none;
}

static void test_unknown_handset(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_connect(model, 0, 99, CERTIFICATE_UNKNOWN);
        struct alert alert = model_alert_default(model, 1);
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = 1 } };
        uint8_t id[ALERT_ID_SIZE];
        struct record record;

        model_send(model, session, &hello); /* no session */
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        assert_int_equal(model_session(model, session)->frame.u.error.code, FRAME_ERROR_NOT_ALLOWED);
        model_press(model, session, 99, &alert);
        record = only(model);
        model_alert_id(99, 1, id);
        assert_memory_equal(record.id, id, ALERT_ID_SIZE); /* as claimed */
        assert_int_equal(record.why_unverified, UNVERIFIED_UNKNOWN);
        assert_int_equal(record.state, ALERT_RAISED);
        assert_int_equal(record.asked_count, 0);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_RAISED);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, id, ALERT_ID_SIZE);
        model_enrol(model, 99, HANDSET_CARRIER, ""); /* it had come too early: the same alert, offered again, is real */
        model_press(model, session, 99, &alert);
        record = only(model);
        assert_int_equal(record.why_unverified, UNVERIFIED_NOT);
        assert_int_equal(record.asked_count, 1);
        model_free(model);
}

static void expect_unverified(unsigned handset, const struct handset_entry *change, enum core_certificate certificate,
                              uint8_t why)
{
        struct model *model = model_region(1, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct record record;
        uint64_t session;

        model_put_handset(model, handset, change);
        session = model_connect(model, 0, handset, certificate);
        model_press(model, session, handset, &alert);
        record = only(model);
        model_alert_id(handset, 1, id);
        assert_memory_equal(record.id, id, ALERT_ID_SIZE);
        assert_int_equal(record.why_unverified, why);
        assert_int_equal(record.asked_count, 0);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_RAISED);
        model_free(model);
}

static struct handset_entry entry_of(struct model *model, unsigned number)
{
        return model->handsets[number - 1].entry;
}

static void test_revoked_and_expired(void **state)
{
        struct model *model = model_region(1, 1);
        struct handset_entry revoked = entry_of(model, 1), expired = revoked;

        revoked.revoked_at_s = 5;
        expired.not_after_s = (uint32_t)(MODEL_NOW_MS / 1000) - 1;
        model_free(model);
        expect_unverified(1, &revoked, CERTIFICATE_OK, UNVERIFIED_REVOKED);
        expect_unverified(1, &expired, CERTIFICATE_EXPIRED, UNVERIFIED_EXPIRED);
}

static void test_revoked_loses_its_session_and_still_raises(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert alert = model_alert_default(model, 1);
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = FRAME_VERSION } };

        entry.revoked_at_s = 5;
        model_put_handset(model, 1, &entry);
        model_pass(model, 100);
        assert_false(model_session(model, session)->open);
        assert_int_equal(model_session(model, session)->closed_code, 1008);
        session = model_connect(model, 0, 1, CERTIFICATE_OK);
        model_send(model, session, &hello);
        assert_int_equal(model_session(model, session)->frame.type, FRAME_ERROR);
        model_press(model, session, 1, &alert);
        assert_int_equal(only(model).why_unverified, UNVERIFIED_REVOKED);
        model_free(model);
}

/* Revoked while its alert is open: the phone is the same, and what it says of it is neither limited nor doubted. */
static void test_revoked_during_its_alert(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert alert = model_alert_default(model, 1);

        model_press(model, session, 1, &alert);
        entry.revoked_at_s = 5;
        model_put_handset(model, 1, &entry);
        session = model_connect(model, 0, 1, CERTIFICATE_OK);
        for (alert.revision = 1; alert.revision <= 20; alert.revision++)
                model_press(model, session, 1, &alert);
        assert_int_equal(only(model).revision, 20);
        assert_int_equal(only(model).why_unverified, UNVERIFIED_NOT);
        model_free(model);
}

/* Revoked, and its copy goes to another dispatcher: that writes it down before it says that it is received, and its sender's limit, spent on
 * others, is none for what is raised. */
static void test_copy_of_revoked_elsewhere(void **state)
{
        struct model *model = model_region(2, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert alert = model_alert_default(model, 1), other;
        uint64_t session;
        size_t appends;

        entry.revoked_at_s = 5;
        model_put_handset(model, 1, &entry);
        session = model_connect(model, 1, 1, CERTIFICATE_OK);
        for (uint64_t i = 0; i < 2 * CORE_SENDER_BURST; i++) {
                other = model_alert_default(model, 100 + i);
                model_press(model, session, 1, &other);
        }
        assert_int_equal(model_open(model), CORE_SENDER_BURST);
        model_press(model, model_connect(model, 0, 1, CERTIFICATE_OK), 1, &alert);
        assert_int_equal(model_open(model), CORE_SENDER_BURST + 1);
        for (int again = 0; again < 2; again++) {
                appends = model->appends;
                model_press(model, session, 1, &alert);
                assert_int_equal(model->appends, appends + (again == 0));
                assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_RAISED);
                assert_int_equal(model_open(model), CORE_SENDER_BURST + 1);
        }
        model_free(model);
}

/* Pressed on two phones of one handset, then revoked: what is offered again is part of what it was part of, to either dispatcher. */
static void test_revoked_after_a_second_phone(void **state)
{
        struct model *model = model_region(2, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert one = model_alert_default(model, 1), two = model_alert_default(model, 2),
                     three = model_alert_default(model, 3);

        model_press(model, model_login(model, 0, 1), 1, &one);
        model_press(model, model_login(model, 0, 1), 1, &two);
        entry.revoked_at_s = 5;
        model_put_handset(model, 1, &entry);
        for (unsigned i = 0; i < 2; i++) {
                uint64_t session = model_connect(model, i, 1, CERTIFICATE_OK);

                model_press(model, session, 1, &two);
                assert_int_equal(only(model).presses, 2);
                assert_true(model_session(model, session)->receipt.version > 0);
        }
        model_press(model, model_connect(model, 0, 1, CERTIFICATE_OK), 1, &three); /* a new one is none of it */
        assert_int_equal(model_open(model), 2);
        model_free(model);
}

/* Whose phone it is was not known at the press: the next revision names them. */
static void test_holder_known_later(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 2);
        struct handset_entry entry = entry_of(model, 2);
        struct alert alert = model_alert_default(model, 1);

        model_press(model, session, 2, &alert);
        assert_string_equal(only(model).carrier_id, "");
        strcpy(entry.person, "mona");
        model_put_handset(model, 2, &entry);
        alert.revision = 1;
        model_press(model, model_connect(model, 0, 2, CERTIFICATE_OK), 2, &alert);
        assert_string_equal(only(model).carrier_id, "mona");
        model_free(model);
}

/* A press that comes when its session is about to be closed counts like any other. */
static void test_press_on_a_doomed_session(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct handset_entry entry = entry_of(model, 1);
        struct alert alert = model_alert_default(model, 1);

        entry.role = HANDSET_SUPERVISOR;
        model_put_handset(model, 1, &entry);
        model_press(model, session, 1, &alert);
        assert_false(model_session(model, session)->open);
        assert_int_equal(only(model).asked_count, 1);
        model_free(model);
}

/* The key before the renewal is good. */
static void test_previous_key(void **state)
{
        struct model *model = model_region(1, 1);
        struct handset_entry entry = entry_of(model, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        memcpy(entry.previous, entry.key, P256_POINT_SIZE);
        entry.has_previous = true;
        memset(entry.key, 9, P256_POINT_SIZE);
        model_put_handset(model, 1, &entry);
        model_press(model, session, 1, &alert);
        assert_int_equal(only(model).why_unverified, UNVERIFIED_NOT);
        model_free(model);
}

/* Signed by its own handset and brought by another's session: the signature says whose it is. */
static void test_brought_by_another(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 2), own = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];

        model_press(model, session, 1, &alert);
        model_alert_id(1, 1, id);
        assert_memory_equal(only(model).id, id, ALERT_ID_SIZE);
        assert_int_equal(only(model).why_unverified, UNVERIFIED_NOT);
        assert_string_equal(only(model).carrier_id, "carl");
        assert_int_equal(model_session(model, session)->receipt_count, 1);
        assert_int_equal(model_session(model, own)->receipt_count, 1);
        model_free(model);
}

/* The kid of another handset, signed with one's own key: nothing of it touches that handset or its alert. */
static void test_kid_of_another(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t forger = model_login(model, 0, 2), victim = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t cose[ALERT_MAX], id[ALERT_ID_SIZE], *kid;
        size_t size = model_sign(&alert, 2, cose);
        struct record record;

        model_alert_id(1, 1, id);
        kid = memmem(cose, size, "\xa0\xa0\xa0\xa0\xa0\xa0\x00\x02", 8);
        assert_non_null(kid);
        kid[7] = 1;
        send_alert(model, forger, cose, size);
        record = only(model);
        assert_int_equal(record.why_unverified, UNVERIFIED_SIGNATURE);
        assert_memory_not_equal(record.id, id, ALERT_ID_SIZE);
        assert_memory_equal(record.handset, id, HANDSET_ID_SIZE); /* the control room sees whose name it bears */
        assert_int_equal(model_session(model, victim)->receipt_count, 0);
        assert_memory_equal(model_session(model, forger)->receipt.alert.octets, record.id, ALERT_ID_SIZE);
        send_alert(model, forger, cose, size); /* a copy is a copy */
        assert_int_equal(model_open(model), 1);
        model_press(model, victim, 1, &alert); /* the true one */
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).why_unverified, UNVERIFIED_NOT);
        assert_int_equal(model_record(model, id).asked_count, 1);
        model_free(model);
}

static void test_altered_never_touches_the_true_one(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1), other = model_login(model, 0, 2);
        struct alert alert = model_alert_default(model, 1);
        uint8_t cose[ALERT_MAX], id[ALERT_ID_SIZE];
        size_t size;
        struct record before;

        model_press(model, session, 1, &alert);
        model_alert_id(1, 1, id);
        before = model_record(model, id);
        alert.revision = 3;
        alert.lat_e7 = 100;
        size = model_sign(&alert, 1, cose);
        cose[size - 1] ^= 1;
        send_alert(model, other, cose, size);
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_record(model, id).version, before.version);
        /* From its own session the phone is told under the id that it knows. */
        send_alert(model, session, cose, size);
        assert_int_equal(model_open(model), 3);
        assert_memory_equal(model_session(model, session)->receipt.alert.octets, id, ALERT_ID_SIZE);
        assert_int_equal(model_record(model, id).version, before.version);
        /* But not that somebody has it, nor that it is closed: the true one is open, and nobody has it. */
        for (size_t i = 0; i < 3; i++) {
                struct command command = model_command(COMMAND_TAKE, model->alerts[i].id);

                if (memcmp(command.alert, id, ALERT_ID_SIZE) != 0)
                        assert_int_equal(model_order(model, 0, "control", &command), -1);
        }
        send_alert(model, session, cose, size);
        assert_int_equal(model_session(model, session)->receipt.state, RECEIPT_ASKED);
        assert_int_equal(model_session(model, session)->receipt.revision, 0);
        for (size_t i = 0; i < 3; i++) {
                struct command command = model_command(COMMAND_CLOSE, model->alerts[i].id);

                if (memcmp(command.alert, id, ALERT_ID_SIZE) != 0)
                        (void)model_order(model, 0, "control", &command);
        }
        send_alert(model, session, cose, size);
        assert_int_equal(model_open(model), 1);
        assert_false(receipt_is_closed(model_session(model, session)->receipt.state));
        model_free(model);
}

static void test_handset_deleted_during_its_alert(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 2);
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE], handset[HANDSET_ID_SIZE];

        model_press(model, session, 1, &alert);
        model_alert_id(1, 1, id);
        model_handset_id(1, handset);
        assert_int_equal(core_load_handset(model->dispatchers[0].core, handset, NULL), 0);
        alert.revision = 1;
        model_press(model, session, 1, &alert);
        assert_int_equal(model_record(model, id).version, 1); /* nobody can change it without its key */
        assert_int_equal(model_open(model), 2);
        model_free(model);
}

static void test_impossible_time_and_position(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);

        alert.pressed_at_s = 1;
        alert.lat_e7 = alert.lon_e7 = 0;
        model_press(model, session, 1, &alert);
        assert_int_equal(only(model).marks & (RECORD_BAD_TIME | RECORD_BAD_POSITION),
                         RECORD_BAD_TIME | RECORD_BAD_POSITION);
        assert_false(only(model).has_position);
        assert_int_equal(only(model).pressed_at_s, MODEL_NOW_MS / 1000);
        assert_int_equal(only(model).asked_count, 1);
        model_free(model);
}

/* Twelve parts: one more than we know.  The signature is over all of it, and it is stored as it came. */
static void test_newer_field(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t payload[ALERT_MAX], cose[ALERT_MAX];
        struct cbor_writer w;
        size_t size;

        cbor_writer_init(&w, payload, sizeof(payload));
        assert_int_equal(alert_write_payload(&alert, &w), 0);
        payload[0]++; /* the head of the array */
        cbor_write_uint(&w, 5);
        size = model_sign_payload(cbor_written(&w), 1, cose);
        send_alert(model, session, cose, size);
        assert_int_equal(only(model).why_unverified, UNVERIFIED_NOT);
        assert_int_equal(only(model).asked_count, 1);
        assert_int_equal(model->alerts[0].signed_alert.len, size);
        assert_memory_equal(model->alerts[0].signed_alert.at, cose, size);
        model_free(model);
}

static void test_malformed_is_raised(void **state)
{
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1);
        struct alert alert = model_alert_default(model, 1);
        uint8_t cose[ALERT_MAX];
        size_t size = model_sign(&alert, 1, cose);
        struct record record;

        send_alert(model, session, cose, size - 20); /* torn */
        record = only(model);
        assert_int_equal(record.why_unverified, UNVERIFIED_MALFORMED);
        assert_int_equal(record.kind, ALERT_PANIC);
        send_alert(model, session, cose, size - 20);
        assert_int_equal(model_open(model), 1);
        model_press(model, session, 1, &alert); /* and whole */
        assert_int_equal(model_open(model), 2);
        assert_int_equal(model_counters(model, 0)->unverified, 1);
        model_free(model);
}

/* Markup, a mark of direction and a four-octet emoji pass through as they are. */
static void test_hostile_names(void **state)
{
        static const char name[] = "<script>\xe2\x80\xae\xf0\x9f\x9a\xa8";
        struct model *model = model_region(1, 1);
        uint64_t session = model_login(model, 0, 1), anna;
        struct carrier_entry carrier = { .number = "+33600000000" };
        struct supervisor_entry person = { .number = "+33600000001" };
        struct alert alert = model_alert_default(model, 1);
        uint8_t id[ALERT_ID_SIZE];
        struct command take;

        memcpy(carrier.name, name, sizeof(name));
        memcpy(person.name, name, sizeof(name));
        assert_int_equal(core_load_carrier(model->dispatchers[0].core, "carl", &carrier), 0);
        assert_int_equal(core_load_supervisor(model->dispatchers[0].core, "anna", &person), 0);
        model_enrol(model, 11, HANDSET_SUPERVISOR, "anna");
        anna = model_login(model, 0, 11);
        model_alert_id(1, 1, id);
        model_press(model, session, 1, &alert);
        assert_string_equal(only(model).carrier_name, name);
        take = model_command(COMMAND_TAKE, id);
        assert_int_equal(model_ask(model, anna, &take), ANSWER_DONE);
        assert_string_equal(only(model).owner_name, name);
        assert_string_equal(model_session(model, session)->receipt.who,
                            "<script>\xe2\x80\xae\xf0\x9f\x9a\xa8"); /* 15 octets */
        model_free(model);
}

/* Mistake and duress: the phone is told the very same. */
static void test_mistake_and_duress(void **state)
{
        struct receipt told[2];

        for (int duress = 0; duress < 2; duress++) {
                struct model *model = model_region(1, 1);
                uint64_t session = model_login(model, 0, 1);
                struct alert alert = model_alert_default(model, 1);

                model_press(model, session, 1, &alert);
                alert.revision = 1;
                alert.marks = duress ? ALERT_DURESS : ALERT_MISTAKE;
                model_press(model, session, 1, &alert);
                assert_int_equal(only(model).marks & (RECORD_MISTAKE | RECORD_DURESS),
                                 duress ? RECORD_DURESS : RECORD_MISTAKE);
                assert_int_equal(only(model).state, ALERT_ASKED);
                told[duress] = model_session(model, session)->receipt;
                model_free(model);
        }
        assert_memory_equal(&told[0], &told[1], sizeof(told[0]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unknown_handset),
                cmocka_unit_test(test_revoked_and_expired),
                cmocka_unit_test(test_revoked_loses_its_session_and_still_raises),
                cmocka_unit_test(test_revoked_during_its_alert),
                cmocka_unit_test(test_copy_of_revoked_elsewhere),
                cmocka_unit_test(test_revoked_after_a_second_phone),
                cmocka_unit_test(test_holder_known_later),
                cmocka_unit_test(test_press_on_a_doomed_session),
                cmocka_unit_test(test_previous_key),
                cmocka_unit_test(test_brought_by_another),
                cmocka_unit_test(test_kid_of_another),
                cmocka_unit_test(test_altered_never_touches_the_true_one),
                cmocka_unit_test(test_handset_deleted_during_its_alert),
                cmocka_unit_test(test_impossible_time_and_position),
                cmocka_unit_test(test_newer_field),
                cmocka_unit_test(test_malformed_is_raised),
                cmocka_unit_test(test_hostile_names),
                cmocka_unit_test(test_mistake_and_duress),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
