#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "ops/vigie/command.h"
#include "ops/vigie/inspect.h"
#include "ops/vigie/nearest.h"

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
        { "round", round_main, NULL, "rounds: add, list, remove" },
        { "enrol", enrol_main, NULL, "keys, certificate and folder for a handset" },
        { "handset", handset_main, NULL, "handsets: list, revoke" },
        { "trust", trust_main, NULL, "sign the trust list anew" },
        { "zone", zone_main, NULL, "zones: import, list" },
        { "watch", watch_main, NULL, "the feed in this terminal" },
        { "status", status_main, NULL, "open alerts, people on duty, stores" },
        { "inspect", NULL, inspect_main, "print and verify any object of Vigie's" },
        { "nearest", NULL, nearest_main, "a dry run of choosing whom to ask" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *to, int status)
{
        fprintf(to, "usage: vigie [-C REGION-FOLDER] COMMAND ...\n\n  init        make a region: root, CA, keys, configuration\n");
        for (size_t i = 0; i < COMMANDS; i++)
                fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].help);
        fprintf(to, "\nThe folder is that of -C, else of $VIGIE_REGION, else the current one.\n");
        return status;
}

static int run(const struct command_row *row, const char *dir, int argc, char **argv)
{
        struct region region;
        int status = EXIT_REFUSED;

        if (row->alone != NULL)
                return row->alone(argc, argv);
        if (region_open(dir, &region) == 0)
                status = row->in_region(&region, argc, argv);
        region_close(&region);
        return status;
}

int main(int argc, char **argv)
{
        const char *dir = getenv("VIGIE_REGION") != NULL ? getenv("VIGIE_REGION") : ".";
        int at = 1;

        if (argc > 2 && strcmp(argv[1], "-C") == 0) {
                dir = argv[2];
                at = 3;
        }
        if (argc <= at)
                return usage(stderr, EXIT_USAGE);
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0)
                return usage(stdout, EXIT_DONE);
        if (strcmp(argv[at], "--version") == 0)
                return printf("vigie %s\n", VIGIE_VERSION) > 0 ? EXIT_DONE : EXIT_REFUSED;
        if (strcmp(argv[at], "init") == 0)
                return init_main(dir, argc - at, argv + at);
        for (size_t i = 0; i < COMMANDS; i++)
                if (strcmp(argv[at], commands[i].name) == 0)
                        return run(&commands[i], dir, argc - at, argv + at);
        fprintf(stderr, "vigie: unknown command '%s'\n", argv[at]);
        return usage(stderr, EXIT_USAGE);
}
