/* The dispatcher as a process: real TLS, real Redis, real signatures; handsets played by
 * tests/dispatcher/support/phone.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/dispatcher/support/play.h"

static void test_a_press_gets_its_receipt(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        static struct record record;
        struct alert_id id;
        struct receipt receipt;
        struct phone phone;

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        region_alert_id(&one, &id);
        assert_true(alert_id_equal(&receipt.alert, &id));
        assert_true(receipt_is_received(receipt.state));
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_string_equal(record.carrier_name, "Carole");
        assert_int_equal(record.marks & RECORD_UNVERIFIED, 0);
        assert_string_equal(record.zone_id, "lyon");
        play_press(region, &phone, &one); /* a copy is answered, and changes nothing */
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        phone_hang_up(&phone);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
}

static void command(struct phone *phone, uint8_t verb, const struct alert_id *id, uint8_t reason)
{
        static uint8_t number;
        static uint8_t buf[FRAME_REGION_MAX];
        struct frame frame = { .type = FRAME_COMMAND }, answer;

        frame.u.command.request = ++number;
        frame.u.command.command.verb = verb;
        frame.u.command.command.id[0] = number;
        frame.u.command.command.reason = reason;
        memcpy(frame.u.command.command.alert, id->octets, ALERT_ID_SIZE);
        assert_int_equal(region_send(phone, &frame), 0);
        assert_int_equal(region_frame(phone, FRAME_ANSWER, buf, &answer), 0);
        assert_int_equal(answer.u.answer.request, number);
        assert_int_equal(answer.u.answer.code, ANSWER_DONE);
}

static void test_rung_taken_and_closed_across_two_dispatchers(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 9 };
        static uint8_t buf[FRAME_REGION_MAX];
        static struct record record;
        struct phone carrier, supervisor;
        struct receipt receipt;
        struct frame ring;
        struct alert_id id;

        region_start(region, 0, NULL);
        region_start(region, 1, NULL);
        assert_int_equal(region_dial(region, 1, 2, &supervisor), 0);
        play_on_duty(&supervisor, "s1");
        usleep(300000); /* the roster's stream to the other dispatcher */
        assert_int_equal(region_dial(region, 0, 1, &carrier), 0);
        play_press(region, &carrier, &one);
        region_alert_id(&one, &id);
        assert_int_equal(region_frame(&supervisor, FRAME_RING, buf, &ring), 0);
        assert_int_not_equal(ring.u.ring.ring, RING_SHOW);
        assert_int_equal(record_decode(ring.u.ring.record.at, ring.u.ring.record.len, &record), 0);
        assert_memory_equal(record.id, id.octets, ALERT_ID_SIZE);
        assert_string_equal(record.asked[0].id, "s1");
        command(&supervisor, COMMAND_TAKE, &id, 0);
        assert_int_equal(region_receipt_of(region, &carrier, RECEIPT_TAKEN, &receipt), 0);
        assert_string_equal(receipt.who, "Paul");
        command(&supervisor, COMMAND_CLOSE, &id, CLOSE_HELPED);
        assert_int_equal(region_receipt_of(region, &carrier, RECEIPT_CLOSED_HELPED, &receipt), 0);
        play_press(region, &carrier, &one); /* offered again: stays closed */
        assert_int_equal(region_receipt(region, &carrier, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_CLOSED_HELPED);
        phone_hang_up(&carrier);
        phone_hang_up(&supervisor);
}

static void test_bad_certificates_are_raised_as_unverified(void **state)
{
        struct region *region = *state;
        static struct record record;
        struct receipt receipt;
        struct phone phone;
        redisReply *open;

        region_handset(region, &(struct region_handset){ .number = 3, .person = "c1", .days_to = -1 });
        region_handset(region, &(struct region_handset){ .number = 4, .person = "c1", .days_to = 9, .revoked = true });
        region_handset(region, &(struct region_handset){ .number = 5, .days_to = 9, .unknown = true });
        region_start(region, 0, NULL);
        play_raised(region, &(struct region_press){ .number = 3, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_EXPIRED);
        play_raised(region, &(struct region_press){ .number = 4, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_REVOKED);
        play_raised(region, &(struct region_press){ .number = 5, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_UNKNOWN);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &(struct region_press){ .number = 1, .nonce = 1, .forged = true });
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        phone_hang_up(&phone);
        play_raised(region, &(struct region_press){ .number = 1, .nonce = 1 },
                    &record); /* the forged one took no place of its */
        assert_int_equal(record.why_unverified, UNVERIFIED_NOT);
        open = region_ask(region, "ZCARD {r}:open");
        assert_int_equal(open->integer, 5);
        freeReplyObject(open);
}

static void test_killed_it_comes_back_with_the_alert_once(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        struct receipt before, after;
        struct phone phone;
        redisReply *open;

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &before), 0);
        region_signal(region, 0, SIGKILL);
        assert_int_equal(region_wait(region, 0), 128 + SIGKILL);
        phone_hang_up(&phone);
        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &after), 0);
        assert_true(after.version >= before.version);
        open = region_ask(region, "ZRANGE {r}:open 0 -1");
        assert_int_equal(open->elements, 1);
        freeReplyObject(open);
        phone_hang_up(&phone);
}

