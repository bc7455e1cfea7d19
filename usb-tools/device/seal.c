/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/seal.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"

static int take(int fd, mode_t mode, struct err *e)
{
    if ((geteuid() == 0 && fchown(fd, 0, getegid())) || fchmod(fd, mode))
        return err_errno(e, ERR_SYSTEM, "cannot take it over");
    return 0;
}

/* Opened without following a link, and without waiting for whatever else it may be. */
static int take_entry(void *ctx, const char *name, struct err *e)
{
    struct stat st;
    AUTO_FD int fd = openat(*(const int *)ctx, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st))
        return err_errno(e, ERR_INTERNAL, "cannot open '%s' of what was unpacked", name);
    if (S_ISREG(st.st_mode) && st.st_nlink == 1)
        return take(fd, 0644, e);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_INTERNAL, "'%s' of what was unpacked is no file of its own", name);
    return take(fd, 0755, e) || fs_each(fd, take_entry, &fd, e) ? -1 : 0;
}

static int take_top(void *ctx, const char *name, struct err *e)
{
    if (strcmp(name, "metadata") != 0 && strcmp(name, "images") != 0)
        return err_set(e, ERR_INTERNAL, "'%s' is no part of a lockbox directory", name);
    return take_entry(ctx, name, e);
}

int seal(int dirfd, struct err *e)
{
    return take(dirfd, 0755, e) || fs_each(dirfd, take_top, &dirfd, e) ? -1 : 0;
}
