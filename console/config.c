#include "console/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ready.h"
#include "base/redis.h"
#include "base/version.h"
#include "console/origin.h"
#include "wire/people.h"

#define C struct config

static const struct conf_option options[] = {
        CONF_STRING(C, region, "region.name", 1, NULL, "the region's short name; prefix of every key in Redis"),
        CONF_STRING(C, log_level, "log.level", 1, "info", "error, warn, info or debug"),
        CONF_STRING(C, listen_address, "listen.address", 1, "::", "address to listen on"),
        CONF_INT(C, listen_port, "listen.port", 0, 65535, "8444", "TCP port for browsers; 0: the system chooses"),
        CONF_PATH(C, tls_certificate, "tls.certificate", NULL, "the server's certificate, PEM"),
        CONF_PATH(C, tls_key, "tls.key", NULL, "its key, PEM"),
        CONF_DURATION(C, hsts_ms, "tls.hsts", 0, INT64_C(730) * 86400000, "365d",
                      "how long browsers insist on TLS; 0: do not ask"),
        CONF_LIST(C, origins, "web.origins", 1, ORIGINS_MAX, NULL,
                  "https://host[:port] of our own pages, exactly; port 0 is listen.port"),
        CONF_LIST(C, frame_ancestors, "web.frame_ancestors", 0, ORIGINS_MAX, "",
                  "https://host[:port] that may frame our pages"),
        CONF_PATH(C, web_path, "web.path", VIGIE_SHARE "/web", "folder of the pages"),
        CONF_PATH(C, zones_path, "zones.path", "", "folder of .geojson files, or one file; empty: no zones on the map"),
        CONF_STRING(C, tile_url, "map.tile_url", 0, "",
                    "https://host/{z}/{x}/{y}.png of a tile server; empty: plain ground"),
        CONF_STRING(C, tile_attribution, "map.tile_attribution", 0, "", "what the tiles' owner wants shown"),
        CONF_STRING(C, alerts.address, "alerts.address", 1, NULL, "Redis of the alerts: /unix/socket or host:port"),
        CONF_STRING(C, alerts.user, "alerts.user", 0, "", "its ACL user"),
        CONF_STRING(C, alerts.password, "alerts.password", 0, "", "and password"),
        CONF_STRING(C, positions.address, "positions.address", 1, NULL,
                    "Redis of the positions: /unix/socket or host:port"),
        CONF_STRING(C, positions.user, "positions.user", 0, "", "its ACL user"),
        CONF_STRING(C, positions.password, "positions.password", 0, "", "and password"),
        CONF_PATH(C, keeper_socket, "keeper.socket", "", "vigie-keeper's socket; empty: no passes are given here"),
        CONF_PATH(C, caretaker_root, "caretaker.root", "",
                  "the region's root public key, PEM, for caretakers' links; empty: there are none"),
        CONF_DURATION(C, shift_ms, "passes.shift", 900000, INT64_C(12) * 3600000, "8h",
                      "a pass lasts so long where nobody says otherwise"),
        CONF_DURATION(C, list_good_ms, "lists.good", INT64_C(24) * 3600000, INT64_C(72) * 3600000, "48h",
                      "a door that hears of no newer status list goes on by one for so long"),
        CONF_DURATION(C, session_term_ms, "session.term", 60000, 86400000, "12h", "a login lasts so long"),
        CONF_DURATION(C, session_idle_ms, "session.idle", 120000, 86400000, "30min",
                      "without an open page it ends after so long"),
        CONF_INT(C, limit_connections, "limits.connections", 16, 15000, "2000",
                 "connections held; at it one that is no page of anybody logged in gives way"),
        CONF_INT(C, metrics_port, "metrics.port", 0, 65535, "0", "loopback port of /metrics and /health; 0: off"),
};

static int check_origins(const char *key, const struct conf_list *list, char *why, size_t size)
{
        for (size_t i = 0; i < list->count; i++)
                if (!origin_is_valid(list->item[i])) {
                        snprintf(why, size, "%s: '%s' is not https://host[:port] in lower case", key, list->item[i]);
                        return -EINVAL;
                }
        return 0;
}

static int check_address(const char *key, const char *address, char *why, size_t size)
{
        if (redis_address_valid(address))
                return 0;
        snprintf(why, size, "%s: '%.64s' is neither /unix/socket nor host:port", key, address);
        return -EINVAL;
}

/* check: rules between keys. */
static int check(const void *config, char *why, size_t size)
{
        const struct config *c = config;
        char origin[ORIGIN_SIZE];
        enum log_level level;

        if (log_level_from_name(c->log_level, &level) < 0) {
                snprintf(why, size, "log.level: error, warn, info or debug");
                return -EINVAL;
        }
        if (!person_id_valid(c->region)) {
                snprintf(why, size, "region.name: letters, digits, '.', '_' and '-'");
                return -EINVAL;
        }
        if (c->tile_url[0] != '\0' && origin_of_tiles(c->tile_url, origin) < 0) {
                snprintf(why, size, "map.tile_url: https://host/ with {z}, {x} and {y} after the host");
                return -EINVAL;
        }
        if (check_address("alerts.address", c->alerts.address, why, size) < 0 ||
            check_address("positions.address", c->positions.address, why, size) < 0)
                return -EINVAL;
        if (check_origins("web.origins", &c->origins, why, size) < 0 ||
            check_origins("web.frame_ancestors", &c->frame_ancestors, why, size) < 0)
                return -EINVAL;
        return 0;
}

static const struct conf_table table = {
        .program = "vigie-console",
        .usage = "[--ready-fd N]",
        .summary = "serves the desk: open alerts on a page, for those who can help",
        .default_file = "/etc/vigie/console.conf",
        .options = options,
        .count = sizeof(options) / sizeof(options[0]),
        .config_size = sizeof(struct config),
        .check = check,
};

const struct conf_table *config_table(void)
{
        return &table;
}

int config_read(int argc, char **argv, struct config *ret_config, struct config_start *ret_start)
{
        enum conf_next next;
        int fd = ready_take(table.program, &argc, argv), r;

        if (fd == -EINVAL)
                return fd;
        memset(ret_config, 0, sizeof(*ret_config));
        r = conf_main(&table, &(struct conf_args){ argc, argv }, ret_config, NULL, &next);
        if (r < 0)
                return r;
        *ret_start = (struct config_start){ .stop = next == CONF_STOP, .ready_fd = fd };
        ret_start->check = ret_start->stop && ret_config->region[0] != '\0'; /* only -n has filled it in */
        return 0;
}
