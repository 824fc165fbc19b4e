/* A phone's vault for the tests of safe: a folder, a clock of its own, and what it told. */
#ifndef TESTS_DEVICE_HANDSET_HOST_SAFE_PHONE_H
#define TESTS_DEVICE_HANDSET_HOST_SAFE_PHONE_H
#include "tests/device/handset/host/support.h"

#include "device/handset/host/safe.h"
#include "tests/device/handset/host/round.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PIN    "2580"
#define DURESS "9137"
#define WRONG  "2581"

static struct round r; /* the one of this test */
static int64_t fake_ms = 1000000; /* the clock that goes on while the phone sleeps */

static inline int64_t fake_clock(void)
{
        return fake_ms;
}

struct phone {
        struct folder folder;
        char vault[128], machine[128];
        struct loop *loop;
        struct safe *safe;
        bool idle; /* something came to an end */
        unsigned opened, duress, checked, ordered;
        enum vigie_pin verdict;
        uint32_t number;
        enum vigie_result result;
};

static inline void on_changed(void *user)
{
}

static inline void on_opened(void *user, bool duress)
{
        struct phone *p = user;

        p->opened++;
        p->duress += duress;
}

static inline void on_checked(void *user, enum vigie_pin verdict)
{
        struct phone *p = user;

        p->checked++;
        p->verdict = verdict;
}

static inline void on_ordered(void *user, uint32_t number, enum vigie_result result)
{
        struct phone *p = user;

        p->ordered++;
        p->number = number;
        p->result = result;
}

static inline void start(struct phone *p)
{
        struct safe_options options = { .user = p, .changed = on_changed, .opened = on_opened, .checked = on_checked,
                                        .ordered = on_ordered, .clock = fake_clock };

        assert_int_equal(loop_open(&p->loop), 0);
        options.loop = p->loop;
        options.place = (struct vault_place){ p->vault, p->machine };
        assert_int_equal(safe_open(&options, &p->safe), 0);
}

static inline void stop(struct phone *p)
{
        safe_close(p->safe);
        assert_int_equal(loop_close(p->loop), 0);
}

static inline void restart(struct phone *p)
{
        stop(p);
        start(p);
}

static inline void begin(struct phone *p)
{
        memset(p, 0, sizeof(*p));
        folder_make(&p->folder);
        folder_file(&p->folder, "vault", p->vault);
        put(&p->folder, "machine", "0123456789abcdef\n");
        folder_file(&p->folder, "machine", p->machine);
        start(p);
}

static inline void end(struct phone *p)
{
        char command[200];

        stop(p);
        snprintf(command, sizeof(command), "rm -rf '%s'", p->vault);
        assert_int_equal(system(command), 0);
        folder_remove(&p->folder);
}

static inline struct safe_view look(struct phone *p)
{
        struct safe_view v;

        safe_look(p->safe, &v);
        return v;
}

/* settle: until no PIN is looked at any more and COUNT of COUNTER came. */
static inline void settle(struct phone *p)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        do
                turn(p->loop, 2);
        while (look(p).working && clock_mono_ms() < until_mono_ms);
        assert_false(look(p).working);
}

static inline void until(struct phone *p, const unsigned *counter, unsigned count)
{
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;

        while (*counter < count && clock_mono_ms() < until_mono_ms)
                turn(p->loop, 2);
        assert_int_equal(*counter, count);
}

static inline void set(struct phone *p)
{
        assert_int_equal(safe_set(p->safe, PIN, DURESS), 0);
        settle(p);
        assert_int_equal(look(p).state, VIGIE_VAULT_OPEN);
}

static inline void give_pass(struct phone *p, uint32_t number, const char id[PASS_ID_SIZE])
{
        unsigned before = p->ordered;

        round_make(&r, id, look(p).key, 40);
        safe_order_pass(p->safe, number, round_parcel(&r));
        until(p, &p->ordered, before + 1);
        assert_int_equal(p->number, number);
}

static inline void unlock(struct phone *p, const char *pin)
{
        assert_int_equal(safe_unlock(p->safe, pin), 0);
        settle(p);
}

/* ---- raw files */

static inline bool file_holds(const char *path, const void *octets, size_t len)
{
        char *data = NULL;
        size_t size = 0;
        bool found;

        assert_int_equal(file_read(path, 1 << 24, &data, &size), 0);
        found = memmem(data, size, octets, len) != NULL;
        free(data);
        return found;
}

/* holds: whether any file of the vault has these octets. */
static inline bool holds(const struct phone *p, const void *octets, size_t len)
{
        DIR *dir = opendir(p->vault);
        bool found = false;

        assert_non_null(dir);
        for (struct dirent *e = readdir(dir); e != NULL && !found; e = readdir(dir)) {
                char path[400];

                snprintf(path, sizeof(path), "%s/%s", p->vault, e->d_name);
                found = e->d_name[0] != '.' && file_holds(path, octets, len);
        }
        closedir(dir);
        return found;
}

static inline bool is_there(const struct phone *p, const char *name)
{
        char path[200];

        snprintf(path, sizeof(path), "%s/%s", p->vault, name);
        return access(path, F_OK) == 0;
}

static inline uint8_t tries_on_disk(const struct phone *p)
{
        char path[200], *data = NULL;
        size_t len;
        uint8_t wrong;

        snprintf(path, sizeof(path), "%s/tries", p->vault);
        assert_int_equal(file_read(path, 1, &data, &len), 0);
        wrong = (uint8_t)data[0];
        free(data);
        return wrong;
}

static inline int open_round(void **state)
{
        round_open(&r);
        return 0;
}

static inline int close_round(void **state)
{
        round_close(&r);
        return 0;
}
#endif
