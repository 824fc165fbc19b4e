/* Error numbers to kinds: each range at its edges, what lies between, and every kind that the page has a sentence for. */
#include "device/handset/host/cms.h"

#include "tests/device/handset/host/support.h"

static void kinds(void **state)
{
        static const struct {
                unsigned code;
                const char *name;
        } cases[] = {
                { 0, "no_answer" }, { 1, "number" },    { 2, "modem" },     { 8, "refused" },   { 10, "refused" },
                { 21, "refused" },  { 27, "network" },  { 28, "number" },   { 30, "refused" },  { 38, "network" },
                { 42, "network" },  { 47, "network" },  { 48, "modem" },    { 50, "refused" },  { 69, "refused" },
                { 127, "network" }, { 128, "refused" }, { 208, "network" }, { 255, "network" }, { 256, "modem" },
                { 300, "modem" },   { 310, "sim" },     { 316, "sim" },     { 322, "modem" },   { 330, "number" },
                { 331, "network" }, { 332, "network" }, { 333, "modem" },   { 500, "modem" },   { 65535, "modem" }
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_string_equal(cms_name(cases[i].code), cases[i].name);
}

static void from_the_modem(void **state)
{
        assert_int_equal(cms_from_cme(10), CMS_NO_SIM);
        assert_int_equal(cms_from_cme(11), CMS_SIM_PIN);
        assert_int_equal(cms_from_cme(12), CMS_SIM_PUK);
        assert_int_equal(cms_from_cme(30), CMS_NO_NETWORK);
        assert_int_equal(cms_from_cme(0), CMS_UNKNOWN);
        assert_int_equal(cms_from_cme(148), CMS_UNKNOWN);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(kinds), cmocka_unit_test(from_the_modem) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
