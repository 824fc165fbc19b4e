/* safe_work: what the vault's thread is given to do, one piece at a time; safe.c's and its alone. */
#ifndef DEVICE_HANDSET_HOST_SAFE_WORK_H
#define DEVICE_HANDSET_HOST_SAFE_WORK_H
#include <uv.h>

#include "device/handset/host/safe.h"

enum work_kind {
        WORK_MAKE,
        WORK_UNLOCK,
        WORK_CHECK,
        WORK_SAVE,
        WORK_POST,
        WORK_CHALLENGE,
        WORK_RESET,
        WORK_WIPE,
        WORK_LIST
};

struct work {
        uv_work_t request; /* first: libuv gives it back */
        struct work *next;
        struct safe *safe;
        struct vault_place place;
        enum work_kind kind;
        char pin[VAULT_PIN_MAX + 1], duress[VAULT_PIN_MAX + 1];
        uint8_t wrong;              /* UNLOCK, CHECK: the try as it is counted */
        uint32_t now_s;             /* UNLOCK, WIPE */
        struct vault_opened opened; /* MAKE: around this content; UNLOCK: what it found; SAVE: lock and key */
        bool is_duress;
        uint8_t octets[64]; /* CHALLENGE; POST: the inbox key */
        uint8_t *data;      /* SAVE: the content; POST: the parcel; LIST */
        size_t len;
        struct wiping *wiping; /* WIPE */
        bool for_order;        /* ordered() follows */
        uint32_t number;
        int error;
};

/* work_do: on the vault's thread: all but `next` and `safe` may be read, `opened`, `is_duress`, `error` written. */
void work_do(uv_work_t *request);

/* work_free: wipe and free; a content that is still in it as well, and what a wipe was to do. */
void work_free(struct work *work);
#endif
