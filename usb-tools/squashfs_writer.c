/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_writer.h"

#include <sqfs/block_processor.h>
#include <sqfs/block_writer.h>
#include <sqfs/compressor.h>
#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/meta_writer.h>
#include <sqfs/super.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "usb-tools/squashfs_file.h"
#include "usb-tools/squashfs_tree.h"

#define CHUNK (256u << 10)   /* read and hashed while still in the processor's cache */
#define BACKLOG_PER_WORKER 8 /* blocks of 128 KiB that wait: a few MiB in all */
#define MORE_BLOCKS 2        /* of which one is being filled with bytes, one with the ends of files */
#define NO_XATTR UINT32_MAX

struct image {
    struct squashfs_file file;
    sqfs_super_t super;
    sqfs_compressor_t *packer, *unpacker; /* the second to compare what looks alike */
    sqfs_block_writer_t *blocks;
    sqfs_frag_table_t *fragments;
    sqfs_block_processor_t *processor;
    sqfs_id_table_t *ids;
    sqfs_meta_writer_t *inodes, *folders;
    sqfs_dir_writer_t *folder_writer;
    uint8_t *chunk;
    struct hash *content_hash, *member_hash;
    uint64_t backlog; /* bytes that may still be on their way to the file */
    uint64_t waiting; /* bytes that have not been counted */
};

/* ---- what libsquashfs needs ---- */

static int make_compressor(sqfs_u16 flags, sqfs_compressor_t **ret)
{
    sqfs_compressor_config_t config;
    int rc = sqfs_compressor_config_init(&config, SQFS_COMP_GZIP, SQFS_DEFAULT_BLOCK_SIZE, flags);
    return rc ? rc : sqfs_compressor_create(&config, ret);
}

static int make_processor(struct image *x)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    sqfs_block_processor_desc_t how = {
        .size = sizeof how,
        .max_block_size = SQFS_DEFAULT_BLOCK_SIZE,
        .num_workers = cores > 1 ? (sqfs_u32)cores : 1,
        .max_backlog = BACKLOG_PER_WORKER * (cores > 1 ? (sqfs_u32)cores : 1),
        .cmp = x->packer,
        .wr = x->blocks,
        .tbl = x->fragments,
        .file = &x->file.base,
        .uncmp = x->unpacker,
    };
    x->backlog = (uint64_t)(how.max_backlog + how.num_workers + MORE_BLOCKS) * how.max_block_size;
    return sqfs_block_processor_create_ex(&how, &x->processor);
}

static int open_image(struct image *x, struct err *e)
{
    int rc;
    if ((rc = make_compressor(0, &x->packer)) ||
        (rc = make_compressor(SQFS_COMP_FLAG_UNCOMPRESS, &x->unpacker)) ||
        (rc = sqfs_super_init(&x->super, SQFS_DEFAULT_BLOCK_SIZE, 0, SQFS_COMP_GZIP)) ||
        (rc = sqfs_super_write(&x->super, &x->file.base)))
        return squashfs_error(&x->file, rc, "the image", e);
    if ((rc = x->packer->write_options(x->packer, &x->file.base)) < 0)
        return squashfs_error(&x->file, rc, "the image", e);
    if (rc > 0)
        x->super.flags |= SQFS_FLAG_COMPRESSOR_OPTIONS;
    x->blocks = sqfs_block_writer_create(&x->file.base, SQFS_DEVBLK_SIZE, 0);
    x->fragments = sqfs_frag_table_create(0);
    x->ids = sqfs_id_table_create(0);
    x->inodes = sqfs_meta_writer_create(&x->file.base, x->packer, 0);
    x->folders = sqfs_meta_writer_create(&x->file.base, x->packer, SQFS_META_WRITER_KEEP_IN_MEMORY);
    x->folder_writer = x->folders ? sqfs_dir_writer_create(x->folders, 0) : NULL;
    if (!x->blocks || !x->fragments || !x->ids || !x->inodes || !x->folder_writer)
        return squashfs_error(&x->file, SQFS_ERROR_ALLOC, "the image", e);
    return (rc = make_processor(x)) ? squashfs_error(&x->file, rc, "the image", e) : 0;
}

