#include "tests/device/handset/host/support.h"

#include <sys/stat.h>

#include "device/handset/host/battery.h"

static void supply(const struct folder *folder, const char *name, const char *type, const char *capacity)
{
        char path[128], file[256];

        mkdir(folder_file(folder, name, path), 0700);
        snprintf(file, sizeof(file), "%s/type", path);
        if (type != NULL)
                assert_int_equal(file_write(file, type, strlen(type), 0600), 0);
        snprintf(file, sizeof(file), "%s/capacity", path);
        if (capacity != NULL)
                assert_int_equal(file_write(file, capacity, strlen(capacity), 0600), 0);
}

static void clear(const struct folder *folder, const char *name)
{
        static const char *const files[] = { "type", "capacity", "scope" };
        char path[128], file[256];

        folder_file(folder, name, path);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                snprintf(file, sizeof(file), "%s/%s", path, files[i]);
                unlink(file);
        }
        rmdir(path);
}

static uint8_t read_of(const char *type, const char *capacity)
{
        struct folder folder;
        uint8_t percent;

        folder_make(&folder);
        supply(&folder, "B", type, capacity);
        percent = battery_read(folder.path);
        clear(&folder, "B");
        folder_remove(&folder);
        return percent;
}

static void a_battery(void **state)
{
        assert_int_equal(read_of("Battery\n", "57\n"), 57);
        assert_int_equal(read_of("Battery\n", "0\n"), 0);
        assert_int_equal(read_of("Battery\n", "100"), 100);
}

static void none(void **state)
{
        assert_int_equal(battery_read("/nowhere"), 255);
        assert_int_equal(read_of("Mains\n", "57\n"), 255);
        assert_int_equal(read_of("Battery\n", NULL), 255);
        assert_int_equal(read_of(NULL, "57\n"), 255);
        assert_int_equal(read_of("Battery\n", "101\n"), 255);
        assert_int_equal(read_of("Battery\n", "-1\n"), 255);
        assert_int_equal(read_of("Battery\n", "\n"), 255);
        assert_int_equal(read_of("Battery\n", "full\n"), 255);
}

/* A charger and a broken battery beside a good one. */
static void the_one_that_can_be_read(void **state)
{
        struct folder folder;

        folder_make(&folder);
        supply(&folder, "A", "Mains\n", "1\n");
        supply(&folder, "B", "Battery\n", "999\n");
        supply(&folder, "C", "Battery\n", "12\n");
        assert_int_equal(battery_read(folder.path), 12);
        clear(&folder, "A");
        clear(&folder, "B");
        clear(&folder, "C");
        folder_remove(&folder);
}

/* What hangs on the phone has batteries of its own: a Bluetooth button that is nearly empty is no last words. */
static void the_phones_own(void **state)
{
        struct folder folder;
        char path[256];

        folder_make(&folder);
        supply(&folder, "B", "Battery\n", "3\n");
        snprintf(path, sizeof(path), "%s/B/scope", folder.path);
        assert_int_equal(file_write(path, "Device\n", 7, 0600), 0);
        assert_int_equal(battery_read(folder.path), 255);
        supply(&folder, "C", "Battery\n", "88\n");
        assert_int_equal(battery_read(folder.path), 88);
        assert_int_equal(file_write(path, "System\n", 7, 0600), 0);
        clear(&folder, "C");
        assert_int_equal(battery_read(folder.path), 3);
        clear(&folder, "B");
        folder_remove(&folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_battery),
                cmocka_unit_test(none),
                cmocka_unit_test(the_one_that_can_be_read),
                cmocka_unit_test(the_phones_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
