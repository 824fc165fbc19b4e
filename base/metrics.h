/* Metrics: the program keeps its counters, gauges and histograms as plain members of its own state; the registry
 * knows their names and where they lie, and writes them as Prometheus text.  Loop's thread only. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

struct loop;
struct metrics;
struct metrics_server;

/* Metrics of one program: the largest has some 80.  The registration that does not fit gives -ENOBUFS. */
#define METRICS_MAX             256
/* Text of one answer: 256 metrics, some of them histograms of 24 lines.  What does not fit gives -ENOBUFS, and 500 to
 * the reader. */
#define METRICS_TEXT_MAX        (1024 * 1024)
/* The answerer: one Prometheus and a person or two.  A request longer than 2 KiB gets 431, the 17th connection is
 * closed at once, one that has not been answered in 5 s is closed. */
#define METRICS_REQUEST_MAX     2048
#define METRICS_CONNECTIONS_MAX 16
#define METRICS_TIMEOUT_MS      5000

/* metrics_new: an empty registry.  Returns 0 or -ENOMEM. */
int metrics_new(struct metrics **ret_metrics);

/* metrics_free: after the server that borrows it; NULL does nothing. */
void metrics_free(struct metrics *metrics);

/* What a metric is called.  All texts are borrowed for ever: literals. */
struct metrics_name {
        const char *name;   /* [a-z_]+: "vigie_alerts_raised_total"; durations end in _seconds */
        const char *labels; /* `kind="panic"`, or NULL.  Those of one name are registered one after the other */
        const char *help;   /* one line */
};

/* metrics_counter: register a number that only rises.  The value is borrowed until metrics_free.  Returns 0 or
 * -ENOBUFS. */
int metrics_counter(struct metrics *metrics, struct metrics_name name, const uint64_t *value);

/* metrics_gauge: register a number that may fall.  As metrics_counter. */
int metrics_gauge(struct metrics *metrics, struct metrics_name name, const int64_t *value);

/* metrics_histogram: register durations, counted in us and written in seconds.  As metrics_counter. */
int metrics_histogram(struct metrics *metrics, struct metrics_name name, const struct histogram *value);

/* metrics_on_scrape: call FN before each text is written, so that gauges can be brought up to date.  NULL = none. */
void metrics_on_scrape(struct metrics *metrics, void (*fn)(void *user), void *user);

/* metrics_health: what GET /health asks: FN gives NULL when all is well, else a short reason (then the answer is 503).
 * Without it /health is always well. */
void metrics_health(struct metrics *metrics, const char *(*fn)(void *user), void *user);

/* metrics_text: write all metrics in Prometheus text format 0.0.4.
 *   ret_text  malloc'ed, NUL at its end; the caller frees it
 * Returns 0, -ENOMEM, -ENOBUFS (over METRICS_TEXT_MAX). */
int metrics_text(struct metrics *metrics, char **ret_text, size_t *ret_len);

/* metrics_serve: answer GET /metrics and GET /health on 127.0.0.1:PORT.
 *   metrics     borrowed until metrics_server_close
 *   port        1..65535; 0 = off: ret_server is NULL and 0 is returned
 * Returns 0, -EADDRINUSE, -ENOMEM or another errno of libuv. */
int metrics_serve(struct loop *loop, struct metrics *metrics, int port, struct metrics_server **ret_server);

/* metrics_server_close: stop answering; NULL does nothing.  The memory goes in the loop's next turns: before
 * loop_close. */
void metrics_server_close(struct metrics_server *server);

#endif
