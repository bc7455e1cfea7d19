/* SPDX-License-Identifier: Apache-2.0 */
#include "usb-tools/target_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct bundle_member_info *)a)->path, ((const struct bundle_member_info *)b)->path);
}

void target_index_make(const struct bundle *b, struct target_index *ret)
{
    size_t n = bundle_member_count(b);
    *ret = (struct target_index){.members = bundle_list_members(b), .count = n};
    qsort(ret->members, n, sizeof *ret->members, compare_members);
}

void target_index_free(struct target_index *x)
{
    free(x->members);
    *x = (struct target_index){0};
}

static char *member_path(const struct verdict_target *t)
{
    char hex[HASH_HEX_SIZE];
    if (!t->is_ostree)
        return mem_format("images/%s", t->name);
    hash_hex(t->sha256, hex);
    return mem_format("images/ostree/objects/%.2s/%s.commit", hex, hex + 2);
}

const struct bundle_member_info *target_index_find(const struct target_index *x,
                                                   const struct verdict_target *t)
{
    AUTO_FREE char *path = member_path(t);
    const struct bundle_member_info wanted = {.path = path};
    return x->count ? bsearch(&wanted, x->members, x->count, sizeof *x->members, compare_members) : NULL;
}

int target_index_check(const struct target_index *x, const struct verdict_target *t, struct err *e)
{
    const struct bundle_member_info *m = target_index_find(x, t);
    if (!m)
        return err_set(e, ERR_MISSING_TARGET, "it is not there");
    if (!t->is_ostree && m->size != t->length)
        return err_set(e, ERR_WRONG_LENGTH, "the file does not have its signed length");
    if (memcmp(m->sha256, t->sha256, HASH_SIZE))
        return err_set(e, ERR_WRONG_HASH, "the file does not match its signed hash");
    return 0;
}
