#include "base/password.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/equal.h"
#include "base/hex.h"

#define PREFIX    "scrypt$15$8$1$"
#define COST      (UINT64_C(1) << 15)
#define BLOCK     8
#define PARALLEL  1
#define MEMORY    (64 * 1024 * 1024) /* limit for OpenSSL; 128 * COST * BLOCK = 32 MiB are used */
#define SALT_SIZE 16
#define HASH_SIZE 32
#define HASH_AT   (sizeof(PREFIX) - 1 + 2 * SALT_SIZE + 1)

static int derive(const char *password, size_t len, const uint8_t salt[SALT_SIZE], uint8_t hash[HASH_SIZE])
{
        return EVP_PBE_scrypt(password, len, salt, SALT_SIZE, COST, BLOCK, PARALLEL, MEMORY, hash, HASH_SIZE) == 1
                       ? 0
                       : -ENOMEM;
}

int password_hash(const char *password, size_t len, char *text)
{
        uint8_t salt[SALT_SIZE], hash[HASH_SIZE];
        char salt_hex[2 * SALT_SIZE + 1], hash_hex[2 * HASH_SIZE + 1];
        int r;

        if (len == 0 || len > PASSWORD_MAX)
                return -EINVAL;
        if (RAND_bytes(salt, sizeof(salt)) != 1)
                return -EIO;
        if ((r = derive(password, len, salt, hash)) < 0)
                return r;
        hex_encode(salt, sizeof(salt), salt_hex);
        hex_encode(hash, sizeof(hash), hash_hex);
        snprintf(text, PASSWORD_TEXT_SIZE, PREFIX "%s$%s", salt_hex, hash_hex);
        OPENSSL_cleanse(hash, sizeof(hash));
        return 0;
}

static int parse(const char *text, uint8_t salt[SALT_SIZE], uint8_t hash[HASH_SIZE])
{
        char salt_hex[2 * SALT_SIZE + 1];

        if (strlen(text) != PASSWORD_TEXT_SIZE - 1 || memcmp(text, PREFIX, sizeof(PREFIX) - 1) != 0 ||
            text[HASH_AT - 1] != '$')
                return -EBADMSG;
        memcpy(salt_hex, text + sizeof(PREFIX) - 1, 2 * SALT_SIZE);
        salt_hex[2 * SALT_SIZE] = '\0';
        if (hex_decode(salt_hex, salt, SALT_SIZE) < 0 || hex_decode(text + HASH_AT, hash, HASH_SIZE) < 0)
                return -EBADMSG;
        return 0;
}

int password_verify(const char *password, size_t len, const char *text, bool *ret_match)
{
        uint8_t salt[SALT_SIZE], want[HASH_SIZE], got[HASH_SIZE];
        bool bad_length = len == 0 || len > PASSWORD_MAX;
        int r = parse(text, salt, want);

        /* A password that cannot be right takes as long as one that is wrong. */
        if (r < 0 || (r = derive(bad_length ? "x" : password, bad_length ? 1 : len, salt, got)) < 0)
                return r;
        *ret_match = bytes_equal(want, got, HASH_SIZE) && !bad_length;
        OPENSSL_cleanse(got, sizeof(got));
        return 0;
}
