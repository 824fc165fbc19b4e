#include "console/pass_rule.h"

#include "console/pass_still.h"
#include "tests/console/books_support.h"

#define H 3600u

static const struct pass_times times = { NOW_S, 8 * H };

static struct pass_ask an_ask(const char *round)
{
        struct pass_ask ask = { .verb = PASS_ISSUE, .carrier = "c1", .handset = PHONE };

        strcpy(ask.round, round);
        return ask;
}

static void test_a_shift(void **state)
{
        struct books *books = books_of_a_region();
        struct pass_ask ask = an_ask("r1");
        struct pass_plan plan;

        assert_int_equal(pass_plan(books, &ask, "odile", &times, &plan), CODE_DONE);
        assert_int_equal(plan.what.not_before_s, NOW_S);
        assert_int_equal(plan.what.not_after_s, NOW_S + 8 * H);
        assert_int_equal(plan.what.count, 2);
        assert_int_equal(plan.what.buildings[1][7], 2);
        assert_int_equal(plan.what.policy, PASS_ONE_WAY); /* what all its buildings allow */
        assert_int_equal(plan.key[0], 9);
        assert_int_equal(plan.enrolment[0], 7);
        assert_string_equal(plan.what.by, "odile");
        assert_string_equal(plan.second, "");
        assert_false(plan.is_long || plan.is_sensitive);
        ask = an_ask("r2");
        assert_int_equal(pass_plan(books, &ask, "odile", &times, &plan), CODE_DONE);
        assert_true(plan.is_sensitive);
        assert_int_equal(plan.what.policy, PASS_ONE_WAY | PASS_SENSITIVE);
        books_free(books);
}

static void test_times(void **state)
{
        static const struct {
                uint32_t from_s, until_s;
                uint8_t windows;
                struct pass_window window;
                enum pass_code code;
                bool is_long;
        } cases[] = {
                { 0, NOW_S + 12 * H, 0, { 0 }, CODE_DONE, false },
                { 0, NOW_S + 12 * H + 1, 0, { 0 }, CODE_DONE, true },
                { 0, NOW_S + 24 * H, 0, { 0 }, CODE_DONE, true },
                { 0, NOW_S + 24 * H + 1, 0, { 0 }, CODE_TOO_LONG, false },
                { NOW_S, NOW_S, 0, { 0 }, CODE_BAD_TIME, false },
                { NOW_S - H, NOW_S + H, 0, { 0 }, CODE_DONE, false },
                { NOW_S - H - 1, NOW_S + H, 0, { 0 }, CODE_NOT_NOW, false },
                { NOW_S + 48 * H, NOW_S + 49 * H, 0, { 0 }, CODE_DONE, false },
                { NOW_S + 48 * H + 1, NOW_S + 49 * H, 0, { 0 }, CODE_NOT_NOW, false },
                { NOW_S - H, NOW_S, 0, { 0 }, CODE_NOT_NOW, false },
                { NOW_S, NOW_S + H, 1, { NOW_S, NOW_S + H }, CODE_DONE, false },
                { NOW_S, NOW_S + H, 1, { NOW_S - 1, NOW_S + H }, CODE_BAD_TIME, false },
                { NOW_S, NOW_S + H, 1, { NOW_S, NOW_S + H + 1 }, CODE_BAD_TIME, false },
                { NOW_S, NOW_S + H, 1, { NOW_S + 9, NOW_S + 9 }, CODE_BAD_TIME, false },
        };
        struct books *books = books_of_a_region();
        struct pass_plan plan;

        for (size_t i = 0; i < COUNT(cases); i++) {
                struct pass_ask ask = an_ask("r1");

                ask.from_s = cases[i].from_s;
                ask.until_s = cases[i].until_s;
                ask.window_count = cases[i].windows;
                ask.windows[0] = cases[i].window;
                assert_int_equal(pass_plan(books, &ask, "odile", &times, &plan), cases[i].code);
                if (cases[i].code == CODE_DONE)
                        assert_int_equal(plan.is_long, cases[i].is_long);
        }
        books_free(books);
}

