/* The alert port: which sessions stay.  One that has offered an alert stays until its receipt; the others end after
 * CORE_ALERT_PORT_IDLE_MS, and make room before that: those received first, then those that have offered nothing.  Each session is in
 * one of three lists, the longest there first. */
#include <string.h>

#include "dispatcher/core_parts.h"

/* Who has just come is about to offer: it makes no room yet. */
#define NEWCOMER_MS 1000

enum { CLOSE_NORMAL = 1000 };

static void leave(struct session *session)
{
        struct port_list *list = session->spare;

        if (list == NULL)
                return;
        *(session->spare_before != NULL ? &session->spare_before->spare_next : &list->first) = session->spare_next;
        *(session->spare_next != NULL ? &session->spare_next->spare_before : &list->last) = session->spare_before;
        session->spare = NULL;
}

static void enter(struct core *core, struct session *session, struct port_list *list)
{
        leave(session);
        session->spare = list;
        session->spare_ms = core->now_ms;
        session->spare_next = NULL;
        session->spare_before = list->last;
        *(list->last != NULL ? &list->last->spare_next : &list->first) = session;
        list->last = session;
}

void port_came(struct core *core, struct session *session)
{
        if (core->options.alerts_only)
                enter(core, session, &core->port_quiet);
}

void port_left(struct core *core, struct session *session)
{
        leave(session);
}

void port_offered(struct core *core, const struct waiting *by)
{
        struct session *session = core->options.alerts_only ? session_find(core, by->session) : NULL;

        if (session == NULL)
                return;
        enter(core, session, &core->port_waiting);
        memcpy(session->awaited, by->as, ALERT_ID_SIZE);
}

void port_told(struct core *core, const struct waiting *to, uint8_t state)
{
        struct session *session = core->options.alerts_only ? session_find(core, to->session) : NULL;

        if (session != NULL && session->spare == &core->port_waiting && state != RECEIPT_KEPT &&
            state != RECEIPT_COMING && memcmp(session->awaited, to->as, ALERT_ID_SIZE) == 0)
                enter(core, session, &core->port_received);
}

bool port_make_room(struct core *core)
{
        struct session *out = core->port_received.first;
        struct core_action *action;

        if (out == NULL && core->port_quiet.first != NULL &&
            core->now_ms - core->port_quiet.first->spare_ms >= NEWCOMER_MS)
                out = core->port_quiet.first;
        if (out == NULL)
                return false;
        action = core_do(core, DO_CLOSE_SESSION);
        action->u.close_session.session = out->id;
        action->u.close_session.code = CLOSE_NORMAL;
        session_closed(core, out->id);
        return true;
}

static void end_some(struct core *core, struct port_list *list, int64_t after_ms)
{
        while (list->first != NULL && core->now_ms - list->first->spare_ms >= after_ms) {
                struct session *session = list->first;

                leave(session);
                session_doom(core, session, CLOSE_NORMAL);
        }
}

static int64_t end_of(const struct port_list *list, int64_t after_ms)
{
        return list->first != NULL ? list->first->spare_ms + after_ms : INT64_MAX;
}

int64_t port_due_ms(const struct core *core)
{
        const int64_t ends[] = { end_of(&core->port_quiet, CORE_ALERT_PORT_IDLE_MS),
                                 end_of(&core->port_received, CORE_ALERT_PORT_IDLE_MS),
                                 end_of(&core->port_waiting, CORE_ALERT_PORT_WAIT_MS) };
        int64_t first = ends[0];

        for (size_t i = 1; i < sizeof(ends) / sizeof(ends[0]); i++)
                first = ends[i] < first ? ends[i] : first;
        return first;
}

void port_tick(struct core *core)
{
        end_some(core, &core->port_quiet, CORE_ALERT_PORT_IDLE_MS);
        end_some(core, &core->port_received, CORE_ALERT_PORT_IDLE_MS);
        end_some(core, &core->port_waiting, CORE_ALERT_PORT_WAIT_MS);
}
