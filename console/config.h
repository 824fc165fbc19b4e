/* What a console is told: one table, read and checked by base/conf before anything else is done. */
#ifndef CONSOLE_CONFIG_H
#define CONSOLE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/log.h"

/* Octets of a file's name. */
#define CONFIG_PATH_SIZE 256

/* One of the two Redis. */
struct config_redis {
        char address[CONFIG_PATH_SIZE]; /* "/unix/socket" or "host:port", as base/redis takes it */
        char user[64];
        char password[128];
};

struct config {
        char region[33]; /* {region}: is the prefix of every key */
        char log_level[8];
        char listen_address[64];
        int64_t listen_port; /* 0: the system chooses; the log and --ready-fd tell */
        char tls_certificate[CONFIG_PATH_SIZE], tls_key[CONFIG_PATH_SIZE];
        int64_t hsts_ms;                   /* 0: no Strict-Transport-Security */
        struct conf_list origins;          /* exactly those pages may open a socket or post; see origin.h */
        struct conf_list frame_ancestors;  /* origins that may frame the pages; empty: none */
        char web_path[CONFIG_PATH_SIZE];   /* folder of the pages, as `make web` makes it */
        char zones_path[CONFIG_PATH_SIZE]; /* folder of *.geojson, or one such file; "": none */
        char tile_url[128];                /* https://.../{z}/{x}/{y}.png; "": plain ground */
        char tile_attribution[128];        /* what the tiles' owner wants shown */
        struct config_redis alerts, positions;
        char keeper_socket[108]; /* of vigie-keeper; "": no passes are given */
        char caretaker_root
                [CONFIG_PATH_SIZE]; /* the region's root public key, PEM; "": the desk makes no caretaker's links */
        int64_t shift_ms, list_good_ms;
        int64_t session_term_ms, session_idle_ms;
        int64_t limit_connections;
        int64_t metrics_port; /* 0: off */
};

/* What the command line says beside the configuration. */
struct config_start {
        bool stop;    /* --help, --version or -n was asked for: do not serve */
        bool check;   /* -n: check the files too */
        int ready_fd; /* --ready-fd: gets "PORT\n" when listening; -1 = none */
};

/* config_read: read file and command line.  Takes `--ready-fd N` out of ARGV before base/conf sees it.
 *   ret_config, ret_start  written on success
 * Returns 0, -EINVAL or what reading the file gave; both already told on stderr: exit with 2. */
int config_read(int argc, char **argv, struct config *ret_config, struct config_start *ret_start);

/* config_table: the table, for tests and the man page's check. */
const struct conf_table *config_table(void);

#endif
