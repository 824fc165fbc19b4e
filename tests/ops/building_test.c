/* Buildings, the stops of rounds, doors and their logs, by the tool as an operator uses it. */
#include "tests/ops/place.h"

#include "wire/desk.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

/* The first word of what the tool said. */
static void word(const struct place *p, char to[17])
{
        assert_true(strlen(p->out) > 16);
        memcpy(to, p->out, 16);
        to[16] = 0;
        assert_int_equal(strspn(to, "0123456789abcdef"), 16);
}

static int count_lines(const struct place *p)
{
        int n = 0;

        for (const char *c = p->out; *c != 0; c++)
                n += *c == '\n';
        return n;
}

/* How many entries {lyon}:people:changes has. */
static long long changes(const struct place *p)
{
        redisContext *c = place_as(p, 0, "dispatcher");
        redisReply *reply = redisCommand(c, "XLEN {lyon}:people:changes");
        long long n = reply->integer;

        freeReplyObject(reply);
        redisFree(c);
        return n;
}

static void import_from(struct place *p, const char *text, int status)
{
        char path[256];

        place_put(p, "b.csv", text, strlen(text));
        assert_int_equal(VIGIE(p, "building", "import", place_path(p, "b.csv", path)), status);
}

static void test_import(void **state)
{
        static const char file[] =
                "nom;adresse;latitude;longitude;sensible;tournée;équipe\n"
                "Hôtel;1, place;45,7595;4,8362;non;r1;nord\nBanque;12, rue;;;oui;r1;nord\nÉcole;3, rue;;;;r2;\n";
        struct place *p = *state;
        char id[17];

        assert_int_equal(VIGIE(p, "round", "add", "r2", "--name", "R 2"), 0);
        import_from(p, "name,round\na,r1\nb,r 1\n", 1);
        assert_non_null(strstr(p->err, "line 3: round 'r 1'"));
        assert_int_equal(VIGIE(p, "building", "list"), 0);
        assert_string_equal(p->out, ""); /* all of it, or nothing */
        assert_int_equal(changes(p), 1);
        import_from(p, file, 0);
        assert_string_equal(p->out, "3 buildings, stops of 2 rounds\n");
        assert_int_equal(changes(p), 1 + 3 + 2 + 1);
        assert_int_equal(VIGIE(p, "round", "list"), 0);
        assert_string_equal(p->out, "r1\tr1\t\tnord\nr2\tR 2\t\t\n");
        import_from(p, file, 0); /* the same ones */
        assert_int_equal(VIGIE(p, "building", "list"), 0);
        assert_int_equal(count_lines(p), 3);
        assert_non_null(strstr(p->out, "Hôtel\t1, place\t45.7595000 4.8362000\t\t\t\n"));
        assert_non_null(strstr(p->out, "Banque\t12, rue\t\tsensitive\t\t\n"));
        assert_int_equal(VIGIE(p, "round", "stops", "r1"), 0);
        assert_int_equal(count_lines(p), 2);
        word(p, id);
        assert_memory_equal(p->out + 17, "Hôtel", 6);
        REFUSED(p, 1, "round r1 stops there; nothing was changed", "building", "remove", id);
        assert_int_equal(VIGIE(p, "building", "add", "--name", "Hôtel Dieu", "--id", id, "--no-qr"), 0);
        assert_int_equal(VIGIE(p, "round", "stops", "r2", id, id), 0);
        assert_int_equal(VIGIE(p, "round", "stops", "r2"), 0);
        assert_int_equal(count_lines(p), 2);
        assert_non_null(strstr(p->out, "Hôtel Dieu"));
        REFUSED(p, 1, "there is no building 0000000000000000", "round", "stops", "r2", "0000000000000000");
        REFUSED(p, 1, "there is no round r9", "round", "stops", "r9", id);
        REFUSED(p, 2, "usage: vigie round stops", "round", "stops");
        import_from(p, "name,id\nx,PBD-17\n", 0); /* SHA-256 of "lyon/PBD-17" */
        assert_int_equal(VIGIE(p, "building", "list"), 0);
        assert_non_null(strstr(p->out, "ac909203b4ef2d6d\tx\t"));
        import_from(p, "name\n\"x\n", 1);
        assert_non_null(strstr(p->err, "line 2: a quote that is not closed"));
}

