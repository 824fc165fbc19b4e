#include "ops/vigie/door.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "ops/vigie/building.h"
#include "ops/vigie/command.h"
#include "ops/vigie/conf_text.h"
#include "ops/vigie/say.h"
#include "wire/pass_signing.h"
#include "wire/status.h"

#define DAYS_DEFAULT "365"
#define DAYS_MAX     730 /* as long as the region's door key is listed */
#define DAY_S        86400

static const char *const classes[DOOR_CLASS_END] = { "", "nfc", "scanner", "caretaker" };

/* Files of a door's folder, in the order in which they are written. */
static const char *const files[] = { "door.pem", "mandate", "trust.cose", "root.pem", "status.list", "door.conf" };

struct made {
        const char *building, *class, *key, *days, *name, *at, *open, *page, *out;
        bool degraded;
        char folder[REGION_PATH_MAX];
        uint8_t id[DOOR_ID_SIZE], building_id[BUILDING_ID_SIZE];
        char field[DOOR_ID_TEXT];
        struct building_entry place;
        struct door_entry entry;
        struct mandate mandate;
        struct key *own; /* the door's: public, or drawn here */
};

/* ---- what is asked */

static int class_of(const char *text)
{
        for (int i = 1; i < DOOR_CLASS_END; i++)
                if (strcmp(text, classes[i]) == 0)
                        return i;
        return say_wrong("--class '%s': nfc, scanner or caretaker", text);
}

static int own_key(struct made *m)
{
        uint8_t public[KEY_PUBLIC_MAX];
        int r = m->key != NULL ? key_from_file(m->key, &m->own) : key_generate(KEY_ES256, &m->own);

        if (r < 0 || key_alg(m->own) != KEY_ES256) {
                say_wrong("%s: not a P-256 key", m->key != NULL ? m->key : "the door's");
                return r < 0 ? r : -EKEYREJECTED;
        }
        key_public(m->own, public);
        memcpy(m->entry.key, public + 1, PASS_KEY_SIZE);
        m->entry.has_key = true;
        return 0;
}

static int check(struct region *region, struct made *m)
{
        static const struct bounds days = { 1, DAYS_MAX };
        int class = class_of(m->class), r;
        long count;

        if (class < 0 || whole_number("--days", m->days, &days, &count) < 0 ||
            text_fit("name", m->name, m->entry.name, sizeof(m->entry.name)) < 0)
                return -EINVAL;
        if (m->building == NULL)
                return say_wrong("--building is needed");
        if (class == DOOR_PAGE ? m->page == NULL || m->out != NULL || m->key != NULL
                               : m->page != NULL || m->out == NULL)
                return say_wrong("a caretaker's page has --page and neither --key nor --out; any other door has --out, "
                                 "no --page");
        if (m->open[0] != '/' || m->at[0] != '/')
                return say_wrong("--open, --at: whole paths, from / on");
        if ((r = building_find(region, m->building, m->building_id, &m->place)) < 0 ||
            (class != DOOR_PAGE && (r = own_key(m)) < 0))
                return r;
        if (RAND_bytes(m->id, sizeof(m->id)) != 1)
                return -EIO;
        hex_encode(m->id, sizeof(m->id), m->field);
        memcpy(m->entry.building, m->building_id, sizeof(m->building_id));
        m->entry.class = (uint8_t) class;
        m->entry.opens_degraded = m->degraded;
        m->entry.from_s = (uint32_t)time(NULL) - 60;
        m->entry.to_s = m->entry.from_s + (uint32_t)count * DAY_S;
        return 0;
}

/* ---- what the door is given */

static int put(const struct made *m, const char *name, const void *data, size_t len)
{
        char path[REGION_PATH_MAX + 32];
        int r;

        snprintf(path, sizeof(path), "%s/%s", m->folder, name);
        r = file_write(path, data, len, strcmp(name, "door.pem") == 0 ? 0600 : 0644);
        if (r < 0)
                say_wrong("%s: %s", path, strerror(-r));
        return r;
}

static int put_key(const struct made *m)
{
        char pem[KEY_PEM_MAX];
        int r = m->key == NULL ? key_to_pem(m->own, true, pem, sizeof(pem)) : 0;

        if (r == 0 && m->key == NULL)
                r = put(m, "door.pem", pem, strlen(pem));
        explicit_bzero(pem, sizeof(pem));
        return r;
}

