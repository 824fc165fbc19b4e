/* Whether somebody with a watch can tell the duress PIN from the other: what a door waits for (a proof) and what the carrier waits for
 * (the vault opened), taken in turns, the two compared by ranks: the share of pairs in which the one under duress took longer is 0.5
 * where nothing tells them apart. */
#include "tests/device/handset/host/round.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "device/handset/host/content.h"
#include "device/handset/host/vault.h"

#define PROOFS  5000 /* of each */
#define UNLOCKS 60   /* of each: some 80 ms a time */
/* Chance alone gives 0.5 with a deviation of 0.006 for 5,000 of each, 0.05 for 60: eight, and three, of them. */
#define PROOFS_FAR  0.05
#define UNLOCKS_FAR 0.16

static struct round r;

struct sample {
        double us;
        bool duress;
};

static double now_us(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
        const struct sample *x = a, *y = b;

        return (x->us > y->us) - (x->us < y->us);
}

/* compare: print it; says whether the two are alike. */
static bool compare(const char *what, struct sample *samples, size_t count, double far)
{
        double below = 0, share = 0, median[2] = { 0 };
        size_t seen[2] = { 0 };

        qsort(samples, count, sizeof(*samples), by_time);
        for (size_t i = 0; i < count; i++) {
                if (++seen[samples[i].duress] == count / 4)
                        median[samples[i].duress] = samples[i].us;
                if (samples[i].duress)
                        share += below;
                else
                        below++;
        }
        share /= (double)(count / 2) * (double)(count / 2);
        printf("duress: %-7s normal p50 %9.1f us, duress p50 %9.1f us, longer under duress in %.3f of the pairs (chance: 0.5)\n",
               what, median[0], median[1], share);
        return share > 0.5 - far && share < 0.5 + far;
}

static bool proofs(void)
{
        static struct sample samples[2 * PROOFS];
        static uint8_t octets[VAULT_BODY_MAX], shown[PRESENTATION_MAX];
        struct content *c = NULL;
        struct cbor_writer w;
        bool good;

        assert_int_equal(content_new(&c), 0);
        round_make(&r, "pass--01", c->pass_public, 40);
        assert_int_equal(content_take(c, round_parcel(&r)), 0);
        for (size_t i = 0; i < 2 * PROOFS; i++) {
                struct content_ask ask = { .building = 3, .class = DOOR_PAGE, .time_s = NOW_S, .duress = random() % 2 == 0 };

                if (i % 2 == 1)
                        ask.duress = !samples[i - 1].duress; /* as many of each, in no order */
                if (c->passes[0]->counter >= c->passes[0]->reserved) {
                        cbor_writer_init(&w, octets, sizeof(octets));
                        assert_int_equal(content_write(c, &w), 0);
                        content_written(c);
                }
                cbor_writer_init(&w, shown, sizeof(shown));
                samples[i].duress = ask.duress;
                samples[i].us = now_us();
                assert_int_equal(content_prove(c, &ask, &w), 0);
                samples[i].us = now_us() - samples[i].us;
        }
        good = compare("proof", samples, 2 * PROOFS, PROOFS_FAR);
        content_free(c);
        return good;
}

static bool unlocks(void)
{
        static struct sample samples[2 * UNLOCKS];
        uint8_t secret[VAULT_SECRET_SIZE] = "a secret", lock[VAULT_LOCK_SIZE], key[VAULT_KEY_SIZE];
        bool duress;

        assert_int_equal(vault_new("2580", "9137", secret, lock, key), 0);
        for (size_t i = 0; i < 2 * UNLOCKS; i++) {
                samples[i].duress = i % 2 == 0 ? random() % 2 == 0 : !samples[i - 1].duress;
                samples[i].us = now_us();
                assert_int_equal(vault_open(lock, samples[i].duress ? "9137" : "2580", secret, key, &duress), 0);
                samples[i].us = now_us() - samples[i].us;
                assert_int_equal(duress, samples[i].duress);
        }
        return compare("unlock", samples, 2 * UNLOCKS, UNLOCKS_FAR);
}

int main(void)
{
        bool good;

        round_open(&r);
        good = proofs();
        good = unlocks() && good;
        round_close(&r);
        return good ? 0 : 1;
}
