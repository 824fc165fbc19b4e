#include "device/door/arena.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <openssl/crypto.h>

/* Before each piece; keeps pieces aligned to 16. */
union head {
        struct {
                union head *next; /* in a list of free ones */
                unsigned class;
        } in;
        _Alignas(16) uint8_t octets[16];
};

#define CLASS_MIN 5  /* 32 octets, the head included */
#define CLASS_MAX 20 /* 1 MiB; nothing of libcrypto's is larger */

static struct {
        size_t used;
        union head *free[CLASS_MAX + 1];
        _Alignas(16) uint8_t octets[ARENA_SIZE];
} arena;

static void *take(size_t size, const char *file, int line)
{
        unsigned class = CLASS_MIN;
        union head *head;

        if (size == 0 || size > (1u << CLASS_MAX) - sizeof(*head))
                return NULL;
        while ((1u << class) < size + sizeof(*head))
                class ++;
        head = arena.free[class];
        if (head != NULL) {
                arena.free[class] = head->in.next;
        } else if (ARENA_SIZE - arena.used >= 1u << class) {
                head = (union head *)(void *)(arena.octets + arena.used);
                arena.used += 1u << class;
        } else {
                return NULL;
        }
        head->in.class = class;
        return head + 1;
}

static void give(void *piece, const char *file, int line)
{
        union head *head = piece;

        if (piece == NULL)
                return;
        head--;
        head->in.next = arena.free[head->in.class];
        arena.free[head->in.class] = head;
}

static void *change(void *piece, size_t size, const char *file, int line)
{
        const union head *head = piece;
        size_t room;
        void *to;

        if (piece == NULL)
                return take(size, file, line);
        if (size == 0) {
                give(piece, file, line);
                return NULL;
        }
        room = (1u << head[-1].in.class) - sizeof(*head);
        if (size <= room)
                return piece;
        to = take(size, file, line);
        if (to != NULL) {
                memcpy(to, piece, room);
                give(piece, file, line);
        }
        return to;
}

int arena_install(void)
{
        return CRYPTO_set_mem_functions(take, change, give) == 1 ? 0 : -EBUSY;
}

size_t arena_used(void)
{
        return arena.used;
}
