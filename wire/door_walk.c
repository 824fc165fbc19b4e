#include "wire/door_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/journal_reader.h"
#include "wire/pass_signing.h"
#include "wire/signing.h"

/* What a walk works with beside what it tells. */
struct state {
        struct chain_walk *walk;
        struct pass_crypto crypto;
        struct journal_reader reader;
        uint64_t file;                      /* the number in the name of the file that is read */
        uint8_t held_head[HELLO_HEAD_SIZE]; /* of the entry in `head` */
        bool is_first;
};

static int __attribute__((format(printf, 3, 4))) refuse(struct state *s, int error, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        vsnprintf(s->walk->why, sizeof(s->walk->why), format, args);
        va_end(args);
        return error;
}

void chain_path(const char *folder, uint64_t first, char path[PATH_MAX])
{
        snprintf(path, PATH_MAX, "%s/" CHAIN_NAME, folder, (unsigned long long)first);
}

/* ---- one entry */

static int check_signed(struct state *s, const struct door_log_signed *e, const char *what)
{
        struct chain_walk *w = s->walk;

        if (w->any_door) {
                memcpy(w->door, e->cose.kid.at, DOOR_ID_SIZE);
                w->any_door = false;
        }
        if (memcmp(e->cose.kid.at, w->door, DOOR_ID_SIZE) != 0)
                return refuse(s, -EBADMSG, "%s %" PRIu64 ": of another door", what, e->entry.number);
        if (w->key != NULL && cose_sign1_verify(&e->cose, w->key, CBOR_LITERAL(DOOR_LOG_AAD)) < 0)
                return refuse(s, -EBADMSG, "%s %" PRIu64 ": not signed by this door's key", what, e->entry.number);
        return 0;
}

static int check_order(struct state *s, const struct entry *framed, const struct door_log_signed *e)
{
        struct chain_walk *w = s->walk;

        if (e->entry.number != framed->sequence)
                return refuse(s, -EBADMSG, "file %" PRIx64 ": entry %" PRIu64 " at the place of %" PRIu64, s->file,
                              e->entry.number, framed->sequence);
        if (w->last == 0) {
                w->first = e->entry.number;
                if (e->entry.number != s->file)
                        return refuse(s, -EBADMSG, "file %" PRIx64 ": begins with entry %" PRIu64, s->file,
                                      e->entry.number);
                return 0; /* what was before is gone, if anything was */
        }
        if (e->entry.number != w->last + 1)
                return refuse(s, -EBADMSG, "entry %" PRIu64 " after entry %" PRIu64 ": some are missing",
                              e->entry.number, w->last);
        if (memcmp(e->entry.previous, w->head, HELLO_HEAD_SIZE) != 0)
                return refuse(s, -EBADMSG, "entry %" PRIu64 ": does not follow entry %" PRIu64, e->entry.number,
                              w->last);
        return 0;
}

static int on_entry(struct state *s, const struct entry *framed)
{
        struct chain_walk *w = s->walk;
        struct cbor_span octets = { framed->payload, framed->payload_len };
        struct door_log_signed e;
        const char *why = "malformed";
        int r;

        if (door_log_read(octets, &e, &why) < 0)
                return refuse(s, -EBADMSG, "file %" PRIx64 ", entry %" PRIu64 ": %s", s->file, framed->sequence, why);
        if ((r = check_order(s, framed, &e)) < 0 || (r = check_signed(s, &e, "entry")) < 0)
                return r;
        if (w->last == 0 && e.entry.number == 1) {
                static const uint8_t none[HELLO_HEAD_SIZE];

                if (memcmp(e.entry.previous, none, sizeof(none)) != 0)
                        return refuse(s, -EBADMSG, "entry 1 follows something");
        }
        w->last = e.entry.number;
        door_log_head(&s->crypto.sha, octets, w->head);
        if (w->last == w->held && memcmp(w->head, s->held_head, HELLO_HEAD_SIZE) != 0)
                return refuse(s, -EBADMSG, "entry %" PRIu64 " is not the one that `head` holds", w->last);
        if (w->each != NULL)
                w->each(w->user, &(struct chain_entry){ octets, &e });
        return 0;
}

/* ---- one file */

static int read_entries(struct state *s, bool is_newest)
{
        struct chain_walk *w = s->walk;
        struct entry entry;
        int r;

        while ((r = journal_reader_next(&s->reader, UINT64_MAX, &entry)) == 1)
                if ((r = on_entry(s, &entry)) < 0)
                        return r;
        if (r < 0)
                return refuse(s, r, "file %" PRIx64 ": %s", s->file, strerror(-r));
        w->end = (off_t)s->reader.offset;
        w->entries = s->reader.chain;
        r = journal_tail(s->reader.fd, s->reader.offset, &w->torn_octets);
        if (r < 0)
                return refuse(s, r, "file %" PRIx64 ": %s", s->file, strerror(-r));
        if (w->torn_octets > 0 && !is_newest)
                return refuse(s, -EBADMSG, "file %" PRIx64 ": altered or cut after entry %" PRIu64, s->file, w->last);
        return 0;
}

