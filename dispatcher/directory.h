/* The directory: handsets, carriers, supervisors, users and rounds in memory, who is on duty, and who is heard; and the roster
 * that choosing picks from, which it keeps.  Pure. */
#ifndef DISPATCHER_DIRECTORY_H
#define DISPATCHER_DIRECTORY_H

#include "dispatcher/limit.h"
#include "dispatcher/table.h"
#include "geo/roster.h"
#include "wire/feed.h"
#include "wire/people.h"

struct session;
struct open_alert;

/* A carrier's duty as this process knows it. */
enum duty_known {
        DUTY_NOT_KNOWN, /* nobody has asked the positions' Redis yet */
        DUTY_ASKED,     /* asked, not answered */
        DUTY_OFF,
        DUTY_ON
};

/* A handset that is enrolled, or that an open alert names. */
struct handset {
        uint8_t id[HANDSET_ID_SIZE];
        bool known; /* enrolled: `entry` holds */
        struct handset_entry entry;
        struct session *sessions; /* newest first */
        unsigned session_count;
        struct open_alert *real, *drill; /* its verified open alerts */
        unsigned alert_count;            /* open alerts that name it, of any kind */
        enum duty_known duty_known;
        struct carrier_duty *duty; /* of a carrier, while DUTY_ON */
        int64_t heard_at_ms;       /* last frame of any kind */
        int64_t heard_told_ms;     /* last time {r}:duty was told */
        int64_t asked_heard_ms;    /* the silence, named by its begin, in which it was asked "are you all right?" */
        int64_t sms_heard_ms;      /* likewise by SMS */
        struct bucket tests;
        uint32_t loaded; /* the directory's `loads` when it was last read */
};

struct carrier {
        char id[PERSON_ID_MAX + 1];
        struct carrier_entry entry;
        uint32_t loaded;
};

/* A supervisor. */
struct person {
        char id[PERSON_ID_MAX + 1];
        bool gone; /* no supervisor any more, but a session still points here */
        struct supervisor_entry entry;
        bool on_duty;
        struct duty_entry duty;
        int64_t heard_at_ms; /* last presence or command */
        int64_t closed_ms;   /* when an alert that asked this person was closed, as far as this process saw; 0 none */
        int64_t handset_until_ms, console_until_ms;
        bool has_position; /* off duty: of a duty that is not heard of yet; it counts from then on */
        struct track_point at;
        int64_t off_at_ms; /* what had been heard when the last duty ended: positions up to then are that one's, and dropped */
        uint16_t busy_count;
        struct session *sessions; /* of this person's handset, newest first */
        bool wants, wants_on;     /* a change of duty is asked for and not yet in the feed */
        struct duty_entry wanted;
        uint32_t told_epoch; /* of the store that was told of it */
        uint32_t loaded;
};

struct user {
        char login[PERSON_ID_MAX + 1];
        struct user_entry entry;
        uint32_t loaded;
};

struct round {
        char id[PERSON_ID_MAX + 1];
        struct round_entry entry;
        uint32_t loaded;
};

/* Supervisors with one number who are found by it; of more the later ones are not, and are told apart by no text. */
#define NUMBER_PEOPLE_MAX 4

/* A telephone number, and whose it is. */
struct number {
        char number[NUMBER_MAX + 1];
        uint8_t people_count;
        struct person *people[NUMBER_PEOPLE_MAX];
        uint32_t others; /* carriers and handsets */
};

struct directory {
        struct table handsets, carriers, people, users, rounds, numbers;
        struct roster *roster;
        uint32_t loads; /* loads of all people that have begun */
};

/* directory_init: nobody.  Returns 0, -ENOMEM.  directory_free: an all-zero one is fine. */
int directory_init(struct directory *directory, uint64_t seed);
void directory_free(struct directory *directory);

/* directory_put_...: a new or changed entry; ENTRY NULL: gone.  Ids are valid.  Return 0 or -ENOBUFS. */
int directory_put_handset(struct directory *directory, const uint8_t id[HANDSET_ID_SIZE],
                          const struct handset_entry *entry);
int directory_put_carrier(struct directory *directory, const char *id, const struct carrier_entry *entry);
int directory_put_person(struct directory *directory, const char *id, const struct supervisor_entry *entry);
int directory_put_user(struct directory *directory, const char *login, const struct user_entry *entry);
int directory_put_round(struct directory *directory, const char *id, const struct round_entry *entry);

/* directory_...: the one with that id, or NULL. */
struct handset *directory_handset(const struct directory *directory, const uint8_t id[HANDSET_ID_SIZE]);
struct person *directory_person(const struct directory *directory, const char *id);
const struct carrier *directory_carrier(const struct directory *directory, const char *id);
const struct user *directory_user(const struct directory *directory, const char *login);
const struct round *directory_round(const struct directory *directory, const char *id);

/* directory_loaded: ID (a handset's octets, another's text) of the hash KIND was read; unknown ones are skipped.  directory_unloaded: the
 * next of KIND, from *cursor on (0 at first), that is known and was not read since the last load of all people began: its id, borrowed;
 * NULL: no more.  Whoever puts it away steps *cursor back as with table_next. */
void directory_loaded(struct directory *directory, enum people_kind kind, const void *id);
const void *directory_unloaded(const struct directory *directory, enum people_kind kind, size_t *cursor);

/* directory_who: whose the number NUMBER is; NULL: nobody's. */
const struct number *directory_who(const struct directory *directory, const char *number);

/* directory_handset_need: the handset with that id, made as not enrolled if there is none.  NULL at the bound.
 * directory_handset_tidy: forget HANDSET if it is not enrolled and nothing names it; NULL does nothing. */
struct handset *directory_handset_need(struct directory *directory, const uint8_t id[HANDSET_ID_SIZE]);
void directory_handset_tidy(struct directory *directory, struct handset *handset);

/* directory_person_tidy: forget PERSON if it is gone and has no session. */
void directory_person_tidy(struct directory *directory, struct person *person);

/* directory_name: what people call the supervisor, carrier or user ID; "" unknown.  Borrowed. */
const char *directory_name(const struct directory *directory, const char *id);

/* directory_number: the telephone number of the carrier or supervisor ID; "" unknown.  Borrowed. */
const char *directory_number(const struct directory *directory, const char *id);

/* directory_person_number: the telephone number of the supervisor ID, to ask by SMS; "" none.  Borrowed. */
const char *directory_person_number(const struct directory *directory, const char *id);

/* directory_team: the team of the carrier or supervisor ID; "" none. */
const char *directory_team(const struct directory *directory, const char *id);

/* handset_duty: what is known of the carrier's duty.  DUTY is copied; NULL: off duty. */
void handset_set_duty(struct handset *handset, const struct carrier_duty *duty);

/* handset_holder: who holds HANDSET: the carrier on duty, else the person it belongs to; "" nobody known.
 *   ret_sure  on duty, or its own supervisor: not a guess */
const char *handset_holder(const struct handset *handset, bool *ret_sure);

/* person_set_duty: on or (NULL) off; the roster is told.  person_set_presence: likewise; an older one changes nothing.
 * person_take_alert: one more (or, -1, less) alert is this person's. */
void person_set_duty(struct directory *directory, struct person *person, const struct duty_entry *duty);
void person_set_presence(struct directory *directory, struct person *person, const struct presence *presence);
void person_take_alert(struct directory *directory, struct person *person, int by);

#endif
