#include "device/door/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/ready.h"
#include "device/door/scanner.h"

#define C struct config

static const struct conf_option options[] = {
        CONF_STRING(C, log_level, "log.level", 1, "info", "error, warn, info or debug"),
        CONF_STRING(C, region, "region.name", 1, NULL, "the region's name"),
        CONF_PATH(C, key, "door.key", NULL, "the door's own key, PEM (P-256)"),
        CONF_PATH(C, mandate, "door.mandate", NULL,
                  "its mandate, signed by the region: which door and building, NFC or scanner"),
        CONF_BOOL(C, sensitive, "door.sensitive", "no", "opens for passes issued with a second person's consent alone"),
        CONF_BOOL(C, degraded, "door.degraded", "no",
                  "opens also where the status list is past its end, and logs that"),
        CONF_PATH(C, trust, "trust.path", NULL, "the region's trust list"),
        CONF_PATH(C, root, "trust.root", NULL, "the region's root key, PEM: signs trust lists"),
        CONF_PATH(C, state, "state.path", NULL, "folder of the log and of the status list"),
        CONF_INT(C, log_files, "log.files", 2, 1000, "16",
                 "files of 1 MiB that the log keeps, some 5,000 entries each"),
        CONF_PATH(C, status, "status.path", "",
                  "a status list brought as a file; newer ones come by phones; empty: none"),
        CONF_LIST(C, command, "open.command", 1, CONF_LIST_MAX, NULL,
                  "what opens: a program's path, and its arguments"),
        CONF_DURATION(C, timeout_ms, "open.timeout", 100, 60000, "10s", "after this it is killed"),
        CONF_STRING(C, reader, "nfc.reader", 0, "", "part of the PC/SC reader's name; empty: the first one"),
        CONF_PATH(C, scanner, "scanner.device", "-", "the scanner's tty; -: standard input"),
        CONF_INT(C, baud, "scanner.baud", 9600, 230400, "9600", "its speed"),
};

static int check(const void *config, char *why, size_t size)
{
        const struct config *c = config;
        const char *fault = NULL;
        enum log_level level;

        if (log_level_from_name(c->log_level, &level) < 0)
                fault = "log.level: error, warn, info or debug";
        else if (c->command.item[0][0] != '/')
                fault = "open.command: a whole path, from / on: it is run without a shell";
        else if (!scanner_can_baud(c->baud))
                fault = "scanner.baud: 9600, 19200, 38400, 57600, 115200 or 230400";
        else if (c->key[0] == 0 || c->mandate[0] == 0 || c->trust[0] == 0 || c->root[0] == 0 || c->state[0] == 0)
                fault = "door.key, door.mandate, trust.path, trust.root and state.path cannot be empty";
        if (fault == NULL)
                return 0;
        snprintf(why, size, "%s", fault);
        return -EINVAL;
}

static const struct conf_table table = {
        .program = "vigie-door",
        .usage = "[--ready-fd N]   or: vigie-door verify-log FOLDER KEY.pem",
        .summary = "a building's door: reads a pass, decides without a network, opens, and keeps a log that cannot be "
                   "changed",
        .default_file = "/etc/vigie/door.conf",
        .options = options,
        .count = sizeof(options) / sizeof(options[0]),
        .config_size = sizeof(struct config),
        .check = check,
};

const struct conf_table *config_table(void)
{
        return &table;
}

int config_read(int *argc, char **argv, struct config *ret_config, int *ret_ready_fd, bool *ret_stop)
{
        enum conf_next next;
        int r;

        *ret_ready_fd = ready_take(table.program, argc, argv);
        if (*ret_ready_fd == -EINVAL)
                return -EINVAL;
        r = conf_main(&table, &(struct conf_args){ *argc, argv }, ret_config, NULL, &next);
        *ret_stop = r == 0 && next == CONF_STOP;
        return r;
}
