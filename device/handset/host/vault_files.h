/* vault_files: the vault in its folder.  All of it waits for the disk: never on the loop's thread, but for vault_files_look().
 *
 *   vault      lock and body, replaced as one: a crash leaves the old or the new
 *   tries      one octet: wrong PINs
 *   secret     this phone's, drawn with the first PIN
 *   public     the pass key's and the inbox key's public halves: what the region and a box need while it is locked
 *   challenge  8 octets: what an unlock is to answer
 *   box-1..4   parcels that came while it was locked, sealed to the inbox key
 *   list       the newest status list, signed
 *   wiped      when it was wiped, UTC s in decimal; nothing else is left then but
 *   wiping     what is to be erased, and told (wiping.h), until the region knows
 *
 * Files are 0600, in a folder of 0700. */
#ifndef DEVICE_HANDSET_HOST_VAULT_FILES_H
#define DEVICE_HANDSET_HOST_VAULT_FILES_H
#include "device/handset/host/content.h"
#include "device/handset/host/vault.h"

#define VAULT_CHALLENGE_SIZE 8
#define VAULT_BOXES_MAX      CONTENT_PASSES_MAX /* a fifth takes the first one's place: it would not have room in the vault either */

/* Where it is.  Borrowed paths. */
struct vault_place {
        const char *folder;
        const char *machine; /* file that tells this machine from another; "" or not there: bound to none */
};

/* What is to be known before anybody gives a PIN. */
struct vault_seen {
        bool there;    /* a vault */
        uint8_t wrong; /* tries */
        bool has_public, has_challenge;
        uint8_t pass_public[PASS_KEY_SIZE], inbox_public[VAULT_INBOX_KEY_SIZE];
        uint8_t challenge[VAULT_CHALLENGE_SIZE];
        int64_t wiped_at_s; /* 0: not */
};

/* An open vault. */
struct vault_opened {
        uint8_t lock[VAULT_LOCK_SIZE], key[VAULT_KEY_SIZE];
        struct content *content;
        bool duress;
        bool renewed; /* its body could not be read: new keys, no pass */
};

/* vault_files_look: at the start; small files.  A vault whose tries are missing has one try left: somebody took them away.
 * One whose last try was counted, wrong or cut off by a power cut, is erased here where that was not done, or not to its end.
 * Makes the folder.  Returns 0, or a negative errno: no folder, nothing can be kept; or not all could be erased. */
int vault_files_look(const struct vault_place *place, struct vault_seen *ret_seen);

/* vault_files_make: a vault for PIN and DURESS (NULL: none) around CONTENT, whose counters are set aside; no wrong try.
 * On success OPENED has its lock and key; `duress` stays as it was.  Returns 0, -EINVAL (the PINs), -EIO, an errno of the disk: then what was there is. */
int vault_files_make(const struct vault_place *place, const char *pin, const char *duress,
                     struct vault_opened *opened);

/* vault_files_check: whether PIN opens it: count the try as WRONG, durable, then look; a right one makes it 0 again.
 *   ret_opened  NULL: the verdict alone is wanted.  Else on success key and content, boxes moved in, what is over at NOW_S
 *               dropped, counters set aside.  The caller frees the content and wipes the rest
 *   ret_duress  it was the duress PIN
 * Returns 0, -EKEYREJECTED (wrong: it stays counted), another errno: the PIN was not looked at. */
int vault_files_check(const struct vault_place *place, const char *pin, uint8_t wrong, uint32_t now_s,
                      struct vault_opened *ret_opened, bool *ret_duress);

/* vault_files_save: write SEALED content, LEN octets made by vault_seal(), behind LOCK.  Returns 0 or an errno of the disk. */
int vault_files_save(const struct vault_place *place, const uint8_t lock[VAULT_LOCK_SIZE], const uint8_t *sealed,
                     size_t len);

/* vault_files_post: a parcel into a box.  Returns 0, -EIO, an errno of the disk. */
int vault_files_post(const struct vault_place *place, const uint8_t inbox[VAULT_INBOX_KEY_SIZE],
                     struct cbor_span parcel);

/* vault_files_put: a small file of the folder (challenge, list), durable.  Returns 0 or an errno of the disk. */
int vault_files_put(const struct vault_place *place, const char *name, const void *data, size_t len);

/* vault_files_list: the status list that is kept, malloc'ed.  Returns 0, -ENOENT, another errno. */
int vault_files_list(const struct vault_place *place, char **ret_list, size_t *ret_len);

/* vault_files_destroy: vault, boxes, secret, public keys, and what a power cut left half written beside them: overwritten, then
 * removed; the secret first.  Tries and challenge stay.
 * Returns 0, or the first errno after having tried all. */
int vault_files_destroy(const struct vault_place *place);

/* vault_files_reset: after an unlock: as destroy, and no wrong try and no challenge any more. */
int vault_files_reset(const struct vault_place *place);

/* vault_files_wipe: all of the folder's files, the secret first; `wiped` with NOW_S is left.  Returns as destroy does. */
int vault_files_wipe(const struct vault_place *place, uint32_t now_s);

/* file_erase: overwrite a regular file with zeros where it lies, sync, remove.  One that is not there is no error; a link is removed,
 * and what it points to is left alone.  Returns 0 or an errno. */
int file_erase(const char *path);
#endif
