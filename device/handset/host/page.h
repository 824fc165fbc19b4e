/* page: the phone's own page on 127.0.0.1, by libwebsockets: static files, and a WebSocket that gives the status at
 * each change and takes words (PROTOCOL.md).  Only our own origin may open it; a name that resolves to 127.0.0.1
 * but is not ours is refused by its Host.  Every program of this machine can reach it: the page asks for no
 * password, as the button does not. */
#ifndef DEVICE_HANDSET_HOST_PAGE_H
#define DEVICE_HANDSET_HOST_PAGE_H

#include "base/conf.h"
#include "device/handset/host/host.h"

struct lws_context;
struct page;

/* Pages open at once: a browser's tabs.  The next one is refused. */
#define PAGE_SOCKETS_MAX 8
/* Largest message from the page: words with a note. */
#define PAGE_MESSAGE_MAX 2048
/* Answers that wait for one page; a page that asks on without reading is cut off.  It comes back, and reads the
 * status. */
#define PAGE_ANSWERS_MAX 32

struct page_options {
        struct lws_context *context;
        struct host *host;
        int port;         /* 0: the system chooses */
        const char *path; /* folder of the files, borrowed */
        const struct conf_list *frame_ancestors;
};

/* page_open: serve.  Returns 0, -EADDRINUSE (or whatever keeps libwebsockets from it), -ENOMEM. */
int page_open(const struct page_options *options, struct page **ret_page);

/* page_port: the port it listens on. */
int page_port(const struct page *page);

/* page_show: the status changed: every open page is sent it, once, however often this is called before. */
void page_show(struct page *page);

/* page_feel: a vibration, to every open page; one that was not sent yet is forgotten for it.
 *   pattern  as view_pattern_name() gives it, for ever */
void page_feel(struct page *page, const char *pattern);

/* page_free: after the lws context is gone; NULL does nothing. */
void page_free(struct page *page);

#endif
