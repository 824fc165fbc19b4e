/* What happens outside, as the core's events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/run_inside.h"
#include "wire/signing.h"

/* ---- Handsets' sessions. */

static enum core_certificate judge(const struct tls_peer *peer)
{
        if (peer->verdict == TLS_FOREIGN)
                return CERTIFICATE_FOREIGN;
        if (!peer->has_handset)
                return CERTIFICATE_UNKNOWN;
        return peer->verdict == TLS_TRUSTED ? CERTIFICATE_OK : CERTIFICATE_EXPIRED;
}

static void on_opened(void *user, uint64_t session, const struct tls_peer *peer)
{
        struct core_event event = { .kind = CORE_OPENED };

        event.u.opened.session = session;
        event.u.opened.certificate = judge(peer);
        memcpy(event.u.opened.handset, peer->handset.octets, HANDSET_ID_SIZE);
        memcpy(event.u.opened.enrolment, peer->enrolment, ENROLMENT_SIZE);
        memcpy(event.u.opened.fingerprint, peer->fingerprint, sizeof(event.u.opened.fingerprint));
        run_tell(user, &event);
}

static void on_frame(void *user, uint64_t session, const uint8_t *data, size_t len)
{
        struct core_event event = { .kind = CORE_FRAME };

        event.u.frame.session = session;
        event.u.frame.bytes = (struct cbor_span){ data, len };
        event.u.frame.stamp = (uint64_t)clock_mono_us();
        run_tell(user, &event);
}

static void on_closed(void *user, uint64_t session)
{
        struct core_event event = { .kind = CORE_CLOSED };

        event.u.closed.session = session;
        inbox_left(user, session);
        run_tell(user, &event);
}

/* ---- The feed. */

static void bad_entry(struct run *run, const char *what)
{
        uint32_t hidden;

        run->entries_bad++;
        if (log_limit_pass(&run->log_entry, clock_mono_ms(), &hidden))
                log_warn("store", "an entry of %s cannot be read (%u more)", what, hidden);
}

static uint8_t read_event(const struct redisReply *fields)
{
        char name[16];

        if (!reply_text(reply_field(fields, "e"), name, sizeof(name)))
                return 0;
        for (uint8_t event = EVENT_RAISE; event < EVENT_END; event++)
                if (strcmp(alert_event_name(event), name) == 0)
                        return event;
        return 0;
}

static void tell_alert(struct run *run, struct cbor_span record, uint8_t what)
{
        struct core_event event = { .kind = CORE_FEED_ALERT };

        event.u.feed_alert.record = record;
        event.u.feed_alert.event = what;
        run_tell(run, &event);
}

/* A closure, until a replica has it. */
struct closure {
        struct run *run;
        size_t size;
        uint8_t record[];
};

static void on_settled(void *user, bool known)
{
        struct closure *closure = user;

        if (known)
                tell_alert(closure->run, (struct cbor_span){ closure->record, closure->size }, EVENT_CLOSE);
        else if (!closure->run->closing)
                sync_again(closure->run); /* who knows what has become of it */
        free(closure);
}

static void hear_alert(struct run *run, const struct redisReply *fields)
{
        struct cbor_span record = reply_bytes(reply_field(fields, "r"));
        uint8_t what = read_event(fields);
        struct closure *closure = what == EVENT_CLOSE && record.len > 0 ? malloc(sizeof(*closure) + record.len) : NULL;

        if (closure != NULL) {
                closure->run = run;
                closure->size = record.len;
                memcpy(closure->record, record.at, record.len);
                if (store_settle(run->store, on_settled, closure))
                        return;
                free(closure);
        }
        tell_alert(run, record, what);
}

static void hear_notice(struct run *run, const struct redisReply *fields)
{
        struct cbor_span value = reply_bytes(reply_field(fields, "r"));
        struct core_event event = { .kind = CORE_FEED_NOTICE };
        char key[NAME_MAX_OCTETS + 1];
        struct notice notice;

        if (!reply_text(reply_field(fields, "k"), key, sizeof(key)) ||
            (value.len > 0 && notice_decode(value.at, value.len, &notice) < 0)) {
                bad_entry(run, "the feed");
                return;
        }
        if (value.len > 0)
                tech_heard(run, key);
        event.u.feed_notice.key = key;
        event.u.feed_notice.notice = value.len > 0 ? &notice : NULL;
        run_tell(run, &event);
}

