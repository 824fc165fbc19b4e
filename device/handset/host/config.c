#include "device/handset/host/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/ready.h"
#include "base/version.h"
#include "device/handset/host/modem.h"
#include "device/handset/host/pdu.h"

#define C                   struct config
#define KEY_VOLUMEDOWN_CODE "114" /* linux/input-event-codes.h */

static const struct conf_option options[] = {
        CONF_STRING(C, log_level, "log.level", 1, "info", "error, warn, info or debug"),
        CONF_STRING(C, role, "identity.role", 1, "carrier", "carrier or supervisor"),
        CONF_STRING(C, holder, "identity.holder", 0, "", "the supervisor it belongs to, or its usual carrier"),
        CONF_PATH(C, key, "identity.key", "", "the alert key, PEM (P-256); empty: not enrolled"),
        CONF_PATH(C, certificate, "identity.certificate", "", "its certificate, PEM"),
        CONF_STRING(C, region, "region.name", 0, "", "the region's name"),
        CONF_PATH(C, ca, "region.ca", "", "who signs the dispatchers' certificates, PEM"),
        CONF_PATH(C, root, "region.root", "", "the region's root key, PEM: signs trust lists"),
        CONF_PATH(C, trust, "region.trust", "", "the trust list of enrolment; newer ones are in the journal"),
        CONF_LIST(C, addresses, "link.addresses", 0, VIGIE_ADDRESSES_MAX, "", "dispatchers, host:port"),
        CONF_LIST(C, alert_addresses, "link.alert_addresses", 0, VIGIE_ADDRESSES_MAX, "", "their alert ports, host:port"),
        CONF_PATH(C, journal, "journal.path", NULL, "the journal: presses that wait live here"),
        CONF_PATH(C, socket, "command.socket", NULL, "unix socket for `vigie-handset press` and the like"),
        CONF_INT(C, page_port, "page.port", 0, 65535, "8480", "the page, on 127.0.0.1; 0: the system chooses"),
        CONF_PATH(C, page_path, "page.path", VIGIE_SHARE "/handset", "folder of the page"),
        CONF_LIST(C, frame_ancestors, "page.frame_ancestors", 0, 4, "",
                  "https://host:port that may frame the page (the demo)"),
        CONF_STRING(C, gps_host, "gps.host", 0, "localhost", "gpsd, on this machine; empty: none"),
        CONF_INT(C, gps_port, "gps.port", 1, 65535, "2947", "its port"),
        CONF_STRING(C, pin, "pin.hash", 0, "", "scrypt text of the PIN; empty: a mistake cannot be said"),
        CONF_STRING(C, duress, "pin.duress", 0, "", "scrypt text of the duress PIN"),
        CONF_PATH(C, key_device, "button.device", "", "evdev device of the volume key or button; empty: none"),
        CONF_INT(C, key_code, "button.code", 1, 767, KEY_VOLUMEDOWN_CODE, "its key code"),
        CONF_INT(C, man_down_s, "man_down.after", 0, 3600, "0",
                 "seconds without motion on duty; 0: off, else 30 to 3600"),
        CONF_BOOL(C, silent_pulse, "feel.silent_pulse", "no", "one ordinary pulse when a silent alert is received"),
        CONF_PATH(C, feel_command, "feel.command", "", "run as `COMMAND vibrate PATTERN` and `COMMAND ring LEVEL`"),
        CONF_PATH(C, modem_device, "modem.device", "", "tty of the modem that sends and receives SMS; empty: none"),
        CONF_INT(C, modem_baud, "modem.baud", 9600, 921600, "115200", "its speed; a USB modem does not care"),
        CONF_STRING(C, modem_number, "modem.number", 0, "", "where alerts go by SMS: + and 5 to 15 digits"),
        CONF_BOOL(C, sms_test, "sms.test", "yes", "one test SMS a month, at going on duty"),
        CONF_PATH(C, vault, "vault.path", "", "folder of the vault; empty: `vault` beside the journal"),
        CONF_PATH(C, machine, "vault.machine", "/etc/machine-id",
                  "what tells this machine from another: the vault opens on no other; empty: on any"),
        CONF_STRING(C, vpcd, "nfc.vpcd", 0, "", "pcscd's virtual reader, on this machine: host:port; empty: none"),
};

int config_port_of(const char *address, char host[128])
{
        const char *colon = strrchr(address, ':');
        size_t len = colon != NULL ? (size_t)(colon - address) : 0;
        char *end;
        long port;

        if (colon == NULL || len == 0 || len >= 128 || (len == 2 && address[0] == '['))
                return -EINVAL;
        port = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != 0 || port < 1 || port > 65535)
                return -EINVAL;
        if (address[0] == '[' && address[len - 1] == ']') { /* [IPv6]:port */
                address++;
                len -= 2;
        }
        memcpy(host, address, len);
        host[len] = 0;
        return (int)port;
}

/* Where connecting does not wait: libgps has no other way. */
static bool is_here(const char *host)
{
        return host[0] == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
               strncmp(host, "127.", 4) == 0;
}

