/* The daemon's socket and the command line's end of it; host_ask() is this test's own. */
#include "tests/device/handset/host/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "device/handset/host/host.h"
#include "device/handset/host/socket.h"
#include "device/handset/vigie.h"

struct host {
        struct loop *loop;
        struct socket_server *server;
        struct folder folder;
        char path[128], asked[1024];
        unsigned requests;
        bool settled;
        json_t *answer; /* given to whoever asks; NULL: {"ok": true} */
};

json_t *host_ask(struct host *host, const json_t *request)
{
        char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : strdup("nothing");

        snprintf(host->asked, sizeof(host->asked), "%s", text);
        free(text);
        host->requests++;
        return host->answer != NULL ? json_incref(host->answer) : json_pack("{s:b}", "ok", 1);
}

bool host_settled(const struct host *host)
{
        return host->settled;
}

static void open_host(struct host *host)
{
        memset(host, 0, sizeof(*host));
        host->settled = true;
        folder_make(&host->folder);
        folder_file(&host->folder, "s", host->path);
        assert_int_equal(loop_open(&host->loop), 0);
        assert_int_equal(socket_open(host->loop, host, host->path, &host->server), 0);
}

static void close_host(struct host *host)
{
        socket_close(host->server);
        assert_int_equal(loop_close(host->loop), 0);
        assert_int_equal(folder_count(&host->folder), 0); /* it leaves nothing behind */
        json_decref(host->answer);
        folder_remove(&host->folder);
}

