/* vigie-console: one process, one loop.  The store fills the board and follows the feed, the desk tells the pages, the
 * server speaks to browsers. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/listener.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/ready.h"
#include "base/version.h"
#include "console/board.h"
#include "console/server.h"

/* Pages have so long to hear that they shall come back. */
#define LEAVE_MS    300
/* Files besides connections: Redis, log, libraries; and those that still end while others have taken their places. */
#define OTHER_FILES (64 + LISTENER_BATCH)

struct console {
        struct config config;
        struct config_start start;
        struct loop *loop;
        struct files *files;
        struct outline outline;
        struct board *board;
        struct store *store;
        struct desk *desk;
        struct gate *gate;
        struct pass_desk *passes;
        struct server *server;
        struct metrics *metrics;
        struct metrics_server *metrics_server;
        struct wheel_timer tick, leave;
        int64_t pages, open_alerts, blind;
};

/* ---- the store tells, the desk passes on */

static void on_up(void *user, bool up)
{
        struct console *c = user;

        log_info(NULL, up ? "store up: the board is whole" : "store lost: pages are blind");
        desk_store(c->desk, up);
}

static void on_trouble(void *user, const char *word)
{
        struct console *c = user;

        log_info(NULL, "store: %s", word != NULL ? word : "no trouble");
        desk_trouble(c->desk, word);
}

static void on_alert(void *user, const struct alert_item *item)
{
        desk_alert(((struct console *)user)->desk, item);
}

static void on_notice(void *user, const struct notice_item *item)
{
        desk_notice(((struct console *)user)->desk, item);
}

static void on_person(void *user, struct person *person)
{
        desk_person(((struct console *)user)->desk, person);
}

static void on_answer(void *user, const char *command, const char *code, const char *who)
{
        desk_answer(((struct console *)user)->desk, command, code, who);
}

/* ---- the desk asks, the store does */

static int give_command(void *user, const struct command *command)
{
        return store_command(((struct console *)user)->store, command);
}

static int64_t now_ms(void *user)
{
        const struct console *c = user;

        return c->store != NULL ? store_now_ms(c->store) : clock_utc_ms();
}

static bool may_write(void *user)
{
        return !desk_is_blind(((struct console *)user)->desk);
}

/* give_pass_command: the pass desk's: its term is set here, by the store's clock. */
static int give_pass_command(void *user, const struct command *command)
{
        struct command timed = *command;

        timed.expires_ms = now_ms(user) + COMMAND_TERM_MS;
        return give_command(user, &timed);
}

static void end_session(void *user, const uint8_t hash[SESSION_HASH_SIZE])
{
        server_end_session(((struct console *)user)->server, hash);
}

static void on_tick(struct wheel_timer *timer, int64_t now_mono_ms)
{
        struct console *c = timer->user;

        desk_tick(c->desk, store_carriers(c->store));
        loop_timer_arm(c->loop, timer, now_mono_ms + DESK_TICK_MS);
}

/* ---- beginning */

static int open_files(struct console *c)
{
        struct geo_error error;
        int r = files_load(c->config.web_path, &c->files);

        if (r < 0) {
                log_error(NULL, "web.path: %s: %s", c->config.web_path, strerror(-r));
                return r;
        }
        if ((r = outline_load(c->config.zones_path, &c->outline, &error)) < 0)
                log_error(NULL, "zones.path: %s: %s", c->config.zones_path,
                          error.text[0] != '\0' ? error.text : strerror(-r));
        return r;
}

static int open_store(struct console *c)
{
        struct store_options options = {
                .loop = c->loop,
                .config = &c->config,
                .events = { c, on_up, on_trouble, on_alert, on_notice, on_person, on_answer },
        };
        uint64_t seed;
        int r;

        if (RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1)
                return -EIO;
        if ((r = board_new(seed, &c->board)) < 0)
                return r;
        options.board = c->board;
        return store_open(&options, &c->store);
}

