#include "ops/vigie/restore_put.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "ops/vigie/say.h"

/* Words of one command: a page of a backup's hash, and what stands before it. */
#define WORDS_MAX 65536

static struct cbor_span text_of(const char *text)
{
        return (struct cbor_span){ (const uint8_t *)text, strlen(text) };
}

int restore_put_command(struct restore_put *put, const struct cbor_span *words, size_t count)
{
        const char **argv = calloc(count, sizeof(*argv));
        size_t *lens = calloc(count, sizeof(*lens));
        int r = argv != NULL && lens != NULL ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < count; i++) {
                argv[i] = words[i].len > 0 ? (const char *)words[i].at : "";
                lens[i] = words[i].len;
        }
        if (r == 0 && redisAppendCommandArgv(put->redis, (int)count, argv, lens) != REDIS_OK)
                r = -ENOMEM;
        put->commands += r == 0;
        free(argv);
        free(lens);
        return r;
}

/* ---- the backup's items */

static const char *command_of(uint8_t kind)
{
        static const char *const commands[BACKUP_KIND_END] = {
                [BACKUP_STRING] = "SET",  [BACKUP_HASH] = "HSET",        [BACKUP_ZSET] = "ZADD",
                [BACKUP_STREAM] = "XADD", [BACKUP_EXPIRY] = "PEXPIREAT",
        };

        return commands[kind];
}

/* An entry ID of the stream KEY.  SCAN may have met the stream twice: what came first goes, or XADD would refuse all of
 * the second. */
static int begin_stream(struct restore_put *put, const struct backup_item *item, const char *key, struct cbor_span id)
{
        char text[ARCHIVE_FEED_ID_MAX + 1] = "";
        bool goes_on;

        if (id.len == 0 || id.len >= sizeof(text))
                return -EBADMSG;
        memcpy(text, id.at, id.len);
        goes_on = strcmp(put->stream, item->key) == 0 && archive_feed_compare(text, put->entry) > 0;
        strcpy(put->stream, item->key);
        strcpy(put->entry, text);
        return goes_on ? 0 : restore_put_command(put, (struct cbor_span[]){ text_of("DEL"), text_of(key) }, 2);
}

int restore_put_item(struct restore_put *put, const struct backup_item *item)
{
        struct cbor_span *words = calloc(WORDS_MAX, sizeof(*words));
        size_t count = 0;
        struct cbor_reader r;
        char key[96 + BACKUP_KEY_MAX];
        int result;

        if (words == NULL)
                return -ENOMEM;
        snprintf(key, sizeof(key), "{%s}:%s", put->region->config.name, item->key);
        words[count++] = text_of(command_of(item->kind));
        words[count++] = text_of(key);
        cbor_reader_init(&r, item->values);
        cbor_enter_array(&r);
        while (cbor_more(&r) && count < WORDS_MAX)
                words[count++] = cbor_read_bytes(&r, 0, BACKUP_ITEM_MAX);
        cbor_leave(&r);
        result = cbor_end(&r) < 0 || count < 3 ||
                                 ((item->kind == BACKUP_HASH || item->kind == BACKUP_ZSET) && count % 2 != 0)
                         ? -EBADMSG
                         : 0;
        for (size_t i = 2; result == 0 && item->kind == BACKUP_ZSET && i < count;
             i += 2) { /* ZADD has the score first */
                struct cbor_span member = words[i];

                words[i] = words[i + 1];
                words[i + 1] = member;
        }
        if (result == 0 && item->kind == BACKUP_STREAM)
                result = begin_stream(put, item, key, words[2]);
        if (result == 0)
                result = restore_put_command(put, words, count);
        free(words);
        return result;
}

/* ---- alerts */

static int put_open(struct restore_put *put, const struct restored *alert, const char *id)
{
        const struct record *record = &alert->record;
        char key[160], version[16], state[8], now[24], feed_id[48], open[96], due[96], feed[96], urgency[32];
        uint8_t octets[RECORD_MAX];
        int len = record_encode(record, octets, sizeof(octets)), r;
        struct cbor_span rec = { octets, len > 0 ? (size_t)len : 0 };

        if (len < 0)
                return -EBADMSG;
        snprintf(key, sizeof(key), "{%s}:alert:%s", put->region->config.name, id);
        snprintf(version, sizeof(version), "%u", record->version);
        snprintf(state, sizeof(state), "%d", (int)record->state);
        snprintf(now, sizeof(now), "%lld", (long long)put->now_ms);
        snprintf(feed_id, sizeof(feed_id), "%llu-%u", (unsigned long long)put->feed_ms, put->feed_seq++);
        snprintf(urgency, sizeof(urgency), "%.0f", record_urgency(record));
        region_key(put->region, "open", open);
        region_key(put->region, "due", due);
        region_key(put->region, "feed", feed);
        {
                const struct cbor_span hash[] = { text_of("HSET"),   text_of(key),
                                                  text_of("f"),      text_of("1"),
                                                  text_of("v"),      text_of(version),
                                                  text_of("s"),      text_of(state),
                                                  text_of("due"),    text_of(now),
                                                  text_of("r"),      rec,
                                                  text_of("signed"), { alert->extra, alert->extra_len } };
                const struct cbor_span in_open[] = { text_of("ZADD"), text_of(open), text_of(urgency), text_of(id) };
                const struct cbor_span in_due[] = { text_of("ZADD"), text_of(due), text_of(now), text_of(id) };
                const struct cbor_span told[] = { text_of("XADD"),   text_of(feed),    text_of(feed_id),
                                                  text_of("f"),      text_of("1"),     text_of("t"),
                                                  text_of("alert"),  text_of("id"),    text_of(id),
                                                  text_of("v"),      text_of(version), text_of("e"),
                                                  text_of("update"), text_of("by"),    text_of(""),
                                                  text_of("c"),      text_of(""),      text_of("at"),
                                                  text_of(now),      text_of("r"),     rec };

                if ((r = restore_put_command(put, hash, alert->extra != NULL ? 14 : 12)) < 0 ||
                    (r = restore_put_command(put, in_open, 4)) < 0 || (r = restore_put_command(put, in_due, 4)) < 0)
                        return r;
                return restore_put_command(put, told, sizeof(told) / sizeof(told[0]));
        }
}

