/* The examples of wire/PROTOCOL.md, which are the fixtures of the tests: hex in fenced blocks labelled `example
 * NAME`; white space is skipped, and what stands behind a # on its line.  Tests run at the root of the tree. */
#ifndef TESTS_WIRE_EXAMPLE_H
#define TESTS_WIRE_EXAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

/* The octets of example NAME to TO; gives their number, which is at most SIZE; the test fails if there is none. */
static inline size_t example(const char *name, uint8_t *to, size_t size)
{
        FILE *file = fopen("wire/PROTOCOL.md", "r");
        char line[512], label[96], digits[3] = "";
        size_t len = 0, half = 0;
        bool inside = false, found = false;

        assert_non_null(file);
        snprintf(label, sizeof(label), "```example %s\n", name);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (strncmp(line, "```", 3) == 0) {
                        inside = strcmp(line, label) == 0;
                        found |= inside;
                        continue;
                }
                line[strcspn(line, "#\n")] = 0;
                for (const char *c = line; inside && *c != 0; c++) {
                        if (*c == ' ')
                                continue;
                        digits[half++] = *c;
                        if (half < 2)
                                continue;
                        assert_true(len < size);
                        assert_int_equal(hex_decode(digits, to + len++, 1), 0);
                        half = 0;
                }
        }
        fclose(file);
        if (!found)
                fail_msg("no example %s in wire/PROTOCOL.md", name);
        assert_int_equal(half, 0);
        return len;
}

#endif
