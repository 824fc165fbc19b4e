#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/version.h"
#include "tests/base/folder.h"

struct config {
        char name[32];
        int64_t port;
};

static const struct conf_option options[] = {
        CONF_STRING(struct config, name, "region.name", 1, NULL, "the region's short name"),
        CONF_INT(struct config, port, "listen.port", 1, 65535, "8443", "TCP port"),
};

/* One run of a program's first line: what it answered, and what it wrote. */
struct run {
        struct folder folder;
        char conf[128];
        struct config config;
        int result, rest;
        enum conf_next next;
        char out[8192], err[8192];
};

static void read_back(int fd, const char *path, int before, char out[8192])
{
        char *data;
        size_t len;

        fflush(NULL);
        dup2(before, fd);
        close(before);
        assert_int_equal(file_read(path, 8191, &data, &len), 0);
        memcpy(out, data, len + 1);
        free(data);
}

static int redirect(int fd, const char *path)
{
        int before = dup(fd), file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

        fflush(NULL);
        dup2(file, fd);
        close(file);
        return before;
}

static void run(struct run *r, const char *default_file, const char *const *words, bool takes_rest)
{
        const struct conf_table table = { "vigie-test",          "[COMMAND]", "a test", default_file, options, 2,
                                          sizeof(struct config), NULL };
        char *argv[16] = { "vigie-test" }, out[128], err[128];
        int argc = 1, out_before, err_before;

        while (words[argc - 1] != NULL) {
                argv[argc] = (char *)words[argc - 1];
                argc++;
        }
        optind = 0; /* glibc: begin anew */
        out_before = redirect(STDOUT_FILENO, folder_file(&r->folder, "out", out));
        err_before = redirect(STDERR_FILENO, folder_file(&r->folder, "err", err));
        memset(&r->config, 0, sizeof(r->config));
        r->rest = -1;
        r->result = conf_main(&table, &(struct conf_args){ argc, argv }, &r->config, takes_rest ? &r->rest : NULL,
                              &r->next);
        read_back(STDOUT_FILENO, out, out_before, r->out);
        read_back(STDERR_FILENO, err, err_before, r->err);
}

static void setup(struct run *r, const char *conf)
{
        folder_make(&r->folder);
        folder_file(&r->folder, "conf", r->conf);
        assert_int_equal(file_write(r->conf, conf, strlen(conf), 0600), 0);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void reads_the_file_and_overrides(void **state)
{
        struct run r;

        setup(&r, "[region]\nname = Lyon\n");
        run(&r, NULL, WORDS("-c", r.conf, "-o", "listen.port=7", "press", "--silent"), true);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.next, CONF_RUN);
        assert_string_equal(r.config.name, "Lyon");
        assert_int_equal(r.config.port, 7);
        assert_int_equal(r.rest, 5);
        assert_string_equal(r.err, "");
        folder_remove(&r.folder);
}

static void the_default_file_may_be_absent(void **state)
{
        struct run r;

        setup(&r, "[region]\nname = Lyon\n");
        run(&r, r.conf, WORDS("-o", "listen.port=7"), false);
        assert_int_equal(r.result, 0);
        assert_string_equal(r.config.name, "Lyon");
        unlink(r.conf);
        run(&r, r.conf, WORDS("-o", "region.name=B"), false);
        assert_int_equal(r.result, 0);
        assert_string_equal(r.config.name, "B");
        run(&r, r.conf, WORDS("-n"), false);
        assert_int_equal(r.result, -EINVAL);
        assert_non_null(strstr(r.err, "region.name: must be given"));
        run(&r, NULL, WORDS("-c", r.conf), false); /* one that is asked for may not */
        assert_int_equal(r.result, -ENOENT);
        assert_non_null(strstr(r.err, "No such file"));
        folder_remove(&r.folder);
}

static void n_checks_and_stops(void **state)
{
        struct run r;

        setup(&r, "[region]\nname = Lyon\n");
        run(&r, NULL, WORDS("-n", "-c", r.conf), false);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.next, CONF_STOP);
        assert_non_null(strstr(r.out, ": good\n"));
        run(&r, NULL, WORDS("-n", "-c", r.conf, "-o", "listen.port=0"), false);
        assert_int_equal(r.result, -EINVAL);
        assert_string_equal(r.err, "-o: listen.port: must be a whole number, 1 to 65535\n");
        folder_remove(&r.folder);
}

static void help_prints_the_table(void **state)
{
        struct run r;

        setup(&r, "");
        run(&r, NULL, WORDS("--help"), false);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.next, CONF_STOP);
        assert_non_null(strstr(r.out, "vigie-test: a test\n"));
        assert_non_null(strstr(r.out, "usage: vigie-test [-n] [-c FILE] [-o section.key=value]... [COMMAND]\n"));
        assert_non_null(
                strstr(r.out, "  region.name = (must be given)\n      the region's short name; a text of 1 to 31"));
        assert_non_null(strstr(r.out, "  listen.port = 8443\n      TCP port; a whole number, 1 to 65535\n"));
        run(&r, NULL, WORDS("--version"), false);
        assert_int_equal(r.result, 0);
        assert_int_equal(r.next, CONF_STOP);
        assert_string_equal(r.out, "vigie-test " VIGIE_VERSION "\n");
        folder_remove(&r.folder);
}

static void other_words_are_refused(void **state)
{
        struct run r;

        setup(&r, "[region]\nname = Lyon\n");
        run(&r, r.conf, WORDS("press"), false);
        assert_int_equal(r.result, -EINVAL);
        assert_string_equal(r.err, "vigie-test: press: not understood, see --help\n");
        run(&r, r.conf, WORDS("--loud"), true);
        assert_int_equal(r.result, -EINVAL);
        assert_non_null(strstr(r.err, "see --help"));
        run(&r, r.conf, WORDS("-c"), true);
        assert_int_equal(r.result, -EINVAL);
        folder_remove(&r.folder);
}

static void overrides_are_bounded(void **state)
{
        struct run r;
        char *argv[2 * CONF_OVERRIDES_MAX + 4] = { "vigie-test" };
        const struct conf_table table = { "vigie-test", "", "", NULL, options, 2, sizeof(struct config), NULL };
        int argc = 1;

        setup(&r, "");
        for (int i = 0; i < CONF_OVERRIDES_MAX; i++) {
                argv[argc++] = "-o";
                argv[argc++] = "region.name=x";
        }
        optind = 0;
        assert_int_equal(conf_main(&table, &(struct conf_args){ argc, argv }, &r.config, NULL, &r.next), 0);
        argv[argc++] = "-o";
        argv[argc++] = "region.name=x";
        optind = 0;
        assert_int_equal(conf_main(&table, &(struct conf_args){ argc, argv }, &r.config, NULL, &r.next), -EINVAL);
        folder_remove(&r.folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_the_file_and_overrides), cmocka_unit_test(the_default_file_may_be_absent),
                cmocka_unit_test(n_checks_and_stops),           cmocka_unit_test(help_prints_the_table),
                cmocka_unit_test(other_words_are_refused),      cmocka_unit_test(overrides_are_bounded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
