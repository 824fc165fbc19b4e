#include "tests/dispatcher/support/region.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/loop.h"
#include "dispatcher/tls.h"
#include "wire/people.h"
#include "wire/signing.h"

#define MUST(x)                                                                 \
        do {                                                                    \
                if (!(x)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
                        abort();                                                \
                }                                                               \
        } while (0)

static const char zones[] =
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"id\":\"lyon\","
        "\"name\":\"Lyon\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[4,45],[6,45],[6,47],[4,47],[4,45]]]}}"
        "]}";

static void make_keys(struct region *region)
{
        static struct trust trust;
        static uint8_t bytes[TRUST_MAX];
        char pem[KEY_PEM_MAX];
        struct key *root;
        struct cbor_writer to;
        uint32_t now = (uint32_t)time(NULL);

        MUST(key_generate(KEY_EDDSA, &region->receipt_key) == 0 && key_generate(KEY_EDDSA, &root) == 0);
        MUST(key_to_pem(region->receipt_key, true, pem, sizeof(pem)) == 0);
        place_write(&region->place, "receipt.key", pem, strlen(pem));
        memset(&trust, 0, sizeof(trust));
        trust.number = 3;
        trust.issued_at_s = now;
        snprintf(trust.region, sizeof(trust.region), "r");
        trust.count = 1;
        trust.keys[0].use = TRUST_RECEIPT;
        trust.keys[0].alg = KEY_EDDSA;
        trust.keys[0].public_len = (uint8_t)key_public(region->receipt_key, trust.keys[0].public);
        MUST(key_kid(region->receipt_key, trust.keys[0].kid) == 0);
        trust.keys[0].not_before_s = now - 1000;
        trust.keys[0].not_after_s = now + 100000;
        cbor_writer_init(&to, bytes, sizeof(bytes));
        MUST(trust_sign(&trust, root, &to) == 0);
        place_write(&region->place, "trust.cose", bytes, to.len);
        MUST(key_to_pem(root, false, pem, sizeof(pem)) == 0);
        place_write(&region->place, "root.pem", pem, strlen(pem));
        key_free(root);
}

static void write_configuration(const struct region *region)
{
        char text[4096];
        const char *d = region->place.dir;

        snprintf(text, sizeof(text),
                 "[region]\nname = r\n[dispatcher]\nname = d0\n[listen]\naddress = 127.0.0.1\nport = 0\n"
                 "[tls]\ncertificate = %s/server.pem\nkey = %s/server.key\nclient_ca = %s/ca.pem\nticket_key = "
                 "%s/tickets\n"
                 "[alerts]\naddress = %s/alerts.sock\n[positions]\naddress = %s/positions.sock\n"
                 "[journal]\npath = %s/d0.journal\n[snapshot]\npath = %s/d0.snapshot\n[zones]\npath = %s/zones\n"
                 "[receipt]\nkey = %s/receipt.key\n[trust]\npath = %s/trust.cose\nroot = %s/root.pem\n[store]\nwait = 1s\n",
                 d, d, d, d, d, region->positions.dir, d, d, d, d, d, d);
        place_write(&region->place, "dispatcher.conf", text, strlen(text));
}

static void connect_redis(struct region *region)
{
        region->redis = redisConnectUnix(place_path(&region->place, "alerts.sock"));
        MUST(region->redis != NULL && region->redis->err == 0);
}

void region_open(struct region *region)
{
        uint8_t tickets[TLS_TICKET_KEY_SIZE] = { 1 };

        memset(region, 0, sizeof(*region));
        place_open(&region->place);
        place_open(&region->positions);
        place_authority(&region->place, "ca");
        place_authority(&region->place, "other");
        place_certificate(&region->place, "ca", "server", &(struct place_subject){ "localhost", NULL, NULL, -1, 100 });
        place_write(&region->place, "tickets", tickets, sizeof(tickets));
        MUST(mkdir(place_path(&region->place, "zones"), 0755) == 0);
        place_write(&region->place, "zones/lyon.geojson", zones, strlen(zones));
        make_keys(region);
        write_configuration(region);
        place_redis(&region->place, "alerts");
        place_redis(&region->positions, "positions");
        connect_redis(region);
}

