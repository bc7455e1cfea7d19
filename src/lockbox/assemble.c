/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void add(struct assembly *a, const struct store *s, const char *folder, const struct record_file *f)
{
    size_t i = a->count++;
    char object[STORE_PATH_SIZE];
    store_object_path(f->sha256, object);
    a->paths[2 * i] = mem_format("%s/%s", folder, f->path);
    a->paths[2 * i + 1] = mem_strdup(object);
    a->files[i] = (struct content_file){.dirfd = s->cache_fd, .path = a->paths[2 * i + 1]};
    a->contents[i] = (struct content){.size = f->size, .source = &content_from_file, .ctx = &a->files[i]};
    a->members[i] = (struct member){
        .path = a->paths[2 * i], .size = f->size, .contents = &a->contents[i], .content_count = 1};
    memcpy(a->contents[i].sha256, f->sha256, HASH_SIZE);
    memcpy(a->members[i].sha256, f->sha256, HASH_SIZE);
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->path, ((const struct member *)b)->path);
}

void assemble(const struct store *s, const struct record *r, struct assembly *ret)
{
    size_t n = r->role_count + r->target_count;
    *ret = (struct assembly){
        .members = mem_zeroed(n, sizeof *ret->members),
        .contents = mem_zeroed(n, sizeof *ret->contents),
        .files = mem_zeroed(n, sizeof *ret->files),
        .paths = mem_zeroed(2 * n, sizeof *ret->paths),
    };
    for (size_t i = 0; i < r->role_count; i++)
        add(ret, s, "metadata", &r->roles[i]);
    for (size_t i = 0; i < r->target_count; i++)
        add(ret, s, "images", &r->targets[i]);
    if (n) {
        qsort(ret->members, r->role_count, sizeof *ret->members, compare_members);
        qsort(ret->members + r->role_count, r->target_count, sizeof *ret->members, compare_members);
    }
}

void assembly_free(struct assembly *a)
{
    for (size_t i = 0; i < 2 * a->count; i++)
        free(a->paths[i]);
    free(a->paths);
    free(a->files);
    free(a->contents);
    free(a->members);
    *a = (struct assembly){0};
}
