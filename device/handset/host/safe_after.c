#include "device/handset/host/safe_inside.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

static void take_open(struct safe *safe, struct work *w)
{
        safe_forget(safe);
        safe->opened = w->opened;
        w->opened.content = NULL;
        safe->state = VIGIE_VAULT_OPEN;
        safe->seen.there = safe->seen.has_public = true;
        memcpy(safe->seen.pass_public, safe->opened.content->pass_public, PASS_KEY_SIZE);
        memcpy(safe->seen.inbox_public, safe->opened.content->inbox_public, VAULT_INBOX_KEY_SIZE);
        if (safe->opened.renewed)
                log_error("vault", "its content could not be read: a new pass key, and the passes must come again");
        safe_use(safe);
}

/* ---- what came of it */

static enum safe_said said_of(int error)
{
        return error == 0 ? SAFE_NOTHING : error == -EKEYREJECTED ? SAFE_WRONG : SAFE_DISK;
}

/* tried: what a PIN came to, for the tries: one that was not looked at is not counted. */
static void tried(struct safe *safe, const struct work *w)
{
        if (w->error == 0 || w->error == -EKEYREJECTED)
                vault_tries_told(&safe->tries, w->error == 0, safe_now_ms(safe));
        else
                vault_tries_start(&safe->tries, (uint8_t)(w->wrong - 1), safe_now_ms(safe));
        safe->said = said_of(w->error);
        if (!vault_is_destroyed(&safe->tries))
                return;
        safe_forget(safe);
        safe->state = VIGIE_VAULT_DESTROYED;
        safe->seen.has_public = safe->seen.there = false;
        log_warn("vault", "wrong PINs: destroyed; the alert key goes on");
}

static void pin_is_done(struct safe *safe, struct work *w)
{
        if (w->kind == WORK_MAKE) {
                safe->said = said_of(w->error);
                if (w->error == 0)
                        vault_tries_start(&safe->tries, 0, safe_now_ms(safe));
                if (w->error == 0 || safe->state == VIGIE_VAULT_OPEN)
                        take_open(safe, w); /* failed: as it was before */
                return;
        }
        tried(safe, w);
        if (w->kind == WORK_UNLOCK && w->error == 0) {
                take_open(safe, w);
                safe->options.opened(safe->options.user, w->is_duress);
        } else if (w->kind == WORK_CHECK) {
                safe->options.checked(safe->options.user, w->error != 0  ? VIGIE_PIN_WRONG
                                                          : w->is_duress ? VIGIE_PIN_DURESS
                                                                         : VIGIE_PIN_RIGHT);
        }
}

static void after_pin(struct safe *safe, struct work *w)
{
        bool lock = safe->lock_asked;

        safe->pin_busy = safe->lock_asked = false;
        pin_is_done(safe, w);
        if (lock)
                safe_lock(safe);
}

static void after_save(struct safe *safe, const struct work *w)
{
        safe->saving = false;
        if (w->error == 0 && safe->opened.content != NULL)
                content_written(safe->opened.content);
        if (safe->opened.content != NULL && (safe->save_again || safe->order_saves))
                safe_save(safe);
}

static void after_reset(struct safe *safe, const struct work *w)
{
        if (w->error < 0)
                return;
        safe_forget(safe); /* a PIN that was being set meanwhile */
        memset(&safe->seen, 0, sizeof(safe->seen));
        vault_tries_start(&safe->tries, 0, safe_now_ms(safe));
        safe->state = VIGIE_VAULT_NONE;
        safe->said = SAFE_NOTHING;
}

void safe_after(struct safe *safe, struct work *w)
{
        if (w->error < 0 && w->error != -EKEYREJECTED)
                log_error("vault", "%s", strerror(-w->error));
        switch (w->kind) {
        case WORK_SAVE:
                after_save(safe, w);
                break;
        case WORK_CHALLENGE:
                safe->seen.has_challenge = w->error == 0;
                memcpy(safe->seen.challenge, w->octets, VAULT_CHALLENGE_SIZE);
                break;
        case WORK_RESET:
                after_reset(safe, w);
                break;
        case WORK_WIPE:
                safe_forget(safe);
                memset(&safe->seen, 0, sizeof(safe->seen));
                safe->seen.wiped_at_s = w->now_s;
                safe->state = VIGIE_VAULT_NONE;
                break;
        case WORK_MAKE:
        case WORK_UNLOCK:
        case WORK_CHECK:
                after_pin(safe, w);
                break;
        case WORK_POST:
        case WORK_LIST:
                break;
        }
        if (w->for_order)
                safe->options.ordered(safe->options.user, w->number,
                                      w->error == 0 ? VIGIE_ORDER_DONE : VIGIE_ORDER_COULD_NOT);
}
