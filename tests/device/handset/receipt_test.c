#include "tests/device/handset/phone.h"

/* The highest version counts whatever the order of arrival; at one version "coming" goes before the rest and "kept"
 * after. */
static void out_of_order(void **state)
{
        static const struct {
                struct {
                        uint8_t state, version;
                } come[3];
                uint8_t word;
        } cases[] = {
                { { { RECEIPT_TAKEN, 5 }, { RECEIPT_ASKED, 3 }, { RECEIPT_SEEN, 4 } }, VIGIE_TAKEN },
                { { { RECEIPT_ASKED, 3 }, { RECEIPT_TAKEN, 5 }, { RECEIPT_RAISED, 1 } }, VIGIE_TAKEN },
                { { { RECEIPT_TAKEN, 5 }, { RECEIPT_ASKED, 6 }, { RECEIPT_TAKEN, 5 } }, VIGIE_ASKED }, /* released */
                { { { RECEIPT_CLOSED_OTHER, 5 }, { RECEIPT_TAKEN, 9 }, { RECEIPT_ASKED, 3 } }, VIGIE_CLOSED },
                { { { RECEIPT_ASKED, 3 }, { RECEIPT_KEPT, 3 }, { RECEIPT_KEPT, 0 } }, VIGIE_ASKED },
                { { { RECEIPT_ASKED, 3 }, { RECEIPT_COMING, 3 }, { RECEIPT_ASKED, 3 } }, VIGIE_COMING },
                { { { RECEIPT_ASKED, 3 }, { RECEIPT_COMING, 2 }, { RECEIPT_KEPT, 3 } }, VIGIE_ASKED },
                { { { RECEIPT_TAKEN, 9 }, { RECEIPT_CLOSED_OTHER, 5 }, { RECEIPT_TAKEN, 10 } }, VIGIE_CLOSED },
                { { { RECEIPT_COMING, 3 }, { RECEIPT_TAKEN, 4 }, { RECEIPT_COMING, 3 } }, VIGIE_TAKEN },
                { { { 15, 3 }, { RECEIPT_KEPT, 3 }, { RECEIPT_KEPT, 0 } },
                  VIGIE_RECEIVED }, /* a newer region's state */
                { { { 23, 3 }, { RECEIPT_KEPT, 3 }, { RECEIPT_KEPT, 0 } }, VIGIE_CLOSED },
                { { { RECEIPT_PROVED, 9 }, { RECEIPT_ASKED, 3 }, { RECEIPT_KEPT, 0 } }, VIGIE_ASKED },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();

                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                for (int r = 0; r < 3; r++)
                        phone_receipt(p, cases[i].come[r].state, cases[i].come[r].version, "W");
                assert_int_equal(p->status.alert.word, cases[i].word);
                phone_free(p);
        }
}

/* Two say that they are coming while the store is away, at one version: the later shows, not a late copy of the first.
 */
static void two_are_coming(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 2000);
        phone_receipt(p, RECEIPT_COMING, 3, "Anna");
        phone_run(p, 2000);
        phone_receipt(p, RECEIPT_COMING, 3, "Paul");
        assert_string_equal(p->status.alert.who, "Paul");
        p->utc_ms -= 2000;
        phone_receipt(p, RECEIPT_COMING, 3, "Anna");
        assert_string_equal(p->status.alert.who, "Paul");
        assert_int_equal(p->status.alert.word, VIGIE_COMING);
        phone_free(p);
}

/* An alert closed long ago and offered again: the region knows its tombstone alone, not its revisions, and says 65535.
 * Nothing of it is sent any more, a mark that waited included (but what a PIN says: late_pin). */
static void closed_long_ago(void **state)
{
        struct phone *p = phone_new();
        struct known *k = &p->known[0];

        p->region = p->unfinished_lost = false;
        phone_start(p);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = ALERT_DOG });
        *k = (struct known){ .id = alert_id_make(&(struct handset_id){ { 0 } }, phone_alert(p).alert.nonce) };
        memcpy(k->id.octets, our_handset, 8);
        k->revision = UINT16_MAX;
        p->known_count = 1;
        phone_receipt(p, RECEIPT_CLOSED_MISTAKE, 12, "Zoe");
        assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
        assert_int_equal(p->status.alert.reason, VIGIE_MISTAKE);
        phone_mark(p);
        phone_run(p, 60000);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_start(p);
        assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        phone_free(p);
}

/* Out of reach the carrier presses again, and the alert is closed by people who know nothing of that: the press is a new
 * alert, of its own time, with the marks; a PIN alone is not.  What the region had when it closed stays closed. */