static int put_mandate(const struct region *region, struct made *m)
{
        uint8_t to[MANDATE_MAX], kid[KEY_KID_SIZE];
        char path[REGION_PATH_MAX];
        struct key *signer = NULL;
        struct cbor_writer w;
        int r = region_path(region, "door.key", path);

        memcpy(m->mandate.door, m->id, sizeof(m->id));
        memcpy(m->mandate.building, m->building_id, sizeof(m->building_id));
        memcpy(m->mandate.key, m->entry.key, PASS_KEY_SIZE);
        snprintf(m->mandate.region, sizeof(m->mandate.region), "%s", region->config.name);
        m->mandate.class = m->entry.class;
        m->mandate.not_before_s = m->entry.from_s;
        m->mandate.not_after_s = m->entry.to_s;
        cbor_writer_init(&w, to, sizeof(to));
        if (r == 0 && (r = key_from_file(path, &signer)) < 0)
                say_wrong("%s: %s (the region's key for doors is needed)", path, key_trouble(r));
        if (r == 0 && (r = key_kid(signer, kid)) == 0 && (r = mandate_sign(&m->mandate, kid, signer, &w)) == 0)
                r = put(m, "mandate", to, w.len);
        key_free(signer);
        return r;
}

static int copy(const struct region *region, const struct made *m, const char *name)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = region_path(region, name, path);

        if (r == 0 && (r = file_read(path, TRUST_MAX + KEY_PEM_MAX, &data, &len)) < 0)
                say_wrong("%s: %s", path, strerror(-r));
        if (r == 0)
                r = put(m, name, data, len);
        free(data);
        return r;
}

/* The newest status list, where there is one yet: newer ones come by phones. */
static int put_status(struct region *region, const struct made *m)
{
        uint8_t *list = malloc(STATUS_MAX);
        int r = list != NULL ? region_people_get(region, "lists", "status", list, STATUS_MAX) : -ENOMEM;

        if (r >= 0)
                r = put(m, "status.list", list, (size_t)r);
        else if (r == -ENOENT)
                r = 0;
        free(list);
        return r;
}

static int put_configuration(const struct region *region, const struct made *m)
{
        struct conf_text *t = calloc(1, sizeof(*t));
        int r;

        if (t == NULL)
                return -ENOMEM;
        conf_text_init(t, m->entry.class == DOOR_SCANNER
                                  ? "; scanner.device (/dev/ttyACM0) is the scanner's line; standard input without it"
                                  : "");
        conf_text_section(t, "region");
        conf_text_key(t, "name", "%s", region->config.name);
        conf_text_section(t, "door");
        conf_text_key(t, "key", "%s/door.pem", m->at);
        conf_text_key(t, "mandate", "%s/mandate", m->at);
        conf_text_key(t, "sensitive", "%s", m->place.flags & BUILDING_SENSITIVE ? "yes" : "no");
        conf_text_key(t, "degraded", "%s", m->degraded ? "yes" : "no");
        conf_text_section(t, "trust");
        conf_text_key(t, "path", "%s/trust.cose", m->at);
        conf_text_key(t, "root", "%s/root.pem", m->at);
        conf_text_section(t, "status");
        conf_text_key(t, "path", "%s/status.list", m->at);
        conf_text_section(t, "state");
        conf_text_key(t, "path", "/var/lib/vigie-door");
        conf_text_section(t, "open");
        conf_text_key(t, "command", "%s", m->open);
        r = t->error < 0 ? t->error : put(m, "door.conf", t->text, t->len);
        free(t);
        return r;
}

static void undo(const struct made *m)
{
        char path[REGION_PATH_MAX + 32];

        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                snprintf(path, sizeof(path), "%s/%s", m->folder, files[i]);
                unlink(path);
        }
        rmdir(m->folder);
}

static int put_folder(struct region *region, struct made *m)
{
        int r = text_fit("--out", m->out, m->folder, sizeof(m->folder));

        if (r == 0 && mkdir(m->folder, 0700) < 0) {
                r = -errno;
                say_wrong("%s: %s", m->folder, strerror(errno));
                return r;
        }
        if (r == 0 && ((r = put_key(m)) < 0 || (r = put_mandate(region, m)) < 0 ||
                       (r = copy(region, m, REGION_TRUST)) < 0 || (r = copy(region, m, "root.pem")) < 0 ||
                       (r = put_status(region, m)) < 0 || (r = put_configuration(region, m)) < 0))
                undo(m);
        return r;
}

/* ---- add, list, remove */

