/* The archive's format: entries and their links, records in parts and together again, checkpoints. */
#include "tests/wire/octets.h"

#include <errno.h>

#include "tests/wire/example.h"
#include "tests/wire/records.h"
#include "wire/archive.h"

static void test_record_split_and_joined(void **state)
{
        static struct record record;
        uint8_t octets[RECORD_MAX], to[RECORD_MAX + 128], again[RECORD_MAX];
        uint64_t seed = 11;

        for (int i = 0; i < 300; i++) {
                struct cbor_span parts[ARCHIVE_PARTS];
                struct cbor_writer w;
                int len;

                draw_record(&seed, &record);
                len = record_encode(&record, octets, sizeof(octets));
                assert_true(len > 0);
                cbor_writer_init(&w, to, sizeof(to));
                assert_int_equal(archive_record_split((struct cbor_span){ octets, (size_t)len }, &w, parts), 0);
                assert_int_equal(archive_record_join(parts, again, sizeof(again)), len);
                assert_memory_equal(again, octets, len);
                assert_true(parts[ARCHIVE_PROOF].at + parts[ARCHIVE_PROOF].len == w.to + w.len);
                assert_int_equal(parts[ARCHIVE_POSITIONS].at != NULL, record.has_position || record.track_count > 0);
        }
}

/* What the phone signed stands with the positions, is no part of the record, and goes with them. */
static void test_signed_with_the_positions(void **state)
{
        const struct cbor_span signed_alert = CBOR_LITERAL("as the phone signed it");
        static struct record record;
        uint8_t octets[RECORD_MAX], to[2 * RECORD_MAX], again[RECORD_MAX];
        uint64_t seed = 12;
        bool with = false, without = false;

        for (int i = 0; i < 100; i++) {
                struct cbor_span parts[ARCHIVE_PARTS], found;
                struct cbor_writer w;
                int len;

                draw_record(&seed, &record);
                len = record_encode(&record, octets, sizeof(octets));
                cbor_writer_init(&w, to, sizeof(to));
                assert_int_equal(archive_record_split((struct cbor_span){ octets, (size_t)len }, &w, parts), 0);
                assert_null(archive_record_signed(parts).at);
                with = with || parts[ARCHIVE_POSITIONS].at != NULL;
                without = without || parts[ARCHIVE_POSITIONS].at == NULL;
                archive_record_add_signed(signed_alert, &w, parts);
                assert_false(w.full);
                found = archive_record_signed(parts);
                assert_int_equal(found.len, signed_alert.len);
                assert_memory_equal(found.at, signed_alert.at, found.len);
                assert_int_equal(archive_record_join(parts, again, sizeof(again)), len);
                assert_memory_equal(again, octets, len);
                parts[ARCHIVE_POSITIONS].at = NULL;
                assert_null(archive_record_signed(parts).at);
        }
        assert_true(with && without);
}

/* What is no map, or not strict, is refused; a newer format's keys go with the rest. */
static void test_what_is_no_record(void **state)
{
        static const struct {
                const char *octets;
                size_t len;
                int wanted;
        } cases[] = {
                { "\x01", 1, -EBADMSG },
                { "", 0, -EBADMSG },
                { "\xa1\x01", 2, -EBADMSG },
                { "\xa2\x01\x01\x01\x01", 5, -EBADMSG },
                { "\xa1\x18\x64\x61x", 5, 0 },
                { "\xa1\x61x\x01", 4, 0 },
                { "\xa0", 1, 0 },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct cbor_span in = { (const uint8_t *)cases[i].octets, cases[i].len }, parts[ARCHIVE_PARTS];
                struct archive_meta meta;
                uint8_t to[128];
                struct cbor_writer w;

                cbor_writer_init(&w, to, sizeof(to));
                assert_int_equal(archive_record_split(in, &w, parts), cases[i].wanted);
                assert_int_equal(archive_record_facts(in, &meta), -EBADMSG); /* none has an id */
                if (cases[i].wanted == 0)
                        assert_int_equal(archive_record_join(parts, to, sizeof(to)), (int)cases[i].len);
        }
}

