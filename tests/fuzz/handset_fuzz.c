/* Sequences of events at libvigie-handset: a press is there at once, no word is said early, a revision's number is used
 * once, a send goes to a live link, an SMS to a ready modem, one at a time, a timer is never due at once, SHOW comes when the status changed, and nothing of it
 * breaks. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "device/handset/vigie.h"
#include "wire/alert.h"
#include "wire/frame.h"
#include "wire/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 512
#define IDS_MAX     64
#define EVENTS_MAX  300
#define GOOD        0x5a /* the first octet of a signature that verifies */

static const uint8_t our_handset[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

struct bytes {
        const uint8_t *at, *end;
};

/* What the region has said of an alert, and what it has of it. */
struct known {
        uint8_t id[16];
        bool receipt, sent;
        uint16_t revision;
        uint8_t payload[ALERT_PAYLOAD_MAX];
        size_t payload_len;
};

struct host {
        struct vigie *vigie;
        struct vigie_options options;
        struct vigie_status status;
        int64_t ms, timer_mono_ms;
        uint64_t drawn;
        uint8_t up;
        uint8_t modem;
        uint32_t seq, sign_ticket, seal_ticket, sms_ticket, request;
        int64_t sms_ms;        /* the SMS of that ticket was given */
        bool journals, honest; /* honest: the journal never failed, so that its promises hold across restarts */
        struct known known[IDS_MAX];
        size_t known_count;
        size_t records;
        struct {
                uint8_t octets[512];
                size_t len;
        } record[RECORDS_MAX];
};

static struct vigie_actions actions;

static bool verify(void *user, const struct vigie_check *check)
{
        return check->signature[0] == GOOD && check->key_len == 32;
}

static uint8_t take(struct bytes *b)
{
        return b->at < b->end ? *b->at++ : 0;
}

static struct known *known_find(struct host *h, const uint8_t id[16])
{
        static const uint8_t none[16];

        for (size_t i = 0; i < h->known_count; i++)
                if (memcmp(h->known[i].id, id, 16) == 0)
                        return &h->known[i];
        if (memcmp(id, none, 16) == 0)
                return NULL;
        assert(h->known_count < IDS_MAX);
        memset(&h->known[h->known_count], 0, sizeof(h->known[0]));
        memcpy(h->known[h->known_count].id, id, 16);
        return &h->known[h->known_count++];
}

static void check_alert(struct host *h, struct cbor_span cose)
{
        struct alert_signed a;
        struct alert_id id;
        struct known *k;

        assert(alert_read(cose, &a, NULL) == 0 && a.odd == 0);
        assert(memcmp(a.handset.octets, our_handset, 8) == 0);
        assert(a.alert.kind != ALERT_TEST || !a.alert.has_fix);
        id = alert_id_make(&a.handset, a.alert.nonce);
        k = known_find(h, id.octets);
        if (k->sent && h->honest) {
                assert(a.alert.revision >= k->revision);
                if (a.alert.revision == k->revision)
                        assert(a.cose.payload.len == k->payload_len &&
                               memcmp(a.cose.payload.at, k->payload, k->payload_len) == 0);
        }
        k->sent = true;
        k->revision = a.alert.revision;
        k->payload_len = a.cose.payload.len;
        memcpy(k->payload, a.cose.payload.at, a.cose.payload.len);
}

static void check_send(struct host *h, const struct vigie_action *a)
{
        struct frame frame;

        assert(h->up >> a->address & 1);
        assert(a->len <= VIGIE_SEND_MAX && frame_decode(a->data, a->len, &frame) == 0);
        if (frame.type == FRAME_ALERT)
                check_alert(h, frame.u.cose.cose);
        if (frame.type == FRAME_DUTY)
                h->request = frame.u.duty.request;
        if (frame.type == FRAME_COMMAND)
                h->request = frame.u.command.request;
        if (frame.type == FRAME_HEARTBEAT || frame.type == FRAME_PRESENCE)
                assert(h->status.duty.state != VIGIE_DUTY_OFF || h->status.duty.until_s != 0);
}

static void check_sms(struct host *h, const struct vigie_action *a)
{
        assert(h->modem == VIGIE_MODEM_READY && h->options.enrolled);
        assert(h->sms_ticket == 0 || h->ms - h->sms_ms >= VIGIE_SMS_WAIT_MS);
        assert(a->ticket != 0 && a->len <= VIGIE_SMS_MAX);
        check_alert(h, (struct cbor_span){ a->data, a->len });
        h->sms_ticket = a->ticket;
        h->sms_ms = h->ms;
}

static void append(struct host *h, const struct vigie_action *a)
{
        assert(a->seq == ++h->seq && a->len > 0);
        if (!h->journals || a->len > sizeof(h->record[0].octets) || h->records == RECORDS_MAX) {
                h->honest = false;
                return;
        }
        memcpy(h->record[h->records].octets, a->data, a->len);
        h->record[h->records++].len = a->len;
}

static bool act(struct host *h, const struct vigie_action *a)
{
        switch (a->type) {
        case VIGIE_DO_APPEND:
                append(h, a);
                return false;
        case VIGIE_DO_SIGN:
                h->sign_ticket = a->ticket;
                return false;
        case VIGIE_DO_SEAL:
                h->seal_ticket = a->ticket;
                return false;
        case VIGIE_DO_SEND:
                check_send(h, a);
                return false;
        case VIGIE_DO_SEND_SMS:
                check_sms(h, a);
                return false;
        case VIGIE_DO_DISCONNECT:
                h->up &= (uint8_t) ~(1u << a->address);
                return false;
        case VIGIE_DO_TIMER:
                h->timer_mono_ms = a->due_mono_ms;
                return false;
        case VIGIE_DO_SHOW:
                return true;
        default:
                assert(a->type > 0 && a->type < VIGIE_DO_END);
                return false;
        }
}

static int give(struct host *h, struct vigie_event e)
{
        struct vigie_status before = h->status;
        bool show = false;
        int r;

        e.now_ms = 1760000000000 + h->ms;
        e.now_mono_ms = 1000 + h->ms;
        for (int i = 0; i < VIGIE_RANDOM_SIZE; i++)
                e.random[i] = (uint8_t)((h->drawn = h->drawn * 6364136223846793005 + 1442695040888963407) >> 56);
        r = vigie_event(h->vigie, &e, &actions);
        vigie_status(h->vigie, &h->status);
        for (uint32_t i = 0; i < actions.count; i++)
                show |= act(h, &actions.action[i]);
        if (r == 0 && e.type != VIGIE_ON_START)
                assert(show == (memcmp(&before, &h->status, sizeof(before)) != 0));
        assert(h->timer_mono_ms > 1000 + h->ms || r < 0);
        if (h->status.alert.word > VIGIE_SENT)
                assert(known_find(h, h->status.alert.id)->receipt);
        return r;
}

static void restart(struct host *h)
{
        assert(vigie_init(h->vigie, &h->options) == 0);
        for (size_t i = 0; i < h->records; i++)
                assert(vigie_restore(h->vigie, h->record[i].octets, h->record[i].len) == 0);
        h->seq = h->sign_ticket = h->seal_ticket = h->sms_ticket = 0;
        h->up = h->modem = 0;
        h->timer_mono_ms = INT64_MAX;
        give(h, (struct vigie_event){ .type = VIGIE_ON_START });
}

static void compact(struct host *h)
{
        size_t kept = 0;

        for (size_t i = 0; i < h->records; i++)
                if (vigie_keep(h->vigie, h->record[i].octets, h->record[i].len))
                        h->record[kept++] = h->record[i];
        h->records = kept;
}

static void give_frame(struct host *h, const struct frame *frame)
{
        static uint8_t octets[FRAME_REGION_MAX];
        int len = frame_encode(frame, octets, sizeof(octets));
        struct vigie_event e = { .type = VIGIE_ON_FRAME };

        if (len <= 0)
                return;
        e.u.frame.data = octets;
        e.u.frame.len = (size_t)len;
        give(h, e);
}

static void give_receipt(struct host *h, struct bytes *b, bool sms)
{
        uint8_t payload[RECEIPT_PAYLOAD_MAX], octets[RECEIPT_MAX], signature[64] = { GOOD };
        struct receipt r = { .revision = take(b), .version = take(b), .state = take(b) % 24, .time_s = 1, .who = "W" };
        struct known *k = h->known_count == 0 ? NULL : &h->known[take(b) % h->known_count];
        struct cose_parts parts = { KEY_EDDSA, our_handset, { payload, 0 }, CBOR_LITERAL(RECEIPT_AAD) };
        struct frame frame = { .type = FRAME_RECEIPT };
        struct vigie_event e = { .type = VIGIE_ON_SMS };
        struct cbor_writer w;

        if (k == NULL)
                return;
        memcpy(r.alert.octets, k->id, 16);
        cbor_writer_init(&w, payload, sizeof(payload));
        assert(receipt_write_payload(&r, &w) == 0);
        parts.payload = cbor_written(&w);
        cbor_writer_init(&w, octets, sizeof(octets));
        assert(cose_sign1_finish(&parts, signature, &w) == 0);
        k->receipt = true;
        frame.u.cose.cose = cbor_written(&w);
        e.u.sms.data = octets;
        e.u.sms.len = w.len;
        if (sms)
                give(h, e);
        else
                give_frame(h, &frame);
}

static void give_ring(struct host *h, struct bytes *b)
{
        static uint8_t octets[RECORD_MAX];
        struct record r = { .version = take(b) + 1u, .state = ALERT_RAISED + take(b) % 7, .due_ms = 1 };
        struct frame frame = { .type = FRAME_RING, .u.ring.ring = take(b) % 3 };
        int len;

        r.id[0] = take(b) % 24;
        r.kind = take(b);
        r.has_position = take(b) & 1;
        strcpy(r.owner_id, take(b) & 1 ? "zoe" : "bob");
        if (r.state == ALERT_CLOSED) {
                r.close_reason = CLOSE_OTHER;
                r.due_ms = 0;
        }
        len = record_encode(&r, octets, sizeof(octets));
        assert(len > 0);
        frame.u.ring.record = (struct cbor_span){ octets, (size_t)len };
        give_frame(h, &frame);
}

static void give_answer(struct host *h, struct bytes *b)
{
        uint8_t type = take(b) % 5;
        struct frame frame = { .type = FRAME_WELCOME, .u.welcome = { .version = 1, .region = "r", .name = "Zoe" } };

        if (type == 1)
                frame = (struct frame){ .type = FRAME_DUTY_ANSWER, .u.duty_answer = { .request = h->request } };
        if (type == 1)
                frame.u.duty_answer.code = take(b) % 3 == 2;
        if (type == 2)
                frame = (struct frame){ .type = FRAME_ANSWER, .u.answer = { .request = h->request } };
        if (type == 2)
                frame.u.answer.alert[0] = take(b) % 24;
        if (type == 3)
                frame = (struct frame){ .type = FRAME_QUESTION };
        if (type == 4)
                frame = (struct frame){ .type = FRAME_ERROR, .u.error = { .code = take(b) % 6 } };
        give_frame(h, &frame);
}

static void give_octets(struct host *h, struct bytes *b, bool sms)
{
        struct vigie_event e = { .type = sms ? VIGIE_ON_SMS : VIGIE_ON_FRAME };
        size_t len = take(b), left = (size_t)(b->end - b->at);

        len = len < left ? len : left;
        if (memchr(b->at, GOOD, len) != NULL)
                return; /* it might be signed well: then it is the region's word, and give_receipt() is for that */
        e.u.frame.data = b->at;
        e.u.frame.len = len;
        if (sms) {
                e.u.sms.data = b->at;
                e.u.sms.len = len;
        }
        b->at += len;
        give(h, e);
}

static void pass_time(struct host *h, struct bytes *b)
{
        static const int64_t spans[] = { 1, 10, 100, 999, 1000, 5000, 30000, 600000 };
        int64_t until = h->ms + spans[take(b) % 8];

        for (int i = 0; i < 100 && h->timer_mono_ms - 1000 <= until; i++) {
                h->ms = h->timer_mono_ms - 1000;
                give(h, (struct vigie_event){ .type = VIGIE_ON_TICK });
        }
        h->ms = until > h->ms ? until : h->ms;
        give(h, (struct vigie_event){ .type = VIGIE_ON_TICK });
}

/* The keeper opened a place: shown, unless a silent alert is open, newest first, each once. */
static void give_opened(struct host *h, struct bytes *b)
{
        struct frame f = { .type = FRAME_OPENED, .u.opened = { take(b), take(b) % 5 } };
        uint8_t octets[64];
        int len = frame_encode(&f, octets, sizeof(octets));

        assert(len > 0);
        give(h, (struct vigie_event){ .type = VIGIE_ON_FRAME, .u.frame = { 0, octets, (size_t)len } });
        assert(h->status.opened_count <= VIGIE_OPENED_MAX);
        for (size_t i = 1; i < h->status.opened_count; i++)
                assert(h->status.opened[i].at_ms < h->status.opened[i - 1].at_ms);
}

static void press(struct host *h, struct bytes *b)
{
        struct vigie_event e = { .type = VIGIE_ON_PRESS, .u.press = { take(b) % 6, take(b) % 4 } };

        assert(give(h, e) == 0);
        if (e.u.press.how != VIGIE_PRESS_AT_ONCE || e.u.press.press == VIGIE_PRESS_SILENT ||
            e.u.press.press == VIGIE_PRESS_DRILL || e.u.press.press == VIGIE_PRESS_DURESS)
                return; /* the page shows nothing of them, or nothing new */
        assert(h->status.alert.word >= VIGIE_NOT_SENT && h->status.alert.word < VIGIE_CLOSED);
        known_find(h, h->status.alert.id);
}

/* What the host says of what it was asked for, and of its link. */
static void host_tells(struct host *h, struct bytes *b, struct vigie_event *e)
{
        switch (e->type) {
        case VIGIE_ON_SYNCED:
                e->u.synced.seq = take(b) % 4 ? h->seq : take(b);
                e->u.synced.ok = h->journals;
                break;
        case VIGIE_ON_SIGNED:
                e->u.signature.ticket = h->sign_ticket;
                e->u.signature.ok = take(b) % 8 != 7;
                break;
        case VIGIE_ON_MODEM:
                e->u.modem = take(b) % 8;
                h->modem = e->u.modem < VIGIE_MODEM_END ? e->u.modem : h->modem;
                break;
        case VIGIE_ON_SMS_SENT:
                e->u.sms_sent.ticket = take(b) % 8 == 7 ? take(b) : h->sms_ticket;
                e->u.sms_sent.ok = take(b) & 1;
                e->u.sms_sent.code = take(b);
                if (e->u.sms_sent.ticket == h->sms_ticket)
                        h->sms_ticket = 0;
                break;
        case VIGIE_ON_SEALED:
                e->u.sealed.ticket = h->seal_ticket;
                break;
        case VIGIE_ON_LINK:
                e->u.link.address = take(b) % 5;
                e->u.link.up = take(b) & 1;
                h->up = (uint8_t)(e->u.link.up ? h->up | 1u << e->u.link.address : h->up & ~(1u << e->u.link.address));
                break;
        default:
                break;
        }
}

static void small_event(struct host *h, struct bytes *b, uint8_t type)
{
        struct vigie_event e = { .type = type };

        switch (type) {
        case VIGIE_ON_CATEGORY:
                e.u.category = take(b);
                break;
        case VIGIE_ON_PIN:
                e.u.pin = take(b) % 4;
                break;
        case VIGIE_ON_FIX:
                e.u.fix.lat_deg = take(b) - 128;
                e.u.fix.lon_deg = (take(b) - 128) * 1.5;
                e.u.fix.accuracy_m = take(b) - 10;
                e.u.fix.age_ms = take(b) * 1000 - 9;
                break;
        case VIGIE_ON_MOTION:
                e.u.motion.moved = take(b) & 1;
                break;
        case VIGIE_ON_DEADLINE:
                e.u.deadline.what = take(b) % 4;
                e.u.deadline.in_s = take(b);
                break;
        case VIGIE_ON_BATTERY:
                e.u.battery = take(b);
                break;
        case VIGIE_ON_DUTY:
                e.u.duty.on = take(b) & 1;
                e.u.duty.person[0] = (char)(take(b) % 3 ? 'a' : 0);
                e.u.duty.until_s = (uint32_t)(1760000000 + h->ms / 1000 + take(b));
                break;
        case VIGIE_ON_SUPERVISE:
                e.u.supervise.verb = take(b) % 9;
                e.u.supervise.alert[0] = take(b) % 24;
                e.u.supervise.reason = take(b) % 2 ? VIGIE_OTHER : 15;
                break;
        case VIGIE_ON_OPENED_READ:
                e.u.opened_until_ms = take(b);
                break;
        default:
                host_tells(h, b, &e);
                break;
        }
        give(h, e);
}

static void one(struct host *h, struct bytes *b)
{
        uint8_t op = take(b);

        if (op < VIGIE_ON_END && op != VIGIE_ON_PRESS && op != VIGIE_ON_FRAME && op != VIGIE_ON_SMS && op > 2)
                small_event(h, b, op);
        else if (op == VIGIE_ON_PRESS)
                press(h, b);
        else if (op == VIGIE_ON_FRAME || op == VIGIE_ON_SMS)
                give_octets(h, b, op == VIGIE_ON_SMS);
        else if (op < 64)
                pass_time(h, b);
        else if (op < 96)
                give_receipt(h, b, op >= 88);
        else if (op < 128)
                give_ring(h, b);
        else if (op < 160)
                give_answer(h, b);
        else if (op == 160)
                restart(h);
        else if (op == 161)
                compact(h);
        else if (op == 163)
                give_opened(h, b);
        else if (op == 162)
                h->journals = !h->journals;
}

static void key_list(struct host *h, uint8_t *octets, size_t size)
{
        static uint8_t payload[TRUST_PAYLOAD_MAX];
        struct trust trust = { .number = 1, .region = "r", .count = 2 };
        uint8_t signature[64] = { GOOD };
        struct cose_parts parts = { KEY_EDDSA, our_handset, { payload, 0 }, CBOR_LITERAL(TRUST_AAD) };
        struct cbor_writer w;

        for (int i = 0; i < 2; i++) {
                trust.keys[i] =
                        (struct trust_key){ .use = i ? TRUST_POSITION : TRUST_RECEIPT, .not_after_s = UINT32_MAX };
                trust.keys[i].alg = i ? KEY_ECDH_ES : KEY_EDDSA;
                trust.keys[i].public_len = 32;
                memcpy(trust.keys[i].kid, our_handset, 8);
        }
        cbor_writer_init(&w, payload, sizeof(payload));
        assert(trust_write_payload(&trust, &w) == 0);
        parts.payload = cbor_written(&w);
        cbor_writer_init(&w, octets, size);
        assert(cose_sign1_finish(&parts, signature, &w) == 0);
        h->options.trust = octets;
        h->options.trust_len = w.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct host h;
        static uint8_t list[TRUST_MAX];
        static const struct vigie_options options = VIGIE_OPTIONS;
        struct bytes b = { data, data + size };
        struct vigie *memory = h.vigie != NULL ? h.vigie : malloc(vigie_size());
        uint8_t flags = take(&b);

        memset(&h, 0, offsetof(struct host, record)); /* the rest is read as far as it was written */
        h.vigie = memory;
        h.options = options;
        memcpy(h.options.handset, our_handset, 8);
        strcpy(h.options.person, "zoe");
        h.options.root_alg = KEY_EDDSA;
        h.options.root_len = 32;
        h.options.verify = verify;
        key_list(&h, list, sizeof(list));
        h.options.enrolled = (flags & 7) != 7;
        h.options.role = flags >> 3 & 1;
        h.options.silent_pulse = h.options.sms_test = flags >> 4 & 1;
        h.options.address_count = 1 + (flags >> 5 & 3);
        h.options.address_alert = flags & 0x80 ? 2 : 0;
        h.options.man_down_s = 30;
        h.journals = h.honest = true;
        restart(&h);
        for (int i = 0; i < EVENTS_MAX && b.at < b.end && h.known_count < IDS_MAX - 8; i++)
                one(&h, &b);
        return 0;
}
