#include "tests/device/handset/host/support.h"

#include "device/handset/host/safe.h"
#include "tests/device/handset/host/round.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PIN    "2580"
#define DURESS "9137"
#define WRONG  "2581"

static struct round r;
static int64_t fake_ms = 1000000; /* the clock that goes on while the phone sleeps */

static int64_t fake_clock(void)
{
        return fake_ms;
}

struct phone {
        struct folder folder;
        char vault[128], machine[128];
        struct loop *loop;
        struct safe *safe;
        bool idle; /* something came to an end */
        unsigned opened, duress, checked, ordered;
        enum vigie_pin verdict;
        uint32_t number;
        enum vigie_result result;
};

static void on_changed(void *user)
{
}

static void on_opened(void *user, bool duress)
{
        struct phone *p = user;

        p->opened++;
        p->duress += duress;
}

static void on_checked(void *user, enum vigie_pin verdict)
{
        struct phone *p = user;

        p->checked++;
        p->verdict = verdict;
}

static void on_ordered(void *user, uint32_t number, enum vigie_result result)
{
        struct phone *p = user;

        p->ordered++;
        p->number = number;
        p->result = result;
}

static void start(struct phone *p)
{
        struct safe_options options = { .user = p, .changed = on_changed, .opened = on_opened, .checked = on_checked,
                                        .ordered = on_ordered, .clock = fake_clock };

        assert_int_equal(loop_open(&p->loop), 0);
        options.loop = p->loop;
        options.place = (struct vault_place){ p->vault, p->machine };
        assert_int_equal(safe_open(&options, &p->safe), 0);
}

static void stop(struct phone *p)
{
        safe_close(p->safe);
        assert_int_equal(loop_close(p->loop), 0);
}

static void restart(struct phone *p)
{
        stop(p);
        start(p);
}

static void begin(struct phone *p)
{
        memset(p, 0, sizeof(*p));
        folder_make(&p->folder);
        folder_file(&p->folder, "vault", p->vault);
        put(&p->folder, "machine", "0123456789abcdef\n");
        folder_file(&p->folder, "machine", p->machine);
        start(p);
}

static void end(struct phone *p)
{
        char command[200];

        stop(p);
        snprintf(command, sizeof(command), "rm -rf '%s'", p->vault);
        assert_int_equal(system(command), 0);
        folder_remove(&p->folder);
}

static struct safe_view look(struct phone *p)
{
        struct safe_view v;

        safe_look(p->safe, &v);
        return v;
}

/* settle: until no PIN is looked at any more and COUNT of COUNTER came. */
static void settle(struct phone *p)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        do
                turn(p->loop, 2);
        while (look(p).working && clock_mono_ms() < until_mono_ms);
        assert_false(look(p).working);
}

static void until(struct phone *p, const unsigned *counter, unsigned count)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        while (*counter < count && clock_mono_ms() < until_mono_ms)
                turn(p->loop, 2);
        assert_int_equal(*counter, count);
}

static void set(struct phone *p)
{
        assert_int_equal(safe_set(p->safe, PIN, DURESS), 0);
        settle(p);
        assert_int_equal(look(p).state, VIGIE_VAULT_OPEN);
}

static void give_pass(struct phone *p, uint32_t number, const char id[PASS_ID_SIZE])
{
        unsigned before = p->ordered;

        round_make(&r, id, look(p).key, 40);
        safe_order_pass(p->safe, number, round_parcel(&r));
        until(p, &p->ordered, before + 1);
        assert_int_equal(p->number, number);
}

static void unlock(struct phone *p, const char *pin)
{
        assert_int_equal(safe_unlock(p->safe, pin), 0);
        settle(p);
}

/* ---- raw files */

static bool file_holds(const char *path, const void *octets, size_t len)
{
        char *data = NULL;
        size_t size = 0;
        bool found;

        assert_int_equal(file_read(path, 1 << 24, &data, &size), 0);
        found = memmem(data, size, octets, len) != NULL;
        free(data);
        return found;
}

/* holds: whether any file of the vault has these octets. */
static bool holds(const struct phone *p, const void *octets, size_t len)
{
        DIR *dir = opendir(p->vault);
        bool found = false;

        assert_non_null(dir);
        for (struct dirent *e = readdir(dir); e != NULL && !found; e = readdir(dir)) {
                char path[400];

                snprintf(path, sizeof(path), "%s/%s", p->vault, e->d_name);
                found = e->d_name[0] != '.' && file_holds(path, octets, len);
        }
        closedir(dir);
        return found;
}

static bool is_there(const struct phone *p, const char *name)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", p->vault, name);
        return access(path, F_OK) == 0;
}

static uint8_t tries_on_disk(const struct phone *p)
{
        char path[200], *data = NULL;
        size_t len;
        uint8_t wrong;

        snprintf(path, sizeof(path), "%s/tries", p->vault);
        assert_int_equal(file_read(path, 1, &data, &len), 0);
        wrong = (uint8_t)data[0];
        free(data);
        return wrong;
}

