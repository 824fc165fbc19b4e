/* desk REGION PHONE NUMBER KIND [CHALLENGE]: the pass desk in small, for the browser tests of the phone: signs with the region's own keys,
 * which `vigie init` left in the folder REGION, for the phone enrolled in the folder PHONE, and writes on stdout the commands for
 * redis-cli that put the order of this NUMBER into its inbox.  KIND: pass (8 buildings, for an hour), unlock, wipe. */
#include "tests/device/handset/host/support.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/sha.h>

#include "base/hex.h"
#include "tests/device/handset/host/round.h"
#include "wire/order.h"
#include "wire/signing.h"

#define REGION "test"

static struct round r;

static struct key *key_of(const char *folder, const char *name, uint8_t kid[KEY_KID_SIZE])
{
        struct key *key = NULL;
        char path[400];

        snprintf(path, sizeof(path), "%s/keeper/%s.key", folder, name);
        assert_int_equal(key_from_file(path, &key), 0);
        assert_int_equal(key_kid(key, kid), 0);
        return key;
}

/* who: handset and enrolment, of the certificate's subject. */
static void who(const char *folder, struct order *order)
{
        char path[400], text[64];
        FILE *f;
        X509 *x;

        snprintf(path, sizeof(path), "%s/certificate.pem", folder);
        f = fopen(path, "r");
        assert_non_null(f);
        x = PEM_read_X509(f, NULL, NULL, NULL);
        assert_non_null(x);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, text, sizeof(text));
        assert_int_equal(hex_decode(text, order->handset.octets, HANDSET_ID_SIZE), 0);
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_serialNumber, text, sizeof(text));
        assert_int_equal(hex_decode(text, order->enrolment, ORDER_ENROLMENT_SIZE), 0);
        X509_free(x);
        fclose(f);
}

static void make_parcel(const char *region, const char *phone)
{
        char path[400], *public = NULL;
        uint32_t now_s = (uint32_t)time(NULL);
        struct door *d = &r.region;
        size_t len;

        round_open(&r);
        key_free(d->keeper);
        d->keeper = key_of(region, "pass", d->keeper_kid);
        strcpy(d->pass.region, REGION);
        d->pass.not_before_s = d->pass.issued_at_s = now_s - 60;
        d->pass.not_after_s = now_s + 3600;
        snprintf(path, sizeof(path), "%s/vault/public", phone);
        assert_int_equal(file_read(path, 1024, &public, &len), 0);
        round_make(&r, "pass--01", (const uint8_t *)public, 8);
        free(public);
}

static void say(const uint8_t *octets, size_t len)
{
        putchar('"');
        for (size_t i = 0; i < len; i++)
                printf("\\x%02x", octets[i]);
        putchar('"');
}

int main(int argc, char **argv)
{
        struct order order = { .issued_at_s = (uint32_t)time(NULL) };
        uint8_t whole[ORDER_MAX], kid[KEY_KID_SIZE], digest[SHA256_DIGEST_LENGTH];
        char handset[2 * HANDSET_ID_SIZE + 1];
        struct cbor_writer to;
        struct key *key;

        assert_true(argc == 5 || argc == 6);
        who(argv[2], &order);
        order.number = (uint32_t)atoi(argv[3]);
        order.kind = strcmp(argv[4], "pass") == 0 ? ORDER_PASS : strcmp(argv[4], "unlock") == 0 ? ORDER_UNLOCK : ORDER_WIPE;
        if (order.kind == ORDER_PASS) {
                make_parcel(argv[1], argv[2]);
                SHA256(r.octets, r.len, digest);
                memcpy(order.digest, digest, ORDER_DIGEST_SIZE);
        } else if (order.kind == ORDER_UNLOCK) {
                assert_int_equal(hex_decode(argv[5], order.challenge, ORDER_CHALLENGE_SIZE), 0);
        }
        key = key_of(argv[1], "order", kid);
        cbor_writer_init(&to, whole, sizeof(whole));
        assert_int_equal(order_sign(&order, kid, key, &to), 0);
        key_free(key);
        hex_encode(order.handset.octets, HANDSET_ID_SIZE, handset);
        printf("XADD {%s}:inbox:%s * o ", REGION, handset);
        say(whole, to.len);
        if (order.kind == ORDER_PASS) {
                printf(" b ");
                say(r.octets, r.len);
        }
        if (order.kind == ORDER_PASS)
                round_close(&r);
        printf("\nXADD {%s}:people:changes * h inbox k %s\n", REGION, handset);
        return 0;
}
