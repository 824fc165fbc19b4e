#include "ops/vigie/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void put_stores(const struct setup *s, const char *user, const char *password, struct conf_text *text)
{
        const char *const stores[] = { "alerts", "positions" }, *const addresses[] = { s->alerts, s->positions };

        for (size_t i = 0; i < 2; i++) {
                conf_text_section(text, stores[i]);
                conf_text_key(text, "address", "%s", addresses[i]);
                conf_text_key(text, "user", "%s", user);
                conf_text_key(text, "password", "%s", password);
        }
}

static void put_path(struct conf_text *text, const char *section, const struct setup *s, const char *file)
{
        conf_text_section(text, section);
        conf_text_key(text, "path", "%s/%s", s->dir, file);
}

static void put_keeper(const struct setup *s, struct conf_text *text)
{
        conf_text_section(text, "keeper");
        conf_text_key(text, "socket", "%s", s->keeper);
}

/* When a carrier is overdue: said to dispatchers, who ask, and to the keeper, which opens no younger position. */
static void put_silence(struct conf_text *text)
{
        conf_text_section(text, "silence");
        conf_text_key(text, "overdue", "15min");
}

int setup_dispatcher(const struct setup *s, struct conf_text *text)
{
        conf_text_init(text,
                       "; one file for all dispatchers of the region; each process has its own name, rank, journal and "
                       "snapshot:\n"
                       ";   vigie-dispatcher -c dispatcher.conf -o dispatcher.name=d2 -o dispatcher.rank=1 \\\n"
                       ";       -o journal.path=/var/lib/vigie-dispatcher/d2.journal -o "
                       "snapshot.path=/var/lib/vigie-dispatcher/d2.snapshot");
        conf_text_section(text, "region");
        conf_text_key(text, "name", "%s", s->region);
        conf_text_section(text, "dispatcher");
        conf_text_key(text, "name", "d1");
        conf_text_section(text, "listen");
        conf_text_key(text, "port", "%ld", s->handset_port);
        conf_text_section(text, "tls");
        conf_text_key(text, "certificate", "%s/server.pem", s->dir);
        conf_text_key(text, "key", "%s/server.key", s->dir);
        conf_text_key(text, "client_ca", "%s/ca.pem", s->dir);
        conf_text_key(text, "ticket_key", "%s/tickets.key", s->dir);
        put_stores(s, "dispatcher", s->dispatcher, text);
        put_path(text, "journal", s, "d1.journal");
        put_path(text, "snapshot", s, "d1.snapshot");
        put_path(text, "zones", s, REGION_ZONES);
        put_path(text, "barriers", s, REGION_BARRIERS);
        conf_text_section(text, "receipt");
        conf_text_key(text, "key", "%s/receipt.key", s->dir);
        put_path(text, "trust", s, REGION_TRUST);
        conf_text_key(text, "root", "%s/root.pem", s->dir);
        put_keeper(s, text);
        put_silence(text);
        setup_sms(s, text);
        return text->error;
}

/* https://NAME:PORT for each name. */
static int origins(const struct setup *s, char *to, size_t size)
{
        size_t len = 0;

        for (size_t i = 0; i < s->name_count; i++) {
                const char *name = s->names[i], *open = strchr(name, ':') != NULL ? "[" : "",
                           *close = open[0] != 0 ? "]" : "";
                int n = snprintf(to + len, size - len, "%shttps://%s%s%s:%ld", i > 0 ? ", " : "", open, name, close,
                                 s->console_port);

                if (n < 0 || (size_t)n >= size - len)
                        return -ENOBUFS;
                len += (size_t)n;
        }
        return 0;
}

int setup_console(const struct setup *s, struct conf_text *text)
{
        char list[1024];
        int r = origins(s, list, sizeof(list));

        if (r < 0)
                return r;
        conf_text_init(text, "");
        conf_text_section(text, "region");
        conf_text_key(text, "name", "%s", s->region);
        conf_text_section(text, "listen");
        conf_text_key(text, "port", "%ld", s->console_port);
        conf_text_section(text, "tls");
        conf_text_key(text, "certificate", "%s/server.pem", s->dir);
        conf_text_key(text, "key", "%s/server.key", s->dir);
        conf_text_section(text, "web");
        conf_text_key(text, "origins", "%s", list);
        put_path(text, "zones", s, REGION_ZONES);
        put_keeper(s, text);
        conf_text_section(text, "caretaker");
        conf_text_key(text, "root", "%s/root.pem", s->dir);
        put_stores(s, "console", s->console, text);
        return text->error;
}

