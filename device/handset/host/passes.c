#include "device/handset/host/passes.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/page.h"
#include "device/handset/host/passes_state.h"

uint32_t passes_now_s(void)
{
        return (uint32_t)(clock_utc_ms() / 1000);
}

void passes_show(struct passes *p)
{
        if (p->host->page != NULL)
                page_show(p->host->page);
}

/* ---- what the core is told */

/* tell: VAULT, where it is another than it was.  An open vault is told as a locked one: when a carrier opens doors is nobody's
 * business (DESIGN section 9). */
static void tell(struct passes *p)
{
        struct vigie_event event = { .type = VIGIE_ON_VAULT };
        struct safe_view v;

        safe_look(p->safe, &v);
        event.u.vault.state = (uint8_t)(v.state == VIGIE_VAULT_OPEN ? VIGIE_VAULT_LOCKED : v.state);
        event.u.vault.has_key = v.has_key;
        event.u.vault.has_challenge = v.has_challenge;
        if (v.has_key)
                memcpy(event.u.vault.key, v.key, PASS_KEY_SIZE);
        if (v.has_challenge)
                memcpy(event.u.vault.challenge, v.challenge, VAULT_CHALLENGE_SIZE);
        event.u.vault.list_s = p->list_issued_s;
        if (p->wiped || memcmp(&event, &p->told, sizeof(event)) == 0)
                return;
        p->told = event;
        host_run_event(p->host, event);
}

/* mark_revoked: say of each pass whether the list has it.  A number is used again: one that is older than the pass says nothing of it. */
static void mark_revoked(struct passes *p)
{
        struct content *content = safe_content(p->safe);

        for (size_t i = 0; content != NULL && i < content->count; i++) {
                struct content_pass *pass = content->passes[i];
                uint32_t n = pass->pass.status;

                pass->revoked = p->bits != NULL && p->list_issued_s >= pass->pass.issued_at_s && n < p->revoked.count &&
                                (p->bits[n / 8] >> n % 8 & 1) != 0;
        }
}

static void on_changed(void *user)
{
        struct passes *p = user;

        if (p->host->closing)
                return;
        mark_revoked(p);
        if (safe_content(p->safe) == NULL)
                shown_end(p);
        else if (p->shown.on && p->shown.rows == NULL)
                shown_due(&p->slot, clock_mono_ms()); /* it waited for counters */
        if (p->door.waits && safe_content(p->safe) != NULL)
                door_answer(p);
        tell(p);
        passes_show(p);
}

/* The same is done for either PIN; the timer alone knows. */
static void on_opened(void *user, bool duress)
{
        struct passes *p = user;

        p->is_duress |= duress;
        loop_timer_arm(p->host->loop, &p->duress, clock_mono_ms() + DURESS_AFTER_MS);
}

static void duress_due(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct passes *p = timer->user;

        if (p->is_duress)
                host_run_event(p->host,
                               (struct vigie_event){ .type = VIGIE_ON_PRESS, .u.press.press = VIGIE_PRESS_DURESS });
        p->is_duress = false;
}

static void on_checked(void *user, enum vigie_pin verdict)
{
        struct passes *p = user;

        host_on_pin(p->host, verdict);
}

void passes_ordered(struct passes *p, uint32_t number, enum vigie_result result)
{
        if (p->wiped) {
                loop_timer_arm(p->host->loop, &p->links, clock_mono_ms() + WIPED_LINKS_MS);
        } else {
                tell(p); /* the new state goes before the confirmation */
        }
        host_run_event(p->host,
                       (struct vigie_event){ .type = VIGIE_ON_ORDERED, .u.ordered = { number, (uint8_t)result } });
}

static void on_ordered(void *user, uint32_t number, enum vigie_result result)
{
        passes_ordered(user, number, result);
}

/* ---- what comes in pieces */

