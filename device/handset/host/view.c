#include "device/handset/host/view.h"

#include <string.h>

#include "base/hex.h"
#include "device/handset/host/cms.h"
#include "wire/alert.h"
#include "wire/command.h"

static json_t *text_of(const char *text)
{
        json_t *json = json_string(text);

        return json != NULL ? json : json_string(""); /* not UTF-8: cannot come from the core, and is not shown */
}

static json_t *id_of(const uint8_t id[VIGIE_ALERT_ID_SIZE])
{
        char text[2 * VIGIE_ALERT_ID_SIZE + 1];

        hex_encode(id, VIGIE_ALERT_ID_SIZE, text);
        return json_string(text);
}

static json_t *place_of(bool has, const struct vigie_place *place)
{
        if (!has)
                return json_null();
        return json_pack("{s:f, s:f, s:i, s:I}", "lat", place->lat_e7 / 1e7, "lon", place->lon_e7 / 1e7, "accuracy_m",
                         (int)place->accuracy_m, "at_ms", (json_int_t)place->at_s * 1000);
}

static json_t *name_or_null(const char *name)
{
        return name != NULL ? json_string(name) : json_null();
}

static json_t *troubles(uint32_t bits)
{
        json_t *list = json_array();

        for (uint32_t bit = 1; bit != 0; bit <<= 1)
                if ((bits & bit) && vigie_trouble_name(bit) != NULL)
                        json_array_append_new(list, json_string(vigie_trouble_name(bit)));
        return list;
}

static json_t *path_or_null(unsigned path)
{
        return name_or_null(path == VIGIE_PATH_DATA ? "data" : path == VIGIE_PATH_SMS ? "sms" : NULL);
}

static json_t *alert_of(const struct vigie_alert_status *a)
{
        if (a->word == VIGIE_NOTHING)
                return json_null();
        return json_pack("{s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:o, "
                         "s:o}",
                         "word", name_or_null(vigie_word_name(a->word)), "id", id_of(a->id), "drill",
                         json_boolean(a->kind == ALERT_DRILL), "kind", alert_kind_name(a->kind), "category",
                         alert_category_name(a->category), "revision", (int)a->revision, "presses", (int)a->presses,
                         "trying", (int)a->trying, "still", (int)a->still, "mistake", (int)a->mistake, "pressed_at_ms",
                         (json_int_t)a->pressed_at_s * 1000, "sent_at_ms", (json_int_t)a->sent_at_ms, "sent_data_at_ms",
                         (json_int_t)a->sent_data_at_ms, "sent_sms_at_ms", (json_int_t)a->sent_sms_at_ms,
                         "received_at_ms", (json_int_t)a->received_at_ms, "received_path",
                         path_or_null(a->received_path), "state_at_ms", (json_int_t)a->state_at_s * 1000, "who",
                         text_of(a->who), "reason", name_or_null(close_reason_name(a->reason)));
}

static json_t *sms_of(const struct vigie_sms_status *sms)
{
        return json_pack("{s:o, s:b, s:I, s:I, s:i, s:o}", "modem", name_or_null(vigie_modem_name(sms->modem)),
                         "sending", (int)sms->sending, "good_at_ms", (json_int_t)sms->good_at_ms, "failed_at_ms",
                         (json_int_t)sms->failed_at_ms, "code", (int)sms->code, "failure",
                         name_or_null(sms->failed_at_ms != 0 ? cms_name(sms->code) : NULL));
}

static json_t *duty_of(const struct vigie_duty_status *d)
{
        static const char *const states[] = { "off", "asked", "on", "refused" };

        return json_pack("{s:s, s:i, s:b, s:o, s:o, s:o, s:I, s:I}", "state", states[d->state & 3], "code",
                         (int)d->code, "ends", (int)d->ends, "person", text_of(d->person), "round", text_of(d->round),
                         "name", text_of(d->name), "since_ms", (json_int_t)d->since_ms, "until_ms",
                         (json_int_t)d->until_s * 1000);
}

static json_t *proof_of(const struct vigie_proof_status *p)
{
        return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "running", (int)p->running, "recorded_at_ms",
                         (json_int_t)p->recorded_at_ms, "sent_at_ms", (json_int_t)p->sent_at_ms, "proved_at_ms",
                         (json_int_t)p->proved_at_ms, "fix_at_ms", (json_int_t)p->fix_at_ms, "sms_at_ms",
                         (json_int_t)p->sms_at_ms);
}

static json_t *marks_of(uint32_t marks)
{
        static const struct {
                uint32_t mark;
                const char *name;
        } names[] = {
                { RECORD_SILENT, "silent" },         { RECORD_DURESS, "duress" },
                { RECORD_DRILL, "drill" },           { RECORD_UNVERIFIED, "unverified" },
                { RECORD_MISTAKE, "mistake" },       { RECORD_PRESSED_AGAIN, "pressed_again" },
                { RECORD_EXHAUSTED, "exhausted" },   { RECORD_HOLDER_UNSURE, "holder_unsure" },
                { RECORD_LAST_WORDS, "last_words" }, { RECORD_STILL, "still" },
                { RECORD_NO_NEWS, "no_news" },
        };
        json_t *list = json_array();

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (marks & names[i].mark)
                        json_array_append_new(list, json_string(names[i].name));
        return list;
}

