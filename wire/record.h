/* record: one alert as a dispatcher commits it.  The same bytes stand in the hash {r}:alert:<id>, in each feed entry
 * and in the frame that rings a supervisor's handset; consoles and handsets read it, only a dispatcher writes it.
 * PROTOCOL.md section 8.  Fixed size, no pointers: copied by assignment. */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/id.h"

#define RECORD_FORMAT 1

/* Largest encoded record: every list and every text full, and `unknown` full, are 8,138 (tests/wire/record_test.c
 * holds it to that).  More octets than this are no record. */
#define RECORD_MAX 8192

/* Octets of texts, without the final 0.  A longer one is refused where it comes in; record_set_text() cuts one to
 * fit.  Texts are UTF-8 and hold no NUL; control characters, marks of direction and markup go through: pages show
 * them harmlessly (DESIGN 7).  PERSON_ID_MAX and ZONE_ID_MAX are those of geo/, which does not know this folder: a
 * compiler that sees two different ones says so. */
#define NAME_MAX_OCTETS 64  /* a person's, zone's, round's name */
#define PERSON_ID_MAX   32  /* id of a person, carrier or round: visible ASCII, '!' to '~'; a team or site: text */
#define ZONE_ID_MAX     40  /* text */
#define NUMBER_MAX      20  /* telephone number: visible ASCII; see number_valid() in wire/people.h */
#define NOTE_MAX        200 /* what somebody wrote at closing */

/* People asked for one alert: 3 + 3 + everyone near (16) + managers (8) fits; beyond, "everyone" is the nearest
 * of them. */
#define RECORD_ASKED_MAX   32
/* Those considered and passed over that are named with the reason; the rest is counted. */
#define RECORD_PASSED_MAX  16
/* Track since the press.  The dispatcher thins it to every second point when full: at one fix in 10 s it spans hours
 * at falling detail. */
#define RECORD_TRACK_MAX   48
/* Presses with another nonce while this alert was open (a second or restored phone of the same handset id).  Each waits
 * for a receipt that names its own id.  Of more, the oldest gives way: its phone offers again and becomes the newest.
 */
#define RECORD_ALIASES_MAX 4
/* Ids of events already applied; an event offered again after 64 others is caught by its own content (revision,
 * state). */
#define RECORD_APPLIED_MAX 64
#define EVENT_ID_SIZE      8
/* The chain of one alert's records, PROTOCOL.md section 8. */
#define RECORD_HASH_SIZE   32
#define RECORD_SALT_SIZE   16
/* A newer format's map entries that are kept.  Whole entries beyond it are dropped: the alert counts, not they. */
#define RECORD_UNKNOWN_MAX 512

enum alert_state {
        ALERT_RAISED = 1, /* committed; nobody asked yet but the control room */
        ALERT_ASKED,      /* somebody's phone or screen was asked */
        ALERT_SEEN,       /* shown on a person's screen */
        ALERT_TAKEN,
        ALERT_EN_ROUTE,
        ALERT_ON_SCENE,
        ALERT_CLOSED,
        ALERT_STATE_END
};

/* What the state table of the dispatcher knows. */
enum alert_event {
        EVENT_RAISE = 1,
        EVENT_UPDATE,
        EVENT_SEEN,
        EVENT_TAKE,
        EVENT_RELEASE,
        EVENT_JOIN,
        EVENT_PROGRESS, /* en route or on scene */
        EVENT_CLOSE,
        EVENT_DUE,
        EVENT_DECLINE, /* passed on by who was asked, or has it */
        EVENT_SMS,     /* what became of an SMS; who was asked while the store was away */
        EVENT_END
};

