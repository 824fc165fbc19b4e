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

unsigned cms_from_cme(unsigned code)
{
        static const unsigned pairs[][2] = {
                { 10, CMS_NO_SIM }, { 11, CMS_SIM_PIN }, { 12, CMS_SIM_PUK },    { 13, 313 }, { 14, 314 },
                { 15, 315 },        { 20, 322 },         { 30, CMS_NO_NETWORK }, { 31, 332 }
        };

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
                if (code == pairs[i][0])
                        return pairs[i][1];
        return CMS_UNKNOWN;
}
