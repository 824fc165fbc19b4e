#include "wire/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "ops/vigie/command.h"
#include "wire/signing.h"

#define TERM_S (2 * 365 * 86400u) /* a key's dates in the list; its successor is listed 90 days before (DESIGN 4) */

/* The region's public keys that go into the list, by file; one that is not there is left out. */
static const struct {
        const char *file;
        enum trust_use use;
} listed[] = {
        { "receipt.pem", TRUST_RECEIPT },      { "receipt-next.pem", TRUST_RECEIPT }, { "position.pem", TRUST_POSITION },
        { "position-next.pem", TRUST_POSITION }, { "order.pem", TRUST_ORDER },        { "pass.pem", TRUST_PASS },
        { "status.pem", TRUST_STATUS },        { "door.pem", TRUST_DOOR },
};

static int add_key(const struct region *region, size_t i, struct trust *trust)
{
        struct trust_key *k = &trust->keys[trust->count];
        char path[REGION_PATH_MAX];
        struct key *key;
        int r = region_path(region, listed[i].file, path);

        if (r < 0 || (r = key_from_file(path, &key)) < 0)
                return r == -ENOENT ? 0 : r;
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

/* Number after that of the list in trust.cose; 1 when there is none. */
static int follow(const struct region *region, const struct key *root, struct trust *trust)
{
        struct trust *before = calloc(1, sizeof(*before));
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len;
        int r = before == NULL ? -ENOMEM : region_path(region, "trust.cose", path);

        if (r == 0 && (r = file_read(path, TRUST_MAX, &data, &len)) == 0)
                r = trust_open((struct cbor_span){ (const uint8_t *)data, len }, root, before);
        if (r == 0) {
                trust->number = before->number + 1;
                keep_dates(before, trust);
        } else if (r == -ENOENT) {
                trust->number = 1;
                r = 0;
        }
        free(data);
        free(before);
        return r;
}

static int sign(const struct region *region, struct trust *trust, uint8_t *to, size_t *ret_len)
{
        struct cbor_writer w;
        struct key *root = NULL;
        char path[REGION_PATH_MAX];
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(listed) / sizeof(listed[0]); i++)
                r = add_key(region, i, trust);
        if (r < 0 || (r = region_path(region, "root.key", path)) < 0 || (r = key_from_file(path, &root)) < 0 ||
            (r = follow(region, root, trust)) < 0)
                goto out;
        cbor_writer_init(&w, to, TRUST_MAX);
        r = trust_sign(trust, root, &w);
        *ret_len = w.len;
out:
        key_free(root);
        return r;
}

int trust_main(struct region *region, int argc, char **argv)
{
        struct trust *trust = calloc(1, sizeof(*trust));
        uint8_t *to = malloc(TRUST_MAX);
        size_t len = 0;
        int r = -ENOMEM;

        if (argc != 2 || strcmp(argv[1], "sign") != 0) {
                fprintf(stderr, "usage: vigie trust sign\n");
                r = -EINVAL;
        } else if (trust != NULL && to != NULL) {
                trust->issued_at_s = (uint32_t)time(NULL);
                snprintf(trust->region, sizeof(trust->region), "%s", region->config.name);
                r = sign(region, trust, to, &len);
                if (r < 0)
                        fprintf(stderr, "vigie: trust list: %s\n", strerror(-r));
        }
        if (r == 0 && (r = region_write(region, "trust.cose", (char *)to, len, 0644)) == 0)
                printf("trust list %u: %zu keys\n", trust->number, trust->count);
        free(trust);
        free(to);
        return r == 0 ? EXIT_DONE : r == -EINVAL ? EXIT_USAGE : EXIT_REFUSED;
}
