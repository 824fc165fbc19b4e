/* A roster from CSV text (RFC 4180), for dry runs.  Takes text, opens no file. */
#ifndef OPS_VIGIE_ROSTER_CSV_H
#define OPS_VIGIE_ROSTER_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "geo/roster.h"

/* The largest text read: ROSTER_MAX lines of 200 octets. */
#define ROSTER_CSV_MAX     ((size_t)4 << 20)
/* Columns of a line.  One more is refused. */
#define ROSTER_CSV_COLUMNS 64

/* Why a text was refused: "line 3: on_duty is none of 0, 1, true, false". */
struct csv_error {
        char text[200];
};

/* roster_csv_read: the supervisors of TEXT (LENGTH octets, and a NUL after them; changed while it is read) into ROSTER,
 * which is empty.  The first line names the columns, in any order; others are ignored.  Fields may be quoted, lines end
 * in LF or CRLF, empty ones are skipped, a leading byte order mark too.
 *   id         person id, not twice
 *   lat, lon   degrees; both empty: no fix
 *   fix_age_s  0 or more; empty: no fix
 *   on_duty, busy  0, 1, true or false
 *   team       optional; empty: none
 *   reachable  optional, 0, 1, true or false; empty: reachable.  So whether a `phone` is there changes nothing
 * NOW_MS is the time of which the ages are told.
 * Returns 0, -EBADMSG with ret_error written (line, from 1, and rule; the roster then holds the lines before). */
int roster_csv_read(char *text, size_t length, int64_t now_ms, struct roster *roster, struct csv_error *ret_error);

/* number_read: a decimal number that is all of TEXT but blanks around it: no NaN, no infinity, no hexadecimal.
 * Returns 0, -EINVAL. */
int number_read(const char *text, double *ret_number);

#endif
