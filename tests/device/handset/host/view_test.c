#include "tests/device/handset/host/support.h"

#include "device/handset/host/passes_state.h"
#include "device/handset/host/view.h"
#include "wire/record.h"

#define NOW_MS INT64_C(1777888800123)

static const json_t *at(const json_t *json, const char *path)
{
        char copy[128], *save = NULL;

        snprintf(copy, sizeof(copy), "%s", path);
        for (char *key = strtok_r(copy, ".", &save); key != NULL; key = strtok_r(NULL, ".", &save)) {
                json = json_is_array(json) ? json_array_get(json, (size_t)atoi(key)) : json_object_get(json, key);
                if (json == NULL)
                        fail_msg("%s: no %s", path, key);
        }
        return json;
}

static void assert_text(const json_t *json, const char *path, const char *expected)
{
        assert_string_equal(json_string_value(at(json, path)), expected);
}

static void assert_number(const json_t *json, const char *path, json_int_t expected)
{
        assert_true(json_is_integer(at(json, path)));
        assert_int_equal(json_integer_value(at(json, path)), expected);
}

static void a_phone_that_knows_nothing(void **state)
{
        struct vigie_status status = { .battery = 255, .trouble = VIGIE_TROUBLE_NOT_ENROLLED | VIGIE_TROUBLE_NO_FIX };
        json_t *json = view_status(&status, NOW_MS);

        assert_non_null(json);
        assert_number(json, "now_ms", NOW_MS);
        assert_true(json_is_false(at(json, "enrolled")));
        assert_true(json_is_false(at(json, "button")));
        assert_int_equal(json_array_size(at(json, "trouble")), 2);
        assert_text(json, "trouble.0", "not_enrolled");
        assert_text(json, "trouble.1", "no_fix");
        assert_true(json_is_null(at(json, "alert")));
        assert_true(json_is_null(at(json, "fix")));
        assert_text(json, "role", "carrier");
        assert_text(json, "link", "down");
        assert_text(json, "duty.state", "off");
        assert_int_equal(json_array_size(at(json, "rings")), 0);
        json_decref(json);
}

static void what_was_opened(void **state)
{
        struct vigie_status status = { .opened_count = 4,
                                       .opened = { { 9, VIGIE_OPENED_TIMER, false },
                                                   { 8, VIGIE_OPENED_OVERDUE, true },
                                                   { 7, VIGIE_OPENED_ALERT, true },
                                                   { 6, 77, true } } };
        json_t *json = view_status(&status, NOW_MS);

        assert_int_equal(json_array_size(at(json, "opened")), 4);
        assert_number(json, "opened.0.at_ms", 9);
        assert_text(json, "opened.0.why", "timer");
        assert_true(json_is_false(at(json, "opened.0.read")));
        assert_text(json, "opened.1.why", "overdue");
        assert_true(json_is_true(at(json, "opened.1.read")));
        assert_text(json, "opened.2.why", "alert");
        assert_text(json, "opened.3.why", "other");
        json_decref(json);
}

static void an_alert_and_a_duty(void **state)
{
        struct vigie_status status = { .enrolled = true,
                                       .button = true,
                                       .link = VIGIE_LINK_WELCOME,
                                       .has_fix = true,
                                       .fix = { 457580000, 48350000, 12, 1777888799 },
                                       .battery = 80 };
        json_t *json;

        status.alert = (struct vigie_alert_status){ .word = VIGIE_TAKEN,
                                                    .id = { 1, 2 },
                                                    .kind = 2,
                                                    .category = 3,
                                                    .revision = 7,
                                                    .presses = 2,
                                                    .trying = true,
                                                    .still = true,
                                                    .mistake = true,
                                                    .pressed_at_s = 1777888790,
                                                    .sent_at_ms = 5,
                                                    .received_at_ms = 6,
                                                    .state_at_s = 1777888795,
                                                    .who = "Inès" };
        status.duty = (struct vigie_duty_status){ .state = VIGIE_DUTY_ON,
                                                  .ends = true,
                                                  .person = "c001",
                                                  .round = "r1",
                                                  .name = "Camille",
                                                  .since_ms = 9,
                                                  .until_s = 1777890000 };
        status.proof = (struct vigie_proof_status){ true, 1, 2, 3, 4, 5 };
        json = view_status(&status, NOW_MS);
        assert_text(json, "alert.word", "taken");
        assert_text(json, "alert.id", "01020000000000000000000000000000");
        assert_text(json, "alert.kind", "man-down");
        assert_text(json, "alert.category", "dog");
        assert_true(json_is_false(at(json, "alert.drill")));
        assert_true(json_is_true(at(json, "alert.trying")));
        assert_true(json_is_true(at(json, "alert.still")));
        assert_true(json_is_true(at(json, "alert.mistake")));
        assert_number(json, "alert.pressed_at_ms", 1777888790000);
        assert_number(json, "alert.state_at_ms", 1777888795000);
        assert_number(json, "alert.revision", 7);
        assert_text(json, "alert.who", "Inès");
        assert_true(json_is_null(at(json, "alert.reason")));
        assert_true(json_real_value(at(json, "fix.lat")) == 45.758);
        assert_true(json_real_value(at(json, "fix.lon")) == 4.835);
        assert_number(json, "fix.accuracy_m", 12);
        assert_text(json, "duty.state", "on");
        assert_true(json_is_true(at(json, "duty.ends")));
        assert_number(json, "duty.until_ms", 1777890000000);
        assert_number(json, "proof.proved_at_ms", 3);
        assert_number(json, "proof.sms_at_ms", 5);
        assert_text(json, "link", "welcome");
        json_decref(json);
        status.alert.word = VIGIE_CLOSED;
        status.alert.reason = VIGIE_NO_DANGER;
        json = view_status(&status, NOW_MS);
        assert_text(json, "alert.reason", "no_danger");
        json_decref(json);
}

