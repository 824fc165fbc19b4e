/* qr: a text as the modules of a QR code, by libqrencode. */
#ifndef DEVICE_HANDSET_HOST_QR_H
#define DEVICE_HANDSET_HOST_QR_H
#include <jansson.h>

/* qr_rows: TEXT as rows of '1' (dark) and '0', without the quiet zone, error correction L: a screen has no dirt, and fewer
 * modules are read from further away.  Text of the 45 characters of base45 takes 5.5 bits each.
 * Returns a new array of strings; NULL where the text is too long for a code, or memory is short. */
json_t *qr_rows(const char *text);
#endif
