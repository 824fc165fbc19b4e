#include "ops/vigie/inspect.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/hex.h"
#include "ops/vigie/inspect_key.h"
#include "ops/vigie/say.h"
#include "wire/inspect.h"
#include "wire/signing.h"

enum { EXIT_VALID, EXIT_NOT_VALID, EXIT_MALFORMED, EXIT_NOT_LOOKED };

/* Octets read.  The largest COSE_Sign1 in hex is half of it; more is malformed. */
#define INPUT_MAX (4 * COSE_MAX)
/* Text printed.  An octet gives at most 6 characters, twice; what is more is cut, and that is said. */
#define TEXT_MAX  (16 * INPUT_MAX)
/* Keys tried.  A region has about 20.  One more is a wrong call. */
#define KEYS_MAX  64

struct inspection {
        const char *path; /* NULL: stdin */
        const char *key_paths[KEYS_MAX];
        struct key *keys[KEYS_MAX]; /* NULL where the kind of key is not supported */
        size_t count;
        uint8_t aad[COSE_AAD_MAX];
        size_t aad_len;
        bool has_aad;
        uint8_t *input, *octets, *inflated;
        char *text;
        size_t input_len, octets_len;
};

static int usage(FILE *to)
{
        fprintf(to, "usage: vigie inspect [--key FILE]... [--aad TEXT|hex:OCTETS] [FILE]\n"
                    "Prints the object in FILE or on stdin (hex, base45 or raw, compressed by zlib or not); with "
                    "--key verifies a COSE_Sign1.\n"
                    "Exit status: 0 valid or printed, 1 not valid, 2 malformed, 3 could not look.\n");
        return EXIT_NOT_LOOKED;
}

/* ---- what was asked for */

static int aad_take(struct inspection *in, const char *text)
{
        const bool hex = strncmp(text, "hex:", 4) == 0;
        const size_t len = hex ? strlen(text + 4) / 2 : strlen(text);

        if (in->has_aad) {
                fprintf(stderr, "inspect: --aad: given twice; it is one\n");
                return -EINVAL;
        }
        if (len > COSE_AAD_MAX) {
                fprintf(stderr, "inspect: --aad: longer than %d octets\n", COSE_AAD_MAX);
                return -EINVAL;
        }
        if (!hex && len > 0)
                memcpy(in->aad, text, len);
        if (hex && hex_decode(text + 4, in->aad, len) < 0) {
                fprintf(stderr, "inspect: --aad: not hex: %s\n", text + 4);
                return -EINVAL;
        }
        in->aad_len = len;
        in->has_aad = true;
        return 0;
}

static int key_take_path(struct inspection *in, const char *path)
{
        int r;

        if (in->count == KEYS_MAX) {
                fprintf(stderr, "inspect: more than %d keys\n", KEYS_MAX);
                return -E2BIG;
        }
        r = inspect_key(path, &in->keys[in->count]);
        if (r < 0)
                fprintf(stderr, "inspect: %s: %s\n", path,
                        r == -EOPNOTSUPP ? "a key of another kind than P-256 and Ed25519: not supported"
                        : r == -EINVAL   ? "no public key, private key or certificate in it"
                                         : key_trouble(r));
        if (r < 0 && r != -EOPNOTSUPP)
                return r;
        in->key_paths[in->count++] = path;
        return 0;
}

static int arguments_read(struct inspection *in, int argc, char **argv)
{
        static const struct option options[] = {
                { "key", required_argument, NULL, 'k' },
                { "aad", required_argument, NULL, 'a' },
                { 0 },
        };
        int option, r;

        optind = 1;
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                r = option == 'k' ? key_take_path(in, optarg) : option == 'a' ? aad_take(in, optarg) : -EINVAL;
                if (r < 0)
                        return option == '?' ? usage(stderr) : EXIT_NOT_LOOKED;
        }
        if (argc - optind > 1)
                return usage(stderr);
        if (optind < argc && strcmp(argv[optind], "-") != 0)
                in->path = argv[optind];
        return EXIT_VALID;
}

/* malformed: say that the input is, which one, and the rule. */
static int __attribute__((format(printf, 2, 3))) malformed(const struct inspection *in, const char *format, ...)
{
        va_list args;

        fprintf(stderr, "malformed: %s%s", in->path != NULL ? in->path : "", in->path != NULL ? ": " : "");
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        return EXIT_MALFORMED;
}

/* Read the whole input, one octet more than fits showing that it is too large. */
static int input_read(struct inspection *in)
{
        FILE *file = in->path != NULL ? fopen(in->path, "rb") : stdin;
        const char *name = in->path != NULL ? in->path : "stdin";
        bool failed;

        if (file == NULL) {
                fprintf(stderr, "inspect: %s: %s\n", name, strerror(errno));
                return EXIT_NOT_LOOKED;
        }
        in->input_len = fread(in->input, 1, INPUT_MAX + 1, file);
        failed = ferror(file) != 0;
        if (failed)
                fprintf(stderr, "inspect: %s: %s\n", name, strerror(errno));
        if (in->path != NULL)
                fclose(file);
        if (failed)
                return EXIT_NOT_LOOKED;
        if (in->input_len > INPUT_MAX)
                return malformed(in, "larger than %d octets", INPUT_MAX);
        return in->input_len == 0 ? malformed(in, "empty") : EXIT_VALID;
}

