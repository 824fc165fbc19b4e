#include "tests/ops/place.h"

#include "base/password.h"
#include "wire/people.h"

/* The value of FIELD in {lyon}:HASH, as a dispatcher reads it. */
static size_t read_entry(const struct place *p, const char *hash, const char *field, uint8_t to[PEOPLE_MAX])
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply = redisCommand(c, "HGET {lyon}:%s %s", hash, field);
        size_t len = 0;

        assert_non_null(reply);
        if (reply->type == REDIS_REPLY_STRING) {
                assert_true(reply->len <= PEOPLE_MAX);
                len = reply->len;
                memcpy(to, reply->str, len);
        }
        freeReplyObject(reply);
        redisFree(c);
        return len;
}

/* The last entry of {lyon}:people:changes names HASH and FIELD, and there are COUNT of them. */
static void assert_told(const struct place *p, long long count, const char *hash, const char *field)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply = redisCommand(c, "XLEN {lyon}:people:changes"), *fields;

        assert_int_equal(reply->integer, count);
        freeReplyObject(reply);
        reply = redisCommand(c, "XREVRANGE {lyon}:people:changes + - COUNT 1");
        assert_int_equal(reply->elements, 1);
        fields = reply->element[0]->element[1];
        assert_int_equal(fields->elements, 4);
        assert_string_equal(fields->element[0]->str, "h");
        assert_string_equal(fields->element[1]->str, hash);
        assert_string_equal(fields->element[2]->str, "k");
        assert_string_equal(fields->element[3]->str, field);
        freeReplyObject(reply);
        redisFree(c);
}

static void test_carriers(void **state)
{
        struct place *p = *state;
        struct carrier_entry e;
        uint8_t data[PEOPLE_MAX];

        assert_int_equal(VIGIE(p, "carrier", "list"), 0);
        assert_string_equal(p->out, "");
        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", "Léa Martin", "--number", "+33612345678", "--team",
                               "Lyon 3", "--site", "Lyon 3e"),
                         0);
        assert_int_equal(carrier_entry_decode(data, read_entry(p, "carriers", "c1", data), &e), 0);
        assert_string_equal(e.name, "Léa Martin");
        assert_string_equal(e.number, "+33612345678");
        assert_string_equal(e.team, "Lyon 3");
        assert_string_equal(e.site, "Lyon 3e");
        assert_told(p, 1, "carriers", "c1");
        assert_int_equal(VIGIE(p, "carrier", "add", "b2", "--name", "B"), 0);
        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", "Léa Durand"), 0); /* again: changed */
        assert_told(p, 3, "carriers", "c1");
        assert_int_equal(VIGIE(p, "carrier", "list"), 0);
        assert_string_equal(p->out, "b2\tB\t\t\t\nc1\tLéa Durand\t\t\t\n");
        assert_int_equal(VIGIE(p, "carrier", "remove", "c1"), 0);
        assert_told(p, 4, "carriers", "c1");
        assert_int_equal(read_entry(p, "carriers", "c1", data), 0);
        REFUSED(p, 1, "carriers: there is no c1", "carrier", "remove", "c1");
}

static void test_supervisors_and_rounds(void **state)
{
        struct place *p = *state;
        struct supervisor_entry s;
        struct round_entry r;
        uint8_t data[PEOPLE_MAX];

        assert_int_equal(VIGIE(p, "supervisor", "add", "s1", "--name", "Paul", "--team", "Équipe A", "--manager"), 0);
        assert_int_equal(supervisor_entry_decode(data, read_entry(p, "supervisors", "s1", data), &s), 0);
        assert_string_equal(s.team, "Équipe A");
        assert_true(s.manager);
        assert_int_equal(VIGIE(p, "supervisor", "list"), 0);
        assert_string_equal(p->out, "s1\tPaul\t\tÉquipe A\tmanager\n");
        assert_int_equal(
                VIGIE(p, "round", "add", "r1", "--name", "Tournée 12", "--zone", "1er arrondissement", "--team", "A"),
                0);
        assert_int_equal(round_entry_decode(data, read_entry(p, "rounds", "r1", data), &r), 0);
        assert_string_equal(r.zone_id, "1er arrondissement");
        assert_int_equal(VIGIE(p, "round", "list"), 0);
        assert_string_equal(p->out, "r1\tTournée 12\t1er arrondissement\tA\n");
        assert_told(p, 2, "rounds", "r1");
}

static void test_users(void **state)
{
        struct place *p = *state;
        struct user_entry e;
        uint8_t data[PEOPLE_MAX];
        bool match;

        assert_int_equal(VIGIE_WITH(p, "correct horse\nmore\n", "user", "add", "regie", "--name", "Salle", "--role",
                                    "control", "--language", "en"),
                         0);
        assert_int_equal(user_entry_decode(data, read_entry(p, "users", "regie", data), &e), 0);
        assert_int_equal(e.role, ROLE_CONTROL);
        assert_string_equal(e.person, "regie");
        assert_string_equal(e.language, "en");
        assert_false(e.disabled);
        assert_int_equal(password_verify("correct horse", 13, e.password, &match), 0);
        assert_true(match);
        assert_int_equal(VIGIE_WITH(p, "12345678", "user", "add", "paul", "--name", "Paul", "--role", "supervisor",
                                    "--person", "s1", "--disabled"),
                         0);
        assert_non_null(strstr(p->err, "note: there is no supervisor s1 yet"));
        assert_int_equal(VIGIE(p, "user", "list"), 0);
        assert_string_equal(p->out, "paul\tPaul\tsupervisor\ts1\tfr\tdisabled\nregie\tSalle\tcontrol\tregie\ten\t\n");
        assert_null(strstr(p->out, "scrypt"));
}