static enum pass_code code_of(const struct books *books, const char *carrier, const char *phone, const char *round)
{
        struct pass_ask ask = { .verb = PASS_ISSUE };
        struct pass_plan plan;

        strcpy(ask.carrier, carrier);
        strcpy(ask.handset, phone);
        strcpy(ask.round, round);
        return pass_plan(books, &ask, "odile", &times, &plan);
}

/* A shared phone has one carrier's passes at a time. */
static void test_another_carrier(void **state)
{
        static struct pass_entry pass;
        struct books *books = books_of_a_region();
        uint8_t buf[DESK_LONG_MAX];

        put_phone(books, OTHER_PHONE, "", 0);
        put_vault(books, OTHER_PHONE, (struct vault_entry){ .state = VAULT_LOCKED, .has_key = true });
        pass = (struct pass_entry){ .carrier = "c1", .round = "r1", .by = "odile", .not_after_s = NOW_S, .count = 1 };
        assert_int_equal(handset_id_from_text(OTHER_PHONE, &pass.handset), 0);
        put(books, BOOK_PASSES, "00000000000000a1", buf, pass_entry_encode(&pass, buf, sizeof(buf)));
        assert_int_equal(code_of(books, "c1", OTHER_PHONE, "r1"), CODE_DONE);
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_OTHER_CARRIER);
        pass.revoked_at_s = NOW_S - 1;
        put(books, BOOK_PASSES, "00000000000000a1", buf, pass_entry_encode(&pass, buf, sizeof(buf)));
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_DONE);
        pass.revoked_at_s = 0;
        pass.not_after_s = NOW_S - 1;
        put(books, BOOK_PASSES, "00000000000000a1", buf, pass_entry_encode(&pass, buf, sizeof(buf)));
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_DONE);
        books_free(books);
}

static void test_phone_and_round(void **state)
{
        struct books *books = books_of_a_region();
        struct vault_entry vault = { .state = VAULT_LOCKED, .has_key = true };

        assert_int_equal(code_of(books, "nobody", PHONE, "r1"), CODE_UNKNOWN);
        assert_int_equal(code_of(books, "c1", OTHER_PHONE, "r1"), CODE_UNKNOWN);
        assert_int_equal(code_of(books, "c2", PHONE, "r1"), CODE_UNKNOWN); /* somebody else's */
        assert_int_equal(code_of(books, "c1", PHONE, "r9"), CODE_UNKNOWN);
        assert_int_equal(code_of(books, "c1", PHONE, "r3"), CODE_EMPTY_ROUND);
        put_phone(books, OTHER_PHONE, "", 0);
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_NO_PIN); /* shared, and never told of a vault */
        put_vault(books, OTHER_PHONE, vault);
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_DONE);
        vault.has_key = false;
        vault.state = VAULT_DESTROYED;
        put_vault(books, OTHER_PHONE, vault);
        assert_int_equal(code_of(books, "c2", OTHER_PHONE, "r1"), CODE_NO_PIN);
        put_phone(books, PHONE, "c1", NOW_S - 1);
        assert_int_equal(code_of(books, "c1", PHONE, "r1"), CODE_REVOKED_PHONE);
        books_free(books);
}

/* The vault of an enrolment before is worth nothing. */
static void test_enrolled_anew(void **state)
{
        struct books *books = books_of_a_region();
        struct handset_entry phone = { .key = { 4 }, .enrolment = { 8 }, .person = "c1", .not_after_s = 1 };
        uint8_t buf[PEOPLE_MAX];

        put(books, BOOK_HANDSETS, PHONE, buf, handset_entry_encode(&phone, buf, sizeof(buf)));
        assert_int_equal(code_of(books, "c1", PHONE, "r1"), CODE_NO_PIN);
        books_free(books);
}

