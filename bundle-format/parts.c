/* SPDX-License-Identifier: Apache-2.0
 *
 * The members of an open bundle as sources for another one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/pick.h"
#include "bundle-format/reader.h"

static void add_content(const struct bundle *b, struct bundle_parts *p, size_t ref)
{
    const struct index_content *c = &b->index.contents[b->index.refs[ref]];
    p->picked[ref] = (struct picked){.picker = p->picker, .content = b->index.refs[ref]};
    p->contents[ref] =
        (struct content){.size = c->size, .source = &content_from_bundle, .ctx = &p->picked[ref]};
    memcpy(p->contents[ref].sha256, c->sha256, HASH_SIZE);
}

void bundle_take_apart(struct bundle *b, struct bundle_parts *ret)
{
    const struct index *x = &b->index;
    struct bundle_parts p = {.count = x->member_count, .picker = picker_new(b)};
    p.members = mem_zeroed(x->member_count, sizeof *p.members);
    p.contents = mem_zeroed(x->ref_count, sizeof *p.contents);
    p.picked = mem_zeroed(x->ref_count, sizeof *p.picked);
    for (size_t i = 0; i < x->ref_count; i++)
        add_content(b, &p, i);
    for (size_t i = 0; i < x->member_count; i++) {
        const struct index_member *m = &x->members[i];
        p.members[i] = (struct member){.path = index_path(x, i),
                                       .size = m->size,
                                       .contents = p.contents + m->first_ref,
                                       .content_count = m->ref_count};
        memcpy(p.members[i].sha256, m->sha256, HASH_SIZE);
    }
    *ret = p;
}

void bundle_parts_free(struct bundle_parts *p)
{
    picker_delete(p->picker);
    free(p->members);
    free(p->contents);
    free(p->picked);
    *p = (struct bundle_parts){0};
}
