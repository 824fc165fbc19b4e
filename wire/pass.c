#include "wire/pass.h"

#include <errno.h>
#include <string.h>

#include "wire/base45.h"

/* ---- writing */

static bool windows_are_possible(const struct pass *pass)
{
        if (pass->window_count > PASS_WINDOWS_MAX)
                return false;
        for (unsigned i = 0; i < pass->window_count; i++)
                if (pass->windows[i].from_s > pass->windows[i].to_s)
                        return false;
        return true;
}

int pass_write_payload(const struct pass *pass, struct cbor_writer *to)
{
        if (!windows_are_possible(pass) || pass->not_before_s > pass->not_after_s)
                return -EINVAL;
        cbor_write_array(to, 12);
        cbor_write_uint(to, 1);
        cbor_write_string(to, pass->region);
        cbor_write_bytes(to, CBOR_OCTETS(pass->subject));
        cbor_write_bytes(to, CBOR_OCTETS(pass->id));
        cbor_write_uint(to, pass->not_before_s);
        cbor_write_uint(to, pass->not_after_s);
        cbor_write_uint(to, pass->issued_at_s);
        cbor_write_bytes(to, CBOR_OCTETS(pass->key));
        cbor_write_uint(to, pass->status);
        cbor_write_bytes(to, CBOR_OCTETS(pass->scope));
        cbor_write_array(to, pass->window_count);
        for (unsigned i = 0; i < pass->window_count; i++) {
                cbor_write_array(to, 2);
                cbor_write_uint(to, pass->windows[i].from_s);
                cbor_write_uint(to, pass->windows[i].to_s);
        }
        cbor_write_uint(to, pass->policy);
        return to->full ? -ENOBUFS : 0;
}

int mandate_write_payload(const struct mandate *mandate, struct cbor_writer *to)
{
        if (mandate->class == 0 || mandate->class >= DOOR_CLASS_END || mandate->not_before_s > mandate->not_after_s)
                return -EINVAL;
        cbor_write_array(to, 8);
        cbor_write_uint(to, 1);
        cbor_write_string(to, mandate->region);
        cbor_write_bytes(to, CBOR_OCTETS(mandate->door));
        cbor_write_bytes(to, CBOR_OCTETS(mandate->building));
        cbor_write_uint(to, mandate->class);
        cbor_write_bytes(to, CBOR_OCTETS(mandate->key));
        cbor_write_uint(to, mandate->not_before_s);
        cbor_write_uint(to, mandate->not_after_s);
        return to->full ? -ENOBUFS : 0;
}

int hello_write_payload(const struct hello *hello, struct cbor_writer *to)
{
        if (hello->mandate.len > MANDATE_MAX)
                return -EINVAL;
        cbor_write_array(to, 6);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, hello->mandate);
        cbor_write_bytes(to, CBOR_OCTETS(hello->nonce));
        cbor_write_uint(to, hello->time_s);
        cbor_write_uint(to, hello->list_issued_at_s);
        cbor_write_bytes(to, CBOR_OCTETS(hello->head));
        return to->full ? -ENOBUFS : 0;
}

static bool path_is_possible(struct cbor_span path)
{
        return path.len <= SCOPE_PATH_MAX && path.len % SCOPE_HASH_SIZE == 0;
}

int proof_write_payload(const struct proof *proof, struct cbor_writer *to)
{
        if (!path_is_possible(proof->path))
                return -EINVAL;
        cbor_write_array(to, 8);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, CBOR_OCTETS(proof->digest));
        cbor_write_bytes(to, CBOR_OCTETS(proof->salt));
        cbor_write_uint(to, proof->index);
        cbor_write_bytes(to, proof->path);
        cbor_write_uint(to, proof->time_s);
        cbor_write_uint(to, proof->counter);
        cbor_write_bytes(to, CBOR_OCTETS(proof->marker));
        return to->full ? -ENOBUFS : 0;
}

/* ---- reading */

static uint32_t read_u32(struct cbor_reader *r)
{
        return (uint32_t)cbor_read_uint(r, UINT32_MAX);
}

/* begin: into the array of a payload of format 1. */
static void begin(struct cbor_reader *r, struct cbor_span payload)
{
        cbor_reader_init(r, payload);
        cbor_enter_array(r);
        if (cbor_read_uint(r, UINT64_MAX) != 1)
                cbor_refuse(r, "a format other than 1");
}

