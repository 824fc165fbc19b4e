/* The keeper's cage: from here on no system call but those it needs; none makes a socket, a process or a program. */
#ifndef KEEPER_SANDBOX_H
#define KEEPER_SANDBOX_H

/* sandbox_enter: close the cage, for ever.  Anything else ends the process (SIGSYS).  Returns 0 or a negative errno.
 * Source: libseccomp, seccomp_rule_add(3). */
int sandbox_enter(void);
#endif
