/* COSE_Sign1 (RFC 9052 section 4.2): take apart and put together.  Pure: signing and verifying are in
 * wire/signing.h. */
#ifndef WIRE_COSE_H
#define WIRE_COSE_H
#include "wire/cbor.h"
#include "wire/key.h"

/* A whole COSE_Sign1, and the external_aad with it.  Our largest is a trust list of 64 keys, 6 KiB.  Above, parsing
 * answers -EMSGSIZE and signing -ENOBUFS. */
#define COSE_MAX     65536
#define COSE_AAD_MAX 1024

/* What our profile adds to a payload of 24 to 255 octets: 1 head, 4 protected, 11 unprotected, 2 head, 66 signature. */
#define COSE_OVERHEAD 84

/* The Sig_structure around a payload: 13 heads and context, 4 protected, 3 + 3 heads, and the external_aad. */
#define COSE_TBS_OVERHEAD (32 + COSE_AAD_MAX)

/* One 8-bit SMS with a port header.  An alert, receipt, wipe or unlock is never larger; their tests hold them to it. */
#define COSE_SMS_MAX 133

#define COSE_TAG_SIGN1 18
#define COSE_TAG_CWT   61 /* RFC 8392: around the other one */

enum cose_profile {
        COSE_OURS, /* untagged; protected exactly {1: alg}; unprotected exactly {4: kid of 8}; a payload; strict CBOR */
        COSE_ANY /* any COSE_Sign1 of RFC 9052, tag 18, 61(18) or none; CBOR strict but for the order of map keys */
};

/* One COSE_Sign1 taken apart; spans point into the message. */
struct cose_sign1 {
        struct cbor_span protected; /* content of its byte string, as it enters the Sig_structure: A0 is empty */
        struct cbor_span unprotected; /* the map, encoded */
        struct cbor_span payload;     /* empty when detached */
        struct cbor_span signature;   /* 64 octets by our profile; any length by COSE_ANY */
        struct cbor_span kid;         /* 8 octets by our profile; empty when there is none */
        int64_t alg;                  /* 0 when the message names none; COSE_ALG_TEXT when it names one by text */
        bool tagged, detached;
        bool critical_unknown; /* "crit" lists a label we do not know: verifying must refuse */
};
#define COSE_ALG_TEXT INT64_MIN

/* cose_sign1_parse: take a COSE_Sign1 apart by PROFILE.  Nothing about it is to be trusted before it is verified.
 *   why          may be NULL; on failure it gets the rule broken, static English text
 * Returns 0, -EBADMSG (malformed or outside the profile), -EMSGSIZE (over COSE_MAX).  PROTOCOL.md 3. */
int cose_sign1_parse(struct cbor_span in, enum cose_profile profile, struct cose_sign1 *ret_message, const char **why);

/* cose_sig_structure: write the bytes that the signature of MESSAGE covers, for this external_aad.
 * Returns 0, -ENOBUFS. */
int cose_sig_structure(const struct cose_sign1 *message, struct cbor_span aad, struct cbor_writer *to);

/* What a COSE_Sign1 of ours is made of; spans are borrowed. */
struct cose_parts {
        enum key_alg alg;   /* KEY_ES256 or KEY_EDDSA */
        const uint8_t *kid; /* KEY_KID_SIZE octets */
        struct cbor_span payload, aad;
};

/* cose_sign1_tbs: write the bytes to be signed, for a key that lives elsewhere (phone hardware).
 * Returns 0, -ENOBUFS (payload + COSE_TBS_OVERHEAD always does). */
int cose_sign1_tbs(const struct cose_parts *parts, struct cbor_writer *to);

/* cose_sign1_finish: write the whole object, with the signature made over cose_sign1_tbs().
 * Returns 0, -ENOBUFS (the writer's room, or over COSE_MAX). */
int cose_sign1_finish(const struct cose_parts *parts, const uint8_t signature[KEY_SIGNATURE_SIZE],
                      struct cbor_writer *to);
#endif
