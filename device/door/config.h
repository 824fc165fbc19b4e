/* config: the keys of door.conf. */
#ifndef DEVICE_DOOR_CONFIG_H
#define DEVICE_DOOR_CONFIG_H
#include "base/conf.h"

#define CONFIG_PATH_SIZE 512

struct config {
        char log_level[8];
        char region[33];
        char key[CONFIG_PATH_SIZE], mandate[CONFIG_PATH_SIZE];
        bool sensitive, degraded;
        char trust[CONFIG_PATH_SIZE], root[CONFIG_PATH_SIZE];
        char state[480]; /* and a file's name behind it */
        int64_t log_files;
        char status[CONFIG_PATH_SIZE];
        struct conf_list command;
        int64_t timeout_ms;
        char reader[128];
        char scanner[CONFIG_PATH_SIZE];
        int64_t baud;
};

/* config_table: for tests. */
const struct conf_table *config_table(void);

/* config_read: read file and command line.  *ret_ready_fd: -1, or what to tell when the door is ready; *ret_stop: -n
 * and the like were answered.  Returns 0, or a negative errno after telling on stderr. */
int config_read(int *argc, char **argv, struct config *ret_config, int *ret_ready_fd, bool *ret_stop);
#endif
