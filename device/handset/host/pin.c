#include "device/handset/host/pin.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/password.h"

struct pin {
        uv_work_t work; /* first: libuv gives it back */
        struct pin_options options;
        char text[PIN_SIZE];
        bool busy, closing;
        enum vigie_pin verdict;
        int error;
};

/* Some valid text that no PIN fits, where none is set: the same work is done. */
static const char nothing[] = "scrypt$15$8$1$00000000000000000000000000000000$"
                              "0000000000000000000000000000000000000000000000000000000000000000";

static void work(uv_work_t *request)
{
        struct pin *pin = (struct pin *)request;
        bool right = false, duress = false;
        size_t len = strlen(pin->text);
        int a = password_verify(pin->text, len, pin->options.hash[0] != 0 ? pin->options.hash : nothing, &right);
        int b = password_verify(pin->text, len, pin->options.duress[0] != 0 ? pin->options.duress : nothing, &duress);

        pin->error = a < 0 ? a : b;
        pin->verdict = duress ? VIGIE_PIN_DURESS : right ? VIGIE_PIN_RIGHT : VIGIE_PIN_WRONG;
        OPENSSL_thread_stop(); /* this thread ends after libcrypto has: what that holds for it would be lost */
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
        pin->options.checked(pin->options.user, pin->verdict);
}

int pin_open(const struct pin_options *options, struct pin **ret_pin)
{
        struct pin *pin = calloc(1, sizeof(*pin));

        if (pin == NULL)
                return -ENOMEM;
        pin->options = *options;
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
        pin->busy = uv_queue_work(loop_uv(pin->options.loop), &pin->work, work, done) == 0;
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
