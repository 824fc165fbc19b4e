#include "ops/vigie/places.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "geo/geojson.h"
#include "ops/vigie/roster_csv.h"

enum column { ID, NAME, ADDRESS, LAT, LON, SENSITIVE, QR, CARETAKER, ROUND, TEAM, COLUMNS };

/* As the pass desk's page takes them; the first is the one in messages. */
#define ALIASES 4
static const char *const names[COLUMNS][ALIASES] = { { "id", "ref", "reference", "référence" },
                                                     { "name", "nom", "immeuble", "building" },
                                                     { "address", "adresse" },
                                                     { "lat", "latitude" },
                                                     { "lon", "lng", "long", "longitude" },
                                                     { "sensitive", "sensible" },
                                                     { "qr" },
                                                     { "caretaker", "gardien" },
                                                     { "round", "tournee", "tournée" },
                                                     { "team", "equipe", "équipe" } };

struct reader {
        struct places *places;
        struct places_error *error;
        const char *unit; /* "line", "feature" */
        unsigned where;
        size_t room;
};

static int __attribute__((format(printf, 3, 4))) refuse(struct reader *r, int error, const char *format, ...)
{
        int n = snprintf(r->error->text, sizeof(r->error->text), "%s %u: ", r->unit, r->where);
        va_list args;

        va_start(args, format);
        vsnprintf(r->error->text + n, sizeof(r->error->text) - (size_t)n, format, args);
        va_end(args);
        return error;
}

/* ---- one building, from the texts of its columns; "" where there is none */

static int read_yes(struct reader *r, const char *const texts[COLUMNS], enum column column, bool otherwise)
{
        static const char *const yes[] = { "1", "true", "yes", "oui" }, *const no[] = { "0", "false", "no", "non" };
        const char *text = texts[column];

        if (text[0] == 0)
                return otherwise;
        for (size_t i = 0; i < 4; i++)
                if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0)
                        return strcasecmp(text, yes[i]) == 0;
        return refuse(r, -EBADMSG, "%s '%.40s': yes or no", names[column][0], text);
}

/* A comma before the decimals is a spreadsheet's. */
static int read_degrees(struct reader *r, const char *const texts[COLUMNS], enum column column, int32_t *ret_e7)
{
        double max = column == LAT ? 90 : 180, degrees;
        char text[64], *comma;

        snprintf(text, sizeof(text), "%s", texts[column]);
        comma = strchr(text, ',');
        if (comma != NULL)
                *comma = '.';
        if (strlen(texts[column]) >= sizeof(text) || number_read(text, &degrees) < 0 || fabs(degrees) > max)
                return refuse(r, -EBADMSG, "%s '%.40s': %.0f to %.0f", names[column][0], texts[column], -max, max);
        *ret_e7 = (int32_t)lround(degrees * 1e7);
        return 0;
}

static int read_text(struct reader *r, const char *text, enum column column, char *to, size_t size)
{
        size_t len = strlen(text);

        if (len >= size)
                return refuse(r, -EBADMSG, "%s: %zu octets; at most %zu", names[column][0], len, size - 1);
        if (!utf8_is_valid(text, len))
                return refuse(r, -EBADMSG, "%s: not UTF-8", names[column][0]);
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
                        return refuse(r, -EBADMSG, "%s: a control character in it", names[column][0]);
        memcpy(to, text, len + 1);
        return 0;
}

static int read_flags(struct reader *r, const char *const texts[COLUMNS], struct building_entry *e)
{
        int sensitive = read_yes(r, texts, SENSITIVE, false), qr = read_yes(r, texts, QR, true),
            caretaker = read_yes(r, texts, CARETAKER, true);

        if (sensitive < 0 || qr < 0 || caretaker < 0)
                return -EBADMSG;
        e->flags = sensitive ? BUILDING_SENSITIVE : 0;
        e->policy = qr ? PASS_ONE_WAY | (caretaker ? PASS_CARETAKER : 0) : 0;
        return 0;
}

static int read_place(struct reader *r, const char *const texts[COLUMNS], struct place_read *p)
{
        int n;

        p->where = r->where;
        p->has_id = hex_decode(texts[ID], p->id, sizeof(p->id)) == 0;
        if (texts[NAME][0] == 0)
                return refuse(r, -EBADMSG, "no name");
        if ((n = read_text(r, texts[ID], ID, p->reference, sizeof(p->reference))) < 0 ||
            (n = read_text(r, texts[NAME], NAME, p->entry.name, sizeof(p->entry.name))) < 0 ||
            (n = read_text(r, texts[ADDRESS], ADDRESS, p->entry.address, sizeof(p->entry.address))) < 0 ||
            (n = read_flags(r, texts, &p->entry)) < 0)
                return n;
        if (texts[ROUND][0] != 0 && !person_id_valid(texts[ROUND]))
                return refuse(r, -EBADMSG, "round '%.40s': not the id of a round", texts[ROUND]);
        strcpy(p->round, texts[ROUND]);
        if ((n = read_text(r, texts[TEAM], TEAM, p->team, sizeof(p->team))) < 0)
                return n;
        if ((texts[LAT][0] == 0) != (texts[LON][0] == 0))
                return refuse(r, -EBADMSG, "lat and lon: both, or none");
        p->entry.has_place = texts[LAT][0] != 0;
        if (!p->entry.has_place)
                return 0;
        n = read_degrees(r, texts, LAT, &p->entry.place.lat_e7);
        return n < 0 ? n : read_degrees(r, texts, LON, &p->entry.place.lon_e7);
}