static void the_sms_leg(void **state)
{
        struct vigie_status status = { .trouble = VIGIE_TROUBLE_NOT_KNOWN,
                                       .alert = { .word = VIGIE_SENT,
                                                  .kind = 0,
                                                  .sent_data_at_ms = 6,
                                                  .sent_sms_at_ms = 7,
                                                  .received_path = VIGIE_PATH_SMS },
                                       .sms = { .modem = VIGIE_MODEM_SIM_LOCKED,
                                                .sending = true,
                                                .code = 21,
                                                .good_at_ms = 8,
                                                .failed_at_ms = 9 } };
        json_t *json = view_status(&status, NOW_MS);

        assert_text(json, "trouble.0", "not_known");
        assert_number(json, "alert.sent_data_at_ms", 6);
        assert_number(json, "alert.sent_sms_at_ms", 7);
        assert_text(json, "alert.received_path", "sms");
        assert_text(json, "sms.modem", "sim_locked");
        assert_true(json_is_true(at(json, "sms.sending")));
        assert_number(json, "sms.good_at_ms", 8);
        assert_number(json, "sms.failed_at_ms", 9);
        assert_number(json, "sms.code", 21);
        assert_text(json, "sms.failure", "refused");
        json_decref(json);
        memset(&status.sms, 0, sizeof(status.sms));
        status.alert.received_path = 0;
        json = view_status(&status, NOW_MS);
        assert_text(json, "sms.modem", "none");
        assert_true(json_is_null(at(json, "sms.failure")));
        assert_true(json_is_null(at(json, "alert.received_path")));
        json_decref(json);
}

static struct vigie_ring some_ring(void)
{
        return (struct vigie_ring){ .id = { 0xab },
                                    .version = 3,
                                    .level = 2,
                                    .state = ALERT_EN_ROUTE,
                                    .marks = RECORD_DURESS | RECORD_NO_NEWS,
                                    .battery = 44,
                                    .pressed_at_s = 1777888790,
                                    .raised_at_ms = 1,
                                    .changed_at_ms = 2,
                                    .heard_at_ms = 3,
                                    .has_place = true,
                                    .place = { 1, -1, 5, 6 },
                                    .distance_m = 1234,
                                    .carrier_name = "C",
                                    .carrier_number = "+33600000001",
                                    .round = "r",
                                    .zone_name = "Z",
                                    .owner_name = "O",
                                    .mine = true };
}

static void what_rings(void **state)
{
        struct vigie_status *status = calloc(1, sizeof(*status));
        json_t *json;

        status->role = VIGIE_SUPERVISOR;
        status->ring_count = 2;
        status->rings[0] = some_ring();
        status->rings[0].asking = VIGIE_TAKE;
        status->rings[1] = some_ring();
        status->rings[1].has_place = false;
        status->rings[1].distance_m = UINT32_MAX;
        status->rings[1].refused = VIGIE_TAKE;
        status->rings[1].answer = 255;
        status->rings[1].state = ALERT_CLOSED;
        status->rings[1].reason = VIGIE_HANDED_TO_112;
        json = view_status(status, NOW_MS);
        assert_text(json, "role", "supervisor");
        assert_text(json, "rings.0.state", "en_route");
        assert_int_equal(json_array_size(at(json, "rings.0.marks")), 2);
        assert_text(json, "rings.0.marks.0", "duress");
        assert_text(json, "rings.0.marks.1", "no_news");
        assert_number(json, "rings.0.distance_m", 1234);
        assert_text(json, "rings.0.asking", "take");
        assert_true(json_is_null(at(json, "rings.0.answer")));
        assert_true(json_is_null(at(json, "rings.0.reason")));
        assert_true(json_is_true(at(json, "rings.0.mine")));
        assert_true(json_is_null(at(json, "rings.1.place")));
        assert_true(json_is_null(at(json, "rings.1.distance_m")));
        assert_text(json, "rings.1.refused", "take");
        assert_text(json, "rings.1.answer", "no_answer");
        assert_text(json, "rings.1.state", "closed");
        assert_non_null(json_string_value(at(json, "rings.1.reason")));
        json_decref(json);
        free(status);
}