static void pressed_again_behind_a_close(void **state)
{
        static const struct {
                uint8_t first, again; /* enum vigie_press; 9 = no press */
                bool pin, known, restart;
                uint8_t kind; /* of the new alert; 99 = none */
        } cases[] = {
                { VIGIE_PRESS_LOUD, VIGIE_PRESS_LOUD, false, false, false, ALERT_PANIC },
                { VIGIE_PRESS_LOUD, VIGIE_PRESS_LOUD, false, false, true, ALERT_PANIC },
                { VIGIE_PRESS_LOUD, VIGIE_PRESS_LOUD, true, false, false, ALERT_PANIC },
                { VIGIE_PRESS_LOUD, VIGIE_PRESS_SILENT, false, false, false, ALERT_SILENT },
                { VIGIE_PRESS_SILENT, VIGIE_PRESS_LOUD, false, false, false, ALERT_PANIC },
                { VIGIE_PRESS_SILENT, VIGIE_PRESS_SILENT, false, false, true, ALERT_SILENT },
                { VIGIE_PRESS_DRILL, VIGIE_PRESS_DRILL, false, false, false, ALERT_DRILL },
                { VIGIE_PRESS_LOUD, VIGIE_PRESS_LOUD, false, true, false, 99 },
                { VIGIE_PRESS_LOUD, 9, true, false, false, 99 },
                { VIGIE_PRESS_LOUD, 9, false, false, true, 99 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();
                bool anew = cases[i].kind != 99;

                phone_press(p, VIGIE_PRESS_AT_ONCE, cases[i].first);
                phone_run(p, 20000);
                p->region = cases[i].known;
                if (cases[i].again != 9)
                        phone_press(p, VIGIE_PRESS_AT_ONCE, cases[i].again);
                if (cases[i].pin)
                        phone_pin(p, VIGIE_PIN_RIGHT);
                phone_run(p, 3000);
                if (cases[i].restart)
                        phone_start(p);
                p->region = true;
                phone_receipt(p, RECEIPT_CLOSED_OTHER, 900, "Zoe");
                phone_run(p, 1000);
                assert_int_equal(p->known_count, 1 + anew);
                if (anew) {
                        assert_int_equal(p->known[1].kind, cases[i].kind);
                        assert_true(p->known[1].marks & ALERT_PRESSED_AGAIN);
                        assert_int_equal(!!(p->known[1].marks & ALERT_MISTAKE), cases[i].pin);
                        assert_int_equal(phone_alert(p).alert.pressed_at_s, UTC0 / 1000 + 20);
                }
                if (cases[i].kind == ALERT_SILENT)
                        assert_int_equal(p->status.alert.word, VIGIE_NOTHING);
                else
                        assert_int_equal(p->status.alert.word, anew ? VIGIE_RECEIVED : VIGIE_CLOSED);
                phone_free(p);
        }
}

/* It dies between any two actions of learning so: what was pressed again is not gone with that. */
static void dies_behind_a_close(void **state)
{
        bool whole = false;

        for (long n = 0; !whole; n++) {
                struct phone *p = phone_started();

                p->unfinished_lost = false;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 20000);
                p->region = false;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 3000);
                p->actions_left = n;
                phone_receipt(p, RECEIPT_CLOSED_OTHER, 900, "Zoe");
                whole = !p->dead;
                if (!whole)
                        phone_start(p);
                assert_int_not_equal(p->status.alert.word, VIGIE_CLOSED);
                assert_int_not_equal(p->status.alert.word, VIGIE_NOTHING);
                phone_free(p);
        }
}

/* Set back to its backup, where the alert was open, it is pressed before the region can say that this was closed meanwhile, with
 * revisions that the phone has forgotten: that press is a new one, whatever the two clocks say; one that was confirmed is not.  Where the
 * region knows no revision the clocks decide. */
static void pressed_after_a_close(void **state)
{
        static const struct {
                bool confirmed, older;
                uint16_t revision;
                int alerts;
        } cases[] = { { false, false, 500, 2 },
                      { true, false, 500, 1 },
                      { false, true, 500, 2 },
                      { false, false, UINT16_MAX, 2 },
                      { false, true, UINT16_MAX, 1 } };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct phone *p = phone_started();
                struct receipt r = { .version = 900, .state = RECEIPT_CLOSED_OTHER, .revision = cases[i].revision };
                struct frame frame = { .type = FRAME_RECEIPT };
                uint8_t octets[RECEIPT_MAX];

                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 20000);
                r.alert = p->known[0].id;
                r.time_s = (uint32_t)(p->utc_ms / 1000) + (cases[i].older ? 5 : -5);
                p->region = cases[i].confirmed;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 3000);
                p->region = true;
                frame.u.cose.cose = (struct cbor_span){ octets, receipt_octets(&r, receipt_key, octets) };
                phone_frame(p, &frame);
                phone_run(p, 3000);
                assert_int_equal(p->known_count, cases[i].alerts);
                phone_free(p);
        }
}

