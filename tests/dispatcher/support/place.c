#include "tests/dispatcher/support/place.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#define MUST(x)                                                                 \
        do {                                                                    \
                if (!(x)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
                        abort();                                                \
                }                                                               \
        } while (0)

void place_open(struct place *place)
{
        memset(place, 0, sizeof(*place));
        snprintf(place->dir, sizeof(place->dir), "%.40s/vigie-test-XXXXXX",
                 getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
        MUST(mkdtemp(place->dir) != NULL);
}

const char *place_path(const struct place *place, const char *name)
{
        static char ring[8][160];
        static unsigned next;
        char *to = ring[next++ % 8];

        snprintf(to, sizeof(ring[0]), "%s/%s", place->dir, name);
        return to;
}

void place_redis_stop(struct place *place)
{
        if (place->redis == 0)
                return;
        kill(place->redis, SIGKILL);
        waitpid(place->redis, NULL, 0);
        place->redis = 0;
}

void place_close(struct place *place)
{
        char command[128];

        place_redis_stop(place);
        snprintf(command, sizeof(command), "rm -rf '%s'", place->dir);
        MUST(system(command) == 0);
}

static bool answers(const char *socket)
{
        redisContext *c = redisConnectUnix(socket);
        redisReply *reply = c != NULL && c->err == 0 ? redisCommand(c, "PING") : NULL;
        bool good = reply != NULL && reply->type == REDIS_REPLY_STATUS;

        freeReplyObject(reply);
        if (c != NULL)
                redisFree(c);
        return good;
}

void place_redis(struct place *place, const char *name)
{
        char file[64];
        const char *socket;

        snprintf(file, sizeof(file), "%s.sock", name);
        socket = place_path(place, file);
        place->redis = fork();
        MUST(place->redis >= 0);
        if (place->redis == 0) {
                int null = open("/dev/null", O_WRONLY);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(null, 1);
                execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--dir", place->dir,
                       "--save", "", "--appendonly", "yes", "--appendfsync", "always", (char *)NULL);
                _exit(127);
        }
        for (int i = 0; !answers(socket); i++) {
                MUST(i < 500 && waitpid(place->redis, NULL, WNOHANG) == 0);
                usleep(20000);
        }
}

void place_write(const struct place *place, const char *name, const void *data, size_t len)
{
        FILE *f = fopen(place_path(place, name), "w");

        MUST(f != NULL && fwrite(data, 1, len, f) == len && fclose(f) == 0);
}

static FILE *open_file(const struct place *place, const char *name, const char *end, const char *mode)
{
        char file[64];
        FILE *f;

        snprintf(file, sizeof(file), "%s.%s", name, end);
        f = fopen(place_path(place, file), mode);
        MUST(f != NULL);
        return f;
}

static void save(const struct place *place, const char *name, X509 *certificate, EVP_PKEY *key)
{
        FILE *f = open_file(place, name, "pem", "w");

        MUST(PEM_write_X509(f, certificate) == 1 && fclose(f) == 0);
        f = open_file(place, name, "key", "w");
        MUST(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
}

static X509 *make(EVP_PKEY *key, const struct place_subject *subject)
{
        X509 *x = X509_new();
        X509_NAME *name = X509_get_subject_name(x);

        ASN1_INTEGER_set(X509_get_serialNumber(x), (long)(random() % 1000000 + 1));
        X509_set_version(x, 2);
        X509_gmtime_adj(X509_getm_notBefore(x), (long)subject->days_from * 86400);
        X509_gmtime_adj(X509_getm_notAfter(x), (long)subject->days_to * 86400);
        MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject->cn, -1, -1, 0) == 1);
        if (subject->serial != NULL)
                MUST(X509_NAME_add_entry_by_NID(name, NID_serialNumber, MBSTRING_ASC,
                                                (const unsigned char *)subject->serial, -1, -1, 0) == 1);
        if (subject->uri != NULL) {
                char text[128];
                X509_EXTENSION *extension;

                snprintf(text, sizeof(text), "URI:%s", subject->uri);
                extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
                MUST(extension != NULL && X509_add_ext(x, extension, -1) == 1);
                X509_EXTENSION_free(extension);
        }
        MUST(X509_set_pubkey(x, key) == 1);
        return x;
}

void place_authority(const struct place *place, const char *name)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *x = make(key, &(struct place_subject){ .cn = name, .days_from = -1000, .days_to = 1000 });
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

        MUST(ca != NULL && X509_add_ext(x, ca, -1) == 1);
        X509_EXTENSION_free(ca);
        X509_set_issuer_name(x, X509_get_subject_name(x));
        MUST(X509_sign(x, key, EVP_sha256()) > 0);
        save(place, name, x, key);
        X509_free(x);
        EVP_PKEY_free(key);
}

void place_certificate(const struct place *place, const char *authority, const char *name,
                       const struct place_subject *subject)
{
        EVP_PKEY *key = EVP_EC_gen("P-256"), *authority_key;
        X509 *x = make(key, subject), *issuer;
        FILE *f = open_file(place, authority, "pem", "r");

        issuer = PEM_read_X509(f, NULL, NULL, NULL);
        fclose(f);
        f = open_file(place, authority, "key", "r");
        authority_key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
        fclose(f);
        MUST(issuer != NULL && authority_key != NULL);
        X509_set_issuer_name(x, X509_get_subject_name(issuer));
        MUST(X509_sign(x, authority_key, EVP_sha256()) > 0);
        save(place, name, x, key);
        X509_free(x);
        X509_free(issuer);
        EVP_PKEY_free(key);
        EVP_PKEY_free(authority_key);
}
