#include "device/handset/host/wiping.h"
#include "tests/device/handset/host/safe_phone.h"

/* Orders: open, locked, for another key; a copy; what is on the disk names no building. */
static void passes(void **state)
{
        struct phone p;
        uint8_t other[PASS_KEY_SIZE];

        begin(&p);
        safe_order_pass(p.safe, 1, (struct cbor_span){ r.octets, 100 });
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT); /* no PIN was set */
        set(&p);
        give_pass(&p, 2, "pass--01");
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        give_pass(&p, 3, "pass--01");
        assert_int_equal(safe_content(p.safe)->count, 1);
        memcpy(other, r.region.pass.key, sizeof(other));
        other[5] ^= 1;
        round_make(&r, "pass--02", other, 40);
        safe_order_pass(p.safe, 4, round_parcel(&r));
        until(&p, &p.ordered, 4);
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT);
        safe_lock(p.safe);
        give_pass(&p, 5, "pass--03");
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_true(is_there(&p, "box-1"));
        assert_false(holds(&p, "Merveilles", 10));
        assert_false(holds(&p, r.salt_key, 8) || holds(&p, r.marker_key, 8) || holds(&p, "pass--0", 7));
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(safe_content(p.safe)->count, 2);
        assert_true(content_find(safe_content(p.safe), (const uint8_t *)"pass--03") >= 0);
        assert_false(is_there(&p, "box-1"));
        assert_false(holds(&p, "Merveilles", 10));
        end(&p);
}

/* A phone with a vault, and order 5, which brings a pass, while its PIN is looked at. */
static void begin_while_tried(struct phone *p)
{
        begin(p);
        set(p);
        safe_lock(p->safe);
        round_make(&r, "pass--01", look(p).key, 40);
        assert_int_equal(safe_unlock(p->safe, PIN), 0);
        safe_order_pass(p->safe, 5, round_parcel(&r));
}

/* An order that comes while a PIN is looked at is decided when its turn comes. */
static void passes_meanwhile(void **state)
{
        struct phone p;

        begin_while_tried(&p);
        until(&p, &p.ordered, 1);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_int_equal(safe_content(p.safe)->count, 1);
        assert_false(is_there(&p, "box-1"));
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(safe_content(p.safe)->count, 1);
        end(&p);
}

/* Two that come while a PIN is looked at: the second is written once the first is, and each piece of work is done once. */
static void passes_together(void **state)
{
        struct phone p;

        begin_while_tried(&p);
        round_make(&r, "pass--02", look(&p).key, 40);
        safe_order_pass(p.safe, 6, round_parcel(&r));
        until(&p, &p.ordered, 2);
        assert_int_equal(p.number, 6);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_int_equal(safe_content(p.safe)->count, 2);
        for (int i = 0; i < 20; i++)
                turn(p.loop, 2);
        assert_int_equal(p.ordered, 2);
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(safe_content(p.safe)->count, 2);
        end(&p);
}

/* No counter of a proof comes twice, over starts and a power cut right after each proof. */
static void counters(void **state)
{
        struct phone p;
        uint32_t last = 0, first = 1;

        begin(&p);
        set(&p);
        give_pass(&p, 2, "pass--01");
        for (int n = 0; n < 60; n++) {
                struct content_ask ask = { .building = r.region.here, .class = DOOR_PAGE, .time_s = NOW_S };
                uint8_t shown[PRESENTATION_MAX];
                struct cbor_writer w;
                int got;

                if (n % 25 == 24) {
                        restart(&p);
                        unlock(&p, PIN);
                }
                do {
                        cbor_writer_init(&w, shown, sizeof(shown));
                        got = safe_prove(p.safe, &ask, &w);
                        turn(p.loop, 1);
                } while (got == -EAGAIN);
                assert_int_equal(got, 0);
                assert_int_equal(round_judge(&r, cbor_written(&w), DOOR_PAGE, (struct cbor_span){ NULL, 0 }),
                                 PASS_GOOD);
                assert_true(first || r.region.verdict.counter > last);
                first = 0;
                last = r.region.verdict.counter;
        }
        end(&p);
}

static struct wiping *wiping_of(size_t path_count)
{
        struct wiping *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        memcpy(w->confirmation, "signed", w->confirmation_len = 6);
        w->path_count = path_count;
        return w;
}

static bool is_erased(struct phone *p)
{
        struct config config = { .file = "" };
        struct wiping *w = NULL;
        bool erased = wiping_read(&config, p->vault, &w) == 0 && w->erased;

        free(w);
        return erased;
}

static bool has_last(struct phone *p)
{
        struct vault_place place = { p->vault, "" };
        char *list = NULL;
        size_t len = 0;
        bool last = vault_files_list(&place, &list, &len) == 0 && len == 4;

        free(list);
        return last;
}

