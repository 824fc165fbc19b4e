#include "tests/console/support.h"

#include "console/desk.h"
#include "console/page.h"

static const struct change none;
static struct board *board;
static struct desk *desk;
static struct command sent[PAGE_BURST + 10];
static size_t sent_count;
static int send_result;

struct fake {
        struct page *page;
        int code;
        unsigned wakes;
};

static int on_command(void *user, const struct command *command)
{
        if (send_result == 0)
                sent[sent_count++] = *command;
        return send_result;
}

static int64_t now_ms(void *user)
{
        return 1700000000000;
}

static void wake(void *user)
{
        ((struct fake *)user)->wakes++;
}

static void close_page(void *user, int code)
{
        assert_int_equal(((struct fake *)user)->code, 0);
        ((struct fake *)user)->code = code;
}

static int setup(void **state)
{
        struct desk_options options = {
                .region = "test", .tile_url = "", .tile_attribution = "", .hooks = { NULL, on_command, now_ms }
        };

        sent_count = 0;
        send_result = 0;
        if (board_new(7, &board) < 0)
                return -1;
        options.board = board;
        return desk_new(&options, &desk);
}

static int teardown(void **state)
{
        desk_free(desk);
        board_free(board);
        return 0;
}

static void open_page(struct fake *fake, uint8_t role, const char *person)
{
        struct viewer v = test_viewer(role, person);

        *fake = (struct fake){ 0 };
        assert_int_equal(desk_open(desk, &v, &(struct page_hooks){ fake, wake, close_page }, &fake->page), 0);
}

/* drain: read all that waits; write the `t` of each, separated by blanks, into the answer. */
static const char *drain(struct fake *fake)
{
        static char words[4096];
        struct outbound *out;

        words[0] = '\0';
        while ((out = page_next(fake->page)) != NULL) {
                json_t *json = test_json(out);

                if (words[0] != '\0')
                        strcat(words, " ");
                strcat(words, test_text(json, "t"));
                json_decref(json);
        }
        return words;
}

static const struct alert_item *put_alert(struct record *r)
{
        static uint8_t buf[RECORD_MAX];
        const struct alert_item *item;
        int n = record_encode(r, buf, sizeof(buf));

        assert_int_equal(board_alert(board, buf, (size_t)n, &none, &item), 1);
        return item;
}

static struct person *put_duty(const char *id)
{
        struct duty_entry duty = { .since_ms = 5, .until_s = 1700000000 };
        uint8_t buf[DUTY_ENTRY_MAX];
        struct person *person;

        assert_int_equal(board_duty(board, id, buf, (size_t)duty_entry_encode(&duty, buf, sizeof(buf)), &person), 0);
        return person;
}

static void test_hello_then_snapshot_when_the_store_is_up(void **state)
{
        struct fake page;

        put_alert(test_record(1));
        open_page(&page, ROLE_CONTROL, "ctl");
        assert_string_equal(drain(&page), "hello tick");
        desk_store(desk, true);
        assert_string_equal(drain(&page), "tick begin alert end");
        desk_store(desk, true);
        assert_string_equal(drain(&page), "");
        desk_store(desk, false);
        assert_string_equal(drain(&page), "tick");
        desk_page_close(page.page);
        desk_store(desk, true);
        open_page(&page, ROLE_CONTROL, "ctl");
        assert_string_equal(drain(&page), "hello tick begin alert end");
        desk_page_close(page.page);
}

static void test_each_role_is_told_its_own(void **state)
{
        struct fake control, paul, karim, admin;
        struct record *r = test_record(1);
        struct counts counts = { .known = true };
        struct person *person;

        desk_store(desk, true);
        open_page(&control, ROLE_CONTROL, "ctl");
        open_page(&paul, ROLE_SUPERVISOR, "paul");
        open_page(&karim, ROLE_SUPERVISOR, "karim");
        open_page(&admin, ROLE_ADMIN, "adm");
        drain(&control), drain(&paul), drain(&karim), drain(&admin);
        test_ask(r, "paul", "Paul");
        desk_alert(desk, put_alert(r));
        assert_string_equal(drain(&control), "alert");
        assert_string_equal(drain(&paul), "alert");
        assert_string_equal(drain(&karim), "");
        assert_string_equal(drain(&admin), "");
        person = put_duty("karim");
        desk_person(desk, person);
        assert_string_equal(drain(&karim), "people");
        assert_string_equal(drain(&paul), "");
        desk_tick(desk, &counts);
        assert_string_equal(drain(&control), "tick counts people");
        assert_string_equal(drain(&karim), "tick counts");
        assert_string_equal(drain(&admin), "tick counts");
        desk_tick(desk, &counts);
        assert_string_equal(drain(&control), "tick counts");
        desk_page_close(control.page), desk_page_close(paul.page), desk_page_close(karim.page),
                desk_page_close(admin.page);
}

