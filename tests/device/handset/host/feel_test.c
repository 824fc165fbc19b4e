#include "tests/device/handset/host/support.h"

#include <sys/stat.h>

#include "device/handset/host/feel.h"

/* A command that writes down how it was called, and goes on while the file "hold" is there. */
struct device {
        struct folder folder;
        struct loop *loop;
        struct feel *feel;
        char command[128], said[128], hold[128];
};

static void open_device(struct device *d)
{
        char script[512];

        folder_make(&d->folder);
        folder_file(&d->folder, "said", d->said);
        folder_file(&d->folder, "hold", d->hold);
        snprintf(script, sizeof(script), "#!/bin/sh\necho \"$@\" >> %s\nwhile [ -e %s ]; do sleep 0.01; done\n",
                 d->said, d->hold);
        put(&d->folder, "command", script);
        assert_int_equal(chmod(folder_file(&d->folder, "command", d->command), 0700), 0);
        assert_int_equal(loop_open(&d->loop), 0);
        assert_int_equal(feel_open(d->loop, d->command, &d->feel), 0);
}

static void close_device(struct device *d)
{
        feel_close(d->feel);
        assert_int_equal(loop_close(d->loop), 0);
        folder_remove(&d->folder);
}

/* Wait until the command has said EXPECTED. */
static void assert_said(struct device *d, const char *expected)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;
        char *said = NULL;
        size_t len;

        do {
                turn(d->loop, 2);
                free(said);
                if (file_read(d->said, 4096, &said, &len) < 0)
                        said = strdup("");
        } while (strcmp(said, expected) != 0 && clock_mono_ms() < until_mono_ms);
        assert_string_equal(said, expected);
        free(said);
}

static void it_is_run(void **state)
{
        struct device d;

        open_device(&d);
        feel_vibrate(d.feel, "rising");
        assert_said(&d, "vibrate rising\n");
        feel_ring(d.feel, 2);
        assert_said(&d, "vibrate rising\nring 2\n");
        close_device(&d);
}

/* While one runs only the newest of each waits, and ringing goes first. */
static void the_newest_waits(void **state)
{
        struct device d;

        open_device(&d);
        put(&d.folder, "hold", "");
        feel_vibrate(d.feel, "rising");
        feel_vibrate(d.feel, "leaving");
        feel_vibrate(d.feel, "received");
        feel_ring(d.feel, 1);
        feel_ring(d.feel, 0);
        assert_said(&d, "vibrate rising\n");
        unlink(d.hold);
        assert_said(&d, "vibrate rising\nring 0\nvibrate received\n");
        close_device(&d);
}

static void a_command_that_is_not_there(void **state)
{
        struct device d;

        char aside[140];

        open_device(&d);
        snprintf(aside, sizeof(aside), "%s.aside", d.command);
        assert_int_equal(rename(d.command, aside), 0);
        feel_ring(d.feel, 1);
        feel_vibrate(d.feel, "stop");
        turn(d.loop, 10);
        assert_int_equal(rename(aside, d.command), 0);
        feel_ring(d.feel, 2);
        assert_said(&d, "ring 2\n");
        close_device(&d);
}

static void none_is_configured(void **state)
{
        struct loop *loop;
        struct feel *feel;

        assert_int_equal(loop_open(&loop), 0);
        assert_int_equal(feel_open(loop, "", &feel), 0);
        feel_ring(feel, 2);
        feel_vibrate(feel, "rising");
        feel_close(feel);
        assert_int_equal(loop_close(loop), 0);
}

/* The daemon ends at once, whatever the command does. */
static void ended_while_it_runs(void **state)
{
        struct device d;

        open_device(&d);
        put(&d.folder, "hold", "");
        feel_vibrate(d.feel, "rising");
        feel_ring(d.feel, 1);
        assert_said(&d, "vibrate rising\n");
        feel_close(d.feel);
        assert_int_equal(loop_close(d.loop), 0);
        unlink(d.hold); /* and the command ends */
        folder_remove(&d.folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_run),
                cmocka_unit_test(the_newest_waits),
                cmocka_unit_test(a_command_that_is_not_there),
                cmocka_unit_test(none_is_configured),
                cmocka_unit_test(ended_while_it_runs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
