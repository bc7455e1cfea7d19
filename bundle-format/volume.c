/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/volume.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

char *volume_name(const char *bundle, unsigned number, bool pending)
{
    return mem_format("%s.%03u%s", bundle, number, pending ? ".new" : "");
}

int volume_exists(const struct medium *medium, const char *name, bool *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    if (medium->open(medium->ctx, name, &fd, e) == 0)
        *ret = true;
    else if (e->id == ERR_NO_SUCH_PATH)
        *ret = false;
    else
        return -1;
    return 0;
}

int volume_file_size(int fd, uint64_t *ret, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat");
    *ret = (uint64_t)st.st_size;
    return 0;
}

int volume_check(const struct medium *medium, int fd, uint64_t offset, const struct index_volume *v,
                 struct err *e)
{
    uint8_t start[VOLUME_SIZE];
    struct volume_id found;
    if (medium->read(medium->ctx, fd, start, sizeof start, offset, e) || head_parse_volume(start, &found, e))
        return -1;
    if (memcmp(found.id, v->id, BUNDLE_ID_SIZE) || found.number != v->number)
        return err_set(e, ERR_VOLUME_FOREIGN, "it belongs to another bundle");
    return 0;
}

bool volume_is_head_name(const char *name)
{
    static const char ending[] = ".lockbox";
    size_t len = strlen(name);
    return len > strlen(ending) && !strcmp(name + len - strlen(ending), ending);
}

/* ".lockbox.001", ".lockbox.001.new" */
bool volume_is_name(const char *name)
{
    static const char pending[] = ".new";
    size_t len = strlen(name);
    if (len > strlen(pending) && !strcmp(name + len - strlen(pending), pending))
        len -= strlen(pending);
    return len > 4 && name[len - 4] == '.' && strspn(name + len - 3, "0123456789") >= 3;
}

int volume_read_id(const struct medium *medium, const char *name, struct volume_id *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    uint8_t start[VOLUME_SIZE];
    return medium->open(medium->ctx, name, &fd, e) ||
                   medium->read(medium->ctx, fd, start, sizeof start, 0, e) ||
                   head_parse_volume(start, ret, e)
               ? -1
               : 0;
}

int volume_check_file(const struct medium *medium, int fd, const char *shown, const struct index_volume *v,
                      struct err *e)
{
    uint64_t size = 0;
    if (volume_file_size(fd, &size, e))
        return err_context(e, "volume '%s'", shown);
    if (size < VOLUME_SIZE)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "volume '%s': it ends early", shown);
    if (volume_check(medium, fd, 0, v, e))
        return err_context(e, "volume '%s'", shown);
    if (size < v->bytes)
        return err_set(e, ERR_BUNDLE_TRUNCATED, "volume '%s': it ends early", shown);
    if (size > v->bytes)
        return err_set(e, ERR_BUNDLE_DAMAGED, "volume '%s': bytes follow its end", shown);
    return 0;
}

int volume_open_as(const struct medium *medium, const char *name, const struct index_volume *v, int *ret_fd,
                   struct err *e)
{
    AUTO_FD int fd = -1;
    if (medium->open(medium->ctx, name, &fd, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            err_set(e, ERR_VOLUME_MISSING, "it is not there");
        return err_context(e, "volume '%s'", name);
    }
    if (volume_check_file(medium, fd, name, v, e))
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}

int volume_open(const struct medium *medium, const char *bundle, const struct index_volume *v, int *ret_fd,
                bool *ret_pending, struct err *e)
{
    AUTO_FREE char *name = volume_name(bundle, v->number, false);
    AUTO_FREE char *pending = volume_name(bundle, v->number, true);
    struct err pending_error;
    *ret_pending = false;
    if (volume_open_as(medium, name, v, ret_fd, e) == 0)
        return 0;
    if (volume_open_as(medium, pending, v, ret_fd, &pending_error) == 0) {
        *ret_pending = true;
        return 0;
    }
    if (e->id == ERR_VOLUME_MISSING && pending_error.id != ERR_VOLUME_MISSING)
        *e = pending_error;
    return -1;
}

void volume_start(const struct index_volume *v, struct buf *to)
{
    struct volume_id id = {.number = v->number};
    memcpy(id.id, v->id, BUNDLE_ID_SIZE);
    head_add_volume(to, &id);
}

static int read_back_frame(const struct output *out, const struct index_frame *f, uint64_t base,
                           uint8_t *stored, struct err *e)
{
    uint8_t digest[HASH_SIZE];
    const struct medium *medium = out->set->medium;
    if (medium->read(medium->ctx, out->fd, stored, f->stored, base + f->offset, e))
        return err_context(e, "'%s'", out->part);
    hash_of(stored, f->stored, digest);
    if (memcmp(digest, f->sha256, HASH_SIZE))
        return err_set(e, ERR_READ_BACK, "'%s': the frame at byte %llu comes back changed", out->part,
                       (unsigned long long)(base + f->offset));
    return 0;
}

int volume_read_back(const struct output *out, const struct index *x, size_t volume, uint64_t base,
                     struct progress *progress, struct err *e)
{
    const struct index_volume *v = &x->volumes[volume];
    AUTO(buf) struct buf start = {0};
    AUTO_FREE uint8_t *stored = mem_zeroed(LIMIT_FRAME_STORED, 1);
    volume_start(v, &start);
    if (output_compare(out, start.data, start.len, base, e))
        return -1;
    progress_add(progress, start.len);
    for (size_t i = index_own_frame(x); i < x->frame_count; i++) {
        if (x->frames[i].volume != volume)
            continue;
        if (read_back_frame(out, &x->frames[i], base, stored, e))
            return -1;
        progress_add(progress, x->frames[i].stored);
    }
    return 0;
}
