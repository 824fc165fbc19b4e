#include "wire/keeper.h"

#include <errno.h>
#include <string.h>

#include "wire/fields.h"

#define FORMAT 1
#define R      struct keeper_request
#define A      struct keeper_answer

/* ---- what each kind has, behind the format number */

#define ASKED F_UINT(R, kind, KEEPER_PASS, KEEPER_KIND_END - 1), F_U32(R, ref), F_ID(R, by), F_ID(R, second)

static const struct field window_fields[] = { F_U32(struct pass_window, from_s), F_U32(struct pass_window, to_s) };
static const struct fields window = FIELDS(window_fields);

static const struct field ask_pass[] = {
        ASKED,
        F_OCTETS(R, handset),
        F_ID(R, carrier),
        F_OCTETS(R, key),
        F_U32(R, not_before_s),
        F_U32(R, not_after_s),
        F_LIST(R, windows, window_count, PASS_WINDOWS_MAX, &window),
        F_U32(R, policy),
        F_SPAN(R, buildings, BUILDING_ID_SIZE, SCOPE_BUILDINGS_MAX *BUILDING_ID_SIZE),
        F_LATER(R, renews, 1),
};
static const struct field ask_revoke[] = { ASKED, F_OCTETS(R, handset), F_SPAN(R, pass_id, 0, PASS_ID_SIZE) };
static const struct field ask_list[] = { ASKED, F_U32(R, expires_s) };
static const struct field ask_order[] = {
        ASKED,
        F_OCTETS(R, handset),
        F_OCTETS(R, enrolment),
        F_UINT(R, what, ORDER_WIPE, ORDER_KIND_END - 1),
        F_OCTETS(R, challenge),
        F_OCTETS(R, digest),
        F_U32(R, trust_number),
        F_LATER(R, renews, 1),
};
static const struct field ask_open[] = {
        ASKED,
        F_OCTETS(R, handset),
        F_SPAN(R, sealed, 1, SEALED_MAX),
        F_SPAN(R, alert, 0, KEEPER_ALERT_MAX),
        F_SPAN(R, certificate, 0, KEEPER_CERTIFICATE_MAX),
};
static const struct field ask_mark[] = {
        ASKED,
        F_SPAN(R, marks, KEEPER_MARK_SIZE, KEEPER_MARKS_MAX *KEEPER_MARK_SIZE),
};
static const struct fields requests[KEEPER_KIND_END] = {
        [KEEPER_PASS] = FIELDS(ask_pass),   [KEEPER_REVOKE] = FIELDS(ask_revoke), [KEEPER_LIST] = FIELDS(ask_list),
        [KEEPER_ORDER] = FIELDS(ask_order), [KEEPER_OPEN] = FIELDS(ask_open),     [KEEPER_MARK] = FIELDS(ask_mark),
};

#define ANSWERED F_UINT(A, kind, KEEPER_PASS, KEEPER_KIND_END - 1), F_U32(A, ref), F_U8(A, code)

static const struct field say_no[] = { ANSWERED };
static const struct field say_pass[] = {
        ANSWERED, F_SPAN(A, object, 1, PASS_MAX), F_OCTETS(A, salt_key), F_OCTETS(A, marker_key), F_U32(A, status),
};
static const struct field say_revoke[] = { ANSWERED, F_U32(A, count) };
static const struct field say_object[] = { ANSWERED, F_SPAN(A, object, 1, COSE_MAX) };
static const struct field say_open[] = {
        ANSWERED,
        F_INT(A, position.lat_e7, -900000000, 900000000),
        F_INT(A, position.lon_e7, -1800000000, 1800000000),
        F_U16(A, position.accuracy_m),
        F_U32(A, position.fix_at_s),
};
static const struct field say_mark[] = { ANSWERED, F_SPAN(A, object, 1, KEEPER_MARKS_MAX) };
static const struct fields answers[KEEPER_KIND_END] = {
        [KEEPER_PASS] = FIELDS(say_pass),    [KEEPER_REVOKE] = FIELDS(say_revoke), [KEEPER_LIST] = FIELDS(say_object),
        [KEEPER_ORDER] = FIELDS(say_object), [KEEPER_OPEN] = FIELDS(say_open),     [KEEPER_MARK] = FIELDS(say_mark),
};
static const struct fields no = FIELDS(say_no);

