#include "console/exchange.h"

#include <assert.h>
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exchange *exchange_new(struct server *server, struct lws *wsi)
{
        struct exchange *x = calloc(1, sizeof(*x));

        if (x == NULL)
                return NULL;
        x->refs = 1;
        x->server = server;
        x->wsi = wsi;
        return x;
}

struct exchange *exchange_ref(struct exchange *x)
{
        x->refs++;
        return x;
}

void exchange_unref(struct exchange *x)
{
        if (x == NULL)
                return;
        assert(x->refs > 0);
        if (--x->refs > 0)
                return;
        free(x->large);
        free(x->heap);
        OPENSSL_cleanse(x, sizeof(*x)); /* it may hold a password or a token */
        free(x);
}

void exchange_reply(struct exchange *x)
{
        assert(!x->replied);
        x->replied = true;
        if (x->reply.len == 0)
                x->reply.body = NULL;
        if (x->wsi != NULL)
                lws_callback_on_writable(x->wsi);
}

static const char *status_text(int status)
{
        switch (status) {
        case 304:
                return "";
        case 400:
                return "bad request\n";
        case 403:
                return "not from our own pages\n";
        case 404:
                return "not found\n";
        case 405:
                return "method not allowed\n";
        case 411:
                return "length required\n";
        case 413:
                return "too large\n";
        case 421:
                return "not the name of this server\n";
        default:
                return "unavailable\n";
        }
}

void exchange_status(struct exchange *x, int status)
{
        x->reply.status = status;
        x->reply.type = "text/plain; charset=utf-8";
        x->reply.cache = "no-store";
        x->reply.body = status_text(status);
        x->reply.len = strlen(x->reply.body);
        exchange_reply(x);
}

void exchange_json(struct exchange *x, int status, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        vsnprintf(x->reply.own, sizeof(x->reply.own), format, ap);
        va_end(ap);
        x->reply.status = status;
        x->reply.type = "application/json";
        x->reply.cache = "no-store";
        x->reply.body = x->reply.own;
        x->reply.len = strlen(x->reply.own);
        exchange_reply(x);
}
