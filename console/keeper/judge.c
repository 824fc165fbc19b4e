#include "console/keeper/judge.h"

#include <string.h>

/* is_many: say whether such a request was given often enough this hour. */
static bool is_many(const struct ledger *ledger, const struct keeper_request *request, int64_t one, int64_t all,
                    uint32_t now_s)
{
        const unsigned counted = ledger_counted((struct ledger_what){ request->kind, request->what, request->renews });

        return ledger_asked(ledger, request->by, counted, now_s) >= one ||
               ledger_asked(ledger, NULL, counted, now_s) >= all;
}

/* judge_count: of passes, or of the orders that bring them. */
static enum keeper_code judge_count(const struct keeper_limits *limits, const struct ledger *ledger,
                                    const struct keeper_request *q, uint32_t now_s)
{
        return is_many(ledger, q, q->renews ? limits->renewals : limits->passes,
                       q->renews ? limits->renewals_all : limits->passes_all, now_s)
                       ? KEEPER_TOO_MANY
                       : KEEPER_DONE;
}

static enum keeper_code judge_pass(const struct keeper_limits *limits, const struct ledger *ledger,
                                   const struct keeper_request *q, uint32_t now_s)
{
        uint32_t length_s = q->not_after_s - q->not_before_s;

        if (q->not_after_s < q->not_before_s || q->not_after_s < now_s ||
            (uint64_t)q->not_before_s + KEEPER_PAST_S < now_s || q->not_before_s > (uint64_t)now_s + KEEPER_FUTURE_S)
                return KEEPER_NOT_NOW;
        for (unsigned i = 0; i < q->window_count; i++)
                if (q->windows[i].from_s > q->windows[i].to_s)
                        return KEEPER_NOT_NOW;
        if (length_s > PASS_SECONDS_MAX)
                return KEEPER_TOO_LONG;
        if ((length_s > KEEPER_ALONE_S || (q->policy & PASS_SENSITIVE)) &&
            (q->second[0] == '\0' || strcmp(q->second, q->by) == 0))
                return KEEPER_NEEDS_TWO;
        return judge_count(limits, ledger, q, now_s);
}

static enum keeper_code judge_order(const struct keeper_limits *limits, const struct ledger *ledger,
                                    const struct keeper_request *q, uint32_t now_s)
{
        if (q->what != ORDER_WIPE && q->what != ORDER_UNLOCK)
                return judge_count(limits, ledger, q, now_s);
        return is_many(ledger, q, limits->orders, limits->orders_all, now_s) ? KEEPER_TOO_MANY : KEEPER_DONE;
}

/* judge_open: an alert is never counted by its handset; without one it is said to be overdue. */
static enum keeper_code judge_open(const struct keeper_limits *limits, const struct ledger *ledger,
                                   const struct keeper_request *q, uint32_t now_s)
{
        if (is_many(ledger, q, limits->opens, limits->opens_all, now_s))
                return KEEPER_TOO_MANY;
        return q->alert.len == 0 && (ledger_overdue(ledger, q->handset, LEDGER_HOUR_S, now_s) >= limits->overdue ||
                                     ledger_overdue(ledger, q->handset, LEDGER_DAY_S, now_s) >= limits->overdue_day ||
                                     ledger_overdue(ledger, NULL, LEDGER_DAY_S, now_s) >= LEDGER_OVERDUE_MAX)
                       ? KEEPER_TOO_MANY
                       : KEEPER_DONE;
}

enum keeper_code judge(const struct keeper_limits *limits, const struct ledger *ledger, enum keeper_peer peer,
                       const struct keeper_request *q, uint32_t now_s)
{
        if (peer != PEER_CONSOLE && q->kind != KEEPER_OPEN)
                return KEEPER_NOT_YOURS;
        if (q->by[0] == '\0')
                return KEEPER_MALFORMED;
        switch (q->kind) {
        case KEEPER_PASS:
                return judge_pass(limits, ledger, q, now_s);
        case KEEPER_REVOKE:
                return ledger_count(ledger, q->handset, q->pass_id.len > 0 ? q->pass_id.at : NULL, now_s) > 0
                               ? KEEPER_DONE
                               : KEEPER_NOT_FOUND;
        case KEEPER_LIST:
                if (now_s < ledger_list_at(ledger)) /* a list's time only rises: waiting a second does not help */
                        return KEEPER_CLOCK;
                return q->expires_s > now_s && q->expires_s <= (uint64_t)now_s + KEEPER_LIST_S &&
                                       now_s > ledger_list_at(ledger)
                               ? KEEPER_DONE
                               : KEEPER_NOT_NOW;
        case KEEPER_ORDER:
                return judge_order(limits, ledger, q, now_s);
        case KEEPER_OPEN:
                return judge_open(limits, ledger, q, now_s);
        case KEEPER_MARK: /* who was forced at a door is for two to know */
                if (q->second[0] == '\0' || strcmp(q->second, q->by) == 0)
                        return KEEPER_NEEDS_TWO;
                return is_many(ledger, q, limits->opens, limits->opens_all, now_s) ? KEEPER_TOO_MANY : KEEPER_DONE;
        default:
                return KEEPER_MALFORMED;
        }
}
