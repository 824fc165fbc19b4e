#include "console/limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places looked at for one count: an open table that never moves anything, so that a full one stays bounded. */
#define LIMIT_PROBES 8

struct count {
        uint64_t key; /* 0 = free */
        int64_t last_mono_ms, allowed_mono_ms;
        uint32_t failures;
};

struct limit {
        uint64_t seed;
        struct count counts[LIMIT_ENTRIES];
};

struct rule {
        uint32_t free;
        int64_t max_ms;
};
enum { BY_PAIR, BY_ADDRESS, BY_LOGIN, BY_COUNT };
static const struct rule rules[BY_COUNT] = {
        [BY_PAIR] = { LIMIT_PAIR_FREE, LIMIT_PAIR_MAX_MS },
        [BY_ADDRESS] = { LIMIT_ADDRESS_FREE, LIMIT_ADDRESS_MAX_MS },
        [BY_LOGIN] = { LIMIT_LOGIN_FREE, LIMIT_LOGIN_MAX_MS },
};

int limit_new(uint64_t seed, struct limit **ret_limit)
{
        struct limit *limit = calloc(1, sizeof(*limit));

        if (limit == NULL)
                return -ENOMEM;
        limit->seed = seed;
        *ret_limit = limit;
        return 0;
}

void limit_free(struct limit *limit)
{
        free(limit);
}

void limit_address(const char *text, char out[LIMIT_ADDRESS_SIZE])
{
        struct in6_addr in6;

        if (inet_pton(AF_INET6, text, &in6) != 1) {
                snprintf(out, LIMIT_ADDRESS_SIZE, "%s", text);
        } else if (IN6_IS_ADDR_V4MAPPED(&in6)) {
                inet_ntop(AF_INET, &in6.s6_addr[12], out, LIMIT_ADDRESS_SIZE);
        } else {
                memset(&in6.s6_addr[8], 0, 8);
                inet_ntop(AF_INET6, &in6, out, LIMIT_ADDRESS_SIZE);
        }
}

static uint64_t mix(uint64_t h, const char *text)
{
        for (; *text != '\0'; text++)
                h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        h = (h ^ 0xff) * UINT64_C(0x100000001b3); /* "ab","c" is not "a","bc" */
        return h ^ (h >> 29);
}

static uint64_t key_of(const struct limit *limit, int by, const char *login, const char *address)
{
        uint64_t h = limit->seed ^ (uint64_t)(by + 1) * UINT64_C(0x9e3779b97f4a7c15);

        h = mix(h, by != BY_ADDRESS ? login : "");
        h = mix(h, by != BY_LOGIN ? address : "");
        return h != 0 ? h : 1;
}

/* find: the count of KEY, or NULL; with MAKE its new place: a free one, else that untouched for longest. */
static struct count *find(struct limit *limit, uint64_t key, int64_t now_mono_ms, int make)
{
        struct count *place = NULL;

        for (unsigned i = 0; i < LIMIT_PROBES; i++) {
                struct count *c = &limit->counts[(key + i) % LIMIT_ENTRIES];

                if (c->key == key)
                        return c;
                if (place == NULL || (place->key != 0 && (c->key == 0 || c->last_mono_ms < place->last_mono_ms)))
                        place = c;
        }
        if (!make)
                return NULL;
        *place = (struct count){ .key = key, .last_mono_ms = now_mono_ms };
        return place;
}

static int64_t wait_ms(const struct count *count, int64_t now_mono_ms)
{
        if (count == NULL || now_mono_ms - count->last_mono_ms >= LIMIT_FORGET_MS)
                return 0;
        return count->allowed_mono_ms > now_mono_ms ? count->allowed_mono_ms - now_mono_ms : 0;
}

static void add_failure(struct count *count, const struct rule *rule, int64_t now_mono_ms)
{
        int64_t delay = 0;

        if (now_mono_ms - count->last_mono_ms >= LIMIT_FORGET_MS)
                count->failures = 0;
        count->last_mono_ms = now_mono_ms;
        count->failures++;
        if (count->failures > rule->free) {
                uint32_t doublings = count->failures - rule->free - 1;

                delay = doublings < 16 ? INT64_C(1000) << doublings : rule->max_ms;
                delay = delay < rule->max_ms ? delay : rule->max_ms;
        }
        count->allowed_mono_ms = now_mono_ms + delay;
}

int64_t limit_attempt(struct limit *limit, const char *login, const char *address, int64_t now_mono_ms)
{
        int64_t longest = 0;

        for (int by = 0; by < BY_COUNT; by++) {
                int64_t w = wait_ms(find(limit, key_of(limit, by, login, address), now_mono_ms, 0), now_mono_ms);

                longest = w > longest ? w : longest;
        }
        for (int by = 0; longest == 0 && by < BY_COUNT; by++)
                add_failure(find(limit, key_of(limit, by, login, address), now_mono_ms, 1), &rules[by], now_mono_ms);
        return longest;
}

void limit_success(struct limit *limit, const char *login, const char *address)
{
        for (int by = 0; by < BY_COUNT; by++) {
                struct count *c = find(limit, key_of(limit, by, login, address), 0, 0);

                if (c == NULL)
                        continue;
                if (by == BY_ADDRESS && c->failures > 1)
                        c->failures--;
                else
                        *c = (struct count){ 0 };
                c->allowed_mono_ms = 0;
        }
}
