/* vigie building import: a file of buildings and of the rounds that stop at them, all of it or nothing. */
#include <errno.h>
#include <openssl/evp.h>
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
        uint8_t *owned[PLACES_MAX]; /* what else entries point to */
        size_t owned_count;
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

/* As the desk's page makes it (console/PROTOCOL.md 7.6): the same file again, there or here, is the same buildings. */
static int id_of_reference(const struct import *im, struct place_read *p)
{
        char text[REGION_NAME_MAX + 1 + sizeof(p->reference)];
        uint8_t hash[EVP_MAX_MD_SIZE];
        int len = snprintf(text, sizeof(text), "%s/%s", im->region->config.name, p->reference);

        if (EVP_Digest(text, (size_t)len, hash, NULL, EVP_sha256(), NULL) != 1)
                return -EIO;
        memcpy(p->id, hash, sizeof(p->id));
        return 0;
}

static int give_id(struct import *im, struct place_read *p)
{
        struct known key, *same;

        if (p->has_id)
                return 0;
        if (p->reference[0] != 0)
                return id_of_reference(im, p);
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
        uint8_t *data = malloc(DESK_LONG_MAX);
        int r = e != NULL && data != NULL ? 0 : -ENOMEM;

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
                im->owned[im->owned_count++] = data;
                im->rounds++;
                data = NULL;
        }
        free(data);
        free(e);
        return r < 0 ? r : 0;
}

/* A round that nobody added yet is called what the file calls it. */
static int put_new_round(struct import *im, const char *id)
{
        struct round_entry e = { .name = "" };
        uint8_t one[PEOPLE_MAX], *data;
        int r = region_people_get(im->region, "rounds", id, one, sizeof(one));

        if (r != -ENOENT)
                return r < 0 ? r : 0;
        strcpy(e.name, id);
        for (size_t i = 0; i < im->places.count && e.team[0] == 0; i++)
                if (strcmp(im->places.list[i].round, id) == 0)
                        strcpy(e.team, im->places.list[i].team);
        data = malloc(PEOPLE_MAX);
        if (data == NULL || (r = round_entry_encode(&e, data, PEOPLE_MAX)) < 0) {
                free(data);
                return data == NULL ? -ENOMEM : r;
        }
        im->owned[im->owned_count++] = data;
        im->entries[im->count++] = (struct region_entry){ "rounds", id, data, (size_t)r };
        return 0;
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
        im->entries = calloc(3 * count + 1, sizeof(*im->entries));
        im->buildings = calloc(count + 1, sizeof(*im->buildings));
        im->fields = calloc(count + 1, sizeof(*im->fields));
        r = im->entries != NULL && im->buildings != NULL && im->fields != NULL ? 0 : -ENOMEM;
        for (size_t i = 0; r == 0 && i < count; i++)
                r = put_building(im, i);
        for (size_t i = 0; r == 0 && i < count; i++)
                if (is_first_of_its_round(im, i))
                        r = im->owned_count < PLACES_MAX / 2 ? put_round(im, i) : -E2BIG;
        for (size_t i = 0; r == 0 && i < im->rounds; i++)
                r = put_new_round(im, im->entries[count + i].field);
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

        if (r == 0 && (r = choices_read(&(struct choices){ .usage = "building import FILE", .words_wanted = 1 }, argc,
                                        argv, &im->path)) == 0) {
                im->region = region;
                if ((r = read_file(im)) == 0 && (r = write_all(im)) == 0)
                        printf("%zu buildings, stops of %zu rounds\n", im->places.count, im->rounds);
        }
        if (im != NULL) {
                for (size_t i = 0; i < im->owned_count; i++)
                        free(im->owned[i]);
                free(im->known);
                free(im->entries);
                free(im->buildings);
                free(im->fields);
                places_free(&im->places);
        }
        free(im);
        return refused(r);
}
