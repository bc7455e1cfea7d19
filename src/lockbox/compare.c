/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/compare.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/assemble.h"
#include "lockbox/place.h"

#define IMAGES "images/"
#define FILES_MAX 262144u /* as many as a bundle has at most */
#define FOLDER_DEPTH_MAX 16u

/* ---- a side ---- */

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct compare_file *)a)->path, ((const struct compare_file *)b)->path);
}

static void add_file(struct compare_side *side, const char *path, uint64_t size)
{
    if (strncmp(path, IMAGES, strlen(IMAGES)) != 0)
        return;
    mem_grow(&side->files, side->file_count, &side->file_room, sizeof *side->files);
    side->files[side->file_count++] = (struct compare_file){mem_strdup(path), size};
}

static int load_bundle(struct compare_side *side, const char *path, const struct judge *judge, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    AUTO(roles) struct roles roles = {0};
    struct bundle *b = NULL;
    int rc = place_path(path, &place, e);
    if (rc == 0)
        rc = bundle_open(place.dirfd, place.name, &b, e);
    if (rc == 0)
        rc = roles_from_bundle(b, &roles, e);
    if (rc == 0)
        rc = judge_roles(judge, &roles, NULL, &side->verdict, e);
    for (size_t i = 0; rc == 0 && i < bundle_member_count(b); i++) {
        struct bundle_member_info m = bundle_member_at(b, i);
        add_file(side, m.path, m.size);
    }
    bundle_close(b);
    return rc;
}

struct folder {
    struct compare_side *side;
    const char *path; /* beneath the lockbox directory */
    int fd;
    unsigned depth;
};

static int walk_entry(void *ctx, const char *name, struct err *e)
{
    const struct folder *f = ctx;
    AUTO_FREE char *path = mem_format("%s/%s", f->path, name);
    struct stat st;
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW))
        return err_errno(e, ERR_MEDIUM_IO, "cannot look at '%s'", path);
    if (S_ISREG(st.st_mode)) {
        if (f->side->file_count == FILES_MAX)
            return err_set(e, ERR_TOO_LARGE, "more than %u files", FILES_MAX);
        add_file(f->side, path, (uint64_t)st.st_size);
    }
    if (!S_ISDIR(st.st_mode))
        return 0;
    AUTO_FD int fd = -1;
    if (f->depth == FOLDER_DEPTH_MAX)
        return err_set(e, ERR_TOO_LARGE, "'%s' lies deeper than packages do", path);
    if (fs_open_dir_at(f->fd, name, false, &fd, e))
        return -1;
    struct folder inside = {f->side, path, fd, f->depth + 1};
    return fs_each(fd, walk_entry, &inside, e);
}