static int open_desk(struct console *c)
{
        struct desk_options options = {
                .board = c->board,
                .zones = c->outline.zones,
                .region = c->config.region,
                .tile_url = c->config.tile_url,
                .tile_attribution = c->config.tile_attribution,
                .hooks = { c, give_command, now_ms },
        };

        return desk_new(&options, &c->desk);
}

static int open_passes(struct console *c)
{
        struct pass_desk_options options = { c->loop, &c->config, { c, may_write, give_pass_command, end_session } };

        return pass_desk_open(&options, &c->passes);
}

static int open_server(struct console *c)
{
        struct server_options options = {
                .loop = c->loop,
                .config = &c->config,
                .files = c->files,
                .outline = &c->outline,
                .store = c->store,
                .desk = c->desk,
                .gate = c->gate,
                .passes = c->passes,
        };
        int r = server_open(&options, &c->server);

        if (r < 0)
                log_error(NULL, "listen.address, listen.port: %s", strerror(-r));
        return r;
}

static void on_scrape(void *user)
{
        struct console *c = user;

        c->pages = (int64_t)desk_page_count(c->desk);
        c->open_alerts = (int64_t)board_open_count(c->board);
        c->blind = desk_is_blind(c->desk);
}

static const char *on_health(void *user)
{
        return desk_is_blind(((struct console *)user)->desk) ? "the store is away" : NULL;
}

static int open_metrics(struct console *c)
{
        const struct store_stats *store = store_stats(c->store);
        const struct gate_counts *gate = gate_counts(c->gate);
        const struct server_counts *server = &c->server->counts;
        const struct listener_counts *connections = server_connections(c->server);
        const struct {
                struct metrics_name name;
                const uint64_t *value;
        } counters[] = {
                { { "vigie_console_connections_total", NULL, "connections accepted" }, &connections->accepted },
                { { "vigie_console_connections_turned_away_total", NULL, "connections at the limit" },
                  &connections->turned_away },
                { { "vigie_console_connections_timed_out_total", NULL, "connections that sent nothing" },
                  &connections->timed_out },
                { { "vigie_console_requests_total", NULL, "HTTP requests" }, &server->requests },
                { { "vigie_console_refused_total", NULL, "HTTP requests answered with an error" }, &server->refused },
                { { "vigie_console_pages_opened_total", NULL, "pages that were logged in" }, &server->opened },
                { { "vigie_console_upgrades_refused_total", NULL, "WebSockets refused by origin, host or path" },
                  &server->turned },
                { { "vigie_console_logins_total", "result=\"ok\"", "logins" }, &gate->ok },
                { { "vigie_console_logins_total", "result=\"wrong\"", "logins" }, &gate->wrong },
                { { "vigie_console_logins_total", "result=\"limited\"", "logins" }, &gate->limited },
                { { "vigie_console_logins_total", "result=\"failed\"", "logins" }, &gate->failed },
                { { "vigie_console_commands_total", NULL, "commands handed to the dispatchers" }, &store->commands },
                { { "vigie_console_entries_total", NULL, "feed entries read" }, &store->entries },
                { { "vigie_console_entries_refused_total", NULL, "entries not understood" }, &store->refused },
                { { "vigie_console_loads_total", NULL, "times the board was loaded" }, &store->loads },
        };
        int r = metrics_new(&c->metrics);

        for (size_t i = 0; r == 0 && i < sizeof(counters) / sizeof(counters[0]); i++)
                r = metrics_counter(c->metrics, counters[i].name, counters[i].value);
        if (r < 0 ||
            (r = metrics_gauge(c->metrics, (struct metrics_name){ "vigie_console_pages", NULL, "open pages" },
                               &c->pages)) < 0 ||
            (r = metrics_gauge(c->metrics,
                               (struct metrics_name){ "vigie_console_open_alerts", NULL, "alerts on the board" },
                               &c->open_alerts)) < 0 ||
            (r = metrics_gauge(c->metrics, (struct metrics_name){ "vigie_console_blind", NULL, "1: the store is away" },
                               &c->blind)) < 0 ||
            (r = metrics_histogram(
                     c->metrics,
                     (struct metrics_name){ "vigie_console_lag_seconds", NULL, "commit of an alert to this process" },
                     &store->lag)) < 0)
                return r;
        metrics_on_scrape(c->metrics, on_scrape, c);
        metrics_health(c->metrics, on_health, c);
        return metrics_serve(c->loop, c->metrics, (int)c->config.metrics_port, &c->metrics_server);
}

