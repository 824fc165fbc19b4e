/* Which positions the keeper opens, how often without an alert; and what it does by a clock that is wrong. */
#include "tests/console/keeper/scene.h"

/* ---- positions */

struct sealed_scene {
        uint8_t sealed[SEALED_MAX], alert[ALERT_MAX], certificate[KEEPER_CERTIFICATE_MAX];
        struct keeper_request q;
};

static void seal(struct scene *s, struct sealed_scene *p, uint32_t fix_at_s)
{
        const struct trust_key *to = trust_current(&s->trust, TRUST_POSITION, NOW_S);
        struct sealed_position at = { 457640430, 48356590, 12, fix_at_s };
        struct handset_id handset = { "phone 1" };
        uint8_t random[SEALED_RANDOM_SIZE];
        struct cbor_writer w;

        draw(s, random, sizeof(random));
        cbor_writer_init(&w, p->sealed, sizeof(p->sealed));
        assert_int_equal(sealed_seal(&at, &(struct sealed_to){ to->kid, to->public, &handset }, random, &w), 0);
        p->q = (struct keeper_request){
                .kind = KEEPER_OPEN, .by = "dispatcher-1", .handset = "phone 1", .sealed = cbor_written(&w)
        };
}

/* evidence: an alert of that handset by the phone's KEY, and a certificate by BY for NAME. */
static void evidence(struct scene *s, struct sealed_scene *p, enum alert_kind kind, uint32_t pressed_at_s,
                     const struct key *key, const struct key *by, const char *name)
{
        struct alert alert = { .pressed_at_s = pressed_at_s, .kind = kind, .nonce = "a nonce" };
        struct handset_id handset = { "phone 1" };
        X509 *x509 = certificate(s->phone, name, by);
        unsigned char *at = p->certificate;
        struct cbor_writer w;

        cbor_writer_init(&w, p->alert, sizeof(p->alert));
        assert_int_equal(alert_sign(&alert, &handset, key, &w), 0);
        p->q.alert = cbor_written(&w);
        p->q.certificate = (struct cbor_span){ p->certificate, (size_t)i2d_X509(x509, &at) };
        X509_free(x509);
}

#define PHONE_1 "70686f6e65203100"

static void opens(void **state)
{
        struct scene s;
        struct sealed_scene p;
        struct key *other;

        scene_open(&s);
        assert_int_equal(key_generate(KEY_ES256, &other), 0);
        s.options.limits.opens = s.options.limits.opens_all = 100;
        again(&s);
        seal(&s, &p, NOW_S - 60); /* heard of a minute ago, and no alert */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        assert_int_equal(s.answer.position.lat_e7, 0);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.position.lat_e7, 457640430);
        assert_int_equal(s.answer.position.fix_at_s, NOW_S - 60);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + KEEPER_ALERT_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_DRILL, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, other, s.ca, PHONE_1); /* signed by somebody else */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, other, PHONE_1); /* a certificate of nobody's */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, "70686f6e65203200"); /* of another handset */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - 900); /* overdue */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        seal(&s, &p, NOW_S - 899);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - KEEPER_FIX_S); /* kept for long by somebody */
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + 1), KEEPER_NO_REASON);
        assert_int_equal(s.answer.position.lat_e7, 0);
        evidence(&s, &p, ALERT_PANIC, NOW_S - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S + 1), KEEPER_NO_REASON);
        seal(&s, &p, NOW_S - 900);
        p.sealed[60] ^= 1;
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_MALFORMED);
        key_free(other);
        scene_close(&s);
}

/* Each use is in the audit before it: also those that came to nothing once the position was open. */
static void openings_are_written_down(void **state)
{
        struct scene s;
        struct sealed_scene p;

        scene_open(&s);
        seal(&s, &p, NOW_S - 60);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_NO_REASON);
        assert_int_equal(s.entries, 2);
        s.refuses = -EIO;
        seal(&s, &p, NOW_S - 900);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_FAILED);
        assert_int_equal(s.answer.position.lat_e7, 0);
        s.refuses = 0;
        for (int i = 0; i < 3; i++)
                assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, NOW_S), KEEPER_TOO_MANY);
        scene_close(&s);
}

static unsigned overdue(struct scene *s, uint32_t now_s)
{
        struct sealed_scene p;

        seal(s, &p, now_s - 900);
        return ask_as(s, PEER_DISPATCHER, &p.q, now_s);
}

/* A dispatcher that holds positions back until they are old learns a way of four places an hour, twelve a day, of one phone; an alert
 * of it is opened all the same.  What was told to nobody is not counted; a restart, and an audit that was put aside, forget nothing. */
static void a_way_is_not_told(void **state)
{
        struct scene s;
        struct sealed_scene p;
        uint32_t now_s = NOW_S;

        scene_open(&s);
        s.options.limits = (struct keeper_limits){ 10, 15, 3, 5, 100, 100, 900, 4, 12, 1, 1 };
        again(&s);
        for (int hour = 0; hour < 3; hour++) {
                for (int i = 0; i < 4; i++) {
                        seal(&s, &p, now_s - 60);
                        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_NO_REASON);
                        assert_int_equal(overdue(&s, now_s), KEEPER_DONE);
                }
                again(&s);
                assert_int_equal(overdue(&s, now_s), KEEPER_TOO_MANY);
                assert_int_equal(overdue(&s, now_s + HOUR - 1), KEEPER_TOO_MANY);
                now_s += HOUR;
        }
        assert_int_equal(overdue(&s, now_s), KEEPER_TOO_MANY); /* twelve today */
        keep_only(&s, now_s);
        again(&s);
        assert_int_equal(overdue(&s, NOW_S + 24 * HOUR - 1), KEEPER_TOO_MANY);
        seal(&s, &p, now_s - 60);
        evidence(&s, &p, ALERT_PANIC, now_s - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_DONE);
        strcpy((char *)p.q.handset, "phone 2"); /* another phone has its own; this position is not its */
        p.q.alert.len = p.q.certificate.len = 0;
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_MALFORMED);
        assert_int_equal(overdue(&s, NOW_S + 24 * HOUR), KEEPER_DONE);
        scene_close(&s);
}

