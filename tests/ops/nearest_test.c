/* vigie nearest as it is called: files in, words on the command line, JSON or a mistake out. */
#include "ops/vigie/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/vigie/roster_csv.h"
#include "tests/base/folder.h"
#include "tests/geo/cmocka_first.h"

#define HEAD      "id,lat,lon,fix_age_s,on_duty,busy\n"
#define AT        "45.75,4.85"
#define WORDS_MAX 12

static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"code\":\"69123\","
        "\"nom\":\"Lyon\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
        "[[[4.7,45.7],[4.9,45.7],[4.9,45.8],[4.7,45.8],[4.7,45.7]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"id\":\"north\",\"teams\":[\"n\"]},\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[4.7,46.7],[4.9,46.7],[4.9,46.8],[4.7,46.8],[4.7,46.7]]]}}]}";
static const char river[] =
        "{\"type\":\"Feature\",\"properties\":{\"penalty\":10},\"geometry\":{\"type\":\"LineString\","
        "\"coordinates\":[[4.8505,45],[4.8505,46]]}}";

struct fixture {
        char folder[FOLDER_PATH], zones[96], roster[96], barriers[96], out[96], err[96];
        char said[20000], complained[2000];
        int status;
};

static void file_put(const char *path, const char *text, size_t length)
{
        FILE *f = fopen(path, "wb");

        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, length, f), length);
        fclose(f);
}

static void file_get(const char *path, char *to, size_t size)
{
        FILE *f = fopen(path, "rb");

        assert_non_null(f);
        to[fread(to, 1, size - 1, f)] = '\0';
        fclose(f);
}

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        folder_fresh(f->folder);
        snprintf(f->zones, sizeof(f->zones), "%s/zones", f->folder);
        snprintf(f->roster, sizeof(f->roster), "%s/roster", f->folder);
        snprintf(f->barriers, sizeof(f->barriers), "%s/barriers", f->folder);
        snprintf(f->out, sizeof(f->out), "%s/out", f->folder);
        snprintf(f->err, sizeof(f->err), "%s/err", f->folder);
        file_put(f->zones, zones, strlen(zones));
        file_put(f->barriers, river, strlen(river));
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        unlink(f->zones);
        unlink(f->roster);
        unlink(f->barriers);
        unlink(f->out);
        unlink(f->err);
        rmdir(f->folder);
        free(f);
        return 0;
}

/* Point descriptor FD at the file PATH; returns what it was. */
static int redirect(FILE *stream, int fd, const char *path)
{
        int was, file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

        fflush(stream);
        was = dup(fd);
        dup2(file, fd);
        close(file);
        return was;
}

static void restore(FILE *stream, int fd, int was)
{
        fflush(stream);
        dup2(was, fd);
        close(was);
}

/* Run with WORDS after the name, up to a NULL. */
static void run_words(struct fixture *f, const char *const *words)
{
        char *argv[WORDS_MAX + 2] = { "nearest" };
        int argc = 1, out, err;

        for (; words[argc - 1] != NULL; argc++)
                argv[argc] = (char *)words[argc - 1];
        out = redirect(stdout, 1, f->out);
        err = redirect(stderr, 2, f->err);
        f->status = nearest_main(argc, argv);
        restore(stdout, 1, out);
        restore(stderr, 2, err);
        file_get(f->out, f->said, sizeof(f->said));
        file_get(f->err, f->complained, sizeof(f->complained));
}

static void run(struct fixture *f, const char *roster, const char *at)
{
        file_put(f->roster, roster, strlen(roster));
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", at, NULL });
}

/* "a b | c: busy": the answer's ids and reasons. */
static const char *answered(const struct fixture *f)
{
        static char words[4000];
        json_t *json = json_loads(f->said, JSON_REJECT_DUPLICATES, NULL), *one;
        char *end = words;
        size_t i;

        if (f->status != 0 || json == NULL)
                fail_msg("status %d: %s%s", f->status, f->complained, f->said);
        json_array_foreach(json_object_get(json, "chosen"), i, one) end +=
                sprintf(end, "%s ", json_string_value(json_object_get(one, "id")));
        end += sprintf(end, "|");
        json_array_foreach(json_object_get(json, "passed_over"), i, one) end +=
                sprintf(end, " %s: %s", json_string_value(json_object_get(one, "id")),
                        json_string_value(json_object_get(one, "reason")));
        json_decref(json);
        return words;
}

