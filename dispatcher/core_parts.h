/* What the core's files do for each other.  For them alone; core_state.h has what they share, core.h is the contract. */
#ifndef DISPATCHER_CORE_PARTS_H
#define DISPATCHER_CORE_PARTS_H

#include "dispatcher/core_state.h"

/* ---- core.c */

/* core_do: a new action of KIND at the end of the queue; there is room by the steps' bounds (assert). */
struct core_action *core_do(struct core *core, enum core_action_kind kind);

/* core_octets: room for SIZE octets that live as long as the actions (assert).  core_keep_octets: a copy there. */
uint8_t *core_octets(struct core *core, size_t size);
struct cbor_span core_keep_octets(struct core *core, const void *data, size_t size);

/* core_send: encode FRAME and send it to SESSION. */
void core_send(struct core *core, const struct session *session, const struct frame *frame);

/* core_append: give RECORD to the journal.  Returns its number; 0: the disk is full, and it goes without. */
uint64_t core_append(struct core *core, struct cbor_span record);

/* ---- hold.c */

/* hold_find, hold_need: the open alert with that id; made if there is none (NULL at the bound). */
struct open_alert *hold_find(const struct core *core, const uint8_t id[ALERT_ID_SIZE]);
struct open_alert *hold_need(struct core *core, const uint8_t id[ALERT_ID_SIZE]);

/* hold_claim: ALERT is of the handset HANDSET; MARKS (RECORD_DRILL, RECORD_UNVERIFIED) say in which way. */
void hold_claim(struct core *core, struct open_alert *alert, const uint8_t handset[HANDSET_ID_SIZE], uint32_t marks);

/* hold_unplace: the next press of ALERT's handset is another alert, or a part of another open one of it.  hold_unclaim: ALERT is no handset's any more. */
void hold_unplace(struct core *core, struct open_alert *alert);
void hold_unclaim(struct core *core, struct open_alert *alert);

/* hold_record: read ALERT's record; all zero where there is none.  hold_meant: the same, or as it will be, where the store is away.
 * hold_is_there: there is one of the two. */
void hold_record(const struct open_alert *alert, struct record *ret_record);
void hold_meant(const struct open_alert *alert, struct record *ret_record);
bool hold_is_there(const struct open_alert *alert);

/* hold_set: RECORD, encoded as BYTES, is what the store has of ALERT, newer or (after a failover) older than what we had. */
void hold_set(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes);

/* hold_load: the same at loading.  Actions have no place there: who is concerned is told by hold_step. */
void hold_load(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes);

/* hold_step: tell some of what was loaded; false: all told. */
bool hold_step(struct core *core);

/* hold_look_at: at AT_MS at the latest, see whether ALERT waits for the store too long. */
void hold_look_at(struct core *core, struct open_alert *alert, int64_t at_ms);

/* hold_adopt: the same where it is newer, or closed: everyone concerned is told; of EVENT_SMS alone, those who wait.  EVENT 0: not
 * known.  ALERT may be gone afterwards. */
void hold_adopt(struct core *core, struct open_alert *alert, const struct record *record, struct cbor_span bytes,
                enum alert_event event);

/* hold_gone: ALERT is closed, as TOMBSTONE says; RECORD as closed, or NULL if that was not seen.  ALERT is gone afterwards. */
void hold_gone(struct core *core, struct open_alert *alert, const struct tombstone *tombstone,
               const struct record *record);

/* hold_drop: forget ALERT and its facts. */
void hold_drop(struct core *core, struct open_alert *alert);

/* hold_wait: a session is owed a receipt of ALERT with the next change.  hold_wait_move: those that wait for the press AS wait for
 * ALERT's now (NULL: no more), not for FROM's. */
void hold_wait(struct open_alert *alert, const struct waiting *waiting);
void hold_wait_move(struct open_alert *from, struct open_alert *alert, const uint8_t as[ALERT_ID_SIZE]);

/* hold_ids: what goes with RECORD when it is closed: its id, then those of its aliases that are not open alerts of their own (two
 * dispatchers may have raised two phones' presses apart).  Room for 1 + RECORD_ALIASES_MAX.  Returns how many. */
size_t hold_ids(const struct core *core, const struct record *record, uint8_t (*ret_ids)[ALERT_ID_SIZE]);

