/* What each request gets.  PROTOCOL.md section 1. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console/exchange.h"
#include "console/pass_rule.h"
#include "console/server.h"

static void refuse(struct exchange *x, int status)
{
        if (x->server != NULL && x->wsi != NULL)
                x->server->counts.refused++;
        exchange_status(x, status);
}

static void send_body(struct exchange *x, const char *body, size_t len, const char *type)
{
        x->reply.status = 200;
        x->reply.type = type;
        x->reply.body = body;
        x->reply.len = len;
        exchange_reply(x);
}

static void send_file(struct exchange *x, const struct file *file)
{
        x->reply.etag = file->etag;
        x->reply.cache = "no-cache"; /* asked for each time, sent again when it changed */
        if (strcmp(x->if_none_match, file->etag) == 0) {
                x->reply.status = 304;
                exchange_reply(x);
        } else {
                send_body(x, file->data, file->len, file->type);
        }
}

/* ---- login */

static void to_page(struct exchange *x, const char *location)
{
        x->reply.status = 303;
        x->reply.location = location;
        x->reply.cache = "no-store";
        exchange_reply(x);
}

static void on_login(void *user, const struct gate_answer *answer)
{
        struct exchange *x = user;
        static const struct {
                int status;
                const char *word;
        } words[] = {
                [GATE_OK] = { 200, "ok" },     [GATE_WRONG] = { 401, "wrong" }, [GATE_WAIT] = { 429, "wait" },
                [GATE_BUSY] = { 503, "busy" }, [GATE_AWAY] = { 503, "away" },   [GATE_ROLE] = { 403, "role" },
        };
        int64_t wait_s = (answer->wait_ms + 999) / 1000;

        if (x->wsi == NULL) { /* gone meanwhile: the session, if there is one, ends by itself */
                exchange_unref(x);
                return;
        }
        if (answer->result == GATE_OK)
                session_set_cookie(answer->token, x->server->options.config->session_term_ms / 1000, x->reply.cookie);
        if (wait_s > 0)
                x->reply.retry_after_s = (int)wait_s;
        if (x->wants_json)
                exchange_json(x, words[answer->result].status, "{\"result\":\"%s\",\"wait_s\":%d}",
                              words[answer->result].word, (int)wait_s);
        else
                to_page(x, answer->result == GATE_OK ? "/" : "/login.html?refused");
        exchange_unref(x);
}

static void login(struct exchange *x)
{
        struct form form;

        if (form_read(x->content_type, x->body, x->body_len, &form) < 0) {
                refuse(x, 400);
                return;
        }
        x->wants_json = form.is_json;
        gate_login(x->server->options.gate, &form, x->address, on_login, exchange_ref(x));
}

/* cookie_hash: the hash of the session that the request brings.  Returns 0, -ENOENT. */
static int cookie_hash(const struct exchange *x, uint8_t hash[SESSION_HASH_SIZE])
{
        char token[SESSION_TOKEN_SIZE];

        if (session_from_cookies(x->cookies, token) < 0 || session_hash(token, hash) < 0)
                return -ENOENT;
        return 0;
}

static void logout(struct exchange *x)
{
        uint8_t hash[SESSION_HASH_SIZE];

        if (cookie_hash(x, hash) == 0) {
                if (store_session_drop(x->server->options.store, hash) < 0) {
                        refuse(x, 503);
                        return;
                }
                server_end_session(x->server, hash);
        }
        session_set_cookie(NULL, 0, x->reply.cookie);
        to_page(x, "/login.html");
}

/* ---- zones: for those who are logged in */

static void on_zones_session(void *user, int result, const struct session *session, const struct user_entry *entry)
{
        struct exchange *x = user;
        const struct outline *outline = x->wsi != NULL ? x->server->options.outline : NULL;

        if (outline == NULL) {
                /* gone meanwhile */
        } else if (result != 0 || !gate_has_page(entry->role)) {
                refuse(x, result == -EAGAIN ? 503 : 403);
        } else {
                const struct file file = { .type = "application/json", .data = outline->json, .len = outline->len };

                x->reply.etag = outline->etag;
                x->reply.cache = "private, no-cache";
                if (strcmp(x->if_none_match, outline->etag) == 0) {
                        x->reply.status = 304;
                        exchange_reply(x);
                } else {
                        send_body(x, file.data, file.len, file.type);
                }
        }
        exchange_unref(x);
}

static void zones(struct exchange *x)
{
        struct store_who who = { x, on_zones_session };
        uint8_t hash[SESSION_HASH_SIZE];

        if (cookie_hash(x, hash) < 0) {
                refuse(x, 403);
                return;
        }
        exchange_ref(x);
        if (store_session_get(x->server->options.store, hash, &who) < 0) {
                refuse(x, 503);
                exchange_unref(x);
        }
}

/* ---- the pass desk: edits by those who may, lists for everybody */

