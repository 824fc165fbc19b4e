/* A wipe cut short: whatever the moment, the next start ends it, and has what is to be told. */
#include "device/handset/host/wiping.h"

#include "tests/device/handset/host/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY          "the alert key"
#define PIN          "scrypt$of a PIN"
#define CONFIRMATION ((struct cbor_span){ (const uint8_t *)"signed: wiped", 13 })

static const uint8_t enrolment[VIGIE_ENROLMENT_SIZE] = "enrolled";
static const char *const files[] = { "key.pem",      "journal",     "certificate.pem",
                                     "vault/secret", "vault/vault", "vault/tries" };

struct phone {
        struct folder folder;
        struct config config;
        char vault[128];
};

static void path_in(struct phone *p, const char *name, char to[CONFIG_PATH_MAX])
{
        char path[128];

        snprintf(to, CONFIG_PATH_MAX, "%s", folder_file(&p->folder, name, path));
}

static void fill(struct phone *p)
{
        folder_file(&p->folder, "vault", p->vault);
        assert_true(mkdir(p->vault, 0700) == 0 || errno == EEXIST);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                put(&p->folder, files[i], i == 0 ? KEY : "what the phone kept");
        put(&p->folder, "handset.conf", PIN);
        put(&p->folder, "photo", "private");
}

static void begin(struct phone *p)
{
        memset(p, 0, sizeof(*p));
        folder_make(&p->folder);
        path_in(p, "key.pem", p->config.key);
        path_in(p, "certificate.pem", p->config.certificate);
        path_in(p, "journal", p->config.journal);
        path_in(p, "handset.conf", p->config.file);
        strcpy(p->config.ca, "/etc/shared-by-phones.pem");
        strcpy(p->config.socket, "/run/socket");
        strcpy(p->config.modem_device, "/dev/ttyUSB2");
        strcpy(p->config.modem_number, "+33600000000");
        fill(p);
}

static void end(struct phone *p)
{
        char command[200];

        snprintf(command, sizeof(command), "rm -rf '%s'", p->vault);
        assert_int_equal(system(command), 0);
        folder_remove(&p->folder);
}

static bool is_there(struct phone *p, const char *name)
{
        char path[128];

        return access(folder_file(&p->folder, name, path), F_OK) == 0;
}

static bool holds(struct phone *p, const char *name, const char *text)
{
        char path[128], *data = NULL;
        size_t len;
        bool found =
                file_read(folder_file(&p->folder, name, path), 1 << 16, &data, &len) == 0 && strstr(data, text) != NULL;

        free(data);
        return found;
}

/* Everything is gone, what is the person's is there, and so are the page and the modem. */
static void assert_wiped(struct phone *p)
{
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                if (is_there(p, files[i]))
                        fail_msg("%s is there", files[i]);
        assert_false(is_there(p, "handset.conf.old"));
        assert_true(is_there(p, "vault/wiped"));
        assert_true(holds(p, "photo", "private"));
        assert_true(holds(p, "handset.conf", "/dev/ttyUSB2"));
        assert_true(holds(p, "handset.conf", "vault"));
        assert_false(holds(p, "handset.conf", PIN));
}

/* The next start, which knows of the configuration what is left of it. */
static int next_start(struct phone *p, struct wiping **ret_wiping)
{
        struct config left = { .page_port = 80 };
        int r;

        strcpy(left.file, p->config.file);
        strcpy(left.journal, p->config.journal);
        strcpy(left.modem_device, p->config.modem_device);
        strcpy(left.modem_number, p->config.modem_number);
        r = wiping_read(&left, p->vault, ret_wiping);
        return r;
}

static void whole(void **state)
{
        struct phone p;
        struct wiping *w, *again;

        begin(&p);
        w = wiping_new(&p.config, p.vault, enrolment, CONFIRMATION);
        assert_int_equal(wiping_do(p.vault, w, 1767225600), 0);
        assert_wiped(&p);
        assert_int_equal(next_start(&p, &again), 0);
        assert_true(again->erased);
        assert_int_equal(again->confirmation_len, CONFIRMATION.len);
        assert_memory_equal(again->confirmation, CONFIRMATION.at, CONFIRMATION.len);
        assert_memory_equal(again->enrolment, enrolment, sizeof(enrolment));
        assert_int_equal(wiping_told(p.vault), 0);
        free(again);
        assert_int_equal(next_start(&p, &again), -ENOENT);
        free(w);
        end(&p);
}

