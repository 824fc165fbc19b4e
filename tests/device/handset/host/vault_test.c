#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/host/vault.h"
#include "wire/key.h"

static const uint8_t secret[VAULT_SECRET_SIZE] = "a secret of this phone", other[VAULT_SECRET_SIZE] = "of another";

static void pins(void **state)
{
        static const struct {
                const char *pin, *duress;
                enum vault_pin_rule rule;
        } cases[] = {
                { "2580", NULL, VAULT_PIN_GOOD },       { "25801936", NULL, VAULT_PIN_GOOD },
                { "258", NULL, VAULT_PIN_SHAPE },       { "258019364", NULL, VAULT_PIN_SHAPE },
                { "25a0", NULL, VAULT_PIN_SHAPE },      { "", NULL, VAULT_PIN_SHAPE },
                { "2580", "12", VAULT_PIN_SHAPE },      { "0000", NULL, VAULT_PIN_SIMPLE },
                { "1234", NULL, VAULT_PIN_SIMPLE },     { "987654", NULL, VAULT_PIN_SIMPLE },
                { "2580", "7777", VAULT_PIN_SIMPLE },   { "2580", "19362", VAULT_PIN_LENGTHS },
                { "2580", "2580", VAULT_PIN_TOO_NEAR }, { "2580", "2581", VAULT_PIN_TOO_NEAR }, /* a digit */
                { "2580", "2850", VAULT_PIN_TOO_NEAR },                                     /* a swap of neighbours */
                { "2580", "0582", VAULT_PIN_TOO_NEAR },                                     /* and of any two */
                { "2580", "2508", VAULT_PIN_TOO_NEAR }, { "2580", "2591", VAULT_PIN_GOOD }, /* two digits */
                { "2580", "8025", VAULT_PIN_GOOD },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                assert_int_equal(vault_pin_rule(cases[i].pin, cases[i].duress), cases[i].rule);
}

/* The PIN and the duress PIN open it with the same key; nothing else does, nor on another phone. */
static void opens(void **state)
{
        uint8_t lock[VAULT_LOCK_SIZE], key[VAULT_KEY_SIZE], got[VAULT_KEY_SIZE] = { 0 };
        bool duress = true;

        assert_int_equal(vault_new("0000", NULL, secret, lock, key), -EINVAL);
        assert_int_equal(vault_new("2580", "9137", secret, lock, key), 0);
        assert_int_equal(vault_open(lock, "2580", secret, got, &duress), 0);
        assert_false(duress);
        assert_memory_equal(got, key, VAULT_KEY_SIZE);
        memset(got, 0, sizeof(got));
        assert_int_equal(vault_open(lock, "9137", secret, got, &duress), 0);
        assert_true(duress);
        assert_memory_equal(got, key, VAULT_KEY_SIZE);
        assert_int_equal(vault_open(lock, "2581", secret, got, &duress), -EKEYREJECTED);
        assert_int_equal(vault_open(lock, "2580", other, got, &duress), -EKEYREJECTED);
        lock[0] ^= 1;
        assert_int_equal(vault_open(lock, "2580", secret, got, &duress), -EBADMSG);
}

/* Without a duress PIN the lock looks the same, and what stands there opens nothing. */
static void without_duress(void **state)
{
        uint8_t lock[VAULT_LOCK_SIZE], key[VAULT_KEY_SIZE], got[VAULT_KEY_SIZE];
        bool duress, is_zero = true;

        assert_int_equal(vault_new("2580", NULL, secret, lock, key), 0);
        for (size_t i = VAULT_LOCK_SIZE - 60; i < VAULT_LOCK_SIZE; i++)
                is_zero = is_zero && lock[i] == 0;
        assert_false(is_zero);
        assert_int_equal(vault_open(lock, "2580", secret, got, &duress), 0);
        assert_false(duress);
        assert_int_equal(vault_open(lock, "9137", secret, got, &duress), -EKEYREJECTED);
}

/* An altered lock: the place that is touched does not open, the other still does. */
static void altered_lock(void **state)
{
        uint8_t lock[VAULT_LOCK_SIZE], key[VAULT_KEY_SIZE], got[VAULT_KEY_SIZE];
        bool duress;

        assert_int_equal(vault_new("2580", "9137", secret, lock, key), 0);
        lock[30] ^= 1;
        assert_int_equal(vault_open(lock, "2580", secret, got, &duress), -EKEYREJECTED);
        assert_int_equal(vault_open(lock, "9137", secret, got, &duress), 0);
        lock[VAULT_LOCK_SIZE - 1] ^= 1;
        assert_int_equal(vault_open(lock, "9137", secret, got, &duress), -EKEYREJECTED);
}

static void bodies(void **state)
{
        static const size_t sizes[] = { 0, 1, 15, 16, 1000, VAULT_BODY_MAX };
        uint8_t key[VAULT_KEY_SIZE] = "data key", wrong[VAULT_KEY_SIZE] = "another";
        uint8_t *content = malloc(VAULT_BODY_MAX + 1), *body = malloc(VAULT_BODY_MAX + VAULT_BODY_OVERHEAD),
                *back = malloc(VAULT_BODY_MAX + 1);

        assert_true(content != NULL && body != NULL && back != NULL);
        for (size_t i = 0; i <= VAULT_BODY_MAX; i++)
                content[i] = (uint8_t)(i * 7);
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
                size_t whole = sizes[s] + VAULT_BODY_OVERHEAD;

                assert_int_equal(vault_seal(key, content, sizes[s], body), 0);
                assert_int_equal(vault_read(key, body, whole, back), 0);
                assert_memory_equal(back, content, sizes[s]);
                assert_int_equal(vault_read(wrong, body, whole, back), -EBADMSG);
                assert_int_equal(vault_read(key, body, whole - 1, back), -EBADMSG);
                for (size_t at = 0; at < whole; at += 1 + whole / 50) {
                        body[at] ^= 4;
                        assert_int_equal(vault_read(key, body, whole, back), -EBADMSG);
                        body[at] ^= 4;
                }
        }
        assert_int_equal(vault_seal(key, content, VAULT_BODY_MAX + 1, body), -EMSGSIZE);
        assert_int_equal(vault_read(key, body, VAULT_BODY_OVERHEAD - 1, back), -EBADMSG);
        free(back);
        free(body);
        free(content);
}