static void close_image(struct image *x)
{
    sqfs_destroy(x->folder_writer);
    sqfs_destroy(x->folders);
    sqfs_destroy(x->inodes);
    sqfs_destroy(x->ids);
    sqfs_destroy(x->processor);
    sqfs_destroy(x->fragments);
    sqfs_destroy(x->blocks);
    sqfs_destroy(x->unpacker);
    sqfs_destroy(x->packer);
    squashfs_file_free(&x->file);
    free(x->chunk);
    hash_delete(x->content_hash);
    hash_delete(x->member_hash);
}

/* ---- contents ---- */

static int append(void *ctx, const uint8_t *bytes, size_t n, struct err *e)
{
    struct image *x = ctx;
    hash_update(x->member_hash, bytes, n);
    int rc = sqfs_block_processor_append(x->processor, bytes, n);
    if (rc)
        return squashfs_error(&x->file, rc, "cannot add bytes", e);
    x->waiting += n;
    if (x->waiting > x->backlog) {
        squashfs_file_count(&x->file, x->waiting - x->backlog);
        x->waiting = x->backlog;
    }
    return 0;
}

static int append_contents(struct image *x, const struct member *m, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    for (size_t i = 0; i < m->content_count; i++)
        if (content_pour(&m->contents[i], x->chunk, CHUNK, x->content_hash, append, x, e))
            return -1;
    hash_final(x->member_hash, digest);
    return memcmp(digest, m->sha256, HASH_SIZE)
               ? err_set(e, ERR_WRONG_HASH, "its contents do not match its hash")
               : 0;
}

static int append_file(struct image *x, struct squashfs_node *n, struct err *e)
{
    int rc = sqfs_block_processor_begin_file(x->processor, (sqfs_inode_generic_t **)&n->made, NULL, 0);
    if (rc)
        return squashfs_error(&x->file, rc, "cannot begin a file", e);
    int failed = append_contents(x, n->member, e);
    rc = sqfs_block_processor_end_file(x->processor);
    if (failed)
        return -1;
    return rc ? squashfs_error(&x->file, rc, "cannot end a file", e) : 0;
}

/* All bytes first, then, when every block has its place, the inodes. */
static int append_files(struct image *x, struct squashfs_node *n, struct err *e)
{
    if (n->member)
        return append_file(x, n, e) ? err_context(e, "'%s'", n->member->path) : 0;
    for (size_t i = 0; i < n->count; i++)
        if (append_files(x, n->children[i], e))
            return -1;
    return 0;
}

static void free_inodes(struct squashfs_node *n)
{
    sqfs_free(n->made);
    n->made = NULL;
    for (size_t i = 0; i < n->count; i++)
        free_inodes(n->children[i]);
}

/* ---- inodes ---- */

static int write_inode(struct image *x, const struct squashfs_node *n, sqfs_inode_generic_t *inode,
                       sqfs_u16 mode, sqfs_u64 *ret_place)
{
    sqfs_u64 block;
    sqfs_u32 offset;
    int rc;
    inode->base.mode = mode;
    inode->base.mod_time = 0;
    inode->base.inode_number = n->inode;
    if ((rc = sqfs_id_table_id_to_index(x->ids, 0, &inode->base.uid_idx)) ||
        (rc = sqfs_id_table_id_to_index(x->ids, 0, &inode->base.gid_idx)))
        return rc;
    sqfs_meta_writer_get_position(x->inodes, &block, &offset);
    *ret_place = block << 16 | offset;
    return sqfs_meta_writer_write_inode(x->inodes, inode);
}

#define FILE_MODE (SQFS_INODE_MODE_REG | 0644)
#define FOLDER_MODE (SQFS_INODE_MODE_DIR | 0755)

static int write_node(struct image *x, const struct squashfs_node *n, uint32_t parent, sqfs_u64 *ret_place);

