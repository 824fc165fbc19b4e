/* COSE_Sign1, trust list, receipt, sealed position and inspect on any octets.  What our own profile accepts, the
 * lenient one accepts too, with the same fields; and written anew from those fields it is the same octets. */
#include <stdlib.h>
#include <string.h>

#include "wire/inspect.h"
#include "wire/receipt.h"
#include "wire/sealed.h"
#include "wire/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(bool condition)
{
        if (!condition)
                abort();
}

static void check_ours(struct cbor_span in, const struct cose_sign1 *ours)
{
        static uint8_t bytes[COSE_MAX];
        struct cose_parts parts = { .alg = (enum key_alg)ours->alg, .kid = ours->kid.at, .payload = ours->payload };
        struct cose_sign1 any;
        struct cbor_writer w;

        holds(cose_sign1_parse(in, COSE_ANY, &any, NULL) == 0);
        holds(any.alg == ours->alg && cbor_equal(any.kid, ours->kid) && cbor_equal(any.payload, ours->payload));
        if (ours->alg != KEY_ES256 && ours->alg != KEY_EDDSA)
                return;
        cbor_writer_init(&w, bytes, sizeof(bytes));
        holds(cose_sign1_finish(&parts, ours->signature.at, &w) == 0 && cbor_equal(cbor_written(&w), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct trust trust;
        static uint8_t decoded[1 << 16];
        static char to[1 << 14];
        const struct cbor_span in = { data, size };
        struct cose_sign1 m;
        struct receipt_signed receipt;
        struct inspect_text text;
        uint8_t kid[KEY_KID_SIZE];
        size_t len;

        if (cose_sign1_parse(in, COSE_OURS, &m, NULL) == 0)
                check_ours(in, &m);
        receipt_read(in, &receipt, NULL);
        receipt_read_payload(in, &receipt.receipt, NULL);
        if (trust_read_payload(in, &trust, NULL) == 0)
                holds(trust.count <= TRUST_KEYS_MAX);
        sealed_kid(in, kid);
        if (size > sizeof(decoded))
                return 0;
        inspect_decode(in, decoded, &len);
        inspect_text_init(&text, to, sizeof(to));
        inspect_print((struct cbor_span){ decoded, len }, &text, NULL);
        holds(strlen(to) == text.len && text.len < sizeof(to));
        return 0;
}
