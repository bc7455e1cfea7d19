/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/volume_output.h"

#include <string.h>

#include "base/mem.h"
#include "bundle-format/volume.h"

/* Is there a file of this name with this volume's V? Whatever else is wrong with it shows when it is read. */
static bool is_there(const struct medium *medium, const char *name, const struct index_volume *v)
{
    AUTO_FD int fd = -1;
    struct err none;
    return medium->open(medium->ctx, name, &fd, &none) == 0 && volume_check(medium, fd, 0, v, &none) == 0;
}

int volume_begin(struct output *o, struct output_set *set, const struct replacement *r,
                 const struct index_volume *v, struct err *e)
{
    AUTO(buf) struct buf start = {0};
    AUTO_FREE char *own = volume_name(r->name, v->number, false);
    AUTO_FREE char *pending = volume_name(r->name, v->number, true);
    const char *finished = is_there(r->medium, own, v)       ? own
                           : is_there(r->medium, pending, v) ? pending
                                                             : NULL;
    if (finished ? output_adopt(o, set, own, finished, e) : output_create(o, set, own, e))
        return -1;
    volume_start(v, &start);
    return output_write(o, start.data, start.len, 0, e);
}

/* A volume that is there keeps its own name. Under the pending one it was left by a writing that did not come
 * to its head. */
static int name_held(struct replacement *r, const struct index_volume *v, struct err *e)
{
    AUTO_FREE char *own = volume_name(r->name, v->number, false);
    AUTO_FREE char *pending = volume_name(r->name, v->number, true);
    AUTO_FREE char *name = NULL;
    if (is_there(r->medium, own, v))
        return 0;
    if (replace_name_volume(r, v->number, &name, e))
        return -1;
    return strcmp(name, pending) ? r->medium->rename(r->medium->ctx, pending, name, e) : 0;
}

static int read_back_and_name(struct output *o, struct replacement *r, const struct index *x, size_t volume,
                              struct progress *progress, struct err *e)
{
    AUTO_FREE char *name = NULL;
    if (volume_read_back(o, x, volume, 0, progress, e) ||
        replace_name_volume(r, x->volumes[volume].number, &name, e))
        return -1;
    return output_rename(o, name, e);
}

int volume_finish(struct output *o, struct replacement *r, const struct index *x, size_t volume,
                  struct progress *progress, struct err *e)
{
    if (output_is_held(o)) {
        if (name_held(r, &x->volumes[volume], e))
            return -1;
        progress_skip(progress, x->volumes[volume].bytes);
    } else if (read_back_and_name(o, r, x, volume, progress, e)) {
        return -1;
    }
    output_free(o);
    return r->medium->flush_folder(r->medium->ctx, e);
}