static void pieces_clear(struct pieces *pieces)
{
        if (pieces->data != NULL)
                explicit_bzero(pieces->data, pieces->len);
        free(pieces->data);
        memset(pieces, 0, sizeof(*pieces));
}

/* pieces_take: in order and without gap, or from the beginning.  Says whether it is whole. */
static bool pieces_take(struct pieces *pieces, const struct vigie_action *a, uint32_t max)
{
        if (a->offset == 0) {
                pieces_clear(pieces);
                if (a->total > max || (pieces->data = malloc(a->total + 1)) == NULL)
                        return false;
                pieces->number = a->number;
                pieces->total = a->total;
        }
        if (pieces->data == NULL || pieces->number != a->number || pieces->len != a->offset ||
            a->total != pieces->total || a->len > pieces->total - pieces->len)
                return false;
        memcpy(pieces->data + pieces->len, a->data, a->len);
        pieces->len += (uint32_t)a->len;
        return pieces->len == pieces->total;
}

void passes_beside(struct passes *p, const struct vigie_action *action)
{
        pieces_take(&p->beside, action, ORDER_BESIDE_MAX);
}

/* ---- orders */

static void order_pass(struct passes *p, const struct vigie_action *a)
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        struct cbor_span parcel = { p->beside.data, p->beside.len };

        if (p->beside.data != NULL && p->beside.number == a->number && p->beside.len == p->beside.total) {
                SHA256(parcel.at, parcel.len, digest);
                if (memcmp(digest, a->argument, ORDER_DIGEST_SIZE) == 0) {
                        safe_order_pass(p->safe, a->number, parcel);
                        pieces_clear(&p->beside);
                        return;
                }
        }
        pieces_clear(&p->beside);
        log_warn("order", "%u: what came beside it is not what it names", a->number);
        passes_ordered(p, a->number, VIGIE_ORDER_COULD_NOT);
}

void passes_order(struct passes *p, const struct vigie_action *a)
{
        switch (a->kind) {
        case VIGIE_ORDER_PASS:
                order_pass(p, a);
                break;
        case VIGIE_ORDER_UNLOCK:
                safe_order_unlock(p->safe, a->number, a->argument);
                break;
        case VIGIE_ORDER_WIPE:
                wipe_begin(p, a);
                break;
        default:
                passes_ordered(p, a->number, VIGIE_ORDER_NOT_UNDERSTOOD);
        }
}

/* ---- the status list */

static void unpack(struct passes *p, const struct status_list *list)
{
        uint8_t *room = malloc(STATUS_ROOM);

        if (p->bits == NULL)
                p->bits = malloc(STATUS_OCTETS_MAX);
        if (room == NULL || p->bits == NULL || status_unpack(list, room, p->bits, &p->revoked) < 0) {
                log_warn("list", "which passes are revoked is not known: the list cannot be unpacked");
                free(p->bits);
                p->bits = NULL;
        }
        free(room);
}

/* list_take: a list, whole, that is verified and newer; DATA is taken.  Says whether it was. */
static bool list_take(struct passes *p, char *data, size_t len)
{
        const struct trust *trust = vigie_trust(p->host->vigie);
        struct status_signed list;
        bool good = trust != NULL && status_read((struct cbor_span){ (uint8_t *)data, len }, &list, NULL) == 0 &&
                    status_verify(&list, trust, passes_now_s()) == 0 && status_supersedes(&list.list, p->list_issued_s);

        if (!good) {
                free(data);
                return false;
        }
        if (p->card != NULL && card_reads(p->card, p->list_before)) { /* two new ones in one contact */
                card_away(p->card);
                door_away(p);
        }
        if (p->card != NULL)
                card_offer(p->card, (struct cbor_span){ (uint8_t *)data, len }, list.list.issued_at_s);
        free(p->list_before);
        p->list_before = p->list;
        p->list = data;
        p->list_len = len;
        p->list_issued_s = list.list.issued_at_s;
        unpack(p, &list.list);
        mark_revoked(p);
        passes_show(p);
        return true;
}

