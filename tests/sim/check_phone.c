/* A phone: what it shows is what it was told by the region, and no more; what it sends is what was pressed; it never gives up. */
#include <math.h>
#include <string.h>

#include "tests/sim/check.h"

#define PATIENCE_MS 1500 /* what is to be done at once, or again after so long, is done so much later at most */
#define HANGS_MS    1000 /* a press waits for its disk for so long, and leaves all the same */
#define FIX_LATE_MS 2000 /* a revision of before the first fix may leave for so long: the next is made a second later */
#define AWAY_DEG    0.02 /* a position is the phone's, as far as it walks in a run */

/* ---- Receipts: what a dispatcher signed ------------------------------------------------------------------------------------- */

static uint64_t receipt_hash(const struct receipt *r)
{
        uint64_t h = UINT64_C(14695981039346656037);
        uint8_t octets[RECEIPT_PAYLOAD_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, octets, sizeof(octets));
        if (receipt_write_payload(r, &w) < 0)
                return 1;
        for (size_t i = 0; i < w.len; i++)
                h = (h ^ octets[i]) * UINT64_C(1099511628211);
        return h | 1;
}

static uint64_t *receipt_slot(struct checks *checks, uint64_t hash)
{
        size_t i = hash >> 20 & (2 * CHECK_RECEIPTS_MAX - 1);

        while (checks->receipts[i] != 0 && checks->receipts[i] != hash)
                i = (i + 1) & (2 * CHECK_RECEIPTS_MAX - 1);
        return &checks->receipts[i];
}

void check_receipt_signed(struct sim *sim, const struct receipt *receipt)
{
        struct checks *checks = sim->checks;
        uint64_t *slot = receipt_slot(checks, receipt_hash(receipt));

        if (*slot != 0 || checks->receipt_count == CHECK_RECEIPTS_MAX)
                return;
        *slot = receipt_hash(receipt);
        checks->receipt_count++;
}

static bool is_signed(const struct sim *sim, const struct receipt *receipt)
{
        return sim->checks->receipt_count == CHECK_RECEIPTS_MAX ||
               *receipt_slot(sim->checks, receipt_hash(receipt)) != 0;
}

/* ---- The words -------------------------------------------------------------------------------------------------------------- */

/* What counts of two receipts for one alert: closed for ever; then the higher version; at one version what says more. */
static bool counts_more(const struct receipt *a, const struct receipt *b)
{
        int rank_a = a->state == RECEIPT_KEPT ? 0 : a->state == RECEIPT_COMING ? 2 : 1;
        int rank_b = b->state == RECEIPT_KEPT ? 0 : b->state == RECEIPT_COMING ? 2 : 1;

        if (receipt_is_closed(a->state) != receipt_is_closed(b->state))
                return receipt_is_closed(a->state);
        if (a->version != b->version)
                return a->version > b->version;
        return rank_a > rank_b;
}

static bool is_same_receipt(const struct receipt *a, const struct receipt *b)
{
        return a->version == b->version && a->state == b->state && a->revision == b->revision &&
               strcmp(a->who, b->who) == 0;
}

/* The receipt of this event says that the region has the last press of BEFORE: in a revision that the phone has made, or above those that the
 * region had before that press (of an earlier life of a phone that was set back). */
static bool revision_was_told(const struct sim *sim, unsigned number, const struct my_alert *before)
{
        const struct watched *w = &sim->checks->phones[number];

        return w->was_told && receipt_is_received(w->told.state) && w->told.revision >= before->again_from &&
               (w->told.revision <= before->alert.revision || w->told.revision > w->again_above[before - w->before]) &&
               memcmp(w->told.alert.octets + HANDSET_ID_SIZE, before->alert.nonce, ALERT_NONCE_SIZE) == 0;
}

