/* SPDX-License-Identifier: Apache-2.0
 *
 * The removable media of this computer and what a person has to know of each before writing to it: one row
 * for each file system, and one for a medium without any. Facts come from udev's database, which a normal
 * user may read; from libblkid where udev knows no file system and the device can be opened; from statfs()
 * where it is mounted. Nothing is written here, nothing is mounted.
 *
 *     AUTO(media) struct media m = {0};
 *     if (media_list(&m, e) || media_find(&m, "/media/anna/STICK", &stick, e)) …
 *
 * A disk that this computer runs from is no stick, wherever it is plugged in: one with a file system that is
 * mounted at a folder of the system, with swap, or with something built upon it (LVM, RAID) has `system` set,
 * and media_find() refuses it. An encrypted stick that is open is a stick like others: its file system is the
 * one inside.
 */
#ifndef AIRLOCK_USB_MEDIA_H
#define AIRLOCK_USB_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Texts come from the medium or its maker: hostile, to be escaped. NULL where not known. */
struct stick {
    char *device; /* "/dev/sdb1" */
    char *disk;   /* "/dev/sdb": the same where the medium has no partitions */
    char *inside; /* "/dev/dm-0": where the medium is encrypted and open; NULL: the file system lies bare */
    char *model;
    char *label;
    char *file_system;                     /* "vfat", "exfat", "ext4", … */
    char *mount_point;                     /* the first, where it is mounted in several places */
    uint64_t bytes;                        /* of the partition or disk */
    uint64_t cluster_bytes, free_clusters; /* 0 where it is not mounted, or not for this user */
    uint64_t file_limit; /* bytes of the largest file; 0: larger than any medium, or not known */
    bool read_only;      /* the lock switch, or mounted for reading only */
    bool system;
};

struct media {
    struct stick *items; /* by device */
    size_t count;
};

must_check int media_list(struct media *ret, struct err *e);
/* The medium that a person named: its mount point, its device or its disk. Errors: ERR_NOT_A_STICK,
 * ERR_SYSTEM_DISK; ERR_USAGE where a disk's name leaves the choice between several file systems. */
must_check int media_find(const struct media *m, const char *name, const struct stick **ret, struct err *e);
void media_free(struct media *m);

/* Label and file system of an open device or image; leaves NULL what libblkid does not find. */
must_check int media_probe(int fd, char **ret_file_system, char **ret_label, struct err *e);
/* Largest file of a file system of that type; 0: larger than any medium. */
uint64_t media_file_limit(const char *file_system);

#endif
