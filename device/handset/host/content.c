#include "device/handset/host/content.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/vault.h"

#define DRAWS_MAX 8 /* of a private key: one in 2^32 is out of range */

/* ---- keys */

static int use_keys(struct content *c)
{
        uint8_t public[KEY_PUBLIC_MAX];
        struct key *inbox = NULL;
        int r = key_from_private(KEY_ES256, c->pass_private, &c->pass_key);

        if (r == 0)
                r = key_from_private(KEY_ECDH_ES, c->inbox_private, &inbox);
        if (r < 0)
                return r;
        key_public(c->pass_key, public);
        memcpy(c->pass_public, public + 1, PASS_KEY_SIZE);
        key_public(inbox, public);
        memcpy(c->inbox_public, public, sizeof(c->inbox_public));
        key_free(inbox);
        pass_crypto_init(&c->crypto);
        return 0;
}

int content_new(struct content **ret_content)
{
        struct content *c = calloc(1, sizeof(*c));
        int r = c != NULL ? -EINVAL : -ENOMEM;

        for (int i = 0; i < DRAWS_MAX && r == -EINVAL; i++)
                r = RAND_priv_bytes(c->pass_private, KEY_PRIVATE_SIZE) == 1 &&
                                    RAND_priv_bytes(c->inbox_private, KEY_PRIVATE_SIZE) == 1
                            ? use_keys(c)
                            : -EIO;
        if (r == 0)
                *ret_content = c;
        else
                content_free(c);
        return r == -EINVAL ? -EIO : r;
}

/* ---- passes */

static void pass_free(struct content_pass *p)
{
        if (p == NULL)
                return;
        if (p->octets != NULL)
                OPENSSL_cleanse(p->octets, p->len);
        if (p->parcel.buildings != NULL)
                OPENSSL_cleanse(p->parcel.buildings, SCOPE_BUILDINGS_MAX * sizeof(*p->parcel.buildings));
        free(p->octets);
        free(p->parcel.buildings);
        OPENSSL_cleanse(p, sizeof(*p));
        free(p);
}

static void leaves_of(const struct content *c, const struct content_pass *p, struct scope_leaf *leaves)
{
        for (size_t i = 0; i < p->parcel.count; i++) {
                memcpy(leaves[i].building, p->parcel.buildings[i].id, BUILDING_ID_SIZE);
                parcel_salt(&c->crypto.sha, p->parcel.salt_key, leaves[i].building, leaves[i].salt);
        }
}

/* Room in which the tree is made anew for each proof: some 40 KiB. */
struct tree {
        struct scope_leaf leaves[SCOPE_BUILDINGS_MAX];
        uint8_t nodes[SCOPE_BUILDINGS_MAX][SCOPE_HASH_SIZE];
};

static void tree_free(struct tree *tree)
{
        if (tree != NULL)
                OPENSSL_cleanse(tree, sizeof(*tree));
        free(tree);
}

/* Whether the buildings are the pass's own: no proof of them would open anything otherwise. */
static int check_scope(const struct content *c, const struct content_pass *p)
{
        struct tree *tree = malloc(sizeof(*tree));
        uint8_t root[SCOPE_HASH_SIZE];
        int r = tree != NULL ? 0 : -ENOMEM;

        if (r == 0) {
                leaves_of(c, p, tree->leaves);
                r = scope_build(&c->crypto.sha, tree->leaves, p->parcel.count, tree->nodes, root);
        }
        if (r == 0 && memcmp(root, p->pass.scope, sizeof(root)) != 0)
                r = -EBADMSG;
        tree_free(tree);
        return r;
}

static int pass_open(const struct content *c, struct cbor_span octets, struct content_pass **ret_pass)
{
        struct content_pass *p = calloc(1, sizeof(*p));
        struct pass_signed signed_pass;
        int r = -ENOMEM;

        if (p == NULL)
                return r;
        p->octets = malloc(octets.len);
        p->parcel.buildings = calloc(SCOPE_BUILDINGS_MAX, sizeof(*p->parcel.buildings));
        if (p->octets == NULL || p->parcel.buildings == NULL)
                goto out;
        memcpy(p->octets, octets.at, octets.len);
        p->len = octets.len;
        if (parcel_read((struct cbor_span){ p->octets, p->len }, &p->parcel, NULL) < 0 ||
            pass_read(p->parcel.pass, &signed_pass, NULL) < 0) {
                r = -EBADMSG;
                goto out;
        }
        p->pass = signed_pass.pass;
        r = memcmp(p->pass.key, c->pass_public, PASS_KEY_SIZE) == 0 ? check_scope(c, p) : -EKEYREJECTED;
out:
        if (r == 0)
                *ret_pass = p;
        else
                pass_free(p);
        return r;
}

