/* The alert on any octets, whole and as a payload.  What was read can be written, and reads back the same; what
 * cannot be read is salvaged without harm. */
#include <stdlib.h>
#include <string.h>

#include "wire/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void holds(bool condition)
{
        if (!condition)
                abort();
}

/* An alert with its odd parts left out is one that a handset could have signed. */
static void check(const struct alert *alert, unsigned odd)
{
        uint8_t bytes[ALERT_PAYLOAD_MAX];
        struct cbor_writer w;
        struct alert back;
        unsigned again;

        cbor_writer_init(&w, bytes, sizeof(bytes));
        holds(alert_write_payload(alert, &w) == 0);
        holds(alert_read_payload(cbor_written(&w), &back, &again) == 0 && again == 0);
        holds(memcmp(back.nonce, alert->nonce, sizeof(back.nonce)) == 0 && back.kind == alert->kind);
        holds(back.has_fix == alert->has_fix && back.lat_e7 == alert->lat_e7 && back.lon_e7 == alert->lon_e7);
        holds(back.marks == alert->marks && back.battery_percent == alert->battery_percent);
        holds((odd & ALERT_ODD_POSITION) == 0 || !alert->has_fix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct cbor_span in = { data, size };
        struct alert_signed whole;
        struct alert_id id;
        struct alert alert;
        unsigned odd, found = alert_salvage(in, &id);

        if (alert_read_payload(in, &alert, &odd) == 0)
                check(&alert, odd);
        if (alert_read(in, &whole, NULL) < 0)
                return 0;
        check(&whole.alert, whole.odd);
        holds(found == (ALERT_SALVAGED_HANDSET | ALERT_SALVAGED_NONCE)); /* never less than what reads */
        holds(memcmp(id.octets, whole.handset.octets, HANDSET_ID_SIZE) == 0);
        holds(memcmp(id.octets + HANDSET_ID_SIZE, whole.alert.nonce, ALERT_NONCE_SIZE) == 0);
        return 0;
}