static int load_folder(struct compare_side *side, const char *path, const struct judge *judge, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    AUTO_FD int dirfd = -1;
    AUTO_FD int images = -1;
    if (fs_open_dir(path, &dirfd, e) || roles_from_folder(dirfd, &roles, e))
        return -1;
    if (roles.count == 0)
        return err_set(e, ERR_NOT_A_LOCKBOX, "'%s' has no signed roles in metadata/", path);
    if (judge_roles(judge, &roles, NULL, &side->verdict, e))
        return -1;
    if (fs_open_dir_at(dirfd, "images", false, &images, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    struct folder f = {side, "images", images, 0};
    return fs_each(images, walk_entry, &f, e);
}

static int load_stored(struct compare_side *side, const struct store *s, const char *profile,
                       const char *name, const struct judge *judge, struct err *e)
{
    AUTO(record) struct record record = {0};
    AUTO(roles) struct roles roles = {0};
    AUTO(assembly) struct assembly assembly = {0};
    if (record_load(s, profile, name, &record, e) || roles_from_store(s, &record, &roles, e) ||
        judge_roles(judge, &roles, name, &side->verdict, e))
        return -1;
    assemble(s, &record, NULL, &assembly);
    for (size_t i = 0; i < assembly.count; i++)
        add_file(side, assembly.members[i].path, assembly.members[i].size);
    return 0;
}

/* A path is whatever cannot be the name of a lockbox, or is there. */
static int load_side(struct compare_side *side, const struct store *s, const char *profile,
                     const struct judge *judge, const char *what, struct err *e)
{
    struct stat st;
    bool there = stat(what, &st) == 0;
    int rc;
    side->shown = mem_strdup(what);
    if (there && S_ISDIR(st.st_mode))
        rc = load_folder(side, what, judge, e);
    else if (there)
        rc = load_bundle(side, what, judge, e);
    else if (strpbrk(what, "/."))
        return err_set(e, ERR_NO_SUCH_PATH, "'%s'", what);
    else
        rc = load_stored(side, s, profile, what, judge, e);
    if (rc)
        return err_context(e, "'%s'", what);
    qsort(side->files, side->file_count, sizeof *side->files, compare_paths);
    return 0;
}

static void free_side(struct compare_side *side)
{
    for (size_t i = 0; i < side->file_count; i++)
        free(side->files[i].path);
    free(side->files);
    free(side->shown);
    verdict_free(&side->verdict);
}

/* ---- packages ---- */

static const struct verdict_target *package_for(const struct verdict *v, const char *hardware_id)
{
    for (size_t i = 0; i < v->target_count; i++)
        for (size_t j = 0; j < v->targets[i].hardware_id_count; j++)
            if (!strcmp(v->targets[i].hardware_ids[j], hardware_id))
                return &v->targets[i];
    return NULL;
}

static bool same_package(const struct verdict_target *a, const struct verdict_target *b)
{
    return a && b && !strcmp(a->name, b->name) && a->length == b->length &&
           !memcmp(a->sha256, b->sha256, HASH_SIZE);
}

static int compare_hardware(const void *a, const void *b)
{
    return strcmp(((const struct compare_package *)a)->hardware_id,
                  ((const struct compare_package *)b)->hardware_id);
}

/* Offline, an ECU is known by its hardware id, and gets one package at most. */
static void add_packages(struct comparison *c, const struct verdict *v, size_t *room)
{
    for (size_t i = 0; i < v->target_count; i++)
        for (size_t j = 0; j < v->targets[i].hardware_id_count; j++) {
            const char *id = v->targets[i].hardware_ids[j];
            bool known = false;
            for (size_t k = 0; k < c->package_count; k++)
                known = known || !strcmp(c->packages[k].hardware_id, id);
            if (known)
                continue;
            mem_grow(&c->packages, c->package_count, room, sizeof *c->packages);
            struct compare_package *p = &c->packages[c->package_count++];
            *p = (struct compare_package){.hardware_id = id,
                                          .from = package_for(&c->from.verdict, id),
                                          .to = package_for(&c->to.verdict, id)};
            p->same = same_package(p->from, p->to);
        }
}

static void compare_packages(struct comparison *c)
{
    size_t room = 0;
    add_packages(c, &c->from.verdict, &room);
    add_packages(c, &c->to.verdict, &room);
    qsort(c->packages, c->package_count, sizeof *c->packages, compare_hardware);
}

/* ---- files ---- */

/* "images/<64 hex>.images/<64 hex>.tar" is a container image; false for any other file. */
static bool image_digest(const char *path, char ret[HASH_HEX_SIZE])
{
    static const char tail[] = ".tar";
    const char *slash = strrchr(path, '/');
    size_t len = slash ? strlen(slash + 1) : 0;
    if (len != HASH_HEX_SIZE - 1 + strlen(tail) || strcmp(slash + 1 + HASH_HEX_SIZE - 1, tail) != 0 ||
        !strstr(path, ".images/"))
        return false;
    memcpy(ret, slash + 1, HASH_HEX_SIZE - 1);
    ret[HASH_HEX_SIZE - 1] = '\0';
    return true;
}

static void note_image(struct comparison *c, const char *path, bool added)
{
    struct compare_image image = {.added = added};
    if (!image_digest(path, image.digest))
        return;
    c->images = mem_resize(c->images, c->image_count + 1, sizeof *c->images);
    c->images[c->image_count++] = image;
}

static void count(struct compare_amount *amount, const struct compare_file *file)
{
    amount->files++;
    amount->bytes += file->size;
}

/* A target's file has its name on both sides also where its content differs. */
static bool differs(const struct comparison *c, const struct compare_file *a, const struct compare_file *b)
{
    if (a->size != b->size)
        return true;
    if (!strncmp(b->path, "images/ostree/", strlen("images/ostree/")))
        return false;
    for (size_t i = 0; i < c->package_count; i++) {
        const struct compare_package *p = &c->packages[i];
        if (p->from && p->to && !p->same && !strcmp(p->from->name, p->to->name) &&
            !strcmp(p->to->name, b->path + strlen(IMAGES)))
            return true;
    }
    return false;
}

/* Both lists are sorted: one pass. */
static void compare_files(struct comparison *c)
{
    size_t a = 0, b = 0;
    while (a < c->from.file_count || b < c->to.file_count) {
        const struct compare_file *from = a < c->from.file_count ? &c->from.files[a] : NULL;
        const struct compare_file *to = b < c->to.file_count ? &c->to.files[b] : NULL;
        int order = !from ? 1 : !to ? -1 : strcmp(from->path, to->path);
        if (order == 0 && !differs(c, from, to)) {
            count(&c->same, to);
        } else {
            if (order <= 0)
                count(&c->removed, from);
            if (order >= 0)
                count(&c->added, to);
            if (order != 0)
                note_image(c, order < 0 ? from->path : to->path, order > 0);
        }
        a += order <= 0;
        b += order >= 0;
    }
}

int compare(const struct store *s, const char *profile, const struct judge *judge, const char *from,
            const char *to, struct comparison *ret, struct err *e)
{
    AUTO(comparison) struct comparison c = {0};
    if (load_side(&c.from, s, profile, judge, from, e) || load_side(&c.to, s, profile, judge, to, e))
        return -1;
    compare_packages(&c);
    compare_files(&c);
    *ret = c;
    c = (struct comparison){0};
    return 0;
}

void comparison_free(struct comparison *c)
{
    free_side(&c->from);
    free_side(&c->to);
    free(c->packages);
    free(c->images);
    *c = (struct comparison){0};
}
