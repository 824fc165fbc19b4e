#include "device/door/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

static int refuse(struct files_error *ret_error, const char *path, const char *rule, int r)
{
        snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", path, rule);
        return r;
}

/* read_span: a whole file; RET_DATA is freed by the caller. */
static int read_span(const char *path, size_t max, char **ret_data, struct cbor_span *ret_span,
                     struct files_error *ret_error)
{
        size_t len = 0;
        int r = file_read(path, max, ret_data, &len);

        *ret_span = (struct cbor_span){ (const uint8_t *)*ret_data, len };
        return r < 0 ? refuse(ret_error, path, r == -EFBIG ? "too large" : strerror(-r), r) : 0;
}

static int read_key(const char *path, struct key **ret_key, struct files_error *ret_error)
{
        int r = key_from_file(path, ret_key);

        if (r < 0)
                return refuse(ret_error, path, key_trouble(r), r);
        if (key_alg(*ret_key) != KEY_ES256 || !key_is_private(*ret_key))
                return refuse(ret_error, path, "not a private P-256 key", -EBADMSG);
        return 0;
}

int files_read_trust(const struct config *config, struct entrance *door, struct files_error *ret_error)
{
        struct trust *trust = calloc(1, sizeof(*trust));
        struct key *root = NULL;
        struct cbor_span list;
        char *data = NULL;
        int r = trust != NULL ? key_from_file(config->root, &root) : -ENOMEM;

        if (r < 0) {
                refuse(ret_error, config->root, key_trouble(r), r);
                goto out;
        }
        if ((r = read_span(config->trust, TRUST_MAX, &data, &list, ret_error)) < 0)
                goto out;
        if ((r = trust_open(list, root, trust)) < 0)
                refuse(ret_error, config->trust, "not a trust list that the root of trust.root has signed", r);
        else if (strcmp(trust->region, config->region) != 0)
                r = refuse(ret_error, config->trust, "of another region", -EXDEV);
        else if (trust->number < door->trust.number)
                r = refuse(ret_error, config->trust, "older than the one held", -EBADMSG);
        else
                door->trust = *trust;
        if (r == 0)
                entrance_floor(door, trust->issued_at_s);
out:
        free(data);
        key_free(root);
        free(trust);
        return r;
}

/* is_signed: whether the mandate is by a door key of the trust list, one valid when the mandate begins. */
static bool is_signed(const struct entrance *door, const struct mandate_signed *m)
{
        const struct trust_key *listed = trust_find(&door->trust, m->cose.kid.at, TRUST_DOOR, m->mandate.not_before_s);
        struct key *key = NULL;
        bool good;

        if (listed == NULL ||
            key_from_public(listed->alg, (struct cbor_span){ listed->public, listed->public_len }, &key) < 0)
                return false;
        good = cose_sign1_verify(&m->cose, key, CBOR_LITERAL(MANDATE_AAD)) == 0;
        key_free(key);
        return good;
}

static const char *mandate_fault(const struct entrance *door, const struct mandate_signed *m)
{
        uint8_t public[KEY_PUBLIC_MAX];

        if (!is_signed(door, m))
                return "not signed by a door key of the trust list";
        if (strcmp(m->mandate.region, door->trust.region) != 0)
                return "of another region";
        key_public(door->key, public);
        if (memcmp(public + 1, m->mandate.key, PASS_KEY_SIZE) != 0)
                return "not of this door's key";
        return m->mandate.class == DOOR_PAGE ? "of a caretaker's page, not of a door" : NULL;
}

static int read_mandate(const struct config *config, struct entrance *door, struct files_error *ret_error)
{
        struct mandate_signed m;
        struct cbor_span octets;
        const char *fault = "malformed";
        char *data = NULL;
        int r = read_span(config->mandate, MANDATE_MAX, &data, &octets, ret_error);

        if (r < 0)
                return r;
        if (mandate_read(octets, &m, &fault) < 0 || (fault = mandate_fault(door, &m)) != NULL) {
                r = refuse(ret_error, config->mandate, fault, -EBADMSG);
        } else {
                door->mandate = m.mandate;
                memcpy(door->mandate_signed, octets.at, octets.len);
                door->mandate_len = octets.len;
                entrance_floor(door, m.mandate.not_before_s);
        }
        free(data);
        return r;
}

int files_read(const struct config *config, struct entrance *door, struct files_error *ret_error)
{
        int r;

        pass_crypto_init(&door->crypto);
        door->sensitive = config->sensitive;
        door->degraded_ok = config->degraded;
        snprintf(door->list.path, sizeof(door->list.path), "%s/status", config->state);
        if ((r = read_key(config->key, &door->key, ret_error)) < 0 ||
            (r = files_read_trust(config, door, ret_error)) < 0)
                return r;
        return read_mandate(config, door, ret_error);
}

int files_read_status(const char *path, bool taken_before, struct entrance *door, uint32_t clock_s,
                      struct files_error *ret_error)
{
        struct cbor_span octets;
        char *data = NULL;
        int r = read_span(path, STATUS_MAX, &data, &octets, ret_error);

        if (r == 0) {
                r = taken_before ? list_take(&door->list, octets, &door->trust, entrance_now(door, clock_s), false)
                                 : entrance_take_list(door, octets, clock_s);
                if (r < 0)
                        refuse(ret_error, path, "not a status list of this region", r);
                else if (r == 1)
                        entrance_floor(door, door->list.status->issued_at_s);
        }
        free(data);
        return r == -ENOENT ? 0 : r;
}
