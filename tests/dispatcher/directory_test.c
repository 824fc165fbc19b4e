/* Who there is: a supervisor's positions and duties, in whichever order they are heard of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/directory.h"
#include "geo/choose.h"
#include "geo/roster.h"

#define START_MS INT64_C(1790000000000)

struct fixture {
        struct directory directory;
        struct person *anna;
};

static void setup(struct fixture *f)
{
        static const struct supervisor_entry entry = { .name = "Anna" };

        *f = (struct fixture){ 0 };
        assert_int_equal(directory_init(&f->directory, 1), 0);
        assert_int_equal(directory_put_person(&f->directory, "anna", &entry), 0);
        f->anna = directory_person(&f->directory, "anna");
        assert_non_null(f->anna);
}

static void hear(struct fixture *f, int64_t after_ms)
{
        const struct presence presence = { .at_ms = START_MS + after_ms,
                                           .by = PRESENCE_HANDSET,
                                           .has_position = true,
                                           .at = { .lat_e7 = 457600000,
                                                   .lon_e7 = 48400000,
                                                   .at_s = (uint32_t)((START_MS + after_ms) / 1000) } };

        person_set_presence(&f->directory, f->anna, &presence);
}

static bool is_placed(const struct fixture *f)
{
        const struct supervisor *s = roster_find(f->directory.roster, "anna");

        return s->on_duty && s->has_fix;
}

static void test_position_before_its_duty(void **state)
{
        const struct duty_entry duty = { .since_ms = START_MS };
        struct fixture f;

        setup(&f);
        hear(&f, 20);
        assert_false(is_placed(&f));
        person_set_duty(&f.directory, f.anna, &duty);
        assert_true(is_placed(&f));
        directory_free(&f.directory);
}

static void test_position_of_the_duty_before(void **state)
{
        const struct duty_entry duty = { .since_ms = START_MS };
        struct fixture f;

        setup(&f);
        person_set_duty(&f.directory, f.anna, &duty);
        hear(&f, 5000);
        assert_true(is_placed(&f));
        person_set_duty(&f.directory, f.anna, NULL);
        hear(&f, 5000); /* told twice */
        hear(&f, 4000); /* told late */
        assert_false(f.anna->has_position);
        person_set_duty(&f.directory, f.anna, &duty);
        assert_false(is_placed(&f));
        hear(&f, 6000);
        assert_true(is_placed(&f));
        directory_free(&f.directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_position_before_its_duty),
                cmocka_unit_test(test_position_of_the_duty_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
