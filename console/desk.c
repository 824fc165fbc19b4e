#include "console/desk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "console/page.h"
#include "geo/zone.h"

int desk_new(const struct desk_options *options, struct desk **ret_desk)
{
        struct desk *desk = calloc(1, sizeof(*desk));

        if (desk == NULL)
                return -ENOMEM;
        desk->options = *options;
        desk->blind_since_ms = options->hooks.now_ms(options->hooks.user);
        *ret_desk = desk;
        return 0;
}

void desk_free(struct desk *desk)
{
        if (desk == NULL)
                return;
        assert(desk->pages == NULL);
        free(desk);
}

static int64_t now_ms(const struct desk *desk)
{
        return desk->options.hooks.now_ms(desk->options.hooks.user);
}

static bool is_control(const struct page *page)
{
        return page->viewer.role == ROLE_CONTROL;
}

static bool allows_notice(const struct page *page, const struct notice *notice)
{
        const struct zones *zones = page->desk->options.zones;
        const struct zone *zone = zones != NULL ? zones_find(zones, notice->zone_id) : NULL;
        const char *team = page->viewer.team;

        return view_allows_notice(&page->viewer, notice,
                                  zone != NULL && team[0] != '\0' && zone_names_team(zone, team, name_hash(team)));
}

static struct outbound *tick_of(const struct desk *desk)
{
        return view_tick(now_ms(desk), desk->up, desk->blind_since_ms, desk->trouble);
}

static void send_tick(struct page *page)
{
        page_push_new(page, tick_of(page->desk));
}

/* send_people: those of the board that WANT takes, in texts of VIEW_PEOPLE_MAX, to each page that TO takes. */
static bool on_duty_or_here(const struct person *p)
{
        return p->on_duty || p->presence.by != PRESENCE_GONE;
}

static bool has_changed(const struct person *p)
{
        return p->changed;
}

static void send_people(struct desk *desk, struct page *to, bool (*want)(const struct person *))
{
        const struct person *some[VIEW_PEOPLE_MAX];
        size_t place = 0, n = 0;
        struct person *person;

        do {
                person = board_next_person(desk->options.board, &place);
                if (person != NULL && want(person))
                        some[n++] = person;
                if (n == 0 || (person != NULL && n < VIEW_PEOPLE_MAX))
                        continue;
                struct outbound *out = view_people(some, n, true);
                for (struct page *p = desk->pages; p != NULL; p = p->next)
                        if (is_control(p) && !p->quiet && (to == NULL || to == p))
                                page_push(p, out);
                outbound_unref(out);
                n = 0;
        } while (person != NULL);
}

/* send_self: a supervisor's own duty. */
static void send_self(struct page *page)
{
        const struct person *person = board_person(page->desk->options.board, page->viewer.person);

        if (page->viewer.role == ROLE_SUPERVISOR && person != NULL)
                page_push_new(page, view_people(&person, 1, false));
}

static void send_snapshot(struct page *page)
{
        struct board *board = page->desk->options.board;
        const struct alert_item *items[PAGE_ALERTS_MAX];
        size_t rest, n = board_most_urgent(board, &page->viewer, items, PAGE_ALERTS_MAX, &rest), place = 0;
        const struct notice_item *notice;

        page_push_new(page, view_begin());
        if (is_control(page))
                send_people(page->desk, page, on_duty_or_here);
        send_self(page);
        while ((notice = board_next_notice(board, &place)) != NULL)
                if (allows_notice(page, &notice->notice))
                        page_push(page, notice->text);
        for (size_t i = 0; i < n; i++)
                page_push(page, items[i]->text);
        page_push_new(page, view_end((int64_t)rest));
}

static int open_page(struct desk *desk, const struct viewer *viewer, const struct page_hooks *hooks, bool quiet,
                     struct page **ret_page)
{
        struct page *page = calloc(1, sizeof(*page));
        struct page_hello hello = { .viewer = viewer, .now_ms = now_ms(desk), .region = desk->options.region };

        if (page == NULL)
                return -ENOMEM;
        page->desk = desk;
        page->viewer = *viewer;
        page->hooks = *hooks;
        page->quiet = quiet;
        page->tokens_milli = PAGE_BURST * 1000;
        page->next = desk->pages;
        if (page->next != NULL)
                page->next->prev = page;
        desk->pages = page;
        desk->page_count++;
        hello.tile_url = viewer->role != ROLE_ADMIN ? desk->options.tile_url : "";
        hello.tile_attribution = viewer->role != ROLE_ADMIN ? desk->options.tile_attribution : "";
        page_push_new(page, view_hello(&hello));
        send_tick(page);
        if (desk->up && !quiet)
                send_snapshot(page);
        *ret_page = page;
        return 0;
}