static void receipt_of(struct phone *p, uint8_t state, uint16_t revision)
{
        struct receipt r = {
                .alert = p->known[0].id, .version = 900u + revision, .state = state, .revision = revision
        };
        struct frame frame = { .type = FRAME_RECEIPT };
        uint8_t octets[RECEIPT_MAX];

        r.time_s = (uint32_t)(p->utc_ms / 1000);
        frame.u.cose.cose = (struct cbor_span){ octets, receipt_octets(&r, receipt_key, octets) };
        phone_frame(p, &frame);
}

/* A PIN is given, and the region has not said that it knows when the alert is closed: that is said on, by the link and, where that is down, by SMS,
 * until it is known, answered three times, or five minutes are over; duress and a mistake alike.  No new position goes with it. */
enum late { LATE_ANSWERED, LATE_KNOWN, LATE_SILENT, LATE_DISMISSED, LATE_SMS, LATE_END };

static struct phone *late_pin_of(enum late how, uint8_t pin)
{
        struct phone *p = phone_started();
        struct alert_signed said;
        uint16_t known;

        p->unfinished_lost = false;
        phone_modem(p, VIGIE_MODEM_READY);
        phone_fix(p, 45.76, 4.83, 8);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 4000);
        known = p->known[0].revision;
        p->region = false;
        phone_pin(p, pin);
        receipt_of(p, RECEIPT_CLOSED_OTHER, known);
        assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
        phone_mark(p);
        p->sms_lost = true;
        if (how == LATE_SMS)
                phone_network(p, false);
        if (how == LATE_DISMISSED)
                phone_just(p, VIGIE_ON_DISMISS);
        phone_fix(p, 45.80, 4.90, 8);
        phone_run(p, 2000);
        if (how == LATE_SMS) {
                const struct vigie_action *sms = &phone_did(p, VIGIE_DO_SEND_SMS, 0)->action;

                assert_int_equal(alert_read((struct cbor_span){ sms->data, sms->len }, &said, NULL), 0);
        } else {
                assert_in_range(phone_sent_count(p, FRAME_ALERT), 1, 3);
                said = phone_alert(p);
        }
        assert_int_equal(said.alert.marks & (ALERT_MISTAKE | ALERT_DURESS),
                         pin == VIGIE_PIN_DURESS ? ALERT_DURESS : ALERT_MISTAKE);
        assert_int_equal(said.alert.lat_e7, 457600000);
        for (int i = 0; i < 3 && how <= LATE_KNOWN; i++)
                receipt_of(p, RECEIPT_CLOSED_OTHER, how == LATE_KNOWN ? known + 1 : known);
        if (how <= LATE_KNOWN)
                phone_mark(p);
        phone_run(p, VIGIE_PIN_LATE_MS);
        if (how <= LATE_KNOWN)
                assert_int_equal(phone_sent_count(p, FRAME_ALERT), 0);
        else
                assert_true(phone_sent_count(p, FRAME_ALERT) + phone_count(p, VIGIE_DO_SEND_SMS) >= 4);
        phone_mark(p);
        phone_run(p, VIGIE_PIN_LATE_MS);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT) + phone_count(p, VIGIE_DO_SEND_SMS), 0);
        phone_start(p);
        phone_run(p, 60000);
        assert_int_equal(phone_sent_count(p, FRAME_ALERT) + phone_count(p, VIGIE_DO_SEND_SMS), 0);
        return p;
}

static void late_pin(void **state)
{
        for (enum late how = 0; how < LATE_END; how++) {
                struct phone *mistake = late_pin_of(how, VIGIE_PIN_RIGHT);
                struct phone *duress = late_pin_of(how, VIGIE_PIN_DURESS);

                assert_memory_equal(&mistake->status, &duress->status, sizeof(mistake->status));
                assert_int_equal(mistake->did_count, duress->did_count);
                for (size_t i = 0; i < mistake->did_count; i++) {
                        const struct did *a = &mistake->did[i], *b = &duress->did[i];

                        assert_int_equal(a->action.type, b->action.type);
                        assert_int_equal(a->action.len, b->action.len);
                        assert_int_equal(a->at_mono_ms, b->at_mono_ms);
                }
                phone_free(mistake);
                phone_free(duress);
        }
}

/* One answer more or less: of three that came before the word was in a revision none counts. */
static void late_pin_answers(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 4000);
        p->region = p->signs = false;
        phone_pin(p, VIGIE_PIN_DURESS);
        for (int i = 0; i < 3; i++)
                receipt_of(p, RECEIPT_CLOSED_OTHER, p->known[0].revision);
        p->signs = true;
        phone_mark(p);
        phone_run(p, 2000);
        for (int i = 0; i < 2; i++)
                receipt_of(p, RECEIPT_CLOSED_OTHER, p->known[0].revision);
        assert_true(phone_sent_count(p, FRAME_ALERT) >= 1);
        phone_mark(p);
        phone_run(p, 10000);
        assert_true(phone_sent_count(p, FRAME_ALERT) >= 1);
        phone_free(p);
}

