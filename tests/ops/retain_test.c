/* Terms: what is erased is gone from the files and from Redis, the chain still verifies; a hold stops it; cut short,
 * it goes on. */
#include "tests/ops/archive_feeder.h"

#define ALERT "01010101010101010101010101010101"

/* Whether the archive's files hold TEXT. */
static bool has(struct place *p, const char *text)
{
        char command[512];

        snprintf(command, sizeof(command), "grep -aqF '%s' %s/archive/*", text, p->region);
        return system(command) == 0;
}

/* The page's other reader finds it good as well. */
static void oracle(struct place *p)
{
        char command[512];

        snprintf(command, sizeof(command), "tests/ops/archive_verify.py %s/archive %s/archive.pem > /dev/null",
                 p->region, p->region);
        assert_int_equal(system(command), 0);
}

static void erase(struct place *p, const char *terms)
{
        configure_terms(p, terms);
        if (VIGIE(p, "retain") != 0)
                fail_msg("%s", p->err);
}

/* Alert 1 from its raise to its closure, and a duty, archived. */
static struct feeder make(struct place *p)
{
        struct feeder f = feeder(p);

        f.signed_alert = "signed-with-a-place";
        feed_alert(&f, 1, "*");
        f.signed_alert = NULL;
        feed_alert(&f, 1, "*");
        f.closed = true;
        feed_alert(&f, 1, "*");
        ask(f.redis, "XADD {lyon}:feed * f 1 t duty k petit.jeanne at 1795000000000 r x");
        ask(f.redis, "XADD {lyon}:feed * f 1 t notice k overdue:zone-zz at 1795000000000 r Sami-Benali");
        ask(f.redis, "HSET {lyon}:alert:" ALERT " v 3 s 7 r x");
        once(p);
        return f;
}

static void test_each_term_is_its_own(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);

        assert_true(has(p, "1234") && has(p, "Camille Roux") && has(p, "Paul Martin") && has(p, "petit.jeanne"));
        assert_true(has(p, "signed-with-a-place"));
        erase(p, "positions = 0\nalerts = 3650d\nproof = 3650d\n");
        audit(p, 0, "good:");
        oracle(p);
        assert_true(!has(p, "1234") && !has(p, "5678") && !has(p, "signed-with-a-place"));
        assert_true(has(p, "Camille Roux") && has(p, "Paul Martin") && has(p, "AAAABBBB") && has(p, "Chute"));
        erase(p, "positions = 0\nalerts = 3650d\nproof = 0\n");
        audit(p, 0, "good:");
        assert_true(has(p, "Camille Roux") && has(p, "AAAABBBB") && has(p, "Sami-Benali"));
        assert_true(!has(p, "Paul Martin") && !has(p, "Chute") && !has(p, "petit.jeanne") && !has(p, "s001"));
        erase(p, "positions = 0\nalerts = 0\nproof = 0\n");
        audit(p, 0, "good:");
        assert_true(!has(p, "Camille Roux") && !has(p, "AAAABBBB") && !has(p, "Sami-Benali"));
        erase(p, "positions = 0\nalerts = 0\nproof = 0\n");
        assert_non_null(strstr(p->out, "0 erasures, 0 parts erased"));
        oracle(p);
        once(p); /* and it goes on */
        feed_alert(&f, 1, "*");
        once(p);
        audit(p, 0, "good:");
        redisFree(f.redis);
}

static void test_redis_too(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);

        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 5);
        erase(p, "positions = 0\nalerts = 0\nproof = 0\n");
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 0);
        assert_int_equal(count(f.redis, "EXISTS {lyon}:alert:" ALERT), 0);
        feed_alert(&f, 2, "*"); /* of which there was a version 3 before: a break, and no gap */
        once(p);
        audit(p, 0, "good:");
        assert_null(strstr(p->out, "GAP"));
        redisFree(f.redis);
}

static void test_nothing_before_its_term(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);

        erase(p, "positions = 3650d\nalerts = 3650d\nproof = 3650d\n");
        assert_non_null(strstr(p->out, "0 erasures"));
        assert_true(has(p, "1234") && has(p, "Camille Roux"));
        assert_int_equal(count(f.redis, "XLEN {lyon}:feed"), 5);
        redisFree(f.redis);
}

/* A time that no clock tells is not over, whatever is added to it. */
static void test_a_time_without_end(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);

        ask(f.redis, "XADD {lyon}:feed * f 1 t notice k overdue:zone-yy at 9223372036854775807 r Anna-Dupont");
        once(p);
        erase(p, "positions = 3650d\nalerts = 1h\nproof = 1h\n");
        assert_true(has(p, "Anna-Dupont"));
        audit(p, 0, "good:");
        redisFree(f.redis);
}

