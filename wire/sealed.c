#include "wire/sealed.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define IV_SIZE      12
#define TAG_SIZE     16
#define CEK_SIZE     32
#define A256GCM      3
#define CIPHER_MAX   (SEALED_PLAIN_MAX + TAG_SIZE)
#define ENC_AAD_SIZE 64 /* Enc_structure: 1 head, 8 "Encrypt", 4 protected, 2 head, 22 external_aad */
#define CONTEXT_SIZE 24 /* COSE_KDF_Context below is 18 */

/* Protected headers, always these: content {1: A256GCM}, recipient {1: ECDH-ES + HKDF-256}. */
static const uint8_t content_protected[] = { 0xA1, 0x01, A256GCM };
static const uint8_t recipient_protected[] = { 0xA1, 0x01, 0x38, 0x18 };

/* A sealed position taken apart. */
struct sealed {
        uint8_t iv[IV_SIZE], kid[KEY_KID_SIZE], ephemeral[32];
        struct cbor_span ciphertext;
};

/* ---- shape */

/* The ephemeral key as a COSE_Key: {1: OKP, -1: X25519, -2: x}. */
static void ephemeral_read(struct cbor_reader *r, uint8_t x[32])
{
        bool fits = cbor_enter_map(r) == 3;

        fits = fits && cbor_read_int(r, 1, 1) == 1 && cbor_read_int(r, 1, 1) == 1;
        fits = fits && cbor_read_int(r, -1, -1) == -1 && cbor_read_int(r, 4, 4) == 4;
        if (!fits || cbor_read_int(r, -2, -2) != -2)
                cbor_refuse(r, "ephemeral key other than {1: 1, -1: 4, -2: 32 octets}");
        cbor_read_octets(r, x, 32);
        cbor_leave(r);
}

static void recipient_read(struct cbor_reader *r, struct sealed *to)
{
        if (cbor_enter_array(r) != 3 ||
            !cbor_equal(cbor_read_bytes(r, 0, SEALED_MAX), CBOR_OCTETS(recipient_protected)))
                cbor_refuse(r, "recipient other than ECDH-ES + HKDF-256");
        if (cbor_enter_map(r) != 2 || cbor_read_int(r, 4, 4) != 4)
                cbor_refuse(r, "recipient headers other than {4: kid, -1: key}");
        cbor_read_octets(r, to->kid, KEY_KID_SIZE);
        cbor_read_int(r, -1, -1);
        ephemeral_read(r, to->ephemeral);
        cbor_leave(r);
        cbor_read_bytes(r, 0, 0);
        cbor_leave(r);
}

static int sealed_parse(struct cbor_span in, struct sealed *to)
{
        struct cbor_reader r;

        if (in.len > SEALED_MAX)
                return -EMSGSIZE;
        cbor_reader_init(&r, in);
        if (cbor_enter_array(&r) != 4 ||
            !cbor_equal(cbor_read_bytes(&r, 0, SEALED_MAX), CBOR_OCTETS(content_protected)))
                cbor_refuse(&r, "content other than A256GCM");
        if (cbor_enter_map(&r) != 1 || cbor_read_int(&r, 5, 5) != 5)
                cbor_refuse(&r, "content headers other than {5: IV}");
        cbor_read_octets(&r, to->iv, IV_SIZE);
        cbor_leave(&r);
        to->ciphertext = cbor_read_bytes(&r, TAG_SIZE, CIPHER_MAX);
        if (cbor_enter_array(&r) != 1)
                cbor_refuse(&r, "not one recipient");
        recipient_read(&r, to);
        cbor_leave(&r);
        cbor_leave(&r);
        return cbor_end(&r);
}

static void sealed_write(const struct sealed *s, struct cbor_writer *out)
{
        cbor_write_array(out, 4);
        cbor_write_bytes(out, CBOR_OCTETS(content_protected));
        cbor_write_map(out, 1);
        cbor_write_uint(out, 5);
        cbor_write_bytes(out, CBOR_OCTETS(s->iv));
        cbor_write_bytes(out, s->ciphertext);
        cbor_write_array(out, 1);
        cbor_write_array(out, 3);
        cbor_write_bytes(out, CBOR_OCTETS(recipient_protected));
        cbor_write_map(out, 2);
        cbor_write_uint(out, 4);
        cbor_write_bytes(out, CBOR_OCTETS(s->kid));
        cbor_write_int(out, -1);
        cbor_write_map(out, 3);
        cbor_write_int(out, 1);
        cbor_write_int(out, 1);
        cbor_write_int(out, -1);
        cbor_write_int(out, 4);
        cbor_write_int(out, -2);
        cbor_write_bytes(out, CBOR_OCTETS(s->ephemeral));
        cbor_write_bytes(out, (struct cbor_span){ NULL, 0 });
}