static int put_tombstone(struct restore_put *put, const uint8_t id[ALERT_ID_SIZE], struct cbor_span tombstone)
{
        char key[96], text[ALERT_ID_TEXT];

        region_key(put->region, "tombstones", key);
        hex_encode(id, ALERT_ID_SIZE, text);
        return restore_put_command(put, (struct cbor_span[]){ text_of("HSET"), text_of(key), text_of(text), tombstone },
                                   4);
}

/* The closed alert's own tombstone, and those of its other nonces. */
static int put_closed(struct restore_put *put, const struct restored *alert)
{
        struct tombstone tombstone;
        uint8_t octets[TOMBSTONE_MAX], alias[ALERT_ID_SIZE];
        int len, r;

        restored_tombstone(alert, &tombstone);
        if ((len = tombstone_encode(&tombstone, octets, sizeof(octets))) < 0)
                return -EBADMSG;
        r = put_tombstone(put, alert->id, (struct cbor_span){ octets, (size_t)len });
        for (size_t i = 0; r == 0 && i < alert->record.alias_count; i++) {
                memcpy(alias, alert->id, HANDSET_ID_SIZE);
                memcpy(alias + HANDSET_ID_SIZE, alert->record.aliases[i].nonce, ALERT_NONCE_SIZE);
                r = put_tombstone(put, alias, (struct cbor_span){ octets, (size_t)len });
        }
        return r;
}

int restore_put_alert(struct restore_put *put, struct restored *alert)
{
        uint8_t salt[16];
        char id[ALERT_ID_TEXT];

        if (alert->record.version == 0 || (alert->buried && alert->record.state != ALERT_CLOSED))
                return 0; /* its signed bytes alone were met; or the tombstone comes with the rest */
        if (alert->record.state == ALERT_CLOSED) {
                put->closed++;
                return put_closed(put, alert);
        }
        if (RAND_bytes(salt, sizeof(salt)) != 1)
                return -EIO;
        put->open++;
        restored_mark(alert, put->now_ms, salt);
        hex_encode(alert->id, ALERT_ID_SIZE, id);
        return put_open(put, alert, id);
}

int restore_put_fact(struct restore_put *put, const char *hash, struct cbor_span fields)
{
        struct cbor_span field = { NULL, 0 }, value = { NULL, 0 };
        struct cbor_reader r;
        char key[96];

        cbor_reader_init(&r, fields);
        cbor_enter_array(&r);
        while (cbor_more(&r)) {
                struct cbor_span name = cbor_read_bytes(&r, 0, ARCHIVE_ENTRY_MAX),
                                 data = cbor_read_bytes(&r, 0, ARCHIVE_ENTRY_MAX);

                if (name.len == 1 && name.at[0] == 'k')
                        field = data;
                else if (name.len == 1 && name.at[0] == 'r')
                        value = data;
        }
        cbor_leave(&r);
        if (cbor_end(&r) < 0 || field.len == 0)
                return -EBADMSG;
        region_key(put->region, hash, key);
        if (value.len == 0)
                return restore_put_command(put, (struct cbor_span[]){ text_of("HDEL"), text_of(key), field }, 3);
        return restore_put_command(put, (struct cbor_span[]){ text_of("HSET"), text_of(key), field, value }, 4);
}

/* ---- the end */

int restore_put_exec(struct restore_put *put)
{
        const struct cbor_span exec = text_of("EXEC");
        redisReply *reply = NULL;
        int r = restore_put_command(put, &exec, 1);

        for (size_t i = 0; r == 0 && i < put->commands; i++) {
                freeReplyObject(reply);
                reply = NULL;
                if (redisGetReply(put->redis, (void **)&reply) != REDIS_OK)
                        r = -EIO;
                else if (reply->type == REDIS_REPLY_ERROR) {
                        say_wrong("Redis: %s", reply->str);
                        r = -EIO;
                }
        }
        if (r < 0 && reply == NULL)
                say_wrong("Redis: %s", put->redis->errstr);
        if (r == 0 && reply->type == REDIS_REPLY_NIL)
                r = -EAGAIN;
        for (size_t i = 0; r == 0 && i < reply->elements; i++)
                if (reply->element[i]->type == REDIS_REPLY_ERROR) {
                        say_wrong("Redis: %s", reply->element[i]->str);
                        r = -EIO;
                }
        freeReplyObject(reply);
        return r;
}
