/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/media.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "usb-tools/mounts.h"

#define SECTOR 512                            /* sysfs counts in these, whatever the disk has */
#define SWAPS_MAX ((size_t)64 << 10)          /* /proc/swaps: the kernel takes at most 32 */
#define UDEV_TEXT_MAX 256                     /* characters of a model as udev encodes it */
#define FAT_FILE_LIMIT (UINT64_C(0xffffffff)) /* a FAT directory entry has 32 bits for the size */

/* What the listing of one run works with. */
struct survey {
    struct udev *udev;
    struct mounts mounts;
    struct buf swaps;
    struct media found;
    size_t room;
};

static int read_system(struct survey *s, struct err *e);
static int look_at_all(struct survey *s, struct err *e);
static void look_at(struct survey *s, const char *path);
static void mark_system_disks(struct media *m);
static void drop_divided_disks(struct media *m);
static void survey_free(struct survey *s);

int media_list(struct media *ret, struct err *e)
{
    AUTO(survey) struct survey s = {0};
    s.udev = udev_new();
    if (!s.udev)
        return err_errno(e, ERR_SYSTEM, "cannot ask udev");
    if (read_system(&s, e) || look_at_all(&s, e))
        return -1;
    mark_system_disks(&s.found);
    drop_divided_disks(&s.found);
    *ret = s.found;
    s.found = (struct media){0};
    return 0;
}

static int read_system(struct survey *s, struct err *e)
{
    if (mounts_load(&s->mounts, e))
        return -1;
    if (fs_read_file("/proc/swaps", SWAPS_MAX, &s->swaps, e) == 0 || e->sys == ENOENT)
        return 0; /* a kernel without swap has no such file */
    return -1;
}

static int look_at_all(struct survey *s, struct err *e)
{
    struct udev_enumerate *all = udev_enumerate_new(s->udev);
    int rc = 0;
    if (!all || udev_enumerate_add_match_subsystem(all, "block") < 0 || udev_enumerate_scan_devices(all) < 0)
        rc = err_errno(e, ERR_SYSTEM, "cannot list the block devices");
    for (struct udev_list_entry *entry = rc ? NULL : udev_enumerate_get_list_entry(all); entry;
         entry = udev_list_entry_get_next(entry))
        look_at(s, udev_list_entry_get_name(entry));
    udev_enumerate_unref(all);
    return rc;
}

/* ---- one device ---- */

static struct udev_device *disk_of(struct udev_device *d);
static bool is_removable(struct udev_device *disk);
static uint64_t size_of(struct udev_device *d);
static void describe(const struct survey *s, struct udev_device *d, struct udev_device *disk,
                     struct stick *ret);

/* Left out is what is gone in between or has no name in /dev, and a card reader's empty slot. */
static void look_at(struct survey *s, const char *path)
{
    struct udev_device *d = udev_device_new_from_syspath(s->udev, path);
    struct udev_device *disk = d ? disk_of(d) : NULL;
    if (disk && udev_device_get_devnode(d) && is_removable(disk) && size_of(d) > 0) {
        mem_grow(&s->found.items, s->found.count, &s->room, sizeof *s->found.items);
        struct stick *medium = &s->found.items[s->found.count++];
        *medium = (struct stick){0};
        describe(s, d, disk, medium);
    }
    udev_device_unref(d);
}

static struct udev_device *disk_of(struct udev_device *d)
{
    const char *type = udev_device_get_devtype(d);
    if (type && !strcmp(type, "partition"))
        return udev_device_get_parent_with_subsystem_devtype(d, "block", "disk");
    return d;
}

static bool equals(const char *text, const char *expected)
{
    return text && !strcmp(text, expected);
}

/* USB disks call themselves fixed, card slots of a laptop are no USB: any of these makes a medium removable.
 */
static bool is_removable(struct udev_device *disk)
{
    return equals(udev_device_get_sysattr_value(disk, "removable"), "1") ||
           equals(udev_device_get_property_value(disk, "ID_BUS"), "usb") ||
           equals(udev_device_get_property_value(disk, "ID_DRIVE_FLASH_SD"), "1") ||
           udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device");
}

static uint64_t size_of(struct udev_device *d)
{
    const char *sectors = udev_device_get_sysattr_value(d, "size");
    return sectors ? strtoull(sectors, NULL, 10) * SECTOR : 0;
}

