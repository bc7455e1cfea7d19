/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/export_squashfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/squashfs_compare.h"
#include "usb-tools/squashfs_writer.h"

/* What a killed run left. The caller holds the folder's lock, so nobody else is at it. */
static int remove_left_over(void *ctx, const char *name, struct err *e)
{
    static const char start[] = "." SQUASHFS_NAME ".", end[] = ".tmp";
    size_t len = strlen(name);
    bool left_over = len > strlen(start) + strlen(end) && !strncmp(name, start, strlen(start)) &&
                     !strcmp(name + len - strlen(end), end);
    return left_over ? fs_remove_at(*(const int *)ctx, name, e) : 0;
}

struct export
{
    const int *dirfds;
    struct several *at;
    struct fs_temp *images; /* at->count, as dirfds */
    const struct member *members;
    size_t count;
    const struct file_signer *signer;
};

static int begin(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    int dirfd = x->dirfds[i];
    return fs_each(dirfd, remove_left_over, &dirfd, e) ||
                   fs_temp_open(&x->images[i], dirfd, SQUASHFS_NAME, 0644, e)
               ? -1
               : 0;
}

static int write_images(struct export *x, uint64_t *ret_bytes, struct err *e)
{
    AUTO_FREE int *fds = mem_zeroed(x->at->count, sizeof *fds);
    for (size_t i = 0; i < x->at->count; i++)
        fds[i] = x->images[i].fd;
    return squashfs_write(fds, x->at, x->members, x->count, ret_bytes, e);
}

static int read_image_back(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    int fd = x->images[i].fd;
    if ((errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)))
        return err_errno(e, ERR_MEDIUM_IO, "cannot drop the cache");
    return squashfs_compare(fd, x->members, x->count, several_progress(x->at, i), e);
}

/* Between the two renames the signature is not the image's: a device that asks for one refuses, and the same
 * command finishes. Without a key no signature stays that would belong to another image. */
static int put_signature(int dirfd, int fd, const struct file_signer *signer, struct err *e)
{
    AUTO(buf) struct buf signature = {0};
    if (!signer)
        return fs_remove_at(dirfd, SQUASHFS_SIGNATURE, e);
    return file_signer_sign(signer, fd, &signature, e) ||
                   fs_replace_at(dirfd, SQUASHFS_SIGNATURE, signature.data, signature.len, 0644, e)
               ? -1
               : 0;
}

static int commit(void *ctx, size_t i, struct err *e)
{
    struct export *x = ctx;
    return put_signature(x->dirfds[i], x->images[i].fd, x->signer, e) || fs_temp_commit(&x->images[i], e) ? -1
                                                                                                          : 0;
}

static int export_all(struct export *x, uint64_t *ret_bytes, struct err *e)
{
    uint64_t total = 0;
    for (size_t i = 0; i < x->count; i++)
        total += x->members[i].size;
    if (members_check_names(x->members, x->count, e) || several_in_turn(x->at, begin, x, e))
        return -1;
    several_phase(x->at, "write", total);
    if (write_images(x, ret_bytes, e))
        return -1;
    several_phase_end(x->at);
    several_phase(x->at, "read back", total);
    if (several_each(x->at, read_image_back, x, e))
        return -1;
    several_phase_end(x->at);
    return several_each(x->at, commit, x, e);
}

int export_squashfs(const int *dirfds, struct several *at, const struct member *members, size_t n,
                    const struct file_signer *signer, uint64_t *ret_bytes, struct err *e)
{
    struct export x = {.dirfds = dirfds,
                       .at = at,
                       .images = mem_zeroed(at->count, sizeof *x.images),
                       .members = members,
                       .count = n,
                       .signer = signer};
    for (size_t i = 0; i < at->count; i++)
        x.images[i].fd = -1;
    int rc = export_all(&x, ret_bytes, e);
    if (rc)
        several_fail(at, e);
    for (size_t i = 0; i < at->count; i++)
        fs_temp_free(&x.images[i]);
    free(x.images);
    return rc ? -1 : 0;
}
