#include "wire/trust.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "ops/vigie/trust_floor.h"
#include "wire/signing.h"

#define TERM_S (2 * 365 * 86400u) /* a key's dates in the list; its successor is listed 90 days before (DESIGN 4) */

/* The region's public keys that go into the list: USE.pem, its successor USE-next.pem, its predecessor USE-old.pem;
 * one that is not there is left out. */
static const struct {
        const char *name;
        enum trust_use use;
        enum key_alg alg;
} listed[] = {
        { "receipt", TRUST_RECEIPT, KEY_EDDSA }, { "position", TRUST_POSITION, KEY_ECDH_ES },
        { "order", TRUST_ORDER, KEY_EDDSA },     { "pass", TRUST_PASS, KEY_EDDSA },
        { "status", TRUST_STATUS, KEY_EDDSA },   { "door", TRUST_DOOR, KEY_ES256 },
};
static const char *const ages[] = { "", "-next", "-old" };

static int add_key(const struct region *region, const char *file, size_t i, struct trust *trust)
{
        struct trust_key *k = &trust->keys[trust->count];
        char path[REGION_PATH_MAX];
        struct key *key = NULL;
        int r = region_path(region, file, path);

        if (r < 0 || (r = key_from_file(path, &key)) == -ENOENT)
                return r == -ENOENT ? 0 : r;
        if (r == 0 && key_alg(key) != listed[i].alg) {
                key_free(key);
                r = -EKEYREJECTED;
        }
        if (r < 0) {
                say_wrong("%s: not a key of the kind that a %s key is: %s", path, listed[i].name, strerror(-r));
                return r;
        }
        k->use = listed[i].use;
        k->alg = key_alg(key);
        k->public_len = (uint8_t)key_public(key, k->public);
        k->not_before_s = trust->issued_at_s - 86400;
        k->not_after_s = trust->issued_at_s + TERM_S;
        r = key_kid(key, k->kid);
        key_free(key);
        if (r == 0)
                trust->count++;
        return r;
}

static int add_keys(const struct region *region, struct trust *trust)
{
        char file[64];
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(listed) / sizeof(listed[0]); i++)
                for (size_t j = 0; r == 0 && j < sizeof(ages) / sizeof(ages[0]); j++) {
                        snprintf(file, sizeof(file), "%s%s.pem", listed[i].name, ages[j]);
                        r = add_key(region, file, i, trust);
                }
        return r;
}

/* A key already listed keeps its dates: signing anew prolongs nothing. */
static void keep_dates(const struct trust *before, struct trust *trust)
{
        for (size_t i = 0; i < trust->count; i++)
                for (size_t j = 0; j < before->count; j++)
                        if (trust->keys[i].use == before->keys[j].use &&
                            memcmp(trust->keys[i].kid, before->keys[j].kid, KEY_KID_SIZE) == 0) {
                                trust->keys[i].not_before_s = before->keys[j].not_before_s;
                                trust->keys[i].not_after_s = before->keys[j].not_after_s;
                        }
}

/* Number after that of the list in trust.cose, and after what a restore set; 1 when there is neither. */
static int follow(const struct region *region, const struct key *root, struct trust *trust)
{
        struct trust *before = calloc(1, sizeof(*before));
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = before == NULL ? -ENOMEM : region_path(region, REGION_TRUST, path);

        if (r == 0 && (r = file_read(path, TRUST_MAX, &data, &len)) == 0)
                r = trust_open((struct cbor_span){ (const uint8_t *)data, len }, root, before);
        if (r == 0 && before->number == UINT32_MAX)
                r = -EOVERFLOW;
        if (r == 0) {
                uint32_t floor = trust_floor(region); /* of a restore */

                trust->number = (before->number > floor ? before->number : floor) + 1;
                keep_dates(before, trust);
        } else if (r == -ENOENT) {
                trust->number = trust_floor(region) + 1;
                r = 0;
        } else {
                say_wrong("%s: the list to follow is not one that this root signed: %s", path, strerror(-r));
        }
        free(data);
        free(before);
        return r;
}

