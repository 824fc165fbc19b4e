/* For the tests of passes: COSE_Sign1 put together in ways that we do not write, and signed all the same by the right key: an envelope is no
 * proof that its writer kept to section 3 of PROTOCOL.md. */
#ifndef TESTS_WIRE_FORGED_H
#define TESTS_WIRE_FORGED_H
#include "tests/wire/door.h"

enum forged_part {
        FORGED_BEGIN,
        FORGED_PROTECTED,
        FORGED_UNPROTECTED,
        FORGED_PAYLOAD,
        FORGED_SIGNATURE,
        FORGED_END,
        FORGED_PARTS
};
#define FORGED_WAYS 18

/* Hex, and: x the algorithm's octet, y the one behind 38 in its longer form, k the kid, h the payload's head, H a longer one, p the
 * payload, s the signature.  The first of each is how it ought to be. */
static const char *const forged_ways[FORGED_PARTS][FORGED_WAYS] = {
        [FORGED_BEGIN] = { "84", "9804", "990004", "85", "83", "9f", "a4", "d284", "d81284", "d83dd284", "c084",
                           "d9d9f784" },
        [FORGED_PROTECTED] = { "43a101x", "5803a101x", "590003a101x", "44a10138y", "40", "41a0", "44a1016161",
                               "43a10100", "46a201x028101", "4da201x0448k", "45a201x01x", "44a11801x", "44bf01xff",
                               "44b80101x", "4ba1011bffffffffffffffff", "4ba1013bffffffffffffffff", "43a120x",
                               "4281x" },
        [FORGED_UNPROTECTED] = { "a10448k", "a0", "a1045808k", "a1180448k", "bf0448kff", "b8010448k", "a20448k0448k",
                                 "a201x0448k", "a20448k0540", "a1046161", "a104f6", "a12448k", "820448k", "a10448k00" },
        [FORGED_PAYLOAD] = { "hp", "f6", "5fhpff", "Hp", "40", "60", "c2hp" },
        [FORGED_SIGNATURE] = { "5840s", "590040s", "f6", "40", "5f5840sff", "5841s00", "7840s" },
        [FORGED_END] = { "", "00", "f6", "ff", "a0" },
};

/* Which of its ways each part is put together. */
struct forged {
        size_t way[FORGED_PARTS];
        const struct key *key;
        struct cbor_span kid, payload, aad;
        uint8_t signature[KEY_SIGNATURE_SIZE];
};

static inline size_t forged_count(enum forged_part part)
{
        size_t count = 0;

        while (count < FORGED_WAYS && forged_ways[part][count] != NULL)
                count++;
        return count;
}

static inline void forged_add(struct bytes *to, const void *octets, size_t len)
{
        assert_true(to->len + len <= sizeof(to->at));
        memcpy(to->at + to->len, octets, len);
        to->len += len;
}

static inline void forged_write(const struct forged *f, enum forged_part part, struct bytes *to)
{
        const uint8_t alg = key_alg(f->key) == KEY_ES256 ? 0x26 : 0x27, longer = alg - 0x20;
        const uint8_t len[] = { 0x5a, 0, 0, (uint8_t)(f->payload.len >> 8), (uint8_t)f->payload.len };
        uint8_t octet;
        char digits[3] = "";

        for (const char *at = forged_ways[part][f->way[part]]; *at != 0; at++) {
                if (*at == 'x' || *at == 'y') {
                        forged_add(to, *at == 'x' ? &alg : &longer, 1);
                } else if (*at == 'k' || *at == 'p') {
                        forged_add(to, *at == 'k' ? f->kid.at : f->payload.at,
                                   *at == 'k' ? f->kid.len : f->payload.len);
                } else if (*at == 's') {
                        forged_add(to, f->signature, sizeof(f->signature));
                } else if (*at == 'h' && f->payload.len < 256) {
                        forged_add(to, (const uint8_t[]){ 0x58, len[4] }, 2);
                } else if (*at == 'h') {
                        forged_add(to, (const uint8_t[]){ 0x59, len[3], len[4] }, 3);
                } else if (*at == 'H') {
                        forged_add(to, len, sizeof(len));
                } else {
                        digits[0] = at[0];
                        digits[1] = *++at;
                        assert_int_equal(hex_decode(digits, &octet, 1), 0);
                        forged_add(to, &octet, 1);
                }
        }
}

/* forged_make: ORIGINAL, one of ours, put together again in the ways of WAY and signed with KEY over what then stands there. */
static inline void forged_make(struct forged *f, const struct bytes *original, struct bytes *to)
{
        struct bytes protected = { .len = 0 };
        struct cose_sign1 cose;
        struct cbor_writer w;
        uint8_t tbs[1024];
        size_t head;

        assert_int_equal(cose_sign1_parse(span_of(original), COSE_OURS, &cose, NULL), 0);
        f->kid = cose.kid;
        f->payload = cose.payload;
        forged_write(f, FORGED_PROTECTED, &protected);
        head = protected.at[0] == 0x59 ? 3 : protected.at[0] == 0x58 ? 2 : 1;
        cose.protected = (struct cbor_span){ protected.at + head, protected.len - head };
        if (cose.protected.len == 1) /* A0 counts as empty */
                cose.protected.len = 0;
        cbor_writer_init(&w, tbs, sizeof(tbs));
        assert_int_equal(cose_sig_structure(&cose, f->aad, &w), 0);
        assert_int_equal(key_sign(f->key, cbor_written(&w), f->signature), 0);
        to->len = 0;
        for (int part = 0; part < FORGED_PARTS; part++)
                forged_write(f, (enum forged_part)part, to);
}
#endif
