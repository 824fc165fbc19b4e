/* When the keeper opened a place that this phone had sealed (DESIGN 3, rule 9): kept, so that its carrier sees it.  What was opened for a silent
 * alert is not shown before that is closed and somebody goes on duty: the page would tell who looks over the shoulder. */
#include <string.h>

#include "device/handset/core.h"

static bool is_silent(const struct vigie *vigie)
{
        const struct my_alert *real = &vigie->alert[MY_REAL];

        return real->state == MY_OPEN && real->hidden;
}

bool my_opened_add(struct my_opened *opened, const struct my_opening *entry)
{
        struct my_opening *to = opened->entries;
        size_t at = opened->count;

        while (at > 0 && to[at - 1].at_ms > entry->at_ms)
                at--;
        if (at > 0 && to[at - 1].at_ms == entry->at_ms)
                return false;
        if (opened->count < OPENED_MAX) {
                memmove(to + at + 1, to + at, (opened->count - at) * sizeof(*to));
                opened->count++;
        } else if (at == 0) {
                return false;
        } else {
                at--;
                memmove(to, to + 1, at * sizeof(*to));
        }
        to[at] = *entry;
        return true;
}

void my_opened_on_frame(struct vigie *vigie, const struct opened_entry *entry)
{
        struct my_opening one = { .at_ms = entry->at_ms, .why = entry->why };

        one.hushed = is_silent(vigie) && entry->why != OPENED_OVERDUE && entry->why != OPENED_TIMER;
        if (entry->at_ms > VIGIE_CLOCK_MAX_MS)
                vigie->refused++;
        else if (my_opened_add(&vigie->opened, &one))
                my_diary_write(vigie, MY_OPENED, false); /* one that is lost is told again */
}

void my_opened_on_welcome(struct vigie *vigie, int64_t now_ms)
{
        struct my_opened *opened = &vigie->opened;
        size_t old = 0;

        while (old < opened->count && opened->entries[old].at_ms < now_ms - OPENED_KEPT_MS)
                old++;
        if (old == 0)
                return;
        opened->count -= old;
        memmove(opened->entries, opened->entries + old, opened->count * sizeof(*opened->entries));
        my_diary_write(vigie, MY_OPENED, false);
}

void my_opened_on_duty(struct vigie *vigie)
{
        bool changed = false;

        for (size_t i = 0; i < vigie->opened.count && !is_silent(vigie); i++) {
                changed |= vigie->opened.entries[i].hushed;
                vigie->opened.entries[i].hushed = false;
        }
        if (changed)
                my_diary_write(vigie, MY_OPENED, false);
}

int my_opened_on_read(struct vigie *vigie, const struct vigie_event *event)
{
        bool changed = false;

        for (size_t i = 0; i < vigie->opened.count; i++) {
                struct my_opening *one = &vigie->opened.entries[i];

                if (one->read || one->at_ms > event->u.opened_until_ms || one->hushed)
                        continue;
                one->read = changed = true;
        }
        if (changed)
                my_diary_write(vigie, MY_OPENED, false);
        return 0;
}

void my_opened_status(const struct vigie *vigie, struct vigie_status *to)
{
        for (size_t i = vigie->opened.count; i-- > 0;) {
                const struct my_opening *one = &vigie->opened.entries[i];
                struct vigie_opened *shown = &to->opened[to->opened_count];

                if (one->hushed)
                        continue;
                shown->at_ms = one->at_ms;
                shown->why = one->why;
                shown->read = one->read;
                to->opened_count++;
        }
}
