#include "device/handset/host/vault.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "wire/cbor.h"
#include "wire/key.h"

#define SALT_SIZE  16
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define PLACE_SIZE (NONCE_SIZE + VAULT_KEY_SIZE + TAG_SIZE)

/* scrypt (RFC 7914): 32 MiB, some 80 ms, as base/password.h. */
#define SCRYPT_N   (1 << 15)
#define SCRYPT_R   8
#define SCRYPT_P   1
#define SCRYPT_MEM (64u << 20)

static const uint8_t lock_magic[4] = "VLK1", body_magic[4] = "VBD1", box_magic[4] = "VBX1";

/* ---- PINs */

static bool is_shaped(const char *pin)
{
        size_t len = strlen(pin);

        return len >= VAULT_PIN_MIN && len <= VAULT_PIN_MAX && strspn(pin, "0123456789") == len;
}

/* is_simple: each digit is as far from the one before as the second from the first: 0000, 1234, 8765, 2468. */
static bool is_simple(const char *pin)
{
        for (size_t i = 2; pin[i] != '\0'; i++)
                if (pin[i] - pin[i - 1] != pin[1] - pin[0])
                        return false;
        return true;
}

/* is_near: at most one digit differs, or two that are swapped. */
static bool is_near(const char *a, const char *b)
{
        size_t differ = 0, at[2] = { 0 };

        for (size_t i = 0; a[i] != '\0'; i++)
                if (a[i] != b[i]) {
                        if (differ < 2)
                                at[differ] = i;
                        differ++;
                }
        return differ < 2 || (differ == 2 && a[at[0]] == b[at[1]] && a[at[1]] == b[at[0]]);
}

enum vault_pin_rule vault_pin_rule(const char *pin, const char *duress)
{
        if (!is_shaped(pin) || (duress != NULL && !is_shaped(duress)))
                return VAULT_PIN_SHAPE;
        if (is_simple(pin) || (duress != NULL && is_simple(duress)))
                return VAULT_PIN_SIMPLE;
        if (duress != NULL && strlen(pin) != strlen(duress))
                return VAULT_PIN_LENGTHS;
        return duress != NULL && is_near(pin, duress) ? VAULT_PIN_TOO_NEAR : VAULT_PIN_GOOD;
}

/* ---- sealing */

struct gcm {
        bool seal;
        const uint8_t *key, *nonce, *about; /* 32, NONCE_SIZE, 4 octets */
};

/* gcm: AES-256-GCM of FROM to TO, which is as long, with ABOUT as associated data; sealing writes TAG, opening checks it. */
static int gcm(const struct gcm *with, struct cbor_span from, uint8_t *to, uint8_t tag[TAG_SIZE])
{
        EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
        int n, r = -EIO;

        if (gcm == NULL || EVP_CipherInit_ex(gcm, EVP_aes_256_gcm(), NULL, with->key, with->nonce, with->seal) != 1 ||
            (!with->seal && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1) ||
            EVP_CipherUpdate(gcm, NULL, &n, with->about, 4) != 1 ||
            (from.len > 0 && EVP_CipherUpdate(gcm, to, &n, from.at, (int)from.len) != 1))
                goto out;
        if (EVP_CipherFinal_ex(gcm, to + from.len, &n) != 1) {
                OPENSSL_cleanse(to, from.len);
                r = with->seal ? -EIO : -EBADMSG;
                goto out;
        }
        r = !with->seal || EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) == 1 ? 0 : -EIO;
out:
        EVP_CIPHER_CTX_free(gcm);
        return r;
}

/* derive: HKDF-SHA-256 of KEY with SALT, for one use. */
static int derive(struct cbor_span key, struct cbor_span salt, const char *use, uint8_t ret_key[32])
{
        EVP_PKEY_CTX *hkdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
        size_t len = 32;
        bool good = hkdf != NULL && EVP_PKEY_derive_init(hkdf) == 1 &&
                    EVP_PKEY_CTX_set_hkdf_md(hkdf, EVP_sha256()) == 1 &&
                    EVP_PKEY_CTX_set1_hkdf_salt(hkdf, salt.at, (int)salt.len) == 1 &&
                    EVP_PKEY_CTX_set1_hkdf_key(hkdf, key.at, (int)key.len) == 1 &&
                    EVP_PKEY_CTX_add1_hkdf_info(hkdf, (const unsigned char *)use, (int)strlen(use)) == 1 &&
                    EVP_PKEY_derive(hkdf, ret_key, &len) == 1;

        EVP_PKEY_CTX_free(hkdf);
        return good ? 0 : -EIO;
}

/* mix: what scrypt made, with the phone's secret. */
static int mix(const uint8_t stretched[32], const uint8_t secret[VAULT_SECRET_SIZE], uint8_t ret_key[32])
{
        return derive((struct cbor_span){ stretched, 32 }, (struct cbor_span){ secret, VAULT_SECRET_SIZE },
                      "vigie vault", ret_key);
}

