#include "tests/ops/place.h"

#include "base/conf.h"
#include "wire/signing.h"

/* ---- what is made */

static void test_files_and_modes(void **state)
{
        static const struct {
                const char *name;
                mode_t mode;
        } files[] = {
                { "region", 0700 },
                { "region/redis", 0700 },
                { "region/handsets", 0700 },
                { "region/root.key", 0600 },
                { "region/root.pem", 0644 },
                { "region/ca.key", 0600 },
                { "region/ca.pem", 0644 },
                { "region/receipt.key", 0600 },
                { "region/archive.key", 0600 },
                { "region/archive.pem", 0644 },
                { "region/receipt.pem", 0644 },
                { "region/keeper", 0700 },
                { "region/keeper/pass.key", 0600 },
                { "region/keeper/status.key", 0600 },
                { "region/keeper/order.key", 0600 },
                { "region/keeper/position.key", 0600 },
                { "region/keeper.conf", 0644 },
                { "region/door.key", 0600 },
                { "region/door.pem", 0644 },
                { "region/pass.pem", 0644 },
                { "region/position.pem", 0644 },
                { "region/dispatcher@d1.env", 0644 },
                { "region/dispatcher@a2.env", 0644 },
                { "region/server.key", 0600 },
                { "region/server.pem", 0644 },
                { "region/tickets.key", 0600 },
                { "region/trust.cose", 0644 },
                { "region/zones.geojson", 0644 },
                { "region/barriers.geojson", 0644 },
                { "region/redis/users.acl", 0600 },
                { "region/dispatcher.conf", 0600 },
                { "region/console.conf", 0600 },
                { "region/vigie.conf", 0600 },
        };
        struct place *p = *state;

        umask(0);
        assert_int_equal(place_init(p), 0);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                assert_int_equal(place_mode(p, files[i].name), files[i].mode);
        assert_false(place_has(p, "region/init-not-finished"));
        assert_non_null(strstr(p->out, "region lyon in /"));
        assert_non_null(strstr(p->out, "root.key"));
        assert_string_equal(p->err, "");
}

/* With a number: Kannel's configuration, whose secrets are the dispatchers' too; without, none. */
static void test_sms(void **state)
{
        struct place *p = *state;
        char kannel[4096], dispatcher[4096], tool[4096], line[256];
        const char *secret;

        assert_int_equal(VIGIE(p, "init", "--region", "lyon", "--sms-number", "+33700900900", "--control-number",
                               "+33478000000", "--sms-port", "9001", "--gateway-port", "65533"),
                         0);
        assert_non_null(strstr(p->out, "kannel.conf: add the line to your operator"));
        assert_int_equal(place_mode(p, "region/kannel.conf"), 0600);
        place_get(p, "region/kannel.conf", kannel, sizeof(kannel));
        place_get(p, "region/dispatcher.conf", dispatcher, sizeof(dispatcher));
        place_get(p, "region/vigie.conf", tool, sizeof(tool));
        assert_non_null(secret = strstr(kannel, "http://127.0.0.1:9001/sms/in?secret="));
        snprintf(line, sizeof(line),
                 "\n[sms]\nport = 9001\nsecret = %.32s\nurl = http://127.0.0.1:65535/cgi-bin/sendsms\n",
                 strchr(secret, '=') + 1);
        assert_non_null(strstr(dispatcher, line));
        assert_non_null(strstr(dispatcher, "\nfrom = +33700900900\n[control]\nnumber = +33478000000\n"));
        assert_non_null(secret = strstr(dispatcher, "\nuser = vigie\npassword = "));
        snprintf(line, sizeof(line), "\ngroup = sendsms-user\nusername = vigie\npassword = %.32s\n",
                 strstr(secret, "password = ") + 11);
        assert_non_null(strstr(kannel, line));
        assert_non_null(strstr(kannel, "\nsendsms-port = 65535\n"));
        assert_non_null(strstr(tool, "\n[sms]\nnumber = +33700900900\n"));
        strcpy(p->region + strlen(p->region), "2");
        assert_int_equal(place_init(p), 0);
        assert_false(place_has(p, "region2/kannel.conf"));
        place_get(p, "region2/dispatcher.conf", dispatcher, sizeof(dispatcher));
        assert_null(strstr(dispatcher, "[sms]"));
}

