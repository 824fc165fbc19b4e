#include "wire/alert.h"

#include <errno.h>
#include <string.h>

#include "wire/cbor_head.h"

#define LAT_MAX_E7 900000000
#define LON_MAX_E7 1800000000

/* ---- writing */

static bool is_possible(const struct alert *a)
{
        if ((unsigned)a->kind >= ALERT_KIND_COUNT)
                return false;
        if (a->battery_percent > 100 && a->battery_percent != ALERT_BATTERY_UNKNOWN)
                return false;
        return !a->has_fix || (a->lat_e7 >= -LAT_MAX_E7 && a->lat_e7 <= LAT_MAX_E7 && a->lon_e7 >= -LON_MAX_E7 &&
                               a->lon_e7 <= LON_MAX_E7);
}

int alert_write_payload(const struct alert *alert, struct cbor_writer *to)
{
        if (!is_possible(alert))
                return -EINVAL;
        cbor_write_array(to, ALERT_PARTS);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(alert->nonce));
        cbor_write_uint(to, alert->revision);
        cbor_write_uint(to, alert->pressed_at_s);
        cbor_write_uint(to, alert->kind);
        cbor_write_uint(to, alert->marks);
        if (alert->has_fix) {
                cbor_write_int(to, alert->lat_e7);
                cbor_write_int(to, alert->lon_e7);
                cbor_write_uint(to, alert->accuracy_m);
                cbor_write_uint(to, alert->fix_age_s);
        }
        for (int i = 0; !alert->has_fix && i < 4; i++)
                cbor_write_null(to);
        if (alert->battery_percent == ALERT_BATTERY_UNKNOWN)
                cbor_write_null(to);
        else
                cbor_write_uint(to, alert->battery_percent);
        return to->full ? -ENOBUFS : 0;
}

/* Write the payload to BYTES and say what the whole is made of. */
static int parts_of(const struct alert *alert, const struct handset_id *handset, uint8_t bytes[ALERT_PAYLOAD_MAX],
                    struct cose_parts *ret_parts)
{
        struct cbor_writer payload;
        int r;

        cbor_writer_init(&payload, bytes, ALERT_PAYLOAD_MAX);
        if ((r = alert_write_payload(alert, &payload)) < 0)
                return r;
        *ret_parts = (struct cose_parts){ .alg = KEY_ES256,
                                          .kid = handset->octets,
                                          .payload = cbor_written(&payload),
                                          .aad = CBOR_LITERAL(ALERT_AAD) };
        return 0;
}

int alert_tbs(const struct alert *alert, const struct handset_id *handset, struct cbor_writer *to)
{
        uint8_t payload[ALERT_PAYLOAD_MAX];
        struct cose_parts parts;
        int r = parts_of(alert, handset, payload, &parts);

        return r < 0 ? r : cose_sign1_tbs(&parts, to);
}

int alert_finish(const struct alert *alert, const struct handset_id *handset,
                 const uint8_t signature[KEY_SIGNATURE_SIZE], struct cbor_writer *to)
{
        uint8_t payload[ALERT_PAYLOAD_MAX];
        struct cose_parts parts;
        int r = parts_of(alert, handset, payload, &parts);

        return r < 0 ? r : cose_sign1_finish(&parts, signature, to);
}

/* ---- reading */

/* Step over the next part and set ONE on it alone, so that what is wrong with it breaks nothing else.  One that is
 * missing reads as broken. */
static void part(struct cbor_reader *r, struct cbor_reader *one)
{
        struct cbor_span item = { NULL, 0 };

        if (cbor_more(r))
                item = cbor_skip(r);
        cbor_reader_init(one, item);
}

static uint64_t part_uint(struct cbor_reader *r, uint64_t max, unsigned bit, unsigned *odd)
{
        struct cbor_reader one;
        uint64_t value;

        part(r, &one);
        value = cbor_read_uint(&one, max);
        if (one.broken != NULL)
                *odd |= bit;
        return value;
}