/* Text goes through as it is, for the page to show as text; and comes back out of the JSON the same. */
static void hostile_names(void **state)
{
        static const char *const names[] = {
                "<script>alert(1)</script>",
                "\"}],\"button\":true,",
                ("\xe2\x80\xae"
                 "desrever"),
                "\xf0\x9f\x92\xa3\xf0\x9f\x91\xae",
                "a\\u0000b",
                "line\nbreak",
        };
        struct vigie_status *status = calloc(1, sizeof(*status));

        status->ring_count = 1;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                char *text;
                json_t *json, *again;

                status->rings[0] = some_ring();
                snprintf(status->rings[0].carrier_name, VIGIE_NAME_SIZE, "%s", names[i]);
                snprintf(status->name, VIGIE_NAME_SIZE, "%s", names[i]);
                json = view_status(status, NOW_MS);
                text = json_dumps(json, JSON_COMPACT);
                again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
                assert_non_null(again);
                assert_text(again, "rings.0.carrier", names[i]);
                assert_text(again, "name", names[i]);
                assert_null(strchr(text, '\n'));
                json_decref(json);
                json_decref(again);
                free(text);
        }
        free(status);
}

/* A number of a newer region, or text that is not UTF-8, must not cost the page the rest of the status. */
static void what_cannot_be_named(void **state)
{
        struct vigie_status *status = calloc(1, sizeof(*status));
        json_t *json;

        status->alert.word = VIGIE_RECEIVED;
        status->alert.kind = status->alert.category = 250;
        status->ring_count = 1;
        status->rings[0] = some_ring();
        status->rings[0].kind = status->rings[0].category = status->rings[0].state = status->rings[0].reason = 250;
        status->rings[0].refused = status->rings[0].answer = 250;
        memcpy(status->rings[0].owner_name, "\xff\xfe", 3);
        json = view_status(status, NOW_MS);
        assert_non_null(json);
        assert_text(json, "alert.kind", "unknown");
        assert_text(json, "rings.0.kind", "unknown");
        assert_true(json_is_null(at(json, "rings.0.reason")));
        assert_true(json_is_null(at(json, "rings.0.state")));
        assert_text(json, "rings.0.owner", "");
        assert_text(json, "rings.0.carrier", "C");
        json_decref(json);
        free(status);
}

static void patterns(void **state)
{
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_STOP), "stop");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_RISING), "rising");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_LEAVING), "leaving");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_RECEIVED), "received");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_TAKEN), "taken");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_MESSAGE), "message");
        assert_string_equal(view_pattern_name(VIGIE_VIBRATE_ASK), "ask");
        assert_string_equal(view_pattern_name(99), "stop");
}

/* Buildings by their distance, the nearest first; on the other side of the world too. */
static void buildings(void **state)
{
        static const int32_t lon_e7[] = { -1799000000, 0, 1700000000, 1798000000 };
        static const char *const nearest[] = { "D", "A", "C", "B" };
        struct parcel_building of[4] = { 0 };
        struct content_pass pass = { .parcel = { .count = 4, .buildings = of } };
        struct vigie_status core = { .has_fix = true, .fix = { .lon_e7 = 1799000000 } };
        json_t *list;

        for (size_t i = 0; i < 4; i++) {
                of[i].has_place = true;
                of[i].lon_e7 = lon_e7[i];
                of[i].name[0] = (char)('A' + i);
        }
        list = view_buildings(&pass, &core, 0, 4);
        assert_int_equal(json_array_size(list), 4);
        for (size_t i = 0; i < 4; i++)
                assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "name")), nearest[i]);
        json_decref(list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_phone_that_knows_nothing),
                cmocka_unit_test(what_was_opened),
                cmocka_unit_test(an_alert_and_a_duty),
                cmocka_unit_test(the_sms_leg),
                cmocka_unit_test(what_rings),
                cmocka_unit_test(hostile_names),
                cmocka_unit_test(what_cannot_be_named),
                cmocka_unit_test(patterns),
                cmocka_unit_test(buildings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
