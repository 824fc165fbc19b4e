/* command: the commands of `vigie`.  Each takes the words from its own name on, writes results on stdout, mistakes on
 * stderr, and returns the exit status: 0 done, 1 refused or failed (nothing changed), 2 the command line is wrong. */
#ifndef OPS_VIGIE_COMMAND_H
#define OPS_VIGIE_COMMAND_H

#include "ops/vigie/region.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* init_main: make a region's folder, keys and configurations; refuses a folder that holds one. */
int init_main(const char *dir, int argc, char **argv);

/* carrier_main, supervisor_main, user_main, round_main: add ID ..., list, remove ID. */
int carrier_main(struct region *region, int argc, char **argv);
int supervisor_main(struct region *region, int argc, char **argv);
int user_main(struct region *region, int argc, char **argv);
int round_main(struct region *region, int argc, char **argv);

/* enrol_main: keys, certificate and folder for one handset.  handset_main: list, revoke ID, renew ID. */
int enrol_main(struct region *region, int argc, char **argv);
int handset_main(struct region *region, int argc, char **argv);

/* trust_main: sign: the trust list anew with the next number. */
int trust_main(struct region *region, int argc, char **argv);

/* zone_main: import FILE (checked as the dispatcher will), list, remove ID.  barrier_main: import FILE. */
int zone_main(struct region *region, int argc, char **argv);
int barrier_main(struct region *region, int argc, char **argv);

/* watch_main: the feed in a terminal, until interrupted.  status_main: how the region is. */
int watch_main(struct region *region, int argc, char **argv);
int status_main(struct region *region, int argc, char **argv);

/* ---- options, words, values: each mistake is told on stderr with the input and the rule */

/* Options of one command, all `--name TEXT` or `--flag`.  Values are borrowed from argv. */
struct choice {
        const char *name;
        const char **text; /* set for an option with a value */
        bool *flag;        /* set for one without */
        const char *help;
};
#define CHOICES_MAX 16

struct choices {
        const char *usage; /* first line of the help, after "usage: vigie " */
        const struct choice *list;
        size_t count;
        int words_wanted;
};

/* choices_read: read options and words of argv (argv[0] is the command's name).
 *   words       the words that are no options, words_wanted of them, written; NULL where none is wanted
 * Returns 0, -EINVAL after telling the usage (for --help on stdout; main then exits with 0). */
int choices_read(const struct choices *choices, int argc, char **argv, const char **words);

/* One verb of a command: `vigie zone import FILE`. */
struct verb {
        const char *name, *words; /* "import", "FILE"; name NULL ends the list */
        /* argv[0] is the verb.  Returns the exit status. */
        int (*run)(struct region *region, const void *of, int argc, char **argv);
        const void *of;
};

/* verbs_main: run the verb that argv[1] names, or tell which there are.  Returns the exit status. */
int verbs_main(const struct verb *verbs, struct region *region, int argc, char **argv);

/* refused: the exit status for R: done (0 and more), usage for -EINVAL, else refused. */
int refused(int r);

/* text_fit: copy TEXT (NULL is "") into TO of SIZE octets.  WHAT names it for the message.
 * Returns 0, -EINVAL (too long, not UTF-8). */
int text_fit(const char *what, const char *text, char *to, size_t size);

/* id_fit: ids of persons, rounds and sites, into TO of PERSON_ID_MAX + 1; NULL and "" pass as "" when OPTIONAL.
 * team_fit: a team's name, or NULL or "", likewise.  number_fit: a telephone number, or NULL or "", into TO of
 * NUMBER_MAX + 1.
 * Return 0, -EINVAL. */
int id_fit(const char *what, const char *id, bool optional, char *to);
int team_fit(const char *what, const char *team, char *to);
int number_fit(const char *number, char *to);

/* whole_number: a decimal number within BOUNDS, both inside, nothing behind it.  Returns 0, -EINVAL. */
struct bounds {
        long min, max;
};
int whole_number(const char *what, const char *text, const struct bounds *bounds, long *ret_number);

/* Octets of a host's name with its NUL; longer ones are refused.  The longest in DNS has 253. */
#define ADDRESS_HOST_SIZE 256
#define HOST_CHARACTERS   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-"
/* Octets of a unix socket's name: sun_path without its NUL. */
#define SOCKET_PATH_MAX   107

/* address_split: "host:port" or "[IPv6]:port".  Returns the port, -EINVAL. */
int address_split(const char *what, const char *address, char host[ADDRESS_HOST_SIZE]);

/* redis_address_check: "/unix/socket", as above, or "sentinel:NAME@host:port,...".  Returns 0, -EINVAL. */
int redis_address_check(const char *what, const char *address);

#endif