static json_t *ring_people(const struct vigie_ring *g)
{
        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "carrier", text_of(g->carrier_name), "number",
                         text_of(g->carrier_number), "round", text_of(g->round), "zone", text_of(g->zone_name), "owner",
                         text_of(g->owner_name), "closed_by", text_of(g->closed_by), "note", text_of(g->note),
                         "answer_who", text_of(g->answer_who));
}

static json_t *ring_of(const struct vigie_ring *g)
{
        json_t *json = ring_people(g);
        json_t *rest = json_pack("{s:o, s:i, s:i, s:o, s:s, s:s, s:o, s:i, s:I, s:I, s:I, s:I, s:o, s:o}", "id",
                                 id_of(g->id), "version", (int)g->version, "level", (int)g->level, "state",
                                 name_or_null(alert_state_name(g->state)), "kind", alert_kind_name(g->kind), "category",
                                 alert_category_name(g->category), "marks", marks_of(g->marks), "battery",
                                 (int)g->battery, "pressed_at_ms", (json_int_t)g->pressed_at_s * 1000, "raised_at_ms",
                                 (json_int_t)g->raised_at_ms, "changed_at_ms", (json_int_t)g->changed_at_ms,
                                 "heard_at_ms", (json_int_t)g->heard_at_ms, "place", place_of(g->has_place, &g->place),
                                 "distance_m", g->distance_m == UINT32_MAX ? json_null() : json_integer(g->distance_m));
        json_t *answer =
                json_pack("{s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "mine", (int)g->mine, "joined", (int)g->joined, "seen",
                          (int)g->seen, "reason", name_or_null(close_reason_name(g->reason)), "asking",
                          name_or_null(command_verb_name(g->asking)), "refused",
                          name_or_null(command_verb_name(g->refused)), "answer",
                          g->refused == 0 ? json_null()
                                          : name_or_null(g->answer == 255 ? "no_answer" : answer_code_name(g->answer)));

        json_object_update(json, rest);
        json_object_update(json, answer);
        json_decref(rest);
        json_decref(answer);
        return json;
}

static json_t *rings_of(const struct vigie_status *status)
{
        json_t *list = json_array();

        for (size_t i = 0; i < status->ring_count; i++)
                json_array_append_new(list, ring_of(&status->rings[i]));
        return list;
}

static json_t *opened_of(const struct vigie_status *status)
{
        static const char *const whys[] = { NULL, "alert", "overdue", "timer" };
        json_t *list = json_array();

        for (size_t i = 0; i < status->opened_count; i++) {
                const struct vigie_opened *o = &status->opened[i];
                bool known = o->why > 0 && o->why < sizeof(whys) / sizeof(whys[0]);

                json_array_append_new(list, json_pack("{s:I, s:s, s:b}", "at_ms", (json_int_t)o->at_ms, "why",
                                                      known ? whys[o->why] : "other", "read", (int)o->read));
        }
        return list;
}

json_t *view_status(const struct vigie_status *s, int64_t now_ms)
{
        static const char *const links[] = { "down", "connecting", "up", "welcome" };

        return json_pack(
                "{s:I, s:b, s:b, s:o, s:s, s:b, s:o, s:s, s:I, s:o, s:o, s:o, s:i, s:o, s:o, s:b, s:I, s:I, "
                "s:I, s:i, s:i, s:i, s:i, s:o, s:o, s:o}",
                "now_ms", (json_int_t)now_ms, "enrolled", (int)s->enrolled, "button", (int)s->button, "trouble",
                troubles(s->trouble), "role", s->role == VIGIE_SUPERVISOR ? "supervisor" : "carrier", "touching",
                (int)s->touching, "alert", alert_of(&s->alert), "link", links[s->link & 3], "link_at_ms",
                (json_int_t)s->link_at_ms, "region", text_of(s->region), "name", text_of(s->name), "fix",
                place_of(s->has_fix, &s->fix), "battery", (int)s->battery, "duty", duty_of(&s->duty), "proof",
                proof_of(&s->proof), "question", (int)s->question, "man_down_at_ms", (json_int_t)s->man_down_at_ms,
                "check_in_at_ms", (json_int_t)s->check_in_at_ms, "missed_at_ms", (json_int_t)s->missed_at_ms,
                "wrong_pins", (int)s->wrong_pins, "refused", (int)s->refused, "ring", (int)s->ring, "rings_more",
                (int)s->rings_more, "rings", rings_of(s), "sms", sms_of(&s->sms), "opened", opened_of(s));
}

const char *view_pattern_name(unsigned pattern)
{
        static const char *const names[] = { "stop", "rising", "leaving", "received", "taken", "message", "ask" };

        return pattern < sizeof(names) / sizeof(names[0]) ? names[pattern] : "stop";
}
