/* One record and people around it, for tests of the state table. */
#ifndef TESTS_DISPATCHER_SCENE_H
#define TESTS_DISPATCHER_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "dispatcher/ladder.h"

#define NOW INT64_C(1800000000000)

struct scene {
        struct directory people;
        struct alert_ground ground;
        struct alert_press press;
        struct alert_actor actor;
        struct command command;
        uint8_t event_id[EVENT_ID_SIZE];
        int64_t now_ms;
};

static inline void put_person(struct scene *scene, const char *id, bool on_duty, double lat_deg)
{
        struct supervisor_entry entry = { .number = "+33600000001" };
        struct duty_entry duty = { .since_ms = NOW };
        struct presence presence = { .at_ms = NOW, .by = PRESENCE_HANDSET, .has_position = true };
        struct person *person;

        record_set_text(entry.name, sizeof(entry.name), id);
        assert_int_equal(directory_put_person(&scene->people, id, &entry), 0);
        person = directory_person(&scene->people, id);
        if (!on_duty)
                return;
        presence.at =
                (struct track_point){ .at_s = NOW / 1000, .lat_e7 = (int32_t)(lat_deg * 1e7), .lon_e7 = 48500000 };
        person_set_duty(&scene->people, person, &duty);
        person_set_presence(&scene->people, person, &presence);
}

static inline int set_up(void **state)
{
        static struct scene scene;

        memset(&scene, 0, sizeof(scene));
        assert_int_equal(directory_init(&scene.people, 1), 0);
        scene.now_ms = NOW;
        scene.ground = (struct alert_ground){ .people = &scene.people, .hearing_since_ms = NOW };
        put_person(&scene, "anna", true, 45.751);
        put_person(&scene, "bob", true, 45.752);
        put_person(&scene, "cleo", true, 45.753);
        put_person(&scene, "zoe", true, 46.9);
        memset(scene.press.id, 7, ALERT_ID_SIZE);
        memset(scene.press.handset, 7, HANDSET_ID_SIZE);
        scene.press.alert = (struct alert){ .pressed_at_s = NOW / 1000,
                                            .has_fix = true,
                                            .lat_e7 = 457500000,
                                            .lon_e7 = 48500000,
                                            .fix_age_s = 2,
                                            .battery_percent = 50 };
        scene.press.paths = PATH_DATA;
        *state = &scene;
        return 0;
}

static inline int tear_down(void **state)
{
        struct scene *scene = *state;

        directory_free(&scene->people);
        return 0;
}

static inline void act_as(struct scene *scene, const char *person, bool control)
{
        scene->actor = (struct alert_actor){ .control = control };
        record_set_text(scene->actor.person, sizeof(scene->actor.person), person);
        record_set_text(scene->actor.name, sizeof(scene->actor.name), person);
}

/* Apply EVENT; every call is another event. */
static inline int apply(struct scene *scene, struct record *record, enum alert_event event)
{
        struct alert_change change = { .event = event,
                                       .now_ms = scene->now_ms,
                                       .at_ms = scene->now_ms,
                                       .event_id = scene->event_id,
                                       .press = &scene->press,
                                       .actor = &scene->actor,
                                       .command = &scene->command,
                                       .merged = event == EVENT_SMS };

        scene->event_id[0]++;
        return alert_apply(record, &change, &scene->ground);
}

static inline int command(struct scene *scene, struct record *record, uint8_t verb)
{
        scene->command.verb = verb;
        if (verb == COMMAND_CLOSE)
                scene->command.reason = CLOSE_HELPED;
        return apply(scene, record, alert_event_of(verb));
}

/* A record in STATE, taken by anna where somebody has it. */
static inline struct record record_in(struct scene *scene, enum alert_state state)
{
        struct record record = { 0 };

        if (state == 0)
                return record;
        if (state == ALERT_RAISED) { /* nobody can be asked: all off duty */
                scene->press.why = UNVERIFIED_UNKNOWN;
                assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
                scene->press.why = UNVERIFIED_NOT;
                record.marks = 0;
                record.why_unverified = 0;
                return record;
        }
        assert_int_equal(apply(scene, &record, EVENT_RAISE), 1);
        act_as(scene, "anna", false);
        if (state == ALERT_SEEN)
                assert_int_equal(command(scene, &record, COMMAND_SEEN), 1);
        if (state >= ALERT_TAKEN)
                assert_int_equal(command(scene, &record, COMMAND_TAKE), 1);
        if (state == ALERT_EN_ROUTE)
                assert_int_equal(command(scene, &record, COMMAND_EN_ROUTE), 1);
        if (state == ALERT_ON_SCENE)
                assert_int_equal(command(scene, &record, COMMAND_ON_SCENE), 1);
        if (state == ALERT_CLOSED)
                assert_int_equal(command(scene, &record, COMMAND_CLOSE), 1);
        return record;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
