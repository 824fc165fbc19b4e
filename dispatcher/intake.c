#include "dispatcher/intake.h"

#include <string.h>

bool intake_read(struct cbor_span bytes, struct alert_press *ret_press)
{
        struct alert_signed in;
        struct alert_id id = { { 0 } };

        *ret_press = (struct alert_press){ .paths = PATH_DATA };
        if (alert_read(bytes, &in, NULL) == 0) {
                id = alert_id_make(&in.handset, in.alert.nonce);
                ret_press->alert = in.alert;
                ret_press->odd = in.odd;
        } else {
                (void)alert_salvage(bytes, &id);
                ret_press->alert = (struct alert){ .kind = ALERT_PANIC, .battery_percent = ALERT_BATTERY_UNKNOWN };
                ret_press->odd = ALERT_ODD_TIME;
                ret_press->why = UNVERIFIED_MALFORMED;
        }
        /* A place where nobody is: what receivers give that have none. */
        if (ret_press->alert.has_fix && ret_press->alert.lat_e7 == 0 && ret_press->alert.lon_e7 == 0) {
                ret_press->alert.has_fix = false;
                ret_press->odd |= ALERT_ODD_POSITION;
        }
        memcpy(ret_press->id, id.octets, ALERT_ID_SIZE);
        memcpy(ret_press->handset, id.octets, HANDSET_ID_SIZE);
        return ret_press->why != UNVERIFIED_MALFORMED;
}

static uint8_t why_of(const struct core_options *options, const struct handset *handset,
                      const struct intake_offer *offer)
{
        struct alert_signed in;

        if (alert_read(offer->bytes, &in, NULL) < 0)
                return UNVERIFIED_MALFORMED;
        if (handset == NULL || !handset->known)
                return UNVERIFIED_UNKNOWN;
        if (!options->verify(options->user, handset->entry.key, &in) &&
            !(handset->entry.has_previous && options->verify(options->user, handset->entry.previous, &in)))
                return UNVERIFIED_SIGNATURE;
        if (handset->entry.revoked_at_s != 0)
                return UNVERIFIED_REVOKED;
        return (int64_t)handset->entry.not_after_s * 1000 < offer->now_ms ? UNVERIFIED_EXPIRED : UNVERIFIED_NOT;
}

void intake_stranger_id(const struct core_options *options, const struct intake_offer *offer, struct cbor_span claim,
                        uint8_t ret_id[ALERT_ID_SIZE])
{
        uint8_t claim_hash[32], from[SENDER_SIZE + 32], id[32];

        options->hash(options->user, claim, claim_hash);
        memcpy(from, offer->sender, SENDER_SIZE);
        memcpy(from + SENDER_SIZE, claim_hash, 32);
        options->hash(options->user, CBOR_OCTETS(from), id);
        memcpy(ret_id, id, ALERT_ID_SIZE);
}

void intake_judge(const struct core_options *options, const struct directory *directory,
                  const struct intake_offer *offer, struct intake_verdict *ret_verdict)
{
        struct alert_press *press = &ret_verdict->press;
        bool readable = intake_read(offer->bytes, press);
        struct cbor_span claim = CBOR_OCTETS(ret_verdict->claimed);
        uint8_t hash[32];

        press->came_ms = offer->now_ms;
        memcpy(ret_verdict->claimed, press->id, ALERT_ID_SIZE);
        press->why = why_of(options, directory_handset(directory, press->handset), offer);
        ret_verdict->proved = press->why == UNVERIFIED_NOT || press->why == UNVERIFIED_REVOKED ||
                              press->why == UNVERIFIED_EXPIRED ||
                              (offer->session_handset != NULL &&
                               memcmp(offer->session_handset, press->handset, HANDSET_ID_SIZE) == 0);
        if (press->why == UNVERIFIED_SIGNATURE || press->why == UNVERIFIED_MALFORMED)
                intake_stranger_id(options, offer, readable ? claim : offer->bytes, press->id);
        options->hash(options->user, offer->bytes, hash);
        memcpy(ret_verdict->event_id, hash, EVENT_ID_SIZE);
}
