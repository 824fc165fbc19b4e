#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/ready.h"
#include "device/door/arena.h"
#include "device/door/serve.h"
#include "device/door/verify_log.h"

int main(int argc, char **argv)
{
        struct serve *serve;
        struct config config;
        enum log_level level;
        bool stop;
        int r, ready_fd;

        if (arena_install() < 0) /* before anything of libcrypto */
                return 1;
        if (argc == 4 && strcmp(argv[1], "verify-log") == 0)
                return verify_log(argv[2], argv[3]);
        if (config_read(&argc, argv, &config, &ready_fd, &stop) < 0)
                return 2;
        if (stop)
                return 0;
        log_level_from_name(config.log_level, &level);
        log_open("vigie-door", level);
        serve = calloc(1, sizeof(*serve)); /* all that the door will ever need */
        if (serve == NULL)
                return 1;
        r = serve_open(&config, serve);
        if (r == 0)
                r = ready_tell(ready_fd, 0);
        if (r == 0)
                r = serve_run(serve);
        serve_close(serve);
        free(serve);
        return r == 0 ? 0 : 1;
}
