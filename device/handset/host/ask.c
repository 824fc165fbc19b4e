#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "device/handset/host/socket.h"
#include "device/handset/host/words.h"

/* A daemon that takes longer than this hangs: it answers a press after a second at the latest. */
#define ANSWER_S     5
/* --wait: so long where it does not say, at most so long, and how often it looks. */
#define WAIT_S       30
#define WAIT_MAX_S   86400
#define WAIT_LOOK_MS 200

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_DAEMON, EXIT_NOT_RECEIVED };

/* What the command line asks. */
struct asked {
        const char *path;
        const char *words[WORDS_MAX];
        size_t count;
        bool json;
        long wait_s; /* 0: not */
};

static int open_path(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timeval term = { .tv_sec = ANSWER_S };
        int fd;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &term, sizeof(term));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &term, sizeof(term));
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        close(fd);
        return -ECONNREFUSED;
}

/* The words as one line, or NULL: they are not UTF-8, or too long. */
static char *write_words(const struct asked *asked)
{
        json_t *list = json_array(), *request = json_pack("{s:o}", "words", list);
        char *text = NULL;
        bool good = request != NULL;

        for (size_t i = 0; i < asked->count && good; i++)
                good = json_array_append_new(list, json_string(asked->words[i])) == 0;
        if (good)
                text = json_dumps(request, JSON_COMPACT);
        json_decref(request);
        if (text == NULL || strlen(text) < SOCKET_REQUEST_MAX - 1)
                return text;
        free(text);
        return NULL;
}

