/* A page's inside, shared by desk.c (who is told what) and page.c (its queue, and what it asks). */
#ifndef CONSOLE_PAGE_H
#define CONSOLE_PAGE_H

#include "console/desk.h"

struct page {
        struct page *next, *prev;
        struct desk *desk;
        struct viewer viewer;
        struct page_hooks hooks;
        bool closing, quiet; /* quiet: told of nothing but time (desk_open_quiet) */

        struct outbound *queue[PAGE_QUEUE_MAX];
        size_t first, count, octets;

        int64_t tokens_milli, tokens_mono_ms; /* thousandths of a command that it may give */
        uint8_t commands[PAGE_COMMANDS_MAX][EVENT_ID_SIZE];
        size_t commands_count; /* given in all; the last PAGE_COMMANDS_MAX are remembered */
};

struct desk {
        struct desk_options options;
        struct page *pages; /* a list without order */
        size_t page_count;
        bool up;
        int64_t blind_since_ms;
        const char *trouble; /* NULL: none */
};

/* page_push: put OUT (borrowed; NULL is memory that was short: the page is closed to come back) behind the others. */
void page_push(struct page *page, struct outbound *out);
/* page_push_new: the same with a reference that is taken. */
void page_push_new(struct page *page, struct outbound *out);
/* page_fail: close with CODE, once. */
void page_fail(struct page *page, int code);
/* page_may_ask: one command more, by the bound of PAGE_BURST and PAGE_RATE; counts it. */
bool page_may_ask(struct page *page, int64_t now_mono_ms);
/* page_gave: say whether COMMAND is one that this page gave. */
bool page_gave(const struct page *page, const uint8_t command[EVENT_ID_SIZE]);

#endif
