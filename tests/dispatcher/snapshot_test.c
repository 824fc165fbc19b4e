/* The snapshot: what was written is read, torn or not; an unfinished load leaves the old one in place. */
#include <errno.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/file.h"
#include "base/loop.h"
#include "dispatcher/snapshot.h"
#include "tests/dispatcher/support/place.h"

struct desk {
        struct place place;
        struct loop *loop;
        struct snapshot *snapshot;
        struct core *core;
        const char *path;
        struct snapshot_report report;
        size_t records;
};

static bool verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        return false;
}

static void hash(void *user, struct cbor_span data, uint8_t ret_hash[32])
{
        EVP_Digest(data.at, data.len, ret_hash, NULL, EVP_sha256(), NULL);
}

static void fresh_core(struct desk *d)
{
        core_free(d->core);
        assert_int_equal(core_new(&(struct core_options){ .region = "r", .name = "d", .verify = verify, .hash = hash },
                                  &d->core),
                         0);
}

static int set_up(void **state)
{
        struct desk *d = calloc(1, sizeof(*d));

        place_open(&d->place);
        d->path = strdup(place_path(&d->place, "snapshot"));
        assert_int_equal(loop_open(&d->loop), 0);
        assert_int_equal(snapshot_open(d->loop, d->path, &d->snapshot), 0);
        fresh_core(d);
        *state = d;
        return 0;
}

static int tear_down(void **state)
{
        struct desk *d = *state;

        snapshot_close(d->snapshot);
        assert_int_equal(loop_close(d->loop), 0);
        core_free(d->core);
        place_close(&d->place);
        free((char *)d->path);
        free(d);
        return 0;
}

/* settle: run the loop until PATH is there, and nothing is being written. */
static void settle(struct desk *d, const char *path)
{
        for (int i = 0; i < 1000 && (access(path, F_OK) < 0 || loop_uv(d->loop)->active_reqs.count > 0); i++) {
                uv_run(loop_uv(d->loop), UV_RUN_NOWAIT);
                usleep(10000);
        }
        assert_int_equal(access(path, F_OK), 0);
}

static void give_person(struct desk *d, enum people_kind kind, const char *id, const char *name)
{
        struct supervisor_entry supervisor = { .manager = true };
        struct carrier_entry carrier = { 0 };
        uint8_t value[PEOPLE_MAX];
        int len;

        snprintf(supervisor.name, sizeof(supervisor.name), "%s", name);
        snprintf(carrier.name, sizeof(carrier.name), "%s", name);
        len = kind == PEOPLE_SUPERVISORS ? supervisor_entry_encode(&supervisor, value, sizeof(value))
                                         : carrier_entry_encode(&carrier, value, sizeof(value));
        assert_true(len > 0);
        snapshot_person(d->snapshot, kind, id, (struct cbor_span){ value, (size_t)len });
}

static void write_two(struct desk *d)
{
        snapshot_begin(d->snapshot, 1234567890123);
        give_person(d, PEOPLE_SUPERVISORS, "s1", "Paul");
        give_person(d, PEOPLE_CARRIERS, "c1", "Carole");
        snapshot_end(d->snapshot, true);
        settle(d, d->path);
}

static void count_record(void *user, struct cbor_span record)
{
        struct desk *d = user;

        d->records++;
}

static void test_people_state_and_records_come_back(void **state)
{
        struct desk *d = *state;
        static struct record record;
        static uint8_t value[RECORD_MAX];
        int len;

        write_two(d);
        snapshot_duty(d->snapshot, "s1", &(struct duty_entry){ .since_ms = 5, .until_s = 6 });
        snapshot_presence(d->snapshot, "s1", &(struct presence){ .at_ms = 7, .by = PRESENCE_HANDSET });
        snapshot_presence(d->snapshot, "stranger", &(struct presence){ .at_ms = 7, .by = PRESENCE_HANDSET });
        record.version = 1;
        record.state = ALERT_RAISED;
        record.due_ms = 99;
        record.id[0] = 1;
        record.handset[0] = 1;
        len = record_encode(&record, value, sizeof(value));
        assert_true(len > 0);
        core_load_begin(d->core);
        assert_int_equal(core_load_record(d->core, (struct cbor_span){ value, (size_t)len }), 0);
        core_load_end(d->core);
        snapshot_state(d->snapshot, d->core, 1234567890999);
        settle(d, place_path(&d->place, "snapshot.state"));
        fresh_core(d);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.written_at_ms, 1234567890123);
        assert_int_equal(d->report.people, 2);
        assert_int_equal(d->report.supervisors, 2);
        assert_int_equal(d->report.records, 1);
        assert_int_equal(d->report.bad, 1); /* the stranger */
        core_each_record(d->core, count_record, d);
        assert_int_equal(d->records, 1);
}

