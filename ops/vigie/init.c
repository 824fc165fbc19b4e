#include <errno.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/keeper.h"
#include "ops/vigie/keys.h"
#include "ops/vigie/pki.h"
#include "ops/vigie/say.h"
#include "ops/vigie/setup.h"
#include "wire/people.h"

#define CA_YEARS        10
#define SERVER_YEARS    2
#define TICKET_KEY_SIZE 80
#define PASSWORD_OCTETS 16
/* Octets of a server's name: "https://NAME:PORT" is an origin in console.conf, where an item of a list has 121. */
#define SERVER_NAME_MAX 100
/* Octets of --names. */
#define NAMES_MAX       1024
/* Made first and removed last.  Beside it a folder without vigie.conf is an init that was cut short, and may be
 * repeated. */
#define MARKER          "init-not-finished"

/* Everything that is written, made before anything is. */
struct texts {
        struct conf_text dispatcher, console, keeper, tool, acl, kannel;
};

/* ---- what is asked */

static int split(char *names, struct setup *s)
{
        for (char *save, *word = strtok_r(names, ",", &save); word != NULL; word = strtok_r(NULL, ",", &save)) {
                if (s->name_count == PKI_NAMES_MAX)
                        return say_wrong("--names: more than %d", PKI_NAMES_MAX);
                if (strlen(word) > SERVER_NAME_MAX)
                        return say_wrong("--names '%s': at most %d octets each", word, SERVER_NAME_MAX);
                if (!pki_name_is_valid(word))
                        return say_wrong("--names '%s': a host's name in lower case, or an IP address", word);
                s->names[s->name_count++] = word;
        }
        return s->name_count > 0 ? 0 : say_wrong("--names: none");
}

static int draw(char text[SETUP_PASSWORD_SIZE])
{
        uint8_t octets[PASSWORD_OCTETS];
        int r = RAND_bytes(octets, sizeof(octets)) == 1 ? 0 : -EIO;

        if (r == 0)
                hex_encode(octets, sizeof(octets), text);
        explicit_bzero(octets, sizeof(octets));
        return r;
}

/* The numbers of SMS: as an operator's network writes them, so that one number has one form. */
static int read_numbers(const struct setup *s)
{
        const char *const given[] = { s->sms_number, s->control_number };
        static const char *const names[] = { "--sms-number", "--control-number" };

        for (size_t i = 0; i < 2; i++) {
                size_t digits = given[i][0] == '+' ? strspn(given[i] + 1, "0123456789") : 0;

                if (given[i][0] != 0 && (digits < 5 || digits > 15 || given[i][digits + 1] != 0))
                        return say_wrong("%s '%s': + and 5 to 15 digits", names[i], given[i]);
        }
        if (s->control_number[0] != 0 && s->sms_number[0] == 0)
                return say_wrong("--control-number: without --sms-number nothing can be sent to it");
        return 0;
}

/* The command line; NAMES of NAMES_MAX octets is cut into the setup's. */
static int read_setup(int argc, char **argv, struct setup *s, char *names)
{
        static const struct bounds ports = { 1, 65535 };
        static const struct bounds gateways = { 1, 65533 };
        const char *given = "localhost,127.0.0.1", *handset_port = "8443", *console_port = "8444", *sms_port = "8445",
                   *alert_port = "8446", *gateway_port = "13000";
        const struct choice list[] = {
                { "region", &s->region, NULL, "the region's short name" },
                { "names", &given, NULL, "names and addresses of the servers, NAME[,NAME...] (localhost,127.0.0.1)" },
                { "alerts", &s->alerts, NULL,
                  "Redis of the alerts: /socket, host:port or sentinel:NAME@host:port,... (/run/vigie/alerts.sock)" },
                { "positions", &s->positions, NULL, "Redis of the positions (/run/vigie/positions.sock)" },
                { "handset-port", &handset_port, NULL, "TCP port for handsets (8443)" },
                { "alert-port", &alert_port, NULL, "TCP port for alerts alone (8446)" },
                { "console-port", &console_port, NULL, "TCP port for browsers (8444)" },
                { "keeper", &s->keeper, NULL, "socket of vigie-keeper (" KEEPER_SOCKET ")" },
                { "archive", &s->archive_dir, NULL,
                  "folder of the archive, not under /etc (archive/ in the region's)" },
                { "sms-number", &s->sms_number, NULL, "the region's own number, +33..., for SMS by Kannel" },
                { "control-number", &s->control_number, NULL,
                  "the control room's telephone: SMS when its consoles are blind" },
                { "sms-port", &sms_port, NULL, "loopback port on which dispatchers take SMS (8445)" },
                { "gateway-port", &gateway_port, NULL, "the first of three loopback ports of Kannel (13000)" },
        };
        const struct choices choices = { "init --region NAME [...]", list, sizeof(list) / sizeof(list[0]), 0 };

        if (choices_read(&choices, argc, argv, NULL) < 0)
                return -EINVAL;
        if (s->region == NULL)
                return say_wrong("--region NAME is missing (`vigie init --help` has all)");
        if (!person_id_valid(s->region))
                return say_wrong("--region '%s': 1 to %d letters, digits, '.', '_' or '-'", s->region, REGION_NAME_MAX);
        if (text_fit("--names", given, names, NAMES_MAX) < 0 || split(names, s) < 0 ||
            keeper_socket_check(s->keeper) < 0 || redis_address_check("--alerts", s->alerts) < 0 ||
            redis_address_check("--positions", s->positions) < 0 ||
            whole_number("--handset-port", handset_port, &ports, &s->handset_port) < 0 ||
            whole_number("--alert-port", alert_port, &ports, &s->alert_port) < 0 ||
            whole_number("--console-port", console_port, &ports, &s->console_port) < 0 ||
            whole_number("--sms-port", sms_port, &ports, &s->sms_port) < 0 ||
            whole_number("--gateway-port", gateway_port, &gateways, &s->gateway_port) < 0)
                return -EINVAL;
        if (s->archive_dir[0] != 0 && (s->archive_dir[0] != '/' || strlen(s->archive_dir) >= REGION_PATH_MAX))
                return say_wrong("--archive '%s': the full name of a folder, at most %d octets", s->archive_dir,
                                 REGION_PATH_MAX - 1);
        return read_numbers(s);
}

