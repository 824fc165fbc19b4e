#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/redis.h"

void redis_args_init(struct redis_args *args, const char *command)
{
        args->argc = 0;
        args->numbers = 0;
        redis_arg(args, command);
}

void redis_arg(struct redis_args *args, const char *text)
{
        redis_arg_data(args, text, strlen(text));
}

/* One over the limit stays: redis_command sees it. */
void redis_arg_data(struct redis_args *args, const void *data, size_t len)
{
        if (args->argc >= REDIS_ARGS_MAX) {
                args->argc = REDIS_ARGS_MAX + 1;
                return;
        }
        args->argv[args->argc] = data;
        args->len[args->argc++] = len;
}

void redis_arg_int(struct redis_args *args, int64_t number)
{
        char *text;

        if (args->numbers == REDIS_NUMBERS_MAX) {
                args->argc = REDIS_ARGS_MAX + 1;
                return;
        }
        text = args->number[args->numbers++];
        snprintf(text, sizeof(args->number[0]), "%" PRId64, number);
        redis_arg(args, text);
}

int redis_script_init(struct redis_script *script, const char *text)
{
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned len;

        if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1)
                return -ENOMEM;
        script->text = text;
        hex_encode(digest, 20, script->sha1);
        return 0;
}
