#include "wire/cose.h"

#include <errno.h>

/* Header labels of RFC 9052 section 3.1. */
enum { LABEL_ALG = 1, LABEL_CRIT, LABEL_CONTENT_TYPE, LABEL_KID, LABEL_IV, LABEL_PARTIAL_IV };

/* What one bucket of headers says. */
struct headers {
        uint64_t count;
        struct cbor_span map;  /* encoded; empty when there is none */
        struct cbor_span crit; /* the array, encoded */
        struct cbor_span kid;
        int64_t alg; /* 0 when there is none */
        bool has_kid, has_iv, has_partial_iv;
};

static int64_t alg_read(struct cbor_reader *r)
{
        int64_t alg;

        if (cbor_peek(r) == CBOR_TEXT) {
                cbor_read_text(r, COSE_MAX);
                return COSE_ALG_TEXT;
        }
        alg = cbor_read_int(r, INT64_MIN + 1, INT64_MAX);
        if (alg == 0)
                cbor_refuse(r, "algorithm 0 is reserved");
        return alg;
}

/* Read the value of the header LABEL, one of those above. */
static void known_read(struct cbor_reader *r, uint64_t label, struct headers *to)
{
        switch (label) {
        case LABEL_ALG:
                to->alg = alg_read(r);
                break;
        case LABEL_CRIT:
                if (cbor_peek(r) != CBOR_ARRAY)
                        cbor_refuse(r, "crit is not an array");
                to->crit = cbor_skip(r);
                break;
        case LABEL_CONTENT_TYPE:
                if (cbor_peek(r) == CBOR_TEXT)
                        cbor_read_text(r, COSE_MAX);
                else
                        cbor_read_uint(r, UINT64_MAX);
                break;
        case LABEL_KID:
                to->has_kid = true;
                /* Text is not RFC 9052, but some published examples have it; ours_check() refuses it. */
                if (cbor_peek(r) == CBOR_TEXT)
                        cbor_read_text(r, COSE_MAX);
                else
                        to->kid = cbor_read_bytes(r, 0, COSE_MAX);
                break;
        default:
                cbor_read_bytes(r, 0, COSE_MAX);
                to->has_iv |= label == LABEL_IV;
                to->has_partial_iv |= label == LABEL_PARTIAL_IV;
        }
}

/* Read the map of one bucket where the reader stands. */
static void headers_read(struct cbor_reader *r, struct headers *to)
{
        const uint8_t *begin = r->at;
        struct cbor_reader ahead;
        uint64_t label;

        to->count = cbor_enter_map(r);
        while (cbor_more(r)) {
                ahead = *r;
                label = cbor_peek(r) == CBOR_UINT ? cbor_read_uint(&ahead, UINT64_MAX) : 0;
                if (cbor_peek(r) != CBOR_UINT && cbor_peek(r) != CBOR_NINT && cbor_peek(r) != CBOR_TEXT)
                        cbor_refuse(r, "a header label that is neither integer nor text");
                cbor_skip(r);
                if (label >= LABEL_ALG && label <= LABEL_PARTIAL_IV)
                        known_read(r, label, to);
                else
                        cbor_skip(r);
        }
        cbor_leave(r);
        to->map = (struct cbor_span){ begin, (size_t)(r->at - begin) };
}

/* Read the byte string of the protected bucket; an empty one holds no headers, and so does an empty map. */
static void protected_read(struct cbor_reader *r, struct headers *to)
{
        struct cbor_span bytes = cbor_read_bytes(r, 0, COSE_MAX);
        struct cbor_reader inside;

        if (bytes.len == 0)
                return;
        cbor_reader_init(&inside, bytes);
        inside.order = r->order;
        headers_read(&inside, to);
        if (cbor_end(&inside) < 0)
                cbor_refuse(r, inside.broken);
        if (to->count == 0)
                to->map.len = 0;
}

