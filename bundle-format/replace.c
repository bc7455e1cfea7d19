/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/replace.h"

#include "base/mem.h"
#include "bundle-format/dependents.h"
#include "bundle-format/reader.h"
#include "bundle-format/volume.h"

static int rename_pending(struct replacement *r, unsigned number, struct err *e)
{
    AUTO_FREE char *pending = volume_name(r->name, number, true);
    AUTO_FREE char *final = volume_name(r->name, number, false);
    return r->medium->rename(r->medium->ctx, pending, final, e);
}

int replace_begin(struct replacement *r, const struct medium *medium, const char *name, struct err *e)
{
    struct bundle *older;
    struct err unreadable;
    *r = (struct replacement){.medium = medium, .name = name};
    if (volume_exists(medium, name, &r->replaces, e))
        return -1;
    if (!r->replaces || bundle_open_on(medium, name, &older, &unreadable))
        return 0; /* none, or none that anybody could still read */
    int rc = 0;
    for (unsigned i = 1; i < older->index.volume_count && rc == 0; i++)
        if (older->volumes[i].pending)
            rc = rename_pending(r, i, e);
    bundle_close(older);
    return rc ? rc : medium->flush_folder(medium->ctx, e);
}

int replace_name_volume(struct replacement *r, unsigned number, char **ret_name, struct err *e)
{
    AUTO_FREE char *own = volume_name(r->name, number, false);
    if (r->replaces && volume_exists(r->medium, own, &r->pending[number], e))
        return -1;
    *ret_name = volume_name(r->name, number, r->pending[number]);
    return 0;
}

static int remove_volume(struct replacement *r, unsigned number, bool pending, struct err *e)
{
    AUTO_FREE char *name = volume_name(r->name, number, pending);
    return r->medium->remove(r->medium->ctx, name, e);
}

/* What an interrupted writing began and nobody went on with. */
static int remove_part(struct replacement *r, unsigned number, struct err *e)
{
    AUTO_FREE char *own = volume_name(r->name, number, false);
    AUTO_FREE char *part = mem_format("%s.part", own);
    return r->medium->remove(r->medium->ctx, part, e);
}

/* Is there a volume of this number, finished or begun? */
static int volume_is_left(struct replacement *r, unsigned number, bool *ret, struct err *e)
{
    AUTO_FREE char *own = volume_name(r->name, number, false);
    AUTO_FREE char *pending = volume_name(r->name, number, true);
    AUTO_FREE char *part = mem_format("%s.part", own);
    if (volume_exists(r->medium, own, ret, e) || (!*ret && volume_exists(r->medium, pending, ret, e)) ||
        (!*ret && volume_exists(r->medium, part, ret, e)))
        return -1;
    return 0;
}

/* Volumes that only an older bundle had go, the last one first: should this be interrupted, those that are
 * left can still be counted up to. */
int replace_remove_volumes(struct replacement *r, unsigned first, struct err *e)
{
    unsigned end = first;
    for (bool left = true; left && end <= LIMIT_VOLUMES; end += left)
        if (volume_is_left(r, end, &left, e))
            return -1;
    while (end-- > first)
        if (remove_part(r, end, e) || remove_volume(r, end, true, e) || remove_volume(r, end, false, e))
            return -1;
    return 0;
}

int replace_end(struct replacement *r, unsigned volumes, struct err *e)
{
    for (unsigned number = 1; number < volumes; number++)
        if ((r->pending[number] ? rename_pending(r, number, e) : remove_volume(r, number, true, e)) ||
            remove_part(r, number, e))
            return -1;
    if (replace_remove_volumes(r, volumes, e))
        return -1;
    return r->medium->flush_folder(r->medium->ctx, e);
}

int bundle_remove(const struct medium *medium, const char *name, struct err *e)
{
    struct replacement r = {.medium = medium, .name = name};
    if (volume_exists(medium, name, &r.replaces, e))
        return -1;
    if (!r.replaces)
        return err_set(e, ERR_NO_SUCH_PATH, "there is no bundle '%s'", name);
    if (dependents_check(medium, name, NULL, e) || medium->remove(medium->ctx, name, e) ||
        medium->flush_folder(medium->ctx, e) || replace_remove_volumes(&r, 1, e))
        return -1;
    return medium->flush_folder(medium->ctx, e);
}
