/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/program.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/hash.h"
#include "usb-tools/device/laid.h"
#include "usb-tools/device/own_disk.h"

#define NAME "airlock-device"

static const struct {
    const char *folder; /* beneath the root */
    const char *path;
} places[] = {
    {"var/airlock/bin", "/var/airlock/bin/" NAME},
    {"etc/airlock/bin", "/etc/airlock/bin/" NAME},
};

static int open_place(int root_fd, const char *folder, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = -1;
    struct statvfs fs;
    if (fs_open_dir_at(root_fd, folder, true, &fd, e))
        return -1;
    if (fstatvfs(fd, &fs))
        return err_errno(e, ERR_SYSTEM, "cannot ask for the file system of '/%s'", folder);
    if (fs.f_flag & (ST_NOEXEC | ST_RDONLY))
        return err_set(e, ERR_NO_PLACE, "'/%s' is mounted %s", folder,
                       fs.f_flag & ST_NOEXEC ? "noexec" : "read-only");
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* ---- the copy ---- */

static bool is_the_same(int program, int dirfd)
{
    AUTO_FD int fd = -1;
    struct err ignored;
    uint8_t ours[HASH_SIZE], theirs[HASH_SIZE];
    struct stat st;
    return fs_open_at(dirfd, NAME, O_RDONLY, 0, &fd, &ignored) == 0 && fstat(fd, &st) == 0 &&
           (st.st_mode & 07777) == 0755 && hash_file(program, NULL, NULL, ours, &ignored) == 0 &&
           hash_file(fd, NULL, NULL, theirs, &ignored) == 0 && !memcmp(ours, theirs, HASH_SIZE);
}

static int copy(int program, int dirfd, struct err *e)
{
    AUTO(fs_temp) struct fs_temp temp = {.fd = -1};
    off_t at = 0;
    ssize_t n;
    if (fs_temp_open(&temp, dirfd, NAME, 0755, e))
        return -1;
    while ((n = sendfile(temp.fd, program, &at, 1u << 20)) > 0)
        ;
    if (n < 0)
        return err_errno(e, ERR_MEDIUM_IO, "cannot copy this program");
    return fs_temp_commit(&temp, e);
}

int program_place(int root_fd, const char **ret_path, bool *ret_changed, struct err *e)
{
    AUTO_FD int program = -1, dirfd = -1;
    struct err first = {0};
    if (own_disk_open_program(root_fd, &program, e))
        return -1;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (open_place(root_fd, places[i].folder, &dirfd, e)) {
            if (e->id != ERR_NO_PLACE && e->id != ERR_READ_ONLY)
                return -1;
            if (first.id == ERR_NONE)
                first = *e;
            continue;
        }
        *ret_path = places[i].path;
        if (laid_sweep(root_fd, places[i].path + 1, e))
            return -1;
        *ret_changed = !is_the_same(program, dirfd);
        return *ret_changed ? copy(program, dirfd, e) : 0;
    }
    *e = first;
    e->id = ERR_NO_PLACE;
    return -1;
}

/* ---- the removal ---- */

/* The program and what a killed installation left of it; the folder, unless somebody else has something
 * there. */
int program_remove(int root_fd, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (laid_sweep(root_fd, places[i].path + 1, e) || fs_remove_at(root_fd, places[i].path + 1, e))
            return -1;
        unlinkat(root_fd, places[i].folder, AT_REMOVEDIR);
    }
    return 0;
}
