/* {r}:vaults where two dispatchers write of one handset at once: what its phone told one of them, and the order that it told the other is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <uv.h>

#include "dispatcher/inbox_inside.h"
#include "tests/dispatcher/support/place.h"
#include "wire/signing.h"

#define WAIT_MS 20000
#define FIELD   "0000000000000001"

static const uint8_t phone[HANDSET_ID_SIZE] = { 0, 0, 0, 0, 0, 0, 0, 1 };

struct bench {
        struct place place;
        struct config config;
        struct run *run;
        struct key *key; /* the phone's */
        redisContext *redis, *rival;
};

static void on_alerts(void *user, bool up, const char *why)
{
        ((struct bench *)user)->run->alerts_link = up;
}

static void on_positions(void *user, bool up, const char *why)
{
}

static void on_clock(void *user, int64_t redis_ms, int64_t mono_ms)
{
}

static bool verify(void *user, const uint8_t key[P256_POINT_SIZE], const struct alert_signed *alert)
{
        return false;
}

static void hash(void *user, struct cbor_span data, uint8_t ret_hash[32])
{
        EVP_Digest(data.at, data.len, ret_hash, NULL, EVP_sha256(), NULL);
}

static void on_session(void *user, uint64_t session, const struct tls_peer *peer)
{
}

static void on_frame(void *user, uint64_t session, const uint8_t *data, size_t len)
{
}

static void on_closed(void *user, uint64_t session)
{
}

static void until(struct bench *b, const char *what, bool (*is_so)(struct bench *b))
{
        for (int64_t end = clock_mono_ms() + WAIT_MS; !is_so(b); usleep(1000)) {
                if (clock_mono_ms() > end)
                        fail_msg("%s: not within %d ms", what, WAIT_MS);
                uv_run(loop_uv(b->run->options.loop), UV_RUN_NOWAIT);
        }
}

static bool is_linked(struct bench *b)
{
        return b->run->alerts_link;
}

/* The parts of a run that an inbox needs: a core that knows the phone, a link without sessions, the store. */
static void open_run(struct bench *b)
{
        struct run *run = b->run;
        struct handset_entry entry = { .enrolment = "enrolled", .not_after_s = UINT32_MAX };
        const char *why;

        assert_int_equal(key_generate(KEY_ES256, &b->key), 0);
        assert_int_equal(key_public(b->key, entry.key), P256_POINT_SIZE);
        assert_int_equal(core_new(&(struct core_options){ .region = "r", .name = "d", .verify = verify, .hash = hash },
                                  &run->core),
                         0);
        assert_int_equal(core_load_handset(run->core, phone, &entry), 0);
        assert_int_equal(link_open(&(struct link_options){ .loop = run->options.loop,
                                                           .files = { place_path(&b->place, "server.pem"),
                                                                      place_path(&b->place, "server.key"),
                                                                      place_path(&b->place, "ca.pem"),
                                                                      place_path(&b->place, "tickets") },
                                                           .address = "127.0.0.1",
                                                           .connections_max = 4,
                                                           .handshakes_max = 4,
                                                           .ping_ms = 1000,
                                                           .silent_ms = 5000,
                                                           .frame_max = 1024,
                                                           .subprotocol = "vigie.1",
                                                           .user = b,
                                                           .opened = on_session,
                                                           .frame = on_frame,
                                                           .closed = on_closed },
                                   &run->link, &why),
                         0);
        assert_int_equal(store_open(&(struct store_options){ .loop = run->options.loop,
                                                             .config = &b->config,
                                                             .user = b,
                                                             .alerts = on_alerts,
                                                             .positions = on_positions,
                                                             .clock = on_clock },
                                    &run->store),
                         0);
        assert_int_equal(inbox_open(run), 0);
}

static int set_up(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        uint8_t tickets[TLS_TICKET_KEY_SIZE] = { 7 };

        b->run = calloc(1, sizeof(*b->run));
        place_open(&b->place);
        place_redis(&b->place, "redis");
        place_authority(&b->place, "ca");
        place_certificate(&b->place, "ca", "server", &(struct place_subject){ "server", NULL, NULL, -1, 10 });
        place_write(&b->place, "tickets", tickets, sizeof(tickets));
        snprintf(b->config.region, sizeof(b->config.region), "r");
        snprintf(b->config.alerts.address, sizeof(b->config.alerts.address), "%s", place_path(&b->place, "redis.sock"));
        b->config.positions = b->config.alerts;
        b->run->options.config = &b->config;
        assert_int_equal(loop_open(&b->run->options.loop), 0);
        open_run(b);
        b->redis = redisConnectUnix(b->config.alerts.address);
        b->rival = redisConnectUnix(b->config.alerts.address);
        until(b, "the store", is_linked);
        inbox_up(b->run, true);
        *state = b;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *b = *state;

        redisFree(b->redis);
        redisFree(b->rival);
        b->run->closing = true;
        store_close(b->run->store);
        inbox_close(b->run);
        link_close(b->run->link);
        assert_int_equal(loop_close(b->run->options.loop), 0);
        link_free(b->run->link);
        core_free(b->run->core);
        key_free(b->key);
        place_close(&b->place);
        free(b->run);
        free(b);
        return 0;
}

