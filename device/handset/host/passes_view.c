#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/loop.h"
#include "device/handset/host/passes_state.h"

#define METRES_PER_DEGREE 111195.0 /* of latitude, on a sphere: enough to sort by */

static json_t *hex_of(const uint8_t *octets, size_t len)
{
        char text[2 * 32 + 1];

        hex_encode(octets, len, text);
        return json_string(text);
}

/* ---- buildings */

struct near {
        const struct parcel_building *building;
        double metres; /* NaN: not known */
};

static double metres_to(const struct parcel_building *b, const struct vigie_status *core)
{
        double lat, lon;

        if (!core->has_fix || !b->has_place)
                return NAN;
        lat = (b->lat_e7 - core->fix.lat_e7) / 1e7;
        lon = remainder((b->lon_e7 - (double)core->fix.lon_e7) / 1e7, 360) * cos(core->fix.lat_e7 / 1e7 * M_PI / 180);
        return METRES_PER_DEGREE * hypot(lat, lon);
}

/* The nearest first; those without a place behind, in the pass's order. */
static int by_distance(const void *a, const void *b)
{
        const struct near *one = a, *other = b;
        bool far_one = isnan(one->metres), far_other = isnan(other->metres);

        if (!far_one && !far_other && one->metres != other->metres)
                return one->metres < other->metres ? -1 : 1;
        if (far_one != far_other)
                return far_one ? 1 : -1;
        return one->building < other->building ? -1 : 1;
}

json_t *view_buildings(const struct content_pass *pass, const struct vigie_status *core, size_t from, size_t count)
{
        size_t all = pass->parcel.count;
        struct near *near = calloc(all, sizeof(*near));
        json_t *list = json_array();

        for (size_t i = 0; near != NULL && i < all; i++)
                near[i] = (struct near){ &pass->parcel.buildings[i], metres_to(&pass->parcel.buildings[i], core) };
        if (near != NULL)
                qsort(near, all, sizeof(*near), by_distance);
        for (size_t i = from; near != NULL && i < all && i - from < count; i++)
                json_array_append_new(
                        list, json_pack("{s:o, s:s, s:o}", "id", hex_of(near[i].building->id, BUILDING_ID_SIZE), "name",
                                        near[i].building->name, "distance_m",
                                        isnan(near[i].metres) ? json_null()
                                                              : json_integer((json_int_t)llround(near[i].metres))));
        if (near != NULL)
                explicit_bzero(near, all * sizeof(*near));
        free(near);
        return list;
}

/* ---- passes */

static const char *state_of(const struct content_pass *p, uint32_t now_s)
{
        const struct pass *pass = &p->pass;

        if (now_s > pass->not_after_s)
                return "over";
        if (p->revoked)
                return "revoked";
        if (now_s < pass->not_before_s)
                return "early";
        for (size_t i = 0; i < pass->window_count; i++)
                if (now_s >= pass->windows[i].from_s && now_s <= pass->windows[i].to_s)
                        return "good";
        return pass->window_count == 0 ? "good" : "outside_hours";
}

static json_t *ways_of(const struct pass *pass)
{
        json_t *ways = json_array();

        if ((pass->policy & PASS_ONE_WAY) && (pass->policy & PASS_CARETAKER))
                json_array_append_new(ways, json_string("caretaker"));
        if (pass->policy & PASS_ONE_WAY)
                json_array_append_new(ways, json_string("scanner"));
        return ways;
}

static json_t *passes_of(const struct content *content, const struct vigie_status *core)
{
        json_t *list = json_array();

        for (size_t i = 0; content != NULL && i < content->count; i++) {
                const struct content_pass *p = content->passes[i];

                json_array_append_new(
                        list,
                        json_pack("{s:o, s:I, s:I, s:s, s:o, s:i, s:o}", "id", hex_of(p->pass.id, PASS_ID_SIZE), "from_ms",
                                  (json_int_t)p->pass.not_before_s * 1000, "until_ms",
                                  (json_int_t)p->pass.not_after_s * 1000, "state", state_of(p, passes_now_s()),
                                  "ways", ways_of(&p->pass), "building_count", (int)p->parcel.count, "buildings",
                                  view_buildings(p, core, 0, PASSES_SHOWN_MAX)));
        }
        return list;
}

