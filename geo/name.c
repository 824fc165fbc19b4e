#include "geo/name.h"

#include <string.h>

bool person_id_is_valid(const char *id)
{
        size_t length = id != NULL ? strnlen(id, PERSON_ID_MAX + 1) : 0;

        for (size_t i = 0; i < length; i++)
                if (id[i] < '!' || id[i] > '~')
                        return false;
        return length >= 1 && length <= PERSON_ID_MAX;
}

bool team_is_valid(const char *team)
{
        size_t length = team != NULL ? strnlen(team, TEAM_MAX + 1) : 0;

        for (size_t i = 0; i < length; i++)
                if ((unsigned char)team[i] < ' ' || team[i] == 0x7f)
                        return false;
        return length >= 1 && length <= TEAM_MAX;
}

uint64_t name_hash(const char *name)
{
        uint64_t hash = 0xcbf29ce484222325;

        for (; *name != '\0'; name++)
                hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
        return hash;
}
