#include "wire/sms.h"

#include <errno.h>
#include <string.h>

/* Information elements of TS 23.040 9.2.3.24 */
#define IE_PARTS_8  0x00 /* reference, parts, part */
#define IE_PORTS_8  0x04 /* destination, source */
#define IE_PORTS_16 0x05
#define IE_PARTS_16 0x08 /* reference of two octets */

#define NO_UDH 0x80 /* a first octet from here on: a CBOR array or tag; a header is at most 139 long, ours 6 */

void sms_udh_write(uint16_t port, uint8_t ret_udh[SMS_UDH_SIZE])
{
        const uint8_t udh[SMS_UDH_SIZE] = {
                SMS_UDH_SIZE - 1, IE_PORTS_16, 4, (uint8_t)(port >> 8), (uint8_t)port, 0, 0
        };

        memcpy(ret_udh, udh, sizeof(udh));
}

/* One element: PORT changes where it is one.  Returns 0, -EBADMSG, -EOPNOTSUPP. */
static int element_read(unsigned kind, struct cbor_span data, int *port)
{
        switch (kind) {
        case IE_PARTS_8:
                return data.len != 3 ? -EBADMSG : data.at[1] > 1 ? -EOPNOTSUPP : 0;
        case IE_PARTS_16:
                return data.len != 4 ? -EBADMSG : data.at[2] > 1 ? -EOPNOTSUPP : 0;
        case IE_PORTS_8:
                if (data.len != 2)
                        return -EBADMSG;
                *port = data.at[0];
                return 0;
        case IE_PORTS_16:
                if (data.len != 4)
                        return -EBADMSG;
                *port = data.at[0] << 8 | data.at[1];
                return 0;
        default:
                return 0;
        }
}

int sms_udh_port(struct cbor_span udh)
{
        int port = -ENOENT, r;

        if (udh.len == 0 || udh.at[0] != udh.len - 1)
                return -EBADMSG;
        for (size_t at = 1; at < udh.len;) {
                size_t left = udh.len - at, len = left >= 2 ? udh.at[at + 1] : 0;

                if (left < 2 || len > left - 2)
                        return -EBADMSG;
                if ((r = element_read(udh.at[at], (struct cbor_span){ udh.at + at + 2, len }, &port)) < 0)
                        return r;
                at += 2 + len;
        }
        return port;
}

int sms_object(struct cbor_span body, struct cbor_span udh, struct cbor_span *ret_object)
{
        bool apart = udh.len > 0, none = !apart && body.len > 0 && body.at[0] >= NO_UDH;
        int port = SMS_PORT;

        if (!apart && !none) {
                size_t len = body.len > 0 ? (size_t)body.at[0] + 1 : 1;

                if (len > body.len)
                        return -EBADMSG;
                udh = (struct cbor_span){ body.at, len };
                body = (struct cbor_span){ body.at + len, body.len - len };
        }
        if (!none && (port = sms_udh_port(udh)) < 0)
                return port == -EOPNOTSUPP ? -EBADMSG : port;
        if (port != SMS_PORT)
                return -ENOENT;
        if (body.len == 0)
                return -EBADMSG;
        if (body.len > SMS_DATA_MAX)
                return -EMSGSIZE;
        *ret_object = body;
        return 0;
}
