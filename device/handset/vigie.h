/* libvigie-handset: the core of a carrier's or supervisor's phone, for those who build the app around it.
 *
 * An event goes in, a bounded list of actions comes out.  The library has no socket, thread, file, clock, heap or
 * random generator: the host owns network, modem, key store, disk and screen, and gives time and random octets with
 * every event.  The same events give the same actions, on any machine.  Needs libc; crypto.c alone (the last four
 * functions) needs libcrypto.
 *
 * How a host drives it, whole:
 *
 *      struct vigie_options options = VIGIE_OPTIONS;             fill in: who we are, root key, trust list, addresses
 *      struct vigie *vigie = malloc(vigie_size());
 *      vigie_init(vigie, &options);
 *      for each record of the journal, oldest first:             base/entry.h is the file's format
 *              vigie_restore(vigie, payload, len);               a record it cannot read is skipped
 *      run(VIGIE_ON_START);
 *
 *      run(event):                                               from the loop's one thread, for whatever happens
 *              event.now_ms, .now_mono_ms = the clocks; getrandom(event.random)
 *              vigie_event(vigie, &event, &actions);
 *              for each action, in order:
 *                      VIGIE_DO_APPEND   journal it; when durable (or failed): VIGIE_ON_SYNCED
 *                      VIGIE_DO_SIGN     sign with the alert key; then VIGIE_ON_SIGNED
 *                      VIGIE_DO_SEAL     vigie_seal(); then VIGIE_ON_SEALED
 *                      VIGIE_DO_CONNECT  connect; then VIGIE_ON_LINK up, or down with the reason
 *                      VIGIE_DO_SEND     one binary WebSocket message; what comes back: VIGIE_ON_FRAME
 *                      VIGIE_DO_SEND_SMS one SMS by the modem; then VIGIE_ON_SMS_SENT; what comes in: VIGIE_ON_SMS
 *                      VIGIE_DO_TIMER    at that time: VIGIE_ON_TICK
 *                      VIGIE_DO_SHOW     vigie_status(), and draw it
 *                      ...
 *
 * Events that follow from actions are given after the list is done, never from inside it.  Where the phone may lose
 * power in the middle of a list nothing is lost: what the journal holds is enough to go on, cut anywhere.
 *
 * A press is never refused and waits for nothing but its own journal record and signature, and for them not long.  A
 * touch-down that the journal holds with nothing after it counts as a press at the next start: a phone smashed in the
 * second of holding has pressed.  DESIGN sections 3, 4, 5; PROTOCOL.md for all that is sent. */
#ifndef DEVICE_HANDSET_VIGIE_H
#define DEVICE_HANDSET_VIGIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rises with every change to a struct or number in this file.  vigie_init() refuses options made for another one. */
#define VIGIE_ABI 4

#define VIGIE_HANDSET_ID_SIZE  8
#define VIGIE_ALERT_ID_SIZE    16
#define VIGIE_PERSON_SIZE      33 /* a person's or round's id: at most 32 of [A-Za-z0-9._-] and the NUL */
#define VIGIE_NAME_SIZE        65 /* a name: at most 64 octets of UTF-8 and the NUL */
#define VIGIE_WHO_SIZE         16 /* a name in a receipt: at most 15 octets */
#define VIGIE_NOTE_SIZE        201
#define VIGIE_NUMBER_SIZE      21 /* a telephone number */
#define VIGIE_SIGNATURE_SIZE   64 /* ES256: r and s, 32 octets each, big-endian */
#define VIGIE_SEAL_RANDOM_SIZE 44
#define VIGIE_ENROLMENT_SIZE   8
#define VIGIE_PASS_KEY_SIZE    64 /* x and y of a P-256 key */
#define VIGIE_CHALLENGE_SIZE   8
#define VIGIE_ARGUMENT_SIZE    16

/* Fresh octets from the system's generator with every event: alert ids, command ids and jitter come from them. */
#define VIGIE_RANDOM_SIZE 16

/* Addresses of dispatchers.  A region of 6 processes behind one name needs 1 or 2.  More: vigie_init() gives -E2BIG. */
#define VIGIE_ADDRESSES_MAX 8

/* Alerts a supervisor's phone holds.  One asked about more at once does not look at the 17th; the least urgent one is
 * let go (closed, then only shown, then the oldest) and counted in status.rings_more. */
#define VIGIE_RINGS_MAX 16

/* Openings of this phone's sealed positions that it keeps, of the last 30 days.  Of more the newest. */
#define VIGIE_OPENED_MAX 16

/* Actions of one event, and the octets they carry.  The most that can be due at once is 81: 33 for 16 rings, 15 for three
 * alerts, 11 for the journal, 22 for the rest; a test comes near.  Reaching it is a bug: assert. */
#define VIGIE_ACTIONS_MAX 96
#define VIGIE_OCTETS_MAX  32768

/* Largest record that VIGIE_DO_APPEND gives (a trust list), and largest message that VIGIE_DO_SEND gives. */
#define VIGIE_RECORD_MAX 8192
#define VIGIE_SEND_MAX   1024
/* Largest message taken by VIGIE_ON_FRAME; a larger one is counted in status.refused and dropped. */
#define VIGIE_FRAME_MAX  10240
/* Octets of one SMS on our port, either way (wire/sms.h): what VIGIE_DO_SEND_SMS gives at most.  A larger one from
 * VIGIE_ON_SMS is counted in status.refused and dropped. */
