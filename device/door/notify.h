/* Telling systemd that the door is ready and that it is alive.  Source: sd_notify(3), the protocol. */
#ifndef DEVICE_DOOR_NOTIFY_H
#define DEVICE_DOOR_NOTIFY_H

/* notify: send TEXT to the socket that $NOTIFY_SOCKET names; none, or an error: does nothing. */
void notify(const char *text);
#endif
