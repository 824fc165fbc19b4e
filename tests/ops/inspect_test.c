#include "tests/wire/octets.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "ops/vigie/inspect.h"
#include "tests/base/folder.h"
#include "wire/base45.h"
#include "wire/cose.h"

#define KEYS "tests/wire/vectors/"

/* A folder for the input and what came out. */
struct fixture {
        char folder[FOLDER_PATH], in[96], out[96], err[96], p384[96];
        char said[65536]; /* stdout, then stderr */
};

static void file_put(const char *path, const void *data, size_t len)
{
        FILE *file = fopen(path, "wb");

        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, len, file), len);
        fclose(file);
}

static size_t file_get(const char *path, char *to, size_t size)
{
        FILE *file = fopen(path, "rb");
        size_t len;

        assert_non_null(file);
        len = fread(to, 1, size - 1, file);
        to[len] = '\0';
        fclose(file);
        return len;
}

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        EVP_PKEY *p384 = EVP_EC_gen("P-384");
        FILE *file;

        assert_non_null(f);
        folder_fresh(f->folder);
        snprintf(f->in, sizeof(f->in), "%s/in", f->folder);
        snprintf(f->out, sizeof(f->out), "%s/out", f->folder);
        snprintf(f->err, sizeof(f->err), "%s/err", f->folder);
        snprintf(f->p384, sizeof(f->p384), "%s/p384.pem", f->folder);
        file = fopen(f->p384, "w");
        assert_non_null(file);
        PEM_write_PUBKEY(file, p384);
        fclose(file);
        EVP_PKEY_free(p384);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        unlink(f->in);
        unlink(f->out);
        unlink(f->err);
        unlink(f->p384);
        rmdir(f->folder);
        free(f);
        return 0;
}

/* The octets of the own vector NAME, as hex. */
static const char *vector(const char *name)
{
        static char line[8192];
        FILE *file = fopen(KEYS "cose.txt", "r");

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ') {
                        fclose(file);
                        return strrchr(line, ' ') + 1;
                }
        }
        fail_msg("no vector %s", name);
        return NULL;
}

