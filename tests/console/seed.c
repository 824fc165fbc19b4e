/* seed: stands in for the dispatchers and the operator's tool in the browser test.  Each line on stdin is a JSON object
 * with an `op`; it is encoded as wire/ does and written to Redis as a dispatcher would; one JSON line answers it.
 *   seed REGION ALERTS-SOCKET POSITIONS-SOCKET */
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/password.h"
#include "wire/alert.h"
#include "wire/feed.h"

struct seed {
        const char *region;
        redisContext *alerts, *positions;
};

static const char *text(json_t *json, const char *name)
{
        const char *value = json_string_value(json_object_get(json, name));

        return value != NULL ? value : "";
}

static int64_t number(json_t *json, const char *name, int64_t fallback)
{
        json_t *value = json_object_get(json, name);

        return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static void copy(json_t *json, const char *name, char *to, size_t size)
{
        record_set_text(to, size, text(json, name));
}
#define COPY(json, name, member) copy(json, name, member, sizeof(member))

static void must(const char *what, int n)
{
        if (n < 0) {
                fprintf(stderr, "seed: %s: %s\n", what, strerror(-n));
                exit(1);
        }
}

/* redis: a command in hiredis's format: %b takes a pointer and a size_t. */
static void redis(redisContext *c, const char *format, ...)
{
        redisReply *reply;
        va_list ap;

        va_start(ap, format);
        reply = redisvCommand(c, format, ap);
        va_end(ap);
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                fprintf(stderr, "seed: %s: %s\n", format, reply != NULL ? reply->str : c->errstr);
                exit(1);
        }
        freeReplyObject(reply);
}

/* now_ms: the alerts Redis's clock. */
static int64_t now_ms(struct seed *s)
{
        redisReply *reply = redisCommand(s->alerts, "TIME");
        int64_t ms =
                strtoll(reply->element[0]->str, NULL, 10) * 1000 + strtoll(reply->element[1]->str, NULL, 10) / 1000;

        freeReplyObject(reply);
        return ms;
}

static bool has_point(json_t *json, struct track_point *to)
{
        if (!json_is_object(json))
                return false;
        to->lat_e7 = (int32_t)lround(json_number_value(json_object_get(json, "lat")) * 1e7);
        to->lon_e7 = (int32_t)lround(json_number_value(json_object_get(json, "lon")) * 1e7);
        to->accuracy_m = (uint16_t)number(json, "accuracy_m", 10);
        to->at_s = (uint32_t)(number(json, "at", 0) / 1000);
        return true;
}

static void put_user(struct seed *s, json_t *json)
{
        struct user_entry entry = { .disabled = json_is_true(json_object_get(json, "disabled")) };
        const char *password = text(json, "password");
        uint8_t buf[PEOPLE_MAX];
        int n;

        COPY(json, "person", entry.person);
        COPY(json, "name", entry.name);
        COPY(json, "language", entry.language);
        entry.role = (uint8_t)user_role_parse(text(json, "role"));
        must("password", password_hash(password, strlen(password), entry.password));
        must("user", n = user_entry_encode(&entry, buf, sizeof(buf)));
        redis(s->alerts, "HSET {%s}:users %s %b", s->region, text(json, "login"), buf, (size_t)n);
}

static void put_supervisor(struct seed *s, json_t *json)
{
        struct supervisor_entry entry = { .manager = json_is_true(json_object_get(json, "manager")) };
        uint8_t buf[PEOPLE_MAX];
        int n;

        COPY(json, "name", entry.name);
        COPY(json, "number", entry.number);
        COPY(json, "team", entry.team);
        must("supervisor", n = supervisor_entry_encode(&entry, buf, sizeof(buf)));
        redis(s->alerts, "HSET {%s}:supervisors %s %b", s->region, text(json, "id"), buf, (size_t)n);
        redis(s->alerts, "XADD {%s}:people:changes * h supervisors k %s", s->region, text(json, "id"));
}

