#include "wire/archive.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "wire/fields.h"
#include "wire/signing.h"

#define WHAT "vigie archive"

static const uint8_t zeros[ARCHIVE_LINK_SIZE];

/* ---- PROTOCOL.md 12 */

static const struct field header_table[] = {
        F_TEXT(struct archive_header, what),
        F_OCTETS(struct archive_header, id),
        F_UINT(struct archive_header, file, 1, UINT32_MAX),
        F_UINT(struct archive_header, first, 1, INT64_MAX),
        F_MS(struct archive_header, at_ms),
        F_OCTETS(struct archive_header, before),
};
static const struct fields_kind header_kind = { FIELDS(header_table), sizeof(struct archive_header), ARCHIVE_HEADER_MAX,
                                                ARCHIVE_FORMAT };

static const struct field meta_table[] = {
        F_UINT(struct archive_meta, number, 1, INT64_MAX),
        F_UINT(struct archive_meta, kind, ARCHIVE_ALERT, ARCHIVE_KIND_END - 1),
        F_MS(struct archive_meta, at_ms),
        F_ID(struct archive_meta, feed),
        F_OCTETS(struct archive_meta, alert),
        F_U32(struct archive_meta, version),
        F_U8(struct archive_meta, state),
        F_ID(struct archive_meta, event),
        F_OCTETS(struct archive_meta, before),
        F_OCTETS(struct archive_meta, hash),
        F_UINT(struct archive_meta, parts, 0, (1 << ARCHIVE_PARTS) - 1),
        F_UINT(struct archive_meta, count, 0, INT64_MAX),
        F_TEXT(struct archive_meta, text),
};
static const struct fields_kind meta_kind = { FIELDS(meta_table), sizeof(struct archive_meta), ARCHIVE_META_MAX,
                                              ARCHIVE_FORMAT };

static const struct field checkpoint_table[] = {
        F_OCTETS(struct archive_checkpoint, id),
        F_TEXT(struct archive_checkpoint, region),
        F_UINT(struct archive_checkpoint, number, 0, INT64_MAX),
        F_OCTETS(struct archive_checkpoint, link),
        F_U32(struct archive_checkpoint, file),
        F_MS(struct archive_checkpoint, at_ms),
        F_ID(struct archive_checkpoint, feed),
};
static const struct fields_kind checkpoint_kind = { FIELDS(checkpoint_table), sizeof(struct archive_checkpoint),
                                                    ARCHIVE_CHECKPOINT_MAX, ARCHIVE_FORMAT };

/* ---- hashing */

int archive_hash(const struct cbor_span *spans, size_t count, uint8_t ret_hash[ARCHIVE_LINK_SIZE])
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int good = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

        for (size_t i = 0; good && i < count; i++)
                good = EVP_DigestUpdate(ctx, spans[i].at, spans[i].len) == 1;
        good = good && EVP_DigestFinal_ex(ctx, ret_hash, NULL) == 1;
        EVP_MD_CTX_free(ctx);
        return good ? 0 : -EIO;
}

static int link_after(const uint8_t before[ARCHIVE_LINK_SIZE], struct cbor_span meta,
                      const uint8_t commitments[ARCHIVE_PARTS][ARCHIVE_LINK_SIZE], uint8_t *ret_link)
{
        uint8_t hash[ARCHIVE_LINK_SIZE];
        const struct cbor_span all[] = { { before, ARCHIVE_LINK_SIZE },
                                         CBOR_OCTETS(hash),
                                         { commitments[0], ARCHIVE_PARTS * ARCHIVE_LINK_SIZE } };

        return archive_hash(&meta, 1, hash) < 0 ? -EIO : archive_hash(all, 3, ret_link);
}

/* The one item that IN begins with; empty where there is none by our profile. */
static struct cbor_span first_item(struct cbor_span in)
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        return cbor_skip(&r);
}

/* ---- header */