/* A key that did not sign: wiped, and nothing is left to be told.  A record that is none. */
static void nothing_to_tell(void **state)
{
        struct phone p;
        struct wiping *w, *again;

        begin(&p);
        w = wiping_new(&p.config, p.vault, enrolment, (struct cbor_span){ NULL, 0 });
        assert_int_equal(wiping_do(p.vault, w, 1767225600), 0);
        assert_wiped(&p);
        assert_int_equal(next_start(&p, &again), -ENOENT);
        put(&p.folder, "vault/wiping", "nonsense");
        assert_int_equal(next_start(&p, &again), -EBADMSG);
        free(w);
        end(&p);
}

/* A configuration that is not in the phone's folder stays, and so does a file that several phones share. */
static void not_its_own(void **state)
{
        struct phone p;
        struct wiping *w, *again;

        begin(&p);
        put(&p.folder, "vault/shared.conf", "theirs");
        path_in(&p, "vault/shared.conf", p.config.file);
        w = wiping_new(&p.config, p.vault, enrolment, CONFIRMATION);
        assert_int_equal(wiping_do(p.vault, w, 1767225600), 0);
        assert_int_equal(next_start(&p, &again), 0);
        assert_int_equal(wiping_do(p.vault, again, 1767225600), 0);
        assert_true(holds(&p, "vault/shared.conf", "theirs"));
        for (size_t i = 0; i < w->path_count; i++)
                assert_null(strstr(w->paths[i], "shared"));
        free(w);
        free(again);
        end(&p);
}

/* /etc/vigie/handset.conf may be a link to the one beside the key: that one is wiped, at a later start too, and the link stays. */
static void linked(void **state)
{
        struct phone p;
        struct wiping *w, *again;

        begin(&p);
        path_in(&p, "vault/link.conf", p.config.file);
        assert_int_equal(symlink("../handset.conf", p.config.file), 0);
        w = wiping_new(&p.config, p.vault, enrolment, CONFIRMATION);
        for (int start = 0; start < 2; start++) {
                assert_int_equal(wiping_do(p.vault, w, 1767225600), 0);
                assert_wiped(&p);
                assert_true(holds(&p, "vault/link.conf", "/dev/ttyUSB2"));
                assert_int_equal(next_start(&p, &again), 0);
                free(w);
                w = again;
                fill(&p);
        }
        free(w);
        end(&p);
}

/* The wipe, dead at its COUNTth stop (a system call's beginning or end).  Returns whether it came to its end before. */
static bool die_at(struct phone *p, int count)
{
        struct wiping *w = wiping_new(&p->config, p->vault, enrolment, CONFIRMATION);
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                ptrace(PTRACE_TRACEME, 0, NULL, NULL);
                raise(SIGSTOP);
                _exit(wiping_do(p->vault, w, 1767225600) == 0 ? 0 : 1);
        }
        free(w);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        for (int i = 0; i < count && WIFSTOPPED(status); i++) {
                assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
        }
        if (WIFEXITED(status)) {
                assert_int_equal(WEXITSTATUS(status), 0);
                return true;
        }
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return false;
}

/* At every step: nothing has happened yet, and the region gives the order again; or the record is there, and what follows from it. */
static void killed_at_each_step(void **state)
{
        struct wiping *again;
        struct phone p;
        bool ended = false;
        int begun = 0, count = 1;

        begin(&p);
        for (; !ended; count += 2) { /* before each system call */
                int r;

                fill(&p);
                wiping_told(p.vault);
                unlink(strcat(strcpy((char[CONFIG_PATH_MAX + 8]){ 0 }, p.config.file), ".old"));
                ended = die_at(&p, count);
                assert_true(is_there(&p, "handset.conf"));
                r = next_start(&p, &again);
                if (r == -ENOENT) { /* not a thing is gone */
                        assert_true(holds(&p, "key.pem", KEY) && holds(&p, "handset.conf", PIN) &&
                                    is_there(&p, "vault/secret"));
                        continue;
                }
                assert_int_equal(r, 0);
                begun++;
                assert_int_equal(again->confirmation_len, CONFIRMATION.len);
                if (!again->erased)
                        assert_int_equal(wiping_do(p.vault, again, 1767225600), 0);
                free(again);
                assert_wiped(&p);
                assert_int_equal(next_start(&p, &again), 0);
                assert_true(again->erased);
                assert_memory_equal(again->confirmation, CONFIRMATION.at, CONFIRMATION.len);
                free(again);
        }
        assert_in_range(begun, 25, count);
        end(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whole),  cmocka_unit_test(nothing_to_tell),     cmocka_unit_test(not_its_own),
                cmocka_unit_test(linked), cmocka_unit_test(killed_at_each_step),
        };

        if (access("/dev/shm", W_OK) == 0)
                setenv("TMPDIR", "/dev/shm", 1); /* thousands of fsyncs: the disk is not what is tested */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
