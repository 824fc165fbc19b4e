#include "device/handset/host/wiping.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define FORMAT     1
#define RECORD_MAX (64 + VIGIE_SMS_MAX + WIPING_PATHS_MAX * (WIPING_PATH_SIZE + 3))
#define NAME       "wiping"
#define BEFORE     ".old" /* the configuration's own blocks, until they are overwritten */

static const char *record_of(const char *folder, char path[WIPING_PATH_SIZE])
{
        snprintf(path, WIPING_PATH_SIZE, "%s/" NAME, folder);
        return path;
}

/* ---- what there is to erase */

/* Only what lies in the phone's own folder, where its key is: a file that several phones of one machine share is not its own. */
static bool is_own(const struct config *c, const char *path)
{
        const char *end = strrchr(c->key, '/');
        size_t len = end != NULL ? (size_t)(end - c->key + 1) : 0;

        return path[0] != 0 && strncmp(path, c->key, len) == 0 && strchr(path + len, '/') == NULL;
}

/* own_file: the configuration, where it lies there or its name is a link to one that does, else "". */
static void own_file(const struct config *c, char to[CONFIG_PATH_MAX])
{
        char *real = is_own(c, c->file) ? NULL : realpath(c->file, NULL);
        const char *file = real != NULL ? real : c->file;

        to[0] = 0;
        if (is_own(c, file) && strlen(file) < CONFIG_PATH_MAX)
                strcpy(to, file);
        free(real);
}

static void add(struct wiping *w, const char *path, const char *suffix)
{
        if (path[0] != 0 && w->path_count < WIPING_PATHS_MAX)
                snprintf(w->paths[w->path_count++], WIPING_PATH_SIZE, "%s%s", path, suffix);
}

static void name_files(struct wiping *w, const struct config *c)
{
        static const char *const suffixes[] = { "", ".new", ".torn", ".bad", ".lock" };
        const char *const others[] = { c->certificate, c->trust, c->ca, c->root };

        add(w, c->key, "");
        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
                add(w, c->journal, suffixes[i]);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                if (is_own(c, others[i]))
                        add(w, others[i], "");
        add(w, w->file, BEFORE);
}

/* Where the page is, so that it still says that this phone was wiped; the modem, by which the region is told. */
static void name_left(struct wiping *w, const struct config *c, const char *folder)
{
        int n = snprintf(
                w->leave, sizeof(w->leave),
                "[journal]\npath = %s\n[command]\nsocket = %s\n[page]\nport = %d\npath = %s\n[vault]\npath = %s\n",
                c->journal, c->socket, (int)c->page_port, c->page_path, folder);

        if (c->modem_device[0] != 0)
                snprintf(w->leave + n, sizeof(w->leave) - (size_t)n, "[modem]\ndevice = %s\nbaud = %d\nnumber = %s\n",
                         c->modem_device, (int)c->modem_baud, c->modem_number);
}

struct wiping *wiping_new(const struct config *config, const char *folder,
                          const uint8_t enrolment[VIGIE_ENROLMENT_SIZE], struct cbor_span confirmation)
{
        struct wiping *w = calloc(1, sizeof(*w));

        if (w == NULL)
                return NULL;
        memcpy(w->enrolment, enrolment, VIGIE_ENROLMENT_SIZE);
        w->confirmation_len = confirmation.len <= VIGIE_SMS_MAX ? confirmation.len : 0;
        if (w->confirmation_len > 0)
                memcpy(w->confirmation, confirmation.at, w->confirmation_len);
        own_file(config, w->file);
        name_files(w, config);
        name_left(w, config, folder);
        return w;
}

/* ---- the record */

static int record_write(const char *folder, const struct wiping *w)
{
        uint8_t *octets = malloc(RECORD_MAX);
        char path[WIPING_PATH_SIZE];
        struct cbor_writer to;
        int r;

        if (octets == NULL)
                return -ENOMEM;
        cbor_writer_init(&to, octets, RECORD_MAX);
        cbor_write_array(&to, 5);
        cbor_write_uint(&to, FORMAT);
        cbor_write_bytes(&to, CBOR_OCTETS(w->enrolment));
        cbor_write_bytes(&to, (struct cbor_span){ w->confirmation, w->confirmation_len });
        cbor_write_bool(&to, w->erased);
        cbor_write_array(&to, w->path_count);
        for (size_t i = 0; i < w->path_count; i++)
                cbor_write_bytes(&to, (struct cbor_span){ (const uint8_t *)w->paths[i], strlen(w->paths[i]) });
        r = file_write(record_of(folder, path), octets, to.len, 0600);
        free(octets);
        return r;
}

