/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/ostree_object.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "fetch/gvariant.h"

static const char *const suffixes[] = {[OSTREE_COMMIT] = "commit",
                                       [OSTREE_DIRTREE] = "dirtree",
                                       [OSTREE_DIRMETA] = "dirmeta",
                                       [OSTREE_FILE] = "filez",
                                       [OSTREE_COMMITMETA] = "commitmeta"};

void ostree_path(const struct ostree_name *name, char ret[OSTREE_PATH_SIZE])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(name->checksum, hex);
    snprintf(ret, OSTREE_PATH_SIZE, "objects/%.2s/%s.%s", hex, hex + 2, suffixes[name->kind]);
}

bool ostree_path_parse(const char *path, struct ostree_name *ret)
{
    struct ostree_name name;
    char digits[HASH_HEX_SIZE], made[OSTREE_PATH_SIZE];
    if (strlen(path) >= OSTREE_PATH_SIZE ||
        sscanf(path, "objects/%2[0-9a-f]/%62[0-9a-f].", digits, digits + 2) != 2 ||
        !hex_decode(digits, strlen(digits), name.checksum, HASH_SIZE))
        return false;
    for (size_t kind = 0; kind < COUNT_OF(suffixes); kind++) {
        name.kind = (enum ostree_kind)kind;
        ostree_path(&name, made);
        if (strcmp(made, path) == 0) {
            *ret = name;
            return true;
        }
    }
    return false;
}

/* ---- what a dirtree, a commit and a dirmeta hold ---- */

static int bad(const char *what, struct err *e)
{
    return err_set(e, ERR_BAD_OSTREE, "%s", what);
}

static int visit(const struct ostree_visitor *visitor, enum ostree_kind kind, struct gvariant checksum,
                 struct err *e)
{
    struct ostree_name name = {.kind = kind};
    if (checksum.len != HASH_SIZE)
        return bad("a name in it has no 32 bytes", e);
    memcpy(name.checksum, checksum.at, HASH_SIZE);
    return visitor->visit(visitor->ctx, &name, e);
}

/* A name within a folder, as the device's library wants it. */
static bool is_file_name(struct gvariant v)
{
    if (!gvariant_is_text(v) || v.len < 2 || memchr(v.at, '/', v.len))
        return false;
    return strcmp((const char *)v.at, ".") != 0 && strcmp((const char *)v.at, "..") != 0;
}

/* a(say): name and checksum of each file */
static int read_files(struct gvariant files, const struct ostree_visitor *visitor, struct err *e)
{
    size_t count;
    if (!gvariant_count(files, &count))
        return bad("its list of files is malformed", e);
    for (size_t i = 0; i < count; i++) {
        struct gvariant entry, name, checksum;
        size_t end, offsets;
        if (!gvariant_element(files, i, &entry) || !gvariant_offset(entry, 1, 0, &end))
            return bad("its list of files is malformed", e);
        offsets = gvariant_offset_size(entry.len);
        if (!gvariant_part(entry, 0, end, &name) ||
            !gvariant_part(entry, end, entry.len - offsets, &checksum) || !is_file_name(name))
            return bad("it holds a file whose name is malformed", e);
        if (visit(visitor, OSTREE_FILE, checksum, e))
            return -1;
    }
    return 0;
}

/* a(sayay): name, dirtree and dirmeta of each folder */
static int read_folders(struct gvariant folders, const struct ostree_visitor *visitor, struct err *e)
{
    size_t count;
    if (!gvariant_count(folders, &count))
        return bad("its list of folders is malformed", e);
    for (size_t i = 0; i < count; i++) {
        struct gvariant entry, name, tree, meta;
        size_t name_end, tree_end, offsets;
        if (!gvariant_element(folders, i, &entry) || !gvariant_offset(entry, 2, 0, &name_end) ||
            !gvariant_offset(entry, 2, 1, &tree_end))
            return bad("its list of folders is malformed", e);
        offsets = 2 * gvariant_offset_size(entry.len);
        if (!gvariant_part(entry, 0, name_end, &name) || !gvariant_part(entry, name_end, tree_end, &tree) ||
            !gvariant_part(entry, tree_end, entry.len - offsets, &meta) || !is_file_name(name))
            return bad("it holds a folder whose name is malformed", e);
        if (visit(visitor, OSTREE_DIRTREE, tree, e) || visit(visitor, OSTREE_DIRMETA, meta, e))
            return -1;
    }
    return 0;
}

/* (a(say)a(sayay)) */
static int read_dirtree(struct gvariant tree, const struct ostree_visitor *visitor, struct err *e)
{
    struct gvariant files, folders;
    size_t end;
    if (!gvariant_offset(tree, 1, 0, &end) || !gvariant_part(tree, 0, end, &files) ||
        !gvariant_part(tree, end, tree.len - gvariant_offset_size(tree.len), &folders))
        return bad("it is no dirtree", e);
    return read_files(files, visitor, e) || read_folders(folders, visitor, e) ? -1 : 0;
}

