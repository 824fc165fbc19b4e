#include "dispatcher/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reply_is_good(const struct redisReply *reply)
{
        return reply != NULL && reply->type != REDIS_REPLY_ERROR;
}

size_t reply_count(const struct redisReply *reply)
{
        return reply != NULL && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *reply_at(const struct redisReply *reply, size_t index)
{
        return index < reply_count(reply) ? reply->element[index] : NULL;
}

struct cbor_span reply_bytes(const struct redisReply *reply)
{
        if (reply == NULL || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS))
                return (struct cbor_span){ NULL, 0 };
        return (struct cbor_span){ (const uint8_t *)reply->str, (size_t)reply->len };
}

int64_t reply_int(const struct redisReply *reply)
{
        char text[32];

        if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
                return reply->integer;
        return reply_text(reply, text, sizeof(text)) ? strtoll(text, NULL, 10) : 0;
}

bool reply_text(const struct redisReply *reply, char *to, size_t size)
{
        struct cbor_span bytes = reply_bytes(reply);

        to[0] = '\0';
        if (bytes.at == NULL || bytes.len >= size || memchr(bytes.at, '\0', bytes.len) != NULL)
                return false;
        memcpy(to, bytes.at, bytes.len);
        to[bytes.len] = '\0';
        return true;
}

const struct redisReply *reply_field(const struct redisReply *pairs, const char *name)
{
        for (size_t i = 0; i + 1 < reply_count(pairs); i += 2) {
                struct cbor_span key = reply_bytes(reply_at(pairs, i));

                if (key.len == strlen(name) && memcmp(key.at, name, key.len) == 0)
                        return reply_at(pairs, i + 1);
        }
        return NULL;
}

bool stream_id_read(const struct redisReply *reply, struct stream_id *ret_id)
{
        char text[STREAM_ID_TEXT], *end;

        *ret_id = (struct stream_id){ 0, 0 };
        if (!reply_text(reply, text, sizeof(text)))
                return false;
        ret_id->ms = strtoull(text, &end, 10);
        if (end == text || *end != '-')
                return false;
        ret_id->seq = strtoull(end + 1, NULL, 10);
        return true;
}

void stream_id_write(struct stream_id id, char to[STREAM_ID_TEXT])
{
        snprintf(to, STREAM_ID_TEXT, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

int stream_id_compare(struct stream_id a, struct stream_id b)
{
        if (a.ms != b.ms)
                return a.ms < b.ms ? -1 : 1;
        return a.seq < b.seq ? -1 : a.seq > b.seq;
}
