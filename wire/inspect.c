#include "wire/inspect.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "wire/alert.h"
#include "wire/archive.h"
#include "wire/base45.h"
#include "wire/inspect_pass.h"
#include "wire/pass.h"
#include "wire/receipt.h"
#include "wire/sealed.h"
#include "wire/trust.h"

/* ---- what form it came in */

static int hex_digit(char c)
{
        static const char digits[] = "0123456789abcdef";
        const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;
        return at != NULL ? (int)(at - digits) : -1;
}

/* Hex with white space anywhere; false if it is anything else. */
static bool read_hex(struct cbor_span in, uint8_t *to, size_t *ret_len)
{
        size_t digits = 0;
        int digit;

        for (size_t i = 0; i < in.len; i++) {
                if (isspace(in.at[i]))
                        continue;
                if ((digit = hex_digit((char)in.at[i])) < 0)
                        return false;
                to[digits / 2] = (uint8_t)(digits % 2 == 0 ? digit << 4 : to[digits / 2] | digit);
                digits++;
        }
        *ret_len = digits / 2;
        return digits > 0 && digits % 2 == 0;
}

/* Whether this is one item as inspect reads. */
static bool is_cbor(struct cbor_span in)
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        r.order = CBOR_ANY_ORDER;
        cbor_skip(&r);
        return cbor_end(&r) == 0;
}

bool inspect_is_zlib(struct cbor_span in)
{
        return in.len > 6 && in.at[0] == 0x78 && (in.at[0] << 8 | in.at[1]) % 31 == 0 && !is_cbor(in);
}

static bool is_object(const uint8_t *octets, size_t len)
{
        struct cbor_span in = { octets, len };

        return is_cbor(in) || inspect_is_zlib(in);
}

static bool read_base45(struct cbor_span in, uint8_t *to, size_t *ret_len)
{
        return in.len > 0 && base45_read((const char *)in.at, in.len, to, in.len, ret_len) == 0 &&
               is_object(to, *ret_len);
}

/* What a QR holds begins with a word of who made it: "VG1:", "HC1:".  Its length, 0 where there is none. */
static size_t prefix_len(struct cbor_span in)
{
        for (size_t i = 0; i < in.len && i <= INSPECT_PREFIX_MAX; i++) {
                if (in.at[i] == ':')
                        return i > 0 ? i + 1 : 0;
                if (!isupper(in.at[i]) && !isdigit(in.at[i]))
                        return 0;
        }
        return 0;
}

/* White space but a space, which is a digit of base45. */
static bool is_line_end(uint8_t c)
{
        return c == '\n' || c == '\r' || c == '\t';
}

static bool read_text45(struct cbor_span in, uint8_t *to, size_t *ret_len)
{
        size_t prefix;

        for (; in.len > 0 && is_line_end(in.at[0]); in.at++)
                in.len--;
        while (in.len > 0 && is_line_end(in.at[in.len - 1]))
                in.len--;
        prefix = prefix_len(in);
        return (prefix > 0 && prefix < in.len &&
                read_base45((struct cbor_span){ in.at + prefix, in.len - prefix }, to, ret_len)) ||
               read_base45(in, to, ret_len);
}

enum inspect_form inspect_decode(struct cbor_span in, uint8_t *to, size_t *ret_len)
{
        bool hex = read_hex(in, to, ret_len);

        if (hex && is_object(to, *ret_len))
                return INSPECT_HEX;
        if (read_text45(in, to, ret_len))
                return INSPECT_BASE45;
        if (hex && !is_cbor(in)) {
                read_hex(in, to, ret_len);
                return INSPECT_HEX;
        }
        if (in.len > 0)
                memcpy(to, in.at, in.len);
        *ret_len = in.len;
        return INSPECT_RAW;
}

/* ---- the objects by name */

void inspect_put_time(struct inspect_text *out, const char *name, uint32_t at_s)
{
        time_t at = at_s;
        struct tm utc;
        char text[32];

        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
        inspect_put(out, "  %s: %s (%" PRIu32 ")\n", name, text, at_s);
}

void inspect_put_octets(struct inspect_text *out, const char *name, struct cbor_span octets)
{
        inspect_put(out, "  %s: ", name);
        inspect_put_hex(out, octets);
        inspect_put(out, "\n");
}