static void put_supervisor(const char *id, const char *team)
{
        struct supervisor_entry entry = { .name = "X" };
        uint8_t buf[PEOPLE_MAX];
        struct person *person;

        strcpy(entry.team, team);
        assert_int_equal(
                board_supervisor(board, id, buf, (size_t)supervisor_entry_encode(&entry, buf, sizeof(buf)), &person),
                0);
}

/* A page that came before the board had its supervisor's team, or while that changed, comes back: it was told by the team before. */
static void test_another_team(void **state)
{
        struct fake early, same, control;
        struct viewer viewer;

        open_page(&early, ROLE_SUPERVISOR, "paul");
        open_page(&control, ROLE_CONTROL, "ctl");
        put_supervisor("paul", "nord");
        put_supervisor("ctl", "nord");
        desk_store(desk, true);
        assert_int_equal(early.code, DESK_GOING_AWAY);
        assert_int_equal(control.code, 0);
        desk_page_close(early.page);
        viewer = test_viewer(ROLE_SUPERVISOR, "paul");
        strcpy(viewer.team, "nord");
        same = (struct fake){ 0 };
        assert_int_equal(desk_open(desk, &viewer, &(struct page_hooks){ &same, wake, close_page }, &same.page), 0);
        desk_store(desk, false);
        desk_store(desk, true);
        page_set_viewer(same.page, &viewer);
        assert_int_equal(same.code, 0);
        strcpy(viewer.team, "sud");
        page_set_viewer(same.page, &viewer);
        assert_int_equal(same.code, DESK_GOING_AWAY);
        desk_page_close(same.page);
        desk_page_close(control.page);
}

static void test_nothing_but_ticks_while_blind(void **state)
{
        struct fake page;
        struct counts counts = { .known = true };

        open_page(&page, ROLE_CONTROL, "ctl");
        drain(&page);
        desk_alert(desk, put_alert(test_record(1)));
        desk_tick(desk, &counts);
        assert_string_equal(drain(&page), "tick");
        desk_page_close(page.page);
}

#define TAKE(id) "{\"t\":\"take\",\"c\":\"" id "\",\"alert\":\"000102030405060708090a0b0c0d0e0f\"}"

static int say(struct fake *fake, const char *text)
{
        return page_said(fake->page, text, strlen(text), 1000);
}

static void test_commands_and_answers(void **state)
{
        struct fake one, two;

        open_page(&one, ROLE_SUPERVISOR, "paul");
        open_page(&two, ROLE_SUPERVISOR, "ines");
        drain(&one), drain(&two);
        assert_int_equal(say(&one, TAKE("0102030405060708")), 0);
        assert_int_equal(sent_count, 1);
        assert_string_equal(sent[0].person, "paul");
        assert_int_equal(sent[0].expires_ms, 1700000000000 + COMMAND_TERM_MS);
        desk_answer(desk, "0102030405060708", "taken_by_other", "In\xc3\xa8s");
        assert_string_equal(drain(&one), "answer");
        assert_string_equal(drain(&two), "");
        desk_answer(desk, "ff02030405060708", "done", "");
        desk_answer(desk, "nonsense", "done", "");
        assert_string_equal(drain(&one), "");
        send_result = -ENOTCONN;
        assert_int_equal(say(&one, TAKE("0102030405060709")), 0);
        assert_string_equal(drain(&one), "answer"); /* busy */
        assert_int_equal(say(&one, "{\"t\":\"take\"}"), DESK_MALFORMED);
        desk_page_close(one.page), desk_page_close(two.page);
}

static void test_administrator_commands_nothing_but_ack(void **state)
{
        struct fake page;

        open_page(&page, ROLE_ADMIN, "adm");
        drain(&page);
        assert_int_equal(say(&page, TAKE("0102030405060708")), 0);
        assert_int_equal(sent_count, 0);
        assert_string_equal(drain(&page), "answer");
        assert_int_equal(say(&page, "{\"t\":\"ack\",\"c\":\"0102030405060708\",\"notice\":\"tech:a:b\"}"), 0);
        assert_int_equal(sent_count, 1);
        desk_page_close(page.page);
}

