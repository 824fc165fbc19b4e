#include "tests/device/handset/host/support.h"

#include <fcntl.h>
#include <getopt.h>

#include "device/handset/host/config.h"

/* What `config_read` says of the file TEXT with these words behind it. */
struct outcome {
        int r;
        struct config config;
        struct config_start start;
        char told[2048]; /* on stderr */
};

static struct outcome read_text(const char *text, const char *const *more)
{
        struct outcome outcome = { 0 };
        struct folder folder;
        char path[128], told_path[128], *argv[16] = { "vigie-handset", "-c", path }, *told;
        int argc = 3, saved = dup(2), fd;
        size_t len;

        folder_make(&folder);
        put(&folder, "conf", text);
        folder_file(&folder, "conf", path);
        for (; more != NULL && *more != NULL; more++)
                argv[argc++] = (char *)*more;
        fd = open(folder_file(&folder, "told", told_path), O_CREAT | O_WRONLY, 0600);
        dup2(fd, 2);
        close(fd);
        optind = 0; /* getopt begins anew */
        outcome.r = config_read(&argc, argv, &outcome.config, &outcome.start);
        dup2(saved, 2);
        close(saved);
        assert_int_equal(file_read(told_path, sizeof(outcome.told) - 1, &told, &len), 0);
        memcpy(outcome.told, told, len);
        free(told);
        folder_remove(&folder);
        return outcome;
}

#define SMALLEST "[journal]\npath = j\n[command]\nsocket = s\n"
#define ENROLLED                                                                                  \
        SMALLEST "[identity]\nkey = k\ncertificate = c\n[region]\nca = ca\nroot = r\ntrust = t\n" \
                 "[link]\naddresses = localhost:8443, [::1]:8444\nalert_addresses = localhost:8446\n"

static void the_smallest_file(void **state)
{
        struct outcome o = read_text(SMALLEST, NULL);

        assert_int_equal(o.r, 0);
        assert_string_equal(o.config.key, "");
        assert_string_equal(o.config.role, "carrier");
        assert_string_equal(o.config.gps_host, "localhost");
        assert_int_equal(o.config.page_port, 8480);
        assert_int_equal(o.config.key_code, 114);
        assert_string_equal(o.config.modem_device, "");
        assert_int_equal(o.config.modem_baud, 115200);
        assert_true(o.config.sms_test);
        assert_int_equal(o.start.ready_fd, -1);
        assert_false(o.start.stop);
}

static void an_enrolled_phone(void **state)
{
        struct outcome o = read_text(
                ENROLLED, (const char *const[]){ "-o", "page.port=0", "--ready-fd", "2", "press", "--silent", NULL });

        assert_int_equal(o.r, 0);
        assert_int_equal(o.config.addresses.count, 2);
        assert_string_equal(o.config.addresses.item[1], "[::1]:8444");
        assert_int_equal(o.config.alert_addresses.count, 1);
        assert_int_equal(o.config.page_port, 0);
        assert_int_equal(o.start.ready_fd, 2);
        assert_int_equal(o.start.rest, 5);
}

