/* ready: how a daemon says that it listens, and on which port: `--ready-fd N` on its command line, answered by "PORT\n" written to
 * that descriptor.  For whoever starts it with port 0 or wants to wait: the demo, tests, a supervisor. */
#ifndef BASE_READY_H
#define BASE_READY_H

/* ready_take: cut `--ready-fd N` out of ARGV, before conf_main sees it.
 *   program   for the message
 *   argc      made 2 smaller where it was there
 * Returns the descriptor, -1 where it is not given, -EINVAL after telling on stderr (no number, or none of an open file). */
int ready_take(const char *program, int *argc, char **argv);

/* ready_tell: write PORT and a newline to FD and close it; -1 does nothing.  Returns 0 or a negative errno. */
int ready_tell(int fd, int port);

#endif
