/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lockbox/ostree_members.h"

static struct content *add(struct assembly *a, const char *path, const uint8_t sha256[HASH_SIZE],
                           uint64_t size)
{
    size_t i = a->count++;
    a->paths[2 * i] = mem_strdup(path);
    a->contents[i] = (struct content){.size = size};
    a->members[i] = (struct member){
        .path = a->paths[2 * i], .size = size, .contents = &a->contents[i], .content_count = 1};
    memcpy(a->contents[i].sha256, sha256, HASH_SIZE);
    memcpy(a->members[i].sha256, sha256, HASH_SIZE);
    return &a->contents[i];
}

void assembly_add_file(struct assembly *a, const struct store *s, const char *path, const char *stored,
                       const struct record_file *f)
{
    size_t i = a->count, len = strlen(path), stored_len = strlen(stored);
    struct content *c = add(a, path, f->sha256, f->size);
    const char *end = len >= stored_len ? a->paths[2 * i] + (len - stored_len) : "";
    if (strcmp(end, stored) != 0) /* that of an OSTree object is what its member's path ends in */
        end = a->paths[2 * i + 1] = mem_strdup(stored);
    a->sources[i].file = (struct content_file){.dirfd = s->cache_fd, .path = end};
    c->source = &content_from_file;
    c->ctx = &a->sources[i].file;
}

void assembly_add_text(struct assembly *a, const char *path, const char *text)
{
    uint8_t sha256[HASH_SIZE];
    size_t i = a->count, len = strlen(text);
    hash_of(text, len, sha256);
    struct content *c = add(a, path, sha256, len);
    a->sources[i].text = (struct content_bytes){.bytes = text, .len = len};
    c->source = &content_from_bytes;
    c->ctx = &a->sources[i].text;
}

static void add_object(struct assembly *a, const struct store *s, const char *folder,
                       const struct record_file *f)
{
    char object[STORE_PATH_SIZE];
    AUTO_FREE char *path = mem_format("%s/%s", folder, f->path);
    store_object_path(f->sha256, object);
    assembly_add_file(a, s, path, object, f);
}

/* metadata/… first, which is not the order of the alphabet, then by path. */
static int compare_members(const void *a, const void *b)
{
    const char *x = ((const struct member *)a)->path, *y = ((const struct member *)b)->path;
    return x[0] != y[0] ? (x[0] == 'm' ? -1 : 1) : strcmp(x, y);
}

void assemble(const struct store *s, const struct record *r, const struct needs *needs, struct assembly *ret)
{
    bool is_differential = needs && needs->count;
    size_t n = r->role_count + r->target_count + ostree_members_count(r) + is_differential;
    *ret = (struct assembly){
        .contents = mem_zeroed(n, sizeof *ret->contents),
        .sources = mem_zeroed(n, sizeof *ret->sources),
        .paths = mem_zeroed(2 * n, sizeof *ret->paths),
    };
    container_members_make(s, r, &ret->containers);
    ret->members = mem_zeroed(n + ret->containers.count, sizeof *ret->members);
    for (size_t i = 0; i < r->role_count; i++)
        add_object(ret, s, "metadata", &r->roles[i]);
    for (size_t i = 0; i < r->target_count; i++)
        add_object(ret, s, "images", &r->targets[i]);
    ostree_members_add(ret, s, r);
    if (is_differential) {
        ret->needs = needs_format(needs);
        assembly_add_text(ret, NEEDS_PATH, ret->needs);
    }
    ret->file_count = ret->count;
    for (size_t i = 0; i < ret->containers.count; i++)
        ret->members[ret->count++] = ret->containers.members[i];
    if (ret->count)
        qsort(ret->members, ret->count, sizeof *ret->members, compare_members);
}

void assembly_free(struct assembly *a)
{
    for (size_t i = 0; i < 2 * a->file_count; i++)
        free(a->paths[i]);
    container_members_free(&a->containers);
    free(a->needs);
    free(a->paths);
    free(a->sources);
    free(a->contents);
    free(a->members);
    *a = (struct assembly){0};
}
