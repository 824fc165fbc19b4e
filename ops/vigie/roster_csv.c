#include "ops/vigie/roster_csv.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The columns that mean something; those up to BUSY must be there. */
enum column { ID, LAT, LON, FIX_AGE_S, ON_DUTY, BUSY, TEAM, REACHABLE, COLUMNS };

static const char *const column_names[COLUMNS] = { "id",      "lat",  "lon",  "fix_age_s",
                                                   "on_duty", "busy", "team", "reachable" };

/* Ages over a hundred years are no ages. */
#define AGE_MAX_S 3.2e9

struct reader {
        char *next, *end;
        unsigned line, lines_read; /* where the row being read begins; line ends passed */
        char *fields[ROSTER_CSV_COLUMNS];
        size_t field_count;
        int at[COLUMNS]; /* which field is that column; -1 none */
        int64_t now_ms;
        struct roster *roster;
        unsigned *lines; /* the line of each in the roster */
        struct csv_error *error;
};

static int refuse(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct reader *r, const char *format, ...)
{
        int length = snprintf(r->error->text, sizeof(r->error->text), "line %u: ", r->line);
        va_list args;

        va_start(args, format);
        vsnprintf(r->error->text + length, sizeof(r->error->text) - (size_t)length, format, args);
        va_end(args);
        return -EBADMSG;
}

/* ---- CSV ---- */

static char *without_blanks(char *field)
{
        size_t length;

        field += strspn(field, " \t");
        length = strlen(field);
        while (length > 0 && strchr(" \t", field[length - 1]) != NULL)
                length--;
        field[length] = '\0';
        return field;
}

/* A quoted field from after its first quote: quotes undoubled in place.  Leaves next after the last quote. */
static int read_quoted(struct reader *r, char **ret_field)
{
        char *to = r->next;

        *ret_field = to;
        for (;; r->next++) {
                if (r->next == r->end)
                        return refuse(r, "a quote is not closed");
                r->lines_read += *r->next == '\n';
                if (*r->next == '"' && *++r->next != '"')
                        break;
                *to++ = *r->next;
        }
        if (r->next < r->end && strchr(",\r\n", *r->next) == NULL)
                return refuse(r, "something follows a closed quote");
        *to = '\0'; /* on the last quote or before it */
        return 0;
}

/* The next field; ret_last says whether it ends the row. */
static int read_field(struct reader *r, char **ret_field, bool *ret_last)
{
        bool quoted = *r->next == '"';
        char *stop;
        int result;

        if (quoted) {
                r->next++;
                result = read_quoted(r, ret_field);
                if (result < 0)
                        return result;
                stop = r->next;
        } else {
                *ret_field = r->next;
                stop = r->next + strcspn(r->next, ",\n");
        }
        *ret_last = *stop != ',';
        r->next = stop < r->end ? stop + 1 : stop;
        if (quoted && *stop == '\r' && stop[1] == '\n')
                r->next = stop + 2;
        r->lines_read += *ret_last;
        if (!quoted && *ret_last && stop > *ret_field && stop[-1] == '\r')
                stop--;
        if (!quoted) {
                *stop = '\0';
                *ret_field = without_blanks(*ret_field);
        }
        return 0;
}

/* The next row that is not empty.  Returns 1, 0 at the end, -EBADMSG. */
static int read_row(struct reader *r)
{
        bool last;
        int result;

        do {
                if (r->next == r->end)
                        return 0;
                r->line = r->lines_read + 1;
                r->field_count = 0;
                do {
                        if (r->field_count == ROSTER_CSV_COLUMNS)
                                return refuse(r, "more than %d columns", ROSTER_CSV_COLUMNS);
                        result = read_field(r, &r->fields[r->field_count++], &last);
                        if (result < 0)
                                return result;
                } while (!last);
        } while (r->field_count == 1 && r->fields[0][0] == '\0');
        return 1;
}

/* ---- supervisors ---- */

static int read_header(struct reader *r)
{
        int result = read_row(r);

        if (result <= 0)
                return result < 0 ? result : refuse(r, "no line that names the columns");
        for (int c = 0; c < COLUMNS; c++) {
                r->at[c] = -1;
                for (size_t i = 0; i < r->field_count; i++) {
                        if (strcmp(r->fields[i], column_names[c]) != 0)
                                continue;
                        if (r->at[c] >= 0)
                                return refuse(r, "two columns %s", column_names[c]);
                        r->at[c] = (int)i;
                }
                if (r->at[c] < 0 && c <= BUSY)
                        return refuse(r, "no column %s", column_names[c]);
        }
        return 0;
}

