/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/lockbox.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "uptane/ecus.h"
#include "uptane/snapshot.h"
#include "uptane/strays.h"

#define SNAPSHOT_PATH "director/offline-snapshot.json"
#define TARGETS_COUNT_MAX                                                                                    \
    4000 /* several times what fits in the 64 KiB that the device reads; bounds memory */

/* The offline snapshot, verified, or NULL. */
static struct role *read_snapshot(struct check *c, const struct root *root)
{
    AUTO(flaws) struct flaws flaws = {0};
    struct err e;
    const char *name = role_type_name(ROLE_OFFLINE_SNAPSHOT);
    struct role *snapshot = check_role(c, REPO_DIRECTOR, name, ROLE_OFFLINE_SNAPSHOT, root, &flaws);
    bool readable = snapshot && snapshot_check(snapshot, &e) == 0;
    if (snapshot && !readable)
        flaws_add_err(&flaws, &e);
    check_report(c, REPO_DIRECTOR, SNAPSHOT_PATH, &flaws);
    if (snapshot)
        check_add_role(c, REPO_DIRECTOR, check_file(c, REPO_DIRECTOR, name), name, snapshot,
                       readable && c->in->now < snapshot->expires, true);
    if (readable)
        return snapshot;
    role_delete(snapshot);
    return NULL;
}

/* What the client does with a snapshot that is newer than its own: no lockbox of both may be older now. */
static void compare_with_stored(struct check *c, const struct role *snapshot)
{
    const struct device_role *own = c->in->device ? &c->in->device->stored[STORED_OFFLINE_SNAPSHOT] : NULL;
    struct role *before;
    struct err unused;
    if (!c->view || !own || !own->is_known || !c->view->remembers[REPO_DIRECTOR] ||
        own->version >= snapshot->version)
        return;
    if (!own->bytes)
        check_assume(
            c, "version %lld of the offline snapshot, which the device has stored, lists no newer lockbox",
            (long long)own->version);
    if (!own->bytes || role_parse(own->bytes, own->len, ROLE_OFFLINE_SNAPSHOT, &before, &unused))
        return;
    for (size_t i = 0, n = snapshot_check(before, &unused) ? 0 : snapshot_count(before); i < n; i++) {
        struct snapshot_entry old, new;
        snapshot_at(before, i, &old);
        AUTO_FREE char *file = mem_strndup(old.file, old.file_len);
        if (snapshot_find(snapshot, file, &new) && new.version < old.version)
            check_problem(c, REPO_DIRECTOR, SNAPSHOT_PATH, ERR_ROLLBACK, true, false,
                          "it lists '%s' at version %lld, and the device has seen version %lld", file,
                          (long long)new.version, (long long)old.version);
    }
    role_delete(before);
}

/* Which lockbox: the caller's, or the first of the snapshot whose file is there. NULL (and a problem): none.
 */
static char *choose(struct check *c, const struct role *snapshot, struct snapshot_entry *ret)
{
    if (c->in->lockbox) {
        AUTO_FREE char *file = mem_format("%s.json", c->in->lockbox);
        if (snapshot_find(snapshot, file, ret))
            return mem_strdup(c->in->lockbox);
        check_problem(c, REPO_DIRECTOR, SNAPSHOT_PATH, ERR_NOT_IN_SNAPSHOT, true, true,
                      "it does not list lockbox '%s'", c->in->lockbox);
        return NULL;
    }
    char *first = NULL;
    size_t present = 0;
    for (size_t i = 0, n = snapshot_count(snapshot); i < n; i++) {
        struct snapshot_entry entry;
        snapshot_at(snapshot, i, &entry);
        AUTO_FREE char *name = mem_strndup(entry.file, entry.name_len);
        if (!check_file(c, REPO_DIRECTOR, name))
            continue;
        if (present++ == 0) {
            first = steal_ptr(name);
            *ret = entry;
        }
    }
    if (!first)
        check_problem(c, REPO_DIRECTOR, SNAPSHOT_PATH, ERR_NO_LOCKBOX, false, false,
                      "none of the %zu lockboxes that it lists is there", snapshot_count(snapshot));
    if (present > 1)
        check_problem(c, REPO_DIRECTOR, SNAPSHOT_PATH, ERR_SEVERAL_LOCKBOXES, false, false,
                      "%zu lockboxes are there; the device takes '%s' and never looks at the others", present,
                      first);
    return first;
}

static void check_lockbox_name(const char *name, struct flaws *flaws)
{
    struct err e;
    bool fixed = false;
    for (enum role_type type = ROLE_ROOT; type <= ROLE_LOCKBOX; type++)
        fixed |= !strcmp(name, role_type_name(type));
    if (fixed || !strcmp(name, "timestamp"))
        err_hint(
            &flaws_add(flaws, ERR_UNSAFE_NAME, true, true, "'%s' is the name of a fixed role", name)->why,
            "define the lockbox under another name");
    else if (name_check_role(name, &e))
        flaws_add_err(flaws, &e);
}

