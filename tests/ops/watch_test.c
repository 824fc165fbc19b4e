#include "tests/ops/place.h"

#include <jansson.h>

#include "wire/feed.h"

/* A record with everything hostile in its names. */
static void make_record(struct record *r, uint8_t number)
{
        memset(r, 0, sizeof(*r));
        memset(r->id, number, sizeof(r->id));
        r->version = 3;
        r->state = ALERT_TAKEN;
        r->marks = RECORD_SILENT | RECORD_NO_NEWS;
        r->kind = 1;
        r->presses = 1;
        r->revision = 1;
        r->battery = 50;
        r->changed_at_ms = 1795000000000;
        r->raised_at_ms = 1794999990000;
        r->due_ms = 1795000001000;
        r->has_position = true;
        r->at = (struct track_point){ 1794999980, 457654321, 48765432, 12 };
        strcpy(r->carrier_id, "c1");
        strcpy(r->carrier_name, "<script>\033[2J\u202eaéL 🚲");
        strcpy(r->zone_name, "Lyon\n3e");
        strcpy(r->owner_id, "s1");
        strcpy(r->owner_name, "Paul\xc2\x9b");
        r->asked_count = 1;
        strcpy(r->asked[0].id, "s1");
}

/* Put a record into its hash and among the open ones, and into the feed if EVENT is not NULL. */
static void commit(const struct place *p, struct record *r, const char *event)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        uint8_t data[RECORD_MAX];
        struct alert_id number;
        char id[ALERT_ID_TEXT];
        int n = record_encode(r, data, sizeof(data));

        assert_true(n > 0);
        memcpy(number.octets, r->id, sizeof(number.octets));
        alert_id_to_text(&number, id);
        freeReplyObject(
                redisCommand(c, "HSET {lyon}:alert:%s f 1 v %d s %d r %b", id, r->version, r->state, data, (size_t)n));
        freeReplyObject(redisCommand(c, "ZADD {lyon}:open 1 %s", id));
        if (event != NULL)
                freeReplyObject(redisCommand(c, "XADD {lyon}:feed * f 1 t alert id %s v 3 e %s by s1 c %s at 1 r %b",
                                             id, event, "", data, (size_t)n));
        redisFree(c);
}

static void feed(const struct place *p, const char *command, ...)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply;
        va_list ap;

        va_start(ap, command);
        reply = redisvCommand(c, command, ap);
        va_end(ap);
        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
        redisFree(c);
}

static pid_t watch(struct place *p, const char *option)
{
        return place_start(p, "", (const char *const[]){ "vigie", "-C", p->region, "watch", option, NULL });
}

/* Wait until FILE ("out", "err") holds TEXT. */
static void until(struct place *p, const char *file, const char *text)
{
        for (int i = 0; i < 500; i++) {
                place_get(p, file, p->out, sizeof(p->out));
                if (strstr(p->out, text) != NULL)
                        return;
                usleep(20000);
        }
        assert_string_equal(p->out, text);
}

static void stop(struct place *p, pid_t pid)
{
        kill(pid, SIGINT);
        assert_int_equal(place_end(p, pid), 128 + SIGINT);
}

static void feed_every_kind(const struct place *p)
{
        static const struct notice notice = {
                .kind = NOTICE_OVERDUE, .rings = true, .count = 2, .cause = "silent", .zone_id = "z"
        };
        uint8_t data[NOTICE_MAX];
        struct record r;
        int n = notice_encode(&notice, data, sizeof(data));

        assert_true(n > 0);
        make_record(&r, 0xab);
        commit(p, &r, "take");
        feed(p, "XADD {lyon}:feed * f 1 t notice k overdue:z\033 at 1795000000000 r %b", data, (size_t)n);
        feed(p, "XADD {lyon}:feed * f 1 t notice k overdue:z at 1795000000000 r %s", "");
        feed(p, "XADD {lyon}:feed * f 1 t duty k s1 at 1795000000000 r x");
        feed(p, "XADD {lyon}:feed * f 1 t duty k s1 at 1795000000000 r %s", "");
        feed(p, "XADD {lyon}:feed * f 1 t answer c 0102030405060708 a 1 at 1795000000000 r Paul");
        feed(p, "XADD {lyon}:feed * f 1 t alert id x v 1 e raise by x c x at 1 r broken");
        feed(p, "XADD {lyon}:feed * f 1 t something-new");
        feed(p, "XADD {lyon}:feed * f 99 t alert");
        feed(p, "XADD {lyon}:feed * f 1 t duty k last at 1795000000000 r x");
}

