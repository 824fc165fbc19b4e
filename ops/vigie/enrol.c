#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/password.h"
#include "device/handset/vigie.h"
#include "ops/vigie/command.h"
#include "ops/vigie/conf_text.h"
#include "ops/vigie/handset.h"
#include "ops/vigie/say.h"
#include "ops/vigie/secret.h"

/* Octets of a public file copied into the handset's folder. */
#define COPY_MAX 65536

struct enrolment {
        const char *person, *role, *number, *site, *servers, *alert_servers, *modem, *out, *days;
        char ports[1024]; /* alert_servers where none were said */
        const char *pin_given, *duress_given; /* on the command line */
        bool ask_pins;
        char pin[16], duress[16]; /* "" = none */
        char handset[HANDSET_ID_TEXT];
        char folder[HANDSET_FOLDER_MAX + 1];
        struct handset_entry entry;
        struct handset_pair pair;
        struct conf_text configuration;
};

/* ---- what is asked */

/* A PIN from the command line, where it is wiped: other people of the machine can read it there. */
static int take_pin(const char *what, const char *given, char *to, size_t size)
{
        int r = given != NULL ? text_fit(what, given, to, size) : 0;

        if (r == 0 && given != NULL)
                explicit_bzero((char *)given, strlen(given));
        return r;
}

static int read_pins(struct enrolment *e)
{
        int r;

        if (e->ask_pins && (e->pin_given != NULL || e->duress_given != NULL))
                return say_wrong("--pins: the PINs come from standard input, or by --pin and --duress");
        if (e->ask_pins && ((r = secret_read("PIN", e->pin, sizeof(e->pin))) < 0 ||
                            (r = secret_read("duress PIN (empty: none)", e->duress, sizeof(e->duress))) < 0))
                return r;
        if ((r = take_pin("--pin", e->pin_given, e->pin, sizeof(e->pin))) < 0 ||
            (r = take_pin("--duress", e->duress_given, e->duress, sizeof(e->duress))) < 0)
                return r;
        if ((e->pin[0] != 0 && !pin_is_valid(e->pin)) || (e->duress[0] != 0 && !pin_is_valid(e->duress)))
                return say_wrong("PIN and duress PIN: 4 to 8 digits each");
        if (e->duress[0] != 0 && e->pin[0] == 0)
                return say_wrong("the duress PIN needs a PIN");
        if (e->duress[0] != 0 && pins_too_alike(e->pin, e->duress))
                return say_wrong("the duress PIN must be further from the PIN than one digit or one swap");
        return 0;
}