static void plain_write(const struct sealed_position *p, struct cbor_writer *w)
{
        cbor_write_array(w, 5);
        cbor_write_uint(w, 1);
        cbor_write_int(w, p->lat_e7);
        cbor_write_int(w, p->lon_e7);
        cbor_write_uint(w, p->accuracy_m);
        cbor_write_uint(w, p->fix_at_s);
}

static int plain_read(struct cbor_span plain, struct sealed_position *ret_position)
{
        struct sealed_position p;
        struct cbor_reader r;

        cbor_reader_init(&r, plain);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a position format other than 1");
        p.lat_e7 = (int32_t)cbor_read_int(&r, -900000000, 900000000);
        p.lon_e7 = (int32_t)cbor_read_int(&r, -1800000000, 1800000000);
        p.accuracy_m = (uint16_t)cbor_read_uint(&r, UINT16_MAX);
        p.fix_at_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        *ret_position = p;
        return 0;
}

/* ---- keys and cipher */

/* The content key: HKDF-SHA-256 of the shared secret over the COSE_KDF_Context (RFC 9053 5.1, 5.2), nobody named in it:
 *   [3, [null, null, null], [null, null, null], [256, recipient protected]] */
static int cek_derive(const uint8_t secret[32], uint8_t cek[CEK_SIZE])
{
        uint8_t context[CONTEXT_SIZE];
        struct cbor_writer w;
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
        EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
        OSSL_PARAM params[4];
        int r = -EIO;

        cbor_writer_init(&w, context, sizeof(context));
        cbor_write_array(&w, 4);
        cbor_write_uint(&w, A256GCM);
        for (int party = 0; party < 2; party++) {
                cbor_write_array(&w, 3);
                for (int i = 0; i < 3; i++)
                        cbor_write_null(&w);
        }
        cbor_write_array(&w, 2);
        cbor_write_uint(&w, 8 * CEK_SIZE);
        cbor_write_bytes(&w, CBOR_OCTETS(recipient_protected));
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0);
        params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, 32);
        params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, context, w.len);
        params[3] = OSSL_PARAM_construct_end();
        if (ctx != NULL && EVP_KDF_derive(ctx, cek, CEK_SIZE, params) == 1)
                r = 0;
        EVP_KDF_CTX_free(ctx);
        EVP_KDF_free(kdf);
        return r;
}

/* The Enc_structure that the cipher authenticates: ["Encrypt", content protected, external_aad]. */
static struct cbor_span enc_structure(const struct handset_id *handset, uint8_t to[ENC_AAD_SIZE])
{
        uint8_t aad[sizeof(SEALED_AAD) - 1 + HANDSET_ID_SIZE];
        struct cbor_writer w;

        memcpy(aad, SEALED_AAD, sizeof(SEALED_AAD) - 1);
        memcpy(aad + sizeof(SEALED_AAD) - 1, handset->octets, HANDSET_ID_SIZE);
        cbor_writer_init(&w, to, ENC_AAD_SIZE);
        cbor_write_array(&w, 3);
        cbor_write_string(&w, "Encrypt");
        cbor_write_bytes(&w, CBOR_OCTETS(content_protected));
        cbor_write_bytes(&w, CBOR_OCTETS(aad));
        return cbor_written(&w);
}

static int encrypt(const uint8_t cek[CEK_SIZE], const uint8_t iv[IV_SIZE], struct cbor_span aad, struct cbor_span plain,
                   uint8_t to[CIPHER_MAX])
{
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int len, r = -EIO;

        if (ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, iv) == 1 &&
            EVP_EncryptUpdate(ctx, NULL, &len, aad.at, (int)aad.len) == 1 &&
            EVP_EncryptUpdate(ctx, to, &len, plain.at, (int)plain.len) == 1 &&
            EVP_EncryptFinal_ex(ctx, to + len, &len) == 1 &&
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, to + plain.len) == 1)
                r = 0;
        EVP_CIPHER_CTX_free(ctx);
        return r;
}

