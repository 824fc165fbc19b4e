#include "ops/vigie/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/archive_files.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "wire/inspect.h"

/* A checkpoint that somebody keeps, in any form: hex with blanks is the longest. */
#define KEPT_MAX (8 * ARCHIVE_CHECKPOINT_MAX)

/* A batch takes a moment, an erasure of years a minute or so; after it the archive is read as it is, and that is told. */
#define LOCK_TRIES   600
#define LOCK_WAIT_US 100000
/* Read anew so often where something is wrong and the archive was written to meanwhile. */
#define READ_TRIES   3

struct verification {
        const struct audit_options *options;
        FILE *out; /* kept until it is known that it stands */
        struct key *key;
        struct archive_audit *audit;
        struct archive_list list;
        const struct archive_file *file; /* being read */
        struct archive_checkpoint head, kept;
        bool has_head, has_kept, head_met, kept_met; /* the entry it names is here, with its link */
        uint64_t found, hidden, alerts;
        int64_t last_at_ms;
        int first_error;
};

static void put_time(FILE *out, int64_t at_ms)
{
        time_t at = (time_t)(at_ms / 1000);
        struct tm utc;
        char text[32];

        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
        fputs(text, out);
}

/* Something is wrong that is no entry's. */
static void wrong(struct verification *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct verification *v, const char *format, ...)
{
        va_list ap;

        v->found++;
        fputs("NOT GOOD: ", v->out);
        va_start(ap, format);
        vfprintf(v->out, format, ap);
        va_end(ap);
        fputc('\n', v->out);
}

static void found(void *user, const struct archive_finding *finding)
{
        struct verification *v = user;
        struct alert_id alert;
        char text[ALERT_ID_TEXT];

        if (finding->weight != ARCHIVE_TOLD && ++v->found > AUDIT_FINDINGS_MAX) {
                v->hidden++;
                return;
        }
        fprintf(v->out, "%s: %s: entry %" PRIu64, finding->weight == ARCHIVE_TOLD ? "note" : "NOT GOOD",
                v->file != NULL ? v->file->name : "archive", finding->number);
        if (finding->alert != NULL) {
                memcpy(alert.octets, finding->alert, sizeof(alert.octets));
                alert_id_to_text(&alert, text);
                fprintf(v->out, ", alert %s", text);
        }
        fputs(": ", v->out);
        say_safe(v->out, finding->text);
        fputc('\n', v->out);
}

/* ---- the walks */

static int on_erasure(void *user, const struct archive_entry *entry)
{
        const struct verification *v = user;

        return archive_audit_erasure(v->audit, entry);
}

static int on_header(void *user, const struct archive_file *file, const struct archive_header *header,
                     const uint8_t link[ARCHIVE_LINK_SIZE])
{
        struct verification *v = user;
        char name[32];

        v->file = file;
        archive_name(header, name);
        if (strcmp(name, file->name) != 0)
                wrong(v, "%s: by its header it is %s", file->name, name);
        if (v->has_head && memcmp(header->id, v->head.id, ARCHIVE_ID_SIZE) != 0)
                wrong(v, "%s: it is of another archive than %s", file->name, ARCHIVE_HEAD);
        return archive_audit_header(v->audit, header, link);
}

static void meet(const struct archive_entry *entry, const struct archive_checkpoint *checkpoint, bool *ret_met)
{
        if (entry->meta.number == checkpoint->number)
                *ret_met = memcmp(entry->link, checkpoint->link, ARCHIVE_LINK_SIZE) == 0;
}

static int on_entry(void *user, const struct archive_entry *entry)
{
        struct verification *v = user;

        meet(entry, &v->head, &v->head_met);
        meet(entry, &v->kept, &v->kept_met);
        v->last_at_ms = entry->meta.at_ms;
        return archive_audit_entry(v->audit, entry);
}

static int on_torn(void *user, const struct archive_file *file, size_t at, size_t size)
{
        struct verification *v = user;

        wrong(v, "%s: behind entry %" PRIu64 ", octet %zu of %zu: cannot be read: altered, or cut off", file->name,
              archive_audit_number(v->audit), at, size);
        return 0;
}

