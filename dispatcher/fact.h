/* Facts: what came in and changes an alert, as the journal keeps it: an alert object or a command, with what was found out about
 * it when it came.  Also the journal's note that an alert is closed, after which its facts are worth nothing.
 *
 *      [1, 1, event id, at ms, alert id, path, why, claimed handset, bytes]      an alert object
 *      [1, 2, event id, at ms, alert id, asker's handset or null, bytes, path, refused]   a command; path: where it came by SMS
 *      [1, 3, alert id, ...]                                                     closed: these ids
 *
 * A command that is refused stands there once more, and says so: what a failover lost is offered again, what was refused is not.
 * Pure. */
#ifndef DISPATCHER_FACT_H
#define DISPATCHER_FACT_H

#include <stdbool.h>

#include "wire/cbor.h"
#include "wire/command.h"
#include "wire/record.h"

#define FACT_FORMAT    1
/* Octets of an object: a frame's.  What is longer is no frame. */
#define FACT_BYTES_MAX 1024
/* Octets of the longest fact in the journal. */
#define FACT_MAX       (FACT_BYTES_MAX + 96)

struct open_alert;

enum fact_type { FACT_ALERT = 1, FACT_COMMAND, FACT_GONE };

enum fact_state {
        FACT_WAITS,  /* for the journal */
        FACT_READY,  /* to be committed */
        FACT_FLYING, /* in a commit */
        FACT_DONE    /* committed, or nothing new; kept in case that a failover loses it */
};

struct fact {
        enum fact_type type;
        enum fact_state state;
        uint8_t event_id[EVENT_ID_SIZE];
        int64_t at_ms;             /* when it came */
        uint8_t id[ALERT_ID_SIZE]; /* of the alert */
        uint8_t path, why;         /* enum alert_path; a COMMAND's is 0 or PATH_SMS.  ALERT: enum unverified_why */
        uint8_t handset[HANDSET_ID_SIZE]; /* ALERT: that the object names; COMMAND: that asks, where by_handset */
        bool by_handset, replayed;
        bool refused; /* COMMAND: it was answered so */
        uint32_t
                shown; /* ALERT on another phone: the highest version that people were shown of it as an alert of its own */
        bool looked_up;   /* ALERT on another phone: the store has no alert of that id, open or closed */
        uint64_t session; /* that it came by; 0 none */
        uint32_t request; /* of its frame */
        uint8_t verb;     /* COMMAND: enum command_verb */
        uint64_t number;  /* of its APPEND; 0 none */
        bool bare;        /* in no journal of ours: the disk is full */
        bool owed;        /* it was bare: its handset is to hear that it is safe now */
        bool has_ref;     /* COMMAND of the stream, and what came by SMS: `ref` is to be acknowledged, or taken */
        uint64_t ref;
        bool meant;               /* it is in the record of meanwhile.c */
        bool kept;                /* its handset was told that it is kept, or that somebody says they are coming */
        bool coming;              /* by SMS: its sender was told that it is noted */
        struct open_alert *alert; /* that it happens to; NULL: none any more */
        struct fact *next;        /* in the list of those that wait for the journal */
        size_t size;
        uint8_t bytes[]; /* the object: ALERT as it came, COMMAND encoded */
};

/* fact_new: a fact with these BYTES, else all zero; at most FACT_BYTES_MAX.  Freed by free().  Never NULL (assert). */
struct fact *fact_new(enum fact_type type, struct cbor_span bytes);

/* fact_encode: as the journal keeps it, into BUF of FACT_MAX.  Returns the length. */
size_t fact_encode(const struct fact *fact, uint8_t buf[FACT_MAX]);

/* fact_encode_gone: the note that IDS, 1..1 + RECORD_ALIASES_MAX, are closed. */
size_t fact_encode_gone(const uint8_t (*ids)[ALERT_ID_SIZE], size_t count, uint8_t buf[FACT_MAX]);

/* What fact_decode read. */
struct fact_read {
        enum fact_type type;
        struct fact *fact; /* ALERT, COMMAND: the caller's */
        size_t gone_count; /* GONE */
        uint8_t gone[1 + RECORD_ALIASES_MAX][ALERT_ID_SIZE];
};

/* fact_decode: read what the journal keeps.  The fact is FACT_READY and replayed.
 * Returns 0, -EBADMSG, -EPROTONOSUPPORT (a newer format). */
int fact_decode(struct cbor_span in, struct fact_read *ret_read);

/* fact_peek_id: the alert that a journal's record is about, the first id of a GONE.  Returns 0 or -EBADMSG. */
int fact_peek_id(struct cbor_span in, uint8_t ret_id[ALERT_ID_SIZE]);

#endif
