/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_reader.h"

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/super.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "usb-tools/squashfs_file.h"
#include "usb-tools/squashfs_tree.h"

#define CHUNK (1u << 20)

struct comparison {
    struct squashfs_file file;
    sqfs_super_t super;
    sqfs_compressor_t *unpacker;
    sqfs_id_table_t *ids;
    sqfs_dir_reader_t *folders;
    sqfs_data_reader_t *data;
    uint8_t *chunk;
    struct hash *hash;
    struct progress *progress;
};

static int differs(const char *path, struct err *e)
{
    return err_set(e, ERR_READ_BACK, "'%s' comes back changed", path);
}

static int open_image(struct comparison *c)
{
    sqfs_compressor_config_t config;
    int rc;
    if ((rc = sqfs_super_read(&c->super, &c->file.base)) ||
        (rc = sqfs_compressor_config_init(&config, (SQFS_COMPRESSOR)c->super.compression_id,
                                          c->super.block_size, SQFS_COMP_FLAG_UNCOMPRESS)) ||
        (rc = sqfs_compressor_create(&config, &c->unpacker)))
        return rc;
    c->ids = sqfs_id_table_create(0);
    c->folders = sqfs_dir_reader_create(&c->super, c->unpacker, &c->file.base, 0);
    c->data = sqfs_data_reader_create(&c->file.base, c->super.block_size, c->unpacker, 0);
    if (!c->ids || !c->folders || !c->data)
        return SQFS_ERROR_ALLOC;
    if ((rc = sqfs_id_table_read(c->ids, &c->file.base, &c->super, c->unpacker)))
        return rc;
    return sqfs_data_reader_load_fragment_table(c->data, &c->super);
}

static void close_image(struct comparison *c)
{
    sqfs_destroy(c->data);
    sqfs_destroy(c->folders);
    sqfs_destroy(c->ids);
    sqfs_destroy(c->unpacker);
    free(c->chunk);
    hash_delete(c->hash);
}

static int compare_file(struct comparison *c, const struct member *m, const sqfs_inode_generic_t *inode,
                        struct err *e)
{
    uint8_t digest[HASH_SIZE];
    sqfs_u64 size;
    if (sqfs_inode_get_file_size(inode, &size) || size != m->size)
        return differs(m->path, e);
    for (sqfs_u64 at = 0; at < size;) {
        sqfs_u32 wanted = size - at < CHUNK ? (sqfs_u32)(size - at) : CHUNK;
        sqfs_s32 got = sqfs_data_reader_read(c->data, inode, at, c->chunk, wanted);
        if (got <= 0)
            return c->file.error.id ? squashfs_error(&c->file, got, m->path, e) : differs(m->path, e);
        hash_update(c->hash, c->chunk, (size_t)got);
        progress_add(c->progress, (uint64_t)got);
        at += (sqfs_u64)got;
    }
    hash_final(c->hash, digest);
    return memcmp(digest, m->sha256, HASH_SIZE) ? differs(m->path, e) : 0;
}

static bool is_folder(const sqfs_tree_node_t *n)
{
    return (n->inode->base.mode & SQFS_INODE_MODE_MASK) == SQFS_INODE_MODE_DIR;
}

/* Both have the children of a folder sorted by name. */
static int compare_nodes(struct comparison *c, const struct squashfs_node *expected,
                         const sqfs_tree_node_t *found, struct err *e)
{
    if (strcmp(expected->name, (const char *)found->name) || is_folder(found) != !expected->member)
        return differs(expected->member ? expected->member->path : expected->name, e);
    if (expected->member)
        return compare_file(c, expected->member, found->inode, e);
    const sqfs_tree_node_t *child = found->children;
    for (size_t i = 0; i < expected->count; i++, child = child->next) {
        if (!child)
            return differs(expected->children[i]->name, e);
        if (compare_nodes(c, expected->children[i], child, e))
            return -1;
    }
    return child ? err_set(e, ERR_READ_BACK, "the image has something more in it") : 0;
}

static int compare(struct comparison *c, const struct squashfs_node *expected, struct err *e)
{
    sqfs_tree_node_t *root = NULL;
    int rc = open_image(c);
    if (rc == 0)
        rc = sqfs_dir_reader_get_full_hierarchy(c->folders, c->ids, NULL, 0, &root);
    if (rc) {
        if (c->file.error.id)
            return squashfs_error(&c->file, rc, "the image", e);
        return err_set(e, ERR_READ_BACK, "the image cannot be read: libsquashfs says %d", rc);
    }
    rc = compare_nodes(c, expected, root, e);
    sqfs_dir_tree_destroy(root);
    return rc;
}

int squashfs_compare(int fd, const struct member *members, size_t n, struct progress *progress, struct err *e)
{
    struct comparison c = {.progress = progress};
    if (squashfs_file_open(&c.file, fd, e))
        return -1;
    c.chunk = mem_zeroed(1, CHUNK);
    c.hash = hash_new();
    struct squashfs_node *expected = squashfs_tree_new(members, n);
    int rc = compare(&c, expected, e);
    squashfs_tree_delete(expected);
    close_image(&c);
    return rc;
}