/* ---- keys */

static int make_keys(const struct region *region)
{
        static const struct keys_pair pairs[] = { { KEY_EDDSA, "", "root" },
                                                  { KEY_EDDSA, "", "archive" },
                                                  { KEY_EDDSA, "", "receipt" } };
        int r = 0;

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]) && r == 0; i++)
                r = keys_make(region, &pairs[i]);
        return r;
}

static int make_server(const struct region *region, const struct pki_ca *ca, const struct setup *s)
{
        struct pki_server who = { s->names, s->name_count, SERVER_YEARS };
        char pem[PKI_CERTIFICATE_MAX];
        struct key *key = NULL;
        int r = key_generate(KEY_ES256, &key);

        if (r < 0 || (r = keys_put(region, key, "", "server")) < 0 ||
            (r = pki_server(ca, &who, key, pem, sizeof(pem))) < 0)
                goto out;
        r = region_write(region, "server.pem", pem, strlen(pem), 0644);
out:
        key_free(key);
        return r;
}

static int make_tls(const struct region *region, const struct setup *s)
{
        uint8_t tickets[TICKET_KEY_SIZE];
        char pem[PKI_CERTIFICATE_MAX];
        struct pki_ca *ca = NULL;
        int r = pki_ca_create(s->region, CA_YEARS, &ca);

        if (r < 0 || (r = pki_ca_pem(ca, pem, sizeof(pem))) < 0 ||
            (r = region_write(region, "ca.pem", pem, strlen(pem), 0644)) < 0 ||
            (r = keys_put(region, pki_ca_key(ca), "", "ca")) < 0 || (r = make_server(region, ca, s)) < 0)
                goto out;
        r = RAND_bytes(tickets, sizeof(tickets)) == 1
                    ? region_write(region, "tickets.key", (char *)tickets, sizeof(tickets), 0600)
                    : -EIO;
out:
        explicit_bzero(tickets, sizeof(tickets));
        pki_ca_free(ca);
        return r;
}

/* ---- the folder */

static int put_folder(const struct region *region, const char *name)
{
        char path[REGION_PATH_MAX];
        int r = region_path(region, name, path);

        if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST) {
                r = -errno;
                say_wrong("%s: %s", path, strerror(errno));
        }
        return r;
}

static int put(const struct region *region, const char *name, const struct conf_text *text)
{
        return region_write(region, name, text->text, text->len, 0600);
}

static int put_text(const struct region *region, const char *name, const char *text)
{
        return region_write(region, name, text, strlen(text), 0644);
}

/* What each instance of vigie-dispatcher@.service has of its own: two on the ordinary port, two on the alert port. */
static int put_dispatchers(const struct region *region, const struct setup *s)
{
        static const char *const names[] = { "d1", "d2", "a1", "a2" };
        char file[64], text[256];
        int r = 0;

        for (int i = 0; i < 4 && r == 0; i++) {
                int len = snprintf(text, sizeof(text), "VIGIE_OPTIONS=-o dispatcher.rank=%d", i);

                if (i >= 2)
                        len += snprintf(text + len, sizeof(text) - (size_t)len,
                                        " -o listen.port=%ld -o listen.alerts_only=yes", s->alert_port);
                len += snprintf(text + len, sizeof(text) - (size_t)len, "\n");
                snprintf(file, sizeof(file), "dispatcher@%s.env", names[i]);
                r = region_write(region, file, text, (size_t)len, 0644);
        }
        return r;
}