static void test_hold(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);

        configure_terms(p, "positions = 0\nalerts = 0\nproof = 0\n");
        REFUSED(p, 2, "--reason", "retain", "--hold", ALERT, "--by", "a", "--second", "b");
        REFUSED(p, 2, "two persons", "retain", "--hold", ALERT, "--reason", "x", "--by", "a", "--second", "a");
        REFUSED(p, 2, "--second", "retain", "--hold", ALERT, "--reason", "x", "--by", "a");
        REFUSED(p, 2, "32 hex digits", "retain", "--hold", "12", "--reason", "x", "--by", "a", "--second", "b");
        REFUSED(p, 2, "--hold or --release", "retain", "--reason", "x", "--by", "a", "--second", "b");
        REFUSED(p, 2, "--hold or --release", "retain", "--by", "a");
        assert_true(has(p, "petit.jeanne"));
        REFUSED(p, 1, "not in the archive", "retain", "--hold", "99999999999999999999999999999999", "--reason", "x",
                "--by", "a", "--second", "b");
        REFUSED(p, 1, "it is not held", "retain", "--release", ALERT, "--reason", "x", "--by", "a", "--second", "b");
        assert_int_equal(
                VIGIE(p, "retain", "--hold", ALERT, "--reason", "prud'hommes", "--by", "drh", "--second", "dpo"), 0);
        REFUSED(p, 1, "held already", "retain", "--hold", ALERT, "--reason", "x", "--by", "a", "--second", "b");
        assert_int_equal(VIGIE(p, "retain"), 0);
        audit(p, 0, "good:");
        assert_true(has(p, "1234") && has(p, "Camille Roux") && has(p, "Paul Martin"));
        assert_false(has(p, "petit.jeanne")); /* what is not held goes */
        assert_int_equal(VIGIE(p, "retain", "--release", ALERT, "--reason", "fini", "--by", "drh", "--second", "dpo"),
                         0);
        assert_int_equal(VIGIE(p, "retain"), 0);
        assert_true(!has(p, "1234") && !has(p, "Camille Roux") && !has(p, "Paul Martin"));
        audit(p, 0, "good:");
        redisFree(f.redis);
}

/* Without Redis nothing is said.  Said, and the files not reached: nothing is wrong with the archive, it is not
 * finished, and the next run ends it. */
static void test_cut_short(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);
        char command[256];

        f.version = 0;
        memset(f.before, 0, sizeof(f.before));
        for (int i = 0; i < 5; i++)
                feed_alert(&f, 2, "*");
        once(p);
        redisFree(f.redis);
        place_redis_kill(p, 0);
        configure_terms(p, "positions = 0\nalerts = 0\nproof = 0\n");
        assert_int_equal(VIGIE(p, "retain"), 1);
        assert_true(has(p, "Camille Roux"));
        audit(p, 0, "good:");
        place_redis(p, 0);
        snprintf(command, sizeof(command), "cd %s/archive && mkdir $(ls | grep '^0').new", p->region);
        assert_int_equal(system(command), 0);
        assert_int_equal(VIGIE(p, "retain"), 1);
        assert_non_null(strstr(p->err, "run it again"));
        assert_true(has(p, "Camille Roux"));
        audit(p, 1, "is said to be erased, and is still there: run `vigie retain` again");
        snprintf(command, sizeof(command), "rmdir %s/archive/*.new", p->region);
        assert_int_equal(system(command), 0);
        assert_int_equal(VIGIE(p, "retain"), 0);
        assert_non_null(strstr(p->err, "and more: `vigie verify-audit` says all of it"));
        assert_false(has(p, "Camille Roux"));
        audit(p, 0, "good:");
        once(p);
}

/* Killed at any time; the next run ends it. */
static void test_deaths(void **state)
{
        struct place *p = *state;
        struct feeder f = feeder(p);
        unsigned seed = 5;

        for (uint8_t number = 1; number < 120; number++) {
                f.version = 0;
                memset(f.before, 0, sizeof(f.before));
                feed_alert(&f, number, "*");
        }
        once(p);
        configure_terms(p, "positions = 0\nalerts = 0\nproof = 0\n");
        for (int i = 0; i < 15; i++) {
                pid_t pid = place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "retain", NULL });

                usleep((useconds_t)(rand_r(&seed) % 60000));
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
        assert_int_equal(VIGIE(p, "retain"), 0);
        assert_false(has(p, "Camille Roux"));
        audit(p, 0, "good:");
        redisFree(f.redis);
}

/* The daemon follows the feed meanwhile: it sees that its files are others, and goes on. */
static void test_beside_the_daemon(void **state)
{
        struct place *p = *state;
        struct feeder f = make(p);
        pid_t pid = place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "archive", NULL });

        configure_terms(p, "positions = 0\nalerts = 0\nproof = 0\n");
        for (int i = 0; i < 10; i++) {
                pid_t retain;

                feed_alert(&f, 1, "*");
                /* its output goes elsewhere: the daemon's files are still being written */
                retain = fork();
                assert_true(retain >= 0);
                if (retain == 0) {
                        char program[700];

                        snprintf(program, sizeof(program), "%s/vigie -C %s retain > /dev/null", p->bin, p->region);
                        _exit(system(program) == 0 ? 0 : 1);
                }
                feed_alert(&f, 1, "*");
                assert_int_equal(waitpid(retain, &(int){ 0 }, 0), retain);
                feed_alert(&f, 1, "*");
        }
        kill(pid, SIGKILL);
        assert_int_equal(place_end(p, pid), 128 + SIGKILL);
        once(p);
        assert_int_equal(VIGIE(p, "retain"), 0);
        audit(p, 0, "good:");
        assert_null(strstr(p->out, "GAP"));
        assert_false(has(p, "Camille Roux"));
        redisFree(f.redis);
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_each_term_is_its_own),
                WITH_STORES(test_redis_too),
                WITH_STORES(test_nothing_before_its_term),
                WITH_STORES(test_a_time_without_end),
                WITH_STORES(test_hold),
                WITH_STORES(test_cut_short),
                WITH_STORES(test_deaths),
                WITH_STORES(test_beside_the_daemon),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
