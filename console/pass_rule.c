#include "console/pass_rule.h"

#include <string.h>

#include "base/hex.h"

int64_t pass_tell_after_ms(int64_t looked_us)
{
        int64_t after_ms = looked_us / 1000 * PASS_LOOK_PART;

        return after_ms > PASS_TELL_MS ? after_ms : PASS_TELL_MS;
}

const char *pass_code_name(enum pass_code code)
{
        static const char *const names[CODES] = {
                [CODE_DONE] = "done",
                [CODE_CONSENT] = "consent",
                [CODE_PART] = "part",
                [CODE_NOT_ALLOWED] = "not_allowed",
                [CODE_UNKNOWN] = "unknown",
                [CODE_OWN] = "own",
                [CODE_REVOKED_PHONE] = "revoked_phone",
                [CODE_NO_PIN] = "no_pin",
                [CODE_EMPTY_ROUND] = "empty_round",
                [CODE_BAD_TIME] = "bad_time",
                [CODE_TOO_LONG] = "too_long",
                [CODE_NOT_NOW] = "not_now",
                [CODE_OVER] = "over",
                [CODE_OTHER_CARRIER] = "other_carrier",
                [CODE_WRONG_CHALLENGE] = "wrong_challenge",
                [CODE_FULL] = "full",
                [CODE_KEEPER_NONE] = "keeper_none",
                [CODE_KEEPER_AWAY] = "keeper_away",
                [CODE_KEEPER_MANY] = "keeper_many",
                [CODE_KEEPER_FULL] = "keeper_full",
                [CODE_KEEPER_FAILED] = "keeper_failed",
                [CODE_KEEPER_CLOCK] = "keeper_clock",
                [CODE_AWAY] = "away",
                [CODE_BUSY] = "busy",
        };

        return names[code];
}

enum pass_code pass_code_of_keeper(uint8_t code)
{
        switch (code) {
        case KEEPER_DONE:
                return CODE_DONE;
        case KEEPER_TOO_LONG:
                return CODE_TOO_LONG;
        case KEEPER_NOT_NOW:
                return CODE_NOT_NOW;
        case KEEPER_TOO_MANY:
                return CODE_KEEPER_MANY;
        case KEEPER_NO_PLACE:
                return CODE_KEEPER_FULL;
        case KEEPER_CLOCK:
                return CODE_KEEPER_CLOCK;
        default:
                return CODE_KEEPER_FAILED;
        }
}

/* ---- who may */

#define BIT(role) (1u << (role))
#define ISSUER    BIT(ROLE_ISSUER)
#define ADMIN     BIT(ROLE_ADMIN)
#define CONTROL   BIT(ROLE_CONTROL)
#define TEAM      BIT(ROLE_SUPERVISOR)

bool pass_may(const struct viewer *viewer, enum pass_verb verb, enum pass_what what)
{
        static const unsigned by_verb[PASS_VERBS] = {
                [PASS_ISSUE] = ISSUER,
                [PASS_ASKED] = ISSUER,
                [PASS_CONSENT] = ISSUER | TEAM,
                [PASS_REVOKE] = ISSUER | CONTROL,
                [PASS_LOST] = ISSUER | ADMIN | CONTROL,
                [PASS_UNLOCK] = ISSUER | CONTROL | TEAM,
        };
        static const unsigned by_what[WHATS] = {
                [WHAT_CARRIER] = ISSUER | ADMIN | CONTROL | TEAM,
                [WHAT_PHONE] = ISSUER | ADMIN | CONTROL | TEAM,
                [WHAT_ROUND] = ISSUER | ADMIN | CONTROL | TEAM,
                [WHAT_BUILDING] = ISSUER | ADMIN | CONTROL | TEAM,
                [WHAT_PASS] = ISSUER | CONTROL | TEAM,
                [WHAT_CONSENT] = ISSUER | CONTROL | TEAM,
                [WHAT_ASKED] = ISSUER | CONTROL | TEAM,
                [WHAT_UNLOCK] = ISSUER | CONTROL | TEAM,
                [WHAT_SHARED] = ISSUER | ADMIN | CONTROL,
        };
        unsigned may = verb == PASS_FIND || verb == PASS_GET ? by_what[what] : by_verb[verb];

        return (may & BIT(viewer->role)) != 0;
}

bool pass_may_edit(uint8_t role)
{
        return role == ROLE_ADMIN;
}

const char *pass_may_words(uint8_t role)
{
        switch (role) {
        case ROLE_ISSUER:
                return "issue consent revoke unlock lost live";
        case ROLE_ADMIN:
                return "lost edit";
        case ROLE_CONTROL:
                return "revoke unlock lost live";
        case ROLE_SUPERVISOR:
                return "consent unlock live";
        default:
                return "";
        }
}

static bool knows_all(const struct viewer *viewer)
{
        return viewer->role != ROLE_SUPERVISOR;
}

