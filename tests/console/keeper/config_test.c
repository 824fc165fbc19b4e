#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/keeper/config.h"
#include "tests/base/man_page.h"

static void man_page(void **state)
{
        man_page_check("ops/man/vigie-keeper.8", config_table());
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(man_page) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