static bool is_hash(const char *text)
{
        return text[0] == 0 || (strlen(text) == PASSWORD_TEXT_SIZE - 1 && strncmp(text, "scrypt$", 7) == 0);
}

/* E.164, as pdu_submit wants it; no network has shorter numbers behind its country code. */
static bool is_number(const char *text)
{
        size_t n = text[0] == '+' ? strspn(text + 1, "0123456789") : 0;

        return n >= 5 && n <= PDU_NUMBER_MAX && text[1 + n] == 0;
}

static const char *find_modem_fault(const struct config *c)
{
        if (!modem_can_baud(c->modem_baud))
                return "modem.baud: 9600, 19200, 38400, 57600, 115200, 230400, 460800 or 921600";
        if (c->modem_number[0] != 0 && !is_number(c->modem_number))
                return "modem.number: + and 5 to 15 digits, with the country: +33612345678";
        if (c->modem_device[0] != 0 && c->modem_number[0] == 0)
                return "modem.device is given: modem.number must be too";
        return NULL;
}

/* The first key that breaks a rule, with the rule; NULL: none. */
static const char *find_fault(const struct config *c)
{
        char host[128];
        enum log_level level;

        if (log_level_from_name(c->log_level, &level) < 0)
                return "log.level: error, warn, info or debug";
        if (strcmp(c->role, "carrier") != 0 && strcmp(c->role, "supervisor") != 0)
                return "identity.role: carrier or supervisor";
        if (c->man_down_s != 0 && c->man_down_s < 30)
                return "man_down.after: 0, or 30 to 3600";
        if (!is_here(c->gps_host))
                return "gps.host: localhost, or an address of this machine: a gpsd elsewhere would hold the button";
        if (!is_hash(c->pin) || !is_hash(c->duress))
                return "pin.hash, pin.duress: a scrypt text, as `vigie enrol` writes it";
        for (size_t i = 0; i < c->addresses.count; i++)
                if (config_port_of(c->addresses.item[i], host) < 0)
                        return "link.addresses: host:port each";
        for (size_t i = 0; i < c->alert_addresses.count; i++)
                if (config_port_of(c->alert_addresses.item[i], host) < 0)
                        return "link.alert_addresses: host:port each";
        if (c->addresses.count + c->alert_addresses.count > VIGIE_ADDRESSES_MAX)
                return "link.addresses and link.alert_addresses: at most 8 together";
        if (c->vpcd[0] != 0 && (config_port_of(c->vpcd, host) < 0 || !is_here(host) || strcmp(host, "::1") == 0))
                return "nfc.vpcd: localhost:port or 127.0.0.1:port";
        for (size_t i = 0; i < c->frame_ancestors.count; i++)
                if (strpbrk(c->frame_ancestors.item[i], ";\"'") != NULL)
                        return "page.frame_ancestors: https://host:port each";
        if (c->key[0] != 0 && (c->certificate[0] == 0 || c->ca[0] == 0 || c->root[0] == 0 || c->addresses.count == 0))
                return "identity.key is given: identity.certificate, region.ca, region.root and link.addresses must be "
                       "too";
        return find_modem_fault(c);
}

static int check(const void *config, char *why, size_t size)
{
        const char *fault = find_fault(config);

        if (fault == NULL)
                return 0;
        snprintf(why, size, "%s", fault);
        return -EINVAL;
}

static const struct conf_table table = {
        .program = "vigie-handset",
        .usage = "[--ready-fd N] [COMMAND ...]   (commands: vigie-handset help)",
        .summary = "a carrier's or supervisor's phone: the button, and what rings",
        .default_file = "/etc/vigie/handset.conf",
        .options = options,
        .count = sizeof(options) / sizeof(options[0]),
        .config_size = sizeof(struct config),
        .check = check,
};

/* The file that conf_main will read. */
static void find_file(int argc, char **argv, char file[CONFIG_PATH_MAX])
{
        const char *found = table.default_file;

        for (int i = 1; i < argc && argv[i][0] == '-'; i++) {
                if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
                        found = argv[++i];
                else if (strncmp(argv[i], "-c", 2) == 0)
                        found = argv[i] + 2;
                else if (strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--ready-fd") == 0)
                        i++;
        }
        snprintf(file, CONFIG_PATH_MAX, "%s", found);
}

int config_read(int *argc, char **argv, struct config *ret_config, struct config_start *ret_start)
{
        enum conf_next next;
        char file[CONFIG_PATH_MAX];
        int r;

        find_file(*argc, argv, file);
        ret_start->ready_fd = ready_take(table.program, argc, argv);
        if (ret_start->ready_fd == -EINVAL)
                return -EINVAL;
        r = conf_main(&table, &(struct conf_args){ *argc, argv }, ret_config, &ret_start->rest, &next);
        ret_start->stop = r == 0 && next == CONF_STOP;
        strcpy(ret_config->file, file);
        return r;
}
