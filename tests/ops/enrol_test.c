#include "tests/ops/place.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/hex.h"
#include "base/password.h"
#include "wire/id.h"
#include "wire/key.h"
#include "wire/people.h"

/* The id and folder that the last run() printed. */
static void printed(const struct place *p, char id[HANDSET_ID_TEXT], char folder[256])
{
        struct handset_id octets;

        assert_int_equal(sscanf(p->out, "%16s\t%255s\n", id, folder), 2);
        assert_int_equal(handset_id_from_text(id, &octets), 0);
}

static int read_entry(const struct place *p, const char *id, struct handset_entry *e)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply = redisCommand(c, "HGET {lyon}:handsets %s", id);
        int r = -ENOENT;

        if (reply->type == REDIS_REPLY_STRING)
                r = handset_entry_decode((const uint8_t *)reply->str, reply->len, e);
        freeReplyObject(reply);
        redisFree(c);
        return r;
}

/* How many handsets the region has. */
static long long count(const struct place *p)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply = redisCommand(c, "HLEN {lyon}:handsets");
        long long n = reply->integer;

        freeReplyObject(reply);
        redisFree(c);
        return n;
}

static char *in_folder(const char *folder, const char *name, char to[512])
{
        snprintf(to, 512, "%s/%s", folder, name);
        return to;
}

static mode_t mode_of(const char *folder, const char *name)
{
        char path[512];
        struct stat st;

        assert_int_equal(stat(in_folder(folder, name, path), &st), 0);
        return st.st_mode & 0777;
}

/* The public point of FOLDER/key.pem, which is that of FOLDER/certificate.pem too. */
static void public_of(const char *folder, uint8_t point[KEY_PUBLIC_MAX])
{
        uint8_t other[KEY_PUBLIC_MAX];
        struct key *key = NULL;
        char path[512];

        assert_int_equal(key_from_file(in_folder(folder, "key.pem", path), &key), 0);
        assert_true(key_is_private(key));
        assert_int_equal(key_public(key, point), P256_POINT_SIZE);
        key_free(key);
        assert_int_equal(key_from_file(in_folder(folder, "certificate.pem", path), &key), 0);
        key_public(key, other);
        key_free(key);
        assert_memory_equal(point, other, P256_POINT_SIZE);
}

static void certificate_names(const char *folder, char cn[32], char serial[32])
{
        char path[512];
        FILE *f = fopen(in_folder(folder, "certificate.pem", path), "r");
        X509 *x;

        assert_non_null(f);
        x = PEM_read_X509(f, NULL, NULL, NULL);
        fclose(f);
        assert_non_null(x);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, 32);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_serialNumber, serial, 32);
        X509_free(x);
}

static void test_a_carrier_s_phone(void **state)
{
        static const struct {
                const char *name;
                mode_t mode;
        } files[] = { { "", 0700 },         { "key.pem", 0600 },    { "certificate.pem", 0644 }, { "ca.pem", 0644 },
                      { "root.pem", 0644 }, { "trust.cose", 0644 }, { "handset.conf", 0600 } };
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], path[512], cn[32], serial[32], enrolment[2 * ENROLMENT_SIZE + 1];
        uint8_t point[KEY_PUBLIC_MAX];
        struct handset_entry e;

        assert_int_equal(VIGIE(p, "carrier", "add", "c1", "--name", "Léa"), 0);
        assert_int_equal(VIGIE(p, "enrol", "--person", "c1", "--number", "+33612345678", "--site", "Lyon 3e",
                               "--servers", "a.example:8443,[::1]:8444", "--days", "100"),
                         0);
        assert_string_equal(p->err, "");
        printed(p, id, folder);
        assert_int_equal(read_entry(p, id, &e), 0);
        assert_string_equal(e.person, "c1");
        assert_string_equal(e.number, "+33612345678");
        assert_string_equal(e.site, "Lyon 3e");
        assert_int_equal(e.role, HANDSET_CARRIER);
        assert_false(e.has_previous);
        assert_int_equal(e.revoked_at_s, 0);
        assert_in_range(e.not_after_s, time(NULL) + 100 * 86400 - 60, time(NULL) + 100 * 86400);
        public_of(folder, point);
        assert_memory_equal(point, e.key, P256_POINT_SIZE);
        certificate_names(folder, cn, serial);
        assert_string_equal(cn, id);
        hex_encode(e.enrolment, ENROLMENT_SIZE, enrolment);
        assert_string_equal(serial, enrolment);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                assert_int_equal(mode_of(folder, files[i].name), files[i].mode);
        assert_int_equal(place_run(p, "",
                                   (const char *const[]){ "vigie-handset", "-n", "-c",
                                                          in_folder(folder, "handset.conf", path), NULL }),
                         0);
}

