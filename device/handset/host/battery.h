/* battery: the phone's charge, from the kernel's power_supply class (Documentation/ABI/testing/sysfs-class-power). */
#ifndef DEVICE_HANDSET_HOST_BATTERY_H
#define DEVICE_HANDSET_HOST_BATTERY_H

#include <stdint.h>

/* Looked at so often. */
#define BATTERY_POLL_MS 60000

/* battery_read: percent, or 255 where the machine has no battery of its own: those of what hangs on it (scope Device:
 * a Bluetooth button, a headset) do not count.
 *   folder  "/sys/class/power_supply"; tests have another */
uint8_t battery_read(const char *folder);

#endif
