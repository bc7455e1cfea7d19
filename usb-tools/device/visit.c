/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/device/visit.h"

#include <time.h>

#include "base/fs.h"
#include "usb-tools/device/apply.h"
#include "usb-tools/device/beacon.h"
#include "usb-tools/device/own_disk.h"
#include "usb-tools/device/report.h"
#include "usb-tools/device/say.h"
#include "usb-tools/device/stick.h"

/* Another stick's visit may hold the lock, for as long as it waits for the client. */
static int in_turn(int (*verb)(const struct arguments *, struct err *), const struct arguments *a,
                   struct err *e)
{
    const struct timespec second = {.tv_sec = 1};
    int rc;
    while ((rc = verb(a, e)) && e->id == ERR_STORE_LOCKED)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL);
    return rc;
}

/* *ret_ours: the stick has to do with airlock, and gets a report. */
static int take(const struct arguments *a, bool *ret_ours, struct err *e)
{
    AUTO_FD int fd = -1, folder = -1;
    struct arguments mounted = *a;
    if (stick_mount(a->stick, false, &fd, e))
        return -1;
    if (fs_open_dir_at(fd, "airlock", false, &folder, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_NOTHING_TO_INSTALL, "'%s' has no folder 'airlock'", a->stick);
        return -1;
    }
    *ret_ours = true;
    mounted.stick_fd = fd;
    return in_turn(apply, &mounted, e);
}

/* What is to be said is known and kept before anything on the stick changes. */
static int bring(const struct arguments *a, int64_t wait_s, struct err *e)
{
    AUTO_FD int fd = -1;
    struct arguments b = *a;
    b.stick_fd = -1;
    b.wait_s = wait_s;
    if (in_turn(report, &b, e) || stick_mount(a->stick, true, &fd, e))
        return -1;
    b.stick_fd = fd;
    b.wait_s = 0;
    return in_turn(report, &b, e) || fs_sync_all(fd, e) ? -1 : 0;
}

/* A stick that has nothing new for this device may bring home what an earlier one led to: after a restart it
 * is the same stick. Otherwise both can go wrong, and what was refused is the answer. */
static int see_to(const struct arguments *a, struct err *e)
{
    struct err why;
    bool ours = false;
    int taken = take(a, &ours, &why);
    if (taken && ours)
        say_error(&why);
    bool refused = taken && (!ours || why.id != ERR_NOTHING_TO_INSTALL);
    if (ours && bring(a, refused ? 0 : a->wait_s, e)) {
        if (!refused)
            return -1;
        say_error(e);
    }
    if (refused)
        *e = why;
    return refused ? -1 : 0;
}

int visit(const struct arguments *a, struct err *e)
{
    AUTO_FD int root_fd = -1, program = -1;
    if (fs_open_dir(a->root, &root_fd, e) || own_disk_open_program(root_fd, &program, e) ||
        stick_check(root_fd, a->stick, e))
        return -1;
    beacon_begin(a);
    int rc = see_to(a, e);
    beacon_end(a, rc ? e->id : ERR_NONE);
    return rc;
}