/* Say whether KEY is the one that the handsets of the region were given. */
static bool is_root(const struct region *region, const struct key *key)
{
        uint8_t ours[KEY_PUBLIC_MAX], theirs[KEY_PUBLIC_MAX];
        char path[REGION_PATH_MAX];
        struct key *root = NULL;
        bool same = false;

        if (key_alg(key) == KEY_EDDSA && key_is_private(key) && region_path(region, "root.pem", path) == 0 &&
            key_from_file(path, &root) == 0)
                same = key_alg(root) == KEY_EDDSA && key_public(root, theirs) == key_public(key, ours) &&
                       memcmp(ours, theirs, 32) == 0;
        key_free(root);
        return same;
}

/* ROOT_PATH NULL is root.key of the region. */
static int open_root(const struct region *region, const char *root_path, struct key **ret_root)
{
        char path[REGION_PATH_MAX];
        int r = root_path == NULL ? region_path(region, "root.key", path) : 0;

        if (r < 0)
                return r;
        if (root_path == NULL)
                root_path = path;
        r = key_from_file(root_path, ret_root);
        if (r == 0 && !is_root(region, *ret_root)) {
                key_free(*ret_root);
                *ret_root = NULL;
                r = -EKEYREJECTED;
        }
        if (r < 0)
                say_wrong("%s: %s (the private key of root.pem is needed: bring it, or name it by --root FILE)",
                          root_path, key_trouble(r));
        return r;
}

static int write_list(const struct region *region, const struct trust *trust, const struct key *root)
{
        uint8_t *to = malloc(TRUST_MAX);
        struct cbor_writer w;
        int r = to != NULL ? 0 : -ENOMEM;

        if (r == 0) {
                cbor_writer_init(&w, to, TRUST_MAX);
                r = trust_sign(trust, root, &w);
        }
        if (r == 0)
                r = region_write(region, REGION_TRUST, (const char *)to, w.len, 0644);
        if (r == 0)
                printf("trust list %u: %zu keys\n", trust->number, trust->count);
        free(to);
        return r;
}

static int sign(struct region *region, const void *of, int argc, char **argv)
{
        const char *root_path = NULL;
        const struct choice list[] = { { "root", &root_path, NULL,
                                         "the root's private key (root.key of the region)" } };
        struct trust *trust = calloc(1, sizeof(*trust));
        struct key *root = NULL;
        int r = trust == NULL
                        ? -ENOMEM
                        : choices_read(&(struct choices){ "trust sign [--root FILE]", list, 1, 0 }, argc, argv, NULL);

        if (r < 0) {
                free(trust);
                return refused(r);
        }
        trust->issued_at_s = (uint32_t)time(NULL);
        snprintf(trust->region, sizeof(trust->region), "%s", region->config.name);
        if ((r = open_root(region, root_path, &root)) == 0 && (r = add_keys(region, trust)) == 0 &&
            (r = follow(region, root, trust)) == 0)
                r = write_list(region, trust, root);
        if (r < 0)
                say_wrong("trust list: not signed: %s", strerror(-r));
        key_free(root);
        free(trust);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

/* Into Redis, from where consoles serve it to caretakers' pages. */
static int publish(struct region *region, const void *of, int argc, char **argv)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r;

        if (choices_read(&(struct choices){ .usage = "trust publish" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        if ((r = region_path(region, REGION_TRUST, path)) == 0 && (r = file_read(path, TRUST_MAX, &data, &len)) < 0)
                say_wrong("%s: %s", path, strerror(-r));
        if (r == 0)
                r = region_people_set(region, &(struct region_entry){ "lists", "trust", (const uint8_t *)data, len });
        free(data);
        return refused(r);
}

int trust_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = { { "sign", "[--root FILE]", sign, NULL },
                                             { "publish", "", publish, NULL },
                                             { 0 } };

        return verbs_main(verbs, region, argc, argv);
}
