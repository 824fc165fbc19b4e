#include "device/handset/host/safe_work.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "device/handset/host/wiping.h"

static int save(struct work *w)
{
        uint8_t *sealed = malloc(w->len + VAULT_BODY_OVERHEAD);
        int r = sealed != NULL ? vault_seal(w->opened.key, w->data, w->len, sealed) : -ENOMEM;

        if (r == 0)
                r = vault_files_save(&w->place, w->opened.lock, sealed, w->len + VAULT_BODY_OVERHEAD);
        free(sealed);
        return r;
}

/* The last try was wrong: the vault goes, in the same breath. */
static int check(struct work *w, struct vault_opened *opened)
{
        int r = vault_files_check(&w->place, w->pin, w->wrong, w->now_s, opened, &w->is_duress);

        if (r == -EKEYREJECTED && w->wrong >= VAULT_TRIES)
                vault_files_destroy(&w->place);
        return r;
}

void work_do(uv_work_t *request)
{
        struct work *w = (struct work *)request;

        switch (w->kind) {
        case WORK_MAKE:
                w->error = vault_files_make(&w->place, w->pin, w->duress[0] != 0 ? w->duress : NULL, &w->opened);
                break;
        case WORK_UNLOCK:
                w->error = check(w, &w->opened);
                break;
        case WORK_CHECK:
                w->error = check(w, NULL);
                break;
        case WORK_SAVE:
                w->error = save(w);
                break;
        case WORK_POST:
                w->error = vault_files_post(&w->place, w->octets, (struct cbor_span){ w->data, w->len });
                break;
        case WORK_CHALLENGE:
                w->error = vault_files_put(&w->place, "challenge", w->octets, VAULT_CHALLENGE_SIZE);
                break;
        case WORK_RESET:
                w->error = vault_files_reset(&w->place);
                break;
        case WORK_WIPE:
                w->error = wiping_do(w->place.folder, w->wiping, w->now_s);
                break;
        case WORK_LIST:
                w->error = vault_files_put(&w->place, "list", w->data, w->len);
                break;
        }
        OPENSSL_thread_stop(); /* this thread ends after libcrypto has: what that holds for it would be lost */
}

void work_free(struct work *work)
{
        if (work == NULL)
                return;
        content_free(work->opened.content);
        if (work->data != NULL)
                OPENSSL_cleanse(work->data, work->len);
        free(work->data);
        free(work->wiping);
        OPENSSL_cleanse(work, sizeof(*work));
        free(work);
}
