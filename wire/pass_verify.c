#include "wire/pass_verify.h"

#include <errno.h>
#include <string.h>

/* The Sig_structure around the largest payload: heads, context, protected headers, external_aad. */
#define TBS_MAX (64 + PROOF_AAD_SIZE + HELLO_PAYLOAD_MAX)

static bool is_signed(const struct pass_crypto *crypto, const struct cose_sign1 *cose, enum key_alg alg,
                      struct cbor_span key, struct cbor_span aad)
{
        uint8_t bytes[TBS_MAX];
        struct cbor_writer w;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        return cose->alg == alg && cose_sig_structure(cose, aad, &w) == 0 &&
               crypto->verify(crypto->user, alg, key, cbor_written(&w), cose->signature.at);
}

/* is_signed_p256: likewise by a phone's or door's key, which objects carry without the leading 04. */
static bool is_signed_p256(const struct pass_crypto *crypto, const struct cose_sign1 *cose,
                           const uint8_t key[PASS_KEY_SIZE], struct cbor_span aad)
{
        uint8_t point[1 + PASS_KEY_SIZE] = { 0x04 };

        memcpy(point + 1, key, PASS_KEY_SIZE);
        return is_signed(crypto, cose, KEY_ES256, CBOR_OCTETS(point), aad);
}

/* key_look: the key of this kid and USE, valid now.  NULL; *ret_other then says whether it is there for another use. */
static const struct trust_key *key_look(const struct trust *trust, const uint8_t *kid, enum trust_use use,
                                        uint32_t now_s, bool *ret_other)
{
        const struct trust_key *key = trust_find(trust, kid, use, now_s);

        *ret_other = false;
        for (size_t i = 0; key == NULL && i < trust->count; i++)
                *ret_other |= memcmp(trust->keys[i].kid, kid, KEY_KID_SIZE) == 0 && trust->keys[i].use != use;
        return key;
}

static enum pass_refusal key_judge(const struct pass_crypto *crypto, const struct pass_question *q,
                                   const struct pass_signed *pass)
{
        bool is_other;
        const struct trust_key *key = key_look(q->trust, pass->cose.kid.at, TRUST_PASS, q->now_s, &is_other);

        if (key == NULL)
                return is_other ? PASS_WRONG_USE : PASS_UNKNOWN_KEY;
        if (strcmp(pass->pass.region, q->trust->region) != 0)
                return PASS_UNKNOWN_KEY;
        return is_signed(crypto, &pass->cose, key->alg, (struct cbor_span){ key->public, key->public_len },
                         CBOR_LITERAL(PASS_AAD))
                       ? PASS_GOOD
                       : PASS_FORGED;
}

static enum pass_refusal times_judge(const struct pass *pass, uint32_t now_s)
{
        if ((uint64_t)now_s + PASS_LEEWAY_S < pass->not_before_s)
                return PASS_NOT_YET;
        return now_s > (uint64_t)pass->not_after_s + PASS_LEEWAY_S ? PASS_OVER : PASS_GOOD;
}

static enum pass_refusal status_judge(const struct pass_question *q, const struct pass *pass, bool *ret_degraded)
{
        const struct status_bits *s = q->status;

        *ret_degraded = s == NULL || q->now_s > s->expires_s;
        if (s != NULL && pass->status < s->count && (s->bits[pass->status / 8] >> (pass->status % 8) & 1))
                return PASS_REVOKED;
        return *ret_degraded && !q->degraded_ok ? PASS_LIST_TOO_OLD : PASS_GOOD;
}

static enum pass_refusal scope_judge(const struct pass_crypto *crypto, const struct pass_question *q,
                                     const struct pass *pass, const struct proof *proof)
{
        struct scope_leaf leaf;

        memcpy(leaf.building, q->building, BUILDING_ID_SIZE);
        memcpy(leaf.salt, proof->salt, SCOPE_SALT_SIZE);
        return scope_holds(&crypto->sha, pass->scope, &leaf, proof->index, proof->path) ? PASS_GOOD
                                                                                        : PASS_OTHER_BUILDING;
}

static enum pass_refusal policy_judge(const struct pass_question *q, const struct pass *pass)
{
        bool is_inside = pass->window_count == 0;
        uint32_t way = q->class == DOOR_NFC       ? 0
                       : q->class == DOOR_SCANNER ? PASS_ONE_WAY
                                                  : PASS_ONE_WAY | PASS_CARETAKER;

