/* SPDX-License-Identifier: Apache-2.0
 *
 * fetch_files() alone, for a comparison with another downloader on the same URLs:
 *
 *     bench_fetch CA-FILE STORE-FOLDER PARALLEL < list      each line: URL SHA256 SIZE
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "fetch/file.h"

static struct fetch_file *read_list(size_t *ret_count)
{
    struct fetch_file *files = NULL;
    size_t count = 0, room = 0;
    char url[1024], hex[HASH_HEX_SIZE];
    uint64_t size;
    while (scanf("%1023s %64s %" SCNu64, url, hex, &size) == 3) {
        mem_grow(&files, count, &room, sizeof *files);
        files[count] = (struct fetch_file){.name = mem_strdup(url), .size = size};
        files[count].url = files[count].name;
        if (!hex_decode(hex, strlen(hex), files[count].sha256, HASH_SIZE))
            exit(EXIT_USAGE);
        count++;
    }
    *ret_count = count;
    return files;
}

int main(int argc, char **argv)
{
    struct err e;
    struct http *http;
    struct store store;
    size_t count;
    if (argc != 4)
        return EXIT_USAGE;
    struct fetch_file *files = read_list(&count);
    const struct http_options options = {.ca_file = argv[1], .parallel = (unsigned)atoi(argv[3])};
    const struct store_paths paths = {argv[2], argv[2], argv[2]};
    if (store_open(&paths, &store, &e) || http_open(&options, &http, &e) ||
        fetch_files(http, &store, files, count, NULL, &e)) {
        fprintf(stderr, "bench_fetch: %s\n", e.message);
        return EXIT_INTERNAL;
    }
    http_close(http);
    store_close(&store);
    for (size_t i = 0; i < count; i++)
        free((void *)files[i].name);
    free(files);
    return EXIT_DONE;
}