static void test_consent(void **state)
{
        struct books *books = books_of_a_region();
        struct pass_ask ask = an_ask("r2");
        struct viewer marc = test_viewer(ROLE_ISSUER, "marc"), odile = test_viewer(ROLE_ISSUER, "odile"), again = odile;
        struct pass_plan plan, second;

        strcpy(again.login, "odile2");
        assert_int_equal(pass_plan(books, &ask, "odile", &times, &plan), CODE_DONE);
        assert_int_equal(pass_plan_consent(books, &plan.what, &odile, NOW_S + 60, &second), CODE_OWN);
        assert_int_equal(pass_plan_consent(books, &plan.what, &again, NOW_S + 60, &second),
                         CODE_OWN); /* another login */
        assert_int_equal(pass_plan_consent(books, &plan.what, &marc, NOW_S + 60, &second), CODE_DONE);
        assert_string_equal(second.second, "marc");
        assert_string_equal(second.what.by, "odile");
        assert_int_equal(pass_plan_consent(books, &plan.what, &marc, NOW_S + H, &second), CODE_DONE);
        assert_int_equal(pass_plan_consent(books, &plan.what, &marc, NOW_S + H + 1, &second), CODE_OVER);
        books_free(books);
}

static struct pass_entry a_pass(const char *second)
{
        struct pass_entry pass = { .carrier = "c1",
                                   .round = "r1",
                                   .by = "odile",
                                   .not_before_s = NOW_S - 8 * H,
                                   .not_after_s = NOW_S + 600,
                                   .issued_at_s = NOW_S - 8 * H };

        strcpy(pass.second, second);
        assert_int_equal(handset_id_from_text(PHONE, &pass.handset), 0);
        return pass;
}

static void test_renewal(void **state)
{
        struct books *books = books_of_a_region();
        struct pass_entry pass = a_pass("");
        struct pass_plan plan;

        assert_int_equal(pass_renewal(&pass, NOW_S + H, NOW_S), NOW_S + H + 900);
        assert_int_equal(pass_renewal(&pass, NOW_S + 6 * H, NOW_S), NOW_S + 4 * H); /* 12 h of one person's consent */
        assert_int_equal(pass_renewal(&pass, NOW_S - 300, NOW_S), 0);               /* it reaches as far already */
        pass.not_after_s = NOW_S + 901;
        assert_int_equal(pass_renewal(&pass, NOW_S + H, NOW_S), 0); /* not yet */
        pass.not_after_s = NOW_S - 1;
        assert_int_equal(pass_renewal(&pass, NOW_S + H, NOW_S), 0); /* over */
        pass = a_pass("");
        pass.revoked_at_s = NOW_S - 5;
        assert_int_equal(pass_renewal(&pass, NOW_S + H, NOW_S), 0);
        pass = a_pass("marc");
        assert_int_equal(pass_renewal(&pass, NOW_S + 20 * H, NOW_S), NOW_S + 16 * H);

        assert_int_equal(pass_plan_renewal(books, &pass, NOW_S + H, NOW_S, &plan), CODE_DONE);
        assert_int_equal(plan.issued_s, NOW_S - 8 * H);
        assert_string_equal(plan.second, "marc");
        assert_int_equal(plan.what.not_before_s, NOW_S);
        pass = a_pass("");
        pass.not_before_s = NOW_S + 20 * H; /* for tomorrow: it comes again for tomorrow */
        assert_int_equal(pass_plan_renewal(books, &pass, NOW_S + 28 * H, NOW_S, &plan), CODE_DONE);
        assert_int_equal(plan.what.not_before_s, NOW_S + 20 * H);
        pass = a_pass("");
        strcpy(pass.round, "r2"); /* sensitive by now: nobody else agreed to that */
        assert_int_equal(pass_plan_renewal(books, &pass, NOW_S + H, NOW_S, &plan), CODE_NOT_ALLOWED);
        books_free(books);
}

