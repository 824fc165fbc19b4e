/* record: one alert as a dispatcher commits it.  The same bytes stand in the hash {r}:alert:<id>, in each feed entry and in
 * the frame that rings a supervisor's handset; consoles and handsets read it, only a dispatcher writes it.
 * PROTOCOL.md section 8.  Fixed size, no pointers: copied by assignment. */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/id.h"

#define RECORD_FORMAT 1

/* Largest encoded record; record_encode() drops the oldest track points, then passed-over entries, to keep it. */
#define RECORD_MAX 8192

#define NAME_MAX_OCTETS   64  /* a person's, zone's, round's name, UTF-8, without the final 0 */
#define PERSON_ID_MAX     32  /* a person's, carrier's, round's, zone's, team's id: printable ASCII without space */
#define NUMBER_MAX        20  /* E.164 number with its plus */
#define NOTE_MAX          200 /* what somebody wrote at closing, UTF-8 */

/* People asked for one alert: 3 + 3 + everyone near (16) + managers (8) fits; beyond, "everyone" is the nearest of them. */
#define RECORD_ASKED_MAX 32
/* Those considered and passed over that are named with the reason; the rest is counted. */
#define RECORD_PASSED_MAX 16
/* Track since the press, thinned to every second point when full: at one fix in 10 s it spans hours at falling detail. */
#define RECORD_TRACK_MAX 48
/* Ids of events already applied; an event offered again after 64 others is caught by its own content (revision, state). */
#define RECORD_APPLIED_MAX 64
#define EVENT_ID_SIZE      8

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

enum alert_event { /* what the state table of the dispatcher knows */
        EVENT_RAISE = 1,
        EVENT_UPDATE,
        EVENT_SEEN,
        EVENT_TAKE,
        EVENT_RELEASE,
        EVENT_JOIN,
        EVENT_PROGRESS, /* en route or on scene */
        EVENT_CLOSE,
        EVENT_DUE,
        EVENT_END
};

enum record_mark { /* marks only add up; NO_NEWS alone is taken off, by news */
        RECORD_SILENT = 0x0001,
        RECORD_DURESS = 0x0002,
        RECORD_DRILL = 0x0004,
        RECORD_UNVERIFIED = 0x0008,    /* control room only; `why_unverified` says why */
        RECORD_MISTAKE = 0x0010,
        RECORD_PRESSED_AGAIN = 0x0020,
        RECORD_EXHAUSTED = 0x0040,     /* the ladder's top was reached with nobody taking it */
        RECORD_HOLDER_UNSURE = 0x0080, /* pressed off duty: the phone's last or enrolled holder is named */
        RECORD_LAST_WORDS = 0x0100,    /* battery empty or powered off */
        RECORD_STILL = 0x0200,         /* "I still need help" after a closure */
        RECORD_BAD_POSITION = 0x0400,  /* an impossible position was left out */
        RECORD_BAD_TIME = 0x0800,      /* an impossible press time was left out: pressed_at_s is the time of arrival */
        RECORD_NO_NEWS = 0x1000,       /* owner silent, or no progress: anyone may take over */
        RECORD_RESTORED = 0x2000,      /* brought back by `vigie restore`: check */
};

enum unverified_why { UNVERIFIED_NOT = 0, UNVERIFIED_UNKNOWN, UNVERIFIED_REVOKED, UNVERIFIED_EXPIRED, UNVERIFIED_SIGNATURE, UNVERIFIED_MALFORMED };

enum close_reason { CLOSE_HELPED = 16, CLOSE_MISTAKE, CLOSE_EMERGENCY_SERVICES, CLOSE_DRILL_OVER, CLOSE_NO_DANGER, CLOSE_OTHER };

enum alert_path { PATH_DATA = 0x1, PATH_SMS = 0x2 };

/* One who was asked.  Flags add up, save the answer flags, which the last answer replaces. */
enum asked_flag {
        ASKED_HANDSET = 0x01,   /* reachable by a handset when asked */
        ASKED_CONSOLE = 0x02,   /* reachable by a visible console when asked */
        ASKED_SMS_DUE = 0x04,   /* the ladder owes this person an SMS */
        ASKED_JOINED = 0x08,    /* comes too */
        ASKED_OWNED = 0x10,     /* had taken it and released it, or was taken over */
        ASKED_MANAGER = 0x20,   /* asked as a manager (+120 s) */
};
struct asked {
        char id[PERSON_ID_MAX + 1];
        char name[NAME_MAX_OCTETS + 1];
        uint8_t step;           /* ladder step that asked: 0 at once, 1 +30 s, 2 +60 s, 3 +120 s */
        uint8_t flags;          /* enum asked_flag */
        int64_t asked_at_ms;    /* UTC, Redis's clock, like every _ms here */
        int64_t seen_at_ms;     /* 0 = not yet */
        uint32_t distance_m;    /* geodesic when asked; UINT32_MAX = unknown */
};

