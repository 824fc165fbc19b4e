#include <assert.h>
#include <errno.h>
#include <string.h>

#include "dispatcher/core_parts.h"

/* Frames that are no alert: a handset needs one a second at the very most. */
#define FRAMES_BURST     60
#define FRAMES_REFILL_MS 100

enum { CLOSE_PROTOCOL = 1002, CLOSE_POLICY = 1008, CLOSE_TRY_AGAIN = 1013 };

struct session *session_find(const struct core *core, uint64_t id)
{
        return table_find(&core->sessions, &id);
}

bool session_is_allowed(const struct session *session)
{
        return session->certificate == CERTIFICATE_OK && session->handset != NULL && session->handset->known &&
               session->handset->entry.revoked_at_s == 0;
}

void session_refuse(struct core *core, const struct session *session, uint8_t code, const char *text)
{
        struct frame frame = { .type = FRAME_ERROR };

        frame.u.error.code = code;
        record_set_text(frame.u.error.text, sizeof(frame.u.error.text), text);
        core_send(core, session, &frame);
        core->counters.frames_refused++;
}

/* ---- Coming and going ----------------------------------------------------------------------------------------------- */

static void leave_handset(struct core *core, struct session *session)
{
        struct handset *handset = session->handset;

        if (handset == NULL)
                return;
        for (struct session **at = &handset->sessions; *at != NULL; at = &(*at)->next_of_handset)
                if (*at == session) {
                        *at = session->next_of_handset;
                        handset->session_count--;
                        break;
                }
        session->handset = NULL;
        directory_handset_tidy(&core->directory, handset);
}

static void leave_person(struct core *core, struct session *session)
{
        struct person *person = session->person;

        if (person == NULL)
                return;
        for (struct session **at = &person->sessions; *at != NULL; at = &(*at)->next_of_person)
                if (*at == session) {
                        *at = session->next_of_person;
                        break;
                }
        session->person = NULL;
        directory_person_tidy(&core->directory, person);
}

static void forget(struct core *core, struct session *session)
{
        leave_person(core, session);
        leave_handset(core, session);
        port_left(core, session);
        for (struct session **at = &core->work; session->in_work && *at != NULL; at = &(*at)->next_work)
                if (*at == session) {
                        *at = session->next_work;
                        if (*at == NULL)
                                core->work_end = at;
                        break;
                }
        table_remove(&core->sessions, session);
        core->counters.sessions = (int64_t)core->sessions.count;
}

void session_closed(struct core *core, uint64_t id)
{
        struct session *session = session_find(core, id);

        if (session != NULL)
                forget(core, session);
}

void session_work(struct core *core, struct session *session)
{
        if (session->in_work)
                return;
        session->in_work = true;
        session->next_work = NULL;
        *core->work_end = session;
        core->work_end = &session->next_work;
}

void session_doom(struct core *core, struct session *session, uint16_t code)
{
        session->doomed = true;
        session->doom_code = code;
        session_work(core, session);
}

bool session_step(struct core *core)
{
        struct session *session = core->work;
        struct core_action *action;

        if (session == NULL)
                return false;
        core->work = session->next_work;
        if (core->work == NULL)
                core->work_end = &core->work;
        session->in_work = false;
        if (session->doomed) {
                action = core_do(core, DO_CLOSE_SESSION);
                action->u.close_session.session = session->id;
                action->u.close_session.code = session->doom_code;
                forget(core, session);
                return true;
        }
        if (session->owed_duty && session->person != NULL && !session->person->wants)
                duty_answer(core, session);
        if (session->owed_rings && session->person != NULL) {
                session->owed_rings = tell_rings(core, session);
                if (session->owed_rings)
                        session_work(core, session);
        }
        return true;
}

