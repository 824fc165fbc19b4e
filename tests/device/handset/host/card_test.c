/* The phone held to a reader: a real TCP connection as vsmartcard's virtual reader makes it, with a door's side made up. */
#include "tests/device/handset/host/support.h"

#include "device/handset/host/card.h"
#include "tests/device/handset/host/round.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static struct round r;

struct scene {
        struct loop *loop;
        struct card *card;
        int listener, fd; /* the reader's */
        char address[32];
        bool known;
        unsigned hellos, verdicts, aways, refusal;
        uint32_t session;
        uint8_t in[600];
        ssize_t len; /* of the answer that came last */
};

static bool on_hello(void *user, struct cbor_span hello, uint32_t session)
{
        struct scene *s = user;

        s->hellos++;
        s->session = session;
        assert_int_equal(hello.len, r.region.signed_hello.len);
        return s->known;
}

static void on_verdict(void *user, unsigned refusal, uint32_t time_s)
{
        struct scene *s = user;

        s->verdicts++;
        s->refusal = refusal;
}

static void on_away(void *user)
{
        ((struct scene *)user)->aways++;
}

static void begin(struct scene *s)
{
        struct sockaddr_in at = { .sin_family = AF_INET };
        socklen_t size = sizeof(at);
        struct card_options options = { .user = s, .hello = on_hello, .verdict = on_verdict, .away = on_away };

        memset(s, 0, sizeof(*s));
        s->known = true;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        s->listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(listen(s->listener, 4), 0);
        getsockname(s->listener, (struct sockaddr *)&at, &size);
        snprintf(s->address, sizeof(s->address), "localhost:%d", ntohs(at.sin_port));
        assert_int_equal(loop_open(&s->loop), 0);
        options.loop = s->loop;
        options.address = s->address;
        assert_int_equal(card_open(&options, &s->card), 0);
}

static void hold(struct scene *s)
{
        assert_int_equal(card_hold(s->card), 0);
        s->fd = accept(s->listener, NULL, NULL);
        assert_true(s->fd >= 0);
        turn(s->loop, 20);
}

static void end(struct scene *s)
{
        card_close(s->card);
        assert_int_equal(loop_close(s->loop), 0);
        close(s->fd);
        close(s->listener);
}

/* say: a message to the phone; its answer is in `in`, -1 where there is none. */
static void say(struct scene *s, const void *octets, size_t len)
{
        uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };
        int64_t until_mono_ms = clock_mono_ms() + 2000;
        uint8_t all[600];
        ssize_t n = -1;

        assert_int_equal(send(s->fd, head, 1, MSG_NOSIGNAL), 1); /* in pieces, as TCP may */
        turn(s->loop, 2);
        assert_int_equal(send(s->fd, head + 1, 1, MSG_NOSIGNAL), 1);
        assert_int_equal(send(s->fd, octets, len, MSG_NOSIGNAL), len);
        while (n <= 0 && clock_mono_ms() < until_mono_ms) {
                turn(s->loop, 2);
                n = recv(s->fd, all, sizeof(all), MSG_DONTWAIT);
                if (n == 0 || (len == 1 && ((const uint8_t *)octets)[0] != 4))
                        break;
        }
        s->len = n > 2 ? n - 2 : -1;
        if (n > 2)
                memcpy(s->in, all + 2, (size_t)n - 2);
}

static unsigned status(const struct scene *s)
{
        return s->len >= 2 ? (unsigned)s->in[s->len - 2] << 8 | s->in[s->len - 1] : 0;
}

static void command(struct scene *s, struct iso7816_command c)
{
        uint8_t apdu[ISO7816_COMMAND_MAX];

        say(s, apdu, iso7816_command_write(&c, apdu));
}

static void say_hello(struct scene *s)
{
        struct cbor_span rest = span_of(&r.region.signed_hello);

        command(s,
                (struct iso7816_command){ .ins = ISO7816_SELECT, .p1 = 4, .data = CBOR_LITERAL(ISO7816_APPLICATION) });
        assert_int_equal(status(s), ISO7816_OK);
        while (rest.len > ISO7816_DATA_MAX) {
                command(s, (struct iso7816_command){ .cla = ISO7816_CLA_OURS | ISO7816_CHAIN,
                                                     .ins = ISO7816_HELLO,
                                                     .data = { rest.at, ISO7816_DATA_MAX } });
                assert_int_equal(status(s), ISO7816_OK);
                rest.at += ISO7816_DATA_MAX;
                rest.len -= ISO7816_DATA_MAX;
        }
        command(s, (struct iso7816_command){ .cla = ISO7816_CLA_OURS, .ins = ISO7816_HELLO, .data = rest });
}

static void tell_verdict(struct scene *s, unsigned refusal)
{
        uint8_t verdict[ISO7816_VERDICT_MAX];
        size_t len = iso7816_verdict_write(refusal, NOW_S, verdict);

        command(s,
                (struct iso7816_command){ .cla = ISO7816_CLA_OURS, .ins = ISO7816_VERDICT, .data = { verdict, len } });
        assert_int_equal(status(s), ISO7816_OK);
}

