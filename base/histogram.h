/* A histogram of durations with fixed log-linear buckets: 64 per doubling, so a quantile is at most 1.6 % above the
 * true value.  From 0 us to HISTOGRAM_MAX_US; pure, no heap, 13 KiB.  Metrics and bench use the same one. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* 2^30 us = 1,073 s.  A longer value is counted in the last bucket and still shows in max and sum. */
#define HISTOGRAM_MAX_US  (INT64_C(1) << 30)
/* 128 buckets of 1 us, then 64 for each doubling up to 2^30. */
#define HISTOGRAM_BUCKETS (128 + 64 * 23)

struct histogram {
        uint64_t count, sum_us, max_us;
        uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* histogram_add: count one duration; a negative one counts as 0. */
void histogram_add(struct histogram *histogram, int64_t us);

/* histogram_merge: add all of FROM to INTO. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* histogram_quantile: the smallest value, in us, that at least the share Q (0..1) of the counted ones do not exceed,
 * rounded up by at most 1.6 %, never above the true maximum.  0.5, 0.99, 0.999; 1 gives the maximum.  0 when nothing
 * was counted. */
uint64_t histogram_quantile(const struct histogram *histogram, double q);

/* histogram_count_to: how many of the counted values lie in buckets that end at or below US (exact at powers of
 * two). */
uint64_t histogram_count_to(const struct histogram *histogram, uint64_t us);

#endif
