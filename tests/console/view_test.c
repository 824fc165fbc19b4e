#include "tests/console/support.h"

#include <math.h>

#include "geo/choose.h"

static const struct change none;

static void test_who_may_see_an_alert(void **state)
{
        struct record *r = test_record(1);
        char ids[VIEW_IDS_SIZE];
        static const struct {
                uint8_t role;
                const char *person;
                bool plain, unverified;
        } cases[] = {
                { ROLE_CONTROL, "ctl", true, true },
                { ROLE_SUPERVISOR, "paul", true, false },
                { ROLE_SUPERVISOR, "ines", true, false },
                { ROLE_SUPERVISOR, "karim", false, false },
                { ROLE_SUPERVISOR, "pau", false, false },
                { ROLE_SUPERVISOR, "", false, false },
                { ROLE_ADMIN, "paul", false, false },
                { ROLE_AUDITOR, "paul", false, false },
                { ROLE_ISSUER, "paul", false, false },
                { ROLE_CARETAKER, "paul", false, false },
                { 0, "paul", false, false },
        };

        test_ask(r, "paul", "Paul");
        strcpy(r->owner_id, "ines");
        assert_true(view_people_of_alert(r, ids) <= sizeof(ids));
        for (size_t i = 0; i < COUNT(cases); i++) {
                struct viewer v = test_viewer(cases[i].role, cases[i].person);

                assert_int_equal(view_allows_alert(&v, false, ids), cases[i].plain);
                assert_int_equal(view_allows_alert(&v, true, ids), cases[i].unverified);
        }
}

static void test_ids_fit_when_all_are_asked(void **state)
{
        struct record *r = test_record(1);
        char ids[VIEW_IDS_SIZE], id[PERSON_ID_MAX + 1];

        memset(id, 'x', PERSON_ID_MAX);
        id[PERSON_ID_MAX] = '\0';
        for (int i = 0; i < RECORD_ASKED_MAX; i++)
                test_ask(r, id, "X");
        strcpy(r->owner_id, id);
        assert_int_equal(view_people_of_alert(r, ids), VIEW_IDS_SIZE);
}

static void test_who_may_see_a_notice(void **state)
{
        struct viewer control = test_viewer(ROLE_CONTROL, "c"), supervisor = test_viewer(ROLE_SUPERVISOR, "s");
        struct viewer admin = test_viewer(ROLE_ADMIN, "a"), auditor = test_viewer(ROLE_AUDITOR, "x");

        for (uint8_t kind = NOTICE_OVERDUE; kind < NOTICE_END; kind++)
                for (int named = 0; named < 2; named++) {
                        const struct notice n = { .kind = kind };

                        assert_true(view_allows_notice(&control, &n, named));
                        assert_int_equal(view_allows_notice(&supervisor, &n, named), kind == NOTICE_OVERDUE && named);
                        assert_int_equal(view_allows_notice(&admin, &n, named), kind == NOTICE_TECHNICAL);
                        assert_false(view_allows_notice(&auditor, &n, named));
                }
}

static void test_alert(void **state)
{
        struct record *r = test_record(0xab);
        struct change change = { "take", "ines", "0102030405060708" };
        json_t *json, *alert, *asked;

        r->has_position = true;
        r->at = (struct track_point){ 1700000000, 457640123, 48357000, 12 };
        r->track[0] = (struct track_point){ 1699999990, -1, 1, UINT16_MAX };
        r->track_count = 1;
        r->marks = RECORD_SILENT | RECORD_NO_NEWS | 0x8000; /* the last a newer format's */
        r->why_unverified = UNVERIFIED_REVOKED;
        test_ask(r, "ines", "In\xc3\xa8s");
        r->asked[0].flags = ASKED_HANDSET | ASKED_JOINED;
        r->asked[0].distance_m = 612;
        strcpy(r->owner_id, "ines");
        strcpy(r->carrier_name, "\xe2\x80\xae<script>\"\\");
        r->state = ALERT_TAKEN;
        json = test_json(view_alert(r, &change));
        assert_string_equal(test_text(json, "t"), "alert");
        assert_string_equal(test_text(json, "e"), "take");
        assert_string_equal(test_text(json, "by"), "ines");
        assert_string_equal(test_text(json, "c"), "0102030405060708");
        alert = json_object_get(json, "alert");
        assert_string_equal(test_text(alert, "id"), "abababababababababababababababab");
        assert_string_equal(test_text(alert, "state"), "taken");
        assert_string_equal(test_text(alert, "kind"), "panic");
        assert_string_equal(test_text(alert, "carrier_name"), "\xe2\x80\xae<script>\"\\");
        assert_string_equal(test_text(alert, "why_unverified"), "revoked");
        assert_string_equal(test_text(alert, "owner"), "ines");
        assert_string_equal(test_text(alert, "zone"), "null");
        assert_true(json_is_null(json_object_get(alert, "battery")));
        assert_true(json_is_null(json_object_get(alert, "closed")));
        assert_int_equal(json_array_size(json_object_get(alert, "marks")), 2);
        assert_true(fabs(json_real_value(json_object_get(json_object_get(alert, "position"), "lat")) - 45.7640123) <
                    1e-8);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(alert, "position"), "at")), 1700000000000);
        assert_true(json_is_null(json_object_get(json_array_get(json_object_get(alert, "track"), 0), "accuracy_m")));
        asked = json_array_get(json_object_get(alert, "asked"), 0);
        assert_int_equal(json_integer_value(json_object_get(asked, "distance_m")), 612);
        assert_int_equal(json_array_size(json_object_get(asked, "flags")), 2);
        json_decref(json);
}

