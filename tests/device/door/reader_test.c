/* Door and phone, each as it is, over a byte pipe; and a reader in front of answers that no honest phone gives. */
#include "tests/device/door/phone.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "device/door/reader.h"

struct scene {
        struct door region;
        struct phone phone;
        struct reader reader;
        uint8_t list[STATUS_MAX], big[STATUS_MAX];
        unsigned sent;
};

static void scene_make(struct scene *s)
{
        memset(s, 0, sizeof(*s));
        door_open(&s->region, BUILDINGS, DOOR_NFC);
        phone_make(&s->phone, &s->region, NOW_S);
        for (size_t i = 0; i < sizeof(s->big); i++)
                s->big[i] = (uint8_t)(i * 7 + i / 256);
}

/* carry: play until the reader wants something of its owner. */
static enum reader_next carry(struct scene *s, enum reader_next next, int fd)
{
        uint8_t answer[ISO7816_ANSWER_MAX];
        ssize_t len;

        while (next == READER_SEND || next == READER_AGAIN) {
                if (next == READER_AGAIN)
                        next = reader_again(&s->reader);
                s->sent++;
                assert_true(pipe_send(fd, s->reader.command, s->reader.command_len));
                len = pipe_receive(fd, answer, sizeof(answer));
                assert_true(len >= 2);
                next = reader_answer(&s->reader, (struct cbor_span){ answer, (size_t)len });
        }
        return next;
}

/* begin: the phone in a process of its own, with a pipe in between. */
static pid_t begin(struct scene *s, int *ret_fd)
{
        int ends[2];
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                close(ends[0]);
                while (phone_turn(&s->phone, ends[1]))
                        ;
                _exit(s->phone.verdicts == 1 ? (int)s->phone.last_verdict : 255);
        }
        close(ends[1]);
        *ret_fd = ends[0];
        return pid;
}

static int finish(pid_t pid, int fd)
{
        int status;

        close(fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void both(void **state)
{
        static struct scene s;
        struct cbor_span pass, proof;
        uint8_t off = 0;
        pid_t pid;
        int fd;

        scene_make(&s);
        s.phone.pin_polls = 3;
        apdu_offer_list(&s.phone.card, (struct cbor_span){ s.big, 1000 }, 77);
        pid = begin(&s, &fd);

        /* the power goes in the middle: the phone begins anew, as if nothing had been */
        assert_int_equal(reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), READER_SEND);
        assert_true(pipe_send(fd, s.reader.command, s.reader.command_len));
        assert_true(pipe_receive(fd, s.list, 300) > 2);
        assert_true(pipe_send(fd, &off, 1));

        assert_int_equal(carry(&s, reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), fd), READER_SHOWN);
        assert_true(s.region.signed_hello.len > ISO7816_DATA_MAX);    /* so the hello was chained */
        assert_true(reader_shown(&s.reader).len > ISO7816_PIECE_MAX); /* and the answer came in pieces */
        assert_int_equal(s.reader.asked, 3);
        assert_int_equal(presentation_read(reader_shown(&s.reader), &pass, &proof), 0);
        s.region.question.pass = pass;
        s.region.question.proof = proof;
        assert_int_equal(door_ask(&s.region), PASS_GOOD);
        assert_int_equal(s.reader.offered_at_s, 77);
        assert_int_equal(carry(&s, reader_verdict(&s.reader, 7, NOW_S, true), fd), READER_END);
        assert_int_equal(s.reader.why, READER_GOOD);
        assert_int_equal(s.reader.list_len, 1000);
        assert_memory_equal(s.list, s.big, 1000);
        assert_int_equal(finish(pid, fd), 7);
        door_close(&s.region);
}

static void largest_list(void **state)
{
        static struct scene s;
        pid_t pid;
        int fd;

        scene_make(&s);
        apdu_offer_list(&s.phone.card, (struct cbor_span){ s.big, sizeof(s.big) }, 77);
        pid = begin(&s, &fd);
        carry(&s, reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), fd);
        assert_int_equal(carry(&s, reader_verdict(&s.reader, 0, NOW_S, true), fd), READER_END);
        assert_int_equal(s.reader.list_len, STATUS_MAX);
        assert_memory_equal(s.list, s.big, STATUS_MAX);
        assert_int_equal(finish(pid, fd), 0);
        door_close(&s.region);
}