static void test_bad_numbers_are_refused(void **state)
{
        static const char *const bad[] = { "33700900900",  "+1234", "+1234567890123456",
                                           "+3370090090x", "+",     " +33700900900" };
        struct place *p = *state;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_int_equal(VIGIE(p, "init", "--region", "lyon", "--sms-number", bad[i]), 2);
                assert_non_null(strstr(p->err, "5 to 15 digits"));
        }
        assert_int_equal(VIGIE(p, "init", "--region", "lyon", "--control-number", "+33478000000"), 2);
        assert_int_equal(
                VIGIE(p, "init", "--region", "lyon", "--sms-number", "+33700900900", "--gateway-port", "65534"), 2);
        assert_false(place_has(p, "region"));
}

static void test_passwords_and_keys_are_drawn(void **state)
{
        struct place *p = *state;
        char text[4096], users[3][64], key[2][1024];
        static const char *const names[] = { "dispatcher", "console", "tool" };

        assert_int_equal(place_init(p), 0);
        for (int i = 0; i < 3; i++) {
                place_password(p, names[i], users[i]);
                assert_int_equal(strspn(users[i], "0123456789abcdef"), 32);
        }
        assert_string_not_equal(users[0], users[1]);
        assert_string_not_equal(users[1], users[2]);
        place_get(p, "region/dispatcher.conf", text, sizeof(text));
        assert_non_null(strstr(text, users[0]));
        assert_null(strstr(text, users[1]));
        place_get(p, "region/console.conf", text, sizeof(text));
        assert_non_null(strstr(text, users[1]));
        assert_null(strstr(text, users[0]));
        place_get(p, "region/root.key", key[0], sizeof(key[0]));
        strcpy(p->region + strlen(p->region), "2");
        assert_int_equal(place_init(p), 0);
        place_get(p, "region2/root.key", key[1], sizeof(key[1]));
        assert_string_not_equal(key[0], key[1]);
}

static void test_trust_list_is_the_root_s(void **state)
{
        struct place *p = *state;
        static struct trust trust;
        struct key *root = NULL, *receipt = NULL;
        uint8_t list[TRUST_MAX + 1], kid[KEY_KID_SIZE];
        char path[256];
        size_t len;

        assert_int_equal(place_init(p), 0);
        assert_int_equal(key_from_file(place_path(p, "region/root.pem", path), &root), 0);
        assert_int_equal(key_from_file(place_path(p, "region/receipt.pem", path), &receipt), 0);
        len = place_get(p, "region/trust.cose", (char *)list, sizeof(list));
        assert_int_equal(trust_open((struct cbor_span){ list, len }, root, &trust), 0);
        assert_int_equal(trust.number, 1);
        assert_string_equal(trust.region, "lyon");
        assert_int_equal(trust.count, 6);
        for (enum trust_use use = TRUST_RECEIPT; use <= TRUST_DOOR; use++)
                assert_non_null(trust_current(&trust, use, trust.issued_at_s));
        assert_int_equal(key_kid(receipt, kid), 0);
        assert_non_null(trust_find(&trust, kid, TRUST_RECEIPT, trust.issued_at_s));
        assert_non_null(trust_current(&trust, TRUST_POSITION, trust.issued_at_s));
        key_free(root);
        key_free(receipt);
}

/* Each daemon's own -n takes what was written for it. */
static void test_daemons_take_their_configuration(void **state)
{
        struct place *p = *state;
        char dispatcher[256], console[256], web[300];

        assert_int_equal(place_init(p), 0);
        place_path(p, "region/dispatcher.conf", dispatcher);
        place_path(p, "region/console.conf", console);
        snprintf(web, sizeof(web), "web.path=%s/web", p->dir);
        assert_int_equal(mkdir(web + strlen("web.path="), 0700), 0);
        place_put(p, "web/index.html", "x", 1);
        place_put(p, "web/login.html", "x", 1);
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie-dispatcher", "-n", "-c", dispatcher, NULL }),
                         0);
        assert_int_equal(
                place_run(p, "", (const char *const[]){ "vigie-console", "-n", "-c", console, "-o", web, NULL }), 0);
        place_path(p, "region/keeper.conf", dispatcher);
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie-keeper", "-n", "-c", dispatcher, NULL }), 0);
}

