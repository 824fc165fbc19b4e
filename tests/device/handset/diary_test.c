#include <errno.h>

#include "base/entry.h"
#include "tests/device/handset/phone.h"

/* A whole life: duty, a touch let go, a touch held, better fixes, a PIN, no network, taken, closed, still, a drill. */
static void life(struct phone *p)
{
        phone_modem(p, VIGIE_MODEM_READY);
        phone_fix(p, 45.76, 4.83, 8);
        phone_duty(p, true);
        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        phone_run(p, 400);
        phone_press(p, VIGIE_TOUCH_UP, VIGIE_PRESS_LOUD);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { VIGIE_DEADLINE_SET, 600 } });
        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        phone_run(p, 1200);
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_CATEGORY, .u.category = 2 });
        phone_fix(p, 45.761, 4.83, 8);
        phone_run(p, 3000);
        phone_network(p, false);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        phone_run(p, 2000);
        p->network = true;
        phone_run(p, 3000);
        if (p->known_count > 1 && !p->dead)
                phone_receipt(p, RECEIPT_TAKEN, 40, "Amina");
        phone_pin(p, VIGIE_PIN_DURESS);
        phone_run(p, 12000);
        if (p->known_count > 1 && !p->dead) {
                p->known[p->known_count - 1].closed = true;
                phone_receipt(p, RECEIPT_CLOSED_OTHER, 99, "Bob");
        }
        phone_just(p, VIGIE_ON_STILL);
        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_DRILL);
        phone_run(p, 500);
        phone_duty(p, false);
        phone_run(p, 2000);
}

/* The nonces that the journal says are open: what must come to the region. */
struct expected {
        uint8_t nonce[ALERTS_MAX][ALERT_NONCE_SIZE];
        size_t count;
};

static void expect_record(struct expected *e, const struct phone_record *record, uint8_t last[4][ALERT_NONCE_SIZE])
{
        struct cbor_reader r;
        uint64_t subject;

        cbor_reader_init(&r, (struct cbor_span){ record->octets, record->len });
        cbor_enter_array(&r);
        cbor_read_uint(&r, 1);
        subject = cbor_read_uint(&r, 8);
        cbor_read_uint(&r, UINT32_MAX);
        if (subject == 3) { /* the touch */
                bool down = cbor_read_bool(&r);

                cbor_read_uint(&r, 9);
                memset(last[3], 0, ALERT_NONCE_SIZE);
                if (down)
                        cbor_read_octets(&r, last[3], ALERT_NONCE_SIZE);
        } else if (subject < 2) {
                uint64_t state = cbor_read_uint(&r, 2);

                memset(last[subject], 0, ALERT_NONCE_SIZE);
                if (state == 1)
                        cbor_read_octets(&r, last[subject], ALERT_NONCE_SIZE);
        }
}

static struct expected expect(const struct phone *p)
{
        uint8_t last[4][ALERT_NONCE_SIZE] = { 0 }, none[ALERT_NONCE_SIZE] = { 0 };
        struct expected e = { 0 };

        for (size_t i = 0; i < p->record_count; i++)
                if (p->records[i].durable || !p->unfinished_lost)
                        expect_record(&e, &p->records[i], last);
        for (int s = 0; s < 4; s++)
                if (memcmp(last[s], none, sizeof(none)) != 0 &&
                    (s != 3 || memcmp(last[0], none, sizeof(none)) == 0)) /* a touch during an alert adds to it */
                        memcpy(e.nonce[e.count++], last[s], ALERT_NONCE_SIZE);
        return e;
}

static bool region_has(const struct phone *p, const uint8_t nonce[ALERT_NONCE_SIZE])
{
        for (size_t i = 0; i < p->known_count; i++)
                if (memcmp(p->known[i].id.octets + 8, nonce, ALERT_NONCE_SIZE) == 0)
                        return true;
        return false;
}

/* Nothing is said to be received that the region does not have. */
static void words_are_true(const struct phone *p)
{
        if (p->status.alert.word > VIGIE_SENT)
                assert_true(region_has(p, p->status.alert.id + 8));
}

/* The phone dies after its nth action, for every n, with what was not synced lost or not; it comes back without
 * network, then with data, or with SMS alone.  What the journal had is at the region; nothing is said before it is true; nothing is raised
 * twice. */