/* stop_at: end while work is under way, which IS_DONE when it has come to its end. */
static void stop_at(struct phone *p, bool (*is_done)(struct phone *p))
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        safe_close(p->safe);
        while (!is_done(p) && clock_mono_ms() < until_mono_ms)
                turn(p->loop, 5);
        assert_true(is_done(p));
        assert_int_equal(loop_close(p->loop), 0);
}

/* Wipe: keys, vault and the files that were named go, overwritten; what is the person's stays. */
static void wipe(void **state)
{
        struct phone p;
        char key[128], journal[128], linked[128];
        struct wiping *wiping = wiping_of(3);
        uint8_t pass_private[KEY_PRIVATE_SIZE];
        int raw;
        char back[9] = "";

        begin(&p);
        put(&p.folder, "alert.key", "the key!");
        put(&p.folder, "journal", "a journal");
        put(&p.folder, "photo", "private");
        folder_file(&p.folder, "alert.key", key);
        folder_file(&p.folder, "journal", journal);
        folder_file(&p.folder, "linked", linked);
        folder_file(&p.folder, "photo", p.machine + 0); /* the machine's file is not the phone's either */
        assert_int_equal(symlink(p.machine, linked), 0);
        set(&p);
        memcpy(pass_private, safe_content(p.safe)->pass_private, sizeof(pass_private));
        give_pass(&p, 2, "pass--01");
        raw = open(key, O_RDONLY); /* what the disk has behind the name */
        strcpy(wiping->paths[0], key);
        strcpy(wiping->paths[1], journal);
        strcpy(wiping->paths[2], linked);
        safe_order_take_wipe(p.safe, 3, wiping);
        assert_true(safe_is_wiping(p.safe));
        assert_null(safe_content(p.safe));
        until(&p, &p.ordered, 2);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_true(access(key, F_OK) < 0 && access(journal, F_OK) < 0 && access(linked, F_OK) < 0);
        assert_int_equal(read(raw, back, 8), 8);
        assert_memory_equal(back, "\0\0\0\0\0\0\0\0", 8);
        close(raw);
        assert_true(file_holds(p.machine, "private", 7));
        assert_true(is_there(&p, "wiped") && is_there(&p, "wiping") && !safe_is_wiping(p.safe));
        assert_true(is_erased(&p));
        assert_false(is_there(&p, "vault") || is_there(&p, "secret") || is_there(&p, "tries") || is_there(&p, "list"));
        assert_false(holds(&p, pass_private, 8) || holds(&p, "Merveilles", 10) || holds(&p, PIN, 4));
        restart(&p);
        assert_true(look(&p).wiped_at_s > 0);
        assert_int_equal(look(&p).state, VIGIE_VAULT_NONE);
        end(&p);
}

/* However much waits, a wipe has its place; and what was under way is ended when the phone's daemon is, in the right folder. */
static void wipe_behind_much(void **state)
{
        struct cbor_span list = { (const uint8_t *)"a list", 6 };
        struct wiping *wiping = wiping_of(1);
        struct phone p;
        char key[128];
        int n = 0, last;

        begin(&p);
        set(&p);
        put(&p.folder, "alert.key", "the key!");
        strcpy(wiping->paths[0], folder_file(&p.folder, "alert.key", key));
        while ((last = safe_keep_list(p.safe, list)) == 0)
                n++;
        assert_int_equal(last, -EBUSY);
        assert_int_equal(n, SAFE_WORK_MAX);
        safe_order_take_wipe(p.safe, 3, wiping);
        until(&p, &p.ordered, 1);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_true(is_there(&p, "wiped"));
        assert_false(is_there(&p, "vault") || is_there(&p, "list"));
        put(&p.folder, "alert.key", "the key!");
        wiping = wiping_of(1);
        strcpy(wiping->paths[0], key);
        assert_int_equal(wiping_told(p.vault), 0);
        safe_order_take_wipe(p.safe, 4, wiping);
        stop_at(&p, is_erased);
        start(&p);
        assert_int_equal(p.ordered, 1);
        assert_true(access(key, F_OK) < 0);
        end(&p);
}

/* What waits when the daemon ends is done yet, in the folder that was named at the start, whatever has become of who named it. */
static void ended_meanwhile(void **state)
{
        struct phone p, before;

        begin(&p);
        assert_int_equal(safe_keep_list(p.safe, (struct cbor_span){ (const uint8_t *)"first", 5 }), 0);
        assert_int_equal(safe_keep_list(p.safe, (struct cbor_span){ (const uint8_t *)"last", 4 }), 0);
        before = p;
        strcat(p.vault, "-of-nobody");
        stop_at(&before, has_last);
        p = before;
        start(&p);
        end(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(passes), cmocka_unit_test(passes_meanwhile), cmocka_unit_test(passes_together),
                cmocka_unit_test(counters),
                cmocka_unit_test(wipe),   cmocka_unit_test(wipe_behind_much), cmocka_unit_test(ended_meanwhile),
        };

        return cmocka_run_group_tests(tests, open_round, close_round);
}
