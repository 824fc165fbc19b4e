#include <errno.h>
#include <string.h>

#include "base/password.h"
#include "ops/vigie/building.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "ops/vigie/secret.h"
#include "wire/people.h"

#define PASSWORD_MIN 8

/* One kind of people: its hash, how `add` reads an entry and how `list` prints one. */
struct kind {
        const char *hash;
        int (*add)(struct region *region, const char *id, int argc, char **argv, uint8_t *data);
        int (*print)(const char *id, const uint8_t *data, size_t size);
};

static int name_fit(const char *name, char *to)
{
        if (name == NULL || name[0] == 0)
                return say_wrong("--name is needed");
        return text_fit("name", name, to, NAME_MAX_OCTETS + 1);
}

/* ---- carriers */

static int carrier_add(struct region *region, const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *number = NULL, *team = NULL, *site = NULL;
        const struct choice list[] = {
                { "name", &name, NULL, "the carrier's name, as colleagues read it" },
                { "number", &number, NULL, "telephone, +33..." },
                { "team", &team, NULL, "team's name" },
                { "site", &site, NULL, "site's name" },
        };
        const struct choices choices = { "carrier add ID --name NAME [...]", list, 4, 0 };
        struct carrier_entry e;
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = number_fit(number, e.number)) < 0 || (r = team_fit("team", team, e.team)) < 0 ||
            (r = team_fit("site", site, e.site)) < 0)
                return r;
        return carrier_entry_encode(&e, data, PEOPLE_MAX);
}

static int carrier_print(const char *id, const uint8_t *data, size_t size)
{
        struct carrier_entry e;
        int r = carrier_entry_decode(data, size, &e);

        if (r == 0)
                say_row(id, e.name, e.number, e.team, e.site, NULL);
        return r;
}

/* ---- supervisors */

static int supervisor_add(struct region *region, const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *number = NULL, *team = NULL;
        struct supervisor_entry e = { 0 };
        const struct choice list[] = {
                { "name", &name, NULL, "the supervisor's name, as carriers read it" },
                { "number", &number, NULL, "telephone, +33..." },
                { "team", &team, NULL, "team's name: zones may be reserved to teams" },
                { "manager", NULL, &e.manager, "is asked when 120 s have brought nobody" },
        };
        const struct choices choices = { "supervisor add ID --name NAME [...]", list, 4, 0 };
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = number_fit(number, e.number)) < 0 || (r = team_fit("team", team, e.team)) < 0)
                return r;
        return supervisor_entry_encode(&e, data, PEOPLE_MAX);
}

static int supervisor_print(const char *id, const uint8_t *data, size_t size)
{
        struct supervisor_entry e;
        int r = supervisor_entry_decode(data, size, &e);

        if (r == 0)
                say_row(id, e.name, e.number, e.team, e.manager ? "manager" : "", NULL);
        return r;
}

/* ---- rounds */

static int round_add(struct region *region, const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *zone = NULL, *team = NULL;
        const struct choice list[] = {
                { "name", &name, NULL, "the round's name" },
                { "zone", &zone, NULL, "zone's id, as `vigie zone list` shows it" },
                { "team", &team, NULL, "team's name" },
        };
        const struct choices choices = { "round add ID --name NAME [--zone ZONE] [--team TEAM]", list, 3, 0 };
        struct round_entry e;
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0 ||
            (r = text_fit("zone", zone, e.zone_id, sizeof(e.zone_id))) < 0 || (r = team_fit("team", team, e.team)) < 0)
                return r;
        return round_entry_encode(&e, data, PEOPLE_MAX);
}

static int round_print(const char *id, const uint8_t *data, size_t size)
{
        struct round_entry e;
        int r = round_entry_decode(data, size, &e);

        if (r == 0)
                say_row(id, e.name, e.zone_id, e.team, NULL);
        return r;
}

/* ---- users of the console */

static int read_password(char *to)
{
        char line[PASSWORD_MAX + 1];
        int len = secret_read("password", line, sizeof(line));
        int r = len;

        if (len >= 0 && len < PASSWORD_MIN) {
                say_wrong("password: %d octets; at least %d", len, PASSWORD_MIN);
                r = -ERANGE;
        }
        if (r >= 0)
                r = password_hash(line, (size_t)len, to);
        explicit_bzero(line, sizeof(line));
        return r;
}

/* A supervisor's login is of use once the supervisor is there: the order is the operator's, a slip of a pen is not. */
static void look_for_supervisor(struct region *region, const char *person)
{
        uint8_t data[PEOPLE_MAX];

        if (region_people_get(region, "supervisors", person, data, sizeof(data)) == -ENOENT)
                say_wrong("note: there is no supervisor %s yet", person);
}

