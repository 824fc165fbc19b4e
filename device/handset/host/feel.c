#include "device/handset/host/feel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"

struct order {
        char what[8], how[16];
};

struct feel {
        uv_loop_t *loop;
        const char *command;
        bool running, closing;
        struct order vibrate, ring; /* waiting; what[0] 0: none */
        uv_process_t *process;
};

static void start(struct feel *feel);

static void on_closed(uv_handle_t *handle)
{
        struct feel *feel = handle->data;

        free(handle);
        feel->running = false;
        if (feel->closing)
                free(feel);
        else
                start(feel);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
        if (status != 0 || signal != 0)
                log_warn("feel", "the command ended with status %d, signal %d", (int)status, signal);
        uv_close((uv_handle_t *)process, on_closed);
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
        feel->process = calloc(1, sizeof(*feel->process));
        if (feel->process == NULL)
                return;
        feel->process->data = feel;
        feel->running = true;
        r = uv_spawn(feel->loop, feel->process, &options);
        if (r < 0) {
                log_warn("feel", "%s: %s", feel->command, uv_strerror(r));
                uv_close((uv_handle_t *)feel->process, on_closed);
        }
}

int feel_open(struct loop *loop, const char *command, struct feel **ret_feel)
{
        struct feel *feel = calloc(1, sizeof(*feel));

        if (feel == NULL)
                return -ENOMEM;
        feel->loop = loop_uv(loop);
        feel->command = command;
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
        if (!feel->running)
                free(feel);
}