#define VIGIE_SMS_MAX    133

/* The times of DESIGN section 5, here because a page or a test may want to say them. */
#define VIGIE_HOLD_MS         1000 /* a touch held this long is a press */
#define VIGIE_KEY_PRESSES     4    /* of a key, within ... */
#define VIGIE_KEY_WINDOW_MS   3000 /* ... this: a silent press */
#define VIGIE_JOURNAL_WAIT_MS 1000 /* a press waits this long for its record; then it leaves without */
#define VIGIE_SIGN_WAIT_MS    3000 /* and this long for its signature; then it leaves unsigned, raised as unverified */
#define VIGIE_RECEIPT_WAIT_MS 5000 /* no receipt on a live link: the link is dropped, the next address tried */
#define VIGIE_ALERT_PORT_MS \
        1000 /* no receipt: the alert port (addresses flagged so) is tried beside the ordinary one */
#define VIGIE_REVISION_FAST_MS   2000   /* between revisions for a better fix, in the first minute */
#define VIGIE_REVISION_MS        10000  /* after that, better fix or not: so the region knows we live */
#define VIGIE_HEARTBEAT_MS       60000  /* carrier on duty */
#define VIGIE_PRESENCE_MS        15000  /* supervisor on duty */
#define VIGIE_RECONNECT_MAX_MS   120000 /* back-off, full jitter; none while an alert waits */
#define VIGIE_RECONNECT_ALERT_MS 1000   /* then: at once, and each of these */
#define VIGIE_NO_PATH_MS         5000 /* link down this long, modem not ready: the button says that it would not work */
#define VIGIE_WELCOME_WAIT_MS    10000 /* link up this long and no welcome: the region does not know us */
#define VIGIE_SMS_AFTER_MS       3000  /* no receipt: by SMS as well; at once where the link is known down */
#define VIGIE_SMS_REVISION_MS    60000 /* between SMS for a better fix; a mark (PIN, category) goes at the next slot */
#define VIGIE_PIN_LATE_MS \
        300000 /* a PIN that is not known when the alert is closed is said so long: back-off twice, and time to spare */
#define VIGIE_SMS_WAIT_MS     90000   /* VIGIE_ON_SMS_SENT does not come: taken as failed */
#define VIGIE_SMS_TEST_S      2592000 /* the last good SMS is older: a test SMS at going on duty */
#define VIGIE_DUTY_OVERTIME_S 1800    /* duty ends by itself this long after its planned end, asked meanwhile */
#define VIGIE_DUTY_MAX_S      86400   /* the furthest planned end */
#define VIGIE_ASK_S           30      /* man-down and missed check-in: shown so long before they raise */
#define VIGIE_BATTERY_LOW     5       /* percent, below which last words are sent */

/* Both clocks are 0 to this, the year 10889; beyond, they are taken as this.  UTC 0 and before is taken as 1. */
#define VIGIE_CLOCK_MAX_MS (INT64_C(1) << 48)

struct vigie; /* one phone; some 40 KiB */
struct trust; /* wire/trust.h */

/* ---- options ----------------------------------------------------------------------------------------------------- */

enum vigie_role { VIGIE_CARRIER = 0, VIGIE_SUPERVISOR = 1 };

/* One signature to check.  COSE numbers: -7 ES256 (key 65 octets: 04 X Y), -8 EdDSA (key 32 octets). */
struct vigie_check {
        int32_t alg;
        const uint8_t *key, *message, *signature; /* signature: VIGIE_SIGNATURE_SIZE octets */
        size_t key_len, message_len;
};

/* Says whether the signature is the key's.  No waiting, same answer for the same octets.  vigie_verify() is one. */
typedef bool vigie_verify_fn(void *user, const struct vigie_check *check);

struct vigie_options {
        uint32_t abi; /* these two: by VIGIE_OPTIONS */
        uint32_t sizes[4];
        bool enrolled; /* false: never enrolled, or wiped; the rest of who we are is then not read */
        uint8_t handset[VIGIE_HANDSET_ID_SIZE];
        uint8_t enrolment[VIGIE_ENROLMENT_SIZE]; /* of the certificate's subject (serialNumber): orders name it */
        uint8_t role;                            /* enum vigie_role */
        char person[VIGIE_PERSON_SIZE];          /* the supervisor it belongs to, or its usual carrier; "" = shared */
        int32_t root_alg;                        /* the region's offline root, from enrolment: signs trust lists */
        uint8_t root[65];
        uint8_t root_len;
        const uint8_t *trust; /* the signed trust list from enrolment; a newer one in the journal goes before it. */
        size_t trust_len;     /* Read during vigie_init() only. */
        vigie_verify_fn *verify;
        void *verify_user;
        uint8_t address_count; /* the host knows what address 0, 1 ... are: tried in this order, in turn */
        uint8_t address_alert; /* bit n: address n is an alert port, for alerts alone */
        bool sms_test;         /* the monthly test SMS, at going on duty; false: no SMS but for alerts */
        bool silent_pulse;     /* one ordinary message pulse when a silent alert is received */
        uint16_t man_down_s;   /* no motion for so long on duty: asked, then raised; 30..3600, 0 = off */
        char app[33];          /* name and version of the host, for the region's logs */
        /* What VIGIE_DO_ORDER wipe gave an earlier run, which did it and was not told VIGIE_DO_FORGET: it is said now, by data where
         * `enrolled`, or by SMS.  Read during vigie_init() only. */
        const uint8_t *wiped;
        size_t wiped_len; /* 0: nothing */
};

