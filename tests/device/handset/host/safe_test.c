#include "tests/device/handset/host/safe_phone.h"

static void pins(void **state)
{
        struct phone p;

        begin(&p);
        assert_int_equal(look(&p).state, VIGIE_VAULT_NONE);
        assert_int_equal(safe_unlock(p.safe, PIN), -ENOENT);
        assert_int_equal(safe_forgot(p.safe), -EPERM);
        assert_int_equal(safe_set(p.safe, "1234", ""), -EINVAL);
        assert_int_equal(look(&p).said, SAFE_SIMPLE);
        assert_int_equal(safe_set(p.safe, PIN, "2591x"), -EINVAL);
        assert_int_equal(safe_set(p.safe, PIN, WRONG), -EINVAL);
        assert_int_equal(look(&p).said, SAFE_TOO_NEAR);
        set(&p);
        assert_int_equal(safe_set(p.safe, PIN, ""), 0);
        assert_int_equal(safe_unlock(p.safe, PIN), -EBUSY); /* one at a time */
        settle(&p);
        assert_int_equal(safe_unlock(p.safe, "123"), -EINVAL);
        assert_int_equal(safe_unlock(p.safe, "123456789"), -EINVAL);
        safe_lock(p.safe);
        assert_int_equal(look(&p).state, VIGIE_VAULT_LOCKED);
        assert_null(safe_content(p.safe));
        assert_int_equal(safe_set(p.safe, PIN, ""), -EPERM);
        unlock(&p, DURESS); /* not set any more */
        assert_int_equal(look(&p).said, SAFE_WRONG);
        unlock(&p, PIN);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN);
        assert_int_equal(p.opened, 1);
        end(&p);
}

/* Asked to lock while a PIN is set, changed or tried: it locks when that is done. */
static void locks_after(void **state)
{
        struct phone p;

        begin(&p);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(i < 2 ? safe_set(p.safe, PIN, "") : safe_unlock(p.safe, PIN), 0);
                safe_lock(p.safe);
                settle(&p);
                assert_int_equal(look(&p).state, VIGIE_VAULT_LOCKED);
                assert_null(safe_content(p.safe));
                if (i == 1)
                        continue;
                unlock(&p, PIN); /* that was once */
                assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN);
        }
        assert_int_equal(safe_set(p.safe, PIN, ""), 0);
        assert_int_equal(safe_unlock(p.safe, PIN), -EBUSY); /* refused: nothing of it is done later */
        settle(&p);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN);
        end(&p);
}

/* is_marked_duress: what the region would read in the marker of a proof made now. */
static bool is_marked_duress(struct phone *p)
{
        struct content_ask ask = { .building = r.region.here, .class = DOOR_PAGE, .time_s = NOW_S };
        uint8_t shown[PRESENTATION_MAX], mark[PASS_MARKER_SIZE];
        struct cbor_writer w;

        cbor_writer_init(&w, shown, sizeof(shown));
        assert_int_equal(safe_prove(p->safe, &ask, &w), 0);
        assert_int_equal(round_judge(&r, cbor_written(&w), DOOR_PAGE, (struct cbor_span){ NULL, 0 }), PASS_GOOD);
        parcel_marker(&r.region.crypto.sha, r.marker_key,
                      &(struct parcel_marked){ r.region.pass.id, r.region.verdict.counter, true }, mark);
        return memcmp(r.region.verdict.marker, mark, sizeof(mark)) == 0;
}

/* The duress PIN: the same, but for what opened() says and the marker. */
static void duress(void **state)
{
        struct phone p;
        struct safe_view v[2];

        begin(&p);
        set(&p);
        give_pass(&p, 7, "pass--01");
        for (int i = 0; i < 2; i++) {
                unlock(&p, i == 0 ? PIN : DURESS);
                assert_int_equal(p.opened, i + 1);
                assert_int_equal(p.duress, i);
                assert_int_equal(safe_is_duress(p.safe), i == 1);
                v[i] = look(&p);
                assert_int_equal(is_marked_duress(&p), i == 1);
        }
        assert_memory_equal(&v[0], &v[1], sizeof(v[0]));
        assert_int_equal(safe_check(p.safe, DURESS), 0);
        until(&p, &p.checked, 1);
        assert_int_equal(p.verdict, VIGIE_PIN_DURESS);
        assert_int_equal(safe_check(p.safe, PIN), 0);
        until(&p, &p.checked, 2);
        assert_int_equal(p.verdict, VIGIE_PIN_RIGHT);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN); /* it changes nothing */
        assert_int_equal(safe_set(p.safe, "8046", ""), 0); /* nor does another PIN: who forces the carrier may want one */
        settle(&p);
        assert_true(safe_is_duress(p.safe));
        assert_true(is_marked_duress(&p));
        end(&p);
}