/* The phone's no: another region's door, the carrier's, and no PIN in a minute. */
static void refusals(void **state)
{
        static struct scene s;
        struct bytes hello;
        pid_t pid;
        int fd;

        scene_make(&s);
        hello = s.region.signed_hello;
        hello.at[hello.len - 1] ^= 1;
        pid = begin(&s, &fd);
        assert_int_equal(carry(&s, reader_begin(&s.reader, span_of(&hello), s.list), fd), READER_END);
        assert_int_equal(s.reader.why, READER_DECLINED);
        finish(pid, fd);

        s.phone.declines = true;
        pid = begin(&s, &fd);
        assert_int_equal(carry(&s, reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), fd), READER_END);
        assert_int_equal(s.reader.why, READER_DECLINED);
        finish(pid, fd);

        s.phone.declines = false;
        s.phone.pin_polls = READER_AGAIN_MAX - 1;
        pid = begin(&s, &fd);
        assert_int_equal(carry(&s, reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), fd), READER_SHOWN);
        finish(pid, fd);

        s.phone.pin_polls = READER_AGAIN_MAX;
        pid = begin(&s, &fd);
        assert_int_equal(carry(&s, reader_begin(&s.reader, span_of(&s.region.signed_hello), s.list), fd), READER_END);
        assert_int_equal(s.reader.why, READER_NO_PROOF);
        finish(pid, fd);
        door_close(&s.region);
}

/* ---- answers that no honest phone gives */

static enum reader_next hear(struct scene *s, const char *hex)
{
        struct octets answer = octets_from(hex);

        return reader_answer(&s->reader, octets_span(&answer));
}

static void expect_end(struct scene *s, const char *hex, enum reader_why why)
{
        assert_int_equal(hear(s, hex), READER_END);
        assert_int_equal(s->reader.why, why);
        assert_int_equal(s->reader.list_len, 0);
}

static void reach(struct scene *s, enum reader_step step)
{
        static const struct cbor_span hello = { (const uint8_t *)"hello", 5 };

        reader_begin(&s->reader, hello, s->list);
        if (step >= READER_GREETING)
                assert_int_equal(hear(s, "8301181E1901F49000"), READER_SEND); /* a list of 30, 500 octets */
        if (step >= READER_PROVING)
                assert_int_equal(hear(s, "9000"), READER_SEND);
        if (step >= READER_JUDGING)
                assert_int_equal(hear(s, "AABB9000"), READER_SHOWN);
        if (step >= READER_TELLING)
                assert_int_equal(reader_verdict(&s->reader, 0, 1, true), READER_SEND);
        if (step >= READER_LISTING)
                assert_int_equal(hear(s, "9000"), READER_SEND);
        assert_int_equal(s->reader.step, step);
}

static void dishonest(void **state)
{
        static struct scene s;
        char hex[2 * (256 + 2) + 1];

        for (enum reader_step step = READER_SELECTING; step <= READER_LISTING; step++) {
                reach(&s, step);
                expect_end(&s, "", READER_BROKEN);
                reach(&s, step);
                expect_end(&s, "90", READER_BROKEN);
        }
        reach(&s, READER_SELECTING);
        expect_end(&s, "6A82", READER_NOT_OURS);
        reach(&s, READER_SELECTING);
        expect_end(&s, "9000", READER_BROKEN); /* no offer */
        reach(&s, READER_SELECTING);
        expect_end(&s, "8301181E9000", READER_BROKEN);
        reach(&s, READER_GREETING);
        expect_end(&s, "6700", READER_BROKEN);
        reach(&s, READER_PROVING);
        expect_end(&s, "6100", READER_BROKEN); /* more, and nothing: for ever */
        reach(&s, READER_TELLING);
        expect_end(&s, "6985", READER_BROKEN);
        reach(&s, READER_JUDGING);
        expect_end(&s, "9000", READER_BROKEN); /* an answer that nobody asked for */

        /* more than any presentation */
        reach(&s, READER_PROVING);
        memset(hex, 'A', sizeof(hex) - 5);
        strcpy(hex + 512, "6100");
        assert_int_equal(hear(&s, hex), READER_SEND);
        assert_int_equal(hear(&s, hex), READER_SEND);
        expect_end(&s, hex, READER_BROKEN);

        /* a list in pieces that are not what was said */
        reach(&s, READER_LISTING);
        memset(hex, 'A', 480);
        strcpy(hex + 480, "9000");
        assert_int_equal(hear(&s, hex), READER_SEND);
        expect_end(&s, "AA9000", READER_BROKEN);
        reach(&s, READER_LISTING);
        expect_end(&s, "9000", READER_BROKEN);
        reach(&s, READER_LISTING);
        assert_int_equal(hear(&s, hex), READER_SEND);
        assert_int_equal(hear(&s, hex), READER_SEND);
        expect_end(&s, hex, READER_BROKEN); /* the last piece is 20 */

        /* one octet more than any list is not fetched */
        reach(&s, READER_TELLING);
        s.reader.offered = STATUS_MAX + 1;
        assert_int_equal(hear(&s, "9000"), READER_END);
        assert_int_equal(s.reader.why, READER_GOOD);
        assert_int_equal(s.reader.list_len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both),
                cmocka_unit_test(largest_list),
                cmocka_unit_test(refusals),
                cmocka_unit_test(dishonest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