static void test_lines(void **state)
{
        struct place *p = *state;
        struct record r;
        pid_t pid;

        setenv("TZ", "UTC", 1);
        make_record(&r, 0x01);
        commit(p, &r, NULL); /* open before anybody looked */
        feed(p, "XADD {lyon}:feed * f 1 t duty k before at 1 r x");
        pid = watch(p, NULL);
        until(p, "out", "open -> taken");
        feed_every_kind(p);
        until(p, "out", "duty last on");
        stop(p, pid);
        assert_string_equal(p->out, "11:06:40 alert 0101..0101 v3 open -> taken  <script>\\u{1b}[2J\\u{202e}aéL 🚲 in "
                                    "Lyon\\u{a}3e, 1 asked, taken by "
                                    "Paul\\u{9b} [silent] [no news]\n"
                                    "11:06:40 alert abab..abab v3 take -> taken  <script>\\u{1b}[2J\\u{202e}aéL 🚲 in "
                                    "Lyon\\u{a}3e, 1 asked, taken by "
                                    "Paul\\u{9b} [silent] [no news]\n"
                                    "11:06:40 notice overdue:z\\u{1b}: silent, 2 [rings]\n"
                                    "11:06:40 notice overdue:z over\n"
                                    "11:06:40 duty s1 on\n"
                                    "11:06:40 duty s1 off\n"
                                    "11:06:40 answer to 0102030405060708: taken_by_other\n"
                                    "alert: cannot be read\n"
                                    "entry of another format: cannot be read\n"
                                    "11:06:40 duty last on\n");
        assert_string_equal(p->err, "");
}

static void test_json(void **state)
{
        static const char *const kinds[] = { "alert", "alert",  "notice",     "notice",     "duty",
                                             "duty",  "answer", "unreadable", "unreadable", "duty" };
        struct place *p = *state;
        struct record r;
        size_t lines = 0;
        pid_t pid;

        make_record(&r, 0x01);
        commit(p, &r, NULL);
        pid = watch(p, "--json");
        until(p, "out", "\"open\"");
        feed_every_kind(p);
        until(p, "out", "\"last\"");
        stop(p, pid);
        for (char *save, *line = strtok_r(p->out, "\n", &save); line != NULL;
             line = strtok_r(NULL, "\n", &save), lines++) {
                json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

                assert_non_null(json);
                assert_true(lines < sizeof(kinds) / sizeof(kinds[0]));
                assert_string_equal(json_string_value(json_object_get(json, "t")), kinds[lines]);
                if (lines < 2) {
                        assert_string_equal(json_string_value(json_object_get(json, "carrier_name")), r.carrier_name);
                        assert_string_equal(json_string_value(json_object_get(json, "owner")), "s1");
                        assert_int_equal(json_array_size(json_object_get(json, "marks")), 2);
                        assert_null(strstr(line, "4576")); /* no position */
                        assert_null(strstr(line, "45.76"));
                }
                for (const char *c = line; *c != 0; c++)
                        assert_in_range(*c, 0x20, 0x7e);
                json_decref(json);
        }
        assert_int_equal(lines, sizeof(kinds) / sizeof(kinds[0]));
}

static void test_redis_goes_and_comes(void **state)
{
        struct place *p = *state;
        struct record r;
        pid_t pid;

        pid = watch(p, NULL);
        feed(p, "XADD {lyon}:feed * f 1 t duty k one at 1 r x"); /* whether it is seen depends on who was first */
        usleep(300000);
        feed(p, "XADD {lyon}:feed * f 1 t duty k two at 1 r x");
        until(p, "out", "duty two on");
        place_redis_kill(p, 0);
        until(p, "err", "the feed is lost; trying again");
        place_redis(p, 0);
        make_record(&r, 0x02);
        commit(p, &r, "take"); /* it comes with the feed, or it is open when the feed is found again */
        until(p, "out", "alert 0202..0202");
        feed(p, "XADD {lyon}:feed * f 1 t duty k three at 1 r x");
        until(p, "out", "duty three on");
        stop(p, pid);
}

