/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/limits.h"

#define FLUSH_EVERY MIB(64)

static void remember(struct output_set *set, const char *name)
{
    mem_grow(&set->made, set->made_count, &set->made_room, sizeof *set->made);
    set->made[set->made_count++] = mem_strdup(name);
}

static void forget(struct output_set *set, const char *name)
{
    for (size_t i = 0; i < set->made_count; i++)
        if (!strcmp(set->made[i], name)) {
            free(set->made[i]);
            set->made[i] = set->made[--set->made_count];
            return;
        }
}

void output_set_keep(struct output_set *set)
{
    while (set->made_count > 0)
        free(set->made[--set->made_count]);
}

void output_set_free(struct output_set *set)
{
    struct err ignored; /* the error that led here is the one to tell */
    for (size_t i = 0; i < set->made_count; i++)
        if (set->medium->remove(set->medium->ctx, set->made[i], &ignored))
            continue;
    output_set_keep(set);
    free(set->made);
    *set = (struct output_set){0};
}

int output_create(struct output *o, struct output_set *set, const char *name, struct err *e)
{
    AUTO_FREE char *part = mem_format("%s.part", name);
    int fd;
    if (set->medium->create(set->medium->ctx, part, &fd, e))
        return -1;
    remember(set, part);
    *o = (struct output){.set = set, .part = steal_ptr(part), .fd = fd};
    return 0;
}

static int flush(struct output *o, struct err *e)
{
    o->unflushed = 0;
    return o->set->medium->flush(o->set->medium->ctx, o->fd, e) ? err_context(e, "'%s'", o->part) : 0;
}

int output_write(struct output *o, const void *bytes, size_t n, struct err *e)
{
    if (o->set->medium->write(o->set->medium->ctx, o->fd, bytes, n, e))
        return err_context(e, "'%s'", o->part);
    o->bytes += n;
    o->unflushed += n;
    return o->unflushed < FLUSH_EVERY ? 0 : flush(o, e);
}

int output_settle(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (flush(o, e))
        return -1;
    if (close(steal_fd(&o->fd)))
        return err_errno(e, ERR_MEDIUM_IO, "cannot close '%s'", o->part);
    if (medium->open(medium->ctx, o->part, &o->fd, e))
        return -1;
    if (!o->set->keep_cache && medium->drop_cache(medium->ctx, o->fd, e))
        return err_context(e, "'%s'", o->part);
    return 0;
}

int output_compare(const struct output *o, const void *expected, size_t n, uint64_t offset, struct err *e)
{
    const struct medium *medium = o->set->medium;
    uint8_t piece[KIB(16)];
    for (const uint8_t *at = expected; n > 0;) {
        size_t part = n < sizeof piece ? n : sizeof piece;
        if (medium->read(medium->ctx, o->fd, piece, part, offset, e))
            return err_context(e, "'%s'", o->part);
        if (memcmp(piece, at, part))
            return err_set(e, ERR_READ_BACK, "'%s': byte %llu and following come back changed", o->part,
                           (unsigned long long)offset);
        at += part;
        offset += part;
        n -= part;
    }
    return 0;
}

int output_rename(struct output *o, const char *name, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (close(steal_fd(&o->fd)))
        return err_errno(e, ERR_MEDIUM_IO, "cannot close '%s'", o->part);
    if (medium->rename(medium->ctx, o->part, name, e))
        return -1;
    forget(o->set, o->part);
    remember(o->set, name);
    return 0;
}

void output_free(struct output *o)
{
    if (o->part)
        cleanup_fd(&o->fd);
    free(o->part);
    *o = (struct output){.fd = -1};
}