        for (unsigned i = 0; i < pass->window_count; i++)
                is_inside |= q->now_s >= pass->windows[i].from_s && q->now_s <= pass->windows[i].to_s;
        if (!is_inside)
                return PASS_OUTSIDE_HOURS;
        if ((pass->policy & way) != way || (q->class == DOOR_NFC) != (q->hello.len > 0))
                return PASS_NOT_SO;
        return q->sensitive && !(pass->policy & PASS_SENSITIVE) ? PASS_NOT_SO : PASS_GOOD;
}

static enum pass_refusal proof_judge(const struct pass_crypto *crypto, const struct pass_question *q,
                                     const struct pass *pass, const struct proof_signed *proof)
{
        uint8_t digest[PASS_DIGEST_SIZE], aad[PROOF_AAD_SIZE];
        int64_t off_s = (int64_t)proof->proof.time_s - q->now_s;

        pass_digest(&crypto->sha, q->pass, digest);
        if (memcmp(digest, proof->proof.digest, PASS_DIGEST_SIZE) != 0 ||
            memcmp(proof->cose.kid.at, pass->id, PASS_ID_SIZE) != 0)
                return PASS_OTHER_PROOF;
        if (q->hello.len == 0 && (off_s > PASS_ONE_WAY_S || off_s < -PASS_ONE_WAY_S))
                return PASS_STALE;
        proof_aad(&crypto->sha, q->hello, q->class, proof->proof.time_s, aad);
        return is_signed_p256(crypto, &proof->cose, pass->key, CBOR_OCTETS(aad)) ? PASS_GOOD : PASS_UNPROVED;
}

void pass_verify(const struct pass_crypto *crypto, const struct pass_question *q, struct pass_verdict *ret_verdict)
{
        struct pass_verdict *v = ret_verdict;
        struct pass_signed pass;
        struct proof_signed proof;

        memset(v, 0, sizeof(*v));
        v->refusal = PASS_TOO_LONG;
        if (q->pass.len > PASS_MAX || q->proof.len > PROOF_MAX)
                return;
        v->refusal = PASS_MALFORMED;
        if (pass_read(q->pass, &pass, NULL) < 0 || proof_read(q->proof, &proof, NULL) < 0)
                return;
        v->pass = pass.pass;
        if ((v->refusal = key_judge(crypto, q, &pass)) != PASS_GOOD ||
            (v->refusal = times_judge(&pass.pass, q->now_s)) != PASS_GOOD ||
            (v->refusal = status_judge(q, &pass.pass, &v->degraded)) != PASS_GOOD ||
            (v->refusal = scope_judge(crypto, q, &pass.pass, &proof.proof)) != PASS_GOOD ||
            (v->refusal = policy_judge(q, &pass.pass)) != PASS_GOOD ||
            (v->refusal = proof_judge(crypto, q, &pass.pass, &proof)) != PASS_GOOD) {
                v->degraded = false;
                return;
        }
        v->counter = proof.proof.counter;
        memcpy(v->marker, proof.proof.marker, PASS_MARKER_SIZE);
}

int hello_verify(const struct pass_crypto *crypto, struct cbor_span hello, const struct trust *trust, uint32_t now_s,
                 struct mandate *ret_mandate)
{
        struct hello_signed said;
        struct mandate_signed door;
        const struct trust_key *key;
        int r = hello_read(hello, &said, NULL);

        if (r < 0 || (r = mandate_read(said.hello.mandate, &door, NULL)) < 0)
                return r;
        key = trust_find(trust, door.cose.kid.at, TRUST_DOOR, now_s);
        if (key == NULL)
                return -ENOKEY;
        if (!is_signed(crypto, &door.cose, key->alg, (struct cbor_span){ key->public, key->public_len },
                       CBOR_LITERAL(MANDATE_AAD)) ||
            memcmp(said.cose.kid.at, door.mandate.door, DOOR_ID_SIZE) != 0 ||
            !is_signed_p256(crypto, &said.cose, door.mandate.key, CBOR_LITERAL(HELLO_AAD)))
                return -EKEYREJECTED;
        if (strcmp(door.mandate.region, trust->region) != 0)
                return -EXDEV;
        if (now_s < door.mandate.not_before_s || now_s > door.mandate.not_after_s)
                return -ESTALE;
        *ret_mandate = door.mandate;
        return 0;
}

const char *pass_refusal_name(unsigned refusal)
{
        static const char *const names[PASS_REFUSAL_END] = {
                "good",    "too_long",    "malformed", "unknown_key",  "wrong_use",      "forged",
                "not_yet", "over",        "revoked",   "list_too_old", "other_building", "outside_hours",
                "not_so",  "other_proof", "stale",     "unproved",     "replayed",
        };

        return refusal < PASS_REFUSAL_END ? names[refusal] : "unknown";
}
