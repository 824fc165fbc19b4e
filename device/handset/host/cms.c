#include "device/handset/host/cms.h"

#include <stddef.h>

static const struct {
        unsigned first, last;
        const char *name;
} kinds[] = {
        { 0, 0, "no_answer" },   { 1, 1, "number" }, /* unassigned */
        { 8, 10, "refused" },                        /* barred by the operator, call barred */
        { 21, 21, "refused" },                       /* short message transfer rejected */
        { 27, 27, "network" },                       /* destination out of service */
        { 28, 28, "number" },                        /* unidentified subscriber */
        { 29, 30, "refused" },                       /* facility rejected, unknown subscriber */
        { 38, 47, "network" },                       /* out of order, temporary failure, congestion, no resources */
        { 50, 69, "refused" },                       /* facility not subscribed, not implemented */
        { 81, 127, "network" },                      /* protocol errors, interworking */
        { 128, 159, "refused" }, { 160, 255, "network" }, /* the centre */
        { 310, 319, "sim" },     { 320, 329, "modem" },   /* memory */
        { 330, 330, "number" },  { 331, 332, "network" },
};

const char *cms_name(unsigned code)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (code >= kinds[i].first && code <= kinds[i].last)
                        return kinds[i].name;
        return "modem";
}