static char *copy(const char *text)
{
    return text && *text ? mem_strdup(text) : NULL;
}

static char *decode(const char *text, const char *plain);
static struct udev_device *open_inside(const struct survey *s, struct udev_device *d);
static void describe_file_system(const struct survey *s, struct udev_device *d, struct stick *ret);

static void describe(const struct survey *s, struct udev_device *d, struct udev_device *disk,
                     struct stick *ret)
{
    struct udev_device *inside = open_inside(s, d);
    ret->device = mem_strdup(udev_device_get_devnode(d));
    ret->disk = copy(udev_device_get_devnode(disk));
    ret->inside = inside ? copy(udev_device_get_devnode(inside)) : NULL;
    ret->model = decode(udev_device_get_property_value(disk, "ID_MODEL_ENC"),
                        udev_device_get_property_value(disk, "ID_MODEL"));
    ret->bytes = size_of(d);
    ret->read_only = equals(udev_device_get_sysattr_value(disk, "ro"), "1");
    describe_file_system(s, inside ? inside : d, ret);
    udev_device_unref(inside);
}

static void ask_device(const char *device, struct stick *m);
static void ask_file_system(struct stick *m);
static bool is_built_upon(struct udev_device *d);
static bool is_swap(const struct survey *s, const char *device);

static void describe_file_system(const struct survey *s, struct udev_device *d, struct stick *ret)
{
    const char *number = udev_device_get_sysattr_value(d, "dev"), *device = udev_device_get_devnode(d);
    const struct mount *mount = number ? mounts_find(&s->mounts, number) : NULL;
    ret->label = decode(udev_device_get_property_value(d, "ID_FS_LABEL_ENC"),
                        udev_device_get_property_value(d, "ID_FS_LABEL"));
    ret->file_system = copy(udev_device_get_property_value(d, "ID_FS_TYPE"));
    ret->system =
        (number && mounts_hold_system(&s->mounts, number)) || is_built_upon(d) || is_swap(s, device);
    if (!ret->file_system)
        ask_device(device, ret);
    if (ret->file_system)
        ret->file_limit = media_file_limit(ret->file_system);
    if (!mount)
        return;
    ret->read_only = ret->read_only || mount->read_only;
    ret->mount_point = mem_strdup(mount->point);
    ask_file_system(ret);
}

/* udev writes what is no harmless character as \xNN in the ..._ENC properties, and loses it in the others. */
static char *decode(const char *text, const char *plain)
{
    AUTO(buf) struct buf decoded = {0};
    if (!text)
        return copy(plain);
    for (; *text && decoded.len < UDEV_TEXT_MAX; text++) {
        unsigned int byte;
        if (sscanf(text, "\\x%2x", &byte) == 1 && byte != 0) {
            buf_add_char(&decoded, (char)byte);
            text += 3;
        } else {
            buf_add_char(&decoded, *text);
        }
    }
    while (decoded.len > 0 && decoded.data[decoded.len - 1] == ' ')
        decoded.data[--decoded.len] = '\0';
    return decoded.len ? buf_steal_text(&decoded) : NULL;
}

/* Where udev looked at nothing. A normal user may not open the device: then it stays unknown. */
static void ask_device(const char *device, struct stick *m)
{
    struct err ignored;
    AUTO_FD int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && media_probe(fd, &m->file_system, &m->label, &ignored))
        m->file_system = NULL;
}

/* Another user's stick is mounted where this one may not look, and a pulled one answers nothing: neither may
 * hide the others. */
static void ask_file_system(struct stick *m)
{
    struct statvfs fs;
    if (statvfs(m->mount_point, &fs))
        return;
    m->cluster_bytes = fs.f_frsize;
    m->free_clusters = fs.f_bavail;
}

/* The name of a device that is built upon this one (LVM, RAID, encryption); NULL: none is. */
static char *find_holder(struct udev_device *d)
{
    AUTO_FREE char *path = mem_format("%s/holders", udev_device_get_syspath(d));
    DIR *holders = opendir(path);
    char *found = NULL;
    if (!holders)
        return NULL;
    for (struct dirent *entry; !found && (entry = readdir(holders));)
        if (entry->d_name[0] != '.')
            found = mem_strdup(entry->d_name);
    closedir(holders);
    return found;
}