/* ---- files */

/* What is a file of the archive is one, and no larger than one may be: nothing that is found elsewhere, changes while
 * it is read, or never ends.  The others are left out, and so missed. */
static bool is_file(struct verification *v, const char *name, off_t max, off_t *ret_size)
{
        char path[REGION_PATH_MAX];
        uint64_t found_before = v->found;
        struct stat st;
        int r = archive_path(v->options->dir, name, path);

        if (r == 0 && lstat(path, &st) < 0)
                return true; /* whoever reads it says why not */
        if (r < 0 || !S_ISREG(st.st_mode))
                wrong(v, "%s: %s", name,
                      r < 0                 ? strerror(-r)
                      : S_ISLNK(st.st_mode) ? "a symbolic link in the place of a file"
                                            : "not a file");
        else if (st.st_size > max)
                wrong(v, "%s: %lld octets: larger than any that vigie archive writes", name, (long long)st.st_size);
        else if (ret_size != NULL)
                *ret_size = st.st_size;
        return v->found == found_before;
}

static void only_files(struct verification *v)
{
        size_t count = 0;

        for (size_t i = 0; i < v->list.count; i++)
                if (is_file(v, v->list.files[i].name, ARCHIVE_FILE_MAX, &v->list.files[i].until))
                        v->list.files[count++] = v->list.files[i];
        v->list.count = count;
}

/* Nobody writes until it is closed: between two batches, files and head belong together.  Returns -1 where there is no
 * lock (a copy), or whoever has it does not let go. */
static int lock_writers(struct verification *v)
{
        char path[REGION_PATH_MAX];
        int fd = archive_path(v->options->dir, "write.lock", path) == 0
                         ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                         : -1;

        for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
                if (flock(fd, LOCK_SH | LOCK_NB) == 0)
                        return fd;
                usleep(LOCK_WAIT_US);
        }
        if (fd < 0)
                return -1;
        fprintf(v->out, "note: somebody has been writing to it for a minute: what is half done is told as it is\n");
        close(fd);
        return -1;
}

/* ---- keys and checkpoints */

/* The copy in the folder is to be our own text of the key to the octet, so that nothing in it is left unseen. */
static void check_copy(struct verification *v, const char *data, size_t len)
{
        char pem[KEY_PEM_MAX];

        if (v->key == NULL || key_to_pem(v->key, false, pem, sizeof(pem)) < 0 || strlen(pem) != len ||
            memcmp(pem, data, len) != 0)
                wrong(v, "%s: not the archive's key as it was written: altered, or another's", ARCHIVE_PUBLIC);
}

static int read_key(struct verification *v)
{
        char path[REGION_PATH_MAX], *data = NULL;
        size_t len = 0;
        int r = archive_path(v->options->dir, ARCHIVE_PUBLIC, path);

        if (r < 0)
                return r;
        r = is_file(v, ARCHIVE_PUBLIC, KEY_PEM_MAX, NULL) ? file_read(path, KEY_PEM_MAX, &data, &len) : 0;
        if ((v->key = v->options->key_read) == NULL && v->options->key != NULL) {
                int given = key_from_file(v->options->key, &v->key);

                if (given < 0) {
                        say_wrong("%s: %s", v->options->key, key_trouble(given));
                        free(data);
                        return given;
                }
        } else if (v->key == NULL && data != NULL) {
                (void)key_from_pem((struct cbor_span){ (const uint8_t *)data, len }, &v->key);
        }
        if (data != NULL)
                check_copy(v, data, len);
        else if (r < 0 && v->key == NULL)
                say_wrong("%s: %s: name the key with --key", path, strerror(-r));
        free(data);
        return r == 0 || v->key != NULL ? 0 : r;
}

static const char *why_not(int r)
{
        return r == -EKEYREJECTED ? "another key signed it, or it was altered"
               : r == -EBADMSG    ? "no checkpoint: altered"
                                  : strerror(-r);
}