static void test_answer(void **state)
{
        struct fixture *f = *state;
        json_t *json, *chosen;

        run(f,
            HEAD "a,45.75,4.851,600,1,0\nb,45.75,4.852,601,true,false\nc,,,,TRUE,0\nd,45.75,4.8501,0,0,0\n"
                 "e,45.75,4.86,1.5,1,1\nf,45.75,4.87,0,1,0\n",
            AT);
        assert_string_equal(answered(f), "a f b | d: off duty e: busy c: no fix");
        json = json_loads(f->said, 0, NULL);
        chosen = json_object_get(json, "chosen");
        assert_string_equal(json_string_value(json_object_get(json, "zone")), "69123");
        assert_string_equal(
                json_string_value(json_object_get(json_array_get(json_object_get(json, "zones"), 0), "name")), "Lyon");
        assert_true(fabs(json_real_value(json_object_get(json_array_get(chosen, 0), "distance_m")) - 77.83) < 0.1);
        assert_true(json_is_real(json_object_get(json_array_get(json_object_get(json, "passed_over"), 0), "about_m")));
        assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "passed_over"), 2), "about_m")));
        json_decref(json);

        run(f, HEAD "c,,,,1,0\n", "-45.75,-4.85"); /* in no zone, nobody with a fix */
        assert_string_equal(answered(f), "c |");
        assert_non_null(strstr(f->said, "\"zone\": null"));
        assert_non_null(strstr(f->said, "\"distance_m\": null"));
        run(f, HEAD, AT);
        assert_string_equal(answered(f), "|");
}

static void test_csv_forms(void **state)
{
        static const struct {
                const char *roster, *expected;
        } cases[] = {
                { "\xef\xbb\xbf"
                  "busy,on_duty,fix_age_s,lon,lat,id,note\r\n0,1,5,4.851,45.75,a,\"x, \"\"y\"\"\r\nz\"\r\n",
                  "a |" },
                { "\"id\",\"lat\",\"lon\",\"fix_age_s\",\"on_duty\",\"busy\"\n\"a\",\"45.75\",\"4.851\",\"5\",\"1\","
                  "\"0\"",
                  "a |" },
                { "id, lat ,lon,fix_age_s,on_duty,busy\n\n a , 45.75,4.851\t,5,1,0\r\n\r\n", "a |" },
                { "id,lat,lon,fix_age_s,on_duty,busy,team,reachable,phone\na,45.75,4.851,5,1,0,x,0,+33\n"
                  "b,45.75,4.852,5,1,0,,,\nc,45.75,4.853,5,1,0,n,1,\n",
                  "b c | a: unreachable" },
                { HEAD "a,+45.75,.4851e1,5,1,0\nb,45.75,4.85,,1,0\n", "a b |" },
                { HEAD "a,45.75,4.851,600,1,0\nb,45.75,4.8505,600.0001,1,0\nB,45.75,4.851,600,1,0\n", "B a b |" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                run(*state, cases[i].roster, AT);
                assert_string_equal(answered(*state), cases[i].expected);
        }
        run(*state, "id,lat,lon,fix_age_s,on_duty,busy,team\na,46.75,4.85,5,1,0,x\nb,46.75,4.86,5,1,0,n\n",
            "46.75,4.85");
        assert_string_equal(answered(*state), "b | a: not allowed in zone");
}

static void test_roster_refused(void **state)
{
        static const struct {
                const char *roster, *says;
        } cases[] = {
                { "", "line 1: no line that names the columns" },
                { "id,lat,lon,fix_age_s,on_duty\n", "line 1: no column busy" },
                { "id,lat,lon,fix_age_s,on_duty,busy,id\n", "line 1: two columns id" },
                { HEAD "a,45,4,5,1\n", "line 2: 5 fields, and 6 columns" },
                { HEAD "a,45,4,5,1,0,0\n", "line 2: 7 fields, and 6 columns" },
                { HEAD "a,45,4,5,1,0\n\r\na,45,4,5,1,0\n", "line 4: id a is already that of line 2" },
                { HEAD "a,91,4,5,1,0\n", "line 2: lat is no number of -90 to 90" },
                { HEAD "a,NaN,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,inf,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,0x10,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,4 5,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,1e999,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,45,180.1,5,1,0\n", "line 2: lon is no number of -180 to 180" },
                { HEAD "a,45,,5,1,0\n", "line 2: lon is no number" },
                { HEAD "a,,4,5,1,0\n", "line 2: lat is no number" },
                { HEAD "a,45,4,-1,1,0\n", "line 2: fix_age_s is no number of 0" },
                { HEAD "a,45,4,5,yes,0\n", "line 2: on_duty is none of 0, 1, true, false" },
                { HEAD "a,45,4,5,,0\n", "line 2: on_duty is none" },
                { HEAD "a,45,4,5,1,2\n", "line 2: busy is none" },
                { HEAD ",45,4,5,1,0\n", "line 2: id is not 1 to 32 visible" },
                { HEAD "a b,45,4,5,1,0\n", "line 2: id is not" },
                { HEAD "123456789012345678901234567890123,45,4,5,1,0\n", "line 2: id is not" },
                { HEAD "\"a\nb\",45,4,5,1,0\n", "line 2: id is not" },
                { HEAD "\"a\",45,4,5,1,0\n\"b,45,4,5,1,0\n", "line 3: a quote is not closed" },
                { HEAD "\"a\"b,45,4,5,1,0\n", "line 2: something follows a closed quote" },
                { "id,lat,lon,fix_age_s,on_duty,busy,reachable\na,45,4,5,1,0,perhaps\n", "line 2: reachable is none" },
                { "id,lat,lon,fix_age_s,on_duty,busy,team\na,45,4,5,1,0,a\x01\n", "line 2: team is not" },
                { HEAD "\"x\ny\",45,4,5,1,0\n", "line 2: id" },
                { "id,lat,lon,fix_age_s,on_duty,\"busy\"\r\na,45,4,5,1,\"0\"\r\nb,45,4,5,7,0\r\n", "line 3: on_duty" },
                { "id,lat,lon,fix_age_s,on_duty,busy,note\na,45,4,5,1,0,\"1\n2\"\nb,45,4,5,7,0,\n", "line 4: on_duty" },
        };
        struct fixture *f = *state;
        double number;
        char long_row[200];

        assert_int_equal(number_read("1e999", &number), -EINVAL);

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                run(f, cases[i].roster, AT);
                if (f->status != 1 || strstr(f->complained, cases[i].says) == NULL ||
                    strstr(f->complained, f->roster) == NULL || f->said[0] != '\0')
                        fail_msg("%s\nstatus %d, says: %s\nwanted: %s", cases[i].roster, f->status, f->complained,
                                 cases[i].says);
        }
        memset(long_row, ',', 199);
        long_row[199] = '\0';
        run(f, long_row, AT);
        assert_int_equal(f->status, 1);
        assert_non_null(strstr(f->complained, "more than 64 columns"));
        file_put(f->roster, HEAD "a,45\0,4,5,1,0\n", strlen(HEAD) + 15);
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", AT, NULL });
        assert_int_equal(f->status, 1);
        assert_non_null(strstr(f->complained, "NUL"));
}

