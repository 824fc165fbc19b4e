/* Configuration from any octets: it is read, or refused with an error and nothing applied; never a crash.  What is
 * read keeps its bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/conf.h"

struct config {
        char name[8], path[64];
        int64_t port, lease_ms;
        bool drill;
        struct conf_list redis;
};

static const struct conf_option options[] = {
        CONF_STRING(struct config, name, "a.name", 1, "x", "a name"),
        CONF_PATH(struct config, path, "a.path", "", "a path"),
        CONF_INT(struct config, port, "a.port", 1, 65535, "8443", "a port"),
        CONF_DURATION(struct config, lease_ms, "b.lease", 1000, 600000, "30s", "a lease"),
        CONF_BOOL(struct config, drill, "b.drill", "yes", "a choice"),
        CONF_LIST(struct config, redis, "b.list", 1, 3, "/run/redis.sock", "a list"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct conf_table table = {
                "fuzz", "", "", NULL, options, sizeof(options) / sizeof(options[0]), sizeof(struct config), NULL
        };
        const struct conf_source source = { .text = (const char *)data, .len = size, .file = "f" };
        char errors[CONF_ERRORS_SIZE];
        struct config config;
        int r;

        memset(&config, 0x5a, sizeof(config));
        r = conf_parse(&table, &source, &config, errors);
        assert(strlen(errors) < sizeof(errors));
        assert((r == 0) == (errors[0] == '\0'));
        if (r < 0) {
                for (size_t i = 0; i < sizeof(config); i++)
                        assert(((uint8_t *)&config)[i] == 0x5a);
                return 0;
        }
        assert(config.name[0] != '\0' && strlen(config.name) < sizeof(config.name));
        assert(strlen(config.path) < sizeof(config.path));
        assert(config.port >= 1 && config.port <= 65535);
        assert(config.lease_ms >= 1000 && config.lease_ms <= 600000);
        assert(config.redis.count >= 1 && config.redis.count <= 3);
        return 0;
}