static void remove_at(struct content *c, size_t at)
{
        pass_free(c->passes[at]);
        c->count--;
        memmove(&c->passes[at], &c->passes[at + 1], (c->count - at) * sizeof(c->passes[0]));
}

static size_t size_of(const struct content *c)
{
        size_t all = 80;

        for (size_t i = 0; i < c->count; i++)
                all += c->passes[i]->len + 16;
        return all;
}

/* By their end, the last one first; what has no room goes, the first to end. */
static void insert(struct content *c, struct content_pass *p)
{
        size_t at = 0;

        while (c->count == CONTENT_PASSES_MAX || (c->count > 0 && size_of(c) + p->len + 16 > VAULT_BODY_MAX))
                remove_at(c, c->count - 1);
        while (at < c->count && c->passes[at]->pass.not_after_s >= p->pass.not_after_s)
                at++;
        memmove(&c->passes[at + 1], &c->passes[at], (c->count - at) * sizeof(c->passes[0]));
        c->passes[at] = p;
        c->count++;
}

int content_take(struct content *content, struct cbor_span parcel)
{
        struct content_pass *p = NULL;
        int r = pass_open(content, parcel, &p);

        if (r < 0)
                return r;
        if (content_find(content, p->pass.id) >= 0)
                pass_free(p);
        else
                insert(content, p);
        return 0;
}

bool content_drop(struct content *content, uint32_t now_s)
{
        size_t before = content->count;

        while (content->count > 0 &&
               (uint64_t)content->passes[content->count - 1]->pass.not_after_s + CONTENT_KEEP_S < now_s)
                remove_at(content, content->count - 1);
        return content->count < before;
}

int content_find(const struct content *content, const uint8_t pass[PASS_ID_SIZE])
{
        for (size_t i = 0; i < content->count; i++)
                if (memcmp(content->passes[i]->pass.id, pass, PASS_ID_SIZE) == 0)
                        return (int)i;
        return -ENOENT;
}

int content_find_building(const struct content_pass *pass, const uint8_t building[BUILDING_ID_SIZE])
{
        for (size_t i = 0; i < pass->parcel.count; i++)
                if (memcmp(pass->parcel.buildings[i].id, building, BUILDING_ID_SIZE) == 0)
                        return (int)i;
        return -ENOENT;
}

int content_for(const struct content *content, const uint8_t building[BUILDING_ID_SIZE], uint32_t now_s)
{
        int other = -ENOENT;

        for (size_t i = 0; i < content->count; i++) {
                const struct content_pass *p = content->passes[i];

                if (content_find_building(p, building) < 0)
                        continue;
                if (!p->revoked && p->pass.not_before_s <= now_s && now_s <= p->pass.not_after_s)
                        return (int)i;
                if (other < 0)
                        other = (int)i;
        }
        return other;
}

/* ---- as octets */

static void read_passes(struct cbor_reader *r, struct content *c, int *error)
{
        uint64_t count = cbor_enter_array(r);

        if (count > CONTENT_PASSES_MAX)
                cbor_refuse(r, "too many passes");
        while (cbor_more(r) && *error == 0) {
                struct content_pass *p = NULL;
                struct cbor_span octets;
                uint32_t counter;

                cbor_enter_array(r);
                octets = cbor_read_bytes(r, 1, PARCEL_MAX);
                counter = (uint32_t)cbor_read_uint(r, UINT32_MAX);
                cbor_leave(r);
                if (r->broken != NULL || (*error = pass_open(c, octets, &p)) < 0)
                        return;
                p->counter = p->reserved = counter;
                insert(c, p);
        }
        cbor_leave(r);
}

