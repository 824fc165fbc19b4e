/* The status list, as {r}:lists has it: kept once for all sessions. */
#include "dispatcher/inbox_inside.h"

#include <stdlib.h>
#include <string.h>

#include "wire/status.h"

static void on_list(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct inbox *inbox = call->inbox;
        struct cbor_span bytes = reply_bytes(reply);
        struct inbox_peer *peer;
        struct status_signed in;
        uint8_t *kept = NULL;
        size_t cursor = 0;

        if (inbox_call_came(call, reply) && bytes.len > 0 && status_read(bytes, &in, NULL) == 0 &&
            in.list.issued_at_s > inbox->list.issued_s && (kept = malloc(bytes.len)) != NULL) {
                memcpy(kept, bytes.at, bytes.len);
                free(inbox->list.bytes);
                inbox->list = (struct inbox_list){ in.list.issued_at_s, kept, (uint32_t)bytes.len };
                while ((peer = table_next(&inbox->peers, &cursor)) != NULL)
                        if (inbox_has_work(peer, &inbox->list))
                                inbox_work(inbox, peer);
        }
        free(call);
}

void inbox_read_list(struct inbox *inbox)
{
        static const uint8_t nobody[HANDSET_ID_SIZE];
        struct inbox_call *call = inbox_call_new(inbox, nobody);
        char key[STORE_KEY_SIZE];
        struct redis_args args;

        if (call == NULL)
                return;
        store_key(inbox->run->options.config, "lists", key);
        redis_args_init(&args, "HGET");
        redis_arg(&args, key);
        redis_arg(&args, "status");
        if (inbox_call_give(call, &args, on_list) < 0)
                free(call);
}
