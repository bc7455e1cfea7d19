/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/stream.h"

#include "bundle-format/tar.h"

static const uint8_t zeros[TAR_END];

/* Contents are in the order of first use: the metadata's are the first ones. */
static uint32_t metadata_contents(const struct index *x, size_t metadata)
{
    uint32_t count = 0;
    size_t refs = metadata < x->member_count ? x->members[metadata].first_ref : x->ref_count;
    for (size_t i = 0; i < refs; i++)
        count = x->refs[i] >= count ? x->refs[i] + 1 : count;
    return count;
}

void stream_start(struct stream *s, const struct index *x, enum stream_part part)
{
    size_t metadata = index_metadata_count(x);
    *s = (struct stream){.index = x, .closes = part == STREAM_IMAGES};
    s->member = part == STREAM_METADATA ? 0 : metadata;
    s->end = part == STREAM_METADATA ? metadata : x->member_count;
    if (!x->shared || part == STREAM_METADATA)
        return;
    s->shares = true;
    s->used = metadata_contents(x, metadata);
    s->first_frame = index_metadata_frames(x);
    s->own_frame = index_own_frame(x);
}

static void start_member(struct stream *s, struct run *ret)
{
    buf_clear(&s->header);
    tar_add_header(&s->header, index_path(s->index, s->member), s->index->members[s->member].size);
    *ret =
        (struct run){.kind = RUN_HEADER, .size = s->header.len, .bytes = s->header.data, .member = s->member};
    s->nth = 0;
    s->in_member = true;
}

/* A borrowed content always, another one from its second use on; but what is in the metadata is none of the
 * payload's business. */
static bool lies_elsewhere(struct stream *s, uint32_t number)
{
    if (!s->shares)
        return false;
    size_t frame = s->index->contents[number].frame;
    bool first = number >= s->used;
    s->used += first;
    return frame >= s->first_frame && (!first || frame < s->own_frame);
}

static void next_content(struct stream *s, const struct index_member *m, struct run *ret)
{
    uint32_t number = s->index->refs[m->first_ref + s->nth];
    *ret = (struct run){.kind = RUN_CONTENT,
                        .size = s->index->contents[number].size,
                        .member = s->member,
                        .content = number,
                        .nth = s->nth,
                        .elsewhere = lies_elsewhere(s, number)};
    s->nth++;
}

bool stream_next(struct stream *s, struct run *ret)
{
    if (s->member == s->end) {
        bool closes = s->closes;
        *ret = (struct run){.kind = RUN_END, .size = TAR_END, .bytes = zeros};
        s->closes = false;
        return closes;
    }
    const struct index_member *m = &s->index->members[s->member];
    if (!s->in_member) {
        start_member(s, ret);
    } else if (s->nth < m->ref_count) {
        next_content(s, m, ret);
    } else {
        *ret = (struct run){
            .kind = RUN_PADDING, .size = tar_padding(m->size), .bytes = zeros, .member = s->member};
        s->in_member = false;
        s->member++;
    }
    return true;
}

void stream_free(struct stream *s)
{
    buf_free(&s->header);
}

uint64_t stream_size(const struct index *x, enum stream_part part)
{
    AUTO(stream) struct stream s;
    struct run run;
    uint64_t size = 0;
    stream_start(&s, x, part);
    while (stream_next(&s, &run))
        size += run.elsewhere ? 0 : run.size;
    return size;
}
