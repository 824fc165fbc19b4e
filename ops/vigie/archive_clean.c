/* What Redis need not keep once it is archived; and what the archive tells people. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "ops/vigie/archive_feed.h"
#include "ops/vigie/archive_tail_inside.h"
#include "ops/vigie/say.h"
#include "wire/feed.h"

#define CLOSED_KEPT_MS    INT64_C(86400000)         /* a closed alert's hash: who asks the day after asks the archive */
#define TOMBSTONE_KEPT_MS (400 * INT64_C(86400000)) /* DESIGN 6: no phone offers a press again after that */
#define SCAN_COUNT        1000                      /* keys or fields of one SCAN: under a millisecond of Redis */

static int ask_now(struct archive_tail *tail, int64_t *ret_now_ms)
{
        redisReply *reply;
        int r = region_ask(tail->redis, &reply, "TIME");

        if (r < 0)
                return r;
        *ret_now_ms =
                strtoll(reply->element[0]->str, NULL, 10) * 1000 + strtoll(reply->element[1]->str, NULL, 10) / 1000;
        freeReplyObject(reply);
        return 0;
}

int archive_tail_trim(struct archive_tail *tail)
{
        const char *archived = archive_folder_head(tail->folder)->feed;
        char until[ARCHIVE_FEED_ID_MAX + 1];
        redisReply *reply;
        int64_t now_ms;
        int r = ask_now(tail, &now_ms);

        if (r < 0)
                return r;
        snprintf(until, sizeof(until), "%lld-0", (long long)(now_ms - tail->options.region->config.keep_ms));
        if (archive_feed_compare(archived, until) < 0)
                snprintf(until, sizeof(until), "%s", archived);
        if (until[0] == 0)
                return 0;
        if ((r = region_ask(tail->redis, &reply, "XTRIM %s MINID = %s", tail->feed_key, until)) == 0)
                freeReplyObject(reply);
        return r;
}

/* ---- closed alerts */

/* Whether the alert was closed more than a day ago by its tombstone. */
static bool is_over(struct archive_tail *tail, const char *id, int64_t now_ms)
{
        struct tombstone tombstone;
        redisReply *reply;
        bool over = false;
        char key[96];

        region_key(tail->options.region, "tombstones", key);
        if (region_ask(tail->redis, &reply, "HGET %s %s", key, id) < 0)
                return false;
        if (reply->type == REDIS_REPLY_STRING &&
            tombstone_decode((const uint8_t *)reply->str, reply->len, &tombstone) == 0)
                over = tombstone.closed_at_ms + CLOSED_KEPT_MS <= now_ms;
        freeReplyObject(reply);
        return over;
}

/* One {r}:alert:<id>: gone once it is closed, its day is over, and the archive has its last version. */
static int clean_alert(struct archive_tail *tail, const char *key, int64_t now_ms)
{
        const char *text = strrchr(key, ':') + 1;
        const struct archive_alert *alert;
        struct alert_id id;
        redisReply *reply;
        bool archived;
        int r;

        if (alert_id_from_text(text, &id) < 0)
                return 0;
        alert = archive_audit_alert(archive_folder_audit(tail->folder), id.octets);
        if (alert == NULL || alert->state != ALERT_CLOSED || !is_over(tail, text, now_ms))
                return 0;
        if ((r = region_ask(tail->redis, &reply, "HGET %s v", key)) < 0)
                return r;
        archived = reply->type == REDIS_REPLY_STRING && strtoull(reply->str, NULL, 10) == alert->version;
        freeReplyObject(reply);
        if (archived && (r = region_ask(tail->redis, &reply, "DEL %s", key)) == 0)
                freeReplyObject(reply);
        return r;
}

static int clean_tombstone(struct archive_tail *tail, const redisReply *id, const redisReply *value, int64_t now_ms)
{
        struct tombstone tombstone;
        redisReply *reply;
        char key[96];
        int r;

        if (tombstone_decode((const uint8_t *)value->str, value->len, &tombstone) < 0 ||
            tombstone.closed_at_ms + TOMBSTONE_KEPT_MS > now_ms)
                return 0;
        region_key(tail->options.region, "tombstones", key);
        if ((r = region_ask(tail->redis, &reply, "HDEL %s %s", key, id->str)) == 0)
                freeReplyObject(reply);
        return r;
}

static int clean_alerts(struct archive_tail *tail, int64_t now_ms)
{
        char cursor[24] = "0", match[96];
        redisReply *reply;
        int r;

        region_key(tail->options.region, "alert:*", match);
        do {
                if ((r = region_ask(tail->redis, &reply, "SCAN %s MATCH %s COUNT %d", cursor, match, SCAN_COUNT)) < 0)
                        return r;
                snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
                for (size_t i = 0; r == 0 && i < reply->element[1]->elements; i++)
                        r = clean_alert(tail, reply->element[1]->element[i]->str, now_ms);
                freeReplyObject(reply);
        } while (r == 0 && strcmp(cursor, "0") != 0);
        return r;
}