static int end(struct cbor_reader *r, const char **why)
{
        int error;

        cbor_leave(r);
        error = cbor_end(r);
        if (error < 0 && why != NULL)
                *why = r->broken;
        return error;
}

static int open_cose(struct cbor_span in, size_t max, struct cose_sign1 *ret_cose, const char **why)
{
        if (in.len > max) {
                if (why != NULL)
                        *why = "longer than any of its kind";
                return -EMSGSIZE;
        }
        return cose_sign1_parse(in, COSE_OURS, ret_cose, why);
}

static void windows_read(struct cbor_reader *r, struct pass *pass)
{
        if (cbor_enter_array(r) > PASS_WINDOWS_MAX)
                cbor_refuse(r, "more than 4 windows");
        while (cbor_more(r)) {
                struct pass_window *window = &pass->windows[pass->window_count++];

                cbor_enter_array(r);
                window->from_s = read_u32(r);
                window->to_s = read_u32(r);
                cbor_leave(r);
        }
        cbor_leave(r);
        if (!windows_are_possible(pass))
                cbor_refuse(r, "a window that ends before it begins");
}

int pass_read(struct cbor_span in, struct pass_signed *ret_pass, const char **why)
{
        struct pass *pass = &ret_pass->pass;
        struct cbor_reader r;
        int error = open_cose(in, PASS_MAX, &ret_pass->cose, why);

        if (error < 0)
                return error;
        memset(pass, 0, sizeof(*pass));
        begin(&r, ret_pass->cose.payload);
        cbor_read_string(&r, pass->region, sizeof(pass->region));
        cbor_read_octets(&r, pass->subject, sizeof(pass->subject));
        cbor_read_octets(&r, pass->id, sizeof(pass->id));
        pass->not_before_s = read_u32(&r);
        pass->not_after_s = read_u32(&r);
        pass->issued_at_s = read_u32(&r);
        cbor_read_octets(&r, pass->key, sizeof(pass->key));
        pass->status = read_u32(&r);
        cbor_read_octets(&r, pass->scope, sizeof(pass->scope));
        windows_read(&r, pass);
        pass->policy = read_u32(&r);
        if (pass->not_before_s > pass->not_after_s)
                cbor_refuse(&r, "a pass that ends before it begins");
        if (pass->not_after_s - pass->not_before_s > PASS_SECONDS_MAX)
                cbor_refuse(&r, "a pass of more than 24 hours");
        return end(&r, why);
}

int mandate_read(struct cbor_span in, struct mandate_signed *ret_mandate, const char **why)
{
        struct mandate *mandate = &ret_mandate->mandate;
        struct cbor_reader r;
        int error = open_cose(in, MANDATE_MAX, &ret_mandate->cose, why);

        if (error < 0)
                return error;
        memset(mandate, 0, sizeof(*mandate));
        begin(&r, ret_mandate->cose.payload);
        cbor_read_string(&r, mandate->region, sizeof(mandate->region));
        cbor_read_octets(&r, mandate->door, sizeof(mandate->door));
        cbor_read_octets(&r, mandate->building, sizeof(mandate->building));
        mandate->class = (uint8_t)cbor_read_uint(&r, DOOR_CLASS_END - 1);
        cbor_read_octets(&r, mandate->key, sizeof(mandate->key));
        mandate->not_before_s = read_u32(&r);
        mandate->not_after_s = read_u32(&r);
        if (mandate->class == 0)
                cbor_refuse(&r, "a door of no class");
        if (mandate->not_before_s > mandate->not_after_s)
                cbor_refuse(&r, "a mandate that ends before it begins");
        return end(&r, why);
}

int hello_read(struct cbor_span in, struct hello_signed *ret_hello, const char **why)
{
        struct hello *hello = &ret_hello->hello;
        struct cbor_reader r;
        int error = open_cose(in, HELLO_MAX, &ret_hello->cose, why);

        if (error < 0)
                return error;
        memset(hello, 0, sizeof(*hello));
        begin(&r, ret_hello->cose.payload);
        hello->mandate = cbor_read_bytes(&r, 1, MANDATE_MAX);
        cbor_read_octets(&r, hello->nonce, sizeof(hello->nonce));
        hello->time_s = read_u32(&r);
        hello->list_issued_at_s = read_u32(&r);
        cbor_read_octets(&r, hello->head, sizeof(hello->head));
        return end(&r, why);
}