static void hear_duty(struct run *run, const struct redisReply *fields)
{
        struct cbor_span value = reply_bytes(reply_field(fields, "r"));
        struct core_event event = { .kind = CORE_FEED_DUTY };
        char person[PERSON_ID_MAX + 1];
        struct duty_entry duty;

        if (!reply_text(reply_field(fields, "k"), person, sizeof(person)) ||
            (value.len > 0 && duty_entry_decode(value.at, value.len, &duty) < 0)) {
                bad_entry(run, "the feed");
                return;
        }
        event.u.feed_duty.person = person;
        event.u.feed_duty.duty = value.len > 0 ? &duty : NULL;
        if (run->snapshot != NULL)
                snapshot_duty(run->snapshot, person, event.u.feed_duty.duty);
        run_tell(run, &event);
}

static void on_person(void *user, enum people_kind kind, const char *field, struct cbor_span value)
{
        struct run *run = user;

        if (run->snapshot != NULL)
                snapshot_person(run->snapshot, kind, field, value);
        run_act(run); /* one who was revoked loses the sessions */
}

/* on_lost: a change was told, and not read: it is told again, from before it on, with all else. */
static void on_lost(void *user, struct stream_id before)
{
        struct run *run = user;

        if (run->closing)
                return;
        if (stream_id_compare(before, run->changes) < 0)
                run->changes = before;
        sync_again(run);
}

/* hear_change: one entry of {r}:people:changes; BEFORE: the one that was heard before it. */
static void hear_change(struct run *run, struct stream_id before, const struct redisReply *fields)
{
        char hash[32], field[NAME_MAX_OCTETS + 1];
        enum people_kind kind;

        if (!reply_text(reply_field(fields, "h"), hash, sizeof(hash)) ||
            !reply_text(reply_field(fields, "k"), field, sizeof(field)))
                return;
        if ((kind = people_kind_of(hash)) == PEOPLE_KINDS) {
                inbox_changed(run, hash, field); /* of buildings, doors, passes nothing: the pass desk's */
                return;
        }
        load_person(&(struct load_options){ .link = store_alerts(run->store),
                                            .config = run->options.config,
                                            .core = run->core,
                                            .user = run,
                                            .person = on_person,
                                            .before = before,
                                            .lost = on_lost },
                    kind, field);
}

static void on_feed_entry(void *user, size_t stream, struct stream_id id, const struct redisReply *fields)
{
        struct run *run = user;
        struct cbor_span format = reply_bytes(reply_field(fields, "f"));
        char type[16];

        if (stream == 1) {
                struct stream_id before = run->changes;

                run->changes = id;
                hear_change(run, before, fields);
                return;
        }
        reply_text(reply_field(fields, "t"), type, sizeof(type));
        if (format.at == NULL || feed_format_check((const char *)format.at, format.len) < 0)
                bad_entry(run, "the feed");
        else if (strcmp(type, "alert") == 0)
                hear_alert(run, fields);
        else if (strcmp(type, "notice") == 0)
                hear_notice(run, fields);
        else if (strcmp(type, "duty") == 0)
                hear_duty(run, fields);
}

static void on_roster_entry(void *user, size_t stream, struct stream_id id, const struct redisReply *fields)
{
        struct run *run = user;
        struct core_event event = { .kind = CORE_PRESENCE };
        char person[PERSON_ID_MAX + 1];

        if (roster_entry_read(fields, person, &event.u.presence.presence) < 0) {
                bad_entry(run, "the roster");
                return;
        }
        event.u.presence.person = person;
        if (run->snapshot != NULL)
                snapshot_presence(run->snapshot, person, &event.u.presence.presence);
        run_tell(run, &event);
}

static void on_command(void *user, const struct command *command, uint64_t ref)
{
        struct core_event event = { .kind = CORE_COMMAND };

        event.u.command.command = *command;
        event.u.command.ref = ref;
        run_tell(user, &event);
}

/* ---- The store's answers. */

static void on_answered(void *user, const struct store_answer *answer)
{
        struct core_event event = { .kind = CORE_COMMITTED };

        event.u.committed.token = answer->token;
        event.u.committed.result = answer->result;
        event.u.committed.version = answer->version;
        event.u.committed.time_ms = answer->time_ms;
        event.u.committed.record = answer->record;
        event.u.committed.tombstone = answer->tombstone;
        run_tell(user, &event);
}

static void on_found(void *user, const struct core_found *found)
{
        struct core_event event = { .kind = CORE_DUTY_FOUND };

        event.u.found = *found;
        run_tell(user, &event);
}

static void on_scanned(void *user, const struct store_scan *scan)
{
        struct core_event event = { .kind = CORE_SCAN };

        event.u.scan.late = scan->late;
        event.u.scan.count = scan->count;
        event.u.scan.late_total = scan->late_total;
        event.u.scan.total = scan->total;
        run_tell(user, &event);
}

