#include "dispatcher/script.h"

/* Made from the .lua files by the Makefile: each line a C string. */
static const char commit_lua[] =
#include "dispatcher/commit.lua.h"
        ;
static const char fact_lua[] =
#include "dispatcher/fact.lua.h"
        ;
static const char look_lua[] =
#include "dispatcher/look.lua.h"
        ;
static const char change_lua[] =
#include "dispatcher/change.lua.h"
        ;
static const char opened_lua[] =
#include "dispatcher/opened.lua.h"
        ;

int scripts_init(struct scripts *ret_scripts)
{
        int r = redis_script_init(&ret_scripts->commit, commit_lua);

        if (r == 0)
                r = redis_script_init(&ret_scripts->fact, fact_lua);
        if (r == 0)
                r = redis_script_init(&ret_scripts->look, look_lua);
        if (r == 0)
                r = redis_script_init(&ret_scripts->change, change_lua);
        return r < 0 ? r : redis_script_init(&ret_scripts->opened, opened_lua);
}
