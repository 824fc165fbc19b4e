#include "console/page.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "console/ask.h"

void page_fail(struct page *page, int code)
{
        if (page->closing)
                return;
        page->closing = true;
        page->hooks.close(page->hooks.user, code);
}

void page_push(struct page *page, struct outbound *out)
{
        if (page->closing)
                return;
        if (out == NULL || page->count == PAGE_QUEUE_MAX || page->octets + out->len > PAGE_QUEUE_OCTETS) {
                page_fail(page, DESK_SLOW);
                return;
        }
        page->queue[(page->first + page->count++) % PAGE_QUEUE_MAX] = outbound_ref(out);
        page->octets += out->len;
        page->hooks.wake(page->hooks.user);
}

void page_push_new(struct page *page, struct outbound *out)
{
        page_push(page, out);
        outbound_unref(out);
}

struct outbound *page_next(struct page *page)
{
        struct outbound *out;

        if (page->count == 0)
                return NULL;
        out = page->queue[page->first];
        page->first = (page->first + 1) % PAGE_QUEUE_MAX;
        page->count--;
        page->octets -= out->len;
        return out;
}

const struct viewer *page_viewer(const struct page *page)
{
        return &page->viewer;
}

void page_set_viewer(struct page *page, const struct viewer *viewer)
{
        if (strcmp(page->viewer.team, viewer->team) != 0)
                page_fail(page, DESK_GOING_AWAY); /* what it has is what the team before may see */
        page->viewer = *viewer;
}

bool page_may_ask(struct page *page, int64_t now_mono_ms)
{
        int64_t elapsed = now_mono_ms - page->tokens_mono_ms;

        if (elapsed > 0) {
                page->tokens_milli += (elapsed < 60000 ? elapsed : 60000) * PAGE_RATE;
                page->tokens_mono_ms = now_mono_ms;
        }
        if (page->tokens_milli > PAGE_BURST * 1000)
                page->tokens_milli = PAGE_BURST * 1000;
        if (page->tokens_milli < 1000)
                return false;
        page->tokens_milli -= 1000;
        return true;
}

static int send(struct page *page, struct command *command)
{
        const struct desk_hooks *hooks = &page->desk->options.hooks;

        ask_sign(command, &page->viewer, hooks->now_ms(hooks->user));
        return hooks->command(hooks->user, command);
}

static void remember(struct page *page, const uint8_t command[EVENT_ID_SIZE])
{
        memcpy(page->commands[page->commands_count++ % PAGE_COMMANDS_MAX], command, EVENT_ID_SIZE);
}

bool page_gave(const struct page *page, const uint8_t command[EVENT_ID_SIZE])
{
        size_t n = page->commands_count < PAGE_COMMANDS_MAX ? page->commands_count : PAGE_COMMANDS_MAX;

        for (size_t i = 0; i < n; i++)
                if (memcmp(page->commands[i], command, EVENT_ID_SIZE) == 0)
                        return true;
        return false;
}

static void say_presence(struct page *page, const struct ask *ask)
{
        const struct person *person = board_person(page->desk->options.board, page->viewer.person);
        struct command command;

        if (ask_presence(ask, &page->viewer, person != NULL && person->on_duty, &command) == 0)
                (void)send(page, &command); /* lost: the next one comes in 10 s */
}

int page_said(struct page *page, const char *text, size_t len, int64_t now_mono_ms)
{
        struct ask ask;
        char id[VIEW_COMMAND_TEXT];
        bool allowed;

        if (ask_read(text, len, &ask) < 0)
                return DESK_MALFORMED;
        allowed = page_may_ask(page, now_mono_ms);
        if (ask.visible) {
                if (allowed)
                        say_presence(page, &ask);
                return 0;
        }
        hex_encode(ask.command.id, sizeof(ask.command.id), id);
        if (page->viewer.role == ROLE_ADMIN && ask.command.verb != COMMAND_ACK) {
                page_push_new(page, view_answer(id, answer_code_name(ANSWER_NOT_ALLOWED), ""));
                return 0;
        }
        remember(page, ask.command.id);
        if (!allowed || send(page, &ask.command) < 0)
                page_push_new(page, view_answer(id, answer_code_name(ANSWER_BUSY), ""));
        return 0;
}
