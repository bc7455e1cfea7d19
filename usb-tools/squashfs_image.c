/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/squashfs_image.h"

#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/meta_reader.h>
#include <sqfs/super.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"
#include "usb-tools/squashfs_file.h"

#define CHUNK (1u << 20)
#define FILES_MAX (1u << 18)          /* as many as a bundle has */
#define FOLDERS_MAX FILES_MAX         /* counted as often as they are come to */
#define PATH_BYTES_MAX (24u << 20)    /* of all paths together */
#define BLOCKS_MAX (1u << 24)         /* of a file: libsquashfs holds four bytes for each */
#define METADATA_MAX (64u << 20)      /* as of a bundle */
#define TOTAL_MAX (UINT64_C(1) << 40) /* of all files: a sparse one costs nothing but the time to read it */

struct squashfs_image {
    struct squashfs_file file;
    sqfs_super_t super;
    sqfs_compressor_t *unpacker;
    sqfs_id_table_t *ids;
    sqfs_meta_reader_t *inodes, *folders;
    sqfs_data_reader_t *data;
    uint8_t *chunk;
    struct squashfs_entry *entries;
    size_t count, room, folder_count, path_bytes;
    uint64_t total;
};

static int bad(const struct squashfs_image *x, int returned, const char *what, struct err *e)
{
    if (x->file.error.id)
        return squashfs_error(&x->file, returned, what, e);
    return err_set(e, ERR_BAD_SQUASHFS, "%s cannot be read: libsquashfs says %d", what, returned);
}

/* ---- inodes, as far as they must be known before libsquashfs reads them ---- */

struct node {
    bool is_folder;
    uint64_t size;                /* of a file */
    sqfs_inode_generic_t listing; /* of a folder: what says where its listing is */
};

static uint32_t load(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

#define BASE 16u /* type, mode, owner, group, time, number */

static int read_more(struct squashfs_image *x, uint8_t *to, size_t n, struct err *e)
{
    int rc = sqfs_meta_reader_read(x->inodes, to, n);
    return rc ? bad(x, rc, "an inode", e) : 0;
}

static int read_folder_inode(struct squashfs_image *x, bool extended, struct node *ret, struct err *e)
{
    uint8_t at[24];
    if (read_more(x, at, extended ? 24 : 16, e))
        return -1;
    ret->is_folder = true;
    ret->listing.base.type = extended ? SQFS_INODE_EXT_DIR : SQFS_INODE_DIR;
    if (extended) {
        ret->listing.data.dir_ext.size = load(at + 4, 4);
        ret->listing.data.dir_ext.start_block = load(at + 8, 4);
        ret->listing.data.dir_ext.offset = (sqfs_u16)load(at + 18, 2);
    } else {
        ret->listing.data.dir.start_block = load(at, 4);
        ret->listing.data.dir.size = (sqfs_u16)load(at + 8, 2);
        ret->listing.data.dir.offset = (sqfs_u16)load(at + 10, 2);
    }
    return 0;
}

static int read_file_inode(struct squashfs_image *x, bool extended, struct node *ret, struct err *e)
{
    uint8_t at[40];
    if (read_more(x, at, extended ? 40 : 16, e))
        return -1;
    ret->size = extended ? load(at + 8, 4) | (uint64_t)load(at + 12, 4) << 32 : load(at + 12, 4);
    if (ret->size / x->super.block_size >= BLOCKS_MAX || ret->size > TOTAL_MAX - x->total)
        return err_set(e, ERR_TOO_LARGE, "its files are more than airlock reads");
    return 0;
}

static int read_node(struct squashfs_image *x, uint64_t place, struct node *ret, struct err *e)
{
    uint8_t at[BASE];
    *ret = (struct node){0};
    int rc = sqfs_meta_reader_seek(x->inodes, x->super.inode_table_start + (place >> 16), place & 0xffff);
    if (rc)
        return bad(x, rc, "an inode", e);
    if (read_more(x, at, BASE, e))
        return -1;
    if (load(at + 4, 2) >= x->super.id_count || load(at + 6, 2) >= x->super.id_count)
        return err_set(e, ERR_BAD_SQUASHFS, "an inode has no owner");
    switch (load(at, 2)) {
    case SQFS_INODE_DIR:
    case SQFS_INODE_EXT_DIR:
        return read_folder_inode(x, load(at, 2) == SQFS_INODE_EXT_DIR, ret, e);
    case SQFS_INODE_FILE:
    case SQFS_INODE_EXT_FILE:
        return read_file_inode(x, load(at, 2) == SQFS_INODE_EXT_FILE, ret, e);
    default:
        return err_set(e, ERR_BAD_SQUASHFS, "it has something in it that is neither a file nor a folder");
    }
}

/* ---- folders ---- */

static int read_folder(struct squashfs_image *x, const struct node *folder, const char *path, struct err *e);

static int add_file(struct squashfs_image *x, const char *path, uint64_t place, uint64_t size, struct err *e)
{
    if (x->count == FILES_MAX)
        return err_set(e, ERR_TOO_LARGE, "it has more than %u files", FILES_MAX);
    mem_grow(&x->entries, x->count, &x->room, sizeof *x->entries);
    x->entries[x->count++] = (struct squashfs_entry){.path = mem_strdup(path), .size = size, .inode = place};
    x->total += size;
    return 0;
}

static int take_entry(struct squashfs_image *x, const char *folder, const char *name, uint64_t place,
                      struct err *e)
{
    AUTO_FREE char *path = mem_format("%s%s%s", folder, *folder ? "/" : "", name);
    struct node node;
    x->path_bytes += strlen(path);
    if (x->path_bytes > PATH_BYTES_MAX)
        return err_set(e, ERR_TOO_LARGE, "its paths are more than airlock reads");
    if (name_check_text(path, e) || read_node(x, place, &node, e))
        return -1;
    return node.is_folder ? read_folder(x, &node, path, e) : add_file(x, path, place, node.size, e);
}

/* Two of the same name would be one file for this reader and another for a kernel. */
static int check_name(const sqfs_dir_entry_t *entry, const char *before, struct err *e)
{
    const char *name = (const char *)entry->name;
    if (strlen(name) != (size_t)entry->size + 1 || strchr(name, '/'))
        return err_set(e, ERR_UNSAFE_NAME, "a name in it is none");
    if (before && strcmp(before, name) >= 0)
        return err_set(e, ERR_BAD_SQUASHFS, "the names of a folder are not sorted");
    return 0;
}

/* The depth is bounded by the length of a path. */
static int read_folder(struct squashfs_image *x, const struct node *folder, const char *path, struct err *e)
{
    AUTO_FREE char *before = NULL;
    sqfs_readdir_state_t state;
    int rc = sqfs_readdir_state_init(&state, &x->super, &folder->listing);
    if (x->folder_count++ == FOLDERS_MAX)
        return err_set(e, ERR_TOO_LARGE, "it has more than %u folders", FOLDERS_MAX);
    while (rc == 0) {
        sqfs_dir_entry_t *entry = NULL;
        sqfs_u64 place;
        rc = sqfs_meta_reader_readdir(x->folders, &state, &entry, NULL, &place);
        if (rc)
            break;
        bool fails = check_name(entry, before, e) || take_entry(x, path, (const char *)entry->name, place, e);
        free(before);
        before = mem_strdup((const char *)entry->name);
        sqfs_free(entry);
        if (fails)
            return -1;
    }
    return rc < 0 ? bad(x, rc, "a folder", e) : 0;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct squashfs_entry *)a)->path, ((const struct squashfs_entry *)b)->path);
}