static void killed_at_every_action(void **state)
{
        long n = 0;
        bool whole = false;

        for (; !whole; n++) {
                for (int i = 0; i < 4; i++) {
                        struct phone *p = phone_new();
                        struct expected e;

                        p->unfinished_lost = i & 1;
                        phone_start(p);
                        p->actions_left = n;
                        life(p);
                        whole = !p->dead;
                        e = expect(p);
                        p->network = false;
                        p->utc_ms += 5000;
                        p->mono_ms = 500; /* a reboot; SMS under way are lost */
                        p->later_count = 0;
                        phone_start(p);
                        words_are_true(p);
                        phone_run(p, 3000);
                        words_are_true(p);
                        p->network = i < 2;
                        if (i >= 2)
                                phone_modem(p, VIGIE_MODEM_READY);
                        phone_run(p, 130000);
                        words_are_true(p);
                        for (size_t k = 0; k < e.count; k++)
                                assert_true(region_has(p, e.nonce[k]));
                        assert_true(p->status.alert.word == VIGIE_NOTHING || p->status.alert.word >= VIGIE_RECEIVED);
                        phone_free(p);
                }
        }
        assert_true(n > 80); /* that many actions make a life */
}

/* A finger held down is written, and its alert leaves at once; the phone dies before the alert's own record is durable.  What it sends
 * then is a later revision: the region has one of that number already, of another place. */
static void killed_after_a_touch(void **state)
{
        struct phone *p = phone_started();
        struct alert_signed a;
        struct frame frame;
        size_t before, count;

        p->unfinished_lost = true;
        phone_press(p, VIGIE_TOUCH_DOWN, VIGIE_PRESS_LOUD);
        p->journal_silent = true;
        phone_run(p, VIGIE_HOLD_MS + 500);
        before = phone_sent_count(p, FRAME_ALERT);
        assert_int_equal(p->known_count, 1);
        p->journal_silent = false;
        phone_start(p);
        phone_fix(p, 45.76, 4.83, 5);
        phone_run(p, 5000);
        assert_int_equal(p->known_count, 1);
        count = phone_sent_count(p, FRAME_ALERT);
        assert_true(count > before);
        for (size_t i = before; i < count; i++) {
                phone_sent(p, FRAME_ALERT, i, &frame);
                assert_int_equal(alert_read(frame.u.cose.cose, &a, NULL), 0);
                assert_true(a.alert.revision > before);
        }
        phone_free(p);
}

