/* conf_text: a configuration file for one of the daemons, made line by line.  Each line is held to what base/conf
 * reads, so that what is written is accepted: at most CONF_LINE_MAX octets, clean UTF-8, nothing that begins a
 * comment. */
#ifndef OPS_VIGIE_CONF_TEXT_H
#define OPS_VIGIE_CONF_TEXT_H

#include <stddef.h>

/* Octets of one file; ours have some 25 lines.  More: -ENOBUFS. */
#define CONF_TEXT_SIZE 8192

struct conf_text {
        char text[CONF_TEXT_SIZE]; /* with passwords in it: the caller wipes it */
        size_t len;
        int error; /* 0, or the first thing that was wrong: what follows is not added */
};

/* conf_text_init: an empty file that begins with COMMENT, which may be "", and may have several lines. */
void conf_text_init(struct conf_text *text, const char *comment);

/* conf_text_section: begin [NAME]. */
void conf_text_section(struct conf_text *text, const char *name);

/* conf_text_line: add LINE as it is; the caller answers for it. */
void conf_text_line(struct conf_text *text, const char *line);

/* conf_text_key: add "KEY = value".  A value that cannot stand there is told on stderr, and -EINVAL is in `error`. */
void conf_text_key(struct conf_text *text, const char *key, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
