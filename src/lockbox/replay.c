/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/canonical.h"
#include "uptane/root.h"
#include "uptane/snapshot.h"

#define REPLAY_HINT                                                                                          \
    "nothing was fetched. Someone serves old roles again, or the server was set back to a backup: ask the "  \
    "owner of the account. If it was a backup, and they vouch for it: log in under a new --profile"

static const char *snapshot_path(enum pin_repo repo)
{
    return repo == PIN_DIRECTOR ? "director/offline-snapshot.json" : "image-repo/snapshot.json";
}

static const struct verdict_file *find_file(const struct roles *roles, const char *path)
{
    for (size_t i = 0; i < roles->count; i++)
        if (!strcmp(roles->files[i].path, path))
            return &roles->files[i];
    return NULL;
}

/* ---- what is served ---- */

/* Who may sign the snapshot by the newest root, as hashes of the keys (an id is only a name). */
static int read_signers(const struct verdict_file *newest_root, enum role_type type, struct memory_repo *r,
                        int64_t *ret_threshold, struct err *e)
{
    struct root *root;
    struct grant grant;
    struct json_value keys, key;
    if (root_parse(newest_root->bytes, newest_root->len, &root, e))
        return -1;
    if (!root_grant(root, type, &grant) || !json_get_typed(root->role->body, "keys", JSON_OBJECT, &keys)) {
        root_delete(root);
        return err_set(e, ERR_BAD_ROLE, "'%s' does not say who signs the snapshot", newest_root->path);
    }
    r->signers = mem_zeroed(json_count(grant.keyids), sizeof *r->signers);
    for (size_t i = 0; i < json_count(grant.keyids); i++) {
        size_t len;
        const char *id = json_string(json_at(grant.keyids, i), &len);
        if (id && json_get_n(keys, id, len, &key))
            canonical_hash(key, r->signers[r->signer_count++]);
    }
    *ret_threshold = grant.threshold;
    root_delete(root);
    return 0;
}

/* A snapshot need not give hashes; a file that is at hand has one. */
static void hash_file_at_hand(const struct roles *roles, enum pin_repo repo, struct memory_entry *entry)
{
    AUTO_FREE char *path = mem_format("%s/%s", pin_repo_metadata(repo), entry->file);
    const struct verdict_file *f = find_file(roles, path);
    AUTO(json) struct json doc = {0};
    struct err ignored;
    if (!f || json_parse(&doc, f->bytes, f->len, &json_role_limits, &ignored))
        return;
    canonical_hash(json_root(&doc), entry->sha256);
    entry->has_sha256 = true;
}

static int read_snapshot(const struct roles *roles, enum pin_repo repo, enum role_type type,
                         struct memory_repo *r, struct err *e)
{
    struct role *snapshot;
    const struct verdict_file *f = find_file(roles, snapshot_path(repo));
    if (!f)
        return err_set(e, ERR_MISSING_ROLE, "%s is not there", snapshot_path(repo));
    if (role_parse(f->bytes, f->len, type, &snapshot, e))
        return -1;
    if (snapshot_check(snapshot, e)) {
        role_delete(snapshot);
        return -1;
    }
    r->version = snapshot->version;
    canonical_hash(snapshot->body, r->content);
    r->entries = mem_zeroed(snapshot_count(snapshot), sizeof *r->entries);
    for (; r->count < snapshot_count(snapshot); r->count++) {
        struct snapshot_entry listed;
        struct memory_entry *entry = &r->entries[r->count];
        snapshot_at(snapshot, r->count, &listed);
        *entry = (struct memory_entry){.file = mem_strndup(listed.file, listed.file_len),
                                       .version = listed.version,
                                       .has_sha256 = listed.has_sha256};
        memcpy(entry->sha256, listed.sha256, HASH_SIZE);
        if (!entry->has_sha256)
            hash_file_at_hand(roles, repo, entry);
    }
    role_delete(snapshot);
    return 0;
}

/* ---- against what is remembered ---- */

static bool keys_were_changed(const struct memory_repo *old, const struct memory_repo *new, int64_t threshold)
{
    int64_t left = 0;
    for (size_t i = 0; i < new->signer_count; i++) {
        bool is_old = false;
        for (size_t k = 0; k < old->signer_count; k++)
            is_old = is_old || !memcmp(new->signers[i], old->signers[k], HASH_SIZE);
        left += is_old;
    }
    return left < threshold;
}

static int refuse(struct err *e, const char *folder, const char *file, int64_t served, int64_t seen)
{
    if (served < seen)
        err_set(e, ERR_ROLLBACK, "%s%s: version %" PRId64 " is served, version %" PRId64 " was seen before",
                folder, file, served, seen);
    else
        err_set(e, ERR_ROLLBACK,
                "%s%s: version %" PRId64 " is served with other content than when it was seen before", folder,
                file, served);
    return err_hint(e, REPLAY_HINT);
}

static struct memory_entry *find_entry(const struct memory_repo *r, const char *file)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->entries[i].file, file))
            return &r->entries[i];
    return NULL;
}

/* Also keeps the hash that an entry of the same version had before. */
static int compare_entry(const struct memory_entry *old, struct memory_entry *new, const char *folder,
                         struct err *e)
{
    bool both = old->has_sha256 && new->has_sha256;
    if (new->version > old->version)
        return 0;
    if (new->version < old->version || (both && memcmp(new->sha256, old->sha256, HASH_SIZE) != 0))
        return refuse(e, folder, old->file, new->version, old->version);
    if (old->has_sha256)
        memcpy(new->sha256, old->sha256, HASH_SIZE);
    new->has_sha256 = old->has_sha256 || new->has_sha256;
    return 0;
}

static int compare(const struct memory_repo *old, struct memory_repo *new, enum pin_repo repo, struct err *e)
{
    AUTO_FREE char *folder = mem_format("%s/", pin_repo_metadata(repo));
    if (new->version < old->version ||
        (new->version == old->version &&memcmp(new->content, old->content, HASH_SIZE) != 0))
        return refuse(e, "", snapshot_path(repo), new->version, old->version);
    for (size_t i = 0; i < old->count; i++) {
        struct memory_entry *entry = find_entry(new, old->entries[i].file);
        if (entry && compare_entry(&old->entries[i], entry, folder, e))
            return -1;
    }
    return 0;
}

int replay_advance(struct memory_repo *r, enum pin_repo repo, const struct roles *roles,
                   const struct verdict *v, struct err *e)
{
    struct memory_repo new = {.origin = r->origin, .pinned_at = r->pinned_at};
    enum role_type type = repo == PIN_DIRECTOR ? ROLE_OFFLINE_SNAPSHOT : ROLE_SNAPSHOT;
    int64_t threshold = 0;
    if (v->newest_root[repo] < 0)
        return err_set(e, ERR_INTERNAL, "a verdict without a root");
    int rc = read_signers(&roles->files[v->newest_root[repo]], type, &new, &threshold, e) ||
                     read_snapshot(roles, repo, type, &new, e)
                 ? -1
                 : 0;
    if (rc == 0 && r->version && !keys_were_changed(r, &new, threshold))
        rc = compare(r, &new, repo, e);
    if (rc) {
        memory_forget_snapshot(&new);
        return -1;
    }
    memory_forget_snapshot(r);
    *r = new;
    return 0;
}