/* And dies again at every action of coming back. */
static void killed_twice(void **state)
{
        for (long first = 5; first < 120; first += 7) {
                for (long second = 0; second < 25; second++) {
                        struct phone *p = phone_new();
                        struct expected e;

                        phone_start(p);
                        p->actions_left = first;
                        life(p);
                        e = expect(p);
                        phone_start(p);
                        p->actions_left = second;
                        phone_run(p, 5000);
                        phone_start(p);
                        phone_run(p, 130000);
                        for (size_t i = 0; i < e.count; i++)
                                assert_true(region_has(p, e.nonce[i]));
                        phone_free(p);
                }
        }
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static size_t file_write(const struct phone *p, uint8_t *file, size_t size, size_t *ends)
{
        struct entry_chain chain;
        size_t len = ENTRY_HEADER_SIZE;

        assert_int_equal(entry_header_encode("HAND", 0, file, &chain), 0);
        for (size_t i = 0; i < p->record_count; i++) {
                struct entry_out out = { file + len, size - len };
                size_t one;

                assert_int_equal(entry_encode(&chain, p->records[i].octets, p->records[i].len, out, &one), 0);
                len += one;
                ends[i] = len;
        }
        return len;
}

static size_t file_read(struct phone *p, const uint8_t *file, size_t len)
{
        struct entry_chain chain;
        struct entry entry;
        size_t at = ENTRY_HEADER_SIZE;

        p->record_count = 0;
        if (entry_header_decode(file, len, "HAND", &chain) < 0)
                return 0;
        while (entry_next(&chain, file + at, len - at, &entry) == ENTRY_FOUND) {
                struct phone_record *r = &p->records[p->record_count++];

                memcpy(r->octets, entry.payload, entry.payload_len);
                r->len = entry.payload_len;
                r->durable = true;
                at += entry.size;
        }
        return p->record_count;
}

/* The journal cut at every octet: the whole records before the cut are what counts. */
static void journal_cut_at_every_octet(void **state)
{
        static uint8_t file[1 << 18];
        static size_t ends[RECORDS_MAX];
        struct phone *p = phone_started(), *cut = phone_new();
        size_t len, records = 0;

        life(p);
        len = file_write(p, file, sizeof(file), ends);
        assert_true(p->record_count > 20);
        for (size_t at = 0; at <= len; at++) {
                struct expected e;

                while (records < p->record_count && ends[records] <= at)
                        records++;
                assert_int_equal(file_read(cut, file, at), records);
                e = expect(cut);
                cut->did_count = cut->pool_len = cut->known_count = 0;
                cut->mono_ms = MONO0;
                cut->utc_ms = p->utc_ms;
                cut->network = true;
                phone_start(cut);
                phone_run(cut, 3000);
                assert_true(cut->known_count >= e.count);
                for (size_t i = 0; i < e.count; i++)
                        assert_true(region_has(cut, e.nonce[i]));
        }
        phone_free(p);
        phone_free(cut);
}

/* Records cut or altered: refused or read, never more than that; one of a newer format is said to be so. */
static void records_altered(void **state)
{
        struct phone *p = phone_started(), *other = phone_new();
        uint8_t octets[VIGIE_RECORD_MAX];

        life(p);
        assert_int_equal(vigie_init(other->vigie, &other->options), 0);
        for (size_t i = 0; i < p->record_count; i++) {
                struct phone_record *r = &p->records[i];

                for (size_t len = 0; len < r->len; len++)
                        assert_int_equal(vigie_restore(other->vigie, r->octets, len), -EBADMSG);
                for (size_t bit = 0; bit < r->len * 8; bit++) {
                        memcpy(octets, r->octets, r->len);
                        octets[bit / 8] ^= 1 << bit % 8;
                        vigie_restore(other->vigie, octets, r->len);
                        vigie_keep(other->vigie, octets, r->len);
                }
                memcpy(octets, r->octets, r->len);
                octets[1] = 2;
                assert_int_equal(vigie_restore(other->vigie, octets, r->len), -EPROTONOSUPPORT);
                assert_false(vigie_keep(other->vigie, octets, r->len));
        }
        phone_event(other, (struct vigie_event){ .type = VIGIE_ON_START });
        phone_run(other, 60000);
        assert_int_equal(vigie_restore(other->vigie, p->records[0].octets, p->records[0].len), -EINVAL);
        phone_free(p);
        phone_free(other);
}

/* ---- compaction -------------------------------------------------------------------------------------------------- */

/* Compacted after any action and restarted: as if it had not been compacted, but for what is closed. */
static void compacted_at_every_action(void **state)
{
        bool whole = false;

        for (long n = 0; !whole; n++) {
                struct phone *p = phone_new(), *q = phone_new();

                for (int i = 0; i < 2; i++) {
                        struct phone *one = i ? q : p;

                        one->unfinished_lost = false;
                        phone_start(one);
                        one->actions_left = n;
                        life(one);
                        whole = !one->dead;
                        if (i)
                                phone_compact(one);
                        one->network = false;
                        phone_start(one);
                }
                if (p->status.alert.word == VIGIE_CLOSED)
                        memset(&p->status.alert, 0, sizeof(p->status.alert));
                if (q->status.alert.word == VIGIE_CLOSED)
                        memset(&q->status.alert, 0, sizeof(q->status.alert));
                assert_memory_equal(&p->status, &q->status, sizeof(p->status));
                assert_true(q->record_count <= 16);
                phone_free(p);
                phone_free(q);
        }
}

static void closed_alerts_go(void **state)
{
        struct phone *p = phone_started();

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        for (int i = 0; i < 40; i++)
                phone_pin(p, VIGIE_PIN_RIGHT);
        phone_compact(p);
        assert_int_equal(p->record_count, 1);
        phone_receipt(p, RECEIPT_CLOSED_HELPED, 99, "A");
        phone_compact(p);
        assert_int_equal(p->record_count, 2); /* until the newest is durable, the one before it stays */
        phone_event(p, (struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline = { VIGIE_DEADLINE_SET, 600 } });
        phone_compact(p);
        assert_int_equal(p->record_count, 1);
        phone_free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(killed_at_every_action),     cmocka_unit_test(killed_twice),
                cmocka_unit_test(journal_cut_at_every_octet), cmocka_unit_test(records_altered),
                cmocka_unit_test(compacted_at_every_action),  cmocka_unit_test(closed_alerts_go),
                cmocka_unit_test(killed_after_a_touch),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
