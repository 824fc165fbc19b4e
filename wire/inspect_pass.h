/* What wire/inspect.h says of passes and what goes with them.  Pure. */
#ifndef WIRE_INSPECT_PASS_H
#define WIRE_INSPECT_PASS_H
#include "wire/inspect.h"

/* inspect_pass: write the fields of IN by name where it has the shape of a signed pass, mandate, hello, proof, status
 * list or entry of a door's log, or of a presentation.  Returns whether it has. */
bool inspect_pass(struct cbor_span in, struct inspect_text *out);
#endif
