#include "ops/vigie/building.h"

#include <errno.h>
#include <math.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/roster_csv.h"
#include "ops/vigie/say.h"

static int id_read(const char *what, const char *text, uint8_t id[BUILDING_ID_SIZE])
{
        return hex_decode(text, id, BUILDING_ID_SIZE) == 0 ? 0 : say_wrong("%s '%s': 16 hex digits", what, text);
}

int building_find(struct region *region, const char *word, uint8_t id[BUILDING_ID_SIZE],
                  struct building_entry *ret_entry)
{
        uint8_t data[DESK_SMALL_MAX];
        char field[BUILDING_ID_TEXT];
        int r = id_read("building", word, id);

        if (r < 0)
                return r;
        hex_encode(id, BUILDING_ID_SIZE, field);
        r = region_people_get(region, "buildings", field, data, sizeof(data));
        if (r >= 0)
                r = building_entry_decode(data, (size_t)r, ret_entry);
        if (r == -ENOENT)
                say_wrong("there is no building %s", field);
        else if (r < 0)
                say_wrong("building %s: %s", field, strerror(-r));
        return r;
}

/* ---- add, list, remove */

static int degrees(const char *what, const char *text, double max, int32_t *ret_e7)
{
        double value;

        if (number_read(text, &value) < 0 || fabs(value) > max)
                return say_wrong("%s '%s': %.0f to %.0f", what, text, -max, max);
        *ret_e7 = (int32_t)lround(value * 1e7);
        return 0;
}

struct added {
        const char *id, *name, *address, *lat, *lon;
        bool sensitive, no_qr, no_caretaker;
        uint8_t octets[BUILDING_ID_SIZE];
        struct building_entry entry;
};

static int check(struct added *a)
{
        struct building_entry *e = &a->entry;

        if (a->name == NULL || a->name[0] == 0)
                return say_wrong("--name is needed");
        if (text_fit("name", a->name, e->name, sizeof(e->name)) < 0 ||
            text_fit("address", a->address, e->address, sizeof(e->address)) < 0)
                return -EINVAL;
        if ((a->lat == NULL) != (a->lon == NULL))
                return say_wrong("--lat and --lon: both, or none");
        e->has_place = a->lat != NULL;
        if (e->has_place &&
            (degrees("--lat", a->lat, 90, &e->place.lat_e7) < 0 || degrees("--lon", a->lon, 180, &e->place.lon_e7) < 0))
                return -EINVAL;
        e->flags = a->sensitive ? BUILDING_SENSITIVE : 0;
        e->policy = a->no_qr ? 0 : PASS_ONE_WAY | (a->no_caretaker ? 0 : PASS_CARETAKER);
        if (a->id != NULL)
                return id_read("--id", a->id, a->octets);
        return RAND_bytes(a->octets, sizeof(a->octets)) == 1 ? 0 : -EIO;
}

static int add(struct region *region, const void *of, int argc, char **argv)
{
        struct added a = { 0 };
        const struct choice list[] = {
                { "name", &a.name, NULL, "as carriers read it" },
                { "address", &a.address, NULL, "postal address" },
                { "lat", &a.lat, NULL, "degrees, WGS 84" },
                { "lon", &a.lon, NULL, "degrees" },
                { "sensitive", NULL, &a.sensitive, "a pass for it needs a second person" },
                { "no-qr", NULL, &a.no_qr, "a pass for it is not shown as a QR" },
                { "no-caretaker", NULL, &a.no_caretaker, "nor that to a caretaker" },
                { "id", &a.id, NULL, "16 hex digits: replace that one (default: a new one)" },
        };
        const struct choices choices = { "building add --name NAME [...]", list, sizeof(list) / sizeof(list[0]), 0 };
        char field[BUILDING_ID_TEXT];
        uint8_t data[DESK_SMALL_MAX];
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = check(&a)) < 0)
                return refused(r);
        hex_encode(a.octets, sizeof(a.octets), field);
        if ((r = building_entry_encode(&a.entry, data, sizeof(data))) < 0)
                return refused(r);
        r = region_people_set(region, &(struct region_entry){ "buildings", field, data, (size_t)r });
        if (r == 0)
                say_row(field, a.entry.name, NULL);
        return refused(r);
}

static void print(void *user, const char *field, const uint8_t *data, size_t size)
{
        struct building_entry e;
        char place[48] = "";

        if (building_entry_decode(data, size, &e) < 0) {
                say_wrong("building %s: entry cannot be read", field);
                return;
        }
        if (e.has_place)
                snprintf(place, sizeof(place), "%.7f %.7f", e.place.lat_e7 / 1e7, e.place.lon_e7 / 1e7);
        say_row(field, e.name, e.address, place, e.flags & BUILDING_SENSITIVE ? "sensitive" : "",
                e.policy & PASS_ONE_WAY ? "" : "no QR", e.policy & PASS_CARETAKER ? "" : "no caretaker", NULL);
}

