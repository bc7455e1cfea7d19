/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/export_squashfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "usb-tools/squashfs_reader.h"
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

static int write_image(int fd, const struct member *members, size_t n, struct progress *progress,
                       uint64_t *ret_bytes, struct err *e)
{
    uint64_t total = 0;
    struct stat st;
    for (size_t i = 0; i < n; i++)
        total += members[i].size;
    progress_begin(progress, "write", total);
    if (squashfs_write(fd, members, n, progress, e) || fs_sync(fd, e))
        return -1;
    progress_end(progress);
    if ((errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)) || fstat(fd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot drop the cache");
    progress_begin(progress, "read back", total);
    if (squashfs_compare(fd, members, n, progress, e))
        return -1;
    progress_end(progress);
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
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

int export_squashfs(int dirfd, const struct member *members, size_t n, const struct file_signer *signer,
                    struct progress *progress, uint64_t *ret_bytes, struct err *e)
{
    AUTO(fs_temp) struct fs_temp image = {.fd = -1};
    if (members_check_names(members, n, e) || fs_each(dirfd, remove_left_over, &dirfd, e) ||
        fs_temp_open(&image, dirfd, SQUASHFS_NAME, 0644, e) ||
        write_image(image.fd, members, n, progress, ret_bytes, e) ||
        put_signature(dirfd, image.fd, signer, e))
        return -1;
    return fs_temp_commit(&image, e);
}
