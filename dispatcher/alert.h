/* The alert's life: one table of states and events, and the one function that reads it (DESIGN section 6).  It changes a record
 * in memory; whether that becomes true is the store's to say.  Pure.
 *
 * Who may do what:
 *      seen, release, progress   who is asked or owns it, and the control room for anybody
 *      decline                   who is asked; the owner among them gives it back
 *      take, join                on duty and asked, or of a team that the zone allows; a manager who is asked, and who is named
 *                                for a drill, off duty too; the control room; nobody their own
 *      take over                 anybody who may take, while there is no news of the owner; the control room where it saw
 *                                that very owner
 *      close                     the owner and the control room.  Who only joined does not: one person answers for the end
 *      unverified alerts         the control room alone */
#ifndef DISPATCHER_ALERT_H
#define DISPATCHER_ALERT_H

#include "dispatcher/directory.h"
#include "geo/barrier.h"
#include "geo/zone.h"
#include "wire/alert.h"
#include "wire/command.h"
#include "wire/record.h"

/* A press time further ahead of ours, or older, is impossible: a phone may wait for days without coverage, not for a month. */
#define ALERT_AHEAD_MAX_S 600
#define ALERT_AGE_MAX_S   (31 * 86400)

/* What a change looks at beside the record. */
struct alert_ground {
        struct directory *people;
        struct zones *zones;             /* NULL: none */
        const struct barriers *barriers; /* NULL: none */
        const char *const *drill_people; /* whom a drill asks; */
        size_t drill_people_count;       /* 0: the nearest */
        bool drill_announced;
        int64_t hearing_since_ms; /* since when silence means anything; INT64_MAX: it does not now */
        bool sms;                 /* a gateway is there */
};

/* An alert object as it came. */
struct alert_press {
        uint8_t id[ALERT_ID_SIZE]; /* what it is raised as; another than the record's: pressed on another phone */
        uint8_t handset[HANDSET_ID_SIZE]; /* that it names */
        struct alert alert;
        unsigned odd;    /* ALERT_ODD_* */
        uint8_t why;     /* enum unverified_why */
        uint8_t paths;   /* enum alert_path */
        int64_t came_ms; /* when */
};

/* Who acts. */
struct alert_actor {
        char person[PERSON_ID_MAX + 1], name[NAME_MAX_OCTETS + 1];
        bool control;                     /* of the control room */
        uint8_t path;                     /* enum answer_path */
        uint8_t handset[HANDSET_ID_SIZE]; /* BY_HANDSET */
};

/* What became of SMS that ALERT's record owes, by place in `asked`; SMS_NONE: no news. */
struct alert_sms {
        uint8_t asked[RECORD_ASKED_MAX], told;
};

/* What happens. */
struct alert_change {
        enum alert_event event;
        int64_t now_ms, at_ms;   /* of the commit; when it happened */
        const uint8_t *event_id; /* of a command; NULL: a press or a deadline, whose content says whether it is news */
        bool replayed;           /* from the journal: what has happened since counts more */
        bool had;                /* SEEN: by one who had taken it, see alert_is_past_take */
        const struct alert_press *press; /* RAISE, UPDATE */
        const struct alert_actor *actor; /* the others, save DUE */
        const struct command *command;   /* likewise; PROGRESS: its verb says which */
        const struct alert_sms *sms;     /* SMS */
        bool merged;                     /* SMS: the record has changed already, see meanwhile.c */
};

/* alert_apply: apply CHANGE to RECORD, the current one, all zero for an alert that is not there.
 * Returns 1: changed, a version up, with its next deadline, to be committed; 0: nothing new (the event was applied before, or
 * says nothing); or a refusal: an answer code, negative.  RECORD is changed where 1 is returned, and only there. */
int alert_apply(struct record *record, const struct alert_change *change, const struct alert_ground *ground);

/* alert_owe_receipt: RECORD has news for its carrier, which is owed by SMS (since NOW_MS) where the last news of the phone came that way
 * and it has no session here. */
void alert_owe_receipt(struct record *record, const struct alert_ground *ground, int64_t now_ms);

/* alert_is_past_take: say whether CHANGE is a TAKE that a failover lost (the journal brings it back), of what somebody else has taken
 * since: who was told "you have it" has it no more.  It is then applied as SEEN, with `had`, which keeps both in the record. */
bool alert_is_past_take(const struct record *record, const struct alert_change *change);

/* alert_allows: say whether ACTOR may take or join RECORD by role and zone (not: duty, own alert). */
bool alert_allows(const struct record *record, const struct alert_actor *actor, const struct alert_ground *ground);

/* alert_alias_find: where NONCE stands in `aliases`: 0.. or -ENOENT. */
int alert_alias_find(const struct record *record, const uint8_t nonce[ALERT_NONCE_SIZE]);

/* alert_leave_later: RECORD is closed at `closed_at_ms`: presses on other phones that came after that are no part of it.  (A closure may be
 * said again after a failover, to an alert that has been open again since.) */
void alert_leave_later(struct record *record);

/* alert_event_of: the event that a command asks for; 0: none that concerns an alert. */
enum alert_event alert_event_of(uint8_t verb);

/* alert_says_all: say whether NEWER has each mark that OLDER, a press with the same id, has, and a category where it has one.  Each
 * revision of a phone does; not of one that was set back to its backup, which has forgotten what it said since. */
bool alert_says_all(const struct alert_press *newer, const struct alert_press *older);

/* alert_knows: say whether RECORD has all that PRESS says: an exact copy, or an older one, and nothing new in the path it came by.
 * By SMS the first copy is news; by data the first, and the first after news by SMS: the handset is there again. */
bool alert_knows(const struct record *record, const struct alert_press *press);

#endif
