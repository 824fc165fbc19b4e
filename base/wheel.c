#include "base/wheel.h"

#include <assert.h>

/* A timer lies on the level of the highest 6-bit digit in which its due time differs from now, in the slot of that
 * digit: so all timers of one ms are always in the same list, which keeps their order, and a slot is emptied when now
 * enters it. */
#define BITS 6

static void list_init(struct wheel_link *list)
{
        list->next = list->prev = list;
}

static bool list_is_empty(const struct wheel_link *list)
{
        return list->next == list;
}

static void list_append(struct wheel_link *list, struct wheel_link *link)
{
        link->prev = list->prev;
        link->next = list;
        list->prev->next = link;
        list->prev = link;
}

static void list_remove(struct wheel_link *link)
{
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->next = link->prev = NULL;
}

/* Move everything of FROM to the end of TO. */
static void list_move(struct wheel_link *to, struct wheel_link *from)
{
        if (list_is_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
}

static int digit_of(int64_t time, int level)
{
        return (int)(time >> (level * BITS)) & (WHEEL_SLOTS - 1);
}

void wheel_init(struct wheel *wheel, int64_t now_mono_ms)
{
        assert(now_mono_ms >= 0 && now_mono_ms <= WHEEL_TIME_MAX);
        wheel->now_mono_ms = now_mono_ms;
        wheel->armed = 0;
        for (int level = 0; level < WHEEL_LEVELS; level++) {
                wheel->used[level] = 0;
                for (int slot = 0; slot < WHEEL_SLOTS; slot++)
                        list_init(&wheel->slot[level][slot]);
        }
        list_init(&wheel->due);
}

void wheel_timer_init(struct wheel_timer *timer, wheel_fn *call, void *user)
{
        *timer = (struct wheel_timer){ .call = call, .user = user };
}

bool wheel_timer_is_armed(const struct wheel_timer *timer)
{
        return timer->link.next != NULL;
}

/* Put a timer that is in no list where its due time belongs. */
static void place(struct wheel *wheel, struct wheel_timer *timer)
{
        uint64_t differs = (uint64_t)(timer->due_mono_ms ^ wheel->now_mono_ms);
        int level, slot;

        if (timer->due_mono_ms <= wheel->now_mono_ms) {
                list_append(&wheel->due, &timer->link);
                return;
        }
        level = (63 - __builtin_clzll(differs)) / BITS;
        slot = digit_of(timer->due_mono_ms, level);
        wheel->used[level] |= UINT64_C(1) << slot;
        list_append(&wheel->slot[level][slot], &timer->link);
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, int64_t due_mono_ms)
{
        wheel_cancel(wheel, timer);
        timer->due_mono_ms = due_mono_ms < WHEEL_TIME_MAX ? due_mono_ms : WHEEL_TIME_MAX;
        wheel->armed++;
        place(wheel, timer);
}

void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
        if (!wheel_timer_is_armed(timer))
                return;
        list_remove(&timer->link);
        wheel->armed--;
}

/* The first slot in use after now's on LEVEL, or -1.  Slots at or before now's digit are empty: now has entered
 * them. */
static int first_slot(struct wheel *wheel, int level)
{
        int digit = digit_of(wheel->now_mono_ms, level);
        uint64_t after = digit == WHEEL_SLOTS - 1 ? 0 : ~UINT64_C(0) << (digit + 1);

        while ((wheel->used[level] & after) != 0) {
                int slot = __builtin_ctzll(wheel->used[level] & after);

                if (!list_is_empty(&wheel->slot[level][slot]))
                        return slot;
                wheel->used[level] &= ~(UINT64_C(1) << slot); /* cancelled since */
        }
        return -1;
}

/* The first slot in use of the whole wheel and the time at which it begins; lower levels come first. */
static int64_t next_slot(struct wheel *wheel, int *ret_level, int *ret_slot)
{
        for (int level = 0; level < WHEEL_LEVELS; level++) {
                int slot = first_slot(wheel, level);
                int64_t below = (INT64_C(1) << ((level + 1) * BITS)) - 1;

                if (slot < 0)
                        continue;
                *ret_level = level;
                *ret_slot = slot;
                return (wheel->now_mono_ms & ~below) | (int64_t)slot << (level * BITS);
        }
        return INT64_MAX;
}

int64_t wheel_next(struct wheel *wheel)
{
        int level, slot;

        if (!list_is_empty(&wheel->due))
                return wheel->now_mono_ms;
        return wheel->armed == 0 ? INT64_MAX : next_slot(wheel, &level, &slot);
}

/* Enter a slot: those due at its first ms become due, the others move to lower levels. */
static void enter_slot(struct wheel *wheel, int level, int slot)
{
        struct wheel_link moving;

        list_init(&moving);
        list_move(&moving, &wheel->slot[level][slot]);
        wheel->used[level] &= ~(UINT64_C(1) << slot);
        while (!list_is_empty(&moving)) {
                struct wheel_timer *timer = (struct wheel_timer *)moving.next;

                list_remove(&timer->link);
                place(wheel, timer);
        }
}

/* Call those that are due; what they arm for now goes to wheel->due and waits for the next wheel_advance. */
static size_t fire(struct wheel *wheel, struct wheel_link *ready)
{
        size_t fired = 0;

        while (!list_is_empty(ready)) {
                struct wheel_timer *timer = (struct wheel_timer *)ready->next;

                list_remove(&timer->link);
                wheel->armed--;
                fired++;
                timer->call(timer, wheel->now_mono_ms);
        }
        return fired;
}

size_t wheel_advance(struct wheel *wheel, int64_t now_mono_ms)
{
        struct wheel_link ready;
        int level = 0, slot = 0;
        int64_t begins;

        assert(now_mono_ms <= WHEEL_TIME_MAX);
        list_init(&ready);
        list_move(&ready, &wheel->due);
        while ((begins = next_slot(wheel, &level, &slot)) <= now_mono_ms) {
                wheel->now_mono_ms = begins;
                enter_slot(wheel, level, slot);
                list_move(&ready, &wheel->due);
        }
        if (now_mono_ms > wheel->now_mono_ms)
                wheel->now_mono_ms = now_mono_ms;
        return fire(wheel, &ready);
}
