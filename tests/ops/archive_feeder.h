/* Alerts put into a feed as dispatchers do, for the tests of the archive; and what these tests ask of the tool. */
#ifndef TESTS_OPS_ARCHIVE_FEEDER_H
#define TESTS_OPS_ARCHIVE_FEEDER_H

#include "tests/ops/place.h"

#include <openssl/evp.h>
#include <time.h>

#include "base/hex.h"
#include "wire/record.h"

struct feeder {
        redisContext *redis;
        uint8_t before[32]; /* hash of the last record */
        uint32_t version;
        bool closed;              /* the next one closes */
        const char *signed_alert; /* what the phone signed comes with the next one; NULL: as it was */
};

static inline void feeder_hash(const uint8_t *data, size_t len, uint8_t to[32])
{
        unsigned size;

        assert_int_equal(EVP_Digest(data, len, to, &size, EVP_sha256(), NULL), 1);
}

static inline int feeder_record(struct feeder *f, uint8_t number, uint8_t *data)
{
        struct record r = { .version = ++f->version, .state = ALERT_TAKEN, .due_ms = 1, .presses = 1 };

        memset(r.id, number, sizeof(r.id));
        memset(r.salt, number, sizeof(r.salt));
        memcpy(r.before, f->before, sizeof(r.before));
        strcpy(r.carrier_name, "Camille Roux");
        strcpy(r.owner_name, "Paul Martin");
        strcpy(r.zone_id, "AAAABBBB");
        r.has_position = true;
        r.at = (struct track_point){ 0x41424344, 0x31323334, 0x35363738, 12 }; /* as text: ABCD, 1234, 5678 */
        if (f->closed) {
                r.state = ALERT_CLOSED;
                r.close_reason = CLOSE_HELPED;
                r.due_ms = 0;
                strcpy(r.note, "Chute");
        }
        return record_encode(&r, data, RECORD_MAX);
}

/* The next version of the alert whose id is all NUMBER, as the feed's entry ENTRY_ID ("*"). */
static inline void feed_alert(struct feeder *f, uint8_t number, const char *entry_id)
{
        uint8_t data[RECORD_MAX], octets[ALERT_ID_SIZE];
        int len = feeder_record(f, number, data);
        char id[ALERT_ID_TEXT];
        redisReply *reply;

        assert_true(len > 0);
        feeder_hash(data, (size_t)len, f->before);
        memset(octets, number, sizeof(octets));
        hex_encode(octets, sizeof(octets), id);
        if (f->signed_alert != NULL)
                reply = redisCommand(
                        f->redis,
                        "XADD {lyon}:feed %s f 1 t alert id %s v %d e update by s001 c %s at %lld r %b signed %s",
                        entry_id, id, f->version, "", 1795000000000LL + f->version, data, (size_t)len, f->signed_alert);
        else
                reply = redisCommand(f->redis,
                                     "XADD {lyon}:feed %s f 1 t alert id %s v %d e update by s001 c %s at %lld r %b",
                                     entry_id, id, f->version, "", 1795000000000LL + f->version, data, (size_t)len);
        assert_true(reply != NULL);
        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        freeReplyObject(reply);
}

static inline struct feeder feeder(struct place *p)
{
        return (struct feeder){ .redis = place_as(p, 0, "dispatcher") };
}

static inline void ask(redisContext *c, const char *command)
{
        redisReply *reply = redisCommand(c, command);

        assert_true(reply != NULL);
        if (reply->type == REDIS_REPLY_ERROR)
                fail_msg("%s: %s", command, reply->str);
        freeReplyObject(reply);
}

static inline long long count(redisContext *c, const char *command)
{
        redisReply *reply = redisCommand(c, command);
        long long n;

        assert_true(reply != NULL);
        n = reply->type == REDIS_REPLY_INTEGER ? reply->integer : reply->str != NULL ? atoll(reply->str) : -1;
        freeReplyObject(reply);
        return n;
}

/* A line more in vigie.conf, in [archive] or (TERM) in a section of terms of its own at the end. */
static inline void configure(struct place *p, const char *line)
{
        char text[4096], *at;
        size_t len = place_get(p, "region/vigie.conf", text, sizeof(text));

        at = strstr(text, "[archive]\n");
        assert_non_null(at);
        at += strlen("[archive]\n");
        memmove(at + strlen(line) + 1, at, len - (size_t)(at - text) + 1);
        memcpy(at, line, strlen(line));
        at[strlen(line)] = '\n';
        place_put(p, "region/vigie.conf", text, strlen(text));
}

static inline void configure_terms(struct place *p, const char *lines)
{
        char text[4096], *at;
        size_t len = place_get(p, "region/vigie.conf", text, sizeof(text));

        if ((at = strstr(text, "[retain]\n")) != NULL)
                len = (size_t)(at - text);
        snprintf(text + len, sizeof(text) - len, "[retain]\n%s", lines);
        place_put(p, "region/vigie.conf", text, strlen(text));
}

static inline void once(struct place *p)
{
        if (VIGIE(p, "archive", "--once") != 0)
                fail_msg("%s", p->err);
}

/* verify-audit gives STATUS and says TEXT. */
static inline void audit(struct place *p, int status, const char *text)
{
        char folder[256], key[256];

        place_path(p, "region/archive", folder);
        place_path(p, "region/archive.pem", key);
        if (VIGIE(p, "verify-audit", folder, "--key", key) != status || strstr(p->out, text) == NULL)
                fail_msg("wanted %d, '%s':\n%s%s", status, text, p->out, p->err);
}

#endif
