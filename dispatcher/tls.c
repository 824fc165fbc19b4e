#include "dispatcher/tls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"

/* A CA file of more octets is none. */
#define CA_FILE_MAX (1 << 20)

/* verify_any: verify the chain, keep the result for the verdict, and let the connection on whatever it is.  Dates
 * are left out: they are looked at on every connection, and this runs on those that are not resumed only. */
static int verify_any(X509_STORE_CTX *store, void *unused)
{
        X509_STORE_CTX_set_flags(store, X509_V_FLAG_NO_CHECK_TIME);
        if (X509_verify_cert(store) != 1 && X509_STORE_CTX_get_error(store) == X509_V_OK)
                X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
        return 1;
}

static int set_ticket_key(SSL_CTX *ctx, const char *path)
{
        char *key = NULL;
        size_t len = 0;
        int r = file_read(path, TLS_TICKET_KEY_SIZE, &key, &len);

        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        r = len == TLS_TICKET_KEY_SIZE && SSL_CTX_set_tlsext_ticket_keys(ctx, key, TLS_TICKET_KEY_SIZE) == 1 ? 0
                                                                                                             : -EBADMSG;
        OPENSSL_cleanse(key, len);
        free(key);
        return r;
}

/* set_session_context: tickets name the service and the authorities that they are for: another TLS server with these keys does not resume
 * them, and nobody is believed by a ticket from when an authority, which the file PATH has no more, still was. */
static int set_session_context(SSL_CTX *ctx, const char *path)
{
        static const char service[] = "vigie";
        uint8_t digest[EVP_MAX_MD_SIZE];
        char *file = NULL;
        size_t len = 0;
        EVP_MD_CTX *sha = EVP_MD_CTX_new();
        int r = file_read(path, CA_FILE_MAX, &file, &len);

        if (r == 0 && (sha == NULL || EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1 ||
                       EVP_DigestUpdate(sha, service, sizeof(service)) != 1 || EVP_DigestUpdate(sha, file, len) != 1 ||
                       EVP_DigestFinal_ex(sha, digest, NULL) != 1 ||
                       SSL_CTX_set_session_id_context(ctx, digest, SSL_MAX_SID_CTX_LENGTH) != 1))
                r = -ENOMEM;
        EVP_MD_CTX_free(sha);
        free(file);
        return r;
}

/* set_authorities: those of the file PATH, and no others any more. */
static int set_authorities(SSL_CTX *ctx, const char *path)
{
        STACK_OF(X509_NAME) *issuers = SSL_load_client_CA_file(path);
        X509_STORE *store = X509_STORE_new();

        if (issuers == NULL || store == NULL || X509_STORE_load_file(store, path) != 1) {
                sk_X509_NAME_pop_free(issuers, X509_NAME_free);
                X509_STORE_free(store);
                return -EBADMSG;
        }
        SSL_CTX_set_client_CA_list(ctx, issuers); /* takes it, and the next the store */
        SSL_CTX_set_cert_store(ctx, store);
        return set_session_context(ctx, path);
}

int tls_setup(SSL_CTX *ctx, const struct tls_files *files, const char **ret_why)
{
        int r;

        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets alone: no memory per handset */
        SSL_CTX_set_num_tickets(ctx, 1);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_cert_verify_callback(ctx, verify_any, NULL);

        *ret_why = files->certificate;
        if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
                return -EBADMSG;
        *ret_why = files->key;
        if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
                return -EBADMSG;
        *ret_why = files->client_ca;
        r = set_authorities(ctx, files->client_ca);
        if (r < 0)
                return r;
        *ret_why = files->ticket_key;
        r = set_ticket_key(ctx, files->ticket_key);
        if (r == 0)
                *ret_why = NULL;
        return r;
}

/* read_hex_tail: read the last 16 characters of TEXT as 8 octets. */
static bool read_hex_tail(const char *text, size_t len, uint8_t octets[8])
{
        char tail[17] = "";

        if (len < 16 || memchr(text, '\0', len) != NULL)
                return false;
        memcpy(tail, text + len - 16, 16);
        return hex_decode(tail, octets, 8) == 0;
}

static bool read_subject(const X509 *certificate, int nid, uint8_t octets[8])
{
        char text[64]; /* a longer attribute is cut, and is no id of ours */
        int len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), nid, text, sizeof(text));

        return len == 16 && read_hex_tail(text, 16, octets);
}

static bool read_uri(const X509 *certificate, uint8_t octets[8])
{
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        bool found = false;

        for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_URI)
                        found = read_hex_tail((const char *)ASN1_STRING_get0_data(name->d.ia5),
                                              (size_t)ASN1_STRING_length(name->d.ia5), octets);
        }
        GENERAL_NAMES_free(names);
        return found;
}

static enum tls_verdict judge(const SSL *ssl, const X509 *certificate, int64_t now_s)
{
        time_t now = (time_t)now_s;

        if (SSL_get_verify_result(ssl) != X509_V_OK)
                return TLS_FOREIGN;
        if (X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0) /* 0: not a time that can be read */
                return TLS_NOT_YET_VALID;
        return X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0 ? TLS_EXPIRED : TLS_TRUSTED;
}

int tls_peer_read(const SSL *ssl, int64_t now_s, struct tls_peer *ret_peer)
{
        struct tls_peer peer = { 0 };
        uint8_t digest[EVP_MAX_MD_SIZE];
        X509 *certificate = SSL_get1_peer_certificate(ssl);

        if (certificate == NULL)
                return -ENOENT;
        if (X509_digest(certificate, EVP_sha256(), digest, NULL) != 1) {
                X509_free(certificate);
                return -EIO;
        }
        memcpy(peer.fingerprint, digest, sizeof(peer.fingerprint));
        peer.verdict = judge(ssl, certificate, now_s);
        peer.has_handset = read_subject(certificate, NID_commonName, peer.handset.octets);
        peer.has_enrolment =
                read_subject(certificate, NID_serialNumber, peer.enrolment) || read_uri(certificate, peer.enrolment);
        X509_free(certificate);
        *ret_peer = peer;
        return 0;
}

/* OpenSSL has no way to let go of a session's certificate, but a certificate may be written to: so it gets a key, names and
 * extensions that take no room. */
void tls_peer_forget(const SSL *ssl)
{
        static const uint8_t nothing[32] = { 0 };
        X509 *certificate = SSL_get0_peer_certificate(ssl);
        EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, nothing, sizeof(nothing));
        X509_NAME *name = X509_NAME_new();
        X509_EXTENSION *extension;

        if (certificate != NULL && key != NULL && name != NULL) {
                X509_set_pubkey(certificate, key);
                X509_set_subject_name(certificate, name);
                X509_set_issuer_name(certificate, name);
                while ((extension = X509_delete_ext(certificate, 0)) != NULL)
                        X509_EXTENSION_free(extension);
        }
        X509_NAME_free(name);
        EVP_PKEY_free(key);
}
