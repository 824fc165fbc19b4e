#include "base/redis_trouble.h"

#include <string.h>

static const struct {
        const char *error; /* it begins so */
        const char *word;
} causes[] = {
        { "OOM ", "store_full" },
        { "READONLY ", "store_readonly" },
        { "it is no primary", "store_readonly" }, /* base/redis.c */
        { "MISCONF ", "store_readonly" },         /* it cannot write its append-only file */
        { "MASTERDOWN ", "store_readonly" },      /* a replica of nobody */
        { "LOADING ", "store_loading" },
        { "NOREPLICAS ", "store_alone" },
        { "WRONGPASS ", "store_login" },
        { "NOAUTH ", "store_login" },
        { "NOPERM ", "store_rights" },
        { REDIS_OLDER, "store_older" },
};

const char *redis_trouble(const char *error)
{
        for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
                if (strncmp(error, causes[i].error, strlen(causes[i].error)) == 0)
                        return causes[i].word;
        return strstr(error, "user executing the script") != NULL ? "store_rights" : "store_away";
}
