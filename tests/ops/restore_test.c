/* A backup made while things go on, what the archive has beyond it, and an empty Redis: all are there. */
#include "tests/ops/archive_feeder.h"

#include "ops/vigie/backup_file.h"
#include "wire/feed.h"

#define ALERT "01010101010101010101010101010101"

/* The next version of alert NUMBER as a dispatcher commits it: hash, open, due, feed; or its tombstone. */
static void commit(struct feeder *f, uint8_t number)
{
        uint8_t data[RECORD_MAX], octets[ALERT_ID_SIZE];
        struct feeder same = *f;
        char id[ALERT_ID_TEXT];
        int len = feeder_record(&same, number, data);

        assert_true(len > 0);
        memset(octets, number, sizeof(octets));
        hex_encode(octets, sizeof(octets), id);
        feed_alert(f, number, "*");
        freeReplyObject(redisCommand(f->redis, "HSET {lyon}:alert:%s f 1 v %d s %d r %b signed %s", id, f->version,
                                     f->closed ? ALERT_CLOSED : ALERT_TAKEN, data, (size_t)len, "by-the-phone"));
        freeReplyObject(redisCommand(f->redis, f->closed ? "ZREM {lyon}:open %s" : "ZADD {lyon}:open 1 %s", id));
        if (f->closed) {
                struct tombstone t = { .version = f->version, .state = 16 };
                int size = tombstone_encode(&t, data, sizeof(data));

                assert_true(size > 0);
                freeReplyObject(redisCommand(f->redis, "HSET {lyon}:tombstones %s %b", id, data, (size_t)size));
        }
}

static void fresh(struct feeder *f)
{
        f->version = 0;
        f->closed = false;
        memset(f->before, 0, sizeof(f->before));
}

static void lose_redis(struct place *p)
{
        char command[256];

        place_redis_kill(p, 0);
        snprintf(command, sizeof(command), "rm -rf '%s/alerts'", p->dir);
        assert_int_equal(system(command), 0);
        place_redis(p, 0);
}

static void backup(struct place *p)
{
        char folder[256];

        assert_true(mkdir(place_path(p, "backups", folder), 0700) == 0 || errno == EEXIST);
        if (VIGIE(p, "backup", folder) != 0)
                fail_msg("%s", p->err);
}

static int restore(struct place *p, const char *option)
{
        char folder[256];

        return VIGIE(p, "restore", place_path(p, "backups", folder), option);
}

/* The record of an alert that is open. */
static void get_record(redisContext *c, const char *id, struct record *ret)
{
        redisReply *reply = redisCommand(c, "HGET {lyon}:alert:%s r", id);

        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_int_equal(record_decode((const uint8_t *)reply->str, reply->len, ret), 0);
        freeReplyObject(reply);
}

/* Alert 1 in the backup and newer in the archive; 2 closed since; 3 raised since, and signed anew; people and a duty;
 * another duty since. */
static void make(struct place *p)
{
        struct feeder f = feeder(p), one;

        ask(f.redis, "HSET {lyon}:carriers c001 camille c002 sami");
        ask(f.redis, "SET {lyon}:epoch 4");
        ask(f.redis, "HSET {lyon}:duty:supervisors s001 on");
        ask(f.redis, "HSET {lyon}:notices tech:d1:clock x");
        ask(f.redis, "XADD {lyon}:inbox:0102030405060708 * f 1 r order");
        ask(f.redis, "SET {lyon}:session:ab secret");
        ask(f.redis, "SET {lyon}:lease:passes 1 PX 300");
        ask(f.redis, "PEXPIRE {lyon}:inbox:0102030405060708 3600000");
        commit(&f, 1);
        one = f;
        fresh(&f);
        commit(&f, 2);
        once(p);
        backup(p);
        commit(&one, 1);
        f.closed = true;
        commit(&f, 2);
        fresh(&f);
        f.signed_alert = "first-revision";
        commit(&f, 3);
        f.signed_alert = "second-revision";
        commit(&f, 3);
        f.signed_alert = NULL;
        commit(&f, 3);
        ask(f.redis, "XADD {lyon}:feed * f 1 t duty k s001 at 1795000000000 r x");
        ask(f.redis, "XADD {lyon}:feed * f 1 t duty k s002 at 1795000000000 r on");
        freeReplyObject(redisCommand(f.redis, "XADD {lyon}:feed * f 1 t notice k tech:d1:clock at 1 r %s", ""));
        once(p);
        redisFree(f.redis);
}

