#include "console/keeper/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
        stopped = 1;
}

/* is_alone: nobody answers at ADDRESS. */
static bool is_alone(const struct sockaddr_un *address)
{
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        bool alone = fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0;

        if (fd >= 0)
                close(fd);
        return alone;
}

int serve_open(struct serve *serve, const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        mode_t mask;
        int r = 0;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        if (!is_alone(&address))
                return -EADDRINUSE;
        unlink(path);
        serve->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (serve->listener < 0)
                return -errno;
        mask = umask(0117);
        if (bind(serve->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(serve->listener, SERVE_PEERS_MAX) < 0)
                r = -errno;
        umask(mask);
        return r;
}

void serve_close(struct serve *serve)
{
        for (size_t i = 0; i < serve->count; i++)
                close(serve->peers[i].fd);
        if (serve->listener >= 0)
                close(serve->listener);
        serve->count = 0;
        serve->listener = -1;
}

/* who: by the system user of the process at the other end; 0 nobody we know. */
static int who(const struct serve *serve, int fd)
{
        struct ucred peer;
        socklen_t len = sizeof(peer);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
                return 0;
        if (peer.uid == serve->console)
                return PEER_CONSOLE;
        return serve->dispatcher != (uid_t)-1 && peer.uid == serve->dispatcher ? PEER_DISPATCHER : 0;
}

/* has_room: for one more process of this kind. */
static bool has_room(const struct serve *serve, enum keeper_peer who)
{
        size_t same = 0;

        for (size_t i = 0; i < serve->count; i++)
                same += serve->peers[i].who == who;
        return same < SERVE_PEERS_EACH;
}

static void take(struct serve *serve)
{
        int fd = accept4(serve->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int peer = fd >= 0 ? who(serve, fd) : 0;

        if (fd < 0)
                return;
        if (peer == 0 || !has_room(serve, (enum keeper_peer)peer)) {
                log_warn(NULL, peer == 0 ? "somebody who is neither console nor dispatcher was turned away"
                                         : "too many processes are connected: one was turned away");
                close(fd);
                return;
        }
        serve->peers[serve->count++] = (struct serve_peer){ fd, (enum keeper_peer)peer };
}

struct keeper_time serve_time(void)
{
        struct timespec utc, up;

        clock_gettime(CLOCK_REALTIME, &utc);
        clock_gettime(CLOCK_BOOTTIME, &up);
        return (struct keeper_time){ (uint32_t)utc.tv_sec, up.tv_sec };
}

/* look_at_clock: say it once where it cannot be right, and once when it can again. */
static void look_at_clock(struct serve *serve, const struct keeper_time *now)
{
        int64_t off_s = keeper_clock(serve->keeper, now);

        if ((off_s != 0) == serve->clock_is_off)
                return;
        serve->clock_is_off = off_s != 0;
        if (off_s > 0)
                log_error("clock",
                          "went %lld s ahead since the start: no pass, no list, no overdue carrier's position "
                          "until it is right, or it was looked at and the keeper is started again",
                          (long long)off_s);
        else if (off_s < 0)
                log_error("clock",
                          "is %lld s behind the newest pass or list: no pass, no list, no overdue carrier's "
                          "position until it is right",
                          (long long)-off_s);
        else
                log_info("clock", "is right again");
}

/* look_at_start: a start believes the clock; where it may be ahead somebody is told to look. */
static void look_at_start(struct serve *serve)
{
        const struct keeper_time now = serve_time();
        int64_t rested_s = keeper_rested(serve->keeper, now.utc_s);

        look_at_clock(serve, &now);
        if (rested_s > 0)
                log_warn("clock",
                         "says that the newest pass or list is %lld h old: if the keeper did not rest for so long, "
                         "stop it and set the clock before anything is signed",
                         (long long)(rested_s / 3600));
}

/* answer: one request of PEER.  Returns false where PEER is to be closed: gone, or what it said was no request, or it does not
 * read its answers. */
static bool answer(struct serve *serve, const struct serve_peer *peer)
{
        ssize_t len = recv(peer->fd, serve->request, sizeof(serve->request), MSG_TRUNC);
        struct keeper_time now;
        size_t answered;

        if (len < 0)
                return errno == EAGAIN || errno == EINTR;
        if (len == 0 || (size_t)len > sizeof(serve->request))
                return false;
        now = serve_time();
        look_at_clock(serve, &now);
        answered = keeper_answer(serve->keeper, peer->who, (struct cbor_span){ serve->request, (size_t)len }, &now,
                                 serve->answer);
        if (answered == 0) {
                log_warn(NULL, "a %s sent what is no request", peer->who == PEER_CONSOLE ? "console" : "dispatcher");
                return false;
        }
        if (!serve->clock_is_off) /* what it would throw away as over is perhaps not */
                audit_turn(serve->audit, now.utc_s);
        return send(peer->fd, serve->answer, answered, MSG_NOSIGNAL) == (ssize_t)answered;
}

/* turn: whoever says something is answered. */
static int turn(struct serve *serve, const sigset_t *waiting)
{
        struct pollfd wait[SERVE_PEERS_MAX + 1];

        for (size_t i = 0; i < serve->count; i++)
                wait[i] = (struct pollfd){ serve->peers[i].fd, POLLIN, 0 };
        wait[serve->count] = (struct pollfd){ serve->listener, POLLIN, 0 };
        if (ppoll(wait, serve->count + 1, NULL, waiting) < 0)
                return errno == EINTR ? 0 : -errno;
        if (wait[serve->count].revents != 0)
                take(serve);
        for (size_t i = serve->count; i-- > 0;)
                if (wait[i].fd == serve->peers[i].fd && wait[i].revents != 0 && !answer(serve, &serve->peers[i])) {
                        close(serve->peers[i].fd);
                        serve->peers[i] = serve->peers[--serve->count];
                }
        return 0;
}

int serve_run(struct serve *serve)
{
        struct sigaction action = { .sa_handler = stop };
        sigset_t ends, waiting; /* signals come while it waits, and then alone */
        int r = 0;

        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        sigaddset(&ends, SIGINT);
        sigprocmask(SIG_BLOCK, &ends, &waiting);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        look_at_start(serve);
        while (!stopped && r == 0)
                r = turn(serve, &waiting);
        return r;
}
