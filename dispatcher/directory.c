#include "dispatcher/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core.h"

int directory_init(struct directory *directory, uint64_t seed)
{
        *directory = (struct directory){ 0 };
        table_init(&directory->handsets, HANDSET_ID_SIZE, sizeof(struct handset), CORE_HANDSETS_MAX, seed);
        table_init(&directory->carriers, PERSON_ID_MAX + 1, sizeof(struct carrier), CORE_PEOPLE_MAX, seed);
        table_init(&directory->people, PERSON_ID_MAX + 1, sizeof(struct person), ROSTER_MAX, seed);
        table_init(&directory->users, PERSON_ID_MAX + 1, sizeof(struct user), CORE_PEOPLE_MAX, seed);
        table_init(&directory->rounds, PERSON_ID_MAX + 1, sizeof(struct round), CORE_PEOPLE_MAX, seed);
        table_init(&directory->numbers, NUMBER_MAX + 1, sizeof(struct number), CORE_HANDSETS_MAX + 2 * CORE_PEOPLE_MAX,
                   seed);
        return roster_new(&directory->roster);
}

void directory_free(struct directory *directory)
{
        struct handset *handset;

        for (size_t i = 0; (handset = table_next(&directory->handsets, &i)) != NULL;)
                free(handset->duty);
        table_free(&directory->handsets);
        table_free(&directory->carriers);
        table_free(&directory->people);
        table_free(&directory->users);
        table_free(&directory->rounds);
        table_free(&directory->numbers);
        roster_free(directory->roster);
        directory->roster = NULL;
}

struct handset *directory_handset(const struct directory *directory, const uint8_t id[HANDSET_ID_SIZE])
{
        return table_find(&directory->handsets, id);
}

struct person *directory_person(const struct directory *directory, const char *id)
{
        struct person *person = table_find_text(&directory->people, id);

        return person != NULL && !person->gone ? person : NULL;
}

const struct carrier *directory_carrier(const struct directory *directory, const char *id)
{
        return table_find_text(&directory->carriers, id);
}

const struct user *directory_user(const struct directory *directory, const char *login)
{
        return table_find_text(&directory->users, login);
}

const struct round *directory_round(const struct directory *directory, const char *id)
{
        return table_find_text(&directory->rounds, id);
}

/* ---- Who was loaded ------------------------------------------------------------------------------------------------- */

/* mark: what says when ELEMENT of KIND was read; NULL: it is not enrolled, or gone, and only still named. */
static uint32_t *mark(enum people_kind kind, void *element)
{
        struct handset *handset = element;
        struct person *person = element;

        switch (kind) {
        case PEOPLE_HANDSETS:
                return handset->known ? &handset->loaded : NULL;
        case PEOPLE_SUPERVISORS:
                return !person->gone ? &person->loaded : NULL;
        case PEOPLE_CARRIERS:
                return &((struct carrier *)element)->loaded;
        case PEOPLE_USERS:
                return &((struct user *)element)->loaded;
        default:
                return &((struct round *)element)->loaded;
        }
}

static const struct table *table_of(const struct directory *directory, enum people_kind kind)
{
        const struct table *const tables[PEOPLE_KINDS] = { [PEOPLE_SUPERVISORS] = &directory->people,
                                                           [PEOPLE_HANDSETS] = &directory->handsets,
                                                           [PEOPLE_CARRIERS] = &directory->carriers,
                                                           [PEOPLE_USERS] = &directory->users,
                                                           [PEOPLE_ROUNDS] = &directory->rounds };

        return tables[kind];
}

void directory_loaded(struct directory *directory, enum people_kind kind, const void *id)
{
        const struct table *table = table_of(directory, kind);
        void *element = kind == PEOPLE_HANDSETS ? table_find(table, id) : table_find_text(table, id);
        uint32_t *loaded = element != NULL ? mark(kind, element) : NULL;

        if (loaded != NULL)
                *loaded = directory->loads;
}

const void *directory_unloaded(const struct directory *directory, enum people_kind kind, size_t *cursor)
{
        void *element;

        while ((element = table_next(table_of(directory, kind), cursor)) != NULL) {
                const uint32_t *loaded = mark(kind, element);

                if (loaded != NULL && *loaded != directory->loads)
                        return element; /* it begins with its id */
        }
        return NULL;
}

/* ---- Numbers -------------------------------------------------------------------------------------------------------- */

const struct number *directory_who(const struct directory *directory, const char *number)
{
        return table_find_text(&directory->numbers, number);
}

