#include "base/histogram.h"

#include <math.h>

#define SUB_BITS 6   /* 64 buckets per doubling */
#define LINEAR   128 /* below it one bucket per us */

static size_t bucket_of(uint64_t us)
{
        int shift;

        if (us < LINEAR)
                return (size_t)us;
        if (us >= HISTOGRAM_MAX_US)
                return HISTOGRAM_BUCKETS - 1;
        shift = 63 - __builtin_clzll(us) - SUB_BITS;
        return (size_t)shift * 64 + (size_t)(us >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_end(size_t bucket)
{
        int shift;

        if (bucket < LINEAR)
                return bucket;
        shift = (int)(bucket / 64) - 1;
        return (((uint64_t)bucket - (uint64_t)shift * 64 + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t us)
{
        uint64_t value = us < 0 ? 0 : (uint64_t)us;

        histogram->count++;
        histogram->sum_us += value;
        if (value > histogram->max_us)
                histogram->max_us = value;
        histogram->bucket[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
        into->count += from->count;
        into->sum_us += from->sum_us;
        if (from->max_us > into->max_us)
                into->max_us = from->max_us;
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
                into->bucket[i] += from->bucket[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
        uint64_t want = (uint64_t)ceil(q * (double)histogram->count), seen = 0;

        if (want == 0)
                want = 1;
        for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
                seen += histogram->bucket[i];
                if (seen >= want)
                        return bucket_end(i) < histogram->max_us ? bucket_end(i) : histogram->max_us;
        }
        return histogram->max_us;
}

uint64_t histogram_count_to(const struct histogram *histogram, uint64_t us)
{
        uint64_t count = 0;

        for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1 && bucket_end(i) <= us; i++)
                count += histogram->bucket[i];
        return count;
}
