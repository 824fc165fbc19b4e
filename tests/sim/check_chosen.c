/* Those whom a dispatcher asks are the right ones. */
#include <assert.h>
#include <string.h>

#include "tests/geo/oracle.h"
#include "tests/sim/check.h"

#define FEW_ALERTS 2

struct question {
        struct choose_request request;
        const struct zone *zones[ZONES_AT_MAX];
        const char *asked[RECORD_ASKED_MAX];
        struct position at;
};

static void ask(const struct core *core, const struct record *record, size_t asked, struct question *ret_question)
{
        struct choose_request *r = &ret_question->request;
        const struct round *round = directory_round(core->ground.people, record->round);

        *r = (struct choose_request){ .now_ms = core->now_ms,
                                      .zones = ret_question->zones,
                                      .carrier_id = record->carrier_id,
                                      .asked = ret_question->asked,
                                      .asked_count = asked,
                                      .count = 1 };
        for (size_t i = 0; i < asked; i++)
                ret_question->asked[i] = record->asked[i].id;
        if (record->has_position && position_from_e7(record->at.lat_e7, record->at.lon_e7, &ret_question->at) == 0) {
                r->at = &ret_question->at;
                (void)zones_at(core->ground.zones, r->at, ZONES_AT_MAX, ret_question->zones, &r->zone_count);
        } else if (round != NULL &&
                   (ret_question->zones[0] = zones_find(core->ground.zones, round->entry.zone_id)) != NULL) {
                r->zone_count = 1;
        }
}

/* The first of those whom STEP may ask; NULL: nobody. */
static const char *first_of(const struct core *core, const struct question *question, enum oracle_step step)
{
        struct oracle_question q = { .step = step, .zones = core->ground.zones, .request = &question->request };
        static const struct oracle_barrier none[1];
        struct oracle_person people[64];

        q.barriers = none;
        assert(roster_count(core->directory.roster) <= 64);
        if (roster_count(core->directory.roster) == 0)
                return NULL;
        oracle_choose(core->directory.roster, &q, people);
        return people[0].eligible ? people[0].who->id : NULL;
}

static bool is_named(const struct core *core, const char *id)
{
        for (size_t i = 0; i < core->ground.drill_people_count; i++)
                if (strcmp(core->ground.drill_people[i], id) == 0)
                        return true;
        return false;
}

/* Each who is asked is the first of those not asked yet whom the ladder's step allows. */
static void check_next(struct sim *sim, const struct core *core, const struct record *record, size_t at)
{
        struct question question;
        const char *first[3] = { 0 };
        bool found = false;

        if ((record->marks & RECORD_DRILL) != 0 && core->ground.drill_people_count > 0) {
                if (!is_named(core, record->asked[at].id))
                        sim_fail(sim, "chosen", "%s is rung by a drill of others", record->asked[at].id);
                return;
        }
        if (core->alerts.count > FEW_ALERTS)
                return; /* what became of others in the same moment is not seen from here: who is busy */
        ask(core, record, at, &question);
        first[0] = first_of(core, &question, ORACLE_NEAREST);
        if (record->step >= 2)
                first[1] = first_of(core, &question, ORACLE_AREA);
        if (record->step >= 3)
                first[2] = first_of(core, &question, ORACLE_MANAGERS);
        for (unsigned i = 0; i < 3; i++)
                found |= first[i] != NULL && strcmp(first[i], record->asked[at].id) == 0;
        if (!found)
                sim_fail(sim, "chosen", "number %zu is %s, and %s was asked", at,
                         first[0] != NULL ? first[0] : "nobody", record->asked[at].id);
}

/* After a step nobody is left out whom it asks. */
static void check_none_left(struct sim *sim, const struct core *core, const struct record *record, size_t before)
{
        struct question question;
        const char *left = NULL;

        ask(core, record, record->asked_count, &question);
        if (record->step <= 1 && record->asked_count < before + 3)
                left = first_of(core, &question, ORACLE_NEAREST);
        else if (record->step == 2)
                left = first_of(core, &question, ORACLE_AREA);
        else if (record->step == 3)
                left = first_of(core, &question, ORACLE_MANAGERS);
        if (left != NULL && record->asked_count < RECORD_ASKED_MAX - LADDER_MANAGERS)
                sim_fail(sim, "chosen", "step %u does not ask %s", record->step, left);
}

static bool asks_nobody(const struct core *core, const struct record *record)
{
        return (record->marks & RECORD_UNVERIFIED) != 0 || (record->marks & RECORD_DRILL) != 0;
}

void check_chosen(struct sim *sim, const struct core *core, const struct core_action *action,
                  const struct record *record)
{
        const struct open_alert *alert = hold_find(core, record->id);
        uint8_t event = action->u.commit.event;
        struct record old = { 0 };

        if (core->action_next != core->action_count)
                return; /* it has decided other things since: the roster may be another */
        if (alert == NULL || alert->proposal_merged || alert->meanwhile != NULL || event == EVENT_TAKE ||
            event == EVENT_JOIN || event == EVENT_CLOSE || (event == EVENT_UPDATE && action->u.commit.expected == 0))
                return; /* who takes or joins is asked by that; asked while the store was away: judged there and then */
        hold_record(alert, &old);
        for (size_t i = old.asked_count; i < record->asked_count && record->asked[i].asked_at_ms == core->now_ms; i++)
                if ((record->asked[i].flags & ASKED_OWNED) == 0) /* else it is whose take came late */
                        check_next(sim, core, record, i);
        if (!asks_nobody(core, record) && record->owner_id[0] == '\0' && (old.version == 0 || record->step != old.step))
                check_none_left(sim, core, record, old.asked_count);
        if (old.version != 0 && (event == EVENT_RELEASE || (event == EVENT_DECLINE && record->owner_id[0] == '\0')) &&
            !asks_nobody(core, record) && record->asked_count == old.asked_count)
                check_none_left(sim, core, record, old.asked_count);
}
