/* Who and what is known: the people, the trust list, duties, presences and notices, as they are loaded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "dispatcher/core_parts.h"

/* loaded: ID of KIND was put, which gave R. */
static int loaded(struct core *core, enum people_kind kind, const void *id, int r)
{
        if (r == 0)
                directory_loaded(&core->directory, kind, id);
        return r;
}

int core_load_handset(struct core *core, const uint8_t id[HANDSET_ID_SIZE], const struct handset_entry *entry)
{
        struct handset *handset = directory_handset(&core->directory, id);

        /* Who was let in as somebody else comes in again as who it is now; an alert object is taken all the same. */
        if (handset != NULL &&
            (entry == NULL || entry->revoked_at_s != handset->entry.revoked_at_s ||
             memcmp(entry->enrolment, handset->entry.enrolment, ENROLMENT_SIZE) != 0 ||
             entry->role != handset->entry.role || strcmp(entry->person, handset->entry.person) != 0))
                for (struct session *s = handset->sessions; s != NULL; s = s->next_of_handset)
                        session_doom(core, s, 1008);
        return loaded(core, PEOPLE_HANDSETS, id, directory_put_handset(&core->directory, id, entry));
}

int core_load_carrier(struct core *core, const char *id, const struct carrier_entry *entry)
{
        return !person_id_is_valid(id) ? -EINVAL
               : loaded(core, PEOPLE_CARRIERS, id, directory_put_carrier(&core->directory, id, entry));
}

/* count_busy: PERSON is known from now on, and may have alerts. */
static void count_busy(struct core *core, struct person *person)
{
        const struct open_alert *alert;
        int busy = 0;

        for (size_t i = 0; (alert = table_next(&core->alerts, &i)) != NULL;)
                busy += strcmp(alert->owner, person->id) == 0;
        person_take_alert(&core->directory, person, busy - person->busy_count);
}

int core_load_supervisor(struct core *core, const char *id, const struct supervisor_entry *entry)
{
        bool known = directory_person(&core->directory, id) != NULL;
        int r = !person_id_is_valid(id) ? -EINVAL
                : loaded(core, PEOPLE_SUPERVISORS, id, directory_put_person(&core->directory, id, entry));

        if (r == 0 && entry != NULL && !known)
                count_busy(core, directory_person(&core->directory, id));
        return r;
}

int core_load_user(struct core *core, const char *login, const struct user_entry *entry)
{
        return !person_id_is_valid(login) ? -EINVAL
               : loaded(core, PEOPLE_USERS, login, directory_put_user(&core->directory, login, entry));
}

int core_load_round(struct core *core, const char *id, const struct round_entry *entry)
{
        return !person_id_is_valid(id) ? -EINVAL
               : loaded(core, PEOPLE_ROUNDS, id, directory_put_round(&core->directory, id, entry));
}

void core_load_unread(struct core *core, enum people_kind kind, const char *field)
{
        uint8_t id[HANDSET_ID_SIZE];

        if (kind != PEOPLE_HANDSETS)
                directory_loaded(&core->directory, kind, field);
        else if (hex_decode(field, id, sizeof(id)) == 0)
                directory_loaded(&core->directory, kind, id);
}

void core_load_people_begin(struct core *core)
{
        core->directory.loads++;
}

/* put_away: FOUND, an id of KIND, which goes with its element. */
static void put_away(struct core *core, enum people_kind kind, const void *found)
{
        uint8_t handset[HANDSET_ID_SIZE];
        char id[PERSON_ID_MAX + 1];

        if (kind == PEOPLE_HANDSETS) {
                memcpy(handset, found, sizeof(handset));
                (void)core_load_handset(core, handset, NULL); /* taking away always finds room */
                return;
        }
        memcpy(id, found, sizeof(id));
        if (kind == PEOPLE_SUPERVISORS)
                (void)core_load_supervisor(core, id, NULL);
        else if (kind == PEOPLE_CARRIERS)
                (void)core_load_carrier(core, id, NULL);
        else if (kind == PEOPLE_USERS)
                (void)core_load_user(core, id, NULL);
        else
                (void)core_load_round(core, id, NULL);
}

void core_load_people_end(struct core *core)
{
        const void *id;

        for (int kind = 0; kind < PEOPLE_KINDS; kind++)
                for (size_t i = 0; (id = directory_unloaded(&core->directory, (enum people_kind)kind, &i)) != NULL; i--)
                        put_away(core, (enum people_kind)kind, id);
}

int core_load_trust(struct core *core, uint32_t number, struct cbor_span cose)
{
        uint8_t *copy = malloc(cose.len + 1);

        if (copy == NULL || cose.len > TRUST_MAX) {
                free(copy);
                return copy == NULL ? -ENOMEM : -EMSGSIZE;
        }
        if (cose.len > 0)
                memcpy(copy, cose.at, cose.len);
        free(core->trust);
        core->trust = copy;
        core->trust_size = cose.len;
        core->trust_number = number;
        return 0;
}

int core_load_duty(struct core *core, const char *person, const struct duty_entry *duty)
{
        if (directory_person(&core->directory, person) == NULL)
                return -ENOENT;
        duty_fed(core, person, duty);
        return 0;
}

int core_load_presence(struct core *core, const char *id, const struct presence *presence)
{
        struct person *person = directory_person(&core->directory, id);

        if (person == NULL)
                return -ENOENT;
        person_set_presence(&core->directory, person, presence);
        return 0;
}

int core_load_notice(struct core *core, const char *key, const struct notice *notice)
{
        if (strlen(key) > NAME_MAX_OCTETS)
                return -EINVAL;
        notice_fed(core, key, notice);
        return notice == NULL || table_find_text(&core->notices, key) != NULL ? 0 : -ENOBUFS;
}
