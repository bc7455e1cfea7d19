/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle-format/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bundle-format/first.h"
#include "bundle-format/loan.h"
#include "bundle-format/lookup.h"
#include "bundle-format/pack.h"
#include "bundle-format/wire.h"

static void add_content(struct index *x, const struct lookup *l, const struct content *content)
{
    uint32_t *number = lookup_place(l, content->sha256, content->size);
    if (*number == 0) {
        struct index_content c = {.size = content->size, .frame = PLAN_NO_FRAME};
        memcpy(c.sha256, content->sha256, HASH_SIZE);
        index_add_content(x, &c);
        *number = (uint32_t)x->content_count;
    }
    index_add_ref(x, *number - 1);
}

static void add_member(struct index *x, const struct lookup *l, const struct member *m)
{
    index_add_member(x, m->path, strlen(m->path), m->size, m->sha256);
    for (size_t i = 0; i < m->content_count; i++)
        if (m->contents[i].size > 0) /* nothing has no place */
            add_content(x, l, &m->contents[i]);
}

/* All contents of all members, or more than LIMIT_REFERENCES. */
static size_t count_contents(const struct member *members, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count && sum <= LIMIT_REFERENCES; i++)
        sum += members[i].content_count;
    return sum;
}

int plan_members(const struct member *members, size_t count, struct index *ret, struct err *e)
{
    AUTO(index) struct index x = {0};
    size_t contents = count_contents(members, count);
    if (count > LIMIT_MEMBERS || contents > LIMIT_REFERENCES)
        return err_set(e, ERR_BUNDLE_LIMIT, "more files or contents than a bundle can hold");
    AUTO(lookup) struct lookup lookup = lookup_new(&x, contents);
    for (size_t i = 0; i < count; i++)
        add_member(&x, &lookup, &members[i]);
    if (index_check_members(&x, e))
        return -1;
    *ret = x;
    x = (struct index){0};
    return 0;
}

int plan_index(const struct bundle_plan *plan, struct index *ret, struct err *e)
{
    bool shared;
    if (manifest_check(plan->manifest_json, plan->manifest_len, &shared, e))
        return -1;
    if (plan->loans && !shared)
        return err_set(e, ERR_BUNDLE_INCONSISTENT, "its manifest does not say that it shares contents");
    if (plan_members(plan->members, plan->member_count, ret, e))
        return -1;
    ret->shared = shared;
    return 0;
}

#define ID_CONTEXT "LBX-VOL-1"

void plan_volume_id(const struct index *x, const struct bundle_options *options,
                    const struct bundle_loans *loans, uint16_t number, uint8_t ret[BUNDLE_ID_SIZE])
{
    AUTO_HASH struct hash *h = hash_new();
    AUTO(buf) struct buf line = {0};
    uint8_t digest[HASH_SIZE];
    buf_add_text(&line, ID_CONTEXT);
    wire_add_u32(&line, frame_library_version());
    wire_add_u32(&line, (uint32_t)options->level);
    wire_add_u32(&line, PACK_FRAME_RAW);
    wire_add_u64(&line, options->volume_bytes);
    wire_add_u16(&line, number);
    if (x->shared)
        loans_add_identity(loans, &line);
    hash_update(h, line.data, line.len);
    for (size_t i = index_metadata_count(x); i < x->member_count; i++) {
        const struct index_member *m = &x->members[i];
        const char *path = index_path(x, i);
        hash_update(h, path, strlen(path) + 1);
        hash_update(h, m->sha256, HASH_SIZE);
        buf_clear(&line);
        wire_add_u64(&line, m->size);
        hash_update(h, line.data, line.len);
    }
    hash_final(h, digest);
    memcpy(ret, digest, BUNDLE_ID_SIZE);
}
