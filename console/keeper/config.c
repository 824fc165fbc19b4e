#include "console/keeper/config.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/ready.h"

#define C struct config

static const struct conf_option options[] = {
        CONF_STRING(C, region, "region.name", 1, NULL, "the region's short name, as in its trust list"),
        CONF_STRING(C, log_level, "log.level", 1, "info", "error, warn, info or debug"),
        CONF_PATH(C, socket_path, "socket.path", "/run/vigie-keeper/socket", "where console and dispatchers ask"),
        CONF_PATH(C, audit_path, "audit.path", NULL, "what was signed, opened and refused: written first"),
        CONF_INT(C, audit_mib, "audit.size_max", 1, 65536, "256",
                 "MiB of it; from half on the old part is put aside as audit.path.N"),
        CONF_PATH(C, pass_key, "keys.pass", NULL, "private key for passes, PEM (Ed25519)"),
        CONF_PATH(C, status_key, "keys.status", NULL, "private key for status lists, PEM (Ed25519)"),
        CONF_PATH(C, order_key, "keys.order", NULL, "private key for orders, PEM (Ed25519)"),
        CONF_PATH(C, position_key, "keys.position", NULL, "private key of positions, PEM (X25519)"),
        CONF_PATH(C, handset_ca, "handset.ca", NULL, "certificate that signs handsets' ones, PEM"),
        CONF_STRING(C, console_user, "peer.console", 1, "vigie", "system user of the console: asks for everything"),
        CONF_STRING(C, dispatcher_user, "peer.dispatcher", 0, "",
                    "system user of the dispatchers: opens positions only; empty: none"),
        CONF_INT(C, limits.passes, "limits.passes", 1, 1000000, "2000", "passes that one person gives in an hour"),
        CONF_INT(C, limits.passes_all, "limits.passes_all", 1, 10000000, "100000", "and all together"),
        CONF_INT(C, limits.renewals, "limits.renewals", 1, 1000000, "20000",
                 "passes that one person gave, renewed in an hour: a shift's end for a morning's"),
        CONF_INT(C, limits.renewals_all, "limits.renewals_all", 1, 10000000, "100000", "and all together"),
        CONF_INT(C, limits.orders, "limits.orders", 1, 100000, "60",
                 "phones that one person wipes or unlocks in an hour"),
        CONF_INT(C, limits.orders_all, "limits.orders_all", 1, 1000000, "1000", "and all together"),
        CONF_INT(C, limits.opens, "limits.opens", 1, 1000000, "600",
                 "positions that one person or process opens in an hour"),
        CONF_INT(C, limits.opens_all, "limits.opens_all", 1, 1000000, "2000", "and all together"),
        CONF_INT(C, limits.overdue, "limits.overdue", 1, 3600, "4",
                 "positions of one phone opened without an alert in an hour"),
        CONF_INT(C, limits.overdue_day, "limits.overdue_day", 1, 86400, "12", "and in a day"),
        CONF_DURATION(C, overdue_ms, "silence.overdue", 1000, 86400000, "15min",
                      "a position older than this is an overdue carrier's; as the dispatchers have it"),
        CONF_BOOL(C, sandbox, "sandbox.enabled", "yes", "no system call but those that the keeper needs"),
};

static int check(const void *config, char *why, size_t size)
{
        const struct config *c = config;
        enum log_level level;

        if (log_level_from_name(c->log_level, &level) == 0)
                return 0;
        snprintf(why, size, "log.level: '%s' is none of error, warn, info, debug", c->log_level);
        return -EINVAL;
}

static const struct conf_table table = { .program = "vigie-keeper",
                                         .usage = "[--ready-fd N]",
                                         .summary =
                                                 "signs passes, lists and orders for the region, and opens positions",
                                         .default_file = "/etc/vigie/keeper.conf",
                                         .options = options,
                                         .count = sizeof(options) / sizeof(options[0]),
                                         .config_size = sizeof(C),
                                         .check = check };

const struct conf_table *config_table(void)
{
        return &table;
}

int config_read(int argc, char **argv, struct config *ret_config, int *ret_ready_fd, bool *ret_stop)
{
        int fd = ready_take(table.program, &argc, argv);
        struct conf_args args = { argc, argv };
        enum conf_next next;
        int r = fd == -EINVAL ? -EINVAL : conf_main(&table, &args, ret_config, NULL, &next);

        if (r < 0)
                return r;
        ret_config->limits.overdue_s = ret_config->overdue_ms / 1000;
        *ret_ready_fd = fd;
        *ret_stop = next == CONF_STOP;
        return 0;
}