/* The addresses that WHAT lists; COUNT rises by their number. */
static int check_servers(const char *what, const char *servers, size_t *count)
{
        char copy[1024], host[ADDRESS_HOST_SIZE];

        if (text_fit(what, servers, copy, sizeof(copy)) < 0)
                return -EINVAL;
        for (char *save, *word = strtok_r(copy, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
                if (++*count > VIGIE_ADDRESSES_MAX)
                        return say_wrong("%s: more than %d in all", what, VIGIE_ADDRESSES_MAX);
                if (strlen(word) >= CONF_ITEM_SIZE)
                        return say_wrong("%s '%s': at most %d octets each", what, word, CONF_ITEM_SIZE - 1);
                if (address_split(what, word, host) < 0)
                        return -EINVAL;
        }
        return *count > 0 ? 0 : say_wrong("%s: none", what);
}

/* The alert port of each of the servers' hosts, as far as there is room. */
static void name_alert_ports(const struct region *region, struct enrolment *e, size_t count)
{
        char copy[sizeof(e->ports)], host[ADDRESS_HOST_SIZE + 2];
        size_t len = 0;

        e->alert_servers = e->ports;
        snprintf(copy, sizeof(copy), "%s", e->servers);
        for (char *save, *word = strtok_r(copy, ",", &save); word != NULL && region->config.alert_port != 0;
             word = strtok_r(NULL, ",", &save)) {
                snprintf(host, sizeof(host), ",%.*s:", (int)(strrchr(word, ':') - word), word);
                if (strstr(e->ports, host) == NULL && ++count <= VIGIE_ADDRESSES_MAX) /* a host may have several ports */
                        len += (size_t)snprintf(e->ports + len, sizeof(e->ports) - len, "%s%ld", host,
                                                (long)region->config.alert_port);
        }
        e->alert_servers += len > 0; /* its first comma */
}

/* Without a number of the region a modem would have nobody to send to. */
static int check_modem(const struct region *region, const char *modem)
{
        if (modem == NULL)
                return 0;
        if (region->config.sms_number[0] == 0)
                return say_wrong("--modem: this region has no number (vigie.conf: sms.number; init --sms-number)");
        return modem[0] == '/' ? 0 : say_wrong("--modem '%s': a full name, /dev/...", modem);
}

static int check(const struct region *region, struct enrolment *e)
{
        bool supervisor = strcmp(e->role, "supervisor") == 0;
        size_t addresses = 0;

        e->entry.role = supervisor ? HANDSET_SUPERVISOR : HANDSET_CARRIER;
        if (!supervisor && strcmp(e->role, "carrier") != 0)
                return say_wrong("--role '%s': carrier or supervisor", e->role);
        if (handset_days(e->days, &e->entry) < 0 || number_fit(e->number, e->entry.number) < 0 ||
            id_fit("--person", e->person, !supervisor, e->entry.person) < 0 || check_modem(region, e->modem) < 0 ||
            team_fit("--site", e->site, e->entry.site) < 0 || check_servers("--servers", e->servers, &addresses) < 0)
                return -EINVAL;
        if (e->alert_servers == NULL)
                name_alert_ports(region, e, addresses);
        else if (check_servers("--alert-servers", e->alert_servers, &addresses) < 0)
                return -EINVAL;
        return read_pins(e);
}

/* ---- the folder */

static int hash_pin(const char *pin, char to[PASSWORD_TEXT_SIZE])
{
        to[0] = 0;
        return pin[0] != 0 ? password_hash(pin, strlen(pin), to) : 0;
}

/* handset.conf, with DIR, the folder's full name. */
static int make_configuration(const struct region *region, struct enrolment *e, const char *dir)
{
        static const char *const files[][3] = {
                { "identity", "key", "key.pem" },
                { NULL, "certificate", "certificate.pem" },
                { "region", "ca", "ca.pem" },
                { NULL, "root", "root.pem" },
                { NULL, "trust", REGION_TRUST },
                { "journal", "path", "journal" },
                { "command", "socket", "command.sock" },
        };
        char pin[PASSWORD_TEXT_SIZE], duress[PASSWORD_TEXT_SIZE];
        struct conf_text *text = &e->configuration;
        int r;

        if ((r = hash_pin(e->pin, pin)) < 0 || (r = hash_pin(e->duress, duress)) < 0)
                return r;
        conf_text_init(text, "");
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                if (files[i][0] != NULL)
                        conf_text_section(text, files[i][0]);
                if (i == 0) {
                        conf_text_key(text, "role", "%s", e->role);
                        conf_text_key(text, "holder", "%s", e->entry.person);
                } else if (i == 2) {
                        conf_text_key(text, "name", "%s", region->config.name);
                }
                conf_text_key(text, files[i][1], "%s/%s", dir, files[i][2]);
        }
        conf_text_section(text, "link");
        conf_text_key(text, "addresses", "%s", e->servers);
        if (e->alert_servers[0] != 0)
                conf_text_key(text, "alert_addresses", "%s", e->alert_servers);
        if (region->config.sms_number[0] != 0) {
                conf_text_section(text, "modem");
                conf_text_key(text, "number", "%s", region->config.sms_number);
                if (e->modem != NULL)
                        conf_text_key(text, "device", "%s", e->modem);
        }
        conf_text_section(text, "pin");
        conf_text_key(text, "hash", "%s", pin);
        conf_text_key(text, "duress", "%s", duress);
        return text->error;
}

static int copy(const struct region *region, const char *folder, const char *name)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = region_path(region, name, path);

        if (r < 0)
                return r;
        if ((r = file_read(path, COPY_MAX, &data, &len)) == 0)
                r = handset_put(&(struct handset_file){ folder, name, 0644 }, data, len);
        else
                say_wrong("%s: %s", path, strerror(-r));
        free(data);
        return r;
}

