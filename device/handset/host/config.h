/* config: the keys of handset.conf, as `vigie enrol` writes it. */
#ifndef DEVICE_HANDSET_HOST_CONFIG_H
#define DEVICE_HANDSET_HOST_CONFIG_H

#include "base/conf.h"
#include "base/password.h"
#include "device/handset/vigie.h"

#define CONFIG_PATH_MAX 512

struct config {
        char log_level[8];
        char role[16], holder[VIGIE_PERSON_SIZE];
        char key[CONFIG_PATH_MAX], certificate[CONFIG_PATH_MAX];
        char region[VIGIE_PERSON_SIZE];
        char ca[CONFIG_PATH_MAX], root[CONFIG_PATH_MAX], trust[CONFIG_PATH_MAX];
        struct conf_list addresses;       /* host:port */
        struct conf_list alert_addresses; /* likewise, of alert ports; with the others at most VIGIE_ADDRESSES_MAX */
        char journal[CONFIG_PATH_MAX], socket[CONFIG_PATH_MAX];
        int64_t page_port;
        char page_path[CONFIG_PATH_MAX];
        struct conf_list frame_ancestors;
        char gps_host[64];
        int64_t gps_port;
        char pin[PASSWORD_TEXT_SIZE], duress[PASSWORD_TEXT_SIZE];
        char key_device[CONFIG_PATH_MAX];
        int64_t key_code;
        int64_t man_down_s;
        bool silent_pulse;
        char feel_command[CONFIG_PATH_MAX];
        char modem_device[CONFIG_PATH_MAX], modem_number[VIGIE_NUMBER_SIZE];
        int64_t modem_baud;
        bool sms_test;
        char vault[CONFIG_PATH_MAX], machine[CONFIG_PATH_MAX];
        char vpcd[64];
        char file[CONFIG_PATH_MAX]; /* handset.conf itself, as it was named */
};

/* What the command line asks for beside the configuration. */
struct config_start {
        bool stop;    /* -n, --help, --version: answered */
        int ready_fd; /* -1, or where the page's port is written when all is up */
        int rest;     /* index in argv of the first word that is no option: a command for the daemon that runs */
};

/* config_read: read file and command line.  Returns 0, or a negative errno after telling on stderr. */
int config_read(int *argc, char **argv, struct config *ret_config, struct config_start *ret_start);

/* config_port_of: the port of a "host:port" and its host into HOST of 128 octets.  Returns the port, -EINVAL. */
int config_port_of(const char *address, char host[128]);

#endif
