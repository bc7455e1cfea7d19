/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/dependents.h"

#include <string.h>

#include "base/mem.h"
#include "bundle-format/reader.h"
#include "bundle-format/volume.h"

struct search {
    const struct medium *medium;
    const char *name;
    const struct dependents_keep *keep;
};

/* Is it a volume of the bundle that is looked at, finished and under one of its names? */
static bool is_ours(const struct search *s, const struct index_volume *v, bool pending)
{
    AUTO_FREE char *name = volume_name(s->name, v->number, pending);
    struct volume_id id;
    struct err unreadable;
    return volume_read_id(s->medium, name, &id, &unreadable) == 0 && id.number == v->number &&
           !memcmp(id.id, v->id, BUNDLE_ID_SIZE);
}

static bool goes(const struct search *s, const struct index_volume *v)
{
    struct volume_id id = {.number = v->number};
    memcpy(id.id, v->id, BUNDLE_ID_SIZE);
    return (is_ours(s, v, false) || is_ours(s, v, true)) && !(s->keep && s->keep->keeps(s->keep->ctx, &id));
}

static int look_at(void *ctx, const char *name, struct err *e)
{
    const struct search *s = ctx;
    struct bundle *other;
    struct err unreadable;
    int rc = 0;
    if (!volume_is_head_name(name) || !strcmp(name, s->name) ||
        bundle_open_loosely(s->medium, name, &other, &unreadable))
        return 0;
    for (size_t i = 1; i < index_own_volume(&other->index) && rc == 0; i++)
        if (goes(s, &other->index.volumes[i]))
            rc = err_set(e, ERR_BUNDLE_NEEDED, "bundle '%s' borrows contents of it", name);
    bundle_close(other);
    return rc;
}

int dependents_check(const struct medium *medium, const char *name, const struct dependents_keep *keep,
                     struct err *e)
{
    struct search s = {.medium = medium, .name = name, .keep = keep};
    return medium->list(medium->ctx, look_at, &s, e);
}