static void test_alert_without_anything(void **state)
{
        struct record *r = test_record(1);
        json_t *json = NULL, *alert;

        r->carrier_id[0] = r->carrier_name[0] = '\0';
        r->kind = 99;
        r->category = 7;
        json = test_json(view_alert(r, &none));
        alert = json_object_get(json, "alert");
        assert_string_equal(test_text(json, "e"), "null");
        assert_string_equal(test_text(alert, "carrier"), "null");
        assert_string_equal(test_text(alert, "kind"), "unknown");
        assert_string_equal(test_text(alert, "category"), "other");
        assert_true(json_is_null(json_object_get(alert, "position")));
        json_decref(json);
}

static void test_paths_and_what_became_of_sms(void **state)
{
        struct record *r = test_record(1);
        json_t *json, *alert, *paul, *ines, *sms;

        test_ask(r, "paul", "Paul");
        test_ask(r, "ines", "In\xc3\xa8s");
        r->paths = PATH_DATA | PATH_SMS;
        r->sms_at_ms = 77;
        r->told_sms_state = SMS_DELIVERED;
        r->told_sms_at_ms = 88;
        r->owner_path = BY_SMS;
        r->asked[0].sms_state = SMS_FAILED;
        r->asked[0].sms_at_ms = 99;
        r->asked[0].flags = ASKED_DECLINED;
        r->asked[0].answer_path = BY_CONSOLE;
        r->asked[1].sms_state = SMS_STATE_END; /* a newer format's */
        r->asked[1].answer_path = BY_END;
        json = test_json(view_alert(r, &none));
        alert = json_object_get(json, "alert");
        assert_int_equal(json_array_size(json_object_get(alert, "paths")), 2);
        assert_true(json_is_null(json_object_get(alert, "data_at")));
        assert_int_equal(json_integer_value(json_object_get(alert, "sms_at")), 77);
        assert_string_equal(test_text(alert, "owner_by"), "sms");
        sms = json_object_get(alert, "told_sms");
        assert_string_equal(test_text(sms, "state"), "delivered");
        assert_int_equal(json_integer_value(json_object_get(sms, "at")), 88);
        paul = json_array_get(json_object_get(alert, "asked"), 0);
        assert_string_equal(test_text(json_object_get(paul, "sms"), "state"), "failed");
        assert_string_equal(test_text(paul, "answered_by"), "console");
        assert_string_equal(json_string_value(json_array_get(json_object_get(paul, "flags"), 0)), "declined");
        ines = json_array_get(json_object_get(alert, "asked"), 1);
        assert_string_equal(test_text(json_object_get(ines, "sms"), "state"), "unknown");
        assert_string_equal(test_text(ines, "answered_by"), "null");
        json_decref(json);
        r->told_sms_state = r->owner_path = r->asked[0].sms_state = 0;
        json = test_json(view_alert(r, &none));
        alert = json_object_get(json, "alert");
        assert_true(json_is_null(json_object_get(alert, "told_sms")) &&
                    json_is_null(json_object_get(alert, "owner_by")));
        assert_true(json_is_null(json_object_get(json_array_get(json_object_get(alert, "asked"), 0), "sms")));
        json_decref(json);
}

