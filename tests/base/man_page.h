/* A program's man page beside its configuration's table. */
#ifndef TESTS_BASE_MAN_PAGE_H
#define TESTS_BASE_MAN_PAGE_H

#include <stdio.h>
#include <string.h>

#include "base/conf.h"

/* man_page_check: the lines ".It Cm KEY , KEY" of the man page at PATH name every key of TABLE, and no other. */
static inline void man_page_check(const char *path, const struct conf_table *table)
{
        FILE *file = fopen(path, "r");
        size_t named = 0;
        char line[512];

        assert_non_null(file);
        while (fgets(line, sizeof(line), file) != NULL) {
                if (strncmp(line, ".It Cm ", 7) != 0)
                        continue;
                for (char *word = strtok(line + 7, " ,\n"); word != NULL; word = strtok(NULL, " ,\n"), named++) {
                        size_t i = 0;

                        while (i < table->count && strcmp(table->options[i].key, word) != 0)
                                i++;
                        if (i == table->count)
                                fail_msg("%s says %s, which is no key", path, word);
                }
        }
        fclose(file);
        assert_int_equal(named, table->count);
}

#endif
