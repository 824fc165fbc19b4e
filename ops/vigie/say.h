/* say: what the tool puts on a terminal.  Names come from outside and may hold anything: what could act on the
 * terminal or mislead the eye is shown escaped, "\u{202e}", and an octet that is no UTF-8 as "\xff"; a backslash is
 * doubled, so that nothing else looks so.  Escaped: control characters (C0, DEL, C1), separators of lines, marks of
 * direction, characters without width but the two joiners, tags.  Source: Unicode 15, Cc, Zl, Zp, Bidi_Control,
 * Default_Ignorable_Code_Point. */
#ifndef OPS_VIGIE_SAY_H
#define OPS_VIGIE_SAY_H

#include <stdio.h>

/* say_safe: write TEXT to OUT, escaped as above.  Errors are the stream's. */
void say_safe(FILE *out, const char *text);

/* say_row: write texts, escaped, with tabs between and a line end behind, on stdout.  NULL ends them. */
void say_row(const char *first, ...) __attribute__((sentinel));

/* A longer message is cut. */
#define SAY_WRONG_MAX 1024

/* say_wrong: "vigie: " and the message, escaped as a whole, and a line end, on stderr.  Returns -EINVAL, for who was
 * asked for what is wrong. */
int say_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* say_end: standard output is written out.  Returns STATUS; where that was 0, and what was said could not be written, FAILED after telling. */
int say_end(int status, int failed);

#endif
