/* The board: what the console knows of its region now - open alerts, notices, supervisors, counts - each with the text
 * that pages get.  Filled from the store and kept fresh from the feed.  Pure: no Redis, no socket, no clock. */
#ifndef CONSOLE_BOARD_H
#define CONSOLE_BOARD_H

#include <stdint.h>

#include "console/outbound.h"
#include "console/view.h"

/* Open alerts held: a fifth of a fleet of 93,000 pressing at once.  When full the least urgent one is let go (it is
 * still in the store and comes back with its next change); pages are told how many open alerts they do not see. */
#define BOARD_ALERTS_MAX  20000
/* Supervisors held, as many as a dispatcher's roster (geo/roster.h).  Further ones are not shown on the map. */
#define BOARD_PEOPLE_MAX  20000
/* Notices held: one a zone and some of each dispatcher.  Further ones are not shown. */
#define BOARD_NOTICES_MAX 2000

struct alert_item {
        uint8_t id[ALERT_ID_SIZE];
        uint32_t version;
        double urgency;
        bool open, unverified;
        char *people; /* as view_people_of_alert */
        struct outbound *text;
};

struct notice_item {
        char key[NAME_MAX_OCTETS + 1];
        bool over;
        struct notice notice;
        struct outbound *text;
};

struct board;

/* board_new: an empty board.  SEED is random.  Returns 0 or -ENOMEM. */
int board_new(uint64_t seed, struct board **ret_board);
void board_free(struct board *board);

/* board_clear: forget alerts, notices and who is on duty, before loading them anew.  Presence stays: it has another
 * store. */
void board_clear(struct board *board);

/* board_alert: a record from the store or the feed.
 *   change    what made it; empty when it was loaded
 *   ret_item  where 1 is returned; good until the next call of board_alert or board_clear.  A closed one is out of the
 *             board already
 * Returns 1 (newer than what we had), 0 (not newer), -EBADMSG or -EPROTONOSUPPORT (record_decode), -ENOMEM, -ENOBUFS
 * (full, and this one is the least urgent). */
int board_alert(struct board *board, const uint8_t *data, size_t size, const struct change *change,
                const struct alert_item **ret_item);

/* board_notice: a notice; SIZE 0 = it is over.
 * Returns 1 with ret_item as above, 0 (over, and not known), -EBADMSG, -EPROTONOSUPPORT, -EINVAL (key), -ENOMEM,
 * -ENOBUFS. */
int board_notice(struct board *board, const char *key, const uint8_t *data, size_t size,
                 const struct notice_item **ret_item);

/* board_supervisor, board_duty, board_presence: an entry of {r}:supervisors, of {r}:duty:supervisors (SIZE 0 = off), of
 * {r}:roster.
 *   ret_person  on 0; the board's own, good until board_free
 * Return 0, -EBADMSG, -EPROTONOSUPPORT, -EINVAL (id), -ENOMEM, -ENOBUFS. */
int board_supervisor(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person);
int board_duty(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person);
int board_presence(struct board *board, const char *id, const uint8_t *data, size_t size, struct person **ret_person);

/* board_person: the person called ID, or NULL.  board_next_person: walk over all; begin with *PLACE 0; NULL at the
 * end. */
struct person *board_person(const struct board *board, const char *id);
struct person *board_next_person(const struct board *board, size_t *place);

/* board_most_urgent: the open alerts that VIEWER may see, most urgent first.
 *   items     room for MAX
 *   ret_rest  how many more there are, less urgent
 * Returns how many were written. */
size_t board_most_urgent(const struct board *board, const struct viewer *viewer, const struct alert_item **items,
                         size_t max, size_t *ret_rest);

/* board_next_notice: walk over all notices; begin with *PLACE 0; NULL at the end. */
const struct notice_item *board_next_notice(const struct board *board, size_t *place);

/* board_open_count: open alerts held.  board_counts: supervisors on duty, and those of them heard of within
 * PRESENCE_LEASE_MS before NOW (the store's clock), written into COUNTS. */
size_t board_open_count(const struct board *board);
void board_counts(const struct board *board, int64_t now_ms, struct counts *counts);

#endif
