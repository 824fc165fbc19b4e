#include "device/handset/host/pin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/password.h"

struct pin {
        uv_work_t work; /* first */
        uv_loop_t *loop;
        const char *hash, *duress;
        char text[16];
        bool busy, closing;
        enum vigie_pin verdict;
        int error;
        void (*checked)(void *user, enum vigie_pin verdict);
        void *user;
};

/* Some valid text that no PIN fits, where none is set: the same work is done. */
static const char nothing[] = "scrypt$15$8$1$00000000000000000000000000000000$"
                              "0000000000000000000000000000000000000000000000000000000000000000";

static void work(uv_work_t *request)
{
        struct pin *pin = (struct pin *)request;
        bool right = false, duress = false;
        size_t len = strlen(pin->text);
        int a = password_verify(pin->text, len, pin->hash[0] != 0 ? pin->hash : nothing, &right);
        int b = password_verify(pin->text, len, pin->duress[0] != 0 ? pin->duress : nothing, &duress);

        pin->error = a < 0 ? a : b;
        pin->verdict = duress ? VIGIE_PIN_DURESS : right ? VIGIE_PIN_RIGHT : VIGIE_PIN_WRONG;
}

static void done(uv_work_t *request, int status)
{
        struct pin *pin = (struct pin *)request;

        pin->busy = false;
        explicit_bzero(pin->text, sizeof(pin->text));
        if (pin->closing) {
                free(pin);
                return;
        }
        if (pin->error < 0)
                log_error("pin", "%s", strerror(-pin->error));
        pin->checked(pin->user, pin->verdict);
}

int pin_open(struct loop *loop, const char *hash, const char *duress, void (*checked)(void *user, enum vigie_pin verdict),
             void *user, struct pin **ret_pin)
{
        struct pin *pin = calloc(1, sizeof(*pin));

        if (pin == NULL)
                return -ENOMEM;
        pin->loop = loop_uv(loop);
        pin->hash = hash;
        pin->duress = duress;
        pin->checked = checked;
        pin->user = user;
        *ret_pin = pin;
        return 0;
}

int pin_check(struct pin *pin, const char *text)
{
        if (pin->busy)
                return -EBUSY;
        if (strlen(text) >= sizeof(pin->text))
                return -EINVAL;
        strcpy(pin->text, text);
        pin->busy = uv_queue_work(pin->loop, &pin->work, work, done) == 0;
        return pin->busy ? 0 : -EBUSY;
}

void pin_close(struct pin *pin)
{
        if (pin == NULL)
                return;
        pin->closing = true;
        if (!pin->busy)
                free(pin);
}
