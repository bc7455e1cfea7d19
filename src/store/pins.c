/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pins.h"

#include <errno.h>
#include <sys/file.h>

#include "base/fs.h"
#include "base/mem.h"
#include "store/profile.h"

/* Another one asks for a handful of roles meanwhile. One that takes longer is stopped, or out of luck. */
#define LOCK_PATIENCE_MS 60000u
#define LOCK_STEP_MS 20u

static const char *const folders[] = {[PIN_DIRECTOR] = "director", [PIN_IMAGE] = "repo"};

const char *pin_repo_title(enum pin_repo repo)
{
    return repo == PIN_DIRECTOR ? "director" : "image repository";
}

const char *pin_repo_metadata(enum pin_repo repo)
{
    return repo == PIN_DIRECTOR ? "director" : "image-repo";
}

int pins_open_folder(const struct store *s, const char *profile, bool create, int *ret_fd, struct err *e)
{
    if (profile_check_name(profile, e))
        return -1;
    if (s->state_fd < 0)
        return err_set(e, ERR_NO_SUCH_PATH, "there is no state folder");
    AUTO_FREE char *path = mem_format("trust/%s", profile);
    return fs_open_dir_at(s->state_fd, path, create, ret_fd, e);
}

int pins_lock(const struct store *s, const char *profile, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = -1;
    if (pins_open_folder(s, profile, true, &fd, e))
        return -1;
    for (unsigned waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB); waited_ms += LOCK_STEP_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_errno(e, ERR_SYSTEM, "cannot lock the pinned roots");
        if (waited_ms >= LOCK_PATIENCE_MS)
            return err_set(e, ERR_STORE_LOCKED, "another airlock holds the roots of profile '%s'", profile);
        usleep(LOCK_STEP_MS * 1000);
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* An empty file is no missing one: it must not pass for "nothing is pinned". */
static int read_optional(int dirfd, const char *folder, const char *file, struct buf *ret, struct err *e)
{
    AUTO_FREE char *path = mem_format("%s/%s", folder, file);
    if (fs_read_at(dirfd, path, PIN_BYTES_MAX, ret, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    if (ret->len)
        return 0;
    err_set(e, ERR_BAD_CONFIG, "'%s', a root to start from, is empty", path);
    return err_hint(e, "bring the file back from a backup or from whom it came");
}

static int load(int dirfd, struct pins *p, struct err *e)
{
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (read_optional(dirfd, folders[i], "root.json", &p->first[i], e) ||
            read_optional(dirfd, folders[i], "newest.json", &p->newest[i], e))
            return -1;
    return 0;
}

int pins_load(const struct store *s, const char *profile, struct pins *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    struct pins p = {0};
    if (pins_open_folder(s, profile, false, &fd, e)) {
        if (e->id != ERR_NO_SUCH_PATH)
            return -1;
    } else if (load(fd, &p, e)) {
        pins_free(&p);
        return -1;
    }
    *ret = p;
    return 0;
}

int pins_load_folder(const char *dir, struct pins *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    struct pins p = {0};
    if (fs_open_dir(dir, &fd, e))
        return -1;
    int rc = load(fd, &p, e);
    for (size_t i = 0; rc == 0 && i < COUNT_OF(folders); i++)
        if (!p.first[i].len)
            rc = err_set(e, ERR_NO_SUCH_PATH, "'%s' has no %s/root.json", dir, folders[i]);
    if (rc) {
        pins_free(&p);
        return -1;
    }
    *ret = p;
    return 0;
}

static int save_one(int fd, size_t repo, const struct pins *p, struct err *e)
{
    AUTO(buf) struct buf there = {0};
    AUTO_FREE char *first = mem_format("%s/root.json", folders[repo]);
    AUTO_FREE char *newest = mem_format("%s/newest.json", folders[repo]);
    if (read_optional(fd, folders[repo], "root.json", &there, e))
        return -1;
    if (!there.len && p->first[repo].len &&
        fs_replace_at(fd, first, p->first[repo].data, p->first[repo].len, 0600, e))
        return -1;
    if (p->newest[repo].len && fs_replace_at(fd, newest, p->newest[repo].data, p->newest[repo].len, 0600, e))
        return -1;
    return 0;
}

int pins_save(const struct store *s, const char *profile, const struct pins *p, struct err *e)
{
    AUTO_FD int fd = -1;
    if (pins_open_folder(s, profile, true, &fd, e) || save_one(fd, PIN_DIRECTOR, p, e) ||
        save_one(fd, PIN_IMAGE, p, e))
        return err_context(e, "cannot keep the trusted roots");
    return 0;
}

void pins_free(struct pins *p)
{
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        buf_free(&p->first[i]);
        buf_free(&p->newest[i]);
    }
}
