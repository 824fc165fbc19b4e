#include "console/keeper/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include <seccomp.h>
#include <sys/prctl.h>

/* All that the keeper asks of the system from then on. */
static const int calls[] = {
        /* the socket that is there, and those who call */
        SCMP_SYS(accept4),
        SCMP_SYS(getsockopt),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(close),
        /* the audit: its own folder's files (the unit leaves it no other to write) */
        SCMP_SYS(openat),
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(pread64),
        SCMP_SYS(pwrite64),
        SCMP_SYS(lseek),
        SCMP_SYS(fstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(fallocate),
        SCMP_SYS(ftruncate),
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(flock),
        SCMP_SYS(fcntl),
        SCMP_SYS(rename),
        SCMP_SYS(link),
        SCMP_SYS(unlink),
        /* memory, time, chance, the end */
        SCMP_SYS(brk),
        SCMP_SYS(mmap),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        SCMP_SYS(mprotect),
        SCMP_SYS(futex),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(getrandom),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(tgkill),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
};

int sandbox_enter(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int r = filter != NULL ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
                r = -errno;
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}
