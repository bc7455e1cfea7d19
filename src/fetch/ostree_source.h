/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a commit is: the first repository that has its commit object, in the order of cloud_ostree_sources().
 * Over HTTP one HEAD request decides (GET where the server does not take that); on this machine, whether the
 * file is there.
 */
#ifndef AIRLOCK_FETCH_OSTREE_SOURCE_H
#define AIRLOCK_FETCH_OSTREE_SOURCE_H

#include "cloud/cloud.h"
#include "fetch/ostree_object.h"

struct ostree_source {
    struct cloud_source at;
    int folder; /* the repository, where it is on this machine; else -1 */
};
#define OSTREE_SOURCE_NONE ((struct ostree_source){.folder = -1})

/* ERR_NO_SUCH_COMMIT when every repository says that it has none. A repository of the account that cannot be
 * asked ends the search with its error; one that is not the account's is passed over, and its error returned
 * if no other has the commit. */
must_check int ostree_source_find(struct cloud *cloud, const char *uri, const struct ostree_name *commit,
                                  struct ostree_source *ret, struct err *e);
void ostree_source_free(struct ostree_source *s);

#endif
