#include "dispatcher/sms_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/loop.h"
#include "dispatcher/limit.h"

/* Who comes where memory is refused is looked at again after so long; libuv accepts nobody before that. */
#define AGAIN_MS 200

enum caller_state { READING, WAITING /* to be taken */, WRITING };

/* One connection of the gateway. */
struct caller {
        struct sms_door *door;
        uint64_t ref; /* of its message now; 0: none */
        enum caller_state state;
        bool stranger, keep_alive;
        uv_tcp_t tcp;
        uv_write_t write;
        struct wheel_timer timer;
        struct caller *older, *newer; /* by when they last began to wait for a request */
        size_t len, used;
        uint8_t request[SMS_REQUEST_MAX + 1];
        char answer[128];
};

struct sms_door {
        struct sms_door_options options;
        uv_tcp_t *tcp; /* NULL: closed */
        int port;
        struct wheel_timer again; /* somebody waits for memory */
        bool closing;
        uint64_t last_ref;
        size_t handles, strangers; /* connections not freed yet; messages of strangers not taken */
        struct caller *oldest, *newest;
        struct bucket known[SMS_DOOR_NUMBERS], unknown[SMS_DOOR_NUMBERS];
        struct sms_door_counts counts;
};

static void free_when_empty(struct sms_door *door)
{
        if (door->closing && door->handles == 0)
                free(door);
}

/* ---- The list of connections. */

static void unlink_caller(struct caller *caller)
{
        struct sms_door *door = caller->door;

        *(caller->older != NULL ? &caller->older->newer : &door->oldest) = caller->newer;
        *(caller->newer != NULL ? &caller->newer->older : &door->newest) = caller->older;
}

static void link_caller(struct caller *caller)
{
        struct sms_door *door = caller->door;

        caller->newer = NULL;
        caller->older = door->newest;
        *(door->newest != NULL ? &door->newest->newer : &door->oldest) = caller;
        door->newest = caller;
}

static void on_caller_closed(uv_handle_t *handle)
{
        struct caller *caller = handle->data;
        struct sms_door *door = caller->door;

        free(caller);
        door->handles--;
        free_when_empty(door);
}

/* let_go: its message is answered, or will not be. */
static void let_go(struct caller *caller)
{
        if (caller->state != WAITING)
                return;
        caller->door->counts.pending--;
        caller->door->strangers -= caller->stranger;
        caller->ref = 0;
}

static void hang_up(struct caller *caller)
{
        struct sms_door *door = caller->door;

        if (uv_is_closing((uv_handle_t *)&caller->tcp))
                return;
        let_go(caller);
        unlink_caller(caller);
        door->counts.connections--;
        loop_timer_cancel(door->options.loop, &caller->timer);
        uv_close((uv_handle_t *)&caller->tcp, on_caller_closed);
}

static void arm(struct caller *caller, int64_t in_ms)
{
        loop_timer_arm(caller->door->options.loop, &caller->timer, clock_mono_ms() + in_ms);
}

/* ---- Answers. */

static void understand(struct caller *caller);

static void on_written(uv_write_t *write, int status)
{
        struct caller *caller = write->data;

        if (status < 0 || !caller->keep_alive) {
                hang_up(caller);
                return;
        }
        caller->len -= caller->used;
        memmove(caller->request, caller->request + caller->used, caller->len);
        caller->state = READING;
        unlink_caller(caller);
        link_caller(caller);
        arm(caller, SMS_DOOR_IDLE_MS);
        understand(caller);
}

static void answer(struct caller *caller, int status)
{
        const char *word = status == 200 ? "OK" : status == 503 ? "Service Unavailable" : "Refused";
        uv_buf_t buffer = uv_buf_init(caller->answer, 0);

        let_go(caller);
        caller->state = WRITING;
        caller->keep_alive = caller->keep_alive && status != 503; /* it may fare better elsewhere */
        buffer.len = (size_t)snprintf(caller->answer, sizeof(caller->answer),
                                      "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: %s\r\n\r\n", status, word,
                                      caller->keep_alive ? "keep-alive" : "close");
        caller->write.data = caller;
        arm(caller, SMS_DOOR_READ_MS);
        if (uv_write(&caller->write, (uv_stream_t *)&caller->tcp, &buffer, 1, on_written) < 0)
                hang_up(caller);
}

