/* button: a key without looking (volume key, Bluetooth button), through libevdev.  A device that is not there, or
 * goes, is looked for again: a Bluetooth button comes when it is pressed. */
#ifndef DEVICE_HANDSET_HOST_BUTTON_H
#define DEVICE_HANDSET_HOST_BUTTON_H

struct loop;
struct button;

/* Looked for so often. */
#define BUTTON_RETRY_MS 2000

struct button_options {
        struct loop *loop;
        const char *device; /* "/dev/input/event3", borrowed */
        unsigned code;      /* of linux/input-event-codes.h */
        void *user;
        void (*down)(void *user); /* the key went down; repeats do not count */
};

/* button_start: begin to look for the device.  Returns 0, -ENOMEM. */
int button_start(const struct button_options *options, struct button **ret_button);

/* button_stop: end; before the loop is closed.  NULL does nothing. */
void button_stop(struct button *button);

#endif
