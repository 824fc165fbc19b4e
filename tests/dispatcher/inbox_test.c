/* The inbox: what goes next to a session, and what is worth writing down. */
#include "dispatcher/inbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/signing.h"

static uint8_t parcel[ORDER_BESIDE_MAX + 1];

static struct cbor_span signed_order(uint32_t number, uint8_t to[ORDER_MAX])
{
        static const uint8_t kid[KEY_KID_SIZE];
        struct order order = {
                .handset = { "handset" }, .enrolment = "enrolled", .number = number, .kind = ORDER_PASS
        };
        struct cbor_writer w;
        struct key *key;

        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        cbor_writer_init(&w, to, ORDER_MAX);
        assert_int_equal(order_sign(&order, kid, key, &w), 0);
        key_free(key);
        return cbor_written(&w);
}

static struct inbox_order *order_new(uint32_t number, size_t beside)
{
        uint8_t octets[ORDER_MAX];
        struct inbox_order *order = NULL;

        assert_int_equal(
                inbox_order_new("1-1", signed_order(number, octets), (struct cbor_span){ parcel, beside }, &order), 0);
        return order;
}

static struct inbox_peer peer_of(struct inbox_order *order)
{
        struct inbox_peer peer = { .handset = "handset", .told = true, .known = true, .order = order };

        memcpy(peer.vault.enrolment, "enrolled", 8);
        peer.vault.state = VAULT_LOCKED;
        return peer;
}

/* The order, then what comes beside it piece by piece, then nothing until it is time to say it again; then it is given up. */
static void test_order_and_pieces(void **state)
{
        const uint32_t len = 2 * FRAME_PART_MAX + 3;
        struct inbox_peer peer = peer_of(order_new(7, len));
        struct inbox_list none = { 0 };
        struct frame f;

        for (int64_t now = 0; now < INBOX_TRIES_MAX * INBOX_AGAIN_MS; now += INBOX_AGAIN_MS) {
                assert_true(inbox_next(&peer, &none, now, &f));
                assert_int_equal(f.type, FRAME_ORDER);
                assert_int_equal(f.u.order.beside, len);
                for (uint32_t offset = 0; offset < len; offset += FRAME_PART_MAX) {
                        assert_true(inbox_next(&peer, &none, now, &f));
                        assert_int_equal(f.type, FRAME_PART);
                        assert_int_equal(f.u.part.number, 7);
                        assert_int_equal(f.u.part.offset, offset);
                        assert_int_equal(f.u.part.octets.len, offset < 2 * FRAME_PART_MAX ? FRAME_PART_MAX : 3);
                        assert_memory_equal(f.u.part.octets.at, parcel + offset, f.u.part.octets.len);
                }
                assert_false(inbox_next(&peer, &none, now + INBOX_AGAIN_MS - 1, &f));
                assert_non_null(peer.order);
                assert_true(inbox_has_work(&peer, &none));
        }
        assert_false(inbox_next(&peer, &none, INBOX_TRIES_MAX * INBOX_AGAIN_MS, &f));
        assert_null(peer.order);
        assert_false(inbox_has_work(&peer, &none));
}

/* The newest are told, oldest first, in whatever order they are read; one more than may be, and what is too old, is not. */
static void test_opened(void **state)
{
        const int64_t now_ms = INT64_C(1767225600000), term_ms = now_ms - OPENED_KEPT_MS;
        struct inbox_opened opened = { 0 };

        inbox_opened_add(&opened, &(struct opened_entry){ term_ms - 1, OPENED_ALERT }, now_ms);
        assert_int_equal(opened.count, 0);
        for (int64_t i = 0; i < OPENED_MAX; i++) /* 0, 7, 14, 5 ...: each once */
                inbox_opened_add(&opened, &(struct opened_entry){ term_ms + i * 7 % OPENED_MAX, OPENED_OVERDUE }, now_ms);
        assert_int_equal(opened.count, OPENED_MAX);
        for (int64_t i = 0; i < OPENED_MAX; i++)
                assert_int_equal(opened.entries[i].at_ms, term_ms + i);
        inbox_opened_add(&opened, &(struct opened_entry){ term_ms + 3, OPENED_TIMER }, now_ms);
        inbox_opened_add(&opened, &(struct opened_entry){ now_ms, OPENED_ALERT }, now_ms);
        inbox_opened_add(&opened, &(struct opened_entry){ term_ms, OPENED_ALERT }, now_ms);
        assert_int_equal(opened.count, OPENED_MAX);
        assert_int_equal(opened.entries[0].at_ms, term_ms + 2);
        assert_int_equal(opened.entries[2].why, OPENED_TIMER);
        assert_int_equal(opened.entries[OPENED_MAX - 1].at_ms, now_ms);
}

/* As much as may be, and one octet more; what is no order. */
static void test_bounds(void **state)
{
        uint8_t octets[ORDER_MAX];
        struct cbor_span cose = signed_order(7, octets);
        struct inbox_order *order = NULL;

        assert_int_equal(inbox_order_new("1-1", cose, (struct cbor_span){ parcel, sizeof(parcel) }, &order), -EBADMSG);
        assert_int_equal(inbox_order_new("1-1", cose, (struct cbor_span){ parcel, ORDER_BESIDE_MAX }, &order), 0);
        assert_int_equal(order->beside_len, ORDER_BESIDE_MAX);
        inbox_order_free(order);
        cose.len--;
        assert_int_equal(inbox_order_new("1-1", cose, (struct cbor_span){ 0 }, &order), -EBADMSG);
        assert_int_equal(inbox_order_new("1-1", (struct cbor_span){ 0 }, (struct cbor_span){ 0 }, &order), -EBADMSG);
        inbox_order_free(NULL);
}

