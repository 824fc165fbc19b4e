/* A small archive made without a feed, for tests: three days, alerts with people and places, a notice, a break. */
#ifndef TESTS_OPS_ARCHIVE_MADE_H
#define TESTS_OPS_ARCHIVE_MADE_H

#include "tests/geo/cmocka_first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ops/vigie/archive_folder.h"
#include "ops/vigie/audit.h"
#include "tests/base/folder.h"
#include "wire/record.h"

#define MADE_BEGIN_MS INT64_C(1795000000000)
#define MADE_DAY_MS   INT64_C(86400000)

struct made {
        char parent[FOLDER_PATH], dir[FOLDER_PATH + 16], key_path[FOLDER_PATH + 16];
        struct key *key;
        int64_t now_ms;
        unsigned feed;      /* number of feed entries */
        bool feed_has_all;  /* what `seen` says */
        char out[1 << 16];  /* of the last audit */
        struct record last; /* of alert 1 */
        uint8_t hash[ARCHIVE_LINK_SIZE];
};

static inline int64_t made_now(void *user)
{
        return ((struct made *)user)->now_ms;
}

static inline bool made_seen(void *user, const struct archive_meta *meta)
{
        return ((struct made *)user)->feed_has_all;
}

static inline int made_open(struct made *m, struct archive_folder **ret_folder)
{
        const struct archive_folder_options options = {
                .dir = m->dir, .region = "lyon", .key = m->key, .now_ms = made_now, .seen = made_seen, .user = m
        };

        return archive_folder_open(&options, ret_folder);
}

static inline void made_person(struct record *r)
{
        r->asked_count = 1;
        strcpy(r->asked[0].id, "s001");
        strcpy(r->asked[0].name, "Paul Martin");
        r->asked[0].asked_at_ms = MADE_BEGIN_MS + 5;
        strcpy(r->owner_id, "s001");
        strcpy(r->owner_name, "Paul Martin");
        r->taken_at_ms = MADE_BEGIN_MS + 10;
}

/* VERSION of alert NUMBER; the record before it is the one whose hash is in M, if VERSION is not 1. */
static inline void made_record(struct made *m, uint8_t number, uint32_t version, struct record *r)
{
        memset(r, 0, sizeof(*r));
        memset(r->id, number, sizeof(r->id));
        memset(r->handset, number, sizeof(r->handset));
        memset(r->salt, (int)version, sizeof(r->salt));
        r->version = version;
        r->state = version > 2 ? ALERT_CLOSED : ALERT_TAKEN;
        r->kind = 1;
        r->presses = 1;
        r->revision = 1;
        r->battery = 50;
        r->has_position = true;
        r->at = (struct track_point){ 1794999980, 457654321, 48765432, 12 };
        r->track_count = 1;
        r->track[0] = (struct track_point){ 1794999970, 457654322, 48765433, 12 };
        strcpy(r->carrier_name, "Camille Roux");
        if (version > 1) {
                made_person(r);
                memcpy(r->before, m->hash, sizeof(r->before));
        }
        if (version > 2) {
                r->close_reason = CLOSE_HELPED;
                strcpy(r->closed_by_name, "Paul Martin");
                strcpy(r->note, "Chute dans l'escalier");
        } else {
                r->due_ms = 1;
        }
}

static inline int made_append_alert(struct made *m, struct archive_folder *f, const struct record *r)
{
        struct archive_meta meta = {
                .kind = ARCHIVE_ALERT, .at_ms = m->now_ms, .version = r->version, .state = (uint8_t)r->state
        };
        uint8_t octets[RECORD_MAX], to[RECORD_MAX + 256];
        struct cbor_span parts[ARCHIVE_PARTS], record = { octets, 0 };
        struct cbor_writer w;
        int len = record_encode(r, octets, sizeof(octets));

        assert_true(len > 0);
        record.len = (size_t)len;
        memcpy(meta.alert, r->id, sizeof(meta.alert));
        memcpy(meta.before, r->before, sizeof(meta.before));
        snprintf(meta.feed, sizeof(meta.feed), "%u-0", ++m->feed);
        strcpy(meta.event, "raise");
        assert_int_equal(archive_hash(&record, 1, meta.hash), 0);
        memcpy(m->hash, meta.hash, sizeof(m->hash));
        cbor_writer_init(&w, to, sizeof(to));
        assert_int_equal(archive_record_split(record, &w, parts), 0);
        return archive_folder_append(f, &meta, parts);
}

static inline void made_alert(struct made *m, struct archive_folder *f, uint8_t number, uint32_t version)
{
        struct record r;

        made_record(m, number, version, &r);
        assert_int_equal(made_append_alert(m, f, &r), 0);
}

