/* setup: what `vigie init` writes beside keys: the configuration files of the daemons and of this tool, the ACL of
 * Redis. */
#ifndef OPS_VIGIE_SETUP_H
#define OPS_VIGIE_SETUP_H

#include "ops/vigie/conf_text.h"
#include "ops/vigie/pki.h"
#include "ops/vigie/region.h"

/* A drawn password: 128 bits in hex, and its NUL. */
#define SETUP_PASSWORD_SIZE 33

/* A system user's name, at most 32 octets as useradd has it, and its NUL. */
#define SETUP_USER_SIZE 33

/* What a region is made of; texts are borrowed and checked. */
struct setup {
        char dir[REGION_PATH_MAX]; /* of the region, absolute */
        const char *region, *alerts, *positions;
        const char *names[PKI_NAMES_MAX]; /* of the servers */
        size_t name_count;
        long handset_port, alert_port, console_port;
        char dispatcher[SETUP_PASSWORD_SIZE], console[SETUP_PASSWORD_SIZE], tool[SETUP_PASSWORD_SIZE];
        char archive[SETUP_PASSWORD_SIZE];
        char replica[SETUP_PASSWORD_SIZE], sentinel[SETUP_PASSWORD_SIZE]; /* of the alerts' Redis among themselves */
        const char *sms_number, *control_number;                          /* "" = none */
        long sms_port, gateway_port; /* the dispatchers' SMS door; the first of Kannel's three */
        const char *keeper;          /* socket of vigie-keeper */
        char peer[SETUP_USER_SIZE],
                dispatcher_peer[SETUP_USER_SIZE]; /* system users of console and dispatchers; "" = the same */
        const char *archive_dir;                  /* "" = archive/ in the region's folder */
        char door[SETUP_PASSWORD_SIZE], sendsms[SETUP_PASSWORD_SIZE], admin[SETUP_PASSWORD_SIZE];
};

/* setup_dispatcher, setup_console, setup_keeper, setup_tool, setup_acl, setup_kannel: the text of dispatcher.conf, console.conf,
 * keeper.conf, vigie.conf, redis/users.acl, and kannel.conf.  Return 0, -EINVAL (a value does not fit a line: told on stderr),
 * -ENOBUFS.  The caller wipes the text. */
int setup_dispatcher(const struct setup *setup, struct conf_text *text);
int setup_console(const struct setup *setup, struct conf_text *text);
int setup_keeper(const struct setup *setup, struct conf_text *text);
int setup_tool(const struct setup *setup, struct conf_text *text);
int setup_acl(const struct setup *setup, struct conf_text *text);
int setup_kannel(const struct setup *setup, struct conf_text *text);

/* setup_sms: what dispatcher.conf says of SMS; nothing where there is none. */
void setup_sms(const struct setup *setup, struct conf_text *text);

#endif
