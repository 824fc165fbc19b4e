/* feed: the entries of the stream {r}:feed, the spine.  An entry has the Redis fields `f` (format, "1"), `t` (what)
 * and:
 *   t = alert    `id` 32 hex, `v` version, `e` event name, `by` person id or "", `c` command id in hex or "",
 *                `at` ms, `r` record (CBOR)
 *   t = notice   `k` key, `at` ms, `r` notice (CBOR); `r` empty = the notice is over
 *   t = answer   `c` command id in hex, `a` answer code (decimal), `at` ms, `r` text naming the owner or ""
 *   t = duty     `k` person id, `at` ms, `r` supervisor's duty (CBOR duty_entry) or empty = off
 * Every consumer keeps the highest version of each alert and skips what is not newer; after a lost connection it
 * reads the feed's position, then the open alerts, then the feed from there.  PROTOCOL.md section 9.
 *
 * Every entry and every value here begins with its format number.  A program reads its own and the one before;
 * format 1 is the first, so today only 1.  Elements behind those known may come within a format: they are stepped
 * over. */
#ifndef WIRE_FEED_H
#define WIRE_FEED_H

#include "wire/command.h"

#define FEED_FORMAT 1

/* Largest encoded value of each kind, every text full; more octets are none. */
#define NOTICE_MAX       3584
#define DUTY_ENTRY_MAX   64
#define PRESENCE_MAX     64
#define CARRIER_DUTY_MAX 512
#define TOMBSTONE_MAX    128

/* Carriers named in one notice; the rest is in its count.  A screen of them; beyond, somebody looks at the list of
 * the round. */
#define NOTICE_NAMES_MAX 16

/* A notice is a standing fact that people must see, kept in {r}:notices under its key until it is over. */
enum notice_kind {
        NOTICE_OVERDUE = 1, /* carriers not heard of; key "overdue:<zone>": grouped by the round's zone; and by the
                             * cause in their last words: "overdue:<zone>:<cause>" */
        NOTICE_UNVERIFIED,  /* a sender's unverified alerts are being limited; key "unverified:<sender>" */
        NOTICE_TECHNICAL,   /* store, disk, clock, snapshot...; key "tech:<dispatcher>:<what>" */
        NOTICE_DURESS,      /* the duress PIN was given and came when the alert was closed; key "duress:<alert>" */
        NOTICE_END
};
struct overdue_name {
        char carrier_id[PERSON_ID_MAX + 1], carrier_name[NAME_MAX_OCTETS + 1], number[NUMBER_MAX + 1],
                round[PERSON_ID_MAX + 1];
        int64_t heard_at_ms;
        bool has_place; /* where the carrier was, opened by the keeper because of this */
        struct track_point at;
};
/* `[1, kind, rings, since ms, count, zone id, zone name, cause, acked by,
 * [[carrier id, name, number, round, heard ms, position|null], ...]]`; the position came later: missing, none */
struct notice {
        uint8_t kind;
        bool rings; /* rings until acknowledged */
        int64_t since_ms;
        uint32_t count; /* carriers overdue, alerts suppressed... */
        char zone_id[ZONE_ID_MAX + 1], zone_name[NAME_MAX_OCTETS + 1];
        char cause[PERSON_ID_MAX +
                   1]; /* stable word: "silent", "no_coverage", "battery_low", "power_off", "store_away",
                                        * "disk_full", "fenced", "sms_failed", "sms_unknown", "clock", "duress_after_close"... */
        char acked_by[PERSON_ID_MAX + 1]; /* "" = not yet */
        uint8_t name_count;               /* of `count`, the first NOTICE_NAMES_MAX by last heard */
        struct overdue_name names[NOTICE_NAMES_MAX];
};
/* A supervisor's duty, in the hash {r}:duty:supervisors and the feed: `[1, since ms, until s, handset id]`. */
struct duty_entry {
        int64_t since_ms;
        uint32_t until_s;
        uint8_t handset[HANDSET_ID_SIZE]; /* that went on duty; all zero = by console */
};
/* A supervisor's presence, entries of the stream {r}:roster (positions Redis): field `f` "1", `id` person id, `r`
 * CBOR `[1, at ms, by, position|null]`. */
