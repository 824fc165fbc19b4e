/* `vigie-door verify-log FOLDER KEY.pem`: whether a door's log is whole. */
#ifndef DEVICE_DOOR_VERIFY_LOG_H
#define DEVICE_DOOR_VERIFY_LOG_H

/* verify_log: every entry of the log in FOLDER against the one before and against the door's key in the file KEY
 * (public is enough); tells on standard output what there is, or what is wrong.
 * Returns an exit status: 0 whole, 1 altered, cut or put in another order, 3 could not look. */
int verify_log(const char *folder, const char *key);
#endif