static int add(struct reader *r, const char *const texts[COLUMNS])
{
        struct places *to = r->places;
        struct place_read *more, *p;
        int n;

        if (to->count == PLACES_MAX)
                return refuse(r, -EFBIG, "more than %d buildings", PLACES_MAX);
        if (to->count == r->room) {
                r->room = r->room == 0 ? 64 : 2 * r->room;
                more = realloc(to->list, r->room * sizeof(*more));
                if (more == NULL)
                        return refuse(r, -ENOMEM, "no memory");
                to->list = more;
        }
        p = &to->list[to->count];
        memset(p, 0, sizeof(*p));
        n = read_place(r, texts, p);
        for (size_t i = 0; n == 0 && p->reference[0] != 0 && i < to->count; i++)
                if (strcasecmp(to->list[i].reference, p->reference) == 0)
                        n = refuse(r, -EBADMSG, "id %s is that of %s %u", texts[ID], r->unit, to->list[i].where);
        to->count += n == 0;
        return n;
}

/* ---- CSV */

struct csv {
        struct reader r;
        char *next;
        char separator;
        unsigned lines; /* ends of lines passed */
        char *fields[PLACES_COLUMNS];
        size_t count;
};

/* A field: where it begins and ends, and what stands behind it: a separator, a line's end, or the text's. */
struct field {
        char *from, *end, *stop;
};

/* Blanks around one without quotes are not part of it. */
static struct field plain(const struct csv *c)
{
        const char stops[] = { c->separator, '\n', 0 };
        struct field f = { .from = c->next + strspn(c->next, " \t"), .stop = c->next + strcspn(c->next, stops) };

        for (f.end = f.stop; f.end > f.from && strchr(" \t\r", f.end[-1]) != NULL;)
                f.end--;
        return f;
}

/* Quotes are undoubled in place.  `stop` NULL: not closed, or something behind it. */
static struct field quoted(struct csv *c)
{
        struct field f = { .from = c->next + 1, .end = c->next + 1 };
        char *at = f.from;

        for (; *at != 0; at++) {
                if (*at == '"' && *++at != '"')
                        break;
                c->lines += *at == '\n';
                *f.end++ = *at;
        }
        if (at == f.from || at[-1] != '"')
                return f;
        if (*at == '\r' && (at[1] == '\n' || at[1] == 0))
                at++;
        if (*at == 0 || *at == '\n' || *at == c->separator)
                f.stop = at;
        return f;
}

/* The next line that is not empty.  Returns 1, 0 at the end, -EBADMSG. */
static int next_line(struct csv *c)
{
        struct field f;
        char ended;

        do {
                if (*c->next == 0)
                        return 0;
                c->r.where = c->lines + 1;
                c->count = 0;
                do {
                        if (c->count == PLACES_COLUMNS)
                                return refuse(&c->r, -EBADMSG, "more than %d columns", PLACES_COLUMNS);
                        f = *c->next == '"' ? quoted(c) : plain(c);
                        if (f.stop == NULL)
                                return refuse(&c->r, -EBADMSG, "a quote that is not closed, or something behind it");
                        c->fields[c->count++] = f.from;
                        ended = *f.stop;
                        c->next = f.stop + (ended != 0);
                        *f.end = 0;
                } while (ended == c->separator);
                c->lines++;
        } while (c->count == 1 && c->fields[0][0] == 0);
        return 1;
}

static int column_of(const char *name)
{
        for (int i = 0; i < COLUMNS; i++)
                for (int j = 0; j < ALIASES && names[i][j] != NULL; j++)
                        if (strcasecmp(name, names[i][j]) == 0)
                                return i;
        return COLUMNS;
}