/* ---- tests */

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
        }
        assert_memory_equal(&v[0], &v[1], sizeof(v[0]));
        assert_int_equal(safe_check(p.safe, DURESS), 0);
        until(&p, &p.checked, 1);
        assert_int_equal(p.verdict, VIGIE_PIN_DURESS);
        assert_int_equal(safe_check(p.safe, PIN), 0);
        until(&p, &p.checked, 2);
        assert_int_equal(p.verdict, VIGIE_PIN_RIGHT);
        assert_int_equal(look(&p).state, VIGIE_VAULT_OPEN); /* it changes nothing */
        end(&p);
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
        for (unsigned n = 1; n <= VAULT_TRIES; n++) {
                restart(&p); /* also forgets the wait that had begun */
                v = look(&p);
                assert_int_equal(v.state, VIGIE_VAULT_LOCKED);
                assert_int_equal(v.tries_left, VAULT_TRIES - n + 1);
                assert_int_equal(v.wait_ms, vault_wait_ms((uint8_t)(n - 1)));
                if (v.wait_ms > 0) {
                        fake_ms += v.wait_ms - 1;
                        assert_int_equal(safe_unlock(p.safe, PIN), -EAGAIN);
                        assert_int_equal(safe_check(p.safe, PIN), -EAGAIN); /* "a mistake" is no way round */
                        assert_int_equal(tries_on_disk(&p), n - 1);
                        fake_ms++;
                }
                if (n % 2 == 0) {
                        assert_int_equal(safe_check(p.safe, WRONG), 0);
                        settle(&p);
                        assert_int_equal(p.verdict, VIGIE_PIN_WRONG);
                } else {
                        unlock(&p, WRONG);
                }
                assert_int_equal(tries_on_disk(&p), n);
        }
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
        turn(p.loop, 100);
        v = look(&p);
        assert_true(v.has_challenge);
        restart(&p);
        assert_memory_equal(look(&p).challenge, v.challenge, VAULT_CHALLENGE_SIZE); /* it was read out: it stays */
        assert_int_equal(safe_forgot(p.safe), 0);
        assert_memory_equal(look(&p).challenge, v.challenge, VAULT_CHALLENGE_SIZE);
        safe_order_unlock(p.safe, 9, not_it);
        assert_int_equal(p.result, VIGIE_ORDER_COULD_NOT);
        assert_int_equal(look(&p).state, VIGIE_VAULT_DESTROYED);
        safe_order_unlock(p.safe, 10, v.challenge);
        until(&p, &p.ordered, 4);
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
        restart(&p);
        assert_int_equal(look(&p).tries_left, VAULT_TRIES - 1);
        end(&p);
}

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

/* An order that comes while a PIN is looked at is decided when its turn comes. */
static void passes_meanwhile(void **state)
{
        struct phone p;

        begin(&p);
        set(&p);
        safe_lock(p.safe);
        round_make(&r, "pass--01", look(&p).key, 40);
        assert_int_equal(safe_unlock(p.safe, PIN), 0);
        safe_order_pass(p.safe, 5, round_parcel(&r));
        until(&p, &p.ordered, 1);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_int_equal(safe_content(p.safe)->count, 1);
        assert_false(is_there(&p, "box-1"));
        restart(&p);
        unlock(&p, PIN);
        assert_int_equal(safe_content(p.safe)->count, 1);
        end(&p);
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
                assert_int_equal(round_judge(&r, cbor_written(&w), DOOR_PAGE, (struct cbor_span){ NULL, 0 }), PASS_GOOD);
                assert_true(first || r.region.verdict.counter > last);
                first = 0;
                last = r.region.verdict.counter;
        }
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

/* Wipe: keys, vault and the files that were named go, overwritten; what is the person's stays. */
static void wipe(void **state)
{
        struct phone p;
        char key[128], journal[128], linked[128];
        const char *const keys[] = { key, NULL }, *const rest[] = { journal, linked, NULL };
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
        safe_order_wipe(p.safe, 3, keys, rest);
        assert_null(safe_content(p.safe));
        until(&p, &p.ordered, 2);
        assert_int_equal(p.result, VIGIE_ORDER_DONE);
        assert_true(access(key, F_OK) < 0 && access(journal, F_OK) < 0 && access(linked, F_OK) < 0);
        assert_int_equal(read(raw, back, 8), 8);
        assert_memory_equal(back, "\0\0\0\0\0\0\0\0", 8);
        close(raw);
        assert_true(file_holds(p.machine, "private", 7));
        assert_true(is_there(&p, "wiped"));
        assert_false(is_there(&p, "vault") || is_there(&p, "secret") || is_there(&p, "tries") || is_there(&p, "list"));
        assert_false(holds(&p, pass_private, 8) || holds(&p, "Merveilles", 10) || holds(&p, PIN, 4));
        restart(&p);
        assert_true(look(&p).wiped_at_s > 0);
        assert_int_equal(look(&p).state, VIGIE_VAULT_NONE);
        end(&p);
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
                cmocka_unit_test(pins),    cmocka_unit_test(duress),           cmocka_unit_test(guessing), cmocka_unit_test(cut_off),
                cmocka_unit_test(passes),  cmocka_unit_test(passes_meanwhile), cmocka_unit_test(change),   cmocka_unit_test(late),
                cmocka_unit_test(counters), cmocka_unit_test(copied),          cmocka_unit_test(disk),     cmocka_unit_test(wipe),
        };

        return cmocka_run_group_tests(tests, open_round, close_round);
}
