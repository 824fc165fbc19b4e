/* The archive's reader.  The first octet chooses: any octets as a file, walked and audited; a good file with the
 * input's edits (place, value) made to it, of which each that changes something must be found; or any octets as a
 * record, taken apart and put together again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/archive_audit.h"

#define SIZE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found(void *user, const struct archive_finding *finding)
{
        assert(finding->text != NULL && strlen(finding->text) < 1024);
}

/* How many octets of a file were read. */
static size_t walk(struct archive_audit *audit, const uint8_t *data, size_t size)
{
        struct archive_header header;
        uint8_t link[ARCHIVE_LINK_SIZE], out[ARCHIVE_ENTRY_MAX];
        struct archive_entry entry;
        int len = archive_header_read((struct cbor_span){ data, size }, &header, link);
        size_t at = len > 0 ? (size_t)len : 0;

        if (len <= 0)
                return 0;
        assert(archive_audit_header(audit, &header, link) == 0);
        while (at < size && archive_entry_read((struct cbor_span){ data + at, size - at }, &entry) == 0) {
                assert(entry.size > 0 && entry.size <= size - at);
                assert(archive_audit_entry(audit, &entry) == 0);
                assert(archive_entry_erase(&entry, 0, out) == (int)entry.size &&
                       memcmp(out, data + at, entry.size) == 0);
                at += entry.size;
        }
        return at;
}

static size_t write_good(uint8_t to[SIZE])
{
        static const char record[] = "\xa5\x00\x01\x01\x50"
                                     "0123456789abcdef"
                                     "\x02\x01\x03\x01\x18\x33\x50"
                                     "saltsaltsaltsalt";
        struct archive_header header = { .file = 1, .first = 1, .at_ms = 1795000000000 };
        struct archive_meta meta = { .kind = ARCHIVE_ALERT, .at_ms = 1, .feed = "1-0", .event = "raise" };
        struct cbor_span parts[ARCHIVE_PARTS], whole = { (const uint8_t *)record, sizeof(record) - 1 };
        uint8_t link[ARCHIVE_LINK_SIZE], text[512], one[ARCHIVE_ENTRY_MAX];
        struct cbor_writer w;
        int len = archive_header_write(&header, to, link);
        size_t at = (size_t)len;

        assert(len > 0 && archive_record_facts(whole, &meta) == 0);
        cbor_writer_init(&w, text, sizeof(text));
        assert(archive_record_split(whole, &w, parts) == 0);
        for (int i = 1; i <= 3; i++, at += (size_t)len) {
                meta.number = (uint64_t)i;
                meta.parts = i == 1 ? 1 << ARCHIVE_SALT | 1 << ARCHIVE_ABOUT | 1 << ARCHIVE_PROOF : 0;
                if (i > 1) {
                        meta = (struct archive_meta){ .number = (uint64_t)i, .kind = ARCHIVE_NOTICE, .at_ms = 2 };
                        memset(parts, 0, sizeof(parts));
                }
                len = archive_entry_write(&meta, parts, link, one);
                assert(len > 0 && at + (size_t)len <= SIZE);
                memcpy(to + at, one, (size_t)len);
        }
        return at;
}

static void read_edited(const uint8_t *edits, size_t size)
{
        static uint8_t good[SIZE], edited[SIZE];
        struct archive_audit *audit = archive_audit_new(found, NULL);
        uint8_t end[ARCHIVE_LINK_SIZE];
        size_t len = write_good(good), read;

        assert(audit != NULL && walk(audit, good, len) == len && archive_audit_wrong(audit) == 0);
        memcpy(end, archive_audit_link(audit), sizeof(end));
        archive_audit_free(audit);
        memcpy(edited, good, len);
        for (size_t i = 0; i + 2 < size; i += 3)
                edited[(size_t)(edits[i] << 8 | edits[i + 1]) % len] = edits[i + 2];
        assert((audit = archive_audit_new(found, NULL)) != NULL);
        read = walk(audit, edited, len);
        if (memcmp(edited, good, len) != 0) /* unread, found, or another end than the signed one */
                assert(read < len || archive_audit_wrong(audit) > 0 ||
                       memcmp(end, archive_audit_link(audit), sizeof(end)) != 0);
        archive_audit_free(audit);
}

static void read_record(const uint8_t *data, size_t size)
{
        static uint8_t to[2 * SIZE], again[2 * SIZE];
        struct cbor_span parts[ARCHIVE_PARTS];
        struct archive_meta meta = { 0 };
        struct cbor_writer w;
        int len;

        memset(parts, 0, sizeof(parts));
        parts[ARCHIVE_POSITIONS] = (struct cbor_span){ data, size };
        (void)archive_record_signed(parts);
        cbor_writer_init(&w, to, sizeof(to));
        (void)archive_record_facts((struct cbor_span){ data, size }, &meta);
        if (size > SIZE || archive_record_split((struct cbor_span){ data, size }, &w, parts) < 0)
                return;
        len = archive_record_join(parts, again, sizeof(again));
        assert(len == (int)size && memcmp(again, data, size) == 0);
        archive_record_add_signed((struct cbor_span){ data, 1 }, &w, parts);
        assert(w.full || archive_record_signed(parts).len == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct archive_checkpoint checkpoint;
        struct archive_audit *audit;

        if (size == 0)
                return 0;
        (void)archive_checkpoint_read((struct cbor_span){ data + 1, size - 1 }, &checkpoint);
        if (data[0] % 3 == 0) {
                audit = archive_audit_new(found, NULL);
                assert(audit != NULL);
                (void)walk(audit, data + 1, size - 1);
                archive_audit_free(audit);
        } else if (data[0] % 3 == 1) {
                read_edited(data + 1, size - 1);
        } else {
                read_record(data + 1, size - 1);
        }
        return 0;
}