/* guess: wrong PINs until there is no try left; each is on the disk, and each wait counts anew after a restart. */
static void guess(struct phone *p)
{
        struct safe_view v;

        for (unsigned n = 1; n <= VAULT_TRIES; n++) {
                restart(p); /* also forgets the wait that had begun */
                v = look(p);
                assert_int_equal(v.state, VIGIE_VAULT_LOCKED);
                assert_int_equal(v.tries_left, VAULT_TRIES - n + 1);
                assert_int_equal(v.wait_ms, vault_wait_ms((uint8_t)(n - 1)));
                if (v.wait_ms > 0) {
                        fake_ms += v.wait_ms - 1;
                        assert_int_equal(safe_unlock(p->safe, PIN), -EAGAIN);
                        assert_int_equal(safe_check(p->safe, PIN), -EAGAIN); /* "a mistake" is no way round */
                        assert_int_equal(tries_on_disk(p), n - 1);
                        fake_ms++;
                }
                if (n % 2 == 0) {
                        assert_int_equal(safe_check(p->safe, WRONG), 0);
                        settle(p);
                        assert_int_equal(p->verdict, VIGIE_PIN_WRONG);
                } else {
                        unlock(p, WRONG);
                }
                assert_int_equal(tries_on_disk(p), n);
        }
}

/* Guessing: each try is on disk, a restart gives none back and shortens no wait; the fifth destroys the vault; the supervisor's unlock
 * answers the challenge, and the next PIN has another key. */
static void guessing(void **state)
{
        struct phone p;
        uint8_t key[PASS_KEY_SIZE], not_it[VAULT_CHALLENGE_SIZE] = { 1 };
        struct safe_view v;

        begin(&p);
        set(&p);
        memcpy(key, look(&p).key, sizeof(key));
        give_pass(&p, 7, "pass--01");
        guess(&p);
        for (int again = 0; again < 2; again++) {
                assert_int_equal(look(&p).state, VIGIE_VAULT_DESTROYED);
                assert_int_equal(look(&p).has_key, false);
                fake_ms += 1000000000;
                assert_int_equal(safe_unlock(p.safe, PIN), -EPERM);
                assert_int_equal(safe_check(p.safe, PIN), -EPERM);
                assert_int_equal(safe_set(p.safe, PIN, ""), -EPERM);
                assert_false(is_there(&p, "vault") || is_there(&p, "secret") || is_there(&p, "public"));
                restart(&p);
        }
        safe_order_pass(p.safe, 8, round_parcel(&r));
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT);
        assert_int_equal(safe_forgot(p.safe), 0);
        for (int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;
             !look(&p).has_challenge && clock_mono_ms() < until_mono_ms;)
                turn(p.loop, 2);
        v = look(&p);
        assert_true(v.has_challenge);
        restart(&p);
        assert_memory_equal(look(&p).challenge, v.challenge, VAULT_CHALLENGE_SIZE); /* it was read out: it stays */
        assert_int_equal(safe_forgot(p.safe), 0);
        assert_memory_equal(look(&p).challenge, v.challenge, VAULT_CHALLENGE_SIZE);
        p.ordered = 0;
        safe_order_unlock(p.safe, 9, not_it);
        until(&p, &p.ordered, 1);
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT);
        assert_int_equal(look(&p).state, VIGIE_VAULT_DESTROYED);
        safe_order_unlock(p.safe, 10, v.challenge);
        until(&p, &p.ordered, 2);
        assert_int_equal(p.number, 10);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_int_equal(look(&p).state, VIGIE_VAULT_NONE);
        assert_false(look(&p).has_challenge);
        safe_order_unlock(p.safe, 11, v.challenge); /* once */
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT);
        set(&p);
        assert_memory_not_equal(look(&p).key, key, sizeof(key));
        assert_int_equal(look(&p).tries_left, VAULT_TRIES);
        end(&p);
}

