/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds every file of the folders named on the command line to a fuzz harness, once. An empty folder is an
 * error: a replay that replays nothing proves nothing.
 */
#include <stdio.h>

#include "base/fs.h"

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct replay {
    int dirfd;
    size_t count;
};

static int feed(void *ctx, const char *name, struct err *e)
{
    struct replay *replay = ctx;
    AUTO(buf) struct buf bytes = {0};
    if (fs_read_at(replay->dirfd, name, INPUT_MAX, &bytes, e))
        return -1;
    LLVMFuzzerTestOneInput(bytes.data, bytes.len);
    replay->count++;
    return 0;
}

int main(int argc, char **argv)
{
    struct replay replay = {.dirfd = -1};
    struct err e;
    for (int i = 1; i < argc; i++) {
        AUTO_FD int dirfd = -1;
        replay.count = 0;
        if (fs_open_dir(argv[i], &dirfd, &e) == 0) {
            replay.dirfd = dirfd;
            if (fs_each(dirfd, feed, &replay, &e) == 0 && replay.count > 0)
                continue;
        }
        fprintf(stderr, "%s: %s\n", argv[i], replay.count ? e.message : "nothing to replay");
        return 1;
    }
    return 0;
}
