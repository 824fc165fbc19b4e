/* The dispatcher's journal as a process keeps it: compacted while presses come in, and full. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/journal.h"
#include "base/loop.h"
#include "tests/dispatcher/support/play.h"

#define SIZE_MAX_TEXT "journal.size_max=8" /* the smallest there is */
#define MIB           (1024 * 1024)
#define PAYLOADS_MAX  16

/* What the journal of a run that has ended holds. */
struct payloads {
        uint8_t at[PAYLOADS_MAX][ENTRY_PAYLOAD_MAX];
        size_t len[PAYLOADS_MAX], count;
};

static int on_replay(void *user, const struct entry *entry)
{
        struct payloads *payloads = user;

        if (payloads->count < PAYLOADS_MAX) {
                memcpy(payloads->at[payloads->count], entry->payload, entry->payload_len);
                payloads->len[payloads->count++] = entry->payload_len;
        }
        return 0;
}

/* fill: write the events that are in the journal again and again, until it holds OCTETS or has less than LEFT room. */
static void fill(struct region *region, uint64_t octets, uint64_t left)
{
        static struct payloads payloads;
        struct journal *journal;
        uint64_t seq;

        memset(&payloads, 0, sizeof(payloads));
        assert_int_equal(journal_open(&(struct journal_options){ .path = place_path(&region->place, "d0.journal"),
                                                                 .owner = { 'D', 'I', 'S', 'P' },
                                                                 .size_max = 8 * MIB,
                                                                 .user = &payloads,
                                                                 .replay = on_replay },
                                      &journal, NULL),
                         0);
        assert_true(payloads.count > 0);
        for (size_t i = 0; journal_size(journal) < octets && journal_room(journal) > left; i++) {
                size_t n = i % payloads.count;

                assert_int_equal(journal_append(journal, payloads.at[n], payloads.len[n], &seq), 0);
                if (i % 256 == 0)
                        assert_int_equal(journal_sync_now(journal), 0);
        }
        journal_close(journal);
}

static void stop(struct region *region)
{
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
}

/* said: whether the dispatcher's log has WORDS. */
static bool said(struct region *region, const char *words)
{
        char *text = NULL;
        size_t len;
        bool found;

        assert_int_equal(file_read(place_path(&region->place, "d0.log"), 16 * MIB, &text, &len), 0);
        found = strstr(text, words) != NULL;
        free(text);
        return found;
}

/* close_it: as a console does. */
static void close_it(struct region *region, const struct region_press *press, uint8_t id)
{
        struct command close = { .id = { id },
                                 .verb = COMMAND_CLOSE,
                                 .role = ROLE_CONTROL,
                                 .reason = CLOSE_HELPED,
                                 .person = "anne",
                                 .login = "anne" };
        uint8_t bytes[COMMAND_MAX];
        struct alert_id alert;
        int len;

        region_alert_id(press, &alert);
        memcpy(close.alert, alert.octets, ALERT_ID_SIZE);
        close.expires_ms = clock_utc_ms() + COMMAND_TERM_MS;
        len = command_encode(&close, bytes, sizeof(bytes));
        assert_true(len > 0);
        freeReplyObject(region_ask(region, "XADD {r}:commands * f 1 r %b", bytes, (size_t)len));
}

/* DONE, within 30 s. */
#define WAIT_UNTIL(done)                                                            \
        do {                                                                        \
                for (int64_t end = clock_mono_ms() + 30000; !(done); usleep(20000)) \
                        assert_true(clock_mono_ms() < end);                         \
        } while (0)

/* press_once: press, and wait for the receipt that says so.  0, or -1: the session was closed. */
static int press_once(struct region *region, struct phone *phone, struct region_press *press)
{
        struct receipt receipt;

        play_press(region, phone, press);
        do
                if (region_receipt(region, phone, &receipt) < 0)
                        return -1;
        while (receipt.revision < press->revision || !receipt_is_received(receipt.state));
        return 0;
}