static void test_barriers_and_count(void **state)
{
        static const char roster[] = HEAD "over,45.75,4.851,5,1,0\nb,45.75,4.847,5,1,0\n";
        struct fixture *f = *state;

        file_put(f->roster, roster, strlen(roster));
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", AT, "--count", "1", NULL });
        assert_string_equal(answered(f), "over | b: further");
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at=" AT, "--count", "1",
                                       "--barriers", f->barriers, NULL });
        assert_string_equal(answered(f), "b | over: further");
        file_put(f->barriers, zones, strlen(zones));
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", AT, "--barriers",
                                       f->barriers, NULL });
        assert_int_equal(f->status, 1);
        assert_non_null(strstr(f->complained, "feature 0 (Lyon): neither a LineString"));
}

static void test_command_line(void **state)
{
        static const char *const wrong_at[] = { "",       "45",    "45,",    ",4",  "45;4",  "91,4",
                                                "45,181", "nan,4", "45,4,5", "a,b", "45,4 x" };
        static const char *const wrong_count[] = { "", "0", "-1", "257", "3x", " 3", "1e1" };
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(wrong_at) / sizeof(*wrong_at); i++) {
                run(f, HEAD, wrong_at[i]);
                assert_int_equal(f->status, 2);
                assert_non_null(strstr(f->complained, "--at"));
        }
        for (size_t i = 0; i < sizeof(wrong_count) / sizeof(*wrong_count); i++) {
                run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", AT, "--count",
                                               wrong_count[i], NULL });
                assert_int_equal(f->status, 2);
                assert_non_null(strstr(f->complained, "--count"));
        }
        run_words(f, (const char *[]){ "--zones", f->zones, "--at", AT, NULL });
        assert_int_equal(f->status, 2);
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", f->roster, "--at", AT, "more", NULL });
        assert_int_equal(f->status, 2);
        run_words(f, (const char *[]){ "--zones", f->zones, "--roster", "/nowhere/at all", "--at", AT, NULL });
        assert_int_equal(f->status, 1);
        assert_non_null(strstr(f->complained, "/nowhere/at all: No such file"));
        file_put(f->zones, "{", 1);
        run(f, HEAD, AT);
        assert_int_equal(f->status, 1);
        assert_non_null(strstr(f->complained, f->zones));
        assert_non_null(strstr(f->complained, "line 1"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answer, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_csv_forms, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_roster_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_barriers_and_count, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_command_line, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