static void test_without_redis_it_is_kept_and_then_raised(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        static struct record record;
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;

        region_start(region, 0, NULL);
        place_redis_stop(&region->place);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_KEPT);
        region_signal(region, 0, SIGKILL); /* only the journal has it now */
        region_wait(region, 0);
        phone_hang_up(&phone);
        place_redis(&region->place, "alerts");
        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        do
                assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        while (!receipt_is_received(receipt.state));
        region_alert_id(&one, &id);
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_int_equal(record.presses, 1);
        phone_hang_up(&phone);
}

static void test_it_starts_without_redis_from_its_snapshot(void **state)
{
        struct region *region = *state;
        const struct region_press one = { .number = 1, .nonce = 7 };
        static struct record record;
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;

        region_start(region, 0, NULL);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
        place_redis_stop(&region->place);
        region_start(region, 0, NULL); /* after store.wait */
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_KEPT);
        place_redis(&region->place, "alerts");
        do
                assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        while (!receipt_is_received(receipt.state));
        region_alert_id(&one, &id);
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_int_equal(record.why_unverified, UNVERIFIED_NOT); /* the snapshot knew the handset */
        phone_hang_up(&phone);
}

static void test_people_change_while_it_runs(void **state)
{
        struct region *region = *state;
        static uint8_t buf[FRAME_REGION_MAX];
        static struct record record;
        struct frame hello = { .type = FRAME_HELLO, .u.hello = { .version = FRAME_VERSION } }, error;
        struct phone phone;

        region_start(region, 0, NULL);
        region_handset(region, &(struct region_handset){ .number = 8, .person = "c2", .days_to = 9 });
        region_carrier(region, "c2", "Chloé");
        usleep(300000);
        play_raised(region, &(struct region_press){ .number = 8, .nonce = 1 }, &record);
        assert_string_equal(record.carrier_name, "Chloé");
        assert_int_equal(region_dial(region, 0, 8, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_handset(region, &(struct region_handset){ .number = 8, .person = "c2", .days_to = 9, .revoked = true });
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_not_equal(phone.close_code, 0); /* a revoked handset loses its session */
        phone_hang_up(&phone);
        region_handset(region, &(struct region_handset){ .number = 8, .person = "c2", .days_to = 9, .again = true });
        usleep(300000);
        assert_int_equal(region_dial(region, 0, 8, &phone), 0);
        assert_int_equal(region_send(&phone, &hello), 0);
        assert_int_equal(region_frame(&phone, FRAME_ERROR, buf, &error), 0); /* as does the phone before */
        assert_int_equal(error.u.error.code, FRAME_ERROR_NOT_ALLOWED);
        phone_hang_up(&phone);
}

static void test_a_console_asks_by_command(void **state)
{
        struct region *region = *state;
        struct command ack = {
                .id = { 42 }, .verb = COMMAND_TAKE, .role = ROLE_CONTROL, .person = "anne", .login = "anne"
        };
        const struct region_press one = { .number = 1, .nonce = 7 };
        uint8_t bytes[COMMAND_MAX];
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;
        int len;

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        play_press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        region_alert_id(&one, &id);
        memcpy(ack.alert, id.octets, ALERT_ID_SIZE);
        ack.expires_ms = clock_utc_ms() + COMMAND_TERM_MS;
        len = command_encode(&ack, bytes, sizeof(bytes));
        assert_true(len > 0);
        freeReplyObject(region_ask(region, "XADD {r}:commands * f 1 r %b", bytes, (size_t)len));
        assert_int_equal(region_receipt_of(region, &phone, RECEIPT_TAKEN, &receipt), 0);
        assert_string_equal(receipt.who, "anne");
        phone_hang_up(&phone);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, play_set_up, play_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_a_press_gets_its_receipt),
                CASE(test_rung_taken_and_closed_across_two_dispatchers),
                CASE(test_bad_certificates_are_raised_as_unverified),
                CASE(test_killed_it_comes_back_with_the_alert_once),
                CASE(test_without_redis_it_is_kept_and_then_raised),
                CASE(test_it_starts_without_redis_from_its_snapshot),
                CASE(test_people_change_while_it_runs),
                CASE(test_a_console_asks_by_command),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