static void on_left(struct wheel_timer *timer, int64_t now_mono_ms)
{
        loop_stop(((struct console *)timer->user)->loop);
}

static void on_stop(void *user, int signal)
{
        struct console *c = user;

        log_info(NULL, "stopping");
        server_leave(c->server);
        loop_timer_arm(c->loop, &c->leave, clock_mono_ms() + LEAVE_MS);
}

static int say_ready(struct console *c)
{
        int r = server_start(c->server);

        if (r < 0)
                return r;
        log_info(NULL, "vigie-console " VIGIE_VERSION " listens on port %d", server_port(c->server));
        r = ready_tell(c->start.ready_fd, server_port(c->server));
        if (r < 0)
                log_warn(NULL, "--ready-fd: %s", strerror(-r));
        loop_timer_arm(c->loop, &c->tick, clock_mono_ms() + DESK_TICK_MS);
        loop_on_stop(c->loop, on_stop, c);
        return 0;
}

/* ---- the end */

static void console_close(struct console *c)
{
        if (c->loop != NULL) {
                loop_timer_cancel(c->loop, &c->tick);
                server_close(c->server);
                pass_desk_leave(c->passes);
                store_close(c->store);
                gate_close(c->gate);
                metrics_server_close(c->metrics_server);
                (void)loop_close(c->loop);
        }
        server_free(c->server);
        pass_desk_free(c->passes);
        desk_free(c->desk);
        board_free(c->board);
        metrics_free(c->metrics);
        outline_free(&c->outline);
        files_free(c->files);
}

static int raise_files(const struct config *config)
{
        uint64_t max;
        int r = listener_raise_files((uint64_t)config->limit_connections + OTHER_FILES, &max);

        if (r == -EMFILE)
                log_error(NULL, "limits.connections: %lld, but only %llu files may be open",
                          (long long)config->limit_connections, (unsigned long long)max);
        return r;
}

static void open_log(const struct config *config)
{
        enum log_level level = LOG_LEVEL_INFO;

        (void)log_level_from_name(config->log_level, &level); /* the configuration's check has seen it */
        log_open("vigie-console", level);
}

int main(int argc, char **argv)
{
        struct console c = { 0 };
        int r;

        gate_threads();
        if (config_read(argc, argv, &c.config, &c.start) < 0)
                return 2;
        if (c.start.stop && !c.start.check)
                return 0;
        open_log(&c.config);
        wheel_timer_init(&c.tick, on_tick, &c);
        wheel_timer_init(&c.leave, on_left, &c);
        if ((r = open_files(&c)) < 0 ||                                /* pages and zones */
            (r = server_check(&c.config)) < 0 || c.start.check ||      /* -n stops here */
            (r = raise_files(&c.config)) < 0 ||                        /* open files */
            (r = loop_open(&c.loop)) < 0 ||                            /* signals, timers */
            (r = open_store(&c)) < 0 ||                                /* Redis, and the board it fills */
            (r = open_desk(&c)) < 0 ||                                 /* who is told what */
            (r = gate_new(c.loop, c.store, &c.config, &c.gate)) < 0 || /* logins */
            (r = open_passes(&c)) < 0 ||                               /* keeper, and the pass desk's books */
            (r = open_server(&c)) < 0 ||                               /* TLS and port */
            (r = open_metrics(&c)) < 0 ||                              /* loopback port */
            (r = say_ready(&c)) < 0 || (r = loop_run(c.loop)) < 0)     /* serves */
                log_write(r < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_DEBUG, NULL, "ends: %s", strerror(-r));
        console_close(&c);
        return r == 0 ? 0 : c.start.check ? 2 : EX_UNAVAILABLE;
}