/* hold_remember: the alert of RECORD is closed, under each of its ids (not SEEN: RECORD is what we knew of it before: of further presses that
 * is a guess); hold_remember_id: one id.  hold_closed: what is remembered, or NULL.  hold_raised: RECORD is in the store: where we guess that it
 * was closed with another one, and it was raised since, it is open. */
void hold_remember(struct core *core, const struct record *record, const struct tombstone *tombstone, bool seen);
void hold_raised(struct core *core, const struct record *record);
void hold_remember_id(struct core *core, const uint8_t id[ALERT_ID_SIZE], const struct tombstone *tombstone);
struct closed_alert *hold_closed(const struct core *core, const uint8_t id[ALERT_ID_SIZE]);

/* hold_close: RECORD is closed, as TOMBSTONE says: what we know of an alert that was closed where we did not see it. */
void hold_close(struct record *record, const struct tombstone *tombstone);

/* hold_tombstone: what stays of RECORD, which is closed. */
struct tombstone hold_tombstone(const struct record *record);

/* ---- reclose.c */

/* reclose_keep: CLOSED, which is remembered already, was closed (SEEN: just so); its record is kept for a while.  reclose_forget: CLOSED's record is not
 * needed any more.  reclose_is_needed: say whether RECORD, open, is of what was closed, and no entry of before.  reclose_all: the store is
 * up: those kept are looked up.  reclose_look: ID, closed as far as we know, is.  reclose_found: what the store has of ALERT, which was
 * looked up: BYTES, open, or (empty) nothing.  reclose_fill: RECORD, which is closed again, is closed with the presses that were in what was
 * closed: a later one that was taken for a part of it is none. */
void reclose_keep(struct core *core, const struct record *closed, bool seen);
void reclose_forget(struct core *core, struct closed_alert *closed);
/* reclose_is_kept: say whether a failover may lose CLOSED, and its closure, yet. */
bool reclose_is_kept(const struct core *core, const struct closed_alert *closed);
bool reclose_is_needed(const struct core *core, const struct record *record);
void reclose_all(struct core *core);
void reclose_look(struct core *core, const uint8_t id[ALERT_ID_SIZE]);
void reclose_found(struct core *core, struct open_alert *alert, struct cbor_span bytes);
void reclose_fill(const struct closed_alert *closed, struct record *record);

/* ---- replay.c */

/* replay_look: the store is up: what the journal says was closed is looked up.  replay_settle: it was, as TOMBSTONE says: its facts are worth
 * nothing, but duress that came too late, whose notice may be lost with who told it: TOMBSTONE gets the mark. */
void replay_look(struct core *core);
void replay_settle(struct core *core, struct open_alert *alert, struct tombstone *tombstone);

/* ---- flow.c */

/* flow_take_fact: FACT happens to ALERT: to the journal, then to the store.  Takes FACT in any case.
 * Returns 0, or -ENOBUFS: the queue is full of others that wait, and FACT is dropped. */