static void test_entry_there_and_back(void **state)
{
        static uint8_t part[ARCHIVE_ENTRY_MAX], out[ARCHIVE_ENTRY_MAX], less[ARCHIVE_ENTRY_MAX];
        struct archive_meta meta = {
                .number = 7, .kind = ARCHIVE_DUTY, .at_ms = 5, .feed = "1-2", .parts = 1 << ARCHIVE_PROOF
        };
        struct cbor_span parts[ARCHIVE_PARTS] = { [ARCHIVE_PROOF] = { part, 40 } };
        uint8_t link[ARCHIVE_LINK_SIZE] = { 1 }, before[ARCHIVE_LINK_SIZE] = { 1 };
        struct archive_entry entry;
        int len = archive_entry_write(&meta, parts, link, out);

        assert_true(len > 0);
        assert_int_equal(archive_entry_read((struct cbor_span){ out, sizeof(out) }, &entry), 0);
        assert_int_equal(entry.size, len);
        assert_memory_equal(&entry.meta, &meta, sizeof(meta));
        assert_null(archive_entry_check(&entry, before));
        assert_non_null(archive_entry_check(&entry, link));
        assert_true(archive_had_part(&entry, ARCHIVE_PROOF) && !archive_had_part(&entry, ARCHIVE_ABOUT));
        len = archive_entry_erase(&entry, 1 << ARCHIVE_PROOF, less);
        assert_true(len > 0 && (size_t)len < entry.size);
        assert_int_equal(archive_entry_read((struct cbor_span){ less, (size_t)len }, &entry), 0);
        assert_null(archive_entry_check(&entry, before)); /* the chain holds without it */
        assert_true(archive_had_part(&entry, ARCHIVE_PROOF) && entry.parts[ARCHIVE_PROOF].at == NULL);
        for (int cut = 0; cut < len; cut++)
                assert_int_equal(archive_entry_read((struct cbor_span){ less, (size_t)cut }, &entry), -EBADMSG);
        /* one octet more than an entry may have, with all that stands around it */
        parts[ARCHIVE_PROOF].len = ARCHIVE_ENTRY_MAX - 200;
        memcpy(before, link, sizeof(before));
        assert_int_equal(archive_entry_write(&meta, parts, link, out), -ENOBUFS);
        assert_memory_equal(before, link, sizeof(before));
}

static void test_checkpoint(void **state)
{
        struct archive_checkpoint c = { .region = "lyon",
                                        .number = 9,
                                        .link = { 3 },
                                        .file = 2,
                                        .at_ms = 1795000000000,
                                        .feed = "18446744073709551615-18446744073709551615" },
                                  back;
        uint8_t octets[ARCHIVE_CHECKPOINT_MAX];
        struct key *key, *other;
        int len;

        memset(c.region, 'r', TRUST_REGION_MAX); /* the largest */
        c.number = INT64_MAX;
        c.at_ms = INT64_MAX;
        c.file = UINT32_MAX;
        assert_int_equal(key_generate(KEY_EDDSA, &key), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        len = archive_checkpoint_sign(&c, key, octets);
        assert_true(len > 0);
        assert_int_equal(archive_checkpoint_open((struct cbor_span){ octets, (size_t)len }, key, &back), 0);
        assert_memory_equal(&back, &c, sizeof(c));
        assert_int_equal(archive_checkpoint_open((struct cbor_span){ octets, (size_t)len }, other, &back),
                         -EKEYREJECTED);
        for (int i = 0; i < len; i++) {
                octets[i] ^= 0x10;
                assert_int_not_equal(archive_checkpoint_open((struct cbor_span){ octets, (size_t)len }, key, &back), 0);
                octets[i] ^= 0x10;
        }
        key_free(key);
        key_free(other);
}

/* The page's examples: written octet by octet, and read. */
static void test_examples(void **state)
{
        struct archive_header header = { .file = 1, .first = 1, .at_ms = 1767261960348 };
        struct archive_meta meta = { .number = 1,
                                     .kind = ARCHIVE_DUTY,
                                     .at_ms = 1767261960348,
                                     .feed = "1767261960348-0",
                                     .parts = 1 << ARCHIVE_PROOF };
        static const uint8_t content[] = "\x84"
                                         "At"
                                         "Dduty"
                                         "Ak"
                                         "Fbenali"; /* 41 't', 44 'duty', 41 'k', 46 'benali' */
        uint8_t part[ARCHIVE_SALT_SIZE + sizeof(content) - 1], link[ARCHIVE_LINK_SIZE], wanted[512],
                octets[ARCHIVE_ENTRY_MAX];
        struct cbor_span parts[ARCHIVE_PARTS] = { [ARCHIVE_PROOF] = CBOR_OCTETS(part) };
        struct archive_checkpoint checkpoint;
        size_t len = example("archive-header", wanted, sizeof(wanted));

        for (uint8_t i = 0; i < 16; i++) {
                header.id[i] = (uint8_t)(0xa0 + i);
                part[i] = (uint8_t)(0x10 + i);
        }
        memcpy(part + ARCHIVE_SALT_SIZE, content, sizeof(content) - 1);
        assert_int_equal(archive_header_write(&header, octets, link), (int)len);
        assert_memory_equal(octets, wanted, len);
        len = example("archive-entry", wanted, sizeof(wanted));
        assert_int_equal(archive_entry_write(&meta, parts, link, octets), (int)len);
        assert_memory_equal(octets, wanted, len);
        len = example("archive-checkpoint", wanted, sizeof(wanted));
        assert_int_equal(archive_checkpoint_read((struct cbor_span){ wanted, len }, &checkpoint), 0);
        assert_memory_equal(checkpoint.link, link, sizeof(link));
        assert_string_equal(checkpoint.region, "lyon");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record_split_and_joined),
                cmocka_unit_test(test_signed_with_the_positions),
                cmocka_unit_test(test_what_is_no_record),
                cmocka_unit_test(test_entry_there_and_back),
                cmocka_unit_test(test_checkpoint),
                cmocka_unit_test(test_examples),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
