#include "device/handset/host/card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"
#include "device/handset/host/config.h"

#define MESSAGE_MAX ISO7816_COMMAND_MAX /* a longer one is no short APDU: the contact ends */
#define READS_MAX   64                  /* messages in one turn of the loop */

struct card {
        struct card_options options;
        struct sockaddr_in to;
        struct apdu_card apdu;
        int fd; /* -1: not held */
        bool connected, told;
        int64_t end_mono_ms; /* then it is taken away in any case */
        uv_poll_t *poll;
        struct wheel_timer limit;
        uint8_t in[2 + MESSAGE_MAX];
        size_t len;
};

static void free_poll(uv_handle_t *handle)
{
        free(handle);
}

void card_away(struct card *card)
{
        loop_timer_cancel(card->options.loop, &card->limit);
        if (card->poll != NULL) {
                uv_poll_stop(card->poll);
                uv_close((uv_handle_t *)card->poll, free_poll);
                card->poll = NULL;
        }
        if (card->fd >= 0)
                close(card->fd);
        card->fd = -1;
        card->connected = card->told = false;
        card->len = 0;
        apdu_power_off(&card->apdu);
}

/* A reader that asks on and on does not keep it. */
static void arm_limit(struct card *card, int64_t in_ms)
{
        int64_t due_mono_ms = clock_mono_ms() + in_ms;

        loop_timer_arm(card->options.loop, &card->limit,
                       due_mono_ms < card->end_mono_ms ? due_mono_ms : card->end_mono_ms);
}

static void lose(struct card *card)
{
        card_away(card);
        card->options.away(card->options.user);
}

static void too_long(struct wheel_timer *timer, int64_t now_mono_ms)
{
        lose(timer->user);
}

/* ---- messages */

/* An answer is 260 octets at most, and the reader waits for it: what does not go at once is no reader. */
static bool send_octets(struct card *card, const uint8_t *at, size_t len)
{
        uint8_t message[2 + ISO7816_ANSWER_MAX];

        message[0] = (uint8_t)(len >> 8);
        message[1] = (uint8_t)len;
        memcpy(message + 2, at, len);
        return send(card->fd, message, 2 + len, MSG_NOSIGNAL) == (ssize_t)(2 + len);
}

static bool on_control(struct card *card, uint8_t what)
{
        static const uint8_t atr[] = { CARD_ATR };

        if (what == CARD_ASKS_ATR)
                return send_octets(card, atr, sizeof(atr));
        apdu_power_off(&card->apdu); /* off, on, reset: all begin anew */
        return true;
}

static bool on_apdu(struct card *card, struct cbor_span apdu)
{
        uint8_t answer[ISO7816_ANSWER_MAX];
        struct apdu_todo todo;
        size_t len = apdu_command(&card->apdu, apdu, answer, &todo);

        if (todo.kind == APDU_JUDGE_HELLO) {
                bool known = card->options.hello(card->options.user, todo.hello, todo.session);

                len = apdu_greet(&card->apdu, known, answer);
        } else if (todo.kind == APDU_VERDICT) {
                card->told = true;
                card->options.verdict(card->options.user, todo.refusal, todo.time_s);
        }
        if (card->told)
                arm_limit(card, CARD_AFTER_MS);
        return send_octets(card, answer, len);
}

/* One whole message, if it is there.  Says whether to go on. */
static bool take_message(struct card *card, bool *ret_went_on)
{
        size_t len = card->len >= 2 ? (size_t)card->in[0] << 8 | card->in[1] : 0;
        bool good = true;

        *ret_went_on = false;
        if (card->len < 2)
                return true;
        if (len == 0 || len > MESSAGE_MAX)
                return false;
        if (card->len < 2 + len)
                return true;
        good = len == 1 ? on_control(card, card->in[2]) : on_apdu(card, (struct cbor_span){ card->in + 2, len });
        if (card->fd < 0)
                return true; /* taken away meanwhile */
        card->len -= 2 + len;
        memmove(card->in, card->in + 2 + len, card->len);
        *ret_went_on = true;
        return good;
}

static bool read_messages(struct card *card)
{
        bool went_on = true;

        for (int i = 0; i < READS_MAX && card->fd >= 0; i++) {
                ssize_t n = recv(card->fd, card->in + card->len, sizeof(card->in) - card->len, 0);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return true;
                if (n <= 0)
                        return false;
                card->len += (size_t)n;
                do {
                        if (!take_message(card, &went_on))
                                return false;
                } while (went_on);
        }
        return true;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
        struct card *card = poll->data;
        socklen_t size = sizeof(int);
        int error = 0;

        if (status == 0 && !card->connected) {
                getsockopt(card->fd, SOL_SOCKET, SO_ERROR, &error, &size);
                card->connected = error == 0;
                if (card->connected)
                        uv_poll_start(poll, UV_READABLE, on_ready);
                status = error;
        } else if (status == 0 && !read_messages(card)) {
                status = -EIO;
        }
        if (status != 0)
                lose(card);
}

/* ---- held and away */

int card_open(const struct card_options *options, struct card **ret_card)
{
        struct card *card = calloc(1, sizeof(*card));
        char host[128];
        int port = config_port_of(options->address, host);

        if (card == NULL)
                return -ENOMEM;
        card->options = *options;
        card->fd = -1;
        card->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
        if (port < 0 ||
            inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &card->to.sin_addr) != 1) {
                free(card);
                return -EINVAL;
        }
        apdu_init(&card->apdu);
        wheel_timer_init(&card->limit, too_long, card);
        *ret_card = card;
        return 0;
}

int card_hold(struct card *card)
{
        if (card->fd >= 0)
                return -EALREADY;
        card->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        card->poll = card->fd >= 0 ? calloc(1, sizeof(*card->poll)) : NULL;
        if (card->poll == NULL || uv_poll_init(loop_uv(card->options.loop), card->poll, card->fd) < 0) {
                free(card->poll);
                card->poll = NULL;
                card_away(card);
                return -ENOMEM;
        }
        card->poll->data = card;
        if (connect(card->fd, (struct sockaddr *)&card->to, sizeof(card->to)) < 0 && errno != EINPROGRESS) {
                int error = -errno;

                card_away(card);
                return error;
        }
        uv_poll_start(card->poll, UV_WRITABLE, on_ready);
        card->end_mono_ms = clock_mono_ms() + CARD_HELD_MS;
        arm_limit(card, CARD_HELD_MS);
        return 0;
}

bool card_is_held(const struct card *card)
{
        return card->fd >= 0;
}

int card_present(struct card *card, uint32_t session, struct cbor_span presentation)
{
        return apdu_present(&card->apdu, session, presentation);
}

void card_withdraw(struct card *card, uint32_t session)
{
        apdu_withdraw(&card->apdu, session);
}

void card_offer(struct card *card, struct cbor_span list, uint32_t issued_at_s)
{
        apdu_offer_list(&card->apdu, list, issued_at_s);
}

bool card_reads(const struct card *card, const void *list)
{
        return list != NULL && card->apdu.offered.at == list;
}

void card_close(struct card *card)
{
        if (card == NULL)
                return;
        card_away(card);
        free(card);
}
