/* How much is under way at once. */
#include "console/pass_inside.h"

#include "tests/console/support.h"

static void test_the_bound(void **state)
{
        struct pass_desk desk = { 0 };
        struct job *jobs[PASS_JOBS_MAX];

        for (unsigned i = 0; i < PASS_JOBS_MAX; i++)
                assert_non_null(jobs[i] = job_new(&desk, NULL, NULL));
        assert_null(job_new(&desk, NULL, NULL)); /* the page is told `busy` */
        assert_int_equal(desk.jobs, PASS_JOBS_MAX);
        job_end(jobs[7], CODE_DONE);
        assert_non_null(jobs[7] = job_new(&desk, NULL, NULL));
        for (unsigned i = 0; i < PASS_JOBS_MAX; i++)
                job_end(jobs[i], CODE_AWAY);
        assert_int_equal(desk.jobs, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_bound) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
