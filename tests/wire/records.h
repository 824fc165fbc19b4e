/* Records for the tests of wire/record: any, the largest, the smallest. */
#ifndef TESTS_WIRE_RECORDS_H
#define TESTS_WIRE_RECORDS_H

#include "tests/wire/codec.h"

static inline void draw_people(uint64_t *seed, struct record *r)
{
        r->asked_count = (uint8_t)draw_to(seed, RECORD_ASKED_MAX);
        for (size_t i = 0; i < r->asked_count; i++) {
                draw_id(seed, r->asked[i].id, sizeof(r->asked[i].id));
                draw_text(seed, r->asked[i].name, sizeof(r->asked[i].name));
                r->asked[i].step = (uint8_t)draw_to(seed, 3);
                r->asked[i].flags = (uint8_t)draw_to(seed, 255);
                r->asked[i].asked_at_ms = draw_ms(seed);
                r->asked[i].seen_at_ms = draw_ms(seed);
                r->asked[i].distance_m = (uint32_t)draw_to(seed, UINT32_MAX);
                r->asked[i].sms_at_ms = draw_ms(seed);
                r->asked[i].sms_state = (uint8_t)draw_to(seed, 255);
                r->asked[i].answer_path = (uint8_t)draw_to(seed, 255);
        }
        r->sms_checked = (uint8_t)draw_to(seed, r->asked_count);
        r->passed_count = (uint8_t)draw_to(seed, RECORD_PASSED_MAX);
        r->passed_rest = (uint16_t)draw_to(seed, UINT16_MAX);
        for (size_t i = 0; i < r->passed_count; i++) {
                draw_id(seed, r->passed[i].id, sizeof(r->passed[i].id));
                r->passed[i].reason = (uint8_t)draw_to(seed, 255);
        }
}

static inline void draw_names(uint64_t *seed, struct record *r)
{
        draw_octets(seed, r->id, sizeof(r->id));
        draw_octets(seed, r->handset, sizeof(r->handset));
        draw_id(seed, r->carrier_id, sizeof(r->carrier_id));
        draw_text(seed, r->carrier_name, sizeof(r->carrier_name));
        draw_id(seed, r->carrier_number, sizeof(r->carrier_number));
        draw_text(seed, r->team, sizeof(r->team));
        draw_id(seed, r->round, sizeof(r->round));
        draw_text(seed, r->zone_id, sizeof(r->zone_id));
        draw_text(seed, r->zone_name, sizeof(r->zone_name));
        draw_id(seed, r->owner_id, sizeof(r->owner_id));
        draw_text(seed, r->owner_name, sizeof(r->owner_name));
        draw_id(seed, r->closed_by_id, sizeof(r->closed_by_id));
        draw_text(seed, r->closed_by_name, sizeof(r->closed_by_name));
        draw_text(seed, r->note, sizeof(r->note));
}

static inline void draw_lists(uint64_t *seed, struct record *r)
{
        if ((r->has_position = draw_bool(seed)))
                r->at = draw_point(seed);
        r->track_count = (uint8_t)draw_to(seed, RECORD_TRACK_MAX);
        for (size_t i = 0; i < r->track_count; i++)
                r->track[i] = draw_point(seed);
        r->alias_count = (uint8_t)draw_to(seed, RECORD_ALIASES_MAX);
        for (size_t i = 0; i < r->alias_count; i++) {
                draw_octets(seed, r->aliases[i].nonce, ALERT_NONCE_SIZE);
                r->aliases[i].revision = (uint16_t)draw_to(seed, UINT16_MAX);
                r->aliases[i].at_ms = (int64_t)draw_to(seed, INT64_MAX);
        }
        r->applied_count = (uint8_t)draw_to(seed, RECORD_APPLIED_MAX);
        draw_octets(seed, r->applied[0], (size_t)r->applied_count * EVENT_ID_SIZE);
}