static int make(struct region *region, struct made *m)
{
        uint8_t data[DESK_SMALL_MAX];
        char link[DOOR_LINK_MAX] = "";
        int len = door_entry_encode(&m->entry, data, sizeof(data)), r = len < 0 ? len : 0;

        if (r == 0)
                r = m->page == NULL
                            ? put_folder(region, m)
                            : door_link(region, &(struct door_place){ m->page, m->building_id, &m->place }, link);
        if (r < 0)
                return r;
        r = region_people_set(region, &(struct region_entry){ "doors", m->field, data, (size_t)len });
        if (r < 0 && m->page == NULL)
                undo(m);
        if (r == 0)
                say_row(m->field, m->page == NULL ? m->folder : link, NULL);
        return r;
}

static int add(struct region *region, const void *of, int argc, char **argv)
{
        struct made m = { .class = "", .days = DAYS_DEFAULT, .name = "", .at = "/etc/vigie", .open = "/bin/true" };
        const struct choice list[] = {
                { "building", &m.building, NULL, "its building's id" },
                { "class", &m.class, NULL, "nfc, scanner or caretaker" },
                { "name", &m.name, NULL, "which of the building's doors: \"courtyard\"" },
                { "key", &m.key, NULL,
                  "its public key, PEM, P-256 (default: a pair is drawn, door.pem is its private half)" },
                { "days", &m.days, NULL, "term of its mandate (" DAYS_DEFAULT ")" },
                { "degraded", NULL, &m.degraded, "opens also while its status list is too old" },
                { "open", &m.open, NULL, "command that opens it (/bin/true: to be written into door.conf)" },
                { "at", &m.at, NULL, "where the folder's files lie at the door (/etc/vigie)" },
                { "out", &m.out, NULL, "folder to make: all that vigie-door needs" },
                { "page", &m.page, NULL, "of a caretaker's: the page's address; its link is printed" },
        };
        const struct choices choices = { "door add --building ID --class CLASS --out FOLDER [...]", list,
                                         sizeof(list) / sizeof(list[0]), 0 };
        int r = choices_read(&choices, argc, argv, NULL);

        if (r == 0 && (r = check(region, &m)) == 0)
                r = make(region, &m);
        key_free(m.own);
        return refused(r);
}

static const char *day(uint32_t at_s, char to[24])
{
        time_t at = at_s;
        struct tm tm;

        strftime(to, 24, "%Y-%m-%d %H:%M", gmtime_r(&at, &tm));
        return at_s != 0 ? to : "never";
}

static void print(void *user, const char *field, const uint8_t *data, size_t size)
{
        char until[24], list[24], seen[24], text[3][40], building[BUILDING_ID_TEXT];
        struct door_entry e;

        if (door_entry_decode(data, size, &e) < 0) {
                say_wrong("door %s: entry cannot be read", field);
                return;
        }
        hex_encode(e.building, sizeof(e.building), building);
        snprintf(text[0], sizeof(text[0]), "until %s", day(e.to_s, until));
        snprintf(text[1], sizeof(text[1]), "list of %s", day(e.list_s, list));
        snprintf(text[2], sizeof(text[2]), "looked at %s", day(e.seen_at_s, seen));
        say_row(field, building, e.name, classes[e.class], text[0], text[1], text[2], NULL);
}

static int list(struct region *region, const void *of, int argc, char **argv)
{
        if (choices_read(&(struct choices){ .usage = "door list" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        return refused(region_people_each(region, "doors", print, NULL));
}

static int take_away(struct region *region, const void *of, int argc, char **argv)
{
        uint8_t id[DOOR_ID_SIZE];
        char field[DOOR_ID_TEXT];
        const char *word;
        int r;

        if (choices_read(&(struct choices){ .usage = "door remove ID", .words_wanted = 1 }, argc, argv, &word) < 0)
                return EXIT_USAGE;
        if (hex_decode(word, id, sizeof(id)) < 0) {
                say_wrong("door '%s': 16 hex digits", word);
                return EXIT_USAGE;
        }
        hex_encode(id, sizeof(id), field);
        r = region_people_set(region, &(struct region_entry){ .hash = "doors", .field = field });
        if (r == -ENOENT)
                say_wrong("there is no door %s", field);
        return refused(r);
}

int door_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = {
                { "add",
                  "--building ID --class nfc|scanner|caretaker [--name NAME] [--key PUB.pem] [--days N] [--degraded] "
                  "[--open COMMAND] [--at FOLDER] --out FOLDER | --page URL",
                  add, NULL },
                { "list", "", list, NULL },
                { "remove", "ID", take_away, NULL },
                { 0 },
        };

        return verbs_main(verbs, region, argc, argv);
}
