#include "device/door/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/log.h"
#include "device/door/files.h"
#include "device/door/notify.h"

#define STOP   1
#define RELOAD 2

/* What signals asked for. */
static volatile sig_atomic_t asked;

static void on_signal(int signal)
{
        asked |= signal == SIGHUP ? RELOAD : STOP;
}

static uint32_t clock_s(void)
{
        time_t now = time(NULL);

        return now < 0 ? 0 : now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
}

/* ---- start and end */

static void signals_take(void)
{
        struct sigaction action = { .sa_handler = on_signal };

        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGHUP, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
}

/* status_read_files: the list kept, then the one brought; a bad one is said and left alone. */
static void status_read_files(struct serve *s, bool is_start)
{
        struct files_error error;

        if (is_start && files_read_status(s->door.list.path, true, &s->door, clock_s(), &error) < 0)
                log_warn("status", "%s", error.text);
        if (s->config->status[0] != 0 && files_read_status(s->config->status, false, &s->door, clock_s(), &error) < 0)
                log_warn("status", "%s", error.text);
        if (s->door.list.status == NULL)
                log_warn("status", "no status list: %s",
                         s->door.degraded_ok ? "opens all the same (degraded)" : "nobody is let in before one comes");
}

static int log_start(struct serve *s)
{
        struct chain_options options = { .files = (unsigned)s->config->log_files };
        char why[160];
        int r;

        snprintf(options.folder, sizeof(options.folder), "%s", s->config->state);
        r = entrance_start(&s->door, &options, why);
        if (r < 0)
                log_error("log", "%s: %s%s", options.folder, why,
                          r == -EBADMSG ? ".  The door does not start on a log that was changed: move the folder away, "
                                          "keep it, "
                                          "and start with an empty one"
                                        : "");
        return r;
}

int serve_open(const struct config *config, struct serve *s)
{
        char id[2 * DOOR_ID_SIZE + 1];
        struct files_error error;
        int r;

        memset(s, 0, sizeof(*s));
        s->config = config;
        s->door.chain.fd = s->door.chain.lock_fd = -1;
        scanner_init(&s->scanner, config->scanner, config->baud);
        if ((r = files_read(config, &s->door, &error)) < 0) {
                log_error(NULL, "%s", error.text);
                return r;
        }
        opener_init(&s->opener, (struct conf_list *)&config->command, config->timeout_ms);
        s->door.open = opener_start;
        s->door.open_user = &s->opener;
        if ((r = log_start(s)) < 0)
                return r;
        status_read_files(s, true);
        if (s->door.mandate.class == DOOR_NFC && (r = pcsc_open(config->reader, &s->pcsc)) < 0)
                return r;
        signals_take();
        hex_encode(s->door.mandate.door, DOOR_ID_SIZE, id);
        log_info("door", "%s ready, by %s, %llu entries in its log", id, s->pcsc != NULL ? "NFC" : "scanner",
                 (unsigned long long)s->door.chain.number);
        return 0;
}

void serve_close(struct serve *s)
{
        pcsc_close(s->pcsc);
        scanner_close(&s->scanner);
        entrance_close(&s->door);
}

/* ---- what is said */

/* put: a line on standard output, where somebody reads that: a door waits for no screen. */
static void put(const char *line, size_t len)
{
        struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

        if (poll(&out, 1, 0) != 1 || write(STDOUT_FILENO, line, len) < 0)
                log_debug("door", "nobody reads standard output");
}

/* say: one line on standard output, for a screen or a lamp beside the door; and the log's. */
static void say(const struct pass_verdict *v, bool opened)
{
        char id[2 * PASS_ID_SIZE + 1], line[96];
        int len;

        hex_encode(v->pass.id, PASS_ID_SIZE, id);
        if (v->refusal != PASS_GOOD)
                len = snprintf(line, sizeof(line), "refused %d %s\n", (int)v->refusal, pass_refusal_name(v->refusal));
        else
                len = snprintf(line, sizeof(line), "%s%s\n", opened ? "open" : "shut", v->degraded ? " degraded" : "");
        put(line, (size_t)len);
        line[len - 1] = 0;
        if (v->refusal != PASS_GOOD && v->refusal <= PASS_FORGED)
                log_info("door", "%s", line); /* whose it was nobody has signed */
        else
                log_info("door", "%s, pass %s", line, id);
}

/* trouble: say it once, and when it is over. */
static void trouble(struct serve *s, int error, const char *what)
{
        if (error == s->trouble)
                return;
        if (error < 0)
                log_warn("reader", "%s: %s", what, strerror(-error));
        else
                log_info("reader", "%s: there again", what);
        s->trouble = error;
}

/* ---- turns */

/* rest: what happens beside waiting.  Returns whether to go on. */
static bool rest(struct serve *s, int ms)
{
        if (ms > 0)
                poll(NULL, 0, ms);
        opener_tick(&s->opener);
        notify("WATCHDOG=1");
        return (asked & STOP) == 0;
}

