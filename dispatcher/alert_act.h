/* The acts of the state table (alert.c): each changes a record in memory, or leaves it as it is and says why.  For the files of
 * the table alone. */
#ifndef DISPATCHER_ALERT_ACT_H
#define DISPATCHER_ALERT_ACT_H

#include "dispatcher/alert.h"

/* What an act answers, beside an answer code, negative: refused, and RECORD untouched. */
enum {
        ACT_NOTHING = 0, /* nothing new; RECORD untouched */
        ACT_NEXT,        /* go to the cell's next state */
        ACT_OTHER        /* go to its other one */
};

typedef int alert_act(struct record *record, const struct alert_change *change, const struct alert_ground *ground);

/* raise: the alert begins; OTHER: somebody was asked.  update: a revision of it; OTHER: it became verified, and somebody was
 * asked. */
alert_act alert_raise, alert_update;

/* What people do.  take_over: OTHER: the owner again.  release: OTHER: nobody is asked.  progress: OTHER: on scene. */
alert_act alert_see, alert_take, alert_take_over, alert_release, alert_join, alert_progress, alert_close;

/* decline: OTHER: its owner gave it back.  note: what became of SMS. */
alert_act alert_decline, alert_note;

#endif
