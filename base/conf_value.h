/* One value of the configuration: from text into the program's struct, and its type and bounds in words.  conf.c's
 * other half: programs include base/conf.h. */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include <stdbool.h>

#include "base/conf.h"

/* A rule in words: "must be 1 to 65535". */
#define CONF_RULE_SIZE 160

/* conf_value_set: read TEXT as OPTION's type and, when it keeps the bounds, write it into CONFIG.
 *   rule  CONF_RULE_SIZE octets: on -EINVAL what it must be
 * Returns 0 or -EINVAL; CONFIG is then untouched. */
int conf_value_set(const struct conf_option *option, const char *text, void *config, char *rule);

/* conf_value_rule: type and bounds in words, for rules and for --help: "1 to 65535", "300ms to 10min", "yes or no". */
void conf_value_rule(const struct conf_option *option, char *rule);

/* conf_text_is_clean: say whether TEXT is UTF-8 without control characters (a tab is none). */
bool conf_text_is_clean(const char *text, size_t len);

#endif