/* What BEFORE became after an event, which may have brought a receipt. */
static void check_held(struct sim *sim, unsigned number, const struct my_alert *before, const struct my_alert *a)
{
        const char *who = sim->phones[number].person;

        if (before->state == MY_NONE || a->state == MY_NONE ||
            memcmp(before->alert.nonce, a->alert.nonce, ALERT_NONCE_SIZE) != 0)
                return;
        if (before->state == MY_CLOSED && a->state == MY_OPEN)
                sim_fail(sim, "reopened", "%s has an alert open again that it knew as closed", who);
        if (before->received && !a->received)
                sim_fail(sim, "unsaid", "%s has forgotten that its alert was received", who);
        if ((before->alert.marks & ~a->alert.marks & ~(unsigned)ALERT_CATEGORY) != 0)
                sim_fail(sim, "marks", "%s forgot a mark", who);
        if (a->state == MY_CLOSED && a->again_at_s != 0 && !(a->again_known && a->receipt.revision >= a->again_from))
                sim_fail(sim, "swallowed", "%s shows closed, and has pressed since what was closed", who);
        if (before->again_at_s != 0 && !before->again_known && (a->again_known || a->again_at_s == 0) &&
            !revision_was_told(sim, number, before))
                sim_fail(sim, "swallowed", "%s takes its press as known, and no receipt says so", who);
        if (!a->has_receipt || (before->has_receipt && is_same_receipt(&before->receipt, &a->receipt)))
                return;
        if (before->has_receipt && counts_more(&before->receipt, &a->receipt))
                sim_fail(sim, "unsaid", "%s knew \"%s\", version %u, and says \"%s\", version %u", who,
                         receipt_state_name(before->receipt.state), before->receipt.version,
                         receipt_state_name(a->receipt.state), a->receipt.version);
        if (!is_signed(sim, &a->receipt))
                sim_fail(sim, "forged", "%s believes \"%s\", version %u, that no dispatcher signed", who,
                         receipt_state_name(a->receipt.state), a->receipt.version);
}

/* The receipt that EVENT brings, if it is one that was signed. */
static bool read_told(const struct sim *sim, const struct vigie_event *event, struct receipt *ret_receipt)
{
        struct cbor_span cose = { event->u.sms.data, event->u.sms.len };
        struct receipt_signed r;
        struct frame frame;

        if (event->type != VIGIE_ON_FRAME && event->type != VIGIE_ON_SMS)
                return false;
        if (event->type == VIGIE_ON_FRAME) {
                if (frame_decode(event->u.frame.data, event->u.frame.len, &frame) < 0 || frame.type != FRAME_RECEIPT)
                        return false;
                cose = frame.u.cose.cose;
        }
        if (receipt_read(cose, &r, NULL) < 0 || r.receipt.state == RECEIPT_PROVED || !is_signed(sim, &r.receipt))
                return false;
        *ret_receipt = r.receipt;
        return true;
}

/* Closed, and in the same event pressed anew: the closed alert is seen nowhere any more, nor in the journal. */
static void note_anew(struct sim *sim, const struct receipt *r)
{
        struct known *k = check_known(sim, r->alert.octets, false);

        if (k != NULL && receipt_is_closed(r->state))
                check_told_closed(sim, k);
}

/* A good receipt that came, and counts more than what was held, is held now. */
static void check_taken(struct sim *sim, unsigned number)
{
        const struct watched *w = &sim->checks->phones[number];
        const struct receipt *r = &w->told;

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++) {
                const struct my_alert *before = &w->before[i], *a = &sim->phones[number].vigie->alert[i];

                if (before->state != MY_OPEN || a->state == MY_NONE ||
                    memcmp(before->alert.nonce, r->alert.octets + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) != 0)
                        continue;
                if (memcmp(before->alert.nonce, a->alert.nonce, ALERT_NONCE_SIZE) != 0) {
                        note_anew(sim, r);
                        continue;
                }
                if (!before->has_receipt || counts_more(r, &before->receipt))
                        if (!a->has_receipt || !is_same_receipt(&a->receipt, r))
                                sim_fail(sim, "deaf", "%s was told \"%s\", version %u, and does not say so",
                                         sim->phones[number].person, receipt_state_name(r->state), r->version);
        }
}

/* The highest revision of each open alert that has come to some dispatcher. */
static void note_highest(struct sim *sim, unsigned number)
{
        struct watched *w = &sim->checks->phones[number];

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++) {
                struct alert_id id = alert_id_make(&sim->phones[number].vigie->handset, w->before[i].alert.nonce);
                const struct known *k = w->before[i].state == MY_OPEN ? check_known(sim, id.octets, false) : NULL;

                w->highest[i] = k != NULL ? k->highest[number != k->phone] : 0;
        }
}