static void tell(struct bench *b, const char *command)
{
        redisReply *reply = redisCommand(b->redis, command);

        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
}

static struct vault_entry held(struct bench *b)
{
        redisReply *reply = redisCommand(b->redis, "HGET {r}:vaults " FIELD);
        struct vault_entry entry = { 0 };

        assert_non_null(reply);
        if (reply->type == REDIS_REPLY_STRING)
                assert_int_equal(vault_entry_decode((const uint8_t *)reply->str, reply->len, &entry), 0);
        freeReplyObject(reply);
        return entry;
}

/* Connections whose writes wait for the end of the pause. */
static int waiting(struct bench *b)
{
        redisReply *reply = redisCommand(b->redis, "CLIENT LIST");
        int count = 0;

        assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        for (const char *at = reply->str; (at = strstr(at, "flags=b")) != NULL; at++)
                count++;
        freeReplyObject(reply);
        return count;
}

static bool rival_waits(struct bench *b)
{
        return waiting(b) == 1;
}

static bool both_wait(struct bench *b)
{
        return waiting(b) == 2;
}

/* Whatever is read from now on is from before ENTRY, which another dispatcher writes; what is written comes after it. */
static void rival_begins(struct bench *b, const struct vault_entry *entry)
{
        uint8_t value[DESK_SMALL_MAX];
        int len = vault_entry_encode(entry, value, sizeof(value)), done = 0;

        assert_true(len > 0);
        tell(b, "CLIENT PAUSE 60000 WRITE");
        redisAppendCommand(b->rival, "HSET {r}:vaults " FIELD " %b", value, (size_t)len);
        while (done == 0)
                assert_int_equal(redisBufferWrite(b->rival, &done), REDIS_OK);
        until(b, "the other's write waits", rival_waits);
}

static void rival_ends(struct bench *b)
{
        void *reply;

        until(b, "ours waits behind it", both_wait);
        tell(b, "CLIENT UNPAUSE");
        assert_int_equal(redisGetReply(b->rival, &reply), REDIS_OK);
        freeReplyObject(reply);
}

static bool has_both(struct bench *b)
{
        struct vault_entry entry = held(b);

        return entry.has_key && entry.taken == 7 && memcmp(entry.enrolment, "enrolled", ENROLMENT_SIZE) == 0;
}

static struct core_action vault_told(void)
{
        struct core_action action = { .kind = DO_VAULT, .u.vault = { .session = 5, .told = true } };

        memcpy(action.u.vault.handset, phone, sizeof(phone));
        memcpy(action.u.vault.vault.enrolment, "enrolled", ENROLMENT_SIZE);
        action.u.vault.vault.state = VAULT_LOCKED;
        action.u.vault.vault.has_key = true;
        memset(action.u.vault.vault.key, 4, PASS_KEY_SIZE);
        return action;
}

/* The phone tells us of its vault, and another dispatcher that an order is done. */
static void told_here_and_done_there(void **state)
{
        struct bench *b = *state;
        struct core_action action = vault_told();
        struct vault_entry there = { .enrolment = "enrolled", .taken = 7 };

        rival_begins(b, &there);
        inbox_vault(b->run, &action);
        rival_ends(b);
        until(b, "both are there", has_both);
}

/* And the other way round. */
static void done_here_and_told_there(void **state)
{
        struct bench *b = *state;
        struct vault_entry there = vault_told().u.vault.vault;
        struct confirm confirm = { .enrolment = "enrolled", .number = 7, .kind = ORDER_UNLOCK, .at_s = 9 };
        struct core_action action = { .kind = DO_DONE };
        uint8_t payload[CONFIRM_MAX], bytes[CONFIRM_MAX];
        struct cbor_writer to;

        memcpy(confirm.handset.octets, phone, sizeof(phone));
        cbor_writer_init(&to, payload, sizeof(payload));
        assert_int_equal(confirm_write_payload(&confirm, &to), 0);
        struct cose_parts parts = { KEY_ES256, phone, cbor_written(&to), CBOR_LITERAL(CONFIRM_AAD) };

        cbor_writer_init(&to, bytes, sizeof(bytes));
        assert_int_equal(cose_sign1_sign(&parts, b->key, &to), 0);
        action.u.done.bytes = cbor_written(&to);
        rival_begins(b, &there);
        inbox_done(b->run, &action);
        rival_ends(b);
        until(b, "both are there", has_both);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(told_here_and_done_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(done_here_and_told_there, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