static void pin_of(const char *folder, const char *key, char hash[PASSWORD_TEXT_SIZE])
{
        char path[512], line[256];
        FILE *f = fopen(in_folder(folder, "handset.conf", path), "r");

        assert_non_null(f);
        hash[0] = '\0';
        while (fgets(line, sizeof(line), f) != NULL)
                if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ' ')
                        snprintf(hash, PASSWORD_TEXT_SIZE, "%.*s", (int)PASSWORD_TEXT_SIZE - 1, line + strlen(key) + 3);
        fclose(f);
}

static void assert_pins(const char *folder, const char *pin, const char *duress)
{
        char hash[PASSWORD_TEXT_SIZE];
        bool match = false;

        pin_of(folder, "hash", hash);
        assert_int_equal(password_verify(pin, strlen(pin), hash, &match), 0);
        assert_true(match);
        pin_of(folder, "duress", hash);
        assert_int_equal(password_verify(duress, strlen(duress), hash, &match), 0);
        assert_true(match);
}

static void test_pins(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256];

        assert_int_equal(VIGIE(p, "enrol", "--pin", "2468", "--duress", "9713"), 0);
        printed(p, id, folder);
        assert_pins(folder, "2468", "9713");
        assert_int_equal(VIGIE_WITH(p, "13579\n86420\n", "enrol", "--pins"), 0);
        printed(p, id, folder);
        assert_pins(folder, "13579", "86420");
        assert_int_equal(VIGIE_WITH(p, "13579\n\n", "enrol", "--pins"), 0);
        assert_int_equal(count(p), 3);
        REFUSED(p, 2, "4 to 8 digits", "enrol", "--pin", "123");
        REFUSED(p, 2, "4 to 8 digits", "enrol", "--pin", "2468", "--duress", "97a3");
        REFUSED(p, 2, "needs a PIN", "enrol", "--duress", "9713");
        REFUSED(p, 2, "one digit or one swap", "enrol", "--pin", "2468", "--duress", "2468");
        REFUSED(p, 2, "one digit or one swap", "enrol", "--pin", "2468", "--duress", "2469");
        REFUSED(p, 2, "one digit or one swap", "enrol", "--pin", "2468", "--duress", "4268");
        REFUSED(p, 2, "one digit or one swap", "enrol", "--pin", "2468", "--duress", "24687");
        REFUSED(p, 2, "--pins", "enrol", "--pins", "--pin", "2468");
        REFUSED(p, 1, "PIN: a line is expected", "enrol", "--pins");
        assert_int_equal(count(p), 3);
}

/* The region's number goes into the phone's configuration; without one no modem either. */
/* The region's alert port at each host of the servers; or those said; or none. */
static void test_alert_ports(void **state)
{
        static const struct {
                const char *said, *written;
        } cases[] = { { NULL, "ba.example:8446,a.example:8446,[::1]:8446" }, { "c:1,d:2", "c:1,d:2" }, { "", "" } };
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], written[PASSWORD_TEXT_SIZE];

        for (size_t i = 0; i < 3; i++) {
                int status = VIGIE(p, "enrol", "--servers", "ba.example:8443,a.example:8443,[::1]:8444,a.example:1",
                                   cases[i].said != NULL ? "--alert-servers" : NULL, cases[i].said);

                assert_string_equal(p->err, "");
                assert_int_equal(status, 0);
                printed(p, id, folder);
                pin_of(folder, "alert_addresses", written);
                written[strcspn(written, "\n")] = '\0';
                assert_string_equal(written, cases[i].written);
        }
}