static void test_hostile_names(void **state)
{
        struct place *p = *state;
        struct carrier_entry e;
        uint8_t data[PEOPLE_MAX];
        static const char name[] = "<script>\033[2J\u202enitraM\u202c\xc2\x9b"
                                   "31m 🚲\n\\";

        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", name), 0);
        assert_int_equal(carrier_entry_decode(data, read_entry(p, "carriers", "c1", data), &e), 0);
        assert_string_equal(e.name, name); /* kept as it is */
        assert_int_equal(VIGIE(p, "carrier", "list"), 0);
        assert_string_equal(p->out, "c1\t<script>\\u{1b}[2J\\u{202e}nitraM\\u{202c}\\u{9b}31m 🚲\\u{a}\\\\\t\t\t\n");
}

static void test_bad_input_changes_nothing(void **state)
{
        static const char long_name[] = "12345678901234567890123456789012345678901234567890123456789012345";
        struct place *p = *state;
        redisContext *c;
        redisReply *reply;

        REFUSED(p, 2, "id 'a b'", "carrier", "add", "a b", "--name", "N");
        REFUSED(p, 2, "id ''", "carrier", "add");
        REFUSED(p, 2, "id 'é'", "supervisor", "add", "é", "--name", "N");
        REFUSED(p, 2, "--name is needed", "carrier", "add", "c1");
        REFUSED(p, 2, "--name is needed", "carrier", "add", "c1", "--name", "");
        REFUSED(p, 2, "65 octets; at most 64", "carrier", "add", "c1", "--name", long_name);
        REFUSED(p, 2, "name '\\xff': not UTF-8", "carrier", "add", "c1", "--name", "\xff");
        REFUSED(p, 2, "number '112'", "carrier", "add", "c1", "--name", "N", "--number", "112");
        REFUSED(p, 2, "team '\\u{a}'", "supervisor", "add", "s1", "--name", "N", "--team", "\n");
        REFUSED(p, 2, "zone '", "round", "add", "r1", "--name", "N", "--zone", long_name);
        REFUSED(p, 2, "--manager: no such option", "carrier", "add", "c1", "--name", "N", "--manager");
        REFUSED(p, 2, "--role 'boss': control, supervisor", "user", "add", "u", "--name", "N", "--role", "boss");
        REFUSED(p, 2, "--role ''", "user", "add", "u", "--name", "N");
        REFUSED(p, 2, "--language 'de'", "user", "add", "u", "--name", "N", "--role", "admin", "--language", "de");
        REFUSED(p, 2, "--person 's1': only for", "user", "add", "u", "--name", "N", "--role", "admin", "--person",
                "s1");
        REFUSED(p, 1, "password: a line is expected", "user", "add", "u", "--name", "N", "--role", "admin");
        assert_int_equal(VIGIE_WITH(p, "1234567\n", "user", "add", "u", "--name", "N", "--role", "admin"), 1);
        assert_string_equal(p->err, "vigie: password: 7 octets; at least 8\n");
        REFUSED(p, 2, "usage: vigie carrier add", "carrier", "delete", "c1");
        REFUSED(p, 2, "usage: vigie", "carrier", "list", "c1");
        c = place_as(p, 0, "dispatcher");
        reply = redisCommand(
                c, "EXISTS {lyon}:carriers {lyon}:supervisors {lyon}:rounds {lyon}:users {lyon}:people:changes");
        assert_int_equal(reply->integer, 0);
        freeReplyObject(reply);
        redisFree(c);
}

static void test_redis_away_or_strange(void **state)
{
        struct place *p = *state;
        redisContext *c = place_as(p, 0, "dispatcher");

        freeReplyObject(redisCommand(c, "HSET {lyon}:carriers c\033 x"));
        redisFree(c);
        assert_int_equal(VIGIE(p, "carrier", "list"), 0);
        assert_string_equal(p->out, "");
        assert_string_equal(p->err, "vigie: carriers c\\u{1b}: entry cannot be read\n");
        place_redis_kill(p, 0);
        REFUSED(p, 1, "alerts.sock: Connection refused", "carrier", "add", "c1", "--name", "N");
        REFUSED(p, 1, "Connection refused", "carrier", "list");
}

/* What the tool wrote in a transaction is there after Redis died: see the default user in ops/redis/users.acl. */
static void test_people_outlive_redis(void **state)
{
        struct place *p = *state;

        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", "Léa"), 0);
        place_redis_kill(p, 0);
        place_redis(p, 0);
        assert_int_equal(VIGIE(p, "carrier", "list"), 0);
        assert_string_equal(p->out, "c1\tLéa\t\t\t\n");
        assert_told(p, 1, "carriers", "c1");
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_carriers),
                WITH_STORES(test_supervisors_and_rounds),
                WITH_STORES(test_users),
                WITH_STORES(test_hostile_names),
                WITH_STORES(test_bad_input_changes_nothing),
                WITH_STORES(test_redis_away_or_strange),
                WITH_STORES(test_people_outlive_redis),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
