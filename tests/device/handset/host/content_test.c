#include "tests/device/handset/host/round.h"

#include <stdlib.h>

#include "device/handset/host/content.h"
#include "device/handset/host/vault.h"

static struct round r;
static uint8_t octets[VAULT_BODY_MAX];

static struct content *fresh(void)
{
        struct content *c = NULL;

        assert_int_equal(content_new(&c), 0);
        return c;
}

/* again: as it is after a start: written, read. */
static struct content *again(struct content *c)
{
        struct cbor_writer w;
        struct content *read = NULL;

        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(content_write(c, &w), 0);
        content_free(c);
        assert_int_equal(content_read(cbor_written(&w), &read), 0);
        return read;
}

static void set_aside(struct content *c)
{
        struct cbor_writer w;

        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(content_write(c, &w), 0);
        content_written(c);
}

static struct cbor_span prove(struct content *c, uint8_t class, bool duress, struct cbor_span hello)
{
        static uint8_t shown[PRESENTATION_MAX];
        struct content_ask ask = { .building = r.region.here, .class = class, .time_s = NOW_S, .duress = duress, .hello = hello };
        struct cbor_writer w;

        cbor_writer_init(&w, shown, sizeof(shown));
        assert_int_equal(content_prove(c, &ask, &w), 0);
        return cbor_written(&w);
}

static void proofs(void **state)
{
        static const size_t counts[] = { 1, 2, 40, 400, SCOPE_BUILDINGS_MAX };

        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                struct content *c = fresh();
                struct cbor_span hello = span_of(&r.region.signed_hello), shown;

                round_make(&r, "pass--01", c->pass_public, counts[i]);
                assert_int_equal(content_take(c, round_parcel(&r)), 0);
                assert_int_equal(content_take(c, round_parcel(&r)), 0); /* a copy of the order */
                assert_int_equal(c->count, 1);
                set_aside(c);
                shown = prove(c, DOOR_PAGE, false, (struct cbor_span){ NULL, 0 });
                assert_int_equal(round_judge(&r, shown, DOOR_PAGE, (struct cbor_span){ NULL, 0 }), PASS_GOOD);
                assert_int_equal(round_judge(&r, shown, DOOR_SCANNER, (struct cbor_span){ NULL, 0 }), PASS_UNPROVED);
                shown = prove(c, DOOR_NFC, false, hello);
                assert_int_equal(round_judge(&r, shown, DOOR_NFC, hello), PASS_GOOD);
                content_free(c);
        }
}

/* 10,000 proofs, in no order: how long one is says nothing of how it was made: counters alone make them longer. */
static void lengths(void **state)
{
        struct content *c = fresh();
        size_t len[6] = { 0 };

        round_make(&r, "pass--01", c->pass_public, 4);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        for (uint32_t n = 0; n < 10000; n++) {
                size_t width = n < 24 ? 1 : n < 256 ? 2 : 3, got;

                if (c->passes[0]->counter >= c->passes[0]->reserved)
                        set_aside(c);
                got = prove(c, DOOR_PAGE, random() % 2 == 0, (struct cbor_span){ NULL, 0 }).len;
                if (len[width] == 0)
                        len[width] = got;
                assert_int_equal(got, len[width]);
        }
        assert_int_equal(len[2], len[1] + 1);
        assert_int_equal(len[3], len[1] + 2);
        content_free(c);
}

/* Normal and under duress: as long, good at the door, and told apart by the marker key alone. */
static void duress(void **state)
{
        struct content *c = fresh();
        uint8_t want[PASS_MARKER_SIZE];
        size_t len[2];

        round_make(&r, "pass--01", c->pass_public, 40);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        set_aside(c);
        for (int i = 0; i < 2; i++) {
                struct cbor_span shown = prove(c, DOOR_PAGE, i == 1, (struct cbor_span){ NULL, 0 });

                len[i] = shown.len;
                assert_int_equal(round_judge(&r, shown, DOOR_PAGE, (struct cbor_span){ NULL, 0 }), PASS_GOOD);
                parcel_marker(&r.region.crypto.sha, r.marker_key, &(struct parcel_marked){ r.region.pass.id, (uint32_t)i, i == 1 },
                              want);
                assert_memory_equal(r.region.verdict.marker, want, sizeof(want));
                parcel_marker(&r.region.crypto.sha, r.marker_key, &(struct parcel_marked){ r.region.pass.id, (uint32_t)i, i == 0 },
                              want);
                assert_memory_not_equal(r.region.verdict.marker, want, sizeof(want));
        }
        assert_int_equal(len[0], len[1]);
        content_free(c);
}

