/* The Lua scripts, part of the program: their text stands in dispatcher/NAME.lua and is built in. */
#ifndef DISPATCHER_SCRIPT_H
#define DISPATCHER_SCRIPT_H

#include "base/redis.h"

struct scripts {
        struct redis_script commit; /* commit.lua */
        struct redis_script fact;   /* fact.lua */
        struct redis_script look;   /* look.lua */
        struct redis_script change; /* change.lua */
        struct redis_script opened; /* opened.lua */
};

/* scripts_init: compute their SHA-1.  Returns 0, -ENOMEM. */
int scripts_init(struct scripts *ret_scripts);

#endif
