/* virtual_phone FOLDER CLASS: a region, a door's files in FOLDER, and a phone that speaks to vsmartcard's virtual
 * reader: for the end to end tests and the demo.  CLASS 1 NFC, 2 scanner.  On standard input, one a line, each
 * answered by a line:
 *
 *      insert PORT     the phone is put on the reader      remove          taken off
 *      pin N           the PIN comes after N questions     decline 0|1     the carrier says no
 *      again 0|1       a dishonest phone: the last proof once more
 *      mute 0|1|2      1: it answers no command; 2: nor says what card it is
 *      revoke          a newer status list, with this pass in it, is with the phone from now on
 *      withdraw        a newer trust list, without the key for status lists, is the file `trust`
 *      list SECONDS    a status list issued SECONDS from now, nothing in it
 *      text            what a scanner would read now
 *      told            how many verdicts the phone was told, and the last one */
#include "tests/device/door/phone.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/file.h"
#include "wire/status.h"

struct world {
        struct door region;
        struct phone phone;
        struct key *root, *desk;
        uint8_t desk_kid[KEY_KID_SIZE], list[STATUS_MAX];
        const char *folder;
        uint32_t issued_s;
        int fd; /* the reader; -1: not on it */
};

static void put(const struct world *w, const char *name, const void *data, size_t len)
{
        char path[512];

        snprintf(path, sizeof(path), "%s/%s", w->folder, name);
        assert_int_equal(file_write(path, data, len, 0600), 0);
}

static void put_pem(const struct world *w, const char *name, const struct key *key, bool with_private)
{
        char pem[KEY_PEM_MAX];

        assert_int_equal(key_to_pem(key, with_private, pem, sizeof(pem)), 0);
        put(w, name, pem, strlen(pem));
}

/* make_list: the newest list, with the phone, and as a file. */
static size_t make_list(struct world *w, uint32_t issued_s, bool revoked)
{
        struct status_list said = {
                .region = "lyon", .issued_at_s = issued_s, .expires_s = issued_s + 3600, .count = 64
        };
        uint8_t bits[8] = { 0 };
        struct cbor_writer to;

        if (revoked)
                bits[w->region.pass.status / 8] = (uint8_t)(1 << w->region.pass.status % 8);
        cbor_writer_init(&to, w->list, sizeof(w->list));
        assert_int_equal(status_sign(&said, bits, w->desk_kid, w->desk, &to), 0);
        put(w, "newest-list", w->list, to.len);
        return to.len;
}

static void put_trust(struct world *w)
{
        uint8_t trust[TRUST_MAX];
        struct cbor_writer to;

        w->region.trust.number++;
        cbor_writer_init(&to, trust, sizeof(trust));
        assert_int_equal(trust_sign(&w->region.trust, w->root, &to), 0);
        put(w, "trust", trust, to.len);
}

static void make(struct world *w, uint8_t class, uint32_t now_s)
{
        struct door *d = &w->region;

        door_open(d, BUILDINGS, class);
        d->pass.not_before_s = d->pass.issued_at_s = now_s - 60;
        d->pass.not_after_s = now_s + 3600;
        door_pass(d);
        phone_make(&w->phone, d, now_s);
        assert_int_equal(key_generate(KEY_EDDSA, &w->root), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &w->desk), 0);
        door_list_key(d, TRUST_STATUS, w->desk, w->desk_kid);
        d->trust.issued_at_s = now_s - 3600;
        put_trust(w);
        put_pem(w, "root.pem", w->root, false);
        put_pem(w, "door.pem", d->lock, true);
        put(w, "mandate", d->signed_mandate.at, d->signed_mandate.len);
        w->issued_s = now_s - 30;
        put(w, "status.list", w->list, make_list(w, w->issued_s, false));
}

static void insert(struct world *w, int port)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(w->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
                close(w->fd);
                w->fd = -1;
        }
        printf("%s\n", w->fd >= 0 ? "ok" : "no reader there");
}

static void take_off(struct world *w)
{
        if (w->fd >= 0)
                close(w->fd);
        w->fd = -1;
        apdu_power_off(&w->phone.card);
}

static void offer(struct world *w, uint32_t issued_s, bool revoked)
{
        size_t len = make_list(w, issued_s, revoked);

        apdu_offer_list(&w->phone.card, (struct cbor_span){ w->list, len }, issued_s);
}

static void obey(struct world *w, const char *line)
{
        char text[PASS_TEXT_SIZE], word[16] = "";
        int n = 0;

        sscanf(line, "%15s %d", word, &n);
        if (strcmp(word, "insert") == 0) {
                insert(w, n);
                return;
        }
        if (strcmp(word, "remove") == 0)
                take_off(w);
        else if (strcmp(word, "pin") == 0)
                w->phone.pin_polls = (unsigned)n;
        else if (strcmp(word, "decline") == 0)
                w->phone.declines = n != 0;
        else if (strcmp(word, "mute") == 0)
                w->phone.mute = (unsigned)n;
        else if (strcmp(word, "again") == 0)
                w->phone.shows_again = n != 0;
        else if (strcmp(word, "revoke") == 0)
                offer(w, ++w->issued_s, true);
        else if (strcmp(word, "withdraw") == 0) {
                w->region.trust.count--; /* it was listed last */
                put_trust(w);
        } else if (strcmp(word, "list") == 0)
                offer(w, (uint32_t)(w->phone.now_s + n), false);
        if (strcmp(word, "text") == 0) {
                phone_text(&w->phone, text);
                printf("%s\n", text);
        } else if (strcmp(word, "told") == 0) {
                printf("%u %u\n", w->phone.verdicts, w->phone.last_verdict);
        } else {
                printf("ok\n");
        }
}

int main(int argc, char **argv)
{
        static struct world w = { .fd = -1 };
        char line[128];

        if (argc != 3)
                return 2;
        w.folder = argv[1];
        setvbuf(stdout, NULL, _IOLBF, 0);
        setvbuf(stdin, NULL, _IONBF, 0);
        make(&w, (uint8_t)atoi(argv[2]), (uint32_t)time(NULL));
        printf("ready\n");
        for (;;) {
                struct pollfd wait[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = w.fd, .events = POLLIN } };

                if (poll(wait, 2, -1) < 0)
                        return 1;
                w.phone.now_s = (uint32_t)time(NULL);
                if (wait[1].revents != 0 && !phone_turn(&w.phone, w.fd))
                        take_off(&w);
                if (wait[0].revents != 0) {
                        if (fgets(line, sizeof(line), stdin) == NULL)
                                return 0;
                        obey(&w, line);
                }
        }
}
