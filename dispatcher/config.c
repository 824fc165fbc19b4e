#include "dispatcher/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ready.h"
#include "base/redis.h"
#include "wire/people.h"

#define C struct config
/* Times of silence.  Heartbeats come each minute: below 3 min a good phone is asked now and then, which only a test wants. */
#define SILENCE_MIN_MS 1000
#define SILENCE_MAX_MS 86400000

/* A machine that may open 20,000 files holds 15,500 handsets beside its journal, Redis links and waiting
 * connections. */
static const struct conf_option options[] = {
        CONF_STRING(C, region, "region.name", 1, NULL, "the region's short name; prefix of every key in Redis"),
        CONF_STRING(C, name, "dispatcher.name", 1, NULL, "this process's name, unlike any other's in the region"),
        CONF_INT(C, rank, "dispatcher.rank", 0, 63, "0", "acts on deadlines this many times 300 ms late"),
        CONF_STRING(C, log_level, "log.level", 1, "info", "error, warn, info or debug"),
        CONF_STRING(C, listen_address, "listen.address", 1, "::", "address to listen on"),
        CONF_INT(C, listen_port, "listen.port", 0, 65535, "8443", "TCP port for handsets; 0: the system chooses"),
        CONF_BOOL(C, alerts_only, "listen.alerts_only", "no", "an alert port: handsets with an unreceived alert alone"),
        CONF_PATH(C, tls_certificate, "tls.certificate", NULL, "the server's certificate, PEM"),
        CONF_PATH(C, tls_key, "tls.key", NULL, "its key, PEM"),
        CONF_PATH(C, tls_client_ca, "tls.client_ca", NULL, "certificates that sign handsets' ones, PEM"),
        CONF_PATH(C, tls_ticket_key, "tls.ticket_key", NULL,
                  "80 octets shared by the region's dispatchers; read again at SIGHUP"),
        CONF_STRING(C, alerts.address, "alerts.address", 1, NULL, "Redis of the alerts: /unix/socket or host:port"),
        CONF_STRING(C, alerts.user, "alerts.user", 0, "", "its ACL user"),
        CONF_STRING(C, alerts.password, "alerts.password", 0, "", "and password"),
        CONF_STRING(C, positions.address, "positions.address", 1, NULL,
                    "Redis of the positions: /unix/socket or host:port"),
        CONF_STRING(C, positions.user, "positions.user", 0, "", "its ACL user"),
        CONF_STRING(C, positions.password, "positions.password", 0, "", "and password"),
        CONF_PATH(C, journal_path, "journal.path", NULL, "this process's journal"),
        CONF_INT(C, journal_mib, "journal.size_max", 8, 65536, "256", "its largest size, MiB"),
        CONF_PATH(C, snapshot_path, "snapshot.path", "", "people and roster, for a start without Redis; empty: none"),
        CONF_PATH(C, zones_path, "zones.path", NULL, "folder of .geojson files, or one file"),
        CONF_PATH(C, barriers_path, "barriers.path", "", "GeoJSON lines that are not crossed; empty: none"),
        CONF_PATH(C, receipt_key, "receipt.key", NULL, "the region's receipt key, PEM (Ed25519)"),
        CONF_PATH(C, trust_path, "trust.path", NULL, "the region's trust list; read again at SIGHUP"),
        CONF_PATH(C, trust_root, "trust.root", NULL, "the root's public key, PEM: the trust list must be signed by it"),
        CONF_PATH(C, keeper_socket, "keeper.socket", "",
                  "vigie-keeper's socket: it opens sealed positions; empty: none is opened"),
        CONF_INT(C, metrics_port, "metrics.port", 0, 65535, "0", "loopback port of /metrics and /health; 0: off"),
        CONF_LIST(C, drill_people, "drill.people", 0, CONF_LIST_MAX, "", "ids of the supervisors a drill rings"),
        CONF_BOOL(C, drill_announced, "drill.announced", "no", "a drill climbs the ladder as a real alert does"),
        CONF_INT(C, limit_connections, "limits.connections", 16, 100000, "15500",
                 "connections held; one more is closed"),
        CONF_INT(C, limit_handshakes, "limits.handshakes", 1, 10000, "500", "handshakes under way; the others wait"),
        CONF_INT(C, drain_percent, "drain.percent", 1, 100, "1", "of the sessions, closed each second at SIGTERM"),
        CONF_DURATION(C, store_wait_ms, "store.wait", 0, 600000, "5s",
                      "without Redis for so long: start from the snapshot"),
        CONF_DURATION(C, overdue_ms, "silence.overdue", SILENCE_MIN_MS, SILENCE_MAX_MS, "15min",
                      "a carrier on duty not heard for so long is asked"),
        CONF_DURATION(C, overdue_no_coverage_ms, "silence.no_coverage", SILENCE_MIN_MS, SILENCE_MAX_MS, "60min",
                      "the same in a zone without coverage"),
        CONF_DURATION(C, question_ms, "silence.question", SILENCE_MIN_MS, SILENCE_MAX_MS, "2min",
                      "asked and not heard for so long: it rings"),
        CONF_INT(C, sms_port, "sms.port", 0, 65535, "0",
                 "loopback port where the SMS gateway brings what came; 0: no SMS"),
        CONF_STRING(C, sms_secret, "sms.secret", 0, "", "what the gateway's URL must say: 16 to 64 letters and digits"),
        CONF_STRING(C, sms_url, "sms.url", 0, "", "the gateway's sendsms: http:// or https://"),
        CONF_STRING(C, sms_user, "sms.user", 0, "", "its user"),
        CONF_STRING(C, sms_password, "sms.password", 0, "", "and password"),
        CONF_STRING(C, sms_from, "sms.from", 0, "", "the region's number: +33..., or the operator's short code"),
        CONF_STRING(C, sms_language, "sms.language", 2, "fr", "of texts to people: fr or en"),
        CONF_STRING(C, control_number, "control.number", 0, "",
                    "the control room's, rung by SMS while no console can show; empty: none"),
};

