/* What base/metrics_server.c asks of base/metrics.c; programs include base/metrics.h. */
#ifndef BASE_METRICS_SERVER_H
#define BASE_METRICS_SERVER_H

#include "base/metrics.h"

/* metrics_unwell: the reason why the program is not well, NULL when it is. */
const char *metrics_unwell(struct metrics *metrics);

#endif
