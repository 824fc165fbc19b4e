#include "dispatcher/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/entry.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "dispatcher/config.h"
#include "geo/name.h"
#include "geo/roster.h"

#define HEADER_SIZE 24
#define HEAD_SIZE   8 /* of an entry */
#define VALUE_MAX   65535
/* Kinds of entries beside those of enum people_kind. */
enum { KIND_DUTY = 16, KIND_PRESENCE = 17, KIND_RECORD = 18 };
/* Places of the table of supervisors: twice as many as a region may have. */
#define PLACES (2 * ROSTER_MAX)

/* How one supervisor stands. */
struct standing {
        char person[PERSON_ID_MAX + 1]; /* "": a free place */
        bool on_duty, present;
        struct duty_entry duty;
        struct presence presence;
};

struct snapshot {
        struct loop *loop;
        char path[CONFIG_PATH_SIZE];
        FILE *people;              /* the file in place, for changes; NULL before the first load */
        FILE *coming;              /* the one being written; NULL where no load runs */
        struct standing *standing; /* PLACES of them, by name_hash */
        size_t standing_count;
        int64_t epoch;
        struct placing *placing; /* the people's file on its way; NULL none */
        struct saving *saving;   /* PATH.state likewise */
        struct log_limit log;
};

/* ---- Writing entries. */

