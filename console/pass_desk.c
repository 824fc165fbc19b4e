#include "console/pass_desk.h"

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "console/page.h"
#include "console/pass_inside.h"
#include "wire/key.h"

uint32_t now_s(void)
{
        return (uint32_t)(clock_utc_ms() / 1000);
}

bool store_away(const struct pass_desk *desk)
{
        const struct pass_desk_hooks *hooks = &desk->options.hooks;

        return !pass_store_is_ready(desk->store) || !hooks->may_write(hooks->user);
}

/* ---- what pages are told */

static const char *keeper_word(const struct pass_desk *desk)
{
        if (desk->keeper == NULL)
                return "none";
        if (!seqpacket_is_up(desk->keeper))
                return "away";
        return pass_store_is_ready(desk->store) && list_issued(desk) == 0 ? "list" : NULL;
}

static void send_desk(struct pass_page *page)
{
        struct pass_desk *desk = page->desk;
        struct pass_setup setup = { keeper_word(desk), pass_store_is_ready(desk->store),
                                    (uint32_t)(desk->options.config->shift_ms / 1000) };

        page_push_new(page->page, pass_view_desk(page->page->viewer.role, &setup));
}

static void send_desk_to_all(struct pass_desk *desk)
{
        for (struct pass_page *page = desk->pages; page != NULL; page = page->next)
                send_desk(page);
        desk->keeper_told = keeper_word(desk);
}

static void on_keeper(void *user, bool up, const char *why)
{
        struct pass_desk *desk = user;

        if (up)
                log_info(NULL, "keeper: connected");
        else
                log_warn(NULL, "keeper: away: %s", why);
        send_desk_to_all(desk);
        if (up) /* a region without a status list gets its first one at once */
                loop_timer_arm(desk->options.loop, &desk->minute, clock_mono_ms() + 100);
}

static void on_ready(void *user, bool ready)
{
        struct pass_desk *desk = user;

        log_info(NULL, ready ? "pass desk: the books are whole" : "pass desk: the books are not fresh");
        send_desk_to_all(desk);
        if (ready) {
                desk->changed = (1u << WHAT_PHONE) - 1;
                if (!wheel_timer_is_armed(&desk->tell))
                        loop_timer_arm(desk->options.loop, &desk->tell, clock_mono_ms());
                loop_timer_arm(desk->options.loop, &desk->minute, clock_mono_ms() + 100);
        }
}

static void on_changed(void *user, enum book book, const char *key)
{
        static const unsigned whats[BOOKS] = {
                [BOOK_HANDSETS] = 1u << WHAT_CARRIER | 1u << WHAT_SHARED | 1u << WHAT_UNLOCK,
                [BOOK_CARRIERS] = 1u << WHAT_CARRIER,
                [BOOK_ROUNDS] = 1u << WHAT_ROUND,
                [BOOK_STOPS] = 1u << WHAT_ROUND,
                [BOOK_BUILDINGS] = 1u << WHAT_BUILDING,
                [BOOK_DOORS] = 1u << WHAT_BUILDING,
                [BOOK_VAULTS] = 1u << WHAT_CARRIER | 1u << WHAT_PASS | 1u << WHAT_SHARED | 1u << WHAT_UNLOCK,
                [BOOK_PASSES] = 1u << WHAT_PASS | 1u << WHAT_SHARED,
                [BOOK_CONSENTS] = 1u << WHAT_CONSENT,
                [BOOK_ASKED] = 1u << WHAT_ASKED,
                [BOOK_LISTS] = 1u << WHAT_UNLOCK, /* the number of an unlock that was sent */
        };
        struct pass_desk *desk = user;

        desk->changed |= whats[book];
        if (book == BOOK_VAULTS && key != NULL)
                again_on_vault(desk, key);
        if (book == BOOK_PASSES && key != NULL)
                again_on_pass(desk, key);
        if (desk->changed != 0 && !wheel_timer_is_armed(&desk->tell))
                loop_timer_arm(desk->options.loop, &desk->tell, clock_mono_ms() + PASS_TELL_MS / 4);
        if (keeper_word(desk) != desk->keeper_told)
                send_desk_to_all(desk);
}

