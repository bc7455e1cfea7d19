/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/destination.h"

#include <stdlib.h>

#include "base/mem.h"
#include "bundle-format/volume.h"
#include "bundle-format/volume_output.h"

/* What one step is about; each uses its own. */
struct step {
    struct destinations *d;
    const struct dependents_keep *keep;
    const struct index *index;
    const struct index_volume *volume;
    size_t number;
    const struct buf *head;
    bool single;
    unsigned volumes;
    const void *bytes;
    size_t n;
    uint64_t worth;
};

void destinations_open(struct destinations *ret, const struct bundle_place *places, struct several *at,
                       bool keep_cache)
{
    *ret = (struct destinations){.at = at, .items = mem_zeroed(at->count, sizeof *ret->items)};
    for (size_t i = 0; i < at->count; i++) {
        struct destination *d = &ret->items[i];
        d->to = places[i];
        d->files = (struct output_set){
            .medium = d->to.medium, .progress = several_progress(at, i), .keep_cache = keep_cache};
        d->out.fd = -1;
        d->takes_part = !at->ones[i].out;
    }
}

static int prepare(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    if (replace_begin(&d->replacement, d->to.medium, d->to.name, e))
        return -1;
    return d->replacement.replaces ? dependents_check(d->to.medium, d->to.name, s->keep, e) : 0;
}

int destinations_prepare(struct destinations *d, const struct dependents_keep *keep, struct err *e)
{
    return several_each(d->at, prepare, &(struct step){.d = d, .keep = keep}, e);
}

static int begin_volume(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    return volume_begin(&d->out, &d->files, &d->replacement, s->volume, e);
}

int destinations_begin_volume(struct destinations *d, const struct index_volume *v, struct err *e)
{
    return several_each(d->at, begin_volume, &(struct step){.d = d, .volume = v}, e);
}

static int write_bytes(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    return output_write(&s->d->items[i].out, s->bytes, s->n, s->worth, e);
}

int destinations_write(struct destinations *d, const void *bytes, size_t n, uint64_t worth, struct err *e)
{
    return several_each(d->at, write_bytes, &(struct step){.d = d, .bytes = bytes, .n = n, .worth = worth},
                        e);
}

static int settle(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    return output_settle(&s->d->items[i].out, e);
}

int destinations_settle(struct destinations *d, struct err *e)
{
    return several_each(d->at, settle, &(struct step){.d = d}, e);
}

static int finish_volume(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    return volume_finish(&d->out, &d->replacement, s->index, s->number, several_progress(s->d->at, i), e);
}

int destinations_finish_volume(struct destinations *d, const struct index *x, size_t volume, struct err *e)
{
    if (destinations_settle(d, e))
        return -1;
    several_phase_end(d->at);
    several_phase(d->at, "read back", x->volumes[volume].bytes);
    if (several_each(d->at, finish_volume, &(struct step){.d = d, .index = x, .number = volume}, e))
        return -1;
    several_phase_end(d->at);
    return 0;
}

static int begin_head(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    return output_replace(&d->out, &d->files, d->to.name, e);
}

int destinations_begin_head(struct destinations *d, struct err *e)
{
    return several_each(d->at, begin_head, &(struct step){.d = d}, e);
}

static int name_head(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    const struct index *x = s->index;
    uint64_t base = s->head->len;
    if (output_is_held(&d->out)) {
        progress_skip(several_progress(s->d->at, i), s->worth);
        return 0;
    }
    if (output_compare(&d->out, s->head->data, s->head->len, 0, e))
        return -1;
    for (size_t v = index_own_volume(x); s->single && v < x->volume_count; v++) {
        if (volume_read_back(&d->out, x, v, base, several_progress(s->d->at, i), e))
            return -1;
        base += x->volumes[v].bytes;
    }
    return output_rename(&d->out, d->to.name, e);
}

int destinations_name_head(struct destinations *d, const struct buf *head, const struct index *x, bool single,
                           struct err *e)
{
    struct step step = {.d = d, .head = head, .index = x, .single = single};
    for (size_t v = index_own_volume(x); single && v < x->volume_count; v++)
        step.worth += x->volumes[v].bytes;
    if (single)
        several_phase(d->at, "read back", step.worth);
    if (several_each(d->at, name_head, &step, e))
        return -1;
    if (single)
        several_phase_end(d->at);
    return 0;
}

static int tidy(void *ctx, size_t i, struct err *e)
{
    const struct step *s = ctx;
    struct destination *d = &s->d->items[i];
    output_set_keep(&d->files);
    return d->to.medium->flush_folder(d->to.medium->ctx, e) || replace_end(&d->replacement, s->volumes, e)
               ? -1
               : 0;
}

int destinations_tidy(struct destinations *d, unsigned volumes, struct err *e)
{
    return several_each(d->at, tidy, &(struct step){.d = d, .volumes = volumes}, e);
}

int destinations_close(struct destinations *d, int rc, const char *failing, struct err *e)
{
    if (rc)
        several_fail(d->at, e);
    for (size_t i = 0; i < d->at->count; i++) {
        struct several_one *one = &d->at->ones[i];
        output_free(&d->items[i].out);
        output_set_end(&d->items[i].files, one->out ? &one->failure : NULL);
        if (one->out && d->items[i].takes_part)
            err_context(&one->failure, "%s", failing);
    }
    free(d->items);
    if (rc)
        *e = d->at->ones[0].failure;
    return rc ? -1 : 0;
}