static void opens(void **state)
{
        struct iso7816_command proof = { .cla = ISO7816_CLA_OURS, .ins = ISO7816_PROOF };
        uint8_t shown[400];
        struct scene s;

        memset(shown, 0x5A, sizeof(shown));
        begin(&s);
        hold(&s);
        assert_int_equal(card_hold(s.card), -EALREADY);
        say(&s, (const uint8_t[]){ 1 }, 1);
        say(&s, (const uint8_t[]){ 4 }, 1);
        assert_int_equal(s.len, 5);
        assert_int_equal(s.in[0], 0x3B);
        say_hello(&s);
        assert_int_equal(status(&s), ISO7816_OK);
        assert_int_equal(s.hellos, 1);
        command(&s, proof);
        assert_int_equal(status(&s), ISO7816_ASKED); /* the PIN is asked for */
        assert_int_equal(card_present(s.card, s.session + 1, CBOR_OCTETS(shown)), -ESTALE);
        assert_int_equal(card_present(s.card, s.session, CBOR_OCTETS(shown)), 0);
        command(&s, proof);
        assert_int_equal(status(&s) & 0xFF00, ISO7816_MORE);
        assert_memory_equal(s.in, shown, ISO7816_DATA_MAX);
        command(&s, (struct iso7816_command){ .ins = ISO7816_GET_RESPONSE });
        assert_int_equal(status(&s), ISO7816_OK);
        tell_verdict(&s, 0);
        assert_int_equal(s.verdicts, 1);
        assert_int_equal(s.refusal, 0);
        turn(s.loop, CARD_AFTER_MS + 200);
        assert_false(card_is_held(s.card)); /* by itself */
        assert_int_equal(s.aways, 1);
        end(&s);
}

/* A list that comes during a contact is the next one's: the reader goes on with the one that it was offered. */
static void newer_list(void **state)
{
        static const uint8_t old[] = "old", new[] = "new";
        struct scene s;

        begin(&s);
        card_offer(s.card, CBOR_OCTETS(old), NOW_S);
        hold(&s);
        assert_false(card_reads(s.card, old) || card_reads(s.card, NULL));
        say_hello(&s);
        card_offer(s.card, CBOR_OCTETS(new), NOW_S + 1);
        assert_true(card_reads(s.card, old));
        assert_false(card_reads(s.card, new));
        command(&s, (struct iso7816_command){ .cla = ISO7816_CLA_OURS, .ins = ISO7816_LIST });
        assert_int_equal(status(&s), ISO7816_OK);
        assert_memory_equal(s.in, old, sizeof(old));
        card_away(s.card);
        assert_false(card_reads(s.card, old));
        end(&s);
}

static void refuses(void **state)
{
        struct scene s;

        begin(&s);
        s.known = false;
        hold(&s);
        say_hello(&s);
        assert_int_equal(status(&s), ISO7816_OUT_OF_TURN);
        s.known = true;
        say_hello(&s);
        card_withdraw(s.card, s.session);
        command(&s, (struct iso7816_command){ .cla = ISO7816_CLA_OURS, .ins = ISO7816_PROOF });
        assert_int_equal(status(&s), ISO7816_OUT_OF_TURN);
        say(&s, (const uint8_t[]){ 0 }, 1); /* the field goes: all is forgotten */
        command(&s, (struct iso7816_command){ .cla = ISO7816_CLA_OURS, .ins = ISO7816_PROOF });
        assert_int_equal(status(&s), ISO7816_OUT_OF_TURN);
        end(&s);
}

/* A reader that is not there, that goes, or that says what no reader says. */
static void no_reader(void **state)
{
        struct scene s;
        uint8_t long_one[2] = { 0xFF, 0xFF };

        begin(&s);
        hold(&s);
        close(s.fd);
        turn(s.loop, 100);
        assert_int_equal(s.aways, 1);
        hold(&s);
        assert_int_equal(send(s.fd, long_one, 2, MSG_NOSIGNAL), 2);
        turn(s.loop, 100);
        assert_int_equal(s.aways, 2);
        close(s.fd);
        close(s.listener);
        assert_int_equal(card_hold(s.card), 0);
        turn(s.loop, 100);
        assert_int_equal(s.aways, 3);
        assert_false(card_is_held(s.card));
        s.fd = s.listener = -1;
        end(&s);
}

static int open_round(void **state)
{
        round_open(&r);
        door_close(&r.region);
        door_open(&r.region, 4, DOOR_NFC);
        return 0;
}

static int close_round(void **state)
{
        round_close(&r);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(opens),
                cmocka_unit_test(newer_list),
                cmocka_unit_test(refuses),
                cmocka_unit_test(no_reader),
        };

        return cmocka_run_group_tests(tests, open_round, close_round);
}
