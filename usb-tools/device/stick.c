/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/stick.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "usb-tools/device/own_disk.h"

/* Sticks have no other, and every further driver is one more that hostile bytes reach. */
static const char *const types[] = {"vfat", "exfat", "ext4"};

int stick_check(int root_fd, const char *node, struct err *e)
{
    struct stat st;
    bool own;
    if (stat(node, &st))
        return err_errno(e, ERR_NO_SUCH_PATH, "cannot look at '%s'", node);
    if (!S_ISBLK(st.st_mode)) {
        err_set(e, ERR_NOT_A_STICK, "'%s' is no block device", node);
        return err_hint(e, "name the partition, such as /dev/sda1: lsblk shows them");
    }
    if (own_disk_has(root_fd, st.st_rdev, &own, e))
        return -1;
    return own ? err_set(e, ERR_SYSTEM_DISK, "the device runs from '%s'", node) : 0;
}

static bool set_flag(int fd, const char *name)
{
    return fsconfig(fd, FSCONFIG_SET_FLAG, name, NULL, 0) == 0;
}

/* errno on failure; EINVAL: it has another file system. read_only: for the driver. An ext4 whose journal is
 * to be replayed is read as it is: to replay it is to write. */
static int open_type(const char *type, const char *node, bool read_only, int *ret_fd)
{
    AUTO_FD int fd = fsopen(type, FSOPEN_CLOEXEC);
    if (fd < 0 || fsconfig(fd, FSCONFIG_SET_STRING, "source", node, 0) ||
        (read_only && !set_flag(fd, "ro")) ||
        (read_only && !strcmp(type, "ext4") && !set_flag(fd, "noload")) ||
        fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int open_any(const char *node, bool read_only, int *ret_fd)
{
    int sys = EINVAL;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (open_type(types[i], node, read_only, ret_fd) == 0)
            return 0;
        if (errno != EINVAL && errno != ENODEV) /* ENODEV: the kernel has no such driver */
            sys = errno;
    }
    errno = sys;
    return -1;
}

int stick_mount(const char *node, bool writable, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = -1;
    unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    int rc = open_any(node, !writable, &fd);
    if (rc && errno == EBUSY && !writable) /* mounted for writing elsewhere: here it is not */
        rc = open_any(node, false, &fd);
    if (rc && errno == EINVAL)
        return err_set(e, ERR_MEDIUM_IO, "'%s' has no file system that is read here (vfat, exfat, ext4)",
                       node);
    if (rc)
        return err_errno(e, ERR_MEDIUM_IO, "cannot mount '%s'", node);
    /* that descriptor only names the mount; it goes on as long as one of a folder in it is open */
    AUTO_FD int mount = fsmount(fd, FSMOUNT_CLOEXEC, attributes | (writable ? 0 : MOUNT_ATTR_RDONLY));
    if (mount < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot mount '%s'", node);
    return fs_open_dir_at(mount, "", false, ret_fd, e);
}
