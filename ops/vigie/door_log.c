/* vigie door-log: is a door's log whole, what is in it, and what does the desk learn from it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "ops/vigie/command.h"
#include "ops/vigie/door.h"
#include "ops/vigie/say.h"
#include "wire/door_walk.h"

enum { LOG_WHOLE = 0, LOG_NOT_WHOLE = 1, LOG_NOT_LOOKED = 3 };

struct look {
        struct chain_walk walk;
        uint32_t list_s; /* of the newest entry: the status list that the door has */
        bool silent;
};

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
static int find_door(struct region *region, const char *field, struct door_entry *ret_entry, struct key **ret_key)
{
        uint8_t data[DESK_SMALL_MAX], point[1 + PASS_KEY_SIZE] = { 0x04 };
        int r = region_people_get(region, "doors", field, data, sizeof(data));

        if (r >= 0)
                r = door_entry_decode(data, (size_t)r, ret_entry);
        if (r == 0 && !ret_entry->has_key)
                r = -ENOKEY;
        if (r == 0) {
                memcpy(point + 1, ret_entry->key, PASS_KEY_SIZE);
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

/* What the desk shows of the door: the newest list that it was seen to have, and when somebody looked. */
static int tell_desk(struct region *region, const char *field, struct door_entry *e, const struct look *look)
{
        uint8_t data[DESK_SMALL_MAX];
        int r;

        if (look->list_s > e->list_s)
                e->list_s = look->list_s;
        e->seen_at_s = (uint32_t)time(NULL);
        if ((r = door_entry_encode(e, data, sizeof(data))) < 0)
                return r;
        return region_people_set(region, &(struct region_entry){ "doors", field, data, (size_t)r });
}

static int look_at(struct region *region, struct look *look, const char *folder)
{
        char field[DOOR_ID_TEXT], head[2 * HELLO_HEAD_SIZE + 1];
        struct door_entry entry;
        struct key *key = NULL;
        int r = walk(look, folder, NULL); /* whose it says it is */

        if (r == 0 && look->walk.last == 0) {
                printf("no entry\n");
                return LOG_WHOLE;
        }
        if (r < 0)
                return r == -EBADMSG ? LOG_NOT_WHOLE : LOG_NOT_LOOKED;
        hex_encode(look->walk.door, DOOR_ID_SIZE, field);
        if (find_door(region, field, &entry, &key) < 0)
                return LOG_NOT_LOOKED;
        r = walk(look, folder, key);
        key_free(key);
        if (r < 0)
                return r == -EBADMSG ? LOG_NOT_WHOLE : LOG_NOT_LOOKED;
        hex_encode(look->walk.head, HELLO_HEAD_SIZE, head);
        printf("door %s: entries %" PRIu64 " to %" PRIu64 " are whole, head %s\n", field, look->walk.first,
               look->walk.last, head);
        return tell_desk(region, field, &entry, look) < 0 ? LOG_NOT_LOOKED : LOG_WHOLE;
}

int door_log_main(struct region *region, int argc, char **argv)
{
        struct look *look = calloc(1, sizeof(*look));
        const char *folder;
        int status = EXIT_USAGE;

        if (look != NULL &&
            choices_read(&(struct choices){ .usage = "door-log FOLDER", .words_wanted = 1 }, argc, argv, &folder) == 0)
                status = look_at(region, look, folder);
        free(look);
        return status;
}
