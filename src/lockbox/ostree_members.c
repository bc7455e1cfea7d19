/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/ostree_members.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/ostree_repo.h"

int ostree_members_fetch(struct cloud *cloud, const struct store *s, const struct verdict *v,
                         struct progress *progress, struct fetched_commits *ret, struct err *e)
{
    size_t n = 0;
    AUTO_FREE struct fetch_commit *commits = mem_zeroed(v->target_count, sizeof *commits);
    for (size_t i = 0; i < v->target_count; i++) {
        const struct verdict_target *t = &v->targets[i];
        if (!t->is_ostree)
            continue;
        commits[n] = (struct fetch_commit){.name = t->name, .uri = t->uri};
        memcpy(commits[n++].commit, t->sha256, HASH_SIZE);
    }
    return fetch_ostree(cloud, s, commits, n, progress, ret, e);
}

void ostree_members_record(struct fetched_commits *fetched, struct record *r)
{
    r->ostree = steal_ptr(fetched->files);
    r->ostree_count = fetched->count;
    fetched->count = 0;
}

size_t ostree_members_count(const struct record *r)
{
    return r->ostree_count ? r->ostree_count + OSTREE_FIXTURES : 0;
}

void ostree_members_add(struct assembly *a, const struct store *s, const struct record *r)
{
    if (!r->ostree_count)
        return;
    for (size_t i = 0; i < OSTREE_FIXTURES; i++) {
        AUTO_FREE char *path = mem_format("images/" STORE_OSTREE "%s", ostree_fixtures[i].path);
        assembly_add_text(a, path, ostree_fixtures[i].text);
    }
    for (size_t i = 0; i < r->ostree_count; i++) {
        AUTO_FREE char *path = mem_format("images/%s", r->ostree[i].path);
        assembly_add_file(a, s, path, r->ostree[i].path, &r->ostree[i]);
    }
}