/* ---- events ------------------------------------------------------------------------------------------------------ */

enum vigie_event_type {
        VIGIE_ON_START = 1, /* once, after the last vigie_restore() */
        VIGIE_ON_TICK,      /* VIGIE_DO_TIMER is due; too early or too often is harmless */
        VIGIE_ON_PRESS,     /* u.press */
        VIGIE_ON_KEY,       /* the volume key or Bluetooth button went down once: four in 3 s are a silent press */
        VIGIE_ON_CATEGORY,  /* u.category: the one optional tap after a press */
        VIGIE_ON_PIN,       /* u.pin: "it was a mistake"; the host ran scrypt, off the loop (base/password.h) */
        VIGIE_ON_STILL,     /* "I still need help", after somebody closed: a new alert, marked */
        VIGIE_ON_DISMISS,   /* the person has read the closed alert (or the proof, or an answer): shown no more */
        VIGIE_ON_FINE,      /* "I am fine": answers the region's question, man-down and the missed check-in at once */
        VIGIE_ON_FIX,       /* u.fix */
        VIGIE_ON_MOTION,    /* u.motion */
        VIGIE_ON_DEADLINE,  /* u.deadline: the timed check-in */
        VIGIE_ON_BATTERY,   /* u.battery */
        VIGIE_ON_POWER_OFF, /* the phone is being switched off: give it some 2 s to send its last words */
        VIGIE_ON_DUTY,      /* u.duty */
        VIGIE_ON_LINK,      /* u.link */
        VIGIE_ON_FRAME,     /* u.frame: one whole WebSocket message from a dispatcher */
        VIGIE_ON_SMS,    /* u.sms: one 8-bit SMS that came in on our port: a receipt or an order; its key tells which */
        VIGIE_ON_SYNCED, /* u.synced */
        VIGIE_ON_SIGNED, /* u.signature */
        VIGIE_ON_SEALED, /* u.sealed */
        VIGIE_ON_SUPERVISE,   /* u.supervise: a supervisor does something about an alert that rings here */
        VIGIE_ON_MODEM,       /* u.modem: what the modem can do, at each change */
        VIGIE_ON_SMS_SENT,    /* u.sms_sent: what came of a VIGIE_DO_SEND_SMS */
        VIGIE_ON_ORDERED,     /* u.ordered: what came of a VIGIE_DO_ORDER */
        VIGIE_ON_VAULT,       /* u.vault: what is to be said of the vault, at the start and at each change */
        VIGIE_ON_ASK_PASS,    /* u.ask_pass: the carrier asks the desk for a pass */
        VIGIE_ON_ENTERED,     /* u.entered: into a building with a quiet timer; VIGIE_DEADLINE_CLEAR ends it */
        VIGIE_ON_OPENED_READ, /* u.opened_until_ms: the person has read of the openings up to this one */
        VIGIE_ON_END
};

/* What stands between us and an SMS; only READY sends.  A phone without modem never says anything: NONE. */
enum vigie_modem {
        VIGIE_MODEM_NONE,       /* none is configured, or nothing was said yet */
        VIGIE_MODEM_ABSENT,     /* configured, and not plugged in */
        VIGIE_MODEM_SILENT,     /* there, and does not answer */
        VIGIE_MODEM_NO_SIM,     /* no SIM card */
        VIGIE_MODEM_SIM_LOCKED, /* the SIM wants its PIN */
        VIGIE_MODEM_NO_NETWORK, /* not registered */
        VIGIE_MODEM_READY,
        VIGIE_MODEM_END
};

enum vigie_how {
        VIGIE_PRESS_AT_ONCE, /* a command, or a button that asks for no holding */
        VIGIE_TOUCH_DOWN,    /* the finger is down: journaled as pending; held VIGIE_HOLD_MS it is a press */
        VIGIE_TOUCH_HELD,    /* optional: the host's own timer says so (the library raises by VIGIE_ON_TICK anyway) */
        VIGIE_TOUCH_UP       /* let go: before that, dropped; after, nothing */
};
/* A press while a real alert is open is PRESSED AGAIN on it, whatever its kind; a real press during a drill is a new
 * alert.  The last press says whether the alert shows: a loud press on a silent alert shows it, a silent one hushes a
 * loud one (it stays on the page, nothing more is felt).  DURESS: the vault was opened by the duress PIN: a silent press, marked so from
 * its first revision; nothing tells it from none. */
enum vigie_press { VIGIE_PRESS_LOUD, VIGIE_PRESS_SILENT, VIGIE_PRESS_DRILL, VIGIE_PRESS_DURESS };

enum vigie_pin { VIGIE_PIN_RIGHT, VIGIE_PIN_DURESS, VIGIE_PIN_WRONG };
enum vigie_deadline { VIGIE_DEADLINE_SET, VIGIE_DEADLINE_CLEAR, VIGIE_DEADLINE_EXPIRED };

