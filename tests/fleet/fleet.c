#include "tests/fleet/fleet.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "wire/sealed.h"
#include "wire/signing.h"

static int send_frame(struct peer *peer, const struct frame *frame)
{
        uint8_t buf[FRAME_HANDSET_MAX];
        int n = frame_encode(frame, buf, sizeof(buf));

        return n < 0 ? n : peer_send(peer, buf, (size_t)n, false);
}

int fleet_hello(struct peer *peer, const struct member *member)
{
        struct frame frame = { .type = FRAME_HELLO, .u.hello = { .version = 1, .trust_number = 1000000,
                                                                 .role = member->supervisor ? HANDSET_SUPERVISOR : HANDSET_CARRIER } };

        strcpy(frame.u.hello.app, "fleet");
        return send_frame(peer, &frame);
}

int fleet_duty(struct peer *peer, const struct member *member, const char *round)
{
        struct frame frame = { .type = FRAME_DUTY, .u.duty = { .request = 1, .on = true, .until_s = (uint32_t)time(NULL) + 8 * 3600 } };

        strcpy(frame.u.duty.person, member->person);
        strcpy(frame.u.duty.round, round);
        return send_frame(peer, &frame);
}

int fleet_heartbeat(struct peer *peer, const struct member *member, const struct trust_key *key, const struct track_point *at)
{
        struct sealed_position position = { at->lat_e7, at->lon_e7, at->accuracy_m, at->at_s };
        struct sealed_to to = { key->kid, key->public, &member->handset };
        uint8_t random[SEALED_RANDOM_SIZE], sealed[SEALED_MAX];
        struct frame frame = { .type = FRAME_HEARTBEAT, .u.heartbeat.battery = 80 };
        struct cbor_writer w;

        cbor_writer_init(&w, sealed, sizeof(sealed));
        if (RAND_bytes(random, sizeof(random)) == 1 && sealed_seal(&position, &to, random, &w) == 0)
                frame.u.heartbeat.sealed = (struct cbor_span){ sealed, w.len };
        return send_frame(peer, &frame);
}

int fleet_trust(const struct region *region, struct key **ret_root, struct cbor_span *ret_list, struct trust *ret_trust)
{
        char path[REGION_PATH_MAX], *data = NULL;
        struct key *root = NULL;
        size_t len;
        int r = region_path(region, "root.pem", path);

        if (r == 0 && (r = key_from_file(path, &root)) == 0 && (r = region_path(region, "trust.cose", path)) == 0 &&
            (r = file_read(path, TRUST_MAX, &data, &len)) == 0)
                r = trust_open((struct cbor_span){ (uint8_t *)data, len }, root, ret_trust);
        if (r < 0) {
                fprintf(stderr, "fleet: the trust list: %s\n", strerror(-r));
                key_free(root);
                free(data);
                return r;
        }
        *ret_root = root;
        *ret_list = (struct cbor_span){ (uint8_t *)data, len };
        return 0;
}

int fleet_position_key(const struct region *region, struct trust_key *ret_key)
{
        struct trust *trust = malloc(sizeof(*trust));
        const struct trust_key *found = NULL;
        struct key *root = NULL;
        struct cbor_span list = { NULL, 0 };

        if (trust != NULL && fleet_trust(region, &root, &list, trust) == 0)
                found = trust_current(trust, TRUST_POSITION, (uint32_t)time(NULL));
        if (found != NULL)
                *ret_key = *found;
        else
                fprintf(stderr, "fleet: no position key in the trust list\n");
        key_free(root);
        free((void *)list.at);
        free(trust);
        return found != NULL ? 0 : -1;
}
