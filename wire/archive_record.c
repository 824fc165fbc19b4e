/* A record in parts and together again: over the octets, so that a newer format's fields stay. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/archive.h"

/* Keys of a record (PROTOCOL.md 8). */
enum {
        KEY_ID = 1,
        KEY_VERSION,
        KEY_STATE,
        KEY_POSITION = 15,
        KEY_TRACK = 17,
        KEY_OWNER = 26,
        KEY_PASSED_REST = 32,
        KEY_CLOSE = 38,
        KEY_CLOSED_AT = 42,
        KEY_OWNER_PATH = 49,
        KEY_BEFORE,
        KEY_SALT
};

static enum archive_part part_of(struct cbor_span key)
{
        struct cbor_reader r;
        uint64_t number;

        cbor_reader_init(&r, key);
        if (cbor_peek(&r) != CBOR_UINT)
                return ARCHIVE_ABOUT;
        number = cbor_read_uint(&r, UINT64_MAX);
        if (number == KEY_SALT)
                return ARCHIVE_SALT;
        if (number == KEY_POSITION || number == KEY_TRACK)
                return ARCHIVE_POSITIONS;
        return (number >= KEY_OWNER && number <= KEY_PASSED_REST) || (number >= KEY_CLOSE && number <= KEY_CLOSED_AT) ||
                               number == KEY_OWNER_PATH
                       ? ARCHIVE_PROOF
                       : ARCHIVE_ABOUT;
}

/* Count RECORD's pairs by part in COUNTS; with TO, write those of PART there. */
static int pairs(struct cbor_span record, uint64_t counts[ARCHIVE_PARTS], enum archive_part part,
                 struct cbor_writer *to)
{
        struct cbor_reader r;

        cbor_reader_init(&r, record);
        cbor_enter_map(&r);
        while (cbor_more(&r)) {
                struct cbor_span key = cbor_skip(&r), value = cbor_skip(&r);
                enum archive_part of = r.broken == NULL ? part_of(key) : part;

                counts[of]++;
                if (to != NULL && of == part) {
                        cbor_write_raw(to, key);
                        cbor_write_raw(to, value);
                }
        }
        cbor_leave(&r);
        return cbor_end(&r);
}

int archive_record_split(struct cbor_span record, struct cbor_writer *to, struct cbor_span ret_parts[ARCHIVE_PARTS])
{
        static const uint8_t room[ARCHIVE_SALT_SIZE];
        uint64_t counts[ARCHIVE_PARTS] = { 0 }, again[ARCHIVE_PARTS] = { 0 };

        memset(ret_parts, 0, ARCHIVE_PARTS * sizeof(*ret_parts));
        if (pairs(record, counts, ARCHIVE_ABOUT, NULL) < 0)
                return -EBADMSG;
        for (int part = 0; part < ARCHIVE_PARTS; part++) {
                size_t begin = to->len;

                if (counts[part] == 0 && part != ARCHIVE_PROOF)
                        continue;
                cbor_write_raw(to, CBOR_OCTETS(room));
                cbor_write_map(to, counts[part]);
                (void)pairs(record, again, (enum archive_part)part, to);
                ret_parts[part] = (struct cbor_span){ to->to + begin, to->len - begin };
        }
        return to->full ? -ENOBUFS : 0;
}

void archive_record_add_signed(struct cbor_span signed_alert, struct cbor_writer *to,
                               struct cbor_span parts[ARCHIVE_PARTS])
{
        static const uint8_t none[ARCHIVE_SALT_SIZE + 1] = { [ARCHIVE_SALT_SIZE] = 0xa0 };
        struct cbor_span *part = &parts[ARCHIVE_POSITIONS];
        size_t begin = to->len;

        cbor_write_raw(to, part->at != NULL ? *part : CBOR_OCTETS(none));
        cbor_write_bytes(to, signed_alert);
        if (!to->full)
                *part = (struct cbor_span){ to->to + begin, to->len - begin };
}

struct cbor_span archive_record_signed(const struct cbor_span parts[ARCHIVE_PARTS])
{
        const struct cbor_span part = parts[ARCHIVE_POSITIONS], none = { NULL, 0 };
        struct cbor_span rest, found;
        struct cbor_reader r;