/* PERSON (NULL: somebody else) has NUMBER. */
static void number_add(struct directory *directory, const char *number, struct person *person)
{
        struct number *who = number[0] != '\0' ? table_add_text(&directory->numbers, number) : NULL;

        if (who == NULL)
                return;
        if (person == NULL)
                who->others++;
        else if (who->people_count < NUMBER_PEOPLE_MAX)
                who->people[who->people_count++] = person;
}

/* And has it no more. */
static void number_drop(struct directory *directory, const char *number, const struct person *person)
{
        struct number *who = number[0] != '\0' ? table_find_text(&directory->numbers, number) : NULL;
        size_t kept = 0;

        if (who == NULL)
                return;
        if (person == NULL && who->others > 0)
                who->others--;
        for (size_t i = 0; i < who->people_count; i++)
                if (who->people[i] != person)
                        who->people[kept++] = who->people[i];
        who->people_count = (uint8_t)kept;
        if (kept == 0 && who->others == 0)
                table_remove(&directory->numbers, who);
}

struct handset *directory_handset_need(struct directory *directory, const uint8_t id[HANDSET_ID_SIZE])
{
        return table_add(&directory->handsets, id);
}

void directory_handset_tidy(struct directory *directory, struct handset *handset)
{
        if (handset == NULL || handset->known || handset->sessions != NULL || handset->alert_count > 0)
                return;
        free(handset->duty);
        table_remove(&directory->handsets, handset);
}

int directory_put_handset(struct directory *directory, const uint8_t id[HANDSET_ID_SIZE],
                          const struct handset_entry *entry)
{
        struct handset *handset =
                entry != NULL ? directory_handset_need(directory, id) : directory_handset(directory, id);

        if (handset == NULL)
                return entry != NULL ? -ENOBUFS : 0;
        if (handset->known)
                number_drop(directory, handset->entry.number, NULL);
        handset->known = entry != NULL;
        if (entry == NULL) {
                directory_handset_tidy(directory, handset);
                return 0;
        }
        handset->entry = *entry;
        number_add(directory, handset->entry.number, NULL);
        return 0;
}

/* The roster's view of PERSON.  What the roster refuses (a team longer than a zone can name) is in no team there. */
static void person_place(struct directory *directory, const struct person *person)
{
        struct supervisor s = {
                .on_duty = person->on_duty,
                .manager = person->entry.manager,
                .has_phone = person->entry.number[0] != '\0',
                .busy_count = person->busy_count,
                .handset_until_ms = person->handset_until_ms,
                .console_until_ms = person->console_until_ms,
                .fix_at_ms = (int64_t)person->at.at_s * 1000,
        };

        if (person->gone)
                return;
        memcpy(s.id, person->id, sizeof(s.id));
        if (team_is_valid(person->entry.team))
                memcpy(s.team, person->entry.team, strlen(person->entry.team) + 1);
        s.has_fix = person->has_position && position_from_e7(person->at.lat_e7, person->at.lon_e7, &s.fix) == 0;
        (void)roster_put(directory->roster, &s); /* bounded like `people`, so there is room */
}

void directory_person_tidy(struct directory *directory, struct person *person)
{
        if (person->gone && person->sessions == NULL)
                table_remove(&directory->people, person);
}

int directory_put_person(struct directory *directory, const char *id, const struct supervisor_entry *entry)
{
        struct person *person =
                entry != NULL ? table_add_text(&directory->people, id) : directory_person(directory, id);

        if (person == NULL)
                return entry != NULL ? -ENOBUFS : 0;
        number_drop(directory, person->entry.number, person);
        person->gone = entry == NULL;
        if (entry != NULL) {
                person->entry = *entry;
                number_add(directory, person->entry.number, person);
                person_place(directory, person);
        } else {
                (void)roster_remove(directory->roster, person->id);
                directory_person_tidy(directory, person);
        }
        return 0;
}

_Static_assert(offsetof(struct carrier, entry) == PERSON_ID_MAX + 1 &&
                       offsetof(struct user, entry) == PERSON_ID_MAX + 1 &&
                       offsetof(struct round, entry) == PERSON_ID_MAX + 1,
               "put() finds the entry right behind the key");

/* Put or remove a plain entry, which stands behind the id in its element. */
static int put(struct table *table, const char *id, const void *entry, size_t size)
{
        char *element = entry != NULL ? table_add_text(table, id) : table_find_text(table, id);

        if (element == NULL)
                return entry != NULL ? -ENOBUFS : 0;
        if (entry != NULL)
                memcpy(element + table->key_size, entry, size);
        else
                table_remove(table, element);
        return 0;
}