/* ---- reading and writing */

/* look: the kind, and of an answer its code, without moving on. */
static int look(struct cbor_span in, uint64_t *ret_kind, uint64_t *ret_code)
{
        struct cbor_reader r;
        int error;

        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        if ((error = fields_format(&r, FORMAT)) < 0)
                return error;
        *ret_kind = cbor_read_uint(&r, UINT64_MAX);
        if (ret_code != NULL) {
                cbor_read_uint(&r, UINT32_MAX);
                *ret_code = cbor_read_uint(&r, UINT8_MAX);
        }
        if (r.broken != NULL)
                return -EBADMSG;
        return *ret_kind >= KEEPER_PASS && *ret_kind < KEEPER_KIND_END ? 0 : -EPROTONOSUPPORT;
}

static int read_all(struct cbor_span in, const struct fields *fields, void *ret_object)
{
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        cbor_skip(&r); /* the format */
        return fields_read_rest(&r, fields, ret_object);
}

int keeper_request_encode(const struct keeper_request *request, uint8_t *buf, size_t size)
{
        if (request->kind < KEEPER_PASS || request->kind >= KEEPER_KIND_END)
                return -EINVAL;
        return fields_write_all(&requests[request->kind], FORMAT, request, buf, size);
}

int keeper_answer_encode(const struct keeper_answer *answer, uint8_t *buf, size_t size)
{
        if (answer->kind < KEEPER_PASS || answer->kind >= KEEPER_KIND_END)
                return -EINVAL;
        return fields_write_all(answer->code == KEEPER_DONE ? &answers[answer->kind] : &no, FORMAT, answer, buf, size);
}

static bool is_whole(const struct keeper_request *request)
{
        return request->buildings.len % BUILDING_ID_SIZE == 0 && request->marks.len % KEEPER_MARK_SIZE == 0 &&
               (request->pass_id.len == 0 || request->pass_id.len == PASS_ID_SIZE);
}

int keeper_request_decode(struct cbor_span in, struct keeper_request *ret_request)
{
        uint64_t kind;
        int r = look(in, &kind, NULL);

        memset(ret_request, 0, sizeof(*ret_request));
        if (r == 0)
                r = read_all(in, &requests[kind], ret_request);
        if (r == 0 && !is_whole(ret_request))
                r = -EBADMSG;
        if (r < 0)
                memset(ret_request, 0, sizeof(*ret_request));
        return r;
}

int keeper_answer_decode(struct cbor_span in, struct keeper_answer *ret_answer)
{
        uint64_t kind, code;
        int r = look(in, &kind, &code);

        memset(ret_answer, 0, sizeof(*ret_answer));
        if (r == 0)
                r = read_all(in, code == KEEPER_DONE ? &answers[kind] : &no, ret_answer);
        if (r < 0)
                memset(ret_answer, 0, sizeof(*ret_answer));
        return r;
}

/* ---- words */

const char *keeper_kind_name(unsigned kind)
{
        static const char *const names[KEEPER_KIND_END] = { NULL, "pass", "revoke", "list", "order", "open", "mark" };

        return kind >= KEEPER_PASS && kind < KEEPER_KIND_END ? names[kind] : "unknown";
}

const char *keeper_code_name(unsigned code)
{
        static const char *const names[KEEPER_CODE_END] = { "done",      "malformed", "not_yours", "too_long",
                                                            "needs_two", "too_many",  "not_now",   "not_found",
                                                            "no_reason", "no_place",  "failed", "clock" };

        return code < KEEPER_CODE_END ? names[code] : "unknown";
}
