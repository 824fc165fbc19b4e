/* An archive altered by hand: every bit, every cut, every entry and file. */
#include "tests/ops/archive_made.h"
#include "tests/sanitized.h"

#define FILES 3

static const char *const names[FILES] = { "000001-20261118.archive", "000002-20261119.archive",
                                          "000003-20261120.archive" };

static void assert_good(struct made *m)
{
        if (made_audit(m, NULL, NULL) != AUDIT_GOOD)
                fail_msg("%s", m->out);
}

static void assert_says(struct made *m, const char *text)
{
        if (strstr(m->out, text) == NULL)
                fail_msg("not said '%s':\n%s", text, m->out);
}

static void test_good(void **state)
{
        struct made *m = *state;

        assert_good(m);
        assert_says(m, "good: 3 files, 6 entries, region lyon");
        assert_says(m, "note: 000003-20261120.archive: entry 4, alert 02020202020202020202020202020202: break behind "
                       "version 0");
        assert_says(m, "nothing newer is known here");
        assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_GOOD);
        assert_null(strstr(m->out, "the key in the folder itself"));
}

/* Each bit of each file that is the archive; with sanitizers one bit of each octet. */
static void test_every_bit(void **state)
{
        const char *const all[] = { names[0], names[1], names[2], ARCHIVE_HEAD, ARCHIVE_PUBLIC };
        struct made *m = *state;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                size_t len;
                uint8_t *data = made_get(m, all[i], &len);

                for (size_t bit = 0; bit < 8 * len; bit += SANITIZED ? 9 : 1) {
                        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                        made_put(m, all[i], data, len);
                        if (made_audit_fast(m) != AUDIT_NOT_GOOD)
                                fail_msg("%s: octet %zu, bit %zu: not found", all[i], bit / 8, bit % 8);
                        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                }
                made_put(m, all[i], data, len);
                free(data);
        }
        assert_good(m);
}

static void test_every_truncation_and_one_octet_more(void **state)
{
        const char *const all[] = { names[0], names[1], names[2], ARCHIVE_HEAD, ARCHIVE_PUBLIC };
        struct made *m = *state;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                size_t len;
                uint8_t *data = made_get(m, all[i], &len), *more = calloc(1, len + 1);

                for (size_t cut = 0; cut < len; cut++) {
                        made_put(m, all[i], data, cut);
                        if (made_audit_fast(m) != AUDIT_NOT_GOOD)
                                fail_msg("%s: cut to %zu octets: not found", all[i], cut);
                }
                memcpy(more, data, len);
                made_put(m, all[i], more, len + 1);
                assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                made_put(m, all[i], data, len);
                free(more);
                free(data);
        }
        assert_good(m);
}

/* The same judged by a program that shares nothing with ours but the page: Python's hashlib, and openssl. */
static int oracle(struct made *m)
{
        char command[512];

        snprintf(command, sizeof(command), "tests/ops/archive_verify.py '%s' '%s' > /dev/null 2>&1", m->dir,
                 m->key_path);
        return system(command);
}

static void test_oracle(void **state)
{
        const char *const all[] = { names[0], names[1], names[2], ARCHIVE_HEAD };
        struct made *m = *state;

        assert_int_equal(oracle(m), 0);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                size_t len;
                uint8_t *data = made_get(m, all[i], &len);

                for (size_t at = 5 + i; at < len; at += len / 2) {
                        data[at] ^= 1;
                        made_put(m, all[i], data, len);
                        assert_int_not_equal(oracle(m), 0);
                        assert_int_equal(made_audit_fast(m), AUDIT_NOT_GOOD);
                        data[at] ^= 1;
                }
                made_put(m, all[i], data, len - 1);
                assert_int_not_equal(oracle(m), 0);
                made_put(m, all[i], data, len);
                free(data);
        }
        assert_int_equal(oracle(m), 0);
}

/* ---- entries and files */

struct places {
        size_t at[8], count; /* where each item begins, the end behind */
};

static void find_items(const uint8_t *data, size_t len, struct places *places)
{
        memset(places, 0, sizeof(*places));
        while (places->at[places->count] < len) {
                size_t at = places->at[places->count];
                struct cbor_reader r;

                cbor_reader_init(&r, (struct cbor_span){ data + at, len - at });
                places->at[++places->count] = at + cbor_skip(&r).len;
        }
}