static void what_is_refused(void **state)
{
        static const struct {
                const char *text, *told;
        } cases[] = {
                { "[journal]\npath = j\n", "command.socket" },
                { SMALLEST "[identity]\nrole = boss\n", "identity.role" },
                { SMALLEST "[identity]\nkey = k\n", "identity.certificate" },
                { SMALLEST "[link]\naddresses = localhost\n", "link.addresses" },
                { SMALLEST "[link]\naddresses = localhost:0\n", "link.addresses" },
                { SMALLEST "[link]\naddresses = localhost:65536\n", "link.addresses" },
                { SMALLEST "[link]\naddresses = a:1 a:2 a:3 a:4 a:5 a:6 a:7 a:8 a:9\n", "link.addresses" },
                { SMALLEST "[link]\nalert_addresses = localhost\n", "link.alert_addresses: host:port" },
                { SMALLEST "[link]\naddresses = a:1 a:2 a:3 a:4 a:5 a:6\nalert_addresses = a:7 a:8 a:9\n", "at most 8" },
                { SMALLEST "[gps]\nhost = gpsd.example.org\n", "gps.host" },
                { SMALLEST "[gps]\nhost = 192.0.2.1\n", "gps.host" },
                { SMALLEST "[man_down]\nafter = 29\n", "man_down.after" },
                { SMALLEST "[man_down]\nafter = 3601\n", "man_down.after" },
                { SMALLEST "[pin]\nhash = 1234\n", "pin.hash" },
                { SMALLEST "[pin]\nduress = 1234\n", "pin.duress" },
                { SMALLEST "[log]\nlevel = loud\n", "log.level" },
                { SMALLEST "[page]\nframe_ancestors = https://a;script-src\n", "page.frame_ancestors" },
                { SMALLEST "[button]\nwhat = 1\n", "button.what" },
                { SMALLEST "[modem]\ndevice = t\n", "modem.number" },
                { SMALLEST "[modem]\nnumber = 33700900900\n", "modem.number" },
                { SMALLEST "[modem]\nnumber = +3370\n", "modem.number" },
                { SMALLEST "[modem]\nnumber = +1234567890123456\n", "modem.number" },
                { SMALLEST "[modem]\nnumber = +33 7 00\n", "modem.number" },
                { SMALLEST "[modem]\nbaud = 115201\n", "modem.baud" },
                { SMALLEST "[modem]\nbaud = 9599\n", "modem.baud" },
                { SMALLEST "[sms]\ntest = perhaps\n", "sms.test" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct outcome o = read_text(cases[i].text, NULL);

                if (o.r >= 0 || strstr(o.told, cases[i].told) == NULL)
                        fail_msg("case %zu: %d, told '%s'", i, o.r, o.told);
        }
}

static void a_phone_with_a_modem(void **state)
{
        struct outcome o = read_text(
                SMALLEST "[modem]\ndevice = tty\nbaud = 9600\nnumber = +123456789012345\n[sms]\ntest = no\n", NULL);

        assert_int_equal(o.r, 0);
        assert_string_equal(o.config.modem_device, "tty");
        assert_int_equal(o.config.modem_baud, 9600);
        assert_string_equal(o.config.modem_number, "+123456789012345");
        assert_false(o.config.sms_test);
}

static void gpsd_is_on_this_machine(void **state)
{
        static const char *const hosts[] = { "localhost", "127.0.0.1", "127.8.9.10", "::1", "" };
        char text[256];

        for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
                snprintf(text, sizeof(text), SMALLEST "[gps]\nhost = %s\n", hosts[i]);
                assert_int_equal(read_text(text, NULL).r, 0);
        }
}

static void ready_fd_is_a_number(void **state)
{
        assert_true(read_text(SMALLEST, (const char *const[]){ "--ready-fd", "x", NULL }).r < 0);
        assert_true(read_text(SMALLEST, (const char *const[]){ "--ready-fd", "-1", NULL }).r < 0);
        assert_true(read_text(SMALLEST, (const char *const[]){ "--ready-fd", "", NULL }).r < 0);
}

static void ports(void **state)
{
        char host[128], longest[200];

        assert_int_equal(config_port_of("a.example.org:1", host), 1);
        assert_string_equal(host, "a.example.org");
        assert_int_equal(config_port_of("[2001:db8::1]:65535", host), 65535);
        assert_string_equal(host, "2001:db8::1");
        assert_int_equal(config_port_of("192.0.2.7:8443", host), 8443);
        assert_int_equal(config_port_of("a", host), -EINVAL);
        assert_int_equal(config_port_of(":1", host), -EINVAL);
        assert_int_equal(config_port_of("[]:1", host), -EINVAL);
        assert_int_equal(config_port_of("a:", host), -EINVAL);
        assert_int_equal(config_port_of("a:1x", host), -EINVAL);
        assert_int_equal(config_port_of("a:65536", host), -EINVAL);
        assert_int_equal(config_port_of("a:-1", host), -EINVAL);
        assert_int_equal(config_port_of("", host), -EINVAL);
        memset(longest, 'a', sizeof(longest));
        strcpy(longest + 127, ":1");
        assert_int_equal(config_port_of(longest, host), 1);
        strcpy(longest + 127, "a:1");
        assert_int_equal(config_port_of(longest, host), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_smallest_file),
                cmocka_unit_test(an_enrolled_phone),
                cmocka_unit_test(what_is_refused),
                cmocka_unit_test(a_phone_with_a_modem),
                cmocka_unit_test(gpsd_is_on_this_machine),
                cmocka_unit_test(ready_fd_is_a_number),
                cmocka_unit_test(ports),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
