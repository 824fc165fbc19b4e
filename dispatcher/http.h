/* HTTP questions to one server, asked on the loop and never waited for: libcurl's multi interface on libuv.  Loop's
 * thread only. */
#ifndef DISPATCHER_HTTP_H
#define DISPATCHER_HTTP_H

#include <stddef.h>

struct loop;
struct http;

/* Questions under way; http_get gives -EBUSY for the next. */
#define HTTP_FLIGHTS_MAX 8
/* A question without its answer for so long has failed: smsbox answers in milliseconds. */
#define HTTP_TERM_MS     10000
/* Connections are kept for the next question, this many. */
#define HTTP_KEPT_MAX    HTTP_FLIGHTS_MAX

/* http_answered: what came of a question.
 *   status  of HTTP, 100..599; 0: no answer (no connection, too late, closed): it may or may not have been done
 *   why     static English words where 0 */
typedef void http_answered(void *user, int status, const char *why);

/* http_open: nothing is connected yet.  Returns 0, -ENOMEM.  libcurl's global state is made with the first. */
int http_open(struct loop *loop, struct http **ret_http);

/* http_close: questions under way are forgotten and their ANSWERED not called; NULL does nothing.  Memory goes in the
 * loop's next turns. */
void http_close(struct http *http);

/* http_get: ask URL; the body of the answer is thrown away.  ANSWERED is called once, never before this returns.
 * Returns 0, -EBUSY, -ENOMEM. */
int http_get(struct http *http, const char *url, http_answered *answered, void *user);

/* http_room: say how many questions more may be asked now. */
size_t http_room(const struct http *http);

#endif
