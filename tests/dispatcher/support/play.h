/* What the tests of the dispatcher as a process do again and again; each step is checked by cmocka's asserts. */
#ifndef TESTS_DISPATCHER_SUPPORT_PLAY_H
#define TESTS_DISPATCHER_SUPPORT_PLAY_H

#include "tests/dispatcher/support/region.h"

/* play_set_up, play_tear_down: a region (*state) with carrier c1 "Carole" on handset 1, supervisor s1 "Paul" on handset
 * 2, and the control room's user "anne". */
int play_set_up(void **state);
int play_tear_down(void **state);

/* play_press: send that alert. */
void play_press(struct region *region, struct phone *phone, const struct region_press *press);

/* play_on_duty: PHONE says hello as a supervisor's, goes on duty as PERSON, and says where it is. */
void play_on_duty(struct phone *phone, const char *person);

/* play_raised: that handset dials dispatcher 0, presses and gets a receipt; its record as it stands in Redis. */
void play_raised(struct region *region, const struct region_press *one, struct record *ret_record);

#endif
