/* The feed's tail and the commands' group against a private Redis. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <uv.h>

#include "base/loop.h"
#include "base/redis.h"
#include "dispatcher/commands.h"
#include "dispatcher/reply.h"
#include "dispatcher/tail.h"
#include "tests/dispatcher/support/place.h"

struct bench {
        struct place place;
        struct config config;
        struct loop *loop;
        struct redis_link *acknowledge;
        redisContext *redis; /* for looking from outside */
        int entries;
        char types[64][8];
        int commands;
        uint8_t came[8]; /* the first octets of their ids, in the order of their coming */
        uint64_t ref;
        struct command command;
};

static redisReply *ask(struct bench *b, const char *format, ...)
{
        redisReply *reply;
        va_list words;

        va_start(words, format);
        reply = redisvCommand(b->redis, format, words);
        va_end(words);
        assert_non_null(reply);
        return reply;
}

static void tell(struct bench *b, const char *format, const char *word)
{
        redisReply *reply = redisCommand(b->redis, format, word);

        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
}

/* until: run the loop until *VALUE is at least WANTED; 10 s at most. */
static void until(struct bench *b, const int *value, int wanted)
{
        int64_t end = clock_mono_ms() + 10000;

        while (*value < wanted) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        }
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));

        place_open(&b->place);
        place_redis(&b->place, "redis");
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.name, sizeof(b->config.name), "d1");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        b->redis = redisConnectUnix(b->config.alerts.address);
        assert_int_equal(loop_open(&b->loop), 0);
        assert_int_equal(
                redis_open(b->loop, &(struct redis_options){ .address = b->config.alerts.address }, &b->acknowledge),
                0);
        while (!redis_is_up(b->acknowledge))
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        redis_close(b->acknowledge);
        assert_int_equal(loop_close(b->loop), 0);
        redisFree(b->redis);
        place_close(&b->place);
        free(b);
        return 0;
}

/* ---- The feed's tail. */

static void on_state(void *user, bool up, const char *why)
{
}

static void on_entry(void *user, size_t stream, struct stream_id id, const struct redisReply *fields)
{
        struct bench *b = user;

        reply_text(reply_field(fields, "t"), b->types[b->entries], sizeof(b->types[0]));
        b->entries++;
}

static void test_the_tail_gives_what_comes_behind_its_start(void **state)
{
        struct bench *b = *state;
        struct stream_id from[TAIL_STREAMS] = { { 5, 0 }, { 0, 0 } };
        struct tail *tail;

        tell(b, "XADD {r}:feed 4-0 t %s", "old");
        tell(b, "XADD {r}:feed 5-0 t %s", "old");
        tell(b, "XADD {r}:feed 5-1 t %s", "new");
        assert_int_equal(tail_open(&(struct tail_options){ .loop = b->loop,
                                                           .config = &b->config,
                                                           .redis = &b->config.alerts,
                                                           .name = { "feed", "people:changes" },
                                                           .user = b,
                                                           .state = on_state,
                                                           .entry = on_entry },
                                   &tail),
                         0);
        while (!tail_is_up(tail))
                uv_run(loop_uv(b->loop), UV_RUN_ONCE);
        tail_start(tail, from);
        until(b, &b->entries, 1);
        tell(b, "XADD {r}:people:changes * t %s", "who");
        until(b, &b->entries, 2);
        tell(b, "XADD {r}:feed * t %s", "more");
        until(b, &b->entries, 3);
        assert_string_equal(b->types[0], "new");
        assert_string_equal(b->types[1], "who");
        assert_string_equal(b->types[2], "more");
        tail_start(tail, from); /* from the start again, while a read is under way, whose answer is not taken */
        tell(b, "XADD {r}:feed * t %s", "last");
        until(b, &b->entries, 7);
        assert_string_equal(b->types[3], "new");
        assert_int_equal(b->entries, 7);
        tail_close(tail);
}

/* ---- Commands. */

static void on_command(void *user, const struct command *command, uint64_t ref)
{
        struct bench *b = user;

        b->command = *command;
        b->ref = ref;
        b->came[b->commands++ % 8] = command->id[0];
}

static void add_command(struct bench *b, uint8_t number)
{
        struct command command = {
                .verb = COMMAND_SEEN, .role = ROLE_CONTROL, .person = "anne", .login = "anne", .expires_ms = 1
        };
        uint8_t bytes[COMMAND_MAX];
        int len;
        redisReply *reply;

        command.id[0] = number;
        len = command_encode(&command, bytes, sizeof(bytes));
        assert_true(len > 0);
        reply = redisCommand(b->redis, "XADD {r}:commands * f 1 r %b", bytes, (size_t)len);
        freeReplyObject(reply);
}

static long pending(struct bench *b)
{
        redisReply *reply = ask(b, "XPENDING {r}:commands dispatchers");
        long count = reply->type == REDIS_REPLY_ARRAY ? (long)reply->element[0]->integer : -1;

        freeReplyObject(reply);
        return count;
}