void region_close(struct region *region)
{
        for (int i = 0; i < REGION_DISPATCHERS; i++)
                if (region->dispatcher[i] != 0) {
                        kill(region->dispatcher[i], SIGKILL);
                        region_wait(region, i);
                }
        redisFree(region->redis);
        key_free(region->receipt_key);
        place_close(&region->place);
        place_close(&region->positions);
}

const char *region_dispatcher(void)
{
        static char path[512];
        ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
        char *at;

        MUST(len > 0);
        path[len] = '\0';
        at = strstr(path, "/tests/");
        if (at == NULL)
                return NULL;
        strcpy(at, "/bin/vigie-dispatcher");
        return access(path, X_OK) == 0 ? path : NULL;
}

static void exec_dispatcher(struct region *region, const char *const *arguments, const char *log)
{
        const char *argv[32] = { "vigie-dispatcher", "-c", place_path(&region->place, "dispatcher.conf") };
        int count = 3, out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        while (*arguments != NULL && count < 31)
                argv[count++] = *arguments++;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out, 2);
        setenv("ASAN_OPTIONS", "abort_on_error=1", 1);
        execv(region_dispatcher(), (char **)argv);
        _exit(127);
}

/* show_log: what the dispatcher said before it failed to come up. */
static void show_log(const struct region *region, const char *log)
{
        char line[512];
        FILE *f = fopen(place_path(&region->place, log), "r");

        while (f != NULL && fgets(line, sizeof(line), f) != NULL)
                fputs(line, stderr);
        if (f != NULL)
                fclose(f);
}

void region_start_with(struct region *region, int i, const char *const *more)
{
        char name[64], rank[64], journal[160], snapshot[160], fd_text[16], log[16], text[16] = "";
        const char *argv[24] = { "-o", name, "-o", rank, "-o", journal, "-o", snapshot, "--ready-fd", fd_text };
        int ready[2], count = 10;
        ssize_t len;

        while (*more != NULL && count < 23)
                argv[count++] = *more++;
        MUST(pipe(ready) == 0);
        snprintf(name, sizeof(name), "dispatcher.name=d%d", i);
        snprintf(rank, sizeof(rank), "dispatcher.rank=%d", i);
        snprintf(journal, sizeof(journal), "journal.path=%s/d%d.journal", region->place.dir, i);
        snprintf(snapshot, sizeof(snapshot), "snapshot.path=%s/d%d.snapshot", region->place.dir, i);
        snprintf(fd_text, sizeof(fd_text), "%d", ready[1]);
        snprintf(log, sizeof(log), "d%d.log", i);
        region->dispatcher[i] = fork();
        MUST(region->dispatcher[i] >= 0);
        if (region->dispatcher[i] == 0) {
                close(ready[0]);
                exec_dispatcher(region, argv, place_path(&region->place, log));
        }
        close(ready[1]);
        len = read(ready[0], text, sizeof(text) - 1);
        close(ready[0]);
        if (len <= 0)
                show_log(region, log);
        MUST(len > 0);
        region->port[i] = atoi(text);
}

void region_start(struct region *region, int i, const char *extra)
{
        region_start_with(region, i, (const char *const[]){ extra != NULL ? "-o" : NULL, extra, NULL });
}

void region_signal(struct region *region, int i, int signal)
{
        kill(region->dispatcher[i], signal);
}