/* What a supervisor does; the numbers of wire/command.h. */
enum vigie_verb {
        VIGIE_SEEN = 1, /* it was on the screen, unlocked or over the lock: send once; more are harmless */
        VIGIE_TAKE,
        VIGIE_RELEASE,
        VIGIE_JOIN,
        VIGIE_ON_MY_WAY,
        VIGIE_WITH_THEM,
        VIGIE_CLOSE
};

/* What the region orders; the numbers of wire/order.h.  A trust list is taken by the library itself. */
enum vigie_order { VIGIE_ORDER_WIPE = 1, VIGIE_ORDER_UNLOCK, VIGIE_ORDER_PASS };

/* What came of it. */
enum vigie_result { VIGIE_ORDER_DONE = 0, VIGIE_ORDER_COULD_NOT, VIGIE_ORDER_NOT_UNDERSTOOD };

/* The vault; the numbers of wire/desk.h. */
enum vigie_vault {
        VIGIE_VAULT_NONE = 0, /* no PIN was set yet */
        VIGIE_VAULT_LOCKED,
        VIGIE_VAULT_OPEN,
        VIGIE_VAULT_DESTROYED /* wrong PINs, or forgotten */
};

/* How an alert was closed; the numbers of wire/record.h. */
enum vigie_reason {
        VIGIE_HELPED = 16,
        VIGIE_MISTAKE,
        VIGIE_HANDED_TO_112,
        VIGIE_DRILL_OVER,
        VIGIE_NO_DANGER,
        VIGIE_OTHER
};

struct vigie_place {
        int32_t lat_e7, lon_e7; /* WGS 84, 1e-7 degree */
        uint16_t accuracy_m;    /* 95 %; 65535 = that, worse, or not known */
        uint32_t at_s;          /* UTC by the phone's clock */
};

struct vigie_event {
        uint32_t type;       /* enum vigie_event_type */
        int64_t now_ms;      /* UTC, the phone's clock, right or wrong */
        int64_t now_mono_ms; /* monotonic, going on while the phone sleeps (CLOCK_BOOTTIME); never goes back */
        uint8_t random[VIGIE_RANDOM_SIZE];
        union {
                struct {
                        uint8_t how;   /* enum vigie_how */
                        uint8_t press; /* enum vigie_press */
                } press;
                uint8_t category; /* 1 fall or injury, 2 aggression, 3 dog, 4 illness, 5 other */
                uint8_t pin;      /* enum vigie_pin */
                struct {
                        double lat_deg, lon_deg; /* WGS 84; NaN or out of range: the fix is dropped */
                        double accuracy_m;       /* 95 %; NaN = not known */
                        int64_t at_ms;           /* UTC by the receiver, to compare two fixes; 0 = not known */
                        int64_t age_ms;          /* how old it is now; 0 for one that just came.  Negative is 0 */
                } fix;
                struct {
                        bool moved; /* true: it moved (once a second is plenty).  false: a sensor says man-down */
                } motion;
                struct {
                        uint8_t what;  /* enum vigie_deadline */
                        uint32_t in_s; /* SET: expires in so many seconds, 60..28800 */
                } deadline;
                uint8_t battery; /* percent, 0..100; 255 = not known */
                struct {
                        bool on;
                        char person[VIGIE_PERSON_SIZE]; /* who; "" = options.person */
                        char round[VIGIE_PERSON_SIZE];  /* which round; "" = none */
                        uint32_t until_s;               /* planned end, UTC s.  On again while on: another end */
                } duty;
                struct {
                        uint8_t address;
                        bool up; /* false: refused, timed out, closed; not after VIGIE_DO_DISCONNECT of that one */
                } link;
                struct {
                        uint8_t address; /* the link it came by */
                        const uint8_t *data;
                        size_t len;
                } frame;
                struct {
                        const uint8_t *data; /* without the port header */
                        size_t len;
                } sms;
                uint8_t modem; /* enum vigie_modem */
                struct {
                        uint32_t ticket; /* of VIGIE_DO_SEND_SMS; another than the last one's means nothing */
                        bool ok;         /* the network took it */
                        uint16_t code;   /* not ok: the number of +CMS ERROR (3GPP TS 27.005 3.2.5); 0 = none came */
                } sms_sent;
                struct {
                        uint32_t seq; /* every VIGIE_DO_APPEND up to this one; 0: nothing written, the journal itself */
                        bool ok;      /* durable; false: not written.  Every one that cannot be is told, `sync` or not;
                                       * the button says so, and we try again.  0: it can be opened, or not */
                } synced;
                struct {
                        uint32_t ticket; /* of VIGIE_DO_SIGN */
                        bool ok;
                        uint8_t octets[VIGIE_SIGNATURE_SIZE];
                } signature;
                struct {
                        uint32_t ticket;     /* of VIGIE_DO_SEAL */
                        const uint8_t *data; /* NULL, 0: could not be sealed; the heartbeat leaves without position */
                        size_t len;
                } sealed;
                struct {
                        uint8_t verb; /* enum vigie_verb */
                        uint8_t alert[VIGIE_ALERT_ID_SIZE];
                        uint8_t reason;             /* VIGIE_CLOSE: enum vigie_reason */
                        char note[VIGIE_NOTE_SIZE]; /* VIGIE_CLOSE: UTF-8 */
                } supervise;
                struct {
                        uint32_t number; /* of VIGIE_DO_ORDER; another than the last one's means nothing */
                        uint8_t result;  /* enum vigie_result */
                } ordered;
                struct {
                        uint8_t state; /* enum vigie_vault */
                        bool has_key, has_challenge;
                        uint8_t key[VIGIE_PASS_KEY_SIZE];        /* the pass key's public half */
                        uint8_t challenge[VIGIE_CHALLENGE_SIZE]; /* what an unlock is to answer */
                        uint32_t list_s;                         /* issue of the status list that is kept; 0 none */
                } vault;
                struct {
                        char round[VIGIE_PERSON_SIZE];
                        uint32_t until_s; /* UTC s */
                } ask_pass;
                struct {
                        uint32_t in_s; /* out, or heard of, within so many seconds: 60..28800 */
                        bool has_place;
                        struct vigie_place place; /* the building's */
                } entered;
                int64_t opened_until_ms; /* at_ms of the newest one that was shown */
        } u;
};

