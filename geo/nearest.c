#include "geo/nearest.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* Four at a time: what every 64-bit processor does at once. */
typedef float floats __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));
#define LANES 4

static_assert(ROSTER_BLOCK == 4 * LANES, "nearest_measure takes four vectors");

static floats load(const float *from)
{
        floats v;

        memcpy(&v, from, sizeof(v));
        return v;
}

static floats lesser(floats a, floats b)
{
        for (int lane = 0; lane < LANES; lane++)
                a[lane] = a[lane] < b[lane] ? a[lane] : b[lane];
        return a;
}

static floats chords2(const struct roster *roster, size_t first, const struct unit_vector *at)
{
        floats dx = load(&roster->x[first]) - at->x, dy = load(&roster->y[first]) - at->y;
        floats dz = load(&roster->z[first]) - at->z;

        return dx * dx + dy * dy + dz * dz;
}

void nearest_measure(struct roster *roster, const struct unit_vector *at)
{
        const struct unit_vector from = *at; /* not to be read again after each store */
        size_t blocks = ROSTER_BLOCKS_OF(roster->count);

        for (size_t block = 0; block < blocks; block++) {
                size_t first = block * ROSTER_BLOCK;
                floats a = chords2(roster, first, &from), b = chords2(roster, first + LANES, &from);
                floats c = chords2(roster, first + 2 * LANES, &from), d = chords2(roster, first + 3 * LANES, &from);
                floats least = lesser(lesser(a, b), lesser(c, d));

                for (int lane = 1; lane < LANES; lane++)
                        least[0] = least[lane] < least[0] ? least[lane] : least[0];
                roster->block_min[block] = least[0];
        }
}

/* A float of 0 or more and its bits are in the same order. */
static int32_t bits_of(float value)
{
        int32_t bits;

        memcpy(&bits, &value, sizeof(bits));
        return bits;
}

static size_t count_up_to(const float *values, size_t count, float limit)
{
        ints counted = { 0 };
        size_t n = 0, i = 0;

        for (; i + LANES <= count; i += LANES)
                counted -= load(&values[i]) <= limit;
        for (; i < count; i++)
                n += values[i] <= limit;
        return n + (size_t)(counted[0] + counted[1] + counted[2] + counted[3]);
}

/* Where the search for a limit begins: 6 km.  Any would do; near the answer it takes fewer steps. */
#define LIMIT_FIRST 1e-6f
/* Steps that guess before halving takes over, which always ends. */
#define GUESSES_MAX 8

/* The next limit to try, between LOW, too small, and HIGH: the guess, or half way. */
static float limit_next(float low, float high, float guess, int step)
{
        int32_t middle = bits_of(low) + (bits_of(high) - bits_of(low)) / 2;
        float half;

        memcpy(&half, &middle, sizeof(half));
        return step < GUESSES_MAX && guess > low && guess < high ? guess : half;
}

/* A limit that at least WANTED of VALUES do not exceed, and few more unless many are equal. */
static float limit_for(const float *values, size_t count, size_t wanted)
{
        float low = 0, high = FLT_MAX, limit = LIMIT_FIRST;

        if (count <= wanted)
                return FLT_MAX;
        for (int step = 0; bits_of(high) - bits_of(low) > 1; step++) {
                size_t found = count_up_to(values, count, limit);

                if (found >= wanted && found <= wanted + wanted / 4)
                        return limit;
                *(found < wanted ? &low : &high) = limit;
                limit = limit_next(low, high, limit * 1.1f * (float)wanted / ((float)found + 0.5f), step);
        }
        return high;
}

/* Everyone up to LIMIT2 into near, in no order.  Without branches that nobody could foresee: those cost more than
 * writing what turns out not to count. */
static size_t gather(struct roster *roster, const struct unit_vector *at, float limit2)
{
        size_t blocks = ROSTER_BLOCKS_OF(roster->count), hits = 0, count = 0;
        float chord2[ROSTER_BLOCK];

        for (size_t block = 0; block < blocks; block++) {
                roster->hits[hits] = (uint16_t)block;
                hits += roster->block_min[block] <= limit2;
        }
        for (size_t hit = 0; hit < hits; hit++) {
                uint32_t first = roster->hits[hit] * (uint32_t)ROSTER_BLOCK;

                for (uint32_t i = 0; i < ROSTER_BLOCK; i += LANES) {
                        floats four = chords2(roster, first + i, at);

                        memcpy(&chord2[i], &four, sizeof(four));
                }
                for (uint32_t i = 0; i < ROSTER_BLOCK; i++) {
                        roster->near[count] = (struct roster_near){ chord2[i], first + i };
                        count += chord2[i] <= limit2;
                }
        }
        return count;
}

/* Where far more came together (people of one block are often of one town), drop those beyond what WANTED need.
 * Returns the limit that holds then. */
static float trim(struct roster *roster, size_t *count, size_t wanted, float limit2)
{
        size_t kept = 0;

        if (*count <= 2 * wanted)
                return limit2;
        for (size_t i = 0; i < *count; i++)
                roster->chord2[i] = roster->near[i].chord2;
        limit2 = limit_for(roster->chord2, *count, wanted);
        for (size_t i = 0; i < *count; i++)
                if (roster->near[i].chord2 <= limit2)
                        roster->near[kept++] = roster->near[i];
        *count = kept;
        return limit2;
}

/* Shell's sort; from a gap of one for the usual few. */
static void sort(struct roster_near *near, size_t count)
{
        for (size_t gap = count > 64 ? count / 2 : 1; gap > 0; gap /= 2)
                for (size_t i = gap; i < count; i++) {
                        struct roster_near held = near[i];
                        size_t k = i;

                        for (; k >= gap && near[k - gap].chord2 > held.chord2; k -= gap)
                                near[k] = near[k - gap];
                        near[k] = held;
                }
}

size_t nearest_find(struct roster *roster, const struct unit_vector *at, size_t wanted, float *ret_near2)
{
        float limit2 = limit_for(roster->block_min, ROSTER_BLOCKS_OF(roster->count), wanted);
        size_t count = gather(roster, at, limit2);

        *ret_near2 = trim(roster, &count, wanted, limit2);
        sort(roster->near, count);
        return count;
}