/* A u16 that saturates: more than it holds is its largest, and so is one that is not there. */
static uint16_t part_saturating(struct cbor_reader *r, bool *is_odd)
{
        struct cbor_reader one;
        uint64_t value;

        part(r, &one);
        value = cbor_read_uint(&one, UINT64_MAX);
        if (one.broken != NULL)
                *is_odd = true;
        return one.broken != NULL || value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static int32_t part_degrees(struct cbor_reader *r, int32_t max, bool *is_null, bool *is_odd)
{
        struct cbor_reader one;
        int64_t value = 0;

        part(r, &one);
        *is_null = cbor_read_null(&one);
        if (!*is_null)
                value = cbor_read_int(&one, -max, max);
        if (one.broken != NULL)
                *is_odd = true;
        return (int32_t)value;
}

static void position_read(struct cbor_reader *r, struct alert *a, unsigned *odd)
{
        bool no_lat, no_lon, odd_place = false, odd_accuracy = false;

        a->lat_e7 = part_degrees(r, LAT_MAX_E7, &no_lat, &odd_place);
        a->lon_e7 = part_degrees(r, LON_MAX_E7, &no_lon, &odd_place);
        a->accuracy_m = part_saturating(r, &odd_accuracy);
        a->fix_age_s = part_saturating(r, &odd_accuracy);
        a->has_fix = !odd_place && !no_lat && !no_lon;
        if (odd_place || no_lat != no_lon)
                *odd |= ALERT_ODD_POSITION;
        if (a->has_fix && odd_accuracy)
                *odd |= ALERT_ODD_ACCURACY;
        if (!a->has_fix) {
                a->lat_e7 = a->lon_e7 = 0;
                a->accuracy_m = a->fix_age_s = 0;
        }
}

static uint8_t battery_read(struct cbor_reader *r, unsigned *odd)
{
        struct cbor_reader one;
        uint64_t value;

        part(r, &one);
        if (cbor_read_null(&one))
                return ALERT_BATTERY_UNKNOWN;
        value = cbor_read_uint(&one, ALERT_BATTERY_UNKNOWN);
        if (one.broken != NULL || (value > 100 && value != ALERT_BATTERY_UNKNOWN)) {
                *odd |= ALERT_ODD_BATTERY;
                return ALERT_BATTERY_UNKNOWN;
        }
        return (uint8_t)value;
}

static int payload_read(struct cbor_span payload, struct alert_signed *to, const char **why)
{
        struct alert a = { 0 };
        struct cbor_reader r;
        unsigned odd = 0, unknown = 0;
        uint64_t marks;
        int error;

        cbor_reader_init(&r, payload);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT64_MAX) != 1)
                cbor_refuse(&r, "an alert format other than 1");
        cbor_read_octets(&r, a.nonce, sizeof(a.nonce));
        a.revision = (uint16_t)part_uint(&r, UINT16_MAX, ALERT_ODD_REVISION, &odd);
        a.pressed_at_s = (uint32_t)part_uint(&r, UINT32_MAX, ALERT_ODD_TIME, &odd);
        a.kind = (enum alert_kind)part_uint(&r, ALERT_KIND_COUNT - 1, ALERT_ODD_KIND, &odd);
        marks = part_uint(&r, UINT64_MAX, ALERT_ODD_MARKS, &odd);
        if (marks > UINT16_MAX)
                odd |= ALERT_ODD_MARKS;
        a.marks = (uint16_t)marks;
        position_read(&r, &a, &odd);
        a.battery_percent = battery_read(&r, &odd);
        for (; cbor_more(&r); unknown++)
                cbor_skip(&r);
        cbor_leave(&r);
        error = cbor_end(&r);
        if (error == 0) {
                to->alert = a;
                to->odd = odd;
                to->unknown_parts = unknown;
        } else if (why != NULL) {
                *why = r.broken;
        }
        return error;
}

int alert_read_payload(struct cbor_span payload, struct alert *ret_alert, unsigned *ret_odd)
{
        struct alert_signed whole;
        int r = payload_read(payload, &whole, NULL);

        if (r < 0)
                return r;
        *ret_alert = whole.alert;
        *ret_odd = whole.odd;
        return 0;
}

