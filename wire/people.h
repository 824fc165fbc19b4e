/* people: what a region knows of handsets, carriers, supervisors, users and rounds: the values of the hashes
 * {r}:handsets (field: handset id in hex), {r}:carriers, {r}:supervisors, {r}:users (field: login), {r}:rounds
 * (field: the id).  Each is one CBOR array that begins with the format number (format 1 is the first).  PROTOCOL.md
 * section 10.  The operator's tool writes them, dispatchers and consoles read. */
#ifndef WIRE_PEOPLE_H
#define WIRE_PEOPLE_H

#include "wire/record.h"

#define P256_POINT_SIZE   65
#define ENROLMENT_SIZE    8
#define PEOPLE_FORMAT     1
#define PEOPLE_MAX        512 /* largest encoded entry; more octets are none */
#define PASSWORD_TEXT_MAX 159 /* text form of base/password.h: 113 today */

/* The hashes, in the order that a dispatcher loads them: duty needs the supervisors. */
enum people_kind { PEOPLE_SUPERVISORS, PEOPLE_HANDSETS, PEOPLE_CARRIERS, PEOPLE_USERS, PEOPLE_ROUNDS, PEOPLE_KINDS };

enum handset_role { HANDSET_CARRIER = 0, HANDSET_SUPERVISOR = 1 };

/* `[1, key, previous key|null, enrolment, not-after s, revoked-at s, number, person, role, site]` */
struct handset_entry {
        uint8_t key[P256_POINT_SIZE]; /* alert key, uncompressed point */
        bool has_previous;
        uint8_t previous[P256_POINT_SIZE]; /* the key before the last renewal: alerts signed by it are still good */
        uint8_t enrolment[ENROLMENT_SIZE]; /* also in the certificate: orders name it */
        uint32_t not_after_s;              /* end of the certificate */
        uint32_t revoked_at_s;             /* 0 = not revoked */
        char number[NUMBER_MAX + 1];       /* of the SIM; "" = none */
        char person[PERSON_ID_MAX + 1];    /* the supervisor it belongs to, or the usual carrier; "" = shared */
        uint8_t role;                      /* enum handset_role */
        char site[PERSON_ID_MAX + 1];
};

/* `[1, name, number, team, site]` */
struct carrier_entry {
        char name[NAME_MAX_OCTETS + 1], number[NUMBER_MAX + 1], team[PERSON_ID_MAX + 1], site[PERSON_ID_MAX + 1];
};

/* `[1, name, number, team, manager]` */
struct supervisor_entry {
        char name[NAME_MAX_OCTETS + 1], number[NUMBER_MAX + 1], team[PERSON_ID_MAX + 1];
        bool manager;
};

enum user_role { ROLE_CONTROL = 1, ROLE_SUPERVISOR, ROLE_ADMIN, ROLE_ISSUER, ROLE_AUDITOR, ROLE_CARETAKER, ROLE_END };

/* `[1, person, name, role, password, language, disabled]`; person is the supervisor's id when role is
 * ROLE_SUPERVISOR, else the login */
struct user_entry {
        char person[PERSON_ID_MAX + 1], name[NAME_MAX_OCTETS + 1];
        uint8_t role;
        char password[PASSWORD_TEXT_MAX + 1];
        char language[3]; /* "fr" or "en" */
        bool disabled;
};

/* `[1, name, zone id, team]` */
struct round_entry {
        char name[NAME_MAX_OCTETS + 1], zone_id[ZONE_ID_MAX + 1], team[PERSON_ID_MAX + 1];
};

/* x_encode: write an entry into BUF of SIZE octets (PEOPLE_MAX is always enough).
 * Returns the length, -ENOBUFS, -EINVAL (a value out of its range; an id or number with other than visible ASCII in it;
 * another text that is not UTF-8). */
int handset_entry_encode(const struct handset_entry *entry, uint8_t *buf, size_t size);
int carrier_entry_encode(const struct carrier_entry *entry, uint8_t *buf, size_t size);
int supervisor_entry_encode(const struct supervisor_entry *entry, uint8_t *buf, size_t size);
int user_entry_encode(const struct user_entry *entry, uint8_t *buf, size_t size);
int round_entry_encode(const struct round_entry *entry, uint8_t *buf, size_t size);

/* x_decode: read an entry.  Elements behind those known are a newer program's and are stepped over.  On failure
 * *ret_entry is all zero.  Returns 0; -EBADMSG (malformed, a text too long or as above, a role unknown);
 * -EPROTONOSUPPORT (a newer format). */
int handset_entry_decode(const uint8_t *data, size_t size, struct handset_entry *ret_entry);
int carrier_entry_decode(const uint8_t *data, size_t size, struct carrier_entry *ret_entry);
int supervisor_entry_decode(const uint8_t *data, size_t size, struct supervisor_entry *ret_entry);
int user_entry_decode(const uint8_t *data, size_t size, struct user_entry *ret_entry);
int round_entry_decode(const uint8_t *data, size_t size, struct round_entry *ret_entry);

/* person_id_valid: what an operator may give: 1..PERSON_ID_MAX octets of [A-Za-z0-9._-].  Narrower than what is
 * read, because ids are used as Redis fields, file names and object names in logs. */
bool person_id_valid(const char *id);

/* number_valid: "+" and 6..15 digits (E.164). */
bool number_valid(const char *number);

/* user_role_name: "control", "supervisor", "admin", "issuer", "auditor", "caretaker"; NULL if none. */
const char *user_role_name(uint8_t role);

/* user_role_parse: the role of that name, or -EINVAL. */
int user_role_parse(const char *name);

#endif