/* ---- what it is, and whether it holds */

static const char *reason(const struct cose_sign1 *m, int error)
{
        if (error == -EOPNOTSUPP && m->critical_unknown)
                return "a critical header that is not known here";
        if (error == -EOPNOTSUPP && m->alg != KEY_ES256 && m->alg != KEY_EDDSA)
                return "algorithm not supported";
        switch (error) {
        case -EOPNOTSUPP:
                return "the message names another algorithm than the key's";
        case -EKEYREJECTED:
                return m->signature.len != KEY_SIGNATURE_SIZE
                               ? "the signature is not 64 octets long"
                               : "the signature is not this key's over these octets and this aad";
        case -ENODATA:
                return "the payload is detached: there is nothing to verify";
        case -EINVAL:
                return "an X25519 key verifies nothing";
        default:
                return "libcrypto failed";
        }
}

static int verify(const struct inspection *in)
{
        struct cbor_span octets = { in->octets, in->octets_len }, aad = { in->aad, in->aad_len };
        struct cose_sign1 m;
        const char *why;
        size_t looked = 0;
        int r;

        if (cose_sign1_parse(octets, COSE_ANY, &m, &why) < 0)
                return malformed(in, "no COSE_Sign1: %s", why);
        for (size_t i = 0; i < in->count; i++) {
                if (in->keys[i] != NULL && cose_sign1_verify(&m, in->keys[i], aad) == 0) {
                        printf("valid: %s\n", in->key_paths[i]);
                        return EXIT_VALID;
                }
        }
        for (size_t i = 0; i < in->count; i++) {
                r = in->keys[i] != NULL ? cose_sign1_verify(&m, in->keys[i], aad) : 0;
                if (r < 0)
                        fprintf(stderr, "not valid: %s: %s\n", in->key_paths[i], reason(&m, r));
                else
                        fprintf(stderr,
                                "could not look: %s: a key of a kind that is not supported (P-256 and Ed25519 are)\n",
                                in->key_paths[i]);
                looked += r < 0;
        }
        return looked == in->count ? EXIT_NOT_VALID : EXIT_NOT_LOOKED;
}

/* What came compressed, as certificates in QR codes do; a bomb stops at INPUT_MAX. */
static int expand(struct inspection *in)
{
        uLongf len = INPUT_MAX;
        uLong used = in->octets_len;
        int r = uncompress2(in->inflated, &len, in->octets, &used);

        if (r != Z_OK || used != in->octets_len)
                return malformed(in, "begins as zlib does, and %s",
                                 r == Z_OK          ? "has bytes after its end"
                                 : r == Z_BUF_ERROR ? "unpacks to too much"
                                                    : "is altered or cut short");
        printf("zlib: %zu octets, unpacked %lu\n", in->octets_len, len);
        memcpy(in->octets, in->inflated, len);
        in->octets_len = len;
        return EXIT_VALID;
}

/* is_text: say whether somebody wrote this with a keyboard: then it was meant as hex or base45. */
static bool is_text(struct cbor_span octets)
{
        for (size_t i = 0; i < octets.len; i++)
                if (octets.at[i] >= 0x7f || (octets.at[i] < 0x20 && memchr("\t\n\r", octets.at[i], 3) == NULL))
                        return false;
        return octets.len > 0;
}

static int inspect(struct inspection *in)
{
        struct inspect_text text;
        enum inspect_form form;
        const char *why;
        int r;

        form = inspect_decode((struct cbor_span){ in->input, in->input_len }, in->octets, &in->octets_len);
        if (inspect_is_zlib((struct cbor_span){ in->octets, in->octets_len }) && (r = expand(in)) != EXIT_VALID)
                return r;
        inspect_text_init(&text, in->text, TEXT_MAX);
        r = inspect_print((struct cbor_span){ in->octets, in->octets_len }, &text, &why);
        if (r < 0)
                return malformed(in, "%s%s",
                                 form == INSPECT_RAW && is_text((struct cbor_span){ in->octets, in->octets_len })
                                         ? "neither hex nor base45 of an object; taken as raw octets: "
                                         : "",
                                 why);
        printf("%s%s", in->text, text.full ? " ... cut\n" : "");
        return in->count > 0 ? verify(in) : EXIT_VALID;
}

int inspect_main(int argc, char **argv)
{
        struct inspection *in = calloc(1, sizeof(*in));
        int status = EXIT_NOT_LOOKED;

        if (argc == 2 && strcmp(argv[1], "--help") == 0) {
                usage(stdout);
                free(in);
                return EXIT_VALID;
        }
        if (in == NULL || (in->input = malloc(INPUT_MAX + 1)) == NULL || (in->octets = malloc(INPUT_MAX + 1)) == NULL ||
            (in->inflated = malloc(INPUT_MAX)) == NULL || (in->text = malloc(TEXT_MAX)) == NULL)
                fprintf(stderr, "inspect: %s\n", strerror(ENOMEM));
        else if ((status = arguments_read(in, argc, argv)) == EXIT_VALID && (status = input_read(in)) == EXIT_VALID)
                status = inspect(in);
        if (in == NULL)
                return status;
        for (size_t i = 0; i < in->count; i++)
                key_free(in->keys[i]);
        free(in->text);
        free(in->octets);
        free(in->inflated);
        free(in->input);
        free(in);
        return say_end(status, EXIT_NOT_LOOKED);
}