static inline void draw_record(uint64_t *seed, struct record *r)
{
        memset(r, 0, sizeof(*r));
        r->version = 1 + (uint32_t)draw_to(seed, UINT32_MAX - 1);
        r->state = (enum alert_state)(1 + draw_to(seed, ALERT_CLOSED - 1));
        r->marks = (uint32_t)draw_to(seed, UINT32_MAX);
        r->why_unverified = (uint8_t)draw_to(seed, 255);
        r->kind = (uint8_t)draw_to(seed, 255);
        r->category = (uint8_t)draw_to(seed, 7);
        r->paths = (uint8_t)draw_to(seed, 255);
        r->revision = (uint16_t)draw_to(seed, UINT16_MAX);
        r->presses = (uint16_t)draw_to(seed, UINT16_MAX);
        r->pressed_at_s = (uint32_t)draw_to(seed, UINT32_MAX);
        r->raised_at_ms = draw_ms(seed);
        r->changed_at_ms = draw_ms(seed);
        r->heard_at_ms = draw_ms(seed);
        r->battery = draw_battery(seed);
        r->taken_at_ms = draw_ms(seed);
        r->progress_at_ms = draw_ms(seed);
        r->step = (uint8_t)draw_to(seed, 4);
        r->rings = (uint16_t)draw_to(seed, UINT16_MAX);
        r->stepped_at_ms = draw_ms(seed);
        r->due_ms = draw_ms(seed);
        r->close_reason = draw_bool(seed) ? 0 : (uint8_t)(16 + draw_to(seed, 7));
        r->closed_at_ms = draw_ms(seed);
        r->data_at_ms = draw_ms(seed);
        r->sms_at_ms = draw_ms(seed);
        r->told_sms_at_ms = draw_ms(seed);
        r->told_sms_state = (uint8_t)draw_to(seed, 255);
        r->owner_path = (uint8_t)draw_to(seed, 255);
        r->again_at_ms = draw_ms(seed);
        if (draw_bool(seed))
                draw_octets(seed, r->before, sizeof(r->before));
        if (draw_bool(seed))
                draw_octets(seed, r->salt, sizeof(r->salt));
        draw_names(seed, r);
        draw_people(seed, r);
        draw_lists(seed, r);
}

/* Every list and text full, every number as long as it gets, `unknown` full of entries. */
static inline void fill_record(struct record *r)
{
        memset(r, 0xff, sizeof(*r));
        r->state = ALERT_CLOSED;
        r->category = 7;
        r->has_position = true;
        r->at = full_point();
        r->battery = 255;
        r->raised_at_ms = r->changed_at_ms = r->heard_at_ms = r->taken_at_ms = r->progress_at_ms = INT64_MAX;
        r->stepped_at_ms = r->due_ms = r->closed_at_ms = INT64_MAX;
        r->data_at_ms = r->sms_at_ms = r->told_sms_at_ms = r->again_at_ms = INT64_MAX;
        r->close_reason = CLOSE_REASON_MAX;
        r->step = 4;
        r->sms_checked = r->asked_count = RECORD_ASKED_MAX;
        r->passed_count = RECORD_PASSED_MAX;
        r->track_count = RECORD_TRACK_MAX;
        r->alias_count = RECORD_ALIASES_MAX;
        r->applied_count = RECORD_APPLIED_MAX;
        memset(r->asked, 0, sizeof(r->asked));
        for (size_t i = 0; i < RECORD_TRACK_MAX; i++)
                r->track[i] = full_point();
        for (size_t i = 0; i < RECORD_ASKED_MAX; i++) {
                fill_id(r->asked[i].id, sizeof(r->asked[i].id));
                fill_text(r->asked[i].name, sizeof(r->asked[i].name));
                r->asked[i].step = 3;
                r->asked[i].flags = 255;
                r->asked[i].distance_m = UINT32_MAX;
                r->asked[i].asked_at_ms = r->asked[i].seen_at_ms = r->asked[i].sms_at_ms = INT64_MAX;
                r->asked[i].sms_state = r->asked[i].answer_path = 255;
        }
        for (size_t i = 0; i < RECORD_ALIASES_MAX; i++)
                r->aliases[i].at_ms = INT64_MAX;
        for (size_t i = 0; i < RECORD_PASSED_MAX; i++)
                fill_id(r->passed[i].id, sizeof(r->passed[i].id));
        fill_id(r->carrier_id, sizeof(r->carrier_id));
        fill_text(r->carrier_name, sizeof(r->carrier_name));
        fill_id(r->carrier_number, sizeof(r->carrier_number));
        fill_text(r->team, sizeof(r->team));
        fill_id(r->round, sizeof(r->round));
        fill_text(r->zone_id, sizeof(r->zone_id));
        fill_text(r->zone_name, sizeof(r->zone_name));
        fill_id(r->owner_id, sizeof(r->owner_id));
        fill_text(r->owner_name, sizeof(r->owner_name));
        fill_id(r->closed_by_id, sizeof(r->closed_by_id));
        fill_text(r->closed_by_name, sizeof(r->closed_by_name));
        fill_text(r->note, sizeof(r->note));
        r->unknown_count = 128;
        r->unknown_size = RECORD_UNKNOWN_MAX;
        for (size_t i = 0; i < 128; i++)
                memcpy(r->unknown + 4 * i, (const uint8_t[]){ 0x18, (uint8_t)(100 + i), 0x18, 0x55 }, 4);
}

static inline struct record small_record(void)
{
        struct record r;

        memset(&r, 0, sizeof(r));
        r.version = 1;
        r.state = ALERT_RAISED;
        memcpy(r.id, "handset.pressed!", ALERT_ID_SIZE);
        memcpy(r.handset, "handset.", HANDSET_ID_SIZE);
        return r;
}

#endif
