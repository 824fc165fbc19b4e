#include "geo/roster.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geo/roster_rows.h"

static_assert(ROSTER_MAX % ROSTER_BLOCK == 0, "whole blocks");
static_assert(ROSTER_MAX < UINT16_MAX, "numbers fit a place");
static_assert((ROSTER_PLACES & (ROSTER_PLACES - 1)) == 0, "a power of two");

#define NEXT_PLACE(place) (((place) + 1) & (ROSTER_PLACES - 1))

int roster_new(struct roster **ret_roster)
{
        struct roster *roster = calloc(1, sizeof(*roster));

        if (roster == NULL)
                return -ENOMEM;
        globe_init(&roster->globe);
        for (size_t i = 0; i < ROSTER_MAX; i++)
                roster->x[i] = INFINITY;
        *ret_roster = roster;
        return 0;
}

void roster_free(struct roster *roster)
{
        free(roster);
}

/* The place that holds ID, or the empty one where it would go. */
static size_t place_of(const struct roster *roster, const char *id, uint64_t hash)
{
        size_t place = hash & (ROSTER_PLACES - 1);
        uint16_t held;

        for (; (held = roster->places[place]) != 0; place = NEXT_PLACE(place))
                if (roster->rows[held - 1].id_hash == hash && strcmp(roster->all[held - 1].id, id) == 0)
                        break;
        return place;
}

int roster_number(const struct roster *roster, const char *id)
{
        return (int)roster->places[place_of(roster, id, name_hash(id))] - 1;
}

static void record_write(struct roster *roster, size_t number, const struct supervisor *s)
{
        struct unit_vector at = { ROSTER_NO_FIX_X, 0, 0 };
        int64_t lease_ms = s->handset_until_ms > s->console_until_ms ? s->handset_until_ms : s->console_until_ms;

        if (s->has_fix)
                at = position_unit_vector(&s->fix);
        roster->x[number] = at.x;
        roster->y[number] = at.y;
        roster->z[number] = at.z;
        roster->rows[number] = (struct roster_row){
                .id_hash = name_hash(s->id),
                .team_hash = name_hash(s->team),
                .reachable_until_ms = s->has_phone ? INT64_MAX : lease_ms,
                .fix_at_ms = s->fix_at_ms,
                .on_duty = s->on_duty,
                .manager = s->manager,
                .busy = s->busy_count > 0,
                .has_fix = s->has_fix,
        };
        roster->all[number] = *s;
}

static bool supervisor_is_valid(const struct supervisor *s)
{
        return person_id_is_valid(s->id) && (s->team[0] == '\0' || team_is_valid(s->team)) &&
               (!s->has_fix || position_is_valid(&s->fix));
}

int roster_put(struct roster *roster, const struct supervisor *supervisor)
{
        size_t place;

        if (!supervisor_is_valid(supervisor))
                return -EINVAL;
        place = place_of(roster, supervisor->id, name_hash(supervisor->id));
        if (roster->places[place] == 0) {
                if (roster->count == ROSTER_MAX)
                        return -ENOBUFS;
                roster->places[place] = (uint16_t)++roster->count;
        }
        record_write(roster, roster->places[place] - 1u, supervisor);
        return 0;
}

/* Empty PLACE and move up whoever, further along the run, would no longer be found past the hole. */
static void place_empty(struct roster *roster, size_t place)
{
        size_t hole = place;

        for (size_t next = NEXT_PLACE(hole); roster->places[next] != 0; next = NEXT_PLACE(next)) {
                size_t home = roster->rows[roster->places[next] - 1].id_hash & (ROSTER_PLACES - 1);

                if (((next - home) & (ROSTER_PLACES - 1)) < ((next - hole) & (ROSTER_PLACES - 1)))
                        continue; /* its home is after the hole */
                roster->places[hole] = roster->places[next];
                hole = next;
        }
        roster->places[hole] = 0;
}

int roster_remove(struct roster *roster, const char *id)
{
        size_t place = place_of(roster, id, name_hash(id));
        size_t number, last = roster->count - 1;

        if (roster->places[place] == 0)
                return -ENOENT;
        number = roster->places[place] - 1u;
        place_empty(roster, place);
        if (number != last) { /* the last record fills the gap */
                place = place_of(roster, roster->all[last].id, roster->rows[last].id_hash);
                roster->places[place] = (uint16_t)(number + 1);
                record_write(roster, number, &roster->all[last]);
        }
        roster->x[last] = INFINITY;
        roster->count = last;
        return 0;
}

const struct supervisor *roster_find(const struct roster *roster, const char *id)
{
        int number = roster_number(roster, id);

        return number >= 0 ? &roster->all[number] : NULL;
}

size_t roster_count(const struct roster *roster)
{
        return roster->count;
}

const struct supervisor *roster_get(const struct roster *roster, size_t index)
{
        return &roster->all[index];
}
