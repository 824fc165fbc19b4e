/* One HTTP request and its reply.  It lives on the heap, because the store may answer after the connection is gone: the
 * socket and each question to the store hold a reference. */
#ifndef CONSOLE_EXCHANGE_H
#define CONSOLE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "console/form.h"
#include "console/limit.h"
#include "console/session.h"

struct lws;
struct server;

/* Octets of a request's path, of its Cookie header, and of the other headers we read.  Longer ones get 400. */
#define EXCHANGE_PATH_MAX   256
#define EXCHANGE_COOKIE_MAX 2048
#define EXCHANGE_HEADER_MAX 256

enum exchange_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

/* An edit of the pass desk (PROTOCOL.md 7.6): a region's buildings and rounds.  More gets 413; so many at once, more get 503. */
#define EDIT_BODY_MAX (8 * 1024 * 1024)
#define EDITS_MAX     4

/* What is sent back.  Texts are literals or belong to whoever outlives the exchange (files, outline), but `own`. */
struct reply {
        int status;
        const char *type, *etag, *cache, *location;
        char cookie[SESSION_SET_COOKIE_SIZE]; /* "" = none */
        int retry_after_s;                    /* 0 = none */
        const char *body;
        size_t len;
        char own[512];
        bool ends; /* close the connection after it: what follows on it cannot be trusted to be a request */
};

struct exchange {
        unsigned refs;
        struct lws *wsi;       /* NULL once the connection is gone */
        struct server *server; /* good while wsi is not NULL */
        enum exchange_method method;
        char path[EXCHANGE_PATH_MAX], origin[EXCHANGE_HEADER_MAX], host[EXCHANGE_HEADER_MAX];
        char content_type[EXCHANGE_HEADER_MAX], if_none_match[EXCHANGE_HEADER_MAX];
        char cookies[EXCHANGE_COOKIE_MAX], address[LIMIT_ADDRESS_SIZE];
        bool wants_json; /* logging in by our page's script */
        char body[FORM_BODY_MAX];
        char *large; /* instead of `body`, of large_size octets: an edit's */
        size_t body_len, large_size;

        bool replied, head_sent;
        size_t sent;
        struct reply reply;
        char *heap; /* a reply's body that is its own: freed with it */
        char etag[20];
};

/* exchange_new: for the request on WSI, with one reference.  NULL when memory is short. */
struct exchange *exchange_new(struct server *server, struct lws *wsi);
/* exchange_ref: one more; gives it back.  exchange_unref: one less; the last frees.  NULL does nothing. */
struct exchange *exchange_ref(struct exchange *x);
void exchange_unref(struct exchange *x);

/* exchange_reply: the reply is there: X->reply is filled in; wakes the connection, if it still is. */
void exchange_reply(struct exchange *x);
/* exchange_status: reply with a status and a short plain text. */
void exchange_status(struct exchange *x, int status);
/* exchange_json: reply with STATUS and a JSON text of `own` size at most; never cached. */
void exchange_json(struct exchange *x, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* route: decide on a request whose head (GET) or whole body (POST) is there; replies now or later. */
void route(struct exchange *x);

/* route_wants_body: say whether the request, whose head is there, is one whose body shall be read; else it is replied
 * to. */
bool route_wants_body(struct exchange *x, size_t content_length);

#endif