static void test_where_sms_go(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], path[512], text[4096];

        REFUSED(p, 2, "this region has no number", "enrol", "--modem", "/dev/ttyUSB2");
        assert_int_equal(VIGIE(p, "enrol"), 0);
        printed(p, id, folder);
        snprintf(path, sizeof(path), "%s/handset.conf", folder + strlen(p->dir) + 1);
        place_get(p, path, text, sizeof(text));
        assert_null(strstr(text, "[modem]"));
        place_get(p, "region/vigie.conf", text, sizeof(text));
        strcat(text, "[sms]\nnumber = +33700900900\n");
        place_put(p, "region/vigie.conf", text, strlen(text));
        REFUSED(p, 2, "a full name", "enrol", "--modem", "ttyUSB2");
        assert_int_equal(VIGIE(p, "enrol", "--modem", "/dev/ttyUSB2"), 0);
        printed(p, id, folder);
        snprintf(path, sizeof(path), "%s/handset.conf", folder + strlen(p->dir) + 1);
        place_get(p, path, text, sizeof(text));
        assert_non_null(strstr(text, "\n[modem]\nnumber = +33700900900\ndevice = /dev/ttyUSB2\n"));
}

static void test_a_supervisor_s_phone(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], out[256];
        struct handset_entry e;

        REFUSED(p, 2, "--person ''", "enrol", "--role", "supervisor");
        assert_int_equal(
                VIGIE(p, "enrol", "--role", "supervisor", "--person", "s1", "--out", place_path(p, "phone", out)), 0);
        assert_non_null(strstr(p->err, "note: supervisors: there is no s1 yet"));
        printed(p, id, folder);
        assert_string_equal(folder, out);
        assert_int_equal(read_entry(p, id, &e), 0);
        assert_int_equal(e.role, HANDSET_SUPERVISOR);
        assert_int_equal(VIGIE(p, "handset", "list"), 0);
        assert_memory_equal(p->out, id, 16);
        assert_non_null(strstr(p->out, "\tsupervisor\ts1\t\t\tuntil 20"));
}

static void test_refused_leaves_nothing(void **state)
{
        struct place *p = *state;
        char path[256], deep[256] = "";

        REFUSED(p, 2, "--role 'boss'", "enrol", "--role", "boss");
        REFUSED(p, 2, "--days 'x'", "enrol", "--days", "x");
        REFUSED(p, 2, "--days '3651'", "enrol", "--days", "3651");
        REFUSED(p, 2, "number '1'", "enrol", "--number", "1");
        REFUSED(p, 2, "--person 'a b'", "enrol", "--person", "a b");
        REFUSED(p, 2, "--servers 'x'", "enrol", "--servers", "x");
        REFUSED(p, 2, "--servers: none", "enrol", "--servers", "");
        REFUSED(p, 2, "--alert-servers 'x'", "enrol", "--alert-servers", "x");
        REFUSED(p, 2, "--alert-servers: more than 8 in all", "enrol", "--servers", "a:1,a:1,a:1,a:1,a:1", "--alert-servers", "a:1,a:1,a:1,a:1");
        REFUSED(p, 2, "--servers: more than", "enrol", "--servers",
                "a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1");
        REFUSED(p, 1, "phone: File exists", "enrol", "--out", (mkdir(place_path(p, "phone", path), 0700), path));
        REFUSED(p, 1, "none/there: No such file", "enrol", "--out", place_path(p, "none/there", path));
        place_path(p, "a ;b", path);
        REFUSED(p, 2, "begins a comment", "enrol", "--out", path);
        assert_false(place_has(p, "a ;b"));
        memset(deep, 'd', 95);
        REFUSED(p, 2, "at most 94 octets", "enrol", "--out", deep);
        place_redis_kill(p, 0);
        place_path(p, "phone2", path);
        REFUSED(p, 1, "Connection refused", "enrol", "--out", path);
        assert_false(place_has(p, "phone2"));
        place_redis(p, 0);
        assert_int_equal(count(p), 0);
}

