#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/password.h"
#include "ops/vigie/command.h"
#include "wire/people.h"

/* One kind of people: its hash, how `add` reads an entry and how `list` prints one. */
struct kind {
        const char *hash, *usage;
        int (*add)(const char *id, int argc, char **argv, uint8_t *data);
        int (*print)(const char *id, const uint8_t *data, size_t size);
};

static int number_fit(const char *number, char *to)
{
        if (number != NULL && number[0] != 0 && !number_valid(number)) {
                fprintf(stderr, "vigie: number '%s': '+' and 6 to 15 digits (E.164)\n", number);
                return -EINVAL;
        }
        return text_fit("number", number, to, NUMBER_MAX + 1);
}

static int name_fit(const char *name, char *to)
{
        if (name == NULL || name[0] == 0) {
                fprintf(stderr, "vigie: --name is needed\n");
                return -EINVAL;
        }
        return text_fit("name", name, to, NAME_MAX_OCTETS + 1);
}

static int id_fit(const char *what, const char *id, char *to)
{
        return id_check(what, id, true) < 0 ? -EINVAL : text_fit(what, id, to, PERSON_ID_MAX + 1);
}

static int carrier_add(const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *number = NULL, *team = NULL, *site = NULL;
        const struct choice list[] = {
                { "name", &name, NULL, "the carrier's name, as colleagues read it" },
                { "number", &number, NULL, "telephone, +33..." },
                { "team", &team, NULL, "team id" },
                { "site", &site, NULL, "site id" },
        };
        const struct choices choices = { "carrier add ID --name NAME [...]", list, 4, 0 };
        struct carrier_entry e;
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = number_fit(number, e.number)) < 0 || (r = id_fit("team", team, e.team)) < 0 ||
            (r = id_fit("site", site, e.site)) < 0)
                return r;
        return carrier_entry_encode(&e, data, PEOPLE_MAX);
}

static int carrier_print(const char *id, const uint8_t *data, size_t size)
{
        struct carrier_entry e;
        int r = carrier_entry_decode(data, size, &e);

        if (r == 0)
                printf("%s\t%s\t%s\tteam=%s\tsite=%s\n", id, e.name, e.number, e.team, e.site);
        return r;
}

static int supervisor_add(const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *number = NULL, *team = NULL;
        struct supervisor_entry e = { 0 };
        const struct choice list[] = {
                { "name", &name, NULL, "the supervisor's name, as carriers read it" },
                { "number", &number, NULL, "telephone, +33..." },
                { "team", &team, NULL, "team id: zones may be reserved to teams" },
                { "manager", NULL, &e.manager, "is asked when 120 s have brought nobody" },
        };
        const struct choices choices = { "supervisor add ID --name NAME [...]", list, 4, 0 };
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = number_fit(number, e.number)) < 0 || (r = id_fit("team", team, e.team)) < 0)
                return r;
        return supervisor_entry_encode(&e, data, PEOPLE_MAX);
}

static int supervisor_print(const char *id, const uint8_t *data, size_t size)
{
        struct supervisor_entry e;
        int r = supervisor_entry_decode(data, size, &e);

        if (r == 0)
                printf("%s\t%s\t%s\tteam=%s%s\n", id, e.name, e.number, e.team, e.manager ? "\tmanager" : "");
        return r;
}

static int round_add(const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *zone = NULL, *team = NULL;
        const struct choice list[] = {
                { "name", &name, NULL, "the round's name" },
                { "zone", &zone, NULL, "zone id" },
                { "team", &team, NULL, "team id" },
        };
        const struct choices choices = { "round add ID --name NAME --zone ZONE [--team TEAM]", list, 3, 0 };
        struct round_entry e;
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = id_fit("zone", zone, e.zone_id)) < 0 || (r = id_fit("team", team, e.team)) < 0)
                return r;
        return round_entry_encode(&e, data, PEOPLE_MAX);
}

static int round_print(const char *id, const uint8_t *data, size_t size)
{
        struct round_entry e;
        int r = round_entry_decode(data, size, &e);

        if (r == 0)
                printf("%s\t%s\tzone=%s\tteam=%s\n", id, e.name, e.zone_id, e.team);
        return r;
}

