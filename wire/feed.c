#include "wire/feed.h"

#include <errno.h>

#include "wire/fields.h"
#include "wire/receipt.h"

/* ---- PROTOCOL.md 9 */

static const struct field name_fields[] = {
        F_ID(struct overdue_name, carrier_id),  F_TEXT(struct overdue_name, carrier_name),
        F_ID(struct overdue_name, number),      F_ID(struct overdue_name, round),
        F_MS(struct overdue_name, heard_at_ms),
        F_LATER_PART(struct overdue_name, at, has_place, &fields_point),
};
static const struct fields names = FIELDS(name_fields);
static const struct field notice_fields[] = {
        F_UINT(struct notice, kind, NOTICE_OVERDUE, NOTICE_END - 1),
        F_BOOL(struct notice, rings),
        F_MS(struct notice, since_ms),
        F_U32(struct notice, count),
        F_TEXT(struct notice, zone_id),
        F_TEXT(struct notice, zone_name),
        F_ID(struct notice, cause),
        F_ID(struct notice, acked_by),
        F_LIST(struct notice, names, name_count, NOTICE_NAMES_MAX, &names),
};
static const struct fields_kind notice_kind = { FIELDS(notice_fields), sizeof(struct notice), NOTICE_MAX, FEED_FORMAT };

static const struct field duty_fields[] = {
        F_MS(struct duty_entry, since_ms),
        F_U32(struct duty_entry, until_s),
        F_OCTETS(struct duty_entry, handset),
};
static const struct fields_kind duty_kind = { FIELDS(duty_fields), sizeof(struct duty_entry), DUTY_ENTRY_MAX,
                                              FEED_FORMAT };

static const struct field presence_fields[] = {
        F_MS(struct presence, at_ms),
        F_UINT(struct presence, by, PRESENCE_GONE, PRESENCE_CONSOLE),
        F_PART(struct presence, at, has_position, &fields_point),
};
static const struct fields_kind presence_kind = { FIELDS(presence_fields), sizeof(struct presence), PRESENCE_MAX,
                                                  FEED_FORMAT };

static const struct field carrier_duty_fields[] = {
        F_ID(struct carrier_duty, carrier_id),
        F_ID(struct carrier_duty, round),
        F_MS(struct carrier_duty, since_ms),
        F_U32(struct carrier_duty, until_s),
        F_TEXT(struct carrier_duty, zone_id),
        F_BATTERY(struct carrier_duty, battery),
        F_BLOB(struct carrier_duty, sealed, sealed_size, 1, SEALED_POSITION_MAX),
        F_LATER(struct carrier_duty, cause, UINT8_MAX),
        F_LATER(struct carrier_duty, asked_ms, INT64_MAX),
};
static const struct fields_kind carrier_duty_kind = { FIELDS(carrier_duty_fields), sizeof(struct carrier_duty),
                                                      CARRIER_DUTY_MAX, FEED_FORMAT };

static const struct field tombstone_fields[] = {
        F_UINT(struct tombstone, version, 1, UINT32_MAX),
        F_ALSO(struct tombstone, state, RECEIPT_CLOSED_HELPED, RECEIPT_STATE_MAX, RECEIPT_CLOSED),
        F_MS(struct tombstone, closed_at_ms),
        F_TEXT(struct tombstone, who),
        F_LATER(struct tombstone, revision, UINT16_MAX),
        F_LATER(struct tombstone, marks, UINT32_MAX),
};
static const struct fields_kind tombstone_kind = { FIELDS(tombstone_fields), sizeof(struct tombstone), TOMBSTONE_MAX,
                                                   FEED_FORMAT };

int notice_encode(const struct notice *notice, uint8_t *buf, size_t size)
{
        return fields_encode(&notice_kind, notice, buf, size);
}

int notice_decode(const uint8_t *data, size_t size, struct notice *ret_notice)
{
        return fields_decode(&notice_kind, (struct cbor_span){ data, size }, ret_notice);
}

int duty_entry_encode(const struct duty_entry *duty, uint8_t *buf, size_t size)
{
        return fields_encode(&duty_kind, duty, buf, size);
}

int duty_entry_decode(const uint8_t *data, size_t size, struct duty_entry *ret_duty)
{
        return fields_decode(&duty_kind, (struct cbor_span){ data, size }, ret_duty);
}

int presence_encode(const struct presence *presence, uint8_t *buf, size_t size)
{
        return fields_encode(&presence_kind, presence, buf, size);
}

int presence_decode(const uint8_t *data, size_t size, struct presence *ret_presence)
{
        return fields_decode(&presence_kind, (struct cbor_span){ data, size }, ret_presence);
}

int carrier_duty_encode(const struct carrier_duty *duty, uint8_t *buf, size_t size)
{
        return fields_encode(&carrier_duty_kind, duty, buf, size);
}

int carrier_duty_decode(const uint8_t *data, size_t size, struct carrier_duty *ret_duty)
{
        return fields_decode(&carrier_duty_kind, (struct cbor_span){ data, size }, ret_duty);
}

int tombstone_encode(const struct tombstone *tombstone, uint8_t *buf, size_t size)
{
        return fields_encode(&tombstone_kind, tombstone, buf, size);
}

int tombstone_decode(const uint8_t *data, size_t size, struct tombstone *ret_tombstone)
{
        return fields_decode(&tombstone_kind, (struct cbor_span){ data, size }, ret_tombstone);
}

const char *notice_kind_name(uint8_t kind)
{
        static const char *const words[NOTICE_END] = {
                [NOTICE_OVERDUE] = "overdue",
                [NOTICE_UNVERIFIED] = "unverified",
                [NOTICE_TECHNICAL] = "technical",
                [NOTICE_DURESS] = "duress",
        };

        return kind < NOTICE_END ? words[kind] : NULL;
}

/* Four digits: no format number will have more. */
int feed_format_check(const char *text, size_t len)
{
        int format = 0;

        if (len < 1 || len > 4 || text[0] == '0')
                return -EBADMSG;
        for (size_t i = 0; i < len; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return -EBADMSG;
                format = 10 * format + (text[i] - '0');
        }
        return format == FEED_FORMAT ? 0 : -EPROTONOSUPPORT;
}
