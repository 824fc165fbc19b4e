/* passes_state: what the files passes*.c share.  Nobody else's. */
#ifndef DEVICE_HANDSET_HOST_PASSES_STATE_H
#define DEVICE_HANDSET_HOST_PASSES_STATE_H
#include "base/wheel.h"
#include "device/handset/host/card.h"
#include "device/handset/host/host_state.h"
#include "device/handset/host/passes.h"
#include "device/handset/host/safe.h"
#include "wire/order.h"
#include "wire/status.h"

/* The duress press leaves so long after the vault was opened, whichever PIN it was: what is drawn and answered is drawn first, in the
 * same time. */
#define DURESS_AFTER_MS  50
/* A verdict stands on the page for so long. */
#define VERDICT_SHOWN_MS 60000
/* After a wipe the links go so long after the confirmation was given to the core: their memory has the key. */
#define WIPED_LINKS_MS   60000

/* What comes in pieces: a parcel beside an order, a status list. */
struct pieces {
        uint8_t *data;
        uint32_t number, len, total;
};

/* A QR on the screen. */
struct shown {
        bool on;
        uint8_t pass[PASS_ID_SIZE], building[BUILDING_ID_SIZE];
        uint8_t class;
        uint32_t slot; /* that the rows are for */
        json_t *rows;  /* NULL: being made */
};

/* A door that said hello. */
struct at_door {
        bool waits; /* for the PIN */
        uint32_t session;
        uint8_t hello[HELLO_MAX];
        size_t hello_len;
        uint8_t building[BUILDING_ID_SIZE]; /* of its mandate */
        bool has_building;
        bool told; /* a verdict, */
        unsigned refusal;
        int64_t told_at_ms;  /* UTC */
        const char *trouble; /* why it never came to one: "no_reader", "unknown_door", "other_building"; NULL */
};

struct passes {
        struct host *host;
        struct safe *safe;
        struct card *card; /* NULL: none is configured */
        char folder[CONFIG_PATH_MAX];
        struct shown shown;
        struct at_door door;
        struct pieces beside, coming; /* an order's; a status list's */
        char *list, *list_before;     /* the newest list; the card may hold the one before */
        size_t list_len;
        uint32_t list_issued_s;
        uint8_t *bits; /* of the list: which passes are revoked; NULL: none, or they cannot be read */
        struct status_bits revoked;
        struct wheel_timer slot, duress, links;
        bool is_duress, wiped;
        uint8_t entered[BUILDING_ID_SIZE];
        char entered_name[PARCEL_NAME_MAX + 1];
        struct vigie_event told; /* the last VIGIE_ON_VAULT */
};

/* passes_ordered: an order was done, or not: the core is told. */
void passes_ordered(struct passes *p, uint32_t number, enum vigie_result result);

/* The phone's clock. */
uint32_t passes_now_s(void);

/* passes_show: draw the page anew. */
void passes_show(struct passes *p);

/* ---- passes_show.c */

/* shown_begin: show pass and building (places in the content), CLASS 2 or 3; shown_end: no more. */
void shown_begin(struct passes *p, size_t pass, size_t building, uint8_t class);
void shown_end(struct passes *p);
/* shown_due: the slot is over: the next one. */
void shown_due(struct wheel_timer *timer, int64_t now_mono_ms);

/* ---- passes_door.c */

bool door_hello(void *user, struct cbor_span hello, uint32_t session);
void door_verdict(void *user, unsigned refusal, uint32_t time_s);
void door_away(void *user);
/* door_answer: the vault was opened: answer the door that waits. */
void door_answer(struct passes *p);

/* ---- passes_view.c */

/* view_buildings: COUNT buildings of a pass from FROM on, the nearest first where CORE has a fix. */
json_t *view_buildings(const struct content_pass *pass, const struct vigie_status *core, size_t from, size_t count);

/* ---- passes_wipe.c */

/* wipe_begin: do the order; ordered() follows. */
void wipe_begin(struct passes *p, const struct vigie_action *action);
/* wipe_links: the time for the confirmation is over. */
void wipe_links(struct wheel_timer *timer, int64_t now_mono_ms);
#endif