int number_read(const char *text, double *ret_number)
{
        char *end;
        double number;

        text += strspn(text, " \t");
        if (*text == '\0' || text[strspn(text, "+-.0123456789eE \t")] != '\0')
                return -EINVAL;
        number = strtod(text, &end);
        if (end == text || end[strspn(end, " \t")] != '\0' || !isfinite(number))
                return -EINVAL;
        *ret_number = number;
        return 0;
}

static const char *field(const struct reader *r, enum column column)
{
        return r->at[column] >= 0 ? r->fields[r->at[column]] : "";
}

static int read_number(struct reader *r, enum column column, double min, double max, double *ret_number)
{
        if (number_read(field(r, column), ret_number) < 0 || *ret_number < min || *ret_number > max)
                return refuse(r, "%s is no number of %.10g to %.10g", column_names[column], min, max);
        return 0;
}

static int read_bool(struct reader *r, enum column column, bool *ret_value)
{
        const char *text = field(r, column);

        *ret_value = strcmp(text, "1") == 0 || strcasecmp(text, "true") == 0;
        if (!*ret_value && strcmp(text, "0") != 0 && strcasecmp(text, "false") != 0)
                return refuse(r, "%s is none of 0, 1, true, false", column_names[column]);
        return 0;
}

static int read_fix(struct reader *r, struct supervisor *s)
{
        double age_s;
        int result;

        if (field(r, LAT)[0] == '\0' && field(r, LON)[0] == '\0')
                return 0;
        if ((result = read_number(r, LAT, -90, 90, &s->fix.lat_deg)) < 0 ||
            (result = read_number(r, LON, -180, 180, &s->fix.lon_deg)) < 0)
                return result;
        if (field(r, FIX_AGE_S)[0] == '\0')
                return 0;
        result = read_number(r, FIX_AGE_S, 0, AGE_MAX_S, &age_s);
        if (result < 0)
                return result;
        s->fix_at_ms = r->now_ms - (int64_t)ceil(age_s * 1000);
        s->has_fix = true;
        return 0;
}

static int read_supervisor(struct reader *r, struct supervisor *s)
{
        bool busy = false, reachable = true;
        int result;

        if (!person_id_is_valid(field(r, ID)))
                return refuse(r, "id is not 1 to %d visible ASCII characters", PERSON_ID_MAX);
        strcpy(s->id, field(r, ID));
        if (field(r, TEAM)[0] != '\0' && !team_is_valid(field(r, TEAM)))
                return refuse(r, "team is not at most %d octets of text", TEAM_MAX);
        strcpy(s->team, field(r, TEAM));
        if ((result = read_fix(r, s)) < 0 || (result = read_bool(r, ON_DUTY, &s->on_duty)) < 0 ||
            (result = read_bool(r, BUSY, &busy)) < 0)
                return result;
        if (field(r, REACHABLE)[0] != '\0' && (result = read_bool(r, REACHABLE, &reachable)) < 0)
                return result;
        s->busy_count = busy;
        s->handset_until_ms = reachable ? r->now_ms + PRESENCE_LEASE_MS : 0;
        return 0;
}

static int read_rows(struct reader *r)
{
        size_t columns = r->field_count;
        int result;

        while ((result = read_row(r)) > 0) {
                struct supervisor s = { 0 };
                const struct supervisor *same;

                if (r->field_count != columns)
                        return refuse(r, "%zu fields, and %zu columns", r->field_count, columns);
                result = read_supervisor(r, &s);
                if (result < 0)
                        return result;
                same = roster_find(r->roster, s.id);
                if (same != NULL)
                        return refuse(r, "id %s is already that of line %u", s.id,
                                      r->lines[same - roster_get(r->roster, 0)]);
                if (roster_put(r->roster, &s) < 0)
                        return refuse(r, "more than %d supervisors", ROSTER_MAX);
                r->lines[roster_count(r->roster) - 1] = r->line;
        }
        return result;
}

int roster_csv_read(char *text, size_t length, int64_t now_ms, struct roster *roster, struct csv_error *ret_error)
{
        struct reader r = {
                .next = text, .end = text + length, .line = 1, .now_ms = now_ms, .roster = roster, .error = ret_error
        };
        int result;

        if (strlen(text) != length)
                return refuse(&r, "a NUL in the text");
        if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
                r.next += 3;
        r.lines = calloc(ROSTER_MAX, sizeof(*r.lines));
        if (r.lines == NULL)
                return refuse(&r, "out of memory");
        result = read_header(&r);
        if (result == 0)
                result = read_rows(&r);
        free(r.lines);
        return result;
}