static const char *name_in(const struct content *content, const uint8_t building[BUILDING_ID_SIZE])
{
        int pass = content != NULL ? content_for(content, building, passes_now_s()) : -1;

        if (pass < 0)
                return "";
        return content->passes[pass]->parcel.buildings[content_find_building(content->passes[pass], building)].name;
}

/* ---- what stands on the page */

static json_t *vault_of(const struct safe_view *v)
{
        static const char *const states[] = { "none", "locked", "open", "destroyed" };
        static const char *const said[] = { NULL, "wrong", "too_near", "simple", "shape", "lengths", "disk" };

        return json_pack("{s:s, s:b, s:s?, s:i, s:I, s:I, s:o}", "state",
                         v->wait_ms > 0 ? "waiting" : states[v->state & 3], "working", (int)v->working, "said",
                         said[v->said], "tries_left", (int)v->tries_left, "wait_ms", (json_int_t)v->wait_ms, "open_ms",
                         (json_int_t)v->open_ms, "challenge",
                         v->has_challenge ? hex_of(v->challenge, VAULT_CHALLENGE_SIZE) : json_null());
}

static json_t *shown_of(const struct passes *p, const struct content *content)
{
        if (!p->shown.on)
                return json_null();
        return json_pack("{s:o, s:o, s:s, s:s, s:I, s:O?}", "pass", hex_of(p->shown.pass, PASS_ID_SIZE), "building",
                         hex_of(p->shown.building, BUILDING_ID_SIZE), "name", name_in(content, p->shown.building), "way",
                         p->shown.class == DOOR_PAGE ? "caretaker" : "scanner", "until_ms",
                         (json_int_t)(p->shown.slot + 1) * PASS_SLOT_S * 1000, "qr", p->shown.rows);
}

static json_t *door_of(const struct passes *p, const struct content *content)
{
        const struct at_door *d = &p->door;
        bool told = d->told && clock_utc_ms() - d->told_at_ms < VERDICT_SHOWN_MS;

        if (p->card == NULL)
                return json_null();
        return json_pack("{s:b, s:b, s:s?, s:o, s:s, s:o, s:o, s:I}", "held", (int)card_is_held(p->card), "waits",
                         (int)d->waits, "trouble", d->trouble, "building",
                         d->has_building ? hex_of(d->building, BUILDING_ID_SIZE) : json_null(), "name",
                         d->has_building ? name_in(content, d->building) : "", "refusal",
                         told ? json_integer((json_int_t)d->refusal) : json_null(), "word",
                         !told             ? json_null()
                         : d->refusal == 0 ? json_string("opened")
                                           : json_string(pass_refusal_name(d->refusal)),
                         "told_at_ms", (json_int_t)(told ? d->told_at_ms : 0));
}

static const char *asked_name(unsigned asked)
{
        static const char *const names[] = { NULL, "asking", "told", "not_now" };

        return asked < sizeof(names) / sizeof(names[0]) ? names[asked] : NULL;
}

static void add_wiped(json_t *status, const struct safe_view *v)
{
        json_object_set_new(status, "wiped_at_ms", json_integer(v->wiped_at_s * 1000));
        json_object_set_new(status, "enrolled", json_false());
        json_object_set_new(status, "button", json_false());
        json_object_set_new(status, "trouble", json_pack("[s]", "wiped"));
}

void passes_status(struct passes *p, const struct vigie_status *core, json_t *status)
{
        const struct content *content;
        struct safe_view v;

        safe_look(p->safe, &v); /* this may be the moment at which it locks: the content is asked for after it */
        content = safe_content(p->safe);
        if (content == NULL && v.state == VIGIE_VAULT_OPEN)
                safe_look(p->safe, &v);
        json_object_set_new(status, "vault", vault_of(&v));
        json_object_set_new(status, "passes", passes_of(content, core));
        json_object_set_new(status, "shown", shown_of(p, content));
        json_object_set_new(status, "door", door_of(p, content));
        json_object_set_new(status, "list_at_ms", json_integer((json_int_t)p->list_issued_s * 1000));
        json_object_set_new(status, "asked_pass",
                            asked_name(core->asked_pass) != NULL ? json_string(asked_name(core->asked_pass)) : json_null());
        json_object_set_new(status, "entered_at_ms", json_integer(core->entered_at_ms));
        json_object_set_new(status, "entered", json_string(core->entered_at_ms != 0 ? p->entered_name : ""));
        json_object_set_new(status, "wiped_at_ms", json_integer(0));
        if (p->wiped)
                add_wiped(status, &v);
}
