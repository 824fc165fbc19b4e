#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/loop.h"
#include "device/handset/host/passes_state.h"
#include "device/handset/host/words.h"

#define MINUTES_MIN 1
#define MINUTES_MAX 480 /* VIGIE_ON_ENTERED: 28,800 s */

const char passes_words_help[] =
        "  pin set PIN [DURESS]          the first PIN, or another one while the vault is open\n"
        "  unlock PIN | lock             open the vault, for ten minutes after its last use; close it\n"
        "  forgot                        draw the number that your supervisor needs to unlock the phone\n"
        "  buildings PASS [FROM]         of a pass, the nearest first, 256 at a time\n"
        "  show PASS BUILDING [scanner|caretaker] | hide\n"
        "  door [away]                   hold the phone to the door's reader (nfc.vpcd)\n"
        "  ask-pass ROUND HH:MM          ask the pass desk for a pass until then\n"
        "  entered BUILDING MINUTES | left\n"
        "                                the quiet timer: not out by then, you are asked, then it is an alert\n";

struct asked {
        struct passes *p;
        const char *const *words;
        size_t count;
        json_t *answer;
};

static void refuse(struct asked *a, const char *why)
{
        a->answer = json_pack("{s:b, s:s}", "ok", 0, "why", why);
}

/* What a call of the safe came to, in words. */
static void answer(struct asked *a, int r)
{
        static const struct {
                int error;
                const char *why;
        } reasons[] = {
                { -EBUSY, "a PIN is being checked, or the vault is being written" },
                { -EAGAIN, "wrong PINs: wait; the status says how long" },
                { -EPERM, "that is not possible as the vault is now" },
                { -ENOENT, "no PIN was set yet: pin set PIN" },
                { -EINVAL, "not a PIN that can be used: 4 to 8 digits, not simple, the duress PIN as long and not near" },
        };

        if (r == 0) {
                a->answer = json_pack("{s:b}", "ok", 1);
                return;
        }
        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
                if (r == reasons[i].error) {
                        refuse(a, reasons[i].why);
                        return;
                }
        refuse(a, strerror(-r));
}

/* ---- the vault */

static void ask_pin(struct asked *a)
{
        if (a->count < 3 || a->count > 4 || strcmp(a->words[1], "set") != 0)
                refuse(a, "pin: set PIN [DURESS] is expected after it");
        else
                answer(a, safe_set(a->p->safe, a->words[2], a->count == 4 ? a->words[3] : ""));
}

static void ask_unlock(struct asked *a)
{
        if (a->count != 2)
                refuse(a, "unlock: the PIN is expected after it");
        else
                answer(a, safe_unlock(a->p->safe, a->words[1]));
}

static void ask_lock(struct asked *a)
{
        safe_lock(a->p->safe);
        answer(a, 0);
}

static void ask_forgot(struct asked *a)
{
        answer(a, safe_forgot(a->p->safe));
}

/* ---- passes */

/* The pass that word 1 names; NULL after refusing. */
static struct content_pass *pass_of(struct asked *a, int *ret_place)
{
        struct content *content = safe_content(a->p->safe);
        uint8_t id[PASS_ID_SIZE];

        if (content == NULL) {
                refuse(a, "the vault is locked: unlock PIN");
                return NULL;
        }
        if (a->count < 2 || hex_decode(a->words[1], id, sizeof(id)) < 0 ||
            (*ret_place = content_find(content, id)) < 0) {
                refuse(a, "no such pass (16 hex digits)");
                return NULL;
        }
        return content->passes[*ret_place];
}

static void ask_buildings(struct asked *a)
{
        struct vigie_status *core = malloc(sizeof(*core));
        int place;
        struct content_pass *pass = core != NULL ? pass_of(a, &place) : NULL;
        long from = pass != NULL && a->count == 3 ? strtol(a->words[2], NULL, 10) : 0;

        if (pass != NULL && (a->count > 3 || from < 0 || (size_t)from >= pass->parcel.count))
                refuse(a, "buildings: PASS and where to begin are expected");
        else if (pass != NULL) {
                vigie_status(a->p->host->vigie, core);
                a->answer = json_pack("{s:b, s:i, s:o}", "ok", 1, "building_count", (int)pass->parcel.count, "buildings",
                                      view_buildings(pass, core, (size_t)from, PASSES_LISTED_MAX));
        }
        free(core);
}

static uint8_t class_of(const struct asked *a, const struct pass *pass)
{
        const char *way = a->count == 4 ? a->words[3] : (pass->policy & PASS_CARETAKER) ? "caretaker" : "scanner";

        if (!(pass->policy & PASS_ONE_WAY))
                return 0;
        if (strcmp(way, "caretaker") == 0)
                return (pass->policy & PASS_CARETAKER) ? DOOR_PAGE : 0;
        return strcmp(way, "scanner") == 0 || strcmp(way, "--qr") == 0 ? DOOR_SCANNER : 0;
}