enum { PRESENCE_GONE = 0, PRESENCE_HANDSET = 1, PRESENCE_CONSOLE = 2 };
struct presence {
        int64_t at_ms;
        uint8_t by; /* PRESENCE_HANDSET or PRESENCE_CONSOLE; 0 = gone */
        bool has_position;
        struct track_point at;
};

/* A carrier on duty, hash {r}:duty:info of the positions Redis (field: handset id in hex; {r}:duty is the sorted set
 * by last heard ms): `[1, carrier id, round, since ms, until s, zone id, battery, sealed position or null, cause, asked
 * ms]`. */
#define SEALED_POSITION_MAX 256 /* 118 today (wire/sealed.h); a newer handset's may be larger */
struct carrier_duty {
        char carrier_id[PERSON_ID_MAX + 1], round[PERSON_ID_MAX + 1], zone_id[ZONE_ID_MAX + 1];
        int64_t since_ms;
        uint32_t until_s;
        uint8_t battery;      /* percent 0..100, 255 unknown */
        uint16_t sealed_size; /* 0 = none */
        uint8_t sealed[SEALED_POSITION_MAX];
        uint8_t cause;    /* enum heartbeat_cause of wire/frame.h, of the last heartbeat: last words */
        int64_t asked_ms; /* asked by SMS "are you all right?" since last heard; 0 = not */
};

/* A tombstone, value of {r}:tombstones: `[1, version, receipt state, closed at ms, who, revision, marks]`: enough to sign the
 * receipt of a closed alert, and to see that a late copy of it brings a mark. */
struct tombstone {
        uint32_t version;
        uint8_t state; /* receipt state: 7, or 16..23 */
        int64_t closed_at_ms;
        char who[NAME_MAX_OCTETS + 1];
        uint16_t revision; /* the highest that was in what was closed; a press beyond it was not */
        uint32_t marks;    /* RECORD_* of what was closed */
};

/* feed_format_check: the format field `f` of an entry of the feed, the commands or the roster, LEN octets of text.
 * Returns 0 (we read it), -EPROTONOSUPPORT (a newer one: skip the entry and say so), -EBADMSG (no number of format). */
int feed_format_check(const char *text, size_t len);

/* x_encode: write a value into BUF of SIZE octets (the MAX of its kind is always enough).
 * Returns the length, -ENOBUFS, -EINVAL (a value out of its range, a text that is not UTF-8). */
int notice_encode(const struct notice *notice, uint8_t *buf, size_t size);
int duty_entry_encode(const struct duty_entry *duty, uint8_t *buf, size_t size);
int presence_encode(const struct presence *presence, uint8_t *buf, size_t size);
int carrier_duty_encode(const struct carrier_duty *duty, uint8_t *buf, size_t size);
int tombstone_encode(const struct tombstone *tombstone, uint8_t *buf, size_t size);

/* x_decode: read a value.  On failure *ret is all zero.
 * Returns 0; -EBADMSG (malformed, or a value out of its range); -EPROTONOSUPPORT (a newer format). */
int notice_decode(const uint8_t *data, size_t size, struct notice *ret_notice);
int duty_entry_decode(const uint8_t *data, size_t size, struct duty_entry *ret_duty);
int presence_decode(const uint8_t *data, size_t size, struct presence *ret_presence);
int carrier_duty_decode(const uint8_t *data, size_t size, struct carrier_duty *ret_duty);
int tombstone_decode(const uint8_t *data, size_t size, struct tombstone *ret_tombstone);

/* notice_kind_name: "overdue", "unverified", "technical", "duress": stable words; NULL if none. */
const char *notice_kind_name(uint8_t kind);

#endif
