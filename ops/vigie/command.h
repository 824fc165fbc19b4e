/* command: the commands of `vigie`.  Each takes the words from its own name on, writes results on stdout and mistakes on stderr, and
 * returns the exit status: 0 done, 1 refused or failed (nothing changed), 2 the command line is wrong. */
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

/* trust_main: sign the trust list anew with the next number. */
int trust_main(struct region *region, int argc, char **argv);

/* zone_main: import FILE (checked as the dispatcher will), list. */
int zone_main(struct region *region, int argc, char **argv);

/* watch_main: the feed in a terminal, until interrupted.  status_main: what is open, who is on duty, how the stores are. */
int watch_main(struct region *region, int argc, char **argv);
int status_main(struct region *region, int argc, char **argv);

/* Options of one command, all `--name TEXT` or `--flag`.  Values are borrowed from argv. */
struct choice {
        const char *name;
        const char **text;      /* set for an option with a value */
        bool *flag;             /* set for one without */
        const char *help;
};
#define CHOICES_MAX 16

/* choices_read: read options and words of argv (argv[0] is the command's name).
 *   usage       first line of the help, after "usage: "
 *   words       the words that are no options, WORDS_WANTED of them, written
 * Returns 0, -EINVAL after telling the usage (also for --help). */
struct choices {
        const char *usage;
        const struct choice *list;
        size_t count;
        int words_wanted;
};
int choices_read(const struct choices *choices, int argc, char **argv, const char **words);

/* text_fit: copy TEXT (NULL is "") into TO of SIZE octets.  WHAT names it for the message.
 * Returns 0, -EINVAL after telling that it is too long or not UTF-8. */
int text_fit(const char *what, const char *text, char *to, size_t size);

/* id_check: person, round, zone and team ids.  "" passes when OPTIONAL.  Returns 0, -EINVAL after telling the rule. */
int id_check(const char *what, const char *id, bool optional);

#endif
