/* vigie building import: a file of buildings and of the rounds that stop at them, all of it or nothing. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "ops/vigie/building.h"
#include "ops/vigie/command.h"
#include "ops/vigie/places.h"
#include "ops/vigie/say.h"

/* A building of the region, by name and address: who imports a file again replaces, and doubles nothing. */
struct known {
        char name[NAME_MAX_OCTETS + 1], address[DESK_ADDRESS_MAX + 1];
        uint8_t id[BUILDING_ID_SIZE];
};

/* What is going to be written: the entries, and the octets that they point to. */
struct import {
        struct region *region;
        const char *path;
        struct places places;
        struct known *known;
        size_t known_count, known_room;
        struct region_entry *entries;
        size_t count, rounds;
        uint8_t (*buildings)[DESK_SMALL_MAX];
        char (*fields)[BUILDING_ID_TEXT];
        uint8_t *stops[PLACES_MAX / 2]; /* of each round; owned */
        int error;
};

static void remember(void *user, const char *field, const uint8_t *data, size_t size)
{
        struct import *im = user;
        struct building_entry e;
        struct known *more;

        if (im->error < 0 || building_entry_decode(data, size, &e) < 0)
                return;
        if (im->known_count == im->known_room) {
                im->known_room = 2 * im->known_room + 256;
                more = realloc(im->known, im->known_room * sizeof(*more));
                if (more == NULL) {
                        im->error = -ENOMEM;
                        return;
                }
                im->known = more;
        }
        more = &im->known[im->known_count];
        strcpy(more->name, e.name);
        strcpy(more->address, e.address);
        im->known_count += hex_decode(field, more->id, sizeof(more->id)) == 0;
}

static int by_name(const void *a, const void *b)
{
        const struct known *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        return order != 0 ? order : strcmp(x->address, y->address);
}

static int give_id(struct import *im, struct place_read *p)
{
        struct known key, *same;

        if (p->has_id)
                return 0;
        strcpy(key.name, p->entry.name);
        strcpy(key.address, p->entry.address);
        same = im->known_count > 0 ? bsearch(&key, im->known, im->known_count, sizeof(key), by_name) : NULL;
        if (same != NULL)
                memcpy(p->id, same->id, sizeof(p->id));
        else if (RAND_bytes(p->id, sizeof(p->id)) != 1)
                return -EIO;
        return 0;
}

static int put_building(struct import *im, size_t i)
{
        struct place_read *p = &im->places.list[i];
        int r = give_id(im, p);

        if (r < 0 || (r = building_entry_encode(&p->entry, im->buildings[i], DESK_SMALL_MAX)) < 0)
                return r;
        hex_encode(p->id, sizeof(p->id), im->fields[i]);
        im->entries[im->count++] = (struct region_entry){ "buildings", im->fields[i], im->buildings[i], (size_t)r };
        return 0;
}

/* The stops of the round that place FIRST names, which none before it does. */
static int put_round(struct import *im, size_t first)
{
        const struct places *all = &im->places;
        const char *round = all->list[first].round;
        struct stops_entry *e = calloc(1, sizeof(*e));
        uint8_t *data = malloc(DESK_LONG_MAX), one[PEOPLE_MAX];
        int r = e != NULL && data != NULL ? region_people_get(im->region, "rounds", round, one, sizeof(one)) : -ENOMEM;

        if (r == -ENOENT)
                say_wrong("%s: line or feature %u: there is no round %s: vigie round add", im->path, all->list[first].where,
                          round);
        for (size_t i = first; r >= 0 && i < all->count; i++) {
                if (strcmp(all->list[i].round, round) != 0)
                        continue;
                if (e->count == SCOPE_BUILDINGS_MAX) {
                        say_wrong("%s: round %s: more than %d buildings", im->path, round, SCOPE_BUILDINGS_MAX);
                        r = -E2BIG;
                        break;
                }
                memcpy(e->buildings[e->count++], all->list[i].id, BUILDING_ID_SIZE);
        }
        if (r >= 0 && (r = stops_entry_encode(e, data, DESK_LONG_MAX)) >= 0) {
                im->entries[im->count++] = (struct region_entry){ "stops", round, data, (size_t)r };
                im->stops[im->rounds++] = data;
                data = NULL;
        }
        free(data);
        free(e);
        return r < 0 ? r : 0;
}

static bool is_first_of_its_round(const struct import *im, size_t i)
{
        const char *round = im->places.list[i].round;

        for (size_t j = 0; j < im->rounds; j++)
                if (strcmp(im->entries[im->places.count + j].field, round) == 0)
                        return false;
        return round[0] != 0;
}

static int write_all(struct import *im)
{
        size_t count = im->places.count;
        int r = region_people_each(im->region, "buildings", remember, im);

        if (r < 0 || (r = im->error) < 0)
                return r;
        if (im->known_count > 0)
                qsort(im->known, im->known_count, sizeof(*im->known), by_name);
        im->entries = calloc(2 * count + 1, sizeof(*im->entries));
        im->buildings = calloc(count + 1, sizeof(*im->buildings));
        im->fields = calloc(count + 1, sizeof(*im->fields));
        r = im->entries != NULL && im->buildings != NULL && im->fields != NULL ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < count; i++)
                r = put_building(im, i);
        for (size_t i = 0; r == 0 && i < count; i++)
                if (is_first_of_its_round(im, i))
                        r = im->rounds < PLACES_MAX / 2 ? put_round(im, i) : -E2BIG;
        return r == 0 && im->count > 0 ? region_people_put(im->region, im->entries, im->count) : r;
}

static int read_file(struct import *im)
{
        struct places_error error = { "" };
        char *text = NULL;
        size_t len = 0;
        int r = file_read(im->path, PLACES_TEXT_MAX + 1, &text, &len);

        if (r < 0)
                snprintf(error.text, sizeof(error.text), "%s", strerror(-r));
        else
                r = places_read(text, len, &im->places, &error);
        if (r < 0)
                say_wrong("%s: %s; nothing was changed", im->path, error.text);
        free(text);
        return r;
}

int building_import(struct region *region, const void *of, int argc, char **argv)
{
        struct import *im = calloc(1, sizeof(*im));
        int r = im != NULL ? 0 : -ENOMEM;

        if (r == 0 && (r = choices_read(&(struct choices){ .usage = "building import FILE", .words_wanted = 1 }, argc, argv,
                                        &im->path)) == 0) {
                im->region = region;
                if ((r = read_file(im)) == 0 && (r = write_all(im)) == 0)
                        printf("%zu buildings, stops of %zu rounds\n", im->places.count, im->rounds);
        }
        if (im != NULL) {
                for (size_t i = 0; i < im->rounds; i++)
                        free(im->stops[i]);
                free(im->known);
                free(im->entries);
                free(im->buildings);
                free(im->fields);
                places_free(&im->places);
        }
        free(im);
        return refused(r);
}
