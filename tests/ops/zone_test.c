#include "tests/ops/place.h"

#define SQUARE(x) \
        "{\"type\": \"Polygon\", \"coordinates\": [[[" #x ",0],[" #x ".9,0],[" #x ".9,1],[" #x ",1],[" #x ",0]]]}"
#define ZONE(properties, x) "{\"type\": \"Feature\", \"properties\": " properties ", \"geometry\": " SQUARE(x) "}"
#define ALL(features)       "{\"type\": \"FeatureCollection\", \"features\": [" features "]}"

/* Import TEXT; gives the exit status. */
static int import(struct place *p, const char *what, const char *text)
{
        char path[256];

        place_put(p, "file.geojson", text, strlen(text));
        return VIGIE(p, what, "import", place_path(p, "file.geojson", path));
}

/* `zone list` shows this. */
static void assert_list(struct place *p, const char *wanted)
{
        assert_int_equal(VIGIE(p, "zone", "list"), 0);
        assert_string_equal(p->out, wanted);
}

#define ROW(id, name) id "\t" name "\tteams=0\tneighbours=0\t\n"

static void test_import_adds_and_replaces(void **state)
{
        struct place *p = *state;

        assert_list(p, "");
        assert_int_equal(
                import(p, "zone", ALL(ZONE("{\"id\": \"b\", \"name\": \"Bé\"}", 2) "," ZONE("{\"code\": 69123}", 4))),
                0);
        assert_memory_equal(p->out, "2 zones", 7);
        assert_list(p, ROW("69123", "69123") ROW("b", "Bé"));
        assert_int_equal(import(p, "zone", ZONE("{\"id\": \"b\", \"nom\": \"Other\"}", 6)), 0); /* one Feature alone */
        assert_list(p, ROW("69123", "69123") ROW("b", "Other"));
        assert_int_equal(import(p, "zone",
                                "\xef\xbb\xbf" ALL(ZONE("{\"id\": \"69123\", \"nom\": \"Lyon\"}",
                                                        4) "," ZONE("{\"name\": \"named\"}", 8))),
                         0); /* a byte order mark */
        assert_list(p, ROW("69123", "Lyon") ROW("b", "Other") ROW("named", "named"));
        assert_int_equal(import(p, "zone", ALL(ZONE("{\"name\": \"named\", \"no_coverage\": true}", 8))), 0);
        assert_int_equal(VIGIE(p, "zone", "remove", "b"), 0);
        assert_list(p, ROW("69123", "Lyon") "named\tnamed\tteams=0\tneighbours=0\tno coverage\n");
        REFUSED(p, 1, "zones: there is no b", "zone", "remove", "b");
        REFUSED(p, 2, "usage: vigie zone remove ID", "zone", "remove");
}

static void test_coordinates_come_back_as_they_were(void **state)
{
        struct place *p = *state;
        char text[4096];

        assert_int_equal(import(p, "zone",
                                "{\"type\": \"Feature\", \"properties\": {\"id\": \"a\"}, \"geometry\": {\"type\": "
                                "\"Polygon\", \"coordinates\": [[[-179.1234567,0.1],[-178.5,0],[-178.5,1],"
                                "[-179.1234567,0.1]]]}}"),
                         0);
        place_get(p, "region/zones.geojson", text, sizeof(text));
        assert_non_null(strstr(text, "[[[-179.1234567,0.1],[-178.5,0],[-178.5,1],[-179.1234567,0.1]]]"));
        assert_int_equal(place_mode(p, "region/zones.geojson"), 0644);
}

static void test_refused_import_changes_nothing(void **state)
{
        static const struct {
                const char *text, *rule;
        } cases[] = {
                { "", "file.geojson: " },
                { "{", "file.geojson: " },
                { ALL(ZONE("{\"id\": \"b\"}", 2) "," ZONE("{\"id\": \"b\"}", 4)), "file.geojson: " },
                { ALL(ZONE("{\"id\": \"b\"}", 2) "," ZONE("{}", 4)),
                  "file.geojson: feature 1 has no id, code or name" },
                { ALL(ZONE("{\"name\": \"Bow\"}",
                           2) ",{\"type\": \"Feature\", \"properties\": {\"name\": \"Bow tie\"}, "
                              "\"geometry\": {\"type\": \"Polygon\", \"coordinates\": "
                              "[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}}"),
                  "file.geojson: feature 1 (Bow tie): " },
                { ALL("{\"type\": \"Feature\", \"properties\": {\"name\": \"\\u001b\\u202e\"}, \"geometry\": "
                      "{\"type\": "
                      "\"Point\", \"coordinates\": [0,0]}}"),
                  "file.geojson: feature 0 (?\\u{202e}): " },
        };
        struct place *p = *state;

        assert_int_equal(import(p, "zone", ALL(ZONE("{\"id\": \"a\"}", 0))), 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                assert_int_equal(import(p, "zone", cases[i].text), 1);
                if (strstr(p->err, cases[i].rule) == NULL)
                        assert_string_equal(p->err, cases[i].rule);
                assert_list(p, ROW("a", "a"));
        }
        REFUSED(p, 1, "none: No such file", "zone", "import", "none");
}

/* A large real file goes in twice. */
static void test_communes(void **state)
{
        static const char path[] = "../shared/data/zones/communes-69-rhone.geojson";
        struct place *p = *state;

        if (access(path, R_OK) < 0) {
                printf("skip: %s is not there\n", path);
                skip();
        }
        for (int i = 0; i < 2; i++) {
                assert_int_equal(VIGIE(p, "zone", "import", path), 0);
                assert_memory_equal(p->out, "278 zones", 9);
        }
        assert_int_equal(VIGIE(p, "zone", "list"), 0);
        assert_non_null(strstr(p->out, "69123\tLyon\t"));
}

static void test_barriers(void **state)
{
        static const char line[] =
                "{\"type\": \"Feature\", \"properties\": {\"name\": \"Rhône\", \"penalty\": 2}, \"geometry\": "
                "{\"type\": \"LineString\", \"coordinates\": [[4.8,45.7],[4.9,45.8]]}}";
        struct place *p = *state;
        char text[4096];

        assert_int_equal(import(p, "barrier", line), 0);
        assert_memory_equal(p->out, "1 barriers", 10);
        place_get(p, "region/barriers.geojson", text, sizeof(text));
        assert_string_equal(text, line);
        assert_int_equal(import(p, "barrier", ALL(ZONE("{\"name\": \"Z\"}", 0))), 1);
        assert_non_null(strstr(p->err, "file.geojson: feature 0 (Z): "));
        place_get(p, "region/barriers.geojson", text, sizeof(text));
        assert_string_equal(text, line);
        REFUSED(p, 1, "none: No such file", "barrier", "import", "none");
        REFUSED(p, 2, "usage: vigie barrier import", "barrier");
}

#define WITH_REGION(test) cmocka_unit_test_setup_teardown(test, place_open_region, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_REGION(test_import_adds_and_replaces),
                WITH_REGION(test_coordinates_come_back_as_they_were),
                WITH_REGION(test_refused_import_changes_nothing),
                WITH_REGION(test_communes),
                WITH_REGION(test_barriers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
