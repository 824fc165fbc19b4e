/* Technical notices of this process.  What begins or ends while the store is away is remembered, and told when it is back: the
 * feed then says that it was so, from when on, and that it is over.  The log has it at once, and so has /metrics. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/run_inside.h"

#define WORD(what, rings, help) { what, rings, { "vigie_notice_" what, NULL, "1 while " help } }
static const struct {
        const char *what;
        bool rings; /* in the control room: alerts go another way now, and people there should know */
        struct metrics_name name;
} words[] = {
        WORD("clock", false, "our clock is off Redis's"),
        WORD("snapshot", false, "started from the snapshot"),
        WORD("positions_away", false, "the positions' Redis is away"),
        WORD("sms_away", true, "the SMS gateway is away"),
        WORD("store_away", false, "the alerts' Redis is away"),
        WORD("store_full", true, "the alerts' Redis has no memory left"),
        WORD("store_readonly", true, "the alerts' Redis takes no writes"),
        WORD("store_loading", false, "the alerts' Redis reads its files"),
        WORD("store_alone", true, "the alerts' Redis has no replica and takes no writes"),
        WORD("store_login", true, "the alerts' Redis refuses our password"),
        WORD("store_rights", true, "the alerts' Redis refuses us a command"),
        WORD("store_older", true, "the alerts' Redis has lost what it had"),
        WORD("store_slow", false, "answers of the alerts' Redis take over a second"),
        WORD("no_replica", false, "no replica confirms takes"),
        WORD("store_unread", true, "what the alerts' Redis says of an alert's closure cannot be read"),
};
_Static_assert(sizeof(words) / sizeof(words[0]) == RUN_TECHS, "one state each");

static size_t find(const char *what)
{
        size_t i = 0;

        while (i < RUN_TECHS && strcmp(words[i].what, what) != 0)
                i++;
        assert(i < RUN_TECHS);
        return i;
}

static void make_key(const struct run *run, size_t i, char key[NAME_MAX_OCTETS + 1])
{
        snprintf(key, NAME_MAX_OCTETS + 1, "tech:%.40s:%.16s", run->options.config->name, words[i].what);
}

static void publish(struct run *run, size_t i, bool on)
{
        struct notice notice = {
                .kind = NOTICE_TECHNICAL, .rings = words[i].rings, .since_ms = run->techs[i].since_ms, .count = 1
        };
        char key[NAME_MAX_OCTETS + 1];

        make_key(run, i, key);
        snprintf(notice.cause, sizeof(notice.cause), "%s", words[i].what);
        store_notice(run->store, key, on ? &notice : NULL);
}

void run_notice(struct run *run, const char *what, bool on)
{
        size_t i = find(what);
        struct tech *tech = &run->techs[i];

        if (on && tech->on == 0) {
                tech->since_ms = run_now_ms(run);
                tech->untold = true;
        }
        tech->on = on;
        if (run->alerts != SYNC_UP)
                return; /* tech_retell */
        publish(run, i, on);
        tech->untold = tech->untold && on; /* the store may refuse it, for the very reason that it tells */
}

void tech_heard(struct run *run, const char *heard)
{
        char key[NAME_MAX_OCTETS + 1];

        for (size_t i = 0; i < RUN_TECHS; i++) {
                make_key(run, i, key);
                if (strcmp(key, heard) == 0)
                        run->techs[i].untold = false;
        }
}

/* What stands from a life before this one is over too. */
void tech_retell(struct run *run)
{
        for (size_t i = 0; i < RUN_TECHS; i++) {
                struct tech *tech = &run->techs[i];

                if (tech->untold && tech->on == 0)
                        publish(run, i, true); /* it was so */
                publish(run, i, tech->on != 0);
                tech->untold = tech->untold && tech->on != 0;
        }
}

void tech_trouble(void *user, const char *what, bool on)
{
        if (on)
                log_error("store", "alerts: %s", what);
        else
                log_info("store", "alerts: %s is over", what);
        run_notice(user, what, on);
}

int tech_gauges(struct run *run)
{
        int r = 0;

        for (size_t i = 0; i < RUN_TECHS && r == 0; i++)
                r = metrics_gauge(run->metrics, words[i].name, &run->techs[i].on);
        return r;
}