void check_before(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        struct watched *w = &sim->checks->phones[number];

        memcpy(w->before, sim->phones[number].vigie->alert, sizeof(w->before));
        note_highest(sim, number);
        if (event->type == VIGIE_ON_START && sim->phones[number].was_restored)
                memset(w->again_above, -1, sizeof(w->again_above)); /* a press that it has forgotten, perhaps */
        w->was_told = read_told(sim, event, &w->told);
        w->touch = sim->phones[number].vigie->touch;
        check_answer_comes(sim, number, event);
        check_back_before(sim, number, event);
        if (event->type == VIGIE_ON_START)
                check_twin_end(sim, number);
        if (event->type == VIGIE_ON_START)
                w->is_lost = sim->phones[number].vigie->fix.has; /* as its journal has it, perhaps a backup's */
        if (event->type == VIGIE_ON_FIX &&
            (!sim->phones[number].vigie->fix.has || sim->phones[number].vigie->fix.mono_ms == INT64_MIN)) {
                w->fix_ms = sim->now_ms;
                w->is_lost = fabs(event->u.fix.lat_deg - sim->phones[number].lat_deg) > AWAY_DEG;
                if (w->is_lost)
                        w->lost_lat_deg = event->u.fix.lat_deg;
        } else if (w->is_lost)
                w->is_lost = fabs(sim->phones[number].vigie->fix.lat_deg - sim->phones[number].lat_deg) > AWAY_DEG;
}

static void note_shown(struct sim *sim, struct phone *phone, const struct vigie_alert_status *a, bool same)
{
        if (!same || phone->shown_word != a->word)
                chart_note(sim, CHART_PHONE + (unsigned)(phone - sim->phones), "\"%s\"", vigie_word_name(a->word));
        if (a->word == VIGIE_KEPT && phone->shown_word != VIGIE_KEPT)
                sim_mark(sim, MARK_KEPT_SHOWN);
        if (a->word == VIGIE_CLOSED && !phone->shown_closed)
                sim_mark(sim, MARK_CLOSED_SHOWN);
        memcpy(phone->shown, a->id, ALERT_ID_SIZE);
        phone->shown_word = a->word;
        phone->shown_closed = a->word == VIGIE_CLOSED;
}

static void note_received(struct sim *sim, struct known *k, const struct my_alert *a)
{
        if (!k->told_received) {
                sim_mark(sim, MARK_RECEIVED);
                if (a->received_path == VIGIE_PATH_SMS)
                        sim_mark(sim, MARK_SMS_RECEIVED);
                if (a->received_path == VIGIE_PATH_SMS && a->sent_data_at_ms != 0)
                        sim_mark(sim, MARK_SMS_BEAT_SOCKET);
        }
        k->told_received = true;
        if (a->state == MY_CLOSED)
                check_told_closed(sim, k);
}

/* What was told as received is in some store; what is said as sent was sent. */
static void check_said(struct sim *sim, unsigned number, const struct my_alert *a)
{
        struct phone *phone = &sim->phones[number];
        struct alert_id id = alert_id_make(&phone->vigie->handset, a->alert.nonce);
        struct known *k = check_known(sim, id.octets, false);

        if (a->state == MY_NONE)
                return;
        if (a->sent_at_ms != 0 && (k == NULL || k->first_ms == 0))
                sim_fail(sim, "early", "%s says that it sent what never left", phone->person);
        if (!a->received)
                return;
        if (k == NULL || (!k->committed && !k->unsigned_))
                sim_fail(sim, "early", "%s says received, and no store ever had it", phone->person);
        else
                note_received(sim, k, a);
}

