#include "tests/fleet/fleet.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#include "base/hex.h"
#include "wire/signing.h"

static int write_alert(const struct member *member)
{
        struct alert alert = { .kind = ALERT_PANIC, .pressed_at_s = (uint32_t)time(NULL), .has_fix = true, .lat_e7 = 457590000,
                               .lon_e7 = 48330000, .accuracy_m = 12, .fix_age_s = 1, .battery_percent = 80 };
        char id_text[2 * ALERT_ID_SIZE + 1], object_text[2 * ALERT_MAX + 1];
        uint8_t object[ALERT_MAX];
        struct cbor_writer w;
        struct alert_id id;

        if (RAND_bytes(alert.nonce, ALERT_NONCE_SIZE) != 1)
                return -1;
        cbor_writer_init(&w, object, sizeof(object));
        if (alert_sign(&alert, &member->handset, member->key, &w) < 0)
                return -1;
        id = alert_id_make(&member->handset, alert.nonce);
        hex_encode(id.octets, ALERT_ID_SIZE, id_text);
        hex_encode(object, w.len, object_text);
        return printf("%s %s %s\n", member->number, id_text, object_text) < 0 ? -1 : 0;
}

int sms_main(const struct fleet_options *options)
{
        struct member *members = NULL;
        struct region region;
        int r;

        if (region_open(options->region, &region) < 0)
                return 1;
        r = people_make(&region, options->prefix, options->carriers, 0, &members);
        for (size_t i = 0; r == 0 && i < options->carriers; i++)
                r = write_alert(&members[i]);
        if (r == 0 && fflush(stdout) != 0)
                r = -1;
        people_free(members, r == 0 ? options->carriers : 0);
        region_close(&region);
        return r == 0 ? 0 : 1;
}
