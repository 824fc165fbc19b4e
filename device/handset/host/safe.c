#include "device/handset/host/safe_inside.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"

static void begin_first(struct safe *safe);

int64_t safe_now_ms(const struct safe *safe)
{
        return safe->options.clock != NULL ? safe->options.clock() : clock_boot_ms();
}

/* ---- work */

static struct work *work_new(struct safe *safe, enum work_kind kind)
{
        struct work *w = safe->count < SAFE_WORK_MAX || kind == WORK_WIPE ? calloc(1, sizeof(*w)) : NULL;

        if (w == NULL)
                return NULL;
        w->safe = safe;
        w->place = safe->options.place;
        w->kind = kind;
        w->now_s = (uint32_t)(clock_utc_ms() / 1000);
        return w;
}

static void give(struct safe *safe, struct work *w)
{
        if (safe->last != NULL)
                safe->last->next = w;
        else
                safe->first = w;
        safe->last = w;
        safe->count++;
        if (!safe->at_work)
                begin_first(safe);
}

static int give_data(struct safe *safe, struct work *w, struct cbor_span data)
{
        if (w == NULL)
                return -EBUSY;
        w->data = malloc(data.len + 1);
        if (w->data == NULL) {
                work_free(w);
                return -ENOMEM;
        }
        memcpy(w->data, data.at, data.len);
        w->len = data.len;
        give(safe, w);
        return 0;
}

void safe_save(struct safe *safe)
{
        struct work *w;
        struct cbor_writer to;

        if (safe->saving) {
                safe->save_again = true;
                return;
        }
        w = work_new(safe, WORK_SAVE);
        if (w == NULL || (w->data = malloc(VAULT_BODY_MAX)) == NULL) {
                work_free(w);
                log_warn("vault", "not written: too much waits");
                return;
        }
        cbor_writer_init(&to, w->data, VAULT_BODY_MAX);
        content_write(safe->opened.content, &to); /* CONTENT_PASSES_MAX and content_take see to its size */
        w->len = to.len;
        memcpy(w->opened.lock, safe->opened.lock, VAULT_LOCK_SIZE);
        memcpy(w->opened.key, safe->opened.key, VAULT_KEY_SIZE);
        w->for_order = safe->order_saves;
        w->number = safe->order_number;
        safe->order_saves = safe->save_again = false;
        safe->saving = true;
        give(safe, w);
}

/* ---- open and locked */

void safe_forget(struct safe *safe)
{
        content_free(safe->opened.content);
        OPENSSL_cleanse(&safe->opened, sizeof(safe->opened));
        wake_at(safe->alarm, INT64_MAX);
}

void safe_lock(struct safe *safe)
{
        if (safe->opened.content == NULL) {
                safe->lock_asked = safe->pin_busy;
                return;
        }
        if (safe->save_again || safe->order_saves) {
                safe->saving = false; /* what is under way is superseded by this one */
                safe_save(safe);
        }
        safe_forget(safe);
        safe->state = VIGIE_VAULT_LOCKED;
        safe->options.changed(safe->options.user);
}

static void lock_late(void *user)
{
        struct safe *safe = user;

        if (safe_now_ms(safe) >= safe->lock_boot_ms)
                safe_lock(safe);
}

void safe_use(struct safe *safe)
{
        if (safe->opened.content == NULL)
                return;
        safe->lock_boot_ms = safe_now_ms(safe) + SAFE_OPEN_MS;
        wake_at(safe->alarm, safe->lock_boot_ms);
}

struct content *safe_content(struct safe *safe)
{
        if (safe->opened.content != NULL)
                lock_late(safe); /* the phone slept over it */
        return safe->opened.content;
}

bool safe_is_duress(const struct safe *safe)
{
        return safe->opened.duress;
}

/* ---- the thread is done */

static void done(uv_work_t *request, int status)
{
        struct work *w = (struct work *)request;
        struct safe *safe = w->safe;

        safe->first = w->next;
        if (safe->first == NULL)
                safe->last = NULL;
        safe->count--;
        if (!safe->closing)
                safe_after(safe, w);
        work_free(w);
        safe->at_work = false; /* what was given meanwhile waits until here */
        if (safe->first != NULL)
                begin_first(safe);
        if (safe->closing && safe->first == NULL) {
                free(safe);
                return;
        }
        if (!safe->closing)
                safe->options.changed(safe->options.user);
}

