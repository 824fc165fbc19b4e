#include "wire/order.h"

#include <errno.h>
#include <string.h>

int order_write_payload(const struct order *order, struct cbor_writer *to)
{
        if (order->kind < ORDER_WIPE || order->kind >= ORDER_KIND_END)
                return -EINVAL;
        cbor_write_array(to, 7);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(order->handset.octets));
        cbor_write_bytes(to, CBOR_OCTETS(order->enrolment));
        cbor_write_uint(to, order->number);
        cbor_write_uint(to, order->kind);
        cbor_write_uint(to, order->issued_at_s);
        if (order->kind == ORDER_UNLOCK)
                cbor_write_bytes(to, CBOR_OCTETS(order->challenge));
        else if (order->kind == ORDER_PASS)
                cbor_write_bytes(to, CBOR_OCTETS(order->digest));
        else if (order->kind == ORDER_TRUST)
                cbor_write_uint(to, order->trust_number);
        else
                cbor_write_null(to);
        return to->full ? -ENOBUFS : 0;
}

static void argument_read(struct cbor_reader *r, struct order *order)
{
        switch (order->kind) {
        case ORDER_WIPE:
                if (!cbor_read_null(r))
                        cbor_refuse(r, "a wipe has no argument");
                return;
        case ORDER_UNLOCK:
                cbor_read_octets(r, order->challenge, sizeof(order->challenge));
                return;
        case ORDER_PASS:
                cbor_read_octets(r, order->digest, sizeof(order->digest));
                return;
        case ORDER_TRUST:
                order->trust_number = (uint32_t)cbor_read_uint(r, UINT32_MAX);
                return;
        default:
                cbor_skip(r); /* a newer region's: who does it says that it is not understood */
        }
}

int order_read(struct cbor_span in, struct order_signed *ret_order, const char **why)
{
        struct order *order = &ret_order->order;
        struct cbor_reader r;
        int error = cose_sign1_parse(in, COSE_OURS, &ret_order->cose, why);

        if (error < 0)
                return error;
        memset(order, 0, sizeof(*order));
        cbor_reader_init(&r, ret_order->cose.payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "an order format other than 1");
        cbor_read_octets(&r, order->handset.octets, sizeof(order->handset.octets));
        cbor_read_octets(&r, order->enrolment, sizeof(order->enrolment));
        order->number = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        order->kind = (enum order_kind)cbor_read_uint(&r, UINT8_MAX);
        order->issued_at_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        argument_read(&r, order);
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

/* ---- confirmation */

int confirm_write_payload(const struct confirm *confirm, struct cbor_writer *to)
{
        cbor_write_array(to, 7);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(confirm->handset.octets));
        cbor_write_bytes(to, CBOR_OCTETS(confirm->enrolment));
        cbor_write_uint(to, confirm->number);
        cbor_write_uint(to, confirm->kind);
        cbor_write_uint(to, confirm->result);
        cbor_write_uint(to, confirm->at_s);
        return to->full ? -ENOBUFS : 0;
}

static struct cose_parts confirm_parts(const struct confirm *confirm, struct cbor_writer *payload)
{
        confirm_write_payload(confirm, payload);
        return (struct cose_parts){ .alg = KEY_ES256,
                                    .kid = confirm->handset.octets,
                                    .payload = cbor_written(payload),
                                    .aad = { (const uint8_t *)CONFIRM_AAD, sizeof(CONFIRM_AAD) - 1 } };
}

int confirm_tbs(const struct confirm *confirm, struct cbor_writer *to)
{
        uint8_t octets[CONFIRM_PAYLOAD_MAX];
        struct cbor_writer payload;
        struct cose_parts parts;

        cbor_writer_init(&payload, octets, sizeof(octets));
        parts = confirm_parts(confirm, &payload);
        return cose_sign1_tbs(&parts, to);
}

int confirm_finish(const struct confirm *confirm, const uint8_t signature[KEY_SIGNATURE_SIZE], struct cbor_writer *to)
{
        uint8_t octets[CONFIRM_PAYLOAD_MAX];
        struct cbor_writer payload;
        struct cose_parts parts;

        cbor_writer_init(&payload, octets, sizeof(octets));
        parts = confirm_parts(confirm, &payload);
        return cose_sign1_finish(&parts, signature, to);
}

int confirm_read(struct cbor_span in, struct confirm_signed *ret_confirm, const char **why)
{
        struct confirm *confirm = &ret_confirm->confirm;
        struct cbor_reader r;
        int error = cose_sign1_parse(in, COSE_OURS, &ret_confirm->cose, why);

        if (error < 0)
                return error;
        memset(confirm, 0, sizeof(*confirm));
        cbor_reader_init(&r, ret_confirm->cose.payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a confirmation format other than 1");
        cbor_read_octets(&r, confirm->handset.octets, sizeof(confirm->handset.octets));
        cbor_read_octets(&r, confirm->enrolment, sizeof(confirm->enrolment));
        confirm->number = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        confirm->kind = (uint8_t)cbor_read_uint(&r, UINT8_MAX);
        confirm->result = (uint8_t)cbor_read_uint(&r, UINT8_MAX);
        confirm->at_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        cbor_leave(&r);
        if (r.broken == NULL && memcmp(ret_confirm->cose.kid.at, confirm->handset.octets, HANDSET_ID_SIZE) != 0)
                cbor_refuse(&r, "a confirmation of another handset than its signer");
        error = cbor_end(&r);
        if (error < 0 && why != NULL)
                *why = r.broken;
        return error;
}

const char *order_kind_name(unsigned kind)
{
        static const char *const names[ORDER_KIND_END] = { NULL, "wipe", "unlock", "pass", "trust" };

        return kind > 0 && kind < ORDER_KIND_END ? names[kind] : "unknown";
}
