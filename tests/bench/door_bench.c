/* A pass at a door: how long the answer takes, whose heap it asks, how much of the fixed one it takes; and how many
 * octets, characters and QR modules a pass and its proof are, for rounds of 1, 40 and 400 buildings.
 *
 * malloc and its kin are our own here: they count, and give what glibc's give. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <qrencode.h>

static size_t calls; /* of malloc, calloc, realloc */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *piece, size_t size);

void *malloc(size_t size)
{
        calls++;
        return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        calls++;
        return __libc_calloc(count, size);
}

void *realloc(void *piece, size_t size)
{
        calls++;
        return __libc_realloc(piece, size);
}

#include "tests/device/door/entrance.h"

#include "device/door/arena.h"

#define PASSES  4000
#define GOAL_US 2000

static struct post p;

static double now_us(clockid_t clock)
{
        struct timespec t;

        clock_gettime(clock, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void tell(const char *what, double *us)
{
        qsort(us, PASSES, sizeof(us[0]), by_size);
        printf("%s: p50 %.0f us, p99 %.0f us, max %.0f us\n", what, us[PASSES / 2], us[PASSES * 99 / 100],
               us[PASSES - 1]);
}

/* sizes: of one round. */
static void sizes(size_t buildings)
{
        static struct door d;
        static struct phone phone;
        static char text[PASS_TEXT_SIZE];
        struct cbor_span pass, proof;
        QRcode *code;

        door_open(&d, buildings, DOOR_SCANNER);
        phone_make(&phone, &d, NOW_S);
        phone_text(&phone, text);
        presentation_read(span_of(&phone.presentation), &pass, &proof);
        code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
        if (code == NULL)
                abort();
        printf("%3zu buildings: pass %zu octets, proof %zu, together %zu, text %zu characters, QR version %d (%d x %d, "
               "level L)\n",
               buildings, pass.len, proof.len, phone.presentation.len, strlen(text), code->version, code->width,
               code->width);
        QRcode_free(code);
        door_close(&d);
}

/* verify: the decision alone, over and over; by the wall, or by what this thread had of a processor that others use
 * too. */
static size_t verify(double *us, clockid_t clock)
{
        size_t heap = 0;

        for (unsigned i = 0; i < PASSES; i++) {
                double from;
                size_t before;

                phone_prove(&p.phone, (struct cbor_span){ NULL, 0 }, DOOR_SCANNER, p.region.here);
                presentation_read(span_of(&p.phone.presentation), &p.region.question.pass, &p.region.question.proof);
                before = calls;
                from = now_us(clock);
                pass_verify(&p.region.crypto, &p.region.question, &p.verdict);
                us[i] = now_us(clock) - from;
                heap += calls - before;
                if (p.verdict.refusal != PASS_GOOD)
                        abort();
        }
        return heap;
}

/* judge: all of it, up to the open door: the log's entry on disk, and `head` behind it. */
static size_t judge(double *us)
{
        size_t heap = 0;

        for (unsigned i = 0; i < PASSES; i++) {
                struct entrance_shown shown = { .clock_s = NOW_S };
                double from;
                size_t before;

                phone_prove(&p.phone, (struct cbor_span){ NULL, 0 }, DOOR_SCANNER, p.region.here);
                shown.presentation = span_of(&p.phone.presentation);
                before = calls;
                from = now_us(CLOCK_MONOTONIC);
                if (entrance_judge(&p.entrance, &shown, &p.verdict, &p.opened) < 0 || !p.opened)
                        abort();
                us[i] = now_us(CLOCK_MONOTONIC) - from;
                heap += calls - before;
        }
        return heap;
}

int main(void)
{
        static double us[PASSES];
        static const size_t rounds[] = { 1, 40, 400 };
        size_t heap, used;
        double p99_us;

        if (arena_install() < 0)
                return 1;
        post_make(&p, DOOR_SCANNER);
        if (post_start(&p) < 0)
                return 1;
        if (calls == 0)
                abort();             /* ours is not the malloc that is called: it would count nothing */
        verify(us, CLOCK_MONOTONIC); /* once before: tables that libcrypto makes at its first use */
        used = arena_used();
        heap = verify(us, CLOCK_MONOTONIC);
        tell("pass verified at a door", us);
        heap += verify(us, CLOCK_THREAD_CPUTIME_ID);
        tell("  of it this thread's own time", us);
        p99_us = us[PASSES * 99 / 100];
        printf("  heap allocations in 2 x %d: %zu (goal 0); libcrypto's fixed memory: %zu of %d KiB, %zu more after "
               "the first %d\n",
               PASSES, heap, arena_used() / 1024, ARENA_SIZE / 1024, arena_used() - used, PASSES);
        heap += judge(us);
        tell("judged, written down and opened, this disk's syncs included", us);
        printf("  heap allocations: %zu (goal 0)\n", heap);
        post_remove(&p);
        for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++)
                sizes(rounds[i]);
        if (p99_us > GOAL_US)
                printf("p99 is over the goal of %d us\n", GOAL_US);
        return heap == 0 && p99_us <= GOAL_US ? 0 : 1;
}