/* An order of a pass is decided when its turn comes: the vault may have been opened meanwhile. */
static bool is_taken(struct safe *safe, struct work *w)
{
        if (w->kind != WORK_POST || safe->opened.content == NULL)
                return false;
        w->error = content_take(safe->opened.content, (struct cbor_span){ w->data, w->len });
        if (w->error == 0) {
                w->for_order = false; /* told by the save */
                safe->order_saves = true;
                safe->order_number = w->number;
                safe_save(safe);
        }
        return true;
}

static void nothing(uv_work_t *request)
{
}

static void begin_first(struct safe *safe)
{
        struct work *w = safe->first;
        bool taken;

        safe->at_work = true;
        taken = !safe->closing && is_taken(safe, w);
        if (uv_queue_work(loop_uv(safe->options.loop), &w->request, taken ? nothing : work_do, done) != 0)
                abort(); /* only wrong arguments do that */
}

/* ---- PINs */

static enum safe_said said_of_rule(enum vault_pin_rule rule)
{
        static const enum safe_said said[] = { [VAULT_PIN_GOOD] = SAFE_NOTHING,
                                               [VAULT_PIN_SHAPE] = SAFE_SHAPE,
                                               [VAULT_PIN_SIMPLE] = SAFE_SIMPLE,
                                               [VAULT_PIN_LENGTHS] = SAFE_LENGTHS,
                                               [VAULT_PIN_TOO_NEAR] = SAFE_TOO_NEAR };

        return said[rule];
}

int safe_set(struct safe *safe, const char *pin, const char *duress)
{
        enum vault_pin_rule rule = vault_pin_rule(pin, duress[0] != 0 ? duress : NULL);
        struct work *w;
        int r = 0;

        if (safe->state != VIGIE_VAULT_NONE && safe_content(safe) == NULL)
                return -EPERM;
        safe->said = said_of_rule(rule);
        if (rule != VAULT_PIN_GOOD) {
                safe->options.changed(safe->options.user);
                return -EINVAL;
        }
        if (safe->pin_busy || safe->saving || (w = work_new(safe, WORK_MAKE)) == NULL)
                return -EBUSY;
        if (safe->opened.content != NULL) { /* the work has it meanwhile */
                w->opened = safe->opened;
                safe->opened.content = NULL;
        } else if ((r = content_new(&w->opened.content)) < 0) {
                work_free(w);
                return r;
        }
        strcpy(w->pin, pin);
        strcpy(w->duress, duress);
        safe->pin_busy = true;
        give(safe, w);
        safe->options.changed(safe->options.user);
        return 0;
}

static int try(struct safe *safe, enum work_kind kind, const char *pin)
{
        struct work *w;
        int r;

        if (safe->state == VIGIE_VAULT_NONE)
                return -ENOENT;
        if (strlen(pin) < VAULT_PIN_MIN || strlen(pin) > VAULT_PIN_MAX)
                return -EINVAL;
        if (safe->pin_busy || safe->saving)
                return -EBUSY;
        r = vault_tries_take(&safe->tries, safe_now_ms(safe));
        if (r < 0)
                return r;
        if ((w = work_new(safe, kind)) == NULL) {
                vault_tries_start(&safe->tries, (uint8_t)(safe->tries.wrong - 1), safe_now_ms(safe));
                return -EBUSY;
        }
        strcpy(w->pin, pin);
        w->wrong = safe->tries.wrong;
        safe->pin_busy = true;
        safe->said = SAFE_NOTHING;
        give(safe, w);
        safe->options.changed(safe->options.user);
        return 0;
}

int safe_unlock(struct safe *safe, const char *pin)
{
        if (!safe->pin_busy)
                safe_lock(safe);
        return try(safe, WORK_UNLOCK, pin);
}

int safe_check(struct safe *safe, const char *pin)
{
        return try(safe, WORK_CHECK, pin);
}

int safe_forgot(struct safe *safe)
{
        struct work *w;

        if (safe->state != VIGIE_VAULT_LOCKED && safe->state != VIGIE_VAULT_DESTROYED)
                return -EPERM;
        if (safe->seen.has_challenge)
                return 0;
        if ((w = work_new(safe, WORK_CHALLENGE)) == NULL)
                return -EBUSY;
        if (RAND_bytes(w->octets, VAULT_CHALLENGE_SIZE) != 1) {
                work_free(w);
                return -EIO;
        }
        give(safe, w);
        return 0;
}

int safe_prove(struct safe *safe, struct content_ask *ask, struct cbor_writer *to)
{
        struct content *content = safe_content(safe);
        int r;

        if (content == NULL)
                return -ENOKEY;
        ask->duress = safe->opened.duress;
        r = content_prove(content, ask, to);
        if (content_is_short(content) && !safe->saving)
                safe_save(safe);
        return r;
}

