#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "ops/vigie/archive.h"
#include "ops/vigie/audit.h"
#include "ops/vigie/backup.h"
#include "ops/vigie/building.h"
#include "ops/vigie/command.h"
#include "ops/vigie/door.h"
#include "ops/vigie/inspect.h"
#include "ops/vigie/keeper.h"
#include "ops/vigie/nearest.h"
#include "ops/vigie/restore.h"
#include "ops/vigie/retain.h"
#include "ops/vigie/say.h"

struct command_row {
        const char *name;
        int (*in_region)(struct region *region, int argc, char **argv);
        int (*alone)(int argc, char **argv);
        const char *help;
};

static const struct command_row commands[] = {
        { "carrier", carrier_main, NULL, "carriers: add, list, remove" },
        { "supervisor", supervisor_main, NULL, "supervisors: add, list, remove" },
        { "user", user_main, NULL, "people who log in to the console: add, list, remove" },
        { "round", round_main, NULL, "rounds: add, list, remove; stops" },
        { "building", building_main, NULL, "buildings: add, list, import, remove" },
        { "door", door_main, NULL, "doors: add, list, remove" },
        { "door-log", door_log_main, NULL, "say whether a door's log is whole, and what is in it" },
        { "enrol", enrol_main, NULL, "keys, certificate and folder for a handset" },
        { "handset", handset_main, NULL, "handsets: list, revoke, renew" },
        { "keeper", keeper_main, NULL, "the keeper's keys, in a region that was made without" },
        { "trust", trust_main, NULL, "the trust list: sign it anew, publish it" },
        { "zone", zone_main, NULL, "zones: import, list, remove" },
        { "barrier", barrier_main, NULL, "rivers and motorways: import" },
        { "watch", watch_main, NULL, "the feed in this terminal" },
        { "status", status_main, NULL, "open alerts, people on duty, stores" },
        { "archive", archive_main, NULL, "the feed into signed files; its newest checkpoint" },
        { "verify-audit", NULL, audit_main, "say whether an archive is what was written" },
        { "retain", retain_main, NULL, "erase what has had its term; hold and release an alert" },
        { "backup", backup_main, NULL, "the alerts' Redis into a signed file" },
        { "restore", restore_main, NULL, "a backup, and what the archive has beyond it, into an empty Redis" },
        { "inspect", NULL, inspect_main, "print and verify any object of Vigie's" },
        { "nearest", NULL, nearest_main, "a dry run of choosing whom to ask" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to, int status)
{
        fprintf(to, "usage: vigie [-C REGION-FOLDER] COMMAND ...\n\n  init         make a region: root, CA, keys, "
                    "configuration\n");
        for (size_t i = 0; i < COMMANDS; i++)
                fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].help);
        fprintf(to, "\nThe folder is that of -C, else of $VIGIE_REGION, else the current one.\n");
        return status;
}

/* Help needs no region. */
static bool asks_help(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (strcmp(argv[i], "--help") == 0)
                        return true;
        return false;
}

static int run(const struct command_row *row, const char *dir, int argc, char **argv)
{
        bool help = asks_help(argc, argv);
        struct region region = { 0 };
        int status = EXIT_REFUSED;

        if (row->alone != NULL)
                status = row->alone(argc, argv);
        else if (help || region_open(dir, &region) == 0)
                status = row->in_region(&region, argc, argv);
        region_close(&region);
        return help && status == EXIT_USAGE ? EXIT_DONE : status;
}

/* The command that argv[at] names. */
static int command(const char *dir, int at, int argc, char **argv)
{
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0)
                return usage(stdout, EXIT_DONE);
        if (strcmp(argv[at], "--version") == 0)
                return printf("vigie %s\n", VIGIE_VERSION) > 0 ? EXIT_DONE : EXIT_REFUSED;
        if (strcmp(argv[at], "init") == 0) {
                int status = init_main(dir, argc - at, argv + at);

                return status == EXIT_USAGE && asks_help(argc, argv) ? EXIT_DONE : status;
        }
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(argv[at], commands[i].name) == 0)
                        return run(&commands[i], dir, argc - at, argv + at);
        say_wrong("unknown command '%s'", argv[at]);
        return usage(stderr, EXIT_USAGE);
}

int main(int argc, char **argv)
{
        const char *dir = getenv("VIGIE_REGION") != NULL ? getenv("VIGIE_REGION") : ".";
        int at = 1, status;

        if (argc == 2 && strcmp(argv[1], "-C") == 0) {
                say_wrong("-C: the region's folder is missing");
                return EXIT_USAGE;
        }
        if (argc > 2 && strcmp(argv[1], "-C") == 0) {
                dir = argv[2];
                at = 3;
        }
        status = argc > at ? command(dir, at, argc, argv) : usage(stderr, EXIT_USAGE);
        return say_end(status, EXIT_REFUSED);
}
