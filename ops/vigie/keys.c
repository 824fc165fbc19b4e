#include "ops/vigie/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/vigie/say.h"

static void name_private(char file[64], const char *folder, const char *name)
{
        snprintf(file, 64, "%s%s%s.key", folder, folder[0] != 0 ? "/" : "", name);
}

int keys_put(const struct region *region, const struct key *key, const char *folder, const char *name)
{
        char pem[KEY_PEM_MAX], file[64];
        int r = key_to_pem(key, true, pem, sizeof(pem));

        name_private(file, folder, name);
        if (r == 0)
                r = region_write(region, file, pem, strlen(pem), 0600);
        explicit_bzero(pem, sizeof(pem));
        return r;
}

static int put_public(const struct region *region, const struct key *key, const char *name)
{
        char pem[KEY_PEM_MAX], file[64];
        int r = key_to_pem(key, false, pem, sizeof(pem));

        snprintf(file, sizeof(file), "%s.pem", name);
        return r < 0 ? r : region_write(region, file, pem, strlen(pem), 0644);
}

int keys_make(const struct region *region, const struct keys_pair *pair)
{
        struct key *key = NULL;
        int r = key_generate(pair->alg, &key);

        if (r == 0 && (r = keys_put(region, key, pair->folder, pair->name)) == 0)
                r = put_public(region, key, pair->name);
        key_free(key);
        return r;
}

int keys_take_public(const struct region *region, const struct keys_pair *pair)
{
        char file[64], path[REGION_PATH_MAX];
        struct key *key = NULL;
        int r;

        name_private(file, pair->folder, pair->name);
        if ((r = region_path(region, file, path)) < 0)
                return r;
        if ((r = key_from_file(path, &key)) < 0 || key_alg(key) != pair->alg || !key_is_private(key)) {
                say_wrong("%s: not a private key of its kind", path);
                r = r < 0 ? r : -EKEYREJECTED;
        } else {
                r = put_public(region, key, pair->name);
        }
        key_free(key);
        return r;
}
