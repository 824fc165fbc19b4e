#include "console/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/lookup.h"
#include "geo/roster.h"

struct board {
        struct lookup *alerts, *people, *notices;
        struct alert_item *last_closed;
        struct notice_item *last_over;
        struct record record; /* room to decode into: 7 KB */
};

static void item_free(struct alert_item *item)
{
        if (item == NULL)
                return;
        outbound_unref(item->text);
        free(item->people);
        free(item);
}

static void notice_item_free(struct notice_item *item)
{
        if (item == NULL)
                return;
        outbound_unref(item->text);
        free(item);
}

int board_new(uint64_t seed, struct board **ret_board)
{
        struct board *board = calloc(1, sizeof(*board));
        int r = board != NULL ? 0 : -ENOMEM;

        if (r == 0 && ((r = lookup_new(BOARD_ALERTS_MAX, seed, &board->alerts)) < 0 ||
                       (r = lookup_new(BOARD_PEOPLE_MAX, seed, &board->people)) < 0 ||
                       (r = lookup_new(BOARD_NOTICES_MAX, seed, &board->notices)) < 0)) {
                board_free(board);
                return r;
        }
        if (r == 0)
                *ret_board = board;
        return r;
}

void board_clear(struct board *board)
{
        size_t place = 0;

        for (struct alert_item *item; (item = lookup_next(board->alerts, &place)) != NULL;)
                item_free(item);
        lookup_clear(board->alerts);
        place = 0;
        for (struct notice_item *item; (item = lookup_next(board->notices, &place)) != NULL;)
                notice_item_free(item);
        lookup_clear(board->notices);
        place = 0;
        for (struct person *person; (person = lookup_next(board->people, &place)) != NULL;)
                person->on_duty = person->known = false;
        item_free(board->last_closed);
        notice_item_free(board->last_over);
        board->last_closed = NULL;
        board->last_over = NULL;
}

void board_free(struct board *board)
{
        size_t place = 0;

        if (board == NULL)
                return;
        if (board->alerts != NULL && board->notices != NULL && board->people != NULL)
                board_clear(board);
        for (struct person *person; board->people != NULL && (person = lookup_next(board->people, &place)) != NULL;)
                free(person);
        lookup_free(board->alerts);
        lookup_free(board->people);
        lookup_free(board->notices);
        free(board);
}

static int item_new(const struct record *record, const struct change *change, struct alert_item **ret_item)
{
        struct alert_item *item = calloc(1, sizeof(*item));
        char ids[VIEW_IDS_SIZE];
        size_t n = view_people_of_alert(record, ids);

        if (item == NULL)
                return -ENOMEM;
        memcpy(item->id, record->id, sizeof(item->id));
        item->version = record->version;
        item->urgency = record_urgency(record);
        item->open = record->state != ALERT_CLOSED;
        item->unverified = (record->marks & RECORD_UNVERIFIED) != 0;
        item->people = malloc(n);
        item->text = view_alert(record, change);
        if (item->people == NULL || item->text == NULL) {
                item_free(item);
                return -ENOMEM;
        }
        memcpy(item->people, ids, n);
        *ret_item = item;
        return 0;
}

/* make_room: let the least urgent alert go if it is less urgent than URGENCY.  Walks all: 20,000 in some 50 us, and
 * only when full. */
static int make_room(struct board *board, double urgency)
{
        struct alert_item *least = NULL;
        size_t place = 0;

        if (lookup_count(board->alerts) < BOARD_ALERTS_MAX)
                return 0;
        for (struct alert_item *item; (item = lookup_next(board->alerts, &place)) != NULL;)
                if (least == NULL || item->urgency < least->urgency)
                        least = item;
        if (least == NULL || least->urgency >= urgency)
                return -ENOBUFS;
        lookup_remove(board->alerts, least->id, sizeof(least->id));
        item_free(least);
        return 0;
}

int board_alert(struct board *board, const uint8_t *data, size_t size, const struct change *change,
                const struct alert_item **ret_item)
{
        struct alert_item *known, *item = NULL;
        void *old = NULL;
        int r = record_decode(data, size, &board->record);

        if (r < 0)
                return r;
        known = lookup_get(board->alerts, board->record.id, ALERT_ID_SIZE);
        if (known != NULL && known->version >= board->record.version)
                return 0;
        if ((r = item_new(&board->record, change, &item)) < 0)
                return r;
        if (!item->open) {
                item_free(lookup_remove(board->alerts, item->id, sizeof(item->id)));
                item_free(board->last_closed);
                board->last_closed = item;
        } else if ((known == NULL && (r = make_room(board, item->urgency)) < 0) ||
                   (r = lookup_put(board->alerts, item->id, sizeof(item->id), item, &old)) < 0) {
                item_free(item);
                return r;
        }
        item_free(old);
        *ret_item = item;
        return 1;
}

