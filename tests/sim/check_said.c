/* What carriers say of an alert of theirs (a PIN, pressed again, last words) is known to the region. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tests/sim/check.h"

#define CLOCKS_MS 200   /* a clock is put right by the store's, and phones' ways */
#define COMES_MS  15000 /* what a phone says comes, where its session is well for so long */

/* Some dispatcher that lives, or its journal, has R. */
static bool is_heard(const struct revision *r)
{
        return r->came || r->heard != 0;
}

/* PHONE has not pressed anew since R. */
static bool says_yet(const struct phone *phone, const struct revision *r)
{
        for (unsigned i = MY_REAL; i <= MY_DRILL; i++)
                if (memcmp(phone->vigie->alert[i].alert.nonce, r->id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) == 0)
                        return true;
        return false;
}

void check_given(struct sim *sim, unsigned number)
{
        const struct phone *phone = &sim->phones[number];
        enum my_subject subject = phone->alive ? my_alert_open(phone->vigie) : MY_TOUCH;
        struct alert_id id;
        struct revision *r;

        if (subject == MY_TOUCH || sim->checks->said_count == CHECK_SAID_MAX)
                return;
        id = alert_id_make(&phone->vigie->handset, phone->vigie->alert[subject].alert.nonce);
        r = &sim->checks->said[sim->checks->said_count++];
        *r = (struct revision){
                .marks = ALERT_DURESS, .phone = number, .run = phone->run, .safe = true, .at_ms = sim->now_ms
        };
        memcpy(r->id, id.octets, ALERT_ID_SIZE);
}

/* What a phone says under duress comes where its session is well for a while in the time that it says it, closed or not. */
static void look_at_coming(struct sim *sim, struct revision *r)
{
        const struct known *k;
        const struct phone *phone;
        int64_t well_ms;

        if ((r->marks & ALERT_DURESS) == 0 || is_heard(r) || r->must ||
            sim->now_ms - r->at_ms > VIGIE_PIN_LATE_MS - COMES_MS)
                return;
        k = check_known(sim, r->id, false);
        phone = &sim->phones[r->phone];
        if (k == NULL || !phone->alive || phone->run != r->run || !says_yet(phone, r))
                return;
        well_ms = sim->checks->phones[r->phone].well_ms;
        well_ms = well_ms > r->at_ms ? well_ms : r->at_ms;
        r->must = well_ms != INT64_MAX && sim->now_ms - well_ms > COMES_MS;
}

void check_said_second(struct sim *sim)
{
        for (size_t i = 0; i < sim->checks->revision_count; i++)
                look_at_coming(sim, &sim->checks->revisions[i]);
        for (size_t i = 0; i < sim->checks->said_count; i++)
                look_at_coming(sim, &sim->checks->said[i]);
}

/* The region knows ID as said under duress: by its tombstone, a record that has it, a notice of its own. */
static bool is_known_duress(struct sim *sim, const uint8_t id[ALERT_ID_SIZE])
{
        struct instance *in = &sim->store.instances[sim->store.primary];
        const struct grave *grave = store_grave(in, id);
        uint32_t marks = grave != NULL ? grave->tombstone.marks : 0;
        char key[NAME_MAX_OCTETS + 1] = "duress:";
        bool told = false;

        hex_encode(id, ALERT_ID_SIZE, key + strlen(key));
        for (size_t i = 0; i < in->alert_count; i++) {
                const struct record *record = store_record(&in->alerts[i]);

                if (check_has(record, id))
                        marks |= record->marks;
        }
        for (size_t i = 0; i < in->notice_count && !told; i++)
                told = strcmp(in->notices[i]->key, key) == 0;
        return (marks & RECORD_DURESS) != 0 || told;
}

static bool is_first(const struct checks *checks, const struct revision *r)
{
        for (const struct revision *before = checks->revisions; before < r; before++)
                if (memcmp(before->id, r->id, ALERT_ID_SIZE) == 0)
                        return false;
        return true;
}

/* The phone heard that it was closed without it, and has raised anew what was pressed since: the first revision of that to leave says it too. */
static bool is_said_anew(struct sim *sim, const struct revision *r)
{
        const struct checks *checks = sim->checks;

        for (const struct revision *later = checks->revisions; later < checks->revisions + checks->revision_count;
             later++)
                if (later->at_ms >= r->at_ms && (later->marks & ALERT_DURESS) != 0 &&
                    memcmp(later->id, r->id, HANDSET_ID_SIZE) == 0 && memcmp(later->id, r->id, ALERT_ID_SIZE) != 0 &&
                    is_first(checks, later) && is_known_duress(sim, later->id))
                        return true;
        return false;
}