static void assert_text(redisContext *c, const char *command, const char *wanted)
{
        redisReply *reply = redisCommand(c, command);

        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_string_equal(reply->str, wanted);
        freeReplyObject(reply);
}

static void test_all_are_there(void **state)
{
        struct place *p = *state;
        redisContext *c;
        struct record r;
        long long ms;

        make(p);
        lose_redis(p);
        if (restore(p, NULL) != 0)
                fail_msg("%s", p->err);
        c = place_as(p, 0, "dispatcher");
        assert_int_equal(count(c, "ZCARD {lyon}:open"), 2);
        assert_int_equal(count(c, "ZCARD {lyon}:due"), 2);
        get_record(c, ALERT, &r);
        assert_int_equal(r.version, 1002);
        assert_true((r.marks & RECORD_RESTORED) != 0);
        assert_string_equal(r.owner_name, "Paul Martin");
        get_record(c, "03030303030303030303030303030303", &r);
        assert_int_equal(r.version, 1003);
        assert_text(c, "HGET {lyon}:alert:" ALERT " signed", "by-the-phone");
        assert_text(c, "HGET {lyon}:alert:03030303030303030303030303030303 signed", "second-revision");
        assert_int_equal(count(c, "HEXISTS {lyon}:tombstones 02020202020202020202020202020202"), 1);
        assert_int_equal(count(c, "EXISTS {lyon}:alert:02020202020202020202020202020202"), 0);
        assert_int_equal(count(c, "GET {lyon}:epoch"), 5);
        assert_int_equal(count(c, "HLEN {lyon}:carriers"), 2);
        assert_int_equal(count(c, "HEXISTS {lyon}:duty:supervisors s002"), 1);
        assert_int_equal(count(c, "HEXISTS {lyon}:notices tech:d1:clock"), 0);
        assert_int_equal(count(c, "XLEN {lyon}:inbox:0102030405060708"), 1);
        ms = count(c, "PTTL {lyon}:inbox:0102030405060708");
        assert_true(ms > 3000000 && ms <= 3600000);
        usleep(300000); /* whoever had it then is not kept waiting for ever */
        assert_int_equal(count(c, "EXISTS {lyon}:lease:passes"), 0);
        assert_int_equal(count(c, "EXISTS {lyon}:session:ab"), 0);
        assert_int_equal(count(c, "XLEN {lyon}:feed"), 2);
        once(p); /* the archive goes on: another feed, the restore, and each alert's chain whole */
        audit(p, 0, "restored, epoch 5");
        assert_non_null(strstr(p->out, "the feed had gone to"));
        assert_null(strstr(p->out, "alert " ALERT ": break"));
        assert_int_equal(restore(p, NULL), 1);
        assert_non_null(strstr(p->err, "Redis is not empty"));
        redisFree(c);
}

/* Again, into what is there: the epoch rises each time, even where Redis and the backup know nothing of the last one.
 * */
static void test_over_and_again(void **state)
{
        struct place *p = *state;
        redisContext *c;

        make(p);
        assert_int_equal(restore(p, NULL), 1);
        assert_non_null(strstr(p->err, "Redis is not empty"));
        assert_int_equal(restore(p, "--over"), 0);
        once(p);
        audit(p, 0, "before the restore -> run"); /* the feed was taken away by us, not trimmed by somebody else */
        assert_null(strstr(p->out, "GAP"));
        lose_redis(p);
        assert_int_equal(restore(p, NULL), 0);
        c = place_as(p, 0, "dispatcher");
        assert_int_equal(count(c, "GET {lyon}:epoch"), 6);
        assert_int_equal(count(c, "ZCARD {lyon}:open"), 2);
        once(p);
        audit(p, 0, "good:");
        redisFree(c);
        assert_int_equal(VIGIE(p, "trust", "sign"), 0); /* above all numbers that were */
        assert_non_null(strstr(p->out, "trust list 2002:"));
}

