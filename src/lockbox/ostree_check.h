/* SPDX-License-Identifier: Apache-2.0
 *
 * Is every object of the OSTree images there, and the one that its name says? For a plain folder, which is
 * walked from the commits on, and for a bundle, whose members come by in their order. What was left out
 * (needs.h) need not be there.
 */
#ifndef AIRLOCK_LOCKBOX_OSTREE_CHECK_H
#define AIRLOCK_LOCKBOX_OSTREE_CHECK_H

#include "base/progress.h"
#include "bundle-format/bundle.h"
#include "lockbox/judge.h"
#include "lockbox/needs.h"

bool ostree_check_is_due(const struct verdict *v);
/* dirfd: the lockbox directory. On all cores. What is wrong becomes a problem of the verdict. */
void ostree_check_folder(int dirfd, const struct needs *needs, struct verdict *v, struct progress *progress);

/* A bundle or an image: the sink looks at the members of images/, which `members` names by number and which
 * must outlive the watch, while somebody else proves them. */
struct ostree_watch;
must_check int ostree_watch_start(const struct bundle_member_info *members, const struct verdict *v,
                                  struct ostree_watch **ret, struct bundle_sink *ret_sink, struct err *e);
/* Does the sink look at a member? */
bool ostree_watch_takes(const struct bundle_member_info *member);
/* After the last member: what is wrong with an image becomes a problem of the verdict. Frees. */
void ostree_watch_end(struct ostree_watch *w, const struct needs *needs, struct verdict *v);
void ostree_watch_delete(struct ostree_watch *w);

#endif
