#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "ops/vigie/door.h"
#include "ops/vigie/say.h"
#include "wire/key.h"

#define PLACE_MAX (1 + 1 + 2 + REGION_NAME_MAX + 34 + 9 + 2 + NAME_MAX_OCTETS + 1)

/* [1, region, root key 32, building id 8, building name, sensitive], as console/web/caretaker/place.js reads it. */
static int encode(const struct region *region, const struct door_place *place, uint8_t *to, size_t *ret_len)
{
        uint8_t root[KEY_PUBLIC_MAX];
        char path[REGION_PATH_MAX];
        struct key *key = NULL;
        struct cbor_writer w;
        int r = region_path(region, "root.pem", path);

        if (r < 0)
                return r;
        if ((r = key_from_file(path, &key)) < 0 || key_alg(key) != KEY_EDDSA) {
                say_wrong("%s: not the region's root", path);
                key_free(key);
                return r < 0 ? r : -EKEYREJECTED;
        }
        key_public(key, root);
        key_free(key);
        cbor_writer_init(&w, to, PLACE_MAX);
        cbor_write_array(&w, 6);
        cbor_write_uint(&w, 1);
        cbor_write_string(&w, region->config.name);
        cbor_write_bytes(&w, (struct cbor_span){ root, 32 });
        cbor_write_bytes(&w, (struct cbor_span){ place->building, BUILDING_ID_SIZE });
        cbor_write_string(&w, place->entry->name);
        cbor_write_bool(&w, (place->entry->flags & BUILDING_SENSITIVE) != 0);
        *ret_len = w.len;
        return w.full ? -ENOBUFS : 0;
}

int door_link(const struct region *region, const struct door_place *place, char to[DOOR_LINK_MAX])
{
        uint8_t octets[PLACE_MAX];
        unsigned char text[4 * PLACE_MAX / 3 + 4];
        size_t len;
        int r;

        if (strncmp(place->page, "https://", 8) != 0 && strncmp(place->page, "http://", 7) != 0)
                return say_wrong("--page '%s': https://...", place->page);
        if ((r = encode(region, place, octets, &len)) < 0)
                return r;
        EVP_EncodeBlock(text, octets, (int)len);
        for (unsigned char *c = text; *c != 0; c++)
                *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? 0 : *c;
        r = snprintf(to, DOOR_LINK_MAX, "%s#%s", place->page, (char *)text);
        return r < DOOR_LINK_MAX ? 0 : -ENOBUFS;
}