static int dial(const struct host *host)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        strcpy(address.sun_path, host->path);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void say(int fd, const char *text)
{
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until the other end closes. */
static const char *hear(struct host *host, int fd)
{
        static char text[SOCKET_LINE_MAX];
        int64_t until_mono_ms = clock_mono_ms() + SPIN_MS;
        size_t len = 0;
        ssize_t n = -1;

        while (n != 0 && clock_mono_ms() < until_mono_ms) {
                turn(host->loop, 0);
                n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
                len += n > 0 ? (size_t)n : 0;
        }
        assert_int_equal(n, 0);
        text[len] = 0;
        close(fd);
        return text;
}

static void a_line_for_a_line(void **state)
{
        struct host host;
        struct stat st;
        int fd;

        open_host(&host);
        assert_int_equal(stat(host.path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        fd = dial(&host);
        say(fd, "{\"words\":");
        turn(host.loop, 2);
        assert_int_equal(host.requests, 0);
        say(fd, "[\"press\"]}\n");
        assert_string_equal(hear(&host, fd), "{\"ok\":true}\n");
        assert_string_equal(host.asked, "{\"words\":[\"press\"]}");
        close_host(&host);
}

static void what_is_no_request(void **state)
{
        static const char *const lines[] = { "\n", "nonsense\n", "{\"words\":[\"a\"],\"words\":[]}\n", "{} {}\n",
                                             "[1,\n" };
        char longest[SOCKET_REQUEST_MAX + 10];
        struct host host;
        int fd;

        open_host(&host);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
                fd = dial(&host);
                say(fd, lines[i]);
                assert_string_equal(hear(&host, fd), "{\"ok\":true}\n");
                assert_string_equal(host.asked, "nothing");
        }
        memset(longest, ' ', sizeof(longest));
        longest[sizeof(longest) - 1] = 0;
        fd = dial(&host);
        say(fd, longest);
        hear(&host, fd);
        assert_string_equal(host.asked, "nothing");
        close_host(&host);
}

/* An answer waits until what was asked is in the journal. */
static void an_answer_waits_for_the_journal(void **state)
{
        struct host host;
        char octet;
        int fd;

        open_host(&host);
        host.settled = false;
        fd = dial(&host);
        say(fd, "{\"words\":[\"press\"]}\n");
        while (host.requests == 0)
                turn(host.loop, 1);
        turn(host.loop, 20);
        assert_int_equal(recv(fd, &octet, 1, MSG_DONTWAIT), -1);
        socket_settled(host.server);
        assert_string_equal(hear(&host, fd), "{\"ok\":true}\n");
        close_host(&host);
}

/* A disk that hangs holds it no longer than a second. */
static void but_not_for_ever(void **state)
{
        struct host host;
        int fd;

        open_host(&host);
        host.settled = false;
        fd = dial(&host);
        say(fd, "{\"words\":[\"press\"]}\n");
        assert_string_equal(hear(&host, fd), "{\"ok\":true}\n");
        close_host(&host);
}

/* One more than there is room for waits, and has its turn. */
static void the_next_one_waits(void **state)
{
        int fd[SOCKET_CLIENTS_MAX + 2], n = SOCKET_CLIENTS_MAX + 2;
        struct host host;

        open_host(&host);
        for (int i = 0; i < n; i++) {
                fd[i] = dial(&host);
                turn(host.loop, 1);
        }
        say(fd[n - 1], "{}\n");
        say(fd[n - 2], "{}\n");
        turn(host.loop, 10);
        assert_int_equal(host.requests, 0);
        close(fd[0]);
        close(fd[1]);
        hear(&host, fd[n - 2]);
        hear(&host, fd[n - 1]);
        assert_int_equal(host.requests, 2);
        for (int i = 2; i < n - 2; i++)
                close(fd[i]);
        close_host(&host);
}

static void closed_while_clients_are_there(void **state)
{
        struct host host;
        int idle, asking;

        open_host(&host);
        host.settled = false;
        idle = dial(&host);
        asking = dial(&host);
        say(asking, "{}\n");
        while (host.requests == 0)
                turn(host.loop, 1);
        close_host(&host);
        close(idle);
        close(asking);
}

/* A socket that a dead daemon left is replaced; a living one's, or another file, is not. */
static void what_is_in_the_way(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct socket_server *second = NULL;
        struct host host;
        int dead;

        open_host(&host);
        assert_int_equal(socket_open(host.loop, &host, host.path, &second), -EADDRINUSE);
        socket_close(host.server);
        dead = socket(AF_UNIX, SOCK_STREAM, 0);
        strcpy(address.sun_path, host.path);
        assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
        close(dead);
        assert_int_equal(socket_open(host.loop, &host, host.path, &host.server), 0);
        socket_close(host.server);
        put(&host.folder, "s", "a letter");
        assert_int_equal(socket_open(host.loop, &host, host.path, &second), -EEXIST);
        unlink(host.path);
        assert_int_equal(socket_open(host.loop, &host, "/nowhere/s", &second), -EACCES); /* libuv's word for it */
        memset(address.sun_path, 'x', sizeof(address.sun_path) - 1);
        char longer[200];
        memset(longer, 'x', sizeof(longer));
        longer[199] = 0;
        assert_int_equal(socket_open(host.loop, &host, longer, &second), -ENAMETOOLONG);
        host.server = NULL;
        close_host(&host);
}

/* ---- the command line's end -------------------------------------------------------------------------------------- */

struct caller {
        const char *path;
        const char *const *words;
        size_t count;
        int status;
        atomic_bool done;
};

static void *call(void *user)
{
        struct caller *caller = user;

        caller->status = socket_ask(caller->path, caller->count, caller->words);
        caller->done = true;
        return NULL;
}

/* Run `vigie-handset WORDS` beside the daemon; gives its exit status, and what it printed. */
static int ask(struct host *host, const char *const *words, char *printed, size_t size)
{
        struct caller caller = { host->path, words, 0, -1, false };
        char file[128], *text;
        size_t len;
        pthread_t thread;
        int saved = dup(1), fd = open(folder_file(&host->folder, "printed", file), O_CREAT | O_TRUNC | O_RDWR, 0600);

        while (words[caller.count] != NULL)
                caller.count++;
        fflush(stdout);
        dup2(fd, 1);
        close(fd);
        assert_int_equal(pthread_create(&thread, NULL, call, &caller), 0);
        while (!atomic_load(&caller.done))
                turn(host->loop, 1);
        pthread_join(thread, NULL);
        fflush(stdout);
        dup2(saved, 1);
        close(saved);
        assert_int_equal(file_read(file, size - 1, &text, &len), 0);
        memcpy(printed, text, len + 1);
        free(text);
        unlink(file);
        return caller.status;
}

#define WORDS(...)                \
        (const char *const[])     \
        {                         \
                __VA_ARGS__, NULL \
        }

static void asking(void **state)
{
        struct host host;
        char printed[4096];

        open_host(&host);
        assert_int_equal(ask(&host, WORDS("close", "a b", "n\"ote"), printed, sizeof(printed)), 0);
        assert_string_equal(host.asked, "{\"words\":[\"close\",\"a b\",\"n\\\"ote\"]}");
        assert_string_equal(printed, "");
        host.answer = json_pack("{s:b, s:s}", "ok", 0, "why", "no");
        assert_int_equal(ask(&host, WORDS("take"), printed, sizeof(printed)), 1);
        json_decref(host.answer);
        host.answer = json_pack("{s:b, s:s}", "ok", 1, "alert", "abcd");
        assert_int_equal(ask(&host, WORDS("press"), printed, sizeof(printed)), 0);
        assert_string_equal(printed, "abcd\n");
        close_host(&host);
}

static void words_that_cannot_be_sent(void **state)
{
        static char longest[SOCKET_REQUEST_MAX];
        struct host host;
        char printed[4096];

        open_host(&host);
        memset(longest, 'x', sizeof(longest) - 1);
        assert_int_equal(ask(&host, WORDS("press", "\xff"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS(longest), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("1", "2", "3", "4", "5", "6", "7", "8", "9"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("press", "--wait=0"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("press", "--wait=x"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("press", "--silent", "--wait"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("take", "--wait"), printed, sizeof(printed)), 2);
        assert_int_equal(ask(&host, WORDS("--wait"), printed, sizeof(printed)), 2);
        assert_int_equal(host.requests, 0); /* none of them became a press */
        close_host(&host);
        assert_int_equal(socket_ask("/nowhere/s", 1, WORDS("press")), 3);
}

static void a_status(void **state)
{
        struct host host;
        char printed[4096];

        open_host(&host);
        host.answer = json_pack(
                "{s:b, s:{s:b, s:[s], s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:[{s:s, s:s, s:s, s:s}]}}",
                "ok", 1, "status", "button", 0, "trouble", "no_path", "link", "down", "sms", "modem", "no_sim",
                "failure", "refused", "duty", "state", "on", "name", "C", "alert", "id", "12ab", "word", "sent", "who",
                "", "rings", "id", "34cd", "state", "asked", "carrier", "\x1b[2Jx", "owner", "");
        assert_int_equal(ask(&host, WORDS("status"), printed, sizeof(printed)), 0);
        assert_string_equal(printed, "button  does NOT work: call 112\ntrouble no_path\nlink    down\nsms     no_sim "
                                     "refused\nduty    on C\nalert   12ab sent -\n"
                                     "ring    34cd asked ?[2Jx -\n");
        assert_int_equal(ask(&host, WORDS("status", "--json"), printed, sizeof(printed)), 0);
        json_t *json = json_loads(printed, 0, NULL);
        assert_true(json_equal(json, json_object_get(host.answer, "status")));
        json_decref(json);
        close_host(&host);
}

/* The status says how the alert stands whatever was asked. */
static json_t *answer_of(const char *id, bool trying)
{
        return json_pack("{s:b, s:s, s:{s:{s:s, s:b}}}", "ok", 1, "alert", "12ab", "status", "alert", "id", id,
                         "trying", (int)trying);
}

static void waiting(void **state)
{
        struct host host;
        char printed[4096];

        open_host(&host);
        host.answer = answer_of("12ab", false);
        assert_int_equal(ask(&host, WORDS("press", "--wait=5"), printed, sizeof(printed)), 0);
        assert_non_null(strstr(printed, "12ab\n"));
        assert_non_null(strstr(printed, "received\n"));
        json_decref(host.answer);
        host.answer = answer_of("12ab", true);
        assert_int_equal(ask(&host, WORDS("press", "--wait=1"), printed, sizeof(printed)), 4);
        assert_non_null(strstr(printed, "not received yet\n"));
        json_decref(host.answer);
        host.answer = answer_of("ffff", false);
        assert_int_equal(ask(&host, WORDS("press", "--wait=1"), printed, sizeof(printed)), 4);
        close_host(&host);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_for_a_line),
                cmocka_unit_test(what_is_no_request),
                cmocka_unit_test(an_answer_waits_for_the_journal),
                cmocka_unit_test(but_not_for_ever),
                cmocka_unit_test(the_next_one_waits),
                cmocka_unit_test(closed_while_clients_are_there),
                cmocka_unit_test(what_is_in_the_way),
                cmocka_unit_test(asking),
                cmocka_unit_test(words_that_cannot_be_sent),
                cmocka_unit_test(a_status),
                cmocka_unit_test(waiting),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