/* The keeper's private keys are in its folder and are those listed; no other program's configuration names one. */
static void test_the_keeper_alone_has_its_keys(void **state)
{
        static const char *const names[] = { "pass", "status", "order", "position" }, *const others[] = { "dispatcher",
                                                                                                          "console" };
        struct place *p = *state;
        char name[64], path[256], text[4096];
        uint8_t private[KEY_KID_SIZE], public[KEY_KID_SIZE];
        struct key *key = NULL;

        assert_int_equal(VIGIE(p, "init", "--region", "lyon", "--keeper", "/run/k/socket", "--archive", "/var/lib/a"),
                         0);
        for (size_t i = 0; i < 4; i++) {
                snprintf(name, sizeof(name), "region/keeper/%s.key", names[i]);
                assert_int_equal(key_from_file(place_path(p, name, path), &key), 0);
                assert_true(key_is_private(key));
                assert_int_equal(key_kid(key, private), 0);
                key_free(key);
                snprintf(name, sizeof(name), "region/%s.pem", names[i]);
                assert_int_equal(key_from_file(place_path(p, name, path), &key), 0);
                assert_false(key_is_private(key));
                assert_int_equal(key_kid(key, public), 0);
                key_free(key);
                assert_memory_equal(private, public, sizeof(public));
                snprintf(name, sizeof(name), "region/%s.key", names[i]);
                assert_false(place_has(p, name));
        }
        for (size_t i = 0; i < 2; i++) {
                snprintf(name, sizeof(name), "region/%s.conf", others[i]);
                place_get(p, name, text, sizeof(text));
                assert_null(strstr(text, "keeper/"));
                assert_non_null(strstr(text, "\n[keeper]\nsocket = /run/k/socket\n"));
        }
        place_get(p, "region/keeper.conf", text, sizeof(text));
        assert_non_null(strstr(text, "\n[socket]\npath = /run/k/socket\n"));
        assert_non_null(strstr(text, "\n[silence]\noverdue = 15min\n"));
        place_get(p, "region/dispatcher.conf", text, sizeof(text));
        assert_non_null(strstr(text, "\n[silence]\noverdue = 15min\n"));
        place_get(p, "region/vigie.conf", text, sizeof(text));
        assert_non_null(strstr(text, "\n[archive]\npath = /var/lib/a\n"));
        REFUSED(p, 2, "--keeper 'here'", "init", "--region", "lyon", "--keeper", "here");
        REFUSED(p, 2, "--archive 'here'", "init", "--region", "lyon", "--archive", "here");
}

/* A region of before has position.key beside the others, and nothing else of the keeper's. */
static void test_a_keeper_for_a_region_of_before(void **state)
{
        static const char *const gone[] = { "keeper/pass.key", "keeper/status.key", "keeper/order.key",
                                            "pass.pem",        "status.pem",        "order.pem",
                                            "door.key",        "door.pem",          "keeper.conf" };
        struct place *p = *state;
        char before[1024], after[1024], name[64], from[256], to[256];

        assert_int_equal(place_init(p), 0);
        REFUSED(p, 1, "keeper.conf is there", "keeper", "make");
        place_get(p, "region/keeper/position.key", before, sizeof(before));
        assert_int_equal(
                rename(place_path(p, "region/keeper/position.key", from), place_path(p, "region/position.key", to)), 0);
        for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
                snprintf(name, sizeof(name), "region/%s", gone[i]);
                assert_int_equal(unlink(place_path(p, name, from)), 0);
        }
        assert_int_equal(rmdir(place_path(p, "region/keeper", from)), 0);
        assert_int_equal(VIGIE(p, "trust", "sign"), 0);
        assert_string_equal(p->out, "trust list 2: 2 keys\n");
        assert_int_equal(VIGIE(p, "keeper", "make"), 0);
        assert_non_null(strstr(p->out, "vigie trust sign"));
        place_get(p, "region/keeper/position.key", after, sizeof(after));
        assert_string_equal(after, before);
        assert_false(place_has(p, "region/position.key"));
        assert_int_equal(VIGIE(p, "trust", "sign"), 0);
        assert_string_equal(p->out, "trust list 3: 6 keys\n");
        place_path(p, "region/keeper.conf", from);
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie-keeper", "-n", "-c", from, NULL }), 0);
        REFUSED(p, 2, "usage: vigie keeper make", "keeper", "make", "word");
}

/* The example for people to read is what is written. */
static void test_acl_is_the_one_shipped(void **state)
{
        struct place *p = *state;
        char ours[4096], shipped[4096], *at;
        FILE *f = fopen("ops/redis/users.acl", "r");
        size_t len;

        assert_non_null(f);
        len = fread(shipped, 1, sizeof(shipped) - 1, f);
        shipped[len] = '\0';
        fclose(f);
        assert_int_equal(place_init(p), 0);
        len = place_get(p, "region/redis/users.acl", ours, sizeof(ours));
        for (char *from = ours; (at = strchr(from, '>')) != NULL; from = at + 1) {
                memmove(at + 1 + strlen("CHANGE-ME"), at + 33, strlen(at + 33) + 1);
                memcpy(at + 1, "CHANGE-ME", strlen("CHANGE-ME"));
        }
        assert_string_equal(ours, shipped);
}

