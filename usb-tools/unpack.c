/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/unpack.h"

#include "usb-tools/aside.h"

int unpack(struct bundle *bundle, int dirfd, const char *name, struct progress *progress, struct err *e)
{
    AUTO(aside) struct aside aside = {.parent_fd = -1, .fd = -1};
    if (aside_begin(&aside, dirfd, name, e) || bundle_extract(bundle, aside.fd, 0, progress, e))
        return -1;
    return aside_commit(&aside, e);
}
