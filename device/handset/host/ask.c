#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "device/handset/host/socket.h"

static int open_path(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return fd;
        close(fd);
        return -ECONNREFUSED;
}

static int send_words(int fd, size_t count, const char *const *words)
{
        json_t *list = json_array(), *request = json_pack("{s:o}", "words", list);
        char *text;
        ssize_t n = -1;

        for (size_t i = 0; i < count; i++)
                json_array_append_new(list, json_string(words[i]));
        text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
        if (text != NULL && strlen(text) < SOCKET_REQUEST_MAX)
                n = dprintf(fd, "%s\n", text);
        free(text);
        json_decref(request);
        return n > 0 ? 0 : -EIO;
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
        if (line != NULL)
                json = json_loadb(line, len, 0, NULL);
        free(line);
        return json;
}

static const char *text_in(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text != NULL ? text : "-";
}

/* The status for a person at a terminal: the few lines that matter. */
static void print_status(const json_t *status)
{
        const json_t *alert = json_object_get(status, "alert"), *duty = json_object_get(status, "duty"), *ring;
        size_t i;

        printf("button  %s\n", json_is_true(json_object_get(status, "button")) ? "works" : "does NOT work: call 112");
        printf("link    %s\n", text_in(status, "link"));
        printf("duty    %s %s\n", text_in(duty, "state"), text_in(duty, "name"));
        if (json_is_object(alert))
                printf("alert   %s %s %s\n", text_in(alert, "id"), text_in(alert, "word"), text_in(alert, "who"));
        json_array_foreach(json_object_get(status, "rings"), i, ring)
                printf("ring    %s %s: %s, owner %s\n", text_in(ring, "id"), text_in(ring, "state"), text_in(ring, "carrier"),
                       text_in(ring, "owner"));
}

int socket_ask(const char *path, size_t count, const char *const *words)
{
        bool as_json = count > 1 && strcmp(words[count - 1], "--json") == 0;
        int fd = open_path(path), status = 1;
        json_t *answer;

        if (fd < 0) {
                fprintf(stderr, "vigie-handset: no daemon answers at %s\n", path);
                return 3;
        }
        answer = send_words(fd, count, words) == 0 ? read_answer(fd) : NULL;
        close(fd);
        if (answer == NULL) {
                fprintf(stderr, "vigie-handset: the daemon at %s gave no answer\n", path);
                return 3;
        }
        if (json_is_true(json_object_get(answer, "ok")))
                status = 0;
        else
                fprintf(stderr, "vigie-handset: %s\n", text_in(answer, "why"));
        if (json_is_object(json_object_get(answer, "status"))) {
                if (as_json) {
                        json_dumpf(json_object_get(answer, "status"), stdout, JSON_INDENT(1));
                        putchar('\n');
                } else {
                        print_status(json_object_get(answer, "status"));
                }
        }
        json_decref(answer);
        return status;
}
