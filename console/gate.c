#include "console/gate.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/loop.h"
#include "console/store.h"

struct gate {
        struct loop *loop;
        struct store *store;
        const struct config *config;
        struct limit *limit;
        struct gate_counts counts;
        size_t waiting;
        bool closing;
        char nobody
                [PASSWORD_TEXT_SIZE]; /* hash of a password that nobody has: what unknown logins are checked against */
};

struct attempt {
        struct gate *gate;
        uv_work_t work;
        struct form form;
        char address[LIMIT_ADDRESS_SIZE];
        struct user_entry entry;
        bool known, match;
        int checked; /* what password_verify returned */
        struct gate_answer answer;
        gate_fn *done;
        void *user;
};

void gate_threads(void)
{
        setenv("UV_THREADPOOL_SIZE", GATE_SCRYPT_MAX, 1);
}

bool gate_has_page(uint8_t role)
{
        return role == ROLE_CONTROL || role == ROLE_SUPERVISOR || role == ROLE_ADMIN || role == ROLE_ISSUER;
}

int gate_new(struct loop *loop, struct store *store, const struct config *config, struct gate **ret_gate)
{
        struct gate *gate = calloc(1, sizeof(*gate));
        uint64_t seed;
        char password[32];
        int r = gate != NULL ? 0 : -ENOMEM;

        if (r == 0 && (RAND_bytes((unsigned char *)&seed, sizeof(seed)) != 1 ||
                       RAND_bytes((unsigned char *)password, sizeof(password)) != 1))
                r = -EIO;
        if (r < 0 || (r = limit_new(seed, &gate->limit)) < 0 ||
            (r = password_hash(password, sizeof(password), gate->nobody)) < 0) {
                gate_close(gate);
                return r;
        }
        gate->loop = loop;
        gate->store = store;
        gate->config = config;
        *ret_gate = gate;
        return 0;
}

static void gate_free(struct gate *gate)
{
        limit_free(gate->limit);
        free(gate);
}

void gate_close(struct gate *gate)
{
        if (gate == NULL)
                return;
        gate->closing = true;
        if (gate->waiting == 0)
                gate_free(gate);
}

const struct gate_counts *gate_counts(const struct gate *gate)
{
        return &gate->counts;
}

/* finish: answer, and forget the attempt with its password. */
static void finish(struct attempt *attempt, enum gate_result result)
{
        struct gate *gate = attempt->gate;
        gate_fn *done = attempt->done;

        gate->counts.ok += result == GATE_OK;
        gate->counts.wrong += result == GATE_WRONG;
        gate->counts.failed += result == GATE_AWAY || result == GATE_BUSY;
        attempt->answer.result = result;
        attempt->answer.entry = &attempt->entry;
        done(attempt->user, &attempt->answer);
        OPENSSL_cleanse(attempt, sizeof(*attempt));
        free(attempt);
        if (--gate->waiting == 0 && gate->closing)
                gate_free(gate);
}

static void on_kept(void *user, int result, const struct session *session, const struct user_entry *entry)
{
        struct attempt *attempt = user;
        char obj[8 + PERSON_ID_MAX];

        if (result < 0) {
                finish(attempt, GATE_AWAY);
                return;
        }
        snprintf(obj, sizeof(obj), "user:%s", attempt->form.login);
        log_info(obj, "logged in");
        finish(attempt, GATE_OK);
}

/* keep: the password was right: make the session and store it. */
static void keep(struct attempt *attempt)
{
        const struct config *config = attempt->gate->config;
        struct session session = { .begun_ms = clock_utc_ms() };
        uint8_t hash[SESSION_HASH_SIZE];
        struct store_who who = { attempt, on_kept };

        limit_success(attempt->gate->limit, attempt->form.login, attempt->address);
        if (!gate_has_page(attempt->entry.role)) {
                finish(attempt, GATE_ROLE);
                return;
        }
        strcpy(session.login, attempt->form.login);
        session.ends_ms = session.begun_ms + config->session_term_ms;
        if (session_token(attempt->answer.token) < 0 || session_hash(attempt->answer.token, hash) < 0 ||
            store_session_put(attempt->gate->store, hash, &session,
                              session_ttl_ms(&session, config->session_idle_ms, session.begun_ms), &who) < 0)
                finish(attempt, GATE_AWAY);
}

static void check_password(uv_work_t *work) /* in a worker thread: touches nothing but the attempt */
{
        struct attempt *attempt = work->data;
        const char *text = attempt->known ? attempt->entry.password : attempt->gate->nobody;

        attempt->checked =
                password_verify(attempt->form.password, strlen(attempt->form.password), text, &attempt->match);
}

static void on_checked(uv_work_t *work, int status)
{
        struct attempt *attempt = work->data;

        if (attempt->gate->closing || status < 0) {
                finish(attempt, GATE_BUSY);
        } else if (attempt->checked < 0) {
                log_error(NULL, "login: a password cannot be checked: %s", strerror(-attempt->checked));
                finish(attempt, GATE_WRONG);
        } else if (!attempt->match || !attempt->known || attempt->entry.disabled) {
                log_info(NULL, "login refused, from %s", attempt->address);
                finish(attempt, GATE_WRONG);
        } else {
                keep(attempt);
        }
}

static void on_user(void *user, int result, const struct session *session, const struct user_entry *entry)
{
        struct attempt *attempt = user;

        attempt->known = result == 0 && entry != NULL;
        if (attempt->known)
                attempt->entry = *entry;
        if (result == -EAGAIN) {
                limit_success(attempt->gate->limit, attempt->form.login, attempt->address); /* nothing was tried */
                finish(attempt, GATE_AWAY);
        } else if (uv_queue_work(loop_uv(attempt->gate->loop), &attempt->work, check_password, on_checked) < 0) {
                finish(attempt, GATE_BUSY);
        }
}

void gate_login(struct gate *gate, const struct form *form, const char *address, gate_fn *done, void *user)
{
        struct gate_answer refused = { .result = GATE_BUSY };
        struct attempt *attempt;
        struct store_who who;

        refused.wait_ms = limit_attempt(gate->limit, form->login, address, clock_mono_ms());
        if (refused.wait_ms > 0) {
                refused.result = GATE_WAIT;
                gate->counts.limited++;
                done(user, &refused);
                return;
        }
        if (gate->waiting == GATE_WAITING_MAX || (attempt = calloc(1, sizeof(*attempt))) == NULL) {
                gate->counts.failed++;
                done(user, &refused);
                return;
        }
        *attempt = (struct attempt){ .gate = gate, .form = *form, .done = done, .user = user };
        snprintf(attempt->address, sizeof(attempt->address), "%s", address);
        attempt->work.data = attempt;
        gate->waiting++;
        who = (struct store_who){ attempt, on_user };
        if (store_user(gate->store, form->login, &who) < 0) {
                limit_success(gate->limit, form->login, address);
                finish(attempt, GATE_AWAY);
        }
}