static int write_all(struct region *region, const struct setup *s, const struct texts *texts)
{
        static const char empty[] = "{\"type\": \"FeatureCollection\", \"features\": []}\n";
        char *sign[] = { "trust", "sign", NULL }, path[REGION_PATH_MAX];
        int r;

        snprintf(region->config.name, sizeof(region->config.name), "%s", s->region);
        if ((r = put_text(region, MARKER, "")) < 0 || (r = put_folder(region, "redis")) < 0 ||
            (r = put_folder(region, "handsets")) < 0 || (r = make_keys(region)) < 0 ||
            (r = keeper_make(region, &texts->keeper)) < 0 || (r = make_tls(region, s)) < 0 ||
            (r = put(region, "redis/users.acl", &texts->acl)) < 0 ||
            (r = put(region, "dispatcher.conf", &texts->dispatcher)) < 0 || (r = put_dispatchers(region, s)) < 0 ||
            (r = put(region, "console.conf", &texts->console)) < 0 || (r = put_text(region, REGION_ZONES, empty)) < 0 ||
            (r = put_text(region, REGION_BARRIERS, empty)) < 0 || (r = region_path(region, REGION_TRUST, path)) < 0)
                return r;
        unlink(path); /* of an init that was cut short: signed by another root */
        if (trust_main(region, 2, sign) != EXIT_DONE)
                return -EIO;
        if ((s->sms_number[0] != 0 && (r = put(region, "kannel.conf", &texts->kannel)) < 0) ||
            (r = put(region, "vigie.conf", &texts->tool)) < 0 || (r = region_path(region, MARKER, path)) < 0)
                return r;
        unlink(path); /* vigie.conf is there: with it the region is one */
        return 0;
}

/* Refuse a folder that holds a region, or keys of something that is no init cut short. */
static int check_folder(const struct region *region)
{
        static const char *const keys[] = { "vigie.conf", MARKER, "root.key", "root.pem", "ca.key", "ca.pem" };
        char path[REGION_PATH_MAX];
        struct stat st;
        int r;

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                if ((r = region_path(region, keys[i], path)) < 0)
                        return r;
                if (lstat(path, &st) < 0)
                        continue;
                if (strcmp(keys[i], MARKER) == 0)
                        return 0;
                say_wrong("%s is there: %s holds a region already; nothing was changed", keys[i], region->dir);
                return -EEXIST;
        }
        return 0;
}

static int make_texts(const struct setup *s, struct texts *texts)
{
        int r;

        if ((r = setup_dispatcher(s, &texts->dispatcher)) < 0 || (r = setup_console(s, &texts->console)) < 0 ||
            (r = setup_keeper(s, &texts->keeper)) < 0 || (r = setup_tool(s, &texts->tool)) < 0 ||
            (r = setup_kannel(s, &texts->kannel)) < 0)
                return r;
        return setup_acl(s, &texts->acl);
}

static int make(const char *dir, struct setup *s, struct texts *texts)
{
        struct region region = { 0 };
        bool made;
        int r;

        if ((r = text_fit("folder", dir, region.dir, sizeof(region.dir))) < 0 || (r = check_folder(&region)) < 0)
                return r;
        made = mkdir(dir, 0700) == 0;
        if (!made && errno != EEXIST) {
                r = -errno;
                say_wrong("%s: %s", dir, strerror(errno));
                return r;
        }
        if ((r = region_real(dir, s->dir)) == 0)
                r = make_texts(s, texts);
        if (r < 0 && made)
                rmdir(dir);
        return r < 0 ? r : write_all(&region, s, texts);
}

int init_main(const char *dir, int argc, char **argv)
{
        struct setup setup = { .alerts = "/run/vigie/alerts.sock",
                               .positions = "/run/vigie/positions.sock",
                               .keeper = KEEPER_SOCKET,
                               .archive_dir = "",
                               .sms_number = "",
                               .control_number = "" };
        struct texts *texts = calloc(1, sizeof(*texts));
        char names[NAMES_MAX];
        int r = texts != NULL ? read_setup(argc, argv, &setup, names) : -ENOMEM;

        keeper_peers(&setup);
        if (r == 0 &&
            ((r = draw(setup.dispatcher)) < 0 || (r = draw(setup.console)) < 0 || (r = draw(setup.tool)) < 0 ||
             (r = draw(setup.archive)) < 0 || (r = draw(setup.replica)) < 0 || (r = draw(setup.sentinel)) < 0 ||
             (r = draw(setup.door)) < 0 || (r = draw(setup.sendsms)) < 0 || (r = draw(setup.admin)) < 0 ||
             (r = make(dir, &setup, texts)) < 0) &&
            r != -EINVAL && r != -EEXIST)
                say_wrong("init: %s", strerror(-r));
        if (r == 0) {
                printf("region %s in ", setup.region);
                say_safe(stdout, setup.dir);
                printf("\nTake root.key off this machine now, and keep it where no network is.  Dispatchers and "
                       "consoles need neither\n"
                       "ca.key nor door.key; the folder keeper/ is vigie-keeper's alone.\n");
                if (setup.sms_number[0] != 0)
                        printf("kannel.conf: add the line to your operator, as share/vigie/kannel/README.md says.\n");
        }
        if (texts != NULL)
                explicit_bzero(texts, sizeof(*texts));
        free(texts);
        explicit_bzero(&setup, sizeof(setup));
        return refused(r);
}
