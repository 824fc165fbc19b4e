#include "wire/desk.h"

#include "wire/fields.h"

/* ---- PROTOCOL.md 10.1 */

static const struct field building_place[] = {
        F_INT(struct building_place, lat_e7, -900000000, 900000000),
        F_INT(struct building_place, lon_e7, -1800000000, 1800000000),
};
static const struct fields building_place_fields = FIELDS(building_place);

static const struct field window[] = {
        F_U32(struct pass_window, from_s),
        F_U32(struct pass_window, to_s),
};
static const struct fields window_fields = FIELDS(window);

static const struct field building_fields[] = {
        F_TEXT(struct building_entry, name),
        F_TEXT(struct building_entry, address),
        F_PART(struct building_entry, place, has_place, &building_place_fields),
        F_U32(struct building_entry, flags),
        F_U32(struct building_entry, policy),
};
static const struct fields_kind building_kind = { FIELDS(building_fields), sizeof(struct building_entry),
                                                  DESK_SMALL_MAX, DESK_FORMAT };

static const struct field stops_fields[] = {
        F_BLOB(struct stops_entry, buildings, count, BUILDING_ID_SIZE, SCOPE_BUILDINGS_MAX),
};
static const struct fields_kind stops_kind = { FIELDS(stops_fields), sizeof(struct stops_entry), DESK_LONG_MAX,
                                               DESK_FORMAT };

static const struct field door_fields[] = {
        F_OCTETS(struct door_entry, building),
        F_TEXT(struct door_entry, name),
        F_UINT(struct door_entry, class, DOOR_NFC, DOOR_CLASS_END - 1),
        F_BLOB(struct door_entry, key, has_key, PASS_KEY_SIZE, 1),
        F_U32(struct door_entry, from_s),
        F_U32(struct door_entry, to_s),
        F_BOOL(struct door_entry, opens_degraded),
        F_U32(struct door_entry, list_s),
        F_U32(struct door_entry, seen_at_s),
};
static const struct fields_kind door_kind = { FIELDS(door_fields), sizeof(struct door_entry), DESK_SMALL_MAX,
                                              DESK_FORMAT };

static const struct field pass_fields[] = {
        F_OCTETS(struct pass_entry, handset.octets),
        F_ID(struct pass_entry, carrier),
        F_ID(struct pass_entry, round),
        F_ID(struct pass_entry, by),
        F_ID(struct pass_entry, second),
        F_U32(struct pass_entry, not_before_s),
        F_U32(struct pass_entry, not_after_s),
        F_U32(struct pass_entry, status),
        F_OCTETS(struct pass_entry, subject),
        F_U32(struct pass_entry, issued_at_s),
        F_U32(struct pass_entry, revoked_at_s),
        F_ID(struct pass_entry, revoked_by),
        F_U32(struct pass_entry, order),
        F_U32(struct pass_entry, policy),
        F_BLOB(struct pass_entry, buildings, count, BUILDING_ID_SIZE, SCOPE_BUILDINGS_MAX),
};
static const struct fields_kind pass_kind = { FIELDS(pass_fields), sizeof(struct pass_entry), DESK_LONG_MAX,
                                              DESK_FORMAT };

static const struct field consent_fields[] = {
        F_ID(struct consent_entry, by),
        F_U32(struct consent_entry, at_s),
        F_OCTETS(struct consent_entry, handset.octets),
        F_ID(struct consent_entry, carrier),
        F_ID(struct consent_entry, round),
        F_U32(struct consent_entry, not_before_s),
        F_U32(struct consent_entry, not_after_s),
        F_LIST(struct consent_entry, windows, window_count, PASS_WINDOWS_MAX, &window_fields),
        F_U32(struct consent_entry, policy),
        F_BLOB(struct consent_entry, buildings, count, BUILDING_ID_SIZE, SCOPE_BUILDINGS_MAX),
};
static const struct fields_kind consent_kind = { FIELDS(consent_fields), sizeof(struct consent_entry), DESK_LONG_MAX,
                                                 DESK_FORMAT };