static bool is_there(struct region *region, const struct region_press *press, uint16_t revision)
{
        static struct record record;
        struct alert_id id;

        region_alert_id(press, &id);
        return region_record(region, &id, &record) == 0 && record.revision >= revision;
}

/* lose: what a failover can lose. */
static void lose(struct region *region, const struct region_press *press)
{
        char text[ALERT_ID_TEXT];
        struct alert_id id;

        region_alert_id(press, &id);
        alert_id_to_text(&id, text);
        freeReplyObject(region_ask(region, "DEL {r}:alert:%s", text));
        freeReplyObject(region_ask(region, "ZREM {r}:open %s", text));
        freeReplyObject(region_ask(region, "ZREM {r}:due %s", text));
}

static void test_compacted_while_presses_come_in(void **state)
{
        struct region *region = *state;
        struct region_press old = { .number = 1, .nonce = 1 }, kept = { .number = 1, .nonce = 2 };
        struct region_press one = { .number = 2, .nonce = 3 };
        static struct record record;
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;

        region_start(region, 0, SIZE_MAX_TEXT);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(press_once(region, &phone, &old), 0);
        close_it(region, &old, 1);
        assert_int_equal(region_receipt_of(region, &phone, RECEIPT_CLOSED_HELPED, &receipt), 0);
        assert_int_equal(press_once(region, &phone, &kept), 0);
        phone_hang_up(&phone);
        stop(region);
        fill(region, 5 * MIB, 0);
        region_start(region, 0, SIZE_MAX_TEXT);
        assert_int_equal(region_dial(region, 0, 2, &phone), 0);
        do {
                assert_int_equal(press_once(region, &phone, &one), 0);
                one.revision++;
        } while (!said(region, "compacted to") || one.revision < 20);
        phone_hang_up(&phone);
        region_signal(region, 0, SIGKILL);
        region_wait(region, 0);
        lose(region, &one);
        lose(region, &kept);
        region_start(region, 0, SIZE_MAX_TEXT); /* the compacted journal brings both back, as they were */
        WAIT_UNTIL(is_there(region, &kept, 0));
        WAIT_UNTIL(is_there(region, &one, (uint16_t)(one.revision - 1)));
        region_alert_id(&old, &id);
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_int_equal(record.state, ALERT_CLOSED); /* for good */
}

static void test_full_and_room_again(void **state)
{
        struct region *region = *state;
        struct region_press one = { .number = 1, .nonce = 3 };
        struct phone phone;
        int r;

        region_start(region, 0, SIZE_MAX_TEXT);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(press_once(region, &phone, &one), 0);
        phone_hang_up(&phone);
        stop(region);
        fill(region, 8 * MIB, 16 * 1024); /* of an open alert: no compaction lets it go */
        region_start(region, 0, SIZE_MAX_TEXT);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        do {
                one.revision++;
                r = press_once(region, &phone, &one);
        } while (r == 0 && one.revision < 1000);
        assert_int_equal(r, -1); /* another dispatcher has a disk */
        assert_int_not_equal(phone.close_code, 0);
        phone_hang_up(&phone);
        assert_true(said(region, "disk full"));
        WAIT_UNTIL(is_there(region, &one, (uint16_t)(one.revision - 1))); /* whatever had its receipt */
        assert_int_not_equal(region_dial(region, 0, 1, &phone), 0);
        close_it(region, &one, 3); /* goes to the store without the journal */
        WAIT_UNTIL(region_dial(region, 0, 1, &phone) == 0);
        assert_true(said(region, "room again"));
        one = (struct region_press){ .number = 1, .nonce = 4 };
        assert_int_equal(press_once(region, &phone, &one), 0);
        phone_hang_up(&phone);
        assert_true(is_there(region, &one, 0));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_compacted_while_presses_come_in),
                CASE(test_full_and_room_again),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