int alert_read(struct cbor_span in, struct alert_signed *ret_alert, const char **why)
{
        struct alert_signed whole;
        int r = cose_sign1_parse(in, COSE_OURS, &whole.cose, why);

        if (r < 0 || (r = payload_read(whole.cose.payload, &whole, why)) < 0)
                return r;
        memcpy(whole.handset.octets, whole.cose.kid.at, HANDSET_ID_SIZE);
        *ret_alert = whole;
        return 0;
}

/* ---- what is left of a broken one */

/* Step over the head at *AT if it is of MAJOR; gives its argument, or -1. */
static int64_t front_head(const uint8_t **at, const uint8_t *end, uint8_t major)
{
        struct cbor_head head;

        if (cbor_head_read(*at, end, &head) != NULL || head.major != major || head.arg > INT64_MAX)
                return -1;
        *at += head.len;
        return (int64_t)head.arg;
}

/* The nonce at the front of a payload that may be torn behind it. */
static bool front_nonce(const uint8_t *at, const uint8_t *end, uint8_t to[ALERT_NONCE_SIZE])
{
        if (front_head(&at, end, MAJOR_BYTES) < 0 || front_head(&at, end, MAJOR_ARRAY) < 2 ||
            front_head(&at, end, MAJOR_UINT) < 0 || front_head(&at, end, MAJOR_BYTES) != ALERT_NONCE_SIZE ||
            end - at < ALERT_NONCE_SIZE)
                return false;
        memcpy(to, at, ALERT_NONCE_SIZE);
        return true;
}

/* The kid among unprotected headers. */
static bool front_kid(struct cbor_reader *r, uint8_t to[HANDSET_ID_SIZE])
{
        struct cbor_span kid = { NULL, 0 };
        bool is_kid;

        cbor_enter_map(r);
        while (cbor_more(r)) {
                is_kid = cbor_peek(r) == CBOR_UINT && *r->at == 4;
                cbor_skip(r);
                if (is_kid && cbor_peek(r) == CBOR_BYTES)
                        kid = cbor_read_bytes(r, 0, COSE_MAX);
                else
                        cbor_skip(r);
        }
        cbor_leave(r);
        if (kid.len != HANDSET_ID_SIZE)
                return false;
        memcpy(to, kid.at, HANDSET_ID_SIZE);
        return true;
}

unsigned alert_salvage(struct cbor_span in, struct alert_id *ret_id)
{
        struct cbor_reader r;
        unsigned found = 0;

        memset(ret_id, 0, sizeof(*ret_id));
        if (in.len > COSE_MAX)
                in.len = COSE_MAX;
        cbor_reader_init(&r, in);
        r.order = CBOR_ANY_ORDER;
        if (cbor_peek(&r) == CBOR_TAG)
                cbor_read_tag(&r);
        cbor_enter_array(&r);
        cbor_read_bytes(&r, 0, COSE_MAX);
        if (front_kid(&r, ret_id->octets))
                found |= ALERT_SALVAGED_HANDSET;
        if (r.broken == NULL && front_nonce(r.at, r.end, ret_id->octets + HANDSET_ID_SIZE))
                found |= ALERT_SALVAGED_NONCE;
        return found;
}

/* ---- words */

uint16_t alert_marks_add(uint16_t known, uint16_t newer)
{
        unsigned category = alert_category(newer) != ALERT_CATEGORY_NONE ? newer : known;

        return (uint16_t)(((known | newer) & ~ALERT_CATEGORY) | (category & ALERT_CATEGORY));
}

unsigned alert_category(uint16_t marks)
{
        return (marks & ALERT_CATEGORY) >> ALERT_CATEGORY_SHIFT;
}

const char *alert_kind_name(unsigned kind)
{
        static const char *const names[] = { "panic", "silent", "man-down", "missed check-in", "drill", "test" };

        return kind < ALERT_KIND_COUNT ? names[kind] : "unknown";
}

const char *alert_category_name(unsigned category)
{
        static const char *const names[] = { "none", "fall or injury", "aggression", "dog", "illness", "other" };

        return category <= ALERT_OTHER ? names[category] : "unknown";
}
