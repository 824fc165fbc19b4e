/* Who may do what in a region's Redis: the ACL that vigie init writes (DESIGN 3.7, 6). */
#include "tests/ops/place.h"

enum may { NO, YES };

struct row {
        const char *command;
        enum may dispatcher, console, tool, archive;
};

static const struct row rows[] = {
        /* alerts and the feed are the dispatchers' */
        { "HSET {lyon}:alert:00 v 1", YES, NO, NO, NO },
        { "ZADD {lyon}:open 1 00", YES, NO, NO, NO },
        { "ZADD {lyon}:due 1 00", YES, NO, NO, NO },
        { "HSET {lyon}:tombstones 00 x", YES, NO, NO, NO },
        { "XADD {lyon}:feed * f 1", YES, NO, NO, YES },
        { "HSET {lyon}:notices k v", YES, NO, NO, YES },
        { "HSET {lyon}:duty:supervisors s x", YES, NO, NO, NO },
        { "SET {lyon}:epoch 1", YES, NO, NO, NO },
        { "EVAL return(1) 0", YES, NO, NO, NO },
        { "DEL {lyon}:alert:00", YES, NO, NO, YES },
        { "PEXPIRE {lyon}:feed 1000000", YES, NO, NO, NO },
        { "XTRIM {lyon}:feed MAXLEN 1000", YES, NO, NO, YES },
        /* all may read them */
        { "HGET {lyon}:alert:00 r", YES, YES, YES, YES },
        { "ZREVRANGE {lyon}:open 0 -1", YES, YES, YES, YES },
        { "XREVRANGE {lyon}:feed + - COUNT 1", YES, YES, YES, YES },
        { "XREAD COUNT 1 STREAMS {lyon}:feed 0", YES, YES, YES, YES },
        { "HGETALL {lyon}:users", YES, YES, YES, YES },
        { "TIME", YES, YES, YES, YES },
        { "PING", YES, YES, YES, YES },
        /* a console asks by command, and keeps its sessions */
        { "XADD {lyon}:commands MAXLEN ~ 10 * f 1 r x", YES, YES, NO, NO },
        { "SET {lyon}:session:ab x PX 1000 NX", YES, YES, NO, NO },
        { "PEXPIRE {lyon}:session:ab 1000", YES, YES, NO, NO },
        { "GET {lyon}:session:ab", YES, YES, YES, YES },
        { "DEL {lyon}:session:ab", YES, YES, NO, NO },
        /* the tool writes people */
        { "HSET {lyon}:users u x", YES, NO, YES, NO },
        { "HSET {lyon}:handsets h x", YES, YES, YES, NO },
        { "HSET {lyon}:carriers c x", YES, NO, YES, NO },
        { "HSET {lyon}:supervisors s x", YES, NO, YES, NO },
        { "HSET {lyon}:rounds r x", YES, YES, YES, NO },
        { "HDEL {lyon}:users u", YES, NO, YES, NO },
        { "XADD {lyon}:people:changes * h users k u", YES, YES, YES, NO },
        /* the pass desk: places and doors are the tool's too */
        { "HSET {lyon}:buildings b x", YES, YES, YES, NO },
        { "HSET {lyon}:stops r x", YES, YES, YES, NO },
        { "HSET {lyon}:doors d x", YES, YES, YES, NO },
        { "HSET {lyon}:lists status x", YES, YES, YES, NO },
        { "HSET {lyon}:passes p x", YES, YES, NO, NO },
        { "HDEL {lyon}:passes p", YES, YES, NO, NO },
        { "HSET {lyon}:consents c x", YES, YES, NO, NO },
        { "HDEL {lyon}:asked h", YES, YES, NO, NO },
        { "XADD {lyon}:inbox:00 MAXLEN 16 * o x", YES, YES, NO, NO },
        { "PEXPIRE {lyon}:inbox:00 1000", YES, YES, NO, NO },
        { "SET {lyon}:lease:list x PX 1000 NX", YES, YES, NO, NO },
        { "HSET {lyon}:certificates h x", YES, NO, YES, NO },
        { "HSET {lyon}:vaults h x", YES, NO, NO, NO },
        { "DEL {lyon}:handsets", YES, NO, NO, NO },
        { "DEL {lyon}:inbox:00", YES, NO, NO, NO },
        { "SET {lyon}:passes x", YES, NO, NO, NO },
        { "SET {lyon}:users x", YES, NO, NO, NO },
        { "INFO memory", NO, NO, YES, YES },
        { "ROLE", YES, YES, YES, YES },
        /* the archive trims what it has, and tells of its troubles */
        { "HSET {lyon}:archive number 1", YES, NO, NO, YES },
        { "XDEL {lyon}:feed 1-1", YES, NO, NO, YES },
        { "HDEL {lyon}:tombstones 00", YES, NO, NO, YES },
        { "HDEL {lyon}:notices k", YES, NO, NO, YES },
        { "DEL {lyon}:feed", YES, NO, NO, NO },
        { "DEL {lyon}:archive", YES, NO, NO, NO },
        { "HSET {lyon}:alert:00 r x", YES, NO, NO, NO },
        { "SCAN 0 MATCH {lyon}:alert:*", YES, YES, YES, YES },
        /* another region's, and what Redis calls dangerous or admin, is nobody's */
        { "HGET {paris}:alert:00 r", NO, NO, NO, NO },
        { "SET {paris}:epoch 1", NO, NO, NO, NO },
        { "SET anything 1", NO, NO, NO, NO },
        { "KEYS *", NO, NO, NO, NO },
        { "CONFIG GET requirepass", NO, NO, NO, NO },
        { "ACL LIST", NO, NO, NO, NO },
        { "CLIENT LIST", NO, NO, NO, NO },
        { "CLIENT KILL TYPE normal SKIPME yes", NO, NO, NO, NO },
        { "MONITOR", NO, NO, NO, NO },
        { "REPLICAOF NO ONE", NO, NO, NO, NO },
        { "FLUSHDB", NO, NO, NO, NO },
        { "FLUSHALL", NO, NO, NO, NO },
        { "SHUTDOWN NOSAVE", NO, NO, NO, NO },
};

