#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "device/handset/host/host.h"
#include "device/handset/host/passes.h"
#include "device/handset/host/socket.h"
#include "device/handset/host/words.h"

/* What people ask has their PINs in it, and jansson keeps copies. */
static void wipe_free(void *memory)
{
        if (memory != NULL)
                explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
}

int main(int argc, char **argv)
{
        struct host *host = NULL;
        struct config_start start;
        struct config config;
        enum log_level level;
        int r;

        if (config_read(&argc, argv, &config, &start) < 0)
                return 2;
        if (start.stop)
                return 0;
        if (start.rest < argc && strcmp(argv[start.rest], "help") == 0)
                return printf("%s%s", words_help, passes_words_help) > 0 ? 0 : 1;
        if (start.rest < argc)
                return socket_ask(config.socket, (size_t)(argc - start.rest), (const char *const *)argv + start.rest);
        log_level_from_name(config.log_level, &level);
        log_open("vigie-handset", level);
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }); /* no dump of a memory that may hold an open vault */
        json_set_alloc_funcs(malloc, wipe_free);
        r = host_open(&config, start.ready_fd, &host);
        if (r == 0)
                r = host_run(host);
        host_close(host);
        return r == 0 ? 0 : 1;
}
