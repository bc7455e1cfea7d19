/* SPDX-License-Identifier: Apache-2.0 */
#include "lockbox/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "lockbox/place.h"
#include "store/ostree_repo.h"
#include "uptane/refusal.h"

#define REPOSITORY "images/ostree/"

static int load(struct base *b, const struct store *s, const char *profile, const struct judge *judge,
                const char *what, struct err *e);
static int load_device(struct base *b, const struct store *s, const struct device *device, struct err *e);
static int find_held(struct base *b, struct err *e);

int base_load(const struct store *s, const char *profile, const struct judge *judge, const char *what,
              struct base *ret, struct err *e)
{
    AUTO(base) struct base b = {0};
    if (load(&b, s, profile, judge, what, e) || find_held(&b, e))
        return err_context(e, "'%s'", what);
    *ret = b;
    b = (struct base){0};
    return 0;
}

int base_load_device(const struct store *s, const struct device *device, const char *what, struct base *ret,
                     struct err *e)
{
    AUTO(base) struct base b = {0};
    if (load_device(&b, s, device, e) || find_held(&b, e))
        return err_context(e, "'%s'", what);
    *ret = b;
    b = (struct base){0};
    return 0;
}

void base_free(struct base *b)
{
    ostree_graph_free(&b->graph);
    free(b->held);
    *b = (struct base){0};
}

/* ---- which commits, and what they lead to ---- */

static int add_commit(struct base *b, const uint8_t commit[HASH_SIZE], struct err *e)
{
    struct ostree_name name = {.kind = OSTREE_COMMIT};
    uint32_t node;
    memcpy(name.checksum, commit, HASH_SIZE);
    return needs_add(&b->images, commit, e) || ostree_graph_node(&b->graph, &name, &node, e) ? -1 : 0;
}

/* The verdict lists what is signed; that a role has ended, or that a device would refuse it today, is no
 * matter. */
static int add_commits(struct base *b, const struct judge *judge, const struct roles *roles, const char *name,
                       struct err *e)
{
    AUTO(verdict) struct verdict v = {0};
    if (judge_roles(judge, roles, name, &v, e) || (v.target_count == 0 && refusal_check(&v, e)))
        return -1;
    for (size_t i = 0; i < v.target_count; i++)
        if (v.targets[i].is_ostree && add_commit(b, v.targets[i].sha256, e))
            return -1;
    return 0;
}

/* Nodes are added behind the one that is read. */
static int read_repository(struct base *b, int dirfd, const char *path, struct err *e)
{
    AUTO_FD int fd = -1;
    if (fs_open_dir_at(dirfd, path, false, &fd, e))
        return e->id == ERR_NO_SUCH_PATH ? 0 : -1;
    for (uint32_t node = 0; node < b->graph.set.count; node++)
        if (b->graph.set.names[node].kind != OSTREE_FILE && ostree_graph_read_at(&b->graph, fd, node, e))
            return -1;
    return 0;
}

static int load_folder(struct base *b, const char *path, const struct judge *judge, struct err *e)
{
    AUTO(roles) struct roles roles = {0};
    AUTO_FD int dirfd = -1;
    if (fs_open_dir(path, &dirfd, e) || roles_from_folder(dirfd, &roles, e))
        return -1;
    if (roles.count == 0)
        return err_set(e, ERR_NOT_A_LOCKBOX, "it has no signed roles in metadata/");
    return add_commits(b, judge, &roles, NULL, e) || read_repository(b, dirfd, REPOSITORY, e) ? -1 : 0;
}

static int load_stored(struct base *b, const struct store *s, const char *profile, const char *name,
                       const struct judge *judge, struct err *e)
{
    AUTO(record) struct record record = {0};
    AUTO(roles) struct roles roles = {0};
    return record_load(s, profile, name, &record, e) || roles_from_store(s, &record, &roles, e) ||
                   add_commits(b, judge, &roles, name, e) || read_repository(b, s->cache_fd, STORE_OSTREE, e)
               ? -1
               : 0;
}

