#include <string.h>

#include "base/hex.h"
#include "dispatcher/core_parts.h"
#include "dispatcher/intake.h"

/* Notices of single senders whose unverified alerts are kept back; more senders share one. */
#define SUPPRESSED_MAX  64
/* A notice that counts is brought up to date so often at most, and is over when nothing was counted for so long. */
#define COUNTED_TOLD_MS 10000
#define COUNTED_END_MS  600000
/* A notice that the feed has not brought back after so long was refused: it is told once more, at the next look at all of them. */
#define AGAIN_MS        1000

static bool is_same(const struct notice *a, const struct notice *b)
{
        uint8_t one[NOTICE_MAX], other[NOTICE_MAX];
        int n = notice_encode(a, one, sizeof(one));

        return n > 0 && notice_encode(b, other, sizeof(other)) == n && memcmp(one, other, (size_t)n) == 0;
}

/* NOTICE (NULL: none) stands under KEY. */
static void set(struct core *core, const char *key, const struct notice *notice, bool unconfirmed)
{
        struct standing_notice *standing =
                notice != NULL ? table_add_text(&core->notices, key) : table_find_text(&core->notices, key);

        if (standing == NULL)
                return;
        if (notice == NULL) {
                table_remove(&core->notices, standing);
                return;
        }
        standing->notice = *notice;
        standing->touched_ms = core->now_ms;
        standing->unconfirmed = unconfirmed;
}

void notice_fed(struct core *core, const char *key, const struct notice *notice)
{
        set(core, key, notice, false);
}

/* Duress that was told so lately may be lost by a failover, and nobody has ended it. */
static bool may_be_lost(const struct core *core, const struct standing_notice *standing)
{
        return standing->notice.kind == NOTICE_DURESS &&
               standing->notice.since_ms >= core->store_away_ms - CORE_CLOSED_KEPT_MS;
}

void notice_forget(struct core *core)
{
        struct standing_notice *standing;

        for (size_t i = 0; (standing = table_next(&core->notices, &i)) != NULL;)
                if (may_be_lost(core, standing)) {
                        standing->unconfirmed = true;
                } else if (!standing->unconfirmed ||
                           standing->notice.kind == NOTICE_OVERDUE) { /* the next scan knows better */
                        table_remove(&core->notices, standing);
                        i--;
                }
}

static void publish(struct core *core, const char *key, const struct notice *notice)
{
        struct core_action *action = core_do(core, DO_NOTICE);

        action->u.notice.key = (const char *)core_keep_octets(core, key, strlen(key) + 1).at;
        if (notice != NULL)
                action->u.notice.notice = (const void *)core_keep_octets(core, notice, sizeof(*notice)).at;
}

void notice_again(struct core *core, struct standing_notice *standing)
{
        if (!core->store_up || !standing->unconfirmed || core->now_ms - standing->touched_ms < AGAIN_MS)
                return;
        standing->touched_ms = core->now_ms;
        publish(core, standing->key, &standing->notice);
}

void notice_publish(struct core *core, const char *key, const struct notice *notice)
{
        struct standing_notice *standing = table_find_text(&core->notices, key);

        if (standing == NULL ? notice == NULL : notice != NULL && is_same(&standing->notice, notice))
                return;
        if (standing == NULL && core->notices.count == core->notices.max) {
                core->counters.notices_refused++;
                return;
        }
        publish(core, key, notice);
        set(core, key, notice, true);
}

int notice_ack(struct core *core, const char *key, const struct alert_actor *actor)
{
        const struct standing_notice *standing = table_find_text(&core->notices, key);
        struct notice notice;

        if (standing == NULL)
                return -ANSWER_UNKNOWN_ALERT;
        notice = standing->notice;
        if (notice.acked_by[0] == '\0')
                record_set_text(notice.acked_by, sizeof(notice.acked_by), actor->person);
        notice_publish(core, key, &notice);
        return 0;
}

void notice_key(char key[NAME_MAX_OCTETS + 1], const char *kind, const char *name)
{
        size_t len = strlen(kind);

        memcpy(key, kind, len);
        record_set_text(key + len, NAME_MAX_OCTETS + 1 - len, name);
}

