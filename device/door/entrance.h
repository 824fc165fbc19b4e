/* The door itself: what it trusts, what it remembers, and what it does with a pass that is shown.  One decision,
 * wire/pass_verify.h's; the only thing that this adds to it is the memory (16, replayed).  In this order, whatever
 * cuts the power in between:
 *
 *      judge -> the log's entry durable (the memory with it) -> open -> the log's `head` -> tell
 *
 * So nothing opens that is not in the log, and nothing that was taken is taken again.  From judge to open no heap of
 * ours is asked for; what libcrypto asks for comes from a fixed piece of memory (device/door/arena.h). */
#ifndef DEVICE_DOOR_ENTRANCE_H
#define DEVICE_DOOR_ENTRANCE_H
#include "device/door/chain.h"
#include "device/door/list.h"
#include "device/door/memory.h"

/* Refusals written to the log in a minute: a person trying, over and over.  More are counted in the next entry, and
 * not written: who stands at a door with nothing can neither fill its disk nor push its log's old files out (80,000
 * entries of 16 files last a day). */
#define ENTRANCE_REFUSALS_MAX    30
#define ENTRANCE_REFUSALS_SPAN_S 60

struct entrance {
        struct pass_crypto crypto;
        struct trust trust;
        struct mandate mandate;
        uint8_t mandate_signed[MANDATE_MAX];
        size_t mandate_len;
        struct key *key; /* the door's own; owned */
        bool sensitive, degraded_ok;
        uint32_t floor_s;
        struct list list;
        struct memory memory;
        struct chain chain;
        struct {
                uint32_t since_s, count, unwritten;
        } refusals;
        /* Begin to open.  Returns 0 or a negative errno: it stays shut. */
        int (*open)(void *user);
        void *open_user;
};

/* What is shown. */
struct entrance_shown {
        struct cbor_span presentation; /* [1, pass, proof], not looked at yet */
        struct cbor_span hello;        /* this door's, signed, that was said to this phone; empty: one way */
        uint32_t clock_s;              /* UTC as the machine has it */
};

/* entrance_start: open the log in OPTIONS (folder, files, calls are read) and read memory and floor back from it.
 * Trust, mandate and key are there.  Returns as chain_open does. */
int entrance_start(struct entrance *door, const struct chain_options *options, char why[160]);

/* entrance_now: the door's clock: CLOCK_S, but never below the newest time that the region signed. */
uint32_t entrance_now(const struct entrance *door, uint32_t clock_s);

/* entrance_floor: the region signed this time: no clock of this door goes below it. */
void entrance_floor(struct entrance *door, uint32_t signed_s);

/* entrance_hello: a fresh hello, for one contact.  Returns 0, or a negative errno: no contact. */
int entrance_hello(struct entrance *door, uint32_t clock_s, struct cbor_writer *to);

/* entrance_judge: decide, write down, and open where the answer is good.
 *   ret_verdict  what to show; ret_opened: false with a good verdict means that opening failed (told by `open`)
 * Returns 0, or a negative errno: the log could not be written; where its entry could not, nothing was opened.  The
 * process is to end: what a failed write left is only known by reading it back. */
int entrance_judge(struct entrance *door, const struct entrance_shown *shown, struct pass_verdict *ret_verdict,
                   bool *ret_opened);

/* entrance_take_list: a status list that a phone or a file brought.  Returns as list_take does; the floor follows. */
int entrance_take_list(struct entrance *door, struct cbor_span list, uint32_t clock_s);

/* entrance_close: the log and the key; copes with a half-made one. */
void entrance_close(struct entrance *door);
#endif
