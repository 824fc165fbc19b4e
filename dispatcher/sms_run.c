/* SMS in the run: the door's messages as the core's events, the core's SMS through the gate. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dispatcher/run_inside.h"
#include "dispatcher/sms_words.h"
#include "wire/signing.h"

/* ---- In. */

static bool knows(void *user, const char *number)
{
        const struct run *run = user;

        return core_knows_number(run->core, number);
}

/* text_id: the same for a copy of the same SMS, for as long as the gateway knows that it is one. */
static void text_id(const struct sms_request *request, uint8_t ret_id[EVENT_ID_SIZE])
{
        uint8_t all[sizeof(request->from) + sizeof(request->key) + sizeof(request->text)], hash[EVP_MAX_MD_SIZE];

        memcpy(all, request->from, sizeof(request->from));
        memcpy(all + sizeof(request->from), request->key, sizeof(request->key));
        memcpy(all + sizeof(request->from) + sizeof(request->key), request->text, sizeof(request->text));
        if (EVP_Digest(all, sizeof(all), hash, NULL, EVP_sha256(), NULL) != 1)
                abort(); /* libcrypto without SHA-256 */
        memcpy(ret_id, hash, EVENT_ID_SIZE);
}

static void on_arrived(void *user, const struct sms_request *request, uint64_t ref)
{
        struct run *run = user;
        struct core_event event = { .kind = CORE_SMS_OBJECT };

        if (run->journal == NULL || run->closing)
                return;
        if (request->kind == SMS_REQUEST_OBJECT) {
                event.u.sms_object.from = request->from;
                event.u.sms_object.bytes = request->object;
                event.u.sms_object.ref = ref;
        } else if (request->kind == SMS_REQUEST_TEXT) {
                event.kind = CORE_SMS_TEXT;
                event.u.sms_text.from = request->from;
                event.u.sms_text.text = request->text;
                event.u.sms_text.ref = ref;
                text_id(request, event.u.sms_text.id);
        } else if (request->report != SMS_HANDED) {
                event.kind = CORE_SMS_REPORT;
                event.u.sms_report.about = request->about;
                event.u.sms_report.what = request->report;
        } else {
                return; /* on its way: known since it was handed over */
        }
        run_tell(run, &event);
}

/* ---- Out. */

static void on_report(void *user, const struct sms_ref *about, uint8_t what)
{
        struct run *run = user;
        struct core_event event = { .kind = CORE_SMS_REPORT };

        event.u.sms_report.about = *about;
        event.u.sms_report.what = what;
        run_tell(run, &event);
}

static void on_state(void *user, bool up, const char *why)
{
        struct run *run = user;

        if (up)
                log_info("sms", "the gateway takes SMS again");
        else
                log_error("sms", "the gateway takes nothing: %s", why);
        run->sms_up = up;
        run_notice(run, "sms_away", !up);
}

static enum sms_priority priority_of(uint8_t what)
{
        return what == SMS_TO_ASKED || what == SMS_TO_CONTROL    ? SMS_FIRST
               : what == SMS_TO_HANDSET || what == SMS_TO_SENDER ? SMS_SECOND
                                                                 : SMS_THIRD;
}

void sms_do_receipt(struct run *run, const struct core_action *action)
{
        uint8_t cose[RECEIPT_MAX];
        struct cbor_writer to;

        cbor_writer_init(&to, cose, sizeof(cose));
        if (receipt_sign(&action->u.sms_receipt.receipt, run->options.files->receipt_kid,
                         run->options.files->receipt_key, &to) < 0)
                log_error(NULL, "a receipt cannot be signed");
        else if (run->gate != NULL)
                sms_gate_send(run->gate, &(struct sms_out){ .to = action->u.sms_receipt.to,
                                                            .priority = priority_of(action->u.sms_receipt.about.what),
                                                            .data = { cose, to.len },
                                                            .about = action->u.sms_receipt.about });
}

void sms_do_say(struct run *run, const struct core_action *action)
{
        enum sms_language language = strcmp(run->options.config->sms_language, "en") == 0 ? SMS_ENGLISH : SMS_FRENCH;
        struct sms_words words;

        if (sms_words(&action->u.sms_say.say, language, &words) < 0)
                log_error("sms", "the core says something that has no words: %d", action->u.sms_say.say.kind);
        else if (run->gate != NULL)
                sms_gate_send(run->gate, &(struct sms_out){ .to = action->u.sms_say.to,
                                                            .priority = priority_of(action->u.sms_say.about.what),
                                                            .text = words.text,
                                                            .gsm = words.gsm,
                                                            .about = action->u.sms_say.about });
}

void sms_do_taken(struct run *run, const struct core_action *action)
{
        if (run->door != NULL)
                sms_door_taken(run->door, action->u.sms_taken.ref);
}

/* ---- Coming up and going down. */

int sms_open(struct run *run)
{
        const struct config *c = run->options.config;
        struct loop *loop = run->options.loop;
        uint64_t seed;
        int r;

        if (c->sms_port == 0)
                return 0;
        if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
                return -errno;
        r = sms_door_open(&(struct sms_door_options){ .loop = loop,
                                                      .port = (int)c->sms_port,
                                                      .secret = c->sms_secret,
                                                      .seed = seed,
                                                      .user = run,
                                                      .knows = knows,
                                                      .arrived = on_arrived },
                          &run->door);
        if (r < 0) {
                log_error("sms", "sms.port %d: %s", (int)c->sms_port, strerror(-r));
                return r;
        }
        run->sms_up = 1;
        return sms_gate_open(&(struct sms_gate_options){ .loop = loop,
                                                         .url = c->sms_url,
                                                         .user = c->sms_user,
                                                         .password = c->sms_password,
                                                         .from = c->sms_from,
                                                         .report_port = (int)c->sms_port,
                                                         .report_secret = c->sms_secret,
                                                         .told = run,
                                                         .report = on_report,
                                                         .state = on_state },
                             &run->gate);
}

void sms_start(struct run *run)
{
        int r = run->door != NULL ? sms_door_start(run->door) : 0;

        if (r < 0) /* handsets with data are served all the same, and the other processes have doors of their own */
                log_error("sms", "sms.port %d: %s: takes no SMS", sms_door_port(run->door), strerror(-r));
}

void sms_stop(struct run *run)
{
        if (run->door != NULL)
                sms_door_stop(run->door);
}

void sms_close(struct run *run)
{
        sms_door_close(run->door);
        sms_gate_close(run->gate);
        run->door = NULL;
        run->gate = NULL;
}
