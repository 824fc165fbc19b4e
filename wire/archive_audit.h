/* archive_audit: an archive checked from its first header to its last entry.  No I/O: the caller reads the files, and
 * gives every header and entry in their order.  The daemon opens its own archive by it, and knows from it how each
 * alert stood. */
#ifndef WIRE_ARCHIVE_AUDIT_H
#define WIRE_ARCHIVE_AUDIT_H

#include "wire/archive.h"

/* How an alert stands in the archive.  Some 150 octets each: a million, ten years of a region, are 150 MB. */
struct archive_alert {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        uint8_t hash[ARCHIVE_LINK_SIZE]; /* of its newest record; zeros: none */
        uint8_t state;
        bool held, used;
        uint64_t last;                  /* its newest entry with parts */
        int64_t last_at_ms;             /* of its newest version: a hold prolongs no term */
        uint64_t erased[ARCHIVE_PARTS]; /* each part is erased up to this entry */
};

struct archive_audit;

enum archive_weight {
        ARCHIVE_WRONG,      /* altered */
        ARCHIVE_UNFINISHED, /* an erasure was cut short: what it names is still there */
        ARCHIVE_TOLD        /* right, and should be known: breaks, gaps, recoveries */
};

/* What is found, and where: NUMBER of the entry; ALERT is NULL or the one concerned; TEXT says it. */
struct archive_finding {
        uint64_t number;
        const uint8_t *alert;
        const char *text;
        enum archive_weight weight;
};
typedef void archive_finding_fn(void *user, const struct archive_finding *finding);

/* archive_audit_new: an audit that has seen nothing.  The caller frees it; FOUND gets each finding.
 * Returns NULL without memory. */
struct archive_audit *archive_audit_new(archive_finding_fn *found, void *user);

/* archive_audit_free: NULL does nothing. */
void archive_audit_free(struct archive_audit *audit);

/* archive_audit_erasure: the first walk, before any other call: give every entry; those that erase are kept, so that
 * the second walk knows which parts may be missing.  Returns 0, -ENOMEM. */
int archive_audit_erasure(struct archive_audit *audit, const struct archive_entry *entry);

/* archive_audit_header: the second walk: the next file begins.  Returns 0. */
int archive_audit_header(struct archive_audit *audit, const struct archive_header *header,
                         const uint8_t link[ARCHIVE_LINK_SIZE]);

/* archive_audit_entry: ... its next entry.  Returns 0, -ENOMEM. */
int archive_audit_entry(struct archive_audit *audit, const struct archive_entry *entry);

/* archive_audit_number, archive_audit_link, archive_audit_id: where the chain stands: the last entry's number (0:
 * none), its link, the archive's id; all borrowed. */
uint64_t archive_audit_number(const struct archive_audit *audit);
const uint8_t *archive_audit_link(const struct archive_audit *audit);
const uint8_t *archive_audit_id(const struct archive_audit *audit);

/* archive_audit_wrong: findings so far that say that something was altered. */
uint64_t archive_audit_wrong(const struct archive_audit *audit);

/* archive_audit_alert: how the alert ID stands; NULL: not in the archive. */
const struct archive_alert *archive_audit_alert(const struct archive_audit *audit, const uint8_t id[ALERT_ID_SIZE]);

/* archive_audit_next: the alert behind *AT (begin with 0), and move it on; NULL at the end. */
const struct archive_alert *archive_audit_next(const struct archive_audit *audit, size_t *at);

/* archive_audit_erased: up to which entry the PART is erased of those without an alert. */
uint64_t archive_audit_erased(const struct archive_audit *audit, enum archive_part part);

/* archive_audit_due: the parts of ENTRY that are there and are said to be erased, a bit set; for who erases. */
uint8_t archive_audit_due(const struct archive_audit *audit, const struct archive_entry *entry);

/* archive_audit_note_erasure: an erasure just written: what archive_audit_due() goes by from now on. */
int archive_audit_note_erasure(struct archive_audit *audit, const struct archive_meta *meta);

/* archive_follows: say whether an alert's record with this VERSION and BEFORE follows ALERT (NULL: it is the first). */
bool archive_follows(const struct archive_alert *alert, uint32_t version, const uint8_t before[ARCHIVE_LINK_SIZE]);

#endif