static int check_address(const char *key, const char *address, char *why, size_t size)
{
        if (redis_address_valid(address))
                return 0;
        snprintf(why, size, "%s: '%.64s' is neither /unix/socket nor host:port", key, address);
        return -EINVAL;
}

static bool is_secret(const char *text)
{
        return strlen(text) >= 16 &&
               text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0';
}

/* check_sms: what must be said once there is a port. */
static int check_sms(const struct config *c, char *why, size_t size)
{
        const char *rule = NULL;
        bool number = c->sms_from[0] != '\0' && c->sms_from[strspn(c->sms_from, "+0123456789")] == '\0';

        if (strcmp(c->sms_language, "fr") != 0 && strcmp(c->sms_language, "en") != 0)
                rule = "sms.language: fr or en";
        else if (c->control_number[0] != '\0' && !number_valid(c->control_number))
                rule = "control.number: '+' and 6 to 15 digits";
        else if (c->sms_port == 0)
                return 0;
        else if (!is_secret(c->sms_secret))
                rule = "sms.secret: 16 to 64 letters, digits, '-' and '_' (with sms.port)";
        else if (strncmp(c->sms_url, "http://", 7) != 0 && strncmp(c->sms_url, "https://", 8) != 0)
                rule = "sms.url: http://... or https://... (with sms.port)";
        else if (c->sms_user[0] == '\0' || c->sms_password[0] == '\0')
                rule = c->sms_user[0] == '\0' ? "sms.user: the gateway's user (with sms.port)"
                                              : "sms.password: its password (with sms.port)";
        else if (!number)
                rule = "sms.from: a number (with sms.port)";
        if (rule != NULL)
                snprintf(why, size, "%s", rule);
        return rule != NULL ? -EINVAL : 0;
}

/* check: rules between keys. */
static int check(const void *config, char *why, size_t size)
{
        const struct config *c = config;
        enum log_level level;

        if (log_level_from_name(c->log_level, &level) < 0) {
                snprintf(why, size, "log.level: error, warn, info or debug");
                return -EINVAL;
        }
        if (!person_id_valid(c->region) || !person_id_valid(c->name)) {
                snprintf(why, size, "region.name and dispatcher.name: letters, digits, '.', '_' and '-'");
                return -EINVAL;
        }
        if (check_address("alerts.address", c->alerts.address, why, size) < 0 ||
            check_address("positions.address", c->positions.address, why, size) < 0)
                return -EINVAL;
        if (check_sms(c, why, size) < 0)
                return -EINVAL;
        if (c->overdue_no_coverage_ms < c->overdue_ms) {
                snprintf(why, size, "silence.no_coverage: at least silence.overdue");
                return -EINVAL;
        }
        for (size_t i = 0; i < c->drill_people.count; i++)
                if (!person_id_valid(c->drill_people.item[i])) {
                        snprintf(why, size, "drill.people: '%s' is no person's id", c->drill_people.item[i]);
                        return -EINVAL;
                }
        return 0;
}

static const struct conf_table table = {
        .program = "vigie-dispatcher",
        .usage = "[--ready-fd N]",
        .summary = "takes handsets' alerts, keeps them, and rings who can help",
        .default_file = "/etc/vigie/dispatcher.conf",
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
        ret_start->check = ret_start->stop && ret_config->name[0] != '\0'; /* only -n has filled it in */
        return 0;
}