static int read_head(struct verification *v)
{
        int r;

        if (!is_file(v, ARCHIVE_HEAD, ARCHIVE_CHECKPOINT_MAX, NULL))
                return 0;
        r = v->key != NULL ? archive_read_head(v->options->dir, v->key, &v->head) : -EKEYREJECTED;
        v->has_head = r == 0;
        if (r == -EIO || r == -EACCES || r == -ENOMEM) {
                say_wrong("%s/%s: %s", v->options->dir, ARCHIVE_HEAD, strerror(-r));
                return r;
        }
        if (r == -ENOENT)
                wrong(v, "%s is missing: nothing says where the archive ends", ARCHIVE_HEAD);
        else if (r < 0)
                wrong(v, "%s: %s", ARCHIVE_HEAD, why_not(r));
        return 0;
}

/* The checkpoint kept elsewhere: in any form that it may have come back in. */
static int read_kept(struct verification *v)
{
        uint8_t octets[KEPT_MAX];
        char *data = NULL;
        size_t len, octets_len;
        int r;

        if (v->options->checkpoint == NULL)
                return 0;
        if ((r = file_read(v->options->checkpoint, KEPT_MAX, &data, &len)) < 0) {
                say_wrong("%s: %s", v->options->checkpoint, strerror(-r));
                return r;
        }
        inspect_decode((struct cbor_span){ (const uint8_t *)data, len }, octets, &octets_len);
        r = v->key != NULL ? archive_checkpoint_open((struct cbor_span){ octets, octets_len }, v->key, &v->kept)
                           : -EKEYREJECTED;
        v->has_kept = r == 0;
        if (r < 0)
                wrong(v, "%s: %s", v->options->checkpoint, why_not(r));
        free(data);
        return 0;
}

/* ---- what it comes to */

/* Whether what is here goes as far as CHECKPOINT, and came there as it did. */
static void judge(struct verification *v, const struct archive_checkpoint *checkpoint, bool met, const char *name)
{
        const uint8_t *id = v->list.count > 0 ? archive_audit_id(v->audit) : v->has_head ? v->head.id : checkpoint->id;
        uint64_t number = archive_audit_number(v->audit);

        if (memcmp(checkpoint->id, id, ARCHIVE_ID_SIZE) != 0)
                wrong(v, "%s: it is of another archive", name);
        else if (checkpoint->number > number)
                wrong(v,
                      "cut off at the end: %s says %" PRIu64 " entries in %" PRIu32 " files, %" PRIu64
                      " are here, the last in %s",
                      name, checkpoint->number, checkpoint->file, number, v->file != NULL ? v->file->name : "no file");
        else if (checkpoint->number > 0 && !met)
                wrong(v, "entry %" PRIu64 " is not the one that %s signs", checkpoint->number, name);
}

static void judge_all(struct verification *v)
{
        uint64_t number = archive_audit_number(v->audit);

        if (v->has_head) {
                judge(v, &v->head, v->head_met, ARCHIVE_HEAD);
                if (v->head.number < number)
                        wrong(v,
                              "%" PRIu64
                              " entries behind the newest checkpoint: put in, or the head is an older one, or "
                              "a crash left them (then the next start of vigie archive signs them)",
                              number - v->head.number);
        }
        if (v->has_kept)
                judge(v, &v->kept, v->kept_met, v->options->checkpoint);
        if (v->hidden > 0)
                fprintf(v->out, "and %" PRIu64 " more\n", v->hidden);
}

static void report(const struct verification *v)
{
        FILE *out = v->out;

        for (size_t at = 0; v->list.odd[0] != 0 && at == 0; at++) {
                fputs("note: not of the archive: ", out);
                say_safe(out, v->list.odd);
                fputc('\n', out);
        }
        if (v->options->key == NULL && v->options->key_read == NULL)
                fprintf(out, "note: verified with the key in the folder itself; name one kept elsewhere with --key\n");
        if (v->found > 0)
                return;
        fprintf(out, "good: %zu files, %" PRIu64 " entries, region %s, the last of ", v->list.count,
                archive_audit_number(v->audit), v->head.region);
        put_time(out, v->last_at_ms);
        fprintf(out, "\nsigned up to entry %" PRIu64 " at ", v->head.number);
        put_time(out, v->head.at_ms);
        fputs(v->has_kept && v->kept.number == v->head.number ? ", as the checkpoint kept elsewhere says\n"
                                                              : "; nothing newer is known here\n",
              out);
        if (v->has_kept && v->kept.number < v->head.number) {
                fprintf(out, "the checkpoint kept elsewhere, entry %" PRIu64 " at ", v->kept.number);
                put_time(out, v->kept.at_ms);
                fputs(", is in it\n", out);
        }
}

