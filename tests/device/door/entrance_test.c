/* What a door decides beyond pass_verify(): replay in each mode, its clock, status lists, the bound on refusals. */
#include "tests/device/door/entrance.h"

#include <errno.h>
#include <fcntl.h>

static struct post p; /* 0.5 MB: no stack's */

static void good_and_replayed_nfc(void **state)
{
        struct bytes first;

        post_make(&p, DOOR_NFC);
        assert_int_equal(post_start(&p), 0);
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_true(p.opened);
        assert_int_equal(p.opens, 1);
        first = p.phone.presentation;
        assert_int_equal(post_show(&p, span_of(&first)), PASS_REPLAYED); /* the same hello once more */
        post_hello(&p);
        assert_int_equal(post_show(&p, span_of(&first)), PASS_UNPROVED); /* a recorded proof, another hello */
        p.region.proof.counter = 4; /* the next is 5, as the first was: counters only rise */
        assert_int_equal(post_visit(&p), PASS_REPLAYED);
        p.region.proof.counter = 100;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        p.region.proof.counter = 50;
        assert_int_equal(post_visit(&p), PASS_REPLAYED);

        post_stop(&p); /* and after a restart */
        assert_int_equal(post_start(&p), 0);
        p.region.proof.counter = 100;
        assert_int_equal(post_visit(&p), PASS_REPLAYED);
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_int_equal(p.opens, 3);
        post_remove(&p);
}

static void replayed_one_way(void **state)
{
        struct bytes first, second;

        post_make(&p, DOOR_SCANNER);
        assert_int_equal(post_start(&p), 0);
        assert_int_equal(post_visit(&p), PASS_GOOD);
        first = p.phone.presentation;
        assert_int_equal(post_show(&p, span_of(&first)), PASS_REPLAYED);
        p.phone.now_s += 15;
        p.clock_s += 15;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        second = p.phone.presentation;
        assert_int_equal(post_show(&p, span_of(&first)),
                         PASS_REPLAYED); /* the slot before is still good, the proof is not */
        post_stop(&p);
        assert_int_equal(post_start(&p), 0);
        assert_int_equal(post_show(&p, span_of(&second)), PASS_REPLAYED);
        p.clock_s += 31; /* a screenshot after its slot */
        assert_int_equal(post_show(&p, span_of(&second)), PASS_STALE);
        /* a clock that goes a day forward and back again makes nothing new of it */
        p.clock_s += 86400;
        assert_int_equal(post_show(&p, span_of(&second)), PASS_OVER);
        p.clock_s -= 86400 + 31;
        assert_int_equal(post_show(&p, span_of(&second)), PASS_REPLAYED);
        assert_int_equal(p.opens, 2);
        post_remove(&p);
}

/* A screenshot that was never shown here, before and after its time. */
static void screenshot(void **state)
{
        post_make(&p, DOOR_SCANNER);
        assert_int_equal(post_start(&p), 0);
        p.clock_s = NOW_S + 31;
        assert_int_equal(post_visit(&p), PASS_STALE);
        p.clock_s = NOW_S - 31;
        assert_int_equal(post_visit(&p), PASS_STALE);
        p.clock_s = NOW_S + 30;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        post_remove(&p);
}