/* ---- actions ----------------------------------------------------------------------------------------------------- */

enum vigie_action_type {
        VIGIE_DO_APPEND =
                1,         /* data: one journal record, after those before it.  `sync`: make durable now (fdatasync) */
        VIGIE_DO_SIGN,     /* data: octets to sign by ES256 with the alert key, as ticket */
        VIGIE_DO_SEAL,     /* seal: a position to seal to the region, as ticket; data: its key */
        VIGIE_DO_SEND,     /* data: a message for the link to address */
        VIGIE_DO_SEND_SMS, /* data: at most VIGIE_SMS_MAX octets, 8-bit with our port header, to the region's alert
                            * number, as ticket.  The next only after VIGIE_ON_SMS_SENT, or VIGIE_SMS_WAIT_MS without */
        VIGIE_DO_CONNECT,  /* connect to address now; at most one link to an address */
        VIGIE_DO_DISCONNECT, /* end that link, or that attempt; nothing more is told of it */
        VIGIE_DO_TIMER,      /* due_mono_ms: VIGIE_ON_TICK then (replaces the last one); INT64_MAX: none is needed */
        VIGIE_DO_SHOW,       /* vigie_status() changed.  Never given for what a silent alert does */
        VIGIE_DO_VIBRATE,    /* pattern; replaces what is still vibrating */
        VIGIE_DO_RING,       /* level: 0 stop, 1 ring, 2 loudest; with the screen locked and on silent too */
        VIGIE_DO_BESIDE, /* data: a piece of what comes beside order `number`, at `offset` of `total`: without gap, from 0 on; from 0
                              * again where the region begins anew */
        VIGIE_DO_ORDER, /* do what order `number` of `kind` says; everything beside it was given.  Then VIGIE_ON_ORDERED.
                              * WIPE: keep `data`, the confirmation of this order, in a file of its own; then keys first, then files,
                              * journal included: nothing is to be appended after it.  `data` stays until VIGIE_DO_FORGET, and a start
                              * that finds it erases what is left and gives it as options.wiped.  Empty: the key did not sign
                              * UNLOCK: `argument`: 8 octets that must be the challenge.  PASS: `argument`: the first 16 octets of
                              * SHA-256 over what came beside it */
        VIGIE_DO_LIST, /* data: a piece of the newest status list, issued at `number`, at `offset` of `total`: as BESIDE.  Whole, it
                              * is to be checked like all that is signed */
        VIGIE_DO_FORGET, /* the confirmation of the wipe has left: it need not be kept any more */
        VIGIE_DO_END
};

enum vigie_pattern {
        VIGIE_VIBRATE_STOP = 0, /* let go before the second was over */
        VIGIE_VIBRATE_RISING,   /* finger down: rises over one second */
        VIGIE_VIBRATE_LEAVING,  /* one long: the alert has left the phone */
        VIGIE_VIBRATE_RECEIVED, /* two */
        VIGIE_VIBRATE_TAKEN,    /* three */
        VIGIE_VIBRATE_MESSAGE,  /* one ordinary message pulse: a silent alert was received */
        VIGIE_VIBRATE_ASK       /* we ask something: are you all right? is your duty over? */
};

struct vigie_action {
        uint32_t type;       /* enum vigie_action_type; members that a type does not name are 0 */
        const uint8_t *data; /* in struct vigie_actions */
        size_t len;
        uint32_t seq;                          /* APPEND: 1, 2, 3 ... from vigie_init() on */
        bool sync;                             /* APPEND */
        uint32_t ticket;                       /* SIGN, SEAL, SEND_SMS */
        uint8_t address;                       /* SEND, CONNECT, DISCONNECT */
        uint8_t pattern;                       /* VIBRATE: enum vigie_pattern */
        uint8_t level;                         /* RING */
        int64_t due_mono_ms;                   /* TIMER */
        struct vigie_place place;              /* SEAL: what; DATA is the position key's kid 8 and its 32 octets */
        uint8_t kind;                          /* ORDER: enum vigie_order */
        uint32_t number, offset, total;        /* ORDER, BESIDE, LIST; octets */
        uint8_t argument[VIGIE_ARGUMENT_SIZE]; /* ORDER */
};

/* What one event brings.  The host's, used again for the next event.  Pointers inside point inside: do not copy it. */
struct vigie_actions {
        uint32_t count;
        struct vigie_action action[VIGIE_ACTIONS_MAX];
        uint32_t octets_len;
        uint8_t octets[VIGIE_OCTETS_MAX];
};