static bool same_team(const struct viewer *viewer, const char *team)
{
        return viewer->team[0] != '\0' && strcmp(viewer->team, team) == 0;
}

bool pass_of_team(const struct viewer *viewer, const char *team)
{
        return knows_all(viewer) || same_team(viewer, team);
}

bool pass_of_round(const struct books *books, const struct viewer *viewer, const char *round)
{
        const struct book_item *item;

        return knows_all(viewer) ||
               ((item = books_get(books, BOOK_ROUNDS, round)) != NULL && same_team(viewer, item->group));
}

bool pass_of_carrier(const struct books *books, const struct viewer *viewer, const char *carrier)
{
        const struct book_item *item;

        return knows_all(viewer) ||
               ((item = books_get(books, BOOK_CARRIERS, carrier)) != NULL && same_team(viewer, item->group));
}

/* ---- what a pass would be */

int building_order(const void *a, const void *b)
{
        return memcmp(a, b, BUILDING_ID_SIZE);
}

/* has_another: say whether PHONE has a live pass of somebody else than CARRIER. */
static bool has_another(const struct books *books, const struct handset_id *phone, const char *carrier, uint32_t now_s)
{
        struct pass_entry pass;

        for (const struct book_item *item = books_passes(books, phone); item != NULL; item = item->next)
                if (item->revoked_s == 0 && item->until_s >= now_s &&
                    pass_entry_decode(item->data, item->size, &pass) == 0 && strcmp(pass.carrier, carrier) != 0)
                        return true;
        return false;
}

/* plan_phone: the phone is there, is this carrier's or shared, has a pass key, and nobody else's pass: one carrier at a time. */
static enum pass_code plan_phone(const struct books *books, struct pass_plan *plan, uint32_t now_s)
{
        char key[HANDSET_ID_TEXT];
        const struct book_item *item, *vault;
        struct handset_entry phone;
        struct vault_entry entry;

        handset_id_to_text(&plan->what.handset, key);
        item = books_get(books, BOOK_HANDSETS, key);
        if (books_get(books, BOOK_CARRIERS, plan->what.carrier) == NULL || item == NULL ||
            handset_entry_decode(item->data, item->size, &phone) < 0 || phone.role != HANDSET_CARRIER ||
            (phone.person[0] != '\0' && strcmp(phone.person, plan->what.carrier) != 0))
                return CODE_UNKNOWN;
        if (phone.revoked_at_s != 0)
                return CODE_REVOKED_PHONE;
        vault = books_get(books, BOOK_VAULTS, key);
        if (vault == NULL || vault_entry_decode(vault->data, vault->size, &entry) < 0 || !entry.has_key ||
            memcmp(entry.enrolment, phone.enrolment, ENROLMENT_SIZE) != 0)
                return CODE_NO_PIN;
        if (has_another(books, &plan->what.handset, plan->what.carrier, now_s))
                return CODE_OTHER_CARRIER;
        memcpy(plan->enrolment, phone.enrolment, ENROLMENT_SIZE);
        memcpy(plan->key, entry.key, PASS_KEY_SIZE);
        return CODE_DONE;
}

/* plan_round: the buildings that the round has now, those dropped since left out, and what all of them allow. */
static enum pass_code plan_round(const struct books *books, struct pass_plan *plan)
{
        const struct book_item *item = books_get(books, BOOK_STOPS, plan->what.round);
        struct consent_entry *what = &plan->what;
        struct building_entry building;
        struct stops_entry stops;

        if (books_get(books, BOOK_ROUNDS, what->round) == NULL)
                return CODE_UNKNOWN;
        if (item == NULL || stops_entry_decode(item->data, item->size, &stops) < 0)
                return CODE_EMPTY_ROUND;
        what->policy = PASS_ONE_WAY | PASS_CARETAKER;
        what->count = 0;
        for (unsigned i = 0; i < stops.count; i++) {
                char key[2 * BUILDING_ID_SIZE + 1];
                const struct book_item *b;

                hex_encode(stops.buildings[i], BUILDING_ID_SIZE, key);
                b = books_get(books, BOOK_BUILDINGS, key);
                if (b == NULL || building_entry_decode(b->data, b->size, &building) < 0)
                        continue;
                what->policy &= building.policy;
                plan->is_sensitive |= (building.flags & BUILDING_SENSITIVE) != 0;
                memcpy(what->buildings[what->count++], stops.buildings[i], BUILDING_ID_SIZE);
        }
        if (plan->is_sensitive)
                what->policy |= PASS_SENSITIVE;
        return what->count > 0 ? CODE_DONE : CODE_EMPTY_ROUND;
}

static enum pass_code plan_times(struct pass_plan *plan, uint32_t now_s)
{
        const struct consent_entry *what = &plan->what;

