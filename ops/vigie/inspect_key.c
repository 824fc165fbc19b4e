#include "ops/vigie/inspect_key.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* DER in base64, white space taken out, in TO of KEY_PEM_MAX; "" where it is neither. */
static void to_base64(const char *data, size_t len, char *to)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
        size_t n = 0;

        to[0] = 0;
        if (len > 2 && data[0] == 0x30 && len < KEY_PEM_MAX / 2) {
                EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)data, (int)len);
                return;
        }
        for (size_t i = 0; i < len && len < KEY_PEM_MAX; i++) {
                if (isspace((unsigned char)data[i]))
                        continue;
                if (data[i] == 0 || strchr(digits, data[i]) == NULL) {
                        to[0] = 0;
                        return;
                }
                to[n++] = data[i];
                to[n] = 0;
        }
}

/* The same as PEM of KIND.  Its lines have 64 characters. */
static int from_base64(const char *text, const char *kind, struct key **ret_key)
{
        char *pem = malloc(2 * KEY_PEM_MAX);
        size_t len = 0;
        int r = -ENOMEM;

        if (pem == NULL)
                return r;
        len = (size_t)sprintf(pem, "-----BEGIN %s-----\n", kind);
        for (size_t i = 0; text[i] != 0; i += strnlen(text + i, 64))
                len += (size_t)sprintf(pem + len, "%.64s\n", text + i);
        len += (size_t)sprintf(pem + len, "-----END %s-----\n", kind);
        r = len <= KEY_PEM_MAX ? key_from_pem((struct cbor_span){ (const uint8_t *)pem, len }, ret_key) : -EMSGSIZE;
        free(pem);
        return r;
}

int inspect_key(const char *path, struct key **ret_key)
{
        char *data = NULL, *text = NULL;
        size_t len;
        int r = key_from_file(path, ret_key);

        if (r != -EINVAL)
                return r;
        if (file_read(path, KEY_PEM_MAX, &data, &len) == 0 && (text = malloc(KEY_PEM_MAX)) != NULL) {
                to_base64(data, len, text);
                if (text[0] != 0 && (r = from_base64(text, "CERTIFICATE", ret_key)) == -EINVAL)
                        r = from_base64(text, "PUBLIC KEY", ret_key);
        }
        free(text);
        free(data);
        return r;
}