static int send_line(int fd, const char *text)
{
        struct iovec parts[] = { { (char *)text, strlen(text) }, { "\n", 1 } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

        return n == (ssize_t)(parts[0].iov_len + 1) ? 0 : -EIO;
}

static json_t *read_answer(int fd)
{
        char *line = malloc(SOCKET_LINE_MAX);
        size_t len = 0;
        ssize_t n = 1;
        json_t *json = NULL;

        while (line != NULL && n > 0 && len < SOCKET_LINE_MAX) {
                n = read(fd, line + len, SOCKET_LINE_MAX - len);
                if (n > 0)
                        len += (size_t)n;
        }
        if (line != NULL && n == 0)
                json = json_loadb(line, len, 0, NULL);
        free(line);
        return json;
}

/* Ask the daemon.  Returns EXIT_DONE with its answer, a new reference, or an exit status after telling why. */
static int ask(const struct asked *asked, json_t **ret_answer)
{
        char *text = write_words(asked);
        int fd = -1;

        if (text == NULL) {
                fprintf(stderr, "vigie-handset: the words are not UTF-8, or too long\n");
                return EXIT_USAGE;
        }
        *ret_answer = NULL;
        fd = open_path(asked->path);
        if (fd < 0)
                fprintf(stderr, "vigie-handset: no daemon answers at %s\n", asked->path);
        else if (send_line(fd, text) < 0 || (*ret_answer = read_answer(fd)) == NULL)
                fprintf(stderr, "vigie-handset: the daemon at %s gave no answer\n", asked->path);
        if (fd >= 0)
                close(fd);
        free(text);
        return *ret_answer != NULL ? EXIT_DONE : EXIT_NO_DAEMON;
}

/* ---- answers for a terminal -------------------------------------------------------------------------------------- */

/* A name from outside must not move the cursor. */
static void print_plain(const char *text)
{
        for (; *text != 0; text++)
                putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static const char *text_in(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text != NULL && text[0] != 0 ? text : "-";
}

static void print_fields(const char *label, const json_t *object, const char *const *keys, size_t count)
{
        printf("%-7s", label);
        for (size_t i = 0; i < count; i++) {
                putchar(' ');
                print_plain(text_in(object, keys[i]));
        }
        putchar('\n');
}

/* The few lines that matter. */
static void print_status(const json_t *status)
{
        static const char *const link[] = { "link" }, *const duty[] = { "state", "name" };
        static const char *const sms[] = { "modem", "failure" };
        static const char *const alert[] = { "id", "word", "who" }, *const ring[] = { "id", "state", "carrier",
                                                                                      "owner" };
        const json_t *one;
        size_t i;

        printf("button  %s\n", json_is_true(json_object_get(status, "button")) ? "works" : "does NOT work: call 112");
        json_array_foreach(json_object_get(status, "trouble"), i, one) printf("trouble %s\n", json_string_value(one));
        print_fields("link", status, link, 1);
        print_fields("sms", json_object_get(status, "sms"), sms, 2);
        print_fields("duty", json_object_get(status, "duty"), duty, 2);
        if (json_is_object(json_object_get(status, "alert")))
                print_fields("alert", json_object_get(status, "alert"), alert, 3);
        json_array_foreach(json_object_get(status, "rings"), i, one) print_fields("ring", one, ring, 4);
}

static int print_answer(const struct asked *asked, const json_t *answer)
{
        const json_t *status = json_object_get(answer, "status"), *alert = json_object_get(answer, "alert");

        if (!json_is_true(json_object_get(answer, "ok"))) {
                fprintf(stderr, "vigie-handset: %s\n", text_in(answer, "why"));
                return EXIT_REFUSED;
        }
        if (json_is_string(alert))
                printf("%s\n", json_string_value(alert));
        if (json_is_object(status) && asked->json) {
                json_dumpf(status, stdout, JSON_INDENT(1));
                putchar('\n');
        } else if (json_is_object(status)) {
                print_status(status);
        }
        fflush(stdout);
        return EXIT_DONE;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static bool is_received(const json_t *answer, const char *id)
{
        const json_t *alert = json_object_get(json_object_get(answer, "status"), "alert");

        return strcmp(text_in(alert, "id"), id) == 0 && json_is_false(json_object_get(alert, "trying"));
}

static int wait_received(const struct asked *asked, const char *id)
{
        static const struct timespec look = { .tv_nsec = WAIT_LOOK_MS * 1000000L };
        const struct asked status = { .path = asked->path, .words = { "status" }, .count = 1 };
        int64_t until_mono_ms = clock_mono_ms() + asked->wait_s * 1000;
        bool received = false;
        json_t *answer;
        int r = EXIT_DONE;

        do {
                nanosleep(&look, NULL);
                if ((r = ask(&status, &answer)) == EXIT_DONE)
                        received = is_received(answer, id);
                json_decref(answer);
        } while (r == EXIT_DONE && !received && clock_mono_ms() < until_mono_ms);
        if (r != EXIT_DONE)
                return r;
        printf("%s\n", received ? "received" : "not received yet");
        return received ? EXIT_DONE : EXIT_NOT_RECEIVED;
}

/* A silent alert shows nothing, so there is nothing to wait for. */
static bool can_wait(const struct asked *asked)
{
        return asked->count > 0 && strcmp(asked->words[0], "press") == 0 &&
               (asked->count == 1 || strcmp(asked->words[1], "--silent") != 0);
}

static int read_wait(const char *word, long *ret_s)
{
        char *end;

        *ret_s = WAIT_S;
        if (word[0] == 0)
                return 0;
        *ret_s = strtol(word + 1, &end, 10);
        return word[0] == '=' && end != word + 1 && *end == 0 && *ret_s >= 1 && *ret_s <= WAIT_MAX_S ? 0 : -EINVAL;
}

/* `--wait` and `--json` are ours, everything else is the daemon's to understand. */
static const char *read_words(struct asked *asked, size_t count, const char *const *words)
{
        for (size_t i = 0; i < count; i++) {
                if (strcmp(words[i], "--json") == 0) {
                        asked->json = true;
                } else if (strncmp(words[i], "--wait", 6) == 0) {
                        if (read_wait(words[i] + 6, &asked->wait_s) < 0)
                                return "--wait=SECONDS: 1 to 86400";
                } else if (asked->count == WORDS_MAX) {
                        return "too many words";
                } else {
                        asked->words[asked->count++] = words[i];
                }
        }
        return asked->wait_s == 0 || can_wait(asked) ? NULL : "--wait goes with a press that shows";
}

int socket_ask(const char *path, size_t count, const char *const *words)
{
        struct asked asked = { .path = path };
        json_t *answer = NULL;
        const char *id, *why = read_words(&asked, count, words);
        int status;

        if (why != NULL) {
                fprintf(stderr, "vigie-handset: %s\n", why);
                return EXIT_USAGE;
        }
        status = ask(&asked, &answer);
        if (status == EXIT_DONE)
                status = print_answer(&asked, answer);
        id = json_string_value(json_object_get(answer, "alert"));
        if (status == EXIT_DONE && asked.wait_s > 0 && id != NULL)
                status = wait_received(&asked, id);
        json_decref(answer);
        return status;
}