static void clocks(void **state)
{
        post_make(&p, DOOR_NFC);
        assert_int_equal(post_start(&p), 0);

        p.clock_s = NOW_S - 3600; /* an hour slow: the pass has begun an hour before */
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_int_equal(entrance_now(&p.entrance, 0), p.region.pass.issued_at_s);
        p.clock_s = NOW_S + 3600;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        p.clock_s = NOW_S - 86400; /* never below what the pass was issued at, 4,000 s ago; it begins 3,600 s ago */
        assert_int_equal(post_visit(&p), PASS_NOT_YET);
        assert_int_equal(p.entrance.floor_s, p.region.pass.issued_at_s);
        p.region.pass.not_before_s = p.region.pass.issued_at_s; /* one that begins when it is issued opens */
        door_pass(&p.region);
        assert_int_equal(post_visit(&p), PASS_GOOD);
        p.clock_s = NOW_S + 86400;
        assert_int_equal(post_visit(&p), PASS_OVER);
        p.clock_s = INT32_MAX; /* 2038 */
        assert_int_equal(post_visit(&p), PASS_OVER);
        p.clock_s = 0; /* 1970 */
        assert_int_equal(post_visit(&p), PASS_GOOD);

        post_stop(&p); /* the floor comes back from the log */
        assert_int_equal(post_start(&p), 0);
        assert_int_equal(entrance_now(&p.entrance, 0), p.region.pass.issued_at_s);

        /* in 1970 the last shift's pass does not come to life again */
        p.region.pass.issued_at_s = NOW_S + 86400;
        p.region.pass.not_before_s = NOW_S + 86400;
        p.region.pass.not_after_s = NOW_S + 90000;
        door_pass(&p.region);
        p.clock_s = NOW_S + 86400;
        p.region.status.expires_s = p.entrance.list.unpacked.expires_s = UINT32_MAX;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        p.region.pass.issued_at_s = p.region.pass.not_before_s = NOW_S - 4000;
        p.region.pass.not_after_s = NOW_S + 3600;
        door_pass(&p.region);
        p.clock_s = 0;
        assert_int_equal(post_visit(&p), PASS_OVER);
        post_remove(&p);
}

/* What nobody has signed moves no clock. */
static void unsigned_moves_nothing(void **state)
{
        post_make(&p, DOOR_NFC);
        assert_int_equal(post_start(&p), 0);
        p.region.pass.issued_at_s = NOW_S + 1000000;
        door_pass(&p.region);
        p.region.signed_pass.at[p.region.signed_pass.len - 1] ^= 1;
        assert_int_equal(post_visit(&p), PASS_FORGED);
        assert_int_equal(p.entrance.floor_s, 0);
        assert_int_equal(p.opens, 0);
        post_remove(&p);
}

static void rubbish(void **state)
{
        static const uint8_t long_one[PRESENTATION_MAX + 1];

        post_make(&p, DOOR_SCANNER);
        assert_int_equal(post_start(&p), 0);
        assert_int_equal(post_show(&p, (struct cbor_span){ NULL, 0 }), PASS_MALFORMED);
        assert_int_equal(post_show(&p, CBOR_LITERAL("rubbish")), PASS_MALFORMED);
        assert_int_equal(post_show(&p, CBOR_OCTETS(long_one)), PASS_TOO_LONG);
        assert_int_equal(p.opens, 0);
        post_remove(&p);
}

/* ---- status lists */

static struct bytes_large {
        uint8_t at[4096];
        size_t len;
} list;

static struct cbor_span make_list(uint32_t issued_at_s, const uint8_t bits[8], const struct key *key,
                                  const uint8_t kid[KEY_KID_SIZE])
{
        struct status_list said = {
                .region = "lyon", .issued_at_s = issued_at_s, .expires_s = issued_at_s + 3600, .count = 64
        };

        SIGNED(&list, status_sign(&said, bits, kid, key, &w));
        return (struct cbor_span){ list.at, list.len };
}

static void lists(void **state)
{
        const uint8_t none[8] = { 0 }, eleven[8] = { 0, 8 };
        struct key *desk, *other;
        uint8_t kid[KEY_KID_SIZE];
        struct cbor_span newer;
        char path[128];

        post_make(&p, DOOR_NFC);
        assert_int_equal(key_generate(KEY_EDDSA, &desk), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        door_list_key(&p.region, TRUST_STATUS, desk, kid);
        assert_int_equal(post_start(&p), 0);

        newer = make_list(NOW_S - 10, eleven, other, kid);
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), -EKEYREJECTED);
        newer = make_list(NOW_S - 10, eleven, p.region.keeper, p.region.keeper_kid); /* the pass key is not for lists */
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), -ENOKEY);
        assert_int_equal(post_visit(&p), PASS_GOOD);

        newer = make_list(NOW_S - 10, eleven, desk, kid);
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), 1);
        assert_int_equal(post_visit(&p), PASS_REVOKED);
        assert_int_equal(p.entrance.floor_s, NOW_S - 10);
        assert_int_equal(access(folder_file(&p.folder, "status", path), R_OK), 0);
        newer = make_list(NOW_S - 11, none, desk, kid); /* an old list served */
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), 0);
        newer = make_list(NOW_S - 10, none, desk, kid); /* the same time, other bits */
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), 0);
        assert_int_equal(post_visit(&p), PASS_REVOKED);
        newer = make_list(NOW_S - 9, none, desk, kid);
        list.at[list.len - 1] ^= 1;
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), -EKEYREJECTED);
        newer = make_list(NOW_S - 9, none, desk, kid);
        strcpy(p.entrance.list.path, "/nowhere/status"); /* not durable: not taken */
        assert_int_equal(entrance_take_list(&p.entrance, newer, p.clock_s), -ENOENT);
        assert_int_equal(post_visit(&p), PASS_REVOKED);
        post_remove(&p);
        key_free(desk);
        key_free(other);
}