static void test_changes_are_written_behind(void **state)
{
        struct desk *d = *state;

        write_two(d);
        give_person(d, PEOPLE_CARRIERS, "c2", "Chloé");
        snapshot_person(d->snapshot, PEOPLE_SUPERVISORS, "s1", (struct cbor_span){ NULL, 0 }); /* gone */
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.people, 4);
        assert_int_equal(d->report.bad, 0);
        assert_int_equal(core_load_duty(d->core, "s1", &(struct duty_entry){ .since_ms = 1 }), -ENOENT);
}

static void test_an_unfinished_load_leaves_the_old_one(void **state)
{
        struct desk *d = *state;

        write_two(d);
        snapshot_begin(d->snapshot, 99);
        give_person(d, PEOPLE_CARRIERS, "c3", "Cléo");
        snapshot_end(d->snapshot, false);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.written_at_ms, 1234567890123);
        assert_int_equal(d->report.people, 2);
        assert_int_not_equal(access(place_path(&d->place, "snapshot.new"), F_OK), 0);
}

/* A load begins before the file of the last one is in place: both are in it, and whole. */
static void test_a_load_while_the_last_is_put_in_place(void **state)
{
        struct desk *d = *state;

        snapshot_begin(d->snapshot, 1);
        give_person(d, PEOPLE_SUPERVISORS, "s1", "Paul");
        snapshot_end(d->snapshot, true);
        snapshot_begin(d->snapshot, 2);
        give_person(d, PEOPLE_CARRIERS, "c1", "Carole");
        snapshot_end(d->snapshot, false);
        settle(d, d->path);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.written_at_ms, 1);
        assert_int_equal(d->report.people, 2);
        assert_int_equal(d->report.torn_octets, 0);
        snapshot_begin(d->snapshot, 3); /* and now there is room for a new one */
        snapshot_end(d->snapshot, true);
        settle(d, d->path);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.written_at_ms, 3);
}

/* The disk is full in the middle of a change: that one is lost, and none behind it. */
static void test_a_change_without_room_tears_nothing(void **state)
{
        struct desk *d = *state;
        struct rlimit limit, before;
        struct stat st;

        write_two(d);
        assert_int_equal(stat(d->path, &st), 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = (rlim_t)st.st_size + 5;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        give_person(d, PEOPLE_CARRIERS, "c2", "Chloé");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        give_person(d, PEOPLE_CARRIERS, "c3", "Cléo");
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.people, 3);
        assert_int_equal(d->report.torn_octets, 0);
}

/* What a look at the file alone says of the store it was made of: before anything is loaded. */
static void test_the_store_it_was_made_of(void **state)
{
        struct desk *d = *state;
        int64_t epoch = -1;
        bool people = true;

        assert_int_equal(snapshot_peek(d->path, &epoch, &people), -ENOENT);
        snapshot_begin(d->snapshot, 1);
        snapshot_end(d->snapshot, true);
        settle(d, d->path);
        assert_int_equal(snapshot_peek(d->path, &epoch, &people), 0);
        assert_int_equal(epoch, 0);
        assert_false(people);
        assert_int_equal(remove(d->path), 0);
        snapshot_epoch(d->snapshot, 4000000000);
        write_two(d);
        assert_int_equal(snapshot_peek(d->path, &epoch, &people), 0);
        assert_int_equal(epoch, 4000000000);
        assert_true(people);
        place_write(&d->place, "snapshot", "VIGIE", 5);
        assert_int_equal(snapshot_peek(d->path, &epoch, &people), -EBADMSG);
}

static void test_a_torn_or_altered_file_is_read_up_to_there(void **state)
{
        struct desk *d = *state;
        char *data;
        size_t len;

        write_two(d);
        assert_int_equal(file_read(d->path, 100000, &data, &len), 0);
        for (size_t cut = 0; cut < len; cut++) { /* every length: no crash, never more than is there */
                place_write(&d->place, "snapshot", data, cut);
                fresh_core(d);
                if (cut < 24)
                        assert_int_equal(snapshot_load(d->path, d->core, &d->report), -EBADMSG);
                else
                        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
                assert_true(d->report.people < 2);
        }
        data[len - 1] ^= 1;
        place_write(&d->place, "snapshot", data, len);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), 0);
        assert_int_equal(d->report.people, 1);
        assert_true(d->report.torn_octets > 0);
        data[11] = 2; /* a newer format */
        place_write(&d->place, "snapshot", data, len);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), -EPROTONOSUPPORT);
        unlink(d->path);
        assert_int_equal(snapshot_load(d->path, d->core, &d->report), -ENOENT);
        free(data);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE(test_people_state_and_records_come_back),
                CASE(test_changes_are_written_behind),
                CASE(test_an_unfinished_load_leaves_the_old_one),
                CASE(test_a_load_while_the_last_is_put_in_place),
                CASE(test_a_change_without_room_tears_nothing),
                CASE(test_the_store_it_was_made_of),
                CASE(test_a_torn_or_altered_file_is_read_up_to_there),
        };

        signal(SIGXFSZ, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
