/* Any object in words: CBOR diagnostic notation (RFC 8949 section 8), and names for what wire/ knows.  Pure. */
#ifndef WIRE_INSPECT_H
#define WIRE_INSPECT_H
#include "wire/cbor.h"

/* Text goes to a buffer of the caller's; it always has a closing NUL; what does not fit is dropped and `full` stays
 * set. */
struct inspect_text {
        char *to;
        size_t size, len;
        bool full;
};

/* inspect_text_init: write to TO, SIZE octets with the NUL, at least 1. */
void inspect_text_init(struct inspect_text *out, char *to, size_t size);

/* inspect_put: append as printf does. */
void inspect_put(struct inspect_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* inspect_put_hex: append lower-case hex digits. */
void inspect_put_hex(struct inspect_text *out, struct cbor_span octets);

/* inspect_put_text: append UTF-8 in double quotes; what would act on a terminal or turn the line around is escaped:
 * control characters, quotes, backslash, direction marks. */
void inspect_put_text(struct inspect_text *out, struct cbor_span text);

/* inspect_put_time, inspect_put_octets: append a line "  NAME: ..." with a time (UTC) or hex digits. */
void inspect_put_time(struct inspect_text *out, const char *name, uint32_t at_s);
void inspect_put_octets(struct inspect_text *out, const char *name, struct cbor_span octets);

enum inspect_form { INSPECT_HEX, INSPECT_BASE45, INSPECT_RAW };

/* inspect_decode: get the octets of IN, which is hex, base45 or raw.  Tried in this order; the first that gives
 * well-formed CBOR, or what inspect_is_zlib() takes for compressed, wins.  If none does: hex if it is all hex digits, else raw.
 * White space among hex digits and CR, LF and tabs around base45 are skipped; so is a QR's prefix before base45: VG1:, HC1:
 * or another of at most INSPECT_PREFIX_MAX capitals and digits.
 *   to           room for at least in.len octets; may not overlap IN
 * Returns the form; *ret_len octets are at TO. */
#define INSPECT_PREFIX_MAX 8
enum inspect_form inspect_decode(struct cbor_span in, uint8_t *to, size_t *ret_len);

/* inspect_is_zlib: say whether IN begins as zlib's deflate does (RFC 1950, 32 KiB window) and is no CBOR: certificates in QR codes are
 * compressed so. */
bool inspect_is_zlib(struct cbor_span in);

/* inspect_print: write what IN is: its diagnostic notation, and where the shape is known (alert, receipt, trust list,
 * sealed position, pass and what goes with it, any COSE_Sign1) its fields by name, one per line.  Verifies nothing.
 *   why          may be NULL; on failure the rule broken, static English text
 * Returns 0, -EBADMSG (not one well-formed item by the profile that inspect reads with, CBOR_ANY_ORDER). */
int inspect_print(struct cbor_span in, struct inspect_text *out, const char **why);

/* inspect_diagnostic: write one item in diagnostic notation on one line.  Returns 0, -EBADMSG. */
int inspect_diagnostic(struct cbor_span in, struct inspect_text *out, const char **why);
#endif