static void name_correlation(struct check *c, const char *name, const struct snapshot_entry *entry)
{
    char hex[HASH_HEX_SIZE];
    if (!entry->has_sha256)
        return;
    hash_hex(entry->sha256, hex);
    c->v->correlation_id =
        mem_format("urn:tdx-ota:lockbox:%s:%lld:%.12s", name, (long long)entry->version, hex);
}

/* Signed and listed; what is in it comes later. */
static struct role *read_lockbox(struct check *c, const struct root *root, const char *name,
                                 const struct snapshot_entry *entry, struct flaws *flaws)
{
    check_lockbox_name(name, flaws);
    struct role *role = check_role(c, REPO_DIRECTOR, name, ROLE_LOCKBOX, root, flaws);
    if (!role)
        return NULL;
    bool listed = snapshot_confirms(entry, role, false, flaws);
    check_add_role(c, REPO_DIRECTOR, check_file(c, REPO_DIRECTOR, name), name, role,
                   listed && c->in->now < role->expires, true);
    return role;
}

static void check_no_delegations(const struct role *role, struct flaws *flaws)
{
    struct json_value v, part;
    if (!json_get(role->body, "delegations", &v))
        return;
    bool keys = json_get(v, "keys", &part) && json_count(part) > 0;
    bool roles = json_get(v, "roles", &part) && json_count(part) > 0;
    if (keys || roles)
        flaws_add(flaws, ERR_DIRECTOR_DELEGATES, roles, true, "version %lld %s", (long long)role->version,
                  roles ? "delegates" : "holds keys to delegate to");
}

/* What the device's client makes of it: only the lockbox's own targetFormat counts. */
static bool device_takes_for_ostree(const struct target *t)
{
    return t->format == FORMAT_OSTREE || (t->format == FORMAT_UNSAID && t->length == 0);
}

static void fill_target(struct verdict_target *to, const char *name, const struct target *t,
                        struct ecus_wish wish)
{
    size_t n = t->has_hardware ? json_count(t->hardware) : 0;
    *to = (struct verdict_target){.name = mem_strdup(name),
                                  .length = t->length,
                                  .hardware_ids = mem_zeroed(n, sizeof(char *)),
                                  .hardware_id_count = n,
                                  .is_ostree = device_takes_for_ostree(t),
                                  .wanted = wish.wanted,
                                  .installed = wish.installed,
                                  .differs = wish.differs};
    memcpy(to->sha256, t->sha256, sizeof to->sha256);
    for (size_t i = 0; i < n; i++)
        to->hardware_ids[i] = json_string_copy(json_at(t->hardware, i));
}

/* What is wrong with one target by itself. */
static void check_target(const char *name, const struct target *t, bool wanted, struct flaws *flaws)
{
    struct err e;
    if (name_check_target(name, &e))
        flaws_add_err(flaws, &e);
    if (!t->has_sha256)
        flaws_add(flaws, ERR_BAD_ROLE, true, true, "target '%s' has no sha256", name);
    if (t->names_ecus)
        flaws_add(flaws, ERR_BAD_ROLE, true, false,
                  "target '%s' names serial numbers of ECUs, which an offline update cannot match", name);
    if (t->length == 0 && !device_takes_for_ostree(t))
        flaws_add(flaws, ERR_EMPTY_TARGET, wanted, false,
                  "target '%s' is a file of length 0, on which the device's client crashes", name);
}

static void read_target(struct check *c, struct lockbox *box, struct json_value targets, size_t i,
                        struct flaws *flaws)
{
    size_t len;
    const char *key = json_key_at(targets, i, &len);
    AUTO_FREE char *name = mem_strndup(key, len);
    struct target t;
    struct err e;
    if (target_parse(json_at(targets, i), &t, &e)) {
        err_context(&e, "target '%s'", name);
        flaws_add_err(flaws, &e);
        return;
    }
    struct verdict_target *to = &c->v->targets[c->v->target_count++];
    struct ecus_wish wish = ecus_want(c, name, &t, device_takes_for_ostree(&t), flaws);
    check_target(name, &t, wish.wanted, flaws);
    fill_target(to, name, &t, wish);
    box->list[box->count++] = t;
}

struct claim {
    const char *hardware_id;
    const char *target;
};

static int compare_claims(const void *a, const void *b)
{
    return strcmp(((const struct claim *)a)->hardware_id, ((const struct claim *)b)->hardware_id);
}

/* Two targets for one ECU: offline, an ECU is known by its hardware id alone. */
static void check_conflicts(struct check *c, struct flaws *flaws)
{
    const struct verdict *v = c->v;
    size_t n = 0;
    for (size_t i = 0; i < v->target_count; i++)
        n += v->targets[i].hardware_id_count;
    AUTO_FREE struct claim *claims = mem_zeroed(n, sizeof *claims);
    n = 0;
    for (size_t i = 0; i < v->target_count; i++)
        for (size_t j = 0; j < v->targets[i].hardware_id_count; j++)
            claims[n++] = (struct claim){v->targets[i].hardware_ids[j], v->targets[i].name};
    qsort(claims, n, sizeof *claims, compare_claims);
    for (size_t i = 1; i < n; i++) {
        const char *id = claims[i].hardware_id;
        if (!strcmp(claims[i - 1].hardware_id, id) && strcmp(claims[i - 1].target, claims[i].target) != 0)
            flaws_add(flaws, ERR_TARGET_CONFLICT, hardware_counts(&c->hardware, id, strlen(id)), true,
                      "targets '%s' and '%s' are both for hardware '%s'", claims[i - 1].target,
                      claims[i].target, id);
    }
}