static int record_read(struct cbor_span in, struct wiping *w)
{
        struct cbor_span one;
        struct cbor_reader r;

        cbor_reader_init(&r, in);
        cbor_enter_array(&r);
        if (cbor_read_uint(&r, UINT32_MAX) != FORMAT)
                cbor_refuse(&r, "another format");
        cbor_read_octets(&r, w->enrolment, sizeof(w->enrolment));
        one = cbor_read_bytes(&r, 0, sizeof(w->confirmation));
        w->confirmation_len = one.len;
        if (one.len > 0)
                memcpy(w->confirmation, one.at, one.len);
        w->erased = cbor_read_bool(&r);
        cbor_enter_array(&r);
        while (cbor_more(&r) && w->path_count < WIPING_PATHS_MAX) {
                one = cbor_read_bytes(&r, 1, WIPING_PATH_SIZE - 1);
                if (one.len > 0)
                        memcpy(w->paths[w->path_count++], one.at, one.len);
        }
        cbor_leave(&r);
        cbor_leave(&r);
        return cbor_end(&r);
}

/* name_again: the configuration, where the record has it: by the name that it has now, or by what that is a link to. */
static void name_again(struct wiping *w, const char *file)
{
        const char *before = w->path_count > 0 ? w->paths[w->path_count - 1] : "";
        size_t len = strlen(before), tail = strlen(BEFORE);
        char *real = realpath(file, NULL);

        if (len <= tail || len - tail >= CONFIG_PATH_MAX || strcmp(before + len - tail, BEFORE) != 0)
                len = tail; /* not its own */
        memcpy(w->file, before, len - tail);
        w->file[len - tail] = 0;
        if (strcmp(w->file, file) != 0 && (real == NULL || strcmp(w->file, real) != 0))
                w->file[0] = 0;
        free(real);
}

int wiping_read(const struct config *config, const char *folder, struct wiping **ret_wiping)
{
        char path[WIPING_PATH_SIZE], *data = NULL;
        struct wiping *w;
        size_t len;
        int r = file_read(record_of(folder, path), RECORD_MAX, &data, &len);

        if (r < 0)
                return r;
        w = calloc(1, sizeof(*w));
        r = w != NULL ? record_read((struct cbor_span){ (const uint8_t *)data, len }, w) : -ENOMEM;
        free(data);
        if (r < 0) {
                free(w);
                return r;
        }
        name_left(w, config, folder);
        name_again(w, config->file);
        *ret_wiping = w;
        return 0;
}

/* ---- doing it */

/* The configuration at once becomes what is left of it: at no moment is there none.  Its blocks stay behind another name until they are
 * overwritten; a file system without hard links overwrites them first. */
static int leave(const struct wiping *w)
{
        char before[WIPING_PATH_SIZE];
        int r = 0;

        if (w->file[0] == 0)
                return 0;
        snprintf(before, sizeof(before), "%s" BEFORE, w->file);
        if (link(w->file, before) < 0 && errno != EEXIST && errno != ENOENT)
                r = file_erase(w->file);
        return r < 0 ? r : file_write(w->file, w->leave, strlen(w->leave), 0600);
}

int wiping_do(const char *folder, struct wiping *w, uint32_t now_s)
{
        struct vault_place place = { folder, "" };
        int first = 0, r;

        w->erased = false;
        record_write(folder, w); /* a full disk keeps no phone from being wiped */
        if (w->path_count > 0)
                first = file_erase(w->paths[0]);
        r = vault_files_wipe(&place, now_s);
        first = first < 0 ? first : r;
        r = leave(w);
        first = first < 0 ? first : r;
        for (size_t i = 1; i < w->path_count; i++) {
                r = file_erase(w->paths[i]);
                first = first < 0 ? first : r;
        }
        if (first < 0)
                return first;
        w->erased = true;
        return w->confirmation_len > 0 ? record_write(folder, w) : wiping_told(folder);
}

int wiping_told(const char *folder)
{
        char path[WIPING_PATH_SIZE];

        return file_erase(record_of(folder, path));
}
