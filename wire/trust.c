#include "wire/trust.h"

#include <errno.h>
#include <string.h>

#define LIST_PARTS 5
#define KEY_PARTS  6

/* Octets of a public key by its algorithm; 0 for one that we do not know. */
static size_t public_len_of(int64_t alg)
{
        return alg == KEY_ES256 ? 65 : alg == KEY_EDDSA || alg == KEY_ECDH_ES ? 32 : 0;
}

static bool use_is_known(uint64_t use)
{
        return use >= TRUST_RECEIPT && use <= TRUST_DOOR;
}

/* alg_is_of: whether keys of USE may be of ALG (PROTOCOL.md 6.1): positions are sealed to, the others sign, doors by what
 * their chip has. */
static bool alg_is_of(uint64_t use, int64_t alg)
{
        if (use == TRUST_POSITION)
                return alg == KEY_ECDH_ES;
        return alg == KEY_EDDSA || (use == TRUST_DOOR && alg == KEY_ES256);
}

int trust_write_payload(const struct trust *trust, struct cbor_writer *to)
{
        const struct trust_key *key;

        if (trust->count > TRUST_KEYS_MAX)
                return -EINVAL;
        cbor_write_array(to, LIST_PARTS);
        cbor_write_uint(to, 1);
        cbor_write_uint(to, trust->number);
        cbor_write_uint(to, trust->issued_at_s);
        cbor_write_string(to, trust->region);
        cbor_write_array(to, trust->count);
        for (size_t i = 0; i < trust->count; i++) {
                key = &trust->keys[i];
                if (!use_is_known(key->use) || !alg_is_of(key->use, key->alg) || key->public_len == 0 ||
                    public_len_of(key->alg) != key->public_len || key->not_before_s > key->not_after_s)
                        return -EINVAL;
                cbor_write_array(to, KEY_PARTS);
                cbor_write_bytes(to, CBOR_OCTETS(key->kid));
                cbor_write_uint(to, key->use);
                cbor_write_int(to, key->alg);
                cbor_write_bytes(to, (struct cbor_span){ key->public, key->public_len });
                cbor_write_uint(to, key->not_before_s);
                cbor_write_uint(to, key->not_after_s);
        }
        return to->full ? -ENOBUFS : 0;
}

/* Read one key; says whether it is one that we know how to use. */
static bool key_read(struct cbor_reader *r, struct trust_key *key)
{
        struct cbor_span public;
        uint64_t use;
        int64_t alg;

        cbor_enter_array(r);
        cbor_read_octets(r, key->kid, sizeof(key->kid));
        use = cbor_read_uint(r, UINT64_MAX);
        alg = cbor_read_int(r, INT64_MIN, INT64_MAX);
        public = cbor_read_bytes(r, 0, COSE_MAX);
        key->not_before_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        key->not_after_s = (uint32_t)cbor_read_uint(r, UINT32_MAX);
        cbor_leave(r);
        if (r->broken != NULL || !use_is_known(use) || public_len_of(alg) == 0)
                return false;
        if (public.len != public_len_of(alg))
                cbor_refuse(r, "a public key of the wrong length");
        if (key->not_before_s > key->not_after_s)
                cbor_refuse(r, "a key that ends before it begins");
        if (r->broken != NULL || !alg_is_of(use, alg))
                return false;
        key->use = (enum trust_use)use;
        key->alg = (enum key_alg)alg;
        key->public_len = (uint8_t)public.len;
        memcpy(key->public, public.at, public.len);
        return true;
}

int trust_read_payload(struct cbor_span payload, struct trust *ret_trust, const char **why)
{
        struct trust *t = ret_trust;
        struct cbor_reader r;
        int error;

        memset(t, 0, sizeof(*t));
        cbor_reader_init(&r, payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a trust list format other than 1");
        t->number = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        t->issued_at_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        cbor_read_string(&r, t->region, sizeof(t->region));
        if (cbor_enter_array(&r) > TRUST_KEYS_MAX) {
                if (why != NULL)
                        *why = "more than 64 keys";
                return -E2BIG;
        }
        while (cbor_more(&r))
                if (key_read(&r, &t->keys[t->count]))
                        t->count++;
        cbor_leave(&r);
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

static bool is_valid_at(const struct trust_key *key, uint32_t at_s)
{
        return at_s >= key->not_before_s && at_s <= key->not_after_s;
}

const struct trust_key *trust_find(const struct trust *trust, const uint8_t kid[KEY_KID_SIZE], enum trust_use use,
                                   uint32_t at_s)
{
        for (const struct trust_key *key = trust->keys; key < trust->keys + trust->count; key++)
                if (key->use == use && is_valid_at(key, at_s) && memcmp(key->kid, kid, KEY_KID_SIZE) == 0)
                        return key;
        return NULL;
}

const struct trust_key *trust_current(const struct trust *trust, enum trust_use use, uint32_t at_s)
{
        const struct trust_key *best = NULL;

        for (const struct trust_key *key = trust->keys; key < trust->keys + trust->count; key++)
                if (key->use == use && is_valid_at(key, at_s) && (best == NULL || key->not_after_s > best->not_after_s))
                        best = key;
        return best;
}

int trust_supersedes(const struct trust *held, struct cbor_span held_bytes, const struct trust *incoming,
                     struct cbor_span incoming_bytes)
{
        if (held == NULL)
                return 1;
        if (strcmp(held->region, incoming->region) != 0)
                return -EXDEV;
        if (cbor_equal(held_bytes, incoming_bytes))
                return 0;
        return incoming->number > held->number ? 1 : -ESTALE;
}

const char *trust_use_name(unsigned use)
{
        static const char *const names[] = { NULL, "receipt", "order", "pass", "status", "position", "door" };

        return use_is_known(use) ? names[use] : "unknown";
}
