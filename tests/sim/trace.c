/* What the store's model was asked and answered, as lines of text that tests/sim/redis_test plays to a real one:
 *      begin
 *      commit INSTANCE OP EPOCH ID EXPECTED VERSION STATE DUE URGENCY RECORD SIGNED EVENT TOMBSTONE GONE RESULT DATA
 *      look INSTANCE ID RESULT DATA
 *      fact INSTANCE OP TYPE KEY VALUE CHANGED
 *      epoch INSTANCE EPOCH                another epoch
 *      open INSTANCE IDS                   what a dispatcher that loads is given
 *      copy INSTANCE FROM EPOCH OPS        a failover: FROM's writes that its replica INSTANCE had got
 *      clear INSTANCE EPOCH
 *      alert|grave|notice|duty|feed ...    at the end: all that each instance holds
 * Octets in hex, nothing as "-", lists with commas; RESULT: 1 done, 0 another version, -1 tombstone, -2 another epoch. */
#include <inttypes.h>
#include <string.h>

#include "tests/sim/sim.h"

static void put_hex(FILE *to, const void *data, size_t len)
{
        fputc(' ', to);
        if (len == 0)
                fputc('-', to);
        for (size_t i = 0; i < len; i++)
                fprintf(to, "%02x", ((const uint8_t *)data)[i]);
}

static void put_tombstone(FILE *to, const struct tombstone *tombstone)
{
        uint8_t bytes[TOMBSTONE_MAX];
        int len = tombstone_encode(tombstone, bytes, sizeof(bytes));

        put_hex(to, bytes, len > 0 ? (size_t)len : 0);
}

static void put_answer(FILE *to, enum core_result result, struct cbor_span data)
{
        fprintf(to, " %d", result == CORE_OK ? 1 : result == CORE_TOMBSTONE ? -1 : result == CORE_FENCED ? -2 : 0);
        if (result == CORE_TOMBSTONE)
                put_tombstone(to, (const struct tombstone *)(const void *)data.at);
        else
                put_hex(to, data.at, data.len);
        fputc('\n', to);
}

void trace_commit(struct sim *sim, unsigned number, const struct op *op, const struct trace_asked *asked)
{
        FILE *to = sim->trace;

        if (to == NULL)
                return;
        fprintf(to, "commit %u %" PRIu64 " %" PRId64, number, op->number, asked->epoch);
        put_hex(to, op->id, ALERT_ID_SIZE);
        fprintf(to, " %u %u %u %" PRId64 " %.0f", asked->expected, op->version, op->state, asked->due_in_ms,
                op->urgency);
        put_hex(to, op->octets, op->len);
        put_hex(to, op->octets + op->len, op->alert_len);
        fprintf(to, " %s", alert_event_name(op->event));
        if (op->closed)
                put_tombstone(to, &op->tombstone);
        else
                fputs(" -", to);
        for (size_t i = 0; i < op->gone_count && op->closed; i++) {
                fputc(i == 0 ? ' ' : ',', to);
                for (size_t j = 0; j < ALERT_ID_SIZE; j++)
                        fprintf(to, "%02x", op->gone[i][j]);
        }
        fputs(op->gone_count == 0 || !op->closed ? " -" : "", to);
        put_answer(to, asked->result, asked->data);
}

void trace_look(struct sim *sim, unsigned number, const uint8_t id[ALERT_ID_SIZE], enum core_result result,
                struct cbor_span data)
{
        if (sim->trace == NULL)
                return;
        fprintf(sim->trace, "look %u", number);
        put_hex(sim->trace, id, ALERT_ID_SIZE);
        put_answer(sim->trace, result, data);
}

static void put_fact(FILE *to, const struct op *op)
{
        uint8_t value[NOTICE_MAX];
        int len = !op->on                 ? 0
                  : op->kind == OP_NOTICE ? notice_encode(&op->notice, value, sizeof(value))
                                          : duty_entry_encode(&op->duty, value, sizeof(value));

        fprintf(to, " %s", op->kind == OP_NOTICE ? "notice" : "duty");
        put_hex(to, op->key, strlen(op->key));
        put_hex(to, value, len > 0 ? (size_t)len : 0);
}