static int read_file(struct state *s, bool is_newest)
{
        struct chain_walk *w = s->walk;
        char path[PATH_MAX];
        int r;

        chain_path(w->folder, s->file, path);
        s->reader.fd = open(path, O_RDONLY | O_CLOEXEC);
        if (s->reader.fd < 0)
                return refuse(s, -errno, "file %" PRIx64 ": %s", s->file, strerror(errno));
        r = journal_reader_open(&s->reader, s->reader.fd, CHAIN_OWNER);
        w->last_has_header = r == 0;
        if (r == 0 && s->reader.chain.sequence + 1 != s->file)
                r = refuse(s, -EBADMSG, "file %" PRIx64 ": its header is another file's", s->file);
        else if (r == 0)
                r = read_entries(s, is_newest);
        else if (is_newest && r == -EBADMSG)
                r = 0; /* the power went while it was made: nothing was in it, or `head` says that something was */
        else
                r = refuse(s, r, "file %" PRIx64 ": not a door's log: %s", s->file, strerror(-r));
        close(s->reader.fd);
        return r;
}

/* ---- all of them */

static int is_log(const struct dirent *entry)
{
        return strlen(entry->d_name) == 20 && strncmp(entry->d_name, "log.", 4) == 0 &&
               strspn(entry->d_name + 4, "0123456789abcdef") == 16;
}

static int read_files(struct state *s)
{
        struct dirent **names = NULL;
        int count = scandir(s->walk->folder, &names, is_log, alphasort), r = 0;

        if (count < 0)
                return refuse(s, -errno, "%s: %s", s->walk->folder, strerror(errno));
        if (count > CHAIN_FILES_MAX)
                r = refuse(s, -E2BIG, "%s: more than %d files", s->walk->folder, CHAIN_FILES_MAX);
        for (int i = 0; i < count && r == 0; i++) {
                s->file = strtoull(names[i]->d_name + 4, NULL, 16);
                s->walk->names[s->walk->files++] = s->file;
                r = read_file(s, i == count - 1);
        }
        for (int i = 0; i < count; i++)
                free(names[i]);
        free(names);
        return r;
}

/* read_held: the entry in the file `head`: written after each entry of the log, so that a log cut at its end is
 * seen. */
static int read_held(struct state *s)
{
        struct chain_walk *w = s->walk;
        struct door_log_signed held;
        struct cbor_span octets;
        char path[PATH_MAX], *data = NULL;
        size_t len = 0;
        int r;

        snprintf(path, sizeof(path), "%s/head", w->folder);
        r = file_read(path, DOOR_LOG_MAX, &data, &len);
        if (r == -ENOENT)
                return 0;
        octets = (struct cbor_span){ (const uint8_t *)data, len };
        if (r < 0)
                r = refuse(s, r, "head: %s", strerror(-r));
        else if (door_log_read(octets, &held, NULL) < 0)
                r = refuse(s, -EBADMSG, "head: not an entry");
        else if ((r = check_signed(s, &held, "head:")) == 0) {
                w->held = held.entry.number;
                door_log_head(&s->crypto.sha, octets, s->held_head);
        }
        free(data);
        return r;
}

bool chain_is_begun(const char *folder)
{
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/" CHAIN_LOCK, folder);
        return access(path, F_OK) == 0;
}

int chain_walk(struct chain_walk *walk)
{
        struct state *s = calloc(1, sizeof(*s));
        int r;

        if (s == NULL)
                return -ENOMEM;
        s->walk = walk;
        pass_crypto_init(&s->crypto);
        if ((r = read_held(s)) < 0 || (r = read_files(s)) < 0)
                goto out;
        if (walk->last < walk->held)
                r = refuse(s, -EBADMSG, "cut at its end: entry %" PRIu64 " was written, the log ends at %" PRIu64,
                           walk->held, walk->last);
        else if (walk->last > walk->held + 1)
                r = refuse(s, -EBADMSG, "ends at entry %" PRIu64 ", and `head` holds %" PRIu64 ": not its own",
                           walk->last, walk->held);
        else if (walk->held > 0 && walk->first > walk->held)
                r = refuse(s, -EBADMSG, "begins at entry %" PRIu64 ", and `head` holds %" PRIu64, walk->first,
                           walk->held);
out:
        free(s);
        return r;
}
