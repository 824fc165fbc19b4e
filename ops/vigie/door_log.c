/* vigie door-log: is a door's log whole, what is in it, and what does the desk learn from it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/door.h"
#include "ops/vigie/keeper.h"
#include "ops/vigie/say.h"
#include "wire/door_walk.h"
#include "wire/keeper.h"

enum { LOG_WHOLE = 0, LOG_NOT_WHOLE = 1, LOG_NOT_LOOKED = 3 };

struct log_words {
        const char *folder, *keeper, *by, *second;
        bool duress;
};

/* A proof that the log has: who was forced is in its marker, which the keeper alone can read. */
struct marked {
        uint64_t number;
        uint8_t mark[KEEPER_MARK_SIZE];
};

struct look {
        struct chain_walk walk;
        uint32_t list_s; /* of the newest entry: the status list that the door has */
        bool silent, wants_marks;
        struct marked *marks;
        size_t count, room;
        int error;
};

static void remember(struct look *look, const struct door_log_entry *e)
{
        struct marked *m;

        if (look->count == look->room) {
                look->room = 2 * look->room + 1024;
                m = realloc(look->marks, look->room * sizeof(*m));
                if (m == NULL) {
                        look->error = -ENOMEM;
                        return;
                }
                look->marks = m;
        }
        m = &look->marks[look->count++];
        m->number = e->number;
        memcpy(m->mark, e->pass, PASS_ID_SIZE);
        for (int i = 0; i < 4; i++)
                m->mark[PASS_ID_SIZE + i] = (uint8_t)(e->counter >> (24 - 8 * i));
        memcpy(m->mark + PASS_ID_SIZE + 4, e->marker, PASS_MARKER_SIZE);
}

/* No name stands here: a pass is a pseudonym, and whose it was is the desk's to know. */
static void print(void *user, const struct chain_entry *chained)
{
        static const char *const classes[DOOR_CLASS_END] = { "", "nfc", "scanner", "caretaker" };
        const struct door_log_entry *e = &chained->read->entry;
        char number[24], at[32], pass[2 * PASS_ID_SIZE + 1] = "", counter[16] = "", more[48] = "";
        time_t time_s = e->time_s;
        struct look *look = user;
        struct tm tm;

        look->list_s = e->list_issued_at_s;
        if (look->silent)
                return;
        if (look->wants_marks && e->has_pass && e->has_proof && look->error == 0)
                remember(look, e);
        snprintf(number, sizeof(number), "%" PRIu64, e->number);
        strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&time_s, &tm));
        if (e->has_pass)
                hex_encode(e->pass, PASS_ID_SIZE, pass);
        if (e->has_proof)
                snprintf(counter, sizeof(counter), "%u", e->counter);
        if (e->unwritten > 0)
                snprintf(more, sizeof(more), "%u refusals not written before", e->unwritten);
        say_row(number, at, e->refusal == 0 ? "open" : pass_refusal_name(e->refusal), classes[e->class],
                e->degraded ? "degraded" : "", pass, counter, more, NULL);
}

/* The key that the door's mandate was made for. */
static int find_door(struct region *region, const char *field, struct key **ret_key)
{
        struct door_entry entry;
        uint8_t data[DESK_SMALL_MAX], point[1 + PASS_KEY_SIZE] = { 0x04 };
        int r = region_people_get(region, "doors", field, data, sizeof(data));

        if (r >= 0)
                r = door_entry_decode(data, (size_t)r, &entry);
        if (r == 0 && !entry.has_key)
                r = -ENOKEY;
        if (r == 0) {
                memcpy(point + 1, entry.key, PASS_KEY_SIZE);
                r = key_from_public(KEY_ES256, (struct cbor_span){ point, sizeof(point) }, ret_key);
        }
        if (r < 0)
                say_wrong("door %s: %s", field, r == -ENOENT ? "not a door of this region" : strerror(-r));
        return r;
}

static int walk(struct look *look, const char *folder, const struct key *key)
{
        int r;

        look->walk = (struct chain_walk){ .folder = folder, .key = key, .any_door = true, .each = print, .user = look };
        look->silent = key == NULL;
        r = chain_walk(&look->walk);
        if (r < 0)
                printf("%s\n", look->walk.why[0] != 0 ? look->walk.why : strerror(-r));
        return r;
}

/* ---- who was forced: told to two people, by the keeper, which writes down who asked */

static int keeper_connect(const char *path)
{
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = 10 };
        size_t len = strlen(path);
        int fd;

        if (len >= sizeof(to.sun_path))
                return say_wrong("--keeper '%s': at most %zu octets", path, sizeof(to.sun_path) - 1);
        memcpy(to.sun_path, path, len);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
                        connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)) {
                close(fd);
                fd = -1;
        }
        if (fd < 0)
                say_wrong("%s: %s", path, strerror(errno));
        return fd;
}

/* One request of at most KEEPER_MARKS_MAX marks, and what it says of them. */
static int ask_some(int fd, const struct keeper_request *request, const struct marked *marks, uint8_t *buf)
{
        struct keeper_answer answer;
        int len = keeper_request_encode(request, buf, KEEPER_MESSAGE_MAX);
        ssize_t got =
                len > 0 && send(fd, buf, (size_t)len, MSG_NOSIGNAL) == len ? recv(fd, buf, KEEPER_MESSAGE_MAX, 0) : -1;

        if (got <= 0 || keeper_answer_decode((struct cbor_span){ buf, (size_t)got }, &answer) < 0) {
                say_wrong("keeper: no answer: is this its peer.console's user?");
                return -EIO;
        }
        if (answer.code != KEEPER_DONE || answer.object.len != request->marks.len / KEEPER_MARK_SIZE) {
                say_wrong("keeper: %s", keeper_code_name(answer.code));
                return -EACCES;
        }
        for (size_t i = 0; i < answer.object.len; i++)
                if (answer.object.at[i] != MARK_NORMAL)
                        printf("entry %" PRIu64 ": %s\n", marks[i].number,
                               answer.object.at[i] == MARK_DURESS ? "UNDER DURESS"
                                                                  : "a marker of no pass of the keeper's key");
        return 0;
}

