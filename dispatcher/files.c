#include "dispatcher/files.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "wire/cose.h"
#include "wire/signing.h"

static int refuse(struct files_error *ret_error, const char *path, const char *rule, int r)
{
        snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", path, rule);
        return r;
}

/* ---- Zones: one file, or all *.geojson of a folder, checked each alone (so that a mistake names its file) and then
 * together. */

static int read_zones_text(const char *path, char **ret_text, size_t *ret_len, struct files_error *ret_error)
{
        struct zones *zones = NULL;
        struct geo_error error;
        int r = file_read(path, GEOJSON_TEXT_MAX, ret_text, ret_len);

        if (r < 0)
                return refuse(ret_error, path, strerror(-r), r);
        r = zones_read(*ret_text, *ret_len, &zones, &error);
        zones_free(zones);
        if (r < 0) {
                free(*ret_text);
                *ret_text = NULL;
                return refuse(ret_error, path, error.text, r);
        }
        return 0;
}

/* add_features: put the features of a text that zones_read has taken into ALL. */
static int add_features(json_t *all, const char *text, size_t len)
{
        bool mark = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
        json_t *json = json_loadb(text + 3 * mark, len - 3 * mark, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        json_t *features = json_object_get(json, "features");
        int r;

        if (json == NULL)
                return -ENOMEM;
        r = features != NULL ? json_array_extend(all, features) : json_array_append(all, json);
        json_decref(json);
        return r == 0 ? 0 : -ENOMEM;
}

static int is_zone_file(const struct dirent *entry)
{
        size_t len = strlen(entry->d_name);

        return entry->d_name[0] != '.' && len > 8 && strcmp(entry->d_name + len - 8, ".geojson") == 0;
}

/* join_zones: all files of the folder as one text. */
static int join_zones(const char *folder, char **ret_text, struct files_error *ret_error)
{
        struct dirent **names = NULL;
        json_t *all = json_array(), *joined;
        int count = scandir(folder, &names, is_zone_file, alphasort), r = 0;

        if (count < 0)
                r = refuse(ret_error, folder, strerror(errno), -errno);
        else if (count > FILES_ZONES_MAX)
                r = refuse(ret_error, folder, "more than 1024 files of zones", -E2BIG);
        for (int i = 0; i < count && r == 0; i++) {
                char path[CONFIG_PATH_SIZE + 260], *text = NULL;
                size_t len = 0;

                snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
                r = read_zones_text(path, &text, &len, ret_error);
                if (r == 0 && (r = add_features(all, text, len)) < 0)
                        refuse(ret_error, path, "no memory", r);
                free(text);
        }
        for (int i = 0; i < count; i++)
                free(names[i]);
        free(names);
        joined = json_pack("{s:s, s:o}", "type", "FeatureCollection", "features", all); /* takes ALL */
        *ret_text = r == 0 ? json_dumps(joined, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
        json_decref(joined);
        return r == 0 && *ret_text == NULL ? -ENOMEM : r;
}

static int read_zones(const char *path, struct zones **ret_zones, struct files_error *ret_error)
{
        struct geo_error error;
        struct stat st;
        char *text = NULL;
        size_t len = 0;
        int r;

        if (stat(path, &st) < 0)
                return refuse(ret_error, path, strerror(errno), -errno);
        if (S_ISDIR(st.st_mode))
                r = join_zones(path, &text, ret_error);
        else
                r = read_zones_text(path, &text, &len, ret_error);
        if (r == 0 && (r = zones_read(text, strlen(text), ret_zones, &error)) < 0)
                refuse(ret_error, path, error.text, r);
        free(text);
        return r;
}

static int read_barriers(const char *path, struct barriers **ret_barriers, struct files_error *ret_error)
{
        struct geo_error error;
        char *text = NULL;
        size_t len = 0;
        int r;

        if (path[0] == '\0')
                return 0;
        r = file_read(path, GEOJSON_TEXT_MAX, &text, &len);
        if (r < 0)
                return refuse(ret_error, path, strerror(-r), r);
        r = barriers_read(text, len, ret_barriers, &error);
        free(text);
        return r < 0 ? refuse(ret_error, path, error.text, r) : 0;
}

static int read_receipt_key(const char *path, struct files *files, struct files_error *ret_error)
{
        int r = key_from_file(path, &files->receipt_key);

        if (r < 0)
                return refuse(ret_error, path, key_trouble(r), r);
        if (key_alg(files->receipt_key) != KEY_EDDSA || !key_is_private(files->receipt_key))
                return refuse(ret_error, path, "not a private Ed25519 key", -EBADMSG);
        return key_kid(files->receipt_key, files->receipt_kid);
}

static int read_root(const char *path, struct files *files, struct files_error *ret_error)
{
        int r = key_from_file(path, &files->root);

        if (r < 0)
                return refuse(ret_error, path, key_trouble(r), r);
        return key_alg(files->root) != KEY_EDDSA ? refuse(ret_error, path, "not an Ed25519 key", -EBADMSG) : 0;
}

/* open_trust: the list that the root has signed, of our region. */
static int open_trust(const struct config *config, const struct files *files, struct cbor_span data,
                      struct trust *ret_trust, struct files_error *ret_error)
{
        const char *path = config->trust_path, *why = "malformed";
        struct cose_sign1 message;
        int r = cose_sign1_parse(data, COSE_OURS, &message, &why);

        if (r == 0)
                r = trust_read_payload(message.payload, ret_trust, &why);
        if (r == 0 && (r = trust_open(data, files->root, ret_trust)) < 0)
                why = "not signed by the root that trust.root names";
        else if (r == 0 && strcmp(ret_trust->region, config->region) != 0)
                why = "of another region", r = -EXDEV;
        else if (r == 0 && files->trust != NULL && ret_trust->number < files->trust_number)
                why = "older than the one held", r = -EBADMSG;
        return r < 0 ? refuse(ret_error, path, why, r) : 0;
}

int files_read_trust(const struct config *config, struct files *files, struct files_error *ret_error)
{
        struct trust *trust = calloc(1, sizeof(*trust));
        char *data = NULL;
        size_t len = 0;
        int r = trust != NULL ? file_read(config->trust_path, TRUST_MAX, &data, &len) : -ENOMEM;

        if (r < 0)
                refuse(ret_error, config->trust_path, strerror(-r), r);
        else
                r = open_trust(config, files, (struct cbor_span){ (const uint8_t *)data, len }, trust, ret_error);
        if (r == 0) {
                free(files->trust);
                files->trust = data;
                files->trust_len = len;
                files->trust_number = trust->number;
                data = NULL;
        }
        free(data);
        free(trust);
        return r;
}

bool files_receipt_listed(const struct files *files, uint32_t at_s)
{
        struct trust *trust = calloc(1, sizeof(*trust));
        struct cbor_span list = { (const uint8_t *)files->trust, files->trust_len };
        bool listed = trust != NULL && trust_open(list, files->root, trust) == 0 &&
                      trust_find(trust, files->receipt_kid, TRUST_RECEIPT, at_s) != NULL;

        free(trust);
        return listed;
}

int files_read(const struct config *config, struct files *ret_files, struct files_error *ret_error)
{
        int r;

        memset(ret_files, 0, sizeof(*ret_files));
        snprintf(ret_error->text, sizeof(ret_error->text), "no memory");
        if ((r = read_zones(config->zones_path, &ret_files->zones, ret_error)) < 0 ||
            (r = read_barriers(config->barriers_path, &ret_files->barriers, ret_error)) < 0 ||
            (r = read_receipt_key(config->receipt_key, ret_files, ret_error)) < 0 ||
            (r = read_root(config->trust_root, ret_files, ret_error)) < 0)
                return r;
        return files_read_trust(config, ret_files, ret_error);
}

void files_free(struct files *files)
{
        zones_free(files->zones);
        barriers_free(files->barriers);
        key_free(files->root);
        key_free(files->receipt_key);
        free(files->trust);
        memset(files, 0, sizeof(*files));
}