int vault_bind(const uint8_t secret[VAULT_SECRET_SIZE], const uint8_t *machine, size_t len,
               uint8_t ret_bound[VAULT_SECRET_SIZE])
{
        return derive((struct cbor_span){ secret, VAULT_SECRET_SIZE },
                      (struct cbor_span){ len > 0 ? machine : (const uint8_t *)"", len }, "vigie machine", ret_bound);
}

/* pin_key: the key that PIN makes on this phone. */
static int pin_key(const char *pin, const uint8_t *salt, const uint8_t secret[VAULT_SECRET_SIZE], uint8_t ret_key[32])
{
        uint8_t stretched[32];
        int r = EVP_PBE_scrypt(pin, strlen(pin), salt, SALT_SIZE, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEM, stretched,
                               sizeof(stretched)) == 1
                        ? mix(stretched, secret, ret_key)
                        : -EIO;

        OPENSSL_cleanse(stretched, sizeof(stretched));
        return r;
}

/* ---- the lock */

/* place: seal the data KEY under PIN into a place of the lock. */
static int place_seal(const char *pin, const uint8_t *salt, const uint8_t secret[VAULT_SECRET_SIZE],
                      const uint8_t key[VAULT_KEY_SIZE], uint8_t *place)
{
        uint8_t under[32];
        int r = RAND_bytes(place, NONCE_SIZE) == 1 ? pin_key(pin, salt, secret, under) : -EIO;

        if (r == 0)
                r = gcm(&(struct gcm){ true, under, place, lock_magic }, (struct cbor_span){ key, VAULT_KEY_SIZE },
                        place + NONCE_SIZE, place + NONCE_SIZE + VAULT_KEY_SIZE);
        OPENSSL_cleanse(under, sizeof(under));
        return r;
}

int vault_new(const char *pin, const char *duress, const uint8_t secret[VAULT_SECRET_SIZE],
              uint8_t ret_lock[VAULT_LOCK_SIZE], uint8_t ret_key[VAULT_KEY_SIZE])
{
        uint8_t *salt = ret_lock + sizeof(lock_magic), *first = salt + SALT_SIZE, *second = first + PLACE_SIZE;
        int r;

        if (vault_pin_rule(pin, duress) != VAULT_PIN_GOOD)
                return -EINVAL;
        memcpy(ret_lock, lock_magic, sizeof(lock_magic));
        if (RAND_bytes(salt, SALT_SIZE) != 1 || RAND_priv_bytes(ret_key, VAULT_KEY_SIZE) != 1)
                return -EIO;
        r = place_seal(pin, salt, secret, ret_key, first);
        if (r == 0 && duress != NULL)
                r = place_seal(duress, salt, secret, ret_key, second);
        else if (r == 0)
                r = RAND_bytes(second, PLACE_SIZE) == 1 ? 0 : -EIO;
        if (r < 0)
                OPENSSL_cleanse(ret_key, VAULT_KEY_SIZE);
        return r;
}

int vault_open(const uint8_t lock[VAULT_LOCK_SIZE], const char *pin, const uint8_t secret[VAULT_SECRET_SIZE],
               uint8_t ret_key[VAULT_KEY_SIZE], bool *ret_duress)
{
        const uint8_t *salt = lock + sizeof(lock_magic), *at = salt + SALT_SIZE;
        uint8_t under[32], keys[2][VAULT_KEY_SIZE], tag[TAG_SIZE];
        int r[2];

        if (memcmp(lock, lock_magic, sizeof(lock_magic)) != 0)
                return -EBADMSG;
        r[0] = pin_key(pin, salt, secret, under);
        if (r[0] < 0)
                return r[0];
        for (int i = 0; i < 2; i++, at += PLACE_SIZE) {
                memcpy(tag, at + NONCE_SIZE + VAULT_KEY_SIZE, TAG_SIZE);
                r[i] = gcm(&(struct gcm){ false, under, at, lock_magic },
                           (struct cbor_span){ at + NONCE_SIZE, VAULT_KEY_SIZE }, keys[i], tag);
        }
        *ret_duress = r[0] != 0 && r[1] == 0;
        if (r[0] == 0 || r[1] == 0)
                memcpy(ret_key, keys[r[0] != 0], VAULT_KEY_SIZE);
        OPENSSL_cleanse(under, sizeof(under));
        OPENSSL_cleanse(keys, sizeof(keys));
        if (r[0] == 0 || r[1] == 0)
                return 0;
        return r[0] == -EIO || r[1] == -EIO ? -EIO : -EKEYREJECTED;
}

/* ---- the body */

int vault_seal(const uint8_t key[VAULT_KEY_SIZE], const uint8_t *content, size_t len, uint8_t *body)
{
        uint8_t *nonce = body + sizeof(body_magic), *sealed = nonce + NONCE_SIZE;

        if (len > VAULT_BODY_MAX)
                return -EMSGSIZE;
        memcpy(body, body_magic, sizeof(body_magic));
        if (RAND_bytes(nonce, NONCE_SIZE) != 1)
                return -EIO;
        return gcm(&(struct gcm){ true, key, nonce, body_magic }, (struct cbor_span){ content, len }, sealed,
                   sealed + len);
}