static void put_duty(struct seed *s, json_t *json)
{
        struct duty_entry duty = { .since_ms = number(json, "since", now_ms(s)),
                                   .until_s = (uint32_t)(number(json, "until", 0) / 1000) };
        uint8_t buf[DUTY_ENTRY_MAX];
        int n = 0;

        if (json_is_true(json_object_get(json, "off"))) {
                redis(s->alerts, "HDEL {%s}:duty:supervisors %s", s->region, text(json, "id"));
        } else {
                must("duty", n = duty_entry_encode(&duty, buf, sizeof(buf)));
                redis(s->alerts, "HSET {%s}:duty:supervisors %s %b", s->region, text(json, "id"), buf, (size_t)n);
        }
        redis(s->alerts, "XADD {%s}:feed * f 1 t duty k %s at %lld r %b", s->region, text(json, "id"),
              (long long)now_ms(s), buf, (size_t)n);
}

static void put_presence(struct seed *s, json_t *json)
{
        struct presence presence = { .at_ms = number(json, "at", now_ms(s)),
                                     .by = (uint8_t)number(json, "by", PRESENCE_HANDSET) };
        uint8_t buf[PRESENCE_MAX];
        int n;

        presence.has_position = has_point(json_object_get(json, "position"), &presence.at);
        must("presence", n = presence_encode(&presence, buf, sizeof(buf)));
        redis(s->positions, "XADD {%s}:roster * f 1 id %s r %b", s->region, text(json, "id"), buf, (size_t)n);
}

static void put_carriers(struct seed *s, json_t *json)
{
        int64_t now = now_ms(s);

        for (int64_t i = 0; i < number(json, "heard", 0) + number(json, "quiet", 0); i++)
                redis(s->positions, "ZADD {%s}:duty %lld %016llx", s->region,
                      (long long)(now - (i < number(json, "quiet", 0) ? 600000 : 0)), (unsigned long long)i + 1);
}

static void fill_asked(json_t *list, struct record *r, int64_t now)
{
        size_t i;
        json_t *one;

        json_array_foreach(list, i, one)
        {
                struct asked *a = &r->asked[r->asked_count++];

                COPY(one, "id", a->id);
                COPY(one, "name", a->name);
                a->step = (uint8_t)number(one, "step", 0);
                a->flags = (uint8_t)number(one, "flags", ASKED_HANDSET);
                a->asked_at_ms = number(one, "asked_at", now);
                a->seen_at_ms = number(one, "seen_at", 0);
                a->distance_m = (uint32_t)number(one, "distance_m", UINT32_MAX);
                a->sms_state = (uint8_t)number(one, "sms_state", SMS_NONE);
                a->sms_at_ms = number(one, "sms_at", 0);
                a->answer_path = (uint8_t)number(one, "answer_path", BY_NONE);
        }
}

static void fill_passed(json_t *json, struct record *r)
{
        size_t i;
        json_t *one;

        json_array_foreach(json_object_get(json, "passed"), i, one)
        {
                COPY(one, "id", r->passed[i].id);
                r->passed[i].reason = (uint8_t)number(one, "reason", 0);
                r->passed_count++;
        }
        r->passed_rest = (uint16_t)number(json, "passed_rest", 0);
}

static void fill_numbers(json_t *json, struct record *r, int64_t now)
{
        r->version = (uint32_t)number(json, "version", 1);
        r->state = (enum alert_state)number(json, "state", ALERT_ASKED);
        r->marks = (uint32_t)number(json, "marks", 0);
        r->why_unverified = (uint8_t)number(json, "why_unverified", 0);
        r->kind = (uint8_t)number(json, "kind", ALERT_PANIC);
        r->category = (uint8_t)number(json, "category", 0);
        r->paths = (uint8_t)number(json, "paths", PATH_DATA);
        r->data_at_ms = number(json, "data_at", 0);
        r->sms_at_ms = number(json, "sms_at", 0);
        r->told_sms_state = (uint8_t)number(json, "told_sms_state", SMS_NONE);
        r->told_sms_at_ms = number(json, "told_sms_at", 0);
        r->owner_path = (uint8_t)number(json, "owner_path", BY_NONE);
        r->presses = (uint16_t)number(json, "presses", 1);
        r->raised_at_ms = number(json, "raised_at", now);
        r->pressed_at_s = (uint32_t)(r->raised_at_ms / 1000);
        r->changed_at_ms = number(json, "changed_at", now);
        r->heard_at_ms = number(json, "heard_at", now);
        r->battery = (uint8_t)number(json, "battery", 80);
        r->taken_at_ms = number(json, "taken_at", 0);
        r->progress_at_ms = number(json, "progress_at", 0);
        r->step = (uint8_t)number(json, "step", 0);
        r->rings = (uint16_t)number(json, "rings", 0);
        r->due_ms = r->state == ALERT_CLOSED ? 0 : now + 30000;
        r->close_reason = (uint8_t)number(json, "close_reason", 0);
        r->closed_at_ms = r->state == ALERT_CLOSED ? now : 0;
}

