#include "ops/vigie/keeper.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/vigie/command.h"
#include "ops/vigie/keys.h"
#include "ops/vigie/say.h"

#define CONFIGURATION "keeper.conf"

static const struct keys_pair pairs[] = {
        { KEY_EDDSA, REGION_KEEPER, "pass" },
        { KEY_EDDSA, REGION_KEEPER, "status" },
        { KEY_EDDSA, REGION_KEEPER, "order" },
        { KEY_ECDH_ES, REGION_KEEPER, "position" },
        { KEY_ES256, "", "door" },
};

void keeper_peers(struct setup *ret_setup)
{
        const struct passwd *user = getpwnam("vigie");

        if (user == NULL)
                user = getpwuid(geteuid());
        snprintf(ret_setup->peer, sizeof(ret_setup->peer), "%s", user != NULL ? user->pw_name : "vigie");
        user = getpwnam("vigie-dispatcher");
        snprintf(ret_setup->dispatcher_peer, sizeof(ret_setup->dispatcher_peer), "%s",
                 user != NULL ? user->pw_name : "");
}

int keeper_socket_check(const char *path)
{
        if (path[0] == '/' && strlen(path) <= SOCKET_PATH_MAX)
                return 0;
        return say_wrong("--keeper '%s': the full name of a socket, at most %d octets", path, SOCKET_PATH_MAX);
}

static bool is_there(const struct region *region, const char *name)
{
        char path[REGION_PATH_MAX];
        struct stat st;

        return region_path(region, name, path) == 0 && lstat(path, &st) == 0;
}

static int put_folder(const struct region *region)
{
        char path[REGION_PATH_MAX];
        int r = region_path(region, REGION_KEEPER, path);

        if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST) {
                r = -errno;
                say_wrong("%s: %s", path, strerror(errno));
        }
        return r;
}

/* position.key was beside the others once. */
static int take_position(const struct region *region)
{
        char from[REGION_PATH_MAX], to[REGION_PATH_MAX];
        int r;

        if (!is_there(region, "position.key") || is_there(region, REGION_KEEPER "/position.key"))
                return 0;
        if ((r = region_path(region, "position.key", from)) == 0 &&
            (r = region_path(region, REGION_KEEPER "/position.key", to)) == 0 && rename(from, to) < 0) {
                r = -errno;
                say_wrong("%s: %s", to, strerror(errno));
        }
        return r;
}

int keeper_make(const struct region *region, const struct conf_text *configuration)
{
        char name[64];
        int r;

        if ((r = put_folder(region)) < 0 || (r = take_position(region)) < 0)
                return r;
        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && r == 0; i++) {
                snprintf(name, sizeof(name), "%s%s%s.key", pairs[i].folder, pairs[i].folder[0] != 0 ? "/" : "",
                         pairs[i].name);
                r = is_there(region, name) ? keys_take_public(region, &pairs[i]) : keys_make(region, &pairs[i]);
        }
        if (r < 0)
                return r;
        return region_write(region, CONFIGURATION, configuration->text, configuration->len, 0644);
}

static int make(struct region *region, const void *of, int argc, char **argv)
{
        struct setup setup = { .region = region->config.name, .keeper = KEEPER_SOCKET };
        const struct choice list[] = { { "keeper", &setup.keeper, NULL, "its socket (" KEEPER_SOCKET ")" } };
        const struct choices choices = { "keeper make [--keeper SOCKET]", list, 1, 0 };
        struct conf_text *text = calloc(1, sizeof(*text));
        int r = text != NULL ? choices_read(&choices, argc, argv, NULL) : -ENOMEM;

        keeper_peers(&setup);
        if (r == 0 && is_there(region, CONFIGURATION)) {
                say_wrong("%s is there; nothing was changed", CONFIGURATION);
                r = -EEXIST;
        }
        if (r == 0 && (r = keeper_socket_check(setup.keeper)) == 0 && (r = region_real(region->dir, setup.dir)) == 0 &&
            (r = setup_keeper(&setup, text)) == 0 && (r = keeper_make(region, text)) == 0)
                printf("keeper.conf and keeper/ are made.  Now: vigie trust sign; keeper.socket = %s into console.conf "
                       "and dispatcher.conf;\nthe lines `console` and `tool` of redis/users.acl as ops/redis/users.acl "
                       "has them, with their passwords.\n",
                       setup.keeper);
        free(text);
        return refused(r);
}

int keeper_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = { { "make", "[--keeper SOCKET]", make, NULL }, { 0 } };

        return verbs_main(verbs, region, argc, argv);
}
