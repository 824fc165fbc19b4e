/* What the keeper signs and refuses: passes, revocation, the list, orders. */
#include "tests/console/keeper/scene.h"

/* ---- passes */

/* What it signs is a pass of the region for those buildings, and its salts are those of the salt key. */
static void issues(void **state)
{
        struct scene s;
        struct keeper_request q;
        struct pass_signed pass;
        uint8_t id[PASS_ID_SIZE];

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        assert_int_equal(cose_sign1_verify_trusted(&pass.cose, &s.trust, TRUST_PASS, NOW_S, CBOR_LITERAL(PASS_AAD)), 0);
        assert_string_equal(pass.pass.region, "lyon");
        assert_int_equal(pass.pass.not_before_s, NOW_S);
        assert_int_equal(pass.pass.not_after_s, NOW_S + 8 * HOUR);
        assert_int_equal(pass.pass.policy, PASS_ONE_WAY);
        assert_memory_equal(pass.pass.key, q.key, PASS_KEY_SIZE);
        assert_int_equal(pass.pass.status, s.answer.status);
        assert_int_equal(s.entries, 1);
        memcpy(id, pass.pass.id, sizeof(id));
        again(&s); /* the next one has another id and another bit */
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        assert_memory_not_equal(pass.pass.id, id, sizeof(id));
        assert_int_equal(pass.pass.status, 1);
        scene_close(&s);
}

/* A phone's marker, as wire/PROTOCOL.md 13.8 has it. */
static void put_mark(uint8_t *to, const uint8_t id[PASS_ID_SIZE], const uint8_t key[KEEPER_SECRET_SIZE], uint8_t duress)
{
        uint8_t said[13] = { 0 }, whole[EVP_MAX_MD_SIZE];

        memcpy(said, id, PASS_ID_SIZE);
        said[11] = 7; /* the counter */
        said[12] = duress;
        assert_non_null(HMAC(EVP_sha256(), key, KEEPER_SECRET_SIZE, said, sizeof(said), whole, NULL));
        memcpy(to, said, 12);
        memcpy(to + 12, whole, PASS_MARKER_SIZE);
}

/* What a door wrote down is told to two people, by a keeper that kept no key of any pass, and it is in the audit. */
static void tells_marks(void **state)
{
        struct scene s;
        struct keeper_request q, mark;
        struct pass_signed pass;
        uint8_t marks[4 * KEEPER_MARK_SIZE], many[(KEEPER_MARKS_MAX + 1) * KEEPER_MARK_SIZE] = { 0 };

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
        put_mark(marks, pass.pass.id, s.answer.marker_key, 0);
        put_mark(marks + KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 1);
        put_mark(marks + 2 * KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 2);
        put_mark(marks + 3 * KEEPER_MARK_SIZE, pass.pass.id, s.answer.marker_key, 1);
        marks[3 * KEEPER_MARK_SIZE + 11] = 8; /* of another counter */
        mark = (struct keeper_request){ .kind = KEEPER_MARK, .ref = 9, .by = "benali", .marks = CBOR_OCTETS(marks) };
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(mark.second, "benali");
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(mark.second, "vidal");
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &mark, NOW_S), KEEPER_NOT_YOURS);
        again(&s);
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_DONE);
        assert_int_equal(s.entries, 5);
        assert_int_equal(s.answer.object.len, 4);
        assert_memory_equal(s.answer.object.at, "\x00\x01\x02\x02", 4);
        for (int i = 1; i < s.options.limits.opens; i++)
                assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &mark, NOW_S), KEEPER_TOO_MANY);
        mark.marks = (struct cbor_span){ many, KEEPER_MARKS_MAX * KEEPER_MARK_SIZE };
        assert_int_equal(ask(&s, &mark, NOW_S + HOUR), KEEPER_DONE);
        mark.marks = (struct cbor_span){ many, sizeof(many) };
        assert_true(keeper_request_encode(&mark, s.message, sizeof(s.message)) < 0);
        mark.marks = (struct cbor_span){ many, KEEPER_MARK_SIZE + 1 };
        assert_int_equal(
                keeper_request_decode((struct cbor_span){ s.message, (size_t)keeper_request_encode(&mark, s.message,
                                                                                                   sizeof(s.message)) },
                                      &q),
                -EBADMSG);
        scene_close(&s);
}

static void refuses_passes(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        q.by[0] = '\0';
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_MALFORMED);
        q = a_pass(&s);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &q, NOW_S), KEEPER_NOT_YOURS);
        q.not_after_s = q.not_before_s + PASS_SECONDS_MAX + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_LONG);
        q.not_after_s = q.not_before_s + 12 * HOUR + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(q.second, q.by);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        strcpy(q.second, "chef");
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        q = a_pass(&s);
        q.policy = PASS_SENSITIVE;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NEEDS_TWO);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S + HOUR + 1), KEEPER_NOT_NOW);
        q.not_before_s += 48 * HOUR + 1;
        q.not_after_s += 48 * HOUR + 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        q = a_pass(&s);
        q.not_after_s = q.not_before_s - 1;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        q = a_pass(&s);
        q.window_count = 1;
        q.windows[0] = (struct pass_window){ 2, 1 };
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        scene_close(&s);
}

