/* safe: the vault as the phone has it: none, locked, open or destroyed; tries and waits; what orders do to it; the lock that falls by
 * itself.  scrypt and the disk are beside the loop, one piece of work after the other, in order. */
#ifndef DEVICE_HANDSET_HOST_SAFE_H
#define DEVICE_HANDSET_HOST_SAFE_H
#include "device/handset/host/vault_files.h"
#include "device/handset/vigie.h"

struct loop;
struct safe;
struct wiping; /* wiping.h */

/* Open for so long after the last use: a door, a stair and the next door. */
#define SAFE_OPEN_MS  (10 * 60 * 1000)
/* Work that waits; one order at a time, one PIN at a time, a save, a list, a challenge.  More: -EBUSY, save a wipe. */
#define SAFE_WORK_MAX 8

struct safe_options {
        struct loop *loop;
        struct vault_place place; /* its two names are copied */
        void *user;
        /* Something that shows, or that the region is told, is another now. */
        void (*changed)(void *user);
        /* It was opened; by the duress PIN. */
        void (*opened)(void *user, bool duress);
        /* What came of safe_check(). */
        void (*checked)(void *user, enum vigie_pin verdict);
        /* What came of an order. */
        void (*ordered)(void *user, uint32_t number, enum vigie_result result);
        int64_t (*clock)(void); /* tests; NULL: clock_boot_ms() */
};

/* Why the last PIN or word did nothing, for the page. */
enum safe_said {
        SAFE_NOTHING,
        SAFE_WRONG,    /* another PIN */
        SAFE_TOO_NEAR, /* pin set: by vault_pin_rule() */
        SAFE_SIMPLE,
        SAFE_SHAPE,
        SAFE_LENGTHS,
        SAFE_DISK, /* nothing can be written: the PIN was not looked at */
        SAFE_SAID_END
};

struct safe_view {
        enum vigie_vault state;
        bool working; /* a PIN is being looked at, or set */
        enum safe_said said;
        unsigned tries_left;
        int64_t wait_ms; /* until a PIN is looked at again */
        int64_t open_ms; /* until it locks by itself; 0: it is not open */
        bool has_key, has_challenge;
        uint8_t key[PASS_KEY_SIZE], challenge[VAULT_CHALLENGE_SIZE];
        int64_t wiped_at_s;
};

/* safe_open: look at the folder.  One that cannot be made is said in the log; then no PIN can be set, and nothing else is wrong.
 * Returns 0, -ENOMEM. */
int safe_open(const struct safe_options *options, struct safe **ret_safe);

/* safe_look: as it stands now. */
void safe_look(struct safe *safe, struct safe_view *ret_view);

/* safe_content: the content, while it is open; NULL.  To be asked anew in each turn of the loop. */
struct content *safe_content(struct safe *safe);

/* safe_is_duress: it was opened by the duress PIN. */
bool safe_is_duress(const struct safe *safe);

/* safe_set: a PIN, and a duress PIN ("": none): the first, after an unlock, or another one while it is open.
 * Returns 0 (changed() follows), -EINVAL (by the rule: safe_look says which), -EPERM (it is locked or destroyed), -EBUSY. */
int safe_set(struct safe *safe, const char *pin, const char *duress);

/* safe_unlock: open it; opened() or changed() follows.  One that is open locks first.
 * Returns 0, -ENOENT (no PIN was set), -EAGAIN (a wait), -EPERM (destroyed), -EINVAL (no PIN's length), -EBUSY. */
int safe_unlock(struct safe *safe, const char *pin);

/* safe_check: whether PIN is one of the two; checked() follows.  A wrong one counts as at safe_unlock().  Returns as that. */
int safe_check(struct safe *safe, const char *pin);

/* safe_use: the person does something with it: the lock is put off. */
void safe_use(struct safe *safe);

/* safe_lock: wipe keys and passes from memory; while a PIN is set, changed or tried, as soon as that is done. */
void safe_lock(struct safe *safe);

/* safe_forgot: draw a challenge, or keep the one that stands.  Returns 0, -EPERM (nothing is locked), -EBUSY, -EIO. */
int safe_forgot(struct safe *safe);

/* safe_prove: content_prove(); asks for more counters in time.  Returns as that, -ENOKEY (not open). */
int safe_prove(struct safe *safe, struct content_ask *ask, struct cbor_writer *to);

/* safe_order_pass, safe_order_unlock: do what an order says; ordered() follows.  The parcel is copied. */
void safe_order_pass(struct safe *safe, uint32_t number, struct cbor_span parcel);
void safe_order_unlock(struct safe *safe, uint32_t number, const uint8_t challenge[VAULT_CHALLENGE_SIZE]);

/* safe_order_take_wipe: lock, and do what WIPING says (wiping_do), however much waits; ordered() follows.  WIPING is freed here, whatever
 * comes of it. */
void safe_order_take_wipe(struct safe *safe, uint32_t number, struct wiping *wiping);

/* safe_is_wiping: say whether a wipe waits or is being done. */
bool safe_is_wiping(const struct safe *safe);

/* safe_keep_list: a signed status list, verified, to the disk.  Copied.  Returns 0, -EBUSY, -ENOMEM. */
int safe_keep_list(struct safe *safe, struct cbor_span list);

/* safe_close: lock and end; nothing more is told.  Before the loop is closed.  NULL does nothing. */
void safe_close(struct safe *safe);
#endif
