/* Loading, from a Redis that answers as it rarely does: an entry twice in one scan, an error, nothing at all. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <uv.h>

#include "base/loop.h"
#include "base/redis.h"
#include "dispatcher/core_state.h"
#include "dispatcher/load.h"
#include "tests/dispatcher/support/place.h"

struct bench {
        struct place place;
        struct config config;
        struct loop *loop;
        struct redis_link *link;
        struct core *core;
        pid_t server;
        int done, error, on, off, lost;
        struct stream_id before;
};

#define STAYS_TEXT "0000000000000002"
static const uint8_t stays[HANDSET_ID_SIZE] = { [7] = 2 }, goes[HANDSET_ID_SIZE] = { [7] = 3 };

/* ---- A Redis of few words. */

static void say(int fd, const char *text, size_t len)
{
        if (write(fd, text, len) != (ssize_t)len)
                _exit(1);
}

static void say_text(int fd, const void *text, size_t len)
{
        char head[32];

        say(fd, head, (size_t)snprintf(head, sizeof(head), "$%zu\r\n", len));
        say(fd, text, len);
        say(fd, "\r\n", 2);
}

/* A supervisor s1 or s2 with VALUE, in an array that was begun. */
static void say_pair(int fd, const char *id, const uint8_t *value, int len)
{
        say_text(fd, id, 2);
        say_text(fd, value, (size_t)len);
}

/* s1 is on both pages of the supervisors, as where the hash is rehashed in between; both are on duty. */
static void answer(int fd, const redisReply *ask)
{
        struct supervisor_entry supervisor = { .name = "Paul" };
        struct duty_entry duty = { .since_ms = 5, .until_s = 6 };
        uint8_t value[PEOPLE_MAX], on[DUTY_ENTRY_MAX];
        int len = supervisor_entry_encode(&supervisor, value, sizeof(value)), n = duty_entry_encode(&duty, on, sizeof(on));
        const char *word = ask->element[0]->str, *key = ask->elements > 1 ? ask->element[1]->str : "";

        if (strcasecmp(word, "PING") == 0) {
                say(fd, "+PONG\r\n", 7);
        } else if (strcmp(word, "HGET") == 0 && strcmp(key, "{r}:carriers") == 0) {
                _exit(0);
        } else if (strcmp(word, "HGET") == 0) {
                say(fd, "-LOADING it is\r\n", 16);
        } else if (strcmp(word, "HSCAN") == 0 && strcmp(key, "{r}:supervisors") == 0) {
                bool first = strcmp(ask->element[2]->str, "0") == 0;

                say(fd, "*2\r\n", 4);
                say_text(fd, first ? "7" : "0", 1);
                say(fd, first ? "*4\r\n" : "*2\r\n", 4);
                if (first)
                        say_pair(fd, "s2", value, len);
                say_pair(fd, "s1", value, len);
        } else if (strcmp(word, "HSCAN") == 0 && strcmp(key, "{r}:handsets") == 0) {
                say(fd, "*2\r\n$1\r\n0\r\n*2\r\n", 15);
                say_text(fd, STAYS_TEXT, 16);
                say_text(fd, "cannot be read", 14);
        } else if (strcmp(word, "XRANGE") == 0 && strcmp(ask->element[2]->str, "9-1") == 0) {
                say(fd, "*1\r\n*2\r\n$3\r\n9-1\r\n*0\r\n", 21);
        } else if (strcmp(word, "HSCAN") == 0) {
                say(fd, "*2\r\n$1\r\n0\r\n*0\r\n", 15);
        } else if (strcmp(word, "HGETALL") == 0 && strcmp(key, "{r}:duty:supervisors") == 0) {
                say(fd, "*4\r\n", 4);
                say_pair(fd, "s1", on, n);
                say_pair(fd, "s2", on, n);
        } else {
                say(fd, "*0\r\n", 4);
        }
}

/* serve: one connection, then the end. */
static void serve(int listener)
{
        redisReader *reader = redisReaderCreate();
        int fd = accept(listener, NULL, NULL);
        char buf[4096];
        void *ask;
        ssize_t n;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
                redisReaderFeed(reader, buf, (size_t)n);
                while (redisReaderGetReply(reader, &ask) == REDIS_OK && ask != NULL) {
                        answer(fd, ask);
                        freeReplyObject(ask);
                }
        }
        _exit(0);
}

/* ---- Before and after. */

static bool verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        return false;
}

static void hash(void *user, struct cbor_span data, uint8_t ret_hash[32])
{
        EVP_Digest(data.at, data.len, ret_hash, NULL, EVP_sha256(), NULL);
}

static void until(struct bench *b, const int *value)
{
        int64_t end = clock_mono_ms() + 20000;

        while (*value == 0) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);

        place_open(&b->place);
        snprintf(at.sun_path, sizeof(at.sun_path), "%s", place_path(&b->place, "r.sock"));
        assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(listen(listener, 1), 0);
        b->server = fork();
        assert_true(b->server >= 0);
        if (b->server == 0)
                serve(listener);
        close(listener);
        snprintf(b->config.region, sizeof(b->config.region), "r");
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(redis_open(b->loop, &(struct redis_options){ .address = at.sun_path }, &b->link), 0);
        assert_int_equal(core_new(&(struct core_options){ .region = "r", .name = "d", .verify = verify, .hash = hash },
                                  &b->core),
                         0);
        for (int64_t end = clock_mono_ms() + 20000; !redis_is_up(b->link);) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        redis_close(b->link);
        assert_int_equal(loop_close(b->loop), 0);
        core_free(b->core);
        kill(b->server, SIGKILL);
        waitpid(b->server, NULL, 0);
        place_close(&b->place);
        free(b);
        return 0;
}