static void fill_record(json_t *json, struct record *r, int64_t now)
{
        json_t *one;
        size_t i;

        must("alert id", hex_decode(text(json, "id"), r->id, sizeof(r->id)));
        memcpy(r->handset, r->id, sizeof(r->handset));
        fill_numbers(json, r, now);
        r->has_position = has_point(json_object_get(json, "position"), &r->at);
        json_array_foreach(json_object_get(json, "track"), i, one) has_point(one, &r->track[r->track_count++]);
        COPY(json, "carrier", r->carrier_id);
        COPY(json, "carrier_name", r->carrier_name);
        COPY(json, "number", r->carrier_number);
        COPY(json, "round", r->round);
        COPY(json, "zone", r->zone_id);
        COPY(json, "zone_name", r->zone_name);
        COPY(json, "owner", r->owner_id);
        COPY(json, "owner_name", r->owner_name);
        COPY(json, "closed_by", r->closed_by_id);
        COPY(json, "closed_by_name", r->closed_by_name);
        COPY(json, "note", r->note);
        fill_asked(json_object_get(json, "asked"), r, now);
        fill_passed(json, r);
}

static void put_alert(struct seed *s, json_t *json)
{
        static struct record record;
        static uint8_t buf[RECORD_MAX];
        int64_t now = now_ms(s);
        const char *id = text(json, "id");
        int n;

        record = (struct record){ 0 };
        fill_record(json, &record, now);
        must("record", n = record_encode(&record, buf, sizeof(buf)));
        redis(s->alerts, "HSET {%s}:alert:%s f 1 v %u r %b", s->region, id, record.version, buf, (size_t)n);
        if (record.state == ALERT_CLOSED)
                redis(s->alerts, "ZREM {%s}:open %s", s->region, id);
        else
                redis(s->alerts, "ZADD {%s}:open %f %s", s->region, record_urgency(&record), id);
        redis(s->alerts, "XADD {%s}:feed * f 1 t alert id %s v %u e %s by %s c %s at %lld r %b", s->region, id,
              record.version, text(json, "event"), text(json, "by"), text(json, "c"), (long long)now, buf, (size_t)n);
}

static void put_notice(struct seed *s, json_t *json)
{
        struct notice notice = { .kind = (uint8_t)number(json, "kind", NOTICE_OVERDUE) };
        uint8_t buf[NOTICE_MAX];
        json_t *one;
        size_t i;
        int n = 0;

        notice.rings = json_is_true(json_object_get(json, "rings"));
        notice.since_ms = number(json, "since", now_ms(s));
        notice.count = (uint32_t)number(json, "count", 1);
        COPY(json, "zone", notice.zone_id);
        COPY(json, "zone_name", notice.zone_name);
        COPY(json, "cause", notice.cause);
        COPY(json, "acked_by", notice.acked_by);
        json_array_foreach(json_object_get(json, "names"), i, one)
        {
                struct overdue_name *name = &notice.names[notice.name_count++];

                COPY(one, "id", name->carrier_id);
                COPY(one, "name", name->carrier_name);
                COPY(one, "number", name->number);
                COPY(one, "round", name->round);
                name->heard_at_ms = number(one, "heard_at", 0);
        }
        if (json_is_true(json_object_get(json, "over"))) {
                redis(s->alerts, "HDEL {%s}:notices %s", s->region, text(json, "k"));
        } else {
                must("notice", n = notice_encode(&notice, buf, sizeof(buf)));
                redis(s->alerts, "HSET {%s}:notices %s %b", s->region, text(json, "k"), buf, (size_t)n);
        }
        redis(s->alerts, "XADD {%s}:feed * f 1 t notice k %s at %lld r %b", s->region, text(json, "k"),
              (long long)now_ms(s), buf, (size_t)n);
}

