#include "dispatcher/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void inbox_order_free(struct inbox_order *order)
{
        if (order == NULL)
                return;
        free(order->cose);
        free(order->beside);
        free(order);
}

static uint8_t *copy(struct cbor_span span)
{
        uint8_t *to = malloc(span.len);

        if (to != NULL)
                memcpy(to, span.at, span.len);
        return to;
}

int inbox_order_new(const char *id, struct cbor_span cose, struct cbor_span beside, struct inbox_order **ret_order)
{
        struct inbox_order *order;
        struct order_signed in;

        if (cose.len > FRAME_COSE_MAX || beside.len > ORDER_BESIDE_MAX || order_read(cose, &in, NULL) < 0)
                return -EBADMSG;
        order = calloc(1, sizeof(*order));
        if (order == NULL || (order->cose = copy(cose)) == NULL ||
            (beside.len > 0 && (order->beside = copy(beside)) == NULL)) {
                inbox_order_free(order);
                return -ENOMEM;
        }
        strncpy(order->id, id, sizeof(order->id) - 1);
        order->order = in.order;
        order->cose_len = (uint32_t)cose.len;
        order->beside_len = (uint32_t)beside.len;
        *ret_order = order;
        return 0;
}

bool inbox_is_for(const struct inbox_peer *peer, const struct order *order)
{
        return memcmp(order->handset.octets, peer->handset, HANDSET_ID_SIZE) == 0 &&
               memcmp(order->enrolment, peer->vault.enrolment, ENROLMENT_SIZE) == 0 &&
               order->number > peer->vault.taken;
}

bool inbox_is_waste(const struct inbox_peer *peer, const struct order *order, const uint8_t *enrolment)
{
        return memcmp(order->handset.octets, peer->handset, HANDSET_ID_SIZE) != 0 ||
               memcmp(order->enrolment, peer->vault.enrolment, ENROLMENT_SIZE) == 0 || enrolment == NULL ||
               memcmp(order->enrolment, enrolment, ENROLMENT_SIZE) != 0;
}

/* ---- What goes next. */

static uint32_t piece(uint32_t len, uint32_t offset)
{
        return len - offset < FRAME_PART_MAX ? len - offset : FRAME_PART_MAX;
}

static void begin(struct inbox_order *order, struct frame *frame)
{
        frame->type = FRAME_ORDER;
        frame->u.order.cose = (struct cbor_span){ order->cose, order->cose_len };
        frame->u.order.beside = order->beside_len;
        order->begun = true;
        order->offset = 0;
}

static bool order_next(struct inbox_peer *peer, int64_t now_mono_ms, struct frame *frame)
{
        struct inbox_order *order = peer->order;

        if (order->begun && order->offset == order->beside_len) {
                if (now_mono_ms - order->sent_mono_ms < INBOX_AGAIN_MS)
                        return false;
                if (++order->tries == INBOX_TRIES_MAX) {
                        inbox_order_free(order);
                        peer->order = NULL;
                        return false;
                }
                order->begun = false;
        }
        order->sent_mono_ms = now_mono_ms;
        if (!order->begun) {
                begin(order, frame);
                return true;
        }
        frame->type = FRAME_PART;
        frame->u.part.number = order->order.number;
        frame->u.part.offset = order->offset;
        frame->u.part.octets =
                (struct cbor_span){ order->beside + order->offset, piece(order->beside_len, order->offset) };
        order->offset += (uint32_t)frame->u.part.octets.len;
        return true;
}

/* Only where there is a vault: who shows no pass carries no list to a door. */
static bool list_is_wanted(const struct inbox_peer *peer, const struct inbox_list *list)
{
        if (!peer->told || (peer->vault.state != VAULT_LOCKED && peer->vault.state != VAULT_OPEN) ||
            list->issued_s <= peer->vault.list_s)
                return false;
        return peer->list_s != list->issued_s || peer->list_offset < list->len;
}

static void list_next(struct inbox_peer *peer, const struct inbox_list *list, struct frame *frame)
{
        if (peer->list_s != list->issued_s)
                peer->list_offset = 0;
        peer->list_s = list->issued_s;
        frame->type = FRAME_LIST;
        frame->u.list.issued_s = list->issued_s;
        frame->u.list.total = list->len;
        frame->u.list.offset = peer->list_offset;
        frame->u.list.octets =
                (struct cbor_span){ list->bytes + peer->list_offset, piece(list->len, peer->list_offset) };
        peer->list_offset += (uint32_t)frame->u.list.octets.len;
}

bool inbox_next(struct inbox_peer *peer, const struct inbox_list *list, int64_t now_mono_ms, struct frame *ret_frame)
{
        memset(ret_frame, 0, sizeof(*ret_frame));
        if (peer->order != NULL && order_next(peer, now_mono_ms, ret_frame))
                return true;
        if (!list_is_wanted(peer, list))
                return false;
        list_next(peer, list, ret_frame);
        return true;
}

bool inbox_has_work(const struct inbox_peer *peer, const struct inbox_list *list)
{
        return peer->order != NULL || list_is_wanted(peer, list);
}

void inbox_opened_add(struct inbox_opened *to, const struct opened_entry *entry, int64_t now_ms)
{
        size_t at = to->count;

        if (entry->at_ms + OPENED_KEPT_MS < now_ms)
                return;
        while (at > 0 && to->entries[at - 1].at_ms > entry->at_ms)
                at--;
        if (to->count < OPENED_MAX) {
                memmove(to->entries + at + 1, to->entries + at, (to->count - at) * sizeof(*entry));
                to->count++;
        } else if (at == 0) {
                return;
        } else {
                at--;
                memmove(to->entries, to->entries + 1, at * sizeof(*entry));
        }
        to->entries[at] = *entry;
}

/* ---- What is written down. */

static uint8_t seen_state(const struct vault_entry *vault)
{
        return vault->state == VAULT_OPEN ? VAULT_LOCKED : vault->state;
}

bool inbox_vault_merge(struct vault_entry *told, const struct vault_entry *held)
{
        if (held == NULL || memcmp(held->enrolment, told->enrolment, ENROLMENT_SIZE) != 0)
                return true;
        told->taken = held->taken;
        told->result = held->result;
        return seen_state(told) != seen_state(held) || told->has_key != held->has_key ||
               told->has_challenge != held->has_challenge || told->list_s != held->list_s ||
               memcmp(told->key, held->key, PASS_KEY_SIZE) != 0 ||
               memcmp(told->challenge, held->challenge, ORDER_CHALLENGE_SIZE) != 0;
}

bool inbox_confirm(struct vault_entry *held, const struct confirm *confirm)
{
        if (memcmp(held->enrolment, confirm->enrolment, ENROLMENT_SIZE) != 0) {
                memset(held, 0, sizeof(*held));
                memcpy(held->enrolment, confirm->enrolment, ENROLMENT_SIZE);
        }
        if (confirm->number <= held->taken)
                return false;
        held->taken = confirm->number;
        held->result = confirm->result;
        return true;
}
