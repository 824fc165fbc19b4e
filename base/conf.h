/* Configuration: one table per program says every key once - name, type, bounds, default, help - and this file reads
 * an INI file and the command line against it.  All mistakes of a file are told at once, each with file, line and
 * rule, and a configuration with a mistake is not applied at all.
 *
 *      struct config { char name[32]; int64_t port; int64_t lease_ms; struct conf_list redis; bool drill; };
 *      static const struct conf_option options[] = {
 *              CONF_STRING(struct config, name, "region.name", 1, NULL, "the region's short name"),
 *              CONF_INT(struct config, port, "listen.port", 1, 65535, "8443", "TCP port for handsets"),
 *              CONF_DURATION(struct config, lease_ms, "presence.lease", 1000, 600000, "30s", "..."),
 *              CONF_LIST(struct config, redis, "store.addresses", 1, 4, "/run/redis.sock", "..."),
 *              CONF_BOOL(struct config, drill, "drill.allowed", "yes", "..."),
 *      };
 *
 * The file: `[section]`, `key = value`, lines beginning with ; or #, and ` ;` begins a comment after a value.  UTF-8,
 * no control characters, no line that begins with a blank, no line over CONF_LINE_MAX octets. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest file read, in octets.  Ours have some 60 keys; over it the file is refused. */
#define CONF_FILE_MAX    (256 * 1024)
/* Longest line, in octets, set by how Debian builds libinih (INI_MAX_LINE 200).  A longer one is an error, never
 * cut. */
#define CONF_LINE_MAX    197
/* Items of one list, and octets of one item with its NUL: addresses and names.  More or longer is an error. */
#define CONF_LIST_MAX    16
#define CONF_ITEM_SIZE   128
/* Options of one program; the largest has some 60.  More is an assert: it is our own table. */
#define CONF_OPTIONS_MAX 128
/* Text of all mistakes of one file: some 20 of them.  What does not fit is counted in a last line "and N more". */
#define CONF_ERRORS_SIZE 4096

enum conf_type { CONF_TYPE_STRING, CONF_TYPE_PATH, CONF_TYPE_INT, CONF_TYPE_BOOL, CONF_TYPE_DURATION, CONF_TYPE_LIST };

/* A list of words, written `a, b c` (commas or blanks between). */
struct conf_list {
        size_t count;
        char item[CONF_LIST_MAX][CONF_ITEM_SIZE];
};

/* One key.  Use the macros below: they take offset and size from the struct. */
struct conf_option {
        const char *key; /* "section.key" */
        enum conf_type type;
        size_t offset, size;  /* of the member in the program's struct config */
        int64_t min, max;     /* int: value; duration: ms; string and path: octets; list: items */
        const char *fallback; /* default, as it would be written in the file; NULL = the file must say it */
        const char *help;     /* one line */
};

#define CONF_MEMBER(cfg, member) offsetof(cfg, member), sizeof(((cfg *)0)->member)
/* char member[N]: from min_len to N - 1 octets. */
#define CONF_STRING(cfg, member, key, min_len, fallback, help)                                                      \
        {                                                                                                           \
                key, CONF_TYPE_STRING, CONF_MEMBER(cfg, member), min_len, sizeof(((cfg *)0)->member) - 1, fallback, \
                        help                                                                                        \
        }
/* char member[N]: a file's name as given (relative ones count from the working directory); fallback "" = may be
 * empty. */
#define CONF_PATH(cfg, member, key, fallback, help)                                                              \
        {                                                                                                        \
                key, CONF_TYPE_PATH, CONF_MEMBER(cfg, member), 0, sizeof(((cfg *)0)->member) - 1, fallback, help \
        }
/* int64_t member. */
#define CONF_INT(cfg, member, key, min, max, fallback, help)                           \
        {                                                                              \
                key, CONF_TYPE_INT, CONF_MEMBER(cfg, member), min, max, fallback, help \
        }
/* bool member: yes/no, true/false, on/off, 1/0. */
#define CONF_BOOL(cfg, member, key, fallback, help)                                 \
        {                                                                           \
                key, CONF_TYPE_BOOL, CONF_MEMBER(cfg, member), 0, 1, fallback, help \
        }
/* int64_t member in ms, written with its unit: 300ms, 5s, 2min, 8h, 400d; a bare number is refused (0 is allowed). */
#define CONF_DURATION(cfg, member, key, min_ms, max_ms, fallback, help)                           \
        {                                                                                         \
                key, CONF_TYPE_DURATION, CONF_MEMBER(cfg, member), min_ms, max_ms, fallback, help \
        }
/* struct conf_list member: from min to max items. */
#define CONF_LIST(cfg, member, key, min, max, fallback, help)                           \
        {                                                                               \
                key, CONF_TYPE_LIST, CONF_MEMBER(cfg, member), min, max, fallback, help \
        }

/* What a program says of itself. */
struct conf_table {
        const char *program;      /* "vigie-dispatcher" */
        const char *usage;        /* what follows the options in the usage line, e.g. "[COMMAND]"; "" for none */
        const char *summary;      /* what it is, one line, for --help */
        const char *default_file; /* read without -c if it exists; NULL = none */
        const struct conf_option *options;
        size_t count;
        size_t config_size; /* sizeof(struct config) */
        /* Rules between keys, asked when every key is good; NULL = none.  Returns 0, or -EINVAL with the rule in
         * WHY. */
        int (*check)(const void *config, char *why, size_t why_size);
};

/* Where a configuration comes from. */
struct conf_source {
        const char *text; /* the file's octets, any octets at all; len 0 = no file */
        size_t len;
        const char *file;             /* its name, for the errors */
        const char *const *overrides; /* `section.key=value`; they replace what the file says, the last one wins */
        size_t override_count;
};

/* conf_parse: read the text of a configuration file, and then overrides, into CONFIG.
 *   config         table->config_size octets, written wholly on success, untouched otherwise
 *   errors         CONF_ERRORS_SIZE octets: every mistake as "file:line: key: rule\n"; "" on success
 * Returns 0, -EINVAL (errors tells), -ENOMEM (errors tells).  Keeps no pointer.  Source: libinih 55,
 * ini_parse_stream. */
int conf_parse(const struct conf_table *table, const struct conf_source *source, void *config, char *errors);

/* What the caller of conf_main does next. */
enum conf_next {
        CONF_RUN,  /* go on */
        CONF_STOP, /* --help, --version or -n was answered: exit with 0 */
};
/* Overrides on one command line; more is an error.  The demo gives some 20. */
#define CONF_OVERRIDES_MAX 64

/* What main() was given. */
struct conf_args {
        int argc;
        char **argv;
};

/* conf_main: a program's first line: read the command line and the configuration.
 *   -c FILE  -n (check and stop)  -o section.key=value (repeatable)  --help (the table)  --version
 *   config     written on 0 with CONF_RUN or after a good -n
 *   ret_rest   index in argv of the first word that is no option (argc if none): options must come before it.  NULL:
 *              such a word is an error.
 *   ret_next   what to do
 * Prints help and version on stdout, mistakes on stderr.  Returns 0, -EINVAL (already told), or what reading the file
 * gave (already told): exit with 2.  Uses getopt's state: call it once, first. */
int conf_main(const struct conf_table *table, const struct conf_args *args, void *config, int *ret_rest,
              enum conf_next *ret_next);

struct _IO_FILE; /* FILE; keeps <stdio.h> out of here */

/* conf_help: write the usage text and the table (key, type, bounds, default, help) to OUT, as --help shows it.
 * Errors are the stream's. */
void conf_help(const struct conf_table *table, struct _IO_FILE *out);

#endif
