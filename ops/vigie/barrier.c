#include "geo/barrier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ops/vigie/command.h"
#include "ops/vigie/say.h"
#include "ops/vigie/shapes.h"

int shapes_read(const char *path, char **ret_text, size_t *ret_len)
{
        int r = file_read(path, GEOJSON_TEXT_MAX, ret_text, ret_len);

        if (r < 0)
                say_wrong("%s: %s", path, strerror(-r));
        return r;
}

/* Barriers have no ids: a file takes the place of the one before. */
static int import(struct region *region, const void *of, int argc, char **argv)
{
        struct geo_error error = { "" };
        struct barriers *barriers = NULL;
        struct geojson *json = NULL;
        char *text = NULL;
        const char *file;
        size_t len;
        int r;

        if (choices_read(&(struct choices){ .usage = "barrier import FILE.geojson", .words_wanted = 1 }, argc, argv,
                         &file) < 0)
                return EXIT_USAGE;
        if ((r = shapes_read(file, &text, &len)) < 0)
                return EXIT_REFUSED;
        if ((r = barriers_read(text, len, &barriers, &error)) < 0 || (r = geojson_read(text, len, &json, &error)) < 0)
                say_wrong("%s: %s", file, error.text);
        else if ((r = region_write(region, REGION_BARRIERS, text, len, 0644)) == 0)
                printf("%zu barriers; dispatchers take them when they start\n", geojson_count(json));
        geojson_free(json);
        barriers_free(barriers);
        free(text);
        return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int barrier_main(struct region *region, int argc, char **argv)
{
        static const struct verb verbs[] = { { "import", "FILE.geojson", import, NULL }, { 0 } };

        return verbs_main(verbs, region, argc, argv);
}
