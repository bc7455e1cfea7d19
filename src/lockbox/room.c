/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/room.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "bundle-format/bundle.h"

struct prefixed {
    const char *prefix;
    int dirfd;
    uint64_t cluster_bytes, sum;
};

static int add_prefixed(void *ctx, const char *name, struct err *e)
{
    struct prefixed *p = ctx;
    (void)e;
    if (!strncmp(name, p->prefix, strlen(p->prefix)))
        p->sum += forecast_held(p->dirfd, name, p->cluster_bytes);
    return 0;
}

/* What an interrupted writing left is gone on with, and volumes that need no change stay. */
static uint64_t held_of_bundle(const struct place *place, uint64_t cluster_bytes)
{
    struct prefixed p = {.prefix = place->name, .dirfd = place->dirfd, .cluster_bytes = cluster_bytes};
    struct err unreadable;
    return fs_each(place->dirfd, add_prefixed, &p, &unreadable) ? 0 : p.sum;
}

int room_for_bundle(const struct place *place, uint64_t least, uint64_t most, bool single,
                    uint64_t volume_bytes, struct forecast *f, struct err *e)
{
    uint64_t volume = volume_bytes ? volume_bytes : BUNDLE_VOLUME_DEFAULT;
    if (forecast_medium(place->dirfd, f, e))
        return -1;
    forecast_stream(f, least, most, single ? 0 : volume);
    return forecast_check(f, held_of_bundle(place, f->cluster_bytes), e);
}

/* A device polls /media/<label>/update, so the label decides whether it finds the folder. */
static void remark_on_label(const struct device *device, struct forecast *f)
{
    const char *source = device ? device->source : NULL;
    if (!f->is_stick)
        return;
    if (!f->label) {
        forecast_remark(f, "the stick has no label, by which a device names the folder that it looks into");
        return;
    }
    AUTO_FREE char *wanted = mem_format("/%s/update", f->label);
    size_t len = source ? strlen(source) : 0;
    while (len > 1 && source[len - 1] == '/')
        len--;
    if (source &&
        (len < strlen(wanted) || strncmp(source + len - strlen(wanted), wanted, strlen(wanted)) != 0))
        forecast_remark(f, "the device looks into '%s', and this stick's label is '%s'", source, f->label);
}

int room_for_folder(const struct place *place, const struct member *members, size_t count,
                    const struct device *device, struct forecast *f, struct err *e)
{
    AUTO_FREE char *part = mem_format(".%s.part", place->name); /* goes before the new one is begun */
    if (forecast_medium(place->dirfd, f, e) || forecast_files(f, members, count, e))
        return -1;
    remark_on_label(device, f);
    return forecast_check(f, forecast_held(place->dirfd, part, f->cluster_bytes), e);
}

#define SQUASHFS_NODE_BYTES 512u /* inode and entry, for sure */

int room_for_image(const struct place *place, const struct member *members, size_t count, struct forecast *f,
                   struct err *e)
{
    uint64_t raw = 0;
    if (forecast_medium(place->dirfd, f, e))
        return -1;
    for (size_t i = 0; i < count; i++)
        raw += members[i].size + SQUASHFS_NODE_BYTES;
    forecast_stream(f, 0, raw, 0);
    return forecast_check(f, 0, e);
}