/* Set back, it hears of a revision that it has forgotten: that says nothing of what was pressed since, which goes into one above. */
static void counts_on(void **state)
{
        for (int has_it = 0; has_it < 2; has_it++) {
                struct phone *p = phone_started();
                uint16_t before;

                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 20000);
                p->region = false;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 3000);
                before = phone_alert(p).alert.revision;
                assert_true(before < 500);
                receipt_of(p, RECEIPT_TAKEN, 500);
                phone_run(p, 3000);
                assert_int_equal(phone_alert(p).alert.revision, 501);
                assert_true(phone_alert(p).alert.marks & ALERT_PRESSED_AGAIN);
                p->region = true;
                receipt_of(p, RECEIPT_CLOSED_OTHER, has_it ? 501 : 500);
                phone_run(p, 3000);
                assert_int_equal(p->known_count, has_it ? 1 : 2);
                phone_free(p);
        }
}

/* The region had that press when it closed, whatever was sent after it; or had confirmed it, whatever it remembers. */
static void pressed_again_before_a_close(void **state)
{
        for (int confirmed = 0; confirmed < 2; confirmed++) {
                struct phone *p = phone_started();

                p->unfinished_lost = false;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 20000);
                p->region = confirmed;
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                phone_run(p, 500);
                p->known[0].revision = confirmed ? 0 : phone_alert(p).alert.revision;
                p->region = false;
                phone_fix(p, 45.76, 4.83, 5);
                if (!confirmed)
                        phone_pin(p, VIGIE_PIN_RIGHT);
                phone_run(p, 3000);
                if (confirmed)
                        phone_start(p);
                phone_receipt(p, RECEIPT_CLOSED_OTHER, 900, "Zoe");
                assert_int_equal(p->status.alert.word, VIGIE_CLOSED);
                phone_free(p);
        }
}

/* The algorithm of the protected header changed, and the signature over it right. */
static void resign_with_alg(uint8_t *octets, size_t len, uint8_t alg)
{
        uint8_t tbs[256];
        struct cose_sign1 message;
        struct cbor_writer w;

        octets[4] = alg;
        assert_int_equal(cose_sign1_parse((struct cbor_span){ octets, len }, COSE_OURS, &message, NULL), 0);
        assert_int_equal(message.alg, -7);
        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert_int_equal(cose_sig_structure(&message, CBOR_LITERAL(RECEIPT_AAD), &w), 0);
        toy_sign(receipt_key, 32, cbor_written(&w), octets + len - 64);
}

/* A receipt of another key, altered, of another use, or before any trust list, changes nothing and is counted. */
static void forged(void **state)
{
        uint8_t octets[RECEIPT_MAX];
        struct frame frame = { .type = FRAME_RECEIPT };
        struct receipt r = { .version = 9, .state = RECEIPT_TAKEN, .time_s = UTC0 / 1000, .who = "Mallory" };

        for (int how = 0; how < 6; how++) {
                struct phone *p = phone_new();
                size_t len;

                p->region = false;
                if (how == 3)
                        p->options.trust_len = 0;
                phone_start(p);
                phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
                memcpy(r.alert.octets, p->status.alert.id, ALERT_ID_SIZE);
                len = receipt_octets(&r, how == 1 ? root_key : how == 2 ? position_key : receipt_key, octets);
                octets[len - 70] ^= how == 0;
                if (how == 4)
                        octets[4 + 1 + 2 + 3] ^= 1; /* the kid */
                if (how == 5)
                        resign_with_alg(octets, len, 0x26); /* ES256, where the list says EdDSA */
                frame.u.cose.cose = (struct cbor_span){ octets, len };
                phone_frame(p, &frame);
                assert_int_equal(p->status.alert.word, VIGIE_SENT);
                assert_true(p->status.alert.trying);
                assert_int_equal(p->status.refused, 1);
                phone_free(p);
        }
}

static void of_another_alert(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        p->known[0].id.octets[9] ^= 1;
        phone_receipt(p, RECEIPT_TAKEN, 9, "W");
        assert_int_equal(p->status.alert.word, VIGIE_RECEIVED);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(out_of_order),
                cmocka_unit_test(two_are_coming),
                cmocka_unit_test(closed_long_ago),
                cmocka_unit_test(late_pin),
                cmocka_unit_test(late_pin_answers),
                cmocka_unit_test(pressed_again_behind_a_close),
                cmocka_unit_test(dies_behind_a_close),
                cmocka_unit_test(pressed_after_a_close),
                cmocka_unit_test(counts_on),
                cmocka_unit_test(pressed_again_before_a_close),
                cmocka_unit_test(forged),
                cmocka_unit_test(of_another_alert),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