/* "tech:NAME:CAUSE", NAME of this process. */
static void technical_key(const struct core *core, const char *cause, char key[NAME_MAX_OCTETS + 1])
{
        char name[NAME_MAX_OCTETS + 1], before[NAME_MAX_OCTETS + 1];

        notice_key(name, core->name, ":");
        notice_key(before, "tech:", name);
        notice_key(key, before, cause);
}

/* What stands under KEY, or the beginning of it. */
static struct notice standing_or_new(const struct core *core, const char *key, uint8_t kind, const char *cause)
{
        const struct standing_notice *standing = table_find_text(&core->notices, key);
        struct notice notice = { .kind = kind, .since_ms = core->now_ms };

        if (standing != NULL)
                notice = standing->notice;
        record_set_text(notice.cause, sizeof(notice.cause), cause);
        return notice;
}

void notice_technical(struct core *core, const char *cause, bool on)
{
        char key[NAME_MAX_OCTETS + 1];
        struct notice notice;

        technical_key(core, cause, key);
        notice = standing_or_new(core, key, NOTICE_TECHNICAL, cause);
        notice.rings = true;
        notice.count = 1;
        notice_publish(core, key, on ? &notice : NULL);
}

/* What SENDER has counted goes into the notice KEY; now and then, and not while nobody would hear it. */
static void tell_count(struct core *core, struct sender *sender, const char *key, uint8_t kind, const char *cause)
{
        struct notice notice;

        if (!core->store_up || sender->suppressed == 0 ||
            (sender->told_ms != 0 && core->now_ms - sender->told_ms < COUNTED_TOLD_MS))
                return;
        notice = standing_or_new(core, key, kind, cause);
        notice.count += sender->suppressed;
        sender->suppressed = 0;
        sender->told_ms = core->now_ms;
        notice_publish(core, key, &notice);
}

static void tell_counter(struct core *core, struct sender *counter, const char *cause)
{
        char key[NAME_MAX_OCTETS + 1];

        technical_key(core, cause, key);
        tell_count(core, counter, key, NOTICE_TECHNICAL, cause);
}

void notice_counted(struct core *core, struct sender *counter, const char *cause)
{
        counter->suppressed++;
        tell_counter(core, counter, cause);
}

void notice_store_up(struct core *core)
{
        tell_counter(core, &core->sms_failed, "sms_failed");
        tell_counter(core, &core->sms_unknown, "sms_unknown");
        if (core->was_fenced)
                notice_technical(core, "fenced", true);
        core->was_fenced = false;
        if (core->disk_full)
                notice_technical(core, "disk_full", true);
        core->scan.ends = true; /* looks at all of them */
        core->scan.end_cursor = 0;
}

static size_t count_suppressed(const struct core *core)
{
        const struct standing_notice *standing;
        size_t count = 0;

        for (size_t i = 0; (standing = table_next(&core->notices, &i)) != NULL;)
                count += standing->notice.kind == NOTICE_UNVERIFIED;
        return count;
}

void notice_suppressed(struct core *core, struct sender *sender)
{
        char text[SENDER_TEXT], key[NAME_MAX_OCTETS + 1];

        hex_encode(sender->id, SENDER_SIZE, text);
        notice_key(key, "unverified:", text);
        if (table_find_text(&core->notices, key) == NULL && count_suppressed(core) >= SUPPRESSED_MAX) {
                sender = &core->others;
                notice_key(key, "unverified:", "others");
        }
        sender->suppressed++;
        tell_count(core, sender, key, NOTICE_UNVERIFIED, "flood");
}

/* ---- Closed, and then ----------------------------------------------------------------------------------------------- */

/* What the PIN said: either comes the same way to the store, so that the phone sees no difference. */
static uint32_t pin_marks(const struct alert_press *press)
{
        return ((press->alert.marks & ALERT_MISTAKE) != 0 ? RECORD_MISTAKE : 0) |
               ((press->alert.marks & ALERT_DURESS) != 0 ? RECORD_DURESS : 0);
}

bool notice_brings(const struct alert_press *press, const struct tombstone *tombstone)
{
        return press->why == UNVERIFIED_NOT && (pin_marks(press) & ~tombstone->marks) != 0;
}

