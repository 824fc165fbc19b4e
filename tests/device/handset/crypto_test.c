/* The whole way with real keys: what hosts get from crypto.c, through the core, to a region that verifies. */
#include <errno.h>
#include <openssl/ecdsa.h>

#include "tests/device/handset/phone.h"
#include "wire/sealed.h"
#include "wire/signing.h"

struct region_keys {
        struct key *root, *receipt, *position, *handset;
};

static struct key *new_key(enum key_alg alg)
{
        struct key *key;

        assert_int_equal(key_generate(alg, &key), 0);
        return key;
}

static void list_key(struct trust_key *to, const struct key *key, enum trust_use use)
{
        *to = (struct trust_key){ .use = use, .alg = key_alg(key), .not_after_s = UINT32_MAX };
        assert_int_equal(key_kid(key, to->kid), 0);
        to->public_len = (uint8_t)key_public(key, to->public);
}

static struct phone *real_phone(struct region_keys *k)
{
        static uint8_t octets[TRUST_MAX];
        struct trust trust = { .number = 1, .region = "r1", .count = 2 };
        struct phone *p = phone_new();
        struct cbor_writer w;

        *k = (struct region_keys){ new_key(KEY_EDDSA), new_key(KEY_EDDSA), new_key(KEY_ECDH_ES), new_key(KEY_ES256) };
        list_key(&trust.keys[0], k->receipt, TRUST_RECEIPT);
        list_key(&trust.keys[1], k->position, TRUST_POSITION);
        cbor_writer_init(&w, octets, sizeof(octets));
        assert_int_equal(trust_sign(&trust, k->root, &w), 0);
        p->options.trust = octets;
        p->options.trust_len = w.len;
        p->options.root_alg = KEY_EDDSA;
        p->options.root_len = (uint8_t)key_public(k->root, p->options.root);
        p->options.verify = vigie_verify;
        p->sign_silent = p->seal_silent = true;
        p->region = false;
        phone_start(p);
        assert_int_equal(p->status.trouble & VIGIE_TROUBLE_TRUST, 0);
        return p;
}

static void real_free(struct phone *p, struct region_keys *k)
{
        key_free(k->root);
        key_free(k->receipt);
        key_free(k->position);
        key_free(k->handset);
        phone_free(p);
}

static void signed_and_received(void **state)
{
        struct region_keys k;
        struct phone *p = real_phone(&k);
        struct vigie_event e = { .type = VIGIE_ON_SIGNED, .u.signature.ok = true };
        const struct vigie_action *sign;
        struct alert_signed a;
        struct receipt r = { .version = 1, .state = RECEIPT_RAISED, .time_s = 9 };
        struct frame frame = { .type = FRAME_RECEIPT };
        uint8_t octets[RECEIPT_MAX], kid[KEY_KID_SIZE];
        struct cbor_writer w;

        phone_press(p, VIGIE_PRESS_AT_ONCE, VIGIE_PRESS_LOUD);
        sign = &phone_did(p, VIGIE_DO_SIGN, 0)->action;
        e.u.signature.ticket = sign->ticket;
        assert_int_equal(vigie_sign(key_pkey(k.handset), sign->data, sign->len, e.u.signature.octets), 0);
        phone_event(p, e);
        a = phone_alert(p);
        assert_int_equal(alert_verify(&a, k.handset), 0);
        r.alert = alert_id_make(&a.handset, a.alert.nonce);
        for (int forged = 1; forged >= 0; forged--) {
                assert_int_equal(key_kid(k.receipt, kid), 0);
                cbor_writer_init(&w, octets, sizeof(octets));
                assert_int_equal(receipt_sign(&r, kid, forged ? k.root : k.receipt, &w), 0);
                frame.u.cose.cose = cbor_written(&w);
                phone_frame(p, &frame);
                assert_int_equal(p->status.alert.word, forged ? VIGIE_SENT : VIGIE_RECEIVED);
        }
        real_free(p, &k);
}

static void sealed_for_the_region(void **state)
{
        struct region_keys k;
        struct phone *p = real_phone(&k);
        uint8_t random[VIGIE_SEAL_RANDOM_SIZE] = { 1, 2, 3 }, octets[SEALED_MAX];
        struct handset_id handset;
        struct sealed_position at;
        size_t len = sizeof(octets);
        const struct vigie_action *seal;

        p->region = true;
        phone_network(p, false);
        p->network = true;
        phone_run(p, 3000);
        phone_fix(p, 45.76, 4.83, 5);
        phone_duty(p, true);
        seal = &phone_did(p, VIGIE_DO_SEAL, 0)->action;
        assert_int_equal(vigie_seal(seal, our_handset, random, octets, &len), 0);
        memcpy(handset.octets, our_handset, 8);
        assert_int_equal(sealed_open((struct cbor_span){ octets, len }, &handset, k.position, &at), 0);
        assert_int_equal(at.lat_e7, 457600000);
        assert_int_equal(at.fix_at_s, p->utc_ms / 1000);
        len = 10;
        assert_int_equal(vigie_seal(seal, our_handset, random, octets, &len), -ENOBUFS);
        assert_int_equal(vigie_seal(&p->did[0].action, our_handset, random, octets, &len), -EINVAL);
        real_free(p, &k);
}

static void signatures_from_der(void **state)
{
        struct key *key = new_key(KEY_ES256), *other = new_key(KEY_EDDSA);
        uint8_t raw[64], back[64], der[80], *at = der;
        ECDSA_SIG *signature = ECDSA_SIG_new();
        int len;

        assert_int_equal(vigie_sign(key_pkey(other), (const uint8_t *)"x", 1, raw), -EINVAL);
        assert_int_equal(vigie_sign(key_pkey(key), (const uint8_t *)"x", 1, raw), 0);
        ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
        len = i2d_ECDSA_SIG(signature, &at);
        assert_true(len > 0);
        assert_int_equal(vigie_signature_from_der(der, (size_t)len, back), 0);
        assert_memory_equal(raw, back, 64);
        for (int cut = 0; cut < len; cut++)
                assert_int_equal(vigie_signature_from_der(der, (size_t)cut, back), -EBADMSG);
        der[len] = 0;
        assert_int_equal(vigie_signature_from_der(der, (size_t)len + 1, back), -EBADMSG);
        assert_int_equal(vigie_signature_from_der((const uint8_t *)"\x30\x06\x02\x01\xff\x02\x01\x01", 8, back),
                         -EBADMSG);
        ECDSA_SIG_free(signature);
        key_free(key);
        key_free(other);
}

static void bad_keys_verify_nothing(void **state)
{
        static const uint8_t zeros[65];
        struct vigie_check check = { -8, zeros, zeros, zeros, 32, 5 };

        assert_false(vigie_verify(NULL, &check));
        check.alg = -7;
        assert_false(vigie_verify(NULL, &check));
        check.key_len = 65;
        assert_false(vigie_verify(NULL, &check));
        check.alg = 0;
        assert_false(vigie_verify(NULL, &check));
        check.alg = -25;
        check.key_len = 32;
        assert_false(vigie_verify(NULL, &check));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(signed_and_received),
                cmocka_unit_test(sealed_for_the_region),
                cmocka_unit_test(signatures_from_der),
                cmocka_unit_test(bad_keys_verify_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
