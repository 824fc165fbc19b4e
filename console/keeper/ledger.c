#include "console/keeper/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/fields.h"

/* ---- entries */

#define E struct ledger_entry

static const struct field entry_fields[] = {
        F_U32(E, at_s),        F_UINT(E, peer, PEER_CONSOLE, PEER_END - 1),
        F_U8(E, kind),         F_U8(E, code),
        F_ID(E, by),           F_ID(E, second),
        F_OCTETS(E, handset),  F_ID(E, carrier),
        F_OCTETS(E, pass_id),  F_OCTETS(E, subject),
        F_U32(E, status),      F_U32(E, not_before_s),
        F_U32(E, not_after_s), F_U32(E, policy),
        F_U32(E, buildings),   F_U8(E, what),
        F_U32(E, number),      F_U32(E, expires_s),
        F_OCTETS(E, alert),    F_LATER(E, renews, 1),
};
static const struct fields_kind entry_kind = { FIELDS(entry_fields), sizeof(E), LEDGER_ENTRY_MAX, 1 };

int ledger_entry_encode(const struct ledger_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&entry_kind, entry, buf, size);
}

int ledger_entry_decode(struct cbor_span in, struct ledger_entry *ret_entry)
{
        return fields_decode(&entry_kind, in, ret_entry);
}

/* ---- what follows from them */

struct slot { /* a bit of the status list */
        uint8_t pass_id[PASS_ID_SIZE], handset[HANDSET_ID_SIZE];
        uint32_t not_after_s; /* 0: never used */
        bool revoked;
};

/* Beside the kinds: wipes and unlocks; passes that are renewed, and the orders that bring these. */
enum counted { COUNTED_HARD = KEEPER_KIND_END, COUNTED_RENEWAL, COUNTED_RENEWAL_ORDER, COUNTED_END };

struct asker {
        char by[PERSON_ID_MAX + 1];
        uint32_t since_s; /* the hour began */
        uint32_t given[COUNTED_END];
};

struct told { /* an overdue carrier's position */
        uint8_t handset[HANDSET_ID_SIZE];
        uint32_t at_s;
};

struct ledger {
        struct slot *slots;
        uint32_t count, room;
        uint32_t order, list_at_s, signed_at_s;
        struct asker all, askers[LEDGER_ASKERS_MAX];
        struct told told[LEDGER_OVERDUE_MAX]; /* a ring, from `told_first`, as they came */
        uint32_t told_first, told_count;
};

int ledger_new(struct ledger **ret_ledger)
{
        struct ledger *ledger = calloc(1, sizeof(*ledger));

        if (ledger == NULL)
                return -ENOMEM;
        *ret_ledger = ledger;
        return 0;
}

void ledger_free(struct ledger *ledger)
{
        if (ledger == NULL)
                return;
        free(ledger->slots);
        free(ledger);
}

static bool is_at_rest(const struct slot *slot, uint32_t now_s)
{
        return (uint64_t)slot->not_after_s + LEDGER_REST_S < now_s;
}

/* grow: room for the bit STATUS. */
static int grow(struct ledger *ledger, uint32_t status)
{
        uint32_t room = ledger->room == 0 ? 1024 : ledger->room;
        struct slot *slots;

        if (status >= STATUS_COUNT_MAX)
                return -EBADMSG;
        while (room <= status)
                room *= 2;
        if (room > ledger->room) {
                slots = realloc(ledger->slots, room * sizeof(*slots));
                if (slots == NULL)
                        return -ENOMEM;
                memset(slots + ledger->room, 0, (room - ledger->room) * sizeof(*slots));
                ledger->slots = slots;
                ledger->room = room;
        }
        if (status >= ledger->count)
                ledger->count = status + 1;
        return 0;
}

static int issue(struct ledger *ledger, const struct ledger_entry *entry)
{
        struct slot *slot;
        int r = grow(ledger, entry->status);

        if (r < 0)
                return r;
        slot = &ledger->slots[entry->status];
        *slot = (struct slot){ .not_after_s = entry->not_after_s };
        memcpy(slot->pass_id, entry->pass_id, PASS_ID_SIZE);
        memcpy(slot->handset, entry->handset, HANDSET_ID_SIZE);
        return 0;
}

