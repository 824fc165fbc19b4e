#include "tests/device/handset/host/support.h"

#include "base/password.h"
#include "device/handset/host/pin.h"

struct seen {
        bool told;
        unsigned times;
        enum vigie_pin verdict;
};

static void checked(void *user, enum vigie_pin verdict)
{
        struct seen *seen = user;

        seen->told = true;
        seen->times++;
        seen->verdict = verdict;
}

static char pin_text[PASSWORD_TEXT_SIZE], duress_text[PASSWORD_TEXT_SIZE];

static int hash_both(void **state)
{
        return password_hash("2468", 4, pin_text) < 0 || password_hash("9713", 4, duress_text) < 0;
}

static enum vigie_pin verdict_of(const char *hash, const char *duress, const char *text)
{
        struct seen seen = { 0 };
        struct loop *loop;
        struct pin *pin;

        assert_int_equal(loop_open(&loop), 0);
        struct pin_options options = { loop, hash, duress, &seen, checked };
        assert_int_equal(pin_open(&options, &pin), 0);
        assert_int_equal(pin_check(pin, text), 0);
        assert_false(seen.told); /* never from within the call */
        assert_true(spin(loop, &seen.told));
        assert_int_equal(seen.times, 1);
        pin_close(pin);
        assert_int_equal(loop_close(loop), 0);
        return seen.verdict;
}

static void verdicts(void **state)
{
        assert_int_equal(verdict_of(pin_text, duress_text, "2468"), VIGIE_PIN_RIGHT);
        assert_int_equal(verdict_of(pin_text, duress_text, "9713"), VIGIE_PIN_DURESS);
        assert_int_equal(verdict_of(pin_text, duress_text, "2469"), VIGIE_PIN_WRONG);
        assert_int_equal(verdict_of(pin_text, duress_text, ""), VIGIE_PIN_WRONG);
        assert_int_equal(verdict_of(pin_text, "", "2468"), VIGIE_PIN_RIGHT);
        assert_int_equal(verdict_of(pin_text, "", "9713"), VIGIE_PIN_WRONG);
}

/* Where none is set no PIN fits: not even the one that the stand-in's zeros might be taken for. */
static void none_set(void **state)
{
        assert_int_equal(verdict_of("", "", "2468"), VIGIE_PIN_WRONG);
        assert_int_equal(verdict_of("", "", ""), VIGIE_PIN_WRONG);
        assert_int_equal(verdict_of("nonsense", "nonsense", "2468"), VIGIE_PIN_WRONG);
}

static void one_at_a_time(void **state)
{
        struct seen seen = { 0 };
        struct loop *loop;
        struct pin *pin;

        assert_int_equal(loop_open(&loop), 0);
        struct pin_options options = { loop, pin_text, duress_text, &seen, checked };
        assert_int_equal(pin_open(&options, &pin), 0);
        assert_int_equal(pin_check(pin, "1234567890123456"), -EINVAL);
        assert_int_equal(pin_check(pin, "2468"), 0);
        assert_int_equal(pin_check(pin, "9713"), -EBUSY);
        assert_true(spin(loop, &seen.told));
        assert_int_equal(seen.verdict, VIGIE_PIN_RIGHT);
        assert_int_equal(pin_check(pin, "9713"), 0);
        pin_close(pin); /* while it is being checked: not told any more */
        turn(loop, 2000); /* scrypt twice, on a busy machine: the loop waits for it 1 s */
        assert_int_equal(loop_close(loop), 0);
        assert_int_equal(seen.times, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(verdicts),
                cmocka_unit_test(none_set),
                cmocka_unit_test(one_at_a_time),
        };

        return cmocka_run_group_tests(tests, hash_both, NULL);
}
