/* SPDX-License-Identifier: Apache-2.0 */
#include "account/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "store/profile.h"
#include "uptane/root.h"

/* ---- one profile ---- */

static const char *key_type(const struct key *key)
{
    if (!key || !key->pubkey)
        return NULL;
    switch (pubkey_type(key->pubkey)) {
    case PUBKEY_ED25519:
        return "ED25519";
    case PUBKEY_RSA:
        return "RSA";
    case PUBKEY_ECDSA_P256:
        return "ECDSA P-256";
    }
    return NULL;
}

static void read_keys(const struct root *root, struct trust_repo *r)
{
    struct grant grant;
    if (!root_grant(root, ROLE_ROOT, &grant))
        return;
    r->threshold = grant.threshold;
    r->keys = mem_zeroed(json_count(grant.keyids), sizeof *r->keys);
    for (; r->key_count < json_count(grant.keyids); r->key_count++) {
        size_t len;
        const char *id = json_string(json_at(grant.keyids, r->key_count), &len);
        r->keys[r->key_count] = (struct trust_key){
            .id = mem_strndup(id ? id : "", id ? len : 0),
            .type = id ? key_type(keyring_find(&root->ring, id, len)) : NULL,
        };
    }
}

/* `with_keys` NULL: they are not asked for. */
static int read_root(const struct buf *bytes, struct trust_root *ret, struct trust_repo *with_keys,
                     struct err *e)
{
    struct root *root;
    struct root_mark mark;
    if (root_parse(bytes->data, bytes->len, &root, e))
        return -1;
    int rc = root_mark_read(bytes->data, bytes->len, &mark, e);
    *ret = (struct trust_root){.version = root->role->version, .expires = root->role->expires};
    if (rc == 0)
        memcpy(ret->fingerprint, mark.fingerprint, HASH_SIZE);
    if (with_keys)
        read_keys(root, with_keys);
    root_delete(root);
    return rc;
}

static int read_repo(const struct pins *pins, const struct memory *memory, size_t repo,
                     struct trust_repo *ret, struct err *e)
{
    const struct buf *first = &pins->first[repo];
    const struct buf *newest = pins->newest[repo].len ? &pins->newest[repo] : first;
    if (!first->len)
        return 0;
    ret->is_pinned = true;
    ret->origin = memory->repos[repo].origin;
    ret->pinned_at = memory->repos[repo].pinned_at;
    ret->snapshot_version = memory->repos[repo].version;
    if (read_root(first, &ret->first, NULL, e) || read_root(newest, &ret->newest, ret, e)) {
        e->id = ERR_BAD_CONFIG;
        return err_context(e, "a pinned root of the %s in the state folder",
                           pin_repo_title((enum pin_repo)repo));
    }
    return 0;
}

static int read_profile(const struct store *s, const char *name, struct pins *pins, struct trust_profile *ret,
                        struct err *e)
{
    AUTO(memory) struct memory memory = {0};
    AUTO(trust_profile) struct trust_profile p = {.name = mem_strdup(name)};
    if (pins_load(s, name, pins, e) || memory_load(s, name, &memory, e))
        return -1;
    for (size_t repo = 0; repo < COUNT_OF(p.repos); repo++)
        if (read_repo(pins, &memory, repo, &p.repos[repo], e))
            return err_context(e, "profile '%s'", name);
    *ret = p;
    p = (struct trust_profile){0};
    return 0;
}

void trust_profile_free(struct trust_profile *p)
{
    for (size_t repo = 0; repo < COUNT_OF(p->repos); repo++) {
        for (size_t i = 0; i < p->repos[repo].key_count; i++)
            free(p->repos[repo].keys[i].id);
        free(p->repos[repo].keys);
    }
    free(p->name);
    *p = (struct trust_profile){0};
}

/* ---- all of them ---- */

struct reading {
    const struct store *store;
    struct trust *trust;
};

static int add_profile(void *ctx, const char *name, struct err *e)
{
    struct reading *r = ctx;
    struct err ignored;
    AUTO(pins) struct pins pins = {0};
    struct trust_profile p;
    if (profile_check_name(name, &ignored))
        return 0; /* something that is not ours */
    if (read_profile(r->store, name, &pins, &p, e))
        return -1;
    if (!p.repos[PIN_DIRECTOR].is_pinned && !p.repos[PIN_IMAGE].is_pinned) {
        trust_profile_free(&p);
        return 0;
    }
    mem_grow(&r->trust->profiles, r->trust->count, &r->trust->room, sizeof *r->trust->profiles);
    r->trust->profiles[r->trust->count++] = p;
    return 0;
}

