/* The dispatcher as a process: real TLS, real Redis, real signatures; handsets played by tests/dispatcher/support/phone.c. */
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
#include "tests/dispatcher/support/region.h"

static int set_up(void **state)
{
        struct region *region = calloc(1, sizeof(*region));

        region_open(region);
        region_carrier(region, "c1", "Carole");
        region_supervisor(region, "s1", "Paul", false);
        region_user(region, "anne", ROLE_CONTROL);
        region_handset(region,
                       &(struct region_handset){ .number = 1, .person = "c1", .role = HANDSET_CARRIER, .days_to = 9 });
        region_handset(region, &(struct region_handset){
                                       .number = 2, .person = "s1", .role = HANDSET_SUPERVISOR, .days_to = 9 });
        *state = region;
        return 0;
}

static int tear_down(void **state)
{
        struct region *region = *state;

        region_close(region);
        free(region);
        return 0;
}

static void press(struct region *region, struct phone *phone, const struct region_press *press)
{
        uint8_t frame[FRAME_HANDSET_MAX];
        int len = region_press(region, press, frame);

        assert_int_equal(phone_send(phone, frame, (size_t)len), 0);
}

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
        press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        region_alert_id(&one, &id);
        assert_true(alert_id_equal(&receipt.alert, &id));
        assert_true(receipt_is_received(receipt.state));
        assert_int_equal(region_record(region, &id, &record), 0);
        assert_string_equal(record.carrier_name, "Carole");
        assert_int_equal(record.marks & RECORD_UNVERIFIED, 0);
        assert_string_equal(record.zone_id, "lyon");
        press(region, &phone, &one); /* a copy is answered, and changes nothing */
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        phone_hang_up(&phone);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
}

