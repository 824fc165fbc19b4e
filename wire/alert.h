/* The alert: the signed fact that somebody pressed (PROTOCOL.md 4).
 *
 *   [1, nonce 8, revision, pressed at s, kind, marks, lat 1e-7, lon 1e-7, accuracy m, fix age s, battery %]
 *
 * Every revision carries everything.  Reading refuses as little as it can: a part that is missing, of another type or
 * out of its range is left out and named in `odd`, and the alert is raised without it.  Pure. */
#ifndef WIRE_ALERT_H
#define WIRE_ALERT_H
#include "wire/cbor.h"
#include "wire/cose.h"
#include "wire/id.h"

#define ALERT_AAD         "vigie alert"
#define ALERT_PARTS       11
#define ALERT_PAYLOAD_MAX 41                                  /* 1 head, 1 format, 9 nonce, 3, 5, 1, 3, 5, 5, 3, 3, 2 */
#define ALERT_MAX         (COSE_OVERHEAD + ALERT_PAYLOAD_MAX) /* 125; room to COSE_SMS_MAX is for later fields */
#define ALERT_TBS_MAX \
        (1 + 11 + 4 + 12 + 2 + ALERT_PAYLOAD_MAX) /* head, "Signature1", protected, external_aad, payload */

enum alert_kind {
        ALERT_PANIC,
        ALERT_SILENT,
        ALERT_MAN_DOWN,
        ALERT_MISSED_CHECK_IN,
        ALERT_DRILL,
        ALERT_TEST,
        ALERT_KIND_COUNT
};

/* Marks.  Bits not named here are a newer format's: kept and passed on. */
#define ALERT_MISTAKE        0x0001u /* "it was a mistake", with the PIN */
#define ALERT_DURESS         0x0002u /* the duress PIN: looks the same on the phone, and has the same length here */
#define ALERT_HOLDER_UNSURE  0x0004u /* pressed off duty: who holds the phone is not known */
#define ALERT_PRESSED_AGAIN  0x0008u
#define ALERT_LAST_WORDS     0x0010u /* battery nearly empty, or the phone is being switched off */
#define ALERT_STILL          0x0020u /* "I still need help", after somebody closed */
#define ALERT_CATEGORY       0x0700u /* the tap after the press, a number of three bits */
#define ALERT_CATEGORY_SHIFT 8

enum alert_category { ALERT_CATEGORY_NONE, ALERT_FALL, ALERT_AGGRESSION, ALERT_DOG, ALERT_ILLNESS, ALERT_OTHER };

#define ALERT_BATTERY_UNKNOWN 255

/* The fact.  In a fix absent (has_fix false) lat, lon, accuracy and age are 0 and travel as null. */
struct alert {
        uint8_t nonce[ALERT_NONCE_SIZE];
        uint16_t revision;     /* 0 at the press; the highest has the newest position */
        uint32_t pressed_at_s; /* UTC; the handset's clock, which may be wrong */
        enum alert_kind kind;
        uint16_t marks;
        bool has_fix;
        int32_t lat_e7, lon_e7;  /* WGS 84, 1e-7 degree: -900000000..900000000, -1800000000..1800000000 */
        uint16_t accuracy_m;     /* 95 %; 65535 is that or more */
        uint16_t fix_age_s;      /* when this revision was signed; 65535 is that or more */
        uint8_t battery_percent; /* 0..100, or ALERT_BATTERY_UNKNOWN */
};

/* Parts left out on reading because they were missing or impossible; the default each then has. */
#define ALERT_ODD_REVISION 0x01u /* 0 */
#define ALERT_ODD_TIME     0x02u /* 0 */
#define ALERT_ODD_KIND     0x04u /* ALERT_PANIC: an unknown kind may be the gravest */
#define ALERT_ODD_MARKS    0x08u /* 0 */
#define ALERT_ODD_POSITION 0x10u /* has_fix false */
#define ALERT_ODD_ACCURACY 0x20u /* 65535, where there is a position; also the fix age */
#define ALERT_ODD_BATTERY  0x40u /* ALERT_BATTERY_UNKNOWN */

/* An alert as it came. */
struct alert_signed {
        struct cose_sign1 cose;    /* spans into the message */
        struct handset_id handset; /* from the kid: says who it claims to be until alert_verify() */
        struct alert alert;
        unsigned odd;           /* ALERT_ODD_* */
        unsigned unknown_parts; /* elements after the eleventh: a newer format's, kept in the signed bytes */
};

/* alert_write_payload: write the payload.  Returns 0, -EINVAL (a field out of its range), -ENOBUFS. */
int alert_write_payload(const struct alert *alert, struct cbor_writer *to);

/* alert_read_payload: read a payload.
 *   ret_odd      ALERT_ODD_* of the parts left out
 * Returns 0; -EBADMSG when not even an alert without its parts is there: not CBOR by our profile, not an array, a
 * format number other than 1, no nonce of 8. */
int alert_read_payload(struct cbor_span payload, struct alert *ret_alert, unsigned *ret_odd);

/* alert_read: take a signed alert apart.  Checks no signature: see alert_verify() in wire/signing.h.
 *   why          may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG, -EMSGSIZE; then alert_salvage() is what is left. */
int alert_read(struct cbor_span in, struct alert_signed *ret_alert, const char **why);

/* What alert_salvage() found. */
#define ALERT_SALVAGED_HANDSET 0x1u
#define ALERT_SALVAGED_NONCE   0x2u

/* alert_salvage: from bytes that alert_read() refuses (torn, of a newer format, tagged ...), get who claims to have
 * sent them and the nonce, as far as they can be read from the front.  Nothing of it is verified: it is raised as
 * unverified.
 *   ret_id       octets of what was not found are 0
 * Returns the ALERT_SALVAGED_* bits found, 0 if none.  Never more than the first COSE_MAX octets are looked at. */
unsigned alert_salvage(struct cbor_span in, struct alert_id *ret_id);

/* alert_tbs: write the bytes that HANDSET's ES256 key is to sign; at most ALERT_TBS_MAX.
 * Returns 0, -EINVAL (a field out of its range), -ENOBUFS. */
int alert_tbs(const struct alert *alert, const struct handset_id *handset, struct cbor_writer *to);

/* alert_finish: write the signed alert from the same fields and the signature over alert_tbs(); at most ALERT_MAX.
 * Returns 0, -EINVAL, -ENOBUFS. */
int alert_finish(const struct alert *alert, const struct handset_id *handset,
                 const uint8_t signature[KEY_SIGNATURE_SIZE], struct cbor_writer *to);

/* alert_marks_add: the marks after KNOWN, when a revision with NEWER comes on top.  Bits only add up; the category,
 * being a number, is NEWER's unless that has none.  Call it in the order of the revisions. */
uint16_t alert_marks_add(uint16_t known, uint16_t newer);

/* alert_category: the tap after the press, 0..7; above ALERT_OTHER it is a newer format's. */
unsigned alert_category(uint16_t marks);

/* alert_kind_name, alert_category_name: a word for log and inspect ("man-down", "aggression"); "unknown" beyond. */
const char *alert_kind_name(unsigned kind);
const char *alert_category_name(unsigned category);
#endif
