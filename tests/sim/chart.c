/* A run as a sequence chart: one column for each who takes part, one line for each thing that happens. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

#define WIDTH     12
#define LINES_MAX 20000 /* the last ones are kept */

struct line {
        int64_t at_ms;
        uint8_t from, to;
        char text[44];
};

struct chart {
        struct line lines[LINES_MAX];
        size_t count;
};

struct chart *chart_new(void)
{
        struct chart *chart = calloc(1, sizeof(*chart));

        assert(chart != NULL);
        return chart;
}

void chart_free(struct chart *chart)
{
        free(chart);
}

static void __attribute__((format(printf, 4, 0)))
add(struct sim *sim, unsigned from, unsigned to, const char *format, va_list args)
{
        struct line *line;

        if (sim->chart == NULL)
                return;
        line = &sim->chart->lines[sim->chart->count++ % LINES_MAX];
        line->at_ms = sim->now_ms - SIM_START_MS;
        line->from = (uint8_t)from;
        line->to = (uint8_t)to;
        vsnprintf(line->text, sizeof(line->text), format, args);
}

void chart_arrow(struct sim *sim, unsigned from, unsigned to, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        add(sim, from, to, format, args);
        va_end(args);
}

void chart_note(struct sim *sim, unsigned at, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        add(sim, at, at, format, args);
        va_end(args);
}

static const char *column_name(unsigned column)
{
        static const char *const names[] = { "d0", "d1", "a0", "a1", "store" };

        return column < CHART_PROCESS ? phone_name(column) : names[column - CHART_PROCESS];
}

/* One line: bars where somebody takes part, and the arrow or the note over them. */
static void print_line(const struct line *line, const unsigned *place, unsigned columns, FILE *to)
{
        char text[CHART_COLUMNS * WIDTH + 64];
        unsigned a = place[line->from] * WIDTH + 2, b = place[line->to] * WIDTH + 2, left = a < b ? a : b,
                 right = a < b ? b : a;
        size_t len = strlen(line->text);

        memset(text, ' ', sizeof(text));
        for (unsigned i = 0; i < columns; i++)
                text[i * WIDTH + 2] = '|';
        if (a == b) {
                memcpy(text + a + 2, line->text, len);
        } else {
                memset(text + left + 1, '-', right - left - 1);
                text[b < a ? left + 1 : right - 1] = b < a ? '<' : '>';
                if (len > right - left - 4)
                        len = right - left - 4;
                memcpy(text + left + 2 + (right - left - 3 - len) / 2, line->text, len);
        }
        for (len = sizeof(text); len > 0 && text[len - 1] == ' '; len--)
                ;
        fprintf(to, "%9.3f  %.*s\n", (double)line->at_ms / 1000, (int)len, text);
}

void chart_print(const struct chart *chart, size_t lines, FILE *to)
{
        size_t most = lines < LINES_MAX ? lines : LINES_MAX;
        size_t first = chart->count > most ? chart->count - most : 0;
        unsigned place[CHART_COLUMNS], columns = 0;
        bool used[CHART_COLUMNS] = { 0 };

        for (size_t i = first; i < chart->count; i++) {
                used[chart->lines[i % LINES_MAX].from] = true;
                used[chart->lines[i % LINES_MAX].to] = true;
        }
        fprintf(to, "%9s  ", "s");
        for (unsigned i = 0; i < CHART_COLUMNS; i++)
                if (used[i]) {
                        place[i] = columns++;
                        fprintf(to, "%-*s", WIDTH, column_name(i));
                }
        fputc('\n', to);
        for (size_t i = first; i < chart->count; i++)
                print_line(&chart->lines[i % LINES_MAX], place, columns, to);
}
