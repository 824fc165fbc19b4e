/* The phone's journal with the real core: what survives, and what a disk that fails does to it. */
#include "tests/device/handset/host/support.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/journal.h"
#include "device/handset/host/outbox.h"

struct phone {
        struct folder folder;
        char path[128];
        struct loop *loop;
        struct vigie *vigie;
        struct outbox *outbox;
        const struct journal_calls *calls;
        struct vigie_actions actions;
        int64_t mono_ms;
        bool told, told_ok;
        unsigned tells, refused; /* records that the outbox did not take */
        uint32_t told_seq;
};

static bool always(void *user, const struct vigie_check *check)
{
        return true;
}

static void give(struct phone *p, struct vigie_event event);

static void on_synced(void *user, uint32_t seq, bool ok)
{
        struct phone *p = user;

        p->told = true;
        p->tells++;
        p->told_seq = seq;
        p->told_ok = ok;
        give(p, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { .seq = seq, .ok = ok } });
}

/* An event, and its records to the journal. */
static void give(struct phone *p, struct vigie_event event)
{
        uint32_t lost = 0;

        event.now_ms = 1777888800000 + p->mono_ms;
        event.now_mono_ms = p->mono_ms;
        assert_int_equal(getrandom(event.random, sizeof(event.random), 0), sizeof(event.random));
        assert_int_equal(vigie_event(p->vigie, &event, &p->actions), 0);
        for (uint32_t i = 0; i < p->actions.count; i++)
                if (p->actions.action[i].type == VIGIE_DO_APPEND &&
                    outbox_append(p->outbox, &p->actions.action[i]) < 0) {
                        p->refused++;
                        lost = p->actions.action[i].seq;
                }
        if (lost != 0)
                give(p, (struct vigie_event){ .type = VIGIE_ON_SYNCED, .u.synced = { .seq = lost } });
}

static int begin(struct phone *p)
{
        struct vigie_options options = VIGIE_OPTIONS;
        int r;

        options.enrolled = true;
        options.verify = always;
        options.address_count = 1;
        p->vigie = malloc(vigie_size());
        assert_int_equal(vigie_init(p->vigie, &options), 0);
        struct outbox_options outbox = { p->loop, p->path, p->vigie, p, on_synced, p->calls };
        r = outbox_open(&outbox, &p->outbox);
        if (r == 0)
                give(p, (struct vigie_event){ .type = VIGIE_ON_START });
        return r;
}

static void end(struct phone *p)
{
        outbox_close(p->outbox);
        p->outbox = NULL;
        free(p->vigie);
}

static void open_phone(struct phone *p)
{
        memset(p, 0, sizeof(*p));
        p->mono_ms = 1000;
        folder_make(&p->folder);
        folder_file(&p->folder, "journal", p->path);
        assert_int_equal(loop_open(&p->loop), 0);
}

static void close_phone(struct phone *p)
{
        assert_int_equal(loop_close(p->loop), 0);
        folder_remove(&p->folder);
}

static void press(struct phone *p)
{
        give(p, (struct vigie_event){ .type = VIGIE_ON_PRESS, .u.press.how = VIGIE_PRESS_AT_ONCE });
}

static struct vigie_alert_status alert_of(struct phone *p, uint32_t *ret_trouble)
{
        struct vigie_status *status = malloc(sizeof(*status));
        struct vigie_alert_status alert;

        vigie_status(p->vigie, status);
        alert = status->alert;
        if (ret_trouble != NULL)
                *ret_trouble = status->trouble;
        free(status);
        return alert;
}

static uint32_t trouble_of(struct phone *p)
{
        uint32_t trouble;

        alert_of(p, &trouble);
        return trouble;
}

static void settle(struct phone *p)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        while (!outbox_settled(p->outbox) && clock_mono_ms() < until_mono_ms)
                turn(p->loop, 1);
        assert_true(outbox_settled(p->outbox));
}

static void a_press_survives(void **state)
{
        struct vigie_alert_status before;
        struct phone p;

        open_phone(&p);
        assert_int_equal(begin(&p), 0);
        press(&p);
        assert_false(outbox_settled(p.outbox));
        settle(&p);
        assert_true(p.told_ok);
        before = alert_of(&p, NULL);
        assert_int_equal(before.word, VIGIE_NOT_SENT);
        end(&p);
        assert_int_equal(begin(&p), 0);
        assert_memory_equal(alert_of(&p, NULL).id, before.id, VIGIE_ALERT_ID_SIZE);
        end(&p);
        close_phone(&p);
}