/* An alert that began by something else than one short press: held down, nobody moves, not checked in, pressed again too late. */
static void note_raised(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];

        for (unsigned i = MY_REAL; i <= MY_DRILL && sim->press_count < SIM_PRESSES_MAX; i++) {
                const struct my_alert *before = &sim->checks->phones[number].before[i], *a = &phone->vigie->alert[i];
                struct alert_id id = alert_id_make(&phone->vigie->handset, a->alert.nonce);
                const struct known *k = check_known(sim, id.octets, false);

                if (a->state != MY_OPEN ||
                    (k != NULL && k->first_ms != 0) || /* a touch that the journal alone has forgotten */
                    (before->state != MY_NONE && memcmp(before->alert.nonce, a->alert.nonce, ALERT_NONCE_SIZE) == 0))
                        continue;
                sim->presses[sim->press_count] = (struct press){ .phone = number,
                                                                 .at_ms = sim->now_ms,
                                                                 .has_id = true,
                                                                 .drill = i == MY_DRILL,
                                                                 .entries = phone->disk.entries,
                                                                 .excused = phone->disk_full || phone->journal_bad };
                memcpy(sim->presses[sim->press_count++].id, id.octets, ALERT_ID_SIZE);
        }
}

static void note_again(struct watched *w, unsigned subject, const struct my_alert *a)
{
        const struct my_alert *before = &w->before[subject];

        if (memcmp(a->alert.nonce, before->alert.nonce, ALERT_NONCE_SIZE) != 0)
                w->again_above[subject] = -1;
        else if (a->presses != before->presses)
                w->again_above[subject] = w->highest[subject];
}

void check_phone(struct sim *sim, unsigned number, const struct vigie_event *event)
{
        struct phone *phone = &sim->phones[number];
        const struct vigie_alert_status *a = &phone->status.alert;
        bool same = memcmp(a->id, phone->shown, ALERT_ID_SIZE) == 0;

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++) {
                note_again(&sim->checks->phones[number], i, &phone->vigie->alert[i]);
                check_held(sim, number, &sim->checks->phones[number].before[i], &phone->vigie->alert[i]);
                check_said(sim, number, &phone->vigie->alert[i]);
        }
        check_twin_event(sim, number, event);
        check_press(sim, number, event);
        check_back_event(sim, number, event);
        check_answer_shown(sim, number);
        if (sim->checks->phones[number].was_told)
                check_taken(sim, number);
        if (event->type != VIGIE_ON_PRESS || event->u.press.how != VIGIE_PRESS_AT_ONCE)
                note_raised(sim, number);
        if (a->word == VIGIE_NOTHING)
                return;
        if (same && phone->shown_closed && a->word != VIGIE_CLOSED)
                sim_fail(sim, "reopened", "%s showed a closed alert as %s", phone->person, vigie_word_name(a->word));
        if (same && phone->shown_word >= VIGIE_RECEIVED && a->word < VIGIE_RECEIVED)
                sim_fail(sim, "unsaid", "%s showed %s, then %s", phone->person, vigie_word_name(phone->shown_word),
                         vigie_word_name(a->word));
        note_shown(sim, phone, a, same);
}

/* ---- What it sends ------------------------------------------------------------------------------------------------------------ */

static uint64_t content_hash(const struct alert *a)
{
        uint64_t h = (uint64_t)a->pressed_at_s << 32 ^ (uint64_t)a->kind << 24 ^ a->marks;

        h = h * UINT64_C(1099511628211) ^ (uint64_t)(uint32_t)a->lat_e7 << 32 ^ (uint32_t)a->lon_e7;
        return h * UINT64_C(1099511628211) ^ (uint64_t)a->accuracy_m << 32 ^ (uint64_t)a->fix_age_s << 8 ^
               a->battery_percent;
}

/* The disk is slow: what waits for it left all the same. */
static bool hangs(const struct vigie *vigie)
{
        return vigie->asked_mono_ms != NEVER && vigie->now_mono_ms - vigie->asked_mono_ms >= HANGS_MS;
}

/* What it sends is in its journal: also where the disk is slow, as it waits for that, and not where it waited for too long. */
static bool is_journal_good(const struct phone *phone)
{
        return !phone->disk_full && !phone->journal_bad && !phone->fsync_fails && !hangs(phone->vigie);
}

