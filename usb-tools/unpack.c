/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/unpack.h"

#include <string.h>

#include "base/mem.h"
#include "usb-tools/read_back.h"

static int read_members_back(const struct bundle *bundle, int dirfd, struct progress *progress, struct err *e)
{
    size_t n = bundle_member_count(bundle);
    uint64_t total = 0;
    AUTO_FREE struct read_back_file *files = mem_zeroed(n, sizeof *files);
    for (size_t i = 0; i < n; i++) {
        struct bundle_member_info m = bundle_member_at(bundle, i);
        files[i] = (struct read_back_file){.path = m.path, .size = m.size};
        memcpy(files[i].sha256, m.sha256, HASH_SIZE);
        total += m.size;
    }
    progress_begin(progress, "read back", total);
    if (read_back(dirfd, files, n, progress, e))
        return -1;
    progress_end(progress);
    return 0;
}

int unpack_into(struct bundle *bundle, int dirfd, struct progress *progress, struct err *e)
{
    return bundle_extract(bundle, dirfd, 0, progress, e) || read_members_back(bundle, dirfd, progress, e) ? -1
                                                                                                          : 0;
}

int unpack(struct bundle *bundle, int dirfd, const char *name, struct progress *progress, struct err *e)
{
    AUTO(aside) struct aside aside = {.parent_fd = -1, .fd = -1};
    if (aside_begin(&aside, dirfd, name, e) || unpack_into(bundle, aside.fd, progress, e))
        return -1;
    return aside_commit(&aside, e);
}
