/* A frame that holds the octets of its span itself, so that two can be compared octet by octet: the span's `at` is
 * NULL and its octets stand beside it.  No frame has more than one span. */
#ifndef TESTS_WIRE_HELD_H
#define TESTS_WIRE_HELD_H

#include <string.h>

#include "wire/frame.h"

struct held {
        struct frame frame;
        uint8_t octets[FRAME_REGION_MAX];
};

static inline struct cbor_span *held_span(struct frame *frame)
{
        switch (frame->type) {
        case FRAME_ALERT:
        case FRAME_RECEIPT:
        case FRAME_TRUST:
                return &frame->u.cose.cose;
        case FRAME_HEARTBEAT:
                return &frame->u.heartbeat.sealed;
        case FRAME_RING:
                return &frame->u.ring.record;
        case FRAME_DONE:
                return &frame->u.cose.cose;
        case FRAME_TIMER:
                return &frame->u.timer.place;
        case FRAME_ORDER:
                return &frame->u.order.cose;
        case FRAME_PART:
                return &frame->u.part.octets;
        case FRAME_LIST:
                return &frame->u.list.octets;
        default:
                return NULL;
        }
}

static inline int held_encode(const struct held *held, uint8_t *buf, size_t size)
{
        struct frame frame = held->frame;
        struct cbor_span *span = held_span(&frame);

        if (span != NULL)
                span->at = held->octets;
        return frame_encode(&frame, buf, size);
}

static inline int held_decode(const uint8_t *data, size_t size, struct held *ret_held)
{
        int r = frame_decode(data, size, &ret_held->frame);
        struct cbor_span *span = held_span(&ret_held->frame);

        memset(ret_held->octets, 0, sizeof(ret_held->octets));
        if (span != NULL && span->len > 0)
                memcpy(ret_held->octets, span->at, span->len);
        if (span != NULL)
                span->at = NULL;
        return r;
}

#endif