int archive_header_write(const struct archive_header *header, uint8_t *to, uint8_t ret_link[ARCHIVE_LINK_SIZE])
{
        struct archive_header copy = *header;
        int len;

        memset(copy.what, 0, sizeof(copy.what));
        memcpy(copy.what, WHAT, sizeof(WHAT));
        len = fields_encode(&header_kind, &copy, to, ARCHIVE_HEADER_MAX);
        if (len > 0 && archive_hash(&(struct cbor_span){ to, (size_t)len }, 1, ret_link) < 0)
                return -EIO;
        return len;
}

int archive_header_read(struct cbor_span in, struct archive_header *ret_header, uint8_t ret_link[ARCHIVE_LINK_SIZE])
{
        struct cbor_span item = first_item(in);
        int r = item.len > 0 ? fields_decode(&header_kind, item, ret_header) : -EBADMSG;

        if (r < 0)
                return r;
        if (strcmp(ret_header->what, WHAT) != 0)
                return -EBADMSG;
        return archive_hash(&item, 1, ret_link) < 0 ? -EIO : (int)item.len;
}

/* ---- entries */

static int put_entry(const struct archive_entry *entry, uint8_t *to)
{
        struct cbor_writer w;

        cbor_writer_init(&w, to, ARCHIVE_ENTRY_MAX);
        cbor_write_array(&w, 4);
        cbor_write_bytes(&w, entry->octets);
        cbor_write_bytes(&w, (struct cbor_span){ entry->commitments[0], sizeof(entry->commitments) });
        cbor_write_array(&w, ARCHIVE_PARTS);
        for (size_t i = 0; i < ARCHIVE_PARTS; i++) {
                if (entry->parts[i].at != NULL)
                        cbor_write_bytes(&w, entry->parts[i]);
                else
                        cbor_write_null(&w);
        }
        cbor_write_bytes(&w, CBOR_OCTETS(entry->link));
        return w.full ? -ENOBUFS : (int)w.len;
}

int archive_entry_write(const struct archive_meta *meta, const struct cbor_span parts[ARCHIVE_PARTS],
                        uint8_t link[ARCHIVE_LINK_SIZE], uint8_t *to)
{
        uint8_t octets[ARCHIVE_META_MAX];
        struct archive_entry entry = { .octets = { octets, 0 } };
        int len = fields_encode(&meta_kind, meta, octets, sizeof(octets));

        if (len < 0)
                return len;
        entry.octets.len = (size_t)len;
        for (size_t i = 0; i < ARCHIVE_PARTS; i++) {
                entry.parts[i] = parts[i];
                if (parts[i].at != NULL && archive_hash(&parts[i], 1, entry.commitments[i]) < 0)
                        return -EIO;
        }
        if (link_after(link, entry.octets, entry.commitments, entry.link) < 0)
                return -EIO;
        len = put_entry(&entry, to);
        if (len > 0)
                memcpy(link, entry.link, ARCHIVE_LINK_SIZE);
        return len;
}

int archive_entry_read(struct cbor_span in, struct archive_entry *ret_entry)
{
        struct cbor_span item = first_item(in);
        struct cbor_reader r;
        int result;

        memset(ret_entry, 0, sizeof(*ret_entry));
        if (item.len == 0 || item.len > ARCHIVE_ENTRY_MAX)
                return -EBADMSG;
        cbor_reader_init(&r, item);
        if (cbor_enter_array(&r) != 4)
                return -EBADMSG;
        ret_entry->octets = cbor_read_bytes(&r, 1, ARCHIVE_META_MAX);
        cbor_read_octets(&r, ret_entry->commitments[0], sizeof(ret_entry->commitments));
        if (cbor_enter_array(&r) != ARCHIVE_PARTS)
                return -EBADMSG;
        for (size_t i = 0; i < ARCHIVE_PARTS; i++)
                if (!cbor_read_null(&r))
                        ret_entry->parts[i] = cbor_read_bytes(&r, ARCHIVE_SALT_SIZE, ARCHIVE_ENTRY_MAX);
        cbor_leave(&r);
        cbor_read_octets(&r, ret_entry->link, ARCHIVE_LINK_SIZE);
        cbor_leave(&r);
        if (cbor_end(&r) < 0)
                return -EBADMSG;
        ret_entry->size = item.len;
        result = fields_decode(&meta_kind, ret_entry->octets, &ret_entry->meta);
        return result < 0 ? -EBADMSG : 0;
}

