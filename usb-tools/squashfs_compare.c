/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "usb-tools/squashfs_image.h"

struct reading {
    struct hash *hash;
    struct progress *progress;
};

static int take(void *ctx, const void *bytes, size_t n, struct err *e)
{
    struct reading *r = ctx;
    (void)e;
    hash_update(r->hash, bytes, n);
    progress_add(r->progress, n);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct member *const *)a)->path, (*(const struct member *const *)b)->path);
}

static int compare_file(struct squashfs_image *x, const struct member *m, const struct squashfs_entry *found,
                        struct reading *r, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    if (strcmp(m->path, found->path) || m->size != found->size)
        return err_set(e, ERR_READ_BACK, "it comes back changed");
    if (squashfs_image_pour(x, found, take, r, e))
        return -1;
    hash_final(r->hash, digest);
    return memcmp(digest, m->sha256, HASH_SIZE) ? err_set(e, ERR_READ_BACK, "it comes back changed") : 0;
}

static int compare(struct squashfs_image *x, const struct member *members, size_t n, struct reading *r,
                   struct err *e)
{
    AUTO_FREE const struct member **sorted = mem_zeroed(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &members[i];
    if (n)
        qsort(sorted, n, sizeof *sorted, by_path);
    if (squashfs_image_count(x) != n)
        return err_set(e, ERR_READ_BACK, "the image has %zu files in it, not %zu", squashfs_image_count(x),
                       n);
    for (size_t i = 0; i < n; i++)
        if (compare_file(x, sorted[i], squashfs_image_at(x, i), r, e))
            return err_context(e, "'%s'", sorted[i]->path);
    return 0;
}

int squashfs_compare(int fd, const struct member *members, size_t n, struct progress *progress, struct err *e)
{
    struct squashfs_image *x;
    struct reading r = {.hash = hash_new(), .progress = progress};
    int rc = squashfs_image_open(fd, &x, e);
    if (rc == 0) {
        rc = compare(x, members, n, &r, e);
        squashfs_image_close(x);
    }
    hash_delete(r.hash);
    if (rc && err_exit_code(e->id) == EXIT_REFUSED) /* what is no good image was not written as one */
        e->id = ERR_READ_BACK;
    return rc ? -1 : 0;
}
