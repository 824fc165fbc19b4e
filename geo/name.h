/* Short names of people and teams: their bounds, and a hash to find and compare them quickly.  Pure. */
#ifndef GEO_NAME_H
#define GEO_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* A person's id: 1 to 32 visible ASCII characters.  Longer ids are refused where they come in. */
#define PERSON_ID_MAX 32
/* A team's name: 1 to 32 octets of text without control characters.  Longer ones are refused. */
#define TEAM_MAX      32

/* person_id_is_valid: say whether ID is 1 to PERSON_ID_MAX characters, each '!' to '~'. */
bool person_id_is_valid(const char *id);

/* team_is_valid: say whether TEAM is 1 to TEAM_MAX octets, none of them a control character. */
bool team_is_valid(const char *team);

/* name_hash: 64 bits of FNV-1a over NAME without its end.  Equal names have equal hashes; never 0 except by chance.
 * Not for hostile names: whoever can choose ids freely can make them collide, which costs time, never correctness. */
uint64_t name_hash(const char *name);

#endif