/* Many are told by one word. */
static void test_many_are_told_at_once(void **state)
{
        struct place *p = *state;
        char text[8192], *at = text;

        at += sprintf(at, "name\n");
        for (int i = 0; i < 33; i++)
                at += sprintf(at, "b%d\n", i);
        import_from(p, text, 0);
        assert_string_equal(p->out, "33 buildings, stops of 0 rounds\n");
        assert_int_equal(changes(p), 1);
}

static void test_add_is_refused(void **state)
{
        struct place *p = *state;

        REFUSED(p, 2, "--name is needed", "building", "add");
        REFUSED(p, 2, "both, or none", "building", "add", "--name", "x", "--lat", "1");
        REFUSED(p, 2, "--lat '91': -90 to 90", "building", "add", "--name", "x", "--lat", "91", "--lon", "1");
        REFUSED(p, 2, "--id 'x': 16 hex digits", "building", "add", "--name", "x", "--id", "x");
        REFUSED(p, 1, "there is no building 0000000000000000", "building", "remove", "0000000000000000");
        REFUSED(p, 1, "no.csv: No such file", "building", "import", "no.csv");
}

/* A door's folder is all that vigie-door needs, its mandate is the region's, and its log is found whole, or not. */
static void test_a_door(void **state)
{
        struct place *p = *state;
        char building[17], id[17], out[256], conf[256], work[300], name[256];
        uint8_t octets[1024], byte;
        struct key *key = NULL;
        struct mandate_signed mandate;
        size_t len;
        FILE *f;

        assert_int_equal(VIGIE(p, "building", "add", "--name", "Banque", "--sensitive"), 0);
        word(p, building);
        place_path(p, "door", out);
        REFUSED(p, 2, "--class 'lift'", "door", "add", "--building", building, "--class", "lift", "--out", out);
        REFUSED(p, 2, "--days '731'", "door", "add", "--building", building, "--class", "nfc", "--out", out, "--days",
                "731");
        REFUSED(p, 2, "any other door has --out", "door", "add", "--building", building, "--class", "nfc");
        REFUSED(p, 1, "there is no building", "door", "add", "--building", "0000000000000000", "--class", "nfc",
                "--out", out);
        assert_false(place_has(p, "door"));
        assert_int_equal(
                VIGIE(p, "door", "add", "--building", building, "--class", "scanner", "--out", out, "--at", out), 0);
        word(p, id);
        REFUSED(p, 1, "door: File exists", "door", "add", "--building", building, "--class", "nfc", "--out", out);
        assert_int_equal(place_mode(p, "door/door.pem"), 0600);
        len = place_get(p, "door/mandate", (char *)octets, sizeof(octets));
        assert_int_equal(mandate_read((struct cbor_span){ octets, len }, &mandate, NULL), 0);
        assert_int_equal(key_from_file(place_path(p, "region/door.pem", name), &key), 0);
        assert_int_equal(cose_sign1_verify(&mandate.cose, key, CBOR_LITERAL(MANDATE_AAD)), 0);
        key_free(key);
        snprintf(work, sizeof(work), "state.path=%s/work", p->dir);
        assert_int_equal(mkdir(work + strlen("state.path="), 0700), 0);
        REFUSED(p, 3, "work: no door's log in it", "door-log", work + strlen("state.path="));
        REFUSED(p, 2, "go with --duress", "door-log", work + strlen("state.path="), "--by", "a", "--second", "b");
        place_path(p, "door/door.pem", name);
        assert_int_equal(place_run(p, "",
                                   (const char *const[]){ "vigie-door", "verify-log", work + strlen("state.path="),
                                                          name, NULL }),
                         3);
        place_put(p, "work/lock", "", 0); /* a door was there, and nobody came */
        assert_int_equal(VIGIE(p, "door-log", work + strlen("state.path=")), 0);
        assert_string_equal(p->out, "no entry\n");
        place_path(p, "door/door.conf", conf);
        assert_int_equal(place_run(p, "VG1:NOT A PASS\n3017620422003\n",
                                   (const char *const[]){ "vigie-door", "-c", conf, "-o", work, NULL }),
                         0);
        assert_string_equal(p->out, "refused 2 malformed\nrefused 2 malformed\n");
        assert_int_equal(VIGIE(p, "door-log", work + strlen("state.path=")), 0);
        assert_non_null(strstr(p->out, "\tmalformed\tscanner\t"));
        assert_non_null(strstr(p->out, ": entries 1 to 2 are whole, head "));
        assert_int_equal(VIGIE(p, "door", "list"), 0);
        assert_non_null(strstr(p->out, "list of never\tlooked at 2"));
        REFUSED(p, 1, "is there; nothing was changed", "building", "remove", building);
        f = fopen(place_path(p, "work/log.0000000000000001", name), "r+b");
        assert_int_equal(fseek(f, 120, SEEK_SET), 0);
        byte = (uint8_t)(fgetc(f) ^ 1);
        assert_int_equal(fseek(f, 120, SEEK_SET), 0);
        fputc(byte, f);
        fclose(f);
        assert_int_equal(VIGIE(p, "door-log", work + strlen("state.path=")), 1);
        assert_non_null(strstr(p->out, "cut at its end"));
        assert_int_equal(VIGIE(p, "door", "remove", id), 0);
        REFUSED(p, 1, "there is no door", "door", "remove", id);
        assert_int_equal(VIGIE(p, "building", "remove", building), 0);
}

