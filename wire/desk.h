/* What the pass desk, the operator's tool and the dispatchers keep in Redis for passes (PROTOCOL.md 10.1): values of hashes,
 * each `[1, ...]`.  Ids of buildings, doors and passes are 8 octets that the region draws; as fields of hashes 16 hex digits. */
#ifndef WIRE_DESK_H
#define WIRE_DESK_H

#include "wire/feed.h"
#include "wire/order.h"
#include "wire/pass.h"
#include "wire/people.h"

#define DESK_FORMAT      1
#define DESK_ADDRESS_MAX 128 /* octets of a postal address */
#define DESK_SMALL_MAX   640 /* largest encoded entry that has no list of buildings */
/* Largest with one: SCOPE_BUILDINGS_MAX ids of 8 octets, and what stands before them. */
#define DESK_LONG_MAX    (SCOPE_BUILDINGS_MAX * BUILDING_ID_SIZE + 512)

/* `{r}:buildings`: [1, name, address, [lat 1e-7, lon 1e-7] / null, flags, policy] */
struct building_place {
        int32_t lat_e7, lon_e7; /* WGS 84 */
};
struct building_entry {
        char name[NAME_MAX_OCTETS + 1], address[DESK_ADDRESS_MAX + 1];
        bool has_place;
        struct building_place place;
        uint32_t flags;  /* enum building_flags */
        uint32_t policy; /* enum pass_policy of a pass for it: a round's is what all its buildings allow */
};
enum building_flags { BUILDING_SENSITIVE = 0x1 };

/* `{r}:stops`, by round id: [1, building ids]: in the order of the round; null where there is none. */
struct stops_entry {
        uint16_t count;
        uint8_t buildings[SCOPE_BUILDINGS_MAX][BUILDING_ID_SIZE];
};

/* `{r}:doors`: [1, building, name, class, key 64 / null, mandate from s, to s, opens when list too old, newest list s, seen at s] */
struct door_entry {
        uint8_t building[BUILDING_ID_SIZE];
        char name[NAME_MAX_OCTETS + 1];
        uint8_t class; /* enum door_class */
        bool has_key;
        uint8_t key[PASS_KEY_SIZE];
        uint32_t from_s, to_s; /* its mandate; 0: none was made */
        bool opens_degraded;   /* told to open although its status list is past its end */
        uint32_t list_s;       /* newest status list that it was seen to have; 0: not known */
        uint32_t seen_at_s;    /* when its log was read last; 0: never */
};

/* `{r}:passes`: [1, handset, carrier, round, by, second, not before s, not after s, status, subject, issued s, revoked s, revoked by,
 * order number, policy, building ids].  Whether the phone has it: `taken` of its vault is not below the order number. */
struct pass_entry {
        struct handset_id handset;
        char carrier[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1];
        char by[PERSON_ID_MAX + 1], second[PERSON_ID_MAX + 1]; /* logins; second "" where one was enough */
        uint32_t not_before_s, not_after_s;
        uint32_t status; /* its bit in the status list */
        uint8_t subject[PASS_SUBJECT_SIZE];
        uint32_t issued_at_s, revoked_at_s; /* 0: not revoked */
        char revoked_by[PERSON_ID_MAX + 1];
        uint32_t order; /* number of the order that brings it */
        uint32_t policy;
        uint16_t count;
        uint8_t buildings[SCOPE_BUILDINGS_MAX][BUILDING_ID_SIZE];
};

/* `{r}:consents`, by 16 hex digits that the console draws: [1, by, at s, handset, carrier, round, not before s, not after s,
 * [[from s, to s] x 0..4], policy, building ids]: a pass that waits for a second person, for an hour. */
struct consent_entry {
        char by[PERSON_ID_MAX + 1];
        uint32_t at_s;
        struct handset_id handset;
        char carrier[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1];
        uint32_t not_before_s, not_after_s;
        uint8_t window_count;
        struct pass_window windows[PASS_WINDOWS_MAX];
        uint32_t policy;
        uint16_t count;
        uint8_t buildings[SCOPE_BUILDINGS_MAX][BUILDING_ID_SIZE];
};

/* `{r}:vaults`, by handset: [1, enrolment, state, pass key 64 / null, challenge / null, told at ms, status list issued s, taken, result].
 * What the phone says of itself in VAULT, and what it confirmed by signature: `taken`, `result`.  One of another enrolment than the
 * handset's is worth nothing. */
