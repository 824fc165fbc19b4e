/* shapes: GeoJSON files as they are read for zones and barriers. */
#ifndef OPS_VIGIE_SHAPES_H
#define OPS_VIGIE_SHAPES_H

#include <stddef.h>

/* shapes_read: the text of PATH, at most GEOJSON_TEXT_MAX octets; the caller frees it.
 * Returns 0; -EFBIG, -ENOMEM, or what open and read gave: told on stderr. */
int shapes_read(const char *path, char **ret_text, size_t *ret_len);

#endif