static int write_folder(struct image *x, const struct squashfs_node *n, uint32_t parent, sqfs_u64 *ret_place)
{
    sqfs_u64 *places = mem_zeroed(n->count, sizeof *places);
    int rc = 0;
    for (size_t i = 0; i < n->count && rc == 0; i++)
        rc = write_node(x, n->children[i], n->inode, &places[i]);
    if (rc == 0)
        rc = sqfs_dir_writer_begin(x->folder_writer, 0);
    for (size_t i = 0; i < n->count && rc == 0; i++)
        rc = sqfs_dir_writer_add_entry(x->folder_writer, n->children[i]->name, n->children[i]->inode,
                                       places[i], n->children[i]->member ? FILE_MODE : FOLDER_MODE);
    free(places);
    if (rc || (rc = sqfs_dir_writer_end(x->folder_writer)))
        return rc;
    sqfs_inode_generic_t *inode = sqfs_dir_writer_create_inode(x->folder_writer, 0, NO_XATTR, parent);
    rc = inode ? write_inode(x, n, inode, FOLDER_MODE, ret_place) : SQFS_ERROR_ALLOC;
    sqfs_free(inode);
    return rc;
}

static int write_node(struct image *x, const struct squashfs_node *n, uint32_t parent, sqfs_u64 *ret_place)
{
    return n->member ? write_inode(x, n, n->made, FILE_MODE, ret_place)
                     : write_folder(x, n, parent, ret_place);
}

/* Inodes, folders, the tables, and the superblock that says where they are. */
static int write_tables(struct image *x, const struct squashfs_node *root)
{
    int rc;
    x->super.inode_count = squashfs_tree_size(root);
    x->super.inode_table_start = x->file.size;
    if ((rc = write_node(x, root, x->super.inode_count + 1, &x->super.root_inode_ref)) ||
        (rc = sqfs_meta_writer_flush(x->inodes)))
        return rc;
    x->super.directory_table_start = x->file.size;
    if ((rc = sqfs_meta_writer_flush(x->folders)) || (rc = sqfs_meta_write_write_to_file(x->folders)) ||
        (rc = sqfs_frag_table_write(x->fragments, &x->file.base, &x->super, x->packer)) ||
        (rc = sqfs_id_table_write(x->ids, &x->file.base, &x->super, x->packer)))
        return rc;
    x->super.flags |= SQFS_FLAG_NO_XATTRS;
    x->super.bytes_used = x->file.size;
    if ((rc = sqfs_super_write(&x->super, &x->file.base)))
        return rc;
    uint64_t whole = (x->file.size + SQFS_DEVBLK_SIZE - 1) / SQFS_DEVBLK_SIZE * SQFS_DEVBLK_SIZE;
    return x->file.base.truncate(&x->file.base, whole); /* loop devices have whole blocks */
}

static int fill(struct image *x, struct squashfs_node *root, struct err *e)
{
    int failed = append_files(x, root, e), rc = sqfs_block_processor_finish(x->processor);
    if (failed) /* finished all the same: what waits in it would not be freed */
        return -1;
    if (rc || (rc = write_tables(x, root)))
        return squashfs_error(&x->file, rc, "the image", e);
    squashfs_file_count(&x->file, x->waiting);
    return squashfs_file_settle(&x->file, e);
}

int squashfs_write(const int *fds, struct several *at, const struct member *members, size_t n,
                   uint64_t *ret_bytes, struct err *e)
{
    struct image x = {.chunk = mem_zeroed(1, CHUNK), .content_hash = hash_new(), .member_hash = hash_new()};
    squashfs_file_create(&x.file, fds, at);
    struct squashfs_node *root = squashfs_tree_new(members, n);
    int rc = open_image(&x, e) || fill(&x, root, e) ? -1 : 0;
    if (rc == 0)
        *ret_bytes = x.file.size;
    free_inodes(root);
    squashfs_tree_delete(root);
    close_image(&x);
    return rc;
}