/* The password is read from stdin, one line: never from the command line, where others see it. */
static int read_password(char *text)
{
        char line[PASSWORD_MAX + 2];
        size_t len;
        int r;

        if (isatty(STDIN_FILENO))
                fprintf(stderr, "password (it is shown): ");
        if (fgets(line, sizeof(line), stdin) == NULL) {
                fprintf(stderr, "vigie: a password is expected on standard input\n");
                return -EINVAL;
        }
        len = strcspn(line, "\r\n");
        if (len < 8 || len > PASSWORD_MAX) {
                fprintf(stderr, "vigie: the password has %zu octets: 8 to %d are allowed\n", len, PASSWORD_MAX);
                return -EINVAL;
        }
        r = password_hash(line, len, text);
        explicit_bzero(line, sizeof(line));
        return r;
}

static int user_add(const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *role = NULL, *person = id, *language = "fr";
        struct user_entry e = { 0 };
        const struct choice list[] = {
                { "name", &name, NULL, "the user's name" },
                { "role", &role, NULL, "control, supervisor, admin, issuer, auditor or caretaker" },
                { "person", &person, NULL, "for role supervisor: the supervisor's id (default: the login)" },
                { "language", &language, NULL, "fr or en" },
                { "disabled", NULL, &e.disabled, "cannot log in" },
        };
        const struct choices choices = { "user add LOGIN --name NAME --role ROLE [...] < password", list, 5, 0 };
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = id_fit("person", person, e.person)) < 0)
                return r;
        r = user_role_parse(role != NULL ? role : "");
        if (r < 0 || (strcmp(language, "fr") != 0 && strcmp(language, "en") != 0)) {
                fprintf(stderr, "vigie: role '%s', language '%s': see vigie user add --help\n", role != NULL ? role : "", language);
                return -EINVAL;
        }
        e.role = (uint8_t)r;
        memcpy(e.language, language, 3);
        if ((r = read_password(e.password)) < 0)
                return r;
        return user_entry_encode(&e, data, PEOPLE_MAX);
}

static int user_print(const char *id, const uint8_t *data, size_t size)
{
        struct user_entry e;
        int r = user_entry_decode(data, size, &e);

        if (r == 0)
                printf("%s\t%s\t%s\tperson=%s\t%s%s\n", id, e.name, user_role_name(e.role), e.person, e.language,
                       e.disabled ? "\tdisabled" : "");
        return r;
}

static int list(struct region *region, const struct kind *kind)
{
        redisReply *reply;
        redisContext *c;
        char key[96];
        int r = region_alerts(region, &c);

        if (r < 0)
                return EXIT_REFUSED;
        region_key(region, kind->hash, key);
        reply = redisCommand(c, "HGETALL %s", key);
        if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
                fprintf(stderr, "vigie: Redis: %s\n", reply != NULL && reply->str != NULL ? reply->str : c->errstr);
                r = -EIO;
        }
        for (size_t i = 0; r == 0 && i + 1 < reply->elements; i += 2)
                if (kind->print(reply->element[i]->str, (const uint8_t *)reply->element[i + 1]->str, reply->element[i + 1]->len) < 0)
                        fprintf(stderr, "vigie: %s %s: entry cannot be read\n", kind->hash, reply->element[i]->str);
        freeReplyObject(reply);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static int add(struct region *region, const struct kind *kind, int argc, char **argv)
{
        uint8_t data[PEOPLE_MAX];
        const char *id = argv[2];
        int r;

        if (id_check("id", id, false) < 0)
                return EXIT_USAGE;
        r = kind->add(id, argc - 2, argv + 2, data);
        if (r < 0)
                return EXIT_USAGE;
        struct region_entry entry = { kind->hash, id, data, (size_t)r };
        return region_people_set(region, &entry) == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static int people_main(struct region *region, const struct kind *kind, int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "";

        if (strcmp(verb, "list") == 0 && argc == 2)
                return list(region, kind);
        if (strcmp(verb, "add") == 0 && argc > 2)
                return add(region, kind, argc, argv);
        if (strcmp(verb, "remove") == 0 && argc == 3 && id_check("id", argv[2], false) == 0) {
                struct region_entry entry = { .hash = kind->hash, .field = argv[2] };

                return region_people_set(region, &entry) == 0 ? EXIT_DONE : EXIT_REFUSED;
        }
        fprintf(stderr, "usage: vigie %s list | add %s ... | remove %s\n", argv[0], kind->usage, kind->usage);
        return EXIT_USAGE;
}

int carrier_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "carriers", "ID", carrier_add, carrier_print };

        return people_main(region, &kind, argc, argv);
}

int supervisor_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "supervisors", "ID", supervisor_add, supervisor_print };

        return people_main(region, &kind, argc, argv);
}

int user_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "users", "LOGIN", user_add, user_print };

        return people_main(region, &kind, argc, argv);
}

int round_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "rounds", "ID", round_add, round_print };

        return people_main(region, &kind, argc, argv);
}