static void open_commands(struct bench *b, struct commands **ret_commands)
{
        assert_int_equal(commands_open(&(struct commands_options){ .loop = b->loop,
                                                                   .config = &b->config,
                                                                   .acknowledge = b->acknowledge,
                                                                   .user = b,
                                                                   .command = on_command },
                                       ret_commands),
                         0);
        commands_start(*ret_commands);
}

static void until_pending(struct bench *b, long wanted)
{
        for (int64_t end = clock_mono_ms() + 10000; pending(b) != wanted;) {
                assert_true(clock_mono_ms() < end);
                uv_run(loop_uv(b->loop), UV_RUN_NOWAIT);
        }
}

static void test_commands_come_once_and_are_acknowledged(void **state)
{
        struct bench *b = *state;
        struct commands *commands;

        add_command(b, 1); /* before the group is there */
        open_commands(b, &commands);
        until(b, &b->commands, 1);
        assert_int_equal(b->command.id[0], 1);
        assert_string_equal(b->command.person, "anne");
        assert_int_equal(pending(b), 1);
        commands_acknowledge(commands, b->ref);
        commands_acknowledge(commands, b->ref); /* twice is once */
        until_pending(b, 0);
        tell(b, "XADD {r}:commands * f 1 r %s", "rubbish");
        add_command(b, 2);
        until(b, &b->commands, 2);
        assert_int_equal(b->command.id[0], 2);
        assert_int_equal(commands_malformed(commands), 1);
        until_pending(b, 1); /* the rubbish is gone, the second is held */
        commands_close(commands);
        b->commands = 0;
        open_commands(b, &commands); /* the same name again: what it held comes first */
        until(b, &b->commands, 1);
        assert_int_equal(b->command.id[0], 2);
        commands_close(commands);
}

static void test_commands_of_a_dead_process_are_claimed(void **state)
{
        struct bench *b = *state;
        struct commands *commands;
        const redisReply *entry;
        redisReply *read;

        open_commands(b, &commands);
        until_pending(b, 0);
        commands_close(commands);
        add_command(b, 7);
        read = ask(b, "XREADGROUP GROUP dispatchers dead COUNT 10 STREAMS {r}:commands >");
        entry = reply_at(reply_at(reply_at(read, 0), 1), 0);
        tell(b, "XCLAIM {r}:commands dispatchers dead 0 %s IDLE 60000", reply_at(entry, 0)->str);
        freeReplyObject(read);
        assert_int_equal(pending(b), 1);
        b->commands = 0;
        open_commands(b, &commands);
        until(b, &b->commands, 1);
        assert_int_equal(b->command.id[0], 7);
        commands_acknowledge(commands, b->ref);
        until_pending(b, 0);
        commands_close(commands);
}

/* One look for what the dead held sees the beginning of the list alone: here that is what another has just been given. */
static void test_commands_of_the_dead_are_claimed_behind_those_of_others(void **state)
{
        struct bench *b = *state;
        struct commands *commands;
        const redisReply *entry;
        redisReply *read;

        tell(b, "XGROUP CREATE {r}:commands dispatchers 0 %s", "MKSTREAM");
        tell(b, "EVAL %s 0", "for i = 1, 1100 do redis.call('XADD', '{r}:commands', '*', 'f', '1', 'r', 'x') end return 1");
        freeReplyObject(ask(b, "XREADGROUP GROUP dispatchers other COUNT 2000 STREAMS {r}:commands >"));
        add_command(b, 7);
        read = ask(b, "XREADGROUP GROUP dispatchers dead COUNT 10 STREAMS {r}:commands >");
        entry = reply_at(reply_at(reply_at(reply_at(read, 0), 1), 0), 0);
        tell(b, "XCLAIM {r}:commands dispatchers dead 0 %s IDLE 60000", entry->str);
        freeReplyObject(read);
        open_commands(b, &commands);
        until(b, &b->commands, 1);
        assert_int_equal(b->command.id[0], 7);
        commands_close(commands);
}

/* Stopped and started while a read is under way: what is held comes again, and first. */
static void test_commands_held_come_again_after_a_stop(void **state)
{
        struct bench *b = *state;
        struct commands *commands;

        open_commands(b, &commands);
        add_command(b, 1);
        until(b, &b->commands, 1);
        commands_stop(commands);
        commands_start(commands);
        add_command(b, 2);
        until(b, &b->commands, 3);
        assert_int_equal(b->came[1], 1);
        assert_int_equal(b->came[2], 2);
        commands_close(commands);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_the_tail_gives_what_comes_behind_its_start),
                CASE(test_commands_come_once_and_are_acknowledged),
                CASE(test_commands_of_a_dead_process_are_claimed),
                CASE(test_commands_of_the_dead_are_claimed_behind_those_of_others),
                CASE(test_commands_held_come_again_after_a_stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