/* ---- status: all that a page shows ------------------------------------------------------------------------------- */

/* How far an alert is.  Each is another sentence, none is said early; from RECEIVED on a verified receipt says it. */
enum vigie_word {
        VIGIE_NOTHING = 0,
        VIGIE_NOT_SENT, /* "Not sent yet."   While nothing is received: "Trying data and SMS. [Call 112]" */
        VIGIE_SENT,     /* "Sent." to a live link; nobody has confirmed */
        VIGIE_KEPT,     /* "Sent, being confirmed." */
        VIGIE_RECEIVED,
        VIGIE_ASKED,    /* "People near you are being rung." */
        VIGIE_SEEN_BY,  /* "Somebody has it on their screen." */
        VIGIE_COMING,   /* "WHO says they are coming." */
        VIGIE_TAKEN,    /* "WHO has taken it." */
        VIGIE_EN_ROUTE, /* "WHO is on the way." */
        VIGIE_ON_SCENE, /* "WHO is there." */
        VIGIE_CLOSED,   /* "Closed by WHO: reason." and [I still need help] */
        VIGIE_WORD_END
};

/* Why the button would not work, or something it leans on.  With one of VIGIE_TROUBLE_BUTTON status.button is false:
 * the page says so, says why, and offers 112; a press is taken all the same. */
#define VIGIE_TROUBLE_NOT_ENROLLED 0x001u /* never, or wiped */
#define VIGIE_TROUBLE_JOURNAL \
        0x002u /* cannot be written, or hangs: a press still leaves, and would not survive a reboot */
#define VIGIE_TROUBLE_NO_PATH 0x004u /* no data for VIGIE_NO_PATH_MS, modem not ready or refusing: a press waits */
#define VIGIE_TROUBLE_KEY     0x008u /* the alert key does not sign: a press leaves unverified */
#define VIGIE_TROUBLE_TRUST   0x010u /* no trust list: no receipt can be believed, nothing shows as received */
#define VIGIE_TROUBLE_NO_FIX  0x020u /* no fix since the start, and none kept */
#define VIGIE_TROUBLE_BATTERY 0x040u /* below VIGIE_BATTERY_LOW */
#define VIGIE_TROUBLE_NOT_KNOWN \
        0x080u /* the link stands and the region does not welcome us: certificate expired or
                                           * revoked, handset not known.  A press leaves, and is raised as unverified */
#define VIGIE_TROUBLE_BUTTON 0x08fu

enum vigie_path { VIGIE_PATH_DATA = 1, VIGIE_PATH_SMS };

struct vigie_alert_status {
        uint8_t word; /* enum vigie_word; VIGIE_NOTHING: no alert, or a silent one */
        uint8_t id[VIGIE_ALERT_ID_SIZE];
        uint8_t kind;     /* of wire/alert.h: 0 panic, 1 silent, 2 man-down, 3 missed check-in, 4 drill */
        uint8_t category; /* 0 none, 1..5 */
        uint16_t revision;
        uint16_t presses;         /* since this start */
        bool trying;              /* nothing received yet: "Trying data and SMS. [Call 112]" */
        bool still;               /* this one is an "I still need help" */
        bool mistake;             /* a PIN was given: those asked are told, and decide */
        uint32_t pressed_at_s;    /* UTC by the phone */
        int64_t sent_at_ms;       /* first handed over, by whichever path; UTC by the phone; 0 = not since this start */
        int64_t sent_data_at_ms;  /* the same, to a live link */
        int64_t sent_sms_at_ms;   /* the same, to the mobile network */
        int64_t received_at_ms;   /* the same */
        uint8_t received_path;    /* enum vigie_path of the first receipt that said so; 0 = none since this start */
        uint32_t state_at_s;      /* UTC by the region: since when the word is so; 0 before a receipt */
        char who[VIGIE_WHO_SIZE]; /* who took or closed it; "" = nobody */
        uint8_t reason;           /* VIGIE_CLOSED: enum vigie_reason; 0 = none given */
};

enum vigie_duty_state {
        VIGIE_DUTY_OFF,
        VIGIE_DUTY_ASKED, /* on here; the region has not confirmed yet */
        VIGIE_DUTY_ON,
        VIGIE_DUTY_REFUSED /* off; `code` says why */
};

struct vigie_duty_status {
        uint8_t state; /* enum vigie_duty_state */
        uint8_t code;  /* REFUSED: 1 unknown person, 2 unknown round, 3 not yours, 4 bad end */
        bool ends;     /* past its planned end: "Are you still working?" give another end, or off */
        char person[VIGIE_PERSON_SIZE], round[VIGIE_PERSON_SIZE];
        char name[VIGIE_NAME_SIZE]; /* the person's, as the region says it; "" until confirmed */
        int64_t since_ms;
        uint32_t until_s;
};

/* The proof of the button at going on duty: ticks, each with its time, UTC ms; 0 = not yet. */
struct vigie_proof_status {
        bool running;           /* asked for and not complete */
        int64_t recorded_at_ms; /* the test press is in the journal */
        int64_t sent_at_ms;
        int64_t proved_at_ms; /* its receipt came and is the region's */
        int64_t fix_at_ms;    /* the fix we have is of this time */
        int64_t sms_at_ms;    /* last good SMS, as status.sms.good_at_ms */
};

