/* What a page asks: one JSON text in, one thing out.  Strict: a field missing, unknown, twice, of another type or out
 * of its bounds refuses the whole text.  Pure.  PROTOCOL.md section 5. */
#ifndef CONSOLE_ASK_H
#define CONSOLE_ASK_H

#include "console/view.h"
#include "wire/command.h"

/* Largest text from a page, in octets: a note of 200 octets, escaped, six times over.  A longer one closes the socket
 * (1009). */
#define ASK_MAX 8192

struct ask {
        bool visible;           /* `visible`: the page is on a screen now; command.at may hold where */
        struct command command; /* else: to be sent; id, verb and the verb's own fields are set, who asks is not */
};

/* ask_read: read TEXT, LEN octets.
 *   ret_ask      on success
 * Returns 0, -EBADMSG. */
int ask_read(const char *text, size_t len, struct ask *ret_ask);

/* ask_sign: write into COMMAND who asks, as the session says, and until when it may be done (Redis's clock). */
void ask_sign(struct command *command, const struct viewer *viewer, int64_t store_now_ms);

/* ask_presence: the command that tells where a visible page's person is: of a supervisor only; a position only while
 * ON_DUTY.  Draws the id.  Returns 0, -EPERM (the role has no presence), -EIO (no randomness). */
int ask_presence(const struct ask *ask, const struct viewer *viewer, bool on_duty, struct command *ret_command);

#endif
