#include "wire/inspect_pass.h"

#include <inttypes.h>
#include <string.h>

#include "wire/door_log.h"
#include "wire/status.h"

static void put_region(struct inspect_text *out, const char *region)
{
        inspect_put(out, "  region: ");
        inspect_put_text(out, (struct cbor_span){ (const uint8_t *)region, strlen(region) });
        inspect_put(out, "\n");
}

static void put_class(struct inspect_text *out, unsigned class)
{
        static const char *const names[DOOR_CLASS_END] = { "none", "NFC", "scanner", "caretaker's page" };

        inspect_put(out, "  class: %s (%u)\n", class < DOOR_CLASS_END ? names[class] : "unknown", class);
}

static void put_pass(struct inspect_text *out, const struct pass *p)
{
        inspect_put(out, "pass\n");
        put_region(out, p->region);
        inspect_put_octets(out, "subject", CBOR_OCTETS(p->subject));
        inspect_put_octets(out, "pass id", CBOR_OCTETS(p->id));
        inspect_put_time(out, "not before", p->not_before_s);
        inspect_put_time(out, "not after", p->not_after_s);
        inspect_put_time(out, "issued at", p->issued_at_s);
        inspect_put_octets(out, "pass key", CBOR_OCTETS(p->key));
        inspect_put(out, "  status: bit %" PRIu32 "\n", p->status);
        inspect_put_octets(out, "scope", CBOR_OCTETS(p->scope));
        for (unsigned i = 0; i < p->window_count; i++) {
                inspect_put_time(out, "window from", p->windows[i].from_s);
                inspect_put_time(out, "window to", p->windows[i].to_s);
        }
        inspect_put(out, "  policy: 0x%" PRIx32 "%s%s%s\n", p->policy,
                    (p->policy & PASS_ONE_WAY) != 0 ? ", one way" : "",
                    (p->policy & PASS_CARETAKER) != 0 ? ", caretaker's page" : "",
                    (p->policy & PASS_SENSITIVE) != 0 ? ", sensitive buildings" : "");
}

static void put_mandate(struct inspect_text *out, const struct mandate *m)
{
        inspect_put(out, "mandate of a door\n");
        put_region(out, m->region);
        inspect_put_octets(out, "door", CBOR_OCTETS(m->door));
        inspect_put_octets(out, "building", CBOR_OCTETS(m->building));
        put_class(out, m->class);
        inspect_put_octets(out, "door key", CBOR_OCTETS(m->key));
        inspect_put_time(out, "not before", m->not_before_s);
        inspect_put_time(out, "not after", m->not_after_s);
}

static void put_hello(struct inspect_text *out, const struct hello *h)
{
        struct mandate_signed mandate;

        inspect_put(out, "hello of a door\n");
        inspect_put_octets(out, "nonce", CBOR_OCTETS(h->nonce));
        inspect_put_time(out, "time", h->time_s);
        inspect_put_time(out, "status list issued at", h->list_issued_at_s);
        inspect_put_octets(out, "head of its log", CBOR_OCTETS(h->head));
        if (mandate_read(h->mandate, &mandate, NULL) == 0)
                put_mandate(out, &mandate.mandate);
}

static void put_proof(struct inspect_text *out, const struct proof *p)
{
        inspect_put(out, "proof\n");
        inspect_put_octets(out, "digest of the pass", CBOR_OCTETS(p->digest));
        inspect_put_octets(out, "salt", CBOR_OCTETS(p->salt));
        inspect_put(out, "  leaf: %u\n", p->index);
        inspect_put_octets(out, "path", p->path);
        inspect_put_time(out, "time", p->time_s);
        inspect_put(out, "  counter: %" PRIu32 "\n", p->counter);
        inspect_put_octets(out, "marker", CBOR_OCTETS(p->marker));
}

static void put_status(struct inspect_text *out, const struct status_list *l)
{
        inspect_put(out, "status list\n");
        put_region(out, l->region);
        inspect_put_time(out, "issued at", l->issued_at_s);
        inspect_put_time(out, "expires", l->expires_s);
        inspect_put(out, "  passes: %" PRIu32 "\n", l->count);
}

static void put_log(struct inspect_text *out, const struct door_log_entry *e)
{
        inspect_put(out, "entry of a door's log\n  number: %" PRIu64 "\n", e->number);
        inspect_put_octets(out, "previous", CBOR_OCTETS(e->previous));
        inspect_put_time(out, "time", e->time_s);
        inspect_put_time(out, "floor", e->floor_s);
        inspect_put_time(out, "status list issued at", e->list_issued_at_s);
        inspect_put(out, "  answer: %s (%u)%s\n", pass_refusal_name(e->refusal), e->refusal,
                    e->degraded ? ", degraded" : "");
        put_class(out, e->class);
        if (e->has_pass) {
                inspect_put_octets(out, "subject", CBOR_OCTETS(e->subject));
                inspect_put_octets(out, "pass id", CBOR_OCTETS(e->pass));
        }
        if (e->has_proof) {
                inspect_put(out, "  counter: %" PRIu32 "\n", e->counter);
                inspect_put_octets(out, "marker", CBOR_OCTETS(e->marker));
        }
        inspect_put(out, "  unwritten before: %" PRIu32 "\n", e->unwritten);
}

bool inspect_pass(struct cbor_span in, struct inspect_text *out)
{
        union {
                struct pass_signed pass;
                struct mandate_signed mandate;
                struct hello_signed hello;
                struct proof_signed proof;
                struct status_signed status;
                struct door_log_signed log;
        } o;
        struct cbor_span pass, proof;

        if (pass_read(in, &o.pass, NULL) == 0)
                put_pass(out, &o.pass.pass);
        else if (mandate_read(in, &o.mandate, NULL) == 0)
                put_mandate(out, &o.mandate.mandate);
        else if (hello_read(in, &o.hello, NULL) == 0)
                put_hello(out, &o.hello.hello);
        else if (proof_read(in, &o.proof, NULL) == 0)
                put_proof(out, &o.proof.proof);
        else if (status_read(in, &o.status, NULL) == 0)
                put_status(out, &o.status.list);
        else if (door_log_read(in, &o.log, NULL) == 0)
                put_log(out, &o.log.entry);
        else if (presentation_read(in, &pass, &proof) == 0 && pass_read(pass, &o.pass, NULL) == 0) {
                inspect_put(out, "presentation\n");
                put_pass(out, &o.pass.pass);
                if (proof_read(proof, &o.proof, NULL) == 0)
                        put_proof(out, &o.proof.proof);
        } else {
                return false;
        }
        return true;
}