static void test_why_others_were_passed_over(void **state)
{
        struct record *r = test_record(1);
        json_t *json, *passed;

        for (uint8_t reason = 0; reason <= PASSED_REASON_COUNT; reason++) {
                strcpy(r->passed[reason].id, "paul");
                r->passed[reason].reason = reason;
        }
        r->passed_count = PASSED_REASON_COUNT + 1;
        json = test_json(view_alert(r, &none));
        passed = json_object_get(json_object_get(json, "alert"), "passed");
        for (size_t i = 0; i < PASSED_REASON_COUNT; i++)
                assert_string_not_equal(test_text(json_array_get(passed, i), "reason"), "null");
        assert_string_equal(test_text(json_array_get(passed, PASSED_BUSY), "reason"), "busy");
        assert_string_equal(test_text(json_array_get(passed, PASSED_FURTHER), "reason"), "further");
        assert_string_equal(test_text(json_array_get(passed, PASSED_REASON_COUNT), "reason"),
                            "other"); /* a newer one */
        json_decref(json);
}

static void test_closed_alert(void **state)
{
        struct record *r = test_record(1);
        json_t *json, *closed;

        r->state = ALERT_CLOSED;
        r->close_reason = CLOSE_OTHER + 1; /* a newer format's */
        r->closed_at_ms = 5;
        strcpy(r->closed_by_id, "ctl");
        strcpy(r->note, "d\xc3\xa9j\xc3\xa0");
        json = test_json(view_alert(r, &none));
        closed = json_object_get(json_object_get(json, "alert"), "closed");
        assert_string_equal(test_text(closed, "by"), "ctl");
        assert_string_equal(test_text(closed, "reason"), "other");
        assert_string_equal(test_text(closed, "note"), "d\xc3\xa9j\xc3\xa0");
        json_decref(json);
}

static void test_people_show_where_they_are_on_duty_only(void **state)
{
        struct person on = { .id = "paul",
                             .name = "Paul",
                             .on_duty = true,
                             .presence = {
                                     .at_ms = 5, .by = PRESENCE_HANDSET, .has_position = true, .at = { 1, 2, 3, 4 } } };
        struct person off = on;
        const struct person *people[] = { &on, &off };
        json_t *json, *list;

        off.on_duty = false;
        json = test_json(view_people(people, 2, true));
        list = json_object_get(json, "people");
        assert_true(json_is_object(json_object_get(json_array_get(list, 0), "position")));
        assert_true(json_is_null(json_object_get(json_array_get(list, 1), "position")));
        assert_true(json_is_null(json_object_get(json_array_get(list, 1), "duty")));
        json_decref(json);
        json = test_json(view_people(people, 1, false));
        assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "people"), 0), "position")));
        json_decref(json);
}

static void test_counts_unknown(void **state)
{
        struct counts counts = { .known = false, .on_duty = 7, .supervisors = 3, .open = 2 };
        json_t *json = test_json(view_counts(&counts));

        assert_true(json_is_null(json_object_get(json, "on_duty")));
        assert_int_equal(json_integer_value(json_object_get(json, "supervisors")), 3);
        json_decref(json);
}

static void test_notice(void **state)
{
        struct notice n = {
                .kind = NOTICE_OVERDUE, .rings = true, .since_ms = 9, .count = 3, .name_count = 1, .cause = "silent"
        };
        json_t *json;

        strcpy(n.names[0].carrier_id, "c9");
        strcpy(n.names[0].carrier_name, "Zo\xc3\xa9");
        json = test_json(view_notice("overdue:x", &n));
        assert_string_equal(test_text(json_object_get(json, "notice"), "kind"), "overdue");
        assert_string_equal(
                test_text(json_array_get(json_object_get(json_object_get(json, "notice"), "names"), 0), "name"),
                "Zo\xc3\xa9");
        json_decref(json);
        json = test_json(view_notice("overdue:x", NULL));
        assert_true(json_is_null(json_object_get(json, "notice")));
        json_decref(json);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_may_see_an_alert),
                cmocka_unit_test(test_ids_fit_when_all_are_asked),
                cmocka_unit_test(test_who_may_see_a_notice),
                cmocka_unit_test(test_alert),
                cmocka_unit_test(test_alert_without_anything),
                cmocka_unit_test(test_paths_and_what_became_of_sms),
                cmocka_unit_test(test_why_others_were_passed_over),
                cmocka_unit_test(test_closed_alert),
                cmocka_unit_test(test_people_show_where_they_are_on_duty_only),
                cmocka_unit_test(test_counts_unknown),
                cmocka_unit_test(test_notice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
