#include "device/handset/host/qr.h"

#include <qrencode.h>

#define SIDE_MAX 177 /* modules of version 40 */

json_t *qr_rows(const char *text)
{
        QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
        json_t *rows = code != NULL ? json_array() : NULL;
        char row[SIDE_MAX + 1];

        for (int y = 0; rows != NULL && y < code->width; y++) {
                for (int x = 0; x < code->width; x++)
                        row[x] = (code->data[y * code->width + x] & 1) ? '1' : '0';
                row[code->width] = 0;
                json_array_append_new(rows, json_string(row));
        }
        QRcode_free(code);
        return rows;
}
