/* What a door remembers of the proofs that it took, so that it takes none twice.  Pure, of a fixed size.
 *
 * NFC: a proof's counter is above the last one of its pass.  One way: the same pass and counter were not there before.
 * It lives in the door's log: an accept is durable there before the door opens, and at the start the log is read back
 * into this (device/door/chain.h). */
#ifndef DEVICE_DOOR_MEMORY_H
#define DEVICE_DOOR_MEMORY_H
#include "wire/pass.h"

/* Passes (NFC) or proofs (one way) remembered.  At it the one not seen for longest goes, whatever the clock says.  By
 * NFC that costs nothing: a proof answers one nonce, used once.  One way a proof is good for a minute at most, in
 * which no reader takes 4,096. */
#define MEMORY_ROWS 4096

struct memory_row {
        uint8_t pass[PASS_ID_SIZE];
        uint32_t counter;
        uint64_t seen; /* how many had been taken when this one was */
};

struct memory {
        enum door_class class;
        size_t count;
        uint64_t taken;
        struct memory_row rows[MEMORY_ROWS];
};

/* memory_init: of a door of this class; nothing was seen. */
void memory_init(struct memory *memory, enum door_class class);

/* memory_was_here: say whether a proof with COUNTER of PASS is to be refused. */
bool memory_was_here(const struct memory *memory, const uint8_t pass[PASS_ID_SIZE], uint32_t counter);

/* memory_take: a proof was taken. */
void memory_take(struct memory *memory, const uint8_t pass[PASS_ID_SIZE], uint32_t counter);
#endif