/* Put the items of a file in ORDER (numbers, -1 ends it) and see that it is found. */
static void assert_order_found(struct made *m, const char *name, const int *order)
{
        size_t len, new_len = 0;
        uint8_t *data = made_get(m, name, &len), *new = malloc(4 * len);
        struct places places;

        find_items(data, len, &places);
        for (; *order >= 0; order++) {
                size_t size = places.at[*order + 1] - places.at[*order];

                memcpy(new + new_len, data + places.at[*order], size);
                new_len += size;
        }
        made_put(m, name, new, new_len);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, name);
        made_put(m, name, data, len);
        free(new);
        free(data);
}

static void test_entries_removed_doubled_swapped(void **state)
{
        struct made *m = *state;

        assert_order_found(m, names[0], (int[]){ 0, 2, -1 });
        assert_order_found(m, names[0], (int[]){ 0, 1, 1, 2, -1 });
        assert_order_found(m, names[0], (int[]){ 0, 2, 1, -1 });
        assert_order_found(m, names[2], (int[]){ 0, 2, 3, -1 });
        assert_order_found(m, names[2], (int[]){ 0, 1, 2, 2, 3, -1 });
        assert_order_found(m, names[2], (int[]){ 0, 1, 3, 2, -1 });
        assert_good(m);
}

static void test_files(void **state)
{
        struct made *m = *state;
        char a[512], b[512], c[512];

        for (int i = 0; i < FILES; i++) { /* one missing */
                assert_int_equal(rename(made_path(m, names[i], a), made_path(m, "elsewhere", b)), 0);
                assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                assert_int_equal(rename(b, a), 0);
        }
        made_path(m, names[0], a); /* two swapped */
        made_path(m, names[1], b);
        made_path(m, "between", c);
        assert_int_equal(rename(a, c) | rename(b, a) | rename(c, b), 0);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_int_equal(rename(a, c) | rename(b, a) | rename(c, b), 0);
        assert_int_equal(rename(a, made_path(m, "000001-20261119.archive", c)), 0); /* of another day */
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_int_equal(rename(c, a), 0);
        made_path(m, ARCHIVE_HEAD, a);
        assert_int_equal(unlink(a), 0);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "head.cose is missing");
}

/* What stands in a file's place and is none, or never ends: told by name, and never waited for. */
static void test_no_files(void **state)
{
        const char *const all[] = { names[0], names[2], ARCHIVE_HEAD, ARCHIVE_PUBLIC };
        struct made *m = *state;
        char path[512], away[512];

        snprintf(away, sizeof(away), "%s/away", m->parent);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                made_path(m, all[i], path);
                assert_int_equal(rename(path, away), 0);
                assert_int_equal(symlink(away, path), 0);
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_says(m, all[i]);
                assert_says(m, ": a symbolic link in the place of a file");
                assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                assert_int_equal(unlink(path), 0);
                assert_int_equal(mkfifo(path, 0600), 0);
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_says(m, ": not a file");
                assert_int_equal(unlink(path), 0);
                assert_int_equal(mkdir(path, 0700), 0);
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_int_equal(rmdir(path), 0);
                made_put(m, all[i], "", 0);
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_says(m, all[i]);
                assert_int_equal(truncate(path, INT64_C(1) << 40), 0); /* a terabyte of nothing */
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_says(m, "1099511627776 octets: larger than any");
                assert_int_equal(unlink(path), 0);
                assert_int_equal(rename(away, path), 0);
        }
        assert_good(m);
}

