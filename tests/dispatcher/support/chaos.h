/* Chaos: octets as orders for a model of two dispatchers - presses, commands, frames, time, faults, deaths - and what must hold
 * whatever happens.  From a seed in a test, from a fuzzer in tests/fuzz. */
#ifndef TESTS_DISPATCHER_CHAOS_H
#define TESTS_DISPATCHER_CHAOS_H

#include <stddef.h>
#include <stdint.h>

/* chaos_run: follow the orders, then repair everything and check (assert, with a line on stderr that says what is wrong):
 *      whoever was told "received" has an alert in the store, open or closed
 *      versions in the feed only rise, and a closed alert stays closed
 *      what was taken of the SMS gateway is in the store; each text that had to be is answered (half of the runs: nobody dies)
 *      every dispatcher holds exactly the open alerts, as the store has them; nothing waits */
void chaos_run(const uint8_t *orders, size_t size);

#endif
