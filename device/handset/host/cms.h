/* cms: why a modem did not send, by the number of its +CMS ERROR, as a kind that the page has a sentence for.  Pure. */
#ifndef DEVICE_HANDSET_HOST_CMS_H
#define DEVICE_HANDSET_HOST_CMS_H

/* Numbers of 3GPP TS 27.005 3.2.5 that the modem's own code uses too; below 128 they are the network's (TS 24.011 annex
 * E), 128..255 the centre's (TS 23.040 9.2.3.22). */
#define CMS_NO_SIM     310
#define CMS_SIM_PIN    311
#define CMS_SIM_PUK    316
#define CMS_NO_NETWORK 331
#define CMS_UNKNOWN    500

/* cms_from_cme: the number of +CMS ERROR that says what a +CME ERROR (3GPP TS 27.007 9.2) does: some modems answer a
 * message with it.  CMS_UNKNOWN where there is none. */
unsigned cms_from_cme(unsigned code);

/* cms_name: a stable word: "refused" (no credit, or SMS barred: which of them no network says reliably), "number" (the
 * alert number or the centre's is wrong), "network" (out of order, congested, not there), "sim" (its card), "modem" (all
 * else that the modem itself says), "no_answer" (0: no number came). */
const char *cms_name(unsigned code);

#endif
