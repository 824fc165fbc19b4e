/* What the tests of wire/'s codecs share: seeded random texts, the round trip, and hostile bytes. */
#ifndef TESTS_WIRE_CODEC_H
#define TESTS_WIRE_CODEC_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "wire/record.h"

/* ---- seeded random (splitmix64) */

static inline uint64_t draw(uint64_t *seed)
{
        uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

/* 0..max, often one of the ends. */
static inline uint64_t draw_to(uint64_t *seed, uint64_t max)
{
        uint64_t how = draw(seed) % 8;

        if (how < 2)
                return how == 0 ? 0 : max;
        return max == UINT64_MAX ? draw(seed) : draw(seed) % (max + 1);
}

static inline bool draw_bool(uint64_t *seed)
{
        return draw(seed) & 1;
}

static inline int64_t draw_ms(uint64_t *seed)
{
        return (int64_t)draw_to(seed, INT64_MAX);
}

static inline void draw_octets(uint64_t *seed, uint8_t *to, size_t size)
{
        for (size_t i = 0; i < size; i++)
                to[i] = (uint8_t)draw(seed);
}

/* Visible ASCII; often empty or full. */
static inline void draw_id(uint64_t *seed, char *to, size_t size)
{
        size_t len = (size_t)draw_to(seed, size - 1);

        memset(to, 0, size);
        for (size_t i = 0; i < len; i++)
                to[i] = (char)('!' + draw(seed) % ('~' - '!' + 1));
}

/* Whole code points, control characters among them, no NUL. */
static inline void draw_text(uint64_t *seed, char *to, size_t size)
{
        static const char *const points[] = {
                "a", "\x01", "\x7f", "<", "\xc3\xa9", "\xe2\x80\xae", "\xf0\x9f\x98\x80"
        };
        size_t len = 0, want = (size_t)draw_to(seed, size - 1);
        const char *point;

        memset(to, 0, size);
        for (;;) {
                point = points[draw(seed) % 7];
                if (len + strlen(point) > want)
                        return;
                memcpy(to + len, point, strlen(point));
                len += strlen(point);
        }
}

/* A text of exactly the size of TO, its NUL included, of characters of four octets as far as they go. */
static inline void fill_text(char *to, size_t size)
{
        memset(to, 'x', size - 1);
        to[size - 1] = 0;
        for (size_t i = 0; i + 4 < size; i += 4)
                memcpy(to + i, "\xf0\x9f\x98\x80", 4);
}

static inline void fill_id(char *to, size_t size)
{
        memset(to, '~', size - 1);
        to[size - 1] = 0;
}

static inline struct track_point draw_point(uint64_t *seed)
{
        struct track_point p;

        memset(&p, 0, sizeof(p));
        p.at_s = (uint32_t)draw_to(seed, UINT32_MAX);
        p.lat_e7 = (int32_t)draw_to(seed, 1800000000) - 900000000;
        p.lon_e7 = (int32_t)((int64_t)draw_to(seed, 3600000000) - 1800000000);
        p.accuracy_m = (uint16_t)draw_to(seed, UINT16_MAX);
        return p;
}

/* The point that takes most octets. */
static inline struct track_point full_point(void)
{
        struct track_point p;

        memset(&p, 0, sizeof(p));
        p.at_s = UINT32_MAX;
        p.lat_e7 = -900000000;
        p.lon_e7 = -1800000000;
        p.accuracy_m = UINT16_MAX;
        return p;
}

static inline uint8_t draw_battery(uint64_t *seed)
{
        return draw_bool(seed) ? 255 : (uint8_t)draw_to(seed, 100);
}

/* ---- one kind of object */

struct codec {
        size_t size, max; /* of the struct; of its encoding */
        int (*encode)(const void *object, uint8_t *buf, size_t size);
        int (*decode)(const uint8_t *data, size_t size, void *ret_object);
};

/* NAME_codec for struct TYPE, NAME_encode() and NAME_decode(). */
#define CODEC(name, type, largest)                                             \
        static int name##_any_encode(const void *object, uint8_t *b, size_t s) \
        {                                                                      \
                return name##_encode(object, b, s);                            \
        }                                                                      \
        static int name##_any_decode(const uint8_t *d, size_t s, void *object) \
        {                                                                      \
                return name##_decode(d, s, object);                            \
        }                                                                      \
        static const struct codec name##_codec = { sizeof(type), (largest), name##_any_encode, name##_any_decode };

/* Decode a copy of exactly LEN octets, so that a sanitizer sees one read too many. */
static inline int codec_decode(const struct codec *codec, const uint8_t *data, size_t len, void *ret_object)
{
        uint8_t *copy = malloc(len > 0 ? len : 1);
        int r;

        assert_non_null(copy);
        if (len > 0)
                memcpy(copy, data, len);
        r = codec->decode(copy, len, ret_object);
        free(copy);
        return r;
}

static inline void assert_all_zero(const void *at, size_t size)
{
        for (size_t i = 0; i < size; i++)
                assert_int_equal(((const uint8_t *)at)[i], 0);
}

/* Write OBJECT, read it, compare, write again, compare.  Objects are compared octet by octet, padding too, so
 * OBJECT begins as all zero (memset, or static).  Gives the length; the encoding is at TO, of codec->max octets. */
static inline size_t codec_round(const struct codec *codec, const void *object, uint8_t *to)
{
        uint8_t *again = malloc(codec->max);
        void *read = malloc(codec->size);
        int len = codec->encode(object, to, codec->max);

        assert_true(again != NULL && read != NULL);
        assert_in_range(len, 1, codec->max);
        assert_int_equal(codec_decode(codec, to, (size_t)len, read), 0);
        assert_memory_equal(read, object, codec->size);
        assert_int_equal(codec->encode(read, again, codec->max), len);
        assert_memory_equal(again, to, (size_t)len);
        assert_int_equal(codec->encode(object, again, (size_t)len), len);
        assert_int_equal(codec->encode(object, again, (size_t)len - 1), -ENOBUFS);
        assert_int_equal(codec->encode(object, again, 0), -ENOBUFS);
        free(again);
        free(read);
        return (size_t)len;
}

/* DATA may be anything: it is refused, and the object then all zero, or it is an object that can be written and
 * read. */
static inline void codec_any(const struct codec *codec, const uint8_t *data, size_t len)
{
        uint8_t *written = malloc(codec->max);
        void *read = malloc(codec->size);
        int r = codec_decode(codec, data, len, read);

        assert_true(written != NULL && read != NULL);
        if (r == 0) {
                codec_round(codec, read, written);
        } else {
                assert_true(r == -EBADMSG || r == -EPROTONOSUPPORT);
                assert_all_zero(read, codec->size);
        }
        free(written);
        free(read);
}

/* Every truncation is refused; so is an octet too many; every flipped bit is refused or gives a valid object. */
static inline void codec_hostile(const struct codec *codec, const uint8_t *data, size_t len)
{
        uint8_t *bad = malloc(len + 1);
        void *read = malloc(codec->size);

        assert_true(bad != NULL && read != NULL);
        for (size_t cut = 0; cut < len; cut++)
                assert_int_equal(codec_decode(codec, data, cut, read), -EBADMSG);
        memcpy(bad, data, len);
        bad[len] = 0;
        assert_int_equal(codec_decode(codec, bad, len + 1, read), -EBADMSG);
        for (size_t bit = 0; bit < 8 * len; bit++) {
                bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
                codec_any(codec, bad, len);
                bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(bad);
        free(read);
}

/* A copy of DATA with the octets from FROM replaced, once, by TO, decoded.  FROM must be there exactly once. */
static inline int codec_replaced(const struct codec *codec, const uint8_t *data, size_t len, const char *from,
                                 size_t from_len, const char *to, size_t to_len)
{
        uint8_t *copy = malloc(len + to_len);
        void *read = malloc(codec->size);
        const uint8_t *at = memmem(data, len, from, from_len);
        size_t before = (size_t)(at - data), after = len - before - from_len;
        int r;

        assert_true(copy != NULL && read != NULL && at != NULL);
        assert_null(memmem(at + 1, len - before - 1, from, from_len));
        memcpy(copy, data, before);
        memcpy(copy + before, to, to_len);
        memcpy(copy + before + to_len, at + from_len, after);
        r = codec_decode(codec, copy, before + to_len + after, read);
        free(copy);
        free(read);
        return r;
}

#endif
