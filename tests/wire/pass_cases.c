/* pass_cases COUNT [SEED]: passes, most of them spoiled, and what wire/pass_verify.c says of each, for another verifier to agree with.
 *
 *      trust ROOT LIST                                     both in hex: the root's 32 octets, the signed list
 *      NOW CLASS SENSITIVE DEGRADED_OK STATUS BUILDING PASS PROOF HELLO REFUSAL DEGRADED     a line a case; "-" is empty
 *
 * STATUS is "-" (none held) or EXPIRES:COUNT:BITS. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/forged.h"

struct made {
        struct door d;
        struct key *root;
        struct bytes pass, proof;
        uint64_t chance;
};

static uint32_t below(struct made *m, uint32_t limit)
{
        m->chance = m->chance * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(m->chance >> 33) % limit;
}

/* flip: one to three bits. */
static void flip(struct made *m, uint8_t *at, size_t len)
{
        for (uint32_t n = 1 + below(m, 3); n > 0 && len > 0; n--)
                at[below(m, (uint32_t)len)] ^= (uint8_t)(1 << below(m, 8));
}

/* shift: an octet less, or one more that is likely to be CBOR. */
static void shift(struct made *m, struct bytes *b)
{
        static const uint8_t heads[] = { 0x00, 0x18, 0x20, 0x40, 0x60, 0x80, 0x81,
                                         0xa0, 0xc1, 0xf4, 0xf6, 0xf9, 0xfa, 0xff };
        size_t at = below(m, (uint32_t)b->len);

        if (below(m, 2) == 0) {
                memmove(b->at + at, b->at + at + 1, b->len - at - 1);
                b->len--;
        } else if (b->len < sizeof(b->at)) {
                memmove(b->at + at + 1, b->at + at, b->len - at);
                b->at[at] = heads[below(m, sizeof(heads))];
                b->len++;
        }
}

/* longer: a newer format's field behind the others, of any kind. */
static void longer(struct made *m, struct bytes *b)
{
        static const char *const items[] = {
                "00",
                "1817",
                "1818",
                "20",
                "3bffffffffffffffff",
                "1bffffffffffffffff",
                "40",
                "4101",
                "60",
                "62c3a9",
                "61ff",
                "63efbbbf",
                "63eda080",
                "80",
                "8101",
                "a0",
                "a10102",
                "a201020103",
                "a202010101",
                "c101",
                "c1c1c1c101",
                "8181818181818101",
                "818181818181818101",
                "a1a001",
                "f4",
                "f6",
                "f7",
                "e0",
                "f820",
                "f818",
                "f93c00",
                "f97e00",
                "f97e01",
                "f97c00",
                "fa3f800000",
                "fa47c35000",
                "fa7f800000",
                "fb3ff199999999999a",
                "fb3ff0000000000000",
                "f90001",
                "fa33800000",
                "fa33000000",
                "fb36a0000000000000",
                "ff",
                "9fff",
                "5f40ff",
                "1c",
                "d9d9f700",
        };
        const char *item = items[below(m, sizeof(items) / sizeof(*items))];

        if (b->len + strlen(item) / 2 > sizeof(b->at) || b->at[0] >> 5 != 4 || (b->at[0] & 31) > 22)
                return;
        b->at[0]++;
        assert_int_equal(hex_decode(item, b->at + b->len, strlen(item) / 2), 0);
        b->len += strlen(item) / 2;
}

/* spoil: what BYTES hold, by one of the ways. */
static void spoil(struct made *m, struct bytes *b, uint32_t way)
{
        if (way == 0)
                flip(m, b->at, b->len);
        else if (way == 1)
                shift(m, b);
        else
                longer(m, b);
}

/* again: sign the payload of B anew after it was spoiled: only who reads it strictly refuses it. */
static void again(struct made *m, struct bytes *b, const struct key *key, struct cbor_span aad)
{
        struct cose_sign1 cose;
        struct bytes payload;
        struct cbor_writer w;
        uint8_t kid[KEY_KID_SIZE];

        assert_int_equal(cose_sign1_parse(span_of(b), COSE_OURS, &cose, NULL), 0);
        memcpy(payload.at, cose.payload.at, cose.payload.len);
        payload.len = cose.payload.len;
        memcpy(kid, cose.kid.at, sizeof(kid));
        spoil(m, &payload, below(m, 3));
        cbor_writer_init(&w, b->at, sizeof(b->at));
        assert_int_equal(cose_sign1_sign(
                                 &(struct cose_parts){
                                         .alg = key_alg(key), .kid = kid, .payload = span_of(&payload), .aad = aad },
                                 key, &w),
                         0);
        b->len = w.len;
}

/* forge: put B together in one or two ways that are not ours, signed all the same. */
static void forge(struct made *m, struct bytes *b, const struct key *key, struct cbor_span aad)
{
        struct forged f = { .key = key, .aad = aad };
        struct bytes to;

        for (uint32_t n = 1 + below(m, 2); n > 0; n--) {
                enum forged_part part = (enum forged_part)below(m, FORGED_PARTS);

                f.way[part] = below(m, (uint32_t)forged_count(part));
        }
        forged_make(&f, b, &to);
        *b = to;
}