/* Marks only add up; NO_NEWS alone is taken off, by news. */
enum record_mark {
        RECORD_SILENT = 0x0001,
        RECORD_DURESS = 0x0002,
        RECORD_DRILL = 0x0004,
        RECORD_UNVERIFIED = 0x0008, /* control room only; `why_unverified` says why */
        RECORD_MISTAKE = 0x0010,
        RECORD_PRESSED_AGAIN = 0x0020,
        RECORD_EXHAUSTED = 0x0040,     /* the ladder's top was reached with nobody taking it */
        RECORD_HOLDER_UNSURE = 0x0080, /* pressed off duty: the phone's last or enrolled holder is named */
        RECORD_LAST_WORDS = 0x0100,    /* battery empty or powered off */
        RECORD_STILL = 0x0200,         /* "I still need help" after a closure */
        RECORD_BAD_POSITION = 0x0400,  /* an impossible position was left out */
        RECORD_BAD_TIME = 0x0800,      /* an impossible press time was left out: pressed_at_s is the arrival's */
        RECORD_NO_NEWS = 0x1000,       /* owner silent, or no progress: anyone may take over */
        RECORD_RESTORED = 0x2000,      /* brought back by `vigie restore`: check */
};

enum unverified_why {
        UNVERIFIED_NOT = 0,
        UNVERIFIED_UNKNOWN,
        UNVERIFIED_REVOKED,
        UNVERIFIED_EXPIRED,
        UNVERIFIED_SIGNATURE,
        UNVERIFIED_MALFORMED
};

/* The receipt states from 16 on (wire/receipt.h). */
enum close_reason {
        CLOSE_HELPED = 16,
        CLOSE_MISTAKE,
        CLOSE_EMERGENCY_SERVICES,
        CLOSE_DRILL_OVER,
        CLOSE_NO_DANGER,
        CLOSE_OTHER,
        CLOSE_REASON_MAX = 23 /* the largest a receipt can carry; above CLOSE_OTHER a newer format's */
};

enum alert_path { PATH_DATA = 0x1, PATH_SMS = 0x2 };

/* What became of an SMS of ours.  Delivered: its network said so, which not every network does. */
enum sms_state { SMS_NONE, SMS_DUE, SMS_HANDED, SMS_DELIVERED, SMS_FAILED, SMS_STATE_END };

/* How a person answered. */
enum answer_path { BY_NONE, BY_HANDSET, BY_CONSOLE, BY_SMS, BY_END };

/* One who was asked.  Flags add up, save the answer flags, which the last answer replaces. */
enum asked_flag {
        ASKED_HANDSET = 0x01,  /* reachable by a handset when asked */
        ASKED_CONSOLE = 0x02,  /* reachable by a visible console when asked */
        ASKED_SMS_DUE = 0x04,  /* the ladder came to this person's SMS; `sms_state` says what became of it */
        ASKED_JOINED = 0x08,   /* comes too */
        ASKED_OWNED = 0x10,    /* had taken it and released it, was taken over, or a failover lost it to another */
        ASKED_MANAGER = 0x20,  /* asked as a manager (+120 s) */
        ASKED_DECLINED = 0x40, /* passed it on: the next nearest was asked.  A take takes it off */
        ASKED_TOLD =
                0x80, /* told by SMS that somebody has it, or that it is over, after an SMS that was never answered */
};
struct asked {
        char id[PERSON_ID_MAX + 1];
        char name[NAME_MAX_OCTETS + 1];
        uint8_t step;        /* ladder step that asked: 0 at once, 1 +30 s, 2 +60 s, 3 +120 s */
        uint8_t flags;       /* enum asked_flag */
        int64_t asked_at_ms; /* UTC, Redis's clock, like every _ms here */
        int64_t seen_at_ms;  /* 0 = not yet */
        uint32_t distance_m; /* geodesic when asked; UINT32_MAX = unknown */
        int64_t sms_at_ms;   /* when `sms_state` came about; 0 = no SMS */
        uint8_t sms_state;   /* enum sms_state, of the SMS that asks */
        uint8_t answer_path; /* enum answer_path, of the last answer (seen, take, join, decline ...) */
};

