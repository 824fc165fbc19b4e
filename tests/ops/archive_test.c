/* The daemon against a real Redis: what the feed has is in the archive, once, in order; breaks, gaps, deaths, a full
 * disk. */
#include "tests/ops/archive_feeder.h"

#include <sys/resource.h>

#include "wire/feed.h"

/* ---- */

static void test_once(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        char folder[256], kept[4096];

        for (int i = 0; i < 3; i++)
                feed_alert(&f, 1, "*");
        ask(f.redis, "XADD {lyon}:feed * f 1 t duty k s001 at 1795000000000 r x");
        ask(f.redis, "XADD {lyon}:feed * f 9 t new");
        once(p);
        audit(p, 0, "good: 1 files, 6 entries, region lyon"); /* and which server it was read from */
        assert_int_equal(count(f.redis, "HGET {lyon}:archive number"), 6);
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 5); /* kept for an hour */
        once(p);
        audit(p, 0, "6 entries");
        assert_int_equal(VIGIE(p, "archive", "--checkpoint"), 0);
        place_put(p, "kept", p->out, strlen(p->out));
        assert_int_equal(VIGIE_WITH(p, p->out, "inspect", "--key", place_path(p, "region/archive.pem", kept), "--aad",
                                    "vigie archive"),
                         0);
        if (strstr(p->out, "checkpoint of an archive") == NULL || strstr(p->out, "region: \"lyon\"") == NULL)
                fail_msg("%s", p->out);
        feed_alert(&f, 1, "*");
        once(p);
        assert_int_equal(VIGIE(p, "verify-audit", place_path(p, "region/archive", folder), "--checkpoint",
                               place_path(p, "kept", kept)),
                         0);
        if (strstr(p->out, "the checkpoint kept elsewhere, entry 6") == NULL)
                fail_msg("%s", p->out);
        redisFree(f.redis);
}

static void test_trim(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);

        configure(p, "keep = 0");
        for (int i = 0; i < 3; i++)
                feed_alert(&f, 1, "*");
        once(p);
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 1); /* the last one shows that nothing is missing */
        feed_alert(&f, 1, "*");
        once(p);
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 1);
        ask(f.redis, "XTRIM {lyon}:feed MAXLEN 0"); /* what is archived, and no more */
        once(p);
        audit(p, 0, "5 entries");
        assert_null(strstr(p->out, "break"));
        assert_null(strstr(p->out, "GAP"));
        redisFree(f.redis);
}

static void test_gap(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);

        feed_alert(&f, 1, "*");
        once(p);
        for (int i = 0; i < 3; i++)
                feed_alert(&f, 1, "*");
        ask(f.redis, "XTRIM {lyon}:feed MAXLEN 1");
        once(p);
        assert_non_null(strstr(p->err, "archive: gap behind"));
        audit(p, 0, "GAP: the feed was trimmed behind");
        assert_non_null(strstr(p->out, "alert 01010101010101010101010101010101: break behind version 1"));
        assert_int_equal(count(f.redis, "HEXISTS {lyon}:notices tech:archive:archive_gap"), 1);
        redisFree(f.redis);
}

/* The feed of a replica that had less, and went on by itself: ids that were there before, a version that comes again.
 * */
static void test_failover(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p), replica;

        feed_alert(&f, 1, "1000-0");
        feed_alert(&f, 1, "2000-0");
        replica = f;
        feed_alert(&f, 1, "3000-0");
        feed_alert(&f, 1, "4000-0");
        once(p);
        ask(f.redis, "DEL {lyon}:feed");
        f.version = 0;
        memset(f.before, 0, sizeof(f.before));
        feed_alert(&f, 1, "1000-0");
        feed_alert(&f, 1, "2000-0");
        feed_alert(&replica, 2, "2500-0"); /* another alert, of which the first versions are not known */
        f.version = 2;
        feed_alert(&f, 1, "2600-0"); /* version 3, as it was */
        once(p);
        audit(p, 0, "the feed had gone to 4000-0");
        assert_non_null(strstr(p->out, "break behind version 4 (feed ): a version came again"));
        assert_non_null(strstr(p->out, "nothing of it was known here"));
        audit(p, 0, "entries"); /* 4, the server, the break, 2 of it and a break each */
        assert_non_null(strstr(p->out, "1 files, 10 entries"));
        once(p);
        audit(p, 0, "1 files, 10 entries");
        redisFree(f.redis);
}