static int tell_marks(const struct look *look, const struct log_words *words)
{
        uint8_t *buf = malloc(KEEPER_MESSAGE_MAX), *marks = malloc((size_t)KEEPER_MARKS_MAX * KEEPER_MARK_SIZE);
        struct keeper_request request = { .kind = KEEPER_MARK };
        int fd = keeper_connect(words->keeper), r = fd < 0                         ? -ENOTCONN
                                                    : buf != NULL && marks != NULL ? look->error
                                                                                   : -ENOMEM;

        snprintf(request.by, sizeof(request.by), "%s", words->by);
        snprintf(request.second, sizeof(request.second), "%s", words->second);
        for (size_t at = 0, n; r == 0 && at < look->count; at += n) {
                n = look->count - at < KEEPER_MARKS_MAX ? look->count - at : KEEPER_MARKS_MAX;
                for (size_t i = 0; i < n; i++)
                        memcpy(marks + i * KEEPER_MARK_SIZE, look->marks[at + i].mark, KEEPER_MARK_SIZE);
                request.marks = (struct cbor_span){ marks, n * KEEPER_MARK_SIZE };
                r = ask_some(fd, &request, look->marks + at, buf);
        }
        if (r == 0)
                printf("%zu proofs looked at for duress\n", look->count);
        else if (r == -ENOMEM)
                say_wrong("out of memory");
        if (fd >= 0)
                close(fd);
        free(marks);
        free(buf);
        return r;
}

/* What the desk shows of the door: the newest list that it was seen to have, and when somebody looked.  Into the entry
 * as it is now: to walk a log may have taken minutes. */
static int tell_desk(struct region *region, const char *field, const struct look *look)
{
        uint8_t data[DESK_SMALL_MAX];
        struct door_entry e;
        int r = region_people_get(region, "doors", field, data, sizeof(data));

        if (r < 0 || (r = door_entry_decode(data, (size_t)r, &e)) < 0)
                return r;
        if (look->list_s > e.list_s)
                e.list_s = look->list_s;
        e.seen_at_s = (uint32_t)time(NULL);
        if ((r = door_entry_encode(&e, data, sizeof(data))) < 0)
                return r;
        return region_people_set(region, &(struct region_entry){ "doors", field, data, (size_t)r });
}

static int look_at(struct region *region, struct look *look, const struct log_words *words)
{
        const char *folder = words->folder;
        char field[DOOR_ID_TEXT], head[2 * HELLO_HEAD_SIZE + 1];
        struct key *key = NULL;
        int r = walk(look, folder, NULL); /* whose it says it is */

        if (r == 0 && look->walk.files == 0 && !chain_is_begun(folder)) {
                say_wrong("%s: no door's log in it", folder);
                return LOG_NOT_LOOKED;
        }
        if (r == 0 && look->walk.last == 0) {
                printf("no entry\n");
                return LOG_WHOLE;
        }
        if (r < 0)
                return r == -EBADMSG ? LOG_NOT_WHOLE : LOG_NOT_LOOKED;
        hex_encode(look->walk.door, DOOR_ID_SIZE, field);
        if (find_door(region, field, &key) < 0)
                return LOG_NOT_LOOKED;
        r = walk(look, folder, key);
        key_free(key);
        if (r < 0)
                return r == -EBADMSG ? LOG_NOT_WHOLE : LOG_NOT_LOOKED;
        hex_encode(look->walk.head, HELLO_HEAD_SIZE, head);
        printf("door %s: entries %" PRIu64 " to %" PRIu64 " are whole, head %s\n", field, look->walk.first,
               look->walk.last, head);
        if (look->wants_marks && tell_marks(look, words) < 0)
                return LOG_NOT_LOOKED;
        return tell_desk(region, field, look) < 0 ? LOG_NOT_LOOKED : LOG_WHOLE;
}

static int words_check(const struct log_words *words)
{
        char checked[PERSON_ID_MAX + 1];

        if (!words->duress && (words->by[0] != 0 || words->second[0] != 0))
                return say_wrong("--by and --second go with --duress");
        if (!words->duress)
                return 0;
        return id_fit("--by", words->by, false, checked) == 0 ? id_fit("--second", words->second, false, checked)
                                                              : -EINVAL;
}

int door_log_main(struct region *region, int argc, char **argv)
{
        struct log_words words = { .keeper = KEEPER_SOCKET, .by = "", .second = "" };
        struct look *look = calloc(1, sizeof(*look));
        const struct choice list[] = {
                { "duress", NULL, &words.duress, "ask the keeper which proofs were under duress" },
                { "by", &words.by, NULL, "who asks, and" },
                { "second", &words.second, NULL, "who agrees: both are written down" },
                { "keeper", &words.keeper, NULL, "its socket (" KEEPER_SOCKET ")" },
        };
        const struct choices choices = { "door-log FOLDER [--duress --by LOGIN --second LOGIN [--keeper SOCKET]]", list,
                                         4, 1 };
        int status = EXIT_USAGE;

        if (look == NULL) {
                say_wrong("out of memory");
                return LOG_NOT_LOOKED;
        }
        if (choices_read(&choices, argc, argv, &words.folder) == 0 && words_check(&words) == 0) {
                look->wants_marks = words.duress;
                status = look_at(region, look, &words);
        }
        free(look->marks);
        free(look);
        return say_end(status, LOG_NOT_LOOKED);
}
