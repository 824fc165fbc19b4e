#include "ops/vigie/archive_tail.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "ops/vigie/archive_feed.h"
#include "ops/vigie/archive_tail_inside.h"
#include "ops/vigie/say.h"

/* Feed entries of one batch: with 8 KiB each still half of what a batch holds. */
#define BATCH_COUNT 1000

int archive_tail_new(const struct archive_tail_options *options, struct archive_tail **ret_tail)
{
        struct archive_tail *tail = calloc(1, sizeof(*tail));

        if (tail == NULL)
                return -ENOMEM;
        tail->options = *options;
        tail->entry = malloc(sizeof(*tail->entry));
        region_key(options->region, "feed", tail->feed_key);
        *ret_tail = tail;
        if (tail->entry != NULL)
                return 0;
        free(tail);
        return -ENOMEM;
}

void archive_tail_free(struct archive_tail *tail)
{
        if (tail == NULL)
                return;
        archive_folder_close(tail->folder);
        free(tail->entry);
        free(tail);
}

/* ---- the server */

/* The value of "NAME:" in what INFO said. */
static void info_text(const char *info, const char *name, char to[64])
{
        const char *at = strstr(info, name);

        snprintf(to, 64, "%.*s", at != NULL ? (int)strcspn(at + strlen(name), "\r\n") : 1,
                 at != NULL ? at + strlen(name) : "?");
}

/* Which server this is: its run and its replication history. */
static int learn_where(struct archive_tail *tail)
{
        redisReply *server = NULL, *replication = NULL;
        char run[64], history[64], offset[64];
        int r;

        if ((r = region_ask(tail->redis, &server, "INFO server")) == 0 &&
            (r = region_ask(tail->redis, &replication, "INFO replication")) == 0) {
                info_text(server->str, "run_id:", run);
                info_text(replication->str, "master_replid:", history);
                info_text(replication->str, "master_repl_offset:", offset);
                snprintf(tail->where, sizeof(tail->where), "run %.40s replication %.40s", run, history);
        }
        freeReplyObject(server);
        freeReplyObject(replication);
        return r;
}

/* The feed is followed by one archive alone: another would trim what we have not read. */
static int claim(struct archive_tail *tail)
{
        char key[96], id[2 * ARCHIVE_ID_SIZE + 1];
        redisReply *reply;
        int r;

        region_key(tail->options.region, "archive", key);
        hex_encode(archive_folder_head(tail->folder)->id, ARCHIVE_ID_SIZE, id);
        if ((r = region_ask(tail->redis, &reply, "HGET %s id", key)) < 0)
                return r;
        if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, id) != 0 && !tail->options.take_over) {
                say_wrong("archive: the archive %s follows this feed, ours is %s: only one may (--take-over says that "
                          "this "
                          "one does from now on)",
                          reply->str, id);
                r = -EEXIST;
        }
        freeReplyObject(reply);
        return r;
}

static int connect_feed(struct archive_tail *tail)
{
        int r = region_alerts(tail->options.region, &tail->redis);

        if (r == 0 && (r = learn_where(tail)) < 0)
                tail_disconnect(tail);
        return r;
}

void tail_disconnect(struct archive_tail *tail)
{
        region_disconnect(tail->options.region);
        tail->redis = NULL;
}

/* ---- the folder */

static bool seen(void *user, const struct archive_meta *meta)
{
        struct archive_tail *tail = user;
        redisReply *reply = NULL;
        bool same = false;

        if (meta->kind != ARCHIVE_ALERT ||
            region_ask(tail->redis, &reply, "XRANGE %s %s %s", tail->feed_key, meta->feed, meta->feed) < 0)
                return false;
        if (reply->elements == 1 && archive_feed_read(reply->element[0], tail->entry) == 0)
                same = memcmp(tail->entry->meta.hash, meta->hash, ARCHIVE_LINK_SIZE) == 0;
        freeReplyObject(reply);
        return same;
}

static int open_folder(struct archive_tail *tail)
{
        const struct archive_folder_options options = { .dir = tail->options.dir,
                                                        .region = tail->options.region->config.name,
                                                        .key = tail->options.key,
                                                        .seen = seen,
                                                        .user = tail };
        int r = archive_folder_open(&options, &tail->folder);

        tail->is_told = false;
        return r < 0 ? r : claim(tail);
}

static int take_folder(struct archive_tail *tail)
{
        int r = tail->folder != NULL ? archive_folder_take(tail->folder) : -ESTALE;

        if (r != -ESTALE)
                return r;
        tail_forget(tail);
        return open_folder(tail);
}

void tail_forget(struct archive_tail *tail)
{
        archive_folder_close(tail->folder);
        tail->folder = NULL;
}

/* ---- what the feed has, and whether it is the one that we know */

struct feed_info {
        long long length, added;
        char first[ARCHIVE_FEED_ID_MAX + 1], last[ARCHIVE_FEED_ID_MAX + 1], deleted[ARCHIVE_FEED_ID_MAX + 1];
};