/* Which files there are, how long they are, and what the head signs: all of one moment. */
static int look_around(struct verification *v)
{
        int lock = lock_writers(v), r = archive_list(v->options->dir, &v->list);

        if (r < 0) {
                say_wrong("%s: %s", v->options->dir, strerror(-r));
        } else {
                only_files(v);
                if ((r = read_key(v)) == 0)
                        r = read_head(v);
        }
        if (lock >= 0)
                close(lock);
        return r;
}

static int look(struct verification *v)
{
        const struct archive_visitor first = { .entry = on_erasure, .user = v };
        const struct archive_visitor second = { .header = on_header, .entry = on_entry, .torn = on_torn, .user = v };
        const char *dir = v->options->dir;
        int r = look_around(v);

        if (r < 0 || (r = read_kept(v)) < 0)
                return r;
        if ((r = archive_walk_all(dir, &v->list, &first)) < 0 || (r = archive_walk_all(dir, &v->list, &second)) < 0)
                say_wrong("%s: not verified: %s", dir, strerror(-r));
        return r;
}

/* Whether the archive has another head than the one that it was judged by. */
static bool is_written_to(const struct verification *v)
{
        struct archive_checkpoint now;

        return v->has_head && archive_read_head(v->options->dir, v->key, &now) == 0 && now.number != v->head.number;
}

/* Once.  *RET_AGAIN: what was found may be of who wrote meanwhile. */
static int run(const struct audit_options *options, FILE *out, bool *ret_again)
{
        struct verification v = { .options = options, .out = out };
        int r;

        v.audit = archive_audit_new(found, &v);
        r = v.audit != NULL ? look(&v) : -ENOMEM;
        if (r == 0) {
                judge_all(&v);
                report(&v);
        }
        *ret_again = r == 0 && v.found > 0 && is_written_to(&v);
        free(v.list.files);
        if (v.key != options->key_read)
                key_free(v.key);
        archive_audit_free(v.audit);
        return r < 0 ? AUDIT_NOT_LOOKED : v.found > 0 ? AUDIT_NOT_GOOD : AUDIT_GOOD;
}

int audit_run(const struct audit_options *options)
{
        int status = AUDIT_NOT_LOOKED;
        bool again = true;

        for (int i = 0; again && i < READ_TRIES; i++) {
                char *text = NULL;
                size_t len = 0;
                FILE *out = open_memstream(&text, &len);

                if (out == NULL)
                        return AUDIT_NOT_LOOKED;
                status = run(options, out, &again);
                if (fclose(out) != 0)
                        status = AUDIT_NOT_LOOKED;
                else if (!again || i + 1 == READ_TRIES)
                        fwrite(text, 1, len, options->out);
                free(text);
        }
        return status;
}

int audit_main(int argc, char **argv)
{
        struct audit_options options = { .out = stdout };
        const struct choice list[] = {
                { "key", &options.key, NULL, "the archive's public key, kept elsewhere (archive.pem of the region)" },
                { "checkpoint", &options.checkpoint, NULL,
                  "a checkpoint kept elsewhere: nothing before it may be missing" },
        };
        const struct choices choices = { "verify-audit FOLDER [--key FILE.pem] [--checkpoint FILE]", list, 2, 1 };

        if (choices_read(&choices, argc, argv, &options.dir) < 0)
                return argc > 1 && strcmp(argv[1], "--help") == 0 ? EXIT_DONE : AUDIT_NOT_LOOKED;
        return say_end(audit_run(&options), AUDIT_NOT_LOOKED);
}
