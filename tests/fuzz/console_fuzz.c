/* What browsers send, and what of the feed ends in front of them, on any octets.  First octet: what the rest is. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "console/ask.h"
#include "console/form.h"
#include "console/pass_ask.h"
#include "console/session.h"
#include "console/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(bool condition)
{
        if (!condition)
                abort();
}

/* What a page asked is a command that the wire takes. */
static void check_ask(const char *text, size_t len)
{
        const struct viewer viewer = { .role = ROLE_SUPERVISOR, .login = "paul", .person = "paul" };
        struct command presence;
        uint8_t buf[COMMAND_MAX];
        struct ask ask;

        if (ask_read(text, len, &ask) < 0)
                return;
        if (ask.visible) {
                holds(ask_presence(&ask, &viewer, true, &presence) == 0);
                ask.command = presence;
        }
        ask_sign(&ask.command, &viewer, 1700000000000);
        holds(command_encode(&ask.command, buf, sizeof(buf)) > 0);
}

/* What the pass desk's page asked names nothing that is no id. */
static void check_pass_ask(const char *text, size_t len)
{
        struct pass_ask ask;
        struct handset_id id;

        if (pass_ask_read(text, len, &ask) < 0)
                return;
        holds(ask.verb < PASS_VERBS && ask.what < WHATS && ask.window_count <= PASS_WINDOWS_MAX);
        holds(ask.handset[0] == '\0' || handset_id_from_text(ask.handset, &id) == 0);
        holds(ask.carrier[0] == '\0' || (person_id_valid(ask.carrier) && person_id_valid(ask.round)));
}

static void check_form(const char *text, size_t len, const char *type)
{
        struct form form;

        if (form_read(type, text, len, &form) == 0)
                holds(form.login[0] == '\0' || person_id_valid(form.login));
}

static void check_cookies(const char *text, size_t len)
{
        char *copy = strndup(text, len), token[SESSION_TOKEN_SIZE];

        if (session_from_cookies(copy, token) == 0)
                holds(strlen(token) == SESSION_TOKEN_SIZE - 1);
        free(copy);
}

/* Whatever the feed brings, a page gets JSON. */
static void check_json(struct outbound *text)
{
        json_t *json = text != NULL ? json_loadb(outbound_text(text), text->len, JSON_REJECT_DUPLICATES, NULL) : NULL;

        holds(json != NULL);
        json_decref(json);
        outbound_unref(text);
}

static void check_feed(const uint8_t *data, size_t len, bool is_notice)
{
        static const struct change none;
        struct record record;
        struct notice notice;
        char ids[VIEW_IDS_SIZE];

        if (is_notice && notice_decode(data, len, &notice) == 0) {
                check_json(view_notice("key", &notice));
        } else if (!is_notice && record_decode(data, len, &record) == 0) {
                check_json(view_alert(&record, &none));
                holds(view_people_of_alert(&record, ids) <= sizeof(ids));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data + 1;

        if (size == 0)
                return 0;
        switch (data[0] % 7) {
        case 0:
                check_ask(text, size - 1);
                break;
        case 1:
                check_form(text, size - 1, "application/json");
                break;
        case 2:
                check_form(text, size - 1, "application/x-www-form-urlencoded");
                break;
        case 3:
                check_cookies(text, size - 1);
                break;
        case 6:
                check_pass_ask(text, size - 1);
                break;
        default:
                check_feed(data + 1, size - 1, data[0] % 7 == 5);
        }
        return 0;
}