/* XINFO STREAM; a feed that is not there is empty. */
static int read_info(struct archive_tail *tail, struct feed_info *info)
{
        redisReply *reply = redisCommand(tail->redis, "XINFO STREAM %s", tail->feed_key);
        int r = reply == NULL ? -EIO : 0;

        memset(info, 0, sizeof(*info));
        if (reply != NULL && reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "no such key") == NULL)
                r = -EIO;
        if (r < 0)
                say_wrong("Redis: %s", reply != NULL ? reply->str : tail->redis->errstr);
        for (size_t i = 0; r == 0 && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
                const redisReply *value = reply->element[i + 1];
                const char *name = reply->element[i]->str;

                if (strcmp(name, "length") == 0)
                        info->length = value->integer;
                else if (strcmp(name, "entries-added") == 0)
                        info->added = value->integer;
                else if (strcmp(name, "last-generated-id") == 0)
                        snprintf(info->last, sizeof(info->last), "%s", value->str);
                else if (strcmp(name, "max-deleted-entry-id") == 0)
                        snprintf(info->deleted, sizeof(info->deleted), "%s", value->str);
                else if (strcmp(name, "first-entry") == 0 && value->elements == 2)
                        snprintf(info->first, sizeof(info->first), "%s", value->element[0]->str);
        }
        freeReplyObject(reply);
        return r;
}

/* Whether ENTRY of the feed is the one archived as RECENT; what of that is erased cannot be compared. */
static bool is_same(struct archive_tail *tail, const redisReply *entry, const struct archive_recent *recent)
{
        static const uint8_t unknown[sizeof(recent->content)];

        return archive_feed_read(entry, tail->entry) == 0 && strcmp(tail->entry->meta.feed, recent->feed) == 0 &&
               (memcmp(tail->entry->content, recent->content, sizeof(unknown)) == 0 ||
                memcmp(recent->content, unknown, sizeof(unknown)) == 0);
}

/* The newest archived entry that the feed has as it was: how many are behind it; -ENOENT: none. */
static int find_common(struct archive_tail *tail, const struct feed_info *info)
{
        const struct archive_recent *recent;
        redisReply *reply;
        int r;

        for (size_t ago = 0; (recent = archive_folder_recent(tail->folder, ago)) != NULL; ago++) {
                bool same;

                if (info->first[0] == 0 || archive_feed_compare(recent->feed, info->first) < 0)
                        break;
                if ((r = region_ask(tail->redis, &reply, "XRANGE %s %s %s", tail->feed_key, recent->feed,
                                    recent->feed)) < 0)
                        return r;
                same = reply->elements == 1 && is_same(tail, reply->element[0], recent);
                freeReplyObject(reply);
                if (same)
                        return (int)ago;
        }
        return -ENOENT;
}

/* The last archived entry is not in the feed: say why, in the archive, and where it is read on. */
static int mend(struct archive_tail *tail, const struct feed_info *info)
{
        const char *last = archive_folder_feed(tail->folder);
        struct archive_meta meta = { .kind = ARCHIVE_BREAK };
        bool is_same_server = strcmp(tail->where, archive_folder_where(tail->folder)) == 0;
        int common = find_common(tail, info), ago = 0;

        if (common < 0 && common != -ENOENT)
                return common;
        if (common < 0 && is_same_server &&
            (archive_feed_compare(info->last, last) == 0 || archive_feed_compare(info->deleted, last) == 0))
                return 0; /* what is archived was taken away, and nothing else */
        if (common < 0 && is_same_server && archive_feed_compare(info->last, last) > 0) {
                meta.kind = ARCHIVE_GAP;
                strcpy(meta.feed, last);
                snprintf(meta.text, sizeof(meta.text),
                         "trimmed by somebody else up to %s: what was between is lost; read from %.100s",
                         info->first[0] != 0 ? info->first : info->last, tail->where);
                archive_tail_notice(tail, "archive_gap", true);
        } else {
                while (archive_folder_recent(tail->folder, (size_t)ago) != NULL && ago != common)
                        ago++;
                meta.count = (uint64_t)ago;
                strcpy(meta.feed, common >= 0 ? archive_folder_recent(tail->folder, (size_t)common)->feed : "0-0");
                snprintf(meta.text, sizeof(meta.text), "the feed had gone to %s; %.100s -> %.100s", last,
                         archive_folder_where(tail->folder), tail->where);
        }
        say_wrong("archive: %s behind %s: %s", archive_kind_name(meta.kind), meta.feed, meta.text);
        return archive_folder_append(tail->folder, &meta, NULL);
}

/* The first time, and whenever it is another server. */
static int note_where(struct archive_tail *tail, const struct feed_info *info)
{
        struct archive_meta meta = { .kind = ARCHIVE_SOURCE };
        bool is_first = archive_folder_where(tail->folder)[0] == 0;

        if (strcmp(tail->where, archive_folder_where(tail->folder)) == 0)
                return 0;
        if (is_first && info->added > info->length)
                meta.count = (uint64_t)(info->added - info->length);
        strcpy(meta.feed, is_first ? "0-0" : "");
        strcpy(meta.text, tail->where);
        return archive_folder_append(tail->folder, &meta, NULL);
}