static void test_whose(void **state)
{
        struct inbox_peer peer = peer_of(NULL);
        struct order order = { .handset = { "handset" }, .enrolment = "enrolled", .number = 7 };

        assert_true(inbox_is_for(&peer, &order));
        peer.vault.taken = 6;
        assert_true(inbox_is_for(&peer, &order));
        peer.vault.taken = 7;
        assert_false(inbox_is_for(&peer, &order));
        peer.vault.taken = 0;
        order.enrolment[0] ^= 1;
        assert_false(inbox_is_for(&peer, &order));
        order.enrolment[0] ^= 1;
        order.handset.octets[0] ^= 1;
        assert_false(inbox_is_for(&peer, &order));
}

/* The session of the phone before, not ended yet, does not cost the new one its orders. */
static void test_what_is_dropped(void **state)
{
        struct inbox_peer peer = peer_of(NULL);
        struct order order = { .handset = { "handset" }, .enrolment = "enrolled", .number = 7 };
        uint8_t now[ENROLMENT_SIZE];

        memcpy(now, order.enrolment, sizeof(now));
        assert_true(inbox_is_waste(&peer, &order, now)); /* its own, done */
        peer.vault.enrolment[0] ^= 1;
        assert_false(inbox_is_waste(&peer, &order, now));
        assert_true(inbox_is_waste(&peer, &order, NULL));
        now[0] ^= 1;
        assert_true(inbox_is_waste(&peer, &order, now)); /* of neither */
        now[0] ^= 1;
        order.handset.octets[0] ^= 1;
        assert_true(inbox_is_waste(&peer, &order, now));
}

/* The list goes once in a session to a phone with a vault whose list is older; a newer one begins it anew. */
static void test_list(void **state)
{
        struct inbox_peer peer = peer_of(NULL);
        struct inbox_list list = { 100, parcel, FRAME_PART_MAX + 1 };
        struct frame f;

        for (int round = 0; round < 2; round++, list.issued_s++) {
                assert_true(inbox_next(&peer, &list, 0, &f));
                assert_int_equal(f.type, FRAME_LIST);
                assert_int_equal(f.u.list.offset, 0);
                if (round == 0) { /* a newer one in the middle */
                        list.issued_s++;
                        assert_true(inbox_next(&peer, &list, 0, &f));
                        assert_int_equal(f.u.list.offset, 0);
                }
                assert_int_equal(f.u.list.issued_s, list.issued_s);
                assert_true(inbox_has_work(&peer, &list));
                assert_true(inbox_next(&peer, &list, 0, &f));
                assert_int_equal(f.u.list.offset, FRAME_PART_MAX);
                assert_int_equal(f.u.list.octets.len, 1);
                assert_false(inbox_next(&peer, &list, 0, &f));
                assert_false(inbox_has_work(&peer, &list));
        }
        peer = peer_of(NULL);
        peer.vault.list_s = list.issued_s;
        assert_false(inbox_next(&peer, &list, 0, &f));
        peer.vault.list_s = 0;
        peer.vault.state = VAULT_NONE;
        assert_false(inbox_next(&peer, &list, 0, &f));
        peer = peer_of(NULL);
        peer.told = false;
        assert_false(inbox_next(&peer, &list, 0, &f));
}

static void test_merge(void **state)
{
        struct vault_entry held = {
                .enrolment = "enroll", .state = VAULT_LOCKED, .taken = 5, .result = 1, .told_at_ms = 1
        };
        struct vault_entry told = held;

        told.taken = told.result = 0;
        told.told_at_ms = 2;
        assert_true(inbox_vault_merge(&told, NULL));
        assert_false(inbox_vault_merge(&told, &held));
        assert_int_equal(told.taken, 5);
        assert_int_equal(told.result, 1);
        told.state = VAULT_OPEN; /* one to the desk */
        assert_false(inbox_vault_merge(&told, &held));
        told.state = VAULT_DESTROYED;
        assert_true(inbox_vault_merge(&told, &held));
        told = held;
        told.has_challenge = true;
        assert_true(inbox_vault_merge(&told, &held));
        told = held;
        told.key[63] = 1;
        assert_true(inbox_vault_merge(&told, &held));
        told = held;
        told.taken = 0;
        told.enrolment[0] ^= 1;
        assert_true(inbox_vault_merge(&told, &held));
        assert_int_equal(told.taken, 0); /* another phone's */
}

static void test_confirm(void **state)
{
        struct vault_entry held = { .enrolment = "enroll", .state = VAULT_LOCKED, .taken = 5 };
        struct confirm confirm = { .enrolment = "enroll", .number = 5, .result = 1 };

        assert_false(inbox_confirm(&held, &confirm));
        confirm.number = 6;
        assert_true(inbox_confirm(&held, &confirm));
        assert_int_equal(held.taken, 6);
        assert_int_equal(held.result, 1);
        assert_int_equal(held.state, VAULT_LOCKED);
        confirm.enrolment[0] ^= 1;
        confirm.number = 1;
        assert_true(inbox_confirm(&held, &confirm));
        assert_int_equal(held.taken, 1);
        assert_int_equal(held.state, VAULT_NONE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order_and_pieces),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_opened),
                cmocka_unit_test(test_whose), cmocka_unit_test(test_what_is_dropped),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_merge),
                cmocka_unit_test(test_confirm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