/* Run inspect on LEN octets of stdin with the words of ARGS; gives its exit status. */
static int run(struct fixture *f, const void *in, size_t len, const char *args)
{
        char words[512], *argv[16] = { "inspect" };
        int argc = 1, status, fds[3];
        pid_t pid;

        snprintf(words, sizeof(words), "%s", args);
        for (char *word = strtok(words, "|"); word != NULL; word = strtok(NULL, "|"))
                argv[argc++] = word;
        file_put(f->in, in, len);
        fflush(NULL);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                fds[0] = open(f->in, O_RDONLY);
                fds[1] = open(f->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                fds[2] = open(f->err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                for (int i = 0; i < 3; i++)
                        if (dup2(fds[i], i) < 0)
                                _exit(99);
                exit(inspect_main(argc, argv));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        len = file_get(f->out, f->said, sizeof(f->said));
        file_get(f->err, f->said + len, sizeof(f->said) - len);
        return WEXITSTATUS(status);
}

static void in_every_form(void **state)
{
        struct fixture *f = *state;
        const char *hex = vector("alert");
        struct octets raw = octets_from(hex);
        char text[1024], path[192];

        assert_int_equal(run(f, hex, strlen(hex), ""), 0);
        assert_non_null(strstr(f->said, "\nalert\n  handset: 5a17c0de00000001\n"));
        assert_int_equal(run(f, raw.at, raw.len, "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_non_null(strstr(f->said, "\nvalid: " KEYS "handset.pem\n"));
        assert_int_equal(base45_write(octets_span(&raw), text, sizeof(text)), 0);
        strcat(text, "\n");
        assert_int_equal(run(f, text, strlen(text), "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_int_equal(run(f, hex, strlen(hex), "--key=" KEYS "handset.pem|--aad=hex:766967696520616c657274|-"), 0);
        snprintf(path, sizeof(path), "--key|" KEYS "handset.pem|--aad|vigie alert|%s", f->in);
        assert_int_equal(run(f, hex, strlen(hex), path), 0);
}

static void keys_and_aad(void **state)
{
        struct fixture *f = *state;
        const char *hex = vector("alert");
        char args[256], other[1024], *at;

        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "handset.pem"), 1);
        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "handset.pem|--aad|vigie receipt"), 1);
        assert_non_null(strstr(f->said, "not valid: "));
        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "root.pem|--aad|vigie alert"), 1);
        assert_non_null(strstr(f->said, "another algorithm than the key's"));
        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "root.pem|--key|" KEYS "handset.pem|--aad|vigie alert"),
                         0);
        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "root.pem|--key|" KEYS "root.pem|--aad|vigie alert"),
                         1);
        assert_int_equal(run(f, hex, strlen(hex), "--key|" KEYS "handset.pem|--aad|vigie alert|--aad|vigie alert"), 3);
        assert_non_null(strstr(f->said, "--aad: given twice"));
        snprintf(other, sizeof(other), "%s", hex);
        assert_non_null(at = strstr(other, "a104485a17")); /* the kid is a hint: another one changes nothing */
        memcpy(at + 6, "ffff", 4);
        assert_int_equal(run(f, other, strlen(other), "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        snprintf(args, sizeof(args), "--key|%s|--aad|vigie alert", f->p384);
        assert_int_equal(run(f, hex, strlen(hex), args), 3); /* nobody looked: it may be good */
        assert_non_null(strstr(f->said, "could not look: "));
        snprintf(args, sizeof(args), "--key|%s|--key|" KEYS "handset.pem|--aad|vigie alert", f->p384);
        assert_int_equal(run(f, hex, strlen(hex), args), 0);
}

/* Every vector gets the exit status that its line says. */
static void exit_statuses(void **state)
{
        static char all[1 << 17];
        struct fixture *f = *state;
        char args[256], *word[6], *rest = all;
        unsigned seen = 0;
        int expected, got;

        file_get(KEYS "cose.txt", all, sizeof(all)); /* closed before the first fork */
        for (strsep(&rest, "\n"); rest != NULL && *rest != '\0'; seen++) {
                for (int i = 0; i < 6; i++)
                        word[i] = strsep(&rest, i < 5 ? " " : "\n");
                snprintf(args, sizeof(args), "--key|" KEYS "%s|--aad|hex:%s", word[3],
                         strcmp(word[4], "-") != 0 ? word[4] : "");
                expected = strcmp(word[1], "valid") == 0 ? 0 : strcmp(word[1], "not-valid") == 0 ? 1 : 2;
                got = run(f, word[5], strlen(word[5]), args);
                if (got != expected)
                        fail_msg("%s: %d %s", word[0], got, f->said);
        }
        assert_int_equal(seen, 40);
}

static void malformed(void **state)
{
        struct fixture *f = *state;
        const size_t large = 4 * COSE_MAX + 1;
        char *zeros = calloc(1, large), name[192];

        assert_non_null(zeros);
        assert_int_equal(run(f, "", 0, ""), 2);
        assert_non_null(strstr(f->said, "malformed: empty"));
        assert_int_equal(run(f, "1817", 4, f->in), 2);
        snprintf(name, sizeof(name), "malformed: %s: an integer", f->in);
        assert_non_null(strstr(f->said, name));
        assert_int_equal(run(f, "1817", 4, ""), 2);
        assert_non_null(strstr(f->said, "malformed: an integer or length not in its shortest form"));
        assert_int_equal(run(f, "VG1:!!", 6, ""), 2);
        assert_non_null(strstr(f->said, "malformed: neither hex nor base45 of an object; taken as raw octets: "));
        assert_int_equal(run(f, "\xff", 1, ""), 2);
        assert_null(strstr(f->said, "neither"));
        assert_int_equal(run(f, "\0\0", 2, ""), 2);
        assert_null(strstr(f->said, "neither"));
        assert_int_equal(run(f, "83010203", 8, ""), 0);
        assert_int_equal(run(f, "83010203", 8, "--key|" KEYS "handset.pem"), 2);
        assert_non_null(strstr(f->said, "malformed: no COSE_Sign1: not an array of four"));
        assert_int_equal(run(f, zeros, large, ""), 2);
        assert_non_null(strstr(f->said, "malformed: larger than"));
        assert_int_equal(run(f, zeros, large - 1, ""), 2);
        free(zeros);
}

static void could_not_look(void **state)
{
        static const char large[KEY_PEM_MAX + 1];
        struct fixture *f = *state;
        char args[192];

        assert_int_equal(run(f, "00", 2, "--key|" KEYS "none.pem"), 3);
        assert_int_equal(run(f, "00", 2, "--key|" KEYS "cose.txt"), 3);
        assert_non_null(strstr(f->said, KEYS "cose.txt: no public key, private key or certificate in it"));
        snprintf(args, sizeof(args), "--key|%s", f->in);
        assert_int_equal(run(f, large, sizeof(large), args), 3);
        assert_non_null(strstr(f->said, "in: too large for a key"));
        assert_int_equal(run(f, "00", 2, "--key"), 3);
        assert_int_equal(run(f, "00", 2, "--aad|hex:0"), 3);
        assert_int_equal(run(f, "00", 2, "--aad|hex:0g"), 3);
        assert_int_equal(run(f, "00", 2, "--colour"), 3);
        assert_int_equal(run(f, "00", 2, KEYS "none"), 3);
        assert_int_equal(run(f, "00", 2, KEYS "cose.txt|more"), 3);
        assert_int_equal(run(f, "00", 2, KEYS), 3);
}

/* As health certificates are made: COSE_Sign1 tagged, zlib, base45, a prefix of their own. */
static void compressed_with_a_prefix(void **state)
{
        struct fixture *f = *state;
        struct octets raw = octets_from(vector("alert"));
        uint8_t packed[1024], bomb[4096], *zeros = calloc(1, 1 << 20);
        uLongf len = sizeof(packed);
        char text[2048] = "HC1:", lines[2048];

        assert_int_equal(compress(packed, &len, raw.at, raw.len), Z_OK);
        assert_int_equal(base45_write((struct cbor_span){ packed, len }, text + 4, sizeof(text) - 5), 0);
        assert_int_equal(run(f, text, strlen(text), "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_non_null(strstr(f->said, "zlib: "));
        snprintf(lines, sizeof(lines), "\n\t%.2000s\t\r\n", text);
        assert_int_equal(run(f, lines, strlen(lines), "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_non_null(strstr(f->said, "\nalert\n"));
        assert_int_equal(run(f, text + 4, strlen(text + 4), "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_int_equal(run(f, packed, len, "--key|" KEYS "handset.pem|--aad|vigie alert"), 0);
        assert_int_equal(run(f, packed, len, "--key|" KEYS "root.pem|--aad|vigie alert"), 1);
        packed[len] = 0;
        assert_int_equal(run(f, packed, len + 1, ""), 2);
        assert_non_null(strstr(f->said, "bytes after its end"));
        packed[len - 1] ^= 1; /* its check sum */
        assert_int_equal(run(f, packed, len, ""), 2);
        assert_int_equal(run(f, packed, len - 4, ""), 2);
        assert_non_null(strstr(f->said, "cut short"));
        assert_non_null(zeros);
        len = sizeof(bomb);
        assert_int_equal(compress(bomb, &len, zeros, 4 * COSE_MAX + 1), Z_OK);
        assert_int_equal(run(f, bomb, len, ""), 2);
        assert_non_null(strstr(f->said, "unpacks to too much"));
        memcpy(text, "NINECHARS:", 10);
        assert_int_equal(run(f, text, strlen(text), ""), 2);
        free(zeros);
}

/* A certificate of KEY by SIGNER, as DER; gives its octets. */
static size_t certificate(EVP_PKEY *key, EVP_PKEY *signer, uint8_t *der)
{
        X509 *x = X509_new();
        size_t len;

        ASN1_TIME_set(X509_getm_notBefore(x), 0);
        ASN1_TIME_set(X509_getm_notAfter(x), 1);
        assert_int_equal(X509_set_pubkey(x, key), 1);
        assert_true(X509_sign(x, signer, EVP_sha256()) > 0);
        len = (size_t)i2d_X509(x, &der);
        X509_free(x);
        return len;
}

/* Certificates as test data has them: DER, or its base64 without the lines of PEM; of an RSA key: nobody can look. */
static void certificates_without_pem(void **state)
{
        struct fixture *f = *state;
        const char *hex = vector("alert");
        uint8_t der[4096];
        char text[8192], args[256];
        struct key *key = NULL;
        EVP_PKEY *rsa = EVP_RSA_gen(2048);
        size_t len;

        assert_int_equal(key_from_file(KEYS "handset.pem", &key), 0);
        len = certificate(key_pkey(key), rsa, der);
        key_free(key);
        snprintf(args, sizeof(args), "--key|%s|--aad|vigie alert", f->p384);
        file_put(f->p384, der, len);
        assert_int_equal(run(f, hex, strlen(hex), args), 0);
        EVP_EncodeBlock((unsigned char *)text, der, (int)len);
        memmove(text + 81, text + 80, strlen(text + 80) + 1);
        text[80] = '\n';
        file_put(f->p384, text, strlen(text));
        assert_int_equal(run(f, hex, strlen(hex), args), 0);
        text[100] = '!';
        file_put(f->p384, text, strlen(text));
        assert_int_equal(run(f, hex, strlen(hex), args), 3);
        assert_non_null(rsa);
        len = certificate(rsa, rsa, der);
        EVP_PKEY_free(rsa);
        file_put(f->p384, der, len);
        assert_int_equal(run(f, hex, strlen(hex), args), 3);
        assert_non_null(strstr(f->said, "could not look: "));
        snprintf(args, sizeof(args), "--key|%s|--key|" KEYS "root.pem|--aad|vigie alert", f->p384);
        assert_int_equal(run(f, hex, strlen(hex), args), 3); /* not this one's; whether the other's nobody knows */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(in_every_form, set_up, tear_down),
                cmocka_unit_test_setup_teardown(keys_and_aad, set_up, tear_down),
                cmocka_unit_test_setup_teardown(exit_statuses, set_up, tear_down),
                cmocka_unit_test_setup_teardown(malformed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(could_not_look, set_up, tear_down),
                cmocka_unit_test_setup_teardown(compressed_with_a_prefix, set_up, tear_down),
                cmocka_unit_test_setup_teardown(certificates_without_pem, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
