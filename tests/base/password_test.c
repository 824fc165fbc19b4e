#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/password.h"

#define KNOWN                                             \
        "scrypt$15$8$1$000102030405060708090a0b0c0d0e0f$" \
        "5c662628ac4eb1068a287e2aa2a202ae248e98db04d61d3327e7342db6ec7097"

static void verifies_what_it_hashed(void **state)
{
        char text[PASSWORD_TEXT_SIZE], again[PASSWORD_TEXT_SIZE];
        bool match = false;

        assert_int_equal(password_hash("1234", 4, text), 0);
        assert_int_equal(strlen(text), PASSWORD_TEXT_SIZE - 1);
        assert_memory_equal(text, "scrypt$15$8$1$", 14);
        assert_int_equal(password_hash("1234", 4, again), 0);
        assert_string_not_equal(text, again);
        assert_int_equal(password_verify("1234", 4, text, &match), 0);
        assert_true(match);
        assert_int_equal(password_verify("1235", 4, text, &match), 0);
        assert_false(match);
        assert_int_equal(password_verify("123", 3, text, &match), 0);
        assert_false(match);
}

/* Made by another program (Python's hashlib.scrypt): the text form is what it says. */
static void knows_a_hash_made_elsewhere(void **state)
{
        bool match = false;

        assert_int_equal(password_verify("correct horse", 13, KNOWN, &match), 0);
        assert_true(match);
}

static void length_is_bounded(void **state)
{
        char text[PASSWORD_TEXT_SIZE], longest[PASSWORD_MAX + 1];
        bool match = true;

        memset(longest, 'x', sizeof(longest));
        assert_int_equal(password_hash(longest, 0, text), -EINVAL);
        assert_int_equal(password_hash(longest, PASSWORD_MAX + 1, text), -EINVAL);
        assert_int_equal(password_hash(longest, PASSWORD_MAX, text), 0);
        assert_int_equal(password_verify(longest, PASSWORD_MAX, text, &match), 0);
        assert_true(match);
        assert_int_equal(password_verify(longest, PASSWORD_MAX + 1, text, &match), 0);
        assert_false(match);
        assert_int_equal(password_verify("", 0, text, &match), 0);
        assert_false(match);
}

static void other_texts_are_refused(void **state)
{
        char text[PASSWORD_TEXT_SIZE + 8] = "";
        bool match;

        assert_int_equal(password_verify("x", 1, "", &match), -EBADMSG);
        assert_int_equal(password_verify("x", 1, "x", &match), -EBADMSG);
        strcpy(text, KNOWN);
        text[8] = '4'; /* another N */
        assert_int_equal(password_verify("x", 1, text, &match), -EBADMSG);
        strcpy(text, KNOWN);
        text[20] = 'g';
        assert_int_equal(password_verify("x", 1, text, &match), -EBADMSG);
        strcpy(text, KNOWN);
        text[14 + 32] = 'a';
        assert_int_equal(password_verify("x", 1, text, &match), -EBADMSG);
        strcpy(text, KNOWN);
        strcat(text, "0");
        assert_int_equal(password_verify("x", 1, text, &match), -EBADMSG);
        text[strlen(text) - 2] = '\0';
        assert_int_equal(password_verify("x", 1, text, &match), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(verifies_what_it_hashed),
                cmocka_unit_test(knows_a_hash_made_elsewhere),
                cmocka_unit_test(length_is_bounded),
                cmocka_unit_test(other_texts_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
