/* Going through the files of a door's log, oldest first: every entry against the one before it.  For the door's start, for
 * `vigie-door verify-log` and for `vigie door-log`. */
#ifndef WIRE_DOOR_WALK_H
#define WIRE_DOOR_WALK_H
#include <limits.h>
#include <sys/types.h>

#include "base/entry.h"
#include "wire/door_log.h"
#include "wire/key.h"

/* Whose files these are, in base/entry.h's header. */
#define CHAIN_OWNER "DOOR"
/* log.<number of its first entry, 16 hex digits> */
#define CHAIN_NAME  "log.%016llx"
/* Beside them from the door's first start on: who has the folder. */
#define CHAIN_LOCK  "lock"

/* Files of one log: what `log.files` allows, and room for one that a crash left.  More: -E2BIG. */
#define CHAIN_FILES_MAX 1024

struct chain_entry {
        struct cbor_span octets; /* signed, as in the file */
        const struct door_log_signed *read;
};

struct chain_walk {
        const char *folder;
        const struct key *key; /* the door's: each signature is checked; NULL: the links alone */
        uint8_t door[DOOR_ID_SIZE];
        bool any_door; /* whoever's: take the id of the first entry */
        /* Each entry in order; may be NULL. */
        void (*each)(void *user, const struct chain_entry *entry);
        void *user;

        /* what was found */
        uint64_t first, last;          /* numbers; 0 where there is no entry */
        uint8_t head[HELLO_HEAD_SIZE]; /* zeros where there is none */
        size_t files;
        uint64_t names[CHAIN_FILES_MAX]; /* of the files, oldest first: the number in each */
        bool last_has_header;            /* false: the newest file was never begun in earnest */
        off_t end;                       /* where the whole entries of the newest file that has one end */
        struct entry_chain entries;      /* and the framing there */
        uint64_t torn_octets;            /* behind that: an entry that was cut off; 0 as a rule */
        uint64_t held;                   /* number of the entry in the file `head`, 0 where there is none */
        char why[160];                   /* on failure: which file and entry, and the rule broken */
};

/* chain_is_begun: say whether a door has used FOLDER, also where it has written nothing yet. */
bool chain_is_begun(const char *folder);

/* chain_walk: go through all of it.  Good is: whole files, numbers without a gap, each entry naming the one before,
 * each entry signed where there is a key; and the log reaches what the file `head` holds, and not more than one entry
 * beyond. A tail that is not whole is good in the newest file alone: the power went in the middle of a write.
 * Returns 0; -EBADMSG (WALK->why says what is wrong); what reading gave (likewise); -ENOMEM. */
int chain_walk(struct chain_walk *walk);

/* chain_path: the name of a file of the log. */
void chain_path(const char *folder, uint64_t first, char path[PATH_MAX]);
#endif