static void put_marks(struct inspect_text *out, uint16_t marks)
{
        static const struct {
                uint16_t bit;
                const char *name;
        } names[] = {
                { ALERT_MISTAKE, "mistake" },
                { ALERT_DURESS, "duress" },
                { ALERT_HOLDER_UNSURE, "holder unsure" },
                { ALERT_PRESSED_AGAIN, "pressed again" },
                { ALERT_LAST_WORDS, "last words" },
                { ALERT_STILL, "still needs help" },
        };

        inspect_put(out, "  marks: 0x%04x", marks);
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if ((marks & names[i].bit) != 0)
                        inspect_put(out, ", %s", names[i].name);
        inspect_put(out, "\n  category: %s\n", alert_category_name(alert_category(marks)));
}

static void put_place(struct inspect_text *out, int32_t lat_e7, int32_t lon_e7)
{
        const uint32_t lat = (uint32_t)(lat_e7 < 0 ? -lat_e7 : lat_e7), lon = (uint32_t)(lon_e7 < 0 ? -lon_e7 : lon_e7);

        inspect_put(out, "  position: %s%" PRIu32 ".%07" PRIu32 ", %s%" PRIu32 ".%07" PRIu32 "\n",
                    lat_e7 < 0 ? "-" : "", lat / 10000000, lat % 10000000, lon_e7 < 0 ? "-" : "", lon / 10000000,
                    lon % 10000000);
}

static void put_alert(struct inspect_text *out, const struct alert_signed *s)
{
        static const char *const odd_names[] = {
                "revision", "time", "kind", "marks", "position", "accuracy", "battery"
        };
        const struct alert *a = &s->alert;

        inspect_put(out, "alert\n");
        inspect_put_octets(out, "handset", CBOR_OCTETS(s->handset.octets));
        inspect_put_octets(out, "nonce", CBOR_OCTETS(a->nonce));
        inspect_put(out, "  revision: %u\n", a->revision);
        inspect_put_time(out, "pressed at", a->pressed_at_s);
        inspect_put(out, "  kind: %s\n", alert_kind_name(a->kind));
        put_marks(out, a->marks);
        if (a->has_fix) {
                put_place(out, a->lat_e7, a->lon_e7);
                inspect_put(out, "  accuracy: %u m\n  fix age: %u s\n", a->accuracy_m, a->fix_age_s);
        } else {
                inspect_put(out, "  position: none\n");
        }
        if (a->battery_percent == ALERT_BATTERY_UNKNOWN)
                inspect_put(out, "  battery: unknown\n");
        else
                inspect_put(out, "  battery: %u %%\n", a->battery_percent);
        for (unsigned i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++)
                if ((s->odd >> i & 1) != 0)
                        inspect_put(out, "  impossible, left out: %s\n", odd_names[i]);
        if (s->unknown_parts > 0)
                inspect_put(out, "  parts of a newer format: %u\n", s->unknown_parts);
}

static void put_receipt(struct inspect_text *out, const struct receipt_signed *s)
{
        const struct receipt *receipt = &s->receipt;

        inspect_put(out, "receipt\n");
        inspect_put_octets(out, "alert", CBOR_OCTETS(receipt->alert.octets));
        inspect_put(out, "  revision: %u\n  version: %" PRIu32 "\n  state: %s (%u)\n", receipt->revision,
                    receipt->version, receipt_state_name(receipt->state), receipt->state);
        inspect_put_time(out, "time", receipt->time_s);
        inspect_put(out, "  who: ");
        inspect_put_text(out, (struct cbor_span){ (const uint8_t *)receipt->who, strlen(receipt->who) });
        inspect_put(out, "\n");
}

static void put_checkpoint(struct inspect_text *out, const struct archive_checkpoint *c)
{
        inspect_put(out, "checkpoint of an archive\n");
        inspect_put_octets(out, "archive", CBOR_OCTETS(c->id));
        inspect_put(out, "  region: ");
        inspect_put_text(out, (struct cbor_span){ (const uint8_t *)c->region, strlen(c->region) });
        inspect_put(out, "\n  entries: %" PRIu64 "\n", c->number);
        inspect_put_octets(out, "link", CBOR_OCTETS(c->link));
        inspect_put(out, "  file: %" PRIu32 "\n", c->file);
        inspect_put_time(out, "at", (uint32_t)(c->at_ms / 1000));
        inspect_put(out, "  feed: %s\n", c->feed);
}

static const char *alg_name(int64_t alg)
{
        return alg == KEY_ES256     ? "ES256"
               : alg == KEY_EDDSA   ? "EdDSA"
               : alg == KEY_ECDH_ES ? "ECDH-ES + HKDF-256"
                                    : "not supported";
}

