#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "ops/vigie/command.h"
#include "wire/people.h"

static int tell_usage(const struct choices *choices)
{
        fprintf(stderr, "usage: vigie %s\n", choices->usage);
        for (size_t i = 0; i < choices->count; i++)
                fprintf(stderr, "  --%s%-*s %s\n", choices->list[i].name, (int)(16 - strlen(choices->list[i].name)),
                        choices->list[i].flag != NULL ? "" : " ...", choices->list[i].help);
        return -EINVAL;
}

int choices_read(const struct choices *choices, int argc, char **argv, const char **words)
{
        struct option options[CHOICES_MAX + 1] = { 0 };
        int found = 0, at;

        for (size_t i = 0; i < choices->count; i++)
                options[i] = (struct option){ .name = choices->list[i].name,
                                              .has_arg = choices->list[i].flag != NULL ? no_argument : required_argument };
        optind = 0;
        while ((at = -1, found = getopt_long(argc, argv, "", options, &at)) != -1) {
                if (found == '?' || at < 0)
                        return tell_usage(choices);
                if (choices->list[at].flag != NULL)
                        *choices->list[at].flag = true;
                else
                        *choices->list[at].text = optarg;
        }
        if (argc - optind != choices->words_wanted)
                return tell_usage(choices);
        for (int i = 0; i < choices->words_wanted; i++)
                words[i] = argv[optind + i];
        return 0;
}

int text_fit(const char *what, const char *text, char *to, size_t size)
{
        size_t len = text != NULL ? strlen(text) : 0;

        if (len >= size || !utf8_is_valid(text != NULL ? text : "", len)) {
                fprintf(stderr, "vigie: %s: UTF-8 text of at most %zu octets, this has %zu or is not UTF-8\n", what, size - 1, len);
                return -EINVAL;
        }
        memcpy(to, text != NULL ? text : "", len + 1);
        return 0;
}

int id_check(const char *what, const char *id, bool optional)
{
        if ((optional && (id == NULL || id[0] == 0)) || (id != NULL && person_id_valid(id)))
                return 0;
        fprintf(stderr, "vigie: %s '%s': 1 to %d letters, digits, '.', '_' or '-'\n", what, id != NULL ? id : "", PERSON_ID_MAX);
        return -EINVAL;
}
