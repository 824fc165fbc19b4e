#include "device/handset/host/pdu.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/hex.h"

#define MTI_DELIVER   0x00
#define MTI_SUBMIT    0x01
#define MTI_MASK      0x03
#define UDHI          0x40 /* user data begins with a header */
#define INTERNATIONAL 0x91 /* type of number, TS 23.040 9.1.2.5 */
#define DCS_8BIT      0x04 /* 8-bit, of no class */
#define SCTS_SIZE     7    /* the centre's time stamp */
#define UD_MAX        140

/* ---- out --------------------------------------------------------------------------------------------------------- */

static int count_digits(const char *number)
{
        size_t n = number[0] == '+' ? strspn(number + 1, "0123456789") : 0;

        return n >= 1 && n <= PDU_NUMBER_MAX && number[1 + n] == 0 ? (int)n : -EINVAL;
}

/* Two digits an octet, the first in the lower half; an odd number ends with 0xf. */
static size_t write_digits(const char *digits, size_t count, uint8_t *to)
{
        for (size_t i = 0; i < count; i += 2) {
                unsigned high = i + 1 < count ? (unsigned)(digits[i + 1] - '0') : 0xf;

                to[i / 2] = (uint8_t)(high << 4 | (unsigned)(digits[i] - '0'));
        }
        return (count + 1) / 2;
}

int pdu_submit(const char *number, struct cbor_span data, char ret_hex[PDU_HEX_SIZE])
{
        int digits = count_digits(number);
        uint8_t pdu[PDU_MAX] = { 0 /* centre: the SIM's */, MTI_SUBMIT | UDHI, 0 /* reference: the modem's */ };
        size_t n = 3;

        if (digits < 0 || data.len < 1 || data.len > SMS_DATA_MAX)
                return -EINVAL;
        pdu[n++] = (uint8_t)digits;
        pdu[n++] = INTERNATIONAL;
        n += write_digits(number + 1, (size_t)digits, pdu + n);
        pdu[n++] = 0; /* protocol: none */
        pdu[n++] = DCS_8BIT;
        pdu[n++] = (uint8_t)(SMS_UDH_SIZE + data.len);
        sms_udh_write(SMS_PORT, pdu + n);
        memcpy(pdu + n + SMS_UDH_SIZE, data.at, data.len);
        n += SMS_UDH_SIZE + data.len;
        hex_encode(pdu, n, ret_hex);
        for (char *c = ret_hex; *c != 0; c++)
                *c = (char)toupper((unsigned char)*c); /* some modems know no others */
        return (int)n - 1;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

struct cursor {
        const uint8_t *at;
        size_t left;
};

/* Step over LEN octets.  NULL: they are not there. */
static const uint8_t *take(struct cursor *cursor, size_t len)
{
        const uint8_t *at = cursor->at;

        if (cursor->left < len)
                return NULL;
        cursor->at += len;
        cursor->left -= len;
        return at;
}

static bool is_8bit(uint8_t dcs)
{
        if (dcs >> 4 == 0xf) /* data coding and class */
                return dcs & 0x04;
        return dcs >> 6 == 0 && !(dcs & 0x20) && (dcs & 0x0c) == DCS_8BIT; /* general, not compressed */
}

/* What is in front of the user data: centre, first octet, sender, protocol, coding, time.  Says first octet and coding. */
static int read_head(struct cursor *c, uint8_t *ret_first, uint8_t *ret_dcs)
{
        const uint8_t *centre = take(c, 1), *first, *sender, *coding;

        if (centre == NULL || take(c, centre[0]) == NULL || (first = take(c, 1)) == NULL)
                return -EBADMSG;
        if ((*first & MTI_MASK) != MTI_DELIVER)
                return -ENOENT;
        sender = take(c, 1);
        if (sender == NULL || take(c, 1 + (sender[0] + 1u) / 2) == NULL || (coding = take(c, 2)) == NULL ||
            take(c, SCTS_SIZE) == NULL)
                return -EBADMSG;
        *ret_first = *first;
        *ret_dcs = coding[1];
        return 0;
}

static int read_octets(const char *hex, uint8_t pdu[PDU_MAX], struct cursor *ret_cursor)
{
        size_t digits = strlen(hex);

        if (digits % 2 != 0 || digits / 2 > PDU_MAX || hex_decode(hex, pdu, digits / 2) < 0)
                return -EBADMSG;
        *ret_cursor = (struct cursor){ pdu, digits / 2 };
        return 0;
}

int pdu_deliver(const char *hex, uint8_t ret_data[SMS_DATA_MAX], size_t *ret_len)
{
        uint8_t pdu[PDU_MAX], first, dcs;
        struct cursor c;
        const uint8_t *len;
        size_t header;
        int r;

        if ((r = read_octets(hex, pdu, &c)) < 0 || (r = read_head(&c, &first, &dcs)) < 0)
                return r;
        if (!(first & UDHI) || !is_8bit(dcs))
                return -ENOENT;
        if ((len = take(&c, 1)) == NULL || *len > UD_MAX || *len != c.left || c.left < 1)
                return -EBADMSG;
        header = 1u + c.at[0];
        if (header >= c.left || c.left - header > SMS_DATA_MAX)
                return -EBADMSG;
        r = sms_udh_port((struct cbor_span){ c.at, header });
        if (r != SMS_PORT)
                return r == -EBADMSG ? r : -ENOENT;
        *ret_len = c.left - header;
        memcpy(ret_data, c.at + header, *ret_len);
        return 0;
}