struct passed_over {
        char id[PERSON_ID_MAX + 1];
        uint8_t reason;         /* enum choose_reason of geo/choose.h, as a number */
};

struct track_point {
        uint32_t at_s;          /* UTC s of the fix */
        int32_t lat_e7, lon_e7; /* 1e-7 degree, WGS 84 */
        uint16_t accuracy_m;    /* 95 %; 65535 = that or worse */
};

struct record {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;               /* 1 at the raise, +1 a commit */
        enum alert_state state;
        uint32_t marks;                 /* enum record_mark */
        uint8_t why_unverified;         /* enum unverified_why */
        uint8_t kind;                   /* enum alert_kind of wire/alert.h */
        uint8_t category;               /* 0 none .. 5 other, wire/alert.h */
        uint8_t paths;                  /* enum alert_path: every path a copy came by */
        uint16_t revision;              /* highest applied */
        uint16_t presses;               /* presses while open, the first one included */
        uint32_t pressed_at_s;          /* UTC s by the handset's clock */
        int64_t raised_at_ms;
        int64_t changed_at_ms;          /* of this version */
        int64_t heard_at_ms;            /* last update from the carrier's handset */

        bool has_position;
        struct track_point at;          /* the position of the highest revision that had one */
        uint8_t battery;                /* percent, 255 unknown */
        uint8_t track_count;
        struct track_point track[RECORD_TRACK_MAX]; /* oldest first, `at` is not repeated in it */

        uint8_t handset[HANDSET_ID_SIZE];
        char carrier_id[PERSON_ID_MAX + 1];         /* "" = nobody known on this handset */
        char carrier_name[NAME_MAX_OCTETS + 1];
        char carrier_number[NUMBER_MAX + 1];
        char team[PERSON_ID_MAX + 1];
        char round[PERSON_ID_MAX + 1];
        char zone_id[PERSON_ID_MAX + 1];            /* of the position, else of the round; "" = none */
        char zone_name[NAME_MAX_OCTETS + 1];

        char owner_id[PERSON_ID_MAX + 1];           /* "" = not taken */
        char owner_name[NAME_MAX_OCTETS + 1];
        int64_t taken_at_ms;                        /* 0 = never */
        int64_t progress_at_ms;                     /* last take, en route, on scene or other news of the owner */

        uint8_t asked_count;
        struct asked asked[RECORD_ASKED_MAX];       /* in the order asked */
        uint8_t passed_count;
        uint16_t passed_rest;                       /* passed over and not named here */
        struct passed_over passed[RECORD_PASSED_MAX];

        uint8_t step;                   /* ladder step done: 0..3, 4 = exhausted */
        uint8_t sms_checked;            /* how many of `asked` the 5 s check has looked at */
        uint16_t rings;                 /* times everybody was rung again after the ladder's top, or for no news */
        int64_t due_ms;                 /* the one next deadline; 0 only when closed */

        uint8_t close_reason;           /* enum close_reason, 0 while open */
        char closed_by_id[PERSON_ID_MAX + 1];
        char closed_by_name[NAME_MAX_OCTETS + 1];
        char note[NOTE_MAX + 1];
        int64_t closed_at_ms;

        uint8_t applied_count;
        uint8_t applied[RECORD_APPLIED_MAX][EVENT_ID_SIZE]; /* oldest first */

        uint16_t unknown_size;          /* CBOR map entries of a newer format, kept and written back */
        uint8_t unknown[512];
};

/* record_encode: write RECORD as one CBOR map with small integer keys (PROTOCOL.md section 8) into BUF of SIZE octets
 * (RECORD_MAX is always enough).  Returns the length, or -ENOBUFS (SIZE too small). */
int record_encode(const struct record *record, uint8_t *buf, size_t size);

/* record_decode: read a record written by this or the previous format.  Strict, as all reading; keys of a newer format are kept
 * in `unknown`.  Returns 0; -EBADMSG (not a record, or a value out of its range); -EPROTONOSUPPORT (a format above ours). */
int record_decode(const uint8_t *data, size_t size, struct record *ret_record);

/* record_receipt_state: the state octet that a receipt carries for RECORD (wire/receipt.h): its state, or the reason when closed. */
uint8_t record_receipt_state(const struct record *record);

/* record_urgency: order of open alerts on a screen, higher first: real before drill, verified before unverified, not taken before
 * taken, duress and exhausted first; then the older press.  Also the score of {r}:open. */
double record_urgency(const struct record *record);

/* Names for people, logs and the console's JSON: "raised", "en_route"...; NULL for a number that has none. */
const char *alert_state_name(uint8_t state);
const char *alert_event_name(uint8_t event);
const char *close_reason_name(uint8_t reason);
const char *unverified_why_name(uint8_t why);

#endif
