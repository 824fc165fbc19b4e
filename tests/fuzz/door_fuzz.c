/* Between phone and door: the card under any commands, the reader under any answers, an entry of a log and all that
 * inspect knows of passes under any octets.  The first octet says which; then pieces, each behind an octet of length.
 *
 * The card gives the proof to nobody who has not said a hello that its host took, and answers each command with a
 * status word.  The reader comes to an end: no answers, however they are made, keep it longer than its bounds. */
#include <stdlib.h>
#include <string.h>

#include "device/door/reader.h"
#include "device/handset/apdu.h"
#include "wire/door_log.h"
#include "wire/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(bool condition)
{
        if (!condition)
                abort();
}

/* piece: the next one of IN. */
static struct cbor_span piece(struct cbor_span *in)
{
        size_t len = in->at[0];
        struct cbor_span p;

        in->at++;
        in->len--;
        p = (struct cbor_span){ in->at, len < in->len ? len : in->len };
        in->at += p.len;
        in->len -= p.len;
        return p;
}

static void card(struct cbor_span in)
{
        static const uint8_t secret[16] = { 0x53, 0x45, 0x43, 0x52, 0x45, 0x54, 0x21, 0x7E };
        static uint8_t list[1000];
        struct apdu_card c;
        struct apdu_todo todo;
        uint8_t answer[ISO7816_ANSWER_MAX];
        bool greeted = false;

        apdu_init(&c);
        apdu_offer_list(&c, CBOR_OCTETS(list), 5);
        while (in.len > 0) {
                struct cbor_span command = piece(&in);
                size_t len = apdu_command(&c, command, answer, &todo);

                if (todo.kind == APDU_JUDGE_HELLO) {
                        holds(len == 0 && todo.hello.len > 0 && todo.hello.len <= HELLO_MAX);
                        greeted = todo.hello.at[0] % 2 == 0;
                        if (greeted)
                                holds(apdu_present(&c, todo.session, CBOR_OCTETS(secret)) == 0);
                        len = apdu_greet(&c, greeted, answer);
                }
                holds(len >= 2 && len <= sizeof(answer));
                if (!greeted && len >= 10)
                        holds(memcmp(answer, secret, 8) != 0);
        }
}

static void reader(struct cbor_span in)
{
        static struct reader r;
        static uint8_t hello[HELLO_MAX], list[STATUS_MAX];
        enum reader_next next = reader_begin(&r, CBOR_OCTETS(hello), list);

        while (next != READER_END && in.len > 0) {
                if (next == READER_SHOWN) {
                        holds(reader_shown(&r).len <= PRESENTATION_MAX);
                        next = reader_verdict(&r, 0, 1, true);
                } else if (next == READER_AGAIN) {
                        next = reader_again(&r);
                } else {
                        holds(r.command_len >= 5 && r.command_len <= ISO7816_COMMAND_MAX);
                        next = reader_answer(&r, piece(&in));
                }
        }
        holds(r.list_len <= STATUS_MAX && r.asked <= READER_AGAIN_MAX);
        if (next == READER_END)
                holds(r.why != READER_GOOD || r.list_len == 0 || r.list_len == r.offered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char to[1 << 14];
        struct cbor_span in = { data + 1, size - 1 };
        struct door_log_signed entry;
        struct inspect_text text;

        if (size < 2)
                return 0;
        switch (data[0] % 3) {
        case 0:
                card(in);
                break;
        case 1:
                reader(in);
                break;
        default:
                if (door_log_read(in, &entry, NULL) == 0)
                        holds(entry.entry.number > 0 && entry.entry.class < DOOR_CLASS_END);
                inspect_text_init(&text, to, sizeof(to));
                inspect_print(in, &text, NULL);
        }
        return 0;
}