/* tell: what changed since the last time; then not for a second. */
static void tell(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct pass_desk *desk = timer->user;
        struct outbound *out = pass_view_changed(desk->changed);

        if (desk->changed == 0) {
                outbound_unref(out);
                return;
        }
        desk->changed = 0;
        for (struct pass_page *page = desk->pages; page != NULL; page = page->next)
                page_push(page->page, out);
        outbound_unref(out);
        loop_timer_arm(desk->options.loop, timer, now_mono_ms + pass_tell_after_ms(desk->looked_us));
        desk->looked_us = 0;
}

/* ---- pages */

int pass_desk_page(struct pass_desk *desk, struct page *page, struct pass_page **ret_page)
{
        struct pass_page *p = calloc(1, sizeof(*p));

        if (p == NULL)
                return -ENOMEM;
        *p = (struct pass_page){ .next = desk->pages, .desk = desk, .page = page, .number = ++desk->page_number };
        if (p->next != NULL)
                p->next->prev = p;
        desk->pages = p;
        send_desk(p);
        *ret_page = p;
        return 0;
}

void pass_page_close(struct pass_page *page)
{
        if (page == NULL)
                return;
        *(page->prev != NULL ? &page->prev->next : &page->desk->pages) = page->next;
        if (page->next != NULL)
                page->next->prev = page->prev;
        free(page);
}

static void answer(struct pass_page *page, const struct pass_ask *ask, enum pass_code code)
{
        page_push_new(page->page, pass_view_answer(ask->command, code, NULL));
}

/* look: FIND and GET, from the books. */
static void look(struct pass_page *page, const struct pass_ask *ask)
{
        const struct pass_desk *desk = page->desk;
        struct pass_scene scene = { .books = desk->books,
                                    .viewer = &page->page->viewer,
                                    .region = desk->options.config->region,
                                    .root = desk->has_root ? desk->root : NULL,
                                    .now_s = now_s(),
                                    .list_good_s = (uint32_t)(desk->options.config->list_good_ms / 1000) };
        struct outbound *out;
        int64_t begun_us = clock_mono_us();
        int r;

        if (ask->verb == PASS_FIND) {
                out = pass_view_found(&scene, ask);
                page->desk->looked_us += clock_mono_us() - begun_us;
                page_push_new(page->page, out);
                return;
        }
        r = pass_view_got(&scene, ask, &out);
        if (r == 0)
                page_push_new(page->page, out);
        else
                answer(page, ask, r == -ENOENT ? CODE_UNKNOWN : CODE_BUSY);
}

static void act(struct pass_page *page, const struct pass_ask *ask)
{
        static void (*const by_verb[PASS_VERBS])(struct job *, const struct pass_ask *) = {
                [PASS_ISSUE] = issue_ask,   [PASS_ASKED] = issue_asked, [PASS_CONSENT] = issue_consent,
                [PASS_REVOKE] = end_revoke, [PASS_LOST] = end_lost,     [PASS_UNLOCK] = end_unlock,
        };
        struct job *job = job_new(page->desk, page, ask->command);

        if (job == NULL)
                answer(page, ask, CODE_BUSY);
        else
                by_verb[ask->verb](job, ask);
}

int pass_page_said(struct pass_page *page, const char *text, size_t len, int64_t now_mono_ms)
{
        struct pass_ask ask;
        bool looks;

        if (pass_ask_read(text, len, &ask) < 0)
                return DESK_MALFORMED;
        looks = ask.verb == PASS_FIND || ask.verb == PASS_GET;
        if (!page_may_ask(page->page, now_mono_ms))
                answer(page, &ask, CODE_BUSY);
        else if (!pass_may(&page->page->viewer, ask.verb, ask.what))
                answer(page, &ask, CODE_NOT_ALLOWED);
        else if (!pass_store_is_ready(page->desk->store) || (!looks && store_away(page->desk)))
                answer(page, &ask, CODE_AWAY);
        else if (looks)
                look(page, &ask);
        else
                act(page, &ask);
        return 0;
}