/* on_clock: the difference to Redis's clock is kept on the monotonic one, so that a jump of ours changes nothing.  Where another process
 * is as far from it, it is Redis's clock that is wrong: who left duty for that would leave the region without anybody. */
static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
        struct run *run = user;
        bool was_wrong = llabs(run->wrong_ms) > RUN_CLOCK_WARN_MS;
        uint32_t hidden;

        run->ahead_ms = redis_ms - mono_ms;
        run->wrong_ms = clock_utc_ms() - run_now_ms(run);
        if (llabs(run->wrong_ms) > RUN_CLOCK_WARN_MS) {
                if (log_limit_pass(&run->log_clock, clock_mono_ms(), &hidden))
                        log_error(NULL, "this machine's clock is %lld ms from the store's", (long long)run->wrong_ms);
                if (!was_wrong)
                        run_notice(run, "clock", true);
        } else if (was_wrong) {
                run_notice(run, "clock", false);
        }
        run->far = llabs(run->wrong_ms) > RUN_CLOCK_LEAVE_MS ? run->far + 1 : 0;
        if (run->far >= RUN_CLOCK_READINGS && !core_others_tell(run->core, "clock"))
                run_off_duty(run, OFF_CLOCK);
        else
                run_on_duty(run, OFF_CLOCK);
}

/* ---- Links. */

static void on_alerts(void *user, bool up, const char *why)
{
        struct run *run = user;

        if (up)
                log_info("store", "alerts: connected");
        else
                log_warn("store", "alerts: away: %s", why);
        run->alerts_link = up;
        sync_alerts(run);
}

static void on_positions(void *user, bool up, const char *why)
{
        struct run *run = user;

        if (up)
                log_info("store", "positions: connected");
        else
                log_warn("store", "positions: away: %s", why);
        run->positions_link = up;
        sync_positions(run);
}

static void on_feed_state(void *user, bool up, const char *why)
{
        sync_alerts(user);
}

static void on_roster_state(void *user, bool up, const char *why)
{
        sync_positions(user);
}

static int open_link(struct run *run, const char **ret_why)
{
        const struct config *c = run->options.config;

        return link_open(&(struct link_options){ .loop = run->options.loop,
                                                 .files = { c->tls_certificate, c->tls_key, c->tls_client_ca,
                                                            c->tls_ticket_key },
                                                 .address = c->listen_address,
                                                 .port = (int)c->listen_port,
                                                 .connections_max = (size_t)c->limit_connections,
                                                 .handshakes_max = (size_t)c->limit_handshakes,
                                                 .ping_ms = LINK_PING_MS,
                                                 .silent_ms = LINK_SILENT_MS,
                                                 .frame_max = FRAME_HANDSET_MAX,
                                                 .subprotocol = FRAME_SUBPROTOCOL,
                                                 .user = run,
                                                 .opened = on_opened,
                                                 .frame = on_frame,
                                                 .closed = on_closed },
                         &run->link, ret_why);
}

int hear_open(struct run *run, const char **ret_why)
{
        const struct config *c = run->options.config;
        struct loop *loop = run->options.loop;
        int64_t epoch = 0;
        bool people = false;
        int r = open_link(run, ret_why);

        if (r < 0)
                return r;
        *ret_why = "store";
        if (c->snapshot_path[0] != '\0')
                snapshot_peek(c->snapshot_path, &epoch, &people); /* none: nothing was seen */
        if ((r = store_open(&(struct store_options){ .loop = loop,
                                                     .config = c,
                                                     .user = run,
                                                     .epoch_seen = epoch,
                                                     .people_seen = people,
                                                     .alerts = on_alerts,
                                                     .positions = on_positions,
                                                     .answered = on_answered,
                                                     .found = on_found,
                                                     .scanned = on_scanned,
                                                     .clock = on_clock,
                                                     .trouble = tech_trouble },
                            &run->store)) < 0 ||
            (r = tail_open(&(struct tail_options){ .loop = loop,
                                                   .config = c,
                                                   .redis = &c->alerts,
                                                   .name = { "feed", "people:changes" },
                                                   .user = run,
                                                   .state = on_feed_state,
                                                   .entry = on_feed_entry },
                           &run->feed)) < 0 ||
            (r = tail_open(&(struct tail_options){ .loop = loop,
                                                   .config = c,
                                                   .redis = &c->positions,
                                                   .name = { "roster", NULL },
                                                   .user = run,
                                                   .state = on_roster_state,
                                                   .entry = on_roster_entry },
                           &run->roster)) < 0)
                return r;
        return commands_open(&(struct commands_options){ .loop = loop,
                                                         .config = c,
                                                         .acknowledge = store_alerts(run->store),
                                                         .user = run,
                                                         .command = on_command },
                             &run->commands);
}
