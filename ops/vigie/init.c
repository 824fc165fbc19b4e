#include <errno.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/pki.h"
#include "wire/people.h"

#define CA_YEARS        10
#define SERVER_YEARS    2
#define TICKET_KEY_SIZE 80
#define PASSWORD_OCTETS 16

struct plan {
        const char *region, *names, *alerts, *positions, *handset_port, *console_port;
        char dir[REGION_PATH_MAX]; /* absolute */
        char dispatcher[2 * PASSWORD_OCTETS + 1], console[2 * PASSWORD_OCTETS + 1], tool[2 * PASSWORD_OCTETS + 1];
};

static int draw(char text[2 * PASSWORD_OCTETS + 1])
{
        uint8_t octets[PASSWORD_OCTETS];

        if (RAND_bytes(octets, sizeof(octets)) != 1)
                return -EIO;
        hex_encode(octets, sizeof(octets), text);
        return 0;
}

__attribute__((format(printf, 4, 5))) static int put(const struct region *region, const char *name, mode_t mode, const char *fmt, ...)
{
        char text[8192];
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= sizeof(text))
                return -ENOBUFS;
        return region_write(region, name, text, (size_t)n, mode);
}

static int put_key(const struct region *region, const struct key *key, const char *name)
{
        char pem[KEY_PEM_MAX], file[64];
        int r = key_to_pem(key, true, pem, sizeof(pem));

        snprintf(file, sizeof(file), "%s.key", name);
        if (r == 0)
                r = region_write(region, file, pem, strlen(pem), 0600);
        explicit_bzero(pem, sizeof(pem));
        return r;
}

/* NAME.key and NAME.pem: a key pair with one use. */
static int make_key(const struct region *region, enum key_alg alg, const char *name)
{
        char pem[KEY_PEM_MAX], file[64];
        struct key *key = NULL;
        int r = key_generate(alg, &key);

        snprintf(file, sizeof(file), "%s.pem", name);
        if (r < 0 || (r = put_key(region, key, name)) < 0 || (r = key_to_pem(key, false, pem, sizeof(pem))) < 0)
                goto out;
        r = region_write(region, file, pem, strlen(pem), 0644);
out:
        key_free(key);
        return r;
}

static size_t split(char *names, const char *list[PKI_NAMES_MAX])
{
        size_t count = 0;

        for (char *save, *word = strtok_r(names, ",", &save); word != NULL && count < PKI_NAMES_MAX; word = strtok_r(NULL, ",", &save))
                list[count++] = word;
        return count;
}

static int make_server(const struct region *region, const struct pki_ca *ca, const char *names)
{
        const char *list[PKI_NAMES_MAX];
        char copy[512], pem[PKI_CERTIFICATE_MAX];
        struct key *key = NULL;
        int r = key_generate(KEY_ES256, &key);

        snprintf(copy, sizeof(copy), "%s", names);
        struct pki_server who = { list, split(copy, list), SERVER_YEARS };
        if (r < 0 || (r = put_key(region, key, "server")) < 0 || (r = pki_server(ca, &who, key, pem, sizeof(pem))) < 0)
                goto out;
        r = region_write(region, "server.pem", pem, strlen(pem), 0644);
out:
        key_free(key);
        return r;
}

static int make_tls(const struct region *region, const struct plan *plan)
{
        uint8_t tickets[TICKET_KEY_SIZE];
        char pem[PKI_CERTIFICATE_MAX];
        struct pki_ca *ca = NULL;
        int r = pki_ca_create(plan->region, CA_YEARS, &ca);

        if (r < 0 || (r = pki_ca_pem(ca, pem, sizeof(pem))) < 0 || (r = region_write(region, "ca.pem", pem, strlen(pem), 0644)) < 0 ||
            (r = put_key(region, pki_ca_key(ca), "ca")) < 0 || (r = make_server(region, ca, plan->names)) < 0)
                goto out;
        r = RAND_bytes(tickets, sizeof(tickets)) == 1 ? region_write(region, "tickets.key", (char *)tickets, sizeof(tickets), 0600) : -EIO;
out:
        pki_ca_free(ca);
        return r;
}

