/* places: buildings from a file that an operator has: CSV (RFC 4180; ',' or ';' between the fields, as spreadsheets write it) or
 * GeoJSON points (RFC 7946).  Takes text, opens no file.
 *
 *   id         16 hex digits, or what whoever made the file calls it (or `reference`): at most 64 octets; none: found again by name and
 *              address, or drawn by who imports
 *   name       needed, at most 64 octets        (or `nom`)
 *   address    at most 128 octets               (or `adresse`)
 *   lat, lon   WGS 84, both or none; of a GeoJSON its geometry, a Point or null
 *   sensitive  1/0, true/false, yes/no, oui/non; none: no
 *   qr, caretaker  likewise; none: yes: a pass for it may be shown as a QR, and that to a caretaker
 *   round      id of a round: the file's buildings of it are its stops, in this order
 *   team       of that round, where there is none with this id yet
 *
 * In CSV the first line names the columns, in any order; in GeoJSON they are properties (`id` may be the feature's).  Others are
 * ignored. */
#ifndef OPS_VIGIE_PLACES_H
#define OPS_VIGIE_PLACES_H

#include "wire/desk.h"

/* The largest text, and the buildings in one: a big town's street doors.  More: -EFBIG. */
#define PLACES_TEXT_MAX ((size_t)8 << 20)
#define PLACES_MAX      20000
/* Columns of a line.  More: -EBADMSG. */
#define PLACES_COLUMNS  64

struct place_read {
        char reference[NAME_MAX_OCTETS + 1]; /* its id as it stands there; "" none */
        bool has_id;                         /* it is 16 hex digits: the building's */
        uint8_t id[BUILDING_ID_SIZE];
        struct building_entry entry;
        char round[PERSON_ID_MAX + 1], team[PERSON_ID_MAX + 1];
        unsigned where; /* its line, or number of its feature, from 1 */
};

struct places {
        struct place_read *list;
        size_t count;
};

/* Why a text was refused: "line 3: lat '91': -90 to 90". */
struct places_error {
        char text[256];
};

/* places_read: the buildings of TEXT (LENGTH octets and a NUL behind them; changed while it is read): GeoJSON where it begins with
 * '{', else CSV.  Free with places_free, whatever this returns.
 * Returns 0, -EBADMSG, -EFBIG (a bound), -ENOMEM; ret_error says why. */
int places_read(char *text, size_t length, struct places *ret_places, struct places_error *ret_error);
void places_free(struct places *places);

#endif
