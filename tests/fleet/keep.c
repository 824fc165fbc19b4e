/* Phones that keep their promise, for tests/faults: whole ones, each with libvigie-handset and a journal.  They press at their planned
 * times whatever the region does (open loop), offer until they are told, and forget nothing when this process is killed: started
 * again with the same folder they are the same phones.  The harness speaks to them by files, so that either may die:
 *
 *      FOLDER/told     what they pressed and were told (phone.h)
 *      FOLDER/away/ID  a phone that died when this alert was received; taken away by the harness, it lives again
 *      FOLDER/calm     while it is there nobody presses */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "tests/fleet/fleet.h"
#include "tests/fleet/phone.h"

#define START_EVERY_MS 5   /* one phone each: 200 are there in 1 s */
#define LOOK_EVERY_MS  100 /* at the harness's files */

struct keep {
        const struct fleet_options *options;
        struct phones phones;
        struct region region;
        struct trust trust;
        struct key *root;
        struct phone *phone;
        size_t count, started, next;
        uint64_t planned, behind;
        int64_t begin_us;
        bool calm;
        struct wheel_timer starter, presser, looker;
};

static void on_start(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct keep *keep = timer->user;

        phone_start(&keep->phone[keep->started++]);
        if (keep->started < keep->count) {
                loop_timer_arm(keep->phones.loop, timer, now_mono_ms + START_EVERY_MS);
                return;
        }
        printf("fleet: %zu phones\n", keep->count);
        fflush(stdout);
        keep->begin_us = clock_mono_us();
        loop_timer_arm(keep->phones.loop, &keep->presser, now_mono_ms);
}

static struct phone *idle(struct keep *keep)
{
        for (size_t i = 0; i < keep->count; i++) {
                struct phone *phone = &keep->phone[keep->next++ % keep->count];

                if (phone_is_idle(phone))
                        return phone;
        }
        return NULL;
}

static void on_press(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct keep *keep = timer->user;
        int64_t planned_us;

        while ((planned_us = keep->begin_us + (int64_t)(keep->planned * 1000000 / keep->options->rate)) <=
               clock_mono_us()) {
                struct phone *phone = keep->calm ? NULL : idle(keep);

                keep->planned++;
                if (phone != NULL)
                        phone_press(phone, planned_us);
                else if (!keep->calm && keep->behind++ % 100 == 0) /* all wait for their last alert to be closed */
                        printf("fleet: %" PRIu64 " presses had no phone\n", keep->behind);
        }
        fflush(stdout);
        loop_timer_arm(keep->phones.loop, timer, planned_us / 1000 + 1);
}

static void on_look(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct keep *keep = timer->user;
        char path[REGION_PATH_MAX];

        snprintf(path, sizeof(path), "%s/calm", keep->options->folder);
        keep->calm = access(path, F_OK) == 0;
        for (size_t i = 0; i < keep->started; i++)
                phone_look(&keep->phone[i]);
        loop_timer_arm(keep->phones.loop, timer, now_mono_ms + LOOK_EVERY_MS);
}

static int enrolled(struct keep *keep, struct member **ret_members)
{
        const struct fleet_options *o = keep->options;
        int r = people_load(o->folder, keep->count, ret_members);

        if (r != -ENOENT)
                return r;
        r = people_make(&keep->region, o->prefix, keep->count, o->supervisors, ret_members);
        return r < 0 ? r : people_save(o->folder, *ret_members, keep->count);
}

static int set_up(struct keep *keep)
{
        const struct fleet_options *o = keep->options;
        struct member *members;
        char path[REGION_PATH_MAX];
        int r;

        keep->count = o->carriers + o->supervisors;
        snprintf(path, sizeof(path), "%s/away", o->folder);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        snprintf(path, sizeof(path), "%s/told", o->folder);
        keep->phones.told_fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
        keep->phones.ctx = people_tls(&keep->region);
        keep->phone = calloc(keep->count, sizeof(*keep->phone));
        if (keep->phones.told_fd < 0 || keep->phones.ctx == NULL || keep->phone == NULL)
                return -ENOMEM;
        if ((r = fleet_trust(&keep->region, &keep->root, &keep->phones.trust_list, &keep->trust)) < 0 ||
            (r = enrolled(keep, &members)) < 0 || (r = loop_open(&keep->phones.loop)) < 0)
                return r;
        keep->phones.trust = &keep->trust;
        keep->phones.root = keep->root;
        keep->phones.folder = o->folder;
        keep->phones.port[0] = (uint16_t)o->port;
        keep->phones.port[1] = (uint16_t)o->alert_port;
        keep->phones.via = (uint16_t)o->via;
        for (size_t i = 0; i < keep->count; i++) {
                keep->phone[i].phones = &keep->phones;
                keep->phone[i].member = &members[i];
                keep->phone[i].number = (unsigned)i;
        }
        return 0;
}

int keep_main(const struct fleet_options *options)
{
        struct keep *keep = calloc(1, sizeof(*keep));
        int r = keep != NULL ? 0 : -ENOMEM;

        if (r < 0 || options->rate == 0)
                return 1;
        keep->options = options;
        if ((r = region_open(options->region, &keep->region)) < 0 || (r = set_up(keep)) < 0) {
                fprintf(stderr, "fleet: %s\n", strerror(-r));
                return 1;
        }
        wheel_timer_init(&keep->starter, on_start, keep);
        wheel_timer_init(&keep->presser, on_press, keep);
        wheel_timer_init(&keep->looker, on_look, keep);
        loop_timer_arm(keep->phones.loop, &keep->starter, clock_mono_ms());
        loop_timer_arm(keep->phones.loop, &keep->looker, clock_mono_ms() + LOOK_EVERY_MS);
        loop_run(keep->phones.loop);
        return 0; /* phones and sockets go with the process */
}