static int judge(struct serve *s, const struct entrance_shown *shown, struct pass_verdict *ret_verdict,
                 bool *ret_opened)
{
        int r = entrance_judge(&s->door, shown, ret_verdict, ret_opened);

        if (r < 0)
                log_error("log", "not written: %s", strerror(-r));
        else
                say(ret_verdict, *ret_opened);
        return r;
}

/* on_shown: a phone gave its proof: decide, and tell it.  A door that could not be opened tells nothing. */
static int on_shown(struct serve *s, struct cbor_span hello, enum reader_next *ret_next)
{
        struct entrance_shown shown = { reader_shown(&s->reader), hello, clock_s() };
        const struct status_bits *held = s->door.list.status;
        struct pass_verdict v;
        bool opened;
        int r = judge(s, &shown, &v, &opened);

        if (r < 0 || (v.refusal == PASS_GOOD && !opened)) {
                *ret_next = READER_END;
                return r;
        }
        *ret_next =
                reader_verdict(&s->reader, v.refusal, entrance_now(&s->door, shown.clock_s),
                               v.refusal == PASS_GOOD && (held == NULL || s->reader.offered_at_s > held->issued_at_s));
        return 0;
}

static enum reader_next carry(struct serve *s)
{
        struct cbor_span command = { s->reader.command, s->reader.command_len };
        uint8_t answer[ISO7816_ANSWER_MAX];
        int len = pcsc_transmit(s->pcsc, command, answer, sizeof(answer));

        if (len < 0)
                log_info("reader", "the phone went before the end");
        if (len < 0 || !rest(s, 0)) {
                s->reader.list_len = 0;
                return READER_END;
        }
        return reader_answer(&s->reader, (struct cbor_span){ answer, (size_t)len });
}

static void take_list(struct serve *s)
{
        int r = entrance_take_list(&s->door, (struct cbor_span){ s->list, s->reader.list_len }, clock_s());

        if (r == 1)
                log_info("status", "a newer list came by a phone, issued %u", s->door.list.status->issued_at_s);
        else if (r < 0)
                log_warn("status", "a phone's list was not taken: %s", strerror(-r));
}

/* contact: one phone, from its hello to its list. */
static int contact(struct serve *s)
{
        uint8_t octets[HELLO_MAX];
        struct cbor_writer w;
        enum reader_next next;
        int r;

        cbor_writer_init(&w, octets, sizeof(octets));
        if ((r = entrance_hello(&s->door, clock_s(), &w)) < 0) {
                log_error("door", "no hello: %s", strerror(-r));
                return 0;
        }
        next = reader_begin(&s->reader, cbor_written(&w), s->list);
        while (next != READER_END && r == 0) {
                if (next == READER_SEND)
                        next = carry(s);
                else if (next == READER_SHOWN)
                        r = on_shown(s, cbor_written(&w), &next);
                else
                        next = rest(s, READER_AGAIN_MS) ? reader_again(&s->reader) : READER_END;
        }
        if (s->reader.why != READER_GOOD)
                log_info("reader", "%s", reader_why_text(s->reader.why));
        else if (s->reader.list_len > 0)
                take_list(s);
        return r;
}

static int turn_nfc(struct serve *s)
{
        int r = pcsc_wait(s->pcsc, SERVE_TURN_MS);

        trouble(s, r < 0 ? r : 0, r == -EHOSTDOWN ? "pcscd" : "NFC reader");
        if (r < 0)
                rest(s, SERVE_RETRY_MS);
        if (r != 1)
                return 0;
        r = contact(s);
        pcsc_release(s->pcsc);
        return r;
}

static int turn_scanner(struct serve *s)
{
        struct entrance_shown shown = { .hello = { NULL, 0 } };
        struct pass_verdict v;
        bool opened;
        int r = scanner_wait(&s->scanner, SERVE_TURN_MS, &shown.presentation);

        if (r == -EPIPE) {
                asked |= STOP;
                return 0;
        }
        trouble(s, r < 0 ? r : 0, s->config->scanner);
        if (r < 0)
                rest(s, SERVE_RETRY_MS);
        if (r != 1)
                return 0;
        shown.clock_s = clock_s();
        return judge(s, &shown, &v, &opened);
}

/* reload: a newer trust list may have withdrawn the key that signed the status list: that is then read again, as at the start. */
static void reload(struct serve *s)
{
        uint32_t number = s->door.trust.number;
        struct files_error error;

        asked &= ~RELOAD;
        if (files_read_trust(s->config, &s->door, &error) < 0)
                log_warn("trust", "%s: the one held stays", error.text);
        else
                log_info("trust", "list %u", s->door.trust.number);
        if (s->door.trust.number != number)
                s->door.list.status = NULL;
        status_read_files(s, s->door.trust.number != number);
}

int serve_run(struct serve *s)
{
        int r = 0;

        notify("READY=1");
        while (r == 0 && rest(s, 0)) {
                if ((asked & RELOAD) != 0)
                        reload(s);
                r = s->pcsc != NULL ? turn_nfc(s) : turn_scanner(s);
        }
        return r;
}
