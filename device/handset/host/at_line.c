#include "device/handset/host/at_line.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned number_of(const char *text)
{
        return (unsigned)strtoul(text, NULL, 10) & 0xffff;
}

static void read_ok(const char *value, struct at_line *line)
{
        line->kind = AT_LINE_OK;
}

static void read_error(const char *value, struct at_line *line)
{
        line->kind = AT_LINE_ERROR;
}

static void read_cme(const char *value, struct at_line *line)
{
        line->kind = AT_LINE_ERROR;
        line->cme = number_of(value);
}

static void read_cms(const char *value, struct at_line *line)
{
        line->kind = AT_LINE_ERROR;
        line->cms = number_of(value);
}

/* Registered at home, roaming, or for SMS alone at home or roaming: TS 27.007 7.2. */
static bool is_registered(unsigned stat)
{
        return stat == 1 || stat == 5 || stat == 6 || stat == 7;
}

/* "+CREG: n,stat" is an answer, "+CREG: stat" is news. */
static void read_network(const char *value, struct at_line *line)
{
        unsigned mode, stat;

        line->kind = AT_LINE_NETWORK;
        line->answer = sscanf(value, " %u , %u", &mode, &stat) == 2;
        line->yes = line->answer && is_registered(stat);
}

static void read_pin(const char *value, struct at_line *line)
{
        value += strspn(value, " ");
        line->kind = AT_LINE_PIN;
        line->yes = strcmp(value, "READY") == 0;
        line->locked = strstr(value, "PIN") != NULL || strstr(value, "PUK") != NULL;
}

/* +CMTI: "SM",3 */
static void read_news(const char *value, struct at_line *line)
{
        if (sscanf(value, " \"%7[A-Z]\" , %u", line->memory, &line->index) == 2)
                line->kind = AT_LINE_NEWS;
}

/* +CMGL: 3,0,,25 */
static void read_listed(const char *value, struct at_line *line)
{
        if (sscanf(value, " %u", &line->index) == 1)
                line->kind = AT_LINE_LISTED;
}

/* +CMGR: 0,,25 */
static void read_read(const char *value, struct at_line *line)
{
        line->kind = AT_LINE_READ;
}

static const struct {
        const char *head;
        void (*read)(const char *value, struct at_line *line);
        bool whole; /* nothing may follow */
} heads[] = {
        { "OK", read_ok, true },
        { "ERROR", read_error, true },
        { "+CME ERROR:", read_cme, false },
        { "+CMS ERROR:", read_cms, false },
        { "+CREG:", read_network, false },
        { "+CEREG:", read_network, false },
        { "+CPIN:", read_pin, false },
        { "+CMTI:", read_news, false },
        { "+CMGL:", read_listed, false },
        { "+CMGR:", read_read, false },
};

struct at_line at_line_read(const char *line)
{
        struct at_line read = { .kind = AT_LINE_OTHER };

        for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
                size_t n = strlen(heads[i].head);

                if (strncmp(line, heads[i].head, n) == 0 && (!heads[i].whole || line[n] == 0)) {
                        heads[i].read(line + n, &read);
                        return read;
                }
        }
        if (line[0] != 0 && line[strspn(line, "0123456789ABCDEFabcdef")] == 0)
                read.kind = AT_LINE_HEX;
        return read;
}