struct record_alias {
        uint8_t nonce[ALERT_NONCE_SIZE]; /* after the same handset id */
        uint16_t revision;               /* highest applied of that nonce */
        int64_t at_ms;                   /* when it came first; 0 = not known.  A closure of before has no part in it */
};

struct record_passed {
        char id[PERSON_ID_MAX + 1];
        uint8_t reason; /* enum passed_reason of geo/choose.h, as a number */
};

struct track_point {
        uint32_t at_s;          /* UTC s of the fix */
        int32_t lat_e7, lon_e7; /* 1e-7 degree, WGS 84: -900000000..900000000, -1800000000..1800000000 */
        uint16_t accuracy_m;    /* 95 %; 65535 = that or worse */
};

/* Numbers that a reader only shows may be a newer format's and are kept as they are: marks, why_unverified, kind,
 * category, paths, flags, reasons, the states of SMS and the paths of answers.  `state` and `step` are acted upon: out of
 * their range the record is refused. */
struct record {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version; /* 1 at the raise, +1 a commit */
        enum alert_state state;
        uint32_t marks;         /* enum record_mark */
        uint8_t why_unverified; /* enum unverified_why */
        uint8_t kind;           /* enum alert_kind of wire/alert.h */
        uint8_t category;       /* 0..7: 0 none .. 5 other, wire/alert.h */
        uint8_t paths;          /* enum alert_path: every path a copy came by */
        uint16_t revision;      /* highest applied */
        uint16_t presses;       /* presses while open, the first one included */
        uint32_t pressed_at_s;  /* UTC s by the handset's clock */
        int64_t raised_at_ms;
        int64_t changed_at_ms; /* of this version */
        int64_t heard_at_ms;   /* last update from the carrier's handset */

        bool has_position;
        struct track_point at; /* the position of the highest revision that had one */
        uint8_t battery;       /* percent 0..100, 255 unknown */
        uint8_t track_count;
        struct track_point track[RECORD_TRACK_MAX]; /* oldest first, `at` is not repeated in it */

        uint8_t handset[HANDSET_ID_SIZE];
        char carrier_id[PERSON_ID_MAX + 1]; /* "" = nobody known on this handset */
        char carrier_name[NAME_MAX_OCTETS + 1];
        char carrier_number[NUMBER_MAX + 1];
        char team[PERSON_ID_MAX + 1];
        char round[PERSON_ID_MAX + 1];
        char zone_id[ZONE_ID_MAX + 1]; /* of the position, else of the round; "" = none */
        char zone_name[NAME_MAX_OCTETS + 1];

        char owner_id[PERSON_ID_MAX + 1]; /* "" = not taken */
        char owner_name[NAME_MAX_OCTETS + 1];
        int64_t taken_at_ms;    /* 0 = never */
        int64_t progress_at_ms; /* last take, en route, on scene or other news of the owner */

        uint8_t asked_count;
        struct asked asked[RECORD_ASKED_MAX]; /* in the order asked */
        uint8_t passed_count;
        uint16_t passed_rest; /* passed over and not named here */
        struct record_passed passed[RECORD_PASSED_MAX];

        uint8_t step;          /* ladder step done: 0..3, 4 = exhausted */
        uint8_t sms_checked;   /* how many of `asked` the 5 s check has looked at: 0..asked_count */
        uint16_t rings;        /* times everybody was rung again after the ladder's top, or for no news */
        int64_t stepped_at_ms; /* when the ladder was begun, last climbed or rang: its deadlines count from it */
        int64_t due_ms;        /* the one next deadline; 0 only when closed */

        uint8_t close_reason; /* enum close_reason 16..23, 0 while open */
        char closed_by_id[PERSON_ID_MAX + 1];
        char closed_by_name[NAME_MAX_OCTETS + 1];
        char note[NOTE_MAX + 1];
        int64_t closed_at_ms;

        uint8_t alias_count;
        struct record_alias aliases[RECORD_ALIASES_MAX]; /* oldest first; none has the nonce of `id` */

