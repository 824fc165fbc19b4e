#include "console/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "console/view_json.h"

#define DEGREE_E7 1e7

bool view_allows_alert(const struct viewer *viewer, bool unverified, const char *people)
{
        if (viewer->role == ROLE_CONTROL)
                return true;
        if (viewer->role != ROLE_SUPERVISOR || unverified)
                return false;
        for (const char *id = people; *id != '\0'; id += strlen(id) + 1)
                if (strcmp(id, viewer->person) == 0)
                        return true;
        return false;
}

size_t view_people_of_alert(const struct record *record, char *ids)
{
        char *p = ids;

        for (unsigned i = 0; i < record->asked_count; i++)
                if (record->asked[i].id[0] != '\0')
                        p = stpcpy(p, record->asked[i].id) + 1;
        if (record->owner_id[0] != '\0')
                p = stpcpy(p, record->owner_id) + 1;
        *p++ = '\0';
        return (size_t)(p - ids);
}

bool view_allows_notice(const struct viewer *viewer, const struct notice *notice, bool zone_names_team)
{
        switch (viewer->role) {
        case ROLE_CONTROL:
                return true;
        case ROLE_SUPERVISOR:
                return notice->kind == NOTICE_OVERDUE && zone_names_team;
        case ROLE_ADMIN:
                return notice->kind == NOTICE_TECHNICAL;
        default:
                return false;
        }
}

struct outbound *view_dump(json_t *json)
{
        char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
        struct outbound *out = text != NULL ? outbound_new(text, strlen(text)) : NULL;

        free(text);
        json_decref(json);
        return out;
}

json_t *view_time(int64_t ms)
{
        return ms != 0 ? json_integer(ms) : json_null();
}

json_t *view_point(const struct track_point *point)
{
        return json_pack("{s:f, s:f, s:o, s:I}", "lat", point->lat_e7 / DEGREE_E7, "lon", point->lon_e7 / DEGREE_E7,
                         "accuracy_m", point->accuracy_m != UINT16_MAX ? json_integer(point->accuracy_m) : json_null(),
                         "at", (json_int_t)point->at_s * 1000);
}

static json_t *overdue_names(const struct notice *notice)
{
        json_t *names = json_array();

        for (unsigned i = 0; i < notice->name_count; i++) {
                const struct overdue_name *n = &notice->names[i];

                json_array_append_new(names, json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o}", "id", n->carrier_id, "name",
                                                       n->carrier_name, "number", view_or_null(n->number), "round",
                                                       view_or_null(n->round), "heard_at", view_time(n->heard_at_ms),
                                                       "position", n->has_place ? view_point(&n->at) : json_null()));
        }
        return names;
}

struct outbound *view_notice(const char *key, const struct notice *notice)
{
        const char *kind;

        if (notice == NULL)
                return view_dump(json_pack("{s:s, s:s, s:n}", "t", "notice", "k", key, "notice"));
        kind = notice_kind_name(notice->kind);
        return view_dump(json_pack("{s:s, s:s, s:{s:s, s:b, s:I, s:I, s:s?, s:s?, s:s, s:s?, s:o}}", "t", "notice", "k",
                                   key, "notice", "kind", kind != NULL ? kind : "unknown", "rings", (int)notice->rings,
                                   "since", (json_int_t)notice->since_ms, "count", (json_int_t)notice->count, "zone",
                                   view_or_null(notice->zone_id), "zone_name", view_or_null(notice->zone_name), "cause",
                                   notice->cause, "acked_by", view_or_null(notice->acked_by), "names",
                                   overdue_names(notice)));
}

static json_t *person_json(const struct person *person, bool with_position)
{
        const struct presence *p = &person->presence;
        json_t *duty = json_null(), *position = json_null();

        if (person->on_duty) {
                json_decref(duty);
                duty = json_pack("{s:I, s:I}", "since", (json_int_t)person->duty.since_ms, "until",
                                 (json_int_t)person->duty.until_s * 1000);
        }
        if (with_position && person->on_duty && p->by != PRESENCE_GONE && p->has_position) {
                json_decref(position);
                position = view_point(&p->at);
        }
        return json_pack("{s:s, s:s, s:s?, s:b, s:o, s:o, s:o}", "id", person->id, "name",
                         person->name[0] != '\0' ? person->name : person->id, "team", view_or_null(person->team),
                         "manager", (int)person->manager, "duty", duty, "heard_at",
                         view_time(p->by != PRESENCE_GONE ? p->at_ms : 0), "position", position);
}

struct outbound *view_people(const struct person *const *people, size_t count, bool with_positions)
{
        json_t *list = json_array();

        for (size_t i = 0; i < count; i++)
                json_array_append_new(list, person_json(people[i], with_positions));
        return view_dump(json_pack("{s:s, s:o}", "t", "people", "people", list));
}

struct outbound *view_counts(const struct counts *counts)
{
        json_t *on_duty = counts->known ? json_integer(counts->on_duty) : json_null();
        json_t *quiet = counts->known ? json_integer(counts->quiet) : json_null();
        json_t *reachable = counts->known ? json_integer(counts->reachable) : json_null();

        return view_dump(json_pack("{s:s, s:o, s:o, s:I, s:o, s:I}", "t", "counts", "on_duty", on_duty, "quiet", quiet,
                                   "supervisors", (json_int_t)counts->supervisors, "reachable", reachable, "open",
                                   (json_int_t)counts->open));
}

struct outbound *view_answer(const char *command, const char *code, const char *who)
{
        return view_dump(
                json_pack("{s:s, s:s, s:s, s:s?}", "t", "answer", "c", command, "a", code, "who", view_or_null(who)));
}

struct outbound *view_tick(int64_t now_ms, bool store, int64_t since_ms, const char *why)
{
        return view_dump(json_pack("{s:s, s:I, s:b, s:o, s:s?}", "t", "tick", "now", (json_int_t)now_ms, "store",
                                   (int)store, "since", store ? json_null() : view_time(since_ms), "why",
                                   store ? NULL : why));
}

struct outbound *view_begin(void)
{
        return view_dump(json_pack("{s:s}", "t", "begin"));
}

struct outbound *view_end(int64_t rest)
{
        return view_dump(json_pack("{s:s, s:I}", "t", "end", "rest", (json_int_t)rest));
}

struct outbound *view_hello(const struct page_hello *hello)
{
        const struct viewer *v = hello->viewer;

        return view_dump(json_pack("{s:s, s:i, s:s, s:I, s:I, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:s?, s:s?}", "t",
                                   "hello", "p", 1, "version", VIGIE_VERSION, "now", (json_int_t)hello->now_ms, "ends",
                                   (json_int_t)v->ends_ms, "region", hello->region, "me", "login", v->login, "person",
                                   v->person, "name", v->name, "role", user_role_name(v->role), "language", v->language,
                                   "tiles", view_or_null(hello->tile_url), "tiles_by",
                                   view_or_null(hello->tile_attribution)));
}
