#include "ops/vigie/backup_file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/fields.h"
#include "wire/signing.h"

#define WHAT       "vigie backup"
#define FORMAT     1
#define HEADER_MAX 128
#define END_MAX    (COSE_OVERHEAD + 64)

static const struct field header_table[] = {
        F_TEXT(struct backup_header, what),
        F_TEXT(struct backup_header, region),
        F_MS(struct backup_header, at_ms),
        F_UINT(struct backup_header, number, 0, INT64_MAX),
        F_UINT(struct backup_header, epoch, 0, INT64_MAX),
        F_U32(struct backup_header, trust),
};
static const struct fields_kind header_kind = { FIELDS(header_table), sizeof(struct backup_header), HEADER_MAX,
                                                FORMAT };

struct end {
        uint64_t items;
        uint8_t hash[ARCHIVE_LINK_SIZE];
};
static const struct field end_table[] = { F_UINT(struct end, items, 0, INT64_MAX), F_OCTETS(struct end, hash) };
static const struct fields_kind end_kind = { FIELDS(end_table), sizeof(struct end), 64, FORMAT };

/* ---- writing */

struct backup_writer {
        char path[REGION_PATH_MAX], temporary[REGION_PATH_MAX + 8];
        FILE *file;
        EVP_MD_CTX *hash;
        uint8_t *item;
        uint64_t items;
};

static int put(struct backup_writer *w, const uint8_t *data, size_t len)
{
        if (fwrite(data, 1, len, w->file) != len)
                return errno != 0 ? -errno : -EIO;
        return EVP_DigestUpdate(w->hash, data, len) == 1 ? 0 : -EIO;
}

static int begin(struct backup_writer *w, const struct backup_header *header)
{
        struct backup_header copy = *header;
        uint8_t octets[HEADER_MAX];
        int len;

        snprintf(copy.what, sizeof(copy.what), WHAT);
        w->file = fopen(w->temporary, "wbx");
        if (w->file == NULL)
                return -errno;
        if (fchmod(fileno(w->file), 0600) < 0)
                return -errno;
        w->item = malloc(BACKUP_ITEM_MAX);
        w->hash = EVP_MD_CTX_new();
        if (w->item == NULL || w->hash == NULL || EVP_DigestInit_ex(w->hash, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        len = fields_encode(&header_kind, &copy, octets, sizeof(octets));
        return len < 0 ? len : put(w, octets, (size_t)len);
}

int backup_create(const char *path, const struct backup_header *header, struct backup_writer **ret_writer)
{
        struct backup_writer *w = calloc(1, sizeof(*w));
        int r = -ENOMEM;

        if (w == NULL)
                return r;
        snprintf(w->path, sizeof(w->path), "%s", path);
        snprintf(w->temporary, sizeof(w->temporary), "%s.tmp", path);
        r = begin(w, header);
        if (r == 0)
                *ret_writer = w;
        else
                backup_free(w);
        return r;
}

int backup_put(struct backup_writer *w, const struct backup_item *item, const struct cbor_span *values, size_t count)
{
        struct cbor_writer to;

        cbor_writer_init(&to, w->item, BACKUP_ITEM_MAX);
        cbor_write_array(&to, 3);
        cbor_write_uint(&to, item->kind);
        cbor_write_string(&to, item->key);
        cbor_write_array(&to, count);
        for (size_t i = 0; i < count; i++)
                cbor_write_bytes(&to, values[i]);
        if (to.full)
                return -EMSGSIZE;
        w->items++;
        return put(w, to.to, to.len);
}

static int sign_end(struct backup_writer *w, const struct key *key, uint8_t *to)
{
        struct end end = { .items = w->items };
        uint8_t payload[64], kid[KEY_KID_SIZE];
        struct cose_parts parts = { .alg = key_alg(key), .kid = kid, .aad = CBOR_LITERAL(BACKUP_AAD) };
        struct cbor_writer writer;
        int len, r;

        if (EVP_DigestFinal_ex(w->hash, end.hash, NULL) != 1)
                return -EIO;
        if ((len = fields_encode(&end_kind, &end, payload, sizeof(payload))) < 0 || (r = key_kid(key, kid)) < 0)
                return len < 0 ? len : r;
        parts.payload = (struct cbor_span){ payload, (size_t)len };
        cbor_writer_init(&writer, to, END_MAX);
        r = cose_sign1_sign(&parts, key, &writer);
        return r < 0 ? r : (int)writer.len;
}

int backup_finish(struct backup_writer *w, const struct key *key, uint64_t *ret_items)
{
        uint8_t end[END_MAX];
        int len = sign_end(w, key, end), r = 0;

        if (len < 0)
                return len;
        if (fwrite(end, 1, (size_t)len, w->file) != (size_t)len || fflush(w->file) != 0 || fsync(fileno(w->file)) < 0)
                r = errno != 0 ? -errno : -EIO;
        if (fclose(w->file) != 0 && r == 0)
                r = -errno;
        w->file = NULL;
        if (r == 0 && rename(w->temporary, w->path) < 0)
                r = -errno;
        if (r < 0)
                unlink(w->temporary);
        *ret_items = w->items;
        return r < 0 ? r : file_sync_folder(w->path, fsync);
}

void backup_free(struct backup_writer *w)
{
        if (w == NULL)
                return;
        if (w->file != NULL) {
                fclose(w->file);
                unlink(w->temporary);
        }
        EVP_MD_CTX_free(w->hash);
        free(w->item);
        free(w);
}

/* ---- reading */

static struct cbor_span first_item(struct cbor_span in)
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        return cbor_skip(&r);
}

static int read_item(struct cbor_span in, struct backup_item *item)
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        if (cbor_enter_array(&r) != 3)
                return -EBADMSG;
        item->kind = (uint8_t)cbor_read_uint(&r, BACKUP_KIND_END - 1);
        cbor_read_string(&r, item->key, sizeof(item->key));
        if (cbor_peek(&r) != CBOR_ARRAY)
                return -EBADMSG;
        item->values = cbor_skip(&r);
        cbor_leave(&r);
        return cbor_end(&r) < 0 || item->kind == 0 ? -EBADMSG : 0;
}