static int load_device(struct base *b, const struct store *s, const struct device *device, struct err *e)
{
    for (size_t i = 0; i < device->ecu_count; i++)
        if (device->ecus[i].is_primary && device->ecus[i].has_installed &&
            add_commit(b, device->ecus[i].installed.sha256, e))
            return -1;
    return read_repository(b, s->cache_fd, STORE_OSTREE, e);
}

/* ---- a bundle: its objects as they come by ---- */

struct reading {
    struct base *base;
    const struct bundle *bundle;
    uint32_t node;
    bool is_read; /* the present member is a commit, a dirtree or a dirmeta */
    struct buf bytes;
};

static int begin_member(void *reading, size_t member, struct err *e)
{
    struct reading *r = reading;
    struct ostree_name name;
    const struct bundle_member_info m = bundle_member_at(r->bundle, member);
    r->is_read = !strncmp(m.path, REPOSITORY, strlen(REPOSITORY)) && m.size <= OSTREE_METADATA_MAX &&
                 ostree_path_parse(m.path + strlen(REPOSITORY), &name) && name.kind != OSTREE_FILE &&
                 name.kind != OSTREE_COMMITMETA;
    buf_clear(&r->bytes);
    return r->is_read ? ostree_graph_node(&r->base->graph, &name, &r->node, e) : 0;
}

static int write_member(void *reading, const void *bytes, size_t n, struct err *e)
{
    struct reading *r = reading;
    (void)e;
    if (r->is_read)
        buf_add(&r->bytes, bytes, n);
    return 0;
}

static int end_member(void *reading, struct err *e)
{
    struct reading *r = reading;
    return r->is_read ? ostree_graph_read(&r->base->graph, r->node, r->bytes.data, r->bytes.len, e) : 0;
}

static int load_bundle(struct base *b, const char *path, const struct judge *judge, struct err *e)
{
    AUTO(place) struct place place = {.dirfd = -1};
    AUTO(roles) struct roles roles = {0};
    struct bundle *bundle = NULL;
    struct reading reading = {.base = b};
    const struct bundle_sink sink = {begin_member, write_member, end_member, &reading};
    int rc = place_path(path, &place, e) || bundle_open(place.dirfd, place.name, &bundle, e) ||
             roles_from_bundle(bundle, &roles, e) || add_commits(b, judge, &roles, NULL, e);
    reading.bundle = bundle;
    if (rc == 0 && b->images.count)
        rc = bundle_watch(bundle, 0, &sink, NULL, e);
    buf_free(&reading.bytes);
    bundle_close(bundle);
    return rc ? -1 : 0;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && !strcmp(text + len - end_len, end);
}

bool base_is_device_file(const char *what)
{
    struct stat st;
    return ends_in(what, ".json") && stat(what, &st) == 0 && S_ISREG(st.st_mode);
}

