/* A building that is taken off a round stays in the passes that were given before: their doors open it until the pass ends, or until
 * the pass is revoked and the door has the list that says so.  Who edits is told which passes these are. */
#include <stdlib.h>
#include <string.h>

#include "console/pass_edit_inside.h"

/* keep: ROUND loses COUNT buildings GONE, in no order.  Gives false where memory is short. */
static bool keep(struct edit *e, const char *round, uint8_t (*gone)[BUILDING_ID_SIZE], size_t count)
{
        struct lost *lost = malloc(sizeof(*lost) + count * BUILDING_ID_SIZE);
        void *old = NULL;

        if (lost == NULL)
                return false;
        *lost = (struct lost){ .count = count };
        strcpy(lost->round, round);
        memcpy(lost->buildings, gone, count * BUILDING_ID_SIZE);
        qsort(lost->buildings, count, BUILDING_ID_SIZE, building_order);
        if (lookup_put(e->lost, round, strlen(round), lost, &old) < 0) {
                free(lost);
                return false;
        }
        free(old);
        return true;
}

bool still_note(struct edit *e, const char *round, const struct stops_entry *stops)
{
        const struct book_item *item = books_get(e->desk->books, BOOK_STOPS, round);
        struct stops_entry had, stay = { 0 };
        size_t count = 0;

        if (item == NULL || stops_entry_decode(item->data, item->size, &had) < 0)
                return true;
        if (stops != NULL) {
                stay.count = stops->count;
                memcpy(stay.buildings, stops->buildings, (size_t)stay.count * BUILDING_ID_SIZE);
                qsort(stay.buildings, stay.count, BUILDING_ID_SIZE, building_order);
        }
        for (unsigned i = 0; i < had.count; i++)
                if (bsearch(had.buildings[i], stay.buildings, stay.count, BUILDING_ID_SIZE, building_order) == NULL)
                        memmove(had.buildings[count++], had.buildings[i], BUILDING_ID_SIZE);
        return count == 0 || keep(e, round, had.buildings, count);
}

/* opens: say whether PASS opens a building that LOST has. */
static bool opens(const struct pass_entry *pass, const struct lost *lost)
{
        for (unsigned i = 0; i < pass->count; i++)
                if (bsearch(pass->buildings[i], lost->buildings, lost->count, BUILDING_ID_SIZE, building_order) != NULL)
                        return true;
        return false;
}

/* collect: the keys of the live passes as they are now: a turn of the loop later their table may have moved. */
static bool collect(struct edit *e)
{
        const struct books *books = e->desk->books;
        const struct book_item *item;
        uint32_t now = now_s();
        size_t place = 0;

        e->live = malloc((books_count(books, BOOK_PASSES) + 1) * sizeof(*e->live));
        while (e->live != NULL && (item = books_next(books, BOOK_PASSES, &place)) != NULL)
                if (item->revoked_s == 0 && item->until_s >= now && strlen(item->key) < sizeof(*e->live))
                        strcpy(e->live[e->live_count++], item->key);
        return e->live != NULL;
}

bool still_step(struct edit *e)
{
        const struct book_item *item;
        struct pass_entry pass;
        struct lost *lost;

        if (lookup_count(e->lost) == 0)
                return false;
        if (e->live == NULL && !collect(e)) {
                edit_wrong(e, "body", 0, "memory");
                return false;
        }
        if (e->at == e->live_count)
                return false;
        item = books_get(e->desk->books, BOOK_PASSES, e->live[e->at++]);
        if (item == NULL || item->revoked_s != 0 || pass_entry_decode(item->data, item->size, &pass) < 0 ||
            (lost = lookup_get(e->lost, pass.round, strlen(pass.round))) == NULL || !opens(&pass, lost))
                return true;
        lost->passes++;
        if (item->until_s + PASS_GRACE_S > lost->until_s)
                lost->until_s = item->until_s + PASS_GRACE_S;
        return true;
}

json_t *still_json(struct edit *e)
{
        json_t *to = json_array();
        struct lost *lost;
        size_t place = 0;

        while ((lost = lookup_next(e->lost, &place)) != NULL && json_array_size(to) < EDIT_STILL_MAX)
                if (lost->passes > 0)
                        json_array_append_new(to, json_pack("{s:s, s:I, s:i, s:I}", "round", lost->round, "buildings",
                                                            (json_int_t)lost->count, "passes", (int)lost->passes,
                                                            "until", (json_int_t)lost->until_s * 1000));
        return to;
}

void still_free(struct edit *e)
{
        struct lost *lost;
        size_t place = 0;

        while (e->lost != NULL && (lost = lookup_next(e->lost, &place)) != NULL)
                free(lost);
        lookup_free(e->lost);
        free(e->live);
}