/* COSE, an alert of a phone's, was HEARD by dispatchers, or came into a journal where it was not by any. */
static void heard(struct sim *sim, struct cbor_span cose, unsigned heard)
{
        struct checks *checks = sim->checks;
        struct alert_signed in;
        struct alert_id id;

        if (alert_read(cose, &in, NULL) < 0 || (in.alert.marks & (ALERT_DURESS | ALERT_MISTAKE)) == 0)
                return;
        id = alert_id_make(&in.handset, in.alert.nonce);
        for (size_t i = 0; i < checks->revision_count + checks->said_count; i++) {
                bool is_said = i >= checks->revision_count;
                struct revision *r = is_said ? &checks->said[i - checks->revision_count] : &checks->revisions[i];

                if (memcmp(r->id, id.octets, ALERT_ID_SIZE) != 0 ||
                    (is_said ? (in.alert.marks & ALERT_DURESS) == 0 : r->revision > in.alert.revision))
                        continue;
                r->heard |= heard;
                r->came |= heard == 0;
        }
}

/* Foes write alerts too.  SESSION: 0 by SMS, which no copy has. */
static void note_highest(struct sim *sim, struct cbor_span cose, uint64_t session)
{
        uint8_t key[P256_POINT_SIZE];
        struct alert_signed in;
        struct alert_id id;
        struct known *k;
        bool copied;

        if (alert_read(cose, &in, NULL) < 0)
                return;
        id = alert_id_make(&in.handset, in.alert.nonce);
        k = check_known(sim, id.octets, false);
        copied = k != NULL && session != 0 && sim->conns[session - 1].phone != k->phone;
        if (k == NULL || k->highest[copied] >= in.alert.revision)
                return;
        sign_key(sim->phones[k->phone].of, key);
        if (sign_verify_alert(NULL, key, &in))
                k->highest[copied] = in.alert.revision;
}

/* FRAME, an alert that came to PROCESS, says which receipt its phone has. */
static void note_held(struct sim *sim, unsigned process, const struct frame *frame, const struct conn *conn)
{
        const struct phone *phone = &sim->phones[sim->phones[conn->phone].of];
        unsigned run = sim->processes[process].run + 1;
        struct alert_signed in;
        struct alert_id id;
        struct known *k;

        if (alert_read(frame->u.cose.cose, &in, NULL) < 0)
                return;
        id = alert_id_make(&in.handset, in.alert.nonce);
        k = check_known(sim, id.octets, false);
        if (k == NULL || k->unsigned_ || k->is_test || phone->was_stranger ||
            memcmp(phone->id, in.handset.octets, HANDSET_ID_SIZE) != 0)
                return;
        if (k->held[process].run != run || k->held[process].version < frame->u.cose.held_version)
                k->held[process].version = frame->u.cose.held_version;
        k->held[process].run = run;
}

/* CORE waits with as many facts of the alert of COSE as it may, and one of them is an older revision, ready to be replaced. */
static bool finds_older(const struct core *core, struct cbor_span cose)
{
        const struct open_alert *alert;
        struct alert_signed in;
        struct alert_id id;
        bool older = false;

        if (alert_read(cose, &in, NULL) < 0)
                return false;
        id = alert_id_make(&in.handset, in.alert.nonce);
        alert = hold_find(core, id.octets);
        for (size_t i = 0; alert != NULL && alert->queued == CORE_QUEUE_MAX && i < alert->queued; i++)
                older |= alert->queue[i]->state == FACT_READY && alert->queue[i]->type == FACT_ALERT &&
                         memcmp(alert->queue[i]->id, id.octets, ALERT_ID_SIZE) == 0;
        return older;
}

void check_handled(struct sim *sim, unsigned process)
{
        const struct process *p = &sim->processes[process];

        if (sim->checks->replaces && core_counters(p->core)->queue_full != sim->checks->queue_full)
                sim_fail(sim, "swallowed", "%s has no room for a revision, and keeps an older one", p->name);
        sim->checks->replaces = false;
}

void check_came(struct sim *sim, unsigned process, const struct core_event *event)
{
        struct cbor_span cose = { 0 };
        struct frame frame;

        if (event->kind == CORE_SMS_OBJECT)
                cose = event->u.sms_object.bytes;
        else if (event->kind == CORE_FRAME &&
                 frame_decode(event->u.frame.bytes.at, event->u.frame.bytes.len, &frame) == 0 &&
                 frame.type == FRAME_ALERT)
                cose = frame.u.cose.cose;
        if (cose.len == 0)
                return;
        sim->checks->queue_full = core_counters(sim->processes[process].core)->queue_full;
        sim->checks->replaces = finds_older(sim->processes[process].core, cose);
        note_highest(sim, cose, event->kind == CORE_FRAME ? event->u.frame.session : 0);
        if (event->kind == CORE_FRAME)
                note_held(sim, process, &frame, &sim->conns[event->u.frame.session - 1]);
        heard(sim, cose, 1u << process);
}