/* The longest values that are taken are good for the daemon. */
static void test_longest_values(void **state)
{
        struct place *p = *state;
        char name[128], server[160], folder[256], out[256], id[HANDSET_ID_TEXT], path[512];

        memset(name, 'f', sizeof(name));
        name[94 - strlen(p->dir) - 1] = '\0';
        place_path(p, name, folder);
        assert_int_equal(strlen(folder), 94);
        memset(server, 's', sizeof(server));
        strcpy(server + 128 - strlen(":65535"), ":65535");
        REFUSED(p, 2, "at most 127 octets each", "enrol", "--servers", server);
        assert_int_equal(VIGIE(p, "enrol", "--person", "abcdefghijklmnopqrstuvwxyz012345", "--site",
                               "a site with a name of 32 octets.", "--servers", server + 1, "--number",
                               "+123456789012345", "--out", folder),
                         0);
        printed(p, id, out);
        const char *const argv[] = { "vigie-handset", "-n", "-c", in_folder(out, "handset.conf", path), NULL };
        assert_int_equal(place_run(p, "", argv), 0);
}

/* The region answers, and refuses the entry: what was made goes. */
static void test_a_refused_entry_leaves_nothing(void **state)
{
        struct place *p = *state;
        redisContext *c = place_as(p, 0, "dispatcher");
        char path[256];

        freeReplyObject(redisCommand(c, "SET {lyon}:handsets x"));
        redisFree(c);
        REFUSED(p, 1, "WRONGTYPE", "enrol", "--out", place_path(p, "phone", path));
        assert_false(place_has(p, "phone"));
}

static void test_an_expired_certificate_can_be_made(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256];
        struct handset_entry e;

        assert_int_equal(VIGIE(p, "enrol", "--days", "-10"), 0);
        printed(p, id, folder);
        assert_int_equal(read_entry(p, id, &e), 0);
        assert_true(e.not_after_s < time(NULL));
        assert_int_equal(VIGIE(p, "handset", "list"), 0);
        assert_non_null(strstr(p->out, "\texpired\n"));
}

static void test_revoke(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], upper[HANDSET_ID_TEXT];
        struct handset_entry e;
        uint32_t at_s;

        assert_int_equal(VIGIE(p, "enrol"), 0);
        printed(p, id, folder);
        for (size_t i = 0; i <= strlen(id); i++)
                upper[i] = id[i] >= 'a' ? (char)(id[i] - 32) : id[i];
        assert_int_equal(VIGIE(p, "handset", "revoke", upper), 0);
        assert_int_equal(read_entry(p, id, &e), 0);
        at_s = e.revoked_at_s;
        assert_in_range(at_s, time(NULL) - 60, time(NULL));
        usleep(1100000);
        assert_int_equal(VIGIE(p, "handset", "revoke", id), 0); /* since when does not change */
        assert_int_equal(read_entry(p, id, &e), 0);
        assert_int_equal(e.revoked_at_s, at_s);
        assert_int_equal(VIGIE(p, "handset", "list"), 0);
        assert_non_null(strstr(p->out, "\trevoked\n"));
        REFUSED(p, 1, "revoked: a phone that comes back is enrolled anew", "handset", "renew", id);
        REFUSED(p, 1, "handset 0000000000000000: not enrolled", "handset", "revoke", "0000000000000000");
        REFUSED(p, 2, "16 hex digits", "handset", "revoke", "0000");
        REFUSED(p, 2, "usage: vigie handset revoke ID", "handset", "revoke");
}

