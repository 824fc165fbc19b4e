/* libwebsockets' callback for HTTP: reads heads and bodies into an exchange, writes replies. */
#ifndef CONSOLE_HTTP_H
#define CONSOLE_HTTP_H

#include <libwebsockets.h>

/* What lws keeps per connection. */
struct http_session {
        struct exchange *exchange; /* the request under way, or NULL */
};

/* http_callback: as lws calls it.  protocols[0]: plain requests, and upgrades that ask for no protocol, which are
 * refused. */
int http_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* http_header: the header TOKEN into TO; "" when it is missing.  Returns 0, -EMSGSIZE. */
int http_header(struct lws *wsi, enum lws_token_indexes token, char *to, size_t size);

#endif