/* Closing writes what is queued: nobody is told any more. */
static void closing_writes(void **state)
{
        struct phone p;

        open_phone(&p);
        assert_int_equal(begin(&p), 0);
        settle(&p);
        p.tells = 0;
        press(&p);
        end(&p);
        assert_int_equal(p.tells, 0);
        assert_int_equal(begin(&p), 0);
        assert_int_equal(alert_of(&p, NULL).word, VIGIE_NOT_SENT);
        end(&p);
        close_phone(&p);
}

static void one_daemon_at_a_time(void **state)
{
        struct phone p, second;

        open_phone(&p);
        assert_int_equal(begin(&p), 0);
        second = p;
        assert_int_equal(begin(&second), -EWOULDBLOCK);
        free(second.vigie);
        end(&p);
        close_phone(&p);
}

/* A file that is no journal is put aside: a phone must not go without one for ever. */
static void an_altered_file(void **state)
{
        char bad[128], *text;
        struct phone p;
        size_t len;

        open_phone(&p);
        put(&p.folder, "journal", "this is no journal, though it is long enough to be one");
        assert_int_equal(begin(&p), 0);
        press(&p);
        settle(&p);
        assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, 0);
        assert_int_equal(file_read(folder_file(&p.folder, "journal.bad", bad), 1000, &text, &len), 0);
        assert_memory_equal(text, "this is no journal", 18);
        free(text);
        end(&p);
        close_phone(&p);
}

/* ---- disks that fail --------------------------------------------------------------------------------------------- */

/* Calls that fail from the nth on; the journal's own thread makes them. */
static atomic_int left_write, left_sync, left_room;

static bool fails(atomic_int *left)
{
        return atomic_fetch_sub(left, 1) <= 0;
}

static ssize_t a_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
        if (!fails(&left_write))
                return pwrite(fd, buf, len, offset);
        errno = EIO;
        return -1;
}

static int a_fdatasync(int fd)
{
        if (!fails(&left_sync))
                return fdatasync(fd);
        errno = EIO;
        return -1;
}

static int a_fallocate(int fd, off_t offset, off_t len)
{
        return fails(&left_room) ? ENOSPC : posix_fallocate(fd, offset, len);
}

static const struct journal_calls calls = { .pwrite = a_pwrite,
                                            .fdatasync = a_fdatasync,
                                            .posix_fallocate = a_fallocate };

static void all_well(void)
{
        left_write = left_sync = left_room = 1000000;
}

/* Whatever call fails first: the press is taken, the page knows that it would not survive, and once the disk is
 * well again and the daemon restarted there is at most that one alert. */
static void the_nth_call_fails(void **state)
{
        for (int kind = 0; kind < 2; kind++)
                for (int n = 0; n < 8; n++) {
                        struct phone p;

                        open_phone(&p);
                        p.calls = &calls;
                        all_well();
                        assert_int_equal(begin(&p), 0);
                        settle(&p);
                        *(kind == 0 ? &left_write : &left_sync) = n;
                        for (int i = 0; i < 8; i++) {
                                p.mono_ms += 1000;
                                press(&p);
                                settle(&p);
                        }
                        settle(&p);
                        assert_int_equal(alert_of(&p, NULL).word, VIGIE_NOT_SENT);
                        assert_int_equal(alert_of(&p, NULL).presses, 8);
                        if (n < 4)
                                assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
                        all_well();
                        p.mono_ms += 20000; /* a disk that lost what it was given is not trusted again in this run */
                        give(&p, (struct vigie_event){ .type = VIGIE_ON_TICK });
                        turn(p.loop, 2);
                        if (n < 4)
                                assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
                        end(&p);
                        assert_int_equal(begin(&p), 0);
                        assert_true(alert_of(&p, NULL).word == VIGIE_NOT_SENT ||
                                    (n == 0 && alert_of(&p, NULL).word == VIGIE_NOTHING));
                        end(&p);
                        close_phone(&p);
                }
}

/* Told as soon as it is known, not at the next press. */
static void a_failed_sync_is_told(void **state)
{
        struct phone p;

        open_phone(&p);
        p.calls = &calls;
        all_well();
        assert_int_equal(begin(&p), 0);
        settle(&p);
        left_sync = 0;
        p.told = false;
        press(&p);
        assert_true(spin(p.loop, &p.told));
        assert_false(p.told_ok);
        assert_int_equal(p.refused, 0);
        assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
        end(&p);
        close_phone(&p);
}