static int exit_of(pid_t pid)
{
        int status = 0;

        MUST(waitpid(pid, &status, 0) == pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int region_wait(struct region *region, int i)
{
        int status = exit_of(region->dispatcher[i]);

        region->dispatcher[i] = 0;
        return status;
}

int region_run(struct region *region, const char *const *arguments)
{
        pid_t pid = fork();

        MUST(pid >= 0);
        if (pid == 0)
                exec_dispatcher(region, arguments, "/dev/null");
        return exit_of(pid);
}

/* ---- People. */

redisReply *region_ask(struct region *region, const char *format, ...)
{
        redisReply *reply;
        va_list words;

        va_start(words, format);
        reply = redisvCommand(region->redis, format, words);
        va_end(words);
        if (reply == NULL && redisReconnect(region->redis) == REDIS_OK) { /* it was restarted */
                va_start(words, format);
                reply = redisvCommand(region->redis, format, words);
                va_end(words);
        }
        MUST(reply != NULL && reply->type != REDIS_REPLY_ERROR);
        return reply;
}

void region_put(struct region *region, const char *hash, const char *field, const uint8_t *value, int len)
{
        MUST(len > 0);
        freeReplyObject(region_ask(region, "HSET {r}:%s %s %b", hash, field, value, (size_t)len));
        freeReplyObject(region_ask(region, "XADD {r}:people:changes * h %s k %s", hash, field));
}

void region_carrier(struct region *region, const char *id, const char *name)
{
        struct carrier_entry entry = { .number = "+33600000001", .team = "north" };
        uint8_t bytes[PEOPLE_MAX];

        snprintf(entry.name, sizeof(entry.name), "%s", name);
        region_put(region, "carriers", id, bytes, carrier_entry_encode(&entry, bytes, sizeof(bytes)));
}

void region_supervisor(struct region *region, const char *id, const char *name, bool manager)
{
        struct supervisor_entry entry = { .number = "+33600000002", .team = "north", .manager = manager };
        uint8_t bytes[PEOPLE_MAX];

        snprintf(entry.name, sizeof(entry.name), "%s", name);
        region_put(region, "supervisors", id, bytes, supervisor_entry_encode(&entry, bytes, sizeof(bytes)));
}

void region_user(struct region *region, const char *login, uint8_t role)
{
        struct user_entry entry = { .role = role, .language = "fr" };
        uint8_t bytes[PEOPLE_MAX];

        snprintf(entry.person, sizeof(entry.person), "%s", login);
        snprintf(entry.name, sizeof(entry.name), "%s", login);
        region_put(region, "users", login, bytes, user_entry_encode(&entry, bytes, sizeof(bytes)));
}

static void name_handset(unsigned number, char id[17], char file[16])
{
        snprintf(id, 17, "%016x", number);
        snprintf(file, 16, "h%u", number);
}

static struct key *handset_key(struct region *region, unsigned number)
{
        char id[17], file[16], key_file[32];
        struct key *key;

        name_handset(number, id, file);
        snprintf(key_file, sizeof(key_file), "%s.key", file);
        MUST(key_from_file(place_path(&region->place, key_file), &key) == 0);
        return key;
}

void region_handset(struct region *region, const struct region_handset *handset)
{
        struct handset_entry entry = { .role = handset->role, .enrolment = { 1, 2, 3, 4, 5, 6, 7, 8 } };
        char id[17], file[16], pem[32];
        uint8_t bytes[PEOPLE_MAX];
        struct key *key;

        name_handset(handset->number, id, file);
        snprintf(pem, sizeof(pem), "%s.pem", file);
        if (access(place_path(&region->place, pem), F_OK) != 0) /* else it is only put anew: revoked, say */
                place_certificate(&region->place, "ca", file,
                                  &(struct place_subject){ id, "0102030405060708", NULL, -10, handset->days_to });
        if (handset->unknown)
                return;
        entry.enrolment[0] += handset->again;
        key = handset_key(region, handset->number);
        MUST(key_public(key, entry.key) == P256_POINT_SIZE);
        key_free(key);
        entry.not_after_s = (uint32_t)(time(NULL) + handset->days_to * 86400);
        entry.revoked_at_s = handset->revoked ? (uint32_t)time(NULL) - 5 : 0;
        snprintf(entry.person, sizeof(entry.person), "%s", handset->person);
        region_put(region, "handsets", id, bytes, handset_entry_encode(&entry, bytes, sizeof(bytes)));
}

/* ---- Handsets. */

int region_dial(struct region *region, int i, unsigned number, struct phone *phone)
{
        char id[17], file[16], pem[32], key[32];

        name_handset(number, id, file);
        snprintf(pem, sizeof(pem), "%s.pem", file);
        snprintf(key, sizeof(key), "%s.key", file);
        return phone_dial(phone, &(struct phone_line){ .port = region->port[i],
                                                       .certificate = place_path(&region->place, pem),
                                                       .key = place_path(&region->place, key) });
}

static struct handset_id id_of(unsigned number)
{
        struct handset_id id = { { 0 } };

        for (int i = 0; i < 4; i++)
                id.octets[7 - i] = (uint8_t)(number >> (8 * i));
        return id;
}

void region_alert_id(const struct region_press *press, struct alert_id *ret_id)
{
        struct handset_id handset = id_of(press->number);
        uint8_t nonce[ALERT_NONCE_SIZE];

        memset(nonce, press->nonce, sizeof(nonce));
        *ret_id = alert_id_make(&handset, nonce);
}

int region_press(struct region *region, const struct region_press *press, uint8_t frame[FRAME_HANDSET_MAX])
{
        struct alert alert = { .revision = press->revision,
                               .pressed_at_s = (uint32_t)time(NULL),
                               .kind = press->kind,
                               .marks = press->marks,
                               .has_fix = true,
                               .lat_e7 = 457600000,
                               .lon_e7 = 48400000,
                               .accuracy_m = 12,
                               .fix_age_s = 1,
                               .battery_percent = 70 };
        struct handset_id handset = id_of(press->number);
        struct frame out = { .type = FRAME_ALERT };
        uint8_t cose[ALERT_MAX];
        struct cbor_writer to;
        struct key *key;
        int len;

        memset(alert.nonce, press->nonce, sizeof(alert.nonce));
        if (press->forged)
                MUST(key_generate(KEY_ES256, &key) == 0);
        else
                key = handset_key(region, press->number);
        cbor_writer_init(&to, cose, sizeof(cose));
        MUST(alert_sign(&alert, &handset, key, &to) == 0);
        key_free(key);
        out.u.cose.cose = (struct cbor_span){ cose, to.len };
        len = frame_encode(&out, frame, FRAME_HANDSET_MAX);
        MUST(len > 0);
        return len;
}

int region_send(struct phone *phone, const struct frame *frame)
{
        uint8_t bytes[FRAME_HANDSET_MAX];
        int len = frame_encode(frame, bytes, sizeof(bytes));

        MUST(len > 0);
        return phone_send(phone, bytes, (size_t)len);
}

int region_frame(struct phone *phone, uint8_t type, uint8_t *buf, struct frame *ret_frame)
{
        int64_t end = clock_mono_ms() + 10000;

        while (clock_mono_ms() < end) {
                int len = phone_receive(phone, buf, FRAME_REGION_MAX, (int)(end - clock_mono_ms()));

                if (len < 0)
                        return -1;
                MUST(frame_decode(buf, (size_t)len, ret_frame) == 0);
                if (ret_frame->type == type)
                        return 0;
        }
        return -1;
}

int region_hello(struct phone *phone, uint8_t role)
{
        struct frame hello = { .type = FRAME_HELLO,
                               .u.hello = {
                                       .version = FRAME_VERSION, .trust_number = 3, .role = role, .app = "test" } };
        static uint8_t buf[FRAME_REGION_MAX];
        struct frame welcome;

        return region_send(phone, &hello) < 0 ? -1 : region_frame(phone, FRAME_WELCOME, buf, &welcome);
}

int region_receipt(struct region *region, struct phone *phone, struct receipt *ret_receipt)
{
        static uint8_t buf[FRAME_REGION_MAX];
        struct receipt_signed receipt;
        struct frame frame;

        if (region_frame(phone, FRAME_RECEIPT, buf, &frame) < 0)
                return -1;
        MUST(frame.u.cose.cose.len <= RECEIPT_MAX);
        MUST(receipt_read(frame.u.cose.cose, &receipt, NULL) == 0);
        MUST(receipt_verify(&receipt, region->receipt_key) == 0);
        *ret_receipt = receipt.receipt;
        return 0;
}

int region_receipt_of(struct region *region, struct phone *phone, uint8_t state, struct receipt *ret_receipt)
{
        do
                if (region_receipt(region, phone, ret_receipt) < 0)
                        return -1;
        while (ret_receipt->state != state);
        return 0;
}

int region_record(struct region *region, const struct alert_id *id, struct record *ret_record)
{
        char text[ALERT_ID_TEXT];
        redisReply *reply;
        int r = -1;

        alert_id_to_text(id, text);
        reply = region_ask(region, "HGET {r}:alert:%s r", text);
        if (reply->type == REDIS_REPLY_STRING)
                r = record_decode((const uint8_t *)reply->str, (size_t)reply->len, ret_record);
        freeReplyObject(reply);
        return r;
}
