#include "base/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics_server.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct metric {
        enum kind kind;
        struct metrics_name name;
        const void *value;
};

struct metrics {
        size_t count;
        struct metric metric[METRICS_MAX];
        void (*scrape)(void *user);
        void *scrape_user;
        const char *(*health)(void *user);
        void *health_user;
};

int metrics_new(struct metrics **ret_metrics)
{
        *ret_metrics = calloc(1, sizeof(**ret_metrics));
        return *ret_metrics != NULL ? 0 : -ENOMEM;
}

void metrics_free(struct metrics *metrics)
{
        free(metrics);
}

static int add(struct metrics *metrics, enum kind kind, struct metrics_name name, const void *value)
{
        if (metrics->count == METRICS_MAX)
                return -ENOBUFS;
        metrics->metric[metrics->count++] = (struct metric){ kind, name, value };
        return 0;
}

int metrics_counter(struct metrics *metrics, struct metrics_name name, const uint64_t *value)
{
        return add(metrics, COUNTER, name, value);
}

int metrics_gauge(struct metrics *metrics, struct metrics_name name, const int64_t *value)
{
        return add(metrics, GAUGE, name, value);
}

int metrics_histogram(struct metrics *metrics, struct metrics_name name, const struct histogram *value)
{
        return add(metrics, HISTOGRAM, name, value);
}

void metrics_on_scrape(struct metrics *metrics, void (*fn)(void *user), void *user)
{
        metrics->scrape = fn;
        metrics->scrape_user = user;
}

void metrics_health(struct metrics *metrics, const char *(*fn)(void *user), void *user)
{
        metrics->health = fn;
        metrics->health_user = user;
}

const char *metrics_unwell(struct metrics *metrics)
{
        return metrics->health != NULL ? metrics->health(metrics->health_user) : NULL;
}

/* The text as it grows. */
struct text {
        char *data;
        size_t len, size;
        int error;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *fmt, ...)
{
        va_list args;
        int len;

        if (text->error < 0)
                return;
        if (text->size - text->len < 1024) { /* one line is shorter */
                size_t size = text->size == 0 ? 16 * 1024 : text->size * 2;
                char *data = size <= METRICS_TEXT_MAX ? realloc(text->data, size) : NULL;

                if (data == NULL) {
                        text->error = size <= METRICS_TEXT_MAX ? -ENOMEM : -ENOBUFS;
                        return;
                }
                text->data = data;
                text->size = size;
        }
        va_start(args, fmt);
        len = vsnprintf(text->data + text->len, text->size - text->len, fmt, args);
        va_end(args);
        if (len < 0 || (size_t)len >= text->size - text->len)
                text->error = -ENOBUFS;
        else
                text->len += (size_t)len;
}

static void put_histogram(struct text *text, const struct metrics_name *name, const struct histogram *h)
{
        const char *labels = name->labels != NULL ? name->labels : "", *comma = name->labels != NULL ? "," : "";
        const char *open = name->labels != NULL ? "{" : "", *close = name->labels != NULL ? "}" : "";

        /* 128 us to 134 s by doubling; Prometheus counts up to and including the edge */
        for (int shift = 7; shift <= 27; shift++) {
                uint64_t edge = UINT64_C(1) << shift;

                put(text, "%s_bucket{%s%sle=\"%.6f\"} %" PRIu64 "\n", name->name, labels, comma, (double)edge / 1e6,
                    histogram_count_to(h, edge));
        }
        put(text, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name->name, labels, comma, h->count);
        put(text, "%s_sum%s%s%s %.6f\n", name->name, open, labels, close, (double)h->sum_us / 1e6);
        put(text, "%s_count%s%s%s %" PRIu64 "\n", name->name, open, labels, close, h->count);
}

static void put_metric(struct text *text, const struct metric *metric, bool first)
{
        static const char *const types[] = { "counter", "gauge", "histogram" };
        const struct metrics_name *name = &metric->name;

        if (first)
                put(text, "# HELP %s %s\n# TYPE %s %s\n", name->name, name->help, name->name, types[metric->kind]);
        if (metric->kind == HISTOGRAM) {
                put_histogram(text, name, metric->value);
                return;
        }
        put(text, "%s%s%s%s ", name->name, name->labels != NULL ? "{" : "", name->labels != NULL ? name->labels : "",
            name->labels != NULL ? "}" : "");
        if (metric->kind == COUNTER)
                put(text, "%" PRIu64 "\n", *(const uint64_t *)metric->value);
        else
                put(text, "%" PRId64 "\n", *(const int64_t *)metric->value);
}

int metrics_text(struct metrics *metrics, char **ret_text, size_t *ret_len)
{
        struct text text = { 0 };

        if (metrics->scrape != NULL)
                metrics->scrape(metrics->scrape_user);
        put(&text, "%s", "");
        for (size_t i = 0; i < metrics->count; i++)
                put_metric(&text, &metrics->metric[i],
                           i == 0 || strcmp(metrics->metric[i].name.name, metrics->metric[i - 1].name.name) != 0);
        if (text.error < 0) {
                free(text.data);
                return text.error;
        }
        *ret_text = text.data;
        *ret_len = text.len;
        return 0;
}