/* The default user is off, so nobody can be it, and yet may do everything: Redis 7.0 loads its AOF as that user and checks
 * its rights at each EXEC, so that without them every script's writes would be dropped, without an error, at a restart. */
static int put_stores(const struct region *region, const struct plan *p)
{
        int r;

        if ((r = put(region, "redis/users.acl", 0600,
                     "user default off ~* &* +@all\n"
                     "user dispatcher on >%s ~{%s}:* &* +@all -@admin -@dangerous +info +role\n"
                     "user console on >%s %%R~{%s}:* %%RW~{%s}:session:* %%RW~{%s}:commands -@all +@read +@connection +@transaction +xadd +set "
                     "+del +expire +pexpire +time\n"
                     "user tool on >%s ~{%s}:* &* +@all -@admin -@dangerous +info +role\n",
                     p->dispatcher, p->region, p->console, p->region, p->region, p->region, p->tool, p->region)) < 0)
                return r;
        return put(region, "redis/README", 0644,
                   "users.acl is the ACL file of both Redis of region %s: name it by `aclfile` (ops/redis/ has the rest of\n"
                   "the configuration).  The passwords stand in dispatcher.conf, console.conf and vigie.conf too.\n", p->region);
}

static int put_dispatcher(const struct region *region, const struct plan *p)
{
        const char *d = p->dir;

        return put(region, "dispatcher.conf", 0600,
                   "; one file for all dispatchers of the region; each process has its own name, rank and journal:\n"
                   ";   vigie-dispatcher -c dispatcher.conf -o dispatcher.name=d2 -o dispatcher.rank=1 -o journal.path=/var/lib/vigie/d2.journal\n"
                   "[region]\nname = %s\n"
                   "[dispatcher]\nname = d1\nrank = 0\n"
                   "[listen]\nport = %s\n"
                   "[tls]\ncertificate = %s/server.pem\nkey = %s/server.key\nclient_ca = %s/ca.pem\nticket_key = %s/tickets.key\n"
                   "[alerts]\naddress = %s\nuser = dispatcher\npassword = %s\n"
                   "[positions]\naddress = %s\nuser = dispatcher\npassword = %s\n"
                   "[journal]\npath = %s/d1.journal\n"
                   "[snapshot]\npath = %s/d1.snapshot\n"
                   "[zones]\npath = %s/zones.geojson\n"
                   "[receipt]\nkey = %s/receipt.key\n"
                   "[trust]\npath = %s/trust.cose\n",
                   p->region, p->handset_port, d, d, d, d, p->alerts, p->dispatcher, p->positions, p->dispatcher, d, d, d, d, d);
}

/* https://NAME:PORT for each name. */
static int origins(const struct plan *p, char *to, size_t size)
{
        const char *list[PKI_NAMES_MAX];
        char copy[512];
        size_t len = 0, count;

        snprintf(copy, sizeof(copy), "%s", p->names);
        count = split(copy, list);
        for (size_t i = 0; i < count; i++) {
                int n = snprintf(to + len, size - len, "%shttps://%s:%s", i > 0 ? ", " : "", list[i], p->console_port);

                if (n < 0 || (size_t)n >= size - len)
                        return -ENOBUFS;
                len += (size_t)n;
        }
        return 0;
}

static int put_console(const struct region *region, const struct plan *p)
{
        char list[150];
        int r = origins(p, list, sizeof(list));

        if (r < 0) {
                fprintf(stderr, "vigie: --names: too many for one line of the configuration; write web.origins yourself\n");
                return r;
        }
        return put(region, "console.conf", 0600,
                   "[region]\nname = %s\n"
                   "[listen]\nport = %s\n"
                   "[tls]\ncertificate = %s/server.pem\nkey = %s/server.key\n"
                   "[web]\norigins = %s\n"
                   "[zones]\npath = %s/zones.geojson\n"
                   "[alerts]\naddress = %s\nuser = console\npassword = %s\n"
                   "[positions]\naddress = %s\nuser = console\npassword = %s\n",
                   p->region, p->console_port, p->dir, p->dir, list, p->dir, p->alerts, p->console,
                   p->positions, p->console);
}