static void test_who_may(void **state)
{
        static const struct {
                uint8_t role;
                const char *verbs; /* of find pass, issue, asked, consent, revoke, lost, unlock, edit */
        } cases[] = { { ROLE_ISSUER, "yyyyyyyn" },
                      { ROLE_ADMIN, "nnnnnyny" },
                      { ROLE_CONTROL, "ynnnyyyn" },
                      { ROLE_SUPERVISOR, "ynnynnyn" },
                      { ROLE_AUDITOR, "nnnnnnnn" },
                      { ROLE_CARETAKER, "nnnnnnnn" },
                      { 0, "nnnnnnnn" } };
        static const enum pass_verb verbs[] = { PASS_FIND,   PASS_ISSUE, PASS_ASKED, PASS_CONSENT,
                                                PASS_REVOKE, PASS_LOST,  PASS_UNLOCK };

        for (size_t i = 0; i < COUNT(cases); i++) {
                struct viewer v = test_viewer(cases[i].role, "x");

                for (size_t k = 0; k < COUNT(verbs); k++)
                        assert_int_equal(pass_may(&v, verbs[k], WHAT_PASS), cases[i].verbs[k] == 'y');
                assert_int_equal(pass_may_edit(cases[i].role), cases[i].verbs[7] == 'y');
        }
}

static void test_teams(void **state)
{
        struct books *books = books_of_a_region();
        struct viewer paul = test_viewer(ROLE_SUPERVISOR, "paul"), odile = test_viewer(ROLE_ISSUER, "odile");

        assert_true(pass_of_round(books, &odile, "r2"));
        assert_false(pass_of_round(books, &paul, "r3")); /* without a team nobody's is his */
        strcpy(paul.team, "nord");
        assert_true(pass_of_round(books, &paul, "r1"));
        assert_false(pass_of_round(books, &paul, "r2"));
        assert_false(pass_of_round(books, &paul, "r3"));
        assert_false(pass_of_round(books, &paul, "r9"));
        assert_true(pass_of_carrier(books, &paul, "c1"));
        assert_false(pass_of_carrier(books, &paul, "c2"));
        assert_false(pass_of_carrier(books, &paul, ""));
        books_free(books);
}

static void test_who_still_gets_in(void **state)
{
        struct pass_entry pass = { .not_after_s = NOW_S + 4 * H };
        struct door_entry door = { .class = DOOR_NFC, .list_s = NOW_S - 10 };
        struct still still = still_at(&pass, &door, 48 * H, NOW_S);

        assert_int_equal(still.why, STILL_GOOD);
        assert_int_equal(still.until_s, NOW_S + 4 * H + 120);
        pass.revoked_at_s = NOW_S - 9;
        still = still_at(&pass, &door, 48 * H, NOW_S);
        assert_int_equal(still.why, STILL_UNHEARD);
        assert_int_equal(still.until_s, NOW_S + 4 * H + 120);
        still = still_at(&pass, &door, 2 * H, NOW_S); /* the list ends first */
        assert_int_equal(still.until_s, NOW_S - 9 + 2 * H);
        assert_int_equal(still_at(&pass, NULL, 2 * H, NOW_S).until_s, NOW_S - 9 + 2 * H);
        door.opens_degraded = true;
        still = still_at(&pass, &door, 2 * H, NOW_S);
        assert_int_equal(still.why, STILL_OPENS_OLD);
        assert_int_equal(still.until_s, NOW_S + 4 * H + 120);
        door.list_s = NOW_S - 9;
        still = still_at(&pass, &door, 48 * H, NOW_S);
        assert_int_equal(still.why, STILL_TOLD);
        assert_int_equal(still.until_s, 0);
        still = still_at(&pass, &door, 48 * H, NOW_S + 4 * H + 121);
        assert_int_equal(still.why, STILL_OVER);
        assert_int_equal(still.until_s, 0);
}

/* What pages ask again takes a tenth of the loop's time at most, and they are told once a second at most. */
static void test_tell_after(void **state)
{
        assert_int_equal(pass_tell_after_ms(0), PASS_TELL_MS);
        assert_int_equal(pass_tell_after_ms(100000), PASS_TELL_MS);
        assert_int_equal(pass_tell_after_ms(800000), 8000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_shift),           cmocka_unit_test(test_times),
                cmocka_unit_test(test_phone_and_round),   cmocka_unit_test(test_enrolled_anew),
                cmocka_unit_test(test_consent),           cmocka_unit_test(test_renewal),
                cmocka_unit_test(test_who_may),           cmocka_unit_test(test_teams),
                cmocka_unit_test(test_who_still_gets_in), cmocka_unit_test(test_another_carrier),
                cmocka_unit_test(test_tell_after),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