static int list(struct region *region, const void *of, int argc, char **argv)
{
        if (choices_read(&(struct choices){ .usage = "building list" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        return refused(region_people_each(region, "buildings", print, NULL));
}

/* ---- remove: not while a round stops there or it has a door */

struct used {
        const uint8_t *id;
        char by[96]; /* "" nobody */
};

static void look_stops(void *user, const char *field, const uint8_t *data, size_t size)
{
        struct stops_entry *e = malloc(sizeof(*e));
        struct used *used = user;

        if (e != NULL && stops_entry_decode(data, size, e) == 0)
                for (size_t i = 0; i < e->count; i++)
                        if (memcmp(e->buildings[i], used->id, BUILDING_ID_SIZE) == 0)
                                snprintf(used->by, sizeof(used->by), "round %s stops there", field);
        free(e);
}

static void look_doors(void *user, const char *field, const uint8_t *data, size_t size)
{
        struct used *used = user;
        struct door_entry e;

        if (door_entry_decode(data, size, &e) == 0 && memcmp(e.building, used->id, BUILDING_ID_SIZE) == 0)
                snprintf(used->by, sizeof(used->by), "door %s is there", field);
}

static int take_away(struct region *region, const void *of, int argc, char **argv)
{
        struct building_entry e;
        uint8_t id[BUILDING_ID_SIZE];
        struct used used = { .id = id };
        char field[BUILDING_ID_TEXT];
        const char *word;
        int r;

        if (choices_read(&(struct choices){ .usage = "building remove ID", .words_wanted = 1 }, argc, argv, &word) < 0)
                return EXIT_USAGE;
        if ((r = building_find(region, word, id, &e)) < 0 ||
            (r = region_people_each(region, "stops", look_stops, &used)) < 0 ||
            (r = region_people_each(region, "doors", look_doors, &used)) < 0)
                return refused(r);
        hex_encode(id, sizeof(id), field);
        if (used.by[0] != 0) {
                say_wrong("building %s: %s; nothing was changed", field, used.by);
                return EXIT_REFUSED;
        }
        return refused(region_people_set(region, &(struct region_entry){ .hash = "buildings", .field = field }));
}

/* ---- the stops of a round */

static int tell_stops(struct region *region, const char *round)
{
        struct stops_entry *e = calloc(1, sizeof(*e));
        uint8_t *data = malloc(DESK_LONG_MAX);
        char field[BUILDING_ID_TEXT];
        struct building_entry b;
        uint8_t id[BUILDING_ID_SIZE];
        int r = e != NULL && data != NULL ? region_people_get(region, "stops", round, data, DESK_LONG_MAX) : -ENOMEM;

        if (r >= 0)
                r = stops_entry_decode(data, (size_t)r, e);
        for (size_t i = 0; r == 0 && i < e->count; i++) {
                hex_encode(e->buildings[i], BUILDING_ID_SIZE, field);
                if (building_find(region, field, id, &b) == 0)
                        say_row(field, b.name, b.address, NULL);
        }
        free(data);
        free(e);
        return r == -ENOENT ? 0 : r; /* no stops yet */
}

static int set_stops(struct region *region, const char *round, int count, char **words)
{
        struct stops_entry *e = calloc(1, sizeof(*e));
        uint8_t *data = malloc(DESK_LONG_MAX);
        struct building_entry b;
        int r = e != NULL && data != NULL ? 0 : -ENOMEM;

        if (count > SCOPE_BUILDINGS_MAX)
                r = say_wrong("round %s: more than %d buildings", round, SCOPE_BUILDINGS_MAX);
        for (int i = 0; r == 0 && i < count; i++)
                r = building_find(region, words[i], e->buildings[e->count++], &b);
        if (r == 0 && (r = stops_entry_encode(e, data, DESK_LONG_MAX)) > 0)
                r = region_people_set(region, &(struct region_entry){ "stops", round, data, (size_t)r });
        free(data);
        free(e);
        return r;
}

int round_stops(struct region *region, const void *of, int argc, char **argv)
{
        uint8_t data[PEOPLE_MAX];
        char round[PERSON_ID_MAX + 1];
        int r;

        if (argc < 2 || argv[1][0] == '-') {
                say_wrong("usage: vigie round stops ROUND [BUILDING...]; without buildings it shows them");
                return EXIT_USAGE;
        }
        if (id_fit("round", argv[1], false, round) < 0)
                return EXIT_USAGE;
        r = region_people_get(region, "rounds", round, data, sizeof(data));
        if (r == -ENOENT)
                say_wrong("there is no round %s", round);
        if (r < 0)
                return refused(r);
        return refused(argc == 2 ? tell_stops(region, round) : set_stops(region, round, argc - 2, argv + 2));
}

int building_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = {
                { "add",
                  "--name NAME [--address TEXT] [--lat D --lon D] [--sensitive] [--no-qr] [--no-caretaker] [--id ID]",
                  add, NULL },
                { "list", "", list, NULL },
                { "import", "FILE.csv|FILE.geojson", building_import, NULL },
                { "remove", "ID", take_away, NULL },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}
