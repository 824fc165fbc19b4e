/* What every test of the console includes. */
#ifndef TESTS_CONSOLE_SUPPORT_H
#define TESTS_CONSOLE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/view.h"
#include "wire/alert.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An open alert of carrier c1 in state ASKED, its id all ID. */
static inline struct record *test_record(uint8_t id)
{
        static struct record r;

        r = (struct record){ .version = 1,
                             .state = ALERT_ASKED,
                             .kind = ALERT_PANIC,
                             .presses = 1,
                             .pressed_at_s = 1700000000,
                             .raised_at_ms = 1700000000500,
                             .changed_at_ms = 1700000000500,
                             .heard_at_ms = 1700000000500,
                             .battery = ALERT_BATTERY_UNKNOWN,
                             .due_ms = 1700000005500,
                             .paths = PATH_DATA };
        memset(r.id, id, sizeof(r.id));
        memcpy(r.handset, r.id, sizeof(r.handset));
        strcpy(r.carrier_id, "c1");
        strcpy(r.carrier_name, "Léa Martin");
        return &r;
}

static inline void test_ask(struct record *r, const char *id, const char *name)
{
        struct asked *a = &r->asked[r->asked_count++];

        *a = (struct asked){ .flags = ASKED_HANDSET, .asked_at_ms = 1700000001000, .distance_m = UINT32_MAX };
        strcpy(a->id, id);
        strcpy(a->name, name);
}

static inline struct viewer test_viewer(uint8_t role, const char *person)
{
        struct viewer v = { .role = role, .ends_ms = 1700040000000 };

        strcpy(v.login, person);
        strcpy(v.person, person);
        strcpy(v.name, "Somebody");
        strcpy(v.language, "fr");
        return v;
}

/* OUT (taken) as JSON; the test fails when it is none. */
static inline json_t *test_json(struct outbound *out)
{
        json_t *json;

        assert_non_null(out);
        json = json_loadb(outbound_text(out), out->len, JSON_REJECT_DUPLICATES, NULL);
        outbound_unref(out);
        assert_non_null(json);
        return json;
}

static inline const char *test_text(json_t *json, const char *name)
{
        json_t *value = json_object_get(json, name);

        return json_is_string(value) ? json_string_value(value) : json_is_null(value) ? "null" : "absent";
}

#endif