/* A list withheld: past its end nobody is let in, or everybody that is not revoked in it, said. */
static void list_withheld(void **state)
{
        post_make(&p, DOOR_NFC);
        assert_int_equal(post_start(&p), 0);
        p.clock_s = p.region.status.expires_s;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_false(p.verdict.degraded);
        p.clock_s++;
        assert_int_equal(post_visit(&p), PASS_LIST_TOO_OLD);
        p.entrance.degraded_ok = true;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_true(p.verdict.degraded);
        p.region.bits[1] = 8;
        assert_int_equal(post_visit(&p), PASS_REVOKED);
        p.entrance.list.status = NULL;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_true(p.verdict.degraded);
        p.entrance.degraded_ok = false;
        assert_int_equal(post_visit(&p), PASS_LIST_TOO_OLD);
        post_remove(&p);
}

/* ---- bounds */

static void refusals_bounded(void **state)
{
        struct chain_walk *walk = calloc(1, sizeof(*walk));

        assert_non_null(walk);
        post_make(&p, DOOR_SCANNER);
        assert_int_equal(post_start(&p), 0);
        for (int i = 0; i < ENTRANCE_REFUSALS_MAX + 7; i++)
                assert_int_equal(post_show(&p, CBOR_LITERAL("x")), PASS_MALFORMED);
        assert_int_equal(p.entrance.chain.number, ENTRANCE_REFUSALS_MAX);
        assert_int_equal(p.entrance.refusals.unwritten, 7);
        assert_int_equal(post_visit(&p), PASS_GOOD); /* who is let in is always written, and the count with it */
        assert_int_equal(p.entrance.chain.number, ENTRANCE_REFUSALS_MAX + 1);
        assert_int_equal(p.entrance.refusals.unwritten, 0);
        p.clock_s += ENTRANCE_REFUSALS_SPAN_S;
        assert_int_equal(post_show(&p, CBOR_LITERAL("x")), PASS_MALFORMED);
        assert_int_equal(p.entrance.chain.number, ENTRANCE_REFUSALS_MAX + 2);
        walk->folder = p.folder.path;
        walk->key = p.region.lock;
        walk->any_door = true;
        assert_int_equal(chain_walk(walk), 0);
        assert_int_equal(walk->last, ENTRANCE_REFUSALS_MAX + 2);
        free(walk);
        post_remove(&p);
}

static int stuck(void *user)
{
        return -EAGAIN;
}

static void not_opened(void **state)
{
        post_make(&p, DOOR_NFC);
        assert_int_equal(post_start(&p), 0);
        p.entrance.open = stuck;
        assert_int_equal(post_visit(&p), PASS_GOOD);
        assert_false(p.opened);
        close(p.entrance.chain.fd); /* the disk is gone */
        p.entrance.chain.fd = open("/dev/full", O_WRONLY);
        p.entrance.open = post_opens;
        assert_true(post_visit(&p) < 0);
        assert_int_equal(p.opens, 0);
        assert_int_equal(post_visit(&p), -EIO); /* for ever */
        post_remove(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(good_and_replayed_nfc),
                cmocka_unit_test(replayed_one_way),
                cmocka_unit_test(screenshot),
                cmocka_unit_test(clocks),
                cmocka_unit_test(unsigned_moves_nothing),
                cmocka_unit_test(rubbish),
                cmocka_unit_test(lists),
                cmocka_unit_test(list_withheld),
                cmocka_unit_test(refusals_bounded),
                cmocka_unit_test(not_opened),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
