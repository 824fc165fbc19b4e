/* What the files of the model do for each other. */
#ifndef TESTS_DISPATCHER_MODEL_INSIDE_H
#define TESTS_DISPATCHER_MODEL_INSIDE_H

#include "tests/dispatcher/support/model.h"

/* An event on its way to a dispatcher; thrown away if that has died since. */
struct model_mail {
        unsigned dispatcher, run;
        struct core_event event;
        struct model_bytes bytes; /* that the event points into */
        struct model_mail *next;
};

/* model_copy: octets of our own.  model_span: as the core takes them. */
struct model_bytes model_copy(struct cbor_span span);
struct cbor_span model_span(struct model_bytes bytes);

/* model_mail: put EVENT, which points into BYTES (taken), on its way. */
void model_mail(struct model *model, unsigned dispatcher, const struct core_event *event, struct model_bytes bytes);

/* model_feed: a new entry of the feed. */
struct model_entry *model_feed(struct model *model, int kind);

/* model_set_duty, model_set_presence: what the store and the roster know of a supervisor; the latter is told to all. */
void model_set_duty(struct model *model, const char *person, bool on, const struct duty_entry *duty);
void model_set_presence(struct model *model, const char *person, const struct presence *presence);

/* model_do: do what a dispatcher's core asks for. */
void model_do(struct model *model, unsigned dispatcher, const struct core_action *action);

/* model_sms: an SMS that a core asks for, or is done with. */
void model_sms(struct model *model, unsigned dispatcher, const struct core_action *action);

/* model_load_people: tell CORE who there is. */
void model_load_people(struct model *model, struct core *core);

/* model_hash, model_verify: the stand-ins for SHA-256 and ES256. */
void model_hash(void *user, struct cbor_span data, uint8_t hash[32]);
bool model_verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert);

#endif
