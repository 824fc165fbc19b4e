#include "device/door/reader.h"

#include <string.h>

static enum reader_next end(struct reader *r, enum reader_why why)
{
        r->why = why;
        if (why != READER_GOOD)
                r->list_len = 0;
        return READER_END;
}

static enum reader_next send(struct reader *r, struct iso7816_command command)
{
        r->command_len = iso7816_command_write(&command, r->command);
        return READER_SEND;
}

static enum reader_next ask(struct reader *r, uint8_t ins, unsigned parameter)
{
        return send(r, (struct iso7816_command){ .cla = ISO7816_CLA_OURS,
                                                 .ins = ins,
                                                 .p1 = (uint8_t)(parameter >> 8),
                                                 .p2 = (uint8_t)parameter });
}

/* greet: the next piece of the hello. */
static enum reader_next greet(struct reader *r)
{
        struct iso7816_command c = { .cla = ISO7816_CLA_OURS, .ins = ISO7816_HELLO };
        size_t left = r->hello.len - r->greeted;

        c.data = (struct cbor_span){ r->hello.at + r->greeted, left };
        if (left > ISO7816_DATA_MAX) {
                c.cla |= ISO7816_CHAIN;
                c.data.len = ISO7816_DATA_MAX;
        }
        r->greeted += c.data.len;
        r->step = READER_GREETING;
        return send(r, c);
}

static enum reader_next prove(struct reader *r)
{
        r->step = READER_PROVING;
        r->got_len = 0;
        return ask(r, ISO7816_PROOF, 0);
}

static enum reader_next list_next(struct reader *r)
{
        r->step = READER_LISTING;
        r->got_len = 0;
        return ask(r, ISO7816_LIST, (unsigned)(r->list_len / ISO7816_LIST_PIECE));
}

enum reader_next reader_begin(struct reader *r, struct cbor_span hello, uint8_t *list)
{
        memset(r, 0, sizeof(*r));
        r->hello = hello;
        r->list = list;
        return send(r, (struct iso7816_command){
                               .ins = ISO7816_SELECT, .p1 = 4, .data = CBOR_LITERAL(ISO7816_APPLICATION) });
}

/* collect: the data of an answer.  Returns true when all of it is there; false with *ret_next set where it is not. */
static bool collect(struct reader *r, struct cbor_span data, unsigned word, enum reader_next *ret_next)
{
        if (data.len > sizeof(r->got) - r->got_len || ((word & 0xFF00) == ISO7816_MORE && data.len == 0)) {
                *ret_next = end(r, READER_BROKEN);
                return false;
        }
        if (data.len > 0)
                memcpy(r->got + r->got_len, data.at, data.len);
        r->got_len += data.len;
        if ((word & 0xFF00) == ISO7816_MORE)
                *ret_next = send(r, (struct iso7816_command){ .ins = ISO7816_GET_RESPONSE });
        return word == ISO7816_OK;
}

static enum reader_next on_select(struct reader *r, unsigned word)
{
        if (word != ISO7816_OK)
                return end(r, READER_NOT_OURS);
        if (iso7816_offer_read((struct cbor_span){ r->got, r->got_len }, &r->offered_at_s, &r->offered) < 0)
                return end(r, READER_BROKEN);
        return greet(r);
}

static enum reader_next on_greeted(struct reader *r, unsigned word)
{
        if (word != ISO7816_OK)
                return end(r, word == ISO7816_OUT_OF_TURN ? READER_DECLINED : READER_BROKEN);
        return r->greeted < r->hello.len ? greet(r) : prove(r);
}

static enum reader_next on_proof(struct reader *r, unsigned word)
{
        if (word == ISO7816_ASKED)
                return ++r->asked < READER_AGAIN_MAX ? READER_AGAIN : end(r, READER_NO_PROOF);
        if (word != ISO7816_OK)
                return end(r, word == ISO7816_OUT_OF_TURN ? READER_DECLINED : READER_BROKEN);
        r->step = READER_JUDGING;
        return READER_SHOWN;
}

static enum reader_next on_told(struct reader *r, unsigned word)
{
        if (word != ISO7816_OK)
                return end(r, READER_BROKEN);
        if (!r->wants_list || r->offered == 0 || r->offered > STATUS_MAX)
                return end(r, READER_GOOD);
        return list_next(r);
}

static enum reader_next on_list(struct reader *r, unsigned word)
{
        size_t left = r->offered - r->list_len, wanted = left < ISO7816_LIST_PIECE ? left : ISO7816_LIST_PIECE;

        if (word != ISO7816_OK || r->got_len != wanted)
                return end(r, READER_BROKEN);
        memcpy(r->list + r->list_len, r->got, wanted);
        r->list_len += wanted;
        return r->list_len < r->offered ? list_next(r) : end(r, READER_GOOD);
}

enum reader_next reader_answer(struct reader *r, struct cbor_span answer)
{
        static enum reader_next (*const steps[])(struct reader * r, unsigned word) = {
                [READER_SELECTING] = on_select, [READER_GREETING] = on_greeted, [READER_PROVING] = on_proof,
                [READER_TELLING] = on_told,     [READER_LISTING] = on_list,
        };
        enum reader_next next;
        unsigned word;

        if (answer.len < 2 || r->step == READER_JUDGING)
                return end(r, READER_BROKEN);
        word = (unsigned)answer.at[answer.len - 2] << 8 | answer.at[answer.len - 1];
        answer.len -= 2;
        if (word == ISO7816_OK || (word & 0xFF00) == ISO7816_MORE) {
                if (!collect(r, answer, word, &next))
                        return next;
        }
        return steps[r->step](r, word);
}

enum reader_next reader_again(struct reader *r)
{
        return prove(r);
}

struct cbor_span reader_shown(const struct reader *r)
{
        return (struct cbor_span){ r->got, r->got_len };
}

enum reader_next reader_verdict(struct reader *r, unsigned refusal, uint32_t now_s, bool wants_list)
{
        uint8_t verdict[ISO7816_VERDICT_MAX];
        size_t len = iso7816_verdict_write(refusal, now_s, verdict);

        r->step = READER_TELLING;
        r->got_len = 0;
        r->wants_list = wants_list;
        return send(r, (struct iso7816_command){
                               .cla = ISO7816_CLA_OURS, .ins = ISO7816_VERDICT, .data = { verdict, len } });
}

const char *reader_why_text(enum reader_why why)
{
        static const char *const texts[] = {
                [READER_GOOD] = "done",
                [READER_NOT_OURS] = "not a phone of ours",
                [READER_DECLINED] = "the phone does not answer this door",
                [READER_NO_PROOF] = "no PIN within a minute",
                [READER_BROKEN] = "the phone's answer is outside the protocol",
        };

        return texts[why];
}
