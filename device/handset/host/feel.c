#include "device/handset/host/feel.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"

struct order {
        char what[8], how[16];
};

struct feel {
        uv_process_t process; /* first: libuv gives it back */
        struct loop *loop;
        const char *command;
        bool running, closing;
        struct wheel_timer term;
        struct order vibrate, ring; /* waiting; what[0] 0: none */
};

static void start(struct feel *feel);

static void on_closed(uv_handle_t *handle)
{
        struct feel *feel = (struct feel *)handle;

        feel->running = false;
        if (feel->closing)
                free(feel);
        else
                start(feel);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
        struct feel *feel = (struct feel *)process;

        if (status != 0 || signal != 0)
                log_warn("feel", "the command ended with status %d, signal %d", (int)status, signal);
        loop_timer_cancel(feel->loop, &feel->term);
        uv_close((uv_handle_t *)process, on_closed);
}

static void on_term(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct feel *feel = timer->user;

        uv_process_kill(&feel->process, SIGKILL);
}

/* Run what waits; ringing goes before vibrating. */
static void start(struct feel *feel)
{
        struct order *order = feel->ring.what[0] != 0 ? &feel->ring : &feel->vibrate, now = *order;
        char *argv[] = { (char *)feel->command, now.what, now.how, NULL };
        uv_process_options_t options = { .exit_cb = on_exit_of, .file = feel->command, .args = argv };
        int r;

        if (feel->running || now.what[0] == 0)
                return;
        order->what[0] = 0;
        feel->running = true;
        r = uv_spawn(loop_uv(feel->loop), &feel->process, &options);
        if (r == 0) {
                loop_timer_arm(feel->loop, &feel->term, clock_mono_ms() + FEEL_TERM_MS);
                return;
        }
        log_warn("feel", "%s: %s", feel->command, uv_strerror(r));
        uv_close((uv_handle_t *)&feel->process, on_closed);
}

int feel_open(struct loop *loop, const char *command, struct feel **ret_feel)
{
        struct feel *feel = calloc(1, sizeof(*feel));

        if (feel == NULL)
                return -ENOMEM;
        feel->loop = loop;
        feel->command = command;
        wheel_timer_init(&feel->term, on_term, feel);
        *ret_feel = feel;
        return 0;
}

static void give(struct feel *feel, struct order *order, const char *what, const char *how)
{
        if (feel->command[0] == 0)
                return;
        snprintf(order->what, sizeof(order->what), "%s", what);
        snprintf(order->how, sizeof(order->how), "%s", how);
        start(feel);
}

void feel_vibrate(struct feel *feel, const char *pattern)
{
        give(feel, &feel->vibrate, "vibrate", pattern);
}

void feel_ring(struct feel *feel, int level)
{
        char text[4];

        snprintf(text, sizeof(text), "%d", level & 3);
        give(feel, &feel->ring, "ring", text);
}

void feel_close(struct feel *feel)
{
        if (feel == NULL)
                return;
        feel->closing = true;
        loop_timer_cancel(feel->loop, &feel->term);
        if (!feel->running)
                free(feel);
        else if (!uv_is_closing((uv_handle_t *)&feel->process))
                uv_close((uv_handle_t *)&feel->process, on_closed);
}