static void test_archive_is_lost_too(void **state)
{
        struct place *p = *state;
        char command[256];
        redisContext *c;

        make(p);
        lose_redis(p);
        snprintf(command, sizeof(command), "rm -rf '%s/archive'", p->region);
        assert_int_equal(system(command), 0);
        assert_int_equal(restore(p, NULL), 1);
        assert_non_null(strstr(p->err, "--without-archive"));
        assert_int_equal(restore(p, "--without-archive"), 0);
        c = place_as(p, 0, "dispatcher");
        assert_int_equal(count(c, "ZCARD {lyon}:open"), 2); /* 1 and 2 as they were then */
        assert_int_equal(count(c, "GET {lyon}:epoch"), 1004);
        redisFree(c);
}

/* Every octet counts; a backup of another key or region is none. */
static void test_altered(void **state)
{
        struct place *p = *state;
        char command[2048];

        make(p);
        lose_redis(p);
        snprintf(command, sizeof(command),
                 "f=$(ls %s/backups/*.backup) && cp $f $f.kept && for at in 3 200 500; do cp $f.kept $f; "
                 "printf X | dd of=$f bs=1 seek=$at conv=notrunc 2>/dev/null; "
                 "%s/vigie -C %s restore $f 2>/dev/null && exit 1; done; "
                 "truncate -s -1 $f; %s/vigie -C %s restore $f 2>/dev/null && exit 1; cp $f.kept $f; true",
                 p->dir, p->bin, p->region, p->bin, p->region);
        assert_int_equal(system(command), 0);
        assert_int_equal(restore(p, NULL), 0);
}

static void put_item(struct backup_writer *w, uint8_t kind, const char *key, const char *first, const char *const *more)
{
        struct backup_item item = { .kind = kind };
        struct cbor_span values[8] = { { (const uint8_t *)first, strlen(first) } };
        size_t n = 1;

        snprintf(item.key, sizeof(item.key), "%s", key);
        for (; more[n - 1] != NULL; n++)
                values[n] = (struct cbor_span){ (const uint8_t *)more[n - 1], strlen(more[n - 1]) };
        assert_int_equal(backup_put(w, &item, values, n), 0);
}

/* Redis's SCAN may give a key twice: the stream is there once, as it was the second time. */
static void test_a_stream_met_twice(void **state)
{
        static const char *const order[] = { "o", "x", NULL }, *const none[] = { NULL };
        static const char *const ids[] = { "5-0", "6-0", NULL, "6-0", "7-0", NULL, "5-0", "6-0", "8-0" };
        const struct backup_header header = { .region = "lyon" };
        struct place *p = *state;
        struct backup_writer *w;
        char path[256], key_path[256];
        struct key *key;
        uint64_t items;
        redisContext *c;

        assert_int_equal(mkdir(place_path(p, "backups", path), 0700), 0);
        assert_int_equal(backup_create(place_path(p, "backups/lyon-1.backup", path), &header, &w), 0);
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
                if (ids[i] != NULL)
                        put_item(w, BACKUP_STREAM, i < 3 ? "inbox:aa" : "inbox:bb", ids[i], order);
                else
                        put_item(w, BACKUP_STRING, "epoch", "4", none);
        put_item(w, BACKUP_STREAM, "inbox:aa", "6-0", order);
        assert_int_equal(key_from_file(place_path(p, "region/archive.key", key_path), &key), 0);
        assert_int_equal(backup_finish(w, key, &items), 0);
        backup_free(w);
        key_free(key);
        if (restore(p, "--without-archive") != 0)
                fail_msg("%s", p->err);
        c = place_as(p, 0, "dispatcher");
        assert_int_equal(count(c, "XLEN {lyon}:inbox:aa"), 1);
        assert_int_equal(count(c, "XLEN {lyon}:inbox:bb"), 3);
        redisFree(c);
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_all_are_there),
                WITH_STORES(test_over_and_again),
                WITH_STORES(test_archive_is_lost_too),
                WITH_STORES(test_altered),
                WITH_STORES(test_a_stream_met_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