static void put_answer(struct seed *s, json_t *json)
{
        redis(s->alerts, "XADD {%s}:feed * f 1 t answer c %s a %d at %lld r %s", s->region, text(json, "c"),
              (int)number(json, "a", 0), (long long)now_ms(s), text(json, "who"));
}

static json_t *command_json(const struct command *c, int64_t now)
{
        char id[2 * EVENT_ID_SIZE + 1], alert[2 * ALERT_ID_SIZE + 1];

        hex_encode(c->id, sizeof(c->id), id);
        hex_encode(c->alert, sizeof(c->alert), alert);
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b, s:I, s:s, s:I}", "c", id, "verb",
                         command_verb_name(c->verb), "role", user_role_name(c->role), "person", c->person, "login",
                         c->login, "alert", alert, "owner_seen", c->owner_seen, "reason", (json_int_t)c->reason, "note",
                         c->note, "has_position", (int)c->has_position, "until", (json_int_t)c->until_s * 1000,
                         "notice", c->notice, "expires_in", (json_int_t)(c->expires_ms - now));
}

/* commands: what consoles asked, oldest first. */
static json_t *commands(struct seed *s)
{
        redisReply *reply = redisCommand(s->alerts, "XRANGE {%s}:commands - +", s->region);
        json_t *list = json_array();
        int64_t now = now_ms(s);

        for (size_t i = 0; i < reply->elements; i++) {
                redisReply *pairs = reply->element[i]->element[1], *value = pairs->element[pairs->elements - 1];
                struct command command;

                must("command", command_decode((const uint8_t *)value->str, (size_t)value->len, &command));
                json_array_append_new(list, command_json(&command, now));
        }
        freeReplyObject(reply);
        return list;
}

static const struct {
        const char *op;
        void (*put)(struct seed *s, json_t *json);
} ops[] = { { "user", put_user },         { "supervisor", put_supervisor }, { "duty", put_duty },
            { "presence", put_presence }, { "carriers", put_carriers },     { "alert", put_alert },
            { "notice", put_notice },     { "answer", put_answer } };

static redisContext *connect_to(const char *socket)
{
        redisContext *c = redisConnectUnix(socket);

        if (c == NULL || c->err != 0) {
                fprintf(stderr, "seed: %s: %s\n", socket, c != NULL ? c->errstr : "no memory");
                exit(1);
        }
        return c;
}

int main(int argc, char **argv)
{
        struct seed s;
        char *line = NULL;
        size_t size = 0;

        if (argc != 4)
                return 2;
        s = (struct seed){ argv[1], connect_to(argv[2]), connect_to(argv[3]) };
        while (getline(&line, &size, stdin) > 0) {
                json_t *json = json_loads(line, 0, NULL), *list = json_object();
                const char *op = text(json, "op");
                bool known = false;

                for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
                        if (strcmp(op, ops[i].op) == 0) {
                                ops[i].put(&s, json);
                                known = true;
                        }
                if (strcmp(op, "commands") == 0)
                        json_object_set_new(list, "commands", commands(&s)), known = true;
                if (!known) {
                        fprintf(stderr, "seed: no such op: %s", line);
                        return 1;
                }
                json_dumpf(list, stdout, JSON_COMPACT);
                printf("\n");
                fflush(stdout);
                json_decref(list);
                json_decref(json);
        }
        free(line);
        redisFree(s.alerts);
        redisFree(s.positions);
        return 0;
}
