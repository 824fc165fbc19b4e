#include "dispatcher/names.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct names *names, const char *name)
{
        size_t i = 0;

        while (i < names->count && strcmp(names->list[i], name) != 0)
                i++;
        return i;
}

void names_add(struct names *names, const char *name)
{
        if (strlen(name) > NAME_MAX_OCTETS || find(names, name) < names->count)
                return;
        if (names->count == names->room) {
                name_text *more = realloc(names->list, (names->room * 2 + 16) * sizeof(more[0]));

                if (more == NULL)
                        return;
                names->list = more;
                names->room = names->room * 2 + 16;
        }
        strcpy(names->list[names->count++], name);
}

void names_remove(struct names *names, const char *name)
{
        size_t at = find(names, name);

        if (at < names->count && at != --names->count)
                memcpy(names->list[at], names->list[names->count], sizeof(names->list[at]));
}

bool names_hold(const struct names *names, const char *name)
{
        return find(names, name) < names->count;
}

void names_free(struct names *names)
{
        free(names->list);
        memset(names, 0, sizeof(*names));
}
