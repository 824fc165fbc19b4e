/* inspect_key: the key of a file as others publish them. */
#ifndef OPS_VIGIE_INSPECT_KEY_H
#define OPS_VIGIE_INSPECT_KEY_H
#include "wire/key.h"

/* inspect_key: a public key, private key or certificate: PEM, or DER, or DER in base64, as test data of certificates have it.
 * The caller frees it.  Returns 0, what key_from_file() does. */
int inspect_key(const char *path, struct key **ret_key);

#endif