        uint8_t applied_count;
        uint8_t applied[RECORD_APPLIED_MAX][EVENT_ID_SIZE]; /* oldest first */

        int64_t data_at_ms, sms_at_ms; /* when a copy last brought news by that path; the first by a path is news */
        int64_t told_sms_at_ms;        /* the handset's receipt by SMS: when `told_sms_state` came about; 0 = none */
        uint8_t told_sms_state;        /* enum sms_state */
        uint8_t owner_path;            /* enum answer_path: how the owner took it, or last told of progress */

        int64_t again_at_ms; /* the last news of its phone since its carrier pressed again there, which may be one more press; 0 = none */

        uint8_t before
                [RECORD_HASH_SIZE]; /* SHA-256 of the encoded record that this one replaced; zeros: the first, or not known */
        uint8_t salt
                [RECORD_SALT_SIZE]; /* drawn for each record: with it the record's own SHA-256 says nothing of what is erased */

        uint8_t unknown_count; /* map entries of a newer format, kept as they are and written back behind ours */
        uint16_t unknown_size; /* their octets */
        uint8_t unknown[RECORD_UNKNOWN_MAX];
};

/* record_encode: write RECORD as one CBOR map with small integer keys (PROTOCOL.md section 8) into BUF of SIZE
 * octets (RECORD_MAX is always enough).  A text is cut at the first octet that may not be in it, so that no name
 * ever stops an alert.
 * Returns the length; -ENOBUFS (SIZE too small); -EINVAL (a number or count out of its range). */
int record_encode(const struct record *record, uint8_t *buf, size_t size);

/* record_decode: read a record written by this format; from format 2 on, by the one before as well.  Strict, as all
 * reading; entries of a newer format are kept in `unknown`.  What record_encode() wrote is read as it was, and is
 * written again octet by octet.  On failure *ret_record is all zero.
 * Returns 0; -EBADMSG (not a record, or a value out of its range); -EPROTONOSUPPORT (a format above ours). */
int record_decode(const uint8_t *data, size_t size, struct record *ret_record);

/* record_asked_find: where PERSON stands in `asked`: 0..asked_count - 1, or -ENOENT. */
int record_asked_find(const struct record *record, const char *person);

/* record_applied: say whether the event ID is among those applied last. */
bool record_applied(const struct record *record, const uint8_t id[EVENT_ID_SIZE]);

/* record_apply_id: note that the event ID is applied; of RECORD_APPLIED_MAX the oldest goes.  Twice is once. */
void record_apply_id(struct record *record, const uint8_t id[EVENT_ID_SIZE]);

/* record_set_text: put TEXT into a text of SIZE octets, cut at the last code point that fits and at the first octet
 * that is not UTF-8; NULL is "".  For the names and zone ids of others, which may be longer than a record keeps. */
void record_set_text(char *to, size_t size, const char *text);

/* record_receipt_state: the state that a receipt carries for RECORD (enum receipt_state): its own, or the reason
 * when closed. */
uint8_t record_receipt_state(const struct record *record);

/* record_urgency: order of open alerts on a screen, higher first, each rule before the next: real before drill;
 * verified before unverified; not taken (or its owner gives no news) before taken; duress before others; exhausted
 * before others; the older press.  Also the score of {r}:open: a whole number under 2^37, exact in a double. */
double record_urgency(const struct record *record);

/* alert_state_name, alert_event_name, close_reason_name, unverified_why_name, sms_state_name, answer_path_name: stable
 * words for logs, the feed and the console's JSON: "raised", "en_route", "handed", "sms" ...; NULL for a number that has
 * none, and for SMS_NONE and BY_NONE. */
const char *alert_state_name(uint8_t state);
const char *alert_event_name(uint8_t event);
const char *close_reason_name(uint8_t reason);
const char *unverified_why_name(uint8_t why);
const char *sms_state_name(uint8_t state);
const char *answer_path_name(uint8_t path);

#endif
