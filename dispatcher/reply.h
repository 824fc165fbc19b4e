/* Reading Redis's answers: small helpers over hiredis's reply tree.  What is missing or of another type reads as
 * empty. */
#ifndef DISPATCHER_REPLY_H
#define DISPATCHER_REPLY_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cbor.h"

/* reply_is_good: there is an answer, and it is no error. */
bool reply_is_good(const struct redisReply *reply);

/* reply_count: elements of an array; 0 of anything else.  reply_at: one of them; NULL outside. */
size_t reply_count(const struct redisReply *reply);
const struct redisReply *reply_at(const struct redisReply *reply, size_t index);

/* reply_bytes: a text's octets, borrowed from the reply; empty where it is none. */
struct cbor_span reply_bytes(const struct redisReply *reply);

/* reply_int: an integer, or a text that is one (scores come as text; a fraction is cut); 0 where it is none. */
int64_t reply_int(const struct redisReply *reply);

/* reply_text: a text into TO of SIZE octets.  Returns false, and "" in TO, where it is none, does not fit, or holds
 * a NUL. */
bool reply_text(const struct redisReply *reply, char *to, size_t size);

/* reply_field: the value after NAME in a flat array of names and values; NULL where it is not there. */
const struct redisReply *reply_field(const struct redisReply *pairs, const char *name);

/* A stream's entry id, `MS-SEQ`. */
struct stream_id {
        uint64_t ms, seq;
};
#define STREAM_ID_TEXT 42

/* stream_id_read: read an id.  Returns false, and 0-0, where it is none.  stream_id_write: the text with its NUL.
 * stream_id_compare: below 0, 0, above 0. */
bool stream_id_read(const struct redisReply *reply, struct stream_id *ret_id);
void stream_id_write(struct stream_id id, char to[STREAM_ID_TEXT]);
int stream_id_compare(struct stream_id a, struct stream_id b);

#endif