int setup_keeper(const struct setup *s, struct conf_text *text)
{
        static const char *const keys[] = { "pass", "status", "order", "position" };

        conf_text_init(text, "");
        conf_text_section(text, "region");
        conf_text_key(text, "name", "%s", s->region);
        conf_text_section(text, "socket");
        conf_text_key(text, "path", "%s", s->keeper);
        put_path(text, "audit", s, REGION_KEEPER "/audit");
        conf_text_section(text, "keys");
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
                conf_text_key(text, keys[i], "%s/" REGION_KEEPER "/%s.key", s->dir, keys[i]);
        conf_text_section(text, "handset");
        conf_text_key(text, "ca", "%s/ca.pem", s->dir);
        conf_text_section(text, "peer");
        conf_text_key(text, "console", "%s", s->peer);
        if (s->dispatcher_peer[0] != 0)
                conf_text_key(text, "dispatcher", "%s", s->dispatcher_peer);
        put_silence(text);
        return text->error;
}

int setup_tool(const struct setup *s, struct conf_text *text)
{
        conf_text_init(text, "");
        conf_text_section(text, "region");
        conf_text_key(text, "name", "%s", s->region);
        conf_text_section(text, "alerts");
        conf_text_key(text, "address", "%s", s->alerts);
        conf_text_section(text, "positions");
        conf_text_key(text, "address", "%s", s->positions);
        conf_text_section(text, "store");
        conf_text_key(text, "user", "tool");
        conf_text_key(text, "password", "%s", s->tool);
        conf_text_section(text, "archive");
        if (s->archive_dir[0] != 0)
                conf_text_key(text, "path", "%s", s->archive_dir);
        else
                conf_text_key(text, "path", "%s/archive", s->dir);
        conf_text_key(text, "user", "archive");
        conf_text_key(text, "password", "%s", s->archive);
        conf_text_section(text, "servers");
        conf_text_key(text, "alert_port", "%ld", s->alert_port);
        if (s->sms_number[0] != 0) {
                conf_text_section(text, "sms");
                conf_text_key(text, "number", "%s", s->sms_number);
        }
        return text->error;
}

/* Who may do what (DESIGN 3.7, 6).  Dispatchers write; consoles read, ask by command, keep their sessions, and write
 * what the pass desk does (no alert, ever); this tool reads, and writes people, places and doors.  The archive reads,
 * trims the feed, takes away what is closed and archived, and tells of its troubles: each right for its key alone.  The default
 * user is off, so nobody can be it, and yet may do everything: Redis 7.0 loads its AOF as that user and checks its rights at each
 * EXEC, so that without them every script's and transaction's writes would be dropped, without an error, at a restart.  ops/redis/users.acl is the same for people to read.
 * $ is the region, each # the next of the passwords. */
static const char acl[] = "user default off ~* &* +@all\n"
                          "user dispatcher on ># ~{$}:* +@all -@admin -@dangerous +role\n"
                          "user console on ># %R~{$}:* %RW~{$}:session:* %RW~{$}:lease:* %RW~{$}:commands "
                          "-@all +@read +@connection +@transaction -@dangerous +xadd +set +del +pexpire +time +role "
                          "(%RW~{$}:buildings %RW~{$}:rounds %RW~{$}:stops %RW~{$}:doors %RW~{$}:passes "
                          "%RW~{$}:consents %RW~{$}:asked %RW~{$}:lists %RW~{$}:handsets %RW~{$}:people:changes "
                          "%RW~{$}:inbox:* -@all +hset +hdel +xadd +pexpire)\n"
                          "user tool on ># %R~{$}:* %RW~{$}:handsets %RW~{$}:carriers %RW~{$}:supervisors "
                          "%RW~{$}:users %RW~{$}:rounds %RW~{$}:buildings %RW~{$}:stops %RW~{$}:doors %RW~{$}:lists "
                          "%RW~{$}:certificates %RW~{$}:people:changes "
                          "-@all +@read +@connection +@transaction -@dangerous +hset +hdel +xadd +time +info +role\n"
                          "user archive on ># %R~{$}:* "
                          "-@all +@read +@connection +@transaction -@dangerous +time +info +role "
                          "(%RW~{$}:feed -@all +xtrim +xadd +xdel) (%W~{$}:alert:* -@all +del) "
                          "(%RW~{$}:archive -@all +hset) "
                          "(%RW~{$}:tombstones -@all +hdel) (%RW~{$}:notices -@all +hset +hdel)\n"
                          "user replica on ># -@all +psync +sync +replconf +ping\n"
                          "user sentinel on ># &* -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role "
                          "+publish +info +client|setname +client|kill +script|kill\n";

static void acl_add(struct conf_text *text, const char *what, size_t len)
{
        if (text->error == 0 && text->len + len >= sizeof(text->text))
                text->error = -ENOBUFS;
        if (text->error < 0)
                return;
        memcpy(text->text + text->len, what, len);
        text->len += len;
}

int setup_acl(const struct setup *s, struct conf_text *text)
{
        const char *const passwords[] = { s->dispatcher, s->console, s->tool, s->archive, s->replica, s->sentinel };
        size_t next = 0;

        conf_text_init(text, "");
        for (const char *at = acl; *at != 0; at++) {
                const char *what = *at == '$' ? s->region : *at == '#' ? passwords[next++] : at;

                acl_add(text, what, what == at ? 1 : strlen(what));
        }
        return text->error;
}
