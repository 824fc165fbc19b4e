#include "dispatcher/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/loop.h"

struct flight {
        CURL *easy; /* NULL: free */
        http_answered *answered;
        void *user;
};

struct http {
        struct loop *loop;
        CURLM *multi;
        struct wheel_timer timer;
        struct flight flights[HTTP_FLIGHTS_MAX];
        size_t count;
        bool closing;
};

/* What watches one of libcurl's sockets. */
struct watch {
        struct http *http;
        curl_socket_t fd;
        uv_poll_t poll;
};

static void land(struct http *http);

static void free_watch(uv_handle_t *handle)
{
        free(handle->data);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
        struct watch *watch = poll->data;
        struct http *http = watch->http;
        int running, flags = status < 0 ? CURL_CSELECT_ERR
                                        : ((events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                                                  ((events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);

        curl_multi_socket_action(http->multi, watch->fd, flags, &running); /* may close the watch */
        land(http);
}

/* libcurl says what it waits for on a socket. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *mine)
{
        struct http *http = user;
        struct watch *watch = mine;

        if (what == CURL_POLL_REMOVE) {
                if (watch != NULL) {
                        uv_poll_stop(&watch->poll);
                        curl_multi_assign(http->multi, fd, NULL);
                        uv_close((uv_handle_t *)&watch->poll, free_watch);
                }
                return 0;
        }
        if (watch == NULL) {
                watch = calloc(1, sizeof(*watch));
                if (watch == NULL || uv_poll_init_socket(loop_uv(http->loop), &watch->poll, fd) < 0) {
                        free(watch);
                        return -1;
                }
                watch->http = http;
                watch->fd = fd;
                watch->poll.data = watch;
                curl_multi_assign(http->multi, fd, watch);
        }
        return uv_poll_start(&watch->poll,
                             ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                                     ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0),
                             on_socket);
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct http *http = timer->user;
        int running;

        curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        land(http);
}

/* libcurl wants to be called in so many ms; -1: no more. */
static int set_timer(CURLM *multi, long in_ms, void *user)
{
        struct http *http = user;

        if (in_ms < 0)
                loop_timer_cancel(http->loop, &http->timer);
        else
                loop_timer_arm(http->loop, &http->timer, clock_mono_ms() + in_ms);
        return 0;
}

static void end_flight(struct http *http, struct flight *flight)
{
        curl_multi_remove_handle(http->multi, flight->easy);
        curl_easy_cleanup(flight->easy);
        flight->easy = NULL;
        http->count--;
}

/* land: give out what was answered. */
static void land(struct http *http)
{
        CURLMsg *message;
        int left;

        while (!http->closing && (message = curl_multi_info_read(http->multi, &left)) != NULL) {
                struct flight *flight = NULL, landed;
                CURLcode result = message->data.result;
                long status = 0;

                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flight);
                if (result == CURLE_OK)
                        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
                landed = *flight;
                end_flight(http, flight);
                landed.answered(landed.user, (int)status, status == 0 ? curl_easy_strerror(result) : NULL);
        }
}

static size_t throw_away(char *data, size_t size, size_t count, void *user)
{
        return size * count;
}

int http_get(struct http *http, const char *url, http_answered *answered, void *user)
{
        struct flight *flight = http->flights;
        CURL *easy;

        if (http->count == HTTP_FLIGHTS_MAX)
                return -EBUSY;
        while (flight->easy != NULL)
                flight++;
        easy = curl_easy_init();
        if (easy == NULL)
                return -ENOMEM;
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not what the environment says */
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)HTTP_TERM_MS);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
        *flight = (struct flight){ easy, answered, user };
        http->count++;
        if (curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
                end_flight(http, flight);
                return -ENOMEM;
        }
        return 0;
}

size_t http_room(const struct http *http)
{
        return HTTP_FLIGHTS_MAX - http->count;
}

int http_open(struct loop *loop, struct http **ret_http)
{
        struct http *http = calloc(1, sizeof(*http));

        if (http == NULL)
                return -ENOMEM;
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (http->multi = curl_multi_init()) == NULL) {
                free(http);
                return -ENOMEM;
        }
        http->loop = loop;
        wheel_timer_init(&http->timer, on_timer, http);
        curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
        curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
        curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
        curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_KEPT_MAX);
        *ret_http = http;
        return 0;
}

void http_close(struct http *http)
{
        if (http == NULL)
                return;
        http->closing = true;
        for (size_t i = 0; i < HTTP_FLIGHTS_MAX; i++)
                if (http->flights[i].easy != NULL)
                        end_flight(http, &http->flights[i]);
        curl_multi_cleanup(http->multi); /* lets go of every socket */
        loop_timer_cancel(http->loop, &http->timer);
        free(http);
        curl_global_cleanup();
}
