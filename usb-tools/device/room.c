/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/room.h"

#include <sys/statvfs.h>

#include "base/out.h"

/* Whole blocks, and one more for a file's inode and its place in a folder. */
static uint64_t need(const struct bundle *b, uint64_t block)
{
    uint64_t sum = 0, blocks;
    for (size_t i = 0; i < bundle_member_count(b); i++) {
        uint64_t size = bundle_member_at(b, i).size;
        blocks = size / block + (size % block != 0) + 1;
        if (blocks > (UINT64_MAX - sum) / block)
            return UINT64_MAX;
        sum += blocks * block;
    }
    return sum;
}

int room_check(const struct bundle *b, int dirfd, uint64_t *ret_left, struct err *e)
{
    struct statvfs fs;
    char needed[OUT_SIZE_TEXT], free_text[OUT_SIZE_TEXT];
    if (fstatvfs(dirfd, &fs))
        return err_errno(e, ERR_SYSTEM, "cannot ask for the disk's free space");
    uint64_t block = fs.f_frsize ? fs.f_frsize : 4096;
    uint64_t free_bytes = (uint64_t)fs.f_bavail * block, sum = need(b, block);
    if (sum < free_bytes) {
        *ret_left = free_bytes - sum;
        return 0;
    }
    out_size(sum, needed);
    out_size(free_bytes, free_text);
    return err_set(e, ERR_DEVICE_SPACE, "unpacked it takes %s of this device's disk, and %s are free", needed,
                   free_text);
}
