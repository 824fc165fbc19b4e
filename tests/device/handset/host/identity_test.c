#include "tests/device/handset/host/support.h"

#include "device/handset/host/identity.h"

static const char id_hex[] = "0011223344556677";

/* A phone's folder: ca, phone (key and certificate), other (another certificate), root, trust. */
static struct config enrolled(const struct folder *folder)
{
        struct config config = { .role = "carrier", .holder = "c001", .man_down_s = 60 };
        char path[128];

        certify(folder, "ca", &(struct certificate){ "Vigie test", NULL, NULL });
        certify(folder, "phone", &(struct certificate){ id_hex, NULL, "ca" });
        certify(folder, "other", &(struct certificate){ id_hex, NULL, "ca" });
        certify(folder, "named", &(struct certificate){ "somebody", NULL, "ca" });
        put(folder, "trust", "list");
        strcpy(config.key, folder_file(folder, "phone.key", path));
        strcpy(config.certificate, folder_file(folder, "phone.pem", path));
        strcpy(config.root, folder_file(folder, "ca.key", path));
        strcpy(config.trust, folder_file(folder, "trust", path));
        config.addresses.count = 2;
        config.alert_addresses.count = 1;
        return config;
}

static void an_enrolled_phone(void **state)
{
        struct vigie_options options = VIGIE_OPTIONS;
        struct identity identity;
        struct folder folder;
        struct config config;

        folder_make(&folder);
        config = enrolled(&folder);
        identity_read(&config, &identity);
        assert_true(identity.enrolled);
        assert_int_equal(identity.handset[1], 0x11);
        assert_int_equal(identity.trust_len, 4);
        identity_options(&identity, &config, &options);
        assert_true(options.enrolled);
        assert_int_equal(options.address_count, 3);
        assert_int_equal(options.address_alert, 4);
        assert_int_equal(options.man_down_s, 60);
        assert_int_equal(options.root_alg, KEY_ES256);
        assert_int_equal(options.root_len, 65);
        assert_string_equal(options.person, "c001");
        assert_memory_equal(options.handset, identity.handset, VIGIE_HANDSET_ID_SIZE);
        assert_memory_equal(options.trust, "list", 4);
        identity_clear(&identity);
        folder_remove(&folder);
}

/* Without a trust list it is enrolled all the same: the journal may hold one. */
static void without_a_trust_list(void **state)
{
        struct identity identity;
        struct folder folder;
        struct config config;

        folder_make(&folder);
        config = enrolled(&folder);
        unlink(config.trust);
        identity_read(&config, &identity);
        assert_true(identity.enrolled);
        assert_null(identity.trust);
        assert_int_equal(identity.trust_len, 0);
        identity_clear(&identity);
        folder_remove(&folder);
}

enum fault {
        NO_KEY_NAMED,
        KEY_GONE,
        KEY_NONSENSE,
        KEY_IS_PUBLIC,
        CERTIFICATE_GONE,
        CERTIFICATE_OF_ANOTHER,
        CERTIFICATE_OF_NO_HANDSET,
        ROOT_GONE,
        FAULTS
};

static void spoil(const struct folder *folder, struct config *config, enum fault fault)
{
        char path[128];

        switch (fault) {
        case NO_KEY_NAMED:
                config->key[0] = 0;
                break;
        case KEY_GONE:
                unlink(config->key);
                break;
        case KEY_NONSENSE:
                put(folder, "phone.key", "nonsense");
                break;
        case KEY_IS_PUBLIC:
                strcpy(config->key, folder_file(folder, "phone.pem", path));
                break;
        case CERTIFICATE_GONE:
                unlink(config->certificate);
                break;
        case CERTIFICATE_OF_ANOTHER:
                strcpy(config->certificate, folder_file(folder, "other.pem", path));
                break;
        case CERTIFICATE_OF_NO_HANDSET:
                strcpy(config->certificate, folder_file(folder, "named.pem", path));
                strcpy(config->key, folder_file(folder, "named.key", path));
                break;
        default:
                unlink(config->root);
        }
}

/* A wiped phone, or one whose files were mixed up: not enrolled, and the daemon runs to say so. */
static void not_enrolled(void **state)
{
        for (enum fault fault = 0; fault < FAULTS; fault++) {
                struct vigie_options options = VIGIE_OPTIONS;
                struct identity identity;
                struct folder folder;
                struct config config;

                folder_make(&folder);
                config = enrolled(&folder);
                spoil(&folder, &config, fault);
                identity_read(&config, &identity);
                if (identity.enrolled)
                        fail_msg("fault %d is taken as enrolled", fault);
                identity_options(&identity, &config, &options);
                assert_false(options.enrolled);
                assert_int_equal(options.address_count, 0);
                assert_non_null(options.verify);
                identity_clear(&identity);
                folder_remove(&folder);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_enrolled_phone),
                cmocka_unit_test(without_a_trust_list),
                cmocka_unit_test(not_enrolled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
