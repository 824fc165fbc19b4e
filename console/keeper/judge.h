/* The keeper's rules: whether a request is allowed, before any key is used.  Pure. */
#ifndef KEEPER_JUDGE_H
#define KEEPER_JUDGE_H
#include "console/keeper/keeper.h"

/* judge: what REQUEST of PEER is answered, evidence for an opened position aside (keeper.c looks at that).
 * Returns enum keeper_code; KEEPER_DONE: allowed. */
enum keeper_code judge(const struct keeper_limits *limits, const struct ledger *ledger, enum keeper_peer peer,
                       const struct keeper_request *request, uint32_t now_s);
#endif
