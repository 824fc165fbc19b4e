#include "wire/receipt.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define RECEIPT_PARTS 7

void receipt_set_who(struct receipt *receipt, const char *name)
{
        size_t left = name != NULL ? strlen(name) : 0, len = 0, step;

        memset(receipt->who, 0, sizeof(receipt->who));
        while ((step = left > 0 ? utf8_sequence(name + len, left) : 0) > 0 && len + step <= RECEIPT_WHO_MAX) {
                len += step;
                left -= step;
        }
        if (len > 0)
                memcpy(receipt->who, name, len);
}

int receipt_write_payload(const struct receipt *receipt, struct cbor_writer *to)
{
        if (receipt->state > RECEIPT_STATE_MAX)
                return -EINVAL;
        cbor_write_array(to, RECEIPT_PARTS);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(receipt->alert.octets));
        cbor_write_uint(to, receipt->revision);
        cbor_write_uint(to, receipt->version);
        cbor_write_uint(to, receipt->state);
        cbor_write_uint(to, receipt->time_s);
        cbor_write_string(to, receipt->who);
        return to->full ? -ENOBUFS : 0;
}

int receipt_read_payload(struct cbor_span payload, struct receipt *ret_receipt, const char **why)
{
        struct receipt receipt = { 0 };
        struct cbor_reader r;
        int error;

        cbor_reader_init(&r, payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "a receipt format other than 1");
        cbor_read_octets(&r, receipt.alert.octets, ALERT_ID_SIZE);
        receipt.revision = (uint16_t)cbor_read_uint(&r, UINT16_MAX);
        receipt.version = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        receipt.state = (uint8_t)cbor_read_uint(&r, UINT8_MAX);
        receipt.time_s = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
        cbor_read_string(&r, receipt.who, sizeof(receipt.who));
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error == 0)
                *ret_receipt = receipt;
        else if (why != NULL)
                *why = r.broken;
        return error;
}

int receipt_read(struct cbor_span in, struct receipt_signed *ret_receipt, const char **why)
{
        struct receipt_signed whole;
        int r = cose_sign1_parse(in, COSE_OURS, &whole.cose, why);

        if (r < 0 || (r = receipt_read_payload(whole.cose.payload, &whole.receipt, why)) < 0)
                return r;
        memcpy(whole.kid, whole.cose.kid.at, KEY_KID_SIZE);
        *ret_receipt = whole;
        return 0;
}

bool receipt_is_received(unsigned state)
{
        return state != RECEIPT_KEPT && state != RECEIPT_COMING;
}

bool receipt_is_closed(unsigned state)
{
        return state == RECEIPT_CLOSED || (state >= RECEIPT_CLOSED_HELPED && state <= RECEIPT_STATE_MAX);
}

const char *receipt_state_name(unsigned state)
{
        static const char *const names[RECEIPT_STATE_MAX + 1] = {
                [RECEIPT_KEPT] = "kept",
                [RECEIPT_RAISED] = "raised",
                [RECEIPT_ASKED] = "asked",
                [RECEIPT_SEEN] = "seen",
                [RECEIPT_TAKEN] = "taken",
                [RECEIPT_EN_ROUTE] = "en route",
                [RECEIPT_ON_SCENE] = "on scene",
                [RECEIPT_CLOSED] = "closed",
                [RECEIPT_COMING] = "coming",
                [RECEIPT_CLOSED_HELPED] = "closed: helped",
                [RECEIPT_CLOSED_MISTAKE] = "closed: mistake",
                [RECEIPT_CLOSED_HANDED_OVER] = "closed: handed to the emergency services",
                [RECEIPT_CLOSED_DRILL_OVER] = "closed: drill over",
                [RECEIPT_CLOSED_NO_DANGER] = "closed: no danger found",
                [RECEIPT_CLOSED_OTHER] = "closed: other",
        };

        return state <= RECEIPT_STATE_MAX && names[state] != NULL ? names[state] : "unknown";
}
