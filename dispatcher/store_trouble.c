/* What is wrong with the alerts' Redis: told when it begins and when it is over. */
#include <string.h>

#include "base/loop.h"
#include "base/redis_trouble.h"
#include "dispatcher/store_inside.h"

/* The troubles in which it does not count as up. */
static const char *const aways[] = { "store_away",  "store_full",  "store_readonly", "store_loading",
                                     "store_alone", "store_login", "store_rights",   "store_older" };

void store_trouble(struct store *store, const char *what, bool on)
{
        static const char *const words[] = STORE_TROUBLES;
        unsigned bit = 1;

        for (size_t i = 0; strcmp(words[i], what) != 0; i++)
                bit <<= 1;
        if (((store->troubles & bit) != 0) == on)
                return;
        store->troubles ^= bit;
        if (store->options.trouble != NULL)
                store->options.trouble(store->options.user, what, on);
}

void store_cause(struct store *store, const char *error)
{
        const char *word = error != NULL ? redis_trouble(error) : "";

        if (strcmp(word, "store_away") == 0 && !store->was_up)
                word = ""; /* a start without Redis is told by itself */
        for (size_t i = 0; i < sizeof(aways) / sizeof(aways[0]); i++)
                if (strcmp(aways[i], word) != 0)
                        store_trouble(store, aways[i], false);
        if (word[0] != '\0')
                store_trouble(store, word, true);
}

void store_took(struct store *store, int64_t us)
{
        if (us < STORE_SLOW_MS * 1000)
                return;
        loop_timer_arm(store->options.loop, &store->calm, clock_mono_ms() + STORE_CALM_MS);
        store_trouble(store, "store_slow", true);
}

void store_calmed(struct wheel_timer *timer, int64_t now_mono_ms)
{
        store_trouble(timer->user, "store_slow", false);
}
