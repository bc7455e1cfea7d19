/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

void output_set_end(struct output_set *set, const struct err *failure)
{
    struct err ignored; /* the error that led here is the one to tell */
    bool goes_on = failure && err_exit_code(failure->id) == EXIT_MEDIUM;
    for (size_t i = 0; i < set->made_count && !goes_on; i++)
        if (set->medium->remove(set->medium->ctx, set->made[i], &ignored))
            continue;
    output_set_keep(set);
    free(set->made);
    *set = (struct output_set){0};
}

/* Until they are written, bytes of an earlier run may be in the page cache and nowhere else. */
static int read_from_medium(const struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (medium->flush(medium->ctx, o->fd, e))
        return -1;
    return o->set->keep_cache ? 0 : medium->drop_cache(medium->ctx, o->fd, e);
}

/* From here on it is written; what is before is there. */
static void start_pace(struct output *o)
{
    o->pace = (struct pace){.progress = o->set->progress, .from = o->bytes, .end = o->bytes};
}

static int create_part(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (medium->create(medium->ctx, o->part, &o->fd, e))
        return -1;
    remember(o->set, o->part);
    start_pace(o);
    return 0;
}

static int go_on_with_part(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (medium->reopen(medium->ctx, o->part, &o->fd, e))
        return e->id == ERR_NO_SUCH_PATH ? create_part(o, e) : -1;
    remember(o->set, o->part);
    o->compares = true;
    return read_from_medium(o, e);
}

int output_create(struct output *o, struct output_set *set, const char *name, struct err *e)
{
    *o = (struct output){.set = set, .part = mem_format("%s.part", name), .fd = -1};
    return go_on_with_part(o, e) ? err_context(e, "'%s'", o->part) : 0;
}

int output_adopt(struct output *o, struct output_set *set, const char *name, const char *finished,
                 struct err *e)
{
    *o = (struct output){
        .set = set, .part = mem_format("%s.part", name), .fd = -1, .compares = true, .adopted = true};
    if (set->medium->open(set->medium->ctx, finished, &o->fd, e))
        return -1;
    return read_from_medium(o, e) ? err_context(e, "'%s'", finished) : 0;
}

int output_replace(struct output *o, struct output_set *set, const char *name, struct err *e)
{
    AUTO_FREE char *part = mem_format("%s.part", name);
    AUTO_FD int fd = -1;
    struct err none;
    const struct medium *medium = set->medium;
    if (medium->open(medium->ctx, part, &fd, &none) == 0 || medium->open(medium->ctx, name, &fd, &none))
        return output_create(o, set, name, e);
    return output_adopt(o, set, name, name, e);
}

static int flush(struct output *o, struct err *e)
{
    o->unflushed = 0;
    if (o->set->medium->flush(o->set->medium->ctx, o->fd, e))
        return err_context(e, "'%s'", o->part);
    pace_settled(&o->pace);
    return 0;
}

static int append(struct output *o, const void *bytes, size_t n, uint64_t worth, struct err *e)
{
    const struct medium *medium = o->set->medium;
    if (medium->write(medium->ctx, o->fd, bytes, n, e))
        return err_context(e, "'%s'", o->part);
    o->bytes += n;
    o->unflushed += n;
    pace_wrote(&o->pace, n);
    pace_worth(&o->pace, worth);
    for (uint64_t due; (due = pace_due(&o->pace)) > 0; pace_arrived(&o->pace, due))
        if (medium->await(medium->ctx, o->fd, o->pace.from, due, e))
            return err_context(e, "'%s'", o->part);
    return o->unflushed < FLUSH_EVERY ? 0 : flush(o, e);
}

/* An adopted file differs from here on: what it holds of ours goes into a part of our own. */
static int copy_adopted(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    AUTO_FD int held = steal_fd(&o->fd);
    uint8_t piece[KIB(16)];
    uint64_t end = o->bytes;
    o->adopted = false;
    o->bytes = 0;
    if (create_part(o, e))
        return -1;
    while (o->bytes < end) {
        size_t n = end - o->bytes < sizeof piece ? (size_t)(end - o->bytes) : sizeof piece;
        if (medium->read(medium->ctx, held, piece, n, o->bytes, e) || append(o, piece, n, 0, e))
            return -1;
    }
    return 0;
}

/* What is there goes no further than o->bytes. */
static int stop_comparing(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    o->compares = false;
    if (o->adopted)
        return copy_adopted(o, e);
    start_pace(o);
    return medium->cut(medium->ctx, o->fd, o->bytes, e) ? err_context(e, "'%s'", o->part) : 0;
}

int output_write(struct output *o, const void *bytes, size_t n, uint64_t worth, struct err *e)
{
    struct err differs; /* or cannot be read there: it is written anew */
    if (o->compares && output_compare(o, bytes, n, o->bytes, &differs) == 0) {
        o->bytes += n;
        progress_skip(o->set->progress, worth);
        return 0;
    }
    if (o->compares && stop_comparing(o, e))
        return -1;
    return append(o, bytes, n, worth, e);
}

/* Whether nothing follows in the file that was compared. */
static int ends_here(const struct output *o, bool *ret, struct err *e)
{
    struct stat st;
    if (fstat(o->fd, &st))
        return err_errno(e, ERR_MEDIUM_IO, "cannot stat '%s'", o->part);
    *ret = (uint64_t)st.st_size == o->bytes;
    return 0;
}

bool output_is_held(const struct output *o)
{
    return o->adopted;
}

int output_settle(struct output *o, struct err *e)
{
    const struct medium *medium = o->set->medium;
    bool ends = true;
    if (o->compares && ends_here(o, &ends, e))
        return -1;
    if (!ends && stop_comparing(o, e))
        return -1;
    if (output_is_held(o))
        return 0;
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