static int put_files(const struct region *region, struct enrolment *e)
{
        struct handset_file conf = { e->folder, "handset.conf", 0600 };
        char real[REGION_PATH_MAX], dir[HANDSET_FOLDER_MAX + 1];
        int r = region_real(e->folder, real);

        if (r == 0)
                r = handset_folder(region, real, e->handset, dir);
        if (r < 0 || (r = make_configuration(region, e, dir)) < 0 ||
            (r = handset_put_pair(&e->pair, e->folder, "")) < 0 || (r = copy(region, e->folder, "ca.pem")) < 0 ||
            (r = copy(region, e->folder, "root.pem")) < 0 || (r = copy(region, e->folder, REGION_TRUST)) < 0)
                return r;
        return handset_put(&conf, e->configuration.text, e->configuration.len);
}

/* Take away what put_files() made, so that a failed enrolment leaves nothing behind. */
static void undo(const char *folder)
{
        static const char *const names[] = { "key.pem",  "certificate.pem", "ca.pem",
                                             "root.pem", REGION_TRUST,      "handset.conf" };
        char path[REGION_PATH_MAX];

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), "%.*s/%s", HANDSET_FOLDER_MAX, folder, names[i]);
                unlink(path);
        }
        rmdir(folder);
}

/* ---- the whole */

static int draw(const struct region *region, struct enrolment *e)
{
        uint8_t id[HANDSET_ID_SIZE];

        if (RAND_bytes(id, sizeof(id)) != 1 || RAND_bytes(e->entry.enrolment, ENROLMENT_SIZE) != 1)
                return -EIO;
        hex_encode(id, sizeof(id), e->handset);
        return handset_certify(region, e->handset, &e->entry, &e->pair);
}

static void look_for_person(struct region *region, const struct enrolment *e)
{
        const char *hash = e->entry.role == HANDSET_SUPERVISOR ? "supervisors" : "carriers";
        uint8_t data[PEOPLE_MAX];

        if (e->entry.person[0] != 0 && region_people_get(region, hash, e->entry.person, data, sizeof(data)) == -ENOENT)
                say_wrong("note: %s: there is no %s yet", hash, e->entry.person);
}

static int enrol(struct region *region, struct enrolment *e)
{
        struct redisContext *c;
        int r;

        if ((r = region_alerts(region, &c)) < 0 || (r = draw(region, e)) < 0 ||
            (r = handset_folder(region, e->out, e->handset, e->folder)) < 0)
                return r;
        look_for_person(region, e);
        if (mkdir(e->folder, 0700) < 0) {
                r = -errno;
                say_wrong("%s: %s", e->folder, strerror(errno));
                return r;
        }
        if ((r = put_files(region, e)) < 0 || (r = handset_set_pair(region, e->handset, &e->entry, &e->pair)) < 0)
                undo(e->folder);
        return r;
}

int enrol_main(struct region *region, int argc, char **argv)
{
        struct enrolment e = { .role = "carrier", .servers = "localhost:8443", .days = HANDSET_DAYS_DEFAULT };
        const struct choice list[] = {
                { "role", &e.role, NULL, "carrier (default) or supervisor" },
                { "person", &e.person, NULL, "the supervisor's id; for a carrier's phone the usual holder, if any" },
                { "number", &e.number, NULL, "the SIM's number, +33..." },
                { "site", &e.site, NULL, "site's name" },
                { "servers", &e.servers, NULL, "dispatchers, host:port[,host:port...] (localhost:8443)" },
                { "alert-servers", &e.alert_servers, NULL, "their alert ports, likewise (the region's, of the same hosts)" },
                { "modem", &e.modem, NULL, "terminal of its modem, for SMS: /dev/..." },
                { "pins", NULL, &e.ask_pins, "PIN and duress PIN, one a line, from standard input" },
                { "pin", &e.pin_given, NULL, "4 to 8 digits: says 'it was a mistake'" },
                { "duress", &e.duress_given, NULL, "PIN under threat: looks the same, calls louder" },
                { "days", &e.days, NULL, "term of the certificate (" HANDSET_DAYS_DEFAULT ")" },
                { "out", &e.out, NULL, "folder to make (default: handsets/ID in the region)" },
        };
        const struct choices choices = { "enrol [--role ROLE] [--person ID] [...]", list,
                                         sizeof(list) / sizeof(list[0]), 0 };
        int r = choices_read(&choices, argc, argv, NULL);

        if (r == 0 && (r = check(region, &e)) == 0 && (r = enrol(region, &e)) == 0)
                say_row(e.handset, e.folder, NULL);
        key_free(e.pair.key);
        explicit_bzero(&e, sizeof(e));
        return refused(r);
}