static void test_feed_lost(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);

        feed_alert(&f, 1, "*");
        once(p);
        ask(f.redis, "DEL {lyon}:feed");
        once(p);
        feed_alert(&f, 1, "1-1");
        once(p);
        audit(p, 0, "the feed had gone to");
        assert_non_null(strstr(p->out, "1 files, 4 entries"));
        redisFree(f.redis);
}

static void test_only_one(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        pid_t pid = place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "archive", NULL });

        feed_alert(&f, 1, "*");
        for (int i = 0; count(f.redis, "HGET {lyon}:archive number") < 2; i++) {
                assert_true(i < 500);
                usleep(20000);
        }
        REFUSED(p, 1, "another vigie archive follows the feed", "archive", "--once");
        kill(pid, SIGKILL);
        place_end(p, pid);
        once(p);
        configure(p, "path = "); /* the last one counts?  no: written twice is refused */
        REFUSED(p, 1, "archive.path", "archive", "--once");
        redisFree(f.redis);
}

/* Another folder that wants the same feed. */
static void test_another_archive(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        char from[256], to[256];

        feed_alert(&f, 1, "*");
        once(p);
        assert_int_equal(rename(place_path(p, "region/archive", from), place_path(p, "region/old", to)), 0);
        REFUSED(p, 1, "follows this feed", "archive", "--once");
        assert_int_equal(VIGIE(p, "archive", "--once", "--take-over"), 0);
        once(p);
        redisFree(f.redis);
}

/* Killed at any time while the feed grows; in the end each entry is there once. */
static void test_deaths(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        unsigned seed = 7;

        configure(p, "keep = 0");
        for (int i = 0; i < 25; i++) {
                pid_t pid = place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "archive", NULL });
                int entries = 40;

                while (entries-- > 0) {
                        feed_alert(&f, 1, "*");
                        usleep((useconds_t)(rand_r(&seed) % 4000));
                }
                kill(pid, SIGKILL);
                assert_int_equal(place_end(p, pid), 128 + SIGKILL);
        }
        once(p);
        audit(p, 0, "good:");
        assert_null(strstr(p->out, "GAP"));
        assert_null(strstr(p->out, "alert 01010101010101010101010101010101: break"));
        assert_int_equal(f.version, 1000);
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 1);
        redisFree(f.redis);
}

/* A disk that takes no more (a limit on the file's size does as well): said, nothing trimmed, and all there
 * afterwards. */
static void test_disk_full(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        struct rlimit before, small;

        configure(p, "keep = 0");
        feed_alert(&f, 1, "*");
        once(p);
        for (int i = 0; i < 50; i++)
                feed_alert(&f, 1, "*");
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        small = before;
        small.rlim_cur = 8192;
        setrlimit(RLIMIT_FSIZE, &small);
        assert_int_equal(VIGIE(p, "archive", "--once"), 1);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_non_null(strstr(p->err, "the feed is not trimmed"));
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 52); /* and the notice */
        assert_int_equal(count(f.redis, "HEXISTS {lyon}:notices tech:archive:archive_failed"), 1);
        audit(p, 0, "2 entries");
        once(p);
        once(p); /* that the notice is over is in the feed as well */
        audit(p, 0, "54 entries");
        assert_int_equal(count(f.redis, "HEXISTS {lyon}:notices tech:archive:archive_failed"), 0);
        redisFree(f.redis);
}

static void test_altered_is_not_written_to(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        char command[512];

        feed_alert(&f, 1, "*");
        once(p);
        snprintf(command, sizeof(command), "cd %s/archive && truncate -s -1 0*.archive", p->region);
        assert_int_equal(system(command), 0);
        feed_alert(&f, 1, "*");
        REFUSED(p, 1, "cannot be read", "archive", "--once");
        audit(p, 1, "cannot be read");
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 2);
        redisFree(f.redis);
}

/* An alert that with what its phone signed leaves no room for what stands around it in an entry: kept without its content, and the feed is
 * followed on. */
static void test_too_large(void **state)
{
        /* {1: id, 2: version 1, 3: state 5, 60: octets} */
        uint8_t data[32768] = { 0xa4, 0x01, 0x50, [19] = 0x02, 0x01, 0x03, 0x05, 0x18, 60, 0x59 };
        struct place *p = *state;
        struct feeder f = feeder(p);

        memset(data + 3, 1, ALERT_ID_SIZE);
        data[26] = (31000 - 28) >> 8;
        data[27] = (31000 - 28) & 0xff;
        for (size_t len = 500; len < 2000; len += 100)
                freeReplyObject(redisCommand(
                        f.redis, "XADD {lyon}:feed * f 1 t alert id %s v 1 e raise by x c %s at 1 r %b signed %b",
                        "01010101010101010101010101010101", "", data, (size_t)31000, data, len));
        once(p);
        audit(p, 0, "good:");
        redisFree(f.redis);
}