int content_read(struct cbor_span in, struct content **ret_content)
{
        struct content *c = calloc(1, sizeof(*c));
        struct cbor_reader r;
        int error = 0;

        if (c == NULL)
                return -ENOMEM;
        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a content format other than 1");
        cbor_read_octets(&r, c->pass_private, KEY_PRIVATE_SIZE);
        cbor_read_octets(&r, c->inbox_private, KEY_PRIVATE_SIZE);
        if (r.broken == NULL && use_keys(c) < 0)
                cbor_refuse(&r, "no keys");
        if (r.broken == NULL)
                read_passes(&r, c, &error);
        if (error == 0) {
                cbor_leave(&r);
                error = cbor_end(&r);
        }
        if (error == 0)
                *ret_content = c;
        else
                content_free(c);
        return error == -EKEYREJECTED ? -EBADMSG : error;
}

/* A counter near its end stands still: 4 billion proofs of one shift are none. */
static uint32_t ahead(uint32_t counter)
{
        return counter > UINT32_MAX - CONTENT_AHEAD ? UINT32_MAX : counter + CONTENT_AHEAD;
}

int content_write(struct content *content, struct cbor_writer *to)
{
        cbor_write_array(to, 4);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(content->pass_private));
        cbor_write_bytes(to, CBOR_OCTETS(content->inbox_private));
        cbor_write_array(to, content->count);
        for (size_t i = 0; i < content->count; i++) {
                struct content_pass *p = content->passes[i];

                p->pending = ahead(p->counter);
                cbor_write_array(to, 2);
                cbor_write_bytes(to, (struct cbor_span){ p->octets, p->len });
                cbor_write_uint(to, p->pending);
        }
        return to->full ? -ENOBUFS : 0;
}

void content_written(struct content *content)
{
        for (size_t i = 0; i < content->count; i++)
                if (content->passes[i]->pending > content->passes[i]->reserved)
                        content->passes[i]->reserved = content->passes[i]->pending;
}

/* ---- proofs */

int content_prove(struct content *content, const struct content_ask *ask, struct cbor_writer *to)
{
        struct content_pass *p = content->passes[ask->pass];
        struct tree *tree = malloc(sizeof(*tree));
        struct proof proof = { .index = (uint16_t)ask->building, .time_s = ask->time_s, .counter = p->counter };
        uint8_t aad[PROOF_AAD_SIZE], octets[PROOF_MAX], path[SCOPE_PATH_MAX];
        const struct scope_hash *sha = &content->crypto.sha;
        struct cbor_writer signed_proof;
        int r = tree == NULL ? -ENOMEM : p->counter >= p->reserved ? -EAGAIN : 0;

        if (r < 0)
                goto out;
        leaves_of(content, p, tree->leaves);
        proof.path.at = path;
        r = scope_path(sha, tree->leaves, p->parcel.count, ask->building, tree->nodes, path, &proof.path.len);
        if (r < 0)
                goto out;
        memcpy(proof.salt, tree->leaves[ask->building].salt, SCOPE_SALT_SIZE);
        pass_digest(sha, p->parcel.pass, proof.digest);
        parcel_marker(sha, p->parcel.marker_key, &(struct parcel_marked){ p->pass.id, proof.counter, ask->duress },
                      proof.marker);
        proof_aad(sha, ask->hello, ask->class, ask->time_s, aad);
        p->counter++; /* whatever comes of it: no counter signs twice */
        cbor_writer_init(&signed_proof, octets, sizeof(octets));
        r = proof_sign(&proof, p->pass.id, aad, content->pass_key, &signed_proof);
        if (r == 0)
                r = presentation_write(p->parcel.pass, cbor_written(&signed_proof), to);
out:
        tree_free(tree);
        return r;
}

bool content_is_short(const struct content *content)
{
        for (size_t i = 0; i < content->count; i++)
                if (content->passes[i]->reserved - content->passes[i]->counter < CONTENT_AHEAD / 2)
                        return true;
        return false;
}

void content_free(struct content *content)
{
        if (content == NULL)
                return;
        while (content->count > 0)
                remove_at(content, content->count - 1);
        key_free(content->pass_key);
        OPENSSL_cleanse(content, sizeof(*content));
        free(content);
}