static int clean_tombstones(struct archive_tail *tail, int64_t now_ms)
{
        char cursor[24] = "0", key[96];
        redisReply *reply;
        int r;

        region_key(tail->options.region, "tombstones", key);
        do {
                if ((r = region_ask(tail->redis, &reply, "HSCAN %s %s COUNT %d", key, cursor, SCAN_COUNT)) < 0)
                        return r;
                snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
                for (size_t i = 0; r == 0 && i + 1 < reply->element[1]->elements; i += 2)
                        r = clean_tombstone(tail, reply->element[1]->element[i], reply->element[1]->element[i + 1],
                                            now_ms);
                freeReplyObject(reply);
        } while (r == 0 && strcmp(cursor, "0") != 0);
        return r;
}

/* ---- notices */

static void notice_key(const char *what, char to[64])
{
        snprintf(to, 64, "tech:archive:%s", what);
}

/* Set (LEN not 0) or end a notice and tell the feed, in one transaction. */
static int put_notice(struct archive_tail *tail, const char *what, const uint8_t *data, size_t len)
{
        char notices[96], key[64];
        redisReply *reply = NULL;
        int64_t now_ms;
        int r = ask_now(tail, &now_ms);

        if (r < 0)
                return r;
        region_key(tail->options.region, "notices", notices);
        notice_key(what, key);
        redisAppendCommand(tail->redis, "MULTI");
        if (len > 0)
                redisAppendCommand(tail->redis, "HSET %s %s %b", notices, key, data, len);
        else
                redisAppendCommand(tail->redis, "HDEL %s %s", notices, key);
        redisAppendCommand(tail->redis, "XADD %s * f 1 t notice k %s at %lld r %b", tail->feed_key, key,
                           (long long)now_ms, data, len);
        redisAppendCommand(tail->redis, "EXEC");
        for (int i = 0; i < 4; i++) {
                freeReplyObject(reply);
                reply = NULL;
                if (redisGetReply(tail->redis, (void **)&reply) != REDIS_OK)
                        break;
        }
        r = reply != NULL && reply->type == REDIS_REPLY_ARRAY ? 0 : -EIO;
        freeReplyObject(reply);
        return r;
}

/* Whether the notice stands, and whether somebody has read it. */
static int look_notice(struct archive_tail *tail, const char *what, bool *ret_on, bool *ret_acked)
{
        char notices[96], key[64];
        struct notice notice;
        redisReply *reply;
        int r;

        region_key(tail->options.region, "notices", notices);
        notice_key(what, key);
        if ((r = region_ask(tail->redis, &reply, "HGET %s %s", notices, key)) < 0)
                return r;
        *ret_on = reply->type == REDIS_REPLY_STRING;
        *ret_acked = *ret_on && notice_decode((const uint8_t *)reply->str, reply->len, &notice) == 0 &&
                     notice.acked_by[0] != 0;
        freeReplyObject(reply);
        return 0;
}

static enum tail_trouble trouble_of(const char *what)
{
        return strcmp(what, "disk_full") == 0     ? TROUBLE_DISK
               : strcmp(what, "archive_gap") == 0 ? TROUBLE_GAP
                                                  : TROUBLE_FAILED;
}

void archive_tail_notice(struct archive_tail *tail, const char *what, bool on)
{
        struct notice notice = { .kind = NOTICE_TECHNICAL, .rings = true, .count = 1 };
        enum tail_trouble trouble = trouble_of(what);
        uint8_t data[NOTICE_MAX];
        bool is_on, acked;
        int len = 0;

        if (tail->redis == NULL || (tail->notices[trouble].known && tail->notices[trouble].on == on) ||
            look_notice(tail, what, &is_on, &acked) < 0)
                return;
        if (on && !is_on) {
                snprintf(notice.cause, sizeof(notice.cause), "%s", what);
                if (ask_now(tail, &notice.since_ms) < 0 || (len = notice_encode(&notice, data, sizeof(data))) < 0)
                        return;
        }
        if (on != is_on && put_notice(tail, what, data, (size_t)len) < 0)
                return;
        tail->notices[trouble].known = true;
        tail->notices[trouble].on = on;
}

/* A gap cannot be mended: its notice stands until somebody has read it. */
static int clean_gap(struct archive_tail *tail)
{
        bool on, acked;
        int r = look_notice(tail, "archive_gap", &on, &acked);

        if (r == 0 && acked) {
                tail->notices[TROUBLE_GAP].known = false;
                archive_tail_notice(tail, "archive_gap", false);
        }
        return r;
}

int archive_tail_clean(struct archive_tail *tail)
{
        int64_t now_ms;
        int r = ask_now(tail, &now_ms);

        if (r < 0 || (r = clean_alerts(tail, now_ms)) < 0 || (r = clean_tombstones(tail, now_ms)) < 0)
                return r;
        return clean_gap(tail);
}