static int read_folders(struct squashfs_image *x, struct err *e)
{
    struct node root;
    if (read_node(x, x->super.root_inode_ref, &root, e))
        return -1;
    if (!root.is_folder)
        return err_set(e, ERR_BAD_SQUASHFS, "its root is no folder");
    if (read_folder(x, &root, "", e))
        return -1;
    if (x->count)
        qsort(x->entries, x->count, sizeof *x->entries, compare_entries);
    return 0;
}

/* ---- the image ---- */

static int read_super(struct squashfs_image *x, struct err *e)
{
    const sqfs_super_t *s = &x->super;
    int rc = sqfs_super_read(&x->super, &x->file.base);
    if (rc)
        return bad(x, rc, "the image", e);
    if (s->bytes_used > x->file.size)
        return err_set(e, ERR_BAD_SQUASHFS, "it ends early");
    if (s->compression_id != SQFS_COMP_GZIP)
        return err_set(e, ERR_BAD_SQUASHFS, "it is not compressed by gzip, which is what devices know");
    if (s->fragment_entry_count > FILES_MAX)
        return err_set(e, ERR_TOO_LARGE, "it has more than %u fragments", FILES_MAX);
    return 0;
}

/* Listings end where the next table begins. */
static uint64_t end_of_folders(const sqfs_super_t *s)
{
    uint64_t end = s->id_table_start;
    end = s->fragment_table_start < end ? s->fragment_table_start : end;
    return s->export_table_start < end ? s->export_table_start : end;
}