static bool map_has(struct cbor_span map, struct cbor_span label)
{
        struct cbor_reader r;
        bool found = false;

        if (map.len == 0)
                return false;
        cbor_reader_init(&r, map);
        r.order = CBOR_UNCHECKED;
        cbor_enter_map(&r);
        while (!found && cbor_more(&r)) {
                found = cbor_equal(cbor_skip(&r), label);
                cbor_skip(&r);
        }
        return found;
}

/* A label stands in one bucket only, and not both IVs are there (RFC 9052 3, 3.1).  A kid alone may stand in both, as published
 * certificates have it: it is a hint, and the protected one counts. */
static void buckets_check(struct cbor_reader *r, const struct headers *protected, const struct headers *unprotected)
{
        struct cbor_reader labels;
        struct cbor_span label;

        if (r->broken != NULL)
                return;
        if (unprotected->crit.len > 0)
                cbor_refuse(r, "crit among the unprotected headers");
        if ((protected->has_iv || unprotected->has_iv) && (protected->has_partial_iv || unprotected->has_partial_iv))
                cbor_refuse(r, "both an IV and a partial IV");
        cbor_reader_init(&labels, unprotected->map);
        labels.order = CBOR_UNCHECKED;
        cbor_enter_map(&labels);
        while (cbor_more(&labels)) {
                label = cbor_skip(&labels);
                if (!cbor_equal(label, CBOR_LITERAL("\4")) && map_has(protected->map, label))
                        cbor_refuse(r, "a header both protected and unprotected");
                cbor_skip(&labels);
        }
}

/* "crit" is not empty, and lists headers that are there and protected.  Gives whether one of them is unknown to us. */
static bool crit_check(struct cbor_reader *r, const struct headers *protected)
{
        struct cbor_reader crit, label;
        struct cbor_span item;
        uint64_t count;
        bool unknown = false;

        if (r->broken != NULL || protected->crit.len == 0)
                return false;
        cbor_reader_init(&crit, protected->crit);
        crit.order = r->order;
        count = cbor_enter_array(&crit);
        if (count == 0 || count > CBOR_ANY_ORDER_KEYS_MAX)
                cbor_refuse(r, count == 0 ? "crit is empty" : "crit lists too many headers");
        while (cbor_more(&crit) && r->broken == NULL) {
                item = cbor_skip(&crit);
                if (!map_has(protected->map, item))
                        cbor_refuse(r, "crit lists a header that is not protected here");
                cbor_reader_init(&label, item);
                if (cbor_peek(&label) != CBOR_UINT || cbor_read_uint(&label, LABEL_PARTIAL_IV) == 0)
                        unknown = true;
        }
        return unknown;
}

/* What COSE_OURS asks beyond any COSE_Sign1. */
static void ours_check(struct cbor_reader *r, const struct cose_sign1 *m, const struct headers *protected,
                       const struct headers *unprotected)
{
        if (m->tagged)
                cbor_refuse(r, "tagged; ours are not");
        if (protected->count != 1 || protected->alg == 0 || protected->alg == COSE_ALG_TEXT)
                cbor_refuse(r, "protected headers other than {1: alg}");
        if (unprotected->count != 1 || unprotected->kid.len != KEY_KID_SIZE)
                cbor_refuse(r, "unprotected headers other than {4: kid of 8}");
        if (m->detached)
                cbor_refuse(r, "no payload");
        if (m->signature.len != KEY_SIGNATURE_SIZE)
                cbor_refuse(r, "signature not of 64 octets");
}