static void test_renew(void **state)
{
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], again[HANDSET_ID_TEXT], cn[32], serial[2][32],
                pin[2][PASSWORD_TEXT_SIZE], path[512];
        uint8_t first[KEY_PUBLIC_MAX], second[KEY_PUBLIC_MAX];
        struct handset_entry before, e;

        assert_int_equal(VIGIE(p, "enrol", "--pin", "2468"), 0);
        printed(p, id, folder);
        assert_int_equal(read_entry(p, id, &before), 0);
        public_of(folder, first);
        certificate_names(folder, cn, serial[0]);
        pin_of(folder, "hash", pin[0]);
        assert_int_equal(VIGIE(p, "handset", "renew", id, "--days", "900"), 0);
        printed(p, again, folder);
        assert_string_equal(again, id);
        assert_int_equal(read_entry(p, id, &e), 0);
        public_of(folder, second);
        assert_memory_not_equal(first, second, P256_POINT_SIZE);
        assert_memory_equal(e.key, second, P256_POINT_SIZE);
        assert_true(e.has_previous);
        assert_memory_equal(e.previous, first, P256_POINT_SIZE);
        assert_memory_equal(e.enrolment, before.enrolment, ENROLMENT_SIZE);
        assert_true(e.not_after_s > before.not_after_s);
        certificate_names(folder, cn, serial[1]);
        assert_string_equal(cn, id);
        assert_string_equal(serial[1], serial[0]);
        pin_of(folder, "hash", pin[1]);
        assert_string_equal(pin[1], pin[0]);
        assert_int_equal(mode_of(folder, "key.pem"), 0600);
        assert_int_equal(access(in_folder(folder, "key.pem.new", path), F_OK), -1);
        REFUSED(p, 2, "--days '0x'", "handset", "renew", id, "--days", "0x");
        REFUSED(p, 1, "none/key.pem.new: No such file", "handset", "renew", id, "--folder",
                place_path(p, "none", path));
        assert_int_equal(read_entry(p, id, &e), 0);
        assert_memory_equal(e.key, second, P256_POINT_SIZE); /* nothing changed */
}

/* Cut short after the region took the new key, with the files as they then are: the same key is finished, not a third
 * drawn. */
static void test_renew_cut_short(void **state)
{
        static const char *const moves[][2] = { { "certificate.pem", "certificate.pem.new" },
                                                { "key.pem", "key.pem.new" } };
        struct place *p = *state;
        char id[HANDSET_ID_TEXT], folder[256], from[512], to[512];
        uint8_t taken[KEY_PUBLIC_MAX], now[KEY_PUBLIC_MAX];
        struct handset_entry e, after;

        assert_int_equal(VIGIE(p, "enrol"), 0);
        printed(p, id, folder);
        assert_int_equal(VIGIE(p, "handset", "renew", id), 0);
        public_of(folder, taken);
        assert_int_equal(read_entry(p, id, &e), 0);
        for (size_t n = 1; n <= 2; n++) {
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(
                                rename(in_folder(folder, moves[i][0], from), in_folder(folder, moves[i][1], to)), 0);
                assert_int_equal(VIGIE(p, "handset", "renew", id), 0);
                public_of(folder, now);
                assert_memory_equal(now, taken, P256_POINT_SIZE);
                assert_int_equal(read_entry(p, id, &after), 0);
                assert_memory_equal(after.previous, e.previous, P256_POINT_SIZE);
        }
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_a_carrier_s_phone),
                WITH_STORES(test_pins),
                WITH_STORES(test_alert_ports),
                WITH_STORES(test_where_sms_go),
                WITH_STORES(test_a_supervisor_s_phone),
                WITH_STORES(test_refused_leaves_nothing),
                WITH_STORES(test_longest_values),
                WITH_STORES(test_a_refused_entry_leaves_nothing),
                WITH_STORES(test_an_expired_certificate_can_be_made),
                WITH_STORES(test_revoke),
                WITH_STORES(test_renew),
                WITH_STORES(test_renew_cut_short),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
