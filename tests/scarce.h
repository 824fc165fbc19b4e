/* Memory that is refused on demand, for the one source file that a test includes behind this header instead of linking
 * it. */
#ifndef TESTS_SCARCE_H
#define TESTS_SCARCE_H

#include <stdlib.h>

/* So many callocs of that file are refused yet. */
static unsigned scarce;

static void *scarce_calloc(size_t count, size_t size)
{
        if (scarce == 0)
                return calloc(count, size);
        scarce--;
        return NULL;
}

#define calloc scarce_calloc

#endif