static int put_tool(const struct region *region, const struct plan *p)
{
        return put(region, "vigie.conf", 0600,
                   "[region]\nname = %s\n[alerts]\naddress = %s\n[positions]\naddress = %s\n[store]\nuser = tool\npassword = %s\n",
                   p->region, p->alerts, p->positions, p->tool);
}

static int make_folders(const char *dir)
{
        static const char *const names[] = { "", "/redis", "/handsets" };
        char path[REGION_PATH_MAX + 16];

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                snprintf(path, sizeof(path), "%s%s", dir, names[i]);
                if (mkdir(path, 0700) < 0 && errno != EEXIST) {
                        fprintf(stderr, "vigie: %s: %s\n", path, strerror(errno));
                        return -errno;
                }
        }
        return 0;
}

static int make(struct region *region, const struct plan *plan)
{
        char *sign[] = { "trust", "sign", NULL };
        int r;

        if ((r = make_key(region, KEY_EDDSA, "root")) < 0 || (r = make_key(region, KEY_EDDSA, "receipt")) < 0 ||
            (r = make_key(region, KEY_ECDH_ES, "position")) < 0 || (r = make_tls(region, plan)) < 0 ||
            (r = put_stores(region, plan)) < 0 || (r = put_dispatcher(region, plan)) < 0 || (r = put_console(region, plan)) < 0 ||
            (r = put(region, "zones.geojson", 0644, "{\"type\": \"FeatureCollection\", \"features\": []}\n")) < 0)
                return r;
        snprintf(region->config.name, sizeof(region->config.name), "%s", plan->region);
        if (trust_main(region, 2, sign) != EXIT_DONE)
                return -EIO;
        return put_tool(region, plan); /* last: with it the region is one */
}

static int check(const struct plan *p, const struct region *region)
{
        char path[REGION_PATH_MAX];
        struct stat st;
        int r;

        if (p->region == NULL || !person_id_valid(p->region)) {
                fprintf(stderr, "vigie: --region: a short name of letters, digits, '.', '_' and '-' is needed\n");
                return -EINVAL;
        }
        if ((r = region_path(region, "root.pem", path)) < 0)
                return r;
        if (stat(path, &st) == 0) {
                fprintf(stderr, "vigie: %s holds a region already; nothing was changed\n", region->dir);
                return -EEXIST;
        }
        return 0;
}

int init_main(const char *dir, int argc, char **argv)
{
        struct plan plan = { .names = "localhost,127.0.0.1", .alerts = "/run/vigie/alerts.sock", .positions = "/run/vigie/positions.sock",
                             .handset_port = "8443", .console_port = "8444" };
        const struct choice list[] = {
                { "region", &plan.region, NULL, "the region's short name" },
                { "names", &plan.names, NULL, "names and addresses of the servers, NAME[,NAME...] (localhost,127.0.0.1)" },
                { "alerts", &plan.alerts, NULL, "Redis of the alerts: /socket or host:port" },
                { "positions", &plan.positions, NULL, "Redis of the positions" },
                { "handset-port", &plan.handset_port, NULL, "TCP port for handsets (8443)" },
                { "console-port", &plan.console_port, NULL, "TCP port for browsers (8444)" },
        };
        const struct choices choices = { "init --region NAME [...]", list, sizeof(list) / sizeof(list[0]), 0 };
        struct region region = { 0 };
        int r;

        snprintf(region.dir, sizeof(region.dir), "%s", dir);
        if (choices_read(&choices, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        if ((r = check(&plan, &region)) < 0)
                return r == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
        if (make_folders(dir) < 0 || region_real(dir, plan.dir) < 0 || draw(plan.dispatcher) < 0 || draw(plan.console) < 0 ||
            draw(plan.tool) < 0)
                return EXIT_REFUSED;
        r = make(&region, &plan);
        if (r < 0) {
                fprintf(stderr, "vigie: init: %s\n", strerror(-r));
                return EXIT_REFUSED;
        }
        printf("region %s in %s\nTake root.key off this machine now, and keep it where no network is.\n", plan.region, plan.dir);
        return EXIT_DONE;
}