/* A revision says one thing for ever, and a later one says all that an earlier one did. */
static void check_revision(struct sim *sim, unsigned number, const struct alert_id *id, const struct alert *alert)
{
        struct checks *checks = sim->checks;
        bool known = false;

        if (sim->phones[number].was_restored)
                return;
        for (size_t i = checks->revision_count; i-- > 0 && !known;) {
                const struct revision *r = &checks->revisions[i];

                if (memcmp(r->id, id->octets, ALERT_ID_SIZE) != 0 || r->phone != number)
                        continue; /* of two phones that go on with one press each says it as it has it */
                if (!r->safe && r->run != sim->phones[number].run)
                        continue; /* it left although the journal would not take it, and then the phone died */
                known = r->revision == alert->revision;
                if (known && r->hash != content_hash(alert))
                        sim_fail(sim, "revision", "%s sends two revisions %u", sim->phones[number].person,
                                 alert->revision);
                if (r->revision < alert->revision && (r->marks & ~alert->marks & ~(unsigned)ALERT_CATEGORY) != 0)
                        sim_fail(sim, "marks", "%s forgot a mark in revision %u", sim->phones[number].person,
                                 alert->revision);
                if (r->revision < alert->revision)
                        break; /* those before were looked at with this one */
        }
        if (known || checks->revision_count == CHECK_REVISIONS_MAX)
                return;
        memcpy(checks->revisions[checks->revision_count].id, id->octets, ALERT_ID_SIZE);
        checks->revisions[checks->revision_count].revision = alert->revision;
        checks->revisions[checks->revision_count].marks = alert->marks;
        checks->revisions[checks->revision_count].phone = number;
        checks->revisions[checks->revision_count].run = sim->phones[number].run;
        checks->revisions[checks->revision_count].at_ms = sim->now_ms;
        checks->revisions[checks->revision_count].alert = *alert;
        checks->revisions[checks->revision_count].safe = is_journal_good(&sim->phones[number]);
        checks->revisions[checks->revision_count++].hash = content_hash(alert);
}

/* It has a link just now: what was ready leaves by it at once, and where it is follows. */
static bool has_new_link(const struct vigie *vigie)
{
        bool fresh = false;

        for (unsigned i = MY_ORDINARY; i <= MY_ALERT_PORT; i++)
                fresh |= vigie->link[i].state == MY_UP &&
                         vigie->now_mono_ms - vigie->link[i].since_mono_ms < FIX_LATE_MS;
        return fresh;
}

/* ALERT is closed: a PIN is said on, by the copy that there is. */
static bool is_over(const struct vigie *vigie, const struct alert *alert)
{
        bool open = false;

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++)
                open |= vigie->alert[i].state == MY_OPEN &&
                        memcmp(vigie->alert[i].alert.nonce, alert->nonce, ALERT_NONCE_SIZE) == 0;
        return !open;
}

static void check_position(struct sim *sim, unsigned number, const struct alert *alert)
{
        const struct phone *phone = &sim->phones[number];
        const struct watched *w = &sim->checks->phones[number];

        if (phone->of != number)
                return; /* a copy is where the other was, at first */
        if (alert->kind != ALERT_TEST && !alert->has_fix && phone->status.has_fix &&
            sim->now_ms - w->fix_ms > FIX_LATE_MS && !has_new_link(phone->vigie) && !is_over(phone->vigie, alert))
                sim_fail(sim, "position", "%s knows where it is and does not say so", phone->person);
        /* A revision signed while the phone took a first wild fix for its place may leave later, when it knows better. */
        if (alert->has_fix && !w->is_lost &&
            (w->lost_lat_deg == 0 || fabs(alert->lat_e7 / 1e7 - w->lost_lat_deg) > AWAY_DEG) &&
            phone->run == 0 && /* later: see fix.c on first fixes */
            (fabs(alert->lat_e7 / 1e7 - phone->lat_deg) > AWAY_DEG ||
             fabs(alert->lon_e7 / 1e7 - phone->lon_deg) > AWAY_DEG))
                sim_fail(sim, "position", "%s sends a position where it never was", phone->person);
}

