/* The alerts' Redis in trouble, and a dispatcher as a process: presses are kept and say so, it goes on, and when all is well again
 * the alert is there once and the feed says what was the matter. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/play.h"

static void set(struct region *region, const char *command)
{
        freeReplyObject(region_ask(region, command));
}

static const char *field(const redisReply *entry, const char *name)
{
        const redisReply *fields = entry->element[1];

        for (size_t i = 0; i + 1 < fields->elements; i += 2)
                if (strcmp(fields->element[i]->str, name) == 0)
                        return fields->element[i + 1]->str;
        return "";
}

/* told: how often the feed says of KEY that it began, and that it is over. */
static void told(struct region *region, const char *key, int *ret_began, int *ret_over)
{
        redisReply *feed = region_ask(region, "XRANGE {r}:feed - +");

        *ret_began = *ret_over = 0;
        for (size_t i = 0; i < feed->elements; i++)
                if (strcmp(field(feed->element[i], "t"), "notice") == 0 && strcmp(field(feed->element[i], "k"), key) == 0)
                        *(field(feed->element[i], "r")[0] != '\0' ? ret_began : ret_over) += 1;
        freeReplyObject(feed);
}

static void until_told(struct region *region, const char *key)
{
        int64_t end = clock_mono_ms() + 20000;
        int began, over;

        for (;;) {
                told(region, key, &began, &over);
                if (began == 1 && over == 1)
                        return;
                assert_true(clock_mono_ms() < end);
                usleep(100000);
        }
}

/* BREAK makes the store refuse writes, MEND ends that: a press meanwhile is kept, and then received; once. */
static void refuses(struct region *region, const char *brk, const char *mend, const char *word)
{
        const struct region_press one = { .number = 1, .nonce = 7 };
        struct receipt receipt;
        struct phone phone;
        redisReply *open;
        char key[64];

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        set(region, brk);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_KEPT);
        set(region, mend);
        do
                assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        while (!receipt_is_received(receipt.state));
        open = region_ask(region, "ZCARD {r}:open");
        assert_int_equal(open->integer, 1);
        freeReplyObject(open);
        snprintf(key, sizeof(key), "tech:d0:%s", word);
        until_told(region, key);
        phone_hang_up(&phone);
}

static void test_full(void **state)
{
        refuses(*state, "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "store_full");
}

static void test_read_only(void **state)
{
        refuses(*state, "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "store_readonly");
}

/* Alone: it must have a replica to take writes, and has none. */
static void test_alone(void **state)
{
        refuses(*state, "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "store_alone");
}

/* Slow: the press waits, and is received; it is said. */
static void test_slow(void **state)
{
        struct region *region = *state;
        struct receipt receipt;
        struct phone phone;
        redisReply *notices;

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        set(region, "CLIENT PAUSE 1500 WRITE");
        play_press(region, &phone, &(struct region_press){ .number = 1, .nonce = 7 });
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_true(receipt_is_received(receipt.state));
        for (int64_t end = clock_mono_ms() + 10000;;) {
                notices = region_ask(region, "HEXISTS {r}:notices tech:d0:store_slow");
                if (notices->integer == 1)
                        break;
                freeReplyObject(notices);
                assert_true(clock_mono_ms() < end);
                usleep(50000);
        }
        freeReplyObject(notices);
        phone_hang_up(&phone);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_full),
                CASE(test_read_only),
                CASE(test_alone),
                CASE(test_slow),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
