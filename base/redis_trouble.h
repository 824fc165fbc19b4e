/* What is wrong with a Redis that a region counts on, in one word, for notices, metrics and pages.  Pure. */
#ifndef BASE_REDIS_TROUBLE_H
#define BASE_REDIS_TROUBLE_H

/* As a reason: it has a lower epoch than one seen, or none of the people there were. */
#define REDIS_OLDER "an older state, or none"

/* redis_trouble: the word for ERROR, what Redis answered or why a link (base/redis.h) is down:
 *   store_full      OOM: out of memory
 *   store_readonly  it is a replica, or cannot write its disk (READONLY, MISCONF)
 *   store_loading   it reads its files
 *   store_alone     a primary without the replica that it must have (NOREPLICAS)
 *   store_login     it refuses our password
 *   store_rights    it refuses us a command
 *   store_older     REDIS_OLDER
 *   store_away      all else: it cannot be reached */
const char *redis_trouble(const char *error);

#endif
