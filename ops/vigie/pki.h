/* pki: the region's certificate authority for TLS: handsets' client certificates and the servers' own.  P-256
 * throughout; one certificate chains (STACK: parsing one costs 125 us), names as the dispatcher reads them:
 *   handset   subject serialNumber=<enrolment, 16 hex>, CN=<handset id, 16 hex>
 *   server    subject CN=<first name, or "vigie" if it is too long>, subjectAltName of every name and address
 * Source: RFC 5280; OpenSSL X509 manual. */
#ifndef OPS_VIGIE_PKI_H
#define OPS_VIGIE_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/key.h"

/* PEM text of one certificate with its NUL; ours are 700 octets. */
#define PKI_CERTIFICATE_MAX 4096
/* Names and addresses in one server certificate; more: -E2BIG. */
#define PKI_NAMES_MAX       16
/* Octets of one such name: DNS allows no more.  A longer one is not valid. */
#define PKI_NAME_MAX        253

struct pki_ca; /* a CA certificate and its private key */

/* pki_ca_create: make a CA named "Vigie REGION" with a fresh key, valid YEARS years from now.  The caller frees it.
 * Returns 0, -ENOMEM, -EIO (libcrypto). */
int pki_ca_create(const char *region, int years, struct pki_ca **ret_ca);

/* pki_ca_read: read a CA from its two PEM files.  Returns 0, -EINVAL (no certificate, or key and certificate are no
 * pair), what reading gave. */
int pki_ca_read(const char *certificate_path, const char *key_path, struct pki_ca **ret_ca);

/* pki_ca_free: end it; NULL does nothing. */
void pki_ca_free(struct pki_ca *ca);

/* pki_der: the certificate of PEM text as DER, into TO of PKI_CERTIFICATE_MAX octets.  Returns the length, -EINVAL (none), -ENOBUFS. */
int pki_der(const char *pem, uint8_t *to);

/* pki_ca_pem: the CA's certificate as PEM text.  Returns 0, -ENOBUFS.  pki_ca_key: its key, borrowed. */
int pki_ca_pem(const struct pki_ca *ca, char *to, size_t size);
const struct key *pki_ca_key(const struct pki_ca *ca);

/* pki_handset: a client certificate for the public key of KEY.
 *   handset, enrolment   16 hex digits each
 *   not_before_s, not_after_s  UTC s; anything: tests make expired ones
 * Returns 0, -ENOBUFS, -EIO. */
struct pki_handset {
        const char *handset, *enrolment;
        int64_t not_before_s, not_after_s;
};
int pki_handset(const struct pki_ca *ca, const struct pki_handset *who, const struct key *key, char *to, size_t size);

/* pki_name_is_valid: say whether NAME is an IP literal, or 1 to PKI_NAME_MAX lower-case letters, digits, '.', '-'. */
bool pki_name_is_valid(const char *name);

/* pki_server: a server certificate for KEY, with every name (DNS or IP literal) in NAMES, valid YEARS years.
 * Returns 0, -EINVAL (no name, or one is not valid), -E2BIG, -ENOBUFS, -EIO. */
struct pki_server {
        const char *const *names;
        size_t count;
        int years;
};
int pki_server(const struct pki_ca *ca, const struct pki_server *who, const struct key *key, char *to, size_t size);

/* pki_ends: when the first certificate of a PEM file ends, UTC s.  Returns 0, -EINVAL (no certificate), what reading
 * gave. */
int pki_ends(const char *path, int64_t *ret_at_s);

#endif
