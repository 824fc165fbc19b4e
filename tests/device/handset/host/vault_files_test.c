#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "device/handset/host/vault_files.h"

static void put(const struct vault_place *place, const char *name)
{
        assert_int_equal(vault_files_put(place, name, "secret", 6), 0);
}

/* left: how many names are in the folder, and the last of them. */
static int left(const struct vault_place *place, char ret_name[256])
{
        DIR *dir = opendir(place->folder);
        struct dirent *entry;
        int count = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir)) != NULL)
                if (entry->d_name[0] != '.') {
                        count++;
                        snprintf(ret_name, 256, "%s", entry->d_name);
                }
        closedir(dir);
        return count;
}

/* A power cut between file_write()'s file and its rename leaves the one beside the other: a wipe takes that too. */
static void a_wipe_leaves_no_half(void **state)
{
        static const char *const names[] = {
                "secret",       "vault",         "public",           "tries",     "challenge",
                "list",         "box-1",         "box-2.tmp.77",     "wiped",     "secret.tmp.1",
                "vault.tmp.12", "public.tmp.12", "challenge.tmp.12", "list.tmp.3"
        };
        char folder[] = "/tmp/vigie-vault-XXXXXX", name[256], path[300];
        struct vault_place place;

        assert_non_null(mkdtemp(folder));
        place = (struct vault_place){ folder, "" };
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                put(&place, names[i]);
        assert_int_equal(vault_files_wipe(&place, 1800000000), 0);
        assert_int_equal(left(&place, name), 1);
        assert_string_equal(name, "wiped");
        snprintf(path, sizeof(path), "%s/wiped", folder);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(folder), 0);
}

/* Parcels for a vault that stays locked: the newest are kept. */
static void a_fifth_box_takes_the_first_ones_place(void **state)
{
        static const uint8_t inbox[VAULT_INBOX_KEY_SIZE] = { 9 }, parcel[VAULT_BOXES_MAX + 2] = { 1 };
        char folder[] = "/tmp/vigie-vault-XXXXXX", path[300];
        struct vault_place place;
        struct stat about;

        assert_non_null(mkdtemp(folder));
        place = (struct vault_place){ folder, "" };
        for (size_t len = 1; len <= VAULT_BOXES_MAX + 2; len++)
                assert_int_equal(vault_files_post(&place, inbox, (struct cbor_span){ parcel, len }), 0);
        for (int n = 1; n <= VAULT_BOXES_MAX; n++) {
                snprintf(path, sizeof(path), "%s/box-%d", folder, n);
                assert_int_equal(stat(path, &about), 0);
                assert_int_equal(about.st_size, VAULT_BOX_OVERHEAD + n + 2);
                assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(a_wipe_leaves_no_half),
                                            cmocka_unit_test(a_fifth_box_takes_the_first_ones_place) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