/* No counter leaves that is not set aside on disk, and none comes twice after a start. */
static void counters(void **state)
{
        struct content *c = fresh();
        uint32_t last = 0;

        round_make(&r, "pass--01", c->pass_public, 4);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        for (int start = 0; start < 4; start++) {
                struct content_ask ask = { .class = DOOR_PAGE, .time_s = NOW_S };
                struct cbor_writer w;
                uint8_t shown[PRESENTATION_MAX];

                cbor_writer_init(&w, shown, sizeof(shown));
                assert_int_equal(content_prove(c, &ask, &w), -EAGAIN); /* nothing is set aside */
                set_aside(c);
                assert_false(content_is_short(c));
                for (int i = 0; i < CONTENT_AHEAD; i++) {
                        struct cbor_span none = { NULL, 0 };

                        assert_int_equal(round_judge(&r, prove(c, DOOR_PAGE, false, none), DOOR_PAGE, none), PASS_GOOD);
                        assert_true((start == 0 && i == 0) || r.region.verdict.counter > last);
                        last = r.region.verdict.counter;
                }
                assert_true(content_is_short(c));
                assert_int_equal(content_prove(c, &ask, &w), -EAGAIN);
                c = again(c);
        }
        content_free(c);
}

/* Another key's pass; and a parcel whose buildings or salts are not what the keeper signed. */
static void not_ours(void **state)
{
        struct content *c = fresh(), *other = fresh();
        const void *pieces[3] = { r.salt_key, r.buildings[0].id, r.buildings[3].id };
        static const size_t sizes[3] = { PARCEL_KEY_SIZE, BUILDING_ID_SIZE, BUILDING_ID_SIZE };

        round_make(&r, "pass--01", other->pass_public, 4);
        assert_int_equal(content_take(c, round_parcel(&r)), -EKEYREJECTED);
        round_make(&r, "pass--01", c->pass_public, 4);
        for (size_t i = 0; i < 3; i++) {
                uint8_t *at = memmem(r.octets, r.len, pieces[i], sizes[i]);

                assert_non_null(at);
                for (size_t bit = 0; bit < 8 * sizes[i]; bit++) {
                        at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                        assert_int_equal(content_take(c, round_parcel(&r)), -EBADMSG);
                        at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                }
        }
        assert_int_equal(content_take(c, (struct cbor_span){ r.octets, r.len - 1 }), -EBADMSG);
        assert_int_equal(c->count, 0);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        content_free(other);
        content_free(c);
}

/* Four passes; a fifth takes the place of the one that ends first; what is long over goes. */
static void many(void **state)
{
        struct content *c = fresh();
        uint32_t end_s = r.region.pass.not_after_s;

        for (int i = 0; i < 6; i++) {
                char id[] = "pass--0x";

                id[7] = (char)('a' + i);
                r.region.pass.not_after_s = end_s + (uint32_t)(i * 7 % 5) * 60;
                round_make(&r, id, c->pass_public, 4);
                assert_int_equal(content_take(c, round_parcel(&r)), 0);
        }
        assert_int_equal(c->count, CONTENT_PASSES_MAX);
        c = again(c);
        assert_int_equal(c->count, CONTENT_PASSES_MAX);
        for (size_t i = 1; i < c->count; i++)
                assert_true(c->passes[i - 1]->pass.not_after_s >= c->passes[i]->pass.not_after_s);
        assert_int_equal(content_find(c, (const uint8_t *)"pass--0a"), -ENOENT);
        assert_int_equal(content_for(c, c->passes[0]->parcel.buildings[1].id, NOW_S), 0);
        assert_int_equal(content_for(c, (const uint8_t *)"nowhere.", NOW_S), -ENOENT);
        assert_false(content_drop(c, end_s + CONTENT_KEEP_S));
        assert_true(content_drop(c, end_s + 240 + CONTENT_KEEP_S));
        assert_true(content_drop(c, end_s + 241 + CONTENT_KEEP_S));
        assert_int_equal(c->count, 0);
        r.region.pass.not_after_s = end_s;
        content_free(c);
}

/* The largest passes: what does not fit into the vault goes. */
static void large(void **state)
{
        struct content *c = fresh();

        for (int i = 0; i < 4; i++) {
                char id[] = "pass--0x";

                id[7] = (char)('a' + i);
                round_make(&r, id, c->pass_public, SCOPE_BUILDINGS_MAX);
                assert_int_equal(content_take(c, round_parcel(&r)), 0);
        }
        assert_true(c->count >= 2);
        c = again(c);
        content_free(c);
}

static void malformed(void **state)
{
        struct content *c = fresh(), *read = NULL;
        struct cbor_writer w;

        round_make(&r, "pass--01", c->pass_public, 2);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(content_write(c, &w), 0);
        for (size_t cut = 0; cut < w.len; cut++)
                assert_int_equal(content_read((struct cbor_span){ octets, cut }, &read), -EBADMSG);
        cbor_writer_init(&w, octets, 100);
        assert_int_equal(content_write(c, &w), -ENOBUFS);
        content_free(c);
        content_free(NULL);
}

static int open_round(void **state)
{
        round_open(&r);
        return 0;
}

static int close_round(void **state)
{
        round_close(&r);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(proofs), cmocka_unit_test(lengths), cmocka_unit_test(duress), cmocka_unit_test(counters), cmocka_unit_test(not_ours),
                cmocka_unit_test(many),   cmocka_unit_test(large),  cmocka_unit_test(malformed),
        };

        return cmocka_run_group_tests(tests, open_round, close_round);
}
