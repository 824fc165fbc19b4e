#include "device/handset/apdu.h"

#include <errno.h>
#include <string.h>

#define LIST_MAX 65536 /* PROTOCOL.md 13.5 */

/* The commands, as the table below has them. */
enum command { HELLO, PROOF, LIST, VERDICT, COMMAND_COUNT };

/* Which command has its turn in which state; all others are answered 6985.  SELECT has its turn always. */
static const bool turns[APDU_STATE_COUNT][COMMAND_COUNT] = {
        [APDU_OFF] = { [HELLO] = false, [PROOF] = false, [LIST] = false, [VERDICT] = false },
        [APDU_SELECTED] = { [HELLO] = true, [PROOF] = false, [LIST] = true, [VERDICT] = false },
        [APDU_JUDGING] = { [HELLO] = false, [PROOF] = false, [LIST] = false, [VERDICT] = false },
        [APDU_GREETED] = { [HELLO] = false, [PROOF] = true, [LIST] = true, [VERDICT] = false },
        [APDU_SHOWN] = { [HELLO] = false, [PROOF] = false, [LIST] = true, [VERDICT] = true },
        [APDU_DONE] = { [HELLO] = false, [PROOF] = false, [LIST] = true, [VERDICT] = false },
};

static void forget(struct apdu_card *card)
{
        card->state = APDU_OFF;
        card->hello_len = card->shown_len = 0;
        card->chaining = card->withdrawn = false;
        card->left = card->offered = (struct cbor_span){ NULL, 0 };
        card->session++;
        memset(card->shown, 0, sizeof(card->shown));
}

void apdu_init(struct apdu_card *card)
{
        memset(card, 0, sizeof(*card));
}

void apdu_power_off(struct apdu_card *card)
{
        forget(card);
}

void apdu_offer_list(struct apdu_card *card, struct cbor_span list, uint32_t issued_at_s)
{
        if (list.len > LIST_MAX)
                list.len = 0;
        card->list = list;
        card->list_issued_at_s = list.len > 0 ? issued_at_s : 0;
}

static size_t status(uint8_t *answer, size_t len, unsigned word)
{
        answer[len] = (uint8_t)(word >> 8);
        answer[len + 1] = (uint8_t)word;
        return len + 2;
}

/* give: the next piece of what is left, at most EXPECTED octets. */
static size_t give(struct apdu_card *card, size_t expected, uint8_t *answer)
{
        size_t len = card->left.len < expected ? card->left.len : expected;

        if (len > 0) {
                memcpy(answer, card->left.at, len);
                card->left.at += len;
                card->left.len -= len;
        }
        if (card->left.len == 0)
                return status(answer, len, ISO7816_OK);
        return status(answer, len, ISO7816_MORE | (card->left.len < ISO7816_PIECE_MAX ? card->left.len : 0));
}

static size_t on_select(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer)
{
        if (c->p1 != 4 || c->p2 != 0)
                return status(answer, 0, ISO7816_WRONG_PARAMETER);
        forget(card);
        if (!cbor_equal(c->data, CBOR_LITERAL(ISO7816_APPLICATION)))
                return status(answer, 0, ISO7816_NO_APPLICATION);
        card->state = APDU_SELECTED;
        card->offered = card->list;
        card->offered_at_s = card->list_issued_at_s;
        return status(answer, iso7816_offer_write(card->offered_at_s, (uint32_t)card->offered.len, answer), ISO7816_OK);
}

static size_t on_hello(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer, struct apdu_todo *todo)
{
        bool more = (c->cla & ISO7816_CHAIN) != 0;

        if (!card->chaining)
                card->hello_len = 0;
        card->chaining = more;
        if (c->data.len == 0 || c->data.len > sizeof(card->hello) - card->hello_len) {
                card->chaining = false;
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        }
        memcpy(card->hello + card->hello_len, c->data.at, c->data.len);
        card->hello_len += c->data.len;
        if (more)
                return status(answer, 0, ISO7816_OK);
        card->state = APDU_JUDGING;
        card->session++; /* what is made for an earlier hello comes too late */
        card->shown_len = 0;
        card->withdrawn = false;
        todo->kind = APDU_JUDGE_HELLO;
        todo->hello = (struct cbor_span){ card->hello, card->hello_len };
        return 0;
}

static size_t on_proof(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer)
{
        if (c->data.len > 0)
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        if (card->withdrawn)
                return status(answer, 0, ISO7816_OUT_OF_TURN);
        if (card->shown_len == 0)
                return status(answer, 0, ISO7816_ASKED);
        card->state = APDU_SHOWN;
        card->left = (struct cbor_span){ card->shown, card->shown_len };
        return give(card, c->expected, answer);
}