static void message_read(struct cbor_reader *r, enum cose_profile profile, struct cose_sign1 *m)
{
        struct headers protected = { 0 }, unprotected = { 0 };
        uint64_t tag;

        if (cbor_peek(r) == CBOR_TAG) {
                m->tagged = true;
                tag = cbor_read_tag(r);
                if (tag == COSE_TAG_CWT && profile == COSE_ANY && cbor_peek(r) == CBOR_TAG)
                        tag = cbor_read_tag(r);
                if (tag != COSE_TAG_SIGN1)
                        cbor_refuse(r, "a tag other than 18, COSE_Sign1");
        }
        if (cbor_enter_array(r) != 4)
                cbor_refuse(r, "not an array of four");
        protected_read(r, &protected);
        headers_read(r, &unprotected);
        m->detached = cbor_read_null(r);
        if (!m->detached)
                m->payload = cbor_read_bytes(r, 0, COSE_MAX);
        m->signature = cbor_read_bytes(r, 0, COSE_MAX);
        cbor_leave(r);
        if (profile == COSE_OURS) /* first: then what follows compares one header with one */
                ours_check(r, m, &protected, &unprotected);
        buckets_check(r, &protected, &unprotected);
        m->critical_unknown = crit_check(r, &protected);
        m->protected = protected.map;
        m->unprotected = unprotected.map;
        m->kid = protected.has_kid ? protected.kid : unprotected.kid;
        m->alg = protected.alg != 0 ? protected.alg : unprotected.alg;
}

int cose_sign1_parse(struct cbor_span in, enum cose_profile profile, struct cose_sign1 *ret_message, const char **why)
{
        struct cose_sign1 m = { 0 };
        struct cbor_reader r;
        int error;

        cbor_reader_init(&r, in);
        r.order = profile == COSE_OURS ? CBOR_STRICT : CBOR_ANY_ORDER;
        if (in.len > COSE_MAX)
                cbor_refuse(&r, "larger than 65536 octets");
        message_read(&r, profile, &m);
        error = cbor_end(&r);
        if (error == 0)
                *ret_message = m;
        else if (why != NULL)
                *why = r.broken;
        return in.len > COSE_MAX ? -EMSGSIZE : error;
}

static int sig_structure(struct cbor_span protected, struct cbor_span aad, struct cbor_span payload,
                         struct cbor_writer *to)
{
        if (aad.len > COSE_AAD_MAX)
                return -ENOBUFS;
        cbor_write_array(to, 4);
        cbor_write_string(to, "Signature1");
        cbor_write_bytes(to, protected);
        cbor_write_bytes(to, aad);
        cbor_write_bytes(to, payload);
        return to->full ? -ENOBUFS : 0;
}

int cose_sig_structure(const struct cose_sign1 *message, struct cbor_span aad, struct cbor_writer *to)
{
        return sig_structure(message->protected, aad, message->payload, to);
}

/* {1: alg}; ES256 and EdDSA take one octet. */
static struct cbor_span protected_ours(enum key_alg alg, uint8_t to[4])
{
        struct cbor_writer w;

        cbor_writer_init(&w, to, 4);
        cbor_write_map(&w, 1);
        cbor_write_uint(&w, LABEL_ALG);
        cbor_write_int(&w, alg);
        return cbor_written(&w);
}

int cose_sign1_tbs(const struct cose_parts *parts, struct cbor_writer *to)
{
        uint8_t protected[4];

        return sig_structure(protected_ours(parts->alg, protected), parts->aad, parts->payload, to);
}

int cose_sign1_finish(const struct cose_parts *parts, const uint8_t signature[KEY_SIGNATURE_SIZE],
                      struct cbor_writer *to)
{
        uint8_t protected[4];
        size_t begin = to->len;

        cbor_write_array(to, 4);
        cbor_write_bytes(to, protected_ours(parts->alg, protected));
        cbor_write_map(to, 1);
        cbor_write_uint(to, LABEL_KID);
        cbor_write_bytes(to, (struct cbor_span){ parts->kid, KEY_KID_SIZE });
        cbor_write_bytes(to, parts->payload);
        cbor_write_bytes(to, (struct cbor_span){ signature, KEY_SIGNATURE_SIZE });
        return to->full || to->len - begin > COSE_MAX ? -ENOBUFS : 0;
}
