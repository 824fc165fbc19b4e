#include "wire/people.h"

#include <errno.h>
#include <string.h>

#include "wire/fields.h"

/* ---- PROTOCOL.md 10 */

static const struct field handset_fields[] = {
        F_OCTETS(struct handset_entry, key),
        F_BLOB(struct handset_entry, previous, has_previous, P256_POINT_SIZE, 1),
        F_OCTETS(struct handset_entry, enrolment),
        F_U32(struct handset_entry, not_after_s),
        F_U32(struct handset_entry, revoked_at_s),
        F_ID(struct handset_entry, number),
        F_ID(struct handset_entry, person),
        F_UINT(struct handset_entry, role, HANDSET_CARRIER, HANDSET_SUPERVISOR),
        F_TEXT(struct handset_entry, site),
};
static const struct fields_kind handset_kind = { FIELDS(handset_fields), sizeof(struct handset_entry), PEOPLE_MAX,
                                                 PEOPLE_FORMAT };

static const struct field carrier_fields[] = {
        F_TEXT(struct carrier_entry, name),
        F_ID(struct carrier_entry, number),
        F_TEXT(struct carrier_entry, team),
        F_TEXT(struct carrier_entry, site),
};
static const struct fields_kind carrier_kind = { FIELDS(carrier_fields), sizeof(struct carrier_entry), PEOPLE_MAX,
                                                 PEOPLE_FORMAT };

static const struct field supervisor_fields[] = {
        F_TEXT(struct supervisor_entry, name),
        F_ID(struct supervisor_entry, number),
        F_TEXT(struct supervisor_entry, team),
        F_BOOL(struct supervisor_entry, manager),
};
static const struct fields_kind supervisor_kind = { FIELDS(supervisor_fields), sizeof(struct supervisor_entry),
                                                    PEOPLE_MAX, PEOPLE_FORMAT };

static const struct field user_fields[] = {
        F_ID(struct user_entry, person),
        F_TEXT(struct user_entry, name),
        F_UINT(struct user_entry, role, ROLE_CONTROL, ROLE_END - 1),
        F_ID(struct user_entry, password),
        F_ID(struct user_entry, language),
        F_BOOL(struct user_entry, disabled),
};
static const struct fields_kind user_kind = { FIELDS(user_fields), sizeof(struct user_entry), PEOPLE_MAX,
                                              PEOPLE_FORMAT };

static const struct field round_fields[] = {
        F_TEXT(struct round_entry, name),
        F_TEXT(struct round_entry, zone_id),
        F_TEXT(struct round_entry, team),
};
static const struct fields_kind round_kind = { FIELDS(round_fields), sizeof(struct round_entry), PEOPLE_MAX,
                                               PEOPLE_FORMAT };

int handset_entry_encode(const struct handset_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&handset_kind, entry, buf, size);
}

int handset_entry_decode(const uint8_t *data, size_t size, struct handset_entry *ret_entry)
{
        return fields_decode(&handset_kind, (struct cbor_span){ data, size }, ret_entry);
}

int carrier_entry_encode(const struct carrier_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&carrier_kind, entry, buf, size);
}

int carrier_entry_decode(const uint8_t *data, size_t size, struct carrier_entry *ret_entry)
{
        return fields_decode(&carrier_kind, (struct cbor_span){ data, size }, ret_entry);
}

int supervisor_entry_encode(const struct supervisor_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&supervisor_kind, entry, buf, size);
}

int supervisor_entry_decode(const uint8_t *data, size_t size, struct supervisor_entry *ret_entry)
{
        return fields_decode(&supervisor_kind, (struct cbor_span){ data, size }, ret_entry);
}

int user_entry_encode(const struct user_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&user_kind, entry, buf, size);
}

int user_entry_decode(const uint8_t *data, size_t size, struct user_entry *ret_entry)
{
        return fields_decode(&user_kind, (struct cbor_span){ data, size }, ret_entry);
}

int round_entry_encode(const struct round_entry *entry, uint8_t *buf, size_t size)
{
        return fields_encode(&round_kind, entry, buf, size);
}

int round_entry_decode(const uint8_t *data, size_t size, struct round_entry *ret_entry)
{
        return fields_decode(&round_kind, (struct cbor_span){ data, size }, ret_entry);
}

/* ---- words */

static const char *const roles[ROLE_END] = {
        [ROLE_CONTROL] = "control", [ROLE_SUPERVISOR] = "supervisor", [ROLE_ADMIN] = "admin",
        [ROLE_ISSUER] = "issuer",   [ROLE_AUDITOR] = "auditor",       [ROLE_CARETAKER] = "caretaker",
};

const char *user_role_name(uint8_t role)
{
        return role < ROLE_END ? roles[role] : NULL;
}

int user_role_parse(const char *name)
{
        for (int role = 1; role < ROLE_END; role++)
                if (strcmp(name, roles[role]) == 0)
                        return role;
        return -EINVAL;
}

bool person_id_valid(const char *id)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t len = strnlen(id, PERSON_ID_MAX + 1);

        return len >= 1 && len <= PERSON_ID_MAX && strspn(id, allowed) == len;
}

bool number_valid(const char *number)
{
        size_t digits;

        if (number[0] != '+')
                return false;
        digits = strspn(number + 1, "0123456789");
        return digits >= 6 && digits <= 15 && number[1 + digits] == 0;
}