/* What a journal has of a press or a command is found again: it stands under the alert and the event that its object says. */
static void check_fact(struct sim *sim, const struct fact *fact)
{
        struct cbor_span bytes = { fact->bytes, fact->size };
        struct command command;
        uint8_t hash[32];

        sign_hash(NULL, bytes, hash);
        if (fact->type == FACT_ALERT && memcmp(fact->event_id, hash, EVENT_ID_SIZE) != 0)
                sim_fail(sim, "unwritten", "a journal has the press ..%02x as another event than it is", fact->id[15]);
        if (fact->type == FACT_COMMAND && command_decode(fact->bytes, fact->size, &command) == 0 &&
            (memcmp(fact->id, command.alert, ALERT_ID_SIZE) != 0 ||
             memcmp(fact->event_id, command.id, EVENT_ID_SIZE) != 0))
                sim_fail(sim, "unwritten", "a journal has \"%s\" by %s under another alert than ..%02x",
                         command_verb_name(command.verb), command.person, command.alert[15]);
}

void check_said_durable(struct sim *sim, struct cbor_span record)
{
        struct fact_read read;

        if (fact_decode(record, &read) < 0 || read.type == FACT_GONE)
                return;
        check_fact(sim, read.fact);
        if (read.type == FACT_ALERT)
                heard(sim, (struct cbor_span){ read.fact->bytes, read.fact->size }, 0);
        free(read.fact);
}

void check_died(struct sim *sim, unsigned process)
{
        for (size_t i = 0; i < sim->checks->revision_count; i++)
                sim->checks->revisions[i].heard &= ~(1u << process);
        for (size_t i = 0; i < sim->checks->said_count; i++)
                sim->checks->said[i].heard &= ~(1u << process);
}

/* What a phone said under duress, and a dispatcher heard that lives or wrote it down, or was to hear, is known: with the alert, or by a notice where that was closed. */
static void check_duress(struct sim *sim, const struct revision *r)
{
        struct known *k = check_known(sim, r->id, false);
        int64_t closed_ms;

        if (k == NULL || !r->safe || k->stranger || k->unsigned_ || (!is_heard(r) && !r->must) ||
            sim->phones[k->phone].was_restored || !check_is_in_store(sim, k, &closed_ms))
                return;
        if (!is_known_duress(sim, r->id) && !is_said_anew(sim, r))
                sim_fail(sim, "unmarked", "alert ..%02x: what %s said under duress is not known", r->id[15],
                         sim->phones[k->phone].person);
}

