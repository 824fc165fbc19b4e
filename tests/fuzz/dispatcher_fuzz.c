/* Sequences of orders and faults at two dispatcher cores on one store; what must hold is in tests/dispatcher/support/chaos.h. */
#include <stddef.h>
#include <stdint.h>

#include "tests/dispatcher/support/chaos.h"

#define ORDERS_MAX 2000 /* a longer sequence finds no more, and takes its time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        chaos_run(data, size < ORDERS_MAX ? size : ORDERS_MAX);
        return 0;
}
