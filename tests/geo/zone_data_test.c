/* The real communes of a department, and the same with one thing broken. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/zone.h"
#include "tests/geo/cmocka_first.h"

#define COMMUNES "../shared/data/zones/communes-69-rhone.geojson"

static json_t *load(void)
{
        json_t *root = json_load_file(COMMUNES, 0, NULL);

        if (root == NULL) {
                print_message("skip: %s is not there\n", COMMUNES);
                skip();
        }
        return root;
}

static int read_json(json_t *root, struct zones **ret_zones, struct geo_error *ret_error)
{
        char *text = json_dumps(root, JSON_COMPACT);
        int r = zones_read(text, strlen(text), ret_zones, ret_error);

        free(text);
        return r;
}

static void test_all_load(void **state)
{
        static const struct {
                struct position at;
                const char *name;
        } places[] = {
                { { 45.7578, 4.8320 }, "Lyon" },
                { { 45.7676, 4.8344 }, "Lyon" },
                { { 45.7719, 4.8902 }, "Villeurbanne" },
                { { 45.6963, 4.8863 }, "V\xc3\xa9nissieux" },
                { { 45.9892, 4.7190 }, "Villefranche-sur-Sa\xc3\xb4ne" },
        };
        json_t *root = load();
        struct zones *zones = NULL;
        struct geo_error error = { "" };
        const struct zone *lyon, *found[ZONES_AT_MAX];
        size_t count;

        assert_int_equal(read_json(root, &zones, &error), 0);
        assert_int_equal(zones_count(zones), json_array_size(json_object_get(root, "features")));
        for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
                assert_int_equal(zones_at(zones, &places[i].at, ZONES_AT_MAX, found, &count), 0);
                assert_int_equal(count, 1);
                assert_string_equal(found[0]->name, places[i].name);
        }
        assert_int_equal(zones_at(zones, &(struct position){ 48.8566, 2.3522 }, ZONES_AT_MAX, found, &count), 0);
        assert_int_equal(count, 0);
        lyon = zones_find(zones, "69123");
        assert_string_equal(lyon->name, "Lyon");
        assert_int_equal(lyon->neighbour_count, 16);
        assert_string_equal(lyon->neighbours[0]->name, "Bron");
        zones_free(zones);
        json_decref(root);
}

enum breakage { OPEN_RING, BOW_TIE, LATITUDE, TOO_FEW, SAME_ID, NO_RING, TEXT_POINT, BREAKAGES };

/* Break the outline of feature K, whose first ring has COUNT positions. */
static const char *break_ring(enum breakage how, json_t *rings, json_t *ring, size_t count)
{
        json_t *far = json_incref(json_array_get(ring, count / 2));

        switch (how) {
        case OPEN_RING:
                json_array_remove(ring, count - 1);
                break;
        case BOW_TIE: /* the second position and one half way round change places */
                json_array_set(ring, count / 2, json_array_get(ring, 1));
                json_array_set(ring, 1, far);
                break;
        case LATITUDE:
                json_array_set_new(far, 1, json_real(90.5));
                break;
        case TOO_FEW:
                while (json_array_size(ring) > 3)
                        json_array_remove(ring, 1);
                break;
        case NO_RING:
                json_array_clear(rings);
                break;
        case TEXT_POINT:
                json_array_set_new(far, 0, json_string("4.8"));
                break;
        default:
                break;
        }
        json_decref(far);
        return (const char *[]){ "not closed",          "Self-intersection", "latitude 90.5",  "fewer than 4",
                                 "id 69123 is already", "one ring or more",  "list of numbers" }[how];
}

static void test_broken_ones_refused(void **state)
{
        static const size_t features[] = { 0, 17, 277 };

        for (int how = 0; how < BREAKAGES; how++)
                for (size_t i = 0; i < 3; i++) {
                        json_t *root = load();
                        json_t *feature = json_array_get(json_object_get(root, "features"), features[i]);
                        json_t *properties = json_object_get(feature, "properties");
                        json_t *rings = json_object_get(json_object_get(feature, "geometry"), "coordinates");
                        json_t *ring = json_array_get(rings, 0);
                        const char *says = break_ring(how, rings, ring, json_array_size(ring));
                        struct zones *zones = NULL;
                        struct geo_error error = { "" };
                        char named[200];

                        if (how == SAME_ID && features[i] > 0)
                                json_object_set_new(properties, "code", json_string("69123"));
                        snprintf(named, sizeof(named), "feature %zu (%s): ", features[i],
                                 json_string_value(json_object_get(properties, "nom")));
                        assert_int_equal(read_json(root, &zones, &error), how == SAME_ID && i == 0 ? 0 : -EBADMSG);
                        if (zones == NULL && (strstr(error.text, named) != error.text || !strstr(error.text, says)))
                                fail_msg("says:   %s\nwanted: %s%s", error.text, named, says);
                        zones_free(zones);
                        json_decref(root);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_load),
                cmocka_unit_test(test_broken_ones_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
