/* Reads a journal's file entry by entry through a window.  For base/journal_file.c and tools that look at a
 * journal. */
#ifndef BASE_JOURNAL_READER_H
#define BASE_JOURNAL_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/entry.h"

/* Octets of entries read (and rewritten) at a time: some 0.2 ms of work between two commits. */
#define JOURNAL_WINDOW (64 * 1024)

/* A piece of a file. */
struct journal_span {
        uint64_t offset;
        size_t len;
};

struct journal_reader {
        int fd;          /* borrowed */
        uint64_t offset; /* of the next entry in the file */
        size_t at, have; /* of the next entry, and what is filled, in the window */
        struct entry_chain chain;
        uint8_t window[JOURNAL_WINDOW];
};

/* journal_reader_open: read the header.  Returns 0, what entry_header_decode gives, or read's errno. */
int journal_reader_open(struct journal_reader *reader, int fd, const char owner[4]);

/* journal_reader_next: read the next entry; its payload lies in the window until the next call.
 *   limit  offset where the entries are known to end, or UINT64_MAX: to the first that is not whole
 * Returns 1 (found), 0 (the end; see journal_tail for what kind), -EBADMSG (not whole before LIMIT), -ENOMEM
 * (libcrypto; the entry may be whole), or read's errno. */
int journal_reader_next(struct journal_reader *reader, uint64_t limit, struct entry *ret_entry);

/* journal_tail: how far after OFFSET the last octet lies that is not 0: nothing after a clean end.
 * Returns 0 or read's errno. */
int journal_tail(int fd, uint64_t offset, uint64_t *ret_octets);

#endif
