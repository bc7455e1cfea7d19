/* SPDX-License-Identifier: Apache-2.0
 *
 * A squashfs image: opened, and all of its files read, as far as they go within a budget, for a sparse one
 * has no end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/name.h"
#include "usb-tools/squashfs_image.h"

#define BUDGET (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int take(void *ctx, const void *bytes, size_t n, struct err *e)
{
    size_t *left = ctx;
    (void)bytes;
    if (n > *left)
        return err_set(e, ERR_NO_SPACE, "enough");
    *left -= n;
    return 0;
}

static void check_error(const struct err *e)
{
    switch (e->id) {
    case ERR_BAD_SQUASHFS:
    case ERR_TOO_LARGE:
    case ERR_UNSAFE_NAME:
    case ERR_NO_SPACE:
        return;
    default:
        abort();
    }
}

/* Sorted, each name once, and safe. */
static void check_paths(const struct squashfs_image *x)
{
    struct err e;
    for (size_t i = 0; i < squashfs_image_count(x); i++) {
        const char *path = squashfs_image_at(x, i)->path;
        if (name_check_text(path, &e) || (i && strcmp(squashfs_image_at(x, i - 1)->path, path) >= 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO_FD int fd = memfd_create("image", MFD_CLOEXEC);
    struct squashfs_image *x;
    struct err e = {0};
    size_t left = BUDGET;
    if (fd < 0 || fs_write_all(fd, bytes, len, &e))
        abort();
    if (squashfs_image_open(fd, &x, &e)) {
        check_error(&e);
        return 0;
    }
    check_paths(x);
    for (size_t i = 0; i < squashfs_image_count(x) && left > 0; i++)
        if (squashfs_image_pour(x, squashfs_image_at(x, i), take, &left, &e))
            check_error(&e);
    squashfs_image_close(x);
    return 0;
}