static void on_timer(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct caller *caller = timer->user;

        if (caller->state == WAITING) {
                caller->door->counts.late++;
                answer(caller, 503);
        } else {
                hang_up(caller);
        }
}

void sms_door_taken(struct sms_door *door, uint64_t ref)
{
        struct caller *caller = door->oldest;

        while (caller != NULL && (caller->ref != ref || caller->state != WAITING))
                caller = caller->newer;
        if (caller != NULL && ref != 0)
                answer(caller, 200);
}

/* ---- Requests. */

static uint64_t place_of(const struct sms_door *door, const char *number)
{
        uint64_t hash = door->options.seed ^ 0xcbf29ce484222325u;

        for (; *number != '\0'; number++)
                hash = (hash ^ (uint8_t)*number) * 0x100000001b3u;
        return (hash ^ hash >> 32) % SMS_DOOR_NUMBERS;
}

static bool may_write(struct sms_door *door, const char *number, bool known)
{
        struct bucket *bucket = &(known ? door->known : door->unknown)[place_of(door, number)];

        return bucket_take(bucket, clock_mono_ms(), SMS_DOOR_TEXT_BURST, SMS_DOOR_TEXT_REFILL_MS);
}

/* take: an object or text that has a place. */
static void take(struct caller *caller, const struct sms_request *request)
{
        struct sms_door *door = caller->door;

        *(request->kind == SMS_REQUEST_OBJECT ? &door->counts.objects : &door->counts.texts) += 1;
        caller->state = WAITING;
        caller->ref = ++door->last_ref;
        door->counts.pending++;
        door->strangers += caller->stranger;
        arm(caller, request->kind == SMS_REQUEST_TEXT && door->options.term_ms > SMS_DOOR_TEXT_TERM_MS
                            ? SMS_DOOR_TEXT_TERM_MS
                            : door->options.term_ms);
        door->options.arrived(door->options.user, request, caller->ref);
}

static void give_on(struct caller *caller, const struct sms_request *request)
{
        struct sms_door *door = caller->door;
        bool known = door->options.knows == NULL ||
                     (request->from[0] != '\0' && door->options.knows(door->options.user, request->from));

        caller->stranger = !known;
        if (request->kind == SMS_REQUEST_JUNK) {
                door->counts.junk++;
                answer(caller, 200);
        } else if (door->counts.pending >= SMS_DOOR_PENDING_MAX ||
                   (!known && door->strangers >= SMS_DOOR_STRANGERS_MAX)) {
                door->counts.busy++;
                answer(caller, 503);
        } else if (request->kind == SMS_REQUEST_TEXT && !may_write(door, request->from, known)) {
                door->counts.limited++;
                answer(caller, 200);
        } else {
                take(caller, request);
        }
}

