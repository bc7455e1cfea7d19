/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/forecast.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/out.h"
#include "usb-tools/media.h"

/* ---- the medium ---- */

struct kind {
    long magic;
    const char *name;
    bool every_device; /* whose kernel reads it */
};

#define NTFS3_MAGIC 0x7366746e

static const struct kind kinds[] = {
    {MSDOS_SUPER_MAGIC, "vfat", true},   {EXT4_SUPER_MAGIC, "ext4", true},
    {EXFAT_SUPER_MAGIC, "exfat", false}, {NTFS3_MAGIC, "ntfs3", false},
    {BTRFS_SUPER_MAGIC, "btrfs", false}, {XFS_SUPER_MAGIC, "xfs", false},
    {F2FS_SUPER_MAGIC, "f2fs", false},   {FUSE_SUPER_MAGIC, "fuseblk", false},
};

static const struct kind *kind_of(int dirfd)
{
    struct statfs st;
    for (size_t i = 0; fstatfs(dirfd, &st) == 0 && i < COUNT_OF(kinds); i++)
        if ((long)st.f_type == kinds[i].magic)
            return &kinds[i];
    return NULL;
}

/* A stick is known by the device number of what is mounted from it. */
static void find_stick(int dirfd, struct forecast *f)
{
    AUTO(media) struct media media = {0};
    struct err none;
    struct stat here, there;
    if (fstat(dirfd, &here) || media_list(&media, &none))
        return;
    for (size_t i = 0; i < media.count; i++) {
        const struct stick *s = &media.items[i];
        if (s->system || !s->mount_point || stat(s->mount_point, &there) || here.st_dev != there.st_dev)
            continue;
        f->is_stick = true;
        f->label = s->label ? mem_strdup(s->label) : NULL;
        return;
    }
}

int forecast_medium(int dirfd, struct forecast *ret, struct err *e)
{
    struct statvfs st;
    const struct kind *kind = kind_of(dirfd);
    struct forecast f = {0};
    if (fstatvfs(dirfd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot ask the file system");
    f.cluster_bytes = st.f_bsize ? st.f_bsize : 1;
    f.free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    f.free_unknown = st.f_blocks == 0;
    f.read_only = st.f_flag & ST_RDONLY;
    if (kind) {
        f.file_system = mem_strdup(kind->name);
        f.file_limit = media_file_limit(kind->name);
    }
    find_stick(dirfd, &f);
    *ret = f;
    return 0;
}

/* ---- what would be written ---- */

static uint64_t whole(const struct forecast *f, uint64_t bytes)
{
    return (bytes + f->cluster_bytes - 1) / f->cluster_bytes * f->cluster_bytes;
}

/* Folders that the path has and the one before, in the order of paths, has not. */
static unsigned new_folders(const char *before, const char *path)
{
    size_t same = 0;
    unsigned count = 0;
    while (before[same] && before[same] == path[same])
        same++;
    while (same > 0 && path[same - 1] != '/')
        same--;
    for (const char *at = path + same; (at = strchr(at, '/')); at++)
        count++;
    return count;
}

/* A name takes an entry of 32 bytes, and on FAT one more for each 13 characters. */
#define ENTRY_BYTES 32u
#define ENTRY_CHARACTERS 13u

int forecast_files(struct forecast *f, const struct member *members, size_t n, struct err *e)
{
    uint64_t files = 0, folders = 0, entries = 0;
    const char *before = "";
    for (size_t i = 0; i < n; i++) {
        const char *slash = strrchr(members[i].path, '/');
        size_t name_len = strlen(slash ? slash + 1 : members[i].path);
        if (f->file_limit && members[i].size > f->file_limit)
            return err_set(e, ERR_FILE_TOO_LARGE, "'%s' is larger than a file can be on %s", members[i].path,
                           f->file_system);
        files += whole(f, members[i].size);
        folders += new_folders(before, members[i].path);
        entries += ENTRY_BYTES * (2 + name_len / ENTRY_CHARACTERS);
        before = members[i].path;
    }
    f->least = files;
    f->most = files + (folders + 2) * 2 * f->cluster_bytes + whole(f, entries);
    return 0;
}

void forecast_stream(struct forecast *f, uint64_t least, uint64_t most, uint64_t file_bytes)
{
    uint64_t pieces = file_bytes ? most / file_bytes + 2 : 1; /* with a head */
    f->least = least;
    f->most = whole(f, most) + pieces * f->cluster_bytes;
    if (f->file_limit && (file_bytes ? file_bytes : most) > f->file_limit && most > f->file_limit)
        forecast_remark(f, "a file may get larger than it can be on %s", f->file_system);
}

/* ---- does it fit? ---- */

void forecast_remark(struct forecast *f, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mem_grow(&f->remarks, f->remark_count, &f->remark_room, sizeof *f->remarks);
    f->remarks[f->remark_count++] = mem_strdup(text);
}

static void remark_on_file_system(struct forecast *f, bool every_device)
{
    if (f->is_stick && !every_device)
        forecast_remark(f, "not every device can read %s; vfat and ext4 are read by all",
                        f->file_system ? f->file_system : "this file system");
}

int forecast_check(struct forecast *f, uint64_t held, struct err *e)
{
    char needed[OUT_SIZE_TEXT], there[OUT_SIZE_TEXT], cluster[OUT_SIZE_TEXT];
    uint64_t room = f->free_bytes + held;
    bool every_device = false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        every_device |= f->file_system && !strcmp(kinds[i].name, f->file_system) && kinds[i].every_device;
    out_size(f->least > room ? f->least : f->most, needed);
    out_size(room, there);
    out_size(f->cluster_bytes, cluster);
    if (f->read_only)
        return err_set(e, ERR_READ_ONLY, "the medium is mounted for reading only");
    if (f->least > room && !f->free_unknown)
        return err_set(e, ERR_NO_SPACE, "%s are needed in clusters of %s, and %s are free", needed, cluster,
                       there);
    if (f->most > room && !f->free_unknown)
        forecast_remark(f, "it may take up to %s, and %s are free", needed, there);
    remark_on_file_system(f, every_device);
    return 0;
}

/* ---- what is there ---- */

struct held {
    int dirfd;
    uint64_t cluster_bytes, sum;
};

static int add_held(void *ctx, const char *name, struct err *e)
{
    struct held *h = ctx;
    (void)e;
    h->sum += forecast_held(h->dirfd, name, h->cluster_bytes);
    return 0;
}

uint64_t forecast_held(int dirfd, const char *name, uint64_t cluster_bytes)
{
    struct stat st;
    AUTO_FD int inside = -1;
    struct err unreadable;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
        return 0;
    uint64_t size = ((uint64_t)st.st_size + cluster_bytes - 1) / cluster_bytes * cluster_bytes;
    if (!S_ISDIR(st.st_mode) || fs_open_dir_at(dirfd, name, false, &inside, &unreadable))
        return size;
    struct held h = {.dirfd = inside, .cluster_bytes = cluster_bytes, .sum = size};
    return fs_each(inside, add_held, &h, &unreadable) ? size : h.sum;
}

void forecast_free(struct forecast *f)
{
    for (size_t i = 0; i < f->remark_count; i++)
        free(f->remarks[i]);
    free(f->remarks);
    free(f->file_system);
    free(f->label);
    *f = (struct forecast){0};
}