/* A length of four milliards in front of an entry, of its meta and of its parts. */
static void test_huge_lengths(void **state)
{
        static const uint8_t heads[][9] = { { 0x9a, 0xff, 0xff, 0xff, 0xff },
                                            { 0x5a, 0xff, 0xff, 0xff, 0xff },
                                            { 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
        struct made *m = *state;
        struct places places;
        size_t len;
        uint8_t *data = made_get(m, names[1], &len), *new = malloc(len + 16);

        find_items(data, len, &places);
        for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
                for (size_t at = places.at[1]; at < places.at[1] + 4; at++) {
                        memcpy(new, data, at);
                        memcpy(new + at, heads[i], sizeof(heads[i]));
                        memcpy(new + at + sizeof(heads[i]), data + at, len - at);
                        made_put(m, names[1], new, len + sizeof(heads[i]));
                        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                        assert_says(m, "000002-20261119.archive: behind entry 2, octet");
                }
        made_put(m, names[1], data, len);
        free(new);
        free(data);
        assert_good(m);
}

/* Cut at the border of the last entry, of the last two, of the last file: each says how many are missing. */
static void test_cut_at_borders(void **state)
{
        struct made *m = *state;
        struct places places;
        size_t len;
        uint8_t *data = made_get(m, names[2], &len);
        char text[160], path[512];

        find_items(data, len, &places);
        for (size_t left = places.count - 2; left > 0; left--) {
                made_put(m, names[2], data, places.at[left + 1]);
                assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                snprintf(text, sizeof(text), "says 6 entries in 3 files, %zu are here, the last in %s", 3 + left,
                         names[2]);
                assert_says(m, text);
        }
        assert_int_equal(unlink(made_path(m, names[2], path)), 0);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "says 6 entries in 3 files, 3 are here, the last in 000002-20261119.archive");
        free(data);
}

/* Another archive of the same key (the region was made anew): a file of it, its head, all of it. */
static void test_another_archive(void **state)
{
        struct made *m = *state, other = *m;
        char kept[512], path[512];

        snprintf(kept, sizeof(kept), "%s/kept", m->parent);
        snprintf(other.dir, sizeof(other.dir), "%s/other", m->parent);
        other.now_ms = MADE_BEGIN_MS;
        other.feed = 0;
        made_days(&other);
        for (int i = 0; i < FILES + 1; i++) {
                const char *name = i < FILES ? names[i] : ARCHIVE_HEAD;
                size_t len, theirs_len;
                uint8_t *data = made_get(m, name, &len), *theirs = made_get(&other, name, &theirs_len);

                made_put(m, name, theirs, theirs_len);
                assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
                assert_says(m, "of another archive");
                if (i < FILES)
                        assert_says(m, name);
                made_put(m, name, data, len);
                if (i == FILES)
                        assert_int_equal(file_write(kept, data, len, 0644), 0);
                free(data);
                free(theirs);
        }
        assert_good(m);
        assert_int_equal(rename(m->dir, made_path(m, "../away", path)) | rename(other.dir, m->dir), 0);
        assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_GOOD); /* all of it: only what was kept knows */
        assert_int_equal(made_audit(m, m->key_path, kept), AUDIT_NOT_GOOD);
        assert_says(m, "kept: it is of another archive");
}

/* Before its first entry as well it is not another one. */
static void test_another_empty_archive(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;
        char kept[512];
        size_t len;
        uint8_t *data;

        snprintf(kept, sizeof(kept), "%s/kept", m->parent);
        for (int i = 0; i < 2; i++) {
                assert_true(snprintf(m->dir, sizeof(m->dir), "%s/empty%d", m->parent, i) < (int)sizeof(m->dir));
                assert_int_equal(made_open(m, &f), 0);
                archive_folder_close(f);
                if (i > 0)
                        break;
                data = made_get(m, ARCHIVE_HEAD, &len);
                assert_int_equal(file_write(kept, data, len, 0644), 0);
                free(data);
                assert_int_equal(made_audit(m, m->key_path, kept), AUDIT_GOOD);
        }
        assert_int_equal(made_audit(m, m->key_path, kept), AUDIT_NOT_GOOD);
        assert_says(m, "kept: it is of another archive");
}

/* ---- the end, and checkpoints kept elsewhere */

static void keep_head(struct made *m, char path[512])
{
        size_t len;
        uint8_t *data = made_get(m, ARCHIVE_HEAD, &len);

        snprintf(path, 512, "%s/kept", m->parent);
        assert_int_equal(file_write(path, data, len, 0644), 0);
        free(data);
}

