/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/readme.h"

#include <string.h>

#include "base/fs.h"

static const char text[] =
    "This stick carries software updates for Toradex devices that have no network.\r\n"
    "\r\n"
    "airlock/*.lockbox   updates, packed and signed; .001, .002 ... belong to them\r\n"
    "update/             an update unpacked, if there is one: what the device reads\r\n"
    "\r\n"
    "At the device: start it first, then insert the stick. Leave the stick in until\r\n"
    "the device has installed and, after an update of its operating system, has\r\n"
    "restarted. Do not change any file here: every byte is signed.\r\n";

void readme_write(int airlock_dirfd)
{
    AUTO(buf) struct buf old = {0};
    struct err e;
    bool same = fs_read_at(airlock_dirfd, "README.txt", 65536, &old, &e) == 0 && old.len == sizeof text - 1 &&
                !memcmp(old.data, text, old.len);
    if (!same && fs_replace_at(airlock_dirfd, "README.txt", text, sizeof text - 1, 0644, &e))
        e.id = ERR_NONE; /* the update itself meets what is wrong with the medium */
}
