/* What `vigie init --sms-number` adds: the dispatchers' [sms] and [control], and kannel.conf. */
#include <errno.h>
#include <stdio.h>

#include "ops/vigie/setup.h"

/* Kannel asks again so often, a second between two tries, while no dispatcher answers: a person sends an answer once.
 * A day: whoever answered longer ago has heard by another way. */
#define POST_TRIES 86400

void setup_sms(const struct setup *s, struct conf_text *text)
{
        if (s->sms_number[0] != 0) {
                conf_text_section(text, "sms");
                conf_text_key(text, "port", "%ld", s->sms_port);
                conf_text_key(text, "secret", "%s", s->door);
                conf_text_key(text, "url", "http://127.0.0.1:%ld/cgi-bin/sendsms", s->gateway_port + 2);
                conf_text_key(text, "user", "vigie");
                conf_text_key(text, "password", "%s", s->sendsms);
                conf_text_key(text, "from", "%s", s->sms_number);
        }
        if (s->control_number[0] != 0) {
                conf_text_section(text, "control");
                conf_text_key(text, "number", "%s", s->control_number);
        }
}

/* One of our users or ports of Kannel: nobody but this machine. */
static void put_local(struct conf_text *text, const char *deny, const char *allow)
{
        conf_text_key(text, deny, "\"*.*.*.*\"");
        conf_text_key(text, allow, "\"127.0.0.1\"");
}

static void put_core(const struct setup *s, struct conf_text *text)
{
        conf_text_line(text, "group = core");
        conf_text_key(text, "admin-port", "%ld", s->gateway_port);
        conf_text_key(text, "admin-password", "%s", s->admin);
        conf_text_key(text, "admin-interface", "\"127.0.0.1\"");
        put_local(text, "admin-deny-ip", "admin-allow-ip");
        conf_text_key(text, "smsbox-port", "%ld", s->gateway_port + 1);
        conf_text_key(text, "smsbox-interface", "\"127.0.0.1\"");
        put_local(text, "box-deny-ip", "box-allow-ip");
        conf_text_line(
                text,
                "# in the folder that bearerbox is started in: what came and was not yet handed over outlives it");
        conf_text_key(text, "store-type", "file");
        conf_text_key(text, "store-location", "\"kannel.store\"");
        conf_text_key(text, "dlr-storage", "internal");
}

static void put_smsbox(const struct setup *s, struct conf_text *text)
{
        conf_text_line(text, "\ngroup = smsbox");
        conf_text_key(text, "bearerbox-host", "127.0.0.1");
        conf_text_key(text, "bearerbox-port", "%ld", s->gateway_port + 1);
        conf_text_key(text, "sendsms-port", "%ld", s->gateway_port + 2);
        conf_text_key(text, "sendsms-interface", "\"127.0.0.1\"");
        conf_text_line(text, "# while no dispatcher answers: once a second, for a day");
        conf_text_key(text, "http-request-retry", "%d", POST_TRIES);
        conf_text_key(text, "http-queue-delay", "1");
        conf_text_line(text, "\ngroup = sendsms-user");
        conf_text_key(text, "username", "vigie");
        conf_text_key(text, "password", "%s", s->sendsms);
        put_local(text, "user-deny-ip", "user-allow-ip");
        conf_text_line(text, "# a long text for a person goes as several that the phone puts together");
        conf_text_key(text, "max-messages", "5");
        conf_text_key(text, "concatenation", "true");
}

int setup_kannel(const struct setup *s, struct conf_text *text)
{
        conf_text_init(
                text,
                "# Kannel of this region: bearerbox and smsbox, on the dispatchers' machine.  Holds passwords: mode "
                "0600.\n"
                "# At the end add the line to your operator, a group = smsc; share/vigie/kannel/README.md says how.\n");
        put_core(s, text);
        put_smsbox(s, text);
        conf_text_line(
                text,
                "\n# every SMS goes to a dispatcher, whatever it says; no answer is made of what the dispatcher says");
        conf_text_line(text, "group = sms-service");
        conf_text_key(text, "keyword", "default");
        conf_text_key(text, "catch-all", "true");
        conf_text_key(text, "max-messages", "0");
        conf_text_key(text, "send-sender", "true");
        conf_text_key(text, "post-url", "\"http://127.0.0.1:%ld/sms/in?secret=%s&id=%%I\"", s->sms_port, s->door);
        return text->error;
}