bool archive_had_part(const struct archive_entry *entry, enum archive_part part)
{
        return memcmp(entry->commitments[part], zeros, ARCHIVE_LINK_SIZE) != 0;
}

const char *archive_entry_check(const struct archive_entry *entry, const uint8_t before[ARCHIVE_LINK_SIZE])
{
        uint8_t hash[ARCHIVE_LINK_SIZE];

        for (size_t i = 0; i < ARCHIVE_PARTS; i++) {
                if (entry->parts[i].at == NULL)
                        continue;
                if (archive_hash(&entry->parts[i], 1, hash) < 0)
                        return "libcrypto failed";
                if (memcmp(hash, entry->commitments[i], ARCHIVE_LINK_SIZE) != 0)
                        return "a personal part is not what was written: altered";
        }
        if (link_after(before, entry->octets, entry->commitments, hash) < 0)
                return "libcrypto failed";
        return memcmp(hash, entry->link, ARCHIVE_LINK_SIZE) == 0 ? NULL
                                                                 : "does not follow the entry before it: this one, or "
                                                                   "the one before, was altered, moved, put in or "
                                                                   "taken out";
}

int archive_entry_erase(const struct archive_entry *entry, uint8_t parts, uint8_t *to)
{
        struct archive_entry less = *entry;

        for (size_t i = 0; i < ARCHIVE_PARTS; i++)
                if ((parts >> i & 1) != 0)
                        less.parts[i] = (struct cbor_span){ NULL, 0 };
        return put_entry(&less, to);
}

/* ---- checkpoint */

int archive_checkpoint_sign(const struct archive_checkpoint *checkpoint, const struct key *key, uint8_t *to)
{
        uint8_t payload[ARCHIVE_CHECKPOINT_MAX], kid[KEY_KID_SIZE];
        struct cose_parts parts = { .alg = key_alg(key), .kid = kid, .aad = CBOR_LITERAL(ARCHIVE_AAD) };
        int len = fields_encode(&checkpoint_kind, checkpoint, payload, sizeof(payload)), r;
        struct cbor_writer w;

        if (len < 0 || (r = key_kid(key, kid)) < 0)
                return len < 0 ? len : r;
        parts.payload = (struct cbor_span){ payload, (size_t)len };
        cbor_writer_init(&w, to, ARCHIVE_CHECKPOINT_MAX);
        r = cose_sign1_sign(&parts, key, &w);
        return r < 0 ? r : (int)w.len;
}

int archive_checkpoint_read(struct cbor_span payload, struct archive_checkpoint *ret_checkpoint)
{
        return fields_decode(&checkpoint_kind, payload, ret_checkpoint);
}

int archive_checkpoint_open(struct cbor_span in, const struct key *key, struct archive_checkpoint *ret_checkpoint)
{
        uint8_t kid[KEY_KID_SIZE];
        struct cose_sign1 m;
        int r = cose_sign1_parse(in, COSE_OURS, &m, NULL);

        if (r < 0 || (r = key_kid(key, kid)) < 0)
                return r;
        if (memcmp(kid, m.kid.at, KEY_KID_SIZE) != 0)
                return -EKEYREJECTED;
        r = cose_sign1_verify(&m, key, CBOR_LITERAL(ARCHIVE_AAD));
        return r < 0 ? r : archive_checkpoint_read(m.payload, ret_checkpoint);
}

/* ---- words */

const char *archive_kind_name(unsigned kind)
{
        static const char *const names[ARCHIVE_KIND_END] = {
                NULL,    "alert", "notice", "answer", "duty",    "other",   "source",
                "break", "gap",   "erase",  "hold",   "release", "restore", "recovered",
        };

        return kind > 0 && kind < ARCHIVE_KIND_END ? names[kind] : "unknown";
}

const char *archive_part_name(unsigned part)
{
        static const char *const names[ARCHIVE_PARTS] = { "salt", "positions", "about", "proof" };

        return part < ARCHIVE_PARTS ? names[part] : "unknown";
}