int desk_open(struct desk *desk, const struct viewer *viewer, const struct page_hooks *hooks, struct page **ret_page)
{
        return open_page(desk, viewer, hooks, false, ret_page);
}

int desk_open_quiet(struct desk *desk, const struct viewer *viewer, const struct page_hooks *hooks,
                    struct page **ret_page)
{
        return open_page(desk, viewer, hooks, true, ret_page);
}

void desk_page_close(struct page *page)
{
        if (page == NULL)
                return;
        page->closing = true;
        for (struct outbound *out; (out = page_next(page)) != NULL;)
                outbound_unref(out);
        if (page->prev != NULL)
                page->prev->next = page->next;
        else
                page->desk->pages = page->next;
        if (page->next != NULL)
                page->next->prev = page->prev;
        page->desk->page_count--;
        free(page);
}

/* has_another_team: say whether PAGE came before the board had its supervisor, or had them so. */
static bool has_another_team(const struct page *page)
{
        const struct person *person = board_person(page->desk->options.board, page->viewer.person);

        return page->viewer.role == ROLE_SUPERVISOR && person != NULL && strcmp(person->team, page->viewer.team) != 0;
}

void desk_store(struct desk *desk, bool up)
{
        if (desk->up == up)
                return;
        desk->up = up;
        if (!up)
                desk->blind_since_ms = now_ms(desk);
        for (struct page *page = desk->pages; page != NULL; page = page->next) {
                send_tick(page);
                if (up && has_another_team(page))
                        page_fail(page, DESK_GOING_AWAY);
                else if (up && !page->quiet)
                        send_snapshot(page);
        }
}

void desk_trouble(struct desk *desk, const char *word)
{
        desk->trouble = word;
        for (struct page *page = desk->pages; page != NULL; page = page->next)
                send_tick(page);
}

bool desk_is_blind(const struct desk *desk)
{
        return !desk->up;
}

void desk_alert(struct desk *desk, const struct alert_item *item)
{
        for (struct page *page = desk->pages; page != NULL && desk->up; page = page->next)
                if (!page->quiet && view_allows_alert(&page->viewer, item->unverified, item->people))
                        page_push(page, item->text);
}

void desk_notice(struct desk *desk, const struct notice_item *item)
{
        for (struct page *page = desk->pages; page != NULL && desk->up; page = page->next)
                if (!page->quiet && allows_notice(page, &item->notice))
                        page_push(page, item->text);
}

void desk_person(struct desk *desk, struct person *person)
{
        person->changed = true;
        for (struct page *page = desk->pages; page != NULL && desk->up; page = page->next)
                if (!page->quiet && strcmp(page->viewer.person, person->id) == 0)
                        send_self(page);
}

void desk_answer(struct desk *desk, const char *command, const char *code, const char *who)
{
        uint8_t id[EVENT_ID_SIZE];

        if (hex_decode(command, id, sizeof(id)) < 0)
                return;
        for (struct page *page = desk->pages; page != NULL; page = page->next)
                if (page_gave(page, id))
                        page_push_new(page, view_answer(command, code, who));
}

static void forget_changes(struct desk *desk)
{
        size_t place = 0;

        for (struct person *p; (p = board_next_person(desk->options.board, &place)) != NULL;)
                p->changed = false;
}

void desk_tick(struct desk *desk, const struct counts *carriers)
{
        struct counts counts = *carriers;
        struct outbound *tick = tick_of(desk), *numbers;

        board_counts(desk->options.board, now_ms(desk), &counts);
        numbers = view_counts(&counts);
        for (struct page *page = desk->pages; page != NULL; page = page->next) {
                page_push(page, tick);
                if (desk->up && !page->quiet)
                        page_push(page, numbers);
        }
        outbound_unref(tick);
        outbound_unref(numbers);
        if (desk->up) {
                send_people(desk, NULL, has_changed);
                forget_changes(desk);
        }
}

const struct person *desk_supervisor(const struct desk *desk, const char *id)
{
        return board_person(desk->options.board, id);
}

size_t desk_page_count(const struct desk *desk)
{
        return desk->page_count;
}
