#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/redis_trouble.h"

/* As Redis 7.0.15 says them. */
static void errors_have_a_word(void **state)
{
        static const struct {
                const char *error, *word;
        } rows[] = {
                { "OOM command not allowed when used memory > 'maxmemory'. script: 9c, on @user_script:32.",
                  "store_full" },
                { "READONLY You can't write against a read only replica.", "store_readonly" },
                { "MISCONF Errors writing to the AOF file: No space left on device", "store_readonly" },
                { "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                  "store_readonly" },
                { "it is no primary", "store_readonly" },
                { "LOADING Redis is loading the dataset in memory", "store_loading" },
                { "NOREPLICAS Not enough good replicas to write.", "store_alone" },
                { "WRONGPASS invalid username-password pair or user is disabled.", "store_login" },
                { "NOAUTH Authentication required.", "store_login" },
                { "NOPERM this user has no permissions to run the 'hset' command", "store_rights" },
                { "ERR The user executing the script can't run this command or subcommand", "store_rights" },
                { REDIS_OLDER, "store_older" },
                { "Connection refused", "store_away" },
                { "no answer in 2000 ms", "store_away" },
                { "the Sentinels do not agree who is alerts", "store_away" },
                { "", "store_away" },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                assert_string_equal(redis_trouble(rows[i].error), rows[i].word);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(errors_have_a_word) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