static int user_add(struct region *region, const char *id, int argc, char **argv, uint8_t *data)
{
        const char *name = NULL, *role = "", *person = NULL, *language = "fr";
        struct user_entry e = { 0 };
        const struct choice list[] = {
                { "name", &name, NULL, "the user's name" },
                { "role", &role, NULL, "control, supervisor, admin, issuer, auditor or caretaker" },
                { "person", &person, NULL, "for role supervisor: the supervisor's id (default: the login)" },
                { "language", &language, NULL, "fr (default) or en" },
                { "disabled", NULL, &e.disabled, "cannot log in" },
        };
        const struct choices choices = { "user add LOGIN --name NAME --role ROLE [...] < PASSWORD", list, 5, 0 };
        int r;

        if ((r = choices_read(&choices, argc, argv, NULL)) < 0 || (r = name_fit(name, e.name)) < 0)
                return r;
        if ((r = user_role_parse(role)) < 0)
                return say_wrong("--role '%s': control, supervisor, admin, issuer, auditor or caretaker", role);
        e.role = (uint8_t)r;
        if (strcmp(language, "fr") != 0 && strcmp(language, "en") != 0)
                return say_wrong("--language '%s': fr or en", language);
        memcpy(e.language, language, 3);
        if (person != NULL && e.role != ROLE_SUPERVISOR)
                return say_wrong("--person '%s': only for role supervisor", person);
        if ((r = id_fit("person", person != NULL ? person : id, false, e.person)) < 0 ||
            (r = read_password(e.password)) < 0)
                return r;
        if (e.role == ROLE_SUPERVISOR)
                look_for_supervisor(region, e.person);
        return user_entry_encode(&e, data, PEOPLE_MAX);
}

static int user_print(const char *id, const uint8_t *data, size_t size)
{
        struct user_entry e;
        int r = user_entry_decode(data, size, &e);

        if (r == 0)
                say_row(id, e.name, user_role_name(e.role), e.person, e.language, e.disabled ? "disabled" : "", NULL);
        return r;
}

/* ---- all kinds */

static void print(void *user, const char *field, const uint8_t *data, size_t size)
{
        const struct kind *kind = user;

        if (kind->print(field, data, size) < 0)
                say_wrong("%s %s: entry cannot be read", kind->hash, field);
}

static int list(struct region *region, const void *of, int argc, char **argv)
{
        if (choices_read(&(struct choices){ .usage = "... list" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        return refused(region_people_each(region, ((const struct kind *)of)->hash, print, (void *)of));
}

static int add(struct region *region, const void *of, int argc, char **argv)
{
        const struct kind *kind = of;
        const char *id = argc > 1 ? argv[1] : "";
        char checked[PERSON_ID_MAX + 1];
        uint8_t data[PEOPLE_MAX];
        int r = 0;

        if (strcmp(id, "--help") == 0)
                return refused(kind->add(region, id, argc, argv, data));
        if (id_fit("id", id, false, checked) < 0 || (r = kind->add(region, id, argc - 1, argv + 1, data)) == -EINVAL)
                return EXIT_USAGE;
        if (r < 0)
                return EXIT_REFUSED;
        struct region_entry entry = { kind->hash, id, data, (size_t)r };
        r = region_people_set(region, &entry);
        explicit_bzero(data, sizeof(data));
        return refused(r);
}

static int take_away(struct region *region, const void *of, int argc, char **argv)
{
        const struct kind *kind = of;
        const char *id;
        char checked[PERSON_ID_MAX + 1];
        int r;

        if (choices_read(&(struct choices){ .usage = "... remove ID", .words_wanted = 1 }, argc, argv, &id) < 0 ||
            id_fit("id", id, false, checked) < 0)
                return EXIT_USAGE;
        r = region_people_set(region, &(struct region_entry){ .hash = kind->hash, .field = id });
        if (r == -ENOENT)
                say_wrong("%s: there is no %s", kind->hash, id);
        return refused(r);
}

int carrier_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "carriers", carrier_add, carrier_print };
        static const struct verb verbs[] = {
                { "add", "ID --name NAME [--number N] [--team TEAM] [--site SITE]", add, &kind },
                { "list", "", list, &kind },
                { "remove", "ID", take_away, &kind },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}

int supervisor_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "supervisors", supervisor_add, supervisor_print };
        static const struct verb verbs[] = {
                { "add", "ID --name NAME [--number N] [--team TEAM] [--manager]", add, &kind },
                { "list", "", list, &kind },
                { "remove", "ID", take_away, &kind },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}

int user_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "users", user_add, user_print };
        static const struct verb verbs[] = {
                { "add", "LOGIN --name NAME --role ROLE [--person ID] [--language fr|en] [--disabled] < PASSWORD", add,
                  &kind },
                { "list", "", list, &kind },
                { "remove", "LOGIN", take_away, &kind },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}

int round_main(struct region *region, int argc, char **argv)
{
        static const struct kind kind = { "rounds", round_add, round_print };
        static const struct verb verbs[] = {
                { "add", "ID --name NAME [--zone ZONE] [--team TEAM]", add, &kind },
                { "list", "", list, &kind },
                { "remove", "ID", take_away, &kind },
                { "stops", "ROUND [BUILDING...]", round_stops, NULL },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}