/* a(ayay) */
bool ostree_are_attributes(const void *bytes, size_t n)
{
    const struct gvariant attributes = {bytes, n};
    size_t count;
    if (!gvariant_count(attributes, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct gvariant entry, name;
        size_t end;
        if (!gvariant_element(attributes, i, &entry) || !gvariant_offset(entry, 1, 0, &end) ||
            !gvariant_part(entry, 0, end, &name) || name.len < 2 ||
            memchr(name.at, 0, name.len) != name.at + name.len - 1)
            return false;
    }
    return true;
}

/* a{sv}; an entry begins at a multiple of eight, counted from the start of the whole */
bool ostree_is_dictionary(const void *bytes, size_t n)
{
    const struct gvariant whole = {bytes, n};
    size_t count;
    if (!gvariant_count(whole, &count) || count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct gvariant entry, key;
        size_t end;
        if (!gvariant_element(whole, i, &entry))
            return false;
        size_t gap = (8 - (size_t)(entry.at - whole.at) % 8) % 8;
        if (!gvariant_part(entry, gap, entry.len, &entry) || !gvariant_offset(entry, 1, 0, &end) ||
            !gvariant_part(entry, 0, end, &key) || !gvariant_is_text(key))
            return false;
    }
    return true;
}

/* (uuua(ayay)): uid, gid, mode, extended attributes */
static int read_dirmeta(struct gvariant meta, struct err *e)
{
    struct gvariant attributes;
    if (!gvariant_part(meta, 12, meta.len, &attributes) ||
        !ostree_are_attributes(attributes.at, attributes.len))
        return bad("it is no dirmeta", e);
    uint32_t mode = gvariant_be32(meta.at + 8);
    if (!S_ISDIR(mode) || (mode & ~(uint32_t)(S_IFMT | 07777)))
        return bad("its mode is not that of a folder", e);
    return 0;
}

/* (a{sv}aya(say)sstayay): metadata, parent, related, subject, body, time, root's dirtree, root's dirmeta. Its
 * variable parts but the last have their ends at the end, the first part's last. */
static int read_commit(struct gvariant commit, const struct ostree_visitor *visitor, struct err *e)
{
    enum { METADATA_END, PARENT_END, RELATED_END, SUBJECT_END, BODY_END, TREE_END, OFFSETS };
    size_t at[OFFSETS];
    struct gvariant parent, related, subject, body, tree, meta;
    for (size_t i = 0; i < OFFSETS; i++)
        if (!gvariant_offset(commit, OFFSETS, i, &at[i]))
            return bad("it is no commit", e);
    size_t table = commit.len - OFFSETS * gvariant_offset_size(commit.len);
    size_t time = (at[BODY_END] + 7) / 8 * 8; /* eight bytes, aligned */
    if (!gvariant_part(commit, at[METADATA_END], at[PARENT_END], &parent) ||
        !gvariant_part(commit, at[PARENT_END], at[RELATED_END], &related) ||
        !gvariant_part(commit, at[RELATED_END], at[SUBJECT_END], &subject) ||
        !gvariant_part(commit, at[SUBJECT_END], at[BODY_END], &body) ||
        !gvariant_part(commit, time + 8, at[TREE_END], &tree) ||
        !gvariant_part(commit, at[TREE_END], table, &meta) || !gvariant_is_text(subject) ||
        !gvariant_is_text(body))
        return bad("it is no commit", e);
    if (parent.len != 0 && parent.len != HASH_SIZE)
        return bad("its parent's name has no 32 bytes", e);
    return visit(visitor, OSTREE_DIRTREE, tree, e) || visit(visitor, OSTREE_DIRMETA, meta, e) ? -1 : 0;
}

int ostree_metadata_read(const struct ostree_name *name, const void *bytes, size_t n,
                         const struct ostree_visitor *visitor, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    const struct gvariant whole = {bytes, n};
    if (n > OSTREE_METADATA_MAX)
        return err_set(e, ERR_TOO_LARGE, "it has more than %u bytes", OSTREE_METADATA_MAX);
    hash_of(bytes, n, digest);
    if (memcmp(digest, name->checksum, HASH_SIZE) != 0)
        return err_set(e, ERR_WRONG_HASH, "its bytes do not have the checksum that is its name");
    switch (name->kind) {
    case OSTREE_COMMIT:
        return read_commit(whole, visitor, e);
    case OSTREE_DIRTREE:
        return read_dirtree(whole, visitor, e);
    case OSTREE_DIRMETA:
        return read_dirmeta(whole, e);
    case OSTREE_FILE:
    case OSTREE_COMMITMETA:
        break;
    }
    return err_set(e, ERR_INTERNAL, "not an object that is read whole");
}