int flow_take_fact(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_queue: put FACT into ALERT's queue.  Returns 0 or, FACT untouched, -ENOBUFS. */
int flow_queue(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_has_room: say whether flow_queue would take a press with ID. */
bool flow_has_room(const struct open_alert *alert, const uint8_t id[ALERT_ID_SIZE]);

/* flow_apply: let FACT happen to RECORD, ALERT's or all zero; *ret_change is what happened, and (a command) who did it.
 * Returns what alert_apply does. */
struct flow_change {
        enum alert_event event;
        struct alert_actor actor;
};
int flow_apply(struct core *core, const struct open_alert *alert, const struct fact *fact, struct record *record,
               struct flow_change *ret_change);

/* flow_release: what FACT came by may be forgotten there: it is durable, or done with. */
void flow_release(struct core *core, struct fact *fact);

/* flow_find: the fact with that event id that ALERT has and that waits; NULL. */
struct fact *flow_find(const struct open_alert *alert, const uint8_t event_id[EVENT_ID_SIZE]);

/* flow_remove: take FACT, which stays the caller's, out of ALERT's queue. */
void flow_remove(struct core *core, struct open_alert *alert, struct fact *fact);

/* flow_disk_full: what waits for the journal may not find room there.  flow_disk_good: what went without is written down now.
 * flow_is_bare: say whether the presses that this process has of ALERT are in no journal. */
void flow_disk_full(struct core *core);
void flow_disk_good(struct core *core);
bool flow_is_bare(const struct open_alert *alert);

/* flow_write_down: FACT to the journal; or, the disk full, straight on.  flow_has_bare: say whether something of ALERT went without
 * it and is not in flight.  flow_write_down_later: that is written down now, and then told. */
void flow_write_down(struct core *core, struct fact *fact);
bool flow_has_bare(const struct open_alert *alert);
void flow_write_down_later(struct core *core, struct open_alert *alert);

/* flow_again: what this process committed of ALERT is to be offered once more. */
void flow_again(struct core *core, struct open_alert *alert);

/* flow_settle: FACT changes nothing, or is refused (R an answer code, negative): who waits for it is told.  Refused, FACT is gone. */
void flow_settle(struct core *core, struct open_alert *alert, struct fact *fact, int r);

/* flow_done: FACT is committed, or needs no commit.  flow_waits: say whether it waits for journal or store. */
void flow_done(struct core *core, struct fact *fact);
bool flow_waits(const struct fact *fact);

/* flow_ready: ALERT has something for the store.  flow_step: one of those that have; false: none can go on now. */
void flow_ready(struct core *core, struct open_alert *alert);
bool flow_step(struct core *core);

/* flow_synced: facts become ready, some at a time; false: none left. */
bool flow_synced(struct core *core);

/* ---- land.c */

/* land: the store's answer to what is in flight.  land_feed: an entry of the feed.  land_store: the store is up or away. */
void land(struct core *core, const struct core_event *event);
void land_feed(struct core *core, struct cbor_span record, enum alert_event event);
void land_store(struct core *core, bool up);

/* ---- tell.c */

/* tell_receipt: the receipt of RECORD to SESSION, which knows the alert as AS. */
void tell_receipt(struct core *core, const struct record *record, const struct waiting *to);

/* tell_what: what a receipt for the press AS says of RECORD. */
struct receipt tell_what(const struct core *core, const struct record *record, const uint8_t as[ALERT_ID_SIZE]);

/* tell_proved: a test press, revision REVISION, is in journal and store. */
void tell_proved(struct core *core, uint16_t revision, const struct waiting *to);

/* tell_closed: the receipt of a closed alert. */
void tell_closed(struct core *core, const struct tombstone *tombstone, const struct waiting *to);

/* tell_press_closed: the press AS, of which no record is known, is closed: those who wait for it at ALERT are told, and its handset's
 * sessions (there are fewer places to wait than a phone may have sessions). */
void tell_press_closed(struct core *core, const struct open_alert *alert, const uint8_t as[ALERT_ID_SIZE],
                       const struct tombstone *tombstone);

/* tell_alert: RECORD is news of ALERT: receipts to its handset's sessions and those that wait, rings to who is asked. */
void tell_alert(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_handset: receipts of RECORD to its handset's sessions and those that wait. */
void tell_handset(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_waiting: those who wait for a receipt of ALERT get that of RECORD. */
void tell_waiting(struct core *core, struct open_alert *alert, const struct record *record);

/* tell_kept: ALERT waits for the store: receipts say so. */
void tell_kept(struct core *core, struct open_alert *alert);

/* tell_who_is_asked: RECORD rings with those who are asked, and who has it. */
void tell_who_is_asked(struct core *core, const struct record *record);

/* tell_rings: some of the alerts that ask SESSION's person; false: that were all. */
bool tell_rings(struct core *core, struct session *session);

/* person_mark: 32 bits to find a person by in `asked`; what matches is looked at again. */
uint32_t person_mark(const char *id);

/* ---- meanwhile.c */

/* meanwhile_late: ALERT waits for the store for too long, or the ladder of its record of meanwhile is due: a step looks at it.
 * meanwhile_step: that step; false: none. */
void meanwhile_late(struct core *core, struct open_alert *alert);
bool meanwhile_step(struct core *core);

/* meanwhile_away: the store went away: the alerts that this process holds a press of are looked at when that is too long. */
void meanwhile_away(struct core *core);

/* meanwhile_merge: put into RECORD, the store's, who was asked meanwhile, and how far the ladder is.  Returns whether it changed.
*/
bool meanwhile_merge(const struct open_alert *alert, struct record *record);

/* meanwhile_keep: a failover may have lost ALERT's record, which people were told: whom it asks goes into the next one. */
void meanwhile_keep(struct core *core, struct open_alert *alert);

/* meanwhile_follow: RECORD, of whatever version, comes after ours of ALERT.  Who is asked is only ever added to: where
 * somebody is missing in it whom ours has, a failover lost ours, and another dispatcher went on without it; whom ours
 * asks goes into the next one. */
void meanwhile_follow(struct core *core, struct open_alert *alert, const struct record *record);

/* meanwhile_over: ALERT's press went to another alert, or was closed long ago, before the store had it: who was rung for it is told that it is over. */
void meanwhile_over(struct core *core, struct open_alert *alert);

/* meanwhile_hear: TOLD, a record as it is told, names those who were rung meanwhile too. */
void meanwhile_hear(const struct open_alert *alert, struct record *told);

/* meanwhile_rebase: the store has RECORD by now, while ALERT still waits (for a slow disk): what was done meanwhile is done on top of it. */
void meanwhile_rebase(struct core *core, struct open_alert *alert, const struct record *record);

/* meanwhile_end: that is in the store. */
void meanwhile_end(struct core *core, struct open_alert *alert);

/* ---- sms_in.c */

void sms_object_came(struct core *core, const struct core_event *event);
void sms_text_came(struct core *core, const struct core_event *event);
void sms_reported(struct core *core, const struct core_event *event);

/* sms_collect: the reports on ALERT by their places in RECORD.  sms_landed: those collected are in the store, or (false) are not. */
struct alert_sms sms_collect(struct open_alert *alert, const struct record *record);
void sms_landed(struct open_alert *alert, bool landed);

/* sms_taken: what came by SMS with REF is durable, or needs nothing more. */
void sms_taken(struct core *core, uint64_t ref);

/* ---- sms_out.c */

/* sms_say: a text of KIND for the number TO about SMS ABOUT; the caller fills the rest in.  Never NULL. */
struct sms_say *sms_say_to(struct core *core, const char *to, uint8_t kind, const struct sms_ref *about);

/* sms_answer: the answer CODE to what was asked by SMS; RECORD may be NULL. */
struct sms_asker {
        const char *number, *person;
        uint8_t verb; /* enum command_verb */
};
void sms_answer(struct core *core, const struct sms_asker *asker, uint8_t code, const struct record *record);

/* sms_receipt: RECEIPT to the number TO; what becomes of it is said of ABOUT. */
void sms_receipt(struct core *core, const char *to, const struct receipt *receipt, const struct sms_ref *about);

/* sms_owed: what RECORD, committed just now, owes since then; and what an owner by SMS is to hear of it. */
void sms_owed(struct core *core, const struct open_alert *alert, const struct record *record);

/* sms_closed_unseen: CLOSED was closed elsewhere while the store was away here: whom MEANWHILE asked by SMS hears that it is over. */
void sms_closed_unseen(struct core *core, const struct record *meanwhile, const struct record *closed);

/* sms_ask: the SMS that asks ASKED, a line of RECORD. */
void sms_ask(struct core *core, const struct record *record, const struct asked *asked);

/* sms_is_owed: say whether who committed RECORD sends its receipt to the number TO. */
bool sms_is_owed(const struct core *core, const struct record *record, const char *to);

/* sms_number: the number that RECORD's handset is enrolled with; "" none, or not proved. */
const char *sms_number(const struct core *core, const struct record *record);

/* ---- place.c */

/* place_landed: RECORD of ALERT is committed, by a press perhaps: where it has no position, or an old one, the keeper is asked, once.
 * place_fill: the opened place into RECORD; false: it has a newer one, or is closed.  place_came: the keeper's answer. */
void place_landed(struct core *core, struct open_alert *alert, const struct record *record);
bool place_fill(struct open_alert *alert, struct record *record);
void place_came(struct core *core, const struct core_event *event);

/* place_opened: where the carrier of FOUND was, silent since HEARD_MS; NULL: not opened.  place_is_to_be_asked: say whether to ask now, and
 * note that it is asked.  place_ask: ask. */
const struct opened *place_opened(const struct core *core, const struct core_found *found, int64_t heard_ms);
bool place_is_to_be_asked(struct core *core, const struct core_found *found, int64_t heard_ms);
void place_ask(struct core *core, const struct core_found *found);

/* place_timer: a quiet timer is past its end.  place_timed: that of HANDSET, last heard at HEARD_MS, which was before it ended; NULL none. */
void place_timer(struct core *core, const struct core_event *event);
const struct timed *place_timed(const struct core *core, const uint8_t handset[HANDSET_ID_SIZE], int64_t heard_ms);

/* ---- vault.c */

/* vault_frame: FRAME of SESSION, which is allowed, is about its vault, orders or timers; false: it is not.  vault_of_refused: SESSION, which
 * is not allowed: a HELLO lets it be given orders, and is refused all the same; a DONE is taken (true). */
bool vault_frame(struct core *core, struct session *session, const struct frame *frame);
bool vault_of_refused(struct core *core, struct session *session, const struct frame *frame);

/* vault_done: a confirmation came, of SESSION or (0) by SMS with REF.  vault_by_sms: BYTES is one; false: it is not. */
void vault_done(struct core *core, uint64_t session, uint64_t ref, struct cbor_span confirmation);
bool vault_by_sms(struct core *core, uint64_t ref, struct cbor_span bytes);

/* vault_asked: the answer to ASK_PASS. */
void vault_asked(struct core *core, uint64_t session, uint32_t request, uint8_t code);

/* vault_order: a console asks for orders to go by SMS.  Returns 0 or an answer code, negative. */
int vault_order(struct core *core, const struct command *command);

/* ---- offer.c */

/* Who brings an alert object. */
struct offerer {
        struct session *session; /* NULL: it came by SMS */
        uint32_t held_version;   /* of the receipt of it that its phone has; 0 none, or not said; with its state */
        uint8_t held_state;
        uint64_t stamp;
        const char *number;
        uint8_t sender[SENDER_SIZE];
        uint64_t ref;
};

/* offer_alert: BYTES came as an alert object. */
void offer_alert(struct core *core, const struct offerer *from, struct cbor_span bytes);

/* offer_route: the open alert that a press of HANDSET with an id of its own is a further press of; NULL: a new one. */
struct open_alert *offer_route(const struct handset *handset, bool drill);

/* offer_synced: test presses that the journal has, some at a time; false: none left.  offer_proved: the store's answer, if it is
 * to a test press.  offer_drop_tests: the store is away: nothing is proved, and the handsets try again. */
bool offer_synced(struct core *core);
bool offer_proved(struct core *core, const struct core_event *event);
void offer_drop_tests(struct core *core);

/* ---- right.c */

/* right_command: COMMAND came by the stream (REF), by a session (REQUEST) or by SMS (NUMBER and REF). */
struct asking {
        uint8_t path; /* enum answer_path: BY_CONSOLE the stream */
        struct session *session;
        uint32_t request;
        const char *number;
        uint64_t ref;
};
void right_command(struct core *core, const struct command *command, const struct asking *asking);

/* right_actor: who asks the COMMAND of FACT.  Returns 0 or an answer code, negative. */
int right_actor(const struct core *core, const struct command *command, const struct fact *fact,
                struct alert_actor *ret_actor);

/* right_answer: answer the command in FACT; RECORD may be NULL. */
void right_answer(struct core *core, const struct fact *fact, uint8_t code, const struct record *record);

/* ---- session.c */

void session_opened(struct core *core, const struct core_event *event);
void session_frame(struct core *core, const struct core_event *event);
void session_closed(struct core *core, uint64_t id);
struct session *session_find(const struct core *core, uint64_t id);

/* session_doom: close SESSION with CODE at the next step.  session_work: give SESSION a step.  session_step: one of those. */
void session_doom(struct core *core, struct session *session, uint16_t code);
void session_work(struct core *core, struct session *session);
bool session_step(struct core *core);

/* session_is_allowed: more than alert objects: its handset is enrolled and not revoked, its certificate good. */
bool session_is_allowed(const struct session *session);

/* session_refuse: FRAME_ERROR. */
void session_refuse(struct core *core, const struct session *session, uint8_t code, const char *text);

/* ---- port.c: nothing happens where this is no alert port */

/* port_came, port_left: SESSION begins, ends.  port_offered: BY brought an alert that is raised, or known.  port_told: TO gets a receipt
 * of STATE. */
void port_came(struct core *core, struct session *session);
void port_left(struct core *core, struct session *session);
void port_offered(struct core *core, const struct waiting *by);
void port_told(struct core *core, const struct waiting *to, uint8_t state);

/* port_make_room: close a session that can be spared; false: none. */
bool port_make_room(struct core *core);

/* port_tick: those end that were there long enough.  port_due_ms: when the next one does; INT64_MAX: none. */
void port_tick(struct core *core);
int64_t port_due_ms(const struct core *core);

/* ---- duty.c */

void duty_frame(struct core *core, struct session *session, const struct frame *frame);
void duty_heartbeat(struct core *core, struct session *session, const struct frame *frame);
void duty_presence(struct core *core, struct session *session, const struct frame *frame);
void duty_heard(struct core *core, struct handset *handset);
void duty_find(struct core *core, struct handset *handset);
void duty_found(struct core *core, const struct core_found *found);
/* duty_fed: a supervisor's duty, by feed or loading.  duty_answer: SESSION is told so, in a step. */
void duty_fed(struct core *core, const char *person, const struct duty_entry *duty);
void duty_answer(struct core *core, struct session *session);
/* duty_ask: PERSON goes on (ENTRY) or off (NULL) duty, when the store says so. */
void duty_ask(struct core *core, struct person *person, const struct duty_entry *entry);
/* duty_retell: begin to look at all supervisors: whose change of duty the store has missed, whose duty is over by the clock.
 * duty_step: some of them; false: all done. */
void duty_retell(struct core *core);
bool duty_step(struct core *core);
/* duty_forget_asked: the positions' Redis was away: what it was asked it did not hear. */
void duty_forget_asked(struct core *core);

/* ---- supervision.c, supervision_step.c */

void supervision_scan(struct core *core, const struct core_event *event);
/* supervision_number: the number of FOUND's carrier, else of the SIM; "" none known. */
const char *supervision_number(const struct core *core, const struct core_found *found);
/* supervision_step: tell some of what the last scan found; false: all is told. */
bool supervision_step(struct core *core);
/* supervision_placed: OPENED has come.  The notice that names its carrier says it at once: whoever would have it opened next sees it there. */
void supervision_placed(struct core *core, const struct opened *opened);
/* supervision_fine: somebody answered OK from the number FROM.  Returns whether an overdue carrier has it, as far as the last scan knows; the
 * next one looks for it too. */
bool supervision_fine(struct core *core, const char *from);

/* ---- notice.c */

/* notice_fed: what the feed or the store says of the notice KEY. */
void notice_fed(struct core *core, const char *key, const struct notice *notice);
/* notice_forget: those that stand are loaded anew; what the store has not confirmed, or may have lost, stays.  notice_again: STANDING, if that is so, is told
 * once more. */
void notice_forget(struct core *core);
void notice_again(struct core *core, struct standing_notice *standing);
/* notice_publish: the notice KEY is now NOTICE (NULL: over), if that is news. */
void notice_publish(struct core *core, const char *key, const struct notice *notice);
/* notice_ack: ACTOR has read the notice.  Returns 0 or an answer code, negative. */
int notice_ack(struct core *core, const char *key, const struct alert_actor *actor);
/* notice_suppressed: an unverified alert of SENDER was kept back. */
void notice_suppressed(struct core *core, struct sender *sender);
/* notice_technical: a standing fact of this process begins or is over.  notice_counted: one more of what COUNTER counts; it is over
 * when there were none for a while. */
void notice_technical(struct core *core, const char *cause, bool on);
void notice_counted(struct core *core, struct sender *counter, const char *cause);
/* notice_store_up: what could not be told while the store was away. */
void notice_store_up(struct core *core);
/* notice_has_ended: say whether one that counts, or of duress that somebody has read, is over. */
bool notice_has_ended(const struct core *core, const struct standing_notice *standing);
/* notice_brings: say whether PRESS, a copy of what was closed, says "a mistake" or duress first: TOMBSTONE has it not. */
bool notice_brings(const struct alert_press *press, const struct tombstone *tombstone);
/* notice_late: FACT, if a verified press, is about what was closed: duress that TOMBSTONE has not rings; it gets the mark. */
void notice_late(struct core *core, const struct fact *fact, struct tombstone *tombstone);
/* notice_lost: ID is closed as TOMBSTONE says, and was before, as we know: duress in that which a failover took rings; TOMBSTONE gets the
 * mark. */
void notice_lost(struct core *core, const uint8_t id[ALERT_ID_SIZE], struct tombstone *tombstone);
/* notice_replayed: what notice_late does, of FACT from the journal; one so old that its notice may be over says nothing. */
void notice_replayed(struct core *core, const struct fact *fact, struct tombstone *tombstone);
/* notice_key: KIND and NAME, cut to fit. */
void notice_key(char key[NAME_MAX_OCTETS + 1], const char *kind, const char *name);

#endif