/* The SMS leg.  What a silent alert does by SMS is not told here. */
struct vigie_sms_status {
        uint8_t modem;      /* enum vigie_modem */
        bool sending;       /* one is with the modem */
        uint16_t code;      /* +CMS ERROR of the last one that failed, since a good one; 0 = none */
        int64_t good_at_ms; /* the last that the region answered by SMS: out and in both work; UTC; survives restarts */
        int64_t failed_at_ms; /* the last that the modem did not send, since this start; 0 = none since a good one */
};

struct vigie_ring {
        uint8_t id[VIGIE_ALERT_ID_SIZE];
        uint32_t version;
        uint8_t level; /* 0 show, 1 ring, 2 ring loudest */
        uint8_t state; /* wire/record.h: 1 raised, 2 asked, 3 seen, 4 taken, 5 en route, 6 on scene, 7 closed */
        uint8_t kind, category;
        uint32_t marks;  /* enum record_mark of wire/record.h: duress, drill, mistake, pressed again, no news ... */
        uint8_t battery; /* the carrier's, 255 unknown */
        uint32_t pressed_at_s;
        int64_t raised_at_ms, changed_at_ms, heard_at_ms;
        bool has_place;
        struct vigie_place place;
        uint32_t distance_m; /* from our own last fix; UINT32_MAX = unknown */
        char carrier_name[VIGIE_NAME_SIZE], carrier_number[VIGIE_NUMBER_SIZE], round[VIGIE_PERSON_SIZE];
        char zone_name[VIGIE_NAME_SIZE];
        char owner_name[VIGIE_NAME_SIZE]; /* "" = nobody has it */
        bool mine;                        /* the owner is this phone's person */
        bool joined;                      /* this phone's person comes too */
        bool seen;                        /* this phone said so */
        char closed_by[VIGIE_NAME_SIZE], note[VIGIE_NOTE_SIZE];
        uint8_t reason;
        uint8_t asking;  /* enum vigie_verb that waits for its answer, 0 = none: never shown as done before */
        uint8_t refused; /* enum vigie_verb that was refused last, 0 = none; `answer` says why */
        uint8_t answer;  /* wire/command.h: 1 taken by other, 2 not allowed, 3 not on duty ...; 255 = no answer came */
        char answer_who[VIGIE_NAME_SIZE];
};

enum vigie_link_state {
        VIGIE_LINK_DOWN,
        VIGIE_LINK_CONNECTING,
        VIGIE_LINK_UP,
        VIGIE_LINK_WELCOME /* and known to the region */
};

/* What came of VIGIE_ON_ASK_PASS. */
enum vigie_asked { VIGIE_ASKED_NOTHING, VIGIE_ASKING, VIGIE_ASKED_TOLD, VIGIE_ASKED_NOT_NOW };

/* Why the region opened a position that this phone had sealed; the numbers of wire/desk.h.  Another is a newer region's. */
enum vigie_why { VIGIE_OPENED_ALERT = 1, VIGIE_OPENED_OVERDUE, VIGIE_OPENED_TIMER };

struct vigie_opened {
        int64_t at_ms; /* UTC by the region */
        uint8_t why;   /* enum vigie_why */
        bool read;
};

struct vigie_status {
        bool enrolled, button; /* button: it works now; false: say why by `trouble`, and offer 112 */
        uint32_t trouble;      /* VIGIE_TROUBLE_* */
        uint8_t role;
        bool touching; /* a finger is down and the second not over */
        struct vigie_alert_status
                alert;      /* the one to show: a real one before a drill, an open one before a closed one */
        uint8_t link;       /* enum vigie_link_state, of the ordinary link */
        int64_t link_at_ms; /* since when, UTC by the phone */
        char region[VIGIE_PERSON_SIZE], name[VIGIE_NAME_SIZE]; /* as the region said at the last welcome */
        bool has_fix; /* `fix` is the last good one, however old: its at_s tells */
        struct vigie_place fix;
        uint8_t battery; /* 255 = not known */
        struct vigie_duty_status duty;
        struct vigie_proof_status proof;
        struct vigie_sms_status sms;
        bool question;          /* the region asks "are you all right?" */
        int64_t man_down_at_ms; /* 0, or UTC ms at which a man-down alert leaves unless "I am fine" or motion comes */
        int64_t check_in_at_ms; /* 0, or UTC ms at which the timed check-in expires */
        int64_t missed_at_ms;   /* 0, or UTC ms at which a missed check-in is raised unless "I am fine" comes */
        int64_t entered_at_ms;  /* 0, or UTC ms since when a quiet timer runs; check_in_at_ms says its end */
        uint8_t asked_pass;     /* enum vigie_asked */
        uint8_t opened_count;
        struct vigie_opened opened[VIGIE_OPENED_MAX]; /* newest first; each is to be shown to the carrier */
        uint32_t wrong_pins; /* wrong PINs since this start: shown as "wrong PIN" when it rises; locks nothing */
        uint32_t refused;    /* frames, receipts and lists not believed since this start */
        uint8_t ring;        /* the level that rings now */
        uint16_t rings_more; /* let go because there was no room, since this start */
        uint8_t ring_count;
        struct vigie_ring rings[VIGIE_RINGS_MAX]; /* most urgent first */
};