/* How many an hour, of one and of all; a restart forgets nothing; the next hour is a new one. */
static void so_many_an_hour(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        for (int i = 0; i < 10; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        again(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        strcpy(q.by, "other");
        for (int i = 0; i < 5; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY); /* all of them */
        q.not_before_s += HOUR;
        assert_int_equal(ask(&s, &q, NOW_S + HOUR), KEEPER_DONE);
        scene_close(&s);
}

/* renew: how many times of COUNT the pass Q and the order that brings it are signed. */
static int renew(struct scene *s, struct keeper_request q, int count)
{
        struct keeper_request order = {
                .kind = KEEPER_ORDER, .enrolment = "enrol", .what = ORDER_PASS, .renews = q.renews
        };
        int done = 0;

        strcpy(order.by, q.by);
        memcpy(order.handset, q.handset, sizeof(order.handset));
        for (int i = 0; i < count; i++) {
                unsigned code = ask(s, &q, NOW_S);

                assert_int_equal(ask(s, &order, NOW_S), code);
                done += code == KEEPER_DONE;
        }
        return done;
}

/* Passes that go on at a shift's end are not the afternoon's, and have a bound of their own, of one and of all. */
static void renewals_are_counted_apart(void **state)
{
        struct scene s;
        struct keeper_request q, renewal;

        scene_open(&s);
        q = renewal = a_pass(&s);
        renewal.renews = 1;
        assert_int_equal(renew(&s, q, 1), 1);
        assert_int_equal(renew(&s, renewal, 100), 12);
        again(&s);
        assert_int_equal(renew(&s, renewal, 1), 0);
        assert_int_equal(renew(&s, q, 100), 9);
        strcpy(renewal.by, "other");
        assert_int_equal(renew(&s, renewal, 100), 2); /* all of them */
        assert_int_equal(renew(&s, q, 1), 0);
        strcpy(q.by, "other");
        assert_int_equal(renew(&s, q, 100), 5);
        scene_close(&s);
}

/* Nothing is signed that is not written down first. */
static void writes_first(void **state)
{
        struct scene s;
        struct keeper_request q;

        scene_open(&s);
        q = a_pass(&s);
        s.refuses = -EIO;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_FAILED);
        assert_int_equal(s.answer.object.len, 0);
        s.refuses = -ENOSPC;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NO_PLACE);
        s.refuses = 0;
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.status, 0);
        scene_close(&s);
}

/* ---- revocation and the list */

static bool is_revoked(struct scene *s, uint32_t status, uint32_t now_s)
{
        static uint8_t room[STATUS_ROOM], bits[STATUS_OCTETS_MAX];
        struct keeper_request q = { .kind = KEEPER_LIST, .by = "console", .expires_s = now_s + HOUR };
        struct status_signed list;
        struct status_bits unpacked;

        assert_int_equal(ask(s, &q, now_s), KEEPER_DONE);
        assert_int_equal(status_read(s->answer.object, &list, NULL), 0);
        assert_int_equal(status_verify(&list, &s->trust, now_s), 0);
        assert_int_equal(list.list.issued_at_s, now_s);
        assert_int_equal(status_unpack(&list.list, room, bits, &unpacked), 0);
        assert_true(status < unpacked.count);
        return bits[status / 8] >> (status % 8) & 1;
}

static void revokes(void **state)
{
        struct scene s;
        struct keeper_request q, revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        struct pass_signed pass;
        uint8_t id[PASS_ID_SIZE];

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_NOT_FOUND);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
                assert_int_equal(pass_read(s.answer.object, &pass, NULL), 0);
                if (i == 1)
                        memcpy(id, pass.pass.id, sizeof(id));
        }
        strcpy((char *)q.handset, "phone 2");
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_false(is_revoked(&s, 1, NOW_S));
        revoke.pass_id = CBOR_OCTETS(id);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.count, 1);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_NOT_FOUND);
        assert_true(is_revoked(&s, 1, NOW_S + 1));
        assert_false(is_revoked(&s, 0, NOW_S + 2));
        revoke.pass_id.len = 0; /* phone lost */
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        assert_int_equal(s.answer.count, 2);
        again(&s);
        for (uint32_t i = 0; i < 4; i++)
                assert_int_equal(is_revoked(&s, i, NOW_S + 3 + i), i < 3);
        scene_close(&s);
}

/* A list's time only rises, and it is not good for ever. */
static void lists(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_LIST, .by = "console", .expires_s = NOW_S + KEEPER_LIST_S };

        scene_open(&s);
        assert_int_equal(ask(&s, &q, NOW_S - 1), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        again(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_NOW);
        assert_int_equal(ask(&s, &q, NOW_S + 1), KEEPER_DONE);
        assert_int_equal(ask(&s, &q, q.expires_s), KEEPER_NOT_NOW);
        scene_close(&s);
}

