/* vigie-dispatcher: takes handsets' alerts, keeps them, and rings who can help. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/listener.h"
#include "base/log.h"
#include "base/loop.h"
#include "dispatcher/config.h"
#include "dispatcher/files.h"
#include "dispatcher/run.h"
#include "dispatcher/tls.h"

/* Files besides handsets' connections: the SMS gateway's (SMS_DOOR_CONNECTIONS_MAX), Redis, journal, log, libraries. */
#define OTHER_FILES 740

struct dispatcher {
        struct config config;
        struct config_start start;
        struct files files;
        struct loop *loop;
        struct run *run;
};

static int read_files(struct dispatcher *d)
{
        struct files_error error;
        int r = files_read(&d->config, &d->files, &error);

        if (r < 0)
                log_error("file", "%s", error.text);
        else if (!files_receipt_listed(&d->files, (uint32_t)time(NULL)))
                log_error("file",
                          "%s: the trust list does not name this key now: handsets will not believe its receipts",
                          d->config.receipt_key);
        else
                log_info("file", "%zu zones, trust list %u", zones_count(d->files.zones), d->files.trust_number);
        return r;
}

/* check: what -n looks at beside the configuration: every file, and that they go together. */
static int check(struct dispatcher *d)
{
        const struct config *c = &d->config;
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        const char *why = "no memory";
        int r = ctx == NULL ? -ENOMEM
                            : tls_setup(ctx,
                                        &(struct tls_files){ c->tls_certificate, c->tls_key, c->tls_client_ca,
                                                             c->tls_ticket_key },
                                        &why);

        SSL_CTX_free(ctx);
        if (r < 0)
                log_error("file", "%s: %s", why, strerror(-r));
        else if (!files_receipt_listed(&d->files, (uint32_t)time(NULL)))
                r = -ENOKEY;
        return r;
}

static int raise_files(const struct config *config)
{
        uint64_t max;
        int r = listener_raise_files((uint64_t)config->limit_connections + OTHER_FILES, &max);

        if (r == -EMFILE)
                log_error("limits.connections", "%lld, but only %llu files may be open",
                          (long long)config->limit_connections, (unsigned long long)max);
        return r;
}

static void open_log(const struct config *config)
{
        enum log_level level = LOG_LEVEL_INFO;

        log_level_from_name(config->log_level, &level); /* the configuration's check has seen it */
        log_open("vigie-dispatcher", level);
}

/* serve: come up, serve until the end, go down in the order that libwebsockets needs. */
static int serve(struct dispatcher *d)
{
        int r;

        if ((r = raise_files(&d->config)) < 0 || /* open files */
            (r = loop_open(&d->loop)) < 0 ||     /* signals, timers */
            (r = run_open(&(struct run_options){ d->loop, &d->config, &d->files, d->start.ready_fd }, &d->run)) < 0 ||
            (r = loop_run(d->loop)) < 0 || (r = run_result(d->run)) < 0)
                log_error(NULL, "ends: %s", strerror(-r));
        run_close(d->run);
        loop_close(d->loop);
        run_free(d->run);
        return r;
}

int main(int argc, char **argv)
{
        struct dispatcher d = { 0 };
        int r, status = EX_OK;

        if (config_read(argc, argv, &d.config, &d.start) < 0)
                return 2;
        if (d.start.stop && !d.start.check)
                return EX_OK;
        open_log(&d.config);
        r = read_files(&d); /* zones, barriers, receipt key, trust list */
        if (d.start.check)
                status = r < 0 || check(&d) < 0 ? 2 : EX_OK;
        else if (r < 0 || serve(&d) < 0)
                status = EX_UNAVAILABLE;
        files_free(&d.files);
        return status;
}