static int decrypt(const uint8_t cek[CEK_SIZE], const struct sealed *s, struct cbor_span aad, uint8_t to[CIPHER_MAX])
{
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        const size_t plain_len = s->ciphertext.len - TAG_SIZE;
        uint8_t tag[TAG_SIZE];
        int len, r = -EIO;

        memcpy(tag, s->ciphertext.at + plain_len, TAG_SIZE);
        if (ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek, s->iv) == 1 &&
            EVP_DecryptUpdate(ctx, NULL, &len, aad.at, (int)aad.len) == 1 &&
            EVP_DecryptUpdate(ctx, to, &len, s->ciphertext.at, (int)plain_len) == 1 &&
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1)
                r = EVP_DecryptFinal_ex(ctx, to + plain_len, &len) == 1 ? 0 : -EKEYREJECTED;
        EVP_CIPHER_CTX_free(ctx);
        return r;
}

/* The content key between a private key and the other side's public one. */
static int cek_agree(const struct key *key, const uint8_t peer[32], uint8_t cek[CEK_SIZE])
{
        uint8_t secret[32];
        int r = key_agree(key, peer, secret);

        if (r == 0)
                r = cek_derive(secret, cek);
        OPENSSL_cleanse(secret, sizeof(secret));
        return r;
}

/* ---- the three calls */

int sealed_seal(const struct sealed_position *position, const struct sealed_to *to,
                const uint8_t random[SEALED_RANDOM_SIZE], struct cbor_writer *out)
{
        uint8_t plain[SEALED_PLAIN_MAX], cipher[CIPHER_MAX], aad[ENC_AAD_SIZE], cek[CEK_SIZE], public[KEY_PUBLIC_MAX];
        struct sealed_position checked;
        struct sealed s;
        struct cbor_writer w;
        struct key *ephemeral = NULL;
        int r;

        cbor_writer_init(&w, plain, sizeof(plain));
        plain_write(position, &w);
        if (plain_read(cbor_written(&w), &checked) < 0)
                return -EINVAL;
        memcpy(s.iv, random + 32, IV_SIZE);
        memcpy(s.kid, to->kid, KEY_KID_SIZE);
        if ((r = key_from_private(KEY_ECDH_ES, random, &ephemeral)) < 0 ||
            (r = cek_agree(ephemeral, to->public, cek)) < 0 ||
            (r = encrypt(cek, s.iv, enc_structure(to->handset, aad), cbor_written(&w), cipher)) < 0)
                goto out;
        key_public(ephemeral, public);
        memcpy(s.ephemeral, public, sizeof(s.ephemeral));
        s.ciphertext = (struct cbor_span){ cipher, w.len + TAG_SIZE };
        sealed_write(&s, out);
        r = out->full ? -ENOBUFS : 0;
out:
        OPENSSL_cleanse(cek, sizeof(cek));
        OPENSSL_cleanse(plain, sizeof(plain));
        key_free(ephemeral);
        if (r < 0)
                ERR_clear_error();
        return r;
}

int sealed_kid(struct cbor_span in, uint8_t ret_kid[KEY_KID_SIZE])
{
        struct sealed s;
        int r = sealed_parse(in, &s);

        if (r == 0)
                memcpy(ret_kid, s.kid, KEY_KID_SIZE);
        return r;
}

int sealed_open(struct cbor_span in, const struct handset_id *handset, const struct key *key,
                struct sealed_position *ret_position)
{
        uint8_t plain[CIPHER_MAX], aad[ENC_AAD_SIZE], cek[CEK_SIZE];
        struct sealed s;
        int r = sealed_parse(in, &s);

        if (r < 0)
                return r;
        if ((r = cek_agree(key, s.ephemeral, cek)) == 0 &&
            (r = decrypt(cek, &s, enc_structure(handset, aad), plain)) == 0)
                r = plain_read((struct cbor_span){ plain, s.ciphertext.len - TAG_SIZE }, ret_position);
        OPENSSL_cleanse(cek, sizeof(cek));
        OPENSSL_cleanse(plain, sizeof(plain));
        if (r < 0)
                ERR_clear_error();
        return r;
}