int vault_read(const uint8_t key[VAULT_KEY_SIZE], const uint8_t *body, size_t len, uint8_t *content)
{
        const uint8_t *nonce = body + sizeof(body_magic), *sealed = nonce + NONCE_SIZE;
        uint8_t tag[TAG_SIZE];

        if (len < VAULT_BODY_OVERHEAD || len > VAULT_BODY_MAX + VAULT_BODY_OVERHEAD ||
            memcmp(body, body_magic, sizeof(body_magic)) != 0)
                return -EBADMSG;
        memcpy(tag, body + len - TAG_SIZE, TAG_SIZE);
        return gcm(&(struct gcm){ false, key, nonce, body_magic },
                   (struct cbor_span){ sealed, len - VAULT_BODY_OVERHEAD }, content, tag);
}

/* ---- the box */

/* box_key: of the two halves of an exchange; EPHEMERAL and PUBLIC are in it, so that a box is one inbox's. */
static int box_key(const struct key *mine, const uint8_t peer[32], const uint8_t ephemeral[32],
                   const uint8_t public[32], uint8_t ret_key[32])
{
        uint8_t shared[32], salt[64];
        int r = key_agree(mine, peer, shared);

        memcpy(salt, ephemeral, 32);
        memcpy(salt + 32, public, 32);
        if (r == 0)
                r = derive(CBOR_OCTETS(shared), CBOR_OCTETS(salt), "vigie inbox", ret_key);
        OPENSSL_cleanse(shared, sizeof(shared));
        return r;
}

int vault_post(const uint8_t public[VAULT_INBOX_KEY_SIZE], const uint8_t *content, size_t len, uint8_t *box)
{
        uint8_t *ephemeral = box + sizeof(box_magic), *nonce = ephemeral + 32, *sealed = nonce + NONCE_SIZE;
        uint8_t under[32], raw[KEY_PUBLIC_MAX];
        struct key *once = NULL;
        int r = len <= VAULT_BODY_MAX ? key_generate(KEY_ECDH_ES, &once) : -EMSGSIZE;

        if (r < 0)
                return r;
        key_public(once, raw);
        memcpy(box, box_magic, sizeof(box_magic));
        memcpy(ephemeral, raw, 32);
        r = RAND_bytes(nonce, NONCE_SIZE) == 1 ? box_key(once, public, ephemeral, public, under) : -EIO;
        if (r == 0)
                r = gcm(&(struct gcm){ true, under, nonce, box_magic }, (struct cbor_span){ content, len }, sealed,
                        sealed + len);
        OPENSSL_cleanse(under, sizeof(under));
        key_free(once);
        return r;
}

int vault_fetch(const uint8_t private[VAULT_INBOX_KEY_SIZE], const uint8_t *box, size_t len, uint8_t *content)
{
        const uint8_t *ephemeral = box + sizeof(box_magic), *nonce = ephemeral + 32, *sealed = nonce + NONCE_SIZE;
        uint8_t under[32], tag[TAG_SIZE], public[KEY_PUBLIC_MAX];
        struct key *mine = NULL;
        int r;

        if (len < VAULT_BOX_OVERHEAD || len > VAULT_BODY_MAX + VAULT_BOX_OVERHEAD ||
            memcmp(box, box_magic, sizeof(box_magic)) != 0)
                return -EBADMSG;
        if (key_from_private(KEY_ECDH_ES, private, &mine) < 0)
                return -EIO;
        key_public(mine, public);
        r = box_key(mine, ephemeral, ephemeral, public, under);
        memcpy(tag, box + len - TAG_SIZE, TAG_SIZE);
        if (r == 0)
                r = gcm(&(struct gcm){ false, under, nonce, box_magic },
                        (struct cbor_span){ sealed, len - VAULT_BOX_OVERHEAD }, content, tag);
        OPENSSL_cleanse(under, sizeof(under));
        key_free(mine);
        return r == -EKEYREJECTED ? -EBADMSG : r;
}

/* ---- tries */

int64_t vault_wait_ms(uint8_t wrong)
{
        static const int64_t wait_ms[VAULT_TRIES] = { 0, 0, 30000, 120000, 600000 };

        return wrong < VAULT_TRIES ? wait_ms[wrong] : INT64_MAX;
}

void vault_tries_start(struct vault_tries *tries, uint8_t wrong, int64_t now_mono_ms)
{
        tries->wrong = wrong < VAULT_TRIES ? wrong : VAULT_TRIES;
        tries->ready_mono_ms = vault_is_destroyed(tries) ? INT64_MAX : now_mono_ms + vault_wait_ms(tries->wrong);
}

int vault_tries_take(struct vault_tries *tries, int64_t now_mono_ms)
{
        if (vault_is_destroyed(tries))
                return -EPERM;
        if (now_mono_ms < tries->ready_mono_ms)
                return -EAGAIN;
        tries->wrong++;
        tries->ready_mono_ms = INT64_MAX; /* until it is told */
        return 0;
}

void vault_tries_told(struct vault_tries *tries, bool right, int64_t now_mono_ms)
{
        vault_tries_start(tries, right ? 0 : tries->wrong, now_mono_ms);
}

bool vault_is_destroyed(const struct vault_tries *tries)
{
        return tries->wrong >= VAULT_TRIES;
}