/* A path is whatever cannot be the name of a lockbox, or is there. */
static int load(struct base *b, const struct store *s, const char *profile, const struct judge *judge,
                const char *what, struct err *e)
{
    struct stat st;
    bool there = stat(what, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return load_folder(b, what, judge, e);
    if (there)
        return load_bundle(b, what, judge, e);
    if (strpbrk(what, "/."))
        return err_set(e, ERR_NO_SUCH_PATH, "there is no such file");
    return load_stored(b, s, profile, what, judge, e);
}

/* ---- what a device has ---- */

static int count_reached(const struct base *b, const uint8_t commit[HASH_SIZE], uint32_t *counts,
                         uint32_t *nodes, struct err *e)
{
    struct ostree_name name = {.kind = OSTREE_COMMIT};
    uint32_t from;
    memcpy(name.checksum, commit, HASH_SIZE);
    if (!ostree_set_find(&b->graph.set, &name, &from) || b->graph.nodes[from].state != OSTREE_GOOD) {
        char hex[HASH_HEX_SIZE];
        hash_hex(commit, hex);
        return err_set(e, ERR_NOT_A_BASE, "the objects of OSTree commit %s are not there", hex);
    }
    size_t count = ostree_graph_reach(&b->graph, from, nodes);
    for (size_t i = 0; i < count; i++)
        counts[nodes[i]]++;
    return 0;
}

static int find_held(struct base *b, struct err *e)
{
    size_t n = b->graph.set.count;
    AUTO_FREE uint32_t *counts = mem_zeroed(n, sizeof *counts);
    AUTO_FREE uint32_t *nodes = mem_zeroed(n, sizeof *nodes);
    if (b->images.count == 0)
        return err_set(e, ERR_NOT_A_BASE, "it names no OSTree image");
    for (size_t i = 0; i < b->images.count; i++)
        if (count_reached(b, b->images.commits[i], counts, nodes, e))
            return -1;
    b->held = mem_zeroed(n, sizeof *b->held);
    for (size_t i = 0; i < n; i++)
        b->held[i] = counts[i] == b->images.count;
    return 0;
}

/* Commits always go along: by its own a lockbox shows which image it brings. */
static bool holds(const struct base *b, const struct ostree_name *name)
{
    uint32_t node;
    return name->kind != OSTREE_COMMIT && ostree_set_find(&b->graph.set, name, &node) && b->held[node];
}

static int read_kept(struct ostree_graph *g, int fd, uint32_t node, struct err *e)
{
    const struct ostree_name name = g->set.names[node];
    char path[OSTREE_PATH_SIZE];
    if (name.kind == OSTREE_FILE) { /* hashed when it is written */
        ostree_graph_settle(g, node, NULL);
        return 0;
    }
    if (ostree_graph_read_at(g, fd, node, e))
        return -1;
    if (g->nodes[node].state == OSTREE_GOOD)
        return 0;
    ostree_path(&name, path);
    return g->nodes[node].error ? err_set(e, ERR_WRONG_HASH, "'%s': %s", path, g->nodes[node].error->message)
                                : err_set(e, ERR_NO_SUCH_PATH, "'%s' is not there", path);
}

/* The same walk as that of whoever checks what is written: it ends where something was left out. */
static int walk_kept(const struct base *b, struct ostree_graph *g, int fd, struct err *e)
{
    for (uint32_t node = 0; node < g->set.count; node++)
        if (!holds(b, &g->set.names[node]) && read_kept(g, fd, node, e))
            return -1;
    return 0;
}

int base_plan(const struct base *b, const struct store *s, const struct verdict *v, struct needs *ret,
              struct err *e)
{
    struct ostree_graph g = {0};
    AUTO_FD int fd = -1;
    struct needs r = b->images;
    int rc = ostree_graph_add_commits(&g, v, e);
    if (rc == 0 && g.set.count)
        rc = fs_open_dir_at(s->cache_fd, STORE_OSTREE, false, &fd, e) || walk_kept(b, &g, fd, e);
    r.objects = ostree_graph_missing(&g, r.sha256);
    ostree_graph_free(&g);
    if (rc)
        return -1;
    *ret = r.objects ? r : (struct needs){0};
    return 0;
}

void base_leave_out(const struct base *b, struct assembly *a, size_t *ret_files, uint64_t *ret_bytes)
{
    size_t kept = 0;
    *ret_files = 0;
    *ret_bytes = 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct member *m = &a->members[i];
        struct ostree_name name;
        if (!strncmp(m->path, REPOSITORY, strlen(REPOSITORY)) &&
            ostree_path_parse(m->path + strlen(REPOSITORY), &name) && holds(b, &name)) {
            ++*ret_files;
            *ret_bytes += m->size;
        } else {
            a->members[kept++] = *m;
        }
    }
    a->count = kept;
}
