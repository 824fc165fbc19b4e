#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/fleet/fleet.h"

static const struct option options[] = {
        { "region", required_argument, NULL, 'r' },   { "port", required_argument, NULL, 'p' },
        { "carriers", required_argument, NULL, 'c' }, { "supervisors", required_argument, NULL, 's' },
        { "rate", required_argument, NULL, 'R' },     { "seconds", required_argument, NULL, 'S' },
        { "seed", required_argument, NULL, 'x' },     { "prefix", required_argument, NULL, 'P' },
        { "console-port", required_argument, NULL, 'C' }, { "cookie", required_argument, NULL, 'k' },
        { "login", required_argument, NULL, 'l' },    { "store-password", required_argument, NULL, 'w' },
        { "folder", required_argument, NULL, 'f' },   { "alert-port", required_argument, NULL, 'a' },
        { "via", required_argument, NULL, 'v' },      { "json", no_argument, NULL, 'j' },           { 0 },
};

static int usage(void)
{
        fprintf(stderr, "usage: vigie-fleet walk --region DIR --port N [--carriers N] [--supervisors N] [--seed N] [--prefix P]\n"
                        "       vigie-fleet press --region DIR --port N --carriers N --rate PER_S --seconds N\n"
                        "                         --console-port N --cookie C --login L --store-password P [--json]\n"
                        "       vigie-fleet keep --region DIR --port N --folder DIR [--alert-port N] [--via N] [--carriers N]\n"
                        "                         [--supervisors N] [--rate PER_S]\n"
                        "       vigie-fleet sms --region DIR [--carriers N] [--prefix P]\n");
        return 2;
}

int main(int argc, char **argv)
{
        struct fleet_options o = { .prefix = "fleet", .carriers = 200, .supervisors = 20, .rate = 10, .seconds = 10, .seed = 1,
                                   .console_cookie = "", .login = "", .store_password = "" };
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (c) {
                case 'r': o.region = optarg; break;
                case 'p': o.port = (unsigned)atoi(optarg); break;
                case 'c': o.carriers = (unsigned)atoi(optarg); break;
                case 's': o.supervisors = (unsigned)atoi(optarg); break;
                case 'R': o.rate = (unsigned)atoi(optarg); break;
                case 'S': o.seconds = (unsigned)atoi(optarg); break;
                case 'x': o.seed = (unsigned)atoi(optarg); break;
                case 'P': o.prefix = optarg; break;
                case 'C': o.console_port = (unsigned)atoi(optarg); break;
                case 'k': o.console_cookie = optarg; break;
                case 'l': o.login = optarg; break;
                case 'w': o.store_password = optarg; break;
                case 'f': o.folder = optarg; break;
                case 'a': o.alert_port = (unsigned)atoi(optarg); break;
                case 'v': o.via = (unsigned)atoi(optarg); break;
                case 'j': o.json = true; break;
                default: return usage();
                }
        }
        if (optind != argc - 1 || o.region == NULL)
                return usage();
        log_open("vigie-fleet", LOG_LEVEL_INFO);
        if (strcmp(argv[optind], "sms") == 0)
                return sms_main(&o);
        if (o.port == 0)
                return usage();
        if (strcmp(argv[optind], "keep") == 0 && o.folder != NULL)
                return keep_main(&o);
        if (strcmp(argv[optind], "walk") == 0)
                return walk_main(&o);
        if (strcmp(argv[optind], "press") == 0 && o.console_port != 0)
                return press_main(&o);
        return usage();
}
