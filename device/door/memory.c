#include "device/door/memory.h"

#include <string.h>

void memory_init(struct memory *memory, enum door_class class)
{
        memset(memory, 0, sizeof(*memory));
        memory->class = class;
}

static bool is_nfc(const struct memory *memory)
{
        return memory->class == DOOR_NFC;
}

bool memory_was_here(const struct memory *memory, const uint8_t pass[PASS_ID_SIZE], uint32_t counter)
{
        for (size_t i = 0; i < memory->count; i++) {
                const struct memory_row *row = &memory->rows[i];

                if (memcmp(row->pass, pass, PASS_ID_SIZE) == 0 &&
                    (is_nfc(memory) ? counter <= row->counter : counter == row->counter))
                        return true;
        }
        return false;
}

/* row_for: the row of this pass by NFC, else a free one, else the oldest. */
static struct memory_row *row_for(struct memory *memory, const uint8_t pass[PASS_ID_SIZE])
{
        struct memory_row *oldest = memory->rows;

        for (size_t i = 0; i < memory->count; i++) {
                if (is_nfc(memory) && memcmp(memory->rows[i].pass, pass, PASS_ID_SIZE) == 0)
                        return &memory->rows[i];
                if (memory->rows[i].seen < oldest->seen)
                        oldest = &memory->rows[i];
        }
        return memory->count < MEMORY_ROWS ? &memory->rows[memory->count++] : oldest;
}

void memory_take(struct memory *memory, const uint8_t pass[PASS_ID_SIZE], uint32_t counter)
{
        struct memory_row *row = row_for(memory, pass);

        memcpy(row->pass, pass, PASS_ID_SIZE);
        row->counter = counter;
        row->seen = memory->taken++;
}