static void check_sent(struct sim *sim, unsigned number, struct cbor_span cose, bool by_sms)
{
        struct alert_signed a;
        struct alert_id id;
        struct known *k;
        uint8_t key[P256_POINT_SIZE];

        if (alert_read(cose, &a, NULL) < 0) {
                sim_fail(sim, "malformed", "phone %u sent an alert that cannot be read", number);
                return;
        }
        id = alert_id_make(&a.handset, a.alert.nonce);
        k = check_known(sim, id.octets, true);
        if (k == NULL)
                return;
        if (k->first_ms == 0) {
                k->first_ms = sim->now_ms;
                k->pressed_by_bad = sim->phones[sim->phones[number].of].standing != STANDING_GOOD &&
                                    standing_is_known(sim, sim->phones[number].of);
                k->unwritten = sim->phones[number].journal_bad || sim->phones[number].disk_full ||
                               hangs(sim->phones[number].vigie);
                sim->alerts += a.alert.kind != ALERT_TEST;
                if (sim->phones[number].was_restored && a.alert.kind != ALERT_TEST)
                        sim_mark(sim, MARK_RESTORED_PHONE_PRESSED);
        }
        sign_key(sim->phones[number].of, key);
        if (!sign_verify_alert(NULL, key, &a)) {
                k->unsigned_ = true;
                sim_mark(sim, MARK_UNSIGNED);
        }
        if (sim->phones[number].of != number)
                sim_mark(sim, MARK_COPIED);
        k->stranger |= sim->phones[sim->phones[number].of].was_stranger;
        k->unsigned_ |= sim->phones[sim->phones[number].of].was_unknown; /* perhaps under an id of its own */
        if (a.alert.kind == ALERT_MAN_DOWN || a.alert.kind == ALERT_MISSED_CHECK_IN)
                sim_mark(sim, a.alert.kind == ALERT_MAN_DOWN ? MARK_MAN_DOWN : MARK_NOT_CHECKED_IN);
        k->is_drill = a.alert.kind == ALERT_DRILL;
        k->is_test = a.alert.kind == ALERT_TEST;
        k->by_sms |= by_sms;
        k->by_data |= !by_sms;
        if (by_sms)
                check_text(sim, number, &a.alert);
        check_revision(sim, number, &id, &a.alert);
        check_position(sim, number, &a.alert);
}

/* Off duty no position leaves but in an alert. */
static void check_heartbeat(struct sim *sim, unsigned number, const struct frame *frame)
{
        const struct vigie *vigie = sim->phones[number].vigie;

        if (!vigie->duty.on && frame->u.heartbeat.sealed.len > 0)
                sim_fail(sim, "position", "%s is off duty and says where it is", sim->phones[number].person);
}

void check_action(struct sim *sim, unsigned number, const struct vigie_action *a)
{
        struct watched *w = &sim->checks->phones[number];
        struct frame frame;

        if (a->type == VIGIE_DO_CONNECT)
                w->tried_ms[a->address] = sim->now_ms;
        if (a->type == VIGIE_DO_SEND_SMS) {
                w->text_ms = sim->now_ms;
                check_sent(sim, number, (struct cbor_span){ a->data, a->len }, true);
        }
        if (a->type != VIGIE_DO_SEND || frame_decode(a->data, a->len, &frame) < 0)
                return;
        if (frame.type == FRAME_ALERT) {
                w->copy_ms = sim->now_ms;
                check_sent(sim, number, frame.u.cose.cose, false);
        } else if (frame.type == FRAME_HEARTBEAT) {
                check_heartbeat(sim, number, &frame);
        } else if (frame.type == FRAME_COMMAND) {
                check_command_sent(sim, number, &frame);
        }
}

/* ---- Its journal -------------------------------------------------------------------------------------------------------------- */

const struct my_alert *check_own(const struct sim *sim, unsigned number, const uint8_t id[ALERT_ID_SIZE])
{
        const struct vigie *vigie = sim->phones[number].vigie;

        for (unsigned i = MY_REAL; i <= MY_DRILL; i++)
                if (vigie->alert[i].state != MY_NONE &&
                    memcmp(vigie->alert[i].alert.nonce, id + HANDSET_ID_SIZE, ALERT_NONCE_SIZE) == 0)
                        return &vigie->alert[i];
        return NULL;
}