static void ask_show(struct asked *a)
{
        uint8_t id[BUILDING_ID_SIZE], class;
        int place, building;
        struct content_pass *pass = pass_of(a, &place);
        uint32_t now_s = passes_now_s();

        if (pass == NULL)
                return;
        if (a->count < 3 || a->count > 4 || hex_decode(a->words[2], id, sizeof(id)) < 0 ||
            (building = content_find_building(pass, id)) < 0)
                refuse(a, "show: PASS, BUILDING (16 hex digits each, of that pass) are expected after it");
        else if ((class = class_of(a, &pass->pass)) == 0)
                refuse(a, "show: this pass is not to be shown that way");
        else if (now_s > pass->pass.not_after_s)
                refuse(a, "show: this pass is over");
        else {
                safe_use(a->p->safe);
                shown_begin(a->p, (size_t)place, (size_t)building, class);
                answer(a, 0);
        }
}

static void ask_hide(struct asked *a)
{
        shown_end(a->p);
        passes_show(a->p);
        answer(a, 0);
}

static void ask_door(struct asked *a)
{
        struct passes *p = a->p;
        bool away = a->count == 2 && strcmp(a->words[1], "away") == 0;

        if (p->card == NULL)
                refuse(a, "door: no reader is configured (nfc.vpcd)");
        else if (a->count > 1 && !away)
                refuse(a, "door: away, or nothing, is expected after it");
        else {
                int r = 0;

                card_away(p->card);
                memset(&p->door, 0, sizeof(p->door));
                if (!away && (r = card_hold(p->card)) < 0)
                        p->door.trouble = "no_reader";
                passes_show(p);
                answer(a, r);
        }
}

/* ---- what the core is told */

static void run(struct asked *a, struct vigie_event *event)
{
        answer(a, host_run_event(a->p->host, *event));
}

static void ask_ask_pass(struct asked *a)
{
        struct vigie_event event = { .type = VIGIE_ON_ASK_PASS };

        if (a->count != 3 || a->words[1][0] == 0 || strlen(a->words[1]) >= VIGIE_PERSON_SIZE ||
            words_clock(a->words[2], clock_utc_ms(), &event.u.ask_pass.until_s) < 0) {
                refuse(a, "ask-pass: ROUND and HH:MM are expected after it");
                return;
        }
        strcpy(event.u.ask_pass.round, a->words[1]);
        run(a, &event);
}

/* The building's own place goes with the timer, where the vault is open and has it. */
static void place_of(struct passes *p, const uint8_t building[BUILDING_ID_SIZE], struct vigie_event *event)
{
        const struct content *content = safe_content(p->safe);
        int pass = content != NULL ? content_for(content, building, passes_now_s()) : -1;
        const struct parcel_building *b;

        p->entered_name[0] = 0;
        if (pass < 0)
                return;
        b = &content->passes[pass]->parcel.buildings[content_find_building(content->passes[pass], building)];
        strcpy(p->entered_name, b->name);
        event->u.entered.has_place = b->has_place;
        event->u.entered.place.lat_e7 = b->lat_e7;
        event->u.entered.place.lon_e7 = b->lon_e7;
        event->u.entered.place.accuracy_m = 30;
        event->u.entered.place.at_s = passes_now_s();
        if (!b->has_place)
                memset(&event->u.entered.place, 0, sizeof(event->u.entered.place));
}

static void ask_entered(struct asked *a)
{
        struct vigie_event event = { .type = VIGIE_ON_ENTERED };
        uint8_t building[BUILDING_ID_SIZE];
        char *end = NULL;
        long minutes = a->count == 3 ? strtol(a->words[2], &end, 10) : 0;

        if (end == NULL || *end != 0 || minutes < MINUTES_MIN || minutes > MINUTES_MAX ||
            hex_decode(a->words[1], building, sizeof(building)) < 0) {
                refuse(a, "entered: BUILDING (16 hex digits) and 1 to 480 minutes are expected after it");
                return;
        }
        event.u.entered.in_s = (uint32_t)minutes * 60;
        place_of(a->p, building, &event);
        safe_use(a->p->safe);
        run(a, &event);
}

static void ask_left(struct asked *a)
{
        run(a, &(struct vigie_event){ .type = VIGIE_ON_DEADLINE, .u.deadline.what = VIGIE_DEADLINE_CLEAR });
}

static const struct {
        const char *word;
        void (*ask)(struct asked *a);
} table[] = {
        { "pin", ask_pin },           { "unlock", ask_unlock }, { "lock", ask_lock },
        { "forgot", ask_forgot },     { "show", ask_show },     { "hide", ask_hide },
        { "buildings", ask_buildings }, { "door", ask_door },     { "ask-pass", ask_ask_pass },
        { "entered", ask_entered },   { "left", ask_left },
};

bool passes_ask(struct passes *passes, const char *const *words, size_t count, json_t **ret_answer)
{
        struct asked a = { passes, words, count, NULL };

        for (size_t i = 0; count > 0 && i < sizeof(table) / sizeof(table[0]); i++) {
                if (strcmp(words[0], table[i].word) != 0)
                        continue;
                if (passes->wiped)
                        refuse(&a, "this phone was wiped");
                else
                        table[i].ask(&a);
                *ret_answer = a.answer;
                return true;
        }
        return false;
}
