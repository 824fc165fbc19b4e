/* region: the folder that `vigie init` makes and every other command works in, and the region's Redis.
 *
 *   vigie.conf            this tool's configuration
 *   root.key  root.pem    the offline root (Ed25519): take root.key off the machine after init
 *   ca.key    ca.pem      certificate authority for TLS (P-256)
 *   receipt.key receipt.pem                               with their kid in trust.cose, as are
 *   keeper/{pass,status,order,position}.key  NAME.pem     the keeper's alone
 *   door.key door.pem                                     signs the mandates of doors: this tool's
 *   server.key server.pem tickets.key                     the servers' TLS
 *   dispatcher.conf console.conf keeper.conf redis/                  configuration of the daemons
 *   archive.key archive.pem                               what the archive's checkpoints are signed with
 *   kannel.conf                                           where the region has SMS: the gateway's
 *   zones.geojson barriers.geojson handsets/              one folder an enrolled handset */
#ifndef OPS_VIGIE_REGION_H
#define OPS_VIGIE_REGION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/record.h"

struct redisContext;
struct redisReply;

/* Files of a region that several commands know. */
#define REGION_ZONES    "zones.geojson"
#define REGION_BARRIERS "barriers.geojson"
#define REGION_TRUST    "trust.cose"
#define REGION_KEEPER   "keeper" /* folder: the keeper's private keys */

/* Octets of a file's name with its NUL; longer ones are refused. */
#define REGION_PATH_MAX 512
#define REGION_NAME_MAX 32

/* Octets of a Redis's address; longer ones are refused: a line of a configuration (CONF_LINE_MAX) holds no more. */
#define REGION_ADDRESS_MAX 187

struct region_config {
        char name[REGION_NAME_MAX + 1];
        char alerts[REGION_ADDRESS_MAX + 1], positions[REGION_ADDRESS_MAX + 1]; /* as base/redis_address.h reads it */
        char user[33], password[129];                                           /* ACL user of this tool, both Redis */
        char archive[REGION_PATH_MAX];                /* the archive's folder; "": DIR/archive */
        char archive_user[33], archive_password[129]; /* its ACL user */
        int64_t keep_ms;                              /* how long the feed keeps what is archived */
        int64_t positions_ms, alerts_ms, proof_ms;    /* terms of the archive's parts, vigie retain */
        int64_t alert_port;                           /* of the servers, 0: none */
        char sms_number[NUMBER_MAX + 1];              /* where handsets send SMS to; "" = none */
};

struct region {
        char dir[REGION_PATH_MAX];
        struct region_config config;
        struct redisContext *alerts, *positions; /* NULL until asked for */
};

/* region_open: read DIR/vigie.conf.  Returns 0, or a negative errno after telling on stderr. */
int region_open(const char *dir, struct region *ret_region);

/* region_disconnect: end the connections; the next question connects anew. */
void region_disconnect(struct region *region);

/* region_close: end the connections and forget the password; a zeroed region is fine. */
void region_close(struct region *region);

/* region_path: DIR/NAME into TO of REGION_PATH_MAX octets.  Returns 0, -ENAMETOOLONG (told on stderr). */
int region_path(const struct region *region, const char *name, char *to);

/* region_real: the absolute form of PATH, which exists, into TO of REGION_PATH_MAX octets.  Returns 0, or a negative
 * errno after telling on stderr. */
int region_real(const char *path, char *to);

/* region_write: write a file of the region durably with MODE.  Errors are told on stderr. */
int region_write(const struct region *region, const char *name, const char *text, size_t len, mode_t mode);

/* region_alerts, region_positions: the connected context, connecting at the first call.
 * Returns 0, -ENOTCONN or -EACCES after telling on stderr. */
int region_alerts(struct region *region, struct redisContext **ret_redis);
int region_positions(struct region *region, struct redisContext **ret_redis);

/* region_key: "{NAME}:WHAT" into TO of 96 octets. */
void region_key(const struct region *region, const char *what, char to[96]);

/* region_ask: one command in the words of redisCommand().  *RET_REPLY is freed by freeReplyObject().
 * Returns 0; -EIO after telling on stderr (no answer within some seconds, or an error). */
int region_ask(struct redisContext *redis, struct redisReply **ret_reply, const char *format, ...);

/* region_people_set: write FIELD of the people hash HASH ("carriers") and tell the daemons by {r}:people:changes, in
 * one transaction.  DATA NULL removes the field.
 * Returns 0; -ENOENT (there was nothing to remove); -EIO (told on stderr: after a lost connection it may be written or
 * not); what connecting gave. */
struct region_entry {
        const char *hash, *field;
        const uint8_t *data;
        size_t size;
};
int region_people_set(struct region *region, const struct region_entry *entry);

/* region_people_put: write COUNT entries, those of one hash together, in one transaction, and tell the daemons: an entry of
 * {r}:people:changes each; where they are more than REGION_CHANGES_EACH, one for each hash with the field "*", which has it loaded
 * anew.  Returns as region_people_set. */
#define REGION_CHANGES_EACH 32
int region_people_put(struct region *region, const struct region_entry *entries, size_t count);

/* region_people_get: read one field.  Returns its length (at most SIZE), -ENOENT, -EMSGSIZE, as region_people_set. */
int region_people_get(struct region *region, const char *hash, const char *field, uint8_t *to, size_t size);

/* region_people_each: all fields of HASH in their order (strcmp).  Returns 0, or as region_people_set. */
typedef void region_person_fn(void *user, const char *field, const uint8_t *data, size_t size);
int region_people_each(struct region *region, const char *hash, region_person_fn *each, void *user);

#endif
