#include "base/entry.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static const uint8_t magic[8] = { 'V', 'I', 'G', 'I', 'E', 'J', 'N', 'L' };

/* Offsets in the header and in an entry. */
enum { HEADER_FORMAT = 8, HEADER_OWNER = 12, HEADER_SEQUENCE = 16, HEADER_CRC = 28 };
enum { ENTRY_LENGTH = 0, ENTRY_CRC = 4, ENTRY_SEQUENCE = 8, ENTRY_LINK = 16 };

static void put_u32(uint8_t *out, uint32_t value)
{
        for (int i = 3; i >= 0; i--, value >>= 8)
                out[i] = (uint8_t)value;
}

static void put_u64(uint8_t *out, uint64_t value)
{
        put_u32(out, (uint32_t)(value >> 32));
        put_u32(out + 4, (uint32_t)value);
}

static uint32_t get_u32(const uint8_t *in)
{
        return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static uint64_t get_u64(const uint8_t *in)
{
        return (uint64_t)get_u32(in) << 32 | get_u32(in + 4);
}

uint32_t entry_crc32c(uint32_t crc, const void *data, size_t len)
{
        /* Four bits at a time of the reflected polynomial 0x82f63b78: small, and far faster than the disk. */
        static const uint32_t table[16] = {
                0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
        };
        const uint8_t *in = data;

        crc = ~crc;
        for (size_t i = 0; i < len; i++) {
                crc ^= in[i];
                crc = table[crc & 15] ^ crc >> 4;
                crc = table[crc & 15] ^ crc >> 4;
        }
        return ~crc;
}

/* The first 16 octets of SHA-256(FIRST | SECOND). */
static int link_of(const uint8_t *first, size_t first_len, const uint8_t *second, size_t second_len,
                   uint8_t out[ENTRY_LINK_SIZE])
{
        uint8_t digest[EVP_MAX_MD_SIZE];
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int r = -ENOMEM;

        if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
            EVP_DigestUpdate(ctx, first, first_len) == 1 && EVP_DigestUpdate(ctx, second, second_len) == 1 &&
            EVP_DigestFinal_ex(ctx, digest, NULL) == 1) {
                memcpy(out, digest, ENTRY_LINK_SIZE);
                r = 0;
        }
        EVP_MD_CTX_free(ctx);
        return r;
}

static int entry_link(const struct entry_chain *chain, uint64_t sequence, const uint8_t *payload, size_t len,
                      uint8_t out[ENTRY_LINK_SIZE])
{
        uint8_t before[ENTRY_LINK_SIZE + 8];

        memcpy(before, chain->link, ENTRY_LINK_SIZE);
        put_u64(before + ENTRY_LINK_SIZE, sequence);
        return link_of(before, sizeof(before), payload, len, out);
}

static uint32_t entry_crc(const uint8_t *entry, size_t payload_len)
{
        uint32_t crc = entry_crc32c(0, entry + ENTRY_LENGTH, 4);

        return entry_crc32c(crc, entry + ENTRY_SEQUENCE, ENTRY_OVERHEAD - ENTRY_SEQUENCE + payload_len);
}

int entry_header_encode(const char owner[4], uint64_t sequence, uint8_t *out, struct entry_chain *ret_chain)
{
        memset(out, 0, ENTRY_HEADER_SIZE);
        memcpy(out, magic, sizeof(magic));
        put_u32(out + HEADER_FORMAT, ENTRY_FORMAT);
        memcpy(out + HEADER_OWNER, owner, 4);
        put_u64(out + HEADER_SEQUENCE, sequence);
        put_u32(out + HEADER_CRC, entry_crc32c(0, out, HEADER_CRC));
        *ret_chain = (struct entry_chain){ .sequence = sequence };
        return link_of(out, ENTRY_HEADER_SIZE, NULL, 0, ret_chain->link);
}

int entry_header_decode(const uint8_t *buf, size_t len, const char owner[4], struct entry_chain *ret_chain)
{
        if (len < ENTRY_HEADER_SIZE || memcmp(buf, magic, sizeof(magic)) != 0 ||
            get_u32(buf + HEADER_CRC) != entry_crc32c(0, buf, HEADER_CRC))
                return -EBADMSG;
        if (get_u32(buf + HEADER_FORMAT) != ENTRY_FORMAT)
                return -EPROTONOSUPPORT;
        if (memcmp(buf + HEADER_OWNER, owner, 4) != 0)
                return -EINVAL;
        *ret_chain = (struct entry_chain){ .sequence = get_u64(buf + HEADER_SEQUENCE) };
        return link_of(buf, ENTRY_HEADER_SIZE, NULL, 0, ret_chain->link);
}

int entry_encode(struct entry_chain *chain, const void *payload, size_t payload_len, struct entry_out out,
                 size_t *ret_len)
{
        struct entry_chain after = { .sequence = chain->sequence + 1, .last = chain->sequence + 1 };
        int r;

        if (payload_len == 0 || payload_len > ENTRY_PAYLOAD_MAX)
                return -EMSGSIZE;
        if (out.size < ENTRY_OVERHEAD + payload_len)
                return -ENOBUFS;
        if ((r = entry_link(chain, after.sequence, payload, payload_len, after.link)) < 0)
                return r;
        put_u32(out.data + ENTRY_LENGTH, (uint32_t)payload_len);
        put_u64(out.data + ENTRY_SEQUENCE, after.sequence);
        memcpy(out.data + ENTRY_LINK, after.link, ENTRY_LINK_SIZE);
        memcpy(out.data + ENTRY_OVERHEAD, payload, payload_len);
        put_u32(out.data + ENTRY_CRC, entry_crc(out.data, payload_len));
        *chain = after;
        *ret_len = ENTRY_OVERHEAD + payload_len;
        return 0;
}

static int all_zeros(const uint8_t *buf, size_t len)
{
        return len == 0 || (buf[0] == 0 && memcmp(buf, buf + 1, len - 1) == 0);
}

enum entry_result entry_next(struct entry_chain *chain, const uint8_t *buf, size_t len, struct entry *ret_entry)
{
        struct entry_chain after;
        size_t payload_len = len < ENTRY_OVERHEAD ? 0 : get_u32(buf + ENTRY_LENGTH);

        if (payload_len == 0)
                return all_zeros(buf, len) ? ENTRY_END : ENTRY_TORN;
        if (payload_len > ENTRY_PAYLOAD_MAX || payload_len > len - ENTRY_OVERHEAD ||
            get_u32(buf + ENTRY_CRC) != entry_crc(buf, payload_len))
                return ENTRY_TORN;
        after.last = get_u64(buf + ENTRY_SEQUENCE);
        after.sequence = after.last > chain->sequence ? after.last : chain->sequence;
        if (after.last <= chain->last)
                return ENTRY_TORN;
        if (entry_link(chain, after.last, buf + ENTRY_OVERHEAD, payload_len, after.link) < 0)
                return ENTRY_UNREAD;
        if (memcmp(after.link, buf + ENTRY_LINK, ENTRY_LINK_SIZE) != 0)
                return ENTRY_TORN;
        *chain = after;
        *ret_entry = (struct entry){ .sequence = after.last,
                                     .payload = buf + ENTRY_OVERHEAD,
                                     .payload_len = payload_len,
                                     .size = ENTRY_OVERHEAD + payload_len };
        return ENTRY_FOUND;
}
