#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/conf_value.h"
#include "base/file.h"
#include "base/version.h"

/* What the command line asks. */
struct request {
        const char *file;
        const char *overrides[CONF_OVERRIDES_MAX];
        size_t override_count;
        bool check_only, help, version;
};

void conf_help(const struct conf_table *table, FILE *out)
{
        fprintf(out, "%s: %s\n\nusage: %s [-n] [-c FILE] [-o section.key=value]...%s%s\n", table->program,
                table->summary, table->program, table->usage[0] != '\0' ? " " : "", table->usage);
        fprintf(out, "  -c FILE               read this configuration (%s)\n",
                table->default_file != NULL ? table->default_file : "default: none");
        fprintf(out, "  -o section.key=value  replace what the file says; may be repeated\n"
                     "  -n                    check the configuration and stop\n"
                     "  --help, --version\n\nkeys:\n");
        for (size_t i = 0; i < table->count; i++) {
                const struct conf_option *option = &table->options[i];
                char rule[CONF_RULE_SIZE];

                conf_value_rule(option, rule);
                fprintf(out, "  %s = %s\n      %s; %s\n", option->key,
                        option->fallback == NULL ? "(must be given)" : option->fallback, option->help, rule);
        }
}

static int read_request(const struct conf_table *table, const struct conf_args *args, struct request *request)
{
        static const struct option longs[] = { { "help", no_argument, NULL, 'h' },
                                               { "version", no_argument, NULL, 'V' },
                                               { NULL, 0, NULL, 0 } };
        int c;

        while ((c = getopt_long(args->argc, args->argv, "+c:no:", longs, NULL)) != -1)
                switch (c) {
                case 'c':
                        request->file = optarg;
                        break;
                case 'n':
                        request->check_only = true;
                        break;
                case 'o':
                        if (request->override_count == CONF_OVERRIDES_MAX) {
                                fprintf(stderr, "%s: more than %d -o\n", table->program, CONF_OVERRIDES_MAX);
                                return -EINVAL;
                        }
                        request->overrides[request->override_count++] = optarg;
                        break;
                case 'h':
                        request->help = true;
                        break;
                case 'V':
                        request->version = true;
                        break;
                default:
                        fprintf(stderr, "%s: see --help\n", table->program);
                        return -EINVAL;
                }
        return 0;
}

/* Read the file asked for, or the default one if it is there. */
static int read_config(const struct conf_table *table, const struct request *request, void *config)
{
        struct conf_source source = { .file = request->file,
                                      .overrides = request->overrides,
                                      .override_count = request->override_count };
        char errors[CONF_ERRORS_SIZE], *text = NULL;
        int r = 0;

        if (source.file == NULL && table->default_file != NULL && access(table->default_file, F_OK) == 0)
                source.file = table->default_file;
        if (source.file != NULL && (r = file_read(source.file, CONF_FILE_MAX, &text, &source.len)) < 0) {
                fprintf(stderr, "%s: %s: %s\n", table->program, source.file, strerror(-r));
                return r;
        }
        if (source.file == NULL)
                source.file = "no configuration file (-c)";
        source.text = text;
        if ((r = conf_parse(table, &source, config, errors)) < 0)
                fputs(errors, stderr);
        else if (request->check_only)
                printf("%s: good\n", source.file);
        free(text);
        return r;
}

int conf_main(const struct conf_table *table, const struct conf_args *args, void *config, int *ret_rest,
              enum conf_next *ret_next)
{
        struct request request = { 0 };
        int r = read_request(table, args, &request);

        if (r < 0)
                return r;
        *ret_next = CONF_STOP;
        if (request.help) {
                conf_help(table, stdout);
                return 0;
        }
        if (request.version) {
                printf("%s %s\n", table->program, VIGIE_VERSION);
                return 0;
        }
        if (ret_rest == NULL && optind < args->argc) {
                fprintf(stderr, "%s: %s: not understood, see --help\n", table->program, args->argv[optind]);
                return -EINVAL;
        }
        if ((r = read_config(table, &request, config)) < 0)
                return r;
        if (ret_rest != NULL)
                *ret_rest = optind;
        if (!request.check_only)
                *ret_next = CONF_RUN;
        return 0;
}