static void check_twins(struct check *c, struct flaws *flaws)
{
    const struct verdict *v = c->v;
    AUTO_FREE const char **names = mem_zeroed(v->target_count, sizeof *names);
    struct err e;
    for (size_t i = 0; i < v->target_count; i++)
        names[i] = v->targets[i].name;
    if (name_check_twins(names, v->target_count, &e))
        flaws_add_err(flaws, &e);
}

static bool is_compose(const struct verdict_target *t)
{
    for (size_t i = 0; i < t->hardware_id_count; i++)
        if (!strcmp(t->hardware_ids[i], HARDWARE_COMPOSE))
            return true;
    return false;
}

/* The client fetches one file after the other, and wants a mebibyte to be left after each. */
static void check_space(struct check *c, struct flaws *flaws)
{
    const uint64_t reserve = 1u << 20, block = 4096;
    uint64_t needed = reserve;
    if (!c->view || !c->in->device || !c->in->device->has_free_space)
        return;
    for (size_t i = 0; i < c->v->target_count; i++) {
        const struct verdict_target *t = &c->v->targets[i];
        if (!t->wanted)
            continue;
        if (t->is_ostree || is_compose(t))
            check_assume(c, "the device has room for what '%s' brings besides files", t->name);
        if (t->is_ostree)
            continue;
        if (t->length > UINT64_MAX - block - needed || needed + t->length >= c->in->device->free_space) {
            flaws_add(flaws, ERR_DEVICE_SPACE, true, false,
                      "the device has %llu bytes free, too little for all packages up to '%s' and the "
                      "mebibyte that its client wants to be left",
                      (unsigned long long)c->in->device->free_space, t->name);
            return;
        }
        needed += (t->length + block - 1) / block * block;
    }
}

static void read_targets(struct check *c, struct lockbox *box, struct flaws *flaws)
{
    struct json_value targets;
    if (!json_get_typed(box->role->body, "targets", JSON_OBJECT, &targets)) {
        flaws_add(flaws, ERR_BAD_ROLE, true, true, "a lockbox without targets");
        return;
    }
    size_t n = json_count(targets);
    if (n > TARGETS_COUNT_MAX) {
        flaws_add(flaws, ERR_BAD_ROLE, true, true, "%zu targets, at most %d are read", n, TARGETS_COUNT_MAX);
        return;
    }
    c->v->targets = mem_zeroed(n, sizeof *c->v->targets);
    box->list = mem_zeroed(n, sizeof *box->list);
    for (size_t i = 0; i < n; i++)
        read_target(c, box, targets, i, flaws);
    check_twins(c, flaws);
    check_conflicts(c, flaws);
    check_space(c, flaws);
}

/* A lockbox that is older than what the device's own snapshot lists. */
static void name_rollback(const struct check *c, struct flaws *flaws)
{
    for (size_t i = 0; c->view && c->view->keeps[STORED_OFFLINE_SNAPSHOT] && i < flaws->count; i++)
        if (flaws->list[i].why.id == ERR_WRONG_VERSION) {
            flaws->list[i].why.id = ERR_ROLLBACK;
            err_hint(&flaws->list[i].why, "the device has used a newer lockbox: bring that or a newer one");
        }
}

void lockbox_check(struct check *c, const struct root *root, struct lockbox *ret)
{
    struct snapshot_entry entry;
    *ret = (struct lockbox){0};
    struct role *snapshot = read_snapshot(c, root);
    if (!snapshot)
        return;
    compare_with_stored(c, snapshot);
    char *name = choose(c, snapshot, &entry);
    if (name) {
        AUTO(flaws) struct flaws flaws = {0};
        c->v->lockbox = name;
        c->v->lockbox_version = entry.version;
        name_correlation(c, name, &entry);
        ret->role = read_lockbox(c, root, name, &entry, &flaws);
        name_rollback(c, &flaws);
        if (ret->role) {
            check_no_delegations(ret->role, &flaws);
            read_targets(c, ret, &flaws);
        }
        AUTO_FREE char *path = mem_format("director/%s.json", name);
        check_report(c, REPO_DIRECTOR, path, &flaws);
        strays_report(c, REPO_DIRECTOR, snapshot);
    }
    role_delete(snapshot);
}

void lockbox_free(struct lockbox *lockbox)
{
    role_delete(lockbox->role);
    free(lockbox->list);
    *lockbox = (struct lockbox){0};
}