static void check_user(const struct place *p, int which, const char *user, size_t column)
{
        redisContext *c = place_as(p, which, user);

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const enum may columns[] = { rows[i].dispatcher, rows[i].console, rows[i].tool, rows[i].archive };
                enum may may = columns[column];
                redisReply *reply = redisCommand(c, rows[i].command);
                bool refused;

                assert_non_null(reply);
                refused = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
                if (refused != (may == NO))
                        fail_msg("%s: %s: %s", user, rows[i].command, reply->str != NULL ? reply->str : "done");
                freeReplyObject(reply);
        }
        redisFree(c);
}

static void test_rights(void **state)
{
        static const char *const users[] = { "dispatcher", "console", "tool", "archive" };

        for (int which = 0; which < 2; which++)
                for (size_t i = 0; i < 4; i++)
                        check_user(*state, which, users[i], i);
}

static void assert_refused(redisContext *c, const char *command, const char *how)
{
        redisReply *reply = redisCommand(c, command);

        assert_non_null(reply);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        assert_memory_equal(reply->str, how, strlen(how));
        freeReplyObject(reply);
}

static void test_nobody_else_is_let_in(void **state)
{
        redisContext *c = place_connect(*state, 0, NULL, NULL);

        assert_refused(c, "GET {lyon}:epoch", "NOAUTH");
        assert_refused(c, "AUTH default x", "WRONGPASS");
        assert_refused(c, "AUTH x", "WRONGPASS");
        assert_refused(c, "AUTH dispatcher x", "WRONGPASS");
        assert_refused(c, "AUTH dispatcher CHANGE-ME", "WRONGPASS");
        assert_refused(c, "GET {lyon}:epoch", "NOAUTH");
        redisFree(c);
}

/* The first octet of the answer to COMMAND of a connection that is a replica's from then on. */
static char first_octet(const struct place *p, const char *command)
{
        redisContext *c = place_as(p, 0, "replica");
        char text[64] = "";
        int done = 0;
        ssize_t n;

        redisAppendCommand(c, command);
        while (!done)
                assert_int_equal(redisBufferWrite(c, &done), REDIS_OK);
        while ((n = read(c->fd, text, sizeof(text) - 1)) > 0 && text[0] == '\n') /* it lives, and makes the copy */
                memset(text, 0, sizeof(text));
        assert_true(n > 0);
        redisFree(c);
        return text[0];
}

/* A replica copies, in either way that Redis falls back to, and does nothing else. */
static void test_a_replica_copies(void **state)
{
        redisContext *c = place_as(*state, 0, "replica");

        assert_refused(c, "GET {lyon}:epoch", "NOPERM");
        assert_refused(c, "REPLICAOF NO ONE", "NOPERM");
        redisFree(c);
        assert_int_equal(first_octet(*state, "PSYNC ? -1"), '+');
        assert_int_equal(first_octet(*state, "SYNC"), '$');
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_rights, place_open_stores, place_close),
                cmocka_unit_test_setup_teardown(test_nobody_else_is_let_in, place_open_stores, place_close),
                cmocka_unit_test_setup_teardown(test_a_replica_copies, place_open_stores, place_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
