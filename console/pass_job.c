/* What is under way, and the keeper's answers to it. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "console/page.h"
#include "console/pass_inside.h"

struct job *job_new(struct pass_desk *desk, const struct pass_page *page, const uint8_t command[EVENT_ID_SIZE])
{
        struct job *job = desk->jobs < PASS_JOBS_MAX ? calloc(1, sizeof(*job)) : NULL;

        if (job == NULL)
                return NULL;
        desk->jobs++;
        job->desk = desk;
        if (page != NULL) {
                job->page = page->number;
                job->viewer = page->page->viewer;
                memcpy(job->command, command, EVENT_ID_SIZE);
        }
        return job;
}

void job_end(struct job *job, enum pass_code code)
{
        struct pass_desk *desk = job->desk;
        struct pass_page *page = desk->pages;
        struct job *parent = job->parent;

        while (page != NULL && page->number != job->page)
                page = page->next;
        if (page != NULL)
                page_push_new(page->page, pass_view_answer(job->command, code, json_incref(job->more)));
        issue_claim_end(job);
        json_decref(job->more);
        free(job->plan);
        free(job->parcel);
        free(job);
        desk->jobs--;
        if (parent != NULL)
                again_ended(parent, code);
}

struct question {
        struct job *job;
        keeper_fn *done;
        uint8_t kind;
        uint32_t ref;
};

static void on_answer(void *user, const uint8_t *octets, size_t len)
{
        struct question q = *(struct question *)user;
        struct keeper_answer answer;
        enum pass_code code;

        free(user);
        if (octets == NULL) {
                q.done(q.job, CODE_KEEPER_AWAY, NULL);
                return;
        }
        if (keeper_answer_decode((struct cbor_span){ octets, len }, &answer) < 0 || answer.kind != q.kind ||
            answer.ref != q.ref) {
                log_error(NULL, "keeper: an answer that was not asked for");
                q.done(q.job, CODE_KEEPER_FAILED, NULL);
                return;
        }
        code = pass_code_of_keeper(answer.code);
        /* "no such pass" is an answer to a revocation: it is over or revoked there already */
        if (answer.kind == KEEPER_REVOKE && answer.code == KEEPER_NOT_FOUND)
                code = CODE_DONE;
        if (code != CODE_DONE)
                log_warn(NULL, "keeper: %s refused: %s", keeper_kind_name(q.kind), keeper_code_name(answer.code));
        q.done(q.job, code, code == CODE_DONE ? &answer : NULL);
}

void keeper_ask(struct job *job, const struct keeper_request *request, keeper_fn *done)
{
        struct pass_desk *desk = job->desk;
        struct keeper_request asked = *request;
        struct question *q = malloc(sizeof(*q));
        uint8_t *buf = malloc(KEEPER_MESSAGE_MAX);
        int n = -1;

        asked.ref = ++desk->ref;
        if (q != NULL && buf != NULL && desk->keeper != NULL) {
                *q = (struct question){ job, done, asked.kind, asked.ref };
                n = keeper_request_encode(&asked, buf, KEEPER_MESSAGE_MAX);
                if (n > 0)
                        n = seqpacket_ask(desk->keeper, buf, (size_t)n, on_answer, q);
        }
        free(buf);
        if (n == 0)
                return;
        free(q);
        done(job, desk->keeper == NULL ? CODE_KEEPER_NONE : CODE_KEEPER_AWAY, NULL);
}
