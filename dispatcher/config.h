/* What a dispatcher is told: one table, read and checked by base/conf before anything else is done. */
#ifndef DISPATCHER_CONFIG_H
#define DISPATCHER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/log.h"
#include "wire/record.h"

/* Octets of a file's name, the largest that a unix socket's may have among them (107), with room for the others. */
#define CONFIG_PATH_SIZE 256

/* One of the two Redis. */
struct config_redis {
        char address[CONFIG_PATH_SIZE]; /* "/unix/socket" or "host:port", as base/redis takes it */
        char user[64];
        char password[128];
};

struct config {
        char region[33]; /* {region}: is the prefix of every key */
        char name[33];   /* of this process: consumer of the commands, obj of its notices */
        int64_t rank;    /* acts on deadlines rank * 300 ms late */
        char log_level[8];
        char listen_address[64];
        int64_t listen_port; /* 0: the system chooses; the log and --ready-fd tell */
        bool alerts_only;    /* an alert port */
        int64_t drain_percent;
        char tls_certificate[CONFIG_PATH_SIZE], tls_key[CONFIG_PATH_SIZE];
        char tls_client_ca[CONFIG_PATH_SIZE], tls_ticket_key[CONFIG_PATH_SIZE];
        struct config_redis alerts, positions;
        char journal_path[CONFIG_PATH_SIZE];
        int64_t journal_mib;
        char snapshot_path[CONFIG_PATH_SIZE]; /* "": none is written or read */
        char zones_path[CONFIG_PATH_SIZE];    /* folder of *.geojson, or one such file */
        char barriers_path[CONFIG_PATH_SIZE]; /* "": none */
        char receipt_key[CONFIG_PATH_SIZE];
        char trust_path[CONFIG_PATH_SIZE], trust_root[CONFIG_PATH_SIZE];
        char keeper_socket[108]; /* of vigie-keeper; "": no sealed position is opened */
        int64_t metrics_port; /* 0: off */
        struct conf_list drill_people;
        bool drill_announced;
        int64_t limit_connections, limit_handshakes;
        int64_t store_wait_ms;
        int64_t overdue_ms, overdue_no_coverage_ms, question_ms;
        int64_t sms_port; /* 0: no SMS */
        char sms_secret[65], sms_url[CONFIG_PATH_SIZE], sms_user[64], sms_password[128];
        char sms_from[NUMBER_MAX + 1];
        char sms_language[3];
        char control_number[NUMBER_MAX + 1]; /* "": none */
};

/* What the command line says beside the configuration. */
struct config_start {
        bool stop;    /* --help, --version or a good -n was answered */
        bool check;   /* it was -n: look at the files as well */
        int ready_fd; /* --ready-fd: gets "PORT\n" when listening; -1 = none */
};

/* config_read: read file and command line.  Takes `--ready-fd N` out of ARGV before base/conf sees it.
 *   ret_config, ret_start  written on success
 * Returns 0, -EINVAL or what reading the file gave; both already told on stderr: exit with 2. */
int config_read(int argc, char **argv, struct config *ret_config, struct config_start *ret_start);

/* config_table: the table, for the man page's test and for reading texts in tests. */
const struct conf_table *config_table(void);

#endif