static int not_pinned(const char *profile, struct err *e)
{
    err_set(e, ERR_NO_PROFILE, "no roots are pinned for the profile '%s'", profile);
    if (strcmp(profile, PROFILE_DEFAULT) != 0)
        err_hint(e, "airlock --profile %s login --credentials credentials.zip", profile);
    return -1;
}

int trust_read(const struct store *s, const char *profile, struct trust *ret, struct err *e)
{
    AUTO_FD int fd = -1;
    AUTO(trust) struct trust t = {0};
    struct reading r = {.store = s, .trust = &t};
    if (profile) {
        if (profile_check_name(profile, e) || add_profile(&r, profile, e))
            return -1;
        if (t.count == 0)
            return not_pinned(profile, e);
    } else if (s->state_fd >= 0 && fs_open_dir_at(s->state_fd, "trust", false, &fd, e)) {
        if (e->id != ERR_NO_SUCH_PATH)
            return -1;
    } else if (fd >= 0 && fs_each(fd, add_profile, &r, e)) {
        return -1;
    }
    *ret = t;
    t = (struct trust){0};
    return 0;
}

void trust_free(struct trust *t)
{
    for (size_t i = 0; i < t->count; i++)
        trust_profile_free(&t->profiles[i]);
    free(t->profiles);
    *t = (struct trust){0};
}

/* ---- the folder for a device ---- */

static const char *const places[] = {[PIN_DIRECTOR] = "director/root.json", [PIN_IMAGE] = "repo/root.json"};
static const char *const folders[] = {[PIN_DIRECTOR] = "director", [PIN_IMAGE] = "repo"};

struct export
{
    int dirfd;
    bool is_there[2]; /* the same file already, which is not ours to remove */
    bool made_folder[2];
};

static int look(struct export *x, size_t repo, const struct buf *root, struct err *e)
{
    AUTO(buf) struct buf old = {0};
    struct stat st;
    x->made_folder[repo] = fstatat(x->dirfd, folders[repo], &st, AT_SYMLINK_NOFOLLOW) != 0;
    if (fs_read_at(x->dirfd, places[repo], PIN_BYTES_MAX, &old, e)) {
        if (e->id == ERR_NO_SUCH_PATH)
            return 0;
        bool is_foreign =
            e->id == ERR_UNSAFE_NAME || e->id == ERR_TOO_LARGE || e->sys == ELOOP || e->sys == ENOTDIR;
        return is_foreign ? err_set(e, ERR_ALREADY_EXISTS, "'%s' is there and is no root", places[repo]) : -1;
    }
    x->is_there[repo] = old.len == root->len && !memcmp(old.data, root->data, root->len);
    return x->is_there[repo]
               ? 0
               : err_set(e, ERR_ALREADY_EXISTS, "'%s' is there with other content", places[repo]);
}

/* Half of it would provision a device that trusts one repository and not the other. */
static void take_back(const struct export *x, size_t count)
{
    struct err ignored;
    for (size_t repo = 0; repo < count; repo++) {
        if (!x->is_there[repo] && fs_remove_at(x->dirfd, places[repo], &ignored))
            continue;
        if (x->made_folder[repo])
            unlinkat(x->dirfd, folders[repo], AT_REMOVEDIR);
    }
}

static int write_both(struct export *x, const struct pins *pins, struct err *e)
{
    for (size_t repo = 0; repo < COUNT_OF(places); repo++)
        if (look(x, repo, &pins->first[repo], e))
            return -1;
    for (size_t repo = 0; repo < COUNT_OF(places); repo++) {
        const struct buf *root = &pins->first[repo];
        if (x->is_there[repo])
            continue;
        if (fs_replace_at(x->dirfd, places[repo], root->data, root->len, 0644, e) || fs_sync(x->dirfd, e)) {
            take_back(x, repo + 1);
            return -1;
        }
    }
    return 0;
}

int trust_export(const struct store *s, const char *profile, const char *dir, struct trust_profile *ret,
                 struct err *e)
{
    AUTO(pins) struct pins pins = {0};
    AUTO(trust_profile) struct trust_profile p = {0};
    struct export x = {.dirfd = -1};
    if (read_profile(s, profile, &pins, &p, e))
        return -1;
    if (!p.repos[PIN_DIRECTOR].is_pinned || !p.repos[PIN_IMAGE].is_pinned)
        return not_pinned(profile, e);
    if (fs_make_dir(dir, false, &x.dirfd, e))
        return -1;
    int rc = write_both(&x, &pins, e);
    close(x.dirfd);
    if (rc)
        return err_context(e, "'%s'", dir);
    *ret = p;
    p = (struct trust_profile){0};
    return 0;
}