/* A key that was drawn at the door, whose private half never came here. */
static void test_a_door_with_a_key_of_its_own(void **state)
{
        struct place *p = *state;
        char building[17], out[256], path[256], pem[KEY_PEM_MAX];
        struct key *key = NULL;

        assert_int_equal(VIGIE(p, "building", "add", "--name", "B"), 0);
        word(p, building);
        assert_int_equal(key_generate(KEY_ES256, &key), 0);
        assert_int_equal(key_to_pem(key, false, pem, sizeof(pem)), 0);
        key_free(key);
        place_put(p, "pub.pem", pem, strlen(pem));
        place_path(p, "door", out);
        REFUSED(p, 1, "not a P-256 key", "door", "add", "--building", building, "--class", "nfc", "--out", out, "--key",
                place_path(p, "region/root.pem", path));
        assert_int_equal(VIGIE(p, "door", "add", "--building", building, "--class", "nfc", "--out", out, "--key",
                               place_path(p, "pub.pem", path)),
                         0);
        assert_false(place_has(p, "door/door.pem"));
        assert_true(place_has(p, "door/mandate"));
        assert_int_equal(unlink(place_path(p, "region/door.key", path)), 0);
        place_path(p, "door2", out);
        REFUSED(p, 1, "the region's key for doors is needed", "door", "add", "--building", building, "--class", "nfc",
                "--out", out);
        assert_false(place_has(p, "door2")); /* nothing is left */
}

static void test_a_caretaker(void **state)
{
        struct place *p = *state;
        char building[17];
        const char *link;

        assert_int_equal(VIGIE(p, "building", "add", "--name", "École"), 0);
        word(p, building);
        REFUSED(p, 2, "--page 'x'", "door", "add", "--building", building, "--class", "caretaker", "--page", "x");
        assert_int_equal(
                VIGIE(p, "door", "add", "--building", building, "--class", "caretaker", "--page", "https://h/c/"), 0);
        link = strstr(p->out, "https://h/c/#");
        assert_non_null(link);
        assert_memory_equal(link + 13, "hgFkbHlvblgg", 12); /* [1, "lyon", 32 octets ...] */
        assert_int_equal(VIGIE(p, "trust", "publish"), 0);
}

#define WITH_STORES(test) cmocka_unit_test_setup_teardown(test, place_open_stores, place_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORES(test_import),         WITH_STORES(test_many_are_told_at_once),
                WITH_STORES(test_add_is_refused), WITH_STORES(test_a_door),
                WITH_STORES(test_a_caretaker),    WITH_STORES(test_a_door_with_a_key_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
