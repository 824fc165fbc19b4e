/* scene FOLDER NOW: what a caretaker's page is shown, made at the second NOW, for the browser test: FOLDER/data/trust and
 * FOLDER/data/status, and on stdout, a line each: link TEXT (behind the #), then NAME TEXT for each code of a phone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "tests/wire/door.h"
#include "wire/status.h"

/* Codes of one slot: no page takes one twice. */
#define CODES_EACH 8

static struct door d;
static struct key *root, *lists;
static uint8_t room[COSE_MAX], lists_kid[KEY_KID_SIZE];
static const char *folder;

static void put(const char *name, struct cbor_span octets)
{
        char path[512];
        FILE *to;

        snprintf(path, sizeof(path), "%s/data/%s", folder, name);
        to = fopen(path, "w");
        assert_non_null(to);
        assert_int_equal(fwrite(octets.at, 1, octets.len, to), octets.len);
        assert_int_equal(fclose(to), 0);
}

/* show: the code of a phone at the second AT_S. */
static void show(const char *name, uint32_t at_s)
{
        static char text[PASS_TEXT_SIZE];
        struct bytes whole;

        d.proof.time_s = at_s;
        d.proof.counter++;
        door_proof(&d);
        SIGNED(&whole, presentation_write(span_of(&d.signed_pass), span_of(&d.signed_proof), &w));
        assert_int_equal(pass_text_write(span_of(&whole), text, sizeof(text)), 0);
        printf("%s %s\n", name, text);
}

static void list(uint32_t now_s, bool revoked)
{
        struct status_list say = {
                .region = "lyon", .issued_at_s = now_s - (revoked ? 0 : 60), .expires_s = now_s + 3600, .count = 64
        };
        struct cbor_writer w;

        memset(d.bits, 0, sizeof(d.bits));
        if (revoked)
                d.bits[d.pass.status / 8] = (uint8_t)(1 << d.pass.status % 8);
        cbor_writer_init(&w, room, sizeof(room));
        assert_int_equal(status_sign(&say, d.bits, lists_kid, lists, &w), 0);
        put(revoked ? "revoked" : "status", cbor_written(&w));
}

static void link(void)
{
        uint8_t octets[256], public[KEY_PUBLIC_MAX];
        char text[512];
        struct cbor_writer w;

        cbor_writer_init(&w, octets, sizeof(octets));
        cbor_write_array(&w, 6);
        cbor_write_uint(&w, 1);
        cbor_write_string(&w, "lyon");
        cbor_write_bytes(&w, (struct cbor_span){ public, key_public(root, public) });
        cbor_write_bytes(&w, CBOR_OCTETS(d.mandate.building));
        cbor_write_string(&w, "12 rue de la République");
        cbor_write_bool(&w, false);
        EVP_EncodeBlock((unsigned char *)text, octets, (int)w.len);
        for (char *at = text; *at != '\0'; at++)
                *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
        text[strcspn(text, "=")] = '\0';
        printf("link %s\n", text);
}

int main(int argc, char **argv)
{
        uint32_t now_s = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
        struct cbor_writer w;

        if (argc != 3 || now_s == 0) {
                fprintf(stderr, "scene FOLDER NOW\n");
                return 2;
        }
        folder = argv[1];
        door_open(&d, BUILDINGS, DOOR_PAGE);
        assert_int_equal(key_generate(KEY_EDDSA, &root), 0);
        assert_int_equal(key_generate(KEY_EDDSA, &lists), 0);
        door_list_key(&d, TRUST_STATUS, lists, lists_kid);
        d.trust.number = 1;
        d.pass.not_before_s = now_s - 3600;
        d.pass.issued_at_s = now_s - 3600;
        d.pass.not_after_s = now_s + 7200;
        door_pass(&d);
        cbor_writer_init(&w, room, sizeof(room));
        assert_int_equal(trust_sign(&d.trust, root, &w), 0);
        put("trust", cbor_written(&w));
        list(now_s, true);
        list(now_s, false);
        link();
        for (int i = 0; i < 40 * CODES_EACH; i++) { /* ten minutes of a phone's screen, several for each 15 s */
                char name[32];

                snprintf(name, sizeof(name), "code%d.%d", i / CODES_EACH, i % CODES_EACH);
                show(name, now_s + (uint32_t)(i / CODES_EACH * PASS_SLOT_S));
        }
        show("old", now_s - 120);
        d.here = 2;
        show("elsewhere", now_s);
        key_free(lists);
        key_free(root);
        door_close(&d);
        return fflush(stdout) == 0 ? 0 : 1;
}
