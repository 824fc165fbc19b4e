#include "device/handset/host/battery.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_line(const char *folder, const char *supply, const char *file, char *line, int size)
{
        char path[512];
        FILE *f;
        int r = -1;

        snprintf(path, sizeof(path), "%s/%.100s/%s", folder, supply, file);
        f = fopen(path, "re");
        if (f == NULL)
                return -1;
        if (fgets(line, size, f) != NULL) {
                line[strcspn(line, "\n")] = 0;
                r = 0;
        }
        fclose(f);
        return r;
}

/* No file says so: the kernel writes it for what is not the machine's own. */
static bool is_own(const char *folder, const char *supply)
{
        char line[32];

        return read_line(folder, supply, "scope", line, sizeof(line)) < 0 || strcmp(line, "Device") != 0;
}

uint8_t battery_read(const char *folder)
{
        DIR *dir = opendir(folder);
        struct dirent *entry;
        uint8_t percent = 255;
        char line[32], *end;

        while (dir != NULL && percent == 255 && (entry = readdir(dir)) != NULL) {
                if (entry->d_name[0] == '.' || read_line(folder, entry->d_name, "type", line, sizeof(line)) < 0 ||
                    strcmp(line, "Battery") != 0 || !is_own(folder, entry->d_name) ||
                    read_line(folder, entry->d_name, "capacity", line, sizeof(line)) < 0)
                        continue;
                long n = strtol(line, &end, 10);
                if (end != line && *end == 0 && n >= 0 && n <= 100)
                        percent = (uint8_t)n;
        }
        if (dir != NULL)
                closedir(dir);
        return percent;
}