/* ---- orders */

static void refuse(struct safe *safe, uint32_t number)
{
        safe->options.ordered(safe->options.user, number, VIGIE_ORDER_COULD_NOT);
}

void safe_order_pass(struct safe *safe, uint32_t number, struct cbor_span parcel)
{
        struct work *w = safe->seen.has_public ? work_new(safe, WORK_POST) : NULL;

        if (w != NULL) {
                w->for_order = true;
                w->number = number;
                memcpy(w->octets, safe->seen.inbox_public, VAULT_INBOX_KEY_SIZE);
        }
        if (give_data(safe, w, parcel) < 0)
                refuse(safe, number);
}

void safe_order_unlock(struct safe *safe, uint32_t number, const uint8_t challenge[VAULT_CHALLENGE_SIZE])
{
        struct work *w = NULL;

        if (safe->seen.has_challenge && CRYPTO_memcmp(safe->seen.challenge, challenge, VAULT_CHALLENGE_SIZE) == 0)
                w = work_new(safe, WORK_RESET);
        if (w == NULL) {
                refuse(safe, number);
                return;
        }
        safe_lock(safe);
        w->for_order = true;
        w->number = number;
        give(safe, w);
}

void safe_order_take_wipe(struct safe *safe, uint32_t number, struct wiping *wiping)
{
        struct work *w;

        safe_forget(safe);
        if ((w = work_new(safe, WORK_WIPE)) == NULL) {
                free(wiping);
                refuse(safe, number);
                return;
        }
        w->wiping = wiping;
        w->for_order = true;
        w->number = number;
        give(safe, w);
}

bool safe_is_wiping(const struct safe *safe)
{
        const struct work *w = safe->first;

        while (w != NULL && w->kind != WORK_WIPE)
                w = w->next;
        return w != NULL;
}

int safe_keep_list(struct safe *safe, struct cbor_span list)
{
        return give_data(safe, work_new(safe, WORK_LIST), list);
}

/* ---- as it stands */

void safe_look(struct safe *safe, struct safe_view *v)
{
        int64_t now = safe_now_ms(safe);
        bool open = safe_content(safe) != NULL;

        memset(v, 0, sizeof(*v));
        v->state = safe->state;
        v->working = safe->pin_busy;
        v->said = safe->said;
        v->tries_left =
                VAULT_TRIES - (safe->pin_busy && safe->tries.wrong > 0 ? safe->tries.wrong - 1 : safe->tries.wrong);
        if (safe->state == VIGIE_VAULT_LOCKED && !safe->pin_busy && safe->tries.ready_mono_ms > now)
                v->wait_ms = safe->tries.ready_mono_ms - now;
        v->open_ms = open ? safe->lock_boot_ms - now : 0;
        v->has_key = safe->seen.has_public;
        v->has_challenge = safe->seen.has_challenge;
        memcpy(v->key, safe->seen.pass_public, PASS_KEY_SIZE);
        memcpy(v->challenge, safe->seen.challenge, VAULT_CHALLENGE_SIZE);
        v->wiped_at_s = safe->seen.wiped_at_s;
}

int safe_open(const struct safe_options *options, struct safe **ret_safe)
{
        struct safe *safe = calloc(1, sizeof(*safe));
        int r;

        if (safe == NULL)
                return -ENOMEM;
        safe->options = *options;
        snprintf(safe->folder, sizeof(safe->folder), "%s", options->place.folder);
        snprintf(safe->machine, sizeof(safe->machine), "%s", options->place.machine);
        safe->options.place = (struct vault_place){ safe->folder, safe->machine };
        if ((r = wake_open(options->loop, lock_late, safe, &safe->alarm)) < 0) {
                free(safe);
                return r;
        }
        if ((r = vault_files_look(&options->place, &safe->seen)) < 0)
                log_error("vault", "%s: %s", options->place.folder, strerror(-r));
        vault_tries_start(&safe->tries, safe->seen.wrong, safe_now_ms(safe));
        safe->state = vault_is_destroyed(&safe->tries) ? VIGIE_VAULT_DESTROYED
                      : safe->seen.there               ? VIGIE_VAULT_LOCKED
                                                       : VIGIE_VAULT_NONE;
        *ret_safe = safe;
        return 0;
}

void safe_close(struct safe *safe)
{
        if (safe == NULL)
                return;
        safe->closing = true;
        safe_forget(safe);
        wake_close(safe->alarm);
        safe->alarm = NULL;
        if (safe->first == NULL)
                free(safe);
}