static size_t on_list(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer)
{
        size_t from = ISO7816_LIST_PIECE * (size_t)(c->p1 << 8 | c->p2), len;

        if (c->data.len > 0)
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        len = from < card->offered.len ? card->offered.len - from : 0;
        if (len > ISO7816_LIST_PIECE)
                len = ISO7816_LIST_PIECE;
        card->left = (struct cbor_span){ len > 0 ? card->offered.at + from : NULL, len };
        return give(card, c->expected, answer);
}

static size_t on_verdict(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer,
                         struct apdu_todo *todo)
{
        if (iso7816_verdict_read(c->data, &todo->refusal, &todo->time_s) < 0)
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        card->state = APDU_DONE;
        todo->kind = APDU_VERDICT;
        return status(answer, 0, ISO7816_OK);
}

/* refuse_form: 0 where class and parameters are those of a command that we know, else the status word to answer. */
static unsigned refuse_form(const struct iso7816_command *c, enum command *ret_command)
{
        static const struct {
                uint8_t ins;
                bool may_chain, takes_parameters;
        } known[COMMAND_COUNT] = { [HELLO] = { ISO7816_HELLO, true, false },
                                   [PROOF] = { ISO7816_PROOF, false, false },
                                   [LIST] = { ISO7816_LIST, false, true },
                                   [VERDICT] = { ISO7816_VERDICT, false, false } };

        for (unsigned i = 0; i < COMMAND_COUNT; i++) {
                if (known[i].ins != c->ins)
                        continue;
                *ret_command = i;
                if (c->cla != ISO7816_CLA_OURS && !(known[i].may_chain && c->cla == (ISO7816_CLA_OURS | ISO7816_CHAIN)))
                        return ISO7816_WRONG_CLASS;
                return known[i].takes_parameters || (c->p1 == 0 && c->p2 == 0) ? 0 : ISO7816_WRONG_PARAMETER;
        }
        return c->cla == ISO7816_CLA_OURS || c->cla == ISO7816_CLA_INTER ? ISO7816_WRONG_INS : ISO7816_WRONG_CLASS;
}

/* ours: a command of class 80. */
static size_t ours(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer, struct apdu_todo *todo)
{
        enum command command;
        unsigned word = refuse_form(c, &command);

        card->left.len = 0;
        if (word != 0)
                return status(answer, 0, word);
        if (!turns[card->state][command] || (card->chaining && command != HELLO)) {
                card->chaining = false;
                return status(answer, 0, ISO7816_OUT_OF_TURN);
        }
        switch (command) {
        case HELLO:
                return on_hello(card, c, answer, todo);
        case PROOF:
                return on_proof(card, c, answer);
        case LIST:
                return on_list(card, c, answer);
        default:
                return on_verdict(card, c, answer, todo);
        }
}

static size_t get_response(struct apdu_card *card, const struct iso7816_command *c, uint8_t *answer)
{
        if (c->p1 != 0 || c->p2 != 0)
                return status(answer, 0, ISO7816_WRONG_PARAMETER);
        if (c->data.len > 0)
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        return card->left.len == 0 ? status(answer, 0, ISO7816_OUT_OF_TURN) : give(card, c->expected, answer);
}

size_t apdu_command(struct apdu_card *card, struct cbor_span in, uint8_t answer[ISO7816_ANSWER_MAX],
                    struct apdu_todo *ret_todo)
{
        struct iso7816_command c;
        size_t len;

        memset(ret_todo, 0, sizeof(*ret_todo));
        if (iso7816_command_read(in, &c) < 0)
                return status(answer, 0, ISO7816_WRONG_LENGTH);
        if (c.ins == ISO7816_SELECT && c.cla == ISO7816_CLA_INTER)
                len = on_select(card, &c, answer);
        else if (c.ins == ISO7816_GET_RESPONSE && c.cla == ISO7816_CLA_INTER)
                len = get_response(card, &c, answer);
        else
                len = ours(card, &c, answer, ret_todo);
        ret_todo->session = card->session;
        return len;
}

size_t apdu_greet(struct apdu_card *card, bool is_known, uint8_t answer[ISO7816_ANSWER_MAX])
{
        if (card->state == APDU_JUDGING)
                card->state = is_known ? APDU_GREETED : APDU_SELECTED;
        else
                is_known = false; /* the reader has gone meanwhile */
        return status(answer, 0, is_known ? ISO7816_OK : ISO7816_OUT_OF_TURN);
}

int apdu_present(struct apdu_card *card, uint32_t session, struct cbor_span presentation)
{
        if (session != card->session || (card->state != APDU_GREETED && card->state != APDU_JUDGING))
                return -ESTALE;
        if (presentation.len == 0 || presentation.len > sizeof(card->shown))
                return -EMSGSIZE;
        memcpy(card->shown, presentation.at, presentation.len);
        card->shown_len = presentation.len;
        return 0;
}

void apdu_withdraw(struct apdu_card *card, uint32_t session)
{
        card->withdrawn |= session == card->session;
}