static void test_presence_is_the_supervisors_alone(void **state)
{
        static const char here[] =
                "{\"t\":\"visible\",\"position\":{\"lat\":1,\"lon\":1,\"accuracy_m\":1,\"at\":1700000000000}}";
        struct fake paul, control;

        open_page(&paul, ROLE_SUPERVISOR, "paul");
        open_page(&control, ROLE_CONTROL, "ctl");
        assert_int_equal(say(&control, here), 0);
        assert_int_equal(sent_count, 0);
        assert_int_equal(say(&paul, here), 0);
        assert_int_equal(sent[0].verb, COMMAND_PRESENCE);
        assert_false(sent[0].has_position);
        put_duty("paul");
        assert_int_equal(say(&paul, here), 0);
        assert_true(sent[1].has_position);
        desk_page_close(paul.page), desk_page_close(control.page);
}

static void test_too_many_commands_are_busy(void **state)
{
        struct fake page;
        char text[128];

        open_page(&page, ROLE_CONTROL, "ctl");
        drain(&page);
        for (int i = 0; i < PAGE_BURST + 1; i++) {
                snprintf(text, sizeof(text),
                         "{\"t\":\"release\",\"c\":\"%016x\",\"alert\":\"000102030405060708090a0b0c0d0e0f\"}", i);
                assert_int_equal(page_said(page.page, text, strlen(text), 1000), 0);
        }
        assert_int_equal(sent_count, PAGE_BURST);
        assert_string_equal(drain(&page), "answer");
        assert_int_equal(page_said(page.page, text, strlen(text), 1000 + 1000 / PAGE_RATE), 0);
        assert_int_equal(sent_count, PAGE_BURST + 1);
        desk_page_close(page.page);
}

static void test_slow_reader_is_closed(void **state)
{
        struct fake page;
        struct record *r = test_record(1);

        desk_store(desk, true);
        open_page(&page, ROLE_CONTROL, "ctl");
        drain(&page);
        for (int i = 0; i < PAGE_QUEUE_MAX; i++) {
                desk_alert(desk, put_alert(r));
                r->version++;
        }
        assert_int_equal(page.code, 0);
        desk_alert(desk, put_alert(r));
        assert_int_equal(page.code, DESK_SLOW);
        r->version++;
        desk_alert(desk, put_alert(r)); /* close is asked once */
        desk_page_close(page.page);
}

static void test_snapshot_has_a_bound(void **state)
{
        struct fake page;
        struct record *r = test_record(0);
        struct outbound *out;
        unsigned alerts = 0;
        json_int_t rest = -1;

        for (uint32_t i = 0; i < PAGE_ALERTS_MAX + 5; i++) {
                memcpy(r->id, &i, sizeof(i));
                put_alert(r);
        }
        desk_store(desk, true);
        open_page(&page, ROLE_CONTROL, "ctl");
        while ((out = page_next(page.page)) != NULL) {
                json_t *json = test_json(out);

                alerts += strcmp(test_text(json, "t"), "alert") == 0;
                if (strcmp(test_text(json, "t"), "end") == 0)
                        rest = json_integer_value(json_object_get(json, "rest"));
                json_decref(json);
        }
        assert_int_equal(alerts, PAGE_ALERTS_MAX);
        assert_int_equal(rest, 5);
        desk_page_close(page.page);
}

static void test_many_people_come_in_parts(void **state)
{
        struct fake page;
        char id[16];

        for (int i = 0; i < VIEW_PEOPLE_MAX + 1; i++) {
                snprintf(id, sizeof(id), "s%d", i);
                put_duty(id);
        }
        desk_store(desk, true);
        open_page(&page, ROLE_CONTROL, "ctl");
        assert_string_equal(drain(&page), "hello tick begin people people end");
        desk_page_close(page.page);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(test_hello_then_snapshot_when_the_store_is_up),
                WITH(test_each_role_is_told_its_own),
                WITH(test_another_team),
                WITH(test_nothing_but_ticks_while_blind),
                WITH(test_commands_and_answers),
                WITH(test_administrator_commands_nothing_but_ack),
                WITH(test_presence_is_the_supervisors_alone),
                WITH(test_too_many_commands_are_busy),
                WITH(test_slow_reader_is_closed),
                WITH(test_snapshot_has_a_bound),
                WITH(test_many_people_come_in_parts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
