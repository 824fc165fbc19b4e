#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/vigie/command.h"
#include "wire/feed.h"

/* The feed in a terminal: one line an entry, `--json` one object.  An operator's view: it says who and what, and no position. */

static const char *field(const redisReply *fields, const char *name, size_t *ret_len)
{
        for (size_t i = 0; i + 1 < fields->elements; i += 2)
                if (strcmp(fields->element[i]->str, name) == 0) {
                        *ret_len = fields->element[i + 1]->len;
                        return fields->element[i + 1]->str;
                }
        *ret_len = 0;
        return "";
}

static void time_text(int64_t ms, char to[16])
{
        time_t s = ms / 1000;
        struct tm tm;

        localtime_r(&s, &tm);
        strftime(to, 16, "%H:%M:%S", &tm);
}

/* Text from outside, safe for a terminal: control characters and the bytes of escape sequences become '?'. */
static void print_safe(const char *text)
{
        for (; *text != 0; text++)
                putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_marks(uint32_t marks)
{
        static const struct {
                uint32_t mark;
                const char *name;
        } names[] = {
                { RECORD_SILENT, "silent" },     { RECORD_DURESS, "duress" },        { RECORD_DRILL, "drill" },
                { RECORD_UNVERIFIED, "unverified" }, { RECORD_MISTAKE, "mistake" },  { RECORD_PRESSED_AGAIN, "pressed again" },
                { RECORD_EXHAUSTED, "exhausted" },   { RECORD_NO_NEWS, "no news" },  { RECORD_RESTORED, "restored" },
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (marks & names[i].mark)
                        printf(" [%s]", names[i].name);
}

static void print_alert(const redisReply *fields, const char *event)
{
        struct record record;
        char at[16], id[ALERT_ID_TEXT];
        size_t len;
        const char *data = field(fields, "r", &len);

        if (record_decode((const uint8_t *)data, len, &record) < 0) {
                printf("alert: record cannot be read\n");
                return;
        }
        alert_id_to_text((const struct alert_id *)record.id, id);
        time_text(record.changed_at_ms, at);
        printf("%s alert %.4s..%s v%u %s -> %s  ", at, id, id + 28, record.version, event, alert_state_name(record.state));
        print_safe(record.carrier_name[0] != 0 ? record.carrier_name : "(carrier not known)");
        printf(" in ");
        print_safe(record.zone_name[0] != 0 ? record.zone_name : "(no zone)");
        printf(", %u asked", record.asked_count);
        if (record.owner_id[0] != 0) {
                printf(", taken by ");
                print_safe(record.owner_name);
        }
        print_marks(record.marks);
        putchar('\n');
}

static void print_notice(const redisReply *fields)
{
        struct notice notice;
        size_t len, key_len;
        const char *key = field(fields, "k", &key_len), *data = field(fields, "r", &len);

        printf("notice ");
        print_safe(key);
        if (len == 0)
                printf(" over\n");
        else if (notice_decode((const uint8_t *)data, len, &notice) == 0)
                printf(" %s: %s, %u\n", notice_kind_name(notice.kind), notice.cause, notice.count);
        else
                printf(": cannot be read\n");
}

static void print_entry(const redisReply *entry)
{
        const redisReply *fields = entry->element[1];
        size_t len;
        const char *type = field(fields, "t", &len), *other;

        if (strcmp(type, "alert") == 0)
                print_alert(fields, field(fields, "e", &len));
        else if (strcmp(type, "notice") == 0)
                print_notice(fields);
        else if (strcmp(type, "duty") == 0) {
                other = field(fields, "k", &len);
                printf("duty %s %s\n", other, (field(fields, "r", &len), len) > 0 ? "on" : "off");
        } else if (strcmp(type, "answer") == 0)
                printf("answer %s\n", answer_code_name((uint8_t)atoi(field(fields, "a", &len))));
        fflush(stdout);
}

int watch_main(struct region *region, int argc, char **argv)
{
        char key[96], last[64] = "$";
        redisContext *c;

        if (choices_read(&(struct choices){ .usage = "watch" }, argc, argv, NULL) < 0)
                return EXIT_USAGE;
        if (region_alerts(region, &c) < 0)
                return EXIT_REFUSED;
        region_key(region, "feed", key);
        redisSetTimeout(c, (struct timeval){ .tv_sec = 0 });
        for (;;) {
                redisReply *reply = redisCommand(c, "XREAD COUNT 100 BLOCK 1000 STREAMS %s %s", key, last);

                if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                        fprintf(stderr, "vigie: the feed is lost: %s\n", reply != NULL ? reply->str : c->errstr);
                        freeReplyObject(reply);
                        return EXIT_REFUSED;
                }
                for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->element[0]->element[1]->elements; i++) {
                        const redisReply *entry = reply->element[0]->element[1]->element[i];

                        print_entry(entry);
                        snprintf(last, sizeof(last), "%s", entry->element[0]->str);
                }
                freeReplyObject(reply);
        }
}