static void put_u32(uint8_t *to, uint32_t value)
{
        for (int i = 0; i < 4; i++)
                to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
        return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void write_header(FILE *to, int64_t epoch, int64_t now_ms)
{
        uint8_t header[HEADER_SIZE] = "VIGIESNP";

        put_u32(header + 8, SNAPSHOT_FORMAT);
        put_u32(header + 12, (uint32_t)epoch);
        put_u32(header + 16, (uint32_t)((uint64_t)now_ms >> 32));
        put_u32(header + 20, (uint32_t)now_ms);
        fwrite(header, 1, sizeof(header), to);
}

static void write_entry(FILE *to, uint8_t kind, const char *field, struct cbor_span value)
{
        size_t field_len = strlen(field);
        uint8_t head[HEAD_SIZE] = { kind, (uint8_t)field_len, (uint8_t)(value.len >> 8), (uint8_t)value.len };
        uint32_t crc;

        if (field_len > UINT8_MAX || value.len > VALUE_MAX)
                return; /* nothing of ours is */
        crc = entry_crc32c(entry_crc32c(0, head, 4), field, field_len);
        if (value.len > 0)
                crc = entry_crc32c(crc, value.at, value.len);
        put_u32(head + 4, crc);
        fwrite(head, 1, sizeof(head), to);
        fwrite(field, 1, field_len, to);
        if (value.len > 0)
                fwrite(value.at, 1, value.len, to);
}

/* ---- People: one file while they are loaded, then changes behind. */

/* A file to be synced and put in place, on a thread of the pool. */
struct placing {
        uv_work_t work;
        struct snapshot *snapshot; /* NULL: closed meanwhile */
        char from[CONFIG_PATH_SIZE + 8], to[CONFIG_PATH_SIZE + 8];
        int fd; /* a duplicate */
        int result;
};

static void place(uv_work_t *work)
{
        struct placing *placing = work->data;

        if (fsync(placing->fd) < 0 || rename(placing->from, placing->to) < 0)
                placing->result = -errno;
        else
                placing->result = file_sync_folder(placing->to, fsync);
        close(placing->fd);
}

static void placed(uv_work_t *work, int status)
{
        struct placing *placing = work->data;

        if (placing->result < 0)
                log_error("snapshot", "%s: %s", placing->to, strerror(-placing->result));
        if (placing->snapshot != NULL)
                placing->snapshot->placing = NULL;
        free(placing);
}

static void name_coming(const struct snapshot *snapshot, char to[CONFIG_PATH_SIZE + 8])
{
        snprintf(to, CONFIG_PATH_SIZE + 8, "%s.new", snapshot->path);
}

static void start_placing(struct snapshot *snapshot, FILE *file)
{
        struct placing *placing = calloc(1, sizeof(*placing));

        if (placing == NULL)
                return;
        name_coming(snapshot, placing->from);
        snprintf(placing->to, sizeof(placing->to), "%s", snapshot->path);
        placing->fd = dup(fileno(file));
        placing->work.data = placing;
        placing->snapshot = snapshot;
        if (placing->fd < 0 || uv_queue_work(loop_uv(snapshot->loop), &placing->work, place, placed) < 0) {
                if (placing->fd >= 0)
                        close(placing->fd);
                free(placing);
                return;
        }
        snapshot->placing = placing;
}

void snapshot_begin(struct snapshot *snapshot, int64_t now_ms)
{
        char path[CONFIG_PATH_SIZE + 8];

        if (snapshot->coming != NULL)
                snapshot_end(snapshot, false);
        if (snapshot->placing != NULL)
                return; /* the name is taken until the last one is in place: these people go behind it, as changes do */
        name_coming(snapshot, path);
        snapshot->coming = fopen(path, "we");
        if (snapshot->coming == NULL) {
                log_error("snapshot", "%s: %s", path, strerror(errno));
                return;
        }
        fchmod(fileno(snapshot->coming), 0600);
        write_header(snapshot->coming, snapshot->epoch, now_ms);
}

void snapshot_end(struct snapshot *snapshot, bool complete)
{
        FILE *file = snapshot->coming;
        char path[CONFIG_PATH_SIZE + 8];

        snapshot->coming = NULL;
        if (file == NULL)
                return;
        if (complete && fflush(file) == 0 && !ferror(file)) {
                if (snapshot->people != NULL)
                        fclose(snapshot->people);
                snapshot->people = file;
                start_placing(snapshot, file);
                return;
        }
        if (complete)
                log_error("snapshot", "%s: not written", snapshot->path);
        fclose(file);
        name_coming(snapshot, path);
        unlink(path);
}

/* append: one entry behind the others.  One that finds no room is taken back whole: what comes behind a torn one is not read. */
static void append(struct snapshot *snapshot, uint8_t kind, const char *field, struct cbor_span value)
{
        FILE *to = snapshot->people;
        off_t end = ftello(to);
        uint32_t hidden;

        write_entry(to, kind, field, value);
        if (fflush(to) == 0 && !ferror(to))
                return;
        if (log_limit_pass(&snapshot->log, clock_mono_ms(), &hidden))
                log_error("snapshot", "%s: a change is not written: %s (%u more)", snapshot->path, strerror(errno), hidden);
        __fpurge(to);
        clearerr(to);
        if (ftruncate(fileno(to), end) == 0 && fseeko(to, end, SEEK_SET) == 0)
                return;
        fclose(to); /* no more changes before the next load */
        snapshot->people = NULL;
}

void snapshot_person(struct snapshot *snapshot, enum people_kind kind, const char *field, struct cbor_span value)
{
        if (snapshot->coming != NULL)
                write_entry(snapshot->coming, (uint8_t)kind, field, value);
        else if (snapshot->people != NULL)
                append(snapshot, (uint8_t)kind, field, value);
}

/* ---- Standing: who is on duty, and last seen where. */

/* stand: PERSON's place, a new one if need be; NULL where all are taken. */
static struct standing *stand(struct snapshot *snapshot, const char *person)
{
        size_t at = name_hash(person) % PLACES;

        while (snapshot->standing[at].person[0] != '\0' && strcmp(snapshot->standing[at].person, person) != 0)
                at = (at + 1) % PLACES;
        if (snapshot->standing[at].person[0] == '\0') {
                if (snapshot->standing_count == ROSTER_MAX)
                        return NULL;
                snapshot->standing_count++;
                snprintf(snapshot->standing[at].person, sizeof(snapshot->standing[at].person), "%s", person);
        }
        return &snapshot->standing[at];
}

void snapshot_duty(struct snapshot *snapshot, const char *person, const struct duty_entry *duty)
{
        struct standing *standing = stand(snapshot, person);

        if (standing == NULL)
                return;
        standing->on_duty = duty != NULL;
        if (duty != NULL)
                standing->duty = *duty;
}

void snapshot_presence(struct snapshot *snapshot, const char *person, const struct presence *presence)
{
        struct standing *standing = stand(snapshot, person);

        if (standing == NULL)
                return;
        standing->present = true;
        standing->presence = *presence;
}

/* ---- PATH.state. */

struct saving {
        uv_work_t work;
        struct snapshot *snapshot; /* NULL: closed meanwhile */
        char path[CONFIG_PATH_SIZE + 8];
        char *data;
        size_t len;
        int result;
};

static void save(uv_work_t *work)
{
        struct saving *saving = work->data;

        saving->result = file_write(saving->path, saving->data, saving->len, 0600);
}

static void saved(uv_work_t *work, int status)
{
        struct saving *saving = work->data;

        if (saving->result < 0)
                log_error("snapshot", "%s: %s", saving->path, strerror(-saving->result));
        if (saving->snapshot != NULL)
                saving->snapshot->saving = NULL;
        free(saving->data);
        free(saving);
}

static void write_record(void *user, struct cbor_span record)
{
        FILE *to = user;

        if (ftell(to) + (long)record.len + HEAD_SIZE <= SNAPSHOT_STATE_MAX)
                write_entry(to, KIND_RECORD, "", record);
}

static void write_standing(FILE *to, const struct standing *standing)
{
        uint8_t value[DUTY_ENTRY_MAX > PRESENCE_MAX ? DUTY_ENTRY_MAX : PRESENCE_MAX];
        int len;

        if (standing->on_duty && (len = duty_entry_encode(&standing->duty, value, sizeof(value))) > 0)
                write_entry(to, KIND_DUTY, standing->person, (struct cbor_span){ value, (size_t)len });
        if (standing->present && (len = presence_encode(&standing->presence, value, sizeof(value))) > 0)
                write_entry(to, KIND_PRESENCE, standing->person, (struct cbor_span){ value, (size_t)len });
}

void snapshot_state(struct snapshot *snapshot, const struct core *core, int64_t now_ms)
{
        struct saving *saving = snapshot->saving == NULL ? calloc(1, sizeof(*saving)) : NULL;
        FILE *to = saving != NULL ? open_memstream(&saving->data, &saving->len) : NULL;

        if (to == NULL) {
                free(saving);
                return;
        }
        write_header(to, snapshot->epoch, now_ms);
        for (size_t i = 0; i < PLACES; i++)
                if (snapshot->standing[i].person[0] != '\0')
                        write_standing(to, &snapshot->standing[i]);
        core_each_record(core, write_record, to);
        fclose(to);
        snprintf(saving->path, sizeof(saving->path), "%s.state", snapshot->path);
        saving->work.data = saving;
        saving->snapshot = snapshot;
        snapshot->saving = saving;
        if (uv_queue_work(loop_uv(snapshot->loop), &saving->work, save, saved) < 0)
                saved(&saving->work, 0);
}

int snapshot_open(struct loop *loop, const char *path, struct snapshot **ret_snapshot)
{
        struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

        if (snapshot == NULL)
                return -ENOMEM;
        snapshot->loop = loop;
        snprintf(snapshot->path, sizeof(snapshot->path), "%s", path);
        snapshot->standing = calloc(PLACES, sizeof(snapshot->standing[0]));
        if (snapshot->standing == NULL) {
                free(snapshot);
                return -ENOMEM;
        }
        *ret_snapshot = snapshot;
        return 0;
}

void snapshot_close(struct snapshot *snapshot)
{
        if (snapshot == NULL)
                return;
        snapshot_end(snapshot, false);
        if (snapshot->people != NULL)
                fclose(snapshot->people);
        if (snapshot->placing != NULL)
                snapshot->placing->snapshot = NULL;
        if (snapshot->saving != NULL)
                snapshot->saving->snapshot = NULL;
        free(snapshot->standing);
        free(snapshot);
}

void snapshot_epoch(struct snapshot *snapshot, int64_t epoch)
{
        snapshot->epoch = epoch;
}

/* ---- Reading. */

struct reading {
        const uint8_t *at, *end;
        int64_t written_at_ms;
};

struct one {
        uint8_t kind;
        char field[UINT8_MAX + 1];
        struct cbor_span value;
};

static int read_header(struct reading *reading)
{
        if (reading->end - reading->at < HEADER_SIZE || memcmp(reading->at, "VIGIESNP", 8) != 0)
                return -EBADMSG;
        if (get_u32(reading->at + 8) != SNAPSHOT_FORMAT)
                return -EPROTONOSUPPORT;
        reading->written_at_ms = (int64_t)((uint64_t)get_u32(reading->at + 16) << 32 | get_u32(reading->at + 20));
        reading->at += HEADER_SIZE;
        return 0;
}

/* read_one: the next entry.  False at the end, and at the first that is not whole. */
static bool read_one(struct reading *reading, struct one *ret_one)
{
        const uint8_t *head = reading->at;
        size_t left = (size_t)(reading->end - reading->at), field_len, value_len;
        uint32_t crc;

        if (left < HEAD_SIZE)
                return false;
        field_len = head[1];
        value_len = (size_t)head[2] << 8 | head[3];
        if (left < HEAD_SIZE + field_len + value_len)
                return false;
        crc = entry_crc32c(entry_crc32c(0, head, 4), head + HEAD_SIZE, field_len + value_len);
        if (crc != get_u32(head + 4))
                return false;
        ret_one->kind = head[0];
        memcpy(ret_one->field, head + HEAD_SIZE, field_len);
        ret_one->field[field_len] = '\0';
        ret_one->value = (struct cbor_span){ head + HEAD_SIZE + field_len, value_len };
        reading->at += HEAD_SIZE + field_len + value_len;
        return true;
}

int snapshot_peek(const char *path, int64_t *ret_epoch, bool *ret_people)
{
        uint8_t head[HEADER_SIZE + HEAD_SIZE];
        struct reading reading = { head, head, 0 };
        FILE *file = fopen(path, "rb");
        int r;

        if (file == NULL)
                return -errno;
        reading.end += fread(head, 1, sizeof(head), file);
        r = ferror(file) ? -EIO : read_header(&reading);
        fclose(file);
        if (r < 0)
                return r;
        *ret_epoch = get_u32(head + 12);
        *ret_people = reading.end - head == sizeof(head); /* an entry follows */
        return 0;
}

static int take_standing(struct core *core, const struct one *one)
{
        struct duty_entry duty;
        struct presence presence;
        int r;

        if (one->kind == KIND_DUTY) {
                r = duty_entry_decode(one->value.at, one->value.len, &duty);
                return r < 0 ? r : core_load_duty(core, one->field, &duty);
        }
        r = presence_decode(one->value.at, one->value.len, &presence);
        return r < 0 ? r : core_load_presence(core, one->field, &presence);
}

static void take(struct core *core, const struct one *one, struct snapshot_report *report)
{
        size_t *count = &report->people;
        int r;

        if (one->kind < PEOPLE_KINDS) {
                r = people_load(core, one->kind, one->field, one->value);
        } else if (one->kind == KIND_RECORD) {
                r = core_load_record(core, one->value);
                count = &report->records;
        } else {
                r = one->kind == KIND_DUTY || one->kind == KIND_PRESENCE ? take_standing(core, one) : -EBADMSG;
                count = &report->supervisors;
        }
        if (r == 0)
                ++*count;
        else
                report->bad++;
}

static int load_file(const char *path, struct core *core, struct snapshot_report *report, int64_t *ret_written_at_ms)
{
        struct reading reading;
        struct one one;
        char *data = NULL;
        size_t len = 0;
        int r = file_read(path, SNAPSHOT_FILE_MAX, &data, &len);

        if (r < 0)
                return r;
        reading = (struct reading){ (const uint8_t *)data, (const uint8_t *)data + len, 0 };
        r = read_header(&reading);
        while (r == 0 && read_one(&reading, &one))
                take(core, &one, report);
        if (r == 0)
                report->torn_octets += (size_t)(reading.end - reading.at);
        *ret_written_at_ms = reading.written_at_ms;
        free(data);
        return r;
}

int snapshot_load(const char *path, struct core *core, struct snapshot_report *ret_report)
{
        char state[CONFIG_PATH_SIZE + 8];
        int64_t state_at_ms;
        int r;

        memset(ret_report, 0, sizeof(*ret_report));
        r = load_file(path, core, ret_report, &ret_report->written_at_ms);
        if (r < 0)
                return r;
        snprintf(state, sizeof(state), "%s.state", path);
        core_load_begin(core);
        load_file(state, core, ret_report, &state_at_ms);
        core_load_end(core);
        return 0;
}
