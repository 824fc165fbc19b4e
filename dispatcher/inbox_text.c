/* Orders by SMS: wipe and unlock, to phones without data. */
#include "dispatcher/inbox_inside.h"

#include <stdlib.h>
#include <string.h>

/* When an order that goes by SMS is said: at once, after 5 minutes and after an hour.  Each from the one before. */
static const int64_t texted_ms[] = { 0, 300000, 3300000 };
enum { TEXTED_TIMES = sizeof(texted_ms) / sizeof(texted_ms[0]) };

static void text_one(struct inbox *inbox, const struct inbox_texted *to, const struct order_signed *order,
                     struct cbor_span cose)
{
        struct sms_ref about = { .what = SMS_ORDER };

        memcpy(about.alert, to->handset, HANDSET_ID_SIZE);
        for (int i = 0; i < 4; i++)
                about.alert[ALERT_ID_SIZE - 1 - i] = (uint8_t)(order->order.number >> 8 * i);
        sms_gate_send(inbox->run->gate,
                      &(struct sms_out){ .to = to->number, .priority = SMS_SECOND, .data = cose, .about = about });
}

static struct inbox_texted *texted_find(struct inbox *inbox, const uint8_t handset[HANDSET_ID_SIZE])
{
        for (size_t i = 0; i < inbox->texted_count; i++)
                if (memcmp(inbox->texted[i].handset, handset, HANDSET_ID_SIZE) == 0)
                        return &inbox->texted[i];
        return NULL;
}

static void on_texted(void *user, struct redisReply *reply)
{
        struct inbox_call *call = user;
        struct inbox *inbox = call->inbox;
        bool good = inbox_call_came(call, reply);
        struct inbox_texted *to = texted_find(inbox, call->handset);
        struct order_signed in;
        bool found = false;

        for (size_t i = 0; good && to != NULL && i < reply_count(reply) && inbox->run->gate != NULL; i++) {
                struct cbor_span cose = reply_bytes(reply_field(reply_at(reply_at(reply, i), 1), "o"));

                if (cose.len > COSE_SMS_MAX || order_read(cose, &in, NULL) < 0 ||
                    (in.order.kind != ORDER_WIPE && in.order.kind != ORDER_UNLOCK))
                        continue;
                text_one(inbox, to, &in, cose);
                found = true;
        }
        if (to != NULL && !good) { /* not read: as if it had not been its time */
                to->times -= to->times > 0;
                to->due_mono_ms = clock_mono_ms();
        } else if (to != NULL && (!found || to->times >= TEXTED_TIMES))
                *to = inbox->texted[--inbox->texted_count]; /* confirmed, or said often enough */
        free(call);
}

void inbox_text_due(struct inbox *inbox, int64_t now_mono_ms)
{
        for (size_t i = 0; i < inbox->texted_count; i++) {
                struct inbox_texted *to = &inbox->texted[i];
                struct inbox_call *call;

                if (to->times >= TEXTED_TIMES || to->due_mono_ms > now_mono_ms)
                        continue;
                if ((call = inbox_call_new(inbox, to->handset)) == NULL)
                        return;
                if (inbox_call_entries(call, INBOX_ENTRIES_MAX, on_texted) < 0) {
                        free(call);
                        return;
                }
                to->times++;
                to->due_mono_ms = now_mono_ms + (to->times < TEXTED_TIMES ? texted_ms[to->times] : 0);
        }
}

void inbox_order(struct run *run, const struct core_action *action)
{
        struct inbox *inbox = run->inbox;
        struct inbox_texted *to = texted_find(inbox, action->u.order.handset);

        if (to == NULL && inbox->texted_count == INBOX_TEXTED_MAX) {
                inbox_say(inbox, action->u.order.handset, "too many orders by SMS at once: by data alone");
                return;
        }
        if (to == NULL)
                to = &inbox->texted[inbox->texted_count++];
        memcpy(to->handset, action->u.order.handset, HANDSET_ID_SIZE);
        memcpy(to->number, action->u.order.number, sizeof(to->number));
        to->times = 0;
        to->due_mono_ms = clock_mono_ms();
        inbox_arm(inbox, INBOX_STEP_MS);
}