static int make_readers(struct squashfs_image *x)
{
    sqfs_compressor_config_t config;
    const sqfs_super_t *s = &x->super;
    int rc;
    if ((rc = sqfs_compressor_config_init(&config, SQFS_COMP_GZIP, s->block_size,
                                          SQFS_COMP_FLAG_UNCOMPRESS)) ||
        (rc = sqfs_compressor_create(&config, &x->unpacker)))
        return rc;
    x->ids = sqfs_id_table_create(0);
    x->inodes =
        sqfs_meta_reader_create(&x->file.base, x->unpacker, s->inode_table_start, s->directory_table_start);
    x->folders =
        sqfs_meta_reader_create(&x->file.base, x->unpacker, s->directory_table_start, end_of_folders(s));
    x->data = sqfs_data_reader_create(&x->file.base, s->block_size, x->unpacker, 0);
    if (!x->ids || !x->inodes || !x->folders || !x->data)
        return SQFS_ERROR_ALLOC;
    rc = sqfs_id_table_read(x->ids, &x->file.base, s, x->unpacker);
    return rc ? rc : sqfs_data_reader_load_fragment_table(x->data, s);
}

static int open_image(struct squashfs_image *x, struct err *e)
{
    if (read_super(x, e))
        return -1;
    int rc = make_readers(x);
    if (rc)
        return bad(x, rc, "the image", e);
    x->chunk = mem_zeroed(1, CHUNK);
    return read_folders(x, e);
}

bool squashfs_is_image(int fd)
{
    static const char magic[] = "hsqs";
    char start[sizeof magic - 1];
    struct err none;
    return fs_read_all(fd, start, sizeof start, 0, &none) == 0 && !memcmp(start, magic, sizeof start);
}

int squashfs_image_open(int fd, struct squashfs_image **ret, struct err *e)
{
    struct squashfs_image *x = mem_zeroed(1, sizeof *x);
    if (squashfs_file_open(&x->file, fd, e) || open_image(x, e)) {
        squashfs_image_close(x);
        return -1;
    }
    *ret = x;
    return 0;
}

size_t squashfs_image_count(const struct squashfs_image *x)
{
    return x->count;
}

const struct squashfs_entry *squashfs_image_at(const struct squashfs_image *x, size_t i)
{
    return &x->entries[i];
}

uint64_t squashfs_image_stored(const struct squashfs_image *x)
{
    return x->super.bytes_used;
}

static int pour(struct squashfs_image *x, const sqfs_inode_generic_t *inode,
                const struct squashfs_entry *file,
                int (*take)(void *ctx, const void *bytes, size_t n, struct err *e), void *ctx, struct err *e)
{
    for (uint64_t at = 0; at < file->size;) {
        sqfs_u32 wanted = file->size - at < CHUNK ? (sqfs_u32)(file->size - at) : CHUNK;
        sqfs_s32 got = sqfs_data_reader_read(x->data, inode, at, x->chunk, wanted);
        if (got <= 0)
            return bad(x, got, "it", e);
        if (take(ctx, x->chunk, (size_t)got, e))
            return -1;
        at += (uint64_t)got;
    }
    return 0;
}

int squashfs_image_pour(struct squashfs_image *x, const struct squashfs_entry *file,
                        int (*take)(void *ctx, const void *bytes, size_t n, struct err *e), void *ctx,
                        struct err *e)
{
    sqfs_inode_generic_t *inode = NULL;
    int rc =
        sqfs_meta_reader_read_inode(x->inodes, &x->super, file->inode >> 16, file->inode & 0xffff, &inode);
    rc = rc ? bad(x, rc, "its inode", e) : pour(x, inode, file, take, ctx, e);
    sqfs_free(inode);
    return rc;
}

static int gather(void *ctx, const void *bytes, size_t n, struct err *e)
{
    (void)e;
    buf_add(ctx, bytes, n);
    return 0;
}

int squashfs_image_read_metadata(struct squashfs_image *x, const struct bundle_taker *taker, struct err *e)
{
    static const char folder[] = "metadata/";
    uint64_t left = METADATA_MAX;
    for (size_t i = 0; i < x->count; i++) {
        const struct squashfs_entry *file = &x->entries[i];
        AUTO(buf) struct buf bytes = {0};
        if (strncmp(file->path, folder, strlen(folder)) != 0)
            continue;
        if (file->size > left)
            return err_set(e, ERR_TOO_LARGE, "its metadata is more than airlock reads");
        left -= file->size;
        if (squashfs_image_pour(x, file, gather, &bytes, e) || taker->take(taker->ctx, file->path, &bytes, e))
            return err_context(e, "'%s'", file->path);
    }
    return 0;
}

void squashfs_image_close(struct squashfs_image *x)
{
    if (!x)
        return;
    sqfs_destroy(x->data);
    sqfs_destroy(x->folders);
    sqfs_destroy(x->inodes);
    sqfs_destroy(x->ids);
    sqfs_destroy(x->unpacker);
    for (size_t i = 0; i < x->count; i++)
        free(x->entries[i].path);
    free(x->entries);
    free(x->chunk);
    free(x);
}
