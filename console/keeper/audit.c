#include "console/keeper/audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

/* The file grows by pieces of that size: small enough for the smallest audit of 1 MiB. */
#define AUDIT_CHUNK     (128 * 1024)
/* Old files beside the audit; the auditor takes them away.  With so many there, nothing more is put aside: the audit fills, and the
 * keeper signs no more. */
#define AUDIT_ASIDE_MAX 1000

static int replay(void *user, const struct entry *entry)
{
        struct audit *audit = user;

        return keeper_replay(audit->keeper, (struct cbor_span){ entry->payload, entry->payload_len });
}

/* turn_after: when the next part is put aside: at half, or, where what is still needed takes nearly that, an eighth later. */
static uint64_t turn_after(const struct audit *audit)
{
        uint64_t later = journal_size(audit->journal) + audit->size_max / 8;

        return later > audit->size_max / 2 ? later : audit->size_max / 2;
}

int audit_open(struct audit *audit, const char *path, uint64_t size_max, struct keeper *keeper)
{
        struct journal_options options = { .path = path,
                                           .owner = AUDIT_OWNER,
                                           .size_max = size_max,
                                           .chunk = AUDIT_CHUNK,
                                           .user = audit,
                                           .replay = replay };
        struct journal_report report;
        int r;

        *audit = (struct audit){ .keeper = keeper, .size_max = size_max };
        snprintf(audit->path, sizeof(audit->path), "%s", path);
        r = journal_open(&options, &audit->journal, &report);
        if (r == 0)
                audit->turn_at = turn_after(audit);
        if (r == 0 && report.torn_octets > 0)
                log_warn(NULL, "audit: %llu octets of a write that was cut short are kept in %s.torn",
                         (unsigned long long)report.torn_octets, path);
        return r;
}

int audit_write(void *user, struct cbor_span entry)
{
        struct audit *audit = user;
        uint64_t seq;
        int r = journal_append(audit->journal, entry.at, entry.len, &seq);

        return r < 0 ? r : journal_sync_now(audit->journal);
}

struct turning {
        const struct keeper *keeper;
        uint32_t now_s;
        int result;
};

static bool keep(void *user, const struct entry *entry)
{
        const struct turning *turning = user;

        return keeper_keeps(turning->keeper, (struct cbor_span){ entry->payload, entry->payload_len }, turning->now_s);
}

static void done(void *user, int result)
{
        ((struct turning *)user)->result = result;
}

/* aside: give the file a second name, which stays when the journal is rewritten. */
static int aside(const char *path)
{
        char name[300];

        for (unsigned n = 1; n <= AUDIT_ASIDE_MAX; n++) {
                snprintf(name, sizeof(name), "%s.%u", path, n);
                if (link(path, name) == 0)
                        return file_sync_folder(name, fsync);
                if (errno != EEXIST)
                        return -errno;
        }
        return -EMFILE;
}

void audit_turn(struct audit *audit, uint32_t now_s)
{
        struct turning turning = { audit->keeper, now_s, 0 };
        struct journal_compaction compaction = { keep, done, &turning };
        int r;

        if (journal_size(audit->journal) < audit->turn_at)
                return;
        r = aside(audit->path);
        if (r == 0)
                r = journal_compact(audit->journal, &compaction);
        if (r == 0)
                r = turning.result;
        audit->turn_at = turn_after(audit);
        if (r < 0)
                log_error(NULL, "audit: the old part cannot be put aside: %s", strerror(-r));
}

void audit_close(struct audit *audit)
{
        journal_close(audit->journal);
        audit->journal = NULL;
}
