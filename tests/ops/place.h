/* A folder of its own for a test of the operator's tool, the built programs in it, and a region's two private Redis. */
#ifndef TESTS_OPS_PLACE_H
#define TESTS_OPS_PLACE_H

#include "tests/geo/cmocka_first.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/base/folder.h"

#define PLACE_WORDS_MAX 32

struct place {
        char dir[FOLDER_PATH], region[80];
        char bin[512];                   /* folder of the programs of this build */
        pid_t redis[2];                  /* alerts, positions; 0: none */
        char out[1 << 18], err[1 << 14]; /* what the last run() wrote */
};

static const char *const place_stores[2] = { "alerts", "positions" };

/* ---- files */

static inline char *place_path(const struct place *p, const char *name, char to[256])
{
        snprintf(to, 256, "%s/%.180s", p->dir, name);
        return to;
}

static inline size_t place_get(const struct place *p, const char *name, char *to, size_t size)
{
        char path[256];
        FILE *f = fopen(place_path(p, name, path), "rb");
        size_t len = f != NULL ? fread(to, 1, size - 1, f) : 0;

        if (f != NULL)
                fclose(f);
        to[len] = '\0';
        return len;
}

static inline void place_put(const struct place *p, const char *name, const void *data, size_t len)
{
        char path[256];
        FILE *f = fopen(place_path(p, name, path), "wb");

        assert_non_null(f);
        assert_int_equal(fwrite(data, 1, len, f), len);
        fclose(f);
}

static inline bool place_has(const struct place *p, const char *name)
{
        char path[256];

        return access(place_path(p, name, path), F_OK) == 0;
}

static inline mode_t place_mode(const struct place *p, const char *name)
{
        char path[256];
        struct stat st;

        assert_int_equal(stat(place_path(p, name, path), &st), 0);
        return st.st_mode & 0777;
}

/* ---- programs */

static inline int place_open_file(const struct place *p, const char *name, int flags)
{
        char path[256];
        int fd = open(place_path(p, name, path), flags, 0600);

        assert_true(fd >= 0);
        return fd;
}

