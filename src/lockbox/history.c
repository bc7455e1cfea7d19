/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lockbox/replay.h"
#include "store/profile.h"
#include "store/root_mark.h"

/* A profile that cannot be read remembers nothing; whoever needs it to log in says so. */
static int load_marks(const struct store *s, struct history *h, struct err *e)
{
    AUTO(profile) struct profile p = {0};
    if (profile_load(s, h->profile, &p, e))
        return e->id == ERR_NO_PROFILE ? 0 : -1;
    for (size_t repo = 0; repo < COUNT_OF(h->marks); repo++)
        h->marks[repo] = steal_ptr(p.root_marks[repo]);
    return 0;
}

int history_open(const struct store *s, const char *profile, struct history *ret, struct err *e)
{
    AUTO(history) struct history h = HISTORY_CLOSED;
    h.profile = profile;
    if (pins_lock(s, profile, &h.lock, e) || pins_load(s, profile, &h.pins, e) ||
        memory_load(s, profile, &h.memory, e) || load_marks(s, &h, e))
        return -1;
    *ret = h;
    h = HISTORY_CLOSED;
    return 0;
}

/* ---- the roots that are served ---- */

static const struct verdict_file *find_root(const struct roles *roles, size_t repo, int64_t version)
{
    AUTO_FREE char *path =
        mem_format("%s/%" PRId64 ".root.json", pin_repo_metadata((enum pin_repo)repo), version);
    for (size_t i = 0; i < roles->count; i++)
        if (!strcmp(roles->files[i].path, path))
            return &roles->files[i];
    return NULL;
}

/* The lowest (`step` 1) or the highest (-1) version that is served. */
static const struct verdict_file *find_end(const struct roles *roles, size_t repo, int step)
{
    int64_t last = (int64_t)roles->count; /* a chain from 1 on is no longer than that, and gaps are refused */
    for (int64_t i = 1; i <= last; i++) {
        const struct verdict_file *f = find_root(roles, repo, step > 0 ? i : last + 1 - i);
        if (f)
            return f;
    }
    return NULL;
}

static void set_bytes(struct buf *to, const void *bytes, size_t len)
{
    buf_clear(to);
    buf_add(to, bytes, len);
}

/* ---- against what is known ---- */

static int alarm_gone(const struct roles *roles, size_t repo, const struct root_mark *seen, struct err *e)
{
    const struct verdict_file *newest = find_end(roles, repo, -1);
    struct root_mark left;
    struct err ignored;
    bool is_root = newest && root_mark_read(newest->bytes, newest->len, &left, &ignored) == 0;
    return root_mark_alarm_gone((enum pin_repo)repo, seen, is_root ? &left : NULL, e);
}

/* A served file that is no root at all is left to the verdict, which says what is wrong with it. */
static int compare_pin(const struct roles *roles, size_t repo, const struct buf *pin, struct err *e)
{
    struct root_mark known, served;
    struct err ignored;
    if (!pin->len)
        return 0;
    if (root_mark_read(pin->data, pin->len, &known, e)) {
        e->id = ERR_BAD_CONFIG;
        return err_context(e, "a pinned root of the %s", pin_repo_title((enum pin_repo)repo));
    }
    const struct verdict_file *f = find_root(roles, repo, known.version);
    if (!f)
        return alarm_gone(roles, repo, &known, e);
    if (root_mark_read(f->bytes, f->len, &served, &ignored) ||
        !memcmp(known.content, served.content, HASH_SIZE))
        return 0;
    return root_mark_alarm((enum pin_repo)repo, &known, &served, e);
}

/* The state folder was lost and the configuration was not: no other root takes the old one's place. */
static int start_from_mark(struct history *h, const struct roles *roles, size_t repo, struct err *e)
{
    struct root_mark known, served;
    if (!root_mark_parse(h->marks[repo], &known))
        return err_set(e, ERR_BAD_CONFIG, "the profile's root '%s' is no version and fingerprint",
                       h->marks[repo]);
    const struct verdict_file *f = find_root(roles, repo, known.version);
    if (!f)
        return alarm_gone(roles, repo, &known, e);
    if (root_mark_read(f->bytes, f->len, &served, e))
        return err_context(e, "%s", f->path);
    if (memcmp(known.fingerprint, served.fingerprint, HASH_SIZE) != 0)
        return root_mark_alarm((enum pin_repo)repo, &known, &served, e);
    set_bytes(&h->pins.first[repo], f->bytes, f->len);
    return 0;
}

static int start(struct history *h, const struct pins *given, const struct roles *roles, size_t repo,
                 struct err *e)
{
    struct buf *first = &h->pins.first[repo];
    const struct verdict_file *lowest = find_end(roles, repo, 1);
    h->pinned_now[repo] = true;
    h->memory.repos[repo].origin = ORIGIN_CLOUD;
    if (h->marks[repo] && start_from_mark(h, roles, repo, e))
        return -1;
    if (!first->len && given && given->first[repo].len) {
        h->memory.repos[repo].origin = ORIGIN_FOLDER;
        set_bytes(first, given->first[repo].data, given->first[repo].len);
        return compare_pin(roles, repo, first, e);
    }
    if (!first->len && lowest)
        set_bytes(first, lowest->bytes, lowest->len);
    return 0;
}

int history_check_roots(struct history *h, const struct pins *given, const struct roles *roles, struct err *e)
{
    for (size_t repo = 0; repo < COUNT_OF(h->pins.first); repo++) {
        if (!h->pins.first[repo].len && start(h, given, roles, repo, e))
            return -1;
        if (compare_pin(roles, repo, &h->pins.first[repo], e) ||
            compare_pin(roles, repo, &h->pins.newest[repo], e))
            return -1;
    }
    return 0;
}

int history_advance(struct history *h, const struct store *s, int64_t now, const struct roles *roles,
                    const struct verdict *v, struct err *e)
{
    for (size_t repo = 0; repo < COUNT_OF(h->pins.first); repo++) {
        if (replay_advance(&h->memory.repos[repo], (enum pin_repo)repo, roles, v, e))
            return -1;
        if (h->pinned_now[repo])
            h->memory.repos[repo].pinned_at = now;
        const struct verdict_file *newest =
            v->newest_root[repo] < 0 ? NULL : &roles->files[v->newest_root[repo]];
        if (newest)
            set_bytes(&h->pins.newest[repo], newest->bytes, newest->len);
    }
    return pins_save(s, h->profile, &h->pins, e) || memory_save(s, h->profile, &h->memory, e) ? -1 : 0;
}

void history_free(struct history *h)
{
    cleanup_fd(&h->lock);
    pins_free(&h->pins);
    memory_free(&h->memory);
    free(h->marks[0]);
    free(h->marks[1]);
    *h = HISTORY_CLOSED;
}