static const struct field vault_fields[] = {
        F_OCTETS(struct vault_entry, enrolment),
        F_UINT(struct vault_entry, state, VAULT_NONE, VAULT_STATES - 1),
        F_BLOB(struct vault_entry, key, has_key, PASS_KEY_SIZE, 1),
        F_BLOB(struct vault_entry, challenge, has_challenge, ORDER_CHALLENGE_SIZE, 1),
        F_MS(struct vault_entry, told_at_ms),
        F_U32(struct vault_entry, list_s),
        F_U32(struct vault_entry, taken),
        F_U8(struct vault_entry, result),
};
static const struct fields_kind vault_kind = { FIELDS(vault_fields), sizeof(struct vault_entry), DESK_SMALL_MAX,
                                               DESK_FORMAT };

static const struct field asked_fields[] = {
        F_ID(struct asked_entry, carrier),
        F_ID(struct asked_entry, round),
        F_U32(struct asked_entry, until_s),
        F_MS(struct asked_entry, at_ms),
};
static const struct fields_kind asked_kind = { FIELDS(asked_fields), sizeof(struct asked_entry), DESK_SMALL_MAX,
                                               DESK_FORMAT };

static const struct field opened_fields[] = {
        F_MS(struct opened_entry, at_ms),
        F_U8(struct opened_entry, why),
};
static const struct fields_kind opened_kind = { FIELDS(opened_fields), sizeof(struct opened_entry), DESK_SMALL_MAX,
                                                DESK_FORMAT };

static const struct field timer_fields[] = {
        F_U32(struct timer_entry, due_s),
        F_SPAN(struct timer_entry, place, 0, SEALED_POSITION_MAX),
};
static const struct fields_kind timer_kind = { FIELDS(timer_fields), sizeof(struct timer_entry), DESK_SMALL_MAX,
                                               DESK_FORMAT };

/* ---- each its two functions */

int building_entry_encode(const struct building_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&building_kind, entry, buf, size);
}

int building_entry_decode(const uint8_t *data, size_t size, struct building_entry *ret_entry)
{
        return fields_decode(&building_kind, (struct cbor_span){ data, size }, ret_entry);
}

int stops_entry_encode(const struct stops_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&stops_kind, entry, buf, size);
}

int stops_entry_decode(const uint8_t *data, size_t size, struct stops_entry *ret_entry)
{
        return fields_decode(&stops_kind, (struct cbor_span){ data, size }, ret_entry);
}

int door_entry_encode(const struct door_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&door_kind, entry, buf, size);
}

int door_entry_decode(const uint8_t *data, size_t size, struct door_entry *ret_entry)
{
        return fields_decode(&door_kind, (struct cbor_span){ data, size }, ret_entry);
}

int pass_entry_encode(const struct pass_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&pass_kind, entry, buf, size);
}

int pass_entry_decode(const uint8_t *data, size_t size, struct pass_entry *ret_entry)
{
        return fields_decode(&pass_kind, (struct cbor_span){ data, size }, ret_entry);
}

int consent_entry_encode(const struct consent_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&consent_kind, entry, buf, size);
}

int consent_entry_decode(const uint8_t *data, size_t size, struct consent_entry *ret_entry)
{
        return fields_decode(&consent_kind, (struct cbor_span){ data, size }, ret_entry);
}

int vault_entry_encode(const struct vault_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&vault_kind, entry, buf, size);
}

int vault_entry_decode(const uint8_t *data, size_t size, struct vault_entry *ret_entry)
{
        return fields_decode(&vault_kind, (struct cbor_span){ data, size }, ret_entry);
}

int asked_entry_encode(const struct asked_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&asked_kind, entry, buf, size);
}

int asked_entry_decode(const uint8_t *data, size_t size, struct asked_entry *ret_entry)
{
        return fields_decode(&asked_kind, (struct cbor_span){ data, size }, ret_entry);
}

int opened_entry_encode(const struct opened_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&opened_kind, entry, buf, size);
}

int opened_entry_decode(const uint8_t *data, size_t size, struct opened_entry *ret_entry)
{
        return fields_decode(&opened_kind, (struct cbor_span){ data, size }, ret_entry);
}

int timer_entry_encode(const struct timer_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&timer_kind, entry, buf, size);
}

int timer_entry_decode(const uint8_t *data, size_t size, struct timer_entry *ret_entry)
{
        return fields_decode(&timer_kind, (struct cbor_span){ data, size }, ret_entry);
}
