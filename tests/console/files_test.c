#include "tests/console/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "console/files.h"
#include "console/outline.h"
#include "tests/base/folder.h"

static char folder[FOLDER_PATH], path[160];

static void write_file(const char *name, const char *text)
{
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        assert_int_equal(file_write(path, text, strlen(text), 0600), 0);
}

static void forget(const char *name)
{
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        remove(path);
}

static int setup(void **state)
{
        folder_fresh(folder);
        return 0;
}

static int teardown(void **state)
{
        static const char *const names[] = { "index.html", "text/fr.json", ".secret.json", "key.pem",
                                             "a.geojson",  "b.geojson",    "text" };

        for (size_t i = 0; i < COUNT(names); i++)
                forget(names[i]);
        return rmdir(folder);
}

static void test_only_known_files_by_exact_path(void **state)
{
        struct files *files;
        const struct file *file;
        static const char *const absent[] = { "/key.pem",     "/.secret.json",       "/text",      "/text/",
                                              "//index.html", "/text/../index.html", "index.html", "",
                                              "/INDEX.HTML",  "/text/fr.json/" };

        assert_int_equal(files_load(folder, &files), -ENOENT);
        write_file("index.html", "<!doctype html>");
        write_file("key.pem", "secret");
        write_file(".secret.json", "{}");
        snprintf(path, sizeof(path), "%s/text", folder);
        assert_int_equal(mkdir(path, 0700), 0);
        write_file("text/fr.json", "{}");
        assert_int_equal(files_load(folder, &files), 0);
        file = files_find(files, "/");
        assert_non_null(file);
        assert_string_equal(file->type, "text/html; charset=utf-8");
        assert_int_equal(file->len, 15);
        assert_ptr_equal(file, files_find(files, "/index.html"));
        assert_string_equal(files_find(files, "/text/fr.json")->type, "application/json");
        for (size_t i = 0; i < COUNT(absent); i++)
                if (files_find(files, absent[i]) != NULL)
                        fail_msg("%s", absent[i]);
        files_free(files);
        files_free(NULL);
}

#define SQUARE "[[[0,0],[1,0],[1,1],[0,1],[0,0]]]"
#define ZONE(id, type, shape)                                                                \
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"" id "\",\"name\":\"Z\xc3\xb4ne " id \
        "\"},\"geometry\":{\"type\":\"" type "\",\"coordinates\":" shape "}}"

static void test_outlines(void **state)
{
        struct outline outline;
        struct geo_error error;
        json_t *json, *zones;

        assert_int_equal(outline_load("", &outline, &error), 0);
        assert_null(outline.zones);
        assert_string_equal(outline.json, "{\"zones\":[],\"ids\":[]}");
        outline_free(&outline);
        assert_int_equal(outline_load(folder, &outline, &error), -ENOENT);
        write_file("a.geojson", "{\"type\":\"FeatureCollection\",\"features\":[" ZONE(
                                        "a", "MultiPolygon", "[" SQUARE ",[[[3,3],[4,3],[4,4],[3,3]]]]") "]}");
        write_file("b.geojson", ZONE("b", "Polygon", "[[[10,10],[11,10],[11,11],[10,10]]]"));
        assert_int_equal(outline_load(folder, &outline, &error), 0);
        assert_int_equal(zones_count(outline.zones), 2);
        json = json_loads(outline.json, 0, NULL);
        zones = json_object_get(json, "zones");
        assert_int_equal(json_array_size(zones), 2);
        assert_int_equal(json_array_size(json_object_get(json_array_get(zones, 0), "shape")), 2);
        assert_string_equal(test_text(json_array_get(zones, 1), "name"), "Z\xc3\xb4ne b");
        assert_int_equal(json_array_size(json_object_get(json, "ids")), 2);
        assert_string_equal(test_text(json_array_get(json_object_get(json, "ids"), 0), "id"), "a");
        assert_string_equal(test_text(json_array_get(json_object_get(json, "ids"), 0), "name"), "Z\xc3\xb4ne a");
        json_t *ring = json_array_get(json_array_get(json_object_get(json_array_get(zones, 1), "shape"), 0), 0);
        assert_int_equal(json_array_size(ring), 4);
        assert_true(json_number_value(json_array_get(json_array_get(ring, 1), 0)) ==
                    10); /* latitude first, as Leaflet wants it */
        assert_true(json_number_value(json_array_get(json_array_get(ring, 1), 1)) == 11);
        json_decref(json);
        outline_free(&outline);
        write_file("b.geojson", ZONE("b", "Polygon", "[[[10,10],[11,11],[11,10],[10,11],[10,10]]]"));
        assert_int_equal(outline_load(folder, &outline, &error), -EBADMSG);
        assert_non_null(strstr(error.text, "b"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_only_known_files_by_exact_path, setup, teardown),
                cmocka_unit_test_setup_teardown(test_outlines, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
