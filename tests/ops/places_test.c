/* Buildings from CSV and GeoJSON. */
#include "tests/geo/cmocka_first.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/vigie/places.h"

static struct places read;
static struct places_error error;

static int given(const char *text)
{
        char *copy = strdup(text);
        int r;

        places_free(&read);
        memset(&error, 0, sizeof(error));
        r = places_read(copy, strlen(copy), &read, &error);
        free(copy);
        return r;
}

static void test_csv(void **state)
{
        assert_int_equal(given("\xef\xbb\xbfname,address,lat,lon,sensitive,qr,caretaker,round,remark\r\n"
                               "Le Grand Hôtel,\"1, rue Grolée\",45.7612345,4.8367,oui,0,1,bellecour-3,x\r\n"
                               "\r\n"
                               "\"The \"\"B\"\"\nblock\", ,,,,,,,\n"),
                         -EBADMSG);
        assert_string_equal(error.text, "line 4: name: a control character in it");
        assert_int_equal(given("id,Nom,lat\t,lon,round\n00112233445566aa,\"a \"\"b\"\"\" x,1,2,\n"), -EBADMSG);
        assert_non_null(strstr(error.text, "something behind it"));
        assert_int_equal(given("reference,name\nPBD-17,x\n"), 0);
        assert_false(read.list[0].has_id);
        assert_string_equal(read.list[0].reference, "PBD-17");
        assert_int_equal(given("id,Nom,lat,lon,round\n00112233445566aa,\"a \"\"b\"\"\",-1,2.5,r1\n,c,,,"), 0);
        assert_int_equal(read.count, 2);
        assert_true(read.list[0].has_id);
        assert_int_equal(read.list[0].id[7], 0xaa);
        assert_string_equal(read.list[0].entry.name, "a \"b\"");
        assert_int_equal(read.list[0].entry.place.lat_e7, -10000000);
        assert_int_equal(read.list[0].entry.place.lon_e7, 25000000);
        assert_string_equal(read.list[0].round, "r1");
        assert_int_equal(read.list[0].entry.policy, PASS_ONE_WAY | PASS_CARETAKER);
        assert_false(read.list[1].has_id);
        assert_false(read.list[1].entry.has_place);
}

/* As a French spreadsheet writes it. */
static void test_semicolons_and_commas(void **state)
{
        assert_int_equal(
                given("nom;adresse;latitude;longitude;sensible;qr;gardien\nÉcole;2, place;45,76;4,83;oui;non;non\n"),
                0);
        assert_string_equal(read.list[0].entry.name, "École");
        assert_string_equal(read.list[0].entry.address, "2, place");
        assert_int_equal(read.list[0].entry.place.lat_e7, 457600000);
        assert_int_equal(read.list[0].entry.flags, BUILDING_SENSITIVE);
        assert_int_equal(read.list[0].entry.policy, 0);
}

static void test_geojson(void **state)
{
        assert_int_equal(
                given(" {\"type\":\"FeatureCollection\",\"features\":["
                      "{\"type\":\"Feature\",\"id\":\"0011223344556677\",\"properties\":{\"name\":\"A\",\"sensitive\":"
                      "true,\"qr\":0,"
                      "\"round\":\"r\"},\"geometry\":{\"type\":\"Point\",\"coordinates\":[4.8356590,45.7640430]}},"
                      "{\"type\":\"Feature\",\"properties\":{\"name\":\"B\"},\"geometry\":null}]}"),
                0);
        assert_int_equal(read.count, 2);
        assert_int_equal(read.list[0].id[1], 0x11);
        assert_int_equal(read.list[0].entry.place.lat_e7, 457640430);
        assert_int_equal(read.list[0].entry.place.lon_e7, 48356590);
        assert_int_equal(read.list[0].entry.flags, BUILDING_SENSITIVE);
        assert_int_equal(read.list[0].entry.policy, 0); /* a caretaker is shown a QR */
        assert_false(read.list[1].entry.has_place);
}

static void test_refused(void **state)
{
        static const char *const bad[][2] = {
                { "", "line 1: no line that names the columns" },
                { "address\nx\n", "no column `name`" },
                { "name,nom\na,b\n", "two columns name" },
                { "name\n\"a\n", "a quote that is not closed" },
                { "name,lat\na,1\n", "lat and lon: both, or none" },
                { "name,lat,lon\na,90.1,1\n", "line 2: lat '90.1': -90 to 90" },
                { "name,lat,lon\na,1,x\n", "lon 'x': -180 to 180" },
                { "name,lat,lon\na,1\n", "2 fields; the first line has 3" },
                { "name\n\xff\n", "name: not UTF-8" },
                { "name,address\n,x\n", "no name" },
                { "name,id\na,12\nb,12\n", "line 3: id 12 is that of line 2" },
                { "name,id\na,0011223344556677\nb,0011223344556677\n",
                  "line 3: id 0011223344556677 is that of line 2" },
                { "name,qr\na,perhaps\n", "qr 'perhaps': yes or no" },
                { "name,round\na,a b\n", "round 'a b'" },
                { "name\n12345678901234567890123456789012345678901234567890123456789012345\n",
                  "65 octets; at most 64" },
                { "{\"type\":\"Feature\"}", "no FeatureCollection" },
                { "{", "line 1: " },
                { "{\"features\":[{\"properties\":{\"name\":\"a\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":["
                  "]}}]}",
                  "feature 1: a building is a Point" },
                { "{\"features\":[{\"properties\":{\"name\":[]}}]}", "feature 1: name: too long, or neither" },
                { "{\"features\":[{\"properties\":{\"a\":1,\"a\":2}}]}", "duplicate" },
                { "{\"features\":[3]}", "feature 1: no name" },
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_int_equal(given(bad[i][0]), -EBADMSG);
                if (strstr(error.text, bad[i][1]) == NULL)
                        fail_msg("%s: %s", bad[i][0], error.text);
        }
}

static void test_bounds(void **state)
{
        char *text = malloc(64 + 2 * (PLACES_MAX + 1)), *at = text;

        at += sprintf(at, "name\n");
        for (int i = 0; i < PLACES_MAX; i++)
                at += sprintf(at, "a\n");
        assert_int_equal(given(text), 0);
        assert_int_equal(read.count, PLACES_MAX);
        sprintf(at, "a\n");
        assert_int_equal(given(text), -EFBIG);
        assert_non_null(strstr(error.text, "more than 20000 buildings"));
        free(text);
        text = malloc(PLACES_TEXT_MAX + 2);
        memset(text, 'a', PLACES_TEXT_MAX + 1);
        text[PLACES_TEXT_MAX + 1] = 0;
        assert_int_equal(given(text), -EFBIG);
        memset(text, ',', 2 * PLACES_COLUMNS);
        text[PLACES_COLUMNS] = 0;
        assert_int_equal(given(text), -EBADMSG);
        assert_non_null(strstr(error.text, "more than 64 columns"));
        free(text);
        places_free(&read);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_csv),     cmocka_unit_test(test_semicolons_and_commas),
                cmocka_unit_test(test_geojson), cmocka_unit_test(test_refused),
                cmocka_unit_test(test_bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