static bool is_zero(const uint8_t *octets, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (octets[i] != 0)
                        return false;
        return true;
}

/* is_meant: say whether SLOT is HANDSET's, and PASS_ID's where that is one. */
static bool is_meant(const struct slot *slot, const uint8_t *handset, const uint8_t *pass_id)
{
        return memcmp(slot->handset, handset, HANDSET_ID_SIZE) == 0 &&
               (pass_id == NULL || memcmp(slot->pass_id, pass_id, PASS_ID_SIZE) == 0);
}

static const uint8_t *id_of(const struct ledger_entry *entry)
{
        return is_zero(entry->pass_id, PASS_ID_SIZE) ? NULL : entry->pass_id;
}

/* asker_for: where BY's hour is counted; one who is new has the place of who asked longest ago. */
static struct asker *asker_for(struct ledger *ledger, const char *by)
{
        struct asker *oldest = ledger->askers;

        for (struct asker *a = ledger->askers; a < ledger->askers + LEDGER_ASKERS_MAX; a++) {
                if (strcmp(a->by, by) == 0)
                        return a;
                if (a->since_s < oldest->since_s)
                        oldest = a;
        }
        memset(oldest, 0, sizeof(*oldest));
        memcpy(oldest->by, by, sizeof(oldest->by));
        return oldest;
}

unsigned ledger_counted(struct ledger_what what)
{
        if (what.kind == KEEPER_ORDER && (what.what == ORDER_WIPE || what.what == ORDER_UNLOCK))
                return COUNTED_HARD;
        if (what.renews == 0)
                return what.kind;
        return what.kind == KEEPER_ORDER ? COUNTED_RENEWAL_ORDER : COUNTED_RENEWAL;
}

static void count(struct asker *asker, const struct ledger_entry *entry)
{
        if (entry->at_s - asker->since_s >= LEDGER_HOUR_S) {
                memset(asker->given, 0, sizeof(asker->given));
                asker->since_s = entry->at_s;
        }
        asker->given[ledger_counted((struct ledger_what){ entry->kind, entry->what, entry->renews })]++;
}

static const struct told *told_at(const struct ledger *ledger, uint32_t i)
{
        return &ledger->told[(ledger->told_first + i) % LEDGER_OVERDUE_MAX];
}

/* tell: an overdue carrier's position; those over a day old, and at the bound the first, go. */
static void tell(struct ledger *ledger, const struct ledger_entry *entry)
{
        struct told *told;

        while (ledger->told_count > 0 && (ledger->told_count == LEDGER_OVERDUE_MAX ||
                                          (uint64_t)told_at(ledger, 0)->at_s + LEDGER_DAY_S <= entry->at_s)) {
                ledger->told_first = (ledger->told_first + 1) % LEDGER_OVERDUE_MAX;
                ledger->told_count--;
        }
        told = &ledger->told[(ledger->told_first + ledger->told_count++) % LEDGER_OVERDUE_MAX];
        memcpy(told->handset, entry->handset, HANDSET_ID_SIZE);
        told->at_s = entry->at_s;
}

/* untell: the one that was written down last was told to nobody. */
static void untell(struct ledger *ledger, const struct ledger_entry *entry)
{
        if (ledger->told_count > 0 &&
            memcmp(told_at(ledger, ledger->told_count - 1)->handset, entry->handset, HANDSET_ID_SIZE) == 0)
                ledger->told_count--;
}

/* is_overdue: say whether ENTRY is of a position that was opened without an alert. */
static bool is_overdue(const struct ledger_entry *entry)
{
        return entry->kind == KEEPER_OPEN && is_zero(entry->alert, ALERT_ID_SIZE);
}