/* ---- once, and again */

static void test_a_region_is_not_made_twice(void **state)
{
        struct place *p = *state;
        char before[2][4096], after[4096];

        assert_int_equal(place_init(p), 0);
        place_get(p, "region/root.key", before[0], sizeof(before[0]));
        place_get(p, "region/redis/users.acl", before[1], sizeof(before[1]));
        REFUSED(p, 1, "holds a region already", "init", "--region", "lyon");
        place_get(p, "region/root.key", after, sizeof(after));
        assert_string_equal(after, before[0]);
        place_get(p, "region/redis/users.acl", after, sizeof(after));
        assert_string_equal(after, before[1]);
}

/* Cut short anywhere, it is done again: take away one more of the files each time, the last one written first. */
static void test_cut_short_is_repeated(void **state)
{
        static const char *const written[] = { "vigie.conf",      "trust.cose", "barriers.geojson", "console.conf",
                                               "redis/users.acl", "server.pem", "ca.key",           "receipt.key",
                                               "root.pem",        "root.key" };
        struct place *p = *state;
        char name[64], path[256];

        assert_int_equal(place_init(p), 0);
        for (size_t n = 1; n <= sizeof(written) / sizeof(written[0]); n++) {
                for (size_t i = 0; i < n; i++) {
                        snprintf(name, sizeof(name), "region/%s", written[i]);
                        assert_int_equal(unlink(place_path(p, name, path)), 0);
                }
                place_put(p, "region/init-not-finished", "", 0);
                assert_int_equal(place_init(p), 0);
                assert_int_equal(VIGIE(p, "trust", "sign"), 0); /* root, list and keys belong together */
                assert_string_equal(p->out, "trust list 2: 6 keys\n");
                assert_false(place_has(p, "region/init-not-finished"));
        }
}

static void test_keys_of_something_else_stay(void **state)
{
        static const char *const keys[] = { "root.key", "root.pem", "ca.key", "ca.pem" };
        struct place *p = *state;
        char name[64], path[256], text[64];

        assert_int_equal(mkdir(p->region, 0700), 0);
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                snprintf(name, sizeof(name), "region/%s", keys[i]);
                place_put(p, name, "mine", 4);
                REFUSED(p, 1, keys[i], "init", "--region", "lyon");
                place_get(p, name, text, sizeof(text));
                assert_string_equal(text, "mine");
                unlink(place_path(p, name, path));
        }
}

/* ---- what is refused */

static void test_bad_options(void **state)
{
        static const char many[] = "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a";
        struct place *p = *state;

        REFUSED(p, 2, "--region NAME is missing", "init");
        REFUSED(p, 2, "--region ''", "init", "--region", "");
        REFUSED(p, 2, "--region 'a b'", "init", "--region", "a b");
        REFUSED(p, 2, "--region 'a{b}'", "init", "--region", "a{b}");
        REFUSED(p, 2, "--names 'A'", "init", "--region", "r", "--names", "b,A");
        REFUSED(p, 2, "--names 'a b'", "init", "--region", "r", "--names", "a b");
        REFUSED(p, 2, "--names: none", "init", "--region", "r", "--names", ",");
        REFUSED(p, 2, "--names: more than 16", "init", "--region", "r", "--names", many);
        REFUSED(p, 2, "--handset-port '0'", "init", "--region", "r", "--handset-port", "0");
        REFUSED(p, 2, "--console-port '65536'", "init", "--region", "r", "--console-port", "65536");
        REFUSED(p, 2, "--alerts 'redis'", "init", "--region", "r", "--alerts", "redis");
        REFUSED(p, 2, "--positions 'a:b'", "init", "--region", "r", "--positions", "a:b");
        REFUSED(p, 2, "no such option", "init", "--region", "r", "--colour", "red");
        REFUSED(p, 2, "usage: vigie init", "init", "--region", "r", "word");
        assert_false(place_has(p, "region"));
}