/* A box opens with the private half alone, whole. */
static void boxes(void **state)
{
        uint8_t private[2][VAULT_INBOX_KEY_SIZE] = { "an inbox", "another inbox" }, public[KEY_PUBLIC_MAX];
        uint8_t box[100 + VAULT_BOX_OVERHEAD], back[100], content[100] = "a parcel";
        struct key *key = NULL;

        assert_int_equal(key_from_private(KEY_ECDH_ES, private[0], &key), 0);
        key_public(key, public);
        key_free(key);
        assert_int_equal(vault_post(public, content, sizeof(content), box), 0);
        assert_int_equal(vault_fetch(private[0], box, sizeof(box), back), 0);
        assert_memory_equal(back, content, sizeof(content));
        assert_int_equal(vault_fetch(private[1], box, sizeof(box), back), -EBADMSG);
        assert_int_equal(vault_fetch(private[0], box, sizeof(box) - 1, back), -EBADMSG);
        assert_int_equal(vault_fetch(private[0], box, VAULT_BOX_OVERHEAD - 1, back), -EBADMSG);
        for (size_t bit = 0; bit < 8 * sizeof(box); bit++) {
                box[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(vault_fetch(private[0], box, sizeof(box), back), -EBADMSG);
                box[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        memset(box + 4, 0, 32); /* a point of small order */
        assert_int_equal(vault_fetch(private[0], box, sizeof(box), back), -EBADMSG);
        assert_int_equal(vault_post(public, content, VAULT_BODY_MAX + 1, box), -EMSGSIZE);
}

/* The secret is another on another machine, and on one that cannot be told from others. */
static void machines(void **state)
{
        uint8_t here[VAULT_SECRET_SIZE], there[VAULT_SECRET_SIZE], again[VAULT_SECRET_SIZE];

        assert_int_equal(vault_bind(secret, (const uint8_t *)"one", 3, here), 0);
        assert_int_equal(vault_bind(secret, (const uint8_t *)"one", 3, again), 0);
        assert_memory_equal(here, again, sizeof(here));
        assert_int_equal(vault_bind(secret, (const uint8_t *)"two", 3, there), 0);
        assert_memory_not_equal(here, there, sizeof(here));
        assert_int_equal(vault_bind(secret, NULL, 0, there), 0);
        assert_memory_not_equal(here, there, sizeof(here));
        assert_int_equal(vault_bind(other, (const uint8_t *)"one", 3, there), 0);
        assert_memory_not_equal(here, there, sizeof(here));
}

/* Two wrong at once, then 30 s, 2 min, 10 min; the fifth destroys. */
static void tries(void **state)
{
        struct vault_tries t;
        int64_t now = 1000;

        vault_tries_start(&t, 0, now);
        for (uint8_t i = 0; i < VAULT_TRIES; i++) {
                now += vault_wait_ms(i);
                if (vault_wait_ms(i) > 0)
                        assert_int_equal(vault_tries_take(&t, now - 1), -EAGAIN);
                assert_int_equal(t.wrong, i);
                assert_int_equal(vault_tries_take(&t, now), 0);
                assert_int_equal(t.wrong, i + 1);
                assert_int_equal(vault_tries_take(&t, now + 1000000),
                                 i + 1 < VAULT_TRIES ? -EAGAIN : -EPERM); /* one at a time */
                vault_tries_told(&t, false, now);
        }
        assert_true(vault_is_destroyed(&t));
        assert_int_equal(vault_tries_take(&t, INT64_MAX), -EPERM);
        vault_tries_start(&t, t.wrong, 0); /* for ever */
        assert_int_equal(vault_tries_take(&t, INT64_MAX), -EPERM);
        vault_tries_start(&t, 200, 0); /* a file of another's */
        assert_true(vault_is_destroyed(&t));
}

/* A restart gives no try back and shortens no wait; the battery pulled while a PIN is looked at counts as wrong. */
static void restarts(void **state)
{
        struct vault_tries t;

        vault_tries_start(&t, 0, 0);
        assert_int_equal(vault_tries_take(&t, 0), 0);
        vault_tries_start(&t, t.wrong, 0);
        assert_int_equal(t.wrong, 1);
        assert_int_equal(vault_tries_take(&t, 0), 0);
        vault_tries_start(&t, t.wrong, 5000);
        assert_int_equal(vault_tries_take(&t, 5000 + 29999), -EAGAIN);
        vault_tries_start(&t, t.wrong, 0); /* again, 30 s later: from the beginning */
        assert_int_equal(vault_tries_take(&t, 29999), -EAGAIN);
        assert_int_equal(vault_tries_take(&t, 30000), 0);
        vault_tries_told(&t, true, 30000);
        assert_int_equal(t.wrong, 0);
        assert_int_equal(vault_tries_take(&t, 30000), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pins),         cmocka_unit_test(opens),  cmocka_unit_test(without_duress),
                cmocka_unit_test(altered_lock), cmocka_unit_test(bodies), cmocka_unit_test(boxes), cmocka_unit_test(machines), cmocka_unit_test(tries),
                cmocka_unit_test(restarts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
