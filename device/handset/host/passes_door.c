#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "device/handset/host/passes_state.h"

/* prove: for the hello that waits.  Returns as content_prove, -ENOENT (no pass has that building). */
static int prove(struct passes *p, struct content *content)
{
        struct content_ask ask = { .class = DOOR_NFC,
                                   .time_s = passes_now_s(),
                                   .hello = { p->door.hello, p->door.hello_len } };
        int pass = content_for(content, p->door.building, ask.time_s), r;
        uint8_t octets[PRESENTATION_MAX];
        struct cbor_writer w;

        if (pass < 0)
                return pass;
        ask.pass = (size_t)pass;
        ask.building = (size_t)content_find_building(content->passes[pass], p->door.building);
        cbor_writer_init(&w, octets, sizeof(octets));
        r = safe_prove(p->safe, &ask, &w);
        return r == 0 ? card_present(p->card, p->door.session, cbor_written(&w)) : r;
}

void door_answer(struct passes *p)
{
        struct content *content = safe_content(p->safe);
        int r = p->door.waits ? (content != NULL ? prove(p, content) : -EAGAIN) : 0;

        if (r == -EAGAIN)
                return; /* again when counters are set aside, or it is opened */
        if (r < 0) {
                p->door.trouble = "other_building";
                card_withdraw(p->card, p->door.session);
        }
        if (r == 0 && p->door.waits)
                safe_use(p->safe);
        p->door.waits = false;
}

/* A locked vault says nothing of its buildings: any door of the region is answered then, and the PIN asked for. */
bool door_hello(void *user, struct cbor_span hello, uint32_t session)
{
        struct passes *p = user;
        const struct trust *trust = vigie_trust(p->host->vigie);
        struct pass_crypto crypto;
        struct mandate mandate;
        struct safe_view v;
        int r;

        memset(&p->door, 0, sizeof(p->door));
        pass_crypto_init(&crypto);
        r = trust != NULL ? hello_verify(&crypto, hello, trust, passes_now_s(), &mandate) : -ENOKEY;
        safe_look(p->safe, &v);
        if (r < 0 || (v.state != VIGIE_VAULT_OPEN && v.state != VIGIE_VAULT_LOCKED)) {
                p->door.trouble = r < 0 ? "unknown_door" : "no_vault";
                passes_show(p);
                return false;
        }
        p->door.session = session;
        memcpy(p->door.hello, hello.at, hello.len); /* hello_verify: at most HELLO_MAX */
        p->door.hello_len = hello.len;
        memcpy(p->door.building, mandate.building, BUILDING_ID_SIZE);
        p->door.has_building = p->door.waits = true;
        if (safe_content(p->safe) != NULL)
                door_answer(p);
        passes_show(p);
        return p->door.trouble == NULL;
}

void door_verdict(void *user, unsigned refusal, uint32_t time_s)
{
        struct passes *p = user;

        p->door.told = true;
        p->door.waits = false;
        p->door.refusal = refusal;
        p->door.told_at_ms = clock_utc_ms();
        passes_show(p);
}

void door_away(void *user)
{
        struct passes *p = user;

        p->door.waits = false;
        if (!p->door.told && p->door.trouble == NULL)
                p->door.trouble = p->door.has_building ? "no_answer" : "no_reader";
        passes_show(p);
}
