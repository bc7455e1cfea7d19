/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/incumbent.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/manifest.h"
#include "usb-tools/squashfs_image.h"

static int read_folder(const struct place *place, struct roles *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    return fs_open_dir_at(place->dirfd, place->name, false, &fd, e) || roles_from_folder(fd, ret, e) ? -1 : 0;
}

static int read_bundle(const struct place *place, struct roles *ret, struct err *e)
{
    struct bundle *b = NULL;
    int rc = bundle_open(place->dirfd, place->name, &b, e) || roles_from_bundle(b, ret, e) ? -1 : 0;
    bundle_close(b);
    return rc;
}

static int read_image(const struct place *place, struct roles *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    const struct bundle_taker taker = {roles_take, ret};
    struct squashfs_image *image;
    if (fs_open_at(place->dirfd, place->name, O_RDONLY, 0, &fd, e) || squashfs_image_open(fd, &image, e))
        return -1;
    int rc = squashfs_image_read_metadata(image, &taker, e);
    squashfs_image_close(image);
    return rc;
}

static int read_roles(const struct place *place, enum incumbent_kind kind, struct roles *ret, struct err *e)
{
    switch (kind) {
    case INCUMBENT_FOLDER:
        return read_folder(place, ret, e);
    case INCUMBENT_IMAGE:
        return read_image(place, ret, e);
    case INCUMBENT_BUNDLE:
        break;
    }
    return read_bundle(place, ret, e);
}

/* The version there of the newcomer's lockbox; 0 where there is none that can be believed. */
static int64_t version_there(const struct roles *roles, const struct judge *judge, const struct newcomer *n)
{
    const struct judge fresh = {.trust = judge->trust, .now = judge->now};
    char account[ACCOUNT_TEXT_SIZE];
    AUTO(verdict) struct verdict v = {0};
    struct err ignored;
    manifest_account(roles, account);
    if (judge_roles(&fresh, roles, NULL, &v, &ignored) || !v.lockbox || strcmp(v.lockbox, n->lockbox) != 0 ||
        strcmp(account, n->account) != 0)
        return 0;
    return v.lockbox_version;
}

int incumbent_check(const struct place *place, enum incumbent_kind kind, const struct judge *judge,
                    const struct newcomer *n, int64_t *ret_there, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    struct err ignored;
    *ret_there = 0;
    if (read_roles(place, kind, &roles, &ignored))
        return 0;
    *ret_there = version_there(&roles, judge, n);
    if (*ret_there <= n->version)
        return 0;
    return err_set(e, ERR_NEWER_IS_THERE, "it is version %" PRId64 " of '%s', and this is version %" PRId64,
                   *ret_there, n->lockbox, n->version);
}

struct search {
    const struct newcomer *newcomer;
    int64_t highest;
};

/* "<lockbox>-v12-<account>.lockbox", "<lockbox>-v12-<account>.shared.lockbox" */
static int look_at(void *ctx, const char *name, struct err *e)
{
    struct search *s = ctx;
    int64_t version = 0;
    size_t len = strlen(s->newcomer->lockbox);
    (void)e;
    if (strncmp(name, s->newcomer->lockbox, len) != 0 || strncmp(name + len, "-v", 2) != 0)
        return 0;
    const char *at = name + len + 2, *digits = at;
    for (; *at >= '0' && *at <= '9' && version <= INT32_MAX; at++)
        version = version * 10 + (*at - '0');
    AUTO_FREE char *whole = mem_format("-%s.lockbox", s->newcomer->account);
    AUTO_FREE char *shared = mem_format("-%s.shared.lockbox", s->newcomer->account);
    if (at > digits && (!strcmp(at, whole) || !strcmp(at, shared)) && version > s->highest)
        s->highest = version;
    return 0;
}

int64_t incumbent_beside(int dirfd, const struct newcomer *n)
{
    struct search s = {.newcomer = n};
    struct err ignored;
    return fs_each(dirfd, look_at, &s, &ignored) == 0 ? s.highest : 0;
}
