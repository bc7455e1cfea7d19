/* SPDX-License-Identifier: Apache-2.0
 *
 * Members as a tree of folders, as squashfs has them: children sorted by name, each node with its inode
 * number.
 */
#ifndef AIRLOCK_USB_SQUASHFS_TREE_H
#define AIRLOCK_USB_SQUASHFS_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "bundle-format/member.h"

struct squashfs_node {
    char *name;                  /* of this part of the path; "" for the root */
    const struct member *member; /* NULL: a folder */
    struct squashfs_node **children;
    size_t count, room;
    uint32_t inode; /* from 1 */
    void *made;     /* the writer's inode of a file */
};

/* Members sorted by path, as bundles and exports have them; paths have passed name_check() and
 * name_check_twins(). */
struct squashfs_node *squashfs_tree_new(const struct member *members, size_t n);
void squashfs_tree_delete(struct squashfs_node *root);
/* Number of nodes. */
uint32_t squashfs_tree_size(const struct squashfs_node *root);

#endif