static pid_t shell(const char *command)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(WEXITSTATUS(system(command)));
        return pid;
}

/* Verified while the daemon writes, and while terms are erased: what they do meanwhile is no alteration. */
static void test_verified_while_written(void **state)
{
        char verify[1024], retain[1024];
        struct place *p = *state;
        struct feeder f = feeder(p);
        pid_t pid;

        configure_terms(p, "positions = 0\nalerts = 0\nproof = 0\n");
        feed_alert(&f, 1, "*");
        once(p);
        snprintf(verify, sizeof(verify), "%s/vigie verify-audit %s/archive --key %s/archive.pem > %s/said", p->bin,
                 p->region, p->region, p->dir);
        snprintf(retain, sizeof(retain), "%s/vigie -C %s retain > /dev/null", p->bin, p->region);
        pid = place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "archive", NULL });
        for (int i = 0, status = 0, erased = 0; i < 10; i++) {
                pid_t reader = shell(verify), eraser = i % 2 == 0 ? shell(retain) : 0;

                while (waitpid(reader, &status, WNOHANG) == 0) {
                        feed_alert(&f, 1, "*");
                        usleep(200);
                }
                place_get(p, "said", p->out, sizeof(p->out));
                if (status != 0 || strncmp(p->out, "good:", 5) != 0)
                        fail_msg("%s", p->out);
                if (eraser != 0)
                        assert_int_equal(waitpid(eraser, &erased, 0), eraser);
                assert_int_equal(erased, 0);
        }
        kill(pid, SIGKILL);
        place_end(p, pid);
        redisFree(f.redis);
}

static void put_tombstone(redisContext *c, const char *id, int64_t closed_at_ms)
{
        struct tombstone t = { .version = 1, .state = 16, .closed_at_ms = closed_at_ms };
        uint8_t data[TOMBSTONE_MAX];
        int len = tombstone_encode(&t, data, sizeof(data));

        assert_true(len > 0);
        freeReplyObject(redisCommand(c, "HSET {lyon}:tombstones %s %b", id, data, (size_t)len));
}

/* Closed alerts go after their day, if they are archived; tombstones after 400 days. */
static void test_clean(void **state)
{
        static const char *const ids[] = { "01010101010101010101010101010101", "02020202020202020202020202020202" };
        struct place *p = *state;
        redisContext *c = place_as(p, 0, "dispatcher");
        int64_t now_ms = (int64_t)time(NULL) * 1000, day = 86400000;
        uint8_t data[RECORD_MAX];

        for (uint8_t i = 0; i < 2; i++) {
                struct record r = { .version = 1, .state = ALERT_CLOSED };
                int len;

                memset(r.id, i + 1, sizeof(r.id));
                len = record_encode(&r, data, sizeof(data));
                freeReplyObject(redisCommand(c, "XADD {lyon}:feed * f 1 t alert id %s v 1 e close by x c %s at 1 r %b",
                                             ids[i], "", data, (size_t)len));
                freeReplyObject(redisCommand(c, "HSET {lyon}:alert:%s v 1 s 7", ids[i]));
                put_tombstone(c, ids[i], now_ms - (i == 0 ? day + 1000 : day - 60000));
        }
        ask(c, "HSET {lyon}:alert:03030303030303030303030303030303 v 1 s 7"); /* not in the archive */
        put_tombstone(c, "03030303030303030303030303030303", now_ms - 2 * day);
        put_tombstone(c, "04040404040404040404040404040404", now_ms - 400 * day - 1000);
        once(p);
        assert_int_equal(count(c, "EXISTS {lyon}:alert:01010101010101010101010101010101"), 0);
        assert_int_equal(count(c, "EXISTS {lyon}:alert:02020202020202020202020202020202"), 1);
        assert_int_equal(count(c, "EXISTS {lyon}:alert:03030303030303030303030303030303"), 1);
        assert_int_equal(count(c, "HLEN {lyon}:tombstones"), 3);
        redisFree(c);
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_once),
                WITH_STORES(test_trim),
                WITH_STORES(test_gap),
                WITH_STORES(test_failover),
                WITH_STORES(test_feed_lost),
                WITH_STORES(test_only_one),
                WITH_STORES(test_another_archive),
                WITH_STORES(test_deaths),
                WITH_STORES(test_disk_full),
                WITH_STORES(test_altered_is_not_written_to),
                WITH_STORES(test_too_large),
                WITH_STORES(test_verified_while_written),
                WITH_STORES(test_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