/* What was pressed and durable is there after a start, unless it was closed. */
void check_started(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];

        for (size_t i = 0; i < sim->press_count && phone->alive; i++) {
                const struct press *p = &sim->presses[i];
                struct known *k = check_known(sim, p->id, false);

                if (p->phone != number || p->excused || !p->durable || !p->has_id || (k != NULL && k->told_closed) ||
                    check_closed_anywhere(sim, p->id) || check_own(sim, number, p->id) != NULL)
                        continue;
                sim_fail(sim, "journal", "%s has forgotten the press at %.3f s", phone->person,
                         (double)(p->at_ms - SIM_START_MS) / 1000);
        }
}

/* ---- It never gives up ---------------------------------------------------------------------------------------------------------- */

static bool is_late(int64_t since_ms, int64_t after_ms, int64_t now_ms)
{
        return now_ms - since_ms > after_ms + PATIENCE_MS;
}

/* Each leg that there is carries an alert until it is received. */
static void check_legs(struct sim *sim, unsigned number, const struct my_alert *a)
{
        const struct phone *phone = &sim->phones[number];
        const struct watched *w = &sim->checks->phones[number];
        const struct vigie *vigie = phone->vigie;
        int64_t pressed_ms = phone->booted_ms + a->raised_mono_ms, since_ms = w->up_ms;
        const struct my_link *l = &vigie->link[MY_ORDINARY];

        since_ms = pressed_ms > since_ms ? pressed_ms : since_ms;
        if (l->state == MY_UP && is_late(w->copy_ms > since_ms ? w->copy_ms : since_ms, MY_RETRY_MAX_MS, sim->now_ms) &&
            is_late(phone->booted_ms + l->since_mono_ms, MY_RETRY_MAX_MS, sim->now_ms))
                sim_fail(sim, "gives_up", "%s has a link and an alert that is not received, and sends nothing",
                         phone->person);
        if (l->state == MY_IDLE && is_late(since_ms, VIGIE_RECONNECT_ALERT_MS, sim->now_ms) &&
            is_late(phone->booted_ms + l->since_mono_ms, VIGIE_RECONNECT_ALERT_MS, sim->now_ms))
                sim_fail(sim, "gives_up", "%s has an alert that is not received, and does not connect", phone->person);
        if (vigie->link[MY_ALERT_PORT].state == MY_IDLE && is_late(since_ms, VIGIE_ALERT_PORT_MS, sim->now_ms) &&
            is_late(w->tried_ms[SIM_ADDRESSES - 1], VIGIE_RECONNECT_ALERT_MS + 10000, sim->now_ms))
                sim_fail(sim, "gives_up", "%s does not try the alert port", phone->person);
        if (vigie->sms.modem != VIGIE_MODEM_READY || vigie->sms.ticket != 0)
                return;
        if (is_late(since_ms, VIGIE_SMS_AFTER_MS + VIGIE_SIGN_WAIT_MS + 1000, sim->now_ms) && w->text_ms < pressed_ms)
                sim_fail(sim, "gives_up", "%s has an alert that is not received, and sends no SMS", phone->person);
        if (is_late(w->text_ms > since_ms ? w->text_ms : since_ms, 6 * MY_SMS_RETRY_MS + 10000, sim->now_ms))
                sim_fail(sim, "gives_up", "%s sends no SMS any more", phone->person);
}

void check_phone_second(struct sim *sim, unsigned number)
{
        struct phone *phone = &sim->phones[number];
        struct watched *w = &sim->checks->phones[number];

        for (unsigned a = 0; a < SIM_ADDRESSES; a++)
                if (phone->conns[a] >= 0 && sim->conns[phone->conns[a]].process_open)
                        w->met_ms = sim->now_ms;
        if (!phone->alive || phone->asleep_until_ms > sim->now_ms) {
                w->up_ms = INT64_MAX;
                check_back_second(sim, number);
                return;
        }
        if (w->up_ms == INT64_MAX)
                w->up_ms = sim->now_ms;
        check_place_second(sim, number);
        check_back_second(sim, number);
        for (unsigned i = MY_REAL; i <= MY_DRILL; i++) {
                const struct my_alert *a = &phone->vigie->alert[i];

                if (a->state == MY_OPEN && !a->received)
                        check_legs(sim, number, a);
        }
}
