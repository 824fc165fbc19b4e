/* A wipe as the disk has it: what is to be erased, and the signed confirmation that is to be told when it is.  It is written first and erased
 * last, so that a power cut in between changes nothing: the next start goes on where this one stopped.  In the vault's folder, `wiping`:
 *
 *   [1, enrolment 8, confirmation 0..133, erased bool, [path, ...]]     CBOR; paths as byte strings, the alert key's first */
#ifndef DEVICE_HANDSET_HOST_WIPING_H
#define DEVICE_HANDSET_HOST_WIPING_H
#include "device/handset/host/config.h"
#include "device/handset/host/vault_files.h"
#include "device/handset/vigie.h"

/* The key, the journal in its five names, five files of the configuration and what was that one: more are not erased. */
#define WIPING_PATHS_MAX 16
#define WIPING_PATH_SIZE (CONFIG_PATH_MAX + 8)
#define WIPING_LEAVE_MAX (7 * CONFIG_PATH_MAX)

struct wiping {
        uint8_t enrolment[VIGIE_ENROLMENT_SIZE];
        uint8_t confirmation[VIGIE_SMS_MAX];
        size_t confirmation_len; /* 0: the key did not sign; nothing is to be told */
        bool erased;
        size_t path_count;
        char paths[WIPING_PATHS_MAX][WIPING_PATH_SIZE];
        char file[CONFIG_PATH_MAX];   /* the configuration where it is the phone's own, else "": not on the disk */
        char leave[WIPING_LEAVE_MAX]; /* what stands in it afterwards: where the page is, and the modem */
};

/* wiping_new: what a wipe of the phone of CONFIG and ENROLMENT erases and leaves.
 *   confirmation  at most VIGIE_SMS_MAX octets
 * Returns NULL: no memory; the caller frees it. */
struct wiping *wiping_new(const struct config *config, const char *folder,
                          const uint8_t enrolment[VIGIE_ENROLMENT_SIZE], struct cbor_span confirmation);

/* wiping_read: what an earlier run left undone, or untold.  FOLDER is the vault's.  The configuration's part is that of CONFIG.
 * Returns 0, -ENOENT (nothing), -EBADMSG (it cannot be read), -ENOMEM, or an errno of the disk. */
int wiping_read(const struct config *config, const char *folder, struct wiping **ret_wiping);

/* wiping_do: write it down, erase everything, the alert key first and then the vault; then write down that it is done, or (nothing to tell)
 * that there was nothing.  Where it cannot be written down it is erased all the same.  As often as one likes.
 *   now_s  UTC, for the vault's `wiped`
 * Returns 0, or the first errno after having tried all. */
int wiping_do(const char *folder, struct wiping *wiping, uint32_t now_s);

/* wiping_told: the region knows, or it is another enrolment's: forget it.  Returns 0 or an errno. */
int wiping_told(const char *folder);
#endif
