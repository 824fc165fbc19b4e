#include "console/ask.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <openssl/rand.h>
#include <string.h>

#include "console/take.h"

static void take_position(struct take *f, struct command *command)
{
        struct take p = { .object = take_any(f, "position") };

        if (p.object == NULL || json_is_null(p.object))
                return;
        command->has_position = true;
        command->at.lat_e7 = (int32_t)lround(take_number(&p, "lat", -90, 90) * 1e7);
        command->at.lon_e7 = (int32_t)lround(take_number(&p, "lon", -180, 180) * 1e7);
        command->at.accuracy_m = (uint16_t)fmin(ceil(take_number(&p, "accuracy_m", 0, 1e9)), UINT16_MAX);
        command->at.at_s = take_seconds(&p, "at", true);
        f->bad |= !take_end(&p);
}

/* take_reason: CLOSE_OTHER and its like, by their stable names. */
static uint8_t take_reason(struct take *f)
{
        char name[32] = "";

        take_text(f, "reason", true, name, sizeof(name));
        for (unsigned reason = CLOSE_HELPED; reason <= CLOSE_OTHER; reason++)
                if (strcmp(name, close_reason_name((uint8_t)reason)) == 0)
                        return (uint8_t)reason;
        f->bad = true;
        return 0;
}

static void take_verb_fields(struct take *f, struct command *c)
{
        take_hex(f, "c", c->id, sizeof(c->id));
        switch (c->verb) {
        case COMMAND_TAKE:
        case COMMAND_JOIN:
                take_text(f, "owner", false, c->owner_seen, sizeof(c->owner_seen));
                break;
        case COMMAND_CLOSE:
                c->reason = take_reason(f);
                take_text(f, "note", false, c->note, sizeof(c->note));
                break;
        case COMMAND_DUTY_ON:
                c->until_s = take_seconds(f, "until", true);
                take_position(f, c);
                break;
        case COMMAND_ACK:
                take_text(f, "notice", true, c->notice, sizeof(c->notice));
                break;
        }
        if (c->verb != COMMAND_DUTY_ON && c->verb != COMMAND_DUTY_OFF && c->verb != COMMAND_ACK)
                take_hex(f, "alert", c->alert, sizeof(c->alert));
}

int ask_read(const char *text, size_t len, struct ask *ret_ask)
{
        struct take f = { .object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) };
        struct ask ask = { 0 };
        char t[16] = "";
        int verb;

        take_text(&f, "t", true, t, sizeof(t));
        if (strcmp(t, "visible") == 0) {
                ask.visible = true;
                take_position(&f, &ask.command);
        } else if ((verb = command_verb_parse(t)) > 0 && verb != COMMAND_PRESENCE) {
                ask.command.verb = (uint8_t)verb;
                take_verb_fields(&f, &ask.command);
        } else {
                f.bad = true;
        }
        f.bad = !take_end(&f);
        json_decref(f.object);
        if (f.bad)
                return -EBADMSG;
        *ret_ask = ask;
        return 0;
}

void ask_sign(struct command *command, const struct viewer *viewer, int64_t store_now_ms)
{
        command->expires_ms = store_now_ms + COMMAND_TERM_MS;
        command->role = viewer->role;
        strcpy(command->person, viewer->person);
        strcpy(command->login, viewer->login);
}

int ask_presence(const struct ask *ask, const struct viewer *viewer, bool on_duty, struct command *ret_command)
{
        struct command command = ask->command;

        if (viewer->role != ROLE_SUPERVISOR)
                return -EPERM;
        if (RAND_bytes(command.id, sizeof(command.id)) != 1)
                return -EIO;
        command.verb = COMMAND_PRESENCE;
        if (!on_duty) {
                command.has_position = false;
                memset(&command.at, 0, sizeof(command.at));
        }
        *ret_command = command;
        return 0;
}