int proof_read(struct cbor_span in, struct proof_signed *ret_proof, const char **why)
{
        struct proof *proof = &ret_proof->proof;
        struct cbor_reader r;
        int error = open_cose(in, PROOF_MAX, &ret_proof->cose, why);

        if (error < 0)
                return error;
        memset(proof, 0, sizeof(*proof));
        begin(&r, ret_proof->cose.payload);
        cbor_read_octets(&r, proof->digest, sizeof(proof->digest));
        cbor_read_octets(&r, proof->salt, sizeof(proof->salt));
        proof->index = (uint16_t)cbor_read_uint(&r, SCOPE_BUILDINGS_MAX - 1);
        proof->path = cbor_read_bytes(&r, 0, SCOPE_PATH_MAX);
        proof->time_s = read_u32(&r);
        proof->counter = read_u32(&r);
        cbor_read_octets(&r, proof->marker, sizeof(proof->marker));
        if (!path_is_possible(proof->path))
                cbor_refuse(&r, "a path that is no whole number of hashes");
        return end(&r, why);
}

/* ---- what binds them */

void proof_aad(const struct scope_hash *sha, struct cbor_span hello, uint8_t class, uint32_t time_s,
               uint8_t ret_aad[PROOF_AAD_SIZE])
{
        uint32_t slot = time_s / PASS_SLOT_S;
        uint8_t one_way[5] = { class, (uint8_t)(slot >> 24), (uint8_t)(slot >> 16), (uint8_t)(slot >> 8),
                               (uint8_t)slot };

        memcpy(ret_aad, PROOF_AAD, sizeof(PROOF_AAD) - 1);
        sha->hash(sha->user, hello.len > 0 ? hello : CBOR_OCTETS(one_way), ret_aad + sizeof(PROOF_AAD) - 1);
}

void pass_digest(const struct scope_hash *sha, struct cbor_span pass, uint8_t ret_digest[PASS_DIGEST_SIZE])
{
        uint8_t whole[32];

        sha->hash(sha->user, pass, whole);
        memcpy(ret_digest, whole, PASS_DIGEST_SIZE);
}

/* ---- together */

int presentation_write(struct cbor_span pass, struct cbor_span proof, struct cbor_writer *to)
{
        cbor_write_array(to, 3);
        cbor_write_uint(to, 1);
        cbor_write_bytes(to, pass);
        cbor_write_bytes(to, proof);
        return to->full ? -ENOBUFS : 0;
}

int presentation_read(struct cbor_span in, struct cbor_span *ret_pass, struct cbor_span *ret_proof)
{
        struct cbor_span pass, proof;
        struct cbor_reader r;
        int error;

        if (in.len > PRESENTATION_MAX)
                return -EMSGSIZE;
        begin(&r, in);
        pass = cbor_read_bytes(&r, 0, PRESENTATION_MAX);
        proof = cbor_read_bytes(&r, 0, PRESENTATION_MAX);
        error = end(&r, NULL);
        if (error < 0)
                return error;
        *ret_pass = pass;
        *ret_proof = proof;
        return 0;
}

#define PREFIX_LEN (sizeof(PASS_TEXT_PREFIX) - 1)

int pass_text_write(struct cbor_span presentation, char *text, size_t size)
{
        if (size <= PREFIX_LEN)
                return -ENOBUFS;
        memcpy(text, PASS_TEXT_PREFIX, PREFIX_LEN);
        return base45_write(presentation, text + PREFIX_LEN, size - PREFIX_LEN);
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\r' || c == '\n' || c == '\t';
}

int pass_text_read(const char *text, size_t len, uint8_t *to, size_t size, size_t *ret_len)
{
        for (; len > 0 && is_blank(text[0]); text++)
                len--;
        if (len < PREFIX_LEN || memcmp(text, PASS_TEXT_PREFIX, PREFIX_LEN) != 0)
                return -EINVAL;
        while (len > PREFIX_LEN && is_blank(text[len - 1]) && text[len - 1] != ' ')
                len--;
        if (len >= PASS_TEXT_SIZE)
                return -EMSGSIZE;
        return base45_read(text + PREFIX_LEN, len - PREFIX_LEN, to, size, ret_len);
}
