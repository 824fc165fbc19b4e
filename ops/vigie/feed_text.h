/* feed_text: the feed for an operator's eye: one line an entry, or one JSON object.  It says who and what, and no
 * position (DESIGN 3.9).  Texts from outside are escaped (say.h); JSON is plain ASCII. */
#ifndef OPS_VIGIE_FEED_TEXT_H
#define OPS_VIGIE_FEED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct redisReply;

/* feed_text_entry: print to OUT the fields of one entry of {r}:feed, an array of names and values as XREAD gives it. */
void feed_text_entry(FILE *out, bool as_json, const struct redisReply *fields);

/* feed_text_open: print the record of an alert that was open already. */
void feed_text_open(FILE *out, bool as_json, const uint8_t *record, size_t size);

#endif
