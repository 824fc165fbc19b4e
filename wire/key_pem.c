/* Keys as PEM text: the part of wire/key.h that reads and writes files' contents. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "wire/key.h"

/* A key file under a password is refused: nobody sits at the terminal that libcrypto would ask on. */
static int no_password(char *to, int size, int writing, void *user)
{
        return -1;
}

static EVP_PKEY *pkey_of_certificate(BIO *bio)
{
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        EVP_PKEY *pkey = certificate != NULL ? X509_get_pubkey(certificate) : NULL;

        X509_free(certificate);
        return pkey;
}

int key_from_pem(struct cbor_span pem, struct key **ret_key)
{
        EVP_PKEY *pkey;
        BIO *bio;
        int r = -EINVAL;

        if (pem.len > KEY_PEM_MAX)
                return -EMSGSIZE;
        if (pem.len == 0)
                return -EINVAL;
        bio = BIO_new_mem_buf(pem.at, (int)pem.len);
        if (bio == NULL)
                return -ENOMEM;
        if ((pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)) != NULL ||
            (BIO_reset(bio) == 1 && (pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL)) != NULL) ||
            (BIO_reset(bio) == 1 && (pkey = pkey_of_certificate(bio)) != NULL))
                r = key_from_pkey(pkey, ret_key);
        EVP_PKEY_free(pkey);
        BIO_free(bio);
        ERR_clear_error();
        return r;
}

int key_from_file(const char *path, struct key **ret_key)
{
        char *pem;
        size_t len;
        int r = file_read(path, KEY_PEM_MAX, &pem, &len);

        if (r < 0)
                return r == -EFBIG ? -EMSGSIZE : r;
        r = key_from_pem((struct cbor_span){ (const uint8_t *)pem, len }, ret_key);
        OPENSSL_cleanse(pem, len);
        free(pem);
        return r;
}

const char *key_trouble(int error)
{
        switch (error) {
        case -EINVAL:
                return "no key or certificate in PEM in it, or one under a password";
        case -EMSGSIZE:
                return "too large for a key";
        case -EOPNOTSUPP:
                return "a key of another kind than P-256, Ed25519 and X25519";
        default:
                return strerror(-error);
        }
}

int key_to_pem(const struct key *key, bool with_private, char *to, size_t size)
{
        BIO *bio;
        char *text;
        long len;
        int r = -EIO;

        if (with_private && !key_is_private(key))
                return -EINVAL;
        bio = BIO_new(BIO_s_secmem());
        if (bio == NULL)
                return -ENOMEM;
        if (with_private ? PEM_write_bio_PKCS8PrivateKey(bio, key_pkey(key), NULL, NULL, 0, NULL, NULL) == 1
                         : PEM_write_bio_PUBKEY(bio, key_pkey(key)) == 1) {
                len = BIO_get_mem_data(bio, &text);
                r = (size_t)len < size ? 0 : -ENOBUFS;
                if (r == 0) {
                        memcpy(to, text, (size_t)len);
                        to[len] = '\0';
                }
        }
        BIO_free(bio);
        ERR_clear_error();
        return r;
}
