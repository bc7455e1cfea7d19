/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct squashfs_node *node_new(const char *name, size_t len)
{
    struct squashfs_node *n = mem_zeroed(1, sizeof *n);
    n->name = mem_strndup(name, len);
    return n;
}

/* Members come sorted by the bytes of their path, so those of one folder come together: a folder that is
 * there is the child added last. */
static struct squashfs_node *find_child(const struct squashfs_node *folder, const char *name, size_t len)
{
    struct squashfs_node *last = folder->count ? folder->children[folder->count - 1] : NULL;
    return last && strlen(last->name) == len && !memcmp(last->name, name, len) ? last : NULL;
}

static struct squashfs_node *add_child(struct squashfs_node *folder, const char *name, size_t len)
{
    struct squashfs_node *child = node_new(name, len);
    mem_grow(&folder->children, folder->count, &folder->room, sizeof *folder->children);
    folder->children[folder->count++] = child;
    return child;
}

static void add_member(struct squashfs_node *root, const struct member *m)
{
    struct squashfs_node *folder = root;
    const char *part = m->path, *slash;
    for (; (slash = strchr(part, '/')); part = slash + 1) {
        struct squashfs_node *next = find_child(folder, part, (size_t)(slash - part));
        folder = next ? next : add_child(folder, part, (size_t)(slash - part));
    }
    add_child(folder, part, strlen(part))->member = m;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(struct squashfs_node *const *)a)->name, (*(struct squashfs_node *const *)b)->name);
}

static void settle(struct squashfs_node *n, uint32_t *next_inode)
{
    n->inode = (*next_inode)++;
    if (n->count)
        qsort(n->children, n->count, sizeof(struct squashfs_node *), compare_names);
    for (size_t i = 0; i < n->count; i++)
        settle(n->children[i], next_inode);
}

struct squashfs_node *squashfs_tree_new(const struct member *members, size_t n)
{
    struct squashfs_node *root = node_new("", 0);
    uint32_t next_inode = 1;
    for (size_t i = 0; i < n; i++)
        add_member(root, &members[i]);
    settle(root, &next_inode);
    return root;
}

void squashfs_tree_delete(struct squashfs_node *root)
{
    if (!root)
        return;
    for (size_t i = 0; i < root->count; i++)
        squashfs_tree_delete(root->children[i]);
    free(root->children);
    free(root->name);
    free(root);
}

uint32_t squashfs_tree_size(const struct squashfs_node *root)
{
    uint32_t size = 1;
    for (size_t i = 0; i < root->count; i++)
        size += squashfs_tree_size(root->children[i]);
    return size;
}