/* A bit is used again a day after its pass is over, and is then not revoked any more. */
static void bits_come_again(void **state)
{
        struct scene s;
        struct keeper_request q, revoke = { .kind = KEEPER_REVOKE, .by = "chef", .handset = "phone 1" };
        uint32_t later = NOW_S + 8 * HOUR + LEDGER_REST_S;

        scene_open(&s);
        q = a_pass(&s);
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &revoke, NOW_S), KEEPER_DONE);
        q.not_before_s = later;
        q.not_after_s = later + HOUR;
        assert_int_equal(ask(&s, &q, later), KEEPER_DONE);
        assert_int_equal(s.answer.status, 1);
        assert_int_equal(ask(&s, &q, later + 1), KEEPER_DONE);
        assert_int_equal(s.answer.status, 0);
        assert_false(is_revoked(&s, 0, later + 2));
        again(&s);
        assert_false(is_revoked(&s, 0, later + 3));
        scene_close(&s);
}

/* ---- orders */

static void orders(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_ORDER,
                                    .by = "chef",
                                    .handset = "phone 1",
                                    .enrolment = "enrol",
                                    .what = ORDER_UNLOCK,
                                    .challenge = "1234567" };
        struct order_signed order;

        scene_open(&s);
        for (uint32_t i = 1; i <= 3; i++) {
                if (i == 2)
                        again(&s);
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_DONE);
                assert_int_equal(order_read(s.answer.object, &order, NULL), 0);
                assert_int_equal(order_verify_trusted(&order, &s.trust, NOW_S), 0);
                assert_int_equal(order.order.number, i);
                assert_int_equal(order.order.kind, ORDER_UNLOCK);
                assert_memory_equal(order.order.challenge, q.challenge, ORDER_CHALLENGE_SIZE);
                assert_memory_equal(order.order.handset.octets, q.handset, HANDSET_ID_SIZE);
        }
        assert_int_equal(ask(&s, &q, NOW_S), KEEPER_TOO_MANY);
        assert_int_equal(ask_as(&s, PEER_DISPATCHER, &q, NOW_S), KEEPER_NOT_YOURS);
        scene_close(&s);
}

/* A morning full of passes, each with its order, leaves a lost phone's wipe what it has; and the other way round. */
static void wipes_are_counted_apart(void **state)
{
        struct keeper_request pass = {
                .kind = KEEPER_ORDER, .by = "chef", .handset = "phone 1", .enrolment = "enrol", .what = ORDER_PASS
        };
        struct keeper_request wipe = pass;
        struct scene s;

        scene_open(&s);
        wipe.what = ORDER_WIPE;
        for (int i = 0; i < 10; i++)
                assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &pass, NOW_S), KEEPER_TOO_MANY);
        again(&s);
        for (int i = 0; i < 3; i++)
                assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_DONE);
        assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_TOO_MANY);
        wipe.what = ORDER_UNLOCK;
        assert_int_equal(ask(&s, &wipe, NOW_S), KEEPER_TOO_MANY);
        scene_close(&s);
}

/* ---- what is no request, and what refusals cost */

static void no_request(void **state)
{
        static const char *const cases[] = {
                "", "00", "80", "8101", "820106", "8602010060600000", "850101006000", "ff"
        };
        struct scene s;

        scene_open(&s);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct octets in = octets_from(cases[i]);

                assert_int_equal(keeper_answer(s.keeper, PEER_CONSOLE, octets_span(&in), &s.options.start, s.answered),
                                 0);
        }
        assert_int_equal(s.entries, 0);
        scene_close(&s);
}

static void refusals_are_bounded(void **state)
{
        struct scene s;
        struct keeper_request q = { .kind = KEEPER_REVOKE, .by = "x" };

        scene_open(&s);
        for (int i = 0; i < KEEPER_REFUSED_MAX + 10; i++)
                assert_int_equal(ask(&s, &q, NOW_S), KEEPER_NOT_FOUND);
        assert_int_equal(s.entries, KEEPER_REFUSED_MAX);
        assert_int_equal(ask(&s, &q, NOW_S + HOUR), KEEPER_NOT_FOUND);
        assert_int_equal(s.entries, KEEPER_REFUSED_MAX + 1);
        scene_close(&s);
}

static void keys_of_the_wrong_kind(void **state)
{
        struct scene s;
        struct keeper *none;
        struct keeper_options options;

        scene_open(&s);
        options = s.options;
        options.pass = s.ca;
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        options = s.options;
        options.position = s.keys[0];
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        options = s.options;
        options.order = NULL;
        assert_int_equal(keeper_new(&options, &none), -EINVAL);
        scene_close(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(issues),
                cmocka_unit_test(refuses_passes),
                cmocka_unit_test(so_many_an_hour),
                cmocka_unit_test(renewals_are_counted_apart),
                cmocka_unit_test(writes_first),
                cmocka_unit_test(revokes),
                cmocka_unit_test(lists),
                cmocka_unit_test(bits_come_again),
                cmocka_unit_test(orders),
                cmocka_unit_test(wipes_are_counted_apart),
                cmocka_unit_test(tells_marks),
                cmocka_unit_test(no_request),
                cmocka_unit_test(refusals_are_bounded),
                cmocka_unit_test(keys_of_the_wrong_kind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
