#include "dispatcher/people.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"

static const char *const names[PEOPLE_KINDS] = { "supervisors", "handsets", "carriers", "users", "rounds" };

const char *people_name(enum people_kind kind)
{
        return names[kind];
}

enum people_kind people_kind_of(const char *name)
{
        enum people_kind kind = PEOPLE_SUPERVISORS;

        while (kind < PEOPLE_KINDS && strcmp(names[kind], name) != 0)
                kind++;
        return kind;
}

static int load_handset(struct core *core, const char *field, struct cbor_span value)
{
        struct handset_entry entry;
        uint8_t id[HANDSET_ID_SIZE];
        int r = hex_decode(field, id, sizeof(id));

        if (r == 0 && value.len > 0)
                r = handset_entry_decode(value.at, value.len, &entry);
        return r < 0 ? r : core_load_handset(core, id, value.len > 0 ? &entry : NULL);
}

static int load(struct core *core, enum people_kind kind, const char *field, struct cbor_span value)
{
        union {
                struct supervisor_entry supervisor;
                struct carrier_entry carrier;
                struct user_entry user;
                struct round_entry round;
        } e;
        bool there = value.len > 0;
        int r = 0;

        switch (kind) {
        case PEOPLE_HANDSETS:
                return load_handset(core, field, value);
        case PEOPLE_SUPERVISORS:
                if (there)
                        r = supervisor_entry_decode(value.at, value.len, &e.supervisor);
                return r < 0 ? r : core_load_supervisor(core, field, there ? &e.supervisor : NULL);
        case PEOPLE_CARRIERS:
                if (there)
                        r = carrier_entry_decode(value.at, value.len, &e.carrier);
                return r < 0 ? r : core_load_carrier(core, field, there ? &e.carrier : NULL);
        case PEOPLE_USERS:
                if (there)
                        r = user_entry_decode(value.at, value.len, &e.user);
                return r < 0 ? r : core_load_user(core, field, there ? &e.user : NULL);
        case PEOPLE_ROUNDS:
                if (there)
                        r = round_entry_decode(value.at, value.len, &e.round);
                return r < 0 ? r : core_load_round(core, field, there ? &e.round : NULL);
        default:
                return -EINVAL;
        }
}

int people_load(struct core *core, enum people_kind kind, const char *field, struct cbor_span value)
{
        int r = load(core, kind, field, value);

        if (r < 0 && kind < PEOPLE_KINDS)
                core_load_unread(core, kind, field);
        return r;
}