        if (part.at == NULL || part.len <= ARCHIVE_SALT_SIZE)
                return none;
        rest = (struct cbor_span){ part.at + ARCHIVE_SALT_SIZE, part.len - ARCHIVE_SALT_SIZE };
        cbor_reader_init(&r, rest);
        found = cbor_skip(&r); /* the map */
        rest = (struct cbor_span){ rest.at + found.len, rest.len - found.len };
        if (r.broken != NULL || rest.len == 0)
                return none;
        cbor_reader_init(&r, rest);
        found = cbor_read_bytes(&r, 1, rest.len);
        return r.broken == NULL ? found : none;
}

int archive_record_facts(struct cbor_span record, struct archive_meta *meta)
{
        uint64_t seen = 0;
        struct cbor_reader r;

        memset(meta->before, 0, sizeof(meta->before));
        cbor_reader_init(&r, record);
        cbor_enter_map(&r);
        while (cbor_more(&r)) {
                uint64_t key =
                        cbor_peek(&r) == CBOR_UINT ? cbor_read_uint(&r, UINT64_MAX) : (cbor_skip(&r), UINT64_MAX);

                if (key == KEY_ID)
                        cbor_read_octets(&r, meta->alert, sizeof(meta->alert));
                else if (key == KEY_VERSION)
                        meta->version = (uint32_t)cbor_read_uint(&r, UINT32_MAX);
                else if (key == KEY_STATE)
                        meta->state = (uint8_t)cbor_read_uint(&r, UINT8_MAX);
                else if (key == KEY_BEFORE)
                        cbor_read_octets(&r, meta->before, sizeof(meta->before));
                else
                        cbor_skip(&r);
                seen |= key >= KEY_ID && key <= KEY_STATE ? UINT64_C(1) << key : 0;
        }
        cbor_leave(&r);
        if (cbor_end(&r) < 0 || seen != (1u << KEY_ID | 1u << KEY_VERSION | 1u << KEY_STATE))
                return -EBADMSG;
        return archive_hash(&record, 1, meta->hash);
}

/* One map being merged: its reader stands behind KEY, before its value. */
struct source {
        struct cbor_reader r;
        struct cbor_span key;
};

static void step(struct source *s)
{
        s->key = cbor_more(&s->r) ? cbor_skip(&s->r) : (struct cbor_span){ NULL, 0 };
}

/* By the order of our profile: octet by octet. */
static bool is_before(struct cbor_span a, struct cbor_span b)
{
        int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

        return order < 0 || (order == 0 && a.len < b.len);
}

static int merge(struct source *sources, uint64_t count, struct cbor_writer *w)
{
        cbor_write_map(w, count);
        for (;;) {
                struct source *first = NULL;

                for (size_t i = 0; i < ARCHIVE_PARTS; i++)
                        if (sources[i].key.at != NULL && (first == NULL || is_before(sources[i].key, first->key)))
                                first = &sources[i];
                if (first == NULL)
                        break;
                cbor_write_raw(w, first->key);
                cbor_write_raw(w, cbor_skip(&first->r));
                step(first);
        }
        for (size_t i = 0; i < ARCHIVE_PARTS; i++)
                if (sources[i].r.broken != NULL)
                        return -EBADMSG;
        return w->full ? -ENOBUFS : (int)w->len;
}

int archive_record_join(const struct cbor_span parts[ARCHIVE_PARTS], uint8_t *to, size_t size)
{
        struct source sources[ARCHIVE_PARTS];
        uint64_t count = 0;
        struct cbor_writer w;

        for (size_t i = 0; i < ARCHIVE_PARTS; i++) {
                struct cbor_span map = CBOR_LITERAL("\xa0");

                if (parts[i].at != NULL && parts[i].len > ARCHIVE_SALT_SIZE)
                        map = (struct cbor_span){ parts[i].at + ARCHIVE_SALT_SIZE, parts[i].len - ARCHIVE_SALT_SIZE };
                cbor_reader_init(&sources[i].r, map);
                map = cbor_skip(&sources[i].r);
                if (map.len == 0)
                        return -EBADMSG;
                cbor_reader_init(&sources[i].r, map);
                if (cbor_peek(&sources[i].r) != CBOR_MAP)
                        return -EBADMSG;
                count += cbor_enter_map(&sources[i].r);
                step(&sources[i]);
        }
        cbor_writer_init(&w, to, size);
        return merge(sources, count, &w);
}