/* Begin with this: `struct vigie_options options = VIGIE_OPTIONS;` */
#define VIGIE_OPTIONS                                 \
        {                                             \
                .abi = VIGIE_ABI, .sizes = {          \
                        sizeof(struct vigie_options), \
                        sizeof(struct vigie_event),   \
                        sizeof(struct vigie_actions), \
                        sizeof(struct vigie_status)   \
                }                                     \
        }

/* ---- functions --------------------------------------------------------------------------------------------------- */

/* vigie_abi: the VIGIE_ABI this library was built with. */
uint32_t vigie_abi(void);

/* vigie_size: octets of a struct vigie; the host finds room for it, aligned as malloc does. */
size_t vigie_size(void);

/* vigie_init: begin.  VIGIE may hold anything before; nothing has to be ended later, its memory is simply forgotten.
 *   options  copied; none of its pointers is kept but verify's
 * Returns 0, -EPROTO (options are of another ABI), -EINVAL (a member out of its range, no verify), -E2BIG (addresses).
 * A trust list that is missing or not the root's is no error: VIGIE_TROUBLE_TRUST shows. */
int vigie_init(struct vigie *vigie, const struct vigie_options *options);

/* vigie_restore: give one record that an earlier run appended, oldest first, all before VIGIE_ON_START.
 * The journal belongs to one enrolment: a host that enrols anew begins an empty one.
 * Returns 0, -EBADMSG (not a record of ours, altered), -EPROTONOSUPPORT (of a newer format): go on with the next;
 * -EINVAL (after VIGIE_ON_START). */
int vigie_restore(struct vigie *vigie, const uint8_t *record, size_t len);

/* vigie_keep: say whether a record of the journal is still needed.  A host that compacts its journal asks for each
 * record and leaves out the others; false for what is superseded, for closed alerts, for what cannot be read.  Records
 * given by VIGIE_DO_APPEND and not yet written are always written.  Changes nothing.  A struct vigie is plain memory: a
 * copy of it, taken when the compaction begins, answers on another thread while the first goes on. */
bool vigie_keep(const struct vigie *vigie, const uint8_t *record, size_t len);

/* vigie_event: an event in, actions out, to be done in their order.
 *   event        borrowed for the call, what it points to as well
 *   ret_actions  always written, count 0 for an event that is refused
 * Returns 0, -EINVAL (a type or member out of its range: nothing happened).  A press out of its range is a loud one.
 * An event that means nothing now (an answer to nothing asked, an unknown ticket) returns 0 and does nothing.
 * now_mono_ms below the last one is taken as the last one. */
int vigie_event(struct vigie *vigie, const struct vigie_event *event, struct vigie_actions *ret_actions);

/* vigie_status: all that a page shows.  Nothing in it tells a cancel under duress from a normal one, or of a silent
 * alert. */
void vigie_status(const struct vigie *vigie, struct vigie_status *ret_status);

/* vigie_trust: the region's trust list as it counts now, for what checks passes, doors and lists; NULL if there is none.  Points into
 * VIGIE: to be asked anew after each event. */
const struct trust *vigie_trust(const struct vigie *vigie);

/* vigie_word_name: a stable word for JSON and logs ("not_sent", "received", "en_route" ...); NULL beyond. */
const char *vigie_word_name(unsigned word);

/* vigie_trouble_name: the same for one VIGIE_TROUBLE_ bit ("not_enrolled", "journal", "no_path" ...); NULL beyond. */
const char *vigie_trouble_name(uint32_t bit);

/* vigie_modem_name: the same for an enum vigie_modem ("none", "sim_locked", "ready" ...); NULL beyond. */
const char *vigie_modem_name(unsigned modem);

/* ---- crypto.c: for hosts that have libcrypto --------------------------------------------------------------------- */

/* vigie_verify: for options.verify; USER is not read.  False too when libcrypto fails. */
bool vigie_verify(void *user, const struct vigie_check *check);

/* vigie_sign: sign the octets of VIGIE_DO_SIGN.
 *   pkey  an EVP_PKEY * of a P-256 key with its private part; borrowed
 * Returns 0, -EINVAL (another key), -EIO (libcrypto). */
int vigie_sign(void *pkey, const uint8_t *data, size_t len, uint8_t ret_signature[VIGIE_SIGNATURE_SIZE]);

/* vigie_signature_from_der: the 64 octets from an ASN.1 ECDSA signature, as Android's key store gives.
 * Returns 0, -EBADMSG. */
int vigie_signature_from_der(const uint8_t *der, size_t len, uint8_t ret_signature[VIGIE_SIGNATURE_SIZE]);

/* vigie_seal: seal what VIGIE_DO_SEAL asks for.
 *   handset  options.handset
 *   random   fresh octets, used once and forgotten
 *   ret      at least 118 octets, `*ret_len` their number before, what is used after
 * Returns 0, -EINVAL (not such an action, or position out of range), -EKEYREJECTED (a bad key), -ENOBUFS, -EIO. */
int vigie_seal(const struct vigie_action *action, const uint8_t handset[VIGIE_HANDSET_ID_SIZE],
               const uint8_t random[VIGIE_SEAL_RANDOM_SIZE], uint8_t *ret, size_t *ret_len);

#ifdef __cplusplus
}
#endif
#endif
