/* content: what the vault holds once it is open: the pass key, the inbox key, the passes with their parcels and counters; and
 * the proofs that are made of them.  No I/O and no clock; libcrypto.  All of it is wiped from memory by content_free().
 *
 *   [1, pass key 32, inbox key 32, [[parcel, counter], ...]]     the keys' private halves, raw
 *
 * A counter that is written is where the next start goes on: those below may have been shown. */
#ifndef DEVICE_HANDSET_HOST_CONTENT_H
#define DEVICE_HANDSET_HOST_CONTENT_H
#include "wire/parcel.h"
#include "wire/pass_signing.h"

/* Passes at once: one that ends, one that runs, and two of other rounds.  A fifth takes the place of the one that ends first;
 * so does one that would not fit into VAULT_BODY_MAX. */
#define CONTENT_PASSES_MAX 4
/* Counters are set aside so many at a time: one write for four minutes of QR. */
#define CONTENT_AHEAD      16
/* A pass is dropped so long after its end, by the phone's clock, which may be a day wrong. */
#define CONTENT_KEEP_S     (48 * 3600)

struct content_pass {
        uint8_t *octets; /* the parcel, as it came */
        size_t len;
        struct parcel parcel;
        struct pass pass;
        uint32_t counter; /* of the next proof */
        uint32_t reserved, pending; /* those below are on disk as used; will be when what was written last is durable */
        bool revoked;               /* by the list that the phone has: passes.c says so, it is not on disk */
};

struct content {
        uint8_t pass_private[KEY_PRIVATE_SIZE], inbox_private[KEY_PRIVATE_SIZE];
        struct key *pass_key;
        uint8_t pass_public[PASS_KEY_SIZE], inbox_public[32];
        struct pass_crypto crypto;
        size_t count;
        struct content_pass *passes[CONTENT_PASSES_MAX]; /* by their end, the last one first */
};

/* content_new: new keys and no pass.  Returns 0, -ENOMEM, -EIO (libcrypto). */
int content_new(struct content **ret_content);

/* content_read: of the octets that content_write gave.  Returns 0, -EBADMSG, -ENOMEM, -EIO. */
int content_read(struct cbor_span in, struct content **ret_content);

/* content_write: as octets; with CONTENT_AHEAD counters of each pass set aside, so that what is not shown yet is safe.  After it
 * is durable: content_written().  Returns 0, -ENOBUFS. */
int content_write(struct content *content, struct cbor_writer *to);

/* content_written: what the last content_write() set aside is on disk. */
void content_written(struct content *content);

/* content_take: a parcel that came with an order.  The same pass again changes nothing.
 * Returns 0, -EBADMSG (no parcel, or its buildings are not the pass's), -EKEYREJECTED (for another pass key), -ENOMEM. */
int content_take(struct content *content, struct cbor_span parcel);

/* content_drop: those that ended CONTENT_KEEP_S before NOW_S.  Says whether there was one. */
bool content_drop(struct content *content, uint32_t now_s);

/* content_find: the place of a pass among passes, by its id; -ENOENT. */
int content_find(const struct content *content, const uint8_t pass[PASS_ID_SIZE]);

/* content_find_building: the place of BUILDING among those of a pass; -ENOENT. */
int content_find_building(const struct content_pass *pass, const uint8_t building[BUILDING_ID_SIZE]);

/* content_for: the pass to show for BUILDING at NOW_S: one that runs and is not revoked, the last to end, before any other; -ENOENT. */
int content_for(const struct content *content, const uint8_t building[BUILDING_ID_SIZE], uint32_t now_s);

/* What a proof is made of. */
struct content_ask {
        size_t pass, building;  /* places */
        struct cbor_span hello; /* signed and verified; empty: one way */
        uint8_t class;
        uint32_t time_s;
        bool duress;
};

/* content_prove: pass and proof together, with the next counter.  A duress one is as long, and takes as long.
 * Returns 0, -EAGAIN (no counter is set aside: write the content first), -EIO, -ENOMEM, -ENOBUFS (PRESENTATION_MAX does). */
int content_prove(struct content *content, const struct content_ask *ask, struct cbor_writer *to);

/* content_is_short: say whether counters should be set aside again. */
bool content_is_short(const struct content *content);

/* content_free: wipe and free; NULL does nothing. */
void content_free(struct content *content);
#endif
