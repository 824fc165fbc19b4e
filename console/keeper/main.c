#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/pem.h>

#include "base/log.h"
#include "base/ready.h"
#include "console/keeper/config.h"
#include "console/keeper/sandbox.h"
#include "console/keeper/serve.h"

/* All that the keeper holds. */
struct holder {
        struct config config;
        struct key *pass, *status, *order, *position;
        X509 *handset_ca;
        struct keeper *keeper;
        struct audit audit;
        struct serve serve;
};

static int say(const char *what, int r)
{
        if (r < 0)
                log_error(NULL, "%s: %s", what, strerror(-r));
        return r;
}

static int ca_read(const char *path, X509 **ret_ca)
{
        FILE *file = fopen(path, "re");

        if (file == NULL)
                return -errno;
        *ret_ca = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
        return *ret_ca != NULL ? 0 : -EINVAL;
}

static int user_read(const char *name, uid_t *ret_uid)
{
        const struct passwd *user = name[0] != '\0' ? getpwnam(name) : NULL;

        *ret_uid = user != NULL ? user->pw_uid : (uid_t)-1;
        return user != NULL || name[0] == '\0' ? 0 : -ENOENT;
}

static int draw(void *user, void *to, size_t size)
{
        return getrandom(to, size, 0) == (ssize_t)size ? 0 : -EIO;
}

static int key_read(const char *path, struct key **ret_key)
{
        int r = key_from_file(path, ret_key);

        if (r < 0)
                log_error(NULL, "%s: %s", path, key_trouble(r));
        return r;
}

static int keys_read(struct holder *h)
{
        const struct config *c = &h->config;
        int r;

        if ((r = key_read(c->pass_key, &h->pass)) < 0 || (r = key_read(c->status_key, &h->status)) < 0 ||
            (r = key_read(c->order_key, &h->order)) < 0 || (r = key_read(c->position_key, &h->position)) < 0)
                return r;
        return say(c->handset_ca, ca_read(c->handset_ca, &h->handset_ca));
}

static int keeper_open(struct holder *h)
{
        struct keeper_options options = { .region = h->config.region,
                                          .start = serve_time(),
                                          .pass = h->pass,
                                          .status = h->status,
                                          .order = h->order,
                                          .position = h->position,
                                          .handset_ca = h->handset_ca,
                                          .limits = h->config.limits,
                                          .write = audit_write,
                                          .random = draw,
                                          .user = &h->audit };
        int r = say("a key is of another kind than its use asks, or not private", keeper_new(&options, &h->keeper));

        return r < 0 ? r
                     : say(h->config.audit_path,
                           audit_open(&h->audit, h->config.audit_path, (uint64_t)h->config.audit_mib << 20, h->keeper));
}

static int serve_start(struct holder *h)
{
        int r;

        h->serve.keeper = h->keeper;
        h->serve.audit = &h->audit;
        if ((r = say(h->config.console_user, user_read(h->config.console_user, &h->serve.console))) < 0 ||
            (r = say(h->config.dispatcher_user, user_read(h->config.dispatcher_user, &h->serve.dispatcher))) < 0)
                return r;
        return say(h->config.socket_path, serve_open(&h->serve, h->config.socket_path));
}

static void holder_close(struct holder *h)
{
        serve_close(&h->serve);
        audit_close(&h->audit);
        keeper_free(h->keeper);
        X509_free(h->handset_ca);
        key_free(h->position);
        key_free(h->order);
        key_free(h->status);
        key_free(h->pass);
}

int main(int argc, char **argv)
{
        struct holder *h = calloc(1, sizeof(*h));
        enum log_level level = LOG_LEVEL_INFO;
        bool stop;
        int r, ready_fd;

        if (h == NULL)
                return 1;
        h->serve.listener = -1;
        r = config_read(argc, argv, &h->config, &ready_fd, &stop);
        if (r < 0 || stop) {
                free(h);
                return r < 0 ? 2 : 0;
        }
        (void)log_level_from_name(h->config.log_level, &level); /* the configuration's check has seen it */
        log_open("vigie-keeper", level);
        if ((r = keys_read(h)) == 0 &&   /* the region's private keys */
            (r = keeper_open(h)) == 0 && /* what was done before */
            (r = serve_start(h)) == 0 && /* where it is asked */
            (r = h->config.sandbox ? say("sandbox", sandbox_enter()) : 0) == 0 &&
            (r = say("--ready-fd", ready_tell(ready_fd, 0))) == 0)
                r = say("socket", serve_run(&h->serve));
        holder_close(h);
        free(h);
        return r < 0 ? 1 : 0;
}
