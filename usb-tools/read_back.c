/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/read_back.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

static void count(void *progress, uint64_t bytes)
{
    progress_add(progress, bytes);
}

/* The pages were written by fs_sync_all() and are dropped here. */
static int check(int dirfd, const struct read_back_file *f, struct progress *progress, struct err *e)
{
    AUTO_FD int fd = -1;
    uint8_t digest[HASH_SIZE];
    if (fs_open_at(dirfd, f->path, O_RDONLY, 0, &fd, e))
        return -1;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (hash_file(fd, count, progress, digest, e))
        return -1;
    if (memcmp(digest, f->sha256, HASH_SIZE) != 0)
        return err_set(e, ERR_READ_BACK, "the medium returns other bytes than were written");
    return 0;
}

int read_back(int dirfd, const struct read_back_file *files, size_t n, struct progress *progress,
              struct err *e)
{
    if (fs_sync_all(dirfd, e))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (check(dirfd, &files[i], progress, e))
            return err_context(e, "'%s'", files[i].path);
    return 0;
}