static void join_handset(struct core *core, struct session *session, const uint8_t id[HANDSET_ID_SIZE])
{
        struct handset *handset = directory_handset_need(&core->directory, id);
        struct session *oldest;

        if (handset == NULL)
                return;
        session->handset = handset;
        if (handset->sessions == NULL) /* it may have been elsewhere since */
                handset->duty_known = DUTY_NOT_KNOWN;
        session->next_of_handset = handset->sessions;
        handset->sessions = session;
        for (oldest = session; oldest->next_of_handset != NULL;)
                oldest = oldest->next_of_handset;
        if (++handset->session_count > CORE_HANDSET_SESSIONS_MAX)
                session_doom(core, oldest, CLOSE_POLICY);
        duty_find(core, handset);
}

static bool names_handset(const struct session *session)
{
        return session->certificate == CERTIFICATE_OK || session->certificate == CERTIFICATE_EXPIRED;
}

/* Whether the certificate is of another enrolment than the one that the region holds: of the phone before, or a copy. */
static bool is_outdated(const struct core *core, const struct core_event *event)
{
        const struct handset *handset = directory_handset(&core->directory, event->u.opened.handset);

        return handset != NULL && handset->known &&
               memcmp(handset->entry.enrolment, event->u.opened.enrolment, ENROLMENT_SIZE) != 0;
}

void session_opened(struct core *core, const struct core_event *event)
{
        struct session *session = NULL;
        struct core_action *action;

        if (session_find(core, event->u.opened.session) == NULL &&
            (core->sessions.count < core->sessions.max || port_make_room(core)))
                session = table_add(&core->sessions, &event->u.opened.session);
        if (session == NULL) {
                core->counters.sessions_refused++;
                action = core_do(core, DO_CLOSE_SESSION);
                action->u.close_session.session = event->u.opened.session;
                action->u.close_session.code = CLOSE_TRY_AGAIN;
                return;
        }
        session->certificate = event->u.opened.certificate;
        memcpy(session->fingerprint, event->u.opened.fingerprint, SENDER_SIZE);
        if (names_handset(session) && is_outdated(core, event))
                session->certificate = CERTIFICATE_UNKNOWN;
        if (names_handset(session))
                join_handset(core, session, event->u.opened.handset);
        port_came(core, session);
        core->counters.sessions = (int64_t)core->sessions.count;
}

/* ---- Frames --------------------------------------------------------------------------------------------------------- */

/* A supervisor's handset: it is rung from now on, and for what asks its person already. */
static void join_person(struct core *core, struct session *session)
{
        struct person *person = directory_person(&core->directory, session->handset->entry.person);
        struct session *oldest;
        unsigned count = 1;

        if (session->handset->entry.role != HANDSET_SUPERVISOR || person == NULL || session->person != NULL)
                return;
        session->person = person;
        session->next_of_person = person->sessions;
        person->sessions = session;
        for (oldest = session; oldest->next_of_person != NULL; count++)
                oldest = oldest->next_of_person;
        if (count > PERSON_SESSIONS_MAX)
                session_doom(core, oldest, CLOSE_POLICY);
}

static void hello(struct core *core, struct session *session, const struct frame *frame)
{
        const struct handset *handset = session->handset;
        struct frame welcome = { .type = FRAME_WELCOME };
        struct frame trust = { .type = FRAME_TRUST };
        bool sure;

        if (frame->u.hello.version < FRAME_VERSION_OLDEST) {
                session_refuse(core, session, FRAME_ERROR_NOT_ALLOWED, "version");
                return;
        }
        session->welcome = true;
        join_person(core, session);
        welcome.u.welcome.version = frame->u.hello.version < FRAME_VERSION ? frame->u.hello.version : FRAME_VERSION;
        welcome.u.welcome.time_ms = core->now_ms;
        record_set_text(welcome.u.welcome.region, sizeof(welcome.u.welcome.region), core->region);
        welcome.u.welcome.trust_number = core->trust_number;
        record_set_text(welcome.u.welcome.name, sizeof(welcome.u.welcome.name),
                        directory_name(&core->directory, handset_holder(handset, &sure)));
        core_send(core, session, &welcome);
        if (core->trust_size > 0 && frame->u.hello.trust_number < core->trust_number) {
                trust.u.cose.cose = (struct cbor_span){ core->trust, core->trust_size };
                core_send(core, session, &trust);
        }
        if (session->person != NULL) {
                session->owed_rings = true;
                session->rings_cursor = 0;
                session_work(core, session);
        }
}

