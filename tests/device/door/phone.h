/* A phone at a door, for tests: libvigie-handset's card in front of the passes that tests/wire/door.h draws.  It
 * speaks over a byte pipe as vsmartcard's virtual reader does (device/handset/host/card.h), waiting for each message. */
#ifndef TESTS_DEVICE_DOOR_PHONE_H
#define TESTS_DEVICE_DOOR_PHONE_H
#include "tests/wire/door.h"

#include <unistd.h>

#include "device/handset/host/card.h"

struct phone {
        struct door *region; /* keys, the pass, the leaves */
        struct apdu_card card;
        uint32_t now_s;
        unsigned pin_polls; /* times that the door is told to come again */
        unsigned polls, verdicts, last_verdict;
        uint32_t session;
        bool declines; /* the carrier says no */
        unsigned mute; /* 1: it answers no command; 2: nor says what card it is */
        uint8_t hello[HELLO_MAX], path[SCOPE_PATH_MAX];
        size_t hello_len;
        struct bytes presentation; /* the last one shown */
        bool shows_again;          /* a dishonest phone: the one from before, whatever the hello */
};

static inline void phone_make(struct phone *phone, struct door *region, uint32_t now_s)
{
        memset(phone, 0, sizeof(*phone));
        phone->region = region;
        phone->now_s = now_s;
        apdu_init(&phone->card);
}

/* phone_prove: pass and proof for HELLO (one way: empty, for CLASS) at the building of that index. */
static inline void phone_prove(struct phone *phone, struct cbor_span hello, uint8_t class, size_t index)
{
        struct door *d = phone->region;
        struct proof proof = { .index = (uint16_t)index, .time_s = phone->now_s, .counter = ++d->proof.counter };
        struct bytes signed_proof;
        uint8_t aad[PROOF_AAD_SIZE];

        pass_digest(&d->crypto.sha, span_of(&d->signed_pass), proof.digest);
        memcpy(proof.salt, d->leaves[index].salt, SCOPE_SALT_SIZE);
        memcpy(proof.marker, "normal..", PASS_MARKER_SIZE);
        proof.path.at = phone->path;
        assert_int_equal(
                scope_path(&d->crypto.sha, d->leaves, d->buildings, index, d->nodes, phone->path, &proof.path.len), 0);
        proof_aad(&d->crypto.sha, hello, class, proof.time_s, aad);
        SIGNED(&signed_proof, proof_sign(&proof, d->pass.id, aad, d->phone, &w));
        SIGNED(&phone->presentation, presentation_write(span_of(&d->signed_pass), span_of(&signed_proof), &w));
}

/* phone_text: as it is shown to a scanner. */
static inline void phone_text(struct phone *phone, char text[PASS_TEXT_SIZE])
{
        phone_prove(phone, (struct cbor_span){ NULL, 0 }, DOOR_SCANNER, phone->region->here);
        assert_int_equal(pass_text_write(span_of(&phone->presentation), text, PASS_TEXT_SIZE), 0);
}

static inline void phone_present(struct phone *phone)
{
        if (phone->declines)
                apdu_withdraw(&phone->card, phone->session);
        else
                apdu_present(&phone->card, phone->session, span_of(&phone->presentation));
}

/* phone_knows: whether it answers this door, and with the proof of which building. */
static inline bool phone_knows(struct phone *phone, struct cbor_span hello)
{
        struct mandate mandate;
        struct door *d = phone->region;

        if (hello_verify(&d->crypto, hello, &d->trust, phone->now_s, &mandate) < 0)
                return false;
        for (size_t i = 0; i < d->buildings; i++)
                if (memcmp(d->leaves[i].building, mandate.building, BUILDING_ID_SIZE) == 0) {
                        if (!phone->shows_again || phone->presentation.len == 0)
                                phone_prove(phone, hello, DOOR_NFC, i);
                        return true;
                }
        return false;
}

static inline size_t phone_apdu(struct phone *phone, struct cbor_span in, uint8_t answer[ISO7816_ANSWER_MAX])
{
        struct apdu_todo todo;
        size_t len;

        if (in.len > 1 && in.at[1] == ISO7816_PROOF && ++phone->polls > phone->pin_polls)
                phone_present(phone);
        len = apdu_command(&phone->card, in, answer, &todo);
        if (todo.kind == APDU_JUDGE_HELLO) {
                phone->session = todo.session;
                phone->polls = 0;
                len = apdu_greet(&phone->card, phone_knows(phone, todo.hello), answer);
        } else if (todo.kind == APDU_VERDICT) {
                phone->verdicts++;
                phone->last_verdict = todo.refusal;
        }
        return len;
}

/* ---- over a byte pipe */

static inline bool pipe_all(int fd, uint8_t *at, size_t len, bool out)
{
        while (len > 0) {
                ssize_t n = out ? write(fd, at, len) : read(fd, at, len);

                if (n <= 0)
                        return false;
                at += n;
                len -= (size_t)n;
        }
        return true;
}

static inline bool pipe_send(int fd, const uint8_t *at, size_t len)
{
        uint8_t message[2 + ISO7816_COMMAND_MAX + ISO7816_ANSWER_MAX];

        message[0] = (uint8_t)(len >> 8);
        message[1] = (uint8_t)len;
        memcpy(message + 2, at, len);
        return pipe_all(fd, message, 2 + len, true);
}

/* pipe_receive: a message of at most SIZE octets; its length, or -1 where the other end is gone or says more. */
static inline ssize_t pipe_receive(int fd, uint8_t *at, size_t size)
{
        uint8_t head[2];
        size_t len;

        if (!pipe_all(fd, head, 2, false))
                return -1;
        len = (size_t)head[0] << 8 | head[1];
        return len <= size && pipe_all(fd, at, len, false) ? (ssize_t)len : -1;
}

/* phone_turn: answer one message.  Returns false where the other end is gone. */
static inline bool phone_turn(struct phone *phone, int fd)
{
        static const uint8_t atr[] = { CARD_ATR };
        uint8_t in[ISO7816_COMMAND_MAX + 8], answer[ISO7816_ANSWER_MAX];
        ssize_t len = pipe_receive(fd, in, sizeof(in));

        if (len <= 0)
                return false;
        if (phone->mute > (len > 1 || in[0] != CARD_ASKS_ATR ? 0 : 1))
                return true;
        if (len > 1)
                return pipe_send(fd, answer, phone_apdu(phone, (struct cbor_span){ in, (size_t)len }, answer));
        if (in[0] == CARD_ASKS_ATR)
                return pipe_send(fd, atr, sizeof(atr));
        apdu_power_off(&phone->card); /* off, on, reset: all begin anew */
        return true;
}
#endif
