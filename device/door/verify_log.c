#include "device/door/verify_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "wire/door_walk.h"

static void tell(const struct chain_walk *w)
{
        char head[2 * HELLO_HEAD_SIZE + 1], door[2 * DOOR_ID_SIZE + 1];

        if (w->last == 0) {
                printf("no entry\n");
                return;
        }
        hex_encode(w->head, HELLO_HEAD_SIZE, head);
        hex_encode(w->door, DOOR_ID_SIZE, door);
        printf("door %s: entries %" PRIu64 " to %" PRIu64 " are whole, head %s\n", door, w->first, w->last, head);
        if (w->first > 1)
                printf("older ones are gone, as the door keeps a number of files\n");
        if (w->torn_octets > 0)
                printf("an entry that was cut off while it was written follows: nothing was opened for it\n");
        if (w->held < w->last)
                printf("the newest entry is not in `head` yet\n");
}

int verify_log(const char *folder, const char *path)
{
        struct chain_walk *w = calloc(1, sizeof(*w));
        struct key *key = NULL;
        int r = w != NULL ? key_from_file(path, &key) : -ENOMEM, status = 3;

        if (r < 0) {
                fprintf(stderr, "vigie-door: %s: %s\n", path, key_trouble(r));
        } else {
                w->folder = folder;
                w->key = key;
                w->any_door = true;
                r = chain_walk(w);
                status = r == 0 ? 0 : r == -EBADMSG ? 1 : 3;
                if (r == 0 && w->files == 0 && !chain_is_begun(folder)) {
                        fprintf(stderr, "vigie-door: %s: no log in it\n", folder);
                        status = 3;
                } else if (r == 0) {
                        tell(w);
                } else {
                        printf("%s\n", w->why[0] != 0 ? w->why : strerror(-r));
                }
        }
        key_free(key);
        free(w);
        return status;
}
