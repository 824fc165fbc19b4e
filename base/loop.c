#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

#define SIGNALS 2

struct loop {
        uv_loop_t uv;
        uv_timer_t timer;
        uv_signal_t signal[SIGNALS];
        struct wheel wheel;
        int64_t programmed_mono_ms; /* when the uv timer fires; INT64_MAX = stopped */
        void (*on_stop)(void *user, int signal);
        void *on_stop_user;
        bool stopping; /* a signal came */
};

int64_t clock_mono_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
        return clock_mono_us() / 1000;
}

int64_t clock_utc_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void timer_fired(uv_timer_t *timer);

/* Set the uv timer to the wheel's next time, LEAST ms from now or later. */
static void program(struct loop *loop, int64_t least)
{
        int64_t next = wheel_next(&loop->wheel), now = clock_mono_ms();

        loop->programmed_mono_ms = next;
        if (next == INT64_MAX) {
                uv_timer_stop(&loop->timer);
                return;
        }
        uv_update_time(&loop->uv); /* uv counts from its own cached now */
        uv_timer_start(&loop->timer, timer_fired, (uint64_t)(next > now + least ? next - now : least), 0);
}

static void timer_fired(uv_timer_t *timer)
{
        struct loop *loop = timer->data;

        wheel_advance(&loop->wheel, clock_mono_ms());
        program(loop, 1); /* uv would fire one of 0 ms in this same turn, and again, before anybody else has a turn */
}

static void signal_came(uv_signal_t *handle, int signal)
{
        struct loop *loop = handle->data;

        if (loop->stopping || loop->on_stop == NULL) {
                loop_stop(loop);
                return;
        }
        loop->stopping = true;
        loop->on_stop(loop->on_stop_user, signal);
}

/* Cannot fail once uv_loop_init has: uv_signal_start may, for want of descriptors. */
static int open_handles(struct loop *loop)
{
        static const int signals[SIGNALS] = { SIGTERM, SIGINT };
        int r;

        uv_timer_init(&loop->uv, &loop->timer);
        loop->timer.data = loop;
        for (int i = 0; i < SIGNALS; i++) {
                uv_signal_init(&loop->uv, &loop->signal[i]);
                loop->signal[i].data = loop;
        }
        for (int i = 0; i < SIGNALS; i++)
                if ((r = uv_signal_start(&loop->signal[i], signal_came, signals[i])) < 0)
                        return r;
        return 0;
}

int loop_open(struct loop **ret_loop)
{
        struct loop *loop = calloc(1, sizeof(*loop));
        int r;

        if (loop == NULL)
                return -ENOMEM;
        if ((r = uv_loop_init(&loop->uv)) < 0) {
                free(loop);
                return r;
        }
        signal(SIGPIPE, SIG_IGN);
        loop->programmed_mono_ms = INT64_MAX;
        wheel_init(&loop->wheel, clock_mono_ms());
        if ((r = open_handles(loop)) < 0) {
                loop_close(loop);
                return r;
        }
        *ret_loop = loop;
        return 0;
}

void loop_on_stop(struct loop *loop, void (*fn)(void *user, int signal), void *user)
{
        loop->on_stop = fn;
        loop->on_stop_user = user;
        loop->stopping = false;
}

int loop_run(struct loop *loop)
{
        uv_run(&loop->uv, UV_RUN_DEFAULT); /* its answer says whether handles are left: there are */
        return 0;
}

void loop_stop(struct loop *loop)
{
        uv_stop(&loop->uv);
}

int loop_close(struct loop *loop)
{
        int64_t until = clock_mono_ms() + LOOP_CLOSE_MS;
        struct timespec pause = { .tv_nsec = 1000000 };

        if (loop == NULL)
                return 0;
        uv_close((uv_handle_t *)&loop->timer, NULL);
        for (int i = 0; i < SIGNALS; i++)
                uv_close((uv_handle_t *)&loop->signal[i], NULL);
        while (uv_run(&loop->uv, UV_RUN_NOWAIT) != 0 && clock_mono_ms() < until)
                nanosleep(&pause, NULL);
        if (uv_loop_close(&loop->uv) < 0)
                return -EBUSY;
        free(loop);
        return 0;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
        return &loop->uv;
}

void loop_timer_arm(struct loop *loop, struct wheel_timer *timer, int64_t due_mono_ms)
{
        wheel_arm(&loop->wheel, timer, due_mono_ms);
        if (wheel_next(&loop->wheel) < loop->programmed_mono_ms)
                program(loop, 0);
}

void loop_timer_cancel(struct loop *loop, struct wheel_timer *timer)
{
        wheel_cancel(&loop->wheel, timer);
}