void passes_list(struct passes *p, const struct vigie_action *action)
{
        char *whole;

        if (p->wiped || !pieces_take(&p->coming, action, STATUS_MAX))
                return;
        whole = (char *)p->coming.data;
        p->coming.data = NULL;
        if (list_take(p, whole, p->coming.total)) {
                safe_keep_list(p->safe, (struct cbor_span){ (uint8_t *)p->list, p->list_len });
                tell(p);
        } else {
                log_warn("list", "a status list that is not the region's, or not newer");
        }
        pieces_clear(&p->coming);
}

/* ---- open and close */

void passes_folder(const struct config *config, char folder[CONFIG_PATH_MAX])
{
        const char *journal = config->journal, *slash = strrchr(journal, '/');

        if (config->vault[0] != 0)
                snprintf(folder, CONFIG_PATH_MAX, "%s", config->vault);
        else
                snprintf(folder, CONFIG_PATH_MAX, "%.*svault", slash != NULL ? (int)(slash - journal + 1) : 0, journal);
}

static int open_card(struct passes *p)
{
        struct card_options options = { .loop = p->host->loop,
                                        .address = p->host->config.vpcd,
                                        .user = p,
                                        .hello = door_hello,
                                        .verdict = door_verdict,
                                        .away = door_away };

        return p->host->config.vpcd[0] != 0 ? card_open(&options, &p->card) : 0;
}

int passes_open(struct host *host, struct passes **ret_passes)
{
        struct passes *p = calloc(1, sizeof(*p));
        struct safe_options options = { .loop = host->loop,
                                        .changed = on_changed,
                                        .opened = on_opened,
                                        .checked = on_checked,
                                        .ordered = on_ordered };
        struct safe_view v;
        int r;

        if (p == NULL)
                return -ENOMEM;
        *ret_passes = p;
        p->host = host;
        wheel_timer_init(&p->slot, shown_due, p);
        wheel_timer_init(&p->duress, duress_due, p);
        wheel_timer_init(&p->links, wipe_links, p);
        passes_folder(&host->config, p->folder);
        options.place = (struct vault_place){ p->folder, host->config.machine };
        options.user = p;
        if ((r = safe_open(&options, &p->safe)) < 0 || (r = open_card(p)) < 0) {
                log_error("vault", "%s", strerror(-r));
                return r;
        }
        safe_look(p->safe, &v);
        p->wiped = host->wiped != NULL || (v.wiped_at_s != 0 && !host->identity.enrolled);
        return 0;
}

void passes_start(struct passes *p)
{
        struct vault_place place = { p->folder, "" };
        char *list = NULL;
        size_t len;

        if (vault_files_list(&place, &list, &len) == 0)
                list_take(p, list, len);
        tell(p);
        if (p->wiped)
                loop_timer_arm(p->host->loop, &p->links, clock_mono_ms() + WIPED_LINKS_MS);
}

bool passes_is_wiped(const struct passes *p)
{
        return p != NULL && p->wiped;
}

int passes_pin(struct passes *p, const char *pin, const char **ret_why)
{
        int r = safe_check(p->safe, pin);

        if (r == -EAGAIN)
                *ret_why = "cancel: wrong PINs: wait; the status says how long";
        else if (r == -EPERM)
                *ret_why = "cancel: too many wrong PINs: ask your supervisor to unlock the phone";
        return r;
}

void passes_close(struct passes *p)
{
        if (p == NULL)
                return;
        loop_timer_cancel(p->host->loop, &p->slot);
        loop_timer_cancel(p->host->loop, &p->duress);
        loop_timer_cancel(p->host->loop, &p->links);
        card_close(p->card);
        safe_close(p->safe);
        json_decref(p->shown.rows);
        pieces_clear(&p->beside);
        pieces_clear(&p->coming);
        free(p->list);
        free(p->list_before);
        free(p->bits);
        explicit_bzero(p, sizeof(*p));
        free(p);
}
