/* The vault: the pass key and the passes, under the carrier's PIN and a secret of this phone; never the alert key (DESIGN section 5).
 * No I/O and no clock: the host keeps the three pieces in files and says what time it is.
 *
 *   lock    what opens the vault: scrypt's salt; the data key sealed under the PIN, and under the duress PIN.  Where there is none that place
 *           is random: nobody can tell.
 *   body    the content, sealed under the data key; written anew without a PIN while the vault is open
 *   tries   how many wrong PINs; durable before a PIN is looked at, so that pulling the battery gives no try back
 *
 * AES-256-GCM throughout; the key of a PIN is HKDF-SHA-256 of scrypt(PIN) and the phone's secret, so that a copied folder cannot be guessed at
 * elsewhere where that secret is in hardware.  Both places are always tried: a right PIN and the duress PIN take the same time. */
#ifndef HOST_VAULT_H
#define HOST_VAULT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_SECRET_SIZE   32 /* of the phone; in its hardware where there is such a thing */
#define VAULT_KEY_SIZE      32 /* the data key */
#define VAULT_LOCK_SIZE     (4 + 16 + 2 * (12 + VAULT_KEY_SIZE + 16))
/* Content: the pass key and a parcel of 1,024 buildings with long names, twice (one pass ends, one begins). */
#define VAULT_BODY_MAX      (256 * 1024)
/* What sealing adds to it. */
#define VAULT_BODY_OVERHEAD (4 + 12 + 16)

/* Digits of a PIN; both of one phone have the same number. */
#define VAULT_PIN_MIN 4
#define VAULT_PIN_MAX 8

/* ---- PINs */

enum vault_pin_rule {
        VAULT_PIN_GOOD,
        VAULT_PIN_SHAPE,   /* not 4 to 8 digits */
        VAULT_PIN_SIMPLE,  /* one digit repeated, or digits in a row */
        VAULT_PIN_LENGTHS, /* the duress PIN has another length */
        VAULT_PIN_TOO_NEAR, /* the duress PIN is the PIN, or one digit or one swap of two digits away: a slip would call for help */
};

/* vault_pin_rule: whether PIN and DURESS (NULL: none) may be set. */
enum vault_pin_rule vault_pin_rule(const char *pin, const char *duress);

/* ---- lock and body */

/* vault_new: a lock for PIN and DURESS (NULL: none), good by vault_pin_rule, and a data key that nobody has seen.
 * Takes some 200 ms: not on the loop's thread.  Returns 0, -EINVAL (the PINs), -EIO (libcrypto). */
int vault_new(const char *pin, const char *duress, const uint8_t secret[VAULT_SECRET_SIZE],
              uint8_t ret_lock[VAULT_LOCK_SIZE], uint8_t ret_key[VAULT_KEY_SIZE]);

/* vault_open: the data key of LOCK by PIN.  Some 80 ms, whatever comes of it.
 *   ret_duress   it was the duress PIN
 * Returns 0, -EKEYREJECTED (a wrong PIN, or another phone's secret), -EBADMSG (no lock), -EIO. */
int vault_open(const uint8_t lock[VAULT_LOCK_SIZE], const char *pin, const uint8_t secret[VAULT_SECRET_SIZE],
               uint8_t ret_key[VAULT_KEY_SIZE], bool *ret_duress);

/* vault_seal: CONTENT (0..VAULT_BODY_MAX octets) into BODY of LEN + VAULT_BODY_OVERHEAD.  Returns 0, -EMSGSIZE, -EIO. */
int vault_seal(const uint8_t key[VAULT_KEY_SIZE], const uint8_t *content, size_t len, uint8_t *body);

/* vault_read: what is in BODY, to CONTENT of LEN - VAULT_BODY_OVERHEAD.  Returns 0, -EBADMSG (no body, or altered, or another key's), -EIO. */
int vault_read(const uint8_t key[VAULT_KEY_SIZE], const uint8_t *body, size_t len, uint8_t *content);

/* ---- the secret, and what comes while it is locked */

/* vault_bind: the phone's secret tied to the machine that it lies on: HKDF of SECRET with what tells this machine from another
 * (/etc/machine-id) as salt; so a folder that was copied without it opens nothing.  Returns 0, -EIO. */
int vault_bind(const uint8_t secret[VAULT_SECRET_SIZE], const uint8_t *machine, size_t len,
               uint8_t ret_bound[VAULT_SECRET_SIZE]);

/* A parcel that comes while the vault is locked waits in a box, sealed to an X25519 key whose private half is in the vault:
 * ephemeral ECDH, HKDF-SHA-256, AES-256-GCM. */
#define VAULT_INBOX_KEY_SIZE 32
#define VAULT_BOX_OVERHEAD   (4 + 32 + 12 + 16)

/* vault_post: CONTENT of LEN octets (at most VAULT_BODY_MAX) into BOX of LEN + VAULT_BOX_OVERHEAD, for the inbox key PUBLIC.
 * Returns 0, -EMSGSIZE, -EIO. */
int vault_post(const uint8_t public[VAULT_INBOX_KEY_SIZE], const uint8_t *content, size_t len, uint8_t *box);

/* vault_fetch: what is in BOX, to CONTENT of LEN - VAULT_BOX_OVERHEAD, by the inbox key's PRIVATE half.
 * Returns 0, -EBADMSG (no box, altered, or another key's), -EIO. */
int vault_fetch(const uint8_t private[VAULT_INBOX_KEY_SIZE], const uint8_t *box, size_t len, uint8_t *content);

/* ---- tries */

/* Wrong PINs; with the last of them the vault is destroyed.  Its alert key goes on working. */
#define VAULT_TRIES 5

struct vault_tries {
        uint8_t wrong;         /* on disk, one octet; VAULT_TRIES: destroyed */
        int64_t ready_mono_ms; /* no try before */
};

/* vault_tries_start: at the host's start, with what was on disk: the wait begins anew, by a clock that nobody can set, so that neither a restart
 * nor another date shortens it. */
void vault_tries_start(struct vault_tries *tries, uint8_t wrong, int64_t now_mono_ms);

/* vault_tries_take: before a PIN is looked at: count it.  Then write `wrong` down, durable, and only then call vault_open.
 * Returns 0, -EAGAIN (not yet: ready_mono_ms says when), -EPERM (destroyed). */
int vault_tries_take(struct vault_tries *tries, int64_t now_mono_ms);

/* vault_tries_told: what came of that PIN.  Write `wrong` down again where it was right; where is_destroyed, erase lock and body. */
void vault_tries_told(struct vault_tries *tries, bool right, int64_t now_mono_ms);

/* vault_is_destroyed: the last try was wrong. */
bool vault_is_destroyed(const struct vault_tries *tries);

/* vault_wait_ms: how long after so many wrong PINs: 0, 0, 30 s, 2 min, 10 min. */
int64_t vault_wait_ms(uint8_t wrong);
#endif