static int check_end(struct cbor_span file, size_t at, const struct key *key, uint64_t items)
{
        struct cbor_span before = { file.at, at };
        uint8_t hash[ARCHIVE_LINK_SIZE], kid[KEY_KID_SIZE];
        struct cose_sign1 m;
        struct end end;
        int r;

        if (cose_sign1_parse((struct cbor_span){ file.at + at, file.len - at }, COSE_OURS, &m, NULL) < 0 ||
            key_kid(key, kid) < 0)
                return -EBADMSG;
        if (memcmp(kid, m.kid.at, KEY_KID_SIZE) != 0)
                return -EKEYREJECTED;
        if ((r = cose_sign1_verify(&m, key, CBOR_LITERAL(BACKUP_AAD))) < 0 ||
            (r = fields_decode(&end_kind, m.payload, &end)) < 0 || (r = archive_hash(&before, 1, hash)) < 0)
                return r;
        return end.items == items && memcmp(hash, end.hash, sizeof(hash)) == 0 ? 0 : -EKEYREJECTED;
}

int backup_read(struct cbor_span file, const struct key *key, struct backup_header *ret_header,
                int (*item)(void *user, const struct backup_item *item), void *user)
{
        struct cbor_span header = first_item(file);
        struct backup_item read;
        uint64_t items = 0;
        size_t at = header.len;
        int r = header.len > 0 ? fields_decode(&header_kind, header, ret_header) : -EBADMSG;

        if (r < 0 || strcmp(ret_header->what, WHAT) != 0)
                return r < 0 ? r : -EBADMSG;
        for (;; items++) { /* to the end, which is an array of four */
                struct cbor_span next = first_item((struct cbor_span){ file.at + at, file.len - at });

                if (next.len == 0)
                        return -EBADMSG;
                if (read_item(next, &read) < 0)
                        break;
                at += next.len;
        }
        if ((r = check_end(file, at, key, items)) < 0)
                return r;
        for (at = header.len; r == 0 && item != NULL && items > 0; items--) {
                struct cbor_span next = first_item((struct cbor_span){ file.at + at, file.len - at });

                if ((r = read_item(next, &read)) == 0)
                        r = item(user, &read);
                at += next.len;
        }
        return r;
}