int ledger_apply(struct ledger *ledger, const struct ledger_entry *entry)
{
        if (entry->code != KEEPER_DONE && is_overdue(entry) && entry->number == LEDGER_UNTOLD)
                untell(ledger, entry);
        if (entry->code != KEEPER_DONE || entry->kind < KEEPER_PASS || entry->kind >= KEEPER_KIND_END)
                return 0;
        count(&ledger->all, entry);
        count(asker_for(ledger, entry->by), entry);
        if ((entry->kind == KEEPER_PASS || entry->kind == KEEPER_LIST) && entry->at_s > ledger->signed_at_s)
                ledger->signed_at_s = entry->at_s;
        if (is_overdue(entry))
                tell(ledger, entry);
        if (entry->kind == KEEPER_PASS)
                return issue(ledger, entry);
        if (entry->kind == KEEPER_REVOKE)
                for (struct slot *s = ledger->slots; s < ledger->slots + ledger->count; s++)
                        s->revoked |= is_meant(s, entry->handset, id_of(entry));
        if (entry->kind == KEEPER_ORDER && entry->number > ledger->order)
                ledger->order = entry->number;
        if (entry->kind == KEEPER_LIST && entry->at_s > ledger->list_at_s)
                ledger->list_at_s = entry->at_s;
        return 0;
}

bool ledger_keep(const struct ledger *ledger, const struct ledger_entry *entry, uint32_t now_s)
{
        const struct slot *slot;

        if (is_overdue(entry) && (entry->code == KEEPER_DONE || entry->number == LEDGER_UNTOLD))
                return (uint64_t)entry->at_s + LEDGER_DAY_S > now_s;
        switch (entry->code == KEEPER_DONE ? entry->kind : 0) {
        case KEEPER_PASS:
                slot = entry->status < ledger->count ? &ledger->slots[entry->status] : NULL;
                return slot != NULL && !is_at_rest(slot, now_s) && is_meant(slot, entry->handset, entry->pass_id);
        case KEEPER_REVOKE: /* what it revoked is at rest by then */
                return (uint64_t)entry->at_s + PASS_SECONDS_MAX + 2 * LEDGER_REST_S >= now_s;
        case KEEPER_ORDER:
                return entry->number == ledger->order;
        case KEEPER_LIST:
                return entry->at_s == ledger->list_at_s;
        default:
                return false;
        }
}

int64_t ledger_place(const struct ledger *ledger, uint32_t now_s)
{
        for (uint32_t i = 0; i < ledger->count; i++)
                if (is_at_rest(&ledger->slots[i], now_s))
                        return i;
        return ledger->count < STATUS_COUNT_MAX ? (int64_t)ledger->count : -ENOSPC;
}

uint32_t ledger_count(const struct ledger *ledger, const uint8_t handset[HANDSET_ID_SIZE], const uint8_t *pass_id,
                      uint32_t now_s)
{
        uint32_t found = 0;

        for (const struct slot *s = ledger->slots; s < ledger->slots + ledger->count; s++)
                found += !s->revoked && s->not_after_s >= now_s && is_meant(s, handset, pass_id);
        return found;
}

uint32_t ledger_bits(const struct ledger *ledger, uint8_t bits[STATUS_OCTETS_MAX])
{
        memset(bits, 0, STATUS_OCTETS_MAX);
        for (uint32_t i = 0; i < ledger->count; i++)
                bits[i / 8] |= (uint8_t)(ledger->slots[i].revoked << i % 8);
        return ledger->count;
}

uint32_t ledger_order(const struct ledger *ledger)
{
        return ledger->order;
}

uint32_t ledger_list_at(const struct ledger *ledger)
{
        return ledger->list_at_s;
}

uint32_t ledger_signed_at(const struct ledger *ledger)
{
        return ledger->signed_at_s;
}

uint32_t ledger_asked(const struct ledger *ledger, const char *by, unsigned counted, uint32_t now_s)
{
        const struct asker *asker = by == NULL ? &ledger->all : NULL;

        for (const struct asker *a = ledger->askers; asker == NULL && a < ledger->askers + LEDGER_ASKERS_MAX; a++)
                if (strcmp(a->by, by) == 0)
                        asker = a;
        return asker != NULL && now_s - asker->since_s < LEDGER_HOUR_S ? asker->given[counted] : 0;
}

uint32_t ledger_overdue(const struct ledger *ledger, const uint8_t *handset, uint32_t period_s, uint32_t now_s)
{
        uint32_t found = 0;

        for (uint32_t i = 0; i < ledger->told_count; i++) {
                const struct told *told = told_at(ledger, i);

                found += (uint64_t)told->at_s + period_s > now_s &&
                         (handset == NULL || memcmp(told->handset, handset, HANDSET_ID_SIZE) == 0);
        }
        return found;
}
