/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

int roles_add(struct roles *r, const char *path, struct buf *bytes, struct err *e)
{
    if (r->count == ROLES_COUNT_MAX || bytes->len > ROLES_BYTES_MAX - r->total)
        return err_set(e, ERR_TOO_LARGE, "the lockbox's signed roles are more than airlock reads");
    mem_grow(&r->files, r->count, &r->room, sizeof *r->files);
    r->total += bytes->len;
    buf_add(bytes, "", 0);
    r->files[r->count++] =
        (struct verdict_file){.path = mem_strdup(path), .bytes = bytes->data, .len = bytes->len};
    *bytes = (struct buf){0};
    return 0;
}

void roles_free(struct roles *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free((void *)r->files[i].path);
        free((void *)r->files[i].bytes);
    }
    free(r->files);
    *r = (struct roles){0};
}

static bool is_json(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && name[0] != '.' && !strcmp(name + len - 5, ".json");
}

struct folder {
    int fd;
    const char *repo; /* "director" or "image-repo" */
    struct roles *roles;
};

static int add_from_folder(void *ctx, const char *name, struct err *e)
{
    struct folder *f = ctx;
    AUTO(buf) struct buf bytes = {0};
    AUTO_FREE char *path = mem_format("%s/%s", f->repo, name);
    if (!is_json(name))
        return 0;
    if (fs_read_at(f->fd, name, ROLE_BYTES_MAX, &bytes, e))
        return -1;
    return roles_add(f->roles, path, &bytes, e);
}

int roles_from_folder(int dirfd, struct roles *ret, struct err *e)
{
    static const char *const repos[] = {"director", "image-repo"};
    AUTO(roles) struct roles roles = {0};
    for (size_t i = 0; i < COUNT_OF(repos); i++) {
        AUTO_FREE char *path = mem_format("metadata/%s", repos[i]);
        struct folder f = {.fd = -1, .repo = repos[i], .roles = &roles};
        if (fs_open_dir_at(dirfd, path, false, &f.fd, e)) {
            if (e->id == ERR_NO_SUCH_PATH)
                continue;
            return -1;
        }
        int rc = fs_each(f.fd, add_from_folder, &f, e);
        close(f.fd);
        if (rc)
            return -1;
    }
    *ret = roles;
    roles = (struct roles){0};
    return 0;
}

int roles_take(void *roles, const char *path, struct buf *bytes, struct err *e)
{
    static const char folder[] = "metadata/", docker[] = "metadata/docker/", own[] = "metadata/airlock/";
    if (!is_json(strrchr(path, '/') + 1) || !strncmp(path, docker, strlen(docker)) ||
        !strncmp(path, own, strlen(own)))
        return 0;
    if (bytes->len > ROLE_BYTES_MAX)
        return err_set(e, ERR_TOO_LARGE, "'%s' is larger than %u bytes", path, ROLE_BYTES_MAX);
    return roles_add(roles, path + strlen(folder), bytes, e);
}

int roles_from_bundle(struct bundle *b, struct roles *ret, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    const struct bundle_taker taker = {.take = roles_take, .ctx = &roles};
    if (bundle_read_metadata(b, &taker, e))
        return -1;
    *ret = roles;
    roles = (struct roles){0};
    return 0;
}
