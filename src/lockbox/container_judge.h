/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside container_check.c: the rules of one container application, wherever its files lie.
 */
#ifndef AIRLOCK_LOCKBOX_CONTAINER_JUDGE_H
#define AIRLOCK_LOCKBOX_CONTAINER_JUDGE_H

#include "fetch/archive_check.h"
#include "lockbox/judge.h"

#define CONTAINER_MANIFESTS "metadata/docker/%s.manifests/%s.json" /* compose file, manifest: SHA-256 */
#define CONTAINER_TARBALLS "images/%s.images/%s.tar"               /* compose file, manifest of the image */

/* Where the files are. -1 with ERR_MISSING_TARGET for what is not there, else what reading reports. */
struct container_files {
    /* the compose file of a target, whose hash was checked by others */
    int (*compose)(void *ctx, const struct verdict_target *t, struct buf *ret, struct err *e);
    int (*manifest)(void *ctx, const char *path, struct buf *ret, struct err *e);
    int (*tarball)(void *ctx, const char *path, struct archive_found *ret, struct err *e);
    void *ctx;
};

/* Adds what is wrong with the target's images to the verdict. */
void container_judge(const struct container_files *files, const struct verdict_target *t, struct verdict *v);

#endif