        if (what->not_after_s <= what->not_before_s)
                return CODE_BAD_TIME;
        if (what->not_after_s - what->not_before_s > PASS_SECONDS_MAX)
                return CODE_TOO_LONG;
        if (what->not_before_s + (uint64_t)PASS_PAST_S < now_s ||
            what->not_before_s > (uint64_t)now_s + PASS_FUTURE_S || what->not_after_s <= now_s)
                return CODE_NOT_NOW;
        for (unsigned i = 0; i < what->window_count; i++)
                if (what->windows[i].to_s <= what->windows[i].from_s || what->windows[i].from_s < what->not_before_s ||
                    what->windows[i].to_s > what->not_after_s)
                        return CODE_BAD_TIME;
        plan->is_long = what->not_after_s - what->not_before_s > PASS_ALONE_S;
        return CODE_DONE;
}

static enum pass_code finish(const struct books *books, struct pass_plan *plan, uint32_t now_s)
{
        enum pass_code code = plan_phone(books, plan, now_s);

        if (code == CODE_DONE)
                code = plan_round(books, plan);
        return code == CODE_DONE ? plan_times(plan, now_s) : code;
}

enum pass_code pass_plan(const struct books *books, const struct pass_ask *ask, const char *by,
                         const struct pass_times *times, struct pass_plan *ret_plan)
{
        struct consent_entry *what = &ret_plan->what;

        memset(ret_plan, 0, sizeof(*ret_plan));
        strcpy(what->by, by);
        strcpy(what->carrier, ask->carrier);
        strcpy(what->round, ask->round);
        if (handset_id_from_text(ask->handset, &what->handset) < 0)
                return CODE_UNKNOWN;
        what->at_s = ret_plan->issued_s = times->now_s;
        what->not_before_s = ask->from_s != 0 ? ask->from_s : times->now_s;
        what->not_after_s = ask->until_s != 0 ? ask->until_s : what->not_before_s + times->shift_s;
        what->window_count = ask->window_count;
        memcpy(what->windows, ask->windows, sizeof(what->windows));
        return finish(books, ret_plan, times->now_s);
}

/* is_own: by login, and by the person behind it. */
static bool is_own(const struct books *books, const char *by, const struct viewer *viewer)
{
        const struct book_item *item = books_get(books, BOOK_USERS, by);
        struct user_entry user;

        return strcmp(by, viewer->login) == 0 ||
               (item != NULL && user_entry_decode(item->data, item->size, &user) == 0 && user.person[0] != '\0' &&
                strcmp(user.person, viewer->person) == 0);
}

enum pass_code pass_plan_consent(const struct books *books, const struct consent_entry *consent,
                                 const struct viewer *viewer, uint32_t now_s, struct pass_plan *ret_plan)
{
        memset(ret_plan, 0, sizeof(*ret_plan));
        ret_plan->what = *consent;
        ret_plan->issued_s = now_s;
        strcpy(ret_plan->second, viewer->login);
        if (is_own(books, consent->by, viewer))
                return CODE_OWN;
        if (consent->at_s + (uint64_t)PASS_CONSENT_S < now_s)
                return CODE_OVER;
        return finish(books, ret_plan, now_s);
}

uint32_t pass_renewal(const struct pass_entry *pass, uint32_t duty_end_s, uint32_t now_s)
{
        uint64_t reach = (uint64_t)pass->issued_at_s + (pass->second[0] != '\0' ? PASS_SECONDS_MAX : PASS_ALONE_S);
        uint64_t until = (uint64_t)duty_end_s + PASS_RENEW_S;

        if (pass->revoked_at_s != 0 || pass->not_after_s < now_s || pass->not_after_s > (uint64_t)now_s + PASS_RENEW_S)
                return 0;
        if (until > reach)
                until = reach;
        /* a minute more would be a pass a minute */
        return until > (uint64_t)pass->not_after_s + 60 ? (uint32_t)until : 0;
}

enum pass_code pass_plan_renewal(const struct books *books, const struct pass_entry *pass, uint32_t until_s,
                                 uint32_t now_s, struct pass_plan *ret_plan)
{
        struct consent_entry *what = &ret_plan->what;
        enum pass_code code;

        memset(ret_plan, 0, sizeof(*ret_plan));
        strcpy(what->by, pass->by);
        strcpy(what->carrier, pass->carrier);
        strcpy(what->round, pass->round);
        strcpy(ret_plan->second, pass->second);
        what->handset = pass->handset;
        what->at_s = now_s;
        what->not_before_s = pass->not_before_s > now_s ? pass->not_before_s : now_s;
        what->not_after_s = until_s;
        ret_plan->issued_s = pass->issued_at_s;
        ret_plan->renews = true;
        if ((code = finish(books, ret_plan, now_s)) != CODE_DONE)
                return code;
        /* what a person agreed to was this: neither longer alone, nor sensitive buildings that came onto the round since */
        return (ret_plan->is_long || ret_plan->is_sensitive) && pass->second[0] == '\0' ? CODE_NOT_ALLOWED : CODE_DONE;
}
