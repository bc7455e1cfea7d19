/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/name.h"

#define LONGEST_END (sizeof ".999.new.part" - 1) /* of the names that a bundle has while it is written */

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && !strcmp(text + len - end_len, end);
}

static int open_existing(const char *to, int *ret_fd, struct err *e)
{
    if (fs_open_dir(to, ret_fd, e) == 0)
        return 0;
    if (e->sys == ENOENT)
        err_hint(e, "mount the stick first, or make the folder");
    return -1;
}

bool place_is_file(const char *to)
{
    return ends_in(to, ".lockbox");
}

int place_check(const char *to, bool as_bundle, struct err *e)
{
    AUTO(place) struct place p = {.dirfd = -1};
    return as_bundle && place_is_file(to) ? place_path(to, &p, e) : place_folder(to, "", &p, e);
}

static int open_airlock_folder(const char *to, bool make, int *ret_fd, struct err *e)
{
    AUTO_FD int stick = -1;
    if (open_existing(to, &stick, e))
        return -1;
    if (fs_open_dir_at(stick, "airlock", make, ret_fd, e) == 0)
        return 0;
    if (!make && e->id == ERR_NO_SUCH_PATH) {
        *ret_fd = steal_fd(&stick);
        return 0;
    }
    if (e->sys == ENOTDIR)
        return err_set(e, ERR_ALREADY_EXISTS, "'%s/airlock' is there already and is no folder", to);
    return err_context(e, "'%s'", to);
}

/* "stick/" is shown as "stick". */
static char *show(const char *to, const char *inside, const char *name)
{
    size_t len = strlen(to);
    while (len > 0 && to[len - 1] == '/')
        len--;
    return mem_format("%.*s/%s%s", (int)len, to, inside, name);
}

int place_bundle(const char *to, const char *name, bool make, struct place *ret, struct err *e)
{
    if (place_is_file(to))
        return place_path(to, ret, e);
    if (strlen(name) > NAME_PART_MAX - LONGEST_END) {
        err_set(e, ERR_UNSAFE_NAME, "the bundle's name would be longer than file systems hold");
        return err_hint(e, "write it to a path of your own, TO/x.lockbox, or --as plain");
    }
    struct place p = {.dirfd = -1, .on_stick = true};
    if (open_airlock_folder(to, make, &p.dirfd, e))
        return -1;
    p.name = mem_strdup(name);
    p.shown = show(to, "airlock/", name);
    *ret = p;
    return 0;
}

int place_folder(const char *to, const char *name, struct place *ret, struct err *e)
{
    struct place p = {.dirfd = -1};
    if (open_existing(to, &p.dirfd, e))
        return -1;
    p.name = mem_strdup(name);
    p.shown = show(to, "", name);
    *ret = p;
    return 0;
}

int place_path(const char *path, struct place *ret, struct err *e)
{
    AUTO_FREE char *copy = mem_strdup(path);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0';
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    AUTO_FREE char *folder = slash ? mem_strndup(copy, (size_t)(slash - copy) + 1) : mem_strdup(".");
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return err_set(e, ERR_USAGE, "'%s' names no file or folder to make", path);
    struct place p = {.dirfd = -1};
    if (open_existing(folder, &p.dirfd, e))
        return -1;
    p.name = mem_strdup(name);
    p.shown = mem_strdup(copy);
    *ret = p;
    return 0;
}

char *place_beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return mem_format("%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name);
}

int place_lock(const struct place *place, struct err *e)
{
    if (flock(place->dirfd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return err_set(e, ERR_STORE_LOCKED, "another airlock is writing beside it");
    return 0;
}

void place_free(struct place *p)
{
    if (p->name)
        cleanup_fd(&p->dirfd);
    free(p->name);
    free(p->shown);
    *p = (struct place){.dirfd = -1};
}