/* A try whose answer nobody saw: the phone was switched off while it was looked at. */
static void cut_off(void **state)
{
        struct phone p;

        begin(&p);
        set(&p);
        safe_lock(p.safe);
        assert_int_equal(safe_unlock(p.safe, WRONG), 0);
        safe_close(p.safe);
        turn(p.loop, 3000); /* scrypt under a sanitizer on a busy machine: the loop waits for it 1 s */
        assert_int_equal(loop_close(p.loop), 0);
        start(&p);
        assert_int_equal(look(&p).tries_left, VAULT_TRIES - 1);
        end(&p);
}

/* The power went while the last try was looked at, or while what it destroys was erased: the next start erases the rest. */
static void cut_off_at_the_last(void **state)
{
        static const char *const gone[] = { "", "secret", "vault" };
        const uint8_t last = VAULT_TRIES;
        struct phone p;
        char path[200];

        for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
                begin(&p);
                set(&p);
                assert_int_equal(vault_files_put(&(struct vault_place){ p.vault, "" }, "tries", &last, 1), 0);
                snprintf(path, sizeof(path), "%s/%s", p.vault, gone[i]);
                assert_true(gone[i][0] == 0 || unlink(path) == 0);
                restart(&p);
                assert_int_equal(look(&p).state, VIGIE_VAULT_DESTROYED);
                assert_false(look(&p).has_key);
                assert_false(is_there(&p, "vault") || is_there(&p, "secret") || is_there(&p, "public"));
                end(&p);
        }
}

/* Another PIN while it is open: the passes stay. */
static void change(void **state)
{
        struct phone p;

        begin(&p);
        set(&p);
        give_pass(&p, 2, "pass--01");
        assert_int_equal(safe_set(p.safe, "8046", ""), 0);
        settle(&p);
        assert_int_equal(safe_content(p.safe)->count, 1);
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(look(&p).said, SAFE_WRONG);
        unlock(&p, "8046");
        assert_int_equal(safe_content(p.safe)->count, 1);
        end(&p);
}

/* It locks by itself, counted while the phone sleeps; a use puts it off. */
static void late(void **state)
{
        struct phone p;

        begin(&p);
        set(&p);
        fake_ms += SAFE_OPEN_MS - 1;
        assert_non_null(safe_content(p.safe));
        safe_use(p.safe);
        fake_ms += SAFE_OPEN_MS - 1;
        assert_non_null(safe_content(p.safe));
        fake_ms++;
        assert_int_equal(look(&p).state, VIGIE_VAULT_LOCKED);
        assert_null(safe_content(p.safe));
        end(&p);
}

/* A copied folder: on another machine no PIN opens it. */
static void copied(void **state)
{
        struct phone p;

        begin(&p);
        set(&p);
        put(&p.folder, "machine", "fedcba9876543210\n");
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(look(&p).said, SAFE_WRONG);
        put(&p.folder, "machine", "0123456789abcdef\n");
        unlock(&p, PIN);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN);
        end(&p);
}

/* A disk that takes nothing: the PIN is not looked at, and not counted; tries that were taken away leave one. */
static void disk(void **state)
{
        struct phone p;
        char path[200], away[200];

        begin(&p);
        set(&p);
        safe_lock(p.safe);
        snprintf(away, sizeof(away), "%s-away", p.vault);
        assert_int_equal(rename(p.vault, away), 0);
        unlock(&p, PIN);
        assert_int_equal(look(&p).said, SAFE_DISK);
        assert_int_equal(look(&p).tries_left, VAULT_TRIES);
        assert_int_equal(rename(away, p.vault), 0);
        unlock(&p, PIN);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN);
        snprintf(path, sizeof(path), "%s/tries", p.vault);
        assert_int_equal(unlink(path), 0);
        restart(&p);
        assert_int_equal(look(&p).tries_left, 1);
        end(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pins),     cmocka_unit_test(locks_after),
                cmocka_unit_test(duress),   cmocka_unit_test(guessing),
                cmocka_unit_test(cut_off),  cmocka_unit_test(change),
                cmocka_unit_test(late),     cmocka_unit_test(copied),
                cmocka_unit_test(disk),     cmocka_unit_test(cut_off_at_the_last),
        };

        return cmocka_run_group_tests(tests, open_round, close_round);
}