static void on_edited(void *user, int status, char *text)
{
        struct exchange *x = user;

        if (x->wsi == NULL || text == NULL) {
                free(text);
                if (x->wsi != NULL)
                        refuse(x, 503);
        } else {
                x->heap = text;
                x->reply.cache = "no-store";
                send_body(x, text, strlen(text), "application/json");
                x->reply.status = status;
        }
        exchange_unref(x);
}

static void on_edit_session(void *user, int result, const struct session *session, const struct user_entry *entry)
{
        struct exchange *x = user;
        struct viewer viewer = { 0 };

        if (x->wsi == NULL) {
                exchange_unref(x);
        } else if (result != 0 || !pass_may_edit(entry->role)) {
                on_edited(x, result == -EAGAIN ? 503 : 403,
                          strdup(result == -EAGAIN ? "{\"result\":\"away\"}" : "{\"result\":\"refused\"}"));
        } else {
                viewer.role = entry->role;
                strcpy(viewer.login, session->login);
                strcpy(viewer.person, entry->person[0] != '\0' ? entry->person : session->login);
                pass_desk_edit(x->server->options.passes, &viewer, x->large, x->body_len, on_edited, x);
        }
}

static void edit(struct exchange *x)
{
        struct store_who who = { x, on_edit_session };
        uint8_t hash[SESSION_HASH_SIZE];

        exchange_ref(x);
        if (x->large == NULL || cookie_hash(x, hash) < 0)
                on_edited(x, 403, strdup("{\"result\":\"refused\"}"));
        else if (store_session_get(x->server->options.store, hash, &who) < 0)
                on_edited(x, 503, strdup("{\"result\":\"away\"}"));
}

/* list: the newest signed list NAME. */
static void list(struct exchange *x, const char *name)
{
        struct cbor_span span;
        int r = pass_desk_list(x->server->options.passes, name, &span);

        if (r == 0 && (x->heap = malloc(span.len)) == NULL)
                r = -EAGAIN;
        if (r < 0 || files_etag((const char *)span.at, span.len, x->etag) < 0) {
                refuse(x, r == -ENOENT ? 404 : 503);
                return;
        }
        memcpy(x->heap, span.at, span.len);
        const struct file file = { .type = "application/cbor", .data = x->heap, .len = span.len };

        x->reply.etag = x->etag;
        x->reply.cache = "no-cache";
        if (strcmp(x->if_none_match, x->etag) == 0) {
                x->reply.status = 304;
                exchange_reply(x);
        } else {
                send_body(x, file.data, file.len, file.type);
        }
}

/* ---- all of them */

static void (*post_route(const char *path))(struct exchange *)
{
        static const struct {
                const char *path;
                void (*route)(struct exchange *);
        } posts[] = { { "/login", login }, { "/logout", logout }, { "/desk/edit", edit } };

        for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++)
                if (strcmp(path, posts[i].path) == 0)
                        return posts[i].route;
        return NULL;
}

/* head_refused: what no request may be; replied to. */
static bool head_refused(struct exchange *x)
{
        int status = 0;

        x->server->counts.requests++;
        if (!origins_has_host(&x->server->origins, x->host))
                status = 421;
        else if (x->method == METHOD_OTHER)
                status = 405;
        else if (x->method == METHOD_POST && !origins_has(&x->server->origins, x->origin))
                status = 403;
        else if (x->method == METHOD_POST && post_route(x->path) == NULL)
                status = files_find(x->server->options.files, x->path) != NULL ? 405 : 404;
        if (status == 0)
                return false;
        x->reply.ends = x->method != METHOD_GET;
        refuse(x, status);
        return true;
}

bool route_wants_body(struct exchange *x, size_t content_length)
{
        uint8_t hash[SESSION_HASH_SIZE];
        bool is_edit;
        int status = 0;

        if (x->method != METHOD_POST || head_refused(x))
                return false;
        is_edit = post_route(x->path) == edit;
        if (content_length > (is_edit ? EDIT_BODY_MAX : FORM_BODY_MAX))
                status = 413;
        else if (is_edit && cookie_hash(x, hash) < 0)
                status = 403; /* not worth reading */
        else if (is_edit && (x->server->edits == EDITS_MAX || (x->large = malloc(content_length + 1)) == NULL))
                status = 503;
        if (status != 0) {
                x->reply.ends = true;
                refuse(x, status);
                return false;
        }
        x->server->edits += is_edit;
        x->large_size = content_length;
        return true;
}

void route(struct exchange *x)
{
        const struct file *file;

        if (x->method == METHOD_POST) {
                post_route(x->path)(x);
                return;
        }
        if (head_refused(x))
                return;
        if (strcmp(x->path, "/zones.json") == 0)
                zones(x);
        else if (strcmp(x->path, "/caretaker") == 0)
                to_page(x, "/caretaker/");
        else if (strcmp(x->path, "/caretaker/data/status") == 0 || strcmp(x->path, "/caretaker/data/trust") == 0)
                list(x, strrchr(x->path, '/') + 1);
        else if ((file = files_find(x->server->options.files, x->path)) != NULL)
                send_file(x, file);
        else
                refuse(x, 404);
}
