#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/passes_state.h"
#include "device/handset/host/qr.h"

/* make_rows: pass and proof of this moment as a QR code.  Returns 0, -EAGAIN (counters are being set aside), another errno. */
static int make_rows(struct passes *p, const struct content *content, size_t pass, uint32_t now_s)
{
        struct content_ask ask = { .pass = pass, .class = p->shown.class, .time_s = now_s };
        int building = content_find_building(content->passes[pass], p->shown.building), r;
        uint8_t octets[PRESENTATION_MAX];
        char text[PASS_TEXT_SIZE];
        struct cbor_writer w;

        if (building < 0)
                return building;
        ask.building = (size_t)building;
        cbor_writer_init(&w, octets, sizeof(octets));
        if ((r = safe_prove(p->safe, &ask, &w)) < 0 ||
            (r = pass_text_write(cbor_written(&w), text, sizeof(text))) < 0)
                return r;
        p->shown.rows = qr_rows(text);
        return p->shown.rows != NULL ? 0 : -ENOMEM;
}

void shown_end(struct passes *p)
{
        loop_timer_cancel(p->host->loop, &p->slot);
        json_decref(p->shown.rows);
        memset(&p->shown, 0, sizeof(p->shown));
}

void shown_due(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct passes *p = timer->user;
        struct content *content = safe_content(p->safe);
        int64_t now_ms = clock_utc_ms();
        uint32_t now_s = (uint32_t)(now_ms / 1000);
        int pass = content != NULL && p->shown.on ? content_find(content, p->shown.pass) : -ENOENT, r;

        if (pass < 0 || now_s > content->passes[pass]->pass.not_after_s) {
                shown_end(p);
                passes_show(p);
                return;
        }
        json_decref(p->shown.rows);
        p->shown.rows = NULL;
        p->shown.slot = now_s / PASS_SLOT_S;
        r = make_rows(p, content, (size_t)pass, now_s);
        if (r < 0 && r != -EAGAIN) {
                log_error("pass", "no code: %s", strerror(-r));
                shown_end(p);
        }
        loop_timer_arm(p->host->loop, &p->slot,
                       now_mono_ms + ((int64_t)(p->shown.slot + 1) * PASS_SLOT_S * 1000 - now_ms));
        if (!p->shown.on)
                loop_timer_cancel(p->host->loop, &p->slot);
        passes_show(p);
}

void shown_begin(struct passes *p, size_t pass, size_t building, uint8_t class)
{
        struct content_pass *of = safe_content(p->safe)->passes[pass];

        shown_end(p);
        p->shown.on = true;
        p->shown.class = class;
        memcpy(p->shown.pass, of->pass.id, PASS_ID_SIZE);
        memcpy(p->shown.building, of->parcel.buildings[building].id, BUILDING_ID_SIZE);
        shown_due(&p->slot, clock_mono_ms());
}