static bool is_built_upon(struct udev_device *d)
{
    AUTO_FREE char *holder = find_holder(d);
    return holder != NULL;
}

/* The device of the decrypted bytes; NULL where the medium is not encrypted or not open. */
static struct udev_device *open_inside(const struct survey *s, struct udev_device *d)
{
    AUTO_FREE char *holder = find_holder(d);
    if (!holder || !equals(udev_device_get_property_value(d, "ID_FS_TYPE"), "crypto_LUKS"))
        return NULL;
    struct udev_device *inside = udev_device_new_from_subsystem_sysname(s->udev, "block", holder);
    if (inside && !udev_device_get_devnode(inside)) {
        udev_device_unref(inside);
        return NULL;
    }
    return inside;
}

static bool is_swap(const struct survey *s, const char *device)
{
    AUTO_FREE char *start = mem_format("\n%s ", device);
    return strstr(buf_text(&s->swaps), start) != NULL;
}

/* ---- all of them ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct stick *)a)->device, ((const struct stick *)b)->device);
}

/* One system partition makes a system disk of the whole. */
static void mark_system_disks(struct media *m)
{
    if (m->count)
        qsort(m->items, m->count, sizeof *m->items, compare);
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; m->items[i].system && k < m->count; k++)
            if (equals(m->items[k].disk, m->items[i].disk))
                m->items[k].system = true;
}

static void stick_free(struct stick *m);

/* A disk's partitions stand for it. They come after it, as their names are longer. */
static void drop_divided_disks(struct media *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct stick *here = &m->items[i];
        if (equals(here->disk, here->device) && i + 1 < m->count &&
            equals(m->items[i + 1].disk, here->device))
            stick_free(here);
        else
            m->items[kept++] = *here;
    }
    m->count = kept;
}

static void survey_free(struct survey *s)
{
    udev_unref(s->udev);
    mounts_free(&s->mounts);
    buf_free(&s->swaps);
    media_free(&s->found);
}

static bool is_called(const struct stick *m, const char *name)
{
    return equals(m->mount_point, name) || equals(m->device, name) || equals(m->disk, name) ||
           equals(m->inside, name);
}

int media_find(const struct media *m, const char *name, const struct stick **ret, struct err *e)
{
    AUTO_FREE char *real = realpath(name, NULL);
    const struct stick *found = NULL;
    for (size_t i = 0; i < m->count; i++) {
        if (!is_called(&m->items[i], real ? real : name))
            continue;
        if (found)
            return err_set(e, ERR_USAGE, "'%s' has several file systems: '%s', '%s'", name, found->device,
                           m->items[i].device);
        found = &m->items[i];
    }
    if (!found)
        return err_set(e, ERR_NOT_A_STICK, "'%s' is no removable medium", name);
    if (found->system)
        return err_set(e, ERR_SYSTEM_DISK, "'%s': this computer runs from this disk", name);
    *ret = found;
    return 0;
}

static void stick_free(struct stick *m)
{
    char *texts[] = {m->device, m->disk, m->inside, m->model, m->label, m->file_system, m->mount_point};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        free(texts[i]);
}

void media_free(struct media *m)
{
    for (size_t i = 0; i < m->count; i++)
        stick_free(&m->items[i]);
    free(m->items);
    *m = (struct media){0};
}

int media_probe(int fd, char **ret_file_system, char **ret_label, struct err *e)
{
    const char *type = NULL, *label = NULL;
    blkid_probe probe = blkid_new_probe();
    int rc = -1;
    if (!probe || blkid_probe_set_device(probe, fd, 0, 0) ||
        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL) ||
        (rc = blkid_do_safeprobe(probe)) < 0) {
        blkid_free_probe(probe);
        return err_errno(e, ERR_MEDIUM_IO,
                         rc == -2 ? "two file systems lie over each other" : "cannot look for a file system");
    }
    blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
    blkid_probe_lookup_value(probe, "LABEL", &label, NULL);
    *ret_file_system = copy(type);
    *ret_label = copy(label);
    blkid_free_probe(probe);
    return 0;
}

uint64_t media_file_limit(const char *file_system)
{
    return equals(file_system, "vfat") || equals(file_system, "msdos") ? FAT_FILE_LIMIT : 0;
}