static void understand(struct caller *caller)
{
        struct sms_door *door = caller->door;
        struct sms_request request;
        int r;

        if (caller->state != READING || caller->len == 0)
                return;
        r = sms_request_read((struct cbor_span){ caller->request, caller->len }, door->options.secret, &request,
                             &caller->used);
        if (r == -EAGAIN)
                return;
        caller->keep_alive = request.keep_alive;
        if (r > 0) {
                door->counts.refused++;
                answer(caller, r);
        } else if (request.kind == SMS_REQUEST_REPORT) {
                door->counts.reports++;
                door->options.arrived(door->options.user, &request, 0);
                answer(caller, 200);
        } else {
                give_on(caller, &request);
        }
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
        struct caller *caller = handle->data;

        *buffer = uv_buf_init((char *)caller->request + caller->len, (unsigned)(sizeof(caller->request) - caller->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
        struct caller *caller = stream->data;

        if (n < 0) { /* hung up; or, -ENOBUFS, more than one request while one is under way */
                hang_up(caller);
                return;
        }
        if (caller->len == 0 && n > 0 && caller->state == READING)
                arm(caller, SMS_DOOR_READ_MS);
        caller->len += (size_t)n;
        understand(caller);
}

/* ---- Connections. */

/* make_room: say whether there is, or is after the longest idle one has gone. */
static bool make_room(struct sms_door *door)
{
        struct caller *caller = door->oldest;

        if (door->counts.connections < SMS_DOOR_CONNECTIONS_MAX)
                return true;
        while (caller != NULL && (caller->state != READING || caller->len > 0))
                caller = caller->newer;
        if (caller != NULL)
                hang_up(caller);
        return caller != NULL;
}

static void on_connection(uv_stream_t *listener, int status)
{
        struct sms_door *door = listener->data;
        struct caller *caller = status == 0 ? calloc(1, sizeof(*caller)) : NULL;
        bool room;

        if (caller == NULL && status == 0)
                loop_timer_arm(door->options.loop, &door->again, clock_mono_ms() + AGAIN_MS);
        if (caller == NULL)
                return;
        room = make_room(door);
        caller->door = door;
        wheel_timer_init(&caller->timer, on_timer, caller);
        uv_tcp_init(loop_uv(door->options.loop), &caller->tcp);
        caller->tcp.data = caller;
        link_caller(caller);
        door->handles++;
        door->counts.connections++;
        if (uv_accept(listener, (uv_stream_t *)&caller->tcp) < 0 || !room ||
            uv_read_start((uv_stream_t *)&caller->tcp, give_room, on_read) < 0) {
                door->counts.busy += !room;
                hang_up(caller);
                return;
        }
        uv_tcp_nodelay(&caller->tcp, 1);
        arm(caller, SMS_DOOR_IDLE_MS);
}

static void on_again(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct sms_door *door = timer->user;

        on_connection((uv_stream_t *)door->tcp, 0);
}

static void on_listener_closed(uv_handle_t *handle)
{
        struct sms_door *door = handle->data;

        free(handle);
        door->handles--;
        free_when_empty(door);
}

/* bind_socket: on loopback, with others on the same port.  The socket, or a negative errno. */
static int bind_socket(const struct sms_door *door)
{
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)door->port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, r;

        if (fd < 0)
                return -errno;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
            bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        return fd;
}

/* bind_port: a socket that does not listen yet: the kernel brings it nobody. */
static int bind_port(struct sms_door *door)
{
        struct sockaddr_in at;
        int fd = bind_socket(door), r, len = sizeof(at);

        if (fd < 0)
                return fd;
        door->tcp = calloc(1, sizeof(*door->tcp));
        if (door->tcp == NULL) {
                close(fd);
                return -ENOMEM;
        }
        uv_tcp_init(loop_uv(door->options.loop), door->tcp);
        door->tcp->data = door;
        door->handles++;
        if ((r = uv_tcp_open(door->tcp, fd)) < 0) {
                close(fd);
                return r;
        }
        if ((r = uv_tcp_getsockname(door->tcp, (struct sockaddr *)&at, &len)) == 0)
                door->port = ntohs(at.sin_port);
        return r;
}

int sms_door_open(const struct sms_door_options *options, struct sms_door **ret_door)
{
        struct sms_door *door = calloc(1, sizeof(*door));
        int r;

        if (door == NULL)
                return -ENOMEM;
        door->options = *options;
        if (options->term_ms == 0)
                door->options.term_ms = SMS_DOOR_TERM_MS;
        door->port = options->port;
        wheel_timer_init(&door->again, on_again, door);
        r = bind_port(door);
        if (r < 0) {
                sms_door_close(door);
                return r;
        }
        *ret_door = door;
        return 0;
}

int sms_door_start(struct sms_door *door)
{
        int r = door->tcp != NULL ? 0 : bind_port(door);

        return r < 0 ? r : uv_listen((uv_stream_t *)door->tcp, SMS_DOOR_CONNECTIONS_MAX, on_connection);
}

void sms_door_stop(struct sms_door *door)
{
        struct caller *next;

        loop_timer_cancel(door->options.loop, &door->again);
        if (door->tcp != NULL)
                uv_close((uv_handle_t *)door->tcp, on_listener_closed);
        door->tcp = NULL;
        for (struct caller *caller = door->oldest; caller != NULL; caller = next) {
                next = caller->newer;
                hang_up(caller);
        }
}

void sms_door_close(struct sms_door *door)
{
        if (door == NULL)
                return;
        door->closing = true;
        sms_door_stop(door);
        free_when_empty(door);
}

int sms_door_port(const struct sms_door *door)
{
        return door->port;
}

const struct sms_door_counts *sms_door_counts(const struct sms_door *door)
{
        return &door->counts;
}