/* It was said twice with one number: the phone's journal forgot the first, and what it pressed then is raised anew where that is closed. */
static bool is_repeated(const struct checks *checks, const struct revision *r)
{
        for (size_t i = 0; i < checks->revision_count; i++)
                if (&checks->revisions[i] != r && checks->revisions[i].revision == r->revision &&
                    memcmp(checks->revisions[i].id, r->id, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* Its phone's disk did not take it, and the phone started since: what the region has not heard of it is gone. */
static bool is_forgotten(const struct checks *checks, const struct revision *r)
{
        for (size_t i = 0; !r->safe && i < checks->revision_count; i++)
                if (checks->revisions[i].phone == r->phone && checks->revisions[i].run > r->run &&
                    memcmp(checks->revisions[i].id, r->id, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* The revision REVISION of the alert of R is of the later life of a phone that was set back, and forgot what it said in R's: it counts from an
 * old one, and only what it said before was written down here. */
static bool is_of_later_life(const struct sim *sim, const struct known *k, const struct revision *r, uint16_t revision)
{
        const struct checks *checks = sim->checks;

        for (size_t i = 0; i < checks->revision_count; i++)
                if (checks->revisions[i].revision >= revision &&
                    memcmp(checks->revisions[i].id, r->id, ALERT_ID_SIZE) == 0)
                        return false;
        return k != NULL && sim->phones[k->phone].was_restored;
}

/* REVISION is (also) of another phone that goes on with the press of R: what that says is no later word of R's phone. */
static bool is_of_other_phone(const struct checks *checks, const struct revision *r, uint16_t revision)
{
        for (size_t i = 0; i < checks->revision_count; i++)
                if (checks->revisions[i].phone != r->phone && checks->revisions[i].revision == revision &&
                    memcmp(checks->revisions[i].id, r->id, ALERT_ID_SIZE) == 0)
                        return true;
        return false;
}

/* The revision that RECORD has, as its phone sent it; NULL: not known, or not for sure. */
static const struct revision *revision_of(const struct sim *sim, const struct record *record)
{
        const struct checks *checks = sim->checks;
        const struct revision *found = NULL;

        for (size_t i = 0; i < checks->revision_count; i++) {
                const struct revision *r = &checks->revisions[i];

                if (r->revision != record->revision || memcmp(r->id, record->id, ALERT_ID_SIZE) != 0)
                        continue;
                if (found != NULL)
                        return NULL; /* its phone's journal forgot the first */
                found = r;
        }
        return found;
}

/* Where, what and when: as its phone says in the revision that the record has.  Of a press on another phone, or of one that nobody can vouch
 * for, this asks nothing. */
void check_content(struct sim *sim, const struct record *record)
{
        const struct revision *r = revision_of(sim, record);
        const struct known *k = check_known(sim, record->id, false);
        const struct alert *a = r != NULL ? &r->alert : NULL;

        if (a == NULL || k == NULL || k->unsigned_ || k->stranger || sim->phones[k->phone].was_restored ||
            record->alias_count > 0 || record->state == ALERT_CLOSED || (record->marks & RECORD_UNVERIFIED) != 0)
                return;
        if (a->has_fix && (record->marks & RECORD_BAD_POSITION) == 0 &&
            (!record->has_position || record->at.lat_e7 != a->lat_e7 || record->at.lon_e7 != a->lon_e7 ||
             record->at.accuracy_m != a->accuracy_m))
                sim_fail(sim, "content", "alert ..%02x is not where revision %u says", record->id[15], r->revision);
        if (record->kind != a->kind || ((record->marks & RECORD_SILENT) != 0) != (a->kind == ALERT_SILENT))
                sim_fail(sim, "content", "alert ..%02x is of another kind than was pressed", record->id[15]);
        if ((record->marks & RECORD_BAD_TIME) == 0 && record->pressed_at_s != a->pressed_at_s)
                sim_fail(sim, "content", "alert ..%02x was pressed at another time", record->id[15]);
        if (alert_category(a->marks) != ALERT_CATEGORY_NONE && record->category != alert_category(a->marks))
                sim_fail(sim, "content", "alert ..%02x is not of the category that revision %u says", record->id[15],
                         r->revision);
        if (record->battery != a->battery_percent)
                sim_fail(sim, "content", "alert ..%02x has not the battery of revision %u", record->id[15],
                         r->revision);
        if (record->heard_at_ms + 2 * sim->plan->rates[RATE_STORE_SKEW_MS] + CLOCKS_MS < r->at_ms)
                sim_fail(sim, "content", "alert ..%02x was heard before revision %u was sent", record->id[15],
                         r->revision);
        if (record->carrier_id[0] != '\0' && strcmp(record->carrier_id, sim->phones[k->phone].person) != 0)
                sim_fail(sim, "content", "alert ..%02x is taken for one of %s", record->id[15], record->carrier_id);
}

/* What a revision says that is in the record is in the record. */
static void check_mark(struct sim *sim, const struct revision *r)
{
        static const struct {
                uint16_t alert;
                uint32_t record;
        } marks[] = { { ALERT_PRESSED_AGAIN, RECORD_PRESSED_AGAIN },
                      { ALERT_LAST_WORDS, RECORD_LAST_WORDS },
                      { ALERT_STILL, RECORD_STILL } };
        struct stored *s = store_find(&sim->store.instances[sim->store.primary], r->id);
        const struct record *record = s != NULL ? store_record(s) : NULL;
        const struct known *k = check_known(sim, r->id, false);

        if (k != NULL && k->stranger)
                return; /* its sender's limit may have kept that back */
        if (record == NULL || record->revision < r->revision || record->alias_count > 0 ||
            (record->marks & RECORD_UNVERIFIED) != 0 || (r->marks & ALERT_DURESS) != 0 || is_repeated(sim->checks, r) ||
            is_forgotten(sim->checks, r) || is_of_later_life(sim, k, r, record->revision) ||
            is_of_other_phone(sim->checks, r, record->revision))
                return;
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if ((r->marks & marks[i].alert) != 0 && (record->marks & marks[i].record) == 0)
                        sim_fail(sim, "unmarked", "alert ..%02x has not the mark 0x%x of revision %u", r->id[15],
                                 marks[i].alert, r->revision);
        if ((r->marks & ALERT_MISTAKE) != 0 && r->safe && is_heard(r) &&
            (record->marks & (RECORD_MISTAKE | RECORD_DURESS)) == 0)
                sim_fail(sim, "unmarked", "alert ..%02x is not known as a mistake", r->id[15]);
}

void check_said_end(struct sim *sim)
{
        for (size_t i = 0; i < sim->checks->revision_count; i++) {
                const struct revision *r = &sim->checks->revisions[i];

                check_mark(sim, r);
                if ((r->marks & ALERT_DURESS) != 0)
                        check_duress(sim, r);
        }
        for (size_t i = 0; i < sim->checks->said_count; i++)
                if (sim->checks->said[i].must) /* what came is looked at by its revision */
                        check_duress(sim, &sim->checks->said[i]);
}
