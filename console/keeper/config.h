/* What the keeper is told: one table, read and checked by base/conf before anything else is done. */
#ifndef KEEPER_CONFIG_H
#define KEEPER_CONFIG_H
#include <sys/types.h>

#include "base/conf.h"
#include "console/keeper/keeper.h"

#define CONFIG_PATH_SIZE 256

struct config {
        char region[TRUST_REGION_MAX + 1];
        char log_level[8];
        char socket_path[108]; /* the system's bound of a unix socket's name */
        char audit_path[CONFIG_PATH_SIZE];
        int64_t audit_mib;
        char pass_key[CONFIG_PATH_SIZE], status_key[CONFIG_PATH_SIZE], order_key[CONFIG_PATH_SIZE];
        char position_key[CONFIG_PATH_SIZE], handset_ca[CONFIG_PATH_SIZE];
        char console_user[33], dispatcher_user[33];
        struct keeper_limits limits;
        int64_t overdue_ms;
        bool sandbox;
};

/* config_read: read file and command line; `--ready-fd N` is taken out of ARGV before base/conf sees it.
 *   ret_stop   --help, --version or a good -n was answered
 * Returns 0 or a negative errno, told on stderr: exit with 2. */
int config_read(int argc, char **argv, struct config *ret_config, int *ret_ready_fd, bool *ret_stop);

/* config_table: the table, for the man page's test. */
const struct conf_table *config_table(void);
#endif