static void put_trust(struct inspect_text *out, const struct trust *trust)
{
        const struct trust_key *key;

        inspect_put(out, "trust list\n  number: %" PRIu32 "\n", trust->number);
        inspect_put_time(out, "issued at", trust->issued_at_s);
        inspect_put(out, "  region: ");
        inspect_put_text(out, (struct cbor_span){ (const uint8_t *)trust->region, strlen(trust->region) });
        inspect_put(out, "\n");
        for (key = trust->keys; key < trust->keys + trust->count; key++) {
                inspect_put(out, "  key for %s, %s\n  ", trust_use_name(key->use), alg_name(key->alg));
                inspect_put_octets(out, "kid", CBOR_OCTETS(key->kid));
                inspect_put(out, "  ");
                inspect_put_octets(out, "public", (struct cbor_span){ key->public, key->public_len });
                inspect_put(out, "  ");
                inspect_put_time(out, "not before", key->not_before_s);
                inspect_put(out, "  ");
                inspect_put_time(out, "not after", key->not_after_s);
        }
}

/* ---- any COSE_Sign1 */

static void put_payload(struct inspect_text *out, const struct cose_sign1 *m)
{
        inspect_put(out, "  payload: ");
        if (m->detached)
                inspect_put(out, "detached");
        else if (m->payload.len > 0 && is_cbor(m->payload))
                inspect_diagnostic(m->payload, out, NULL);
        else if (utf8_is_valid((const char *)m->payload.at, m->payload.len))
                inspect_put_text(out, m->payload);
        else
                inspect_put_hex(out, m->payload);
        inspect_put(out, "\n");
}

static void put_cose(struct inspect_text *out, const struct cose_sign1 *m)
{
        inspect_put(out, "COSE_Sign1, %s\n", m->tagged ? "tag 18" : "untagged");
        if (m->alg == 0)
                inspect_put(out, "  algorithm: none named\n");
        else if (m->alg == COSE_ALG_TEXT)
                inspect_put(out, "  algorithm: named by text, not supported\n");
        else
                inspect_put(out, "  algorithm: %s (%" PRId64 ")\n", alg_name(m->alg), m->alg);
        inspect_put_octets(out, "kid", m->kid);
        inspect_put(out, "  protected: ");
        if (m->protected.len > 0)
                inspect_diagnostic(m->protected, out, NULL);
        inspect_put(out, "\n  unprotected: ");
        inspect_diagnostic(m->unprotected, out, NULL);
        inspect_put(out, "\n");
        if (m->critical_unknown)
                inspect_put(out, "  a critical header that is not known here\n");
        put_payload(out, m);
        inspect_put_octets(out, "signature", m->signature);
}

/* Whether it is one of ours, by shape; the kind is not written in it, the signature alone (external_aad) proves it. */
static void put_ours(struct inspect_text *out, struct cbor_span in, const struct cose_sign1 *m)
{
        struct alert_signed alert;
        struct receipt_signed receipt;
        struct archive_checkpoint checkpoint;
        struct trust trust;

        if (archive_checkpoint_read(m->payload, &checkpoint) == 0)
                put_checkpoint(out, &checkpoint);
        else if (receipt_read(in, &receipt, NULL) == 0)
                put_receipt(out, &receipt);
        else if (trust_read_payload(m->payload, &trust, NULL) == 0)
                put_trust(out, &trust);
        else if (!inspect_pass(in, out) && alert_read(in, &alert, NULL) == 0)
                put_alert(out, &alert);
}

int inspect_print(struct cbor_span in, struct inspect_text *out, const char **why)
{
        struct cose_sign1 m;
        uint8_t kid[KEY_KID_SIZE];
        const char *not_ours;
        int r = inspect_diagnostic(in, out, why);

        if (r < 0)
                return r;
        inspect_put(out, "\n");
        if (sealed_kid(in, kid) == 0) {
                inspect_put(out, "sealed position\n");
                inspect_put_octets(out, "to the position key", CBOR_OCTETS(kid));
        }
        if (cose_sign1_parse(in, COSE_ANY, &m, NULL) < 0) {
                inspect_pass(in, out); /* a presentation */
                return 0;
        }
        put_cose(out, &m);
        if (cose_sign1_parse(in, COSE_OURS, &m, &not_ours) == 0)
                put_ours(out, in, &m);
        else
                inspect_put(out, "  not by our profile: %s\n", not_ours);
        return 0;
}
