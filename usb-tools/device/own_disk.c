/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/own_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int own_disk_has(int root_fd, dev_t device, bool *ret, struct err *e)
{
    struct stat root, var;
    if (fstat(root_fd, &root))
        return err_errno(e, ERR_SYSTEM, "cannot stat the device's root");
    if (fstatat(root_fd, "var", &var, 0)) {
        if (errno != ENOENT)
            return err_errno(e, ERR_SYSTEM, "cannot stat '/var'");
        var = root;
    }
    *ret = device == root.st_dev || device == var.st_dev;
    return 0;
}

int own_disk_check(int root_fd, int fd, const char *what, struct err *e)
{
    struct stat st;
    bool own;
    if (fstat(fd, &st))
        return err_errno(e, ERR_SYSTEM, "cannot stat %s", what);
    if (own_disk_has(root_fd, st.st_dev, &own, e))
        return -1;
    return own ? 0 : err_set(e, ERR_NOT_OWN_DISK, "%s does not lie on the device's own disk", what);
}

int own_disk_open_program(int root_fd, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, ERR_SYSTEM, "cannot open this program");
    if (own_disk_check(root_fd, fd, "this program", e))
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}
