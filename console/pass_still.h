/* Who still gets in: per door of a pass, until when at the latest, and why.  Pure.  PROTOCOL.md section 7.5. */
#ifndef CONSOLE_PASS_STILL_H
#define CONSOLE_PASS_STILL_H

#include "console/books.h"

/* Doors of one answer; of more the latest are kept: until when somebody gets in stays true. */
#define STILL_MAX 2048

enum still_why { STILL_GOOD, STILL_TOLD, STILL_UNHEARD, STILL_OPENS_OLD, STILL_OVER };

struct still {
        uint32_t until_s; /* 0: nobody any more */
        enum still_why why;
};

/* still_at: of a pass at one door.
 *   door         NULL: a caretaker's page, of which nobody knows which list it has
 *   list_good_s  a status list is good for so long at most */
struct still still_at(const struct pass_entry *pass, const struct door_entry *door, uint32_t list_good_s,
                      uint32_t now_s);

/* still_why_name: "good" and so on. */
const char *still_why_name(enum still_why why);

#endif