struct vault_entry {
        uint8_t enrolment[ENROLMENT_SIZE];
        uint8_t state; /* enum vault_state */
        bool has_key;
        uint8_t key[PASS_KEY_SIZE];
        bool has_challenge;
        uint8_t challenge[ORDER_CHALLENGE_SIZE];
        int64_t told_at_ms;
        uint32_t list_s;
        uint32_t taken; /* number of the order confirmed last; 0: none */
        uint8_t result; /* enum order_result of it */
};
enum vault_state {
        VAULT_NONE = 0, /* no PIN was set yet */
        VAULT_LOCKED,   /* has a pass key */
        VAULT_OPEN,     /* and the PIN was given just now */
        VAULT_DESTROYED, /* wrong PINs, or forgotten: `challenge` is what an unlock has to answer, once the carrier asked for one */
        VAULT_STATES
};

/* `{r}:asked`, by handset: [1, carrier, round, until s, at ms]: a pass that a carrier asks for. */
struct asked_entry {
        char carrier[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1];
        uint32_t until_s;
        int64_t at_ms;
};

/* `{r}:opened:<handset>`, by the time in digits: [1, at ms, why]: the keeper opened a place of that handset.  The phone is told at each of its
 * sessions, for OPENED_KEPT_MS, of the newest OPENED_MAX; older ones go. */
#define OPENED_MAX     16
#define OPENED_KEPT_MS (30 * INT64_C(86400000))
struct opened_entry {
        int64_t at_ms; /* by the region's clock */
        uint8_t why;   /* enum opened_why; another is a newer region's */
};
enum opened_why { OPENED_ALERT = 1, OPENED_OVERDUE, OPENED_TIMER };

/* `{r}:timers` of the positions Redis, by handset: [1, due s, sealed place / null]: a quiet timer.  Erased unopened when it is cleared
 * in time.  The place is as the phone sealed it, at most SEALED_POSITION_MAX octets; the span is borrowed. */
struct timer_entry {
        uint32_t due_s;
        struct cbor_span place;
};

/* x_encode: write an entry into BUF of SIZE octets; DESK_SMALL_MAX is always enough, DESK_LONG_MAX for stops, pass and consent.
 * Returns the length, -ENOBUFS, -EINVAL (a value out of its range; an id with other than visible ASCII; a text that is not UTF-8). */
int building_entry_encode(const struct building_entry *entry, uint8_t *buf, size_t size);
int stops_entry_encode(const struct stops_entry *entry, uint8_t *buf, size_t size);
int door_entry_encode(const struct door_entry *entry, uint8_t *buf, size_t size);
int pass_entry_encode(const struct pass_entry *entry, uint8_t *buf, size_t size);
int consent_entry_encode(const struct consent_entry *entry, uint8_t *buf, size_t size);
int vault_entry_encode(const struct vault_entry *entry, uint8_t *buf, size_t size);
int asked_entry_encode(const struct asked_entry *entry, uint8_t *buf, size_t size);
int opened_entry_encode(const struct opened_entry *entry, uint8_t *buf, size_t size);
int timer_entry_encode(const struct timer_entry *entry, uint8_t *buf, size_t size);

/* x_decode: read an entry.  Elements behind those known are a newer program's and are stepped over.  On failure *ret_entry is all
 * zero.  Returns 0; -EBADMSG (malformed, out of its range); -EPROTONOSUPPORT (a newer format). */
int building_entry_decode(const uint8_t *data, size_t size, struct building_entry *ret_entry);
int stops_entry_decode(const uint8_t *data, size_t size, struct stops_entry *ret_entry);
int door_entry_decode(const uint8_t *data, size_t size, struct door_entry *ret_entry);
int pass_entry_decode(const uint8_t *data, size_t size, struct pass_entry *ret_entry);
int consent_entry_decode(const uint8_t *data, size_t size, struct consent_entry *ret_entry);
int vault_entry_decode(const uint8_t *data, size_t size, struct vault_entry *ret_entry);
int asked_entry_decode(const uint8_t *data, size_t size, struct asked_entry *ret_entry);
int opened_entry_decode(const uint8_t *data, size_t size, struct opened_entry *ret_entry);
int timer_entry_decode(const uint8_t *data, size_t size, struct timer_entry *ret_entry);

#endif