static void command(struct core *core, struct session *session, const struct frame *frame)
{
        struct asking asking = { .path = BY_HANDSET, .session = session, .request = frame->u.command.request };
        struct command asked = frame->u.command.command;

        if (session->person == NULL) {
                session_refuse(core, session, FRAME_ERROR_NOT_ALLOWED, "command");
                return;
        }
        asked.role = ROLE_SUPERVISOR;
        asked.login[0] = '\0';
        record_set_text(asked.person, sizeof(asked.person), session->person->id);
        right_command(core, &asked, &asking);
}

static void other_frame(struct core *core, struct session *session, const struct frame *frame)
{
        if (core->options.alerts_only) {
                session_refuse(core, session, FRAME_ERROR_NOT_ALLOWED, "alerts only");
                session_doom(core, session, CLOSE_POLICY);
                return;
        }
        if (!session_is_allowed(session) && names_handset(session) && vault_of_refused(core, session, frame))
                return;
        if (!session_is_allowed(session) || (!session->welcome && frame->type != FRAME_HELLO)) {
                session_refuse(core, session, FRAME_ERROR_NOT_ALLOWED, session->welcome ? "revoked" : "hello first");
                return;
        }
        if (!bucket_take(&session->frames, core->now_mono_ms, FRAMES_BURST, FRAMES_REFILL_MS)) {
                session_refuse(core, session, FRAME_ERROR_TOO_MANY, "too many frames");
                session_doom(core, session, CLOSE_POLICY);
                return;
        }
        duty_heard(core, session->handset);
        switch (frame->type) {
        case FRAME_HELLO:
                hello(core, session, frame);
                break;
        case FRAME_DUTY:
                duty_frame(core, session, frame);
                break;
        case FRAME_HEARTBEAT:
                duty_heartbeat(core, session, frame);
                break;
        case FRAME_PRESENCE:
                duty_presence(core, session, frame);
                break;
        case FRAME_COMMAND:
                command(core, session, frame);
                break;
        case FRAME_SAFE: /* heard, and that is all */
                break;
        default: /* what only a dispatcher sends */
                if (!vault_frame(core, session, frame))
                        session_refuse(core, session, FRAME_ERROR_NOT_ALLOWED, "direction");
        }
}

static void malformed(struct core *core, struct session *session)
{
        core->counters.frames_malformed++;
        session_refuse(core, session, FRAME_ERROR_MALFORMED, "malformed");
        if (++session->malformed > CORE_MALFORMED_MAX)
                session_doom(core, session, CLOSE_PROTOCOL);
}

static void offered(struct core *core, struct session *session, const struct frame *frame, uint64_t stamp)
{
        struct offerer from = { .session = session,
                                .held_version = frame->u.cose.held_version,
                                .held_state = frame->u.cose.held_state,
                                .stamp = stamp };

        memcpy(from.sender, session->fingerprint, SENDER_SIZE);
        offer_alert(core, &from, frame->u.cose.cose);
}

void session_frame(struct core *core, const struct core_event *event)
{
        struct session *session = session_find(core, event->u.frame.session);
        struct frame frame;
        int r;

        if (session == NULL)
                return;
        core->counters.frames++;
        r = event->u.frame.bytes.len > FRAME_HANDSET_MAX
                    ? -EBADMSG
                    : frame_decode(event->u.frame.bytes.at, event->u.frame.bytes.len, &frame);
        if (r == -EPROTONOSUPPORT)
                core->counters.frames_unknown++;
        else if (r < 0)
                malformed(core, session);
        else if (frame.type == FRAME_ALERT)
                offered(core, session, &frame, event->u.frame.stamp);
        else
                other_frame(core, session, &frame);
}