/* go_on_duty: a supervisor's handset, heard and placed. */
static void go_on_duty(struct phone *phone, const char *person)
{
        static uint8_t buf[FRAME_REGION_MAX];
        struct frame duty = { .type = FRAME_DUTY,
                              .u.duty = { .request = 1, .on = true, .until_s = (uint32_t)time(NULL) + 3600 } };
        struct frame presence = { .type = FRAME_PRESENCE,
                                  .u.presence = { .battery = 90,
                                                  .has_position = true,
                                                  .at = { (uint32_t)time(NULL), 457610000, 48410000, 10 } } };
        struct frame answer;

        snprintf(duty.u.duty.person, sizeof(duty.u.duty.person), "%s", person);
        assert_int_equal(region_hello(phone, HANDSET_SUPERVISOR), 0);
        assert_int_equal(region_send(phone, &duty), 0);
        assert_int_equal(region_frame(phone, FRAME_DUTY_ANSWER, buf, &answer), 0);
        assert_int_equal(answer.u.duty_answer.code, DUTY_OK);
        assert_int_equal(region_send(phone, &presence), 0);
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
        go_on_duty(&supervisor, "s1");
        usleep(300000); /* the roster's stream to the other dispatcher */
        assert_int_equal(region_dial(region, 0, 1, &carrier), 0);
        press(region, &carrier, &one);
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
        press(region, &carrier, &one); /* offered again: stays closed */
        assert_int_equal(region_receipt(region, &carrier, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_CLOSED_HELPED);
        phone_hang_up(&carrier);
        phone_hang_up(&supervisor);
}

/* raised_as: press from handset N and read the record. */
static void raised_as(struct region *region, const struct region_press *one, struct record *ret_record)
{
        struct receipt receipt;
        struct alert_id id;
        struct phone phone;

        assert_int_equal(region_dial(region, 0, one->number, &phone), 0);
        press(region, &phone, one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        region_alert_id(one, &id);
        assert_int_equal(region_record(region, &id, ret_record), 0);
        phone_hang_up(&phone);
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
        raised_as(region, &(struct region_press){ .number = 3, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_EXPIRED);
        raised_as(region, &(struct region_press){ .number = 4, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_REVOKED);
        raised_as(region, &(struct region_press){ .number = 5, .nonce = 1 }, &record);
        assert_int_equal(record.why_unverified, UNVERIFIED_UNKNOWN);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        press(region, &phone, &(struct region_press){ .number = 1, .nonce = 1, .forged = true });
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        phone_hang_up(&phone);
        raised_as(region, &(struct region_press){ .number = 1, .nonce = 1 },
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
        press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &before), 0);
        region_signal(region, 0, SIGKILL);
        assert_int_equal(region_wait(region, 0), 128 + SIGKILL);
        phone_hang_up(&phone);
        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        press(region, &phone, &one);
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
        press(region, &phone, &one);
        assert_int_equal(region_receipt(region, &phone, &receipt), 0);
        assert_int_equal(receipt.state, RECEIPT_KEPT);
        region_signal(region, 0, SIGKILL); /* only the journal has it now */
        region_wait(region, 0);
        phone_hang_up(&phone);
        place_redis(&region->place, "alerts");
        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        press(region, &phone, &one);
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
        press(region, &phone, &one);
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
        struct phone phone;

        region_start(region, 0, NULL);
        region_handset(region, &(struct region_handset){ .number = 8, .person = "c2", .days_to = 9 });
        region_carrier(region, "c2", "Chloé");
        usleep(300000);
        raised_as(region, &(struct region_press){ .number = 8, .nonce = 1 }, &record);
        assert_string_equal(record.carrier_name, "Chloé");
        assert_int_equal(region_dial(region, 0, 8, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_handset(region, &(struct region_handset){ .number = 8, .person = "c2", .days_to = 9, .revoked = true });
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_not_equal(phone.close_code, 0); /* a revoked handset loses its session */
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
        press(region, &phone, &one);
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

static int plain(int port)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? fd : -1;
}

static void test_ten_thousand_that_say_nothing_do_not_hurt(void **state)
{
        struct region *region = *state;
        struct rlimit limit;
        static struct record record;
        static int silent[10000];
        int count = 0;

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 10100) {
                printf("skip: only %llu files may be open\n", (unsigned long long)limit.rlim_cur);
                return;
        }
        region_start(region, 0, NULL);
        for (int i = 0; i < 10000; i++)
                count += (silent[i] = plain(region->port[0])) >= 0;
        assert_int_equal(count, 10000);
        raised_as(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        for (int i = 0; i < 10000; i++)
                close(silent[i]);
}

/* set_users: the users of ops/redis/users.acl, for this region. */
static bool set_users(struct region *region, redisContext *redis)
{
        FILE *f = fopen("ops/redis/users.acl", "r");
        char line[512];

        if (f == NULL)
                return false;
        while (fgets(line, sizeof(line), f) != NULL) {
                const char *argv[64] = { "ACL", "SETUSER" };
                int argc = 2;

                for (char *save, *word = strtok_r(line, " \n", &save); word != NULL;
                     word = strtok_r(NULL, " \n", &save)) {
                        char *name = strstr(word, "{lyon}");

                        if (name != NULL) {
                                memmove(name + 2, name + 5, strlen(name + 5) + 1);
                                name[1] = 'r';
                        }
                        if (strcmp(word, "user") != 0 && strcmp(word, "default") != 0)
                                argv[argc++] = word;
                }
                if (strcmp(argv[2], "off") != 0) { /* the test itself is the default user */
                        redisReply *reply = redisCommandArgv(redis, argc, argv, NULL);

                        assert_true(reply != NULL && reply->type == REDIS_REPLY_STATUS);
                        freeReplyObject(reply);
                }
        }
        fclose(f);
        return true;
}

static void test_the_rights_we_ship_are_enough(void **state)
{
        struct region *region = *state;
        redisContext *positions = redisConnectUnix(place_path(&region->positions, "positions.sock"));
        static struct record record;
        redisReply *log;
        struct phone supervisor;

        if (!set_users(region, region->redis) || !set_users(region, positions)) {
                printf("skip: not run from the top of the tree\n");
                redisFree(positions);
                return;
        }
        region_start_with(region, 0,
                          (const char *const[]){ "-o", "alerts.user=dispatcher", "-o", "alerts.password=CHANGE-ME",
                                                 "-o", "positions.user=dispatcher", "-o",
                                                 "positions.password=CHANGE-ME", NULL });
        assert_int_equal(region_dial(region, 0, 2, &supervisor), 0);
        go_on_duty(&supervisor, "s1");
        raised_as(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        phone_hang_up(&supervisor);
        region_signal(region, 0, SIGTERM);
        assert_int_equal(region_wait(region, 0), 0);
        log = region_ask(region, "ACL LOG");
        assert_int_equal(log->elements, 0);
        freeReplyObject(log);
        log = redisCommand(positions, "ACL LOG");
        assert_int_equal(log->elements, 0);
        freeReplyObject(log);
        redisFree(positions);
}

static int free_port(void)
{
        struct sockaddr_in at = { .sin_family = AF_INET };
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        getsockname(fd, (struct sockaddr *)&at, &len);
        close(fd);
        return ntohs(at.sin_port);
}

static void get(int port, const char *path, char *text, size_t size)
{
        int fd = plain(port);
        size_t len = 0;
        ssize_t n;

        assert_true(fd >= 0);
        dprintf(fd, "GET %s HTTP/1.0\r\n\r\n", path);
        while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
                len += (size_t)n;
        text[len] = '\0';
        close(fd);
}

static void test_metrics_and_health(void **state)
{
        struct region *region = *state;
        static struct record record;
        static char text[200000];
        char extra[64];
        int port = free_port();

        snprintf(extra, sizeof(extra), "metrics.port=%d", port);
        region_start(region, 0, extra);
        raised_as(region, &(struct region_press){ .number = 1, .nonce = 1 }, &record);
        get(port, "/health", text, sizeof(text));
        assert_non_null(strstr(text, " 200 "));
        get(port, "/metrics", text, sizeof(text));
        assert_non_null(strstr(text, "\nvigie_alerts_raised_total 1\n"));
        assert_non_null(strstr(text, "\nvigie_press_to_receipt_seconds_count 1\n"));
        assert_non_null(strstr(text, "\nvigie_serving 1\n"));
        place_redis_stop(&region->place);
        for (int i = 0; i < 200 && strstr(text, " 503 ") == NULL; i++) {
                usleep(50000);
                get(port, "/health", text, sizeof(text));
        }
        assert_non_null(strstr(text, "store away"));
}

static void test_sigterm_says_goodbye(void **state)
{
        struct region *region = *state;
        struct phone phone;
        uint8_t buf[1024];

        region_start(region, 0, NULL);
        assert_int_equal(region_dial(region, 0, 1, &phone), 0);
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_signal(region, 0, SIGHUP); /* reads its files again, and goes on */
        assert_int_equal(region_hello(&phone, HANDSET_CARRIER), 0);
        region_signal(region, 0, SIGTERM);
        while (phone_receive(&phone, buf, sizeof(buf), 10000) >= 0)
                ;
        assert_int_equal(phone.close_code, 1001);
        assert_int_equal(region_wait(region, 0), 0);
        phone_hang_up(&phone);
}

static void test_check_says_what_is_wrong(void **state)
{
        struct region *region = *state;

        assert_int_equal(region_run(region, (const char *const[]){ "-n", NULL }), 0);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "tls.key=/nonexistent", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "dispatcher.rank=64", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", "-o", "zones.path=/nonexistent", NULL }), 2);
        assert_int_equal(region_run(region, (const char *const[]){ "--help", NULL }), 0);
        place_write(&region->place, "zones/bad.geojson", "{}", 2);
        assert_int_equal(region_run(region, (const char *const[]){ "-n", NULL }), 2);
}

static void test_two_share_a_port_and_one_journal_is_one_process_s(void **state)
{
        struct region *region = *state;
        char port[64], journal[200];

        region_start(region, 0, NULL);
        snprintf(port, sizeof(port), "listen.port=%d", region->port[0]);
        region_start(region, 1, port);
        assert_int_equal(region->port[1], region->port[0]);
        snprintf(journal, sizeof(journal), "journal.path=%s/d0.journal", region->place.dir);
        assert_int_equal(region_run(region, (const char *const[]){ "-o", journal, NULL }), 69);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
                CASE(test_ten_thousand_that_say_nothing_do_not_hurt),
                CASE(test_the_rights_we_ship_are_enough),
                CASE(test_metrics_and_health),
                CASE(test_sigterm_says_goodbye),
                CASE(test_check_says_what_is_wrong),
                CASE(test_two_share_a_port_and_one_journal_is_one_process_s),
        };

        signal(SIGPIPE, SIG_IGN);
        if (region_dispatcher() == NULL) {
                printf("skip: vigie-dispatcher is not built\n");
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