static inline void made_notice(struct made *m, struct archive_folder *f)
{
        struct archive_meta meta = { .kind = ARCHIVE_NOTICE, .at_ms = m->now_ms };
        uint8_t content[ARCHIVE_SALT_SIZE + 8] = { [ARCHIVE_SALT_SIZE] = 0x47, 'n', 'o', 't', 'i', 'c', 'e', '1' };
        struct cbor_span parts[ARCHIVE_PARTS] = { [ARCHIVE_ABOUT] = CBOR_OCTETS(content) };

        snprintf(meta.feed, sizeof(meta.feed), "%u-0", ++m->feed);
        assert_int_equal(archive_folder_append(f, &meta, parts), 0);
}

/* Days 1, 2, 3: alert 1 from raise to closure over the first two; alert 2 after a break; a notice. */
static inline void made_days(struct made *m)
{
        struct archive_folder *f;
        struct archive_meta lost = { .kind = ARCHIVE_BREAK };

        assert_int_equal(made_open(m, &f), 0);
        made_alert(m, f, 1, 1);
        made_alert(m, f, 1, 2);
        assert_int_equal(archive_folder_commit(f), 0);
        m->now_ms += MADE_DAY_MS;
        made_alert(m, f, 1, 3);
        assert_int_equal(archive_folder_commit(f), 0);
        m->now_ms += MADE_DAY_MS;
        memset(lost.alert, 2, sizeof(lost.alert));
        strcpy(lost.text, "run a to run b");
        assert_int_equal(archive_folder_append(f, &lost, NULL), 0);
        made_alert(m, f, 2, 7);
        made_notice(m, f);
        assert_int_equal(archive_folder_commit(f), 0);
        archive_folder_close(f);
}

static inline int made_audit_with(struct made *m, struct audit_options options)
{
        int status;

        memset(m->out, 0, sizeof(m->out));
        options.out = fmemopen(m->out, sizeof(m->out) - 1, "w");
        assert_non_null(options.out);
        status = audit_run(&options);
        fclose(options.out);
        return status;
}

static inline int made_audit(struct made *m, const char *key, const char *checkpoint)
{
        return made_audit_with(m, (struct audit_options){ .dir = m->dir, .key = key, .checkpoint = checkpoint });
}

/* The same with the key as it is: reading one takes longer than all the rest. */
static inline int made_audit_fast(struct made *m)
{
        return made_audit_with(m, (struct audit_options){ .dir = m->dir, .key_read = m->key });
}

static inline char *made_path(const struct made *m, const char *name, char to[512])
{
        snprintf(to, 512, "%s/%s", m->dir, name);
        return to;
}

/* A file of the archive, whole; free() it. */
static inline uint8_t *made_get(const struct made *m, const char *name, size_t *ret_len)
{
        char path[512], *data;

        assert_int_equal(file_read(made_path(m, name, path), 1 << 24, &data, ret_len), 0);
        return (uint8_t *)data;
}

static inline void made_put(const struct made *m, const char *name, const void *data, size_t len)
{
        char path[512];
        /* Thousands of them: no fsync, and no O_TRUNC, after which ext4 writes to the disk at each close. */
        int fd = open(made_path(m, name, path), O_WRONLY | O_CREAT, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, len), len);
        assert_int_equal(ftruncate(fd, (off_t)len), 0);
        assert_int_equal(close(fd), 0);
}

static inline int made_setup(void **state)
{
        struct made *m = calloc(1, sizeof(*m));
        char pem[KEY_PEM_MAX];

        assert_non_null(m);
        folder_fresh(m->parent);
        snprintf(m->dir, sizeof(m->dir), "%s/archive", m->parent);
        snprintf(m->key_path, sizeof(m->key_path), "%s/key.pem", m->parent);
        assert_int_equal(key_generate(KEY_EDDSA, &m->key), 0);
        assert_int_equal(key_to_pem(m->key, false, pem, sizeof(pem)), 0);
        assert_int_equal(file_write(m->key_path, pem, strlen(pem), 0644), 0);
        m->now_ms = MADE_BEGIN_MS;
        m->feed_has_all = true;
        *state = m;
        return 0;
}

static inline int made_days_setup(void **state)
{
        made_setup(state);
        made_days(*state);
        return 0;
}

static inline int made_teardown(void **state)
{
        struct made *m = *state;
        char command[256];

        snprintf(command, sizeof(command), "rm -rf '%s'", m->parent);
        key_free(m->key);
        free(m);
        return system(command) == 0 ? 0 : -1;
}

#endif