/* Added while no question of ours waits in Redis: between the end of one XREAD (BLOCK is 1 s) and the next. */
static void test_nothing_is_missed_between_two_questions(void **state)
{
        struct place *p = *state;
        struct record r;
        pid_t pid;

        make_record(&r, 0x01);
        commit(p, &r, NULL);
        pid = watch(p, NULL);
        until(p, "out", "open -> taken");
        usleep(200000); /* it asks */
        kill(pid, SIGSTOP);
        usleep(1200000);
        feed(p, "XADD {lyon}:feed * f 1 t duty k between at 1 r x");
        kill(pid, SIGCONT);
        until(p, "out", "duty between on");
        stop(p, pid);
}

static void test_watch_without_redis(void **state)
{
        struct place *p = *state;

        place_redis_kill(p, 0);
        REFUSED(p, 1, "Connection refused", "watch");
        REFUSED(p, 2, "usage: vigie watch", "watch", "word");
}

/* ---- status */

static json_t *status(struct place *p, int wanted)
{
        json_t *json;

        assert_int_equal(VIGIE(p, "status", "--json"), wanted);
        json = json_loads(p->out, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        return json;
}

static long long number(const json_t *json, const char *part, const char *name)
{
        const json_t *value = json_object_get(part != NULL ? json_object_get(json, part) : json, name);

        assert_true(json_is_integer(value));
        return json_integer_value(value);
}

static bool yes(const json_t *json, const char *part, const char *name)
{
        const json_t *value = json_object_get(json_object_get(json, part), name);

        assert_true(json_is_boolean(value));
        return json_is_true(value);
}

static void test_status(void **state)
{
        struct place *p = *state;
        struct record r;
        json_t *json;

        for (uint8_t i = 1; i <= 3; i++) {
                make_record(&r, i);
                r.state = i == 1 ? ALERT_ASKED : ALERT_TAKEN;
                commit(p, &r, "take");
        }
        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", "Léa"), 0);
        json = status(p, 0);
        assert_string_equal(json_string_value(json_object_get(json, "region")), "lyon");
        assert_true(yes(json, "alerts", "reachable") && yes(json, "positions", "reachable"));
        assert_true(yes(json, "alerts", "append_only"));
        assert_false(yes(json, "positions", "append_only"));
        assert_string_equal(json_string_value(json_object_get(json_object_get(json, "alerts"), "role")), "master");
        assert_true(number(json, "alerts", "memory_octets") > 100000);
        assert_int_equal(number(json, "alerts", "memory_max_octets"), 2LL << 30);
        assert_int_equal(number(json, "open", "count"), 3);
        assert_int_equal(number(json, "open", "asked"), 1);
        assert_int_equal(number(json, "open", "taken"), 2);
        assert_int_equal(number(json, "feed", "entries"), 3);
        assert_in_range(number(json, "feed", "last_age_s"), 0, 60);
        assert_int_equal(number(json, NULL, "carriers"), 1);
        assert_int_equal(number(json, NULL, "carriers_on_duty"), 0);
        assert_int_equal(number(json, NULL, "trust_list"), 1);
        assert_in_range(number(json, NULL, "receipt_key_days"), 720, 730);
        assert_in_range(number(json, NULL, "server_certificate_days"), 720, 730);
        json_decref(json);
        assert_int_equal(VIGIE(p, "status"), 0);
        assert_non_null(strstr(p->out, "\nopen.taken                   2\n"));
        assert_non_null(strstr(p->out, "\nalerts.reachable             yes\n"));
}

static void test_status_of_what_is_left(void **state)
{
        struct place *p = *state;
        json_t *json;

        place_redis_kill(p, 1);
        json = status(p, 1);
        assert_true(yes(json, "alerts", "reachable"));
        assert_false(yes(json, "positions", "reachable"));
        assert_int_equal(number(json, "open", "count"), 0);
        assert_null(json_object_get(json, "carriers_on_duty"));
        json_decref(json);
        place_redis_kill(p, 0);
        json = status(p, 1);
        assert_false(yes(json, "alerts", "reachable"));
        assert_null(json_object_get(json, "open"));
        assert_int_equal(number(json, NULL, "trust_list"), 1);
        json_decref(json);
        place_put(p, "region/trust.cose", "x", 1);
        json = status(p, 1);
        assert_string_equal(json_string_value(json_object_get(json, "trust_list")), "not good");
        json_decref(json);
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_lines),
                WITH_STORES(test_json),
                WITH_STORES(test_redis_goes_and_comes),
                WITH_STORES(test_nothing_is_missed_between_two_questions),
                WITH_STORES(test_watch_without_redis),
                WITH_STORES(test_status),
                WITH_STORES(test_status_of_what_is_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
