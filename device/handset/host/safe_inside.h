/* safe_inside: what safe.c, which begins, and safe_after.c, which ends, share.  Nobody else's. */
#ifndef DEVICE_HANDSET_HOST_SAFE_INSIDE_H
#define DEVICE_HANDSET_HOST_SAFE_INSIDE_H
#include "device/handset/host/config.h"
#include "device/handset/host/safe_work.h"
#include "device/handset/host/wake.h"

struct safe {
        struct safe_options options;
        char folder[CONFIG_PATH_MAX], machine[CONFIG_PATH_MAX]; /* of options.place: work outlives who opened this */
        enum vigie_vault state;
        struct vault_seen seen;
        struct vault_tries tries;
        enum safe_said said;
        struct vault_opened opened; /* `content` NULL: not open */
        int64_t lock_boot_ms;
        struct wake *alarm;
        struct work *first, *last; /* the first one is being done */
        size_t count;
        bool at_work; /* from begin_first() to the end of done(): nothing else is begun */
        bool pin_busy, saving, save_again, closing;
        bool lock_asked; /* while a PIN is at work: it locks after that */
        bool order_saves; /* an order waits for the save that is to come */
        uint32_t order_number;
};

/* The clock of tries and of the lock. */
int64_t safe_now_ms(const struct safe *safe);

/* safe_save: the content as it is now, to the disk; one at a time, so that what is set aside is known. */
void safe_save(struct safe *safe);

/* safe_forget: wipe what is open from memory; nothing is told. */
void safe_forget(struct safe *safe);

/* safe_after: what a piece of work, which is done, has changed.  A content that is still in it is the work's to free. */
void safe_after(struct safe *safe, struct work *work);
#endif
