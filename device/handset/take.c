/* What comes in from the region: one frame, one SMS. */
#include <errno.h>

#include "device/handset/core.h"

static void error_take(struct vigie *vigie, uint8_t address, uint8_t code)
{
        if (code == FRAME_ERROR_OFF_DUTY_POSITION)
                my_duty_on_disbelief(vigie);
        else if (code == FRAME_ERROR_NOT_ALLOWED)
                my_link_on_refused(vigie, address);
}

static void frame_take(struct vigie *vigie, uint8_t address, const struct frame *frame)
{
        switch (frame->type) {
        case FRAME_WELCOME:
                my_link_on_welcome(vigie, frame);
                my_opened_on_welcome(vigie, frame->u.welcome.time_ms);
                my_duty_on_welcome(vigie);
                my_ring_on_welcome(vigie);
                return;
        case FRAME_RECEIPT:
                my_receipt_take(vigie, frame->u.cose.cose, VIGIE_PATH_DATA);
                return;
        case FRAME_DUTY_ANSWER:
                my_duty_on_answer(vigie, frame);
                return;
        case FRAME_RING:
                my_ring_on_ring(vigie, frame);
                return;
        case FRAME_ANSWER:
                my_ring_on_answer(vigie, frame);
                return;
        case FRAME_QUESTION:
                my_duty_on_question(vigie, frame->u.request.request);
                return;
        case FRAME_TRUST:
                if (my_trust_take(vigie, frame->u.cose.cose) == 1)
                        my_diary_trust(vigie, frame->u.cose.cose);
                return;
        case FRAME_ERROR:
                error_take(vigie, address, frame->u.error.code);
                return;
        case FRAME_ORDER:
                my_order_take(vigie, frame->u.order.cose, frame->u.order.beside, VIGIE_PATH_DATA);
                return;
        case FRAME_PART:
                my_order_on_part(vigie, frame);
                return;
        case FRAME_LIST:
                my_order_on_list(vigie, frame);
                return;
        case FRAME_ASKED:
                my_order_on_asked(vigie, frame);
                return;
        case FRAME_OPENED:
                my_opened_on_frame(vigie, &frame->u.opened);
                return;
        default: /* what only handsets send */
                vigie->refused++;
        }
}

int my_take_frame(struct vigie *vigie, const struct vigie_event *event)
{
        struct frame frame;
        int r;

        if (event->u.frame.address >= vigie->options.address_count)
                return -EINVAL;
        r = event->u.frame.len > VIGIE_FRAME_MAX ? -EBADMSG
                                                 : frame_decode(event->u.frame.data, event->u.frame.len, &frame);
        if (r == -EPROTONOSUPPORT)
                return 0; /* a newer region's */
        if (r < 0) {
                vigie->refused++;
                return 0;
        }
        my_link_heard(vigie, event->u.frame.address);
        frame_take(vigie, event->u.frame.address, &frame);
        return 0;
}

int my_take_sms(struct vigie *vigie, const struct vigie_event *event)
{
        struct cbor_span in = { event->u.sms.data, event->u.sms.len };

        if (in.len > VIGIE_SMS_MAX)
                vigie->refused++;
        else if (my_trust_is_order(vigie, in))
                my_order_take(vigie, in, 0, VIGIE_PATH_SMS);
        else
                my_receipt_take(vigie, in, VIGIE_PATH_SMS);
        return 0;
}
