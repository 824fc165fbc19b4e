#include "device/door/entrance.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "wire/pass_signing.h"

static void on_entry(void *user, const struct chain_entry *found)
{
        struct entrance *door = user;
        const struct door_log_entry *e = &found->read->entry;

        entrance_floor(door, e->floor_s);
        if (e->refusal == PASS_GOOD && e->has_proof)
                memory_take(&door->memory, e->pass, e->counter);
}

int entrance_start(struct entrance *door, const struct chain_options *options, char why[160])
{
        struct chain_options o = *options;

        o.key = door->key;
        memcpy(o.door, door->mandate.door, DOOR_ID_SIZE);
        o.each = on_entry;
        o.user = door;
        memory_init(&door->memory, door->mandate.class);
        return chain_open(&o, &door->chain, why);
}

uint32_t entrance_now(const struct entrance *door, uint32_t clock_s)
{
        return clock_s > door->floor_s ? clock_s : door->floor_s;
}

void entrance_floor(struct entrance *door, uint32_t signed_s)
{
        if (signed_s > door->floor_s)
                door->floor_s = signed_s;
}

int entrance_hello(struct entrance *door, uint32_t clock_s, struct cbor_writer *to)
{
        struct hello hello = { .mandate = { door->mandate_signed, door->mandate_len },
                               .time_s = entrance_now(door, clock_s),
                               .list_issued_at_s = door->list.status != NULL ? door->list.status->issued_at_s : 0 };

        if (getrandom(hello.nonce, sizeof(hello.nonce), 0) != sizeof(hello.nonce))
                return -EIO;
        memcpy(hello.head, door->chain.head, HELLO_HEAD_SIZE);
        return hello_sign(&hello, door->mandate.door, door->key, to);
}

/* verify: the one decision, and what this door remembers. */
static void verify(struct entrance *door, const struct entrance_shown *shown, uint32_t now_s, struct pass_verdict *v)
{
        struct pass_question q = { .hello = shown->hello,
                                   .trust = &door->trust,
                                   .status = door->list.status,
                                   .now_s = now_s,
                                   .class = door->mandate.class,
                                   .sensitive = door->sensitive,
                                   .degraded_ok = door->degraded_ok };

        memcpy(q.building, door->mandate.building, BUILDING_ID_SIZE);
        if (presentation_read(shown->presentation, &q.pass, &q.proof) == -EMSGSIZE)
                q.pass = shown->presentation; /* longer than any: pass_verify says so */
        pass_verify(&door->crypto, &q, v);
        if (v->refusal == PASS_GOOD && memory_was_here(&door->memory, v->pass.id, v->counter))
                v->refusal = PASS_REPLAYED;
}

/* May this refusal be written?  One that may not is counted. */
static bool refusal_may_be_written(struct entrance *door, uint32_t now_s)
{
        if (now_s - door->refusals.since_s >=
            ENTRANCE_REFUSALS_SPAN_S) { /* a clock that was set back is a new span too */
                door->refusals.since_s = now_s;
                door->refusals.count = 0;
        }
        if (door->refusals.count < ENTRANCE_REFUSALS_MAX) {
                door->refusals.count++;
                return true;
        }
        if (door->refusals.unwritten < UINT32_MAX)
                door->refusals.unwritten++;
        return false;
}

static int write_down(struct entrance *door, const struct pass_verdict *v, uint32_t now_s)
{
        struct door_log_entry e = { .time_s = now_s,
                                    .floor_s = door->floor_s,
                                    .list_issued_at_s = door->list.status != NULL ? door->list.status->issued_at_s : 0,
                                    .refusal = (uint8_t)v->refusal,
                                    .class = door->mandate.class,
                                    .degraded = v->degraded,
                                    .has_pass = v->refusal == PASS_GOOD || v->refusal > PASS_FORGED,
                                    .has_proof = v->refusal == PASS_GOOD || v->refusal == PASS_REPLAYED,
                                    .counter = v->counter,
                                    .unwritten = door->refusals.unwritten };
        int r;

        memcpy(e.subject, v->pass.subject, PASS_SUBJECT_SIZE);
        memcpy(e.pass, v->pass.id, PASS_ID_SIZE);
        memcpy(e.marker, v->marker, PASS_MARKER_SIZE);
        r = chain_append(&door->chain, &e);
        if (r == 0)
                door->refusals.unwritten = 0;
        return r;
}

int entrance_judge(struct entrance *door, const struct entrance_shown *shown, struct pass_verdict *ret_verdict,
                   bool *ret_opened)
{
        uint32_t now_s = entrance_now(door, shown->clock_s);
        int r;

        *ret_opened = false;
        verify(door, shown, now_s, ret_verdict);
        if (ret_verdict->refusal == PASS_GOOD || ret_verdict->refusal > PASS_FORGED)
                entrance_floor(door, ret_verdict->pass.issued_at_s);
        if (ret_verdict->refusal != PASS_GOOD && !refusal_may_be_written(door, now_s))
                return 0;
        if ((r = write_down(door, ret_verdict, now_s)) < 0)
                return r;
        if (ret_verdict->refusal == PASS_GOOD) {
                memory_take(&door->memory, ret_verdict->pass.id, ret_verdict->counter);
                *ret_opened = door->open(door->open_user) == 0;
        }
        return chain_settle(&door->chain);
}

int entrance_take_list(struct entrance *door, struct cbor_span list, uint32_t clock_s)
{
        int r = list_take(&door->list, list, &door->trust, entrance_now(door, clock_s), true);

        if (r == 1)
                entrance_floor(door, door->list.status->issued_at_s);
        return r;
}

void entrance_close(struct entrance *door)
{
        chain_close(&door->chain);
        key_free(door->key);
        door->key = NULL;
}