static void test_folders_a_configuration_cannot_name(void **state)
{
        struct place *p = *state;
        char name[200], path[256];

        memset(name, 'n', sizeof(name));
        name[CONF_LINE_MAX - strlen(p->dir)] = '\0';
        snprintf(p->region, sizeof(p->region), "%.70s", p->dir);
        const char *argv[] = { "vigie", "-C", place_path(p, name, path), "init", "--region", "r", NULL };
        assert_int_equal(place_run(p, "", argv), 2);
        assert_non_null(strstr(p->err, "too long: a line of a configuration has at most 197 octets"));
        assert_false(place_has(p, name));
        argv[2] = place_path(p, "a ;b", path);
        assert_int_equal(place_run(p, "", argv), 2);
        assert_non_null(strstr(p->err, "begins a comment"));
        assert_false(place_has(p, "a ;b"));
        argv[2] = place_path(p, "a\nb", path);
        assert_int_equal(place_run(p, "", argv), 2);
        assert_non_null(strstr(p->err, "a\\u{a}b"));
        assert_false(place_has(p, "a\nb"));
        argv[2] = place_path(p, "none/there", path);
        assert_int_equal(place_run(p, "", argv), 1);
        assert_non_null(strstr(p->err, "none/there: No such file or directory"));
}

static void test_names_longer_than_a_line(void **state)
{
        struct place *p = *state;

        REFUSED(p, 2, "origins = ", "init", "--region", "r", "--names",
                "a-rather-long-name-of-a-server.example,another-rather-long-name-of-a-server.example,"
                "a-third-rather-long-name-of-a-server.example,one-more-rather-long-name-of-a-server.example");
        assert_false(place_has(p, "region"));
}

/* The longest values that are taken are good for the daemons and for this tool. */
static void test_longest_values(void **state)
{
        struct place *p = *state;
        char name[102], address[256], console[256], web[300], dispatcher[256];

        memset(name, 'n', sizeof(name));
        name[101] = '\0';
        REFUSED(p, 2, "at most 100 octets each", "init", "--region", "r", "--names", name);
        name[100] = '\0';
        snprintf(address, sizeof(address), "sentinel:%0*d@127.0.0.1:65535,127.0.0.2:65535,127.0.0.3:65535", 63, 0);
        snprintf(address + strlen(address), sizeof(address) - strlen(address), ",%0*d:65535", 61, 0);
        assert_int_equal(strlen(address), 188);
        REFUSED(p, 2, "at most 187 octets", "init", "--region", "r", "--alerts", address);
        strcpy(address + 187 - strlen(":65535"), ":65535");
        assert_int_equal(VIGIE(p, "init", "--region", "abcdefghijklmnopqrstuvwxyz012345", "--names", name,
                               "--console-port", "65535", "--alerts", address),
                         0);
        snprintf(web, sizeof(web), "web.path=%s/web", p->dir);
        assert_int_equal(mkdir(web + strlen("web.path="), 0700), 0);
        place_put(p, "web/index.html", "x", 1);
        place_put(p, "web/login.html", "x", 1);
        const char *const c[] = {
                "vigie-console", "-n", "-c", place_path(p, "region/console.conf", console), "-o", web, NULL
        };
        assert_int_equal(place_run(p, "", c), 0);
        const char *const d[] = { "vigie-dispatcher", "-n", "-c", place_path(p, "region/dispatcher.conf", dispatcher),
                                  NULL };
        assert_int_equal(place_run(p, "", d), 0);
        assert_int_equal(VIGIE(p, "trust", "sign"), 0); /* vigie.conf */
}

static void test_the_rest_of_the_command_line(void **state)
{
        struct place *p = *state;

        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie", NULL }), 2);
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie", "--help", NULL }), 0);
        assert_non_null(strstr(p->out, "  barrier "));
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie", "--version", NULL }), 0);
        assert_memory_equal(p->out, "vigie ", 6);
        assert_int_equal(place_run(p, "", (const char *const[]){ "vigie", "\033[31m", NULL }), 2);
        assert_non_null(strstr(p->err, "unknown command '\\u{1b}[31m'"));
        REFUSED(p, 1, "make a region with", "status"); /* no region here */
        assert_int_equal(VIGIE(p, "init", "--help"), 0);
        assert_int_equal(VIGIE(p, "enrol", "--help"), 0); /* help needs no region */
        assert_non_null(strstr(p->out, "--duress"));
        assert_int_equal(VIGIE(p, "zone", "--help"), 0);
        assert_int_equal(VIGIE(p, "user", "add", "--help"), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_files_and_modes, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_sms, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_bad_numbers_are_refused, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_passwords_and_keys_are_drawn, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_trust_list_is_the_root_s, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_daemons_take_their_configuration, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_the_keeper_alone_has_its_keys, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_a_keeper_for_a_region_of_before, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_acl_is_the_one_shipped, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_a_region_is_not_made_twice, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_cut_short_is_repeated, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_keys_of_something_else_stay, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_bad_options, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_folders_a_configuration_cannot_name, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_names_longer_than_a_line, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_longest_values, place_open, place_close),
                cmocka_unit_test_setup_teardown(test_the_rest_of_the_command_line, place_open, place_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