static void test_older_head(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;
        size_t older_len, newer_len, file_len;
        uint8_t *older = made_get(m, ARCHIVE_HEAD, &older_len), *file = made_get(m, names[2], &file_len), *newer;
        char kept[512];

        assert_int_equal(made_open(m, &f), 0);
        made_alert(m, f, 3, 1);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        keep_head(m, kept);
        assert_int_equal(made_audit(m, m->key_path, kept), AUDIT_GOOD);
        assert_says(m, "as the checkpoint kept elsewhere says");
        newer = made_get(m, ARCHIVE_HEAD, &newer_len);
        made_put(m, ARCHIVE_HEAD, older, older_len); /* the head alone: an entry is behind it */
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "1 entries behind the newest checkpoint");
        made_put(m, names[2], file, file_len); /* and the entry as well: only what was kept elsewhere knows */
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_GOOD);
        assert_says(m, "nothing newer is known here");
        assert_int_equal(made_audit(m, m->key_path, kept), AUDIT_NOT_GOOD);
        assert_says(m, "cut off at the end");
        free(older);
        free(newer);
        free(file);
}

static void test_keys(void **state)
{
        struct made *m = *state;
        struct key *other;
        char pem[KEY_PEM_MAX], path[512];

        assert_int_equal(key_generate(KEY_EDDSA, &other), 0);
        assert_int_equal(key_to_pem(other, false, pem, sizeof(pem)), 0);
        snprintf(path, sizeof(path), "%s/other.pem", m->parent);
        assert_int_equal(file_write(path, pem, strlen(pem), 0644), 0);
        assert_int_equal(made_audit(m, path, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "another key signed it");
        made_put(m, ARCHIVE_PUBLIC, pem, strlen(pem));
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_int_equal(made_audit(m, m->key_path, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "archive.pem: not the archive's key");
        assert_int_equal(made_audit(m, "/nowhere", NULL), AUDIT_NOT_LOOKED);
        assert_int_equal(made_audit(m, m->key_path, "/nowhere"), AUDIT_NOT_LOOKED);
        key_free(other);
}

/* ---- each alert's own chain */

static void test_alert_chain(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;
        struct record r;

        assert_int_equal(made_open(m, &f), 0);
        made_record(m, 2, 8, &r);
        memset(r.before, 0x55, sizeof(r.before)); /* of a record that is not the one before, and no break */
        assert_int_equal(made_append_alert(m, f, &r), 0);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "entry 7, alert 02020202020202020202020202020202: version 8 does not follow version 7");
}

static void test_version_again(void **state)
{
        struct made *m = *state;
        struct archive_folder *f;

        assert_int_equal(made_open(m, &f), 0);
        made_alert(m, f, 2, 7); /* names the right one before, and has no higher version */
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
        assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
        assert_says(m, "version 7 does not follow version 7");
}

/* A part taken out with all hashes right, as one who has no key can: no erasure says why. */
static void test_part_taken_out(void **state)
{
        struct made *m = *state;
        struct archive_entry entry;
        struct places places;
        size_t len;
        uint8_t *data = made_get(m, names[1], &len), out[ARCHIVE_ENTRY_MAX];
        int less;

        find_items(data, len, &places);
        assert_int_equal(archive_entry_read((struct cbor_span){ data + places.at[1], len - places.at[1] }, &entry), 0);
        for (int part = 0; part < ARCHIVE_PARTS; part++) {
                less = archive_entry_erase(&entry, (uint8_t)(1 << part), out + places.at[1]);
                assert_true(less > 0);
                memcpy(out, data, places.at[1]);
                made_put(m, names[1], out, places.at[1] + (size_t)less);
                assert_int_equal(made_audit(m, NULL, NULL), AUDIT_NOT_GOOD);
                assert_says(m, "is gone, and no erasure says why");
        }
        free(data);
}

#define MADE(test) cmocka_unit_test_setup_teardown(test, made_days_setup, made_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                MADE(test_good),
                MADE(test_every_bit),
                MADE(test_every_truncation_and_one_octet_more),
                MADE(test_entries_removed_doubled_swapped),
                MADE(test_files),
                MADE(test_no_files),
                MADE(test_huge_lengths),
                MADE(test_cut_at_borders),
                MADE(test_another_archive),
                MADE(test_another_empty_archive),
                MADE(test_older_head),
                MADE(test_keys),
                MADE(test_oracle),
                MADE(test_alert_chain),
                MADE(test_version_again),
                MADE(test_part_taken_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