int directory_put_carrier(struct directory *directory, const char *id, const struct carrier_entry *entry)
{
        const struct carrier *before = directory_carrier(directory, id);
        int r;

        if (before != NULL)
                number_drop(directory, before->entry.number, NULL);
        r = put(&directory->carriers, id, entry, sizeof(*entry));
        if (r == 0 && entry != NULL)
                number_add(directory, entry->number, NULL);
        return r;
}

int directory_put_user(struct directory *directory, const char *login, const struct user_entry *entry)
{
        return put(&directory->users, login, entry, sizeof(*entry));
}

int directory_put_round(struct directory *directory, const char *id, const struct round_entry *entry)
{
        return put(&directory->rounds, id, entry, sizeof(*entry));
}

const char *directory_name(const struct directory *directory, const char *id)
{
        const struct person *person = directory_person(directory, id);
        const struct carrier *carrier = directory_carrier(directory, id);
        const struct user *user = directory_user(directory, id);

        return person != NULL    ? person->entry.name
               : carrier != NULL ? carrier->entry.name
               : user != NULL    ? user->entry.name
                                 : "";
}

const char *directory_number(const struct directory *directory, const char *id)
{
        const struct person *person = directory_person(directory, id);
        const struct carrier *carrier = directory_carrier(directory, id);

        return carrier != NULL ? carrier->entry.number : person != NULL ? person->entry.number : "";
}

const char *directory_person_number(const struct directory *directory, const char *id)
{
        const struct person *person = directory_person(directory, id);

        return person != NULL ? person->entry.number : "";
}

const char *directory_team(const struct directory *directory, const char *id)
{
        const struct person *person = directory_person(directory, id);
        const struct carrier *carrier = directory_carrier(directory, id);

        return carrier != NULL ? carrier->entry.team : person != NULL ? person->entry.team : "";
}

void handset_set_duty(struct handset *handset, const struct carrier_duty *duty)
{
        handset->duty_known = duty != NULL ? DUTY_ON : DUTY_OFF;
        if (duty == NULL) {
                free(handset->duty);
                handset->duty = NULL;
        } else if (handset->duty != NULL || (handset->duty = malloc(sizeof(*duty))) != NULL) {
                *handset->duty = *duty;
        } else {
                handset->duty_known = DUTY_NOT_KNOWN; /* out of memory: as if it had not been asked for */
        }
}

const char *handset_holder(const struct handset *handset, bool *ret_sure)
{
        *ret_sure = handset->duty != NULL || (handset->known && handset->entry.role == HANDSET_SUPERVISOR);
        return handset->duty != NULL ? handset->duty->carrier_id : handset->known ? handset->entry.person : "";
}

void person_set_duty(struct directory *directory, struct person *person, const struct duty_entry *duty)
{
        person->on_duty = duty != NULL;
        person->duty = duty != NULL ? *duty : (struct duty_entry){ 0 };
        if (duty == NULL) { /* no position without a reason */
                person->has_position = false;
                person->at = (struct track_point){ 0 };
                person->off_at_ms = person->heard_at_ms;
        }
        person_place(directory, person);
}

void person_set_presence(struct directory *directory, struct person *person, const struct presence *presence)
{
        int64_t until_ms = presence->at_ms + PRESENCE_LEASE_MS;
        /* Positions come by another Redis than duties, and before them at times. */
        bool counts = person->on_duty || presence->at_ms > person->off_at_ms;

        if (presence->by == PRESENCE_GONE) {
                if (presence->at_ms >= person->heard_at_ms)
                        person->handset_until_ms = person->console_until_ms = 0;
        } else if (presence->by == PRESENCE_CONSOLE) {
                person->console_until_ms = until_ms > person->console_until_ms ? until_ms : person->console_until_ms;
        } else {
                person->handset_until_ms = until_ms > person->handset_until_ms ? until_ms : person->handset_until_ms;
        }
        if (presence->by != PRESENCE_GONE && presence->at_ms > person->heard_at_ms)
                person->heard_at_ms = presence->at_ms;
        if (presence->has_position && counts &&
            (!person->has_position || presence->at.at_s >= person->at.at_s)) {
                person->has_position = true;
                person->at = presence->at;
        }
        person_place(directory, person);
}

void person_take_alert(struct directory *directory, struct person *person, int by)
{
        person->busy_count = (uint16_t)(person->busy_count + by);
        person_place(directory, person);
}
