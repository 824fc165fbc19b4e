#include "base/journal_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Read until LEN octets or the file's end.  Returns how many, or a negative errno. */
static ssize_t read_at(int fd, uint8_t *data, struct journal_span span)
{
        size_t done = 0;

        while (done < span.len) {
                ssize_t n = pread(fd, data + done, span.len - done, (off_t)(span.offset + done));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        return (ssize_t)done;
}

int journal_reader_open(struct journal_reader *reader, int fd, const char owner[4])
{
        ssize_t n = read_at(fd, reader->window, (struct journal_span){ 0, ENTRY_HEADER_SIZE });

        reader->fd = fd;
        reader->offset = ENTRY_HEADER_SIZE;
        reader->at = reader->have = 0;
        return n < 0 ? (int)n : entry_header_decode(reader->window, (size_t)n, owner, &reader->chain);
}

/* Have at least one whole entry in the window, or all that the file has up to LIMIT. */
static int fill(struct journal_reader *reader, uint64_t limit)
{
        size_t left = reader->have - reader->at, room;
        ssize_t n;

        if (left >= ENTRY_MAX)
                return 0;
        memmove(reader->window, reader->window + reader->at, left);
        reader->at = 0;
        reader->have = left;
        room = sizeof(reader->window) - left;
        if (room > limit - reader->offset - left)
                room = (size_t)(limit - reader->offset - left);
        n = read_at(reader->fd, reader->window + left, (struct journal_span){ reader->offset + left, room });
        if (n < 0)
                return (int)n;
        reader->have += (size_t)n;
        return 0;
}

int journal_reader_next(struct journal_reader *reader, uint64_t limit, struct entry *ret_entry)
{
        enum entry_result result;
        int r;

        if (reader->offset >= limit)
                return 0;
        if ((r = fill(reader, limit)) < 0)
                return r;
        result = entry_next(&reader->chain, reader->window + reader->at, reader->have - reader->at, ret_entry);
        if (result == ENTRY_UNREAD)
                return -ENOMEM; /* not the end: who takes it for one cuts off what is good */
        if (result != ENTRY_FOUND)
                return limit == UINT64_MAX ? 0 : -EBADMSG;
        reader->at += ret_entry->size;
        reader->offset += ret_entry->size;
        return 1;
}

int journal_tail(int fd, uint64_t offset, uint64_t *ret_octets)
{
        uint8_t window[16 * 1024];
        uint64_t at = offset, last = 0;
        ssize_t n;

        while ((n = read_at(fd, window, (struct journal_span){ at, sizeof(window) })) > 0) {
                for (ssize_t i = n; i > 0; i--)
                        if (window[i - 1] != 0) {
                                last = at - offset + (uint64_t)i;
                                break;
                        }
                at += (uint64_t)n;
        }
        *ret_octets = last;
        return n < 0 ? (int)n : 0;
}