/* Who holds the handset ID, in NOTICE. */
static void name_holder(const struct core *core, const uint8_t id[HANDSET_ID_SIZE], struct notice *notice)
{
        const struct handset *handset = directory_handset(&core->directory, id);
        struct overdue_name *name = &notice->names[0];
        const char *holder, *number;
        bool sure;

        if (handset == NULL)
                return;
        holder = handset_holder(handset, &sure);
        number = directory_number(&core->directory, holder);
        notice->name_count = 1;
        name->heard_at_ms = core->now_ms;
        record_set_text(name->carrier_id, sizeof(name->carrier_id), holder);
        record_set_text(name->carrier_name, sizeof(name->carrier_name), directory_name(&core->directory, holder));
        record_set_text(name->number, sizeof(name->number), number[0] != '\0' ? number : handset->entry.number);
        if (handset->duty != NULL)
                record_set_text(name->round, sizeof(name->round), handset->duty->round);
}

static void duress_key(const uint8_t id[ALERT_ID_SIZE], char key[NAME_MAX_OCTETS + 1])
{
        char text[2 * ALERT_ID_SIZE + 1];

        hex_encode(id, ALERT_ID_SIZE, text);
        notice_key(key, "duress:", text);
}

static void ring_for_duress(struct core *core, const char *key, const uint8_t handset[HANDSET_ID_SIZE])
{
        struct notice notice = standing_or_new(core, key, NOTICE_DURESS, "duress_after_close");

        notice.rings = true;
        notice.count = 1;
        if (notice.name_count == 0)
                name_holder(core, handset, &notice);
        notice_publish(core, key, &notice);
}

void notice_late(struct core *core, const struct fact *fact, struct tombstone *tombstone)
{
        char key[NAME_MAX_OCTETS + 1];
        struct alert_press press;
        uint32_t news;

        if (fact->type != FACT_ALERT || fact->why != UNVERIFIED_NOT)
                return;
        (void)intake_read((struct cbor_span){ fact->bytes, fact->size }, &press);
        news = pin_marks(&press) & ~tombstone->marks;
        tombstone->marks |= news;
        if ((news & RECORD_DURESS) == 0)
                return;
        duress_key(fact->id, key);
        ring_for_duress(core, key, fact->handset);
}

void notice_lost(struct core *core, const uint8_t id[ALERT_ID_SIZE], struct tombstone *tombstone)
{
        const struct closed_alert *closed = hold_closed(core, id);
        uint32_t had = closed != NULL ? closed->tombstone.marks : 0;
        char key[NAME_MAX_OCTETS + 1];

        if ((had & RECORD_DURESS) == 0 || ((had | tombstone->marks) & RECORD_UNVERIFIED) != 0 ||
            (tombstone->marks & RECORD_DURESS) != 0)
                return;
        tombstone->marks |= RECORD_DURESS;
        duress_key(id, key);
        if (table_find_text(&core->notices, key) == NULL) /* else it came late, and was told then */
                ring_for_duress(core, key, id);
}

void notice_replayed(struct core *core, const struct fact *fact, struct tombstone *tombstone)
{
        if (core->now_ms - fact->at_ms < COUNTED_END_MS)
                notice_late(core, fact, tombstone);
}

/* Those of this process that count, and its word that the epoch was another: nobody else ends them. */
static bool is_counted(const struct core *core, const char *key)
{
        static const char *const causes[] = { "sms_failed", "sms_unknown", "fenced" };
        char own[NAME_MAX_OCTETS + 1];

        for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
                technical_key(core, causes[i], own);
                if (strcmp(own, key) == 0)
                        return true;
        }
        return false;
}

bool notice_has_ended(const struct core *core, const struct standing_notice *standing)
{
        return core->now_ms - standing->touched_ms > COUNTED_END_MS &&
               (standing->notice.kind == NOTICE_UNVERIFIED || is_counted(core, standing->key) ||
                (standing->notice.kind == NOTICE_DURESS && standing->notice.acked_by[0] != '\0'));
}

bool core_others_tell(const struct core *core, const char *cause)
{
        const struct standing_notice *standing;
        size_t cause_len = strlen(cause), len;
        char own[NAME_MAX_OCTETS + 1];

        technical_key(core, cause, own);
        for (size_t i = 0; (standing = table_next(&core->notices, &i)) != NULL;) {
                len = strlen(standing->key);
                if (strncmp(standing->key, "tech:", 5) == 0 && strcmp(standing->key, own) != 0 && len > cause_len &&
                    standing->key[len - cause_len - 1] == ':' && strcmp(standing->key + len - cause_len, cause) == 0)
                        return true;
        }
        return false;
}