int board_notice(struct board *board, const char *key, const uint8_t *data, size_t size,
                 const struct notice_item **ret_item)
{
        struct notice_item *item;
        void *old = NULL;
        int r = 0;

        if (key[0] == '\0' || strlen(key) > NAME_MAX_OCTETS)
                return -EINVAL;
        if (size == 0 && lookup_get(board->notices, key, strlen(key)) == NULL)
                return 0;
        if ((item = calloc(1, sizeof(*item))) == NULL)
                return -ENOMEM;
        strcpy(item->key, key);
        item->over = size == 0;
        if (!item->over)
                r = notice_decode(data, size, &item->notice);
        if (r == 0 && (item->text = view_notice(key, item->over ? NULL : &item->notice)) == NULL)
                r = -ENOMEM;
        if (r == 0 && item->over)
                old = lookup_remove(board->notices, key, strlen(key));
        else if (r == 0)
                r = lookup_put(board->notices, key, strlen(key), item, &old);
        if (r < 0) {
                notice_item_free(item);
                return r;
        }
        if (item->over) { /* the table does not keep it: we do, till the next one */
                item->notice = ((struct notice_item *)old)->notice;
                notice_item_free(board->last_over);
                board->last_over = item;
        }
        notice_item_free(old);
        *ret_item = item;
        return 1;
}

struct person *board_person(const struct board *board, const char *id)
{
        return lookup_get(board->people, id, strlen(id));
}

/* person_of: the person called ID, made if need be. */
static int person_of(struct board *board, const char *id, struct person **ret_person)
{
        struct person *person = board_person(board, id);
        void *old;
        int r;

        if (!person_id_valid(id))
                return -EINVAL;
        if (person == NULL) {
                if ((person = calloc(1, sizeof(*person))) == NULL)
                        return -ENOMEM;
                person->changed = true;
                strcpy(person->id, id);
                if ((r = lookup_put(board->people, id, strlen(id), person, &old)) < 0) {
                        free(person);
                        return r;
                }
        }
        *ret_person = person;
        return 0;
}

int board_supervisor(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person)
{
        struct supervisor_entry entry;
        struct person *person;
        int r = supervisor_entry_decode(data, size, &entry);

        if (r < 0 || (r = person_of(board, id, &person)) < 0)
                return r;
        person->changed |= strcmp(person->name, entry.name) != 0 || strcmp(person->team, entry.team) != 0 ||
                           person->manager != entry.manager;
        strcpy(person->name, entry.name);
        strcpy(person->team, entry.team);
        person->manager = entry.manager;
        person->known = true;
        *ret_person = person;
        return 0;
}

int board_duty(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person)
{
        struct duty_entry duty = { 0 };
        int r = size > 0 ? duty_entry_decode(data, size, &duty) : 0;

        if (r < 0 || (r = person_of(board, id, ret_person)) < 0)
                return r;
        (*ret_person)->changed = true;
        (*ret_person)->on_duty = size > 0;
        (*ret_person)->duty = duty;
        return 0;
}

int board_presence(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person)
{
        struct presence presence;
        int r = presence_decode(data, size, &presence);

        if (r < 0 || (r = person_of(board, id, ret_person)) < 0)
                return r;
        if (presence.by != PRESENCE_GONE && !presence.has_position && (*ret_person)->presence.has_position) {
                presence.has_position = true; /* a sign of life without a fix does not take the last fix away */
                presence.at = (*ret_person)->presence.at;
        }
        (*ret_person)->presence = presence;
        (*ret_person)->changed = true;
        return 0;
}

struct person *board_next_person(const struct board *board, size_t *place)
{
        return lookup_next(board->people, place);
}

const struct notice_item *board_next_notice(const struct board *board, size_t *place)
{
        return lookup_next(board->notices, place);
}

static int by_urgency(const void *a, const void *b)
{
        const struct alert_item *x = *(const struct alert_item *const *)a, *y = *(const struct alert_item *const *)b;

        if (x->urgency != y->urgency)
                return x->urgency > y->urgency ? -1 : 1;
        return memcmp(x->id, y->id, sizeof(x->id));
}

size_t board_most_urgent(const struct board *board, const struct viewer *viewer, const struct alert_item **items,
                         size_t max, size_t *ret_rest)
{
        size_t count = lookup_count(board->alerts), place = 0, n = 0, allowed = 0;
        const struct alert_item **all = count <= max ? items : malloc(count * sizeof(*all));
        size_t room = all != NULL ? count : max;

        if (all == NULL) /* no memory to sort: any of them are better than none */
                all = items;
        for (struct alert_item *item; (item = lookup_next(board->alerts, &place)) != NULL;) {
                if (!view_allows_alert(viewer, item->unverified, item->people))
                        continue;
                allowed++;
                if (n < room)
                        all[n++] = item;
        }
        qsort(all, n, sizeof(*all), by_urgency);
        n = n < max ? n : max;
        if (all != items) {
                memcpy(items, all, n * sizeof(*all));
                free(all);
        }
        *ret_rest = allowed - n;
        return n;
}

size_t board_open_count(const struct board *board)
{
        return lookup_count(board->alerts);
}

void board_counts(const struct board *board, int64_t now_ms, struct counts *counts)
{
        size_t place = 0;

        counts->supervisors = counts->reachable = 0;
        for (const struct person *p; (p = lookup_next(board->people, &place)) != NULL;) {
                counts->supervisors += p->on_duty;
                counts->reachable +=
                        p->on_duty && p->presence.by != PRESENCE_GONE && now_ms - p->presence.at_ms < PRESENCE_LEASE_MS;
        }
}