/* vary: what the door asks, its clock, list, place. */
static void vary(struct made *m)
{
        struct pass_question *q = &m->d.question;
        static const int32_t off_s[] = { 0,   0,    0,     1,     -1,    15,    -15,   30,    31,
                                         -31, 3600, -3600, -3720, -3721, 25320, 25321, 86400, -86400 };

        q->now_s = NOW_S + (uint32_t)off_s[below(m, sizeof(off_s) / sizeof(*off_s))];
        q->sensitive = below(m, 8) == 0;
        q->degraded_ok = below(m, 4) == 0;
        q->status = below(m, 8) == 0 ? NULL : &m->d.status;
        m->d.status.expires_s = NOW_S + (below(m, 4) == 0 ? 0 : 90000);
        m->d.bits[1] = below(m, 8) == 0 ? 1 << 3 : 0;
        if (below(m, 16) == 0)
                q->building[below(m, BUILDING_ID_SIZE)] ^= 1;
}

/* anew: a pass of other sizes, windows and policy for this door. */
static void anew(struct made *m)
{
        struct door *d = &m->d;

        d->buildings = 1 + below(m, 50);
        d->here = below(m, (uint32_t)d->buildings);
        memcpy(d->mandate.building, d->leaves[d->here].building, BUILDING_ID_SIZE);
        d->pass.policy = below(m, 8);
        d->pass.window_count = (uint8_t)below(m, 3);
        for (int i = 0; i < d->pass.window_count; i++) {
                d->pass.windows[i].from_s = NOW_S - below(m, 100);
                d->pass.windows[i].to_s = d->pass.windows[i].from_s + below(m, 200);
        }
        d->question.class = (uint8_t)(DOOR_NFC + below(m, 3));
        d->proof.counter++;
        door_pass(d);
        door_proof(d);
}

/* one: the next case, in m->pass, m->proof and the question. */
static void one(struct made *m)
{
        struct door *d = &m->d;
        uint8_t aad[PROOF_AAD_SIZE];
        uint32_t way = below(m, 12);

        if (below(m, 4) == 0)
                anew(m);
        memcpy(d->question.building, d->mandate.building, BUILDING_ID_SIZE);
        d->question.now_s = NOW_S;
        d->question.sensitive = false;
        d->question.status = &d->status;
        if (below(m, 3) == 0)
                vary(m);
        m->pass = d->signed_pass;
        m->proof = d->signed_proof;
        proof_aad(&d->crypto.sha, d->question.hello, d->question.class, d->proof.time_s, aad);
        if (way < 3)
                spoil(m, &m->pass, way % 2);
        else if (way < 5)
                spoil(m, &m->proof, way % 2);
        else if (way < 7)
                again(m, &m->pass, d->keeper, CBOR_LITERAL(PASS_AAD));
        else if (way < 9)
                again(m, &m->proof, d->phone, CBOR_OCTETS(aad));
        else if (way < 10)
                forge(m, &m->pass, d->keeper, CBOR_LITERAL(PASS_AAD));
        else if (way < 11)
                forge(m, &m->proof, d->phone, CBOR_OCTETS(aad));
        d->question.pass = span_of(&m->pass);
        d->question.proof = span_of(&m->proof);
}

static void print_hex(struct cbor_span octets)
{
        static const char digits[] = "0123456789abcdef";

        putchar(' ');
        if (octets.len == 0)
                putchar('-');
        for (size_t i = 0; i < octets.len; i++) {
                putchar(digits[octets.at[i] >> 4]);
                putchar(digits[octets.at[i] & 15]);
        }
}

static void print(const struct door *d)
{
        const struct pass_question *q = &d->question;

        printf("%" PRIu32 " %d %d %d ", q->now_s, q->class, q->sensitive, q->degraded_ok);
        if (q->status == NULL)
                putchar('-');
        else
                printf("%" PRIu32 ":%" PRIu32 ":%02x%02x", q->status->expires_s, q->status->count, q->status->bits[0],
                       q->status->bits[1]);
        print_hex(CBOR_OCTETS(q->building));
        print_hex(q->pass);
        print_hex(q->proof);
        print_hex(q->hello);
        printf(" %d %d\n", d->verdict.refusal, d->verdict.degraded);
}

static void print_trust(struct made *m)
{
        static uint8_t list[TRUST_MAX];
        uint8_t root[KEY_PUBLIC_MAX];
        struct cbor_writer w;

        assert_int_equal(key_generate(KEY_EDDSA, &m->root), 0);
        cbor_writer_init(&w, list, sizeof(list));
        assert_int_equal(trust_sign(&m->d.trust, m->root, &w), 0);
        printf("trust");
        print_hex((struct cbor_span){ root, key_public(m->root, root) });
        print_hex(cbor_written(&w));
        putchar('\n');
}

int main(int argc, char **argv)
{
        static struct made m;
        long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;

        m.chance = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
        door_open(&m.d, BUILDINGS, DOOR_NFC);
        m.d.status.count = 16;
        print_trust(&m);
        for (long i = 0; i < count; i++) {
                one(&m);
                door_ask(&m.d);
                print(&m.d);
        }
        key_free(m.root);
        door_close(&m.d);
        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
