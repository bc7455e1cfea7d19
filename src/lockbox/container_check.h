/* SPDX-License-Identifier: Apache-2.0
 *
 * Would the device load the container images of a lockbox? For every compose file: each manifest is there and
 * is its digest, each image is chosen as the device chooses, and each tarball holds that image under the tag
 * that the device expects (fetch/archive_check.h). For a plain folder, and for a bundle whose members come by
 * in their order.
 *
 * Which platform the device is, a lockbox does not say. Those count for which the manifests of all images are
 * there; all of them must be whole, and the verdict says which they are.
 */
#ifndef AIRLOCK_LOCKBOX_CONTAINER_CHECK_H
#define AIRLOCK_LOCKBOX_CONTAINER_CHECK_H

#include "base/progress.h"
#include "bundle-format/bundle.h"
#include "lockbox/judge.h"

bool container_check_is_due(const struct verdict *v);
/* dirfd: the lockbox directory. What is wrong becomes a problem of the verdict. */
void container_check_folder(int dirfd, struct verdict *v, struct progress *progress);

/* A bundle or an image: the taker gets what is in metadata/ first; then the sink looks at the members of
 * images/, which `members` names by number and which must outlive the watch, while somebody else proves them.
 */
struct container_watch;
void container_watch_start(const struct bundle_member_info *members, const struct verdict *v,
                           struct container_watch **ret, struct bundle_taker *ret_taker,
                           struct bundle_sink *ret_sink);
/* Does the sink look at a member, other than a compose file? */
bool container_watch_takes(const struct bundle_member_info *member);
/* After the last member; frees. */
void container_watch_end(struct container_watch *w, struct verdict *v);
void container_watch_delete(struct container_watch *w);

#endif
