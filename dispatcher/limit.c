#include "dispatcher/limit.h"

#include "dispatcher/core.h"

bool bucket_take(struct bucket *bucket, int64_t now_ms, unsigned burst, int64_t refill_ms)
{
        int64_t full_at_ms = bucket->full_at_ms > now_ms ? bucket->full_at_ms : now_ms;

        if (full_at_ms - now_ms > (burst - 1) * refill_ms)
                return false;
        bucket->full_at_ms = full_at_ms + refill_ms;
        return true;
}

void senders_init(struct senders *senders, size_t max, uint64_t seed)
{
        *senders = (struct senders){ 0 };
        table_init(&senders->table, SENDER_SIZE, sizeof(struct sender), max, seed);
}

void senders_free(struct senders *senders)
{
        table_free(&senders->table);
}

static void unlink_sender(struct senders *senders, struct sender *sender)
{
        *(sender->older != NULL ? &sender->older->newer : &senders->oldest) = sender->newer;
        *(sender->newer != NULL ? &sender->newer->older : &senders->newest) = sender->older;
}

static void link_newest(struct senders *senders, struct sender *sender)
{
        sender->older = senders->newest;
        sender->newer = NULL;
        *(senders->newest != NULL ? &senders->newest->newer : &senders->oldest) = sender;
        senders->newest = sender;
}

struct sender *senders_find(const struct senders *senders, const uint8_t id[SENDER_SIZE])
{
        return table_find(&senders->table, id);
}

static struct sender *senders_need(struct senders *senders, const uint8_t id[SENDER_SIZE])
{
        struct sender *sender = senders_find(senders, id), *oldest = senders->oldest;

        if (sender != NULL) {
                unlink_sender(senders, sender);
        } else {
                if (senders->table.count == senders->table.max) {
                        unlink_sender(senders, oldest);
                        table_remove(&senders->table, oldest);
                }
                sender = table_add(&senders->table, id);
        }
        link_newest(senders, sender);
        return sender;
}

struct sender *senders_take(struct senders *senders, const uint8_t id[SENDER_SIZE], int64_t now_ms, bool *ret_allowed)
{
        struct sender *sender = senders_need(senders, id);

        *ret_allowed = bucket_take(&sender->bucket, now_ms, CORE_SENDER_BURST, CORE_SENDER_REFILL_MS) &&
                       (senders->all_burst == 0 ||
                        bucket_take(&senders->all, now_ms, senders->all_burst, senders->all_refill_ms));
        return sender;
}
