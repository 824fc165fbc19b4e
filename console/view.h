/* What pages are told: the JSON of PROTOCOL.md, made from what the wire carries, and who may see which of it.  Pure.
 * Every view_ function gives an outbound text with one reference, or NULL when memory is short. */
#ifndef CONSOLE_VIEW_H
#define CONSOLE_VIEW_H

#include <stdbool.h>

#include "console/outbound.h"
#include "wire/command.h"
#include "wire/feed.h"
#include "wire/people.h"
#include "wire/record.h"

/* Longest command id in text. */
#define VIEW_COMMAND_TEXT (2 * EVENT_ID_SIZE + 1)
/* Persons in one `people` text; more go in further ones. */
#define VIEW_PEOPLE_MAX   200

/* Who looks. */
struct viewer {
        uint8_t role; /* ROLE_CONTROL, ROLE_SUPERVISOR or ROLE_ADMIN */
        char login[PERSON_ID_MAX + 1], person[PERSON_ID_MAX + 1], name[NAME_MAX_OCTETS + 1], team[PERSON_ID_MAX + 1];
        char language[3];
        int64_t ends_ms; /* of the session */
};

/* What made this version, as the feed told; all "" when it was read from the store. */
struct change {
        char event[16], by[PERSON_ID_MAX + 1], command[VIEW_COMMAND_TEXT];
};

/* A supervisor as the control room sees one. */
struct person {
        char id[PERSON_ID_MAX + 1], name[NAME_MAX_OCTETS + 1], team[PERSON_ID_MAX + 1];
        bool manager, known; /* known: in {r}:supervisors */
        bool on_duty;
        struct duty_entry duty;   /* where on_duty */
        struct presence presence; /* by 0: none */
        bool changed;             /* since the last `people` to the control room */
};

struct counts {
        bool known;                     /* false: the positions store is away, the numbers mean nothing */
        int64_t on_duty, quiet;         /* carriers' handsets; quiet: of these, unheard for 3 min */
        int64_t supervisors, reachable; /* supervisors on duty; of these, with a presence lease that runs */
        int64_t open;                   /* open alerts of the region */
};

/* view_allows_alert: may VIEWER see this alert?  The control room sees all.  A supervisor sees those that ask them,
 * that they own or go to, and none that is unverified.  Nobody else sees any.
 *   people  the ids asked and the owner's, as view_people_of_alert wrote them */
bool view_allows_alert(const struct viewer *viewer, bool unverified, const char *people);

/* view_people_of_alert: write the ids of those asked and of the owner: each with its NUL, then an empty one.
 *   ids  VIEW_IDS_SIZE octets.  Returns the octets used. */
#define VIEW_IDS_SIZE ((RECORD_ASKED_MAX + 1) * (PERSON_ID_MAX + 1) + 1)
size_t view_people_of_alert(const struct record *record, char *ids);

/* view_allows_notice: the control room sees all; a supervisor the overdue ones of a zone that names their team
 * (ZONE_NAMES_TEAM: asked of geo/ by the caller); the administrator the technical ones, which name nobody. */
bool view_allows_notice(const struct viewer *viewer, const struct notice *notice, bool zone_names_team);

/* view_alert: one alert whole. */
struct outbound *view_alert(const struct record *record, const struct change *change);
/* view_notice: one notice, or that it is over (NULL). */
struct outbound *view_notice(const char *key, const struct notice *notice);
/* view_people: up to VIEW_PEOPLE_MAX persons.  WITH_POSITIONS false: without where they are. */
struct outbound *view_people(const struct person *const *people, size_t count, bool with_positions);
struct outbound *view_counts(const struct counts *counts);
/* view_answer: what came of a command.  who: "" = nobody to name. */
struct outbound *view_answer(const char *command, const char *code, const char *who);
/* view_tick: the server's time; `store` false: blind since SINCE_MS, WHY as redis_trouble() says it (NULL: not known). */
struct outbound *view_tick(int64_t now_ms, bool store, int64_t since_ms, const char *why);
/* view_begin, view_end: around a snapshot.  REST: open alerts that are less urgent and not in it. */
struct outbound *view_begin(void);
struct outbound *view_end(int64_t rest);

/* view_hello: who the page is talking to, and who it is. */
struct page_hello {
        const struct viewer *viewer;
        int64_t now_ms;
        const char *region, *tile_url, *tile_attribution; /* "" = none */
};
struct outbound *view_hello(const struct page_hello *hello);

#endif