static int read_csv(struct csv *c)
{
        const char *texts[COLUMNS + 1];
        int of[PLACES_COLUMNS], n;
        bool seen[COLUMNS + 1] = { false };
        size_t columns;

        c->separator = strcspn(c->next, ";") < strcspn(c->next, ",\n") ? ';' : ',';
        if ((n = next_line(c)) <= 0)
                return n < 0 ? n : refuse(&c->r, -EBADMSG, "no line that names the columns");
        columns = c->count;
        for (size_t i = 0; i < columns; i++) {
                of[i] = column_of(c->fields[i]);
                if (of[i] != COLUMNS && seen[of[i]])
                        return refuse(&c->r, -EBADMSG, "two columns %s", names[of[i]][0]);
                seen[of[i]] = true;
        }
        if (!seen[NAME])
                return refuse(&c->r, -EBADMSG, "no column `name`");
        while ((n = next_line(c)) == 1) {
                if (c->count != columns)
                        return refuse(&c->r, -EBADMSG, "%zu fields; the first line has %zu", c->count, columns);
                for (int i = 0; i < COLUMNS; i++)
                        texts[i] = "";
                for (size_t i = 0; i < columns; i++)
                        texts[of[i]] = c->fields[i];
                if ((n = add(&c->r, texts)) < 0)
                        return n;
        }
        return n;
}

/* ---- GeoJSON */

/* A property as a CSV would have it.  Returns false where it is an object or array, or too long. */
static bool to_text(const json_t *value, char *to, size_t size)
{
        int n = 0;

        to[0] = 0;
        if (json_is_string(value))
                n = snprintf(to, size, "%s", json_string_value(value));
        else if (json_is_boolean(value))
                n = snprintf(to, size, "%d", json_is_true(value));
        else if (json_is_integer(value))
                n = snprintf(to, size, "%lld", (long long)json_integer_value(value));
        else if (json_is_real(value))
                n = snprintf(to, size, "%.10g", json_real_value(value));
        else if (value != NULL && !json_is_null(value))
                return false;
        return n >= 0 && (size_t)n < size;
}

static int read_geometry(struct reader *r, const json_t *feature, char lat[64], char lon[64])
{
        const json_t *geometry = json_object_get(feature, "geometry"), *at = json_object_get(geometry, "coordinates");
        const char *type = json_string_value(json_object_get(geometry, "type"));

        if (geometry == NULL || json_is_null(geometry))
                return 0;
        if (type == NULL || strcmp(type, "Point") != 0 || json_array_size(at) < 2 ||
            !json_is_number(json_array_get(at, 0)) || !json_is_number(json_array_get(at, 1)))
                return refuse(r, -EBADMSG, "a building is a Point, longitude first");
        snprintf(lon, 64, "%.10g", json_number_value(json_array_get(at, 0)));
        snprintf(lat, 64, "%.10g", json_number_value(json_array_get(at, 1)));
        return 0;
}

static int read_feature(struct reader *r, const json_t *feature)
{
        char texts[COLUMNS][512];
        const char *pointers[COLUMNS];
        const json_t *properties = json_object_get(feature, "properties");
        const json_t *value;
        int n;

        for (int i = 0; i < COLUMNS; i++) {
                pointers[i] = texts[i];
                value = NULL;
                for (int j = 0; j < ALIASES && names[i][j] != NULL && value == NULL; j++)
                        value = json_object_get(properties, names[i][j]);
                if (value == NULL && i == ID)
                        value = json_object_get(feature, "id");
                if (!to_text(value, texts[i], sizeof(texts[i])))
                        return refuse(r, -EBADMSG, "%s: too long, or neither text nor number", names[i][0]);
        }
        n = read_geometry(r, feature, texts[LAT], texts[LON]);
        return n < 0 ? n : add(r, pointers);
}

static int read_geojson(struct reader *r, const char *text, size_t len)
{
        json_error_t error;
        json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error), *features, *feature;
        size_t i;
        int n = 0;

        r->unit = "feature";
        features = json_object_get(root, "features");
        if (root == NULL)
                n = (snprintf(r->error->text, sizeof(r->error->text), "line %d: %s", error.line, error.text), -EBADMSG);
        else if (!json_is_array(features))
                n = refuse(r, -EBADMSG, "no FeatureCollection");
        else
                json_array_foreach(features, i, feature)
                {
                        r->where = (unsigned)i + 1;
                        if ((n = read_feature(r, feature)) < 0)
                                break;
                }
        json_decref(root);
        return n;
}

int places_read(char *text, size_t length, struct places *ret_places, struct places_error *ret_error)
{
        struct csv csv = { .r = { .places = ret_places, .error = ret_error, .unit = "line" } };

        memset(ret_places, 0, sizeof(*ret_places));
        csv.r.where = 1;
        if (length > PLACES_TEXT_MAX)
                return refuse(&csv.r, -EFBIG, "over %zu octets", PLACES_TEXT_MAX);
        if (strlen(text) != length)
                return refuse(&csv.r, -EBADMSG, "a NUL in the text");
        if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                length -= 3;
        }
        if (text[strspn(text, " \t\r\n")] == '{')
                return read_geojson(&csv.r, text, length);
        csv.next = text;
        return read_csv(&csv);
}

void places_free(struct places *places)
{
        free(places->list);
        memset(places, 0, sizeof(*places));
}
