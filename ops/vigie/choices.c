#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/redis_address.h"
#include "base/utf8.h"
#include "geo/name.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "wire/people.h"

/* ---- options and words */

static int tell_usage(const struct choices *choices, FILE *out)
{
        fprintf(out, "usage: vigie %s\n", choices->usage);
        for (size_t i = 0; i < choices->count; i++)
                fprintf(out, "  --%-14s %s %s\n", choices->list[i].name, choices->list[i].flag != NULL ? "   " : "...",
                        choices->list[i].help);
        return -EINVAL;
}

int choices_read(const struct choices *choices, int argc, char **argv, const char **words)
{
        struct option options[CHOICES_MAX + 2] = { { .name = "help" } };
        int found, at;

        for (size_t i = 0; i < choices->count; i++)
                options[i + 1] =
                        (struct option){ .name = choices->list[i].name,
                                         .has_arg = choices->list[i].flag != NULL ? no_argument : required_argument };
        optind = 0;
        opterr = 0;
        while ((at = -1, found = getopt_long(argc, argv, "", options, &at)) != -1) {
                if (found == '?' || at < 0) {
                        say_wrong("%s: no such option, or its value is missing", argv[optind - 1]);
                        return tell_usage(choices, stderr);
                }
                if (at == 0)
                        return tell_usage(choices, stdout);
                if (choices->list[at - 1].flag != NULL)
                        *choices->list[at - 1].flag = true;
                else
                        *choices->list[at - 1].text = optarg;
        }
        if (argc - optind != choices->words_wanted)
                return tell_usage(choices, stderr);
        for (int i = 0; i < choices->words_wanted; i++)
                words[i] = argv[optind + i];
        return 0;
}

int verbs_main(const struct verb *verbs, struct region *region, int argc, char **argv)
{
        const char *asked = argc > 1 ? argv[1] : "";
        FILE *out = strcmp(asked, "--help") == 0 ? stdout : stderr;

        for (const struct verb *verb = verbs; verb->name != NULL; verb++)
                if (strcmp(verb->name, asked) == 0)
                        return verb->run(region, verb->of, argc - 1, argv + 1);
        for (const struct verb *verb = verbs; verb->name != NULL; verb++)
                fprintf(out, "%s vigie %s %s%s%s\n", verb == verbs ? "usage:" : "      ", argv[0], verb->name,
                        verb->words[0] != '\0' ? " " : "", verb->words);
        return EXIT_USAGE;
}

int refused(int r)
{
        return r >= 0 ? EXIT_DONE : r == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
}

/* ---- values */

int text_fit(const char *what, const char *text, char *to, size_t size)
{
        size_t len = text != NULL ? strlen(text) : 0;

        if (len >= size)
                return say_wrong("%s '%s': %zu octets; at most %zu", what, text, len, size - 1);
        if (len > 0 && !utf8_is_valid(text, len))
                return say_wrong("%s '%s': not UTF-8", what, text);
        memcpy(to, text != NULL ? text : "", len + 1);
        return 0;
}

int id_fit(const char *what, const char *id, bool optional, char *to)
{
        bool none = id == NULL || id[0] == 0;

        if (!(none ? optional : person_id_valid(id)))
                return say_wrong("%s '%s': 1 to %d letters, digits, '.', '_' or '-'", what, none ? "" : id,
                                 PERSON_ID_MAX);
        return text_fit(what, id, to, PERSON_ID_MAX + 1);
}

int team_fit(const char *what, const char *team, char *to)
{
        if (team != NULL && team[0] != 0 && !team_is_valid(team))
                return say_wrong("%s '%s': 1 to %d octets without control characters", what, team, TEAM_MAX);
        return text_fit(what, team, to, PERSON_ID_MAX + 1);
}

int number_fit(const char *number, char *to)
{
        if (number != NULL && number[0] != 0 && !number_valid(number))
                return say_wrong("number '%s': '+' and 6 to 15 digits (E.164)", number);
        return text_fit("number", number, to, NUMBER_MAX + 1);
}

int whole_number(const char *what, const char *text, const struct bounds *bounds, long *ret_number)
{
        char *end;
        long number;

        errno = 0;
        number = strtol(text, &end, 10);
        if (errno != 0 || end == text || *end != 0 || number < bounds->min || number > bounds->max)
                return say_wrong("%s '%s': a whole number, %ld to %ld", what, text, bounds->min, bounds->max);
        *ret_number = number;
        return 0;
}

int address_split(const char *what, const char *address, char host[ADDRESS_HOST_SIZE])
{
        const char *colon = strrchr(address, ':'), *from = address;
        size_t len = colon != NULL ? (size_t)(colon - address) : 0;
        char *end = NULL;
        long port = colon != NULL && colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : 0;

        if (len > 2 && from[0] == '[' && from[len - 1] == ']') {
                from++;
                len -= 2;
        }
        if (len == 0 || len >= ADDRESS_HOST_SIZE || strspn(from, HOST_CHARACTERS ":") < len || port < 1 ||
            port > 65535 || *end != 0)
                return say_wrong("%s '%s': not HOST:PORT, port 1 to 65535", what, address);
        memcpy(host, from, len);
        host[len] = 0;
        return (int)port;
}

int redis_address_check(const char *what, const char *address)
{
        struct redis_address any;
        char host[ADDRESS_HOST_SIZE];
        int r = 0;

        if (address[0] != '/' && strlen(address) > REGION_ADDRESS_MAX)
                r = say_wrong("%s '%s': at most %d octets", what, address, REGION_ADDRESS_MAX);
        else if (strncmp(address, "sentinel:", 9) == 0 && redis_address_parse(address, &any) < 0)
                r = say_wrong("%s '%s': not sentinel:NAME@HOST:PORT,HOST:PORT,...", what, address);
        else if (address[0] != '/' && strncmp(address, "sentinel:", 9) != 0)
                r = address_split(what, address, host);
        else if (strlen(address) > SOCKET_PATH_MAX && address[0] == '/')
                r = say_wrong("%s '%s': a unix socket's name has at most %d octets", what, address, SOCKET_PATH_MAX);
        return r < 0 ? r : 0;
}