/* No room for a journal at the start: the page says so before anybody presses; when there is room it is opened. */
static void no_room_at_the_start(void **state)
{
        struct phone p;

        open_phone(&p);
        p.calls = &calls;
        all_well();
        left_room = 0;
        assert_int_equal(begin(&p), 0);
        assert_true(spin(p.loop, &p.told));
        assert_int_equal(p.told_seq, 0);
        assert_false(p.told_ok);
        assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
        press(&p);
        assert_true(p.refused > 0);
        assert_true(outbox_settled(p.outbox));
        assert_int_equal(alert_of(&p, NULL).word, VIGIE_NOT_SENT);
        all_well();
        p.told = false;
        assert_true(spin(p.loop, &p.told));
        assert_true(p.told_ok);
        p.mono_ms += 20000; /* the core tries again what was lost */
        give(&p, (struct vigie_event){ .type = VIGIE_ON_TICK });
        settle(&p);
        assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, 0);
        end(&p);
        assert_int_equal(begin(&p), 0);
        assert_int_equal(alert_of(&p, NULL).word, VIGIE_NOT_SENT);
        end(&p);
        close_phone(&p);
}

/* A folder that is not there (yet). */
static void nowhere_to_write(void **state)
{
        struct phone p;

        open_phone(&p);
        strcpy(p.path, "/nowhere/journal");
        assert_int_equal(begin(&p), 0);
        assert_true(spin(p.loop, &p.told));
        assert_int_equal(trouble_of(&p) & VIGIE_TROUBLE_JOURNAL, VIGIE_TROUBLE_JOURNAL);
        end(&p);
        close_phone(&p);
}

/* ---- rewriting --------------------------------------------------------------------------------------------------- */

static off_t size_of(const char *path)
{
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_size;
}

/* Grown far beyond its bound while the core goes on, it is rewritten; what was open is there after it. */
static void a_grown_journal_is_rewritten(void **state)
{
        struct vigie_alert_status before;
        struct phone p;
        unsigned rounds = 0;
        ino_t first;
        struct stat st;

        open_phone(&p);
        assert_int_equal(begin(&p), 0);
        press(&p);
        settle(&p);
        before = alert_of(&p, NULL);
        assert_int_equal(stat(p.path, &st), 0);
        first = st.st_ino;
        do { /* touches that are let go: two records each */
                p.mono_ms += 10;
                give(&p, (struct vigie_event){ .type = VIGIE_ON_PRESS, .u.press.how = VIGIE_TOUCH_DOWN });
                p.mono_ms += 10;
                give(&p, (struct vigie_event){ .type = VIGIE_ON_PRESS, .u.press.how = VIGIE_TOUCH_UP });
                if (++rounds % 16 == 0)
                        settle(&p);
                outbox_tidy(p.outbox);
                assert_int_equal(stat(p.path, &st), 0);
        } while (st.st_ino == first && rounds < 40000);
        assert_true(st.st_ino != first);
        settle(&p);
        end(&p);
        assert_true(size_of(p.path) < OUTBOX_GROWN);
        assert_int_equal(p.refused, 0);
        assert_int_equal(begin(&p), 0);
        assert_memory_equal(alert_of(&p, NULL).id, before.id, VIGIE_ALERT_ID_SIZE);
        end(&p);
        close_phone(&p);
}

/* The copy of the core that the rewrite looks at is one: what it keeps does not hang on the original. */
static void a_copied_core_keeps_the_same(void **state)
{
        struct vigie *copy = malloc(vigie_size());
        uint8_t record[VIGIE_RECORD_MAX];
        size_t len = 0;
        struct phone p;

        open_phone(&p);
        assert_int_equal(begin(&p), 0);
        press(&p);
        for (uint32_t i = 0; i < p.actions.count; i++)
                if (p.actions.action[i].type == VIGIE_DO_APPEND)
                        memcpy(record, p.actions.action[i].data, len = p.actions.action[i].len);
        assert_true(len > 0);
        settle(&p);
        assert_true(vigie_keep(p.vigie, record, len));
        memcpy(copy, p.vigie, vigie_size());
        memset(p.vigie, 0xa5, vigie_size());
        assert_true(vigie_keep(copy, record, len));
        free(copy);
        end(&p);
        close_phone(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_press_survives),
                cmocka_unit_test(closing_writes),
                cmocka_unit_test(one_daemon_at_a_time),
                cmocka_unit_test(an_altered_file),
                cmocka_unit_test(the_nth_call_fails),
                cmocka_unit_test(a_failed_sync_is_told),
                cmocka_unit_test(no_room_at_the_start),
                cmocka_unit_test(nowhere_to_write),
                cmocka_unit_test(a_grown_journal_is_rewritten),
                cmocka_unit_test(a_copied_core_keeps_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