int pass_desk_list(const struct pass_desk *desk, const char *name, struct cbor_span *ret_list)
{
        const struct book_item *item = books_get(desk->books, BOOK_LISTS, name);

        if (item == NULL)
                return pass_store_is_ready(desk->store) ? -ENOENT : -EAGAIN;
        *ret_list = (struct cbor_span){ item->data, item->size };
        return 0;
}

/* ---- beginning and end */

static int read_root(struct pass_desk *desk)
{
        const char *path = desk->options.config->caretaker_root;
        struct key *key = NULL;
        uint8_t raw[KEY_PUBLIC_MAX];
        int r = path[0] != '\0' ? key_from_file(path, &key) : -ENOENT;

        if (path[0] == '\0')
                return 0;
        if (r == 0 && (key_alg(key) != KEY_EDDSA || key_public(key, raw) != sizeof(desk->root)))
                r = -EINVAL;
        if (r == 0)
                memcpy(desk->root, raw, sizeof(desk->root));
        key_free(key);
        desk->has_root = r == 0;
        if (r < 0)
                log_error(NULL, "caretaker.root: %s: no Ed25519 public key or certificate in PEM", path);
        return r < 0 ? -EINVAL : 0;
}

static int open_keeper(struct pass_desk *desk)
{
        struct seqpacket_options options = { desk->options.config->keeper_socket, KEEPER_MESSAGE_MAX, on_keeper, desk };

        return options.path[0] != '\0' ? seqpacket_open(desk->options.loop, &options, &desk->keeper) : 0;
}

static int open_store(struct pass_desk *desk)
{
        struct pass_store_options options = { desk->options.loop, desk->options.config, desk->books,
                                              on_ready,           on_changed,           desk };

        return pass_store_open(&options, &desk->store);
}

int pass_desk_open(const struct pass_desk_options *options, struct pass_desk **ret_desk)
{
        struct pass_desk *desk = calloc(1, sizeof(*desk));
        uint64_t seed;
        int r;

        if (desk == NULL)
                return -ENOMEM;
        desk->options = *options;
        wheel_timer_init(&desk->tell, tell, desk);
        wheel_timer_init(&desk->minute, minute_on, desk);
        wheel_timer_init(&desk->renewal, renew_on, desk);
        wheel_timer_init(&desk->list_again, list_on_again, desk);
        r = RAND_bytes((unsigned char *)&seed, sizeof(seed)) == 1 ? 0 : -EIO;
        if (r < 0 || (r = books_new(seed, &desk->books)) < 0 || (r = read_root(desk)) < 0 ||
            (r = open_store(desk)) < 0 || (r = open_keeper(desk)) < 0) {
                pass_desk_leave(desk);
                pass_desk_free(desk);
                return r;
        }
        desk->keeper_told = keeper_word(desk);
        loop_timer_arm(options->loop, &desk->minute, clock_mono_ms() + PASS_MINUTE_MS);
        *ret_desk = desk;
        return 0;
}

void pass_desk_leave(struct pass_desk *desk)
{
        if (desk == NULL || desk->closing)
                return;
        desk->closing = true;
        loop_timer_cancel(desk->options.loop, &desk->tell);
        loop_timer_cancel(desk->options.loop, &desk->minute);
        loop_timer_cancel(desk->options.loop, &desk->renewal);
        list_close(desk);
        edits_close(desk);
        seqpacket_close(desk->keeper);
        desk->keeper = NULL; /* jobs that go on in what follows are told so */
        pass_store_close(desk->store);
        desk->store = NULL;
}

void pass_desk_free(struct pass_desk *desk)
{
        if (desk == NULL)
                return;
        assert(desk->pages == NULL);
        books_free(desk->books);
        free(desk);
}
