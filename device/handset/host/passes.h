/* passes: what the host does with passes: the vault and its orders, the QR, the door, what the page is told of them. */
#ifndef DEVICE_HANDSET_HOST_PASSES_H
#define DEVICE_HANDSET_HOST_PASSES_H
#include <jansson.h>

#include "device/handset/host/config.h"
#include "device/handset/vigie.h"

struct host;
struct passes;

/* Buildings of a pass in the status; the rest by the word `buildings`, so many at a time. */
#define PASSES_SHOWN_MAX  32
#define PASSES_LISTED_MAX 256

/* passes_open: the vault's folder, the virtual reader where one is configured.  Returns 0, or a negative errno after logging why. */
int passes_open(struct host *host, struct passes **ret_passes);

/* passes_folder: where the vault of CONFIG lies: beside the journal where it is not said. */
void passes_folder(const struct config *config, char folder[CONFIG_PATH_MAX]);

/* wipe_resume: before anything of the phone is read but its identity, whose links may have the key: go on with a wipe that an earlier run began; what
 * is still to be told of it is in host->wiped.  Returns 0, -ENOMEM. */
int wipe_resume(struct host *host);

/* passes_wipe_told: the confirmation of the wipe has left: it is not kept any more. */
void passes_wipe_told(struct passes *passes);

/* passes_start: after VIGIE_ON_START: tell the core what there is. */
void passes_start(struct passes *passes);

/* passes_beside, passes_order, passes_list: do the core's action of that name; its octets are copied. */
void passes_beside(struct passes *passes, const struct vigie_action *action);
void passes_order(struct passes *passes, const struct vigie_action *action);
void passes_list(struct passes *passes, const struct vigie_action *action);

/* passes_ask: words of the vault and the passes.
 *   ret_answer  as host_ask; written where they are such words
 * Says whether they are. */
bool passes_ask(struct passes *passes, const char *const *words, size_t count, json_t **ret_answer);

/* passes_pin: "it was a mistake": check PIN against the vault's.
 *   ret_why   on -EPERM and -EAGAIN: a sentence
 * Returns 0 (VIGIE_ON_PIN follows), -ENOENT (no vault: handset.conf's PIN counts), -EBUSY, -EINVAL, -EPERM, -EAGAIN. */
int passes_pin(struct passes *passes, const char *pin, const char **ret_why);

/* passes_status: put what the page shows of them into STATUS, the core's status being CORE. */
void passes_status(struct passes *passes, const struct vigie_status *core, json_t *status);

/* passes_is_wiped: this phone was wiped: it signs nothing and keeps nothing. */
bool passes_is_wiped(const struct passes *passes);

/* passes_close: lock and end.  Before the loop is closed.  NULL does nothing. */
void passes_close(struct passes *passes);

/* passes_words_help: the words, a line each. */
extern const char passes_words_help[];
#endif
