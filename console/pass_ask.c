#include "console/pass_ask.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "console/take.h"

static const char *const verbs[PASS_VERBS] = {
        [PASS_FIND] = "desk_find",   [PASS_GET] = "desk_get",         [PASS_ISSUE] = "pass_issue",
        [PASS_ASKED] = "pass_asked", [PASS_CONSENT] = "pass_consent", [PASS_REVOKE] = "pass_revoke",
        [PASS_LOST] = "phone_lost",  [PASS_UNLOCK] = "phone_unlock",
};

static const char *const whats[WHATS] = {
        [WHAT_CARRIER] = "carrier", [WHAT_ROUND] = "round",     [WHAT_BUILDING] = "building",
        [WHAT_PASS] = "pass",       [WHAT_CONSENT] = "consent", [WHAT_ASKED] = "asked",
        [WHAT_UNLOCK] = "unlock",   [WHAT_SHARED] = "shared",   [WHAT_PHONE] = "phone",
};

const char *pass_what_name(enum pass_what what)
{
        return whats[what];
}

/* take_name: one of NAMES; gives its place. */
static unsigned take_name(struct take *t, const char *field, const char *const *names, unsigned count)
{
        char text[16];

        take_text(t, field, true, text, sizeof(text));
        for (unsigned i = 0; i < count; i++)
                if (strcmp(text, names[i]) == 0)
                        return i;
        t->bad = true;
        return 0;
}

/* take_id: 16 hex digits, kept as text: the field of a hash. */
static void take_id(struct take *t, const char *name, char to[HANDSET_ID_TEXT])
{
        uint8_t id[HANDSET_ID_SIZE] = { 0 };

        take_hex(t, name, id, sizeof(id));
        hex_encode(id, sizeof(id), to);
}

static void take_person(struct take *t, const char *name, char to[PERSON_ID_MAX + 1])
{
        take_text(t, name, true, to, PERSON_ID_MAX + 1);
        if (!person_id_valid(to))
                t->bad = true;
}

static uint32_t window_end(struct take *t, json_t *value)
{
        json_int_t ms = json_integer_value(value);

        if (!json_is_integer(value) || ms / 1000 < TAKE_MIN_S || ms / 1000 > TAKE_MAX_S) {
                t->bad = true;
                return 0;
        }
        return (uint32_t)(ms / 1000);
}

static void take_windows(struct take *t, struct pass_ask *ask)
{
        json_t *list = take_any(t, "windows");

        if (list == NULL)
                return;
        if (!json_is_array(list) || json_array_size(list) > PASS_WINDOWS_MAX) {
                t->bad = true;
                return;
        }
        for (size_t i = 0; i < json_array_size(list); i++) {
                json_t *pair = json_array_get(list, i);

                if (json_array_size(pair) != 2)
                        t->bad = true;
                ask->windows[i] = (struct pass_window){ window_end(t, json_array_get(pair, 0)),
                                                        window_end(t, json_array_get(pair, 1)) };
        }
        ask->window_count = (uint8_t)json_array_size(list);
}

static void take_issue(struct take *t, struct pass_ask *ask)
{
        take_person(t, "carrier", ask->carrier);
        take_person(t, "round", ask->round);
        take_id(t, "handset", ask->handset);
        ask->from_s = take_seconds(t, "from", false);
        ask->until_s = take_seconds(t, "until", false);
        take_windows(t, ask);
}

static void take_get(struct take *t, struct pass_ask *ask)
{
        ask->what = (enum pass_what)take_name(t, "what", whats, WHATS);
        if (ask->what == WHAT_ROUND)
                take_person(t, "id", ask->id);
        else if (ask->what == WHAT_BUILDING || ask->what == WHAT_PASS || ask->what == WHAT_PHONE)
                take_id(t, "id", ask->id);
        else
                t->bad = true;
}

static void take_verb(struct take *t, struct pass_ask *ask)
{
        switch (ask->verb) {
        case PASS_FIND:
                ask->what = (enum pass_what)take_name(t, "what", whats, WHAT_PHONE);
                take_text(t, "words", true, ask->words, sizeof(ask->words));
                break;
        case PASS_GET:
                take_get(t, ask);
                break;
        case PASS_ISSUE:
                take_issue(t, ask);
                break;
        case PASS_CONSENT:
                take_id(t, "consent", ask->id);
                ask->yes = take_bool(t, "yes");
                break;
        case PASS_REVOKE:
                take_id(t, "pass", ask->id);
                break;
        case PASS_UNLOCK:
                take_hex(t, "challenge", ask->challenge, sizeof(ask->challenge));
                take_id(t, "handset", ask->handset);
                break;
        case PASS_ASKED:
                ask->yes = take_bool(t, "yes");
                take_id(t, "handset", ask->handset);
                break;
        default:
                take_id(t, "handset", ask->handset);
        }
}

int pass_ask_read(const char *text, size_t len, struct pass_ask *ret_ask)
{
        struct take t = { .object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) };
        struct pass_ask ask = { 0 };
        bool good;

        ask.verb = (enum pass_verb)take_name(&t, "t", verbs, PASS_VERBS);
        take_hex(&t, "c", ask.command, sizeof(ask.command));
        if (!t.bad)
                take_verb(&t, &ask);
        good = take_end(&t);
        json_decref(t.object);
        if (!good)
                return -EBADMSG;
        *ret_ask = ask;
        return 0;
}