/* ---- a pass */

static int add_entries(struct archive_tail *tail, const redisReply *entries, size_t from)
{
        int r = 0;

        for (size_t i = from; r == 0 && i < entries->elements; i++) {
                if ((r = archive_feed_read(entries->element[i], tail->entry)) == 0)
                        r = archive_feed_add(tail->folder, tail->entry);
                if (r == -ENOBUFS && (r = archive_folder_commit(tail->folder)) == 0)
                        r = archive_feed_add(tail->folder, tail->entry);
        }
        return r;
}

/* Read on from the last archived entry; *RET_ENTRIES as the feed has them, the first of them that one if *RET_KNOWN. */
static int read_feed(struct archive_tail *tail, redisReply **ret_entries, bool *ret_known)
{
        const struct archive_recent *recent = archive_folder_recent(tail->folder, 0);
        const char *last = archive_folder_feed(tail->folder);
        bool ask = recent != NULL && strcmp(recent->feed, last) == 0;
        int r = region_ask(tail->redis, ret_entries, "XRANGE %s %s%s + COUNT %d", tail->feed_key,
                           ask || last[0] == 0 ? "" : "(", last[0] != 0 ? last : "-", BATCH_COUNT);

        *ret_known = !ask;
        if (r == 0 && ask && (*ret_entries)->elements > 0)
                *ret_known = is_same(tail, (*ret_entries)->element[0], recent);
        return r < 0 ? r : ask && *ret_known ? 1 : 0;
}

static int pass(struct archive_tail *tail)
{
        redisReply *entries = NULL;
        struct feed_info info;
        bool known;
        int r = read_info(tail, &info), skip = 0;

        if (r == 0)
                r = skip = read_feed(tail, &entries, &known);
        if (r >= 0 && !known) {
                freeReplyObject(entries);
                entries = NULL;
                skip = 0;
                if ((r = mend(tail, &info)) == 0)
                        r = region_ask(tail->redis, &entries, "XRANGE %s (%s + COUNT %d", tail->feed_key,
                                       archive_folder_feed(tail->folder), BATCH_COUNT);
        }
        if (r >= 0 && (r = note_where(tail, &info)) == 0)
                r = add_entries(tail, entries, (size_t)skip);
        if (r == 0)
                r = archive_folder_commit(tail->folder);
        if (r == 0)
                r = entries->elements == BATCH_COUNT;
        freeReplyObject(entries);
        return r;
}

/* {r}:archive: the newest checkpoint, for whoever wants to keep it. */
static int tell(struct archive_tail *tail)
{
        const struct archive_checkpoint *head = archive_folder_head(tail->folder);
        struct cbor_span octets = archive_folder_head_octets(tail->folder);
        char key[96], id[2 * ARCHIVE_ID_SIZE + 1];
        redisReply *reply;
        int r;

        if (tail->is_told && tail->told == head->number)
                return 0;
        region_key(tail->options.region, "archive", key);
        hex_encode(head->id, ARCHIVE_ID_SIZE, id);
        r = region_ask(tail->redis, &reply, "HSET %s f 1 id %s number %llu at %lld feed %s checkpoint %b", key, id,
                       (unsigned long long)head->number, (long long)head->at_ms, head->feed, octets.at, octets.len);
        if (r < 0)
                return r;
        freeReplyObject(reply);
        tail->is_told = true;
        tail->told = head->number;
        return 0;
}

int archive_tail_pass(struct archive_tail *tail)
{
        int r = tail->redis != NULL ? 0 : connect_feed(tail);

        if (r < 0)
                return r;
        if ((r = take_folder(tail)) == 0)
                r = pass(tail);
        if (r < 0) {
                tail_forget(tail);
                if (r == -EIO)
                        tail_disconnect(tail);
                else if (r != -EBADMSG && r != -EEXIST)
                        archive_tail_notice(tail, r == -ENOSPC || r == -EDQUOT ? "disk_full" : "archive_failed", true);
                return r;
        }
        archive_folder_release(tail->folder);
        archive_tail_notice(tail, "disk_full", false);
        archive_tail_notice(tail, "archive_failed", false);
        if (tell(tail) < 0) {
                tail_disconnect(tail);
                return -EIO;
        }
        return r;
}

int archive_tail_wait(struct archive_tail *tail)
{
        const char *last = archive_folder_feed(tail->folder);
        redisReply *reply;
        int r = region_ask(tail->redis, &reply, "XREAD COUNT 1 BLOCK 1000 STREAMS %s %s", tail->feed_key,
                           last[0] != 0 ? last : "0-0");

        if (r < 0)
                tail_disconnect(tail);
        else
                freeReplyObject(reply);
        return r;
}