/* ---- The tests. */

static void on_duty(void *user, const char *person, const struct duty_entry *duty)
{
        struct bench *b = user;

        *(duty != NULL ? &b->on : &b->off) += 1;
}

static void on_done(void *user, int error, const struct load_result *result)
{
        struct bench *b = user;

        b->done++;
        b->error = error;
}

static void test_who_comes_twice_in_a_scan_stays_on_duty(void **state)
{
        struct bench *b = *state;
        struct load *load;

        assert_int_equal(load_begin(&(struct load_options){ .link = b->link,
                                                            .config = &b->config,
                                                            .core = b->core,
                                                            .user = b,
                                                            .duty = on_duty,
                                                            .done = on_done },
                                    &load),
                         0);
        until(b, &b->done);
        assert_int_equal(b->error, 0);
        assert_int_equal(b->on, 2);
        assert_int_equal(b->off, 0);
}

/* Known before: two handsets, GOES with a session, and one of each other kind under "x"; and s1, who is there still. */
static void know_some(struct bench *b)
{
        const struct handset_entry handset = { .not_after_s = 1 };
        const struct carrier_entry carrier = { .number = "+33611111111" };
        const struct supervisor_entry supervisor = { .number = "+33622222222" }, s1 = { .number = "+33633333333" };
        struct core_event open = { .kind = CORE_OPENED, .u.opened = { .session = 7 } };
        struct core_action action;

        memcpy(open.u.opened.handset, goes, sizeof(goes));
        assert_int_equal(core_load_handset(b->core, stays, &handset), 0);
        assert_int_equal(core_load_handset(b->core, goes, &handset), 0);
        assert_int_equal(core_load_carrier(b->core, "x", &carrier), 0);
        assert_int_equal(core_load_supervisor(b->core, "x", &supervisor), 0);
        assert_int_equal(core_load_supervisor(b->core, "s1", &s1), 0);
        assert_int_equal(core_load_user(b->core, "x", &(struct user_entry){ .role = ROLE_ADMIN }), 0);
        assert_int_equal(core_load_round(b->core, "x", &(struct round_entry){ .team = "t" }), 0);
        core_handle(b->core, &open);
        while (core_next(b->core, &action))
                assert_int_not_equal(action.kind, DO_CLOSE_SESSION);
}

static void load_people(struct bench *b, bool loaded, uint64_t since)
{
        struct load *load;

        assert_int_equal(load_begin(&(struct load_options){ .link = b->link,
                                                            .config = &b->config,
                                                            .core = b->core,
                                                            .loaded = loaded,
                                                            .since = { since, 1 },
                                                            .user = b,
                                                            .done = on_done },
                                    &load),
                         0);
        until(b, &b->done);
        assert_int_equal(b->error, 0);
        b->done = 0;
}

/* The changes say no more who was taken out: whoever is not there is gone, with the sessions.  Who cannot be read stays. */
static void test_who_is_no_more_there_is_gone_after_a_load_of_all(void **state)
{
        struct bench *b = *state;
        struct core_action action;
        unsigned closed = 0;

        know_some(b);
        load_people(b, true, 8); /* trimmed */
        assert_null(core_handset(b->core, goes));
        assert_non_null(core_handset(b->core, stays));
        assert_false(core_knows_number(b->core, "+33611111111"));
        assert_false(core_knows_number(b->core, "+33622222222"));
        assert_null(directory_user(&b->core->directory, "x"));
        assert_null(directory_round(&b->core->directory, "x"));
        assert_non_null(directory_person(&b->core->directory, "s1"));
        while (core_next(b->core, &action))
                closed += action.kind == DO_CLOSE_SESSION && action.u.close_session.session == 7;
        assert_int_equal(closed, 1);
        load_people(b, false, 0); /* and so again */
        assert_non_null(core_handset(b->core, stays));
        assert_non_null(directory_person(&b->core->directory, "s1"));
}

static void test_nobody_is_taken_for_gone_where_the_changes_tell(void **state)
{
        struct bench *b = *state;

        know_some(b);
        load_people(b, true, 9);
        assert_non_null(core_handset(b->core, goes));
        assert_true(core_knows_number(b->core, "+33611111111"));
        assert_true(core_knows_number(b->core, "+33622222222"));
        assert_non_null(directory_user(&b->core->directory, "x"));
        assert_non_null(directory_round(&b->core->directory, "x"));
}

static void on_lost(void *user, struct stream_id before)
{
        struct bench *b = user;

        b->before = before;
        b->lost++;
}

static void test_a_change_that_cannot_be_read_is_told(void **state)
{
        struct bench *b = *state;
        struct load_options options = { .link = b->link,
                                        .config = &b->config,
                                        .core = b->core,
                                        .user = b,
                                        .before = { 7, 1 },
                                        .lost = on_lost };

        load_person(&options, PEOPLE_HANDSETS, "0000000000000001"); /* an error */
        until(b, &b->lost);
        assert_int_equal(b->before.ms, 7);
        b->lost = 0;
        options.before.ms = 8;
        load_person(&options, PEOPLE_CARRIERS, "c1"); /* the server goes */
        until(b, &b->lost);
        assert_int_equal(b->before.ms, 8);
        while (redis_is_up(b->link))
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        b->lost = 0;
        load_person(&options, PEOPLE_CARRIERS, "c1"); /* not even asked */
        assert_int_equal(b->lost, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_who_comes_twice_in_a_scan_stays_on_duty),
                CASE(test_who_is_no_more_there_is_gone_after_a_load_of_all),
                CASE(test_nobody_is_taken_for_gone_where_the_changes_tell),
                CASE(test_a_change_that_cannot_be_read_is_told),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