void trace_fact(struct sim *sim, unsigned number, const struct op *op, bool changed)
{
        if (sim->trace == NULL)
                return;
        fprintf(sim->trace, "fact %u %" PRIu64, number, op->number);
        put_fact(sim->trace, op);
        fprintf(sim->trace, " %d\n", changed);
}

void trace_epoch(struct sim *sim, const char *word, unsigned number)
{
        if (sim->trace != NULL)
                fprintf(sim->trace, "%s %u %" PRId64 "\n", word, number, sim->store.instances[number].epoch);
}

void trace_open(struct sim *sim, unsigned number, const uint8_t *ids, size_t count)
{
        if (sim->trace == NULL)
                return;
        fprintf(sim->trace, "open %u", number);
        fputs(count == 0 ? " -" : "", sim->trace);
        for (size_t i = 0; i < count * ALERT_ID_SIZE; i++)
                fprintf(sim->trace, "%s%02x", i % ALERT_ID_SIZE > 0 ? "" : i == 0 ? " " : ",", ids[i]);
        fputc('\n', sim->trace);
}

void trace_copy(struct sim *sim, unsigned number)
{
        const struct instance *in = &sim->store.instances[number];
        const char *before = " ";

        if (sim->trace == NULL)
                return;
        fprintf(sim->trace, "copy %u %u %" PRId64, number, !number, in->epoch);
        for (size_t i = 0; i < in->op_count; i++)
                if (in->ops[i]->kind == OP_COMMIT || in->ops[i]->kind == OP_NOTICE || in->ops[i]->kind == OP_DUTY) {
                        fprintf(sim->trace, "%s%" PRIu64, before, in->ops[i]->number);
                        before = ",";
                }
        fputs(before[0] == ' ' ? " -\n" : "\n", sim->trace);
}

static void end_of(struct sim *sim, unsigned number)
{
        const struct instance *in = &sim->store.instances[number];
        FILE *to = sim->trace;

        for (size_t i = 0; i < in->alert_count; i++) {
                const struct stored *s = &in->alerts[i];

                fprintf(to, "alert %u", number);
                put_hex(to, s->id, ALERT_ID_SIZE);
                fprintf(to, " %u %d", s->version, s->closed);
                put_hex(to, s->last->octets, s->last->len);
                fputc('\n', to);
        }
        for (size_t i = 0; i < in->grave_ids.count; i++) {
                fprintf(to, "grave %u", number);
                put_hex(to, in->graves[i].id, ALERT_ID_SIZE);
                put_tombstone(to, &in->graves[i].tombstone);
                fputc('\n', to);
        }
        for (size_t i = 0; i < in->notice_count + in->duty_count; i++) {
                const struct op *op = i < in->notice_count ? in->notices[i] : in->duty[i - in->notice_count];

                if (!op->on)
                        continue;
                fprintf(to, "held %u", number);
                put_fact(to, op);
                fputc('\n', to);
        }
        for (size_t i = 0; i < in->op_count; i++) {
                const struct op *op = in->ops[i];

                if (op->kind != OP_COMMIT && op->kind != OP_NOTICE && op->kind != OP_DUTY)
                        continue;
                fprintf(to, "feed %u", number);
                if (op->kind == OP_COMMIT) {
                        fputs(" alert", to);
                        put_hex(to, op->id, ALERT_ID_SIZE);
                        put_hex(to, op->octets, op->len);
                } else {
                        put_fact(to, op);
                }
                fputc('\n', to);
        }
}

void trace_end(struct sim *sim)
{
        if (sim->trace == NULL)
                return;
        end_of(sim, 0);
        end_of(sim, 1);
        fputs("end\n", sim->trace);
}