/* Start argv[0] of the build with INPUT as standard input; its output goes to the files out and err. */
static inline pid_t place_start(struct place *p, const char *input, const char *const *argv)
{
        char program[600];
        int in, out, err;
        pid_t pid;

        place_put(p, "in", input, strlen(input));
        in = place_open_file(p, "in", O_RDONLY);
        out = place_open_file(p, "out", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
        err = place_open_file(p, "err", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
        snprintf(program, sizeof(program), "%s/%s", p->bin, argv[0]);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                signal(SIGINT, SIG_DFL); /* ignored by what a shell starts in the background */
                dup2(in, 0);
                dup2(out, 1);
                dup2(err, 2);
                execv(program, (char *const *)argv);
                _exit(127);
        }
        close(in);
        close(out);
        close(err);
        return pid;
}

static inline int place_end(struct place *p, pid_t pid)
{
        int status = 0;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        place_get(p, "out", p->out, sizeof(p->out));
        place_get(p, "err", p->err, sizeof(p->err));
        if (WIFEXITED(status) && WEXITSTATUS(status) > 2)
                fprintf(stderr, "%s%s", p->out, p->err); /* a sanitizer, or no such program */
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int place_run(struct place *p, const char *input, const char *const *argv)
{
        return place_end(p, place_start(p, input, argv));
}

/* Run `vigie -C REGION` with WORDS; gives the exit status. */
static inline int place_vigie(struct place *p, const char *input, const char *const *words)
{
        const char *argv[PLACE_WORDS_MAX + 4] = { "vigie", "-C", p->region };

        for (size_t i = 0; words[i] != NULL; i++) {
                assert_true(i < PLACE_WORDS_MAX);
                argv[3 + i] = words[i];
        }
        return place_run(p, input, argv);
}
#define VIGIE_WITH(p, input, ...) place_vigie(p, input, (const char *const[]){ __VA_ARGS__, NULL })
#define VIGIE(p, ...)             VIGIE_WITH(p, "", __VA_ARGS__)

/* It ended with STATUS, said nothing on stdout, and named RULE on stderr. */
#define REFUSED(p, status, rule, ...)                                       \
        do {                                                                \
                assert_int_equal(VIGIE(p, __VA_ARGS__), status);            \
                assert_string_equal((p)->out, "");                          \
                if (strstr((p)->err, rule) == NULL)                         \
                        assert_string_equal((p)->err, rule); /* shows it */ \
        } while (0)

/* ---- Redis */

/* The link of USER (with PASSWORD) to store WHICH; USER NULL: nobody. */
static inline redisContext *place_connect(const struct place *p, int which, const char *user, const char *password)
{
        char path[256], name[32];
        redisContext *c;
        redisReply *reply;

        snprintf(name, sizeof(name), "%s.sock", place_stores[which]);
        c = redisConnectUnix(place_path(p, name, path));
        assert_true(c != NULL && c->err == 0);
        if (user != NULL) {
                reply = redisCommand(c, "AUTH %s %s", user, password);
                assert_true(reply != NULL);
                if (reply->type == REDIS_REPLY_ERROR)
                        fprintf(stderr, "AUTH %s: %s\n", user, reply->str);
                assert_int_equal(reply->type, REDIS_REPLY_STATUS);
                freeReplyObject(reply);
        }
        return c;
}

/* The password of USER as the region's ACL has it. */
static inline void place_password(const struct place *p, const char *user, char to[64])
{
        char text[4096], before[64], *at;

        place_get(p, "region/redis/users.acl", text, sizeof(text));
        snprintf(before, sizeof(before), "user %s on >", user);
        at = strstr(text, before);
        assert_non_null(at);
        snprintf(to, 64, "%.32s", at + strlen(before));
}

static inline redisContext *place_as(const struct place *p, int which, const char *user)
{
        char password[64];

        place_password(p, user, password);
        return place_connect(p, which, user, password);
}

static inline bool place_answers(const struct place *p, int which)
{
        char path[256], name[32];
        redisContext *c;
        redisReply *reply = NULL;
        bool good;

        snprintf(name, sizeof(name), "%s.sock", place_stores[which]);
        c = redisConnectUnix(place_path(p, name, path));
        if (c != NULL && c->err == 0)
                reply = redisCommand(c, "PING");
        good = reply != NULL && strncmp(reply->str, "LOADING", 7) != 0;
        freeReplyObject(reply);
        if (c != NULL)
                redisFree(c);
        return good;
}

/* Start store WHICH with the configuration that we ship and the region's ACL. */
static inline void place_redis(struct place *p, int which)
{
        char conf[64], name[32], socket[256], data[256], acl[256];

        snprintf(conf, sizeof(conf), "ops/redis/%s.conf", place_stores[which]);
        snprintf(name, sizeof(name), "%s.sock", place_stores[which]);
        place_path(p, name, socket);
        place_path(p, place_stores[which], data);
        place_path(p, "region/redis/users.acl", acl);
        assert_true(mkdir(data, 0700) == 0 || errno == EEXIST);
        p->redis[which] = fork();
        assert_true(p->redis[which] >= 0);
        if (p->redis[which] == 0) {
                int null = open("/dev/null", O_WRONLY);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(null, 1);
                execlp("redis-server", "redis-server", conf, "--unixsocket", socket, "--unixsocketperm", "700", "--dir",
                       data, "--aclfile", acl, (char *)NULL);
                _exit(127);
        }
        for (int i = 0; !place_answers(p, which); i++) {
                assert_true(i < 500 && waitpid(p->redis[which], NULL, WNOHANG) == 0);
                usleep(20000);
        }
}

static inline void place_redis_kill(struct place *p, int which)
{
        if (p->redis[which] == 0)
                return;
        kill(p->redis[which], SIGKILL);
        waitpid(p->redis[which], NULL, 0);
        p->redis[which] = 0;
}

/* ---- beginning and end */

/* vigie init for region lyon, with its stores here. */
static inline int place_init(struct place *p)
{
        char alerts[256], positions[256];

        return VIGIE(p, "init", "--region", "lyon", "--alerts", place_path(p, "alerts.sock", alerts), "--positions",
                     place_path(p, "positions.sock", positions));
}

static inline int place_open(void **state)
{
        struct place *p = calloc(1, sizeof(*p));
        char *slash;

        if (p == NULL)
                return -1;
        folder_fresh(p->dir);
        if (readlink("/proc/self/exe", p->bin, sizeof(p->bin) - 8) < 0)
                return -1;
        snprintf(p->region, sizeof(p->region), "%s/region", p->dir);
        for (int i = 0; i < 3 && (slash = strrchr(p->bin, '/')) != NULL; i++)
                *slash = '\0'; /* BUILD/tests/ops/x_test */
        strcat(p->bin, "/bin");
        *state = p;
        return 0;
}

static inline int place_close(void **state)
{
        struct place *p = *state;
        char command[128];

        place_redis_kill(p, 0);
        place_redis_kill(p, 1);
        snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
        free(p);
        return system(command) == 0 ? 0 : -1;
}

/* A folder with a region in it.  What cannot be set up is taken away here: there is no tear-down for it. */
static inline int place_open_region(void **state)
{
        if (place_open(state) < 0)
                return -1;
        if (place_init(*state) == 0)
                return 0;
        place_close(state);
        return -1;
}

/* A region with its stores. */
static inline int place_open_stores(void **state)
{
        if (place_open_region(state) < 0)
                return -1;
        place_redis(*state, 0);
        place_redis(*state, 1);
        return 0;
}

#endif
