#include "device/door/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"

#define EXIT_NOT_RUN 127

void opener_init(struct opener *opener, struct conf_list *command, int64_t timeout_ms)
{
        memset(opener, 0, sizeof(*opener));
        for (size_t i = 0; i < command->count; i++)
                opener->argv[i] = command->item[i];
        opener->timeout_ms = timeout_ms;
}

/* child: never returns.  Every other descriptor of ours is close-on-exec. */
static void child(char *const *argv)
{
        sigset_t none;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        setpgid(0, 0);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (null >= 0) {
                dup2(null, STDIN_FILENO);
                dup2(null, STDOUT_FILENO); /* ours says who is let in, and is read by a program */
        }
        execv(argv[0], argv);
        _exit(EXIT_NOT_RUN);
}

int opener_start(void *user)
{
        struct opener *opener = user;
        pid_t pid;
        size_t i = 0;

        while (i < OPENER_MAX && opener->running[i].pid != 0)
                i++;
        if (i == OPENER_MAX) {
                log_error("open", "%d commands run already: not started once more", OPENER_MAX);
                return -EAGAIN;
        }
        pid = fork();
        if (pid == 0)
                child(opener->argv);
        if (pid < 0) {
                log_error("open", "%s: %s", opener->argv[0], strerror(errno));
                return -errno;
        }
        opener->running[i].pid = pid;
        opener->running[i].due_mono_ms = clock_mono_ms() + opener->timeout_ms;
        return 0;
}

static void tell(const char *program, int status)
{
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                log_info("open", "%s: done", program);
        else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_RUN)
                log_error("open", "%s: could not be run, or ended with 127", program);
        else if (WIFEXITED(status))
                log_error("open", "%s: ended with %d", program, WEXITSTATUS(status));
        else
                log_error("open", "%s: killed by signal %d", program, WTERMSIG(status));
}

void opener_tick(struct opener *opener)
{
        for (size_t i = 0; i < OPENER_MAX; i++) {
                int status;
                pid_t pid = opener->running[i].pid;

                if (pid == 0)
                        continue;
                if (waitpid(pid, &status, WNOHANG) == pid) {
                        tell(opener->argv[0], status);
                        opener->running[i].pid = 0;
                } else if (clock_mono_ms() >= opener->running[i].due_mono_ms) {
                        log_error("open", "%s: over its time, killed", opener->argv[0]);
                        kill(-pid, SIGKILL);
                }
        }
}