/* As many as are remembered: the first a day old makes room. */
static void a_day_of_overdue(void **state)
{
        struct ledger_entry entry = { .at_s = NOW_S, .peer = PEER_DISPATCHER, .kind = KEEPER_OPEN };
        struct ledger *ledger;

        assert_int_equal(ledger_new(&ledger), 0);
        for (uint32_t i = 0; i <= LEDGER_OVERDUE_MAX; i++) {
                memcpy(entry.handset, &i, sizeof(i));
                assert_int_equal(ledger_apply(ledger, &entry), 0);
        }
        assert_int_equal(ledger_overdue(ledger, NULL, LEDGER_DAY_S, NOW_S), LEDGER_OVERDUE_MAX);
        memset(entry.handset, 0, sizeof(entry.handset));
        assert_int_equal(ledger_overdue(ledger, entry.handset, LEDGER_DAY_S, NOW_S), 0); /* the first gave way */
        entry.at_s += LEDGER_DAY_S;
        assert_int_equal(ledger_apply(ledger, &entry), 0);
        assert_int_equal(ledger_overdue(ledger, NULL, LEDGER_DAY_S, entry.at_s), 1);
        ledger_free(ledger);
}

/* A list of the future would raise every door's clock, and with a clock that is ahead everybody is overdue. */
static void a_clock_that_jumped(void **state)
{
        static struct scene s;
        struct keeper_request pass, list = { .kind = KEEPER_LIST, .by = "console" };
        struct keeper_request revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        struct sealed_scene p;
        uint32_t now_s = NOW_S + KEEPER_CLOCK_S;

        scene_open(&s);
        pass = a_pass(&s);
        s.jumped_s = KEEPER_CLOCK_S;
        assert_int_equal(ask(&s, &pass, now_s), KEEPER_DONE);
        list.expires_s = now_s + 2 * HOUR;
        assert_int_equal(ask(&s, &list, now_s), KEEPER_DONE);
        now_s += ++s.jumped_s;
        assert_int_equal(ask(&s, &pass, now_s), KEEPER_CLOCK);
        assert_int_equal(ask(&s, &list, now_s), KEEPER_CLOCK);
        assert_int_equal(s.answer.object.len, 0);
        assert_int_equal(overdue(&s, now_s), KEEPER_CLOCK);
        seal(&s, &p, now_s - 60);
        evidence(&s, &p, ALERT_PANIC, now_s - 5, s.phone, s.ca, PHONE_1);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &p.q, now_s), KEEPER_DONE);
        s.jumped_s += 48 * HOUR; /* passes seem over, and are revoked */
        assert_int_equal(ask(&s, &revoke, now_s + 48 * HOUR), KEEPER_DONE);
        assert_int_equal(s.answer.count, 1);
        s.jumped_s = 0; /* the clock was set right; what was refused under the wrong one keeps nobody from going on */
        assert_int_equal(ask(&s, &list, NOW_S + KEEPER_CLOCK_S + 1), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S + KEEPER_CLOCK_S + 1), KEEPER_DONE);
        scene_close(&s);
}

static void a_clock_that_is_behind(void **state)
{
        static struct scene s;
        struct keeper_request pass, list = { .kind = KEEPER_LIST, .by = "console", .expires_s = NOW_S + HOUR };

        scene_open(&s);
        pass = a_pass(&s);
        assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &list, NOW_S), KEEPER_DONE);
        again(&s);
        assert_int_equal(ask(&s, &list, NOW_S - 1), KEEPER_CLOCK);
        assert_int_equal(ask(&s, &list, NOW_S), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &pass, NOW_S - KEEPER_CLOCK_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S - KEEPER_CLOCK_S - 1), KEEPER_CLOCK);
        assert_int_equal(overdue(&s, NOW_S - KEEPER_CLOCK_S - 1), KEEPER_CLOCK);
        scene_close(&s);
}

/* A start believes the clock: where nothing was signed for over a day, somebody is told to look. */
static void a_long_rest(void **state)
{
        static struct scene s;
        struct keeper_request list = { .kind = KEEPER_LIST, .by = "console", .expires_s = NOW_S + HOUR };

        scene_open(&s);
        assert_int_equal(keeper_rested(s.keeper, NOW_S), 0);
        assert_int_equal(ask(&s, &list, NOW_S), KEEPER_DONE);
        again(&s);
        assert_int_equal(keeper_rested(s.keeper, NOW_S - 1), 0);
        assert_int_equal(keeper_rested(s.keeper, NOW_S + KEEPER_RESTED_S), 0);
        assert_int_equal(keeper_rested(s.keeper, NOW_S + KEEPER_RESTED_S + 1), KEEPER_RESTED_S + 1);
        scene_close(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(opens),
                cmocka_unit_test(openings_are_written_down),
                cmocka_unit_test(a_way_is_not_told),
                cmocka_unit_test(a_day_of_overdue),
                cmocka_unit_test(a_clock_that_jumped),
                cmocka_unit_test(a_clock_that_is_behind),
                cmocka_unit_test(a_long_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
